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
func cluster(t *testing.T) (stop func(), endpoint string) {
	t.Helper()
	anywhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	c := memberConfig(t.TempDir(), Options{})
	c.ListenClientUrls, c.AdvertiseClientUrls = anywhere, anywhere
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	e, err := embed.StartEtcd(c)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(e.Close)
	t.Cleanup(stop)
	<-e.Server.ReadyNotify()
	return stop, "http://" + e.Clients[0].Addr().String()
}

func TestAClusterIsShared(t *testing.T) {
	t.Parallel()
	stop, endpoint := cluster(t)
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
	if l := hold(t, bob, "x", Holder{Who: "bob"}); l.Epoch != 2 {
		t.Errorf("epoch %d", l.Epoch)
	}

	stop()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := ann.Commit(ctx, Tx{Put: puts("a", "3")}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a commit whose answer is lost: %v", err)
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
