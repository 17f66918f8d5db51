package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/topology"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// intentLedger keeps intents and events in a store:
//
//	intent/heads/TOPOLOGY             the newest controller.Revision
//	intent/history/TOPOLOGY/NUMBER    each controller.Revision
//	intent/revisions/TOPOLOGY/NUMBER  what it says: files by the SHA-256 of what is in them, and edits
//	intent/files/SHA256/PART          what is in a file, compressed, in parts that fit a transaction
//	answers/KEY                       a controller.Request
//	events/TIME-PART                  a controller.Event
//
// Values but parts of files are zstd-compressed JSON.
type intentLedger struct{ store *store.Store }

// said is what a revision says.
type said struct {
	Files []saidFile `json:"files,omitempty"`
	Edits []saidEdit `json:"edits,omitempty"`
}

type saidFile struct {
	Name  string `json:"name"`
	Sum   string `json:"sum"` // SHA-256 in hex
	Parts int    `json:"parts"`
}

type saidEdit struct {
	Name  string `json:"name"`
	Type  string `json:"type,omitempty"` // full name of the message; empty: the resource was deleted
	Value []byte `json:"value,omitempty"`
}

func headKey(topology string) string { return "intent/heads/" + topology }

func revisionKey(kind, topology string, number int64) string {
	return fmt.Sprintf("intent/%s/%s/%016d", kind, topology, number)
}

// filePart is how large a part of a file may be: with the rest of a transaction it stays below the limit of the store.
const filePart = store.MaxBytes / 2

// Head implements controller.Ledger.
func (l *intentLedger) Head(ctx context.Context, name string) (*controller.Intent, bool, error) {
	r, ok, err := l.store.Get(ctx, headKey(name))
	if err != nil || !ok {
		return nil, false, err
	}
	var head controller.Revision
	if err := unpack(r.Value, &head); err != nil {
		return nil, false, fmt.Errorf("%s: %w", r.Key, err)
	}
	in, err := l.read(ctx, head)
	return in, err == nil, err
}

// At implements controller.Ledger.
func (l *intentLedger) At(ctx context.Context, name string, number int64) (*controller.Intent, error) {
	r, ok, err := l.store.Get(ctx, revisionKey("history", name, number))
	if err == nil && !ok {
		err = fmt.Errorf("%s: revision %d: %w", name, number, controller.ErrNoRevision)
	}
	if err != nil {
		return nil, err
	}
	var revision controller.Revision
	if err := unpack(r.Value, &revision); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Key, err)
	}
	return l.read(ctx, revision)
}

// read is what a revision says.
func (l *intentLedger) read(ctx context.Context, revision controller.Revision) (*controller.Intent, error) {
	key := revisionKey("revisions", revision.Topology, revision.Number)
	r, ok, err := l.store.Get(ctx, key)
	if err == nil && !ok {
		err = fmt.Errorf("%s is missing; restore the store from a backup", key)
	}
	var what said
	if err == nil {
		err = unpack(r.Value, &what)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: revision %d: %w", revision.Topology, revision.Number, err)
	}
	out := &controller.Intent{Revision: revision}
	for _, f := range what.Files {
		data, err := l.file(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("%s: revision %d: %s: %w", revision.Topology, revision.Number, f.Name, err)
		}
		out.Files = append(out.Files, topology.Source{Name: f.Name, Data: data})
	}
	for _, e := range what.Edits {
		edit := controller.Edit{Name: e.Name}
		if e.Type != "" {
			if edit.Value, err = (&anypb.Any{TypeUrl: "type.googleapis.com/" + e.Type, Value: e.Value}).UnmarshalNew(); err != nil {
				return nil, fmt.Errorf("%s: revision %d: %s: %w", revision.Topology, revision.Number, e.Name, err)
			}
		}
		out.Edits = append(out.Edits, edit)
	}
	return out, nil
}

func partKey(sum string, part int) string { return fmt.Sprintf("intent/files/%s/%04d", sum, part) }

// file reads what is in a file.
func (l *intentLedger) file(ctx context.Context, f saidFile) ([]byte, error) {
	var packed []byte
	for i := range f.Parts {
		r, ok, err := l.store.Get(ctx, partKey(f.Sum, i))
		if err == nil && !ok {
			err = fmt.Errorf("part %d is missing; restore the store from a backup", i)
		}
		if err != nil {
			return nil, err
		}
		packed = append(packed, r.Value...)
	}
	return decoder().DecodeAll(packed, nil)
}

