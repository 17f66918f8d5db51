package network

import (
	"cmp"
	"net/netip"
	"slices"
)

// preferARP is the preference of host routes, as tables of SR Linux show it.
const preferARP = 1

// prefixes are the routes of an instance that the router has by itself and may announce: connected,
// static, IS-IS, and hosts that it has heard.
func (s *pe) prefixes(d *domain) []TableRoute {
	rows := connected(d.subs)
	if len(d.Static) > 0 || d.ISIS != nil {
		for _, row := range Table(s.plant, nil, s.router.Name, d.Name).Routes() {
			if row.Protocol == "static" || row.Protocol == "isis" {
				rows = append(rows, row)
			}
		}
	}
	return append(rows, d.hostRoutes()...)
}

// connected are the subnets of subinterfaces, and the addresses that are alone in theirs.
func connected(subs []*Subinterface) []TableRoute {
	var rows []TableRoute
	for _, sub := range subs {
		for _, a := range sub.Addresses {
			rows = append(rows, TableRoute{Prefix: a.Prefix.Masked(), Protocol: "local", Preference: preferLocal, NextHops: []Hop{{Subinterface: sub.Name}}})
		}
	}
	return rows
}

// broadcasts are the routes to the broadcast addresses of IPv4 subnets. They have no next hop and are
// announced to nobody.
func broadcasts(subs []*Subinterface) []TableRoute {
	var rows []TableRoute
	for _, sub := range subs {
		for _, a := range sub.Addresses {
			if a.Prefix.Addr().Is4() && a.Prefix.Bits() < 31 {
				rows = append(rows, TableRoute{Prefix: host(broadcast(a.Prefix)), Protocol: "host", Preference: preferLocal})
			}
		}
	}
	return rows
}

