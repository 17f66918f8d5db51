package srlsim

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

func (r *reader) routingPolicies() network.Policies {
	p := network.Policies{
		Policies:    map[string]network.Policy{},
		Prefixes:    map[string][]network.PrefixRange{},
		Communities: map[string]network.CommunitySet{},
		ASPaths:     map[string][]string{},
		Tags:        map[string][]uint32{},
	}
	for set := range entries(r.root, srl.RoutingPolicyPrefixSet) {
		p.Prefixes[key(set)] = prefixSet(set)
	}
	for set := range entries(r.root, srl.RoutingPolicyCommunitySet) {
		p.Communities[key(set)] = communitySet(set)
	}
	for set := range entries(r.root, srl.RoutingPolicyAsPathSet) {
		p.ASPaths[key(set)] = asPathSet(set)
	}
	for set := range entries(r.root, srl.RoutingPolicyTagSet) {
		p.Tags[key(set)] = tagSet(set)
	}
	for policy := range entries(r.root, srl.RoutingPolicyPolicy) {
		p.Policies[key(policy)] = readPolicy(policy)
	}
	return p
}

// prefixSet reads ranges of lengths as "exact" and "24..32".
func prefixSet(set config.Cursor) (out []network.PrefixRange) {
	for entry := range entries(set, srl.RoutingPolicyPrefixSetPrefix) {
		keys := entry.Keys()
		prefix, err := netip.ParsePrefix(keys[0])
		if err != nil {
			continue // the model accepts what is no prefix; it matches nothing
		}
		x := network.PrefixRange{Prefix: prefix.Masked(), Low: prefix.Bits(), High: prefix.Bits()}
		if low, high, ok := strings.Cut(keys[1], ".."); ok {
			x.Low, x.High = int(parseNumber(low)), int(parseNumber(high))
		}
		out = append(out, x)
	}
	return out
}

// communitySet reads a set. One that is to match by "invert" keeps no members: it cannot be said here.
func communitySet(set config.Cursor) network.CommunitySet {
	how := text(set, srl.RoutingPolicyCommunitySetMatchSetOptions)
	if how == "invert" {
		return network.CommunitySet{}
	}
	c := network.CommunitySet{All: how == "all"}
	for _, member := range texts(set, srl.RoutingPolicyCommunitySetMember) {
		c.Members = append(c.Members, wellKnown(member))
	}
	return c
}

// wellKnown gives the communities that have a name their numbers (RFC 1997).
func wellKnown(member string) string {
	switch local(member) {
	case "no-export":
		return "65535:65281"
	case "no-advertise":
		return "65535:65282"
	case "no-export-subconfed":
		return "65535:65283"
	}
	return member
}

// asPathSet reads one expression (24.10) or several (25.3 on).
func asPathSet(set config.Cursor) (out []string) {
	all := texts(set, srl.RoutingPolicyAsPathSetAsPathSetMember)
	if e := text(set, srl.RoutingPolicyAsPathSetExpression); e != "" {
		all = append(all, e)
	}
	for _, e := range all {
		if text(set, srl.RoutingPolicyAsPathSetRegexMode) == "asn" {
			e = byASN(e)
		}
		if _, err := regexp.Compile(e); err == nil {
			out = append(out, e)
		}
	}
	return out
}

var asnTerm = regexp.MustCompile(`[0-9]+|\.|null|\s+`)

// byASN turns an expression whose terms are whole ASNs into one over the path as text: "." is any ASN, and the
// whole path has to match.
func byASN(expression string) string {
	body := asnTerm.ReplaceAllStringFunc(expression, func(term string) string {
		switch {
		case strings.TrimSpace(term) == "" || term == "null":
			return ""
		case term == ".":
			term = "[0-9]+"
		}
		return `(?:\b` + term + `\b ?)`
	})
	return "^(?:" + body + ")$"
}

func tagSet(set config.Cursor) (out []uint32) {
	for _, v := range texts(set, srl.RoutingPolicyTagSetTagValue) {
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil { // bytes in hexadecimal
			n, _ = strconv.ParseUint(strings.ReplaceAll(v, ":", ""), 16, 32)
		}
		out = append(out, uint32(n))
	}
	return out
}

func readPolicy(policy config.Cursor) network.Policy {
	p := network.Policy{Default: defaultAction.read(policy)}
	for s := range entries(policy, srl.RoutingPolicyPolicyStatement) {
		statement := network.Statement{Name: key(s), Action: statementAction.read(s)}
		for _, m := range matches(s) {
			statement.Match = m
			p.Statements = append(p.Statements, statement)
		}
	}
	return p
}

// matches is what a statement asks: one Match for each EVPN route type that it names, any of which will do.
func matches(s config.Cursor) []network.Match {
	m := network.Match{
		PrefixSet:    either(s, srl.RoutingPolicyPolicyStatementMatchPrefixSet, srl.RoutingPolicyPolicyStatementMatchPrefixPrefixSet),
		Protocol:     local(text(s, srl.RoutingPolicyPolicyStatementMatchProtocol)),
		CommunitySet: text(s, srl.RoutingPolicyPolicyStatementMatchBgpCommunitySet),
		ASPathSet:    either(s, srl.RoutingPolicyPolicyStatementMatchBgpAsPathSet, srl.RoutingPolicyPolicyStatementMatchBgpAsPathAsPathSet),
		ASPathLength: pathLength(s),
		TagSets:      texts(s, srl.RoutingPolicyPolicyStatementMatchInternalTagsTagSet),
	}
	for _, f := range texts(s, srl.RoutingPolicyPolicyStatementMatchFamily) {
		if family, ok := families[local(f)]; ok {
			m.Families = append(m.Families, family)
		}
	}
	for _, policy := range texts(s, srl.RoutingPolicyPolicyStatementMatchCallPolicy) {
		m.Policy = policy // at most one
	}
	var out []network.Match
	for _, t := range texts(s, srl.RoutingPolicyPolicyStatementMatchBgpEvpnRouteType) {
		m.RouteType = uint8(parseNumber(t))
		out = append(out, m)
	}
	if out == nil {
		out = append(out, m)
	}
	return out
}

// either returns the one of two leaves that the release has.
func either(c config.Cursor, old, new config.ID) string {
	if v := text(c, old); v != "" {
		return v
	}
	return text(c, new)
}

func pathLength(s config.Cursor) func(int) bool {
	limit := int(number(s, srl.RoutingPolicyPolicyStatementMatchBgpAsPathLengthValue))
	switch text(s, srl.RoutingPolicyPolicyStatementMatchBgpAsPathLengthOperator) {
	case "eq":
		return func(n int) bool { return n == limit }
	case "ge":
		return func(n int) bool { return n >= limit }
	case "le":
		return func(n int) bool { return n <= limit }
	}
	return nil
}
