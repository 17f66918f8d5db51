//go:build !race

package srlsim

import (
	"testing"

	"pgregory.net/rapid"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// A configuration with parts left out is read and shown like any other.
func TestConfigurationsWithGapsAreShown(t *testing.T) {
	t.Parallel()
	whole := map[string]*config.Tree{}
	for _, release := range releases {
		whole[release] = render(t, demo(t, release).Device("leaf1"))
	}
	h := chassis(t, "leaf1", "7220-IXR-D2L", 1)
	rapid.Check(t, func(rt *rapid.T) {
		release := rapid.SampledFrom(releases).Draw(rt, "release")
		gaps := map[int]bool{}
		for _, n := range rapid.SliceOfN(rapid.IntRange(1, whole[release].Len()-1), 1, 4).Draw(rt, "gaps") {
			gaps[n] = true
		}
		tree := without(rt, whole[release], gaps)
		plant := network.Survey(map[string]*network.Router{"leaf1": read(h, tree)}, &network.Wiring{}, network.Outages{})
		watch(rt, sim.Observation{Running: tree, Hardware: h, Router: plant.Routers["leaf1"],
			State: network.Observe(plant, network.Compute(plant), "leaf1"), Booted: booted, Now: now, Large: true})
	})
}

// without returns a document without the nodes of some numbers, and what is below them, as a device reads it.
func without(t rapid.TB, whole *config.Tree, gaps map[int]bool) *config.Tree {
	b, err := config.NewBuilder(srl.Schema, whole.Release())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	whole.Walk(func(c config.Cursor) bool {
		if n++; gaps[n] && !c.IsKey() {
			return false
		}
		set(b, c)
		return true
	})
	tree, err := b.Tree()
	if err != nil {
		t.Skip("not accepted")
	}
	return tree
}
