package transaction

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// The explorer runs the state machine in a small world: boxes with running and startup configuration
// and confirm timers, a journal that keeps what was durable, and an adversary that loses answers,
// applies halves, reboots boxes, writes to them, and kills the controller at any moment. What must hold whatever it does
// is checked after every step, and at the end.

var (
	seeds = flag.Int("seeds", 0, "runs of the explorer; 0 takes what CI takes")
	from  = flag.Uint64("from", 1, "first seed of the explorer")
)

func exploreRuns() int {
	switch {
	case *seeds > 0:
		return *seeds
	case os.Getenv("LOOM_SOAK") != "":
		return 1_000_000
	case raced:
		return 1_500
	}
	return 8_000
}

func TestWhateverHappensEveryDeviceEndsAsPlannedAsBeforeOrByName(t *testing.T) {
	t.Parallel()
	count := map[Outcome]int{}
	crashes := 0
	for i := range uint64(exploreRuns()) {
		w := newWorld(*from + i)
		if err := w.explore(); err != nil {
			w = newWorld(*from + i)
			w.loud = true
			err = w.explore()
			t.Fatalf("seed %d: %v\n%s", *from+i, err, strings.Join(w.story, "\n"))
		}
		count[w.s.Result().Outcome]++
		crashes += w.crashes
	}
	t.Logf("%d runs, %d crashes: %v", exploreRuns(), crashes, count)
	for _, o := range []Outcome{Done, RolledBack, Unchanged, Mixed} {
		if count[o] == 0 {
			t.Errorf("no run ended %q: the explorer explores less than it says", o)
		}
	}
}

// box is a device: places as in Job, Between and Other.
type box struct {
	timed        bool
	last, goal   int
	run, startup int
	pending      bool
	back         int // what the timer goes back to
	until        time.Time
	read         int  // what it had when it was last read
	wrote        bool // somebody else wrote since it was last read
	down         bool
	late         []func() // what unanswered requests do yet
	lateUntil    time.Time
	sent         bool // unverified
}

type world struct {
	rng     *rand.Rand
	now     time.Time
	boxes   map[string]*box
	names   []string
	journal []Record
	s       *State
	flying  []Action
	story   []string
	crashes int
	loud    bool // the story is told: of a run that is known to fail
	calm    bool // the adversary has gone
	spec    Spec
	hurt    float64 // how mean the adversary is
	race    func()  // what happens beside that between two steps; may be nil
}

var epoch0 = time.Unix(1_800_000_000, 0)

func newWorld(seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 7))
	w := &world{rng: rng, now: epoch0, boxes: map[string]*box{}, hurt: []float64{0, 0.02, 0.1, 0.3}[rng.IntN(4)]}
	spec := Spec{ID: "t", Began: w.now, Limits: Limits{
		Rollback: 60 * time.Second, Patience: 200 * time.Second, Settle: 10 * time.Second, Retries: 3,
		Unverified: rng.IntN(3), Soak: time.Duration(rng.IntN(2)) * 5 * time.Second,
	}}
	if rng.IntN(2) == 0 {
		spec.Limits.Moving = 5 * time.Second
	}
	if rng.IntN(8) == 0 {
		spec.Limits.Hold = 100 * time.Second
	}
	segments := 1 + rng.IntN(2)
	for seg := range segments {
		var segment Segment
		for wave := range 1 + rng.IntN(2) {
			var names []string
			for i := range 1 + rng.IntN(2) {
				name := fmt.Sprintf("s%dw%dd%d", seg, wave, i)
				job := w.job(name)
				spec.Jobs = append(spec.Jobs, job)
				names = append(names, name)
				w.boxes[name] = &box{timed: job.Timed, last: job.last(), goal: job.goal(), read: unread}
				w.names = append(w.names, name)
			}
			segment.Waves = append(segment.Waves, names)
		}
		spec.Segments = append(spec.Segments, segment)
	}
	w.spec = spec
	w.s = New(spec, w.now)
	return w
}

