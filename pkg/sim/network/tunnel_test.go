package network

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestATunnelLeadsToAllThatAnnounce(t *testing.T) {
	t.Parallel()
	p, r := newPod(4).flood(nil)
	st := Observe(p, r, "leaf1")
	to := func(macs int) (all []Destination) {
		for n := 2; n <= 4; n++ {
			all = append(all, Destination{VTEP: podVTEP(n), VNI: 10010, MACs: macs})
		}
		return all
	}
	web := tunnelOf(st, "vxlan1.10010")
	if diff := cmp.Diff(to(0), web.Multicast, addresses); diff != "" {
		t.Error("multicast (-want +got):\n", diff)
	}
	if diff := cmp.Diff(to(2), web.Unicast, addresses); diff != "" {
		t.Error("unicast: a server and a gateway each (-want +got):\n", diff)
	}
	if diff := cmp.Diff([]netip.Addr{podVTEP(2), podVTEP(3), podVTEP(4)}, st.VTEPs, addresses); diff != "" {
		t.Error("tunnel endpoints (-want +got):\n", diff)
	}
	if red := tunnelOf(st, "vxlan1.20001"); red.SourceMAC != p.Routers["leaf1"].Chassis || len(red.Multicast) > 0 {
		t.Errorf("the tunnel of a tenant routes and does not flood: %+v", red)
	}
}

func TestAPlaceThatIsAnnouncedTwiceIsFloodedOnce(t *testing.T) {
	t.Parallel()
	path := func(rd RD) *Path {
		return &Path{Route: &Route{NLRI: NLRI{Type: InclusiveMulticast, RD: rd}, VNI: 5}, NextHop: podVTEP(2)}
	}
	want := []Destination{{VTEP: podVTEP(2), VNI: 5}}
	if diff := cmp.Diff(want, floodList([]*Path{path("1:1"), path("1:2")}), addresses); diff != "" {
		t.Error("multicast (-want +got):\n", diff)
	}
}

func TestATunnelNeedsItsOwnEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		bend   func(leaf *Router)
		tunnel Oper // of the MAC-VRF web
		vxlan  Oper // as its instance sees it
		evpn   Oper
	}{
		{name: "all is well", bend: func(*Router) {}, tunnel: Oper{Up: true}, vxlan: Oper{Up: true}, evpn: Oper{Up: true}},
		{
			name: "a loopback that is disabled", bend: func(l *Router) { podSub(l, "system0.0").Enabled = false },
			tunnel: Oper{Reason: "other"}, vxlan: Oper{Reason: "vxlan-if-default-net-inst-source-if-down"}, evpn: Oper{Reason: "no-nexthop-address"},
		},
		{
			name: "no address", bend: func(l *Router) { podInstance(l, "web").VXLAN.Source = netip.Addr{} },
			tunnel: Oper{Reason: "other"}, vxlan: Oper{Reason: "vxlan-if-default-net-inst-source-address-missing"}, evpn: Oper{Reason: "vxlan_interface_no_source_ip_address"},
		},
		{
			name: "a disabled instance", bend: func(l *Router) { podInstance(l, "web").Enabled = false },
			tunnel: Oper{Reason: "other"}, vxlan: Oper{Reason: "net-inst-down"}, evpn: Oper{Reason: "network-instance-oper-down"},
		},
		{
			name: "EVPN is disabled", bend: func(l *Router) { podInstance(l, "web").EVPN.Enabled = false },
			tunnel: Oper{Up: true}, vxlan: Oper{Up: true}, evpn: Oper{Reason: "admin-disabled"},
		},
		{
			name: "no EVI", bend: func(l *Router) { podInstance(l, "web").EVPN.EVI = 0 },
			tunnel: Oper{Up: true}, vxlan: Oper{Up: true}, evpn: Oper{Reason: "no-evi"},
		},
		{
			name: "no route target", bend: func(l *Router) { podInstance(l, "web").EVPN.Import = nil },
			tunnel: Oper{Up: true}, vxlan: Oper{Up: true}, evpn: Oper{Reason: "bgp-vpn-instance-oper-down"},
		},
		{
			name: "two subinterfaces of one segment", bend: func(l *Router) {
				l.Subinterfaces = append(l.Subinterfaces, podAccess("lag1", 7, VLAN{Tagged: true, Low: 7, High: 7}))
				podInstance(l, "web").Interfaces = append(podInstance(l, "web").Interfaces, "lag1.7")
			},
			tunnel: Oper{Up: true}, vxlan: Oper{Up: true}, evpn: Oper{Reason: "ethernet-segment-multiple-subinterfaces"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pod := newPod(2)
			tt.bend(pod.routers["leaf1"])
			p, r := pod.flood(nil)
			st := Observe(p, r, "leaf1")
			if got := tunnelOf(st, "vxlan1.10010").Oper; got != tt.tunnel {
				t.Errorf("tunnel %+v, want %+v", got, tt.tunnel)
			}
			if got := st.Instances["web"].VXLAN; got != tt.vxlan {
				t.Errorf("VXLAN %+v, want %+v", got, tt.vxlan)
			}
			if got := st.Instances["web"].EVPN; got != tt.evpn {
				t.Errorf("EVPN %+v, want %+v", got, tt.evpn)
			}
		})
	}
}

func TestAnInstanceWithoutVXLANHasNoEVPN(t *testing.T) {
	t.Parallel()
	pod := newPod(2)
	podInstance(pod.routers["leaf1"], "web").VXLAN = nil
	p, r := pod.flood(nil)
	st := Observe(p, r, "leaf1")
	if got, want := st.Instances["web"].EVPN, (Oper{Reason: "no-vxlan-interface"}); got != want {
		t.Errorf("EVPN %+v, want %+v", got, want)
	}
	if len(st.Tunnels) != 2 {
		t.Errorf("%d tunnels, want those of db and red", len(st.Tunnels))
	}
}
