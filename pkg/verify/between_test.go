package verify_test

import (
	"os"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

// stretched is two sites that two dark fibres join, with a tenant that both have.
const stretched = `
loom: v1
name: stretched
defaults:
  underlay: {links: unnumbered}
  spines: {count: 2, platform: 7220-IXR-H3}
  leaves: {count: 1, platform: 7220-IXR-D2L}
  gateways: {count: 2, platform: 7250-IXR-X3b}
sites: {bj: {number: 1}, sh: {number: 2}}
tenants: {red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}, db: {number: 11}}}}
ports: [{on: leaves, range: ethernet-1/1, segments: [web, db], tagged: true}]
ducts: {river: {from: bj, to: sh, km: 38}, south: {from: bj, to: sh, km: 30}}
lines: {one: {from: bj, to: sh, via: [river]}, two: {from: bj, to: sh, via: [south]}}
dci: {bj-sh: {number: 1, wavelengths: {count: 2, mode: 400ZR unamplified, over: [one, two], margin: 1 dB}}}
`

// between takes down sessions between reflectors of the two sites, and what only they can tell leaves.
func (w *world) between(pairs ...string) {
	for _, pair := range pairs {
		a, b, _ := strings.Cut(pair, " ")
		w.hang(a, w.design.Device(b).Loopback, idle)
		w.hang(b, w.design.Device(a).Loopback, idle)
	}
	if len(pairs) == 4 {
		w.forget("bj-leaf1")
		w.forget("sh-leaf1")
	}
}

var allBetween = []string{"bj-spine1 sh-spine1", "bj-spine1 sh-spine2", "bj-spine2 sh-spine1", "bj-spine2 sh-spine2"}

func TestFaultsBetweenSitesAreNamed(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, f := range []struct {
		name string
		do   func(*world)
	}{
		{"one of two fibres is cut", func(w *world) { w.fade("river", 40) }},
		{"both fibres are cut", func(w *world) { w.fade("river", 40); w.fade("south", 40); w.between(allBetween...) }},
		{"two reflectors have lost each other", func(w *world) { w.between(allBetween[0]) }},
		{"all reflectors have", func(w *world) { w.between(allBetween...) }},
		{"a tunnel is missing that nothing explains", func(w *world) { w.between(allBetween[:3]...); w.forget("sh-leaf1") }},
		{"gateways have lost the spines of their site", func(w *world) {
			for _, gateway := range []string{"bj-gateway1", "bj-gateway2"} {
				for n, l := range w.design.Device(gateway).Links {
					if l.Channel == "" {
						w.cut(gateway, n)
						w.unheardOn(gateway, n)
					}
				}
			}
			w.between(allBetween...)
		}},
	} {
		w := newWorld(t, stretched)
		if healthy := text(verify.Check(w.design, w.Observed)); healthy != "" {
			t.Fatalf("of a healthy network:\n%s", healthy)
		}
		f.do(w)
		got.WriteString("-- " + f.name + " --\n")
		all := verify.Check(w.design, w.Observed)
		got.WriteString(text(all))
		for _, one := range all {
			if one.Kind == verify.CapacityLost {
				got.WriteString("  " + one.Message + "\n")
			}
		}
	}
	golden(t, "between.golden", got.String())
}

// unheardOn takes down the sessions of the underlay over an unnumbered link.
func (w *world) unheardOn(name string, n int) {
	l := w.link(name, n)
	for device, port := range map[string]string{name: l.Port, l.PeerName: l.PeerPort} {
		i := indexOfPort(w.design.Device(device), port)
		w.change(device, func(d *verify.Device) { d.Sessions[i].State = "active" })
	}
}

func indexOfPort(d *fabric.Device, port string) int {
	for i := range d.Links {
		if d.Links[i].Port == port {
			return i
		}
	}
	return -1
}

// Where gateways stitch a segment, leaves have tunnels with those of their own site, and with its gateways. One that spans sites by
// the leaves' own tunnels has them with all.
func TestTunnelsEndWhereTheServiceEndsThem(t *testing.T) {
	t.Parallel()
	stitched, err := os.ReadFile("../fabric/testdata/stitched.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ text, leaf, segment, want string }{
		{stretched, "bj-leaf1", "red/web", "bj-leaf1 sh-leaf1"},
		{string(stitched), "bj-leaf1", "red/web", "bj-leaf1 bj-leaf2 bj-leaf3 bj-leaf4 bj-gateway1 bj-gateway2"},
		{string(stitched), "sh-leaf1", "red/web", "sh-leaf1 sh-leaf2 sh-leaf3 sh-leaf4 sh-gateway1 sh-gateway2"},
		{string(stitched), "bj-leaf1", "red/app", "bj-leaf1 bj-leaf2 bj-leaf3 bj-leaf4"},
	} {
		var got []string
		for _, c := range verify.NewIndex(compile(t, tt.text)).Contracts(tt.leaf) {
			if c.Asks == verify.Stretched && c.Segment == tt.segment {
				for _, v := range c.VTEPs {
					got = append(got, v.Device)
				}
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s in %s: tunnels with %v, want %s", tt.leaf, tt.segment, got, tt.want)
		}
	}
}
