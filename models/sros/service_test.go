package sros_test

import (
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/models/sros/ygotsros"
	"github.com/loomfabric/loom/pkg/config"
)

// A bridge and a router with an instance towards each side, and the segment of a gateway pair.
const services = `{"nokia-conf:configure": {"service": {
  "customer": [{"customer-name": "loom", "customer-id": 7}],
  "system": {"bgp": {"evpn": {"ethernet-segment": [{"ethernet-segment-name": "interconnect", "type": "virtual", "admin-state": "enable",
    "esi": "00:00:01:00:00:00:01:00:00:00", "multi-homing-mode": "all-active",
    "association": {"network-interconnect-vxlan": [{"network-interconnect-vxlan-id": 1, "virtual-ranges": {"service-id": [{"start": 10010, "end": 10011}]}}]}}]}}},
  "vpls": [
    {"service-name": "red-web", "service-id": 10010, "customer": "loom", "admin-state": "enable", "vxlan": {"instance": [{"vxlan-instance": 1, "vni": 10010}]},
     "bgp": [{"bgp-instance": 1, "route-distinguisher": "10.1.64.1:10"}, {"bgp-instance": 2, "route-distinguisher": "10.1.64.1:30010"}],
     "bgp-evpn": {"evi": 10, "vxlan": [{"bgp-instance": 1, "vxlan-instance": 1, "admin-state": "enable"}],
                  "mpls": [{"bgp-instance": 2, "admin-state": "enable", "auto-bind-tunnel": {"resolution": "filter", "resolution-filter": {"sr-isis": true}}}]}},
    {"service-name": "red.fabric", "service-id": 20001, "customer": "loom", "routed-vpls": {}, "bgp-evpn": {"routes": {"ip-prefix": {"advertise": true, "domain-id": "65000:1"}}}}],
  "vprn": [{"service-name": "red", "service-id": 120001, "customer": "loom", "vxlan": {"instance": [{"vxlan-instance": 1, "vni": 120001}]},
    "interface": [{"interface-name": "fabric", "vpls": [{"vpls-name": "red.fabric", "evpn-tunnel": {"ipv6-gateway-address": "mac"}}]}],
    "bgp-evpn": {"vxlan": [{"bgp-instance": 1, "vxlan-instance": 1, "domain-id": "65000:65535", "vrf-target": {"community": "target:65000:120001"}}]}}]}}}`

func TestServicesAreReadAlikeByTreeAndStructs(t *testing.T) {
	t.Parallel()
	tree, unknown, err := config.Parse(sros.Schema, "26.3", []byte(services), config.ParseOptions{Strict: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	device := &ygotsros.Device{}
	if err := ygotsros.Unmarshal(tree.AppendJSON(nil, false), device); err != nil {
		t.Fatal(err)
	}
	if err := device.Validate(); err != nil {
		t.Fatal(err)
	}
	if tunnel := device.Configure.Service.Vprn["red"].Interface["fabric"].Vpls["red.fabric"].EvpnTunnel; tunnel == nil {
		t.Error("the tunnel of the interface is lost")
	}
}

func TestServicesThatTheModelsDoNotAllowAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{`"service-id": 10010`, `"service-id": 2147483648`},
		{`"65000:65535"`, `"65000:65536"`},
		{`"target:65000:120001"`, `"65000:120001"`},
		{`"10.1.64.1:30010"`, `"10.1.64.1:65536"`},
		{`"vni": 10010`, `"vni": 16777216`},
		{`"vxlan-instance": 1, "vni": 10010`, `"vxlan-instance": 3, "vni": 10010`},
		{`"all-active"`, `"both"`},
		{`00:00:01:00:00:00:01:00:00:00`, `00:00:01:00:00:00:01:00:00`},
	} {
		spoilt := strings.Replace(services, c[0], c[1], 1)
		if spoilt == services {
			t.Fatalf("no %s", c[0])
		}
		if _, _, err := config.Parse(sros.Schema, "26.3", []byte(spoilt), config.ParseOptions{Strict: true}); err == nil {
			t.Errorf("%s instead of %s passes", c[1], c[0])
		}
	}
}
