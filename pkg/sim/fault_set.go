package sim

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
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
		Name: "malformed-result", At: AtDevice, Help: "a Set is done, and its results are not those of its operations",
		Takes: []string{"on"}, Default: Fault{On: Change}, set: malformedResult,
		Forms: []Form{
			{"missing", "there are none"}, {"extra", "the first stands there twice"}, {"reversed", "they are in another order"},
			{"paths", "they are about other paths"}, {"operations", "they name no operation"},
		},
	},
	{
		Name: "half-applied", At: AtDevice, Help: "only the first operations of a Set are done, count of them or half, and an error is answered; no commit is open",
		Takes: []string{"on", "count", "code", "message"}, Default: Fault{On: Change, Code: codes.Aborted}, set: halfApplied,
	},
	{
		Name: "leaf-ignored", At: AtDevice, Help: "a Set is answered with OK, and one leaf of it stays as it was: the one at path, or any",
		Takes: []string{"on", "path", "seed"}, Default: Fault{On: Change}, set: leafIgnored,
	},
	{
		Name: "nothing-applied", At: AtDevice, Help: "a Set is answered with OK, and nothing is done",
		Takes: []string{"on"}, Default: Fault{On: AnySet}, set: nothingApplied,
	},
	{
		Name: "normalise", At: AtDevice, Help: "what a Set says of the leaf at path is accepted as another value, or dropped where none is given, as a default would be",
		Needs: []string{"path"}, Takes: []string{"on", "value"}, Default: Fault{On: Change}, set: normalise,
	},
	{
		Name: "revert", At: AtDevice, Help: "what a Set has changed goes back by itself after the delay, and nobody is told",
		Takes: []string{"on", "delay"}, Default: Fault{On: Change, Delay: 10 * time.Second}, set: revertLater,
	},
}

// faulty is the way of every Set through the faults that are injected, the last one first, and into the journal.
func (d *Device) faulty(ctx context.Context, req *gnmi.SetRequest, set func(*gnmi.SetRequest) (*gnmi.SetResponse, error)) (*gnmi.SetResponse, error) {
	b := d.sim.faults
	e := b.journal.open(d, req)
	answer := func(_ context.Context, req *gnmi.SetRequest) (*gnmi.SetResponse, error) {
		return e.during(func() (*gnmi.SetResponse, error) { return set(req) })
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
		resp.Response = append(all[:1:1], all...)
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

// halfApplied breaks what gNMI promises first: that a Set is one transaction (§3.4.3).
func halfApplied(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	if _, err := next(ctx, first(req, cmp.Or(f.Count, (operations(req)+1)/2))); err != nil {
		return nil, err
	}
	return nil, f.refusal()
}

// first returns a request with the first operations of another, in the order in which they are done (§3.4.2),
// and without the commit extension.
func first(req *gnmi.SetRequest, n int) *gnmi.SetRequest {
	out := &gnmi.SetRequest{Prefix: req.GetPrefix()}
	out.Delete, n = upTo(req.GetDelete(), n)
	out.Replace, n = upTo(req.GetReplace(), n)
	out.Update, n = upTo(req.GetUpdate(), n)
	out.UnionReplace, _ = upTo(req.GetUnionReplace(), n)
	return out
}

// upTo returns at most n of a list, and how many of the n are left.
func upTo[T any](list []T, n int) ([]T, int) {
	k := min(len(list), n)
	return list[:k], n - k
}

func nothingApplied(f *injected, _ context.Context, req *gnmi.SetRequest, _ setFunc) (*gnmi.SetResponse, error) {
	return &gnmi.SetResponse{Prefix: req.GetPrefix(), Response: results(req), Timestamp: f.sim.config.Clock.Now().UnixNano()}, nil
}

// leafIgnored lets the device come to the configuration that the Set asks for, but for one leaf.
func leafIgnored(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	before := f.device.Running()
	wanted, err := config.Apply(before, req)
	if err != nil {
		return next(ctx, req) // which says what is wrong with it
	}
	ignored := f.oneLeaf(before, wanted)
	if ignored == nil {
		return next(ctx, req)
	}
	wanted, err = config.Apply(wanted, assign(ignored, string(before.Find(ignored).AppendJSON(nil))))
	if err != nil {
		return next(ctx, req) // the configuration cannot be without it
	}
	less := config.SetRequest(before, wanted, leafByLeaf)
	less.Extension = req.GetExtension()
	resp, err := next(ctx, less)
	if err != nil {
		return nil, err
	}
	resp.Prefix, resp.Response = req.GetPrefix(), results(req)
	return resp, nil
}

// leafByLeaf makes requests that touch nothing beside what they change.
func leafByLeaf(config.Cursor) bool { return false }

// oneLeaf returns a leaf that one tree has, and another has not or has otherwise: the one at the fault's path,
// or any. It returns nil where there is none.
func (f *injected) oneLeaf(before, after *config.Tree) config.Path {
	var all []config.Path
	for _, c := range config.Diff(before, after) {
		for _, leaf := range leavesBelow(c.To) {
			if f.Path == "" || leaf.String() == f.Path {
				all = append(all, leaf)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[f.pick(len(all))]
}

// leavesBelow returns the leaves at and below a node, but for keys.
func leavesBelow(c config.Cursor) []config.Path {
	switch {
	case !c.Valid() || c.IsKey() || c.IsValue():
		return nil
	case c.IsLeaf():
		return []config.Path{c.Path()}
	}
	var out []config.Path
	for child := range c.Children() {
		out = append(out, leavesBelow(child)...)
	}
	return out
}

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

func normalise(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	resp, err := next(ctx, req)
	if err != nil {
		return nil, err
	}
	at, err := config.ParsePath(f.Path)
	if err == nil && f.device.Running().Find(at).Valid() {
		err = f.device.amend(assign(at, f.Value))
	}
	f.complain(err)
	return resp, nil
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
