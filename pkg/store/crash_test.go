package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/raft/v3/raftpb"
)

// holds checks that a store has every commit of a child up to a number, whole and without gaps.
func holds(t *testing.T, dir string, atLeast int) {
	t.Helper()
	s := open(t, dir)
	defer func() { _ = s.Close() }()
	last, _, err := s.Get(t.Context(), "last")
	if err != nil {
		t.Fatal(err)
	}
	var n int
	_, _ = fmt.Sscan(string(last.Value), &n)
	if n < atLeast {
		t.Errorf("commit %d was acknowledged, the store ends with %d", atLeast, n)
	}
	records, _, err := s.List(t.Context(), "k")
	if err != nil || len(records) != n {
		t.Errorf("%d records of %d commits: %v", len(records), n, err)
	}
	for i, r := range records {
		if r.Key != fmt.Sprintf("k%06d", i+1) {
			t.Fatalf("record %d is %s", i+1, r.Key)
		}
	}
}

func TestWhatWasAcknowledgedSurvivesKill9(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(5, 6))
	last := 0
	for round := range 6 {
		c, lines := child(t, "commits until killed", dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 { // while it starts, or begins to commit
			<-time.After(time.Duration(random.IntN(120)) * time.Millisecond)
		} else {
			last, _ = acked(lines, 20+random.IntN(100))
		}
		last = killed(t, c, lines, last)
		holds(t, dir, last)
	}
	if last < 60 {
		t.Errorf("only %d commits", last)
	}
}

func TestAStoreStopsWhenItsDiskDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		child     string
		atLeast   int
		namespace bool
		data      string
	}{
		{"database over the limit of file sizes", 10, false, ""},
		{"log over the limit of file sizes", 5, false, ""},
		{"no room to begin", 0, false, ""},
		{"disk full", 10, true, "copy"},
	} {
		t.Run(c.child, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			command, lines := child(t, c.child, dir)
			if c.namespace {
				command.SysProcAttr = &syscall.SysProcAttr{
					Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
					UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
					GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
				}
			}
			last, err := run(t, command, lines)
			if c.namespace && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENOSPC)) {
				t.Skip("this system gives no namespaces to users:", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if last < c.atLeast {
				t.Errorf("only %d commits before it stopped", last)
			}
			holds(t, filepath.Join(dir, c.data), last)
		})
	}
}

// A lock of a process that is gone does not make the next one wait: the directory is its own.
func TestLocksOfKilledProcessesAreFree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, lines := child(t, "holds until killed", dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	first, _ := acked(lines, 1)
	var held *HeldError
	if _, err := tryOpen(t, Options{Dir: dir}); !errors.As(err, &held) || held.By != "the child" {
		t.Errorf("while it lives: %v", err)
	}
	killed(t, c, lines, 0)
	l, err := open(t, dir).Hold(t.Context(), "apply", Holder{Who: "me"})
	if err != nil || l.Epoch <= int64(first) {
		t.Errorf("%+v, %v", l, err)
	}
}

// A disk that loses its power while an entry is written has any part of it: the log is cut after the last entry that
// was acknowledged, and after every byte of what follows.
func TestAnEntryThatWasNotAcknowledgedMayBeOnTheDiskInPart(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	cuts, opened := 0, 0
	for round := 0; round < 30 && opened < 3; round++ {
		d := stopped(t, 5+random.IntN(40))
		for cut := d.certain; cut <= d.end; cut++ {
			state, _, err := inspect(d.cutAt(cut))
			if err != nil || state.last < d.last {
				t.Fatalf("of %d bytes in doubt %d are on the disk: the log ends with entry %d, %d was acknowledged: %v", d.end-d.certain, cut-d.certain, state.last, d.last, err)
			}
			cuts++
		}
		if d.end == d.certain {
			continue
		}
		cut := d.certain + random.IntN(d.end-d.certain)
		log := d.cutAt(cut)
		file := log[len(log)-1]
		if err := os.WriteFile(filepath.Join(d.dir, "etcd", "member", "wal", file.name), file.data, 0o600); err != nil {
			t.Fatal(err)
		}
		holds(t, d.dir, d.acked)
		opened++
	}
	if opened == 0 {
		t.Error("no entry was being written at any time")
	}
	t.Logf("%d cuts, %d of them opened", cuts, opened)
}

// disk is what a process that commits has written when it was stopped.
type disk struct {
	dir          string // a copy
	acked        int    // the last commit that was acknowledged
	last         uint64 // its entry in the log, or that which the database has if that is later
	certain, end int    // where that entry, and all, ends in the last file of the log
	log          []segmentFile
}

// cutAt is the log without what follows an offset of its last file.
func (d *disk) cutAt(offset int) []segmentFile {
	out := slices.Clone(d.log)
	last := &out[len(out)-1]
	data := slices.Clone(last.data)
	clear(data[offset:])
	last.data = data
	return out
}

// stopped lets a process commit, and stops it in the middle of something.
func stopped(t *testing.T, commits int) *disk {
	t.Helper()
	from := t.TempDir()
	c, lines := child(t, "commits until killed", from)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	d := &disk{dir: t.TempDir()}
	acked(lines, commits)
	freeze(t, c.Process.Pid)
	if err := os.CopyFS(d.dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	d.acked = killed(t, c, lines, commits)
	var err error
	if d.log, err = readLog(filepath.Join(d.dir, "etcd", "member", "wal")); err != nil {
		t.Fatal(err)
	}
	index, err := applied(filepath.Join(d.dir, "etcd", "member", "snap", "db"))
	if err != nil {
		t.Fatal(err)
	}
	key := fmt.Appendf(nil, "k%06d", d.acked)
	data := d.log[len(d.log)-1].data
	for d.end < len(data) && !allZero(data[d.end:min(d.end+8, len(data))]) {
		rec, size, err := frame(data[d.end:])
		if err != nil {
			break // the rest is part of an entry already
		}
		d.end += size
		var e raftpb.Entry
		if rec.GetType() == wal.EntryType && strictly(rec.GetData(), &e) == nil && (bytes.Contains(e.GetData(), key) || e.GetIndex() == index) {
			d.last, d.certain = max(d.last, e.GetIndex()), d.end
		}
	}
	return d
}

// freeze stops a process, and waits until each of its threads has stopped: one that syncs a file does when that is done.
func freeze(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-tick.C {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(stats, func(file string) bool {
			stat, err := os.ReadFile(file)
			_, state, _ := bytes.Cut(stat, []byte(") "))
			return err == nil && !bytes.HasPrefix(state, []byte("T"))
		}) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the process does not stop")
		}
	}
}
