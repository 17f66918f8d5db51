package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

// tenant is one tenant while it is expanded.
type tenant struct {
	out      *intent.Tenant
	b        *block
	segments []*segment
}

// segment is one segment while it is expanded.
type segment struct {
	out    *intent.Segment
	tenant *tenant
	b      *block
	key    string   // "red/web"
	sites  []string // in which it may be used; nil: all
}

func (p *parser) expandTenants() {
	p.segments = map[string][]*segment{}
	p.tenants = map[string]*tenant{}
	var all []*tenant
	p.named("tenants", p.parts.tenants, func(name string, e entry) {
		b := new(block)
		if !p.read(b, tenantKeys, e, name) {
			return
		}
		t := &tenant{b: b, out: &intent.Tenant{
			Name: name, Number: b.number("number"), Sites: b.texts("sites"), Vni: b.number("vni"), Evi: b.number("evi"),
			WanTarget: b.text("wan-target"), WanVni: b.number("wan-vni"),
		}}
		p.sitesExist(b)
		p.expandSegments(t)
		all = append(all, t)
		p.tenants[name] = t
	})
	slices.SortStableFunc(all, func(a, b *tenant) int { return cmp.Compare(a.out.Number, b.out.Number) })
	for _, t := range all {
		p.places.objects["tenants/"+t.out.Name] = t.b.place(nil)
		p.out.Tenants = append(p.out.Tenants, t.out)
	}
	p.checkTenants(all)
}

// sitesExist reports names in `sites` that no site has.
func (p *parser) sitesExist(b *block) {
	for _, n := range b.items("sites") {
		if p.site(n.Value) == nil && !p.lost() {
			fix, also := "write the name of a site", []Note(nil)
			if near := nearest(n.Value, p.siteNames()); near != "" {
				fix, also = "write "+near, p.declared(near, p.site(near).at)
			}
			p.fault(spotOf(b.get("sites").source, n), b.name("sites")+": no site "+show(n.Value), fix, also...)
		}
	}
}

// declared notes where a suggested name comes from; that may be where the mistake is.
func (p *parser) declared(name string, at spot) []Note {
	return []Note{{p.pos(at), name + " is declared here"}}
}

func (p *parser) site(name string) *site {
	for _, s := range p.sites {
		if s.out.Name == name {
			return s
		}
	}
	return nil
}

func (p *parser) siteNames() []string {
	list := make([]string, len(p.sites))
	for i, s := range p.sites {
		list[i] = s.out.Name
	}
	return list
}

func (p *parser) expandSegments(t *tenant) {
	e := t.b.get("segments")
	if e.value == nil {
		return
	}
	p.named(join(t.out.Name, "segments"), []entry{e}, func(name string, e entry) {
		b := new(block)
		if p.read(b, segmentKeys, e, t.out.Name+"/"+name) {
			p.addSegment(t, name, b)
		}
	})
	slices.SortStableFunc(t.segments, func(a, b *segment) int { return cmp.Compare(a.out.Number, b.out.Number) })
	for _, s := range t.segments {
		t.out.Segments = append(t.out.Segments, s.out)
	}
}

func (p *parser) addSegment(t *tenant, name string, b *block) {
	s := &segment{tenant: t, b: b, key: t.out.Name + "/" + name, sites: t.out.Sites, out: &intent.Segment{
		Name: name, Number: b.number("number"), Sites: b.texts("sites"), Vni: b.number("vni"), Evi: b.number("evi"),
		Vlan: b.number("vlan"), Gateway: b.texts("gateway"), Mtu: b.number("mtu"),
		WanTarget: b.text("wan-target"), WanVni: b.number("wan-vni"),
	}}
	if len(s.out.Sites) > 0 {
		s.sites = s.out.Sites
	}
	t.segments = append(t.segments, s)
	p.segments[name] = append(p.segments[name], s)
	p.segments[s.key] = append(p.segments[s.key], s)
	p.places.objects["tenants/"+t.out.Name+"/segments/"+name] = b.place(nil)
	p.sitesExist(b)
	for _, n := range b.items("sites") {
		if len(t.out.Sites) > 0 && !slices.Contains(t.out.Sites, n.Value) && p.site(n.Value) != nil {
			p.fault(spotOf(b.get("sites").source, n), s.key+": sites: tenant "+t.out.Name+" is not in "+n.Value, "add "+n.Value+" to the tenant's sites",
				Note{p.pos(t.b.get("sites").at()), "the tenant's sites"})
		}
	}
}

