package store

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Holding is a lock that somebody has, as others see it.
type Holding struct {
	Name  string
	Who   string
	Since time.Time
	Epoch int64
	Says  []byte // what its holder has said when it was taken; not to be changed
}

// Holders are the locks whose names begin with prefix and that somebody has, sorted by name, all as of one revision. It returns that
// revision. A holder that died is among them until its TTL is over.
func (s *Store) Holders(ctx context.Context, prefix string) ([]Holding, int64, error) {
	path := s.options.Root + locks
	answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return s.client.Get(ctx, path+prefix, clientv3.WithPrefix())
	})
	if err != nil {
		return nil, 0, fmt.Errorf("locks %s*: %w", prefix, err)
	}
	var out []Holding
	for _, kv := range answer.Kvs {
		name := string(kv.Key[len(path):])
		var h holding
		if err := decode(locks+name, kv.Value, kv.ModRevision, &h); err != nil {
			return nil, 0, err
		}
		out = append(out, Holding{name, h.Who, h.Since, h.Epoch, h.Says})
	}
	return out, answer.Header.Revision, nil
}

// FollowHolders calls on with the locks whose names begin with prefix, and again whenever one of them is taken or let go, until the
// context ends. Calls may be fewer than changes: each is what there is. It goes on over lost connections, and returns why it cannot.
func (s *Store) FollowHolders(ctx context.Context, prefix string, on func([]Holding)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.done, cancel)()
	for {
		all, at, err := s.Holders(ctx, prefix)
		if err != nil {
			return err
		}
		on(all)
		if err := s.untilHeld(ctx, prefix, at+1); err != nil {
			return err
		}
	}
}

// untilHeld waits until a lock is taken or let go after a revision.
func (s *Store) untilHeld(ctx context.Context, prefix string, from int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for answer := range s.client.Watch(ctx, s.options.Root+locks+prefix, clientv3.WithPrefix(), clientv3.WithRev(from)) {
		if err := answer.Err(); err != nil && answer.CompactRevision == 0 {
			return err
		}
		if len(answer.Events) > 0 || answer.CompactRevision > 0 {
			return nil
		}
	}
	if err := context.Cause(s.done); err != nil {
		return err
	}
	return ctx.Err()
}
