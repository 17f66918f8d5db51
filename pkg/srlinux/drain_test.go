package srlinux

import (
	"strings"
	"testing"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/openconfig/gnmi/proto/gnmi"
)

func drainedOf(t testing.TB, tree *config.Tree, d *fabric.Device) *config.Tree {
	t.Helper()
	out, err := Drain(tree, d)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestADrainLiesInsideTheScopeAndIsUndoneExactly(t *testing.T) {
	t.Parallel()
	eachRendered(t, func(t *testing.T, _ fixture, d *fabric.Device, tree *config.Tree) {
		drained := drainedOf(t, tree, d)
		if config.Equal(drained, tree) {
			t.Errorf("%s: nothing is drained", d.Name)
		}
		if out := Scope(d).Outside(drained); len(out) > 0 {
			t.Errorf("%s: outside the scope: %v", d.Name, out)
		}
		if drainedOf(t, drained, d) != drained {
			t.Errorf("%s: draining twice is not draining once", d.Name)
		}
		covers := func(c config.Cursor) bool { return Scope(d).Covers(c, tree) }
		for _, way := range [][2]*config.Tree{{tree, drained}, {drained, tree}} {
			got, err := config.Apply(way[0], config.SetRequest(way[0], way[1], covers))
			if err != nil || !config.Equal(got, way[1]) {
				t.Errorf("%s: %v, still to do %v", d.Name, err, changedLeaves(got, way[1]))
			}
		}
	})
}

func TestEveryChangeOfADrainSaysSo(t *testing.T) {
	t.Parallel()
	f := open(t, "../../topologies/demo.yaml", "")
	d := f.device(t, "leaf1")
	tree := f.render(t, "leaf1")
	for _, c := range config.Diff(tree, drainedOf(t, tree, d)) {
		if got := c.To.Cause(); got.Rule != "drain" || got.Ref != string(d.Ref) {
			t.Errorf("%s: cause %v", c.At, got)
		}
	}
}

// What becomes of a router, by the way in which it is one.
var drains = []struct {
	name     string
	topology string
	device   string
	want     map[string]string
}{
	{"a spine is the last choice of the underlay, and of the overlay inside its AS", "../../topologies/demo.yaml", "spine1", map[string]string{
		defaultBGP + "/group[group-name=underlay]/export-policy":                                "loom-drain,loom-underlay-export",
		defaultBGP + "/group[group-name=overlay]/export-policy":                                 "loom-drain-local",
		"/routing-policy/policy[name=loom-drain]/default-action/bgp/as-path/prepend/repeat-n":   "3",
		"/routing-policy/policy[name=loom-drain]/default-action/policy-result":                  "next-policy",
		"/routing-policy/policy[name=loom-drain-local]/default-action/bgp/local-preference/set": "0",
		"/routing-policy/policy[name=loom-drain-local]/default-action/bgp/as-path":              "absent",
		"/routing-policy/community-set[name=loom-graceful-shutdown]/member":                     communityShutdown,
		"/interface[name=ethernet-1/1]/admin-state":                                             "enable",
	}},
	{"an overlay between AS numbers has longer paths, too", "../../topologies/ebgp-overlay.yaml", "spine1", map[string]string{
		defaultBGP + "/group[group-name=overlay]/export-policy": "loom-drain,loom-overlay",
		defaultBGP + "/group[group-name=overlay]/import-policy": "loom-overlay",
		"/routing-policy/policy[name=loom-drain-local]":         "absent",
	}},
	{"a leaf takes its ports of ethernet segments down, and no others", "../../topologies/demo.yaml", "leaf1", map[string]string{
		"/interface[name=ethernet-1/1]/admin-state":  "disable",
		"/interface[name=ethernet-1/6]/admin-state":  "disable",
		"/interface[name=lag1]/admin-state":          "enable",
		"/interface[name=ethernet-1/49]/admin-state": "enable",
	}},
	{"a server on one leaf only stays connected", "../../topologies/demo.yaml", "leaf3", map[string]string{
		"/interface[name=ethernet-1/41]/admin-state": "enable",
		"/interface[name=ethernet-1/1]/admin-state":  "disable",
	}},
}

func TestADrain(t *testing.T) {
	t.Parallel()
	for _, c := range drains {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := open(t, c.topology, "")
			tree := drainedOf(t, f.render(t, c.device), f.device(t, c.device))
			for path, want := range c.want {
				if got := show(t, tree, path); got != want {
					t.Errorf("%s: got %q, want %q", path, got, want)
				}
			}
		})
	}
}

