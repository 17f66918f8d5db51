package ocsim

import (
	"testing"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

var box = network.Hardware{Name: "bj-transponder1", Platform: "openconfig-transponder"}

func parse(t *testing.T, document string) *config.Tree {
	t.Helper()
	tree, _, err := config.Parse(oc.Schema, oc.Schema.Releases[0], []byte(document), config.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// channel is a line port whose optical channel has these members, and a client that it carries.
func channel(members, laser string) string {
	return `{"openconfig-platform:components": {"component": [
		{"name": "line-1", "config": {"name": "line-1"}}, {"name": "transceiver-client-1", "config": {"name": "transceiver-client-1"}},
		{"name": "transceiver-line-1", "config": {"name": "transceiver-line-1"}, "openconfig-platform-transceiver:transceiver": {"config": {"enabled": true},
			"physical-channels": {"channel": [{"index": 0, "config": {"index": 0, "associated-optical-channel": "och-line-1", "tx-laser": ` + laser + `}}]}}},
		{"name": "och-line-1", "config": {"name": "och-line-1"}, "openconfig-terminal-device:optical-channel": {"config": {` + members + `}}}]},
	"openconfig-terminal-device:terminal-device": {"logical-channels": {"channel": [
		{"index": 10001, "config": {"index": 10001, "admin-state": "ENABLED", "logical-channel-type": "openconfig-transport-types:PROT_ETHERNET"},
			"ingress": {"config": {"transceiver": "transceiver-client-1"}},
			"logical-channel-assignments": {"assignment": [{"index": 1, "config": {"index": 1, "assignment-type": "LOGICAL_CHANNEL", "logical-channel": 20001}}]}},
		{"index": 20001, "config": {"index": 20001, "admin-state": "ENABLED", "logical-channel-type": "openconfig-transport-types:PROT_OTN"},
			"logical-channel-assignments": {"assignment": [{"index": 1, "config": {"index": 1, "assignment-type": "OPTICAL_CHANNEL", "optical-channel": "och-line-1"}}]}}]}}}`
}

const tuned = `"frequency": "193100000", "target-output-power": "-2.00", "operational-mode": 83, "line-port": "line-1"`

func TestWhatATransponderDoesNotTake(t *testing.T) {
	t.Parallel()
	const at = "/components/component[name=och-line-1]/optical-channel/config/"
	for name, c := range map[string]struct{ members, want string }{
		"a mode and a port that it has": {tuned, ""},
		"a mode that it does not have": {`"operational-mode": 1, "line-port": "line-1"`,
			at + "operational-mode: openconfig-transponder has no operational-mode 1; /terminal-device/operational-modes lists them"},
		"a port of another kind": {`"line-port": "transceiver-line-1"`, at + "line-port: openconfig-transponder has no line port transceiver-line-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := refuses(box, parse(t, channel(c.members, "true"))); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhatAConfigurationDoesWithLight(t *testing.T) {
	t.Parallel()
	d := lit(box, parse(t, channel(tuned, "true")))
	if len(d.Lasers) != 1 || len(d.Clients) != 1 {
		t.Fatalf("%+v", d)
	}
	l := d.Lasers[0]
	if l.Port != "line-1" || !l.On || !l.Shines || l.Frequency != 193_100_000 || l.Power != -2 || l.Mode == nil || l.Mode.Name != "OpenROADM 400G-oFEC-63.1Gbd" {
		t.Errorf("%+v", l)
	}
	if c := (light.Client{Port: "client-1", Line: "line-1", On: true}); d.Clients[0] != c {
		t.Errorf("%+v", d.Clients[0])
	}
	if l := lit(box, parse(t, channel(tuned, "false"))).Lasers[0]; !l.On || l.Shines {
		t.Errorf("with the laser off: %+v", l)
	}
}

// Whatever is measured, it fits the models, and what is not measured is not shown.
func TestStateFitsTheModels(t *testing.T) {
	t.Parallel()
	running := parse(t, channel(tuned, "true"))
	mode := lit(box, running).Lasers[0].Mode
	for name, c := range map[string]struct {
		port  light.Port
		leaf  string
		value string
	}{
		"no light": {light.Port{Output: -2, Sends: true, Input: light.Dark, Total: light.Dark}, "/osnr/instant", ""},
		"a lock": {light.Port{Laser: light.Laser{Mode: mode}, Input: -9.456, Hears: network.End{Device: "x"}, Locked: true, OSNR: 27.125, ESNR: 20, BER: 1.25e-3, Q: 9, CD: 1234.5},
			"/pre-fec-ber/instant", "0.00125"},
		"hardly any signal": {light.Port{Laser: light.Laser{Mode: mode}, Input: -39, BER: 0.375, OSNR: -30, ESNR: -28}, "/post-fec-ber/instant", "0.375"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := config.NewBuilder(oc.Schema, running.Release())
			if err != nil {
				t.Fatal(err)
			}
			b.Load(running)
			observe(b, sim.Observation{Running: running, Hardware: box, Light: &sim.Light{Ports: map[string]light.Port{"line-1": c.port}}})
			view, err := b.Tree()
			if err != nil {
				t.Fatal(err)
			}
			path, _ := config.ParsePath("/components/component[name=och-line-1]/optical-channel/state" + c.leaf)
			if got := view.Find(path).Value(); got != c.value {
				t.Errorf("%s is %q, want %q", c.leaf, got, c.value)
			}
		})
	}
}

func TestWhatIsMeasuredIsSampled(t *testing.T) {
	t.Parallel()
	for id, want := range map[config.ID]bool{
		oc.ComponentsComponentOpticalChannelStateInputPowerInstant: true,
		oc.ComponentsComponentOpticalChannelStateOsnr:              true,
		oc.ComponentsComponentOpticalChannelStateFrequency:         false,
		oc.TerminalDeviceLogicalChannelsChannelStateLinkState:      false,
		oc.OpticalAmplifierAmplifiersAmplifierStateActualGainMax:   true,
		oc.ChannelMonitorsChannelMonitorChannelsChannelStatePower:  true,
		oc.WavelengthRouterMediaChannelsChannelStateOperStatus:     false,
	} {
		if got := sampled(oc.Schema, id); got != want {
			t.Errorf("%s: %t", oc.Schema.Path(id), got)
		}
	}
}
