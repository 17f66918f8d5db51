package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/transaction"
)

// Rule is what must hold in every run.
type Rule struct {
	Name, Why string
	check     func(f *facts, complain func(format string, args ...any))
}

// Finding is a breach of a rule.
type Finding struct{ Rule, Text string }

// Report is what came of a check. The counts tell how much there was to check.
type Report struct {
	Findings                                      []Finding
	Calls, Unknown, Changes, Sets, Faults, States int
	Outcomes                                      map[transaction.Outcome]int
}

// Rules are all rules.
func Rules() []Rule {
	return []Rule{
		{"journal", "the controller's journal is whole: each transaction from its plan to its end, one after the other", journal},
		{"calls", "what a client was told is in the journal, and no transaction comes from nowhere", calls},
		{"announced", "no change is sent before the journal says that it may be", announced},
		{"decided", "nothing is confirmed or taken back before the decision is in the journal", decided},
		{"base", "a change starts from the configuration that it was planned for", base},
		{"accounted", "every Set that a device has seen is one of a transaction that the journal knows, and the other way round", accounted},
		{"whole", "every device ends as planned, or every one as before, or the exceptions are named", whole},
		{"truth", "a device that is called saved or restored is, in startup too", truth},
		{"explained", "no configuration changes but by a Set, a commit that is taken back, or a fault", explained},
		{"faults", "every fault that the devices had was injected, and the other way round", faults},
	}
}

// Check holds the records of a run against each other.
func Check(r *Run) Report {
	f, wrong := gather(r)
	out := Report{Calls: len(r.Calls), Changes: len(f.changes), Faults: len(r.Faults), Outcomes: map[transaction.Outcome]int{}}
	for _, w := range wrong {
		out.Findings = append(out.Findings, Finding{"journal", w})
	}
	for _, rule := range Rules() {
		rule.check(f, func(format string, args ...any) {
			out.Findings = append(out.Findings, Finding{rule.Name, fmt.Sprintf(format, args...)})
		})
	}
	for _, c := range r.Calls {
		if c.Result == Unknown {
			out.Unknown++
		}
	}
	for _, e := range r.Devices {
		if e.Event == "set" {
			out.Sets++
		}
	}
	for _, c := range f.changes {
		if c.ended != nil {
			out.Outcomes[c.ended.Outcome]++
		}
	}
	out.States = f.states
	return out
}

func journal(f *facts, complain func(string, ...any)) {
	var before *change
	for _, c := range f.changes {
		if c.spec == nil || c.records[0].Kind != transaction.Planned || c.spec.ID != c.id {
			complain("%s does not begin with its plan", c.id)
			continue
		}
		last := c.planned
		for i, r := range c.records {
			switch {
			case r.At.Before(last):
				complain("%s: record %d, %s, is older than the one before", c.id, i, r.Kind)
			case i > 0 && r.Kind == transaction.Planned:
				complain("%s is planned twice", c.id)
			case i > 0 && c.records[i-1].Kind == transaction.Ended:
				complain("%s goes on after its end: %s", c.id, r.Kind)
			}
			last = r.At
		}
		for seg, at := range c.commits {
			if !c.abort.IsZero() && !at.Before(c.abort) {
				complain("%s: segment %d is committed after the abort", c.id, seg)
			}
		}
		if c.ended == nil {
			complain("%s has no end", c.id)
		}
		for _, j := range c.spec.Jobs {
			for _, p := range j.Places {
				if f.digests[p] == "" {
					complain("%s: %s: configuration %.12s is not in the store", c.id, j.Device, p)
				}
			}
		}
		if before != nil && before.ended != nil && c.planned.Before(before.ended.At) {
			complain("%s began before %s was over", c.id, before.id)
		}
		before = c
	}
}

// exits are the exit codes of `loom apply` and `loom rollback`.
var exits = map[transaction.Outcome]int{transaction.Done: 0, transaction.Unchanged: 1, transaction.RolledBack: 3, transaction.Mixed: 4}

func calls(f *facts, complain func(string, ...any)) {
	for _, call := range f.Calls {
		if call.Transaction == "" {
			continue
		}
		c := f.byID[call.Transaction]
		switch {
		case c == nil:
			complain("call %d was told of %s, which is not in the journal", call.Number, call.Transaction)
			continue
		case call.Outcome == transaction.Interrupted && call.Exit == exits[transaction.Mixed]: // a later call goes on with it
		case c.ended == nil || c.ended.Outcome != call.Outcome:
			complain("call %d was told that %s is %s, and the journal says something else", call.Number, c.id, call.Outcome)
		case exits[call.Outcome] != call.Exit:
			complain("call %d: %s is %s, and the exit code %d", call.Number, c.id, call.Outcome, call.Exit)
		}
		if call.Outcome != transaction.Done || c.spec == nil {
			continue
		}
		for seg := range c.spec.Segments {
			if c.commits[seg].IsZero() || !c.abort.IsZero() {
				complain("call %d was told that %s is done, and the journal has no decision to commit segment %d", call.Number, c.id, seg)
			}
		}
	}
	for _, c := range f.changes {
		i := slices.IndexFunc(f.Calls, func(call Call) bool {
			return !call.Invoked.After(c.planned) && !call.Returned.Before(c.planned) && (call.Transaction == "" || call.Transaction == c.id)
		})
		if i < 0 {
			complain("nobody asked for %s", c.id)
		}
	}
}

