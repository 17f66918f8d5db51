package network

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
)

// Announce returns the routes that a router announces: its own, and those that it announces anew because r has brought it
// routes for one of the two EVPN instances of a network instance. No two have the same NLRI.
func Announce(p *Plant, r Routing, router string) []Route {
	routes := Originate(p, router)
	if !stitches(p.Routers[router]) {
		return routes
	}
	return append(routes, restitch(p, r, router, routes)...)
}

// stitches returns whether a router has a network instance with two EVPN instances.
func stitches(r *Router) bool {
	return r != nil && slices.ContainsFunc(r.Instances, func(in Instance) bool { return in.Interconnect != nil })
}

// restitch returns what a router announces besides its own routes: what one EVPN instance of a network instance imports
// becomes a route of the other one, with its next hop, distinguisher, targets, label and encapsulation. Routes that tell of
// instances and segments, types 1, 3 and 4, stay where they are (RFC 9014 §4.4).
func restitch(p *Plant, r Routing, router string, own []Route) []Route {
	s := peOf(p, router)
	if s == nil {
		return nil
	}
	o := originator{pe: s, seen: map[NLRI]bool{}}
	for i := range own {
		o.seen[own[i].NLRI] = true
	}
	s.importPaths(r.Sessions(router), r.Paths(router, L2EVPN))
	for _, d := range s.domains {
		switch {
		case len(d.evis()) < 2:
		case d.Kind == MACVRF && !s.standsBy(d):
			o.stitchMACs(d)
		case d.Kind == IPVRF:
			o.stitchPrefixes(d)
		}
	}
	slices.SortFunc(o.routes, func(a, b Route) int { return a.NLRI.compare(&b.NLRI) })
	return o.routes
}

// standsBy returns whether another router forwards for a single-active interconnect segment: then nothing passes here.
func (s *pe) standsBy(d *domain) bool {
	es := d.segment
	return es != nil && es.SingleActive && !s.segmentInstance(es, d, remoteSegments(d.paths())[es.ESI]).DF
}

// other is the EVPN instance on the other side.
func (d *domain) other(e *evi) *evi {
	if e == d.near {
		return d.far
	}
	return d.near
}

// stitchMACs announces each MAC address on the side that it is not on, with its IP addresses. Sequence number and sticky bit
// stay (RFC 9014 §3.3, §4.4.3). Others see it on the interconnect segment, if there is one.
func (o *originator) stitchMACs(d *domain) {
	b := newBridge(d)
	best := b.remoteMACs()
	for _, from := range d.evis() {
		to := d.other(from)
		if !to.MACRoutes {
			continue
		}
		for _, p := range b.settled(from, best) {
			r := to.route(NLRI{Type: MACIP, MAC: p.MAC, Prefix: p.Prefix})
			r.Static, r.Sequence, r.Default = p.Static, p.Sequence, p.Default
			if d.shows(to) {
				r.ESI2 = d.interconnect()
			}
			o.add(r)
		}
	}
}

// settled returns the announcements of MAC addresses that are on one side: for each address and IP address the best one.
// best is who has each MAC address.
func (b *bridge) settled(e *evi, best map[MAC]*Path) []*Path {
	here := map[MAC]bool{}
	for _, p := range e.paths {
		if p.Type == MACIP && best[p.MAC] == p {
			here[p.MAC] = true
		}
	}
	var all []*Path
	for _, p := range e.paths {
		if p.Type == MACIP && here[p.MAC] && b.leads(p) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *Path) int {
		return cmp.Or(bytes.Compare(a.MAC[:], b.MAC[:]), a.Prefix.Compare(b.Prefix), first(outranks(a, b), outranks(b, a)))
	})
	return slices.CompactFunc(all, func(a, b *Path) bool { return a.MAC == b.MAC && a.Prefix == b.Prefix })
}

// stitchPrefixes announces each prefix on the side that it is not taken from: with what BGP says of it, and the domain that it
// comes from in front of those that it has come through (draft-ietf-bess-evpn-ipvpn-interworking §4.1, §5.2), or like one of the
// router's own (§5.1), which have come through no domain.
func (o *originator) stitchPrefixes(d *domain) {
	own := map[netip.Prefix]bool{}
	for _, row := range o.prefixes(d) {
		own[row.Prefix] = true
	}
	for prefix, c := range d.choices() {
		if own[prefix] {
			continue
		}
		r := d.other(c.side).prefix(prefix)
		if d.Interconnect.Uniform {
			c.pass(&r)
		}
		o.add(r)
	}
}

// pass gives a route that is announced anew what BGP says of the best path.
func (c choice) pass(r *Route) {
	best := c.paths[0]
	pref := best.LocalPref
	r.ASPath, r.LocalPref, r.MED, r.Communities, r.Domains = best.ASPath, &pref, best.MED, best.Communities, best.Domains
	if c.side.Domain != "" {
		r.Domains = append([]string{c.side.Domain}, r.Domains...)
	}
}
