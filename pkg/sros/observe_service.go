package sros

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/verify"
)

const (
	vplsPath    = "/configure/service/vpls"
	vprnPath    = "/configure/service/vprn"
	segmentPath = "/configure/service/system/bgp/evpn/ethernet-segment"

	bridgeState  = "/state/service/vpls[service-name=*]"
	floodState   = bridgeState + "/vxlan/instance[vxlan-instance=*]/destinations/non-ethernet-segment-destination[ip-address=*][vni=*]"
	segmentState = "/state/service/system/bgp/evpn/ethernet-segment[ethernet-segment-name=*]"
)

// servicePaths are what is read of services. Which VNI an instance has, and which address is the router's own, is not in its state.
var servicePaths = []string{
	vplsPath + "[service-name=*]/routed-vpls",
	vplsPath + "[service-name=*]/vxlan/instance[vxlan-instance=*]/vni",
	linkPath + "[interface-name=" + systemInterface + "]/ipv4/primary",
	bridgeState + "/oper-state",
	floodState + "/oper-state",
	floodState + "/multicast-forwarding-type",
	segmentState + "/oper-esi",
	segmentState + "/oper-state",
	segmentState + "/evi[id=*]/df",
	segmentState + "/evi[id=*]/service-name",
	segmentState + "/evi[id=*]/df-candidates",
}

// tunnels are the VNIs of bridges, with those that what is flooded goes to.
func (o observation) tunnels() map[uint32]verify.Tunnel {
	out := map[uint32]verify.Tunnel{}
	for name, s := range o.entries(sros.ConfigureServiceVpls) {
		shown := o.entry(sros.StateServiceVpls, name)
		if s.has(sros.ConfigureServiceVplsRoutedVpls) || !shown.Valid() {
			continue
		}
		for instance, x := range s.entries(sros.ConfigureServiceVplsVxlanInstance) {
			state := shown.text(sros.StateServiceVplsOperState)
			tunnel := verify.Tunnel{Up: state == inService}
			if !tunnel.Up {
				tunnel.Reason = state
			}
			if seen := shown.entry(sros.StateServiceVplsVxlanInstance, instance); seen.Valid() {
				tunnel.VTEPs = seen.flooded()
			}
			out[uint32(x.number(sros.ConfigureServiceVplsVxlanInstanceVni))] = tunnel
		}
	}
	return out
}

