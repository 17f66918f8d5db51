package controller

import "time"

// Retention is how long plans are kept.
type Retention struct {
	Newest int           // so many, however old the last is not yet; > 0
	For    time.Duration // since they were made; >= RequestsLast, as whoever repeats a request is told of the plan that it came to
}

// DefaultRetention is what is kept unless somebody says otherwise.
var DefaultRetention = Retention{Newest: 1000, For: 30 * 24 * time.Hour}

// PlanRests is how old a plan is at least when it goes for the number of those that came after it: somebody may be looking at it.
const PlanRests = time.Hour

// Old is how many of some plans are not to be kept, the oldest, by when they were made: the oldest first.
func (r Retention) Old(made []time.Time, now time.Time) int {
	old := 0
	for i, at := range made {
		age, newer := now.Sub(at), len(made)-i-1
		if age >= r.For || newer >= r.Newest && age >= PlanRests {
			old = i + 1
		}
	}
	return old
}
