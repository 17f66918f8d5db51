package sros

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/verify"
)

const (
	isisState   = "/state/router[router-name=" + base + "]/isis[isis-instance=*]/interface[interface-name=*]/adjacency[adjacency-index=*]"
	tunnelState = "/state/router[router-name=" + base + "]/tunnel-table/ipv4/tunnel[ipv4-prefix=*][list-index=*][nexthop-index=*]"
	labelState  = bridgeState + "/bgp-evpn/mpls[bgp-instance=*]/destinations/non-ethernet-segment-destination[ip-address=*][label=*]"
	routerState = "/state/service/vprn[service-name=*]"
	countState  = routerState + "/route-table/unicast/ipv4/statistics"
)

// wanPaths are what is read of what joins sites: IS-IS and its labels, and services with what they send to.
var wanPaths = []string{
	basePath + "/isis[isis-instance=*]/admin-state",
	basePath + "/isis[isis-instance=*]/interface[interface-name=*]/admin-state",
	basePath + "/isis[isis-instance=*]/interface[interface-name=*]/passive",
	basePath + "/isis[isis-instance=*]/segment-routing/admin-state",
	vplsPath + "[service-name=*]/admin-state",
	vplsPath + "[service-name=*]/bgp-evpn/mpls[bgp-instance=*]/admin-state",
	vprnPath + "[service-name=*]/admin-state",
	vprnPath + "[service-name=*]/interface[interface-name=*]/admin-state",
	vprnPath + "[service-name=*]/interface[interface-name=*]/vpls[vpls-name=*]",
	segmentPath + "[ethernet-segment-name=*]/admin-state",
	isisState + "/oper-state",
	isisState + "/usage",
	isisState + "/neighbor/system-id",
	isisState + "/neighbor/ipv4",
	tunnelState + "/protocol",
	labelState + "/tunnel-id[tunnel-id=*]/oper-state",
	routerState + "/oper-state",
	routerState + "/interface[interface-name=*]/oper-state",
	countState + "/evpn-iff/active-routes",
	countState + "/evpn-ifl/active-routes",
}

// askedAdjacencies are the interfaces on which IS-IS is to have neighbors.
func (o observation) askedAdjacencies() map[string]verify.Adjacency {
	out := map[string]verify.Adjacency{}
	for _, isis := range o.entry(sros.ConfigureRouter, base).entries(sros.ConfigureRouterIsis) {
		for name, i := range isis.entries(sros.ConfigureRouterIsisInterface) {
			passive := i.text(sros.ConfigureRouterIsisInterfacePassive) == "true"
			if !passive && isis.on(sros.ConfigureRouterIsisAdminState) && i.on(sros.ConfigureRouterIsisInterfaceAdminState) {
				out[name] = verify.Adjacency{Enabled: true}
			}
		}
	}
	return out
}

// adjacencies are the IS-IS neighbors of the base router. Of several on an interface the one that is up counts.
func (o observation) adjacencies() map[string]verify.Adjacency {
	out := o.askedAdjacencies()
	for _, isis := range o.entry(sros.StateRouter, base).entries(sros.StateRouterIsis) {
		for name, i := range isis.entries(sros.StateRouterIsisInterface) {
			for _, n := range i.entries(sros.StateRouterIsisInterfaceAdjacency) {
				a := out[name]
				if a.State == inService {
					break
				}
				a.State = n.text(sros.StateRouterIsisInterfaceAdjacencyOperState)
				a.Level2 = strings.Contains(n.text(sros.StateRouterIsisInterfaceAdjacencyUsage), "2")
				a.System = systemOf(n.text(sros.StateRouterIsisInterfaceAdjacencyNeighborSystemId))
				a.Peer, _ = netip.ParseAddr(n.text(sros.StateRouterIsisInterfaceAdjacencyNeighborIpv4)) // the zero Addr where it is not told
				out[name] = a
			}
		}
	}
	return out
}

// systemOf is the router id that a system id is made of, three digits for each byte, unless somebody has set another one: 10.1.64.1 of
// "0100.0106.4001", whatever circuit it names behind that.
func systemOf(id string) netip.Addr {
	const all = 12
	digits := strings.NewReplacer(".", "", "-", "", ":", "").Replace(id)
	if len(digits) < all {
		return netip.Addr{}
	}
	var b [4]byte
	for i := range b {
		n, err := strconv.ParseUint(digits[3*i:3*i+3], 10, 8)
		if err != nil {
			return netip.Addr{}
		}
		b[i] = byte(n)
	}
	return netip.AddrFrom4(b)
}

// labelling tells whether IS-IS is to give labels.
func (o observation) labelling() bool {
	for _, isis := range o.entry(sros.ConfigureRouter, base).entries(sros.ConfigureRouterIsis) {
		if isis.on(sros.ConfigureRouterIsisAdminState) && isis.text(sros.ConfigureRouterIsisSegmentRoutingAdminState) == "enable" {
			return true
		}
	}
	return false
}

