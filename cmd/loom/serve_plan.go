package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// fabric is a topology in care. Errors: *controller.ElsewhereError.
func (s *serving) fabric(name string) (*fabricRun, error) {
	elsewhere := s.replicas.elsewhere(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fabrics[name]
	if f != nil && s.replicas != nil && !f.keep.lease.Fresh() {
		f = nil // another may have it
	}
	if f == nil {
		if elsewhere != nil {
			return nil, elsewhere
		}
		why := s.without[name]
		if (why == nil || why == errNotYet) && s.minded[name] != nil && s.replicas.free(name) {
			return nil, fmt.Errorf("%s: no replica looks after it at this moment: %w", name, controller.ErrMoving)
		}
		if why != nil {
			return nil, fmt.Errorf("%s: %w: %w", name, controller.ErrNotNow, why)
		}
		return nil, fmt.Errorf("%s: %w", name, controller.ErrNoTopology)
	}
	return f, nil
}

// CreatePlan implements controller.Operations.
func (s *serving) CreatePlan(ctx context.Context, r controller.PlanRequest) (*controller.Planned, error) {
	end, err := s.turn(ctx, r.Ask)
	if err != nil {
		return nil, err
	}
	defer end()
	if old, ok, err := s.answered(ctx, r.Ask); ok || err != nil {
		if err != nil {
			return nil, err
		}
		return s.Plan(ctx, old.Plan)
	}
	in, f, err := s.planned(ctx, &r)
	if err != nil {
		return nil, err
	}
	t, err := f.task(ctx, in, &r)
	if err != nil {
		return nil, err
	}
	defer closeAll(t.devices)
	p := t.plan
	if err := probe(ctx, p, t.devices); err != nil {
		return nil, err
	}
	if !p.Empty() {
		p.Weaker = weaker(p, t.devices, s.store.Shared())
	}
	out := &controller.Planned{ID: "plan-" + newNumber(), Topology: r.Topology, Revision: in.Number, At: time.Now().UTC(), By: r.By, Request: r, Plan: p, Hash: t.hash()}
	if err := s.describe(out); err != nil {
		return nil, err
	}
	r.Ask.Plan, r.Ask.At = out.ID, out.At
	tx := store.Tx{}
	if err := answerIn(ctx, s.store, &tx, r.Ask); err != nil {
		return nil, err
	}
	return out, s.putPlan(ctx, tx, out, "planned")
}

// planned is what a plan is for: a revision, or files that nobody has put. A topology that is new has to be put first.
func (s *serving) planned(ctx context.Context, r *controller.PlanRequest) (*controller.Intent, *fabricRun, error) {
	if r.Undoes != "" {
		a, err := s.account(ctx, r.Undoes)
		if err != nil {
			return nil, nil, err
		}
		r.Topology = a.Topology
	}
	if len(r.Files) == 0 {
		in, err := s.intents.At(ctx, r.Topology, r.Revision)
		if err != nil {
			return nil, nil, err
		}
		r.Revision = in.Number
		f, err := s.inCare(ctx, r.Topology)
		return in, f, err
	}
	in := &controller.Intent{Files: r.Files}
	topo, diags := in.Expand()
	if diags.HasErrors() {
		return nil, nil, &controller.InvalidError{Diagnostics: diags}
	}
	name := topo.Intent.GetName()
	if r.Topology != "" && r.Topology != name {
		return nil, nil, fmt.Errorf("topology %s: %w: its files are those of %s", r.Topology, controller.ErrInvalid, name)
	}
	r.Topology = name
	f, err := s.inCare(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	head, err := s.intents.Head(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	in.Revision = controller.Revision{Topology: name, Number: head.Number}
	r.Revision = head.Number
	return in, f, nil
}

// plan compares what a network wants with what devices run.
func (f *fabricRun) plan(ctx context.Context, n *network, r *controller.PlanRequest) (*plan.Plan, map[string]*live, error) {
	names, skipped, err := selectDevices(n.design, r.Limit)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", controller.ErrInvalid, err)
	}
	names, leftOut := f.leaveOut(names)
	devices, err := f.borrow(ctx, n, names)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", controller.ErrNotNow, err)
	}
	p, err := n.planDevices(ctx, names, devices)
	if err == nil {
		p.Limit, p.Skipped, p.LeftOut = r.Limit, skipped, leftOut
		_, resolver := f.current()
		err = rolloutOf(r).onto(n, p, n.reach(resolver))
	}
	if err != nil {
		closeAll(devices)
		return nil, nil, err
	}
	return p, devices, nil
}

func rolloutOf(r *controller.PlanRequest) *rollout {
	return &rollout{canary: r.Canary, waves: r.Waves, soak: r.Soak, drain: cmp.Or(r.Drain, string(plan.DrainAuto)), window: defaultWindow, maxDevices: plan.DefaultMaxDevices}
}

// describe writes a plan down as `loom plan` prints it.
func (s *serving) describe(p *controller.Planned) error {
	var text, data strings.Builder
	if err := p.Plan.Text(&text, plan.Style{Lines: maxLines}); err != nil {
		return err
	}
	if err := p.Plan.JSON(&data); err != nil {
		return err
	}
	p.Text, p.JSON = text.String(), []byte(data.String())
	return nil
}

// numberLayout is how a number tells when it was made (UTC).
const numberLayout = "20060102-150405.000"

// newNumber tells what is made from what was made before, in the order of time.
func newNumber() string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails
	return time.Now().UTC().Format(numberLayout) + "-" + hex.EncodeToString(b[:])
}

