package optics

import (
	"math"
	"testing"
)

// planned is a line of spans, filled and planned.
func planned(t *testing.T, name string, kms ...Km) *Report {
	t.Helper()
	l := spans(kms...)
	l.Name, l.Mux, l.Demux, l.Levels, l.Level, l.Ends = name, 8, 8, true, -20, AddDrop{2, 33}
	return plan(t, l, lit(t, l, zrPlus, 4), anyPower)
}

func TestAPathIsWorseThanEachOfItsLines(t *testing.T) {
	t.Parallel()
	first, second := planned(t, "ab", 80, 80), planned(t, "bc", 60)
	through := lit(t, first.Line, zrPlus, 2)
	states, err := Path{Reports: []*Report{first, second}, Express: []DB{16}}.Through(through)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range states {
		if s.Margin >= first.States[i].Margin || s.Margin >= second.States[i].Margin || s.Margin < -1 {
			t.Errorf("%s: %v, and its lines %v and %v", s.Name, s.Margin, first.States[i].Margin, second.States[i].Margin)
		}
		if got, want := s.Worst.Light.Dispersion, 16.7*220.0; math.Abs(got-want) > 1 {
			t.Errorf("%s: dispersion %v, want that of all fibres, %v", s.Name, got, want)
		}
		if p := s.Worst.Light.Power; p < zrPlus.RxMin || p > zrPlus.RxMax {
			t.Errorf("%s: %v at the receiver", s.Name, p)
		}
	}
}

func TestAROADMLevelsWhatItAdds(t *testing.T) {
	t.Parallel()
	l := planned(t, "ab", 80, 80).Line
	channels := lit(t, l, zrPlus, 2)
	channels[1].TxPower = 0
	for levels, apart := range map[bool]bool{true: false, false: true} {
		l.Levels = levels
		arrivals := plan(t, l, channels, anyPower).Today().Arrivals
		if d := arrivals[1].Light.Power - arrivals[0].Light.Power; (d > 5) != apart {
			t.Errorf("levels %v: channels of -10 and 0 dBm arrive %v apart", levels, DB(d))
		}
	}
}

func TestAJoinedLineIsAboutWhatItsPartsAre(t *testing.T) {
	t.Parallel()
	first, second := planned(t, "ab", 80, 80), planned(t, "bc", 60)
	joined := Join([]*Line{first.Line, second.Line}, []DB{16})
	if joined.Length() != 220 || joined.Spans() != 3 || joined.Name != "ab + bc" || first.Line.Spans() != 2 {
		t.Errorf("%s: %v in %d spans", joined.Name, joined.Length(), joined.Spans())
	}
	channels := lit(t, joined, zrPlus, 4)
	states, err := Path{Reports: []*Report{first, second}, Express: []DB{16}}.Through(channels)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plan(t, joined, channels, anyPower).Last().Margin, states[3].Margin; math.Abs(float64(got-want)) > 1 {
		t.Errorf("joined %v, one after the other %v", got, want)
	}
}

func TestAmplifiersGiveWhatTheirGainSays(t *testing.T) {
	t.Parallel()
	r := planned(t, "ab", 80, 80)
	booster, sections, err := r.Today().Outputs()
	if err != nil {
		t.Fatal(err)
	}
	want := r.Launch + DBm(toDB(4)) // of four channels
	if math.Abs(float64(booster-want)) > 0.1 || math.Abs(float64(sections[0]-want)) > 0.1 || len(sections) != 2 {
		t.Errorf("booster %v, sections %v, want %v", booster, sections, want)
	}
}

func TestARouteApartTakesNoneOfTheRisks(t *testing.T) {
	t.Parallel()
	m := NewMap([]Duct{{"a", "bj", "sh", 10, []string{"bridge"}}, {"b", "bj", "sh", 20, []string{"bridge"}}, {"c", "bj", "hut", 20, nil}, {"d", "hut", "sh", 20, nil}})
	for _, c := range []struct {
		risks []string
		want  string
	}{{nil, "a"}, {[]string{"duct a", "nothing"}, "b"}, {[]string{"bridge"}, "c, d"}, {[]string{"bridge", "duct d"}, ""}} {
		r, ok := m.Apart("bj", "sh", c.risks)
		if r.String() != c.want || ok != (c.want != "") {
			t.Errorf("apart from %v: %q, want %q", c.risks, r, c.want)
		}
	}
}