func TestAPolicyStandsInFrontOfWhatAnOperatorHasPutThere(t *testing.T) {
	t.Parallel()
	f := open(t, "../../topologies/demo.yaml", "")
	d := f.device(t, "leaf1")
	raw := func(path, value string) {
		d.Raw = append(d.Raw, fabric.RawLeaf{Path: path, Value: value, Ref: d.Ref})
	}
	neighbor := defaultBGP + "/neighbor[peer-address=" + d.Overlay.Neighbors[0].Addr.String() + "]"
	raw("/routing-policy/policy[name=mine]/default-action/policy-result", "accept")
	raw(neighbor+"/export-policy", "mine")
	raw(defaultBGP+"/group[group-name=underlay]/afi-safi[afi-safi-name=ipv4-unicast]/export-policy", "mine")
	tree := drainedOf(t, render(t, d), d)
	if got, want := show(t, tree, neighbor+"/export-policy"), "loom-drain-local,mine"; got != want {
		t.Errorf("neighbor: got %q, want %q", got, want)
	}
	if got, want := show(t, tree, defaultBGP+"/group[group-name=underlay]/afi-safi[afi-safi-name=ipv4-unicast]/export-policy"), "loom-drain,mine"; got != want {
		t.Errorf("family: got %q, want %q", got, want)
	}

	raw(defaultBGP+"/afi-safi[afi-safi-name=ipv4-unicast]/export-policy", "mine")
	if _, err := Drain(render(t, d), d); err == nil || !strings.Contains(err.Error(), "leaf1: drain: /network-instance[name=default]/protocols/bgp/afi-safi") || !strings.Contains(err.Error(), "give it to the groups") {
		t.Errorf("a policy that nothing can stand in front of: %v", err)
	}
}

func TestAnEmptyRouterHasNothingToDrain(t *testing.T) {
	t.Parallel()
	f := open(t, "../../topologies/demo.yaml", "")
	empty := config.EmptyTree(srl.Schema, f.device(t, "leaf1").Release)
	if got := drainedOf(t, empty, f.device(t, "leaf1")); got != empty {
		t.Errorf("got:\n%s", document(got))
	}
}

func TestWhatDisruptsIsInTheModels(t *testing.T) {
	t.Parallel()
	for _, x := range disruptive {
		for _, path := range append([]string{x.Path}, x.Needs...) {
			at := config.Root
			for _, e := range mustPath(t, path) {
				if at = childOf(at, e.Name); at == config.Root {
					t.Errorf("%s: the models have no %s", path, e.Name)
					break
				}
			}
		}
	}
}

func mustPath(t *testing.T, text string) config.Path {
	t.Helper()
	p, err := config.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func undrainedOf(t testing.TB, tree, intended *config.Tree, d *fabric.Device) *config.Tree {
	t.Helper()
	out, err := Undrain(tree, intended, d)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnUndrainIsTheWayBackWithoutTheConfigurationOfBefore(t *testing.T) {
	t.Parallel()
	eachRendered(t, func(t *testing.T, _ fixture, d *fabric.Device, tree *config.Tree) {
		if got := undrainedOf(t, drainedOf(t, tree, d), tree, d); !config.Equal(got, tree) {
			t.Errorf("%s: still to do %v", d.Name, changedLeaves(got, tree))
		}
		if undrainedOf(t, tree, tree, d) != tree {
			t.Errorf("%s: what is not drained changes", d.Name)
		}
		empty := config.EmptyTree(srl.Schema, d.Release) // today's topology wants nothing of all this any more
		if got := undrainedOf(t, drainedOf(t, tree, d), empty, d); !config.Equal(got, tree) {
			t.Errorf("%s: with another intent, still to do %v", d.Name, changedLeaves(got, tree))
		}
	})
}

func TestAnUndrainLeavesPortsDownThatAreMeantToBeAndInheritedPoliciesInherited(t *testing.T) {
	t.Parallel()
	f := open(t, "../../topologies/demo.yaml", "")
	d := f.device(t, "leaf1")
	for path, value := range map[string]string{
		"/routing-policy/policy[name=mine]/default-action/policy-result":                              "accept",
		defaultBGP + "/export-policy":                                                                 "mine",
		defaultBGP + "/group[group-name=underlay]/afi-safi[afi-safi-name=ipv4-unicast]/export-policy": "mine",
	} {
		d.Raw = append(d.Raw, fabric.RawLeaf{Path: path, Value: value, Ref: d.Ref})
	}
	tree := render(t, d)
	if got := undrainedOf(t, drainedOf(t, tree, d), tree, d); !config.Equal(got, tree) {
		t.Errorf("still to do %v", changedLeaves(got, tree))
	}
	const unused = "/interface[name=ethernet-1/1]/admin-state"
	today, err := config.Apply(tree, &gnmi.SetRequest{Replace: []*gnmi.Update{{Path: mustPath(t, unused).GNMI(), Val: word(switchedOff)}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := show(t, undrainedOf(t, drainedOf(t, tree, d), today, d), unused); got != switchedOff {
		t.Errorf("a port that the topology no longer uses is %sd", got)
	}
}
