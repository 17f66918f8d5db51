package network

import (
	"fmt"
	"hash/maphash"
)

// Version implements Routing: a hash of what the router has and what it is sent. It may change without
// need, as when a neighbor sends other routes that the router's policies reject, but never stays when anything
// has changed.
func (m *mesh) Version(router string) uint64 {
	at, ok := m.index[router]
	if !ok {
		return 0
	}
	sp := &m.speakers[at]
	var h maphash.Hash
	h.SetSeed(seed)
	maphash.WriteComparable(&h, m.plant.Routers[router]) // never changed once made
	for _, s := range sp.sessions {
		h.WriteString(s.text())
	}
	m.hashLinks(&h, m.plant.Links[router])
	for f := IPv4; f <= L2EVPN; f++ {
		maphash.WriteComparable(&h, m.hashRoutes(sp, f))
	}
	return h.Sum64()
}

// text is all that there is to a session: equal ones have equal texts, wherever their neighbors are in memory.
func (s Session) text() string {
	n := *s.Neighbor
	s.Neighbor = nil
	return fmt.Sprint(n, s)
}

// hashLinks covers what next hops are reached by.
func (m *mesh) hashLinks(h *maphash.Hash, links *Links) {
	var up uint64
	for name, s := range links.Subs {
		up += maphash.Comparable(seed, struct {
			string
			SubState
		}{name, s})
	}
	maphash.WriteComparable(h, up)
	for _, r := range links.IGP {
		maphash.WriteComparable(h, r.Prefix)
		maphash.WriteComparable(h, r.Metric)
		for _, hop := range r.NextHops {
			maphash.WriteComparable(h, hop)
		}
	}
}

// hashRoutes covers the routes of a speaker: those that it holds, and those that its neighbors send and it keeps.
func (m *mesh) hashRoutes(sp *speaker, f Family) uint64 {
	var sum uint64
	for _, line := range sp.ribs[f] {
		sum += mix(m.byFam[f].groups[line.group].hash, line.attrs.Value())
	}
	for i := range sp.links {
		l := &sp.links[i]
		if l.far < 0 || !m.speakers[l.far].links[l.back].sends.has(f) {
			continue
		}
		far := &m.speakers[l.far]
		for want, hash := range m.view(far, f, far.links[l.back].profile).hashes {
			if f != L2EVPN || sp.keepsAll || sp.bgp.KeepAll || sp.wantsNumber(want) {
				sum += maphash.Comparable(seed, [2]uint64{uint64(i), hash})
			}
		}
	}
	return sum
}
