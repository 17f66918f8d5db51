package network

import (
	"fmt"
	"net/netip"
	"testing"
)

// Routes of one origin with the same targets spread together, unless a policy tells them apart.
func TestAPolicyOnPrefixesTellsEVPNRoutesApart(t *testing.T) {
	t.Parallel()
	c := newWeave(1, 2, "ebgp")
	spine := c.routers["spine1"]
	spine.Policies.Prefixes["tens"] = []PrefixRange{{netip.MustParsePrefix("10.0.0.0/8"), 8, 32}}
	spine.Policies.Policies["no tens"] = Policy{
		Statements: []Statement{{Match: Match{PrefixSet: "tens"}, Action: Action{Result: Reject}}}, Default: Action{Result: Accept},
	}
	spine.neighbor(closLoopback(1, 2)).Import = []string{"no tens"}
	r := compute(c.survey(), func(p *Plant, router string) []Route {
		all := Originate(p, router)
		for _, prefix := range []string{"10.5.0.0/24", "172.16.0.0/24"} {
			if router == "leaf2" {
				all = append(all, Route{
					NLRI: NLRI{Family: L2EVPN, Type: IPPrefix, RD: "1:1", Prefix: netip.MustParsePrefix(prefix)}, Origin: router,
					NextHop: closLoopback(1, 2), Targets: []RT{"64999:1"}, Protocol: "bgp-evpn",
				})
			}
		}
		return all
	})
	var got []string
	for _, path := range r.Paths("leaf1", L2EVPN) {
		if path.Type == IPPrefix {
			got = append(got, path.Prefix.String())
		}
	}
	equal(t, "prefixes that leaf1 gets", got, []string{"172.16.0.0/24"})
}

func TestLibrariesGroupWhatFaresAlike(t *testing.T) {
	t.Parallel()
	route := func(n int, rt RT, med uint32) *Route {
		return &Route{NLRI: NLRI{Family: L2EVPN, Type: MACIP, MAC: MAC{5: byte(n)}}, Targets: []RT{rt}, MED: med}
	}
	for name, test := range map[string]struct {
		all  []announcement
		want int
	}{
		"routes of one router that differ in their address only": {[]announcement{{0, 0, route(1, "1:1", 0)}, {0, 0, route(2, "1:1", 0)}}, 1},
		"routes of two routers":                                  {[]announcement{{0, 0, route(1, "1:1", 0)}, {1, 0, route(2, "1:1", 0)}}, 2},
		"routes with different targets":                          {[]announcement{{0, 0, route(1, "1:1", 0)}, {0, 0, route(2, "1:2", 0)}}, 2},
		"routes with different attributes":                       {[]announcement{{0, 0, route(1, "1:1", 0)}, {0, 0, route(2, "1:1", 7)}}, 2},
		"one route of two routers":                               {[]announcement{{0, 0, route(1, "1:1", 0)}, {1, 0, route(1, "1:1", 0)}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := len(newLibrary(nil, L2EVPN, test.all, false).groups); got != test.want {
				t.Errorf("%d groups, want %d", got, test.want)
			}
		})
	}
}

// A subnet without any session goes down: what is valid may change, so the version does.
func TestAVersionCoversWhatNextHopsAreReachedBy(t *testing.T) {
	t.Parallel()
	l := internalPair()
	a := l.a()
	a.Subinterfaces = append(a.Subinterfaces, Subinterface{
		Name: sub2, Parent: port2, Enabled: true, IPv4: true, Addresses: []Address{{Prefix: netip.MustParsePrefix("10.8.0.1/24")}},
	})
	a.instance("default").Interfaces = append(a.instance("default").Interfaces, sub2)
	silent := func(*Plant, string) []Route { return nil }
	before := compute(l.survey(), silent)
	l.cut(1)
	after := compute(l.survey(), silent)
	if before.Version("a") == after.Version("a") {
		t.Error("a has the same version with and without a subnet")
	}
	if before.Version("b") != after.Version("b") {
		t.Error("b has another version though nothing has changed there")
	}
}

// Sessions of tenants meet in their instance, and carry nothing.
func TestSessionsOfATenantMeetInItsInstance(t *testing.T) {
	t.Parallel()
	l := internalPair()
	for i, r := range []*Router{l.a(), l.b()} {
		own, peer := i+1, 2-i
		r.Subinterfaces = append(r.Subinterfaces, Subinterface{
			Name: sub2, Parent: port2, Enabled: true, IPv4: true,
			Addresses: []Address{{Prefix: netip.MustParsePrefix(fmt.Sprintf("10.8.0.%d/24", own))}},
		})
		n := Neighbor{Peer: netip.MustParseAddr(fmt.Sprintf("10.8.0.%d", peer)), Enabled: true, LocalAS: uint32(own), PeerAS: uint32(peer), Families: []Family{IPv4}}
		r.Instances = append(r.Instances, Instance{
			Name: "red", Kind: IPVRF, Enabled: true, Interfaces: []string{sub2},
			BGP: &BGP{Enabled: true, AS: uint32(own), RouterID: netip.MustParseAddr("1.1.1.1"), Neighbors: []Neighbor{n}},
		})
	}
	r := Compute(l.survey())
	for i, s := range r.Sessions("a") {
		if s.State != Established {
			t.Errorf("%s in %s: %s, %s", s.Peer, s.Instance, s.State, s.Cause)
		}
		sent := r.Counts("a", i, IPv4).Sent
		if carries := s.Instance == "default"; carries != (sent > 0) {
			t.Errorf("the session in %s sends %d routes", s.Instance, sent)
		}
	}
}