// labels are the ends of tunnels that IS-IS has made: a tunnel to a router is one to its own address alone.
func (o observation) labels() verify.Labels {
	out := verify.Labels{Enabled: o.labelling()}
	for text, t := range o.entry(sros.StateRouter, base).entries(sros.StateRouterTunnelTableIpv4Tunnel) {
		prefix, err := netip.ParsePrefix(text)
		if err == nil && prefix.IsSingleIP() && t.text(sros.StateRouterTunnelTableIpv4TunnelProtocol) == "isis" {
			out.Ends = append(out.Ends, prefix.Addr())
		}
	}
	slices.SortFunc(out.Ends, netip.Addr.Compare)
	out.Ends = slices.Compact(out.Ends)
	return out
}

// askedServices are the bridges of two sides and the routers of tenants. A bridge that a router leads into is a part of that one: a
// router is enabled if all of it is.
func (o observation) askedServices() map[string]verify.Service {
	out := map[string]verify.Service{}
	for name, s := range o.entries(sros.ConfigureServiceVpls) {
		if s.has(sros.ConfigureServiceVplsRoutedVpls) {
			continue
		}
		asked := verify.Service{Enabled: s.on(sros.ConfigureServiceVplsAdminState)}
		for _, m := range s.entries(sros.ConfigureServiceVplsBgpEvpnMpls) {
			asked.MPLS = asked.MPLS || m.on(sros.ConfigureServiceVplsBgpEvpnMplsAdminState)
		}
		out[name] = asked
	}
	for name, s := range o.entries(sros.ConfigureServiceVprn) {
		asked := verify.Service{Enabled: s.on(sros.ConfigureServiceVprnAdminState)}
		for _, way := range s.entries(sros.ConfigureServiceVprnInterface) {
			for bridge := range way.entries(sros.ConfigureServiceVprnInterfaceVpls) {
				inner := o.entry(sros.ConfigureServiceVpls, bridge)
				asked.Enabled = asked.Enabled && way.on(sros.ConfigureServiceVprnInterfaceAdminState) && inner.Valid() && inner.on(sros.ConfigureServiceVplsAdminState)
			}
		}
		out[name] = asked
	}
	return out
}

// services are what those show.
func (o observation) services() map[string]verify.Service {
	out := o.askedServices()
	for name, s := range out {
		if bridge := o.entry(sros.StateServiceVpls, name); bridge.Valid() {
			s.Reason = down("", bridge.text(sros.StateServiceVplsOperState))
			s.Floods = bridge.floodedByLabel()
		}
		if router := o.entry(sros.StateServiceVprn, name); router.Valid() {
			s.Reason = o.brokenPart(name, router)
			s.Inside = router.number(sros.StateServiceVprnRouteTableUnicastIpv4StatisticsEvpnIffActiveRoutes)
			s.Outside = router.number(sros.StateServiceVprnRouteTableUnicastIpv4StatisticsEvpnIflActiveRoutes)
		}
		s.Up = s.Reason == "" && (o.entry(sros.StateServiceVpls, name).Valid() || o.entry(sros.StateServiceVprn, name).Valid())
		out[name] = s
	}
	return out
}

// brokenPart says what of a tenant's router is down: itself, its interface into the fabric, or the bridge behind that; "" if nothing is.
func (o observation) brokenPart(name string, router observation) string {
	if why := down("", router.text(sros.StateServiceVprnOperState)); why != "" {
		return why
	}
	for way, i := range o.entry(sros.ConfigureServiceVprn, name).entries(sros.ConfigureServiceVprnInterface) {
		shown := router.entry(sros.StateServiceVprnInterface, way)
		if why := down("interface "+way+" ", shown.text(sros.StateServiceVprnInterfaceOperState)); why != "" {
			return why
		}
		for bridge := range i.entries(sros.ConfigureServiceVprnInterfaceVpls) {
			if why := down(bridge+" ", o.entry(sros.StateServiceVpls, bridge).text(sros.StateServiceVplsOperState)); why != "" {
				return why
			}
		}
	}
	return ""
}

// down is what is not in service, and its state; "" if it is.
func down(what, state string) string {
	switch state {
	case inService:
		return ""
	case "":
		return what + "not there"
	}
	return what + state
}

// floodedByLabel are the routers that broadcast of a bridge goes to over MPLS.
func (o observation) floodedByLabel() (out []netip.Addr) {
	const far = sros.StateServiceVplsBgpEvpnMplsDestinationsNonEthernetSegmentDestination
	for _, mpls := range o.entries(sros.StateServiceVplsBgpEvpnMpls) {
		for text, d := range mpls.entries(far) {
			a, err := netip.ParseAddr(text)
			for _, t := range d.entries(sros.StateServiceVplsBgpEvpnMplsDestinationsNonEthernetSegmentDestinationTunnelId) {
				if err == nil && t.text(sros.StateServiceVplsBgpEvpnMplsDestinationsNonEthernetSegmentDestinationTunnelIdOperState) == inService {
					out = append(out, a)
				}
			}
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}
