package plan_test

import (
	"os"
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/plan"
	sr "github.com/loomfabric/loom/pkg/sros"
)

// What is risky on a gateway with SR OS: the gateway as it is rendered, with one thing gone or different.
func TestRisksOfAGatewayOnSROS(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../sros/testdata/stitched-mpls.json")
	if err != nil {
		t.Fatal(err)
	}
	whole, unknown, err := config.Parse(sros.Schema, "26.3", doc, config.ParseOptions{Strict: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	const router, web, red = "/configure/router[router-name=Base]", "/configure/service/vpls[service-name=red-web]", "/configure/service/vprn[service-name=red]"
	const inner, segment = "/configure/service/vpls[service-name=red.fabric]", "/configure/service/system/bgp/evpn/ethernet-segment[ethernet-segment-name=interconnect]"
	guards := func(string) *driver.Guards { return &sr.Driver().Guards }
	set := func(path, value string) (string, string) { return path, value }
	gone := func(path string) (string, string) { return path, "" }
	for name, c := range map[string]struct {
		change func() (string, string)
		class  plan.Class
		path   string // of the risk, its beginning
	}{
		"a policy goes": {func() (string, string) {
			return gone("/configure/policy-options/policy-statement[name=loom-underlay-import]")
		}, plan.GuardRemoved, "/configure/policy-options/policy-statement"},
		"an export policy is applied no more": {func() (string, string) { return gone(router + "/bgp/group[group-name=underlay]/export") }, plan.GuardRemoved, router + "/bgp/group[group-name=underlay]/export"},
		"all routes are accepted": {func() (string, string) {
			return set("/configure/policy-options/policy-statement[name=loom-underlay-import]/default-action/action-type", "accept")
		}, plan.MatchAll, "/configure/policy-options/policy-statement[name=loom-underlay-import]/default-action"},
		"an entry matches everything": {func() (string, string) {
			return gone("/configure/policy-options/policy-statement[name=loom-underlay-import]/entry[entry-id=10]/from")
		}, plan.MatchAll, "/configure/policy-options/policy-statement[name=loom-underlay-import]/entry[entry-id=10]"},
		"addresses of links are told": {func() (string, string) { return gone(router + "/isis[isis-instance=0]/advertise-passive-only") }, plan.GuardRemoved, router + "/isis[isis-instance=0]/advertise-passive-only"},
		"the VTEP moves": {func() (string, string) {
			return set(router+"/interface[interface-name=system]/ipv4/primary/address", "10.1.64.9")
		}, plan.Renumber, router + "/interface[interface-name=system]/ipv4/primary/address"},
		"a segment is stitched no more":                     {func() (string, string) { return gone(web) }, plan.Stitch, web},
		"a segment is off":                                  {func() (string, string) { return set(web+"/admin-state", "disable") }, plan.Stitch, web},
		"a segment has no side towards the WAN":             {func() (string, string) { return gone(web + "/bgp-evpn/mpls[bgp-instance=2]") }, plan.Stitch, web},
		"a tenant is stitched no more":                      {func() (string, string) { return gone(red) }, plan.Stitch, red},
		"a tenant has no side towards the fabric":           {func() (string, string) { return set(inner+"/admin-state", "disable") }, plan.Stitch, red},
		"the gateways of a site know nothing of each other": {func() (string, string) { return gone(segment) }, plan.GuardRemoved, segment},
		"prefixes go round":                                 {func() (string, string) { return gone(inner + "/bgp-evpn/routes/ip-prefix/domain-id") }, plan.GuardRemoved, inner},
		"prefixes from other sites go round":                {func() (string, string) { return gone(red + "/bgp-evpn/mpls[bgp-instance=1]/domain-id") }, plan.GuardRemoved, red},
		"all routes go to other sites": {func() (string, string) {
			return gone("/configure/policy-options/policy-statement[name=loom-wan-export]/entry[entry-id=10]/from/extended-community-set")
		}, plan.MatchAll, "/configure/policy-options/policy-statement[name=loom-wan-export]/entry[entry-id=10]"},
		"the AS is another one": {func() (string, string) { return set(router+"/autonomous-system", "65001") }, plan.Renumber, router + "/autonomous-system"},
	} {
		path, value := c.change()
		p, err := config.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		req := &gnmi.SetRequest{Delete: []*gnmi.Path{p.GNMI()}}
		if value != "" {
			req = &gnmi.SetRequest{Update: []*gnmi.Update{{Path: p.GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: value}}}}}
		}
		after, err := config.Apply(whole, req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		one := plan.New("x", "live", []plan.Input{{
			Device: plan.Device{Name: "bj-gateway1", OS: sr.OS, Role: "gateway", Site: "bj"}, Scope: config.Scope{{Own: config.Whole}}, Running: whole, Intended: after, Marked: true,
		}}, at)
		found := false
		risks := plan.Risks(one, guards, plan.RiskOptions{})
		for _, r := range risks {
			found = found || r.Class == c.class && strings.HasPrefix(r.Path, c.path)
		}
		if !found {
			t.Errorf("%s: no %s at %s in %+v", name, c.class, c.path, risks)
		}
	}
	all := config.EmptyTree(sros.Schema, "26.3")
	none := plan.New("x", "live", []plan.Input{{
		Device: plan.Device{Name: "bj-gateway1", OS: sr.OS, Role: "gateway", Site: "bj"}, Scope: config.Scope{{Own: config.Whole}}, Running: whole, Intended: all, Marked: true,
	}}, at)
	why := ""
	for _, r := range plan.Risks(none, guards, plan.RiskOptions{}) {
		why += r.Path + ": " + r.Change + ": " + r.Why + "\n"
	}
	for _, want := range []string{
		"interface[interface-name=fabric-1/1/c35/1]: fabric link: 2 → none", "BGP session underlay: 2 → none", "BGP session overlay: 2 → none", "BGP session wan: 2 → none",
		"isis[isis-instance=0]/interface[interface-name=to-gz-gateway1-1/1/c3/1]: way to other sites: 2 → none", "light of 1/1/c3: 1 → none",
		"segment red-web: 1 → none", "segment red-db: 1 → none", "tenant red: 1 → none",
	} {
		if !strings.Contains(why, want) {
			t.Errorf("everything goes, and nobody says %q:\n%s", want, why)
		}
	}
}
