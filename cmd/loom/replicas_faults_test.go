//go:build !race

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/store"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// movesWithin is how soon devices are looked after again by somebody.
const movesWithin = 5 * time.Second

// holder is the replica that has the lock on the fabric, as the store has it; empty: nobody.
func (r *replicaSet) holder(s *store.Store) string {
	all, _, err := s.Holders(r.Context(), "fabric/")
	r.check(err)
	if len(all) == 0 {
		return ""
	}
	for name := range r.replicas {
		if string(all[0].Says) == fmt.Sprintf(`{"replica":%q}`, name) {
			return name
		}
	}
	return "?"
}

// store is the store of the replicas.
func (r *replicaSet) store() *store.Store {
	r.Helper()
	s, err := store.Open(r.Context(), store.Options{Endpoints: []string{r.etcd.endpoint}})
	r.check(err)
	r.Cleanup(func() { r.check(s.Close()) })
	return s
}

// moves waits until another replica has the lock.
func (r *replicaSet) moves(s *store.Store, what, to string, since time.Time) {
	r.Helper()
	r.until(fmt.Sprintf("%s: the topology moves to %s", what, to), func() bool { return r.holder(s) == to })
	took := time.Since(since)
	r.Logf("%s: moved to %s in %s", what, to, took.Round(10*time.Millisecond))
	if took > movesWithin {
		r.Errorf("%s: moved to %s in %s, want %s at most", what, to, took, movesWithin)
	}
}

// The topology moves on when the replica that looks after it is killed, frozen, stopped, or comes back, and devices are followed all the
// time by the one that has it.
func TestATopologyMovesOnWithin5Seconds(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	r := newReplicas(t, filepath.Join("testdata", "pair.yaml"), names...)
	s := r.store()
	data, err := os.ReadFile(r.file)
	r.check(err)
	r.put("a", data, "")
	first := r.leader(names...)
	second := r.leader(without(names, first)...)
	last := without(without(names, first), second)[0]
	r.inSync(last)
	r.moves(s, "at first", first, time.Now())

	since := time.Now()
	r.kill(first)
	r.moves(s, "killed", second, since)
	r.inSync(last)
	t.Logf("killed: all in sync after %s", time.Since(since).Round(10*time.Millisecond))

	since = time.Now()
	r.signal(second, syscall.SIGSTOP)
	r.moves(s, "frozen", last, since)
	r.inSync(last)
	r.signal(second, syscall.SIGCONT) // it joins again, and is given back what falls to it
	r.moves(s, "thawed", second, time.Now())
	r.inSync(last)

	r.start(first)
	r.moves(s, "added", first, time.Now())
	r.inSync(last)
	since = time.Now()
	r.stop(first)
	r.moves(s, "stopped", second, since)
	r.inSync(last)
	r.start(first)
	r.moves(s, "added again", first, time.Now())
	r.inSync(second)
}

// Whoever changes what is intended, through any replica, while these are replaced one after the other, killed and frozen, gets it done
// once by calling again: no change is lost, and none is made twice.
func TestNoChangeIsLostOrMadeTwiceWhileReplicasComeAndGo(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	r := newReplicas(t, filepath.Join("testdata", "pair.yaml"), names...)
	data, err := os.ReadFile(r.file)
	r.check(err)
	r.put("a", data, "")
	r.inSync("b")
	var disturbed atomic.Bool
	var all sync.WaitGroup
	all.Go(func() {
		defer disturbed.Store(true)
		leader := r.leader(names...)
		second := r.leader(without(names, leader)...)
		for _, name := range names { // a new release comes
			r.stop(name)
			r.start(name)
		}
		r.kill(leader)
		r.start(leader)
		r.signal(leader, syscall.SIGSTOP)
		r.until("somebody else looks after it", func() bool { return len(r.devices(second, r.design.Name)) > 0 })
		r.signal(leader, syscall.SIGCONT)
	})
	variants := [][]byte{[]byte(string(data) + "underlay: {bfd: 3x300ms}\n"), []byte(string(data) + "underlay: {bfd: 3x400ms}\n")}
	done := map[string]string{} // transaction by plan
	n := 0
	for ; !disturbed.Load() || n < 4; n++ {
		name := names[n%len(names)]
		if got, want := r.put(name, variants[n%2], fmt.Sprintf("put-%d", n)), int64(n+2); got != want {
			t.Fatalf("change %d through %s made revision %d, want %d: one was lost or made twice", n, name, got, want)
		}
		done[r.change(name, n)] = name
	}
	all.Wait()
	t.Logf("%d changes", n)
	s := r.store()
	ids, err := transactionIDs(r.Context(), s)
	r.check(err)
	for _, id := range ids {
		records, err := readRecords(r.Context(), s, id)
		r.check(err)
		a, err := summarize(records)
		r.check(err)
		if a.Outcome == "" {
			t.Errorf("%s is open still", id)
		}
		if a.Outcome == "done" && done[id] == "" {
			t.Errorf("%s was carried out, and nobody was told", id)
		}
	}
	for _, name := range names {
		r.inSync(name)
	}
	if len(done) != n {
		t.Errorf("%d changes were done by %d transactions", n, len(done))
	}
}

