package evidence

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/protobuf/proto"
)

// story writes a small run: t1 brings leaf1 and leaf2 from a to b, t2 is to bring them to c and is taken back because
// leaf2 refuses, t3 is mixed because somebody else writes to leaf2 for good.
type story struct {
	run    Run
	second int
	order  map[string]uint64
	has    map[string]string // of each device
}

func (s *story) now() time.Time {
	s.second++
	return time.Unix(1_800_000_000, 0).Add(time.Duration(s.second) * time.Second).UTC()
}

func (s *story) write(id string, r transaction.Record) {
	n := 0
	for _, l := range s.run.Journal {
		if l.Transaction == id {
			n++
		}
	}
	r.At = s.now()
	s.run.Journal = append(s.run.Journal, Line{Transaction: id, Number: n, Record: &r})
}

func (s *story) plan(id, from, to string) {
	spec := transaction.Spec{ID: id, Segments: []transaction.Segment{{Waves: [][]string{{"leaf1"}, {"leaf2"}}}}}
	for _, device := range []string{"leaf1", "leaf2"} {
		spec.Jobs = append(spec.Jobs, transaction.Job{
			Device: device, Timed: true, Steps: []transaction.Step{transaction.Change}, Places: []string{"hash " + from, "hash " + to},
		})
	}
	s.write(id, transaction.Record{Kind: transaction.Planned, Spec: &spec})
}

func (s *story) entry(e Entry) {
	e.Number, e.Time = uint64(len(s.run.Devices)+1), s.now()
	s.run.Devices = append(s.run.Devices, e)
}

// set is a Set that leads a device to a configuration.
func (s *story) set(device, kind, id, to, code string) {
	c := &gnmi_ext.Commit{Id: id}
	switch kind {
	case "commit":
		c.Action = &gnmi_ext.Commit_Commit{Commit: &gnmi_ext.CommitRequest{}}
	case "confirm":
		c.Action = &gnmi_ext.Commit_Confirm{Confirm: &gnmi_ext.CommitConfirm{}}
	case "cancel":
		c.Action = &gnmi_ext.Commit_Cancel{Cancel: &gnmi_ext.CommitCancel{}}
	}
	req := &gnmi.SetRequest{}
	if id != "" {
		req.Extension = []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Commit{Commit: c}}}
	}
	data, err := proto.Marshal(req)
	if err != nil {
		panic(err)
	}
	e := Entry{Event: "set", Device: device, Request: append([]byte(nil), data...), Code: code, From: s.has[device], To: to}
	if code != "Aborted" {
		s.order[device]++
		e.Order = s.order[device]
		s.has[device] = to
	}
	s.entry(e)
}

func (s *story) state() {
	for _, device := range []string{"leaf1", "leaf2"} {
		s.entry(Entry{Event: "state", Device: device, To: s.has[device], Startup: s.has[device]})
	}
}

func (s *story) call(id string, outcome transaction.Outcome, do func()) {
	c := Call{Number: len(s.run.Calls), Command: []string{"loom", "apply"}, Invoked: s.now(), Transaction: id, Outcome: outcome, Exit: exits[outcome], Result: Failed}
	if outcome == transaction.Done {
		c.Result = OK
	}
	do()
	c.Returned = s.now()
	s.run.Calls = append(s.run.Calls, c)
	s.state()
}

func (s *story) ended(id string, o transaction.Outcome, leaf1, leaf2 transaction.Status) {
	s.write(id, transaction.Record{Kind: transaction.Ended, Outcome: o, Devices: map[string]transaction.Status{"leaf1": leaf1, "leaf2": leaf2}})
}

