package sros

import "github.com/loomfabric/loom/pkg/driver"

// What starts again with a service.
const (
	bridgeStarts  = "the segment is cut from other sites here until it is there again"
	tenantStarts  = "the tenant is cut from other sites here until it is there again"
	routesRenewed = "routes to other sites are withdrawn and learned again"
	electedAgain  = "the gateways of the site elect anew who forwards what is flooded"
)

// disruptiveServices is what stops a service for a moment: what cannot be changed while it is there (sros-ext:immutable), so that
// it goes and is made anew, and what its EVPN instances start again for (sros-ext:auto-restart-to-modify).
var disruptiveServices = []driver.Disruption{
	{Path: vplsPath, Why: "the segment is cut from other sites here"},
	{Path: vplsPath + "/admin-state", Idle: switchedOff, Why: bridgeStarts},
	{Path: vplsPath + "/service-id", Why: bridgeStarts},
	{Path: vplsPath + "/customer", Why: bridgeStarts},
	{Path: vplsPath + "/routed-vpls", Why: bridgeStarts},
	{Path: vplsPath + "/vxlan/instance", Why: bridgeStarts},
	{Path: vplsPath + "/vxlan/instance/vni", Why: bridgeStarts},
	{Path: vplsPath + "/bgp", Why: bridgeStarts},
	{Path: vplsPath + "/bgp/route-distinguisher", Why: routesRenewed},
	{Path: vplsPath + "/bgp/route-target/import", Why: routesRenewed},
	{Path: vplsPath + "/bgp/route-target/export", Why: routesRenewed},
	{Path: vplsPath + "/bgp-evpn", Why: bridgeStarts},
	{Path: vplsPath + "/bgp-evpn/evi", Why: routesRenewed},
	{Path: vplsPath + "/bgp-evpn/vxlan", Why: bridgeStarts},
	{Path: vplsPath + "/bgp-evpn/vxlan/vxlan-instance", Why: bridgeStarts},
	{Path: vplsPath + "/bgp-evpn/vxlan/admin-state", Idle: switchedOff, Why: bridgeStarts},
	{Path: vplsPath + "/bgp-evpn/vxlan/mh-mode", Why: routesRenewed},
	{Path: vplsPath + "/bgp-evpn/vxlan/routes/auto-disc/advertise", Why: routesRenewed},
	{Path: vplsPath + "/bgp-evpn/mpls", Why: bridgeStarts},
	{Path: vplsPath + "/bgp-evpn/mpls/admin-state", Idle: switchedOff, Why: bridgeStarts},
	{Path: vplsPath + "/bgp-evpn/mpls/mh-mode", Why: routesRenewed},
	{Path: vplsPath + "/bgp-evpn/mpls/ingress-replication-bum-label", Why: routesRenewed},
	{Path: vplsPath + "/bgp-evpn/mpls/control-word", Why: routesRenewed},
	{Path: vplsPath + "/bgp-evpn/mpls/auto-bind-tunnel/resolution", Why: bridgeStarts},

	{Path: vprnPath, Why: "the tenant is cut from other sites here"},
	{Path: vprnPath + "/admin-state", Idle: switchedOff, Why: tenantStarts},
	{Path: vprnPath + "/service-id", Why: tenantStarts},
	{Path: vprnPath + "/customer", Why: tenantStarts},
	{Path: vprnPath + "/interface", Why: tenantStarts},
	{Path: vprnPath + "/interface/admin-state", Idle: switchedOff, Why: tenantStarts},
	{Path: vprnPath + "/interface/vpls", Why: tenantStarts},
	{Path: vprnPath + "/vxlan/instance", Why: tenantStarts},
	{Path: vprnPath + "/vxlan/instance/vni", Why: tenantStarts},
	{Path: vprnPath + "/bgp-evpn/mpls", Why: tenantStarts},
	{Path: vprnPath + "/bgp-evpn/mpls/admin-state", Idle: switchedOff, Why: tenantStarts},
	{Path: vprnPath + "/bgp-evpn/mpls/route-distinguisher", Why: routesRenewed},
	{Path: vprnPath + "/bgp-evpn/mpls/domain-id", Why: routesRenewed},
	{Path: vprnPath + "/bgp-evpn/mpls/vrf-target/community", Why: routesRenewed},
	{Path: vprnPath + "/bgp-evpn/mpls/auto-bind-tunnel/resolution", Why: tenantStarts},
	{Path: vprnPath + "/bgp-evpn/vxlan", Why: tenantStarts},
	{Path: vprnPath + "/bgp-evpn/vxlan/admin-state", Idle: switchedOff, Why: tenantStarts},
	{Path: vprnPath + "/bgp-evpn/vxlan/route-distinguisher", Why: routesRenewed},
	{Path: vprnPath + "/bgp-evpn/vxlan/domain-id", Why: routesRenewed},
	{Path: vprnPath + "/bgp-evpn/vxlan/vrf-target/community", Why: routesRenewed},

	{Path: segmentPath, Why: electedAgain},
	{Path: segmentPath + "/admin-state", Idle: switchedOff, Why: electedAgain},
	{Path: segmentPath + "/esi", Why: electedAgain},
	{Path: segmentPath + "/type", Why: electedAgain},
	{Path: segmentPath + "/multi-homing-mode", Why: electedAgain},
	{Path: segmentPath + "/df-election/service-carving-mode", Why: electedAgain},
}
