package srossim

import (
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
)

const release = "26.3"

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// chassis is a box with all of its connectors.
func chassis(t testing.TB) network.Hardware {
	t.Helper()
	const platform = "7750-SR-1s"
	box, ok := hardware.Lookup(platform)
	if !ok {
		t.Fatal("no platform")
	}
	h := network.Hardware{Name: "gw1", Platform: platform, Serial: "NS1", MAC: network.MAC{2, 0, 0, 1, 0, 0}}
	for _, p := range box.Ports {
		h.Ports = append(h.Ports, network.Jack{Name: p.Name, Speed: p.Speeds[0]})
	}
	return h
}

// parse reads members of /configure.
func parse(t testing.TB, members string) *config.Tree {
	t.Helper()
	tree, unknown, err := config.Parse(sros.Schema, release, []byte(`{"nokia-conf:configure": {`+members+`}}`), config.ParseOptions{})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	return tree
}

// Parts of documents.
const (
	cards = `"card": [{"slot-number": 1, "card-type": "xcm-1s", "mda": [{"mda-slot": 1, "mda-type": "s36-400gb-qsfpdd"}]}]`
	lldp  = `"lldp": {"dest-mac": [{"mac-type": "nearest-bridge", "receive": true, "transmit": true, "port-id-subtype": "tx-if-name", "tx-tlvs": {"sys-name": true, "port-desc": true}}]}`
	ports = `"port": [
		{"port-id": "1/1/c1", "admin-state": "enable", "connector": {"breakout": "c1-400g"}, "transceiver": {"digital-coherent-optics": true},
			"dwdm": {"frequency": 193700000, "coherent": {"compatibility": "open-zrp-ofec1", "target-power": "-10.00"}}},
		{"port-id": "1/1/c1/1", "admin-state": "enable", "description": "to sh", "ethernet": {"mode": "network", "encap-type": "null", "mtu": 9196, ` + lldp + `}},
		{"port-id": "1/1/c2", "admin-state": "enable", "connector": {"breakout": "c4-100g"}},
		{"port-id": "1/1/c2/1", "admin-state": "enable", "ethernet": {"mode": "network"}}]`
	system = `{"interface-name": "system", "ipv4": {"primary": {"address": "10.1.64.1", "prefix-length": 32}}}`
	trunk  = `{"interface-name": "to-sh", "port": "1/1/c1/1", "ip-mtu": 9182, "ipv4": {"primary": {"address": "10.255.0.0", "prefix-length": 31},
		"bfd": {"admin-state": "enable", "transmit-interval": 300, "receive": 300}}}`
	spine = `{"interface-name": "fabric", "port": "1/1/c2/1", "ipv6": {"forward-ipv4-packets": true}}`
)

// base is a document of a gateway: ports, and Base with more members.
func baseWith(members string) string {
	return cards + `,` + ports + `,"router": [{"router-name": "Base", "autonomous-system": 65000, "ecmp": 8, "interface": [` + system + `,` + trunk + `,` + spine + `]` + members + `}]`
}

// watch is what a device shows.
func watch(t testing.TB, o sim.Observation) *config.Tree {
	t.Helper()
	b, err := config.NewBuilder(sros.Schema, o.Running.Release())
	if err != nil {
		t.Fatal(err)
	}
	b.Load(o.Running)
	observe(b, o)
	view, err := b.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return view
}

// shows compares leaves with what they should be; "" is of a leaf that is not there.
func shows(t testing.TB, view *config.Tree, want map[string]string) {
	t.Helper()
	for path, value := range want {
		p, err := config.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := view.Find(p).Value(); got != value {
			t.Errorf("%s is %q, want %q", path, got, value)
		}
	}
}

// edited is a document with one thing changed, which has to be there.
func edited(t testing.TB, document, from, to string) string {
	t.Helper()
	if !strings.Contains(document, from) {
		t.Fatalf("no %s", from)
	}
	return strings.Replace(document, from, to, 1)
}
