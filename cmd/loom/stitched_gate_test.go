//go:build !race

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
)

// operator runs commands against a fleet, with a store of its own.
type operator struct {
	*fleet
	dir string
}

func (f *fleet) operator(t *testing.T) *operator {
	t.Helper()
	o := &operator{f, t.TempDir()}
	o.file(t, "sim.json", string(f.sim.Inventory().JSON()))
	return o
}

func (o *operator) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(o.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// loom demands an exit code, and returns what is printed.
func (o *operator) loom(t *testing.T, code int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	args = append(args, "--inventory", filepath.Join(o.dir, "sim.json"), "--data", o.dir)
	if got := run(t.Context(), args, &terminal{in: strings.NewReader(""), out: &out, err: &out}); got != code {
		t.Fatalf("loom %v: exit code %d, want %d\n%s", args, got, code, out.String())
	}
	return out.String()
}

// edited is a topology file with other texts in place of some.
func edited(t *testing.T, file string, texts ...string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for pair := range slices.Chunk(texts, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("%s has no %q", file, pair[0])
		}
		text = strings.Replace(text, pair[0], pair[1], 1)
	}
	return text
}

// running is what all devices run.
func (f *fleet) running() map[string]*config.Tree {
	out := map[string]*config.Tree{}
	for _, d := range f.sim.Devices() {
		out[d.Name()] = d.Running()
	}
	return out
}

// asBefore complains of devices that do not run, or would not boot, what they did before.
func (f *fleet) asBefore(t *testing.T, before map[string]*config.Tree) {
	t.Helper()
	for _, d := range f.sim.Devices() {
		if changes := config.Diff(before[d.Name()], d.Running()); len(changes) > 0 {
			t.Errorf("%s differs in %d places from before, first %s", d.Name(), len(changes), changes[0].At)
		}
		if id := d.Pending(); id != "" {
			t.Errorf("%s has commit %s open", d.Name(), id)
		}
	}
}

// ways are what each device had of something, one after the other, as told of its configurations.
func (f *fleet) ways(t *testing.T) map[string][]string {
	t.Helper()
	entries, err := f.sim.Journal()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, e := range entries {
		if e.Event != "set" {
			continue
		}
		for _, has := range []string{e.From, e.To} {
			if way := out[e.Device]; len(way) == 0 || way[len(way)-1] != has {
				out[e.Device] = append(way, has)
			}
		}
	}
	return out
}

// Something breaks while a segment comes to both sites: every device that has it gives it back, and what broke is named.
func TestWhatBreaksBetweenSitesDuringAChangeUndoesItEverywhere(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "stitched.yaml", bgpComputed)
	f.configure(t)
	f.waits(t, f.incomplete)
	o := f.operator(t)
	file := filepath.Join("..", "..", "topologies", "stitched.yaml")
	more := o.file(t, "more.yaml", edited(t, file, "app: {number: 11, gateway: 10.11.0.1/24}", "app: {number: 11, gateway: 10.11.0.1/24}\n      mail: {number: 12}", "segments: [web, shop]", "segments: [web, shop, mail]"))
	before := f.running()
	for name, loss := range map[string]struct{ kind, target, says string }{
		"a session": {"cut", "bj-spine1:ethernet-1/34", "bj-gateway1:1/1/c36/1 - bj-spine1:ethernet-1/34 is down"},
		"a line":    {"fibre-cut", "north1", "north/1 is down: bj-gateway1 receives no light at 1/1/c1"},
	} {
		t.Run(name, func(t *testing.T) {
			id := make(chan string, 1)
			go func() { // as soon as a gateway has the segment
				_ = f.until(t.Context(), liveTime, func() string {
					if f.sim.Device("bj-gateway1").Running().Find(mustPath("/configure/service/vpls[service-name=red-mail]")).Valid() {
						return ""
					}
					return "not yet"
				})
				broken, err := f.sim.Inject(sim.Fault{Kind: loss.kind, Target: loss.target})
				if err != nil {
					t.Error(err)
				}
				id <- broken
			}()
			said := o.loom(t, exitRolledBack, "apply", more, "--yes", "--gate", "6s", "--rest", "300ms", "--light-wait", "0s")
			if !strings.Contains(said, loss.says) {
				t.Errorf("%q is not said:\n%s", loss.says, said)
			}
			if err := f.sim.Clear(<-id); err != nil {
				t.Fatal(err)
			}
			f.asBefore(t, before)
			f.waits(t, f.incomplete)
		})
	}
}

// A wavelength more is one plan from light to packets: the ends of its line, lasers, trunks. Where its light does not arrive, all of
// it goes again, and each gateway goes back the way it came: packets, then light. Devices do so side by side.
func TestAWavelengthWhoseLightDoesNotArriveGoesAsAWhole(t *testing.T) {
	t.Parallel()
	const file = "testdata/joined.yaml"
	wider := filepath.Join(t.TempDir(), "wider.yaml")
	if err := os.WriteFile(wider, []byte(edited(t, file, "count: 2, mode", "count: 3, mode")), 0o600); err != nil {
		t.Fatal(err)
	}
	f := fleetOf(t, wider, bgpComputed) // has the cords of the third
	f.n = networkOf(t, edited(t, file), "service: vxlan-mpls")
	f.configure(t)
	before := f.running()
	o := f.operator(t)
	f.sim.Digest(func(_ string, tree *config.Tree) string {
		var has []string
		for _, part := range []struct{ what, path string }{
			{"channel", "/components/component[name=add-drop-1-3]"}, {"light", "/configure/port[port-id=1/1/c2]"},
			{"packets", "/configure/router[router-name=Base]/interface[interface-name=wan-1/1/c2/1]"},
		} {
			if tree.Find(mustPath(part.path)).Valid() {
				has = append(has, part.what)
			}
		}
		return strings.Join(has, " and ")
	})
	f.sim.Record(nil, 10000)
	if _, err := f.sim.Inject(sim.Fault{Kind: "dirty-connector", Target: "bj-gateway1:1/1/c2", Loss: 100}); err != nil {
		t.Fatal(err)
	}
	said := o.loom(t, exitRolledBack, "apply", wider, "--yes", "--gate", "6s", "--rest", "300ms", "--light-wait", "1ms")
	if want := "bj-sh/3 is down: bj-gateway1 receives no light at 1/1/c2"; !strings.Contains(said, want) {
		t.Errorf("%q is not said:\n%s", want, said)
	}
	f.asBefore(t, before)
	line, gateway := []string{"", "channel", ""}, []string{"", "light", "light and packets", "light", ""}
	want := map[string][]string{"lit-bj": line, "lit-sh": line, "bj-gateway1": gateway, "sh-gateway1": gateway}
	if diff := cmp.Diff(want, f.ways(t)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
