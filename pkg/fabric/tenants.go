package fabric

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/loomfabric/loom/models/intent"
)

// tenant is a routing domain with its numbers decided.
type tenant struct {
	in       *intent.Tenant
	ref      Ref
	vni, evi uint32
	rt       string
	sites    []*site // where routed segments of it are used, by number
	seen     int32   // 1 + index of the last device that was found to carry it
}

// segment is a broadcast domain with its numbers decided.
type segment struct {
	in             *intent.Segment
	tenant         *tenant
	ref            Ref
	key, name      string // "red/web", "red-web"
	vni, evi, vlan uint32
	rt             string
	gateway        []netip.Prefix
	sites          []*site   // where it is used, by number
	firsts         []*access // where it is first used there
	seen           int32     // 1 + index of the last device that was found to carry it
}

// tenantsAndSegments decides the numbers of everything that devices may carry.
func (d *draft) tenantsAndSegments() {
	for _, in := range sorted(d.in.GetTenants(), func(t *intent.Tenant) uint32 { return t.GetNumber() }) {
		t := &tenant{in: in, ref: Ref("tenants/" + in.GetName())}
		t.vni = explicit(in.GetVni(), tenantVNIs+in.GetNumber())
		t.evi = explicit(in.GetEvi(), tenantEVIs+in.GetNumber())
		t.rt = routeTarget(d.in.GetOverlayAs(), t.vni)
		d.tenants = append(d.tenants, t)
		for _, in := range in.GetSegments() {
			d.segments = append(d.segments, d.newSegment(t, in))
		}
	}
	slices.SortStableFunc(d.segments, func(a, b *segment) int { return cmp.Compare(a.in.GetNumber(), b.in.GetNumber()) })
	d.checkVNIs()
	d.checkNames()
}

func (d *draft) newSegment(t *tenant, in *intent.Segment) *segment {
	s := &segment{in: in, tenant: t, key: t.in.GetName() + "/" + in.GetName(), name: t.in.GetName() + "-" + in.GetName()}
	s.ref = t.ref + "/segments/" + Ref(in.GetName())
	s.vni = explicit(in.GetVni(), segmentVNIs+in.GetNumber())
	s.evi = explicit(in.GetEvi(), in.GetNumber())
	s.vlan = derivedVLAN(in)
	s.rt = routeTarget(d.in.GetOverlayAs(), s.vni)
	for _, text := range in.GetGateway() {
		gateway, err := netip.ParsePrefix(text)
		if err != nil {
			d.report.fail(s.ref+"#gateway", s.key+": gateway "+text+": not an address with prefix length", "write it like 10.10.0.1/24")
			continue
		}
		s.gateway = append(s.gateway, gateway)
	}
	return s
}

// routeTarget returns the route target of a VNI: two-octet AS specific (RFC 4360 §3.1), which leaves the VNI
// 32 bits.
func routeTarget(as, vni uint32) string { return "target:" + decimal(as) + ":" + decimal(vni) }

// distinguisher returns the route distinguisher of an EVI on a device (RFC 8365 §5.1.2.1).
func distinguisher(loopback netip.Addr, evi uint32) string {
	return loopback.String() + ":" + decimal(evi)
}

// checkVNIs reports VNIs that two segments or tenants share. YANG cannot: they are in different lists.
func (d *draft) checkVNIs() {
	type use struct {
		name string
		ref  Ref
	}
	owner := make(map[uint32]use, len(d.tenants)+len(d.segments))
	claim := func(vni uint32, name string, ref Ref) {
		other, taken := owner[vni]
		if !taken {
			owner[vni] = use{name, ref}
			return
		}
		d.report.fail(ref+"#vni", fmt.Sprintf("%s: VNI %d is also that of %s", name, vni, other.name), "give one of them another vni", note{other.ref + "#vni", "the other one"})
	}
	for _, t := range d.tenants {
		claim(t.vni, "tenant "+t.in.GetName(), t.ref)
	}
	for _, s := range d.segments {
		claim(s.vni, "segment "+s.key, s.ref)
	}
}

// checkNames reports names of network instances that clash.
func (d *draft) checkNames() {
	owner := map[string]Ref{}
	claim := func(name, what string, ref Ref) {
		if name == "default" || name == "mgmt" {
			d.report.fail(ref, fmt.Sprintf("%s: network instance %s is reserved", what, name), "choose another name")
		}
		if other, taken := owner[name]; taken {
			d.report.fail(ref, fmt.Sprintf("%s: network instance %s is also that of %s", what, name, other), "choose another name", note{other, "the other one"})
			return
		}
		owner[name] = ref
	}
	for _, t := range d.tenants {
		claim(t.in.GetName(), "tenant "+t.in.GetName(), t.ref)
	}
	for _, s := range d.segments {
		claim(s.name, "segment "+s.key, s.ref)
	}
}

