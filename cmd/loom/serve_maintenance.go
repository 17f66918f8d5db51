package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
)

// Maintenance is kept in the store, and by who takes care of the fabric.
//
//	maintenance/TOPOLOGY/DEVICE   a controller.Maintenance as JSON
func maintenanceKey(topology, device string) string { return "maintenance/" + topology + "/" + device }

// recallMaintenance finds out which devices people work on.
func (f *fabricRun) recallMaintenance(ctx context.Context) error {
	all, err := f.s.maintenances(ctx, f.name)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.maintenance = all
	return err
}

// maintenances are those of the devices of a topology that people work on, or have worked on until their time was over.
func (s *serving) maintenances(ctx context.Context, topology string) (map[string]controller.Maintenance, error) {
	records, _, err := s.store.List(ctx, maintenanceKey(topology, ""))
	if err != nil {
		return nil, err
	}
	all := map[string]controller.Maintenance{}
	for _, r := range records {
		var m controller.Maintenance
		if err := json.Unmarshal(r.Value, &m); err != nil {
			return nil, fmt.Errorf("%s: %w; restore the store from a backup", r.Key, err)
		}
		all[r.Key[len(maintenanceKey(topology, "")):]] = m
	}
	return all, nil
}

// maintained tells whether people work on a device; nil: nobody does.
func (f *fabricRun) maintained(name string) *controller.Maintenance {
	f.mu.Lock()
	defer f.mu.Unlock()
	m, ok := f.maintenance[name]
	if !ok || m.Over(time.Now()) {
		return nil
	}
	return &m
}

// SetMaintenance implements controller.Maintainer.
func (s *serving) SetMaintenance(ctx context.Context, topology, device string, m *controller.Maintenance, by string) (controller.DeviceView, error) {
	f, err := s.fabric(topology)
	if err != nil {
		return controller.DeviceView{}, err
	}
	n, _ := f.current()
	if n.design.Device(device) == nil {
		return controller.DeviceView{}, fmt.Errorf("%s: %w in %s", device, controller.ErrNoDevice, topology)
	}
	if m != nil {
		if !f.changing.TryLock() { // what was planned before would be changed all the same
			return controller.DeviceView{}, fmt.Errorf("%s: %w: a transaction changes its devices; wait until that is over", f.name, controller.ErrNotNow)
		}
		defer f.changing.Unlock()
		now := time.Now().UTC()
		if m.Over(now) {
			return controller.DeviceView{}, controller.Kind(controller.ErrInvalid, fmt.Errorf("until %s: that is over; name a later time", m.Until.Format(time.RFC3339)))
		}
		m.Since = now.Truncate(time.Second)
		if before := f.maintained(device); before != nil {
			m.Since = before.Since
		}
	}
	if err := f.putMaintenance(ctx, device, m, by); err != nil {
		return controller.DeviceView{}, err
	}
	all, err := s.Devices(ctx, topology, "")
	if err != nil {
		return controller.DeviceView{}, err
	}
	i := slices.IndexFunc(all, func(d controller.DeviceView) bool { return d.Name == device })
	if i < 0 {
		return controller.DeviceView{}, fmt.Errorf("%s: %w in %s", device, controller.ErrNoDevice, topology)
	}
	return all[i], nil
}

// putMaintenance keeps that people work on a device, or that they do not any more.
func (f *fabricRun) putMaintenance(ctx context.Context, device string, m *controller.Maintenance, by string) error {
	key := maintenanceKey(f.name, device)
	tx := store.Tx{If: []store.Condition{f.keep.lease.Condition()}, Delete: []string{key}}
	said := "not in maintenance any more"
	if m != nil {
		data, err := json.Marshal(m)
		if err != nil {
			return err
		}
		tx.Put, tx.Delete, said = map[string][]byte{key: data}, nil, m.String()
	}
	f.mu.Lock()
	_, was := f.maintenance[device]
	f.mu.Unlock()
	if was || m != nil {
		told := controller.Event{At: time.Now().UTC(), Kind: controller.DeviceEvent, Topology: f.name, Device: device, Subject: device, By: by, Message: said}
		if err := tellIn(&tx, told); err != nil {
			return err
		}
	}
	if err := writesMaintenance.commit(ctx, f.s.store, tx); err != nil {
		return fmt.Errorf("%s: maintenance: %w", device, err)
	}
	f.mu.Lock()
	if m != nil {
		f.maintenance[device] = *m
	} else {
		delete(f.maintenance, device)
	}
	f.mu.Unlock()
	leaveWord(f.timed)
	leaveWord(f.drifted) // what was left alone is not any more
	f.watch.nudge()
	return nil
}

// leaveOut takes those out of some devices that people work on.
func (f *fabricRun) leaveOut(names []string) (rest []string, out []plan.LeftOut) {
	for _, name := range names {
		if m := f.maintained(name); m != nil {
			out = append(out, plan.LeftOut{Device: name, Why: m.String()})
		} else {
			rest = append(rest, name)
		}
	}
	return rest, out
}

// atWork is an error where people work on one of some devices.
func (f *fabricRun) atWork(names []string) error {
	for _, name := range names {
		if m := f.maintained(name); m != nil {
			return controller.Kind(controller.ErrNotNow, fmt.Errorf("%s: %s; loom maintenance off ends that", name, m))
		}
	}
	return nil
}

// keepTime ends what has its time, until ctx ends: maintenance at once; a drain has its device be pending, and a change ends it.
func (f *fabricRun) keepTime(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.timed:
		case <-timer.C:
			if err := f.lapse(ctx); err != nil && ctx.Err() == nil {
				f.s.log.Error("what is over was not ended; trying again", "topology", f.name, "error", err)
				timer.Reset(time.Second)
				continue
			}
		}
		if at := f.nextEnd(); !at.IsZero() {
			timer.Reset(time.Until(at))
		}
	}
}

// nextEnd is when the next thing is over; zero: none is.
func (f *fabricRun) nextEnd() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out time.Time
	sooner := func(at time.Time) {
		if !at.IsZero() && (out.IsZero() || at.Before(out)) {
			out = at
		}
	}
	for _, m := range f.maintenance {
		sooner(m.Until)
	}
	if f.network != nil {
		for _, o := range f.network.out {
			sooner(o.Until)
		}
	}
	return out
}

// lapse ends what is over.
func (f *fabricRun) lapse(ctx context.Context) error {
	now := time.Now()
	f.mu.Lock()
	var over []string
	for _, name := range sortedKeys(f.maintenance) {
		if f.maintenance[name].Over(now) {
			over = append(over, name)
		}
	}
	undrained := f.network != nil && slices.ContainsFunc(f.network.out, func(o plan.Out) bool { return !o.Until.IsZero() && !now.Before(o.Until) })
	f.mu.Unlock()
	for _, name := range over {
		if err := f.putMaintenance(ctx, name, nil, ""); err != nil {
			return err
		}
	}
	if undrained {
		return f.refresh(ctx)
	}
	return nil
}
