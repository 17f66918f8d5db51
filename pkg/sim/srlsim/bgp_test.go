package srlsim

import (
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// speaker is a document with a BGP process: its own leaves, its groups, and its neighbors.
func speaker(own, groups, neighbors string) string {
	return `{"routing-policy":{"policy":[{"name":"p","default-action":{"policy-result":"accept"}},{"name":"q","statement":[{"name":"1","action":{"policy-result":"reject"}}]}]},
		"interface":[{"name":"system0","subinterface":[{"index":0,"ipv4":{"admin-state":"enable","address":[{"ip-prefix":"10.1.0.1/32"}]}}]}],
		"system":{"authentication":{"keychain":[{"name":"chain","key":[{"index":1,"authentication-key":"secret"}]}]}},
		"network-instance":[{"name":"default","interface":[{"name":"system0.0"}],"protocols":{"bgp":{"autonomous-system":65001,"router-id":"10.1.0.1",
		"afi-safi":[{"afi-safi-name":"ipv4-unicast","admin-state":"enable"}]` + own + `,
		"group":[{"group-name":"g"` + groups + `}],"neighbor":[{"peer-address":"10.0.0.2","peer-group":"g"` + neighbors + `}]}}}]}`
}

// neighborOf is what a neighbor is when nobody says anything of it.
func neighborOf(change func(*network.Neighbor)) network.Neighbor {
	n := network.Neighbor{
		Peer: netip.MustParseAddr("10.0.0.2"), Enabled: true, Group: "g", LocalAS: 65001, Families: []network.Family{network.IPv4},
		RejectImport: true, RejectExport: true, FastFailover: true, HoldTime: 90 * time.Second, KeepAlive: 30 * time.Second,
	}
	change(&n)
	return n
}

func TestBGPNeighbors(t *testing.T) {
	t.Parallel()
	neighbor := func(r *network.Router) any { return r.Instances[0].BGP.Neighbors[0] }
	process := func(r *network.Router) any {
		b := *r.Instances[0].BGP
		b.Neighbors, b.Multipath = nil, nil
		return b
	}
	dynamic := func(r *network.Router) any { return r.Instances[0].BGP.Dynamic[0] }
	readAll(t, []reading{
		{"a neighbor has the defaults of the models", speaker(``, ``, ``), neighbor, neighborOf(func(*network.Neighbor) {})},
		{"a group says what its neighbors do not", speaker(``, `,"peer-as":65002,"next-hop-self":true,"timers":{"hold-time":9},"transport":{"passive-mode":true}`, ``), neighbor,
			neighborOf(func(n *network.Neighbor) {
				n.PeerAS, n.NextHopSelf, n.Passive, n.HoldTime, n.KeepAlive = 65002, true, true, 9*time.Second, 3*time.Second
			})},
		{"a neighbor's word counts more than its group's", speaker(``, `,"peer-as":65002,"next-hop-self":true,"description":"group"`, `,"peer-as":65003,"next-hop-self":false,"description":"spine"`), neighbor,
			neighborOf(func(n *network.Neighbor) { n.PeerAS, n.Text = 65003, "spine" })},
		{"a disabled group disables its neighbors", speaker(``, `,"admin-state":"disable"`, ``), neighbor, neighborOf(func(n *network.Neighbor) { n.Enabled = false })},
		{"a disabled process disables its neighbors", speaker(`,"admin-state":"disable"`, ``, ``), neighbor, neighborOf(func(n *network.Neighbor) { n.Enabled = false })},
		{"a family is inherited and can be switched off", speaker(``, `,"afi-safi":[{"afi-safi-name":"ipv4-unicast","admin-state":"disable"},{"afi-safi-name":"evpn","admin-state":"enable"}]`, ``), neighbor,
			neighborOf(func(n *network.Neighbor) { n.Families = []network.Family{network.L2EVPN} })},
		{"another AS towards the peer", speaker(``, `,"local-as":{"as-number":65500}`, `,"local-as":{"prepend-global-as":true}`), neighbor,
			neighborOf(func(n *network.Neighbor) { n.LocalAS, n.PrependGlobal = 65500, true })},
		{"a reflector's cluster may be a number", speaker(`,"route-reflector":{"client":true,"cluster-id":"1"}`, ``, ``), neighbor,
			neighborOf(func(n *network.Neighbor) { n.Client, n.Cluster = true, netip.MustParseAddr("0.0.0.1") })},
		{"the local address may be that of a subinterface", speaker(``, `,"transport":{"local-address":"system0.0"}`, ``), neighbor,
			neighborOf(func(n *network.Neighbor) { n.Local = netip.MustParseAddr("10.1.0.1") })},
		{"hops beyond the first need multihop", speaker(``, `,"multihop":{"maximum-hops":4}`, ``), neighbor, neighborOf(func(*network.Neighbor) {})},
		{"multihop", speaker(``, `,"multihop":{"admin-state":"enable","maximum-hops":4}`, ``), neighbor, neighborOf(func(n *network.Neighbor) { n.Multihop = 4 })},
		{"a key of a keychain", speaker(``, `,"authentication":{"keychain":"chain"}`, ``), neighbor, neighborOf(func(n *network.Neighbor) { n.Key = "secret" })},
		{"keepalives come at least three times in a hold time", speaker(``, `,"timers":{"hold-time":30,"keepalive-interval":20}`, ``), neighbor,
			neighborOf(func(n *network.Neighbor) { n.HoldTime, n.KeepAlive = 30*time.Second, 10*time.Second })},
		{"detection, own AS and IPv6 next hops", speaker(`,"failure-detection":{"fast-failover":false},"as-path-options":{"allow-own-as":2}`,
			`,"failure-detection":{"enable-bfd":true},"afi-safi":[{"afi-safi-name":"ipv4-unicast","ipv4-unicast":{"advertise-ipv6-next-hops":true,"receive-ipv6-next-hops":true}}]`, ``), neighbor,
			neighborOf(func(n *network.Neighbor) {
				n.BFD, n.FastFailover, n.OwnAS = true, false, 2
				n.IPv6NextHops.Send, n.IPv6NextHops.Receive = true, true
			})},
		{"a link-local peer names its subinterface", `{"network-instance":[{"name":"default","protocols":{"bgp":{"autonomous-system":1,"router-id":"10.1.0.1","neighbor":[{"peer-address":"fe80::1%ethernet-1/1.0"}]}}}]}`,
			func(r *network.Router) any { return r.Instances[0].BGP.Neighbors[0].Interface }, "ethernet-1/1.0"},
		{"routes without a policy may pass where the default is lifted", speaker(`,"ebgp-default-policy":{"import-reject-all":false}`, ``, ``), neighbor,
			neighborOf(func(n *network.Neighbor) { n.RejectImport = false })},
		{"policies are inherited as a whole", speaker(`,"import-policy":["p"]`, `,"export-policy":["p"]`, `,"export-policy":["q","p"]`), neighbor,
			neighborOf(func(n *network.Neighbor) { n.Import, n.Export = []string{"p"}, []string{"q", "p"} })},
		{"the only family's own policy is the policy", speaker(``, `,"export-policy":["p"],"afi-safi":[{"afi-safi-name":"ipv4-unicast","export-policy":["q"]}]`, ``), neighbor,
			neighborOf(func(n *network.Neighbor) { n.Export = []string{"q"} })},
		{"families with policies of their own have them narrowed", speaker(``, `,"export-policy":["p"],"afi-safi":[{"afi-safi-name":"evpn","admin-state":"enable","export-policy":["q"]}]`, ``), neighbor,
			neighborOf(func(n *network.Neighbor) {
				n.Families, n.Export = []network.Family{network.IPv4, network.L2EVPN}, []string{"p@ipv4-unicast", "q@evpn"}
			})},
		{"a narrowed policy looks at one family only", speaker(``, `,"export-policy":["p"],"afi-safi":[{"afi-safi-name":"evpn","admin-state":"enable","export-policy":["q"]}]`, ``),
			func(r *network.Router) any {
				return []network.Policy{r.Policies.Policies["p@ipv4-unicast"], r.Policies.Policies["q@evpn"]}
			},
			[]network.Policy{
				{Statements: []network.Statement{{Name: "default-action", Match: network.Match{Families: []network.Family{network.IPv4}}, Action: network.Action{Result: network.Accept}}}},
				{Statements: []network.Statement{{Name: "1", Match: network.Match{Families: []network.Family{network.L2EVPN}}, Action: network.Action{Result: network.Reject}}}},
			}},
		{"a neighbor that is found has what its group says", speaker(`,"dynamic-neighbors":{"interface":[{"interface-name":"ethernet-1/1.0","peer-group":"g","allowed-peer-as":["65002","65010..65019"]}]}`, `,"peer-as":65099`, ``), dynamic,
			network.Dynamic{Interface: "ethernet-1/1.0", Template: neighborOf(func(n *network.Neighbor) {
				n.Peer, n.Dynamic, n.AllowedAS = netip.Addr{}, true, []network.ASRange{{Low: 65002, High: 65002}, {Low: 65010, High: 65019}}
			})}},
		{"EVPN routes of nobody here are kept when asked for", `{"network-instance":[{"name":"default","protocols":{"bgp":{"autonomous-system":1,"router-id":"10.1.0.1",
			"afi-safi":[{"afi-safi-name":"evpn","admin-state":"enable","evpn":{"inter-as-vpn":true,"keep-all-routes":true}}]}}}]}`, process,
			network.BGP{Enabled: true, AS: 1, RouterID: netip.MustParseAddr("10.1.0.1"), Families: []network.Family{network.L2EVPN}, InterAS: true, KeepAll: true}},
	})
}

func TestMultipathIsSpelledDifferentlyInEachRelease(t *testing.T) {
	t.Parallel()
	for release, c := range map[string]struct {
		leaf string
		want network.Multipath
	}{
		"24.10": {`"maximum-paths":8,"allow-multiple-as":false`, network.Multipath{EBGP: 8, IBGP: 8}},
		"25.3":  {`"ebgp":{"maximum-paths":8},"ibgp":{"maximum-paths":4}`, network.Multipath{EBGP: 8, IBGP: 4, MultipleAS: true}},
	} {
		r := read(small, parse(t, release, `{"network-instance":[{"name":"default","protocols":{"bgp":{"autonomous-system":1,"router-id":"10.1.0.1",
			"afi-safi":[{"afi-safi-name":"ipv4-unicast","multipath":{`+c.leaf+`}}]}}}]}`))
		if got := r.Instances[0].BGP.Multipath[network.IPv4]; got != c.want {
			t.Errorf("%s: got %+v, want %+v", release, got, c.want)
		}
	}
}

func TestAFamilyMayAcceptWhatNoPolicyDecidesOn(t *testing.T) {
	t.Parallel()
	r := read(small, parse(t, "25.3", speaker(``, `,"import-policy":["p"],"afi-safi":[{"afi-safi-name":"ipv4-unicast","default-import-policy":"accept"}]`, ``)))
	got := r.Instances[0].BGP.Neighbors[0].Import
	if len(got) != 2 || got[0] != "p@ipv4-unicast" || got[1] != "default-accept@ipv4-unicast" {
		t.Fatalf("import %q", got)
	}
	if s := r.Policies.Policies[got[1]].Statements[0]; s.Action.Result != network.Accept || s.Match.Families[0] != network.IPv4 {
		t.Errorf("%+v", s)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	policy := func(rest string) string { return `{"routing-policy":{` + rest + `}}` }
	statement := func(rest string) string {
		return policy(`"policy":[{"name":"p","statement":[{"name":"s",` + rest + `}]}]`)
	}
	preference := uint32(200)
	readAll(t, []reading{
		{"prefix ranges", policy(`"prefix-set":[{"name":"s","prefix":[{"ip-prefix":"10.0.0.0/8","mask-length-range":"exact"},{"ip-prefix":"10.0.0.0/8","mask-length-range":"24..32"}]}]`),
			func(r *network.Router) any { return r.Policies.Prefixes["s"] },
			[]network.PrefixRange{{Prefix: netip.MustParsePrefix("10.0.0.0/8"), Low: 24, High: 32}, {Prefix: netip.MustParsePrefix("10.0.0.0/8"), Low: 8, High: 8}}},
		{"communities match all unless any is asked for", policy(`"community-set":[{"name":"s","member":["65000:1","no-export"]},{"name":"t","match-set-options":"any"},{"name":"u","match-set-options":"invert","member":["65000:1"]}]`),
			func(r *network.Router) any { return r.Policies.Communities },
			map[string]network.CommunitySet{"s": {All: true, Members: []string{"65000:1", "65535:65281"}}, "t": {}, "u": {}}},
		{"tags are numbers or bytes", policy(`"tag-set":[{"name":"s","tag-value":["7","0a:0b"]}]`),
			func(r *network.Router) any { return r.Policies.Tags["s"] }, []uint32{0x0a0b, 7}},
		{"each route type of a statement is asked for by itself", statement(`"match":{"bgp":{"evpn":{"route-type":[2,5]}}},"action":{"policy-result":"accept"}`),
			func(r *network.Router) any { return r.Policies.Policies["p"].Statements },
			[]network.Statement{{Name: "s", Match: network.Match{RouteType: 2}, Action: network.Action{Result: network.Accept}}, {Name: "s", Match: network.Match{RouteType: 5}, Action: network.Action{Result: network.Accept}}}},
		{"what a statement asks", statement(`"match":{"protocol":"local","family":["evpn","ipv4-unicast"],"bgp":{"community-set":"c"},"internal-tags":{"tag-set":["t"]}}`),
			func(r *network.Router) any { return r.Policies.Policies["p"].Statements[0].Match },
			network.Match{Protocol: "local", Families: []network.Family{network.L2EVPN, network.IPv4}, CommunitySet: "c", TagSets: []string{"t"}}},
		{"what a statement does", statement(`"action":{"policy-result":"next-statement","bgp":{"local-preference":{"set":200},"next-hop":{"set":"self"},
			"communities":{"add":"a","remove":"b","replace":"c"},"as-path":{"prepend":{"as-number":"auto","repeat-n":3},"replace":[65001]}},"internal-tags":{"set-tag-set":["t"]}}`),
			func(r *network.Router) any { return r.Policies.Policies["p"].Statements[0].Action },
			network.Action{Result: network.NextStatement, LocalPref: &preference, NextHop: netip.IPv4Unspecified(), Add: "a", Remove: "b", Replace: "c",
				Prepend: network.ASPrepend{Count: 3}, ReplaceAS: 65001, SetTags: []string{"t"}}},
		{"length of the path", statement(`"match":{"bgp":{"as-path-length":{"operator":"ge","value":3}}}`),
			func(r *network.Router) any {
				f := r.Policies.Policies["p"].Statements[0].Match.ASPathLength
				return []bool{f(2), f(3), f(4)}
			}, []bool{false, true, true}},
	})
}

// What is spelled differently in each release means the same.
func TestPoliciesInTheWordsOfEachRelease(t *testing.T) {
	t.Parallel()
	for release, document := range map[string]string{
		"24.10": `{"routing-policy":{"as-path-set":[{"name":"a","expression":"65001 .*"}],"policy":[{"name":"p","statement":[{"name":"s",
			"match":{"prefix-set":"x","bgp":{"as-path-set":"a"}},"action":{"bgp":{"med":{"set":5}}}}]}]}}`,
		"25.3": `{"routing-policy":{"as-path-set":[{"name":"a","as-path-set-member":["65001 .*"]}],"policy":[{"name":"p","statement":[{"name":"s",
			"match":{"prefix":{"prefix-set":"x"},"bgp":{"as-path":{"as-path-set":"a"}}},"action":{"bgp":{"med":{"operation":"set","value":5}}}}]}]}}`,
	} {
		r := read(small, parse(t, release, document))
		s := r.Policies.Policies["p"].Statements[0]
		if s.Match.PrefixSet != "x" || s.Match.ASPathSet != "a" || s.Action.MED(9) != 5 {
			t.Errorf("%s: %+v", release, s)
		}
		pattern := regexp.MustCompile(r.Policies.ASPaths["a"][0])
		for path, want := range map[string]bool{"65001": true, "65001 65002 7": true, "65002": false, "650011": false, "1 65001": false} {
			if got := pattern.MatchString(path); got != want {
				t.Errorf("%s: %q matches %q: %t", release, pattern, path, got)
			}
		}
	}
}

func TestMEDsAreAddedAndSubtractedWithinBounds(t *testing.T) {
	t.Parallel()
	for operation, want := range map[string][2]uint32{"add": {15, 1<<32 - 1}, "subtract": {0, 1<<32 - 6}} {
		r := read(small, parse(t, "25.3", `{"routing-policy":{"policy":[{"name":"p","default-action":{"bgp":{"med":{"operation":"`+operation+`","value":`+map[string]string{"add": "10", "subtract": "5"}[operation]+`}}}}]}}`))
		med := r.Policies.Policies["p"].Default.MED
		if got := [2]uint32{med(5), med(1<<32 - 1)}; got != want {
			t.Errorf("%s: got %d, want %d", operation, got, want)
		}
	}
}
