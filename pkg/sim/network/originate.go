package network

import "net/netip"

// Originate returns the routes that a router announces by itself: connected, static and IS-IS ones that
// its export policies may take, and the EVPN routes of its instances, segments and hosts. No two have the
// same NLRI.
//
// The EVPN routes are those of an SR Linux of 25.3, as public records of its BGP tables show them: A-D
// routes per segment are announced by each MAC-VRF with its own route distinguisher and targets; an
// anycast gateway is a static MAC/IP route, the own address of an IRB a static MAC route; hosts of an
// IP-VRF are type 5 routes unless interface-less-routing puts them into MAC/IP routes.
func Originate(p *Plant, router string) []Route {
	s := peOf(p, router)
	if s == nil {
		return nil
	}
	o := originator{pe: s, seen: map[NLRI]bool{}}
	s.yield()
	for _, d := range s.domains {
		switch {
		case d.Kind == Default && d.Enabled:
			o.unicast(d)
		case d.Kind == MACVRF:
			o.macVRF(d)
		case d.Kind == IPVRF:
			o.ipVRF(d)
		}
	}
	o.segmentRoutes()
	return append(make([]Route, 0, len(o.routes)), o.routes...) // they stay: without room for more
}

// originator collects the routes of a router.
type originator struct {
	*pe
	routes []Route
	seen   map[NLRI]bool
}

func (o *originator) add(r Route) {
	if !o.seen[r.NLRI] {
		o.seen[r.NLRI] = true
		r.Origin = o.router.Name
		o.routes = append(o.routes, r)
	}
}

// unicast are the routes of the default instance. To a policy a loopback's address is as local as a
// subnet.
func (o *originator) unicast(d *domain) {
	for _, row := range o.prefixes(d) {
		f := IPv6
		if row.Prefix.Addr().Is4() {
			f = IPv4
		}
		o.add(Route{NLRI: NLRI{Family: f, Prefix: row.Prefix}, Instance: d.Name, Protocol: row.Protocol})
	}
}

// macVRF are the routes of a bridge that is stretched by EVPN (RFC 7432, RFC 8365 §5.1): those of each of its instances.
func (o *originator) macVRF(d *domain) {
	for _, side := range d.evis() {
		if side.MulticastRoutes {
			o.add(side.route(NLRI{Type: InclusiveMulticast, Prefix: host(side.source())}))
		}
		for _, sub := range d.subs {
			if es := o.segments[sub.Parent]; es != nil {
				o.autoDiscovery(side, es)
			}
		}
		if d.segment != nil && d.shows(side) {
			o.autoDiscovery(side, d.segment)
		}
		if side.MACRoutes {
			o.hosts(d, side)
			o.gateway(d, side)
		}
	}
}

// autoDiscovery says that the instance is on a segment: for all of it, and for aliasing (RFC 7432 §8.2.1,
// §8.4).
func (o *originator) autoDiscovery(e *evi, es *EthernetSegment) {
	all := e.route(NLRI{Type: EthernetAD, ESI: es.ESI, Tag: MaxET})
	all.VNI, all.ESILabel, all.SingleActive = 0, true, es.SingleActive
	o.add(all)
	o.add(e.route(NLRI{Type: EthernetAD, ESI: es.ESI}))
}

// hosts are the MAC addresses that are heard, and the IP addresses that the gateway has learned for them.
func (o *originator) hosts(d *domain, e *evi) {
	for _, h := range d.hosts {
		r := e.route(NLRI{Type: MACIP, MAC: h.MAC})
		r.ESI2 = o.esi(h.Subinterface)
		o.add(r)
	}
	if d.irb == nil || !d.irb.AdvertiseL3 {
		return
	}
	for _, l := range learn(d.irb, d.hosts) {
		r := e.route(NLRI{Type: MACIP, MAC: l.MAC, Prefix: host(l.IP)})
		r.ESI2 = o.esi(l.host.Subinterface)
		if vrf := d.routedBy; d.irb.Symmetric && vrf != nil && e == d.near && vrf.near.oper.Up {
			r.VNI2, r.RouterMAC = vrf.near.label(), o.router.Chassis
			r.Targets = append(append([]RT(nil), r.Targets...), vrf.near.Export...)
		}
		o.add(r)
	}
}

// gateway are the addresses of the IRB, which no host may take: static (RFC 7432 §15.2).
func (o *originator) gateway(d *domain, e *evi) {
	if d.irb == nil {
		return
	}
	alone := true
	for _, a := range d.irb.Addresses {
		n := NLRI{Type: MACIP, MAC: d.irb.MAC, Prefix: host(a.Prefix.Addr())}
		if a.Anycast {
			n.MAC = d.irb.Anycast
		} else {
			alone = false
		}
		r := e.route(n)
		r.Static = true
		o.add(r)
	}
	if alone {
		r := e.route(NLRI{Type: MACIP, MAC: d.irb.MAC})
		r.Static = true
		o.add(r)
	}
}

// ipVRF are the prefixes of a tenant, and the MAC address of its gateway where others ask for that (RFC 9136 §4.4.3).
func (o *originator) ipVRF(d *domain) {
	for _, side := range d.evis() {
		for _, row := range o.prefixes(d) {
			o.add(side.prefix(row.Prefix))
		}
		if side.GatewayMAC {
			r := side.route(NLRI{Type: MACIP, MAC: o.router.Chassis})
			r.RouterMAC = o.router.Chassis
			o.add(r)
		}
	}
}

// segmentRoutes are those by which the members of a segment find each other (RFC 7432 §8.1.1). Their
// route distinguisher is <system address>:0
// (/system/network-instance/protocols/bgp-vpn/bgp-instance/route-distinguisher).
func (o *originator) segmentRoutes() {
	for i := range o.router.Segments {
		es := &o.router.Segments[i]
		if !o.segmentState(es).Up {
			continue
		}
		df := es.DF
		o.add(Route{
			NLRI:     NLRI{Family: L2EVPN, Type: EthernetSegmentRoute, RD: RD(o.vtep.String() + ":0"), ESI: es.ESI, Prefix: host(o.vtep)},
			Protocol: "bgp-evpn", NextHop: o.vtep, ESImport: esImport(es.ESI), DF: &df,
		})
	}
}

// host is the prefix of one address.
func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
