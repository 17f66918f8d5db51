package network

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"unique"
)

// group is routes that fare alike everywhere: the same routers announce them, and nothing that a policy
// or a rule of keeping looks at tells them apart. What happens to one happens to all.
type group struct {
	of      *libraries
	family  Family
	origins []origin // sorted by speaker
	places  []int    // of the routes among all NLRIs of the family
	want    int      // number of what Imports looks at; EVPN only
	hash    uint64   // of all routes
}

// origin is a router that announces the routes of a group.
type origin struct {
	speaker int
	routes  []int32 // where they are in what the router announces, in the order of the group's places
}

// sample is a route that stands for all that an origin announces.
func (g *group) sample(origin int) *Route {
	o := &g.origins[origin]
	return &g.of.routes(o.speaker)[o.routes[0]]
}

// originOf returns the index of the origin that a speaker is; -1: it announces none of this.
func (g *group) originOf(speaker int) int {
	return slices.IndexFunc(g.origins, func(o origin) bool { return o.speaker == speaker })
}

// best is the best route of a group at one speaker.
type best struct {
	from   int // session; -1: own
	origin int // in the group
	attrs  unique.Handle[attributes]
}

// announcement is a route and who announces it.
type announcement struct {
	speaker int
	at      int // in what the speaker announces
	route   *Route
}

// library is all routes of one family, in groups.
type library struct {
	groups   []*group
	byPrefix prefixTable[int] // unicast: number of the group
	wants    []*Route         // for each want a route that has it, and only what want looks at
}

// newLibrary groups the routes of a family. byPrefix says that policies look at the prefixes of EVPN routes.
func newLibrary(of *libraries, f Family, all []announcement, byPrefix bool) *library {
	slices.SortStableFunc(all, func(a, b announcement) int {
		return cmp.Or(a.route.NLRI.compare(&b.route.NLRI), cmp.Compare(a.speaker, b.speaker))
	})
	l := &library{}
	s := sorter{library: l, of: of, prefixes: byPrefix || f != L2EVPN, known: map[string]*group{}, numbers: map[string]int{}}
	place := 0
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].route.NLRI == all[0].route.NLRI {
			n++
		}
		s.add(f, all[:n], place)
		all, place = all[n:], place+1
	}
	l.byPrefix.sort()
	return l
}

// sorter puts routes into groups.
type sorter struct {
	*library
	of       *libraries
	prefixes bool
	known    map[string]*group
	numbers  map[string]int // of wants
}

// add puts one NLRI, which one or more routers announce, where it belongs.
func (s *sorter) add(f Family, all []announcement, place int) {
	key := s.key(all)
	g := s.known[key]
	if g == nil {
		g = &group{of: s.of, family: f, want: s.want(all[0].route), origins: make([]origin, len(all))}
		for i, a := range all {
			g.origins[i].speaker = a.speaker
		}
		s.known[key] = g
		s.groups = append(s.groups, g)
	}
	g.places = append(g.places, place)
	for i, a := range all {
		g.origins[i].routes = append(g.origins[i].routes, int32(a.at))
		g.hash += a.route.hash()
	}
	if f != L2EVPN {
		s.byPrefix.put(all[0].route.Prefix, len(s.groups)-1)
	}
}

// key is everything that decides how an NLRI fares.
func (s *sorter) key(all []announcement) string {
	var b strings.Builder
	for _, a := range all {
		r := a.route
		fmt.Fprintf(&b, "%d %d %d %q %v %d %v %d %q %v %s;", a.speaker, r.Type, r.Encap, r.Protocol, r.NextHop, r.localPref(), r.ASPath, r.MED, r.Communities, r.Tags, want(r))
		if s.prefixes {
			fmt.Fprint(&b, r.Prefix)
		}
	}
	return b.String()
}

// want numbers what Imports may look at of a route.
func (s *sorter) want(r *Route) int {
	key := want(r)
	n, ok := s.numbers[key]
	if !ok {
		n = len(s.wants)
		s.numbers[key] = n
		s.wants = append(s.wants, &Route{NLRI: r.NLRI, Targets: r.Targets, ESImport: r.ESImport})
	}
	return n
}

// want is what Imports looks at: the route targets, or the segment that a type 4 route is about.
func want(r *Route) string {
	if r.Family == L2EVPN && r.Type == EthernetSegmentRoute {
		return r.ESImport.String()
	}
	return fmt.Sprint(r.Targets)
}

// compare orders NLRIs: by family, route type, distinguisher, and then what the type has.
func (n *NLRI) compare(m *NLRI) int {
	return cmp.Or(
		cmp.Compare(n.Family, m.Family), cmp.Compare(n.Type, m.Type), cmp.Compare(n.RD, m.RD),
		bytes.Compare(n.ESI[:], m.ESI[:]), cmp.Compare(n.Tag, m.Tag), bytes.Compare(n.MAC[:], m.MAC[:]),
		n.Prefix.Compare(m.Prefix))
}

// initial is what the attributes of a route are where it is announced.
func initial(r *Route) attributes {
	return attributes{
		nextHop: r.NextHop, asPath: listOf(r.ASPath...), localPref: r.localPref(), med: r.MED,
		communities: strings.Join(r.Communities, " "), tags: listOf(r.Tags...),
	}
}

func (r *Route) localPref() uint32 {
	if r.LocalPref != nil {
		return *r.LocalPref
	}
	return defaultLocalPref
}

// seed is for hashes that tell whether something has changed.
var seed = maphash.MakeSeed()

// hash tells routes apart.
func (r *Route) hash() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	maphash.WriteComparable(&h, r.NLRI)
	fmt.Fprint(&h, r.Protocol, r.NextHop, r.VNI, r.VNI2, r.ESI2, r.Gateway, r.Targets, r.Encap, r.RouterMAC, r.ESImport,
		r.ESILabel, r.SingleActive, r.Static, r.Sequence, r.Default, r.Domains, r.localPref(), r.ASPath, r.MED, r.Communities, r.Tags)
	if r.DF != nil {
		maphash.WriteComparable(&h, *r.DF)
	}
	return h.Sum64()
}
