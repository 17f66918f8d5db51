package fabric

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
)

// stitched is a topology with edits: old, new, ...
func stitched(t *testing.T, edits ...string) *Design {
	t.Helper()
	return compile(t, intentOf(t, "stitched.yaml", []byte(edited(t, edits...))))
}

func edited(t *testing.T, edits ...string) string {
	t.Helper()
	source := string(read(t, "stitched.yaml"))
	for i := 0; i+1 < len(edits); i += 2 {
		if !strings.Contains(source, edits[i]) {
			t.Fatalf("stitched.yaml has no %q", edits[i])
		}
		source = strings.ReplaceAll(source, edits[i], edits[i+1])
	}
	return source
}

func TestWhatGatewaysStitchIsThatOfTheGoldenFile(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, v := range []struct {
		name  string
		only  string // a gateway
		edits []string
	}{
		{"MPLS between sites, channels as routed links", "", nil},
		{"VXLAN between sites, channels as LAGs", "bj-gateway2", []string{"service: vxlan-mpls", "service: vxlan-vxlan\n    bundle: lag"}},
	} {
		fmt.Fprintf(&out, "-- %s --\n", v.name)
		design := stitched(t, v.edits...)
		for _, d := range design.Devices {
			if d.Role == Gateway && (v.only == "" || v.only == d.Name) {
				out.WriteString(wanText(d))
			}
		}
	}
	golden(t, "stitched.golden.txt", []byte(out.String()))
}

// wanText is what a gateway does between sites, as people read it.
func wanText(d *Device) string {
	var b strings.Builder
	w := &d.WAN
	fmt.Fprintf(&b, "%s, %s %s: AS %d, of the WAN %d, area %s, labels %v, because of %s\n", d.Name, d.OS, d.Release, d.ASN, w.AS, w.Area, w.Labels, w.Ref)
	for _, l := range d.Links {
		fmt.Fprintf(&b, "  link %s to %s:%s, AS %d, trunk %q, channel %q, by %q\n", l.Port, l.PeerName, l.PeerPort, l.PeerASN, l.Trunk, l.Channel, l.Via)
	}
	for _, x := range d.Breakouts {
		fmt.Fprintf(&b, "  breakout %s: %d of %s\n", x.Port, x.Channels, x.Speed)
	}
	for _, p := range d.Light.Coherent {
		fmt.Fprintf(&b, "  coherent %s: %s, %s\n", p.Port, p.Channel, p.Setting)
	}
	for _, n := range d.Overlay.Neighbors {
		fmt.Fprintf(&b, "  session in the fabric: %s %v\n", n.Name, n.Addr)
	}
	for _, n := range w.Neighbors {
		fmt.Fprintf(&b, "  session in the WAN: %s %v of %s, because of %s\n", n.Name, n.Addr, n.Site, n.Ref)
	}
	for _, x := range w.Trunks {
		fmt.Fprintf(&b, "  trunk %s: ports %v, lag %d, %dG, %v to %v of %s, mtu %d/%d, metric %d, bfd %v, channels %v\n",
			x.Name, x.Ports, x.LAG, x.SpeedG, x.Addr, x.Peer, x.PeerName, x.MTU, x.PortMTU, x.Metric, x.BFD, x.Channels)
	}
	if w.Segment != nil {
		fmt.Fprintf(&b, "  ethernet segment %s %s\n", w.Segment.Name, w.Segment.ESI)
	}
	for _, x := range w.Bridges {
		fmt.Fprintf(&b, "  bridge %s: service %d, mtu %d\n    fabric %v\n    WAN %v\n", x.Key, x.ID, x.MTU, x.Fabric, x.WAN)
	}
	for _, x := range w.Routers {
		fmt.Fprintf(&b, "  router %s: services %d and %d, mtu %d, %d paths\n    fabric %v\n    WAN %v\n", x.Key, x.ID, x.Inner, x.MTU, x.ECMP, x.Fabric, x.WAN)
	}
	return b.String()
}

