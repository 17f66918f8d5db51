package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestABackupIsRestoredWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	s, err := Open(tContext(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Commit(tContext(), Tx{Put: puts("a", "1", "b/c", "\x00\xff", "d", "")}); err != nil {
		t.Fatal(err)
	}
	records, revision, err := s.List(tContext(), "")
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if n, err := NewBackup(records, revision, time.Unix(1, 0).UTC()).WriteTo(&file); err != nil || n != int64(file.Len()) {
		t.Fatalf("%d bytes of %d: %v", n, file.Len(), err)
	}
	whole := file.Bytes()
	dir := filepath.Join(t.TempDir(), "new", "store")
	b, err := ReadBackup(whole)
	if err != nil || b.Revision != revision {
		t.Fatal(b, err)
	}
	if err := Restore(tContext(), dir, b); err != nil {
		t.Fatal(err)
	}
	r, err := Open(tContext(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	has, _, err := r.List(tContext(), "")
	for i := range has {
		if has[i].Key != records[i].Key || !bytes.Equal(has[i].Value, records[i].Value) {
			t.Errorf("%v, want %v", has[i], records[i])
		}
	}
	if err != nil || len(has) != len(records) {
		t.Errorf("%d records of %d: %v", len(has), len(records), err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Restore(tContext(), dir, b); err == nil || !strings.Contains(err.Error(), "there is a store already") {
		t.Errorf("over a store that is there: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 1 {
		t.Errorf("beside the store there are %v, %v", left, err)
	}

	for cut := range len(whole) - 1 {
		if _, err := ReadBackup(whole[:cut]); err == nil {
			t.Fatalf("a backup that ends at %d of %d is taken", cut, len(whole))
		}
	}
	for bit := range 8 * (len(whole) - 1) {
		spoilt := flipped(whole, bit)
		if b, err := ReadBackup(spoilt); err == nil && !strings.EqualFold(string(spoilt), string(whole)) {
			t.Fatalf("a backup with bit %d of %q flipped is taken: %v", bit, spoilt, b)
		}
	}
}