func planKey(id string) string { return "plans/" + id }

// putPlan keeps one, with what else is in a transaction of the store and with an event.
func (s *serving) putPlan(ctx context.Context, tx store.Tx, p *controller.Planned, what string) error {
	data, err := pack(p)
	if err == nil {
		err = tellIn(&tx, controller.Event{At: time.Now().UTC(), Kind: controller.PlanEvent, Topology: p.Topology, By: p.By, Subject: p.ID, Revision: p.Revision,
			Message: "plan " + p.ID + " " + what})
	}
	if err == nil {
		tx.Put[planKey(p.ID)] = data
		err = writesPlan.commit(ctx, s.store, tx)
	}
	if err != nil {
		return fmt.Errorf("plan %s: %w", p.ID, err)
	}
	return nil
}

// Plan implements controller.Operations.
func (s *serving) Plan(ctx context.Context, id string) (*controller.Planned, error) {
	r, ok, err := s.store.Get(ctx, planKey(id))
	if err == nil && !ok {
		err = s.noPlan(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	return readPlan(r)
}

func readPlan(r store.Record) (*controller.Planned, error) {
	p := &controller.Planned{}
	if err := unpack(r.Value, p); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Key, err)
	}
	var err error
	p.Plan, err = plan.ReadJSON(p.JSON)
	return p, err
}

// Plans implements controller.Operations.
func (s *serving) Plans(ctx context.Context, topology string) ([]*controller.Planned, error) {
	records, _, err := s.store.List(ctx, planKey(""))
	if err != nil {
		return nil, err
	}
	var out []*controller.Planned
	for _, r := range slices.Backward(records) {
		p, err := readPlan(r)
		if err != nil {
			return nil, err
		}
		if topology == "" || p.Topology == topology {
			out = append(out, p)
		}
	}
	return out, nil
}

// Approve implements controller.Operations.
func (s *serving) Approve(ctx context.Context, id, hash string, classes []string, by string) (*controller.Planned, error) {
	for {
		p, err := s.approve(ctx, id, hash, classes, by)
		if !errors.Is(err, store.ErrConflict) { // somebody else approves it, too
			return p, err
		}
	}
}

