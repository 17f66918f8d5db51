package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// Transactions implements controller.Transactions.
func (s *serving) Transactions(ctx context.Context, topology string) ([]controller.TransactionView, error) {
	ids, err := transactionIDs(ctx, s.store)
	if err != nil {
		return nil, err
	}
	var out []controller.TransactionView
	for _, id := range slices.Backward(ids) {
		a, err := s.account(ctx, id)
		if errors.Is(err, controller.ErrNoTransaction) { // forgotten since
			continue
		}
		if err != nil {
			return nil, err
		}
		if topology == "" || a.Topology == topology {
			out = append(out, *s.view(&a))
		}
	}
	return out, nil
}

// Transaction implements controller.Transactions.
func (s *serving) Transaction(ctx context.Context, id string) (*controller.TransactionView, error) {
	a, err := s.account(ctx, id)
	if err != nil {
		return nil, err
	}
	if where := s.replicas.elsewhere(a.Topology); where != nil && a.Outcome == "" { // who carries it out knows whether it waits
		return nil, where
	}
	return s.view(&a), nil
}

// account reads the journal of a transaction.
func (s *serving) account(ctx context.Context, id string) (account, error) {
	records, err := readRecords(ctx, s.store, id)
	if err == nil && len(records) == 0 {
		err = noSuch(ctx, s.store, id)
		return account{}, controller.Kind(controller.ErrNoTransaction, err)
	}
	if err != nil {
		return account{}, err
	}
	a, err := summarize(records)
	if err != nil {
		err = fmt.Errorf("%s: %w", id, err)
	}
	return a, err
}

func (s *serving) view(a *account) *controller.TransactionView {
	out := &controller.TransactionView{
		ID: a.ID, Topology: a.Topology, By: a.By, Plan: a.plan, Revision: a.revision, Undoes: a.Undoes, Began: a.Began, Ended: a.Ended, Phase: a.Phase,
		Outcome: a.Outcome, Why: a.Why, Devices: a.Devices, Errors: a.Errors,
	}
	for _, m := range a.Timeline {
		out.Timeline = append(out.Timeline, controller.Moment{At: m.At, Device: m.Device, Status: m.Status, Message: m.What})
	}
	if f, err := s.fabric(a.Topology); err == nil && a.Phase == transaction.Forward {
		if h := f.waits.Load(); h != nil && h.transaction == a.ID {
			out.HeldUntil = h.until
		}
	}
	return out
}

// hold is until when a transaction waits for somebody to say that all is well.
type hold struct {
	transaction string
	until       time.Time
}

