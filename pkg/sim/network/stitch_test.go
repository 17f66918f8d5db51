package network_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loomfabric/loom/pkg/sim/network"
	lab "github.com/loomfabric/loom/pkg/sim/network/networktest"
)

// pairs is two sites with two gateways each.
func pairs() *lab.Network { return lab.New(lab.Plan{Gateways: []int{2, 2}, Leaves: 1}) }

// instance returns a network instance of a router.
func instance(r *network.Router, name string) *network.Instance {
	i := slices.IndexFunc(r.Instances, func(in network.Instance) bool { return in.Name == name })
	return &r.Instances[i]
}

// gateways bends all gateways.
func gateways(n *lab.Network, bend func(*network.Router)) {
	for name, r := range n.Routers {
		if strings.Contains(name, "-gw") {
			bend(r)
		}
	}
}

// abroad lists the hosts and prefixes that a router has from others, one line for each route.
func abroad(r network.Routing, router string) (all []string) {
	for _, p := range r.Paths(router, network.L2EVPN) {
		switch {
		case !p.Best || p.From < 0:
		case p.Type == network.MACIP:
			all = append(all, fmt.Sprintf("%s by %s on %s", p.MAC, p.NextHop, segment(p.ESI2)))
		case p.Type == network.IPPrefix:
			all = append(all, fmt.Sprintf("%s by %s through %v", p.Prefix, p.NextHop, p.Domains))
		}
	}
	slices.Sort(all)
	return all
}

// segment names an interconnect segment by its site.
func segment(e network.ESI) string {
	switch {
	case e == network.ESI{}:
		return "nothing"
	case e == lab.Segment(int(e[2])):
		return fmt.Sprintf("segment %d", e[2])
	}
	return e.String()
}

