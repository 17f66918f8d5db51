package srlsim

import (
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// defaultISISMetric is what a link costs (/network-instance/protocols/isis/instance/interface/level/metric).
const defaultISISMetric = 10

// isis is the first IS-IS process of an instance; nil without one.
func (r *reader) isis(ni config.Cursor) *network.ISIS {
	for p := range entries(ni, srl.NetworkInstanceProtocolsIsisInstance) {
		i := &network.ISIS{
			Enabled: enabled(p, srl.NetworkInstanceProtocolsIsisInstanceAdminState),
			NoIPv6:  !enabled(p, srl.NetworkInstanceProtocolsIsisInstanceIpv6UnicastAdminState),
		}
		if nets := texts(p, srl.NetworkInstanceProtocolsIsisInstanceNet); len(nets) > 0 {
			i.NET = nets[0]
		}
		level := text(p, srl.NetworkInstanceProtocolsIsisInstanceLevelCapability)
		i.Level1, i.Level2 = strings.Contains(level, "L1"), strings.Contains(level, "L2")
		for port := range entries(p, srl.NetworkInstanceProtocolsIsisInstanceInterface) {
			i.Interfaces = append(i.Interfaces, r.isisInterface(i, p, port))
		}
		sortBy(i.Interfaces, func(p network.ISISInterface) string { return p.Name })
		if has(p, srl.NetworkInstanceProtocolsIsisInstanceSegmentRoutingMpls) {
			r.segmentRouting(i, ni, p)
		}
		return i
	}
	return nil
}

func (r *reader) isisInterface(i *network.ISIS, process, port config.Cursor) network.ISISInterface {
	out := network.ISISInterface{
		Name:         key(port),
		Enabled:      enabled(port, srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdminState),
		Passive:      yes(port, srl.NetworkInstanceProtocolsIsisInstanceInterfacePassive),
		PointToPoint: text(port, srl.NetworkInstanceProtocolsIsisInstanceInterfaceCircuitType) == "point-to-point",
		Metric:       defaultISISMetric,
		Level1:       i.Level1,
		Level2:       i.Level2,
		Key:          r.isisKey(process, port),
	}
	for level := range entries(port, srl.NetworkInstanceProtocolsIsisInstanceInterfaceLevel) {
		if has(level, srl.NetworkInstanceProtocolsIsisInstanceInterfaceLevelMetric) {
			out.Metric = uint32(number(level, srl.NetworkInstanceProtocolsIsisInstanceInterfaceLevelMetric))
		}
		if !yes(level, srl.NetworkInstanceProtocolsIsisInstanceInterfaceLevelDisable) {
			continue
		}
		if key(level) == "1" {
			out.Level1 = false
		} else {
			out.Level2 = false
		}
	}
	return out
}

// isisKey is the key of hellos on an interface: its own, or that of the process.
func (r *reader) isisKey(process, port config.Cursor) string {
	if k := text(port, srl.NetworkInstanceProtocolsIsisInstanceInterfaceAuthenticationKeyAuthPassword); k != "" {
		return k
	}
	if chain := text(port, srl.NetworkInstanceProtocolsIsisInstanceInterfaceAuthenticationKeychain); chain != "" {
		return r.keychain(chain)
	}
	if k := text(process, srl.NetworkInstanceProtocolsIsisInstanceAuthenticationKeyAuthPassword); k != "" {
		return k
	}
	return r.keychain(text(process, srl.NetworkInstanceProtocolsIsisInstanceAuthenticationKeychain))
}

// keychain is the first key of a keychain: which one holds at which time is not simulated.
func (r *reader) keychain(name string) string {
	for k := range entries(at(r.root, srl.SystemAuthenticationKeychain).Entry(name), srl.SystemAuthenticationKeychainKey) {
		return text(k, srl.SystemAuthenticationKeychainKeyAuthenticationKey)
	}
	return ""
}

// segmentRouting reads the label block of the router and the index of its own prefix (RFC 8667), which
// stands at the interface of IS-IS or, for all protocols, among the local prefix SIDs.
func (r *reader) segmentRouting(i *network.ISIS, ni, process config.Cursor) {
	name := text(ni, srl.NetworkInstanceSegmentRoutingMplsGlobalBlockLabelRange)
	block := at(r.root, srl.SystemMplsLabelRangesStatic).Entry(name)
	first, last := number(block, srl.SystemMplsLabelRangesStaticStartLabel), number(block, srl.SystemMplsLabelRangesStaticEndLabel)
	if !block.Valid() || last < first {
		return
	}
	i.Base, i.Size = uint32(first), uint32(last-first+1)
	for sid := range entries(ni, srl.NetworkInstanceSegmentRoutingMplsLocalPrefixSid) {
		if yes(sid, srl.NetworkInstanceSegmentRoutingMplsLocalPrefixSidNodeSid) {
			i.Index = uint32(number(sid, srl.NetworkInstanceSegmentRoutingMplsLocalPrefixSidIpv4LabelIndex))
		}
	}
	for port := range entries(process, srl.NetworkInstanceProtocolsIsisInstanceInterface) {
		if has(port, srl.NetworkInstanceProtocolsIsisInstanceInterfaceSegmentRoutingMplsIpv4NodeSidIndex) {
			i.Index = uint32(number(port, srl.NetworkInstanceProtocolsIsisInstanceInterfaceSegmentRoutingMplsIpv4NodeSidIndex))
		}
	}
}

// isis writes the state of IS-IS: who is there, and whom it hears.
func (w *writer) isis(n *network.Instance, before config.Cursor) {
	if n.ISIS == nil {
		return
	}
	ni := at(w.running, srl.NetworkInstance).Entry(n.Name)
	for p := range entries(ni, srl.NetworkInstanceProtocolsIsisInstance) {
		was := at(before, srl.NetworkInstanceProtocolsIsisInstance).Entry(key(p))
		w.In(srl.NetworkInstance, n.Name, func() {
			w.In(srl.NetworkInstanceProtocolsIsisInstance, key(p), func() { w.process(n, p, was) })
		})
		return // there is no state of others: see reader.isis
	}
}

func (w *writer) process(n *network.Instance, p, before config.Cursor) {
	w.Str(srl.NetworkInstanceProtocolsIsisInstanceOperState, upDown(n.ISIS.Enabled && n.Enabled))
	if id := systemID(n.ISIS.NET); id != "" {
		w.Str(srl.NetworkInstanceProtocolsIsisInstanceOperSystemId, id)
	}
	for i := range n.ISIS.Interfaces {
		port := &n.ISIS.Interfaces[i]
		was := at(before, srl.NetworkInstanceProtocolsIsisInstanceInterface).Entry(port.Name)
		w.In(srl.NetworkInstanceProtocolsIsisInstanceInterface, port.Name, func() {
			up := n.ISIS.Enabled && port.Enabled && w.state.Subs[port.Name].Up
			w.Str(srl.NetworkInstanceProtocolsIsisInstanceInterfaceOperState, upDown(up))
			w.adjacencies(n.Name, port.Name, was)
		})
	}
}

// systemID is what stands before the selector of a NET: "49.0001.0100.0000.0001.00" gives "0100.0000.0001".
func systemID(net string) string {
	if len(net) < len("00.0000.0000.0000.00") {
		return ""
	}
	return net[len(net)-17 : len(net)-3]
}

func (w *writer) adjacencies(instance, port string, before config.Cursor) {
	for _, a := range w.state.ISIS {
		if a.Instance != instance || a.Subinterface != port || a.System == "" {
			continue
		}
		level := "L" + strconv.Itoa(a.Level)
		if a.Level == 0 {
			level = "L1L2"
		}
		was := at(before, srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacency).Entry(a.System, level)
		w.In2(srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacency, a.System, level, func() { w.adjacency(a, was) })
	}
}

func (w *writer) adjacency(a network.Adjacency, before config.Cursor) {
	lost := !a.Up && before.Valid() && text(before, srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacencyState) == "up"
	w.Str(srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacencyState, upDown(a.Up))
	w.because(srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacencyDownReason, network.Oper{Up: a.Up, Reason: a.Reason})
	w.Str(srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacencyNeighborHostname, a.Peer)
	w.Str(srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacencyLastUpDownTransition,
		w.since(before, srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacencyState, srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacencyLastUpDownTransition, upDown(a.Up)))
	w.Uint(srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacencyUpDownTransitions,
		w.counted(before, srl.NetworkInstanceProtocolsIsisInstanceInterfaceAdjacencyUpDownTransitions, lost)) // from up to a lower state, says the vendor's model
}
