package sim

import (
	"context"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// subscription is one Subscribe RPC.
type subscription struct {
	*Device
	list   *gnmi.SubscriptionList
	stream gnmi.GNMI_SubscribeServer
	all    []config.Path // all subscribed paths
	change []config.Path // those that want changes
	sample []config.Path // those that want samples
	every  time.Duration // between samples
}

// Subscribe serves the modes ONCE, POLL and STREAM (gNMI spec §3.5.1.5).
func (s *server) Subscribe(stream gnmi.GNMI_SubscribeServer) error {
	stream = s.faultyStream(stream)
	req, err := stream.Recv()
	if err != nil {
		return err
	}
	sub, err := s.subscription(req.GetSubscribe(), stream)
	if err != nil {
		return err
	}
	switch sub.list.GetMode() {
	case gnmi.SubscriptionList_ONCE:
		view, _ := s.look()
		return sub.sendAll(view)
	case gnmi.SubscriptionList_POLL:
		return sub.poll()
	}
	return sub.follow()
}

// subscription checks the first message of a Subscribe.
func (d *Device) subscription(list *gnmi.SubscriptionList, stream gnmi.GNMI_SubscribeServer) (*subscription, error) {
	if list == nil {
		return nil, status.Error(codes.InvalidArgument, "the first message must subscribe to something")
	}
	if err := checkEncoding(list.GetEncoding()); err != nil {
		return nil, err
	}
	sub := &subscription{Device: d, list: list, stream: stream, every: time.Hour}
	for _, one := range list.GetSubscription() {
		path, err := d.resolve(list.GetPrefix(), one.GetPath())
		if err != nil {
			return nil, err
		}
		sub.add(path, one)
	}
	return sub, nil
}

// add takes one path. What the target is to define is sent on change: SR Linux does so for all it has here.
func (sub *subscription) add(path config.Path, one *gnmi.Subscription) {
	sub.all = append(sub.all, path)
	if one.GetMode() != gnmi.SubscriptionMode_SAMPLE {
		sub.change = append(sub.change, path)
		return
	}
	const fastest = time.Second // also where the request leaves it to us
	sub.sample = append(sub.sample, path)
	sub.every = min(sub.every, max(fastest, time.Duration(one.GetSampleInterval())))
}

// sendAll sends what there is, unless only updates are wanted, and says that this was all.
func (sub *subscription) sendAll(view *config.Tree) error {
	if !sub.list.GetUpdatesOnly() {
		if err := sub.send(leaves(view, sub.all), nil); err != nil {
			return err
		}
	}
	return sub.stream.Send(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_SyncResponse{SyncResponse: true}})
}

// poll answers each poll until the client ends the stream.
func (sub *subscription) poll() error {
	for {
		req, err := sub.stream.Recv()
		if err != nil {
			return nil // the client has gone, which is how this mode ends
		}
		if req.GetPoll() == nil {
			return status.Error(codes.InvalidArgument, "a subscription in mode POLL takes polls only")
		}
		view, _ := sub.look()
		if err := sub.sendAll(view); err != nil {
			return err
		}
	}
}

// follow sends what there is and then what changes, until the client goes.
func (sub *subscription) follow() error {
	ctx := sub.stream.Context()
	tick := sub.ticks(ctx)
	view, changed := sub.look()
	if err := sub.sendAll(view); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-changed:
			before := view
			view, changed = sub.look()
			err = sub.send(changes(before, view, sub.change))
		case <-tick:
			err = sub.send(leaves(view, sub.sample), nil)
		}
		if err != nil {
			return err
		}
	}
}

// ticks returns a channel that tells when to sample, nil where nothing is sampled.
func (sub *subscription) ticks(ctx context.Context) <-chan struct{} {
	if len(sub.sample) == 0 {
		return nil
	}
	tick := make(chan struct{}, 1)
	var arm func()
	arm = func() {
		if ctx.Err() != nil {
			return
		}
		select {
		case tick <- struct{}{}:
		default: // the client is slower than its interval
		}
		sub.sim.config.Clock.AfterFunc(sub.every, arm)
	}
	sub.sim.config.Clock.AfterFunc(sub.every, arm)
	return tick
}

