package verify

import "slices"

// New returns the findings that a change must answer for: those of after that were not there before, or that
// were there as Absent (it was for the change to make the object), and that involve no device which still
// waits for its change. waiting may be nil: nobody waits. A device that is left out of a change waits for ever.
//
// What is Withdrawn needs no answer, nor does what has no other root.
//
// An object that was absent need not come up where it could not: where nothing may be plugged in (Notice),
// or where all its roots are findings that need no answer themselves. One that was up has no such excuse.
func New(before, after []Finding, waiting func(device string) bool) []Finding {
	absent := make(map[string]bool, len(before)) // by ID of what was there before
	for i := range before {
		absent[before[i].ID] = before[i].Absent
	}
	excused, withdrawn := make(map[string]bool, len(after)), map[string]bool{}
	for i := range after {
		f := &after[i]
		wasAbsent, was := absent[f.ID]
		waits := waiting != nil && (slices.ContainsFunc(f.Devices, waiting) || slices.ContainsFunc(f.Perhaps, waiting))
		excused[f.ID] = f.Withdrawn || waits || was && (!wasAbsent || f.Severity == Notice)
		if f.Withdrawn {
			withdrawn[f.ID] = true
		}
	}
	all := func(roots []string, are map[string]bool) bool {
		return !slices.ContainsFunc(roots, func(root string) bool { return !are[root] })
	}
	var out []Finding
	roots := rootsOf(after)
	for i := range after {
		f := &after[i]
		under := roots(f.ID)
		hopeless := absent[f.ID] && all(under, excused) || all(under, withdrawn)
		if !excused[f.ID] && !hopeless {
			out = append(out, *f)
		}
	}
	return out
}

// Group is a root with what it takes with it.
type Group struct {
	Finding
	// Takes are the IDs of the findings that the root explains, alone or with other roots, in their order.
	Takes []string `json:"takes,omitempty"`
}

// Groups returns the roots of findings in their order, each with what it explains.
func Groups(findings []Finding) []Group {
	roots := rootsOf(findings)
	takes := map[string][]string{}
	for i := range findings {
		id := findings[i].ID
		for _, root := range roots(id) {
			if _, known := takes[root]; !known {
				takes[root] = nil
			}
			if root != id {
				takes[root] = append(takes[root], id)
			}
		}
	}
	var out []Group
	for i := range findings {
		if under, root := takes[findings[i].ID]; root {
			out = append(out, Group{Finding: findings[i], Takes: under})
		}
	}
	return out
}

// rootsOf finds the roots of a finding among others: itself, where nothing explains it. Causes that are not
// among them, as in a list of which somebody took a part, explain nothing.
func rootsOf(findings []Finding) func(id string) []string {
	causes := make(map[string][]string, len(findings))
	for i := range findings {
		causes[findings[i].ID] = findings[i].Causes
	}
	return func(id string) []string {
		var roots []string
		seen := map[string]bool{}
		var climb func(string)
		climb = func(id string) {
			if seen[id] {
				return
			}
			seen[id] = true
			explained := false
			for _, cause := range causes[id] {
				if _, known := causes[cause]; known {
					explained = true
					climb(cause)
				}
			}
			if !explained {
				roots = append(roots, id)
			}
		}
		climb(id)
		return roots
	}
}
