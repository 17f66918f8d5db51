package topology

import "slices"

// nearest returns the candidate with the smallest edit distance to s, the first in order among equals, or ""
// where none is near enough to be meant.
func nearest(s string, candidates []string) string {
	best, limit := "", len(s)/3+2
	for _, c := range candidates {
		if d := distance(s, c, limit); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, change or swap with their neighbour to make b of a
// (optimal string alignment), or limit where it is not smaller.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 80 || len(b) > 80 {
		return limit
	}
	var rows [3][82]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}

// Nearest returns the candidate that s was likely meant to be, or "" where none is near enough.
func Nearest(s string, candidates []string) string { return nearest(s, candidates) }

// nearestOf is nearest over the keys of a map, in their order.
func nearestOf[V any](s string, m map[string]V) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return nearest(s, keys)
}
