package plan_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/srlinux"
)

func guards(string) *driver.Guards { return &srlinux.Driver().Guards }

// lines is a configuration, a leaf per line: path, space, value.
type lines []string

func (l lines) tree(t *testing.T) *config.Tree {
	t.Helper()
	return tree(t, func(b *config.Builder) {
		for _, line := range l {
			path, value, _ := strings.Cut(line, " ")
			p, err := config.ParsePath(path)
			if err != nil {
				t.Fatal(err)
			}
			b.SetPath(p, value)
		}
	})
}

// with is a configuration with more lines.
func (l lines) with(more ...string) lines { return slices.Concat(l, more) }

// without is a configuration without the lines that begin so.
func (l lines) without(starts ...string) lines {
	return slices.DeleteFunc(slices.Clone(l), func(line string) bool {
		return slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(line, s) })
	})
}

// Parts of paths that the cases below share.
const (
	ni     = "/network-instance[name=default]"
	bgp    = ni + "/protocols/bgp"
	polP   = "/routing-policy/policy[name=p]"
	mgmt   = "/interface[name=mgmt0]"
	server = "/system/grpc-server[name=mgmt]"
)

// router is a leaf as Loom makes it, in short: two uplinks, a session each, a policy, a limit.
var router = lines{
	"/interface[name=system0]/subinterface[index=0]/ipv4/admin-state enable",
	"/interface[name=system0]/subinterface[index=0]/ipv4/address[ip-prefix=10.0.0.1/32]/ip-prefix 10.0.0.1/32",
	"/interface[name=ethernet-1/1]/admin-state enable",
	"/interface[name=ethernet-1/1]/subinterface[index=0]/type srl_nokia-interfaces:routed",
	"/interface[name=ethernet-1/2]/admin-state enable",
	"/interface[name=ethernet-1/2]/subinterface[index=0]/type srl_nokia-interfaces:routed",
	ni + "/router-id 10.0.0.1",
	ni + "/interface[name=ethernet-1/1.0]/name ethernet-1/1.0",
	ni + "/interface[name=ethernet-1/2.0]/name ethernet-1/2.0",
	bgp + "/autonomous-system 65001",
	bgp + "/router-id 10.0.0.1",
	bgp + "/group[group-name=g]/import-policy p",
	bgp + "/group[group-name=g]/afi-safi[afi-safi-name=srl_nokia-common:ipv4-unicast]/ipv4-unicast/prefix-limit-received/max-received-routes 1000",
	bgp + "/neighbor[peer-address=192.0.2.1]/peer-group g",
	bgp + "/neighbor[peer-address=192.0.2.3]/peer-group g",
	"/routing-policy/prefix-set[name=s]/prefix[ip-prefix=10.0.0.0/16][mask-length-range=32..32]/ip-prefix 10.0.0.0/16",
	"/routing-policy/prefix-set[name=u]/prefix[ip-prefix=10.1.0.0/16][mask-length-range=32..32]/ip-prefix 10.1.0.0/16",
	polP + "/default-action/policy-result reject",
	polP + "/statement[name=10]/match/prefix/prefix-set s",
	polP + "/statement[name=10]/match/protocol srl_nokia-common:bgp",
	polP + "/statement[name=10]/action/policy-result accept",
	polP + "/statement[name=20]/match/protocol srl_nokia-common:static",
	polP + "/statement[name=20]/action/policy-result reject",
}

// reach is where Loom reaches the device in cases about its address.
var reach = map[string]netip.Addr{"leaf1": netip.MustParseAddr("10.0.0.1")}

