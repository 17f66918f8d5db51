package main

import (
	"context"
	"time"

	"github.com/loomfabric/loom/pkg/verify"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// follower follows what devices show by subscriptions (ON_CHANGE), and observes them again when they have news.
type follower struct {
	*observer
	turns chan struct{} // one for each device that is connected to or read at this moment
	back  time.Duration // a device is observed so long after the last time, whatever it says by itself; 0: it is believed
}

// pace is the least time between two readings of a device that is followed: while sessions come up there is news all
// the time. A device that takes long to be read is read less often, but soon enough for a network to be seen at rest.
const (
	pace     = 100 * time.Millisecond
	slowest  = 500 * time.Millisecond
	idleness = 4 // how much longer than a reading it is left alone
)

// sampling is the time between two readings of a device that has to do with light, whether it has news or not. What is
// measured of light changes all the time, so nobody subscribes to it (driver.LightPaths), and what a gate waits for may
// be made by another device: a media channel passes light when somebody else's laser is on.
const sampling = time.Second

// breath is how long to leave a device alone that took some time to be read.
func breath(took time.Duration) time.Duration { return min(max(pace, idleness*took), slowest) }

// followOver follows a device over one connection, and returns why that ended. over is the device, as it is intended at the time;
// observe is called whenever there is news, and reads what it shows. Who puts something into news has it observed, too.
func (f *follower) followOver(ctx context.Context, over func() *live, news chan struct{}, observe func(read func() (verify.Device, error)) error) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	ended := make(chan error, 1)
	l := over()
	go func() {
		ended <- l.Follow(ctx, mustPaths(drivers[l.design.OS].ObservePaths), newsOf(news))
	}()
	for {
		var sample <-chan time.Time
		if wait := f.patience(over()); wait > 0 {
			sample = f.after(wait)
		}
		select {
		case <-news:
		case <-sample:
		case err := <-ended:
			return err
		}
		begun := f.now()
		if err := observe(func() (verify.Device, error) { return f.readOne(ctx, over()) }); err != nil {
			return err
		}
		took := f.now().Sub(begun)
		select { // what changes in the meantime is one piece of news
		case <-f.after(breath(took)):
		case <-ctx.Done():
		}
	}
}

// patience is how long a device that says nothing is left alone; 0: for ever.
func (f *follower) patience(l *live) time.Duration {
	if drv := drivers[l.design.OS]; len(drv.Observed(l.design)) > len(drv.ObservePaths) {
		return sampling
	}
	return f.back
}

// readOne reads what a device shows, a bounded number of devices at a time.
func (f *follower) readOne(ctx context.Context, l *live) (verify.Device, error) {
	if err := f.turn(ctx); err != nil {
		return verify.Device{}, err
	}
	defer func() { <-f.turns }()
	ctx, cancel := context.WithTimeout(ctx, f.limit)
	defer cancel()
	return f.read(ctx, l), nil
}

// turn waits for a place among those that speak to a device.
func (f *follower) turn(ctx context.Context) error {
	select {
	case f.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newsOf makes one piece of news of all that came since the last one was taken; what the device had to say at
// first is one, when it has said it (sync_response, gNMI specification 3.5.1.4).
func newsOf(news chan<- struct{}) func(*gnmi.Notification) {
	synced := false
	return func(n *gnmi.Notification) {
		if synced = synced || n == nil; !synced {
			return
		}
		select {
		case news <- struct{}{}:
		default:
		}
	}
}
