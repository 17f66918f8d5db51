package fabric

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/models/intent"
)

// wan is all sites that DCIs join with one another, directly or by way of others, and how what tenants send passes between
// them: in one way everywhere, since a route that one gateway ends has to be one that the next understands.
type wan struct {
	sites   []*site // by number
	dcis    []*dci  // by number
	service Service
	why     string // the service is this one; "" where a DCI asks for it
}

// services are the services as the intent asks for them.
var services = map[intent.Service]Service{
	intent.Service_SERVICE_VXLAN: LeafToLeaf, intent.Service_SERVICE_VXLAN_VXLAN: VXLANVXLAN, intent.Service_SERVICE_VXLAN_MPLS: VXLANMPLS,
}

// joinSites finds out which sites DCIs join, and decides the service between them.
func (d *draft) joinSites() {
	for _, x := range d.dcis {
		if x.a == nil || len(x.channels) == 0 {
			continue
		}
		a, b := d.wanOf(x.a), d.wanOf(x.b)
		if a != b {
			d.merge(a, b)
		}
		a.dcis = append(a.dcis, x)
	}
	for _, w := range d.wans {
		slices.SortFunc(w.sites, func(a, b *site) int { return cmp.Compare(a.in.GetNumber(), b.in.GetNumber()) })
		slices.SortFunc(w.dcis, func(a, b *dci) int { return cmp.Compare(a.in.GetNumber(), b.in.GetNumber()) })
		d.chooseService(w)
		for _, x := range w.dcis {
			d.checkService(w, x)
		}
	}
}

// wanOf is what a site belongs to.
func (d *draft) wanOf(s *site) *wan {
	if s.wan == nil {
		s.wan = &wan{sites: []*site{s}}
		d.wans = append(d.wans, s.wan)
	}
	return s.wan
}

// merge makes two into the first.
func (d *draft) merge(a, b *wan) {
	for _, s := range b.sites {
		s.wan = a
	}
	a.sites, a.dcis = append(a.sites, b.sites...), append(a.dcis, b.dcis...)
	d.wans = slices.DeleteFunc(d.wans, func(w *wan) bool { return w == b })
}

// chooseService takes the service that DCIs ask for, or else the one that all their gateways can do.
func (d *draft) chooseService(w *wan) {
	var asks *dci
	for _, x := range w.dcis {
		service, asked := services[x.in.GetService()]
		switch {
		case !asked:
		case asks == nil:
			asks, w.service = x, service
		case service != w.service:
			d.report.fail(x.ref+"#service", fmt.Sprintf("%s: service %s, and that of %s is %s: what joins sites with one another has one service",
				x.in.GetName(), service, asks.in.GetName(), w.service), "give both the same", note{asks.ref + "#service", "the other one"})
		}
	}
	if asks != nil {
		return
	}
	w.service, w.why = VXLANMPLS, "all gateways that it joins run SR OS"
	for _, x := range w.dcis {
		if n := x.routesOnly(); n != nil {
			w.service, w.why = LeafToLeaf, n.name()+" runs "+n.software()+", which stitches no tenants"
			return
		}
	}
}

// routesOnly is the first gateway of a DCI that stitches no tenants; nil where all do.
func (x *dci) routesOnly() *node {
	for _, c := range x.channels {
		for _, n := range []*node{c.a.gateway, c.b.gateway} {
			if n.platform.OS != stitcherOS {
				return n
			}
		}
	}
	return nil
}

// stitcherOS is the operating system that has two EVPN instances in a service. SR Linux has one in each network instance
// (srl_nokia-bgp-evpn: bgp-instance 1), so that it cannot end one tunnel in another.
const stitcherOS = "sros"

// software is what a device runs: "srlinux 25.3".
func (n *node) software() string { return n.platform.OS + " " + n.in.GetRelease() }

// checkService reports what the gateways of a DCI cannot do.
func (d *draft) checkService(w *wan, x *dci) {
	n := x.routesOnly()
	if n == nil {
		return
	}
	thing := fmt.Sprintf("%s is a %s with %s", n.name(), n.platform.Name, n.software())
	if w.service != LeafToLeaf {
		d.report.fail(x.ref+"#service", fmt.Sprintf("%s: service %s: %s, which has one EVPN instance for each network instance and can join no two", x.in.GetName(), w.service, thing),
			"use service: vxlan, or gateways with SR OS", note{n.ref, "the gateway"})
	}
	if x.in.GetBundle() == intent.Bundle_BUNDLE_LAG {
		d.report.fail(x.ref+"#bundle", fmt.Sprintf("%s: bundle lag: %s, and channels of gateways are LAGs only with SR OS", x.in.GetName(), thing), "take it out: routed links share the load as well",
			note{n.ref, "the gateway"})
	}
}

// service is how what tenants send gets from one site to another; "" where no DCI leads there.
func (d *draft) service(a, b *site) Service {
	if a.wan == nil || a.wan != b.wan {
		return ""
	}
	return a.wan.service
}

// stitched tells whether gateways of the site end tunnels of tenants.
func (s *site) stitched() bool { return s.wan != nil && s.wan.service != LeafToLeaf }

// checkWANSettings warns of what is given for gateways that stitch tenants where none does.
func (d *draft) checkWANSettings() {
	idle := func(ref Ref, key, thing string) {
		d.report.warn(ref+Ref("#"+key), thing+": "+key+": without effect: no gateway stitches it", "take it out")
	}
	for _, s := range d.sites {
		if s.in.GetDomain() != "" && !s.stitched() {
			idle(s.ref, "domain", "site "+s.in.GetName())
		}
		for _, n := range s.gateways {
			if n.in.GetNodeSid() != 0 && (s.wan == nil || s.wan.service != VXLANMPLS) {
				idle(n.ref, "node-sid", n.name())
			}
		}
	}
	stitched := slices.ContainsFunc(d.sites, (*site).stitched)
	check := func(ref Ref, thing, target string, vni uint32) {
		if target != "" && !stitched {
			idle(ref, "wan-target", thing)
		}
		if vni != 0 && !stitched {
			idle(ref, "wan-vni", thing)
		}
	}
	for _, t := range d.tenants {
		check(t.ref, "tenant "+t.in.GetName(), t.in.GetWanTarget(), t.in.GetWanVni())
	}
	for _, s := range d.segments {
		check(s.ref, "segment "+s.key, s.in.GetWanTarget(), s.in.GetWanVni())
	}
}
