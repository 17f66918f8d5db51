package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// open opens the store of a directory for the time of a test.
func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := tryOpen(t, Options{Dir: dir, Owner: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryOpen(t testing.TB, o Options) (*Store, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s, err := Open(ctx, o)
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

func puts(pairs ...string) map[string][]byte {
	out := map[string][]byte{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = []byte(pairs[i+1])
	}
	return out
}

func commit(t testing.TB, s *Store, tx Tx) int64 {
	t.Helper()
	revision, err := s.Commit(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

// have is what the store lists, as key=value.
func have(t testing.TB, s *Store, prefix string) []string {
	t.Helper()
	records, _, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range records {
		out = append(out, r.Key+"="+string(r.Value))
	}
	return out
}

func want(t testing.TB, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestTransactionsAreAllOrNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	first := commit(t, s, Tx{If: []Condition{Absent("a")}, Put: puts("a", "1", "b", "1")})
	a, found, err := s.Get(t.Context(), "a")
	if err != nil || !found || a.Revision != first || string(a.Value) != "1" {
		t.Fatalf("a is %+v, %v, %v", a, found, err)
	}
	for _, c := range []struct {
		name string
		tx   Tx
		err  ConflictError
	}{
		{"a record that should not exist does", Tx{If: []Condition{Absent("c"), Absent("b")}, Put: puts("c", "2")}, ConflictError{"b", 0, first}},
		{"a record that should exist does not", Tx{If: []Condition{{Key: "d", Revision: 7}}, Delete: []string{"a"}}, ConflictError{"d", 7, 0}},
		{"a record changed", Tx{If: []Condition{Unchanged(a), {Key: "b", Revision: first - 1}}, Put: puts("a", "2")}, ConflictError{"b", first - 1, first}},
	} {
		_, err := s.Commit(t.Context(), c.tx)
		var conflict *ConflictError
		if !errors.Is(err, ErrConflict) || !errors.As(err, &conflict) || *conflict != c.err {
			t.Errorf("%s: error %v, want %+v", c.name, err, c.err)
		}
	}
	want(t, have(t, s, ""), "a=1", "b=1")
	second := commit(t, s, Tx{If: []Condition{Unchanged(a), Absent("c")}, Put: puts("c", "2"), Delete: []string{"a"}})
	if second <= first {
		t.Errorf("revision %d after %d", second, first)
	}
	want(t, have(t, s, ""), "b=1", "c=2")
	if _, found, err := s.Get(t.Context(), "a"); found || err != nil {
		t.Errorf("a deleted record is found: %v, %v", found, err)
	}
}

// Whoever has listed a record before it is touched sees that it has changed since.
func TestATouchedRecordIsAsIfItWereWrittenAgain(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	commit(t, s, Tx{Put: puts("a", "1", "b", "2")})
	listed, err := s.Keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	at := commit(t, s, Tx{Touch: []string{"a"}, Put: puts("c", "3")})
	if a, found, err := s.Get(t.Context(), "a"); err != nil || !found || a.Revision != at || string(a.Value) != "1" {
		t.Errorf("touched at %d, a is %+v, %v, %v", at, a, found, err)
	}
	if _, err := s.Commit(t.Context(), Tx{If: []Condition{Unchanged(listed[0])}, Delete: []string{"a"}}); !errors.Is(err, ErrConflict) {
		t.Errorf("to delete it as it was listed ends with %v, want a conflict", err)
	}
	var conflict *ConflictError
	if _, err := s.Commit(t.Context(), Tx{Touch: []string{"a", "d"}, Put: puts("e", "5")}); !errors.As(err, &conflict) || conflict.Key != "d" || conflict.Error() != "store: d: is gone" {
		t.Errorf("to touch what is not there ends with %v, want a conflict over d", err)
	}
	want(t, have(t, s, ""), "a=1", "b=2", "c=3")
	if has, err := s.Has(t.Context(), []string{"a", "d", "c"}); err != nil || !has["a"] || has["d"] || !has["c"] || len(has) != 3 {
		t.Errorf("there are %v, %v; want a and c", has, err)
	}
}

func TestTransactionsOverTheLimitsAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	many := map[string][]byte{}
	for i := range MaxOperations + 1 {
		many[fmt.Sprint(i)] = nil
	}
	for _, c := range []struct {
		name  string
		tx    Tx
		large bool
	}{
		{"too many operations", Tx{Put: many}, true},
		{"too many bytes", Tx{Put: puts("a", strings.Repeat("x", MaxBytes))}, true},
		{"nothing to do", Tx{If: []Condition{Absent("a")}}, false},
		{"put and deleted", Tx{Put: puts("a", "1"), Delete: []string{"a"}}, false},
		{"no key", Tx{Put: puts("", "1")}, false},
		{"put and touched", Tx{Put: puts("a", "1"), Touch: []string{"a"}}, false},
		{"deleted and touched", Tx{Delete: []string{"a"}, Touch: []string{"a"}}, false},
		{"more touched than there may be conditions", Tx{If: []Condition{Absent("z")}, Touch: slices.Sorted(maps.Keys(many))[:MaxOperations]}, true},
	} {
		if _, err := s.Commit(t.Context(), c.tx); err == nil || errors.Is(err, ErrTooLarge) != c.large || errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// What the limits let through, etcd takes: ours are not looser.
	delete(many, "0")
	commit(t, s, Tx{Put: many})
	commit(t, s, Tx{Put: puts("a", strings.Repeat("x", MaxBytes-2*overhead))})
	if err := s.Batch(t.Context(), largeBatch(), Absent("none")); err != nil {
		t.Fatal(err)
	}
	if n := len(have(t, s, "batch/")); n != len(largeBatch()) {
		t.Errorf("a batch wrote %d records", n)
	}
}

func largeBatch() map[string][]byte {
	out := map[string][]byte{}
	for i := range 1200 { // by count, and more than two pages of a list
		out[fmt.Sprintf("batch/small/%04d", i)] = []byte("x")
	}
	for i := range 5 { // by size
		out[fmt.Sprintf("batch/large/%d", i)] = make([]byte, 700<<10)
	}
	return out
}

func TestListsAreSortedAndOfOneRevision(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	at := commit(t, s, Tx{Put: puts("b/2", "x", "b/1", "y", "b", "z", "a", "", "c", "")})
	records, revision, err := s.List(t.Context(), "b/")
	if err != nil || revision != at {
		t.Fatalf("revision %d, want %d: %v", revision, at, err)
	}
	if diff := cmp.Diff([]Record{{"b/1", []byte("y"), at}, {"b/2", []byte("x"), at}}, records); diff != "" {
		t.Error(diff)
	}
	want(t, have(t, s, ""), "a=", "b=z", "b/1=y", "b/2=x", "c=")
}

func TestADirectoryHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	since := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s, err := tryOpen(t, Options{Dir: dir, Owner: "ann@host pid 7 loom apply", Now: func() time.Time { return since }})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v", info.Mode(), err)
	}
	_, err = tryOpen(t, Options{Dir: dir})
	var held *HeldError
	if !errors.As(err, &held) || held.By != "ann@host pid 7 loom apply" || !held.Since.Equal(since) || held.Dir != dir {
		t.Fatalf("a second open: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Options{Dir: dir, Wait: true}); !errors.As(err, &held) || !errors.Is(err, context.Canceled) {
		t.Errorf("waiting no longer: %v", err)
	}
	opened := make(chan error)
	go func() {
		_, err := tryOpen(t, Options{Dir: dir, Wait: true})
		opened <- err
	}()
	commit(t, s, Tx{Put: puts("a", "1")})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("after waiting: %v", err)
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	commit(t, s, Tx{Put: puts("a", "1")})
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), Tx{Put: puts("a", "2")}); !errors.Is(err, ErrClosed) {
		t.Errorf("commit: %v", err)
	}
	if _, _, err := s.Get(t.Context(), "a"); !errors.Is(err, ErrClosed) {
		t.Errorf("get: %v", err)
	}
	want(t, have(t, open(t, dir), ""), "a=1")
}

func TestOptionsNameOnePlace(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {Dir: "x", Endpoints: []string{"y"}}} {
		if _, err := Open(t.Context(), o); err == nil {
			t.Errorf("%+v was opened", o)
		}
	}
}
