package transaction

import (
	"errors"
	"fmt"
	"time"
)

// Op is something to be done.
type Op string

// What Next asks for. Everything but Write and Check concerns one device.
const (
	Write   Op = "write"   // Records, durable before the answer
	Check   Op = "check"   // the gate behind Wave: contracts hold, nothing new is wrong
	Read    Op = "read"    // at which place of its job the device is
	Send    Op = "send"    // step Place-1, from place Place-1 to Place; armed where the device has timers
	Extend  Op = "extend"  // start the timer of the pending commit again
	Confirm Op = "confirm" // make the pending commit permanent
	Cancel  Op = "cancel"  // take the pending commit back
	Mend    Op = "mend"    // bring the device, as it was last read, to Place
	Save    Op = "save"    // startup equals running equals the place that was last read
)

// Action is one thing to do, at the rim. Actions of one Next may be done in any order and at once; a
// device has at most one under way.
type Action struct {
	Op      Op
	Device  string
	Place   int
	Wave    int
	Again   bool // a Check after the soak: what the devices have is read once more
	Back    bool // a Check behind the undrain of a segment
	Records []Record
}

// Class is what an answer says about what happened.
type Class string

// The classes of answers.
const (
	OK         Class = ""
	Retry      Class = "retry"       // nothing happened; a later attempt may succeed
	Refuse     Class = "refused"     // nothing happened, and it would be refused again
	Unknown    Class = "unknown"     // it may have taken effect, or take effect yet
	NotPending Class = "not pending" // confirm, cancel or extend of a commit that is not pending
	Fenced     Class = "fenced"      // a newer owner has the device: nothing more is ours to do
)

// Answer is what came of an action.
type Answer struct {
	Op     Op
	Device string
	Class  Class
	Place  int   // of a Read, and of a Save that found the device elsewhere: where it is
	Err    error // what to tell about Class, or about a place that is Between or Other
}

// agenda collects what one Next asks for.
type agenda struct {
	now        time.Time
	out        []Action
	wake       time.Time
	unverified int // devices of the wave that were Set and are not read back
}

// later tells that a time has not come yet, and has Next called again when it has.
func (a *agenda) later(t time.Time) bool {
	if !t.After(a.now) {
		return false
	}
	if a.wake.IsZero() || t.Before(a.wake) {
		a.wake = t
	}
	return true
}

// Next says what to do now, and when to ask again if no answer comes before. It never asks for the
// same thing twice.
func (s *State) Next(now time.Time) ([]Action, time.Time) {
	s.now = now
	a := &agenda{now: now}
	switch s.Phase {
	case Forward:
		s.forward(a)
	case Rolling:
		s.each(a, s.keep)
	case Undoing:
		s.each(a, s.undo)
	}
	if s.Phase != Suspended && s.Phase != Over {
		s.write(a)
	}
	return a.out, a.wake
}

// write asks for the records that wait, all in one. One write is under way at a time, so that they
// are durable in their order.
func (s *State) write(a *agenda) {
	if len(s.writing) > 0 {
		return
	}
	s.flush(a.now)
	if len(s.queue) == 0 {
		return
	}
	s.writing, s.queue = s.queue, nil
	a.out = append(a.out, Action{Op: Write, Records: s.writing})
}

// do asks for something of a device.
func (s *State) do(a *agenda, m *member, op Op, place int) {
	m.busy, m.since = op, a.now
	a.out = append(a.out, Action{Op: op, Device: m.name, Place: place})
}

// forward brings the devices of the wave to their goal, and passes the gate behind it.
func (s *State) forward(a *agenda) {
	if s.deciding {
		return
	}
	s.timers(a)
	switch {
	case s.failing != nil:
		s.decide(a, Abort)
		return
	case len(s.waves) == 0:
		s.decide(a, Commit)
		return
	case s.returning:
		s.comeBack(a)
		return
	case !s.announced():
		s.announce(a)
		s.lookAhead(a)
		return
	case s.sent <= s.wave:
		s.lookAhead(a)
		return // the announcement is being written
	}
	a.unverified = 0
	for _, m := range s.waves[s.wave] {
		if m.unverified() {
			a.unverified++
		}
	}
	all := true
	for _, m := range s.waves[s.wave] {
		all = s.advance(a, m) && all
	}
	switch {
	case s.failing != nil:
		s.decide(a, Abort)
	case all:
		s.pass(a)
	}
}

// comeBack passes the gate behind an undrain: the devices of the segment before carry traffic again before any
// of the next is touched. Where they do not, everything is taken back.
func (s *State) comeBack(a *agenda) {
	switch g := &s.gate; {
	case !g.asked:
		g.asked = true
		a.out = append(a.out, Action{Op: Check, Wave: s.wave - 1, Back: true})
	case g.passed:
		s.returning, s.gate = false, gate{}
		s.forward(a)
	}
}

// lookAhead has the devices of the wave read while the journal is told of it: reading changes nothing.
func (s *State) lookAhead(a *agenda) {
	for _, m := range s.waves[s.wave] {
		if m.busy == "" && m.place == unread && !a.later(m.after) {
			s.do(a, m, Read, m.sent)
		}
	}
}

