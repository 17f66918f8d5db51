package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/api"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// cared is a simulated fabric in the care of a controller, without the door through which callers come: its devices have what is
// intended.
type cared struct {
	*fleet
	testing.TB
	s      *serving
	f      *fabricRun
	logged screenText
}

func newCared(t testing.TB, file string) *cared {
	t.Helper()
	c := &cared{fleet: fleetWith(t, file, simulation{bgp: bgpComputed}), TB: t}
	c.configureSome(t, sortedKeys(c.n.trees)...)
	dir := t.TempDir()
	inventory := filepath.Join(dir, "sim.json")
	c.check(os.WriteFile(inventory, c.sim.Inventory().JSON(), 0o600))
	ctx, cancel := context.WithCancel(api.Itself(context.Background()))
	c.s = &serving{
		ctx: ctx, stopping: ctx, dir: dir, access: &access{inventory: inventory, warn: func(string, ...any) {}}, parallel: 4, storeFlags: &storeFlags{dir: dir},
		unattended: 20, retention: controller.DefaultRetention, fabrics: map[string]*fabricRun{}, without: map[string]error{}, tries: map[string]int{}, wake: make(chan struct{}, 1), log: slog.New(slog.NewJSONHandler(&c.logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	c.s.measures = newMeasures(c.s)
	c.s.storeFlags.committed = c.s.measures.committed
	var err error
	c.s.store, err = c.s.storeFlags.open(t.Context(), &terminal{out: io.Discard, err: io.Discard}, dir)
	c.check(err)
	c.check(c.s.openAudit(""))
	c.s.book, err = openAccess(ctx, c.s.store, c.s.log)
	c.check(err)
	var follower sync.WaitGroup
	follower.Go(func() { c.s.book.follow(ctx) })
	c.s.intents = &controller.Intents{Ledger: &intentLedger{c.s.store}, Check: c.s.compiled.check, Now: time.Now}
	srcs, err := sources([]string{file})
	c.check(err)
	put, err := c.s.intents.Put(t.Context(), srcs, controller.Write{By: "test"})
	c.check(err)
	writing, stop := context.WithCancel(context.Background())
	var writer sync.WaitGroup
	writer.Go(func() { c.s.write(writing) })
	writer.Go(func() { c.s.audit.run(writing, c.s) })
	c.f, err = c.s.takeOn(t.Context(), put.Revision.Topology)
	c.check(err)
	c.s.fabrics[c.f.name] = c.f
	t.Cleanup(func() {
		cancel()
		c.s.minders.Wait()
		c.check(c.f.stop())
		stop()
		writer.Wait()
		follower.Wait()
		c.check(c.s.store.Close())
	})
	c.stand(controller.InSync, sortedKeys(c.n.trees)...)
	return c
}

func (c *cared) check(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// until waits until something holds.
func (c *cared) until(what func() string, holds func() bool) {
	c.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			c.Fatalf("waited a minute: %s", what())
		}
	}
}

// stand waits until devices stand somewhere.
func (c *cared) stand(want controller.Status, names ...string) {
	c.Helper()
	for _, name := range names {
		c.until(func() string { return fmt.Sprintf("%s is %+v, want %s", name, c.standing(name), want) },
			func() bool { return c.standing(name).Status == want })
	}
}

func (c *cared) agent(name string) *agent {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	return c.f.agents[name]
}

func (c *cared) standing(name string) controller.Standing {
	s, _, _ := c.agent(name).standing()
	return s
}

// owned is what Loom owns of what a device runs.
func (c *cared) owned(name string) *config.Tree {
	d := c.n.design.Device(name)
	return drivers[d.OS].Scope(d).Owned(c.sim.Device(name).Running(), c.n.trees[name])
}

// box sets leaves of a device as somebody at the box would, in one commit; an empty text deletes.
func (c *cared) box(name string, leaves map[string]string) {
	c.Helper()
	req := &gnmi.SetRequest{}
	for _, path := range sortedKeys(leaves) {
		at := mustPath(path).GNMI()
		if leaves[path] == "" {
			req.Delete = append(req.Delete, at)
			continue
		}
		req.Replace = append(req.Replace, &gnmi.Update{Path: at, Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: leaves[path]}}})
	}
	c.check(c.sim.Device(name).Apply(req))
}

func (c *cared) inject(kind, device string, parameters map[string]string) string {
	c.Helper()
	f, err := sim.ParseFault(kind, device, parameters)
	c.check(err)
	id, err := c.sim.Inject(f)
	c.check(err)
	return id
}

// setsOf is how many Sets a device has got.
func (c *cared) setsOf(device string) int {
	c.Helper()
	all, err := c.sim.Journal()
	c.check(err)
	n := 0
	for _, e := range all {
		if e.Event == "set" && e.Device == device {
			n++
		}
	}
	return n
}

// descriptions are the leaves of a device by that name that anybody could have written, and what is intended there.
func (c *cared) descriptions(d *fabric.Device) map[string]string {
	out := map[string]string{}
	tree := c.n.trees[d.Name]
	tree.Walk(func(at config.Cursor) bool {
		name := ""
		if p := at.Path(); len(p) > 0 {
			name = p[len(p)-1].Name
		}
		if at.IsEntry() && (name == "interface" || name == "subinterface" || name == "neighbor" || name == "network-instance") && !at.Parent().Parent().IsEntry() ||
			at.IsEntry() && name == "subinterface" {
			out[at.Path().String()+"/description"] = ""
		}
		return true
	})
	for path := range out {
		if leaf := tree.Find(mustPath(path)); leaf.Valid() {
			out[path] = leaf.Value()
		}
		if _, err := config.Apply(tree, &gnmi.SetRequest{Replace: []*gnmi.Update{{Path: mustPath(path).GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: "x"}}}}}); err != nil {
			delete(out, path) // there is no such leaf
		}
	}
	return out
}
