package srlsim

import (
	"testing"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/srlinux"
)

// Whatever a device accepts, it can be read, worked out and shown.
func FuzzAcceptedConfigurations(f *testing.F) {
	for _, release := range releases {
		for _, name := range []string{"leaf1", "spine1"} {
			f.Add(render(f, demo(f, release).Device(name)).AppendJSON(nil, false), release == releases[0])
		}
		f.Add(srlinux.Factory("leaf1", "7220-IXR-D2L", release), release == releases[0])
	}
	f.Add([]byte(bgpDocument), true)
	f.Add([]byte(speaker(`,"import-policy":["p"]`, `,"afi-safi":[{"afi-safi-name":"evpn","admin-state":"enable","export-policy":["q"]}]`, ``)), false)
	f.Fuzz(func(t *testing.T, document []byte, old bool) {
		release := releases[1]
		if old {
			release = releases[0]
		}
		tree, _, err := config.Parse(srl.Schema, release, document, config.ParseOptions{})
		if err != nil || !accepted(tree) {
			return
		}
		server(tree)
		r := read(small, tree)
		plant := network.Survey(map[string]*network.Router{"leaf1": r}, &network.Wiring{}, network.Outages{})
		o := sim.Observation{Running: tree, Hardware: small, Router: r, State: network.Observe(plant, network.Compute(plant), "leaf1"), Booted: booted, Now: now, Large: true}
		o.Before = watch(t, o)
		watch(t, o)
	})
}

// accepted tells whether a tree is valid as a whole.
func accepted(tree *config.Tree) bool {
	b, err := config.NewBuilder(srl.Schema, tree.Release())
	if err != nil {
		return false
	}
	copyTo(b, tree)
	_, err = b.Tree()
	return err == nil
}

// Before the first look at the network, and before the configuration was read, there is state all the same.
func TestADeviceShowsItselfBeforeItKnowsTheNetwork(t *testing.T) {
	t.Parallel()
	d := demo(t, "25.3").Device("leaf1")
	view := watch(t, sim.Observation{Running: render(t, d), Hardware: chassis(t, "leaf1", d.Platform.Name, 1), Booted: booted, Now: now, Large: true})
	shows(t, view, map[string]string{
		"/interface[name=ethernet-1/49]/oper-state": "down", "/interface[name=system0]/oper-state": "up",
		"/interface[name=ethernet-1/49]/last-change": "2025-01-01T13:00:00.000Z",
		"/network-instance[name=default]/oper-state": "up",
	})
}

func BenchmarkRead(b *testing.B) {
	d := demo(b, "25.3").Device("leaf1")
	running, h := render(b, d), chassis(b, "leaf1", d.Platform.Name, 1)
	for b.Loop() {
		read(h, running)
	}
}

func BenchmarkObserve(b *testing.B) {
	design := demo(b, "25.3")
	routers, trees, boxes := map[string]*network.Router{}, map[string]*config.Tree{}, map[string]network.Hardware{}
	for i, d := range design.Devices {
		trees[d.Name], boxes[d.Name] = render(b, d), chassis(b, d.Name, d.Platform.Name, byte(i+1))
		routers[d.Name] = read(boxes[d.Name], trees[d.Name])
	}
	plant := network.Survey(routers, plug(design), network.Outages{})
	o := sim.Observation{Running: trees["leaf1"], Hardware: boxes["leaf1"], Router: routers["leaf1"],
		State: network.Observe(plant, network.Compute(plant), "leaf1"), Booted: booted, Now: now, Large: true}
	o.Before = watch(b, o)
	b.ReportMetric(float64(o.Before.Leaves()), "leaves")
	for b.Loop() {
		watch(b, o)
	}
}
