package network

import (
	"math"
	"net/netip"
	"slices"
)

// What stands before an IP packet of a tenant on a link of the underlay, in bytes, without the ethernet header of that link: that of
// the tenant inside VXLAN, UDP and IPv4 (RFC 7348 §5); and of MPLS a label of the way and one of the service (RFC 8402, RFC 7432),
// with the tenant's ethernet header where frames are bridged.
const vxlanHeaders, mplsLabels = 50, 8

// Room is how large an IP packet may be on its way, and what does not let it be larger.
type Room struct {
	Bytes    uint32 // 0: it does not arrive, whatever its size
	Tightest string // "gw1 red towards leaf1", "leaf1 ethernet-1/49.0", or who does not know further
}

// RoomTo returns how large a packet may be that a network instance of a router gets to an address: on each of the ways that it
// may take, since a flow cannot choose. Nobody cuts a packet into pieces inside a tunnel; what is too large is lost, and no
// session notices.
func RoomTo(p *Plant, r Routing, router, instance string, to netip.Addr) Room {
	return newRooms(p, r, func(o *observer, d *domain) ([]tenantEnd, bool) { return o.endsFor(d, to) }).from(router, instance)
}

// RoomToMAC is RoomTo for what a MAC-VRF bridges.
func RoomToMAC(p *Plant, r Routing, router, instance string, to MAC) Room {
	return newRooms(p, r, func(o *observer, d *domain) ([]tenantEnd, bool) { return o.endsForMAC(d, to) }).from(router, instance)
}

// tenantEnd is where a packet may go next: out of a subinterface, or into a tunnel by one of the sides of the instance.
type tenantEnd struct {
	sub  *Subinterface
	to   Destination
	side *evi
}

// rooms is a walk over all ways of a packet.
type rooms struct {
	plant   *Plant
	routing Routing
	terrain *terrain
	next    func(*observer, *domain) ([]tenantEnd, bool) // false: the router does not know
	seen    map[End]bool                                 // instances of routers, and routers on the way of a tunnel
	room    Room
}

func newRooms(p *Plant, r Routing, next func(*observer, *domain) ([]tenantEnd, bool)) *rooms {
	t := newTerrain(p)
	t.route(r)
	return &rooms{plant: p, routing: r, terrain: t, next: next, seen: map[End]bool{}, room: Room{Bytes: math.MaxUint32}}
}

func (w *rooms) from(router, instance string) Room {
	w.visit(router, instance)
	return w.room
}

// limit is a place that a packet comes by; 0 bytes: it is not known to be tight.
func (w *rooms) limit(bytes uint32, where string) {
	if bytes != 0 && bytes < w.room.Bytes {
		w.room = Room{bytes, where}
	}
}

func (w *rooms) lost(where string) { w.room = Room{0, where} }

// visit follows what an instance of a router does with the packet.
func (w *rooms) visit(router, instance string) {
	if w.seen[End{router, instance}] {
		return
	}
	w.seen[End{router, instance}] = true
	s := peOf(w.plant, router)
	if s == nil {
		w.lost(router)
		return
	}
	s.importPaths(w.routing.Sessions(router), w.routing.Paths(router, L2EVPN))
	at := slices.IndexFunc(s.domains, func(d *domain) bool { return d.Name == instance })
	if at < 0 {
		w.lost(router + " " + instance)
		return
	}
	d, o := s.domains[at], &observer{pe: s, routing: w.routing, state: &State{}}
	w.limit(inside(d.MTU, ethernetHeader), router+" "+instance)
	ends, ok := w.next(o, d)
	if !ok {
		w.lost(router + " " + instance)
	}
	for _, e := range ends {
		if e.sub != nil {
			w.limit(packet(e.sub), router+" "+e.sub.Name)
			continue
		}
		w.limit(e.side.MTU, router+" "+instance+" towards "+e.to.VTEP.String())
		w.tunnel(router, e.to, d.Kind)
	}
}

