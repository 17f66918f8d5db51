package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

// Fault is one thing that goes wrong. Kinds lists what there is, and which fields each kind looks at;
// the others are zero.
type Fault struct {
	Kind   string
	Target string // a device; a port, "leaf1:ethernet-1/1"; a cable, by its id or by one of its ends; a duct or a line; an amplifier

	Times int           // how often it strikes; 0: until it is cleared
	For   time.Duration // how long it lasts; 0: until it is cleared
	Seed  uint64        // of every random choice: the same seed makes the same fault

	On      string        // which Sets it is about, or "now"
	Form    string        // which of the kind's forms
	Delay   time.Duration // what it has to do with time, all by the simulation's clock
	Rate    int           // per second
	Count   int
	Code    codes.Code
	Message string
	Path    string  // as in "/interface[name=ethernet-1/1]/mtu"
	Value   string  // JSON
	With    string  // the other cable
	Loss    float64 // dB
	Shift   int     // MHz
	Boot    string  // what a device boots with

	Platform string // of the box that takes a device's place
	Release  string // that the device runs afterwards
}

// Injected is a fault that is active.
type Injected struct {
	ID string
	Fault
	Since  time.Time
	Struck int // how often it has
}

// injected is a fault at work.
type injected struct {
	Fault
	id     string
	kind   *Kind
	sim    *Sim
	device *Device // nil for cables
	since  time.Time
	done   chan struct{} // closed when it is cleared

	mu     sync.Mutex // guards what follows
	struck int
	busy   int // strikes under way
	random *rand.Rand
	undo   []func()         // to be called, last first, when it is cleared
	timers map[*byte]func() // how to stop them
	over   bool
}

// book is what a simulation knows of its faults.
type book struct {
	clock   Clock
	mu      sync.Mutex // guards what follows
	last    int        // number of the last fault
	active  []*injected
	streams map[*faultyStream]bool
	wires   map[*Device]*wire
	sets    map[string]int // how many Sets each device has answered
	changed chan struct{}  // closed when any of these changes
	ended   bool
	address string         // where they are controlled; "" while they are not
	stop    func()         // ends that
	work    sync.WaitGroup // goroutines of faults and scenarios
	journal journal
}

func newBook(c Clock) *book {
	return &book{clock: c, streams: map[*faultyStream]bool{}, wires: map[*Device]*wire{}, sets: map[string]int{}, changed: make(chan struct{}), stop: func() {}}
}

// Inject makes something go wrong, from now on, and returns the id by which it is cleared. A fault that
// does its work at once is over when Inject returns. The id comes with an error too, where the fault has
// begun and cannot do its work: the journal has it.
func (s *Sim) Inject(fault Fault) (string, error) {
	kind, err := s.judge(&fault)
	if err != nil {
		return "", err
	}
	b := s.faults
	f := &injected{
		Fault: fault, kind: kind, sim: s, device: s.byName[deviceOf(fault.Target)], since: b.clock.Now(),
		done: make(chan struct{}), timers: map[*byte]func(){}, random: rand.New(rand.NewPCG(fault.Seed, 0)),
	}
	if err := b.add(f); err != nil {
		return "", err
	}
	b.journal.note("inject", f)
	if err := f.begin(); err != nil {
		f.end()
		return f.id, fmt.Errorf("%s %s: %w", fault.Kind, fault.Target, err)
	}
	return f.id, nil
}

// begin lets a fault do what it does at once.
func (f *injected) begin() error {
	if f.kind.start != nil {
		if err := f.kind.start(f); err != nil {
			return err
		}
	}
	if f.For > 0 {
		f.later(f.For, f.end)
	}
	if f.kind.pump != nil {
		for _, s := range f.sim.faults.streamsOf(f.device) {
			f.pump(s)
		}
	}
	return nil
}

// Clear ends a fault, and mends what it broke; what it has changed in a configuration stays. An id that is
// not active is an error.
func (s *Sim) Clear(id string) error {
	for _, f := range s.faults.all() {
		if f.id == id {
			f.end()
			return nil
		}
	}
	return fmt.Errorf("fault %q is not active; list them to see which are", id)
}

// Faults returns the active faults in the order in which they were injected.
func (s *Sim) Faults() []Injected {
	var out []Injected
	for _, f := range s.faults.all() {
		f.mu.Lock()
		out = append(out, Injected{f.id, f.Fault, f.since, f.struck})
		f.mu.Unlock()
	}
	return out
}

