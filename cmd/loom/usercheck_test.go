package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestACheckOfTheUserEndsWithAllThatItStarted(t *testing.T) {
	t.Parallel()
	const deaf = `trap "" TERM; ` // does not listen to SIGTERM
	for name, c := range map[string]struct {
		command   string
		limit     time.Duration
		interrupt bool
		want      string // in the error; "" for none
	}{
		"its time is over":         {command: `sh -c 'echo $$ >pid; exec sleep 60'; true`, limit: 200 * time.Millisecond, want: "not done in 200ms"},
		"an interrupt":             {command: `sh -c 'echo $$ >pid; exec sleep 60'; true`, limit: time.Minute, interrupt: true, want: "enough"},
		"nobody listens":           {command: deaf + `sh -c '` + deaf + `echo $$ >pid; while :; do sleep 60; done' >/dev/null 2>&1`, limit: 200 * time.Millisecond, want: "not done in 200ms"},
		"it fails":                 {command: `sleep 60 & echo $! >pid; echo it is wrong; exit 3`, limit: time.Minute, want: "exit status 3: it is wrong"},
		"it agrees, and leaves it": {command: `sleep 60 & echo $! >pid`, limit: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			ctx, cancel := context.WithCancelCause(t.Context())
			u := userCheck{command: strings.ReplaceAll(c.command, "pid", file), limit: c.limit, moment: 100 * time.Millisecond}
			defer cancel(nil)
			ended := make(chan error, 1)
			go func() { ended <- u.run(ctx) }()
			pid := pidIn(t, file)
			if c.interrupt {
				cancel(errors.New("enough"))
			}
			err := <-ended
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("it ends with %v, want %q", err, c.want)
			}
			until(t, "the grandchild is gone", func() bool { return !alive(pid) })
		})
	}
}

// pidIn waits for a number in a file.
func pidIn(t *testing.T, file string) (pid int) {
	t.Helper()
	until(t, "a number in "+file, func() bool {
		text, _ := os.ReadFile(file)
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		pid = n
		return err == nil && strings.HasSuffix(string(text), "\n")
	})
	return pid
}

// alive tells whether a process runs. One that has ended and that nobody has asked about (a zombie) does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for tick := time.Tick(5 * time.Millisecond); !holds(); {
		select {
		case <-tick:
		case <-late:
			t.Fatalf("not in time: %s", what)
		}
	}
}
