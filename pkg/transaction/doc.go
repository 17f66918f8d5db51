// Package transaction carries out a plan over many devices so that all end as planned or all as
// before, whatever happens to a device or to the program in between.
//
// The rule that matters most: nothing is confirmed or taken back before the decision is in the
// journal, and nothing is sent before the journal says that it may be. State is a fold over the
// journal and the answers of the devices, Next says what to do, and a Runner does it. docs/transaction.md
// specifies states, transitions, and what each crash means.
package transaction

import (
	"errors"
	"time"
)

// ErrStale means that a device is not as it was when the plan was made; plan again.
var ErrStale = errors.New("configuration changed since the plan was made; plan again")

// ErrLate means that confirm timers ran out, or are about to, before the decision.
var ErrLate = errors.New("the confirm timers ran out before every device had the change; use a longer --rollback")

// Result is how a transaction ended, device by device.
type Result struct {
	ID       string            `json:"id"`
	Outcome  Outcome           `json:"outcome"`
	Devices  map[string]Status `json:"devices"`
	Errors   map[string]string `json:"errors,omitempty"`
	Weaker   []string          `json:"weaker,omitempty"`  // in which ways it was less than all or nothing; set by who began it
	Deadline time.Time         `json:"deadline,omitzero"` // when the last device that is armed takes its change back
	Err      error             `json:"-"`                 // what went wrong first
}
