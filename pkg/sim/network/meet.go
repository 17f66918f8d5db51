package network

import (
	"cmp"
	"net/netip"
	"slices"
)

// Meet pairs the BGP neighbors of all routers: who is at the other end, whether packets get through, and
// what becomes of the session by what both ends have configured. It returns the sessions of each
// router, sorted by instance and address. r says how loopbacks are reached; nil means by connected, static and
// IS-IS routes only.
func Meet(p *Plant, r Routing) map[string][]Session {
	t := newTerrain(p)
	t.route(r)
	return meet(t)
}

// meet is Meet on a terrain that may be used again.
func meet(t *terrain) map[string][]Session {
	m := &meeting{terrain: t, sessions: map[string][]Session{}, ways: map[string][]way{}, ends: map[string]map[end]int{}}
	for _, router := range t.plant.Names {
		m.seat(router)
	}
	for _, router := range t.plant.Names {
		m.each(router, m.pair)
	}
	for _, router := range t.plant.Names {
		m.each(router, m.walk)
	}
	for _, router := range t.plant.Names {
		m.each(router, func(s *Session, _ *way) { m.side(s).settle(m.side(m.far(s))) })
	}
	return m.sessions
}

// meeting is the sessions while they are paired.
type meeting struct {
	*terrain
	sessions map[string][]Session
	ways     map[string][]way // of the sessions
	ends     map[string]map[end]int
}

// way is how a router gets to a neighbor.
type way struct {
	sub string // of a direct session
	far place  // whose address the neighbor's is; zero: nobody's
}

// end tells the sessions of a router from each other, as the other router sees them.
type end struct {
	instance string
	peer     netip.Addr // without zone
	sub      string     // where peer is link-local
}

func (m *meeting) each(router string, do func(*Session, *way)) {
	for i := range m.sessions[router] {
		do(&m.sessions[router][i], &m.ways[router][i])
	}
}

// far returns the session at the other end; nil: that end is not configured.
func (m *meeting) far(s *Session) *Session {
	if s.RemoteIndex < 0 {
		return nil
	}
	return &m.sessions[s.Remote][s.RemoteIndex]
}

// seat makes the sessions of a router, and finds the near end of each.
func (m *meeting) seat(router string) {
	links := m.plant.Links[router]
	n := 0
	for _, neighbors := range links.Neighbors {
		n += len(neighbors)
	}
	all := make([]Session, 0, n)
	for instance, neighbors := range links.Neighbors {
		for i := range neighbors {
			n := &neighbors[i]
			all = append(all, Session{Router: router, Instance: instance, Neighbor: n, RemoteIndex: -1, PeerType: n.peerType()})
		}
	}
	slices.SortFunc(all, func(a, b Session) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), a.Peer.Compare(b.Peer))
	})
	ways, ends := make([]way, len(all)), make(map[end]int, len(all))
	for i := range all {
		ways[i] = m.way(&all[i])
		s := &all[i]
		ends[end{s.Instance, s.Peer.WithZone(""), s.Interface}] = i
	}
	m.sessions[router], m.ways[router], m.ends[router] = all, ways, ends
}

// peerType tells by the AS numbers that one end has configured. A dynamic neighbor is internal where its own is
// the only one allowed.
func (n *Neighbor) peerType() PeerType {
	if n.allows(n.LocalAS) && (n.PeerAS != 0 || len(n.AllowedAS) == 1 && n.AllowedAS[0].Low == n.AllowedAS[0].High) {
		return IBGP
	}
	return EBGP
}

// allows returns whether a peer may have this AS number.
func (n *Neighbor) allows(as uint32) bool {
	if n.PeerAS != 0 {
		return n.PeerAS == as
	}
	return slices.ContainsFunc(n.AllowedAS, func(r ASRange) bool { return r.Low <= as && as <= r.High })
}

// way finds the subinterface and the local address of a session, and whose the peer's address is.
func (m *meeting) way(s *Session) way {
	if s.Interface != "" {
		return m.wayByLink(s)
	}
	in := m.plant.instance(s.Router, s.Instance)
	if sub, local, ok := m.connected(s); ok {
		s.Direct, s.LocalAddress = true, m.localAddress(s, local)
		return way{sub: sub, far: m.across(s.Router, sub, s.Peer)}
	}
	if in == nil || in.Kind != Default {
		return way{}
	}
	s.LocalAddress = m.localAddress(s, m.outgoing(s))
	return way{far: m.owner(s)}
}

// wayByLink is the way to a link-local peer.
func (m *meeting) wayByLink(s *Session) way {
	s.Direct = true
	sub := m.withoutBGP(s.Router, s.Instance).subs[s.Interface]
	if sub == nil || !sub.LinkLocal.IsValid() {
		return way{}
	}
	s.LocalAddress = sub.LinkLocal.WithZone(s.Interface)
	return way{sub: s.Interface, far: m.across(s.Router, s.Interface, s.Peer.WithZone(""))}
}

