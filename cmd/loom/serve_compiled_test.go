package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
	"google.golang.org/protobuf/proto"
)

// inLab is a revision of a fabric with 40 leaves, of which the first has so many ports in use.
func inLab(number int64, ports int) *controller.Intent {
	return &controller.Intent{
		Revision: controller.Revision{Topology: "lab", Number: number, Hash: "is kept"},
		Files: []topology.Source{{Name: "lab.yaml", Data: []byte(fmt.Sprintf(`loom: v1
name: lab
spines: {count: 2, platform: 7220-IXR-D3L}
leaves: {count: 30, platform: 7220-IXR-D2L}
tenants:
  red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}}}
ports:
  - {on: leaf1, range: ethernet-1/1..%d, segments: [web]}
`, ports))}},
	}
}

// What differs from one revision to the next is compiled, and nothing else; what is asked for again is not compiled at all.
func TestTheCostOfARevisionIsThatOfWhatDiffers(t *testing.T) {
	t.Parallel()
	s := &serving{}
	var last compileWork
	for _, c := range []struct {
		name      string
		in        *controller.Intent
		compiled  int
		mostCosts int // devices that are decided and rendered
	}{
		{"the first costs all devices", inLab(1, 2), 1, 32},
		{"the same costs nothing", inLab(1, 2), 0, 0},
		{"a port more costs its leaf", inLab(2, 3), 1, 1},
		{"an old one is still there", inLab(1, 2), 0, 0},
		{"and so is the new one", inLab(2, 3), 0, 0},
		{"of many the oldest is forgotten", inLab(3, 4), 1, 1},
		{"of many the oldest is forgotten", inLab(4, 5), 1, 1},
		{"of many the oldest is forgotten", inLab(5, 6), 1, 1},
		{"what was forgotten costs what differs", inLab(1, 2), 1, 1},
		{"what nobody has put is not kept", &controller.Intent{Revision: controller.Revision{Topology: "lab", Number: 1}, Files: inLab(1, 9).Files}, 1, 1},
	} {
		n, err := s.compile(c.in)
		if err != nil {
			t.Fatal(c.name, err)
		}
		fresh, err := compileNetwork(nowhere(), c.in.Files, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range fresh.trees {
			if !config.Equal(n.trees[name], want) {
				t.Errorf("%s: %s is not as a program compiles it that has compiled nothing before", c.name, name)
			}
		}
		work := s.compiled.topology("lab").work
		compiled, decided, rendered := work.Compiled-last.Compiled, work.Decided-last.Decided, work.Rendered-last.Rendered
		if compiled != c.compiled || decided != c.mostCosts || rendered != c.mostCosts {
			t.Errorf("%s: %d compiled, %d decided, %d rendered; want %d, and %d devices", c.name, compiled, decided, rendered, c.compiled, c.mostCosts)
		}
		last = work
	}
	if n := len(s.compiled.topology("lab").revisions); n != mostRevisions {
		t.Errorf("%d revisions are kept, want %d", n, mostRevisions)
	}
	for i := range 2 * mostCompiled {
		s.compiled.topology(fmt.Sprint("other", i))
	}
	if n := len(s.compiled.each); n != mostCompiled || s.compiled.each["lab"] != nil {
		t.Errorf("%d topologies are kept, want %d without the one that nobody asks for", n, mostCompiled)
	}
}

// Who gets a network may change what its devices are to have; the next one gets it as it was.
func TestWhatIsKeptIsNotChanged(t *testing.T) {
	t.Parallel()
	s := &serving{}
	for range 3 {
		n, err := s.compile(inLab(1, 2))
		if err != nil {
			t.Fatal(err)
		}
		if n.trees["leaf1"] == nil {
			t.Fatal("leaf1 is gone")
		}
		delete(n.trees, "leaf1")
	}
}

// A write says whose configuration it changes, and leaves the rest out.
func TestAWriteSaysWhatItMakesOfDevices(t *testing.T) {
	t.Parallel()
	topo := func(in *controller.Intent, without ...string) *topology.Topology {
		topo, diags := in.Expand()
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		out := topology.New(proto.CloneOf(topo.Intent))
		for _, s := range out.Intent.Sites {
			for _, name := range without {
				for i, d := range s.Devices {
					if d.Name == name {
						s.Devices = slices.Delete(s.Devices, i, i+1)
						break
					}
				}
			}
		}
		return out
	}
	for _, c := range []struct {
		name          string
		before, after *topology.Topology
		changed       int
		added, gone   []string
	}{
		{"the same", topo(inLab(1, 2)), topo(inLab(1, 2)), 0, nil, nil},
		{"a port more", topo(inLab(1, 2)), topo(inLab(1, 3)), 1, nil, nil},
		{"a leaf less is a change of both spines", topo(inLab(1, 2)), topo(inLab(1, 2), "leaf30"), 2, nil, []string{"leaf30"}},
		{"a leaf more, too", topo(inLab(1, 2), "leaf30"), topo(inLab(1, 2)), 2, []string{"leaf30"}, nil},
	} {
		got, diags := new(compilations).check(c.before, c.after)
		if diags.HasErrors() || len(got.Devices) != c.changed || !slices.Equal(got.Added, c.added) || !slices.Equal(got.Removed, c.gone) {
			t.Errorf("%s: %+v %v", c.name, got, diags)
		}
	}
}
