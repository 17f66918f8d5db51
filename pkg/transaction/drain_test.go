package transaction

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// pair is a transaction on two devices that are drained one after the other.
func pair(timed bool) Spec {
	spec := Spec{ID: "t", Limits: Limits{Rollback: time.Minute, Patience: time.Minute, Settle: time.Second, Moving: 5 * time.Second}}
	for _, name := range []string{"leaf1", "leaf2"} {
		spec.Jobs = append(spec.Jobs, Job{Device: name, Timed: timed, Steps: []Step{Drain, Change, Undrain}, Places: make([]string, 4)})
		spec.Segments = append(spec.Segments, Segment{Waves: [][]string{{name}}})
	}
	return spec
}

// follow carries a transaction out on devices that do all that they are asked. It returns what was done and
// when, and where the devices are in the end.
func follow(t *testing.T, spec Spec, gate func(Action) error) (story []string, at map[string]int, res Result) {
	t.Helper()
	at = map[string]int{}
	s := New(spec, epoch0)
	story, _ = carry(t, s, at, gate, func(Record) bool { return false })
	return story, at, s.Result()
}

// carry goes on with a transaction until it is over, or a record is durable after which the process dies. It returns
// the records, too.
func carry(t *testing.T, s *State, at map[string]int, gate func(Action) error, dies func(Record) bool) (story []string, records []Record) {
	t.Helper()
	now := epoch0
	for step := 0; s.Phase != Over; step++ {
		if step > 500 {
			t.Fatalf("does not end:\n%s", strings.Join(story, "\n"))
		}
		actions, wake := s.Next(now)
		for _, a := range actions {
			ans := Answer{Op: a.Op, Device: a.Device}
			records = append(records, a.Records...)
			if slices.ContainsFunc(a.Records, dies) {
				return story, records
			}
			switch a.Op {
			case Send, Mend:
				at[a.Device] = a.Place
			case Read, Save:
				ans.Place = at[a.Device]
			case Check:
				if err := gate(a); err != nil {
					ans.Class, ans.Err = Refuse, err
				}
			}
			switch {
			case a.Op == Check && a.Back:
				story = append(story, fmt.Sprintf("%s back behind wave %d", now.Sub(epoch0), a.Wave))
			case slices.Contains([]Op{Send, Mend, Check, Confirm}, a.Op):
				story = append(story, strings.TrimSpace(fmt.Sprintf("%s %s %s %d", now.Sub(epoch0), a.Op, a.Device, a.Place)))
			}
			s.Done(ans, now)
		}
		if len(actions) == 0 && wake.After(now) {
			now = wake
		}
	}
	return story, records
}

func TestTheChangeWaitsForTrafficToMoveAndTheNextDeviceForItToComeBack(t *testing.T) {
	t.Parallel()
	story, at, res := follow(t, pair(true), func(Action) error { return nil })
	want := `0s send leaf1 1
0s confirm leaf1 0
5s send leaf1 2
5s check  0
5s confirm leaf1 0
5s send leaf1 3
5s back behind wave 0
5s send leaf2 1
5s confirm leaf2 0
10s send leaf2 2
10s check  0
10s confirm leaf2 0
10s send leaf2 3`
	got := strings.ReplaceAll(strings.Join(story, "\n"), "mend", "send")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if res.Outcome != Done || at["leaf1"] != 3 || at["leaf2"] != 3 {
		t.Errorf("%s, devices at %v", res.Outcome, at)
	}
}

func TestADeviceWithoutTimersIsDrainedTheSameWay(t *testing.T) {
	t.Parallel()
	story, _, res := follow(t, pair(false), func(Action) error { return nil })
	if got := strings.Join(story[:2], ", "); got != "0s send leaf1 1, 5s send leaf1 2" || res.Outcome != Done {
		t.Errorf("%s, ended %s", got, res.Outcome)
	}
}

// One that does not carry traffic again is drained, changed back and undrained; the other is never touched.
func TestADeviceThatDoesNotComeBackStopsTheNext(t *testing.T) {
	t.Parallel()
	story, at, res := follow(t, pair(true), func(a Action) error {
		if a.Back {
			return errors.New("leaf1: lag1 is down")
		}
		return nil
	})
	for _, line := range story {
		if strings.Contains(line, "leaf2") {
			t.Errorf("touched: %s", line)
		}
	}
	if res.Outcome != RolledBack || at["leaf1"] != 0 || !strings.Contains(fmt.Sprint(res.Err), "lag1 is down") {
		t.Errorf("%s (%v), leaf1 at %d:\n%s", res.Outcome, res.Err, at["leaf1"], strings.Join(story, "\n"))
	}
}

// Who begins a part has its gates, and somebody who says that all is well: a process that goes on from the journal has
// neither.
func TestAProcessThatGoesOnFromTheJournalBeginsNoNewPart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		part  int // whose decision is the last record
		leads Outcome
		place int
	}{
		{"killed at the decision of the first part", 0, RolledBack, 0},
		{"killed at the decision of the last part", 1, Done, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := map[string]int{}
			open := func(Action) error { return nil }
			_, records := carry(t, New(pair(true), epoch0), at, open, func(r Record) bool { return r.Kind == Decided && r.Segment == c.part })
			s, err := Resume(records, epoch0)
			if err != nil {
				t.Fatal(err)
			}
			story, more := carry(t, s, at, open, func(Record) bool { return false })
			if got := s.Result().Outcome; got != c.leads || at["leaf1"] != c.place || at["leaf2"] != c.place {
				t.Errorf("%s, devices at %v:\n%s", got, at, strings.Join(story, "\n"))
			}
			if slices.ContainsFunc(more, func(r Record) bool { return r.Kind == Sending }) {
				t.Error("a wave was sent")
			}
		})
	}
}
