package fabric

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/topology"
)

// cored is two datacenters with a router between them that Loom does not manage, with edits: old, new, ...
func cored(t *testing.T, edits ...string) string {
	t.Helper()
	data, err := os.ReadFile("../../topologies/basic-dci-lab.yaml")
	if err != nil {
		t.Fatal(err)
	}
	source := string(data)
	for i := 0; i+1 < len(edits); i += 2 {
		if !strings.Contains(source, edits[i]) {
			t.Fatalf("the topology has no %q", edits[i])
		}
		source = strings.ReplaceAll(source, edits[i], edits[i+1])
	}
	return source
}

// leased are edits that join the gateways of both sites by cables of their own.
var leased = []string{
	"core: {number: 1, joins: [dc1, dc2], over: p1}", "leased: {number: 1, joins: [dc1, dc2]}",
	"  - {cable: external:p1:1/1/c5/1 - dc1/gateway1:1/1/c1/1, subnet: 10.31.49.30/31, speed: 100G}", "  - {cable: dc1/gateway1:1/1/c1/1 - dc2/gateway1:1/1/c1/1, subnet: 10.31.49.30/31}",
	"  - {cable: dc1/gateway2:1/1/c1/1 - external:p1:1/1/c6/1, subnet: 10.32.49.32/31, speed: 100G}", "  - {cable: dc1/gateway2:1/1/c1/1 - dc2/gateway2:1/1/c1/1, speed: 100G}",
	"  - {cable: external:p1:1/1/c1/1 - dc2/gateway1:1/1/c1/1, subnet: 10.41.49.40/31, speed: 100G}", "  - dc1/gateway1:1/1/c4/1 - dc1/gateway2:1/1/c4/1",
	"  - {cable: dc2/gateway2:1/1/c1/1 - external:p1:1/1/c2/1, subnet: 10.42.49.42/31, speed: 100G}", "  - dc2/gateway1:1/1/c4/1 - dc2/gateway2:1/1/c4/1",
}

func TestCablesJoinSites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		edits   []string
		trunks  string // of dc1-gateway1
		cables  string // that lead out of sites
		service Service
		rate    int
	}{
		{"over a router that Loom does not manage", nil, "wan-1/1/c1/1 10.31.49.31/31 to p1 100G bfd 0\n",
			"dc1-gateway1:1/1/c1/1 p1:1/1/c5/1 100G\ndc1-gateway2:1/1/c1/1 p1:1/1/c6/1 100G\ndc2-gateway1:1/1/c1/1 p1:1/1/c1/1 100G\ndc2-gateway2:1/1/c1/1 p1:1/1/c2/1 100G\n", VXLANMPLS, 200},
		{"without a word about speed, at the fastest of the own port", []string{", speed: 100G", ""}, "wan-1/1/c1/1 10.31.49.31/31 to p1 400G bfd 0\n",
			"dc1-gateway1:1/1/c1/1 p1:1/1/c5/1 400G\ndc1-gateway2:1/1/c1/1 p1:1/1/c6/1 400G\ndc2-gateway1:1/1/c1/1 p1:1/1/c1/1 400G\ndc2-gateway2:1/1/c1/1 p1:1/1/c2/1 400G\n", VXLANMPLS, 800},
		{"as leased circuits between gateways", leased, "wan-1/1/c1/1 10.31.49.30/31 to dc2-gateway1 400G bfd 3\nwan-1/1/c4/1 10.0.255.136/31 to dc1-gateway2 400G bfd 3\n",
			"dc2-gateway1:1/1/c1/1 dc1-gateway1:1/1/c1/1 400G\ndc2-gateway2:1/1/c1/1 dc1-gateway2:1/1/c1/1 100G\n", VXLANMPLS, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			design := compileFile(t, "lab.yaml", []byte(cored(t, c.edits...)))
			var trunks, cables strings.Builder
			for _, x := range design.Device("dc1-gateway1").WAN.Trunks {
				fmt.Fprintf(&trunks, "%s %v to %s %dG bfd %d\n", x.Name, x.Addr, x.PeerName, x.SpeedG, x.BFD.Multiplier)
			}
			if got := trunks.String(); got != c.trunks {
				t.Errorf("trunks of dc1-gateway1: got\n%swant\n%s", got, c.trunks)
			}
			for _, x := range design.Cables {
				if x.B.External || strings.Contains(x.A.Device, "dc2-gateway") && strings.Contains(x.B.Device, "dc1-gateway") {
					fmt.Fprintf(&cables, "%s:%s %s:%s %s\n", x.A.Device, x.A.Port, x.B.Device, x.B.Port, x.Speed)
				}
			}
			if got := cables.String(); got != c.cables {
				t.Errorf("cables: got\n%swant\n%s", got, c.cables)
			}
			if x := design.DCIs[0]; x.Service != c.service || x.Cables != c.rate {
				t.Errorf("%s: service %s with %d Gb/s; want %s with %d", x.Name, x.Service, x.Cables, c.service, c.rate)
			}
			for _, r := range design.Reaches(nil) {
				if r.Left != c.rate {
					t.Errorf("%s; want %d", r, c.rate)
				}
			}
		})
	}
}

