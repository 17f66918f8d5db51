package srossim

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Short forms of long names.
const (
	statement     = sros.ConfigurePolicyOptionsPolicyStatement
	entry         = sros.ConfigurePolicyOptionsPolicyStatementEntry
	from          = sros.ConfigurePolicyOptionsPolicyStatementEntryFrom
	fromPrefixes  = sros.ConfigurePolicyOptionsPolicyStatementEntryFromPrefixList
	fromProtocols = sros.ConfigurePolicyOptionsPolicyStatementEntryFromProtocolName
	fromFamilies  = sros.ConfigurePolicyOptionsPolicyStatementEntryFromFamily
	fromType      = sros.ConfigurePolicyOptionsPolicyStatementEntryFromEvpnType
	fromPath      = sros.ConfigurePolicyOptionsPolicyStatementEntryFromAsPathName
	fromCommunity = sros.ConfigurePolicyOptionsPolicyStatementEntryFromCommunityName
	fromFormula   = sros.ConfigurePolicyOptionsPolicyStatementEntryFromCommunityExpression
	fromExtended  = sros.ConfigurePolicyOptionsPolicyStatementEntryFromExtendedCommunitySet
	fromOptions   = sros.ConfigurePolicyOptionsPolicyStatementEntryFromExtendedCommunitySetOptions
)

// nowhere is a prefix list without prefixes: what asks for it matches nothing.
const nowhere = "!"

// simulated are the conditions of an entry that are read. Whatever else an entry asks, nothing here meets.
var simulated = []config.ID{fromPrefixes, fromProtocols, fromFamilies, fromType, fromPath, fromCommunity, fromFormula, fromExtended, fromOptions}

// protocols are the names of where routes come from, as the network has them.
var protocols = map[string]string{"direct": "local", "static": "static", "bgp": "bgp", "isis": "isis", "aggregate": "aggregate", "arp-nd": "arp-nd", "bgp-vpn": "bgp-evpn"}

// routeTypes are the names of EVPN route types (RFC 7432 §7, RFC 9136).
var routeTypes = map[string]uint8{
	"ethernet-auto-discovery": network.EthernetAD, "mac-ip-advertisement": network.MACIP, "inclusive-multicast": network.InclusiveMulticast,
	"ethernet-segment": network.EthernetSegmentRoute, "ip-prefix": network.IPPrefix,
}

func (r *reader) routingPolicies() network.Policies {
	p := network.Policies{
		Policies:    map[string]network.Policy{},
		Prefixes:    map[string][]network.PrefixRange{nowhere: nil},
		Communities: map[string]network.CommunitySet{},
		ASPaths:     map[string][]string{},
	}
	for list := range entries(r.root, sros.ConfigurePolicyOptionsPrefixList) {
		p.Prefixes[key(list)] = prefixList(list)
	}
	for set := range entries(r.root, sros.ConfigurePolicyOptionsCommunity) {
		p.Communities[key(set)] = communities(set)
	}
	for set := range entries(r.root, sros.ConfigurePolicyOptionsExtendedCommunitySet) {
		for _, how := range []string{"any", "all"} {
			p.Communities[extended(key(set), how)] = extendedSet(set, how)
		}
	}
	for path := range entries(r.root, sros.ConfigurePolicyOptionsAsPath) {
		if e := byASN(text(path, sros.ConfigurePolicyOptionsAsPathExpression)); e != "" {
			p.ASPaths[key(path)] = []string{e}
		}
	}
	for policy := range entries(r.root, statement) {
		p.Policies[key(policy)] = readPolicy(p, policy)
	}
	return p
}

