package network

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// book is the policies of a router with their regular expressions compiled.
type book struct {
	Policies
	patterns map[string]*regexp.Regexp // of members that are no plain communities, and of AS paths
}

func newBook(p Policies) *book {
	b := &book{Policies: p, patterns: map[string]*regexp.Regexp{}}
	for _, set := range p.Communities {
		for _, m := range set.Members {
			if !isPlain(m) {
				b.compile(m)
			}
		}
	}
	for _, set := range p.ASPaths {
		for _, m := range set {
			b.compile(m)
		}
	}
	return b
}

// compile keeps a regular expression, which has to match a whole value. One that does not compile matches nothing.
func (b *book) compile(text string) {
	if re, err := regexp.Compile("^(?:" + text + ")$"); err == nil {
		b.patterns[text] = re
	}
}

// isPlain returns whether a member is a community and not an expression: "65000:1", "target:65000:1", or a
// well-known name.
func isPlain(member string) bool {
	return !strings.ContainsAny(member, `.*+?^$()[]{}|\`)
}

// contains returns whether a community set has a member that matches a community.
func (b *book) contains(set, community string) bool {
	return slices.ContainsFunc(b.Communities[set].Members, func(m string) bool { return b.is(m, community) })
}

// is returns whether a member of a set matches a community.
func (b *book) is(member, community string) bool {
	if isPlain(member) {
		return member == community
	}
	re := b.patterns[member]
	return re != nil && re.MatchString(community)
}

// plain returns the standard communities of a set that are no expressions.
func (b *book) plain(set string) []string {
	var all []string
	for _, m := range b.Communities[set].Members {
		if isPlain(m) && !extended(m) {
			all = append(all, m)
		}
	}
	return all
}

// extended returns whether a member is an extended community.
func extended(member string) bool {
	kind, _, _ := strings.Cut(member, ":")
	return kind == "target" || kind == "origin" || kind == "encapsulation"
}

// matches returns whether a route meets all conditions of a statement.
func (b *book) matches(m *Match, s *subject, depth int) bool {
	return (m.PrefixSet == "" || b.inPrefixes(m.PrefixSet, s.route) != m.InvertPrefix) &&
		(m.Protocol == "" || s.comesFrom(m.Protocol)) &&
		(len(m.Families) == 0 || slices.Contains(m.Families, s.route.Family)) &&
		(m.RouteType == 0 || s.route.Family == L2EVPN && s.route.Type == m.RouteType) &&
		(m.CommunitySet == "" || b.hasCommunities(m.CommunitySet, s)) &&
		(m.ASPathSet == "" || b.hasPath(m.ASPathSet, s.asPath)) &&
		(m.ASPathLength == nil || m.ASPathLength(s.asPath.len())) &&
		(len(m.TagSets) == 0 || b.hasTag(m.TagSets, s.tags)) &&
		(m.Policy == "" || b.calls(m.Policy, s, depth))
}

// comesFrom returns whether a route comes from a protocol. An EVPN route comes from "bgp-evpn" wherever
// it is, and from "bgp" as well when a neighbor sent it.
func (s *subject) comesFrom(protocol string) bool {
	if s.received && protocol == "bgp" {
		return true
	}
	if s.route.Family == L2EVPN {
		return protocol == "bgp-evpn"
	}
	return !s.received && s.route.Protocol == protocol
}

// inPrefixes returns whether a set has the prefix of a route. EVPN routes of types 2 and 5 have one.
func (b *book) inPrefixes(set string, r *Route) bool {
	if !r.Prefix.IsValid() || r.Family == L2EVPN && r.Type != MACIP && r.Type != IPPrefix {
		return false
	}
	return slices.ContainsFunc(b.Prefixes[set], func(p PrefixRange) bool {
		bits := r.Prefix.Bits()
		return p.Low <= bits && bits <= p.High && p.Prefix.Bits() <= bits && p.Prefix.Contains(r.Prefix.Addr())
	})
}

// hasCommunities compares with the communities of a route, its route targets and its encapsulation.
func (b *book) hasCommunities(name string, s *subject) bool {
	all := strings.Fields(s.communities)
	for _, t := range s.route.Targets {
		all = append(all, "target:"+string(t))
	}
	if e := s.route.Encap; e != Unsaid {
		all = append(all, e.String())
	}
	set := b.Communities[name]
	present := func(m string) bool {
		return slices.ContainsFunc(all, func(c string) bool { return b.is(m, c) })
	}
	if set.All {
		return !slices.ContainsFunc(set.Members, func(m string) bool { return !present(m) })
	}
	return slices.ContainsFunc(set.Members, present)
}

// hasPath compares with the path as text, "65001 65002"; "null" is the empty one.
func (b *book) hasPath(set string, path numbers) bool {
	text := make([]string, 0, path.len())
	for _, as := range path.slice() {
		text = append(text, strconv.FormatUint(uint64(as), 10))
	}
	whole := strings.Join(text, " ")
	return slices.ContainsFunc(b.ASPaths[set], func(m string) bool {
		re := b.patterns[m]
		return m == "null" && whole == "" || re != nil && re.MatchString(whole)
	})
}

// hasTag returns whether a route has a tag of one of the sets.
func (b *book) hasTag(sets []string, tags numbers) bool {
	return slices.ContainsFunc(sets, func(set string) bool {
		return slices.ContainsFunc(b.Tags[set], func(t uint32) bool { return tags.count(t) > 0 })
	})
}

// calls returns whether another policy accepts the route, which stays as it is.
func (b *book) calls(name string, s *subject, depth int) bool {
	trial := *s
	return b.policy(name, &trial, depth+1) == Accept
}
