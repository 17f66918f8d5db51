package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What somebody else has changed is listed, kept or taken back, one by one, over TLS as callers do it.
func TestDriftThroughTheAPI(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	ctx, devices := t.Context(), api.NewDeviceServiceClient(c.there)
	const port, instance, host = "/interface[name=ethernet-1/49]/subinterface[index=0]/description", "/network-instance[name=default]/description", "/system/name/host-name"
	c.box("leaf1", map[string]string{port: "rack 4", instance: "panel 2"})
	c.box("leaf2", map[string]string{host: "somebody"})
	c.stand(controller.Drifted, "leaf1", "leaf2")
	c.until(func() string { return fmt.Sprint(c.drifts(nil)) }, func() bool { return len(c.drifts(nil)) == 3 })

	all := c.drifts(nil)
	for i, want := range []*api.Drift{
		{Device: "leaf1", Change: &api.Change{Operation: api.Operation_OPERATION_CREATE, Path: port, New: "rack 4"}},
		{Device: "leaf1", Change: &api.Change{Operation: api.Operation_OPERATION_CREATE, Path: instance, New: "panel 2"}},
		{Device: "leaf2", Change: &api.Change{Operation: api.Operation_OPERATION_MODIFY, Path: host, Old: "leaf2", New: "somebody"}},
	} {
		got := all[i]
		if got.GetDevice() != want.GetDevice() || got.GetChange().String() != want.GetChange().String() || got.GetId() == "" || got.GetMaintenance() {
			t.Errorf("drift %d is %v, want %v with an id", i, got, want)
		}
		if age := time.Since(got.GetSince().AsTime()); age < 0 || age > time.Minute {
			t.Errorf("drift %d is there since %v ago", i, age)
		}
	}
	var paged []*api.Drift // one at a time
	for r := (&api.ListDriftRequest{Topology: c.f.name, PageSize: 1}); ; {
		m, err := devices.ListDrift(ctx, r)
		c.check(err)
		paged = append(paged, m.GetDrifts()...)
		if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
			break
		}
	}
	if fmt.Sprint(ids(paged)) != fmt.Sprint(ids(all)) {
		t.Errorf("by pages they are %v, at once %v", ids(paged), ids(all))
	}
	if some := c.drifts(&api.ListDriftRequest{Limit: "leaf2"}); len(some) != 1 || some[0].GetId() != all[2].GetId() {
		t.Errorf("of leaf2 there are %v", some)
	}

	for _, tt := range []struct {
		name string
		call func() error
		code codes.Code
		says string
	}{
		{"drift of a topology that is none", func() error { _, err := devices.ListDrift(ctx, &api.ListDriftRequest{Topology: "none"}); return err }, codes.NotFound, "none: no such topology"},
		{"ids and a selector", func() error {
			_, err := devices.RevertDrift(ctx, &api.RevertDriftRequest{Topology: c.f.name, Ids: ids(all), Limit: "leaf1"})
			return err
		}, codes.InvalidArgument, "limit: not with ids"},
		{"a drift that is none is not taken back", func() error {
			_, err := devices.RevertDrift(ctx, &api.RevertDriftRequest{Topology: c.f.name, Ids: []string{"none"}})
			return err
		}, codes.FailedPrecondition, "no such drift"},
		{"nor kept", func() error {
			_, err := devices.AcceptDrift(ctx, &api.AcceptDriftRequest{Topology: c.f.name, Ids: []string{"none"}})
			return err
		}, codes.InvalidArgument, "none"},
		{"nothing is kept", func() error {
			_, err := devices.AcceptDrift(ctx, &api.AcceptDriftRequest{Topology: c.f.name})
			return err
		}, codes.InvalidArgument, "ids: none"},
		{"a policy that is none", func() error {
			_, err := devices.SetDriftPolicy(ctx, &api.SetDriftPolicyRequest{Topology: c.f.name, Policy: 9})
			return err
		}, codes.InvalidArgument, "use REPORT or ENFORCE"},
		{"a policy of a device that is none", func() error {
			_, err := devices.SetDriftPolicy(ctx, &api.SetDriftPolicyRequest{Topology: c.f.name, Device: "leaf9", Policy: api.DriftPolicy_DRIFT_POLICY_REPORT})
			return err
		}, codes.NotFound, "leaf9"},
	} {
		if err := tt.call(); status.Code(err) != tt.code || !strings.Contains(status.Convert(err).Message(), tt.says) {
			t.Errorf("%s: %v, want %s and %q", tt.name, err, tt.code, tt.says)
		}
	}

	kept, err := devices.AcceptDrift(ctx, &api.AcceptDriftRequest{Topology: c.f.name, Ids: []string{all[1].GetId(), all[2].GetId()}})
	c.check(err)
	if !strings.Contains(kept.GetPatch(), `path: "`+instance+`", value: "panel 2"`) || len(kept.GetFiles()) != 1 || kept.GetImpossible()[all[2].GetId()] == "" || len(kept.GetImpossible()) != 1 {
		t.Errorf("to keep two of them: %v", kept)
	}
	back, err := devices.RevertDrift(ctx, &api.RevertDriftRequest{Topology: c.f.name, Ids: []string{all[0].GetId()}})
	c.check(err)
	if back.GetOutcome() != "done" || back.GetTransaction() == "" {
		t.Errorf("one is taken back: %v", back)
	}
	c.until(func() string { return fmt.Sprint(c.drifts(nil)) }, func() bool { return fmt.Sprint(ids(c.drifts(nil))) == fmt.Sprint(ids(all[1:])) })
	made, err := api.NewTransactionServiceClient(c.there).GetTransaction(ctx, &api.GetTransactionRequest{Id: back.GetTransaction()})
	c.check(err)
	if x := made.GetTransaction(); x.GetBy() != "admin" || len(x.GetDevices()) != 1 || x.GetDevices()["leaf1"] == "" {
		t.Errorf("by %s on %v, want admin on leaf1", x.GetBy(), x.GetDevices())
	}

	c.policy("leaf2", api.DriftPolicy_DRIFT_POLICY_REPORT, api.DriftPolicy_DRIFT_POLICY_REPORT)
	c.policy("", api.DriftPolicy_DRIFT_POLICY_ENFORCE, api.DriftPolicy_DRIFT_POLICY_ENFORCE)
	c.stand(controller.InSync, "leaf1") // nobody has asked for it
	if left := c.drifts(nil); len(left) != 1 || left[0].GetId() != all[2].GetId() {
		t.Errorf("what is reported is %v", left)
	}
	c.policy("leaf2", api.DriftPolicy_DRIFT_POLICY_UNSPECIFIED, api.DriftPolicy_DRIFT_POLICY_ENFORCE) // that of the topology
	c.stand(controller.InSync, "leaf2")
}

