package srossim

import (
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// While a site grows from one gateway to two, the one has the site's segment already and the other has not. Neither takes from the
// fabric what the other has brought there, so hosts stay where they are, at both sites and for everybody.
func TestAGatewayThatHasNoSegmentYetDoesNotTurnHostsAround(t *testing.T) {
	t.Parallel()
	for _, late := range []string{"bj-gateway1", "bj-gateway2"} {
		s := stitched(t)
		segment, err := config.ParsePath("/configure/service/system/bgp/evpn/ethernet-segment[ethernet-segment-name=interconnect]")
		if err != nil {
			t.Fatal(err)
		}
		if s.running[late], err = config.Apply(s.running[late], &gnmi.SetRequest{Delete: []*gnmi.Path{segment.GNMI()}}); err != nil {
			t.Fatal(err)
		}
		s.survey(network.Outages{})
		for leaf, want := range map[string]string{"bj-leaf1": serverMAC(1).String(), "bj-leaf2": serverMAC(1).String(), "sh-leaf1": serverMAC(0).String(), "sh-leaf2": serverMAC(0).String()} {
			if got := s.macs(leaf, "red-web"); len(got) != 1 || !strings.HasPrefix(got[0], want) {
				t.Errorf("%s is late: %s has %q, want %s", late, leaf, got, want)
			}
		}
	}
}
