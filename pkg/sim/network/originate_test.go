package network

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestALeafAnnouncesWhatItHas(t *testing.T) {
	t.Parallel()
	want := []string{
		"1 10.0.0.1:10 00 01 02 03 04 05 06 00 00 01 tag 4294967295 [65000:10010] esi-label",
		"1 10.0.0.1:10 00 01 02 03 04 05 06 00 00 01 vni 10010 [65000:10010]",
		"2 10.0.0.1:10 00:00:5E:00:01:01 10.10.0.1/32 vni 10010 [65000:10010] static",
		"2 10.0.0.1:10 02:00:00:01:00:01 10.10.0.101/32 vni 10010 [65000:10010]",
		"2 10.0.0.1:10 02:00:00:01:00:01 vni 10010 [65000:10010]",
		"2 10.0.0.1:10 02:00:00:02:00:02 10.10.0.202/32 vni 10010 on 00 01 02 03 04 05 06 00 00 01 [65000:10010]",
		"2 10.0.0.1:10 02:00:00:02:00:02 vni 10010 on 00 01 02 03 04 05 06 00 00 01 [65000:10010]",
		"2 10.0.0.1:10 02:00:01:FF:00:41 vni 10010 [65000:10010] static",
		"2 10.0.0.1:11 00:00:5E:00:01:01 10.11.0.1/32 vni 10011 [65000:10011] static",
		"2 10.0.0.1:11 02:00:01:FF:00:41 vni 10011 [65000:10011] static",
		"3 10.0.0.1:10 10.0.0.1/32 vni 10010 [65000:10010]",
		"3 10.0.0.1:11 10.0.0.1/32 vni 10011 [65000:10011]",
		"4 10.0.0.1:0 00 01 02 03 04 05 06 00 00 01 10.0.0.1/32 import 01:02:03:04:05:06",
		"5 10.0.0.1:1001 10.10.0.0/24 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00",
		"5 10.0.0.1:1001 10.10.0.101/32 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00",
		"5 10.0.0.1:1001 10.10.0.202/32 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00",
		"5 10.0.0.1:1001 10.11.0.0/24 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00",
	}
	got := evpnRoutes(Originate(newPod(2).survey(), "leaf1"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("routes (-want +got):\n", diff)
	}
}

// TestWhatIsAnnouncedFollowsFromConfigurationAndLinks bends one detail and looks at what goes and what
// comes.
func TestWhatIsAnnouncedFollowsFromConfigurationAndLinks(t *testing.T) {
	t.Parallel()
	const (
		hostMAC, hostIP   = "2 10.0.0.1:10 02:00:00:01:00:01 vni 10010 [65000:10010]", "2 10.0.0.1:10 02:00:00:01:00:01 10.10.0.101/32 vni 10010 [65000:10010]"
		bondMAC, bondIP   = "2 10.0.0.1:10 02:00:00:02:00:02 vni 10010 on " + bond + " [65000:10010]", "2 10.0.0.1:10 02:00:00:02:00:02 10.10.0.202/32 vni 10010 on " + bond + " [65000:10010]"
		hostRoute         = "5 10.0.0.1:1001 10.10.0.101/32 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00"
		bondRoute         = "5 10.0.0.1:1001 10.10.0.202/32 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00"
		subnetRoute       = "5 10.0.0.1:1001 10.10.0.0/24 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00"
		gatewayIP         = "2 10.0.0.1:10 00:00:5E:00:01:01 10.10.0.1/32 vni 10010 [65000:10010] static"
		gatewayMAC        = "2 10.0.0.1:10 02:00:01:FF:00:41 vni 10010 [65000:10010] static"
		segmentAD, evpnAD = "1 10.0.0.1:10 " + bond + " tag 4294967295 [65000:10010] esi-label", "1 10.0.0.1:10 " + bond + " vni 10010 [65000:10010]"
		segment           = "4 10.0.0.1:0 " + bond + " 10.0.0.1/32 import 01:02:03:04:05:06"
		flooding          = "3 10.0.0.1:10 10.0.0.1/32 vni 10010 [65000:10010]"
	)
	for _, tt := range []struct {
		name       string
		bend       func(p *pod, leaf *Router)
		gone, more []string
	}{
		{
			name: "a MAC-VRF whose EVPN is disabled announces nothing, its gateway still routes",
			bend: func(_ *pod, l *Router) { podInstance(l, "web").EVPN.Enabled = false },
			gone: []string{segmentAD, evpnAD, gatewayIP, hostIP, hostMAC, bondIP, bondMAC, gatewayMAC, flooding},
		},
		{
			name: "without advertised MAC addresses there is no type 2 route",
			bend: func(_ *pod, l *Router) { podInstance(l, "web").EVPN.MACRoutes = false },
			gone: []string{gatewayIP, hostIP, hostMAC, bondIP, bondMAC, gatewayMAC},
		},
		{
			name: "without advertised multicast there is no type 3 route",
			bend: func(_ *pod, l *Router) { podInstance(l, "web").EVPN.MulticastRoutes = false },
			gone: []string{flooding},
		},
		{
			name: "a gateway that does not advertise what it learns leaves MAC addresses only",
			bend: func(_ *pod, l *Router) { podSub(l, "irb1.10").AdvertiseL3 = false },
			gone: []string{hostIP, bondIP},
		},
		{
			name: "interface-less-routing adds the L3 VNI, its targets and the router's MAC",
			bend: func(_ *pod, l *Router) { podSub(l, "irb1.10").Symmetric = true },
			gone: []string{hostIP, bondIP},
			more: []string{
				"2 10.0.0.1:10 02:00:00:01:00:01 10.10.0.101/32 vni 10010+20001 [65000:10010 65000:20001] mac-nh 02:00:01:00:00:00",
				"2 10.0.0.1:10 02:00:00:02:00:02 10.10.0.202/32 vni 10010+20001 on " + bond + " [65000:10010 65000:20001] mac-nh 02:00:01:00:00:00",
			},
		},
		{
			name: "interface-less-routing adds nothing while the tenant has no EVPN",
			bend: func(_ *pod, l *Router) {
				podSub(l, "irb1.10").Symmetric = true
				podInstance(l, "red").EVPN.Enabled = false
			},
			gone: []string{subnetRoute, hostRoute, bondRoute, "5 10.0.0.1:1001 10.11.0.0/24 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00"},
		},
		{
			name: "hosts that are not put into the route table are no type 5 routes",
			bend: func(_ *pod, l *Router) { podSub(l, "irb1.10").HostRoutes = false },
			gone: []string{hostRoute, bondRoute},
		},
		{
			name: "a gateway that does not learn unasked knows no host",
			bend: func(_ *pod, l *Router) { podSub(l, "irb1.10").Learn = false },
			gone: []string{hostIP, bondIP, hostRoute, bondRoute},
		},
		{
			name: "an own address of the gateway is announced with its MAC address",
			bend: func(_ *pod, l *Router) {
				podSub(l, "irb1.10").Addresses = append(podSub(l, "irb1.10").Addresses, Address{Prefix: netip.MustParsePrefix("10.10.0.2/24")})
			},
			gone: []string{gatewayMAC},
			more: []string{"2 10.0.0.1:10 02:00:01:FF:00:41 10.10.0.2/32 vni 10010 [65000:10010] static"},
		},
		{
			name: "a gateway that is disabled takes its addresses and prefixes along",
			bend: func(_ *pod, l *Router) { podSub(l, "irb1.10").Enabled = false },
			gone: []string{gatewayIP, hostIP, bondIP, gatewayMAC, subnetRoute, hostRoute, bondRoute},
		},
		{
			name: "a segment whose LAG is down is withdrawn with its hosts",
			bend: func(p *pod, _ *Router) { p.outages.Cables["leaf1:ethernet-1/1 - bonded2:eth0"] = true },
			gone: []string{segmentAD, evpnAD, bondIP, bondMAC, segment, bondRoute},
		},
		{
			name: "hosts of a disabled segment are single-homed",
			bend: func(_ *pod, l *Router) { l.Segments[0].Enabled = false },
			gone: []string{segmentAD, evpnAD, bondIP, bondMAC, segment},
			more: []string{
				"2 10.0.0.1:10 02:00:00:02:00:02 10.10.0.202/32 vni 10010 [65000:10010]",
				"2 10.0.0.1:10 02:00:00:02:00:02 vni 10010 [65000:10010]",
			},
		},
		{
			name: "on a single-active segment the router that stands by announces no host",
			bend: func(p *pod, l *Router) {
				p.singleActive()
				podInstance(p.routers["leaf2"], "web").EVPN.EVI, podInstance(l, "web").EVPN.EVI = 11, 11
			},
			gone: []string{segmentAD, bondIP, bondMAC, bondRoute},
			more: []string{segmentAD + " single-active"},
		},
		{
			name: "on a single-active segment the forwarder announces all",
			bend: func(p *pod, _ *Router) { p.singleActive() },
			gone: []string{segmentAD},
			more: []string{segmentAD + " single-active"},
		},
		{
			name: "on a single-active segment a router that exchanges nothing with the other one forwards alone",
			bend: func(p *pod, l *Router) {
				p.singleActive()
				podInstance(l, "web").EVPN.EVI = 11
				podInstance(p.routers["leaf2"], "web").EVPN.Export = []RT{"65000:1"}
			},
			gone: []string{segmentAD},
			more: []string{segmentAD + " single-active"},
		},
		{
			name: "it stands by for one that exchanges nothing, too, where circuits do not count",
			bend: func(p *pod, l *Router) {
				p.singleActive()
				podInstance(l, "web").EVPN.EVI = 11
				podInstance(p.routers["leaf2"], "web").EVPN.Export = []RT{"65000:1"}
				p.routers["leaf2"].Segments[0].DF.AnyCircuit = true
			},
			gone: []string{segmentAD, bondIP, bondMAC, bondRoute},
			more: []string{segmentAD + " single-active"},
		},
		{
			name: "an election by preference is told to the other members",
			bend: func(_ *pod, l *Router) { l.Segments[0].DF = DFElection{Preference: true, Value: 100} },
			gone: []string{segment},
			more: []string{segment + " preference"},
		},
		{
			name: "a static route of a tenant is announced while its next hop is connected",
			bend: func(_ *pod, l *Router) {
				podInstance(l, "red").Static = []StaticRoute{
					{Prefix: netip.MustParsePrefix("172.16.0.0/16"), NextHops: []netip.Addr{netip.MustParseAddr("10.10.0.9")}},
					{Prefix: netip.MustParsePrefix("172.17.0.0/16"), NextHops: []netip.Addr{netip.MustParseAddr("192.0.2.1")}},
				}
			},
			more: []string{"5 10.0.0.1:1001 172.16.0.0/16 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00"},
		},
		{
			name: "the MAC address of the tenant's gateway is announced on demand",
			bend: func(_ *pod, l *Router) { podInstance(l, "red").EVPN.GatewayMAC = true },
			more: []string{"2 10.0.0.1:1001 02:00:01:00:00:00 vni 20001 [65000:20001] mac-nh 02:00:01:00:00:00"},
		},
		{
			name: "a server that is not plugged in is not known",
			bend: func(p *pod, _ *Router) { p.outages.Cables["leaf1:ethernet-1/2 - server1:eth0"] = true },
			gone: []string{hostIP, hostMAC, hostRoute},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPod(2)
			before := evpnRoutes(Originate(p.survey(), "leaf1"))
			tt.bend(p, p.routers["leaf1"])
			after := evpnRoutes(Originate(p.survey(), "leaf1"))
			if diff := cmp.Diff(tt.gone, without(before, after)); diff != "" {
				t.Error("gone (-want +got):\n", diff)
			}
			if diff := cmp.Diff(tt.more, without(after, before)); diff != "" {
				t.Error("more (-want +got):\n", diff)
			}
		})
	}
}

