package light

import (
	"fmt"
	"maps"
	"testing"
	"time"

	modes "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// A line of two spans between a and b, with amplifiers at both ends and in a hut, and two ports at each end behind a
// passive multiplexer.
var (
	a1, a2 = network.End{Device: "a", Port: "p1"}, network.End{Device: "a", Port: "p2"}
	b1, b2 = network.End{Device: "b", Port: "p1"}, network.End{Device: "b", Port: "p2"}
)

func mode(t testing.TB, name string) *optics.Mode {
	t.Helper()
	m, ok := modes.Mode(name)
	if !ok {
		t.Fatalf("no mode %s", name)
	}
	return m
}

func span(km optics.Km) optics.Fiber {
	return optics.Fiber{Length: km, Loss: []optics.LossAt{{PerKm: 0.2}}, ConnectorIn: 0.25, ConnectorOut: 0.25, Dispersion: 16.7, Area: 80, PMD: 0.04}
}

func aPlant() *Plant {
	edfa := &optics.AmplifierKind{Name: "EDFA", MinGain: 5, MaxGain: 27, NoiseFigure: 5.5, MaxOutput: 23}
	line := &optics.Line{
		Name: "long", Mux: 6, Demux: 6, Booster: edfa,
		Sections: []optics.Section{{Passive: []optics.Element{span(80)}, Amplifier: edfa}, {Passive: []optics.Element{span(70)}, Amplifier: edfa}},
	}
	way := func(name string, devices ...string) (out Way) {
		out = Way{Built: line, Ducts: []string{"north", "south"}}
		for _, d := range devices {
			out.Amplifiers = append(out.Amplifiers, Unit{d, "long-" + name})
		}
		return out
	}
	p := &Plant{Lines: []Line{{Name: "long", A: "A", B: "B", There: way("there", "la", "hut", "lb"), Back: way("back", "lb", "hut", "la"), Ageing: optics.Ageing{PerSpan: 1, NoiseFigure: 0.5}}}}
	for _, t := range []struct {
		at, place string
		end       network.End
		slot      uint64
	}{{"a", "A", a1, 193_100_000}, {"a", "A", a2, 193_175_000}, {"b", "B", b1, 193_100_000}, {"b", "B", b2, 193_175_000}} {
		p.Terminals = append(p.Terminals, Terminal{At: t.end, Line: "long", Place: t.place, Low: t.slot - 37_500, High: t.slot + 37_500})
	}
	return p
}

// devices are all on, and tuned as the multiplexers want it.
func devices(t testing.TB) map[string]*Device {
	m := mode(t, "OpenZR+ 400G")
	out := map[string]*Device{}
	for _, name := range []string{"a", "b"} {
		out[name] = &Device{Lasers: []Laser{
			{Port: "p1", On: true, Shines: true, Frequency: 193_100_000, Power: -10, Mode: m},
			{Port: "p2", On: true, Shines: true, Frequency: 193_175_000, Power: -10, Mode: m},
		}}
	}
	for _, name := range []string{"la", "hut", "lb"} {
		out[name] = &Device{Amplifiers: map[string]Amplifier{"long-there": {On: true, Gain: 17}, "long-back": {On: true, Gain: 17}}}
	}
	return out
}

func TestWhatReceiversMakeOfLight(t *testing.T) {
	t.Parallel()
	zr := mode(t, "400ZR")
	for name, c := range map[string]struct {
		edit   func(devices map[string]*Device, d *Damage)
		locked string // of a1, a2, b1, b2: why not, "" where it is
	}{
		"all is well":                              {func(map[string]*Device, *Damage) {}, ", , , "},
		"a laser is off":                           {func(on map[string]*Device, _ *Damage) { on["a"].Lasers[0].Shines = false }, ", , no light, "},
		"a module is off":                          {func(on map[string]*Device, _ *Damage) { on["a"].Lasers[0].On = false }, "off, , no light, "},
		"a router is off":                          {func(on map[string]*Device, _ *Damage) { delete(on, "a") }, "-, -, no light, no light"},
		"one end runs another mode":                {func(on map[string]*Device, _ *Damage) { on["a"].Lasers[0].Mode = zr }, "mode, , mode, "},
		"one end is tuned past its multiplexer":    {func(on map[string]*Device, _ *Damage) { on["a"].Lasers[0].Frequency = 193_175_000 }, "frequency, , no light, "},
		"a cord is out":                            {func(_ map[string]*Device, d *Damage) { d.Unplugged = map[network.End]bool{a1: true} }, "no light, , no light, "},
		"an amplifier was never switched on":       {func(on map[string]*Device, _ *Damage) { on["hut"].Amplifiers = nil }, "no light, no light, no light, no light"},
		"an amplifier of one direction is dead":    {func(_ map[string]*Device, d *Damage) { d.Dead = map[Unit]bool{{"hut", "long-there"}: true} }, ", , no light, no light"},
		"a duct is cut":                            {func(_ map[string]*Device, d *Damage) { d.Cuts = map[Fibre]bool{{Duct: "south"}: true} }, "no light, no light, no light, no light"},
		"another line in the duct is cut":          {func(_ map[string]*Device, d *Damage) { d.Cuts = map[Fibre]bool{{"south", "other"}: true} }, ", , , "},
		"a dirty connector takes more than enough": {func(_ map[string]*Device, d *Damage) { d.Connectors = map[network.End]optics.DB{b1: 11} }, "gsnr, rx-power-low, , rx-power-low, "},
		"a laser drifts within reach":              {func(_ map[string]*Device, d *Damage) { d.Drifts = map[network.End]int64{a1: 3500} }, ", , , "},
		"a laser drifts beyond reach":              {func(_ map[string]*Device, d *Damage) { d.Drifts = map[network.End]int64{a1: -3700} }, ", , frequency, "},
		"the noise of an amplifier is too much":    {func(_ map[string]*Device, d *Damage) { d.Noise = map[Unit]optics.DB{{"hut", "long-back"}: 12} }, "gsnr, gsnr, , "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on, d := devices(t), &Damage{}
			c.edit(on, d)
			s := New(aPlant()).Shine(on, d)
			why := func(e network.End) string {
				p := s.Ports[e]
				if p == nil {
					return "-"
				}
				if p.Locked != (p.Why == "") {
					t.Errorf("%s: locked %t, why not %q", e, p.Locked, p.Why)
				}
				return p.Why
			}
			if got := fmt.Sprintf("%s, %s, %s, %s", why(a1), why(a2), why(b1), why(b2)); got != c.locked {
				t.Errorf("got %q, want %q", got, c.locked)
			}
		})
	}
}

