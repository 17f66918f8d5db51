package srossim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// nearestBridge is the group address that all routers use (IEEE 802.1AB §7.1); the others are not simulated.
const nearestBridge = "nearest-bridge"

// lldp reads what a port says of itself, which is little unless it is told otherwise: no name, and a number for the port.
func (r *reader) lldp(p *network.Port, entry config.Cursor) {
	agent := at(entry, sros.ConfigurePortEthernetLldpDestMac).Entry(nearestBridge)
	p.LLDP = agent.Valid() && enabled(r.root, sros.ConfigureSystemLldpAdminState) &&
		yes(agent, sros.ConfigurePortEthernetLldpDestMacTransmit) && yes(agent, sros.ConfigurePortEthernetLldpDestMacReceive)
	if yes(agent, sros.ConfigurePortEthernetLldpDestMacTxTlvsPortDesc) {
		p.Text = fmt.Sprintf("%s, %s Ethernet, %q", p.Name, p.Speed, text(entry, sros.ConfigurePortDescription))
	}
	p.Nameless = !yes(agent, sros.ConfigurePortEthernetLldpDestMacTxTlvsSysName)
	switch text(agent, sros.ConfigurePortEthernetLldpDestMacPortIdSubtype) {
	case "tx-local":
		p.ID = strconv.Itoa(ifIndex(p.Name))
	case "tx-if-alias":
		p.ID = text(entry, sros.ConfigurePortDescription)
	}
}

// ifIndex numbers a port by its place: card, adapter, connector and channel. It is plausible, not the box's own.
func ifIndex(port string) int {
	n := 1
	for _, part := range strings.Split(port, "/") {
		digits, _ := strconv.Atoi(strings.TrimPrefix(part, "c"))
		n = n<<7 + digits
	}
	return n
}

// lldp writes who the router says it is, and whom its ports hear.
func (w *writer) lldp() {
	if enabled(w.running, sros.ConfigureSystemLldpAdminState) {
		w.Str(sros.StateSystemLldpChassisId, w.router.Chassis.String())
		w.Str(sros.StateSystemLldpChassisIdSubtype, "mac-address")
	}
	index := map[string]int{}
	for _, n := range w.state.LLDP {
		if !slices.ContainsFunc(w.router.Ports, func(p network.Port) bool { return p.Name == n.Port }) {
			continue // it was taken away since the network was looked at
		}
		index[n.Port]++
		w.In(sros.StatePort, n.Port, func() {
			w.In(sros.StatePortEthernetLldpDestMac, nearestBridge, func() {
				// remote-time-mark is when the neighbor came, in hundredths of seconds since the boot.
				w.In2(sros.StatePortEthernetLldpDestMacRemoteSystem, "0", strconv.Itoa(index[n.Port]), func() { w.remoteSystem(n) })
			})
		})
	}
}

func (w *writer) remoteSystem(n network.LLDPNeighbor) {
	w.Str(sros.StatePortEthernetLldpDestMacRemoteSystemChassisId, n.Chassis.String())
	w.Str(sros.StatePortEthernetLldpDestMacRemoteSystemChassisIdSubtype, "mac-address")
	w.Str(sros.StatePortEthernetLldpDestMacRemoteSystemRemotePortId, n.PeerPort)
	w.Str(sros.StatePortEthernetLldpDestMacRemoteSystemRemotePortIdSubtype, "interface-name")
	if n.PeerText != "" {
		w.Str(sros.StatePortEthernetLldpDestMacRemoteSystemPortDescription, n.PeerText)
	}
	if n.System != "" {
		w.Str(sros.StatePortEthernetLldpDestMacRemoteSystemSystemName, n.System)
	}
	if n.Description != "" {
		w.Str(sros.StatePortEthernetLldpDestMacRemoteSystemSystemDescription, n.Description)
	}
}
