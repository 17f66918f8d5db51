package sim

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/loomfabric/loom/pkg/config"
)

// setFunc answers a Set.
type setFunc func(context.Context, *gnmi.SetRequest) (*gnmi.SetResponse, error)

// moments are what Fault.On may be.
var moments = [...]string{AnySet, Change, Commit, Confirm, Cancel, Now}

// Values of Fault.On: every Set, those with operations, those that open, confirm or cancel a commit; or
// no Set at all but the moment of the injection.
const (
	AnySet  = "any"
	Change  = "change"
	Commit  = "commit"
	Confirm = "confirm"
	Cancel  = "cancel"
	Now     = "now"
)

// setKinds are about what a device answers to a Set, and what it makes of it.
var setKinds = []*Kind{
	{
		Name: "slow-set", At: AtDevice, Help: "a Set takes long: it is done after the delay",
		Needs: []string{"delay"}, Takes: []string{"on"}, Default: Fault{On: AnySet}, set: slowSet,
	},
	{
		Name: "slow-answer", At: AtDevice, Help: "a Set is done at once and answered after the delay",
		Needs: []string{"delay"}, Takes: []string{"on"}, Default: Fault{On: AnySet}, set: slowAnswer,
	},
	{
		Name: "refuse", At: AtDevice, Help: "a Set is refused with a code, and nothing is done",
		Takes:   []string{"on", "code", "message"},
		Forms:   []Form{{"plain", "a code and a text"}, {"details", "with details of a type that few clients know"}},
		Default: Fault{On: AnySet, Code: codes.Aborted}, set: refuse,
	},
	{
		Name: "disconnect", At: AtDevice, Help: "the connection breaks in the middle of a Set, which is never answered; new ones work",
		Takes: []string{"on"}, Default: Fault{On: AnySet}, set: disconnect,
		Forms: []Form{{"before", "before the Set is done, which it never is"}, {"after", "after the Set is done"}},
	},
	{
		Name: "malformed-result", At: AtDevice, Help: "a Set is done, and its results are not those of its operations",
		Takes: []string{"on"}, Default: Fault{On: Change}, set: malformedResult,
		Forms: []Form{
			{"missing", "there are none"}, {"extra", "the first stands there twice"}, {"reversed", "they are in another order"},
			{"paths", "they are about other paths"}, {"operations", "they name no operation"},
		},
	},
	{
		Name: "half-applied", At: AtDevice, Help: "only the first operations of a Set are done, count of them or half, and an error is answered; of a Set of one operation it is the first leaves that it changes. No commit is open, and nothing is saved",
		Takes: []string{"on", "count", "code", "message"}, Default: Fault{On: Change, Code: codes.Aborted}, bend: halve,
	},
	{
		Name: "leaf-ignored", At: AtDevice, Help: "a Set is answered with OK, and one leaf that it changes or deletes stays as it was: the one at path, or any",
		Takes: []string{"on", "path", "seed"}, Default: Fault{On: Change}, seat: &seat{leaf: true}, bend: ignoreLeaf,
	},
	{
		Name: "nothing-applied", At: AtDevice, Help: "a Set is answered with OK, and nothing is done",
		Takes: []string{"on"}, Default: Fault{On: AnySet}, set: nothingApplied,
	},
	{
		Name: "extension-ignored", At: AtDevice, Help: "the commit-confirmed extension of a Set is ignored, as by a release without it: a change is final at once, and a Set that only confirms or cancels is answered with OK",
		Takes: []string{"on"}, Default: Fault{On: AnySet}, set: ignoreExtension,
	},
	{
		Name: "normalise", At: AtDevice, Help: "what a Set says of the leaf at path is accepted, and saved, as another value, or dropped where none is given, as a default would be",
		Needs: []string{"path"}, Takes: []string{"on", "value"}, Default: Fault{On: Change}, seat: &seat{leaf: true}, bend: normalise,
	},
	{
		Name: "revert", At: AtDevice, Help: "what a Set has changed goes back by itself after the delay, and nobody is told",
		Takes: []string{"on", "delay"}, Default: Fault{On: Change, Delay: 10 * time.Second}, set: revertLater,
	},
}

// faulty is the way of every Set through the faults that are injected, the last one first, and into the journal.
func (d *Device) faulty(ctx context.Context, req *gnmi.SetRequest, set func(*gnmi.SetRequest, ...bender) (*gnmi.SetResponse, error)) (*gnmi.SetResponse, error) {
	b := d.sim.faults
	e := b.journal.open(d, req)
	answer := func(_ context.Context, req *gnmi.SetRequest) (*gnmi.SetResponse, error) {
		return e.during(func() (*gnmi.SetResponse, error) { return set(req, b.benders(d, req)...) })
	}
	for _, f := range b.of(d, func(k *Kind) bool { return k.set != nil }) {
		answer = f.around(answer)
	}
	resp, err := answer(ctx, req)
	e.close(err)
	b.answered(d)
	return resp, err
}

