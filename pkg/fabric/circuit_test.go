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
		{"tunnels from leaf to leaf", []string{"over: p1}", "over: p1, service: vxlan}"}, "core: joins sites by cables: with service vxlan the underlay passes from site to site"},
		{"gateways that only route", []string{"platform: 7750-SR-1s, release: \"26.3\"", "platform: 7250-IXR-X3b", "1/1/c1/1", "ethernet-1/1", "1/1/c2/1", "ethernet-1/2", "1/1/c3/1", "ethernet-1/3"},
			"core: joins sites by cables: dc1-gateway1 is a 7250-IXR-X3b with srlinux 24.10, which only routes"},
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
