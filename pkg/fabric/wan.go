package fabric

import (
	"fmt"
	"slices"
	"strings"
)

// wanClaims are the numbers that stitching gateways use, each with who has it. YANG sees one router at a time, and numbers of
// things in different lists do not meet there.
type wanClaims struct {
	d        *draft
	done     map[holder]bool   // what has its numbers
	targets  map[string]holder // route targets, those of leaves among them
	vnis     map[uint32]holder // of leaves, too
	services map[uint32]holder
	domains  map[string]holder
	sids     map[uint32]holder
}

// newWANClaims begins with what leaves use.
func (d *draft) newWANClaims() *wanClaims {
	c := &wanClaims{
		d: d, done: map[holder]bool{}, targets: map[string]holder{}, vnis: map[uint32]holder{}, services: map[uint32]holder{}, domains: map[string]holder{},
		sids: map[uint32]holder{},
	}
	for _, t := range d.tenants {
		h := holder{"tenant " + t.in.GetName() + " in its fabrics", t.ref + "#vni"}
		c.targets[t.rt], c.vnis[t.vni] = h, h
	}
	for _, s := range d.segments {
		h := holder{"segment " + s.key + " in its fabrics", s.ref + "#vni"}
		c.targets[s.rt], c.vnis[s.vni] = h, h
	}
	c.domains[d.wanDomain()] = holder{"the WAN", "topology#overlay-as"}
	return c
}

// own takes a number for somebody, or reports who has it, and where: by its field, unless the holder names another.
func own[K comparable](d *draft, owners map[K]holder, key K, mine holder, field, what, fix string) {
	other, taken := owners[key]
	if !taken {
		owners[key] = mine
		return
	}
	if !strings.Contains(string(other.ref), "#") {
		other.ref += Ref("#" + field)
	}
	d.report.fail(mine.ref+Ref("#"+field), fmt.Sprintf("%s: %s %v is also that of %s", mine.name, what, key, other.name), fix, note{other.ref, "the other one"})
}

// take decides the numbers of a tenant or a segment towards the WAN, and takes those and its services once.
func (c *wanClaims) take(w *wan, mine holder, vni, givenVNI uint32, givenTarget string, services ...uint32) (wanVNI uint32, rt string) {
	if rt = givenTarget; rt == "" {
		rt = routeTarget(c.d.in.GetOverlayAs(), wanNumbers+vni)
	}
	if w.service == VXLANVXLAN {
		wanVNI = explicit(givenVNI, wanNumbers+vni)
	}
	if c.done[mine] {
		return wanVNI, rt
	}
	c.done[mine] = true
	own(c.d, c.targets, rt, mine, "wan-target", "route target", "give one of them another wan-target")
	switch {
	case wanVNI > lastVNI:
		c.d.report.fail(mine.ref+"#wan-vni", fmt.Sprintf("%s: VNI %d towards the WAN: %d is the last", mine.name, wanVNI, lastVNI), "give it a wan-vni")
	case wanVNI != 0:
		own(c.d, c.vnis, wanVNI, mine, "wan-vni", "VNI", "give one of them another wan-vni")
	}
	for _, id := range services {
		own(c.d, c.services, id, mine, "vni", "service", fmt.Sprintf("give one of them another vni: services of segments and tenants have its number, and routers of tenants %d more", wanNumbers))
	}
	return wanVNI, rt
}

// distinguishers take the numbers of route distinguishers on the gateways of a site.
func (c *wanClaims) distinguishers(owners map[uint32]holder, s *site, evi uint32, mine holder) {
	on := " on gateways of " + s.in.GetName()
	if wan := evi + wanRDs; wan > lastRD {
		c.d.report.failLike("rd "+mine.name, mine.ref+"#evi", fmt.Sprintf("%s: EVI %d: its route distinguisher towards the WAN%s would have number %d, and %d is the last", mine.name, evi, on, wan, lastRD),
			fmt.Sprintf("give it an evi up to %d", lastRD-wanRDs))
		return
	}
	for _, number := range []uint32{evi, evi + wanRDs} {
		if other, taken := owners[number]; taken {
			c.d.report.failLike("rd "+mine.name, mine.ref+"#evi", fmt.Sprintf("%s: route distinguisher %d%s is also that of %s", mine.name, number, on, other.name),
				fmt.Sprintf("give one of them another evi: towards the WAN the number is %d more", wanRDs), note{other.ref + "#evi", "the other one"})
			continue
		}
		owners[number] = mine
	}
}

