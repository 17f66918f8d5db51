package sim

import (
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// subscription is one Subscribe RPC.
type subscription struct {
	*Device
	list       *gnmi.SubscriptionList
	stream     gnmi.GNMI_SubscribeServer
	items      []*item
	depth      int                     // levels below a path that are shown; 0: all (gNMI depth extension 0.1.0)
	configOnly bool                    // and commit boundaries (gNMI config-subscription extension 0.1.0)
	covers     func(*config.Node) bool // whether a node is of a model that the client wants (gNMI spec §2.6)
	large      bool                    // sees large tables
	defaults   bool                    // sees leaves that may have defaults
	partial    bool                    // shows less than all leaves at and below a path
}

// item is one path of a subscription, or the part of it that is sent in one way.
type item struct {
	path      config.Path
	change    bool                     // sent when it changes
	every     time.Duration            // between samples; 0: not sampled
	heartbeat time.Duration            // after which it is sent even if it has not changed; 0: never
	suppress  bool                     // samples leave out what has not changed
	only      func(config.Cursor) bool // of the leaves at and below path; nil: all
	sent      map[string]string        // with suppress: JSON by path
}

// Sample intervals: the shortest, which is also what a client gets that leaves it to the device (§3.5.1.5.2),
// and the one that the device chooses by itself.
const (
	fastest      = time.Second
	targetSample = 10 * time.Second
)

// Subscribe serves the modes ONCE, POLL and STREAM (gNMI spec §3.5.1.5).
func (s *server) Subscribe(stream gnmi.GNMI_SubscribeServer) error {
	stream = s.faultyStream(stream)
	req, err := stream.Recv()
	if err != nil {
		return err
	}
	sub, err := s.subscription(req, stream)
	if err != nil {
		return err
	}
	switch {
	case sub.list.GetMode() == gnmi.SubscriptionList_ONCE:
		return sub.sendFirst(sub.source())
	case sub.list.GetMode() == gnmi.SubscriptionList_POLL:
		return sub.poll()
	case sub.configOnly:
		return sub.followCommits()
	}
	return sub.follow()
}

// subscription checks the first message of a Subscribe.
func (d *Device) subscription(req *gnmi.SubscribeRequest, stream gnmi.GNMI_SubscribeServer) (*subscription, error) {
	list := req.GetSubscribe()
	switch {
	case list == nil:
		return nil, status.Error(codes.InvalidArgument, "the first message must subscribe to something")
	case len(list.GetSubscription()) == 0:
		return nil, status.Error(codes.InvalidArgument, "a subscription needs at least one path (gNMI specification 3.5.1.2)")
	}
	if limit := d.serverConfig().Streams; limit > 0 && len(list.GetSubscription()) > limit {
		return nil, status.Errorf(codes.InvalidArgument, "%d paths in one subscription request, at most %d are allowed", len(list.GetSubscription()), limit)
	}
	if err := checkEncoding(list.GetEncoding()); err != nil {
		return nil, err
	}
	sub := &subscription{Device: d, list: list, stream: stream}
	if err := sub.extend(req.GetExtension()); err != nil {
		return nil, err
	}
	var err error
	if sub.covers, err = d.models(list.GetUseModels()); err != nil {
		return nil, err
	}
	sub.partial = len(list.GetUseModels()) > 0 || sub.depth > 0
	for _, one := range list.GetSubscription() {
		path, err := d.resolve(list.GetPrefix(), one.GetPath())
		if err != nil {
			return nil, err
		}
		sub.large = sub.large || d.wantsLarge([]config.Path{path})
		sub.defaults = sub.defaults || d.leadToDefault([]config.Path{path})
		if err := sub.add(path, one); err != nil {
			return nil, err
		}
	}
	return sub, nil
}

// extend takes the extensions that change what a subscription shows. A release that does not know them
// sees unknown fields, and ignores them.
func (sub *subscription) extend(extensions []*gnmi_ext.Extension) error {
	sub.depth = sub.depthOf(extensions)
	for _, e := range extensions {
		c := e.GetConfigSubscription()
		if c == nil || !sub.extended() {
			continue
		}
		if c.GetStart() == nil {
			return status.Error(codes.InvalidArgument, "a client can only start a config subscription; sync_done is the target's to say")
		}
		sub.configOnly = true
	}
	return nil
}

// add takes one path.
func (sub *subscription) add(path config.Path, one *gnmi.Subscription) error {
	heartbeat, every := time.Duration(one.GetHeartbeatInterval()), time.Duration(one.GetSampleInterval())
	if sub.list.GetMode() != gnmi.SubscriptionList_STREAM {
		sub.items = append(sub.items, &item{path: path})
		return nil
	}
	if heartbeat != 0 && heartbeat < fastest {
		return status.Errorf(codes.InvalidArgument, "heartbeat interval %v is not supported, the shortest is %v", heartbeat, fastest)
	}
	switch one.GetMode() {
	case gnmi.SubscriptionMode_ON_CHANGE:
		sub.items = append(sub.items, &item{path: path, change: true, heartbeat: heartbeat})
	case gnmi.SubscriptionMode_SAMPLE:
		if every == 0 {
			every = fastest
		}
		if every < fastest {
			return status.Errorf(codes.InvalidArgument, "sample interval %v is not supported, the shortest is %v", every, fastest)
		}
		it := &item{path: path, every: every, heartbeat: heartbeat, suppress: one.GetSuppressRedundant(), sent: map[string]string{}}
		sub.items = append(sub.items, it)
	default:
		if every != 0 {
			return status.Error(codes.InvalidArgument, "a sample interval is for the mode SAMPLE; with TARGET_DEFINED the target chooses (gNMI specification 3.5.1.5.2)")
		}
		event := func(c config.Cursor) bool { return !sub.sampled(c) }
		sub.items = append(sub.items,
			&item{path: path, change: true, heartbeat: heartbeat, only: event},
			&item{path: path, every: targetSample, only: sub.sampled})
	}
	return nil
}

// sampled tells whether the device samples a leaf where the choice is its own (TARGET_DEFINED).
func (d *Device) sampled(c config.Cursor) bool {
	sw := d.spec.Software
	return sw != nil && sw.Sampled != nil && sw.Sampled(d.spec.Driver.Schema, c.ID())
}

// source returns the tree that the subscription shows.
func (sub *subscription) source() *config.Tree {
	if sub.configOnly {
		return sub.committed(sub.Running())
	}
	view, _ := sub.now()
	return view
}

// now returns what there is to see, as a Get of all types does: with the defaults that are in use (§3.5.2.4). The
// channel is closed when it changes.
func (sub *subscription) now() (*config.Tree, <-chan struct{}) {
	return sub.look(sub.large, sub.defaults)
}

// committed returns what a subscription to configuration shows of it, as a Get of configuration does: leaves that
// have their defaults only where the server is told so (SR Linux: gnmi/include-defaults-in-config-only-responses).
func (sub *subscription) committed(t *config.Tree) *config.Tree {
	switch {
	case !sub.defaults:
		return t
	case sub.serverOf(t).Defaults:
		return withDefaults(t)
	}
	return withoutDefaults(t)
}

// shows tells whether a leaf at or below the path of an item is to be sent.
func (sub *subscription) shows(it *item, c config.Cursor) bool {
	switch {
	case sub.configOnly && c.Node().State, it.only != nil && !it.only(c):
		return false
	}
	return sub.covers(c.Node())
}

// sendFirst sends what there is at first, unless only updates are wanted, and says that this was all.
func (sub *subscription) sendFirst(tree *config.Tree) error {
	if sub.list.GetUpdatesOnly() {
		return sub.synced()
	}
	return sub.sendAll(tree)
}

// sendAll sends what there is, and says that this was all.
func (sub *subscription) sendAll(tree *config.Tree) error {
	for _, it := range sub.items {
		updates := sub.leaves(tree, it)
		if it.suppress {
			updates = it.news(updates, true)
		}
		if err := sub.send(sub.sim.config.Clock.Now(), updates, nil); err != nil {
			return err
		}
	}
	return sub.synced()
}

func (sub *subscription) synced() error {
	return sub.stream.Send(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_SyncResponse{SyncResponse: true}})
}

