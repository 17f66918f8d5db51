package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/transaction"
)

// Devices implements controller.Operations. Of all topologies those are told that other replicas look after, too, as they have last said.
func (s *serving) Devices(ctx context.Context, topology, limit string) ([]controller.DeviceView, error) {
	if topology != "" {
		f, err := s.inCare(ctx, topology)
		if err != nil {
			return nil, err
		}
		return f.devices(ctx, limit)
	}
	s.mu.Lock()
	names := sortedKeys(s.fabrics)
	if s.replicas != nil {
		names = sortedKeys(s.minded)
	}
	s.mu.Unlock()
	var out []controller.DeviceView
	for _, name := range names {
		f, err := s.fabric(name)
		var some []controller.DeviceView
		switch {
		case err == nil:
			some, err = f.devices(ctx, limit)
		case s.replicas != nil:
			some, err = s.shown(ctx, name, limit)
		default: // it was there a moment ago
			err = nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// devices are those of the topology.
func (f *fabricRun) devices(ctx context.Context, limit string) ([]controller.DeviceView, error) {
	n, r := f.current()
	names, _, err := selectDevices(n.design, limit)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", controller.ErrInvalid, err)
	}
	drained := n.drained()
	policies, err := f.s.policies(ctx, f.name)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []controller.DeviceView
	for _, name := range names {
		if v, ok := f.view(n.design.Device(name), r); ok {
			v.Drained, v.Policy, v.Maintenance = drained[name], policies.Of(name), f.maintained(name)
			out = append(out, v)
		}
	}
	return out, nil
}

func (f *fabricRun) view(d *fabric.Device, r *resolver) (controller.DeviceView, bool) {
	f.mu.Lock()
	a := f.agents[d.Name]
	f.mu.Unlock()
	if a == nil {
		return controller.DeviceView{}, false
	}
	out := controller.DeviceView{Topology: f.name, Name: d.Name, Site: d.Site, Role: string(d.Role), Platform: d.Platform.Name, Release: d.Release}
	if t, err := r.target(d); err == nil {
		out.Address = t.Address
	}
	out.Standing, out.Received, out.Coalesced = a.standing()
	return out, true
}

// Revert implements controller.Operations.
func (s *serving) Revert(ctx context.Context, r controller.RevertRequest) (transaction.Result, error) {
	return s.once(ctx, r.Ask, func(controller.Step) {}, func(begun func()) (transaction.Result, error) {
		f, err := s.inCare(ctx, r.Topology)
		if err != nil {
			return transaction.Result{}, err
		}
		return f.revert(ctx, r, &task{ask: r.Ask, begun: func(string) { begun() }})
	})
}

// revert takes drifts back by a task that says what is kept with the transaction.
func (f *fabricRun) revert(ctx context.Context, r controller.RevertRequest, t *task) (transaction.Result, error) {
	if f.s.old != nil {
		return transaction.Result{}, fmt.Errorf("%s: %w", f.name, f.s.old)
	}
	if !f.changing.TryLock() {
		return transaction.Result{}, fmt.Errorf("%s: %w", f.name, errBusy)
	}
	defer f.changing.Unlock()
	ctx = context.WithoutCancel(ctx)
	newest, _ := f.current()
	names, _, err := selectDevices(newest.design, r.Limit)
	if err != nil {
		return transaction.Result{}, fmt.Errorf("%w: %w", controller.ErrInvalid, err)
	}
	n := *newest
	n.trees = maps.Clone(newest.trees)
	targets := map[string]controller.Target{}
	names, _ = f.leaveOut(names)
	for _, name := range names {
		t, want, err := f.without(name, r.IDs)
		if err != nil {
			return transaction.Result{}, err
		}
		if want != nil {
			n.trees[name], targets[name] = want, t
		}
	}
	if len(targets) == 0 {
		return transaction.Result{}, fmt.Errorf("%s: %w: there are no such drifts of devices that nobody works on", f.name, controller.ErrNotNow)
	}
	q := controller.PlanRequest{Topology: f.name, Limit: joinNames(targets)}
	p, devices, err := f.plan(ctx, &n, &q)
	if err != nil {
		return transaction.Result{}, err
	}
	defer closeAll(devices)
	o := f.options(&controller.Planned{Hash: p.Hash(), Request: q}, controller.ApplyRequest{By: r.By})
	for _, c := range p.RiskClasses() { // what is intended was approved when it was applied
		o.approved = append(o.approved, string(c))
	}
	t.network, t.plan, t.devices, t.to = &n, p, devices, func(name string) controller.Target { return targets[name] }
	return f.carryOut(ctx, t, o, func(controller.Step) {})
}

func joinNames(targets map[string]controller.Target) string {
	out := ""
	for i, name := range sortedKeys(targets) {
		if i > 0 {
			out += ","
		}
		out += name
	}
	return out
}

// without is what a device would have without some of its drifts, or without any where none are named, and what it is meant to have;
// nil where it has none of them.
func (f *fabricRun) without(name string, ids []string) (controller.Target, *config.Tree, error) {
	f.mu.Lock()
	a := f.agents[name]
	f.mu.Unlock()
	if a == nil {
		return controller.Target{}, nil, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, s := a.state.Applied(), a.state.Standing()
	some := slices.ContainsFunc(s.Drifts, func(d controller.Drift) bool { return len(ids) == 0 || slices.Contains(ids, d.ID) })
	switch {
	case !some:
		return t, nil, nil
	case len(ids) == 0:
		return t, t.Tree, nil
	}
	want, err := controller.Without(a.state.Owned(a.state.Has(), t.Tree), t.Tree, ids, name)
	if err != nil {
		return t, nil, fmt.Errorf("%w: %w", controller.ErrInvalid, err)
	}
	return t, want, nil
}
