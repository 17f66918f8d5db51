package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// standing is what is kept of a device: what a transaction has brought it to.
//
//	applied/TOPOLOGY/DEVICE
type standing struct {
	Revision int64  `json:"revision"`
	Hash     string `json:"hash"` // of the configuration, as plans have it
}

func standingOf(t controller.Target) standing { return standing{t.Revision, plan.Hash(t.Tree)} }

func appliedKey(topology, device string) string { return "applied/" + topology + "/" + device }

// aim is what a transaction has devices be meant to have once it is done. It is kept with the first record of its journal, and goes when
// that is known of the devices: whoever carries the transaction out may die in between.
//
//	aims/TOPOLOGY
type aim struct {
	Transaction string              `json:"transaction"`
	Plan        string              `json:"plan,omitempty"` // that it carries out; empty: none that is kept
	Devices     map[string]standing `json:"devices"`
}

func aimKey(topology string) string { return "aims/" + topology }

// putApplied keeps what devices were brought to, and forgets that a transaction was about to do so, with the last of them.
func (f *fabricRun) putApplied(ctx context.Context, all map[string]standing, forget []string) error {
	parts := slices.Collect(slices.Chunk(sortedKeys(all), f.s.store.Operations()-1))
	for i, names := range parts {
		tx := store.Tx{If: []store.Condition{f.keep.lease.Condition()}, Put: map[string][]byte{}}
		for _, name := range names {
			data, err := pack(all[name])
			if err != nil {
				return err
			}
			tx.Put[appliedKey(f.name, name)] = data
		}
		if i == len(parts)-1 {
			tx.Delete = forget
		}
		if err := writesApplied.commit(ctx, f.s.store, tx); err != nil {
			return fmt.Errorf("%s: what devices were brought to: %w", f.name, err)
		}
	}
	return nil
}

// recallAim keeps what the last transaction has brought devices to, where whoever carried it out has died before that was known of
// them: what it did would be taken for what nobody intended.
func (f *fabricRun) recallAim(ctx context.Context) error {
	r, ok, err := f.s.store.Get(ctx, aimKey(f.name))
	if err != nil || !ok {
		return err
	}
	var a aim
	if err := unpack(r.Value, &a); err != nil {
		return fmt.Errorf("%s: %w", r.Key, err)
	}
	records, err := readRecords(ctx, f.s.store, a.Transaction)
	if err != nil || len(records) == 0 { // forgotten since
		return err
	}
	last, err := transaction.Replay(records)
	if err != nil {
		return fmt.Errorf("transaction %s: %w", a.Transaction, err)
	}
	if err := f.recallPlan(ctx, &a); err != nil {
		return err
	}
	res := last.Result()
	if res.Outcome == transaction.Done {
		return f.putApplied(ctx, a.Devices, []string{aimKey(f.name)})
	}
	f.left = map[string]string{}
	for name := range a.Devices {
		f.left[name] = leftBy(res, name)
	}
	return nil
}

// recallPlan keeps of a plan that it was carried out, if that is not known of it yet.
func (f *fabricRun) recallPlan(ctx context.Context, a *aim) error {
	if a.Plan == "" {
		return nil
	}
	p, err := f.s.Plan(ctx, a.Plan)
	switch {
	case errors.Is(err, controller.ErrNoPlan): // forgotten since
		return nil
	case err != nil || p.Transaction == a.Transaction:
		return err
	}
	p.Transaction = a.Transaction
	return f.s.putPlan(ctx, store.Tx{}, p, "is carried out by "+a.Transaction)
}

// leftBy says how a transaction left a device that is neither as before nor as planned; empty: it is one of these.
func leftBy(res transaction.Result, name string) string {
	status := res.Devices[name]
	if res.Outcome != transaction.Mixed || status == transaction.Restored || status == transaction.Waiting || status == "" {
		return ""
	}
	return fmt.Sprintf("transaction %s left it %s: %s", res.ID, status, res.Errors[name])
}

// during tells agents that a transaction changes their devices, and afterwards where it has brought them.
func (f *fabricRun) during(ctx context.Context, id string, to func(device string) controller.Target, names []string, do func() (transaction.Result, error)) (transaction.Result, error) {
	f.each(names, func(d *controller.Device, now time.Time) controller.News { return d.Begin(id, now) })
	res, err := do()
	arrived := err == nil && (res.Outcome == transaction.Done || res.Outcome == "") // of those that had it already nothing is said
	applied := map[string]standing{}
	for _, name := range names {
		t := to(name)
		f.each([]string{name}, func(d *controller.Device, now time.Time) controller.News {
			if why := leftBy(res, name); arrived {
				d.Have(t, now)
			} else if why != "" {
				d.Leave(why, now)
			}
			return d.End(now)
		})
		if arrived {
			applied[name] = standingOf(t)
		}
	}
	if arrived {
		err = errors.Join(err, f.putApplied(context.WithoutCancel(ctx), applied, []string{aimKey(f.name)}))
	}
	return res, err
}
