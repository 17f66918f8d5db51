package sim_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// A thousand devices are configured one after the other, and each time the network is another one: it must not
// stay in memory for the sake of devices to whom it looks as before.
func TestTheNetworkOfBeforeIsForgottenThoughItLooksTheSameToSome(t *testing.T) {
	t.Parallel()
	forgotten := make(chan struct{}, 8)
	read := func(h network.Hardware, running *config.Tree) *network.Router {
		r := allPorts(h, running)
		if h.Name == "leaf1" {
			runtime.AddCleanup(r, func(forgotten chan<- struct{}) { forgotten <- struct{}{} }, forgotten)
		}
		return r
	}
	c := sim.Config{}
	for _, name := range []string{"leaf1", "leaf2"} {
		c.Devices = append(c.Devices, sim.Spec{
			Name: name, Platform: simtest.Platform, Driver: simtest.Driver(), Software: &sim.Software{Read: read, Observe: showPorts},
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := sim.Start(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	settle := func() {
		if err := s.Settle(ctx); err != nil {
			t.Fatal(err)
		}
	}
	settle()
	if err := s.Device("leaf1").Apply((&bench{T: t}).put("/interface[name=e1]/mtu", "9000")); err != nil {
		t.Fatal(err)
	}
	settle()
	for {
		runtime.GC()
		select {
		case <-forgotten:
			return
		case <-ctx.Done():
			t.Fatal("what leaf1 was before is still there, for leaf2")
		default:
		}
	}
}
