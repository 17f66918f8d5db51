package srossim

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// The attributes of a neighbor, at the neighbor, its group, and the instance.
var (
	peerAS        = ids{sros.ConfigureRouterBgpNeighborPeerAs, sros.ConfigureRouterBgpGroupPeerAs, 0}
	peerType      = ids{sros.ConfigureRouterBgpNeighborType, sros.ConfigureRouterBgpGroupType, 0}
	localAddress  = ids{sros.ConfigureRouterBgpNeighborLocalAddress, sros.ConfigureRouterBgpGroupLocalAddress, 0}
	passive       = ids{sros.ConfigureRouterBgpNeighborPassive, sros.ConfigureRouterBgpGroupPassive, 0}
	nextHopSelf   = ids{sros.ConfigureRouterBgpNeighborNextHopSelf, sros.ConfigureRouterBgpGroupNextHopSelf, 0}
	multihop      = ids{sros.ConfigureRouterBgpNeighborMultihop, sros.ConfigureRouterBgpGroupMultihop, sros.ConfigureRouterBgpMultihop}
	keepAlive     = ids{sros.ConfigureRouterBgpNeighborKeepalive, sros.ConfigureRouterBgpGroupKeepalive, sros.ConfigureRouterBgpKeepalive}
	holdTime      = ids{sros.ConfigureRouterBgpNeighborHoldTimeSeconds, sros.ConfigureRouterBgpGroupHoldTimeSeconds, sros.ConfigureRouterBgpHoldTimeSeconds}
	withBFD       = ids{sros.ConfigureRouterBgpNeighborBfdLiveness, sros.ConfigureRouterBgpGroupBfdLiveness, sros.ConfigureRouterBgpBfdLiveness}
	fastFailover  = ids{sros.ConfigureRouterBgpNeighborFastExternalFailover, sros.ConfigureRouterBgpGroupFastExternalFailover, sros.ConfigureRouterBgpFastExternalFailover}
	password      = ids{sros.ConfigureRouterBgpNeighborAuthenticationKey, sros.ConfigureRouterBgpGroupAuthenticationKey, 0}
	clusterID     = ids{sros.ConfigureRouterBgpNeighborClusterClusterId, sros.ConfigureRouterBgpGroupClusterClusterId, 0}
	encapsulation = ids{sros.ConfigureRouterBgpNeighborDefRecvEvpnEncap, sros.ConfigureRouterBgpGroupDefRecvEvpnEncap, sros.ConfigureRouterBgpDefRecvEvpnEncap}
	vpnImport     = ids{sros.ConfigureRouterBgpNeighborVpnApplyImport, sros.ConfigureRouterBgpGroupVpnApplyImport, sros.ConfigureRouterBgpVpnApplyImport}
	vpnExport     = ids{sros.ConfigureRouterBgpNeighborVpnApplyExport, sros.ConfigureRouterBgpGroupVpnApplyExport, sros.ConfigureRouterBgpVpnApplyExport}
	imports       = ids{sros.ConfigureRouterBgpNeighborImportPolicy, sros.ConfigureRouterBgpGroupImportPolicy, sros.ConfigureRouterBgpImportPolicy}
	exports       = ids{sros.ConfigureRouterBgpNeighborExportPolicy, sros.ConfigureRouterBgpGroupExportPolicy, sros.ConfigureRouterBgpExportPolicy}
	ownAS         = ids{0, sros.ConfigureRouterBgpGroupLoopDetectThreshold, 0}
)

// What stands in containers that are there or not: the nearest one counts, with all that it says.
var (
	familySwitch  = ids{sros.ConfigureRouterBgpNeighborFamily, sros.ConfigureRouterBgpGroupFamily, 0}
	rejectDefault = ids{sros.ConfigureRouterBgpNeighborEbgpDefaultRejectPolicy, sros.ConfigureRouterBgpGroupEbgpDefaultRejectPolicy, sros.ConfigureRouterBgpEbgpDefaultRejectPolicy}
	localAS       = ids{sros.ConfigureRouterBgpNeighborLocalAs, sros.ConfigureRouterBgpGroupLocalAs, 0}
	sendIPv6Hops  = ids{sros.ConfigureRouterBgpNeighborAdvertiseIpv6NextHops, sros.ConfigureRouterBgpGroupAdvertiseIpv6NextHops, 0}
	takeIPv6Hops  = ids{sros.ConfigureRouterBgpNeighborExtendedNhEncoding, sros.ConfigureRouterBgpGroupExtendedNhEncoding, 0}
)

// families are those that are simulated, in the order of their numbers.
var families = []struct {
	name   string
	family network.Family
}{{"ipv4", network.IPv4}, {"ipv6", network.IPv6}, {"evpn", network.L2EVPN}}

