package network

import (
	"net/netip"
	"testing"
)

func accept(m Match) Statement { return Statement{Match: m, Action: Action{Result: Accept}} }

func TestWhatPoliciesDecide(t *testing.T) {
	t.Parallel()
	high, low := uint32(200), uint32(50)
	unicast := Route{NLRI: NLRI{Family: IPv4, Prefix: netip.MustParsePrefix("10.1.2.3/32")}, Protocol: "local"}
	macIP := Route{NLRI: NLRI{Family: L2EVPN, Type: MACIP, Prefix: netip.MustParsePrefix("10.1.2.3/32")}, Targets: []RT{"65000:10"}, Encap: OverMPLS, Protocol: "bgp-evpn"}
	multicast := Route{NLRI: NLRI{Family: L2EVPN, Type: InclusiveMulticast, Prefix: netip.MustParsePrefix("10.1.2.3/32")}, Protocol: "bgp-evpn"}
	sets := Policies{
		Prefixes: map[string][]PrefixRange{
			"tens": {{netip.MustParsePrefix("10.0.0.0/8"), 24, 32}}, "nets": {{netip.MustParsePrefix("10.0.0.0/8"), 8, 24}},
		},
		Communities: map[string]CommunitySet{
			"both": {All: true, Members: []string{"1:1", "1:2"}}, "any": {Members: []string{"1:1", "9:9"}},
			"expression": {Members: []string{"1:[12]"}}, "broken": {Members: []string{"1:[12"}}, "target": {Members: []string{"target:65000:10"}},
			"vxlan": {Members: []string{"encapsulation:vxlan"}}, "mpls": {Members: []string{"encapsulation:mpls"}},
		},
		ASPaths: map[string][]string{"through 7": {".* 7 .*"}, "from 9": {"8|9"}, "empty": {"null"}},
		Tags:    map[string][]uint32{"five": {5, 6}},
	}
	for name, test := range map[string]struct {
		route    *Route
		received bool
		in       attributes
		names    []string
		policies map[string]Policy
		want     Result
		out      *attributes // nil: as it was
	}{
		"no policy decides nothing":                  {want: Unset},
		"a policy that is not there decides nothing": {names: []string{"gone"}, want: Unset},
		"a policy without a default leaves it to the next one": {
			names: []string{"a", "b"}, policies: map[string]Policy{"a": {}, "b": {Default: Action{Result: Reject}}}, want: Reject,
		},
		"the first decision stands": {
			names:    []string{"a", "b"},
			policies: map[string]Policy{"a": {Default: Action{Result: Accept}}, "b": {Default: Action{Result: Reject}}}, want: Accept,
		},
		"a statement without a result goes on with what it has changed": {
			names: []string{"a"}, policies: map[string]Policy{"a": {
				Statements: []Statement{{Action: Action{LocalPref: &high}}, accept(Match{})},
			}}, want: Accept, out: &attributes{localPref: 200},
		},
		"a statement may go on to the next policy": {
			names: []string{"a", "b"}, policies: map[string]Policy{
				"a": {Statements: []Statement{{Action: Action{Result: NextPolicy, LocalPref: &high}}}, Default: Action{Result: Reject}},
				"b": {Default: Action{Result: Accept}},
			}, want: Accept, out: &attributes{localPref: 200},
		},
		"a statement that does not match changes nothing": {
			names: []string{"a"}, policies: map[string]Policy{"a": {
				Statements: []Statement{{Match: Match{Protocol: "static"}, Action: Action{LocalPref: &low}}}, Default: Action{Result: Accept},
			}}, want: Accept,
		},
		"a prefix is in a set by length too":  {names: []string{"a"}, policies: one(Match{PrefixSet: "tens"}), want: Accept},
		"a longer prefix is not":              {names: []string{"a"}, policies: one(Match{PrefixSet: "nets"}), want: Unset},
		"a set may be inverted":               {names: []string{"a"}, policies: one(Match{PrefixSet: "nets", InvertPrefix: true}), want: Accept},
		"a host route of EVPN has a prefix":   {route: &macIP, names: []string{"a"}, policies: one(Match{PrefixSet: "tens"}), want: Accept},
		"an originator of EVPN is no prefix":  {route: &multicast, names: []string{"a"}, policies: one(Match{PrefixSet: "tens"}), want: Unset},
		"a protocol is that of an own route":  {names: []string{"a"}, policies: one(Match{Protocol: "local"}), want: Accept},
		"a received route is from BGP":        {received: true, names: []string{"a"}, policies: one(Match{Protocol: "bgp"}), want: Accept},
		"and no longer from where it started": {received: true, names: []string{"a"}, policies: one(Match{Protocol: "local"}), want: Unset},
		"an EVPN route stays one":             {route: &macIP, received: true, names: []string{"a"}, policies: one(Match{Protocol: "bgp-evpn"}), want: Accept},
		"families are compared":               {names: []string{"a"}, policies: one(Match{Families: []Family{IPv6, L2EVPN}}), want: Unset},
		"EVPN types are compared":             {route: &macIP, names: []string{"a"}, policies: one(Match{RouteType: MACIP}), want: Accept},
		"a type that differs does not match":  {route: &macIP, names: []string{"a"}, policies: one(Match{RouteType: IPPrefix}), want: Unset},
		"all communities have to be there": {
			in: attributes{communities: "1:1"}, names: []string{"a"}, policies: one(Match{CommunitySet: "both"}), want: Unset,
		},
		"or any of them":                   {in: attributes{communities: "1:1 2:2"}, names: []string{"a"}, policies: one(Match{CommunitySet: "any"}), want: Accept},
		"a member may be an expression":    {in: attributes{communities: "1:2"}, names: []string{"a"}, policies: one(Match{CommunitySet: "expression"}), want: Accept},
		"which matches whole communities":  {in: attributes{communities: "1:22"}, names: []string{"a"}, policies: one(Match{CommunitySet: "expression"}), want: Unset},
		"a broken one matches nothing":     {in: attributes{communities: "1:1"}, names: []string{"a"}, policies: one(Match{CommunitySet: "broken"}), want: Unset},
		"so are encapsulations":            {route: &macIP, names: []string{"a"}, policies: one(Match{CommunitySet: "mpls"}), want: Accept},
		"of which a route has one":         {route: &macIP, names: []string{"a"}, policies: one(Match{CommunitySet: "vxlan"}), want: Unset},
		"route targets are communities":    {route: &macIP, names: []string{"a"}, policies: one(Match{CommunitySet: "target"}), want: Accept},
		"AS paths are text":                {in: attributes{asPath: listOf(5, 7, 9)}, names: []string{"a"}, policies: one(Match{ASPathSet: "through 7"}), want: Accept},
		"an expression is for whole paths": {in: attributes{asPath: listOf(5, 9)}, names: []string{"a"}, policies: one(Match{ASPathSet: "from 9"}), want: Unset},
		"the empty path has a name":        {names: []string{"a"}, policies: one(Match{ASPathSet: "empty"}), want: Accept},
		"AS paths are counted": {
			in: attributes{asPath: listOf(5, 7)}, names: []string{"a"}, policies: one(Match{ASPathLength: func(n int) bool { return n == 2 }}), want: Accept,
		},
		"one tag is enough": {in: attributes{tags: listOf(6)}, names: []string{"a"}, policies: one(Match{TagSets: []string{"five"}}), want: Accept},
		"a policy may ask another one": {
			names: []string{"a"}, policies: map[string]Policy{"a": {Statements: []Statement{accept(Match{Policy: "b"})}}, "b": {Default: Action{Result: Accept, LocalPref: &high}}},
			want: Accept,
		},
		"policies that ask each other for ever match nothing": {
			names: []string{"a"}, policies: one(Match{Policy: "a"}), want: Unset,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sets
			p.Policies = test.policies
			if test.route == nil {
				test.route = &unicast
			}
			s := subject{attributes: test.in, route: test.route, received: test.received}
			if got := newBook(p).apply(test.names, &s); got != test.want {
				t.Errorf("result %d, want %d", got, test.want)
			}
			if test.out == nil {
				test.out = &test.in
			}
			if s.attributes != *test.out {
				t.Errorf("got  %+v\nwant %+v", s.attributes, *test.out)
			}
		})
	}
}

