package sros

import (
	"errors"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
)

// canStitch refuses what would be rendered and carry nothing.
func (r renderer) canStitch() error {
	var errs []error
	for i := range r.d.WAN.Bridges {
		if b := &r.d.WAN.Bridges[i]; !r.overMPLS() && b.WAN.VNI == 0 {
			errs = append(errs, caused(b.Ref, "stitched segment", "%s has no VNI towards the WAN, which is VXLAN; give it a wan-vni", b.Key))
		}
	}
	for i := range r.d.WAN.Routers {
		if x := &r.d.WAN.Routers[i]; !r.overMPLS() && x.WAN.VNI == 0 {
			errs = append(errs, caused(x.Ref, "stitched tenant", "%s has no VNI towards the WAN, which is VXLAN; give it a wan-vni", x.Key))
		}
	}
	if s := r.d.WAN.Segment; s != nil && len(r.onSegment()) > mostRanges {
		errs = append(errs, caused(s.Ref, "interconnect segment",
			"stitched segments lie in %d ranges of service ids with tenants in between, and the segment of a site may have %d; give segments VNIs that lie together", len(r.onSegment()), mostRanges))
	}
	return errors.Join(errs...)
}

// checkServices: in the models a service is known by its name only, and what services may not have in common they may.
func checkServices(t *config.Tree) error {
	root := observation{t.Root()}
	if !root.has(sros.ConfigureService) {
		return nil
	}
	c := serviceCheck{root: root, taken: map[string]config.Cursor{}}
	for _, s := range root.entries(sros.ConfigureServiceVpls) {
		c.service(s, sros.ConfigureServiceVplsServiceId, sros.ConfigureServiceVplsCustomer)
		c.bridge(s)
		c.ports(s)
	}
	for _, s := range root.entries(sros.ConfigureServiceVprn) {
		c.service(s, sros.ConfigureServiceVprnServiceId, sros.ConfigureServiceVprnCustomer)
		c.tenant(s)
	}
	for _, s := range root.entries(interconnect) {
		c.segment(s)
	}
	return errors.Join(c.errs...)
}

// serviceCheck collects what is wrong with services, and who has what only one may have: "vni 10010".
type serviceCheck struct {
	root  observation
	taken map[string]config.Cursor
	errs  []error
}

func (c *serviceCheck) fail(at observation, format string, args ...any) {
	c.errs = append(c.errs, mistake(at.Cursor, format, args...))
}

// unique takes a value that only one service may have. What is not there is nobody's.
func (c *serviceCheck) unique(what string, at observation) {
	if !at.Valid() {
		return
	}
	key := what + " " + at.Value()
	if other, is := c.taken[key]; is {
		c.fail(at, "%s is used by %s already", key, other.Path())
		return
	}
	c.taken[key] = at.Cursor
}

func (c *serviceCheck) service(s observation, id, whom config.ID) {
	c.unique("service name", observation{s.Child(s.Node().Keys[0])})
	c.unique("service id", s.at(id))
	if !s.has(id) {
		c.fail(s, "has no service-id")
	}
	if !s.has(whom) {
		c.fail(s, "has no customer; Loom's is %s", customer)
	}
}

// bridge: nothing may be heard on both sides, and one side only may be that of other gateways.
func (c *serviceCheck) bridge(s observation) {
	c.unique("evi", s.at(sros.ConfigureServiceVplsBgpEvpnEvi))
	for _, x := range s.entries(sros.ConfigureServiceVplsVxlanInstance) {
		c.unique("vni", x.at(sros.ConfigureServiceVplsVxlanInstanceVni))
	}
	imports := map[string]bool{}
	for _, x := range s.entries(sros.ConfigureServiceVplsBgp) {
		c.unique("route distinguisher", x.at(sros.ConfigureServiceVplsBgpRouteDistinguisher))
		target := x.at(sros.ConfigureServiceVplsBgpRouteTargetImport)
		if target.Valid() && imports[target.Value()] {
			c.fail(target, "both instances import %s; routes of one side would come in on the other", target.Value())
		} else if target.Valid() {
			imports[target.Value()] = true
		}
	}
	if !s.has(sros.ConfigureServiceVplsBgpEvpn) {
		return
	}
	far, used := 0, map[string]bool{}
	for _, list := range []struct{ entries, side config.ID }{
		{sros.ConfigureServiceVplsBgpEvpnVxlan, sros.ConfigureServiceVplsBgpEvpnVxlanMhMode},
		{sros.ConfigureServiceVplsBgpEvpnMpls, sros.ConfigureServiceVplsBgpEvpnMplsMhMode},
	} {
		for instance, x := range s.entries(list.entries) {
			if used[instance] {
				c.fail(x, "BGP instance %s has another encapsulation already", instance)
			}
			used[instance] = true
			if !s.entry(sros.ConfigureServiceVplsBgp, instance).Valid() {
				c.fail(x, "there is no BGP instance %s", instance)
			}
			if x.text(list.side) == "network" {
				far++
			}
		}
	}
	if far > 1 {
		c.fail(s, "both EVPN instances are of mh-mode network; one only may be")
	}
}

