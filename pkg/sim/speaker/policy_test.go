package speaker

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// A policy that changes takes effect on what is there already, and ends no session.
func TestAPolicyThatChangesTakesEffectAtOnce(t *testing.T) {
	t.Parallel()
	refuse := network.Policy{Statements: []network.Statement{
		{Match: network.Match{PrefixSet: "loopbacks"}, Action: network.Action{Result: network.Reject}},
	}, Default: network.Action{Result: network.Accept}}
	for name, router := range map[string]string{"an export policy": "a", "an import policy": "b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "a", "b")
			l.join("a", "b")
			l.until("b has a's loopback", has("b", "10.0.0.1/32"))
			starts := l.starts("b")
			before := l.routers[router].Policies
			l.change(router, func(r *network.Router) {
				r.Policies = network.Policies{
					Policies: map[string]network.Policy{"all": refuse},
					Prefixes: map[string][]network.PrefixRange{"loopbacks": {{Prefix: netip.MustParsePrefix("10.0.0.0/24"), Low: 32, High: 32}}},
				}
			})
			l.until("it is gone", func(r network.Routing) bool {
				return !has("b", "10.0.0.1/32")(r) && len(r.Paths("b", network.IPv4)) > 2
			})
			l.change(router, func(r *network.Router) { r.Policies = before })
			l.until("it is back", has("b", "10.0.0.1/32"))
			if len(starts) > 0 {
				t.Error("the session has started anew")
			}
		})
	}
}

func TestWhatSpeakersCannotBeToldIsNamed(t *testing.T) {
	t.Parallel()
	statement := func(m network.Match, a network.Action) []network.Statement {
		return []network.Statement{{Match: m, Action: a}, {Action: network.Action{Result: network.Accept}}}
	}
	tests := map[string]struct {
		statements []network.Statement
		want       string
	}{
		"EVPN route types":           {statement(network.Match{RouteType: 2}, network.Action{}), "matching EVPN route types"},
		"prefixes of EVPN routes":    {statement(network.Match{PrefixSet: "none"}, network.Action{}), "matching prefixes of EVPN routes"},
		"tags":                       {statement(network.Match{TagSets: []string{"t"}}, network.Action{}), "matching tags"},
		"a policy in a policy":       {statement(network.Match{Policy: "other"}, network.Action{}), "matching by a policy"},
		"all of some targets":        {statement(network.Match{CommunitySet: "targets"}, network.Action{}), "matching all of several route targets"},
		"a gap in path lengths":      {statement(network.Match{ASPathLength: func(n int) bool { return n%2 == 0 }}, network.Action{}), "this range of AS path lengths"},
		"setting tags":               {statement(network.Match{}, network.Action{SetTags: []string{"t"}}), "setting tags"},
		"removing the AS path":       {statement(network.Match{}, network.Action{RemoveAS: true}), "removing or replacing the AS path"},
		"the next policy":            {statement(network.Match{}, network.Action{Result: network.NextPolicy}), "next-policy before the last statement"},
		"two changes of communities": {statement(network.Match{}, network.Action{Add: "x", Remove: "y"}), "more than one change of communities in a statement"},
		"an odd MED":                 {statement(network.Match{}, network.Action{MED: func(m uint32) uint32 { return m / 2 }}), "this change of the MED"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newTestRouter("a", 1)
			n := network.Neighbor{Peer: bOnLink, Enabled: true, Families: []network.Family{network.IPv4, network.L2EVPN}, Export: []string{"all"}}
			bgpOf(r).Neighbors = []network.Neighbor{n}
			r.Policies = network.Policies{
				Policies:    map[string]network.Policy{"all": {Statements: test.statements}},
				Communities: map[string]network.CommunitySet{"targets": {All: true, Members: []string{"target:65000:1", "target:65000:2"}}, "x": {Members: []string{"65000:1"}}},
			}
			want := []string{"policy all: " + test.want}
			if got := (*Network)(nil).Unsayable(r); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			n.Export = nil
			bgpOf(r).Neighbors, bgpOf(r).Dynamic = nil, []network.Dynamic{{Template: n}}
			if got := (*Network)(nil).Unsayable(r); got != nil {
				t.Errorf("no neighbor has the policy, but %q", got)
			}
		})
	}
}
