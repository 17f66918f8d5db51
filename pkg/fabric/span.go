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
	asks    *dci   // the first that asks for it; nil: it is chosen
	why     string // then
}

// services are the services as the intent asks for them.
var services = map[intent.Service]Service{
	intent.Service_SERVICE_VXLAN: LeafToLeaf, intent.Service_SERVICE_VXLAN_VXLAN: VXLANVXLAN, intent.Service_SERVICE_VXLAN_MPLS: VXLANMPLS,
}

// joinSites finds out which sites DCIs join, and decides the service between them.
func (d *draft) joinSites() {
	for _, x := range d.dcis {
		if x.a == nil || len(x.channels) == 0 && len(x.gateways) == 0 {
			d.unjoined = true
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
			d.checkBundle(x)
			d.checkJoins(x)
			d.sameFamilies(x)
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
	for _, x := range w.dcis {
		service, asked := services[x.in.GetService()]
		switch {
		case !asked:
		case w.asks == nil:
			w.asks, w.service = x, service
		case service != w.service:
			d.report.fail(x.ref+"#service", fmt.Sprintf("%s: service %s, and that of %s is %s: what joins sites with one another has one service",
				x.in.GetName(), service, w.asks.in.GetName(), w.service), "give both the same", note{w.asks.ref + "#service", "the other one"})
		}
	}
	if w.asks != nil {
		d.checkService(w)
		return
	}
	w.service, w.why = VXLANMPLS, "all gateways that it joins run SR OS"
	if n := routesOnly(w.dcis...); n != nil {
		w.service, w.why = LeafToLeaf, n.name()+" runs "+n.software()+", which stitches no tenants"
	}
}

// reason is why a DCI has its service; "" where it asks for it itself.
func (x *dci) reason() string {
	switch w := x.a.wan; {
	case x.in.GetService() != intent.Service_SERVICE_UNSPECIFIED:
		return ""
	case w.asks != nil:
		return w.asks.in.GetName() + " asks for it"
	default:
		return w.why
	}
}

// routesOnly is the first gateway of some DCIs that stitches no tenants; nil where all do.
func routesOnly(dcis ...*dci) *node {
	for _, x := range dcis {
		for _, c := range x.channels {
			for _, n := range []*node{c.a.gateway, c.b.gateway} {
				if n.platform.OS != stitcherOS {
					return n
				}
			}
		}
		for _, n := range x.gateways {
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

// checkService reports a service that a DCI asks for and some gateway cannot do.
func (d *draft) checkService(w *wan) {
	n := routesOnly(w.dcis...)
	if n == nil || w.service == LeafToLeaf {
		return
	}
	d.report.fail(w.asks.ref+"#service", fmt.Sprintf("%s: service %s: %s, which has one EVPN instance for each network instance and can join no two", w.asks.in.GetName(), w.service, n.box()),
		"use service: vxlan, or gateways with SR OS", note{n.ref, "the gateway"})
}

// checkBundle reports channels that are to be a LAG and cannot.
func (d *draft) checkBundle(x *dci) {
	if n := routesOnly(x); n != nil && x.in.GetBundle() == intent.Bundle_BUNDLE_LAG {
		d.report.fail(x.ref+"#bundle", fmt.Sprintf("%s: bundle lag: %s, and %s of gateways are LAGs only with SR OS", x.in.GetName(), n.box(), x.medium()),
			"take it out: routed links share the load as well", note{n.ref, "the gateway"})
	}
}

// box is what a device is: "bj-gateway1 is a 7250-IXR-X3b with srlinux 25.3".
func (n *node) box() string {
	return fmt.Sprintf("%s is a %s with %s", n.name(), n.platform.Name, n.software())
}

// service is how what tenants send gets from one site to another; "" where no DCI leads there.
func (d *draft) service(a, b *site) Service {
	if a.wan == nil || a.wan != b.wan {
		return ""
	}
	return a.wan.service
}

// routes is why gateways of a site stitch nothing; "" where nothing joins it with others.
func (s *site) routes() string {
	switch w := s.wan; {
	case w == nil:
		return ""
	case w.asks != nil:
		return fmt.Sprintf(": %s asks for service %s", w.asks.in.GetName(), w.service)
	default:
		return ": " + w.why
	}
}

// stitched tells whether gateways of the site end tunnels of tenants.
func (s *site) stitched() bool { return s.wan != nil && s.wan.service != LeafToLeaf }

// checkWANSettings warns of what is given for gateways that stitch tenants where none does.
func (d *draft) checkWANSettings() {
	idle := func(ref Ref, key, thing string) {
		if d.unjoined {
			return
		}
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

// Span is a tenant or a segment that several sites have: a tenant's routes, or a segment's broadcast domain.
type Span struct {
	Key     string   // "red", "red/web"
	Tenant  string   // "red"
	Sites   []string // at least two, by number
	Service Service  // how it gets from one to the other
	Ref     Ref
}

// designSpans are what spans sites.
func (d *draft) designSpans() []Span {
	var list []Span
	d.eachSpan(func(key string, t *tenant, sites []*site, ref Ref) {
		out := Span{Key: key, Tenant: t.in.GetName(), Service: d.service(sites[0], sites[1]), Ref: ref}
		for _, s := range sites {
			out.Sites = append(out.Sites, s.in.GetName())
		}
		list = append(list, out)
	})
	return list
}

// eachSpan visits the tenants that span sites, and then the segments.
func (d *draft) eachSpan(visit func(key string, t *tenant, sites []*site, ref Ref)) {
	for _, t := range d.tenants {
		if len(t.sites) > 1 {
			visit(t.in.GetName(), t, t.sites, t.ref)
		}
	}
	for _, s := range d.segments {
		if len(s.sites) > 1 {
			visit(s.key, s.tenant, s.sites, s.ref)
		}
	}
}

// checkSpans reports what several sites have that nothing joins.
func (d *draft) checkSpans() {
	parted := map[*tenant]bool{}
	for _, s := range d.segments {
		for i, at := range s.sites {
			if d.parts(s.sites[0], at) {
				parted[s.tenant] = true
				d.report.fail(s.ref, fmt.Sprintf("segment %s: used at sites %s and %s, and no DCI leads from one to the other", s.key, s.sites[0].in.GetName(), at.in.GetName()),
					"add a DCI between them, or use a segment for each site", note{s.firsts[0].ref, "used here"}, note{s.firsts[i].ref, "and here"})
				break
			}
		}
	}
	for _, t := range d.tenants {
		for _, at := range t.sites {
			if d.parts(t.sites[0], at) && !parted[t] {
				d.report.fail(t.ref, fmt.Sprintf("tenant %s: routed at sites %s and %s, and no DCI leads from one to the other", t.in.GetName(), t.sites[0].in.GetName(), at.in.GetName()),
					"add a DCI between them, or use a tenant for each site")
				break
			}
		}
	}
	d.meshSites()
}

// parts tells whether no DCI leads from one site to another. While one has errors nothing is said to be apart: who has misspelt a
// platform would be told of what is not so.
func (d *draft) parts(a, b *site) bool { return a != b && !d.unjoined && d.service(a, b) == "" }

// meeting is a site whose reflectors those of another have sessions with.
type meeting struct {
	site  *site
	thing string // "tenant red": the first tenant or segment that both have
	ref   Ref
}

// meshSites decides which sites exchange the EVPN routes of leaves: those that have a tenant or a segment in common whose leaves
// send to each other. Each meets all others that it shares something with, for a route that one reflector was sent by
// another is not passed on to a third (RFC 4456 §6).
func (d *draft) meshSites() {
	d.eachSpan(func(key string, t *tenant, sites []*site, ref Ref) {
		thing := "segment " + key
		if ref == t.ref {
			thing = "tenant " + key
		}
		for _, a := range sites {
			for _, b := range sites {
				known := slices.ContainsFunc(a.mesh, func(m meeting) bool { return m.site == b })
				if a != b && !known && d.service(a, b) == LeafToLeaf {
					a.mesh = append(a.mesh, meeting{b, thing, ref})
				}
			}
		}
	})
	for _, s := range d.sites {
		slices.SortFunc(s.mesh, func(a, b meeting) int { return cmp.Compare(a.site.in.GetNumber(), b.site.in.GetNumber()) })
	}
}

// checkMeshes reports sites that exchange EVPN routes and cannot.
func (d *draft) checkMeshes() {
	for _, a := range d.sites {
		for _, m := range a.mesh {
			if a.in.GetNumber() < m.site.in.GetNumber() {
				d.checkMesh(a, &m)
			}
		}
	}
}

func (d *draft) checkMesh(a *site, m *meeting) {
	b := m.site
	names := fmt.Sprintf("sites %s and %s", a.in.GetName(), b.in.GetName())
	notes := []note{{a.ref + "/overlay#routing", a.in.GetName()}, {b.ref + "/overlay#routing", b.in.GetName()}}
	for _, s := range []*site{a, b} {
		if len(s.spines) == 0 {
			d.report.fail(m.ref, fmt.Sprintf("%s: %s have it, and %s has no spine to tell the other of its routes", m.thing, names, s.in.GetName()), "add spines to it", note{s.ref, "the site"})
			return
		}
	}
	switch id := a.in.GetOverlay().GetClusterId(); {
	case a.ibgp() != b.ibgp():
		d.report.fail(m.ref, fmt.Sprintf("%s: %s have it, and the overlay of one is ibgp, that of the other ebgp", m.thing, names), "give both the same overlay routing", notes...)
	case a.ibgp() && id != "" && id == b.in.GetOverlay().GetClusterId():
		// A reflector drops what its own cluster reflected (RFC 4456 §8).
		d.report.failLike("cluster-id", b.ref+"/overlay#cluster-id", fmt.Sprintf("cluster-id %s: %s have %s in common, and reflectors of one cluster take no routes from one another", id, names, m.thing),
			"give each site its own, or leave it out", note{a.ref + "/overlay#cluster-id", a.in.GetName()})
	}
}
