package network

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// selection is a router with four sessions: two external and two internal, of AS 100.
func selection(igp ...IGPRoute) (*Plant, []Session) {
	multipath := map[Family]Multipath{IPv4: {EBGP: 2, IBGP: 4}}
	r := &Router{Name: "r", Instances: []Instance{{Name: "default", BGP: &BGP{AS: 100, Multipath: multipath}}}}
	p := &Plant{Routers: map[string]*Router{"r": r}, Names: []string{"r"}, Links: map[string]*Links{"r": {IGP: igp}}}
	var sessions []Session
	for i := range 4 {
		s := Session{Neighbor: &Neighbor{}, Router: "r", Instance: "default", PeerID: netip.AddrFrom4([4]byte{9, 9, 9, byte(i)})}
		s.Peer = netip.AddrFrom4([4]byte{10, 0, 0, byte(9 - i)})
		if i >= 2 {
			s.PeerType = IBGP
		}
		sessions = append(sessions, s)
	}
	return p, sessions
}

// Each path is better than the next by one rule only; anything after that speaks against it.
func TestTheBetterPath(t *testing.T) {
	t.Parallel()
	hop := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{20, 0, 0, n}) }
	far := IGPRoute{Instance: "default", Prefix: netip.PrefixFrom(hop(2), 32), Metric: 30}
	for name, test := range map[string]struct {
		igp         []IGPRoute
		best, other Path
		together    bool
	}{
		"a next hop that is reached": {
			best: Path{From: 1, Valid: true, LocalPref: 50}, other: Path{From: 0, LocalPref: 100},
		},
		"a path that is not rejected": {
			best: Path{From: 1, Valid: true, LocalPref: 50}, other: Path{From: 0, Valid: true, Rejected: true, LocalPref: 100},
		},
		"the higher local preference": {
			best: Path{From: 1, Valid: true, LocalPref: 200, ASPath: []uint32{1, 2}}, other: Path{From: -1, Valid: true, LocalPref: 100},
		},
		"an own path": {
			best: Path{From: -1, Valid: true, LocalPref: 100, MED: 9}, other: Path{From: 0, Valid: true, LocalPref: 100},
		},
		"the shorter AS path": {
			best: Path{From: 2, Valid: true, ASPath: []uint32{1}, MED: 9}, other: Path{From: 0, Valid: true, ASPath: []uint32{1, 2}},
		},
		"the lower MED of one AS": {
			best: Path{From: 2, Valid: true, ASPath: []uint32{1}, MED: 1}, other: Path{From: 0, Valid: true, ASPath: []uint32{1}, MED: 2},
		},
		"but the MED of another AS says nothing": {
			best: Path{From: 0, Valid: true, ASPath: []uint32{1}, MED: 2}, other: Path{From: 2, Valid: true, ASPath: []uint32{2}, MED: 1},
		},
		"an external path": {
			best: Path{From: 1, Valid: true, ASPath: []uint32{1}}, other: Path{From: 2, Valid: true, ASPath: []uint32{1}},
		},
		"the nearer next hop": {
			igp: []IGPRoute{far}, best: Path{From: 3, Valid: true, NextHop: hop(1)}, other: Path{From: 2, Valid: true, NextHop: hop(2)},
		},
		"the lower router id": {
			best: Path{From: 2, Valid: true, NextHop: hop(1)}, other: Path{From: 3, Valid: true, NextHop: hop(1)}, together: true,
		},
		"the lower originator, whoever reflects it": {
			best:  Path{From: 3, Valid: true, Originator: netip.MustParseAddr("1.1.1.1"), Cluster: []netip.Addr{hop(1), hop(2)}},
			other: Path{From: 2, Valid: true, Originator: netip.MustParseAddr("2.2.2.2"), Cluster: []netip.Addr{hop(1)}}, together: true,
		},
		"the shorter cluster list": {
			best:  Path{From: 2, Valid: true, Originator: hop(9), Cluster: []netip.Addr{hop(1)}},
			other: Path{From: 3, Valid: true, Originator: hop(9), Cluster: []netip.Addr{hop(1), hop(2)}}, together: true,
		},
		"the lower address of the neighbor": {
			best: Path{From: 3, Valid: true, Originator: hop(9)}, other: Path{From: 2, Valid: true, Originator: hop(9)}, together: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, sessions := selection(test.igp...)
			test.best.Route, test.other.Route = &Route{NLRI: NLRI{Family: IPv4}}, &Route{NLRI: NLRI{Family: IPv4}}
			for _, paths := range [][]Path{{test.best, test.other}, {test.other, test.best}} {
				Select(p, "r", sessions, paths)
				if paths[0].Route != test.best.Route || !paths[0].Best || !paths[0].Used || paths[1].Best {
					t.Errorf("got %+v", paths)
				}
				if paths[1].Used != test.together {
					t.Errorf("the other path is used: %t, want %t", paths[1].Used, test.together)
				}
			}
		})
	}
}

