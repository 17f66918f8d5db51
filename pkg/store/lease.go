package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// DefaultTTL is how long a lock outlives a holder that went silent.
const DefaultTTL = 10 * time.Second

// Holder says who wants a lock, and how.
type Holder struct {
	Who  string        // shown to others that want it
	TTL  time.Duration // rounded up to seconds; 0: DefaultTTL
	Wait bool          // wait for it until the context ends, instead of a *HeldError
	Says []byte        // what others read of it for as long as it is held; nil: nothing
}

// Lease is a lock that is held.
//
// Holding it is no proof: a process that stood still longer than the TTL has lost it and does not know
// yet. What proves it is Condition in a transaction, or Epoch at a device that remembers the highest it
// has seen. Check is for what has neither.
type Lease struct {
	Name  string
	Epoch int64 // rises with every holder of this name, for ever; milliseconds since 1970, unless they come too fast

	store    *Store
	id       clientv3.LeaseID
	ttl      time.Duration
	path     string
	revision int64
	lost     chan struct{}
	stop     context.CancelFunc

	mu      sync.Mutex // guards what follows
	proven  time.Time  // when the request left whose answer says that the lease is there
	renewed chan struct{}
}

// holding is the record of a lock; an epoch has the number alone.
type holding struct {
	Who   string    `json:"who"`
	Since time.Time `json:"since"`
	Epoch int64     `json:"epoch"`
	Says  []byte    `json:"says,omitempty"`
}

// Hold takes a lock. The context bounds taking it, not holding it.
// Errors: *HeldError.
func (s *Store) Hold(ctx context.Context, name string, h Holder) (*Lease, error) {
	if h.TTL <= 0 {
		h.TTL = DefaultTTL
	}
	asked := time.Now()
	grant, err := ask(ctx, s, func(ctx context.Context) (*clientv3.LeaseGrantResponse, error) {
		return s.client.Grant(ctx, int64(math.Ceil(h.TTL.Seconds())))
	})
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	l := &Lease{
		Name: name, store: s, id: grant.ID, ttl: time.Duration(grant.TTL) * time.Second, path: s.options.Root + locks + name,
		lost: make(chan struct{}), proven: asked, renewed: make(chan struct{}),
	}
	// Before the lock is wanted: waiting for it may take longer than the TTL.
	kept, stop := context.WithCancel(s.done)
	l.stop = stop
	go l.keep(kept)
	if err := l.take(ctx, h); err != nil {
		stop()
		return nil, errors.Join(err, l.revoke(context.WithoutCancel(ctx)))
	}
	return l, nil
}

// Held tells who has a lock, without wanting it; nil if nobody has. A holder that died is told until its TTL is over.
func (s *Store) Held(ctx context.Context, name string) (*HeldError, error) {
	l := &Lease{Name: name, store: s, path: s.options.Root + locks + name}
	has, held, _, err := l.read(ctx)
	if err != nil || held == 0 {
		return nil, err
	}
	return &HeldError{Name: name, By: has.Who, Since: has.Since}, nil
}

// keep renews the lease until it has ended, or the store has. A cluster that does not answer does not end it: when
// it is back the lease may still be there.
func (l *Lease) keep(ctx context.Context) {
	defer close(l.lost)
	defer l.stop()
	tick := time.NewTicker(l.ttl / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := l.renew(ctx); errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return
		}
	}
}

func (l *Lease) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.ttl/3)
	defer cancel()
	asked := time.Now()
	_, err := ask(ctx, l.store, func(ctx context.Context) (*clientv3.LeaseKeepAliveResponse, error) {
		return l.store.client.KeepAliveOnce(ctx, l.id)
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proven = asked // not when the answer was read: this process may have stood still in between
	close(l.renewed)
	l.renewed = make(chan struct{})
	return nil
}

// Check returns nil if nobody else can have had the lock until now, and waits while that is not known: where a
// cluster does not answer, until it does or the context ends. It is for effects that no condition can guard. What
// follows it has to follow at once: it cannot see a process that stands still between the two.
// Errors: *LostError.
func (l *Lease) Check(ctx context.Context) error {
	for {
		fresh, renewed := l.fresh(time.Now())
		select {
		case <-l.lost:
			return l.lostTo(ctx)
		default:
		}
		if fresh {
			return nil
		}
		select {
		case <-renewed:
		case <-l.lost:
		case <-ctx.Done():
			return &LostError{Name: l.Name, Why: fmt.Sprintf("the store has not answered for longer than %s", l.ttl)}
		}
	}
}

// Fresh tells whether nobody else can have had the lock until now, as far as is known: it does not wait.
func (l *Lease) Fresh() bool {
	select {
	case <-l.lost:
		return false
	default:
	}
	fresh, _ := l.fresh(time.Now())
	return fresh
}

// fresh tells whether the lease cannot have ended at a time, and what is closed when it is renewed next. The clock of
// the process stands still while the machine sleeps, and the one on the wall can be set: both have to agree.
func (l *Lease) fresh(now time.Time) (bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.proven) < l.ttl && now.Round(0).Sub(l.proven.Round(0)) < l.ttl, l.renewed
}

// lostTo says who has the lock now, if that can be read.
func (l *Lease) lostTo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	lost := &LostError{Name: l.Name}
	if has, held, _, err := l.read(ctx); err == nil && held > 0 {
		lost.By, lost.Since = has.Who, has.Since
	}
	return lost
}

