package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// bench is the tiny fabric, simulated, planned, and connected: one leaf in the first wave, the other
// leaf of the pair in the second, the spine in the third.
type bench struct {
	records records
	n       *network
	sim     *sim.Sim
	devices map[string]*live
	plan    *plan.Plan
}

func newBench(t *testing.T) *bench {
	t.Helper()
	quiet := &terminal{out: io.Discard, err: io.Discard}
	srcs, err := sources([]string{filepath.Join("testdata", "pair.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{}
	if b.n, err = compileNetwork(quiet, srcs, nil); err != nil {
		t.Fatal(err)
	}
	if b.sim, err = (simulation{bgp: bgpComputed}).start(t.Context(), b.n.design); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.sim.Close)
	r, err := newResolver(fabric.Login{}, b.sim.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	names, _, err := selectDevices(b.n.design, "")
	if err != nil {
		t.Fatal(err)
	}
	if b.devices, err = connect(t.Context(), b.n, r, names); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(b.devices) })
	if b.plan, err = b.n.planDevices(t.Context(), names, b.devices); err != nil {
		t.Fatal(err)
	}
	if err := probe(t.Context(), b.plan, b.devices); err != nil {
		t.Fatal(err)
	}
	return b
}

// run carries out the plan; at is called at every step, before the next one.
func (b *bench) run(ctx context.Context, at func(transaction.Event)) transaction.Result {
	return b.runAt(ctx, time.Now, at)
}

// runAt is run by another clock.
func (b *bench) runAt(ctx context.Context, now func() time.Time, at func(transaction.Event)) transaction.Result {
	c, err := newChange(b.plan, b.devices, "test", transaction.Limits{
		Rollback: time.Minute, Patience: time.Second, Settle: 100 * time.Millisecond, Retries: 2, Soak: time.Duration(b.plan.Rollout.Soak),
	})
	if err != nil {
		panic(err)
	}
	run := newRunner(&b.records, unfenced(b.devices), c.work)
	run.Parallel, run.Progress, run.Now = 4, at, now
	return run.Run(ctx, transaction.New(c.spec, now()))
}

// unfenced are devices that nobody else could be changing.
func unfenced(devices map[string]*live) map[string]transaction.Device {
	out := map[string]transaction.Device{}
	for name, l := range devices {
		out[name] = l
	}
	return out
}

// records is a journal in memory.
type records []transaction.Record

func (r *records) Append(_ context.Context, _ string, more []transaction.Record) error {
	*r = append(*r, more...)
	return nil
}

// hand changes a leaf of a device as an operator at the box would.
func (b *bench) hand(t *testing.T, name, path, json string) {
	t.Helper()
	p, err := config.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(json)}}
	if err := b.sim.Device(name).Apply(&gnmi.SetRequest{Update: []*gnmi.Update{{Path: p.GNMI(), Val: val}}}); err != nil {
		t.Fatal(err)
	}
}

// atBase tells whether a device has nothing of Loom's.
func (b *bench) atBase(name string) bool {
	d := b.n.design.Device(name)
	tree := b.sim.Device(name).Running()
	return drivers[d.OS].Scope(d).Owned(tree, b.n.trees[name]).Leaves() == 0
}

func (b *bench) wantStates(t *testing.T, res transaction.Result, want map[string]transaction.Status) {
	t.Helper()
	for name, s := range want {
		if res.Devices[name] != s {
			t.Errorf("%s is %s, want %s (%s)", name, res.Devices[name], s, res.Errors[name])
		}
	}
}

func TestATransactionThatGoesWellSavesEveryDevice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	res := b.run(t.Context(), func(e transaction.Event) {
		if e.Status == transaction.Verified && b.sim.Device(e.Device).Startup().Find(hostName(t)).Valid() {
			t.Errorf("%s: startup has the change before it is confirmed", e.Device)
		}
	})
	if res.Outcome != transaction.Done || res.Err != nil {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	b.wantStates(t, res, map[string]transaction.Status{"spine1": transaction.Saved, "leaf1": transaction.Saved, "leaf2": transaction.Saved})
	for _, d := range b.sim.Devices() {
		if !config.Equal(d.Running(), d.Startup()) {
			t.Errorf("%s: startup differs from running", d.Name())
		}
		if d.Pending() != "" {
			t.Errorf("%s: commit %s is still open", d.Name(), d.Pending())
		}
	}
}

