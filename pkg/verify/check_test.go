package verify_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// faults are what happens to a fabric in which all was well.
var faults = []struct {
	name string
	do   func(*world)
}{
	{"nothing happens", func(*world) {}},
	{"a cable is cut", func(w *world) { w.cut("leaf1", 0) }},
	{"a leaf loses all uplinks", func(w *world) { w.cut("leaf1", 0); w.cut("leaf1", 1); isolate(w, "leaf1") }},
	{"a leaf is dead", func(w *world) { w.kill("leaf1") }},
	{"a device cannot be read and works on", func(w *world) {
		w.Devices["spine1"] = verify.Device{Unreachable: "no answer in time"}
	}},
	{"two uplinks are swapped", swap},
	{"an uplink ends at another leaf", func(w *world) {
		l := w.link("leaf1", 0)
		w.port("leaf1", l.Port, func(i *verify.Interface) { i.Far = []verify.Far{{System: "leaf4", Port: "ethernet-1/30"}} })
		w.port(l.PeerName, l.PeerPort, func(i *verify.Interface) { i.Up, i.Reason, i.Far = false, "no-signal", nil })
		w.silence("leaf1", 0)
	}},
	{"a neighbor says its name with its domain", func(w *world) {
		l := w.link("leaf1", 0)
		w.port("leaf1", l.Port, func(i *verify.Interface) {
			i.Far = []verify.Far{{System: l.PeerName + ".dc.example.net", Port: l.PeerPort}}
		})
	}},
	{"LLDP is off", func(w *world) {
		w.change("leaf1", func(d *verify.Device) {
			d.LLDP, d.Drift = false, &verify.Drift{Changes: 1, First: "/system/lldp/admin-state"}
		})
		for _, l := range w.design.Device("leaf1").Links {
			w.port("leaf1", l.Port, func(i *verify.Interface) { i.Far = nil })
		}
	}},
	{"a spine expects the wrong AS of a leaf", func(w *world) {
		w.hang("spine1", w.design.Device("leaf1").Loopback, func(s *verify.Session) {
			s.State, s.PeerAS, s.Last = "active", 64999, "sent Open Message Error: Bad Peer As"
		})
		w.hang("leaf1", w.design.Device("spine1").Loopback, idle)
		w.change("spine1", func(d *verify.Device) {
			d.Drift = &verify.Drift{Changes: 1, First: "/network-instance[name=default]/protocols/bgp"}
		})
	}},
	{"EVPN is not negotiated", func(w *world) {
		w.hang("leaf1", w.design.Device("spine1").Loopback, func(s *verify.Session) { s.Families = map[string]verify.Family{"evpn": {}} })
	}},
	{"BFD is down beside a session that stands", func(w *world) {
		w.change("leaf1", func(d *verify.Device) {
			if len(d.BFD) > 0 {
				d.BFD[0].Up = false
			}
		})
	}},
	{"a leaf has lost a segment", func(w *world) {
		w.change("leaf3", func(d *verify.Device) {
			d.Tunnels = map[uint32]verify.Tunnel{}
			d.Drift = &verify.Drift{Changes: 12, First: "/tunnel-interface[name=vxlan1]"}
		})
		gone := w.design.Device("leaf3").Loopback
		for _, name := range []string{"leaf1", "leaf2", "leaf4"} {
			for vni, t := range w.Devices[name].Tunnels {
				t.VTEPs = without(t.VTEPs, gone)
				w.Devices[name].Tunnels[vni] = t
			}
		}
	}},
	{"a VXLAN interface is down", func(w *world) {
		w.change("leaf3", func(d *verify.Device) {
			for vni, t := range d.Tunnels {
				t.Up, t.Reason = false, "mac-failed"
				d.Tunnels[vni] = t
			}
		})
	}},
	{"a tunnel is missing though routes could come over the other spine", func(w *world) {
		w.cut("leaf1", 0)
		w.forget("leaf1")
	}},
	{"a server that is listed is off, one that is not is off too", func(w *world) {
		off := func(i *verify.Interface) { i.Up, i.Reason = false, "no-signal" }
		w.port("leaf1", "ethernet-1/1", off)
		w.port("leaf3", "ethernet-1/5", off)
	}},
	{"a bond has lost a leg", func(w *world) { unbond(w, "leaf3") }},
	{"a bond has no server", func(w *world) { unbond(w, "leaf3"); unbond(w, "leaf4") }},
	{"a bond has lost a leg and its ethernet segment an end", func(w *world) {
		unbond(w, "leaf3")
		w.change("leaf3", func(d *verify.Device) {
			for name, s := range d.Segments {
				s.Up, s.Reason = false, "associated-interface-oper-down"
				d.Segments[name] = s
			}
		})
		for name, s := range w.Devices["leaf4"].Segments {
			for instance, e := range s.Elections {
				own := w.design.Device("leaf4").Loopback
				e.Candidates, e.Forwarders = without(e.Candidates, w.design.Device("leaf3").Loopback), nil
				e.Forwarders = append(e.Forwarders, own)
				w.Devices["leaf4"].Segments[name].Elections[instance] = e
			}
		}
	}},
	{"two leaves both forward", func(w *world) {
		for name, s := range w.Devices["leaf4"].Segments {
			for instance, e := range s.Elections {
				e.Forwarders = e.Candidates[1:2]
				w.Devices["leaf4"].Segments[name].Elections[instance] = e
			}
		}
	}},
	{"a switch hangs off a port for servers", func(w *world) {
		w.port("leaf3", "ethernet-1/5", func(i *verify.Interface) { i.Far = []verify.Far{{System: "leaf4", Port: "ethernet-1/9"}} })
	}},
	{"servers are plugged in crosswise", func(w *world) {
		w.port("leaf1", "ethernet-1/1", func(i *verify.Interface) { i.Far = []verify.Far{{System: "db-1", Port: "eth0"}} })
		w.port("leaf1", "ethernet-1/2", func(i *verify.Interface) { i.Far = []verify.Far{{System: "web-1", Port: "eth0"}} })
	}},
	{"a leaf is new", func(w *world) {
		w.kill("leaf4")
		w.Devices["leaf4"] = verify.Device{Seen: noon, Drift: &verify.Drift{Changes: 90, Foreign: true}}
	}},
}

