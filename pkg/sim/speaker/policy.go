package speaker

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	api "github.com/osrg/gobgp/v3/api"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// compiler turns the policies of a router, and the rules of BGP and of SR Linux that a speaker does not have, into
// rules of a speaker.
type compiler struct {
	router    *network.Router
	announced []network.Route // by the router
	book      *ruleBook
	reflects  bool     // the router is a route reflector
	notes     []string // what cannot be said to a speaker, see Unsayable
}

// neighbor compiles what is for one neighbor, known to the speaker by its address.
func (c *compiler) neighbor(s, far *network.Session, address string) {
	c.book.add(inward, address, c.imports(s))
	c.book.add(outward, address, c.exports(s, far))
}

// imports are the rules for what a neighbor sends. What no policy has decided on is taken, but not from another AS
// unless that is allowed (RFC 8212).
func (c *compiler) imports(s *network.Session) []*api.Statement {
	rules := append(c.loops(s), c.arrivals(s)...)
	rules = append(rules, c.chain(s, s.Import, inward)...)
	rules = append(rules, rule(otherwise(!s.RejectImport || s.PeerType == network.IBGP)))
	if slices.Contains(s.Families, network.L2EVPN) {
		return c.book.keeping(rules)
	}
	return rules
}

// loops refuses routes that have been here under the global AS number, where the session has another one: a speaker looks for
// the session's.
func (c *compiler) loops(s *network.Session) []*api.Statement {
	as := globalAS(c.router)
	if as == s.LocalAS {
		return nil
	}
	again := fmt.Sprintf(`^(?:.* )?%d(?: (?:.* )?%d){%d}(?: .*)?$`, as, as, s.OwnAS)
	looped := rule(reject)
	looped.Conditions.AsPathSet = &api.MatchSet{Name: c.define(api.DefinedType_AS_PATH, "loops", []string{again}, nil)}
	return []*api.Statement{looped}
}

// nonclient is a large community that a reflector's speaker has on routes of internal neighbors that are no clients, from when they come in
// until they go out. Others that are no clients do not get them (RFC 4456 §6).
const nonclient = "4294967295:4294967295:0"

func (c *compiler) arrivals(s *network.Session) []*api.Statement {
	if !c.reflects || s.PeerType != network.IBGP || s.Client {
		return nil
	}
	marked := rule(goOn)
	marked.Actions.LargeCommunity = &api.CommunityAction{Type: api.CommunityAction_ADD, Communities: []string{nonclient}}
	return []*api.Statement{marked}
}

// departures keep routes of neighbors that are no clients from others, and take the mark off where they go.
func (c *compiler) departures(s *network.Session) []*api.Statement {
	if !c.reflects {
		return nil
	}
	r := rule(reject)
	if s.PeerType != network.IBGP || s.Client {
		r = rule(goOn)
		r.Actions.LargeCommunity = &api.CommunityAction{Type: api.CommunityAction_REMOVE, Communities: []string{"^" + nonclient + "$"}}
	}
	r.Conditions.LargeCommunitySet = &api.MatchSet{Name: c.define(api.DefinedType_LARGE_COMMUNITY, "nonclient", []string{"^" + nonclient + "$"}, nil)}
	return []*api.Statement{r}
}

// exports are the rules for what a neighbor is sent. What no policy has decided on is not, if it is not BGP's or goes to another
// AS, unless that is allowed.
func (c *compiler) exports(s, far *network.Session) []*api.Statement {
	all := append(c.withheld(s, far), c.departures(s)...)
	all = append(all, c.nextHops(s)...)
	if !sends(s, far, network.IPv4) {
		all = append(all, rule(reject, in(network.IPv4)))
	}
	if prependsGlobal(c.router, s) {
		global := rule(goOn)
		global.Actions.AsPrepend = &api.AsPrependAction{Asn: globalAS(c.router), Repeat: 1}
		all = append(all, global)
	}
	all = append(all, c.chain(s, s.Export, outward)...)
	return append(all, rule(reject, unicast, fromHere), rule(otherwise(!s.RejectExport || s.PeerType == network.IBGP)))
}

