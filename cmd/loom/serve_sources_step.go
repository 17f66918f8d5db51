package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transaction"
)

// Between two attempts to do something for a commit.
const (
	soonestAttempt = time.Second
	latestAttempt  = time.Minute
	mostTries      = 3 // transactions that ended with the process; then people have to look
)

// advance does what there is to do for the commit, until something has to be waited for.
func (f *sourceRun) advance(ctx context.Context) error {
	for f.commit != nil && f.applying == nil && ctx.Err() == nil && !time.Now().Before(f.after) {
		was := f.commit
		next, err := f.step(ctx, was)
		if errors.Is(err, errKeeping) {
			return err
		}
		if err != nil {
			next = f.notYet(err)
		}
		if !reflect.DeepEqual(next, f.commit) {
			if err := f.keep(ctx, next); err != nil {
				return err
			}
		}
		if c := f.commit; err == nil && c.State == controller.CommitApplying && c.Transaction == "" && was.State != c.State {
			if err = f.begin(ctx); err != nil {
				return f.keep(ctx, f.notYet(err))
			}
		}
		if err != nil || next.State == was.State {
			return nil
		}
		f.fails = 0
	}
	return nil
}

// errKeeping: what has become of a commit could not be kept, so that nothing more is done for it.
var errKeeping = errors.New("how far the source was followed is not kept")

// notYet is the commit as it is, with the reason why nothing came of an attempt. The next is later.
func (f *sourceRun) notYet(err error) *controller.Commit {
	wait := soonestAttempt << min(f.fails, 10)
	f.fails++
	f.after = time.Now().Add(min(wait, latestAttempt))
	return f.commit.Become(f.commit.State, err.Error(), time.Now().UTC())
}

// become is a commit in another state now.
func become(c *controller.Commit, state controller.CommitState, format string, args ...any) *controller.Commit {
	return c.Become(state, fmt.Sprintf(format, args...), time.Now().UTC())
}

// step is what becomes of a commit next; the same where it has to wait.
func (f *sourceRun) step(ctx context.Context, c *controller.Commit) (*controller.Commit, error) {
	switch c.State {
	case controller.CommitSeen:
		return f.put(ctx, c)
	case controller.CommitPut:
		return f.plan(ctx, c)
	case controller.CommitPlanned, controller.CommitWaiting:
		return f.recheck(ctx, c)
	case controller.CommitApplying:
		return f.recall(ctx, c)
	}
	return c, nil
}

// put puts what the commit says, if that is a topology, and another one than is intended. What it was about to put is known before, so
// that it is found again and not put twice, should the controller die in between.
func (f *sourceRun) put(ctx context.Context, c *controller.Commit) (*controller.Commit, error) {
	if done, err := f.alreadyPut(ctx, c); done != nil || err != nil {
		return done, err
	}
	files, err := f.place.files(ctx, c.ID)
	if errors.Is(err, controller.ErrInvalid) {
		return become(c, controller.CommitInvalid, "%v", err), nil
	}
	if err != nil {
		return nil, err
	}
	w := controller.Write{By: f.source.Writer(), Message: strings.TrimSpace(c.Short() + " " + c.Subject), Commit: c.ID, DryRun: true}
	trial, err := f.s.intents.Put(ctx, files, w)
	if invalid := (*controller.InvalidError)(nil); errors.As(err, &invalid) {
		return c.Wrong(invalid.Diagnostics, time.Now().UTC()), nil
	}
	if err != nil {
		return nil, err
	}
	name := trial.Intent.GetName()
	if why, err := f.notOurs(ctx, name); why != "" || err != nil {
		return become(c, controller.CommitInvalid, "%s", why), err
	}
	head, ok, err := f.s.intents.Ledger.Head(ctx, name)
	if err != nil {
		return nil, err
	}
	number, expected := int64(0), int64(0)
	if ok {
		number = head.Number
	}
	if ok && !head.Deleted {
		expected = number
	}
	if trial.Same {
		return f.isPut(c, name, number, trial.Revision.Number, true), nil
	}
	if f.at.Revision != 0 && number != f.at.Revision && !f.overwrite {
		return become(c, controller.CommitWaiting, "revision %d, which %s has put, came behind %d of this source: take it into the files, or have it replaced: loom source sync %s --overwrite",
			number, head.By, f.at.Revision, f.name), nil
	}
	before := *c
	before.Topology, before.Before, f.at.Topology = name, number, name
	if err := f.keep(ctx, &before); err != nil {
		return nil, errors.Join(errKeeping, err)
	}
	w.DryRun, w.Expected = false, &expected
	done, err := f.s.intents.Put(ctx, files, w)
	if err != nil {
		return nil, err
	}
	return f.isPut(&before, name, number, done.Revision.Number, done.Same), nil
}

