package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// table writes a route table, one prefix a line.
func table(st *State, instance string) []string {
	var all []string
	for _, r := range st.Instances[instance].Routes {
		line := fmt.Sprintf("%s %s %d", r.Prefix, r.Protocol, r.Preference)
		for _, h := range r.NextHops {
			if h.VTEP.IsValid() {
				line += fmt.Sprintf(" %s vni %d", h.VTEP, h.VNI)
			} else {
				line += " " + h.Subinterface
			}
		}
		all = append(all, line)
	}
	return all
}

func TestATenantRoutesToItsSubnetsAndHosts(t *testing.T) {
	t.Parallel()
	p, r := newPod(4).flood(nil)
	want := []string{
		"10.10.0.0/24 local 0 irb1.10",
		"10.10.0.1/32 host 0 irb1.10",
		"10.10.0.101/32 arp-nd 1 irb1.10",
		"10.10.0.102/32 bgp-evpn 170 10.0.0.2 vni 20001",
		"10.10.0.103/32 bgp-evpn 170 10.0.0.3 vni 20001",
		"10.10.0.104/32 bgp-evpn 170 10.0.0.4 vni 20001",
		"10.10.0.202/32 arp-nd 1 irb1.10",
		"10.10.0.204/32 bgp-evpn 170 10.0.0.3 vni 20001 10.0.0.4 vni 20001",
		"10.10.0.255/32 host 0",
		"10.11.0.0/24 local 0 irb1.11",
		"10.11.0.1/32 host 0 irb1.11",
		"10.11.0.255/32 host 0",
	}
	if diff := cmp.Diff(want, table(Observe(p, r, "leaf1"), "red")); diff != "" {
		t.Error("route table (-want +got):\n", diff)
	}
}

