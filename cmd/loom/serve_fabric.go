package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
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
	waits    atomic.Pointer[hold]   // that it waits for somebody's word; nil: it does not

	timed chan struct{} // when something is over is to be looked at again

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

// takeOn takes a topology into care: the lock first, then what an earlier run has left open, then its devices.
func (s *serving) takeOn(ctx context.Context, name string) (*fabricRun, error) {
	b := boundsOf(s.store)
	lease, err := s.store.Hold(ctx, "fabric/"+name, store.Holder{Who: whoAmI(), Wait: true, TTL: b.Lease})
	if err != nil {
		return nil, held(err, name)
	}
	f := &fabricRun{
		s: s, name: name, turns: make(chan struct{}, maxConnections), drifted: make(chan struct{}, 1), timed: make(chan struct{}, 1), enough: func() {},
		agents: map[string]*agent{}, ends: map[string]context.CancelFunc{},
		keep: &keeper{store: s.store, lease: lease, topology: name, control: s.control, bounds: b, marks: s.marks},
	}
	f.watch = newWatchman(f)
	if err := f.start(ctx); err != nil {
		return nil, errors.Join(err, f.stop())
	}
	own, enough := context.WithCancel(s.ctx)
	f.enough = enough
	f.running.Go(func() { f.enforce(own) })
	f.running.Go(func() { f.keepTime(own) })
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
	f.resolver.election = uint64(f.keep.lease.Epoch)
	if err := f.recallMaintenance(ctx); err != nil {
		return err
	}
	j := newJournal(f.keep)
	shown, stop := newProgress(nowhere(), true)
	defer stop()
	res, err := j.resume(ctx, nowhere(), f.resolver, f.s.parallel, shown)
	if err != nil {
		return err
	}
	if res != nil {
		f.s.note(controller.Event{Kind: controller.TransactionEvent, Topology: f.name, Subject: res.ID,
			Message: fmt.Sprintf("transaction %s, which was left open, ended: %s", res.ID, res.Outcome)})
	}
	if err := f.recallLast(ctx); err != nil {
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

// recallLast keeps what the last transaction on the fabric has brought its devices to: whoever carried it out may have died before
// that was written, and what it did would be taken for what nobody intended.
func (f *fabricRun) recallLast(ctx context.Context) error {
	ids, err := transactionIDs(ctx, f.s.store)
	if err != nil {
		return err
	}
	for _, id := range slices.Backward(ids) {
		records, err := readRecords(ctx, f.s.store, id)
		if err != nil {
			return err
		}
		last, err := transaction.Replay(records)
		if err != nil {
			return fmt.Errorf("transaction %s: %w", id, err)
		}
		if last.Spec.Topology != f.name {
			continue
		}
		if last.Result().Outcome != transaction.Done || last.Spec.Revision == 0 {
			return nil
		}
		for _, job := range last.Spec.Jobs {
			if err := f.putApplied(ctx, job.Device, last.Spec.Revision, job.Places[len(job.Places)-1]); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
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
			f.agents[d.Name] = a
			own, end := context.WithCancel(f.s.ctx)
			f.ends[d.Name] = end
			f.running.Go(func() {
				if t, ok := before[d.Name]; ok {
					a.tell(func(d *controller.Device, now time.Time) controller.News { return d.Have(t, now) })
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
	about := func(kind controller.EventKind, subject, message string) {
		f.s.note(controller.Event{At: now, Kind: kind, Topology: f.name, Device: name, Subject: subject, Message: message, Revision: s.Applied})
	}
	if news.Arrived != nil {
		t := *news.Arrived
		f.s.later(func(ctx context.Context) error { return f.putApplied(ctx, name, t.Revision, plan.Hash(t.Tree)) })
	}
	if s.Status == controller.Drifted && (news.Status || len(news.Came) > 0) {
		leaveWord(f.drifted)
	}
	if news.Status {
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
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// standing is what is kept of a device: what a transaction has brought it to.
//
//	applied/TOPOLOGY/DEVICE
type standing struct {
	Revision int64  `json:"revision"`
	Hash     string `json:"hash"` // of the configuration, as plans have it
}

func appliedKey(topology, device string) string { return "applied/" + topology + "/" + device }

func (f *fabricRun) putApplied(ctx context.Context, device string, revision int64, hash string) error {
	data, err := pack(standing{revision, hash})
	if err != nil {
		return err
	}
	_, err = f.s.store.Commit(ctx, store.Tx{If: []store.Condition{f.keep.lease.Condition()}, Put: map[string][]byte{appliedKey(f.name, device): data}})
	return err
}

// appliedTargets are what transactions have brought devices to, as far as it can be computed again: configurations are not kept.
// newest is the newest revision, which most devices have.
func (f *fabricRun) appliedTargets(ctx context.Context, newest *network) (map[string]controller.Target, error) {
	f.mu.Lock()
	first := len(f.agents) == 0
	f.mu.Unlock()
	if !first {
		return nil, nil
	}
	records, _, err := f.s.store.List(ctx, appliedKey(f.name, ""))
	if err != nil {
		return nil, err
	}
	out := map[string]controller.Target{}
	networks := map[int64]*network{}
	for _, r := range records {
		var kept standing
		if err := unpack(r.Value, &kept); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Key, err)
		}
		name := r.Key[len(appliedKey(f.name, "")):]
		if t := newest.madeAs(name, kept.Hash); t != nil {
			out[name] = controller.Target{Revision: kept.Revision, Tree: t}
			continue
		}
		n, known := networks[kept.Revision]
		if !known {
			if in, err := f.s.intents.At(ctx, f.name, kept.Revision); err == nil {
				if n, err = f.s.compile(in); err == nil {
					err = n.intendDrains(ctx, newJournal(f.keep), nil)
				}
				if err != nil {
					n = nil // this program makes something else of it, and so it is not known what the device should have
				}
			}
			networks[kept.Revision] = n
		}
		if n == nil {
			continue
		}
		if t := n.madeAs(name, kept.Hash); t != nil {
			out[name] = controller.Target{Revision: kept.Revision, Tree: t}
		}
	}
	return out, nil
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

// during tells agents that a transaction changes their devices, and afterwards where it has brought them: to what to says.
func (f *fabricRun) during(ctx context.Context, id string, to func(device string) controller.Target, names []string, do func() (transaction.Result, error)) (transaction.Result, error) {
	f.each(names, func(d *controller.Device, now time.Time) controller.News { return d.Begin(id, now) })
	res, err := do()
	arrived := err == nil && (res.Outcome == transaction.Done || res.Outcome == "") // of those that had it already nothing is said
	for _, name := range names {
		status, t := res.Devices[name], to(name)
		f.each([]string{name}, func(d *controller.Device, now time.Time) controller.News {
			switch {
			case arrived:
				d.Have(t, now)
			case res.Outcome == transaction.Mixed && status != transaction.Restored && status != transaction.Waiting:
				d.Leave(fmt.Sprintf("transaction %s left it %s: %s", res.ID, status, res.Errors[name]), now)
			}
			return d.End(now)
		})
		if arrived {
			err = errors.Join(err, f.putApplied(context.WithoutCancel(ctx), name, t.Revision, plan.Hash(t.Tree)))
		}
	}
	return res, err
}