func hostName(t *testing.T) config.Path {
	t.Helper()
	p, err := config.ParsePath("/system/name/host-name")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAChangeSinceThePlanStopsBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.hand(t, "spine1", "/system/name/host-name", `"somebody"`)
	b.hand(t, "leaf1", "/system/name/host-name", `"somebody"`)
	res := b.run(t.Context(), nil)
	if res.Outcome != transaction.Unchanged || !errors.Is(res.Err, transaction.ErrStale) {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	b.wantStates(t, res, map[string]transaction.Status{"leaf2": transaction.Waiting})
	if !b.atBase("leaf2") {
		t.Error("leaf2 was touched")
	}
}

func TestAFailureInALaterWaveUndoesTheEarlierOnes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.hand(t, "leaf2", "/system/name/host-name", `"somebody"`)
	res := b.run(t.Context(), nil)
	if res.Outcome != transaction.RolledBack || !errors.Is(res.Err, transaction.ErrStale) {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	b.wantStates(t, res, map[string]transaction.Status{"leaf1": transaction.Restored, "leaf2": transaction.Waiting, "spine1": transaction.Waiting})
	if !b.atBase("leaf1") || b.sim.Device("leaf1").Pending() != "" {
		t.Error("leaf1 is not as before")
	}
}

func TestADeviceThatIsLostBeforeItsWaveUndoesTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stopped := false
	res := b.run(t.Context(), func(e transaction.Event) {
		if e.Status == transaction.Verified && !stopped {
			stopped = true
			b.sim.Device("leaf2").Stop()
		}
	})
	if res.Outcome != transaction.RolledBack || !errors.Is(res.Err, device.ErrRetry) {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	b.wantStates(t, res, map[string]transaction.Status{"leaf1": transaction.Restored, "spine1": transaction.Waiting})
}

func TestAWaveThatTurnsBadBeforeTheNextUndoesAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plan.Cut(plan.WaveOptions{Soak: time.Millisecond})
	res := b.run(t.Context(), func(e transaction.Event) {
		if e.Status == transaction.Verified && e.Device == "leaf1" {
			b.sim.Device("leaf1").Stop()
		}
		if e.Device == "leaf2" {
			t.Error("the next wave was begun")
		}
	})
	if res.Outcome == transaction.Done || res.Errors["leaf1"] == "" || !b.atBase("leaf2") {
		t.Errorf("%s: %v, errors %v", res.Outcome, res.Err, res.Errors)
	}
}

func TestWavesWaitForEachOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plan.Cut(plan.WaveOptions{Soak: 20 * time.Millisecond})
	start := time.Now()
	if res := b.run(t.Context(), nil); res.Outcome != transaction.Done {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	if took := time.Since(start); took < 40*time.Millisecond {
		t.Errorf("three waves, 20 ms between them, in %s", took)
	}
}

func TestAnInterruptEndsTheWaitBetweenWaves(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plan.Cut(plan.WaveOptions{Soak: time.Hour})
	ctx, interrupt := context.WithCancel(t.Context())
	res := b.run(ctx, func(e transaction.Event) {
		if e.Status == transaction.Verified {
			interrupt()
		}
	})
	if res.Outcome != transaction.RolledBack || !errors.Is(res.Err, context.Canceled) {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
}

func TestADeviceThatIsLostAfterTheDecisionIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	verified := 0
	res := b.run(t.Context(), func(e transaction.Event) {
		if e.Status == transaction.Verified {
			if verified++; verified == 3 {
				b.sim.Device("leaf2").Stop()
			}
		}
	})
	if res.Outcome != transaction.Mixed || res.Errors["leaf2"] == "" {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	b.wantStates(t, res, map[string]transaction.Status{"leaf2": transaction.Unreachable})
}

func TestAnInterruptUndoesWhatWasDone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, interrupt := context.WithCancel(t.Context())
	res := b.run(ctx, func(e transaction.Event) {
		if e.Status == transaction.Verified {
			interrupt()
		}
	})
	if res.Outcome != transaction.RolledBack || !errors.Is(res.Err, context.Canceled) {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	for _, d := range b.sim.Devices() {
		if !b.atBase(d.Name()) {
			t.Errorf("%s is not as before", d.Name())
		}
	}
}

func TestADeviceThatRebootsWhileArmedEndsAsTheOthersDo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rebooted := false
	res := b.run(t.Context(), func(e transaction.Event) {
		if e.Status == transaction.Verified && e.Device == "leaf1" && !rebooted {
			rebooted = true
			b.sim.Device("leaf1").Reboot()
		}
	})
	for _, d := range b.sim.Devices() {
		if done := res.Outcome == transaction.Done; b.atBase(d.Name()) == done {
			t.Errorf("the transaction is %s, and %s is not so", res.Outcome, d.Name())
		}
	}
}

