package srlinux

import (
	"slices"
	"strconv"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Names that the default network instance uses.
const (
	defaultInstance = "default"
	groupUnderlay   = "underlay"
	groupOverlay    = "overlay"
	groupDCI        = "dci"
	groupSites      = "overlay-dci" // reflectors of other sites

	typeDefault = "srl_nokia-network-instance:default"
	typeMACVRF  = "srl_nokia-network-instance:mac-vrf"
	typeIPVRF   = "srl_nokia-network-instance:ip-vrf"

	afiIPv4 = "srl_nokia-common:ipv4-unicast"
	afiEVPN = "srl_nokia-common:evpn"
)

// defaultInstance holds the loopback and the fabric links.
func (r renderer) defaultInstance() {
	r.In(srl.NetworkInstance, defaultInstance, func() {
		r.because(r.d.Ref, "default instance")
		r.Str(srl.NetworkInstanceType, typeDefault)
		r.enable(srl.NetworkInstanceAdminState)
		r.Str(srl.NetworkInstanceRouterId, r.d.Loopback.String())
		r.In(srl.NetworkInstanceInterface, "system0.0", bare)
		if r.d.Underlay.Unnumbered {
			// IPv4 packets arrive on interfaces that have no IPv4 address.
			r.because(r.d.Underlay.Ref+"#links", "unnumbered")
			r.Bool(srl.NetworkInstanceIpForwardingReceiveIpv4Check, false)
		}
		for i := range r.d.Links {
			r.because(r.d.Links[i].Ref, kindOf(&r.d.Links[i]))
			r.In(srl.NetworkInstanceInterface, r.d.Links[i].Port+".0", bare)
		}
	})
}

// inBGP writes below /network-instance[name=default]/protocols/bgp.
func (r renderer) inBGP(body func()) { r.In(srl.NetworkInstance, defaultInstance, body) }

// underlay is eBGP on every fabric link (RFC 7938): it carries loopbacks and nothing else. What channels and cables carry to other
// sites has a group of its own, so that losing all of it is a thing with a name.
func (r renderer) underlay() {
	r.inBGP(func() {
		r.because(r.d.Ref, "bgp")
		r.enable(srl.NetworkInstanceProtocolsBgpAdminState)
		r.Uint(srl.NetworkInstanceProtocolsBgpAutonomousSystem, uint64(r.d.ASN))
		r.Str(srl.NetworkInstanceProtocolsBgpRouterId, r.d.Loopback.String())
		r.because(r.d.Underlay.Ref, "underlay")
		r.In(srl.NetworkInstanceProtocolsBgpAfiSafi, afiIPv4, r.multipath)
		r.instance6()
		r.In(srl.NetworkInstanceProtocolsBgpGroup, groupUnderlay, func() { r.underlayGroup(groupUnderlay, policyImport, policyExport) })
		if r.joinsSites() {
			r.In(srl.NetworkInstanceProtocolsBgpGroup, groupDCI, func() { r.underlayGroup(groupDCI, policyInDCI, policyOutDCI) })
		}
		for i := range r.d.Links {
			r.because(r.d.Links[i].Ref, "underlay session")
			r.underlaySession(i)
		}
	})
}

// joinsSites tells whether a link of the device goes to another site.
func (r renderer) joinsSites() bool {
	return slices.ContainsFunc(r.d.Links, func(l fabric.Link) bool { return groupOf(&l) == groupDCI })
}

func groupOf(l *fabric.Link) string {
	if l.DCI != "" {
		return groupDCI
	}
	return groupUnderlay
}

// watched tells whether all sessions of a group have BFD. Where some have not, those that have say so themselves.
func (r renderer) watched(group string) bool {
	return r.d.Underlay.BFD.Multiplier != 0 &&
		!slices.ContainsFunc(r.d.Links, func(l fabric.Link) bool { return groupOf(&l) == group && l.BFD.Multiplier == 0 })
}

// unnumbered tells whether sessions of a group are over links without addresses. Others of the group say that theirs are not.
func (r renderer) unnumbered(group string) bool {
	return r.d.Underlay.Unnumbered && (group == groupUnderlay ||
		slices.ContainsFunc(r.d.Links, func(l fabric.Link) bool { return groupOf(&l) == group && !l.Addr.IsValid() }))
}

// multipath is spelled differently in each release.
func (r renderer) multipath() {
	r.enable(srl.NetworkInstanceProtocolsBgpAfiSafiAdminState)
	r.because(r.d.Underlay.Ref+"#max-paths", "ecmp")
	paths := uint64(r.d.Underlay.MaxPaths)
	if r.Has(srl.NetworkInstanceProtocolsBgpAfiSafiMultipathEbgpMaximumPaths) {
		r.Uint(srl.NetworkInstanceProtocolsBgpAfiSafiMultipathEbgpMaximumPaths, paths)
	} else {
		r.Uint(srl.NetworkInstanceProtocolsBgpAfiSafiMultipathMaximumPaths, paths)
	}
	r.Bool(srl.NetworkInstanceProtocolsBgpAfiSafiMultipathAllowMultipleAs, true)
}

func (r renderer) underlayGroup(name, imports, exports string) {
	r.because(r.d.Underlay.Ref, "underlay")
	r.enable(srl.NetworkInstanceProtocolsBgpGroupAdminState)
	r.Add(srl.NetworkInstanceProtocolsBgpGroupImportPolicy, imports)
	r.Add(srl.NetworkInstanceProtocolsBgpGroupExportPolicy, exports)
	r.Uint(srl.NetworkInstanceProtocolsBgpGroupTimersMinimumAdvertisementInterval, 1)
	r.Uint(srl.NetworkInstanceProtocolsBgpGroupTimersConnectRetry, 10)
	r.In(srl.NetworkInstanceProtocolsBgpGroupAfiSafi, afiIPv4, func() {
		r.enable(srl.NetworkInstanceProtocolsBgpGroupAfiSafiAdminState)
		if r.unnumbered(name) { // RFC 8950
			r.because(r.d.Underlay.Ref+"#links", "unnumbered")
			r.Bool(srl.NetworkInstanceProtocolsBgpGroupAfiSafiIpv4UnicastAdvertiseIpv6NextHops, true)
			r.Bool(srl.NetworkInstanceProtocolsBgpGroupAfiSafiIpv4UnicastReceiveIpv6NextHops, true)
		}
	})
	r.group6("enable")
	if r.watched(name) {
		r.because(r.d.Underlay.Ref+"#bfd", "bfd")
		r.Bool(srl.NetworkInstanceProtocolsBgpGroupFailureDetectionEnableBfd, true)
		r.Bool(srl.NetworkInstanceProtocolsBgpGroupFailureDetectionFastFailover, true)
	}
}

// underlaySession is a configured neighbour on a numbered link, and a neighbour found by router
// advertisement on an unnumbered one.
func (r renderer) underlaySession(i int) {
	l := &r.d.Links[i]
	group := groupOf(l)
	if !l.Addr.IsValid() {
		r.In(srl.NetworkInstanceProtocolsBgpDynamicNeighborsInterface, l.Port+".0", func() {
			r.Str(srl.NetworkInstanceProtocolsBgpDynamicNeighborsInterfacePeerGroup, group)
			r.Add(srl.NetworkInstanceProtocolsBgpDynamicNeighborsInterfaceAllowedPeerAs, strconv.FormatUint(uint64(l.PeerASN), 10))
		})
		return
	}
	r.In(srl.NetworkInstanceProtocolsBgpNeighbor, l.Peer.String(), func() {
		r.Str(srl.NetworkInstanceProtocolsBgpNeighborDescription, farEnd(l))
		r.enable(srl.NetworkInstanceProtocolsBgpNeighborAdminState)
		r.Uint(srl.NetworkInstanceProtocolsBgpNeighborPeerAs, uint64(l.PeerASN))
		r.Str(srl.NetworkInstanceProtocolsBgpNeighborPeerGroup, group)
		if r.unnumbered(group) {
			r.In(srl.NetworkInstanceProtocolsBgpNeighborAfiSafi, afiIPv4, func() {
				r.Bool(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiIpv4UnicastAdvertiseIpv6NextHops, false)
				r.Bool(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiIpv4UnicastReceiveIpv6NextHops, false)
			})
		}
		if l.BFD.Multiplier != 0 && !r.watched(group) {
			r.because(r.d.Underlay.Ref+"#bfd", "bfd")
			r.Bool(srl.NetworkInstanceProtocolsBgpNeighborFailureDetectionEnableBfd, true)
			r.Bool(srl.NetworkInstanceProtocolsBgpNeighborFailureDetectionFastFailover, true)
		}
	})
}
