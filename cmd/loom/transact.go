package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// change is a transaction put together: what it promises, and what it takes to keep that.
type change struct {
	spec    transaction.Spec
	work    map[string]transaction.Work
	members []participant
	trees   map[string]*config.Tree                        // by their hash
	gate    func(ctx context.Context, wave []string) error // nil: none
	back    func(ctx context.Context, wave []string) error // behind an undrain; nil: none
	holding func(until time.Time)                          // it waits for somebody to say that all is well
}

// newChange puts a transaction together from a plan.
func newChange(p *plan.Plan, devices map[string]*live, id string, limits transaction.Limits) (*change, error) {
	c := &change{
		spec: transaction.Spec{ID: id, Topology: p.Topology, By: whoAmI(), Began: time.Now().UTC(), Limits: limits, Saves: p.Unsaved},
		work: map[string]transaction.Work{}, trees: map[string]*config.Tree{},
	}
	for i := range p.Devices {
		if err := c.add(&p.Devices[i], devices[p.Devices[i].Name]); err != nil {
			return nil, err
		}
	}
	for _, name := range p.Unsaved {
		c.members = append(c.members, devices[name].participant(nil, ""))
	}
	c.cut(p)
	return c, nil
}

// add puts one device in.
func (c *change) add(d *plan.Device, l *live) error {
	job := transaction.Job{Device: d.Name, Timed: l.timed, Steps: []transaction.Step{transaction.Change}, Places: []string{d.Base, d.Target}}
	places, requests := []*config.Tree{d.Before, d.After}, []*gnmi.SetRequest{d.Request}
	if len(d.Steps) > 0 {
		job.Steps, job.Places, places, requests = nil, job.Places[:1], places[:1], nil
		for _, s := range d.Steps {
			job.Steps, job.Places = append(job.Steps, transaction.Step(s.Name)), append(job.Places, s.Target)
			places, requests = append(places, s.To), append(requests, s.Request)
		}
	}
	gone := map[string]bool{}
	for _, path := range d.Unnamed() {
		gone[path.String()] = true
	}
	if config.Equal(d.Before, d.After) { // who reads the device cannot tell before from after: the gate does
		l.goes, l.goesAlone = nil, gone
	} else {
		l.goes, l.goesAlone = gone, nil
	}
	c.spec.Jobs = append(c.spec.Jobs, job)
	c.work[d.Name] = transaction.Work{Places: places, Requests: requests}
	c.members = append(c.members, l.participant(job.Places, job.Places[len(places)-1]))
	for i, hash := range job.Places {
		c.trees[hash] = places[i]
	}
	return nil
}

// proven is a gate behind which devices do not have what they were told to delete, where nothing else tells whether
// they have done so, and what another gate asks for holds, if there is one.
func proven(devices map[string]*live, gate func(context.Context, []string) error) func(context.Context, []string) error {
	some := false
	for _, l := range devices {
		some = some || len(l.goesAlone) > 0
	}
	if !some {
		return gate
	}
	return func(ctx context.Context, wave []string) error {
		alone := slices.DeleteFunc(slices.Clone(wave), func(name string) bool { return len(devices[name].goesAlone) == 0 })
		err := sideBySide(nil, alone, func(name string) error {
			_, unknown, err := devices[name].running(ctx)
			if err != nil {
				return err
			}
			return devices[name].left(unknown, devices[name].goesAlone)
		})
		if err != nil || gate == nil {
			return err
		}
		return gate(ctx, wave)
	}
}

// cut makes segments of waves: a new one behind each checkpoint of the plan.
func (c *change) cut(p *plan.Plan) {
	var segment transaction.Segment
	for i, wave := range p.Waves {
		segment.Waves = append(segment.Waves, wave)
		if checkpoint := p.Rollout.Stages[i].Checkpoint; checkpoint || i == len(p.Waves)-1 {
			c.spec.Segments = append(c.spec.Segments, segment)
			segment = transaction.Segment{}
			switch {
			case checkpoint && p.Rollout.Stages[i].Drained:
				segment.Why = "drained devices carry traffic again before others are drained"
			case checkpoint:
				segment.Why = fmt.Sprintf("no more than %d devices stay unconfirmed", p.Rollout.Armed)
			}
		}
	}
}

// participant is what the journal keeps of a device.
func (l *live) participant(places []string, intended string) participant {
	t := l.Target()
	return participant{
		Name: l.Name(), OS: t.Driver.OS, Release: t.Release, Platform: l.platform, Address: t.Address, Fingerprint: t.Fingerprint,
		Scope: ruleTexts(l.scope), Intended: intended, Places: places,
	}
}

// runner carries transactions out, while the lock on the fabric is held.
func (j *journal) runner(devices map[string]*live, work map[string]transaction.Work) *transaction.Runner {
	all := make(map[string]transaction.Device, len(devices))
	for name, l := range devices {
		all[name] = &fenced{l, j.keeper}
	}
	j.sets.runs(devices, work)
	return newRunner(j, all, work)
}

func newRunner(j transaction.Journal, devices map[string]transaction.Device, work map[string]transaction.Work) *transaction.Runner {
	return &transaction.Runner{Journal: j, Devices: devices, Work: work, Classify: classify, Now: time.Now}
}

// classify says what an error of a device means for a transaction.
func classify(err error) transaction.Class {
	e := (*device.Error)(nil)
	switch {
	case errors.Is(err, device.ErrFenced), errors.Is(err, store.ErrLost), errors.Is(err, errUnaudited):
		return transaction.Fenced
	case errors.Is(err, device.ErrUnknown):
		return transaction.Unknown
	case errors.Is(err, device.ErrRetry):
		return transaction.Retry
	case errors.As(err, &e) && status.Code(e.Err) == codes.FailedPrecondition && closes[e.Op]:
		return transaction.NotPending // gNMI commit-confirmed extension: there is no such commit
	}
	return transaction.Refuse
}

