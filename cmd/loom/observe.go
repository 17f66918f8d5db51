package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/verify"
)

// observer looks at devices of a network, on connections of its own: one that has carried a Set may stand
// while nobody else could connect any more.
type observer struct {
	n     *network
	r     *resolver
	limit time.Duration                          // for one look at one device
	drift bool                                   // also compare configurations
	now   func() time.Time                       //
	after func(d time.Duration) <-chan time.Time // as time.After
}

func newObserver(n *network, r *resolver, limit time.Duration) *observer {
	return &observer{n: n, r: r, limit: limit, now: time.Now, after: time.After}
}

// observe looks once at the given devices, side by side. That one cannot be read is part of what is seen.
func (o *observer) observe(ctx context.Context, names []string) verify.Observed {
	out := verify.Observed{Devices: make(map[string]verify.Device, len(names))}
	var mu sync.Mutex
	_ = sideBySide(o.n.watch.meter("observed", len(names)), names, func(name string) error {
		d := o.look(ctx, name)
		mu.Lock()
		defer mu.Unlock()
		out.Devices[name] = d
		return nil
	})
	out.At = o.now()
	return out
}

// look connects to a device, reads what it shows, and hangs up.
func (o *observer) look(ctx context.Context, name string) verify.Device {
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	l, err := dial(ctx, o.n, o.r, name)
	if err != nil {
		return unreachable(name, err)
	}
	defer l.Close()
	return o.read(ctx, l)
}

// read reads what a connected device shows.
func (o *observer) read(ctx context.Context, l *live) verify.Device {
	drv := drivers[l.design.OS]
	state, err := l.Observe(ctx, mustPaths(drv.Observed(l.design)))
	if err != nil {
		return unreachable(l.Name(), err)
	}
	d := drv.Observe(state, l.design)
	if o.drift {
		if d.Drift, err = l.drift(ctx); err != nil {
			return unreachable(l.Name(), err)
		}
	}
	d.Seen = o.now()
	return d
}

// drift compares what Loom owns of the running configuration with what it intends.
func (l *live) drift(ctx context.Context) (*verify.Drift, error) {
	running, unknown, err := l.running(ctx)
	if err != nil {
		return nil, err
	}
	drv := drivers[l.design.OS]
	in := plan.Input{Scope: drv.Scope(l.design), Running: running, Intended: l.intended, Unknown: unknown}
	var places []string
	for _, c := range config.Diff(in.Scope.Owned(running, l.intended), l.intended) {
		places = append(places, c.At.String())
	}
	for _, u := range in.Strange() {
		places = append(places, u.Path.String())
	}
	d := &verify.Drift{Changes: len(places), Foreign: !drv.Mark(running, l.design)}
	if len(places) > 0 {
		d.First = places[0]
	}
	return d, nil
}

// unreachable is a device that could not be read.
func unreachable(name string, err error) verify.Device {
	text := strings.TrimPrefix(err.Error(), name+": ")
	if e := (*device.Error)(nil); errors.As(err, &e) {
		text = strings.TrimPrefix(text, e.Op+": "+e.Class.String()+": ")
	}
	return verify.Device{Unreachable: text}
}

// mustPaths parses paths of a driver, each of them once: they are few, and who follows many devices holds on to them.
func mustPaths(texts []string) []config.Path {
	out := make([]config.Path, len(texts))
	for i, text := range texts {
		parsed, ok := pathsOfDrivers.Load(text)
		if !ok {
			parsed, _ = pathsOfDrivers.LoadOrStore(text, mustPath(text))
		}
		out[i] = parsed.(config.Path)
	}
	return out
}

var pathsOfDrivers sync.Map // text to config.Path, which nobody changes
