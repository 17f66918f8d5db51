package northbound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/openconfig/gnmi/coalesce"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Reader is one collector's view of feeds: a queue of what it has to be told. One goroutine calls Next; the other methods may be
// called by any.
type Reader struct {
	queue *coalesce.Queue // of *leaf, and of what stands below
	named bool            // the collector has named one device, and is told what that one refuses

	mu      sync.Mutex
	links   map[*Feed]*link
	waiting int   // links whose first values are not there yet
	opened  bool  // all feeds of the beginning are linked
	synced  bool  // sync_response is in the queue
	failed  error // it cannot go on

	// Of Next alone.
	left []told // were taken out of the queue, and not told yet
}

// What is in a queue besides leaves.
type (
	whole struct{ *link } // all leaves of a feed are to be told
	ended struct {        // nothing of a feed is there any more
		*link
		at int64
	}
	synced struct{}
	broken struct{} // it has failed
)

// link is what a collector has to do with a feed.
type link struct {
	reader    *Reader
	feed      *Feed
	target    string // as the collector calls the device
	suppress  bool
	heartbeat time.Duration
	updates   bool // it does not want what there is, only what comes
	refused   error
}

// NewReader is a reader without feeds. updatesOnly and named hold for all of them: named is that the collector has named a device,
// and so what a device refuses ends it.
func NewReader(named bool) *Reader {
	return &Reader{queue: coalesce.NewQueue(), named: named, links: map[*Feed]*link{}}
}

// Link has the reader told of what a feed has and of what becomes of it. target is how the collector calls the device.
func (r *Reader) Link(f *Feed, target string, i Interest, updatesOnly bool) {
	l := &link{reader: r, feed: f, target: target, suppress: i.Suppress, heartbeat: i.Heartbeat, updates: updatesOnly}
	f.mu.Lock()
	defer f.mu.Unlock()
	r.mu.Lock()
	r.links[f] = l
	if !f.ready {
		r.waiting++
	}
	r.mu.Unlock()
	switch {
	case f.over != nil:
		r.fail(f.over)
		return
	case f.refused != nil:
		r.refuse(l, f.refused)
	}
	f.links[l] = struct{}{}
	if !updatesOnly && f.size > 0 {
		r.insert(whole{l})
	}
}

// Unlink has the reader told that all of a feed is gone, and of nothing more of it. What was refused, or has never been there, is
// not told of.
func (r *Reader) Unlink(f *Feed, now time.Time) {
	if l := r.unlink(f); l != nil {
		r.insert(ended{l, now.UnixNano()})
	}
}

func (r *Reader) unlink(f *Feed) *link {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.links[f]
	if l == nil {
		return nil
	}
	delete(r.links, f)
	delete(f.links, l)
	if !f.ready {
		r.first()
	}
	return l
}

// Open says that all feeds of the beginning are linked: when they have told their first values the collector gets a sync_response.
func (r *Reader) Open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened = true
	r.sync()
}

// Beat has all values of feeds with a heartbeat told again, of devices that are there.
func (r *Reader) Beat(heartbeat time.Duration) {
	r.mu.Lock()
	var due []*link
	for _, l := range r.links {
		if l.heartbeat == heartbeat {
			due = append(due, l)
		}
	}
	r.mu.Unlock()
	for _, l := range due {
		l.feed.mu.Lock()
		if l.feed.told {
			r.insert(whole{l})
		}
		l.feed.mu.Unlock()
	}
}

// Close ends the reader. No Next is under way, and none comes.
func (r *Reader) Close() {
	r.fail(errors.New("closed"))
	r.mu.Lock()
	feeds := make([]*Feed, 0, len(r.links))
	for f := range r.links {
		feeds = append(feeds, f)
	}
	r.mu.Unlock()
	for _, f := range feeds {
		r.unlink(f)
	}
	for r.queue.Len() > 0 {
		item, _, err := r.queue.Next(context.Background())
		if err != nil {
			return
		}
		if l, ok := item.(*leaf); ok {
			l.feed.mu.Lock()
			l.waiting--
			l.feed.tidy(l)
			l.feed.mu.Unlock()
		}
	}
}

// Fail ends Next by an error.
func (r *Reader) Fail(err error) { r.fail(err) }

func (r *Reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failWith(err)
}

// failWith is fail where r.mu is held.
func (r *Reader) failWith(err error) {
	if r.failed == nil {
		r.failed = err
		r.insert(broken{})
	}
}