// isPut is a commit that a revision says.
func (f *sourceRun) isPut(c *controller.Commit, topology string, before, revision int64, same bool) *controller.Commit {
	out := become(c, controller.CommitPut, "")
	out.Topology, out.Before, out.Revision, out.Same = topology, before, revision, same
	f.at.Topology, f.at.Revision = topology, revision
	return out
}

// alreadyPut is a commit that was put before this process began; nil: it was not.
func (f *sourceRun) alreadyPut(ctx context.Context, c *controller.Commit) (*controller.Commit, error) {
	if c.Topology == "" {
		return nil, nil
	}
	in, err := f.s.intents.At(ctx, c.Topology, c.Before+1)
	switch {
	case errors.Is(err, controller.ErrNoRevision):
		return nil, nil
	case err != nil:
		return nil, err
	case in.Commit != c.ID || in.By != f.source.Writer():
		return nil, nil
	}
	return f.isPut(c, c.Topology, c.Before, in.Number, false), nil
}

// notOurs tells why a topology is not one that this source puts; empty: it is.
func (f *sourceRun) notOurs(ctx context.Context, name string) (string, error) {
	if f.at.Topology != "" && f.at.Topology != name {
		return fmt.Sprintf("its topology is %s, and that of the source %s; keep the name, or follow the new one by a source of its own", name, f.at.Topology), nil
	}
	other, err := f.s.sourceOf(ctx, name, f.name)
	if other != "" {
		return fmt.Sprintf("topology %s is put by source %s; delete one of the two", name, other), err
	}
	return "", err
}

// overtaken is a commit that something else has come behind; nil: it is what is intended.
func (f *sourceRun) overtaken(ctx context.Context, c *controller.Commit) (*controller.Commit, error) {
	head, err := f.s.intents.Head(ctx, c.Topology)
	switch {
	case errors.Is(err, controller.ErrNoTopology):
		return become(c, controller.CommitSuperseded, "topology %s was deleted before it was applied; to put it again: loom source sync %s --overwrite", c.Topology, f.name), nil
	case err != nil:
		return nil, err
	case head.Number != c.Revision:
		return become(c, controller.CommitSuperseded, "revision %d, which %s has put, came before it was applied; to put it again: loom source sync %s --overwrite", head.Number, head.By, f.name), nil
	}
	return nil, nil
}

// plan plans the revision that the commit is.
func (f *sourceRun) plan(ctx context.Context, c *controller.Commit) (*controller.Commit, error) {
	if out, err := f.overtaken(ctx, c); out != nil || err != nil {
		return out, err
	}
	fabric, err := f.s.inCare(ctx, c.Topology)
	if err != nil {
		return nil, fmt.Errorf("not planned yet: %w", err)
	}
	if !fabric.changing.TryLock() { // what devices have then is neither what they had nor what they will have
		f.after = time.Now().Add(soonestAttempt)
		return become(c, controller.CommitPut, "another transaction changes devices of %s; it is planned behind that", c.Topology), nil
	}
	fabric.changing.Unlock()
	p, err := f.s.CreatePlan(ctx, controller.PlanRequest{Topology: c.Topology, Revision: c.Revision, By: f.source.Writer()})
	if err != nil {
		return nil, fmt.Errorf("not planned yet: %w", err)
	}
	if old, err := f.s.Plan(ctx, c.Plan); err == nil && old.Hash == p.Hash && old.Transaction == "" {
		p = old // with what people have approved
	}
	out := *c
	out.Plan, out.Devices = p.ID, len(p.Plan.Devices)
	unsaved := ""
	switch {
	case len(p.Plan.Devices) > 0 || p.Hash != "" && f.source.Policy == controller.ApplyAuto:
		return f.judge(ctx, &out, p)
	case len(p.Plan.LeftOut) > 0:
		return leftOut(&out, p), nil
	case p.Hash != "":
		unsaved = fmt.Sprintf("; %s would not boot with it: loom intent apply %s saves it", list(p.Plan.Unsaved), c.Topology)
	}
	if c.Same && c.Transaction == "" {
		return become(&out, controller.CommitUnchanged, "revision %d says it, and devices have it%s", c.Revision, unsaved), nil
	}
	return become(&out, controller.CommitApplied, "devices have it%s", unsaved), nil
}

