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
	since  time.Time
}

func newRunner(p *plan.Plan, devices map[string]Device, o Options) *runner {
	r := &runner{plan: p, devices: devices, o: o, states: map[string]State{}, errs: map[string]error{}, since: o.Now()}
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
	return r.run(ctx, names, func(ctx context.Context, d *plan.Device, dev Device) error {
		if cause := context.Cause(ctx); cause != nil {
			return nil // another device failed first, or the user stopped
		}
		err := do(context.WithoutCancel(ctx), d, dev)
		if err != nil {
			cancel(err)
		}
		return err
	})
}

// every does a step on all the named devices, whatever happens to the others.
func (r *runner) every(ctx context.Context, names []string, do step) error {
	return r.run(ctx, names, do)
}

func (r *runner) run(ctx context.Context, names []string, do step) error {
	slots := make(chan struct{}, max(r.o.Parallel, 1))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := do(ctx, r.plan.Device(name), r.devices[name]); err != nil {
				errs[i] = fmt.Errorf("%s: %w", name, err)
				r.fail(name, err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// report notes a state and tells the user.
func (r *runner) report(name string, s State, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[name] = s
	if r.o.Progress != nil {
		r.o.Progress(Event{Device: name, State: s, Wave: r.wave, Took: r.o.Now().Sub(r.since), Err: err})
	}
}

func (r *runner) fail(name string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.errs[name] == nil {
		r.errs[name] = err
	}
	if r.o.Progress != nil {
		r.o.Progress(Event{Device: name, State: r.states[name], Wave: r.wave, Took: r.o.Now().Sub(r.since), Err: err})
	}
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
	return res
}