// Leaves know nothing of other sites; spines reflect to gateways as to leaves.
func TestFabricsOfStitchedSitesAreApart(t *testing.T) {
	t.Parallel()
	design := stitched(t)
	if got := fmt.Sprint(design.Device("bj-leaf1").Underlay.Advertise); got != "[10.1.0.0/17]" {
		t.Errorf("announced in bj: %s", got)
	}
	var got []string
	for _, n := range design.Device("bj-spine1").Overlay.Neighbors {
		got = append(got, n.Name)
	}
	if want := []string{"bj-leaf1", "bj-leaf2", "bj-leaf3", "bj-leaf4", "bj-gateway1", "bj-gateway2"}; !slices.Equal(got, want) {
		t.Errorf("bj-spine1 reflects to %v, want %v", got, want)
	}
}

// Both ends of a trunk are of one subnet, and no two trunks share one.
func TestTrunksHaveTwoEnds(t *testing.T) {
	t.Parallel()
	for _, edits := range [][]string{nil, {"service: vxlan-mpls", "service: vxlan-mpls\n    bundle: lag"}, {"links: unnumbered", "links: numbered"}, {"count: 4, mode", "count: 24, mode"}, boxes} {
		design := stitched(t, edits...)
		ends := map[string]int{}
		for _, d := range design.Devices {
			for _, x := range d.WAN.Trunks {
				far := design.Device(x.PeerName).WAN.Trunks
				i := slices.IndexFunc(far, func(o Trunk) bool { return o.Addr.Addr() == x.Peer })
				if i < 0 || far[i].PeerName != d.Name || far[i].Peer != x.Addr.Addr() || !slices.Equal(far[i].Channels, x.Channels) || len(far[i].Ports) != len(x.Ports) {
					t.Errorf("%s: %s: the other end is not on %s", d.Name, x.Name, x.PeerName)
				}
				ends[x.Addr.Masked().String()]++
			}
		}
		for subnet, n := range ends {
			if n != 2 {
				t.Errorf("%s has %d ends", subnet, n)
			}
		}
		if len(ends) == 0 {
			t.Error("no trunks")
		}
	}
}

// boxes are edits after which transponders make the light.
var boxes = []string{
	"gateways: {count", "transponders: {count: 3, platform: openconfig-transponder}\n  gateways: {count", "margin: 0.5 dB}", "margin: 0.5 dB, transponders: true}",
	"/c16/", "/c10/",
}

// A wavelength more changes the gateways at its ends and the ends of its line: a trunk or a member more, and light.
func TestAWavelengthMoreOfAStitchedDCIIsOneChange(t *testing.T) {
	t.Parallel()
	const line = " north-bj north-hut1 north-sh"
	for name, tt := range map[string]struct {
		service string
		trunks  int // more on each end
		light   int // coherent ports more on each end
		same    bool
		edits   []string
		changed string
	}{
		"as a routed link":        {"service: vxlan-mpls", 1, 1, false, nil, "bj-gateway1 sh-gateway1" + line},
		"as a member of the LAG":  {"service: vxlan-mpls\n    bundle: lag", 0, 1, true, nil, "bj-gateway1 sh-gateway1" + line},
		"over VXLAN between them": {"service: vxlan-vxlan", 1, 1, false, nil, "bj-gateway1 sh-gateway1" + line},
		"by transponders":         {"service: vxlan-mpls", 1, 0, false, boxes, "bj-gateway1 bj-transponder2 sh-gateway1 sh-transponder2" + line},
	} {
		var c Compiler
		make := func(count string) *Design {
			source := edited(t, append([]string{"service: vxlan-mpls", tt.service, "count: 4, mode", count + ", mode"}, tt.edits...)...)
			design, diags := c.Compile(topology.New(intentOf(t, "stitched.yaml", []byte(source))))
			if design == nil {
				t.Fatal(diags)
			}
			return design
		}
		four, five := make("count: 4"), make("count: 5")
		var changed []string
		for _, d := range five.Devices {
			if four.Device(d.Name) != d {
				changed = append(changed, d.Name)
			}
		}
		if got := strings.Join(changed, " "); got != tt.changed {
			t.Errorf("%s: changed %s, want %s", name, got, tt.changed)
		}
		for _, gateway := range []string{"bj-gateway1", "sh-gateway1"} {
			before, after := four.Device(gateway), five.Device(gateway)
			if got := len(after.WAN.Trunks) - len(before.WAN.Trunks); got != tt.trunks {
				t.Errorf("%s: %s has %d trunks more, want %d", name, gateway, got, tt.trunks)
			}
			if len(after.Light.Coherent) != len(before.Light.Coherent)+tt.light || len(after.Breakouts) != len(before.Breakouts)+1 || len(after.Links) != len(before.Links)+1 {
				t.Errorf("%s: %s has not one port more", name, gateway)
			}
			for _, x := range before.WAN.Trunks {
				i := slices.IndexFunc(after.WAN.Trunks, func(o Trunk) bool { return o.Name == x.Name })
				if i < 0 {
					t.Fatalf("%s: %s: %s is gone", name, gateway, x.Name)
				}
				now := after.WAN.Trunks[i]
				if tt.same && x.LAG != 0 {
					if len(now.Ports) != len(x.Ports)+1 || now.Ports[len(x.Ports)] != "1/1/c3/1" {
						t.Errorf("%s: %s: %s has ports %v, had %v", name, gateway, x.Name, now.Ports, x.Ports)
					}
					now.Ports, now.Channels = x.Ports, x.Channels
				}
				if diff := cmp.Diff(fmt.Sprint(x), fmt.Sprint(now)); diff != "" {
					t.Errorf("%s: %s: %s changed: %s", name, gateway, x.Name, diff)
				}
			}
			before.WAN.Trunks, after.WAN.Trunks = nil, nil
			if diff := cmp.Diff(wanServices(before), wanServices(after)); diff != "" {
				t.Errorf("%s: %s: sessions or services changed: %s", name, gateway, diff)
			}
		}
	}
}

