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
	doc, err := os.ReadFile("../sros/testdata/mpls.json")
	if err != nil {
		t.Fatal(err)
	}
	whole, unknown, err := config.Parse(sros.Schema, "26.3", doc, config.ParseOptions{Strict: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	const router = "/configure/router[router-name=Base]"
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
	} {
		if !strings.Contains(why, want) {
			t.Errorf("everything goes, and nobody says %q:\n%s", want, why)
		}
	}
}
