package network

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
)

func TestHowEVPNRoutesSpread(t *testing.T) {
	t.Parallel()
	all := map[string]int{"leaf2": closSegments, "leaf3": closSegments}
	spine := closLoopback(0, 1)
	for name, test := range map[string]struct {
		overlay string
		bend    func(c *weave)
		want    map[string]int // routes that leaf1 uses, by who announces them
	}{
		"reflectors pass on between clients":              {"ibgp", func(c *weave) {}, all},
		"external spines pass on what they do not import": {"ebgp", func(c *weave) {}, all},
		"a spine without inter-as-vpn breaks an external overlay": {
			"ebgp", func(c *weave) { c.routers["spine1"].bgp().InterAS = false }, map[string]int{},
		},
		"routes that are kept for show are not passed on": {
			"ebgp", func(c *weave) { c.routers["spine1"].bgp().InterAS, c.routers["spine1"].bgp().KeepAll = false, true }, map[string]int{},
		},
		"a spine passes on what it imports itself": {
			"ebgp", func(c *weave) {
				c.routers["spine1"].bgp().InterAS = false
				c.segments("spine1", 1)
			}, map[string]int{"leaf2": 1, "leaf3": 1, "spine1": 1},
		},
		"an internal spine that reflects nobody passes on nothing": {
			"ibgp", func(c *weave) {
				for i := range c.routers["spine1"].bgp().Neighbors {
					c.routers["spine1"].bgp().Neighbors[i].Client = false
				}
			}, map[string]int{},
		},
		"a client is heard by those that are none": {
			"ibgp", func(c *weave) { c.routers["spine1"].neighbor(closLoopback(1, 1)).Client = false }, all,
		},
		"two that are no clients do not hear each other": {
			"ibgp", func(c *weave) {
				c.routers["spine1"].neighbor(closLoopback(1, 1)).Client = false
				c.routers["spine1"].neighbor(closLoopback(1, 2)).Client = false
			}, map[string]int{"leaf3": closSegments},
		},
		"without an import policy an external neighbor is not listened to": {
			"ebgp", func(c *weave) { c.routers["leaf1"].neighbor(spine).Import = nil }, map[string]int{},
		},
		"without an export policy an external neighbor is told nothing": {
			"ebgp", func(c *weave) { c.routers["leaf2"].neighbor(spine).Export = nil }, map[string]int{"leaf3": closSegments},
		},
		"unless it is told not to mind": {
			"ebgp", func(c *weave) {
				c.routers["leaf2"].neighbor(spine).Export, c.routers["leaf2"].neighbor(spine).RejectExport = nil, false
			}, all,
		},
		"a leaf imports what it has a target for": {
			"ibgp", func(c *weave) { c.routers["leaf1"].Instances = c.routers["leaf1"].Instances[:2] }, map[string]int{"leaf2": 1, "leaf3": 1},
		},
		"a family that one end has not enabled is not exchanged": {
			"ibgp", func(c *weave) { c.routers["leaf2"].neighbor(spine).Families = []Family{IPv4} }, map[string]int{"leaf3": closSegments},
		},
		"a VTEP that cannot be reached is of no use": {
			"ibgp", func(c *weave) {
				c.routers["leaf1"].Policies.Prefixes["loopbacks"] = []PrefixRange{
					{netip.MustParsePrefix("10.0.0.0/16"), 32, 32}, {netip.MustParsePrefix("10.1.0.3/32"), 32, 32},
				}
			}, map[string]int{"leaf3": closSegments},
		},
		"the next hop of a reflector that puts itself there is the reflector": {
			"ibgp", func(c *weave) {
				c.routers["spine1"].neighbor(closLoopback(1, 1)).NextHopSelf = true
				c.routers["leaf1"].Policies.Prefixes["loopbacks"] = []PrefixRange{{netip.MustParsePrefix("10.0.0.0/16"), 32, 32}}
			}, all,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWeave(1, 3, test.overlay)
			test.bend(c)
			equal(t, "routes of leaf1", foreign(c.compute(), "leaf1"), test.want)
		})
	}
}

