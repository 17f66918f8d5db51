package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/verify"
)

// How findings are looked for.
const (
	defaultGrace = 5 * time.Second        // a device is unreachable when it did not answer for so long
	looking      = 250 * time.Millisecond // what devices say within it is looked at together
	relook       = time.Second            // after a device could not be observed, or the store has not taken a finding
	observing    = 10 * time.Second       // one device at most
	patrol       = time.Minute            // a device is observed so long after the last time, whatever it says by itself
)

// watchman observes the devices of one topology, and keeps what is wrong:
//
//	findings/TOPOLOGY/ID  a controller.Finding
//
// All decisions are those of controller.Findings and controller.Sighting.
type watchman struct {
	f    *fabricRun
	ctx  context.Context // of the topology's being in care
	end  context.CancelFunc
	wake chan struct{} // something may be different

	mu      sync.Mutex
	seen    map[string]*sighted
	counted map[verify.Kind]int // findings that are kept

	// Of run alone.
	findings controller.Findings
	network  *network // that the index is of
	asked    map[string]*config.Tree
	designed *verify.Index
	index    *verify.Index
}

// sighted is what is known of what one device shows.
type sighted struct {
	controller.Sighting
	news chan struct{} // it has to be observed
}

func newWatchman(f *fabricRun) *watchman {
	ctx, end := context.WithCancel(f.s.ctx)
	return &watchman{f: f, ctx: ctx, end: end, wake: make(chan struct{}, 1), seen: map[string]*sighted{}, findings: controller.Findings{Topology: f.name}}
}

// on changes what is known of a device, and has it observed where that leaves doubts.
func (w *watchman) on(name string, change func(*sighted)) {
	w.mu.Lock()
	s := w.seen[name]
	if s == nil {
		s = &sighted{news: make(chan struct{}, 1)}
		w.seen[name] = s
	}
	change(s)
	w.mu.Unlock()
	w.nudge()
}

func (w *watchman) nudge() { leaveWord(w.wake) }

// heard takes that a device stands somewhere else now.
func (w *watchman) heard(name string, s controller.Standing) {
	w.on(name, func(d *sighted) {
		if d.Busy(s.Status == controller.Applying) {
			leaveWord(d.news)
		}
	})
}

// lost takes that a device does not answer.
func (w *watchman) lost(name, why string) {
	w.on(name, func(d *sighted) { d.Lose(why, time.Now()) })
}

// follow follows what a device shows for as long as its connection is there.
func (w *watchman) follow(ctx context.Context, name string, l *live) {
	var news chan struct{}
	w.on(name, func(d *sighted) { news = d.news })
	follower := &follower{observer: newObserver(nil, nil, observing), turns: w.f.turns, back: patrol}
	over := func() *live { return w.over(name, l) }
	for ctx.Err() == nil {
		err := follower.followOver(ctx, over, news, func(read func() (verify.Device, error)) error { return w.observe(ctx, name, read) })
		if err != nil && ctx.Err() == nil {
			w.lost(name, unreachable(name, err).Unreachable)
		}
		select {
		case <-time.After(relook):
		case <-ctx.Done():
		}
	}
}

// over is a device as it is intended now, over the connection that there is.
func (w *watchman) over(name string, l *live) *live {
	n, _ := w.f.current()
	d := n.design.Device(name)
	if d == nil { // taken out, and about to be left alone
		return l
	}
	return dialled(l.Device, d, n.trees[name])
}

// observe reads what a device shows. Where that fails it is asked again in a while, as it is where it may have changed meanwhile.
func (w *watchman) observe(ctx context.Context, name string, read func() (verify.Device, error)) error {
	var asked uint64
	w.on(name, func(d *sighted) { asked = d.Ask() })
	shows, err := read()
	if err != nil || ctx.Err() != nil {
		return err
	}
	w.on(name, func(d *sighted) {
		d.Show(shows, asked, time.Now())
		switch {
		case shows.Unreachable != "":
			time.AfterFunc(relook, func() { leaveWord(d.news) })
		case d.Stale():
			leaveWord(d.news)
		}
	})
	return nil
}

