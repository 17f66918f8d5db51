package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/transaction"
)

// fabricRun is one topology in the care of the controller: the lock on its fabric, what is intended of it, and an agent for each
// device.
type fabricRun struct {
	s    *serving
	name string
	keep *keeper

	watch   *watchman
	turns   chan struct{} // of agents that read a device
	drifted chan struct{} // there is something that may have to be taken back
	enough  context.CancelFunc

	changing sync.Mutex             // held by who changes devices
	runs     atomic.Pointer[string] // transaction that does; nil: none
	shown    atomic.Pointer[look]   // how the last one stands, or stood
	waits    atomic.Pointer[hold]   // that it waits for somebody's word; nil: it does not

	begun    chan struct{} // closed when every device that was there at the start was read, or could not be
	allFirst func()        // closes it
	firsts   atomic.Int64  // agents that have neither read their device yet nor failed to, and one more until all have begun

	timed chan struct{} // when something is over is to be looked at again

	standings shownDevices // that other replicas read

	deciding  sync.Mutex // held by who decides what becomes of drift
	following sync.Mutex // held by who has agents follow what is intended

	mu          sync.Mutex
	network     *network // of the newest revision, with who is drained
	revision    int64
	resolver    *resolver
	agents      map[string]*agent
	maintenance map[string]controller.Maintenance // of devices
	ends        map[string]context.CancelFunc
	running     sync.WaitGroup
}

// nowhere is a terminal where nobody is.
func nowhere() *terminal { return &terminal{in: eof{}, out: io.Discard, err: io.Discard} }

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// takeOn takes a topology into care: the lock first, then what an earlier run has left open, then its devices. nil: it falls to another
// replica by now.
func (s *serving) takeOn(ctx context.Context, name string) (*fabricRun, error) {
	b := boundsOf(s.store)
	waiting, cancel := s.replicas.whileMine(ctx, name)
	defer cancel()
	lease, err := s.store.Hold(waiting, "fabric/"+name, s.replicas.holder(b))
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return nil, nil
	}
	if err != nil {
		return nil, held(err, name)
	}
	f := &fabricRun{
		s: s, name: name, turns: make(chan struct{}, maxConnections), drifted: make(chan struct{}, 1), timed: make(chan struct{}, 1), begun: make(chan struct{}), enough: func() {},
		agents: map[string]*agent{}, ends: map[string]context.CancelFunc{},
		keep: &keeper{store: s.store, lease: lease, topology: name, control: s.control, bounds: b, marks: s.marks},
	}
	since := time.Now()
	f.allFirst = sync.OnceFunc(func() { close(f.begun) })
	if s.audit != nil {
		f.keep.audited(s.audit.auditWriter)
	}
	f.watch = newWatchman(f)
	started := f.awaitFirst()
	f.standings.wake = make(chan struct{}, 1)
	e, err := f.enforcer(ctx)
	if err == nil {
		err = f.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, f.stop())
	}
	started()
	own, enough := context.WithCancel(s.ctx)
	f.enough = enough
	f.running.Go(func() { f.enforce(own, e) })
	f.running.Go(func() { f.keepTime(own) })
	if s.replicas != nil {
		f.running.Go(func() { f.showStandings(own) })
		s.log.Info("taken on", "topology", name, "devices", len(f.agents), "after", time.Since(since).Round(time.Millisecond))
	}
	return f, nil
}

func (f *fabricRun) start(ctx context.Context) error {
	head, err := f.s.intents.Head(ctx, f.name)
	if err != nil {
		return err
	}
	n, err := f.s.compile(head)
	if err != nil {
		return err
	}
	if f.resolver, err = f.s.access.resolve(n); err != nil {
		return err
	}
	f.resolver.election, f.resolver.sets = uint64(f.keep.lease.Epoch), f.keep.sets
	if err := f.recallMaintenance(ctx); err != nil {
		return err
	}
	if err := f.endOpen(ctx); err != nil {
		return err
	}
	if err := f.watch.restore(ctx); err != nil {
		return err
	}
	if err := f.intend(ctx, head, n); err != nil {
		return err
	}
	f.running.Go(func() { f.watch.run(f.watch.ctx) })
	return nil
}

// endOpen ends the transaction that an earlier run has left open, and finds out where the last one has brought devices.
func (f *fabricRun) endOpen(ctx context.Context) error {
	if f.s.old != nil { // what is open there may be over for long
		return nil
	}
	j := newJournal(f.keep)
	id, err := j.unfinished(ctx)
	if err != nil {
		return err
	}
	j.companion = &companion{ends: func(r transaction.Record) []controller.Event {
		return []controller.Event{{At: r.At, Kind: controller.TransactionEvent, Topology: f.name, Subject: id,
			Message: fmt.Sprintf("transaction %s, which was left open, ended: %s", id, r.Outcome)}}
	}}
	shown, stop := newProgress(nowhere(), true)
	defer stop()
	begun := time.Now()
	res, err := j.resume(ctx, nowhere(), f.resolver, f.s.parallel, shown)
	if err != nil {
		return err
	}
	if res != nil {
		f.s.measures.ended(f.name, res.Outcome, 0, nil)
		f.s.log.Info("a transaction that was left open has ended", "topology", f.name, "transaction", res.ID, "outcome", res.Outcome, "after", time.Since(begun).Round(time.Millisecond))
	}
	if res != nil && res.Outcome == transaction.Interrupted {
		return fmt.Errorf("transaction %s, which was left open, could not be ended: %w", res.ID, res.Err)
	}
	return f.recallAim(ctx)
}

