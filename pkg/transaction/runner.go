package transaction

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Device is what a transaction does to one device. cmd/loom provides it.
type Device interface {
	// Read returns the part of the running configuration that Loom owns.
	Read(ctx context.Context) (*config.Tree, error)
	// Request is the smallest request that leads from one owned configuration to another.
	Request(from, to *config.Tree) *gnmi.SetRequest
	// Arm sends a request as one commit that the device undoes by itself after rollback unless it is
	// confirmed (gNMI commit-confirmed extension). Extend starts that timer again. Neither lets
	// startup follow before Save.
	Arm(ctx context.Context, req *gnmi.SetRequest, id string, rollback time.Duration) error
	Extend(ctx context.Context, id string, rollback time.Duration) error
	// Confirm makes the armed commit permanent; Cancel undoes it at once.
	Confirm(ctx context.Context, id string) error
	Cancel(ctx context.Context, id string) error
	// Set sends a request without a timer.
	Set(ctx context.Context, req *gnmi.SetRequest) error
	// Save makes the startup configuration follow the running one, verifies that both are equal, and
	// returns the part of them that Loom owns.
	Save(ctx context.Context) (*config.Tree, error)
}

// Journal is where the records of a transaction go.
type Journal interface {
	// Append returns when the records are durable, in their order, all or none. Any error means that
	// it is not known whether they are.
	Append(ctx context.Context, id string, records []Record) error
}

// Work is what a device gets: trees and requests, which the Spec has hashes of only.
type Work struct {
	Places   []*config.Tree     // as Job.Places
	Requests []*gnmi.SetRequest // of each step; nil: the smallest that leads there
}

// Runner does what a State asks for.
type Runner struct {
	Journal  Journal
	Devices  map[string]Device
	Work     map[string]Work
	Gate     func(ctx context.Context, wave []string) error // nil: no gate
	Back     func(ctx context.Context, wave []string) error // behind an undrain that more devices follow; nil: no gate
	Classify func(error) Class                              // of the errors of a Device
	Parallel int                                            // actions at the same time; one that takes long counts no more
	Progress func(Event)                                    // called from one goroutine at a time; may be nil
	Release  <-chan struct{}                                // somebody says that all is well, once for each part; may be nil
	Holding  func(until time.Time)                          // called when it begins to wait for Release; may be nil
	Show     func(View)                                     // called with each tick, with each new phase, after an interrupt and at the end; may be nil
	Tick     <-chan time.Time                               // when Show is called beside; may be nil
	Now      func() time.Time

	began time.Time
	jobs  map[string]*Job
	slots chan struct{}
	pace  pace
	mu    sync.Mutex
	read  map[string]*config.Tree // what was read where it is at no place of its job
}

// Event reports one step of one device as it happens.
type Event struct {
	Device string        `json:"device"`
	Status Status        `json:"status"`
	Wave   int           `json:"wave"` // from 1
	Took   time.Duration `json:"took"` // since the run began
	Err    error         `json:"-"`    // why it is not as it should be
}

