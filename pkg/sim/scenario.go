package sim

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/config"
)

// Scenario is a sequence of faults. The same scenario does the same to the same clients: time is the
// simulation's clock's, and chance the seed's.
type Scenario struct {
	Name string
	Seed uint64 // what faults without a seed of their own draw theirs from
	// Within is how long conditions are waited for that have no time of their own; 0: Patience.
	Within time.Duration
	Steps  []Step
}

// Patience is how long a scenario waits for a condition unless it says otherwise, by the simulation's clock.
const Patience = 10 * time.Minute

// Step is one thing that a scenario does. It waits for the step before it, then for At and When, and then for After.
type Step struct {
	At   time.Duration // since the scenario began
	When Condition
	// Within is how long When is waited for; the scenario fails when it is over. 0: as the scenario says.
	Within time.Duration
	After  time.Duration

	Inject *Fault
	As     string   // name of the injected fault, for Clear
	Clear  []string // names; "all" are all that the scenario has injected
	Save   string   // a device: its running configuration becomes what it boots
	Accept string   // a device: its open commit is confirmed at the box
	Note   string   // said when the step is reached

	Marks map[string]Mark // where its members stand in the file, for messages
}

// Mark is a place in a file. Both numbers count from 1.
type Mark struct{ Line, Column int }

// Condition is what a step waits for. The zero value is always so.
type Condition struct {
	Device  string
	Pending *bool       // it has an open commit, or has none
	Sets    int         // it has answered so many Sets since the scenario began
	Path    config.Path // a leaf of its configuration or state
	Value   string      // that the leaf has; "" means that it is absent
}

// Happened is something that happened in a scenario.
type Happened struct {
	At   time.Duration // since it began
	Step int           // from 1
	Text string
}

// run is a scenario under way.
type run struct {
	*Sim
	Scenario
	began time.Time
	sets  map[string]int    // when it began
	names map[string]string // ids of what it has injected
	order []string          // names, in that order
	tell  func(Happened) error
}

// Run runs a scenario to its end, and tells what happens. Faults that it has not cleared are still active then;
// when ctx, tell or a condition that does not come about end it before, it clears what it has injected. A scenario that
// Check refuses does nothing.
func (s *Sim) Run(ctx context.Context, sc Scenario, tell func(Happened) error) error {
	if err := s.Check(sc); err != nil {
		return err
	}
	b := s.faults
	r := &run{Sim: s, Scenario: sc, began: b.clock.Now(), sets: b.answers(), names: map[string]string{}, tell: tell}
	for i := range sc.Steps {
		err := r.await(ctx, &sc.Steps[i])
		if err == nil {
			err = r.do(i)
		}
		if err != nil {
			r.clear(r.order...)
			return fmt.Errorf("%s: step %d: %w", sc.Name, i+1, err)
		}
	}
	return nil
}

// await waits until it is time for a step.
func (r *run) await(ctx context.Context, s *Step) error {
	if err := r.sleep(ctx, s.At-r.elapsed()); err != nil {
		return err
	}
	if err := r.until(ctx, s.When, cmp.Or(s.Within, r.Within, Patience)); err != nil {
		return err
	}
	return r.sleep(ctx, s.After)
}

func (r *run) elapsed() time.Duration { return r.config.Clock.Now().Sub(r.began) }

// sleep waits for a while.
func (r *run) sleep(ctx context.Context, long time.Duration) error {
	if long <= 0 {
		return ctx.Err()
	}
	up := make(chan struct{})
	defer r.config.Clock.AfterFunc(long, func() { close(up) })()
	select {
	case <-up:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// until waits until a condition holds.
func (r *run) until(ctx context.Context, c Condition, within time.Duration) error {
	if c.Device == "" {
		return nil
	}
	d := r.byName[c.Device]
	value, err := d.canonical(c)
	if err != nil {
		return err
	}
	c.Value = value
	up := make(chan struct{})
	defer r.config.Clock.AfterFunc(within, func() { close(up) })()
	for {
		answered := r.faults.watch() // before looking, so that nothing is missed
		view, changed := d.look(d.wantsLarge([]config.Path{c.Path}), false)
		if r.holds(c, d, view) {
			return nil
		}
		select {
		case <-changed:
		case <-answered:
		case <-up:
			return fmt.Errorf("%s: was not so within %s; give it more time with within, or look why it never comes", c, within)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// holds tells whether a condition is so.
func (r *run) holds(c Condition, d *Device, view *config.Tree) bool {
	switch {
	case c.Pending != nil:
		return (d.Pending() != "") == *c.Pending
	case c.Sets > 0:
		return r.faults.answers()[c.Device]-r.sets[c.Device] >= c.Sets
	}
	leaf := view.Find(c.Path)
	return leaf.Valid() == (c.Value != "") && leaf.Value() == c.Value
}

// do does what a step is there for.
func (r *run) do(i int) error {
	s := r.Steps[i]
	if s.Note != "" {
		if err := r.say(i, s.Note); err != nil {
			return err
		}
	}
	if s.Inject != nil {
		if err := r.inject(i, s); err != nil {
			return err
		}
	}
	if err := r.clearAll(i, s.Clear); err != nil {
		return err
	}
	return r.atTheBox(i, s)
}

// clearAll clears the faults of some names, or all.
func (r *run) clearAll(i int, names []string) error {
	if len(names) == 1 && names[0] == "all" {
		names = r.order
	}
	for _, name := range names {
		r.clear(name)
		if err := r.say(i, "clear "+name); err != nil {
			return err
		}
	}
	return nil
}

// atTheBox does what an operator at a device does in a step.
func (r *run) atTheBox(i int, s Step) error {
	if s.Save != "" {
		if err := r.Save(s.Save); err != nil {
			return err
		}
		if err := r.say(i, "save "+s.Save); err != nil {
			return err
		}
	}
	if s.Accept == "" {
		return nil
	}
	id, err := r.Accept(s.Accept)
	if err != nil {
		return err
	}
	return r.say(i, "accept "+s.Accept+": commit "+id)
}

// inject injects the fault of a step.
func (r *run) inject(i int, s Step) error {
	f := *s.Inject
	if k := kindOf(f.Kind); f.Seed == 0 && k != nil && slices.Contains(k.Parameters(), "seed") {
		f.Seed = r.Seed + uint64(i)
	}
	id, err := r.Inject(f)
	if err != nil {
		return err
	}
	name := s.As
	if name == "" {
		name = id
	}
	r.names[name], r.order = id, append(r.order, name)
	return r.say(i, "inject "+s.Inject.String())
}

// clear clears faults, if they are still there: one that has done its work is not.
func (r *run) clear(names ...string) {
	for _, name := range names {
		_ = r.Clear(r.names[name])
	}
}

func (r *run) say(i int, text string) error { return r.tell(Happened{r.elapsed(), i + 1, text}) }

// watch returns a channel that is closed with the next answer, injection or clearing.
func (b *book) watch() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}
