package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/api"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Who watches a transaction of a controller sees how it stands, as who has started it by loom apply does.
func TestWatchingATransactionOfAController(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	ctx := t.Context()
	c.box("leaf1", map[string]string{"/system/name/host-name": "somebody"})
	plans, transactions := api.NewPlanServiceClient(c.there), api.NewTransactionServiceClient(c.there)
	made, err := plans.CreatePlan(ctx, &api.CreatePlanRequest{Topology: c.f.name})
	c.check(err)
	applied, err := plans.ApplyPlan(ctx, &api.ApplyPlanRequest{Id: made.GetPlan().GetId(), Hash: made.GetPlan().GetHash(), Gate: durationpb.New(0), Hold: durationpb.New(time.Minute)})
	c.check(err)
	first, err := applied.Recv()
	c.check(err)
	id := first.GetTransaction()
	c.until(func() string { return id + " has no journal" }, func() bool { // its id is told before that
		_, err := transactions.GetTransaction(ctx, &api.GetTransactionRequest{Id: id})
		return err == nil
	})
	stream, err := transactions.WatchTransaction(ctx, &api.WatchTransactionRequest{Id: id})
	c.check(err)
	var held *api.TransactionProgress
	for held.GetWaits() != "word" {
		m, err := stream.Recv()
		c.check(err)
		if m.GetProgress() != nil {
			held = m.GetProgress()
		}
	}
	if w := held.GetWaves(); held.GetPhase() != "forward" || len(w) != 1 || w[0].GetDevices() != 1 || w[0].GetStatuses()["verified"] != 1 || held.GetTimers() != 1 ||
		held.GetFirstDevice() != "leaf1" || !held.GetUntil().AsTime().After(held.GetAt().AsTime()) || held.GetAt().AsTime().Before(held.GetBegan().AsTime()) {
		t.Errorf("while it is held it stands like this: %v", held)
	}

	var screen screenText
	watched := make(chan error, 1)
	go func() { watched <- c.there.watch(ctx, &terminal{out: io.Discard, err: &screen, live: true}, id) }()
	c.until(screen.String, func() bool {
		return strings.Contains(screen.String(), "waits for    loom transactions confirm or cancel") && strings.Contains(screen.String(), "wave 1            1/1  ############  1 read back") &&
			strings.Contains(screen.String(), "timers       1 armed")
	})
	_, err = transactions.ConfirmTransaction(ctx, &api.ConfirmTransactionRequest{Id: id})
	c.check(err)
	c.check(<-watched)
	for err == nil {
		_, err = applied.Recv()
	}
	if !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// screenText is what a terminal was told to show.
type screenText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screenText) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screenText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// A topology that could not be taken into care is tried again when somebody asks for it, and not only when its time has come.
func TestResumingTriesToTakeATopologyIntoCare(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	resume := func() (*api.Transaction, error) {
		m, err := api.NewTransactionServiceClient(c.there).ResumeTransaction(t.Context(), &api.ResumeTransactionRequest{Topology: c.f.name})
		return m.GetTransaction(), err
	}
	if x, err := resume(); err != nil || x != nil {
		t.Errorf("nothing is open: %v, %v", x, err)
	}
	c.f.changing.Lock()
	if _, err := resume(); err == nil || !strings.Contains(err.Error(), "a transaction changes its devices now") {
		t.Errorf("while another changes devices: %v", err)
	}
	c.f.changing.Unlock()

	c.check(c.f.stop())
	c.s.mu.Lock()
	delete(c.s.fabrics, c.f.name)
	c.s.minded = map[string]chan struct{}{}
	c.s.mu.Unlock()
	inventory := c.s.access.inventory
	c.check(os.Rename(inventory, inventory+".away"))
	if _, err := resume(); err == nil || !strings.Contains(err.Error(), "sim.json: no such file") {
		t.Errorf("what is wrong is not said: %v", err)
	}
	c.check(os.Rename(inventory+".away", inventory))
	if x, err := resume(); err != nil || x != nil {
		t.Errorf("taken into care: %v, %v", x, err)
	}
	f, err := c.s.fabric(c.f.name)
	c.check(err)
	c.f = f
}