// endFaults clears everything and waits until nothing of it runs any more.
func (s *Sim) endFaults() {
	b := s.faults
	b.mu.Lock()
	b.ended = true
	stop := b.stop
	b.mu.Unlock()
	stop()
	for _, f := range b.all() {
		f.end()
	}
	b.work.Wait()
}

// add takes a fault in.
func (b *book) add(f *injected) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return errors.New("the simulation has ended")
	}
	b.last++
	f.id = "f" + strconv.Itoa(b.last)
	b.active = append(slices.Clone(b.active), f) // others read it without the lock
	b.stir()
	return nil
}

// all returns the active faults. The slice is not changed any more.
func (b *book) all() []*injected {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.active
}

// of returns the active faults of a device that do something of a kind.
func (b *book) of(d *Device, does func(*Kind) bool) []*injected {
	var out []*injected
	for _, f := range b.all() {
		if f.device == d && does(f.kind) {
			out = append(out, f)
		}
	}
	return out
}

// stir wakes those who wait for something to happen. The caller holds mu.
func (b *book) stir() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// run does something in a goroutine that the end of the simulation waits for. After the end it does nothing.
func (b *book) run(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.work.Go(do)
	}
}

// during does something that the end of the simulation waits for. After the end it does nothing.
func (b *book) during(do func()) {
	b.mu.Lock()
	ended := b.ended
	if !ended {
		b.work.Add(1)
		defer b.work.Done()
	}
	b.mu.Unlock()
	if !ended {
		do()
	}
}

// end clears a fault, once.
func (f *injected) end() {
	f.mu.Lock()
	if f.over {
		f.mu.Unlock()
		return
	}
	f.over = true
	undo, timers := f.undo, f.timers
	f.timers = nil
	f.mu.Unlock()
	for _, stop := range timers {
		stop()
	}
	close(f.done)
	b := f.sim.faults
	b.mu.Lock()
	b.active = slices.DeleteFunc(slices.Clone(b.active), func(g *injected) bool { return g == f })
	b.stir()
	b.mu.Unlock()
	for _, u := range slices.Backward(undo) {
		u()
	}
	b.journal.note("clear", f)
}

// mend keeps what is to be done when the fault is cleared. Of a fault that is over it does it at once.
func (f *injected) mend(undo func()) {
	f.mu.Lock()
	over := f.over
	f.undo = append(f.undo, undo)
	f.mu.Unlock()
	if over {
		undo()
	}
}

// strike counts the fault in, and tells whether it is still to happen. Where it is, the caller has to release it
// when it has happened.
func (f *injected) strike() bool {
	f.mu.Lock()
	if f.over || f.Times > 0 && f.struck == f.Times {
		f.mu.Unlock()
		return false
	}
	f.struck++
	f.busy++
	f.mu.Unlock()
	if f.kind.aboutSets() { // others strike too often to tell
		f.sim.faults.journal.note("strike", f)
	}
	return true
}

// keep lets a fault that has struck for the last time live until one more release.
func (f *injected) keep() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy++
}

// release tells that a strike has happened, and clears the fault if it was the last.
func (f *injected) release() {
	f.mu.Lock()
	f.busy--
	spent := f.busy == 0 && f.Times > 0 && f.struck == f.Times
	f.mu.Unlock()
	if spent {
		f.end()
	}
}

// pick returns a random number below n.
func (f *injected) pick(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.IntN(n)
}

// later does something after a while, unless the fault is cleared before.
func (f *injected) later(after time.Duration, do func()) {
	b, timer := f.sim.faults, new(byte)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return
	}
	f.timers[timer] = b.clock.AfterFunc(after, func() {
		f.mu.Lock()
		_, due := f.timers[timer]
		delete(f.timers, timer)
		f.mu.Unlock()
		if due {
			b.during(do)
		}
	})
}

// wait waits for a while, and tells whether it was the time that ended it: not ctx, and not Clear.
func (f *injected) wait(ctx context.Context, long time.Duration) bool {
	up := make(chan struct{})
	defer f.sim.config.Clock.AfterFunc(long, func() { close(up) })()
	select {
	case <-up:
		return true
	case <-f.done:
	case <-ctx.Done():
	}
	return false
}
