package controller

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
	"google.golang.org/protobuf/proto"
)

// Ledger keeps intents. Each call sees every Append that was acknowledged before it, to whomever; Append is all or nothing and
// durable when it returns.
type Ledger interface {
	// Head is the newest revision of a topology; ok is false where there never was one.
	Head(ctx context.Context, topology string) (head *Intent, ok bool, err error)
	// At is a revision of a topology. Errors: ErrNoRevision.
	At(ctx context.Context, topology string, number int64) (*Intent, error)
	// Heads are the newest revisions of all topologies, without files and edits, by name.
	Heads(ctx context.Context) ([]Revision, error)
	// History are the revisions of a topology, the newest first, without files and edits.
	History(ctx context.Context, topology string) ([]Revision, error)
	// Append makes the revision after the head, with what happened and the answer to a request. Errors: ErrMoved if the head is
	// another one, or the request has an answer.
	Append(ctx context.Context, next *Intent, events []Event, r Request) error
	// Answer is what a request came to; ok is false where nobody has made it.
	Answer(ctx context.Context, key string) (r Request, ok bool, err error)
}

var (
	// ErrMoved: the head of a topology is not the revision that was expected.
	ErrMoved = errors.New("the topology has changed")
	// ErrNoTopology: there is no topology of the name.
	ErrNoTopology = errors.New("no such topology; loom intent list shows all")
	// ErrNoRevision: a topology has no such revision.
	ErrNoRevision = errors.New("no such revision")
	// ErrNoResource: a topology has no such resource.
	ErrNoResource = errors.New("no such resource")
)

// MovedError says which revision was expected, and which there is. It is an ErrMoved.
type MovedError struct {
	Topology         string
	Expected, Actual int64 // 0: none
}

// Error says what to do, too.
func (e *MovedError) Error() string {
	switch {
	case e.Actual == 0:
		return fmt.Sprintf("%s: revision %d was expected, and there is no such topology", e.Topology, e.Expected)
	case e.Expected == 0:
		return fmt.Sprintf("%s: there is such a topology already, with revision %d; look at it, and expect that", e.Topology, e.Actual)
	}
	return fmt.Sprintf("%s: revision %d was expected, and %d is the newest; look at what has changed, and expect that", e.Topology, e.Expected, e.Actual)
}

// Is makes errors.Is(err, ErrMoved) hold.
func (e *MovedError) Is(target error) bool { return target == ErrMoved }

// InvalidError is an intent that is none, with every mistake.
type InvalidError struct{ Diagnostics topology.Diagnostics }

// Error is the first mistake, and how many more there are.
func (e *InvalidError) Error() string {
	first, n := "", 0
	for _, d := range e.Diagnostics {
		if d.Severity == topology.Error {
			if n++; n == 1 {
				first = d.String()
			}
		}
	}
	if n > 1 {
		return fmt.Sprintf("%s (and %d more)", first, n-1)
	}
	return first
}

// Intents reads and writes what is intended.
type Intents struct {
	Ledger Ledger
	// Check compiles what is intended as far as configuration: every mistake and warning, and what it makes of the devices that were
	// intended before; before is nil where nothing was.
	Check func(before, after *topology.Topology) (Effect, topology.Diagnostics)
	Now   func() time.Time
	// Allow refuses a write to whom ctx says, before it is made or tried out; nil: whoever comes here may.
	Allow func(ctx context.Context, topology string, w *Written) error
}

// Write is how something is to be written.
type Write struct {
	By, Message string
	Commit      string // of the source that is followed; empty: none
	Expected    *int64 // revision that there has to be; 0: none of the name. nil: whatever there is
	DryRun      bool
	Key         string // see Request
}

// Written is what a write has come to.
type Written struct {
	Revision Revision // with a dry run its number is 0
	Intent   *intent.Topology
	Before   *intent.Topology // nil: there was none
	Changes  []ResourceChange
	Warnings topology.Diagnostics
	Same     bool // nothing was written: it is intended already, or the request was answered before
	Effect
}

// Effect is what a write makes of devices, by name.
type Effect struct {
	Devices []string // whose configuration changes
	Added   []string
	Removed []string // that it does not have any more: they keep what they have
}

// Put replaces a topology by what files say; they have its name.
func (x *Intents) Put(ctx context.Context, files []topology.Source, w Write) (*Written, error) {
	next := &Intent{Files: files}
	topo, diags := next.Expand()
	if diags.HasErrors() {
		return nil, &InvalidError{diags}
	}
	return x.write(ctx, topo.Intent.GetName(), w, digestOf("put", files, nil), func(*Intent) (*Intent, error) { return next, nil })
}

