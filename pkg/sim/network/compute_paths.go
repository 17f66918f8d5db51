package network

import (
	"cmp"
	"net/netip"
	"slices"
	"unique"
)

// entry is a path of a group at one speaker, received or own.
type entry struct {
	best
	rejected, valid bool
}

// gather returns all that a speaker has of a group: what its neighbors send it, and its own.
func (m *mesh) gather(sp *speaker, f Family, group int, depth int) []entry {
	g := m.byFam[f].groups[group]
	var all []entry
	if o := g.originOf(m.index[sp.name]); o >= 0 {
		own := best{from: -1, origin: o, attrs: unique.Make(initial(g.sample(o)))}
		all = append(all, entry{best: own, valid: true})
	}
	for _, h := range m.holders[f][group] {
		for _, session := range sp.towards[h.speaker] {
			if e, ok := m.receive(sp, session, f, h, depth); ok {
				all = append(all, e)
			}
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.from, b.from) })
	return all
}

// receive returns what comes to a speaker by one of its sessions, of what the neighbor holds.
func (m *mesh) receive(sp *speaker, session int, f Family, h holder, depth int) (entry, bool) {
	l := &sp.links[session]
	far := &m.speakers[l.far]
	there := &far.links[l.back]
	if !there.sends.has(f) {
		return entry{}, false
	}
	line := far.ribs[f][h.position]
	attrs := m.view(far, f, there.profile).sent[h.position]
	if attrs == none || m.withheld(far, l.back, line.best) {
		return entry{}, false
	}
	got, verdict := sp.accept(session, m.byFam[f].groups[line.group], line.origin, attrs)
	if verdict == dropped {
		return entry{}, false
	}
	e := entry{best: best{from: session, origin: line.origin, attrs: got}, rejected: verdict == rejected}
	e.valid = m.valid(sp, session, got, depth)
	return e, true
}

// ordered returns the entries of a group with their ranks, best first.
func (m *mesh) ordered(sp *speaker, f Family, group, depth int) ([]entry, []rank) {
	all := m.gather(sp, f, group, depth)
	ranks := make([]rank, len(all))
	for i, e := range all {
		ranks[i] = sp.rank(sp.judges[f], e.best, e.valid && !e.rejected)
		ranks[i].index = i
	}
	sp.judges[f].decide(ranks)
	return all, ranks
}

// path writes out an entry for one route of its group.
func (m *mesh) path(sp *speaker, r *Route, e *entry) Path {
	a := e.attrs.Value()
	return Path{
		Route: r, From: e.from, NextHop: sp.nextHop(e.from, &a), ASPath: a.asPath.slice(), LocalPref: a.localPref, MED: a.med,
		Originator: a.originator, Cluster: a.cluster.addresses(), Communities: a.communityList(),
		Valid: e.valid, Rejected: e.rejected,
	}
}

// Sessions implements Routing.
func (m *mesh) Sessions(router string) []Session {
	if i, ok := m.index[router]; ok {
		return m.speakers[i].sessions
	}
	return nil
}

// slot is where an NLRI stands among those of its family.
type slot struct{ place, group, member int }

// Paths implements Routing. Lists in paths are shared between those of a group.
func (m *mesh) Paths(router string, f Family) []Path {
	at, ok := m.index[router]
	if !ok {
		return nil
	}
	sp := &m.speakers[at]
	var slots []slot
	written := map[int]writing{} // of the first member of each group
	total := 0
	for i, g := range m.byFam[f].groups {
		w := m.write(sp, f, i)
		if len(w.paths) == 0 {
			continue
		}
		written[i] = w
		total += len(w.paths) * len(g.places)
		for member, place := range g.places {
			slots = append(slots, slot{place, i, member})
		}
	}
	slices.SortFunc(slots, func(a, b slot) int { return cmp.Compare(a.place, b.place) })
	all, announced := make([]Path, 0, total), map[int][]Route{}
	for _, s := range slots {
		all = m.appendMember(all, written[s.group], m.byFam[f].groups[s.group], s.member, announced)
	}
	return all
}

