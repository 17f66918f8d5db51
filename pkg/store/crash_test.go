package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
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
