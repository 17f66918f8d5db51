package speaker

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// allTypes are EVPN routes of every type with everything that they can have, of a router with the target 65000:10.
func allTypes(r *network.Router) []network.Route {
	vtep := loopback(r)
	esi := network.ESI{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	route := func(n network.NLRI, f func(*network.Route)) network.Route {
		n.Family, n.RD = network.L2EVPN, network.RD(vtep.String()+":10")
		one := network.Route{NLRI: n, Origin: r.Name, Instance: "bridge", Protocol: "bgp-evpn", NextHop: vtep, VNI: 0xabcdef, Targets: []network.RT{"65000:10"}, Encap: network.OverVXLAN}
		f(&one)
		return one
	}
	host := netip.MustParsePrefix("192.168.0.9/32")
	return []network.Route{
		route(network.NLRI{Type: network.EthernetAD, ESI: esi, Tag: network.MaxET}, func(r *network.Route) { r.VNI, r.ESILabel, r.SingleActive = 0, true, true }),
		route(network.NLRI{Type: network.EthernetAD, ESI: esi}, func(*network.Route) {}),
		route(network.NLRI{Type: network.MACIP, MAC: network.MAC{2, 0, 0, 0, 0, 9}}, func(r *network.Route) { r.ESI2 = esi }),
		route(network.NLRI{Type: network.MACIP, MAC: network.MAC{2, 0, 0, 0, 0, 9}, Prefix: host}, func(r *network.Route) {
			r.VNI2, r.RouterMAC, r.Targets = 20, network.MAC{2, 0, 0, 0, 0, 1}, []network.RT{"65000:10", "4200000001:20", "10.0.0.1:30"}
		}),
		route(network.NLRI{Type: network.MACIP, MAC: network.MAC{2, 0, 0, 0, 0, 1}, Prefix: netip.MustParsePrefix("2001:db8::1/128")}, func(r *network.Route) { r.Static, r.Default = true, true }),
		route(network.NLRI{Type: network.InclusiveMulticast, Prefix: netip.PrefixFrom(vtep, 32)}, func(*network.Route) {}),
		route(network.NLRI{Type: network.EthernetSegmentRoute, ESI: esi, Prefix: netip.PrefixFrom(vtep, 32)}, func(r *network.Route) {
			r.VNI, r.Targets, r.Encap, r.ESImport, r.DF = 0, nil, network.OverVXLAN, network.MAC{1, 2, 3, 4, 5, 6}, &network.DFElection{Preference: true, Value: 300}
		}),
		route(network.NLRI{Type: network.IPPrefix, Prefix: netip.MustParsePrefix("172.16.0.0/12")}, func(r *network.Route) {
			r.RouterMAC, r.Gateway = network.MAC{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("172.16.0.1")
			r.Domains = []string{"65000:65535", "4200000001:1"}
		}),
		route(network.NLRI{Type: network.IPPrefix, Prefix: netip.MustParsePrefix("2001:db8::/32")}, func(r *network.Route) { r.RouterMAC = network.MAC{2, 0, 0, 0, 0, 1} }),
		route(network.NLRI{Type: network.MACIP, MAC: network.MAC{2, 0, 0, 0, 0, 8}}, func(r *network.Route) { r.Encap, r.VNI, r.Sequence = network.OverMPLS, 524287, 7 }),
		route(network.NLRI{Type: network.InclusiveMulticast, Tag: 1, Prefix: netip.PrefixFrom(vtep, 32)}, func(r *network.Route) { r.Encap, r.VNI = network.OverMPLS, 524286 }),
	}
}

// reflected are two leaves and a reflector. Both leaves have a bridge and are on the segment.
func reflected(t *testing.T) *lab {
	l := newLab(t, "spine", "leaf1", "leaf2")
	for _, leaf := range []string{"leaf1", "leaf2"} {
		l.join(leaf, "spine")
		l.bridge(leaf, "65000:10")
		l.reflect("spine", leaf)
	}
	return l
}

// RFC 4456, and RFC 7432 §7 on the way: what leaf1 announces is what leaf2 gets, with the next hop that it has.
func TestAReflectorPassesEVPNRoutesOfAllTypesUnchanged(t *testing.T) {
	t.Parallel()
	l := reflected(t)
	segment := network.ESI{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	leaf2 := l.routers["leaf2"]
	leaf2.Segments = []network.EthernetSegment{{Name: "server", Enabled: true, ESI: segment, Interfaces: []string{"ethernet-1/2"}}}
	want := allTypes(l.routers["leaf1"])
	l.announced["leaf1"] = want
	l.until("leaf2 has all routes", func(r network.Routing) bool { return len(evpnPaths(r, "leaf2")) == len(want) })

	want = slices.Clone(want)
	slices.SortFunc(want, func(a, b network.Route) int { return compareNLRI(&a.NLRI, &b.NLRI) })
	var got []network.Route
	for _, p := range evpnPaths(l.network.Routing(), "leaf2") {
		got = append(got, *p.Route)
		if p.NextHop != loopback(l.routers["leaf1"]) || p.Originator != loopback(l.routers["leaf1"]) ||
			!slices.Equal(p.Cluster, []netip.Addr{loopback(l.routers["spine"])}) || len(p.ASPath) != 0 || p.LocalPref != 100 {
			t.Errorf("%+v: next hop %s, originator %s, cluster %s, AS path %v, local preference %d", p.NLRI, p.NextHop, p.Originator, p.Cluster, p.ASPath, p.LocalPref)
		}
	}
	if diff := cmp.Diff(want, got, byAddress...); diff != "" {
		t.Errorf("routes at leaf2 (-announced +got):\n%s", diff)
	}
}

var byAddress = []cmp.Option{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

// A route is a message and back the same (RFC 7432 §7, RFC 9136 §3.1, and the communities).
func TestRoutesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Custom(drawRoute).Draw(t, "route")
		nlri, err := appendNLRI(nil, &want)
		if err != nil {
			t.Fatal(err)
		}
		ext, err := extendedCommunities(&want, true)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readNLRI(want.Family, nlri)
		if err != nil {
			t.Fatal(err)
		}
		domains, err := dpath(want.Domains)
		if err != nil {
			t.Fatal(err)
		}
		readExtended(&got, string(ext))
		readLabels(&got)
		got.Domains = readDPath(string(domains))
		if diff := cmp.Diff(want, got, byAddress...); diff != "" {
			t.Fatalf("(-written +read):\n%s", diff)
		}
	})
}

func drawRoute(t *rapid.T) (r network.Route) {
	octets := func(n int) []byte { return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "octets") }
	address := func() netip.Addr {
		a, _ := netip.AddrFromSlice(octets(rapid.SampledFrom([]int{4, 16}).Draw(t, "size")))
		return a
	}
	host := func() netip.Prefix { a := address(); return netip.PrefixFrom(a, a.BitLen()) }
	prefix := func(a netip.Addr) netip.Prefix {
		p, _ := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(t, "length"))
		return p
	}
	vni := rapid.Uint32Max(1<<24 - 1)
	administrator := rapid.SampledFrom([]string{"65000:70000", "4200000000:7", "10.0.0.1:65535", "1:4294967295"})
	if f := rapid.SampledFrom(allFamilies).Draw(t, "family"); f != network.L2EVPN {
		size := map[network.Family]int{network.IPv4: 4, network.IPv6: 16}[f]
		a, _ := netip.AddrFromSlice(octets(size))
		r.Family, r.Prefix = f, prefix(a)
		return r
	}
	r.Family, r.Type, r.RD = network.L2EVPN, rapid.Uint8Range(1, 5).Draw(t, "type"), network.RD(administrator.Draw(t, "rd"))
	switch r.Type {
	case network.EthernetAD:
		r.ESI, r.Tag, r.VNI = network.ESI(octets(10)), rapid.Uint32().Draw(t, "tag"), vni.Draw(t, "vni")
		r.ESILabel = rapid.Bool().Draw(t, "label")
		r.SingleActive = r.ESILabel && rapid.Bool().Draw(t, "single-active")
	case network.MACIP:
		r.ESI2, r.Tag, r.MAC, r.VNI, r.VNI2 = network.ESI(octets(10)), rapid.Uint32().Draw(t, "tag"), network.MAC(octets(6)), vni.Draw(t, "vni"), vni.Draw(t, "vni2")
		if rapid.Bool().Draw(t, "ip") {
			r.Prefix = host()
		}
		r.Static, r.Default = rapid.Bool().Draw(t, "static"), rapid.Bool().Draw(t, "default")
		r.Sequence = rapid.Uint32().Draw(t, "sequence")
	case network.InclusiveMulticast:
		r.Tag, r.Prefix = rapid.Uint32().Draw(t, "tag"), host()
	case network.EthernetSegmentRoute:
		r.ESI, r.Prefix, r.ESImport = network.ESI(octets(10)), host(), network.MAC(octets(6))
		if rapid.Bool().Draw(t, "df") {
			r.DF = &network.DFElection{Preference: rapid.Bool().Draw(t, "preference"), Value: rapid.Uint32().Draw(t, "value"), AnyCircuit: rapid.Bool().Draw(t, "circuit")}
		}
	case network.IPPrefix:
		a := address()
		r.ESI2, r.Tag, r.Prefix, r.VNI, r.RouterMAC = network.ESI(octets(10)), rapid.Uint32().Draw(t, "tag"), prefix(a), vni.Draw(t, "vni"), network.MAC(octets(6))
		if gw, _ := netip.AddrFromSlice(octets(a.BitLen() / 8)); rapid.Bool().Draw(t, "gateway") && !gw.IsUnspecified() {
			r.Gateway = gw
		}
	}
	r.Encap = rapid.SampledFrom([]network.Encapsulation{network.Unsaid, network.OverVXLAN, network.OverMPLS}).Draw(t, "encapsulation")
	if r.Encap == network.OverMPLS { // labels have 20 bits
		r.VNI, r.VNI2 = r.VNI>>4, r.VNI2>>4
	}
	for range rapid.IntRange(0, 3).Draw(t, "domains") {
		r.Domains = append(r.Domains, fmt.Sprintf("%d:%d", rapid.Uint32().Draw(t, "AS"), rapid.Uint16().Draw(t, "domain")))
	}
	for range rapid.IntRange(0, 3).Draw(t, "targets") {
		r.Targets = append(r.Targets, network.RT(administrator.Draw(t, "rt")))
	}
	return r
}

