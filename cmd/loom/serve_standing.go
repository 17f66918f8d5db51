package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
)

// What the replica that looks after a topology knows of its devices others read in the store, where all topologies are asked for at once:
//
//	standing/TOPOLOGY/DEVICE   a controller.DeviceView, without what is kept elsewhere: drain, policy, maintenance
func standingKey(topology, device string) string { return "standing/" + topology + "/" + device }

// How standings are written down.
const (
	standingsAfter = 200 * time.Millisecond // what changes within it is written together
	mostShown      = 100                    // of one device; who wants all asks for its topology
)

// shownDevices are the devices of a topology whose standing is to be written down.
type shownDevices struct {
	mu   sync.Mutex
	due  map[string]bool
	wake chan struct{}
}

// changed has the standing of a device written down, soon.
func (w *shownDevices) changed(name string) {
	w.mu.Lock()
	if w.due == nil {
		w.due = map[string]bool{}
	}
	w.due[name] = true
	w.mu.Unlock()
	leaveWord(w.wake)
}

func (w *shownDevices) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := sortedKeys(w.due)
	w.due = nil
	return out
}

// showStandings writes down where devices stand, until ctx ends.
func (f *fabricRun) showStandings(ctx context.Context) {
	for {
		select {
		case <-f.standings.wake:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(standingsAfter):
		case <-ctx.Done():
			return
		}
		names := f.standings.take()
		if err := f.putStandings(ctx, names); err != nil && ctx.Err() == nil {
			f.s.log.Warn("where devices stand was not kept; trying again", "topology", f.name, "error", err)
			for _, name := range names {
				f.standings.changed(name)
			}
		}
	}
}

func (f *fabricRun) putStandings(ctx context.Context, names []string) error {
	n, r := f.current()
	put := map[string][]byte{}
	for _, name := range names {
		d := n.design.Device(name)
		if d == nil {
			continue
		}
		v, ok := f.view(d, r)
		if !ok {
			continue
		}
		v.Standing.Drifts = v.Standing.Drifts[:min(len(v.Standing.Drifts), mostShown)]
		data, err := pack(v)
		if err != nil {
			return err
		}
		put[standingKey(f.name, name)] = data
	}
	return f.s.store.Batch(ctx, put, f.keep.lease.Condition())
}

// shown are the devices of a topology as the replica that looks after it has last written down.
func (s *serving) shown(ctx context.Context, topology, limit string) ([]controller.DeviceView, error) {
	head, err := s.intents.Head(ctx, topology)
	if errors.Is(err, controller.ErrNoTopology) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n, err := s.compile(head)
	if err != nil {
		return nil, err
	}
	names, _, err := selectDevices(n.design, limit)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", controller.ErrInvalid, err)
	}
	records, _, err := s.store.List(ctx, standingKey(topology, ""))
	if err != nil {
		return nil, err
	}
	byKey := map[string]store.Record{}
	for _, r := range records {
		byKey[r.Key] = r
	}
	drains, err := readDrains(ctx, s.store, topology)
	if err != nil {
		return nil, err
	}
	policies, err := s.policies(ctx, topology)
	if err != nil {
		return nil, err
	}
	maintenance, err := s.maintenances(ctx, topology)
	if err != nil {
		return nil, err
	}
	drained, now := map[string]bool{}, time.Now()
	for _, o := range drains {
		drained[o.Device] = true
	}
	var out []controller.DeviceView
	slices.Sort(names)
	for _, name := range names {
		r, ok := byKey[standingKey(topology, name)]
		if !ok {
			continue
		}
		var v controller.DeviceView
		if err := unpack(r.Value, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Key, err)
		}
		v.Drained, v.Policy = drained[name], policies.Of(name)
		if m, ok := maintenance[name]; ok && !m.Over(now) {
			v.Maintenance = &m
		}
		out = append(out, v)
	}
	return out, nil
}