// withheld keeps routes from a neighbor in another AS that would find its own number in their paths. A speaker does so too, but
// then leaves the neighbor with what it had been sent of the same route before: see hidden.
func (c *compiler) withheld(s, far *network.Session) []*api.Statement {
	if far == nil || s.PeerType != network.EBGP {
		return nil
	}
	looped := rule(reject)
	one := fmt.Sprintf("_%d_", far.LocalAS)
	looped.Conditions.AsPathSet = &api.MatchSet{Name: c.define(api.DefinedType_AS_PATH, "neighbor", []string{one}, nil)}
	return []*api.Statement{looped}
}

func otherwise(pass bool) api.RouteAction {
	if pass {
		return accept
	}
	return reject
}

// nextHops are the next hops that a router sends (RFC 4271 §5.1.3): its own address in this session over eBGP, on its own
// routes, and where it is told to; the VTEP stays on EVPN routes (RFC 8365 §6). The speaker's own idea is an internal
// address.
func (c *compiler) nextHops(s *network.Session) []*api.Statement {
	self := s.LocalAddress.WithZone("")
	if !self.IsValid() {
		return nil
	}
	var all []*api.Statement
	hop := func(action *api.NexthopAction, conditions ...func(*api.Conditions)) {
		r := rule(goOn, conditions...)
		r.Actions.Nexthop = action
		all = append(all, r)
	}
	address := &api.NexthopAction{Address: self.String()}
	switch {
	case s.PeerType == network.EBGP || s.NextHopSelf:
		hop(address, unicast)
	default:
		hop(address, unicast, fromHere)
	}
	switch {
	case s.NextHopSelf:
		hop(address, evpn)
	case s.PeerType == network.EBGP:
		hop(&api.NexthopAction{Unchanged: true}, evpn)
	}
	return all
}

// chain compiles policies one after the other. Statements of one that lead nowhere lead to the next.
func (c *compiler) chain(s *network.Session, names []string, direction int) (all []*api.Statement) {
	for _, name := range names {
		p, ok := c.router.Policies.Policies[name]
		if !ok {
			continue // as the router does
		}
		t := &translation{compiler: c, policy: name, session: s, direction: direction}
		for i := range p.Statements {
			last := i == len(p.Statements)-1 && p.Default.Result == network.Unset
			all = append(all, t.statement(&p.Statements[i], last)...)
		}
		if p.Default.Result != network.Unset || hasEffect(&p.Default) {
			r := rule(goOn)
			t.act(r, &p.Default, true)
			all = append(all, r)
		}
	}
	return all
}

func hasEffect(a *network.Action) bool {
	return a.LocalPref != nil || a.MED != nil || a.NextHop.IsValid() || a.Add+a.Remove+a.Replace != "" ||
		a.Prepend.Count > 0 || a.RemoveAS || a.ReplaceAS != 0 || len(a.SetTags) > 0
}

// translation is one policy in one chain.
type translation struct {
	*compiler
	policy    string
	session   *network.Session
	direction int
}

// statement returns the rules that a statement comes to: one for each way to match, none where it never does.
func (t *translation) statement(s *network.Statement, last bool) []*api.Statement {
	ways, ok := t.match(&s.Match)
	if !ok {
		return nil
	}
	all := make([]*api.Statement, len(ways))
	for i, conditions := range ways {
		all[i] = &api.Statement{Conditions: conditions, Actions: &api.Actions{}}
		t.act(all[i], &s.Action, last)
	}
	if len(all) > 1 && s.Action.Result != network.Accept && s.Action.Result != network.Reject && s.Action.Prepend.Count > 0 && !t.apart(&s.Match) {
		t.note("a prepend action after a match in several ways")
	}
	return all
}

// apart returns whether the ways to match exclude each other, so that no route is acted upon twice.
func (t *translation) apart(m *network.Match) bool { return m.CommunitySet == "" }

// act adds what an action does. last says that nothing of the policy follows.
func (t *translation) act(r *api.Statement, a *network.Action, last bool) {
	switch a.Result {
	case network.Accept:
		r.Actions.RouteAction = accept
	case network.Reject:
		r.Actions.RouteAction = reject
		return
	case network.NextPolicy:
		if !last {
			t.note("next-policy before the last statement")
		}
	}
	if a.LocalPref != nil {
		r.Actions.LocalPref = t.localPref(*a.LocalPref)
	}
	if a.MED != nil {
		r.Actions.Med = t.med(a.MED)
	}
	if a.NextHop.IsValid() {
		r.Actions.Nexthop = &api.NexthopAction{Address: t.hop(a.NextHop)}
	}
	t.communities(r, a)
	t.path(r, a)
	if len(a.SetTags) > 0 {
		t.note("setting tags")
	}
}