func TestWhatALeafKnowsOfAnotherSite(t *testing.T) {
	t.Parallel()
	const gw1, gw2 = "10.2.2.1", "10.2.2.2"
	host := func(gw, on string) string { return "02:AA:00:00:01:01 by " + gw + " on " + on }
	prefix := func(gw string) string { return "172.16.11.0/24 by " + gw + " through [65000:0 65000:1]" }
	both := []string{host(gw1, "segment 2"), host(gw2, "segment 2"), prefix(gw1), prefix(gw2)}
	prefixes := []string{prefix(gw1), prefix(gw2)}
	for _, tt := range []struct {
		name string
		plan lab.Plan
		bend func(*lab.Network)
		want []string
	}{
		{"everything, by each gateway of its own site", lab.Plan{}, nil, both},
		{"the same where gateways speak VXLAN among themselves", lab.Plan{VXLAN: true}, nil, both},
		{"the same where EVPN routes go over EBGP in a site", lab.Plan{EBGP: true}, nil, both},
		{"one route where a site has one gateway, which is on no segment", lab.Plan{Gateways: []int{2, 1}}, nil, []string{host(gw1, "nothing"), prefix(gw1)}},
		{"the same by a site in between that only switches labels", lab.Plan{Gateways: []int{1, 1, 1}, Chain: true}, func(n *lab.Network) {
			n.Routers[lab.Gateway(2, 1)].Instances = n.Routers[lab.Gateway(2, 1)].Instances[:1]
		}, nil},
		{"nothing by a gateway that is off", lab.Plan{}, func(n *lab.Network) { n.Outages.Devices[lab.Gateway(2, 2)] = true }, []string{host(gw1, "segment 2"), prefix(gw1)}},
		{"all by both where a gateway of the other site is off", lab.Plan{}, func(n *lab.Network) { n.Outages.Devices[lab.Gateway(1, 2)] = true }, both},
		{"nothing by a gateway that has lost its trunks", lab.Plan{}, func(n *lab.Network) { n.Isolate(2, 2) }, []string{host(gw1, "segment 2"), prefix(gw1)}},
		{"nothing where all gateways of the other site are off", lab.Plan{}, func(n *lab.Network) {
			n.Outages.Devices[lab.Gateway(1, 1)], n.Outages.Devices[lab.Gateway(1, 2)] = true, true
		}, nil},
		{"nothing without labels on the way", lab.Plan{}, func(n *lab.Network) {
			gateways(n, func(r *network.Router) { r.Instances[0].ISIS.Size = 0 })
		}, nil},
		{"nothing where a service may not use segment routing", lab.Plan{}, func(n *lab.Network) {
			gateways(n, func(r *network.Router) {
				instance(r, "web").Interconnect.MPLS.SegmentRouting = false
				instance(r, "red").Interconnect.MPLS.SegmentRouting = false
			})
		}, nil},
		{"nothing of a bridge whose second instance imports another target", lab.Plan{}, func(n *lab.Network) {
			gateways(n, func(r *network.Router) { instance(r, "web").Interconnect.EVPN.Import = []network.RT{"65000:1"} })
		}, prefixes},
		{"nothing of a bridge whose second instance is disabled", lab.Plan{}, func(n *lab.Network) {
			gateways(n, func(r *network.Router) { instance(r, "web").Interconnect.EVPN.Enabled = false })
		}, prefixes},
		{"no segment without discovery in the site", lab.Plan{}, func(n *lab.Network) {
			instance(n.Routers[lab.Gateway(2, 1)], "web").EVPN.Discovery = false
			n.Outages.Devices[lab.Gateway(2, 2)] = true
		}, []string{host(gw1, "nothing"), prefix(gw1)}},
		{"hosts by the one that forwards for a single-active segment", lab.Plan{}, func(n *lab.Network) {
			gateways(n, func(r *network.Router) { r.Segments[0].SingleActive = true })
		}, []string{host(gw1, "segment 2"), prefix(gw1), prefix(gw2)}},
		{"no prefix that has been where it comes to", lab.Plan{}, func(n *lab.Network) {
			gateways(n, func(r *network.Router) { instance(r, "red").EVPN.Domain = lab.Domain(1) })
		}, []string{host(gw1, "segment 2"), host(gw2, "segment 2")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			plan := tt.plan
			plan.Leaves = 1
			if plan.Gateways == nil {
				plan.Gateways = []int{2, 2}
			}
			n := lab.New(plan)
			if tt.bend != nil {
				tt.bend(n)
			}
			leaf, want := lab.Leaf(2, 1), tt.want
			if len(plan.Gateways) == 3 {
				leaf = lab.Leaf(3, 1)
				want = []string{"02:AA:00:00:01:01 by 10.3.2.1 on nothing", "172.16.11.0/24 by 10.3.2.1 through [65000:0 65000:1]"}
			}
			if got := abroad(network.Compute(n.Survey()), leaf); !slices.Equal(got, want) {
				t.Errorf("(-want +got)\n%s", cmp.Diff(want, got))
			}
		})
	}
}

// What tells a gateway which of two ways a route has come is the segment and D-PATH: without them the pair believes itself.
func TestWithoutSegmentsAndDomainsRoutesComeBack(t *testing.T) {
	t.Parallel()
	for name, bend := range map[string]func(*network.Router){
		"hosts": func(r *network.Router) { instance(r, "web").EVPN.Discovery = false },
		"prefixes": func(r *network.Router) {
			instance(r, "red").EVPN.Domain, instance(r, "red").Interconnect.EVPN.Domain = "", ""
		},
		"prefixes of which BGP may say nothing": func(r *network.Router) { instance(r, "red").Interconnect.Uniform = false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := pairs()
			if r := network.Compute(n.Survey()); cameBack(n, r) != "" {
				t.Fatal(cameBack(n, r))
			}
			gateways(n, bend)
			if r := network.Compute(n.Survey()); cameBack(n, r) == "" {
				t.Error("nothing has come back")
			}
		})
	}
}

