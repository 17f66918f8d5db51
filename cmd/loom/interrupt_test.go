package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/transaction"
)

// What an interrupt does to the real program, before the decision and after it, and what the second one does.
func TestInterrupts(t *testing.T) {
	t.Parallel()
	const busy = "UNAVAILABLE" // is asked again
	for name, c := range map[string]struct {
		word  string // said first: "confirm", or none
		held  string // kind of Set that the first router is too busy for
		at    string // interrupted once it has said so
		says  string
		again bool   // interrupted once more
		left  string // how the journal says that it stands then; what becomes of that is tested by killing the program
	}{
		"after the decision it goes on to the end":                     {word: "confirm", held: "confirm", at: "confirming,", says: "interrupted: it is decided, so this goes on to the end (", left: "done"},
		"after the decision a second one ends it, and nothing is lost": {word: "confirm", held: "confirm", at: "confirming,", says: "nothing is lost by it", again: true, left: "not over: committing"},
		"before the decision a second one ends it, and the journal says that it is taken back": {
			held: "cancel", at: "unconfirmed until", says: "Interrupt once more to end this program at once; then 3 armed routers take the change back", again: true, left: "not over: aborting"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProgramRuns(t)
			apply := p.start("apply", p.topology, "--inventory", p.inventory, "--yes", "--gate", "0", "--hold", "1m")
			apply.waitFor(t, "unconfirmed until")
			p.looks(transaction.ForWord, 3)
			f, err := sim.ParseFault("refuse", "leaf1", map[string]string{"on": c.held, "code": busy})
			if err != nil {
				t.Fatal(err)
			}
			id, err := p.sim.Inject(f)
			if err != nil {
				t.Fatal(err)
			}
			p.say(c.word)
			apply.waitFor(t, c.at)
			apply.interrupt(t)
			apply.waitFor(t, c.says)
			if c.again {
				apply.interrupt(t)
				if code, by := apply.end(t); by != syscall.SIGINT {
					t.Fatalf("the second interrupt does not end it: exit code %d, signal %v\n%s", code, by, apply.said())
				}
			}
			if err := p.sim.Clear(id); err != nil {
				t.Fatal(err)
			}
			if !c.again {
				if code, by := apply.end(t); code != exitOK || by != 0 {
					t.Fatalf("exit code %d, signal %v\n%s", code, by, apply.said())
				}
			}
			if n := strings.Count(apply.said(), "nterrupt"); n != 2 {
				t.Errorf("interrupts are told of %d times:\n%s", n, apply.said())
			}
			list := p.start("transactions", "list")
			if code, _ := list.end(t); code != exitOK || !strings.Contains(list.said(), c.left) {
				t.Errorf("the journal does not say %q:\n%s", c.left, list.said())
			}
		})
	}
}

// programRuns runs the real program beside simulated routers.
type programRuns struct {
	*testing.T
	sim                       *sim.Sim
	topology, inventory, data string
}

func newProgramRuns(t *testing.T) *programRuns {
	t.Helper()
	b := newBench(t)
	p := &programRuns{T: t, sim: b.sim, topology: filepath.Join("testdata", "pair.yaml")}
	p.data = filepath.Join(t.TempDir(), ".loom")
	p.inventory = filepath.Join(t.TempDir(), "sim.json")
	if err := os.WriteFile(p.inventory, b.sim.Inventory().JSON(), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// runningProgram is one run of it.
type runningProgram struct {
	*exec.Cmd
	mu  sync.Mutex // guards out: the program writes while the test reads
	out bytes.Buffer
}

func (r *runningProgram) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(b)
}

func (r *runningProgram) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

// say tells the process that works on the newest transaction a word.
func (p *programRuns) say(word string) {
	p.Helper()
	if word == "" {
		return
	}
	books, err := dialControl(filepath.Join(p.data, "store"))
	if err != nil {
		p.Fatal(err)
	}
	ids, err := transactionIDs(p.Context(), books)
	if err == nil {
		err = books.ask(p.Context(), "", ids[len(ids)-1], word)
	}
	if err != nil {
		p.Fatal(err)
	}
}

// looks demands what others see of the transaction, from the process that works on it.
func (p *programRuns) looks(waits transaction.Wait, timers int) {
	p.Helper()
	books, err := dialControl(filepath.Join(p.data, "store"))
	if err != nil {
		p.Fatal(err)
	}
	until(p.T, "it is seen that all timers run", func() bool {
		l, err := books.look(p.Context())
		return err == nil && l != nil && l.Waits == waits && l.Timers == timers && time.Until(l.First) > time.Minute
	})
}

func (p *programRuns) start(args ...string) *runningProgram {
	p.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &runningProgram{Cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	p.Cleanup(cancel)
	r.Args[0] = "loom" // by which this binary is the program: see TestMain
	r.Env = append(os.Environ(), "LOOM_DATA="+p.data, "GORACE=atexit_sleep_ms=0")
	r.Stdout, r.Stderr = r, r
	if err := r.Start(); err != nil {
		p.Fatal(err)
	}
	return r
}

func (r *runningProgram) waitFor(t *testing.T, text string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Log(r.said())
		}
	}()
	until(t, text, func() bool { return strings.Contains(r.said(), text) })
}

func (r *runningProgram) interrupt(t *testing.T) {
	t.Helper()
	if err := r.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

// end waits for the end, and returns the exit code, or the signal that ended it.
func (r *runningProgram) end(t *testing.T) (code int, by syscall.Signal) {
	t.Helper()
	err := r.Wait()
	if e := (*exec.ExitError)(nil); err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	if w := r.ProcessState.Sys().(syscall.WaitStatus); w.Signaled() {
		return -1, w.Signal()
	}
	return r.ProcessState.ExitCode(), 0
}
