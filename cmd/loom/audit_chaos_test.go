//go:build !race

package main

import (
	"path/filepath"
	"testing"

	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/store"
)

// audited holds what devices have seen against what the audit log tells: each Set that reached a device has one entry of its own, with
// its digest, and an entry whose Set no device has seen says that it was not sent, that nobody knows, or nothing.
func (c *chaos) audited() {
	entries, err := c.sim.Journal()
	c.check(err)
	log, report := auditOf(c.T, filepath.Join(c.dir, "data"))
	for _, f := range report.Faults {
		c.Errorf("the audit log: %v", f)
	}
	seenAndTold(c.T, entries, log)
}

// auditOf is the audit log of a data directory that nobody runs, with all that was queued, and its verification.
func auditOf(t *testing.T, dir string) ([]audit.Entry, *audit.Report) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(dir, "store"), Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := auditLogOf(s, dir)
	if err == nil {
		_, err = l.take(t.Context(), true)
	}
	if err != nil {
		t.Fatal(err)
	}
	report, err := verifyAudit(t.Context(), s, filepath.Join(dir, "pki", "audit.pub"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return auditIn(t, s), report
}
