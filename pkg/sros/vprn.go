package sros

import (
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/fabric"
)

// interfaceFabric is the way of a tenant's router into the fabric.
const interfaceFabric = "fabric"

// mostVPRNPaths is the range of /configure/service/vprn/ecmp.
const mostVPRNPaths = 128

// tenant is the router of a tenant. It takes prefixes of the fabric from the R-VPLS and those of other sites from the WAN, and
// tells each side the other's. A prefix that has come through a domain of its own it does not take: that is how the gateways of a
// pair do not take back from the fabric what one of them has brought there (draft-ietf-bess-evpn-ipvpn-interworking §4).
func (r renderer) tenant(x *fabric.Router) {
	r.because(x.Ref, "stitched tenant")
	r.In(sros.ConfigureServiceVprn, x.Name, func() {
		r.Uint(sros.ConfigureServiceVprnServiceId, uint64(x.ID))
		r.Str(sros.ConfigureServiceVprnDescription, x.Key)
		r.Str(sros.ConfigureServiceVprnCustomer, customer)
		r.enable(sros.ConfigureServiceVprnAdminState)
		r.Uint(sros.ConfigureServiceVprnAutonomousSystem, uint64(r.d.WAN.AS))
		r.Uint(sros.ConfigureServiceVprnEcmp, uint64(min(max(x.ECMP, 1), mostVPRNPaths)))
		r.intoFabric(x)
		if r.overMPLS() {
			r.tenantOverLabels(x)
			return
		}
		r.In(sros.ConfigureServiceVprnVxlanInstance, one, func() {
			r.Uint(sros.ConfigureServiceVprnVxlanInstanceVni, uint64(x.WAN.VNI))
		})
		r.In(sros.ConfigureServiceVprnBgpEvpnVxlan, one, func() {
			r.Str(sros.ConfigureServiceVprnBgpEvpnVxlanVxlanInstance, one)
			r.enable(sros.ConfigureServiceVprnBgpEvpnVxlanAdminState)
			r.Str(sros.ConfigureServiceVprnBgpEvpnVxlanRouteDistinguisher, x.WAN.RD)
			r.Str(sros.ConfigureServiceVprnBgpEvpnVxlanDomainId, x.WAN.Domain)
			r.Str(sros.ConfigureServiceVprnBgpEvpnVxlanVrfTargetCommunity, x.WAN.RT)
		})
	})
}

// one is the only EVPN instance that a VPRN has, and its only VXLAN instance.
const one = "1"

// intoFabric is the interface towards the fabric: of both families, without an address.
func (r renderer) intoFabric(x *fabric.Router) {
	r.In(sros.ConfigureServiceVprnInterface, interfaceFabric, func() {
		r.enable(sros.ConfigureServiceVprnInterfaceAdminState)
		if x.MTU != 0 {
			r.because(x.MTURef, "tenant mtu")
			r.Uint(sros.ConfigureServiceVprnInterfaceIpMtu, uint64(x.MTU))
			r.because(x.Ref, "stitched tenant")
		}
		r.Presence(sros.ConfigureServiceVprnInterfaceIpv6)
		r.In(sros.ConfigureServiceVprnInterfaceVpls, innerName(x), func() {
			r.Presence(sros.ConfigureServiceVprnInterfaceVplsEvpnTunnel)
			r.Str(sros.ConfigureServiceVprnInterfaceVplsEvpnTunnelIpv6GatewayAddress, "mac")
		})
	})
}

// tenantOverLabels is EVPN with MPLS, in tunnels of segment routing.
func (r renderer) tenantOverLabels(x *fabric.Router) {
	r.In(sros.ConfigureServiceVprnBgpEvpnMpls, one, func() {
		r.enable(sros.ConfigureServiceVprnBgpEvpnMplsAdminState)
		r.Str(sros.ConfigureServiceVprnBgpEvpnMplsRouteDistinguisher, x.WAN.RD)
		r.Str(sros.ConfigureServiceVprnBgpEvpnMplsDomainId, x.WAN.Domain)
		r.Str(sros.ConfigureServiceVprnBgpEvpnMplsVrfTargetCommunity, x.WAN.RT)
		r.Str(sros.ConfigureServiceVprnBgpEvpnMplsAutoBindTunnelResolution, "filter")
		r.Uint(sros.ConfigureServiceVprnBgpEvpnMplsAutoBindTunnelEcmp, r.tunnels())
		r.Bool(sros.ConfigureServiceVprnBgpEvpnMplsAutoBindTunnelResolutionFilterSrIsis, true)
	})
}
