package speaker

import (
	"fmt"
	"hash/fnv"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	api "github.com/osrg/gobgp/v3/api"
	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// ruleBook is all that one speaker's policies hold: rules for its own routes, rules for every neighbor, and rules for
// several neighbors where they are the same. A speaker has one import and one export policy, so a rule names the neighbors
// that it is for.
type ruleBook struct {
	marks  []mark
	keep   []string // what EVPN routes have to carry to be kept, as expressions
	picky  bool     // only those are kept
	chains [2][]*chain
	named  map[string]*api.DefinedSet
}

// mark is a large community that local MAC/IP routes are given to the speaker with, and the route targets that they get
// instead while they go into its table. A speaker that is given one with targets looks whether others have the same
// MAC address, and takes it for a host that moves (RFC 7432 §15), which it is not on an ethernet segment or as an
// anycast gateway.
type mark struct {
	community string
	targets   []network.RT
}

// chain is what routes of some neighbors go through, in one direction.
type chain struct {
	rules     []*api.Statement
	addresses []string // of the neighbors
	key       string
}

// Directions of a chain.
const (
	inward = iota
	outward
)

// marksFor gives each set of targets of local MAC/IP routes a mark. Marks follow from the targets alone, so that a
// route in the table and the rules that are set later go together.
func marksFor(announced []network.Route) []mark {
	byCommunity := map[string]mark{}
	for i := range announced {
		if m := markOf(&announced[i]); m != "" {
			byCommunity[m] = mark{m, announced[i].Targets}
		}
	}
	sorted := slices.Sorted(maps.Keys(byCommunity))
	marks := make([]mark, 0, len(sorted))
	for _, m := range sorted {
		marks = append(marks, byCommunity[m])
	}
	return marks
}

// markOf returns the mark of a route, "" where it needs none.
func markOf(r *network.Route) string {
	if r.Type != network.MACIP || len(r.Targets) == 0 {
		return ""
	}
	h := fnv.New64a()
	for _, t := range r.Targets {
		fmt.Fprintln(h, t)
	}
	sum := h.Sum64()
	return fmt.Sprintf("4294967295:%d:%d", uint32(sum>>32), uint32(sum))
}

// add puts a neighbor's rules for one direction into the book.
func (b *ruleBook) add(direction int, address string, rules []*api.Statement) {
	key := keyOf(rules)
	i := slices.IndexFunc(b.chains[direction], func(c *chain) bool { return c.key == key })
	if i < 0 {
		i = len(b.chains[direction])
		b.chains[direction] = append(b.chains[direction], &chain{rules: rules, key: key})
	}
	c := b.chains[direction][i]
	c.addresses = append(c.addresses, address+"/32")
}

// keyOf is equal for equal rules.
func keyOf(rules []*api.Statement) string {
	var key []byte
	for _, r := range rules {
		one, _ := proto.MarshalOptions{Deterministic: true}.Marshal(r) // a statement has nothing that could fail
		key = append(append(key, one...), 0xff)
	}
	return string(key)
}

// keys returns the rules of every neighbor in one direction, to compare them with later ones.
func (b *ruleBook) keys(direction int) map[string]string {
	keys := map[string]string{}
	for _, c := range b.chains[direction] {
		for _, a := range c.addresses {
			keys[a] = c.key
		}
	}
	return keys
}

// same returns whether two books hold the same rules.
func (b *ruleBook) same(c *ruleBook) bool {
	return reflect.DeepEqual(b.marks, c.marks) && slices.Equal(b.keep, c.keep) && b.picky == c.picky &&
		slices.EqualFunc(b.chains[inward], c.chains[inward], sameChain) && slices.EqualFunc(b.chains[outward], c.chains[outward], sameChain) &&
		maps.EqualFunc(b.named, c.named, func(x, y *api.DefinedSet) bool { return proto.Equal(x, y) })
}

func sameChain(a, b *chain) bool { return a.key == b.key && slices.Equal(a.addresses, b.addresses) }

// set remembers a set that rules refer to.
func (b *ruleBook) set(s *api.DefinedSet) {
	if b.named == nil {
		b.named = map[string]*api.DefinedSet{}
	}
	b.named[s.Name] = s
}

// sets returns all sets that statements refer to.
func (b *ruleBook) sets() []*api.DefinedSet {
	var all []*api.DefinedSet
	for _, name := range slices.Sorted(maps.Keys(b.named)) {
		all = append(all, b.named[name])
	}
	for _, m := range b.marks {
		all = append(all, &api.DefinedSet{DefinedType: api.DefinedType_LARGE_COMMUNITY, Name: m.community, List: []string{"^" + m.community + "$"}})
	}
	if len(b.keep) > 0 {
		all = append(all, &api.DefinedSet{DefinedType: api.DefinedType_EXT_COMMUNITY, Name: keepSet, List: b.keep})
	}
	for d, chains := range b.chains {
		for i, c := range chains {
			all = append(all, &api.DefinedSet{DefinedType: api.DefinedType_NEIGHBOR, Name: neighborSet(d, i), List: c.addresses})
		}
	}
	return all
}

const keepSet = "keep"

func neighborSet(direction, chain int) string {
	return fmt.Sprintf("neighbors %d %d", direction, chain)
}

// statements returns all rules of a policy, in order.
func (b *ruleBook) statements(policy string) []*api.Statement {
	direction := outward
	var all []*api.Statement
	if policy == importPolicy {
		direction = inward
		all = b.own()
	}
	for i, c := range b.chains[direction] {
		for _, r := range c.rules {
			r := proto.Clone(r).(*api.Statement)
			r.Conditions.NeighborSet = &api.MatchSet{Name: neighborSet(direction, i)}
			all = append(all, r)
		}
	}
	all = append(all, rule(reject))
	for i, r := range all {
		r.Name = fmt.Sprintf("%s %d", policy, i)
	}
	return all
}

// own are the rules for local routes, which go through the import policy too.
func (b *ruleBook) own() (all []*api.Statement) {
	for _, m := range b.marks {
		r := rule(accept, fromHere)
		r.Conditions.LargeCommunitySet = &api.MatchSet{Name: m.community}
		r.Actions.LargeCommunity = &api.CommunityAction{Type: api.CommunityAction_REMOVE, Communities: []string{"^" + m.community + "$"}}
		r.Actions.ExtCommunity = &api.CommunityAction{Type: api.CommunityAction_ADD, Communities: targetTexts(m.targets)}
		all = append(all, r)
	}
	return append(all, rule(accept, fromHere))
}

func targetTexts(targets []network.RT) (texts []string) {
	for _, t := range targets {
		texts = append(texts, "rt:"+speakerText(t))
	}
	return texts
}

// keeping puts before a neighbor's rules those that drop EVPN routes the router has no use for. Where the rules would take
// the others anyhow that is simple. Else they have to go on, and a speaker cannot be asked whether a route lacks an extended
// community: so the ORIGIN attribute, which is IGP on all routes of the simulation, says so for the time of three rules.
func (b *ruleBook) keeping(rules []*api.Statement) []*api.Statement {
	useful := rule(accept, evpn)
	useful.Conditions.ExtCommunitySet = &api.MatchSet{Name: keepSet}
	switch {
	case !b.picky:
		return rules
	case len(b.keep) == 0:
		return append([]*api.Statement{rule(reject, evpn)}, rules...)
	case proto.Equal(rules[0], rule(accept)):
		return append([]*api.Statement{useful, rule(reject, evpn)}, rules...)
	}
	doubt, useless := rule(goOn, evpn), rule(reject, evpn)
	doubt.Actions.OriginAction = &api.OriginAction{Origin: api.RouteOriginType_ORIGIN_INCOMPLETE}
	useful.Actions = &api.Actions{OriginAction: &api.OriginAction{Origin: api.RouteOriginType_ORIGIN_IGP}}
	useless.Conditions.Origin = api.RouteOriginType_ORIGIN_INCOMPLETE
	return append([]*api.Statement{doubt, useful, useless}, rules...)
}

// What a rule does with a route.
const (
	goOn   = api.RouteAction_NONE
	accept = api.RouteAction_ACCEPT
	reject = api.RouteAction_REJECT
)

// rule makes a statement.
func rule(action api.RouteAction, conditions ...func(*api.Conditions)) *api.Statement {
	s := &api.Statement{Conditions: &api.Conditions{}, Actions: &api.Actions{RouteAction: action}}
	for _, c := range conditions {
		c(s.Conditions)
	}
	return s
}

func fromHere(c *api.Conditions)    { c.RouteType = api.Conditions_ROUTE_TYPE_LOCAL }
func fromInside(c *api.Conditions)  { c.RouteType = api.Conditions_ROUTE_TYPE_INTERNAL }
func fromOutside(c *api.Conditions) { c.RouteType = api.Conditions_ROUTE_TYPE_EXTERNAL }
func evpn(c *api.Conditions)        { in(network.L2EVPN)(c) }
func unicast(c *api.Conditions)     { in(network.IPv4, network.IPv6)(c) }

// in asks for one of some families.
func in(fs ...network.Family) func(*api.Conditions) {
	return func(c *api.Conditions) {
		for _, f := range fs {
			c.AfiSafiIn = append(c.AfiSafiIn, families[f])
		}
	}
}

// speakerText writes a route target as the speaker does: AS numbers of four octets with a point between their halves.
func speakerText(t network.RT) string {
	kind, six, err := administrator(string(t))
	if err != nil || kind != 2 {
		return string(t)
	}
	as, _, _ := strings.Cut(administrated(kind, six[:]), ":")
	numbers, _ := parts(as)
	_, n, _ := strings.Cut(string(t), ":")
	return fmt.Sprintf("%d.%d:%s", numbers[0]>>16, numbers[0]&0xffff, n)
}

// targetText is an expression for a route target, segmentText one for the ES-import target, among a route's extended
// communities as the speaker writes them. It tells communities apart by their subtypes, which these two share.
func targetText(t network.RT) string { return "rt:^" + regexp.QuoteMeta(speakerText(t)) + "$" }

// encapText is an expression for an encapsulation, as policies have it, among a route's extended communities; "" where it is
// none.
func encapText(member string) string {
	switch member {
	case network.OverVXLAN.String():
		return "encap:^VXLAN$"
	case network.OverMPLS.String():
		return "encap:^MPLS$"
	}
	return ""
}

func segmentText(m network.MAC) string {
	return "rt:^es-import rt: " + strings.ToLower(m.String()) + "$"
}
