package transponder

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"

	"github.com/loomfabric/loom/pkg/config"
)

func num(x float64) *float64 { return &x }

func TestObserveReadsWhatIsMeasuredOfLight(t *testing.T) {
	t.Parallel()
	shown := parse(t, `{"openconfig-platform:components": {"component": [
		{"name": "och-line-1", "openconfig-terminal-device:optical-channel": {"state": {"frequency": "193100000", "operational-mode": 5,
			"output-power": {"instant": "-10.00"}, "input-power": {"instant": "-8.50"}, "osnr": {"instant": "31.20"}, "chromatic-dispersion": {"instant": "2338.00"},
			"carrier-frequency-offset": {"instant": "-120.0"}, "pre-fec-ber": {"instant": "0.001000000000000000"}}}},
		{"name": "transceiver-line-1", "openconfig-platform-transceiver:transceiver": {"physical-channels": {"channel": [{"index": 0, "state": {"index": 0, "tx-laser": true, "input-power": {"instant": "-8.40"}}}]}}},
		{"name": "och-line-2", "openconfig-terminal-device:optical-channel": {"state": {"frequency": "193200000"}}},
		{"name": "transceiver-line-2", "openconfig-platform-transceiver:transceiver": {"physical-channels": {"channel": [{"index": 0, "state": {"index": 0, "tx-laser": false}}]}}},
		{"name": "och-line-3", "openconfig-terminal-device:optical-channel": {"state": {"frequency": "193300000"}}},
		{"name": "transceiver-client-1", "openconfig-platform-transceiver:transceiver": {"physical-channels": {"channel": [{"index": 0, "state": {"index": 0, "tx-laser": true}}]}}}]},
	"openconfig-terminal-device:terminal-device": {"logical-channels": {"channel": [
		{"index": 20001, "state": {"logical-channel-type": "openconfig-transport-types:PROT_OTN"}, "otn": {"state": {"pre-fec-ber": {"instant": "0.002000000000000000"}, "q-value": {"instant": "9.10"}}}}]}},
	"openconfig-optical-amplifier:optical-amplifier": {"amplifiers": {"amplifier": [
		{"name": "long-there", "state": {"enabled": true, "actual-gain": {"instant": "17.10"}, "input-power-total": {"instant": "-6.50"}, "output-power-total": {"instant": "10.60"}}},
		{"name": "long-back", "state": {"enabled": false}}]}},
	"openconfig-wavelength-router:wavelength-router": {"media-channels": {"channel": [
		{"index": 13, "state": {"lower-frequency": "191325000", "upper-frequency": "191400000", "oper-status": "UP"}},
		{"index": 10013, "state": {"lower-frequency": "191325000", "upper-frequency": "191400000", "oper-status": "UP"}},
		{"index": 25, "state": {"lower-frequency": "191400000", "upper-frequency": "191475000", "oper-status": "UP"}},
		{"index": 10025, "state": {"lower-frequency": "191400000", "upper-frequency": "191475000", "oper-status": "DOWN"}},
		{"index": 37, "state": {"lower-frequency": "191475000", "upper-frequency": "191550000", "oper-status": "UP"}}]}},
	"openconfig-channel-monitor:channel-monitors": {"channel-monitor": [
		{"name": "line-out", "channels": {"channel": [{"lower-frequency": "191325000", "upper-frequency": "191400000", "state": {"lower-frequency": "191325000", "upper-frequency": "191400000", "power": "1.00"}}]}},
		{"name": "line-in", "channels": {"channel": [
			{"lower-frequency": "191325000", "upper-frequency": "191400000", "state": {"lower-frequency": "191325000", "upper-frequency": "191400000", "power": "-2.50"}},
			{"lower-frequency": "191330000", "upper-frequency": "191400000", "state": {"lower-frequency": "191330000", "upper-frequency": "191400000", "power": "-9.00"}}]}}]}}`)
	got := Observe(shown, nil)
	want := verify.Device{
		Optical: map[string]verify.Optical{
			"line-1": {
				Laser: true, Frequency: 193100000, Mode: "5", Transmitted: num(-10), Received: num(-8.5), Total: num(-8.4), OSNR: num(31.2), Dispersion: num(2338), Offset: num(-120), BER: num(0.002), Q: num(9.1),
			},
			"line-2": {Frequency: 193200000}, "line-3": {Laser: true, Frequency: 193300000},
		},
		Amplifiers: map[string]verify.Amplifier{"long-there": {Enabled: true, Gain: num(17.1), Input: num(-6.5), Output: num(10.6)}, "long-back": {}},
		Media: map[uint32]verify.MediaChannel{
			13: {Up: true, Low: 191325000, High: 191400000, Added: num(1), Dropped: num(-2.5)}, 25: {Low: 191400000, High: 191475000}, 37: {Low: 191475000, High: 191550000},
		},
	}
	got.Interfaces = nil
	if diff := cmp.Diff(want, got, addresses); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What a configuration asks for is what the design says of the device: gates hold devices against it while a change is taken back.
func TestAConfigurationAsksForItsLight(t *testing.T) {
	t.Parallel()
	for name, d := range devices(t) {
		got := Asks(render(t, d))
		for _, p := range d.Light.Coherent {
			want := verify.Optical{Laser: true, Frequency: p.Frequency, Mode: p.Setting, Target: num(float64(p.Power))}
			if diff := cmp.Diff(want, got.Optical[p.Port]); diff != "" {
				t.Errorf("%s: %s: %s", name, p.Port, diff)
			}
		}
		for _, a := range d.Light.Amplifiers {
			if diff := cmp.Diff(verify.Amplifier{Enabled: true, Gain: num(float64(a.Gain))}, got.Amplifiers[a.Name]); diff != "" {
				t.Errorf("%s: %s: %s", name, a.Name, diff)
			}
		}
		for _, m := range d.Light.Media {
			if diff := cmp.Diff(verify.MediaChannel{Up: true, Low: m.Low, High: m.High}, got.Media[m.Index]); diff != "" {
				t.Errorf("%s: %d: %s", name, m.Index, diff)
			}
		}
		if n := len(d.Light.Coherent) + len(d.Light.Amplifiers) + len(d.Light.Media); len(got.Optical)+len(got.Amplifiers)+len(got.Media) != n {
			t.Errorf("%s: asks for more than %d", name, n)
		}
	}
}

func TestWhatIsMeasuredIsInTheModels(t *testing.T) {
	t.Parallel()
	for _, text := range lightPaths {
		p, err := config.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		at := config.Root
		for _, e := range p {
			next := at
			for id := range oc.Schema.Nodes {
				if n := &oc.Schema.Nodes[id]; config.ID(id) != at && n.Parent == at && n.Name == e.Name {
					next = config.ID(id)
				}
			}
			if next == at {
				t.Fatalf("%s: there is no %s", text, e.Name)
			}
			at = next
		}
	}
	if got := len(Driver().Observed(&fabric.Device{})); got != len(observePaths) {
		t.Errorf("of a device without light %d paths are read", got)
	}
}
