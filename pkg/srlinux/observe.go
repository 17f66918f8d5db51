package srlinux

import (
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

// Long names of what an ethernet segment shows.
const (
	esEntry     = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegment
	esESI       = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentEsi
	esOper      = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentOperState
	esReason    = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentOperDownReason
	esInstance  = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAssociationNetworkInstance
	esBGP       = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAssociationNetworkInstanceBgpInstance
	esCandidate = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAssociationNetworkInstanceBgpInstanceComputedDesignatedForwarderCandidatesDesignatedForwarderCandidate
	esForwarder = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAssociationNetworkInstanceBgpInstanceComputedDesignatedForwarderCandidatesDesignatedForwarderCandidateDesignatedForwarder
)

const (
	bgpNeighbor = "/network-instance[name=*]/protocols/bgp/neighbor[peer-address=*]"
	esPath      = "/system/network-instance/protocols/evpn/ethernet-segments/bgp-instance[id=*]/ethernet-segment[name=*]"
)

// observePaths are what Observe reads. Lists by their leaves, so that counters and routes stay out.
var observePaths = []string{
	"/interface[name=*]/admin-state",
	"/interface[name=*]/oper-state",
	"/interface[name=*]/oper-down-reason",
	"/interface[name=*]/lag/member[name=*]/oper-state",
	"/interface[name=*]/lag/member[name=*]/oper-down-reason",
	"/system/lldp/admin-state",
	"/system/lldp/interface[name=*]/neighbor[id=*]/system-name",
	"/system/lldp/interface[name=*]/neighbor[id=*]/port-id",
	bgpNeighbor + "/peer-as",
	bgpNeighbor + "/peer-group",
	bgpNeighbor + "/session-state",
	bgpNeighbor + "/afi-safi[afi-safi-name=*]/oper-state",
	bgpNeighbor + "/afi-safi[afi-safi-name=*]/received-routes",
	bgpNeighbor + "/afi-safi[afi-safi-name=*]/active-routes",
	bgpNeighbor + "/received-messages/last-notification-error-code",
	bgpNeighbor + "/received-messages/last-notification-error-subcode",
	bgpNeighbor + "/sent-messages/last-notification-error-code",
	bgpNeighbor + "/sent-messages/last-notification-error-subcode",
	"/network-instance[name=*]/protocols/bgp/group[group-name=*]/peer-as",
	"/bfd/network-instance[name=*]/peer[local-discriminator=*]/remote-address",
	"/bfd/network-instance[name=*]/peer[local-discriminator=*]/session-state",
	"/tunnel-interface[name=*]/vxlan-interface[index=*]/oper-state",
	"/tunnel-interface[name=*]/vxlan-interface[index=*]/oper-down-reason",
	"/tunnel-interface[name=*]/vxlan-interface[index=*]/ingress/vni",
	"/tunnel-interface[name=*]/vxlan-interface[index=*]/bridge-table/multicast-destinations",
	esPath + "/esi",
	esPath + "/oper-state",
	esPath + "/oper-down-reason",
	esPath + "/association",
}

// Observe reads what a router shows. It does not depend on what the design says of the device.
func Observe(state *config.Tree, _ *fabric.Device) verify.Device {
	o := observation{state.Root()}
	return verify.Device{
		LLDP:       o.text(srl.SystemLldpAdminState) == "enable" && o.has(srl.SystemLldp),
		Interfaces: o.interfaces(),
		LAGs:       o.lags(),
		Sessions:   o.sessions(),
		BFD:        o.bfd(),
		Tunnels:    o.tunnels(),
		Segments:   o.segments(),
		Optical:    o.optical(),
	}
}

// observation is a node of what a router shows, and how it is read.
type observation struct{ config.Cursor }

func (o observation) at(id config.ID) observation { return observation{srl.Schema.At(o.Cursor, id)} }
func (o observation) has(id config.ID) bool       { return srl.Schema.Has(o.Cursor, id) }
func (o observation) text(id config.ID) string    { return srl.Schema.Text(o.Cursor, id) }
func (o observation) number(id config.ID) uint64  { return srl.Schema.Number(o.Cursor, id) }

// entries yields the entries of a list, each with its first key.
func (o observation) entries(list config.ID) iter.Seq2[string, observation] {
	return func(yield func(string, observation) bool) {
		for entry := range srl.Schema.Entries(o.Cursor, list) {
			if !yield(entry.Keys()[0], observation{entry}) {
				return
			}
		}
	}
}

// interfaces are the ports; LAGs, loopbacks and gateways are looked at elsewhere or not at all.
func (o observation) interfaces() map[string]verify.Interface {
	out := map[string]verify.Interface{}
	for name, i := range o.entries(srl.Interface) {
		if strings.HasPrefix(name, "ethernet-") {
			out[name] = verify.Interface{
				Enabled: i.text(srl.InterfaceAdminState) == "enable",
				Up:      i.text(srl.InterfaceOperState) == "up",
				Reason:  i.text(srl.InterfaceOperDownReason),
				Far:     o.heard(name),
			}
		}
	}
	return out
}

// heard are the LLDP neighbors of a port.
func (o observation) heard(port string) (out []verify.Far) {
	list := observation{o.at(srl.SystemLldpInterface).Entry(port)}
	for _, n := range list.entries(srl.SystemLldpInterfaceNeighbor) {
		out = append(out, verify.Far{System: n.text(srl.SystemLldpInterfaceNeighborSystemName), Port: n.text(srl.SystemLldpInterfaceNeighborPortId)})
	}
	return out
}

func (o observation) lags() map[uint32]verify.LAG {
	out := map[uint32]verify.LAG{}
	for name, i := range o.entries(srl.Interface) {
		digits, is := strings.CutPrefix(name, "lag")
		number, err := strconv.ParseUint(digits, 10, 32)
		if !is || err != nil {
			continue
		}
		lag := verify.LAG{Up: i.text(srl.InterfaceOperState) == "up", Reason: i.text(srl.InterfaceOperDownReason), Members: map[string]verify.Member{}}
		for port, m := range i.entries(srl.InterfaceLagMember) {
			lag.Members[port] = verify.Member{Up: m.text(srl.InterfaceLagMemberOperState) == "up", Reason: m.text(srl.InterfaceLagMemberOperDownReason)}
		}
		out[uint32(number)] = lag
	}
	return out
}

func (o observation) tunnels() map[uint32]verify.Tunnel {
	out := map[uint32]verify.Tunnel{}
	var same []netip.Addr // most tunnels end where the one before does, and many devices are kept
	for _, t := range o.entries(srl.TunnelInterface) {
		for _, v := range t.entries(srl.TunnelInterfaceVxlanInterface) {
			tunnel := verify.Tunnel{Up: v.text(srl.TunnelInterfaceVxlanInterfaceOperState) == "up", Reason: v.text(srl.TunnelInterfaceVxlanInterfaceOperDownReason)}
			for vtep := range v.entries(srl.TunnelInterfaceVxlanInterfaceBridgeTableMulticastDestinationsDestination) {
				if a, err := netip.ParseAddr(vtep); err == nil {
					tunnel.VTEPs = append(tunnel.VTEPs, a)
				}
			}
			slices.SortFunc(tunnel.VTEPs, netip.Addr.Compare)
			if !slices.Equal(tunnel.VTEPs, same) {
				same = slices.Clone(tunnel.VTEPs)
			}
			tunnel.VTEPs = same
			out[uint32(v.number(srl.TunnelInterfaceVxlanInterfaceIngressVni))] = tunnel
		}
	}
	return out
}

func (o observation) segments() map[string]verify.Segment {
	out := map[string]verify.Segment{}
	for _, instance := range o.entries(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstance) {
		for name, s := range instance.entries(esEntry) {
			out[name] = verify.Segment{
				ESI: s.text(esESI), Up: s.text(esOper) == "up", Reason: s.text(esReason), Elections: s.elections(),
			}
		}
	}
	return out
}

// elections are those of the designated forwarder, in each network instance with the ethernet segment.
func (o observation) elections() map[string]verify.Election {
	out := map[string]verify.Election{}
	for name, instance := range o.entries(esInstance) {
		var e verify.Election
		for _, bgp := range instance.entries(esBGP) {
			for candidate, c := range bgp.entries(esCandidate) {
				a, err := netip.ParseAddr(candidate)
				if err != nil {
					continue
				}
				e.Candidates = append(e.Candidates, a)
				if c.text(esForwarder) == "true" {
					e.Forwarders = append(e.Forwarders, a)
				}
			}
		}
		out[name] = e
	}
	return out
}
