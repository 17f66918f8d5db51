package network

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
)

// attributes are what routers may change of a route on its way. Lists are strings, so that equal attributes are
// equal values.
type attributes struct {
	nextHop     netip.Addr // invalid: the address of the neighbor that sent it
	asPath      numbers
	localPref   uint32
	med         uint32
	originator  netip.Addr
	cluster     numbers
	communities string  // separated by spaces
	tags        numbers // internal ones, never sent
}

// numbers is a list of numbers or IPv4 addresses, four bytes each.
type numbers string

func (l numbers) len() int { return len(l) / 4 }

func (l numbers) at(i int) uint32 { return binary.BigEndian.Uint32([]byte(l[4*i : 4*i+4])) }

// count returns how often a number occurs.
func (l numbers) count(n uint32) int {
	times := 0
	for i := range l.len() {
		if l.at(i) == n {
			times++
		}
	}
	return times
}

func (l numbers) slice() []uint32 {
	var all []uint32
	for i := range l.len() {
		all = append(all, l.at(i))
	}
	return all
}

// addresses returns the list as IPv4 addresses.
func (l numbers) addresses() []netip.Addr {
	var all []netip.Addr
	for i := range l.len() {
		all = append(all, netip.AddrFrom4([4]byte([]byte(l[4*i:4*i+4]))))
	}
	return all
}

// communityList is nil without any.
func (a *attributes) communityList() []string {
	if a.communities == "" {
		return nil
	}
	return strings.Fields(a.communities)
}

// listOf makes a list.
func listOf(all ...uint32) numbers {
	b := make([]byte, 0, 4*len(all))
	for _, n := range all {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return numbers(b)
}

// subject is a route while policies look at it and change it.
type subject struct {
	attributes
	route    *Route
	received bool   // by BGP, not the router's own
	auto     uint32 // AS number that a prepend action takes if it names none
	changed  bool
}

// deepestCall is how many policies may call each other; a ring of them matches nothing.
const deepestCall = 8

// apply puts a route through policies in order. Unset says that none of them has decided: then it depends on the
// session.
func (b *book) apply(names []string, s *subject) Result {
	for _, name := range names {
		if r := b.policy(name, s, 0); r == Accept || r == Reject {
			return r
		}
	}
	return Unset
}

// policy puts a route through one policy. Without a decision it is for the next policy.
func (b *book) policy(name string, s *subject, depth int) Result {
	p, ok := b.Policies.Policies[name]
	if !ok || depth > deepestCall {
		return NextPolicy
	}
	for i := range p.Statements {
		if st := &p.Statements[i]; b.matches(&st.Match, s, depth) {
			b.act(&st.Action, s)
			if r := st.Action.Result; r != Unset && r != NextStatement {
				return r
			}
		}
	}
	b.act(&p.Default, s)
	if p.Default.Result == Unset {
		return NextPolicy
	}
	return p.Default.Result
}

// act changes a route as an action says. What a rejected route looks like does not matter.
func (b *book) act(a *Action, s *subject) {
	if a.Result == Reject {
		return
	}
	before := s.attributes
	if a.LocalPref != nil {
		s.localPref = *a.LocalPref
	}
	if a.MED != nil {
		s.med = a.MED(s.med)
	}
	if a.NextHop.IsValid() {
		s.nextHop = a.NextHop
	}
	s.asPath = a.path(s)
	s.communities = b.recommunity(a, s.communities)
	for _, name := range a.SetTags {
		s.tags = listOf(b.Tags[name]...)
	}
	s.changed = s.changed || s.attributes != before
}

// path is the AS path after an action. Removing or replacing it takes precedence over putting an AS in front
// (/routing-policy/policy/statement/action/bgp/as-path).
func (a *Action) path(s *subject) numbers {
	switch {
	case a.RemoveAS:
		return ""
	case a.ReplaceAS != 0:
		return listOf(a.ReplaceAS)
	case a.Prepend.Count > 0:
		as := a.Prepend.AS
		if as == 0 {
			as = s.auto
		}
		return listOf(slices.Repeat([]uint32{as}, a.Prepend.Count)...) + s.asPath
	}
	return s.asPath
}

// recommunity is the communities after an action. What a set has as regular expression or as extended
// community can be removed but not added: the actions write COMMUNITIES only.
func (b *book) recommunity(a *Action, communities string) string {
	if a.Add == "" && a.Remove == "" && a.Replace == "" {
		return communities
	}
	all := strings.Fields(communities)
	if a.Replace != "" {
		all = b.plain(a.Replace)
	}
	if a.Remove != "" {
		all = slices.DeleteFunc(all, func(c string) bool { return b.contains(a.Remove, c) })
	}
	for _, c := range b.plain(a.Add) {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return strings.Join(all, " ")
}