func tell() *story {
	s := &story{order: map[string]uint64{}, has: map[string]string{"leaf1": "a", "leaf2": "a"}}
	for _, c := range []string{"a", "b", "c", "d"} {
		s.run.Journal = append(s.run.Journal, Line{Configuration: "hash " + c, Digest: c})
	}
	s.state()
	s.call("t1", transaction.Done, func() {
		s.plan("t1", "a", "b")
		for wave, device := range []string{"leaf1", "leaf2"} {
			s.write("t1", transaction.Record{Kind: transaction.Sending, Wave: wave})
			s.set(device, "confirm", probe, "a", "FailedPrecondition")
			s.set(device, "commit", "t1", "b", "OK")
		}
		s.write("t1", transaction.Record{Kind: transaction.Decided, Decision: transaction.Commit})
		for _, device := range []string{"leaf1", "leaf2"} {
			s.set(device, "confirm", "t1", "b", "OK")
			s.set(device, "plain", "", "b", "OK")
		}
		s.ended("t1", transaction.Done, transaction.Saved, transaction.Saved)
	})
	s.call("t2", transaction.RolledBack, func() {
		s.plan("t2", "b", "c")
		s.write("t2", transaction.Record{Kind: transaction.Sending, Wave: 0})
		s.set("leaf1", "commit", "t2", "c", "OK")
		s.write("t2", transaction.Record{Kind: transaction.Sending, Wave: 1})
		s.fault("f1", "leaf2", "refuse leaf2 --code=ABORTED")
		s.set("leaf2", "commit", "t2", "b", "Aborted")
		s.write("t2", transaction.Record{Kind: transaction.Decided, Decision: transaction.Abort})
		s.set("leaf1", "cancel", "t2", "b", "OK")
		s.ended("t2", transaction.RolledBack, transaction.Restored, transaction.Restored)
	})
	s.call("t3", transaction.Mixed, func() {
		s.plan("t3", "b", "c")
		s.write("t3", transaction.Record{Kind: transaction.Sending, Wave: 0})
		s.set("leaf1", "commit", "t3", "c", "OK")
		s.write("t3", transaction.Record{Kind: transaction.Sending, Wave: 1})
		s.set("leaf2", "commit", "t3", "c", "OK")
		s.fault("f2", "leaf2", "foreign-change leaf2 --on=now")
		s.has["leaf2"] = "d"
		s.write("t3", transaction.Record{Kind: transaction.Decided, Decision: transaction.Abort})
		s.has["leaf1"] = "b" // its timer
		s.set("leaf1", "cancel", "t3", "b", "FailedPrecondition")
		s.ended("t3", transaction.Mixed, transaction.Restored, transaction.Foreign)
	})
	return s
}

func (s *story) fault(id, device, text string) {
	s.run.Faults = append(s.run.Faults, Fault{At: s.now(), ID: id, Device: device, Kind: strings.Fields(text)[0]})
	s.entry(Entry{Event: "inject", Device: device, Fault: id + " " + text})
	s.entry(Entry{Event: "clear", Device: device, Fault: id + " " + text})
}

// nth is the n-th Set of a kind to a device.
func (r *Run) nth(t *testing.T, device, kind string, n int) *Entry {
	t.Helper()
	for i := range r.Devices {
		e := &r.Devices[i]
		if k, id, _ := setOf(e.Request); e.Event == "set" && e.Device == device && k == kind && id != probe {
			if n == 0 {
				return e
			}
			n--
		}
	}
	t.Fatalf("no %s of %s", kind, device)
	return nil
}

// record is the last record of a kind of a transaction.
func (r *Run) record(id string, k transaction.Kind) (out *transaction.Record) {
	for _, l := range r.Journal {
		if l.Transaction == id && l.Record.Kind == k {
			out = l.Record
		}
	}
	return out
}

func TestARunInWhichAllIsRightHasNoFindings(t *testing.T) {
	t.Parallel()
	report := Check(&tell().run)
	if len(report.Findings) > 0 || report.Changes != 3 || report.States < 5 {
		t.Errorf("%s", report)
	}
}

