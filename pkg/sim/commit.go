package sim

import (
	"fmt"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// pending is a commit that waits for its confirmation. There is at most one (gNMI commit-confirmed
// extension 0.1.0, §2).
type pending struct {
	id     string
	before configuration // to go back to
	stop   func()        // of the timer
}

// defaultRollback is the extension's timer where neither request nor driver names one.
const defaultRollback = 10 * time.Minute

// Extension is what a device makes of the commit-confirmed extension.
type Extension uint8

// What it makes of it. An operating system of which nobody knows (driver.Manners.Ask) refuses it by default.
const (
	AsReleased Extension = iota
	Honoured
	Ignored // silently, as a field that it does not know
)

// commitOf returns the extension of a request, nil where it has none, or where the device ignores it.
func (d *Device) commitOf(req *gnmi.SetRequest) *gnmi_ext.Commit {
	if d.spec.Commits == Ignored || d.spec.Commits == AsReleased && !d.extended() {
		return nil
	}
	return commitIn(req)
}

func commitIn(req *gnmi.SetRequest) *gnmi_ext.Commit {
	for _, e := range req.GetExtension() {
		if c := e.GetCommit(); c != nil {
			return c
		}
	}
	return nil
}

// refuseCommit refuses the extension where the device says that it does not have it.
func (d *Device) refuseCommit(req *gnmi.SetRequest) error {
	if d.spec.Commits == AsReleased && !d.extended() && d.spec.Driver.Manners.Ask && commitIn(req) != nil {
		return status.Error(codes.Unimplemented, "the commit-confirmed extension is not supported")
	}
	return nil
}

// transact does what a Set asks for. The caller holds mu.
func (d *Device) transact(req *gnmi.SetRequest, bends []bender) error {
	c := d.commitOf(req)
	if c == nil {
		return d.plainSet(req, bends)
	}
	if c.GetId() == "" {
		return status.Error(codes.InvalidArgument, "commit id is missing")
	}
	switch action := c.GetAction().(type) {
	case *gnmi_ext.Commit_Commit:
		return d.openCommit(c.GetId(), action.Commit.GetRollbackDuration(), req, bends)
	case *gnmi_ext.Commit_Confirm:
		return d.onPending(c.GetId(), req, d.confirm)
	case *gnmi_ext.Commit_Cancel:
		return d.onPending(c.GetId(), req, d.revert)
	case *gnmi_ext.Commit_SetRollbackDuration:
		rollback := action.SetRollbackDuration.GetRollbackDuration().AsDuration()
		if rollback <= 0 {
			return status.Error(codes.InvalidArgument, "rollback duration must be greater than 0")
		}
		return d.onPending(c.GetId(), req, func() { d.arm(rollback) })
	}
	return status.Error(codes.InvalidArgument, "commit without an action")
}

// errPending refuses whatever is not about the open commit (§3.2.1).
func (d *Device) errPending() error {
	return status.Errorf(codes.FailedPrecondition, "commit %q is waiting for its confirmation", d.pending.id)
}

// plainSet is a Set without the extension. Where the server is configured so, it has to be confirmed all the
// same (SR Linux: gnmi/commit-confirmed-timeout), under an id that the server makes.
func (d *Device) plainSet(req *gnmi.SetRequest, bends []bender) error {
	if d.pending != nil {
		return d.errPending()
	}
	if len(pathsOf(req)) == 0 {
		return nil
	}
	after, err := d.after(req, bends)
	if err != nil {
		return err
	}
	if forced := d.serverOf(d.running.tree()).Confirm; forced > 0 {
		d.open(fmt.Sprintf("set-%d", d.committed.serial+1), forced, after)
		return nil
	}
	d.run(after)
	d.save()
	return nil
}

// openCommit makes a change that is taken back unless it is confirmed.
func (d *Device) openCommit(id string, wanted *durationpb.Duration, req *gnmi.SetRequest, bends []bender) error {
	if d.pending != nil {
		return d.errPending()
	}
	rollback, err := d.rollback(wanted)
	if err != nil {
		return err
	}
	after, err := d.after(req, bends)
	if err != nil {
		return err
	}
	d.open(id, rollback, after)
	return nil
}

// open runs a configuration for a time.
func (d *Device) open(id string, rollback time.Duration, after configuration) {
	d.pending = &pending{id: id, before: d.running, stop: func() {}}
	d.arm(rollback)
	d.run(after)
}

// change returns the running configuration after a request that the device, being of its platform, can do.
func (d *Device) change(req *gnmi.SetRequest) (configuration, error) {
	after, err := d.running.apply(req)
	if err != nil {
		return after, err
	}
	return after, d.vet(d.running.tree(), after.tree())
}

// after returns the configuration after a request, or a status that tells why there is none.
func (d *Device) after(req *gnmi.SetRequest, bends []bender) (configuration, error) {
	after, err := d.change(req)
	if err == nil {
		return d.bent(after, bends)
	}
	err = d.setStatus(err)
	if len(req.GetUnionReplace()) > 0 {
		err = unionStatus(err)
	}
	return configuration{}, err
}

// Accept confirms the open commit as an operator at the box would, whoever opened it. Without one it is an error.
func (d *Device) Accept() error {
	_, err := d.accept()
	return err
}

// accept is Accept, and returns the id of the commit.
func (d *Device) accept() (id string, err error) {
	if id, err = d.acceptNow(); err == nil {
		d.sim.faults.journal.write(Entry{Event: "accept", Device: d.spec.Name, Commit: id})
	}
	return id, err
}

func (d *Device) acceptNow() (id string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending == nil {
		return "", fmt.Errorf("%s: no commit is waiting for its confirmation", d.spec.Name)
	}
	id = d.pending.id
	d.confirm()
	return id, nil
}

// rollback returns the time that a commit has, given what the request wants.
func (d *Device) rollback(wanted *durationpb.Duration) (time.Duration, error) {
	switch own := d.spec.Driver.Manners.Rollback; {
	case wanted != nil && wanted.AsDuration() <= 0:
		return 0, status.Error(codes.InvalidArgument, "rollback duration must be greater than 0")
	case wanted != nil:
		return wanted.AsDuration(), nil
	case own > 0:
		return own, nil
	}
	return defaultRollback, nil
}

// onPending does something to the open commit, if the request is about it and carries no change:
// a commit cannot be amended (§2).
func (d *Device) onPending(id string, req *gnmi.SetRequest, do func()) error {
	switch {
	case d.pending == nil:
		return status.Error(codes.FailedPrecondition, "no commit is waiting for its confirmation")
	case d.pending.id != id:
		return status.Errorf(codes.InvalidArgument, "commit %q is waiting for its confirmation, not %q", d.pending.id, id)
	case len(pathsOf(req)) > 0:
		return status.Error(codes.InvalidArgument, "a commit that waits for its confirmation cannot be amended")
	}
	do()
	return nil
}

// confirm makes the open commit final.
func (d *Device) confirm() {
	d.pending.stop()
	d.pending = nil
	d.save()
}

// revert takes the open commit back.
func (d *Device) revert() {
	d.pending.stop()
	d.run(d.pending.before) // while it is open: going back is part of the same commit
	d.pending = nil
}

// arm starts the timer of the open commit, anew if it runs.
func (d *Device) arm(rollback time.Duration) {
	p := d.pending
	p.stop()
	armed := &pending{id: p.id, before: p.before}
	armed.stop = d.sim.config.Clock.AfterFunc(rollback, func() { d.expire(armed) })
	d.pending = armed
}

// expire takes a commit back when its time is over, unless it has been decided or armed anew meanwhile.
func (d *Device) expire(p *pending) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending != p {
		return
	}
	d.log.Info("commit was not confirmed in time and is taken back", "commit", p.id)
	d.revert()
}
