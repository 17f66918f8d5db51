// Package store keeps what must survive: records under keys, written by transactions that are on the
// disk before they are acknowledged.
//
// It is etcd in one code path: a member inside this process by default, a cluster of the user's where
// there is one. The member has no listener at all, neither TCP nor a socket file: requests are
// function calls.
//
// The rule that matters most: after an error of the disk nothing is retried as if it had been written.
// The store stops, and says so with every call.
package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Options say where a store is. Exactly one of Dir and Endpoints is given.
type Options struct {
	// Dir is the data directory of a member inside this process. If it is not there, it is made with
	// mode 0700; the folder etcd in it always has that mode. One process at a time has it open.
	Dir string

	// Endpoints are those of the user's etcd cluster, as https://host:2379; TLS is how to reach them.
	Endpoints []string
	TLS       *tls.Config

	// Root is put before every key in a cluster that others use as well. Default: "loom/".
	// Whoever shares records has to give the same.
	Root string

	// Operations is how many puts and deletes a transaction may have. Default: MaxOperations; a cluster's owner may
	// allow less (--max-txn-ops).
	Operations int

	// Owner says to others who has the directory, as "ann@host pid 4711 loom apply".
	Owner string

	// Wait waits for a directory that another process has open until the context ends, instead of
	// returning a *HeldError.
	Wait bool

	// Committed is told of each transaction that was tried: how long it took, and its error. It is called by whoever commits,
	// so it should not wait. Default: nobody is told.
	Committed func(took time.Duration, err error)

	// Now is the clock for what people read: since when something is held. Default: time.Now.
	Now func() time.Time

	batchInterval time.Duration // tests: how long the member may leave applied records out of its database
}

// Store is an open store. It is safe for concurrent use.
type Store struct {
	options Options
	client  *clientv3.Client
	member  *member // nil for a cluster
	notices []string
	fail    failure
	done    context.Context // ends with Close or with a failure
	end     context.CancelCauseFunc
	closing sync.Once
	closed  error
	compact compactor

	starting sync.Mutex // of what runs beside, against ending
	ending   bool
	running  sync.WaitGroup
}

// Record is what is stored under a key.
type Record struct {
	Key      string
	Value    []byte
	Revision int64 // of the transaction that wrote it; rises with every transaction of the store
}

// Open opens a store, and a new one where there is none. For a directory it takes well below a second;
// the context bounds how long an election or a cluster may take.
//
// Errors: *HeldError if another process has the directory, *CorruptError if its log is damaged before
// its end. A log whose last record was cut off by a crash is repaired; Notices says so.
func Open(ctx context.Context, o Options) (*Store, error) {
	if (o.Dir == "") == (len(o.Endpoints) == 0) {
		return nil, errors.New("store: give either a directory or endpoints")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Root == "" {
		o.Root = "loom/"
	}
	if o.Operations == 0 {
		o.Operations = MaxOperations
	}
	s := &Store{options: o}
	s.done, s.end = context.WithCancelCause(context.Background())
	open := s.openMember
	if s.Shared() {
		open = s.openCluster
	}
	if err := open(ctx); err != nil {
		s.end(err)
		return nil, err
	}
	return s, nil
}

// Shared tells whether others can have the store open at the same time.
func (s *Store) Shared() bool { return len(s.options.Endpoints) > 0 }

// Operations is how many puts and deletes a transaction may have.
func (s *Store) Operations() int { return s.options.Operations }

// Notices are what opening found and mended, for people to read.
func (s *Store) Notices() []string { return s.notices }

// Get reads one record. It sees every transaction that was acknowledged before the call, to whomever.
// Errors: *CorruptError, *NewerError.
func (s *Store) Get(ctx context.Context, key string) (Record, bool, error) {
	answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return s.client.Get(ctx, s.path(key))
	})
	if err != nil {
		return Record{}, false, fmt.Errorf("store: %s: %w", key, err)
	}
	if len(answer.Kvs) == 0 {
		return Record{}, false, nil
	}
	r, err := record(key, answer.Kvs[0].Value, answer.Kvs[0].ModRevision)
	return r, err == nil, err
}

// page is how many records one request reads.
const page = 500

// List reads every record whose key begins with prefix, sorted by key, all as of one revision. It
// returns that revision: a Watch from the one after it misses nothing.
// Errors: as Get; the first corrupt record ends it.
func (s *Store) List(ctx context.Context, prefix string) ([]Record, int64, error) {
	var out []Record
	var at int64
	from, end := s.path(prefix), clientv3.GetPrefixRangeEnd(s.path(prefix))
	for {
		answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.GetResponse, error) {
			return s.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(at))
		})
		if err != nil {
			return nil, 0, fmt.Errorf("store: %s*: %w", prefix, err)
		}
		if at == 0 {
			at = answer.Header.Revision
		}
		for _, kv := range answer.Kvs {
			r, err := record(s.key(kv.Key), kv.Value, kv.ModRevision)
			if err != nil {
				return nil, 0, err
			}
			out = append(out, r)
		}
		if !answer.More {
			return out, at, nil
		}
		from = string(answer.Kvs[len(answer.Kvs)-1].Key) + "\x00"
	}
}

// What is ours in etcd: records of the caller, locks, and the epochs of locks.
const (
	records = "record/"
	locks   = "lock/"
	epochs  = "epoch/"
)

func (s *Store) path(key string) string { return s.options.Root + records + key }

func (s *Store) key(path []byte) string { return string(path[len(s.options.Root)+len(records):]) }

// beside runs something that ends with the store, and that Close waits for.
func (s *Store) beside(f func()) {
	s.starting.Lock()
	defer s.starting.Unlock()
	if !s.ending {
		s.running.Go(f)
	}
}

// ask makes a request in a goroutine of its own: the member runs requests where they are made, and a
// member that dies ends the goroutine (see failure). The call returns as soon as the store stops.
func ask[T any](ctx context.Context, s *Store, request func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	if err := context.Cause(s.done); err != nil {
		return none, err
	}
	if err := ctx.Err(); err != nil {
		return none, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, 1)
	go func() {
		defer s.fail.recover("a request")
		value, err := request(ctx)
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil && s.done.Err() != nil {
			return none, fmt.Errorf("%w: %w", context.Cause(s.done), a.err)
		}
		return a.value, a.err
	case <-s.done.Done():
		return none, context.Cause(s.done)
	}
}
