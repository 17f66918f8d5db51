package optics

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestErrorsAndMarginsTellTheSame(t *testing.T) {
	t.Parallel()
	for _, m := range []*Mode{
		{Modulation: "DP-16QAM", MaxBER: 2e-2, RequiredOSNR: 24}, {Modulation: "DP-QPSK", MaxBER: 4.5e-3, RequiredOSNR: 17},
		{Modulation: "DP-8QAM", MaxBER: 2e-2, RequiredOSNR: 21}, {Modulation: "PCS-DP-16QAM", MaxBER: 2e-2, RequiredOSNR: 25.1},
	} {
		if got := m.BER(m.RequiredOSNR); math.Abs(got-m.MaxBER)/m.MaxBER > 1e-9 {
			t.Errorf("%s: %g errors at the limit, want %g", m.Modulation, got, m.MaxBER)
		}
		before := 1.0
		for _, margin := range []DB{-2, 0, 1, 3, 6} {
			ber := m.BER(m.RequiredOSNR + margin)
			if ber >= before || math.Abs(float64(m.MarginAt(ber)-margin)) > 1e-6 {
				t.Errorf("%s: %g errors with %v, which says %v", m.Modulation, ber, margin, m.MarginAt(ber))
			}
			before = ber
		}
		if !math.IsInf(float64(m.MarginAt(0)), 1) {
			t.Error("no errors, and a limit to the margin")
		}
	}
}

func TestQIsWhatTheStandardSays(t *testing.T) {
	t.Parallel()
	// a Q factor of 6 is an error rate of 9.87e-10
	if q := Q(9.865876e-10); math.Abs(float64(q)-20*math.Log10(6)) > 1e-3 {
		t.Errorf("%v", q)
	}
}

// samples are so many, an hour apart, that lose so much a day, with noise.
func samples(n int, start, perDay, noise float64) []Sample {
	r := rand.New(rand.NewPCG(1, 2))
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	out := make([]Sample, n)
	for i := range out {
		out[i] = Sample{begin.Add(time.Duration(i) * time.Hour), DB(start + perDay*float64(i)/24 + noise*r.NormFloat64())}
	}
	return out
}

func TestAForecastIsMadeOnlyOfWhatIsClear(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   []Sample
		days float64 // 0: none
	}{
		{"a slow loss is carried on to zero", samples(24*7, 4, -0.2, 0.05), 13},
		{"a fast one is seen within hours", samples(12, 3, -2, 0.02), 1},
		{"noise alone is no trend", samples(24*7, 4, 0, 0.2), 0},
		{"what gets better has no end", samples(24*7, 4, 0.2, 0.05), 0},
		{"what is already used up has none to forecast", samples(24*7, 0.5, -0.2, 0.05), 0},
		{"two samples are none", samples(2, 4, -1, 0), 0},
		{"no sample is none", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			trend := TrendOf(c.in)
			left, ok := trend.Zero()
			if ok != (c.days > 0) || ok && math.Abs(left.Hours()/24-c.days) > 0.1*c.days+0.1 {
				t.Errorf("%v %v of %+v; want %v days", left, ok, trend, c.days)
			}
		})
	}
}

// A watch looks again with each sample that comes. Margins that only scatter, however much, however often and by whatever distribution, are not taken
// for ones that fall, nor are those that swing with the temperature of a day: of 20,000 such channels, 4,000 of a kind, it was one.
func TestNoiseAloneIsNoForecast(t *testing.T) {
	t.Parallel()
	const channels = 150
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		noise func(r *rand.Rand, at time.Duration) float64
		every time.Duration
	}{
		"normal":             {func(r *rand.Rand, _ time.Duration) float64 { return 0.3 * r.NormFloat64() }, time.Hour},
		"uniform":            {func(r *rand.Rand, _ time.Duration) float64 { return r.Float64() - 0.5 }, time.Minute},
		"with outliers":      {func(r *rand.Rand, _ time.Duration) float64 { return 0.1 * r.NormFloat64() / (0.05 + r.Float64()) }, 6 * time.Hour},
		"in steps of 0.1 dB": {func(r *rand.Rand, _ time.Duration) float64 { return math.Round(3*r.NormFloat64()) / 10 }, time.Hour},
		"day and night": {func(r *rand.Rand, at time.Duration) float64 {
			return 0.1*math.Sin(2*math.Pi*at.Hours()/24) + 0.02*r.NormFloat64()
		}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, alarms := rand.New(rand.NewPCG(3, 4)), 0
			for range channels {
				all, alarmed := make([]Sample, 48), false
				for i := range all {
					after := time.Duration(i) * c.every
					all[i] = Sample{begin.Add(after), DB(4 + c.noise(r, after))}
				}
				for _, n := range []int{5, 8, 11, 13, 16, 20, 24, 32, 48} {
					_, falls := TrendOf(all[:n]).Zero()
					alarmed = alarmed || falls
				}
				if alarmed {
					alarms++
				}
			}
			if alarms > 0 {
				t.Errorf("%d of %d channels are said to run out of margin", alarms, channels)
			}
		})
	}
}

func TestOneOutlierMovesNoTrend(t *testing.T) {
	t.Parallel()
	in := samples(100, 4, -0.2, 0.01)
	before := TrendOf(in)
	in[50].Margin = -20
	if after := TrendOf(in); math.Abs(after.PerDay-before.PerDay) > 0.01 {
		t.Errorf("%v became %v", before.PerDay, after.PerDay)
	}
}
