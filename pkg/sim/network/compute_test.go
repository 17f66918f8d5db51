package network

import (
	"fmt"
	"maps"
	"net/netip"
	"pgregory.net/rapid"
	"slices"

	"testing"
	"time"
)

// weave is a fabric as operators build them: unnumbered EBGP on the links, loopbacks let through by policies, and an
// overlay between loopbacks. Leaf n has AS 65000+n and loopback 10.1.n/256.n%256, spines have AS 64900. A test bends one
// detail.
type weave struct {
	routers map[string]*Router
	wiring  Wiring
	outages Outages
}

const (
	closSpineAS   = 64900
	closOverlayAS = 64999
	closSegments  = 3 // MAC-VRFs of each leaf
)

var closLoopbacks = PrefixRange{netip.MustParsePrefix("10.0.0.0/8"), 32, 32}

// newClos builds one. The overlay is "ibgp", with spines as reflectors, or "ebgp", through spines.
func newWeave(spines, leaves int, overlay string) *weave {
	c := &weave{routers: map[string]*Router{}, outages: Outages{Cables: map[string]bool{}}}
	for s := 1; s <= spines; s++ {
		c.add(fmt.Sprintf("spine%d", s), closSpineAS, closLoopback(0, s), leaves, MAC{2, 1, byte(s)})
	}
	for l := 1; l <= leaves; l++ {
		name := fmt.Sprintf("leaf%d", l)
		c.add(name, 65000+uint32(l), closLoopback(1, l), spines, MAC{2, 2, byte(l >> 8), byte(l)})
		c.segments(name, closSegments)
		for s := 1; s <= spines; s++ {
			c.join(fmt.Sprintf("spine%d", s), l, name, s, overlay)
		}
	}
	for _, r := range c.routers {
		bgp := r.bgp()
		slices.SortFunc(bgp.Neighbors, func(a, b Neighbor) int { return a.Peer.Compare(b.Peer) })
		slices.SortFunc(bgp.Dynamic, func(a, b Dynamic) int { return cmpString(a.Interface, b.Interface) })
		bgp.InterAS = overlay == "ebgp" && bgp.AS == closSpineAS
	}
	return c
}

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func closLoopback(block, n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(block), byte(n >> 8), byte(n)})
}

func (r *Router) bgp() *BGP { return r.Instances[0].BGP }

func (r *Router) loopback() netip.Addr { return r.Instances[0].RouterID }

// neighbor returns the one that is configured for an address.
func (r *Router) neighbor(a netip.Addr) *Neighbor {
	for i := range r.bgp().Neighbors {
		if r.bgp().Neighbors[i].Peer == a {
			return &r.bgp().Neighbors[i]
		}
	}
	panic("no neighbor " + a.String())
}

// add makes a router with so many ports.
func (c *weave) add(name string, as uint32, loopback netip.Addr, ports int, mac MAC) {
	exported := PrefixRange{netip.PrefixFrom(loopback, 32), 32, 32}
	if as == closSpineAS {
		exported = closLoopbacks
	}
	only := func(set string) Policy {
		return Policy{Statements: []Statement{{Match: Match{PrefixSet: set}, Action: Action{Result: Accept}}}, Default: Action{Result: Reject}}
	}
	multipath := Multipath{EBGP: 64, IBGP: 64, MultipleAS: true}
	r := &Router{
		Name: name, System: name, Chassis: mac,
		Policies: Policies{
			Policies: map[string]Policy{"in": only("loopbacks"), "out": only("own"), "all": {Default: Action{Result: Accept}}},
			Prefixes: map[string][]PrefixRange{"loopbacks": {closLoopbacks}, "own": {exported}},
		},
		Subinterfaces: []Subinterface{{
			Name: "system0.0", Parent: "system0", Kind: Loopback, Enabled: true, IPv4: true,
			Addresses: []Address{{Prefix: netip.PrefixFrom(loopback, 32)}},
		}},
		Instances: []Instance{{
			Name: "default", Enabled: true, RouterID: loopback, Interfaces: []string{"system0.0"}, UncheckedIPv4: true,
			BGP: &BGP{Enabled: true, AS: as, RouterID: loopback, Families: []Family{IPv4, L2EVPN}, Multipath: map[Family]Multipath{IPv4: multipath}},
		}},
	}
	for n := 1; n <= ports; n++ {
		port := fmt.Sprintf("ethernet-1/%d", n)
		sub := MAC{mac[0], mac[1], mac[2], mac[3], byte(n >> 8), byte(n)}
		r.Ports = append(r.Ports, Port{Name: port, Enabled: true, Speed: "100G", MAC: sub})
		r.Subinterfaces = append(r.Subinterfaces, Subinterface{
			Name: port + ".0", Parent: port, Enabled: true, MAC: sub, IPv6: true, RA: true, LinkLocal: sub.LinkLocal(),
		})
		r.Instances[0].Interfaces = append(r.Instances[0].Interfaces, port+".0")
	}
	c.routers[name] = r
}

