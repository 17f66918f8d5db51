package srossim

import (
	"fmt"
	"slices"
	"testing"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim/network"
	driving "github.com/loomfabric/loom/pkg/sros"
)

// drain drains a gateway.
func (s *sites) drain(t *testing.T, gateway string) {
	t.Helper()
	drained, err := driving.Drain(s.running[gateway], s.design.Device(gateway))
	if err != nil {
		t.Fatal(err)
	}
	s.running[gateway] = drained
	s.survey(network.Outages{})
}

// over is what a router sends over tunnels to another one: MAC addresses, by their segments too, and prefixes.
func (s *sites) over(router string, far *fabric.Device) (out []string) {
	ends := func(list []network.Destination) bool {
		return slices.ContainsFunc(list, func(d network.Destination) bool { return d.VTEP == far.Loopback })
	}
	state := s.state(router)
	segments := func(list []network.SegmentDestination) {
		for _, x := range list {
			if ends(x.VTEPs) {
				out = append(out, "segment "+esiText(x.ESI))
			}
		}
	}
	for _, tunnel := range state.Tunnels {
		segments(tunnel.Segments)
	}
	for name, i := range state.Instances {
		segments(i.Interconnect.Segments)
		for _, m := range i.MACs {
			if m.VTEP == far.Loopback {
				out = append(out, name+" "+m.MAC.String())
			}
		}
		for _, route := range i.Routes {
			if slices.ContainsFunc(route.NextHops, func(h network.Hop) bool { return h.VTEP == far.Loopback }) {
				out = append(out, name+" "+route.Prefix.String())
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// known is what a router knows of tenants, wherever it is: MAC addresses and prefixes.
func (s *sites) known(router string) (out []string) {
	for name, i := range s.state(router).Instances {
		for _, m := range i.MACs {
			out = append(out, name+" "+m.MAC.String())
		}
		for _, route := range i.Routes {
			out = append(out, name+" "+route.Prefix.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Leaves have both gateways of their site, and the gateways of the other site have both, for each MAC address, each prefix and the
// segment of the site. Drained, a gateway is in none of them, and nobody knows less, or has a session less.
func TestNobodySendsOverADrainedGateway(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string][]string{
		"MPLS between sites":       nil,
		"VXLAN between sites":      {"service: vxlan-mpls", "service: vxlan-vxlan"},
		"an overlay between ASes":  {"underlay: {links", "overlay: {routing: ebgp}\n  underlay: {links"},
		"no cable between the two": {"  - bj/gateway1:1/1/c16/1 - bj/gateway2:1/1/c16/1\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stitched(t, edit...)
			far := s.design.Device("bj-gateway1")
			others := []string{"bj-leaf1", "bj-leaf2", "sh-gateway1", "sh-gateway2"}
			before := map[string][]string{}
			for _, router := range others {
				before[router] = append(s.known(router), fmt.Sprint(s.sessions(router)))
				if len(s.over(router, far)) == 0 {
					t.Errorf("%s sends nothing over the gateway before", router)
				}
			}
			s.drain(t, far.Name)
			for _, router := range others {
				if got := s.over(router, far); len(got) > 0 {
					t.Errorf("%s still sends over it: %q", router, got)
				}
				if got := append(s.known(router), fmt.Sprint(s.sessions(router))); !slices.Equal(got, before[router]) {
					t.Errorf("%s knows %q, and did %q", router, got, before[router])
				}
			}
		})
	}
}

// sessions are how many a router has that stand.
func (s *sites) sessions(router string) (stand int) {
	for _, x := range s.routing.Sessions(router) {
		if x.State == network.Established {
			stand++
		}
	}
	return stand
}

// The only gateway of a site goes on with all that it does.
func TestTheOnlyGatewayKeepsAllThatIsReachedOverIt(t *testing.T) {
	t.Parallel()
	s := stitched(t, "gateways: {count: 2,", "gateways: {count: 1,", "cables:", "# ", "  - bj/", "  # bj/", "  - sh/", "  # sh/")
	before := map[string][]string{}
	for _, router := range []string{"bj-leaf1", "sh-leaf1", "sh-gateway1"} {
		before[router] = s.known(router)
	}
	s.drain(t, "bj-gateway1")
	for router, want := range before {
		if got := s.known(router); !slices.Equal(got, want) || len(got) == 0 {
			t.Errorf("%s knows %q, and did %q", router, got, want)
		}
	}
}

// One gateway of each site is drained, and those that are left have no channel with each other: what passes between the sites goes over
// the drained ones, as there is no other way.
func TestGatewaysDrainedCrosswiseSeparateNothing(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string][]string{
		"MPLS between sites":  nil,
		"VXLAN between sites": {"service: vxlan-mpls", "service: vxlan-vxlan"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stitched(t, edit...)
			before := map[string][]string{}
			for _, router := range []string{"bj-leaf1", "sh-leaf1"} {
				before[router] = s.known(router)
			}
			s.drain(t, "bj-gateway2")
			s.drain(t, "sh-gateway1")
			for router, want := range before {
				if got := s.known(router); !slices.Equal(got, want) || len(got) == 0 {
					t.Errorf("%s knows %q, and did %q", router, got, want)
				}
			}
		})
	}
}
