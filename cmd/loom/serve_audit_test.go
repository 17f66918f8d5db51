package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/audit"
	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
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

// What the API tells of the log can be checked by whoever has the public key, and nobody who is not known goes untold.
func TestTheAuditLogIsProvenOverTheAPI(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	log := api.NewAuditServiceClient(c.there)
	list := func() {
		t.Helper()
		if _, err := api.NewDeviceServiceClient(c.there).ListDevices(t.Context(), &api.ListDevicesRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		list()
	}
	c.calm()
	key, err := os.ReadFile(filepath.Join(c.s.dir, "pki", "audit.pub"))
	c.check(err)
	known, err := audit.Verifiers(string(key))
	c.check(err)
	first, err := log.GetCheckpoint(t.Context(), &api.GetCheckpointRequest{})
	c.check(err)
	older, err := audit.OpenCheckpoint(first.GetCheckpoint(), known)
	c.check(err)
	for range 9 {
		list()
	}
	c.calm()
	proof, err := log.GetProof(t.Context(), &api.GetProofRequest{Sequence: 3, OlderSize: older.Size})
	c.check(err)
	newest, err := audit.OpenCheckpoint(proof.GetCheckpoint(), known)
	c.check(err)
	hashes := func(of [][]byte) (out []tlog.Hash) {
		for _, h := range of {
			out = append(out, tlog.Hash(h))
		}
		return out
	}
	c.check(tlog.CheckRecord(hashes(proof.GetRecordProof()), newest.Size, newest.Root, 3, tlog.RecordHash(proof.GetRecord())))
	c.check(tlog.CheckTree(hashes(proof.GetTreeProof()), newest.Size, newest.Root, older.Size, older.Root))
	if tlog.CheckRecord(hashes(proof.GetRecordProof()), newest.Size, newest.Root, 4, tlog.RecordHash(proof.GetRecord())) == nil {
		t.Error("the proof of one record is one of another, too")
	}
	if _, err := log.GetEntry(t.Context(), &api.GetEntryRequest{Sequence: 1 << 40}); status.Code(err) != codes.NotFound {
		t.Errorf("a record that there is not: %v", err)
	}

	var got []int64
	r := &api.ListEntriesRequest{What: "ListDevices", Who: "admin", NewestFirst: true, PageSize: 4}
	for {
		m, err := log.ListEntries(t.Context(), r)
		c.check(err)
		for _, e := range m.GetEntries() {
			got = append(got, e.GetSequence())
		}
		if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
			break
		}
	}
	if len(got) != 14 || !slices.IsSortedFunc(got, func(a, b int64) int { return int(b - a) }) {
		t.Errorf("of 14 calls the log tells, the newest first: %v", got)
	}

	ca, err := os.ReadFile(c.there.context.CA)
	c.check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	nobody, err := grpc.NewClient(c.there.context.Server, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool})))
	c.check(err)
	defer nobody.Close()
	_, err = api.NewDeviceServiceClient(nobody).ListDevices(t.Context(), &api.ListDevicesRequest{})
	all := c.calm()
	last := all[len(all)-1]
	switch status.Code(err) {
	case codes.Unauthenticated: // the call came in, and somebody found that nobody is known to make it
		if last.Who.Name != "" || last.Outcome.Code != "Unauthenticated" || last.Who.Address == "" {
			t.Errorf("%+v", last)
		}
	case codes.Unavailable: // it never came in: without a certificate there is no connection
	default:
		t.Errorf("a call of nobody: %v", err)
	}
}