// prefixList reads what lengths inside a prefix match: its own, longer ones, those up to one, or those of a range.
func prefixList(list config.Cursor) (out []network.PrefixRange) {
	for e := range entries(list, sros.ConfigurePolicyOptionsPrefixListPrefix) {
		prefix, err := netip.ParsePrefix(key(e))
		if err != nil {
			continue
		}
		x := network.PrefixRange{Prefix: prefix.Masked(), Low: prefix.Bits(), High: prefix.Bits()}
		switch e.Keys()[1] {
		case "exact":
		case "longer":
			x.High = prefix.Addr().BitLen()
		case "through":
			x.High = int(number(e, sros.ConfigurePolicyOptionsPrefixListPrefixThroughLength))
		case "range":
			x.Low = int(number(e, sros.ConfigurePolicyOptionsPrefixListPrefixStartLength))
			x.High = int(number(e, sros.ConfigurePolicyOptionsPrefixListPrefixEndLength))
		default:
			continue // "to" and "address-mask" compare something else than a length
		}
		out = append(out, x)
	}
	return out
}

// communities reads a list. A route has to have all of its members: for any of them there are expressions.
func communities(set config.Cursor) network.CommunitySet {
	c := network.CommunitySet{All: true}
	for m := range entries(set, sros.ConfigurePolicyOptionsCommunityMember) {
		c.Members = append(c.Members, community(key(m)))
	}
	return c
}

// extended names an extended community set by how an entry matches it: names of sets and of lists may be the same.
func extended(set, how string) string { return "extended " + how + " " + set }

func extendedSet(set config.Cursor, how string) network.CommunitySet {
	c := network.CommunitySet{All: how == "all"}
	for m := range entries(set, sros.ConfigurePolicyOptionsExtendedCommunitySetMember) {
		c.Members = append(c.Members, community(key(m)))
	}
	return c
}

// community is a member as the network has it: those with a name as numbers (RFC 1997), how to encapsulate (RFC 9012 §4.1) by its
// word, and of an expression for each half, "65000&1..", one for the whole.
func community(member string) string {
	switch strings.ToLower(member) {
	case "no-export":
		return "65535:65281"
	case "no-advertise":
		return "65535:65282"
	case "no-export-subconfed":
		return "65535:65283"
	case "bgp-tunnel-encap:mpls":
		return network.OverMPLS.String()
	case "bgp-tunnel-encap:vxlan":
		return network.OverVXLAN.String()
	}
	return strings.ReplaceAll(member, "&", ":")
}

var asnTerm = regexp.MustCompile(`[0-9]+|\.|null|["\s]+`)

// byASN turns an expression whose terms are whole AS numbers into one over the path as text: "." is any number, and the whole
// path has to match. "" is of one that cannot be read.
func byASN(expression string) string {
	body := asnTerm.ReplaceAllStringFunc(expression, func(term string) string {
		switch {
		case strings.Trim(term, "\" \t\n") == "" || term == "null":
			return ""
		case term == ".":
			term = "[0-9]+"
		}
		return `(?:\b` + term + `\b ?)`
	})
	if _, err := regexp.Compile(body); err != nil {
		return ""
	}
	return "^(?:" + body + ")$"
}

// readPolicy reads a policy. Entries are asked in the order of their numbers.
func readPolicy(known network.Policies, policy config.Cursor) network.Policy {
	p := network.Policy{Default: action(at(policy, sros.ConfigurePolicyOptionsPolicyStatementDefaultAction), defaultAction)}
	var all []config.Cursor
	for e := range entries(policy, entry) {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b config.Cursor) int { return int(parseNumber(key(a))) - int(parseNumber(key(b))) })
	for _, e := range all {
		s := network.Statement{Name: key(e), Action: action(at(e, sros.ConfigurePolicyOptionsPolicyStatementEntryAction), entryAction)}
		for _, m := range conditions(known, e) {
			s.Match = m
			p.Statements = append(p.Statements, s)
		}
	}
	return p
}

