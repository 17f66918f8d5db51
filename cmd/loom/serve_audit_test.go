package main

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/audit"
)

// calm waits until all that was written for the audit log is in it, and returns its entries.
func (c *cared) calm() []audit.Entry {
	c.Helper()
	c.check(c.s.audit.flush(context.Background()))
	c.until(func() string { return "the audit log takes what is queued" }, func() bool {
		queue, _, err := c.s.store.List(context.Background(), queuePrefix)
		c.check(err)
		return len(queue) == 0
	})
	report, err := verifyAudit(context.Background(), c.s.store, filepath.Join(c.s.dir, "pki", "audit.pub"), nil)
	c.check(err)
	for _, f := range report.Faults {
		c.Errorf("the audit log: %v", f)
	}
	return auditIn(c, c.s.store)
}

// The audit log tells of each call by whom it was made and what came of it: of one that changes something before that is begun, and of
// each Set that it leads to.
func TestTheAuditLogTellsOfCallsAndSets(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	c.sim.Record(nil, 1<<20)
	before := len(c.calm())
	plans, lab := api.NewPlanServiceClient(c.there), c.f.name
	_, err := api.NewDeviceServiceClient(c.there).GetDevice(t.Context(), &api.GetDeviceRequest{Topology: lab, Name: "leaf1"})
	c.check(err)
	if _, err := plans.GetPlan(t.Context(), &api.GetPlanRequest{Id: "plan-none"}); err == nil {
		t.Fatal("there is a plan that nobody has made")
	}
	made, err := plans.CreatePlan(t.Context(), &api.CreatePlanRequest{Files: []*api.File{{Name: "pair.yaml", Data: []byte(read(t, "cmd/loom/testdata/pair-bfd.yaml"))}}})
	c.check(err)
	id, hash := made.GetPlan().GetId(), made.GetPlan().GetHash()
	stream, err := plans.ApplyPlan(t.Context(), &api.ApplyPlanRequest{Id: id, Hash: hash})
	c.check(err)
	var transaction string
	for m, err := stream.Recv(); err == nil; m, err = stream.Recv() {
		transaction = m.GetTransaction()
	}
	all := c.calm()[before:]

	type told struct {
		What    string
		Stage   audit.Stage
		Subject audit.Subject
		Code    string
	}
	const of, plan = "/loom.v1.DeviceService/", "/loom.v1.PlanService/"
	want := []told{
		{of + "GetDevice", audit.Whole, audit.Subject{Topology: lab, Device: "leaf1"}, "OK"},
		{plan + "GetPlan", audit.Whole, audit.Subject{Plan: "plan-none"}, "NotFound"},
		{plan + "CreatePlan", audit.Before, audit.Subject{}, ""},
		{plan + "CreatePlan", audit.After, audit.Subject{}, "OK"},
		{plan + "ApplyPlan", audit.Before, audit.Subject{Plan: id, PlanHash: hash}, ""},
		{plan + "ApplyPlan", audit.After, audit.Subject{Plan: id, PlanHash: hash}, "OK"},
	}
	var got []told
	sets := map[string]int{}
	for i, e := range all {
		if e.What != audit.Set {
			got = append(got, told{e.What, e.Stage, e.Subject, e.Outcome.Code})
			if e.Who.Name != "admin" || e.Who.Credential != "certificate" || e.Who.Address == "" || e.Replica == "" || (e.Stage != audit.After) != (e.Digest != "") {
				t.Errorf("%+v", e)
			}
			continue
		}
		if e.Subject.Transaction == "" { // it is asked whether devices have timers
			continue
		}
		if e.Stage == audit.Before {
			sets[e.Subject.Device+" "+e.Subject.Operation]++
		}
		if e.Who.Name != "admin" || e.Subject.Transaction != transaction || e.Subject.PlanHash != hash || e.Subject.Topology != lab {
			t.Errorf("%+v, of transaction %s", e, transaction)
		}
		begun := slices.IndexFunc(all, func(e audit.Entry) bool { return e.What == plan+"ApplyPlan" })
		over := slices.IndexFunc(all, func(e audit.Entry) bool { return e.What == plan+"ApplyPlan" && e.Stage == audit.After })
		if begun > i || over < i {
			t.Errorf("%+v is at %d, and what it was sent for at %d to %d", e, i, begun, over)
		}
	}
	slices.SortStableFunc(got, func(a, b told) int { // of a read it is told a little later
		return slices.IndexFunc(want, func(w told) bool { return w.What == a.What }) - slices.IndexFunc(want, func(w told) bool { return w.What == b.What })
	})
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, name := range sortedKeys(c.n.trees) {
		for _, op := range []string{"set", "confirm", "save"} {
			if sets[name+" "+op] != 1 {
				t.Errorf("%s: %d of %s, want 1", name, sets[name+" "+op], op)
			}
		}
	}
	seen, err := c.sim.Journal()
	c.check(err)
	seenAndTold(t, seen, all)
}
