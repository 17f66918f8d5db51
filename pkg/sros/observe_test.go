package sros

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
)

// shown is what a router shows: ratios in centibels, powers in hundredths of a dBm (nokia-state-port-dwdm-coherent).
const shown = `{
"nokia-conf:configure": {
  "port": [
    {"port-id": "1/1/c1", "admin-state": "enable", "transceiver": {"digital-coherent-optics": true}, "dwdm": {"coherent": {"compatibility": "open-zrp-ofec1"}}},
    {"port-id": "1/1/c1/1", "admin-state": "enable"}, {"port-id": "1/1/c36/1", "admin-state": "enable"},
    {"port-id": "1/1/c2", "admin-state": "disable", "transceiver": {"digital-coherent-optics": true}, "dwdm": {"coherent": {"compatibility": "oif-400g-zr"}}}],
  "router": [{"router-name": "Base", "bgp": {
    "group": [
      {"group-name": "overlay", "family": {"evpn": true}},
      {"group-name": "underlay", "family": {"ipv4": true}, "dynamic-neighbor": {"interface": [{"interface-name": "fabric-1/1/c36/1", "allowed-peer-as": ["4200010001"]}]}}],
    "neighbor": [{"ip-address": "10.1.0.1", "group": "overlay"}, {"ip-address": "10.1.0.2", "group": "overlay", "family": {"ipv4": true}}]}}],
  "system": {"lldp": {"admin-state": "enable"}}},
"nokia-state:state": {
  "bfd": {"pt-to-pt-session": [
    {"router-instance": "Base", "interface-name": "to-sh", "address": "10.255.2.0", "remote-address": "10.255.2.1", "state": {"session-state": "up"}},
    {"router-instance": "Base", "interface-name": "fabric-1/1/c36/1", "address": "fe80::1", "remote-address": "fe80::2", "state": {"session-state": "down"}}]},
  "lag": [{"lag-name": "lag-1", "oper-state": "up", "port": [{"port-id": "1/1/c1/1", "oper-state": "up"}, {"port-id": "1/1/c2/1", "oper-state": "down"}]},
          {"lag-name": "lag-mine", "oper-state": "up"}],
  "port": [
    {"port-id": "1/1/c1", "oper-state": "up", "port-state": "up", "dwdm": {"oper-frequency": 193700000, "coherent": {"module-state": "ready", "statistics": {
      "received": {"bit-error-rate": {"current": "0.00123"}, "optical-signal-to-noise-ratio": {"current": 3012}, "electrical-signal-to-noise-ratio": {"current": 1650},
        "chromatic-dispersion": {"current": 1340}, "differential-group-delay": {"current": 3, "average": 2}, "frequency-offset": {"current": -120},
        "quality": {"current": 812}, "power": {"current": -950}, "total-power": {"current": -940}},
      "transmitted": {"power": {"current": -1002}}}}}},
    {"port-id": "1/1/c1/1", "oper-state": "up", "port-state": "up", "ethernet": {"lldp": {"dest-mac": [
      {"mac-type": "nearest-bridge", "remote-system": [{"remote-time-mark": 5, "remote-index": 1, "system-name": "sh-gateway1", "remote-port-id": "1/1/c1/1"}]},
      {"mac-type": "nearest-customer", "remote-system": [{"remote-time-mark": 5, "remote-index": 1, "system-name": "far", "remote-port-id": "1"}]}]}}},
    {"port-id": "1/1/c2", "oper-state": "down", "port-state": "link-down", "dwdm": {"coherent": {"module-state": "tx-off"}}},
    {"port-id": "1/1/c36/1", "oper-state": "down", "port-state": "link-down"}],
  "router": [{"router-name": "Base", "bgp": {"neighbor": [
    {"ip-address": "10.1.0.1", "statistics": {"peer-as": 65000, "session-state": "Established", "negotiated-family": ["EVPN"],
      "family-prefix": {"evpn": {"received": 40, "active": 38}}}},
    {"ip-address": "10.1.0.2", "statistics": {"peer-as": 65000, "session-state": "Active", "last-error": "Hold Timer Expired"}},
    {"ip-address": "fe80::2%fabric-1/1/c36/1", "statistics": {"peer-as": 4200010001, "session-state": "Established", "negotiated-family": ["IPv4"],
      "family-prefix": {"ipv4": {"received": 5, "active": 4}}}}]}}]}}`

