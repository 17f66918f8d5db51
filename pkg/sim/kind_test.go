package sim_test

import (
	"testing"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/srlsim"
	"github.com/loomfabric/loom/pkg/sim/srossim"
	"github.com/loomfabric/loom/pkg/srlinux"
	"github.com/loomfabric/loom/pkg/sros"
)

// router is an SR Linux device.
func router(t *testing.T, release string) sim.Spec {
	t.Helper()
	return boxed(t, sim.Spec{Name: "leaf1", Platform: "7220-IXR-D2L", Release: release, Driver: srlinux.Driver(), Software: srlsim.Software()})
}

// gateway is an SR OS device.
func gateway(t *testing.T) sim.Spec {
	t.Helper()
	return boxed(t, sim.Spec{Name: "gateway1", Platform: "7750-SR-1s", Release: "26.3", Driver: sros.Driver(), Software: srossim.Software()})
}

// boxed gives a device the ports of its platform.
func boxed(t *testing.T, spec sim.Spec) sim.Spec {
	t.Helper()
	box, ok := hardware.Lookup(spec.Platform)
	if !ok {
		t.Fatalf("no platform %s", spec.Platform)
	}
	for _, port := range box.Ports {
		spec.Ports = append(spec.Ports, network.Jack{Name: port.Name, Speed: port.Speeds[0]})
	}
	return spec
}