// pathOf returns the best path of a router to what another announces.
func pathOf(t *testing.T, r Routing, router, origin string, f Family) Path {
	t.Helper()
	for _, p := range r.Paths(router, f) {
		if p.Origin == origin && p.Best {
			return p
		}
	}
	t.Fatalf("%s has nothing of %s", router, origin)
	return Path{}
}

func TestWhatARouteLooksLikeWhenItArrives(t *testing.T) {
	t.Parallel()
	vtep, spine := closLoopback(1, 2), closLoopback(0, 1)
	for name, test := range map[string]struct {
		overlay string
		bend    func(c *weave)
		family  Family
		want    attributes
	}{
		"a reflector leaves the next hop and says who has announced the route": {
			"ibgp", func(c *weave) {}, L2EVPN,
			attributes{nextHop: vtep, localPref: 100, originator: vtep, cluster: listOf(addressNumber(spine))},
		},
		"a reflector has the cluster id that it is given": {
			"ibgp", func(c *weave) {
				c.routers["spine1"].neighbor(closLoopback(1, 1)).Cluster = netip.MustParseAddr("0.0.0.9")
			}, L2EVPN,
			attributes{nextHop: vtep, localPref: 100, originator: vtep, cluster: listOf(9)},
		},
		"the local preference stays inside an AS": {
			"ibgp", func(c *weave) {
				hundred := uint32(150)
				c.routers["leaf2"].Policies.Policies["p"] = Policy{Default: Action{Result: Accept, LocalPref: &hundred}}
				c.routers["leaf2"].neighbor(spine).Export = []string{"p"}
			}, L2EVPN,
			attributes{nextHop: vtep, localPref: 150, originator: vtep, cluster: listOf(addressNumber(spine))},
		},
		"the VTEP stays the next hop between ASs": {
			"ebgp", func(c *weave) {}, L2EVPN, attributes{nextHop: vtep, localPref: 100, asPath: listOf(closSpineAS, 65002)},
		},
		"the local preference does not leave an AS, and the MED goes one AS far": {
			"ebgp", func(c *weave) {
				high := uint32(150)
				a := Action{Result: Accept, LocalPref: &high, MED: func(old uint32) uint32 { return old + 7 }}
				c.routers["leaf2"].Policies.Policies["all"] = Policy{Default: a}
			}, L2EVPN, attributes{nextHop: vtep, localPref: 100, asPath: listOf(closSpineAS, 65002)},
		},
		"a next hop of a policy's choice comes before the rule": {
			"ebgp", func(c *weave) {
				c.routers["spine1"].Policies.Policies["all"] = Policy{Default: Action{Result: Accept, NextHop: netip.IPv4Unspecified()}}
			}, L2EVPN, attributes{nextHop: spine, localPref: 100, asPath: listOf(closSpineAS, 65002)},
		},
		"AS numbers that a policy prepends stand behind the session's own": {
			"ebgp", func(c *weave) {
				c.routers["leaf2"].Policies.Policies["all"] = Policy{Default: Action{Result: Accept, Prepend: ASPrepend{Count: 2}}}
			}, L2EVPN, attributes{nextHop: vtep, localPref: 100, asPath: listOf(closSpineAS, 65002, 65002, 65002)},
		},
		"a local AS comes first and the global one only where it is wanted": {
			"ebgp", func(c *weave) {
				c.routers["leaf2"].neighbor(spine).LocalAS = 7
				c.routers["leaf2"].neighbor(spine).PrependGlobal = true
				c.routers["spine1"].neighbor(vtep).PeerAS = 7
			}, L2EVPN, attributes{nextHop: vtep, localPref: 100, asPath: listOf(closSpineAS, 7, 65002)},
		},
		"communities go along, internal tags do not": {
			"ebgp", func(c *weave) {
				p := &c.routers["leaf2"].Policies
				p.Communities, p.Tags = map[string]CommunitySet{"c": {Members: []string{"1:2", "1:.*"}}}, map[string][]uint32{"t": {5}}
				p.Policies["all"] = Policy{Default: Action{Result: Accept, Add: "c", SetTags: []string{"t"}}}
			}, L2EVPN, attributes{nextHop: vtep, localPref: 100, asPath: listOf(closSpineAS, 65002), communities: "1:2"},
		},
		"a unicast route has the neighbor as next hop": {
			"ibgp", func(c *weave) {}, IPv4,
			attributes{
				nextHop:   MAC{2, 1, 1, 0, 0, 1}.LinkLocal().WithZone("ethernet-1/1.0"),
				localPref: 100, asPath: listOf(closSpineAS, 65002),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWeave(1, 2, test.overlay)
			test.bend(c)
			p := pathOf(t, c.compute(), "leaf1", "leaf2", test.family)
			got := attributes{nextHop: p.NextHop, asPath: listOf(p.ASPath...), localPref: p.LocalPref, med: p.MED, originator: p.Originator}
			for _, id := range p.Cluster {
				got.cluster += listOf(addressNumber(id))
			}
			for _, c := range p.Communities {
				got.communities += c
			}
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// Routers do not send what the peer would find its own AS number in; so only an AS number that the peer does not
// speak with gets as far as the receiver's own check.
func TestAnOwnASInThePathIsALoop(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		allowed, rejected, used int
	}{
		"it is rejected":                 {0, closSegments, 0},
		"unless it may occur that often": {1, 0, closSegments},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWeave(1, 2, "ebgp")
			spine, leaf1 := c.routers["spine1"], c.routers["leaf1"]
			leaf1.neighbor(spine.loopback()).LocalAS, leaf1.neighbor(spine.loopback()).OwnAS = 7, test.allowed
			spine.neighbor(leaf1.loopback()).PeerAS = 7
			c.routers["leaf2"].Policies.Policies["all"] = Policy{Default: Action{Result: Accept, Prepend: ASPrepend{AS: 65001, Count: 1}}}
			r := c.compute()
			rejected := 0
			for _, p := range r.Paths("leaf1", L2EVPN) {
				if p.Rejected {
					rejected++
				}
			}
			if used := foreign(r, "leaf1")["leaf2"]; rejected != test.rejected || used != test.used {
				t.Errorf("%d rejected and %d used, want %d and %d", rejected, used, test.rejected, test.used)
			}
		})
	}
}

func TestCountsFollowWhatIsKept(t *testing.T) {
	t.Parallel()
	c := newWeave(2, 3, "ibgp")
	spine := c.routers["spine1"]
	spine.Policies.Policies["no leaf2"] = Policy{
		Statements: []Statement{{Match: Match{CommunitySet: "seg1"}, Action: Action{Result: Reject}}},
	}
	spine.Policies.Communities = map[string]CommunitySet{"seg1": {Members: []string{"target:64999:1"}}}
	spine.neighbor(closLoopback(1, 2)).Import = []string{"no leaf2"}
	c.routers["leaf1"].Instances = c.routers["leaf1"].Instances[:3] // imports segments 1 and 2
	r := c.compute()
	counts := func(router, remote string) Counts {
		for i, s := range r.Sessions(router) {
			if s.Remote == remote && s.Group == "overlay" {
				return r.Counts(router, i, L2EVPN)
			}
		}
		return Counts{}
	}
	for name, test := range map[string]struct{ got, want Counts }{
		"a reflector keeps what its policy rejects":                      {counts("spine1", "leaf2"), Counts{Received: 3, Active: 2, Rejected: 1, Sent: 2 + 3}},
		"a leaf keeps what it imports, and uses one of two equal routes": {counts("leaf1", "spine2"), Counts{Received: 4, Active: 1, Sent: 2}},
		"the other route comes by the other spine":                       {counts("leaf1", "spine1"), Counts{Received: 3, Active: 3, Sent: 2}},
	} {
		if test.got != test.want {
			t.Errorf("%s: %+v, want %+v", name, test.got, test.want)
		}
	}
}

// What a session says that it has sent is what the other end gets, before it drops anything.
func TestWhatIsSentArrives(t *testing.T) {
	t.Parallel()
	for _, overlay := range []string{"ibgp", "ebgp"} {
		c := newWeave(3, 4, overlay)
		for _, r := range c.routers {
			r.bgp().InterAS = true // everything is kept
		}
		r := c.compute()
		for _, name := range slices.Sorted(maps.Keys(c.routers)) {
			for i, s := range r.Sessions(name) {
				for _, f := range s.Exchanged {
					sent, received := r.Counts(name, i, f).Sent, r.Counts(s.Remote, s.RemoteIndex, f).Received
					if sent != received || sent == 0 {
						t.Errorf("%s: %s sends %d to %s, which receives %d", overlay, name, sent, s.Remote, received)
					}
				}
			}
		}
	}
}

// A spine looks up a next hop by a route that it has from the same neighbor, and passes on what it finds valid.
func TestANextHopMayBeLearnedByBGPItself(t *testing.T) {
	t.Parallel()
	l := disagreement()
	anything := []PrefixRange{{netip.MustParsePrefix("0.0.0.0/0"), 0, 32}}
	for _, r := range l.routers {
		r.Policies.Prefixes["r0"] = anything
		for i := range r.bgp().Neighbors {
			r.bgp().Neighbors[i].Import = []string{"all"}
		}
	}
	for cable := 1; cable <= 4; cable++ {
		l.cut(cable) // the ring is a chain: r0, r1, r3
	}
	for name, test := range map[string]struct {
		known bool
		want  []string
	}{
		"it is passed on":           {true, []string{"10.50.0.1/32 via r1", "10.60.0.0/24 via r1"}},
		"what leads nowhere is not": {false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := l.survey()
			r := compute(p, func(p *Plant, router string) []Route {
				var all []Route
				if router == "r0" {
					all = append(all, Route{NLRI: NLRI{Family: IPv4, Prefix: netip.MustParsePrefix("10.60.0.0/24")}, Origin: router, NextHop: netip.MustParseAddr("10.50.0.1")})
					if test.known {
						all = append(all, Route{NLRI: NLRI{Family: IPv4, Prefix: netip.MustParsePrefix("10.50.0.1/32")}, Origin: router})
					}
				}
				return all
			})
			equal(t, "routes of r3", usedBy(r, "r3", IPv4), test.want)
		})
	}
}

