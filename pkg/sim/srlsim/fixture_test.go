package srlsim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loomfabric/loom/models/hardware"
	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/srlinux"
	"github.com/loomfabric/loom/pkg/topology"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var releases = []string{"24.10", "25.3"}

// demo is the design of topologies/demo.yaml, with all devices on one release.
func demo(t testing.TB, release string) *fabric.Design {
	t.Helper()
	const file = "../../../topologies/demo.yaml"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	topo, diags := topology.Parse(topology.Source{Name: file, Data: data})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, site := range topo.Intent.GetSites() {
		for _, d := range site.GetDevices() {
			d.Release = release
		}
	}
	design, diags := fabric.Compile(topo)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return design
}

// render is the configuration that Loom gives a device.
func render(t testing.TB, d *fabric.Device) *config.Tree {
	t.Helper()
	tree, err := srlinux.Render(d)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// chassis is the hardware of a device; its MAC address ends in the number given.
func chassis(t testing.TB, name, platform string, number byte) network.Hardware {
	t.Helper()
	h := network.Hardware{Name: name, Platform: platform, Serial: "NS0000" + name, MAC: network.MAC{2, 0, 0, number, 0, 0}}
	p, ok := hardware.Lookup(platform)
	if !ok {
		t.Fatalf("no platform %s", platform)
	}
	for _, port := range p.Ports {
		h.Ports = append(h.Ports, network.Jack{Name: port.Name, Speed: port.Speeds[0]})
	}
	return h
}

// small is a chassis with two ports.
var small = network.Hardware{
	Name: "leaf1", Platform: "7220-IXR-D2L", Serial: "NS1", MAC: network.MAC{2, 0, 0, 1, 0, 0},
	Ports: []network.Jack{{Name: "ethernet-1/1", Speed: "100G"}, {Name: "ethernet-1/2", Speed: "100G"}},
}

// parse reads a configuration as a device accepts it.
func parse(t testing.TB, release, document string) *config.Tree {
	t.Helper()
	tree, _, err := config.Parse(srl.Schema, release, []byte(document), config.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// The moments of every observation.
var (
	booted  = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	changed = booted.Add(time.Minute)
	now     = booted.Add(time.Hour)
)

// watch returns what a device shows; every leaf of it fits the schema.
func watch(t rapid.TB, o sim.Observation) *config.Tree {
	t.Helper()
	b, err := config.NewBuilder(o.Running.Schema(), o.Running.Release())
	if err != nil {
		t.Fatal(err)
	}
	copyTo(b, o.Running)
	observe(b, o)
	view, err := b.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return view
}

// copyTo sets everything that a tree has.
func copyTo(b *config.Builder, t *config.Tree) {
	for c := range t.All() {
		set(b, c)
	}
}

// set sets one node of another tree.
func set(b *config.Builder, c config.Cursor) {
	switch kind := c.Node().Kind; {
	case kind == config.Leaf || c.IsValue():
		b.SetPath(c.Path(), c.Value())
	case kind == config.Presence || c.IsEntry():
		b.SetPath(c.Path(), "")
	}
}

// shows fails unless the leaves at the paths have the values; "" means that there is no such leaf.
func shows(t testing.TB, view *config.Tree, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for path := range want {
		p, err := config.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		c, values := view.Find(p), []string(nil)
		for v := range c.Children() {
			values = append(values, v.Value())
		}
		if got[path] = strings.Join(values, " "); len(values) == 0 {
			got[path] = c.Value()
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// spell writes all that is not zero in a value, one line each: "Ports[0].Speed = 25G".
func spell(out *strings.Builder, path string, v reflect.Value) {
	if _, ok := v.Interface().(fmt.Stringer); v.IsZero() || ok && v.Kind() != reflect.Map {
		if !v.IsZero() {
			fmt.Fprintf(out, "%s = %v\n", path, v)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		spell(out, path, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			spell(out, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		for _, key := range sortBy(v.MapKeys(), func(k reflect.Value) string { return fmt.Sprint(k) }) {
			spell(out, fmt.Sprintf("%s[%v]", path, key), v.MapIndex(key))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			spell(out, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	default:
		fmt.Fprintf(out, "%s = %v\n", path, v)
	}
}
