package srossim

import (
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// defaultISISMetric is what a link costs (/configure/router/isis/level/default-metric).
const defaultISISMetric = 10

// unsetSystemID is the default of /configure/router/isis/system-id: the router's own choice.
const unsetSystemID = "0000.0000.0000"

// isis is the first IS-IS process of Base; nil without one.
func (r *reader) isis() *network.ISIS {
	for p := range entries(r.router, sros.ConfigureRouterIsis) {
		i := &network.ISIS{
			Enabled:     enabled(p, sros.ConfigureRouterIsisAdminState),
			Overload:    has(p, sros.ConfigureRouterIsisOverload) && !yes(p, sros.ConfigureRouterIsisOverloadMaxMetric),
			LastResort:  yes(p, sros.ConfigureRouterIsisOverloadMaxMetric),
			PassiveOnly: yes(p, sros.ConfigureRouterIsisAdvertisePassiveOnly),
			NoIPv6:      text(p, sros.ConfigureRouterIsisIpv6Routing) != "native", // a topology of its own (RFC 5120) is not simulated
		}
		for _, area := range texts(p, sros.ConfigureRouterIsisAreaAddress) {
			i.NET = area + "." + r.isisSystemID(p) + ".00"
			break
		}
		i.Level1, i.Level2 = levels(text(p, sros.ConfigureRouterIsisLevelCapability))
		for port := range entries(p, sros.ConfigureRouterIsisInterface) {
			i.Interfaces = append(i.Interfaces, isisInterface(i, p, port))
		}
		sortBy(i.Interfaces, func(p network.ISISInterface) string { return p.Name })
		if enabled(p, sros.ConfigureRouterIsisSegmentRoutingAdminState) {
			r.segmentRouting(i, p)
		}
		return i
	}
	return nil
}

func (r *reader) isisSystemID(process config.Cursor) string {
	if id := text(process, sros.ConfigureRouterIsisSystemId); id != unsetSystemID {
		return id
	}
	if id := parseAddr(text(process, sros.ConfigureRouterIsisRouterId)); id.IsValid() {
		return systemID(id)
	}
	return systemID(r.routerID())
}

// levels reads "1", "2" and "1/2".
func levels(capability string) (one, two bool) {
	return strings.Contains(capability, "1"), strings.Contains(capability, "2")
}

func isisInterface(i *network.ISIS, process, port config.Cursor) network.ISISInterface {
	one, two := levels(text(port, sros.ConfigureRouterIsisInterfaceLevelCapability))
	out := network.ISISInterface{
		Name:         key(port),
		Enabled:      enabled(port, sros.ConfigureRouterIsisInterfaceAdminState),
		Passive:      yes(port, sros.ConfigureRouterIsisInterfacePassive),
		PointToPoint: text(port, sros.ConfigureRouterIsisInterfaceInterfaceType) == "point-to-point",
		Metric:       metric(process, port),
		Level1:       i.Level1 && one,
		Level2:       i.Level2 && two,
		Key:          text(port, sros.ConfigureRouterIsisInterfaceHelloAuthenticationKey),
		BFD:          has(port, sros.ConfigureRouterIsisInterfaceBfdLivenessIpv4),
	}
	if out.Key == "" {
		out.Key = text(process, sros.ConfigureRouterIsisAuthenticationKey)
	}
	return out
}

// metric is what an interface costs: its own number of a level, or the process' default of one, or the general default. Of two
// levels with different numbers the second one counts.
func metric(process, port config.Cursor) uint32 {
	cost := uint64(defaultISISMetric)
	for level := range entries(process, sros.ConfigureRouterIsisLevel) {
		cost = number(level, sros.ConfigureRouterIsisLevelDefaultMetric)
	}
	for level := range entries(port, sros.ConfigureRouterIsisInterfaceLevel) {
		if has(level, sros.ConfigureRouterIsisInterfaceLevelMetric) {
			cost = number(level, sros.ConfigureRouterIsisInterfaceLevelMetric)
		}
	}
	return uint32(cost)
}

// segmentRouting reads the label block of the router, the whole of /configure/router/mpls-labels/sr-labels or a part of it, and
// the index of its own prefix (RFC 8667). A node SID as a label is an index from the start of the block.
func (r *reader) segmentRouting(i *network.ISIS, process config.Cursor) {
	first, last := number(r.router, sros.ConfigureRouterMplsLabelsSrLabelsStart), number(r.router, sros.ConfigureRouterMplsLabelsSrLabelsEnd)
	if !has(process, sros.ConfigureRouterIsisSegmentRoutingPrefixSidRange) || last < first || last == 0 {
		return
	}
	if !has(process, sros.ConfigureRouterIsisSegmentRoutingPrefixSidRangeGlobal) {
		start := number(process, sros.ConfigureRouterIsisSegmentRoutingPrefixSidRangeStartLabel)
		end := start + number(process, sros.ConfigureRouterIsisSegmentRoutingPrefixSidRangeMaxIndex)
		if start < first || end > last {
			return // the process has no labels then
		}
		first, last = start, end
	}
	i.Base, i.Size = uint32(first), uint32(last-first+1)
	for port := range entries(process, sros.ConfigureRouterIsisInterface) {
		if has(port, sros.ConfigureRouterIsisInterfaceIpv4NodeSidIndex) {
			i.Index = uint32(number(port, sros.ConfigureRouterIsisInterfaceIpv4NodeSidIndex))
		}
		if label := number(port, sros.ConfigureRouterIsisInterfaceIpv4NodeSidLabel); label >= first && label <= last {
			i.Index = uint32(label - first)
		}
	}
}

// isis writes /state/router/isis: who is there, and whom it hears.
func (w *writer) isis() {
	process, n := w.process()
	if n == nil {
		return
	}
	w.inBase(func() {
		w.In(sros.StateRouterIsis, process, func() {
			w.Str(sros.StateRouterIsisOperState, upDown(n.Enabled && n.NET != ""))
			if id := ownSystemID(n.NET); id != "" {
				w.Str(sros.StateRouterIsisOperSystemId, id)
			}
			for i := range n.Interfaces {
				w.isisInterface(n, &n.Interfaces[i])
			}
		})
	})
}

// process is the IS-IS process that is simulated, and the number that it has.
func (w *writer) process() (id string, n *network.ISIS) {
	for p := range entries(at(w.running, sros.ConfigureRouter).Entry(base), sros.ConfigureRouterIsis) {
		return key(p), w.base().ISIS
	}
	return "", nil
}

// ownSystemID is the system id of "49.0001.0100.0000.0001.00"; "" of anything else.
func ownSystemID(net string) string {
	f := strings.Split(net, ".")
	if len(f) < 5 {
		return ""
	}
	return strings.Join(f[len(f)-4:len(f)-1], ".")
}

func (w *writer) isisInterface(n *network.ISIS, port *network.ISISInterface) {
	w.In(sros.StateRouterIsisInterface, port.Name, func() {
		w.Str(sros.StateRouterIsisInterfaceOperState, upDown(n.Enabled && port.Enabled && w.state.Subs[port.Name].Up))
		index := 0
		for _, a := range w.state.ISIS {
			if a.Subinterface != port.Name {
				continue
			}
			index++
			w.In(sros.StateRouterIsisInterfaceAdjacency, strconv.Itoa(index), func() { w.adjacency(a) })
		}
	})
}

// adjacency writes a neighbor that is heard.
func (w *writer) adjacency(a network.Adjacency) {
	state := "down"
	switch {
	case a.Up:
		state = "up"
	case a.Reason == "3-way-handshake-failed":
		state = "initializing"
	}
	w.Str(sros.StateRouterIsisInterfaceAdjacencyOperState, state)
	level := "level" + strconv.Itoa(a.Level)
	w.Str(sros.StateRouterIsisInterfaceAdjacencyLevel, level)
	w.Str(sros.StateRouterIsisInterfaceAdjacencyUsage, level)
	w.Str(sros.StateRouterIsisInterfaceAdjacencyNeighborSystemId, a.System)
	if a.Addr.IsValid() {
		w.Str(sros.StateRouterIsisInterfaceAdjacencyNeighborIpv4, a.Addr.String())
	}
}
