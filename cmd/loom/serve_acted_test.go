package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/transaction"
)

// Of a store from before what was done to devices nothing is believed that would change them: nothing is carried out, taken back or gone
// on with, until somebody says that it is as it has to be.
func TestAStoreFromAnOldBackupChangesNothing(t *testing.T) {
	t.Parallel()
	c := newCared(t, filepath.Join("testdata", "pair.yaml"))
	_, now, err := c.s.store.Holders(t.Context(), "")
	c.check(err)
	c.check(c.s.checkAge(t.Context(), false)) // nothing was done yet
	c.check(c.s.keepActed(acted{Revision: now, At: time.Now()}))
	c.check(c.s.checkAge(t.Context(), false))
	if c.s.old != nil {
		t.Fatalf("a store as far as it was is old: %v", c.s.old)
	}
	c.check(c.s.keepActed(acted{Revision: now + 1000, At: time.Now()})) // a store that was further
	c.check(c.s.checkAge(t.Context(), false))
	c.check(c.s.keepActed(acted{Old: true})) // it stays old when it is further by itself
	c.check(c.s.checkAge(t.Context(), false))
	c.box("leaf1", map[string]string{"/system/name/host-name": "somebody"})
	c.stand(controller.Drifted, "leaf1")
	before := c.setsOf("leaf1")
	revert := func() (transaction.Result, error) {
		return c.s.Revert(t.Context(), controller.RevertRequest{Topology: c.f.name, By: "test"})
	}
	if _, err := revert(); !errors.Is(err, controller.ErrNotNow) || !strings.Contains(err.Error(), "--accept-old-store") {
		t.Errorf("taking drift back: %v", err)
	}
	_, err = c.f.apply(t.Context(), &controller.Planned{}, controller.ApplyRequest{}, func() {}, func(controller.Step) {})
	if !errors.Is(err, controller.ErrNotNow) {
		t.Errorf("carrying a plan out: %v", err)
	}
	if after := c.setsOf("leaf1"); after != before {
		t.Errorf("leaf1 has got %d Sets", after-before)
	}
	c.s.old = nil
	c.check(c.s.checkAge(t.Context(), true))
	c.check(c.s.checkAge(t.Context(), false))
	if res, err := revert(); err != nil || res.Outcome != transaction.Done {
		t.Errorf("once it was accepted: %v, %v", res, err)
	}
	c.until(func() string { return "how far the store is" }, func() bool {
		a, err := c.s.readActed()
		return err == nil && a.Revision >= now
	})
}
