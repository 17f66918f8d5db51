package main

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
)

// reply is how a call was answered: the transaction that it came to, and how that ended.
type reply struct {
	transaction, outcome string
	result               *api.TransactionResult // of ApplyPlan
}

// What is asked for with a key is done once, and answered alike: again, at the same time, and by a controller that has begun anew. With
// another request the key is refused, until it is forgotten.
func TestARequestWithAKeyIsDoneOnce(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	plans, devices := api.NewPlanServiceClient(c.there), api.NewDeviceServiceClient(c.there)
	lab := c.f.name
	c.sim.Record(nil, 1<<20)
	edited := read(t, "cmd/loom/testdata/pair-bfd.yaml")
	files := []*api.File{{Name: "pair.yaml", Data: []byte(edited)}}

	planning := &api.CreatePlanRequest{Files: files, RequestId: "plan"}
	made, err := plans.CreatePlan(t.Context(), planning)
	c.check(err)
	same, err := plans.CreatePlan(t.Context(), planning)
	c.check(err)
	if same.GetPlan().GetId() != made.GetPlan().GetId() {
		t.Errorf("a plan that was asked for again is %s, and was %s", same.GetPlan().GetId(), made.GetPlan().GetId())
	}
	apply := func(r *api.ApplyPlanRequest) (reply, error) {
		stream, err := plans.ApplyPlan(t.Context(), r)
		if err != nil {
			return reply{}, err
		}
		for {
			m, err := stream.Recv()
			if err != nil {
				return reply{}, err // io.EOF: it ends without a result
			}
			if res := m.GetResult(); res != nil {
				return reply{m.GetTransaction(), res.GetOutcome(), res}, nil
			}
		}
	}
	drift := func() {
		path := sortedKeys(c.descriptions(c.n.design.Device("leaf1")))[0]
		c.box("leaf1", map[string]string{path: "by hand"})
		c.stand(controller.Drifted, "leaf1")
	}
	for _, call := range []struct {
		name   string
		before func()
		call   func(key string) (reply, error)
		other  func(key string) (reply, error) // something else
	}{
		{
			"apply a plan", nil,
			func(key string) (reply, error) {
				return apply(&api.ApplyPlanRequest{Id: made.GetPlan().GetId(), Hash: made.GetPlan().GetHash(), Gate: durationpb.New(0), RequestId: key})
			},
			func(key string) (reply, error) {
				return apply(&api.ApplyPlanRequest{Id: made.GetPlan().GetId(), Hash: made.GetPlan().GetHash(), RequestId: key})
			},
		},
		{
			"revert drift", drift,
			func(key string) (reply, error) {
				m, err := devices.RevertDrift(t.Context(), &api.RevertDriftRequest{Topology: lab, Limit: "leaf1", RequestId: key})
				return reply{m.GetTransaction(), m.GetOutcome(), nil}, err
			},
			func(key string) (reply, error) {
				_, err := devices.RevertDrift(t.Context(), &api.RevertDriftRequest{Topology: lab, Limit: "leaf2", RequestId: key})
				return reply{}, err
			},
		},
		{
			"drain", nil,
			func(key string) (reply, error) {
				m, err := devices.DrainDevice(t.Context(), &api.DrainDeviceRequest{Topology: lab, Device: "leaf2", RequestId: key})
				return reply{m.GetTransaction(), m.GetOutcome(), nil}, err
			},
			func(key string) (reply, error) {
				_, err := devices.UndrainDevice(t.Context(), &api.UndrainDeviceRequest{Topology: lab, Device: "leaf2", RequestId: key})
				return reply{}, err
			},
		},
		{
			"undrain", nil,
			func(key string) (reply, error) {
				m, err := devices.UndrainDevice(t.Context(), &api.UndrainDeviceRequest{Topology: lab, Device: "leaf2", RequestId: key})
				return reply{m.GetTransaction(), m.GetOutcome(), nil}, err
			},
			func(key string) (reply, error) {
				_, err := devices.UndrainDevice(t.Context(), &api.UndrainDeviceRequest{Topology: lab, Device: "leaf1", RequestId: key})
				return reply{}, err
			},
		},
	} {
		if call.before != nil {
			call.before()
		}
		var both [2]reply
		var all sync.WaitGroup
		for i := range both {
			all.Go(func() {
				var err error
				if both[i], err = call.call(call.name); err != nil {
					t.Errorf("%s: %v", call.name, err)
				}
			})
		}
		all.Wait()
		if both[0].outcome != "done" || both[0].transaction == "" {
			t.Fatalf("%s: %+v", call.name, both[0])
		}
		sets := c.allSets()
		c.again()
		later, err := call.call(call.name)
		c.check(err)
		for _, again := range []reply{both[1], later} {
			if diff := cmp.Diff(both[0], again, cmp.AllowUnexported(reply{}), protocmp.Transform()); diff != "" {
				t.Errorf("%s: asked for again, it is answered otherwise:\n%s", call.name, diff)
			}
		}
		if n := c.allSets(); n != sets {
			t.Errorf("%s: asked for again, it sends %d Sets", call.name, n-sets)
		}
		if _, err := call.other(call.name); status.Code(err) != codes.AlreadyExists || !strings.Contains(status.Convert(err).Message(), "use another key") {
			t.Errorf("%s: another request with its key: %v", call.name, err)
		}
		c.stand(controller.InSync, sortedKeys(c.n.trees)...)
	}
	head, err := c.s.intents.Head(t.Context(), lab)
	c.check(err)
	if head.Number != 2 {
		t.Errorf("revision %d is intended; want 2", head.Number)
	}
	kept, err := c.s.store.Keys(t.Context(), answerKey(""))
	c.check(err)
	c.check(forgetAnswers(t.Context(), c.s.store, time.Now().Add(controller.RequestsLast-time.Minute)))
	still, err := c.s.store.Keys(t.Context(), answerKey(""))
	c.check(err)
	c.check(forgetAnswers(t.Context(), c.s.store, time.Now().Add(controller.RequestsLast)))
	none, err := c.s.store.Keys(t.Context(), answerKey(""))
	c.check(err)
	if len(kept) != 6 || len(still) != 6 || len(none) != 0 { // that of the files of the plan is one of them
		t.Errorf("%d answers are kept, %d for a day, %d after it; want 6, 6, 0", len(kept), len(still), len(none))
	}
}

