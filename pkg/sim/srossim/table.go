package srossim

import (
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// preferISIS is the preference of tunnels of IS-IS in the tunnel table, of those of LDP 9, as "show router tunnel-table" has them.
const preferISIS = 11

// tunnelTable writes /state/router/tunnel-table: the tunnels of segment routing that services may take.
func (w *writer) tunnelTable() {
	for i := range w.state.Links.Tunnels {
		t := &w.state.Links.Tunnels[i]
		if t.Instance != base {
			continue
		}
		entry := config.Path{{Name: "state"}, {Name: "router", Keys: []config.KeyValue{{Name: "router-name", Value: base}}}, {Name: "tunnel-table"}, {Name: "ipv4"},
			{Name: "tunnel", Keys: []config.KeyValue{{Name: "ipv4-prefix", Value: t.Prefix.String()}, {Name: "list-index", Value: "1"}, {Name: "nexthop-index", Value: "1"}}}}
		w.SetPath(entry, "")
		for leaf, value := range map[string]string{
			"protocol": "isis", "preference": decimal(preferISIS), "metric": decimal(t.Metric), "label": decimal(t.Label),
		} {
			w.SetPath(entry.Child(leaf), value)
		}
		if t.Via.Addr.IsValid() {
			w.SetPath(entry.Child("next-hop"), t.Via.Addr.String())
		}
	}
}

// routeCounts writes /state/service/vprn/route-table/unicast/ipv4/statistics: how many of the active routes of other routers came by way
// of an R-VPLS, with its interface as their next hop (RFC 9136 §4.4.3), and how many by EVPN of the VPRN itself (§4.4.1), with MPLS or a
// VNI of its own.
func (w *writer) routeCounts(c config.Cursor, routes []network.TableRoute) {
	vni := uint32(0)
	for own := range entries(c, sros.ConfigureServiceVprnVxlanInstance) {
		vni = uint32(number(own, sros.ConfigureServiceVprnVxlanInstanceVni))
	}
	var inner, own uint64
	for _, r := range routes {
		if len(r.NextHops) == 0 || !r.NextHops[0].VTEP.IsValid() || !r.Prefix.Addr().Is4() {
			continue
		}
		if hop := r.NextHops[0]; hop.Label != 0 || hop.VNI == vni {
			own++
		} else {
			inner++
		}
	}
	w.Uint(sros.StateServiceVprnRouteTableUnicastIpv4StatisticsEvpnIffActiveRoutes, inner)
	w.Uint(sros.StateServiceVprnRouteTableUnicastIpv4StatisticsEvpnIflActiveRoutes, own)
}