// one is a policy "a" that accepts what matches.
func one(m Match) map[string]Policy {
	return map[string]Policy{"a": {Statements: []Statement{accept(m)}}}
}

func TestWhatActionsDo(t *testing.T) {
	t.Parallel()
	sets := Policies{
		Communities: map[string]CommunitySet{
			"new": {Members: []string{"3:3", "1:1", "4:.*", "target:1:1"}}, "ones": {Members: []string{"1:.*"}},
		},
		Tags: map[string][]uint32{"five": {5, 6}},
	}
	before := attributes{asPath: listOf(8, 9), localPref: 100, med: 10, communities: "1:1 2:2"}
	for name, test := range map[string]struct {
		action Action
		change func(*attributes)
	}{
		"the MED is worked out from the old one": {
			Action{MED: func(old uint32) uint32 { return old + 5 }}, func(a *attributes) { a.med = 15 },
		},
		"communities that are new are added, but no expressions and no extended ones": {
			Action{Add: "new"}, func(a *attributes) { a.communities = "1:1 2:2 3:3" },
		},
		"communities that match are removed": {Action{Remove: "ones"}, func(a *attributes) { a.communities = "2:2" }},
		"communities are replaced":           {Action{Replace: "new"}, func(a *attributes) { a.communities = "3:3 1:1" }},
		"an AS is put in front so often": {
			Action{Prepend: ASPrepend{AS: 7, Count: 2}}, func(a *attributes) { a.asPath = listOf(7, 7, 8, 9) },
		},
		"without a number it is the session's": {Action{Prepend: ASPrepend{Count: 1}}, func(a *attributes) { a.asPath = listOf(65000, 8, 9) }},
		"the path is emptied, and nothing put in front": {
			Action{RemoveAS: true, Prepend: ASPrepend{AS: 7, Count: 2}}, func(a *attributes) { a.asPath = "" },
		},
		"the path is replaced": {Action{ReplaceAS: 5}, func(a *attributes) { a.asPath = listOf(5) }},
		"tags are set":         {Action{SetTags: []string{"five"}}, func(a *attributes) { a.tags = listOf(5, 6) }},
		"what is rejected stays as it is": {
			Action{Result: Reject, ReplaceAS: 5}, func(*attributes) {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := subject{attributes: before, route: &Route{}, auto: 65000}
			want := before
			test.change(&want)
			newBook(sets).act(&test.action, &s)
			if s.attributes != want {
				t.Errorf("got  %+v\nwant %+v", s.attributes, want)
			}
			if s.changed != (want != before) {
				t.Errorf("changed is %t", s.changed)
			}
		})
	}
}
