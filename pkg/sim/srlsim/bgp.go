package srlsim

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// The attributes of a neighbor, at the neighbor, its group, and the instance.
var (
	familyAdmin   = ids{srl.NetworkInstanceProtocolsBgpNeighborAfiSafiAdminState, srl.NetworkInstanceProtocolsBgpGroupAfiSafiAdminState, srl.NetworkInstanceProtocolsBgpAfiSafiAdminState}
	peerAS        = ids{srl.NetworkInstanceProtocolsBgpNeighborPeerAs, srl.NetworkInstanceProtocolsBgpGroupPeerAs, 0}
	localAS       = ids{srl.NetworkInstanceProtocolsBgpNeighborLocalAsAsNumber, srl.NetworkInstanceProtocolsBgpGroupLocalAsAsNumber, 0}
	prependGlobal = ids{srl.NetworkInstanceProtocolsBgpNeighborLocalAsPrependGlobalAs, srl.NetworkInstanceProtocolsBgpGroupLocalAsPrependGlobalAs, 0}
	localAddress  = ids{srl.NetworkInstanceProtocolsBgpNeighborTransportLocalAddress, srl.NetworkInstanceProtocolsBgpGroupTransportLocalAddress, 0}
	passive       = ids{srl.NetworkInstanceProtocolsBgpNeighborTransportPassiveMode, srl.NetworkInstanceProtocolsBgpGroupTransportPassiveMode, 0}
	nextHopSelf   = ids{srl.NetworkInstanceProtocolsBgpNeighborNextHopSelf, srl.NetworkInstanceProtocolsBgpGroupNextHopSelf, 0}
	multihop      = ids{srl.NetworkInstanceProtocolsBgpNeighborMultihopAdminState, srl.NetworkInstanceProtocolsBgpGroupMultihopAdminState, 0}
	multihopTTL   = ids{srl.NetworkInstanceProtocolsBgpNeighborMultihopMaximumHops, srl.NetworkInstanceProtocolsBgpGroupMultihopMaximumHops, 0}
	holdTime      = ids{srl.NetworkInstanceProtocolsBgpNeighborTimersHoldTime, srl.NetworkInstanceProtocolsBgpGroupTimersHoldTime, 0}
	keepAlive     = ids{srl.NetworkInstanceProtocolsBgpNeighborTimersKeepaliveInterval, srl.NetworkInstanceProtocolsBgpGroupTimersKeepaliveInterval, 0}
	reflected     = ids{srl.NetworkInstanceProtocolsBgpNeighborRouteReflectorClient, srl.NetworkInstanceProtocolsBgpGroupRouteReflectorClient, srl.NetworkInstanceProtocolsBgpRouteReflectorClient}
	clusterID     = ids{srl.NetworkInstanceProtocolsBgpNeighborRouteReflectorClusterId, srl.NetworkInstanceProtocolsBgpGroupRouteReflectorClusterId, srl.NetworkInstanceProtocolsBgpRouteReflectorClusterId}
	ownAS         = ids{srl.NetworkInstanceProtocolsBgpNeighborAsPathOptionsAllowOwnAs, srl.NetworkInstanceProtocolsBgpGroupAsPathOptionsAllowOwnAs, srl.NetworkInstanceProtocolsBgpAsPathOptionsAllowOwnAs}
	withBFD       = ids{srl.NetworkInstanceProtocolsBgpNeighborFailureDetectionEnableBfd, srl.NetworkInstanceProtocolsBgpGroupFailureDetectionEnableBfd, srl.NetworkInstanceProtocolsBgpFailureDetectionEnableBfd}
	fastFailover  = ids{srl.NetworkInstanceProtocolsBgpNeighborFailureDetectionFastFailover, srl.NetworkInstanceProtocolsBgpGroupFailureDetectionFastFailover, srl.NetworkInstanceProtocolsBgpFailureDetectionFastFailover}
	password      = ids{srl.NetworkInstanceProtocolsBgpNeighborAuthenticationPassword, srl.NetworkInstanceProtocolsBgpGroupAuthenticationPassword, srl.NetworkInstanceProtocolsBgpAuthenticationPassword}
	keyChain      = ids{srl.NetworkInstanceProtocolsBgpNeighborAuthenticationKeychain, srl.NetworkInstanceProtocolsBgpGroupAuthenticationKeychain, srl.NetworkInstanceProtocolsBgpAuthenticationKeychain}
	sendIPv6Hops  = ids{srl.NetworkInstanceProtocolsBgpNeighborAfiSafiIpv4UnicastAdvertiseIpv6NextHops, srl.NetworkInstanceProtocolsBgpGroupAfiSafiIpv4UnicastAdvertiseIpv6NextHops, srl.NetworkInstanceProtocolsBgpAfiSafiIpv4UnicastAdvertiseIpv6NextHops}
	takeIPv6Hops  = ids{srl.NetworkInstanceProtocolsBgpNeighborAfiSafiIpv4UnicastReceiveIpv6NextHops, srl.NetworkInstanceProtocolsBgpGroupAfiSafiIpv4UnicastReceiveIpv6NextHops, srl.NetworkInstanceProtocolsBgpAfiSafiIpv4UnicastReceiveIpv6NextHops}

	imports = direction{
		ids{srl.NetworkInstanceProtocolsBgpNeighborImportPolicy, srl.NetworkInstanceProtocolsBgpGroupImportPolicy, srl.NetworkInstanceProtocolsBgpImportPolicy},
		ids{srl.NetworkInstanceProtocolsBgpNeighborAfiSafiImportPolicy, srl.NetworkInstanceProtocolsBgpGroupAfiSafiImportPolicy, srl.NetworkInstanceProtocolsBgpAfiSafiImportPolicy},
		ids{srl.NetworkInstanceProtocolsBgpNeighborAfiSafiDefaultImportPolicy, srl.NetworkInstanceProtocolsBgpGroupAfiSafiDefaultImportPolicy, 0},
	}
	exports = direction{
		ids{srl.NetworkInstanceProtocolsBgpNeighborExportPolicy, srl.NetworkInstanceProtocolsBgpGroupExportPolicy, srl.NetworkInstanceProtocolsBgpExportPolicy},
		ids{srl.NetworkInstanceProtocolsBgpNeighborAfiSafiExportPolicy, srl.NetworkInstanceProtocolsBgpGroupAfiSafiExportPolicy, srl.NetworkInstanceProtocolsBgpAfiSafiExportPolicy},
		ids{srl.NetworkInstanceProtocolsBgpNeighborAfiSafiDefaultExportPolicy, srl.NetworkInstanceProtocolsBgpGroupAfiSafiDefaultExportPolicy, 0},
	}
)

