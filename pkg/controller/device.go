package controller

import (
	"cmp"
	"fmt"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Status is where a device stands.
type Status string

// Where a device stands. The first that holds is told.
const (
	Refused     Status = "refused"     // it is not the device that is meant, or somebody else's: nothing is changed on it
	Unreachable Status = "unreachable" // it does not answer
	Applying    Status = "applying"    // a transaction changes it
	Failed      Status = "failed"      // a transaction left it neither as before nor as planned
	Syncing     Status = "syncing"     // it was not read since it was connected, or since a transaction
	Drifted     Status = "drifted"     // it has what nobody intended
	Pending     Status = "pending"     // it has what an older revision intends
	InSync      Status = "in sync"     // it has what is intended, as a read after the last write has shown
)

// Target is what a revision intends of a device.
type Target struct {
	Revision int64        // 0: none
	Tree     *config.Tree // the part that Loom owns; nil with no revision
}

// Device is what the controller knows of a device: a fold over what it is told. It holds no connection, clock or lock, and decides
// nothing by the order in which it is told things, as long as it is told in the end.
//
// What somebody says of a configuration is true as of when it was asked for. So a whole reading counts only if nothing that could
// have changed it was told since: see Ask.
type Device struct {
	Name   string
	Schema *config.Schema
	// Owned is the part of a configuration that Loom owns, judged by what is intended.
	Owned func(has, intended *config.Tree) *config.Tree

	desired, applied Target
	connected        bool
	refusal, silence string // why it is refused, why it is unreachable
	busy, failure    string // transaction that changes it, and what the last one left
	has              *config.Tree
	trimmed          bool   // has is what is intended, one tree for both: what the device has beside it, none of it Loom's, is left out
	whole            bool   // what it has beside is wanted: it tells of it
	doubts           uint64 // rises with all that may have changed the configuration
	renewed          uint64 // doubts when last nothing was known for sure: answers to older questions are of another time
	stale            bool   // it has to be read as a whole
	unread           bool   // and until then it is not known what it has
	awaiting         int64  // leaves that were heard and that the reading to come has
	compared         time.Time
	heard            inbox
	drifts           []Drift
	since            time.Time
	status           Status
	reason           string
	was              *Told // where it stood before the controller began anew, until it is known where it stands; nil: that is known

	// Leaves of configuration that the device has told of; those of them that a later value or a whole reading took the place of, or
	// that changed nothing; and drifts that came or went. Unheard are those of the latter that a reading has found and that the
	// device has not told of, or not yet. At rest Received + Unheard = Coalesced + Reported.
	Received, Coalesced, Reported, Unheard int64
}

// NotConnected is why a device does not answer that nobody has tried to reach since the controller began.
const NotConnected = "not connected yet"

// Standing is what is told of a device.
type Standing struct {
	Status           Status
	Reason           string
	Since            time.Time
	Desired, Applied int64
	Compared         time.Time // of the last whole reading; zero: never
	Drifts           []Drift   // by path; not to be changed
}

// Told is what was told of a device to those who watch.
type Told struct {
	Status Status    `json:"status"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
	Drifts []Drift   `json:"drifts,omitempty"`
}

// Told is what of a standing is told to those who watch.
func (s Standing) Told() Told { return Told{s.Status, s.Reason, s.Since, s.Drifts} }

// News is what has changed for those who watch.
type News struct {
	Status     bool    // where it stands
	Known      bool    // it stands where it stood before the controller began anew: nothing to tell, but now it is known
	Arrived    *Target // it has what is intended, whoever brought it there: its applied revision is another one
	Came, Gone []Drift
}

// Empty tells whether nothing has changed.
func (n News) Empty() bool {
	return !n.Status && !n.Known && n.Arrived == nil && len(n.Came)+len(n.Gone) == 0
}

// Standing is where the device stands.
func (d *Device) Standing() Standing {
	return Standing{d.status, d.reason, d.since, d.desired.Revision, d.applied.Revision, d.compared, d.drifts}
}

// Recall tells where the device stood before the controller began anew: what is found to be so still is no news, and keeps its time. It is
// to be called before all else.
func (d *Device) Recall(was Told) { d.was = &was }

// Resume tells what a transaction had brought the device to before the controller began anew (the zero Target: that is not known), and how
// one has left it since, if neither as before nor as planned.
func (d *Device) Resume(applied Target, failure string, now time.Time) News {
	if applied.Revision != 0 && applied.Revision == d.desired.Revision && config.Equal(applied.Tree, d.desired.Tree) {
		applied = d.desired
	}
	d.applied, d.failure = applied, failure
	if d.was != nil && applied.Revision != 0 { // else nobody knows what is drift
		d.drifts = d.was.Drifts
	}
	d.anew()
	return d.judge(now)
}

// Want tells what is intended of the device now.
func (d *Device) Want(t Target, now time.Time) News {
	if t.Revision < d.desired.Revision {
		return News{} // of a time when less was known
	}
	if d.trimmed && !config.Equal(d.has, t.Tree) {
		d.doubt() // of what was left out some may be Loom's by now
	}
	d.desired = t
	if d.applied.Revision != 0 && config.Equal(d.applied.Tree, t.Tree) {
		d.applied = t // what changed is no concern of this device
	}
	return d.judge(now)
}

// Have tells to what a transaction has brought the device.
func (d *Device) Have(t Target, now time.Time) News {
	if t.Revision == d.desired.Revision && config.Equal(t.Tree, d.desired.Tree) {
		t = d.desired // one tree for both
	}
	d.applied, d.failure = t, ""
	d.anew()
	return d.judge(now)
}

// Leave tells that a transaction left the device neither as before nor as planned.
func (d *Device) Leave(why string, now time.Time) News {
	d.failure = why
	d.anew()
	return d.judge(now)
}

// Begin and End tell that a transaction changes the device.
func (d *Device) Begin(transaction string, now time.Time) News {
	d.busy = transaction
	return d.judge(now)
}

// End tells that it does so no more.
func (d *Device) End(now time.Time) News {
	d.busy = ""
	d.anew()
	return d.judge(now)
}

// Connect tells that the device is connected, and is who it should be.
func (d *Device) Connect(now time.Time) News {
	d.connected, d.refusal, d.silence, d.whole = true, "", "", false
	d.anew()
	return d.judge(now)
}

// Lose tells that it is not connected, and why.
func (d *Device) Lose(why string, now time.Time) News {
	d.connected, d.silence = false, why
	d.anew()
	return d.judge(now)
}

// Refuse tells that it is not who it should be.
func (d *Device) Refuse(why string, now time.Time) News {
	d.refusal = why
	d.anew()
	return d.judge(now)
}

// doubt tells that the configuration may be another one than is known.
func (d *Device) doubt() { d.doubts, d.stale = d.doubts+1, true }

// anew tells that nothing is known for sure: nobody listened, or a transaction was at work. What was known stays, and makes nothing new,
// until it was read.
func (d *Device) anew() {
	d.unread = true
	d.doubt()
	d.renewed = d.doubts
}

// Told tells that the device has told all that it has. What went while nobody listened it does not tell (gNMI specification
// §3.5.1.5.2: until then the absence of a leaf means nothing), and so it has to be read.
func (d *Device) Told() { d.doubt() }

// Stale tells whether the device has to be read as a whole.
func (d *Device) Stale() bool { return d.stale && d.connected && d.busy == "" }

// Ask is to be called before the device is read as a whole. What it returns goes with the answer.
func (d *Device) Ask() uint64 { return d.doubts }

// Meant is what the device should have, to be compared with what it answers when it is read: see ReadAs. nil: all that it has
// is wanted.
func (d *Device) Meant() *config.Tree {
	if d.whole {
		return nil
	}
	return d.desired.Tree
}

// ReadAs tells that the device has what Meant was when it was asked, and beside it nothing that would be Loom's.
func (d *Device) ReadAs(meant *config.Tree, asked uint64, now time.Time) News {
	if meant != d.desired.Tree {
		return News{} // of a time when something else was intended
	}
	return d.read(meant, true, asked, now)
}

// Read tells what the device has within what Loom reads of it. An answer to a question from before something it said may have changed
// does not make sure of anything, but is better than nothing. One from before a transaction, or of another connection, is nothing.
func (d *Device) Read(has *config.Tree, asked uint64, now time.Time) News {
	out := d.read(has, false, asked, now)
	if d.has == has && !d.whole && d.status == InSync {
		d.has, d.trimmed = d.desired.Tree, true // a fabric of copies would be large
	}
	return out
}

func (d *Device) read(has *config.Tree, trimmed bool, asked uint64, now time.Time) News {
	if asked < d.renewed {
		return News{}
	}
	d.has, d.trimmed, d.compared, d.unread = has, trimmed, now, false
	sure := asked == d.doubts
	if sure {
		d.stale = false
	}
	out := d.judge(now)
	if sure {
		d.settle(d.awaiting)
		d.awaiting = 0
	}
	return out
}

// settle tells that some leaves that were heard make no difference any more: they were reported before they were heard, or there is
// nothing to report.
func (d *Device) settle(leaves int64) {
	early := min(d.Unheard, leaves)
	d.Unheard -= early
	d.Coalesced += leaves - early
}

// report counts drifts that came or went.
func (d *Device) report(n int64) {
	heard := min(d.awaiting, n)
	d.awaiting -= heard
	d.Unheard += n - heard
	d.Reported += n
}

// mostHeard is how many things are kept until they are looked at: who has more to say is read as a whole.
const mostHeard = 256

// Hear takes a notification of the device's configuration. Look finds out whether it makes a difference. Memory is bounded by mostHeard, however
// much the device says.
func (d *Device) Hear(n *gnmi.Notification) {
	leaves, err := d.heard.take(d.Schema, n)
	d.Received += leaves
	if leaves == 0 && err == nil {
		return
	}
	if err != nil || d.has == nil || d.stale || len(d.heard.steps) > mostHeard {
		d.unheard() // the reading to come has it
	}
}

// unheard forgets what was heard, since the device is to be read as a whole.
func (d *Device) unheard() {
	d.awaiting += d.heard.empty()
	d.doubt()
}

// Look finds out whether what was heard so far makes a difference. If it does the device has to be read: what is told of it is what it
// has by its own account as a whole, as some systems tell of entries that are no configuration, such as link-local addresses, by
// the keys of configuration.
func (d *Device) Look(now time.Time) News {
	if len(d.heard.steps) == 0 {
		return News{}
	}
	if d.busy != "" || d.has == nil || d.stale {
		d.unheard()
		return News{}
	}
	idle, absent := d.heard.idle(d.has)
	switch {
	case idle:
		d.settle(d.heard.empty())
		return News{}
	case d.trimmed:
		d.whole = d.whole || absent
		d.unheard()
		return News{}
	}
	has, err := d.heard.onto(d.has)
	if err != nil || !config.Equal(d.owned(has), d.owned(d.has)) {
		d.unheard()
		return News{}
	}
	d.settle(d.heard.empty())
	return News{}
}

// owned is what Loom owns of a configuration, judged by what the device is meant to have.
func (d *Device) owned(has *config.Tree) *config.Tree {
	if d.applied.Revision != 0 {
		return d.Owned(has, d.applied.Tree)
	}
	return d.Owned(has, d.desired.Tree)
}

// OwnedNow is what Loom owns of what the device has. It was read: see Has.
func (d *Device) OwnedNow() *config.Tree { return d.owned(d.has) }

// judge finds out where the device stands.
func (d *Device) judge(now time.Time) News {
	var out News
	if d.has != nil && !d.stale && d.busy == "" && d.applied != d.desired && config.Equal(d.Owned(d.has, d.desired.Tree), d.desired.Tree) {
		d.applied, out.Arrived = d.desired, &d.desired
	}
	if d.has != nil && !d.unread && d.applied.Revision != 0 && d.busy == "" {
		found := drifts(d.Name, d.applied.Tree, d.owned(d.has), now)
		out.Came, out.Gone = news(d.drifts, found)
		d.drifts = found
		d.report(int64(len(out.Came) + len(out.Gone)))
	}
	status, reason := d.where()
	if status != d.status {
		d.since, out.Status = now, true
	}
	if reason != d.reason {
		out.Status = true
	}
	d.status, d.reason = status, reason
	if d.was != nil {
		out.Status, out.Known = d.recalled()
	}
	return out
}

// recalled tells whether a device that was known before stands elsewhere than it did, or is known to stand where it did. While it is not
// known where it stands it is neither.
func (d *Device) recalled() (elsewhere, known bool) {
	if d.status == Syncing || d.status == Unreachable && d.silence == "" {
		return false, false
	}
	was := *d.was
	d.was = nil
	if d.status != was.Status || d.reason != was.Reason {
		return true, false
	}
	d.since = was.Since
	return false, true
}

// where is where the device stands, and why.
func (d *Device) where() (Status, string) {
	switch {
	case d.refusal != "":
		return Refused, d.refusal
	case !d.connected:
		return Unreachable, cmp.Or(d.silence, NotConnected)
	case d.busy != "":
		return Applying, "transaction " + d.busy
	case d.failure != "":
		return Failed, d.failure
	case d.has == nil || d.unread && len(d.drifts) == 0:
		return Syncing, "being read"
	case len(d.drifts) > 0:
		return Drifted, fmt.Sprintf("%d %s nobody intended, first %s", len(d.drifts), things(len(d.drifts)), d.drifts[0].Path)
	case d.applied.Revision == 0:
		return Pending, "no transaction has brought it to what is intended"
	case d.applied.Revision != d.desired.Revision:
		return Pending, fmt.Sprintf("revision %d is intended, and it has what %d intended", d.desired.Revision, d.applied.Revision)
	}
	if d.applied != d.desired {
		return Pending, "who is drained has changed since a transaction brought it to what was intended"
	}
	return InSync, ""
}

func things(n int) string {
	if n == 1 {
		return "thing that"
	}
	return "things that"
}

// Applied is what a transaction has brought the device to, or what it has that is intended.
func (d *Device) Applied() Target { return d.applied }

// Has is what the device has, as far as it is known; nil: it was not read.
func (d *Device) Has() *config.Tree { return d.has }
