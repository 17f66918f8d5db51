//go:build crashpoints

package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/models/api"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"
)

// controllerDies kills `loom serve` at every point that it passes while it puts, plans and applies a topology, and at seeded ones of what
// else it does; and when nothing is under way.
func (k *kills) controllerDies(t *testing.T) {
	r := k.reign(t)
	if _, err := r.apply(plain, r.key()); err != nil {
		t.Fatal(err)
	}
	r.stands("in sync")
	points := slices.DeleteFunc(linesOf(r.path("log1")), func(point string) bool { return strings.HasPrefix(point, "controller findings") }) // see below
	now := plain
	other := func() state { return map[state]state{plain: bfd, bfd: plain}[now] }
	for _, point := range slices.Compact(slices.Sorted(slices.Values(points))) {
		to := other()
		r.dies(&act{
			name: "apply", to: k.states[to].trees, done: []string{"in sync"}, undone: []string{"in sync", "pending"}, brings: r.head,
			do: func(key string) (outcome, error) { return r.apply(to, key) },
		}, death{point, 1})
		r.stands("in sync")
		now = to
	}
	if now == bfd {
		if _, err := r.apply(plain, r.key()); err != nil {
			t.Fatal(err)
		}
		r.stands("in sync")
	}
	r.deathsOfReverts()
	r.deathsOfDrains()
	r.deathsOfRollbacks()
	r.deathsOfDecisions()
	r.deathsAtRest()
}

// byHand sets a description of a device, as somebody at the box would.
func (r *reign) byHand(device, text string) {
	r.Helper()
	path := "/interface[name=ethernet-1/49]/subinterface[index=0]/description"
	req := &gnmi.SetRequest{Replace: []*gnmi.Update{{Path: mustPath(path).GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: text}}}}}
	if err := r.sim.Device(device).Apply(req); err != nil {
		r.Fatal(err)
	}
}

// drifted tells whether the controller knows that a device has drifted, and has found it.
func (r *reign) drifted(device string) bool {
	m, err := r.happened().ListFindings(r.calls, &api.ListFindingsRequest{PageSize: 1000}, grpc.WaitForReady(true))
	found := slices.ContainsFunc(m.GetFindings(), func(f *api.Finding) bool {
		return slices.Contains(f.GetDevices(), device) && strings.Contains(f.GetKind(), "drift")
	})
	drifts, e := r.devices().ListDrift(r.calls, &api.ListDriftRequest{Topology: "pair", Limit: device})
	return err == nil && e == nil && found && len(drifts.GetDrifts()) == 1
}

func (r *reign) deathsOfReverts() {
	revert := &act{
		name: "revert", to: r.states[plain].trees, done: []string{"in sync"}, undone: []string{"drifted, in sync"},
		first: func() {
			r.byHand("leaf1", "by hand")
			r.until("leaf1 has drifted", func() bool { return r.drifted("leaf1") })
		},
		do: func(key string) (outcome, error) {
			m, err := r.devices().RevertDrift(r.calls, &api.RevertDriftRequest{Topology: "pair", Limit: "leaf1", RequestId: key}, grpc.WaitForReady(true))
			return outcome{m.GetTransaction(), m.GetOutcome()}, err
		},
	}
	for _, d := range []death{{"transaction send after", 1}, {"transaction write commit after", 1}, {"controller applied before", 1}} {
		r.dies(revert, d)
		r.stands("in sync")
	}
	// What somebody does by hand is found, and told of once, whenever the controller dies over it.
	for i, d := range []death{{"controller findings before", 1}, {"controller findings after", 1}, {"controller events after", 1}} {
		r.until("nothing is found", func() bool {
			return len(ask(r, r.happened().ListFindings, &api.ListFindingsRequest{}).GetFindings()) == 0
		})
		before := r.events()
		r.order(&d)
		r.byHand("leaf1", fmt.Sprintf("by hand, %d", i))
		r.fall("drift", d, errors.New("leaf1 drifts"))
		r.until("leaf1 has drifted", func() bool { return r.drifted("leaf1") })
		r.rest()
		came := 0
		for _, e := range r.told(before)[len(before):] {
			if e.GetKind() == "drift" && e.GetDevice() == "leaf1" {
				came++
			}
		}
		if came != 1 {
			r.Errorf("it is told %d times that leaf1 has drifted", came)
		}
		if _, err := revert.do(r.key()); err != nil {
			r.Error(err)
		}
		r.stands("in sync")
		r.fine("drift", d)
	}
}