// flooded are the VTEPs that broadcast goes to.
func (o observation) flooded() (out []netip.Addr) {
	for text, far := range o.entries(sros.StateServiceVplsVxlanInstanceDestinationsNonEthernetSegmentDestination) {
		kind := far.text(sros.StateServiceVplsVxlanInstanceDestinationsNonEthernetSegmentDestinationMulticastForwardingType)
		up := far.text(sros.StateServiceVplsVxlanInstanceDestinationsNonEthernetSegmentDestinationOperState) == inService
		if a, err := netip.ParseAddr(text); err == nil && up && slices.Contains(floods, kind) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// floods are the words for destinations that broadcast goes to.
var floods = []string{"broadcast-multicast", "broadcast-unicast-multicast"}

// segments are the ethernet segments, with the elections of the services on them.
func (o observation) segments() map[string]verify.Segment {
	out := map[string]verify.Segment{}
	own := o.entry(sros.ConfigureRouter, base)
	var self netip.Addr
	if own.Valid() {
		self = own.entry(sros.ConfigureRouterInterface, systemInterface).address().Addr()
	}
	for name, s := range o.entries(sros.StateServiceSystemBgpEvpnEthernetSegment) {
		state := s.text(sros.StateServiceSystemBgpEvpnEthernetSegmentOperState)
		seen := verify.Segment{ESI: s.text(sros.StateServiceSystemBgpEvpnEthernetSegmentOperEsi), Up: state == inService, Elections: map[string]verify.Election{}}
		if set := o.entry(interconnect, name); set.Valid() {
			seen.Off = !set.on(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAdminState)
		}
		if !seen.Up {
			seen.Reason = state
		}
		for _, evi := range s.entries(sros.StateServiceSystemBgpEvpnEthernetSegmentEvi) {
			seen.Elections[evi.text(sros.StateServiceSystemBgpEvpnEthernetSegmentEviServiceName)] = evi.election(self)
		}
		out[name] = seen
	}
	return out
}

// election is that of one service. A router says whether it is elected itself. Where it is not, and there is more than one
// other, it is the one that is preferred, and of several the one with the lowest address (RFC 9785 §4.1).
func (o observation) election(self netip.Addr) (e verify.Election) {
	preference := map[netip.Addr]uint64{}
	for text, c := range o.entries(sros.StateServiceSystemBgpEvpnEthernetSegmentEviDfCandidatesIpAddress) {
		if a, err := netip.ParseAddr(text); err == nil {
			e.Candidates = append(e.Candidates, a)
			preference[a] = c.number(sros.StateServiceSystemBgpEvpnEthernetSegmentEviDfCandidatesIpAddressOperationalPreferenceValue)
		}
	}
	slices.SortFunc(e.Candidates, netip.Addr.Compare)
	others := slices.DeleteFunc(slices.Clone(e.Candidates), func(a netip.Addr) bool { return a == self })
	switch {
	case o.text(sros.StateServiceSystemBgpEvpnEthernetSegmentEviDf) == "true":
		e.Forwarders = []netip.Addr{self}
	case len(others) == 1:
		e.Forwarders = others
	case len(others) > 1:
		best := slices.MinFunc(others, func(a, b netip.Addr) int { return cmp.Compare(preference[b], preference[a]) })
		e.Forwarders = []netip.Addr{best}
	}
	return e
}

// askedTunnels are the VNIs that bridges are to be stretched by.
func (o observation) askedTunnels() map[uint32]verify.Tunnel {
	out := map[uint32]verify.Tunnel{}
	for _, s := range o.entries(sros.ConfigureServiceVpls) {
		if s.has(sros.ConfigureServiceVplsRoutedVpls) || !s.on(sros.ConfigureServiceVplsAdminState) || !s.has(sros.ConfigureServiceVplsBgpEvpn) {
			continue
		}
		for _, evpn := range s.entries(sros.ConfigureServiceVplsBgpEvpnVxlan) {
			instance := s.entry(sros.ConfigureServiceVplsVxlanInstance, evpn.text(sros.ConfigureServiceVplsBgpEvpnVxlanVxlanInstance))
			if evpn.on(sros.ConfigureServiceVplsBgpEvpnVxlanAdminState) && instance.Valid() {
				out[uint32(instance.number(sros.ConfigureServiceVplsVxlanInstanceVni))] = verify.Tunnel{}
			}
		}
	}
	return out
}

// askedSegments are the segments that are to be up, with an election in every bridge of two sides that lies in their ranges.
func (o observation) askedSegments() map[string]verify.Segment {
	out := map[string]verify.Segment{}
	for name, s := range o.entries(interconnect) {
		if !s.on(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAdminState) {
			continue
		}
		asked := verify.Segment{ESI: s.text(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentEsi), Elections: map[string]verify.Election{}}
		for _, instance := range s.entries(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlan) {
			for _, x := range instance.entries(ranges) {
				first, last := rangeOf(x)
				for bridge, v := range o.entries(sros.ConfigureServiceVpls) {
					if id := uint32(v.number(sros.ConfigureServiceVplsServiceId)); first <= id && id <= last && v.sides() == 2 {
						asked.Elections[bridge] = verify.Election{}
					}
				}
			}
		}
		out[name] = asked
	}
	return out
}

// sides counts the EVPN instances of a bridge that is on.
func (o observation) sides() (n int) {
	if !o.on(sros.ConfigureServiceVplsAdminState) || !o.has(sros.ConfigureServiceVplsBgpEvpn) {
		return 0
	}
	for range o.entries(sros.ConfigureServiceVplsBgpEvpnVxlan) {
		n++
	}
	for range o.entries(sros.ConfigureServiceVplsBgpEvpnMpls) {
		n++
	}
	return n
}

// rangeOf is one range of services of a segment.
func rangeOf(o observation) (first, last uint32) {
	return uint32(o.number(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlanVirtualRangesServiceIdStart)),
		uint32(o.number(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlanVirtualRangesServiceIdEnd))
}
