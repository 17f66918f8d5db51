package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// How an agent paces itself.
const (
	shortestRetry = 500 * time.Millisecond // after the first failure to connect; each further one waits twice as long
	longestRetry  = 30 * time.Second
	readBack      = 5 * time.Minute        // a device is read as a whole now and then, whatever it says by itself
	gathering     = 100 * time.Millisecond // what a device says within it is looked at together
	toTell        = 2 * time.Second        // a device is not read before it has told all it has, or for so long
	toCompare     = 10 * time.Second       // what devices show is not looked at before all were compared with what is intended, or for so long
)

// awaitFirst counts an agent in, until it calls what is returned.
func (f *fabricRun) awaitFirst() func() {
	f.firsts.Add(1)
	return sync.OnceFunc(func() {
		if f.firsts.Add(-1) == 0 {
			f.allFirst()
		}
	})
}

// compared waits until every device was read for the first time, or could not be: after a start that is what people wait for.
func (f *fabricRun) compared(ctx context.Context) {
	limit := time.NewTimer(toCompare)
	defer limit.Stop()
	select {
	case <-f.begun:
	case <-limit.C:
	case <-ctx.Done():
	}
}

// agent speaks with one device for as long as the controller runs: one connection, one subscription, and a reading of the whole
// whenever something is in doubt. All decisions are those of controller.Device.
type agent struct {
	fabric *fabricRun
	name   string
	tried  chan struct{} // closed when it has met the device, or failed to, for the first time
	try    func()        // closes it
	first  func()        // it was read, or could not be, for the first time

	mu     sync.Mutex
	state  *controller.Device
	design *fabric.Device
	dev    *device.Device  // nil: not connected
	lent   *sync.WaitGroup // transactions and collectors that use its connection
	over   context.Context // ends with the connection
	hangUp func()          // ends the connection
	moved  chan struct{}   // closed when the connection comes or goes, and made anew
	nudged chan struct{}   // something is to be done
}

func newAgent(f *fabricRun, d *fabric.Device) *agent {
	a := &agent{fabric: f, name: d.Name, design: d, nudged: make(chan struct{}, 1), tried: make(chan struct{}), moved: make(chan struct{})}
	a.try = sync.OnceFunc(func() { close(a.tried) })
	a.first = f.awaitFirst()
	a.state = &controller.Device{Name: d.Name, Schema: drivers[d.OS].Schema, Owned: func(has, intended *config.Tree) *config.Tree {
		return drivers[a.design.OS].Scope(a.design).Owned(has, intended)
	}}
	return a
}

// tell changes what is known of the device, and passes on what is new.
func (a *agent) tell(change func(d *controller.Device, now time.Time) controller.News) {
	a.mu.Lock()
	now := time.Now()
	news := change(a.state, now)
	stale := a.state.Stale()
	if !news.Empty() {
		a.fabric.heard(a.name, a.state.Standing(), news, now)
	}
	a.mu.Unlock()
	if stale {
		a.nudge()
	}
}

func (a *agent) nudge() { leaveWord(a.nudged) }

// leaveWord leaves a word for whoever looks next. It does not wait.
func leaveWord(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// follows has the agent follow what a new revision says of the device. Where that is another box, or elsewhere, it connects again.
func (a *agent) follows(d *fabric.Device) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.design
	a.design = d
	same := was.Platform.Name == d.Platform.Name && was.Release == d.Release && was.Management == d.Management && was.Fingerprint == d.Fingerprint
	if !same && a.dev != nil {
		a.hangUp()
	}
}

// os is the operating system whose language the agent speaks.
func (a *agent) os() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.design.OS
}

// standing is where the device stands.
func (a *agent) standing() (s controller.Standing, received, coalesced int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.Standing(), a.state.Received, a.state.Coalesced
}

// owned is what Loom owns of what the device has; nil: it was not read.
func (a *agent) owned() *config.Tree {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state.Has() == nil {
		return nil
	}
	return a.state.OwnedNow()
}

// stands is where the device stands, and what it was brought to.
func (a *agent) stands() (controller.Standing, controller.Target) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.Standing(), a.state.Applied()
}

// run follows the device until ctx ends.
func (a *agent) run(ctx context.Context) {
	defer a.move() // whoever waits for this one looks for the next
	defer a.try()
	defer a.first()
	wait := shortestRetry
	for ctx.Err() == nil {
		met, err := a.follow(ctx)
		a.first()
		if ctx.Err() != nil {
			return
		}
		if met {
			wait = shortestRetry
		}
		a.tell(func(d *controller.Device, now time.Time) controller.News { return d.Lose(errorText(a.name, err), now) })
		a.try()
		a.move()
		a.fabric.watch.lost(a.name, errorText(a.name, err))
		select {
		case <-time.After(wait/2 + rand.N(wait)): // not all at once, where all were lost at once
		case <-ctx.Done():
		}
		wait = min(2*wait, longestRetry)
	}
}

func errorText(name string, err error) string {
	if err == nil || errors.Is(err, context.Canceled) {
		return "the connection ended"
	}
	return unreachable(name, err).Unreachable
}

