package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/audit"
	"golang.org/x/mod/sumdb/tlog"
)

// The tree is that of tlog: the same hashes are kept for each record, the same root is made of them, and its proofs hold.
func TestTheTreeIsThatOfTlog(t *testing.T) {
	t.Parallel()
	var tree audit.Tree
	var kept []tlog.Hash
	var lines []audit.Line
	reader := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, _ error) {
		for _, i := range indexes {
			out = append(out, kept[i])
		}
		return out, nil
	})
	read := audit.Lines(func(n int64) (audit.Line, error) { return lines[n], nil })
	roots := []tlog.Hash{tree.Root()}
	for n := range int64(70) {
		l := tree.Build([]audit.Entry{entry(int(n))})[0]
		lines = append(lines, l)
		want, err := tlog.StoredHashes(n, l.Record, reader)
		if err != nil {
			t.Fatal(err)
		}
		if kept = append(kept, want...); !slices.Equal(l.Hashes, want) {
			t.Fatalf("record %d: hashes %v, want %v", n, l.Hashes, want)
		}
		root, err := tlog.TreeHash(n+1, reader)
		if err != nil || root != tree.Root() || tree.Check() != nil {
			t.Fatalf("%d records: root %v, want %v, %v", n+1, tree.Root(), root, err)
		}
		roots = append(roots, root)
		for m := range n + 1 {
			in, err := audit.ProveRecord(n+1, m, read)
			if err == nil {
				err = tlog.CheckRecord(in, n+1, root, m, tlog.RecordHash(lines[m].Record))
			}
			if err != nil {
				t.Fatalf("record %d of %d: %v", m, n+1, err)
			}
			older, err := audit.ProveTree(n+1, m+1, read)
			if err == nil {
				err = tlog.CheckTree(older, n+1, root, m+1, roots[m+1])
			}
			if err != nil {
				t.Fatalf("%d records behind %d: %v", n+1, m+1, err)
			}
		}
	}
}

// An entry has one encoding, whose bytes are what the tree hashes.
func TestAnEntryHasOneEncoding(t *testing.T) {
	t.Parallel()
	e := audit.Entry{
		Sequence: 7, At: time.Date(2026, 11, 23, 10, 0, 0, 5000, time.FixedZone("", 3600)), Replica: "host1",
		Who: audit.Who{Name: "ann", Credential: "certificate", Address: "192.0.2.7:4711"}, What: audit.Set, Stage: audit.Before, ID: "1f-3",
		Subject: audit.Subject{Topology: "demo", Device: "leaf3", Operation: "set", PlanHash: "ab", Transaction: "loom-1"}, Digest: "cd",
	}
	const want = `{"v":1,"seq":7,"at":"2026-11-23T09:00:00.000005Z","replica":"host1","who":{"name":"ann","credential":"certificate","address":"192.0.2.7:4711"},` +
		`"what":"gnmi.Set","stage":"before","id":"1f-3","subject":{"topology":"demo","device":"leaf3","operation":"set","plan_hash":"ab","transaction":"loom-1"},"digest":"cd"}`
	if got := string(e.Encode()); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	back, err := audit.Decode([]byte(want))
	if err != nil || string(back.Encode()) != want {
		t.Fatalf("%+v, %v", back, err)
	}
	for name, text := range map[string]string{
		"a space":          strings.Replace(want, `"seq":7`, `"seq": 7`, 1),
		"an unknown field": strings.Replace(want, `"seq":7`, `"seq":7,"x":1`, 1),
		"another version":  strings.Replace(want, `"v":1`, `"v":2`, 1),
		"another time":     strings.Replace(want, `09:00:00.000005Z`, `10:00:00.000005+01:00`, 1),
		"no entry":         `7`,
	} {
		if _, err := audit.Decode([]byte(text)); err == nil {
			t.Errorf("%s: is read", name)
		}
	}
}

// What callers name is theirs to choose, and is cut: so nobody fills the log with one call.
func TestTextsAreCut(t *testing.T) {
	t.Parallel()
	e := audit.Entry{Subject: audit.Subject{Topology: strings.Repeat("ü", 1000), Device: "a\xff\n\"<&>"}}
	back, err := audit.Decode(e.Encode())
	if err != nil || len(back.Subject.Topology) > 256 || back.Subject.Device != "a\uFFFD\n\"<&>" {
		t.Errorf("%d bytes, %q, %v", len(back.Subject.Topology), back.Subject.Device, err)
	}
	if n := strings.Count(string(e.Encode()), "\n"); n != 0 {
		t.Errorf("an entry of %d lines", n+1)
	}
}

// Checkpoints that were written one after the other are told apart again.
func TestNotesAreToldApart(t *testing.T) {
	t.Parallel()
	b := newBook(t, 20, 8, 16, 20)
	var file []byte
	for _, c := range b.signed {
		file = append(file, c...)
	}
	if got := audit.SplitNotes(file); len(got) != 3 || string(got[1]) != string(b.signed[1]) {
		t.Errorf("%d notes: %q", len(got), got)
	}
	if got := audit.SplitNotes(append(file, "half a line"...)); len(got) != 4 {
		t.Errorf("a note that was cut off is one of %d", len(got))
	}
}
