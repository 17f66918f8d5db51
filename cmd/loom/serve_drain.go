package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
)

// task is what a request for a plan comes to, by what devices have now.
type task struct {
	network *network
	plan    *plan.Plan
	devices map[string]*live
	drains  *drainRequest                         // who is drained from then on; nil: nobody else
	to      func(device string) controller.Target // what devices are meant to have then

	planned string                   // id of the plan that is kept of it; empty: none
	ask     controller.Request       // that it comes to
	begun   func(transaction string) // its transaction is in the journal; nil: nobody wants to know
	along   map[string][]byte        // what is kept with the beginning of the journal
}

// hash is that of a task's plan; empty where there is nothing to do.
func (t *task) hash() string {
	if t.plan.Empty() {
		return ""
	}
	return t.plan.Hash()
}

// task finds out what a request comes to. Its devices have to be closed.
func (f *fabricRun) task(ctx context.Context, in *controller.Intent, r *controller.PlanRequest) (*task, error) {
	n, err := f.s.compile(in)
	switch {
	case err != nil:
		return nil, err
	case r.Undoes != "":
		return f.undo(ctx, n, r)
	case r.Draining != nil:
		return f.drain(ctx, n, r)
	}
	if err := n.intendDrains(ctx, newJournal(f.keep), nil); err != nil {
		return nil, err
	}
	p, devices, err := f.plan(ctx, n, r)
	if err != nil {
		return nil, err
	}
	to := func(name string) controller.Target {
		return controller.Target{Revision: in.Number, Tree: n.trees[name]}
	}
	return &task{network: n, plan: p, devices: devices, to: to}, nil
}

// drain is what it takes to move traffic away from devices, or to let them carry traffic again: nothing else on them changes.
func (f *fabricRun) drain(ctx context.Context, n *network, r *controller.PlanRequest) (*task, error) {
	d := r.Draining
	names, _, err := selectBy(n.design, "devices", d.Devices)
	if err == nil && d.Devices == "" {
		err = errors.New("devices: is empty; name those that are meant")
	}
	q := &drainRequest{undrain: d.Undrain, devices: names, why: d.Why, by: r.By}
	if err == nil && !d.Until.IsZero() {
		if q.span = time.Until(d.Until); q.span <= 0 {
			err = fmt.Errorf("until %s: that is over; name a later time", d.Until.Format(time.RFC3339))
		}
	}
	if err != nil {
		return nil, controller.Kind(controller.ErrInvalid, err)
	}
	if err := f.atWork(names); err != nil {
		return nil, err
	}
	bare := make(map[string]*config.Tree, len(names))
	for _, name := range names {
		bare[name] = n.trees[name]
	}
	if err := n.intendDrains(ctx, newJournal(f.keep), q); err != nil {
		return nil, controller.Kind(controller.ErrNotNow, err)
	}
	limited := *r
	limited.Limit = strings.Join(names, ",")
	p, devices, err := f.plan(ctx, n, &limited)
	if err != nil {
		return nil, err
	}
	targets := map[string]controller.Target{}
	for _, name := range names {
		t := f.appliedTo(name)
		if t.Tree, err = n.carrying(n.design.Device(name), cmp.Or(t.Tree, bare[name]), bare[name]); err != nil {
			closeAll(devices)
			return nil, err
		}
		targets[name] = t
	}
	return &task{network: n, plan: p, devices: devices, drains: q, to: func(name string) controller.Target { return targets[name] }}, nil
}

// carrying is what a device was meant to have, as its traffic is meant to go by now.
func (n *network) carrying(d *fabric.Device, was, bare *config.Tree) (*config.Tree, error) {
	drv := drivers[d.OS]
	out, err := drv.Undrain(was, bare, d)
	if err == nil && n.drained()[d.Name] {
		out, err = drv.Drain(out, d)
	}
	return out, err
}

// madeAs is what a network makes of a device that has a hash: as it is; or drained, where that is over and no change has ended it yet; or
// not drained, where no change has drained it yet. nil: none of them.
func (n *network) madeAs(name, hash string) *config.Tree {
	t := n.trees[name]
	if t == nil || plan.Hash(t) == hash {
		return t
	}
	if carried := n.carried[name]; carried != nil && plan.Hash(carried) == hash {
		return carried
	}
	d := n.design.Device(name)
	if out, err := drivers[d.OS].Drain(t, d); err == nil && plan.Hash(out) == hash {
		return out
	}
	return nil
}

// refresh has the agents follow what is intended by now, as who is drained has changed.
func (f *fabricRun) refresh(ctx context.Context) error {
	head, err := f.s.intents.Head(ctx, f.name)
	if err != nil {
		return err
	}
	return f.follow(ctx, head)
}