// domain takes the domain of a site's fabric. Routes with a domain of their own in their path are a loop, so that two sites with
// one would hear nothing of each other (draft-ietf-bess-evpn-ipvpn-interworking §4).
func (c *wanClaims) domain(s *site) {
	if len(s.stitchers()) > 0 {
		own(c.d, c.domains, c.d.domain(s), holder{"site " + s.in.GetName(), s.ref}, "domain", "domain", "give one of them another domain")
	}
}

// nodeSID takes the index of a gateway's loopback in the label block.
func (c *wanClaims) nodeSID(n *node) uint32 {
	index := explicit(n.in.GetNodeSid(), n.site.in.GetNumber()*siteSIDs+n.number())
	if index >= wanLabels.Size {
		c.d.report.fail(n.ref+"#node-sid", fmt.Sprintf("%s: node-sid %d: the block of segment routing has labels %d and on for 0 up to %d", n.name(), index, wanLabels.Start, wanLabels.Size-1), "give it a node-sid in between")
		return index
	}
	own(c.d, c.sids, index, holder{n.name(), n.ref}, "node-sid", "node-sid", "give one of them another node-sid")
	return index
}

// checkBeside warns of gateways of a site that bridge segments and have no cable between them: one that loses the others of the WAN goes
// on as the one that forwards what is flooded, if it was that, and what it forwards gets nowhere.
func (d *draft) checkBeside(s *site) {
	all := s.stitchers()
	for i, a := range all {
		for _, b := range all[i+1:] {
			joined := slices.ContainsFunc(a.trunks, func(t *trunk) bool { return t.far(a) == b })
			if !joined {
				d.report.warn(a.ref, fmt.Sprintf("%s and %s: bridge segments between sites, and no cable joins them: should one lose its ways to other sites, what it floods gets nowhere", a.name(), b.name()),
					"list a cable between them")
				return
			}
		}
	}
}

// checkReach reports gateways that stitch the same tenants at two sites and that no trunks join: what one replicates to all of the
// other site would not reach the one of them that forwards it (RFC 9014 §4.6).
func (d *draft) checkReach(w *wan, sharing map[pairOfSites]Ref) {
	island := map[*node]int{}
	var spread func(n *node, number int)
	spread = func(n *node, number int) {
		if island[n] != 0 {
			return
		}
		island[n] = number
		for _, t := range n.trunks {
			spread(t.far(n), number)
		}
	}
	number := 0
	for _, s := range w.sites {
		for _, n := range s.stitchers() {
			number++
			spread(n, number)
		}
	}
	for _, a := range w.sites {
		for _, b := range w.sites {
			ref, shared := sharing[pairOfSites{a, b}]
			if shared && a.in.GetNumber() < b.in.GetNumber() && d.parted(a, b, ref, island) {
				return
			}
		}
	}
}

// parted reports the first two gateways of two sites that no trunks join.
func (d *draft) parted(a, b *site, ref Ref, island map[*node]int) bool {
	for _, n := range a.stitchers() {
		for _, far := range b.stitchers() {
			if island[n] != island[far] {
				d.report.fail(n.ref, fmt.Sprintf("%s: no trunks lead to %s, and both stitch %s", n.name(), far.name(), strings.ReplaceAll(strings.TrimPrefix(string(ref), "tenants/"), "/segments/", "/")),
					"list a cable between the gateways of a site, or channels with ports that join them", note{far.ref, far.name()}, note{ref, "what both stitch"})
				return true
			}
		}
	}
	return false
}