// without returns what of a is not in b.
func without(a, b []string) []string {
	var rest []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

const bond = "00 01 02 03 04 05 06 00 00 01"

func TestRoutesOfTheDefaultInstanceAreThereForPolicies(t *testing.T) {
	t.Parallel()
	p := newPod(2)
	leaf := p.routers["leaf1"]
	podInstance(leaf, "default").Static = []StaticRoute{{Prefix: netip.MustParsePrefix("198.51.100.0/24")}}
	podSub(leaf, "ethernet-1/49.0").IPv6 = true
	podSub(leaf, "ethernet-1/49.0").Addresses = append(podSub(leaf, "ethernet-1/49.0").Addresses, Address{Prefix: netip.MustParsePrefix("2001:db8::1/64")})
	var got []string
	for _, r := range Originate(p.survey(), "leaf1") {
		if r.Family != L2EVPN {
			got = append(got, fmt.Sprint(r.Family, " ", r.Prefix, " ", r.Protocol, " ", r.Instance))
		}
	}
	slices.Sort(got)
	want := []string{
		"1 10.0.0.1/32 local default",
		"1 10.1.1.0/31 local default",
		"1 198.51.100.0/24 static default",
		"2 2001:db8::/64 local default",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("routes (-want +got):\n", diff)
	}
}

func TestARouterThatIsOffAnnouncesNothing(t *testing.T) {
	t.Parallel()
	p := newPod(2)
	p.outages.Devices = map[string]bool{"leaf1": true}
	if got := Originate(p.survey(), "leaf1"); len(got) > 0 {
		t.Errorf("%d routes", len(got))
	}
}
