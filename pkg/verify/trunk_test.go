package verify_test

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

// darken takes what a link carries off both its ends: its port, its place in a LAG, and BFD where it was the last.
func (w *world) darken(name string, match func(*fabric.Link) bool) {
	d := w.design.Device(name)
	for n := range d.Links {
		l := &d.Links[n]
		if !match(l) {
			continue
		}
		dark := func(i *verify.Interface) { i.Up, i.Reason, i.Far = false, "no-signal", nil }
		w.port(name, l.Port, dark)
		w.port(l.PeerName, l.PeerPort, dark)
		for _, end := range []struct{ device, port string }{{name, l.Port}, {l.PeerName, l.PeerPort}} {
			w.unplug(end.device, end.port)
		}
	}
}

// unplug takes a port out of the trunk of a gateway.
func (w *world) unplug(gateway, port string) {
	for _, x := range w.design.Device(gateway).WAN.Trunks {
		left := 0
		for _, p := range x.Ports {
			if p == port && x.LAG != 0 {
				w.Devices[gateway].LAGs[x.LAG].Members[p] = verify.Member{}
			}
			if w.Devices[gateway].Interfaces[p].Up {
				left++
			}
		}
		w.change(gateway, func(d *verify.Device) {
			if a := d.Adjacencies[x.Name]; left == 0 {
				a.State = ""
				d.Adjacencies[x.Name] = a
			}
			for i := range d.BFD {
				if d.BFD[i].Peer == x.Peer && left == 0 {
					d.BFD[i].Up = false
				}
			}
		})
	}
}

// adjacency changes what a gateway shows of IS-IS on its n-th trunk.
func (w *world) adjacency(gateway string, n int, how func(*verify.Adjacency)) {
	trunk := w.design.Device(gateway).WAN.Trunks[n].Name
	a := w.Devices[gateway].Adjacencies[trunk]
	how(&a)
	w.Devices[gateway].Adjacencies[trunk] = a
}

// service changes what a gateway shows of a bridge or router.
func (w *world) service(gateway, name string, how func(*verify.Service)) {
	s := w.Devices[gateway].Services[name]
	how(&s)
	w.Devices[gateway].Services[name] = s
}

// elects changes how a gateway sees the election in a bridge.
func (w *world) elects(gateway, bridge string, how func(*verify.Election)) {
	elections := w.Devices[gateway].Segments[w.design.Device(gateway).WAN.Segment.Name].Elections
	e := elections[bridge]
	how(&e)
	elections[bridge] = e
}

func channel(names ...string) func(*fabric.Link) bool {
	return func(l *fabric.Link) bool {
		return strings.Contains(strings.Join(names, " "), l.Channel) && l.Channel != ""
	}
}