// place finds out which segments and tenants every device carries: those that an attachment there names.
func (d *draft) place() {
	for _, n := range d.nodes {
		for _, c := range n.claims {
			if c.kind == accessClaim {
				d.placeSegments(n, &d.access[c.what])
			}
		}
		slices.SortFunc(n.segments, func(a, b *segment) int { return cmp.Compare(a.in.GetNumber(), b.in.GetNumber()) })
		slices.SortFunc(n.vrfs, func(a, b *tenant) int { return cmp.Compare(a.in.GetNumber(), b.in.GetNumber()) })
	}
	d.checkEVIs()
	d.checkSpans()
}

func (d *draft) placeSegments(n *node, a *access) {
	for _, sub := range a.subs {
		s := sub.segment
		if s.seen == n.index+1 {
			continue
		}
		s.seen = n.index + 1
		n.segments = append(n.segments, s)
		d.checkSite(n, s, a)
		if t := s.tenant; len(s.gateway) > 0 && t.seen != n.index+1 {
			t.seen = n.index + 1
			n.vrfs = append(n.vrfs, t)
			if !slices.Contains(t.sites, n.site) {
				t.sites = append(t.sites, n.site)
			}
		}
	}
}

// checkSite reports a segment at a site where it may not be, and notes where it is.
func (d *draft) checkSite(n *node, s *segment, a *access) {
	allowed := s.in.GetSites()
	if len(allowed) == 0 {
		allowed = s.tenant.in.GetSites()
	}
	if len(allowed) > 0 && !slices.Contains(allowed, n.site.in.GetName()) {
		d.report.failEach(a.ref, n.name(), fmt.Sprintf("segment %s is not for site %s", s.key, n.site.in.GetName()), "add the site to its sites, or attach another segment",
			note{s.ref + "#sites", "its sites"})
	}
	if slices.Contains(s.sites, n.site) {
		return
	}
	s.sites, s.firsts = append(s.sites, n.site), append(s.firsts, a)
}

// checkEVIs reports two EVPN instances on a device with one number. YANG cannot: they are in different network
// instances.
func (d *draft) checkEVIs() {
	for _, pair := range sharedEVIs(d.tenants, d.segments) {
		both := func(n *node) bool {
			on := evpn(n.vrfs, n.segments)
			return slices.Contains(on, pair.a) && slices.Contains(on, pair.b)
		}
		if i := slices.IndexFunc(d.nodes, both); i >= 0 {
			d.report.fail(pair.b.ref+"#evi", fmt.Sprintf("%s: EVI %d is also that of %s, and %s carries both", pair.b.name, pair.b.number, pair.a.name, d.nodes[i].name()),
				"give one of them another evi", note{pair.a.ref + "#evi", "the other one"})
		}
	}
}

// evi is an EVPN instance: a tenant's or a segment's.
type evi struct {
	number uint32
	name   string
	ref    Ref
}

// eviPair are two EVPN instances with one number.
type eviPair struct{ a, b evi }

// sharedEVIs returns all instances that share a number, whether on a common device or not. There are few or
// none, so that devices need not be searched in the usual case.
func sharedEVIs(tenants []*tenant, segments []*segment) []eviPair {
	all := evpn(tenants, segments)
	slices.SortStableFunc(all, func(a, b evi) int { return cmp.Compare(a.number, b.number) })
	var pairs []eviPair
	for i := range all {
		for j := i + 1; j < len(all) && all[j].number == all[i].number; j++ {
			pairs = append(pairs, eviPair{all[i], all[j]})
		}
	}
	return pairs
}

func evpn(tenants []*tenant, segments []*segment) []evi {
	all := make([]evi, 0, len(tenants)+len(segments))
	for _, t := range tenants {
		all = append(all, evi{t.evi, "tenant " + t.in.GetName(), t.ref})
	}
	for _, s := range segments {
		all = append(all, evi{s.evi, "segment " + s.key, s.ref})
	}
	return all
}

// macVRFs returns the segments of a device.
func (n *node) macVRFs() []MACVRF {
	if len(n.segments) == 0 {
		return nil
	}
	list := make([]MACVRF, 0, len(n.segments))
	for _, s := range n.segments {
		vrf := MACVRF{
			Key: s.key, Name: s.name, Number: s.in.GetNumber(), VNI: s.vni, EVI: s.evi,
			RT: s.rt, RD: distinguisher(n.loopback, s.evi), Gateway: s.gateway, MTU: s.in.GetMtu(), Ref: s.ref,
		}
		if len(s.gateway) > 0 {
			vrf.VRF = s.tenant.in.GetName()
		}
		list = append(list, vrf)
	}
	return list
}

// ipVRFs returns the routing domains of a device.
func (n *node) ipVRFs() []IPVRF {
	if len(n.vrfs) == 0 {
		return nil
	}
	list := make([]IPVRF, 0, len(n.vrfs))
	for _, t := range n.vrfs {
		list = append(list, IPVRF{
			Key: t.in.GetName(), Name: t.in.GetName(), Number: t.in.GetNumber(), VNI: t.vni, EVI: t.evi,
			RT: t.rt, RD: distinguisher(n.loopback, t.evi), ECMP: min(n.site.maxPaths(), 64), Ref: t.ref,
		})
	}
	return list
}
