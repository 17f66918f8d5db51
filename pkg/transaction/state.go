package transaction

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Phase is what a transaction is about to do.
type Phase string

// The phases.
const (
	Forward   Phase = "forward"    // devices get the change, wave by wave
	Rolling   Phase = "committing" // decided: every device of the segment keeps the change
	Undoing   Phase = "aborting"   // decided: every touched device goes back
	Over      Phase = "ended"
	Suspended Phase = "suspended" // the journal failed: nothing more is done by this process
)

// State is where a transaction stands: what its journal says, and what the devices answered since.
// It holds no socket, clock or lock; Next says what to do and Done takes what came of it.
type State struct {
	Spec  Spec
	Phase Phase

	segment int // that is worked on, from 0
	wave    int // that is worked on, from 0, counted through all segments
	sent    int // waves whose devices may have been Set: durable
	members []*member
	byName  map[string]*member
	waves   [][]*member
	lasts   []int // last wave of each segment

	resumed bool      // by another process than the one that has the gates, and whoever it holds for
	failing error     // why it has to be taken back; decides the abort
	since   time.Time // when the phase began
	gate    gate
	held    time.Time // until when somebody may say that all is well
	freed   bool      // somebody said so

	interrupted string // why somebody asked for the end; "" where nobody did

	returning bool // devices of the segment before were undrained, and nobody has looked yet whether they are back

	queue    []Record  // to be written next
	writing  []Record  // being written
	deciding bool      // a decision is queued or being written
	now      time.Time // of the call that is under way
	notes    []Moment  // not in the journal yet
	told     []*member // not told yet
	result   Result
	halted   error
}

// gate is how far the check between two waves is.
type gate struct {
	asked, passed, soaked bool
	until                 time.Time // end of the soak
}

// Places of a device that are none of its job's.
const (
	unread  = -3
	Other   = -2 // neither base nor target, and not in between
	Between = -1 // every difference from the base is one that the change makes
)

// member is one device of the transaction.
type member struct {
	job       *Job // nil for a device that only has to be saved
	name      string
	wave, seg int
	status    Status

	place   int       // as last read
	sent    int       // steps that may have been sent
	armed   bool      // a commit of ours may be pending
	until   time.Time // when its timer has run out, at the latest
	doubt   time.Time // until then an unanswered Set may still take effect
	settled bool      // after the decision: no commit of ours is pending
	dirty   bool      // startup has to be written even if the device goes back to its base
	final   bool

	busy  Op
	since time.Time // of the action that is under way
	tries int
	noes  int       // refusals to be mended or saved since the decision
	mends int       // requests since the decision that it said it has done
	after time.Time // not asked again before
	err   error
	news  bool // err has not been told yet
}

// New begins a transaction. The first action that Next gives is to make the Spec durable.
func New(spec Spec, now time.Time) *State {
	s := fresh(spec)
	s.since = now
	s.queue = []Record{{Kind: Planned, At: now, Spec: &s.Spec}}
	return s
}

func fresh(spec Spec) *State {
	s := &State{Spec: spec, Phase: Forward, byName: map[string]*member{}}
	jobs := map[string]*Job{}
	for i := range s.Spec.Jobs {
		jobs[s.Spec.Jobs[i].Device] = &s.Spec.Jobs[i]
	}
	for seg, segment := range s.Spec.Segments {
		for _, names := range segment.Waves {
			var wave []*member
			for _, name := range names {
				wave = append(wave, s.join(name, jobs[name], len(s.waves), seg))
			}
			s.waves = append(s.waves, wave)
		}
		s.lasts = append(s.lasts, len(s.waves)-1)
	}
	for _, name := range s.Spec.Saves {
		s.join(name, nil, len(s.waves), len(s.Spec.Segments)-1)
	}
	return s
}

func (s *State) join(name string, job *Job, wave, seg int) *member {
	m := &member{name: name, job: job, wave: wave, seg: max(seg, 0), status: Waiting, place: unread}
	s.members = append(s.members, m)
	s.byName[name] = m
	return m
}

// Resume is where a transaction stands after the process that ran it has ended, from its journal
// alone. A segment without a decision is aborted: its devices take the change back by themselves. One that is
// decided is carried to its end, but none is begun after it: the gates and whoever the change holds for are those of
// the process that has ended. What was decided before is then undone, as when a later segment fails.
func Resume(records []Record, now time.Time) (*State, error) {
	s, err := Replay(records)
	if err != nil {
		return nil, err
	}
	s.since, s.resumed = now, true
	s.recall(now)
	if s.Phase == Forward {
		s.fail("", errEnded)
	}
	return s, nil
}

// Replay is where a transaction stands as far as its journal says, for people to look at.
func Replay(records []Record) (*State, error) {
	if len(records) == 0 || records[0].Kind != Planned || records[0].Spec == nil {
		return nil, errors.New("the journal does not begin with the plan of the transaction; restore the store from a backup")
	}
	s := fresh(*records[0].Spec)
	for _, r := range records[1:] {
		s.fold(r)
	}
	return s, nil
}

var errEnded = errors.New("the program that ran the transaction ended before the decision")

// recall makes of every touched device one of which nothing is known but what the journal says.
func (s *State) recall(now time.Time) {
	for _, m := range s.members {
		if !s.touched(m) {
			continue
		}
		m.place, m.sent = unread, m.job.goal()
		m.settled = m.seg < s.segment || m.final
		m.armed = m.job.Timed && !m.settled
		m.until, m.doubt = now.Add(s.Spec.Limits.Rollback), now.Add(s.Spec.Limits.Settle)
		m.dirty = true // what the last process did to its startup is not known
	}
}

