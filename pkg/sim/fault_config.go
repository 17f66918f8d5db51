package sim

import (
	"context"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/loomfabric/loom/pkg/config"
)

// configKinds are about somebody else, and about the timer of a commit.
var configKinds = []*Kind{
	{
		Name: "foreign-change", At: AtDevice, Help: "an operator at the box gives the node at path a value, or deletes it: now, or after each Set of a kind",
		Needs: []string{"path"}, Takes: []string{"on", "value"}, Default: Fault{On: Now},
		seat: &seat{}, start: onlyNow(changeByHand), set: afterwards(changeByHand),
	},
	{
		Name: "foreign-commit", At: AtDevice, Help: "another client opens a commit, which is not confirmed before the delay has passed: Sets are refused meanwhile",
		Takes: []string{"delay", "path", "value"}, Default: Fault{Delay: time.Minute}, seat: &seat{}, start: openForeignCommit,
	},
	{
		Name: "expire-commit", At: AtDevice, Help: "the time of the open commit is over: now, as if the device's clock had jumped, or just before a Set such as its confirm is looked at",
		Takes: []string{"on"}, Default: Fault{On: Confirm}, start: onlyNow(expireCommit), set: before(expireCommit),
	},
}

// onlyNow does something when the fault is injected, if that is its moment.
func onlyNow(do func(*injected) error) func(*injected) error {
	return func(f *injected) error {
		if f.On != Now {
			return nil
		}
		f.strike()
		defer f.release()
		return do(f)
	}
}

// before does something before a Set is looked at.
func before(do func(*injected) error) func(*injected, context.Context, *gnmi.SetRequest, setFunc) (*gnmi.SetResponse, error) {
	return func(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
		f.complain(do(f))
		return next(ctx, req)
	}
}

// afterwards does something after a Set was accepted and before that is answered.
func afterwards(do func(*injected) error) func(*injected, context.Context, *gnmi.SetRequest, setFunc) (*gnmi.SetResponse, error) {
	return func(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
		resp, err := next(ctx, req)
		if err == nil {
			f.complain(do(f))
		}
		return resp, err
	}
}

func changeByHand(f *injected) error {
	at, err := config.ParsePath(f.Path)
	if err != nil {
		return err
	}
	return f.device.Apply(assign(at, f.Value))
}

// openForeignCommit opens a commit of its own id, and cancels it when the fault is cleared before its time.
func openForeignCommit(f *injected) error {
	req := &gnmi.SetRequest{}
	if f.Path != "" {
		at, err := config.ParsePath(f.Path)
		if err != nil {
			return err
		}
		req = assign(at, f.Value)
	}
	id := "foreign-" + f.id
	req.Extension = commitExtension(&gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Commit{
		Commit: &gnmi_ext.CommitRequest{RollbackDuration: durationpb.New(f.Delay)},
	}})
	s := &server{Device: f.device}
	if _, err := s.set(req); err != nil {
		return err
	}
	f.later(f.Delay, f.end)
	f.mend(func() {
		if f.device.Pending() != id {
			return // its time was over
		}
		cancel := &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Cancel{Cancel: &gnmi_ext.CommitCancel{}}}
		_, err := s.set(&gnmi.SetRequest{Extension: commitExtension(cancel)})
		f.complain(err)
	})
	return nil
}

func commitExtension(c *gnmi_ext.Commit) []*gnmi_ext.Extension {
	return []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Commit{Commit: c}}}
}

// expireCommit ends the time of the open commit, if there is one.
func expireCommit(f *injected) error {
	f.device.mu.Lock()
	open := f.device.pending
	f.device.mu.Unlock()
	if open != nil {
		f.device.expire(open)
	}
	return nil
}
