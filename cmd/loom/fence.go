package main

import (
	"context"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// bounds are how long the lock on a fabric outlives its holder, and how long the holder waits for a store that does not
// answer. Nothing is done to devices meanwhile, and their timers run.
type bounds struct{ Lease, Patience time.Duration }

// boundsOf are those of a store. Nobody else can have a directory while its holder lives, however long it stands still:
// its lock has to outlive no one.
func boundsOf(s *store.Store) bounds {
	b := bounds{Lease: store.DefaultTTL, Patience: 30 * time.Second}
	if !s.Shared() {
		b.Lease = 24 * time.Hour
	}
	return tunedBounds(b)
}

// fenced is a device that is only changed by who holds the lock on its fabric. A process that stood still for longer
// than the lease lasts learns here that another may be at work, as the device would not tell it: what gNMI has for that,
// master arbitration, is not known to be honoured there.
type fenced struct {
	transaction.Device
	*keeper
}

func (d *fenced) Arm(ctx context.Context, req *gnmi.SetRequest, id string, rollback time.Duration) error {
	return d.held(ctx, func() error { return d.Device.Arm(ctx, req, id, rollback) })
}

func (d *fenced) Extend(ctx context.Context, id string, rollback time.Duration) error {
	return d.held(ctx, func() error { return d.Device.Extend(ctx, id, rollback) })
}

func (d *fenced) Confirm(ctx context.Context, id string) error {
	return d.held(ctx, func() error { return d.Device.Confirm(ctx, id) })
}

func (d *fenced) Cancel(ctx context.Context, id string) error {
	return d.held(ctx, func() error { return d.Device.Cancel(ctx, id) })
}

func (d *fenced) Set(ctx context.Context, req *gnmi.SetRequest) error {
	return d.held(ctx, func() error { return d.Device.Set(ctx, req) })
}

func (d *fenced) Save(ctx context.Context) (*config.Tree, error) {
	var tree *config.Tree
	err := d.held(ctx, func() (err error) {
		tree, err = d.Device.Save(ctx)
		return err
	})
	return tree, err
}

// held does something if the lock is held.
func (d *fenced) held(ctx context.Context, do func() error) error {
	if err := d.check(ctx); err != nil {
		return err
	}
	return do()
}
