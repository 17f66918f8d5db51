package srlinux

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

// shown is what a router answers: module prefixes as SR Linux writes them, and only what there is.
const shown = `{
"srl_nokia-interfaces:interface": [
  {"name": "ethernet-1/1", "admin-state": "enable", "oper-state": "down", "oper-down-reason": "transceiver-oper-down"},
  {"name": "ethernet-1/49", "admin-state": "enable", "oper-state": "up"},
  {"name": "lag1", "admin-state": "enable", "oper-state": "up", "srl_nokia-interfaces-lag:lag": {"member": [
    {"name": "ethernet-1/1", "oper-state": "down", "oper-down-reason": "port-oper-disabled"}]}},
  {"name": "mgmt0", "admin-state": "enable", "oper-state": "up"}],
"srl_nokia-system:system": {
  "srl_nokia-lldp:lldp": {"admin-state": "enable", "interface": [
    {"name": "ethernet-1/49", "neighbor": [{"id": "7", "system-name": "spine1", "port-id": "ethernet-1/3"}]}]},
  "srl_nokia-system-network-instance:network-instance": {"protocols": {"evpn": {"ethernet-segments": {"bgp-instance": [{"id": "1", "ethernet-segment": [
    {"name": "es-lag1", "esi": "00:01:02:03:04:05:06:07:08:09", "oper-state": "up", "association": {"network-instance": [{"name": "red-web", "bgp-instance": [{"instance": "1",
      "computed-designated-forwarder-candidates": {"designated-forwarder-candidate": [
        {"address": "10.1.32.1", "designated-forwarder": true}, {"address": "10.1.32.2", "designated-forwarder": false}]}}]}]}}]}]}}}}},
"srl_nokia-network-instance:network-instance": [{"name": "default", "protocols": {"srl_nokia-bgp:bgp": {
  "group": [{"group-name": "overlay", "peer-as": 65000}],
  "neighbor": [
    {"peer-address": "10.1.0.1", "peer-group": "overlay", "session-state": "established", "afi-safi": [
      {"afi-safi-name": "srl_nokia-common:evpn", "oper-state": "up", "received-routes": 12, "active-routes": 9},
      {"afi-safi-name": "srl_nokia-common:ipv4-unicast", "admin-state": "disable"}]},
    {"peer-address": "fe80::1%ethernet-1/49.0", "peer-as": 64999, "session-state": "active",
      "sent-messages": {"last-notification-error-code": "Open Message Error", "last-notification-error-subcode": "Bad Peer As"}}]}}}],
"srl_nokia-bfd:bfd": {"network-instance": [{"name": "default", "peer": [
  {"local-discriminator": 16385, "remote-address": "10.1.128.1", "session-state": "UP"}]}]},
"srl_nokia-tunnel-interfaces:tunnel-interface": [{"name": "vxlan1", "vxlan-interface": [
  {"index": 10010, "oper-state": "up", "ingress": {"vni": 10010}, "bridge-table": {"multicast-destinations": {"destination": [
    {"vtep": "10.1.32.10", "vni": 10010}, {"vtep": "10.1.32.9", "vni": 10010}]}}},
  {"index": 10011, "oper-state": "down", "oper-down-reason": "mac-failed", "ingress": {"vni": 10011}}]}]
}`

func TestObserveReadsWhatARouterShows(t *testing.T) {
	t.Parallel()
	for _, release := range srl.Schema.Releases {
		tree, unknown, err := config.Parse(srl.Schema, release, []byte(shown), config.ParseOptions{State: true})
		if err != nil {
			t.Fatal(release, err)
		}
		if len(unknown) > 0 {
			t.Errorf("%s: unknown %v", release, unknown)
		}
		if diff := cmp.Diff(want(), Observe(tree, nil), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", release, diff)
		}
	}
}

