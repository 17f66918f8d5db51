package network

import "slices"

// mostRounds is how often reachability and routes are worked out in turn. Each round brings up the sessions that
// the routes of the last one carry; more than a few levels of that would be strange.
const mostRounds = 8

// Compute says what BGP comes to, without any speaker: sessions by Meet, routes by a fixpoint. It takes
// the default instances; sessions in others stand, but carry nothing.
//
// Unicast routes come first, and again for as long as they bring up sessions that carry more of them or
// change what is reached; then EVPN routes, which nothing else depends on. Where policies contradict each
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
	l.held = nil
	return last
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
	books     map[string]*book             // by router
	byFam     [L2EVPN + 1]*library
}

func newLibraries(p *Plant, originate func(*Plant, string) []Route) *libraries {
	l := &libraries{plant: p, originate: originate, announced: make([]recall[[]Route], len(p.Names)), books: make(map[string]*book, len(p.Names))}
	var all [L2EVPN + 1][]announcement
	for i, router := range p.Names {
		l.books[router] = newBook(p.Routers[router].Policies)
		routes := originate(p, router)
		l.held = append(l.held, routes)
		for j := range routes {
			f := routes[j].Family
			all[f] = append(all[f], announcement{i, j, &routes[j]})
		}
	}
	for f := IPv4; f <= L2EVPN; f++ {
		l.byFam[f] = newLibrary(l, f, all[f], l.looksAtPrefixes())
	}
	return l
}

// routes are those that a speaker announces. There are many, and few who want to see them all.
func (l *libraries) routes(speaker int) []Route {
	if l.held != nil {
		return l.held[speaker]
	}
	return *l.announced[speaker].get(func() *[]Route {
		routes := l.originate(l.plant, l.plant.Names[speaker])
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
