package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// userCheck is a command of the user's that judges a wave, with what it is told in its environment.
type userCheck struct {
	command string
	env     []string
	limit   time.Duration // for which it may run
	moment  time.Duration // for which it may go on once it is told to end
}

// checkMoment is how long a command that is told to end (SIGTERM) may take before it is made to (SIGKILL).
const checkMoment = time.Second

// run runs the command; its exit status decides. The command has a process group of its own, and when it is over so is
// everything in that group: what a shell has started does not end with the shell. Of what it said the error has the end.
// An interrupt of ctx ends it too.
func (u *userCheck) run(ctx context.Context) error {
	limited, cancel := context.WithTimeoutCause(ctx, u.limit, fmt.Errorf("not done in %s", u.limit))
	defer cancel()
	c := exec.CommandContext(limited, "sh", "-c", u.command)
	c.Env = append(os.Environ(), u.env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = u.moment // then the shell gets SIGKILL
	said, err := listenTo(c)
	if err != nil {
		return err
	}
	err = c.Run()
	if c.Process != nil {
		endGroup(c.Process.Pid, u.moment)
	}
	last := lastLines(said())
	if why := context.Cause(limited); why != nil {
		err = why
	}
	if err != nil && last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}

// listenTo takes what a command says, and returns what to call when it is over. A pipe of ours, so that waiting for the
// command does not wait for others that have it open too.
func listenTo(c *exec.Cmd) (said func() string, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.Stdout, c.Stderr = w, w
	tail := make(chan string, 1)
	go func() { tail <- tailOf(r) }()
	return func() string {
		_ = w.Close()
		_ = r.SetReadDeadline(time.Now().Add(checkMoment)) // somebody outside of the group may have it open
		defer r.Close()
		return <-tail
	}, nil
}

// tailOf reads to the end, and keeps the last of it.
func tailOf(r io.Reader) string {
	const most = 4 << 10
	var kept []byte
	buf := make([]byte, most)
	for {
		n, err := r.Read(buf)
		kept = append(kept, buf[:n]...)
		kept = kept[max(0, len(kept)-most):]
		if err != nil {
			return string(kept)
		}
	}
}

// endGroup ends what is left of a process group: it is asked to, and after a moment made to. It returns when nobody
// is left, or all have been made to.
func endGroup(group int, moment time.Duration) {
	if gone(syscall.Kill(-group, syscall.SIGTERM)) {
		return
	}
	late := time.NewTimer(moment)
	defer late.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if gone(syscall.Kill(-group, 0)) {
				return
			}
		case <-late.C:
			_ = syscall.Kill(-group, syscall.SIGKILL) // it may have ended by now
			return
		}
	}
}

func gone(err error) bool { return errors.Is(err, syscall.ESRCH) }

// lastLines is the end of what a command said, for an error in one line.
func lastLines(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = "…" + s[len(s)-most:]
	}
	return s
}
