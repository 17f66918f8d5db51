package northbound

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/proto"
)

// Budget is what feeds and answers may have together. The zero value has nothing to give.
type Budget struct {
	Most int64 // bytes, about
	used atomic.Int64
}

// Used is what is kept, in bytes, about.
func (b *Budget) Used() int64 { return b.used.Load() }

// Take takes so many bytes, which Give gives back, unless that is an error: ErrLimit.
func (b *Budget) Take(n int64) error {
	if b.used.Add(n) > b.Most {
		b.Give(n)
		return fmt.Errorf("%w: more than %d MiB are kept for all collectors together; ask for less", ErrLimit, b.Most>>20)
	}
	return nil
}

// Give gives bytes back.
func (b *Budget) Give(n int64) { b.used.Add(-n) }

// Feed is what one device says at and below one path: the last value of each leaf, and who wants to hear of it. Whoever hears the
// device calls Begin, Hear and Told, and Lose when it does not hear it any more. What there is then stays, and what of it is gone
// when the device is back is told as deleted.
type Feed struct {
	device string
	path   *gnmi.Path // that was asked for
	source Source
	budget *Budget

	mu      sync.Mutex
	roots   map[string]*node // by origin
	links   map[*link]struct{}
	size    int64
	heard   int  // which subscription to the device this is
	stands  bool // it is there
	told    bool // it has sent all that there is
	known   bool // it has done so once
	ready   bool // nobody has to wait for that any more
	refused error
	over    error // there will be nothing any more
}

// NewFeed is a feed without a device yet.
func NewFeed(device string, path *gnmi.Path, source Source, b *Budget) *Feed {
	return &Feed{device: device, path: path, source: source, budget: b, roots: map[string]*node{}, links: map[*link]struct{}{}}
}

// Begin takes that a subscription to the device begins: what it says is all there is.
func (f *Feed) Begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard++
	f.stands, f.told = true, false
}

// Told takes that the device has sent all that there is (sync_response). What it had before and has not any more is gone since now.
func (f *Feed) Told(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over != nil {
		return
	}
	f.told, f.known, f.refused = true, true, nil
	var stale []*leaf
	for _, l := range f.all() {
		if l.heard != f.heard {
			stale = append(stale, l)
		}
	}
	for _, l := range stale {
		f.drop(l, now.UnixNano())
	}
	f.becomeReady()
}

// Lose takes that the device is not heard any more.
func (f *Feed) Lose() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stands, f.told = false, false
	f.becomeReady()
}

// Late takes that the device does not come to an end with what there is: nobody waits for it any more.
func (f *Feed) Late() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.becomeReady()
}

// Refuse takes that the device will not be subscribed to in this way.
func (f *Feed) Refuse(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stands, f.told, f.refused = false, false, err
	for l := range f.links {
		l.reader.refuse(l, err)
	}
	f.becomeReady()
}

// End ends the feed, and whoever reads it.
func (f *Feed) End(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.end(err)
}

func (f *Feed) end(err error) {
	if f.over != nil {
		return
	}
	f.over = err
	for l := range f.links {
		l.reader.fail(err)
	}
	f.grow(-f.size)
	f.roots = map[string]*node{}
}

// Whole tells whether the device is there and has said all that there is, or has refused to: nothing more is to be waited for.
func (f *Feed) Whole() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.told || f.refused != nil
}

// becomeReady has those who wait for first values not wait any more.
func (f *Feed) becomeReady() {
	if f.ready {
		return
	}
	f.ready = true
	for l := range f.links {
		l.reader.hasFirst()
	}
}

// Hear takes a notification of the device. An error (ErrLimit) is that it is one too many: the feed has ended.
func (f *Feed) Hear(n *gnmi.Notification) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over != nil {
		return f.over
	}
	before := f.size
	for _, d := range n.GetDelete() {
		f.remove(originOf(n, d), below(n.GetPrefix(), d), n.GetTimestamp())
	}
	if n.GetAtomic() && len(n.GetUpdate()) > 0 {
		f.putAll(n)
	} else {
		for _, u := range n.GetUpdate() {
			f.put(originOf(n, u.GetPath()), below(n.GetPrefix(), u.GetPath()), u, n.GetTimestamp(), f.heard)
		}
	}
	switch {
	case f.size <= before:
	case f.size > MostOfFeed:
		f.end(fmt.Errorf("%s: %s: %w: more than %d MiB of values; subscribe to less", f.device, f.source.Path, ErrLimit, MostOfFeed>>20))
	case f.budget.Used() > f.budget.Most:
		f.end(fmt.Errorf("%s: %s: %w: more than %d MiB of values are kept for all collectors together; subscribe to less", f.device, f.source.Path, ErrLimit, f.budget.Most>>20))
	}
	return f.over
}

