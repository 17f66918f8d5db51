package sros

import (
	"github.com/loomfabric/loom/models/sros"
)

const (
	wanInstance = "0" // of IS-IS
	wanLevel    = "2" // one backbone of all sites

	// bootTime is for how many seconds after a start what is between other sites passes a gateway only where there is no other way:
	// until cards, coherent light and sessions are there, and all routes have come. Its own loopback is reached meanwhile.
	bootTime = 300
)

// isis carries the loopbacks of gateways between sites, and their labels (RFC 8667). What links are numbered with stays out of it.
func (r renderer) isis() {
	w := &r.d.WAN
	if len(w.Trunks) == 0 {
		return
	}
	r.because(w.Ref, "wan")
	r.In(sros.ConfigureRouterIsis, wanInstance, func() {
		r.enable(sros.ConfigureRouterIsisAdminState)
		r.Str(sros.ConfigureRouterIsisLevelCapability, wanLevel)
		r.Add(sros.ConfigureRouterIsisAreaAddress, w.Area)
		r.Bool(sros.ConfigureRouterIsisAdvertisePassiveOnly, true)
		r.isis6()
		r.In(sros.ConfigureRouterIsisLevel, wanLevel, func() { r.Bool(sros.ConfigureRouterIsisLevelWideMetricsOnly, true) })
		if w.Labels.Size != 0 {
			r.Str(sros.ConfigureRouterIsisAdvertiseRouterCapability, "area") // with the block of labels
			r.enable(sros.ConfigureRouterIsisSegmentRoutingAdminState)
			r.Empty(sros.ConfigureRouterIsisSegmentRoutingPrefixSidRangeGlobal)
			r.aroundCuts()
		}
		r.Presence(sros.ConfigureRouterIsisOverloadOnBoot) // RFC 3277, but by metric: a gateway may be the only way between others
		r.Uint(sros.ConfigureRouterIsisOverloadOnBootTimeout, bootTime)
		r.Bool(sros.ConfigureRouterIsisOverloadOnBootMaxMetric, true)
		r.In(sros.ConfigureRouterIsisInterface, systemInterface, func() {
			r.Bool(sros.ConfigureRouterIsisInterfacePassive, true)
			if w.Labels.Size != 0 {
				r.Uint(sros.ConfigureRouterIsisInterfaceIpv4NodeSidIndex, uint64(w.Labels.Index))
			}
		})
		for i := range w.Trunks {
			r.adjacency(i)
		}
	})
}

// aroundCuts has a way ready around each trunk, by other gateways, which is taken as soon as BFD or the port tells of a cut, and before
// IS-IS has worked out anew where things are (TI-LFA, RFC 9855). Two labels, the default, lead around any ring. Without labels
// there is no such way: between sites that speak VXLAN, what took the trunk waits for IS-IS.
func (r renderer) aroundCuts() {
	r.Presence(sros.ConfigureRouterIsisLoopfreeAlternate)
	r.Presence(sros.ConfigureRouterIsisLoopfreeAlternateTiLfa)
}

// adjacency is IS-IS on a trunk.
func (r renderer) adjacency(i int) {
	t := &r.d.WAN.Trunks[i]
	r.because(t.Ref, "trunk")
	r.In(sros.ConfigureRouterIsisInterface, t.Name, func() {
		r.enable(sros.ConfigureRouterIsisInterfaceAdminState)
		r.Str(sros.ConfigureRouterIsisInterfaceInterfaceType, "point-to-point")
		r.In(sros.ConfigureRouterIsisInterfaceLevel, wanLevel, func() {
			r.Uint(sros.ConfigureRouterIsisInterfaceLevelMetric, uint64(t.Metric))
		})
		if t.BFD.Multiplier != 0 {
			r.Presence(sros.ConfigureRouterIsisInterfaceBfdLivenessIpv4)
		}
	})
}

// labels is the block that segment routing takes: the same on all gateways, so that a gateway's label is one everywhere.
func (r renderer) labels() {
	if l := r.d.WAN.Labels; l.Size != 0 {
		r.because(r.d.WAN.Ref, "segment routing")
		r.Uint(sros.ConfigureRouterMplsLabelsSrLabelsStart, uint64(l.Start))
		r.Uint(sros.ConfigureRouterMplsLabelsSrLabelsEnd, uint64(l.Start+l.Size-1))
	}
}