func isolate(w *world, name string) {
	w.forget(name)
	w.change(name, func(d *verify.Device) {
		for vni := range d.Tunnels {
			d.Tunnels[vni] = verify.Tunnel{Up: true}
		}
	})
}

// swap plugs the first uplinks of leaf1 and leaf2 into each other's ports of spine1.
func swap(w *world) {
	a, b := w.link("leaf1", 0), w.link("leaf2", 0)
	hear := func(name, port, far, farPort string) {
		w.port(name, port, func(i *verify.Interface) { i.Far = []verify.Far{{System: far, Port: farPort}} })
	}
	hear("leaf1", a.Port, b.PeerName, b.PeerPort)
	hear("leaf2", b.Port, a.PeerName, a.PeerPort)
	hear(a.PeerName, a.PeerPort, "leaf2", b.Port)
	hear(b.PeerName, b.PeerPort, "leaf1", a.Port)
	w.silence("leaf1", 0)
	w.silence("leaf2", 0)
}

func unbond(w *world, name string) {
	w.change(name, func(d *verify.Device) {
		for n, l := range d.LAGs {
			l.Up = false
			for port := range l.Members {
				l.Members[port] = verify.Member{Reason: "no-signal"}
			}
			d.LAGs[n] = l
		}
	})
}

func TestFaultsAreNamed(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, f := range faults {
		w := newWorld(t, small)
		f.do(w)
		got.WriteString("-- " + f.name + " --\n" + text(verify.Check(w.design, w.Observed)))
	}
	golden(t, "faults.golden", got.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestAHealthyFabricHasNoFindings(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "topologies", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		design := compile(t, string(data))
		if got := verify.Check(design, healthy(design)); len(got) > 0 {
			t.Errorf("%s:\n%s", file, text(got))
		}
	}
}

// A gate observes a device and its neighbors: it pays for those, and hears of the device what a check of all hears.
func TestACheckOfSomeDevicesFindsWhatTheyShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small)
	w.cut("leaf1", 0)
	x := verify.NewIndex(w.design)
	some := verify.Observed{At: noon, Devices: map[string]verify.Device{"leaf1": w.Devices["leaf1"]}}
	for _, name := range x.Neighbors("leaf1") {
		some.Devices[name] = w.Devices[name]
	}
	if got, want := text(x.Check(some)), text(x.Check(w.Observed)); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	if got := x.Check(verify.Observed{Devices: map[string]verify.Device{"leaf4": w.Devices["leaf4"]}}); len(got) > 0 {
		t.Errorf("leaf4 alone:\n%s", text(got))
	}
	if got := strings.Join(x.Neighbors("leaf1"), " "); got != "spine1 spine2 leaf2" {
		t.Errorf("neighbors of leaf1: %s", got)
	}
	if x.Contracts("nobody") != nil || x.Neighbors("nobody") != nil {
		t.Error("a device that the design has not has contracts")
	}
}

