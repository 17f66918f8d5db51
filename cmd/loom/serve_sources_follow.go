package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// sourceRun follows one source. What it decides is in controller.Source, Following and Commit; it is level-triggered as all of the
// controller is: it does what is next for its commit as that is kept, whoever has brought it there.
type sourceRun struct {
	s         *serving
	name      string
	changed   chan struct{} // the source may be another one, or gone
	stirred   chan struct{} // what its commit waits for may have come
	questions chan *syncAsk
	holds     atomic.Bool  // it is this process that follows it
	looked    atomic.Int64 // when it last looked, in nanoseconds since 1970; 0: not yet

	// The rest is of the goroutine that runs it.
	lease     *store.Lease
	record    store.Record // of the source
	source    controller.Source
	at        controller.Following
	commit    *controller.Commit // that is followed; nil: none
	place     place
	overwrite bool                // somebody has said so, and waits
	after     time.Time           // nothing is done for the commit before
	fails     int                 // attempts in a row to do something for it
	applying  chan applyingResult // nil: it has no transaction under way
	begun     chan string         // id of that
	troubled  *controller.Trouble // of which was told
}

// syncAsk is that somebody wants it looked at now.
type syncAsk struct {
	overwrite bool
	answered  chan error
}

type applyingResult struct {
	transaction.Result
	err error
}

func newSourceRun(s *serving, name string) *sourceRun {
	return &sourceRun{s: s, name: name, changed: make(chan struct{}, 1), stirred: make(chan struct{}, 1), questions: make(chan *syncAsk)}
}

func (f *sourceRun) lookedAt() time.Time {
	if n := f.looked.Load(); n != 0 {
		return time.Unix(0, n).UTC()
	}
	return time.Time{}
}

// run follows the source until ctx ends, or the source is gone.
func (f *sourceRun) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.follow(ctx)
		switch {
		case errors.Is(err, errGone):
			if err := os.RemoveAll(f.s.cloneOf(f.name)); err != nil {
				f.s.log.Error("the clone of a source that is gone stays", "source", f.name, "error", err)
			}
			if f.s.followers.forget(f) {
				return
			}
		case ctx.Err() == nil && !errors.Is(err, store.ErrConflict): // somebody else has changed something: it is read again
			f.s.log.Error("the source is not followed; trying again", "source", f.name, "error", err)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}
}

// load reads the source, and how far it was followed.
func (f *sourceRun) load(ctx context.Context) error {
	r, ok, err := f.s.store.Get(ctx, sourceKey(f.name))
	if err == nil && !ok {
		err = errGone
	}
	if err != nil {
		return err
	}
	var src controller.Source
	if err := unpack(r.Value, &src); err != nil {
		return fmt.Errorf("%s: %w", r.Key, err)
	}
	if f.place == nil || f.source.Place() != src.Place() {
		f.place = placeOf(&src, f.s.cloneOf(f.name))
	}
	f.record, f.source = r, src
	f.at, f.commit, err = f.s.followed(ctx, &src)
	f.troubled = f.at.Trouble
	return err
}

// follow follows the source as long as that is this process's to do.
func (f *sourceRun) follow(ctx context.Context) (err error) {
	if err := f.load(ctx); err != nil {
		return err
	}
	if f.lease, err = f.s.store.Hold(ctx, "source/"+f.name, store.Holder{Who: whoAmI(), Wait: true, TTL: boundsOf(f.s.store).Lease}); err != nil {
		return err
	}
	defer f.release()
	if err := f.load(ctx); err != nil {
		return err
	}
	f.holds.Store(true)
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		var asked *syncAsk
		again := time.NewTimer(remaining(f.after))
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-f.lease.Lost():
			err = fmt.Errorf("%w: another controller follows it", store.ErrLost)
		case <-f.changed:
			if err = f.load(ctx); err == nil {
				look.Reset(0)
			}
		case <-look.C:
			err = f.look(ctx, false)
			look.Reset(f.at.Pause(&f.source))
		case asked = <-f.questions:
			err = f.asked(ctx, asked.overwrite)
		case <-f.stirred:
			f.after = time.Time{}
		case <-again.C:
			f.after = time.Time{}
		case id := <-f.begun:
			c := *f.commit
			c.Transaction = id
			err = f.keep(ctx, &c)
		case r := <-f.applying:
			f.applying = nil
			err = f.ended(ctx, r)
		}
		again.Stop()
		if err == nil {
			err = f.advance(ctx)
		}
		if asked != nil {
			f.overwrite = false
			asked.answered <- err
		}
		if err != nil {
			return err
		}
	}
}

