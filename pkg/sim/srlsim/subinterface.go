package srlsim

import (
	"net/netip"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// defaultIPMTU is what a subinterface has unless ip-mtu says otherwise (/system/mtu/default-ip-mtu).
const defaultIPMTU = 1500

// defaultL2MTU is what a bridged one has unless l2-mtu says otherwise (/system/mtu/default-l2-mtu).
const defaultL2MTU = 9232

// virtualRouterMAC is the address of virtual router 0; the identifier is its last byte (RFC 9568 §7.3).
var virtualRouterMAC = network.MAC{0x00, 0x00, 0x5e, 0x00, 0x01, 0x00}

// subinterfaces are all of the router, but those of the management port.
func (r *reader) subinterfaces(ports []network.Port, lags []network.LAG) (out []network.Subinterface) {
	macs := map[string]network.MAC{}
	for _, p := range ports {
		macs[p.Name] = p.MAC
	}
	for _, l := range lags {
		macs[l.Name] = l.MAC
	}
	for entry := range entries(r.root, srl.Interface) {
		if key(entry) == management {
			continue
		}
		for sub := range entries(entry, srl.InterfaceSubinterface) {
			if local(text(sub, srl.InterfaceSubinterfaceType)) != "local-mirror-dest" {
				out = append(out, r.subinterface(entry, sub, macs))
			}
		}
	}
	return sortBy(out, func(s network.Subinterface) string { return s.Name })
}

func (r *reader) subinterface(entry, sub config.Cursor, macs map[string]network.MAC) network.Subinterface {
	s := network.Subinterface{
		Name:    key(entry) + "." + key(sub),
		Parent:  key(entry),
		Index:   uint32(parseNumber(key(sub))),
		Kind:    kindOf(key(entry), sub),
		Enabled: enabled(entry, srl.InterfaceAdminState) && enabled(sub, srl.InterfaceSubinterfaceAdminState),
		MAC:     macs[key(entry)],
		Anycast: anycastMAC(sub),
		BFD:     r.bfdOf(key(entry) + "." + key(sub)),
	}
	if s.Kind == network.IRB {
		n, _ := strings.CutPrefix(s.Parent, "irb")
		s.MAC = offset(r.h.MAC, macIRB+int(parseNumber(n)))
	}
	if s.Kind == network.Routed || s.Kind == network.Bridged {
		s.VLAN = vlanOf(entry, sub)
	}
	if s.Kind == network.Bridged {
		s.L2MTU = defaultL2MTU
		if n := number(sub, srl.InterfaceSubinterfaceL2Mtu); n != 0 {
			s.L2MTU = uint32(n)
		}
		return s
	}
	readIP(&s, sub)
	return s
}

// kindOf follows from the parent, and on ports and LAGs from the type. Without a type the router routes.
func kindOf(parent string, sub config.Cursor) network.Kind {
	switch {
	case strings.HasPrefix(parent, "irb"):
		return network.IRB
	case parent == "system0" || strings.HasPrefix(parent, "lo"):
		return network.Loopback
	case local(text(sub, srl.InterfaceSubinterfaceType)) == "bridged":
		return network.Bridged
	}
	return network.Routed
}

// vlanOf is which frames of a port a subinterface takes. "optional" takes those of any tag.
func vlanOf(entry, sub config.Cursor) network.VLAN {
	if !yes(entry, srl.InterfaceVlanTagging) {
		return network.VLAN{}
	}
	for ids := range entries(sub, srl.InterfaceSubinterfaceVlanEncapSingleTaggedRangeLowVlanId) {
		high := number(ids, srl.InterfaceSubinterfaceVlanEncapSingleTaggedRangeLowVlanIdHighVlanId)
		return network.VLAN{Tagged: true, Low: uint16(parseNumber(key(ids))), High: uint16(high)}
	}
	switch id := text(sub, srl.InterfaceSubinterfaceVlanEncapSingleTaggedVlanId); id {
	case "":
		return network.VLAN{Tagged: true}
	case "optional":
		return network.VLAN{Tagged: true, Low: 1, High: 4094}
	default:
		return network.VLAN{Tagged: true, Low: uint16(parseNumber(id)), High: uint16(parseNumber(id))}
	}
}

// anycastMAC is the address that all gateways of a subnet share.
func anycastMAC(sub config.Cursor) network.MAC {
	if !has(sub, srl.InterfaceSubinterfaceAnycastGw) {
		return network.MAC{}
	}
	if m := parseMAC(text(sub, srl.InterfaceSubinterfaceAnycastGwAnycastGwMac)); m != (network.MAC{}) {
		return m
	}
	return offset(virtualRouterMAC, int(number(sub, srl.InterfaceSubinterfaceAnycastGwVirtualRouterId)))
}

// readIP reads what a subinterface with addresses has.
func readIP(s *network.Subinterface, sub config.Cursor) {
	s.IPMTU = defaultIPMTU
	if n := number(sub, srl.InterfaceSubinterfaceIpMtu); n != 0 {
		s.IPMTU = uint32(n)
	}
	s.IPv4 = enabled(sub, srl.InterfaceSubinterfaceIpv4AdminState)
	s.IPv6 = enabled(sub, srl.InterfaceSubinterfaceIpv6AdminState)
	if s.IPv4 {
		readIPv4(s, sub)
	}
	if s.IPv6 {
		readIPv6(s, sub)
	}
}

func readIPv4(s *network.Subinterface, sub config.Cursor) {
	for a := range entries(sub, srl.InterfaceSubinterfaceIpv4Address) {
		addAddress(s, a, srl.InterfaceSubinterfaceIpv4AddressAnycastGw)
	}
	arp := at(sub, srl.InterfaceSubinterfaceIpv4Arp)
	s.Learn = yes(arp, srl.InterfaceSubinterfaceIpv4ArpLearnUnsolicited)
	s.HostRoutes = at(arp, srl.InterfaceSubinterfaceIpv4ArpHostRoutePopulate).Entry("dynamic").Valid()
	s.AdvertiseL3 = at(arp, srl.InterfaceSubinterfaceIpv4ArpEvpnAdvertise).Entry("dynamic").Valid()
}

func readIPv6(s *network.Subinterface, sub config.Cursor) {
	s.LinkLocal = s.MAC.LinkLocal()
	for a := range entries(sub, srl.InterfaceSubinterfaceIpv6Address) {
		if text(a, srl.InterfaceSubinterfaceIpv6AddressType) == "link-local-unicast" {
			if p, err := netip.ParsePrefix(key(a)); err == nil {
				s.LinkLocal = p.Addr()
			}
			continue
		}
		addAddress(s, a, srl.InterfaceSubinterfaceIpv6AddressAnycastGw)
	}
	nd := at(sub, srl.InterfaceSubinterfaceIpv6NeighborDiscovery)
	s.Learn = s.Learn || text(nd, srl.InterfaceSubinterfaceIpv6NeighborDiscoveryLearnUnsolicited) != "none"
	s.HostRoutes = s.HostRoutes || at(nd, srl.InterfaceSubinterfaceIpv6NeighborDiscoveryHostRoutePopulate).Entry("dynamic").Valid()
	s.AdvertiseL3 = s.AdvertiseL3 || at(nd, srl.InterfaceSubinterfaceIpv6NeighborDiscoveryEvpnAdvertise).Entry("dynamic").Valid()
	s.RA = enabled(sub, srl.InterfaceSubinterfaceIpv6RouterAdvertisementRouterRoleAdminState)
}

// addAddress adds a configured address. The types of the model accept forms that are no address, such as
// "::1::/64"; the router would refuse those, and here they are no address either.
func addAddress(s *network.Subinterface, entry config.Cursor, anycast config.ID) {
	if p, err := netip.ParsePrefix(key(entry)); err == nil {
		s.Addresses = append(s.Addresses, network.Address{Prefix: p, Anycast: yes(entry, anycast)})
	}
}
