package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
)

// Whether a device takes back by itself what is not confirmed nobody has published of some operating systems
// (driver.Manners.Ask), so apply asks it. Plans do not: the question is a Set, and who only looks must not send one to a device where
// somebody's change may be waiting. They know what apply has heard:
//
//	timers/TOPOLOGY/DEVICE   heard as JSON
func timersKey(topology, device string) string { return "timers/" + topology + "/" + device }

// heard is what a device has answered, with the software that it had then.
type heard struct {
	Version string `json:"version"` // as the device writes it
	Timed   bool   `json:"timed"`
}

// askable tells whether a device has to be asked: its release does not tell.
func askable(os, release string) bool {
	m := &drivers[os].Manners
	return m.Ask && !m.Confirm(release)
}

// askableIn tells whether a design has such devices.
func askableIn(design *fabric.Design) bool {
	for _, d := range design.Devices {
		if askable(d.OS, d.Release) {
			return true
		}
	}
	return false
}

// readTimers reads what devices of a topology have answered.
func readTimers(ctx context.Context, books ledger, topology string) (map[string]heard, error) {
	prefix := timersKey(topology, "")
	list, _, err := books.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	out := make(map[string]heard, len(list))
	for _, r := range list {
		var h heard
		if err := json.Unmarshal(r.Value, &h); err != nil {
			return nil, fmt.Errorf("%s: %w; restore the store from a backup", r.Key, err)
		}
		out[r.Key[len(prefix):]] = h
	}
	return out, nil
}

// keepTimers keeps what the devices of a plan have answered, where it is news.
func (j *journal) keepTimers(ctx context.Context, p *plan.Plan, devices map[string]*live) error {
	var known map[string]heard
	tx := store.Tx{If: []store.Condition{j.lease.Condition()}, Put: map[string][]byte{}}
	for i := range p.Devices {
		d := &p.Devices[i]
		if !askable(d.OS, d.Release) {
			continue
		}
		if known == nil {
			var err error
			if known, err = readTimers(ctx, j.store, j.topology); err != nil {
				return err
			}
		}
		l := devices[d.Name]
		h := heard{l.version, l.timed}
		if was, ok := known[d.Name]; ok && was == h {
			continue
		}
		data, err := json.Marshal(h)
		if err != nil {
			return err
		}
		tx.Put[timersKey(j.topology, d.Name)] = data
	}
	if len(tx.Put) == 0 {
		return nil
	}
	if err := j.marks.timers.say(true); err != nil {
		return err
	}
	if _, err := j.store.Commit(ctx, tx); err != nil {
		return fmt.Errorf("confirm timers: %w", err)
	}
	return nil
}

// outdate forgets what devices have answered that have other software by now.
func (n *network) outdate(devices map[string]*live) {
	for name, l := range devices {
		if h, ok := n.timers[name]; ok && h.Version != l.version {
			delete(n.timers, name)
		}
	}
}

// untimed names the devices of a plan that have no confirm timers, and those of which nobody knows.
func (n *network) untimed(p *plan.Plan) []string {
	var without, unknown []string
	for i := range p.Devices {
		d := &p.Devices[i]
		h, told := n.timers[d.Name]
		switch {
		case drivers[d.OS].Manners.Confirm(d.Release), told && h.Timed:
		case askable(d.OS, d.Release) && !told:
			unknown = append(unknown, d.Name)
		default:
			without = append(without, d.Name)
		}
	}
	out := withoutTimers(without)
	if len(unknown) > 0 {
		out = append(out, list(unknown)+" not asked for confirm timers yet, which loom apply does before it changes anything: without them, should this program and its machine be lost, they keep the change until somebody takes it back")
	}
	return out
}