// ids are the nodes of one attribute in a neighbor, its group, and the instance; Root where there is none.
type ids struct{ neighbor, group, bgp config.ID }

// peer is all that says something of a BGP neighbor: its own entry, its group, and the instance. What the first does not say,
// the next one does. A neighbor that is yet to be found has no entry.
type peer struct{ neighbor, group, bgp config.Cursor }

// say returns the value of an attribute, and the default of the farthest node where nobody says any.
func (p peer) say(id ids) string {
	for _, at := range []config.Cursor{at(p.neighbor, id.neighbor), at(p.group, id.group)} {
		if at.Valid() {
			return at.Value()
		}
	}
	if id.bgp == config.Root {
		return sros.Schema.Nodes[id.group].Default
	}
	return text(p.bgp, id.bgp)
}

// list returns the values of a leaf-list from the nearest that has any.
func (p peer) list(id ids) []string {
	for _, values := range [][]string{texts(p.neighbor, id.neighbor), texts(p.group, id.group), texts(p.bgp, id.bgp)} {
		if len(values) > 0 {
			return values
		}
	}
	return nil
}

// container returns the nearest of some containers; the zero Cursor where there is none.
func (p peer) container(id ids) config.Cursor {
	for _, c := range []config.Cursor{at(p.neighbor, id.neighbor), at(p.group, id.group)} {
		if c.Valid() {
			return c
		}
	}
	return at(p.bgp, id.bgp)
}

// member returns what a container says under a name, or what the models do where the container is not there.
func member(c config.Cursor, like config.ID, name string) string {
	if c.Valid() {
		like = c.ID()
	}
	leaf, ok := sros.Schema.Child(like, name)
	if !ok {
		return ""
	}
	if found := c.Child(leaf); c.Valid() && found.Valid() {
		return found.Value()
	}
	return sros.Schema.Nodes[leaf].Default
}

func (p peer) is(id ids) bool    { return p.say(id) == "true" }
func (p peer) number(id ids) int { return int(parseNumber(p.say(id))) }

// families are those of the nearest container, and IPv4 where nobody says any.
func (p peer) families() (out []network.Family) {
	c := p.container(familySwitch)
	if !c.Valid() {
		return []network.Family{network.IPv4}
	}
	for _, f := range families {
		if member(c, familySwitch.group, f.name) == "true" {
			out = append(out, f.family)
		}
	}
	return out
}

// bgp reads the BGP process of Base.
func (r *reader) bgp() *network.BGP {
	c := at(r.router, sros.ConfigureRouterBgp)
	if !c.Valid() {
		return nil
	}
	b := &network.BGP{
		Enabled:   enabled(c, sros.ConfigureRouterBgpAdminState) && r.as() != 0, // the box has none without a number
		AS:        r.as(),
		RouterID:  r.routerID(),
		Families:  []network.Family{network.IPv4, network.IPv6, network.L2EVPN},
		Multipath: map[network.Family]network.Multipath{},
		InterAS:   yes(c, sros.ConfigureRouterBgpInterAsVpn),
		KeepAll:   yes(c, sros.ConfigureRouterBgpMpBgpKeep),
	}
	if id := parseAddr(text(c, sros.ConfigureRouterBgpRouterId)); id.IsValid() {
		b.RouterID = id
	}
	for _, f := range families {
		b.Multipath[f.family] = r.multipath(c)
	}
	groups := at(c, sros.ConfigureRouterBgpGroup)
	for n := range entries(c, sros.ConfigureRouterBgpNeighbor) {
		b.Neighbors = append(b.Neighbors, r.configured(b, peer{n, groups.Entry(text(n, sros.ConfigureRouterBgpNeighborGroup)), c}))
	}
	slices.SortFunc(b.Neighbors, func(x, y network.Neighbor) int { return x.Peer.Compare(y.Peer) })
	for group := range groups.Children() {
		for d := range entries(group, sros.ConfigureRouterBgpGroupDynamicNeighborInterface) {
			b.Dynamic = append(b.Dynamic, r.dynamic(b, d, peer{group: group, bgp: c}))
		}
	}
	sortBy(b.Dynamic, func(d network.Dynamic) string { return d.Interface })
	return b
}

func (r *reader) as() uint32 { return uint32(number(r.router, sros.ConfigureRouterAutonomousSystem)) }

// multipath is how many paths BGP takes, and never more than the router does (/configure/router/ecmp).
func (r *reader) multipath(bgp config.Cursor) network.Multipath {
	most := int(number(bgp, sros.ConfigureRouterBgpMultipathMaxPaths))
	take := func(id config.ID) int {
		if has(bgp, id) {
			most = int(number(bgp, id))
		}
		return max(1, min(most, int(number(r.router, sros.ConfigureRouterEcmp))))
	}
	all := most
	m := network.Multipath{EBGP: take(sros.ConfigureRouterBgpMultipathEbgp)}
	most = all
	m.IBGP = take(sros.ConfigureRouterBgpMultipathIbgp)
	m.MultipleAS = text(bgp, sros.ConfigureRouterBgpMultipathRestrict) == "same-as-path-length"
	return m
}

