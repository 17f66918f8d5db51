package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Old revisions of a member are forgotten by the number of transactions, not by the clock: a program
// that runs for a second has to tidy up as well as one that runs for a month. A cluster is its
// owner's to compact.
const (
	compactKeep  = 1000 // revisions that a watch can go back
	compactEvery = 500  // transactions between compactions
)

type compactor struct {
	mu   sync.Mutex
	last int64 // revision of the last compaction that was asked for, plus what is kept
}

// committed forgets what is old now and then, beside the caller.
func (s *Store) committed(revision int64) {
	if s.Shared() {
		return
	}
	c := &s.compact
	c.mu.Lock()
	due := revision-c.last >= compactEvery
	if due {
		c.last = revision
	}
	c.mu.Unlock()
	if !due || revision <= compactKeep {
		return
	}
	s.beside(func() {
		// It may fail: the next one forgets as much and more.
		_, _ = ask(s.done, s, func(ctx context.Context) (*clientv3.CompactResponse, error) {
			return s.client.Compact(ctx, revision-compactKeep)
		})
	})
}

// startCompactor begins where an earlier process may have ended.
func (s *Store) startCompactor(ctx context.Context) {
	answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return s.client.Get(ctx, s.path(""), clientv3.WithSerializable())
	})
	if err == nil {
		s.committed(answer.Header.Revision - answer.Header.Revision%compactEvery)
	}
}

// breakLocks ends the leases of earlier processes. The directory is this process's alone, so none of
// them has a holder; waiting for their time to run out would serve nobody.
func (s *Store) breakLocks(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	leases, err := ask(ctx, s, func(ctx context.Context) (*clientv3.LeaseLeasesResponse, error) {
		return s.client.Leases(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: locks of earlier processes: %w", err)
	}
	for _, l := range leases.Leases {
		if err := s.revoke(ctx, l.ID); err != nil {
			return fmt.Errorf("store: locks of earlier processes: %w", err)
		}
	}
	return nil
}
