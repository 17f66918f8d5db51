package srlinux

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/topology"
)

// fixture is a topology with what comes of it for one release.
type fixture struct {
	topo   *topology.Topology
	design *fabric.Design
}

// open reads a topology: the text itself, a file or a directory; "odd" is testdata/odd.yaml. A
// release, unless it is "", becomes that of all routers that can do with it what they are for.
func open(t testing.TB, source, release string) fixture {
	t.Helper()
	topo, diags := topology.Parse(sources(t, source)...)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, site := range topo.Intent.GetSites() {
		for _, d := range site.GetDevices() {
			if runs(d, release) {
				d.Release = cmp.Or(release, d.GetRelease())
			}
		}
	}
	design, diags := fabric.Compile(topo)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return fixture{topo, design}
}

// runs tells whether a device is a router that a release is for: gateways need coherent optics.
func runs(d *intent.Device, release string) bool {
	if p, ok := hardware.Lookup(d.GetPlatform()); ok && p.OS != OS {
		return false
	}
	i := srl.Schema.Release(release)
	return d.GetRole() != intent.Role_ROLE_GATEWAY || i < 0 || srl.Schema.Nodes[functionalType].In.Has(i)
}

// routers are the devices of the design that this driver is for.
func (f fixture) routers() (out []*fabric.Device) {
	for _, d := range f.design.Devices {
		if d.OS == OS {
			out = append(out, d)
		}
	}
	return out
}

func sources(t testing.TB, source string) []topology.Source {
	t.Helper()
	if strings.Contains(source, "\n") {
		return []topology.Source{{Name: "test.yaml", Data: []byte(source)}}
	}
	if !strings.Contains(source, "/") {
		source = filepath.Join("testdata", source+".yaml")
	}
	files := []string{source}
	if filepath.Ext(source) == "" {
		files, _ = filepath.Glob(filepath.Join(source, "*.yaml"))
	}
	var out []topology.Source
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, topology.Source{Name: file, Data: data})
	}
	return out
}

// topologies are all examples of the repository.
func topologies(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../topologies/*")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d topologies, %v", len(files), err)
	}
	return files
}

func (f fixture) device(t testing.TB, name string) *fabric.Device {
	t.Helper()
	d := f.design.Device(name)
	if d == nil {
		t.Fatalf("no device %s", name)
	}
	return d
}

func (f fixture) render(t testing.TB, name string) *config.Tree {
	t.Helper()
	return render(t, f.device(t, name))
}

func render(t testing.TB, d *fabric.Device) *config.Tree {
	t.Helper()
	tree, err := Render(d)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// releases are those of the profile.
var releases = srl.Schema.Releases

// fact says what some paths of a rendered device show, in every release unless one is named.
type fact struct {
	name     string // a sentence
	topology string // as for open
	device   string
	release  string
	want     map[string]string // by path; see show
}

func hold(t *testing.T, facts []fact) {
	t.Helper()
	for _, f := range facts {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for _, release := range releases {
				if f.release == "" || f.release == release {
					f.holds(t, release)
				}
			}
		})
	}
}

func (f fact) holds(t *testing.T, release string) {
	t.Helper()
	tree := open(t, f.topology, release).render(t, f.device)
	for _, path := range slices.Sorted(maps.Keys(f.want)) {
		if got := show(t, tree, path); got != f.want[path] {
			t.Errorf("%s: %s of %s: got %s, want %s", release, path, f.device, got, f.want[path])
		}
	}
}

// show prints a leaf's value, the values of a leaf-list, the keys of a list's entries, "present" for
// other nodes, and "absent".
func show(t testing.TB, tree *config.Tree, path string) string {
	t.Helper()
	p, err := config.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	at := tree.Find(p)
	switch {
	case !at.Valid():
		return "absent"
	case at.Node().Kind == config.Leaf:
		return at.Value()
	case at.Node().Kind == config.LeafList, at.Node().Kind == config.List && !at.IsEntry():
		var out []string
		for c := range at.Children() {
			out = append(out, strings.Join(append(c.Keys(), c.Value()), " "))
		}
		return strings.TrimSpace(strings.ReplaceAll(strings.Join(out, ","), " ,", ","))
	}
	return "present"
}

// text is what an error says; "" for none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