// configured is a neighbor that has an entry.
func (r *reader) configured(b *network.BGP, p peer) network.Neighbor {
	n := r.neighbor(b, p)
	n.Peer = parseAddr(key(p.neighbor))
	n.Interface = n.Peer.Zone()
	n.Text = text(p.neighbor, sros.ConfigureRouterBgpNeighborDescription)
	n.Enabled = n.Enabled && enabled(p.neighbor, sros.ConfigureRouterBgpNeighborAdminState)
	return n
}

// dynamic is what neighbors that are found on an interface will be.
func (r *reader) dynamic(b *network.BGP, d config.Cursor, p peer) network.Dynamic {
	n := r.neighbor(b, p)
	n.Dynamic = true
	n.PeerAS = 0
	for _, s := range texts(d, sros.ConfigureRouterBgpGroupDynamicNeighborInterfaceAllowedPeerAs) {
		n.AllowedAS = append(n.AllowedAS, asRange(s))
	}
	if len(n.AllowedAS) == 0 {
		n.AllowedAS = []network.ASRange{{Low: 1, High: 1<<32 - 1}}
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
		Group:        groupName(p.group),
		Enabled:      b.Enabled && p.group.Valid() && enabled(p.group, sros.ConfigureRouterBgpGroupAdminState),
		PeerAS:       uint32(p.number(peerAS)),
		LocalAS:      b.AS,
		Local:        r.localAddress(p.say(localAddress)),
		Families:     p.families(),
		Assumes:      network.OverMPLS,
		NextHopSelf:  p.is(nextHopSelf),
		OwnAS:        p.number(ownAS),
		Passive:      p.is(passive),
		Multihop:     p.number(multihop),
		BFD:          p.is(withBFD),
		FastFailover: p.is(fastFailover),
		Key:          p.say(password),
		Cluster:      parseAddr(p.say(clusterID)),
	}
	n.Client = n.Cluster.IsValid() // a router with a cluster id reflects to and from those that have it
	if n.PeerAS == 0 && p.say(peerType) == "internal" {
		n.PeerAS = b.AS
	}
	if p.say(encapsulation) == "vxlan" {
		n.Assumes = network.OverVXLAN
	}
	if own := p.container(localAS); own.Valid() {
		if as := uint32(parseNumber(member(own, own.ID(), "as-number"))); as != 0 {
			n.LocalAS = as
			n.PrependGlobal = member(own, own.ID(), "prepend-global-as") == "true"
		}
	}
	n.IPv6NextHops.Send = member(p.container(sendIPv6Hops), sendIPv6Hops.group, "ipv4") == "true"
	n.IPv6NextHops.Receive = member(p.container(takeIPv6Hops), takeIPv6Hops.group, "ipv4") == "true"
	n.HoldTime = time.Duration(p.number(holdTime)) * time.Second
	n.KeepAlive = min(n.HoldTime/3, time.Duration(p.number(keepAlive))*time.Second)
	r.policiesOf(&n, p)
	return n
}

// policiesOf reads which policies routes pass. To EVPN routes the policies of Base apply only where that is asked for
// (vpn-apply-import, vpn-apply-export); without one an eBGP session passes nothing unless it is told to (RFC 8212).
func (r *reader) policiesOf(n *network.Neighbor, p peer) {
	reject := p.container(rejectDefault)
	n.RejectImport = member(reject, rejectDefault.bgp, "import") == "true"
	n.RejectExport = member(reject, rejectDefault.bgp, "export") == "true"
	n.Import = r.chain(p, n.Families, imports, vpnImport)
	n.Export = r.chain(p, n.Families, exports, vpnExport)
}

// chain are the names of policies, narrowed to the families that they apply to.
func (r *reader) chain(p peer, spoken []network.Family, id, vpn ids) []string {
	names := p.list(id)
	if p.is(vpn) || !slices.Contains(spoken, network.L2EVPN) {
		return names
	}
	var out []string
	for _, name := range names {
		if len(spoken) > 1 {
			out = append(out, r.unicast(name))
		}
	}
	return out
}

// localAddress is an address as configured, or that of an interface.
func (r *reader) localAddress(configured string) netip.Addr {
	if a := parseAddr(configured); a.IsValid() || configured == "" {
		return a
	}
	entry := at(r.router, sros.ConfigureRouterInterface).Entry(configured)
	return parseAddr(text(entry, sros.ConfigureRouterInterfaceIpv4PrimaryAddress))
}

func groupName(group config.Cursor) string {
	if !group.Valid() {
		return ""
	}
	return key(group)
}