// WatchTransaction implements controller.Transactions.
func (s *serving) WatchTransaction(ctx context.Context, id string, on func(controller.Moment) error, see func(controller.Progress) error) (*controller.TransactionView, error) {
	if a, err := s.account(ctx, id); err == nil && a.Outcome == "" {
		if where := s.replicas.elsewhere(a.Topology); where != nil { // who carries it out knows how far it is
			return nil, where
		}
	}
	told := 0
	drawn := time.NewTicker(drawEvery)
	defer drawn.Stop()
	var seen *look
	tell := func() (*controller.TransactionView, error) {
		a, err := s.account(ctx, id)
		if err != nil {
			return nil, err
		}
		v := s.view(&a)
		for ; told < len(v.Timeline); told++ {
			if err := on(v.Timeline[told]); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
	prefix := "transactions/" + id + "/"
	for {
		_, at, err := s.store.List(ctx, prefix)
		if err != nil {
			return nil, err
		}
		v, err := tell()
		if err != nil || v.Outcome != "" {
			return v, err
		}
		watching, cancel := context.WithCancel(ctx)
		changes := s.store.Watch(watching, prefix, at+1)
		for goes := true; goes; {
			select {
			case c, ok := <-changes:
				if goes = ok; !ok {
					break
				}
				if err = c.Err; err == nil {
					v, err = tell()
				}
			case <-drawn.C:
				if l := s.lookAt(v); l != nil && l != seen {
					seen = l
					err = see(controller.Progress{View: l.View, Gate: l.Gate})
				}
			}
			goes = goes && err == nil && v.Outcome == ""
		}
		cancel()
		switch {
		case errors.Is(err, store.ErrCompacted): // what was missed is in the journal
		case err != nil || v.Outcome != "":
			return v, err
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		}
	}
}

// lookAt is how a transaction stands that is carried out; nil: it is not, or nobody has looked yet.
func (s *serving) lookAt(v *controller.TransactionView) *look {
	f, err := s.fabric(v.Topology)
	if err != nil {
		return nil
	}
	if l := f.shown.Load(); l != nil && l.ID == v.ID {
		return l
	}
	return nil
}

// Prune implements controller.Transactions.
func (s *serving) Prune(ctx context.Context, r controller.PruneRequest) (controller.Pruned, error) {
	q := retention{topology: r.Topology, keep: r.Keep, older: r.Older, dry: r.DryRun}
	if q.keep == 0 && q.older == 0 {
		q.keep = defaultKeep
	}
	gone, err := prune(ctx, s.store, q, time.Now())
	return controller.Pruned{Transactions: gone.Transactions, Configurations: gone.Configurations, Kept: gone.Kept}, err
}

// Resume implements controller.Transactions.
func (s *serving) Resume(ctx context.Context, topology string) (*controller.TransactionView, error) {
	if s.old != nil {
		return nil, fmt.Errorf("%s: %w", topology, s.old)
	}
	if _, err := s.intents.Head(ctx, topology); err != nil {
		return nil, err
	}
	id, err := newJournal(&keeper{store: s.store, topology: topology}).unfinished(ctx)
	if err != nil {
		return nil, err
	}
	if where := s.replicas.elsewhere(topology); where != nil {
		return nil, where
	}
	f, err := s.fabric(topology)
	switch {
	case err != nil: // what cannot be ended keeps it from being taken into care
		err = s.tryNow(ctx, topology)
	case !f.changing.TryLock():
		return nil, controller.Kind(controller.ErrNotNow, fmt.Errorf("%s: a transaction changes its devices now; look with loom transactions watch --server", topology))
	default:
		defer f.changing.Unlock()
		err = f.endOpen(ctx)
	}
	if err != nil {
		return nil, controller.Kind(controller.ErrNotNow, err)
	}
	if id == "" {
		return nil, nil
	}
	return s.Transaction(ctx, id)
}

// tryNow has a topology taken into care now, and says what came of that.
func (s *serving) tryNow(ctx context.Context, name string) error {
	s.mu.Lock()
	before := s.tries[name]
	s.mu.Unlock()
	s.mind(name)
	for {
		s.mu.Lock()
		if s.told == nil {
			s.told = make(chan struct{})
		}
		told, tried := s.told, s.tries[name] > before
		s.mu.Unlock()
		if tried {
			_, err := s.fabric(name)
			return err
		}
		select {
		case <-told:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Decide implements controller.Transactions.
func (s *serving) Decide(ctx context.Context, id string, keep bool, by string) (*controller.TransactionView, error) {
	a, err := s.account(ctx, id)
	if err != nil {
		return nil, err
	}
	word, told := "confirm", "is well"
	if !keep {
		word, told = "cancel", "is to be taken back"
	}
	var open bool
	f, err := s.fabric(a.Topology)
	switch {
	case err == nil:
		running := f.runs.Load()
		open = running != nil && *running == id
	case s.replicas != nil && !errors.Is(err, controller.ErrNoTopology): // who looks after it knows
		return nil, err
	}
	if err := a.undecided(!open); err != nil {
		return nil, controller.Kind(controller.ErrNotNow, err)
	}
	if err := request(ctx, s.store, id, word, hearing); err != nil {
		return nil, controller.Kind(controller.ErrNotNow, fmt.Errorf("%s: %w", id, err))
	}
	s.note(controller.Event{Kind: controller.TransactionEvent, Topology: a.Topology, By: by, Subject: id, Message: "transaction " + id + " " + told})
	return s.Transaction(ctx, id)
}

// undo is what it takes to take a transaction back.
func (f *fabricRun) undo(ctx context.Context, n *network, r *controller.PlanRequest) (*task, error) {
	j := newJournal(f.keep)
	if err := n.intendDrains(ctx, j, nil); err != nil {
		return nil, err
	}
	_, resolver := f.current()
	u, err := j.undoing(ctx, resolver, r.Undoes)
	if err == nil && len(u.clashes) > 0 && !r.Overwrite {
		err = u.clashError()
	}
	if err == nil {
		err = f.atWork(u.names)
	}
	var p *plan.Plan
	if err == nil {
		p = u.plan(n)
		err = rolloutOf(r).onto(n, p, n.reach(resolver))
	}
	if err != nil {
		if u != nil {
			closeAll(u.devices)
		}
		return nil, controller.Kind(controller.ErrNotNow, err)
	}
	targets := map[string]controller.Target{}
	for _, name := range u.names {
		if targets[name], err = f.beforehand(ctx, u, name); err != nil {
			closeAll(u.devices)
			return nil, err
		}
	}
	return &task{network: n, plan: p, devices: u.devices, to: func(name string) controller.Target { return targets[name] }}, nil
}

// beforehand is what a device is meant to have once a transaction is taken back: what it had before it by the intent of then.
// What nobody intended stays drift.
func (f *fabricRun) beforehand(ctx context.Context, u *undoing, name string) (controller.Target, error) {
	out := controller.Target{Tree: u.wanted[name]}
	if now := f.appliedTo(name); now.Tree != nil {
		whole := func(c config.Cursor) bool { return c.Tree() == u.targets[name] }
		if t, err := config.Apply(now.Tree, config.SetRequest(u.targets[name], u.bases[name], whole)); err == nil {
			out.Tree = t
		}
	}
	var err error
	out.Revision, err = f.broughtBy(ctx, u.id, name, plan.Hash(out.Tree))
	return out, err
}

// broughtBy is the revision of the last transaction before another that brought a device to a configuration; 0: the journal has none.
func (f *fabricRun) broughtBy(ctx context.Context, before, device, hash string) (int64, error) {
	ids, err := transactionIDs(ctx, f.s.store)
	if err != nil {
		return 0, err
	}
	for _, id := range slices.Backward(ids) {
		if id >= before {
			continue
		}
		r, ok, err := f.s.store.Get(ctx, recordKey(id, 0))
		if err != nil {
			return 0, err
		}
		var first transaction.Record
		if ok {
			if err := unpack(r.Value, &first); err != nil {
				return 0, fmt.Errorf("transaction %s: %w", id, err)
			}
		}
		if first.Spec == nil || first.Spec.Topology != f.name || first.Spec.Revision == 0 {
			continue
		}
		if job := jobOf(first.Spec, device); job != nil && job.Places[len(job.Places)-1] == hash {
			return first.Spec.Revision, nil
		}
	}
	return 0, nil
}

// appliedTo is what a device is meant to have by what was done to it.
func (f *fabricRun) appliedTo(name string) controller.Target {
	f.mu.Lock()
	a := f.agents[name]
	f.mu.Unlock()
	if a == nil {
		return controller.Target{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.Applied()
}
