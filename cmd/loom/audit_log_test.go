package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// openBooks is a store of its own, and its data directory.
func openBooks(t testing.TB) (*store.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(dir, "store"), Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, dir
}

func logOf(t testing.TB, s *store.Store, dir string) *auditLog {
	t.Helper()
	l, err := auditLogOf(s, dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Several write, several take it into the log at the same time, and what is not known to be written is written again, before and after
// it was taken: each entry is in the log once, those of one writer in their order, and the log verifies.
func TestEntriesAreInTheLogOnce(t *testing.T) {
	t.Parallel()
	s, dir := openBooks(t)
	logOf(t, s, dir) // makes the key
	const writers, each = 4, 60
	var writing, taking sync.WaitGroup
	done := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			q := newAuditQueue()
			for i := range each {
				var tx store.Tx
				err := q.enqueue(&tx, s.Operations(), time.Now(), []audit.Entry{{Who: audit.Who{Name: fmt.Sprint(w)}, What: "x", ID: fmt.Sprint(i)}, {Who: audit.Who{Name: fmt.Sprint(w)}, What: "y", ID: fmt.Sprint(i)}})
				for again := range 1 + i%3 { // whoever has no answer writes again
					if err == nil {
						_, err = s.Commit(context.Background(), tx)
					}
					if again == 1 {
						_, e := logOf(t, s, dir).take(context.Background(), false)
						err = errors.Join(err, e)
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		taking.Go(func() {
			for l := logOf(t, s, dir); ; {
				if _, err := l.take(context.Background(), false); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	taking.Wait()
	if _, err := logOf(t, s, dir).take(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, e := range auditIn(t, s) {
		got[e.Who.Name] = append(got[e.Who.Name], e.What+e.ID)
	}
	var want []string
	for i := range each {
		want = append(want, fmt.Sprint("x", i), fmt.Sprint("y", i))
	}
	for w := range writers {
		if !slices.Equal(got[fmt.Sprint(w)], want) {
			t.Errorf("writer %d: %d entries, want %d: %v", w, len(got[fmt.Sprint(w)]), len(want), got[fmt.Sprint(w)])
		}
	}
	report, err := verifyAudit(t.Context(), s, filepath.Join(dir, "pki", "audit.pub"), nil)
	if err != nil || len(report.Faults) > 0 || report.Tree.Size != 2*writers*each || report.Signed != report.Tree.Size {
		t.Errorf("%+v, %v", report, err)
	}
}

// Who changes what is kept is found, in the store as it is.
func TestWhoChangesTheLogInTheStoreIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(text string) (string, bool) // of the second block; false: it is deleted
		want string
	}{
		{"an entry is edited", func(text string) (string, bool) { return strings.Replace(text, `"id":"100"`, `"id":"1OO"`, 1), true }, "record 100: edited: its hash is another"},
		{"an entry is taken out", func(text string) (string, bool) {
			lines := strings.SplitAfter(text, "\n")
			return strings.Join(slices.Delete(lines, 6, 7), ""), true
		}, "record 70: missing: the next one is record 71"},
		{"the end is cut off", func(text string) (string, bool) { return text[:strings.Index(text, "\n90 ")+1], true }, "records 90 to 119: truncated: not there, and there is a checkpoint of 120 records"},
		{"all of it is gone", func(string) (string, bool) { return "", false }, "records 64 to 119: truncated: not there, and there is a checkpoint of 120 records"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, dir := openBooks(t)
			w := newAuditWriter(s, "test")
			for i := range 120 {
				w.join([]audit.Entry{{What: "x", ID: fmt.Sprint(i)}})
			}
			l := logOf(t, s, dir)
			if _, err := l.take(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			if err := w.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n, err := l.take(t.Context(), true); err != nil || n != 120 {
				t.Fatal(n, err)
			}
			text, err := readBlock(t.Context(), s, 1)
			if err != nil {
				t.Fatal(err)
			}
			tx := store.Tx{Delete: []string{blockKey(1)}}
			if changed, keep := c.do(string(text)); keep {
				tx = store.Tx{Put: map[string][]byte{blockKey(1): encoder().EncodeAll([]byte(changed), nil)}}
			}
			if _, err := s.Commit(t.Context(), tx); err != nil {
				t.Fatal(err)
			}
			report, err := verifyAudit(t.Context(), s, filepath.Join(dir, "pki", "audit.pub"), nil)
			if err != nil || len(report.Faults) != 1 || report.Faults[0].Error() != c.want {
				t.Errorf("%v, %v, want %s", report.Faults, err, c.want)
			}
		})
	}
}

// The second place has each checkpoint once and whole, though it was cut off by a crash, or was not there for a while.
func TestTheSecondPlaceGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	s, dir := openBooks(t)
	place := filepath.Join(dir, "elsewhere")
	w := newAuditWriter(s, "test")
	run := func(entries int) *audit.Report {
		t.Helper()
		l := logOf(t, s, dir)
		var err error
		if l.kept, err = openVault(place, "host"); err != nil {
			t.Fatal(err)
		}
		for range entries {
			w.join([]audit.Entry{{What: "x"}})
		}
		if err := w.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := l.take(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(place)
		if err != nil {
			t.Fatal(err)
		}
		report, err := verifyAudit(t.Context(), s, filepath.Join(dir, "pki", "audit.pub"), audit.SplitNotes(data))
		if err != nil || len(report.Faults) > 0 {
			t.Fatal(report, err)
		}
		return report
	}
	run(3)
	data, err := os.ReadFile(place)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(place, append(data, "loom-audit/12\n3"...), 0o600); err != nil { // a crash
		t.Fatal(err)
	}
	run(4)
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	run(0) // nothing is new, and the place has nothing
	data, err = os.ReadFile(place)
	if notes := audit.SplitNotes(data); err != nil || len(notes) != 1 || !strings.Contains(string(notes[0]), "\n7\n") {
		t.Errorf("%q, %v", data, err)
	}
}

// What is foreseen of a transaction is written with its journal: telling of it takes no write of its own.
func TestWhatIsForeseenTakesNoWriteOfItsOwn(t *testing.T) {
	t.Parallel()
	s, dir := openBooks(t)
	lease, err := s.Hold(t.Context(), "fabric/lab", store.Holder{Who: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Release(context.Background())
	k := &keeper{store: s, lease: lease, topology: "lab", bounds: boundsOf(s)}
	k.audited(newAuditWriter(s, "test"))
	j := newJournal(k)
	f := fleetWith(t, filepath.Join("testdata", "pair.yaml"), simulation{bgp: bgpComputed})
	inventory := filepath.Join(dir, "sim.json")
	if err := os.WriteFile(inventory, f.sim.Inventory().JSON(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := (&access{inventory: inventory, warn: func(string, ...any) {}}).resolve(f.n)
	if err != nil {
		t.Fatal(err)
	}
	r.sets = k.sets
	devices := map[string]*live{}
	spec := transaction.Spec{ID: "t", Topology: "lab", Limits: transaction.Limits{Rollback: time.Minute}}
	work := map[string]transaction.Work{}
	for name := range f.n.trees {
		l, err := dial(t.Context(), f.n, r, name)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		devices[name] = l
		spec.Jobs = append(spec.Jobs, transaction.Job{Device: name, Timed: true, Steps: []transaction.Step{transaction.Change}, Places: []string{"a", "b"}})
		work[name] = transaction.Work{Places: []*config.Tree{f.n.trees[name], f.n.trees[name]}}
		spec.Segments = []transaction.Segment{{Waves: [][]string{sortedKeys(f.n.trees)}}}
	}
	j.runner(devices, work)
	_, before, err := s.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append(t.Context(), "t", []transaction.Record{{Kind: transaction.Planned, Spec: &spec}, {Kind: transaction.Sending}}); err != nil {
		t.Fatal(err)
	}
	for _, l := range devices {
		if err := l.Arm(t.Context(), l.Request(f.n.trees[l.Name()], f.n.trees[l.Name()]), "t", time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Append(t.Context(), "t", []transaction.Record{{Kind: transaction.Decided, Decision: transaction.Commit}}); err != nil {
		t.Fatal(err)
	}
	for _, l := range devices {
		if err := l.Confirm(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
	}
	if _, after, err := s.List(t.Context(), ""); err != nil || after != before+2 {
		t.Errorf("%d writes, want the 2 of the journal: %v", after-before, err)
	}
}

// Of several replicas one takes what all have written, and another does so when that one is gone.
func TestOneReplicaTakesWhatAllHaveWritten(t *testing.T) {
	t.Parallel()
	cluster := &etcd{TB: t, dir: t.TempDir(), endpoint: "http://127.0.0.1:0"}
	cluster.start()
	dir := t.TempDir() // the same key
	all := make([]*serving, 2)
	ends := make([]context.CancelFunc, len(all))
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	for i := range all {
		s, err := store.Open(t.Context(), store.Options{Endpoints: []string{cluster.endpoint}, Owner: fmt.Sprint("replica ", i)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { running.Wait(); _ = s.Close() })
		all[i] = &serving{store: s, dir: dir, name: fmt.Sprint("replica-", i), log: slog.New(slog.DiscardHandler)}
		if err := all[i].openAudit(""); err != nil {
			t.Fatal(err)
		}
		var ctx context.Context
		ctx, ends[i] = context.WithCancel(context.Background())
		t.Cleanup(ends[i])
		running.Go(func() { all[i].audit.run(ctx, all[i]) })
	}
	write := func(by *serving, total int) {
		t.Helper()
		for range 10 {
			if err := by.audit.Durable(t.Context(), audit.Entry{What: "x", ID: by.audit.ID()}); err != nil {
				t.Fatal(err)
			}
		}
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(time.Minute); len(auditIn(t, by.store)) < total; <-tick.C {
			if time.Now().After(deadline) {
				t.Fatalf("%d entries are in the log, want %d", len(auditIn(t, by.store)), total)
			}
		}
	}
	write(all[0], 10)
	write(all[1], 20)
	ends[0]()
	write(all[1], 30)
	ids := map[string]bool{}
	for _, e := range auditIn(t, all[1].store) {
		ids[e.Replica+e.ID] = true
	}
	report, err := verifyAudit(t.Context(), all[1].store, filepath.Join(dir, "pki", "audit.pub"), nil)
	if err != nil || len(report.Faults) > 0 || report.Tree.Size != 30 || len(ids) != 30 {
		t.Errorf("%+v, %d ids, %v", report, len(ids), err)
	}
}