func wanServices(d *Device) string {
	return fmt.Sprint(d.WAN.Neighbors, d.WAN.Bridges, d.WAN.Routers, d.WAN.Labels, d.Overlay)
}

// What changes at a far site, or is said of a tenant, changes the gateways that have to know, and no others.
func TestAChangeOfWhatIsStitchedChangesTheGateways(t *testing.T) {
	t.Parallel()
	const gateways = "bj-gateway1 bj-gateway2 sh-gateway1 sh-gateway2"
	var c Compiler
	one, _ := c.Compile(topology.New(intentOf(t, "a.yaml", []byte(edited(t)))))
	for name, tt := range map[string]struct {
		edit []string
		want string
	}{
		"a segment comes to the far site": {[]string{"segments: [bank]", "segments: [app]"}, "bj-gateway1 bj-gateway2 sh-leaf1 sh-leaf2 sh-leaf3 sh-leaf4 sh-gateway1 sh-gateway2"},
		"a route target of the WAN":       {[]string{"red:\n    number: 1\n", "red:\n    number: 1\n    wan-target: \"target:65000:7\"\n"}, gateways},
		"the domain of a site":            {[]string{"bj: {number: 1,", "bj: {number: 1, domain: \"65000:7\","}, "bj-gateway1 bj-gateway2"},
		"how sites are joined":            {[]string{"service: vxlan-mpls", "service: vxlan-vxlan"}, gateways},
		"what channels make":              {[]string{"service: vxlan-mpls", "service: vxlan-mpls\n    bundle: lag"}, gateways},
	} {
		warm := c
		two, diags := warm.Compile(topology.New(intentOf(t, "a.yaml", []byte(edited(t, tt.edit...)))))
		if two == nil {
			t.Fatal(diags)
		}
		var changed []string
		for _, d := range two.Devices {
			if one.Device(d.Name) != d {
				changed = append(changed, d.Name)
			}
		}
		if got := strings.Join(changed, " "); got != tt.want {
			t.Errorf("%s: changed %s, want %s", name, got, tt.want)
		}
	}
}

