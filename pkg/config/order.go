package config

// compareNatural orders texts as engineers do: runs of digits by their number, so that
// "ethernet-1/2" comes before "ethernet-1/10"; everything else by bytes. It is a total order.
func compareNatural(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	start := i // of the run of digits that the first difference is in or right after
	for start > 0 && digit(a[start-1]) {
		start--
	}
	endA, endB := runEnd(a, i), runEnd(b, i)
	inRun := start < i && (endA > i || endB > i) || endA > i && endB > i
	if inRun {
		return compareRuns(a[start:endA], b[start:endB])
	}
	switch {
	case i == len(a) || i == len(b):
		return len(a) - len(b)
	default:
		return int(a[i]) - int(b[i])
	}
}

func digit(c byte) bool { return c-'0' < 10 }

func runEnd(s string, i int) int {
	for i < len(s) && digit(s[i]) {
		i++
	}
	return i
}

// compareRuns compares two different runs of digits by their number; of equal numbers, the one
// with fewer leading zeros comes first.
func compareRuns(a, b string) int {
	x, y := trimZeros(a), trimZeros(b)
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	for i := range len(x) {
		if x[i] != y[i] {
			return int(x[i]) - int(y[i])
		}
	}
	return len(a) - len(b)
}

func trimZeros(s string) string {
	i := 0
	for i < len(s) && s[i] == '0' {
		i++
	}
	return s[i:]
}