// batch is how many updates one notification carries.
const batch = 100

// send sends deletes and updates. Deletes come first, as within a notification (gNMI spec §2.1).
func (sub *subscription) send(updates []*gnmi.Update, deletes []*gnmi.Path) error {
	for len(updates) > 0 || len(deletes) > 0 {
		n := min(len(updates), batch)
		note := sub.notification(sub.list.GetPrefix(), updates[:n])
		note.Delete = deletes
		updates, deletes = updates[n:], nil
		if err := sub.stream.Send(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_Update{Update: note}}); err != nil {
			return err
		}
	}
	return nil
}

// leaves returns one update per leaf and leaf-list at and below the patterns.
func leaves(view *config.Tree, patterns []config.Path) []*gnmi.Update {
	var out []*gnmi.Update
	for _, p := range patterns {
		within(view.Root(), p, func(c config.Cursor) { out = append(out, leafUpdate(c)) })
	}
	return out
}

// leafUpdate returns the update of one leaf or leaf-list.
func leafUpdate(c config.Cursor) *gnmi.Update { return update(c.Path(), c.AppendJSON(nil)) }

// within calls f for each leaf and leaf-list below a node that a pattern, relative to it, covers.
func within(c config.Cursor, pattern config.Path, f func(config.Cursor)) {
	if kind := c.Node().Kind; kind == config.Leaf || kind == config.LeafList {
		if len(pattern) == 0 {
			f(c)
		}
		return
	}
	for child := range c.Children() {
		isList := child.Node().Kind == config.List && !child.IsEntry()
		switch {
		case len(pattern) == 0 || isList:
			within(child, pattern, f)
		case child.IsEntry() && matches(elemOf(child), pattern[0]), !child.IsEntry() && matches(config.Elem{Name: child.Node().Name}, pattern[0]):
			within(child, pattern[1:], f)
		}
	}
}

// changes returns what a subscriber to some patterns has to be told when one tree follows another.
func changes(before, after *config.Tree, patterns []config.Path) (updates []*gnmi.Update, deletes []*gnmi.Path) {
	told := map[string]bool{}
	tell := func(c config.Cursor) {
		path := c.Path()
		if key := path.String(); covered(path, patterns) && !told[key] {
			told[key] = true
			updates = append(updates, leafUpdate(c))
		}
	}
	for _, change := range config.Diff(before, after) {
		switch {
		case change.From.Valid() && change.From.IsValue() || change.To.Valid() && change.To.IsValue():
			// A leaf-list is told as a whole.
			if c := after.Find(change.At); c.Valid() {
				tell(c)
			} else if covered(change.At, patterns) {
				deletes = append(deletes, change.At.GNMI())
			}
		case change.Op == config.Delete:
			deletes = append(deletes, gone(change.From, patterns)...)
		case change.Op == config.Reorder && change.To.Node().Kind == config.List:
			// gNMI has no way to tell the order of a list's entries.
		default:
			within(change.To, nil, tell)
		}
	}
	return updates, deletes
}

// covered tells whether one of the patterns covers a path.
func covered(path config.Path, patterns []config.Path) bool {
	for _, p := range patterns {
		if below(path, p) {
			return true
		}
	}
	return false
}

// gone returns what to tell about a deleted node: the node itself where a pattern covers it, else
// the leaves below it that one does.
func gone(c config.Cursor, patterns []config.Path) []*gnmi.Path {
	if path := c.Path(); covered(path, patterns) {
		return []*gnmi.Path{path.GNMI()}
	}
	var out []*gnmi.Path
	within(c, nil, func(leaf config.Cursor) {
		if path := leaf.Path(); covered(path, patterns) {
			out = append(out, path.GNMI())
		}
	})
	return out
}
