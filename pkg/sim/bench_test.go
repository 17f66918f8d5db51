package sim_test

import (
	"fmt"
	"testing"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// BenchmarkStart starts and ends a fleet of a thousand devices.
func BenchmarkStart(b *testing.B) {
	var c sim.Config
	for i := range 1000 {
		c.Devices = append(c.Devices, sim.Spec{Name: fmt.Sprintf("leaf%d", i), Platform: simtest.Platform, Driver: simtest.Driver()})
	}
	b.ReportAllocs()
	for b.Loop() {
		s, err := sim.Start(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
