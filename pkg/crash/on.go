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
	file string // has name and pass, once it is there
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
	o := orders{hook: getenv("LOOM_CRASH_HOOK"), file: getenv("LOOM_CRASH_FILE")}
	var err error
	if o.name, o.pass, err = order(getenv("LOOM_CRASH")); err != nil {
		return o, fmt.Errorf("LOOM_CRASH=%w", err)
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

// order reads NAME or NAME#PASS. Empty is none.
func order(text string) (name string, pass int64, err error) {
	name, after, numbered := strings.Cut(text, "#")
	if name != "" && !slices.Contains(Names(), name) {
		return "", 0, fmt.Errorf("%s: no such point; there are %s", name, strings.Join(Names(), ", "))
	}
	if !numbered {
		return name, 1, nil
	}
	if pass, err = strconv.ParseInt(after, 10, 64); err != nil || pass < 1 {
		return "", 0, fmt.Errorf("%s#%s: a pass is a number from 1", name, after)
	}
	return name, pass, nil
}

// late is an order that a file gives to a process that runs.
var late struct {
	sync.Mutex
	text   string
	passes map[string]int64 // since the file says so
}

// lately tells whether a file has the process die at this pass of a point.
func lately(file, point string) bool {
	data, err := os.ReadFile(file)
	if err != nil { // there is none
		return false
	}
	text := strings.TrimSpace(string(data))
	name, pass, err := order(text)
	if err != nil {
		fmt.Fprintf(os.Stderr, "crash: %s: %v\n", file, err)
		os.Exit(2)
	}
	late.Lock()
	defer late.Unlock()
	if late.text != text {
		late.text, late.passes = text, map[string]int64{}
	}
	late.passes[point]++
	return name == point && late.passes[point] == pass
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
	pass := p.count.Add(1)
	if !(o.name == p.name && pass == o.pass) && (o.file == "" || !lately(o.file, p.name)) {
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