// What BGP says of a prefix passes both stitches, so that it decides at the other site as it does here; or it does not, and a route
// that a leaf yields with looks there like any other.
func TestWhatBGPSaysOfAPrefixPassesGateways(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		plan lab.Plan
		bend func(*network.Router)
		want []string
	}{
		{"if it may", lab.Plan{}, func(*network.Router) {}, []string{"preference 0, path [], MED 7, [65000:1], through [65000:0 65000:1]"}},
		{"with the way to a gateway by EBGP, and from it", lab.Plan{EBGP: true}, func(*network.Router) {},
			[]string{"preference 100, path [65102 65321 65101 65211], MED 0, [65000:1], through [65000:0 65000:1]", "preference 100, path [65102 65322 65101 65211], MED 0, [65000:1], through [65000:0 65000:1]"}},
		{"not if it may not", lab.Plan{}, func(r *network.Router) { instance(r, "red").Interconnect.Uniform = false },
			[]string{"preference 100, path [], MED 0, [], through []"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.plan.Gateways, tt.plan.Leaves = []int{2, 2}, 1
			n := lab.New(tt.plan)
			gateways(n, tt.bend)
			r := network.ComputeWith(n.Survey(), func(p *network.Plant, router string) []network.Route {
				routes := network.Originate(p, router)
				for i := range routes {
					if router == lab.Leaf(1, 1) && routes[i].Type == network.IPPrefix {
						routes[i].LocalPref, routes[i].MED, routes[i].Communities = new(uint32), 7, []string{"65000:1"}
					}
				}
				return routes
			})
			var got []string
			for _, p := range r.Paths(lab.Leaf(2, 1), network.L2EVPN) {
				if p.Prefix == lab.Prefix(1, 1) {
					got = append(got, fmt.Sprintf("preference %d, path %v, MED %d, %v, through %v", p.LocalPref, p.ASPath, p.MED, p.Communities, p.Domains))
				}
			}
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, tt.want) {
				t.Errorf("(-want +got)\n%s", cmp.Diff(tt.want, got))
			}
		})
	}
}

// A prefix that is at both sites: a gateway sends to its own, with the lower preference, however little that one wants.
func TestAGatewayPrefersItsOwnSite(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		preference int
		want       string
	}{
		"as the route table has it":            {169, "10.2.1.1 VNI 20001 label 0"},
		"unless BGP decides between the sides": {0, "10.1.2.1 VNI 0 label 500000, 10.1.2.2 VNI 0 label 500000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := pairs()
			red := instance(n.Routers[lab.Leaf(2, 1)], "red")
			red.Static = append(red.Static, network.StaticRoute{Prefix: lab.Prefix(1, 1)})
			gateways(n, func(r *network.Router) { instance(r, "red").EVPN.Preference = tt.preference })
			p := n.Survey()
			r := network.ComputeWith(p, func(p *network.Plant, router string) []network.Route {
				routes := network.Originate(p, router)
				for i := range routes {
					if router == lab.Leaf(2, 1) && routes[i].Type == network.IPPrefix {
						routes[i].LocalPref = new(uint32)
					}
				}
				return routes
			})
			var got []string
			for _, row := range network.Observe(p, r, lab.Gateway(2, 1)).Instances["red"].Routes {
				for _, h := range row.NextHops {
					if row.Prefix == lab.Prefix(1, 1) {
						got = append(got, fmt.Sprintf("%s VNI %d label %d", h.VTEP, h.VNI, h.Label))
					}
				}
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("by %q, want %q", got, tt.want)
			}
		})
	}
}

