package optics

import (
	"math"
	"regexp"
	"strings"
	"testing"
)

var (
	zrPlus   = &Mode{Name: "OpenZR+ 400G", Rate: 400, Baud: 60.138546798, Spacing: 75, TxDefault: -10, TxOSNR: 34, RequiredOSNR: 24, RxMin: -12, MaxCD: 20000, MaxPMD: 20}
	fast     = &Mode{Name: "800G", Rate: 800, Baud: 118.2, Spacing: 150, TxDefault: 0, TxOSNR: 37, RequiredOSNR: 27, RxMin: -11, RxMax: 1, MaxCD: 12000, MaxPMD: 20}
	zr       = &Mode{Name: "400ZR", Rate: 400, Baud: 59.84375, Spacing: 75, TxDefault: -10, TxOSNR: 34, RequiredOSNR: 26, RxMin: -12, MaxCD: 2400, MaxPMD: 10}
	inline   = &AmplifierKind{Name: "EDFA", MinGain: 5, MaxGain: 27, NoiseFigure: 5.5, MaxOutput: 23}
	anyPower = DBm(math.NaN())
)

// spans is a line of fibres of so many kilometres, with an amplifier at both ends and between.
func spans(km ...Km) *Line {
	l := &Line{Name: "east", Grid: CBand(), Mux: 6, Booster: inline, Demux: 6}
	for _, length := range km {
		f := Fiber{Length: length, Loss: []LossAt{{PerKm: 0.2}}, ConnectorIn: 0.5, ConnectorOut: 0.5, Dispersion: 16.7, Area: 83, PMD: 0.04}
		l.Sections = append(l.Sections, Section{Name: "span", Passive: []Element{f}, Amplifier: inline})
	}
	return l
}

// lit are so many channels of a mode, side by side from the bottom of the band.
func lit(t *testing.T, l *Line, m *Mode, n int) []Carried {
	t.Helper()
	slots, err := l.Grid.Room(m.Spacing)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]Carried, n)
	for i := range out {
		out[i] = Carried{Slot: slots[i], Mode: m, TxPower: m.TxDefault}
	}
	return out
}

