package network

import (
	"net/netip"
	"testing"
	"unique"
)

// relay is a router of AS 100 with an internal client, an internal neighbor, and two external ones, in this order.
func relay() *speaker {
	id := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{9, 9, 9, n}) }
	session := func(n byte, kind PeerType, client bool) Session {
		s := Session{Neighbor: &Neighbor{}, PeerType: kind, PeerID: id(n)}
		s.Peer, s.LocalAS, s.Client = netip.AddrFrom4([4]byte{10, 0, 0, n}), 100, client
		return s
	}
	return &speaker{
		bgp: &BGP{AS: 100, RouterID: id(0)}, book: newBook(Policies{}), keepsAll: true,
		sessions: []Session{session(1, IBGP, true), session(2, IBGP, false), session(3, EBGP, false), session(4, EBGP, false)},
	}
}

// The sessions of relay.
const (
	client = iota
	internal
	external
	otherExternal
	own = -1
)

func TestHowARouteIsSentOn(t *testing.T) {
	t.Parallel()
	hop, reflected := netip.MustParseAddr("20.0.0.1"), netip.MustParseAddr("1.1.1.1")
	for name, test := range map[string]struct {
		from, to int
		family   Family
		in       attributes
		bend     func(*Session)
		want     *attributes // nil: it is not
	}{
		"what is reflected shows nothing of it outside": {
			from: client, to: external, family: L2EVPN, in: attributes{nextHop: hop, localPref: 200, originator: reflected, cluster: listOf(5)},
			want: &attributes{nextHop: hop, localPref: 100, asPath: listOf(100)},
		},
		"an originator stays and clusters add up": {
			from: client, to: internal, family: L2EVPN, in: attributes{nextHop: hop, localPref: 200, originator: reflected, cluster: listOf(5)},
			want: &attributes{nextHop: hop, localPref: 200, originator: reflected, cluster: listOf(0x09090900, 5)},
		},
		"what comes from outside is not reflected but told": {
			from: external, to: internal, family: L2EVPN, in: attributes{nextHop: hop, localPref: 100, med: 7, asPath: listOf(3)},
			want: &attributes{nextHop: hop, localPref: 100, med: 7, asPath: listOf(3)},
		},
		"between internal neighbors nothing is passed on": {
			from: internal, to: internal, family: L2EVPN, in: attributes{nextHop: hop},
		},
		"the MED of another AS ends here": {
			from: external, to: otherExternal, family: L2EVPN, in: attributes{nextHop: hop, localPref: 100, med: 7, asPath: listOf(3)},
			want: &attributes{nextHop: hop, localPref: 100, asPath: listOf(100, 3)},
		},
		"an own MED is told": {
			from: own, to: external, family: L2EVPN, in: attributes{nextHop: hop, localPref: 100, med: 7},
			want: &attributes{nextHop: hop, localPref: 100, med: 7, asPath: listOf(100)},
		},
		"inside, the next hop of an external neighbor is its address": {
			from: external, to: internal, family: IPv4, in: attributes{localPref: 100, asPath: listOf(3)},
			want: &attributes{nextHop: netip.MustParseAddr("10.0.0.3"), localPref: 100, asPath: listOf(3)},
		},
		"or the router, if it is told so": {
			from: external, to: internal, family: IPv4, in: attributes{localPref: 100, asPath: listOf(3)},
			bend: func(s *Session) { s.NextHopSelf = true }, want: &attributes{localPref: 100, asPath: listOf(3)},
		},
		"outside it is the router": {
			from: external, to: otherExternal, family: IPv4, in: attributes{nextHop: hop, localPref: 100, asPath: listOf(3)},
			want: &attributes{localPref: 100, asPath: listOf(100, 3)},
		},
		"a connected route needs a policy even inside": {
			from: own, to: internal, family: IPv4, in: attributes{localPref: 100},
		},
		"an EVPN route needs none": {
			from: own, to: internal, family: L2EVPN, in: attributes{nextHop: hop, localPref: 100}, want: &attributes{nextHop: hop, localPref: 100},
		},
		"outside both need one, if the session is told to reject": {
			from: own, to: external, family: L2EVPN, in: attributes{nextHop: hop, localPref: 100}, bend: func(s *Session) { s.RejectExport = true },
		},
		"the global AS is not doubled": {
			from: own, to: external, family: L2EVPN, in: attributes{nextHop: hop, localPref: 100}, bend: func(s *Session) { s.PrependGlobal = true },
			want: &attributes{nextHop: hop, localPref: 100, asPath: listOf(100)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sp := relay()
			if test.bend != nil {
				test.bend(&sp.sessions[test.to])
			}
			g := groupOf(&Route{NLRI: NLRI{Family: test.family}, Protocol: "local"})
			out := sp.export(&sp.sessions[test.to], g, best{from: test.from, attrs: unique.Make(test.in)})
			switch {
			case test.want == nil && out != none:
				t.Errorf("it is sent as %+v", out.Value())
			case test.want != nil && out == none:
				t.Error("it is not sent")
			case test.want != nil && out.Value() != *test.want:
				t.Errorf("got  %+v\nwant %+v", out.Value(), *test.want)
			}
		})
	}
}

