package optics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawLine is a line without limits of power: what one channel gets does not depend on how many there are.
func drawLine(t *rapid.T) []Element {
	line := []Element{Loss{DB(rapid.Float64Range(0, 8).Draw(t, "mux"))}}
	for range rapid.IntRange(1, 4).Draw(t, "spans") {
		f := Fiber{Length: Km(rapid.Float64Range(5, 120).Draw(t, "km")), Loss: []LossAt{{PerKm: DB(rapid.Float64Range(0.15, 0.3).Draw(t, "dB/km"))}},
			ConnectorIn: 0.5, ConnectorOut: 0.5, Dispersion: rapid.Float64Range(2, 22).Draw(t, "dispersion"), Area: rapid.Float64Range(50, 130).Draw(t, "area"),
			PMD: 0.05}
		if rapid.Bool().Draw(t, "slope") {
			f.Slope = rapid.Float64Range(0.03, 0.09).Draw(t, "ps/nm²")
		}
		line = append(line, f, Amplifier{Gain: f.TotalLoss(193.1), NoiseFigure: DB(rapid.Float64Range(4, 8).Draw(t, "nf")), MaxOutput: 60})
	}
	return line
}

// drawChannels are channels of mixed rates that do not overlap, in any order.
func drawChannels(t *rapid.T) []Channel {
	var out []Channel
	at := 191.4
	for range rapid.IntRange(1, 12).Draw(t, "channels") {
		baud := rapid.SampledFrom([]float64{30.07, 60.14, 118.2}).Draw(t, "baud")
		at += baud/1e3 + rapid.Float64Range(0, 0.3).Draw(t, "gap")
		out = append(out, Channel{Frequency: THz(at), Baud: GHz(baud), TxPower: DBm(rapid.Float64Range(-6, 4).Draw(t, "dBm"))})
		at += baud / 1e3
	}
	return rapid.Permutation(out).Draw(t, "order")
}

func lights(t *rapid.T, line []Element, channels []Channel) []Light {
	p, err := NewPropagator(channels)
	if err == nil {
		err = p.Run(line, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	out := make([]Light, len(channels))
	for i := range out {
		out[i] = p.At(i)
	}
	return out
}

func TestAnotherChannelNeverHelps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		line, channels := drawLine(t), drawChannels(t)
		before := lights(t, line, channels[:len(channels)-1+min(1, 1/len(channels))])
		after := lights(t, line, channels)
		for i := range before {
			if b, a := before[i].GSNR(channels[i].Baud), after[i].GSNR(channels[i].Baud); a > b+1e-9 {
				t.Fatalf("%v: GSNR %v, and %v with one channel more", channels[i].Frequency, b, a)
			}
		}
	})
}

func TestMoreNoiseAndMoreLossNeverHelp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		line, channels := drawLine(t), drawChannels(t)
		worse := slices.Clone(line)
		at := 2 * rapid.IntRange(1, len(line)/2).Draw(t, "amplifier")
		a := worse[at].(Amplifier)
		if rapid.Bool().Draw(t, "noisier") {
			a.NoiseFigure += DB(rapid.Float64Range(0, 5).Draw(t, "dB"))
			worse[at] = a
		} else { // loss that the amplifier behind it makes up for
			more := DB(rapid.Float64Range(0, 10).Draw(t, "dB"))
			a.Gain += more
			f := worse[at-1].(Fiber)
			f.ConnectorOut += more
			worse[at-1], worse[at] = f, a
		}
		before, after := lights(t, line, channels), lights(t, worse, channels)
		for i := range before {
			if b, a := before[i].GSNR(channels[i].Baud), after[i].GSNR(channels[i].Baud); a > b+1e-9 {
				t.Fatalf("%v: GSNR %v became %v", channels[i].Frequency, b, a)
			}
		}
	})
}

func TestTheOrderOfChannelsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		line, channels := drawLine(t), drawChannels(t)
		other := slices.Clone(channels)
		slices.Reverse(other)
		a, b := lights(t, line, channels), lights(t, line, other)
		slices.Reverse(b)
		if !slices.Equal(a, b) {
			t.Fatalf("%v\n%v", a, b)
		}
	})
}

func TestWhatIsKeptOfOneLineChangesNothingOnTheNext(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first, second, channels := drawLine(t), drawLine(t), drawChannels(t)
		p, err := NewPropagator(channels)
		for _, line := range [][]Element{first, second} {
			if err == nil {
				err = p.Run(line, nil)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range lights(t, second, channels) {
			if got := p.At(i); got != want {
				t.Fatalf("%v, and %v by a propagator that has seen another line", want, got)
			}
		}
	})
}

func TestSharesOfPowerStayOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for _, l := range lights(t, drawLine(t), drawChannels(t)) {
			if sum := l.Signal + l.Amplified + l.Nonlinear; math.Abs(sum-1) > 1e-12 {
				t.Fatalf("signal and noise together are %v of the power", sum)
			}
		}
	})
}

func TestAssignmentNeverOverlaps(t *testing.T) {
	t.Parallel()
	modes := []*Mode{{Name: "narrow", Spacing: 50}, {Name: "usual", Spacing: 75}, {Name: "wide", Spacing: 150}}
	rapid.Check(t, func(t *rapid.T) {
		grids := map[string]Grid{}
		var names []string
		for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
			g := CBand()
			g.High = g.Low + uint64(rapid.IntRange(3, 40).Draw(t, "width"))*50_000
			g.Guard = GHz(rapid.SampledFrom([]float64{0, 25}).Draw(t, "guard"))
			names = append(names, fmt.Sprintf("line%d", i))
			grids[names[i]] = g
		}
		var wanted []Wanted
		for i := range rapid.IntRange(1, 30).Draw(t, "channels") {
			over := rapid.Permutation(names).Draw(t, "over")
			w := Wanted{Name: fmt.Sprintf("c%02d", i), Lines: over[:rapid.IntRange(1, len(over)).Draw(t, "hops")], Mode: rapid.SampledFrom(modes).Draw(t, "mode")}
			if rapid.IntRange(0, 4).Draw(t, "pinned") == 0 {
				w.At = uint64(191_350_000 + 6_250*rapid.IntRange(0, 200).Draw(t, "at"))
			}
			wanted = append(wanted, w)
		}
		got, errs := Assign(grids, wanted, nil)
		if len(got)+len(errs) != len(wanted) {
			t.Fatalf("%d placed and %d refused of %d", len(got), len(errs), len(wanted))
		}
		for i, a := range wanted {
			s, ok := got[a.Name]
			if !ok {
				continue
			}
			for _, line := range a.Lines {
				if err := grids[line].Allows(s); err != nil {
					t.Fatal(a.Name, err)
				}
			}
			if a.At != 0 && s.Centre() != a.At {
				t.Fatalf("%s was pinned to %d and is at %v", a.Name, a.At, s)
			}
			for _, b := range wanted[:i] {
				shared := slices.ContainsFunc(a.Lines, func(l string) bool { return slices.Contains(b.Lines, l) })
				if o, ok := got[b.Name]; ok && shared && s.Overlaps(o) {
					t.Fatalf("%s at %v and %s at %v", a.Name, s, b.Name, o)
				}
			}
		}
		again, _ := Assign(grids, rapid.Permutation(wanted).Draw(t, "order"), nil)
		if fmt.Sprint(got) != fmt.Sprint(again) {
			t.Fatalf("in another order\n%v\n%v", got, again)
		}
	})
}

// TestDiverseRoutesAreTheShortestPair holds the search against one that looks at every pair of all routes.
func TestDiverseRoutesAreTheShortestPair(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 5))
		var ducts []Duct
		places := 3 + r.IntN(4)
		for i := range places + r.IntN(6) {
			a, b := r.IntN(places), r.IntN(places)
			if a == b {
				continue
			}
			d := Duct{Name: fmt.Sprintf("d%02d", i), A: fmt.Sprint(a), B: fmt.Sprint(b), Length: Km(10 + r.IntN(90))}
			if r.IntN(3) == 0 {
				d.Risks = []string{fmt.Sprint("bridge", r.IntN(3))}
			}
			ducts = append(ducts, d)
		}
		m := NewMap(ducts)
		a, b, ok := m.Diverse("0", "1")
		want := bestPair(m, "0", "1")
		if ok != !math.IsInf(float64(want), 1) || ok && math.Abs(float64(a.Length+b.Length-want)) > 1e-9 {
			t.Fatalf("seed %d: %v %v %v, the best pair is %v long", seed, a, b, ok, want)
		}
		if ok {
			found++
		}
	}
	if found < 50 || found > 350 {
		t.Errorf("a pair in %d of 400 maps: the maps are too much alike", found)
	}
}

func bestPair(m *Map, from, to string) Km {
	var all [][]int
	m.inOrder(from, to, func(path []int, _ Km) bool { all = append(all, path); return true })
	best := Km(math.Inf(1))
	for _, a := range all {
		for _, b := range all {
			apart := true
			for _, d := range a {
				for _, e := range b {
					for _, r := range m.risks[d] {
						apart = apart && !slices.Contains(m.risks[e], r)
					}
				}
			}
			if apart {
				best = min(best, m.route(a).Length+m.route(b).Length)
			}
		}
	}
	return best
}
