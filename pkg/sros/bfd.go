package sros

import (
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// bfd4 and bfd6 are BFD on an interface, for the protocols that ask for it. What the design has in microseconds is in milliseconds
// here, rounded up: nobody is to be slower than it says by being asked for what it cannot do.
func (r renderer) bfd4(b fabric.BFD) {
	r.timers(b, sros.ConfigureRouterInterfaceIpv4BfdAdminState, sros.ConfigureRouterInterfaceIpv4BfdTransmitInterval,
		sros.ConfigureRouterInterfaceIpv4BfdReceive, sros.ConfigureRouterInterfaceIpv4BfdMultiplier)
}

func (r renderer) bfd6(b fabric.BFD) {
	r.timers(b, sros.ConfigureRouterInterfaceIpv6BfdAdminState, sros.ConfigureRouterInterfaceIpv6BfdTransmitInterval,
		sros.ConfigureRouterInterfaceIpv6BfdReceive, sros.ConfigureRouterInterfaceIpv6BfdMultiplier)
}

func (r renderer) timers(b fabric.BFD, state, transmit, receive, multiplier config.ID) {
	if b.Multiplier == 0 {
		return
	}
	interval := uint64(b.Interval+999) / 1000
	r.enable(state)
	r.Uint(transmit, interval)
	r.Uint(receive, interval)
	r.Uint(multiplier, uint64(b.Multiplier))
}
