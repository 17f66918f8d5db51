package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/store"
)

// auditWriter writes entries into the queue of the audit log. What several want written at the same time is one write.
type auditWriter struct {
	store   *store.Store
	replica string
	now     func() time.Time
	wrote   func() // something was; may be nil

	turn chan struct{} // held by who writes

	mu    sync.Mutex
	queue *auditQueue
	next  *auditPage // that waits to be written; nil: none
	late  *time.Timer
}

// auditPage is what is written together.
type auditPage struct {
	entries []audit.Entry
	done    chan struct{}
	err     error
}

func newAuditWriter(s *store.Store, replica string) *auditWriter {
	return &auditWriter{store: s, replica: replica, now: time.Now, queue: newAuditQueue(), turn: make(chan struct{}, 1)}
}

// How long what changes nothing may wait to be written, and how much of it may.
const (
	auditGathering = 100 * time.Millisecond
	auditWaiting   = 10_000
)

// auditPatience is how long a write may take.
const auditPatience = 30 * time.Second

// errUnaudited is why something is not done: that it was could not be written down.
var errUnaudited = errors.New("the audit log cannot be written, and what it does not tell of is not done")

// id is one that no other entry has.
func (w *auditWriter) id() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.id()
}

// fill gives an entry what all entries of this process have.
func (w *auditWriter) fill(e audit.Entry) audit.Entry {
	if e.At.IsZero() {
		e.At = w.now().UTC()
	}
	e.Replica = w.replica
	return e
}

// enqueue adds entries to what is written in a transaction of the store.
func (w *auditWriter) enqueue(tx *store.Tx, entries []audit.Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.enqueue(tx, w.store.Operations(), w.now(), entries)
}

// join adds entries to the page that is written next.
func (w *auditWriter) join(entries []audit.Entry) *auditPage {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next == nil {
		w.next = &auditPage{done: make(chan struct{})}
	}
	for _, e := range entries {
		w.next.entries = append(w.next.entries, w.fill(e))
	}
	return w.next
}

// durable writes entries, and returns when they are on the disk.
func (w *auditWriter) durable(ctx context.Context, entries ...audit.Entry) error {
	if err := w.written(ctx, w.join(entries)); err != nil {
		return fmt.Errorf("%w: %w", errUnaudited, err)
	}
	return nil
}

// gather has entries written soon.
func (w *auditWriter) gather(ctx context.Context, entries ...audit.Entry) error {
	p := w.join(entries)
	w.mu.Lock()
	full := len(p.entries) > auditWaiting
	if w.late == nil {
		w.late = time.AfterFunc(auditGathering, func() {
			w.mu.Lock()
			w.late = nil
			w.mu.Unlock()
			_ = w.flush(context.Background()) // who writes next finds out
		})
	}
	w.mu.Unlock()
	if full { // whoever asks faster than can be written waits
		return w.written(ctx, p)
	}
	return nil
}

// flush writes what waits.
func (w *auditWriter) flush(ctx context.Context) error {
	w.mu.Lock()
	p := w.next
	w.mu.Unlock()
	if p == nil {
		return nil
	}
	return w.written(ctx, p)
}

// written returns when a page is on the disk: whoever has the turn writes it for all that wait.
func (w *auditWriter) written(ctx context.Context, p *auditPage) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	}
	w.mu.Lock()
	mine := w.next == p
	if mine {
		w.next = nil
	}
	w.mu.Unlock()
	if mine {
		p.err = w.write(p.entries)
		close(p.done)
	}
	<-p.done
	return p.err
}

// write makes entries durable. It does not end with who asked: others wait for the same page.
func (w *auditWriter) write(entries []audit.Entry) error {
	ctx, cancel := context.WithTimeout(context.Background(), auditPatience)
	defer cancel()
	var tx store.Tx
	if err := w.enqueue(&tx, entries); err != nil {
		return err
	}
	for _, key := range sortedKeys(tx.Put) {
		if err := w.put(ctx, key, tx.Put[key]); err != nil {
			return err
		}
	}
	if w.wrote != nil {
		w.wrote()
	}
	return nil
}

// put writes one page. While it is not known whether it was written it is written again: it is taken into the log once.
func (w *auditWriter) put(ctx context.Context, key string, value []byte) error {
	tx := store.Tx{Put: map[string][]byte{key: value}}
	_, err := w.store.Commit(ctx, tx)
	for wait := 50 * time.Millisecond; errors.Is(err, store.ErrUnknown) && ctx.Err() == nil; wait = min(2*wait, time.Second) {
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
		_, err = w.store.Commit(ctx, tx)
	}
	return err
}