// change has a replica carry out what is intended by now, and returns the transaction that has done it.
func (r *replicaSet) change(name string, n int) (id string) {
	r.Helper()
	plans := api.NewPlanServiceClient(r.replicas[name].conn)
	var plan *api.Plan
	r.until(fmt.Sprintf("change %d through %s", n, name), func() bool {
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		if id != "" { // it was begun, and then whoever carried it out was gone
			m, err := api.NewTransactionServiceClient(r.replicas[name].conn).GetTransaction(ctx, &api.GetTransactionRequest{Id: id})
			r.again("transaction", err)
			switch m.GetTransaction().GetResult().GetOutcome() {
			case "done":
				return true
			case "":
				return false
			}
			id, plan = "", nil // it was taken back
		}
		if plan == nil {
			made, err := plans.CreatePlan(ctx, &api.CreatePlanRequest{Topology: r.design.Name})
			if r.again("plan", err); made.GetPlan().GetHash() == "" {
				return false
			}
			plan = made.GetPlan()
		}
		stream, err := plans.ApplyPlan(ctx, &api.ApplyPlanRequest{Id: plan.GetId(), Hash: plan.GetHash(), RequestId: plan.GetId()})
		outcome := ""
		for err == nil {
			var m *api.ApplyPlanResponse
			if m, err = stream.Recv(); err == nil {
				id, outcome = cmp.Or(m.GetTransaction(), id), m.GetResult().GetOutcome()
			}
		}
		if err != io.EOF {
			r.again("apply", err)
		}
		if status.Code(err) == codes.FailedPrecondition { // a device is being connected, or the plan is out of date
			plan = nil
		}
		return outcome == "done"
	})
	return id
}

// again demands of an error that it is one that another call mends.
func (r *replicaSet) again(what string, err error) {
	r.Helper()
	switch status.Code(err) {
	case codes.OK, codes.Unavailable, codes.FailedPrecondition, codes.DeadlineExceeded:
	default:
		r.Errorf("%s: %v", what, err)
	}
}

// proxy is a way to the cluster that can be cut.
type proxy struct {
	net.Listener
	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { p.set(true); _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", to)
			if err != nil || !p.add(from, there) {
				_ = from.Close()
				continue
			}
			go func() { _, _ = io.Copy(there, from); _ = there.Close() }()
			go func() { _, _ = io.Copy(from, there); _ = from.Close() }()
		}
	}()
	return p
}

func (p *proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
		if p.cut {
			_ = c.Close()
		}
	}
	return !p.cut
}

// set cuts the way, or mends it.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	for c := range p.conns {
		if cut {
			_ = c.Close()
			delete(p.conns, c)
		}
	}
}

// A replica that does not reach the cluster says so, changes no device, and comes back by itself; another one takes its place.
func TestAReplicaThatIsCutOffFromTheClusterChangesNothing(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b"}
	r := newReplicas(t, filepath.Join("testdata", "pair.yaml"), names...)
	s := r.store()
	data, err := os.ReadFile(r.file)
	r.check(err)
	leader := r.leader(names...)
	other := without(names, leader)[0]
	way := newProxy(t, r.etcd.endpoint[len("http://"):])
	r.stop(leader)
	r.replicas[leader].etcd = "http://" + way.Addr().String()
	r.start(leader)
	r.put(other, data, "")
	r.inSync(other)
	r.moves(s, "at first", leader, time.Now())

	since := time.Now()
	way.set(true)
	cut := r.replicas[leader].conn
	r.moves(s, "cut off", other, since)
	r.inSync(other)
	r.until("it says that it does not serve", func() bool {
		m, err := grpc_health_v1.NewHealthClient(cut).Check(r.Context(), &grpc_health_v1.HealthCheckRequest{})
		return err == nil && m.GetStatus() == grpc_health_v1.HealthCheckResponse_NOT_SERVING
	})
	_, err = api.NewPlanServiceClient(cut).CreatePlan(r.Context(), &api.CreatePlanRequest{Topology: r.design.Name})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("a call to it: %v, want UNAVAILABLE", err)
	}
	way.set(false)
	r.moves(s, "mended", leader, time.Now())
	r.inSync(leader)
	r.until("it says that it serves", func() bool {
		m, err := grpc_health_v1.NewHealthClient(cut).Check(r.Context(), &grpc_health_v1.HealthCheckRequest{})
		return err == nil && m.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING
	})
}
