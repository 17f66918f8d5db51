// Package srossim is how SR OS behaves in a simulation: what its configuration means, and the state that it shows. A feature
// is a file, which reads the configuration and writes the state of it.
//
// The rule that matters most: configuration is read as the router does it. What is absent has the default of the router's own
// model, and what a neighbor does not say its group says, or the instance.
//
// What it does not do:
//   - Of an R-VPLS only its EVPN instance counts, as that of the VPRN which routes by it, and its destinations are that one's: it has
//     neither access points nor addresses. A route distinguisher that is to be chosen from a range, "auto-rd", is none.
//   - Of routers other than Base, of IS-IS processes other than the first one, and of OSPF, LDP and RSVP it knows nothing.
//   - Of addresses of an interface that its state shows, there is only the link-local one, as in the profile of the models.
//   - A policy that asks for something that is not simulated (a neighbor, an interface, a tag, a level) matches nothing.
//   - What BGP does while it reconverges (min-route-advertisement, rapid-update, graceful restart) takes no time at all.
package srossim

import "github.com/loomfabric/loom/pkg/sim"

// Software returns the behaviour of SR OS, any release of its profile.
func Software() *sim.Software {
	return &sim.Software{Read: read, Light: shining, Observe: observe, Server: server, Limits: limits, Refuses: refuses, Words: refusal}
}
