package srlsim

import (
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
	if n.PeerText != "" {
		w.Str(srl.SystemLldpInterfaceNeighborPortDescription, n.PeerText)
	}
}
