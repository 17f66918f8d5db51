package main

import (
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/protobuf/proto"
)

// faultBench is a bench whose devices fail: configured and saved routers, and a plan that changes them.
type faultBench struct {
	*bench
	*testing.T
	base, target map[string]*config.Tree // what Loom owns
	whole        map[string]*config.Tree
	only, lost   string // the one device that is changed, "" for all; one that is not looked at
	since        int    // entries of the simulator's journal before the run
}

// more is what the plan of a faultBench adds to testdata/pair.yaml.
const more = `
underlay: {bfd: 3x300ms}
tenants:
  red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}, app: {number: 11, gateway: 10.11.0.1/24}}}
ports:
  - {on: leaves, range: ethernet-1/1..2, segments: [web, app], tagged: true}
`

func newFaultBench(t *testing.T) *faultBench {
	t.Helper()
	b := &faultBench{bench: newBench(t), T: t, base: map[string]*config.Tree{}, target: map[string]*config.Tree{}, whole: map[string]*config.Tree{}}
	if res := b.run(t.Context(), nil); res.Outcome != transaction.Done {
		t.Fatal(res.Err)
	}
	b.replan(more)
	for _, d := range b.sim.Devices() {
		b.whole[d.Name()] = d.Running()
	}
	b.sim.Record(nil, 1<<20)
	return b
}

// replan makes the plan that leads to the pair with something more.
func (b *faultBench) replan(more string) {
	b.Helper()
	pair, err := os.ReadFile(filepath.Join("testdata", "pair.yaml"))
	b.check(err)
	file := filepath.Join(b.TempDir(), "pair.yaml")
	b.check(os.WriteFile(file, append(pair, more...), 0o600))
	srcs, err := sources([]string{file})
	b.check(err)
	b.n, err = compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
	b.check(err)
	names, _, err := selectDevices(b.n.design, "")
	b.check(err)
	b.check(b.connect(names))
	b.plan, err = b.n.planDevices(b.Context(), names, b.devices)
	b.check(err)
	b.check(probe(b.Context(), b.plan, b.devices))
	if len(b.plan.Devices) != 3 {
		b.Fatalf("%d devices change, want all", len(b.plan.Devices))
	}
	for i := range b.plan.Devices {
		d := &b.plan.Devices[i]
		b.base[d.Name], b.target[d.Name] = d.Before, d.After
	}
}

// connect dials devices anew.
func (b *faultBench) connect(names []string) error {
	r, err := newResolver(fabric.Login{}, b.sim.Inventory())
	b.check(err)
	devices, err := connect(b.Context(), b.n, r, names)
	if err != nil {
		return err
	}
	closeAll(b.devices)
	b.devices = devices
	b.Cleanup(func() { closeAll(devices) })
	return nil
}

func (b *faultBench) check(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// attempt is one run of the plan, with what of it is not as usual.
type attempt struct {
	only     string // one device; "": all
	together bool   // in one wave
	parallel int
	at       func(transaction.Event)
}

// begin runs the plan, on devices that are as before.
func (b *faultBench) begin(a attempt) transaction.Result {
	b.Helper()
	b.records = nil
	p := *b.plan
	b.only = a.only
	if a.only != "" {
		p.Devices = p.Devices[:0:0]
		for _, d := range b.plan.Devices {
			if d.Name == a.only {
				p.Devices = append(p.Devices, d)
			}
		}
		p.Waves, p.Rollout.Stages = [][]string{{a.only}}, p.Rollout.Stages[:1]
	}
	c, err := newChange(&p, b.devices, "test", transaction.Limits{
		Rollback: time.Minute, Patience: 5 * time.Second, Settle: 50 * time.Millisecond, Retries: 2,
	})
	b.check(err)
	if a.together {
		c.spec.Segments = []transaction.Segment{{Waves: [][]string{sortedKeys(b.base)}}}
	}
	run := newRunner(&b.records, unfenced(b.devices), c.work)
	run.Parallel, run.Progress = cmp.Or(a.parallel, 4), a.at
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	return run.Run(ctx, transaction.New(c.spec, time.Now()))
}

// reset clears faults and gives every device its first configuration again, as an operator at the box would.
func (b *faultBench) reset() {
	b.Helper()
	for _, f := range b.sim.Faults() {
		_ = b.sim.Clear(f.ID) // it may be over by now
	}
	for name, tree := range b.whole {
		d := b.sim.Device(name)
		_ = d.Accept() // where a commit is open
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: tree.AppendJSON(nil, false)}}
		b.check(d.Apply(&gnmi.SetRequest{Replace: []*gnmi.Update{{Path: &gnmi.Path{}, Val: val}}}))
		b.check(d.Save())
	}
	b.since = len(b.entries(0))
}