func (l *Lease) take(ctx context.Context, h Holder) error {
	for {
		has, held, epoch, err := l.read(ctx)
		if err != nil {
			return err
		}
		if held == 0 {
			taken, err := l.try(ctx, h, epoch)
			if err != nil || taken {
				return err
			}
			continue // somebody was faster
		}
		refused := &HeldError{Name: l.Name, By: has.Who, Since: has.Since}
		if !h.Wait {
			return refused
		}
		if err := l.wait(ctx, held); err != nil {
			return fmt.Errorf("%w: %w", refused, err)
		}
	}
}

// epoch is the counter of a lock, and the revision that it was read at.
type epoch struct {
	number   int64
	revision int64
}

// read returns who has the lock, at which revision (0: nobody), and the last epoch.
func (l *Lease) read(ctx context.Context) (holding, int64, epoch, error) {
	s := l.store
	var has holding
	var last epoch
	answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return s.client.Txn(ctx).Then(clientv3.OpGet(l.path), clientv3.OpGet(l.epochPath())).Commit()
	})
	if err != nil {
		return has, 0, last, fmt.Errorf("lock %s: %w", l.Name, err)
	}
	if kvs := answer.Responses[1].GetResponseRange().GetKvs(); len(kvs) == 1 {
		last.revision = kvs[0].GetModRevision()
		if err := decode(epochs+l.Name, kvs[0].GetValue(), last.revision, &last.number); err != nil {
			return has, 0, last, err
		}
	}
	kvs := answer.Responses[0].GetResponseRange().GetKvs()
	if len(kvs) == 0 {
		return has, 0, last, nil
	}
	held := kvs[0].GetModRevision()
	return has, held, last, decode(locks+l.Name, kvs[0].GetValue(), held, &has)
}

// try makes the lock and its next epoch in one transaction, if nobody did since the epoch was read.
func (l *Lease) try(ctx context.Context, h Holder, last epoch) (bool, error) {
	s := l.store
	// By the clock, so that no holder of another store has had it: one that is new, or restored from a backup.
	next := max(last.number+1, s.options.Now().UnixMilli())
	lock, err := encode(locks+l.Name, holding{h.Who, s.options.Now(), next, h.Says})
	if err != nil {
		return false, err
	}
	count, err := encode(epochs+l.Name, next)
	if err != nil {
		return false, err
	}
	answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return s.client.Txn(ctx).If(
			clientv3.Compare(clientv3.ModRevision(l.path), "=", 0),
			clientv3.Compare(clientv3.ModRevision(l.epochPath()), "=", last.revision),
		).Then(
			clientv3.OpPut(l.path, lock, clientv3.WithLease(l.id)),
			clientv3.OpPut(l.epochPath(), count),
		).Commit()
	})
	if err != nil {
		// It may have been made: revoking the lease, as Hold does now, takes it back.
		return false, fmt.Errorf("lock %s: %w", l.Name, outcome(err))
	}
	if !answer.Succeeded {
		return false, nil
	}
	l.Epoch, l.revision = next, answer.Header.Revision
	return true, nil
}

// wait returns when the lock that was taken at a revision is gone, perhaps taken by another already.
func (l *Lease) wait(ctx context.Context, held int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := l.store.client.Watch(clientv3.WithRequireLeader(ctx), l.path, clientv3.WithRev(held+1))
	for {
		select {
		case answer, ok := <-changes:
			if err := answer.Err(); err != nil && answer.CompactRevision == 0 {
				return err
			}
			if !ok || len(answer.Events) > 0 || answer.CompactRevision > 0 {
				return ctx.Err()
			}
		case <-l.lost:
			return errors.New("the lease ended while waiting")
		case <-ctx.Done():
			return ctx.Err()
		case <-l.store.done.Done():
			return context.Cause(l.store.done)
		}
	}
}

func (l *Lease) epochPath() string { return l.store.options.Root + epochs + l.Name }

// Condition holds while nobody but this holder had the lock since it was taken: a transaction with it
// fails with ErrConflict once the lock is lost, also before the holder knows.
func (l *Lease) Condition() Condition {
	return Condition{Key: "lock " + l.Name, Revision: l.revision, path: l.path, lock: l.Name}
}

// Lost is closed when the lock is no longer held: the lease ended, the store stopped, or Release was
// called. It may be late; Condition is not.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Release gives the lock back. A lock that is lost already is no error.
func (l *Lease) Release(ctx context.Context) error {
	l.stop()
	<-l.lost
	return l.revoke(ctx)
}

func (l *Lease) revoke(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, DefaultTTL)
	defer cancel()
	if err := l.store.revoke(ctx, l.id); err != nil && l.revision != 0 {
		return fmt.Errorf("lock %s: release: %w; it ends by itself", l.Name, err)
	}
	return nil
}

func encode(key string, value any) (string, error) {
	text, err := json.Marshal(value)
	return string(seal(key, text)), err
}

func decode(key string, frame []byte, revision int64, into any) error {
	r, err := record(key, frame, revision)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(r.Value, into); err != nil {
		return &CorruptError{Key: key, Revision: revision, Why: err.Error()}
	}
	return nil
}

// revoke ends a lease, and the lock with it. One that has ended is no error.
func (s *Store) revoke(ctx context.Context, id clientv3.LeaseID) error {
	_, err := ask(ctx, s, func(ctx context.Context) (*clientv3.LeaseRevokeResponse, error) {
		return s.client.Revoke(ctx, id)
	})
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return nil
	}
	return err
}
