package verify

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
)

// A gateway that stitches tenants ends what leaves send, and says it again to gateways of other sites. What follows asks for all of
// that: its services, the labels between sites, the ethernet segment that the gateways of a site share, and routes from either side.

// tenantAt is a tenant at one site.
type tenantAt struct{ tenant, site string }

// stitches notes what gateways share, and the subnets that sites have of tenants.
func (x *Index) stitches(d *fabric.Device) {
	if s := d.WAN.Segment; s != nil {
		x.shared[s.ESI] = append(x.shared[s.ESI], VTEP{d.Name, d.Loopback})
	}
	for i := range d.Segments {
		s := &d.Segments[i]
		if s.VRF == "" {
			continue
		}
		here := tenantAt{s.VRF, d.Site}
		for _, gateway := range s.Gateway {
			if gateway.Addr().Is4() {
				x.subnets[here] = append(x.subnets[here], Subnet{gateway.Masked(), d.Name, s.VNI})
			}
		}
	}
}

// Subnet is one of a tenant on a leaf, by a segment with a VNI.
type Subnet struct {
	Prefix netip.Prefix
	Leaf   string
	VNI    uint32
}

// stitchContracts are those of what a gateway joins its site with others by.
func (x *Index) stitchContracts(d *fabric.Device) []Contract {
	var out []Contract
	w := &d.WAN
	if w.Labels.Size != 0 && len(w.Neighbors) > 0 {
		out = append(out, labelContract(d))
	}
	if w.Segment != nil {
		out = append(out, x.sharedContract(d))
	}
	for i := range w.Bridges {
		b := &w.Bridges[i]
		out = append(out, Contract{Asks: Serving, Device: d.Name, Object: Far{d.Name, b.Name}.String(), Ref: b.Ref, Service: b.Name})
	}
	for i := range w.Routers {
		out = append(out, x.routerContracts(d, &w.Routers[i])...)
	}
	return out
}

// labelContract asks for a tunnel to the gateways of other sites.
func labelContract(d *fabric.Device) Contract {
	c := Contract{Asks: Labelled, Device: d.Name, Object: d.Name, Ref: d.WAN.Ref}
	for _, n := range d.WAN.Neighbors {
		c.VTEPs = append(c.VTEPs, VTEP{n.Name, n.Addr})
	}
	return c
}

// sharedContract asks for the ethernet segment of the gateways of a site, and for one forwarder in each bridge.
func (x *Index) sharedContract(d *fabric.Device) Contract {
	s := d.WAN.Segment
	c := Contract{Asks: Joined, Device: d.Name, Ref: s.Ref, Segment: s.Name, ESI: s.ESI, Ends: x.shared[s.ESI]}
	var objects []string
	for _, end := range c.Ends {
		objects = append(objects, Far{end.Device, s.Name}.String())
		if end.Device != d.Name {
			c.Far = append(c.Far, end.Device)
		}
	}
	for i := range d.WAN.Bridges {
		c.Instances = append(c.Instances, d.WAN.Bridges[i].Name)
	}
	c.Object = strings.Join(objects, " + ")
	return c
}

// routerContracts ask for the router of a tenant, and for routes of either side where the design has subnets that are nowhere else.
func (x *Index) routerContracts(d *fabric.Device, r *fabric.Router) []Contract {
	c := Contract{Asks: Serving, Device: d.Name, Object: Far{d.Name, r.Name}.String(), Ref: r.Ref, Service: r.Name}
	out := []Contract{c}
	c.Asks = Routed
	here := tenantAt{r.Key, d.Site}
	inside, outside := c, c
	inside.Object, inside.Inside, inside.Subnets = routesObject(d, r, true), true, slices.Clone(x.subnets[here])
	inside.Far = leavesOf(inside.Subnets)
	outside.Object = routesObject(d, r, false)
	near, sites := map[netip.Prefix]bool{}, map[string]bool{d.Site: true}
	for _, s := range inside.Subnets {
		near[s.Prefix] = true
	}
	for _, n := range d.WAN.Neighbors {
		far := x.design.Device(n.Name)
		beyond := slices.DeleteFunc(slices.Clone(x.subnets[tenantAt{r.Key, far.Site}]), func(s Subnet) bool { return near[s.Prefix] })
		if len(beyond) == 0 || !slices.ContainsFunc(far.WAN.Routers, func(o fabric.Router) bool { return o.Key == r.Key }) {
			continue
		}
		outside.Far = append(outside.Far, n.Name)
		if !sites[far.Site] {
			outside.Subnets = append(outside.Subnets, beyond...)
		}
		sites[far.Site] = true
	}
	outside.Perhaps = leavesOf(outside.Subnets)
	for _, c := range []Contract{inside, outside} {
		if len(c.Subnets) > 0 {
			slices.SortFunc(c.Subnets, func(a, b Subnet) int { return cmp.Or(a.Prefix.Compare(b.Prefix), cmp.Compare(a.Leaf, b.Leaf)) })
			out = append(out, c)
		}
	}
	return out
}