// /network-instance/protocols/bgp/afi-safi/evpn/inter-as-vpn: without it a spine keeps no routes that it does not import itself.
func TestAnEBGPOverlayNeedsInterASOnTheSpine(t *testing.T) {
	t.Parallel()
	for name, inter := range map[string]bool{"with": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "spine", "leaf1", "leaf2")
			bgpOf(l.routers["spine"]).InterAS = inter
			for _, leaf := range []string{"leaf1", "leaf2"} {
				l.join(leaf, "spine")
				l.bridge(leaf, "65000:10")
				l.overlay(leaf, "spine", func(string, string, *network.Neighbor) {})
			}
			l.announced["leaf1"] = []network.Route{hostRoute(l.routers["leaf1"], 1, "65000:10")}
			there := func(r network.Routing) bool { return len(evpnPaths(r, "leaf2")) > 0 }
			if !inter {
				l.not("leaf2 has the route", there, func(r network.Routing) bool { return r.Counts("leaf1", 0, network.L2EVPN).Sent == 1 })
				if paths := evpnPaths(l.network.Routing(), "spine"); len(paths) > 0 {
					t.Errorf("the spine keeps %+v", paths)
				}
				return
			}
			l.until("leaf2 has the route", there)
			p := evpnPaths(l.network.Routing(), "leaf2")[0]
			if p.NextHop != loopback(l.routers["leaf1"]) || !slices.Equal(p.ASPath, []uint32{65001, 65002}) {
				t.Errorf("next hop %s by %v, want leaf1's VTEP by 65001 and 65002", p.NextHop, p.ASPath)
			}
		})
	}
}

