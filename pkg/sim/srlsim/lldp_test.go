package srlsim

import (
	"net/netip"
	"testing"

	"github.com/loomfabric/loom/pkg/sim/network"
)

func TestLLDPNeighborsShowWhereTheyAreManaged(t *testing.T) {
	t.Parallel()
	const addresses = "/system/lldp/interface[name=ethernet-1/1]/neighbor[id=1]/management-address"
	showAll(t, []showing{{"addresses of both families", `{"interface":[{"name":"ethernet-1/1"}],"system":{"lldp":{}}}`,
		network.State{Links: &network.Links{LLDP: []network.LLDPNeighbor{{Port: "ethernet-1/1",
			Management: []netip.Addr{netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("2001:db8::9")}}}}},
		map[string]string{addresses + "[address=192.0.2.9]/type": "IPv4", addresses + "[address=2001:db8::9]/type": "IPv6"}}})
}