// connected finds the subinterface whose subnet has the peer.
func (m *meeting) connected(s *Session) (sub string, local netip.Addr, ok bool) {
	f := m.withoutBGP(s.Router, s.Instance)
	r, ok := f.lookupOwn(s.Peer, 0)
	if !ok || r.Protocol != "local" {
		return "", netip.Addr{}, false
	}
	sub = r.NextHops[0].Subinterface
	for _, a := range f.subs[sub].Addresses {
		if a.Prefix.Contains(s.Peer) {
			return sub, a.Prefix.Addr(), true
		}
	}
	return "", netip.Addr{}, false
}

// across returns the far end of a link, if it has an address.
func (m *meeting) across(router, sub string, a netip.Addr) place {
	far, ok := m.plant.far[End{router, sub}]
	if !ok {
		return place{}
	}
	instance := m.plant.Links[far.Device].Subs[far.Port].Instance
	other := m.withoutBGP(far.Device, instance).subs[far.Port]
	if other == nil {
		return place{}
	}
	if other.LinkLocal == a || slices.ContainsFunc(other.Addresses, func(x Address) bool { return x.Prefix.Addr() == a }) {
		return place{far.Device, far.Port, instance}
	}
	return place{}
}

// localAddress is the configured one, which has to be up, or the given one.
func (m *meeting) localAddress(s *Session, otherwise netip.Addr) netip.Addr {
	switch {
	case !s.Local.IsValid():
		return otherwise
	case m.owns(s.Router, s.Instance, s.Local):
		return s.Local
	}
	return netip.Addr{}
}

// outgoing is the address of the subinterface towards a peer that is not connected.
func (m *meeting) outgoing(s *Session) netip.Addr {
	f := m.fib(s.Router)
	r, ok := f.Lookup(s.Peer)
	if !ok || len(r.NextHops) == 0 {
		return netip.Addr{}
	}
	for _, a := range f.subs[r.NextHops[0].Subinterface].Addresses {
		if version(a.Prefix.Addr()) == version(s.Peer) {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// owner returns who has the peer's address, in a default instance. Where several do it is the one that
// packets come to, else the first.
func (m *meeting) owner(s *Session) place {
	var first place
	for _, o := range m.owners[s.Peer] {
		in := m.plant.defaultInstance(o.router)
		if in == nil || in.Name != o.instance || o.router == s.Router {
			continue
		}
		if first == (place{}) || m.delivers(s.Router, s.Peer, o.router, farthest) {
			first = o
		}
	}
	return first
}

// pair finds the far end in the configuration of the router that has the peer's address: its neighbor is
// our address, and the address that it speaks from is our neighbor.
func (m *meeting) pair(s *Session, w *way) {
	s.Remote = w.far.router
	if s.Remote == "" {
		return
	}
	e := end{instance: w.far.instance, peer: s.LocalAddress.WithZone("")}
	if s.Interface != "" {
		e.sub = w.far.sub
	}
	if i, ok := m.ends[s.Remote][e]; ok && m.sessions[s.Remote][i].LocalAddress.WithZone("") == s.Peer.WithZone("") {
		s.RemoteIndex = i
	}
}

// walk finds out whether packets get through, both ways. Between the addresses of one link they do.
func (m *meeting) walk(s *Session, w *way) {
	switch {
	case s.Remote == "" || !s.LocalAddress.IsValid():
	case s.Direct && (s.Interface != "" || m.onLink(s, w)):
		s.Path = true
	default:
		s.Path = m.delivers(s.Router, s.Peer, s.Remote, s.links()) &&
			m.delivers(s.Remote, s.LocalAddress, s.Router, m.linksBack(s))
	}
}

// onLink returns whether the local address is one of the link's own.
func (m *meeting) onLink(s *Session, w *way) bool {
	return slices.Contains(m.owners[s.LocalAddress], place{s.Router, w.sub, s.Instance})
}

// links is how many links the packets of this end may cross. Only internal peers may be indirectly connected
// without multihop (/network-instance/protocols/bgp/neighbor/multihop).
func (s *Session) links() int {
	switch {
	case s.PeerType == IBGP:
		return farthest
	case s.Direct:
		return max(1, s.Multihop)
	}
	return s.Multihop
}

// linksBack is how many links those of the far end may cross.
func (m *meeting) linksBack(s *Session) int {
	if far := m.far(s); far != nil {
		return far.links()
	}
	return s.links()
}

// side is an end with its router's BGP identifier.
func (m *meeting) side(s *Session) side {
	if s == nil {
		return side{}
	}
	if in := m.plant.instance(s.Router, s.Instance); in != nil && in.BGP != nil {
		return side{s, in.BGP.RouterID}
	}
	return side{Session: s}
}
