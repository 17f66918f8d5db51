package sros

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
)

// joining is what a gateway shows of IS-IS, labels and services.
const joining = `{
"nokia-conf:configure": {
  "router": [{"router-name": "Base", "isis": [{"isis-instance": 0, "admin-state": "enable", "segment-routing": {"admin-state": "enable"}, "interface": [
    {"interface-name": "system", "passive": true}, {"interface-name": "a", "admin-state": "enable"}, {"interface-name": "b"},
    {"interface-name": "c", "admin-state": "disable"}, {"interface-name": "d"}]}]}],
  "service": {
    "system": {"bgp": {"evpn": {"ethernet-segment": [{"ethernet-segment-name": "on", "admin-state": "enable"}, {"ethernet-segment-name": "off", "admin-state": "disable"}]}}},
    "vpls": [
      {"service-name": "red-web", "admin-state": "enable", "bgp-evpn": {"mpls": [{"bgp-instance": 2, "admin-state": "enable"}]}},
      {"service-name": "red-db", "admin-state": "enable"}, {"service-name": "red-off", "admin-state": "disable"},
      {"service-name": "red-in", "admin-state": "enable", "routed-vpls": {}}, {"service-name": "blue-in", "admin-state": "enable", "routed-vpls": {}}],
    "vprn": [
      {"service-name": "red", "admin-state": "enable", "interface": [{"interface-name": "fabric", "vpls": [{"vpls-name": "red-in"}]}]},
      {"service-name": "blue", "admin-state": "enable", "interface": [{"interface-name": "fabric", "vpls": [{"vpls-name": "blue-in"}]}]},
      {"service-name": "green", "admin-state": "enable", "interface": [{"interface-name": "fabric", "vpls": [{"vpls-name": "red-off"}]}]},
      {"service-name": "new", "admin-state": "enable"}]}},
"nokia-state:state": {
  "router": [{"router-name": "Base",
    "isis": [{"isis-instance": 0, "interface": [
      {"interface-name": "a", "adjacency": [
        {"adjacency-index": 1, "oper-state": "initializing", "usage": "undefined", "neighbor": {"system-id": "0100.0306.4001"}},
        {"adjacency-index": 2, "oper-state": "up", "usage": "level2", "neighbor": {"system-id": "0100.0206.4001", "ipv4": "10.255.0.1"}}]},
      {"interface-name": "b", "adjacency": [{"adjacency-index": 1, "oper-state": "up", "usage": "level1", "neighbor": {"system-id": "a1b2.c3d4.e5f6"}}]}]}],
    "tunnel-table": {"ipv4": {"tunnel": [
      {"ipv4-prefix": "10.2.64.2/32", "list-index": 1, "nexthop-index": 1, "protocol": "isis"},
      {"ipv4-prefix": "10.2.64.1/32", "list-index": 1, "nexthop-index": 1, "protocol": "isis"},
      {"ipv4-prefix": "10.2.64.1/32", "list-index": 1, "nexthop-index": 2, "protocol": "isis"},
      {"ipv4-prefix": "10.2.64.3/32", "list-index": 1, "nexthop-index": 1, "protocol": "ldp"}]}}}],
  "service": {
    "system": {"bgp": {"evpn": {"ethernet-segment": [{"ethernet-segment-name": "on", "oper-state": "up"}, {"ethernet-segment-name": "off", "oper-state": "down"}]}}},
    "vpls": [
      {"service-name": "red-web", "oper-state": "up", "bgp-evpn": {"mpls": [{"bgp-instance": 2, "destinations": {"non-ethernet-segment-destination": [
        {"ip-address": "10.2.64.2", "label": 400001, "tunnel-id": [{"tunnel-id": 1, "oper-state": "up"}]},
        {"ip-address": "10.2.64.1", "label": 400001, "tunnel-id": [{"tunnel-id": 1, "oper-state": "up"}]},
        {"ip-address": "10.2.64.1", "label": 400002, "tunnel-id": [{"tunnel-id": 1, "oper-state": "up"}]},
        {"ip-address": "10.2.64.9", "label": 400001, "tunnel-id": [{"tunnel-id": 1, "oper-state": "down"}]}]}}]}},
      {"service-name": "red-db", "oper-state": "down"}, {"service-name": "red-off", "oper-state": "down"},
      {"service-name": "red-in", "oper-state": "up"}, {"service-name": "blue-in", "oper-state": "down"}],
    "vprn": [
      {"service-name": "red", "oper-state": "up", "interface": [{"interface-name": "fabric", "oper-state": "up"}],
        "route-table": {"unicast": {"ipv4": {"statistics": {"evpn-iff": {"active-routes": 3}, "evpn-ifl": {"active-routes": 2}}}}}},
      {"service-name": "blue", "oper-state": "up", "interface": [{"interface-name": "fabric", "oper-state": "up"}]}]}}}`

func TestObserveReadsWhatJoinsSites(t *testing.T) {
	t.Parallel()
	tree, unknown, err := config.Parse(sros.Schema, "26.3", []byte(joining), config.ParseOptions{State: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	far := []netip.Addr{addr("10.2.64.1"), addr("10.2.64.2")}
	want := verify.Device{
		Adjacencies: map[string]verify.Adjacency{
			"a": {Enabled: true, State: "up", Level2: true, System: addr("10.2.64.1"), Peer: addr("10.255.0.1")},
			"b": {Enabled: true, State: "up"}, // of another level, and with a system id that is made of no address
			"d": {Enabled: true},
		},
		Labels: verify.Labels{Enabled: true, Ends: far},
		Services: map[string]verify.Service{
			"red-web": {Enabled: true, Up: true, MPLS: true, Floods: far},
			"red-db":  {Enabled: true, Reason: "down"},
			"red-off": {Reason: "down"},
			"red":     {Enabled: true, Up: true, Inside: 3, Outside: 2},
			"blue":    {Enabled: true, Reason: "blue-in down"},
			"green":   {}, // the bridge behind it is off
			"new":     {Enabled: true},
		},
		Segments: map[string]verify.Segment{
			"on":  {Up: true, Elections: map[string]verify.Election{}},
			"off": {Off: true, Reason: "down", Elections: map[string]verify.Election{}},
		},
	}
	got := Observe(tree, nil)
	if diff := cmp.Diff(want, verify.Device{Adjacencies: got.Adjacencies, Labels: got.Labels, Services: got.Services, Segments: got.Segments}, addresses); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestASystemIDSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"0100.0206.4001": "10.2.64.1", "010002064001": "10.2.64.1", "0100.0206.4001.00-00": "10.2.64.1", "1921.6800.1255": "192.168.1.255",
		"": "invalid IP", "0100.0206": "invalid IP", "9990.0000.0001": "invalid IP", "sh-gateway1": "invalid IP", "a1b2.c3d4.e5f6": "invalid IP",
	} {
		if got := systemOf(id).String(); got != want {
			t.Errorf("%q is of %s, not %s", id, got, want)
		}
	}
}