func (w *world) job(name string) Job {
	j := Job{Device: name, Timed: w.rng.IntN(4) > 0, Steps: []Step{Change}}
	if w.rng.IntN(4) == 0 {
		j.Steps = []Step{Drain, Change, Undrain}
	}
	return j
}

func (w *world) tell(format string, args ...any) {
	if !w.loud {
		return
	}
	w.story = append(w.story, fmt.Sprintf("%6.1fs  ", w.now.Sub(epoch0).Seconds())+fmt.Sprintf(format, args...))
}

func (w *world) mean() bool { return !w.calm && w.rng.Float64() < w.hurt }

func (w *world) explore() error {
	for step := 0; w.s.Phase != Over; step++ {
		if step == 400 {
			w.calm = true
		}
		if step > 5000 {
			return errors.New("does not end")
		}
		if w.s.Phase == Suspended {
			w.crash("suspended")
		}
		w.meddle()
		if w.race != nil && !w.calm {
			w.race()
		}
		actions, wake := w.s.Next(w.now)
		for _, a := range actions {
			if err := w.allowed(a); err != nil {
				return fmt.Errorf("%v: %w", a, err)
			}
		}
		w.flying = append(w.flying, actions...)
		if err := w.step(wake); err != nil {
			return err
		}
		if err := w.always(); err != nil {
			return err
		}
	}
	return w.atTheEnd()
}

// step delivers something that is under way, or lets time pass.
func (w *world) step(wake time.Time) error {
	if len(w.flying) == 0 || w.rng.IntN(12) == 0 {
		if len(w.flying) == 0 && wake.IsZero() && w.s.Phase != Over {
			if actions, _ := w.s.Next(w.now); len(actions) == 0 {
				return errors.New("nothing to do, and nothing to wait for")
			} else {
				w.flying = append(w.flying, actions...)
				return nil
			}
		}
		d := time.Duration(1+w.rng.IntN(3000)) * time.Millisecond
		if len(w.flying) == 0 && wake.After(w.now) {
			d = wake.Sub(w.now)
		}
		w.pass(d)
		return nil
	}
	i := w.rng.IntN(len(w.flying))
	a := w.flying[i]
	w.flying = append(w.flying[:i], w.flying[i+1:]...)
	if w.mean() && w.rng.IntN(3) == 0 {
		w.crash("before " + string(a.Op))
		return nil
	}
	ans := w.serve(a)
	if w.mean() && w.rng.IntN(3) == 0 {
		w.crash("after " + string(a.Op))
		return nil
	}
	w.tell("%s %s %d %v: %q place %d", a.Op, a.Device, a.Place, kinds(a.Records), ans.Class, ans.Place)
	w.s.Done(ans, w.now)
	return nil
}

func kinds(records []Record) (out []string) {
	for _, r := range records {
		out = append(out, string(r.Kind)+string(r.Decision))
	}
	return out
}

// pass lets time pass: timers fire, and what was late takes effect.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	for _, name := range w.names {
		b := w.boxes[name]
		if len(b.late) > 0 && (!w.now.Before(b.lateUntil) || w.rng.IntN(3) == 0) {
			for _, do := range b.late {
				do()
				w.tell("late: %s is at %d", name, b.run)
			}
			b.late = nil
		}
		if b.pending && !w.now.Before(b.until) {
			b.run, b.pending = b.back, false
			w.tell("timer: %s is at %d", name, b.run)
		}
	}
}

// crash kills the controller. What is under way may arrive or not; nobody hears the answer.
func (w *world) crash(why string) {
	w.crashes++
	for _, a := range w.flying {
		if w.rng.IntN(2) == 0 {
			w.serve(a)
		}
	}
	w.flying = nil
	if w.rng.IntN(3) == 0 {
		w.pass(time.Duration(w.rng.IntN(100)) * time.Second)
	}
	w.tell("crash %s, %d records", why, len(w.journal))
	if len(w.journal) == 0 {
		w.s = New(w.spec, w.now)
		return
	}
	s, err := Resume(w.journal, w.now)
	if err != nil {
		panic(err)
	}
	w.s = s
}

