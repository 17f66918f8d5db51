package speaker

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/network/networktest"
)

// The speakers come to what network.Compute says without any: two that have been written apart.
func TestSpeakersComeToWhatIsComputed(t *testing.T) {
	t.Parallel()
	leaves := func(l *lab, f func(leaf string)) {
		for name := range l.routers {
			if name[:4] == "leaf" {
				f(name)
			}
		}
	}
	tests := map[string]func(testing.TB) *lab{
		"a fabric with an unnumbered underlay and reflectors": func(t testing.TB) *lab { return fabric(t, 2, 4, 0) },
		"an overlay between autonomous systems": func(t testing.TB) *lab {
			l := newLab(t, "spine1", "spine2", "leaf1", "leaf2", "leaf3")
			l.multicast = true
			leaves(l, func(leaf string) {
				l.bridge(leaf, map[string]network.RT{"leaf1": "65000:10", "leaf2": "65000:10", "leaf3": "65000:11"}[leaf])
				for _, spine := range []string{"spine1", "spine2"} {
					l.join(leaf, spine)
					bgpOf(l.routers[spine]).InterAS = true
					l.overlay(leaf, spine, func(string, string, *network.Neighbor) {})
				}
			})
			return l
		},
		"reflectors that are no clients of one another, of which two do not meet": func(t testing.TB) *lab {
			l := newLab(t, "spine1", "spine2", "spine3", "leaf1", "leaf2", "leaf3")
			l.multicast = true
			for _, site := range []string{"1", "2", "3"} {
				l.joinUnnumbered("leaf"+site, "spine"+site)
				l.reflect("spine"+site, "leaf"+site)
				l.bridge("leaf"+site, "65000:10")
			}
			for _, far := range []string{"spine2", "spine3"} {
				l.joinUnnumbered("spine1", far)
				l.overlay("spine1", far, func(_, _ string, n *network.Neighbor) {
					n.LocalAS, n.PeerAS, n.Import, n.Export = 65000, 65000, nil, nil
				})
			}
			return l
		},
		"routes from inside and outside an AS": func(t testing.TB) *lab {
			l := newLab(t, "outside", "border1", "border2", "inside")
			for _, name := range []string{"border1", "border2", "inside"} {
				bgpOf(l.routers[name]).AS = 65000
			}
			l.join("outside", "border1")
			l.join("outside", "border2")
			l.join("border1", "inside", func(n *network.Neighbor) { n.NextHopSelf = true })
			l.join("border2", "inside")
			l.join("border1", "border2")
			return l
		},
		"a ring of autonomous systems": func(t testing.TB) *lab {
			l := newLab(t, "a", "b", "c", "d")
			both := func(n *network.Neighbor) { n.Families = []network.Family{network.IPv4, network.IPv6} }
			l.join("a", "b", both)
			l.join("b", "c", both)
			l.join("c", "d", both)
			l.join("d", "a", both, func(n *network.Neighbor) { n.OwnAS = 1 })
			for i, name := range l.network.names {
				r := l.routers[name]
				r.Subinterfaces[0].IPv6 = true
				r.Subinterfaces[0].Addresses = append(r.Subinterfaces[0].Addresses, network.Address{Prefix: netip.MustParsePrefix(fmt.Sprintf("2001:db8::%d/128", i+1))})
				bgpOf(r).Multipath[network.IPv4] = network.Multipath{EBGP: 4, IBGP: 4, MultipleAS: true}
			}
			return l
		},
		"a local AS number besides the global one": func(t testing.TB) *lab {
			l := newLab(t, "a", "b", "c")
			for i, r := range []string{"a", "b"} {
				l.join(r, []string{"b", "c"}[i], func(n *network.Neighbor) {
					if n.LocalAS == 65002 {
						n.LocalAS, n.PrependGlobal = 64999, true
					} else {
						n.PeerAS = 64999
					}
				})
			}
			return l
		},
		"policies": policyLab,
	}
	for name, make := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := make(t)
			l.agree(t)
		})
	}
}

