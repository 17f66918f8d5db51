package sros

import (
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/fabric"
)

// ethernetHeader is what a service MTU counts and an IP MTU does not, in bytes.
const ethernetHeader = 14

// usualServiceMTU is that of a VPLS that says none.
const usualServiceMTU = 1514

// inner is the bridge between the fabric and the router of a tenant. Nobody is in it but VTEPs: prefixes come and go as type 5
// routes with the MAC address of their router and the tenant's VNI, which is what leaves with interface-less routes have, too
// (RFC 9136 §4.4.1, §4.4.3). What is told to the fabric has come through the domain of the WAN, and says so. The bridge has to
// take what its router's interface may send: an interface never does more than the bridge that it leads to.
func (r renderer) inner(x *fabric.Router) {
	r.because(x.Ref, "tenant in the fabric")
	r.In(sros.ConfigureServiceVpls, innerName(x), func() {
		r.Uint(sros.ConfigureServiceVplsServiceId, uint64(x.Inner))
		r.Str(sros.ConfigureServiceVplsDescription, x.Key)
		r.Str(sros.ConfigureServiceVplsCustomer, customer)
		r.enable(sros.ConfigureServiceVplsAdminState)
		if x.MTU != 0 {
			r.because(x.MTURef, "service mtu")
			r.Uint(sros.ConfigureServiceVplsServiceMtu, uint64(x.MTU)+ethernetHeader)
			r.because(x.Ref, "tenant in the fabric")
		}
		r.Uint(sros.ConfigureServiceVplsFdbTableSize, mostMACs)
		r.Presence(sros.ConfigureServiceVplsRoutedVpls)
		r.Bool(sros.ConfigureServiceVplsRoutedVplsVxlanIpv4TepEcmp, true)
		r.In(sros.ConfigureServiceVplsVxlanInstance, towardsFabric, func() {
			r.Uint(sros.ConfigureServiceVplsVxlanInstanceVni, uint64(x.Fabric.VNI))
		})
		r.bgpInstance(towardsFabric, &x.Fabric)
		r.Presence(sros.ConfigureServiceVplsBgpEvpn)
		r.Uint(sros.ConfigureServiceVplsBgpEvpnEvi, uint64(x.Fabric.EVI))
		r.Bool(sros.ConfigureServiceVplsBgpEvpnRoutesIpPrefixAdvertise, true)
		r.Str(sros.ConfigureServiceVplsBgpEvpnRoutesIpPrefixDomainId, x.Fabric.Domain)
		r.In(sros.ConfigureServiceVplsBgpEvpnVxlan, towardsFabric, func() {
			r.Str(sros.ConfigureServiceVplsBgpEvpnVxlanVxlanInstance, towardsFabric)
			r.enable(sros.ConfigureServiceVplsBgpEvpnVxlanAdminState)
			r.Uint(sros.ConfigureServiceVplsBgpEvpnVxlanEcmp, r.tunnels())
		})
	})
}

// propagation lets what BGP says of a prefix pass an R-VPLS both ways, for all tenants alike: unless that is asked for, the
// router makes each route anew there. D-PATH would be gone, and the gateways of a pair would take back from the fabric what one of
// them has brought there (draft-ietf-bess-evpn-ipvpn-interworking §4, uniform propagation §5.2).
//
// Nor would what BGP says of routes of the fabric decide between them: EVPN takes as many as ecmp allows in the order of their
// distinguishers, and a leaf that is drained (local preference 0, a longer path) would get its share. The length of D-PATH
// counts, before that of the AS path; it decides nothing between leaves, whose routes have none. Routes of the fabric win
// over those of the WAN in any case: their preference is 169, that of the others 170.
func (r renderer) propagation() {
	r.because(r.d.WAN.Ref, "prefixes of tenants")
	r.Bool(sros.ConfigureServiceSystemBgpEvpnIpPrefixRoutesInterfaceFulAttributeUniformPropagation, true)
	r.Bool(sros.ConfigureServiceSystemBgpEvpnIpPrefixRoutesInterfaceFulBgpPathSelection, true)
}