// ports: the models have ports of SAPs as text.
func (c *serviceCheck) ports(s observation) {
	for id, sap := range s.entries(sros.ConfigureServiceVplsSap) {
		name, _, _ := strings.Cut(id, ":")
		port, lag := c.root.entry(sros.ConfigurePort, name), c.root.entry(sros.ConfigureLag, name)
		switch {
		case !port.Valid() && !lag.Valid():
			c.fail(sap, "there is no port %s", name)
		case port.Valid() && port.text(sros.ConfigurePortEthernetMode) == "network", lag.Valid() && lag.text(sros.ConfigureLagMode) == "network":
			c.fail(sap, "%s is a network port, and a SAP needs one in mode access or hybrid", name)
		}
	}
}

// tenant: an interface names a bridge as text, and routes are known by the domains that they have come through.
func (c *serviceCheck) tenant(s observation) {
	var domains []observation
	for _, list := range []struct{ entries, rd, domain config.ID }{
		{sros.ConfigureServiceVprnBgpEvpnMpls, sros.ConfigureServiceVprnBgpEvpnMplsRouteDistinguisher, sros.ConfigureServiceVprnBgpEvpnMplsDomainId},
		{sros.ConfigureServiceVprnBgpEvpnVxlan, sros.ConfigureServiceVprnBgpEvpnVxlanRouteDistinguisher, sros.ConfigureServiceVprnBgpEvpnVxlanDomainId},
	} {
		for _, x := range s.entries(list.entries) {
			c.unique("route distinguisher", x.at(list.rd))
			domains = append(domains, x.at(list.domain))
		}
	}
	for _, x := range s.entries(sros.ConfigureServiceVprnVxlanInstance) {
		c.unique("vni", x.at(sros.ConfigureServiceVprnVxlanInstanceVni))
	}
	for _, i := range s.entries(sros.ConfigureServiceVprnInterface) {
		for name, at := range i.entries(sros.ConfigureServiceVprnInterfaceVpls) {
			bridge := c.root.entry(sros.ConfigureServiceVpls, name)
			if !bridge.Valid() || !bridge.has(sros.ConfigureServiceVplsRoutedVpls) {
				c.fail(at, "there is no routed VPLS %s", name)
				continue
			}
			c.unique("interface to VPLS", observation{at.Child(at.Node().Keys[0])})
			c.fits(i, bridge)
			domains = append(domains, bridge.at(sros.ConfigureServiceVplsBgpEvpnRoutesIpPrefixDomainId))
		}
	}
	domains = slices.DeleteFunc(domains, func(o observation) bool { return !o.Valid() })
	for i, d := range domains {
		if slices.ContainsFunc(domains[:i], func(o observation) bool { return o.Value() == d.Value() }) {
			c.fail(d, "domain %s is on both sides of %s; a route that goes from one to the other would be taken for a loop", d.Value(), s.Keys()[0])
		}
	}
}

// fits: an interface that is to send more than its bridge takes is cut down to that, and nobody is told.
func (c *serviceCheck) fits(i, bridge observation) {
	takes := uint64(usualServiceMTU)
	if bridge.has(sros.ConfigureServiceVplsServiceMtu) {
		takes = bridge.number(sros.ConfigureServiceVplsServiceMtu)
	}
	if ip := i.number(sros.ConfigureServiceVprnInterfaceIpMtu); ip+ethernetHeader > takes {
		c.fail(i.at(sros.ConfigureServiceVprnInterfaceIpMtu), "%d do not fit the service-mtu of %d of VPLS %s, which counts an ethernet header of %d as well; use at most %d, or a service-mtu of %d",
			ip, takes, bridge.Keys()[0], ethernetHeader, takes-min(takes, ethernetHeader), ip+ethernetHeader)
	}
}

// segment: what a segment cannot be without, and ranges of services that overlap.
func (c *serviceCheck) segment(s observation) {
	if s.on(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAdminState) && !s.has(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentEsi) {
		c.fail(s, "is enabled and has no esi")
	}
	c.unique("esi", s.at(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentEsi))
	var all []span
	for _, instance := range s.entries(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlan) {
		for _, x := range instance.entries(ranges) {
			var one span
			one.first, one.last = rangeOf(x)
			if one.last < one.first {
				c.fail(x, "ends at %d, before it starts", one.last)
			}
			if slices.ContainsFunc(all, func(o span) bool { return one.first <= o.last && o.first <= one.last }) {
				c.fail(x, "overlaps with another range of the segment")
			}
			all = append(all, one)
		}
	}
}
