package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A drain ends whatever the topology asks for by then: BFD on all links, a channel of the gateway less and one tuned anew, another
// spine. None of that comes with the end of the drain; the plan names the device that waits for it.
func TestADrainEndsWhileOtherChangesWait(t *testing.T) {
	t.Parallel()
	lit, err := os.ReadFile("testdata/lit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := strings.NewReplacer("spines: {count: 1", "spines: {count: 2", "leaves: {count: 1", "leaves: {count: 2").Replace(string(lit)) // so that no drain takes a last way
	original := write("lit.yaml", text)
	changed := write("today.yaml", strings.NewReplacer("links: unnumbered", "links: unnumbered, bfd: 3x300ms", "count: 3\n", "count: 2\n",
		"        3: {frequency: 193.1 THz}\n", "        2: {frequency: 193.175 THz}\n", "spines: {count: 2", "spines: {count: 3").Replace(text))
	f := fleetOf(t, original, bgpComputed)
	inventory := write("sim.json", string(f.sim.Inventory().JSON()))
	f.configure(t)
	if err := f.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	loom := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		args = append(args, "--inventory", inventory, "--data", dir)
		if code := run(t.Context(), args, &terminal{in: strings.NewReader(""), out: &out, err: &out}); code != want {
			t.Fatalf("loom %v: exit code %d, want %d\n%s", args, code, want, out.String())
		}
		return out.String()
	}
	for _, name := range []string{"bj-leaf1", "bj-spine1", "bj-gateway1"} {
		loom(exitOK, "drain", name, original, "--yes", "--rest", "0s")
		said := loom(exitOK, "undrain", name, changed, "--yes", "--rest", "0s")
		if !strings.Contains(said, "The topology asks for more, which waits for loom apply: "+name+" (") {
			t.Errorf("%s: what waits is not named:\n%s", name, said)
		}
		loom(exitOK, "plan", original, "--limit", name)
		loom(exitChanges, "plan", changed, "--limit", name)
	}
}
