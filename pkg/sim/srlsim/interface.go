package srlsim

import (
	"slices"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// interfaces writes /interface: all ports of the chassis, configured or not, and what else is configured.
func (w *writer) interfaces() {
	before := at(w.before, srl.Interface)
	ports := map[string]bool{}
	for i := range w.router.Ports {
		p := &w.router.Ports[i]
		ports[p.Name] = true
		w.In(srl.Interface, p.Name, func() { w.port(p, before.Entry(p.Name)) })
	}
	for entry := range entries(w.running, srl.Interface) {
		name, channel := key(entry), opticalOf(entry)
		switch {
		case ports[name]:
		case !has(entry, srl.InterfaceBreakoutMode):
			w.In(srl.Interface, name, func() { w.logical(entry, before.Entry(name)) })
		case channel.Valid():
			w.In(srl.Interface, name, func() { w.coherentTransceiver(name, entry, channel) })
		}
	}
	w.subinterfaces(before)
	w.neighbors()
}

// port writes one port.
func (w *writer) port(p *network.Port, before config.Cursor) {
	st := w.state.Ports[p.Name]
	if !p.Enabled {
		st.Oper = network.Oper{Reason: "port-admin-disabled"}
	}
	if !at(w.running, srl.Interface).Entry(p.Name).Valid() {
		w.Str(srl.InterfaceAdminState, "disable") // see reader.port
	}
	w.operState(st.Oper, p.Name, before)
	w.Str(srl.InterfaceEthernetHwMacAddress, p.MAC.String())
	w.transceiver(p, st)
	w.statistics(p, st, before)
}

// logical writes what is no port of the chassis: LAGs, loopbacks, IRBs, the management port, and ports
// that are configured though there are none.
func (w *writer) logical(entry, before config.Cursor) {
	name := key(entry)
	oper := network.Oper{Up: enabled(entry, srl.InterfaceAdminState), Reason: "port-admin-disabled"}
	switch {
	case strings.HasPrefix(name, "lag"):
		st := w.state.LAGs[name]
		oper = st.Oper
		w.members(st)
	case oper.Up && strings.HasPrefix(name, "ethernet-"):
		oper = network.Oper{Reason: "port-not-present"}
	}
	w.operState(oper, name, before)
}

// operState writes what every interface has.
func (w *writer) operState(o network.Oper, name string, before config.Cursor) {
	w.Str(srl.InterfaceOperState, upDown(o.Up))
	w.because(srl.InterfaceOperDownReason, o)
	w.Str(srl.InterfaceLastChange, w.since(before, srl.InterfaceOperState, srl.InterfaceLastChange, upDown(o.Up)))
	w.Uint(srl.InterfaceIfindex, uint64(w.slot(name))<<indexBits)
}

// An ifindex is the place of the interface in the box, and of the subinterface in the interface plus one
// (subinterface indices go up to 9999).
const indexBits = 14

// Places of interfaces that have no address from the chassis.
const (
	slotManagement = 0x1
	slotLoopback   = 0x6000
	slotSystem     = 0x7000
	slotOther      = 0x7001
)

// slot is the number of an interface that is nobody else's: the distance of its MAC address from that of the chassis,
// where it has one.
func (w *writer) slot(name string) int {
	kind := strings.TrimRight(name, "0123456789")
	n := int(parseNumber(name[len(kind):]))
	switch {
	case name == management:
		return slotManagement
	case name == "system0":
		return slotSystem
	case kind == "lo":
		return slotLoopback + n
	case kind == "irb":
		return macIRB + n
	case kind == "lag":
		return macLAG + n
	}
	for i, jack := range w.o.Hardware.Ports {
		if jack.Name == name {
			return (i + 1) * macsPerPort
		}
		if strings.HasPrefix(name, jack.Name+"/") {
			return (i+1)*macsPerPort + n
		}
	}
	return slotOther
}

// members writes the ports of a LAG, and what LACP says of them.
func (w *writer) members(st network.LAGState) {
	for _, m := range st.Members {
		w.In(srl.InterfaceLagMember, m.Port, func() {
			w.Str(srl.InterfaceLagMemberOperState, upDown(m.Up))
			w.because(srl.InterfaceLagMemberOperDownReason, m.Oper)
			w.lacp(m)
		})
	}
}

func (w *writer) lacp(m network.Member) {
	i := slices.IndexFunc(w.router.LAGs, func(l network.LAG) bool { return l.Name == w.portLAG(m.Port) })
	if i < 0 || w.router.LAGs[i].LACP == nil {
		return
	}
	own := w.router.LAGs[i].LACP
	activity, timeout, sync := "PASSIVE", "LONG", "OUT_SYNC"
	if own.Active {
		activity = "ACTIVE"
	}
	if own.Fast { // whoever sends often waits for the same (IEEE 802.1AX §6.4.4)
		timeout = "SHORT"
	}
	if m.Synchronized {
		sync = "IN_SYNC"
	}
	w.Str(srl.InterfaceLagMemberLacpActivity, activity)
	w.Str(srl.InterfaceLagMemberLacpTimeout, timeout)
	w.Bool(srl.InterfaceLagMemberLacpAggregatable, true)
	w.Str(srl.InterfaceLagMemberLacpSystemId, own.SystemID.String())
	w.Uint(srl.InterfaceLagMemberLacpOperKey, uint64(own.Key))
	w.Str(srl.InterfaceLagMemberLacpSynchronization, sync)
	w.Bool(srl.InterfaceLagMemberLacpCollecting, m.Collecting)
	w.Bool(srl.InterfaceLagMemberLacpDistributing, m.Distributing)
	if m.Partner != (network.LACP{}) {
		w.Str(srl.InterfaceLagMemberLacpPartnerId, m.Partner.SystemID.String())
		w.Uint(srl.InterfaceLagMemberLacpPartnerKey, uint64(m.Partner.Key))
	}
}

func (w *writer) portLAG(port string) string {
	for i := range w.router.Ports {
		if w.router.Ports[i].Name == port {
			return w.router.Ports[i].LAG
		}
	}
	return ""
}

// subinterfaces writes /interface/subinterface.
func (w *writer) subinterfaces(before config.Cursor) {
	for i := range w.router.Subinterfaces {
		s := &w.router.Subinterfaces[i]
		was := at(before.Entry(s.Parent), srl.InterfaceSubinterface).Entry(decimal(s.Index))
		w.In(srl.Interface, s.Parent, func() {
			w.In(srl.InterfaceSubinterface, decimal(s.Index), func() {
				w.subinterface(s.Name, w.subState(s), was)
				w.addresses(s)
			})
		})
	}
	for sub := range entries(at(w.running, srl.Interface).Entry(management), srl.InterfaceSubinterface) {
		was := at(before.Entry(management), srl.InterfaceSubinterface).Entry(key(sub))
		w.In(srl.Interface, management, func() {
			w.In(srl.InterfaceSubinterface, key(sub), func() {
				w.subinterface(management+"."+key(sub), network.Oper{Up: enabled(sub, srl.InterfaceSubinterfaceAdminState), Reason: "admin-disabled"}, was)
			})
		})
	}
}

func (w *writer) subState(s *network.Subinterface) network.Oper {
	if st, ok := w.state.Subs[s.Name]; ok {
		return st.Self
	}
	return network.Oper{Reason: "port-down"}
}

func (w *writer) subinterface(name string, o network.Oper, before config.Cursor) {
	port, index := parent(name)
	w.Str(srl.InterfaceSubinterfaceName, name)
	w.Str(srl.InterfaceSubinterfaceOperState, upDown(o.Up))
	w.because(srl.InterfaceSubinterfaceOperDownReason, o)
	w.Str(srl.InterfaceSubinterfaceLastChange, w.since(before, srl.InterfaceSubinterfaceOperState, srl.InterfaceSubinterfaceLastChange, upDown(o.Up)))
	w.Uint(srl.InterfaceSubinterfaceIfindex, uint64(w.slot(port))<<indexBits+parseNumber(index)+1)
}

// addresses writes whether addresses can be used, and the link-local one, which nobody has configured.
func (w *writer) addresses(s *network.Subinterface) {
	status := "inaccessible"
	if w.subState(s).Up {
		status = "preferred"
	}
	for _, a := range s.Addresses {
		if a.Prefix.Addr().Is4() {
			w.In(srl.InterfaceSubinterfaceIpv4Address, a.Prefix.String(), func() {
				w.Str(srl.InterfaceSubinterfaceIpv4AddressOrigin, "static")
				w.Str(srl.InterfaceSubinterfaceIpv4AddressStatus, status)
			})
		} else {
			w.ipv6Address(a.Prefix.String(), "static", status)
		}
	}
	if !s.LinkLocal.IsValid() {
		return
	}
	for a := range entries(w.configured(s), srl.InterfaceSubinterfaceIpv6Address) {
		if text(a, srl.InterfaceSubinterfaceIpv6AddressType) == "link-local-unicast" {
			w.ipv6Address(key(a), "static", status)
			return
		}
	}
	w.ipv6Address(s.LinkLocal.String()+"/64", "link-layer", status)
}

// configured is the entry of a subinterface in the configuration.
func (w *writer) configured(s *network.Subinterface) config.Cursor {
	return at(at(w.running, srl.Interface).Entry(s.Parent), srl.InterfaceSubinterface).Entry(decimal(s.Index))
}

func (w *writer) ipv6Address(prefix, origin, status string) {
	w.In(srl.InterfaceSubinterfaceIpv6Address, prefix, func() {
		if origin == "link-layer" {
			w.Str(srl.InterfaceSubinterfaceIpv6AddressType, "link-local-unicast")
		}
		w.Str(srl.InterfaceSubinterfaceIpv6AddressOrigin, origin)
		w.Str(srl.InterfaceSubinterfaceIpv6AddressStatus, status)
	})
}

// neighbors writes the ARP and ND entries.
func (w *writer) neighbors() {
	for _, n := range w.state.Neighbors {
		port, index := parent(n.Subinterface)
		if !at(at(w.running, srl.Interface).Entry(port), srl.InterfaceSubinterface).Entry(index).Valid() {
			continue // it was taken away since the network was looked at
		}
		w.In(srl.Interface, port, func() {
			w.In(srl.InterfaceSubinterface, index, func() { w.neighbor(n) })
		})
	}
}

func (w *writer) neighbor(n network.L3Neighbor) {
	if n.IP.Is4() {
		w.In(srl.InterfaceSubinterfaceIpv4ArpNeighbor, n.IP.String(), func() {
			w.Str(srl.InterfaceSubinterfaceIpv4ArpNeighborLinkLayerAddress, n.MAC.String())
			w.Str(srl.InterfaceSubinterfaceIpv4ArpNeighborOrigin, n.Type)
		})
		return
	}
	w.In(srl.InterfaceSubinterfaceIpv6NeighborDiscoveryNeighbor, n.IP.WithZone("").String(), func() {
		w.Str(srl.InterfaceSubinterfaceIpv6NeighborDiscoveryNeighborLinkLayerAddress, n.MAC.String())
		w.Str(srl.InterfaceSubinterfaceIpv6NeighborDiscoveryNeighborOrigin, n.Type)
		if n.Type == "dynamic" {
			w.Str(srl.InterfaceSubinterfaceIpv6NeighborDiscoveryNeighborCurrentState, "reachable")
		}
	})
}
