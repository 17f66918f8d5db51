package transaction

import "time"

// View is where a transaction stands at one moment, in counts and times, for people to look at. Of one that another
// process carries out, made of its journal alone, the timers are not known.
type View struct {
	ID       string     `json:"id"`
	Began    time.Time  `json:"began"`
	At       time.Time  `json:"at"`
	Phase    Phase      `json:"phase"`
	Deciding bool       `json:"deciding,omitempty"` // forward: the decision is being made durable
	Why      string     `json:"why,omitempty"`      // it is taken back
	Waves    []WaveView `json:"waves"`              // in order
	Saves    WaveView   `json:"saves,omitzero"`     // devices that do not change and only have to be saved
	Wave     int        `json:"wave"`               // that is worked on, from 1
	Part     int        `json:"part"`               // that is worked on, from 1
	Parts    int        `json:"parts"`              // each is decided on its own
	Waits    Wait       `json:"waits,omitempty"`    // for what, before the decision
	Until    time.Time  `json:"until,omitzero"`     // of a soak, of a hold; after the decision: of patience

	Timers int       `json:"timers"`         // devices that are armed: each takes the change back by itself unless confirmed
	First  time.Time `json:"first,omitzero"` // when the first of these timers has run out
	FirstD string    `json:"first_device,omitempty"`

	Interrupted string `json:"interrupted,omitempty"` // why somebody has asked for the end; "" where nobody has
}

// WaveView counts the devices of a wave.
type WaveView struct {
	Devices int            `json:"devices"`
	In      map[Status]int `json:"in"` // how many are in each status
}

// Wait is what a transaction waits for.
type Wait string

// What a transaction waits for before the decision.
const (
	ForJournal Wait = "journal" // a record has to be durable first
	ForDevices Wait = "devices" // they get their change, and are read back
	ForGate    Wait = "gate"    // the network has to come to rest
	ForReturn  Wait = "return"  // as the gate, of devices that carry traffic again
	ForSoak    Wait = "soak"    // until a time
	ForWord    Wait = "word"    // of somebody who says that all is well
)

// View is where the transaction stands now.
func (s *State) View(now time.Time) View {
	v := View{
		ID: s.Spec.ID, Began: s.Spec.Began, At: now, Phase: s.Phase, Deciding: s.deciding && s.Phase == Forward, Why: s.why(),
		Wave: min(s.wave, len(s.waves)-1) + 1, Part: s.segment + 1, Parts: max(len(s.Spec.Segments), 1),
		Interrupted: s.interrupted,
	}
	for _, wave := range s.waves {
		v.Waves = append(v.Waves, viewOf(wave))
	}
	var saves []*member
	for _, m := range s.members {
		if m.job == nil {
			saves = append(saves, m)
		}
		if m.armed && !m.settled {
			v.Timers++
			if v.First.IsZero() || m.until.Before(v.First) {
				v.First, v.FirstD = m.until, m.name
			}
		}
	}
	v.Saves = viewOf(saves)
	v.Waits, v.Until = s.waits()
	return v
}

func viewOf(members []*member) WaveView {
	v := WaveView{Devices: len(members), In: map[Status]int{}}
	for _, m := range members {
		v.In[m.status]++
	}
	return v
}

// waits is what the transaction waits for, and until when at most.
func (s *State) waits() (Wait, time.Time) {
	switch g := &s.gate; {
	case s.Phase == Rolling || s.Phase == Undoing:
		return ForDevices, s.since.Add(s.Spec.Limits.Patience)
	case s.Phase != Forward:
		return "", time.Time{}
	case s.deciding || s.sent <= s.wave && !s.returning:
		return ForJournal, time.Time{}
	case s.returning:
		return ForReturn, time.Time{}
	case !g.asked:
		return ForDevices, time.Time{}
	case !g.passed:
		return ForGate, time.Time{}
	case !s.Held().IsZero():
		return ForWord, s.held
	case !g.until.IsZero():
		return ForSoak, g.until
	}
	return ForJournal, time.Time{}
}
