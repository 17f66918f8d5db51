package store

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Change is what one transaction did to the records that are watched, or why the watch ended.
type Change struct {
	Revision int64
	Put      []Record // in the order of their keys
	Deleted  []string
	Err      error // the last change of a watch: ErrCompacted, ErrStopped, ErrClosed, *CorruptError, ...
}

// Watch reports every transaction from a revision on that touched a record whose key begins with
// prefix, in order, each once and whole. It goes on over lost connections. It ends, with Err, when it
// cannot; then, or when the context ends, the channel is closed. To resume: the last Revision plus one.
// Who does not read to the end has to end the context.
func (s *Store) Watch(ctx context.Context, prefix string, from int64) <-chan Change {
	out := make(chan Change)
	go func() {
		defer close(out)
		w := watcher{s, prefix, out}
		if err := w.run(ctx, from); err != nil {
			w.send(ctx, Change{Err: fmt.Errorf("store: watch %s*: %w", prefix, err)})
		}
	}()
	return out
}

type watcher struct {
	store  *Store
	prefix string
	out    chan<- Change
}

// run reports until there is an error, or returns nil when the context ends.
func (w watcher) run(ctx context.Context, from int64) error {
	s := w.store
	if err := context.Cause(s.done); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.done, cancel)()
	// Whole transactions only: without fragments, etcd never splits a revision.
	answers := s.client.Watch(ctx, s.path(w.prefix), clientv3.WithPrefix(), clientv3.WithRev(max(1, from)))
	for answer := range answers {
		if answer.CompactRevision > 0 {
			return fmt.Errorf("revision %d: %w: the oldest known is %d; list, and watch from there", from, ErrCompacted, answer.CompactRevision)
		}
		if err := answer.Err(); err != nil && ctx.Err() == nil {
			return err
		}
		changes, err := w.changes(answer.Events)
		for _, c := range changes {
			if !w.send(ctx, c) {
				return context.Cause(s.done)
			}
		}
		if err != nil {
			return err
		}
	}
	if err := context.Cause(s.done); err != nil {
		return err
	}
	if ctx.Err() == nil {
		return rpctypes.ErrNoLeader
	}
	return nil
}

// changes groups events by revision.
func (w watcher) changes(events []*clientv3.Event) ([]Change, error) {
	var out []Change
	for _, e := range events {
		key := w.store.key(e.Kv.Key)
		if len(out) == 0 || out[len(out)-1].Revision != e.Kv.ModRevision {
			out = append(out, Change{Revision: e.Kv.ModRevision})
		}
		c := &out[len(out)-1]
		if e.Type == clientv3.EventTypeDelete {
			c.Deleted = append(c.Deleted, key)
			continue
		}
		r, err := record(key, e.Kv.Value, e.Kv.ModRevision)
		if err != nil {
			return out[:len(out)-1], err
		}
		c.Put = append(c.Put, r)
	}
	return out, nil
}

// send hands a change over, unless nobody waits any more.
func (w watcher) send(ctx context.Context, c Change) bool {
	select {
	case w.out <- c:
		return true
	default:
	}
	select {
	case w.out <- c:
		return true
	case <-ctx.Done():
		return false
	}
}