func (r *reign) deathsOfDrains() {
	outcomeOf := func(transaction, how string, err error) (outcome, error) {
		if how == "" && err == nil {
			how = "done" // there was nothing to do
		}
		return outcome{transaction, how}, err
	}
	drain := &act{
		name: "drain", to: r.states[drained].trees, done: []string{"in sync"}, undone: []string{"in sync", "in sync, pending"},
		do: func(key string) (outcome, error) {
			m, err := r.devices().DrainDevice(r.calls, &api.DrainDeviceRequest{Topology: "pair", Device: "leaf2", RequestId: key}, grpc.WaitForReady(true))
			return outcomeOf(m.GetTransaction(), m.GetOutcome(), err)
		},
	}
	undrain := &act{
		name: "undrain", to: r.states[plain].trees, done: []string{"in sync"}, undone: []string{"in sync, pending"},
		do: func(key string) (outcome, error) {
			m, err := r.devices().UndrainDevice(r.calls, &api.UndrainDeviceRequest{Topology: "pair", Device: "leaf2", RequestId: key}, grpc.WaitForReady(true))
			return outcomeOf(m.GetTransaction(), m.GetOutcome(), err)
		},
	}
	r.dies(drain, death{"transaction write planned before", 1})
	r.stands("in sync")
	r.dies(undrain, death{"controller applied before", 1})
	r.stands("in sync")
	r.dies(drain, death{"transaction send after", 1})
	r.stands("in sync")
	for _, d := range []death{{"controller answer before", 1}, {"controller answer after", 1}} { // it is drained already
		key, before := r.key(), r.events()
		r.order(&d)
		_, err := drain.do(key)
		r.fall("answer", d, err)
		r.rest()
		if again, err := drain.do(key); err != nil || again != (outcome{how: "done"}) {
			r.Errorf("asked for again it is %+v, %v", again, err)
		}
		r.told(before)
		r.fine("answer", d)
	}
	if _, err := undrain.do(r.key()); err != nil {
		r.Fatal(err)
	}
	r.stands("in sync")
}

func (r *reign) deathsOfRollbacks() {
	before := r.stand()[0].GetAppliedRevision() // the one that has brought devices there
	for _, d := range []death{{"transaction write commit after", 1}, {"controller applied before", 1}} {
		if _, err := r.apply(bfd, r.key()); err != nil {
			r.Fatal(err)
		}
		r.stands("in sync")
		last := r.all().GetTransactions()[0].GetId()
		plans := map[string]*api.Plan{}
		r.dies(&act{
			name: "rollback", to: r.states[plain].trees, done: []string{"pending"}, undone: []string{"in sync"}, brings: func() int64 { return before },
			do: func(key string) (outcome, error) {
				if plans[key] == nil {
					m, err := r.done().RollbackTransaction(r.calls, &api.RollbackTransactionRequest{Id: last}, grpc.WaitForReady(true))
					if err != nil {
						return outcome{}, err
					}
					plans[key] = m.GetPlan()
				}
				return r.applies(plans[key], key)
			},
		}, d)
		if _, err := r.apply(plain, r.key()); err != nil {
			r.Fatal(err)
		}
		r.stands("in sync")
	}
}