// leftOut is a commit that some devices do not have, as people work on them. It is planned again behind that.
func leftOut(c *controller.Commit, p *controller.Planned) *controller.Commit {
	var why []string
	for _, l := range p.Plan.LeftOut {
		why = append(why, l.Device+" is "+l.Why)
	}
	out := become(c, controller.CommitWaiting, "%s; the rest has it", strings.Join(why, "; "))
	out.Plan = ""
	return out
}

// judge is a commit with a plan, as the source's policy has it. It is never applied beside another transaction.
func (f *sourceRun) judge(ctx context.Context, c *controller.Commit, p *controller.Planned) (*controller.Commit, error) {
	approved, err := f.s.approvedOf(ctx, p)
	if err != nil {
		return nil, err
	}
	judged := f.source
	judged.Allowed = slices.DeleteFunc(slices.Clone(judged.Allowed), func(c plan.Class) bool { return f.s.fourEyes.Needs(string(c)) })
	v := judged.Judge(p.Plan, approved)
	out := c.Become(v.State, v.Reason, time.Now().UTC())
	out.Risks = v.Risks
	if v.State != controller.CommitApplying {
		return out, nil
	}
	fabric, err := f.s.inCare(ctx, c.Topology)
	if err != nil {
		return nil, err
	}
	if !fabric.changing.TryLock() {
		return f.laterOn(c), nil
	}
	fabric.changing.Unlock()
	out.Transaction = "" // an earlier one is over
	return out, nil
}

// laterOn is a commit that waits for somebody else's transaction.
func (f *sourceRun) laterOn(c *controller.Commit) *controller.Commit {
	f.after = time.Now().Add(soonestAttempt)
	return become(c, controller.CommitWaiting, "another transaction changes devices of %s; it is applied behind that", c.Topology)
}

// recheck finds out whether what a commit waits for has come.
func (f *sourceRun) recheck(ctx context.Context, c *controller.Commit) (*controller.Commit, error) {
	if c.Revision == 0 {
		return c, nil // for somebody's word
	}
	if out, err := f.overtaken(ctx, c); out != nil || err != nil {
		return out, err
	}
	fabric, err := f.s.inCare(ctx, c.Topology)
	if err != nil {
		return c, nil // what it waits for cannot come before that
	}
	if c.Plan == "" {
		n, _ := fabric.current()
		if _, out := fabric.leaveOut(sortedKeys(n.trees)); len(out) > 0 {
			return c, nil
		}
		return become(c, controller.CommitPut, ""), nil
	}
	p, err := f.s.Plan(ctx, c.Plan)
	switch {
	case errors.Is(err, controller.ErrNoPlan):
		return become(c, controller.CommitPut, ""), nil
	case err != nil:
		return nil, err
	case p.Transaction != "":
		out := become(c, controller.CommitApplying, "")
		out.Transaction = p.Transaction
		return out, nil
	case fabric.has(c.Revision):
		out := become(c, controller.CommitApplied, "devices have it")
		out.Transaction, err = f.s.broughtTo(ctx, c)
		return out, err
	}
	return f.judge(ctx, c, p)
}

// has tells whether every device has been brought to a revision.
func (f *fabricRun) has(revision int64) bool {
	f.mu.Lock()
	late := f.revision < revision
	agents := make([]*agent, 0, len(f.agents))
	for _, a := range f.agents {
		agents = append(agents, a)
	}
	f.mu.Unlock()
	return !late && !slices.ContainsFunc(agents, func(a *agent) bool {
		s, _, _ := a.standing()
		return s.Applied < revision
	})
}

// broughtTo is the transaction that has brought devices to what a commit says; empty: there was none, or it is forgotten.
func (s *serving) broughtTo(ctx context.Context, c *controller.Commit) (string, error) {
	ids, err := transactionIDs(ctx, s.store)
	if err != nil {
		return "", err
	}
	for _, id := range slices.Backward(ids) {
		a, err := s.account(ctx, id)
		switch {
		case errors.Is(err, controller.ErrNoTransaction):
			continue
		case err != nil:
			return "", err
		case a.Began.Before(c.Seen):
			return "", nil
		case a.Topology == c.Topology && a.revision == c.Revision && a.Outcome == transaction.Done:
			return id, nil
		}
	}
	return "", nil
}

