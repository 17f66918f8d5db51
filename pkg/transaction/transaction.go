// Package transaction carries out a plan over many devices so that all end as planned or all as
// before.
//
// The rule that matters most: nothing is confirmed until every device has the change armed and has
// been read back; until then each device undoes the change by itself when its timer runs out. Once
// the first is confirmed there is no way back: everything else rolls forward.
package transaction

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Device is what a transaction does to one device. pkg/device provides it.
type Device interface {
	// Arm sends the request as one commit that the device undoes by itself after rollback unless
	// it is confirmed (gNMI commit-confirmed extension). Extend starts that timer again.
	Arm(ctx context.Context, req *gnmi.SetRequest, id string, rollback time.Duration) error
	Extend(ctx context.Context, id string, rollback time.Duration) error
	// Confirm makes the armed commit permanent; Cancel undoes it at once.
	Confirm(ctx context.Context, id string) error
	Cancel(ctx context.Context, id string) error
	// Set sends the request without a timer, for devices that have none.
	Set(ctx context.Context, req *gnmi.SetRequest) error
	// Read returns the part of the running configuration that Loom owns.
	Read(ctx context.Context) (*config.Tree, error)
	// Save makes the startup configuration follow the running one and verifies that both are equal.
	Save(ctx context.Context) error
	// Timed tells whether the device has confirm timers.
	Timed() bool
}

// ErrStale means that a device is not as it was when the plan was made; plan again.
var ErrStale = errors.New("configuration changed since the plan was made; plan again")

// ErrLate means that confirm timers ran out, or are about to, before the decision.
var ErrLate = errors.New("the confirm timers ran out before every device had the change; use a longer --rollback")

// State is where one device stands.
type State string

// The states of a device, in the order in which a good change passes through them.
const (
	Waiting   State = "waiting"   // not touched
	Armed     State = "armed"     // has the change, and takes it back by itself unless confirmed
	Set       State = "set"       // has the change without a timer
	Verified  State = "verified"  // read back equal to the target; armed, where it has a timer
	Confirmed State = "confirmed" // keeps the change
	Saved     State = "saved"     // startup equals running
	Restored  State = "restored"  // read back equal to the base
	Unsaved   State = "unsaved"   // keeps the change, but startup does not have it
	Unknown   State = "unknown"   // could not be read after a failure, or has something else
)

// Outcome is how a transaction ended.
type Outcome string

// The outcomes.
const (
	Done       Outcome = "done"        // every device saved
	Unchanged  Outcome = "unchanged"   // stopped before any device was touched
	RolledBack Outcome = "rolled back" // every touched device restored
	Mixed      Outcome = "mixed"       // some device is neither; Result.Devices says which
)

// Event reports one step of one device as it happens.
type Event struct {
	Device string        `json:"device"`
	State  State         `json:"state"`
	Wave   int           `json:"wave"` // from 1
	Took   time.Duration `json:"took"` // since the transaction began
	Err    error         `json:"-"`    // why it is not as it should be
}

// Result is how a transaction ended, device by device.
type Result struct {
	ID       string            `json:"id"`
	Outcome  Outcome           `json:"outcome"`
	Devices  map[string]State  `json:"devices"`
	Errors   map[string]string `json:"errors,omitempty"`
	Deadline time.Time         `json:"deadline,omitzero"` // when the last device that is armed takes its change back
	Err      error             `json:"-"`                 // what went wrong
}

// Options are what the user may set.
type Options struct {
	ID       string        // names the commit on every device
	Rollback time.Duration // confirm timer of each device; extended between waves
	Parallel int           // devices of a wave that are worked on at the same time
	Progress func(Event)   // called from one goroutine at a time; may be nil
	Now      func() time.Time
}

// Run carries out a plan: wave by wave it arms and reads back every device, waiting between waves as
// long as the plan says and reading the earlier one again, then confirms all and saves all, those too that only have to be saved. Until the first confirm a failure, or the end of
// ctx, stops it and undoes what was done; after it nothing does.
func Run(ctx context.Context, p *plan.Plan, devices map[string]Device, o Options) Result {
	r := newRunner(p, devices, o)
	for i, wave := range p.Waves {
		r.wave = i + 1
		if err := r.keep(ctx); err != nil {
			return r.abort(err)
		}
		if err := r.each(ctx, wave, r.change); err != nil {
			return r.abort(err)
		}
		if i+1 < len(p.Waves) {
			if err := r.soak(ctx, wave); err != nil {
				return r.abort(err)
			}
		}
	}
	if err := errors.Join(context.Cause(ctx), r.keep(ctx)); err != nil {
		return r.abort(err)
	}
	return r.commit(context.WithoutCancel(ctx))
}

// change arms one device and reads it back.
func (r *runner) change(ctx context.Context, d *plan.Device, dev Device) error {
	base, err := dev.Read(ctx)
	if err != nil {
		return err
	}
	if !config.Equal(base, d.Before) {
		return ErrStale
	}
	if err := r.send(ctx, d, dev); err != nil {
		return err
	}
	if err := r.readBack(ctx, d, dev); err != nil {
		return err
	}
	r.report(d.Name, Verified)
	return nil
}

// readBack tells whether a device has what it was given.
func (r *runner) readBack(ctx context.Context, d *plan.Device, dev Device) error {
	got, err := dev.Read(ctx)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if !config.Equal(got, d.After) {
		return &MismatchError{Changes: config.Diff(got, d.After)}
	}
	return nil
}

