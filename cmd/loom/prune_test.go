package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// pruneBench is a store with transactions that were never carried out: of each only what pruning looks at.
type pruneBench struct {
	*testing.T
	store *store.Store
	now   time.Time
}

func newPruneBench(t *testing.T) *pruneBench {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &pruneBench{t, s, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
}

func (b *pruneBench) put(key string, v any) {
	b.Helper()
	data, err := pack(v)
	if err == nil {
		_, err = b.store.Commit(b.Context(), store.Tx{Put: map[string][]byte{key: data}})
	}
	if err != nil {
		b.Fatal(err)
	}
}

// add adds a transaction that began some hours ago and leads from one configuration to another.
func (b *pruneBench) add(topology string, hours int, ended bool, from, to string) string {
	b.Helper()
	at := b.now.Add(-time.Duration(hours) * time.Hour)
	id := idAt(at) + "-" + topology
	b.refer(id, from, to)
	b.put(recordKey(id, 0), transaction.Record{Kind: transaction.Planned, At: at, Spec: &transaction.Spec{ID: id, Topology: topology, Began: at}})
	if ended {
		b.put(recordKey(id, 1), transaction.Record{Kind: transaction.Ended, At: at, Outcome: transaction.Done})
	} else {
		b.put(recordKey(id, 1), transaction.Record{Kind: transaction.Sending, At: at})
	}
	return id
}

// refer prepares a transaction.
func (b *pruneBench) refer(id string, places ...string) {
	b.put("participants/"+id, []participant{{Name: "leaf1", OS: "srlinux", Release: "24.10", Places: places}})
	for _, place := range places {
		b.put("configurations/"+place, struct{}{})
	}
}

// has lists the keys below a prefix.
func (b *pruneBench) has(prefix string) string {
	b.Helper()
	keys, err := b.store.Keys(b.Context(), prefix)
	if err != nil {
		b.Fatal(err)
	}
	var out []string
	for _, k := range keys {
		out = append(out, strings.TrimPrefix(k.Key, prefix))
	}
	return strings.Join(out, " ")
}

func TestWhatIsKeptOfOldTransactions(t *testing.T) {
	t.Parallel()
	b := newPruneBench(t)
	open := b.add("red", 90, false, "a", "b") // never forgotten, however old
	gone1 := b.add("red", 80, true, "c", "d")
	gone2 := b.add("red", 70, true, "d", "e")
	kept1 := b.add("red", 60, true, "e", "f")
	kept2 := b.add("red", 50, true, "f", "g")
	blue := b.add("blue", 95, true, "c2", "d") // of another topology: its newest
	never := idAt(b.now.Add(-48*time.Hour)) + "-dead"
	b.refer(never, "h") // prepared, and its process died
	soon := idAt(b.now) + "-soon"
	b.refer(soon, "i") // being prepared now
	if _, err := b.store.Commit(t.Context(), store.Tx{Put: map[string][]byte{"requests/" + gone1: []byte("confirm"), "drains/red/leaf1": []byte("{}")}}); err != nil {
		t.Fatal(err)
	}
	dry, err := prune(t.Context(), b.store, retention{keep: 2, dry: true}, b.now)
	if err != nil || !slices.Equal(dry.Transactions, []string{gone1, gone2}) || !strings.Contains(b.has("transactions/"), gone1) {
		t.Fatalf("a dry run: %v, %v", dry, err)
	}
	gone, err := prune(t.Context(), b.store, retention{keep: 2}, b.now)
	if err != nil || !slices.Equal(gone.Transactions, []string{gone1, gone2}) || gone.Kept != 4 || gone.Configurations != 2 {
		t.Errorf("pruned: %+v, %v", gone, err)
	}
	for prefix, want := range map[string]string{
		"configurations/": "a b c2 d e f g i",
		"requests/":       "",
		"drains/":         "red/leaf1",
		"participants/":   strings.Join([]string{blue, open, kept1, kept2, soon}, " "),
	} {
		if got := b.has(prefix); got != want {
			t.Errorf("%s has %q, want %q", prefix, got, want)
		}
	}
	gone, err = prune(t.Context(), b.store, retention{older: 55 * time.Hour}, b.now)
	if err != nil || !slices.Equal(gone.Transactions, []string{blue, kept1}) {
		t.Errorf("pruned by age: %+v, %v; want %s and %s", gone, err, blue, kept1)
	}
	if got, want := b.has("configurations/"), "a b f g i"; got != want {
		t.Errorf("then there are configurations %q, want %q", got, want)
	}
}

// What somebody writes while it is being forgotten stays.
func TestAConfigurationThatIsWrittenAgainStays(t *testing.T) {
	t.Parallel()
	b := newPruneBench(t)
	for i := range 5 {
		b.put(fmt.Sprintf("configurations/%d", i), i)
	}
	listed, err := b.store.Keys(t.Context(), "configurations/")
	if err != nil {
		t.Fatal(err)
	}
	b.put("configurations/3", 3)
	if err := deleteUnchanged(t.Context(), b.store, listed); err != nil {
		t.Fatal(err)
	}
	if got := b.has("configurations/"); got != "3" {
		t.Errorf("there are %q, want 3", got)
	}
}

// Nothing is forgotten where it is not known who refers to it.
func TestPruningStopsAtWhatItCannotRead(t *testing.T) {
	t.Parallel()
	b := newPruneBench(t)
	id := b.add("red", 1, true, "a", "b")
	b.put("configurations/x", "x")
	if _, err := b.store.Commit(t.Context(), store.Tx{Put: map[string][]byte{"participants/" + id: []byte("?")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := prune(t.Context(), b.store, retention{keep: 5}, b.now); err == nil || b.has("configurations/") != "a b x" {
		t.Errorf("it ends with %v, and leaves %s", err, b.has("configurations/"))
	}
}

func TestWhatIsMissingFromAStoreIsFound(t *testing.T) {
	t.Parallel()
	b := newPruneBench(t)
	id := b.add("red", 2, false, "a", "b")
	if _, err := b.store.Commit(t.Context(), store.Tx{Put: map[string][]byte{"open/blue": []byte("lost")}, Delete: []string{"configurations/b", recordKey(id, 0)}}); err != nil {
		t.Fatal(err)
	}
	whole := b.add("red", 1, true, "a", "c")
	records, _, err := b.store.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	found, wrong := checkBooks(t.Context(), b.store, records)
	if want := fmt.Sprintf("%d records: 2 transactions, 2 configurations", len(records)); found != want {
		t.Errorf("found %s, want %s", found, want)
	}
	for _, want := range []string{
		"configurations/a: is not what its hash says", "transaction " + id + ": record 0 is missing from the journal",
		"blue: transaction lost is open, and has no journal",
	} {
		if !strings.Contains(fmt.Sprint(wrong), want) {
			t.Errorf("not found: %s, of\n%v", want, wrong)
		}
	}
	if strings.Contains(fmt.Sprint(wrong), whole) {
		t.Errorf("%s is whole:\n%v", whole, wrong)
	}
}
