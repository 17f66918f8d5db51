package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// A drain that somebody has asked for is part of the intent: it is kept beside the topology, and what is planned
// for the device is its configuration with the traffic moved away.
//
//	drains/TOPOLOGY/DEVICE   plan.Out as JSON: who, since when, until when, why
func drainKey(topology, device string) string { return "drains/" + topology + "/" + device }

// readDrains reads the drains of a topology, sorted by device.
func readDrains(ctx context.Context, books ledger, topology string) ([]plan.Out, error) {
	list, _, err := books.List(ctx, drainKey(topology, ""))
	if err != nil {
		return nil, err
	}
	out := make([]plan.Out, len(list))
	for i, r := range list {
		if err := json.Unmarshal(r.Value, &out[i]); err != nil {
			return nil, fmt.Errorf("%s: %w; restore the store from a backup", r.Key, err)
		}
	}
	return out, nil
}

// markDrains makes the mark say whether anything is drained.
func (k *keeper) markDrains(ctx context.Context) error {
	if k.marks.drains == "" {
		return nil
	}
	all, _, err := k.store.List(ctx, "drains/")
	if err != nil {
		return err
	}
	return k.marks.drains.say(len(all) > 0)
}

// expect makes drains part of what is intended. A drain whose time is over is none.
func (n *network) expect(drains []plan.Out, now time.Time) error {
	for _, o := range drains {
		d := n.design.Device(o.Device)
		switch {
		case d == nil:
			continue // it has left the topology, and is left as it is
		case !o.Until.IsZero() && !now.Before(o.Until):
			o.Over = true
			n.over = append(n.over, o)
			continue
		}
		tree, err := drivers[d.OS].Drain(n.trees[o.Device], d)
		if err != nil {
			return err
		}
		if n.carried == nil {
			n.carried = map[string]*config.Tree{}
		}
		n.carried[o.Device], n.trees[o.Device] = n.trees[o.Device], tree
		n.out = append(n.out, o)
	}
	return nil
}

// drainAll has the network expect that the devices of a selector are drained.
func (n *network) drainAll(selector string) error {
	in, _, err := selectBy(n.design, "--drained", selector)
	if err != nil {
		return err
	}
	var drains []plan.Out
	for _, name := range in {
		drains = append(drains, plan.Out{Device: name})
	}
	return n.expect(drains, time.Time{})
}

// names are the devices of some drains.
func names(drains []plan.Out) []string {
	var out []string
	for _, o := range drains {
		out = append(out, o.Device)
	}
	return out
}

// drained are the devices that are expected to be drained.
func (n *network) drained() map[string]bool {
	out := map[string]bool{}
	for _, name := range names(n.out) {
		out[name] = true
	}
	return out
}

// drainer is what the driver of a device says about draining it.
func (n *network) drainer(name string) plan.Drainer {
	d := n.design.Device(name)
	drv := drivers[d.OS]
	return plan.Drainer{
		Drain:      func(t *config.Tree) (*config.Tree, error) { return drv.Drain(t, d) },
		Disruptive: drv.Disruptive,
		Dims:       drv.Dims,
		Stages: func(from, to *config.Tree) ([]driver.Stage, error) {
			if drv.Stages == nil {
				return nil, nil
			}
			return drv.Stages(from, to, d)
		},
	}
}

// keepAsIs plans nothing but the drain for a device, or its end: what else the topology asks for by now is for later.
func (n *network) keepAsIs(in *plan.Input) error {
	d, drv := n.design.Device(in.Device.Name), drivers[in.Device.OS]
	has := in.Scope.Owned(in.Running, in.Intended)
	tree, err := drv.Undrain(has, in.Intended, d)
	if err == nil && n.drained()[d.Name] {
		bare := tree
		if tree, err = drv.Drain(has, d); err == nil && tree == bare {
			err = fmt.Errorf("%s: has nothing that could be drained; is it Loom's already?", d.Name)
		}
	}
	if err != nil {
		return err
	}
	in.Later, in.Intended, in.Unknown = in.Intended, tree, nil
	return nil
}

// drainRequest changes who is drained, as part of a transaction. The nil one changes nothing.
type drainRequest struct {
	undrain  bool
	devices  []string
	span     time.Duration // 0: until it is undrained
	why      string
	by       string
	previous map[string][]byte // what the store had of the devices; nil: nothing
}