// A router may be newer than its profile: what it says is shown in its own words.
func TestObserveShowsReasonsThatNobodyHasHeardOf(t *testing.T) {
	t.Parallel()
	newer := strings.NewReplacer(`"transceiver-oper-down"`, `"cosmic-ray"`, `"mac-failed"`, `"vtep-on-fire"`,
		`"session-state": "active"`, `"session-state": "resting"`, `"Bad Peer As"`, `"Peer As Too Large"`).Replace(shown)
	tree, _, err := config.Parse(srl.Schema, "25.3", []byte(newer), config.ParseOptions{State: true})
	if err != nil {
		t.Fatal(err)
	}
	got := Observe(tree, nil)
	want := [...]string{"cosmic-ray", "vtep-on-fire", "resting", "sent Open Message Error: Peer As Too Large"}
	said := [...]string{got.Interfaces["ethernet-1/1"].Reason, got.Tunnels[10011].Reason, got.Sessions[1].State, got.Sessions[1].Last}
	if said != want {
		t.Errorf("got %q, want %q", said, want)
	}
}

func want() verify.Device {
	addr := netip.MustParseAddr
	return verify.Device{
		LLDP: true,
		Interfaces: map[string]verify.Interface{
			"ethernet-1/1":  {Enabled: true, Reason: "transceiver-oper-down"},
			"ethernet-1/49": {Enabled: true, Up: true, Far: []verify.Far{{System: "spine1", Port: "ethernet-1/3"}}},
		},
		LAGs: map[uint32]verify.LAG{1: {Up: true, Members: map[string]verify.Member{"ethernet-1/1": {Reason: "port-oper-disabled"}}}},
		Sessions: []verify.Session{
			{
				Instance: "default", Peer: addr("10.1.0.1"), PeerAS: 65000, State: "established",
				Families: map[string]verify.Family{"evpn": {Negotiated: true, Received: 12, Active: 9}},
			},
			{
				Instance: "default", Peer: addr("fe80::1%ethernet-1/49.0"), PeerAS: 64999, State: "active",
				Last: "sent Open Message Error: Bad Peer As", Families: map[string]verify.Family{},
			},
		},
		BFD: []verify.BFD{{Instance: "default", Peer: addr("10.1.128.1"), Up: true}},
		Tunnels: map[uint32]verify.Tunnel{
			10010: {Up: true, VTEPs: []netip.Addr{addr("10.1.32.9"), addr("10.1.32.10")}},
			10011: {Reason: "mac-failed"},
		},
		Segments: map[string]verify.Segment{"es-lag1": {
			ESI: "00:01:02:03:04:05:06:07:08:09", Up: true,
			Elections: map[string]verify.Election{"red-web": {
				Candidates: []netip.Addr{addr("10.1.32.1"), addr("10.1.32.2")}, Forwarders: []netip.Addr{addr("10.1.32.1")},
			}},
		}},
		Optical: map[string]verify.Optical{},
	}
}

func TestARouterThatShowsNothingHasNothing(t *testing.T) {
	t.Parallel()
	got := Observe(config.EmptyTree(srl.Schema, "25.3"), nil)
	if got.LLDP || len(got.Interfaces)+len(got.LAGs)+len(got.Sessions)+len(got.BFD)+len(got.Tunnels)+len(got.Segments) > 0 {
		t.Errorf("got %+v", got)
	}
}

// A path that no release has would be asked for in vain, or refused. Light is asked of devices that have some.
func TestWhatIsObservedIsInTheModels(t *testing.T) {
	t.Parallel()
	d := gateway(t)
	for _, text := range observePaths {
		for _, release := range srl.Schema.Releases {
			isInModels(t, text, release)
		}
	}
	for _, text := range lightPaths {
		isInModels(t, text, d.Release)
	}
	if got := Driver().Observed(d); len(got) != len(observePaths)+len(lightPaths) {
		t.Errorf("of a gateway %d paths are read", len(got))
	}
	if got := Driver().Observed(gateway(t, unlit)); len(got) != len(observePaths) {
		t.Errorf("of a router without light %d paths are read", len(got))
	}
}