// Two lasers at one frequency on one line disturb each other, whoever is meant to hear which.
func TestLightCollides(t *testing.T) {
	t.Parallel()
	p := aPlant()
	for i := range p.Terminals {
		p.Terminals[i].Low, p.Terminals[i].High = 0, 0 // splitters
	}
	on := devices(t)
	on["a"].Lasers[1].Frequency = 193_100_000
	if s := New(p).Shine(on, &Damage{}); s.Ports[b1].Why != Collision || s.Ports[b2].Why != OffTune {
		t.Errorf("%q, %q", s.Ports[b1].Why, s.Ports[b2].Why)
	}
}

func TestOnlyWhatChangesIsCarriedAgain(t *testing.T) {
	t.Parallel()
	l, on := New(aPlant()), devices(t)
	l.Shine(on, &Damage{})
	if l.Runs != 2 {
		t.Errorf("%d runs at first, want one for each direction", l.Runs)
	}
	l.Shine(devices(t), &Damage{})
	if l.Runs != 2 {
		t.Errorf("%d runs, and nothing has changed", l.Runs)
	}
	l.Shine(on, &Damage{Noise: map[Unit]optics.DB{{"hut", "long-back"}: 1}})
	if l.Runs != 3 {
		t.Errorf("%d runs after one direction has changed", l.Runs)
	}
}

func TestALineAges(t *testing.T) {
	t.Parallel()
	l, on := New(aPlant()), devices(t)
	young := l.Shine(on, &Damage{}).Ports[b1]
	if next := l.Shine(on, &Damage{Age: 23 * time.Hour}).Ports[b1]; next.Margin != young.Margin {
		t.Error("it is older the same day")
	}
	old := l.Shine(on, &Damage{Age: lifetime}).Ports[b1]
	if loss := young.Input - old.Input; loss < 1.9 || loss > 2.1 { // two spans of 1 dB each
		t.Errorf("it has lost %.2f dB", float64(loss))
	}
	if old.Margin > young.Margin-0.5 {
		t.Errorf("margin %v, and %v when it was new", old.Margin, young.Margin)
	}
}

func TestNoiseComesFromItsSeed(t *testing.T) {
	t.Parallel()
	p := *New(aPlant()).Shine(devices(t), &Damage{}).Ports[b1]
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if got := (Noise{0, now}).Port(b1, p); got != p {
		t.Error("there is noise without a seed")
	}
	one := Noise{1, now}.Port(b1, p)
	if again := (Noise{1, now}).Port(b1, p); again != one {
		t.Error("the same seed and second give another reading")
	}
	if later := (Noise{1, now.Add(time.Second)}).Port(b1, p); later.OSNR == one.OSNR || later.Input == one.Input {
		t.Error("the next second gives the same reading")
	}
	for i := range 1000 {
		n := Noise{7, now.Add(time.Duration(i) * time.Second)}.Port(b1, p)
		if d := n.Input - p.Input; d > PowerScatter || d < -PowerScatter {
			t.Fatalf("power is %v off", d)
		}
		if d := n.Mode.MarginAt(n.BER) - p.Margin; d > NoiseScatter+0.01 || d < -NoiseScatter-0.01 {
			t.Fatalf("the margin that the error rate says is %v off", d)
		}
	}
}

// BenchmarkShine is a change on one of ten lines of 64 channels.
func BenchmarkShine(b *testing.B) {
	p, on := &Plant{}, map[string]*Device{}
	m := mode(b, "OpenZR+ 400G")
	for i := range 10 {
		one := aPlant().Lines[0]
		one.Name = fmt.Sprint("line", i)
		one.A, one.B = one.Name+"A", one.Name+"B"
		p.Lines = append(p.Lines, one)
		maps.Copy(on, devices(b))
		for _, place := range []string{one.A, one.B} {
			on[place] = &Device{}
			for k := range 64 {
				port, f := fmt.Sprintf("p%02d", k), 191_362_500+uint64(k)*75_000
				p.Terminals = append(p.Terminals, Terminal{At: network.End{Device: place, Port: port}, Line: one.Name, Place: place, Low: f - 37_500, High: f + 37_500})
				on[place].Lasers = append(on[place].Lasers, Laser{Port: port, On: true, Shines: true, Frequency: f, Power: -10, Mode: m})
			}
		}
	}
	l := New(p)
	l.Shine(on, &Damage{})
	for i := 0; b.Loop(); i++ {
		l.Shine(on, &Damage{Losses: map[Fibre]optics.DB{{"north", "line0"}: optics.DB(i%100) / 100}})
	}
}
