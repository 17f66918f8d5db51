package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/northbound"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/proto"
)

// How a device is asked for collectors.
const (
	lingering   = 2 * time.Second  // a subscription to a device stays so long after the last collector has left
	toSay       = 30 * time.Second // first values are not waited for any longer
	mostReading = 2                // readings of one device at once
	// Subscriptions to one device at once, where its operating system has no number of its own: SR Linux takes 20 calls, and the
	// controller needs some of them for itself.
	mostSubscribed = 12
)

// collected is one device as collectors have it: subscriptions that they share, over the connection of its agent.
type collected struct {
	s     *serving
	at    deviceName
	turns chan struct{} // of who reads it

	mu       sync.Mutex
	feeds    map[northbound.Source]*upstream
	meta     northbound.Meta
	watching context.CancelFunc // ends watch; nil: nobody listens
}

// upstream is one subscription to a device, or what stands for one: how the controller stands to it.
type upstream struct {
	c      *collected
	source northbound.Source
	path   *gnmi.Path
	feed   *northbound.Feed
	meta   bool
	end    context.CancelFunc

	// Guarded by c.mu.
	users int
	idle  *time.Timer // ends it; nil: it is used
}

func (s *serving) collected(at deviceName) *collected {
	s.collectors.mu.Lock()
	defer s.collectors.mu.Unlock()
	if s.collectors.devices == nil {
		s.collectors.devices = map[deviceName]*collected{}
		s.collectors.budget.Most = mostKept
	}
	c := s.collectors.devices[at]
	if c == nil {
		c = &collected{s: s, at: at, turns: make(chan struct{}, mostReading), feeds: map[northbound.Source]*upstream{}}
		s.collectors.devices[at] = c
	}
	return c
}

// agent is that of the device; nil: it is not in care.
func (c *collected) agent() *agent {
	f, err := c.s.fabric(c.at.topology)
	if err != nil {
		return nil
	}
	return f.agent(c.at.device)
}

// join is what serves an interest, which u.leave gives back: of the device, of how the controller stands to it, or both.
func (c *collected) join(i northbound.Interest) (all []*upstream, err error) {
	ofDevice, meta := northbound.MetaOf(i.Path)
	now := c.look()
	c.mu.Lock()
	defer c.mu.Unlock()
	if meta {
		source := i.Source
		source.Path, source.Mode, source.Every = "meta of "+source.Path, gnmi.SubscriptionMode_ON_CHANGE, 0
		u := c.feeds[source]
		if u == nil {
			u = c.begin(source, i.Path)
			u.meta = true
			c.stand(now)
			c.tell(u)
		}
		all = append(all, u.use())
	}
	if ofDevice {
		u := c.feeds[i.Source]
		if u == nil {
			if most := c.most(); c.subscribed() >= most {
				return all, fmt.Errorf("%s: %w: collectors have %d subscriptions to it; use paths, modes, intervals and encodings that others use, too", c.at.device, northbound.ErrLimit, most)
			}
			u = c.begin(i.Source, i.Path)
			ctx, end := context.WithCancel(c.s.ctx)
			u.end = end
			c.s.minders.Go(func() { c.follow(ctx, u) })
		}
		all = append(all, u.use())
	}
	if c.watching == nil {
		ctx, end := context.WithCancel(c.s.ctx)
		c.watching = end
		c.s.minders.Go(func() { c.watch(ctx) })
	}
	return all, nil
}

// subscribed is how many subscriptions collectors have to the device. c.mu is held.
func (c *collected) subscribed() (n int) {
	for _, u := range c.feeds {
		if !u.meta {
			n++
		}
	}
	return n
}

// most is how many subscriptions collectors may have to the device: half of the calls that it takes, where that is known.
func (c *collected) most() int {
	if a := c.agent(); a != nil {
		return cmp.Or(drivers[a.os()].Manners.Channels/2, mostSubscribed)
	}
	return mostSubscribed
}

// begin is a new upstream. c.mu is held.
func (c *collected) begin(source northbound.Source, path *gnmi.Path) *upstream {
	u := &upstream{c: c, source: source, path: path, end: func() {}, feed: northbound.NewFeed(c.at.device, path, source, &c.s.collectors.budget)}
	c.feeds[source] = u
	return u
}

// use counts somebody in. c.mu is held.
func (u *upstream) use() *upstream {
	u.users++
	if u.idle != nil {
		u.idle.Stop()
		u.idle = nil
	}
	return u
}

// leave counts somebody out. After the last one it stays for a moment: a collector that reconnects finds it.
func (u *upstream) leave() {
	u.c.mu.Lock()
	defer u.c.mu.Unlock()
	if u.users--; u.users > 0 {
		return
	}
	u.idle = time.AfterFunc(lingering, func() {
		u.c.mu.Lock()
		defer u.c.mu.Unlock()
		if u.users == 0 {
			u.c.forget(u)
			u.end()
			u.feed.End(errors.New("nobody listens"))
		}
	})
}

