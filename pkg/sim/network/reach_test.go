package network

import (
	"fmt"
	"net/netip"
	"testing"
)

// hops writes where a FIB sends an address: "bgp 10.0.0.0/8: ethernet-1/1.0 fe80::1 spine1".
func hops(f *FIB, addr string) string {
	r, ok := f.Lookup(netip.MustParseAddr(addr))
	if !ok {
		return "nowhere"
	}
	s := fmt.Sprintf("%s %s", r.Protocol, r.Prefix)
	for _, h := range r.NextHops {
		s += fmt.Sprintf(", %s", h.Subinterface)
		if h.Addr.IsValid() {
			s += " " + h.Addr.String()
		}
		if h.Router != "" {
			s += " " + h.Router
		}
	}
	return s
}

func TestWhereARouterSendsAnAddress(t *testing.T) {
	t.Parallel()
	static := func(prefix string, via ...string) func(*Router) {
		return func(r *Router) {
			s := StaticRoute{Prefix: netip.MustParsePrefix(prefix)}
			for _, a := range via {
				s.NextHops = append(s.NextHops, netip.MustParseAddr(a))
			}
			r.instance("default").Static = append(r.instance("default").Static, s)
		}
	}
	for name, test := range map[string]struct {
		bend func(a *Router)
		addr string
		want string
	}{
		"its own address":                        {nil, "10.0.0.1", "host 10.0.0.1/32, ethernet-1/1.0"},
		"a subnet that it is on":                 {nil, "10.0.0.9", "local 10.0.0.0/24, ethernet-1/1.0 b"},
		"where IS-IS says":                       {nil, "10.1.0.2", "isis 10.1.0.2/32, ethernet-1/1.0 10.0.0.2 b"},
		"where nothing leads":                    {nil, "10.9.0.1", "nowhere"},
		"link-local addresses have no route":     {nil, "fe80::1", "nowhere"},
		"a static route's next hop is connected": {static("10.9.0.0/16", "10.0.0.2"), "10.9.0.1", "static 10.9.0.0/16, ethernet-1/1.0 10.0.0.2 b"},
		"a static route's next hop is looked up": {static("10.9.0.0/16", "10.1.0.2"), "10.9.0.1", "static 10.9.0.0/16, ethernet-1/1.0 10.0.0.2 b"},
		"a static route without a way is not there": {
			static("10.9.0.0/16", "10.8.0.1"), "10.9.0.1", "nowhere",
		},
		"a static route to itself is not there":       {static("10.9.0.0/16", "10.9.0.2"), "10.9.0.1", "nowhere"},
		"a route for the bin":                         {static("10.9.0.0/16"), "10.9.0.1", "static 10.9.0.0/16"},
		"static comes before IS-IS":                   {static("10.1.0.2/32"), "10.1.0.2", "static 10.1.0.2/32"},
		"the longest prefix comes before preferences": {static("10.1.0.0/24"), "10.1.0.2", "isis 10.1.0.2/32, ethernet-1/1.0 10.0.0.2 b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := twoRouters()
			if test.bend != nil {
				test.bend(l.a())
			}
			if got := hops(Table(l.survey(), nil, "a", "default"), test.addr); got != test.want {
				t.Errorf("%s: got %q, want %q", test.addr, got, test.want)
			}
		})
	}
}