// agree waits until the speakers have come to what is computed.
func (l *lab) agree(t *testing.T) {
	t.Helper()
	diff := ""
	defer func() {
		if t.Failed() {
			t.Logf("(-computed +speakers):\n%s", diff)
		}
	}()
	l.until("they agree", func(r network.Routing) bool {
		diff = ""
		want := network.Compute(l.plant)
		for _, name := range l.network.names {
			diff += cmp.Diff(shownBy(want, name), shownBy(r, name), byAddress...)
		}
		return diff == ""
	})
}

// They do so where gateways stitch sites together too, and after a host and a prefix have gone and have come back.
func TestSpeakersStitchWhatIsComputed(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]networktest.Plan{
		"a pair and a single gateway over MPLS": {Gateways: []int{2, 1}, Leaves: 1},
		"pairs over VXLAN, and EBGP on sites":   {Gateways: []int{2, 2}, Leaves: 1, VXLAN: true, EBGP: true},
		"three sites in a row":                  {Gateways: []int{1, 2, 1}, Leaves: 1, Chain: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := networktest.New(plan)
			l := newLab(t, n.Names()...)
			l.routers, l.cables, l.hosts = n.Routers, n.Wiring.Cables, n.Wiring.Hosts
			l.agree(t)
			last := networktest.Leaf(len(plan.Gateways), 1)
			routes := func() (n int) {
				for _, p := range evpnPaths(l.network.Routing(), last) {
					if p.MAC == networktest.HostMAC(1, 1) || p.Prefix == networktest.Prefix(1, 1) {
						n++
					}
				}
				return n
			}
			want := 2 * plan.Gateways[len(plan.Gateways)-1]
			if got := routes(); got != want {
				t.Fatalf("%s has %d routes to the first site, want %d", last, got, want)
			}
			leaf := networktest.Leaf(1, 1)
			tenant := slices.IndexFunc(l.routers[leaf].Instances, func(in network.Instance) bool { return in.Kind == network.IPVRF })
			static := l.routers[leaf].Instances[tenant].Static
			l.outages.Devices[networktest.Host(1, 1)] = true
			l.change(leaf, func(r *network.Router) { r.Instances[tenant].Static = nil })
			l.agree(t)
			if got := routes(); got != 0 {
				t.Fatalf("%s still has %d routes", last, got)
			}
			delete(l.outages.Devices, networktest.Host(1, 1))
			l.change(leaf, func(r *network.Router) { r.Instances[tenant].Static = static })
			l.agree(t)
			if got := routes(); got != want {
				t.Fatalf("%s has %d routes again, want %d", last, got, want)
			}
		})
	}
}

// shown is what a router shows, one line for each thing.
type shown struct{ Sessions, Counts, Paths []string }

func shownBy(r network.Routing, router string) (s shown) {
	for i, x := range r.Sessions(router) {
		s.Sessions = append(s.Sessions, fmt.Sprintf("%s %s: %s %q id %s, %v, hold %d keep %d, %d", router, x.Peer, x.State, x.Cause, x.PeerID, x.Exchanged, x.HoldTime, x.KeepAlive, x.PeerType))
		for _, f := range allFamilies {
			s.Counts = append(s.Counts, fmt.Sprintf("%s %s family %d: %+v", router, x.Peer, f, r.Counts(router, i, f)))
		}
	}
	for _, f := range allFamilies {
		for _, p := range r.Paths(router, f) {
			s.Paths = append(s.Paths, fmt.Sprintf("%s %+v from %d via %s: AS %v pref %d MED %d originator %s cluster %v communities %v targets %v on %s over %s %d through %v valid %v rejected %v best %v used %v",
				router, p.NLRI, p.From, p.NextHop, p.ASPath, p.LocalPref, p.MED, p.Originator, p.Cluster, p.Communities, p.Targets, p.ESI2, p.Encap, p.VNI, p.Domains, p.Valid, p.Rejected, p.Best, p.Used))
		}
	}
	return s
}