// poll sends everything once, as what §3.5.1.2 says of updates_only implies and gnmi_cli waits for, and then
// answers each poll until the client ends the stream. With updates_only there is nothing but the sync_response before
// the first poll (§3.5.1.2); a poll is still answered by all that there is, which §3.5.1.5.3 demands of every poll.
func (sub *subscription) poll() error {
	if err := sub.sendFirst(sub.source()); err != nil {
		return err
	}
	for {
		req, err := sub.stream.Recv()
		switch {
		case err == errMoved:
			return err
		case err != nil:
			return nil // the client has gone, which is how this mode ends
		}
		if req.GetPoll() == nil {
			return status.Error(codes.InvalidArgument, "a subscription in mode POLL takes polls only")
		}
		if err := sub.sendAll(sub.source()); err != nil {
			return err
		}
	}
}

// batch is how many updates one notification carries.
const batch = 100

// send sends deletes and updates, as they were at a time. Deletes come first, as within a notification (§2.1).
func (sub *subscription) send(at time.Time, updates []*gnmi.Update, deletes []*gnmi.Path) error {
	for len(updates) > 0 || len(deletes) > 0 {
		n := min(len(updates), batch)
		note := sub.notification(sub.list.GetPrefix(), updates[:n])
		note.Timestamp, note.Delete = at.UnixNano(), deletes
		updates, deletes = updates[n:], nil
		if err := sub.stream.Send(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_Update{Update: note}}); err != nil {
			return err
		}
	}
	return nil
}
