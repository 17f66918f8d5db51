package sros

import (
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/fabric"
)

// mostMACs is how many MAC addresses a bridge holds. Those that EVPN brings count too, so all hosts of a segment at all sites do, and
// in the bridge of a tenant the routers that prefixes lead to. SR OS has room for 250 if nobody asks for more, and for 511999 at
// most (/configure/service/vpls/fdb/table/size); this is more than anybody should put into one broadcast domain.
const mostMACs = 65536

// bridge is a segment as one broadcast domain of two: towards the fabric VXLAN, towards the WAN MPLS or VXLAN (RFC 9014 §4.3, §4.6).
// Each has a distinguisher and a target of its own, so that nothing is heard on both sides.
func (r renderer) bridge(b *fabric.Bridge) {
	r.because(b.Ref, "stitched segment")
	r.In(sros.ConfigureServiceVpls, b.Name, func() {
		r.Uint(sros.ConfigureServiceVplsServiceId, uint64(b.ID))
		r.Str(sros.ConfigureServiceVplsDescription, b.Key)
		r.Str(sros.ConfigureServiceVplsCustomer, customer)
		r.enable(sros.ConfigureServiceVplsAdminState)
		if b.MTU != 0 {
			r.because(b.MTURef, "service mtu")
			r.Uint(sros.ConfigureServiceVplsServiceMtu, uint64(b.MTU))
			r.because(b.Ref, "stitched segment")
		}
		r.Uint(sros.ConfigureServiceVplsFdbTableSize, mostMACs)
		r.vxlanInstance(towardsFabric, b.Fabric.VNI)
		r.bgpInstance(towardsFabric, &b.Fabric)
		r.bgpInstance(towardsWAN, &b.WAN)
		r.Presence(sros.ConfigureServiceVplsBgpEvpn)
		r.Uint(sros.ConfigureServiceVplsBgpEvpnEvi, uint64(b.Fabric.EVI))
		r.overVXLAN(towardsFabric, "access")
		if r.overMPLS() {
			r.overLabels()
			return
		}
		r.vxlanInstance(towardsWAN, b.WAN.VNI)
		r.overVXLAN(towardsWAN, "network")
	})
}

// vxlanInstance is a VNI of a bridge. On a segment, who is not elected drops all that is flooded: unknown unicast too, which
// reaches both gateways of a pair, and would reach the other sites twice.
func (r renderer) vxlanInstance(instance string, vni uint32) {
	r.In(sros.ConfigureServiceVplsVxlanInstance, instance, func() {
		r.Uint(sros.ConfigureServiceVplsVxlanInstanceVni, uint64(vni))
		if instance == towardsFabric && r.d.WAN.Segment != nil {
			r.Str(sros.ConfigureServiceVplsVxlanInstanceRxDiscardOnNdf, "bum")
		}
	})
}

func (r renderer) bgpInstance(instance string, side *fabric.Instance) {
	r.In(sros.ConfigureServiceVplsBgp, instance, func() {
		r.Str(sros.ConfigureServiceVplsBgpRouteDistinguisher, side.RD)
		r.Str(sros.ConfigureServiceVplsBgpRouteTargetExport, side.RT)
		r.Str(sros.ConfigureServiceVplsBgpRouteTargetImport, side.RT)
	})
}

// overVXLAN is EVPN with VXLAN. On the side of an interconnect segment that is also told to the site: the gateways of a pair
// learn from it that they are two, and do not take each other's routes for those of hosts.
func (r renderer) overVXLAN(instance, side string) {
	r.In(sros.ConfigureServiceVplsBgpEvpnVxlan, instance, func() {
		r.Str(sros.ConfigureServiceVplsBgpEvpnVxlanVxlanInstance, instance)
		r.enable(sros.ConfigureServiceVplsBgpEvpnVxlanAdminState)
		r.Uint(sros.ConfigureServiceVplsBgpEvpnVxlanEcmp, r.tunnels())
		r.Str(sros.ConfigureServiceVplsBgpEvpnVxlanMhMode, side)
		if instance == towardsFabric && r.d.WAN.Segment != nil {
			r.Bool(sros.ConfigureServiceVplsBgpEvpnVxlanRoutesAutoDiscAdvertise, true)
		}
	})
}

// overLabels is EVPN with MPLS, in tunnels of segment routing. What is flooded has labels of its own: on a segment the far end
// must tell it from the rest (RFC 7432 §8.3.1).
func (r renderer) overLabels() {
	r.In(sros.ConfigureServiceVplsBgpEvpnMpls, towardsWAN, func() {
		r.enable(sros.ConfigureServiceVplsBgpEvpnMplsAdminState)
		r.Bool(sros.ConfigureServiceVplsBgpEvpnMplsIngressReplicationBumLabel, true)
		r.Uint(sros.ConfigureServiceVplsBgpEvpnMplsEcmp, r.tunnels())
		r.Str(sros.ConfigureServiceVplsBgpEvpnMplsMhMode, "network")
		r.Str(sros.ConfigureServiceVplsBgpEvpnMplsAutoBindTunnelResolution, "filter")
		r.Uint(sros.ConfigureServiceVplsBgpEvpnMplsAutoBindTunnelEcmp, r.tunnels())
		r.Bool(sros.ConfigureServiceVplsBgpEvpnMplsAutoBindTunnelResolutionFilterSrIsis, true)
	})
}
