package srossim

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// instances are Base and the services.
func (r *reader) instances(subs []network.Subinterface) (out []network.Instance) {
	i := network.Instance{
		Name:          base,
		Kind:          network.Default,
		Enabled:       true,
		RouterID:      r.routerID(),
		UncheckedIPv4: r.unchecked(),
		BGP:           r.bgp(),
		ISIS:          r.isis(),
	}
	for _, s := range subs {
		if s.Kind != network.Bridged {
			i.Interfaces = append(i.Interfaces, s.Name)
		}
	}
	slices.Sort(i.Interfaces)
	return sortBy(append(r.services(), i), func(i network.Instance) string { return i.Name })
}

// routerID is the configured one, or the address of the system interface, or the last four bytes of the chassis address.
func (r *reader) routerID() netip.Addr {
	if id := parseAddr(text(r.router, sros.ConfigureRouterRouterId)); id.IsValid() {
		return id
	}
	entry := at(r.router, sros.ConfigureRouterInterface).Entry(systemInterface)
	if id := parseAddr(text(entry, sros.ConfigureRouterInterfaceIpv4PrimaryAddress)); id.IsValid() {
		return id
	}
	return netip.AddrFrom4([4]byte(r.h.MAC[2:]))
}

// systemID is the IS-IS system id that a router has by itself: its router id, three digits for each byte (BCD).
func systemID(id netip.Addr) string {
	b := id.As4()
	digits := fmt.Sprintf("%03d%03d%03d%03d", b[0], b[1], b[2], b[3])
	return digits[:4] + "." + digits[4:8] + "." + digits[8:]
}
