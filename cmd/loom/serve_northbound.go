package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/northbound"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Limits of collectors, each of which is named by the error of who hits it.
const (
	mostCollecting = 256     // calls of all collectors at once
	mostOfOne      = 64      // calls of one collector at once
	mostKept       = 1 << 30 // bytes of values that are kept for all of them together, about
	mostAnswer     = 64 << 20
	readingAtOnce  = 8 // devices that are read for one call at once
)

// collectors are who listens to devices through the controller. The zero value is ready.
type collectors struct {
	budget northbound.Budget

	mu      sync.Mutex
	devices map[deviceName]*collected
	calls   map[string]int // by collector
	all     int
	models  map[string]*gnmi.CapabilityResponse // by operating system, release and platform
}

// deviceName is a device in care.
type deviceName struct{ topology, device string }

// observed implements api.Observed.
type observed struct{ *serving }

// enter begins a call of a collector, which ends by what it returns.
func (c *collectors) enter(by string) (leave func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.all >= mostCollecting:
		return nil, fmt.Errorf("%w: %d calls of collectors are under way", northbound.ErrLimit, mostCollecting)
	case c.calls[by] >= mostOfOne:
		return nil, fmt.Errorf("%w: %d calls of %s are under way; ask for several paths, or for all devices, in one", northbound.ErrLimit, mostOfOne, by)
	}
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.all++
	c.calls[by]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all--
		if c.calls[by]--; c.calls[by] == 0 {
			delete(c.calls, by)
		}
	}, nil
}

// targets are the devices that a target means, and how the collector calls each of them. A device whose name is in several
// topologies is called by both: dci/leaf1.
func (s *serving) targets(target string) (map[deviceName]string, error) {
	s.mu.Lock()
	fabrics := maps.Clone(s.fabrics)
	s.mu.Unlock()
	in := map[string][]string{} // topologies, by device
	for _, topology := range sortedKeys(fabrics) {
		f := fabrics[topology]
		f.mu.Lock()
		for name := range f.agents {
			in[name] = append(in[name], topology)
		}
		f.mu.Unlock()
	}
	out := map[deviceName]string{}
	if target == northbound.All {
		for name, topologies := range in {
			for _, t := range topologies {
				out[deviceName{t, name}] = name
				if len(topologies) > 1 {
					out[deviceName{t, name}] = t + "/" + name
				}
			}
		}
		return out, nil
	}
	if topology, name, both := strings.Cut(target, "/"); both && slices.Contains(in[name], topology) {
		out[deviceName{topology, name}] = target
		return out, nil
	}
	switch topologies := in[target]; len(topologies) {
	case 0:
		return nil, fmt.Errorf("%w: prefix.target is %q, and no device in care has that name; loom devices lists them, * means all", northbound.ErrNoTarget, target)
	case 1:
		out[deviceName{topologies[0], target}] = target
		return out, nil
	default:
		return nil, fmt.Errorf("%w: prefix.target is %q, which is in %s; say %s/%s", northbound.ErrInvalid, target, strings.Join(topologies, " and "), topologies[0], target)
	}
}

// news is closed when devices may have come or gone.
func (s *serving) news() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told == nil {
		s.told = make(chan struct{})
	}
	return s.told
}

// taking tells whether a topology is being taken into care, as all are when a controller starts.
func (s *serving) taking() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, why := range s.without {
		if errors.Is(why, errNotYet) {
			return true
		}
	}
	return false
}

