package sros

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/models/hardware"
	modes "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// gateway is gateway 1 of site bj: two spines, and three channels to gateways of two other sites, two of them one LAG. Services are
// stitched, by MPLS between sites. Edits are made to it before it is used.
func gateway(t testing.TB, edits ...func(*fabric.Device)) *fabric.Device {
	t.Helper()
	platform, ok := hardware.Lookup("7750-SR-1s")
	if !ok {
		t.Fatal("no platform")
	}
	bfd := fabric.BFD{Multiplier: 3, Interval: 300_000}
	d := &fabric.Device{
		Name: "bj-gateway1", Topology: "twin", Site: "bj", Role: fabric.Gateway, Number: 1, Platform: platform, Release: "26.3", OS: OS,
		ASN: 4200011001, Loopback: addr("10.1.64.1"), Group: "bj-gateways", Ref: "sites/bj/devices/gateway1",
		Underlay: fabric.Underlay{
			MTU: 9182, MaxPaths: 8, BFD: bfd, Ref: "sites/bj/underlay",
			Advertise: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/17"), netip.MustParsePrefix("10.2.0.0/17")},
			Abroad:    []netip.Prefix{netip.MustParsePrefix("10.2.0.0/17")},
		},
		Overlay: fabric.Overlay{IBGP: true, AS: 65000, Ref: "sites/bj/overlay", Neighbors: []fabric.OverlayNeighbor{
			{Name: "bj-spine1", Addr: addr("10.1.0.1"), ASN: 4200010001}, {Name: "bj-spine2", Addr: addr("10.1.0.2"), ASN: 4200010001},
		}},
		WAN: fabric.WAN{
			AS: 65000, Area: "49.0001", Labels: fabric.Labels{Start: 100000, Size: 26000, Index: 101}, Ref: "dci/bj-sh",
			Neighbors: []fabric.OverlayNeighbor{{Name: "sh-gateway1", Addr: addr("10.2.64.1")}, {Name: "gz-gateway1", Addr: addr("10.3.64.1")}},
			Trunks: []fabric.Trunk{
				{
					Name: "to-gz-gateway1-1/1/c3/1", Ports: []string{"1/1/c3/1"}, SpeedG: 400, Addr: netip.MustParsePrefix("10.255.3.0/31"),
					Peer: addr("10.255.3.1"), PeerName: "gz-gateway1", MTU: 9182, PortMTU: 9196, Metric: 20, BFD: bfd, Channels: []string{"bj-gz/1"}, Ref: "dci/bj-gz",
				},
				{
					Name: "to-sh-gateway1-lag1", Ports: []string{"1/1/c1/1", "1/1/c2/1"}, LAG: 1, SpeedG: 400, Addr: netip.MustParsePrefix("10.255.2.0/31"),
					Peer: addr("10.255.2.1"), PeerName: "sh-gateway1", MTU: 9182, PortMTU: 9196, Metric: 10, BFD: bfd, Channels: []string{"bj-sh/1", "bj-sh/2"}, Ref: "dci/bj-sh",
				},
			},
		},
	}
	for i, far := range []struct{ channel, gateway, trunk string }{
		{"bj-sh/1", "sh-gateway1", "to-sh-gateway1-lag1"}, {"bj-sh/2", "sh-gateway1", "to-sh-gateway1-lag1"}, {"bj-gz/1", "gz-gateway1", "to-gz-gateway1-1/1/c3/1"},
	} {
		connector := "1/1/c" + decimal(i+1)
		ref := fabric.Ref("channels/" + far.channel)
		d.Light.Coherent = append(d.Light.Coherent, fabric.CoherentPort{
			Port: connector, Channel: far.channel, Frequency: 193_700_000 + 75_000*uint64(i), Power: -10, Mode: modeOf(t, "OpenZR+ 400G"), Setting: "open-zrp-ofec1",
			PeerName: far.gateway, PeerPort: connector, Ref: ref,
		})
		d.Links = append(d.Links, fabric.Link{
			Port: connector + "/1", PortMTU: 9196, PeerName: far.gateway, PeerPort: connector + "/1", DCI: far.channel[:5], Channel: far.channel, Trunk: far.trunk, Ref: ref,
		})
		d.Breakouts = append(d.Breakouts, fabric.Breakout{Port: connector, Channels: 1, Speed: "400G", Ref: ref})
	}
	for i, spine := range []string{"bj-spine1", "bj-spine2"} {
		connector := "1/1/c" + decimal(35+i)
		ref := fabric.Ref("sites/bj/devices/spine" + decimal(i+1))
		d.Links = append(d.Links, fabric.Link{
			Port: connector + "/1", PortMTU: 9196, Addr: netip.PrefixFrom(addr("10.1.128.1").Next(), 31), Peer: addr("10.1.128.3"),
			PeerName: spine, PeerPort: "ethernet-1/32", PeerASN: 4200010001, BFD: bfd, Ref: ref,
		})
		if i == 1 {
			d.Links[len(d.Links)-1].Addr, d.Links[len(d.Links)-1].Peer = netip.MustParsePrefix("10.1.128.4/31"), addr("10.1.128.5")
		}
		d.Breakouts = append(d.Breakouts, fabric.Breakout{Port: connector, Channels: 1, Speed: "100G", Ref: ref})
	}
	for _, edit := range edits {
		edit(d)
	}
	return d
}