func TestTheExitCodeSaysHowItEnded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.hand(t, "leaf2", "/system/name/host-name", `"somebody"`)
	format := "json"
	quiet := &terminal{out: io.Discard, err: io.Discard}
	o := &applyOptions{rollback: time.Minute, parallel: 4, format: &format, store: &storeFlags{}}
	k, err := o.store.keep(t.Context(), quiet, t.TempDir(), "pair")
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	_, err = o.push(t.Context(), quiet, &site{n: b.n, j: newJournal(k)}, b.plan, b.devices)
	var e exit
	if !errors.As(err, &e) || e.code != exitRolledBack {
		t.Errorf("got %v, want exit code %d", err, exitRolledBack)
	}
}

func TestAfterTheFirstConfirmAnInterruptStopsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, interrupt := context.WithCancel(t.Context())
	res := b.run(ctx, func(e transaction.Event) {
		if e.Status == transaction.Confirmed {
			interrupt()
		}
	})
	if res.Outcome != transaction.Done || res.Err != nil {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	b.wantStates(t, res, map[string]transaction.Status{"spine1": transaction.Saved, "leaf1": transaction.Saved, "leaf2": transaction.Saved})
}

func TestADeviceThatTookTheChangeBackAfterTheDecisionGetsItAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	verified := 0
	res := b.run(t.Context(), func(e transaction.Event) {
		if e.Status == transaction.Verified {
			if verified++; verified == 3 {
				b.sim.Device("leaf2").Reboot() // comes back as it was, and answers
			}
		}
	})
	if res.Outcome != transaction.Done {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	b.wantStates(t, res, map[string]transaction.Status{"spine1": transaction.Saved, "leaf1": transaction.Saved, "leaf2": transaction.Saved})
	if b.atBase("leaf2") {
		t.Error("leaf2 is called saved and is not")
	}
}

// later is a clock that somebody can set forward.
type later struct{ ahead atomic.Int64 }

func (c *later) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func TestTimersThatMayHaveRunOutEndTheTransactionBeforeTheDecision(t *testing.T) {
	t.Parallel()
	b, clock := newBench(t), &later{}
	res := b.runAt(t.Context(), clock.now, func(e transaction.Event) {
		if e.Device == "leaf2" && e.Status == transaction.Verified {
			clock.ahead.Store(int64(time.Minute)) // the process stood still
		}
	})
	if res.Outcome != transaction.RolledBack || !errors.Is(res.Err, transaction.ErrLate) {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
	for _, d := range b.sim.Devices() {
		if !b.atBase(d.Name()) {
			t.Errorf("%s is not as before", d.Name())
		}
	}
}

func TestTimersAreStartedAgainBeforeTheyRunOut(t *testing.T) {
	t.Parallel()
	b, clock := newBench(t), &later{}
	res := b.runAt(t.Context(), clock.now, func(e transaction.Event) {
		if e.Status != transaction.Verified {
			return
		}
		// Each wave takes longer than half a timer, both together longer than a whole one.
		clock.ahead.Store(int64(time.Duration(e.Wave) * 35 * time.Second))
	})
	if res.Outcome != transaction.Done {
		t.Fatalf("%s: %v", res.Outcome, res.Err)
	}
}

// What the profile has no name for is in no tree: that it has gone, where nothing else changes, is looked at behind the wave.
func TestAChangeOfUnknownNodesAloneIsProven(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if res := b.run(t.Context(), nil); res.Outcome != transaction.Done {
		t.Fatal(res.Err)
	}
	strange := config.Unknown{Path: mustPath("/interface[name=ethernet-1/49]/acme"), JSON: []byte(`{"limit":7}`)}
	if err := b.sim.Device("leaf2").Hold(strange); err != nil {
		t.Fatal(err)
	}
	p, err := b.n.planDevices(t.Context(), []string{"leaf1", "leaf2", "spine1"}, b.devices)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Devices) != 1 || len(p.Weaker) != 1 || !strings.Contains(p.Weaker[0], "leaf2 with configuration that goes") {
		t.Fatalf("%d devices change; weaker: %v", len(p.Devices), p.Weaker)
	}
	if _, err := newChange(p, b.devices, "test", transaction.Limits{}); err != nil {
		t.Fatal(err)
	}
	passed := 0
	gate := proven(b.devices, func(context.Context, []string) error { passed++; return nil })
	if err := gate(t.Context(), []string{"leaf2"}); err == nil || !strings.Contains(err.Error(), "leaf2: still has /interface[name=ethernet-1/49]/acme") || passed > 0 {
		t.Errorf("before the change: %v, and another gate was asked %d times", err, passed)
	}
	if err := b.sim.Device("leaf2").Apply(p.Devices[0].Request); err != nil {
		t.Fatal(err)
	}
	if err := gate(t.Context(), []string{"leaf2"}); err != nil || passed != 1 {
		t.Errorf("behind the change: %v, and another gate was asked %d times", err, passed)
	}
	if err := gate(t.Context(), []string{"leaf1"}); err != nil {
		t.Errorf("of a device without any: %v", err)
	}
}
