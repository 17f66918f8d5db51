package transponder

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/verify"
)

var addresses = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestObserveReadsWhatATransponderShows(t *testing.T) {
	t.Parallel()
	shown := parse(t, `{"openconfig-terminal-device:terminal-device": {"logical-channels": {"channel": [
		{"index": 10001, "state": {"admin-state": "ENABLED", "link-state": "UP"}, "ethernet": {"lldp": {"state": {"enabled": true}, "neighbors": {"neighbor": [
			{"id": "1", "state": {"id": "1", "system-name": "bj-gateway1", "port-id": "ethernet-1/1"}}]}}}},
		{"index": 10002, "state": {"admin-state": "ENABLED", "link-state": "TESTING"}},
		{"index": 20001, "state": {"admin-state": "DISABLED", "link-state": "DOWN"}},
		{"index": 77, "state": {"admin-state": "ENABLED", "link-state": "UP"}}]}}}`)
	want := verify.Device{LLDP: true, Interfaces: map[string]verify.Interface{
		"client-1": {Enabled: true, Up: true, Far: []verify.Far{{System: "bj-gateway1", Port: "ethernet-1/1"}}},
		"client-2": {Enabled: true, Reason: "TESTING"},
		"line-1":   {Reason: "DOWN"},
	}}
	if diff := cmp.Diff(want, Observe(shown, nil), addresses); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := Observe(config.EmptyTree(oc.Schema, release), nil); got.LLDP || len(got.Interfaces) > 0 {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestAConfigurationAsksForItsPorts(t *testing.T) {
	t.Parallel()
	on := verify.Interface{Enabled: true}
	want := verify.Device{LLDP: true, Interfaces: map[string]verify.Interface{"client-1": on, "client-2": on, "client-3": on, "line-1": on, "line-2": on}}
	got := Asks(render(t, muxponder(t)))
	got.Optical = nil // see observe_light_test.go
	if diff := cmp.Diff(want, got, addresses); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := Asks(render(t, terminal(t))); got.LLDP || len(got.Interfaces) > 0 {
		t.Errorf("of a line: %+v", got)
	}
}

func TestNothingHereCanBeDrained(t *testing.T) {
	t.Parallel()
	d := muxponder(t)
	if _, err := Drain(render(t, d), d); !errors.Is(err, driver.ErrNothingToMove) {
		t.Errorf("got %v", err)
	}
}
