package main

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// setBook has the audit log tell of every Set to the devices of a fabric before it leaves, and of what came of it.
//
// What the journal of a transaction says that devices may get from now on is written together with that record of the journal, and
// what came of it with the next one. A Set that nobody could foresee, as one that is sent again or one that asks for confirm timers,
// is written by itself. nil is a book that nobody keeps.
type setBook struct {
	*auditWriter
	topology string
	check    func(context.Context) error // whether devices may be changed still: a write takes a while

	mu       sync.Mutex
	spec     *transaction.Spec // that is carried out; nil: none
	devices  map[string]*live
	work     map[string]transaction.Work
	waves    int                       // that may have been sent
	foreseen map[string][]*foreseenSet // by device: written, and not sent yet
	told     []audit.Entry             // not written yet
}

// foreseenSet is a Set of which the log tells already.
type foreseenSet struct {
	entry audit.Entry
	req   *gnmi.SetRequest
}

// runs says what a transaction does, before its first record is written.
func (b *setBook) runs(devices map[string]*live, work map[string]transaction.Work) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spec, b.devices, b.work, b.waves, b.foreseen = nil, devices, work, 0, map[string][]*foreseenSet{}
}

// resumes says that a transaction is gone on with that another process has begun.
func (b *setBook) resumes(spec *transaction.Spec) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spec, b.waves = spec, 0
	b.told = append(b.told, b.fill(audit.Entry{
		Who: audit.Who{Name: whoAmI(), Credential: "process"}, What: resumedTransaction, Stage: audit.Whole,
		Subject: audit.Subject{Topology: b.topology, Transaction: spec.ID, PlanHash: spec.Plan},
		Outcome: audit.Outcome{Code: codes.OK.String(), Message: "of the Sets before, those without an outcome are of a process that has ended"},
	}))
}

// resumedTransaction is what somebody does who goes on with a transaction.
const resumedTransaction = "loom.Resume"

// written is what is written together with some records of a journal, and what becomes of it once it is.
type written struct {
	spec     *transaction.Spec
	waves    int
	foreseen []*foreseenSet
	told     int
	ends     bool
}

// onto adds to what is written with records of a journal what they let happen, and what came of what they let happen before.
func (b *setBook) onto(tx *store.Tx, records []transaction.Record) (*written, error) {
	if b == nil {
		return nil, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &written{spec: b.spec, waves: b.waves, told: len(b.told)}
	entries := slices.Clone(b.told)
	for _, r := range records {
		switch {
		case r.Kind == transaction.Planned:
			w.spec = r.Spec
		case w.spec == nil:
		case r.Kind == transaction.Sending:
			w.waves = max(w.waves, r.Wave+1)
			w.foreseen = append(w.foreseen, b.sends(w.spec, r.Wave)...)
		case r.Kind == transaction.Decided:
			w.foreseen = append(w.foreseen, b.decided(w.spec, r, w.waves)...)
		case r.Kind == transaction.Ended:
			w.ends = true
			entries = append(entries, b.never()...)
		}
	}
	b.digest(w.foreseen)
	for _, f := range w.foreseen {
		entries = append(entries, f.entry)
	}
	if len(entries) == 0 {
		return w, nil
	}
	return w, b.enqueue(tx, entries)
}

// kept takes over what was written.
func (b *setBook) kept(w *written) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spec, b.waves, b.told = w.spec, w.waves, b.told[w.told:]
	for _, f := range w.foreseen {
		name := f.entry.Subject.Device
		b.foreseen[name] = append(b.foreseen[name], f)
	}
	if w.ends {
		b.spec, b.foreseen = nil, map[string][]*foreseenSet{}
	}
	if b.wrote != nil {
		b.wrote()
	}
}

// sends are the Sets that the devices of a wave may get until the decision.
func (b *setBook) sends(spec *transaction.Spec, wave int) (out []*foreseenSet) {
	for _, name := range waveIn(spec, wave) {
		l, job := b.devices[name], jobOf(spec, name)
		if l == nil || job == nil {
			continue
		}
		for i, step := range job.Steps {
			var commit *device.Commit
			if job.Timed {
				commit = &device.Commit{ID: spec.ID, Rollback: spec.Limits.Rollback}
			}
			out = append(out, b.foresee(spec, name, "set", l.Leaving(l.unsaved(b.request(name, i)), commit)))
			if step == transaction.Change {
				break
			}
			if job.Timed {
				out = append(out, b.foresee(spec, name, "confirm", l.Confirming(spec.ID)))
			}
		}
	}
	return out
}