func groupOf(r *Route) *group {
	return &group{of: &libraries{held: [][]Route{{*r}}}, family: r.Family, origins: []origin{{routes: []int32{0}}}}
}

func TestWhatBecomesOfAReceivedRoute(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		session int
		in      attributes
		bend    func(*speaker)
		want    verdict
	}{
		"it is accepted":                      {session: client, want: accepted},
		"it has been announced by the router": {session: client, in: attributes{originator: netip.MustParseAddr("9.9.9.0")}, want: rejected},
		"it has been in the cluster":          {session: client, in: attributes{cluster: listOf(5, 0x09090900)}, want: rejected},
		"it has been in the cluster of the session": {
			session: client, in: attributes{cluster: listOf(7)}, bend: func(sp *speaker) { sp.sessions[client].Cluster = netip.MustParseAddr("0.0.0.7") }, want: rejected,
		},
		"it has been in the AS":             {session: external, in: attributes{asPath: listOf(3, 100)}, want: rejected},
		"it may have been":                  {session: external, in: attributes{asPath: listOf(3, 100)}, bend: func(sp *speaker) { sp.sessions[external].OwnAS = 1 }, want: accepted},
		"nothing comes in without a policy": {session: external, bend: func(sp *speaker) { sp.sessions[external].RejectImport = true }, want: rejected},
		"but from inside":                   {session: internal, bend: func(sp *speaker) { sp.sessions[internal].RejectImport = true }, want: accepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sp := relay()
			if test.bend != nil {
				test.bend(sp)
			}
			if _, got := sp.accept(test.session, groupOf(&Route{NLRI: NLRI{Family: L2EVPN}}), 0, unique.Make(test.in)); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// A leaf whose policy takes the AS numbers out of what it receives passes it on from one spine to the other, which
// can no longer see that it has been there.
func TestALeafThatRemovesASNumbersBecomesTransit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ remove, transit bool }{
		"the path tells the spine to keep it from the other": {false, false},
		"without it the other hears it":                      {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWeave(2, 2, "ebgp")
			c.routers["leaf1"].Policies.Policies["all"] = Policy{Default: Action{Result: Accept, RemoveAS: test.remove}}
			r := c.compute()
			transit := false
			for _, p := range r.Paths("spine2", L2EVPN) {
				transit = transit || p.Origin == "leaf2" && r.Sessions("spine2")[p.From].Remote == "leaf1"
			}
			if transit != test.transit {
				t.Errorf("spine2 hears leaf2 by leaf1: %t, want %t", transit, test.transit)
			}
		})
	}
}

// r1 has a route of AS 1, and another neighbor in AS 1.
func TestWhatAPeerWouldThrowAwayIsNotSent(t *testing.T) {
	t.Parallel()
	l := disagreement()
	for cable := 2; cable <= 4; cable++ {
		l.cut(cable) // r1 is in the middle of a star
	}
	r1, r3 := l.routers["r1"].bgp(), l.routers["r3"].bgp()
	for i := range r1.Neighbors {
		if r1.Neighbors[i].PeerAS == r3.AS {
			r1.Neighbors[i].PeerAS = 1
		}
	}
	for i := range r3.Neighbors {
		r3.Neighbors[i].LocalAS = 1
	}
	for _, p := range Compute(l.survey()).Paths("r3", IPv4) {
		if p.From >= 0 {
			t.Errorf("r3 is sent %s with the path %v", p.Prefix, p.ASPath)
		}
	}
}