// failure is why it cannot go on.
func (r *Reader) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// refuse takes that a device will not be subscribed to. With all devices together that is one which has nothing of the kind; if
// all of them refuse, that is what the collector is told. The feed is locked.
func (r *Reader) refuse(l *link, err error) {
	if r.named {
		r.fail(err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l.refused = err
}

// hasFirst takes that a feed has told its first values. The feed is locked.
func (r *Reader) hasFirst() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.first()
}

func (r *Reader) first() {
	r.waiting--
	r.sync()
}

// sync puts a sync_response behind all first values. r.mu is held.
func (r *Reader) sync() {
	if !r.opened || r.synced || r.waiting > 0 {
		return
	}
	r.synced = true
	r.insert(synced{})
	refused, wanted := map[string]error{}, map[string]bool{}
	for f, l := range r.links {
		if l.refused != nil {
			refused[f.source.Path] = l.refused
		} else {
			wanted[f.source.Path] = true
		}
	}
	for path, err := range refused {
		if !wanted[path] {
			r.failWith(fmt.Errorf("refused by all devices, as by %w", err))
		}
	}
}

// tell has a leaf told. The feed is locked.
func (k *link) tell(l *leaf) {
	if k.updates && !k.feed.known {
		return
	}
	if k.reader.queue.Len() >= MostPending {
		k.reader.fail(fmt.Errorf("%w: %d leaves have changed that the collector has not read; read faster, or subscribe to less", ErrLimit, MostPending))
		return
	}
	if k.reader.insert(l) {
		l.waiting++
	}
}

// insert puts something into the queue, unless it is in there already: then it is counted.
func (r *Reader) insert(what any) bool {
	fresh, _ := r.queue.Insert(what) // no queue is closed
	return fresh
}

// told is what a collector is told of one leaf.
type told struct {
	target, origin string
	at             int64
	update         *gnmi.Update
	delete         *gnmi.Path
	all            *gnmi.Notification
	sync           bool
}

// batch is how many leaves one message has at most.
const batch = 100

// Next waits for what the collector is to be told next: a notification, or a sync_response. Leaves that were heard with the same
// timestamp may come together (gNMI specification §3.5.2.1). An error is that it cannot go on, or that of ctx.
func (r *Reader) Next(ctx context.Context) (*gnmi.SubscribeResponse, error) {
	for len(r.left) == 0 {
		if err := r.more(ctx); err != nil {
			return nil, err
		}
	}
	first := r.left[0]
	if first.sync {
		r.left = r.left[1:]
		return &gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_SyncResponse{SyncResponse: true}}, nil
	}
	n := &gnmi.Notification{Timestamp: first.at, Prefix: &gnmi.Path{Target: first.target, Origin: first.origin}}
	if first.all != nil {
		r.left = r.left[1:]
		n.Prefix.Elem, n.Update, n.Atomic = first.all.GetPrefix().GetElem(), first.all.GetUpdate(), true
		return respond(n), nil
	}
	for len(n.Update)+len(n.Delete) < batch {
		for len(r.left) == 0 && r.queue.Len() > 0 {
			if err := r.more(ctx); err != nil {
				return nil, err
			}
		}
		if len(r.left) == 0 || !r.left[0].beside(&first, n) {
			break
		}
		if next := r.left[0]; next.update != nil {
			n.Update = append(n.Update, next.update)
		} else {
			n.Delete = append(n.Delete, next.delete)
		}
		r.left = r.left[1:]
	}
	return respond(n), nil
}

func respond(n *gnmi.Notification) *gnmi.SubscribeResponse {
	return &gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_Update{Update: n}}
}

// beside tells whether something can be told in one notification together with what is in it already. There deletes come first,
// so none can follow an update, and no path comes twice (gNMI specification §2.1).
func (t *told) beside(first *told, n *gnmi.Notification) bool {
	if t.sync || t.all != nil || t.at != first.at || t.target != first.target || t.origin != first.origin {
		return false
	}
	if t.delete != nil {
		return len(n.Update) == 0
	}
	return !slices.ContainsFunc(n.Update, func(u *gnmi.Update) bool { return u.GetPath() == t.update.GetPath() })
}

// more takes what is next out of the queue.
func (r *Reader) more(ctx context.Context) error {
	if err := r.failure(); err != nil {
		return err
	}
	item, missed, err := r.queue.Next(ctx)
	if err != nil {
		return err
	}
	switch i := item.(type) {
	case broken:
		return r.failure()
	case synced:
		r.left = append(r.left, told{sync: true})
	case *leaf:
		i.feed.mu.Lock()
		defer i.feed.mu.Unlock()
		i.waiting--
		if k := r.linkOf(i.feed); k != nil {
			r.left = append(r.left, k.say(i, missed))
			if i.gone { // to the collector, all below it, too
				i.feed.under(i, func(l *leaf) { r.left = append(r.left, k.say(l, 0)) })
			}
		}
		i.feed.tidy(i)
	case whole:
		f := i.feed
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.linkOf(f) == i.link {
			for _, l := range f.all() {
				r.left = append(r.left, i.say(l, 0))
			}
		}
	case ended:
		r.left = append(r.left, told{target: i.target, origin: i.feed.path.GetOrigin(), at: i.at, delete: &gnmi.Path{Elem: i.feed.path.GetElem()}})
	}
	return nil
}

func (r *Reader) linkOf(f *Feed) *link {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.links[f]
}

// say is what the collector is told of a leaf as it is now. The feed is locked.
func (k *link) say(l *leaf, missed uint32) told {
	t := told{target: k.target, origin: l.origin, at: l.at}
	switch {
	case l.gone:
		t.delete = l.path
	case l.all != nil:
		t.all = l.all
	default:
		t.update = l.update
		if missed > 0 {
			t.update = &gnmi.Update{Path: l.update.GetPath(), Val: l.update.GetVal(), Duplicates: l.update.GetDuplicates() + missed}
		}
	}
	return t
}