func originOf(n *gnmi.Notification, p *gnmi.Path) string {
	return cmp.Or(p.GetOrigin(), n.GetPrefix().GetOrigin())
}

func below(prefix, p *gnmi.Path) []*gnmi.PathElem {
	if len(prefix.GetElem()) == 0 {
		return p.GetElem()
	}
	return append(slices.Clone(prefix.GetElem()), p.GetElem()...)
}

// all are the leaves that there are, in the order of their paths.
func (f *Feed) all() []*leaf {
	var out []*leaf
	for _, origin := range slices.Sorted(maps.Keys(f.roots)) {
		f.roots[origin].each(func(l *leaf) {
			if !l.gone {
				out = append(out, l)
			}
		})
	}
	return out
}

// under calls do with what there is at and below the path of a leaf that is gone.
func (f *Feed) under(gone *leaf, do func(*leaf)) {
	n := f.roots[gone.origin]
	for _, e := range gone.path.GetElem() {
		if n == nil {
			return
		}
		n = n.children[step(e)]
	}
	if n != nil {
		n.each(func(l *leaf) {
			if !l.gone {
				do(l)
			}
		})
	}
}

// deepest is how many steps a path has at most that an object of JSON is taken apart for. No model comes near it.
const deepest = 64

// put takes one value. An object of JSON comes as its members: the last value of a leaf is kept, and an object may have a part
// of its leaves only.
func (f *Feed) put(origin string, path []*gnmi.PathElem, u *gnmi.Update, at int64, heard int) {
	var members map[string]*gnmi.TypedValue
	if len(path) < deepest {
		members = membersOf(u.GetVal())
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		_, local, prefixed := strings.Cut(name, ":")
		if !prefixed {
			local = name
		}
		f.put(origin, append(slices.Clip(path), &gnmi.PathElem{Name: local}), &gnmi.Update{Val: members[name], Duplicates: u.GetDuplicates()}, at, heard)
	}
	if len(members) > 0 || u.GetVal() == nil {
		return
	}
	f.dissolve(origin, path)
	l := f.leafAt(origin, path)
	same := !l.gone && l.update != nil && proto.Equal(l.update.GetVal(), u.GetVal())
	again := l.heard != heard
	l.update = &gnmi.Update{Path: l.path, Val: u.GetVal(), Duplicates: u.GetDuplicates()}
	f.set(l, at, heard, int64(proto.Size(u.GetVal())))
	for k := range f.links {
		// What a device says when it is back is no change where it says what it had said before.
		if same && (k.suppress || again && f.source.Mode != gnmi.SubscriptionMode_SAMPLE) {
			continue
		}
		k.tell(l)
	}
}

// putAll takes what is told at once. It takes the place of everything below its prefix (gNMI specification §2.1.1).
func (f *Feed) putAll(n *gnmi.Notification) {
	origin := cmp.Or(n.GetPrefix().GetOrigin(), n.GetUpdate()[0].GetPath().GetOrigin())
	path := n.GetPrefix().GetElem()
	if len(path) > 0 {
		f.dissolve(origin, path[:len(path)-1])
	}
	var under []*leaf
	at := f.nodeAt(origin, path)
	at.each(func(l *leaf) {
		if l.node != at || l.all == nil {
			under = append(under, l)
		}
	})
	for _, l := range under {
		f.forget(l, n.GetTimestamp())
	}
	l := f.leafAt(origin, path)
	same := !l.gone && l.all != nil && l.heard != f.heard && sameUpdates(l.all, n)
	l.all = n
	f.set(l, n.GetTimestamp(), f.heard, int64(proto.Size(n)))
	for k := range f.links {
		if !same || f.source.Mode == gnmi.SubscriptionMode_SAMPLE && !k.suppress {
			k.tell(l)
		}
	}
}

func sameUpdates(a, b *gnmi.Notification) bool {
	return slices.EqualFunc(a.GetUpdate(), b.GetUpdate(), func(x, y *gnmi.Update) bool { return proto.Equal(x, y) })
}

// nodeAt is the node at a path, which is made where there is none.
func (f *Feed) nodeAt(origin string, path []*gnmi.PathElem) *node {
	n := f.roots[origin]
	if n == nil {
		n = &node{}
		f.roots[origin] = n
	}
	for _, e := range path {
		n = n.child(e)
	}
	return n
}