// Edit puts or deletes one resource of a topology.
func (x *Intents) Edit(ctx context.Context, name string, e Edit, w Write) (*Written, error) {
	return x.write(ctx, name, w, digestOf("edit", nil, []Edit{e}), func(head *Intent) (*Intent, error) {
		if head == nil {
			return nil, fmt.Errorf("%s: %w", name, ErrNoTopology)
		}
		if e.Value == nil {
			topo, diags := head.Expand()
			if diags.HasErrors() {
				return nil, &InvalidError{diags}
			}
			if _, ok := Find(topo.Intent, e.Name); !ok {
				return nil, fmt.Errorf("%s: %w", e.Name, ErrNoResource)
			}
		}
		return head.With(e), nil
	})
}

// Restore makes a revision that says what an old one said; 0 is the one before the newest.
func (x *Intents) Restore(ctx context.Context, name string, number int64, w Write) (*Written, error) {
	return x.write(ctx, name, w, digestOf(fmt.Sprint("restore ", number), nil, nil), func(head *Intent) (*Intent, error) {
		at := number
		if at == 0 && head != nil {
			at = head.Number - 1
		}
		old, err := x.Ledger.At(ctx, name, at)
		if err != nil {
			return nil, err
		}
		if old.Deleted {
			return nil, fmt.Errorf("%s: revision %d is its end, and says nothing; name an earlier one", name, at)
		}
		return &Intent{Revision: Revision{Restores: at}, Files: old.Files, Edits: old.Edits}, nil
	})
}

// Delete ends a topology.
func (x *Intents) Delete(ctx context.Context, name string, w Write) (*Written, error) {
	return x.write(ctx, name, w, digestOf("delete", nil, nil), func(head *Intent) (*Intent, error) {
		if head == nil {
			return nil, fmt.Errorf("%s: %w", name, ErrNoTopology)
		}
		return &Intent{Revision: Revision{Deleted: true}}, nil
	})
}

// Head is the newest revision of a topology that is there. Errors: ErrNoTopology.
func (x *Intents) Head(ctx context.Context, name string) (*Intent, error) {
	head, ok, err := x.Ledger.Head(ctx, name)
	if err == nil && (!ok || head.Deleted) {
		err = fmt.Errorf("%s: %w", name, ErrNoTopology)
	}
	return head, err
}

// At is a revision of a topology; 0 is the newest.
func (x *Intents) At(ctx context.Context, name string, number int64) (*Intent, error) {
	if number == 0 {
		return x.Head(ctx, name)
	}
	return x.Ledger.At(ctx, name, number)
}

