package srlinux

import (
	"slices"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/fabric"
)

// overlay is how EVPN routes travel: between loopbacks, inside one AS through reflectors, or by
// eBGP through spines that keep and pass on what no instance of their own imports.
func (r renderer) overlay() {
	o := &r.d.Overlay
	if len(o.Neighbors) == 0 {
		return
	}
	r.inBGP(func() {
		r.because(o.Ref, "overlay")
		r.In(srl.NetworkInstanceProtocolsBgpAfiSafi, afiEVPN, func() {
			r.Bool(srl.NetworkInstanceProtocolsBgpAfiSafiEvpnRapidUpdate, true)
			if o.Reflector && !o.IBGP {
				// A spine imports no route target, so without this it would drop every EVPN route.
				r.Bool(srl.NetworkInstanceProtocolsBgpAfiSafiEvpnInterAsVpn, true)
			}
		})
		if slices.ContainsFunc(o.Neighbors, func(n fabric.OverlayNeighbor) bool { return n.Site == "" }) {
			r.In(srl.NetworkInstanceProtocolsBgpGroup, groupOverlay, func() { r.overlayGroup(groupOverlay) })
		}
		if i := slices.IndexFunc(o.Neighbors, func(n fabric.OverlayNeighbor) bool { return n.Site != "" }); i >= 0 {
			r.because(o.Neighbors[i].Ref, "overlay between sites")
			r.In(srl.NetworkInstanceProtocolsBgpGroup, groupSites, func() { r.overlayGroup(groupSites) })
		}
		for i := range o.Neighbors {
			r.overlaySession(i)
		}
	})
}

// overlayGroup writes a group of sessions: with the devices of the own site, or with the reflectors of others.
func (r renderer) overlayGroup(group string) {
	o := &r.d.Overlay
	r.enable(srl.NetworkInstanceProtocolsBgpGroupAdminState)
	r.In(srl.NetworkInstanceProtocolsBgpGroupAfiSafi, afiEVPN, func() {
		r.enable(srl.NetworkInstanceProtocolsBgpGroupAfiSafiAdminState)
	})
	// The instance enables what the underlay carries, and groups inherit it.
	r.In(srl.NetworkInstanceProtocolsBgpGroupAfiSafi, afiIPv4, func() {
		r.Str(srl.NetworkInstanceProtocolsBgpGroupAfiSafiAdminState, "disable")
	})
	r.group6("disable")
	r.Uint(srl.NetworkInstanceProtocolsBgpGroupTimersMinimumAdvertisementInterval, 1)
	r.Uint(srl.NetworkInstanceProtocolsBgpGroupTimersConnectRetry, 10)
	r.Str(srl.NetworkInstanceProtocolsBgpGroupTransportLocalAddress, r.d.Loopback.String())
	// The VTEP of the leaf that has the host must stay the next hop all the way (RFC 8365 §5.1.3).
	r.Bool(srl.NetworkInstanceProtocolsBgpGroupNextHopSelf, false)
	if o.IBGP {
		r.overlayIBGP(group)
	} else {
		r.overlayEBGP(group)
	}
}

func (r renderer) overlayIBGP(group string) {
	o := &r.d.Overlay
	r.Uint(srl.NetworkInstanceProtocolsBgpGroupPeerAs, uint64(o.AS))
	r.Uint(srl.NetworkInstanceProtocolsBgpGroupLocalAsAsNumber, uint64(o.AS))
	// Inside an AS the path stays as it is (RFC 4271 §5.1.2): the underlay's AS number has no place in it.
	// The leaf has no default in the models.
	r.Bool(srl.NetworkInstanceProtocolsBgpGroupLocalAsPrependGlobalAs, false)
	if o.Reflector && group == groupOverlay { // RFC 4456; what one reflector of a full mesh says, it says to all others (§6)
		r.Bool(srl.NetworkInstanceProtocolsBgpGroupRouteReflectorClient, true)
		r.because(o.Ref+"#cluster-id", "cluster id")
		r.Str(srl.NetworkInstanceProtocolsBgpGroupRouteReflectorClusterId, o.ClusterID.String())
	}
}

// farHops is how many routers may be between reflectors of two sites: the way may lead through others.
const farHops = 64

func (r renderer) overlayEBGP(group string) {
	r.Add(srl.NetworkInstanceProtocolsBgpGroupImportPolicy, policyOverlay)
	r.Add(srl.NetworkInstanceProtocolsBgpGroupExportPolicy, policyOverlay)
	r.enable(srl.NetworkInstanceProtocolsBgpGroupMultihopAdminState)
	hops := uint64(2)
	if group == groupSites {
		hops = farHops
	}
	r.Uint(srl.NetworkInstanceProtocolsBgpGroupMultihopMaximumHops, hops)
}

func (r renderer) overlaySession(i int) {
	o := &r.d.Overlay
	n := &o.Neighbors[i]
	group := groupOverlay
	r.because(o.Ref, "overlay session")
	if n.Site != "" {
		group = groupSites
		r.because(n.Ref, "overlay session between sites")
	}
	r.In(srl.NetworkInstanceProtocolsBgpNeighbor, n.Addr.String(), func() {
		r.Str(srl.NetworkInstanceProtocolsBgpNeighborDescription, n.Name)
		r.enable(srl.NetworkInstanceProtocolsBgpNeighborAdminState)
		r.Str(srl.NetworkInstanceProtocolsBgpNeighborPeerGroup, group)
		if !o.IBGP {
			r.Uint(srl.NetworkInstanceProtocolsBgpNeighborPeerAs, uint64(n.ASN))
		}
	})
}
