package network

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAFabricComesUp(t *testing.T) {
	t.Parallel()
	for _, overlay := range []string{"ibgp", "ebgp"} {
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			c := newWeave(2, 3, overlay)
			r := c.compute()
			for name := range c.routers {
				for _, s := range r.Sessions(name) {
					if s.State != Established {
						t.Errorf("%s %s: %s, %s", name, s.Peer, s.State, s.Cause)
					}
				}
			}
			equal(t, "loopbacks of leaf1", usedBy(r, "leaf1", IPv4), []string{
				"10.0.0.1/32 via spine1", "10.0.0.2/32 via spine2",
				"10.1.0.1/32 via leaf1",
				"10.1.0.2/32 via spine1", "10.1.0.2/32 via spine2", "10.1.0.3/32 via spine1", "10.1.0.3/32 via spine2",
			})
			equal(t, "EVPN routes of leaf1 that others announce", foreign(r, "leaf1"), map[string]int{"leaf2": closSegments, "leaf3": closSegments})
		})
	}
}

// usedBy lists the used paths of a router by prefix and the router that they come from.
func usedBy(r Routing, router string, f Family) []string {
	var all []string
	for _, p := range r.Paths(router, f) {
		if from := router; p.Used {
			if p.From >= 0 {
				from = r.Sessions(router)[p.From].Remote
			}
			all = append(all, p.Prefix.String()+" via "+from)
		}
	}
	return all
}

// foreign counts the EVPN routes that a router uses, by who announces them.
func foreign(r Routing, router string) map[string]int {
	all := map[string]int{}
	for _, p := range r.Paths(router, L2EVPN) {
		if p.Best && p.From >= 0 {
			all[p.Origin]++
		}
	}
	return all
}

// A thousand routers come up within two seconds, and in a hundred megabytes.
func BenchmarkComputeThousand(b *testing.B) {
	c := newWeave(8, 992, "ibgp")
	for n := range 992 {
		name := fmt.Sprintf("leaf%d", n+1)
		c.routers[name].Instances = c.routers[name].Instances[:1]
		c.segments(name, 10)
	}
	p := c.survey()
	b.ReportAllocs()
	for b.Loop() {
		Compute(p)
	}
}

// A random fabric, with policies, sessions and cables that do not fit.
func randomWeave(t *rapid.T) *weave {
	c := newWeave(rapid.IntRange(1, 3).Draw(t, "spines"), rapid.IntRange(1, 4).Draw(t, "leaves"), rapid.SampledFrom([]string{"ibgp", "ebgp"}).Draw(t, "overlay"))
	names := slices.Sorted(maps.Keys(c.routers))
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		r := c.routers[rapid.SampledFrom(names).Draw(t, "router")]
		n := &r.bgp().Neighbors[rapid.IntRange(0, len(r.bgp().Neighbors)-1).Draw(t, "neighbor")]
		d := &r.bgp().Dynamic[rapid.IntRange(0, len(r.bgp().Dynamic)-1).Draw(t, "link")].Template
		switch rapid.IntRange(0, 9).Draw(t, "change") {
		case 0:
			n.Families = []Family{IPv4, L2EVPN}
			n.Export, n.Import = []string{"all"}, []string{"all"}
		case 1:
			n.NextHopSelf = true
		case 2:
			n.Client = !n.Client
		case 3:
			n.LocalAS = closSpineAS
		case 4:
			d.Export = []string{"all"}
		case 5:
			d.AllowedAS = []ASRange{{1, 1 << 31}}
			d.LocalAS = 65000 + uint32(rapid.IntRange(1, 4).Draw(t, "as"))
		case 6:
			r.Policies.Policies["all"] = Policy{Default: Action{Result: Accept, RemoveAS: true}}
		case 7:
			d.OwnAS = 2
		case 8:
			cable := rapid.SampledFrom(c.wiring.Cables).Draw(t, "cable")
			c.outages.Cables[cable.String()] = true
		case 9:
			c.segments(r.Name, 1)
		}
	}
	return c
}

func TestEveryUsedPathLeadsSomewhereAndHasNoLoop(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := randomWeave(t).survey()
		r := Compute(p)
		for _, router := range p.Names {
			fib := Table(p, r, router, "default")
			for _, f := range []Family{IPv4, IPv6, L2EVPN} {
				for _, path := range r.Paths(router, f) {
					if path.Used && path.From >= 0 {
						checkUsed(t, r, fib, router, &path)
					}
				}
			}
		}
	})
}

// checkUsed looks at one used path that a neighbor has sent.
func checkUsed(t *rapid.T, r Routing, fib *FIB, router string, path *Path) {
	s := r.Sessions(router)[path.From]
	if s.State != Established || !slices.Contains(s.Exchanged, path.Family) {
		t.Fatalf("%s has %v by a session that is %s and exchanges %v", router, path.NLRI, s.State, s.Exchanged)
	}
	if len(fib.Resolve(path)) == 0 {
		t.Fatalf("%s uses %v, whose next hop %s leads nowhere", router, path.NLRI, path.NextHop)
	}
	own := 0
	for _, as := range path.ASPath {
		if as == s.LocalAS {
			own++
		}
	}
	if own > s.OwnAS {
		t.Fatalf("%s uses %v, with its own AS in the path %v", router, path.NLRI, path.ASPath)
	}
	if path.Rejected || !path.Valid {
		t.Fatalf("%s uses %v, which is not usable", router, path.NLRI)
	}
}

func TestComputeDependsOnNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := randomWeave(t)
		a, b := c.compute(), c.compute()
		for name := range c.routers {
			for _, f := range []Family{IPv4, L2EVPN} {
				if got, want := lines(b, name, f), lines(a, name, f); got != want {
					t.Fatalf("%s:\n%s\nand once more:\n%s", name, want, got)
				}
			}
			if a.Version(name) != b.Version(name) {
				t.Fatalf("%s has two versions of the same", name)
			}
		}
	})
}

// lines writes all that a router has.
func lines(r Routing, router string, f Family) string {
	s := ""
	for _, p := range r.Paths(router, f) {
		s += fmt.Sprintln(p.NLRI, p.Origin, p.From, p.NextHop, p.ASPath, p.LocalPref, p.Originator, p.Cluster, p.Valid, p.Rejected, p.Best, p.Used)
	}
	for _, one := range r.Sessions(router) {
		s += one.text() + "\n"
	}
	return s
}

// A group of routes fares like each of its routes alone: asking for prefixes in a policy that matches nothing splits
// all groups, and must change nothing.
func TestRoutesFareInGroupsAsAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := randomWeave(t)
		together := c.compute()
		nothing := Policy{Statements: []Statement{{Match: Match{PrefixSet: "none"}, Action: Action{Result: Reject}}}}
		for _, r := range c.routers {
			r.Policies.Policies["nothing"] = nothing
			for i := range r.bgp().Neighbors {
				n := &r.bgp().Neighbors[i]
				n.Import = append([]string{"nothing"}, n.Import...)
			}
		}
		alone := c.compute()
		for name := range c.routers {
			for i, path := range together.Paths(name, L2EVPN) {
				if other := alone.Paths(name, L2EVPN)[i]; path.NLRI != other.NLRI || path.From != other.From || path.Used != other.Used {
					t.Fatalf("%s: %v from %d used %t in a group, %v from %d used %t alone", name, path.NLRI, path.From, path.Used, other.NLRI, other.From, other.Used)
				}
			}
		}
	})
}

func TestVersionsChangeWhereSomethingDoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(c *weave)
		want   []string // routers whose version changes
	}{
		"nothing": {func(*weave) {}, nil},
		"a segment that only one other leaf imports": {
			func(c *weave) {
				leaf := *c.routers["leaf3"] // a Router is never changed once made
				c.routers["leaf3"] = &leaf
				leaf.Instances = slices.Clone(leaf.Instances)
				c.segments("leaf3", closSegments+1)
			}, []string{"leaf1", "leaf3", "spine1", "spine2"},
		},
		"a cable is cut": {
			func(c *weave) { c.outages.Cables[c.wiring.Cables[0].String()] = true }, []string{"leaf1", "leaf2", "leaf3", "spine1", "spine2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWeave(2, 3, "ibgp")
			c.segments("leaf1", closSegments+1)
			before := c.compute()
			test.change(c)
			after := c.compute()
			var changed []string
			for name := range c.routers {
				if before.Version(name) != after.Version(name) {
					changed = append(changed, name)
				}
			}
			slices.Sort(changed)
			equal(t, "routers", changed, test.want)
		})
	}
}

// Routes that come by sessions between loopbacks may carry sessions themselves; each level takes a round.
func TestSessionsComeUpOverRoutesOfOthers(t *testing.T) {
	t.Parallel()
	c := newWeave(1, 2, "ibgp")
	leaf, spine := c.routers["leaf1"], c.routers["spine1"]
	second := netip.MustParsePrefix("10.200.0.1/32") // a loopback that only the session between loopbacks announces
	leaf.Subinterfaces = append(leaf.Subinterfaces, Subinterface{
		Name: "lo0.0", Parent: "lo0", Kind: Loopback, Enabled: true, IPv4: true, Addresses: []Address{{Prefix: second}},
	})
	leaf.Instances[0].Interfaces = append(leaf.Instances[0].Interfaces, "lo0.0")
	leaf.Policies.Prefixes["second"] = []PrefixRange{{second, 32, 32}}
	leaf.Policies.Policies["second"] = Policy{Statements: []Statement{accept(Match{PrefixSet: "second"})}, Default: Action{Result: Reject}}
	carry := leaf.neighbor(spine.loopback())
	carry.Families, carry.Export, carry.NextHopSelf = []Family{IPv4}, []string{"second"}, true
	spine.neighbor(leaf.loopback()).Families = []Family{IPv4}
	third := closOverlay("ibgp", leaf, spine)
	back := closOverlay("ibgp", spine, leaf)
	other := netip.MustParseAddr("10.200.0.2")
	spine.Subinterfaces[0].Addresses = append(spine.Subinterfaces[0].Addresses, Address{Prefix: netip.PrefixFrom(other, 32)})
	third.Peer, third.Local, third.Group = other, second.Addr(), "third"
	back.Peer, back.Local, back.Group = second.Addr(), other, "third"
	leaf.Instances[0].Static = []StaticRoute{{netip.PrefixFrom(other, 32), []netip.Addr{spine.loopback()}}}
	leaf.bgp().Neighbors, spine.bgp().Neighbors = append(leaf.bgp().Neighbors, third), append(spine.bgp().Neighbors, back)
	if s := session(t, c.compute(), "spine1", "leaf1", "third"); s.State != Established {
		t.Errorf("%s, %s", s.State, s.Cause)
	}
}

// Three reflectors' clients that each prefer the way by the next one never agree (RFC 3345 has the like).
func TestRoutersThatNeverAgreeAreLeftAlone(t *testing.T) {
	t.Parallel()
	c := disagreement()
	r := Compute(c.survey())
	for _, name := range []string{"r1", "r2", "r3"} {
		if used := usedBy(r, name, IPv4); len(used) == 0 {
			t.Errorf("%s has nothing", name)
		}
	}
}
