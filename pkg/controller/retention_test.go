package controller

import (
	"testing"
	"time"
)

func TestPlansAreKeptForATimeAndByNumber(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r := Retention{Newest: 3, For: 48 * time.Hour}
	for _, tt := range []struct {
		name string
		ages []time.Duration
		want int
	}{
		{"none are there", nil, 0},
		{"few that are young", []time.Duration{time.Hour, time.Minute}, 0},
		{"few, of which one was made so long ago", []time.Duration{48 * time.Hour, 47 * time.Hour}, 1},
		{"all made long ago", []time.Duration{90 * time.Hour, 50 * time.Hour}, 2},
		{"as many as are kept", []time.Duration{9 * time.Hour, 8 * time.Hour, 7 * time.Hour}, 0},
		{"two too many", []time.Duration{9 * time.Hour, 8 * time.Hour, 7 * time.Hour, 6 * time.Hour, 0}, 2},
		{"too many, but somebody may look at them", []time.Duration{59 * time.Minute, 58 * time.Minute, 2 * time.Minute, time.Minute, 0}, 0},
		{"too many, of which one has rested", []time.Duration{time.Hour, 58 * time.Minute, 2 * time.Minute, time.Minute, 0}, 1},
		{"a clock that was set back", []time.Duration{9 * time.Hour, -time.Hour, -2 * time.Hour, -3 * time.Hour}, 1},
	} {
		var made []time.Time
		for _, age := range tt.ages {
			made = append(made, now.Add(-age))
		}
		if got := r.Old(made, now); got != tt.want {
			t.Errorf("%s: %d go, want %d", tt.name, got, tt.want)
		}
	}
}