func TestALoopbackIsReachedOverAllLinks(t *testing.T) {
	t.Parallel()
	c := newWeave(2, 2, "ibgp")
	p := c.survey()
	hop := func(spine byte) string {
		return fmt.Sprintf(", ethernet-1/%d.0 %s spine%d", spine, MAC{2, 1, spine, 0, 0, 1}.LinkLocal(), spine)
	}
	if got, want := hops(Table(p, Compute(p), "leaf1", "default"), "10.1.0.2"), "bgp 10.1.0.2/32"+hop(1)+hop(2); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// asSpeakers hides what a computed routing can do beyond Routing.
type asSpeakers struct{ Routing }

func TestATableIsTheSameWhereverRoutesComeFrom(t *testing.T) {
	t.Parallel()
	c := newWeave(2, 3, "ibgp")
	p := c.survey()
	r := Compute(p)
	for _, router := range p.Names {
		computed, spoken := Table(p, r, router, "default"), Table(p, asSpeakers{r}, router, "default")
		equal(t, "routes of "+router, spoken.Routes(), computed.Routes())
		for _, other := range p.Names {
			a := c.routers[other].loopback().String()
			if got, want := hops(spoken, a), hops(computed, a); got != want {
				t.Errorf("%s to %s: %q from speakers, %q computed", router, other, got, want)
			}
		}
	}
	for name, r := range map[string]Routing{"computed": r, "spoken": asSpeakers{r}} {
		equal(t, "sessions by a routing that is "+name, Meet(p, r)["leaf1"], r.Sessions("leaf1"))
	}
}

func TestOnlyTheDefaultInstanceHasRoutesByBGP(t *testing.T) {
	t.Parallel()
	c := newWeave(1, 2, "ibgp")
	leaf := c.routers["leaf1"]
	leaf.Instances = append(leaf.Instances, Instance{Name: "red", Kind: IPVRF, Enabled: true})
	p := c.survey()
	r := Compute(p)
	for instance, want := range map[string]int{"default": 3, "red": 0, "gone": 0} {
		if got := Table(p, r, "leaf1", instance).Routes(); len(got) != want {
			t.Errorf("%s has %d routes, want %d: %v", instance, len(got), want, got)
		}
	}
	if got := Table(p, r, "gone", "default").Routes(); len(got) != 0 {
		t.Errorf("a router that is not there has routes: %v", got)
	}
}

// Two routers that send what they do not have to each other.
func TestPacketsThatGoInCirclesEnd(t *testing.T) {
	t.Parallel()
	l := twoRouters()
	for router, via := range map[string]string{"a": "10.0.0.2", "b": "10.0.0.1"} {
		in := l.routers[router].instance("default")
		in.Kind = Default
		in.Static = []StaticRoute{{Prefix: netip.MustParsePrefix("10.9.0.0/16"), NextHops: []netip.Addr{netip.MustParseAddr(via)}}}
	}
	w := newTerrain(l.survey())
	w.route(nil)
	if w.delivers("a", netip.MustParseAddr("10.9.0.1"), "b", farthest) {
		t.Error("a packet to nobody arrives")
	}
	if loopback := netip.MustParseAddr("10.1.0.2"); !w.delivers("a", loopback, "b", 1) || w.delivers("a", loopback, "b", 0) || w.delivers("a", loopback, "a", 9) {
		t.Error("a packet to a loopback crosses one link and arrives where that is")
	}
}

// A next hop beyond a link is looked up, as when a border leaf leaves that of its external neighbor as it is.
func TestANextHopFromAnotherASIsLookedUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		bend func(l *lab)
		want []string
	}{
		"a next hop that IS-IS knows is used": {func(*lab) {}, []string{"10.7.0.0/24 via b"}},
		"one that nobody knows is not":        {func(l *lab) { l.b().instance("default").ISIS = nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := internalPair()
			test.bend(l)
			p := l.survey()
			r := compute(p, func(p *Plant, router string) []Route {
				if router != "b" {
					return nil
				}
				return []Route{{
					NLRI: NLRI{Family: IPv4, Prefix: netip.MustParsePrefix("10.7.0.0/24")}, Origin: "b", Protocol: "static",
					NextHop: netip.MustParseAddr("10.1.0.2"),
				}}
			})
			equal(t, "routes of a", usedBy(r, "a", IPv4), test.want)
		})
	}
}

// internalPair are two routers of one AS with IS-IS and one session on the link.
func internalPair() *lab {
	l := twoRouters()
	for i, r := range []*Router{l.a(), l.b()} {
		id := r.sub("system0.0").Addresses[0].Prefix.Addr()
		r.Policies = Policies{Policies: map[string]Policy{"all": {Default: Action{Result: Accept}}}}
		r.instance("default").BGP = &BGP{Enabled: true, AS: 100, RouterID: id, Families: []Family{IPv4}, Neighbors: []Neighbor{{
			Peer: netip.AddrFrom4([4]byte{10, 0, 0, byte(2 - i)}), Enabled: true, LocalAS: 100, PeerAS: 100, Families: []Family{IPv4},
			Export: []string{"all"},
		}}}
	}
	return l
}

// Live speakers say what they have come to on the plant before this one.
func TestARouteOverALinkThatIsGoneLeadsNowhere(t *testing.T) {
	t.Parallel()
	p := Survey(map[string]*Router{}, &Wiring{}, Outages{})
	f := newFIB(p, "a", "default")
	f.sessions = []Session{{Neighbor: &Neighbor{Interface: "ethernet-1/1.0"}, Remote: "b"}}
	path := Path{Route: &Route{}, NextHop: netip.MustParseAddr("fe80::1")}
	if hops := f.Resolve(&path); len(hops) != 0 {
		t.Errorf("hops %v", hops)
	}
}
