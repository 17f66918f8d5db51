package sros

import (
	"cmp"
	"slices"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Groups of BGP sessions.
const (
	groupUnderlay = "underlay"
	groupDCI      = "dci"     // of the underlay, over channels and cables to other sites
	groupOverlay  = "overlay" // EVPN with the spines of the own site
	groupWAN      = "wan"     // EVPN with gateways of other sites
)

// ownAS is the AS that the router is in: that of the WAN and of an overlay inside one AS, which are the same; else its own number.
func (r renderer) ownAS() uint32 {
	if o := &r.d.Overlay; o.IBGP && len(o.Neighbors) > 0 {
		return cmp.Or(r.d.WAN.AS, o.AS)
	}
	return cmp.Or(r.d.WAN.AS, r.d.ASN)
}

// bgp is the underlay by eBGP (RFC 7938), which carries loopbacks and nothing else, and EVPN towards both sides.
func (r renderer) bgp() {
	r.because(r.d.Ref, "bgp")
	r.enable(sros.ConfigureRouterBgpAdminState)
	r.Str(sros.ConfigureRouterBgpRouterId, r.d.Loopback.String())
	r.because(r.d.Underlay.Ref+"#max-paths", "ecmp")
	r.Uint(sros.ConfigureRouterBgpMultipathMaxPaths, uint64(min(r.d.Underlay.MaxPaths, mostPaths)))
	r.underlayGroup(groupUnderlay, policyImport, policyExport)
	if r.routesSites() {
		r.underlayGroup(groupDCI, policyInDCI, policyOutDCI)
	}
	for i := range r.d.Links {
		r.underlaySession(&r.d.Links[i])
	}
	r.rapid()
	r.overlay()
	r.wan()
}

// rapid sends what changes in EVPN at once, whatever a group waits for otherwise: hosts move, and paths to them go (RFC 7432 §8.2).
func (r renderer) rapid() {
	if len(r.d.Overlay.Neighbors)+len(r.d.WAN.Neighbors) == 0 {
		return
	}
	r.because(r.d.Overlay.Ref, "overlay")
	r.Bool(sros.ConfigureRouterBgpRapidWithdrawal, true)
	r.Bool(sros.ConfigureRouterBgpRapidUpdateEvpn, true)
}

// mostPaths is the range of /configure/router/bgp/multipath/max-paths.
const mostPaths = 64

func groupOf(l *fabric.Link) string {
	if l.DCI != "" {
		return groupDCI
	}
	return groupUnderlay
}

// sessions are the links of a group of the underlay.
func (r renderer) sessions(group string) (out []*fabric.Link) {
	for i := range r.d.Links {
		if l := &r.d.Links[i]; underlay(l) && groupOf(l) == group {
			out = append(out, l)
		}
	}
	return out
}

// watched tells whether all sessions of a group have BFD. Where some have not, those that have say so themselves.
func (r renderer) watched(group string) bool {
	return r.d.Underlay.BFD.Multiplier != 0 && !slices.ContainsFunc(r.sessions(group), func(l *fabric.Link) bool { return l.BFD.Multiplier == 0 })
}

// unnumberedGroup tells whether sessions of a group are over links without addresses. Others of the group say that theirs are not.
func (r renderer) unnumberedGroup(group string) bool {
	return r.d.Underlay.Unnumbered && (group == groupUnderlay ||
		slices.ContainsFunc(r.sessions(group), func(l *fabric.Link) bool { return !l.Addr.IsValid() }))
}

// underlayGroup is a group of sessions over links.
func (r renderer) underlayGroup(name, in, out string) {
	r.because(r.d.Underlay.Ref, "underlay")
	r.In(sros.ConfigureRouterBgpGroup, name, func() {
		r.enable(sros.ConfigureRouterBgpGroupAdminState)
		r.Bool(sros.ConfigureRouterBgpGroupFamilyIpv4, true)
		r.group6()
		r.seenAs(r.d.ASN)
		r.timing()
		r.Add(sros.ConfigureRouterBgpGroupImportPolicy, in)
		r.Add(sros.ConfigureRouterBgpGroupExportPolicy, out)
		if r.watched(name) {
			r.because(r.d.Underlay.Ref+"#bfd", "bfd")
			r.Bool(sros.ConfigureRouterBgpGroupBfdLiveness, true)
		}
		if !r.unnumberedGroup(name) {
			return
		}
		r.because(r.d.Underlay.Ref+"#links", "unnumbered") // RFC 8950
		r.Bool(sros.ConfigureRouterBgpGroupExtendedNhEncodingIpv4, true)
		r.Bool(sros.ConfigureRouterBgpGroupAdvertiseIpv6NextHopsIpv4, true)
		for _, l := range r.sessions(name) {
			if !l.Addr.IsValid() {
				r.because(l.Ref, "underlay session")
				r.In(sros.ConfigureRouterBgpGroupDynamicNeighborInterface, linkName(l.Port), func() {
					r.Add(sros.ConfigureRouterBgpGroupDynamicNeighborInterfaceAllowedPeerAs, decimal(l.PeerASN))
				})
			}
		}
	})
}

// seenAs is the AS number that a group shows its neighbors where it is not the router's. That one must not be put into paths
// as well: who is in the same AS behind the neighbor would take them for loops (RFC 4271 §9.1.2).
func (r renderer) seenAs(as uint32) {
	if as == r.ownAS() {
		return
	}
	r.Uint(sros.ConfigureRouterBgpGroupLocalAsAsNumber, uint64(as))
	r.Bool(sros.ConfigureRouterBgpGroupLocalAsPrependGlobalAs, false)
}

// timing is as fast as it can be said.
func (r renderer) timing() {
	r.Uint(sros.ConfigureRouterBgpGroupMinRouteAdvertisement, 1)
	r.Uint(sros.ConfigureRouterBgpGroupConnectRetry, 10)
}

// underlaySession is a configured neighbor on a numbered link; on an unnumbered one it is found.
func (r renderer) underlaySession(l *fabric.Link) {
	if !underlay(l) || !l.Addr.IsValid() {
		return
	}
	group := groupOf(l)
	r.because(l.Ref, "underlay session")
	r.In(sros.ConfigureRouterBgpNeighbor, l.Peer.String(), func() {
		r.Str(sros.ConfigureRouterBgpNeighborDescription, farEnd(l))
		r.enable(sros.ConfigureRouterBgpNeighborAdminState)
		r.Str(sros.ConfigureRouterBgpNeighborGroup, group)
		r.Uint(sros.ConfigureRouterBgpNeighborPeerAs, uint64(l.PeerASN))
		if r.unnumberedGroup(group) {
			r.Bool(sros.ConfigureRouterBgpNeighborExtendedNhEncodingIpv4, false)
			r.Bool(sros.ConfigureRouterBgpNeighborAdvertiseIpv6NextHopsIpv4, false)
		}
		if l.BFD.Multiplier != 0 && !r.watched(group) {
			r.because(r.d.Underlay.Ref+"#bfd", "bfd")
			r.Bool(sros.ConfigureRouterBgpNeighborBfdLiveness, true)
		}
	})
}

// overlay is EVPN with the own site: as a client of its reflectors, or by eBGP with spines that pass everything on. Routes that do
// not say how they are encapsulated are of leaves, which speak VXLAN.
func (r renderer) overlay() {
	o := &r.d.Overlay
	if len(o.Neighbors) == 0 {
		return
	}
	r.because(o.Ref, "overlay")
	r.In(sros.ConfigureRouterBgpGroup, groupOverlay, func() {
		r.evpnGroup("vxlan")
		if o.IBGP {
			r.Uint(sros.ConfigureRouterBgpGroupPeerAs, uint64(o.AS))
			r.seenAs(o.AS)
		} else {
			r.seenAs(r.d.ASN)
			r.Uint(sros.ConfigureRouterBgpGroupMultihop, 2)
			// The VTEP that has the host must stay the next hop all the way (RFC 8365 §5.1.3).
			r.Bool(sros.ConfigureRouterBgpGroupNextHopUnchangedEvpn, true)
		}
		switch {
		case r.stitches():
			r.Add(sros.ConfigureRouterBgpGroupImportPolicy, policyHeard)
			r.Add(sros.ConfigureRouterBgpGroupExportPolicy, policyFabric)
		case !o.IBGP: // RFC 8212
			r.Add(sros.ConfigureRouterBgpGroupImportPolicy, policyOverlay)
			r.Add(sros.ConfigureRouterBgpGroupExportPolicy, policyOverlay)
		}
	})
	for i := range o.Neighbors {
		n := &o.Neighbors[i]
		r.because(o.Ref, "overlay session")
		as := n.ASN
		if o.IBGP {
			as = 0 // its group's
		}
		r.evpnSession(n, groupOverlay, as)
	}
}

// wan is EVPN with the gateways of other sites, all with all: what one hears it does not pass on (RFC 4271 §9.2.1).
func (r renderer) wan() {
	w := &r.d.WAN
	if len(w.Neighbors) == 0 {
		return
	}
	r.because(w.Ref, "wan")
	r.In(sros.ConfigureRouterBgpGroup, groupWAN, func() {
		encap := "vxlan"
		if r.overMPLS() {
			encap = "mpls"
		}
		r.evpnGroup(encap)
		r.Uint(sros.ConfigureRouterBgpGroupPeerAs, uint64(w.AS))
		r.Add(sros.ConfigureRouterBgpGroupExportPolicy, policyWAN)
	})
	for i := range w.Neighbors {
		n := &w.Neighbors[i]
		r.because(w.Ref, "wan session")
		r.evpnSession(n, groupWAN, 0)
	}
}

// evpnGroup is what sessions between loopbacks have alike. Policies are held against routes of services only where that is asked
// for (vpn-apply-export).
func (r renderer) evpnGroup(encap string) {
	r.enable(sros.ConfigureRouterBgpGroupAdminState)
	r.Bool(sros.ConfigureRouterBgpGroupFamilyEvpn, true)
	r.Str(sros.ConfigureRouterBgpGroupDefRecvEvpnEncap, encap)
	r.Str(sros.ConfigureRouterBgpGroupLocalAddress, r.d.Loopback.String())
	r.Bool(sros.ConfigureRouterBgpGroupVpnApplyExport, true)
	r.Bool(sros.ConfigureRouterBgpGroupVpnApplyImport, true)
	r.timing()
}

func (r renderer) evpnSession(n *fabric.OverlayNeighbor, group string, as uint32) {
	r.In(sros.ConfigureRouterBgpNeighbor, n.Addr.String(), func() {
		r.Str(sros.ConfigureRouterBgpNeighborDescription, n.Name)
		r.enable(sros.ConfigureRouterBgpNeighborAdminState)
		r.Str(sros.ConfigureRouterBgpNeighborGroup, group)
		if as != 0 {
			r.Uint(sros.ConfigureRouterBgpNeighborPeerAs, uint64(as))
		}
	})
}