// Two leaves announce one prefix. The one that is told to prefer the other's falls silent.
func TestAnOriginThatPrefersAnotherOneFallsSilent(t *testing.T) {
	t.Parallel()
	anycast := netip.MustParsePrefix("10.99.0.1/32")
	high := uint32(200)
	for name, test := range map[string]struct {
		prefer bool
		want   int // leaves that the spine has the prefix from
	}{
		"both announce it":    {false, 2},
		"leaf2 prefers leaf1": {true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWeave(1, 3, "ibgp")
			for _, leaf := range []string{"leaf1", "leaf2"} {
				sets := c.routers[leaf].Policies.Prefixes
				sets["own"] = append(sets["own"], PrefixRange{anycast, 32, 32})
			}
			if test.prefer {
				c.routers["leaf2"].Policies.Policies["in"] = Policy{Default: Action{Result: Accept, LocalPref: &high}}
			}
			r := compute(c.survey(), func(p *Plant, router string) []Route {
				if router == "leaf1" || router == "leaf2" {
					return []Route{{NLRI: NLRI{Family: IPv4, Prefix: anycast}, Origin: router, Protocol: "local"}}
				}
				return nil
			})
			if got := r.Paths("spine1", IPv4); len(got) != test.want {
				t.Errorf("the spine has %d paths, want %d: %+v", len(got), test.want, got)
			}
		})
	}
}
