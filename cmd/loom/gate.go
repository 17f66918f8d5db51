package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/verify"
)

// gate is what a change passes between its waves: the devices that have their change, and their neighbors, show
// nothing wrong that was not wrong before.
type gate struct {
	*follower
	index  *verify.Index
	before []verify.Finding // before the first wave

	within  time.Duration   // in which the network has to come to rest
	drained map[string]bool // devices whose traffic was moved away; read by each pass

	soak  time.Duration  // for which it has to stay at rest; 0: not at all
	retry time.Duration  // between attempts to reach a device that cannot be read
	tell  func(gateWait) // what it waits for, whenever that changes; may be nil
}

// gateWait is what a gate waits for: findings to go, devices to be read, or, with neither, to stay at rest. Behind the
// gate of the network it is a check of the user's that runs.
type gateWait struct {
	findings []verify.Finding
	silent   []string
	check    string
}

// waits tells what the gate waits for.
func (g *gate) waits(w gateWait) {
	if g.tell != nil {
		g.tell(w)
	}
}

// gate looks at the devices that will change, and their neighbors, as they are before. Devices that nobody can read
// then need not come back for the gate to open. asked is what devices are to show behind the change, by name, those
// too that have it already: what a change takes away on purpose is not missed, whatever the topology says.
func (n *network) gate(ctx context.Context, o *observer, names []string, asked map[string]verify.Device) *gate {
	g := &gate{follower: &follower{observer: o, turns: make(chan struct{}, maxConnections)}, index: verify.NewIndex(n.design).Wanting(asked), drained: n.drained(), within: time.Minute, retry: time.Second}
	before := o.observe(ctx, g.around(names))
	before.Drained = g.drained
	g.before = g.index.Check(before)
	return g
}

// around returns devices with their neighbors, each once, those of the design.
func (g *gate) around(names []string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] && g.n.design.Device(name) != nil {
			seen[name] = true
			out = append(out, name)
		}
	}
	for _, name := range names {
		add(name)
		for _, neighbor := range g.index.Neighbors(name) {
			add(neighbor)
		}
	}
	return out
}

// gateError is why a gate stayed shut.
type gateError struct {
	within   time.Duration
	findings []verify.Finding
	silent   []string // devices that have not been read at all
}

func (e *gateError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the network has not come to rest in %s", e.within)
	for _, g := range verify.Groups(e.findings) {
		fmt.Fprintf(&b, "\n  %s%s", g.Message, takes(g, kindsOf(e.findings)))
	}
	if len(e.silent) > 0 {
		fmt.Fprintf(&b, "\n  not read yet: %s", strings.Join(e.silent, ", "))
	}
	return b.String()
}

// pass waits until the given devices, which have their change, and their neighbors show no new findings, and
// for the soak time none again. waiting tells which devices have not got their change yet, those included that
// never will. It follows the devices by subscriptions (ON_CHANGE), each on a fresh connection, and reads again
// what has changed; it returns a *gateError when the time is over.
func (g *gate) pass(ctx context.Context, devices []string, waiting func(device string) bool) error {
	var followers sync.WaitGroup
	defer followers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	names := g.around(devices)
	reports := make(chan report)
	for _, name := range names {
		followers.Go(func() { g.follow(ctx, name, reports) })
	}
	o := verify.Observed{Devices: make(map[string]verify.Device, len(names)), Drained: g.drained}
	late := g.after(g.within)
	var rested <-chan time.Time // runs while there is nothing new
	for {
		select {
		case r := <-reports:
			o.Devices[r.name], o.At = r.shows, g.now()
			takeAll(reports, o.Devices)
		case <-rested:
			return nil
		case <-late:
			return &gateError{g.within, verify.New(g.before, g.index.Check(o), waiting), missing(names, o)}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if len(o.Devices) < len(names) { // no findings could open it: to look for them once for each of a thousand would take minutes
			g.waits(gateWait{silent: missing(names, o)})
			continue
		}
		fresh := verify.New(g.before, g.index.Check(o), waiting)
		g.waits(gateWait{findings: fresh})
		switch {
		case len(fresh) > 0:
			rested = nil
		case g.soak == 0:
			return nil
		case rested == nil:
			rested = g.after(g.soak)
		}
	}
}

// takeAll takes the reports that wait: one look at the network does for all of them.
func takeAll(reports <-chan report, shown map[string]verify.Device) {
	for {
		select {
		case r := <-reports:
			shown[r.name] = r.shows
		default:
			return
		}
	}
}

// missing are the devices that were not observed.
func missing(names []string, o verify.Observed) []string {
	var out []string
	for _, name := range names {
		if _, ok := o.Devices[name]; !ok {
			out = append(out, name)
		}
	}
	return out
}

// report is what one device shows now.
type report struct {
	name  string
	shows verify.Device
}

// follow reports what a device shows, whenever it shows something new, until ctx ends.
func (g *gate) follow(ctx context.Context, name string, reports chan<- report) {
	tell := func(d verify.Device) {
		select {
		case reports <- report{name, d}:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		if err := g.stream(ctx, name, tell); err != nil {
			tell(unreachable(name, err))
		}
		select {
		case <-g.after(g.retry):
		case <-ctx.Done():
		}
	}
}

// stream follows a device over one connection, and returns why that ended.
func (g *gate) stream(ctx context.Context, name string, tell func(verify.Device)) error {
	l, err := g.dial(ctx, name)
	if err != nil {
		return err
	}
	defer l.Close()
	return g.followOver(ctx, func() *live { return l }, make(chan struct{}, 1), func(read func() (verify.Device, error)) error {
		shows, err := read()
		if err == nil {
			tell(shows)
		}
		return err
	})
}

// dial connects to a device; a bounded number at a time, so that a thousand devices do not get in each
// other's way.
func (g *gate) dial(ctx context.Context, name string) (*live, error) {
	if err := g.turn(ctx); err != nil {
		return nil, err
	}
	defer func() { <-g.turns }()
	ctx, cancel := context.WithTimeout(ctx, g.limit)
	defer cancel()
	return dial(ctx, g.n, g.r, name)
}