// cameBack names a route that a gateway announces between sites though it does not come from its own.
func cameBack(n *lab.Network, r network.Routing) string {
	for site := 1; site <= len(n.Gateways); site++ {
		for i := 1; i <= n.Gateways[site-1]; i++ {
			for _, p := range r.Paths(lab.Gateway(site, i), network.L2EVPN) {
				between := len(p.Targets) == 1 && len(p.Targets[0]) == len("65000:110010")
				if p.From < 0 && between && (p.Type == network.MACIP && int(p.MAC[4]) != site || p.Type == network.IPPrefix && int(p.Prefix.Addr().As4()[2])/10 != site) {
					return fmt.Sprintf("%s announces %+v", lab.Gateway(site, i), *p.Route)
				}
			}
		}
	}
	return ""
}

func TestWhatAGatewaySends(t *testing.T) {
	t.Parallel()
	n := pairs()
	r := network.Compute(n.Survey())
	var got []string
	for _, p := range r.Paths(lab.Gateway(1, 1), network.L2EVPN) {
		if p.From < 0 {
			got = append(got, fmt.Sprintf("%d %s %s %d %s %v %v, mac %s, on %s", p.Type, p.RD, p.NextHop, p.VNI, p.Encap, p.Targets, p.Domains, p.RouterMAC, segment(p.ESI2)))
		}
	}
	want := []string{
		"1 10.1.2.1:10 10.1.2.1 10010 encapsulation:vxlan [65000:10010] [], mac 00:00:00:00:00:00, on nothing",
		"1 10.1.2.1:10 10.1.2.1 0 encapsulation:vxlan [65000:10010] [], mac 00:00:00:00:00:00, on nothing",
		"1 10.1.2.1:30010 10.1.2.1 500001 encapsulation:mpls [65000:110010] [], mac 00:00:00:00:00:00, on nothing",
		"1 10.1.2.1:30010 10.1.2.1 0 encapsulation:mpls [65000:110010] [], mac 00:00:00:00:00:00, on nothing",
		"2 10.1.2.1:10 10.1.2.1 10010 encapsulation:vxlan [65000:10010] [], mac 00:00:00:00:00:00, on segment 1",
		"2 10.1.2.1:30010 10.1.2.1 500001 encapsulation:mpls [65000:110010] [], mac 00:00:00:00:00:00, on segment 1",
		"3 10.1.2.1:10 10.1.2.1 10010 encapsulation:vxlan [65000:10010] [], mac 00:00:00:00:00:00, on nothing",
		"3 10.1.2.1:30010 10.1.2.1 500001 encapsulation:mpls [65000:110010] [], mac 00:00:00:00:00:00, on nothing",
		"4 10.1.2.1:0 10.1.2.1 0  [] [], mac 00:00:00:00:00:00, on nothing",
		"5 10.1.2.1:1001 10.1.2.1 20001 encapsulation:vxlan [65000:20001] [65000:0 65000:2], mac 02:C0:01:02:01:00, on nothing",
		"5 10.1.2.1:31001 10.1.2.1 500000 encapsulation:mpls [65000:120001] [65000:1], mac 00:00:00:00:00:00, on nothing",
	}
	if !slices.Equal(got, want) {
		t.Errorf("(-want +got)\n%s", cmp.Diff(want, got))
	}
}

// Sequence number and sticky bit pass both stitches: a host that has moved has moved everywhere (RFC 9014 §3.3).
func TestMobilityPassesGateways(t *testing.T) {
	t.Parallel()
	n := pairs()
	p := n.Survey()
	moved := func(p *network.Plant, router string) []network.Route {
		routes := network.Originate(p, router)
		for i := range routes {
			if router == lab.Leaf(1, 1) && routes[i].Type == network.MACIP {
				routes[i].Sequence, routes[i].Static = 7, true
			}
		}
		return routes
	}
	for _, path := range network.ComputeWith(p, moved).Paths(lab.Leaf(2, 1), network.L2EVPN) {
		if path.Type == network.MACIP && path.From >= 0 && (path.Sequence != 7 || !path.Static) {
			t.Errorf("%s by %s: sequence %d, static %v", path.MAC, path.NextHop, path.Sequence, path.Static)
		}
	}
}

