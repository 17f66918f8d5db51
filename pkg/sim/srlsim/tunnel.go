package srlsim

import (
	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// tunnels writes /tunnel-interface and /tunnel.
func (w *writer) tunnels() {
	for _, t := range w.state.Tunnels {
		tunnel, index := parent(t.Interface)
		if !at(at(w.running, srl.TunnelInterface).Entry(tunnel), srl.TunnelInterfaceVxlanInterface).Entry(index).Valid() {
			continue // it was taken away since the network was looked at
		}
		w.In(srl.TunnelInterface, tunnel, func() {
			w.In(srl.TunnelInterfaceVxlanInterface, index, func() { w.tunnel(t) })
		})
	}
	before := at(w.before, srl.TunnelVxlanTunnelVtep)
	for _, vtep := range w.state.VTEPs {
		w.In(srl.TunnelVxlanTunnelVtep, vtep.String(), func() {
			w.Str(srl.TunnelVxlanTunnelVtepLastChange, w.kept(before.Entry(vtep.String()), srl.TunnelVxlanTunnelVtepLastChange))
		})
	}
}

func (w *writer) tunnel(t network.TunnelState) {
	w.Str(srl.TunnelInterfaceVxlanInterfaceOperState, upDown(t.Up))
	w.because(srl.TunnelInterfaceVxlanInterfaceOperDownReason, t.Oper)
	for _, d := range t.Multicast {
		w.In2(srl.TunnelInterfaceVxlanInterfaceBridgeTableMulticastDestinationsDestination, d.VTEP.String(), decimal(d.VNI), func() {})
	}
	for _, d := range t.Unicast {
		w.In2(srl.TunnelInterfaceVxlanInterfaceBridgeTableUnicastDestinationsDestination, d.VTEP.String(), decimal(d.VNI), func() {
			w.Uint(srl.TunnelInterfaceVxlanInterfaceBridgeTableUnicastDestinationsDestinationStatisticsActiveEntries, uint64(d.MACs))
		})
	}
	for _, s := range t.Segments {
		w.In(srl.TunnelInterfaceVxlanInterfaceBridgeTableUnicastDestinationsEsDestination, esiText(s.ESI), func() { w.segmentDestination(s) })
	}
	if t.SourceMAC != (network.MAC{}) {
		w.Str(srl.TunnelInterfaceVxlanInterfaceEgressInnerEthernetHeaderUsedSourceMac, t.SourceMAC.String())
	}
}

func (w *writer) segmentDestination(s network.SegmentDestination) {
	w.Uint(srl.TunnelInterfaceVxlanInterfaceBridgeTableUnicastDestinationsEsDestinationStatisticsActiveEntries, uint64(s.MACs))
	for _, d := range s.VTEPs {
		w.In2(srl.TunnelInterfaceVxlanInterfaceBridgeTableUnicastDestinationsEsDestinationVtep, d.VTEP.String(), decimal(d.VNI), func() {})
	}
}

// macs writes the bridge table of a MAC-VRF.
func (w *writer) macs(n *network.Instance, st network.InstanceState, before config.Cursor) {
	if n.Kind != network.MACVRF {
		return
	}
	was := history(at(before, srl.NetworkInstanceBridgeTableMacTableMac),
		srl.NetworkInstanceBridgeTableMacTableMacDestination, srl.NetworkInstanceBridgeTableMacTableMacLastUpdate)
	w.In(srl.NetworkInstance, n.Name, func() {
		for _, m := range st.MACs {
			kind, destination := macDestination(n, m)
			w.In(srl.NetworkInstanceBridgeTableMacTableMac, m.MAC.String(), func() {
				w.Str(srl.NetworkInstanceBridgeTableMacTableMacType, m.Type)
				w.Str(srl.NetworkInstanceBridgeTableMacTableMacDestinationType, kind)
				w.Str(srl.NetworkInstanceBridgeTableMacTableMacDestination, destination)
				w.Str(srl.NetworkInstanceBridgeTableMacTableMacLastUpdate, w.when(was, destination, m.MAC.String()))
			})
		}
		w.Uint(srl.NetworkInstanceBridgeTableStatisticsActiveEntries, uint64(len(st.MACs)))
		w.Uint(srl.NetworkInstanceBridgeTableStatisticsTotalEntries, uint64(len(st.MACs)))
	})
}

// macDestination says where an address is, as the router words it.
func macDestination(n *network.Instance, m network.MACEntry) (kind, destination string) {
	tunnel := ""
	if n.VXLAN != nil {
		tunnel = "vxlan-interface:" + n.VXLAN.Interface
	}
	switch {
	case m.Type == "irb-interface" || m.Type == "irb-interface-anycast":
		return "irb-interface", "irb-interface"
	case m.ESI != network.ESI{}:
		return "vxlan", tunnel + " esi:" + esiText(m.ESI)
	case m.VTEP.IsValid():
		return "vxlan", tunnel + " vtep:" + m.VTEP.String() + " vni:" + decimal(m.VNI)
	}
	return "sub-interface", m.Subinterface
}
