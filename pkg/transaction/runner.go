package transaction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
)

// runner holds where every device of one transaction stands.
type runner struct {
	plan    *plan.Plan
	devices map[string]Device
	o       Options
	wave    int

	mu     sync.Mutex
	states map[string]State
	errs   map[string]error
	until  map[string]time.Time // when an armed device takes its change back, at the earliest
	since  time.Time
}

func newRunner(p *plan.Plan, devices map[string]Device, o Options) *runner {
	r := &runner{
		plan: p, devices: devices, o: o, since: o.Now(),
		states: map[string]State{}, errs: map[string]error{}, until: map[string]time.Time{},
	}
	for _, d := range p.Devices {
		r.states[d.Name] = Waiting
	}
	return r
}

// step is one thing done to one device.
type step func(context.Context, *plan.Device, Device) error

// each does a step on the named devices side by side; the first failure keeps those that have not
// started from starting, and is returned after those that have are done.
func (r *runner) each(ctx context.Context, names []string, do step) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := r.run(names, func(name string) error {
		if context.Cause(ctx) != nil {
			return nil // another device failed first, or the user stopped
		}
		err := do(context.WithoutCancel(ctx), r.plan.Device(name), r.devices[name])
		if err != nil {
			cancel(err)
		}
		return err
	})
	if err != nil {
		return err
	}
	return context.Cause(ctx)
}

// every does a step on all the named devices, whatever happens to the others.
func (r *runner) every(ctx context.Context, names []string, do step) error {
	return r.run(names, func(name string) error { return do(ctx, r.plan.Device(name), r.devices[name]) })
}

// run works on the named devices, a bounded number at a time, and names each in its error.
func (r *runner) run(names []string, do func(name string) error) error {
	slots := make(chan struct{}, max(r.o.Parallel, 1))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := do(name); err != nil {
				errs[i] = named(name, err)
				r.fail(name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// named puts the device first, unless the error does so already.
func named(name string, err error) error {
	if own := (interface{ About() string })(nil); errors.As(err, &own) && own.About() == name {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// report notes a state and tells the user.
func (r *runner) report(name string, s State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[name] = s
	r.tell(name, nil)
}

// fail notes the first error of a device and tells the user.
func (r *runner) fail(name string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.errs[name] == nil {
		r.errs[name] = err
	}
	r.tell(name, named(name, err))
}

func (r *runner) tell(name string, err error) {
	if r.o.Progress != nil {
		r.o.Progress(Event{Device: name, State: r.states[name], Wave: r.wave, Took: r.o.Now().Sub(r.since), Err: err})
	}
}

// arm notes when the timer of a device starts: before the request leaves, so that the device's own
// timer never ends before this one.
func (r *runner) arm(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until[name] = r.o.Now().Add(r.o.Rollback)
}

// armed are the devices whose timer runs.
func (r *runner) armed() []string {
	return slices.DeleteFunc(r.in(Armed, Verified), func(n string) bool { return !r.devices[n].Timed() })
}

// left is the time until the first armed device takes its change back; a whole timer if none is.
func (r *runner) left() time.Duration {
	least := r.o.Rollback
	for _, name := range r.armed() {
		least = min(least, r.until[name].Sub(r.o.Now()))
	}
	return least
}

func (r *runner) names() []string {
	var out []string
	for _, wave := range r.plan.Waves {
		out = append(out, wave...)
	}
	return out
}

// in lists the devices that are in one of the given states.
func (r *runner) in(states ...State) []string {
	return slices.DeleteFunc(r.names(), func(n string) bool { return !slices.Contains(states, r.states[n]) })
}

func (r *runner) finish(outcome Outcome, err error) Result {
	res := Result{ID: r.o.ID, Outcome: outcome, Devices: r.states, Err: err}
	for name, e := range r.errs {
		if res.Errors == nil {
			res.Errors = map[string]string{}
		}
		res.Errors[name] = e.Error()
	}
	for _, name := range r.in(Armed) {
		if r.until[name].After(res.Deadline) {
			res.Deadline = r.until[name]
		}
	}
	return res
}
