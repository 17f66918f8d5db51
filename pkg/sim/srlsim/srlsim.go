// Package srlsim is how SR Linux behaves in a simulation: what its configuration means, and the state
// that it shows.
package srlsim

import (
	"github.com/loomfabric/loom/pkg/sim"
)

// Software returns the behaviour of SR Linux.
func Software() *sim.Software { return &sim.Software{} }
