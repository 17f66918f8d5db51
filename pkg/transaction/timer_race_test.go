package transaction

import (
	"os"
	"strings"
	"testing"
	"time"
)

func timerRaces() int {
	switch {
	case os.Getenv("LOOM_SOAK") != "":
		return 200_000
	case raced:
		return 1_000
	}
	return 10_000
}

// D9: the timer of a device runs out at any moment, as when its clock jumps or an answer takes as long as
// the timer: while a confirm is under way, just before it, just after. Nothing else goes wrong, so nothing may end mixed.
func TestTimersThatRunOutAtAnyMomentSplitNoTransaction(t *testing.T) {
	t.Parallel()
	count, fired := map[Outcome]int{}, 0
	for seed := range uint64(timerRaces()) {
		run := func(loud bool) (*world, error) {
			w := newWorld(seed)
			w.hurt, w.loud = 0, loud
			w.race = func() { fired += w.runOut() }
			err := w.explore()
			if err == nil {
				err = w.asDecided()
			}
			return w, err
		}
		w, err := run(false)
		if err != nil {
			w, err = run(true)
			t.Fatalf("seed %d: %v\n%s", seed, err, strings.Join(w.story, "\n"))
		}
		count[w.s.Result().Outcome]++
	}
	t.Logf("%d runs, %d timers ran out: %v", timerRaces(), fired, count)
	for _, o := range []Outcome{Done, RolledBack} {
		if count[o] == 0 {
			t.Errorf("no run ended %q: the timers race less than they should", o)
		}
	}
}

// runOut has a timer run out now, or time pass until just before, at, or just after the end of one. It tells how many.
func (w *world) runOut() int {
	b := w.boxes[w.names[w.rng.IntN(len(w.names))]]
	if !b.pending || w.rng.IntN(8) > 0 {
		return 0
	}
	switch w.rng.IntN(4) {
	case 0:
		b.until = w.now // its clock jumps
		w.pass(0)
	default:
		if d := b.until.Sub(w.now) + time.Duration(w.rng.IntN(3)-1); d > 0 {
			w.pass(d)
		}
	}
	if b.pending {
		return 0
	}
	return 1
}

// asDecided holds where no device is lost and nobody else writes: each segment ends as it was decided.
func (w *world) asDecided() error {
	res := w.s.Result()
	aborted := w.durable(Decided, func(r Record) bool { return r.Decision == Abort })
	if (res.Outcome == Done) == aborted || res.Outcome == Mixed {
		return &splitError{res.Outcome, aborted}
	}
	return nil
}

type splitError struct {
	outcome Outcome
	aborted bool
}

func (e *splitError) Error() string {
	if e.aborted {
		return "aborted, and ended " + string(e.outcome)
	}
	return "committed, and ended " + string(e.outcome)
}
