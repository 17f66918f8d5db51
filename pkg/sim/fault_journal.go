package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/pkg/config"
)

// Entry is one line of the journal: a Set that a device got, what an operator did at the box, or something about a fault.
type Entry struct {
	Number uint64    `json:"number"` // counts from 1, in the order in which entries were finished
	Time   time.Time `json:"time"`   // by the simulation's clock: of a Set, when it arrived
	Event  string    `json:"event"`  // "set", "state"; by hand "save", "accept", "cable"; of a fault "inject", "strike", "clear"
	Device string    `json:"device"` // or another target of a fault

	Fault  string `json:"fault,omitempty"`  // id and what was injected
	Commit string `json:"commit,omitempty"` // id of the commit that was accepted by hand

	Request []byte `json:"request,omitempty"` // of a Set, in protobuf's wire format
	Code    string `json:"code,omitempty"`    // of the answer
	Message string `json:"message,omitempty"` // likewise
	// Order counts the Sets of this device in the order in which it looked at them; 0: a fault kept it from that.
	Order uint64 `json:"order,omitempty"`
	// Before and After are hashes of the running configuration around the Set. Where Before is not the After of the
	// Set before, something else has changed it: a timer, a reboot, a hand.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// From and To are digests of the same two configurations, by the function that Digest was given.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Of a state, beside After and To, which are of the running configuration: what the device would boot, and the open commit.
	Startup string `json:"startup,omitempty"` // digest
	Pending string `json:"pending,omitempty"` // id
}

// journal keeps entries, once it is asked for. The zero value keeps none.
type journal struct {
	clock Clock
	mu    sync.Mutex // guards what follows
	on    bool
	keep  int // entries in memory
	last  uint64
	list  []Entry
	to    io.Writer // nil: none
	err   error     // of the first write that failed; nothing is written after it
	turns map[*Device]*turn
	// digest says of a configuration what somebody wants to know; nil: nobody does.
	digest func(device string, t *config.Tree) string
}

// turn is held while a device looks at a Set.
type turn struct {
	sync.Mutex
	sets uint64
}

// Record begins the journal: every Set that a device gets, with its result and the state that it led to, whatever
// faults do, and what is saved and accepted by hand (Save, Accept). Entries are written to w as lines of JSON, if it is not nil, and the last ones
// kept in memory. While it runs every Set is hashed, which takes some milliseconds for a large one.
func (s *Sim) Record(w io.Writer, keep int) {
	j := &s.faults.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	j.clock, j.on, j.to, j.keep, j.turns = s.config.Clock, true, w, keep, map[*Device]*turn{}
}

// Digest has the journal say of each configuration what of gives, which is called while the device waits. It is for those who
// compare parts of configurations, or what they mean, where hashes of all they hold say too much.
func (s *Sim) Digest(of func(device string, t *config.Tree) string) {
	j := &s.faults.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	j.digest = of
}

// Attest writes a state of each device into the journal: what it runs, what it would boot, which commit is open.
func (s *Sim) Attest() {
	j := &s.faults.journal
	for _, d := range s.devices {
		d.mu.Lock()
		running, startup, pending := d.running.tree(), d.startup.tree(), d.pending
		d.mu.Unlock()
		e := Entry{Event: "state", Device: d.spec.Name, After: hashOf(running), To: j.digestOf(d, running), Startup: j.digestOf(d, startup)}
		if pending != nil {
			e.Pending = pending.id
		}
		j.write(e)
	}
}

// digestOf returns what somebody wants to know of a configuration, "" where nobody does.
func (j *journal) digestOf(d *Device, t *config.Tree) string {
	j.mu.Lock()
	of := j.digest
	j.mu.Unlock()
	if of == nil {
		return ""
	}
	return of(d.spec.Name, t)
}

// Journal returns the entries that are kept, oldest first, and the error of the writer, if it failed.
func (s *Sim) Journal() ([]Entry, error) {
	j := &s.faults.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Entry(nil), j.list...), j.err
}

// write adds an entry.
func (j *journal) write(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.on {
		return
	}
	j.last++
	e.Number = j.last
	if e.Time.IsZero() {
		e.Time = j.clock.Now()
	}
	if j.list = append(j.list, e); len(j.list) > j.keep {
		j.list = j.list[len(j.list)-j.keep:]
	}
	if j.to != nil && j.err == nil {
		j.err = json.NewEncoder(j.to).Encode(e)
	}
}

// turn returns what a device holds while it looks at a Set.
func (j *journal) turn(d *Device) *turn {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.turns[d] == nil {
		j.turns[d] = &turn{}
	}
	return j.turns[d]
}

// note adds an entry about a fault.
func (j *journal) note(event string, f *injected) {
	j.mu.Lock()
	on := j.on
	j.mu.Unlock()
	if on {
		j.write(Entry{Event: event, Device: f.Target, Fault: f.id + " " + f.Fault.String()})
	}
}

// record is the entry of a Set that is under way; nil where there is no journal.
type record struct {
	Entry
	journal *journal
	device  *Device
}

// open begins the entry of a Set.
func (j *journal) open(d *Device, req *gnmi.SetRequest) *record {
	j.mu.Lock()
	on := j.on
	j.mu.Unlock()
	if !on {
		return nil
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		d.log.Error("journal", "error", err)
	}
	return &record{Entry{Time: j.clock.Now(), Event: "set", Device: d.spec.Name, Request: data}, j, d}
}

// during lets the device look at the Set, and no other one at the same time, so that the hashes are its own.
func (r *record) during(set func() (*gnmi.SetResponse, error)) (*gnmi.SetResponse, error) {
	if r == nil {
		return set()
	}
	t := r.journal.turn(r.device)
	t.Lock()
	defer t.Unlock()
	t.sets++
	r.Order = t.sets
	before := r.device.Running()
	resp, err := set()
	after := r.device.Running()
	r.Before, r.After = hashOf(before), hashOf(after)
	r.From, r.To = r.journal.digestOf(r.device, before), r.journal.digestOf(r.device, after)
	return resp, err
}

// close ends the entry of a Set with its answer.
func (r *record) close(err error) {
	if r == nil {
		return
	}
	s := status.Convert(err)
	r.Code, r.Message = s.Code().String(), s.Message()
	r.journal.write(r.Entry)
}

// hashOf returns the SHA-256 of a configuration as JSON, in hex.
func hashOf(t *config.Tree) string {
	sum := sha256.Sum256(t.AppendJSON(nil, false))
	return hex.EncodeToString(sum[:])
}