// request is what a step sends. One that follows from two configurations is made once, for the log and for the device.
func (b *setBook) request(name string, step int) *gnmi.SetRequest {
	w := b.work[name]
	for len(w.Requests) <= step {
		w.Requests = append(w.Requests[:len(w.Requests):len(w.Requests)], nil)
	}
	if w.Requests[step] == nil && step+1 < len(w.Places) {
		w.Requests = slices.Clone(w.Requests)
		w.Requests[step] = b.devices[name].Request(w.Places[step], w.Places[step+1])
	}
	return w.Requests[step]
}

// decided are the Sets that devices get after a decision, as far as it is known: most of them.
func (b *setBook) decided(spec *transaction.Spec, r transaction.Record, waves int) (out []*foreseenSet) {
	first := 0
	for i, segment := range spec.Segments {
		for n, wave := range segment.Waves {
			if first+n >= waves || r.Decision == transaction.Commit && i != r.Segment {
				continue
			}
			for _, name := range wave {
				l, job := b.devices[name], jobOf(spec, name)
				switch {
				case l == nil || job == nil:
				case r.Decision == transaction.Commit:
					if job.Timed {
						out = append(out, b.foresee(spec, name, "confirm", l.Confirming(spec.ID)))
					}
					out = append(out, b.saves(spec, name)...)
				case job.Timed && i == r.Segment && b.sentTo(name):
					out = append(out, b.foresee(spec, name, "cancel", l.Cancelling(spec.ID)))
				}
			}
		}
		first += len(segment.Waves)
	}
	if r.Decision == transaction.Commit && r.Segment >= len(spec.Segments)-1 {
		for _, name := range spec.Saves {
			out = append(out, b.saves(spec, name)...)
		}
	}
	return out
}

// saves is the Set that has startup follow, where there is one.
func (b *setBook) saves(spec *transaction.Spec, name string) []*foreseenSet {
	l := b.devices[name]
	if l == nil {
		return nil
	}
	req := l.Saving()
	if req == nil {
		return nil
	}
	return []*foreseenSet{b.foresee(spec, name, "save", req)}
}

// sentTo tells whether a device was sent its change: what was foreseen for it has left.
func (b *setBook) sentTo(name string) bool { return len(b.foreseen[name]) == 0 }

// waveIn are the devices of a wave, counted through all segments.
func waveIn(spec *transaction.Spec, wave int) []string {
	for _, segment := range spec.Segments {
		if wave < len(segment.Waves) {
			return segment.Waves[wave]
		}
		wave -= len(segment.Waves)
	}
	return nil
}

// foresee is a Set that is going to be sent. Its digest is made by digest, of all of them at once.
func (b *setBook) foresee(spec *transaction.Spec, name, op string, req *gnmi.SetRequest) *foreseenSet {
	return &foreseenSet{b.entry(spec, name, op), req}
}

// entry is the entry of a Set before it leaves.
func (b *setBook) entry(spec *transaction.Spec, name, op string) audit.Entry {
	e := audit.Entry{
		Who: audit.Who{Name: whoAmI(), Credential: "process"}, What: audit.Set, Stage: audit.Before, ID: b.id(),
		Subject: audit.Subject{Topology: b.topology, Device: name, Operation: op},
	}
	if spec != nil {
		e.Subject.Transaction, e.Subject.PlanHash = spec.ID, spec.Plan
		if spec.By != e.Who.Name {
			e.Who = audit.Who{Name: spec.By}
		}
	}
	return b.fill(e)
}

// digest makes the digests of requests, on all processors.
func (b *setBook) digest(all []*foreseenSet) {
	var wg sync.WaitGroup
	for some := range slices.Chunk(all, max(1, (len(all)-1)/runtime.GOMAXPROCS(0)+1)) {
		wg.Go(func() {
			for _, f := range some {
				f.entry.Digest = digestOf(f.req)
			}
		})
	}
	wg.Wait()
}