func broadcast(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// hostRoutes are the ARP and ND entries that go into the route table (arp/host-route/populate).
func (d *domain) hostRoutes() []TableRoute {
	var rows []TableRoute
	for _, sub := range d.subs {
		if !sub.HostRoutes {
			continue
		}
		for _, l := range d.heard(sub) {
			rows = append(rows, TableRoute{Prefix: host(l.IP), Protocol: "arp-nd", Preference: preferARP, NextHops: []Hop{{Subinterface: sub.Name, Addr: l.IP}}})
		}
	}
	return rows
}

// routeTable are the active routes of an instance: of each prefix that of the lowest preference.
func (o *observer) routeTable(d *domain) []TableRoute {
	rows := slices.Concat(Table(o.plant, o.routing, o.router.Name, d.Name).Routes(), broadcasts(d.subs), d.hostRoutes(), tenantRoutes(d))
	slices.SortStableFunc(rows, func(a, b TableRoute) int {
		return cmp.Or(a.Prefix.Compare(b.Prefix), cmp.Compare(a.Preference, b.Preference))
	})
	return slices.CompactFunc(rows, func(a, b TableRoute) bool { return a.Prefix == b.Prefix })
}

// tenantRoutes are the routes of other routers of an IP-VRF: type 5 (RFC 9136), and hosts of MAC/IP
// routes with a layer 3 VNI (RFC 9135 §5.2). The former come first: a host that is announced both ways is
// taken from them. An instance that stitches has type 5 routes only: they are what it announces on the other side.
func tenantRoutes(d *domain) []TableRoute {
	var rows []TableRoute
	hosts := map[netip.Prefix][]*Path{}
	for _, p := range d.near.paths {
		if p.Type == MACIP && p.VNI2 != 0 && p.Prefix.IsValid() && d.far == nil {
			hosts[p.Prefix] = append(hosts[p.Prefix], p)
		}
	}
	for prefix, c := range d.choices() {
		rows = append(rows, tunnelled(prefix, "bgp-evpn", c.side, c.paths))
	}
	for prefix, all := range hosts {
		rows = append(rows, tunnelled(prefix, "bgp-evpn-ifl-host", d.near, d.near.chosen(all)))
	}
	return rows
}

// tunnelled is a route over the paths that an EVPN instance has chosen, at most as many as its ECMP allows.
func tunnelled(prefix netip.Prefix, protocol string, e *evi, chosen []*Path) TableRoute {
	row := TableRoute{Prefix: prefix, Protocol: protocol, Preference: e.preference()}
	for _, p := range chosen {
		if hop := tenantHop(p); !slices.ContainsFunc(row.NextHops, hop.sameEnd) && len(row.NextHops) < max(e.ECMP, 1) {
			row.NextHops = append(row.NextHops, hop)
		}
	}
	slices.SortFunc(row.NextHops, func(a, b Hop) int {
		return cmp.Or(a.VTEP.Compare(b.VTEP), cmp.Compare(a.VNI, b.VNI), cmp.Compare(a.Label, b.Label))
	})
	return row
}

// sameEnd tells whether two hops are the same tunnel.
func (h Hop) sameEnd(o Hop) bool { return h.VTEP == o.VTEP && h.VNI == o.VNI && h.Label == o.Label }

func tenantHop(p *Path) Hop {
	h := Hop{Router: p.Origin, VTEP: p.NextHop}
	switch {
	case p.Type == MACIP:
		h.VNI = p.VNI2
	case p.Encap == OverMPLS:
		h.Label = p.VNI
	default:
		h.VNI = p.VNI
	}
	return h
}

// choice is the side that an IP-VRF takes a prefix from, and the paths that it takes there, the best one first.
type choice struct {
	side  *evi
	paths []*Path
}

// choices are those of all prefixes of an IP-VRF: the side of the lowest preference in the route table, or where that is the same
// the one that has the best path. Where both are as good, its own domain's.
func (d *domain) choices() map[netip.Prefix]choice {
	all := map[netip.Prefix]choice{}
	for _, side := range d.evis() {
		for prefix, paths := range ipPrefixes(side.paths) {
			here, before := choice{side, side.chosen(paths)}, all[prefix]
			if before.side == nil || cmp.Or(cmp.Compare(side.preference(), before.side.preference()), ByAttributes.compare(here.paths[0], before.paths[0])) < 0 {
				all[prefix] = here
			}
		}
	}
	return all
}

// preference is that of its routes in the route table.
func (e *evi) preference() int {
	if e.Preference == 0 {
		return preferBGP
	}
	return e.Preference
}

// chosen are the best of some paths to one prefix, all as good as each other: in the order of their tunnel endpoints, or of their
// distinguishers where it is these that decide.
func (e *evi) chosen(paths []*Path) []*Path {
	best := slices.MinFunc(paths, e.Choice.compare)
	equal := slices.DeleteFunc(slices.Clone(paths), func(p *Path) bool { return e.Choice.compare(p, best) != 0 })
	slices.SortStableFunc(equal, func(a, b *Path) int {
		if e.Choice == ByDistinguisher {
			return a.RD.compare(b.RD)
		}
		return a.NextHop.Compare(b.NextHop)
	})
	return equal
}

// ipPrefixes are the type 5 routes among paths.
func ipPrefixes(paths []*Path) map[netip.Prefix][]*Path {
	all := map[netip.Prefix][]*Path{}
	for _, p := range paths {
		if p.Type == IPPrefix {
			all[p.Prefix] = append(all[p.Prefix], p)
		}
	}
	return all
}

// compare orders paths of different route distinguishers by what comes first in the choice of BGP (RFC 4271 §9.1.2.2);
// those that have come through fewer domains are better (draft-ietf-bess-evpn-ipvpn-interworking §6).
func (c Choice) compare(a, b *Path) int {
	domains := cmp.Compare(len(a.Domains), len(b.Domains))
	switch c {
	case ByDistinguisher:
		return 0
	case ButDomains:
		domains = 0
	}
	return cmp.Or(cmp.Compare(b.LocalPref, a.LocalPref), domains, cmp.Compare(len(a.ASPath), len(b.ASPath)), cmp.Compare(a.MED, b.MED))
}