// drifts are those that the API lists; nil asks for all.
func (c *served) drifts(r *api.ListDriftRequest) []*api.Drift {
	c.Helper()
	if r == nil {
		r = &api.ListDriftRequest{}
	}
	r.Topology = c.f.name
	m, err := api.NewDeviceServiceClient(c.there).ListDrift(c.Context(), r)
	c.check(err)
	return m.GetDrifts()
}

func ids(all []*api.Drift) []string {
	var out []string
	for _, d := range all {
		out = append(out, d.GetId())
	}
	return out
}

// policy says what is to become of drift, and demands what the controller makes of that.
func (c *served) policy(device string, p, want api.DriftPolicy) {
	c.Helper()
	m, err := api.NewDeviceServiceClient(c.there).SetDriftPolicy(c.Context(), &api.SetDriftPolicyRequest{Topology: c.f.name, Device: device, Policy: p})
	c.check(err)
	if m.GetPolicy() != want {
		c.Errorf("%q: the policy is %s, want %s", device, m.GetPolicy(), want)
	}
	if device == "" {
		return
	}
	d, err := api.NewDeviceServiceClient(c.there).GetDevice(c.Context(), &api.GetDeviceRequest{Topology: c.f.name, Name: device})
	c.check(err)
	if got := d.GetDevice().GetDriftPolicy(); got != want {
		c.Errorf("%s: it shows the policy %s, want %s", device, got, want)
	}
}

// Nobody hears of a device that people work on. When they are done, what is wrong then is found, and only that.
func TestFindingsAfterMaintenance(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pair.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(read(t, "cmd/loom/testdata/pair.yaml"), "spines: {count: 1", "spines: {count: 2", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newServed(t, file)
	c.looked()
	cable := func(a, b string) string {
		i := slices.IndexFunc(c.sim.Cables(), func(x string) bool { return strings.Contains(x, a+":") && strings.Contains(x, b+":") })
		return c.sim.Cables()[i]
	}
	before, during, other := cable("leaf1", "spine1"), cable("leaf1", "spine2"), cable("leaf2", "spine2")
	down := func(cable string) string { return "interface-down/" + object(cable) }
	maintain := func(on bool, why string) {
		t.Helper()
		_, err := api.NewDeviceServiceClient(c.there).SetMaintenance(t.Context(), &api.SetMaintenanceRequest{Topology: c.f.name, Device: "leaf1", On: on, Reason: why})
		c.check(err)
	}

	c.check(c.sim.Cut(before, true))
	c.finds(down(before))
	maintain(true, "new fan")
	c.finds()
	c.check(c.sim.Cut(before, false))
	c.check(c.sim.Cut(during, true))
	c.check(c.sim.Cut(other, true))
	c.finds(down(other))
	ended := time.Now()
	maintain(false, "")
	got := c.finds(down(during), down(other))
	if got[0].GetSince().AsTime().Before(ended) {
		t.Errorf("found %v; while people worked on leaf1 it was no finding", got[0])
	}
	c.check(c.sim.Cut(during, false))
	c.check(c.sim.Cut(other, false))
	c.finds()
}
