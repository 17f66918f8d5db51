package sim

import (
	"fmt"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"

	"github.com/loomfabric/loom/pkg/config"
)

// commit is one change of the running configuration. Those who follow commits hold the last one that they
// have seen; what nobody has still to see is gone.
type commit struct {
	*shelf
	serial uint64        // number of the commit on this device
	id     string        // of the open commit that it belongs to; ""
	over   chan struct{} // closed when there is a next one
	next   *commit       // read only after over is closed
}

// record appends the running configuration to the commits. The caller holds mu.
func (d *Device) record() {
	c := &commit{shelf: d.running.shelf, over: make(chan struct{})}
	if d.pending != nil {
		c.id = d.pending.id
	}
	if last := d.committed; last != nil {
		c.serial = last.serial + 1
		last.next = c
		close(last.over)
	}
	d.committed = c
}

// lastCommit returns the latest commit.
func (d *Device) lastCommit() *commit {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.committed
}

// followCommits sends the configuration, and then every commit: what it changes, and that this was all of
// it (config-subscription extension 0.1.0, §2.2.2).
func (sub *subscription) followCommits() error {
	ctx, strange := sub.stream.Context(), sub.hear()
	alarms := newAlarms(sub.sim.config.Clock)
	defer alarms.stop()
	for _, it := range sub.items {
		alarms.set(alarm{it, false}, it.every)
		alarms.set(alarm{it, true}, it.heartbeat)
	}
	at := sub.lastCommit()
	shown := sub.committed(at.tree())
	if err := sub.sendFirst(shown); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return ended(ctx)
		case err = <-strange:
		case <-at.over:
			before := shown
			at = at.next
			shown = sub.committed(at.tree())
			err = sub.sendCommit(before, shown, at)
		case <-alarms.wake:
			err = sub.send(sub.sim.config.Clock.Now(), sub.due(shown, alarms.take()), nil)
		}
		if err != nil {
			return err
		}
	}
}

// sendCommit sends what a commit changes of what is shown, and its boundary.
func (sub *subscription) sendCommit(before, after *config.Tree, c *commit) error {
	updates, deletes := sub.changes(before, after)
	if err := sub.send(sub.when(), updates, deletes); err != nil {
		return err
	}
	done := &gnmi_ext.ConfigSubscriptionSyncDone{CommitConfirmId: c.id, ServerCommitId: fmt.Sprint(c.serial), Done: true}
	return sub.stream.Send(&gnmi.SubscribeResponse{Extension: []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_ConfigSubscription{
		ConfigSubscription: &gnmi_ext.ConfigSubscription{Action: &gnmi_ext.ConfigSubscription_SyncDone{SyncDone: done}},
	}}}})
}
