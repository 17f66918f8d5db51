package sros

import (
	"net/netip"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
)

// Asks reads what a configuration asks its router to show.
func Asks(t *config.Tree) verify.Device {
	o := observation{t.Root()}
	d := verify.Device{
		LLDP:       o.has(sros.ConfigureSystemLldp) && o.on(sros.ConfigureSystemLldpAdminState),
		Interfaces: map[string]verify.Interface{},
		LAGs:       o.askedLAGs(),
		Tunnels:    o.askedTunnels(),
		Segments:   o.askedSegments(),

		Adjacencies: o.askedAdjacencies(),
		Labels:      verify.Labels{Enabled: o.labelling()},
		Services:    o.askedServices(),

		Optical: o.askedOptical(),
	}
	for name := range o.entries(sros.ConfigurePort) {
		d.Interfaces[name] = verify.Interface{Enabled: o.enabled(name)}
	}
	router := o.entry(sros.ConfigureRouter, base)
	if !router.Valid() {
		return d
	}
	d.VTEP = router.entry(sros.ConfigureRouterInterface, systemInterface).address().Addr()
	if router.has(sros.ConfigureRouterBgp) && router.on(sros.ConfigureRouterBgpAdminState) {
		router.asks(&d)
	}
	router.askedBFD(&d)
	return d
}

// address is the primary IPv4 address of an interface; the zero Prefix where it has none.
func (o observation) address() netip.Prefix {
	if !o.Valid() || !o.has(sros.ConfigureRouterInterfaceIpv4Primary) {
		return netip.Prefix{}
	}
	addr, err := netip.ParseAddr(o.text(sros.ConfigureRouterInterfaceIpv4PrimaryAddress))
	if err != nil {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(addr, int(o.number(sros.ConfigureRouterInterfaceIpv4PrimaryPrefixLength)))
}

// asks adds the sessions that BGP is to have.
func (o observation) asks(d *verify.Device) {
	for peer, n := range o.entries(sros.ConfigureRouterBgpNeighbor) {
		addr, err := netip.ParseAddr(peer)
		group := o.entry(sros.ConfigureRouterBgpGroup, n.text(sros.ConfigureRouterBgpNeighborGroup))
		if err != nil || !n.on(sros.ConfigureRouterBgpNeighborAdminState) || group.off() {
			continue
		}
		as := n.number(sros.ConfigureRouterBgpNeighborPeerAs)
		if as == 0 && group.Valid() {
			as = group.number(sros.ConfigureRouterBgpGroupPeerAs)
		}
		d.Sessions = append(d.Sessions, verify.Session{Instance: instance(base), Peer: addr, PeerAS: uint32(as), Families: asked(group, n)})
		if o.watched(group, n) {
			d.BFD = append(d.BFD, verify.BFD{Instance: instance(base), Peer: addr.WithZone("")})
		}
	}
	for _, g := range o.entries(sros.ConfigureRouterBgpGroup) {
		for link := range g.entries(sros.ConfigureRouterBgpGroupDynamicNeighborInterface) {
			if !g.off() {
				found := onPort(netip.IPv6LinkLocalAllNodes().WithZone(link)) // whoever is found there
				d.Sessions = append(d.Sessions, verify.Session{Instance: instance(base), Peer: found, Families: asked(g, observation{})})
			}
		}
	}
}

// off tells whether a group is disabled. No group is not.
func (o observation) off() bool { return o.Valid() && !o.on(sros.ConfigureRouterBgpGroupAdminState) }

// watched tells whether BFD is to watch a neighbor: it says so itself, or its group does, or the instance.
func (o observation) watched(group, n observation) bool {
	for _, leaf := range []observation{
		n.at(sros.ConfigureRouterBgpNeighborBfdLiveness), group.at(sros.ConfigureRouterBgpGroupBfdLiveness), o.at(sros.ConfigureRouterBgpBfdLiveness),
	} {
		if leaf.Valid() {
			return leaf.Value() == "true"
		}
	}
	return false
}

func asked(group, neighbor observation) map[string]verify.Family {
	out := map[string]verify.Family{}
	for _, f := range families {
		if f.asked(group, neighbor) {
			out[f.name] = verify.Family{}
		}
	}
	return out
}

// askedBFD adds BFD on the trunks that IS-IS has it watch: the far end has the other address of two (RFC 3021).
func (o observation) askedBFD(d *verify.Device) {
	for _, isis := range o.entries(sros.ConfigureRouterIsis) {
		for name, i := range isis.entries(sros.ConfigureRouterIsisInterface) {
			link := o.entry(sros.ConfigureRouterInterface, name)
			own := link.address()
			if !i.has(sros.ConfigureRouterIsisInterfaceBfdLivenessIpv4) || own.Bits() != 31 || link.text(sros.ConfigureRouterInterfaceIpv4BfdAdminState) != "enable" {
				continue
			}
			peer := own.Masked().Addr()
			if peer == own.Addr() {
				peer = peer.Next()
			}
			d.BFD = append(d.BFD, verify.BFD{Instance: instance(base), Peer: peer})
		}
	}
}

// askedLAGs are the LAGs with the ports that are put into them.
func (o observation) askedLAGs() map[uint32]verify.LAG {
	out := map[uint32]verify.LAG{}
	for name, l := range o.entries(sros.ConfigureLag) {
		number, ok := lagNumber(name)
		if !ok {
			continue
		}
		lag := verify.LAG{Members: map[string]verify.Member{}}
		for port := range l.entries(sros.ConfigureLagPort) {
			lag.Members[port] = verify.Member{}
		}
		out[number] = lag
	}
	return out
}
