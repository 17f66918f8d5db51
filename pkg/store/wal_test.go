package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
)

// crashed is a data directory as a crash leaves it: the log of n commits to k0000..., several files
// long, none of it in the database yet.
var crashed = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "loom-store-")
	if err != nil {
		return "", err
	}
	s, err := Open(tContext(), Options{Dir: filepath.Join(dir, "live"), batchInterval: time.Hour})
	if err != nil {
		return "", err
	}
	defer func() { _ = s.Close() }()
	for i := range crashedCommits {
		if _, err := s.Commit(tContext(), Tx{Put: puts(fmt.Sprintf("k%04d", i), crashedValue(i))}); err != nil {
			return "", err
		}
	}
	// A copy of what is in the files while the store runs is what kill -9 leaves.
	copied := filepath.Join(dir, "crashed")
	return copied, os.CopyFS(copied, os.DirFS(filepath.Join(dir, "live")))
})

const crashedCommits = 60

// crashedValue makes some records longer than a sector, and the first file of the log full.
func crashedValue(i int) string {
	switch {
	case i < 2:
		return strings.Repeat("large", 120<<10)
	case i%7 == 0:
		return strings.Repeat(fmt.Sprint(i), 700)
	}
	return fmt.Sprint(i)
}

// crashedLog returns the log of crashed; its data is not to be changed.
func crashedLog(t testing.TB) []segmentFile {
	t.Helper()
	dir, err := crashed()
	if err != nil {
		t.Fatal(err)
	}
	files, err := readLog(filepath.Join(dir, "etcd", "member", "wal"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 {
		t.Fatalf("the log has %d files", len(files))
	}
	return files
}

// lastOf is the last file of a log alone, which can be read by itself, with few of the zeros at its end.
func lastOf(t testing.TB, files []segmentFile) segmentFile {
	t.Helper()
	f := files[len(files)-1]
	records := offsets(t, f.data)
	return segmentFile{f.name, f.data[:records[len(records)-1]+1024]}
}

func flipped(data []byte, bit int) []byte {
	out := bytes.Clone(data)
	out[bit/8] ^= 1 << (bit % 8)
	return out
}

// offsets are where the records of a file begin, and where they end.
func offsets(t testing.TB, data []byte) []int {
	t.Helper()
	out := []int{0}
	for at := 0; !allZero(data[at:]); {
		_, size, err := frame(data[at:])
		if err != nil {
			t.Fatal(err)
		}
		at += size
		out = append(out, at)
	}
	return out
}

func TestTheLogOfACrashIsGood(t *testing.T) {
	t.Parallel()
	state, tear, err := inspect(crashedLog(t))
	if err != nil || tear != nil || state.last < crashedCommits {
		t.Errorf("%+v, %+v, %v", state, tear, err)
	}
}

func TestAMissingFileOfTheLogIsFound(t *testing.T) {
	t.Parallel()
	files := crashedLog(t)
	var corrupt *CorruptError
	gap := segmentFile{"0000000000000002-0000000000000040.wal", files[1].data}
	if _, _, err := inspect([]segmentFile{files[0], gap}); !errors.As(err, &corrupt) {
		t.Errorf("in the middle: %v", err)
	}
}

// FuzzLog: whatever is in the last file, reading it ends with a prefix or an error.
func FuzzLog(f *testing.F) {
	f.Add(uint32(100), []byte{1})
	f.Add(uint32(1<<19), []byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, at uint32, over []byte) {
		last := lastOf(t, crashedLog(t))
		data := bytes.Clone(last.data)
		copy(data[int(at)%len(data):], over)
		whole, _, _ := inspect([]segmentFile{last})
		state, tear, err := inspect([]segmentFile{{last.name, data}})
		if err == nil && tear == nil && state.last != whole.last {
			t.Errorf("entry %d of %d, and nobody says so", state.last, whole.last)
		}
	})
}

// copyCrashed gives a test a directory of its own, and the last file of its log.
func copyCrashed(t *testing.T) (dir, last string) {
	t.Helper()
	from, err := crashed()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	files := crashedLog(t)
	return dir, filepath.Join(dir, "etcd", "member", "wal", files[len(files)-1].name)
}

func TestAStoreOpensWithAPrefixOrNot(t *testing.T) {
	t.Parallel()
	data := crashedLog(t)[len(crashedLog(t))-1].data
	records := offsets(t, data)
	n := len(records)
	middle, tail, end := records[n/2], records[n-2], records[n-1]
	for _, c := range []struct {
		name    string
		data    []byte
		notice  bool
		corrupt int64 // offset, if it is
	}{
		{"as the crash left it", data, false, 0},
		{"cut within the last record", data[:end-3], true, 0},
		{"cut within the length of the last record", data[:tail+5], true, 0},
		{"cut between records", data[:tail], false, 0},
		{"a bit of the last record's data", flipped(data, (end-12)*8), true, 0},
		{"the length of the last record is zero", append(append(bytes.Clone(data[:tail]), make([]byte, 8)...), data[tail+8:]...), true, 0},
		{"a bit in the middle", flipped(data, (middle+14)*8), false, int64(middle)},
		{"a length in the middle is zero", append(append(bytes.Clone(data[:middle]), make([]byte, 8)...), data[middle+8:]...), false, int64(middle)},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, last := copyCrashed(t)
			if err := os.WriteFile(last, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := tryOpen(t, Options{Dir: dir})
			if c.corrupt > 0 {
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) || corrupt.File != last || corrupt.Offset != c.corrupt {
					t.Fatalf("error %v, want offset %d", err, c.corrupt)
				}
				if now, err := os.ReadFile(last); err != nil || !bytes.Equal(now, c.data) {
					t.Errorf("the file was changed: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := len(s.Notices()) > 0; got != c.notice {
				t.Errorf("notices %q", s.Notices())
			}
			got, _, err := s.List(t.Context(), "k")
			if err != nil || len(got) < crashedCommits-1 {
				t.Fatalf("%d records: %v", len(got), err)
			}
			for i, r := range got {
				if r.Key != fmt.Sprintf("k%04d", i) || string(r.Value) != crashedValue(i) {
					t.Errorf("record %d is %s", i, r.Key)
				}
			}
			// What is written from here on is there after the next start, and etcd likes the log as well.
			commit(t, s, Tx{Put: puts("new", "x")})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := wal.Verify(nil, filepath.Dir(last), &walpb.Snapshot{}); err != nil {
				t.Errorf("etcd: %v", err)
			}
			want(t, have(t, open(t, dir), "new"), "new=x")
		})
	}
}

// A member that was killed between making its log and the first entry has nobody to elect.
func TestAFirstStartThatWasCutOffIsBegunAnew(t *testing.T) {
	t.Parallel()
	files := crashedLog(t)
	records := offsets(t, files[0].data)
	for _, cut := range []int{records[3], records[3] + 5, records[4]} {
		dir, last := copyCrashed(t)
		if err := os.Remove(last); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(last), files[0].name), files[0].data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		if len(s.Notices()) != 1 {
			t.Errorf("cut at %d: notices %q", cut, s.Notices())
		}
		commit(t, s, Tx{Put: puts("a", "1")})
	}
}