// lowest stands for a local preference of 0, which GoBGP takes for none (table.NewLocalPrefAction): a path that has it
// is read as one with 0, and nothing else may ask for it.
const lowest = 1

func (t *translation) localPref(value uint32) *api.LocalPrefAction {
	switch value {
	case 0:
		value = lowest
	case lowest:
		t.note("local preference 1")
	}
	return &api.LocalPrefAction{Value: value}
}

func (t *translation) hop(a netip.Addr) string {
	if a.IsUnspecified() {
		a = t.session.LocalAddress
	}
	return a.WithZone("").String()
}

// med finds out what a function does: it sets the MED, or adds to it.
func (t *translation) med(f func(uint32) uint32) *api.MedAction {
	const low, high = 1 << 20, 1 << 21
	switch a, b := f(low), f(high); {
	case a == b:
		return &api.MedAction{Type: api.MedAction_REPLACE, Value: int64(a)}
	case b-a == high-low:
		return &api.MedAction{Type: api.MedAction_MOD, Value: int64(a) - low}
	}
	t.note("this change of the MED")
	return nil
}

func (t *translation) path(r *api.Statement, a *network.Action) {
	switch {
	case a.RemoveAS || a.ReplaceAS != 0:
		t.note("removing or replacing the AS path")
	case a.Prepend.Count > 0:
		as := a.Prepend.AS
		if as == 0 {
			as = t.session.LocalAS
		}
		r.Actions.AsPrepend = &api.AsPrependAction{Asn: as, Repeat: uint32(a.Prepend.Count)}
	}
}

// communities adds the change of communities. A speaker does one change in a rule.
func (t *translation) communities(r *api.Statement, a *network.Action) {
	changes := 0
	for _, change := range []struct {
		set  string
		kind api.CommunityAction_Type
	}{{a.Replace, api.CommunityAction_REPLACE}, {a.Remove, api.CommunityAction_REMOVE}, {a.Add, api.CommunityAction_ADD}} {
		if change.set == "" {
			continue
		}
		if changes++; changes > 1 {
			t.note("more than one change of communities in a statement")
			return
		}
		standard, _, large := t.members(change.set, change.kind != api.CommunityAction_REMOVE)
		if len(standard) > 0 || change.kind == api.CommunityAction_REPLACE {
			r.Actions.Community = &api.CommunityAction{Type: change.kind, Communities: standard}
		}
		if len(large) > 0 {
			r.Actions.LargeCommunity = &api.CommunityAction{Type: change.kind, Communities: large}
		}
	}
}

// members splits a community set by kind, each as the speaker writes it: literally, or as expressions. An encapsulation is
// an extended community, as a route target is.
func (t *translation) members(set string, literal bool) (standard, targets, large []string) {
	for _, m := range t.router.Policies.Communities[set].Members {
		plain := !strings.ContainsAny(m, `.*+?^$()[]{}|\`)
		text := m
		if !literal {
			text = "^(?:" + m + ")$"
		}
		switch rest, isTarget := strings.CutPrefix(m, "target:"); {
		case !plain && literal: // an expression cannot be added
		case isTarget && plain:
			targets = append(targets, targetText(network.RT(rest)))
		case isTarget:
			targets = append(targets, "rt:^(?:"+rest+")$")
		case encapText(m) != "":
			targets = append(targets, encapText(m))
		case strings.Count(m, ":") > 1:
			large = append(large, text)
		default:
			standard = append(standard, text)
		}
	}
	return standard, targets, large
}

// prependsGlobal returns whether the global AS number goes into the path as well as the session's own.
func prependsGlobal(r *network.Router, s *network.Session) bool {
	return s.PrependGlobal && s.PeerType == network.EBGP && s.LocalAS != globalAS(r)
}

func globalAS(r *network.Router) uint32 {
	if in := defaultInstance(r); in != nil && in.BGP != nil {
		return in.BGP.AS
	}
	return 0
}

func defaultInstance(r *network.Router) *network.Instance {
	if r == nil {
		return nil
	}
	i := slices.IndexFunc(r.Instances, func(in network.Instance) bool { return in.Kind == network.Default })
	if i < 0 {
		return nil
	}
	return &r.Instances[i]
}
