package controller

import (
	"fmt"
	"slices"
	"strings"
)

// FourEyes are classes of risks that nobody approves for a change of one's own; "all" is every class.
type FourEyes []string

// Needs tells whether a class takes somebody else.
func (e FourEyes) Needs(class string) bool {
	return slices.Contains(e, "all") || slices.Contains(e, class)
}

// Refuse tells why somebody may not approve classes of a plan that is of some authors, and who may. Errors: ErrNotYou.
func (e FourEyes) Refuse(plan string, classes []string, by string, authors, others []string) error {
	var own []string
	for _, c := range classes {
		if e.Needs(c) {
			own = append(own, c)
		}
	}
	if len(own) == 0 || !slices.Contains(authors, by) {
		return nil
	}
	who := "somebody else with the permission to approve"
	if len(others) > 0 {
		who += ", such as " + strings.Join(others, ", ")
	}
	return fmt.Errorf("plan %s: %w: %s is %s's own change, and %s takes %s (loom plans approve %s)", plan, ErrNotYou, plan, by, strings.Join(own, ", "), who, plan)
}

// Approved are the classes that were approved of a plan, without those that its authors have approved and may not: also where that
// was decided after they had.
func (e FourEyes) Approved(p *Planned, authors []string) []string {
	var out []string
	for _, a := range p.Approvals {
		for _, c := range a.Classes {
			if a.Hash == p.Hash && !(e.Needs(c) && slices.Contains(authors, a.By)) {
				out = append(out, c)
			}
		}
	}
	return out
}
