package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/loomfabric/loom/models/api"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// serveProcess is loom serve as a process of its own, which can be killed.
type serveProcess struct {
	t       testing.TB
	dir     string
	address string
	rest    string
	mu      sync.Mutex
	cmd     *exec.Cmd
}

// startProcess starts a controller in a directory. Devices are where nobody is.
func startProcess(t *testing.T, devices ...string) *serveProcess {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0") // the same after each start
	if err != nil {
		t.Fatal(err)
	}
	p := &serveProcess{t: t, dir: t.TempDir(), address: free.Addr().String(), rest: "none"}
	free.Close()
	var inv struct {
		Username string              `json:"username"`
		Password string              `json:"password"`
		Devices  []map[string]string `json:"devices"`
	}
	inv.Username, inv.Password = "admin", "admin"
	for _, d := range devices {
		inv.Devices = append(inv.Devices, map[string]string{"name": d, "address": "127.0.0.1:1"})
	}
	data, err := json.Marshal(inv)
	if err == nil {
		err = os.WriteFile(filepath.Join(p.dir, "inventory.json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.start()
	t.Cleanup(p.kill)
	return p
}

func (p *serveProcess) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = exec.Command("loom", "serve", "--data", "state", "--listen", p.address, "--rest", p.rest, "--inventory", "inventory.json")
	p.cmd.Dir = p.dir
	p.cmd.Env = append(os.Environ(), "LOOM_CONTEXTS="+filepath.Join(p.dir, "contexts.json"), "GORACE=atexit_sleep_ms=0")
	if err := p.cmd.Start(); err != nil {
		p.t.Error(err)
	}
}

// kill ends it as a power cut of the process would.
func (p *serveProcess) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// client calls it at where it is now.
func (p *serveProcess) client() (*client, error) {
	all := &contexts{file: filepath.Join(p.dir, "contexts.json")}
	data, err := os.ReadFile(all.file)
	if err == nil {
		err = json.Unmarshal(data, all)
	}
	if err != nil {
		return nil, err
	}
	c, err := all.find("")
	if err != nil {
		return nil, err
	}
	return c.dial()
}

// What a client of the intent API asks for and is told. A write that got no answer may have been made or not, now or later.
type (
	intentCall struct {
		write    bool
		expected int64
		says     string
	}
	intentAnswer struct {
		unknown  bool
		moved    bool
		revision int64
		says     string
	}
	intentState struct {
		revision int64
		says     string
	}
)

// intentModel is what the intent API promises of one topology: a register with a version (linearizable, compare and set).
var intentModel = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{intentState{}} },
	Step: func(state, input, output any) []any {
		s, in, out := state.(intentState), input.(intentCall), output.(intentAnswer)
		written := intentState{in.expected + 1, in.says}
		switch {
		case !in.write && out.unknown:
			return []any{s}
		case !in.write && s == intentState{out.revision, out.says}:
			return []any{s}
		case !in.write:
			return nil
		case out.unknown && s.revision == in.expected:
			return []any{s, written}
		case out.unknown:
			return []any{s}
		case out.moved && s.revision != in.expected:
			return []any{s}
		case !out.moved && s.revision == in.expected && out.revision == written.revision:
			return []any{written}
		}
		return nil
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}).ToModel()

// Many write and read at once, and the controller is killed again and again: what they were told fits one order of all that happened.
func TestIntentsAreLinearizableThoughTheControllerIsKilled(t *testing.T) {
	t.Parallel()
	const clients, each, kills = 4, 20, 3
	p := startProcess(t, "leaf1", "spine1")
	var seq atomic.Int64
	began := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	var all sync.WaitGroup
	done := make(chan struct{})
	for id := range clients {
		all.Go(func() {
			c := &caller{p: p}
			defer c.hangUp()
			known := int64(0)
			for range each {
				for _, in := range []intentCall{{write: true, expected: known, says: fmt.Sprint(seq.Add(1))}, {}} {
					from := time.Since(began)
					out := c.do(t.Context(), in)
					to := time.Since(began)
					if out.unknown {
						to = time.Hour // it may happen yet
						if !in.write {
							continue
						}
					}
					if !in.write {
						known = out.revision
					}
					mu.Lock()
					history = append(history, porcupine.Operation{ClientId: id, Input: in, Call: int64(from), Output: out, Return: int64(to)})
					mu.Unlock()
				}
			}
		})
	}
	go func() { all.Wait(); close(done) }()
	var last int64
	for range kills {
		select { // some of the work is done
		case <-done:
		case <-moves(&seq, last+clients*each/(kills+1)):
		}
		last = seq.Load()
		p.kill()
		p.start()
	}
	<-done
	for i := range history { // a client is one again after an answer that never came
		history[i].ClientId = i
	}
	known := 0
	for _, op := range history {
		if !op.Output.(intentAnswer).unknown {
			known++
		}
	}
	if known < len(history)/2 {
		t.Errorf("%d of %d calls were answered; that says too little", known, len(history))
	}
	switch porcupine.CheckOperationsTimeout(intentModel, history, time.Minute) {
	case porcupine.Illegal:
		t.Errorf("what clients were told fits no order: %+v", history)
	case porcupine.Unknown:
		t.Error("no verdict in a minute")
	}
}

// moves tells when a number has come to a value.
func moves(n *atomic.Int64, to int64) <-chan struct{} {
	out := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for n.Load() < to {
			<-tick.C
		}
		close(out)
	}()
	return out
}

// caller is a client that finds the controller again after it was killed.
type caller struct {
	p *serveProcess
	c *client
}

func (c *caller) hangUp() {
	if c.c != nil {
		c.c.Close()
		c.c = nil
	}
}

// do makes one call. What could not be sent is sent again; what was sent and not answered is not known.
func (c *caller) do(ctx context.Context, in intentCall) intentAnswer {
	for {
		if c.c == nil {
			var err error
			if c.c, err = c.p.client(); err != nil { // it has not begun yet
				<-time.After(10 * time.Millisecond)
				continue
			}
		}
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		out, err := c.call(ctx, in)
		cancel()
		switch s, _ := status.FromError(err); {
		case err == nil:
			return out
		case s.Code() == codes.Aborted:
			return intentAnswer{moved: true}
		case s.Code() == codes.NotFound:
			return intentAnswer{}
		default:
			c.hangUp()
			return intentAnswer{unknown: true}
		}
	}
}

func (c *caller) call(ctx context.Context, in intentCall) (intentAnswer, error) {
	intents := api.NewIntentServiceClient(c.c)
	if !in.write {
		m, err := intents.ListRevisions(ctx, &api.ListRevisionsRequest{Topology: "lab", PageSize: 1}, grpc.WaitForReady(true))
		if err != nil {
			return intentAnswer{}, err
		}
		r := m.GetRevisions()[0]
		return intentAnswer{revision: r.GetNumber(), says: r.GetMessage()}, nil
	}
	files := smallLab(1)
	files[0].Data = append(files[0].Data, "# "+in.says+"\n"...) // in other words: what is the same makes no revision
	m, err := intents.PutTopology(ctx, &api.PutTopologyRequest{Files: filesOf(files), ExpectedRevision: &in.expected, Message: in.says}, grpc.WaitForReady(true))
	return intentAnswer{revision: m.GetRevision().GetNumber(), says: in.says}, err
}