// Run goes on with a transaction until it is over, or its journal fails. The end of ctx before the
// decision undoes what was done; after it nothing does.
func (r *Runner) Run(ctx context.Context, s *State) Result {
	r.began = r.Now()
	r.slots = make(chan struct{}, max(r.Parallel, 1))
	r.read, r.jobs = map[string]*config.Tree{}, map[string]*Job{}
	for i := range s.Spec.Jobs {
		r.jobs[s.Spec.Jobs[i].Device] = &s.Spec.Jobs[i]
	}
	work := context.WithoutCancel(ctx)
	looking, lookAway := context.WithCancel(work) // what a gate would say is of no interest once everything is taken back
	defer lookAway()
	var held time.Time
	var shown Phase // last; "": to be shown in any case
	answers := make(chan Answer, len(s.members)+2)
	done, release := ctx.Done(), r.Release
	flying := 0
	for {
		actions, wake := s.Next(r.Now())
		flying += len(actions)
		for _, a := range actions {
			ctx := work
			if a.Op == Check {
				ctx = looking
			}
			go func() { answers <- r.perform(ctx, s.Spec.ID, s.names(a.Wave), s.Spec.Limits.Rollback, a) }()
		}
		r.report(s)
		if r.Show != nil && s.Phase != shown {
			shown = s.Phase
			r.Show(s.View(r.Now()))
		}
		if s.failing != nil {
			lookAway()
		}
		if until := s.Held(); r.Holding != nil && until.After(held) {
			held = until
			r.Holding(until)
			holding.Here()
		}
		if flying == 0 && (s.Phase == Over || s.Phase == Suspended) {
			return s.Result()
		}
		select {
		case a := <-answers:
			s.Done(a, r.Now())
			flying--
		case <-r.wakeAt(wake):
		case <-r.Tick:
			shown = ""
		case <-done:
			done, shown = nil, ""
			s.Interrupt(context.Cause(ctx))
		case _, more := <-release:
			if !more {
				release = nil
			}
			s.Release()
		}
		flying -= r.drain(s, answers)
	}
}

// drain takes the answers that have come in the meantime: one look at the whole state does for all.
func (r *Runner) drain(s *State, answers <-chan Answer) int {
	for n := 0; ; n++ {
		select {
		case a := <-answers:
			s.Done(a, r.Now())
		default:
			return n
		}
	}
}

// wakeAt is nil, which never comes, where there is nothing to wait for.
func (r *Runner) wakeAt(t time.Time) <-chan time.Time {
	if t.IsZero() {
		return nil
	}
	return time.After(t.Sub(r.Now()))
}

// report tells what has changed since it was called last.
func (r *Runner) report(s *State) {
	told := s.tell()
	if r.Progress == nil || len(told) == 0 {
		return
	}
	now := r.Now()
	for _, m := range told {
		e := Event{Device: m.name, Status: m.status, Wave: min(m.wave, len(s.waves)-1) + 1, Took: now.Sub(r.began)}
		if m.news { // an error is told once, when it comes
			e.Err, m.news = named(m.name, m.err), false
		}
		r.Progress(e)
	}
}

// perform does one action.
func (r *Runner) perform(ctx context.Context, id string, wave []string, rollback time.Duration, a Action) Answer {
	if a.Op == Write {
		return r.write(ctx, id, a)
	}
	points[string(a.Op)].before.Here()
	defer points[string(a.Op)].after.Here()
	if a.Op == Check {
		return r.check(ctx, wave, a)
	}
	r.slots <- struct{}{}
	free := sync.OnceFunc(func() { <-r.slots })
	late, begun := time.AfterFunc(r.pace.patience(), free), r.Now()
	defer func() { late.Stop(); free() }()
	place, err := r.act(ctx, id, rollback, a)
	r.pace.took(r.Now().Sub(begun))
	ans := Answer{Op: a.Op, Device: a.Device, Place: place}
	if strange := (*MismatchError)(nil); errors.As(err, &strange) {
		ans.Err = err
		return ans
	}
	if err != nil {
		ans.Class, ans.Err = r.Classify(err), err
	}
	return ans
}

func (r *Runner) write(ctx context.Context, id string, a Action) Answer {
	for _, rec := range a.Records {
		points[rec.point()].before.Here()
	}
	err := r.Journal.Append(ctx, id, a.Records)
	for _, rec := range a.Records {
		points[rec.point()].after.Here()
	}
	if err != nil {
		return Answer{Op: Write, Class: Refuse, Err: fmt.Errorf("journal: %w", err)}
	}
	return Answer{Op: Write}
}

func (r *Runner) check(ctx context.Context, wave []string, a Action) Answer {
	if a.Again {
		if err := r.readAgain(ctx, wave); err != nil {
			return Answer{Op: Check, Class: Refuse, Err: err}
		}
	}
	gate := r.Gate
	if a.Back {
		gate = r.Back
	}
	if gate == nil {
		return Answer{Op: Check}
	}
	if err := gate(ctx, wave); err != nil {
		return Answer{Op: Check, Class: Refuse, Err: err}
	}
	return Answer{Op: Check}
}