// meddle is what happens to boxes by themselves.
func (w *world) meddle() {
	if !w.mean() {
		return
	}
	name := w.names[w.rng.IntN(len(w.names))]
	b := w.boxes[name]
	switch w.rng.IntN(10) {
	case 0, 1, 2:
		b.run, b.pending, b.late = b.startup, false, nil
		w.tell("reboot: %s is at %d", name, b.run)
	case 3:
		if !b.pending {
			b.run, b.wrote = Other, true
			w.tell("somebody writes to %s", name)
		}
	case 4, 5:
		b.down = true
		w.tell("%s is down", name)
	case 6, 7, 8:
		b.down = false
	case 9:
		w.s.Interrupt(errors.New("interrupted"))
	}
}

// serve does an action to the world and answers.
func (w *world) serve(a Action) Answer {
	ans := Answer{Op: a.Op, Device: a.Device}
	switch a.Op {
	case Write:
		if w.mean() && w.rng.IntN(4) == 0 {
			n := w.rng.IntN(len(a.Records) + 1) // some of it may be durable all the same
			w.journal = append(w.journal, a.Records[:n]...)
			ans.Class, ans.Err = Refuse, errors.New("fsync failed")
			return ans
		}
		w.journal = append(w.journal, a.Records...)
		return ans
	case Check:
		if w.mean() {
			ans.Class, ans.Err = Refuse, errors.New("a session is down")
		}
		if w.s.Spec.Limits.Hold > 0 && w.rng.IntN(2) == 0 {
			w.s.Release()
		}
		return ans
	}
	b := w.boxes[a.Device]
	if (b.down && !w.calm) || w.mean() && w.rng.IntN(2) == 0 {
		ans.Class, ans.Err = Retry, errors.New("no answer")
		return ans
	}
	ans.Err = nil
	lost := w.mean()
	do := func() { ans.Class, ans.Place = w.act(b, a) }
	if lost && a.Op != Read && w.rng.IntN(3) == 0 {
		if w.rng.IntN(2) == 0 { // late
			b.late = append(b.late, func() { w.act(b, a) })
			b.lateUntil = w.now.Add(w.s.Spec.Limits.Settle - time.Second)
		}
	} else {
		do()
	}
	if lost {
		ans.Class = Unknown
		if a.Op == Read {
			ans.Class = Retry
		}
	}
	if ans.Class != OK {
		ans.Err = errors.New(string(ans.Class))
	}
	return ans
}

// act is what a device does.
func (w *world) act(b *box, a Action) (Class, int) {
	switch a.Op {
	case Read:
		b.read, b.wrote = b.run, false
		if b.run == w.s.byName[a.Device].sent {
			b.sent = false
		}
		return OK, b.run
	case Send, Mend:
		return w.set(b, a)
	case Extend:
		if !b.pending {
			return NotPending, 0
		}
		b.until = w.now.Add(w.s.Spec.Limits.Rollback)
	case Confirm:
		if !b.pending {
			return NotPending, 0
		}
		b.pending = false
	case Cancel:
		if !b.pending {
			return NotPending, 0
		}
		b.run, b.pending = b.back, false
	case Save:
		if b.pending {
			return Refuse, 0
		}
		if b.run != a.Place {
			return OK, b.run
		}
		b.startup, b.wrote = b.run, false
		return OK, b.run
	}
	return OK, 0
}

func (w *world) set(b *box, a Action) (Class, int) {
	if b.pending {
		return Refuse, 0
	}
	if w.mean() && w.rng.IntN(3) == 0 {
		return Refuse, 0
	}
	arm := a.Op == Send && b.timed
	if arm {
		b.pending, b.back, b.until = true, b.run, w.now.Add(w.s.Spec.Limits.Rollback)
	}
	b.sent = a.Op == Send
	switch {
	case w.mean() && w.rng.IntN(3) == 0: // half of it, and an error or not
		b.run = Between
		if w.rng.IntN(2) == 0 {
			b.pending = false
			return Refuse, 0
		}
	case w.mean() && w.rng.IntN(3) == 0: // OK, and nothing of it
	default:
		b.run = a.Place
	}
	return OK, 0
}

