package srlinux

import (
	"net/netip"
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
)

// Asks reads what a configuration asks its router to show.
func Asks(t *config.Tree) verify.Device {
	o := observation{t.Root()}
	d := verify.Device{
		LLDP:       o.at(srl.SystemLldp).on(srl.SystemLldpAdminState),
		Interfaces: o.interfaces(),
		LAGs:       o.askedLAGs(),
		Tunnels:    map[uint32]verify.Tunnel{},
		Segments:   o.askedSegments(),
		Optical:    o.askedOptical(),
		VTEP:       o.systemAddress(),
	}
	for name, ni := range o.entries(srl.NetworkInstance) {
		if bgp := ni.at(srl.NetworkInstanceProtocolsBgp); ni.on(srl.NetworkInstanceAdminState) && bgp.on(srl.NetworkInstanceProtocolsBgpAdminState) {
			bgp.asks(name, &d)
		}
	}
	for _, tunnel := range o.entries(srl.TunnelInterface) {
		for _, v := range tunnel.entries(srl.TunnelInterfaceVxlanInterface) {
			if v.text(srl.TunnelInterfaceVxlanInterfaceType) == bridged { // only bridges have lists for broadcast
				d.Tunnels[uint32(v.number(srl.TunnelInterfaceVxlanInterfaceIngressVni))] = verify.Tunnel{}
			}
		}
	}
	return d
}

// on tells whether a node is there, and its admin-state, by default too, is not to be down.
func (o observation) on(state config.ID) bool { return o.Valid() && o.text(state) != "disable" }

// nearest is the value of the first of some places that says something: a neighbor's own, its group's, the instance's.
func nearest(said ...observation) string {
	for _, leaf := range said {
		if leaf.Valid() {
			return leaf.Value()
		}
	}
	return ""
}

// asks adds the sessions that BGP of an instance is to have.
func (o observation) asks(instance string, d *verify.Device) {
	for peer, n := range o.entries(srl.NetworkInstanceProtocolsBgpNeighbor) {
		addr, err := netip.ParseAddr(peer)
		group := o.group(n.text(srl.NetworkInstanceProtocolsBgpNeighborPeerGroup))
		if err != nil || !n.on(srl.NetworkInstanceProtocolsBgpNeighborAdminState) || group.off() {
			continue
		}
		d.Sessions = append(d.Sessions, verify.Session{Instance: instance, Peer: addr, PeerAS: n.peerAS(group), Families: o.asked(group, n)})
		if nearest(n.at(srl.NetworkInstanceProtocolsBgpNeighborFailureDetectionEnableBfd), group.at(srl.NetworkInstanceProtocolsBgpGroupFailureDetectionEnableBfd), o.at(srl.NetworkInstanceProtocolsBgpFailureDetectionEnableBfd)) == "true" {
			d.BFD = append(d.BFD, verify.BFD{Instance: instance, Peer: addr.WithZone("")})
		}
	}
	for port, n := range o.entries(srl.NetworkInstanceProtocolsBgpDynamicNeighborsInterface) {
		if group := o.group(n.text(srl.NetworkInstanceProtocolsBgpDynamicNeighborsInterfacePeerGroup)); !group.off() {
			found := netip.IPv6LinkLocalAllNodes().WithZone(port) // whoever is found there
			d.Sessions = append(d.Sessions, verify.Session{Instance: instance, Peer: found, Families: o.asked(group, observation{})})
		}
	}
}

func (o observation) group(name string) observation {
	return observation{o.at(srl.NetworkInstanceProtocolsBgpGroup).Entry(name)}
}

// off tells whether a group is disabled. No group is not.
func (o observation) off() bool {
	return o.Valid() && o.text(srl.NetworkInstanceProtocolsBgpGroupAdminState) == "disable"
}

// asked are the families of a neighbor, which has those of its group and of the instance unless it says otherwise.
func (o observation) asked(group, neighbor observation) map[string]verify.Family {
	out := map[string]verify.Family{}
	for _, name := range []string{afiIPv4, afiEVPN} {
		in := func(o observation, list, state config.ID) observation {
			if !o.Valid() {
				return o
			}
			return observation{o.at(list).Entry(name)}.at(state)
		}
		if nearest(in(neighbor, srl.NetworkInstanceProtocolsBgpNeighborAfiSafi, srl.NetworkInstanceProtocolsBgpNeighborAfiSafiAdminState),
			in(group, srl.NetworkInstanceProtocolsBgpGroupAfiSafi, srl.NetworkInstanceProtocolsBgpGroupAfiSafiAdminState),
			in(o, srl.NetworkInstanceProtocolsBgpAfiSafi, srl.NetworkInstanceProtocolsBgpAfiSafiAdminState)) == "enable" {
			out[name[strings.IndexByte(name, ':')+1:]] = verify.Family{}
		}
	}
	return out
}

// askedLAGs are the LAGs with the ports that are put into them.
func (o observation) askedLAGs() map[uint32]verify.LAG {
	out := o.lags()
	for port, i := range o.entries(srl.Interface) {
		digits, is := strings.CutPrefix(i.text(srl.InterfaceEthernetAggregateId), "lag")
		number, err := strconv.ParseUint(digits, 10, 32)
		if lag, there := out[uint32(number)]; is && err == nil && there {
			lag.Members[port] = verify.Member{}
		}
	}
	return out
}

// askedSegments are the ethernet segments, with an election in every bridge that has a subinterface of theirs.
func (o observation) askedSegments() map[string]verify.Segment {
	out := o.segments()
	for _, instance := range o.entries(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstance) {
		for name, s := range instance.entries(esEntry) {
			if !s.on(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAdminState) {
				delete(out, name)
				continue
			}
			for port := range s.entries(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentInterface) {
				for _, bridge := range o.bridgesOf(port) {
					out[name].Elections[bridge] = verify.Election{}
				}
			}
		}
	}
	return out
}

// bridgesOf are the MAC-VRFs that a port has a subinterface in.
func (o observation) bridgesOf(port string) (out []string) {
	for name, ni := range o.entries(srl.NetworkInstance) {
		if ni.text(srl.NetworkInstanceType) != typeMACVRF {
			continue
		}
		for sub := range ni.entries(srl.NetworkInstanceInterface) {
			if strings.HasPrefix(sub, port+".") {
				out = append(out, name)
				break
			}
		}
	}
	return out
}

// systemAddress is the IPv4 address of system0.0, where tunnels begin and end.
func (o observation) systemAddress() netip.Addr {
	sub := observation{observation{o.at(srl.Interface).Entry("system0")}.at(srl.InterfaceSubinterface).Entry("0")}
	for prefix := range sub.entries(srl.InterfaceSubinterfaceIpv4Address) {
		if p, err := netip.ParsePrefix(prefix); err == nil {
			return p.Addr()
		}
	}
	return netip.Addr{}
}