// forget has the next one who asks begin anew. c.mu is held.
func (c *collected) forget(u *upstream) {
	if c.feeds[u.source] == u {
		delete(c.feeds, u.source)
	}
	if len(c.feeds) == 0 && c.watching != nil {
		c.watching()
		c.watching = nil
	}
}

// follow subscribes to the device for as long as somebody listens.
func (c *collected) follow(ctx context.Context, u *upstream) {
	wait := shortestRetry
	for ctx.Err() == nil {
		changed := c.s.news()
		a := c.agent()
		if a == nil { // who listens learns it elsewhere
			u.feed.Lose()
			abide(ctx, changed, 0)
			continue
		}
		dev, over, moved, giveBack := a.lend()
		if dev == nil {
			if !a.met() {
				abide(ctx, a.tried, 0)
				continue
			}
			u.feed.Lose()
			abide(ctx, moved, 0)
			continue
		}
		told, err := c.relay(ctx, over, dev, u)
		giveBack()
		if told {
			wait = shortestRetry
		}
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, northbound.ErrLimit):
			c.mu.Lock()
			c.forget(u)
			c.mu.Unlock()
			return
		case over.Err() == nil && errors.Is(err, device.ErrRefused):
			u.feed.Refuse(relayed(err))
			c.review()
			abide(ctx, moved, seldom)
		default:
			u.feed.Lose()
			abide(ctx, nil, wait)
			wait = min(2*wait, longestRetry)
		}
	}
}

// abide waits for something, or for some time; 0: for ever.
func abide(ctx context.Context, what <-chan struct{}, most time.Duration) {
	var late <-chan time.Time
	if most > 0 {
		late = time.After(most)
	}
	select {
	case <-what:
	case <-late:
	case <-ctx.Done():
	}
}

// relay has the feed hear the device until the subscription ends. told tells whether it has got as far as a sync_response.
func (c *collected) relay(ctx, over context.Context, dev *device.Device, u *upstream) (told bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(over, cancel)()
	defer time.AfterFunc(toSay, u.feed.Late).Stop()
	u.feed.Begin()
	list := &gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_STREAM, Encoding: u.source.Encoding, Subscription: []*gnmi.Subscription{
		{Path: u.path, Mode: u.source.Mode, SampleInterval: uint64(u.source.Every)},
	}}
	err = dev.Relay(ctx, &gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: list}}, func(resp *gnmi.SubscribeResponse) error {
		if n := resp.GetUpdate(); n != nil {
			return u.feed.Hear(n)
		}
		if resp.GetSyncResponse() {
			told = true
			u.feed.Told(time.Now())
			c.review()
		}
		return nil
	})
	return told, err
}

// watch follows how the controller stands to the device.
func (c *collected) watch(ctx context.Context) {
	for ctx.Err() == nil {
		changed := c.s.news()
		if a := c.agent(); a != nil {
			changed = a.stir()
		}
		now := c.look()
		c.mu.Lock()
		c.stand(now)
		c.mu.Unlock()
		abide(ctx, changed, 0)
	}
}

// look is how the controller stands to the device.
func (c *collected) look() northbound.Meta {
	a := c.agent()
	if a == nil {
		return northbound.Meta{Why: "it is in nobody's care"}
	}
	dev, _, _, giveBack := a.lend()
	if dev != nil {
		giveBack()
		return northbound.Meta{Connected: true}
	}
	if s, _, _ := a.standing(); s.Reason != "" {
		return northbound.Meta{Why: s.Reason}
	}
	return northbound.Meta{Why: "there is no connection"}
}

// stand takes how the controller stands to the device. c.mu is held.
func (c *collected) stand(now northbound.Meta) {
	now.Sync = c.meta.Sync && c.meta.Connected && now.Connected || now.Connected && c.whole()
	c.become(now)
}

// review looks whether all that collectors have subscribed to is there.
func (c *collected) review() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stand(northbound.Meta{Connected: c.meta.Connected, Why: c.meta.Why})
}

func (c *collected) whole() bool {
	for _, u := range c.feeds {
		if !u.meta && !u.feed.Whole() {
			return false
		}
	}
	return true
}

func (c *collected) become(m northbound.Meta) {
	if m == c.meta {
		return
	}
	c.meta = m
	for _, u := range c.feeds {
		if u.meta {
			c.tell(u)
		}
	}
}

// tell has a feed told how the controller stands to the device. c.mu is held.
func (c *collected) tell(u *upstream) {
	now := time.Now()
	u.feed.Begin()
	_ = u.feed.Hear(c.meta.Notification(u.path, u.source.Encoding, now)) // who listens is told of a limit
	u.feed.Told(now)
}

// read reads the device over the connection that there is.
func (c *collected) read(ctx context.Context, do func(*device.Device) error) error {
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	a := c.agent()
	if a == nil {
		return fmt.Errorf("%s: %w", c.at.device, northbound.ErrNoTarget)
	}
	abide(ctx, a.tried, 0)
	dev, _, _, giveBack := a.lend()
	if dev == nil {
		s, _, _ := a.standing()
		return fmt.Errorf("%s: %w: %s: %s", c.at.device, northbound.ErrUnavailable, s.Status, cmp.Or(s.Reason, "there is no connection"))
	}
	defer giveBack()
	return relayed(do(dev))
}

