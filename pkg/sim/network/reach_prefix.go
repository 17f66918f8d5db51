package network

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
)

// prefixTable finds values by the longest prefix. It is filled, sorted and then read.
type prefixTable[T any] struct {
	entries map[netip.Prefix]T
	lengths [2][]int // that occur, longest first; of IPv4 and IPv6
}

func (t *prefixTable[T]) get(p netip.Prefix) (T, bool) {
	v, ok := t.entries[p]
	return v, ok
}

func (t *prefixTable[T]) put(p netip.Prefix, v T) {
	if t.entries == nil {
		t.entries = map[netip.Prefix]T{}
	}
	t.entries[p] = v
}

// sort has to follow the last put.
func (t *prefixTable[T]) sort() {
	seen := [2][129]bool{}
	for p := range t.entries {
		if side := version(p.Addr()); !seen[side][p.Bits()] {
			seen[side][p.Bits()] = true
			t.lengths[side] = append(t.lengths[side], p.Bits())
		}
	}
	for side := range t.lengths {
		slices.SortFunc(t.lengths[side], func(a, b int) int { return cmp.Compare(b, a) })
	}
}

// matches yields the values of all prefixes with an address, the longest first.
func (t *prefixTable[T]) matches(a netip.Addr) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, bits := range t.lengths[version(a)] {
			if p, err := a.Prefix(bits); err == nil {
				if v, ok := t.entries[p]; ok && !yield(v) {
					return
				}
			}
		}
	}
}

// version is 0 for IPv4 and 1 for IPv6.
func version(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// usedPaths are used paths by prefix: what speakers came to, as a learner.
type usedPaths struct {
	byPrefix prefixTable[[]Path]
	sorted   [IPv6 + 1][]Path
}

// snapshot takes the used paths of a router.
func snapshot(r Routing, router string) *usedPaths {
	s := &usedPaths{}
	for _, f := range []Family{IPv4, IPv6} {
		for _, path := range r.Paths(router, f) {
			if path.Used && path.From >= 0 {
				s.sorted[f] = append(s.sorted[f], path)
				known, _ := s.byPrefix.get(path.Prefix)
				s.byPrefix.put(path.Prefix, append(known, path))
			}
		}
	}
	s.byPrefix.sort()
	return s
}

func (s *usedPaths) used(_ string, a netip.Addr, _ int) (netip.Prefix, []Path) {
	for known := range s.byPrefix.matches(a) {
		return known[0].Prefix, known
	}
	return netip.Prefix{}, nil
}

func (s *usedPaths) all(_ string, f Family) []Path { return s.sorted[f] }
