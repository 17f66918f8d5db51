package speaker

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	api "github.com/osrg/gobgp/v3/api"
	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// match returns the ways in which a route can meet all conditions of a statement; false where none can, or where a
// condition cannot be said to a speaker.
func (t *translation) match(m *network.Match) ([]*api.Conditions, bool) {
	if !t.sayable(m) {
		return nil, false
	}
	base := &api.Conditions{}
	if !t.length(base, m.ASPathLength) {
		return nil, false
	}
	if m.ASPathSet != "" {
		base.AsPathSet = t.asPaths(m.ASPathSet)
	}
	ways := t.origins(base, m)
	ways = slices.DeleteFunc(ways, func(c *api.Conditions) bool { return !restrict(c, m.Families) })
	if m.CommunitySet != "" {
		ways = t.withCommunities(ways, m.CommunitySet)
	}
	return ways, len(ways) > 0
}

// sayable returns whether speakers know all of the conditions.
func (t *translation) sayable(m *network.Match) bool {
	said := true
	for _, c := range []struct {
		what  string
		asked bool
	}{
		{"matching EVPN route types", m.RouteType != 0},
		{"matching tags", len(m.TagSets) > 0},
		{"matching by a policy", m.Policy != ""},
	} {
		if c.asked {
			t.note(c.what)
			said = false
		}
	}
	if m.PrefixSet != "" && slices.Contains(t.session.Families, network.L2EVPN) && (len(m.Families) == 0 || slices.Contains(m.Families, network.L2EVPN)) {
		t.note("matching prefixes of EVPN routes") // that of others is
	}
	return said
}

// origins returns the ways in which a route comes from a protocol and is in a prefix set. Prefixes of a protocol other
// than BGP are known: they are what the router announces.
func (t *translation) origins(base *api.Conditions, m *network.Match) (ways []*api.Conditions) {
	way := func(conditions ...func(*api.Conditions)) {
		c := proto.Clone(base).(*api.Conditions)
		for _, f := range conditions {
			f(c)
		}
		ways = append(ways, c)
	}
	switch m.Protocol {
	case "":
		for _, p := range t.prefixes(m) {
			way(p)
		}
	case "bgp":
		for _, p := range t.prefixes(m) {
			way(p, fromInside)
			way(p, fromOutside)
		}
	case "bgp-evpn":
		if m.PrefixSet == "" || m.InvertPrefix {
			way(evpn)
		}
	default:
		for _, f := range []network.Family{network.IPv4, network.IPv6} {
			if set := t.local(m, f); set != "" && t.direction == outward {
				way(in(f), fromHere, prefixSet(set, api.MatchSet_ANY))
			}
		}
	}
	return ways
}

func prefixSet(name string, kind api.MatchSet_Type) func(*api.Conditions) {
	return func(c *api.Conditions) { c.PrefixSet = &api.MatchSet{Name: name, Type: kind} }
}

// prefixes returns a condition for each family in which a route can be in the prefix set, or out of it. To a speaker EVPN
// routes have no prefixes.
func (t *translation) prefixes(m *network.Match) (conditions []func(*api.Conditions)) {
	if m.PrefixSet == "" {
		return []func(*api.Conditions){func(*api.Conditions) {}}
	}
	for _, f := range []network.Family{network.IPv4, network.IPv6} {
		set := t.ranges(m.PrefixSet, f)
		switch {
		case set != "" && m.InvertPrefix:
			conditions = append(conditions, prefixSet(set, api.MatchSet_INVERT))
		case set != "":
			conditions = append(conditions, prefixSet(set, api.MatchSet_ANY))
		case m.InvertPrefix:
			conditions = append(conditions, in(f))
		}
	}
	if m.InvertPrefix {
		conditions = append(conditions, evpn)
	}
	return conditions
}

// ranges defines the prefixes of one family in a set; "" where there are none.
func (t *translation) ranges(name string, f network.Family) string {
	var prefixes []*api.Prefix
	for _, r := range t.router.Policies.Prefixes[name] {
		if r.Prefix.Addr().Is4() == (f == network.IPv4) {
			prefixes = append(prefixes, &api.Prefix{IpPrefix: r.Prefix.Masked().String(), MaskLengthMin: uint32(r.Low), MaskLengthMax: uint32(r.High)})
		}
	}
	return t.define(api.DefinedType_PREFIX, "prefixes "+name, nil, prefixes)
}

// local defines the prefixes that the router announces from a protocol, as far as they meet the prefix condition. Its
// name does not tell what is in it: routes come and go with it, see (*router).place.
func (t *translation) local(m *network.Match, f network.Family) string {
	var prefixes []*api.Prefix
	for i := range t.announced {
		r := &t.announced[i]
		if r.Family == f && r.Protocol == m.Protocol && (m.PrefixSet == "" || t.within(m.PrefixSet, r) != m.InvertPrefix) {
			bits := uint32(r.Prefix.Bits())
			prefixes = append(prefixes, &api.Prefix{IpPrefix: r.Prefix.Masked().String(), MaskLengthMin: bits, MaskLengthMax: bits})
		}
	}
	if len(prefixes) == 0 {
		return ""
	}
	name := fmt.Sprint(m.Protocol, " ", f, " ", m.PrefixSet, " ", m.InvertPrefix)
	t.book.set(&api.DefinedSet{DefinedType: api.DefinedType_PREFIX, Name: name, Prefixes: prefixes})
	return name
}

