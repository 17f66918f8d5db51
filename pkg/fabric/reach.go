package fabric

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reach is what a tenant that spans two sites has between them, over the ways that its packets take: those over the fewest
// DCIs, as the underlay's routes of equal length.
type Reach struct {
	Tenant    string
	A, B      string   // sites, A the one with the smaller number
	Was, Left int      // Gb/s; Left 0: they are separated
	Over      []string // DCIs that its packets now take, sorted
	Detour    bool     // they take one that they did not take before
}

// Less tells whether a tenant has less than by the design, or goes another way.
func (r Reach) Less() bool { return r.Left < r.Was || r.Detour }

// String is what a tenant has left between two sites.
func (r Reach) String() string {
	if r.Left == 0 {
		return fmt.Sprintf("tenant %s is separated between %s and %s", r.Tenant, r.A, r.B)
	}
	if r.Detour {
		return fmt.Sprintf("tenant %s goes over %s between %s and %s, with %d Gb/s", r.Tenant, strings.Join(r.Over, ", "), r.A, r.B, r.Left)
	}
	return fmt.Sprintf("tenant %s has %d of %d Gb/s between %s and %s", r.Tenant, r.Left, r.Was, r.A, r.B)
}

// Reaches are what tenants that span sites have between each two of them, by the design, and when some DCIs have lost some of
// their capacity, in Gb/s: in the order of Spans.
func (d *Design) Reaches(lost map[string]int) []Reach {
	rate := map[string]int{}
	for i := range d.Channels {
		rate[d.Channels[i].DCI] += d.Channels[i].Mode.Rate
	}
	for i := range d.DCIs {
		rate[d.DCIs[i].Name] += d.DCIs[i].Cables
	}
	left := maps.Clone(rate)
	for dci, gone := range lost {
		left[dci] = max(0, left[dci]-gone)
	}
	type ends struct{ tenant, a, b string }
	var out []Reach
	seen := map[ends]bool{}
	for _, s := range d.Spans {
		for i, a := range s.Sites {
			for _, b := range s.Sites[i+1:] {
				if e := (ends{s.Tenant, a, b}); !seen[e] {
					seen[e] = true
					was, usual := d.between(a, b, rate)
					now, over := d.between(a, b, left)
					detour := slices.ContainsFunc(over, func(dci string) bool { return !slices.Contains(usual, dci) })
					out = append(out, Reach{Tenant: s.Tenant, A: a, B: b, Was: was, Left: now, Over: over, Detour: detour})
				}
			}
		}
	}
	return out
}

// between is how much gets from one site to another over the fewest DCIs that have something left, and the names of those DCIs.
func (d *Design) between(from, to string, left map[string]int) (capacity int, over []string) {
	far := d.distances(to, left)
	if _, ok := far[from]; !ok {
		return 0, nil
	}
	w := ways{room: map[[2]string]int{}, next: map[string][]string{}}
	seen := map[string]bool{from: true}
	for todo := []string{from}; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		for i := range d.DCIs {
			x := &d.DCIs[i]
			next, ok := x.from(at)
			if step, known := far[next]; !ok || !known || left[x.Name] == 0 || step != far[at]-1 {
				continue
			}
			over = append(over, x.Name)
			w.add(at, next, left[x.Name])
			if !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	slices.Sort(over)
	for w.push(from, to) {
		capacity += w.last
	}
	return capacity, slices.Compact(over)
}

// from is the other end of a DCI.
func (x *DCI) from(site string) (string, bool) {
	switch site {
	case x.A:
		return x.B, true
	case x.B:
		return x.A, true
	}
	return "", false
}

// distances are how many DCIs with something left are between each site and one.
func (d *Design) distances(to string, left map[string]int) map[string]int {
	far := map[string]int{to: 0}
	for todo := []string{to}; len(todo) > 0; todo = todo[1:] {
		for i := range d.DCIs {
			next, ok := d.DCIs[i].from(todo[0])
			if _, known := far[next]; ok && !known && left[d.DCIs[i].Name] > 0 {
				far[next] = far[todo[0]] + 1
				todo = append(todo, next)
			}
		}
	}
	return far
}

// ways are links with room in one direction, in which the greatest flow is looked for (Edmonds and Karp).
type ways struct {
	room map[[2]string]int
	next map[string][]string
	last int // that was pushed
}

func (w *ways) add(a, b string, room int) {
	w.room[[2]string{a, b}] += room
	for _, e := range [][2]string{{a, b}, {b, a}} {
		if !slices.Contains(w.next[e[0]], e[1]) {
			w.next[e[0]] = append(w.next[e[0]], e[1])
		}
	}
}

// push sends as much as one more way has room for; false where there is none.
func (w *ways) push(from, to string) bool {
	before := map[string]string{from: from}
	for todo := []string{from}; len(todo) > 0 && before[to] == ""; todo = todo[1:] {
		for _, next := range w.next[todo[0]] {
			if before[next] == "" && w.room[[2]string{todo[0], next}] > 0 {
				before[next] = todo[0]
				todo = append(todo, next)
			}
		}
	}
	if before[to] == "" {
		return false
	}
	w.last = 0
	for at := to; at != from; at = before[at] {
		w.last = leastOf(w.last, w.room[[2]string{before[at], at}])
	}
	for at := to; at != from; at = before[at] {
		w.room[[2]string{before[at], at}] -= w.last
		w.room[[2]string{at, before[at]}] += w.last
	}
	return true
}

// leastOf is the smaller of two, of which the first may not be known yet.
func leastOf(a, b int) int { return min(cmp.Or(a, b), b) }