// unnumbered gives links no addresses; plain leaves the WAN to VXLAN; routing makes a gateway that stitches nothing.
func unnumbered(d *fabric.Device) {
	d.Underlay.Unnumbered = true
	for i := range d.Links {
		d.Links[i].Addr, d.Links[i].Peer = netip.Prefix{}, netip.Addr{}
	}
}

// dual gives the underlay IPv6 beside IPv4.
func dual(d *fabric.Device) {
	near, far := netip.MustParsePrefix("2001:db8::1:0:0/96"), netip.MustParsePrefix("2001:db8::2:0:0/96")
	d.Loopback6 = addr("2001:db8::1:2:1")
	d.Underlay.Advertise, d.Underlay.Abroad = append(d.Underlay.Advertise, near, far), append(d.Underlay.Abroad, far)
	d.WAN.IPv6 = len(d.WAN.Trunks) > 0
}

func plain(d *fabric.Device) { d.WAN.Labels = fabric.Labels{} }

func external(d *fabric.Device) { d.Overlay.IBGP = false }

func routing(d *fabric.Device) {
	d.WAN, d.Overlay = fabric.WAN{}, fabric.Overlay{IBGP: true, AS: 65000}
	for i := range d.Links {
		if l := &d.Links[i]; l.Channel != "" {
			l.Trunk, l.PeerASN, l.BFD = "", 4200021001, d.Underlay.BFD
			l.Addr, l.Peer = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 255, 0, byte(2 * i)}), 31), netip.AddrFrom4([4]byte{10, 255, 0, byte(2*i + 1)})
		}
	}
}

// kinds are gateways of all kinds.
func kinds(t testing.TB) map[string]*fabric.Device {
	return map[string]*fabric.Device{
		"mpls": gateway(t), "vxlan": gateway(t, plain, unnumbered), "ebgp": gateway(t, external), "routing": gateway(t, routing),
		"stitched-mpls": gateway(t, stitched), "stitched-vxlan": gateway(t, plain, unnumbered, stitched), "stitched-ebgp": gateway(t, external, stitched), "stitched-alone": gateway(t, external, stitched, alone),
		"two-cards": gateway(t, func(d *fabric.Device) {
			d.Platform, _ = hardware.Lookup("7750-SR-2s")
		}),
		"dual": gateway(t, unnumbered, dual), "dual-routing": gateway(t, routing, unnumbered, dual),
	}
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func modeOf(t testing.TB, name string) *optics.Mode {
	t.Helper()
	m, ok := modes.Mode(name)
	if !ok {
		t.Fatalf("no mode %s", name)
	}
	return m
}

func render(t testing.TB, d *fabric.Device) *config.Tree {
	t.Helper()
	tree, err := Render(d)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// set is a tree with another value of a leaf.
func set(t testing.TB, tree *config.Tree, path, value string) *config.Tree {
	t.Helper()
	out, err := config.Apply(tree, &gnmi.SetRequest{Update: []*gnmi.Update{{Path: pathOf(path).GNMI(), Val: word(value)}}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parse(t testing.TB, doc []byte) *config.Tree {
	t.Helper()
	tree, unknown, err := config.Parse(sros.Schema, "26.3", doc, config.ParseOptions{Strict: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	return tree
}

// document is a tree as RFC 7951 JSON for people.
func document(t testing.TB, tree *config.Tree) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(tree.AppendJSON(nil, false), &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
