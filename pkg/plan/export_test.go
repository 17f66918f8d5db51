package plan

import (
	"slices"

	"github.com/loomfabric/loom/pkg/driver"
)

// CheckNames are the names of all checks.
func CheckNames() []string {
	var out []string
	for _, c := range checks {
		out = append(out, c.name)
	}
	return out
}

// RisksBy is what one check finds.
func RisksBy(name string, p *Plan, guards func(string) *driver.Guards, o RiskOptions) []Risk {
	i := slices.IndexFunc(checks, func(c check) bool { return c.name == name })
	return newSearch(p, guards, o).run(checks[i : i+1])
}