// conditions are what an entry asks: each is enough, and each asks all that it has. The network knows one list, one protocol and one
// set at a time, so an entry that names several becomes several.
func conditions(known network.Policies, e config.Cursor) []network.Match {
	all := []network.Match{{}}
	if asksMore(e) {
		all[0].PrefixSet = nowhere
		return all
	}
	vary := func(values []string, set func(*network.Match, string)) {
		if len(values) == 0 {
			return
		}
		var out []network.Match
		for _, m := range all {
			for _, v := range values {
				next := m
				set(&next, v)
				out = append(out, next)
			}
		}
		all = out
	}
	vary(texts(e, fromPrefixes), func(m *network.Match, v string) { m.PrefixSet = v })
	vary(texts(e, fromProtocols), func(m *network.Match, v string) {
		if m.Protocol = protocols[v]; m.Protocol == "" {
			m.PrefixSet = nowhere
		}
	})
	vary(one(text(e, fromType)), func(m *network.Match, v string) {
		if m.RouteType = routeTypes[v]; m.RouteType == 0 {
			m.PrefixSet = nowhere
		}
	})
	vary(one(text(e, fromPath)), func(m *network.Match, v string) { m.ASPathSet = v })
	vary(one(text(e, fromCommunity)), func(m *network.Match, v string) { m.CommunitySet = v })
	vary(one(text(e, fromExtended)), func(m *network.Match, v string) { // "invert" is not simulated, and meets no set
		m.CommunitySet = extended(v, text(e, fromOptions))
	})
	vary(formula(known, text(e, fromFormula)), func(m *network.Match, v string) { m.CommunitySet = v })
	if spoken := texts(e, fromFamilies); len(spoken) > 0 {
		for i := range all {
			for _, f := range families {
				if slices.Contains(spoken, f.name) {
					all[i].Families = append(all[i].Families, f.family)
				}
			}
			if len(all[i].Families) == 0 {
				all[i].PrefixSet = nowhere
			}
		}
	}
	return all
}

func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// asksMore tells whether an entry asks for something that is not simulated.
func asksMore(e config.Cursor) bool {
	var look func(c config.Cursor) bool
	look = func(c config.Cursor) bool {
		for child := range c.Children() {
			kind := child.Node().Kind
			switch {
			case slices.Contains(simulated, child.ID()), child.IsDefault():
			case kind == config.Leaf || kind == config.LeafList:
				return true
			case look(child):
				return true
			}
		}
		return false
	}
	sets := 0
	for _, id := range []config.ID{fromCommunity, fromFormula, fromExtended} {
		if has(e, id) {
			sets++
		}
	}
	return sets > 1 || has(e, from) && look(at(e, from)) || has(e, sros.ConfigurePolicyOptionsPolicyStatementEntryTo)
}

// formula are the community lists any of which an expression is content with: "[a] OR [b]". Lists that are joined by AND become one
// of all their members. NOT is not simulated: such an expression matches nothing.
func formula(known network.Policies, expression string) (out []string) {
	if expression == "" {
		return nil
	}
	for _, some := range strings.Split(expression, " OR ") {
		all := network.CommunitySet{All: true}
		for _, name := range strings.Split(some, " AND ") {
			set, ok := known.Communities[strings.Trim(name, " []()")]
			if !ok || strings.Contains(name, "NOT ") {
				all.Members = []string{"!"} // no community
				break
			}
			all.Members = append(all.Members, set.Members...)
		}
		known.Communities[some] = all
		out = append(out, some)
	}
	return out
}

// unicast makes a copy of a policy that does not look at routes of services, and returns its name.
func (r *reader) unicast(name string) string {
	narrow, both := name+"@base", []network.Family{network.IPv4, network.IPv6}
	policy := network.Policy{}
	for _, s := range r.policies.Policies[name].Statements {
		if len(s.Match.Families) == 0 {
			s.Match.Families = both
		}
		s.Match.Families = slices.DeleteFunc(slices.Clone(s.Match.Families), func(f network.Family) bool { return f == network.L2EVPN })
		if len(s.Match.Families) > 0 {
			policy.Statements = append(policy.Statements, s)
		}
	}
	if last := r.policies.Policies[name].Default; last.Result != network.Unset {
		policy.Statements = append(policy.Statements, network.Statement{Name: "default-action", Match: network.Match{Families: both}, Action: last})
	}
	r.policies.Policies[narrow] = policy
	return narrow
}