// risky are changes that have to be found, each with the check that does.
var risky = []struct {
	name          string
	check         string
	also          []string // checks that see another side of it
	class         plan.Class
	before, after lines
	options       plan.RiskOptions
	path          string // of the risk, its beginning
}{
	{"a policy is deleted", "a guard goes", nil, plan.GuardRemoved,
		router.with("/routing-policy/policy[name=q]/default-action/policy-result reject"), router, plan.RiskOptions{}, "/routing-policy/policy[name=q]"},
	{"a statement is deleted", "a guard goes", nil, plan.GuardRemoved,
		router, router.without(polP + "/statement[name=20]"), plan.RiskOptions{}, polP + "/statement[name=20]"},
	{"a prefix set is deleted", "a guard goes", nil, plan.GuardRemoved,
		router, router.without("/routing-policy/prefix-set[name=u]"), plan.RiskOptions{}, "/routing-policy/prefix-set[name=u]"},
	{"a limit of routes is deleted", "a guard goes", nil, plan.GuardRemoved,
		router, router.without(bgp + "/group[group-name=g]/afi-safi"), plan.RiskOptions{}, bgp + "/group[group-name=g]/afi-safi[afi-safi-name=srl_nokia-common:ipv4-unicast]/ipv4-unicast/prefix-limit-received/max-received-routes"},
	{"a policy stays, but is not applied", "a guard is no longer applied", nil, plan.GuardRemoved,
		router, router.without(bgp + "/group[group-name=g]/import-policy").with(bgp + "/group[group-name=g]/admin-state enable"), plan.RiskOptions{}, bgp + "/group[group-name=g]/import-policy"},
	{"the default action becomes accept", "what was closed is open", nil, plan.MatchAll,
		router, router.without(polP + "/default-action").with(polP + "/default-action/policy-result accept"), plan.RiskOptions{}, polP + "/default-action/policy-result"},
	{"the default action goes", "what was closed is open", nil, plan.MatchAll,
		router, router.without(polP + "/default-action"), plan.RiskOptions{}, polP + "/default-action/policy-result"},
	{"sessions without a policy accept everything", "what was closed is open", nil, plan.MatchAll,
		router, router.with(bgp + "/ebgp-default-policy/import-reject-all false"), plan.RiskOptions{}, bgp + "/ebgp-default-policy/import-reject-all"},
	{"a statement loses its conditions", "a term has no conditions left", nil, plan.MatchAll,
		router, router.without(polP + "/statement[name=10]/match"), plan.RiskOptions{}, polP + "/statement[name=10]"},
	{"a statement without conditions is new", "a new term has no conditions", nil, plan.MatchAll,
		router, router.with(polP + "/statement[name=5]/action/policy-result accept"), plan.RiskOptions{}, polP + "/statement[name=5]"},
	{"a statement keeps a protocol and loses its prefix set", "a term no longer asks for a set", nil, plan.MatchAll,
		router, router.without(polP + "/statement[name=10]/match/prefix"), plan.RiskOptions{}, polP + "/statement[name=10]"},
	{"the prefix set of a statement is emptied", "a term asks for a set that is empty", nil, plan.MatchAll,
		router, router.without("/routing-policy/prefix-set[name=s]").with("/routing-policy/prefix-set[name=s]/name s"), plan.RiskOptions{}, polP + "/statement[name=10]"},
	{"statements change places", "terms change places", nil, plan.TermOrder,
		router, slices.Concat(router.without(polP), lines{polP + "/default-action/policy-result reject"}, router[21:], router[18:21]), plan.RiskOptions{}, polP + "/statement"},
	{"the uplinks are shut, each in its own way", "every uplink goes", nil, plan.LastUplink,
		router, router.without("/interface[name=ethernet-1/1]/admin-state", ni+"/interface[name=ethernet-1/2.0]").with("/interface[name=ethernet-1/1]/admin-state disable"), plan.RiskOptions{}, "/interface[name=ethernet-1/1]/subinterface[index=0]"},
	{"the group of all sessions is disabled", "every session goes", nil, plan.LastSession,
		router, router.with(bgp + "/group[group-name=g]/admin-state disable"), plan.RiskOptions{}, bgp + "/neighbor"},
	{"every neighbour is replaced by another", "every session goes", nil, plan.LastSession,
		router, router.without(bgp + "/neighbor").with(bgp + "/neighbor[peer-address=192.0.2.9]/peer-group g"), plan.RiskOptions{}, bgp + "/neighbor"},
	{"the only reflector is none any more", "every reflector goes", nil, plan.RouteReflector,
		router.with(bgp + "/group[group-name=g]/route-reflector/client true"), router, plan.RiskOptions{}, ""},
	{"every reflector gets another cluster id", "every reflector changes", nil, plan.RouteReflector,
		router.with(bgp+"/group[group-name=g]/route-reflector/client true", bgp+"/group[group-name=g]/route-reflector/cluster-id 10.0.0.1"),
		router.with(bgp+"/group[group-name=g]/route-reflector/client true", bgp+"/group[group-name=g]/route-reflector/cluster-id 10.0.0.2"), plan.RiskOptions{}, bgp + "/group[group-name=g]/route-reflector"},
	{"the AS number changes", "a device is known by something else", nil, plan.Renumber,
		router, router.without(bgp + "/autonomous-system").with(bgp + "/autonomous-system 65002"), plan.RiskOptions{}, bgp + "/autonomous-system"},
	{"the VTEP gets another address", "a device is known by something else", nil, plan.Renumber,
		router, router.without("/interface[name=system0]/subinterface[index=0]/ipv4/address").with("/interface[name=system0]/subinterface[index=0]/ipv4/address[ip-prefix=10.0.0.2/32]/ip-prefix 10.0.0.2/32"), plan.RiskOptions{}, "/interface[name=system0]"},
	{"authentication changes", "a way to the device changes", nil, plan.ManagementPath,
		router, router.with("/system/aaa/authentication/idle-timeout 60"), plan.RiskOptions{}, "/system/aaa"},
	{"the management interface is shut", "Loom is locked out", []string{"a way to the device changes"}, plan.ManagementPath,
		router.with(mgmt + "/admin-state enable"), router.with(mgmt + "/admin-state disable"), plan.RiskOptions{}, mgmt},
	{"the only gRPC server is shut", "Loom is locked out", []string{"a way to the device changes"}, plan.ManagementPath,
		router.with(server + "/admin-state enable"), router.with(server + "/admin-state disable"), plan.RiskOptions{}, server},
	{"the gRPC server no longer speaks gNMI", "Loom is locked out", []string{"a way to the device changes"}, plan.ManagementPath,
		router.with(server+"/admin-state enable", server+"/services srl_nokia-grpc:gnoi", server+"/services srl_nokia-grpc:gnmi"),
		router.with(server+"/admin-state enable", server+"/services srl_nokia-grpc:gnoi"), plan.RiskOptions{}, server},
	{"the gRPC server has its services deleted", "Loom is locked out", []string{"a way to the device changes"}, plan.ManagementPath,
		router.with(server+"/admin-state enable", server+"/services srl_nokia-grpc:gnmi"), router.with(server + "/admin-state enable"), plan.RiskOptions{}, server},
	{"the gRPC server is to speak of OpenConfig", "Loom is locked out", []string{"a way to the device changes"}, plan.ManagementPath,
		router.with(server + "/admin-state enable"), router.with(server+"/admin-state enable", server+"/yang-models openconfig"), plan.RiskOptions{}, server},
	{"the gRPC server is to speak of OpenConfig, and is otherwise not Loom's", "a way to the device changes", nil, plan.ManagementPath,
		router, router.with(server + "/yang-models openconfig"), plan.RiskOptions{}, server},
	{"the address that Loom uses is disabled", "the address that Loom uses goes", nil, plan.ManagementPath,
		router, router.with("/interface[name=system0]/admin-state disable"), plan.RiskOptions{Reach: reach}, "/interface[name=system0]"},
	{"the uplinks go that carry Loom", "the uplinks go that carry Loom", []string{"every uplink goes"}, plan.ManagementPath,
		router, router.without("/interface[name=ethernet", ni+"/interface"), plan.RiskOptions{Reach: reach}, "/interface[name=ethernet-1/1]"},
	{"one device more than may change", "many devices change", nil, plan.ManyDevices,
		router, router.with("/system/name/host-name leaf1"), plan.RiskOptions{MaxDevices: 1, Drained: []string{"leaf2"}}, ""},
}

