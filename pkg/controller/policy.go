package controller

import (
	"cmp"
	"slices"
	"time"
)

// Policy is what becomes of drift.
type Policy string

// The policies.
const (
	Report  Policy = "report"  // it is told of
	Enforce Policy = "enforce" // it is taken back, as far as an Enforcer lets it
)

// Policies are those of a topology. The zero value reports.
type Policies struct {
	Topology Policy            // of devices that have none of their own; empty: Report
	Devices  map[string]Policy // by name
}

// Of is the policy of a device.
func (p Policies) Of(device string) Policy { return cmp.Or(p.Devices[device], p.Topology, Report) }

// How drift is taken back without people.
const (
	calm       = time.Second      // nothing new has come for so long: what somebody does step by step is taken back together
	firstPause = 10 * time.Second // behind the first time; each further one waits twice as long
	forgetting = time.Hour        // after so long without one a device begins anew
	mostTries  = 5                // within that: then it is left to people
)

// Enforcer decides whose drift is taken back, and when: of those that drift again and again ever later, and then no more; and of all
// together only some, since a controller that changes much unasked may be what is wrong. It is a fold over what it is told.
type Enforcer struct {
	PerHour int // devices at most within any hour; 0: none
	AtOnce  int // devices of one transaction at most; 0: 1

	tries map[string]try
	spent []time.Time // when devices were changed, within the last hour
}

type try struct {
	count int
	last  time.Time
}

// Candidate is a device that has drifted, and may be changed: it is neither refused nor in maintenance.
type Candidate struct {
	Device string
	Newest time.Time // when the last of its drifts has come
}

// Due are devices whose drift is taken back now, in the order of their names; those that are left to people; and how long nothing else
// will be due, 0: until something else is told.
func (e *Enforcer) Due(all []Candidate, now time.Time) (due, left []string, wait time.Duration) {
	all = slices.SortedFunc(slices.Values(all), func(a, b Candidate) int { return cmp.Compare(a.Device, b.Device) })
	e.forget(now)
	later := func(d time.Duration) {
		if wait == 0 || d < wait {
			wait = d
		}
	}
	for _, c := range all {
		t := e.tries[c.Device]
		at := c.Newest.Add(calm)
		if t.count > 0 {
			at = latest(at, t.last.Add(firstPause<<(t.count-1)))
		}
		switch {
		case t.count >= mostTries:
			left = append(left, c.Device)
			later(t.last.Add(forgetting).Sub(now))
		case at.After(now):
			later(at.Sub(now))
		case len(e.spent)+len(due) >= e.PerHour:
			if len(e.spent) > 0 {
				later(e.spent[0].Add(time.Hour).Sub(now))
			}
		case len(due) >= max(e.AtOnce, 1):
			later(calm)
		default:
			due = append(due, c.Device)
		}
	}
	return due, left, wait
}

// Tried tells that the drift of a device was taken back, or that this was tried.
func (e *Enforcer) Tried(device string, now time.Time) {
	if e.tries == nil {
		e.tries = map[string]try{}
	}
	e.tries[device] = try{e.tries[device].count + 1, now}
	e.spent = append(e.spent, now)
}

// forget forgets what was so long ago that it counts no more.
func (e *Enforcer) forget(now time.Time) {
	for name, t := range e.tries {
		if now.Sub(t.last) >= forgetting {
			delete(e.tries, name)
		}
	}
	e.spent = slices.DeleteFunc(e.spent, func(t time.Time) bool { return now.Sub(t) >= time.Hour })
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