// in reports whether the segment may be used in a site.
func (s *segment) in(site string) bool { return len(s.sites) == 0 || slices.Contains(s.sites, site) }

// segment finds the one segment that is meant, or returns nil.
func (p *parser) segment(text string) *segment {
	if found := p.segments[text]; len(found) == 1 {
		return found[0]
	}
	return nil
}

// noSegment reports that a text does not mean one segment.
func (p *parser) noSegment(thing, text string, at spot) {
	if found := p.segments[text]; len(found) > 1 {
		p.fault(at, thing+": "+show(text)+" is a segment of several tenants", "write "+found[0].key+" or "+found[1].key)
		return
	}
	fix, also := p.nearSegment(text)
	p.fault(at, thing+": no segment "+show(text), fix, also...)
}

// nearSegment suggests which segment a text may have meant: the nearest, or any of those there are.
func (p *parser) nearSegment(text string) (fix string, also []Note) {
	if p.near++; p.near <= maxSuggestions {
		if near := nearestOf(text, p.segments); near != "" {
			return "write " + near, p.declared(near, p.segments[near][0].b.at)
		}
	}
	var known []string
	for _, t := range p.out.Tenants {
		for _, s := range t.Segments {
			known = append(known, t.Name+"/"+s.Name)
		}
	}
	switch n := len(known); {
	case n == 0:
		return "write the name of a segment, or TENANT/NAME", nil
	case n > 5:
		return fmt.Sprintf("write the name of a segment; there are %d, the first %s", n, strings.Join(known[:3], ", ")), nil
	}
	return "write the name of a segment; there is " + strings.Join(known, ", "), nil
}

// checkTenants holds tenants and segments against one another.
func (p *parser) checkTenants(all []*tenant) {
	numbers, segments, vnis, evis := p.once("number"), p.once("number"), p.once("vni"), p.once("evi")
	for _, t := range all {
		numbers.take(t.out.Name, t.b, "number")
		vnis.take(t.out.Name, t.b, "vni")
		evis.take(t.out.Name, t.b, "evi")
		for _, s := range t.segments {
			segments.take(s.key, s.b, "number")
			vnis.take(s.key, s.b, "vni")
			evis.take(s.key, s.b, "evi")
		}
		p.gateways(t)
	}
}

// gateway is one gateway address of a tenant.
type gateway struct {
	prefix netip.Prefix
	text   string
	key    string // of its segment
	at     spot
}

// gateways reports prefixes of one tenant that overlap: its routes would be ambiguous.
func (p *parser) gateways(t *tenant) {
	var list []gateway
	for _, s := range t.segments {
		for _, n := range s.b.items("gateway") {
			prefix, _ := netip.ParsePrefix(n.Value)
			list = append(list, gateway{prefix.Masked(), n.Value, s.key, spotOf(s.b.get("gateway").source, n)})
		}
	}
	slices.SortStableFunc(list, func(a, b gateway) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()))
	})
	// Sorted, a prefix that overlaps an earlier one lies inside the last one that does not.
	for i, j := 0, 1; j < len(list); j++ {
		if !list[i].prefix.Overlaps(list[j].prefix) {
			i = j
			continue
		}
		a, b := list[i], list[j]
		if p.pos(b.at).before(p.pos(a.at)) < 0 {
			a, b = b, a
		}
		p.fault(b.at, b.key+": gateway "+b.text+" overlaps "+a.text+" of "+a.key, "give the segments of one tenant separate prefixes", Note{p.pos(a.at), "the other gateway"})
	}
}