// policyLab is a chain of routers: what a announces goes through the policies of b to c.
func policyLab(t testing.TB) *lab {
	l := newLab(t, "a", "b", "c")
	l.join("a", "b")
	l.join("b", "c")
	prefix := netip.MustParsePrefix
	a, mark := l.routers["a"], network.Policy{Default: network.Action{Result: network.Accept}}
	a.Policies = network.Policies{Policies: map[string]network.Policy{}, Prefixes: map[string][]network.PrefixRange{}, Communities: map[string]network.CommunitySet{}}
	for i := range 6 {
		p, n := prefix(fmt.Sprintf("10.%d.0.0/24", 100+i)), fmt.Sprint(i)
		a.Instances[0].Static = append(a.Instances[0].Static, network.StaticRoute{Prefix: p})
		a.Policies.Prefixes[n] = []network.PrefixRange{{Prefix: p, Low: 24, High: 24}}
		a.Policies.Communities[n] = network.CommunitySet{Members: []string{"65001:" + n}}
		mark.Statements = append(mark.Statements, network.Statement{
			Match:  network.Match{PrefixSet: n, Protocol: "static"},
			Action: network.Action{Result: network.Accept, Add: n, MED: func(uint32) uint32 { return uint32(i) }},
		})
	}
	a.Policies.Policies["mark"] = mark
	bgpOf(a).Neighbors[0].Export = []string{"mark"}

	pref, none := uint32(150), uint32(0)
	l.routers["b"].Policies = network.Policies{
		Prefixes: map[string][]network.PrefixRange{
			"first": {{Prefix: prefix("10.100.0.0/15"), Low: 24, High: 24}},
			"own":   {{Prefix: prefix("10.0.0.0/24"), Low: 32, High: 32}},
		},
		Communities: map[string]network.CommunitySet{
			"two": {Members: []string{"65001:2"}}, "three": {Members: []string{"65001:3", "65001:33"}},
			"mine": {Members: []string{"65002:1"}}, "theirs": {Members: []string{"65001:.*"}},
		},
		ASPaths: map[string][]string{"direct": {"65001"}, "own": {"null"}},
		Policies: map[string]network.Policy{
			"in": {
				Statements: []network.Statement{
					{Match: network.Match{CommunitySet: "two"}, Action: network.Action{Result: network.Reject}},
					{Match: network.Match{PrefixSet: "first", Families: []network.Family{network.IPv4}}, Action: network.Action{LocalPref: &pref}},
					{Match: network.Match{ASPathSet: "direct", CommunitySet: "three"}, Action: network.Action{Result: network.Accept, LocalPref: &none, MED: func(uint32) uint32 { return 77 }}},
				},
				Default: network.Action{Result: network.Accept, Add: "mine"},
			},
			"out": {Statements: []network.Statement{
				{Match: network.Match{Protocol: "local", PrefixSet: "own"}, Action: network.Action{Result: network.Accept, MED: func(m uint32) uint32 { return m + 5 }}},
				{Match: network.Match{Protocol: "local"}, Action: network.Action{Result: network.Reject}},
				{Match: network.Match{PrefixSet: "first"}, Action: network.Action{Result: network.NextStatement, Prepend: network.ASPrepend{AS: 65099, Count: 2}}},
				{Match: network.Match{Protocol: "bgp", ASPathLength: func(n int) bool { return n >= 3 }}, Action: network.Action{Result: network.Accept, Remove: "theirs"}},
			}},
			"rest": {Statements: []network.Statement{
				{Match: network.Match{ASPathSet: "direct", Protocol: "bgp"}, Action: network.Action{Result: network.Accept, Replace: "mine"}},
			}, Default: network.Action{Result: network.Reject}},
		},
	}
	b := bgpOf(l.routers["b"])
	b.Neighbors[0].Import = []string{"in"}
	b.Neighbors[1].Export = []string{"out", "rest"}
	return l
}
