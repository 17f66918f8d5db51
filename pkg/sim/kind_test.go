package sim_test

import (
	"testing"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/srlsim"
	"github.com/loomfabric/loom/pkg/srlinux"
)

// router is an SR Linux device.
func router(t *testing.T, release string) sim.Spec {
	t.Helper()
	const platform = "7220-IXR-D2L"
	spec := sim.Spec{Name: "leaf1", Platform: platform, Release: release, Driver: srlinux.Driver(), Software: srlsim.Software()}
	box, ok := hardware.Lookup(platform)
	if !ok {
		t.Fatalf("no platform %s", platform)
	}
	for _, port := range box.Ports {
		spec.Ports = append(spec.Ports, network.Jack{Name: port.Name, Speed: port.Speeds[0]})
	}
	return spec
}