func (s *serving) approve(ctx context.Context, id, hash string, classes []string, by string) (*controller.Planned, error) {
	r, ok, err := s.store.Get(ctx, planKey(id))
	if err == nil && !ok {
		err = s.noPlan(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	p, err := readPlan(r)
	if err != nil {
		return nil, err
	}
	if p.Hash != hash || hash == "" {
		return nil, fmt.Errorf("plan %s: %w: its hash is %q", id, controller.ErrStale, p.Hash)
	}
	for _, c := range classes {
		if !slices.Contains(classNames(), c) {
			return nil, fmt.Errorf("%q: %w: no class of risks; classes are %s", c, controller.ErrInvalid, strings.Join(classNames(), ", "))
		}
	}
	if err := s.own(ctx, p, classes, by); err != nil {
		return nil, err
	}
	p.Approvals = append(p.Approvals, controller.Approval{By: by, At: time.Now().UTC(), Classes: classes, Hash: hash})
	defer s.followers.stir()
	return p, s.putPlan(ctx, store.Tx{If: []store.Condition{store.Unchanged(r)}}, p, "has "+strings.Join(classes, ", ")+" approved")
}

// Apply implements controller.Operations.
func (s *serving) Apply(ctx context.Context, r controller.ApplyRequest, tell func(controller.Step)) (transaction.Result, error) {
	res, err := s.once(ctx, r.Ask, tell, func(begun func()) (transaction.Result, error) {
		p, err := s.Plan(ctx, r.Plan)
		if err != nil {
			return transaction.Result{}, err
		}
		if p.Hash == "" && p.Request.Draining == nil || p.Hash != r.Hash {
			return transaction.Result{}, fmt.Errorf("plan %s: %w: its hash is %q", r.Plan, controller.ErrStale, p.Hash)
		}
		f, err := s.inCare(ctx, p.Topology)
		if err != nil {
			return transaction.Result{}, err
		}
		return f.apply(ctx, p, r, begun, tell)
	})
	if err == nil && res.ID != "" && res.Weaker == nil { // by its journal; which guarantees are weaker the plan says
		if p, err := s.Plan(ctx, r.Plan); err == nil {
			res.Weaker = p.Plan.Weaker
		}
	}
	return res, err
}

// errBusy: a fabric is changed already. It is a controller.ErrNotNow.
var errBusy = fmt.Errorf("%w: another transaction changes its devices; wait until that is over", controller.ErrNotNow)

// apply plans once more, and carries that out if it comes to the same.
func (f *fabricRun) apply(ctx context.Context, p *controller.Planned, r controller.ApplyRequest, begun func(), tell func(controller.Step)) (transaction.Result, error) {
	if f.s.old != nil {
		return transaction.Result{}, fmt.Errorf("%s: %w", f.name, f.s.old)
	}
	if !f.changing.TryLock() {
		return transaction.Result{}, fmt.Errorf("%s: %w", f.name, errBusy)
	}
	defer f.changing.Unlock()
	ctx = context.WithoutCancel(ctx) // who asked may go away
	if len(p.Request.Files) > 0 {
		// With a key, as the controller may die before it has changed a device, and be asked again.
		w := controller.Write{By: r.By, Message: "plan " + p.ID, Expected: &p.Revision, Key: "files of " + p.ID}
		done, err := f.s.intents.Put(ctx, p.Request.Files, w)
		if err != nil {
			return transaction.Result{}, err
		}
		p.Request.Files, p.Revision, p.Request.Revision = nil, done.Revision.Number, done.Revision.Number
	}
	in, err := f.s.intents.At(ctx, f.name, p.Revision)
	if err != nil {
		return transaction.Result{}, err
	}
	t, err := f.task(ctx, in, &p.Request)
	if err != nil {
		return transaction.Result{}, err
	}
	defer closeAll(t.devices)
	if t.hash() != p.Hash {
		return transaction.Result{}, fmt.Errorf("plan %s: %w", p.ID, controller.ErrStale)
	}
	t.ask, t.planned = r.Ask, p.ID
	t.begun = func(id string) {
		begun()
		p.Transaction = id
		if err := f.s.putPlan(ctx, store.Tx{}, p, "is carried out by "+id); err != nil { // the next start finds out
			f.s.log.Error("not kept of the plan that it is carried out", "topology", f.name, "error", err)
		}
	}
	o := f.options(p, r)
	if o.approved, err = f.s.approvedOf(ctx, p); err != nil {
		return transaction.Result{}, err
	}
	return f.carryOut(ctx, t, o, tell)
}

// carryOut carries out a task whose plan was just made.
func (f *fabricRun) carryOut(ctx context.Context, t *task, o *applyOptions, tell func(controller.Step)) (transaction.Result, error) {
	var id string
	o.began = func(transaction string) {
		id = transaction
		f.runs.Store(&id)
		f.acts()
		f.logBegun(id, o.by, len(t.plan.Devices))
		tell(controller.Step{Transaction: id, At: time.Now()})
	}
	o.shows = func(l look) { f.shown.Store(&l) }
	waves, began := waveClock{}, time.Now()
	o.hear = func(e transaction.Event) {
		waves.hear(e)
		tell(controller.Step{Transaction: id, At: time.Now(), Event: &e})
	}
	o.waits = func(until time.Time) {
		f.waits.Store(&hold{id, until})
		tell(controller.Step{Transaction: id, At: time.Now(), HeldUntil: until})
	}
	o.drains = t.drains
	o.with = func(id string) (*companion, error) { return f.companion(ctx, t, o, id) }
	defer f.s.followers.stir() // what waits for the devices goes on
	defer f.runs.Store(nil)
	defer f.waits.Store(nil)
	out := applied{Plan: t.plan}
	_, resolver := f.current()
	res, err := f.during(ctx, "under way", t.to, sortedKeys(t.devices), func() (transaction.Result, error) {
		err := o.change(ctx, nowhere(), &site{t.network, resolver, newJournal(f.keep)}, &out, t.devices)
		if t.drains != nil || len(t.network.over) > 0 { // what is intended is another thing now
			if err := f.refresh(context.WithoutCancel(ctx)); err != nil {
				f.s.log.Error("not followed", "topology", f.name, "error", err)
			}
		}
		if out.Result == nil && err != nil {
			return transaction.Result{}, controller.Kind(controller.ErrNotNow, err)
		}
		if out.Result == nil {
			return transaction.Result{}, nil
		}
		return *out.Result, err
	})
	if out.Result != nil {
		f.s.measures.ended(f.name, res.Outcome, time.Since(began), waves)
		f.logEnded(res, time.Since(began))
		if res.Outcome == transaction.Interrupted {
			f.s.note(f.ended(o, res.ID, time.Now(), res.Outcome)) // which its journal does not say
		}
		if errors.As(err, new(exit)) { // the result says it
			err = nil
		}
	}
	return res, err
}

// companion is what is written with the journal of a transaction: where it is to bring devices, what was asked for, and how it ended.
func (f *fabricRun) companion(ctx context.Context, t *task, o *applyOptions, id string) (*companion, error) {
	a := aim{Transaction: id, Plan: t.planned, Devices: map[string]standing{}}
	for name := range t.devices {
		a.Devices[name] = standingOf(t.to(name))
	}
	data, err := pack(a)
	if err != nil {
		return nil, err
	}
	tx := store.Tx{Put: map[string][]byte{aimKey(f.name): data}}
	maps.Copy(tx.Put, t.along)
	t.ask.Transaction, t.ask.At = id, time.Now().UTC()
	if err := answerIn(ctx, f.s.store, &tx, t.ask); err != nil {
		return nil, err
	}
	kept := func() {
		if t.begun != nil {
			t.begun(id)
		}
	}
	return &companion{put: tx.Put, when: tx.If, kept: kept, ends: func(r transaction.Record) []controller.Event {
		return []controller.Event{f.ended(o, id, r.At, r.Outcome)}
	}}, nil
}

// ended tells how a transaction ended.
func (f *fabricRun) ended(o *applyOptions, id string, at time.Time, how transaction.Outcome) controller.Event {
	return controller.Event{At: at.UTC(), Kind: controller.TransactionEvent, Topology: f.name, By: o.by, Subject: id, Revision: o.revision,
		Message: fmt.Sprintf("transaction %s ended: %s", id, how)}
}

// options are those of `loom apply`, with which the controller carries a plan out.
func (f *fabricRun) options(p *controller.Planned, r controller.ApplyRequest) *applyOptions {
	limit, format := p.Request.Limit, "json"
	gate := defaultGate
	if r.Gate != nil {
		gate = *r.Gate
	}
	return &applyOptions{
		access: f.s.access, yes: true, takeOver: r.TakeOver, backupDir: filepath.Join(f.s.dir, "backup"), rollback: cmp.Or(r.Rollback, 5*time.Minute),
		parallel: f.s.parallel, unverified: 64, hold: r.Hold, store: f.s.storeFlags, limit: &limit, format: &format, how: rolloutOf(&p.Request),
		gates: &gating{within: gate, rest: defaultRest, moving: defaultMoving, settling: defaultSettling},
		plan:  p.Hash, approved: p.Approved(), by: r.By, revision: p.Brings(), undoes: p.Request.Undoes,
	}
}
