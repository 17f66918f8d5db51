package controller

import (
	"reflect"
	"time"

	"github.com/loomfabric/loom/pkg/verify"
)

// Sighting is what is known of what a device shows: a fold over what is told of it, as Device is of its configuration.
type Sighting struct {
	shows  verify.Device
	sure   bool   // nothing that could have changed it was told since it was asked for
	doubts uint64 // rises with all that may have changed it
	busy   bool
	silent time.Time // since when it does not answer; zero: it does, or nobody has asked yet
	why    string
}

// Ask is to be called before the device is observed. What it returns goes with what it shows.
func (s *Sighting) Ask() uint64 { return s.doubts }

// Show tells what the device shows. It tells whether that makes a difference.
func (s *Sighting) Show(d verify.Device, asked uint64, now time.Time) bool {
	if d.Unreachable != "" {
		s.Lose(d.Unreachable, now)
		return true
	}
	d.Seen = time.Time{}
	differs := !s.sure || !reflect.DeepEqual(s.shows, d)
	s.shows, s.sure, s.silent, s.why = d, asked == s.doubts && !s.busy, time.Time{}, ""
	return differs
}

// Stale tells whether the device has to be observed again.
func (s *Sighting) Stale() bool { return !s.sure && !s.busy }

// Lose tells that the device does not answer, and why.
func (s *Sighting) Lose(why string, now time.Time) {
	if s.silent.IsZero() {
		s.silent = now
	}
	s.why, s.sure = why, false
	s.doubts++
}

// Busy tells whether a transaction changes the device. It tells whether that is news: what was seen holds no more.
func (s *Sighting) Busy(busy bool) bool {
	if busy == s.busy {
		return false
	}
	s.busy, s.sure = busy, false
	s.doubts++
	return true
}

// See is what the device shows, as far as it is known; of one that does not answer for longer than the grace, why. again is when that
// will be so; zero: it does not depend on time.
func (s *Sighting) See(grace time.Duration, now time.Time) (d verify.Device, how Sight, again time.Time) {
	switch {
	case s.sure:
		return s.shows, Seen, again
	case s.silent.IsZero() || s.busy:
		return d, Unseen, again
	case now.Sub(s.silent) < grace:
		return d, Unseen, s.silent.Add(grace)
	}
	return verify.Device{Unreachable: s.why}, Silent, again
}
