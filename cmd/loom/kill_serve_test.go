//go:build crashpoints

package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/plan"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
)

// reign is a controller over three routers that is killed and begins anew, again and again: the process that has recovered from one
// death is the one that dies next. Its store and its routers stay.
type reign struct {
	*kills
	*routers
	address string
	count   int // processes so far
	cmd     *exec.Cmd
	over    chan struct{} // closed when the process has ended
	errs    *bytes.Buffer
	there   *client
	keys    int
	calls   context.Context
}

func (k *kills) reign(t *testing.T) *reign {
	t.Helper()
	r := &reign{kills: k, routers: newRouters(t, k.states[plain], k.states[plain], ""), calls: t.Context()}
	r.sim.Digest(func(device string, t *config.Tree) string {
		d := r.n.design.Device(device)
		return plan.Hash(drivers[d.OS].Scope(d).Owned(t, r.n.trees[device]))
	})
	free, err := net.Listen("tcp", "127.0.0.1:0") // the same after each death
	if err != nil {
		t.Fatal(err)
	}
	r.address = free.Addr().String()
	free.Close()
	r.begin()
	t.Cleanup(func() { r.die(); _ = r.there.Close() })
	return r
}

// begin starts the controller, and waits until it answers.
func (r *reign) begin() {
	r.Helper()
	r.count++
	r.cmd, r.over, r.errs = exec.Command(r.program, "serve", "--data", "data", "--listen", r.address, "--rest", "none", "--inventory", "sim.json"), make(chan struct{}), &bytes.Buffer{}
	r.cmd.Dir, r.cmd.Stderr = r.dir, r.errs
	r.cmd.Env = append(os.Environ(), "HOME="+r.dir, "TMPDIR="+r.dir, "LOOM_LIMITS="+patient, "LOOM_CONTEXTS="+r.path("contexts.json"),
		"LOOM_CRASH_FILE="+r.path("order"), "LOOM_CRASH_LOG="+r.path(fmt.Sprintf("log%d", r.count)))
	if err := r.cmd.Start(); err != nil {
		r.Fatal(err)
	}
	go func(c *exec.Cmd, over chan struct{}) { _ = c.Wait(); close(over) }(r.cmd, r.over)
	if r.there != nil {
		return
	}
	p := &serveProcess{dir: r.dir}
	r.until("the controller has made its context", func() bool {
		var err error
		r.there, err = p.client()
		return err == nil
	})
}

func (r *reign) ended() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

// die kills the process wherever it is.
func (r *reign) die() {
	_ = r.cmd.Process.Kill()
	<-r.over
}

// order has the process die at a pass of a point from now on; nil takes that back.
func (r *reign) order(d *death) {
	r.Helper()
	if d == nil {
		_ = os.Remove(r.path("order"))
		return
	}
	r.write("order.new", d.String())
	if err := os.Rename(r.path("order.new"), r.path("order")); err != nil {
		r.Fatal(err)
	}
}

// key is one that no request has had.
func (r *reign) key() string { r.keys++; return fmt.Sprintf("key %d", r.keys) }

// ask makes a call of the controller that has to succeed.
func ask[Q, A any](r *reign, call func(context.Context, Q, ...grpc.CallOption) (A, error), q Q) A {
	r.Helper()
	a, err := call(r.calls, q, grpc.WaitForReady(true))
	if err != nil {
		r.Fatalf("%v\n%s", err, r.errs)
	}
	return a
}

func (r *reign) intents() api.IntentServiceClient   { return api.NewIntentServiceClient(r.there) }
func (r *reign) plans() api.PlanServiceClient       { return api.NewPlanServiceClient(r.there) }
func (r *reign) devices() api.DeviceServiceClient   { return api.NewDeviceServiceClient(r.there) }
func (r *reign) happened() api.EventServiceClient   { return api.NewEventServiceClient(r.there) }
func (r *reign) done() api.TransactionServiceClient { return api.NewTransactionServiceClient(r.there) }
func (r *reign) all() *api.ListTransactionsResponse {
	return ask(r, r.done().ListTransactions, &api.ListTransactionsRequest{PageSize: 1000})
}

