package network

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func neighborsOf(st *State) []string {
	var all []string
	for _, n := range st.Neighbors {
		all = append(all, fmt.Sprintf("%s %s %s %s", n.Subinterface, n.IP, n.MAC, n.Type))
	}
	return all
}

func TestAGatewayKnowsHostsByWhatTheySayAndByEVPN(t *testing.T) {
	t.Parallel()
	spine := "ethernet-1/49.0 10.1.1.1 02:EA:60:00:01:01 dynamic"
	own := []string{
		"irb1.10 10.10.0.101 02:00:00:01:00:01 dynamic",
		"irb1.10 10.10.0.202 02:00:00:02:00:02 dynamic",
	}
	for _, tt := range []struct {
		name string
		bend func(p *pod)
		want []string
	}{
		{
			name: "its own and those of others",
			bend: func(*pod) {},
			want: []string{own[0], "irb1.10 10.10.0.102 02:00:00:01:00:02 evpn", own[1]},
		},
		{
			name: "a bonded server that the other member hears",
			bend: func(p *pod) { p.deaf = "leaf1" },
			want: []string{own[0], "irb1.10 10.10.0.102 02:00:00:01:00:02 evpn", "irb1.10 10.10.0.202 02:00:00:02:00:02 evpn"},
		},
		{
			name: "one address once",
			bend: func(p *pod) {
				p.host("server2").Addresses[0].IPs = nil
				p.host("bonded2").Addresses[0].IPs = p.host("server1").Addresses[0].IPs
			},
			want: own[:1],
		},
		{
			name: "each gateway those of its own MAC-VRF",
			bend: func(p *pod) {
				p.host("server2").Addresses[0].IPs = nil
				p.host("server1").Addresses[0].IPs = []netip.Prefix{netip.MustParsePrefix("10.11.0.5/24")}
				podInstance(p.routers["leaf1"], "web").Interfaces = []string{"irb1.10", "lag1.0"}
				podInstance(p.routers["leaf1"], "db").Interfaces = []string{"ethernet-1/2.0", "irb1.11"}
			},
			want: []string{own[1], "irb1.11 10.11.0.5 02:00:00:01:00:01 dynamic"},
		},
		{
			name: "none of others that do not advertise them",
			bend: func(p *pod) { podSub(p.routers["leaf2"], "irb1.10").AdvertiseL3 = false },
			want: own,
		},
		{
			name: "an own address of another gateway",
			bend: func(p *pod) {
				leaf2 := podSub(p.routers["leaf2"], "irb1.10")
				leaf2.AdvertiseL3 = false
				leaf2.Addresses = append(leaf2.Addresses, Address{Prefix: netip.MustParsePrefix("10.10.0.2/24")})
			},
			want: []string{"irb1.10 10.10.0.2 02:00:02:FF:00:41 evpn", own[0], own[1]},
		},
		{
			name: "nobody outside of its subnets",
			bend: func(p *pod) {
				podSub(p.routers["leaf1"], "irb1.10").Addresses = []Address{{Prefix: netip.MustParsePrefix("10.20.0.1/24")}}
			},
			want: nil,
		},
		{
			name: "nobody while it is down",
			bend: func(p *pod) { podSub(p.routers["leaf1"], "irb1.10").Enabled = false },
			want: nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pod := newPod(2)
			tt.bend(pod)
			p, r := pod.flood(nil)
			if diff := cmp.Diff(append([]string{spine}, tt.want...), neighborsOf(Observe(p, r, "leaf1"))); diff != "" {
				t.Error("neighbors (-want +got):\n", diff)
			}
		})
	}
}

func TestARouterKnowsThoseThatItsBGPCalls(t *testing.T) {
	t.Parallel()
	const numbered = "ethernet-1/49.0 10.1.1.1 02:EA:60:00:01:01 dynamic"
	linkLocal := podMAC(podSpineNumber, 0, 1, 1).LinkLocal()
	for _, tt := range []struct {
		name string
		bend func(p *pod, n *Neighbor)
		want []string
	}{
		{name: "by its address", bend: func(*pod, *Neighbor) {}, want: []string{numbered}},
		{
			name: "by its link-local address",
			bend: func(p *pod, n *Neighbor) {
				leaf, spine := podSub(p.routers["leaf1"], "ethernet-1/49.0"), podSub(p.routers["spine1"], "ethernet-1/1.0")
				leaf.LinkLocal, spine.LinkLocal = leaf.MAC.LinkLocal(), linkLocal
				n.Peer, n.Interface = linkLocal.WithZone("ethernet-1/49.0"), "ethernet-1/49.0"
			},
			want: []string{fmt.Sprintf("ethernet-1/49.0 %s 02:EA:60:00:01:01 dynamic", linkLocal)},
		},
		{
			name: "not by a link-local address where it has none itself",
			bend: func(p *pod, n *Neighbor) {
				podSub(p.routers["spine1"], "ethernet-1/1.0").LinkLocal = linkLocal
				n.Peer, n.Interface = linkLocal.WithZone("ethernet-1/49.0"), "ethernet-1/49.0"
			},
		},
		{name: "not by an address that it does not have", bend: func(_ *pod, n *Neighbor) { n.Peer = netip.MustParseAddr("10.1.1.3") }},
		{name: "not if the session is disabled", bend: func(_ *pod, n *Neighbor) { n.Enabled = false }},
		{name: "not over a cut cable", bend: func(p *pod, _ *Neighbor) { p.outages.Cables["leaf1:ethernet-1/49 - spine1:ethernet-1/1"] = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pod := newPod(1)
			tt.bend(pod, &podInstance(pod.routers["leaf1"], "default").BGP.Neighbors[0])
			p, r := pod.flood(nil)
			var got []string
			for _, line := range neighborsOf(Observe(p, r, "leaf1")) {
				if strings.HasPrefix(line, "ethernet-1/49") {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error("neighbors (-want +got):\n", diff)
			}
		})
	}
}
