package store

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// cluster is an etcd as a user has it, on a port of loopback.
type cluster struct {
	*testing.T
	dir      string
	endpoint string // where it listens, again after a stop
	stop     func()
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{T: t, dir: t.TempDir(), endpoint: "http://127.0.0.1:0"}
	c.start()
	return c
}

func (c *cluster) start() {
	c.Helper()
	at, err := url.Parse(c.endpoint)
	if err != nil {
		c.Fatal(err)
	}
	config := memberConfig(c.dir, Options{})
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*at}, []url.URL{*at}
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	e, err := embed.StartEtcd(config)
	if err != nil {
		c.Fatal(err)
	}
	c.stop = sync.OnceFunc(e.Close)
	c.Cleanup(c.stop)
	<-e.Server.ReadyNotify()
	c.endpoint = "http://" + e.Clients[0].Addr().String()
}

func TestAClusterIsShared(t *testing.T) {
	t.Parallel()
	there := newCluster(t)
	endpoint := there.endpoint
	var stores []*Store
	for range 2 {
		s, err := tryOpen(t, Options{Endpoints: []string{endpoint}})
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	ann, bob := stores[0], stores[1]
	elsewhere, err := tryOpen(t, Options{Endpoints: []string{endpoint}, Root: "another loom/"})
	if err != nil {
		t.Fatal(err)
	}
	commit(t, ann, Tx{Put: puts("a", "1")})
	want(t, have(t, bob, ""), "a=1")
	want(t, have(t, elsewhere, ""))
	if !ann.Shared() {
		t.Error("a cluster is not shared")
	}
	if _, err := bob.Commit(t.Context(), Tx{If: []Condition{Absent("a")}, Put: puts("a", "2")}); !errors.Is(err, ErrConflict) {
		t.Errorf("a conflict: %v", err)
	}
	lock := hold(t, ann, "x", Holder{Who: "ann"})
	var held *HeldError
	if _, err := bob.Hold(t.Context(), "x", Holder{Who: "bob"}); !errors.As(err, &held) || held.By != "ann" {
		t.Errorf("a second holder: %v", err)
	}
	changes := bob.Watch(t.Context(), "", 1)
	if c := next(t, changes); c.Err != nil || len(c.Put) != 1 {
		t.Errorf("watched %+v", c)
	}
	if err := lock.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l := hold(t, bob, "x", Holder{Who: "bob"}); l.Epoch <= lock.Epoch {
		t.Errorf("epoch %d after %d", l.Epoch, lock.Epoch)
	}

	there.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := ann.Commit(ctx, Tx{Put: puts("a", "3")}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a commit whose answer is lost: %v", err)
	}
}

// A holder that the cluster does not answer cannot know whether it still is one, and waits. A lease outlives the
// cluster: nobody could take it meanwhile.
func TestALeaseOfAClusterThatIsAwayProvesNothingUntilItIsBack(t *testing.T) {
	t.Parallel()
	there := newCluster(t)
	s, err := tryOpen(t, Options{Endpoints: []string{there.endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	l := hold(t, s, "x", Holder{Who: "ann", TTL: time.Second})
	if err := l.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	there.stop()
	brief, cancel := context.WithCancel(t.Context())
	cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); !errors.Is(l.Check(brief), ErrLost); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("a lease of 1 s is believed in for 5 s")
		}
	}
	if isLost(l) {
		t.Error("it is given up while it may still be there")
	}
	there.start()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.Check(ctx); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	if _, err := s.Commit(ctx, Tx{If: []Condition{l.Condition()}, Put: puts("a", "1")}); err != nil {
		t.Errorf("a write when it is back: %v", err)
	}
}

func TestAClusterThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, Options{Endpoints: []string{"http://127.0.0.1:1"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		s := open(b, dir)
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkCommit(b *testing.B) {
	s := open(b, b.TempDir())
	for b.Loop() {
		commit(b, s, Tx{Put: puts("a", "1")})
	}
}