func TestObserveReadsWhatARouterShows(t *testing.T) {
	t.Parallel()
	tree, unknown, err := config.Parse(sros.Schema, "26.3", []byte(shown), config.ParseOptions{State: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	is := func(v float64) *float64 { return &v }
	want := verify.Device{
		LLDP: true,
		Interfaces: map[string]verify.Interface{
			"1/1/c1":    {Enabled: true, Up: true},
			"1/1/c1/1":  {Enabled: true, Up: true, Far: []verify.Far{{System: "sh-gateway1", Port: "1/1/c1/1"}}},
			"1/1/c2":    {Reason: "link-down"},
			"1/1/c36/1": {Enabled: true, Reason: "link-down"},
		},
		LAGs: map[uint32]verify.LAG{1: {Up: true, Members: map[string]verify.Member{"1/1/c1/1": {Up: true}, "1/1/c2/1": {}}}},
		Sessions: []verify.Session{
			{Instance: "default", Peer: addr("10.1.0.1"), PeerAS: 65000, State: "established", Families: map[string]verify.Family{"evpn": {Negotiated: true, Received: 40, Active: 38}}},
			{Instance: "default", Peer: addr("10.1.0.2"), PeerAS: 65000, State: "active", Last: "Hold Timer Expired", Families: map[string]verify.Family{"ipv4-unicast": {}}},
			{Instance: "default", Peer: addr("fe80::2").WithZone("1/1/c36/1.0"), PeerAS: 4200010001, State: "established",
				Families: map[string]verify.Family{"ipv4-unicast": {Negotiated: true, Received: 5, Active: 4}}},
		},
		BFD: []verify.BFD{{Instance: "default", Peer: addr("fe80::2")}, {Instance: "default", Peer: addr("10.255.2.1"), Up: true}},
		Optical: map[string]verify.Optical{
			"1/1/c1": {Laser: true, Frequency: 193_700_000, Mode: "open-zrp-ofec1", Transmitted: is(-10.02), Received: is(-9.5), Total: is(-9.4),
				OSNR: is(30.12), ESNR: is(16.5), Q: is(8.12), BER: is(0.00123), Dispersion: is(1340), PMD: is(2), Offset: is(-120)},
			"1/1/c2": {Reason: "tx-off", Mode: "oif-400g-zr"},
		},
		Tunnels: map[uint32]verify.Tunnel{}, Segments: map[string]verify.Segment{},
		Adjacencies: map[string]verify.Adjacency{}, Services: map[string]verify.Service{},
	}
	if diff := cmp.Diff(want, Observe(tree, nil), addresses); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

var addresses = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestARouterThatShowsNothingHasNothing(t *testing.T) {
	t.Parallel()
	got := Observe(config.EmptyTree(sros.Schema, "26.3"), nil)
	if len(got.Interfaces)+len(got.LAGs)+len(got.Sessions)+len(got.BFD)+len(got.Optical) > 0 || got.LLDP {
		t.Errorf("got %+v", got)
	}
}

func TestARenderedConfigurationAsksForWhatTheDesignDoes(t *testing.T) {
	t.Parallel()
	families := func(name string) map[string]verify.Family { return map[string]verify.Family{name: {}} }
	session := func(peer string, as uint32, family string) verify.Session {
		return verify.Session{Instance: "default", Peer: addr(peer), PeerAS: as, Families: families(family)}
	}
	power := -10.0
	light := map[string]verify.Optical{}
	for i, port := range []string{"1/1/c1", "1/1/c2", "1/1/c3"} {
		light[port] = verify.Optical{Laser: true, Frequency: 193_700_000 + 75_000*uint64(i), Mode: "open-zrp-ofec1", Target: &power}
	}
	want := verify.Device{
		LLDP: true, VTEP: addr("10.1.64.1"), Optical: light, Tunnels: map[uint32]verify.Tunnel{}, Segments: map[string]verify.Segment{},
		Adjacencies: map[string]verify.Adjacency{"to-sh-gateway1-lag1": {Enabled: true}, "to-gz-gateway1-1/1/c3/1": {Enabled: true}},
		Labels:      verify.Labels{Enabled: true}, Services: map[string]verify.Service{},
		LAGs: map[uint32]verify.LAG{1: {Members: map[string]verify.Member{"1/1/c1/1": {}, "1/1/c2/1": {}}}},
		Sessions: []verify.Session{
			session("10.1.0.1", 65000, "evpn"), session("10.1.0.2", 65000, "evpn"), session("10.1.128.3", 4200010001, "ipv4-unicast"),
			session("10.1.128.5", 4200010001, "ipv4-unicast"), session("10.2.64.1", 65000, "evpn"), session("10.3.64.1", 65000, "evpn"),
		},
	}
	for _, peer := range []string{"10.1.128.3", "10.1.128.5", "10.255.3.1", "10.255.2.1"} {
		want.BFD = append(want.BFD, verify.BFD{Instance: "default", Peer: addr(peer)})
	}
	got := Asks(render(t, gateway(t)))
	if len(got.Interfaces) != 10 || !got.Interfaces["1/1/c36/1"].Enabled {
		t.Errorf("interfaces: %v", got.Interfaces)
	}
	got.Interfaces = nil
	if diff := cmp.Diff(want, got, addresses); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	found := Asks(render(t, gateway(t, unnumbered))).Sessions
	if last := found[len(found)-1]; last.Peer.Zone() != "1/1/c36/1.0" || len(last.Families) != 1 {
		t.Errorf("on a link without addresses: %+v", last)
	}
}

func TestWhatIsDisabledIsNotAskedFor(t *testing.T) {
	t.Parallel()
	whole := Asks(render(t, gateway(t)))
	for path, less := range map[string]func(verify.Device) bool{
		bgpPath + "/admin-state":                                                                      func(d verify.Device) bool { return len(d.Sessions) == 0 },
		groupPath + "[group-name=underlay]/admin-state":                                               func(d verify.Device) bool { return len(d.Sessions) == 4 },
		peerPath + "[ip-address=10.1.0.1]/admin-state":                                                func(d verify.Device) bool { return len(d.Sessions) == 5 },
		portPath + "[port-id=1/1/c2]/admin-state":                                                     func(d verify.Device) bool { return len(d.Optical) == 2 && !d.Interfaces["1/1/c2"].Enabled },
		linkPath + "[interface-name=to-sh-gateway1-lag1]/ipv4/bfd/admin-state":                        func(d verify.Device) bool { return len(d.BFD) == 3 },
		basePath + "/isis[isis-instance=0]/admin-state":                                               func(d verify.Device) bool { return len(d.Adjacencies) == 0 && !d.Labels.Enabled },
		basePath + "/isis[isis-instance=0]/segment-routing/admin-state":                               func(d verify.Device) bool { return !d.Labels.Enabled },
		basePath + "/isis[isis-instance=0]/interface[interface-name=to-sh-gateway1-lag1]/admin-state": func(d verify.Device) bool { return len(d.Adjacencies) == 1 },
		"/configure/system/lldp/admin-state":                                                          func(d verify.Device) bool { return !d.LLDP },
	} {
		off := set(t, render(t, gateway(t)), path, switchedOff)
		if got := Asks(off); !less(got) || less(whole) {
			t.Errorf("%s: asked for %+v", path, got)
		}
	}
}