// among turns the drains that there are into those that are asked for, and tells for which devices something is.
func (q *drainRequest) among(drains []plan.Out, topology string, now time.Time) ([]plan.Out, map[string]bool, error) {
	if q == nil {
		return drains, nil, nil
	}
	q.previous = map[string][]byte{}
	asked := map[string]bool{}
	for _, name := range q.devices {
		key := drainKey(topology, name)
		asked[name] = true
		i := slices.IndexFunc(drains, func(o plan.Out) bool { return o.Device == name })
		if i >= 0 {
			q.previous[key] = encoded(drains[i])
		} else {
			q.previous[key] = nil
		}
		switch {
		case q.undrain && i < 0:
			return nil, nil, fmt.Errorf("%s: nobody has drained it", name)
		case q.undrain:
			drains = slices.Delete(slices.Clone(drains), i, i+1)
			continue
		case i < 0:
			drains = append(slices.Clip(drains), plan.Out{Device: name, Since: now.Truncate(time.Second)})
			i = len(drains) - 1
		default:
			drains = slices.Clone(drains)
		}
		o := &drains[i]
		o.By, o.Why, o.Until = q.by, q.why, time.Time{}
		if q.span > 0 {
			o.Until = now.Add(q.span)
		}
	}
	slices.SortFunc(drains, func(a, b plan.Out) int { return strings.Compare(a.Device, b.Device) })
	return drains, asked, nil
}

func encoded(o plan.Out) []byte {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err) // strings and times
	}
	return data
}

// intendDrains has the network expect the drains that are kept, as a request changes them.
func (n *network) intendDrains(ctx context.Context, j *journal, q *drainRequest) error {
	drains, err := readDrains(ctx, j.store, n.design.Name)
	if err != nil {
		return err
	}
	if err := j.markDrains(ctx); err != nil {
		return err
	}
	now := time.Now().UTC()
	drains, asked, err := q.among(drains, n.design.Name, now)
	if err != nil {
		return err
	}
	n.asIs = asked
	return n.expect(drains, now)
}

// during keeps the drains that are asked for while a change is made, takes them back where it is, and forgets
// those whose time is over once their devices carry traffic again. The intent is kept first: a run that ends early
// leaves what the next one goes on with.
func (n *network) during(ctx context.Context, j *journal, q *drainRequest, do func() (transaction.Result, error)) (transaction.Result, error) {
	if err := n.keepDrains(ctx, j, q); err != nil {
		return transaction.Result{}, err
	}
	res, err := do()
	after := context.WithoutCancel(ctx)
	switch res.Outcome {
	case transaction.Mixed, transaction.Interrupted:
		return res, err
	case transaction.Done:
	default:
		if err != nil {
			return res, errors.Join(err, q.takeBack(after, j))
		}
	}
	return res, errors.Join(err, n.forget(after, j))
}

func (n *network) keepDrains(ctx context.Context, j *journal, q *drainRequest) error {
	if q == nil {
		return nil
	}
	put := map[string][]byte{}
	for _, name := range q.devices {
		put[drainKey(n.design.Name, name)] = nil
		if i := slices.IndexFunc(n.out, func(x plan.Out) bool { return x.Device == name }); i >= 0 {
			put[drainKey(n.design.Name, name)] = encoded(n.out[i])
		}
	}
	return j.putDrains(ctx, put)
}

func (q *drainRequest) takeBack(ctx context.Context, j *journal) error {
	if q == nil {
		return nil
	}
	return j.putDrains(ctx, q.previous)
}

func (n *network) forget(ctx context.Context, j *journal) error {
	put := map[string][]byte{}
	for _, x := range n.over {
		put[drainKey(n.design.Name, x.Device)] = nil
	}
	if len(put) == 0 {
		return nil
	}
	return j.putDrains(ctx, put)
}

// putDrains writes drains, and deletes those without a value, while the lock on the fabric is held.
func (j *journal) putDrains(ctx context.Context, all map[string][]byte) error {
	tx := store.Tx{If: []store.Condition{j.lease.Condition()}, Put: map[string][]byte{}}
	for key, value := range all {
		if value == nil {
			tx.Delete = append(tx.Delete, key)
		} else {
			tx.Put[key] = value
		}
	}
	slices.Sort(tx.Delete)
	if len(tx.Put) > 0 { // rather there without a drain than a drain without it
		if err := j.marks.drains.say(true); err != nil {
			return err
		}
	}
	if _, err := j.store.Commit(ctx, tx); err != nil {
		return fmt.Errorf("drains: %w", err)
	}
	return j.markDrains(ctx)
}
