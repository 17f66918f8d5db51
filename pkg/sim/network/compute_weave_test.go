package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
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
		slices.SortFunc(bgp.Dynamic, func(a, b Dynamic) int { return strings.Compare(a.Interface, b.Interface) })
		bgp.InterAS = overlay == "ebgp" && bgp.AS == closSpineAS
	}
	return c
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