// each calls do for every Set of a kind that is about a transaction of the journal.
func (f *facts) each(do func(device string, l *look, c *change)) {
	for device, looks := range f.looks {
		for _, l := range looks {
			if c := f.byID[l.id]; c != nil && c.job(device) != nil {
				do(device, l, c)
			}
		}
	}
}

func announced(f *facts, complain func(string, ...any)) {
	f.each(func(device string, l *look, c *change) {
		if at, ok := c.sent[c.wave[device]]; l.kind == "commit" && (!ok || l.Time.Before(at)) {
			complain("entry %d: %s got its change of %s before its wave was announced", l.Number, device, c.id)
		}
	})
}

func decided(f *facts, complain func(string, ...any)) {
	type part struct{ device, id string }
	steps := map[part]int{} // that were sent; each but the change may be confirmed at once
	f.each(func(device string, l *look, c *change) {
		at := part{device, c.id}
		switch l.kind {
		case "commit":
			steps[at]++
		case "confirm":
			if steps[at] <= slices.Index(c.job(device).Steps, transaction.Change) {
				return
			}
			if when := c.commits[c.segment[device]]; when.IsZero() || l.Time.Before(when) {
				complain("entry %d: %s of %s is confirmed before it was decided", l.Number, device, c.id)
			}
		case "cancel":
			if c.abort.IsZero() || l.Time.Before(c.abort) {
				complain("entry %d: %s of %s is taken back before it was decided", l.Number, device, c.id)
			}
		}
	})
}

func base(f *facts, complain func(string, ...any)) {
	type part struct{ device, id string }
	done := map[part]int{}
	f.each(func(device string, l *look, c *change) {
		if l.kind != "commit" || !l.reached() {
			return
		}
		places, at := c.job(device).Places, part{device, c.id}
		n := done[at]
		done[at]++
		if n >= len(places)-1 || l.From != f.digests[places[n]] {
			complain("entry %d: %s got step %d of %s on another configuration than it was planned for", l.Number, device, n, c.id)
		}
	})
}

// probe is the id with which the controller asks whether a device has confirm timers: there is no such commit.
const probe = "loom-probe"

func accounted(f *facts, complain func(string, ...any)) {
	for device, looks := range f.looks {
		for _, l := range looks {
			switch {
			case l.kind == "state" || l.id == probe && l.kind == "confirm" && l.From == l.To:
			case l.id != "":
				if c := f.byID[l.id]; c == nil || c.job(device) == nil {
					complain("entry %d: %s got a %s of %s, of which the journal knows nothing", l.Number, device, l.kind, l.id)
				}
			case !slices.ContainsFunc(f.changes, func(c *change) bool { return c.sends(device, l) }):
				complain("entry %d: %s got a Set at a time when the journal knows of none", l.Number, device)
			}
		}
	}
	for _, c := range f.changes {
		if c.ended == nil {
			continue
		}
		for device, status := range c.ended.Devices {
			if j := c.job(device); j != nil && j.Timed && status == transaction.Saved && !slices.ContainsFunc(f.looks[device], func(l *look) bool {
				return l.kind == "commit" && l.id == c.id && l.reached()
			}) {
				complain("%s: %s is called saved, and never got the change", c.id, device)
			}
		}
	}
}

// sends tells whether a Set without an id can be one of a transaction: to mend or to save a device after the
// decision, or any to a device without timers.
func (c *change) sends(device string, l *look) bool {
	if !c.has(device) || c.ended != nil && l.Time.After(c.ended.At) {
		return false
	}
	at := c.decided(device)
	if j := c.job(device); j != nil && !j.Timed {
		at = c.sent[c.wave[device]]
	} else if j == nil {
		at = c.commits[len(c.spec.Segments)-1]
		if len(c.spec.Segments) == 0 {
			at = c.commits[0]
		}
	}
	return !at.IsZero() && !l.Time.Before(at)
}

