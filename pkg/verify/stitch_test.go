package verify_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/verify"
)

// edit has a gateway asked for something else, and show it too.
func (w *world) edit(asked map[string]verify.Device, name string, how func(*verify.Device)) {
	for _, devices := range []map[string]verify.Device{asked, w.Devices} {
		d := devices[name]
		d.Adjacencies, d.Services, d.Tunnels, d.Segments = maps.Clone(d.Adjacencies), maps.Clone(d.Services), maps.Clone(d.Tunnels), maps.Clone(d.Segments)
		d.Labels.Ends = slices.Clone(d.Labels.Ends)
		how(&d)
		devices[name] = d
	}
}

// What a change takes from gateways is not missed there, nor at those that it reached; what it does not take is.
func TestWhatGatewaysStitchNoMoreNeedsNoAnswer(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../fabric/testdata/stitched.yaml")
	if err != nil {
		t.Fatal(err)
	}
	gateways := []string{"bj-gateway1", "bj-gateway2", "sh-gateway1", "sh-gateway2"}
	trunk := func(w *world) string { return w.design.Device("bj-gateway1").WAN.Trunks[0].Name }
	for _, c := range []struct {
		name, waits, want string
		do                func(w *world, asked map[string]verify.Device)
	}{
		{name: "nothing changes", do: func(*world, map[string]verify.Device) {}},
		{name: "IS-IS goes from a trunk", do: func(w *world, asked map[string]verify.Device) {
			w.edit(asked, "bj-gateway1", func(d *verify.Device) { delete(d.Adjacencies, trunk(w)) })
			w.adjacency("sh-gateway1", 0, func(a *verify.Adjacency) { a.State = "" })
		}},
		{name: "IS-IS goes from a trunk that should have it", want: "has not enabled it on wan-1/1/c1/1", do: func(w *world, asked map[string]verify.Device) {
			w.change("bj-gateway1", func(d *verify.Device) { delete(d.Adjacencies, trunk(w)) })
		}},
		{name: "IS-IS comes to a trunk that the design does not have, and hears nobody", want: "bj-gateway1:lab has no IS-IS adjacency", do: func(w *world, asked map[string]verify.Device) {
			w.edit(asked, "bj-gateway1", func(d *verify.Device) { d.Adjacencies["lab"] = verify.Adjacency{Enabled: true} })
		}},
		{name: "IS-IS comes to a trunk before its other end", waits: "sh-gateway1", do: func(w *world, asked map[string]verify.Device) {
			w.edit(asked, "bj-gateway1", func(d *verify.Device) { d.Adjacencies["lab"] = verify.Adjacency{Enabled: true} })
		}},
		{name: "a gateway gives up its labels", do: func(w *world, asked map[string]verify.Device) {
			w.edit(asked, "bj-gateway1", func(d *verify.Device) { d.Labels = verify.Labels{} })
			for _, name := range gateways[2:] {
				w.change(name, func(d *verify.Device) {
					d.Labels.Ends = without(d.Labels.Ends, w.design.Device("bj-gateway1").Loopback)
				})
			}
		}},
		{name: "a segment is stitched no more", do: func(w *world, asked map[string]verify.Device) {
			for _, name := range gateways {
				w.edit(asked, name, func(d *verify.Device) {
					delete(d.Services, "red-web")
					delete(d.Tunnels, w.design.Device(name).WAN.Bridges[0].Fabric.VNI)
					for label, s := range d.Segments {
						s.Elections = maps.Clone(s.Elections)
						delete(s.Elections, "red-web")
						d.Segments[label] = s
					}
				})
			}
			w.forgets("red/web", gateways...)
		}},
		{name: "a segment is stitched no more, and one that stays is lost", want: "bj-gateway1:blue-shop is down: bj-gateway1 does not have it", do: func(w *world, asked map[string]verify.Device) {
			w.change("bj-gateway1", func(d *verify.Device) { delete(d.Services, "blue-shop") })
		}},
		{name: "a bridge comes back that the design does not have, and reaches nobody", want: "bj-gateway1 - sh-gateway1 has no tunnel: bj-gateway1 does not reach 10.2.64.1 in green-dmz", do: func(w *world, asked map[string]verify.Device) {
			for _, name := range []string{"bj-gateway1", "sh-gateway1"} {
				w.edit(asked, name, func(d *verify.Device) { d.Services["green-dmz"] = verify.Service{Enabled: true, Up: true, MPLS: true} })
			}
		}},
		{name: "a tenant is routed no more at one site", do: func(w *world, asked map[string]verify.Device) {
			for _, name := range gateways[:2] {
				w.edit(asked, name, func(d *verify.Device) { delete(d.Services, "red") })
			}
			for _, name := range gateways[2:] {
				w.service(name, "red", func(s *verify.Service) { s.Outside = 0 })
			}
		}},
		{name: "the leaves of a site give up the subnet that it alone has", do: func(w *world, asked map[string]verify.Device) {
			for _, d := range w.design.Devices {
				for _, s := range d.Segments {
					if s.Key == "red/app" {
						w.edit(asked, d.Name, func(d *verify.Device) { delete(d.Tunnels, s.VNI) })
					}
				}
			}
			w.service("sh-gateway1", "red", func(s *verify.Service) { s.Outside = 0 })
		}},
		{name: "one of them still has it", want: "routes of red at sh-gateway1 from other sites are missing", do: func(w *world, asked map[string]verify.Device) {
			w.service("sh-gateway1", "red", func(s *verify.Service) { s.Outside = 0 })
		}},
		{name: "the leaf that has it waits", waits: "bj-leaf3", do: func(w *world, asked map[string]verify.Device) {
			w.service("sh-gateway1", "red", func(s *verify.Service) { s.Outside = 0 })
		}},
	} {
		w := newWorld(t, string(source))
		asked := healthy(w.design).Devices
		c.do(w, asked)
		x := verify.NewIndex(w.design).Wanting(asked)
		got := text(verify.New(nil, x.Check(w.Observed), func(name string) bool { return name == c.waits }))
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// forgets takes some devices out of whom others flood a segment to.
func (w *world) forgets(segment string, gone ...string) {
	for _, d := range w.design.Devices {
		for _, s := range d.Segments {
			if s.Key != segment {
				continue
			}
			tunnel := w.Devices[d.Name].Tunnels[s.VNI]
			for _, name := range gone {
				tunnel.VTEPs = without(tunnel.VTEPs, w.design.Device(name).Loopback)
			}
			w.Devices[d.Name].Tunnels[s.VNI] = tunnel
		}
	}
}

// A drained gateway, or leaf, may keep its routes to itself.
func TestOfDrainedDevicesNoRoutesAreMissed(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../fabric/testdata/stitched.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for drained, missed := range map[string]bool{"bj-gateway1": true, "bj-gateway1 bj-gateway2": false, "bj-leaf1 bj-leaf2 bj-leaf3": true, "bj-leaf1 bj-leaf2 bj-leaf3 bj-leaf4": false} {
		w := newWorld(t, string(source))
		w.service("sh-gateway1", "red", func(s *verify.Service) { s.Outside = 0 })
		w.Drained = map[string]bool{}
		for _, name := range strings.Fields(drained) {
			w.Drained[name] = true
		}
		if got := text(verify.Check(w.design, w.Observed)); strings.Contains(got, "routes of red at sh-gateway1") != missed {
			t.Errorf("%s drained: %q", drained, got)
		}
	}
}

// Whoever watches a gateway watches the other one of its site, too.
func TestGatewaysOfASiteAreNeighbors(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../fabric/testdata/stitched.yaml")
	if err != nil {
		t.Fatal(err)
	}
	uncabled := strings.NewReplacer("  - bj/gateway1:1/1/c16/1 - bj/gateway2:1/1/c16/1\n", "").Replace(string(source))
	if got := verify.NewIndex(compile(t, uncabled)).Neighbors("bj-gateway1"); !slices.Contains(got, "bj-gateway2") {
		t.Errorf("neighbors of bj-gateway1 are %v", got)
	}
}