// What YANG accepts of one router, and the routers together would not do.
func TestMistakesOfGatewaysThatStitch(t *testing.T) {
	t.Parallel()
	const (
		channels = "wavelengths: {count: 4, mode: OpenZR+ 400G, over: [north, coast], margin: 0.5 dB}"
		one      = "channels: [{number: 1, mode: OpenZR+ 400G, over: north, margin: 0.5 dB, ports: [%s]}]"
		beside   = "bj/gateway1:1/1/c16/1 - bj/gateway2:1/1/c16/1"
		web      = "web: {number: 10,"
		shop     = "shop: {number: 20,"
		asked    = "service: vxlan-mpls"
		sr1      = "platform: 7750-SR-1s"
	)
	vxlan := []string{asked, "service: vxlan-vxlan"}
	var out strings.Builder
	for _, tt := range []struct {
		name string
		edit []string // old, new, ...
	}{
		{"a connector without a channel", []string{beside, "bj/gateway1:1/1/c16 - bj/gateway2:1/1/c16/1"}},
		{"a connector that there is not", []string{beside, "bj/gateway1:1/1/c37/1 - bj/gateway2:1/1/c16/1"}},
		{"a channel that its breakouts lack", []string{beside, "bj/gateway1:1/1/c16/5 - bj/gateway2:1/1/c16/1"}},
		{"a cable on a port that sends light", []string{beside, "bj/gateway1:1/1/c2/1 - bj/gateway2:1/1/c16/1"}},
		{"a cable on an uplink", []string{beside, "bj/gateway1:1/1/c36/1 - bj/gateway2:1/1/c16/1"}},
		{"a speed that the adapter lacks", []string{beside, "bj/gateway1:1/1/c10/1 - bj/spine1:ethernet-1/1"}},
		{"light from an adapter without it", []string{sr1, "platform: 7750-SR-1", "/c16/", "/c5/", channels, fmt.Sprintf(one, `"bj/gateway1:1/1/c1", "sh/gateway1:1/2/c1"`)}},
		{"more channels than the adapter sends", []string{sr1, "platform: 7750-SR-1", "/c16/", "/c5/", "count: 4, mode", "count: 8, mode"}},
		{"transponders without ports towards them", []string{sr1, "platform: 7750-SR-1", "/c16/", "/c5/", "margin: 0.5 dB}", "margin: 0.5 dB, transponders: true}", "gateways: {count", "transponders: {count: 1, platform: openconfig-transponder}\n  gateways: {count"}},
		{"transponders that are faster than their ports", []string{sr1, "platform: 7750-SR-1", "/c16/", "/c5/", channels, strings.Replace(fmt.Sprintf(one, `"bj/gateway1:1/1/c1/1", "sh/gateway1:1/1/c1/1"`), "ports", "transponders: true, ports", 1), "gateways: {count", "transponders: {count: 1, platform: openconfig-transponder}\n  gateways: {count"}},
		{"a leaf on SR OS", []string{"leaves: {count: 4, platform: 7220-IXR-D2L", "leaves: {count: 4, platform: 7750-SR-1s"}},
		{"a release of the other operating system", []string{sr1, sr1 + ", release: \"25.3\""}},
		{"packets that are too large", []string{"mtu: 9198", "mtu: 9214"}},
		{"links that need subnets on the far card", []string{sr1, "platform: 7750-SR-2s", "links: unnumbered", "links: numbered"}},
		{"gateways that nothing joins", []string{"  - " + beside + "\n", "", "  - sh/gateway1:1/1/c16/1 - sh/gateway2:1/1/c16/1\n", "", "cables:", "#"}},
		{"a LAG with a number that there is not", []string{"number: 1\n    " + asked, "number: 80\n    bundle: lag\n    " + asked}},
		{"a LAG without a subnet", []string{"number: 1\n    " + asked, "number: 65\n    bundle: lag\n    " + asked}},
		{"a LAG of what leaves send", []string{asked, "service: vxlan\n    bundle: lag", "  - " + beside + "\n", "", "  - sh/gateway1:1/1/c16/1 - sh/gateway2:1/1/c16/1\n", "", "cables:", "#"}},
		{"a cable beside what leaves send", []string{asked, "service: vxlan"}},
		{"one target of two segments", []string{web, web + ` wan-target: "target:65000:77",`, shop, shop + ` wan-target: "target:65000:77",`}},
		{"a target of leaves", []string{web, web + ` wan-target: "target:65000:10020",`}},
		{"one VNI of two segments", append(vxlan, web, web+" wan-vni: 77,", shop, shop+" wan-vni: 77,")},
		{"a VNI of leaves", append(vxlan, web, web+" wan-vni: 20001,")},
		{"a VNI that is too large", append(vxlan, web, web+" vni: 16777000,")},
		{"a service of a tenant", []string{web, web + " vni: 120001,"}},
		{"a distinguisher of another segment", []string{shop, shop + " evi: 30010,"}},
		{"no distinguisher", []string{web, web + " evi: 40000,"}},
		{"one domain of two sites", []string{"bj: {number: 1,", "bj: {number: 1, domain: \"65000:2\","}},
		{"the domain of the WAN", []string{"bj: {number: 1,", "bj: {number: 1, domain: \"65000:65535\","}},
		{"one node SID of two gateways", []string{"sh: {number: 2,", "sh: {number: 2, gateways: {count: 2, platform: 7750-SR-1s, override: {2: {node-sid: 101}}},"}},
	} {
		source := topology.Source{Name: "x.yaml", Data: []byte(edited(t, tt.edit...))}
		in, diags := topology.Parse(source)
		if !diags.HasErrors() {
			_, diags = Compile(in)
		}
		fmt.Fprintf(&out, "-- %s --\n%s\n", tt.name, diags.Error())
	}
	golden(t, "stitched.mistakes.txt", []byte(out.String()))
}

