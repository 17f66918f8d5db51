package device

import (
	"context"
	"errors"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// answer is what a device has said to a question that is asked once.
type answer uint8

const (
	unasked answer = iota
	hasNone
	hasSome
)

// probeID names a commit that nobody arms.
const probeID = "loom-probe"

// Timed tells whether the device takes back by itself what is not confirmed (gNMI commit-confirmed extension). It is not assumed of
// any: Timed confirms a commit that nobody has armed, with an empty Set. A device with the extension refuses that, one without takes
// the Set and ignores the rest, or refuses a field that it does not know. Where the release says that it has the extension and
// somebody else's commit waits, the error is the device's INVALID_ARGUMENT.
//
// A device of an operating system of which nobody knows (driver.Manners.Ask) is asked once: the answer holds for its release, which
// a Device does not change.
func (d *Device) Timed(ctx context.Context) (bool, error) {
	sure := d.released()
	switch known := d.known(); {
	case !sure && !d.target.Driver.Manners.Ask:
		return false, nil
	case !sure && known != unasked:
		return known == hasSome, nil
	}
	err := d.extended(ctx, "confirm", &gnmi.SetRequest{}, &gnmi_ext.Commit{Id: probeID, Action: &gnmi_ext.Commit_Confirm{Confirm: &gnmi_ext.CommitConfirm{}}})
	timed, err := d.timed(err, sure)
	if err == nil && !sure {
		d.learn(timed)
	}
	return timed, err
}

// Answered takes over what the device, with the release that it has now, has said to somebody else who asked for confirm timers. Who goes
// on with a commit that another process has opened cannot ask: the device says only that a commit waits.
func (d *Device) Answered(timed bool) {
	if d.known() == unasked {
		d.learn(timed)
	}
}

// timed is what the answer to a confirm of nothing means.
func (d *Device) timed(err error, sure bool) (bool, error) {
	e := (*Error)(nil)
	switch {
	case err == nil: // it has ignored the extension
		return false, nil
	case !errors.As(err, &e):
		return false, err
	}
	switch status.Code(e.Err) {
	case codes.FailedPrecondition: // nothing waits (commit-confirmed extension 0.1.0, §3.2.2)
		return true, nil
	case codes.InvalidArgument:
		if sure {
			return true, err // another id waits
		}
		return false, nil // as it may refuse what it does not know; nobody counts on more
	case codes.Unimplemented:
		return false, nil
	}
	return false, err
}

// released tells whether the release has the extension, as far as that is known.
func (d *Device) released() bool {
	confirm := d.target.Driver.Manners.Confirm
	return confirm != nil && confirm(d.target.Release)
}

func (d *Device) known() answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.timers
}

func (d *Device) learn(timed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timers = hasNone
	if timed {
		d.timers = hasSome
	}
}