func TestMistakesOfCablesBetweenSites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		edits []string
		want  string
	}{
		{"no DCI goes over the router", []string{"over: p1}", "over: p2}"}, "core: no cable leads from a gateway of dc1 to p2"},
		{"a site without a cable", []string{"external:p1:1/1/c1/1", "external:p3:1/1/c1/1", "external:p1:1/1/c2/1", "external:p3:1/1/c2/1"}, "core: no cable leads from a gateway of dc2 to p1"},
		{"a LAG of cables", []string{"over: p1}", "over: p1, bundle: lag}"}, "core: bundle lag: its cables are routed links"},
		{"tunnels from leaf to leaf over a router of no AS", []string{"over: p1}", "over: p1, service: vxlan}"}, "core: over p1: with service vxlan it speaks BGP with the gateways, and nothing says its AS number; add over-asn: 64999"},
		{"the AS of a gateway", []string{"over: p1}", "over: p1, service: vxlan, over-asn: 65431}"}, "core: p1: AS 65431 is also that of dc2-gateway1"},
		{"the AS of the overlay", []string{"over: p1}", "over: p1, service: vxlan, over-asn: 65501}"}, "core: p1: AS 65501 is the overlay's"},
		{"two AS numbers of one router", []string{"over: p1}", "over: p1, service: vxlan, over-asn: 64999}\n  more: {number: 2, joins: [dc1, dc2], over: p1, over-asn: 64998}"}, "more: p1: AS 64998, and AS 64999 by core"},
		{"an AS number that nobody needs", []string{"over: p1}", "over: p1, over-asn: 64999}"}, "core: over-asn: without effect: with service vxlan-mpls p1 speaks IS-IS with the gateways"},
		{"an AS number of no router", []string{"over: p1}", "over-asn: 64999}"}, "core: over-asn: over no router; add over: p1"},
		{"gateways that cannot stitch", []string{"platform: 7750-SR-1s, release: \"26.3\"", "platform: 7250-IXR-X3b", "1/1/c1/1", "ethernet-1/1", "1/1/c2/1", "ethernet-1/2", "1/1/c3/1", "ethernet-1/3", "over: p1}", "over: p1, service: vxlan-mpls}"},
			"core: service vxlan-mpls: dc1-gateway1 is a 7250-IXR-X3b with srlinux 24.10, which has one EVPN instance for each network instance and can join no two; use service: vxlan, or gateways with SR OS"},
		{"border leaves that cannot stitch", []string{"platform: 7750-SR-1s, release: \"26.3\"", "platform: 7220-IXR-D5", "1/1/c1/1", "ethernet-1/1", "1/1/c2/1", "ethernet-1/2", "1/1/c3/1", "ethernet-1/3", "over: p1}", "over: p1, service: vxlan-vxlan}"},
			"core: service vxlan-vxlan: dc1-gateway1 is a 7220-IXR-D5 with srlinux 24.10, which has one EVPN instance for each network instance and can join no two; use service: vxlan, or gateways with SR OS"},
		{"a speed that the port lacks", []string{"speed: 100G", "speed: 25G"}, "cable dc1-gateway2:1/1/c1/1 - p1:1/1/c6/1: no speed 25G at p1"},
		{"a circuit beside the router", []string{leased[2], leased[3], "external:p1:1/1/c1/1 - dc2/gateway1:1/1/c1/1", "external:p1:1/1/c1/1 - dc2/gateway1:1/1/c5/1"},
			"dc1-gateway1:1/1/c1/1 - dc2-gateway1:1/1/c1/1: cable between two sites"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, diags := topology.Parse(topology.Source{Name: "lab.yaml", Data: []byte(cored(t, c.edits...))})
			if !diags.HasErrors() {
				_, diags = Compile(in)
			}
			if !strings.Contains(diags.Error(), c.want) {
				t.Errorf("got\n%s\nwant %s", diags.Error(), c.want)
			}
		})
	}
}