// Packets of 9148 bytes and 50 of VXLAN are 9198; a tag counts wherever there is room for one.
func TestAStretchedSegmentTakesWhatTheWholeWayHasRoomFor(t *testing.T) {
	t.Parallel()
	const web, wide = "web: {number: 10,", "mtu: 9198"
	for name, c := range map[string]struct {
		edits   []string
		mtu     uint32
		decides Ref
	}{
		"nothing is said":                     {nil, 9162, "sites/bj/underlay#mtu"},
		"links do less":                       {[]string{wide, "mtu: 1600"}, 1564, "sites/bj/underlay#mtu"},
		"its mtu is smaller":                  {[]string{web, web + " mtu: 1500,"}, 1518, "tenants/red/segments/web#mtu"},
		"its mtu fits, and a tag":             {[]string{web, web + " mtu: 9143,"}, 9161, "tenants/red/segments/web#mtu"},
		"its mtu fits, with no room for tags": {[]string{web, web + " mtu: 9148,"}, 9162, "sites/bj/underlay#mtu"},
		"VXLAN between sites":                 {[]string{"service: vxlan-mpls", "service: vxlan-vxlan"}, 9162, "sites/bj/underlay#mtu"},
	} {
		w := &stitched(t, c.edits...).Device("sh-gateway1").WAN
		if b := &w.Bridges[0]; b.Key != "red/web" || b.MTU != c.mtu || b.MTURef != c.decides {
			t.Errorf("%s: %s takes %d because of %s, want %d because of %s", name, b.Key, b.MTU, b.MTURef, c.mtu, c.decides)
		}
		if r := &w.Routers[0]; r.MTU+vxlanOverhead != w.Trunks[0].MTU || r.MTURef != "sites/bj/underlay#mtu" {
			t.Errorf("%s: %s routes %d because of %s, and trunks take %d", name, r.Key, r.MTU, r.MTURef, w.Trunks[0].MTU)
		}
	}
}

func TestANodeSIDOutsideOfTheBlockIsRefused(t *testing.T) {
	t.Parallel()
	in := intentOf(t, "x.yaml", []byte(edited(t)))
	device(in, "bj-gateway1").NodeSid = wanLabels.Size
	if _, diags := Compile(topology.New(in)); !strings.Contains(diags.Error(), "bj-gateway1: node-sid 26000: the block of segment routing has labels 100000 and on for 0 up to 25999") {
		t.Errorf("%v", diags)
	}
}

// No platform of today has coherent ports of two speeds; the check is held with links that are made up.
func TestAMemberOfAnotherSpeedIsRefused(t *testing.T) {
	t.Parallel()
	x := &dci{in: &intent.Dci{Name: "bj-sh", Number: 1}}
	d := &draft{report: report{at: func(string) topology.Pos { return topology.Pos{} }}, wires: []wire{
		{speed: "400G", channel: &channel{name: "bj-sh/1", dci: x}}, {speed: "100G", channel: &channel{name: "bj-sh/3", dci: x}},
	}}
	d.numberTrunk(&trunk{dci: x, lag: true, wires: []int32{0, 1}}, &d.wires[1])
	const want = "bj-sh/3: runs at 100G, and bj-sh/1 of the same LAG at 400G"
	if diags := d.report.diagnostics(); len(diags) != 1 || diags[0].Message != want {
		t.Errorf("%v", diags)
	}
}