// announced tells whether the journal has been, or is being, told that the wave is sent.
func (s *State) announced() bool {
	for _, r := range append(s.writing[:len(s.writing):len(s.writing)], s.queue...) {
		if r.Kind == Sending && r.Wave == s.wave {
			return true
		}
	}
	return s.sent > s.wave
}

func (s *State) announce(a *agenda) {
	s.flush(a.now)
	s.queue = append(s.queue, Record{Kind: Sending, At: a.now, Wave: s.wave, Segment: s.segment})
}

// advance takes a device one step on. It tells whether the device is verified.
func (s *State) advance(a *agenda, m *member) bool {
	if m.busy != "" || a.later(m.after) {
		return false
	}
	switch {
	case m.place == unread:
		s.do(a, m, Read, m.sent)
	case m.place != m.sent:
		s.fail(m.name, m.astray())
	case m.place == m.job.goal():
		if m.unverified() {
			a.unverified--
		}
		s.note(m, Verified)
		return true
	case m.armed: // a preparatory step, read back: it need not wait for the decision
		s.do(a, m, Confirm, 0)
	case s.preparing(a, m):
	case s.room(a, m):
		s.send(a, m)
	}
	return false
}

// preparing tells whether a preparatory step still takes effect: traffic moves away, light settles.
func (s *State) preparing(a *agenda, m *member) bool {
	if m.sent == 0 || m.status == Drained || m.status == Staged {
		return false
	}
	if m.job.Steps[m.sent-1] == Drain {
		s.note(m, Drained)
		m.after = a.now.Add(s.Spec.Limits.Moving)
	} else {
		s.note(m, Staged)
		m.after = a.now.Add(s.Spec.Limits.Staging)
	}
	return a.later(m.after)
}

// astray says why a device that was read is not where it was brought to.
func (m *member) astray() error {
	switch {
	case m.sent == 0:
		return ErrStale
	case m.err != nil:
		return m.err
	case m.place < m.sent:
		return errNothing
	}
	return errMore
}

var (
	errNothing = errors.New("the device said that it took the change, and has not")
	errMore    = errors.New("the device has more than it was given")
)

// unverified tells whether a device was Set and is not read back.
func (m *member) unverified() bool { return m.sent > 0 && m.status != Verified }

// room tells whether a device may be Set before the others are read back.
func (s *State) room(a *agenda, m *member) bool {
	others := a.unverified
	if m.unverified() {
		others--
	}
	return s.Spec.Limits.Unverified <= 0 || others < s.Spec.Limits.Unverified
}

// send asks for the next step. The device may have it from now on, whatever comes back.
func (s *State) send(a *agenda, m *member) {
	if !m.unverified() {
		a.unverified++
	}
	m.sent++
	m.err, m.dirty = nil, !m.job.Timed
	status := Set
	if m.job.Timed {
		m.armed, m.until, status = true, a.now.Add(s.Spec.Limits.Rollback), Armed
	}
	s.note(m, status)
	s.do(a, m, Send, m.sent)
}

// timers holds what is armed: a timer is started again once half of it is gone. One that may have
// run out before the decision takes everything back.
func (s *State) timers(a *agenda) {
	whole := s.Spec.Limits.Rollback
	for _, m := range s.members {
		if !m.armed {
			continue
		}
		half, late := m.until.Add(-whole/2), m.until.Add(-whole/10)
		switch {
		case !a.later(late):
			s.fail(m.name, ErrLate)
		case m.busy == "" && m.place == m.sent && !a.later(m.after) && !a.later(half):
			s.do(a, m, Extend, 0)
		}
	}
}

// pass goes through the gate behind a wave: asked once when the wave is verified, and again after
// the soak. Behind the last wave of a segment is the decision.
func (s *State) pass(a *agenda) {
	g, last := &s.gate, s.wave == s.lasts[s.segment]
	switch {
	case !g.asked:
		g.asked = true
		a.out = append(a.out, Action{Op: Check, Wave: s.wave, Again: g.soaked})
	case !g.passed:
	case last:
		s.conclude(a)
	case s.Spec.Limits.Soak > 0 && !g.soaked:
		if g.until.IsZero() {
			g.until = a.now.Add(s.Spec.Limits.Soak)
		}
		if !a.later(g.until) {
			g.soaked, g.asked, g.passed = true, false, false
			s.pass(a)
		}
	default:
		s.wave++
		s.gate = gate{}
		s.forward(a)
	}
}

// conclude decides, once somebody has said that all is well if somebody has to.
func (s *State) conclude(a *agenda) {
	if hold := s.Spec.Limits.Hold; hold > 0 && !s.freed {
		if s.held.IsZero() {
			s.held = a.now.Add(hold)
		}
		if a.later(s.held) {
			return
		}
		s.fail("", fmt.Errorf("nobody confirmed it within %s", hold))
		s.decide(a, Abort)
		return
	}
	s.decide(a, Commit)
}