// Append implements controller.Ledger. Files are there before what names them; of a revision that does not come to be they are left
// over, and used again by the next that says the same.
func (l *intentLedger) Append(ctx context.Context, next *controller.Intent, events []controller.Event, r controller.Request) error {
	what, err := l.keepFiles(ctx, next.Files)
	if err != nil {
		return err
	}
	for _, e := range next.Edits {
		kept := saidEdit{Name: e.Name}
		if e.Value != nil {
			kept.Type = string(e.Value.ProtoReflect().Descriptor().FullName())
			if kept.Value, err = proto.Marshal(e.Value); err != nil {
				return fmt.Errorf("%s: %w", e.Name, err)
			}
		}
		what.Edits = append(what.Edits, kept)
	}
	history := revisionKey("history", next.Topology, next.Number)
	tx := store.Tx{Put: map[string][]byte{}, If: []store.Condition{store.Absent(history)}}
	for _, f := range what.Files {
		for i := range f.Parts {
			tx.Touch = append(tx.Touch, partKey(f.Sum, i))
		}
	}
	put := map[string]any{headKey(next.Topology): next.Revision, history: next.Revision, revisionKey("revisions", next.Topology, next.Number): what}
	if err := errors.Join(answerIn(ctx, l.store, &tx, r), tellIn(&tx, events...)); err != nil {
		return err
	}
	for key, v := range put {
		if tx.Put[key], err = pack(v); err != nil {
			return err
		}
	}
	return l.commit(ctx, tx, history)
}

// commit makes a transaction whose witness is absent before. Where the answer was lost the witness tells whether it was made.
func (l *intentLedger) commit(ctx context.Context, tx store.Tx, witness string) error {
	err := writesIntent.commit(ctx, l.store, tx)
	if errors.Is(err, store.ErrUnknown) {
		if r, ok, e := l.store.Get(ctx, witness); e == nil && ok && bytes.Equal(r.Value, tx.Put[witness]) {
			return nil
		}
	}
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("%w: %w", controller.ErrMoved, err)
	}
	return err
}

// keepFiles has the store keep what is in files, as far as it does not do so already.
func (l *intentLedger) keepFiles(ctx context.Context, files []topology.Source) (said, error) {
	var out said
	for _, f := range files {
		sum := sha256.Sum256(f.Data)
		packed := encoder().EncodeAll(f.Data, nil)
		kept := saidFile{Name: f.Name, Sum: hex.EncodeToString(sum[:])}
		for part := range slices.Chunk(packed, filePart) {
			key := partKey(kept.Sum, kept.Parts)
			kept.Parts++
			has, err := l.store.Has(ctx, []string{key})
			if err == nil && !has[key] {
				_, err = l.store.Commit(ctx, store.Tx{Put: map[string][]byte{key: part}})
			}
			if err != nil {
				return out, fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		out.Files = append(out.Files, kept)
	}
	return out, nil
}

// Heads implements controller.Ledger.
func (l *intentLedger) Heads(ctx context.Context) ([]controller.Revision, error) {
	return l.revisions(ctx, "intent/heads/")
}

// History implements controller.Ledger.
func (l *intentLedger) History(ctx context.Context, name string) ([]controller.Revision, error) {
	out, err := l.revisions(ctx, "intent/history/"+name+"/")
	slices.Reverse(out)
	return out, err
}

func (l *intentLedger) revisions(ctx context.Context, prefix string) ([]controller.Revision, error) {
	records, _, err := l.store.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	out := make([]controller.Revision, len(records))
	for i, r := range records {
		if err := unpack(r.Value, &out[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Key, err)
		}
	}
	return out, nil
}

// Answer implements controller.Ledger.
func (l *intentLedger) Answer(ctx context.Context, key string) (controller.Request, bool, error) {
	r, _, ok, err := readAnswer(ctx, l.store, key)
	return r, ok, err
}

// eventKey sorts events by time. What happened at the same time is told apart by what it is.
func eventKey(e controller.Event, part int) string {
	text, _ := json.Marshal(e) // of strings and numbers
	sum := sha256.Sum256(text)
	return fmt.Sprintf("events/%020d-%02d-%s", e.At.UnixNano(), part, hex.EncodeToString(sum[:4]))
}

// eventOf is an event of the store. Those of one transaction follow each other.
func eventOf(r store.Record, among int) (controller.Event, error) {
	var e controller.Event
	if err := unpack(r.Value, &e); err != nil {
		return e, fmt.Errorf("%s: %w", r.Key, err)
	}
	e.Sequence = r.Revision<<8 | int64(among)
	return e, nil
}

// eventsOf are the events of some records, in the order in which they happened.
func eventsOf(records []store.Record) ([]controller.Event, error) {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b store.Record) int {
		if a.Revision != b.Revision {
			return int(max(-1, min(1, a.Revision-b.Revision)))
		}
		return strings.Compare(a.Key, b.Key)
	})
	var out []controller.Event
	among := 0
	for i, r := range records {
		if i > 0 && records[i-1].Revision == r.Revision {
			among++
		} else {
			among = 0
		}
		e, err := eventOf(r, among)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}