// stand lists the devices, once the controller has the topology in care.
func (r *reign) stand() []*api.ManagedDevice {
	r.Helper()
	var out []*api.ManagedDevice
	r.until("the topology is in care", func() bool {
		m, err := r.devices().ListDevices(r.calls, &api.ListDevicesRequest{Topology: "pair", PageSize: 1000}, grpc.WaitForReady(true))
		out = m.GetDevices()
		return err == nil
	})
	return out
}

// resting are statuses of a device that nothing is done to.
var resting = map[string]bool{"in sync": true, "pending": true, "drifted": true, "failed": true}

// rest waits until no transaction is open, and no device is being looked at.
func (r *reign) rest() []*api.ManagedDevice {
	r.Helper()
	var out []*api.ManagedDevice
	r.until("all is at rest", func() bool {
		out = r.stand()
		for _, d := range out {
			if !resting[statusWord(d.GetStatus())] {
				return false
			}
		}
		return !slices.ContainsFunc(r.all().GetTransactions(), func(t *api.Transaction) bool { return t.GetResult() == nil })
	})
	return out
}

// statuses are where the devices stand, each once.
func statuses(all []*api.ManagedDevice) string {
	seen := map[string]bool{}
	for _, d := range all {
		seen[statusWord(d.GetStatus())] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), ", ")
}

// stands waits until all devices stand somewhere.
func (r *reign) stands(want string) {
	r.Helper()
	r.until("all devices are "+want, func() bool { return statuses(r.stand()) == want })
}

// snapshot is all that the controller says is so.
type snapshot struct {
	Heads, Revisions, Devices, Drifts, Findings, Plans, Transactions proto.Message
}

func (r *reign) whole() snapshot {
	r.Helper()
	r.stand() // in care
	w := snapshot{
		Heads:     ask(r, r.intents().ListTopologies, &api.ListTopologiesRequest{PageSize: 1000}),
		Revisions: ask(r, r.intents().ListRevisions, &api.ListRevisionsRequest{Topology: "pair", PageSize: 1000}),
		Drifts:    ask(r, r.devices().ListDrift, &api.ListDriftRequest{Topology: "pair", PageSize: 1000}),
		Plans:     ask(r, r.plans().ListPlans, &api.ListPlansRequest{PageSize: 1000}), Transactions: r.all(),
	}
	findings := ask(r, r.happened().ListFindings, &api.ListFindingsRequest{PageSize: 1000})
	findings.ResumeToken = ""
	devices := ask(r, r.devices().ListDevices, &api.ListDevicesRequest{Topology: "pair", PageSize: 1000})
	for _, d := range devices.GetDevices() { // of this process: when it has read, and what it has heard
		d.Compared, d.Received, d.Coalesced = nil, 0, 0
	}
	w.Findings, w.Devices = findings, devices
	return w
}

// events are all that have happened.
func (r *reign) events() []*api.Event {
	r.Helper()
	var out []*api.Event
	for q := (&api.ListEventsRequest{PageSize: 1000}); ; {
		m := ask(r, r.happened().ListEvents, q)
		out = append(out, m.GetEvents()...)
		if q.PageToken = m.GetNextPageToken(); q.PageToken == "" {
			return out
		}
	}
}

// head is the newest revision.
func (r *reign) head() int64 {
	r.Helper()
	return ask(r, r.intents().ListRevisions, &api.ListRevisionsRequest{Topology: "pair", PageSize: 1}).GetRevisions()[0].GetNumber()
}

