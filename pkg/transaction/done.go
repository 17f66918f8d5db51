package transaction

import "time"

// Done takes what came of an action.
func (s *State) Done(ans Answer, now time.Time) {
	s.now = now
	switch {
	case ans.Class == Fenced:
		s.suspend(ans.Err)
	case ans.Op == Write:
		s.written(ans)
	case ans.Op == Check:
		s.checked(ans)
	default:
		s.answered(s.byName[ans.Device], ans, now)
	}
}

// suspend ends what this process may do. Nothing is confirmed or taken back by a process that cannot
// write down that it is: what is armed takes itself back, and the next process goes on from the journal.
func (s *State) suspend(err error) {
	s.Phase, s.halted = Suspended, err
}

// written folds what is durable now. A journal that failed once is never trusted again: whether its
// last record is there is not known.
func (s *State) written(ans Answer) {
	if ans.Class != OK {
		s.suspend(ans.Err)
		return
	}
	records := s.writing
	s.writing = nil
	for _, r := range records {
		switch {
		case r.Kind == Noted:
			// Statuses are of this process already.
		case r.Kind == Ended:
			res := s.ending(r.Outcome)
			s.Phase, s.result = Over, res
		default:
			s.fold(r)
			s.turn(r)
		}
	}
}

// turn prepares the devices for what the decision asks of them.
func (s *State) turn(r Record) {
	if r.Kind != Decided {
		return
	}
	for _, m := range s.members {
		m.tries, m.noes, m.mends, m.after = 0, 0, 0, time.Time{}
		if r.Decision == Abort && !m.final && m.busy == "" {
			m.place = unread
		}
	}
}

func (s *State) checked(ans Answer) {
	if ans.Class != OK {
		s.fail("", ans.Err)
		return
	}
	s.gate.passed = true
}

// answered takes the answer of a device.
func (s *State) answered(m *member, ans Answer, now time.Time) {
	m.busy = ""
	if ans.Err != nil {
		m.err = ans.Err
		if ans.Class != NotPending {
			s.told, m.news = append(s.told, m), true
		}
	}
	switch ans.Op {
	case Read:
		s.read(m, ans, now)
	case Send:
		s.sentStep(m, ans, now)
	case Extend:
		s.extended(m, ans, now)
	case Confirm, Cancel:
		s.closed(m, ans, now)
	case Mend:
		s.mended(m, ans, now)
	case Save:
		s.savedStartup(m, ans, now)
	}
}

// again has an action repeated after a while, longer each time. Before the decision there is an end
// to that: a device that cannot be reached takes everything back.
func (s *State) again(m *member, now time.Time) {
	m.tries++
	m.after = now.Add(min(firstWait<<min(m.tries, 10), longestWait))
	if s.Phase == Forward && m.tries > s.Spec.Limits.Retries {
		s.fail(m.name, m.err)
	}
}

const (
	firstWait   = 50 * time.Millisecond
	longestWait = 5 * time.Second
)

func (s *State) read(m *member, ans Answer, now time.Time) {
	if ans.Class != OK {
		s.again(m, now)
		return
	}
	m.place, m.tries = ans.Place, 0
	if s.Phase == Forward && m.place == m.sent { // it took effect, and cannot again
		m.doubt = time.Time{}
	}
}

func (s *State) sentStep(m *member, ans Answer, now time.Time) {
	m.place = unread
	switch ans.Class {
	case OK:
		m.tries = 0
	case Unknown: // a third outcome: what the device has is read, never sent again
		m.doubt = now.Add(s.Spec.Limits.Settle)
	case Retry:
		m.sent--
		m.armed, m.place = false, m.sent
		s.again(m, now)
	default:
		s.fail(m.name, m.err)
	}
}

func (s *State) extended(m *member, ans Answer, now time.Time) {
	switch ans.Class {
	case OK:
		m.until, m.tries = m.since.Add(s.Spec.Limits.Rollback), 0
	case Retry, Unknown:
		m.tries++
		m.after = now.Add(firstWait << min(m.tries, 5)) // the timer itself is what ends this
	default:
		s.fail(m.name, m.err)
	}
}

// closed takes the answer to a confirm or cancel. A commit that is not pending is one that was
// confirmed, or that took itself back: reading tells which.
func (s *State) closed(m *member, ans Answer, now time.Time) {
	if s.Phase == Forward {
		s.prepared(m, ans, now)
		return
	}
	switch ans.Class {
	case Retry, Unknown:
		s.again(m, now)
		return
	case OK:
		if ans.Op == Confirm && s.Phase == Rolling {
			s.note(m, Confirmed)
		}
	}
	if ans.Class != OK || ans.Op == Cancel || s.Phase != Rolling {
		m.place = unread
	}
	m.settled, m.armed, m.tries = ans.Op == Cancel || s.Phase == Rolling, false, 0
}

// prepared takes the answer to the confirm of a preparatory step.
func (s *State) prepared(m *member, ans Answer, now time.Time) {
	switch ans.Class {
	case OK:
		m.armed, m.tries = false, 0
	case NotPending:
		m.armed, m.place = false, unread
	case Retry, Unknown:
		s.again(m, now)
	default:
		s.fail(m.name, m.err)
	}
}

// stubborn is how often a device may refuse to be mended or saved before it is left alone, by name.
const stubborn = 3

// refused tells whether a device has refused often enough. Until then its commit is decided once more: while one is open a
// device refuses all else (gNMI commit-confirmed extension §3.2.1), whatever it has said about it.
func (s *State) refused(m *member) bool {
	m.noes++
	m.settled = false
	return m.noes > stubborn
}

func (s *State) mended(m *member, ans Answer, now time.Time) {
	m.place, m.dirty = unread, true
	switch ans.Class {
	case OK:
		if m.mends++; m.mends > m.job.last() { // it says so each time, and does not get there
			s.again(m, now)
		}
		return
	case Unknown:
		m.doubt = now.Add(s.Spec.Limits.Settle)
	case Refuse, NotPending:
		if s.refused(m) {
			s.finish(m, Refused)
			return
		}
	}
	s.again(m, now)
}

func (s *State) savedStartup(m *member, ans Answer, now time.Time) {
	good, bad := Saved, Unsaved
	if s.Phase == Undoing {
		good, bad = Restored, Restored // startup has never had the change
	}
	switch {
	case ans.Class == OK && ans.Place == m.place || ans.Class == OK && m.job == nil:
		m.err = nil
		s.finish(m, good)
		return
	case ans.Class == OK: // it moved under our hands, as one does that has rebooted
		m.place = ans.Place
	case ans.Class == Refuse && s.refused(m):
		s.finish(m, bad)
		return
	default:
		m.place = unread
	}
	if m.job == nil && m.place == unread {
		m.place = 0
	}
	s.again(m, now)
}