// bgp reads the BGP process of an instance.
func (r *reader) bgp(c config.Cursor) *network.BGP {
	b := &network.BGP{
		Enabled:   enabled(c, srl.NetworkInstanceProtocolsBgpAdminState),
		AS:        uint32(number(c, srl.NetworkInstanceProtocolsBgpAutonomousSystem)),
		RouterID:  parseAddr(text(c, srl.NetworkInstanceProtocolsBgpRouterId)),
		Multipath: map[network.Family]network.Multipath{},
	}
	for _, name := range familyNames {
		entry := peer{bgp: c}.family(name).bgp
		b.Multipath[families[name]] = multipath(entry)
		if enabled(entry, srl.NetworkInstanceProtocolsBgpAfiSafiAdminState) {
			b.Families = append(b.Families, families[name])
		}
		b.InterAS = b.InterAS || yes(entry, srl.NetworkInstanceProtocolsBgpAfiSafiEvpnInterAsVpn)
		b.KeepAll = b.KeepAll || yes(entry, srl.NetworkInstanceProtocolsBgpAfiSafiEvpnKeepAllRoutes)
	}
	groups := at(c, srl.NetworkInstanceProtocolsBgpGroup)
	for n := range entries(c, srl.NetworkInstanceProtocolsBgpNeighbor) {
		b.Neighbors = append(b.Neighbors, r.configured(b, peer{n, groups.Entry(text(n, srl.NetworkInstanceProtocolsBgpNeighborPeerGroup)), c}))
	}
	slices.SortFunc(b.Neighbors, func(x, y network.Neighbor) int { return x.Peer.Compare(y.Peer) })
	for d := range entries(c, srl.NetworkInstanceProtocolsBgpDynamicNeighborsInterface) {
		b.Dynamic = append(b.Dynamic, r.dynamic(b, d, peer{group: groups.Entry(text(d, srl.NetworkInstanceProtocolsBgpDynamicNeighborsInterfacePeerGroup)), bgp: c}))
	}
	sortBy(b.Dynamic, func(d network.Dynamic) string { return d.Interface })
	return b
}

// multipath is spelled differently in each release; 24.10 has one number for both kinds of sessions.
func multipath(family config.Cursor) network.Multipath {
	return network.Multipath{
		EBGP:       paths(family, srl.NetworkInstanceProtocolsBgpAfiSafiMultipathEbgpMaximumPaths),
		IBGP:       paths(family, srl.NetworkInstanceProtocolsBgpAfiSafiMultipathIbgpMaximumPaths),
		MultipleAS: yes(family, srl.NetworkInstanceProtocolsBgpAfiSafiMultipathAllowMultipleAs),
	}
}

