package controller

import (
	"cmp"
	"maps"
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

// With are the policies with another one of a device, or of the topology where the device is empty. Empty takes a policy back.
func (p Policies) With(device string, to Policy) Policies {
	if device == "" {
		p.Topology = to
		return p
	}
	p.Devices = maps.Clone(p.Devices)
	if p.Devices == nil {
		p.Devices = map[string]Policy{}
	}
	p.Devices[device] = to
	return p
}

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

	Enforced
}

// Enforced is what an Enforcer remembers. Who keeps it has an Enforcer go on where another one ended.
type Enforced struct {
	Tries map[string]Try `json:"tries,omitempty"` // by device
	Spent []time.Time    `json:"spent,omitempty"` // when devices were changed, within the last hour, in order
	Left  []string       `json:"left,omitempty"`  // devices of which was told that they are left to people, in order
}

// Try is how often a device was changed without a pause of an hour, and when last.
type Try struct {
	Count int       `json:"count"`
	Last  time.Time `json:"last"`
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
		t := e.Tries[c.Device]
		at := c.Newest.Add(calm)
		if t.Count > 0 {
			at = latest(at, t.Last.Add(firstPause<<(t.Count-1)))
		}
		switch {
		case t.Count >= mostTries:
			left = append(left, c.Device)
			later(t.Last.Add(forgetting).Sub(now))
		case at.After(now):
			later(at.Sub(now))
		case len(e.Spent)+len(due) >= e.PerHour:
			if len(e.Spent) > 0 {
				later(e.Spent[0].Add(time.Hour).Sub(now))
			}
		case len(due) >= max(e.AtOnce, 1):
			later(calm)
		default:
			due = append(due, c.Device)
		}
	}
	return due, left, wait
}

// Tried is what is to be remembered once the drift of devices was taken back, or that was tried. What is remembered so far stays as
// it is.
func (e Enforced) Tried(devices []string, now time.Time) Enforced {
	e.Tries, e.Spent = maps.Clone(e.Tries), slices.Clone(e.Spent)
	if e.Tries == nil {
		e.Tries = map[string]Try{}
	}
	for _, name := range devices {
		e.Tries[name] = Try{e.Tries[name].Count + 1, now}
		e.Spent = append(e.Spent, now)
	}
	return e
}

// forget forgets what was so long ago that it counts no more.
func (e *Enforced) forget(now time.Time) {
	maps.DeleteFunc(e.Tries, func(_ string, t Try) bool { return now.Sub(t.Last) >= forgetting })
	e.Spent = slices.DeleteFunc(e.Spent, func(t time.Time) bool { return now.Sub(t) >= time.Hour })
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
