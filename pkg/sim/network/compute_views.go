package network

import (
	"hash/maphash"
	"net/netip"
	"unique"
)

// view is what a speaker sends in the sessions of one profile, before anything is withheld from single
// peers. Observers of many routers share it.
type view struct {
	sent []unique.Handle[attributes] // for each line of the rib; none: not sent
	tally
	hashes map[int]uint64 // by want: of what is sent
}

// tally counts routes so that a session's share follows without looking at each: all, without those from
// the peer, without those that have been in its AS, with those of both kinds.
type tally struct {
	all  int
	from map[netip.Addr]int // by router id of the source
	via  map[uint32]int     // by AS number
	both map[source]int
}

// source is a router id and an AS number.
type source struct {
	id netip.Addr
	as uint32
}

// view returns what a speaker sends in the sessions of a profile.
func (m *mesh) view(sp *speaker, f Family, profile int) *view {
	views := sp.views[f].get(func() *[]view {
		views := make([]view, len(sp.profiles))
		for p := range views {
			m.look(sp, f, p, &views[p])
		}
		return &views
	})
	return &(*views)[profile]
}

// look fills in a view.
func (m *mesh) look(sp *speaker, f Family, profile int, v *view) {
	s := &sp.sessions[sp.profiles[profile]]
	v.sent = make([]unique.Handle[attributes], len(sp.ribs[f]))
	v.hashes = map[int]uint64{}
	v.tally = tally{from: map[netip.Addr]int{}, via: map[uint32]int{}, both: map[source]int{}}
	for i, h := range sp.ribs[f] {
		g := m.byFam[f].groups[h.group]
		v.sent[i] = sp.export(s, g, h.best)
		if v.sent[i] != none {
			v.hashes[g.want] += mix(g.hash, v.sent[i].Value())
			v.count(sp, h.best, len(g.places))
		}
	}
}

// mix is a hash of routes and the attributes that they have.
func mix(routes uint64, a attributes) uint64 {
	return maphash.Comparable(seed, struct {
		routes uint64
		attributes
	}{routes, a})
}

// count adds routes to a tally.
func (t *tally) count(sp *speaker, b best, n int) {
	t.all += n
	id := netip.Addr{}
	if b.from >= 0 {
		id = sp.sessions[b.from].PeerID
		t.from[id] += n
	}
	path := b.attrs.Value().asPath
	for i := range path.len() {
		as := path.at(i)
		if path[:4*i].count(as) == 0 {
			t.via[as] += n
			t.both[source{id, as}] += n
		}
	}
}

// sentTo is how many routes go to one peer, as withheld has it.
func (t *tally) sentTo(id netip.Addr, as uint32) int {
	return t.all - t.from[id] - t.via[as] + t.both[source{id, as}]
}