// writing is the paths of one member of a group, best first, and the origin of each.
type writing struct {
	paths   []Path
	origins []int
}

// write writes the first member of a group.
func (m *mesh) write(sp *speaker, f Family, group int) writing {
	g := m.byFam[f].groups[group]
	entries, ranks := m.ordered(sp, f, group, 0)
	w := writing{make([]Path, 0, len(entries)), make([]int, 0, len(entries))}
	for i, r := range ranks {
		e := &entries[r.index]
		p := m.path(sp, g.sample(e.origin), e)
		p.Best, p.Used = i == 0 && r.used, r.used
		w.paths, w.origins = append(w.paths, p), append(w.origins, e.origin)
	}
	return w
}

// appendMember adds the same paths for another member of the group. announced are the routes of speakers that were seen before.
func (m *mesh) appendMember(all []Path, w writing, g *group, member int, announced map[int][]Route) []Path {
	for i, p := range w.paths {
		o := &g.origins[w.origins[i]]
		routes, seen := announced[o.speaker]
		if !seen {
			routes = m.routes(o.speaker)
			announced[o.speaker] = routes
		}
		p.Route = &routes[o.routes[member]]
		all = append(all, p)
	}
	return all
}

// Counts implements Routing.
func (m *mesh) Counts(router string, session int, f Family) Counts {
	at, ok := m.index[router]
	if !ok || session < 0 || session >= len(m.speakers[at].sessions) {
		return Counts{}
	}
	sp := &m.speakers[at]
	sp.told[f].Do(func() { sp.counts[f] = m.countAll(sp, f) })
	return sp.counts[f][session]
}

// countAll counts for all sessions of a speaker. Received are the routes that are kept: one that no instance
// imports is not in the RIB-IN, and nobody could count it down again when it is withdrawn
// (/network-instance/protocols/bgp/neighbor/afi-safi/received-routes, afi-safi/evpn/keep-all-routes).
func (m *mesh) countAll(sp *speaker, f Family) []Counts {
	counts := make([]Counts, len(sp.sessions))
	for i, g := range m.byFam[f].groups {
		entries, ranks := m.ordered(sp, f, i, 0)
		for _, r := range ranks {
			if e := &entries[r.index]; e.from >= 0 {
				counts[e.from].add(e, r.used, len(g.places))
			}
		}
	}
	for i := range sp.links {
		if l := &sp.links[i]; l.sends.has(f) {
			counts[i].Sent = m.view(sp, f, l.profile).sentTo(sp.sessions[i].PeerID, m.asBehind(l))
		}
	}
	return counts
}

func (c *Counts) add(e *entry, used bool, n int) {
	c.Received += n
	if e.rejected {
		c.Rejected += n
	}
	if used {
		c.Active += n
	}
}

// used implements learner.
func (m *mesh) used(router string, a netip.Addr, depth int) (netip.Prefix, []Path) {
	f := IPv4
	if a.Is6() {
		f = IPv6
	}
	sp := &m.speakers[m.index[router]]
	for group := range m.byFam[f].byPrefix.matches(a) {
		if paths := m.usedPaths(sp, f, group, depth); len(paths) > 0 {
			return paths[0].Prefix, paths
		}
	}
	return netip.Prefix{}, nil
}

// usedPaths returns the used paths of a prefix that come from neighbors.
func (m *mesh) usedPaths(sp *speaker, f Family, group, depth int) []Path {
	entries, ranks := m.ordered(sp, f, group, depth)
	var all []Path
	for _, r := range ranks {
		if e := &entries[r.index]; r.used && e.from >= 0 {
			all = append(all, m.path(sp, m.byFam[f].groups[group].sample(e.origin), e))
		}
	}
	return all
}

// all implements learner.
func (m *mesh) all(router string, f Family) []Path {
	return slices.DeleteFunc(m.Paths(router, f), func(p Path) bool { return !p.Used || p.From < 0 })
}