// etcd would fill the places of what is lost with new entries and drop these.
func TestALogBehindItsDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 20 {
		commit(t, s, Tx{Put: puts("a", fmt.Sprint(i))})
	}
	if err := s.Close(); err != nil { // now the database has everything
		t.Fatal(err)
	}
	files, err := readLog(filepath.Join(dir, "etcd", "member", "wal"))
	if err != nil {
		t.Fatal(err)
	}
	data := files[0].data
	records := offsets(t, data)
	for _, data := range [][]byte{data[:records[len(records)-6]], flipped(data, (records[len(records)-4]+12)*8)} {
		if err := os.WriteFile(filepath.Join(dir, "etcd", "member", "wal", files[0].name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		var corrupt *CorruptError
		if _, err := tryOpen(t, Options{Dir: dir}); !errors.As(err, &corrupt) {
			t.Errorf("it was opened: %v", err)
		}
	}
}

// The database has no checksums; what bbolt or etcd would panic about is an error.
func TestABrokenDatabaseIsAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(data []byte) []byte
	}{
		{"cut off", func(data []byte) []byte { return data[:3*4096] }},
		{"both roots", func(data []byte) []byte { return append(make([]byte, 8192), data[8192:]...) }},
		{"its pages", func(data []byte) []byte {
			return append(data[:8192:8192], bytes.Repeat([]byte{0xff}, len(data)-8192)...)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			commit(t, s, Tx{Put: puts("a", strings.Repeat("x", 100<<10))})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "etcd", "member", "snap", "db")
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, c.spoil(data), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			var corrupt *CorruptError
			if _, err := tryOpen(t, Options{Dir: dir}); !errors.As(err, &corrupt) || corrupt.File != path {
				t.Errorf("error %v", err)
			}
		})
	}
}