// deathsOfDecisions are those over what people decide: it holds exactly if it is told of, and then it lasts.
func (r *reign) deathsOfDecisions() {
	enforce, on, viewer := false, false, false
	for _, c := range []struct {
		d    death
		do   func(to bool) error
		is   func() bool
		says func(to bool) string
		now  *bool
	}{
		{d: death{"controller policy before", 1}}, {d: death{"controller policy after", 1}}, {d: death{"controller maintenance before", 1}}, {d: death{"controller maintenance after", 1}},
		{d: death{"controller access before", 1}}, {d: death{"controller access after", 1}},
	} {
		leaf2 := func() *api.ManagedDevice {
			all := r.stand()
			return all[slices.IndexFunc(all, func(d *api.ManagedDevice) bool { return d.GetName() == "leaf2" })]
		}
		access := api.NewAccessServiceClient(r.there)
		bound := func() string { // the id of what ann may, or nothing
			for _, b := range ask(r, access.ListBindings, &api.ListBindingsRequest{}).GetBindings() {
				if b.GetSubject() == "certificate:ann" {
					return b.GetId()
				}
			}
			return ""
		}
		switch {
		case strings.Contains(c.d.point, "access"):
			c.now, c.is = &viewer, func() bool { return bound() != "" }
			c.says = func(to bool) string {
				return map[bool]string{true: "certificate:ann is viewer", false: "certificate:ann is viewer of everything no more"}[to]
			}
			c.do = func(to bool) error {
				if id := bound(); to != (id == "") {
					return nil
				} else if !to {
					_, err := access.DeleteBinding(r.calls, &api.DeleteBindingRequest{Id: id}, grpc.WaitForReady(true))
					return err
				}
				_, err := access.PutBinding(r.calls, &api.PutBindingRequest{Binding: &api.Binding{Subject: "certificate:ann", Role: "viewer"}}, grpc.WaitForReady(true))
				return err
			}
		case strings.Contains(c.d.point, "policy"):
			c.now, c.is = &enforce, func() bool { return leaf2().GetDriftPolicy() == api.DriftPolicy_DRIFT_POLICY_ENFORCE }
			c.says = func(to bool) string {
				return "policy for drift: " + map[bool]string{true: "enforce", false: "report"}[to]
			}
			c.do = func(to bool) error {
				p := map[bool]api.DriftPolicy{true: api.DriftPolicy_DRIFT_POLICY_ENFORCE, false: api.DriftPolicy_DRIFT_POLICY_REPORT}[to]
				_, err := r.devices().SetDriftPolicy(r.calls, &api.SetDriftPolicyRequest{Topology: "pair", Device: "leaf2", Policy: p}, grpc.WaitForReady(true))
				return err
			}
		default:
			c.now, c.is = &on, func() bool { return leaf2().GetMaintenance() != nil }
			c.says = func(to bool) string {
				return map[bool]string{true: "in maintenance by", false: "not in maintenance"}[to]
			}
			c.do = func(to bool) error {
				_, err := r.devices().SetMaintenance(r.calls, &api.SetMaintenanceRequest{Topology: "pair", Device: "leaf2", On: to}, grpc.WaitForReady(true))
				return err
			}
		}
		before, want := r.events(), !*c.now
		r.order(&c.d)
		r.fall("decision", c.d, c.do(want))
		r.rest()
		told := slices.ContainsFunc(r.told(before)[len(before):], func(e *api.Event) bool { return strings.HasPrefix(e.GetMessage(), c.says(want)) })
		if made := strings.HasSuffix(c.d.point, " after"); c.is() != (want == made) || told != made {
			r.Errorf("wanted %t: it is %t, and told %t", want, c.is(), told)
		}
		if err := c.do(want); err != nil || c.is() != want {
			r.Errorf("decided again: %v", err)
		}
		*c.now = want
		r.fine("decision", c.d)
	}
	// Drift that the policy has taken back: the transaction ends, and is not made a second time.
	if _, err := r.devices().SetMaintenance(r.calls, &api.SetMaintenanceRequest{Topology: "pair", Device: "leaf2"}); err != nil {
		r.Fatal(err)
	}
	if _, err := r.devices().SetDriftPolicy(r.calls, &api.SetDriftPolicyRequest{Topology: "pair", Device: "leaf2", Policy: api.DriftPolicy_DRIFT_POLICY_ENFORCE}); err != nil {
		r.Fatal(err)
	}
	before, known, sets, d := r.events(), len(r.all().GetTransactions()), r.sets(), death{"transaction write commit after", 1}
	r.from, r.to = maps.Clone(r.states[plain].trees), r.states[plain].trees
	r.order(&d)
	r.byHand("leaf2", "by hand")
	r.fall("enforce", d, errors.New("leaf2 drifts"))
	r.stands("in sync")
	r.judgeSets(sets, atTarget)
	r.told(before)
	if n := len(r.all().GetTransactions()) - known; n != 1 || r.places() != "" {
		r.Errorf("%d transactions, and devices are at %q", n, r.places())
	}
	r.fine("enforce", d)
}

// deathsAtRest are those when nothing is under way: all is as it was, and there is nothing to tell.
func (r *reign) deathsAtRest() {
	if _, err := r.devices().SetMaintenance(r.calls, &api.SetMaintenanceRequest{Topology: "pair", Device: "spine1", On: true, Reason: "new fan"}); err != nil {
		r.Fatal(err)
	}
	r.byHand("leaf1", "by hand, at last")
	r.until("leaf1 has drifted", func() bool { return r.drifted("leaf1") })
	if _, err := r.plans().CreatePlan(r.calls, &api.CreatePlanRequest{Topology: "pair"}); err != nil {
		r.Fatal(err)
	}
	so := r.events()
	token := ask(r, r.happened().ListEvents, &api.ListEventsRequest{After: so[len(so)-1].GetSequence()}).GetResumeToken()
	for range 2 {
		r.rest()
		before, events := r.whole(), r.events()
		r.die()
		r.begin()
		r.rest()
		diff, late := "", time.Now().Add(5*time.Second)
		r.until("all is as it was", func() bool {
			diff = cmp.Diff(before, r.whole(), protocmp.Transform())
			return diff == "" || time.Now().After(late)
		})
		if diff != "" {
			r.Errorf("after a death at rest this is different:\n%s", diff)
		}
		if now := r.told(events); len(now) != len(events) {
			r.Errorf("nothing has happened, and this is told: %v", now[len(events):])
		}
		r.fine("rest", death{})
	}
	if _, err := r.devices().SetMaintenance(r.calls, &api.SetMaintenanceRequest{Topology: "pair", Device: "spine1"}); err != nil {
		r.Fatal(err)
	}
	want := r.events()[len(so):]
	stream, err := r.happened().WatchEvents(r.calls, &api.WatchEventsRequest{ResumeToken: token})
	var got []*api.Event
	for err == nil && len(got) < len(want) {
		var m *api.WatchEventsResponse
		if m, err = stream.Recv(); m.GetEvent() != nil {
			got = append(got, m.GetEvent())
		}
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); err != nil || diff != "" {
		r.Errorf("who goes on behind a token from before two deaths: %v\n%s", err, diff)
	}
}