func (w *world) durable(k Kind, fits func(Record) bool) bool {
	for _, r := range w.journal {
		if r.Kind == k && fits(r) {
			return true
		}
	}
	return false
}

// allowed checks an action when it is asked for.
func (w *world) allowed(a Action) error {
	if a.Op == Write || a.Op == Check {
		return nil
	}
	b, m := w.boxes[a.Device], w.s.byName[a.Device]
	committed := w.durable(Decided, func(r Record) bool { return r.Decision == Commit && r.Segment >= m.seg })
	aborted := w.durable(Decided, func(r Record) bool { return r.Decision == Abort })
	switch a.Op {
	case Send:
		if !w.durable(Sending, func(r Record) bool { return r.Wave == m.wave }) {
			return errors.New("sent before the journal says that it may be")
		}
		if committed || aborted {
			return errors.New("sent after the decision")
		}
		if !b.wrote && b.read != a.Place-1 {
			return fmt.Errorf("sent blindly: was read at %d", b.read)
		}
	case Confirm:
		if !committed && m.place >= b.goal {
			return errors.New("confirmed before the decision is durable")
		}
		if aborted {
			return errors.New("confirmed after the abort")
		}
	case Cancel:
		if !aborted {
			return errors.New("taken back before the abort is durable")
		}
	case Mend:
		if !committed && !aborted {
			return errors.New("mended before the decision")
		}
		if !b.wrote && b.read == Other {
			return errors.New("what somebody else wrote is overwritten")
		}
	case Save:
		if !committed && !aborted {
			return errors.New("saved before the decision")
		}
	}
	return nil
}

// always holds at every moment.
func (w *world) always() error {
	unverified := 0
	for _, name := range w.names {
		b, m := w.boxes[name], w.s.byName[name]
		if b.startup == b.goal && !w.durable(Decided, func(r Record) bool { return r.Decision == Commit && r.Segment >= m.seg }) {
			return fmt.Errorf("%s: startup has a change that is not decided", name)
		}
		if b.sent && w.s.Phase == Forward && m.wave == w.s.wave && m.sent > 0 && m.status != Verified {
			unverified++
		}
	}
	if limit := w.s.Spec.Limits.Unverified; limit > 0 && unverified > limit {
		return fmt.Errorf("%d devices are Set and not read back; the limit is %d", unverified, limit)
	}
	return nil
}

// atTheEnd compares what the result says with the boxes, once all timers have run out.
func (w *world) atTheEnd() error {
	w.calm = true
	w.pass(w.s.Spec.Limits.Settle)
	w.pass(2 * w.s.Spec.Limits.Rollback)
	res := w.s.Result()
	w.tell("ended %s: %v", res.Outcome, res.Devices)
	exceptions := 0
	for _, name := range w.names {
		b, status := w.boxes[name], res.Devices[name]
		if b.wrote { // after the last look at it
			exceptions++
			continue
		}
		var ok bool
		switch status {
		case Saved:
			ok = b.run == b.last && b.startup == b.last
		case Restored:
			ok = b.run == 0 && b.startup == 0
		case Waiting:
			ok = b.run == 0 || b.run == Other
		default:
			exceptions++
			continue
		}
		if !ok {
			return fmt.Errorf("%s is called %s, and is at %d, startup %d", name, status, b.run, b.startup)
		}
		if res.Outcome == Done && status != Saved || res.Outcome == RolledBack && status == Saved {
			return fmt.Errorf("%s is %s in a transaction that is %s", name, status, res.Outcome)
		}
	}
	if res.Outcome == Mixed && exceptions == 0 {
		return errors.New("mixed, and nobody is named")
	}
	if exceptions > 0 && res.Outcome != Mixed && !w.anyWrote() {
		return fmt.Errorf("%s with %d exceptions", res.Outcome, exceptions)
	}
	return nil
}

func (w *world) anyWrote() bool {
	for _, b := range w.boxes {
		if b.wrote { // after the last look at it
			return true
		}
	}
	return false
}