// begin carries the plan of the commit out. Risks that the source lets through are approved in its name.
func (f *sourceRun) begin(ctx context.Context) error {
	p, err := f.s.Plan(ctx, f.commit.Plan)
	if err != nil {
		return err
	}
	var open []string
	for _, c := range p.Plan.RiskClasses() {
		if !slices.Contains(p.Approved(), string(c)) {
			open = append(open, string(c))
		}
	}
	if len(open) > 0 {
		if _, err := f.s.Approve(ctx, p.ID, p.Hash, open, f.source.Writer()); err != nil {
			return err
		}
	}
	ended, begun := make(chan applyingResult, 1), make(chan string, 1)
	f.applying, f.begun = ended, begun
	go func() {
		res, err := f.s.Apply(context.WithoutCancel(ctx), controller.ApplyRequest{Plan: p.ID, Hash: p.Hash, By: f.source.Writer()}, func(step controller.Step) {
			if step.Event == nil && step.HeldUntil.IsZero() {
				begun <- step.Transaction
			}
		})
		ended <- applyingResult{res, err}
	}()
	return nil
}

// ended keeps what has become of the transaction.
func (f *sourceRun) ended(ctx context.Context, r applyingResult) error {
	c := *f.commit
	if r.ID != "" {
		c.Transaction = r.ID
	}
	switch {
	case r.Outcome != "" || r.err == nil:
		return f.keep(ctx, f.outcome(ctx, &c, r.Outcome, r.Err))
	case errors.Is(r.err, errBusy):
		return f.keep(ctx, f.laterOn(&c))
	}
	// What it was planned against is not as it was, or a device went away: it is planned again.
	f.commit = &c
	out := f.notYet(fmt.Errorf("not applied: %w", r.err))
	return f.keep(ctx, become(out, controller.CommitPut, "%s", out.Reason))
}

// outcome is a commit whose transaction is over.
func (f *sourceRun) outcome(ctx context.Context, c *controller.Commit, how transaction.Outcome, why error) *controller.Commit {
	if how != transaction.Done && how != "" {
		out := fmt.Sprintf("transaction %s ended: %s", c.Transaction, how)
		if why != nil {
			out += ": " + why.Error()
		}
		return become(c, controller.CommitFailed, "%s; to try again: loom source sync %s", out, f.name)
	}
	if p, err := f.s.Plan(ctx, c.Plan); err == nil && len(p.Plan.LeftOut) > 0 {
		return leftOut(c, p)
	}
	return become(c, controller.CommitApplied, "")
}

// recall finds out what has become of a transaction that this process does not carry out: one of before it began, or of somebody who has
// applied the plan.
func (f *sourceRun) recall(ctx context.Context, c *controller.Commit) (*controller.Commit, error) {
	if _, err := f.s.inCare(ctx, c.Topology); err != nil { // which ends what was left open
		return nil, err
	}
	id, err := f.carriedOutBy(ctx, c)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return become(c, controller.CommitPut, ""), nil
	}
	out := *c
	out.Transaction = id
	t, err := f.s.account(ctx, id)
	switch {
	case errors.Is(err, controller.ErrNoTransaction):
		return become(c, controller.CommitPut, ""), nil
	case err != nil:
		return nil, err
	case t.Outcome == "":
		f.after = time.Now().Add(soonestAttempt)
		return &out, nil
	case (t.Outcome == transaction.RolledBack || t.Outcome == transaction.Unchanged) && t.Began.Before(f.s.followers.began) && !t.Ended.Before(f.s.followers.began) && c.Tries+1 < mostTries:
		out.Tries++ // the controller was gone before it was decided
		return become(&out, controller.CommitPut, "transaction %s was cut short, and is %s; it is planned again", id, t.Outcome), nil
	}
	var why error
	if t.Why != "" {
		why = errors.New(t.Why)
	}
	return f.outcome(ctx, &out, t.Outcome, why), nil
}

// carriedOutBy is the transaction that carries the plan of a commit out; empty: none has begun.
func (f *sourceRun) carriedOutBy(ctx context.Context, c *controller.Commit) (string, error) {
	p, err := f.s.Plan(ctx, c.Plan)
	if errors.Is(err, controller.ErrNoPlan) {
		return c.Transaction, nil
	}
	if err != nil || p.Transaction != "" {
		return p.Transaction, err
	}
	ids, err := transactionIDs(ctx, f.s.store) // it may have begun, and that not have been written down with the plan
	if err != nil {
		return "", err
	}
	for _, id := range slices.Backward(ids) {
		a, err := f.s.account(ctx, id)
		switch {
		case errors.Is(err, controller.ErrNoTransaction):
			continue
		case err != nil:
			return "", err
		case a.Began.Before(p.At):
			return "", nil
		case a.Topology == c.Topology && a.plan == p.Hash:
			return id, nil
		}
	}
	return "", nil
}