// intend has the devices be as a revision intends. Those that it does not have any more are left as they are, and alone.
func (f *fabricRun) intend(ctx context.Context, head *controller.Intent, n *network) error {
	if err := n.intendDrains(ctx, newJournal(f.keep), nil); err != nil {
		return err
	}
	before, err := f.appliedTargets(ctx, n)
	if err != nil {
		return err
	}
	told, err := f.recallTold(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.network, f.revision = n, head.Number
	for name, end := range f.ends {
		if d := n.design.Device(name); d == nil || d.OS != f.agents[name].os() {
			end()
			delete(f.ends, name)
			delete(f.agents, name)
		}
	}
	for _, d := range n.design.Devices {
		a := f.agents[d.Name]
		if a == nil {
			a = newAgent(f, d)
			if was := told[d.Name]; was != nil {
				a.state.Recall(*was)
			}
			f.agents[d.Name] = a
			own, end := context.WithCancel(f.s.ctx)
			f.ends[d.Name] = end
			f.running.Go(func() {
				if b, ok := before[d.Name]; ok {
					a.tell(func(d *controller.Device, now time.Time) controller.News { return d.Resume(b.Target, b.failure, now) })
				}
				a.run(own)
			})
		} else {
			a.follows(d)
		}
	}
	f.mu.Unlock()
	for _, d := range n.design.Devices {
		want := controller.Target{Revision: head.Number, Tree: n.trees[d.Name]}
		f.each([]string{d.Name}, func(d *controller.Device, now time.Time) controller.News { return d.Want(want, now) })
	}
	f.watch.nudge()
	leaveWord(f.timed)
	return nil
}

// agent is that of a device; nil where there is none.
func (f *fabricRun) agent(name string) *agent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.agents[name]
}

// current is what is intended, and how devices are reached.
func (f *fabricRun) current() (*network, *resolver) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.network, f.resolver
}

// follow has the fabric follow a new revision.
func (f *fabricRun) follow(ctx context.Context, head *controller.Intent) error {
	f.following.Lock()
	defer f.following.Unlock()
	f.mu.Lock()
	late := head.Number < f.revision
	f.mu.Unlock()
	if late {
		return nil
	}
	n, err := f.s.compile(head)
	if err != nil {
		return err
	}
	return f.intend(ctx, head, n)
}

// stop ends all agents and gives the lock back. Devices keep what they have.
func (f *fabricRun) stop() error {
	f.mu.Lock()
	for _, end := range f.ends {
		end()
	}
	f.watch.end()
	f.mu.Unlock()
	f.enough()
	f.running.Wait()
	f.changing.Lock() // a transaction is carried to its end
	defer f.changing.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return f.keep.lease.Release(ctx)
}

// heard keeps and tells what is new about a device.
func (f *fabricRun) heard(name string, s controller.Standing, news controller.News, now time.Time) {
	f.watch.heard(name, s)
	if f.s.replicas != nil {
		f.standings.changed(name)
	}
	if s.Status == controller.Drifted && (news.Status || news.Known || len(news.Came) > 0) {
		leaveWord(f.drifted)
	}
	if news.Arrived != nil {
		kept := standingOf(*news.Arrived)
		if s.Status == controller.Failed {
			kept.Failure = s.Reason
		}
		f.s.later(func(ctx context.Context) error { return f.putApplied(ctx, map[string]standing{name: kept}, nil) })
	}
	var events []controller.Event
	about := func(kind controller.EventKind, subject, message string) {
		events = append(events, controller.Event{At: now.UTC(), Kind: kind, Topology: f.name, Device: name, Subject: subject, Message: message, Revision: s.Applied})
	}
	if news.Status {
		f.logStanding(name, s)
		text := string(s.Status)
		if s.Reason != "" {
			text += ": " + s.Reason
		}
		about(controller.DeviceEvent, name, text)
	}
	for _, d := range news.Came {
		about(controller.DriftEvent, d.ID, fmt.Sprintf("%s: intended %s, has %s", d.Path, orNothing(d.Intended), orNothing(d.Has)))
	}
	for _, d := range news.Gone {
		about(controller.DriftEvent, d.ID, d.Path+": as intended again")
	}
	if len(events) > 0 {
		f.s.noteAll(line{events, toldKey(f.name, name), keepable(s.Told())})
	}
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// borrow are the devices of a network, over the connections of their agents.
func (f *fabricRun) borrow(ctx context.Context, n *network, names []string) (map[string]*live, error) {
	f.mu.Lock()
	agents := maps.Clone(f.agents)
	r := f.resolver
	f.mu.Unlock()
	out := map[string]*live{}
	var mu sync.Mutex
	err := sideBySide(nil, names, func(name string) error {
		var l *live
		var err error
		if a := agents[name]; a != nil {
			l, err = a.borrow(ctx, n)
		} else { // of a revision that is planned only
			l, err = dial(ctx, n, r, name)
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		out[name] = l
		return nil
	})
	if err != nil {
		closeAll(out)
		return nil, err
	}
	return out, nil
}

// each tells agents of some devices something.
func (f *fabricRun) each(names []string, change func(d *controller.Device, now time.Time) controller.News) {
	for _, name := range names {
		f.mu.Lock()
		a := f.agents[name]
		f.mu.Unlock()
		if a != nil {
			a.tell(change)
		}
	}
}
