package main

import (
	"context"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/sim"
)

// auditIn are the entries of the audit log of a store.
func auditIn(t testing.TB, books ledger) []audit.Entry {
	t.Helper()
	var out []audit.Entry
	for text, err := range auditText(context.Background(), books, 0) {
		if err != nil {
			t.Fatal(err)
		}
		line, err := audit.ParseLine(text)
		if err != nil {
			t.Fatal(err)
		}
		e, err := entryOf(line)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// seenAndTold holds Sets that devices have seen against those that an audit log tells of.
func seenAndTold(t testing.TB, seen []sim.Entry, log []audit.Entry) {
	t.Helper()
	type set struct{ device, digest string }
	came, told, surely := map[set]int{}, map[set]int{}, map[set]int{}
	for _, e := range seen {
		if e.Event == "set" {
			came[set{e.Device, audit.DigestOf(e.Request)}]++
		}
	}
	after := map[string]audit.Outcome{}
	ids := map[string]bool{}
	for _, e := range log {
		if e.What == audit.Set && e.Stage == audit.After {
			if _, twice := after[e.ID]; twice {
				t.Errorf("%s has two outcomes", e.ID)
			}
			after[e.ID] = e.Outcome
		}
	}
	sets := 0
	for _, e := range log {
		if e.What != audit.Set || e.Stage != audit.Before {
			continue
		}
		sets++
		if ids[e.ID] {
			t.Errorf("%s is there twice", e.ID)
		}
		ids[e.ID] = true
		of := set{e.Subject.Device, e.Digest}
		told[of]++
		if after[e.ID].Code == "OK" {
			surely[of]++
		}
		if after[e.ID].Code == audit.NotSent {
			told[of]--
		}
	}
	for of, n := range came {
		if told[of] < n {
			t.Errorf("%s has seen %d Sets with the digest %.12s, and the audit log tells of %d", of.device, n, of.digest, told[of])
		}
	}
	for of, n := range surely {
		if came[of] < n {
			t.Errorf("%s has seen %d Sets with the digest %.12s, and the audit log says that it has taken %d", of.device, came[of], of.digest, n)
		}
	}
	if t.Failed() {
		first := time.Time{}
		for _, e := range seen {
			if first.IsZero() {
				first = e.Time
			}
			if e.Event == "set" {
				t.Logf("%s %s set %.12s %s", e.Time.Sub(first), e.Device, audit.DigestOf(e.Request), e.Code)
			}
		}
		for _, e := range log {
			t.Logf("%s %s %s %.12s %s %s %s", e.At.Sub(first), e.Subject.Device, e.Subject.Operation, e.Digest, e.Stage, e.ID, e.Outcome.Code)
		}
	}
	if sets == 0 || len(came) == 0 {
		t.Errorf("%d kinds of Sets were seen, and the audit log tells of %d Sets: nothing was tested", len(came), sets)
	}
}
