package verify_test

import (
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
			for i := range d.BFD {
				if d.BFD[i].Peer == x.Peer && left == 0 {
					d.BFD[i].Up = false
				}
			}
		})
	}
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
