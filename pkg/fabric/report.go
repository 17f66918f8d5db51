package fabric

import (
	"fmt"
	"strconv"

	"github.com/loomfabric/loom/pkg/topology"
)

// report collects every diagnostic of a compilation. The same complaint about many devices or ports
// that one line of a file brought forth (a count, a range) is said once, with their number.
type report struct {
	at    func(ref string) topology.Pos
	diags topology.Diagnostics
	more  []int // how often each diagnostic was repeated
	first map[repeat]int
}

// repeat tells complaints that are the same but for the device or port.
type repeat struct {
	pos  topology.Pos
	like string
}

// note points at another place that has to do with a diagnostic.
type note struct {
	ref  Ref
	text string
}

// fail reports an error at the place that caused it.
func (r *report) fail(ref Ref, message, fix string, also ...note) {
	r.add(topology.Error, ref, message, fix, also)
}

// failEach is fail for one of possibly many things that share a line: the same cause at the same position is
// reported once.
func (r *report) failEach(ref Ref, thing, cause, fix string, also ...note) {
	r.failLike(cause, ref, thing+": "+cause, fix, also...)
}

// failLike reports the first of all errors at one position that are alike.
func (r *report) failLike(like string, ref Ref, message, fix string, also ...note) {
	key := repeat{r.at(string(ref)), like}
	if i, ok := r.first[key]; ok {
		r.more[i]++
		return
	}
	r.fail(ref, message, fix, also...)
	if r.first == nil {
		r.first = make(map[repeat]int)
	}
	if key.pos != (topology.Pos{}) { // an intent without positions has a line for each
		r.first[key] = len(r.diags) - 1
	}
}

// warn reports what is probably not meant.
func (r *report) warn(ref Ref, message, fix string) {
	r.add(topology.Warning, ref, message, fix, nil)
}

func (r *report) add(severity topology.Severity, ref Ref, message, fix string, also []note) {
	diag := topology.Diagnostic{Pos: r.at(string(ref)), Ref: string(ref), Severity: severity, Message: message, Fix: fix}
	for _, n := range also {
		diag.Also = append(diag.Also, topology.Note{Pos: r.at(string(n.ref)), Text: n.text})
	}
	r.diags = append(r.diags, diag)
	r.more = append(r.more, 0)
}

// failed tells whether there is an error.
func (r *report) failed() bool { return r.diags.HasErrors() }

// diagnostics returns everything reported, by position.
func (r *report) diagnostics() topology.Diagnostics {
	for i, more := range r.more {
		if more > 0 {
			r.diags[i].Message += fmt.Sprintf(" (and %d more like it)", more)
		}
	}
	r.diags.Sort()
	return r.diags
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