func TestALeafKeepsWhatItImports(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*lab)
		want   network.Counts // of leaf2's session
		paths  int
	}{
		"what its bridge imports":              {func(*lab) {}, network.Counts{Received: 1, Active: 1}, 1},
		"all of it as rejected, if it is told": {func(l *lab) { bgpOf(l.routers["leaf2"]).KeepAll = true }, network.Counts{Received: 2, Active: 1, Rejected: 1}, 2},
		"nothing without a bridge":             {func(l *lab) { l.routers["leaf2"].Instances = l.routers["leaf2"].Instances[:1] }, network.Counts{}, 0},
		"what its bridge imports and its policy accepts": {func(l *lab) {
			pref := uint32(200)
			r := l.routers["leaf2"]
			r.Policies.Policies["prefer"] = network.Policy{Default: network.Action{Result: network.Accept, LocalPref: &pref}}
			b := bgpOf(r)
			for i := range b.Neighbors {
				b.Neighbors[i].Import = []string{"prefer"}
			}
		}, network.Counts{Received: 1, Active: 1}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := reflected(t)
			r := l.routers["leaf1"]
			l.announced["leaf1"] = []network.Route{hostRoute(r, 1, "65000:10"), hostRoute(r, 2, "65000:11")}
			test.change(l)
			got := func(r network.Routing) network.Counts {
				c := r.Counts("leaf2", 0, network.L2EVPN)
				c.Sent = 0
				return c
			}
			l.until("the routes are there and counted", func(r network.Routing) bool {
				return r.Counts("spine", 1, network.L2EVPN).Sent == 2 && got(r) == test.want
			})
			if n := len(evpnPaths(l.network.Routing(), "leaf2")); n != test.paths {
				t.Errorf("%d paths, want %d", n, test.paths)
			}
		})
	}
}

// RFC 7432 §15: a MAC address that several leaves announce, as an anycast gateway or behind a segment, has not moved.
func TestAnAddressThatSeveralLeavesHaveHasNotMoved(t *testing.T) {
	t.Parallel()
	l := reflected(t)
	l.until("the overlay stands", established("spine", "leaf1", "leaf2"))
	announce := func(leaf string) {
		r := hostRoute(l.routers[leaf], 1, "65000:10")
		r.MAC, r.Static = network.MAC{0, 0, 0x5e, 0, 1, 1}, true
		l.announced[leaf] = []network.Route{r}
	}
	announce("leaf1")
	l.until("leaf2 has it", func(r network.Routing) bool { return len(evpnPaths(r, "leaf2")) == 1 })
	announce("leaf2")
	l.until("leaf1 has it", func(r network.Routing) bool { return len(evpnPaths(r, "leaf1")) == 1 })
	if p := evpnPaths(l.network.Routing(), "leaf1")[0]; p.Route.Origin != "leaf2" || !p.Static {
		t.Errorf("leaf1 has %+v, want what leaf2 announces", p.Route)
	}
}