// leafAt is the leaf at a path; a new one, which is gone, where there is none.
func (f *Feed) leafAt(origin string, path []*gnmi.PathElem) *leaf {
	n := f.nodeAt(origin, path)
	if n.leaf == nil {
		n.leaf = &leaf{feed: f, node: n, origin: origin, path: n.path(), gone: true}
	}
	return n.leaf
}

func (f *Feed) grow(by int64) {
	f.size += by
	f.budget.used.Add(by)
}

// overhead is about what a leaf takes besides its value.
const overhead = 400 // bytes

func (f *Feed) set(l *leaf, at int64, heard int, size int64) {
	f.grow(overhead + size - l.size)
	l.size, l.at, l.heard, l.gone = overhead+size, at, heard, false
}

// drop takes that a value is gone. Its leaf stays for as long as it is in a queue: if it comes again, it keeps its place there, and
// that it was gone for a moment is not told. What was told at once has taken others with it, so that is told.
func (f *Feed) drop(l *leaf, at int64) {
	f.grow(-l.size)
	whole := l.all != nil
	l.size, l.at, l.gone, l.update, l.all = 0, at, true, nil, nil
	for k := range f.links {
		k.tell(l)
	}
	if whole {
		l.leave()
	}
	f.tidy(l)
}

// forget drops a leaf for good: what comes at its path again comes behind.
func (f *Feed) forget(l *leaf, at int64) {
	if !l.gone {
		f.drop(l, at)
	}
	l.leave()
}

// leave takes a leaf out of the tree.
func (l *leaf) leave() {
	if n := l.node; n != nil {
		n.leaf, l.node = nil, nil
		n.prune()
	}
}

// dissolve makes values by themselves of what was told at once at or above a path: something below it comes by itself, so it is not
// whole any more (gNMI specification §2.1.1).
func (f *Feed) dissolve(origin string, path []*gnmi.PathElem) {
	for _, l := range f.above(origin, path) {
		all, at, heard := l.all, l.at, l.heard
		f.forget(l, at)
		for _, u := range all.GetUpdate() {
			f.put(origin, below(all.GetPrefix(), u.GetPath()), u, at, heard)
		}
	}
}

// above is what was told at once at or above a path: one at most, as each takes the place of others.
func (f *Feed) above(origin string, path []*gnmi.PathElem) (out []*leaf) {
	n := f.roots[origin]
	for i := 0; n != nil; i++ {
		if n.leaf != nil && n.leaf.all != nil {
			out = append(out, n.leaf)
		}
		if i == len(path) {
			break
		}
		n = n.children[step(path[i])]
	}
	return out
}

// tidy forgets a leaf that is gone and that nobody is to be told of.
func (f *Feed) tidy(l *leaf) {
	if l.gone && l.waiting == 0 {
		l.leave()
	}
}

// remove takes that what a path means is gone. What was told at once goes as a whole if a part of it does.
func (f *Feed) remove(origin string, path []*gnmi.PathElem, at int64) {
	r := f.roots[origin]
	if r == nil {
		return
	}
	var gone []*leaf
	for _, l := range f.above(origin, path) {
		if slices.ContainsFunc(l.all.GetUpdate(), func(u *gnmi.Update) bool {
			return Covers(&gnmi.Path{Elem: path}, &gnmi.Path{Elem: below(l.all.GetPrefix(), u.GetPath())})
		}) {
			gone = append(gone, l)
		}
	}
	r.find(path, func(n *node) {
		n.each(func(l *leaf) {
			if !l.gone {
				gone = append(gone, l)
			}
		})
	})
	for _, l := range gone {
		if !l.gone {
			f.drop(l, at)
		}
	}
}

// membersOf are those of a value that is an object of JSON.
func membersOf(v *gnmi.TypedValue) map[string]*gnmi.TypedValue {
	var text []byte
	var wrap func([]byte) *gnmi.TypedValue
	switch v := v.GetValue().(type) {
	case *gnmi.TypedValue_JsonIetfVal:
		text = v.JsonIetfVal
		wrap = func(b []byte) *gnmi.TypedValue {
			return &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: b}}
		}
	case *gnmi.TypedValue_JsonVal:
		text = v.JsonVal
		wrap = func(b []byte) *gnmi.TypedValue {
			return &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonVal{JsonVal: b}}
		}
	}
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(text, &all) != nil {
		return nil // passed on as it is: the collector judges
	}
	out := make(map[string]*gnmi.TypedValue, len(all))
	for name, value := range all {
		out[name] = wrap(value)
	}
	return out
}
