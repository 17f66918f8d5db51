package plan_test

import (
	"os"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	sr "github.com/loomfabric/loom/pkg/sros"
)

// What SR OS makes anew, or starts again, it does while the traffic is elsewhere; what comes beside interrupts nothing.
func TestWhatStopsAStitchIsDoneWhileTheGatewayIsDrained(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../sros/testdata/stitched-mpls.json")
	if err != nil {
		t.Fatal(err)
	}
	whole, _, err := config.Parse(sros.Schema, "26.3", doc, config.ParseOptions{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	const web, red = "/configure/service/vpls[service-name=red-web]", "/configure/service/vprn[service-name=red]"
	const segment = "/configure/service/system/bgp/evpn/ethernet-segment[ethernet-segment-name=interconnect]"
	for name, c := range map[string]struct {
		path, value string // "": gone
		disturbs    bool
	}{
		"a VNI changes":                      {web + "/vxlan/instance[vxlan-instance=1]/vni", "4711", true},
		"a service has another number":       {red + "/service-id", "4711", true},
		"a target of the WAN changes":        {web + "/bgp[bgp-instance=2]/route-target/export", "target:65000:4711", true},
		"a domain changes":                   {red + "/bgp-evpn/mpls[bgp-instance=1]/domain-id", "65000:65534", true},
		"a segment goes":                     {web, "", true},
		"a tenant is switched off":           {red + "/admin-state", "disable", true},
		"the segment of the site goes":       {segment, "", true},
		"the segment of the site is renamed": {segment + "/esi", "00:00:02:00:00:00:01:00:00:00", true},
		"there is room for more hosts":       {web + "/fdb/table/size", "131072", false},
		"a description":                      {red + "/description", "Red", false},
		"a segment is on the site's segment": {segment + "/association/network-interconnect-vxlan[network-interconnect-vxlan-id=1]/virtual-ranges/service-id[start=10010]/end", "10012", false},
	} {
		path, err := config.ParsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		req := &gnmi.SetRequest{Delete: []*gnmi.Path{path.GNMI()}}
		if c.value != "" {
			req = &gnmi.SetRequest{Update: []*gnmi.Update{{Path: path.GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: c.value}}}}}
		}
		after, err := config.Apply(whole, req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p := plan.New("x", "live", []plan.Input{{
			Device: plan.Device{Name: "bj-gateway1", OS: sr.OS, Role: "gateway", Site: "bj"}, Scope: config.Scope{{Own: config.Whole}}, Running: whole, Intended: after, Marked: true,
		}}, at)
		if err := p.Drain("", func(string) plan.Drainer {
			return plan.Drainer{
				Drain: func(t *config.Tree) (*config.Tree, error) {
					return sr.Drain(t, &fabric.Device{Name: "bj-gateway1", ASN: 4200011001})
				},
				Disruptive: sr.Driver().Disruptive,
			}
		}); err != nil {
			t.Fatal(err)
		}
		if got := p.Devices[0].Drain != nil; got != c.disturbs {
			t.Errorf("%s: drained: %v, want %v", name, got, c.disturbs)
		}
	}
}