// readAgain tells whether the devices of a wave still have what they were given.
func (r *Runner) readAgain(ctx context.Context, wave []string) error {
	errs := make([]error, len(wave))
	var wg sync.WaitGroup
	for i, name := range wave {
		wg.Go(func() {
			tree, err := r.Devices[name].Read(ctx)
			if err == nil {
				_, err = r.place(Action{Device: name, Place: r.jobs[name].goal()}, tree)
			}
			if err != nil {
				errs[i] = named(name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// act does an action to a device. Of a read it returns the place, with a MismatchError where that is
// not the one where the device should be.
func (r *Runner) act(ctx context.Context, id string, rollback time.Duration, a Action) (int, error) {
	d := r.Devices[a.Device]
	if d == nil {
		return 0, fmt.Errorf("%s: not connected", a.Device)
	}
	switch a.Op {
	case Read:
		tree, err := d.Read(ctx)
		if err != nil {
			return 0, err
		}
		return r.place(a, tree)
	case Send:
		if r.jobs[a.Device].Timed {
			return 0, d.Arm(ctx, r.request(d, a), id, rollback)
		}
		return 0, d.Set(ctx, r.request(d, a))
	case Extend:
		return 0, d.Extend(ctx, id, rollback)
	case Confirm:
		return 0, d.Confirm(ctx, id)
	case Cancel:
		return 0, d.Cancel(ctx, id)
	case Mend:
		return 0, d.Set(ctx, d.Request(r.last(a.Device), r.Work[a.Device].Places[a.Place]))
	case Save:
		tree, err := d.Save(ctx)
		if err != nil || len(r.Work[a.Device].Places) == 0 {
			return 0, err
		}
		return r.place(a, tree)
	}
	panic("transaction: no such operation: " + string(a.Op))
}

// place finds at which place of its job a device is.
func (r *Runner) place(a Action, tree *config.Tree) (int, error) {
	places := r.Work[a.Device].Places
	if p := places[a.Place]; config.Equal(tree, p) { // two places may be one tree: what no tree has goes between them
		r.keep(a.Device, p)
		return a.Place, nil
	}
	for i, p := range places {
		if config.Equal(tree, p) {
			r.keep(a.Device, p)
			return i, r.strange(a, tree, i)
		}
	}
	r.keep(a.Device, tree)
	for i := 1; i < len(places); i++ {
		if config.Between(tree, places[i-1], places[i]) {
			return Between, r.strange(a, tree, Between)
		}
	}
	if config.Between(tree, places[0], places[len(places)-1]) {
		return Between, r.strange(a, tree, Between)
	}
	return Other, r.strange(a, tree, Other)
}

// strange is nil where a device is as it should be.
func (r *Runner) strange(a Action, tree *config.Tree, at int) error {
	if at == a.Place {
		return nil
	}
	return &MismatchError{Changes: config.Diff(tree, r.Work[a.Device].Places[a.Place])}
}

func (r *Runner) keep(device string, t *config.Tree) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read[device] = t
}

func (r *Runner) last(device string) *config.Tree {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read[device]
}

// request is what a step sends.
func (r *Runner) request(d Device, a Action) *gnmi.SetRequest {
	w := r.Work[a.Device]
	if len(w.Requests) >= a.Place && w.Requests[a.Place-1] != nil {
		return w.Requests[a.Place-1]
	}
	return d.Request(w.Places[a.Place-1], w.Places[a.Place])
}

// MismatchError says that a device does not have what it should have.
type MismatchError struct{ Changes []config.Change }

// Error counts the differences and shows the first.
func (e *MismatchError) Error() string {
	if len(e.Changes) == 0 {
		return "the device has what it should have had later"
	}
	return fmt.Sprintf("read back differs from what it should be in %d places, first %s", len(e.Changes), e.Changes[0].At)
}
