package sim

import (
	"slices"
	"sync"
	"time"
)

// Clock is the time that devices live by: commit timers, sample intervals and timestamps.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once after d, unless stop is called first.
	AfterFunc(d time.Duration, f func()) (stop func())
}

// wallClock is the host's clock.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) func() {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// ManualClock is a clock that stands still until it is advanced.
type ManualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*manualTimer // unordered
}

type manualTimer struct {
	at time.Time
	f  func()
}

// NewManualClock returns a clock that shows now.
func NewManualClock(now time.Time) *ManualClock { return &ManualClock{now: now} }

// Now returns what the clock shows.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc arms a timer. Its function runs within the Advance that reaches it.
func (c *ManualClock) AfterFunc(d time.Duration, f func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &manualTimer{c.now.Add(d), f}
	c.timers = append(c.timers, t)
	return func() { c.drop(t) }
}

// Advance moves the clock and runs what falls due on the way, in the order of time, before it returns.
func (c *ManualClock) Advance(d time.Duration) {
	end := c.Now().Add(d)
	for {
		t := c.due(end)
		if t == nil {
			return
		}
		t.f()
	}
}

// due takes the next timer up to end and sets the clock to it; without one it sets the clock to end.
func (c *ManualClock) due(end time.Time) *manualTimer {
	c.mu.Lock()
	defer c.mu.Unlock()
	var next *manualTimer
	for _, t := range c.timers {
		if !t.at.After(end) && (next == nil || t.at.Before(next.at)) {
			next = t
		}
	}
	if next == nil {
		c.now = end
		return nil
	}
	c.now = next.at
	c.timers = slices.DeleteFunc(c.timers, func(t *manualTimer) bool { return t == next })
	return next
}

func (c *ManualClock) drop(gone *manualTimer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timers = slices.DeleteFunc(c.timers, func(t *manualTimer) bool { return t == gone })
}
