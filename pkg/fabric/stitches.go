package fabric

import (
	"cmp"
	"fmt"
	"slices"
)

// The numbers of what gateways stitch, published in docs/numbering.md.
const (
	wanNumbers  = 100000 // route target, VNI and service towards the WAN have the number of the VNI and this
	wanRDs      = 30000  // route distinguishers towards the WAN have the EVI and this
	lastRD      = 65535
	lastVNI     = 1<<24 - 1
	wanDomain   = 65535 // no site's
	siteSIDs    = 100   // gateway n of site s has node SID s*100+n
	wanArea     = "49.0001"
	siteOrigin  = 60000 // and the number of the site: the second half of the community of what gateways have brought into it
	segmentName = "interconnect"
)

// wanLabels is the block of segment routing. Its index is each gateway's own.
var wanLabels = Labels{Start: 100000, Size: 26000}

// stitches tells whether a gateway ends tunnels of tenants: those of its site, and those to others.
func (n *node) stitches() bool { return len(n.trunks) > 0 }

// wanRef is the first DCI that has a trunk of the gateway, or the first of all.
func (n *node) wanRef(w *wan) Ref {
	for _, x := range w.dcis {
		if slices.ContainsFunc(n.trunks, func(t *trunk) bool { return t.dci == x }) {
			return x.ref
		}
	}
	return w.dcis[0].ref
}

// stitchers are the gateways of a site that stitch, by number.
func (s *site) stitchers() []*node {
	var out []*node
	for _, n := range s.gateways {
		if n.stitches() {
			out = append(out, n)
		}
	}
	return out
}

// stitch decides what the gateways of all sites stitch, with all its numbers.
func (d *draft) stitch() {
	if !slices.ContainsFunc(d.sites, (*site).stitched) {
		return
	}
	claims := d.newWANClaims()
	sharing := d.sharing()
	for _, w := range d.wans {
		if w.service == LeafToLeaf || routesOnly(w.dcis...) != nil {
			continue // the latter is reported
		}
		d.checkReach(w, sharing)
		for _, s := range w.sites {
			claims.domain(s)
			rds := map[uint32]holder{}
			bridges, routers := d.bridges(w, s, claims, rds), d.routers(w, s, claims, rds)
			if len(bridges) > 0 && !d.report.failed() { // what is wrong may be the cable
				d.checkBeside(s)
			}
			for _, n := range s.stitchers() {
				n.wan = WAN{
					AS: d.in.GetOverlayAs(), Area: wanArea, IPv6: w.carries6(), Trunks: d.designTrunks(n), Neighbors: wanSessions(n, w, sharing),
					Bridges: slices.Clone(bridges), Routers: slices.Clone(routers), Ref: n.wanRef(w),
					Origin: fmt.Sprintf("%d:%d", d.in.GetOverlayAs(), siteOrigin+s.in.GetNumber()),
				}
				n.distinguish()
				if w.service == VXLANMPLS {
					n.wan.Labels = wanLabels
					n.wan.Labels.Index = claims.nodeSID(n)
				}
				if len(bridges) > 0 && len(s.stitchers()) > 1 {
					n.wan.Segment = &SiteSegment{Name: segmentName, ESI: interconnectESI(s), Ref: s.ref}
				}
			}
		}
	}
}

type pairOfSites struct{ a, b *site }

// sharing is what each two sites have in common that gateways stitch: the first tenant or segment.
func (d *draft) sharing() map[pairOfSites]Ref {
	out := map[pairOfSites]Ref{}
	d.eachSpan(func(_ string, _ *tenant, sites []*site, ref Ref) {
		for _, a := range sites {
			for _, b := range sites {
				if _, known := out[pairOfSites{a, b}]; a != b && !known {
					out[pairOfSites{a, b}] = ref
				}
			}
		}
	})
	return out
}

