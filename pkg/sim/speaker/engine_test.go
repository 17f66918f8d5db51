package speaker_test

import (
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/speaker"
)

// The simulation takes a Network for its engine.
var _ sim.Engine = (*speaker.Network)(nil)
