package srlinux

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
)

// high has the channel in a mode that goes up to 1 dBm and down to -4 dBm.
func high(power optics.DBm) func(*fabric.Device) {
	return func(d *fabric.Device) {
		d.Light.Coherent = slices.Clone(d.Light.Coherent)
		m := *d.Light.Coherent[0].Mode
		m.TxMin, m.TxMax = -4, 1
		d.Light.Coherent[0].Mode, d.Light.Coherent[0].Power = &m, power
	}
}

func unlit(d *fabric.Device) { d.Light.Coherent = nil }

// both are changes one after the other; none of them: a gateway as it is.
func both(changes ...func(*fabric.Device)) func(*fabric.Device) {
	return func(d *fabric.Device) {
		for _, c := range changes {
			c(d)
		}
	}
}

func off(d *fabric.Device) {
	d.Raw = append(d.Raw, fabric.RawLeaf{Path: coherentPort + "/transceiver/tx-laser", Value: "false", Ref: "raw/0"})
}

func TestLightChangesInStages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to func(*fabric.Device)
		want     []string // stage: laser frequency mode power
	}{
		"nothing changes":                     {both(), both(), nil},
		"less light is made at once":          {both(), retunedTo(193_175_000, -12), nil},
		"a little more light is made at once": {retunedTo(193_175_000, -12), both(), nil},
		"light goes for good with the change": {both(), unlit, nil},
		"a laser is switched off":             {both(), off, nil},
		"a channel is dark while it is tuned": {both(), retunedTo(193_250_000, -12), []string{
			"dark: false 193175000 1085 -10.0",
			"retune: false 193250000 1085 -13.0",
			"ramp: absent 193250000 1085 -13.0",
		}},
		"a channel at the least power of its mode needs no ramp": {both(), retunedTo(193_250_000, -13), []string{
			"dark: false 193175000 1085 -10.0",
			"retune: false 193250000 1085 -13.0",
		}},
		"a channel is dark while it gets another mode": {both(), func(d *fabric.Device) {
			retunedTo(193_175_000, -13)(d)
			d.Light.Coherent[0].Setting = "1082"
		}, []string{
			"dark: false 193175000 1085 -10.0",
			"retune: false 193175000 1082 -13.0",
		}},
		"new light comes in steps": {unlit, high(1), []string{
			"ramp: absent 193175000 1085 -4.0",
			"ramp: absent 193175000 1085 -1.0",
		}},
		"a laser that is switched on comes in steps": {both(high(0), off), high(0), []string{
			"ramp: absent 193175000 1085 -4.0",
			"ramp: absent 193175000 1085 -1.0",
		}},
		"much more light comes in steps": {high(-4), high(1), []string{
			"ramp: absent 193175000 1085 -1.0",
		}},
		"a port that is broken out goes dark as a whole": {brokenTo(4, "1021"), both(brokenTo(4, "1021"), retunedTo(193_250_000, -13)), []string{
			"dark: absent 193175000 1021 -10.0, port disable",
			"retune: absent 193250000 1021 -13.0, port disable",
		}},
		"a port whose breakout differs changes at once": {both(), both(brokenTo(4, "1021"), retunedTo(193_250_000, -12)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := gateway(t, c.to)
			from, to := render(t, gateway(t, c.from)), render(t, d)
			stages, err := pluggables.Stages(from, to, d)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range stages {
				got = append(got, s.Name+": "+lightOf(t, s.Tree))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func lightOf(t *testing.T, tree *config.Tree) string {
	t.Helper()
	const channel = coherentPort + "/transceiver/optical-channel[index=1]/"
	words := []string{
		show(t, tree, coherentPort+"/transceiver/tx-laser"), show(t, tree, channel+"frequency"),
		show(t, tree, channel+"operational-mode"), show(t, tree, channel+"target-power"),
	}
	text := strings.Join(words, " ")
	if state := show(t, tree, coherentPort+"/admin-state"); state != "enable" {
		text += ", port " + state
	}
	return text
}

// A gateway that only makes less light goes before what amplifies.
func TestWhatMakesLessLightOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to func(*fabric.Device)
		want     bool
	}{
		"nothing changes":             {both(), both(), false},
		"less power":                  {both(), retunedTo(193_175_000, -12), true},
		"more power":                  {retunedTo(193_175_000, -12), both(), false},
		"a channel goes":              {both(), unlit, true},
		"a channel comes":             {unlit, both(), false},
		"a laser is switched off":     {both(), off, true},
		"less power at another place": {both(), retunedTo(193_250_000, -12), false},
		"packets only":                {both(), func(d *fabric.Device) { d.Underlay.MaxPaths = 8 }, false},
	} {
		if got := pluggables.Dims(render(t, gateway(t, c.from)), render(t, gateway(t, c.to))); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// The change itself is what the router takes back unless it is confirmed, so what packets see is in no stage.
func TestPacketsWaitForTheChange(t *testing.T) {
	t.Parallel()
	d := gateway(t, func(d *fabric.Device) {
		retunedTo(193_250_000, -12)(d)
		d.Underlay.MaxPaths, d.ASN = 8, 4200010051
		d.Links = d.Links[:3]
	})
	from, to := render(t, gateway(t)), render(t, d)
	stages, err := pluggables.Stages(from, to, d)
	if err != nil || len(stages) != 3 {
		t.Fatalf("%d stages, %v", len(stages), err)
	}
	for _, s := range stages {
		for _, at := range changedLeaves(from, s.Tree) {
			if !strings.HasPrefix(at, coherentPort+"/transceiver/") {
				t.Errorf("%s: %s", s.Name, at)
			}
		}
		if out := Scope(d).Outside(s.Tree); len(out) > 0 {
			t.Errorf("%s: outside of the scope: %v", s.Name, out)
		}
	}
}

func TestTheWayBackHasStagesToo(t *testing.T) {
	t.Parallel()
	d := gateway(t)
	there, err := pluggables.Stages(render(t, d), render(t, gateway(t, retunedTo(193_250_000, -12))), d)
	back, again := pluggables.Stages(render(t, gateway(t, retunedTo(193_250_000, -12))), render(t, d), d)
	if err != nil || again != nil || len(there) != 3 || len(back) != 3 {
		t.Errorf("there %d, %v; back %d, %v", len(there), err, len(back), again)
	}
}
