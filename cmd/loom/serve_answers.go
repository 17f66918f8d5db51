package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// What requests with a key have come to is kept with what they have done, and forgotten after controller.RequestsLast:
//
//	answers/KEY  a controller.Request
func answerKey(key string) string { return "answers/" + key }

// readAnswer is what a request came to; ok is false where nobody has made it.
func readAnswer(ctx context.Context, s *store.Store, key string) (r controller.Request, at store.Record, ok bool, err error) {
	if key == "" {
		return r, at, false, nil
	}
	if at, ok, err = s.Get(ctx, answerKey(key)); err == nil && ok {
		if err = unpack(at.Value, &r); err != nil {
			err = fmt.Errorf("%s: %w", at.Key, err)
		}
	}
	return r, at, ok, err
}

// answerIn has a transaction of the store keep what a request has come to. One that nobody may repeat is not kept; another one with the
// key has to be over.
func answerIn(ctx context.Context, s *store.Store, tx *store.Tx, r controller.Request) error {
	if r.Key == "" {
		return nil
	}
	old, at, there, err := readAnswer(ctx, s, r.Key)
	if err != nil {
		return err
	}
	free := store.Absent(answerKey(r.Key))
	if there && old.Over(r.At) {
		free = store.Unchanged(at)
	}
	data, err := pack(r)
	if err != nil {
		return err
	}
	if tx.Put == nil {
		tx.Put = map[string][]byte{}
	}
	tx.Put[answerKey(r.Key)], tx.If = data, append(tx.If, free)
	return nil
}

// answered is what a request came to; ok is false where nobody has made it.
func (s *serving) answered(ctx context.Context, ask controller.Request) (controller.Request, bool, error) {
	old, _, ok, err := readAnswer(ctx, s.store, ask.Key)
	if err == nil && ok {
		ok, err = old.Answers(ask, time.Now())
	}
	return old, ok, err
}

// turn waits until nobody does what has the key of a request, and has others wait until end is called.
func (s *serving) turn(ctx context.Context, ask controller.Request) (end func(), err error) {
	if ask.Key == "" {
		return func() {}, nil
	}
	mine := make(chan struct{})
	for {
		s.mu.Lock()
		before := s.asking[ask.Key]
		if before == nil {
			if s.asking == nil {
				s.asking = map[string]chan struct{}{}
			}
			s.asking[ask.Key] = mine
		}
		s.mu.Unlock()
		if before == nil {
			return sync.OnceFunc(func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.asking, ask.Key)
				close(mine)
			}), nil
		}
		select {
		case <-before:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// once carries a transaction out, unless somebody has asked for it before: then it tells how that goes, and how it ended. do calls begun
// when the transaction is in its journal, with the answer.
func (s *serving) once(ctx context.Context, ask controller.Request, tell func(controller.Step), do func(begun func()) (transaction.Result, error)) (transaction.Result, error) {
	end, err := s.turn(ctx, ask)
	if err != nil {
		return transaction.Result{}, err
	}
	defer end()
	old, ok, err := s.answered(ctx, ask)
	switch {
	case err != nil:
		return transaction.Result{}, err
	case ok:
		end()
		return s.followUp(ctx, old, tell)
	}
	res, err := do(end)
	if err == nil && res.ID == "" { // nothing was to be changed, and there is no journal to keep it with
		ask.At = time.Now().UTC()
		err = s.keepAnswer(context.WithoutCancel(ctx), ask)
	}
	return res, err
}

func (s *serving) keepAnswer(ctx context.Context, ask controller.Request) error {
	if ask.Key == "" {
		return nil
	}
	tx := store.Tx{}
	if err := answerIn(ctx, s.store, &tx, ask); err != nil {
		return err
	}
	return writesAnswer.commit(ctx, s.store, tx)
}

// Answered implements controller.Operations.
func (s *serving) Answered(ctx context.Context, ask controller.Request) (transaction.Result, bool, error) {
	old, ok, err := s.answered(ctx, ask)
	if err != nil || !ok {
		return transaction.Result{}, false, err
	}
	res, err := s.followUp(ctx, old, func(controller.Step) {})
	return res, err == nil, err
}

// followUp tells how a transaction goes that a request came to, and returns how it ended.
func (s *serving) followUp(ctx context.Context, r controller.Request, tell func(controller.Step)) (transaction.Result, error) {
	if r.Transaction == "" {
		return transaction.Result{}, nil
	}
	v, err := s.goesOn(ctx, r.Transaction)
	if errors.Is(err, controller.ErrNoTransaction) {
		return transaction.Result{}, fmt.Errorf("%s: the request came to a transaction that is forgotten since: %w", r.Key, err)
	}
	if err != nil || v == nil {
		return transaction.Result{ID: r.Transaction, Outcome: transaction.Interrupted}, err
	}
	tell(controller.Step{Transaction: r.Transaction, At: v.Began, HeldUntil: v.HeldUntil})
	v, err = s.WatchTransaction(ctx, r.Transaction, func(m controller.Moment) error {
		if m.Device != "" {
			tell(controller.Step{Transaction: r.Transaction, At: m.At, Event: &transaction.Event{Device: m.Device, Status: m.Status}})
		}
		return nil
	}, func(controller.Progress) error { return nil })
	if err != nil {
		return transaction.Result{}, err
	}
	res := transaction.Result{ID: v.ID, Outcome: v.Outcome, Devices: v.Devices, Errors: v.Errors}
	if v.Why != "" {
		res.Err = errors.New(v.Why)
	}
	return res, nil
}

// goesOn is a transaction that is over, or that somebody carries out; nil: its journal has failed, and it is gone on with at the next
// start.
func (s *serving) goesOn(ctx context.Context, id string) (*controller.TransactionView, error) {
	v, err := s.Transaction(ctx, id)
	if err != nil || v.Outcome != "" {
		return v, err
	}
	f, err := s.inCare(ctx, v.Topology) // what was left open has ended then
	if err != nil {
		return nil, err
	}
	if runs := f.runs.Load(); runs != nil && *runs == id {
		return v, nil
	}
	if v, err = s.Transaction(ctx, id); err != nil || v.Outcome != "" {
		return v, err
	}
	return nil, nil
}

// forgetAnswers forgets what requests have come to so long ago that it is not remembered any more.
func forgetAnswers(ctx context.Context, s *store.Store, now time.Time) error {
	all, _, err := s.List(ctx, answerKey(""))
	if err != nil {
		return err
	}
	var old []store.Record
	for _, r := range all {
		var was controller.Request
		if err := unpack(r.Value, &was); err != nil {
			return fmt.Errorf("%s: %w", r.Key, err)
		}
		if was.Over(now) {
			old = append(old, r)
		}
	}
	for some := range slices.Chunk(old, max(s.Operations()/2, 1)) {
		tx := store.Tx{}
		for _, r := range some {
			tx.Delete, tx.If = append(tx.Delete, r.Key), append(tx.If, store.Unchanged(r))
		}
		if _, err := s.Commit(ctx, tx); err != nil && !errors.Is(err, store.ErrConflict) { // one is in use again: the others go the next time
			return err
		}
	}
	return nil
}