// wanSessions are the sessions of a gateway with those of all sites that it shares something with. What one hears by them it
// tells no other, so there is one between any two (RFC 4456 §1).
func wanSessions(n *node, w *wan, sharing map[pairOfSites]Ref) []OverlayNeighbor {
	var out []OverlayNeighbor
	for _, s := range w.sites {
		ref, shared := sharing[pairOfSites{n.site, s}]
		if !shared {
			continue
		}
		for _, far := range s.stitchers() {
			out = append(out, OverlayNeighbor{Name: far.name(), Addr: far.loopback, Site: s.in.GetName(), Ref: ref})
		}
	}
	slices.SortStableFunc(out, func(a, b OverlayNeighbor) int { return a.Addr.Compare(b.Addr) })
	return out
}

// interconnectESI is that of the gateways of a site (RFC 9014 §4.6.1.3): leaf 0, which there is not, in the form of those of LAGs.
func interconnectESI(s *site) string {
	number := s.in.GetNumber()
	return octets(0, byte(number>>8), byte(number), 0, 0, 0, 1, 0, 0, 0)
}

// bridges are the segments that the gateways of a site stitch, without route distinguishers.
func (d *draft) bridges(w *wan, s *site, claims *wanClaims, rds map[uint32]holder) []Bridge {
	var out []Bridge
	for _, x := range d.segments {
		if len(x.sites) < 2 || !slices.Contains(x.sites, s) {
			continue
		}
		mine := holder{"segment " + x.key, x.ref}
		vni, rt := claims.take(w, mine, x.vni, x.in.GetWanVni(), x.in.GetWanTarget(), x.vni)
		claims.distinguishers(rds, s, x.evi, mine)
		mtu, decided := x.frames()
		out = append(out, Bridge{
			Key: x.key, Name: x.name, Number: x.in.GetNumber(), ID: x.vni, MTU: mtu, MTURef: decided, Ref: x.ref,
			Fabric: Instance{VNI: x.vni, EVI: x.evi, RT: x.rt, Domain: d.domain(s)},
			WAN:    Instance{VNI: vni, EVI: x.evi, RT: rt, Domain: d.wanDomain()},
		})
	}
	return out
}

// routers are the tenants that the gateways of a site stitch, without route distinguishers.
func (d *draft) routers(w *wan, s *site, claims *wanClaims, rds map[uint32]holder) []Router {
	var out []Router
	for _, t := range d.tenants {
		if len(t.sites) < 2 || !slices.Contains(t.sites, s) {
			continue
		}
		mine := holder{"tenant " + t.in.GetName(), t.ref}
		vni, rt := claims.take(w, mine, t.vni, t.in.GetWanVni(), t.in.GetWanTarget(), t.vni, wanNumbers+t.vni)
		claims.distinguishers(rds, s, t.evi, mine)
		tight := narrowest(way(t.sites))
		out = append(out, Router{
			Key: t.in.GetName(), Name: t.in.GetName(), Number: t.in.GetNumber(), ID: wanNumbers + t.vni, Inner: t.vni, ECMP: min(s.maxPaths(), 64),
			MTU: tight.room(), MTURef: tight.ref, Ref: t.ref,
			Fabric: Instance{VNI: t.vni, EVI: t.evi, RT: t.rt, Domain: d.domain(s)},
			WAN:    Instance{VNI: vni, EVI: t.evi, RT: rt, Domain: d.wanDomain()},
		})
	}
	return out
}

// distinguish gives what a gateway stitches its route distinguishers.
func (n *node) distinguish() {
	for i := range n.wan.Bridges {
		b := &n.wan.Bridges[i]
		b.Fabric.RD, b.WAN.RD = n.distinguishers(b.Fabric.EVI)
	}
	for i := range n.wan.Routers {
		r := &n.wan.Routers[i]
		r.Fabric.RD, r.WAN.RD = n.distinguishers(r.Fabric.EVI)
	}
}

func (n *node) distinguishers(evi uint32) (fabric, wan string) {
	return distinguisher(n.loopback, evi), distinguisher(n.loopback, evi+wanRDs)
}

// domain is that of a site's fabric in the D-PATH of routes.
func (d *draft) domain(s *site) string {
	return cmp.Or(s.in.GetDomain(), fmt.Sprintf("%d:%d", d.in.GetOverlayAs(), s.in.GetNumber()))
}

func (d *draft) wanDomain() string { return fmt.Sprintf("%d:%d", d.in.GetOverlayAs(), wanDomain) }
