package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/replica"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// replicaSet is a controller of several processes on an etcd cluster, over simulated devices.
type replicaSet struct {
	testing.TB
	*fleet
	etcd     *etcd
	dir      string
	file     string // topology
	replicas map[string]*replicaProcess
}

// replicaProcess is one of them.
type replicaProcess struct {
	name, dir string
	address   string
	etcd      string // where it reaches the cluster
	cmd       *exec.Cmd
	mu        sync.Mutex
	says      strings.Builder
	conn      *client
}

func (p *replicaProcess) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.says.Write(b)
}

func (p *replicaProcess) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.says.String()
}

// newReplicas starts the replicas of some names over the devices of a topology that have what is intended, and puts the topology.
func newReplicas(t testing.TB, file string, names ...string) *replicaSet {
	t.Helper()
	r := &replicaSet{TB: t, fleet: fleetWith(t, file, simulation{bgp: bgpComputed}), dir: t.TempDir(), file: file, replicas: map[string]*replicaProcess{}}
	r.configureSome(t, sortedKeys(r.n.trees)...)
	r.check(os.WriteFile(filepath.Join(r.dir, "sim.json"), r.sim.Inventory().JSON(), 0o600))
	r.etcd = &etcd{TB: t, dir: t.TempDir(), endpoint: "http://127.0.0.1:0"}
	r.etcd.start()
	for _, name := range names {
		r.start(name)
	}
	t.Cleanup(func() {
		for _, p := range r.replicas {
			r.kill(p.name)
			if t.Failed() {
				t.Logf("%s said:\n%s", p.name, p.said())
			}
		}
	})
	return r
}