// told demands that events are as they were told, and that of what happens once is told once.
func (r *reign) told(before []*api.Event) []*api.Event {
	r.Helper()
	now := r.events()
	if len(now) < len(before) {
		r.Errorf("%d events were told, and there are %d", len(before), len(now))
		return now
	}
	if diff := cmp.Diff(before, now[:len(before)], protocmp.Transform()); diff != "" {
		r.Errorf("events are others than were told:\n%s", diff)
	}
	times := map[string]int{}
	for _, e := range now {
		if e.GetKind() == "intent" || e.GetKind() == "plan" || e.GetKind() == "transaction" {
			times[e.GetMessage()]++
		}
	}
	for what, n := range times {
		if n > 1 {
			r.Errorf("it is told %d times: %s", n, what)
		}
	}
	for _, v := range ask(r, r.intents().ListRevisions, &api.ListRevisionsRequest{Topology: "pair", PageSize: 1000}).GetRevisions() {
		if !slices.ContainsFunc(now, func(e *api.Event) bool { return e.GetKind() == "intent" && e.GetRevision() == v.GetNumber() }) {
			r.Errorf("nobody is told of revision %d", v.GetNumber())
		}
	}
	for _, x := range r.all().GetTransactions() {
		if !slices.ContainsFunc(now, func(e *api.Event) bool {
			return e.GetKind() == "transaction" && e.GetSubject() == x.GetId() && strings.HasSuffix(e.GetMessage(), "ended: "+x.GetResult().GetOutcome())
		}) {
			r.Errorf("nobody is told how transaction %s ended", x.GetId())
		}
	}
	for _, p := range ask(r, r.plans().ListPlans, &api.ListPlansRequest{PageSize: 1000}).GetPlans() {
		if times["plan "+p.GetId()+" planned"] != 1 || p.GetTransaction() != "" && times["plan "+p.GetId()+" is carried out by "+p.GetTransaction()] != 1 {
			r.Errorf("nobody is told of plan %s, or of transaction %q that carries it out", p.GetId(), p.GetTransaction())
		}
	}
	return now
}

// act is something that a client asks a controller for, which dies over it. What is asked for has a key, so that the client asks for the
// same again.
type act struct {
	name   string
	to     map[string]*config.Tree // what devices have when it is done
	first  func()                  // before the controller is told to die; nil: nothing
	do     func(key string) (outcome, error)
	done   []string     // where devices stand when it is done: one of these
	undone []string     // where they stand when it is not
	brings func() int64 // revision that it brings devices to; nil: the one that they have
}

// outcome is how a transaction ended that was asked for.
type outcome struct{ transaction, how string }

// applies carries a plan out.
func (r *reign) applies(p *api.Plan, key string) (outcome, error) {
	var classes []string
	for _, x := range p.GetRisks() {
		classes = append(classes, x.GetClass())
	}
	if len(classes) > 0 {
		if _, err := r.plans().ApprovePlan(r.calls, &api.ApprovePlanRequest{Id: p.GetId(), Hash: p.GetHash(), Classes: classes}); err != nil {
			return outcome{}, err
		}
	}
	stream, err := r.plans().ApplyPlan(r.calls, &api.ApplyPlanRequest{Id: p.GetId(), Hash: p.GetHash(), Gate: durationpb.New(0), RequestId: key + " apply"})
	if err != nil {
		return outcome{}, err
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			return outcome{}, err
		}
		if res := m.GetResult(); res != nil {
			return outcome{m.GetTransaction(), res.GetOutcome()}, nil
		}
	}
}

// apply puts a topology, plans and applies it.
func (r *reign) apply(s state, key string) (outcome, error) {
	data, err := os.ReadFile(r.file(r, s))
	if err != nil {
		return outcome{}, err
	}
	put := &api.PutTopologyRequest{Files: []*api.File{{Name: "pair.yaml", Data: data}}, RequestId: key + " put"}
	if _, err := r.intents().PutTopology(r.calls, put, grpc.WaitForReady(true)); err != nil {
		return outcome{}, err
	}
	made, err := r.plans().CreatePlan(r.calls, &api.CreatePlanRequest{Topology: "pair", RequestId: key + " plan"})
	if err != nil {
		return outcome{}, err
	}
	if made.GetPlan().GetHash() == "" {
		return outcome{how: "done"}, nil
	}
	return r.applies(made.GetPlan(), key)
}

