package sros

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
)

// family is an address family that Loom has sessions for, under its names.
type family struct {
	name, here       string // "ipv4-unicast", as a router lists it
	group, neighbor  config.ID
	received, active config.ID
}

var families = []family{
	{"ipv4-unicast", "ipv4", sros.ConfigureRouterBgpGroupFamilyIpv4, sros.ConfigureRouterBgpNeighborFamilyIpv4,
		sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv4Received, sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv4Active},
	{"ipv6-unicast", "ipv6", sros.ConfigureRouterBgpGroupFamilyIpv6, sros.ConfigureRouterBgpNeighborFamilyIpv6,
		sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv6Received, sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv6Active},
	{"evpn", "evpn", sros.ConfigureRouterBgpGroupFamilyEvpn, sros.ConfigureRouterBgpNeighborFamilyEvpn,
		sros.StateRouterBgpNeighborStatisticsFamilyPrefixEvpnReceived, sros.StateRouterBgpNeighborStatisticsFamilyPrefixEvpnActive},
}

// sessions are the BGP neighbors of the base router, found ones too.
func (o observation) sessions() (out []verify.Session) {
	set := o.entry(sros.ConfigureRouter, base)
	for peer, n := range o.entry(sros.StateRouter, base).entries(sros.StateRouterBgpNeighbor) {
		addr, err := netip.ParseAddr(peer)
		if err != nil {
			continue
		}
		group, own := set.groupOf(peer, addr.Zone())
		s := verify.Session{
			Instance: instance(base),
			Peer:     onPort(addr),
			PeerAS:   uint32(n.number(sros.StateRouterBgpNeighborStatisticsPeerAs)),
			State:    strings.ToLower(n.text(sros.StateRouterBgpNeighborStatisticsSessionState)),
			Last:     n.text(sros.StateRouterBgpNeighborStatisticsLastError),
			Families: map[string]verify.Family{},
		}
		agreed := n.values(sros.StateRouterBgpNeighborStatisticsNegotiatedFamily)
		for _, f := range families {
			if f.asked(group, own) {
				s.Families[f.name] = verify.Family{
					Negotiated: slices.ContainsFunc(agreed, func(text string) bool { return strings.EqualFold(text, f.here) }),
					Received:   n.number(f.received), Active: n.number(f.active),
				}
			}
		}
		out = append(out, s)
	}
	return out
}

// onPort names the link of a link-local address as other routers do: by the port, and the first subinterface on it.
func onPort(addr netip.Addr) netip.Addr {
	if port, ours := strings.CutPrefix(addr.Zone(), linkPrefix); ours {
		return addr.WithZone(port + ".0")
	}
	return addr
}

// groupOf is the group of a neighbor, and the neighbor itself where it is configured; one that is found on a link has that
// link's group.
func (o observation) groupOf(peer, link string) (group, own observation) {
	if own = o.entry(sros.ConfigureRouterBgpNeighbor, peer); own.Valid() {
		return o.entry(sros.ConfigureRouterBgpGroup, own.text(sros.ConfigureRouterBgpNeighborGroup)), own
	}
	for _, g := range o.entries(sros.ConfigureRouterBgpGroup) {
		if link != "" && g.entry(sros.ConfigureRouterBgpGroupDynamicNeighborInterface, link).Valid() {
			return g, observation{}
		}
	}
	return observation{}, observation{}
}

// asked tells whether a neighbor is to have the family. What a neighbor says of families stands for all that its group says
// (/configure/router/bgp/neighbor/family).
func (f family) asked(group, neighbor observation) bool {
	if neighbor.Valid() && neighbor.has(sros.ConfigureRouterBgpNeighborFamily) {
		return neighbor.text(f.neighbor) == "true"
	}
	return group.Valid() && group.text(f.group) == "true"
}
