package optics

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"strings"
)

// Duct is a way between two places that fibres share: what cuts one of them cuts all.
type Duct struct {
	Name   string
	A, B   string
	Length Km
	Risks  []string // what it shares with other ducts beside itself: a bridge, a trench, a hut
}

// Route is a way over ducts that passes no place twice.
type Route struct {
	Ducts  []string
	Length Km
}

// String names the ducts.
func (r Route) String() string { return strings.Join(r.Ducts, ", ") }

// Map is the ducts of a network.
type Map struct {
	ducts  []Duct
	places map[string][]int // ducts at a place
	risks  [][]int          // of each duct, by number; itself among them
	groups int

	numbers map[string]int // of risks
}

// NewMap takes ducts, of distinct names, in any order.
func NewMap(ducts []Duct) *Map {
	m := &Map{ducts: slices.Clone(ducts), places: map[string][]int{}, risks: make([][]int, len(ducts))}
	slices.SortFunc(m.ducts, func(a, b Duct) int { return cmp.Compare(a.Name, b.Name) })
	numbers := map[string]int{}
	m.numbers = numbers
	for i, d := range m.ducts {
		m.places[d.A], m.places[d.B] = append(m.places[d.A], i), append(m.places[d.B], i)
		for _, r := range append([]string{"duct " + d.Name}, d.Risks...) {
			if _, ok := numbers[r]; !ok {
				numbers[r] = len(numbers)
			}
			m.risks[i] = append(m.risks[i], numbers[r])
		}
	}
	m.groups = len(numbers)
	return m
}

// Shortest is the shortest route; of several the first by the names of its ducts. False: there is none.
func (m *Map) Shortest(from, to string) (Route, bool) {
	path, ok := m.shortest(from, to, make([]bool, m.groups), Km(math.Inf(1)))
	return m.route(path), ok
}

// Apart is the shortest route that takes none of the risks: "duct NAME" for a duct itself, or what ducts share. False: there is none.
func (m *Map) Apart(from, to string, risks []string) (Route, bool) {
	avoid := make([]bool, m.groups)
	for _, r := range risks {
		if n, ok := m.numbers[r]; ok {
			avoid[n] = true
		}
	}
	path, ok := m.shortest(from, to, avoid, Km(math.Inf(1)))
	return m.route(path), ok
}

// Diverse are two routes that share no risk, with the least length together; false: there are none. The search is exact: it takes routes
// in the order of their length, and finds for each the shortest that shares nothing with it, until no pair can be shorter. (To find such a pair is
// NP-hard in general; between sites of one operator there are few routes.)
func (m *Map) Diverse(from, to string) (a, b Route, ok bool) {
	best := Km(math.Inf(1))
	if m.cut(from, to) {
		return a, b, false
	}
	m.inOrder(from, to, func(path []int, length Km) bool {
		if 2*length >= best {
			return false // whatever comes is no shorter than this one
		}
		used := make([]bool, m.groups)
		for _, d := range path {
			for _, r := range m.risks[d] {
				used[r] = true
			}
		}
		if other, found := m.shortest(from, to, used, best-length); found {
			a, b, ok = m.route(path), m.route(other), true
			best = a.Length + b.Length
		}
		return true
	})
	return a, b, ok
}

// cut tells whether one risk alone parts two places, so that no pair has to be looked for.
func (m *Map) cut(from, to string) bool {
	avoid := make([]bool, m.groups)
	for r := range avoid {
		avoid[r] = true
		_, reached := m.distances(to, avoid)[from]
		avoid[r] = false
		if !reached {
			return true
		}
	}
	return m.groups == 0
}

func (m *Map) route(path []int) Route {
	var r Route
	for _, d := range path {
		r.Ducts, r.Length = append(r.Ducts, m.ducts[d].Name), r.Length+m.ducts[d].Length
	}
	return r
}

// shortest avoids risks, and gives up on what is not shorter than a limit.
func (m *Map) shortest(from, to string, avoid []bool, limit Km) ([]int, bool) {
	var found []int
	m.search(from, to, avoid, func(path []int, length Km) bool {
		if length < limit {
			found = path
		}
		return false
	})
	return found, found != nil
}

// inOrder hands out routes in the order of their length, until see is content.
func (m *Map) inOrder(from, to string, see func(path []int, length Km) bool) {
	m.search(from, to, make([]bool, m.groups), see)
}

// search is best first over simple paths: with the distance that is left as its guide, the first that arrives is the shortest,
// the next one the second shortest, and so on.
func (m *Map) search(from, to string, avoid []bool, see func([]int, Km) bool) {
	left := m.distances(to, avoid)
	q := &frontier{}
	if d, ok := left[from]; ok {
		heap.Push(q, &partial{at: from, bound: d})
	}
	for q.Len() > 0 {
		p := heap.Pop(q).(*partial)
		if p.at == to {
			if !see(p.path(), p.length) {
				return
			}
			continue
		}
		for _, d := range m.places[p.at] {
			next := m.ducts[d].other(p.at)
			rest, ok := left[next]
			if !ok || m.avoided(d, avoid) || p.visited(next) {
				continue
			}
			length := p.length + m.ducts[d].Length
			heap.Push(q, &partial{at: next, duct: d, before: p, length: length, bound: length + rest, order: append(slices.Clone(p.order), d)})
		}
	}
}

func (d *Duct) other(place string) string {
	if d.A == place {
		return d.B
	}
	return d.A
}

func (m *Map) avoided(duct int, avoid []bool) bool {
	return slices.ContainsFunc(m.risks[duct], func(r int) bool { return avoid[r] })
}

// distances is how far every place is from one, where that can be reached.
func (m *Map) distances(to string, avoid []bool) map[string]Km {
	out := map[string]Km{}
	q := &frontier{}
	heap.Push(q, &partial{at: to})
	for q.Len() > 0 {
		p := heap.Pop(q).(*partial)
		if _, ok := out[p.at]; ok {
			continue
		}
		out[p.at] = p.bound
		for _, d := range m.places[p.at] {
			if !m.avoided(d, avoid) {
				heap.Push(q, &partial{at: m.ducts[d].other(p.at), bound: p.bound + m.ducts[d].Length})
			}
		}
	}
	return out
}

// partial is a route that has not arrived.
type partial struct {
	at            string
	duct          int
	before        *partial
	length, bound Km
	order         []int
}

func (p *partial) visited(place string) bool {
	for ; p != nil; p = p.before {
		if p.at == place {
			return true
		}
	}
	return false
}

func (p *partial) path() []int { return p.order }

// frontier is a heap by the least possible length, and then by the ducts, so that equals come in one order.
type frontier []*partial

func (f frontier) Len() int { return len(f) }
func (f frontier) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(f[i].bound, f[j].bound), slices.Compare(f[i].order, f[j].order)) < 0
}
func (f frontier) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *frontier) Push(x any)   { *f = append(*f, x.(*partial)) }
func (f *frontier) Pop() any {
	old := *f
	x := old[len(old)-1]
	*f = old[:len(old)-1]
	return x
}
