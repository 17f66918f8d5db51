package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestAPackedDatabaseIsAsSmallAsWhatIsLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(tContext(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if _, err := s.Commit(tContext(), Tx{Put: puts(fmt.Sprintf("old/%02d", i), strings.Repeat("x", 100<<10), "kept", "v")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Commit(tContext(), Tx{Below: []string{"old/"}}); err != nil {
		t.Fatal(err)
	}
	for _, least := range []int64{2 << 20, 0} {
		before, after, err := s.Pack(tContext())
		if err != nil || before < least || after > 200<<10 {
			t.Fatalf("%d bytes become %d: %v", before, after, err)
		}
	}
	change := <-s.Watch(tContext(), "", 1)
	if !errors.Is(change.Err, ErrCompacted) {
		t.Errorf("a watch from the beginning: %v", change.Err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(tContext(), Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	keys, err := s.Keys(tContext(), "")
	if err != nil || len(keys) != 1 || keys[0].Key != "kept" || keys[0].Revision == 0 {
		t.Errorf("it has %v, %v", keys, err)
	}
}

func TestEveryRecordIsNotDeletedByAnEmptyPrefix(t *testing.T) {
	t.Parallel()
	if err := (Tx{Below: []string{""}}).check(10, 128); err == nil {
		t.Error("a delete of everything is no mistake")
	}
}
