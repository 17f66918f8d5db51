package srlinux

import (
	"errors"
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Identities of srl_nokia-interfaces:subif-type. The type has no default and only ports and LAGs may have it.
const (
	routed  = "srl_nokia-interfaces:routed"
	bridged = "srl_nokia-interfaces:bridged"
)

// fabricPorts are the routed links between leaves or gateways and spines, and those that channels and cables
// carry to other sites.
func (r renderer) fabricPorts() {
	for i := range r.d.Links {
		l := &r.d.Links[i]
		r.because(l.Ref, kindOf(l))
		r.In(srl.Interface, l.Port, func() {
			r.Str(srl.InterfaceDescription, farEnd(l))
			r.enable(srl.InterfaceAdminState)
			r.speed(l.Speed)
			r.because(r.d.Underlay.Ref+"#mtu", "fabric mtu")
			r.Uint(srl.InterfaceMtu, uint64(l.PortMTU))
			r.because(l.Ref, kindOf(l))
			r.In(srl.InterfaceSubinterface, "0", func() { r.fabricSubinterface(l) })
		})
	}
}

func (r renderer) fabricSubinterface(l *fabric.Link) {
	r.Str(srl.InterfaceSubinterfaceType, routed)
	r.enable(srl.InterfaceSubinterfaceAdminState)
	r.because(r.d.Underlay.Ref+"#mtu", "fabric mtu")
	r.Uint(srl.InterfaceSubinterfaceIpMtu, uint64(r.d.Underlay.MTU))
	r.because(l.Ref, kindOf(l))
	if l.Addr.IsValid() {
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

// kindOf names the rule that makes a link.
func kindOf(l *fabric.Link) string {
	if l.Channel != "" {
		return "channel link"
	}
	if l.DCI != "" {
		return "dci link"
	}
	return "fabric link"
}

// farEnd names the router at the other end, and where the port is plugged in if that is something else.
func farEnd(l *fabric.Link) string {
	text := l.PeerName + " " + l.PeerPort
	if l.Via != "" {
		text += " via " + l.Via
	}
	return text
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
			r.bridgedSubs(p.Tagged, p.MTU, p.Subs)
		})
	}
}

// bridgedSubs are the segments on a port or LAG, one subinterface each. Where the port has an MTU of
// its own, so have they: a subinterface stays down (l2-mtu-too-large) while its L2 MTU, 9232 by default
// (/system/mtu/default-l2-mtu), is more than the port's.
func (r renderer) bridgedSubs(tagged bool, mtu uint32, subs []fabric.SubPort) {
	if tagged {
		r.Bool(srl.InterfaceVlanTagging, true)
	}
	for _, s := range subs {
		r.In(srl.InterfaceSubinterface, index(s.Index), func() {
			r.Str(srl.InterfaceSubinterfaceType, bridged)
			r.enable(srl.InterfaceSubinterfaceAdminState)
			if mtu != 0 {
				r.Uint(srl.InterfaceSubinterfaceL2Mtu, uint64(mtu))
			}
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

// What a router takes where a leaf is absent (/system/mtu), and what a packet has around it.
const (
	defaultPortMTU = 9232
	defaultL2MTU   = 9232
	defaultIPMTU   = 1500
	ethernetHeader = 14
	vlanTag        = 4
)

// checkFrames: a subinterface stays down (l2-mtu-too-large, ip-mtu-too-large) while its frames do not
// fit the port.
func checkFrames(t *config.Tree) error {
	var errs []error
	for port := range entries(t, srl.Interface) {
		if name := port.Keys()[0]; !strings.HasPrefix(name, "ethernet") && !strings.HasPrefix(name, "lag") {
			continue
		}
		leaf := port.Child(srl.InterfaceMtu)
		mtu := number(leaf, defaultPortMTU)
		for sub := range port.Child(srl.InterfaceSubinterface).Children() {
			if frame := frameOf(sub); frame > mtu {
				errs = append(errs, mistake(either(leaf, sub), "frames of %d bytes on subinterface %s do not fit the port's %d; set mtu where the port is declared, not by a raw leaf", frame, sub.Keys()[0], mtu))
			}
		}
	}
	return errors.Join(errs...)
}

// frameOf is the largest frame that a subinterface sends.
func frameOf(sub config.Cursor) uint64 {
	if sub.Child(srl.InterfaceSubinterfaceType).Value() == bridged {
		return number(sub.Child(srl.InterfaceSubinterfaceL2Mtu), defaultL2MTU)
	}
	return number(sub.Child(srl.InterfaceSubinterfaceIpMtu), defaultIPMTU) + ethernetHeader
}

// either is the first of two nodes that is there.
func either(a, b config.Cursor) config.Cursor {
	if a.Valid() {
		return a
	}
	return b
}

// subinterface finds "lag1.10".
func subinterface(t *config.Tree, name string) config.Cursor {
	port, sub, _ := strings.Cut(name, ".")
	return t.Root().Child(srl.Interface).Entry(port).Child(srl.InterfaceSubinterface).Entry(sub)
}

// number is the value of a leaf, or what the router takes without it.
func number(leaf config.Cursor, absent uint64) uint64 {
	if !leaf.Valid() {
		return absent
	}
	if v, err := strconv.ParseUint(leaf.Value(), 10, 32); err == nil {
		return v
	}
	return absent
}