// judged plans one device that Loom owns whole.
func judged(t *testing.T, before, after lines) *plan.Plan {
	t.Helper()
	in := input(t, "leaf1", "", before.tree(t), after.tree(t))
	in.Scope = config.Scope{{Own: config.Whole}}
	p := plan.New("demo", "live", []plan.Input{in}, at)
	if len(p.Devices) != 1 {
		t.Fatal("nothing changes")
	}
	return p
}

func TestEveryRiskIsFoundByItsOwnCheck(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{ // that have tests of their own
		"a guard goes that the profile has no name for": true, "light goes out": true, "light is tuned anew": true,
		"a cord has to be moved": true, "a line is out of balance on the way": true, "a stitch goes": true,
	}
	for _, tt := range risky {
		seen[tt.check] = true
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := judged(t, tt.before, tt.after)
			var found []string
			for _, name := range plan.CheckNames() {
				risks := plan.RisksBy(name, p, guards, tt.options)
				if len(risks) > 0 {
					found = append(found, name)
				}
				if name != tt.check {
					continue
				}
				if len(risks) != 1 || risks[0].Class != tt.class || !strings.HasPrefix(risks[0].Path, tt.path) || risks[0].Why == "" || risks[0].Change == "" {
					t.Errorf("%s: got %+v, want one %s at %s", name, risks, tt.class, tt.path)
				}
			}
			want := append([]string{tt.check}, tt.also...)
			slices.Sort(want)
			slices.Sort(found)
			if !slices.Equal(found, want) {
				t.Errorf("found by %q, want %q", found, want)
			}
		})
	}
	for _, name := range plan.CheckNames() {
		if !seen[name] {
			t.Errorf("no case is there for %q", name)
		}
	}
}