// spoken is what one device has answered, within what all collectors may have together.
type spoken struct {
	c    *collected
	all  []*gnmi.Notification
	size int64
}

// add takes one notification more. Errors: northbound.ErrLimit.
func (a *spoken) add(n *gnmi.Notification) error {
	size := int64(proto.Size(n))
	if a.size+size > mostAnswer {
		return fmt.Errorf("%s: %w: the answer has more than %d MiB; ask for less", a.c.at.device, northbound.ErrLimit, mostAnswer>>20)
	}
	if err := a.c.s.collectors.budget.Take(size); err != nil {
		return fmt.Errorf("%s: %w", a.c.at.device, err)
	}
	a.size += size
	a.all = append(a.all, n)
	return nil
}

func (a *spoken) giveBack() { a.c.s.collectors.budget.Give(a.size) }

// once is what the device has at the paths of a request.
func (c *collected) once(ctx context.Context, r *northbound.Request, req *gnmi.SubscribeRequest) (*spoken, error) {
	out := &spoken{c: c}
	asked := req.GetSubscribe()
	list := &gnmi.SubscriptionList{
		Mode: gnmi.SubscriptionList_ONCE, Encoding: r.Encoding, UseModels: asked.GetUseModels(), AllowAggregation: asked.GetAllowAggregation(), Qos: asked.GetQos(),
	}
	for _, i := range r.Interests {
		ofDevice, meta := northbound.MetaOf(i.Path)
		if meta {
			if err := out.add(c.metaNow().Notification(i.Path, r.Encoding, time.Now())); err != nil {
				return out, err
			}
		}
		if ofDevice {
			list.Subscription = append(list.Subscription, &gnmi.Subscription{Path: i.Path})
		}
	}
	if len(list.Subscription) == 0 {
		return out, nil
	}
	up := &gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: list}, Extension: req.GetExtension()}
	return out, c.read(ctx, func(dev *device.Device) error {
		return dev.Relay(ctx, up, func(resp *gnmi.SubscribeResponse) error {
			if n := resp.GetUpdate(); n != nil {
				return out.add(n)
			}
			return nil
		})
	})
}

// get is what the device answers to a Get.
func (c *collected) get(ctx context.Context, r *gnmi.GetRequest) (*spoken, error) {
	out := &spoken{c: c}
	up := proto.Clone(r).(*gnmi.GetRequest)
	up.Path = nil
	if up.Prefix != nil {
		up.Prefix.Target = ""
	}
	for _, p := range r.GetPath() {
		whole, err := northbound.WholePath(r.GetPrefix(), p)
		if err != nil {
			return out, err
		}
		if ofDevice, _ := northbound.MetaOf(whole); ofDevice {
			up.Path = append(up.Path, p)
		} else if err := out.add(c.metaNow().Notification(whole, r.GetEncoding(), time.Now())); err != nil {
			return out, err
		}
	}
	if len(up.Path) == 0 && len(out.all) > 0 {
		return out, nil
	}
	return out, c.read(ctx, func(dev *device.Device) error {
		resp, err := dev.RelayGet(ctx, up)
		for _, n := range resp.GetNotification() {
			if err := out.add(n); err != nil {
				return err
			}
		}
		return err
	})
}

// metaNow is how the controller stands to the device.
func (c *collected) metaNow() northbound.Meta {
	now := c.look()
	c.mu.Lock()
	defer c.mu.Unlock()
	now.Sync = now.Connected && (len(c.feeds) == 0 || c.meta.Sync)
	return now
}

// inName has a notification say whose it is (gNMI specification §2.2.2.1).
func inName(n *gnmi.Notification, as string) *gnmi.Notification {
	if n.Prefix == nil {
		n.Prefix = &gnmi.Path{}
	}
	n.Prefix.Target = as
	return n
}

// lend is the device for a collector, until over ends or it is given back; nil where there is no connection. moved is closed when
// that changes.
func (a *agent) lend() (dev *device.Device, over context.Context, moved <-chan struct{}, giveBack func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dev == nil {
		return nil, nil, a.moved, nil
	}
	a.lent.Add(1)
	return a.dev, a.over, a.moved, sync.OnceFunc(a.lent.Done)
}

// stir is closed when the connection comes or goes.
func (a *agent) stir() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.moved
}

// met tells whether the device was met, or could not be.
func (a *agent) met() bool {
	select {
	case <-a.tried:
		return true
	default:
		return false
	}
}

// move tells that the connection has come or gone.
func (a *agent) move() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.moved)
	a.moved = make(chan struct{})
}

// kind is what devices have in common that have the same models.
func (a *agent) kind() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.design.OS + " " + a.design.Release + " " + a.design.Platform.Name
}
