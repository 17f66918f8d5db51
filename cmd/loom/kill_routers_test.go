//go:build crashpoints

package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
)

// routers are the devices of one case. They live in the process of the test, so that they outlive the program
// that is killed.
type routers struct {
	*testing.T
	dir   string   // of the case: data, logs, temporary files
	n     *network // that the change is about
	sim   *sim.Sim
	clock *leapClock
	off   map[string]bool // devices without power

	from, to map[string]*config.Tree // what they have and what they shall have, of what Loom owns; none: nothing
}

// leapClock goes as the host's does, and can be set forward.
type leapClock struct {
	mu     sync.Mutex
	ahead  time.Duration
	timers []*leapTimer
}

type leapTimer struct {
	at   time.Time
	f    func()
	stop func() bool
}

func (c *leapClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *leapClock) AfterFunc(d time.Duration, f func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &leapTimer{at: time.Now().Add(c.ahead + d)}
	t.f = func() {
		if c.take(t) {
			f()
		}
	}
	t.stop = time.AfterFunc(d, t.f).Stop
	c.timers = append(c.timers, t)
	return func() { c.take(t) }
}

// take tells whether a timer has neither run nor been stopped before.
func (c *leapClock) take(t *leapTimer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.timers, t)
	if i < 0 {
		return false
	}
	c.timers = slices.Delete(c.timers, i, i+1)
	t.stop()
	return true
}

// leap sets the clock forward, and runs what falls due before it returns.
func (c *leapClock) leap(d time.Duration) {
	c.mu.Lock()
	c.ahead += d
	now := time.Now().Add(c.ahead)
	due := slices.DeleteFunc(slices.Clone(c.timers), func(t *leapTimer) bool { return t.at.After(now) })
	c.mu.Unlock()
	slices.SortStableFunc(due, func(a, b *leapTimer) int { return a.at.Compare(b.at) })
	for _, t := range due {
		t.f()
	}
}

// hostsOfLeaf is how many servers are made up for one leaf.
const hostsOfLeaf = 2

// newRouters starts the devices of a network as they come from the factory, cabled as plant has it. commits is what devices make of
// confirm timers that may have them or not.
func newRouters(t *testing.T, n, plant *network, commits string) *routers {
	t.Helper()
	dir, err := os.MkdirTemp("", "loom-kill-") // short, as the path of a socket has to be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f := &routers{T: t, dir: dir, n: n, clock: &leapClock{}, off: map[string]bool{}}
	c := simulation{bgp: bgpComputed, hosts: hostsOfLeaf, commits: commits}.config(plant.design, nil)
	c.Clock = f.clock
	if f.sim, err = sim.Start(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.sim.Close)
	f.sim.Record(nil, 10000)
	f.write("sim.json", string(f.sim.Inventory().JSON()))
	return f
}

func (f *routers) path(name string) string { return filepath.Join(f.dir, name) }

func (f *routers) write(name, text string) {
	f.Helper()
	if err := os.WriteFile(f.path(name), []byte(text), 0o700); err != nil {
		f.Fatal(err)
	}
}

func (f *routers) inject(kind, target string, more ...func(*sim.Fault)) {
	f.Helper()
	fault := sim.Fault{Kind: kind, Target: target}
	for _, m := range more {
		m(&fault)
	}
	if _, err := f.sim.Inject(fault); err != nil {
		f.Fatal(err)
	}
}

// Where a device is, all of what Loom owns of it.
const (
	atBase   = "base"
	atTarget = "target"
	atBoth   = "both" // of a device that the change is not about
)

// where tells at which of both a configuration is; of one that is neither, how far from the target.
func (f *routers) where(name string, tree *config.Tree) string {
	d, from, to := f.n.design.Device(name), f.from[name], f.to[name]
	scope := drivers[d.OS].Scope(d)
	owned := scope.Owned(tree, cmp.Or(to, from))
	if from != nil && to != nil {
		from = scope.Owned(from, to) // what nobody asks for any more may be nobody's, as a port that is free
	}
	switch isFrom, isTo := equal(owned, from), equal(owned, to); {
	case isFrom && isTo:
		return atBoth
	case isTo:
		return atTarget
	case isFrom:
		return atBase
	case to == nil:
		return fmt.Sprintf("neither: %d leaves are left", owned.Leaves())
	}
	changes := config.Diff(owned, to)
	return fmt.Sprintf("neither: %d leaves differ from the target, first %s", len(changes), changes[0].At)
}

// equal tells whether two configurations are the same; nil is an empty one.
func equal(a, b *config.Tree) bool {
	if b == nil {
		return a.Leaves() == 0
	}
	return len(config.Diff(a, b)) == 0
}

// place is where a device is, running and startup configuration, and says what else is wrong with it.
func (f *routers) place(name string) string {
	d := f.sim.Device(name)
	running, startup := d.Running(), d.Startup()
	at := f.where(name, running)
	if drivers[f.n.design.Device(name).OS].Manners.SaveOn == "" {
		return at // what it boots is its own affair
	}
	if boots := f.where(name, startup); boots != at {
		at += ", but startup is " + boots
	} else if changes := config.Diff(startup, running); len(changes) > 0 {
		at += fmt.Sprintf(", but startup differs from running in %d places, first %s", len(changes), changes[0].At)
	}
	if id := d.Pending(); id != "" {
		at += ", and commit " + id + " is pending"
	}
	return at
}

// sets counts the Sets that the devices have answered.
func (f *routers) sets() int {
	list, err := f.sim.Journal()
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	for _, e := range list {
		if e.Event == "set" {
			n++
		}
	}
	return n
}

// until waits for a condition.
func (f *routers) until(what string, holds func() bool) {
	f.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			f.Fatalf("waited a minute for this: %s", what)
		}
	}
}
