package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Keys lists what List does, without the values, all as of one revision.
func (s *Store) Keys(ctx context.Context, prefix string) ([]Record, error) {
	answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return s.client.Get(ctx, s.path(prefix), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	})
	if err != nil {
		return nil, fmt.Errorf("store: %s*: %w", prefix, err)
	}
	out := make([]Record, len(answer.Kvs))
	for i, kv := range answer.Kvs {
		out[i] = Record{Key: s.key(kv.Key), Revision: kv.ModRevision}
	}
	return out, nil
}

// Has tells which of some keys have a record. Somebody else may change that at once, and a member of a cluster may answer
// as of a moment ago: Tx.Touch makes sure. It waits for no disk.
func (s *Store) Has(ctx context.Context, keys []string) (map[string]bool, error) {
	out := make(map[string]bool, len(keys))
	for some := range slices.Chunk(keys, s.options.Operations) {
		gets := make([]clientv3.Op, len(some))
		for i, key := range some {
			gets[i] = clientv3.OpGet(s.path(key), clientv3.WithCountOnly(), clientv3.WithSerializable())
		}
		answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.TxnResponse, error) {
			return s.client.Txn(ctx).Then(gets...).Commit()
		})
		if err != nil {
			return nil, fmt.Errorf("store: %s and %d more: %w", some[0], len(some)-1, err)
		}
		for i, r := range answer.Responses {
			out[some[i]] = r.GetResponseRange().GetCount() > 0
		}
	}
	return out, nil
}

// Pack forgets all that was overwritten or deleted, and makes the database of a member as small as what is left, in
// bytes. A Watch cannot go back behind it. While it runs the store answers nobody: some 100 MB a second.
// Errors: a cluster is its owner's to pack.
func (s *Store) Pack(ctx context.Context) (before, after int64, err error) {
	if s.Shared() {
		return 0, 0, errors.New("store: a cluster is packed by its owner: etcdctl compact, then etcdctl defrag")
	}
	answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return s.client.Get(ctx, s.path(""))
	})
	if err == nil {
		_, err = ask(ctx, s, func(ctx context.Context) (*clientv3.CompactResponse, error) {
			return s.client.Compact(ctx, answer.Header.Revision, clientv3.WithCompactPhysical())
		})
	}
	if err != nil && !errors.Is(err, rpctypes.ErrCompacted) { // nothing was written since
		return 0, 0, fmt.Errorf("store: pack: %w", err)
	}
	sizes, err := ask(ctx, s, func(context.Context) ([2]int64, error) {
		backend := s.member.etcd.Server.Backend()
		before := backend.Size()
		err := backend.Defrag()
		return [2]int64{before, backend.Size()}, err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("store: pack: %w", err)
	}
	return sizes[0], sizes[1], nil
}
