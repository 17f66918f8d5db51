package main

import (
	"context"

	"github.com/loomfabric/loom/pkg/crash"
	"github.com/loomfabric/loom/pkg/store"
)

// deed is something that the controller writes down, with where a test kills it: just before, and just after.
type deed struct{ before, after *crash.Point }

func newDeed(name string) deed {
	return deed{crash.New("controller " + name + " before"), crash.New("controller " + name + " after")}
}

// What the controller writes down beside the journals of transactions.
var (
	writesIntent      = newDeed("intent")
	writesPlan        = newDeed("plan")
	writesAnswer      = newDeed("answer")
	writesEvents      = newDeed("events")
	writesFindings    = newDeed("findings")
	writesApplied     = newDeed("applied")
	writesPolicy      = newDeed("policy")
	writesMaintenance = newDeed("maintenance")
	writesAccess      = newDeed("access")
)

// commit makes a transaction of the store.
func (e deed) commit(ctx context.Context, s *store.Store, tx store.Tx) error {
	e.before.Here()
	if _, err := s.Commit(ctx, tx); err != nil {
		return err
	}
	e.after.Here()
	return nil
}
