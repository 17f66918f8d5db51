package srlinux

import (
	"strconv"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Identities of srl_nokia-interfaces:subif-type. The type has no default and only ports and LAGs may have it.
const (
	routed  = "srl_nokia-interfaces:routed"
	bridged = "srl_nokia-interfaces:bridged"
)

// fabricPorts are the routed links between leaves and spines.
func (r renderer) fabricPorts() {
	for i := range r.d.Links {
		l := &r.d.Links[i]
		r.because(l.Ref, "fabric link")
		r.In(srl.Interface, l.Port, func() {
			r.Str(srl.InterfaceDescription, l.PeerName+" "+l.PeerPort)
			r.enable(srl.InterfaceAdminState)
			r.speed(l.Speed)
			r.because(r.d.Underlay.Ref+"#mtu", "fabric mtu")
			r.Uint(srl.InterfaceMtu, uint64(l.PortMTU))
			r.because(l.Ref, "fabric link")
			r.In(srl.InterfaceSubinterface, "0", func() { r.fabricSubinterface(l) })
		})
	}
}

func (r renderer) fabricSubinterface(l *fabric.Link) {
	r.Str(srl.InterfaceSubinterfaceType, routed)
	r.enable(srl.InterfaceSubinterfaceAdminState)
	r.because(r.d.Underlay.Ref+"#mtu", "fabric mtu")
	r.Uint(srl.InterfaceSubinterfaceIpMtu, uint64(r.d.Underlay.MTU))
	r.because(l.Ref, "fabric link")
	if !r.d.Underlay.Unnumbered {
		r.enable(srl.InterfaceSubinterfaceIpv4AdminState)
		r.In(srl.InterfaceSubinterfaceIpv4Address, l.Addr.String(), bare)
		return
	}
	// The neighbour's link-local address is learned from its router advertisements (RFC 4861 §4.2),
	// and that is how the dynamic BGP neighbour on the interface is found: advertise often.
	r.enable(srl.InterfaceSubinterfaceIpv6AdminState)
	r.enable(srl.InterfaceSubinterfaceIpv6RouterAdvertisementRouterRoleAdminState)
	r.Uint(srl.InterfaceSubinterfaceIpv6RouterAdvertisementRouterRoleMaxAdvertisementInterval, 10)
	r.Uint(srl.InterfaceSubinterfaceIpv6RouterAdvertisementRouterRoleMinAdvertisementInterval, 4)
}

// breakouts split ports into channels; the channels are interfaces of their own.
func (r renderer) breakouts() {
	for i := range r.d.Breakouts {
		b := &r.d.Breakouts[i]
		r.because(b.Ref, "breakout")
		r.In(srl.Interface, b.Port, func() {
			r.enable(srl.InterfaceAdminState)
			r.Uint(srl.InterfaceBreakoutModeNumBreakoutPorts, uint64(b.Channels))
			r.Str(srl.InterfaceBreakoutModeBreakoutPortSpeed, b.Speed)
		})
	}
}

// accessPorts are the ports towards servers; a LAG member has nothing but its LAG.
func (r renderer) accessPorts() {
	for i := range r.d.Ports {
		p := &r.d.Ports[i]
		r.because(p.Ref, "access port")
		r.In(srl.Interface, p.Port, func() {
			r.Str(srl.InterfaceDescription, p.Description)
			r.enable(srl.InterfaceAdminState)
			r.speed(p.Speed)
			if p.LAG != 0 {
				r.Str(srl.InterfaceEthernetAggregateId, lagName(p.LAG))
				return
			}
			r.portMTU(p.MTU)
			r.bridgedSubs(p.Tagged, p.Subs)
		})
	}
}

// lags are link aggregation groups with LACP. Both leaves of an ethernet segment show the server
// one LACP system (IEEE 802.1AX §6.3.2), so that it bundles links to two boxes.
func (r renderer) lags() {
	for i := range r.d.LAGs {
		l := &r.d.LAGs[i]
		r.because(l.Ref, "lag")
		r.In(srl.Interface, lagName(l.Number), func() {
			r.Str(srl.InterfaceDescription, l.Description)
			r.enable(srl.InterfaceAdminState)
			r.portMTU(l.MTU)
			r.Str(srl.InterfaceLagLagType, "lacp")
			r.Uint(srl.InterfaceLagMinLinks, 1)
			r.Str(srl.InterfaceLagLacpInterval, "SLOW")
			r.Str(srl.InterfaceLagLacpLacpMode, "ACTIVE")
			r.Uint(srl.InterfaceLagLacpAdminKey, uint64(l.AdminKey))
			r.Str(srl.InterfaceLagLacpSystemIdMac, l.SystemMAC)
			r.bridgedSubs(l.Tagged, l.Subs)
		})
	}
}

func lagName(n uint32) string { return "lag" + strconv.FormatUint(uint64(n), 10) }

// bridgedSubs are the segments on a port or LAG, one subinterface each.
func (r renderer) bridgedSubs(tagged bool, subs []fabric.SubPort) {
	if tagged {
		r.Bool(srl.InterfaceVlanTagging, true)
	}
	for _, s := range subs {
		r.In(srl.InterfaceSubinterface, index(s.Index), func() {
			r.Str(srl.InterfaceSubinterfaceType, bridged)
			r.enable(srl.InterfaceSubinterfaceAdminState)
			switch {
			case s.VLAN != 0:
				r.Uint(srl.InterfaceSubinterfaceVlanEncapSingleTaggedVlanId, uint64(s.VLAN))
			case tagged:
				r.Presence(srl.InterfaceSubinterfaceVlanEncapUntagged)
			}
		})
	}
}

// unusedPorts shuts the ports that the topology does not use, where it says so.
func (r renderer) unusedPorts() {
	for _, p := range r.d.Unused {
		r.because(r.d.Ref+"#unused-ports", "unused port")
		r.In(srl.Interface, p.Name, func() { r.Str(srl.InterfaceAdminState, "disable") })
	}
}

// speed is rendered only where a port does not run at its own.
func (r renderer) speed(s string) {
	if s != "" {
		r.Str(srl.InterfaceEthernetPortSpeed, s)
	}
}

func (r renderer) portMTU(bytes uint32) {
	if bytes != 0 {
		r.Uint(srl.InterfaceMtu, uint64(bytes))
	}
}

func index(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
