package transaction

import (
	"slices"
	"time"
)

// Spec is what a transaction promises. It is the first record of its journal: nothing is done to any
// device before it is durable.
type Spec struct {
	ID       string    `json:"id"`
	Topology string    `json:"topology"`
	Plan     string    `json:"plan,omitempty"` // hash of the plan that was approved
	By       string    `json:"by,omitempty"`   // who: user@host
	Began    time.Time `json:"began"`
	Limits   Limits    `json:"limits"`
	Jobs     []Job     `json:"jobs"`     // what is done to each device, by name
	Segments []Segment `json:"segments"` // in order; each is decided on its own
	Saves    []string  `json:"saves,omitempty"`
	Revision int64     `json:"revision,omitempty"` // of the intent that devices are brought to, where a controller keeps it
	Undoes   string    `json:"undoes,omitempty"`   // the transaction that this one takes back
}

// Segment is a run of waves with one decision at its end, a checkpoint. What an earlier segment has
// confirmed is undone by the inverse, should a later one fail.
type Segment struct {
	Waves [][]string `json:"waves"`
	Why   string     `json:"why,omitempty"` // why the transaction is cut here
}

// Job is the way of one device, a step at a time, through places: place 0 is as it was, place i what
// step i-1 leads to.
type Job struct {
	Device string `json:"device"`
	Timed  bool   `json:"timed"` // it takes back by itself what is not confirmed (gNMI commit-confirmed)
	Steps  []Step `json:"steps"`
	// Hashes of the places, SHA-256 of the canonical JSON of what Loom owns: len(Steps)+1.
	Places []string `json:"places"`
}

// Step is one SetRequest to one device.
type Step string

// The steps of a device, in their order. Only the change waits, armed, for the decision.
const (
	Drain   Step = "drain"   // traffic is moved away; confirmed as soon as it is read back
	Change  Step = "change"  // the change itself; what stands before it and is no drain is a stage of it, confirmed as a drain is
	Undrain Step = "undrain" // traffic comes back, after the decision
)

// goal is the place that the change leads to; last the place after everything.
func (j *Job) goal() int { return slices.Index(j.Steps, Change) + 1 }
func (j *Job) last() int { return len(j.Steps) }

// Limits bound a transaction.
type Limits struct {
	Rollback   time.Duration `json:"rollback"`          // confirm timer of each device
	Unverified int           `json:"unverified"`        // devices at most that were Set and not read back; 0 means no limit
	Soak       time.Duration `json:"soak,omitempty"`    // wait between two waves, with the gate checked at its end
	Patience   time.Duration `json:"patience"`          // how long devices that do not answer are asked again once it is decided
	Settle     time.Duration `json:"settle"`            // how long a Set without an answer may still take effect
	Retries    int           `json:"retries,omitempty"` // attempts more at what a device was too busy for, before the decision
	Moving     time.Duration `json:"moving,omitempty"`  // wait between a drain and the change, in which traffic moves away
	Staging    time.Duration `json:"staging,omitempty"` // wait behind a stage: lasers tune, amplifiers settle
	Hold       time.Duration `json:"hold,omitempty"`    // wait this long for somebody to say that all is well; 0 decides at once
}

// Kind says what a record of the journal holds.
type Kind string

// The records, in the order in which they come.
const (
	Planned Kind = "planned" // the Spec; before anything else
	Sending Kind = "sending" // the devices of a wave may be Set from now on
	Noted   Kind = "noted"   // devices reached a status; nothing waits for it
	Decided Kind = "decided" // commit or abort; nothing is confirmed or taken back before
	Ended   Kind = "ended"   // how it ended, and which devices are not as they should be
)

// Decision is what became of a segment.
type Decision string

// The decisions.
const (
	Commit Decision = "commit"
	Abort  Decision = "abort"
)

// Record is one fact of a transaction's journal. Folding the records in their order gives where the
// transaction stands.
type Record struct {
	Kind     Kind              `json:"kind"`
	At       time.Time         `json:"at"`
	Spec     *Spec             `json:"spec,omitempty"`
	Wave     int               `json:"wave,omitempty"`    // from 0, counted through all segments
	Segment  int               `json:"segment,omitempty"` // from 0
	Decision Decision          `json:"decision,omitempty"`
	Why      string            `json:"why,omitempty"`
	Moments  []Moment          `json:"moments,omitempty"` // of Noted
	Devices  map[string]Status `json:"devices,omitempty"` // of Ended
	Errors   map[string]string `json:"errors,omitempty"`
	Outcome  Outcome           `json:"outcome,omitempty"`
}

// Moment is when a device came to stand where it stands.
type Moment struct {
	At     time.Time `json:"at"`
	Device string    `json:"device"`
	Status Status    `json:"status"`
}

// Status is where one device stands.
type Status string

// The statuses of a device, in the order in which a good change passes through them, and then the
// ends that need somebody to look.
const (
	Waiting   Status = "waiting"   // not touched
	Drained   Status = "drained"   // its traffic is moved away
	Staged    Status = "staged"    // at a stage on the way to the change: dark, or with a part of its light
	Armed     Status = "armed"     // may have the change, and takes it back by itself unless confirmed
	Set       Status = "set"       // may have the change, without a timer
	Verified  Status = "verified"  // read back equal to the target; armed, where it has a timer
	Confirmed Status = "confirmed" // keeps the change
	Saved     Status = "saved"     // startup equals running
	Restored  Status = "restored"  // read back equal to the base

	Unsaved     Status = "unsaved"     // keeps the change, but startup does not have it
	Foreign     Status = "foreign"     // has something that is neither: somebody else wrote
	Refused     Status = "refused"     // refuses to be brought to where it should be
	Unreachable Status = "unreachable" // could not be read again
)

// Outcome is how a transaction ended.
type Outcome string

// The outcomes.
const (
	Done        Outcome = "done"        // every device saved
	Unchanged   Outcome = "unchanged"   // stopped before any device was touched
	RolledBack  Outcome = "rolled back" // every touched device restored
	Mixed       Outcome = "mixed"       // some device is neither; Result.Devices says which
	Interrupted Outcome = "interrupted" // the journal cannot be written; the next run goes on from it
)
