package optics

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Sample is a margin at a time.
type Sample struct {
	At     time.Time
	Margin DB
}

// Trend is how a margin changes.
type Trend struct {
	Now     DB      // on the line, at the last sample
	PerDay  float64 // dB; below 0 it gets worse
	Scatter DB      // median distance of samples from the line
	Clear   bool    // the change over the samples is more than noise explains, or day and night
}

// TrendOf fits a line to samples, by the median of the slopes between them (Theil and Sen), which a few outliers do not move. Fewer than
// three samples, or all at one time, have no trend. It looks at 200 samples at most, evenly taken.
func TrendOf(samples []Sample) Trend {
	samples = thinned(slices.SortedFunc(slices.Values(samples), func(a, b Sample) int { return a.At.Compare(b.At) }), 200)
	if len(samples) == 0 {
		return Trend{Now: DB(math.NaN())}
	}
	last := samples[len(samples)-1]
	days := func(s Sample) float64 { return s.At.Sub(last.At).Hours() / 24 }
	var slopes []float64
	for i, a := range samples {
		for _, b := range samples[i+1:] {
			if d := days(b) - days(a); d > 0 {
				slopes = append(slopes, float64(b.Margin-a.Margin)/d)
			}
		}
	}
	t := Trend{}
	if len(samples) >= 3 && len(slopes) > 0 {
		t.PerDay = median(slopes)
	}
	var ends, off []float64
	for _, s := range samples {
		ends = append(ends, float64(s.Margin)-t.PerDay*days(s))
	}
	t.Now = DB(median(ends))
	for _, e := range ends {
		off = append(off, math.Abs(e-float64(t.Now)))
	}
	t.Scatter = DB(median(off))
	// The slope of n samples with this scatter is uncertain by about 3.5 × scatter / (span × √n) at most; twice that is clear.
	span := -days(samples[0])
	least := max(scatters*float64(t.Scatter)/math.Sqrt(float64(len(samples))), Swing)
	t.Clear = math.Abs(t.PerDay)*span > least && math.Abs(score(samples)) > confident
	return t
}

// Swing is what the temperature of a day takes and gives, in dB: less is no change.
const Swing = 0.3

// What a change has to be beside.
const (
	scatters  = 7.0 // times the median distance from the line: 4.7 standard deviations of what is normally distributed
	confident = 4.0 // standard deviations of score: noise alone reaches them once in 15,000 times, and fewer than 11 samples never
)

// TrendNeeds is how many samples a trend needs at least to be clear.
const TrendNeeds = 11

// Belied tells whether a margin that was measured later is a step above the line: by more than scatter explains, and more than day and night.
// Then something was mended, and the line does not go on.
func (t Trend) Belied(later DB) bool {
	return later-t.Now > max(scatters*t.Scatter, Swing)
}

// score is the test of Mann and Kendall for a trend: how many of all pairs of samples rise more than fall, in standard deviations of what noise
// of any distribution gives. Equal ones count as neither.
func score(samples []Sample) float64 {
	rise := 0
	for i, a := range samples {
		for _, b := range samples[i+1:] {
			rise += cmp.Compare(b.Margin, a.Margin)
		}
	}
	n := float64(len(samples))
	if rise == 0 {
		return 0
	}
	return (float64(rise) - math.Copysign(1, float64(rise))) / math.Sqrt(n*(n-1)*(2*n+5)/18)
}

// Zero is when the margin is used up if it goes on like this; false: it never is, or nothing is clear.
func (t Trend) Zero() (time.Duration, bool) {
	if !t.Clear || t.PerDay >= 0 || t.Now <= 0 {
		return 0, false
	}
	days := float64(t.Now) / -t.PerDay
	if days > 36500 {
		return 0, false
	}
	return time.Duration(days * 24 * float64(time.Hour)), true
}

func thinned(samples []Sample, most int) []Sample {
	if len(samples) <= most {
		return samples
	}
	out := make([]Sample, most)
	for i := range out {
		out[i] = samples[i*(len(samples)-1)/(most-1)]
	}
	return out
}

func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	if n := len(xs); n%2 == 0 {
		return (xs[n/2-1] + xs[n/2]) / 2
	}
	return xs[len(xs)/2]
}