// decide puts the decision into the journal. Nothing is confirmed or taken back before it is durable.
func (s *State) decide(a *agenda, d Decision) {
	s.deciding = true
	s.flush(a.now)
	s.queue = append(s.queue, Record{Kind: Decided, At: a.now, Segment: s.segment, Decision: d, Why: s.why()})
}

// why is what the journal says of what went wrong.
func (s *State) why() string {
	if s.failing == nil {
		return ""
	}
	return s.failing.Error()
}

// each takes every device that the decision concerns one step on, and ends the phase when all are
// through or patience is.
func (s *State) each(a *agenda, step func(*agenda, *member)) {
	if s.deciding {
		return
	}
	patient, open := a.later(s.since.Add(s.Spec.Limits.Patience)), 0
	for _, m := range s.members {
		if m.final || !s.concerned(m) {
			continue
		}
		switch {
		case m.busy != "":
		case !patient:
			s.giveUp(m)
		case !a.later(m.after):
			step(a, m)
		}
		if !m.final {
			open++
		}
	}
	if open == 0 {
		s.end(a)
	}
}

// concerned tells whether a device has to do something about the decision.
func (s *State) concerned(m *member) bool {
	if m.job == nil {
		return s.Phase == Rolling && s.segment >= len(s.lasts)-1
	}
	return s.touched(m)
}

// keep is a device's way after the decision to commit. One that took the change back in between gets
// it again.
func (s *State) keep(a *agenda, m *member) {
	switch {
	case m.job == nil:
		s.do(a, m, Save, 0)
	case m.job.Timed && !m.settled:
		s.do(a, m, Confirm, 0)
	case m.place == unread:
		s.do(a, m, Read, m.job.last())
	case m.place == Other:
		s.finish(m, Foreign)
	case m.place == Between:
		s.do(a, m, Mend, m.job.goal())
	case m.place < m.job.last():
		s.do(a, m, Mend, m.place+1)
	case a.later(m.doubt):
		s.lookAgain(a, m)
	default:
		s.note(m, Confirmed)
		s.do(a, m, Save, m.place)
	}
}

// undo is a device's way after the decision to abort. A device where somebody else wrote is left as
// it is: what would be undone there is not ours.
func (s *State) undo(a *agenda, m *member) {
	switch {
	case m.sent == 0:
		s.finish(m, Waiting)
	case m.job.Timed && !m.settled:
		s.do(a, m, Cancel, 0)
	case m.place == unread:
		s.do(a, m, Read, 0)
	case m.place == Between:
		s.do(a, m, Mend, 0)
	case m.place > 0:
		s.do(a, m, Mend, m.place-1)
	case a.later(m.doubt):
		m.settled = false
		s.lookAgain(a, m)
	case m.place == Other:
		s.finish(m, Foreign)
	case m.dirty:
		s.do(a, m, Save, 0)
	default:
		s.finish(m, Restored)
	}
}

// lookAgain has a device read once more, a few times before the doubt is over: a Set that nobody answered
// may take effect yet.
func (s *State) lookAgain(a *agenda, m *member) {
	m.place, m.after = unread, a.now.Add(max(m.doubt.Sub(a.now)/4, firstWait))
}

// giveUp ends a device with the name of what is known of it.
func (s *State) giveUp(m *member) {
	last := 0
	if s.Phase == Rolling && m.job != nil {
		last = m.job.last()
	}
	switch {
	case m.noes == 0 && (m.place == unread || m.job != nil && m.job.Timed && !m.settled):
		s.finish(m, Unreachable)
	case m.place == unread:
		s.finish(m, Refused)
	case s.Phase == Rolling && (m.job == nil || m.place == last):
		s.finish(m, Unsaved)
	case m.place == last:
		s.finish(m, Restored)
	case m.place == Other:
		s.finish(m, Foreign)
	default:
		s.finish(m, Refused)
	}
}

// end goes on to the next segment, or ends the transaction.
func (s *State) end(a *agenda) {
	outcome := Done
	if s.Phase == Undoing {
		outcome = RolledBack
	}
	touched, undrained := false, false
	for _, m := range s.members {
		if !s.concerned(m) {
			continue
		}
		undrained = undrained || m.job != nil && m.seg == s.segment && m.job.goal() < m.job.last()
		touched = touched || m.status != Waiting
		if m.status != Saved && m.status != Restored && m.status != Waiting {
			outcome = Mixed
		}
	}
	switch {
	case s.Phase == Undoing && !touched:
		outcome = Unchanged
	case outcome == Done && s.segment < len(s.lasts)-1:
		s.Phase, s.gate, s.freed, s.held = Forward, gate{}, false, time.Time{}
		s.returning = undrained
		s.segment++
		s.wave++
		if s.resumed {
			s.fail("", errEnded)
		}
		s.forward(a)
		return
	}
	s.deciding = true
	r := s.ending(outcome)
	end := Record{Kind: Ended, At: a.now, Outcome: outcome, Devices: r.Devices, Errors: r.Errors, Why: s.why()}
	s.flush(a.now)
	s.queue = append(s.queue, end)
}