func TestFaultsBetweenGatewaysThatStitchAreNamed(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../fabric/testdata/stitched.yaml")
	if err != nil {
		t.Fatal(err)
	}
	routed := string(source)
	lags := strings.Replace(routed, "service: vxlan-mpls", "service: vxlan-mpls\n    bundle: lag", 1)
	plain := strings.Replace(routed, "service: vxlan-mpls", "service: vxlan-vxlan", 1)
	beside := func(l *fabric.Link) bool { return l.Trunk != "" && l.Channel == "" }
	var got strings.Builder
	for _, f := range []struct {
		name, text string
		do         func(*world)
	}{
		{"one of two channels is dark", routed, func(w *world) { w.darken("bj-gateway1", channel("bj-sh/1")) }},
		{"one of two members of a LAG is dark", lags, func(w *world) { w.darken("bj-gateway1", channel("bj-sh/1")) }},
		{"all members of a LAG are dark", lags, func(w *world) { w.darken("bj-gateway1", channel("bj-sh/1", "bj-sh/3")) }},
		{"a LAG is not there", lags, func(w *world) { w.change("bj-gateway1", func(d *verify.Device) { delete(d.LAGs, 11) }) }},
		{"BFD of a trunk is down by itself", routed, func(w *world) {
			w.change("sh-gateway2", func(d *verify.Device) { d.BFD[len(d.BFD)-1].Up = false })
		}},
		{"a gateway has no trunk left", routed, func(w *world) {
			w.darken("bj-gateway1", channel("bj-sh/1", "bj-sh/3"))
			w.darken("bj-gateway1", beside)
			for _, far := range []string{"sh-gateway1", "sh-gateway2"} {
				w.hang("bj-gateway1", w.design.Device(far).Loopback, idle)
				w.hang(far, w.design.Device("bj-gateway1").Loopback, idle)
			}
		}},
		{"IS-IS is disabled at one end, which is known to differ", routed, func(w *world) {
			w.adjacency("bj-gateway1", 0, func(a *verify.Adjacency) { *a = verify.Adjacency{} })
			w.adjacency("sh-gateway1", 0, func(a *verify.Adjacency) { a.State = "" })
			w.change("bj-gateway1", func(d *verify.Device) { d.Drift = &verify.Drift{Changes: 1, First: "/isis"} })
		}},
		{"IS-IS hears another router than it should", routed, func(w *world) {
			w.adjacency("bj-gateway1", 0, func(a *verify.Adjacency) { a.System = w.design.Device("sh-gateway2").Loopback })
		}},
		{"IS-IS hears its neighbor over another link", routed, func(w *world) {
			w.adjacency("bj-gateway1", 0, func(a *verify.Adjacency) { a.Peer = w.design.Device("bj-gateway1").WAN.Trunks[1].Peer })
		}},
		{"IS-IS has a neighbor outside of the backbone", routed, func(w *world) {
			w.adjacency("sh-gateway1", 1, func(a *verify.Adjacency) { a.Level2 = false })
		}},
		{"IS-IS does not come up on a LAG, and a router that shows no address is believed", lags, func(w *world) {
			w.adjacency("bj-gateway1", 0, func(a *verify.Adjacency) { a.State = "initializing" })
			w.adjacency("bj-gateway1", 1, func(a *verify.Adjacency) { a.Peer, a.System = netip.Addr{}, netip.Addr{} })
		}},
		{"two trunks of a gateway have no adjacency, and it has no others", routed, func(w *world) {
			for n := range w.design.Device("bj-gateway1").WAN.Trunks {
				w.adjacency("bj-gateway1", n, func(a *verify.Adjacency) { a.State = "" })
			}
			for _, far := range []string{"sh-gateway1", "sh-gateway2"} {
				w.hang("bj-gateway1", w.design.Device(far).Loopback, idle)
				w.change("bj-gateway1", func(d *verify.Device) { d.Labels.Ends = without(d.Labels.Ends, w.design.Device(far).Loopback) })
				w.service("bj-gateway1", "red-web", func(s *verify.Service) { s.Floods = nil })
			}
		}},
		{"there are no labels to a gateway of the other site", routed, func(w *world) {
			w.change("bj-gateway1", func(d *verify.Device) {
				d.Labels.Ends = without(d.Labels.Ends, w.design.Device("sh-gateway1").Loopback)
			})
		}},
		{"a segment is not flooded to a gateway of the other site", routed, func(w *world) {
			w.service("bj-gateway1", "red-web", func(s *verify.Service) { s.Floods = s.Floods[:1] })
		}},
		{"a segment has no side towards other sites", routed, func(w *world) {
			w.service("bj-gateway1", "red-web", func(s *verify.Service) { s.MPLS, s.Floods = false, nil })
		}},
		{"a bridge is down", routed, func(w *world) {
			w.service("bj-gateway1", "red-web", func(s *verify.Service) { s.Up, s.Reason, s.Floods = false, "down", nil })
			vni := w.design.Device("bj-gateway1").WAN.Bridges[0].Fabric.VNI
			w.change("bj-gateway1", func(d *verify.Device) { d.Tunnels[vni] = verify.Tunnel{Reason: "down"} })
			w.elects("bj-gateway2", "red-web", func(e *verify.Election) { e.Candidates = e.Candidates[1:]; e.Forwarders = e.Candidates })
			w.elects("bj-gateway1", "red-web", func(e *verify.Election) { *e = verify.Election{} })
		}},
		{"a gateway is dead, and the other one forwards", routed, func(w *world) { w.kill("bj-gateway1") }},
		{"a gateway is dead, and the other one does not forward", routed, func(w *world) {
			w.kill("bj-gateway1")
			w.elects("bj-gateway2", "red-web", func(e *verify.Election) { e.Forwarders = nil })
		}},
		{"both gateways of a site forward", routed, func(w *world) {
			w.elects("bj-gateway2", "red-web", func(e *verify.Election) { e.Forwarders = e.Candidates[1:] })
		}},
		{"the router of a tenant has no routes of the other site", routed, func(w *world) {
			w.service("sh-gateway1", "red", func(s *verify.Service) { s.Outside = 0 })
		}},
		{"it has none, as no gateway of the other site has any", routed, func(w *world) {
			for _, name := range []string{"bj-gateway1", "bj-gateway2"} {
				w.service(name, "red", func(s *verify.Service) { s.Inside = 0 })
			}
			w.service("sh-gateway1", "red", func(s *verify.Service) { s.Outside = 0 })
		}},
		{"it has none, as its site has no way to the other", routed, func(w *world) {
			for _, far := range []string{"bj-gateway1", "bj-gateway2"} {
				w.hang("sh-gateway1", w.design.Device(far).Loopback, idle)
			}
			w.service("sh-gateway1", "red", func(s *verify.Service) { s.Outside = 0 })
		}},
		{"it has none, though it has lost but one of the gateways that could tell them", routed, func(w *world) {
			w.hang("sh-gateway1", w.design.Device("bj-gateway1").Loopback, idle)
			w.service("sh-gateway1", "red", func(s *verify.Service) { s.Outside = 0 })
		}},
		{"its bridge into the fabric is down", routed, func(w *world) {
			w.service("sh-gateway1", "red", func(s *verify.Service) { s.Up, s.Reason, s.Inside = false, "red.fabric down", 0 })
		}},
		{"a tenant's router is not there, and the gateway is known to differ", routed, func(w *world) {
			w.change("sh-gateway1", func(d *verify.Device) {
				delete(d.Services, "blue")
				d.Drift = &verify.Drift{Changes: 1, First: "/vprn"}
			})
		}},
		{"gateways of two sites have lost each other", routed, func(w *world) {
			w.hang("bj-gateway1", w.design.Device("sh-gateway2").Loopback, idle)
		}},
		{"a gateway floods a segment to one of two gateways of the other site", plain, func(w *world) {
			w.change("bj-gateway1", func(d *verify.Device) {
				t := d.Tunnels[w.design.Device("bj-gateway1").WAN.Bridges[0].WAN.VNI]
				d.Tunnels[w.design.Device("bj-gateway1").WAN.Bridges[0].WAN.VNI] = verify.Tunnel{Up: true, VTEPs: t.VTEPs[1:]}
			})
		}},
		{"a gateway does not flood a segment to a leaf of its site", routed, func(w *world) {
			w.change("bj-gateway1", func(d *verify.Device) {
				t := d.Tunnels[w.design.Device("bj-gateway1").WAN.Bridges[0].Fabric.VNI]
				d.Tunnels[w.design.Device("bj-gateway1").WAN.Bridges[0].Fabric.VNI] = verify.Tunnel{Up: true, VTEPs: t.VTEPs[1:]}
			})
		}},
	} {
		w := newWorld(t, f.text)
		if healthy := text(verify.Check(w.design, w.Observed)); healthy != "" {
			t.Fatalf("of a healthy network:\n%s", healthy)
		}
		f.do(w)
		got.WriteString("-- " + f.name + " --\n" + text(verify.Check(w.design, w.Observed)))
	}
	golden(t, "trunk.golden", got.String())
}