func TestOneRecordThatWasTamperedWithBreaksItsRuleAndNoOther(t *testing.T) {
	t.Parallel()
	tampered := map[string]bool{}
	for _, c := range []struct {
		what, rule string
		tamper     func(t *testing.T, r *Run)
	}{
		{"the journal has lost how a transaction ended", "journal", func(t *testing.T, r *Run) {
			r.Journal = slices.DeleteFunc(r.Journal, func(l Line) bool { return l.Transaction == "t3" && l.Record.Kind == transaction.Ended })
			r.Calls[2].Transaction = ""
		}},
		{"a configuration is lost from the store", "journal", func(t *testing.T, r *Run) {
			r.record("t3", transaction.Planned).Spec.Jobs[1].Places[1] = "hash e"
		}},
		{"a client was told otherwise", "calls", func(t *testing.T, r *Run) { r.Calls[1].Outcome, r.Calls[1].Exit = transaction.Mixed, 4 }},
		{"a client got another exit code", "calls", func(t *testing.T, r *Run) { r.Calls[1].Exit = 0 }},
		{"a client was told of a transaction that is not in the journal", "calls", func(t *testing.T, r *Run) {
			r.Calls[1].Transaction, r.Calls[0].Returned = "t9", r.Calls[1].Returned
			r.Calls[0].Transaction = ""
		}},
		{"nobody asked for a transaction", "calls", func(t *testing.T, r *Run) { r.Calls = r.Calls[:2] }},
		{"a change was sent before its wave was announced", "announced", func(t *testing.T, r *Run) {
			r.nth(t, "leaf2", "commit", 0).Time = r.record("t1", transaction.Sending).At.Add(-time.Millisecond)
		}},
		{"a commit was confirmed before the decision", "decided", func(t *testing.T, r *Run) {
			r.nth(t, "leaf1", "confirm", 0).Time = r.record("t1", transaction.Decided).At.Add(-time.Millisecond)
		}},
		{"a commit was cancelled before the decision", "decided", func(t *testing.T, r *Run) {
			r.nth(t, "leaf1", "cancel", 0).Time = r.record("t2", transaction.Decided).At.Add(-time.Millisecond)
		}},
		{"a change was planned for another configuration", "base", func(t *testing.T, r *Run) {
			r.record("t1", transaction.Planned).Spec.Jobs[0].Places[0] = "hash d"
		}},
		{"a device got a Set that nobody knows of", "accounted", func(t *testing.T, r *Run) {
			r.Devices = append(r.Devices, Entry{Number: 1000, Time: r.Calls[2].Returned, Event: "set", Device: "leaf1", Code: "OK", Order: 1000, From: "b", To: "b"})
		}},
		{"a device got a commit that nobody knows of", "accounted", func(t *testing.T, r *Run) {
			s := story{order: map[string]uint64{"leaf1": 1000}, has: map[string]string{"leaf1": "b"}}
			s.set("leaf1", "confirm", "t9", "b", "FailedPrecondition")
			r.Devices = append(r.Devices, s.run.Devices...)
		}},
		{"a transaction is called rolled back, and a device is not", "whole", func(t *testing.T, r *Run) {
			r.record("t2", transaction.Ended).Devices["leaf2"] = transaction.Unreachable
		}},
		{"a mixed end names nobody", "whole", func(t *testing.T, r *Run) {
			r.record("t3", transaction.Ended).Devices["leaf2"] = transaction.Waiting
		}},
		{"a device would boot something else than was saved", "truth", func(t *testing.T, r *Run) {
			for i := range r.Devices {
				if e := &r.Devices[i]; e.Event == "state" && e.Device == "leaf2" && e.Time.After(r.Calls[0].Returned) && e.Time.Before(r.Calls[1].Invoked) {
					e.Startup = "a"
				}
			}
		}},
		{"a device would boot what was taken back", "truth", func(t *testing.T, r *Run) {
			for i := range r.Devices {
				if e := &r.Devices[i]; e.Event == "state" && e.Device == "leaf1" && e.Time.After(r.Calls[1].Returned) && e.Time.Before(r.Calls[2].Invoked) {
					e.Startup = "c"
				}
			}
		}},
		{"a commit is still open", "truth", func(t *testing.T, r *Run) { r.Devices[len(r.Devices)-2].Pending = "t3" }},
		{"a configuration changed by itself", "explained", func(t *testing.T, r *Run) {
			e := r.nth(t, "leaf2", "confirm", 0)
			e.From, e.To = "d", "d"
		}},
		{"a fault was not injected", "faults", func(t *testing.T, r *Run) { r.Faults = r.Faults[1:] }},
		{"a fault never came to be", "faults", func(t *testing.T, r *Run) {
			r.Faults = append(r.Faults, Fault{ID: "f3", Device: "leaf1", Kind: "refuse"})
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := &tell().run
			c.tamper(t, r)
			tampered[c.rule] = true
			report := Check(r)
			if len(report.Findings) == 0 {
				t.Fatal("nobody complains")
			}
			for _, x := range report.Findings {
				if x.Rule != c.rule {
					t.Errorf("%s complains: %s", x.Rule, x.Text)
				}
			}
		})
	}
	for _, rule := range Rules() {
		if !tampered[rule.Name] {
			t.Errorf("nobody has tried to break rule %s: %s", rule.Name, rule.Why)
		}
	}
}

func TestARunIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	dir, run := t.TempDir(), &tell().run
	if err := run.Save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), callsFile) {
		t.Errorf("of an empty directory: %v", err)
	}
}

// What judges the controller must not run its code: of pkg/transaction it may name types and constants.
func TestTheJudgeRunsNoCodeOfTheController(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"doc.go", "facts.go", "rules.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if s, ok := call.Fun.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "transaction" {
						t.Errorf("%s calls transaction.%s", name, s.Sel.Name)
					}
				}
			}
			return true
		})
	}
}