func paths(family config.Cursor, id config.ID) int {
	if has(family, srl.NetworkInstanceProtocolsBgpAfiSafiMultipathMaximumPaths) {
		id = srl.NetworkInstanceProtocolsBgpAfiSafiMultipathMaximumPaths
	}
	return max(1, int(number(family, id)))
}

// configured is a neighbor that has an entry.
func (r *reader) configured(b *network.BGP, p peer) network.Neighbor {
	n := r.neighbor(b, p)
	n.Peer = parseAddr(key(p.neighbor))
	n.Interface = n.Peer.Zone()
	n.Text = text(p.neighbor, srl.NetworkInstanceProtocolsBgpNeighborDescription)
	n.Enabled = n.Enabled && enabled(p.neighbor, srl.NetworkInstanceProtocolsBgpNeighborAdminState)
	n.Local = r.localAddress(p.say(localAddress), n.Peer)
	return n
}

// dynamic is what neighbors that are found on a subinterface will be.
func (r *reader) dynamic(b *network.BGP, d config.Cursor, p peer) network.Dynamic {
	n := r.neighbor(b, p)
	n.Dynamic = true
	n.PeerAS = 0
	for _, s := range texts(d, srl.NetworkInstanceProtocolsBgpDynamicNeighborsInterfaceAllowedPeerAs) {
		n.AllowedAS = append(n.AllowedAS, asRange(s))
	}
	return network.Dynamic{Interface: key(d), Template: n}
}

// asRange reads "65001" and "65001..65009".
func asRange(s string) network.ASRange {
	low, high, found := strings.Cut(s, "..")
	if !found {
		high = low
	}
	return network.ASRange{Low: uint32(parseNumber(low)), High: uint32(parseNumber(high))}
}

// neighbor is what holds for a neighbor whoever it is.
func (r *reader) neighbor(b *network.BGP, p peer) network.Neighbor {
	n := network.Neighbor{
		Group:         groupName(p.group),
		Enabled:       b.Enabled && enabled(p.group, srl.NetworkInstanceProtocolsBgpGroupAdminState),
		PeerAS:        p.asNumber(peerAS),
		LocalAS:       b.AS,
		PrependGlobal: p.is(prependGlobal),
		Import:        r.chain(p, imports),
		Export:        r.chain(p, exports),
		RejectImport:  yes(p.bgp, srl.NetworkInstanceProtocolsBgpEbgpDefaultPolicyImportRejectAll),
		RejectExport:  yes(p.bgp, srl.NetworkInstanceProtocolsBgpEbgpDefaultPolicyExportRejectAll),
		Client:        p.is(reflected),
		Cluster:       parseCluster(p.say(clusterID)),
		NextHopSelf:   p.is(nextHopSelf),
		OwnAS:         p.number(ownAS),
		Passive:       p.is(passive),
		BFD:           p.is(withBFD),
		FastFailover:  p.is(fastFailover),
		Key:           p.say(password),
	}
	for _, name := range p.families() {
		n.Families = append(n.Families, families[name])
	}
	if as := p.asNumber(localAS); as != 0 {
		n.LocalAS = as
	}
	if p.enabled(multihop) {
		n.Multihop = max(1, p.number(multihopTTL))
	}
	if n.Key == "" {
		n.Key = r.keychain(p.say(keyChain))
	}
	ipv4 := p.family("ipv4-unicast")
	n.IPv6NextHops.Send, n.IPv6NextHops.Receive = ipv4.is(sendIPv6Hops), ipv4.is(takeIPv6Hops)
	n.HoldTime, n.KeepAlive = timers(p)
	return n
}

func groupName(group config.Cursor) string {
	if !group.Valid() {
		return ""
	}
	return key(group)
}

// timers are the hold time, and the time between keepalives, at most a third of it.
func timers(p peer) (hold, keep time.Duration) {
	hold = time.Duration(p.number(holdTime)) * time.Second
	keep = hold / 3
	if s := p.say(keepAlive); s != "" {
		keep = min(keep, time.Duration(parseNumber(s))*time.Second)
	}
	return hold, keep
}

// localAddress is an address as configured, or that of a subinterface in the family of the peer.
func (r *reader) localAddress(configured string, peer netip.Addr) netip.Addr {
	if a := parseAddr(configured); a.IsValid() {
		return a
	}
	if peer.Is4() {
		return addressOf(r.subs[configured], netip.Addr.Is4)
	}
	return addressOf(r.subs[configured], netip.Addr.Is6)
}

// parseCluster reads a cluster id as an address or as a number.
func parseCluster(s string) netip.Addr {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
	return parseAddr(s)
}