// soak lets a wave show what is wrong with it before the next begins: it waits, keeping the timers,
// and in the end reads every device of the wave again.
func (r *runner) soak(ctx context.Context, wave []string) error {
	soak := time.Duration(r.plan.Rollout.Soak)
	if soak == 0 {
		return nil
	}
	end := r.o.Now().Add(soak)
	for left := soak; left > 0; left = end.Sub(r.o.Now()) {
		select {
		case <-time.After(min(left, r.o.Rollback/4)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := r.keep(ctx); err != nil {
			return err
		}
	}
	return r.each(ctx, wave, r.readBack)
}

// send makes the change, with the device's own timer where it has one. The state is noted before
// the request goes out: whatever comes back, the device may have the change from then on.
func (r *runner) send(ctx context.Context, d *plan.Device, dev Device) error {
	if !dev.Timed() {
		r.report(d.Name, Set)
		return dev.Set(ctx, d.Request)
	}
	r.arm(d.Name)
	r.report(d.Name, Armed)
	return dev.Arm(ctx, d.Request, r.o.ID, r.o.Rollback)
}

// keep holds the timers of what is armed: it starts them again once half of one is gone. A timer
// that may have run out already, because this process stood still, ends the transaction.
func (r *runner) keep(ctx context.Context) error {
	left := r.left()
	if left <= r.o.Rollback/10 {
		return ErrLate
	}
	if left > r.o.Rollback/2 {
		return nil
	}
	return r.each(ctx, r.armed(), func(ctx context.Context, d *plan.Device, dev Device) error {
		r.arm(d.Name)
		return dev.Extend(ctx, r.o.ID, r.o.Rollback)
	})
}

// commit is the decision: every device verified, so every device keeps the change, whatever happens
// to the others from here on.
func (r *runner) commit(ctx context.Context) Result {
	err := r.every(ctx, r.names(), r.confirm)
	keepers := append(r.in(Confirmed), r.plan.Unsaved...)
	saved := r.run(keepers, func(name string) error { return r.save(ctx, name, r.devices[name]) })
	if err = errors.Join(err, saved); err != nil {
		return r.finish(Mixed, err)
	}
	return r.finish(Done, nil)
}

// confirm asks twice: the first answer may have been lost. What a device then has is read, since a
// device that was confirmed, one that is armed still, and one that took the change back differ.
func (r *runner) confirm(ctx context.Context, d *plan.Device, dev Device) error {
	if !dev.Timed() || dev.Confirm(ctx, r.o.ID) == nil {
		r.report(d.Name, Confirmed)
		return nil
	}
	err := dev.Confirm(ctx, r.o.ID)
	if err == nil {
		r.report(d.Name, Confirmed)
		return nil
	}
	switch got, unread := dev.Read(ctx); {
	case unread != nil:
		r.report(d.Name, Unknown)
	case config.Equal(got, d.After):
		r.report(d.Name, Armed)
	case config.Equal(got, d.Before):
		r.report(d.Name, Restored)
	default:
		r.report(d.Name, Unknown)
	}
	return err
}

func (r *runner) save(ctx context.Context, name string, dev Device) error {
	if err := dev.Save(ctx); err != nil {
		r.report(name, Unsaved)
		return err
	}
	r.report(name, Saved)
	return nil
}

// abort undoes every device that may have the change and verifies that its base is back. It has
// its own deadline: the caller's context may be what ended the transaction.
func (r *runner) abort(cause error) Result {
	touched := r.in(Armed, Set, Verified)
	if len(touched) == 0 {
		return r.finish(Unchanged, cause)
	}
	ctx, cancel := context.WithTimeout(context.Background(), max(r.o.Rollback, time.Minute))
	defer cancel()
	if err := r.every(ctx, touched, r.undo); err != nil {
		return r.finish(Mixed, errors.Join(cause, err))
	}
	return r.finish(RolledBack, cause)
}

// undo brings one device back to its base. A failed cancel is no failure yet: the timer may have
// run out, or the request may never have arrived. What counts is what is read afterwards.
func (r *runner) undo(ctx context.Context, d *plan.Device, dev Device) error {
	undone := r.takeBack(ctx, d, dev)
	got, err := dev.Read(ctx)
	switch {
	case err != nil:
		r.report(d.Name, Unknown)
		return fmt.Errorf("undo: %w", errors.Join(undone, err))
	case config.Equal(got, d.Before):
		r.report(d.Name, Restored)
		return nil
	case config.Equal(got, d.After) && dev.Timed():
		r.report(d.Name, Armed)
	default:
		r.report(d.Name, Unknown)
	}
	return fmt.Errorf("undo: %w", errors.Join(undone, &MismatchError{Changes: config.Diff(got, d.Before)}))
}

func (r *runner) takeBack(ctx context.Context, d *plan.Device, dev Device) error {
	if dev.Timed() {
		return dev.Cancel(ctx, r.o.ID)
	}
	return dev.Set(ctx, d.Inverse)
}

// MismatchError says that a device does not have what it was given.
type MismatchError struct{ Changes []config.Change }

// Error counts the differences and shows the first.
func (e *MismatchError) Error() string {
	c := e.Changes[0]
	return fmt.Sprintf("read back differs from what was sent in %d places, first %s", len(e.Changes), c.At)
}
