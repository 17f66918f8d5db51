package sim_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/sim"
)

func TestManualClockRunsTimersInTheOrderOfTime(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := sim.NewManualClock(start)
	var got []string
	note := func(name string) func() {
		return func() { got = append(got, name+" "+c.Now().Sub(start).String()) }
	}
	c.AfterFunc(3*time.Second, note("c"))
	c.AfterFunc(time.Second, func() {
		note("a")()
		c.AfterFunc(time.Second, note("b"))
	})
	stop := c.AfterFunc(time.Second, note("dropped"))
	stop()
	c.AfterFunc(time.Minute, note("late"))
	c.Advance(5 * time.Second)
	if diff := cmp.Diff([]string{"a 1s", "b 2s", "c 3s"}, got); diff != "" {
		t.Error(diff)
	}
	if got := c.Now().Sub(start); got != 5*time.Second {
		t.Errorf("the clock shows %s", got)
	}
}