func (r *replicaSet) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// start starts a replica, again or for the first time, and waits until it serves.
func (r *replicaSet) start(name string, more ...string) {
	r.Helper()
	p := r.replicas[name]
	if p == nil {
		p = &replicaProcess{name: name, dir: filepath.Join(r.dir, name), etcd: r.etcd.endpoint}
		r.replicas[name] = p
		free, err := net.Listen("tcp", "127.0.0.1:0") // the same after each start
		r.check(err)
		p.address = free.Addr().String()
		r.check(free.Close())
		r.check(os.MkdirAll(filepath.Join(p.dir, "state", "pki"), 0o700))
		for _, other := range r.replicas { // the authority of one is that of all
			for _, file := range []string{"ca.pem", "ca.key"} {
				if data, err := os.ReadFile(filepath.Join(other.dir, "state", "pki", file)); err == nil {
					r.check(os.WriteFile(filepath.Join(p.dir, "state", "pki", file), data, 0o600))
				}
			}
		}
	}
	p.cmd = exec.Command("loom", append([]string{"serve", "--data", "state", "--etcd", p.etcd, "--replica", name, "--listen", p.address, "--rest", "none",
		"--inventory", filepath.Join(r.dir, "sim.json")}, more...)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.dir, p, p
	p.cmd.Env = append(os.Environ(), "LOOM_CONTEXTS="+filepath.Join(p.dir, "contexts.json"), "GORACE=atexit_sleep_ms=0")
	r.check(p.cmd.Start())
	r.until(name+" serves", func() bool {
		data, err := os.ReadFile(filepath.Join(p.dir, "contexts.json"))
		all := &contexts{}
		if err != nil || json.Unmarshal(data, all) != nil {
			return false
		}
		c, err := all.find("")
		if err != nil {
			return false
		}
		if p.conn == nil {
			p.conn, err = c.dial()
			r.check(err)
		}
		p.conn.ResetConnectBackoff()
		_, err = api.NewIntentServiceClient(p.conn).ListTopologies(r.Context(), &api.ListTopologiesRequest{})
		return err == nil
	})
}

// kill ends a replica as a power cut of its machine would.
func (r *replicaSet) kill(name string) {
	p := r.replicas[name]
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// stop ends a replica as an operator does.
func (r *replicaSet) stop(name string) {
	r.Helper()
	p := r.replicas[name]
	r.check(p.cmd.Process.Signal(syscall.SIGTERM))
	r.check(p.cmd.Wait())
}

func (r *replicaSet) signal(name string, s syscall.Signal) {
	r.check(r.replicas[name].cmd.Process.Signal(s))
}

// until waits until something holds.
func (r *replicaSet) until(what string, holds func() bool) {
	r.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(40 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			r.Fatalf("not in time: %s", what)
		}
	}
}

// try calls until a replica answers with something else than that it is to be called again.
func (r *replicaSet) try(what string, call func(ctx context.Context) error) {
	r.Helper()
	var err error
	r.until(what, func() bool {
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		err = call(ctx)
		c := status.Code(err)
		return c != codes.Unavailable && c != codes.DeadlineExceeded
	})
	if err != nil {
		r.Fatalf("%s: %v", what, err)
	}
}

func (r *replicaSet) put(name string, data []byte, key string) int64 {
	r.Helper()
	var number int64
	r.try("put", func(ctx context.Context) error {
		m, err := api.NewIntentServiceClient(r.replicas[name].conn).PutTopology(ctx, &api.PutTopologyRequest{Files: []*api.File{{Name: "demo.yaml", Data: data}}, RequestId: key})
		number = m.GetRevision().GetNumber()
		return err
	})
	return number
}

// devices asks a replica where devices stand.
func (r *replicaSet) devices(name, topology string) map[string]*api.ManagedDevice {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	m, err := api.NewDeviceServiceClient(r.replicas[name].conn).ListDevices(ctx, &api.ListDevicesRequest{Topology: topology})
	out := map[string]*api.ManagedDevice{}
	if err == nil {
		for _, d := range m.GetDevices() {
			out[d.GetName()] = d
		}
	}
	return out
}

// inSync waits until all devices are, as a replica sees it.
func (r *replicaSet) inSync(name string) {
	r.Helper()
	r.until("all devices in sync, asked of "+name, func() bool {
		all := r.devices(name, r.design.Name)
		if len(all) != len(r.design.Devices) {
			return false
		}
		for _, d := range all {
			if d.GetStatus() != api.DeviceStatus_DEVICE_STATUS_IN_SYNC || d.GetDesiredRevision() != d.GetAppliedRevision() {
				return false
			}
		}
		return true
	})
}

// leader is the replica that looks after the topology, among some.
func (r *replicaSet) leader(names ...string) string {
	var all []replica.Member
	for _, n := range names {
		all = append(all, replica.Member{Name: n})
	}
	return replica.Owner(r.design.Name, all)
}

func without(names []string, name string) []string {
	var out []string
	for _, n := range names {
		if n != name {
			out = append(out, n)
		}
	}
	return out
}

// Each call is answered by each replica, in the name of who has called: what only one of them can do it does for the others.
func TestCallsWorkOnEachReplica(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b"}
	r := newReplicas(t, filepath.Join("testdata", "pair.yaml"), names...)
	data, err := os.ReadFile(r.file)
	r.check(err)
	leader := r.leader(names...)
	other := without(names, leader)[0]
	if got := r.put(other, data, "first"); got != 1 {
		t.Fatalf("revision %d", got)
	}
	for _, n := range names {
		r.inSync(n)
		r.until(n+" lists the devices of all topologies", func() bool { return len(r.devices(n, "")) == len(r.design.Devices) })
	}
	data = append(data, "unused-ports: disabled\n"...)
	r.put(other, data, "second")
	plans := api.NewPlanServiceClient(r.replicas[other].conn)
	var p *api.Plan
	r.try("plan", func(ctx context.Context) error {
		m, err := plans.CreatePlan(ctx, &api.CreatePlanRequest{Topology: r.design.Name, RequestId: "plan"})
		p = m.GetPlan()
		return err
	})
	if p.GetBy() != "admin" {
		t.Errorf("the plan is by %q, want who has called", p.GetBy())
	}
	stream, err := plans.ApplyPlan(t.Context(), &api.ApplyPlanRequest{Id: p.GetId(), Hash: p.GetHash(), RequestId: "apply"})
	r.check(err)
	var last *api.ApplyPlanResponse
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		r.check(err)
		last = m
	}
	if got := last.GetResult().GetOutcome(); got != "done" {
		t.Errorf("the transaction is %q: %v", got, last)
	}
	for _, n := range names {
		r.inSync(n)
		m, err := api.NewTransactionServiceClient(r.replicas[n].conn).GetTransaction(t.Context(), &api.GetTransactionRequest{Id: last.GetTransaction()})
		if err != nil || m.GetTransaction().GetBy() != "admin" {
			t.Errorf("%s: %v, %v", n, m, err)
		}
	}
	_, err = api.NewDeviceServiceClient(r.replicas[other].conn).GetDevice(t.Context(), &api.GetDeviceRequest{Topology: r.design.Name, Name: "leaf9"})
	if status.Code(err) != codes.NotFound || !strings.Contains(fmt.Sprint(err), "leaf9") {
		t.Errorf("an error comes as %v", err)
	}
}
