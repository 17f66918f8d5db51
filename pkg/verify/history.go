package verify

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/optics"
)

// History is margins of channels over time. It is a value: Add returns another one, and the zero History is empty.
type History struct{ series map[string]series }

// series is samples of one channel, evenly spaced.
type series struct {
	samples []optics.Sample
	step    time.Duration // between two of them at least
	last    optics.Sample // that was measured; it may have come too soon to be kept
}

// maxSamples is how many samples are kept of a channel. When there are more, every second one goes, and from then on half as many come in:
// a history of a year costs what one of an hour does.
const maxSamples = 512

// Add returns the history with what was measured at a time. What is not later than the samples before is left out. A margin that has risen by
// a step and stays there, as after a repair, begins anew: what was before says nothing of what will come.
func (h History) Add(at time.Time, margins map[string]optics.DB) History {
	out := History{maps.Clone(h.series)}
	if out.series == nil {
		out.series = make(map[string]series, len(margins))
	}
	for name, m := range margins {
		s := out.series[name]
		if len(s.samples) == 0 || at.After(s.last.At) {
			out.series[name] = s.with(optics.Sample{At: at, Margin: m})
		}
	}
	return out
}

// with returns the series with a later sample; the samples of this one stay as they are.
func (s series) with(next optics.Sample) series {
	s.last = next
	if n := len(s.samples); n > 0 && next.At.Sub(s.samples[n-1].At) < s.step {
		return s
	}
	s.samples = append(slices.Clone(s.samples), next)
	if mended(s.samples) {
		s.samples, s.step = s.samples[len(s.samples)-2:], 0
	}
	if len(s.samples) > maxSamples {
		s.step = max(2*s.step, 2*next.At.Sub(s.samples[0].At)/maxSamples)
		kept := s.samples[:0]
		for i := 0; i < len(s.samples); i += 2 {
			kept = append(kept, s.samples[i])
		}
		s.samples = kept
	}
	return s
}

// mended tells whether the last two samples are above the line of those before: one alone may be an outlier.
func mended(samples []optics.Sample) bool {
	before := samples[:max(len(samples)-2, 0)]
	if len(before) < optics.TrendNeeds {
		return false
	}
	least := min(samples[len(before)].Margin, samples[len(before)+1].Margin)
	return least-before[len(before)-1].Margin > optics.Swing/2 && optics.TrendOf(before).Belied(least) // the line last: it costs most
}

// trend is how the margin changes, with what was measured last for Now; nothing is clear while that belies the line.
func (s series) trend() optics.Trend {
	t := optics.TrendOf(s.samples)
	if len(s.samples) > 0 {
		t.Clear = t.Clear && !t.Belied(s.last.Margin)
		t.Now = s.last.Margin
	}
	return t
}

// Series is what a history has of one channel.
type Series struct {
	Channel string
	Step    time.Duration   // between two samples at least
	Samples []optics.Sample // in their order
}

// Series returns what a history has, by channel; HistoryOf makes a history of it again.
func (h History) Series() []Series {
	out := make([]Series, 0, len(h.series))
	for _, name := range slices.Sorted(maps.Keys(h.series)) {
		out = append(out, Series{name, h.series[name].step, h.series[name].samples})
	}
	return out
}

// HistoryOf is the history that somebody has kept.
func HistoryOf(kept []Series) History {
	h := History{make(map[string]series, len(kept))}
	for _, s := range kept {
		if len(s.Samples) > 0 {
			h.series[s.Channel] = series{s.Samples, s.Step, s.Samples[len(s.Samples)-1]}
		}
	}
	return h
}

// Trend is how the margin of a channel changes, from what was measured last. Nothing is clear while that is a step above the line.
func (h History) Trend(channel string) optics.Trend { return h.series[channel].trend() }

// How far a forecast looks: to what somebody can still do something about, and not much beyond what has been watched.
const (
	horizon = 90 * 24 * time.Hour
	reach   = 100 // times as long as was watched
)

// Forecast returns a finding for each channel whose margin is used up before long if it goes on changing as it did.
func (x *Index) Forecast(h History) []Finding {
	var out []Finding
	for i := range x.design.Channels {
		c := &x.design.Channels[i]
		samples := h.series[c.Name].samples
		if len(samples) == 0 {
			continue
		}
		t := h.Trend(c.Name)
		left, falls := t.Zero()
		watched := samples[len(samples)-1].At.Sub(samples[0].At)
		if !falls || left > min(horizon, reach*watched) {
			continue
		}
		devices := []string{c.A.Device, c.B.Device}
		x.sort(devices)
		out = append(out, Finding{
			ID: id(MarginFalling, c.Name), Kind: MarginFalling, Severity: Warning, Devices: devices, Object: c.Name, Ref: c.Ref,
			Message: fmt.Sprintf("margin of %s reaches zero in %s at %.2f dB a day, measured since %s",
				c.Name, inDays(left), t.PerDay, samples[0].At.Format("2006-01-02 15:04")),
		})
	}
	return out
}

// inDays is a time to come as people say it.
func inDays(d time.Duration) string {
	switch days := int(d.Hours() / 24); {
	case days >= 2:
		return fmt.Sprintf("%d days", days)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()))
}