func (t *translation) within(set string, route *network.Route) bool {
	return slices.ContainsFunc(t.router.Policies.Prefixes[set], func(r network.PrefixRange) bool {
		bits := route.Prefix.Bits()
		return r.Low <= bits && bits <= r.High && r.Prefix.Bits() <= bits && r.Prefix.Contains(route.Prefix.Addr())
	})
}

// define adds a set under a name that tells what is in it, so that rules that are the same look the same. It returns ""
// for an empty one, which speakers do not have.
func (c *compiler) define(kind api.DefinedType, name string, list []string, prefixes []*api.Prefix) string {
	if len(list)+len(prefixes) == 0 {
		return ""
	}
	s := &api.DefinedSet{DefinedType: kind, List: list, Prefixes: prefixes}
	content, _ := proto.MarshalOptions{Deterministic: true}.Marshal(s) // strings and numbers: nothing can fail
	h := fnv.New64a()
	h.Write(content)
	s.Name = fmt.Sprintf("%s %x", name, h.Sum64())
	c.book.set(s)
	return s.Name
}

// restrict narrows conditions to families; false where none is left.
func restrict(c *api.Conditions, fs []network.Family) bool {
	if len(fs) == 0 {
		return true
	}
	asked := &api.Conditions{}
	in(fs...)(asked)
	if len(c.AfiSafiIn) == 0 {
		c.AfiSafiIn = asked.AfiSafiIn
		return true
	}
	c.AfiSafiIn = slices.DeleteFunc(c.AfiSafiIn, func(f *api.Family) bool { return !slices.Contains(asked.AfiSafiIn, f) })
	return len(c.AfiSafiIn) > 0
}

// withCommunities multiplies the ways by those in which a route meets a community set: each kind of community is a
// condition of its own, and any of them will do unless all have to.
func (t *translation) withCommunities(ways []*api.Conditions, name string) (all []*api.Conditions) {
	standard, targets, large := t.members(name, false)
	kind := api.MatchSet_ANY
	if set := t.router.Policies.Communities[name]; set.All && len(set.Members) > 1 {
		kind = api.MatchSet_ALL
	}
	var conditions []func(*api.Conditions)
	add := func(defined api.DefinedType, list []string, put func(*api.Conditions, *api.MatchSet)) {
		if set := t.define(defined, fmt.Sprint("communities ", defined, " ", name), list, nil); set != "" {
			conditions = append(conditions, func(c *api.Conditions) { put(c, &api.MatchSet{Name: set, Type: kind}) })
		}
	}
	add(api.DefinedType_COMMUNITY, standard, func(c *api.Conditions, s *api.MatchSet) { c.CommunitySet = s })
	add(api.DefinedType_EXT_COMMUNITY, targets, func(c *api.Conditions, s *api.MatchSet) { c.ExtCommunitySet = s })
	add(api.DefinedType_LARGE_COMMUNITY, large, func(c *api.Conditions, s *api.MatchSet) { c.LargeCommunitySet = s })
	if kind == api.MatchSet_ALL && len(targets) > 0 {
		// To the speaker all of a route's extended communities have to be in the set, not the other way round.
		t.note("matching all of several route targets")
		return nil
	}
	for _, way := range ways {
		if kind == api.MatchSet_ALL {
			for _, f := range conditions {
				f(way)
			}
			all = append(all, way)
			continue
		}
		for _, f := range conditions {
			c := proto.Clone(way).(*api.Conditions)
			f(c)
			all = append(all, c)
		}
	}
	return all
}

// ahead are the AS numbers that the speaker has put before the path when it looks at it, as routers do only afterwards.
func (t *translation) ahead() (numbers []string) {
	if t.direction == inward || t.session.PeerType == network.IBGP {
		return nil
	}
	if prependsGlobal(t.router, t.session) {
		numbers = append(numbers, fmt.Sprint(globalAS(t.router)))
	}
	return append(numbers, fmt.Sprint(placeholderAS))
}

// asPaths defines a set of AS paths. An expression is about the whole path.
func (t *translation) asPaths(name string) *api.MatchSet {
	var list []string
	for _, m := range t.router.Policies.ASPaths[name] {
		parts := t.ahead()
		if m != "null" {
			parts = append(parts, "(?:"+m+")")
		}
		list = append(list, "^"+strings.Join(parts, " ")+"$")
	}
	if len(list) == 0 {
		list = []string{"none"}
	}
	return &api.MatchSet{Name: t.define(api.DefinedType_AS_PATH, "paths "+name, list, nil)}
}

// length finds out for which lengths of the AS path a condition holds: one length, or all from one on, or up to one.
func (t *translation) length(c *api.Conditions, holds func(int) bool) bool {
	if holds == nil {
		return true
	}
	const most = 255
	var lengths []int
	for n := range most + 1 {
		if holds(n) {
			lengths = append(lengths, n)
		}
	}
	ask := func(kind api.AsPathLength_Type, n int) bool {
		c.AsPathLength = &api.AsPathLength{Type: kind, Length: uint32(n + len(t.ahead()))}
		return true
	}
	switch n := len(lengths); {
	case n == 0:
		return false
	case n == most+1:
		return true
	case n == 1:
		return ask(api.AsPathLength_EQ, lengths[0])
	case lengths[n-1] == most && n == most+1-lengths[0]:
		return ask(api.AsPathLength_GE, lengths[0])
	case lengths[0] == 0 && n == lengths[n-1]+1:
		return ask(api.AsPathLength_LE, lengths[n-1])
	}
	t.note("this range of AS path lengths")
	return false
}