// Over cables the underlay passes from site to site as it does over channels, with addresses where either end has some.
func TestTheUnderlayPassesOverCablesBetweenSites(t *testing.T) {
	t.Parallel()
	const one, two = "bj/gateway1:ethernet-1/1 - sh/gateway1:ethernet-1/1", "bj/gateway2:ethernet-1/1 - sh/gateway2:ethernet-1/1"
	const first, second = "ethernet-1/1 to sh-gateway1 of 4200020001", "ethernet-1/1 to sh-gateway2 of 4200020002"
	for _, c := range []struct {
		name        string
		edit        []string // old, new, ...
		own, beside string   // links to other sites of bj-gateway1 and bj-gateway2
	}{
		{"numbered", nil, first + " 10.1.255.130/31 bfd 3", second + " 10.1.255.2/31 bfd 3"},
		{"unnumbered", []string{"links: numbered", "links: unnumbered"}, first + " bfd 3", second + " bfd 3"},
		{"with addresses of a provider's, among links without", []string{"links: numbered", "links: unnumbered", one, "{cable: \"" + one + "\", subnet: 192.0.2.0/31}"},
			first + " 192.0.2.0/31 bfd 3", second + " bfd 3"},
		{"where one site has addresses", []string{"sh: {number: 2", "sh: {number: 2, underlay: {links: unnumbered}"}, first + " 10.1.255.130/31 bfd 3", second + " 10.1.255.2/31 bfd 3"},
		{"where one site has no BFD", []string{"sh: {number: 2", "sh: {number: 2, underlay: {bfd: off}"}, first + " 10.1.255.130/31 bfd 0", second + " 10.1.255.2/31 bfd 0"},
		{"to a router, without BFD", []string{one, "bj/gateway1:ethernet-1/1 - external:p1:1\n  - sh/gateway1:ethernet-1/1 - external:p1:3", two, "bj/gateway2:ethernet-1/1 - external:p1:2", "[bj, sh]}", "[bj, sh], over: p1, over-asn: 64999}"},
			"ethernet-1/1 to p1 of 64999 10.1.255.130/31 bfd 0", "ethernet-1/1 to p1 of 64999 10.1.255.2/31 bfd 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			design := compileFile(t, "border.yaml", []byte(strings.NewReplacer(c.edit...).Replace(string(read(t, "../../../topologies/border.yaml")))))
			for name, want := range map[string]string{"bj-gateway1": c.own, "bj-gateway2": c.beside} {
				var got []string
				for _, l := range design.Device(name).Links {
					if l.DCI != "leased" {
						continue
					}
					text := fmt.Sprintf("%s to %s of %d", l.Port, l.PeerName, l.PeerASN)
					if l.Addr.IsValid() {
						text += " " + l.Addr.String()
					}
					got = append(got, fmt.Sprintf("%s bfd %d", text, l.BFD.Multiplier))
				}
				if strings.Join(got, ", ") != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if x := design.DCIs[0]; x.Service != LeafToLeaf || x.Why != "bj-gateway1 runs srlinux 25.3, which stitches no tenants" || x.Cables == 0 {
				t.Errorf("%+v", x)
			} else if left := x.Carried(func(c *Circuit) bool { return c.Device == "bj-gateway1" }); left != 100 {
				t.Errorf("without bj-gateway1 %d Gb/s are left, want 100: a router is reached from sh by one cable", left)
			}
			if far := design.Device("bj-gateway1").Underlay.Abroad; len(far) != 1 || far[0].String() != "10.2.0.0/17" {
				t.Errorf("loopbacks of other sites: %v", far)
			}
			if n := design.Device("bj-spine1").Overlay.Neighbors; n[len(n)-1].Site != "sh" {
				t.Errorf("reflectors do not meet: %+v", n)
			}
		})
	}
}

func TestIPv6LoopbacksNeedCablesWithoutAddresses(t *testing.T) {
	t.Parallel()
	source := strings.Replace(string(read(t, "../../../topologies/border.yaml")), "links: numbered", `links: unnumbered, loopbacks6: "2001:db8::/48"`, 1)
	compileFile(t, "border.yaml", []byte(source))
	const one = "bj/gateway1:ethernet-1/1 - sh/gateway1:ethernet-1/1"
	source = strings.Replace(source, one, `{cable: "`+one+`", subnet: 192.0.2.0/31}`, 1)
	_, diags := Compile(topology.New(intentOf(t, "border.yaml", []byte(source))))
	if want := "ethernet-1/1: has IPv4 addresses alone, and site bj has IPv6 loopbacks"; !strings.Contains(diags.Error(), want) {
		t.Errorf("got\n%s\nwant %s", diags.Error(), want)
	}
}
