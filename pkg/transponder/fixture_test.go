package transponder

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/hardware"
	oc "github.com/loomfabric/loom/models/openconfig"
	modes "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
)

// release is the only set of models.
var release = oc.Schema.Releases[0]

// muxponder carries two clients of 400 Gb/s over one channel, and one over another.
func muxponder(t testing.TB) *fabric.Device {
	t.Helper()
	d := device("bj-transponder1", fabric.Transponder)
	d.Light = fabric.Light{
		Coherent: []fabric.CoherentPort{
			{
				Port: "line-1", Channel: "bj-sh/1", Frequency: 193700000, Power: -2, Mode: mode(t, "OpenROADM 800G-oFEC-118Gbd"), Setting: "8",
				Clients: []string{"client-1", "client-2"}, PeerName: "sh-transponder1", PeerPort: "line-1", Ref: "dci/bj-sh/wavelengths",
			},
			{
				Port: "line-2", Channel: "bj-sh/2", Frequency: 193775000, Power: -10, Mode: mode(t, "OpenZR+ 400G"), Setting: "5",
				Clients: []string{"client-3"}, PeerName: "sh-transponder1", PeerPort: "line-2", Ref: "dci/bj-sh/wavelengths",
			},
		},
		Clients: []fabric.ClientPort{
			{Port: "client-1", Rate: 400, Line: "line-1", PeerName: "bj-gateway1", PeerPort: "ethernet-1/1", Ref: "dci/bj-sh/wavelengths#transponders"},
			{Port: "client-2", Rate: 400, Line: "line-1", PeerName: "bj-gateway2", PeerPort: "ethernet-1/1", Ref: "dci/bj-sh/wavelengths#transponders"},
			{Port: "client-3", Rate: 400, Line: "line-2", PeerName: "bj-gateway1", PeerPort: "ethernet-1/2", Ref: "dci/bj-sh/wavelengths#transponders"},
		},
	}
	d.Unused = []hardware.Port{{Name: "client-4"}}
	return d
}

// terminal is the end of a line: a booster, a preamplifier, and two channels.
func terminal(testing.TB) *fabric.Device {
	d := device("long-bj", fabric.LineSystem)
	d.Light = fabric.Light{
		Amplifiers: []fabric.Amplifier{
			{Name: "long-back", Line: "long", Gain: 17.35, VOA: 0, Ref: "lines/long#amplifiers"},
			{Name: "long-there", Line: "long", Gain: 12, VOA: 1.5, Ref: "lines/long#amplifiers"},
		},
		Media: []fabric.MediaChannel{
			{Index: 375, Low: 193662500, High: 193737500, Channel: "bj-sh/1", Port: "add-drop-1", Ref: "dci/bj-sh/wavelengths"},
			{Index: 387, Low: 193737500, High: 193812500, Channel: "bj-sh/2", Port: "add-drop-2", Ref: "dci/bj-sh/wavelengths"},
		},
	}
	return d
}

// hut only amplifies.
func hut(t testing.TB) *fabric.Device {
	d := terminal(t)
	d.Name, d.Light.Media = "long-hut1", nil
	return d
}

func device(name string, role fabric.Role) *fabric.Device {
	return &fabric.Device{Name: name, Topology: "dci", Role: role, OS: OS, Release: release, Ref: fabric.Ref("devices/" + name)}
}

func mode(t testing.TB, name string) *optics.Mode {
	t.Helper()
	m, ok := modes.Mode(name)
	if !ok {
		t.Fatalf("no mode %s", name)
	}
	return m
}

// devices are one of each kind.
func devices(t testing.TB) map[string]*fabric.Device {
	return map[string]*fabric.Device{"transponder": muxponder(t), "terminal": terminal(t), "hut": hut(t)}
}

// edited is a device with a part of its light otherwise. Lists are copied, so that the device itself stays.
func edited(d *fabric.Device, edit func(*fabric.Light)) *fabric.Device {
	out := *d
	l := &out.Light
	l.Coherent, l.Clients = slices.Clone(l.Coherent), slices.Clone(l.Clients)
	l.Amplifiers, l.Media = slices.Clone(l.Amplifiers), slices.Clone(l.Media)
	edit(l)
	return &out
}

func render(t testing.TB, d *fabric.Device) *config.Tree {
	t.Helper()
	tree, err := Render(d)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func parse(t testing.TB, document string) *config.Tree {
	t.Helper()
	tree, unknown, err := config.Parse(oc.Schema, release, []byte(document), config.ParseOptions{Strict: true, State: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	return tree
}

// document is the tree as it is written to a file.
func document(tree *config.Tree) []byte { return append(tree.AppendJSON(nil, true), '\n') }

// show prints a leaf's value, the keys of a list's entries, "present" for other nodes, and "absent".
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
	case at.Node().Kind == config.List && !at.IsEntry():
		var out []string
		for c := range at.Children() {
			out = append(out, strings.Join(c.Keys(), ","))
		}
		return strings.Join(out, " ")
	}
	return "present"
}

// hold checks what paths of a tree show.
func hold(t testing.TB, tree *config.Tree, want map[string]string) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got := show(t, tree, path); got != want[path] {
			t.Errorf("%s: got %s, want %s", path, got, want[path])
		}
	}
}
