package srlinux

import (
	"errors"
	"net/netip"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// irb is the one IRB interface; each routed segment is a subinterface with its number as index.
const irb = "irb1"

func irbName(s *fabric.MACVRF) string { return irb + "." + index(s.Number) }

// gateways are the anycast gateways of routed segments: the same addresses and the same MAC
// (00:00:5e:00:01:01, from virtual router id 1) on every leaf, so that a host may move.
func (r renderer) gateways() {
	for i := range r.d.Segments {
		s := &r.d.Segments[i]
		if s.VRF == "" {
			continue
		}
		r.because(s.Ref+"#gateway", "gateway")
		r.In(srl.Interface, irb, func() {
			r.enable(srl.InterfaceAdminState)
			r.In(srl.InterfaceSubinterface, index(s.Number), func() { r.gateway(s) })
		})
	}
}

func (r renderer) gateway(s *fabric.MACVRF) {
	r.enable(srl.InterfaceSubinterfaceAdminState)
	r.Str(srl.InterfaceSubinterfaceDescription, s.Key)
	if s.MTU != 0 {
		r.because(s.Ref+"#mtu", "gateway mtu")
		r.Uint(srl.InterfaceSubinterfaceIpMtu, uint64(s.MTU))
		r.because(s.Ref+"#gateway", "gateway")
	}
	r.Presence(srl.InterfaceSubinterfaceAnycastGw)
	r.Uint(srl.InterfaceSubinterfaceAnycastGwVirtualRouterId, 1)
	v4, v6 := byFamily(s.Gateway)
	if len(v4) > 0 {
		r.gatewayIPv4(v4)
	}
	if len(v6) > 0 {
		r.gatewayIPv6(v6)
	}
}

// gatewayIPv4 learns hosts from any ARP, tells other leaves of them, and routes to each by a host
// route, since a subnet lives on many leaves.
func (r renderer) gatewayIPv4(addrs []netip.Prefix) {
	r.enable(srl.InterfaceSubinterfaceIpv4AdminState)
	for i, a := range addrs {
		r.In(srl.InterfaceSubinterfaceIpv4Address, a.String(), func() {
			r.Bool(srl.InterfaceSubinterfaceIpv4AddressAnycastGw, true)
			if i == 0 {
				r.Empty(srl.InterfaceSubinterfaceIpv4AddressPrimary)
			}
		})
	}
	r.Bool(srl.InterfaceSubinterfaceIpv4ArpLearnUnsolicited, true)
	r.In(srl.InterfaceSubinterfaceIpv4ArpHostRoutePopulate, "dynamic", bare)
	r.In(srl.InterfaceSubinterfaceIpv4ArpEvpnAdvertise, "dynamic", bare)
}

// gatewayIPv6 does the same by neighbour discovery, and answers router solicitations.
func (r renderer) gatewayIPv6(addrs []netip.Prefix) {
	r.enable(srl.InterfaceSubinterfaceIpv6AdminState)
	for i, a := range addrs {
		r.In(srl.InterfaceSubinterfaceIpv6Address, a.String(), func() {
			r.Bool(srl.InterfaceSubinterfaceIpv6AddressAnycastGw, true)
			if i == 0 {
				r.Empty(srl.InterfaceSubinterfaceIpv6AddressPrimary)
			}
		})
	}
	r.Str(srl.InterfaceSubinterfaceIpv6NeighborDiscoveryLearnUnsolicited, "global")
	r.In(srl.InterfaceSubinterfaceIpv6NeighborDiscoveryHostRoutePopulate, "dynamic", bare)
	r.In(srl.InterfaceSubinterfaceIpv6NeighborDiscoveryEvpnAdvertise, "dynamic", bare)
	r.enable(srl.InterfaceSubinterfaceIpv6RouterAdvertisementRouterRoleAdminState)
}

func byFamily(all []netip.Prefix) (v4, v6 []netip.Prefix) {
	for _, p := range all {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return v4, v6
}

// checkGateways: a gateway stays down (ip-mtu-larger-than-oper-mac-vrf-mtu) while its packets do not
// fit through the narrowest port of its segment (/network-instance/oper-mac-vrf-mtu).
func checkGateways(t *config.Tree) error {
	var errs []error
	for ni := range entries(t, srl.NetworkInstance) {
		if ni.Child(srl.NetworkInstanceType).Value() == typeMACVRF {
			errs = append(errs, checkGateway(ni))
		}
	}
	return errors.Join(errs...)
}

func checkGateway(macVRF config.Cursor) error {
	var gateway, narrowest config.Cursor
	least := uint64(defaultL2MTU)
	for i := range macVRF.Child(srl.NetworkInstanceInterface).Children() {
		sub := subinterface(macVRF.Tree(), i.Keys()[0])
		if strings.HasPrefix(i.Keys()[0], "irb") {
			gateway = sub
		} else if room := l2Room(sub); room < least {
			least, narrowest = room, sub
		}
	}
	ip := number(gateway.Child(srl.InterfaceSubinterfaceIpMtu), defaultIPMTU)
	if !gateway.Valid() || ip+ethernetHeader <= least {
		return nil
	}
	return mistake(narrowest.Child(srl.InterfaceSubinterfaceL2Mtu), "leaves %d bytes for frames, and %s has packets of %d and %d of ethernet header; raise the mtu of the port or lower that of the segment",
		least, macVRF.Keys()[0], ip, ethernetHeader)
}

// l2Room is what a bridged subinterface leaves for a frame without tags.
func l2Room(sub config.Cursor) uint64 {
	mtu := number(sub.Child(srl.InterfaceSubinterfaceL2Mtu), defaultL2MTU)
	encap := sub.Child(srl.InterfaceSubinterfaceVlan).Child(srl.InterfaceSubinterfaceVlanEncap)
	if encap.Child(srl.InterfaceSubinterfaceVlanEncapSingleTagged).Valid() {
		return mtu - vlanTag
	}
	return mtu
}
