package network

import (
	"net/netip"
	"slices"
	"time"
)

// Codes of NOTIFICATION messages (RFC 4271 §4.5).
const (
	openError        = 2
	badPeerAS        = 2
	badBGPIdentifier = 3
)

// side is one end of a session with the BGP identifier that its router sends.
type side struct {
	*Session
	id netip.Addr
}

// settle says what becomes of a session by the configuration of both ends. far is zero where the other end
// has no such neighbor.
func (s side) settle(far side) {
	s.State, s.Cause = s.obstacle(far.Session)
	if s.Cause != "" {
		return
	}
	refused, refusing := s.refuses(far), far.refuses(s)
	switch {
	case refused != 0:
		s.notify(refused, true)
	case refusing != 0:
		s.notify(refusing, false)
	default:
		s.establish(far)
	}
}

// obstacle is why no TCP connection comes up, with the state that a session rests in meanwhile; "" where one does.
func (s *Session) obstacle(far *Session) (SessionState, string) {
	switch {
	case !s.Enabled:
		return Idle, "admin-disabled"
	case s.Local.IsValid() && !s.LocalAddress.IsValid():
		return Idle, "the local address is on no interface that is up"
	case s.Remote == "":
		return Active, "no router has the address of the peer"
	case s.PeerType == EBGP && !s.Direct && s.Multihop == 0:
		return Idle, "the peer is not directly connected and multihop is off"
	case !s.Path:
		return Active, "peer unreachable"
	case far == nil:
		return Active, "peer has no such neighbor"
	case !far.Enabled:
		return Active, "peer is admin-disabled"
	case s.Passive && far.Passive:
		return Active, "both ends wait to be connected to"
	case s.Key != far.Key: // the TCP segments are dropped without an answer (RFC 2385 §2.0)
		return Connect, "authentication keys differ"
	}
	return OpenSent, ""
}

// refuses returns what this end finds wrong with the OPEN of the other, as a subcode; 0: nothing (RFC 4271
// §6.2). An identifier that both have is wrong inside an AS only (RFC 6286 §2.2).
func (s side) refuses(far side) uint8 {
	switch {
	case !s.allows(far.LocalAS):
		return badPeerAS
	case !far.id.IsValid() || far.id.IsUnspecified():
		return badBGPIdentifier
	case s.LocalAS == far.LocalAS && s.id == far.id:
		return badBGPIdentifier
	}
	return 0
}

// notify records the NOTIFICATION that ended the session. Where both ends refuse each shows its own.
func (s *Session) notify(subcode uint8, sent bool) {
	s.State, s.Code, s.Subcode, s.Sent = Active, openError, subcode, sent
	s.Cause = "bad BGP identifier"
	if subcode == badPeerAS {
		s.Cause = "bad peer AS"
	}
}

// establish records what both ends agree on. Without a family in common the session stands and carries
// nothing: RFC 5492 §3 leaves it to the router, and this is what a speaker without a demand of its own does.
func (s side) establish(far side) {
	s.State, s.PeerID, s.RemoteAS = Established, far.id, far.LocalAS
	s.PeerType = EBGP
	if s.LocalAS == far.LocalAS {
		s.PeerType = IBGP
	}
	for _, f := range s.Families {
		if slices.Contains(far.Families, f) && (s.sends(far.Session, f) || far.sends(s.Session, f)) {
			s.Exchanged = append(s.Exchanged, f)
		}
	}
	hold := min(s.Neighbor.HoldTime, far.Neighbor.HoldTime) // RFC 4271 §4.2; 0 turns the timers off
	keep := hold / 3
	if s.Neighbor.KeepAlive != 0 {
		keep = min(keep, s.Neighbor.KeepAlive)
	}
	s.HoldTime, s.KeepAlive = int(hold/time.Second), int(keep/time.Second)
}

// sends returns whether routes of a family go from this end to the other. IPv4 routes over IPv6 need an IPv6
// next hop, which one end must be willing to send and the other have said that it takes (RFC 8950 §4); so one
// direction may work alone.
func (s *Session) sends(far *Session, f Family) bool {
	if f == IPv4 && s.Peer.Is6() {
		return s.IPv6NextHops.Send && far.IPv6NextHops.Receive
	}
	return true
}
