package sim

import (
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// follow sends what there is and then what changes, until the client goes (gNMI spec §3.5.1.5.2). A
// client that reads more slowly than things change is told of the last value, not of those between.
func (sub *subscription) follow() error {
	ctx, strange := sub.stream.Context(), sub.hear()
	alarms := newAlarms(sub.sim.config.Clock)
	defer alarms.stop()
	for _, it := range sub.items {
		alarms.set(alarm{it, false}, it.every)
		alarms.set(alarm{it, true}, it.heartbeat)
	}
	view, changed := sub.now()
	if err := sub.sendFirst(view); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return ended(ctx)
		case err = <-strange:
		case <-changed:
			before := view
			view, changed = sub.now()
			updates, deletes := sub.changes(before, view)
			err = sub.send(sub.when(), updates, deletes)
		case <-alarms.wake:
			now, _ := sub.now()
			err = sub.send(sub.sim.config.Clock.Now(), sub.due(now, alarms.take()), nil)
		}
		if err != nil {
			return err
		}
	}
}

// hear returns a channel that gets an error when the client says something more: a stream takes one message only. A
// client that has said all it wants to say goes on listening.
func (sub *subscription) hear() <-chan error {
	strange := make(chan error, 1)
	go func() {
		if _, err := sub.stream.Recv(); err == nil {
			strange <- status.Error(codes.InvalidArgument, "a subscription in mode STREAM cannot be changed; start another")
		} else if !errors.Is(err, io.EOF) {
			strange <- err
		}
	}()
	return strange
}

// when returns the time of the last change.
func (d *Device) when() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stirred
}

// due returns what is to be sent when alarms have gone off.
func (sub *subscription) due(view *config.Tree, alarms []alarm) []*gnmi.Update {
	var out []*gnmi.Update
	for _, a := range alarms {
		updates := sub.leaves(view, a.item)
		if a.item.suppress {
			updates = a.item.news(updates, a.heartbeat)
		}
		out = append(out, updates...)
	}
	return out
}

// news notes what is sent, and leaves out what was sent last time already, unless all is wanted.
func (it *item) news(updates []*gnmi.Update, all bool) []*gnmi.Update {
	sent := make(map[string]string, len(updates))
	fresh := slices.DeleteFunc(updates, func(u *gnmi.Update) bool {
		path, value := u.GetPath().String(), u.GetVal().String()
		sent[path] = value
		return !all && it.sent[path] == value
	})
	it.sent = sent
	return fresh
}

// alarm is a time at which an item is sent: a sample, or a heartbeat.
type alarm struct {
	item      *item
	heartbeat bool
}

// alarms go off again and again. An alarm that is not taken before it goes off again is one alarm.
type alarms struct {
	clock Clock
	wake  chan struct{} // gets a value when there is something to take

	mu    sync.Mutex
	off   []alarm // that have gone off, in order
	stops map[alarm]func()
	ended bool
}

func newAlarms(c Clock) *alarms {
	return &alarms{clock: c, wake: make(chan struct{}, 1), stops: map[alarm]func(){}}
}

// set lets an alarm go off at each interval; one of 0 never does.
func (a *alarms) set(one alarm, every time.Duration) {
	if every <= 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ended {
		a.stops[one] = a.clock.AfterFunc(every, func() { a.ring(one, every) })
	}
}

func (a *alarms) ring(one alarm, every time.Duration) {
	a.mu.Lock()
	if !slices.Contains(a.off, one) {
		a.off = append(a.off, one)
	}
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default: // it has not been taken yet
	}
	a.set(one, every)
}

// take returns the alarms that have gone off since the last take.
func (a *alarms) take() []alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	off := a.off
	a.off = nil
	return off
}

// stop ends all alarms.
func (a *alarms) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	for _, stop := range a.stops {
		stop()
	}
}
