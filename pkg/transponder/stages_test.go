package transponder

import (
	"fmt"
	"strings"
	"testing"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
	"pgregory.net/rapid"
)

const (
	powerPath = "/components/component[name=och-line-%d]/optical-channel/config/target-output-power"
	freqPath  = "/components/component[name=och-line-%d]/optical-channel/config/frequency"
	laserPath = "/components/component[name=transceiver-line-%d]/transceiver/physical-channels/channel[index=0]/config/tx-laser"
)

// light tells what the first line ports send: "193700000 -2.0, dark".
func light(t testing.TB, tree *config.Tree) string {
	var out []string
	for port := 1; port <= 2; port++ {
		if show(t, tree, fmt.Sprintf(laserPath, port)) != "true" {
			out = append(out, "dark")
			continue
		}
		out = append(out, show(t, tree, fmt.Sprintf(freqPath, port))+" "+show(t, tree, fmt.Sprintf(powerPath, port)))
	}
	return strings.Join(out, ", ")
}

// gains tells what the amplifiers and attenuators are set to: "17.35-0.0, 12.0-1.5".
func gains(t testing.TB, tree *config.Tree) string {
	var out []string
	for _, name := range []string{"long-back", "long-there"} {
		out = append(out, show(t, tree, "/optical-amplifier/amplifiers/amplifier[name="+name+"]/config/target-gain")+
			"-"+show(t, tree, "/optical-attenuator/attenuators/attenuator[name="+name+"-voa]/config/attenuation"))
	}
	return strings.Join(out, ", ")
}