// dies has the controller die over an act, and begin anew; then the client asks again for what it has asked for.
func (r *reign) dies(a *act, d death) {
	r.Helper()
	if a.first != nil {
		a.first()
	}
	before, known, sets := r.events(), len(r.all().GetTransactions()), r.sets()
	r.from, r.to = map[string]*config.Tree{}, a.to
	for _, dev := range r.sim.Devices() {
		design := r.n.design.Device(dev.Name())
		r.from[dev.Name()] = drivers[design.OS].Scope(design).Owned(dev.Running(), a.to[dev.Name()])
	}
	revisions := map[string]int64{}
	for _, dev := range r.stand() {
		revisions[dev.GetName()] = dev.GetAppliedRevision()
	}
	key := r.key()
	r.order(&d)
	first, err := a.do(key)
	r.fall(a.name, d, err)
	devices := r.rest()
	where := r.places()
	if where != atBase && where != atTarget {
		r.Errorf("devices are at %q", where)
	}
	stand := map[bool][]string{true: a.done, false: a.undone}[where == atTarget]
	r.until(fmt.Sprintf("devices at %s are one of %q", where, stand), func() bool { devices = r.rest(); return slices.Contains(stand, statuses(devices)) })
	r.judgeSets(sets, where)
	r.told(before)
	all := r.all().GetTransactions()
	all = all[:len(all)-known]
	if len(all) > 1 {
		r.Errorf("what was asked for once made %d transactions", len(all))
	}
	how := outcome{how: "done"}
	switch {
	case len(all) > 0:
		how = outcome{all[0].GetId(), all[0].GetResult().GetOutcome()}
		if (where == atTarget) != (how.how == "done") {
			r.Errorf("%+v, and devices are at %s", how, where)
		}
	case where == atTarget:
		r.Error("devices are at the target without a transaction")
	}
	if first.how != "" && first != how {
		r.Errorf("%+v was answered, and there is %+v", first, how)
	}
	for _, dev := range devices {
		want := revisions[dev.GetName()]
		if a.brings != nil && where == atTarget {
			want = a.brings()
		}
		if dev.GetAppliedRevision() != want {
			r.Errorf("%s at %s has revision %d applied, want %d; it is %s", dev.GetName(), where, dev.GetAppliedRevision(), want, dev.GetStatus())
		}
	}
	again, err := a.do(key)
	switch {
	case err != nil:
		r.Errorf("asked for again: %v", err)
	case len(all) > 0 && again != how, len(all) == 0 && again.how != "done":
		r.Errorf("asked for again it is %+v; want %+v", again, how)
	case again.how != "done": // it was taken back: asked for anew it is done
		if anew, err := a.do(r.key()); err != nil || anew.how != "done" {
			r.Errorf("asked for anew it is %+v, %v", anew, err)
		}
	}
	r.fine(a.name, d)
}

// fine ends the test where something was not: what follows would be about something else.
func (r *reign) fine(name string, d death) {
	r.Helper()
	if r.Failed() {
		r.Fatalf("serve, %s, %s:\n%s", name, d, r.errs)
	}
}

// fall waits until the controller has died of an order, and begins it anew. err is how the call ended that it died over: one that was
// answered may be what it dies behind, or not at all.
func (r *reign) fall(name string, d death, err error) {
	r.Helper()
	if err == nil {
		late := time.Now().Add(2 * time.Second)
		r.until("the controller has died, or does not", func() bool { return r.ended() || time.Now().After(late) })
	} else {
		r.until("the controller has died: "+err.Error(), r.ended)
	}
	r.order(nil)
	r.mu.Lock()
	r.runs++
	r.made++
	r.tried["serve, "+name]++
	if r.ended() {
		r.died[d.point]++
	} else {
		r.missed = append(r.missed, "serve, "+name+", "+d.String())
	}
	r.mu.Unlock()
	r.die()
	r.begin()
}

// places are where all devices are by their own configuration that an act is about.
func (r *reign) places() string {
	all := map[string]bool{}
	for _, dev := range r.sim.Devices() {
		if place := r.place(dev.Name()); place != atBoth {
			all[place] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), " and ")
}

// judgeSets demands that no device was changed more often than it takes.
func (r *reign) judgeSets(before int, where string) {
	r.Helper()
	list, err := r.sim.Journal()
	if err != nil {
		r.Fatal(err)
	}
	changed := map[string]int{}
	for _, e := range list {
		if e.Event != "set" {
			continue
		}
		if before--; before < 0 && e.From != e.To {
			changed[e.Device]++
		}
	}
	for device, n := range changed {
		if most := map[bool]int{true: 1, false: 2}[where == atTarget]; n > most {
			r.Errorf("%s was changed %d times, and devices are at %s", device, n, where)
		}
	}
}
