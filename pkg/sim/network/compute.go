package network

import (
	"maps"
	"reflect"
	"slices"
)

// mostRounds is how often reachability and routes are worked out in turn. Each round brings up the sessions that
// the routes of the last one carry; more than a few levels of that would be strange.
const mostRounds = 8

// Compute says what BGP comes to, without any speaker: sessions by Meet, routes by a fixpoint. It takes
// the default instances; sessions in others stand, but carry nothing.
//
// Unicast routes come first, and again for as long as they bring up sessions that carry more of them or
// change what is reached; then EVPN routes, which nothing else depends on, and again for as long as routers that have two
// EVPN instances in one network instance announce others because of them. Where policies contradict each
// other so that BGP would never end, the result is one of the states that it would go through.
func Compute(p *Plant) Routing { return compute(p, Originate) }

// compute is Compute with any source of routes.
func compute(p *Plant, originate func(*Plant, string) []Route) Routing {
	t := newTerrain(p)
	l := newLibraries(p, originate)
	var last *mesh
	for range mostRounds {
		t.route(routing(last))
		next := newMesh(t, l, meet(t))
		if last != nil && !last.leaned && next.carriesAsBefore(last) {
			next.copyUnicast(last)
			last = next
			break
		}
		next.spread(IPv4)
		next.spread(IPv6)
		stable := last != nil && next.sameUnicast(last)
		last = next
		if stable {
			break
		}
	}
	last.route()
	last.spread(L2EVPN)
	for turn := 0; turn < mostStitches && l.stitch(last, turn); turn++ {
		last = last.again(t)
		last.spread(L2EVPN)
	}
	l.held = nil
	return last
}

// mostStitches is how often routers may announce others of the routes that they have from others, and together how many
// of these times all of them do so at once: two for each domain on the way. Those that take each other's routes for news
// would do so forever, and come to rest one after the other.
const mostStitches, together = 48, 8

// again is the mesh with the same sessions, for other EVPN routes.
func (m *mesh) again(t *terrain) *mesh {
	sessions := make(map[string][]Session, len(m.speakers))
	for i := range m.speakers {
		sessions[m.speakers[i].name] = m.speakers[i].sessions
	}
	next := newMesh(t, m.libraries, sessions)
	next.copyUnicast(m)
	next.leaned = m.leaned
	next.route()
	return next
}

// stitch lets routers announce what follows from the EVPN routes that they have, and returns whether that is anything else
// than before.
func (l *libraries) stitch(m *mesh, turn int) bool {
	held, stitched, changed := slices.Clone(l.held), maps.Clone(l.stitched), false
	for i := range l.plant.Names {
		at := (i + turn) % len(l.plant.Names)
		router := l.plant.Names[at]
		if !stitches(l.plant.Routers[router]) || changed && turn >= together {
			continue
		}
		own := l.held[at][:len(l.held[at])-len(l.stitched[router])]
		routes := restitch(l.plant, m, router, own)
		if !reflect.DeepEqual(routes, l.stitched[router]) {
			held[at], stitched[router], changed = slices.Concat(own, routes), routes, true
		}
	}
	if changed {
		l.held, l.stitched = held, stitched
		l.byFam[L2EVPN] = newLibrary(l, L2EVPN, l.announcements(L2EVPN), l.looksAtPrefixes())
	}
	return changed
}

// announcements are all routes of a family, while they are held.
func (l *libraries) announcements(f Family) []announcement {
	var all []announcement
	for i, routes := range l.held {
		for j := range routes {
			if routes[j].Family == f {
				all = append(all, announcement{i, j, &routes[j]})
			}
		}
	}
	return all
}

// routing avoids an interface that is not nil and holds nothing.
func routing(m *mesh) Routing {
	if m == nil {
		return nil
	}
	return m
}

// libraries are all routes that are announced in a plant, by family.
type libraries struct {
	plant     *Plant
	originate func(*Plant, string) []Route // the same each time
	announced []recall[[]Route]            // in the order of Plant.Names
	held      [][]Route                    // the same, while all of them are needed
	stitched  map[string][]Route           // that follow the others, by router
	books     map[string]*book             // by router
	byFam     [L2EVPN + 1]*library
}

func newLibraries(p *Plant, originate func(*Plant, string) []Route) *libraries {
	l := &libraries{plant: p, originate: originate, announced: make([]recall[[]Route], len(p.Names)), stitched: map[string][]Route{}, books: make(map[string]*book, len(p.Names))}
	for _, router := range p.Names {
		l.books[router] = newBook(p.Routers[router].Policies)
		l.held = append(l.held, originate(p, router))
	}
	for f := IPv4; f <= L2EVPN; f++ {
		l.byFam[f] = newLibrary(l, f, l.announcements(f), l.looksAtPrefixes())
	}
	return l
}

// routes are those that a speaker announces. There are many, and few who want to see them all.
func (l *libraries) routes(speaker int) []Route {
	if l.held != nil {
		return l.held[speaker]
	}
	return *l.announced[speaker].get(func() *[]Route {
		name := l.plant.Names[speaker]
		routes := append(l.originate(l.plant, name), l.stitched[name]...)
		return &routes
	})
}

// looksAtPrefixes returns whether a policy that EVPN routes may meet asks for a prefix.
func (l *libraries) looksAtPrefixes() bool {
	for _, router := range l.plant.Names {
		in := l.plant.defaultInstance(router)
		if in == nil || in.BGP == nil {
			continue
		}
		for _, n := range l.plant.Links[router].Neighbors[in.Name] {
			if hasFamily(n.Families, L2EVPN) && l.books[router].asksPrefix(n.Import, n.Export) {
				return true
			}
		}
	}
	return false
}

// asksPrefix returns whether one of the policies has a condition on prefixes, or calls another, which may.
func (b *book) asksPrefix(lists ...[]string) bool {
	for _, names := range lists {
		for _, name := range names {
			for _, s := range b.Policies.Policies[name].Statements {
				if s.Match.PrefixSet != "" || s.Match.Policy != "" {
					return true
				}
			}
		}
	}
	return false
}

// carriesAsBefore returns whether the same sessions carry unicast routes.
func (m *mesh) carriesAsBefore(last *mesh) bool {
	for i := range m.speakers {
		a, b := &m.speakers[i], &last.speakers[i]
		for j := range a.links {
			if a.links[j].sends.unicast() != b.links[j].sends.unicast() {
				return false
			}
		}
	}
	return true
}

// copyUnicast takes over what the last round has found.
func (m *mesh) copyUnicast(last *mesh) {
	for f := IPv4; f <= IPv6; f++ {
		m.holders[f] = last.holders[f]
		for i := range m.speakers {
			m.speakers[i].ribs[f] = last.speakers[i].ribs[f]
		}
	}
}

// sameUnicast returns whether two rounds found the same.
func (m *mesh) sameUnicast(last *mesh) bool {
	for i := range m.speakers {
		for f := IPv4; f <= IPv6; f++ {
			if !slices.Equal(m.speakers[i].ribs[f], last.speakers[i].ribs[f]) {
				return false
			}
		}
	}
	return true
}
