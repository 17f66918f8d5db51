package sros

import (
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Whom services are for. The router's own customer, 1, is always there, and nobody can take it away.
const (
	customer   = "loom"
	customerID = 100000 // beyond those that people count from 1
)

// The two BGP instances of a service, and with VXLAN its VXLAN instances. Only the first may be on an interconnect segment
// (/configure/service/system/bgp/evpn/ethernet-segment/association/network-interconnect-vxlan).
const (
	towardsFabric = "1"
	towardsWAN    = "2"
)

// services end the tunnels of the own site and those of the WAN, and hand on between them (RFC 9014, and for prefixes
// draft-ietf-bess-evpn-ipvpn-interworking): a segment as a VPLS with two instances, a tenant as a VPRN that an R-VPLS joins
// to the fabric.
func (r renderer) services() {
	w := &r.d.WAN
	if !r.stitches() {
		return
	}
	r.because(w.Ref, "customer")
	r.In(sros.ConfigureServiceCustomer, customer, func() {
		r.Uint(sros.ConfigureServiceCustomerCustomerId, customerID)
	})
	r.siteSegment()
	for i := range w.Bridges {
		r.bridge(&w.Bridges[i])
	}
	if len(w.Routers) > 0 {
		r.propagation()
	}
	for i := range w.Routers {
		r.inner(&w.Routers[i])
		r.tenant(&w.Routers[i])
	}
}

// stitches tells whether the gateway ends tunnels of tenants.
func (r renderer) stitches() bool { return len(r.d.WAN.Bridges)+len(r.d.WAN.Routers) > 0 }

// overMPLS tells whether gateways speak MPLS among themselves; if not, VXLAN.
func (r renderer) overMPLS() bool { return r.d.WAN.Labels.Size != 0 }

// mostTunnels is the range of ecmp in an EVPN instance of a bridge, and of auto-bind-tunnel.
const mostTunnels = 32

func (r renderer) tunnels() uint64 { return uint64(min(r.d.Underlay.MaxPaths, mostTunnels)) }

// innerName is the service between the fabric and the router of a tenant. No segment has a dot in its name.
func innerName(x *fabric.Router) string { return x.Name + innerSuffix }

const innerSuffix = ".fabric"
