package sros

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
)

const coherentPort = "/configure/port[port-id=1/1/c1]"

// tuned changes the channel of 1/1/c1.
func tuned(frequency uint64, power optics.DBm) func(*fabric.Device) {
	return func(d *fabric.Device) { d.Light.Coherent[0].Frequency, d.Light.Coherent[0].Power = frequency, power }
}

// strong gives the channel a mode for more power.
func strong(power optics.DBm) func(*fabric.Device) {
	return func(d *fabric.Device) {
		m := *d.Light.Coherent[0].Mode
		m.TxMin, m.TxMax = -4, 1
		d.Light.Coherent[0].Mode, d.Light.Coherent[0].Power = &m, power
	}
}

// gone has no channel on 1/1/c1 any more, and nothing on the connector.
func gone(d *fabric.Device) {
	d.Light.Coherent, d.Breakouts, d.Links = d.Light.Coherent[1:], d.Breakouts[1:], d.Links[1:]
	d.WAN.Trunks[1].Ports = d.WAN.Trunks[1].Ports[1:]
}

// end is a gateway after edits, rendered, with its connector switched off if it is shut.
type end struct {
	shut  bool
	edits []func(*fabric.Device)
}

func (e end) tree(t *testing.T) *config.Tree {
	t.Helper()
	tree := render(t, gateway(t, e.edits...))
	if e.shut {
		return set(t, tree, coherentPort+"/admin-state", switchedOff)
	}
	return tree
}

func after(edits ...func(*fabric.Device)) end { return end{edits: edits} }
func shut(edits ...func(*fabric.Device)) end  { return end{true, edits} }

func TestLightChangesInStages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to end
		want     []string // stage: switch frequency mode power
	}{
		"nothing changes":                     {after(), after(), nil},
		"less light is made at once":          {after(), after(tuned(193_700_000, -12)), nil},
		"a little more light is made at once": {after(tuned(193_700_000, -12)), after(), nil},
		"light goes for good with the change": {after(), after(gone), nil},
		"a connector is switched off":         {after(), shut(), nil},
		"a connector that is broken out otherwise changes at once": {after(), after(tuned(193_850_000, -12), func(d *fabric.Device) {
			d.Breakouts[0].Channels, d.Breakouts[0].Speed = 4, "100G"
		}), nil},
		"a channel is dark while it is tuned": {after(), after(tuned(193_850_000, -12)), []string{
			"dark: disable 193700000 open-zrp-ofec1 -10.0",
			"retune: disable 193850000 open-zrp-ofec1 -13.0",
			"ramp: enable 193850000 open-zrp-ofec1 -13.0",
		}},
		"a channel is dark while it gets another mode": {after(), after(tuned(193_700_000, -13), func(d *fabric.Device) {
			d.Light.Coherent[0].Setting = "oif-400g-zr"
		}), []string{
			"dark: disable 193700000 open-zrp-ofec1 -10.0",
			"retune: disable 193700000 oif-400g-zr -13.0",
		}},
		"new light comes in steps": {after(gone), after(strong(1)), []string{
			"ramp: enable 193700000 open-zrp-ofec1 -4.0",
			"ramp: enable 193700000 open-zrp-ofec1 -1.0",
		}},
		"a connector that is switched on comes in steps": {shut(strong(0)), after(strong(0)), []string{
			"ramp: enable 193700000 open-zrp-ofec1 -4.0",
			"ramp: enable 193700000 open-zrp-ofec1 -1.0",
		}},
		"much more light comes in steps": {after(strong(-4)), after(strong(1)), []string{
			"ramp: enable 193700000 open-zrp-ofec1 -1.0",
		}},
	} {
		d := gateway(t, c.to.edits...)
		stages, err := pluggables.Stages(c.from.tree(t), c.to.tree(t), d)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, s := range stages {
			text := s.Name + ":"
			for _, leaf := range []string{"admin-state", "dwdm/frequency", "dwdm/coherent/compatibility", "dwdm/coherent/target-power"} {
				text += " " + s.Tree.Find(pathOf(coherentPort+"/"+leaf)).Value()
			}
			got = append(got, text)
			if out := Scope(d).Outside(s.Tree); len(out) > 0 && len(c.from.edits) == 0 {
				t.Errorf("%s: %s: outside of the scope: %v", name, s.Name, out)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatMakesLessLightOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to end
		want     bool
	}{
		"nothing changes":             {after(), after(), false},
		"less power":                  {after(), after(tuned(193_700_000, -12)), true},
		"more power":                  {after(tuned(193_700_000, -12)), after(), false},
		"a channel goes":              {after(), after(gone), true},
		"a channel comes":             {after(gone), after(), false},
		"a connector is switched off": {after(), shut(), true},
		"less power at another place": {after(), after(tuned(193_850_000, -12)), false},
		"packets only":                {after(), after(func(d *fabric.Device) { d.Underlay.MaxPaths = 2 }), false},
	} {
		if got := pluggables.Dims(c.from.tree(t), c.to.tree(t)); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// What packets see is in no stage, and the way back has stages too.
func TestPacketsWaitForTheChange(t *testing.T) {
	t.Parallel()
	d := gateway(t, tuned(193_850_000, -12), func(d *fabric.Device) { d.Underlay.MaxPaths, d.ASN = 2, 4200010051 })
	from, to := render(t, gateway(t)), render(t, d)
	stages, err := pluggables.Stages(from, to, d)
	if err != nil || len(stages) != 3 {
		t.Fatalf("%d stages, %v", len(stages), err)
	}
	for _, s := range stages {
		for _, c := range config.Diff(from, s.Tree) {
			if !strings.HasPrefix(c.At.String(), coherentPort+"/") {
				t.Errorf("%s: %s", s.Name, c.At)
			}
		}
	}
	back, err := pluggables.Stages(to, from, d)
	if names := slices.Collect(func(yield func(string) bool) {
		for _, s := range back {
			yield(s.Name)
		}
	}); err != nil || !slices.Equal(names, []string{"dark", "retune", "ramp"}) {
		t.Errorf("back: %v, %v", names, err)
	}
}
