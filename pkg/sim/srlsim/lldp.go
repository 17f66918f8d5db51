package srlsim

import (
	"net/netip"
	"slices"
	"strconv"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// lldp tells whether a port does LLDP: /system/lldp is a presence container, and its interfaces are on
// unless they are switched off.
func (r *reader) lldp(port string) bool {
	if !has(r.root, srl.SystemLldp) || !enabled(r.root, srl.SystemLldpAdminState) {
		return false
	}
	return enabled(at(r.root, srl.SystemLldpInterface).Entry(port), srl.SystemLldpInterfaceAdminState)
}

// management are the addresses that LLDP tells: those of the subinterfaces that /system/lldp/management-address names,
// of both families unless it names one. Of an interface that takes its addresses from DHCP none are known here.
func (r *reader) management() (all []netip.Addr) {
	for m := range entries(r.root, srl.SystemLldpManagementAddress) {
		port, index := parent(key(m))
		sub := at(at(r.root, srl.Interface).Entry(port), srl.InterfaceSubinterface).Entry(index)
		kinds := texts(m, srl.SystemLldpManagementAddressType)
		for _, list := range []config.ID{srl.InterfaceSubinterfaceIpv4Address, srl.InterfaceSubinterfaceIpv6Address} {
			for a := range entries(sub, list) {
				if p, err := netip.ParsePrefix(key(a)); err == nil && (len(kinds) == 0 || slices.Contains(kinds, addressType(p.Addr()))) {
					all = append(all, p.Addr())
				}
			}
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// addressType is a kind of management address as LLDP has it (IANA address family numbers).
func addressType(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// lldp writes /system/lldp: who the router says it is, and whom its ports hear.
func (w *writer) lldp() {
	if !has(w.running, srl.SystemLldp) {
		return
	}
	w.Str(srl.SystemLldpChassisId, w.router.Chassis.String())
	w.Str(srl.SystemLldpSystemName, w.router.System)
	for i := range w.router.Ports {
		p := &w.router.Ports[i]
		w.In(srl.SystemLldpInterface, p.Name, func() {
			w.Str(srl.SystemLldpInterfaceOperState, upDown(p.LLDP && w.state.Ports[p.Name].Up))
		})
	}
	before := at(w.before, srl.SystemLldpInterface)
	count := map[string]int{}
	for _, n := range w.state.LLDP {
		count[n.Port]++
		id := strconv.Itoa(count[n.Port])
		was := at(before.Entry(n.Port), srl.SystemLldpInterfaceNeighbor).Entry(id)
		w.In(srl.SystemLldpInterface, n.Port, func() {
			w.In(srl.SystemLldpInterfaceNeighbor, id, func() { w.lldpNeighbor(n, was) })
		})
	}
}

func (w *writer) lldpNeighbor(n network.LLDPNeighbor, before config.Cursor) {
	first := w.since(before, srl.SystemLldpInterfaceNeighborChassisId, srl.SystemLldpInterfaceNeighborFirstMessage, n.Chassis.String())
	w.Str(srl.SystemLldpInterfaceNeighborChassisId, n.Chassis.String())
	w.Str(srl.SystemLldpInterfaceNeighborChassisIdType, "MAC_ADDRESS")
	w.Str(srl.SystemLldpInterfaceNeighborFirstMessage, first)
	w.Str(srl.SystemLldpInterfaceNeighborLastUpdate, first)
	w.Str(srl.SystemLldpInterfaceNeighborPortId, n.PeerPort)
	w.Str(srl.SystemLldpInterfaceNeighborPortIdType, "INTERFACE_NAME")
	w.Str(srl.SystemLldpInterfaceNeighborSystemName, n.System)
	w.Str(srl.SystemLldpInterfaceNeighborSystemDescription, n.Description)
	for _, a := range n.Management {
		w.In(srl.SystemLldpInterfaceNeighborManagementAddress, a.String(), func() {
			w.Str(srl.SystemLldpInterfaceNeighborManagementAddressType, addressType(a))
		})
	}
	if n.PeerText != "" {
		w.Str(srl.SystemLldpInterfaceNeighborPortDescription, n.PeerText)
	}
}
