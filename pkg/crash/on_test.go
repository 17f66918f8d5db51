//go:build crashpoints

package crash

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

var two = New("test.two")

func TestMain(m *testing.M) {
	if os.Getenv("CRASH_TEST_CHILD") != "" {
		for range 3 {
			one.Here()
			two.Here()
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestTheEnvironmentSaysWhereTheProcessDies(t *testing.T) {
	t.Parallel()
	hook := filepath.Join(t.TempDir(), "hook")
	ran := hook + ".ran"
	if err := os.WriteFile(hook, []byte("#!/bin/sh\necho $1 >> "+ran+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "order")
		if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, c := range []struct {
		name   string
		env    []string
		killed bool
		code   int
		log    string
	}{
		{"nothing is asked for", nil, false, 0, "test.one\ntest.two\ntest.one\ntest.two\ntest.one\ntest.two\n"},
		{"at the first pass", []string{"LOOM_CRASH=test.two"}, true, -1, "test.one\ntest.two\n"},
		{"at the second pass", []string{"LOOM_CRASH=test.one#2"}, true, -1, "test.one\ntest.two\ntest.one\n"},
		{"at a pass that never comes", []string{"LOOM_CRASH=test.one#9"}, false, 0, "test.one\ntest.two\ntest.one\ntest.two\ntest.one\ntest.two\n"},
		{"a point that does not exist", []string{"LOOM_CRASH=test.three"}, false, 2, ""},
		{"as a file says", []string{"LOOM_CRASH_FILE=" + file("test.one#3")}, true, -1, "test.one\ntest.two\ntest.one\ntest.two\ntest.one\n"},
		{"a file that is not there", []string{"LOOM_CRASH_FILE=" + hook + ".none"}, false, 0, "test.one\ntest.two\ntest.one\ntest.two\ntest.one\ntest.two\n"},
		{"a file that says nonsense", []string{"LOOM_CRASH_FILE=" + file("test.three")}, false, 2, "test.one\n"},
		{"a pass that is no number", []string{"LOOM_CRASH=test.one#x"}, false, 2, ""},
		{"a command instead of death", []string{"LOOM_CRASH=test.two#2", "LOOM_CRASH_HOOK=" + hook}, false, 0, "test.one\ntest.two\ntest.one\ntest.two\ntest.one\ntest.two\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), append(c.env, "CRASH_TEST_CHILD=1", "LOOM_CRASH_LOG="+log)...)
			err := child.Run()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			status := child.ProcessState.Sys().(syscall.WaitStatus)
			if status.Signaled() != c.killed || child.ProcessState.ExitCode() != c.code {
				t.Errorf("ended with %v", child.ProcessState)
			}
			got, _ := os.ReadFile(log)
			if string(got) != c.log {
				t.Errorf("log is %q, want %q", got, c.log)
			}
		})
	}
	if got, _ := os.ReadFile(ran); string(got) != "test.two\n" {
		t.Errorf("the command was told %q", got)
	}
}