func TestWhatIsNoRisk(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		before, after lines
		options       plan.RiskOptions
	}{
		{"a new device", nil, router, plan.RiskOptions{MaxDevices: 1, Drained: []string{"leaf2", "leaf3"}}},
		{"a neighbour goes with its own policy", router.with(bgp+"/neighbor[peer-address=192.0.2.5]/peer-group g", bgp+"/neighbor[peer-address=192.0.2.5]/import-policy p"), router, plan.RiskOptions{}},
		{"a policy is put in place of another", router.with("/routing-policy/policy[name=q]/default-action/policy-result reject"),
			router.without(bgp+"/group[group-name=g]/import-policy").with("/routing-policy/policy[name=q]/default-action/policy-result reject", bgp+"/group[group-name=g]/import-policy q"), plan.RiskOptions{}},
		{"a statement with conditions is new", router, router.with(polP+"/statement[name=15]/match/prefix/prefix-set u", polP+"/statement[name=15]/action/policy-result reject"), plan.RiskOptions{}},
		{"a whole policy is new", router, router.with("/routing-policy/policy[name=q]/statement[name=1]/action/policy-result accept"), plan.RiskOptions{}},
		{"one uplink of two is shut", router, router.without("/interface[name=ethernet-1/1]/admin-state").with("/interface[name=ethernet-1/1]/admin-state disable"), plan.RiskOptions{}},
		{"one session of two goes", router, router.without(bgp + "/neighbor[peer-address=192.0.2.1]"), plan.RiskOptions{}},
		{"a limit that was the default is not written any more", router.without(bgp+"/group[group-name=g]/afi-safi").with(bgp+"/group[group-name=g]/afi-safi[afi-safi-name=srl_nokia-common:ipv4-unicast]/ipv4-unicast/prefix-limit-received/max-received-routes 4294967295", "/system/name/host-name a"),
			router.without(bgp + "/group[group-name=g]/afi-safi").with("/system/name/host-name b"), plan.RiskOptions{}},
		{"another address than the one Loom uses goes", router.with("/interface[name=system0]/subinterface[index=0]/ipv6/admin-state enable", "/interface[name=system0]/subinterface[index=0]/ipv6/address[ip-prefix=2001:db8::1/128]/ip-prefix 2001:db8::1/128"),
			router, plan.RiskOptions{Reach: reach}},
		{"as many devices as may change", router, router.with("/system/name/host-name leaf1"), plan.RiskOptions{MaxDevices: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := plan.Risks(judged(t, tt.before, tt.after), guards, tt.options); len(got) > 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestOnlyLoomsOwnWayIsRefusedWhateverIsApproved(t *testing.T) {
	t.Parallel()
	for _, tt := range risky {
		want := slices.Contains([]string{"Loom is locked out", "the address that Loom uses goes", "the uplinks go that carry Loom"}, tt.check)
		p := judged(t, tt.before, tt.after)
		p.Risks = plan.Risks(p, guards, tt.options)
		if got := len(p.Refused()) > 0; got != want {
			t.Errorf("%s: refused %v, want %v", tt.name, got, want)
		}
	}
}

func TestGuardsWithoutANameInTheProfileAreSeenToGo(t *testing.T) {
	t.Parallel()
	path, err := config.ParsePath("/interface[name=ethernet-1/1]/ethernet/storm-control")
	if err != nil {
		t.Fatal(err)
	}
	both := router.with("/interface[name=ethernet-1/1]/ethernet/aggregate-id lag1", "/interface[name=lag1]/admin-state enable").tree(t)
	in := input(t, "leaf1", "", both, both)
	in.Scope = config.Scope{{Own: config.Whole}}
	in.Unknown = []config.Unknown{{Path: path, JSON: []byte(`{"x":1}`)}}
	p := plan.New("demo", "live", []plan.Input{in}, at)
	got := plan.Risks(p, guards, plan.RiskOptions{})
	if len(got) != 1 || got[0].Class != plan.GuardRemoved || got[0].Path != path.String() {
		t.Errorf("got %+v", got)
	}
	if by := plan.RisksBy("a guard goes that the profile has no name for", p, guards, plan.RiskOptions{}); len(by) != 1 {
		t.Errorf("found by another check: %+v", by)
	}
}

func TestReflectorsAreCountedOverTheSite(t *testing.T) {
	t.Parallel()
	is := router.with(bgp+"/group[group-name=g]/route-reflector/client true", bgp+"/group[group-name=g]/route-reflector/cluster-id 10.0.0.1")
	other := router.with(bgp+"/group[group-name=g]/route-reflector/client true", bgp+"/group[group-name=g]/route-reflector/cluster-id 10.0.0.2")
	tests := []struct {
		name    string
		devices [][2]lines
		want    int
	}{
		{"one of two is none any more", [][2]lines{{is, router}, {is, is}}, 0},
		{"both are none any more", [][2]lines{{is, router}, {is, router}}, 1},
		{"one of two changes", [][2]lines{{is, other}, {is, is}}, 0},
		{"both change", [][2]lines{{is, other}, {is, other}}, 2},
		{"one takes the place of another", [][2]lines{{is, router}, {router, is}}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var inputs []plan.Input
			for i, d := range tt.devices {
				in := input(t, fmt.Sprintf("spine%d", i+1), "s/spines", d[0].tree(t), d[1].tree(t))
				in.Scope = config.Scope{{Own: config.Whole}}
				inputs = append(inputs, in)
			}
			got := plan.Risks(plan.New("demo", "live", inputs, at), guards, plan.RiskOptions{})
			got = slices.DeleteFunc(got, func(r plan.Risk) bool { return r.Class != plan.RouteReflector })
			if len(got) != tt.want {
				t.Errorf("got %+v, want %d", got, tt.want)
			}
		})
	}
}

// A typing mistake in a path of the table would make a check blind.
func TestEveryPathOfTheGuardsIsInTheProfile(t *testing.T) {
	t.Parallel()
	beyond := []string{"/interface/subinterface/acl", "/interface/ethernet/storm-control", "/acl", "/acl/cpm-filter", "/system/json-rpc-server", "/system/gnmi-server", "/system/gnmi-server/network-instance", "/system/gnmi-server/network-instance[name={name}]/admin-state"}
	for _, path := range guards("").Paths() {
		p, err := config.ParsePath(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if !inSchema(config.Root, p) && !slices.Contains(beyond, path) {
			t.Errorf("%s is not in the profile", path)
		}
	}
}

func inSchema(at config.ID, p config.Path) bool {
	if len(p) == 0 {
		return true
	}
	for _, id := range srl.Schema.Nodes[at].Children {
		if n := srl.Schema.Nodes[id]; (n.Name == p[0].Name || p[0].Name == "*") && inSchema(id, p[1:]) {
			return true
		}
	}
	return false
}