func plan(t *testing.T, l *Line, channels []Carried, launch DBm) *Report {
	t.Helper()
	r, err := l.Plan(channels, UsualAgeing(), launch)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheBandHasRoomForAsManySlotsAsTheStandardSays(t *testing.T) {
	t.Parallel()
	for width, want := range map[GHz]int{75: 64, 100: 48, 50: 96} {
		slots, err := CBand().Room(width)
		if err != nil || len(slots) != want {
			t.Errorf("%v: %d slots, want %d (%v)", width, len(slots), want, err)
		}
	}
	for width, want := range map[GHz]int{75: 64, 100: 48} {
		fixed := CBand()
		fixed.Step, fixed.Width = width, width
		slots, err := fixed.Room(width)
		if err != nil || len(slots) != want || slots[want-1].Centre() != 196_100_000 {
			t.Errorf("on a fixed grid of %v: %d slots, want %d (%v)", width, len(slots), want, err)
		}
	}
	guarded := CBand()
	guarded.Guard = 25
	if slots, _ := guarded.Room(75); len(slots) != 63 {
		t.Errorf("%d slots beside guard bands, want 63", len(slots))
	}
}

func TestSlotsLieOnTheGrid(t *testing.T) {
	t.Parallel()
	s, err := SlotAt(193_700_000, 75)
	if err != nil || s.N != 96 || s.M != 6 || s.Low() != 193_662_500 || s.High() != 193_737_500 {
		t.Errorf("%+v %v", s, err)
	}
	for text, at := range map[string]uint64{
		"193.70100 THz is not on the grid of 6.25 GHz; the next are 193.70000 and 193.70625 THz": 193_701_000,
		"191.29900 THz is not on the grid of 6.25 GHz; the next are 191.29375 and 191.30000 THz": 191_299_000,
	} {
		if _, err := SlotAt(at, 75); err == nil || err.Error() != text {
			t.Errorf("%v, want %s", err, text)
		}
	}
}

func TestAFullBandNamesWhoHasNoRoomAndWhoHasIt(t *testing.T) {
	t.Parallel()
	grids := map[string]Grid{"east": {Low: 193_000_000, High: 193_150_000}}
	over := []string{"east"}
	_, errs := Assign(grids, []Wanted{{"a", over, zrPlus, 193_037_500}, {"b", over, zrPlus, 193_037_500}, {"c", over, zrPlus, 0}, {"d", over, zrPlus, 0}}, nil)
	if len(errs) != 2 || errs[0].Error() != "b: 193.03750 THz, 75 GHz wide is taken on line east by a" || errs[1].Error() != "d: no 75 GHz are free on east" {
		t.Errorf("%v", errs)
	}
}

func TestTheLaunchPowerIsTheBestThereIs(t *testing.T) {
	t.Parallel()
	l := spans(80, 80, 80, 80)
	l.Booster = &AmplifierKind{MinGain: 5, MaxGain: 27, NoiseFigure: 5.5, MaxOutput: 26} // 64 channels of 5 dBm are 23
	for i := range l.Sections {
		l.Sections[i].Amplifier = l.Booster
	}
	channels := lit(t, l, zrPlus, 32)
	best, err := l.BestLaunch(channels, len(channels))
	if err != nil {
		t.Fatal(err)
	}
	at := func(launch DBm) DB { _, m := worst(plan(t, l, channels, launch).Today().Arrivals); return m }
	if best < -3 || best > 5 {
		t.Errorf("best launch %v: the optimum of 80 km lies between -3 and 5 dBm", best)
	}
	for _, other := range []DBm{-3, best - 0.5, best + 0.5, 5} {
		if at(other) > at(best) {
			t.Errorf("%v gives %v, and %v gives %v", best, at(best), other, at(other))
		}
	}
	if low, high := at(best)-at(-3), at(best)-at(5); low < 0.3 || high < 0.3 {
		t.Errorf("the best is only %v and %v better than its surroundings", low, high)
	}
}

func TestAnAmplifierGivesNoMoreThanItHas(t *testing.T) {
	t.Parallel()
	l := spans(100)
	s := l.Set(4, lit(t, l, zrPlus, 64), 64)
	// 23 dBm for 64 channels are 4.94 dBm each; of a transmitter's -10 dBm the mux leaves -16
	if got := s.Booster.Gain; got != 20 {
		t.Errorf("gain %v, want 20 dB", got)
	}
	if got := l.Set(8, lit(t, l, zrPlus, 64), 64).Booster.Gain; math.Abs(float64(got)-20.94) > 1e-9 {
		t.Errorf("gain %v, want what 23 dBm allow: 20.94 dB", got)
	}
}

func TestALineGetsWorseFullAndOld(t *testing.T) {
	t.Parallel()
	for _, l := range []*Line{spans(80), spans(80, 80, 80), spans(40, 110)} {
		r := plan(t, l, lit(t, l, zrPlus, 4), anyPower)
		today, full, old, last := r.States[0].Margin, r.States[1].Margin, r.States[2].Margin, r.States[3].Margin
		if !(full < today && old < today && last < old && last < full) {
			t.Errorf("today %v, full %v, old %v, both %v", today, full, old, last)
		}
	}
}

func TestDarkFibreIsAsLongAsItsLightReaches(t *testing.T) {
	t.Parallel()
	alone := &Mode{Name: "400ZR unamplified", Rate: 400, Baud: 59.84375, Spacing: 75, TxDefault: -8, TxOSNR: 34, RequiredOSNR: 26, RxMin: -20, MaxCD: 2400, MaxPMD: 10}
	for km, closes := range map[Km]bool{40: true, 80: false} {
		l := &Line{Name: "dark", Grid: CBand(), Sections: []Section{{Passive: spans(km).Sections[0].Passive}}}
		r := plan(t, l, lit(t, l, alone, 1), anyPower)
		if got := r.Today().Closes(0); got != closes {
			t.Errorf("%v: closes %v (%v)", km, got, r.Today().Worst.Verdict)
		}
		if !closes && r.Today().Worst.Verdict.Fails != TooLittlePower {
			t.Errorf("%v: fails by %v", km, r.Today().Worst.Verdict.Fails)
		}
	}
}

// TestTheMarginIsThatWhichRunsOutFirst is on fibres of 0.2 dB/km with 1 dB of connectors.
func TestTheMarginIsThatWhichRunsOutFirst(t *testing.T) {
	t.Parallel()
	alone := &Mode{Name: "400ZR unamplified", Rate: 400, Baud: 59.84375, Spacing: 75, TxDefault: -8, TxOSNR: 34, RequiredOSNR: 26, RxMin: -20, MaxCD: 2400, MaxPMD: 10}
	strong := *alone
	strong.TxDefault = 0
	bare := func(km Km) *Line {
		return &Line{Name: "dark", Grid: CBand(), Spare: &AmplifierKind{MaxGain: 30, NoiseFigure: 5.5, MaxOutput: 23}, Sections: []Section{{Passive: spans(km).Sections[0].Passive}}}
	}
	for _, c := range []struct {
		name        string
		line        *Line
		mode        *Mode
		limit       Fails
		today, last DB
	}{
		{"on 10 km noise: the transmitter's, and at the end of life the reserve", bare(10), alone, TooMuchNoise, 8, 7.5},
		{"on 38 km power: 8.6 dB of 12 are lost, and 1 dB more to age", bare(38), alone, TooLittlePower, 3.4, 2.4},
		{"on 60 km there is none left", bare(60), alone, TooLittlePower, -1, -2},
		{"a strong transmitter on a short fibre comes near to what a receiver takes at most", bare(5), &strong, TooMuchPower, 2, 3},
		{"with an amplifier before the receiver noise alone, however near its power is", bare(38).AmplifiedAtEnds(), alone, TooMuchNoise, 7.05, 6.24},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := plan(t, c.line, lit(t, c.line, c.mode, 1), anyPower)
			today, last := r.Today(), r.Last()
			if today.Worst.Limit != c.limit || math.Abs(float64(today.Margin-c.today)) > 0.15 || math.Abs(float64(last.Margin-c.last)) > 0.15 {
				t.Errorf("%v by %v, and %v at last; want %v by %v, and %v", today.Margin, today.Worst.Limit, last.Margin, c.today, c.limit, c.last)
			}
		})
	}
	choices, err := bare(60).Choose([]*Mode{alone}, UsualAgeing())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Advice("X3b", choices, 2), `^no mode of X3b keeps a margin of 2 dB; 400G misses by 4 dB of received power; amplifiers at both ends add \d\.?\d* dB$`; !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestRoomIsBoundedBySpectrumPowerAndMargin(t *testing.T) {
	t.Parallel()
	room := func(l *Line, launch DBm, margin DB) Room {
		r, err := l.Room(zrPlus, -10, UsualAgeing(), launch, margin)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := room(spans(80), 0, 0); r != (Room{64, 64, 64}) {
		t.Errorf("a short line takes %+v", r)
	}
	if r := room(spans(80), 8, 0); r.Power != 31 { // 15 dB more than one channel's
		t.Errorf("with 8 dBm a channel there is power for %d", r.Power)
	}
	if r := room(spans(80, 80, 80, 80), 0, 40); r.Margin != 0 {
		t.Errorf("no channel has a margin of 40 dB, and %d fit", r.Margin)
	}
	strong := *zrPlus
	strong.RxMin = -30
	short := &Line{Name: "short", Grid: CBand(), Sections: []Section{{Passive: spans(5).Sections[0].Passive}}}
	for margin, want := range map[DB]int{1.5: 64, 2.5: 0} { // of 0 dBm 2 dB are lost, and 3 dB once the fibre is old
		if r, err := short.Room(&strong, 0, UsualAgeing(), 0, margin); err != nil || r.Margin != want {
			t.Errorf("%d fit with %v to what a receiver takes at most, want %d (%v)", r.Margin, margin, want, err)
		}
	}
}

func TestAdviceNamesWhatFitsWhatMissesAndWhatWouldHelp(t *testing.T) {
	t.Parallel()
	slow := *zrPlus
	slow.Name, slow.Rate, slow.RequiredOSNR, slow.RxMin = "OpenZR+ 200G", 200, 16, -18
	choices, err := spans(100, 100, 80, 100, 80).Choose([]*Mode{&slow, zr, zrPlus, fast}, UsualAgeing())
	if err != nil {
		t.Fatal(err)
	}
	if choices[0].Mode != fast || choices[0].Closes(1) || !choices[3].Closes(1) {
		t.Errorf("first %s, %v; last %v", choices[0].Mode.Name, choices[0].Margin, choices[3].Margin)
	}
	for margin, want := range map[DB]string{
		1:  `^200G fits with 7\.\d+ dB \(OpenZR\+ 200G\); 400G misses by 1\.\d+ dB; a mid-span amplifier adds 0\.\d+ dB$`,
		30: `^no mode of X3b keeps a margin of 30 dB; 200G misses by 22\.\d+ dB; a mid-span amplifier adds 0\.\d+ dB$`,
	} {
		if got := Advice("X3b", choices, margin); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

func TestAdviceTellsWhenTheGridIsTooNarrow(t *testing.T) {
	t.Parallel()
	l := spans(80)
	l.Grid.Width = 75
	choices, err := l.Choose([]*Mode{zrPlus, fast}, UsualAgeing())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Advice("X3b", choices, 1), "; 800G has no place: 800G needs 150 GHz, and the grid gives 75 GHz"; !strings.HasSuffix(got, want) {
		t.Errorf("%s\nwant … %s", got, want)
	}
}

func TestARelayChangesNothingButTheAmplifiers(t *testing.T) {
	t.Parallel()
	l := spans(80, 110, 80)
	r := l.Relayed()
	if r.Length() != l.Length() || r.Spans() != 4 || len(l.Sections) != 3 {
		t.Errorf("%v in %d spans, was %v", r.Length(), r.Spans(), l.Length())
	}
	if f := r.Sections[1].Passive[0].(Fiber); f.Length != 55 {
		t.Errorf("the longest span was cut at %v", f.Length)
	}
}
