package store

import (
	"context"
	"errors"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func hold(t *testing.T, s *Store, name string, h Holder) *Lease {
	t.Helper()
	l, err := s.Hold(t.Context(), name, h)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func isLost(l *Lease) bool {
	select {
	case <-l.Lost():
		return true
	default:
		return false
	}
}

func TestALockHasOneHolder(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s, err := tryOpen(t, Options{Dir: t.TempDir(), Now: func() time.Time { return since }})
	if err != nil {
		t.Fatal(err)
	}
	ann := hold(t, s, "fabric/a", Holder{Who: "ann"})
	other := hold(t, s, "fabric/b", Holder{Who: "bob"})
	_, err = s.Hold(t.Context(), "fabric/a", Holder{Who: "bob"})
	var held *HeldError
	if !errors.As(err, &held) || *held != (HeldError{Name: "fabric/a", By: "ann", Since: since}) {
		t.Fatalf("a second holder: %v", err)
	}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Hold(late, "fabric/a", Holder{Wait: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting no longer: %v", err)
	}
	waiting := make(chan *Lease)
	go func() {
		l, err := s.Hold(context.Background(), "fabric/a", Holder{Who: "bob", Wait: true})
		if err != nil {
			t.Error(err)
		}
		waiting <- l
	}()
	if err := errors.Join(ann.Release(t.Context()), ann.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
	bob := <-waiting
	if first := since.UnixMilli(); bob == nil || ann.Epoch != first || bob.Epoch != first+1 || other.Epoch != first {
		t.Errorf("epochs of %+v, %+v, %+v", ann, bob, other)
	}
	if !isLost(ann) || isLost(bob) {
		t.Error("the released lease is not lost, or the new one is")
	}
	want(t, have(t, s, "")) // locks are no records
}

func TestAWriteWithALostLockFails(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	ann := hold(t, s, "a", Holder{Who: "ann"})
	write := func(l *Lease) error {
		_, err := s.Commit(t.Context(), Tx{If: []Condition{l.Condition()}, Put: puts("by", "someone")})
		return err
	}
	if err := write(ann); err != nil {
		t.Fatalf("while it is held: %v", err)
	}
	// The lease ends at the server, as after a process that stood still; ann need not know yet.
	if _, err := s.client.Revoke(t.Context(), ann.id); err != nil {
		t.Fatal(err)
	}
	if err := write(ann); !errors.Is(err, ErrConflict) {
		t.Errorf("after it ended: %v", err)
	}
	bob := hold(t, s, "a", Holder{Who: "bob"})
	var lost *LostError
	if err := write(ann); !errors.As(err, &lost) || lost.Name != "a" || lost.By != "bob" || bob.Epoch <= ann.Epoch {
		t.Errorf("after another took it, epoch %d after %d: %v", bob.Epoch, ann.Epoch, err)
	}
	if err := write(bob); err != nil {
		t.Errorf("by the new holder: %v", err)
	}
	// A record of the same name is not the lock.
	if err := s.Batch(t.Context(), puts("a", "x"), bob.Condition()); err != nil {
		t.Error(err)
	}
	if err := write(bob); err != nil {
		t.Error(err)
	}
}

// Who deletes a lock by hand does not make its epochs begin anew, nor does a clock that is set back. Those of a new
// store are later than those of one that was there before.
func TestEpochsAreNeverUsedTwice(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	dirs := []string{t.TempDir(), t.TempDir()}
	var last int64
	for _, round := range []struct {
		dir  string
		at   time.Duration
		want func(last int64) int64 // the first epoch
	}{
		{dirs[0], 0, func(int64) int64 { return clock.UnixMilli() }},
		{dirs[0], -time.Hour, func(last int64) int64 { return last + 1 }},
		{dirs[1], time.Hour, func(int64) int64 { return clock.Add(time.Hour).UnixMilli() }},
		{dirs[0], 2 * time.Hour, func(int64) int64 { return clock.Add(2 * time.Hour).UnixMilli() }},
	} {
		s, err := tryOpen(t, Options{Dir: round.dir, Now: func() time.Time { return clock.Add(round.at) }})
		if err != nil {
			t.Fatal(err)
		}
		want := round.want(last)
		for range 3 {
			l := hold(t, s, "a", Holder{})
			if l.Epoch != want || l.Epoch <= last {
				t.Errorf("epoch %d after %d, want %d", l.Epoch, last, want)
			}
			last, want = l.Epoch, l.Epoch+1
			if _, err := s.client.Delete(t.Context(), l.path); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Commit(t.Context(), Tx{If: []Condition{l.Condition()}, Put: puts("a", "x")}); !errors.Is(err, ErrConflict) {
				t.Errorf("a write with a deleted lock: %v", err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALeaseIsLostWhenItEnds(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	l := hold(t, s, "a", Holder{TTL: time.Second})
	if _, err := s.client.Revoke(t.Context(), l.id); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.Lost(): // with the next keep-alive, a third of the TTL later
	case <-time.After(10 * time.Second):
		t.Error("nobody says so")
	}
	if err := l.Check(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("checking it: %v", err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Errorf("releasing it: %v", err)
	}
	other := hold(t, s, "b", Holder{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-other.Lost()
}

func TestALeaseIsKeptBeyondItsTTL(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	l := hold(t, s, "a", Holder{TTL: time.Second})
	alive := s.client.Watch(t.Context(), l.path, clientv3.WithRev(l.revision+1))
	select {
	case <-alive:
		t.Error("the lock is gone")
	case <-l.Lost():
		t.Error("the lease is lost")
	case <-time.After(1500 * time.Millisecond): // that nothing happens takes time
	}
}
