// Package srlsim is how SR Linux behaves in a simulation: what its configuration means, and the state
// that it shows. A feature is a file, which reads the configuration and writes the state of it.
//
// The rule that matters most: configuration is read as the router does it. What is absent has the
// default of the router's own model, and what a neighbor does not say its group says, or its instance.
//
// What it does not do:
//   - Of a subinterface with several VLAN ranges only the first one counts.
//   - A community set that matches by "invert" never matches, and as-path-length counts ASNs that
//     occur twice as two even where unique is set.
//   - Dynamic neighbors are those of interfaces; prefixes that neighbors are accepted from are not read.
//   - Of several IS-IS processes of an instance only the first one counts, and of a keychain only the first key.
//   - Of BGP's RIBs it shows what neighbors have sent, after import policies: neither what was sent to them, nor the
//     local one. An interface that is broken out into channels shows no state of its own,
//     beside that of a coherent transceiver.
//   - Counters of traffic are made up: they rise with the time that a port is up. Optical powers, voltages and
//     temperatures of grey transceivers are plausible, and stay as they are. Coherent ones measure what comes; they start
//     at once.
package srlsim

import (
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
)

// Software returns the behaviour of SR Linux, any release of its profile.
func Software() *sim.Software {
	rib := config.Path{{Name: "network-instance"}, {Name: "bgp-rib"}}
	return &sim.Software{Read: read, Light: shining, Observe: observe, Large: []config.Path{rib}, Server: server, Limits: limits, Refuses: refuses, Sampled: sampled}
}