// inject makes something go wrong with a device.
func (b *faultBench) inject(kind, device string, parameters ...string) string {
	b.Helper()
	given := map[string]string{}
	for i := 0; i < len(parameters); i += 2 {
		given[parameters[i]] = parameters[i+1]
	}
	f, err := sim.ParseFault(kind, device, given)
	b.check(err)
	id, err := b.sim.Inject(f)
	b.check(err)
	return id
}

func (b *faultBench) entries(since int) []sim.Entry {
	b.Helper()
	all, err := b.sim.Journal()
	b.check(err)
	return all[since:]
}

// sets are the Sets of a kind that a device has got since the last reset: "commit", "confirm", "cancel", "extend" or "plain".
func (b *faultBench) sets(device, kind string) (out []sim.Entry) {
	b.Helper()
	for _, e := range b.entries(b.since) {
		if e.Event == "set" && e.Device == device && setKind(b.T, e.Request) == kind {
			out = append(out, e)
		}
	}
	return out
}

// struck counts how often faults have struck Sets since the last reset.
func (b *faultBench) struck() int {
	n := 0
	for _, e := range b.entries(b.since) {
		if e.Event == "strike" {
			n++
		}
	}
	return n
}

// setKind tells what a Set asks for.
func setKind(t *testing.T, data []byte) string {
	t.Helper()
	var req gnmi.SetRequest
	if err := proto.Unmarshal(data, &req); err != nil {
		t.Fatal(err)
	}
	for _, e := range req.GetExtension() {
		switch e.GetCommit().GetAction().(type) {
		case *gnmi_ext.Commit_Commit:
			return "commit"
		case *gnmi_ext.Commit_Confirm:
			return "confirm"
		case *gnmi_ext.Commit_Cancel:
			return "cancel"
		case *gnmi_ext.Commit_SetRollbackDuration:
			return "extend"
		}
	}
	return "plain"
}

// owned is what Loom owns of a configuration of a device.
func (b *faultBench) owned(device string, t *config.Tree) *config.Tree {
	return b.devices[device].scope.Owned(t, b.n.trees[device])
}

// wantWhole demands that a transaction ended in one of some ways, and as a whole: every device at its target, or
// every one at its base, startup too, with no commit open. Devices in except may end otherwise if the result names them.
func (b *faultBench) wantWhole(what string, res transaction.Result, outcomes []transaction.Outcome, except ...string) {
	b.Helper()
	right := false
	for _, o := range outcomes {
		right = right || o == res.Outcome
	}
	if !right {
		b.Errorf("%s: %s, want %v: %v, %v", what, res.Outcome, outcomes, res.Devices, res.Err)
	}
	want := b.base
	for _, r := range b.records {
		if r.Decision == transaction.Commit {
			want = b.target
		}
	}
	for device := range b.base {
		if b.only != "" && device != b.only || device == b.lost {
			continue
		}
		if s := res.Devices[device]; len(except) > 0 && except[0] == device && s != transaction.Saved && s != transaction.Restored && s != transaction.Waiting {
			continue // named
		}
		d := b.sim.Device(device)
		if !config.Equal(b.owned(device, d.Running()), want[device]) {
			b.Errorf("%s: %s (%v): %s, called %s, runs something else", what, res.Outcome, res.Err, device, res.Devices[device])
		}
		if !config.Equal(b.owned(device, d.Startup()), want[device]) {
			b.Errorf("%s: %s (%v): %s, called %s, would boot something else", what, res.Outcome, res.Err, device, res.Devices[device])
		}
		if id := d.Pending(); id != "" {
			b.Errorf("%s: %s: commit %s is open", what, device, id)
		}
	}
}

var (
	allDone  = []transaction.Outcome{transaction.Done}
	takenOut = []transaction.Outcome{transaction.RolledBack}
	either   = []transaction.Outcome{transaction.Done, transaction.RolledBack}
)

// when calls do once, when a device reaches a status.
func when(device string, status transaction.Status, do func()) func(transaction.Event) {
	once := sync.OnceFunc(do)
	return func(e transaction.Event) {
		if e.Device == device && e.Status == status {
			once()
		}
	}
}

// until waits for a condition.
func (b *faultBench) until(what string, holds func() bool) {
	b.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); !holds(); {
		select {
		case <-tick.C:
		case <-late:
			b.Errorf("waited too long for %s", what)
			return
		}
	}
}

// hurry gives a device a client that waits for no answer longer than limit.
func (b *faultBench) hurry(name string, limit time.Duration) {
	b.Helper()
	target := b.devices[name].Target()
	drv := *target.Driver
	drv.Manners.SetTimeout, target.Driver, target.Timeout = limit, &drv, limit
	dev, err := device.New(target)
	b.check(err)
	b.devices[name].Close()
	b.devices[name].Device = dev
}