func TestNothingIsBestWhereNothingIsUsable(t *testing.T) {
	t.Parallel()
	p, sessions := selection()
	paths := []Path{{Route: &Route{NLRI: NLRI{Family: IPv4}}, From: 0}}
	Select(p, "r", sessions, paths)
	if paths[0].Best || paths[0].Used {
		t.Errorf("got %+v", paths[0])
	}
	Select(p, "r", sessions, nil)
}

func TestHowManyPathsAreUsedTogether(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		from      []int
		multipath Multipath
		as        []uint32 // neighboring AS of each
		want      int
	}{
		"as many as external paths may":               {[]int{0, 1}, Multipath{EBGP: 2, IBGP: 1, MultipleAS: true}, []uint32{1, 2}, 2},
		"one without multipath":                       {[]int{0, 1}, Multipath{}, []uint32{1, 1}, 1},
		"internal paths have a limit of their own":    {[]int{2, 3}, Multipath{EBGP: 2, IBGP: 1}, []uint32{1, 1}, 1},
		"internal and external paths are not equal":   {[]int{0, 2}, Multipath{EBGP: 9, IBGP: 9, MultipleAS: true}, []uint32{1, 1}, 1},
		"those of one AS, unless several may":         {[]int{0, 1}, Multipath{EBGP: 2}, []uint32{1, 2}, 1},
		"one of another AS in between is passed over": {[]int{0, 1, 1}, Multipath{EBGP: 3}, []uint32{1, 2, 1}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, sessions := selection()
			p.Routers["r"].Instances[0].BGP.Multipath[IPv4] = test.multipath
			var paths []Path
			for i, from := range test.from {
				paths = append(paths, Path{Route: &Route{NLRI: NLRI{Family: IPv4}}, From: from, Valid: true, ASPath: test.as[i : i+1]})
			}
			Select(p, "r", sessions, paths)
			used := 0
			for _, path := range paths {
				if path.Used {
					used++
				}
			}
			if used != test.want {
				t.Errorf("%d are used, want %d", used, test.want)
			}
		})
	}
}

func TestSelectionDependsOnThePathsAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, sessions := selection()
		p.Routers["r"].Instances[0].BGP.Multipath[IPv4] = Multipath{EBGP: 2, IBGP: 2, MultipleAS: rapid.Bool().Draw(t, "multiple AS")}
		var paths []Path
		for i := range rapid.IntRange(1, 4).Draw(t, "paths") { // at most one by each session
			small := func(name string) uint32 { return uint32(rapid.IntRange(0, 2).Draw(t, name)) }
			paths = append(paths, Path{
				Route: &Route{NLRI: NLRI{Family: IPv4}}, From: i, Valid: rapid.Bool().Draw(t, "valid"), LocalPref: small("preference"),
				MED: small("med"), ASPath: []uint32{small("as"), 5},
			})
		}
		describe := func(paths []Path) string {
			Select(p, "r", sessions, paths)
			s := ""
			for _, path := range paths {
				s += fmt.Sprint(path.From, path.Best, path.Used, " ")
			}
			return s
		}
		shuffled := slices.Clone(paths)
		order := rapid.Uint64().Draw(t, "order")
		rand.New(rand.NewPCG(order, 0)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got, want := describe(shuffled), describe(paths); got != want {
			t.Fatalf("in another order: %s, want %s", got, want)
		}
	})
}