// digestOf is the SHA-256 of a request as it leaves.
func digestOf(m proto.Message) string {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return ""
	}
	return audit.DigestOf(data)
}

// never are the outcomes of what was foreseen and did not leave.
func (b *setBook) never() (out []audit.Entry) {
	for _, name := range sortedKeys(b.foreseen) {
		for _, f := range b.foreseen[name] {
			out = append(out, b.after(f.entry, audit.Outcome{Code: audit.NotSent, Message: "the transaction has ended without it"}))
		}
	}
	return out
}

// after is the entry of what came of a Set.
func (b *setBook) after(of audit.Entry, o audit.Outcome) audit.Entry {
	return b.fill(audit.Entry{Who: of.Who, What: of.What, Stage: audit.After, ID: of.ID, Subject: of.Subject, Outcome: o})
}

// announce is told of each Set to a device before it leaves; nil: nobody keeps the book.
func (b *setBook) announce(name string) device.Announce {
	if b == nil {
		return nil
	}
	return func(ctx context.Context, op string, req *gnmi.SetRequest) (func(error), error) {
		e, known := b.leaves(name, op, req)
		if !known {
			e.Digest = digestOf(req)
			if err := b.durable(ctx, e); err != nil {
				return nil, err
			}
			if err := b.check(ctx); err != nil {
				b.tell(b.after(e, audit.Outcome{Code: audit.NotSent, Message: "the lock on the fabric is lost"}))
				return nil, err
			}
		}
		return func(err error) { b.tell(b.after(e, outcomeOf(err))) }, nil
	}
}

// leaves is the entry of a Set, and whether it is written already.
func (b *setBook) leaves(name, op string, req *gnmi.SetRequest) (audit.Entry, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.foreseen[name], func(f *foreseenSet) bool {
		return f.entry.Subject.Operation == op && same(f.req, req)
	})
	if i < 0 {
		return b.entry(b.spec, name, op), false
	}
	e := b.foreseen[name][i].entry
	b.foreseen[name] = slices.Delete(b.foreseen[name], i, i+1)
	return e, true
}

// same tells whether two requests are one. What was foreseen shares its parts with what leaves.
func same(a, b *gnmi.SetRequest) bool {
	return sameParts(a.GetDelete(), b.GetDelete()) && sameParts(a.GetReplace(), b.GetReplace()) && sameParts(a.GetUpdate(), b.GetUpdate()) &&
		sameParts(a.GetUnionReplace(), b.GetUnionReplace()) && sameParts(a.GetExtension(), b.GetExtension()) && proto.Equal(a.GetPrefix(), b.GetPrefix())
}

func sameParts[M interface {
	comparable
	proto.Message
}](a, b []M) bool {
	return slices.EqualFunc(a, b, func(a, b M) bool { return a == b || proto.Equal(a, b) })
}

// tell has an entry written with the next record of the journal, or soon where there is none.
func (b *setBook) tell(e audit.Entry) {
	b.mu.Lock()
	running := b.spec != nil
	if running {
		b.told = append(b.told, e)
	}
	b.mu.Unlock()
	if !running {
		_ = b.gather(context.Background(), e) // who writes next finds out
	}
}

// outcomeOf is what came of a Set, without what the device has said of values.
func outcomeOf(err error) audit.Outcome {
	o := audit.Outcome{Code: status.Code(err).String()}
	switch classify(err) {
	case transaction.OK:
	case transaction.Unknown:
		o.Message = "it is not known whether the device has it; it is read back"
	case transaction.Retry:
		o.Message = "the device has not got it, or was too busy for it"
	case transaction.NotPending:
		o.Message = "there was no such commit"
	case transaction.Fenced:
		o.Message = "another writer has taken the device over"
	default:
		o.Message = "refused"
	}
	if err == nil {
		o = audit.Outcome{Code: codes.OK.String()}
	}
	return o
}

// closes writes what is left, and takes what is queued into the log.
func (b *setBook) closes(taking func() (*auditLog, error)) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	told := b.told
	b.told = nil
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if len(told) > 0 {
		b.join(told)
	}
	if err := b.flush(ctx); err != nil || taking == nil {
		return err
	}
	l, err := taking()
	if err != nil {
		return err
	}
	_, err = l.take(ctx, true)
	return err
}