// TestHowATenantReachesAPrefix bends one detail and looks at one line of the route table of leaf1.
func TestHowATenantReachesAPrefix(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, prefix, want string
		bend               func(p *pod)
		edit               func(router string, p *Path)
	}{
		{
			name: "over as many tunnels as it uses", prefix: "10.10.0.204/32",
			bend: func(p *pod) { podInstance(p.routers["leaf1"], "red").EVPN.ECMP = 1 },
			want: "bgp-evpn 170 10.0.0.3 vni 20001",
		},
		{
			name: "by the higher local preference", prefix: "10.10.0.204/32",
			edit: func(_ string, p *Path) {
				if p.Origin == "leaf4" {
					p.LocalPref = 200
				}
			},
			want: "bgp-evpn 170 10.0.0.4 vni 20001",
		},
		{
			name: "by the shorter AS path", prefix: "10.10.0.204/32",
			edit: func(_ string, p *Path) {
				if p.Origin == "leaf3" {
					p.ASPath = []uint32{65003, 65003}
				}
			},
			want: "bgp-evpn 170 10.0.0.4 vni 20001",
		},
		{
			name: "by the lower MED", prefix: "10.10.0.204/32",
			edit: func(_ string, p *Path) {
				if p.Origin == "leaf3" {
					p.MED = 10
				}
			},
			want: "bgp-evpn 170 10.0.0.4 vni 20001",
		},
		{
			name: "by the fewest domains", prefix: "10.10.0.204/32", edit: throughADomain,
			want: "bgp-evpn 170 10.0.0.4 vni 20001",
		},
		{
			name: "whatever the number of domains, where that is not to count", prefix: "10.10.0.204/32", edit: throughADomain,
			bend: func(p *pod) { podInstance(p.routers["leaf1"], "red").EVPN.Choice = ButDomains },
			want: "bgp-evpn 170 10.0.0.3 vni 20001 10.0.0.4 vni 20001",
		},
		{
			name: "whatever BGP says, where that is not to count", prefix: "10.10.0.204/32",
			bend: func(p *pod) { podInstance(p.routers["leaf1"], "red").EVPN.Choice = ByDistinguisher },
			edit: func(_ string, p *Path) {
				if p.Origin == "leaf3" {
					p.LocalPref, p.ASPath, p.MED = 0, []uint32{65003, 65003}, 10
				}
			},
			want: "bgp-evpn 170 10.0.0.3 vni 20001 10.0.0.4 vni 20001",
		},
		{
			name: "then by the lowest distinguisher, where one tunnel is used", prefix: "10.10.0.204/32",
			bend: func(p *pod) {
				podInstance(p.routers["leaf1"], "red").EVPN.Choice, podInstance(p.routers["leaf1"], "red").EVPN.ECMP = ByDistinguisher, 1
				podInstance(p.routers["leaf3"], "red").EVPN.RD = "10.0.0.10:1"
			},
			want: "bgp-evpn 170 10.0.0.4 vni 20001",
		},
		{
			name: "with the preference that its EVPN instance has", prefix: "10.10.0.102/32",
			bend: func(p *pod) { podInstance(p.routers["leaf1"], "red").EVPN.Preference = 169 },
			want: "bgp-evpn 169 10.0.0.2 vni 20001",
		},
		{
			name: "not by MAC/IP routes that have no L3 VNI", prefix: "10.10.0.102/32",
			bend: func(p *pod) {
				podSub(p.routers["leaf2"], "irb1.10").HostRoutes = false
				podInstance(p.routers["leaf1"], "red").EVPN.Import = []RT{"65000:20001", "65000:10010"}
			},
			want: "",
		},
		{
			name: "by MAC/IP routes with the L3 VNI, where there is no prefix route", prefix: "10.10.0.102/32",
			bend: func(p *pod) {
				irb := podSub(p.routers["leaf2"], "irb1.10")
				irb.HostRoutes, irb.Symmetric = false, true
			},
			want: "bgp-evpn-ifl-host 170 10.0.0.2 vni 20001",
		},
		{
			name: "by the prefix route, where there are both", prefix: "10.10.0.102/32",
			bend: func(p *pod) { podSub(p.routers["leaf2"], "irb1.10").Symmetric = true },
			want: "bgp-evpn 170 10.0.0.2 vni 20001",
		},
		{
			name: "not to the host of a router that exports to nobody here", prefix: "10.10.0.102/32",
			bend: func(p *pod) { podInstance(p.routers["leaf2"], "red").EVPN.Export = []RT{"65000:1"} },
			want: "",
		},
		{
			name: "not over EVPN that is disabled", prefix: "10.10.0.102/32",
			bend: func(p *pod) { podInstance(p.routers["leaf1"], "red").EVPN.Enabled = false },
			want: "",
		},
		{
			name: "to a subnet that only others have", prefix: "10.11.0.0/24",
			bend: func(p *pod) { podSub(p.routers["leaf1"], "irb1.11").Enabled = false },
			want: "bgp-evpn 170 10.0.0.2 vni 20001 10.0.0.3 vni 20001 10.0.0.4 vni 20001",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pod := newPod(4)
			if tt.bend != nil {
				tt.bend(pod)
			}
			p, r := pod.flood(tt.edit)
			rows := table(Observe(p, r, "leaf1"), "red")
			i := slices.IndexFunc(rows, func(s string) bool { return strings.HasPrefix(s, tt.prefix+" ") })
			got := ""
			if i >= 0 {
				got = strings.TrimPrefix(rows[i], tt.prefix+" ")
			}
			if got != tt.want {
				t.Errorf("%s by %q, want %q; table:\n%s", tt.prefix, got, tt.want, strings.Join(rows, "\n"))
			}
		})
	}
}

// throughADomain makes the routes of leaf3 come from elsewhere.
func throughADomain(_ string, p *Path) {
	if p.Origin == "leaf3" {
		r := *p.Route
		r.Domains, p.Route = []string{"65000:1"}, &r
	}
}

func TestDistinguishersAreOrderedByNumbers(t *testing.T) {
	t.Parallel()
	ordered := []RD{"65000:9", "65000:10", "10.0.0.2:1", "10.0.0.10:1"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := a.compare(b); got < 0 != (i < j) || got == 0 != (i == j) {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
	}
}

func TestTheDefaultInstanceRoutesToItsLinks(t *testing.T) {
	t.Parallel()
	p, r := newPod(1).flood(nil)
	want := []string{
		"10.0.0.1/32 host 0 system0.0",
		"10.1.1.0/31 local 0 ethernet-1/49.0",
		"10.1.1.0/32 host 0 ethernet-1/49.0",
	}
	if diff := cmp.Diff(want, table(Observe(p, r, "leaf1"), "default")); diff != "" {
		t.Error("route table (-want +got):\n", diff)
	}
}

func TestTheBroadcastAddressOfASubnet(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"10.0.0.1/24": "10.0.0.255", "10.0.0.5/30": "10.0.0.7", "10.1.2.3/16": "10.1.255.255", "10.0.0.129/25": "10.0.0.255",
	} {
		if got := broadcast(netip.MustParsePrefix(prefix)).String(); got != want {
			t.Errorf("%s: %s, want %s", prefix, got, want)
		}
	}
}