// join cables a leaf to a spine and configures the sessions of both.
func (c *weave) join(spine string, spinePort int, leaf string, leafPort int, overlay string) {
	s, l := c.routers[spine], c.routers[leaf]
	sp, lp := fmt.Sprintf("ethernet-1/%d", spinePort), fmt.Sprintf("ethernet-1/%d", leafPort)
	c.wiring.Cables = append(c.wiring.Cables, Cable{End{leaf, lp}, End{spine, sp}})
	s.bgp().Dynamic = append(s.bgp().Dynamic, closUnderlay(sp+".0", closSpineAS, l.bgp().AS))
	l.bgp().Dynamic = append(l.bgp().Dynamic, closUnderlay(lp+".0", l.bgp().AS, closSpineAS))
	s.bgp().Neighbors = append(s.bgp().Neighbors, closOverlay(overlay, s, l))
	l.bgp().Neighbors = append(l.bgp().Neighbors, closOverlay(overlay, l, s))
}

func closUnderlay(sub string, local, remote uint32) Dynamic {
	n := Neighbor{
		Enabled: true, Group: "underlay", LocalAS: local, AllowedAS: []ASRange{{remote, remote}}, Families: []Family{IPv4},
		Import: []string{"in"}, Export: []string{"out"}, RejectImport: true, RejectExport: true,
		HoldTime: 90 * time.Second, KeepAlive: 30 * time.Second,
	}
	n.IPv6NextHops.Send, n.IPv6NextHops.Receive = true, true
	return Dynamic{sub, n}
}

func closOverlay(kind string, r, peer *Router) Neighbor {
	n := Neighbor{
		Peer: peer.loopback(), Enabled: true, Group: "overlay", LocalAS: closOverlayAS, PeerAS: closOverlayAS, Local: r.loopback(),
		Families: []Family{L2EVPN}, RejectImport: true, RejectExport: true, HoldTime: 90 * time.Second, KeepAlive: 30 * time.Second,
	}
	if kind == "ebgp" {
		n.LocalAS, n.PeerAS, n.Multihop = r.bgp().AS, peer.bgp().AS, 2
		n.Import, n.Export = []string{"all"}, []string{"all"}
	} else if r.bgp().AS == closSpineAS {
		n.Client, n.Cluster = true, r.loopback()
	}
	return n
}

// segments gives a leaf MAC-VRFs, each of which announces where its broadcasts go.
func (c *weave) segments(leaf string, n int) {
	r := c.routers[leaf]
	for i := 1; i <= n; i++ {
		rt := []RT{RT(fmt.Sprintf("64999:%d", i))}
		r.Instances = append(r.Instances, Instance{
			Name: fmt.Sprintf("seg%d", i), Kind: MACVRF, Enabled: true,
			VXLAN: &VXLAN{Interface: fmt.Sprintf("vxlan1.%d", i), VNI: uint32(i), Source: r.loopback()},
			EVPN:  &EVPN{Enabled: true, EVI: uint32(i), ECMP: 1, RD: RD(fmt.Sprintf("%s:%d", r.loopback(), i)), Import: rt, Export: rt, MulticastRoutes: true},
		})
	}
}

func (c *weave) survey() *Plant { return Survey(c.routers, &c.wiring, c.outages) }

