package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// fsyncs is how often the log was synced by this process.
func fsyncs(t *testing.T) uint64 {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "etcd_disk_wal_fsync_duration_seconds" {
			return f.GetMetric()[0].GetHistogram().GetSampleCount()
		}
	}
	t.Fatal("etcd does not count")
	return 0
}

// etcd's Ready loop saves entries with an fsync before it advances, and a cluster of one commits an
// entry, and so acknowledges it, only by advancing. Not parallel: the count is of the process.
func TestAnAcknowledgementComesAfterAnFsync(t *testing.T) {
	s := open(t, t.TempDir())
	for i := range 50 {
		before := fsyncs(t)
		commit(t, s, Tx{Put: puts("a", fmt.Sprint(i))})
		if fsyncs(t) == before {
			t.Fatalf("commit %d was acknowledged and not synced", i)
		}
	}
}

// occupied is what a directory takes of the disk, in bytes. The database is a sparse file.
func occupied(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// A program that runs for a second at a time keeps its directory as small as one that runs on.
func TestTheDirectoryStaysSmall(t *testing.T) {
	t.Parallel()
	runs, each := 3, 700
	if os.Getenv("LOOM_SOAK") != "" {
		runs, each = 20, 10_000/20
	}
	dir := t.TempDir()
	for run := range runs {
		s := open(t, dir)
		var writers sync.WaitGroup
		for w := range 16 {
			writers.Go(func() {
				for i := w; i < each; i += 16 {
					if _, err := s.Commit(t.Context(), Tx{Put: puts(fmt.Sprint("k", w), fmt.Sprintf("%01000d", run*each+i))}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		writers.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	const limit = 10 << 20
	size := occupied(t, dir)
	t.Logf("%d commits of 1 kB by %d processes: %.1f MB", runs*each, runs, float64(size)/(1<<20))
	if size > limit {
		t.Errorf("%d commits take %d bytes of disk, over %d", runs*each, size, limit)
	}
	if c := next(t, open(t, dir).Watch(t.Context(), "", 1)); !errors.Is(c.Err, ErrCompacted) {
		t.Errorf("the first revision is remembered: %v", c.Err)
	}
}