// answered counts a Set.
func (b *book) answered(d *Device) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sets[d.spec.Name]++
	b.stir()
}

// answers returns how many Sets each device has answered.
func (b *book) answers() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.sets)
}

// around returns how a device answers that has this fault too.
func (f *injected) around(next setFunc) setFunc {
	return func(ctx context.Context, req *gnmi.SetRequest) (*gnmi.SetResponse, error) {
		if !f.concerns(req) || !f.strike() {
			return next(ctx, req)
		}
		defer f.release()
		return f.kind.set(f, ctx, req, next)
	}
}

// concerns tells whether a Set is one of those that a fault is about.
func (f *injected) concerns(req *gnmi.SetRequest) bool {
	c := f.device.commitOf(req)
	switch f.On {
	case Change:
		return operations(req) > 0
	case Commit:
		return c.GetCommit() != nil
	case Confirm:
		return c.GetConfirm() != nil
	case Cancel:
		return c.GetCancel() != nil
	}
	return true
}

// operations counts what a Set asks for.
func operations(req *gnmi.SetRequest) int {
	return len(req.GetDelete()) + len(req.GetReplace()) + len(req.GetUpdate()) + len(req.GetUnionReplace())
}

func slowSet(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	f.wait(ctx, f.Delay)
	if ctx.Err() != nil {
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	return next(ctx, req)
}

func slowAnswer(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	resp, err := next(ctx, req)
	f.wait(ctx, f.Delay)
	return resp, err
}

// disconnect closes the connection that a Set came over.
func disconnect(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	if f.Form == "after" {
		if resp, err := next(ctx, req); err != nil {
			return resp, err
		}
	}
	lineOf(ctx).Close()
	return nil, lost(ctx)
}

func refuse(f *injected, _ context.Context, _ *gnmi.SetRequest, _ setFunc) (*gnmi.SetResponse, error) {
	return nil, f.refusal()
}

// refusal is the error that a fault answers with.
func (f *injected) refusal() error {
	s := status.New(f.Code, cmp.Or(f.Message, "refused by an injected fault"))
	if f.Form == "details" {
		if with, err := s.WithDetails(wrapperspb.String(f.id)); err == nil {
			return with.Err()
		}
	}
	return s.Err()
}

func malformedResult(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	resp, err := next(ctx, req)
	if err != nil {
		return nil, err
	}
	switch all := resp.Response; f.Form {
	case "missing":
		resp.Response = nil
	case "extra":
		resp.Response = append(all[:min(1, len(all)):min(1, len(all))], all...)
	case "reversed":
		slices.Reverse(all)
	case "paths":
		for _, r := range all {
			r.Path = &gnmi.Path{Elem: []*gnmi.PathElem{{Name: "elsewhere"}}}
		}
	case "operations":
		for _, r := range all {
			r.Op = gnmi.UpdateResult_INVALID
		}
	}
	return resp, nil
}

func nothingApplied(f *injected, _ context.Context, req *gnmi.SetRequest, _ setFunc) (*gnmi.SetResponse, error) {
	return &gnmi.SetResponse{Prefix: req.GetPrefix(), Response: results(req), Timestamp: f.sim.config.Clock.Now().UnixNano()}, nil
}

// ignoreExtension takes the extension for an unknown field, as protobuf has a server do that was built before it.
func ignoreExtension(_ *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	plain := proto.CloneOf(req)
	plain.Extension = slices.DeleteFunc(plain.Extension, func(e *gnmi_ext.Extension) bool { return e.GetCommit() != nil })
	return next(ctx, plain)
}

// leafByLeaf makes requests that touch nothing beside what they change.
func leafByLeaf(config.Cursor) bool { return false }

// assign returns a request that gives a node a value, or deletes it where that is empty.
func assign(at config.Path, value string) *gnmi.SetRequest {
	if value == "" {
		return &gnmi.SetRequest{Delete: []*gnmi.Path{at.GNMI()}}
	}
	return &gnmi.SetRequest{Update: []*gnmi.Update{update(at, []byte(value))}}
}

// amend changes the running configuration behind everybody's back: it is nobody's Set, and not saved.
func (d *Device) amend(req *gnmi.SetRequest) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	after, err := d.running.apply(req)
	if err == nil {
		d.run(after)
	}
	return err
}

func revertLater(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	before := f.device.Running()
	resp, err := next(ctx, req)
	if err != nil {
		return nil, err
	}
	back := config.SetRequest(f.device.Running(), before, leafByLeaf)
	f.keep()
	f.later(f.Delay, func() {
		f.complain(f.device.amend(back))
		f.release()
	})
	return resp, nil
}

// complain says that a fault could not do its work, where nobody waits for its error.
func (f *injected) complain(err error) {
	if err != nil {
		f.sim.config.Log.Error("fault", "id", f.id, "fault", f.Fault.String(), "error", err)
	}
}
