package plan_test

import (
	"slices"
	"strings"
	"testing"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transponder"
)

// sender is a transponder with one channel, and a line's end beside it: enough to lose light.
const sender = `{
"openconfig-platform:components": {"component": [
  {"name": "line-1", "config": {"name": "line-1"}},
  {"name": "transceiver-line-1", "config": {"name": "transceiver-line-1"}, "openconfig-platform-transceiver:transceiver": {
    "config": {"enabled": true}, "physical-channels": {"channel": [{"index": 0, "config": {"index": 0, "tx-laser": true}}]}}},
  {"name": "och-line-1", "config": {"name": "och-line-1"}, "openconfig-terminal-device:optical-channel": {"config": {
    "frequency": "193700000", "target-output-power": "-10.0", "operational-mode": 5, "line-port": "line-1"}}}]},
"openconfig-optical-amplifier:optical-amplifier": {"amplifiers": {"amplifier": [
  {"name": "long-there", "config": {"name": "long-there", "target-gain": "17.0", "enabled": true}}]}},
"openconfig-wavelength-router:wavelength-router": {"media-channels": {"channel": [
  {"index": 375, "config": {"index": 375, "lower-frequency": "193662500", "upper-frequency": "193737500", "admin-status": "ENABLED"}}]}}
}`

// shone plans a change of the sender: texts of it, in pairs of old and new.
func shone(t *testing.T, from string, change ...string) *plan.Plan {
	t.Helper()
	parse := func(text string) *config.Tree {
		tree, unknown, err := config.Parse(oc.Schema, "2026", []byte(text), config.ParseOptions{Strict: true})
		if err != nil || len(unknown) > 0 {
			t.Fatal(err, unknown)
		}
		return tree
	}
	p := plan.New("dci", "live", []plan.Input{{
		Device: plan.Device{Name: "bj-transponder1", OS: transponder.OS, Role: "transponder"}, Scope: config.Scope{{Own: config.Whole}},
		Running: parse(from), Intended: parse(strings.NewReplacer(change...).Replace(sender)), Marked: true,
	}}, at)
	if len(p.Devices) != 1 {
		t.Fatal("nothing changes")
	}
	if err := p.Drain(plan.DrainAlways, func(string) plan.Drainer {
		d := &fabric.Device{Name: "bj-transponder1"}
		return plan.Drainer{
			Drain:  func(t *config.Tree) (*config.Tree, error) { return transponder.Drain(t, d) },
			Stages: func(from, to *config.Tree) ([]driver.Stage, error) { return transponder.Stages(from, to, d) },
		}
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLightThatGoesOutIsARisk(t *testing.T) {
	t.Parallel()
	guards := func(string) *driver.Guards { return &transponder.Driver().Guards }
	for _, c := range []struct {
		name, check, path string // check "": no risk
		change            []string
	}{
		{"the laser is switched off", "light goes out", "/components/component[name=transceiver-line-1]", []string{`"tx-laser": true`, `"tx-laser": false`}},
		{"the transceiver has no power", "light goes out", "/components/component[name=transceiver-line-1]", []string{`"enabled": true}, "physical`, `"enabled": false}, "physical`}},
		{"another frequency", "light is tuned anew", "/components/component[name=och-line-1]/optical-channel/config/frequency", []string{`193700000`, `193775000`}},
		{"another mode", "light is tuned anew", "/components/component[name=och-line-1]/optical-channel/config/operational-mode", []string{`-mode": 5`, `-mode": 6`}},
		{"the amplifier is disabled", "light goes out", "/optical-amplifier/amplifiers/amplifier[name=long-there]", []string{`"17.0", "enabled": true`, `"17.0", "enabled": false`}},
		{"the media channel goes", "light goes out", "/wavelength-router/media-channels/channel[index=375]", []string{`"index": 375`, `"index": 376`}},
		{"the media channel is closed", "light goes out", "/wavelength-router/media-channels/channel[index=375]", []string{`"ENABLED"`, `"DISABLED"`}},
		{"the media channel gets narrower", "light is tuned anew", "/wavelength-router/media-channels/channel[index=375]/config/upper-frequency", []string{`193737500`, `193731250`}},
		{"another power", "", "", []string{`"-10.0"`, `"-9.0"`}},
		{"another gain", "", "", []string{`"17.0"`, `"17.5"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := shone(t, sender, c.change...)
			got := plan.Risks(p, guards, plan.RiskOptions{})
			if c.check == "" {
				if len(got) > 0 {
					t.Errorf("got %+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Class != plan.Darkness || got[0].Path != c.path || got[0].Refused {
				t.Errorf("got %+v, want one at %s", got, c.path)
			}
			if by := plan.RisksBy(c.check, p, guards, plan.RiskOptions{}); len(by) != 1 {
				t.Errorf("not found by %q", c.check)
			}
		})
	}
}

func TestStagesAreStepsOfThePlan(t *testing.T) {
	t.Parallel()
	p := shone(t, sender, "193700000", "193775000")
	d := &p.Devices[0]
	if got := stepsText(d); got != "dark retune change" || d.Drain != nil {
		t.Errorf("steps %q, drained %v", got, d.Drain)
	}
	at := d.Before
	for _, s := range d.Steps {
		got, err := config.Apply(at, s.Request)
		if err != nil || !config.Equal(got, s.To) || plan.Hash(got) != s.Target {
			t.Fatalf("%s: %v", s.Name, err)
		}
		at = got
	}
	if !config.Equal(at, d.After) {
		t.Error("the last step does not lead to what is intended")
	}
	var b strings.Builder
	if err := p.Text(&b, plan.Style{}); err != nil || !strings.Contains(b.String(), "in steps: dark, retune, change\n") {
		t.Errorf("%v:\n%s", err, b.String())
	}
	if one := shone(t, sender, `"17.0"`, `"17.5"`); len(one.Devices[0].Steps) > 0 {
		t.Errorf("steps of what can be done at once: %v", stepsText(&one.Devices[0]))
	}
}

// Two drivers' ways go together: what is drained makes its change, stage by stage, between drain and undrain.
func TestStagesLieBetweenDrainAndUndrain(t *testing.T) {
	t.Parallel()
	p := judged(t, router, renumbered)
	with := drainer("")
	with.Stages = func(from, to *config.Tree) ([]driver.Stage, error) {
		half, err := config.Apply(from, config.SetRequest(from, to, nil))
		return []driver.Stage{{Name: "half", Tree: from}, {Name: "whole", Tree: half}}, err // the first and the last are no stages
	}
	if err := p.Drain("", func(string) plan.Drainer { return with }); err != nil {
		t.Fatal(err)
	}
	if got := stepsText(&p.Devices[0]); got != "drain change undrain" {
		t.Errorf("steps %q", got)
	}
	p = judged(t, router, renumbered)
	with.Stages = func(from, to *config.Tree) ([]driver.Stage, error) {
		return []driver.Stage{{Name: "bare", Tree: config.EmptyTree(from.Schema(), from.Release())}}, nil
	}
	if err := p.Drain("", func(string) plan.Drainer { return with }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(stepsText(&p.Devices[0])); !slices.Equal(got, []string{"drain", "bare", "change", "undrain"}) {
		t.Errorf("steps %q", got)
	}
}
