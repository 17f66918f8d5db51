package srossim

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// routed tells whether a router has a route to a prefix in its default instance.
func (s *sites) routed(router string, to netip.Prefix) bool {
	st := s.state(router)
	for _, name := range []string{"default", base} {
		if in, has := st.Instances[name]; has && slices.ContainsFunc(in.Routes, func(r network.TableRoute) bool { return r.Prefix == to }) {
			return true
		}
	}
	return false
}

// unlike compares what every router knows of loopbacks with what it should, in both families.
func (s *sites) unlike(knows func(d, far *fabric.Device) bool) (out []string) {
	for _, d := range s.design.Devices {
		for _, far := range s.design.Devices {
			if d == far || !d.Loopback.IsValid() || !far.Loopback.IsValid() {
				continue
			}
			for _, to := range far.Loopbacks() {
				if got := s.routed(d.Name, to); got != knows(d, far) {
					out = append(out, fmt.Sprintf("%s: route to %s of %s: %t", d.Name, to, far.Name, got))
				}
			}
		}
	}
	return out
}

// Where the IPv4 loopback of a device is known, its IPv6 one is: in its site, and beyond it as far as the service goes.
func TestIPv6LoopbacksAreKnownWhereThoseOfIPv4Are(t *testing.T) {
	t.Parallel()
	const dual = `underlay: {loopbacks6: "2001:db8::/48", links`
	// Two spines of a site are in one AS, and neither takes the other's.
	spines := func(d, far *fabric.Device) bool {
		return d.Site == far.Site && d.Role == fabric.Spine && far.Role == fabric.Spine
	}
	fabrics := func(d, far *fabric.Device) bool {
		return d.Site == far.Site && !spines(d, far) || d.Role == fabric.Gateway && far.Role == fabric.Gateway
	}
	for _, tt := range []struct {
		name  string
		edits []string
		knows func(d, far *fabric.Device) bool
	}{
		{"gateways stitch by MPLS", nil, fabrics},
		{"gateways stitch by VXLAN, over LAGs", []string{"service: vxlan-mpls", "service: vxlan-vxlan\n    bundle: lag"}, fabrics},
		{"leaves send to leaves", []string{"service: vxlan-mpls", "service: vxlan", "cables:", "# no", "  - bj/gateway1", "# ", "  - sh/gateway1", "# "},
			func(d, far *fabric.Device) bool { return !spines(d, far) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := stitched(t, append([]string{"underlay: {links", dual}, tt.edits...)...)
			if got := s.unlike(tt.knows); len(got) > 0 {
				t.Errorf("%d, the first %q", len(got), got[0])
			}
		})
	}
}

// Where a gateway has no part in IPv6, it knows nobody of that side by IPv6, and by IPv4 everybody still.
func TestIPv6EndsWhereAGatewayCarriesNone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, path, value string
		lost              []string
	}{
		{"IS-IS", "/configure/router[router-name=Base]/isis[isis-instance=0]/ipv6-routing", "mt", []string{"sh-gateway1", "sh-gateway2"}},
		{"BGP", "/configure/router[router-name=Base]/bgp/group[group-name=underlay]/family/ipv6", "false", []string{"bj-spine1", "bj-spine2", "bj-leaf1", "bj-leaf2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := stitched(t, "underlay: {links", `underlay: {loopbacks6: "2001:db8::/48", links`)
			const gateway = "bj-gateway1"
			s.running[gateway] = with(t, s.running[gateway], tt.path, tt.value)
			s.survey(network.Outages{})
			var got []string
			for _, far := range s.design.Devices {
				if !far.Loopback.IsValid() || far.Name == gateway {
					continue
				}
				if to := far.Loopbacks(); s.routed(gateway, to[0]) && !s.routed(gateway, to[1]) {
					got = append(got, far.Name)
				}
			}
			if !slices.Equal(got, tt.lost) {
				t.Errorf("lost %v, want %v", got, tt.lost)
			}
		})
	}
}