var closes = map[string]bool{"confirm": true, "cancel": true, "extend": true}

// resume goes on with the transaction on the fabric that is not over, if there is one: with what the
// journal says, whatever the topology says today.
func (j *journal) resume(ctx context.Context, t *terminal, r *resolver, parallel int, shown *progress) (*transaction.Result, error) {
	id, err := j.unfinished(ctx)
	if err != nil || id == "" {
		return nil, err
	}
	records, err := j.records(ctx, id)
	if err != nil {
		return nil, err
	}
	s, err := transaction.Resume(records, time.Now())
	if err != nil {
		return nil, fmt.Errorf("transaction %s: %w", id, err)
	}
	t.notef("%s: transaction %s of %s was left %s; going on with it\n", j.topology, id, s.Spec.By, s.Phase)
	members, err := j.participants(ctx, id)
	if err != nil {
		return nil, err
	}
	devices, work, err := j.revive(ctx, r, &s.Spec, members)
	defer closeAll(devices)
	if err != nil {
		return nil, err
	}
	run := j.runner(devices, work)
	j.sets.resumes(&s.Spec)
	run.Parallel = parallel
	j.watched(shown).onto(run)
	res := run.Run(ctx, s)
	return &res, nil
}

// revive makes devices and work from the journal. A device that does not answer is one all the same:
// it is asked again for as long as the transaction has patience.
func (j *journal) revive(ctx context.Context, r *resolver, spec *transaction.Spec, members []participant) (map[string]*live, map[string]transaction.Work, error) {
	devices, work := map[string]*live{}, map[string]transaction.Work{}
	for i := range members {
		m := &members[i]
		l, err := j.reviveOne(ctx, r, m, work)
		if err != nil {
			return devices, nil, err
		}
		if job := jobOf(spec, m.Name); job != nil {
			l.timed = job.Timed
			l.Answered(job.Timed)
		}
		devices[m.Name] = l
	}
	return devices, work, nil
}

func (j *journal) reviveOne(ctx context.Context, r *resolver, m *participant, work map[string]transaction.Work) (*live, error) {
	scope, err := scopeOf(m.Scope)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	var w transaction.Work
	for _, hash := range m.Places {
		tree, err := j.configuration(ctx, m, hash)
		if err != nil {
			return nil, err
		}
		w.Places = append(w.Places, tree)
	}
	work[m.Name] = w
	t, err := r.revived(m)
	if err != nil {
		return nil, err
	}
	dev, err := device.New(t)
	if err != nil {
		return nil, err
	}
	l := &live{Device: dev, scope: scope, platform: m.Platform}
	if len(w.Places) > 0 {
		l.intended = w.Places[len(w.Places)-1]
	}
	return l, nil
}

// revived is where a device of the journal is. An inventory that is given today wins over the address
// of then.
func (r *resolver) revived(m *participant) (device.Target, error) {
	drv := drivers[m.OS]
	if drv == nil {
		return device.Target{}, fmt.Errorf("%s: %s is no operating system that this program knows", m.Name, m.OS)
	}
	t := device.Target{
		Name: m.Name, Address: m.Address, CA: r.ca, Fingerprint: m.Fingerprint, Certificate: r.certificate, Username: r.username, Password: r.password,
		Driver: drv, Release: m.Release, Election: r.election, Announce: r.sets.announce(m.Name),
	}
	if e, ok := r.entries[m.Name]; ok {
		t.Address = e.Address
		if e.Fingerprint != "" {
			t.Fingerprint = e.Fingerprint
		}
	}
	return t, nil
}

// dialled is a connected device of a design.
func dialled(dev *device.Device, d *fabric.Device, intended *config.Tree) *live {
	return &live{Device: dev, design: d, intended: intended, scope: drivers[d.OS].Scope(d), platform: d.Platform.Name}
}

// probe finds out whether a device has confirm timers: the device is asked, whatever its release should have.
func (l *live) probe(ctx context.Context) error {
	timed, err := l.Timed(ctx)
	e := (*device.Error)(nil)
	if errors.As(err, &e) && status.Code(e.Err) == codes.InvalidArgument {
		return fmt.Errorf("%s: somebody else's change waits there to be confirmed; wait until it is over: %w", l.Name(), err)
	}
	l.timed = timed
	return err
}

// weaker says, before anything is done, which guarantees are weaker than all or nothing. The devices have been probed.
func weaker(p *plan.Plan, devices map[string]*live, shared bool) []string {
	var names []string
	for i := range p.Devices {
		if name := p.Devices[i].Name; !devices[name].timed {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	out := slices.Concat(withoutTimers(names), unseen(p), unnamed(p))
	if !shared {
		out = append(out, "the lock is a directory of this machine: somebody elsewhere is not kept out, and is noticed by what is read back")
	}
	parts := 1
	for _, stage := range p.Rollout.Stages {
		if stage.Checkpoint {
			parts++
		}
	}
	if parts > 1 {
		out = append(out, fmt.Sprintf("decided in %d parts: what an earlier part has confirmed is undone by the inverse, should a later one fail", parts))
	}
	return out
}

// withoutTimers says what it means that devices do not take a change back by themselves.
func withoutTimers(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return []string{list(names) + " without confirm timers: should this program and its machine be lost, they keep the change until somebody takes it back"}
}

// list names a few things.
func list(names []string) string {
	const most = 5
	if len(names) <= most {
		return join(names)
	}
	return fmt.Sprintf("%s and %d more", join(names[:most]), len(names)-most)
}

func join(names []string) string {
	out := ""
	for i, n := range names {
		if i > 0 {
			out += ", "
		}
		out += n
	}
	return out
}
