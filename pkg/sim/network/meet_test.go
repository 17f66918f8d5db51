package network

import (
	"net/netip"
	"testing"
	"time"
)

// session returns that of a router with a peer, by the far router and group.
func session(t *testing.T, r Routing, router, remote, group string) Session {
	t.Helper()
	for _, s := range r.Sessions(router) {
		if s.Remote == remote && s.Group == group {
			return s
		}
	}
	t.Fatalf("%s has no %s session with %s", router, group, remote)
	return Session{Neighbor: &Neighbor{}}
}

func TestWhatBecomesOfASession(t *testing.T) {
	t.Parallel()
	leafLoopback, spineLoopback := closLoopback(1, 1), closLoopback(0, 1)
	type end struct {
		State         SessionState
		Cause         string
		Code, Subcode uint8
		Sent          bool
	}
	well := end{State: Established}
	for name, test := range map[string]struct {
		overlay     string
		bend        func(leaf, spine *Router)
		group       string
		leaf, spine end
	}{
		"both ends agree": {
			bend: func(leaf, spine *Router) {}, group: "overlay", leaf: well, spine: well,
		},
		"a disabled end is idle and the other one tries": {
			bend: func(leaf, spine *Router) { leaf.neighbor(spineLoopback).Enabled = false }, group: "overlay",
			leaf: end{State: Idle, Cause: "admin-disabled"}, spine: end{State: Active, Cause: "peer is admin-disabled"},
		},
		"an end that is not configured does not answer": {
			bend: func(leaf, spine *Router) { spine.bgp().Neighbors = nil }, group: "overlay",
			leaf: end{State: Active, Cause: "peer has no such neighbor"},
		},
		"the end that expects another AS number refuses": {
			overlay: "ebgp",
			bend:    func(leaf, spine *Router) { leaf.neighbor(spineLoopback).PeerAS = 7 }, group: "overlay",
			leaf:  end{Active, "bad peer AS", 2, 2, true},
			spine: end{Active, "bad peer AS", 2, 2, false},
		},
		"an end that speaks as another AS is refused": {
			overlay: "ebgp",
			bend:    func(leaf, spine *Router) { leaf.neighbor(spineLoopback).LocalAS = 7 }, group: "overlay",
			leaf:  end{Active, "bad peer AS", 2, 2, false},
			spine: end{Active, "bad peer AS", 2, 2, true},
		},
		"a dynamic neighbor has to be of an allowed AS": {
			bend: func(leaf, spine *Router) { leaf.bgp().Dynamic[0].Template.AllowedAS = []ASRange{{1, 9}} }, group: "underlay",
			leaf:  end{Active, "bad peer AS", 2, 2, true},
			spine: end{Active, "bad peer AS", 2, 2, false},
		},
		"inside an AS no two routers have the same identifier": {
			bend: func(leaf, spine *Router) { leaf.bgp().RouterID = spineLoopback }, group: "overlay",
			leaf:  end{Active, "bad BGP identifier", 2, 3, true},
			spine: end{Active, "bad BGP identifier", 2, 3, true},
		},
		"between ASs two routers may have the same identifier": {
			bend: func(leaf, spine *Router) { leaf.bgp().RouterID = spineLoopback }, group: "underlay", leaf: well, spine: well,
		},
		"no identifier is refused": {
			bend: func(leaf, spine *Router) { leaf.bgp().RouterID = netip.Addr{} }, group: "underlay",
			leaf:  end{Active, "bad BGP identifier", 2, 3, false},
			spine: end{Active, "bad BGP identifier", 2, 3, true},
		},
		"different keys never connect": {
			bend: func(leaf, spine *Router) { leaf.neighbor(spineLoopback).Key = "secret" }, group: "overlay",
			leaf: end{State: Connect, Cause: "authentication keys differ"}, spine: end{State: Connect, Cause: "authentication keys differ"},
		},
		"equal keys do": {
			bend: func(leaf, spine *Router) {
				leaf.neighbor(spineLoopback).Key, spine.neighbor(leafLoopback).Key = "secret", "secret"
			}, group: "overlay", leaf: well, spine: well,
		},
		"one end may wait": {
			bend: func(leaf, spine *Router) { leaf.neighbor(spineLoopback).Passive = true }, group: "overlay", leaf: well, spine: well,
		},
		"two ends that wait do so for ever": {
			bend: func(leaf, spine *Router) {
				leaf.neighbor(spineLoopback).Passive, spine.neighbor(leafLoopback).Passive = true, true
			}, group: "overlay",
			leaf: end{State: Active, Cause: "both ends wait to be connected to"}, spine: end{State: Active, Cause: "both ends wait to be connected to"},
		},
		"without a route there is no path": {
			bend: func(leaf, spine *Router) { leaf.bgp().Dynamic = nil }, group: "overlay",
			leaf: end{State: Active, Cause: "peer unreachable"}, spine: end{State: Active, Cause: "peer unreachable"},
		},
		"an address that nobody has is not reached": {
			bend: func(leaf, spine *Router) { spine.Subinterfaces[0].Addresses = nil }, group: "overlay",
			spine: end{State: Idle, Cause: "the local address is on no interface that is up"},
		},
		"the far end answers only from the address that it is told": {
			bend: func(leaf, spine *Router) { spine.neighbor(leafLoopback).Local = netip.Addr{} }, group: "overlay",
			leaf:  end{State: Active, Cause: "peer has no such neighbor"},
			spine: end{State: Active, Cause: "peer unreachable"},
		},
		"routers without IPv4 on a link drop what they have to check": {
			bend: func(leaf, spine *Router) { spine.Instances[0].UncheckedIPv4 = false }, group: "overlay",
			leaf: end{State: Active, Cause: "peer unreachable"}, spine: end{State: Active, Cause: "peer unreachable"},
		},
		"an external session beyond the link needs multihop": {
			overlay: "ebgp",
			bend:    func(leaf, spine *Router) { leaf.neighbor(spineLoopback).Multihop = 0 }, group: "overlay",
			leaf:  end{State: Idle, Cause: "the peer is not directly connected and multihop is off"},
			spine: end{State: Active, Cause: "peer unreachable"},
		},
		"without a family in common a session stands and carries nothing": {
			bend: func(leaf, spine *Router) { leaf.neighbor(spineLoopback).Families = []Family{IPv6} }, group: "overlay", leaf: well, spine: well,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.overlay == "" {
				test.overlay = "ibgp"
			}
			c := newWeave(1, 2, test.overlay)
			test.bend(c.routers["leaf1"], c.routers["spine1"])
			r := c.compute()
			look := func(s Session) end { return end{s.State, s.Cause, s.Code, s.Subcode, s.Sent} }
			if test.leaf != (end{}) {
				equal(t, "leaf1", look(session(t, r, "leaf1", "spine1", test.group)), test.leaf)
			}
			if test.spine != (end{}) {
				equal(t, "spine1", look(session(t, r, "spine1", "leaf1", test.group)), test.spine)
			}
			equal(t, "leaf2", look(session(t, r, "leaf2", "spine1", "underlay")), well)
		})
	}
}

