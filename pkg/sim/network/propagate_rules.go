package network

import (
	"net/netip"
	"unique"
)

// none is the attributes of a route that is not sent.
var none unique.Handle[attributes]

// defaultLocalPref is what a route has that came from another AS (RFC 4271 §9.1.1 leaves it to the router).
const defaultLocalPref = 100

// verdict is what becomes of a received route.
type verdict uint8

const (
	dropped  verdict = iota // not kept at all
	rejected                // kept and shown, but neither used nor passed on
	accepted
)

// export returns how a speaker sends its best route in a session, or none. What depends on the peer itself,
// and not on how the session is configured, is up to withheld.
func (sp *speaker) export(s *Session, g *group, b best) unique.Handle[attributes] {
	out := subject{attributes: b.attrs.Value(), route: g.sample(b.origin), received: b.from >= 0, auto: s.LocalAS}
	if out.received && !sp.onward(s, b.from, &out.attributes) {
		return none
	}
	if sp.selfAsNextHop(s, &out) {
		out.nextHop = netip.Addr{}
	}
	switch sp.book.apply(s.Export, &out) {
	case Reject:
		return none
	case Unset:
		if !announcedAnyway(s, &out) {
			return none
		}
	}
	if out.nextHop.IsUnspecified() { // "self"
		out.nextHop = netip.Addr{}
	}
	if s.PeerType == EBGP {
		sp.leave(s, &out.attributes)
	}
	out.tags = ""
	return unique.Make(out.attributes)
}

// onward prepares a received route for being passed on, or says that it stays. Between internal neighbors only a
// reflector passes on: to and from its clients (RFC 4456 §6, §8). The MED stays inside the AS that it
// was sent to (RFC 4271 §5.1.4).
func (sp *speaker) onward(s *Session, from int, a *attributes) bool {
	source := &sp.sessions[from]
	a.nextHop = sp.nextHop(from, a).WithZone("")
	if s.PeerType == EBGP {
		a.med = 0
		return true
	}
	if source.PeerType == EBGP {
		return true
	}
	if !source.Client && !s.Client {
		return false
	}
	if !a.originator.IsValid() {
		a.originator = source.PeerID
	}
	client := s
	if !s.Client {
		client = source
	}
	a.cluster = listOf(sp.cluster(client)) + a.cluster
	return true
}

// cluster is the cluster id that a session of a reflector has: the router id, if no other is given.
func (sp *speaker) cluster(s *Session) uint32 {
	id := s.Cluster
	if !id.IsValid() {
		id = sp.bgp.RouterID
	}
	return addressNumber(id)
}

// addressNumber is an IPv4 address as a number; 0 for anything else.
func addressNumber(a netip.Addr) uint32 {
	if !a.Is4() {
		return 0
	}
	b := a.As4()
	return numbers(b[:]).at(0)
}

// selfAsNextHop returns whether a route is sent with the session's own address. Unicast routes are when
// they go to another AS (RFC 4271 §5.1.3), unless the router has announced them with an address of its
// choice. EVPN routes keep the VTEP (RFC 8365 §5.1.3).
func (sp *speaker) selfAsNextHop(s *Session, out *subject) bool {
	if s.NextHopSelf {
		return true
	}
	return s.PeerType == EBGP && out.route.Family != L2EVPN && out.received
}

// announcedAnyway says what happens to a route that no export policy has decided on. Routes of other
// protocols need a policy that accepts them; routes of BGP go to internal neighbors, and to external ones
// unless these are told to reject (RFC 8212; /network-instance/protocols/bgp/group/afi-safi/default-export-policy).
func announcedAnyway(s *Session, out *subject) bool {
	if !out.received && out.route.Family != L2EVPN {
		return false
	}
	return s.PeerType == IBGP || !s.RejectExport
}

// leave makes a route ready for another AS: the global AS number goes in front if it is wanted and differs, and the
// session's own last, so that it comes first (/network-instance/protocols/bgp/group/local-as).
func (sp *speaker) leave(s *Session, a *attributes) {
	if s.PrependGlobal && sp.bgp.AS != s.LocalAS {
		a.asPath = listOf(sp.bgp.AS) + a.asPath
	}
	a.asPath = listOf(s.LocalAS) + a.asPath
	a.localPref, a.originator, a.cluster = defaultLocalPref, netip.Addr{}, ""
}

// accept returns what becomes of a route that comes in by a session, and how it looks then.
func (sp *speaker) accept(session int, g *group, origin int, attrs unique.Handle[attributes]) (unique.Handle[attributes], verdict) {
	s := &sp.sessions[session]
	if g.family == L2EVPN && !sp.keepsAll && !sp.wants(g) {
		if sp.bgp.KeepAll {
			return attrs, rejected
		}
		return attrs, dropped
	}
	in := subject{attributes: attrs.Value(), route: g.sample(origin), received: true, auto: s.PeerAS}
	if sp.loops(s, &in.attributes) {
		return attrs, rejected
	}
	switch sp.book.apply(s.Import, &in) {
	case Reject:
		return attrs, rejected
	case Unset:
		if s.PeerType == EBGP && s.RejectImport {
			return attrs, rejected
		}
	}
	if !in.changed {
		return attrs, accepted
	}
	if in.nextHop.IsUnspecified() {
		in.nextHop = netip.Addr{}
	}
	return unique.Make(in.attributes), accepted
}

// loops returns whether a route has been here before: by its AS path (RFC 4271 §9.1.2), in which the global AS
// number and the session's own may occur so often, or by its originator or cluster list (RFC 4456 §8).
func (sp *speaker) loops(s *Session, a *attributes) bool {
	if a.asPath.count(s.LocalAS) > s.OwnAS || a.asPath.count(sp.bgp.AS) > s.OwnAS {
		return true
	}
	return s.PeerType == IBGP && (a.originator.IsValid() && a.originator == sp.bgp.RouterID || a.cluster.count(sp.cluster(s)) > 0)
}

// withheld returns whether a speaker keeps a route from one peer: the router that it has it from, by whatever
// session, and a router whose AS number the path has, which would only throw it away.
func (m *mesh) withheld(sp *speaker, link int, b best) bool {
	peer := &sp.sessions[link]
	if b.from >= 0 && sp.sessions[b.from].PeerID == peer.PeerID {
		return true
	}
	a := b.attrs.Value()
	return a.asPath.count(m.asBehind(&sp.links[link])) > 0
}

// asBehind is the AS number that a peer has told.
func (m *mesh) asBehind(l *link) uint32 { return m.speakers[l.far].sessions[l.back].LocalAS }
