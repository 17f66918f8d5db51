package srlinux

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// change is what happens to a router: from what it runs, by a request within the scope, to what is
// intended; and back.
func change(t *testing.T, running *config.Tree, d *fabric.Device) *config.Tree {
	t.Helper()
	scope, intended := Scope(d), render(t, d)
	owned := scope.Owned(running, intended)
	covers := func(c config.Cursor) bool { return scope.Covers(c, intended) }
	after, err := config.Apply(running, config.SetRequest(owned, intended, covers))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changedLeaves(scope.Owned(after, intended), intended), []string(nil)); diff != "" {
		t.Errorf("%s: after the change, still to do (-is):\n%s", d.Name, diff)
	}
	undone, err := config.Apply(after, config.SetRequest(intended, owned, covers))
	if err != nil {
		t.Fatal(err)
	}
	if !config.Equal(undone, running) {
		t.Errorf("%s: undo leaves %v", d.Name, changedLeaves(running, undone))
	}
	return after
}

func TestEveryDeviceOfEveryTopologyIsReachedFromANewRouterAndBack(t *testing.T) {
	t.Parallel()
	eachRendered(t, func(t *testing.T, _ fixture, d *fabric.Device, _ *config.Tree) {
		change(t, parse(t, d.Release, Factory(d.Name, d.Platform.Name, d.Release)), d)
	})
}

func TestEveryRequestLeadsFromOneConfigurationToTheOther(t *testing.T) {
	t.Parallel()
	all := pairs(t)
	for name, pair := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, way := range [][2]*config.Tree{{pair[0], pair[1]}, {pair[1], pair[0]}} {
				got, err := config.Apply(way[0], config.SetRequest(way[0], way[1], nil))
				if err != nil {
					t.Fatal(err)
				}
				if !config.Equal(got, way[1]) {
					t.Errorf("the request leaves %v", changedLeaves(got, way[1]))
				}
			}
		})
	}
}

// A day in the life of leaf1: what stood beside stays, what a removed thing needed goes with it.
func TestEditsOfATopologyReachARouterWithinTheScope(t *testing.T) {
	t.Parallel()
	const (
		head  = "loom: v1\nname: days\nspines: {count: 1, platform: 7220-IXR-D3L}\nleaves: {count: 2, platform: 7220-IXR-D3L, pairs: true}\n"
		web   = "tenants: {red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}}}}\n"
		mgmt  = `"network-instance": [{"name": "mgmt", "type": "ip-vrf"}]`
		shelf = `{"interface": [{"name": "ethernet-1/9", "description": "by hand"}], ` + mgmt + `}`
	)
	var (
		lags     = open(t, head+web+"ports: [{on: leaves, range: ethernet-1/1..2, lag: pair, segments: [web]}]\n", "")
		oneLAG   = open(t, head+web+"ports: [{on: leaves, range: ethernet-1/1, lag: pair, segments: [web]}]\n", "")
		channels = open(t, head+web+"ports: [{on: leaf1, range: ethernet-1/1/1..4, segments: [web], speed: 25G}]\n", "")
		whole    = open(t, head+web+"ports: [{on: leaf1, range: ethernet-1/1, segments: [web]}]\n", "")
		bare     = open(t, head, "")
	)
	for name, days := range map[string][]fixture{
		"a LAG goes and its member no longer refers to it": {lags, oneLAG, lags},
		"a port breaks out and is joined again":            {whole, channels, whole, channels},
		"services come and go":                             {bare, lags, bare},
		"a channel becomes a LAG":                          {channels, lags, channels},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			running := parse(t, "25.3", []byte(shelf))
			for _, f := range days {
				running = change(t, running, f.device(t, "leaf1"))
				if got := show(t, running, "/interface[name=ethernet-1/9]/description"); got != "by hand" {
					t.Errorf("what stood beside is %s", got)
				}
			}
		})
	}
}

func TestAPortThatIsJoinedAgainKeepsNoChannel(t *testing.T) {
	t.Parallel()
	const base = "loom: v1\nname: days\nspines: {count: 1, platform: 7220-IXR-D3L}\nleaves: {count: 1, platform: 7220-IXR-D3L}\n" +
		"tenants: {red: {number: 1, segments: {web: {number: 10}}}}\n"
	before := open(t, base+"ports: [{on: leaf1, range: ethernet-1/1/1..4, segments: [web], speed: 25G}]\n", "").render(t, "leaf1")
	after := change(t, before, open(t, base+"ports: [{on: leaf1, range: ethernet-1/1, segments: [web]}]\n", "").device(t, "leaf1"))
	if got := show(t, after, "/interface"); got != "ethernet-1/1,ethernet-1/32,system0" {
		t.Errorf("interfaces %s", got)
	}
}
