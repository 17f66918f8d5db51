package verify_test

import (
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/verify"
)

// watched is a history of a channel: samples at an interval, of a margin that begins at 4 dB and falls.
func watched(n int, every time.Duration, perDay float64) verify.History {
	var h verify.History
	for i := range n {
		at := noon.Add(time.Duration(i) * every)
		wobble := 0.01 * float64(i%3-1)
		h = h.Add(at, map[string]optics.DB{"bj-sh/3": optics.DB(4 + perDay*at.Sub(noon).Hours()/24 + wobble)})
	}
	return h
}

func TestAMarginThatFallsIsForecast(t *testing.T) {
	t.Parallel()
	x := verify.NewIndex(compile(t, lit))
	for _, c := range []struct {
		name   string
		n      int
		every  time.Duration
		perDay float64
		want   string
	}{
		{"it falls slowly and was watched for days", 40, 6 * time.Hour, -0.15, "margin of bj-sh/3 reaches zero in 16 days at -0.15 dB a day, measured since 2025-06-01 12:00"},
		{"it falls within hours", 60, time.Minute, -24, "margin of bj-sh/3 reaches zero in 3 hours at -24.00 dB a day, measured since 2025-06-01 12:00"},
		{"it does not change", 40, 6 * time.Hour, 0, ""},
		{"it gets better", 40, 6 * time.Hour, 0.2, ""},
		{"it lasts longer than anybody plans for", 40, 6 * time.Hour, -0.03, ""},
		{"it was watched too shortly to say", 20, time.Second, -1, ""},
		{"there are too few samples", 3, 24 * time.Hour, -0.2, ""},
		{"it was watched for long, and the samples were thinned", 3000, 10 * time.Minute, -0.1, "margin of bj-sh/3 reaches zero in 19 days at -0.10 dB a day, measured since 2025-06-01 12:00"},
	} {
		got := ""
		if list := x.Forecast(watched(c.n, c.every, c.perDay)); len(list) > 0 {
			got = list[0].Message
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A repair is a step back: nothing is forecast from the first look on that sees it, and what falls afterwards is forecast from there.
func TestARepairEndsAForecast(t *testing.T) {
	t.Parallel()
	x := verify.NewIndex(compile(t, lit))
	fallen := watched(40, 6*time.Hour, -0.15) // to 2.5 dB
	for _, c := range []struct {
		name string
		then []optics.DB // every six hours
		want string
	}{
		{"it goes on as it did", []optics.DB{2.50, 2.46, 2.42}, "margin of bj-sh/3 reaches zero in 16 days at -0.15 dB a day, measured since 2025-06-01 12:00"},
		{"one look sees the repair", []optics.DB{4}, ""},
		{"and another one, too", []optics.DB{4, 4.01}, ""},
		{"it was an outlier", []optics.DB{4, 2.46, 2.42}, "margin of bj-sh/3 reaches zero in 16 days at -0.15 dB a day, measured since 2025-06-01 12:00"},
		{"an outlier the other way", []optics.DB{2.50, 0.5, 2.42, 2.38}, "margin of bj-sh/3 reaches zero in 15 days at -0.15 dB a day, measured since 2025-06-01 12:00"},
		{"it falls again", falling(4, 40, -0.1), "margin of bj-sh/3 reaches zero in 30 days at -0.10 dB a day, measured since 2025-06-11 12:00"},
	} {
		h := fallen
		for i, m := range c.then {
			h = h.Add(noon.Add(time.Duration(40+i)*6*time.Hour), map[string]optics.DB{"bj-sh/3": m})
		}
		got := ""
		if list := x.Forecast(h); len(list) > 0 {
			got = list[0].Message
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A long history keeps few samples, far apart; what is looked at in between still belies it.
func TestARepairIsSeenBetweenTheSamplesThatAreKept(t *testing.T) {
	t.Parallel()
	x := verify.NewIndex(compile(t, lit))
	h := watched(900, 10*time.Minute, -0.1)
	if len(x.Forecast(h)) != 1 {
		t.Fatal("nothing is forecast")
	}
	last := noon.Add(899 * 10 * time.Minute)
	if h = h.Add(last.Add(time.Second), map[string]optics.DB{"bj-sh/3": 4}); len(x.Forecast(h)) > 0 {
		t.Errorf("%q", x.Forecast(h)[0].Message)
	}
}

// falling are margins at every quarter of a day.
func falling(from optics.DB, n int, perDay optics.DB) []optics.DB {
	out := make([]optics.DB, n)
	for i := range out {
		out[i] = from + perDay*optics.DB(i)/4
	}
	return out
}

// Adding to a history leaves those who have the old one with what they had.
func TestAHistoryIsAValue(t *testing.T) {
	t.Parallel()
	h := watched(600, time.Minute, -24)
	before := h.Trend("bj-sh/3")
	for i := range 300 {
		h.Add(noon.Add(time.Duration(600+i)*time.Minute), map[string]optics.DB{"bj-sh/3": 9})
	}
	if after := h.Trend("bj-sh/3"); after != before {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