// packet is how large an IP packet may be on a subinterface; 0: not known.
func packet(sub *Subinterface) uint32 {
	if sub.Kind == Bridged {
		return inside(sub.L2MTU, ethernetHeader+sub.VLAN.size())
	}
	return sub.IPMTU
}

// inside is what of some bytes is left after a header; 0 of not known.
func inside(bytes, header uint32) uint32 { return bytes - min(bytes, header) }

// tunnel follows a tunnel, and who takes the packet out of it.
func (w *rooms) tunnel(router string, to Destination, kind InstanceKind) {
	adds := uint32(vxlanHeaders)
	if to.Label != 0 {
		if adds = mplsLabels; kind == MACVRF {
			adds += ethernetHeader
		}
	}
	w.underlay(router, to.VTEP, adds, map[string]bool{})
	for _, place := range w.terrain.owners[to.VTEP] {
		s := peOf(w.plant, place.router)
		for _, d := range s.domains {
			for _, side := range d.evis() {
				if d.Kind == kind && side.takesFrom(to) {
					w.limit(side.MTU, place.router+" "+d.Name+" from "+router)
					w.visit(place.router, d.Name)
				}
			}
		}
	}
}

// takesFrom tells whether a tunnel ends in an EVPN instance.
func (e *evi) takesFrom(to Destination) bool {
	return e.source() == to.VTEP && (e.encap() == OverMPLS) == (to.Label != 0) && e.label() == to.VNI+to.Label
}

// underlay follows all ways to the end of a tunnel.
func (w *rooms) underlay(at string, end netip.Addr, adds uint32, seen map[string]bool) {
	f := w.terrain.fib(at)
	if seen[at] || f == nil || w.terrain.owns(at, f.instance, end) {
		return
	}
	seen[at] = true
	route, ok := f.Lookup(end)
	if !ok || len(route.NextHops) == 0 {
		w.lost(at + " towards " + end.String())
		return
	}
	for _, h := range route.NextHops {
		if sub := f.subs[h.Subinterface]; sub != nil {
			w.limit(inside(sub.IPMTU, adds), at+" "+sub.Name)
		}
		w.underlay(h.Router, end, adds, seen)
	}
}

// endsFor are where an IP-VRF sends packets to an address.
func (o *observer) endsFor(d *domain, to netip.Addr) (ends []tenantEnd, ok bool) {
	var best TableRoute
	for _, r := range o.routeTable(d) {
		if r.Prefix.Contains(to) && (!best.Prefix.IsValid() || r.Prefix.Bits() > best.Prefix.Bits()) {
			best = r
		}
	}
	side := d.near
	if c := d.choices()[best.Prefix]; c.side != nil {
		side = c.side
	}
	for _, h := range best.NextHops {
		e := tenantEnd{side: side, to: Destination{VTEP: h.VTEP, VNI: h.VNI, Label: h.Label}}
		if !h.VTEP.IsValid() {
			e.sub = o.subs[h.Subinterface]
		}
		ends = append(ends, e)
	}
	return ends, len(ends) > 0
}

// endsForMAC are where a MAC-VRF sends frames for an address: a segment may have several routers.
func (o *observer) endsForMAC(d *domain, to MAC) (ends []tenantEnd, ok bool) {
	b := o.bridgeOf(d)
	at := slices.IndexFunc(b.macs, func(m MACEntry) bool { return m.MAC == to })
	if at < 0 {
		return nil, false
	}
	switch m := b.macs[at]; {
	case m.Subinterface != "":
		ends = append(ends, tenantEnd{sub: o.subs[m.Subinterface]})
	case m.VTEP.IsValid():
		ends = append(ends, tenantEnd{side: d.near, to: Destination{VTEP: m.VTEP, VNI: m.VNI, Label: m.Label}})
	default:
		for _, to := range b.ways[m.ESI] {
			ends = append(ends, tenantEnd{side: d.near, to: to})
		}
	}
	return ends, len(ends) > 0
}