// run looks at the network whenever something may be different, until ctx ends.
func (w *watchman) run(ctx context.Context) {
	var again <-chan time.Time
	for {
		select {
		case <-w.wake:
		case <-again:
		case <-ctx.Done():
			return
		}
		begun := time.Now()
		next, err := w.look(ctx)
		if err != nil && ctx.Err() == nil {
			w.f.s.log.Error("findings were not kept; trying again", "topology", w.f.name, "error", err)
			next = time.Now().Add(relook)
		}
		again = nil
		if !next.IsZero() {
			again = time.After(time.Until(next))
		}
		select { // what is large is looked at less often
		case <-time.After(max(looking, idleness*time.Since(begun))):
		case <-ctx.Done():
		}
	}
}

// look finds what is wrong, and keeps what is new. It returns when to look again though nothing is heard.
func (w *watchman) look(ctx context.Context) (again time.Time, err error) {
	now := time.Now()
	n, _ := w.f.current()
	o := verify.Observed{At: now, Devices: map[string]verify.Device{}, Drained: n.drained()}
	how := map[string]controller.Sight{}
	asked := map[string]*config.Tree{}
	for _, d := range n.design.Devices {
		a := w.f.agent(d.Name)
		if a == nil {
			continue
		}
		stands, target := a.stands()
		if target.Revision != stands.Desired {
			asked[d.Name] = target.Tree
		}
		shows, sight, later := w.see(d.Name, now)
		if !later.IsZero() && (again.IsZero() || later.Before(again)) {
			again = later
		}
		if sight == controller.Seen {
			if stands.Status == controller.Syncing || stands.Status == controller.Applying {
				sight = controller.Unseen
			}
			shows.Drift = driftOf(stands)
		}
		if how[d.Name] = sight; sight != controller.Unseen {
			o.Devices[d.Name] = shows
		}
	}
	found := slices.DeleteFunc(w.indexOf(n, asked).Check(o), func(f verify.Finding) bool { return w.f.atWork(f.Devices) != nil })
	sight := func(name string) controller.Sight {
		s, there := how[name]
		if !there {
			return controller.Foreign
		}
		return s
	}
	news := w.findings.Look(found, func(f verify.Finding) string { return n.at(string(f.Ref)) }, sight, now)
	if !news.Again.IsZero() && (again.IsZero() || news.Again.Before(again)) {
		again = news.Again
	}
	return again, w.keep(ctx, news, now)
}

// see is what a device shows, as far as it is known.
func (w *watchman) see(name string, now time.Time) (verify.Device, controller.Sight, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.seen[name]; s != nil {
		return s.See(w.f.s.grace, now)
	}
	return verify.Device{}, controller.Unseen, time.Time{}
}

// driftOf is what a device has that nobody intended; nil where Loom has brought nothing there.
func driftOf(s controller.Standing) *verify.Drift {
	if s.Applied == 0 {
		return nil
	}
	d := &verify.Drift{Changes: len(s.Drifts)}
	if len(s.Drifts) > 0 {
		d.First = s.Drifts[0].Path
	}
	return d
}

// indexOf is what devices are to show: what is intended, and of those that wait for a transaction what the last one has brought them.
func (w *watchman) indexOf(n *network, asked map[string]*config.Tree) *verify.Index {
	if w.network == n && maps.Equal(w.asked, asked) {
		return w.index
	}
	if w.network != n {
		w.designed = verify.NewIndex(n.design)
	}
	w.network, w.asked, w.index = n, asked, w.designed
	if len(asked) > 0 {
		wants := make(map[string]verify.Device, len(asked))
		for name, tree := range asked {
			wants[name] = verify.Device{}
			if tree != nil {
				wants[name] = drivers[n.design.Device(name).OS].Asks(tree)
			}
		}
		w.index = w.designed.Wanting(wants)
	}
	return w.index
}

func findingKey(topology, id string) string { return "findings/" + topology + "/" + id }

// restore reads what an earlier run has kept.
func (w *watchman) restore(ctx context.Context) error {
	kept, _, err := w.f.s.findingsOf(ctx, findingKey(w.f.name, ""))
	if err == nil {
		w.findings.Restore(kept)
		w.recount()
	}
	return err
}

// findingsAtOnce is how many findings are kept in one transaction of the store, each with its event.
const findingsAtOnce = 32

