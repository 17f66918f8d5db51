package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
)

// How events are kept.
const (
	eventsOfOne = 64    // in one transaction of the store
	eventsKept  = 10000 // that wait to be written; what comes beyond is counted, and said
)

// pageOfEvents is what waits to be written: events, and what is known of devices. What waits is written together.
type pageOfEvents struct {
	sync.Mutex
	lines  []line
	events int // of the lines
	do     []func(context.Context) error
	lost   int
}

// line is what is written at once: events, and what is kept since they were told. The zero key keeps nothing.
type line struct {
	events []controller.Event
	key    string
	value  any
}

// note keeps an event. It does not wait.
func (s *serving) note(e controller.Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.At = e.At.UTC()
	s.noteAll(line{events: []controller.Event{e}})
}

// noteAll keeps events, and what was told by them. It does not wait.
func (s *serving) noteAll(l line) {
	s.page.Lock()
	if room := max(eventsKept-s.page.events, 0); room < len(l.events) {
		s.page.lost += len(l.events) - room
		l.events = l.events[:room]
	}
	s.page.events += len(l.events)
	s.page.lines = append(s.page.lines, l)
	s.page.Unlock()
	s.turnPage()
}

// later does something that may wait for the store, in the order in which it was asked for.
func (s *serving) later(do func(context.Context) error) {
	s.page.Lock()
	s.page.do = append(s.page.do, do)
	s.page.Unlock()
	s.turnPage()
}

func (s *serving) turnPage() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write writes down what waits, until ctx ends and nothing waits any more.
func (s *serving) write(ctx context.Context) {
	for {
		select {
		case <-s.wake:
			s.writePage()
		case <-ctx.Done():
			s.writePage()
			return
		}
	}
}

// writePage writes down what waits. What the store does not take is lost, as is what a crash leaves unwritten: nothing in Loom depends
// on an event, and what is known of a device is found out again.
func (s *serving) writePage() {
	s.page.Lock()
	lines, do, lost := s.page.lines, s.page.do, s.page.lost
	s.page.lines, s.page.events, s.page.do, s.page.lost = nil, 0, nil, 0
	s.page.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if lost > 0 {
		lines = append(lines, line{events: []controller.Event{{At: time.Now().UTC(), Kind: controller.ControllerEvent,
			Message: fmt.Sprintf("%d events came faster than they could be kept, and are lost", lost)}}})
	}
	s.measures.eventsLost(lost)
	for _, tx := range transactionsOf(lines) {
		if err := writesEvents.commit(ctx, s.store, tx.Tx); err != nil {
			s.measures.eventsLost(tx.events)
			s.log.Error("events were not kept", "events", tx.events, "error", err)
			break
		}
		s.measures.eventsKept(tx.events)
		if s.written += tx.events; s.written >= eventsBetween {
			s.written = 0
			if err := forgetEvents(ctx, s.store, eventsRemembered); err != nil {
				s.log.Error("old events were not forgotten", "error", err)
			}
		}
	}
	for _, f := range do {
		if err := f(ctx); err != nil && !errors.Is(err, store.ErrConflict) {
			s.log.Error("the store", "error", err)
		}
	}
}

// pageTx is a part of a page, as the store takes it.
type pageTx struct {
	store.Tx
	events, size int
}

// transactionsOf are lines as the store takes them, in their order: each whole in one transaction, or, where that is too much, what is
// kept of it with the last of its events.
func transactionsOf(lines []line) []*pageTx {
	var out []*pageTx
	room := func(events int) *pageTx {
		if len(out) == 0 || out[len(out)-1].events+events > eventsOfOne || len(out[len(out)-1].Put) >= 3*eventsOfOne/2 || out[len(out)-1].size > store.MaxBytes/2 {
			out = append(out, &pageTx{Tx: store.Tx{Put: map[string][]byte{}}})
		}
		return out[len(out)-1]
	}
	for _, l := range lines {
		for part := range slices.Chunk(l.events, eventsOfOne) {
			tx := room(len(part))
			for _, e := range part {
				if data, err := pack(e); err == nil {
					tx.Put[eventKey(e, tx.events)] = data
					tx.events, tx.size = tx.events+1, tx.size+len(data)
				}
			}
		}
		if l.key == "" {
			continue
		}
		if data, err := pack(l.value); err == nil {
			tx := room(0)
			tx.Put[l.key] = data
			tx.size += len(data)
		}
	}
	return out
}

// How many events are remembered, and how many are written until the oldest are forgotten.
const (
	eventsRemembered = 100_000
	eventsBetween    = 1024
)

// forgottenKey has the sequence number up to which events are forgotten.
const forgottenKey = "forgotten/events"

// forgetEvents deletes the oldest events but for so many, and those that were written with the first that stays: their numbers among
// them would be others.
func forgetEvents(ctx context.Context, s *store.Store, but int) error {
	keys, err := s.Keys(ctx, "events/")
	if err != nil || len(keys) <= but {
		return err
	}
	slices.SortStableFunc(keys, func(a, b store.Record) int { return cmp.Compare(a.Revision, b.Revision) })
	first := keys[len(keys)-but].Revision
	old := keys[:slices.IndexFunc(keys, func(r store.Record) bool { return r.Revision == first })]
	for some := range slices.Chunk(old, s.Operations()-1) {
		tx := store.Tx{Put: map[string][]byte{forgottenKey: []byte(strconv.FormatInt(some[len(some)-1].Revision<<8|0xff, 10))}}
		for _, r := range some {
			tx.Delete = append(tx.Delete, r.Key)
		}
		if _, err := s.Commit(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// remembered tells whether all that happened behind a sequence number is there; 0 asks for what there is.
func remembered(ctx context.Context, s *store.Store, after int64) error {
	r, ok, err := s.Get(ctx, forgottenKey)
	if err != nil || !ok || after == 0 {
		return err
	}
	forgotten, err := strconv.ParseInt(string(r.Value), 10, 64)
	if err == nil && after < forgotten {
		err = controller.ErrForgotten
	}
	return err
}

// Events implements controller.Operations.
func (s *serving) Events(ctx context.Context, after int64) ([]controller.Event, int64, error) {
	records, revision, err := s.store.List(ctx, "events/")
	if err == nil {
		err = remembered(ctx, s.store, after)
	}
	if err != nil {
		return nil, 0, err
	}
	all, err := eventsOf(records)
	if err != nil {
		return nil, 0, err
	}
	i := 0
	for i < len(all) && all[i].Sequence <= after {
		i++
	}
	return all[i:], revision<<8 | 0xff, nil
}

// Follow implements controller.Operations. What is in the list was written before the watch begins, which misses nothing behind it.
func (s *serving) Follow(ctx context.Context, after int64, on func(controller.Event) error) error {
	events, last, err := s.Events(ctx, after)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := on(e); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for c := range s.store.Watch(ctx, "events/", last>>8+1) {
		switch {
		case errors.Is(c.Err, store.ErrCompacted):
			return controller.ErrForgotten
		case c.Err != nil:
			return c.Err
		}
		events, err := eventsOf(c.Put)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := on(e); err != nil {
				return err
			}
		}
	}
	return context.Cause(ctx)
}
