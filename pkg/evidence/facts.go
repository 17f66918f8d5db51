package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/protobuf/proto"
)

// facts are the records of a run as the rules read them.
type facts struct {
	*Run
	changes []*change          // in the order in which they were planned
	byID    map[string]*change // likewise
	digests map[string]string  // by configuration
	looks   map[string][]*look // of each device, in its order
	faults  []*fault
	states  int // of devices that were held against what a transaction promised
}

// change is a transaction.
type change struct {
	id      string
	records []transaction.Record
	spec    *transaction.Spec
	planned time.Time
	sent    map[int]time.Time // by wave
	commits map[int]time.Time // decided, by segment
	abort   time.Time         // zero: none
	ended   *transaction.Record
	wave    map[string]int // of each device
	segment map[string]int
}

// look is a moment at which the configuration of a device is known: a Set that it has looked at, one that never
// reached it, or a state.
type look struct {
	Entry
	kind string // "commit", "confirm", "cancel", "extend", "plain"; "state"
	id   string // of the commit
}

// fault is when something was wrong with a device.
type fault struct {
	kind, device, text string
	from, to           time.Time // to is zero where it was never cleared
}

func gather(r *Run) (*facts, []string) {
	f := &facts{Run: r, byID: map[string]*change{}, digests: map[string]string{}, looks: map[string][]*look{}}
	var wrong []string
	for _, l := range r.Journal {
		if l.Record == nil {
			f.digests[l.Configuration] = l.Digest
			continue
		}
		c := f.byID[l.Transaction]
		if c == nil {
			c = &change{id: l.Transaction, sent: map[int]time.Time{}, commits: map[int]time.Time{}, wave: map[string]int{}, segment: map[string]int{}}
			f.byID[l.Transaction] = c
			f.changes = append(f.changes, c)
		}
		if l.Number != len(c.records) {
			wrong = append(wrong, fmt.Sprintf("%s: record %d stands where record %d should be", c.id, l.Number, len(c.records)))
		}
		c.take(l.Record)
	}
	slices.SortStableFunc(f.changes, func(a, b *change) int { return a.planned.Compare(b.planned) })
	open := map[string]*fault{}
	for i := range r.Devices {
		e := &r.Devices[i]
		id, text, _ := strings.Cut(e.Fault, " ")
		switch e.Event {
		case "set", "state":
			l := &look{Entry: *e, kind: "state"}
			if e.Event == "set" {
				var err error
				if l.kind, l.id, err = setOf(e.Request); err != nil {
					wrong = append(wrong, fmt.Sprintf("entry %d: %v", e.Number, err))
				}
			}
			f.looks[e.Device] = append(f.looks[e.Device], l)
		case "inject":
			kind, _, _ := strings.Cut(text, " ")
			open[id] = &fault{kind: kind, device: e.Device, text: text, from: e.Time}
			f.faults = append(f.faults, open[id])
		case "clear":
			if open[id] != nil {
				open[id].to = e.Time
			}
		}
	}
	for _, looks := range f.looks {
		slices.SortStableFunc(looks, byOrder)
	}
	return f, wrong
}

// byOrder puts Sets into the order in which the device has looked at them: entries are written when they are answered.
func byOrder(a, b *look) int {
	if a.Order == 0 || b.Order == 0 {
		return 0
	}
	return int(a.Order) - int(b.Order)
}

// take takes a record in.
func (c *change) take(r *transaction.Record) {
	c.records = append(c.records, *r)
	switch r.Kind {
	case transaction.Planned:
		c.spec, c.planned = r.Spec, r.At
		wave := 0
		for seg, s := range r.Spec.Segments {
			for _, names := range s.Waves {
				for _, name := range names {
					c.wave[name], c.segment[name] = wave, seg
				}
				wave++
			}
		}
	case transaction.Sending:
		c.sent[r.Wave] = r.At
	case transaction.Decided:
		if r.Decision == transaction.Commit {
			c.commits[r.Segment] = r.At
		} else if c.abort.IsZero() {
			c.abort = r.At
		}
	case transaction.Ended:
		c.ended = r
	}
}

// job is what a transaction does to a device; nil: nothing.
func (c *change) job(device string) *transaction.Job {
	if c.spec == nil {
		return nil
	}
	for i := range c.spec.Jobs {
		if c.spec.Jobs[i].Device == device {
			return &c.spec.Jobs[i]
		}
	}
	return nil
}

// has tells whether a device takes part.
func (c *change) has(device string) bool {
	return c.job(device) != nil || c.spec != nil && slices.Contains(c.spec.Saves, device)
}

// decided is when something was decided that concerns a device; zero where nothing was.
func (c *change) decided(device string) time.Time {
	at := c.commits[c.segment[device]]
	if at.IsZero() || !c.abort.IsZero() && c.abort.Before(at) {
		return c.abort
	}
	return at
}

// reached tells whether a Set has come to the device and done something: one that nobody answered may have.
func (l *look) reached() bool { return l.Order > 0 && (l.Code == "OK" || l.From != l.To) }

// setOf reads what a Set is about.
func setOf(data []byte) (kind, id string, err error) {
	var req gnmi.SetRequest
	if err := proto.Unmarshal(data, &req); err != nil {
		return "", "", fmt.Errorf("not a SetRequest: %w", err)
	}
	for _, e := range req.GetExtension() {
		c := e.GetCommit()
		switch c.GetAction().(type) {
		case *gnmi_ext.Commit_Commit:
			return "commit", c.GetId(), nil
		case *gnmi_ext.Commit_Confirm:
			return "confirm", c.GetId(), nil
		case *gnmi_ext.Commit_Cancel:
			return "cancel", c.GetId(), nil
		case *gnmi_ext.Commit_SetRollbackDuration:
			return "extend", c.GetId(), nil
		}
	}
	return "plain", "", nil
}

// moves are faults that change a configuration without a Set.
var moves = map[string]bool{
	"reboot": true, "device-down": true, "foreign-change": true, "foreign-commit": true, "revert": true, "other-chassis": true, "expire-commit": true,
}

// spoils tells of faults after which a device may have something else than it has saved, or was seen to have.
func (f *fault) spoils() bool {
	switch f.kind {
	case "foreign-change", "foreign-commit", "revert", "other-chassis":
		return true
	case "reboot":
		return !strings.Contains(f.text, "--boot=startup")
	}
	return false
}

// slack is how much later than its end a fault may still do something.
const slack = time.Second

// suffered tells whether a device had a fault of some kinds between two times.
func (f *facts) suffered(device string, from, to time.Time, kinds func(*fault) bool) bool {
	return slices.ContainsFunc(f.faults, func(x *fault) bool {
		return x.device == device && kinds(x) && !x.from.After(to) && (x.to.IsZero() || !x.to.Add(slack).Before(from))
	})
}