func whole(f *facts, complain func(string, ...any)) {
	for _, c := range f.changes {
		if c.ended == nil || c.spec == nil {
			continue
		}
		exceptions := 0
		for _, j := range c.spec.Jobs {
			status := c.ended.Devices[j.Device]
			back := status == transaction.Restored || status == transaction.Waiting
			switch c.ended.Outcome {
			case transaction.Done:
				if status != transaction.Saved {
					complain("%s is done, and %s is %s", c.id, j.Device, status)
				}
			case transaction.RolledBack:
				if !back {
					complain("%s is rolled back, and %s is %s", c.id, j.Device, status)
				}
			case transaction.Unchanged:
				if status != transaction.Waiting {
					complain("%s has changed nothing, and %s is %s", c.id, j.Device, status)
				}
			}
			if aborted := !c.abort.IsZero(); aborted && !back || !aborted && status != transaction.Saved {
				exceptions++
			}
		}
		for _, device := range c.spec.Saves {
			if c.ended.Devices[device] != transaction.Saved {
				exceptions++
			}
		}
		if c.ended.Outcome == transaction.Mixed && exceptions == 0 {
			complain("%s is mixed, and names no device", c.id)
		}
	}
}

func truth(f *facts, complain func(string, ...any)) {
	for device, looks := range f.looks {
		for i, l := range looks {
			if l.kind != "state" {
				continue
			}
			want, since, of := f.promised(device, l.Time)
			if want == "" || f.suffered(device, since, l.Time, (*fault).spoils) {
				continue
			}
			f.states++
			saved := l.Startup == want
			if of.ended.Devices[device] == transaction.Restored { // what others had left unsaved need not be saved
				saved = saved || l.Startup == startupBefore(looks[:i], of.planned)
			}
			if l.To != want || !saved || l.Pending != "" {
				complain("entry %d: %s does not have what %s says: running %t, startup %t, open commit %q", l.Number, device, of.id, l.To == want, saved, l.Pending)
			}
		}
	}
}

// startupBefore is what a device would have booted when it was last looked at before a time.
func startupBefore(looks []*look, at time.Time) string {
	for _, l := range slices.Backward(looks) {
		if l.kind == "state" && l.Time.Before(at) {
			return l.Startup
		}
	}
	return ""
}

// promised is the digest that a device has to have at a time, since when nothing else may have touched it, and by
// which transaction; "" where nothing is known.
func (f *facts) promised(device string, at time.Time) (digest string, since time.Time, by *change) {
	for _, c := range slices.Backward(f.changes) {
		switch j := c.job(device); {
		case c.planned.After(at) || !c.has(device):
		case c.ended == nil || c.ended.At.After(at) || j == nil:
			return "", at, c // it is under way, or only saved what was there
		case c.ended.Devices[device] == transaction.Saved:
			return f.digests[j.Places[len(j.Places)-1]], c.planned, c
		case c.ended.Devices[device] == transaction.Restored:
			return f.digests[j.Places[0]], c.planned, c
		case c.ended.Devices[device] != transaction.Waiting:
			return "", at, c
		}
	}
	return "", at, nil
}

func explained(f *facts, complain func(string, ...any)) {
	for device, looks := range f.looks {
		var last *look
		back := "" // what an open commit goes back to
		for _, l := range looks {
			if l.kind != "state" && l.Order == 0 {
				continue
			}
			from := l.From
			if l.kind == "state" {
				from = l.To
			}
			if last != nil && from != last.To && from != back && !f.suffered(device, last.Time, l.Time, func(x *fault) bool { return moves[x.kind] }) {
				complain("entry %d: the configuration of %s has changed since entry %d, and nobody says why", l.Number, device, last.Number)
			}
			if last != nil && from != last.To {
				back = "" // it went back, or somewhere else
			}
			switch {
			case l.kind == "commit" && l.Code == "OK", l.kind == "commit" && l.From != l.To:
				back = l.From
			case (l.kind == "confirm" || l.kind == "cancel") && l.Code == "OK":
				back = ""
			}
			last = l
		}
	}
}

func faults(f *facts, complain func(string, ...any)) {
	injected := map[string]Fault{}
	for _, x := range f.Faults {
		injected[x.ID] = x
	}
	for _, e := range f.Devices {
		if e.Event != "inject" {
			continue
		}
		id, text, _ := strings.Cut(e.Fault, " ")
		kind, _, _ := strings.Cut(text, " ")
		if x, ok := injected[id]; !ok || x.Device != e.Device || x.Kind != kind {
			complain("entry %d: nobody has injected %s", e.Number, e.Fault)
		}
		delete(injected, id)
	}
	for _, x := range injected {
		complain("%s never had %s, %s", x.Device, x.ID, x.Kind)
	}
}

// String is the report as text, a line for each finding and one that says how much was checked.
func (r Report) String() string {
	text := ""
	for _, x := range r.Findings {
		text += x.Rule + ": " + x.Text + "\n"
	}
	return text + fmt.Sprintf("%d calls, %d of them killed; %d transactions %v; %d Sets, %d faults, %d states of devices: %d findings",
		r.Calls, r.Unknown, r.Changes, r.Outcomes, r.Sets, r.Faults, r.States, len(r.Findings))
}