func TestWhatAnEstablishedSessionShows(t *testing.T) {
	t.Parallel()
	c := newWeave(1, 1, "ibgp")
	n := c.routers["leaf1"].neighbor(closLoopback(0, 1))
	n.HoldTime, n.KeepAlive = 30*time.Second, 20*time.Second
	r := c.compute()
	s := session(t, r, "spine1", "leaf1", "overlay")
	if s.HoldTime != 30 || s.KeepAlive != 10 {
		t.Errorf("hold time %d and keepalive %d, want the lower hold time and a third of it", s.HoldTime, s.KeepAlive)
	}
	if s.PeerType != IBGP || s.PeerID != closLoopback(1, 1) || s.LocalAddress != closLoopback(0, 1) || s.Direct || !s.Path {
		t.Errorf("got %+v", s)
	}
	equal(t, "families", s.Exchanged, []Family{L2EVPN})
	if far := r.Sessions(s.Remote)[s.RemoteIndex]; far.Peer != s.LocalAddress || far.Remote != "spine1" {
		t.Errorf("the far end of spine1 is a session with %s of %s", far.Peer, far.Remote)
	}
	u := session(t, r, "leaf1", "spine1", "underlay")
	want := c.routers["leaf1"].sub("ethernet-1/1.0").LinkLocal.WithZone("ethernet-1/1.0")
	if !u.Direct || u.LocalAddress != want || u.PeerType != EBGP {
		t.Errorf("got %+v, want a direct session from %s", u, want)
	}
}

func TestIPv4RoutesOverIPv6NeedBothEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		bend        func(leaf, spine *Neighbor)
		leaf, spine int // IPv4 routes that the leaf and the spine receive
		exchanged   []Family
	}{
		"both do both": {func(leaf, spine *Neighbor) {}, 1, 1, []Family{IPv4}},
		"a leaf that does not take IPv6 next hops gets nothing": {
			func(leaf, spine *Neighbor) { leaf.IPv6NextHops.Receive = false }, 0, 1, []Family{IPv4},
		},
		"a leaf that does not send IPv6 next hops announces nothing": {
			func(leaf, spine *Neighbor) { leaf.IPv6NextHops.Send = false }, 1, 0, []Family{IPv4},
		},
		"neither direction is no exchange": {
			func(leaf, spine *Neighbor) { leaf.IPv6NextHops.Send, spine.IPv6NextHops.Send = false, false }, 0, 0, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWeave(1, 1, "ibgp")
			test.bend(&c.routers["leaf1"].bgp().Dynamic[0].Template, &c.routers["spine1"].bgp().Dynamic[0].Template)
			r := c.compute()
			received := func(router, remote string) int {
				for i, s := range r.Sessions(router) {
					if s.Remote == remote && s.Group == "underlay" {
						equal(t, "families of "+router, s.Exchanged, test.exchanged)
						return r.Counts(router, i, IPv4).Received
					}
				}
				return -1
			}
			if leaf, spine := received("leaf1", "spine1"), received("spine1", "leaf1"); leaf != test.leaf || spine != test.spine {
				t.Errorf("leaf and spine receive %d and %d, want %d and %d", leaf, spine, test.leaf, test.spine)
			}
		})
	}
}

// By hand, one AS number is changed in one device: that session breaks and no other.
func TestAWrongASBreaksExactlyThatSession(t *testing.T) {
	t.Parallel()
	c := newWeave(2, 3, "ibgp")
	c.routers["leaf2"].neighbor(closLoopback(0, 1)).PeerAS = 7
	r := c.compute()
	for name := range c.routers {
		for _, s := range r.Sessions(name) {
			broken := s.Group == "overlay" && (name == "leaf2" && s.Remote == "spine1" || name == "spine1" && s.Remote == "leaf2")
			if up := s.State == Established; up == broken {
				t.Errorf("%s with %s: %s, %s", name, s.Remote, s.State, s.Cause)
			}
		}
	}
	equal(t, "EVPN routes of leaf2 come by the other spine", foreign(r, "leaf2"), map[string]int{"leaf1": closSegments, "leaf3": closSegments})
}