// touched tells whether a device may have been Set.
func (s *State) touched(m *member) bool { return m.job != nil && m.wave < s.sent }

// fold takes one durable record.
func (s *State) fold(r Record) {
	switch r.Kind {
	case Sending:
		s.sent = max(s.sent, r.Wave+1)
		s.wave, s.segment = r.Wave, s.segmentOf(r.Wave)
		s.Phase = Forward // a segment after one that was committed
	case Noted:
		s.recollect(r.Moments)
	case Decided:
		s.deciding = false
		s.since = r.At
		if r.Decision == Commit {
			s.Phase, s.segment = Rolling, r.Segment
			return
		}
		s.abort(r.Why)
	case Ended:
		s.Phase = Over
		s.result = Result{ID: s.Spec.ID, Outcome: r.Outcome, Devices: r.Devices, Errors: r.Errors}
		if r.Why != "" {
			s.result.Err = errors.New(r.Why)
		}
	}
}

// recollect takes statuses that were noted before the process ended: only what is final counts.
func (s *State) recollect(moments []Moment) {
	for _, at := range moments {
		m := s.byName[at.Device]
		if m == nil {
			continue
		}
		m.status = at.Status
		if m.status == Saved || m.status == Restored {
			m.final = true
		}
	}
}

// abort turns round: what was final on the way forward is not on the way back.
func (s *State) abort(why string) {
	s.Phase = Undoing
	if s.failing == nil || s.failing.Error() != why { // from a journal: of the error only the text is left
		s.failing = errors.New(why)
	}
	for _, m := range s.members {
		if m.status == Saved || m.status == Confirmed {
			m.final, m.settled, m.place, m.dirty = false, true, unread, true
		}
	}
}

func (s *State) segmentOf(wave int) int {
	return slices.IndexFunc(s.lasts, func(last int) bool { return wave <= last })
}

// fail notes the first thing that went wrong; it decides the abort.
func (s *State) fail(device string, why error) {
	if device != "" {
		why = named(device, why)
	}
	if s.failing == nil {
		s.failing = why
	}
}

// named puts the device first, unless the error does so already.
func named(name string, err error) error {
	if own := (interface{ About() string })(nil); errors.As(err, &own) && own.About() == name {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// note gives a device a status.
func (s *State) note(m *member, status Status) {
	if m.status != status {
		m.status = status
		s.notes = append(s.notes, Moment{s.now, m.name, status})
		s.told = append(s.told, m)
	}
}

// tell gives the devices that have something new to tell.
func (s *State) tell() []*member {
	told := s.told
	s.told = nil
	return told
}

// names are the devices of a wave.
func (s *State) names(wave int) []string {
	if wave >= len(s.waves) {
		return nil
	}
	var out []string
	for _, m := range s.waves[wave] {
		out = append(out, m.name)
	}
	return out
}

// finish gives a device its last status.
func (s *State) finish(m *member, status Status) {
	s.note(m, status)
	m.final = true
}

// Interrupt asks for the end: before the decision the change is taken back, after it nothing stops it.
func (s *State) Interrupt(why error) {
	s.interrupted = why.Error()
	if s.Phase == Forward && !s.deciding {
		s.fail("", why)
	}
}

// Release says that all is well, where the transaction holds for somebody to say so.
func (s *State) Release() { s.freed = true }

// Held tells until when the transaction waits for Release; zero where it does not wait.
func (s *State) Held() time.Time {
	if s.freed || s.Phase != Forward {
		return time.Time{}
	}
	return s.held
}

// Result is how the transaction ended; of one that is not over, how it stands.
func (s *State) Result() Result {
	if s.Phase == Over {
		return s.result
	}
	r := s.ending(Interrupted)
	r.Err = s.halted
	if r.Err == nil {
		r.Err = fmt.Errorf("not over: %s", s.Phase)
	}
	return r
}

func (s *State) ending(o Outcome) Result {
	r := Result{ID: s.Spec.ID, Outcome: o, Devices: map[string]Status{}}
	for _, m := range s.members {
		r.Devices[m.name] = m.status
		if m.err != nil && m.status != Saved && m.status != Restored {
			if r.Errors == nil {
				r.Errors = map[string]string{}
			}
			r.Errors[m.name] = m.err.Error()
		}
		if m.armed && !m.settled && m.until.After(r.Deadline) {
			r.Deadline = m.until
		}
	}
	r.Err = s.failing
	if o == Mixed {
		r.Err = errors.Join(r.Err, exceptions(s.members))
	}
	return r
}

// exceptions are the errors of the devices that are not as they should be.
func exceptions(members []*member) error {
	var errs []error
	for _, m := range members {
		if m.err != nil && m.status != Saved && m.status != Restored && m.status != Waiting {
			errs = append(errs, named(m.name, m.err))
		}
	}
	return errors.Join(errs...)
}

// Status is where a device stands.
func (s *State) Status(device string) Status {
	if m := s.byName[device]; m != nil {
		return m.status
	}
	return ""
}

// Armed are the devices whose timers may run, with the time at which each has run out.
func (s *State) Armed() map[string]time.Time {
	out := map[string]time.Time{}
	for _, m := range s.members {
		if m.armed && !m.settled {
			out[m.name] = m.until
		}
	}
	return out
}

// flush makes a record of the statuses that are not in the journal yet.
func (s *State) flush(now time.Time) {
	if len(s.notes) > 0 {
		s.queue = append(s.queue, Record{Kind: Noted, At: now, Moments: s.notes})
		s.notes = nil
	}
}