// forEver is longer than anything that is waited for.
const forEver = 24 * time.Hour

// remaining is how long it is until something is to be done; of no time for ever, as nothing is.
func remaining(at time.Time) time.Duration {
	if at.IsZero() {
		return forEver
	}
	return max(time.Until(at), 0)
}

// release gives the source back. A transaction is carried to its end before.
func (f *sourceRun) release() {
	f.holds.Store(false)
	if f.applying != nil {
		r := <-f.applying
		f.applying = nil
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_ = f.ended(ctx, r) // the journal knows it, too
		cancel()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := f.lease.Release(ctx); err != nil {
		f.s.log.Error("the lock on a source is not released", "source", f.name, "error", err)
	}
}

// look finds out what is at the source now. What it has while a transaction is under way is looked at behind that.
func (f *sourceRun) look(ctx context.Context, overwrite bool) error {
	if f.applying != nil {
		return nil
	}
	tip, err := f.place.find(ctx, f.at.Tip)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := time.Now().UTC()
	f.looked.Store(now.UnixNano())
	was := f.at
	if err != nil {
		if !f.at.Fail(controller.Away, err.Error(), now) {
			return nil
		}
		return f.keep(ctx)
	}
	commits := f.at.Find(&f.source, tip, f.commit, overwrite, now)
	if len(commits) == 0 && reflect.DeepEqual(was.Trouble, f.at.Trouble) {
		return nil
	}
	if len(commits) > 0 {
		f.after, f.fails = time.Time{}, 0
	}
	if err := f.keep(ctx, commits...); err != nil {
		return err
	}
	if f.at.Tip != was.Tip {
		if err := f.place.took(ctx, f.at.Tip); err != nil { // a history that is rewritten is told from what the store has
			f.s.log.Error("the clone does not keep what is followed", "source", f.name, "error", err)
		}
	}
	return nil
}

// asked looks at the source as somebody has asked for, and tries again what was put aside.
func (f *sourceRun) asked(ctx context.Context, overwrite bool) error {
	if f.applying != nil {
		return nil
	}
	f.overwrite, f.after, f.fails = overwrite, time.Time{}, 0
	if err := f.look(ctx, overwrite); err != nil || f.commit == nil {
		return err
	}
	if c := f.commit.Again(overwrite, time.Now().UTC()); c != f.commit {
		return f.keep(ctx, c)
	}
	return nil
}

// keep keeps how far the source was followed, with commits that are new or in another state, and tells of them. It is refused with
// store.ErrConflict where the source is another one by now, or another process follows it.
func (f *sourceRun) keep(ctx context.Context, commits ...*controller.Commit) error {
	tx := store.Tx{If: []store.Condition{store.Unchanged(f.record), f.lease.Condition()}, Put: map[string][]byte{}}
	put := map[string]any{followingKey(f.name): f.at}
	for _, c := range commits {
		put[commitKey(f.name, c.Number)] = c
		if old := c.Number - mostCommits; old > 0 && old != f.at.Current {
			tx.Delete = append(tx.Delete, commitKey(f.name, old))
		}
	}
	for key, v := range put {
		var err error
		if tx.Put[key], err = pack(v); err != nil {
			return err
		}
	}
	if _, err := f.s.store.Commit(ctx, tx); err != nil {
		return fmt.Errorf("source %s: %w", f.name, err)
	}
	f.tell(commits)
	for _, c := range commits {
		if c.Number == f.at.Current {
			f.commit = c
		}
	}
	return nil
}

// tell tells those who watch what has become of the source, and of its commits.
func (f *sourceRun) tell(commits []*controller.Commit) {
	note := func(c *controller.Commit, subject, message string) {
		e := controller.Event{Kind: controller.SourceEvent, Topology: f.at.Topology, By: f.source.Writer(), Subject: subject, Message: fmt.Sprintf("source %s: %s", f.name, message)}
		if c != nil {
			e.Revision = c.Revision
		}
		f.s.note(e)
	}
	switch t, was := f.at.Trouble, f.troubled; {
	case t != nil && (was == nil || *t != *was):
		note(nil, f.name, fmt.Sprintf("%s: %s", t.Kind, t.Reason))
	case t == nil && was != nil:
		note(nil, f.name, "it is followed again")
	}
	f.troubled = f.at.Trouble
	for _, c := range commits {
		if was := f.commit; was != nil && was.Number == c.Number && was.State == c.State && was.Reason == c.Reason {
			continue
		}
		text := fmt.Sprintf("commit %s: %s", c.Short(), c.State)
		if c.Reason != "" {
			text += ": " + c.Reason
		}
		note(c, c.ID, text)
	}
}