func (c *weave) compute() Routing { return Compute(c.survey()) }

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
	return s + fmt.Sprintln(r.Sessions(router))
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
			func(c *weave) { c.segments("leaf3", closSegments+1) }, []string{"leaf1", "leaf3", "spine1", "spine2"},
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
			routers := maps.Clone(c.routers)
			for _, name := range []string{"leaf3"} { // a Router is never changed once made
				r := *c.routers[name]
				r.Instances = slices.Clone(r.Instances)
				if test.want != nil {
					c.routers[name] = &r
				}
			}
			test.change(c)
			after := c.compute()
			var changed []string
			for name := range routers {
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
	third.Peer, third.Local, third.Group = spine.loopback(), second.Addr(), "third"
	back := closOverlay("ibgp", spine, leaf)
	back.Peer, back.Group = second.Addr(), "third"
	other := netip.MustParseAddr("10.200.0.2")
	spine.Subinterfaces[0].Addresses = append(spine.Subinterfaces[0].Addresses, Address{Prefix: netip.PrefixFrom(other, 32)})
	third.Peer, back.Local = other, other
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

// disagreement is a ring of three ASs around a fourth: each prefers the route by the next to its own (RFC 4264).
func disagreement() *lab {
	l := newLab()
	high := uint32(200)
	for n := byte(0); n <= 3; n++ {
		id := netip.AddrFrom4([4]byte{10, 0, 0, 100 + n})
		r := &Router{
			Name: fmt.Sprintf("r%d", n), Subinterfaces: []Subinterface{{Name: "system0.0", Parent: "system0", Kind: Loopback, Enabled: true, IPv4: true, Addresses: []Address{{Prefix: netip.PrefixFrom(id, 32)}}}},
			Policies: Policies{
				Policies: map[string]Policy{
					"out":    {Statements: []Statement{accept(Match{PrefixSet: "r0"})}, Default: Action{Result: Reject}},
					"all":    {Default: Action{Result: Accept}},
					"better": {Statements: []Statement{{Match: Match{ASPathLength: func(n int) bool { return n == 2 }}, Action: Action{Result: Accept, LocalPref: &high}}}, Default: Action{Result: Reject}},
				},
				Prefixes: map[string][]PrefixRange{"r0": {{netip.MustParsePrefix("10.0.0.100/32"), 32, 32}}},
			},
			Instances: []Instance{{Name: "default", Enabled: true, RouterID: id, Interfaces: []string{"system0.0"}, BGP: &BGP{Enabled: true, AS: uint32(n) + 1, RouterID: id}}},
		}
		l.routers[r.Name] = r
	}
	for n := 1; n <= 3; n++ {
		l.ebgp(n, 0, "all", "all")
		l.ebgp(n, n%3+1, "better", "all")
	}
	return l
}

// ebgp joins two routers of the disagreement; the policies are those that they import with.
func (l *lab) ebgp(x, y int, importX, importY string) {
	for i, n := range []int{x, y} {
		r, peer, port := l.routers[fmt.Sprintf("r%d", n)], []int{y, x}[i], fmt.Sprintf("ethernet-1/%d", []int{y, x}[i]+1)
		addr := func(n int) netip.Addr {
			return netip.AddrFrom4([4]byte{10, byte(1 + min(x, y)), byte(max(x, y)), byte(n)})
		}
		r.Ports = append(r.Ports, Port{Name: port, Enabled: true})
		r.Subinterfaces = append(r.Subinterfaces, Subinterface{Name: port + ".0", Parent: port, Enabled: true, IPv4: true, Addresses: []Address{{Prefix: netip.PrefixFrom(addr(n), 24)}}})
		r.Instances[0].Interfaces = append(r.Instances[0].Interfaces, port+".0")
		r.bgp().Neighbors = append(r.bgp().Neighbors, Neighbor{
			Peer: addr(peer), Enabled: true, LocalAS: uint32(n) + 1, PeerAS: uint32(peer) + 1, Families: []Family{IPv4},
			Import: []string{[]string{importX, importY}[i]}, Export: []string{"out"},
		})
	}
	l.cable(fmt.Sprintf("r%d:ethernet-1/%d", x, y+1), fmt.Sprintf("r%d:ethernet-1/%d", y, x+1))
}