// leavesOf are the leaves that have some subnets, sorted.
func leavesOf(subnets []Subnet) []string {
	set := map[string]bool{}
	for _, s := range subnets {
		set[s.Leaf] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// routesObject names the routes that a gateway has of a tenant from one side: "routes of red at bj-gateway1 from other sites".
func routesObject(d *fabric.Device, r *fabric.Router, inside bool) string {
	if inside {
		return fmt.Sprintf("routes of %s at %s from %s", r.Key, d.Name, d.Site)
	}
	return fmt.Sprintf("routes of %s at %s from other sites", r.Key, d.Name)
}

// between tells whether two devices are gateways of different sites that speak EVPN with each other.
func (x *Index) between(a, b string) bool {
	return slices.ContainsFunc(x.design.Device(a).WAN.Neighbors, func(n fabric.OverlayNeighbor) bool { return n.Name == b })
}

// tunnel is what broadcast of a segment is sent by: a VXLAN interface, or MPLS of a bridge.
func (s *shown) tunnel(c *Contract) (Tunnel, bool) {
	if c.VNI != 0 {
		t, there := s.Tunnels[c.VNI]
		return t, there
	}
	b, there := s.Services[c.Service]
	return Tunnel{Up: b.Up, Reason: b.Reason, VTEPs: b.Floods}, there && b.MPLS
}

// carrier names what tunnel looks for.
func (c *Contract) carrier() string {
	if c.VNI != 0 {
		return fmt.Sprintf("VXLAN interface with VNI %d", c.VNI)
	}
	return "EVPN over MPLS"
}

// service is the ID of a gateway's bridge or router being down.
func (c *Contract) service(device string) string {
	return id(ServiceDown, Far{device, c.Service}.String())
}

// serving: a bridge or router is up.
func (k *checker) serving(c *Contract, d *shown) {
	s, there := d.Services[c.Service]
	const verb = "is down"
	switch {
	case !there:
		k.draft(ServiceDown, Error, c, verb).absent(c.Device, "does not have it")
	case !s.Enabled:
		k.draft(ServiceDown, Error, c, verb).absent(c.Device, "has disabled it")
	case !s.Up:
		k.draft(ServiceDown, Error, c, verb).says(c.Device, "says %s", cmp.Or(s.Reason, "down"))
	}
}

// labelled: there is a tunnel of segment routing to each gateway of the other sites. Where there is none, no service reaches it either.
func (k *checker) labelled(c *Contract, d *shown) {
	for _, far := range c.VTEPs {
		if slices.Contains(d.Labels.Ends, far.Addr) {
			continue
		}
		pair := *c
		pair.Object, pair.Far = pairObject(c.Device, far.Device), []string{far.Device}
		f := k.draft(TunnelMissing, Error, &pair, "has no tunnel")
		if d.Labels.Enabled {
			f.says(c.Device, "has no labels to %s", far.Addr)
		} else {
			f.absent(c.Device, "does no segment routing")
		}
	}
}

// routed: the router of a tenant has routes from a side where the design has subnets. Who is drained may keep them to himself.
func (k *checker) routed(c *Contract, d *shown) {
	s, there := d.Services[c.Service]
	count := s.Outside
	if c.Inside {
		count = s.Inside
	}
	var prefixes []netip.Prefix
	for _, subnet := range c.Subnets {
		if !k.observed.Drained[subnet.Leaf] && !slices.Contains(prefixes, subnet.Prefix) {
			prefixes = append(prefixes, subnet.Prefix)
		}
	}
	told := slices.ContainsFunc(c.Far, func(name string) bool { return !k.observed.Drained[name] })
	if count > 0 || !told || len(prefixes) == 0 {
		return
	}
	text := fmt.Sprintf("counts none, the design has %s", prefixes[0])
	if n := len(prefixes) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	f := k.draft(RoutesMissing, Error, c, "are missing")
	f.says(c.Device, "%s", text)
	if !there {
		f.lacks(c.Device)
	}
}

// untold returns why a gateway has no routes of a tenant from one side: its own router is down, or each that could tell it has lost
// it or has nothing to tell.
func (k *checker) untold(c *Contract) []string {
	if own := c.service(c.Device); k.byID[own] != nil {
		return []string{own}
	}
	out := map[string]bool{}
	for _, far := range c.Far {
		why := k.unheard(c.Device, far)
		if d := k.index.design.Device(far); !c.Inside {
			why = append(why, id(TunnelMissing, pairObject(c.Device, far)), c.service(far))
			for i := range d.WAN.Routers {
				if r := &d.WAN.Routers[i]; r.Name == c.Service {
					why = append(why, id(RoutesMissing, routesObject(d, r, true)))
				}
			}
		}
		why = slices.DeleteFunc(append(why, id(DeviceUnreachable, far)), func(one string) bool { return k.byID[one] == nil })
		if len(why) == 0 && !k.observed.Drained[far] {
			return nil
		}
		for _, one := range why {
			out[one] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}