// digestOf is the SHA-256, in hex, of a request: what it asks for, with files and edits.
func digestOf(what string, files []topology.Source, edits []Edit) string {
	h := sha256.New()
	word := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	word([]byte(what))
	for _, f := range files {
		word([]byte(f.Name))
		word(f.Data)
	}
	for _, e := range edits {
		word([]byte(e.Name))
		if e.Value != nil { // what was read from the wire can be written to it
			data, _ := proto.MarshalOptions{Deterministic: true}.Marshal(e.Value)
			word(append([]byte(e.Value.ProtoReflect().Descriptor().FullName()), data...))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// write makes the next revision. Where nobody has said which revision there has to be, somebody who was faster is no mistake: it is
// made anew on top of what that one wrote.
func (x *Intents) write(ctx context.Context, name string, w Write, asked string, make func(head *Intent) (*Intent, error)) (*Written, error) {
	r := Request{Key: w.Key, Digest: digestOf(name+" "+asked, nil, nil)}
	for {
		out, err := x.try(ctx, name, w, r, make)
		if !errors.Is(err, ErrMoved) || ctx.Err() != nil {
			return out, err
		}
		if w.Expected != nil {
			if was, e := x.answered(ctx, name, r); was != nil || e != nil { // the same request was faster
				return was, e
			}
			return out, err
		}
	}
}

func (x *Intents) try(ctx context.Context, name string, w Write, r Request, make func(head *Intent) (*Intent, error)) (*Written, error) {
	if out, err := x.answered(ctx, name, r); out != nil || err != nil {
		return out, err
	}
	head, ok, err := x.Ledger.Head(ctx, name)
	if err != nil {
		return nil, err
	}
	number, there := int64(0), head
	if ok {
		number = head.Number
	}
	if ok && head.Deleted {
		there = nil
	}
	if there == nil {
		if w.Expected != nil && *w.Expected != 0 {
			return nil, &MovedError{Topology: name, Expected: *w.Expected}
		}
	} else if w.Expected != nil && *w.Expected != number {
		return nil, &MovedError{Topology: name, Expected: *w.Expected, Actual: number}
	}
	next, err := make(there)
	if err != nil {
		return nil, err
	}
	next.Topology, next.Number, next.At, next.By, next.Message, next.Commit = "", 0, time.Time{}, "", "", ""
	return x.append(ctx, name, number, there, next, w, r)
}

// answered is what a request has come to before; nil where nobody has made it.
func (x *Intents) answered(ctx context.Context, name string, r Request) (*Written, error) {
	if r.Key == "" {
		return nil, nil
	}
	old, ok, err := x.Ledger.Answer(ctx, r.Key)
	if err == nil && ok {
		ok, err = old.Answers(r, x.Now())
	}
	if err != nil || !ok {
		return nil, err
	}
	then, err := x.Ledger.At(ctx, name, old.Number)
	if err != nil {
		return nil, err
	}
	out := &Written{Revision: then.Revision, Same: true}
	if !then.Deleted {
		topo, diags := then.Expand()
		if diags.HasErrors() {
			return nil, &InvalidError{diags}
		}
		out.Intent = topo.Intent
	}
	return out, nil
}

// append checks what would be intended and writes it, unless that is what is intended already.
func (x *Intents) append(ctx context.Context, name string, number int64, head, next *Intent, w Write, r Request) (*Written, error) {
	out := &Written{}
	var before *topology.Topology
	if head != nil {
		var diags topology.Diagnostics
		if before, diags = head.Expand(); diags.HasErrors() {
			return nil, &InvalidError{diags}
		}
		out.Before = before.Intent
	}
	if !next.Deleted {
		topo, diags := next.Expand()
		if !diags.HasErrors() {
			effect, more := x.Check(before, topo)
			out.Effect, diags = effect, append(diags, more...)
		}
		if diags.HasErrors() {
			return nil, &InvalidError{diags}
		}
		if topo.Intent.GetName() != name {
			return nil, fmt.Errorf("%s: its files are those of %s; a topology keeps its name", name, topo.Intent.GetName())
		}
		out.Intent, out.Warnings = topo.Intent, diags
	}
	out.Changes = Compare(out.Before, out.Intent)
	if x.Allow != nil {
		if err := x.Allow(ctx, name, out); err != nil {
			return nil, err
		}
	}
	var err error
	if next.Hash, err = Hash(out.Intent); err != nil {
		return nil, err
	}
	if head != nil && !next.Deleted && sameWords(head, next) {
		out.Revision, out.Same = head.Revision, true
		return out, nil
	}
	next.Topology, next.Number, next.At, next.By, next.Message, next.Commit = name, number+1, x.Now().UTC(), w.By, w.Message, w.Commit
	out.Revision = next.Revision
	if w.DryRun {
		out.Revision.Number = 0
		return out, nil
	}
	r.Number, r.At = next.Number, next.At
	err = x.Ledger.Append(ctx, next, []Event{next.event()}, r)
	if errors.Is(err, ErrMoved) && w.Expected != nil {
		if now, ok, e := x.Ledger.Head(ctx, name); e == nil && ok && now.Number != number {
			return nil, &MovedError{Topology: name, Expected: *w.Expected, Actual: now.Number}
		}
	}
	return out, err
}

// sameWords tells whether two intents say the same in the same words: then there is nothing to be written, as comments and places are
// a part of what is kept.
func sameWords(a, b *Intent) bool {
	return a.Hash == b.Hash && digestOf("", a.Files, nil) == digestOf("", b.Files, nil)
}

// event is what a write comes to for those who watch.
func (i *Intent) event() Event {
	e := Event{At: i.At, Kind: IntentEvent, Topology: i.Topology, By: i.By, Revision: i.Number, Subject: fmt.Sprint(i.Number)}
	switch {
	case i.Deleted:
		e.Message = "the topology was deleted"
	case i.Restores != 0:
		e.Message = fmt.Sprintf("revision %d says what revision %d said", i.Number, i.Restores)
	default:
		e.Message = fmt.Sprintf("revision %d is intended", i.Number)
	}
	if i.Message != "" {
		e.Message += ": " + i.Message
	}
	return e
}
