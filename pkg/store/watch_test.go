package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func next(t *testing.T, changes <-chan Change) Change {
	t.Helper()
	select {
	case c, ok := <-changes:
		if !ok {
			t.Fatal("the watch ended")
		}
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("no change")
	}
	panic("unreachable")
}

func TestAWatchMissesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	first := commit(t, s, Tx{Put: puts("w/a", "1", "w/b", "1", "other", "1")})
	second := commit(t, s, Tx{Put: puts("w/a", "2"), Delete: []string{"w/b"}})
	commit(t, s, Tx{Put: puts("other", "2")})
	ctx, cancel := context.WithCancel(t.Context())
	changes := s.Watch(ctx, "w/", first)
	got := []Change{next(t, changes), next(t, changes)}
	third := commit(t, s, Tx{Put: puts("w/c", "3")})
	got = append(got, next(t, changes))
	want := []Change{
		{Revision: first, Put: []Record{{"w/a", []byte("1"), first}, {"w/b", []byte("1"), first}}},
		{Revision: second, Put: []Record{{"w/a", []byte("2"), second}}, Deleted: []string{"w/b"}},
		{Revision: third, Put: []Record{{"w/c", []byte("3"), third}}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	resumed := s.Watch(ctx, "w/", second+1)
	if c := next(t, resumed); c.Revision != third {
		t.Errorf("resumed at %d: %+v", second+1, c)
	}
	cancel()
	for c := range changes {
		t.Errorf("after its context ended: %+v", c)
	}
	ended := s.Watch(t.Context(), "w/", 0)
	next(t, ended)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var last Change
	for last = range ended {
	}
	if !errors.Is(last.Err, ErrClosed) {
		t.Errorf("a watch of a closed store ends with %+v", last)
	}
}

func TestAWatchOfWhatIsForgottenSaysSo(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	var at int64
	for i := range 5 {
		at = commit(t, s, Tx{Put: puts("a", fmt.Sprint(i))})
	}
	if _, err := s.client.Compact(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if c := next(t, s.Watch(t.Context(), "", at-2)); !errors.Is(c.Err, ErrCompacted) {
		t.Errorf("%+v", c)
	}
	if c := next(t, s.Watch(t.Context(), "", at)); c.Err != nil || c.Revision != at {
		t.Errorf("%+v", c)
	}
	if _, err := s.client.Put(t.Context(), s.path("a"), "spoilt"); err != nil {
		t.Fatal(err)
	}
	var corrupt *CorruptError
	if c := next(t, s.Watch(t.Context(), "", at+1)); !errors.As(c.Err, &corrupt) {
		t.Errorf("a corrupt record: %+v", c)
	}
}