// Seen from one end or from both, a finding is the same one.
func TestAFindingHasOneNameFromBothEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small)
	w.cut("leaf1", 0)
	ids := func(names ...string) string {
		o := verify.Observed{Devices: map[string]verify.Device{}}
		for _, name := range names {
			o.Devices[name] = w.Devices[name]
		}
		var out []string
		for _, f := range verify.Check(w.design, o) {
			out = append(out, f.ID)
		}
		return strings.Join(out, "\n")
	}
	if one, other := ids("leaf1"), ids("spine1"); one == "" || one != other {
		t.Errorf("leaf1 sees:\n%s\nspine1 sees:\n%s", one, other)
	}
}

func TestFindingsKnowWhoAsksForTheirObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small)
	w.cut("leaf1", 0)
	want := map[verify.Kind]fabric.Ref{
		verify.InterfaceDown: w.link("leaf1", 0).Ref,
		verify.SessionDown:   w.link("leaf1", 0).Ref,
	}
	for _, f := range verify.Check(w.design, w.Observed) {
		if ref, ok := want[f.Kind]; ok && f.Ref != ref && f.Ref != w.design.Device("leaf1").Overlay.Ref {
			t.Errorf("%s: because of %s, want %s", f.ID, f.Ref, ref)
		}
	}
}

// A leaf costs what it has itself, in a fabric of any size; and two leaves that lose each other are one finding,
// however many segments they share.
func TestTheCostOfALeafDoesNotGrowWithTheFabric(t *testing.T) {
	cost := func(leaves string) float64 {
		design := compile(t, strings.Replace(small, "count: 4", "count: "+leaves, 1))
		x := verify.NewIndex(design)
		o := verify.Observed{Devices: map[string]verify.Device{"leaf1": healthy(design).Devices["leaf1"]}}
		return testing.AllocsPerRun(10, func() { x.Check(o) })
	}
	if few, many := cost("4"), cost("24"); many != few {
		t.Errorf("a check of one leaf of 4 allocates %v times, of 24 %v times", few, many)
	}
	w := newWorld(t, strings.Replace(small, "segments: {web:", "segments: {app: {number: 11, gateway: 10.11.0.1/24}, web:", 1)+
		"  - {on: leaves, range: ethernet-1/9, segments: [app]}\n")
	w.forget("leaf1")
	want := "leaf1 - leaf2 has no tunnel: leaf2 does not reach 10.1.32.1 in red/web and 1 more"
	if got := text(verify.Check(w.design, w.Observed)); strings.Count(got, "tunnel-missing") != 3 || !strings.Contains(got, want) {
		t.Errorf("got:\n%swant %q", got, want)
	}
}

// What a drain takes down is no finding, on the leaf and on its peer; undrained, it is one.
func TestADrainedLeafIsNoEndOfItsEthernetSegments(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		if f.name != "a bond has lost a leg and its ethernet segment an end" {
			continue
		}
		w := newWorld(t, small)
		f.do(w)
		if got := verify.Check(w.design, w.Observed); len(got) == 0 {
			t.Error("nothing is found without a drain")
		}
		w.Observed.Drained = map[string]bool{"leaf3": true}
		if got := text(verify.Check(w.design, w.Observed)); got != "" {
			t.Errorf("with leaf3 drained:\n%s", got)
		}
		return
	}
	t.Error("the fault has another name now")
}
