package srlsim

import (
	"slices"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// peer is all that says something of a BGP neighbor: its own entry, its group, and the instance. What
// the first does not say, the next one does. A neighbor that is yet to be found has no entry.
type peer struct{ neighbor, group, bgp config.Cursor }

// ids are the nodes of one attribute in each of the three; Root where there is none.
type ids struct{ neighbor, group, bgp config.ID }

// say returns the value of an attribute, and the default of the farthest node where nobody says any.
func (p peer) say(id ids) string {
	if leaf := at(p.neighbor, id.neighbor); leaf.Valid() {
		return leaf.Value()
	}
	if leaf := at(p.group, id.group); leaf.Valid() || id.bgp == config.Root {
		return text(p.group, id.group)
	}
	return text(p.bgp, id.bgp)
}

// list returns the values of a leaf-list from the nearest that has any.
func (p peer) list(id ids) []string {
	for _, values := range [][]string{texts(p.neighbor, id.neighbor), texts(p.group, id.group), texts(p.bgp, id.bgp)} {
		if len(values) > 0 {
			return values
		}
	}
	return nil
}

func (p peer) is(id ids) bool         { return p.say(id) == "true" }
func (p peer) number(id ids) int      { return int(parseNumber(p.say(id))) }
func (p peer) enabled(id ids) bool    { return p.say(id) == "enable" }
func (p peer) asNumber(id ids) uint32 { return uint32(parseNumber(p.say(id))) }

var families = map[string]network.Family{"ipv4-unicast": network.IPv4, "ipv6-unicast": network.IPv6, "evpn": network.L2EVPN}

// familyNames are the names of the families that are simulated, in the order of their numbers.
var familyNames = []string{"ipv4-unicast", "ipv6-unicast", "evpn"}

// family returns what the three say of one address family.
func (p peer) family(name string) peer {
	name = "srl_nokia-common:" + name
	return peer{
		at(p.neighbor, srl.NetworkInstanceProtocolsBgpNeighborAfiSafi).Entry(name),
		at(p.group, srl.NetworkInstanceProtocolsBgpGroupAfiSafi).Entry(name),
		at(p.bgp, srl.NetworkInstanceProtocolsBgpAfiSafi).Entry(name),
	}
}

// families are those that are enabled.
func (p peer) families() (out []string) {
	for _, name := range familyNames {
		if p.family(name).enabled(familyAdmin) {
			out = append(out, name)
		}
	}
	return out
}

// direction is where policies stand for one direction.
type direction struct{ all, family, fallback ids }

// chain returns the names of the policies of one direction, in order. Where families differ in their policies, each
// policy is narrowed to the family that has it, so that one chain says it all.
func (r *reader) chain(p peer, d direction) []string {
	names := p.families()
	own := make([][]string, len(names))
	same := true
	for i, name := range names {
		own[i] = p.policies(name, d)
		same = same && slices.Equal(own[i], own[0]) && p.family(name).say(d.fallback) == ""
	}
	if len(names) == 0 {
		return p.list(d.all)
	}
	if same {
		return own[0]
	}
	var out []string
	for i, name := range names {
		for _, policy := range own[i] {
			out = append(out, r.narrowed(policy, name))
		}
		if result := p.family(name).say(d.fallback); result != "" {
			out = append(out, r.fallback(name, result))
		}
	}
	return out
}

// policies are those of one family: what stands nearer to the neighbor counts, and at one place what the
// family says counts more than what is said of all.
func (p peer) policies(family string, d direction) []string {
	f := p.family(family)
	for _, values := range [][]string{
		texts(f.neighbor, d.family.neighbor), texts(p.neighbor, d.all.neighbor),
		texts(f.group, d.family.group), texts(p.group, d.all.group),
		texts(f.bgp, d.family.bgp), texts(p.bgp, d.all.bgp),
	} {
		if len(values) > 0 {
			return values
		}
	}
	return nil
}

// narrowed makes a copy of a policy that only looks at routes of one family, and returns its name.
func (r *reader) narrowed(name, family string) string {
	narrow, f := name+"@"+family, families[family]
	policy := network.Policy{}
	for _, s := range r.policies.Policies[name].Statements {
		if len(s.Match.Families) == 0 || slices.Contains(s.Match.Families, f) {
			s.Match.Families = []network.Family{f}
			policy.Statements = append(policy.Statements, s)
		}
	}
	if last := r.policies.Policies[name].Default; last.Result != network.Unset {
		policy.Statements = append(policy.Statements, network.Statement{
			Name: "default-action", Match: network.Match{Families: []network.Family{f}}, Action: last,
		})
	}
	r.policies.Policies[narrow] = policy
	return narrow
}

// fallback makes a policy of default-import-policy or default-export-policy (25.3 on) of one family.
func (r *reader) fallback(family, result string) string {
	name := "default-" + result + "@" + family
	r.policies.Policies[name] = network.Policy{Statements: []network.Statement{{
		Name:   result,
		Match:  network.Match{Families: []network.Family{families[family]}},
		Action: network.Action{Result: results[result]},
	}}}
	return name
}