// Routes without an encapsulation community go by what the session stands for (RFC 8365 §5.1.3).
func TestTheSessionStandsForAnEncapsulation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		assumes network.Encapsulation
		known   int
	}{
		"MPLS unless it says otherwise": {network.Unsaid, 0},
		"VXLAN where it says so":        {network.OverVXLAN, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := pairs()
			gateways(n, func(r *network.Router) {
				for i := range r.Instances[0].BGP.Neighbors {
					r.Instances[0].BGP.Neighbors[i].Assumes = tt.assumes
				}
			})
			p := n.Survey()
			r := network.ComputeWith(p, func(p *network.Plant, router string) []network.Route {
				routes := network.Originate(p, router)
				for i := range routes {
					if strings.Contains(router, "leaf") {
						routes[i].Encap = network.Unsaid
					}
				}
				return routes
			})
			macs := network.Observe(p, r, lab.Gateway(1, 1)).Instances["web"].MACs
			if got := len(macs); got != 2*tt.known {
				t.Errorf("the gateway has %v", macs)
			}
		})
	}
}

func TestAPairElectsWhoForwards(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		bend func(*lab.Network)
		want []string // of the first gateway and of the second
	}{
		{"among those that the reflector tells of", func(*lab.Network) {}, []string{"10.1.2.1 of [10.1.2.1 10.1.2.2]", "10.1.2.1 of [10.1.2.1 10.1.2.2]"}},
		{"by another number another one", func(n *lab.Network) {
			for i := 1; i <= 2; i++ {
				instance(n.Routers[lab.Gateway(1, i)], "web").EVPN.EVI = 11
			}
		}, []string{"10.1.2.2 of [10.1.2.1 10.1.2.2]", "10.1.2.2 of [10.1.2.1 10.1.2.2]"}},
		{"each by itself where neither announces the segment in the site", func(n *lab.Network) {
			for i := 1; i <= 2; i++ {
				instance(n.Routers[lab.Gateway(1, i)], "web").EVPN.Discovery = false
			}
		}, []string{"10.1.2.1 of [10.1.2.1]", "10.1.2.2 of [10.1.2.2]"}},
		{"alone when the other one is off", func(n *lab.Network) { n.Outages.Devices[lab.Gateway(1, 2)] = true }, []string{"10.1.2.1 of [10.1.2.1]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := pairs()
			tt.bend(n)
			p := n.Survey()
			r := network.Compute(p)
			for i, want := range tt.want {
				s := network.Observe(p, r, lab.Gateway(1, i+1)).Segments[0].Instances
				if got := fmt.Sprintf("%s of %v", s[0].Forwarder, s[0].Candidates); got != want {
					t.Errorf("gateway %d: %s, want %s", i+1, got, want)
				}
			}
		})
	}
}

func TestWhereAGatewaySendsPackets(t *testing.T) {
	t.Parallel()
	n := pairs()
	p := n.Survey()
	st := network.Observe(p, network.Compute(p), lab.Gateway(1, 1))
	far := []network.Destination{{VTEP: lab.Loopback(2, 2, 1), Label: 500001}, {VTEP: lab.Loopback(2, 2, 2), Label: 500001}}
	want := network.InterconnectState{
		Oper: network.Oper{Up: true}, Multicast: far,
		Segments: []network.SegmentDestination{{ESI: lab.Segment(2), VTEPs: far, MACs: 1}},
	}
	compare := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	if diff := cmp.Diff(want, st.Instances["web"].Interconnect, compare); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var hops []string
	for _, row := range st.Instances["red"].Routes {
		for _, h := range row.NextHops {
			if h.VTEP.IsValid() {
				hops = append(hops, fmt.Sprintf("%s: %s VNI %d label %d", row.Prefix, h.VTEP, h.VNI, h.Label))
			}
		}
	}
	wantHops := []string{"172.16.11.0/24: 10.1.1.1 VNI 20001 label 0", "172.16.21.0/24: 10.2.2.1 VNI 0 label 500000", "172.16.21.0/24: 10.2.2.2 VNI 0 label 500000"}
	if !slices.Equal(hops, wantHops) {
		t.Errorf("hops %q", hops)
	}
	for _, tunnel := range st.Tunnels {
		if tunnel.Interface == "vxlan1.10010" && len(tunnel.Unicast)+len(tunnel.Segments) != 1 {
			t.Errorf("the tunnel of the site has %+v", tunnel)
		}
	}
}

