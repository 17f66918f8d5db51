package transaction

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// tuned is a transaction on one device whose light goes out, is tuned, and comes back.
func tuned(timed bool) Spec {
	return Spec{
		ID: "t", Limits: Limits{Rollback: time.Minute, Patience: time.Minute, Settle: time.Second, Moving: time.Hour, Staging: 5 * time.Second},
		Jobs:     []Job{{Device: "t1", Timed: timed, Steps: []Step{"dark", "retune", "ramp", Change}, Places: make([]string, 5)}},
		Segments: []Segment{{Waves: [][]string{{"t1"}}}},
	}
}

func TestLightSettlesBehindEachStage(t *testing.T) {
	t.Parallel()
	for timed, want := range map[bool]string{
		false: "0s send t1 1, 5s send t1 2, 10s send t1 3, 15s send t1 4, 15s check  0",
		true:  "0s send t1 1, 0s confirm t1 0, 5s send t1 2, 5s confirm t1 0, 10s send t1 3, 10s confirm t1 0, 15s send t1 4, 15s check  0, 15s confirm t1 0",
	} {
		story, at, res := follow(t, tuned(timed), func(Action) error { return nil })
		if got := strings.Join(story, ", "); got != want {
			t.Errorf("timed %v: got %s\nwant %s", timed, got, want)
		}
		if res.Outcome != Done || at["t1"] != 4 {
			t.Errorf("timed %v: %s at %d", timed, res.Outcome, at["t1"])
		}
	}
}

// The way back is the way there: nothing is tuned while it sends.
func TestAChangeInStagesIsTakenBackStageByStage(t *testing.T) {
	t.Parallel()
	story, at, res := follow(t, tuned(false), func(Action) error { return errors.New("no light at the far end") })
	want := "15s check  0, 15s mend t1 3, 15s mend t1 2, 15s mend t1 1, 15s mend t1 0"
	if got := strings.Join(story[4:], ", "); got != want || res.Outcome != RolledBack || at["t1"] != 0 {
		t.Errorf("got %s\nwant %s\n%s at %d", got, want, res.Outcome, at["t1"])
	}
}

func TestADeviceAtAStageIsNotCalledDrained(t *testing.T) {
	t.Parallel()
	s := New(tuned(false), epoch0)
	at := map[string]int{}
	var seen []string
	for i := 0; i < 20; i++ {
		actions, _ := s.Next(epoch0)
		for _, a := range actions {
			if a.Op == Send {
				at[a.Device] = a.Place
			}
			s.Done(Answer{Op: a.Op, Device: a.Device, Place: at[a.Device]}, epoch0)
		}
		seen = append(seen, string(s.Status("t1")))
	}
	if got := fmt.Sprint(seen[len(seen)-1]); got != string(Staged) {
		t.Errorf("got %s of %v", got, seen)
	}
}
