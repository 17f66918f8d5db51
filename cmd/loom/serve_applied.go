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
	Hash     string `json:"hash"`              // of the configuration, as plans have it
	Failure  string `json:"failure,omitempty"` // how a transaction has left it since, if neither as before nor as planned
}

func standingOf(t controller.Target) standing {
	return standing{Revision: t.Revision, Hash: plan.Hash(t.Tree)}
}

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
	return f.land(ctx, a.Devices, last.Result())
}

// land keeps where a transaction that is over has brought devices, as it was to; or how it has left them.
func (f *fabricRun) land(ctx context.Context, aims map[string]standing, res transaction.Result) error {
	over := []string{aimKey(f.name)}
	switch res.Outcome {
	case transaction.Done, "": // of those that had it already nothing is said
		return f.putApplied(ctx, aims, over)
	case transaction.Mixed:
	default:
		return nil
	}
	left := map[string]standing{}
	for name := range aims {
		why := leftBy(res, name)
		if why == "" {
			continue
		}
		was, err := f.standingOf(ctx, name)
		if err != nil {
			return err
		}
		was.Failure = why
		left[name] = was
	}
	return f.putApplied(ctx, left, over)
}

// standingOf is what is kept of a device.
func (f *fabricRun) standingOf(ctx context.Context, name string) (standing, error) {
	var out standing
	r, ok, err := f.s.store.Get(ctx, appliedKey(f.name, name))
	if err == nil && ok {
		if err = unpack(r.Value, &out); err != nil {
			err = fmt.Errorf("%s: %w", r.Key, err)
		}
	}
	return out, err
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
	arrived := err == nil && (res.Outcome == transaction.Done || res.Outcome == "")
	aims := map[string]standing{}
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
		aims[name] = standingOf(t)
	}
	if arrived || res.Outcome == transaction.Mixed {
		err = errors.Join(err, f.land(context.WithoutCancel(ctx), aims, res))
	}
	return res, err
}

// brought is what a transaction has brought a device to.
type brought struct {
	controller.Target        // the zero value: it is not known
	failure           string // how one has left it since, if neither as before nor as planned
}

// appliedTargets are what transactions have brought devices to, as far as it can be computed again: configurations are not kept.
// newest is the newest revision, which most devices have.
func (f *fabricRun) appliedTargets(ctx context.Context, newest *network) (map[string]brought, error) {
	f.mu.Lock()
	first := len(f.agents) == 0
	f.mu.Unlock()
	if !first {
		return nil, nil
	}
	records, _, err := f.s.store.List(ctx, appliedKey(f.name, ""))
	if err != nil {
		return nil, err
	}
	out := map[string]brought{}
	networks := map[int64]*network{}
	for _, r := range records {
		var kept standing
		if err := unpack(r.Value, &kept); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Key, err)
		}
		name := r.Key[len(appliedKey(f.name, "")):]
		out[name] = brought{failure: kept.Failure}
		if t := newest.madeAs(name, kept.Hash); t != nil {
			out[name] = brought{controller.Target{Revision: kept.Revision, Tree: t}, kept.Failure}
			continue
		}
		n, known := networks[kept.Revision]
		if !known {
			if in, err := f.s.intents.At(ctx, f.name, kept.Revision); err == nil {
				if n, err = f.s.compile(in); err == nil {
					err = n.intendDrains(ctx, newJournal(f.keep), nil)
				}
				if err != nil {
					n = nil // this program makes something else of it, and so it is not known what the device should have
				}
			}
			networks[kept.Revision] = n
		}
		if n == nil {
			continue
		}
		if t := n.madeAs(name, kept.Hash); t != nil {
			out[name] = brought{controller.Target{Revision: kept.Revision, Tree: t}, kept.Failure}
		}
	}
	return out, nil
}

// What was told of a device is kept with the events that told it, so that a controller that begins anew tells only what is new.
//
//	told/TOPOLOGY/DEVICE  a controller.Told
func toldKey(topology, device string) string { return "told/" + topology + "/" + device }

// mostDrifts is how many drifts of a device are kept: with more of them all are told again by a controller that begins anew.
const mostDrifts = 2000

func keepable(t controller.Told) controller.Told {
	if len(t.Drifts) > mostDrifts {
		t.Drifts = nil
	}
	return t
}

// recallTold is what was told of devices before the controller began anew; nil: it did not.
func (f *fabricRun) recallTold(ctx context.Context) (map[string]*controller.Told, error) {
	f.mu.Lock()
	first := len(f.agents) == 0
	f.mu.Unlock()
	if !first {
		return nil, nil
	}
	prefix := toldKey(f.name, "")
	records, _, err := f.s.store.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	out := map[string]*controller.Told{}
	for _, r := range records {
		was := &controller.Told{}
		if err := unpack(r.Value, was); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Key, err)
		}
		out[r.Key[len(prefix):]] = was
	}
	return out, nil
}