// However many sites and gateways there are, and if one has lost its trunks: nothing comes back, a leaf has one route by each
// gateway of its site that is joined to the others, and nothing stays after a host or prefix is gone. That all is as before
// when it returns is for speakers to show: what is computed does not depend on what was.
func TestNothingLoopsBetweenSites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := lab.New(lab.Plan{
			Gateways: rapid.SliceOfN(rapid.IntRange(1, 2), 2, 3).Draw(t, "gateways"), Leaves: rapid.IntRange(1, 2).Draw(t, "leaves"),
			VXLAN: rapid.Bool().Draw(t, "vxlan"), Chain: rapid.Bool().Draw(t, "chain"), EBGP: rapid.Bool().Draw(t, "ebgp"),
		})
		ways := slices.Clone(n.Gateways)
		if lone := rapid.IntRange(0, len(ways)).Draw(t, "lone"); lone > 0 && ways[lone-1] == 2 {
			n.Isolate(lone, 2)
			ways[lone-1] = 1
		}
		holds(t, n, network.Compute(n.Survey()), ways, nil)
		site, leaf := rapid.IntRange(1, len(n.Gateways)).Draw(t, "site"), rapid.IntRange(1, n.Leaves).Draw(t, "leaf")
		red := instance(n.Routers[lab.Leaf(site, leaf)], "red")
		red.Static, n.Outages.Devices[lab.Host(site, leaf)] = nil, true
		holds(t, n, network.Compute(n.Survey()), ways, []string{lab.HostMAC(site, leaf).String(), lab.Prefix(site, leaf).String()})
	})
}

// holds checks what every leaf has. ways are how many gateways of each site are joined to the others; of what is gone nobody
// has anything.
func holds(t *rapid.T, n *lab.Network, r network.Routing, ways []int, gone []string) {
	if back := cameBack(n, r); back != "" {
		t.Fatal(back)
	}
	for site := range n.Gateways {
		for leaf := range n.Leaves {
			got := map[string]int{}
			for _, line := range abroad(r, lab.Leaf(site+1, leaf+1)) {
				got[line[:strings.IndexByte(line, ' ')]]++
			}
			if want := known(n, ways, site+1, leaf+1, gone); !cmp.Equal(got, want) {
				t.Fatalf("%s has (-want +got)\n%s", lab.Leaf(site+1, leaf+1), cmp.Diff(want, got))
			}
		}
	}
	for _, name := range n.Names() {
		for _, line := range abroad(r, name) {
			if slices.Contains(gone, line[:strings.IndexByte(line, ' ')]) {
				t.Fatalf("%s still has %s", name, line)
			}
		}
	}
}

// known is how many routes a leaf has to each host and prefix: one of a leaf of its site, and one by each gateway to others.
func known(n *lab.Network, ways []int, site, leaf int, gone []string) map[string]int {
	all := map[string]int{}
	for s := 1; s <= len(n.Gateways); s++ {
		for l := 1; l <= n.Leaves; l++ {
			routes := ways[site-1]
			if s == site {
				routes = 1
			}
			if s != site || l != leaf {
				all[lab.HostMAC(s, l).String()], all[lab.Prefix(s, l).String()] = routes, routes
			}
		}
	}
	for _, what := range gone {
		delete(all, what)
	}
	return all
}