// meant is targets of what is in care or soon will be: that is waited for, with patience.
func (s *serving) meant(ctx context.Context, target string) (map[deviceName]string, error) {
	limit := time.After(patience)
	for {
		changed := s.news()
		taking := s.taking()
		out, err := s.targets(target)
		if err == nil || !taking {
			return out, err
		}
		select {
		case <-changed:
		case <-limit:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Stream implements api.Observed.
func (s observed) Stream(ctx context.Context, by string, r *northbound.Request) (*northbound.Reader, func(), error) {
	leave, err := s.collectors.enter(by)
	if err != nil {
		return nil, nil, err
	}
	targets, err := s.meant(ctx, r.Target)
	if err != nil {
		leave()
		return nil, nil, err
	}
	l := &listener{s: s.serving, request: r, reader: northbound.NewReader(r.Target != northbound.All), has: map[deviceName][]*upstream{}}
	followed, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	end := func() {
		stop()
		running.Wait()
		l.reader.Close()
		l.leaveAll()
		leave()
	}
	changed := s.news()
	if err := l.listenTo(targets); err != nil {
		end()
		return nil, nil, err
	}
	l.reader.Open()
	running.Go(func() { l.follow(followed, changed) })
	beats := map[time.Duration]bool{0: true}
	for _, i := range r.Interests {
		if !beats[i.Heartbeat] {
			beats[i.Heartbeat] = true
			running.Go(func() { l.beat(followed, i.Heartbeat) })
		}
	}
	return l.reader, end, nil
}

// listener is a collector's stream.
type listener struct {
	s       *serving
	request *northbound.Request
	reader  *northbound.Reader
	has     map[deviceName][]*upstream
}

// listenTo has the reader told of devices, and not of others any more.
func (l *listener) listenTo(targets map[deviceName]string) error {
	for at, all := range l.has {
		if _, still := targets[at]; !still {
			for _, u := range all {
				l.reader.Unlink(u.feed, time.Now())
				u.leave()
			}
			delete(l.has, at)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(targets), func(a, b deviceName) int {
		return cmp.Or(strings.Compare(a.topology, b.topology), strings.Compare(a.device, b.device))
	}) {
		if _, has := l.has[at]; has {
			continue
		}
		l.has[at] = nil
		c := l.s.collected(at)
		for _, i := range l.request.Interests {
			all, err := c.join(i)
			for _, u := range all {
				l.has[at] = append(l.has[at], u)
				l.reader.Link(u.feed, targets[at], i, l.request.UpdatesOnly)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// follow follows which devices there are.
func (l *listener) follow(ctx context.Context, changed <-chan struct{}) {
	for {
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		changed = l.s.news()
		targets, err := l.s.targets(l.request.Target)
		if err == nil {
			err = l.listenTo(targets)
		}
		if err != nil {
			l.reader.Fail(err)
			return
		}
	}
}

// beat has values told again.
func (l *listener) beat(ctx context.Context, heartbeat time.Duration) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.reader.Beat(heartbeat)
		case <-ctx.Done():
			return
		}
	}
}

func (l *listener) leaveAll() {
	for _, all := range l.has {
		for _, u := range all {
			u.leave()
		}
	}
}

// Once implements api.Observed.
func (s observed) Once(ctx context.Context, by string, r *northbound.Request, req *gnmi.SubscribeRequest, send func(*gnmi.Notification) error) error {
	return s.ask(ctx, by, r.Target, func(c *collected) (*spoken, error) { return c.once(ctx, r, req) }, send)
}

// Get implements api.Observed.
func (s observed) Get(ctx context.Context, by string, r *gnmi.GetRequest) (*gnmi.GetResponse, error) {
	target, err := northbound.TargetOf(r.GetPrefix())
	if err != nil {
		return nil, err
	}
	out := &gnmi.GetResponse{}
	size := 0
	err = s.ask(ctx, by, target, func(c *collected) (*spoken, error) { return c.get(ctx, r) }, func(n *gnmi.Notification) error {
		if size += proto.Size(n); size > mostAnswer {
			return fmt.Errorf("%w: the answer has more than %d MiB; ask for less, or subscribe ONCE", northbound.ErrLimit, mostAnswer>>20)
		}
		out.Notification = append(out.Notification, n)
		return nil
	})
	slices.SortStableFunc(out.Notification, func(a, b *gnmi.Notification) int {
		return strings.Compare(a.GetPrefix().GetTarget(), b.GetPrefix().GetTarget())
	})
	return out, err
}

// ask asks the devices that a target means, several at once, and sends what each of them says, one after the other. With all devices
// together those that do not answer, and those that refuse, are left out, unless all of them do.
func (s *serving) ask(ctx context.Context, by, target string, read func(*collected) (*spoken, error), send func(*gnmi.Notification) error) error {
	leave, err := s.collectors.enter(by)
	if err != nil {
		return err
	}
	defer leave()
	targets, err := s.meant(ctx, target)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var first, broken error
	answered := 0
	turns := make(chan struct{}, readingAtOnce)
	var all sync.WaitGroup
	for at, as := range targets {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			said, err := read(s.collected(at))
			defer said.giveBack()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				first = cmp.Or(first, err)
				return
			}
			answered++
			for _, n := range said.all {
				if broken == nil {
					broken = send(inName(n, as))
				}
			}
		})
	}
	all.Wait()
	if broken == nil && answered == 0 {
		broken = first
	}
	return broken
}

// Models implements api.Observed. One device of each kind is asked, once.
func (s observed) Models(ctx context.Context) ([]*gnmi.ModelData, []gnmi.Encoding, error) {
	targets, err := s.targets(northbound.All)
	if err != nil {
		return nil, nil, err
	}
	c := &s.collectors
	for at := range targets {
		d := s.collected(at)
		a := d.agent()
		if a == nil {
			continue
		}
		kind := a.kind()
		c.mu.Lock()
		known := c.models[kind] != nil
		c.mu.Unlock()
		if known {
			continue
		}
		var said *gnmi.CapabilityResponse
		if err := d.read(ctx, func(dev *device.Device) (err error) { said, err = dev.Capabilities(ctx); return err }); err != nil {
			continue // as one that was not met
		}
		c.mu.Lock()
		if c.models == nil {
			c.models = map[string]*gnmi.CapabilityResponse{}
		}
		c.models[kind] = said
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	models, encodings := northbound.Common(slices.Collect(maps.Values(c.models)))
	return models, encodings, nil
}

// relayed is what a device says about a request, with a code by which a collector can choose: that of the device where it is about the
// request.
func relayed(err error) error {
	e := (*device.Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	switch code := status.Code(e.Err); code {
	case codes.InvalidArgument, codes.NotFound, codes.Unimplemented, codes.OutOfRange, codes.FailedPrecondition, codes.ResourceExhausted:
		return status.Error(code, err.Error())
	}
	return fmt.Errorf("%w: %w", northbound.ErrUnavailable, errors.New(err.Error()))
}