// keep keeps what is new, with an event for each, and remembers what is kept.
func (w *watchman) keep(ctx context.Context, news controller.FindingNews, now time.Time) error {
	for _, part := range news.Parts(findingsAtOnce) {
		tx := store.Tx{If: []store.Condition{w.f.keep.lease.Condition()}, Put: map[string][]byte{}}
		for _, f := range slices.Concat(part.Came, part.Changed, part.Reworded) {
			data, err := pack(f)
			if err != nil {
				return err
			}
			tx.Put[findingKey(w.f.name, f.ID)] = data
		}
		for _, f := range part.Gone {
			tx.Delete = append(tx.Delete, findingKey(w.f.name, f.ID))
		}
		for i, e := range part.Events(now) {
			data, err := pack(e)
			if err != nil {
				return err
			}
			tx.Put[eventKey(e, i)] = data
		}
		if err := writesFindings.commit(ctx, w.f.s.store, tx); err != nil {
			if errors.Is(err, store.ErrUnknown) {
				err = errors.Join(err, w.restore(ctx))
			}
			return err
		}
		w.findings.Keep(part)
		w.recount()
	}
	return nil
}

// recount counts the findings that are kept. A kind that there was stays, with 0.
func (w *watchman) recount() {
	now := w.findings.Kinds()
	w.mu.Lock()
	defer w.mu.Unlock()
	for kind := range w.counted {
		if now[kind] == 0 {
			now[kind] = 0
		}
	}
	w.counted = now
}

// count is how many findings there are of each kind.
func (w *watchman) count() map[verify.Kind]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counted // is not written to, but made anew
}

// findingsOf reads findings whose keys begin with a prefix.
func (s *serving) findingsOf(ctx context.Context, prefix string) ([]controller.Finding, int64, error) {
	records, revision, err := s.store.List(ctx, prefix)
	if err != nil {
		return nil, 0, err
	}
	out := make([]controller.Finding, len(records))
	for i, r := range records {
		if out[i], err = findingOf(r); err != nil {
			return nil, 0, err
		}
	}
	return out, revision, nil
}

func findingOf(r store.Record) (controller.Finding, error) {
	var f controller.Finding
	if err := unpack(r.Value, &f); err != nil {
		return f, fmt.Errorf("%s: %w", r.Key, err)
	}
	return f, nil
}

// forgetFindings forgets those of a topology that is deleted, and what was told of its devices.
func (s *serving) forgetFindings(ctx context.Context, topology string) error {
	all, _, err := s.findingsOf(ctx, findingKey(topology, ""))
	for part := range slices.Chunk(all, findingsAtOnce) {
		tx := store.Tx{}
		for _, f := range part {
			tx.Delete = append(tx.Delete, findingKey(topology, f.ID))
		}
		if _, err = s.store.Commit(ctx, tx); err != nil {
			break
		}
	}
	if err == nil {
		_, err = s.store.Commit(ctx, store.Tx{Below: []string{toldKey(topology, "")}})
	}
	return err
}

// Findings implements controller.Operations.
func (s *serving) Findings(ctx context.Context) ([]controller.Finding, int64, error) {
	all, revision, err := s.findingsOf(ctx, "findings/")
	controller.SortFindings(all)
	return all, controller.FindingToken(revision, controller.LastOfRevision), err
}

// FollowFindings implements controller.Operations.
func (s *serving) FollowFindings(ctx context.Context, after int64, on func(f controller.Finding, gone bool, token int64) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for c := range s.store.Watch(ctx, "findings/", controller.FindingRevision(after)) {
		switch {
		case errors.Is(c.Err, store.ErrCompacted):
			return controller.ErrForgotten
		case c.Err != nil:
			return c.Err
		}
		steps, err := findingSteps(c)
		if err != nil {
			return err
		}
		for i, step := range steps {
			if i == len(steps)-1 {
				i = controller.LastOfRevision
			}
			token := controller.FindingToken(c.Revision, i)
			if token <= after {
				continue
			}
			if err := on(step.Finding, step.gone, token); err != nil {
				return err
			}
		}
	}
	return context.Cause(ctx)
}

type findingStep struct {
	controller.Finding
	gone bool
}

// findingSteps are what one transaction of the store has made of findings. Of those that are gone their names are left.
func findingSteps(c store.Change) ([]findingStep, error) {
	var out []findingStep
	for _, r := range c.Put {
		f, err := findingOf(r)
		if err != nil {
			return nil, err
		}
		out = append(out, findingStep{f, false})
	}
	slices.Sort(c.Deleted)
	for _, key := range c.Deleted {
		out = append(out, findingStep{controller.FindingNamed(key[len("findings/"):]), true})
	}
	return out, nil
}
