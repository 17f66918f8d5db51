package plan_test

import (
	"fmt"
	"testing"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transponder"
)

// amplifying is a device with an amplifier and the attenuator behind it.
func amplifying(t *testing.T, gain, behind float64) *config.Tree {
	t.Helper()
	text := fmt.Sprintf(`{"openconfig-optical-amplifier:optical-amplifier": {"amplifiers": {"amplifier": [
  {"name": "long-there", "config": {"name": "long-there", "target-gain": "%.2f", "enabled": true}}]}},
"openconfig-optical-attenuator:optical-attenuator": {"attenuators": {"attenuator": [
  {"name": "long-there-voa", "config": {"name": "long-there-voa", "attenuation": "%.2f", "enabled": true}}]}}}`, gain, behind)
	tree, unknown, err := config.Parse(oc.Schema, "2026", []byte(text), config.ParseOptions{Strict: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	return tree
}

func TestGainsOfALineThatGoOutOfBalanceOnTheWayAreARisk(t *testing.T) {
	t.Parallel()
	guards := func(string) *driver.Guards { return &transponder.Driver().Guards }
	type setting struct{ gain, behind float64 }
	was := setting{15, 1}
	for _, c := range []struct {
		name string
		to   []setting // of devices in the order of the line
		want string
	}{
		{"one device makes up for a repaired fibre", []setting{was, {18, 1}, was}, ""},
		{"all get more", []setting{{18, 1}, {18, 1}, {18, 1}}, ""},
		{"all get less", []setting{{12, 1}, {12, 1}, {12, 1}}, ""},
		{"one gets a little less, and the next a little more", []setting{{14, 1}, {16, 1}, was}, ""},
		{"one gets less, and the last more", []setting{{12, 1}, was, {18, 1}}, "long-bj: long-there gives its channels 3.00 dB less than before and after, on the way"},
		{"the same in the other order: less goes first", []setting{{18, 1}, was, {12, 1}}, "long-sh: long-there gives its channels 3.00 dB less than before and after, on the way"},
		{"as much more attenuation as gain", []setting{{18, 4}, was, {14, 0}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var inputs []plan.Input
			for i, name := range []string{"long-bj", "long-hut1", "long-sh"} {
				inputs = append(inputs, plan.Input{
					Device: plan.Device{Name: name, OS: transponder.OS, Role: "line", Groups: []string{"lines/bj-sh"}}, Scope: config.Scope{{Own: config.Whole}},
					Running: amplifying(t, was.gain, was.behind), Intended: amplifying(t, c.to[i].gain, c.to[i].behind), Marked: true,
				})
			}
			p := plan.New("dci", "live", inputs, at)
			if err := p.Drain(plan.DrainNever, func(string) plan.Drainer {
				return plan.Drainer{Drain: func(t *config.Tree) (*config.Tree, error) { return nil, driver.ErrNothingToMove }, Dims: transponder.Dims}
			}); err != nil {
				t.Fatal(err)
			}
			p.Cut(plan.WaveOptions{Canaries: plan.NoCanary})
			got := ""
			for _, r := range plan.Risks(p, guards, plan.RiskOptions{}) {
				if got = r.Device + ": " + r.Change; r.Class != plan.Power || r.Path != "/optical-amplifier/amplifiers/amplifier[name=long-there]" {
					t.Errorf("got %+v", r)
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
