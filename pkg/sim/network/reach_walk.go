package network

import "net/netip"

// farthest is how many links the packets of an internal session may cross: the TTL that they start with
// (/network-instance/protocols/bgp/neighbor/multihop/maximum-hops).
const farthest = 64

// place is a subinterface of a router.
type place struct{ router, sub, instance string }

// terrain follows packets through the default instances of a plant.
type terrain struct {
	plant  *Plant
	owners map[netip.Addr][]place // of addresses that are up
	fibs   map[string]*FIB        // made when they are needed
	bare   map[End]*FIB           // without BGP, by router and instance
	r      Routing
}

func newTerrain(p *Plant) *terrain {
	t := &terrain{plant: p, owners: map[netip.Addr][]place{}, bare: map[End]*FIB{}}
	for _, router := range p.Names {
		links := p.Links[router]
		for i := range p.Routers[router].Subinterfaces {
			sub := &p.Routers[router].Subinterfaces[i]
			if at := links.Subs[sub.Name]; at.Up {
				for _, a := range sub.Addresses {
					t.owners[a.Prefix.Addr()] = append(t.owners[a.Prefix.Addr()], place{router, sub.Name, at.Instance})
				}
			}
		}
	}
	return t
}

// route makes the terrain use another routing.
func (t *terrain) route(r Routing) {
	t.r, t.fibs = r, map[string]*FIB{}
}

// fib returns the FIB of a router's default instance; nil: it has none.
func (t *terrain) fib(router string) *FIB {
	f := t.fibs[router]
	if f == nil {
		in := t.plant.defaultInstance(router)
		if in == nil {
			return nil
		}
		f = t.withoutBGP(router, in.Name).with(t.r)
		t.fibs[router] = f
	}
	return f
}

// withoutBGP returns a FIB that lasts as long as the plant.
func (t *terrain) withoutBGP(router, instance string) *FIB {
	f := t.bare[End{router, instance}]
	if f == nil {
		f = newFIB(t.plant, router, instance)
		t.bare[End{router, instance}] = f
	}
	return f
}

// owns returns whether an address is one of a router's own in an instance.
func (t *terrain) owns(router, instance string, a netip.Addr) bool {
	for _, o := range t.owners[a] {
		if o.router == router && o.instance == instance {
			return true
		}
	}
	return false
}

// delivers walks from router to router, as a packet to an address would go within so many links, and
// returns whether it comes to the router that it is meant for. Of several next hops it takes the first one.
// Loops end when the links are used up.
func (t *terrain) delivers(from string, a netip.Addr, to string, links int) bool {
	for at := from; ; links-- {
		f := t.fib(at)
		if f == nil {
			return false
		}
		if t.owns(at, f.instance, a) {
			return at == to
		}
		r, ok := f.Lookup(a)
		if !ok || len(r.NextHops) == 0 || links == 0 || !t.passes(at, r.NextHops[0], a) {
			return false
		}
		at = r.NextHops[0].Router
	}
}

// passes returns whether the router at the far end of a hop takes packets to an address. One without an
// IPv4 address on the subinterface drops IPv4, unless it is told not to check
// (/network-instance/ip-forwarding/receive-ipv4-check).
func (t *terrain) passes(router string, h Hop, a netip.Addr) bool {
	far, ok := t.plant.far[End{router, h.Subinterface}]
	if !ok || far.Device != h.Router {
		return false
	}
	in := t.plant.defaultInstance(far.Device)
	if in == nil {
		return false
	}
	sub := t.withoutBGP(far.Device, in.Name).subs[far.Port]
	switch {
	case sub == nil:
		return false
	case a.Is4():
		return in.UncheckedIPv4 || sub.IPv4
	}
	return sub.IPv6
}