// follow connects, and follows the device until the connection ends. met tells whether it was who it should be.
func (a *agent) follow(ctx context.Context) (met bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n, r := a.fabric.current()
	l, err := dial(ctx, n, r, a.name)
	if err != nil {
		if refuses(err) {
			a.tell(func(d *controller.Device, now time.Time) controller.News {
				return d.Refuse(errorText(a.name, err), now)
			})
		}
		return false, err
	}
	defer l.Close()
	var lent sync.WaitGroup
	over, end := context.WithCancel(ctx)
	a.mu.Lock()
	a.dev, a.design, a.lent, a.over, a.hangUp = l.Device, l.design, &lent, over, cancel
	a.mu.Unlock()
	a.try()
	a.move()
	defer lent.Wait() // a stream that ends takes nothing away from a transaction, which connects again by itself
	defer func() {
		a.mu.Lock()
		a.dev = nil
		a.mu.Unlock()
		end()
	}()
	a.tell(func(d *controller.Device, now time.Time) controller.News { return d.Connect(now) })
	a.fabric.running.Go(func() {
		a.fabric.compared(ctx)
		a.fabric.watch.follow(ctx, a.name, l)
	})
	told, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		ended <- l.Follow(ctx, mustPaths(drivers[l.design.OS].Followed(l.design.Release)), func(n *gnmi.Notification) {
			a.hear(n)
			if n == nil {
				leaveWord(told)
			}
		})
	}()
	select {
	case <-told:
	case <-time.After(toTell):
	case err := <-ended:
		return true, err
	case <-ctx.Done():
		return true, ctx.Err()
	}
	return true, a.attend(ctx, l, ended)
}

// refuses tells whether somebody answers who is another one, or does not let us in: trying again does not mend that.
func refuses(err error) bool {
	return !errors.As(err, new(*device.Error)) || errors.Is(err, device.ErrRefused)
}

// hear takes what the device says of itself; nil is that it has told all it has.
func (a *agent) hear(n *gnmi.Notification) {
	a.mu.Lock()
	if n == nil {
		a.state.Told()
	} else {
		a.state.Hear(n)
	}
	a.mu.Unlock()
	a.nudge()
}

// attend does what there is to do until the subscription ends.
func (a *agent) attend(ctx context.Context, l *live, ended <-chan error) error {
	whole := time.NewTicker(readBack)
	defer whole.Stop()
	for {
		if err := a.catchUp(ctx, l); err != nil {
			return err
		}
		a.first()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-whole.C:
			if err := a.read(ctx, l); err != nil {
				return err
			}
		case <-a.nudged:
			select { // what else it says in a moment is looked at together with it
			case <-time.After(gathering):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// catchUp looks at what was heard, and reads the device where that leaves doubts.
func (a *agent) catchUp(ctx context.Context, l *live) error {
	a.tell(func(d *controller.Device, now time.Time) controller.News { return d.Look(now) })
	a.mu.Lock()
	stale := a.state.Stale()
	a.mu.Unlock()
	if !stale {
		return nil
	}
	return a.read(ctx, l)
}

// read reads the device as a whole; a bounded number of devices at a time.
func (a *agent) read(ctx context.Context, l *live) error {
	select {
	case a.fabric.turns <- struct{}{}:
		defer func() { <-a.fabric.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	a.mu.Lock()
	asked, meant := a.state.Ask(), a.state.Meant()
	a.mu.Unlock()
	answer, err := l.ask(ctx)
	if err != nil {
		return err
	}
	if rest, ok := answer.Beside(meant); ok && drivers[l.design.OS].Scope(l.design).Owned(rest.Tree, meant).Root().IsDefault() {
		a.tell(func(d *controller.Device, now time.Time) controller.News { return d.ReadAs(meant, asked, now) })
		return nil
	}
	has, _, err := answer.Tree()
	if err != nil {
		return err
	}
	a.tell(func(d *controller.Device, now time.Time) controller.News { return d.Read(has, asked, now) })
	return nil
}

// borrow is the device for a transaction, over the connection that there is, until it is closed; the first one is waited for. The device is asked once more who it is:
// a connection that broke may have been made again to another one.
func (a *agent) borrow(ctx context.Context, n *network) (*live, error) {
	select {
	case <-a.tried:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	a.mu.Lock()
	if a.dev == nil {
		defer a.mu.Unlock()
		return nil, fmt.Errorf("%s: %s: %s; mend that, or leave it out", a.name, a.state.Standing().Status, a.state.Standing().Reason)
	}
	l := dialled(a.dev, n.design.Device(a.name), n.trees[a.name])
	a.lent.Add(1)
	l.lent = sync.OnceFunc(a.lent.Done)
	a.mu.Unlock()
	id, err := l.Identify(ctx)
	if err == nil {
		err = id.Check(l.design.Release, l.design.Platform.Name)
	}
	if err != nil {
		return nil, errors.Join(prefixed(a.name, err), l.Close())
	}
	l.version = id.Version
	return l, nil
}