func TestLightGoesBeforeItIsTunedAndComesInSteps(t *testing.T) {
	t.Parallel()
	both := muxponder(t)
	edit := func(f func(*fabric.Light)) *fabric.Device { return edited(both, f) }
	one := edit(func(l *fabric.Light) { l.Coherent, l.Clients = l.Coherent[:1], l.Clients[:2] })
	for _, c := range []struct {
		name     string
		from, to *fabric.Device // from nil: nothing
		want     string         // stages, with the light of each
	}{
		{"nothing of light changes", both, edit(func(l *fabric.Light) { l.Clients[0].PeerPort = "ethernet-1/9" }), ""},
		{"a channel is tuned anew", both, edit(func(l *fabric.Light) { l.Coherent[1].Frequency = 194000000 }),
			"dark: 193700000 -2.0, dark; retune: 193700000 -2.0, dark; ramp: 193700000 -2.0, 194000000 -13.0"},
		{"a channel gets another mode", both, edit(func(l *fabric.Light) {
			l.Coherent[1].Mode, l.Coherent[1].Setting = mode(t, "OpenZR+ 400G HA"), "6"
			l.Coherent[1].Power = 0
		}),
			"dark: 193700000 -2.0, dark; retune: 193700000 -2.0, dark; ramp: 193700000 -2.0, 193775000 -4.0; ramp: 193700000 -2.0, 193775000 -1.0"},
		{"a channel comes beside another", one, both, "retune: 193700000 -2.0, dark; ramp: 193700000 -2.0, 193775000 -13.0"},
		{"a channel goes", both, one, "dark: 193700000 -2.0, dark"},
		{"all is new", nil, both, "retune: dark, dark; ramp: 193700000 -5.0, 193775000 -13.0"},
		{"one gets a little more power", both, edit(func(l *fabric.Light) { l.Coherent[0].Power = 1 }), ""},
		{"one gets much more power", both, edit(func(l *fabric.Light) { l.Coherent[0].Power = 5 }), "ramp: 193700000 1.0, 193775000 -10.0; ramp: 193700000 4.0, 193775000 -10.0"},
		{"one gets much less power", both, edit(func(l *fabric.Light) { l.Coherent[0].Power = -9 }), ""},
		{"two change places in the spectrum", both, edit(func(l *fabric.Light) {
			l.Coherent[0].Frequency, l.Coherent[1].Frequency = l.Coherent[1].Frequency, l.Coherent[0].Frequency
		}), "dark: dark, dark; retune: dark, dark; ramp: 193775000 -5.0, 193700000 -13.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := story(t, c.from, c.to, light); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAmplifiersGetMoreGainAfterTheRestAndInSteps(t *testing.T) {
	t.Parallel()
	was := terminal(t)
	edit := func(f func(*fabric.Light)) *fabric.Device { return edited(was, f) }
	for _, c := range []struct {
		name     string
		from, to *fabric.Device
		want     string
	}{
		{"less gain", was, edit(func(l *fabric.Light) { l.Amplifiers[0].Gain = 10 }), ""},
		{"a little more gain", was, edit(func(l *fabric.Light) { l.Amplifiers[0].Gain = 18.35 }), ""},
		{"more gain", was, edit(func(l *fabric.Light) { l.Amplifiers[0].Gain = 20 }), "ramp: 18.35-0.0, 12.0-1.5; ramp: 19.35-0.0, 12.0-1.5"},
		{"more gain here, less there", was, edit(func(l *fabric.Light) { l.Amplifiers[0].Gain, l.Amplifiers[1].Gain = 19, 10 }),
			"dim: 17.35-0.0, 10.0-1.5; ramp: 18.35-0.0, 10.0-1.5"},
		{"more gain, and as much attenuation behind it", was, edit(func(l *fabric.Light) { l.Amplifiers[1].Gain, l.Amplifiers[1].VOA = 15, 4.5 }), ""},
		{"more gain, and less attenuation behind it", was, edit(func(l *fabric.Light) { l.Amplifiers[1].Gain, l.Amplifiers[1].VOA = 13.5, 0 }),
			"ramp: 17.35-0.0, 12.5-1.0; ramp: 17.35-0.0, 13.0-0.5"},
		{"a line that is new", nil, was, ""},
		{"a channel comes", edit(func(l *fabric.Light) { l.Media = l.Media[:1] }), was, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := story(t, c.from, c.to, gains); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// story is the stages from one device to another.
func story(t testing.TB, from, to *fabric.Device, tell func(testing.TB, *config.Tree) string) string {
	t.Helper()
	var out []string
	for _, s := range stages(t, before0(t, from), to) {
		out = append(out, s.Name+": "+tell(t, s.Tree))
	}
	return strings.Join(out, "; ")
}

func before0(t testing.TB, d *fabric.Device) *config.Tree {
	if d == nil {
		return config.EmptyTree(oc.Schema, release)
	}
	return render(t, d)
}

func stages(t testing.TB, from *config.Tree, to *fabric.Device) []driver.Stage {
	t.Helper()
	out, err := Stages(from, render(t, to), to)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever changes: no laser is tuned while it sends, no light comes in larger steps than allowed, and every stage is one
// that the device takes and that Loom owns.
func TestNoStepIsTooLarge(t *testing.T) {
	t.Parallel()
	base := muxponder(t)
	rapid.Check(t, func(r *rapid.T) {
		drawn := func(label string) *fabric.Device {
			return edited(base, func(l *fabric.Light) {
				n := rapid.IntRange(0, 2).Draw(r, label+" channels")
				l.Coherent, l.Clients = l.Coherent[:n], nil
				for i := range l.Coherent {
					l.Coherent[i].Frequency = uint64(rapid.IntRange(30600, 30602).Draw(r, label+" frequency")) * 6250
					l.Coherent[i].Setting = fmt.Sprint(rapid.IntRange(1, 2).Draw(r, label+" mode"))
					l.Coherent[i].Power = -13 + 0.5*optics.DBm(rapid.IntRange(0, 30).Draw(r, label+" power"))
				}
			})
		}
		from, to := drawn("from"), drawn("to")
		at, end := render(t, from), render(t, to)
		steps := append(stages(t, at, to), driver.Stage{Name: "change", Tree: end})
		for _, s := range steps {
			for port := 1; port <= 2; port++ {
				was, is := laserOf(at, fmt.Sprintf("line-%d", port)), laserOf(s.Tree, fmt.Sprintf("line-%d", port))
				switch {
				case was.lit && was.tuning != is.tuning:
					r.Errorf("%s: line-%d is tuned while it sends", s.Name, port)
				case was.lit && is.lit && is.power-was.power > driver.LaserStep:
					r.Errorf("%s: line-%d gets %d hundredths of a dB at once", s.Name, port, is.power-was.power)
				case !was.lit && is.lit && was.tuning != is.tuning:
					r.Errorf("%s: line-%d comes on before it is tuned", s.Name, port)
				}
			}
			if out := Scope(to).Outside(s.Tree); len(out) > 0 && s.Name != "dark" {
				r.Errorf("%s: %v", s.Name, out)
			}
			got, err := config.Apply(at, config.SetRequest(at, s.Tree, nil))
			if err != nil || !config.Equal(got, s.Tree) {
				r.Errorf("%s cannot be reached: %v", s.Name, err)
			}
			at = s.Tree
		}
	})
}

func TestWhatOnlyMakesLessLightIsKnown(t *testing.T) {
	t.Parallel()
	both, end := muxponder(t), terminal(t)
	for _, c := range []struct {
		name     string
		from, to *fabric.Device
		want     bool
	}{
		{"a channel goes", both, edited(both, func(l *fabric.Light) { l.Coherent, l.Clients = l.Coherent[:1], l.Clients[:2] }), true},
		{"less power", both, edited(both, func(l *fabric.Light) { l.Coherent[1].Power = -11 }), true},
		{"less power here, more there", both, edited(both, func(l *fabric.Light) { l.Coherent[0].Power, l.Coherent[1].Power = 0, -11 }), false},
		{"another frequency", both, edited(both, func(l *fabric.Light) { l.Coherent[1].Frequency = 194000000 }), false},
		{"a channel comes", edited(both, func(l *fabric.Light) { l.Coherent, l.Clients = l.Coherent[:1], l.Clients[:2] }), both, false},
		{"no light changes", both, edited(both, func(l *fabric.Light) { l.Clients[0].PeerPort = "ethernet-1/9" }), false},
		{"less gain", end, edited(end, func(l *fabric.Light) { l.Amplifiers[0].Gain = 10 }), true},
		{"less attenuation", end, edited(end, func(l *fabric.Light) { l.Amplifiers[1].VOA = 0 }), false},
	} {
		if got := Dims(render(t, c.from), render(t, c.to)); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
