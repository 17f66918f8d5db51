package transponder

import (
	"os"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/topology"
)

// compiled is a topology with its design, and its text by lines.
func compiled(t testing.TB) (*topology.Topology, *fabric.Design, []string) {
	t.Helper()
	data, err := os.ReadFile("testdata/pair.yaml")
	if err != nil {
		t.Fatal(err)
	}
	topo, diags := topology.Parse(topology.Source{Name: "pair.yaml", Data: data})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	design, diags := fabric.Compile(topo)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return topo, design, strings.Split(string(data), "\n")
}

func TestWhatATopologyComesToIsRenderedOwnedAndExplained(t *testing.T) {
	t.Parallel()
	topo, design, _ := compiled(t)
	seen := map[fabric.Role]int{}
	for _, d := range design.Devices {
		if d.OS != OS {
			continue
		}
		seen[d.Role]++
		tree := render(t, d)
		if owned := Scope(d).Owned(tree, tree); !config.Equal(owned, tree) {
			t.Errorf("%s: %d of %d leaves are owned", d.Name, owned.Leaves(), tree.Leaves())
		}
		for c := range tree.All() {
			if pos := topo.At(c.Cause().Ref); c.IsLeaf() && (c.Cause().Rule == "" || pos.Line == 0) {
				t.Errorf("%s: %s: cause %+v is nowhere", d.Name, c.Path(), c.Cause())
			}
		}
	}
	if seen[fabric.Transponder] != 2 || seen[fabric.LineSystem] != 3 {
		t.Errorf("devices %v", seen)
	}
}

func TestLeavesAreExplainedByTheLineThatAsksForThem(t *testing.T) {
	t.Parallel()
	topo, design, lines := compiled(t)
	for _, c := range []struct{ device, path, want string }{
		{"bj-transponder1", "/components/component[name=och-line-1]/optical-channel/config/frequency", "wavelengths: {count: 2"},
		{"bj-transponder1", "/terminal-device/logical-channels/channel[index=10001]/config/rate-class", "wavelengths: {count: 2"},
		{"bj-transponder1", "/lldp/config/system-name", "transponders: {count: 1"},
		{"long-hut1", "/optical-amplifier/amplifiers/amplifier[name=long-there]/config/target-gain", "amplifiers: EDFA"},
		{"long-sh", "/wavelength-router/media-channels/channel[index=3]/config/lower-frequency", "wavelengths: {count: 2"},
	} {
		p, err := config.ParsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		at := render(t, design.Device(c.device)).Find(p)
		if !at.Valid() {
			t.Errorf("%s: no %s", c.device, c.path)
			continue
		}
		if pos := topo.At(at.Cause().Ref); pos.Line == 0 || !strings.Contains(lines[pos.Line-1], c.want) {
			t.Errorf("%s: %s: at %s, want the line with %q", c.device, c.path, pos, c.want)
		}
	}
}
