package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// macs writes a bridge table, one address a line.
func macs(st *State, instance string) []string {
	var all []string
	for _, e := range st.Instances[instance].MACs {
		to := e.Subinterface
		if e.VTEP.IsValid() {
			to = fmt.Sprintf("%s vni %d", e.VTEP, e.VNI)
		} else if e.ESI != (ESI{}) {
			to = e.ESI.String()
		}
		all = append(all, fmt.Sprintf("%s %s %s", e.MAC, e.Type, to))
	}
	return all
}

func TestABridgeTableHasWhatIsHeardAndWhatIsAnnounced(t *testing.T) {
	t.Parallel()
	p, r := newPod(4).flood(nil)
	want := []string{
		"00:00:5E:00:01:01 irb-interface-anycast irb1.10",
		"02:00:00:01:00:01 learnt ethernet-1/2.0",
		"02:00:00:01:00:02 evpn 10.0.0.2 vni 10010",
		"02:00:00:01:00:03 evpn 10.0.0.3 vni 10010",
		"02:00:00:01:00:04 evpn 10.0.0.4 vni 10010",
		"02:00:00:02:00:02 learnt lag1.0",
		"02:00:00:02:00:04 evpn 00 01 02 03 04 05 06 00 00 02",
		"02:00:01:FF:00:41 irb-interface irb1.10",
		"02:00:02:FF:00:41 evpn-static 10.0.0.2 vni 10010",
		"02:00:03:FF:00:41 evpn-static 10.0.0.3 vni 10010",
		"02:00:04:FF:00:41 evpn-static 10.0.0.4 vni 10010",
	}
	if diff := cmp.Diff(want, macs(Observe(p, r, "leaf1"), "web")); diff != "" {
		t.Error("bridge table (-want +got):\n", diff)
	}
}

// TestWhereAMACAddressIs bends one detail and looks at one line of a bridge table.
func TestWhereAMACAddressIs(t *testing.T) {
	t.Parallel()
	const (
		bonded2, bonded4 = "02:00:00:02:00:02", "02:00:00:02:00:04"
		server1, server3 = "02:00:00:01:00:01", "02:00:00:01:00:03"
	)
	for _, tt := range []struct {
		name, router, mac, want string
		bend                    func(p *pod)
		edit                    func(router string, p *Path)
	}{
		{
			name: "a host that only the other member of a segment hears is behind the own port", router: "leaf1", mac: bonded2,
			bend: func(p *pod) { p.deaf = "leaf1" },
			want: "evpn lag1.0",
		},
		{
			name: "a host whose LAG here is down is behind its segment", router: "leaf1", mac: bonded2,
			bend: func(p *pod) { p.outages.Cables["leaf1:ethernet-1/1 - bonded2:eth0"] = true },
			want: "evpn " + bond,
		},
		{
			name: "without A-D routes of anybody a host of a segment is nowhere", router: "leaf1", mac: bonded4,
			edit: func(_ string, p *Path) { p.Valid = p.Valid && p.Type != EthernetAD },
			want: "",
		},
		{
			name: "a route that a policy rejects is not used", router: "leaf1", mac: server3,
			edit: func(_ string, p *Path) { p.Rejected = p.Origin == "leaf3" },
			want: "",
		},
		{
			name: "a route whose next hop cannot be reached is not used", router: "leaf1", mac: server3,
			edit: func(_ string, p *Path) { p.Valid = p.Origin != "leaf3" },
			want: "",
		},
		{
			name: "a route that is not for VXLAN is not used", router: "leaf1", mac: server3,
			edit: func(_ string, p *Path) {
				r := *p.Route
				r.Encap = Unsaid
				p.Route = &r
			},
			want: "",
		},
		{
			name: "a changed next hop is where the tunnel ends", router: "leaf1", mac: server3,
			edit: func(_ string, p *Path) { p.NextHop = netip.MustParseAddr("10.0.0.200") },
			want: "evpn 10.0.0.200 vni 10010",
		},
		{
			name: "a route that BGP does not choose is not used", router: "leaf1", mac: server3,
			edit: func(_ string, p *Path) { p.Best, p.Used = p.Origin != "leaf3", p.Origin != "leaf3" },
			want: "",
		},
		{
			name: "a route that leads to the router itself is not used", router: "leaf1", mac: server3,
			edit: func(_ string, p *Path) { p.NextHop = podVTEP(1) },
			want: "",
		},
		{
			name: "a route target that nobody imports hides a host", router: "leaf1", mac: server3,
			bend: func(p *pod) { podInstance(p.routers["leaf3"], "web").EVPN.Export = []RT{"65000:1"} },
			want: "",
		},
		{
			name: "of two places the one with the lower address has the host", router: "leaf4", mac: server1,
			bend: func(p *pod) { p.clone("server1", "server3") },
			want: "evpn 10.0.0.1 vni 10010",
		},
		{
			name: "a router with a higher address gives its own host up", router: "leaf3", mac: server1,
			bend: func(p *pod) { p.clone("server1", "server3") },
			want: "evpn 10.0.0.1 vni 10010",
		},
		{
			name: "a router with a lower address keeps it", router: "leaf1", mac: server1,
			bend: func(p *pod) { p.clone("server1", "server3") },
			want: "learnt ethernet-1/2.0",
		},
		{
			name: "a static address is not given to a host", router: "leaf1", mac: server1,
			bend: func(p *pod) { podSub(p.routers["leaf3"], "irb1.10").MAC = MAC{2, 0, 0, 1, 0, 1} },
			want: "evpn-static 10.0.0.3 vni 10010",
		},
		{
			name: "of two places one that is static has the address", router: "leaf1", mac: "02:00:00:01:00:02",
			bend: func(p *pod) { podSub(p.routers["leaf3"], "irb1.10").MAC = MAC{2, 0, 0, 1, 0, 2} },
			want: "evpn-static 10.0.0.3 vni 10010",
		},
		{
			name: "where there is no gateway, the anycast one is behind the lowest tunnel endpoint", router: "leaf1", mac: "00:00:5E:00:01:01",
			bend: func(p *pod) { podSub(p.routers["leaf1"], "irb1.10").Enabled = false },
			want: "evpn-static 10.0.0.2 vni 10010",
		},
		{
			name: "a router that stands by has its hosts behind the segment", router: "leaf2", mac: bonded2,
			bend: (*pod).singleActive,
			want: "evpn " + bond,
		},
		{
			name: "an instance without EVPN still learns", router: "leaf1", mac: server1,
			bend: func(p *pod) { podInstance(p.routers["leaf1"], "web").EVPN.Enabled = false },
			want: "learnt ethernet-1/2.0",
		},
		{
			name: "an instance without EVPN hears of nobody", router: "leaf1", mac: server3,
			bend: func(p *pod) { podInstance(p.routers["leaf1"], "web").EVPN.Enabled = false },
			want: "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pod := newPod(4)
			if tt.bend != nil {
				tt.bend(pod)
			}
			p, r := pod.flood(tt.edit)
			table := macs(Observe(p, r, tt.router), "web")
			i := slices.IndexFunc(table, func(s string) bool { return strings.HasPrefix(s, tt.mac) })
			got := ""
			if i >= 0 {
				got = strings.TrimPrefix(table[i], tt.mac+" ")
			}
			if got != tt.want {
				t.Errorf("%s is at %q, want %q; table:\n%s", tt.mac, got, tt.want, strings.Join(table, "\n"))
			}
		})
	}
}
