package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/sim"
)

// changed writes a topology with some words replaced, and returns it compiled and as a file.
func changed(t *testing.T, topology string, words ...string) (*network, string) {
	t.Helper()
	data, err := os.ReadFile(topology)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), filepath.Base(topology))
	if err := os.WriteFile(file, []byte(strings.NewReplacer(words...).Replace(string(data))), 0o600); err != nil {
		t.Fatal(err)
	}
	srcs, err := sources([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	n, err := compileNetwork(&terminal{out: os.Stderr, err: os.Stderr}, srcs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n, file
}

// A channel that is new in the topology stays dark until a technician has plugged its cords.
func TestATechnicianPlugsWhatAChangedTopologySays(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpComputed)
	l := &faultLab{t, f.sim, filepath.Join(t.TempDir(), "sim.json")}
	l.write(l.inventory, string(f.sim.Inventory().JSON()))
	cable := func(file string, want ...string) {
		t.Helper()
		got, err := l.runAs(simCableCommand, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("got\n%swant %q", got, w)
			}
		}
		if err := f.sim.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	state := func(want string) {
		t.Helper()
		view, _ := f.sim.Device("bj-gateway1").View(false)
		if got := view.Find(mustPath("/interface[name=ethernet-1/4]/oper-state")).Value(); got != want {
			t.Errorf("bj-sh/4 is %q, not %q", got, want)
		}
	}
	cable(litTopology, "everything is plugged as the topology says\n")
	before := f.n
	after, file := changed(t, litTopology, "count: 3", "count: 4", "  bc: {from", "  spare: {from: bj, to: sz, via: [river, east]}\n  bc: {from")
	f.n, f.design = after, after.design
	f.configure(t)
	if err := f.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	state("down")
	spare, err := sim.ParseFault("fibre-cut", "spare", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Inject(spare); err == nil {
		t.Error("a line that is not there can be cut")
	}
	cable(file, "built    line spare\n", "plugged  bj-gateway1:ethernet-1/4 - long at bj, ", "plugged  sh-gateway1:ethernet-1/4 - long at sh, ")
	state("up")
	if _, err := f.sim.Inject(spare); err != nil {
		t.Error(err)
	}
	cable(file, "everything is plugged as the topology says\n")
	cable(litTopology, "removed  line spare\n", "pulled   bj-gateway1:ethernet-1/4 - long at bj, ")
	state("down")
	f.n, f.design = before, before.design
	f.configure(t)

	_, larger := changed(t, litTopology, "leaves: {count: 1", "leaves: {count: 2")
	cable(larger, "bj-leaf2: is not simulated; start the simulation again to have it\n", "plugged")
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	l.write(bad, "loom: v1\nname: lit\n")
	if _, err := l.runAs(simCableCommand, bad); err == nil || !strings.Contains(err.Error(), "bad.yaml:1:7: topology: no devices") {
		t.Errorf("got %v", err)
	}
	swap, err := sim.ParseFault("swap", "bj-leaf1:ethernet-1/49", map[string]string{"with": "sh-leaf1:ethernet-1/49"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Inject(swap); err != nil {
		t.Fatal(err)
	}
	if _, err := l.runAs(simCableCommand, litTopology); err == nil || !strings.Contains(err.Error(), "has swapped cables") {
		t.Errorf("got %v", err)
	}
}