func isInModels(t *testing.T, text, release string) {
	t.Helper()
	p, err := config.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	at := config.Root
	for _, e := range p {
		if at = childOf(at, e.Name); at == config.Root {
			t.Fatalf("%s: there is no %s", text, e.Name)
		}
	}
	if !srl.Schema.Nodes[at].In.Has(srl.Schema.Release(release)) {
		t.Errorf("%s: not in %s", text, release)
	}
}

// shownLight is what a gateway answers: decimals as strings (RFC 7951 §6.1), and a transceiver that is not lit yet.
const shownLight = `{"srl_nokia-interfaces:interface": [
  {"name": "ethernet-1/1", "admin-state": "enable", "oper-state": "up", "transceiver": {
    "functional-type": "srl_nokia-interfaces:digital-coherent-optics", "oper-state": "up",
    "srl_nokia-interfaces-dco:optical-channel": [{"index": 1, "frequency": 193175000, "operational-mode": "1085", "oper-frequency": 193175000, "module-state": "ready",
      "statistics": {"transmitted": {"power": {"current": "-10.02"}}, "received": {
        "bit-error-rate": {"current": "0.001250000000000000", "average": "0.0013"}, "power": {"current": "-9.5"}, "total-power": {"current": "-9.4"},
        "optical-signal-to-noise-ratio": {"current": "27.5"}, "electrical-signal-to-noise-ratio": {"current": "17.1"}, "quality": {"current": "9.6"},
        "chromatic-dispersion": {"current": 4008}, "differential-group-delay": {"current": "1.2", "average": "0.8"}, "frequency-offset": {"current": -120}}}}]}},
  {"name": "ethernet-1/3", "admin-state": "enable", "oper-state": "down", "transceiver": {
    "functional-type": "srl_nokia-interfaces:digital-coherent-optics", "tx-laser": false, "oper-state": "down", "oper-down-reason": "tx-laser-disabled",
    "srl_nokia-interfaces-dco:optical-channel": [{"index": 1, "operational-mode": "1083", "oper-frequency": 0, "module-state": "low-power"}]}},
  {"name": "ethernet-1/36", "oper-state": "up", "transceiver": {"oper-state": "up", "input-power": {"latest-value": "-2.0"}}}]}`

func TestTheLightOfCoherentPortsIsRead(t *testing.T) {
	t.Parallel()
	tree, unknown, err := config.Parse(srl.Schema, "25.3", []byte(shownLight), config.ParseOptions{State: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(unknown, err)
	}
	is := func(v float64) *float64 { return &v }
	want := map[string]verify.Optical{
		"ethernet-1/1": {
			Laser: true, Frequency: 193_175_000, Mode: "1085", Transmitted: is(-10.02), Received: is(-9.5), Total: is(-9.4),
			OSNR: is(27.5), ESNR: is(17.1), Q: is(9.6), BER: is(1.25e-3), Dispersion: is(4008), PMD: is(0.8), Offset: is(-120),
		},
		"ethernet-1/3": {Reason: "tx-laser-disabled", Mode: "1083"},
	}
	if diff := cmp.Diff(want, Observe(tree, nil).Optical); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLightIsAskedForWhereALaserIsToBeOn(t *testing.T) {
	t.Parallel()
	power := -10.0
	for name, c := range map[string]struct {
		change func(*fabric.Device)
		want   map[string]verify.Optical
	}{
		"as designed":             {both(), map[string]verify.Optical{"ethernet-1/1": {Laser: true, Frequency: 193_175_000, Mode: "1085", Target: &power}}},
		"its laser is off":        {off, map[string]verify.Optical{}},
		"without coherent optics": {unlit, map[string]verify.Optical{}},
	} {
		if diff := cmp.Diff(c.want, Asks(render(t, gateway(t, c.change))).Optical); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func childOf(parent config.ID, name string) config.ID {
	for id := range srl.Schema.Nodes {
		if n := &srl.Schema.Nodes[id]; n.Parent == parent && n.Name == name && config.ID(id) != parent {
			return config.ID(id)
		}
	}
	return config.Root
}