// allSets is how many Sets devices have got.
func (c *cared) allSets() int {
	n := 0
	for name := range c.n.trees {
		n += c.setsOf(name)
	}
	return n
}

// A controller that dies when a transaction is over, and before it has kept where that has brought devices, finds it out: whatever the
// transaction was for, and where no revision tells it.
func TestWhatTheLastTransactionDidIsKnownAfterADeath(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	put := func(files string) *controller.Written {
		srcs, err := sources([]string{filepath.Join("testdata", files)})
		c.check(err)
		w, err := c.s.intents.Put(t.Context(), srcs, controller.Write{By: "test"})
		c.check(err)
		head, err := c.s.intents.Head(t.Context(), c.f.name)
		c.check(err)
		c.check(c.f.follow(t.Context(), head))
		return w
	}
	put("pair-bfd.yaml") // more is intended than devices have: what they are meant to have is told by no newest revision
	c.stand(controller.Pending, sortedKeys(c.n.trees)...)
	key := appliedKey(c.f.name, "leaf2")
	before, ok, err := c.s.store.Get(t.Context(), key)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	m, err := api.NewDeviceServiceClient(c.there).DrainDevice(t.Context(), &api.DrainDeviceRequest{Topology: c.f.name, Device: "leaf2"})
	if err != nil || m.GetOutcome() != "done" {
		t.Fatal(m, err)
	}
	c.stand(controller.Pending, "leaf2")
	meant, was := c.applied("leaf2"), c.standing("leaf2")
	if _, there, err := c.s.store.Get(t.Context(), aimKey(c.f.name)); there || err != nil {
		t.Errorf("what a transaction was about to do is kept, though it is done: %v", err)
	}
	c.check(c.f.stop())
	lost := aim{Transaction: m.GetTransaction(), Devices: map[string]standing{"leaf2": standingOf(meant)}}
	data, err := pack(lost)
	c.check(err)
	_, err = c.s.store.Commit(t.Context(), store.Tx{Put: map[string][]byte{key: before.Value, aimKey(c.f.name): data}})
	c.check(err)
	c.takeOn()
	c.stand(controller.Pending, sortedKeys(c.n.trees)...)
	if now := c.standing("leaf2"); now.Applied != was.Applied || now.Reason != was.Reason || now.Applied != 1 {
		t.Errorf("leaf2 is %+v, and was %+v", now, was)
	}
	if _, there, err := c.s.store.Get(t.Context(), aimKey(c.f.name)); there || err != nil {
		t.Errorf("it is kept still: %v", err)
	}
}

// How often drift was taken back unattended lasts over a restart, and so does of whom was told that they are left to people.
func TestWhatWasDoneUnattendedIsCountedOverARestart(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	_, err := c.s.SetPolicy(t.Context(), c.f.name, "", controller.Enforce, "test")
	c.check(err)
	path := sortedKeys(c.descriptions(c.n.design.Device("leaf1")))[0]
	c.box("leaf1", map[string]string{path: "by hand"})
	c.stand(controller.Drifted, "leaf1")
	c.stand(controller.InSync, "leaf1")
	c.s.unattended = 1
	c.again()
	e, err := c.f.enforcer(t.Context())
	c.check(err)
	if due, _, wait := e.Due([]controller.Candidate{{Device: "leaf2", Newest: time.Now().Add(-time.Minute)}}, time.Now()); len(due) > 0 || wait < 59*time.Minute {
		t.Errorf("with one change in an hour, and one made, %v are due, and more in %v", due, wait)
	}
	if e.Tries["leaf1"].Count != 1 {
		t.Errorf("%+v is remembered; want one try of leaf1", e.Enforced)
	}
	for range 2 { // told once
		c.check(c.f.giveUp(t.Context(), e, []string{"leaf1"}))
		e, err = c.f.enforcer(t.Context())
		c.check(err)
	}
	events, _, err := c.s.Events(t.Context(), 0)
	c.check(err)
	n := 0
	for _, e := range events {
		if strings.HasPrefix(e.Message, "left as it is") {
			n++
		}
	}
	if n != 1 || !slices.Equal(e.Left, []string{"leaf1"}) {
		t.Errorf("it is told %d times that %v are left", n, e.Left)
	}
}
