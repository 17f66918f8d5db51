package topology

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a diagnostic stops Loom.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Diagnostic is one finding in a source: where, what, why, and how to mend it.
type Diagnostic struct {
	Pos      Pos      `json:"pos"`
	Ref      string   `json:"-"` // what it is about, as causes have it: "tenants/red/segments/web#mtu"; empty where that is not known yet
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`        // the thing, then the cause
	Fix      string   `json:"fix,omitempty"`  // how to mend it; may be empty
	Also     []Note   `json:"also,omitempty"` // other places that have a part in it
}

// Note points at a place that has a part in a diagnostic.
type Note struct {
	Pos  Pos    `json:"pos"`
	Text string `json:"text"` // "first used here"
}

// String returns the diagnostic as one line, its notes indented below it.
func (d Diagnostic) String() string {
	var b strings.Builder
	if at := d.Pos.String(); at != "" {
		b.WriteString(at + ": ")
	}
	if d.Severity == Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(d.Message)
	if d.Fix != "" {
		b.WriteString("; " + d.Fix)
	}
	for _, n := range d.Also {
		b.WriteString("\n\t")
		if at := n.Pos.String(); at != "" {
			b.WriteString(at + ": ")
		}
		b.WriteString(n.Text)
	}
	return b.String()
}

// Diagnostics are findings. The nil slice means that all is well.
type Diagnostics []Diagnostic

// printed is how many diagnostics a person is shown: in a garbage file the first few say it all.
const printed = 20

// Sort orders the findings by file, line and column; findings at one place keep their order.
func (ds Diagnostics) Sort() {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int { return a.Pos.before(b.Pos) })
}

// HasErrors reports whether any finding is an error.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// Error returns the first 20 findings, one per line, and says how many are left out.
func (ds Diagnostics) Error() string {
	lines := make([]string, 0, printed+1)
	for i, d := range ds {
		if i == printed {
			lines = append(lines, fmt.Sprintf("and %d more", len(ds)-printed))
			break
		}
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n")
}
