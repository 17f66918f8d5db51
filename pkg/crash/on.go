//go:build crashpoints

package crash

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Point is a place in the program, between two effects that outlive it. It is made by New alone.
type Point struct {
	name  string
	count atomic.Int64 // passes
}

// orders is what the environment asks for, read once.
type orders struct {
	name string
	pass int64
	hook string
	log  *os.File
}

var given = sync.OnceValue(func() orders {
	o, err := read(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(2) // a test that would silently crash nowhere proves nothing
	}
	return o
})

func read(getenv func(string) string) (orders, error) {
	o := orders{pass: 1, hook: getenv("LOOM_CRASH_HOOK")}
	name, pass, numbered := strings.Cut(getenv("LOOM_CRASH"), "#")
	o.name = name
	if name != "" && !slices.Contains(Names(), name) {
		return o, fmt.Errorf("LOOM_CRASH=%s: no such point; there are %s", name, strings.Join(Names(), ", "))
	}
	if numbered {
		n, err := strconv.ParseInt(pass, 10, 64)
		if err != nil || n < 1 {
			return o, fmt.Errorf("LOOM_CRASH=%s#%s: a pass is a number from 1", name, pass)
		}
		o.pass = n
	}
	if file := getenv("LOOM_CRASH_LOG"); file != "" {
		log, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return o, fmt.Errorf("LOOM_CRASH_LOG: %w", err)
		}
		o.log = log
	}
	return o, nil
}

// Here is where the process may be killed by a test. It is safe for concurrent use.
func (p *Point) Here() {
	o := given()
	if o.log != nil {
		// One write with O_APPEND: lines of several processes do not mix.
		if _, err := o.log.WriteString(p.name + "\n"); err != nil {
			fmt.Fprintln(os.Stderr, "crash: LOOM_CRASH_LOG:", err)
			os.Exit(2)
		}
	}
	if pass := p.count.Add(1); o.name != p.name || pass != o.pass {
		return
	}
	if o.hook == "" {
		die()
	}
	command := exec.Command(o.hook, p.name)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "crash: LOOM_CRASH_HOOK at %s: %v\n", p.name, err)
		os.Exit(2)
	}
}

// die ends the process as kill -9 does: nothing deferred runs, nothing buffered is written.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way
}
