package network

import (
	"net/netip"
	"testing"
)

func TestAdjacenciesNeedBothEndsToAgree(t *testing.T) {
	t.Parallel()
	on := func(r *Router) *ISISInterface { return &r.instance("default").ISIS.Interfaces[0] }
	both := func(l *lab, change func(*ISIS)) {
		change(l.a().instance("default").ISIS)
		change(l.b().instance("default").ISIS)
	}
	const none = "none"
	for _, tt := range []struct {
		name   string
		change func(*lab)
		reason string // "": up
		levels []int
	}{
		{"at the level of both", nothing, "", []int{2}},
		{"at both levels", func(l *lab) { both(l, func(i *ISIS) { i.Level1 = true }) }, "", []int{1, 2}},
		{"at level 2 only in another area", func(l *lab) {
			both(l, func(i *ISIS) { i.Level1 = true })
			l.b().instance("default").ISIS.NET = "49.0002.0100.0000.0002.00"
		}, "", []int{2}},
		{"not at level 1 in another area", func(l *lab) {
			both(l, func(i *ISIS) { i.Level1, i.Level2 = true, false })
			l.b().instance("default").ISIS.NET = "49.0002.0100.0000.0002.00"
		}, "area-mismatch", []int{1}},
		{"not at different levels", func(l *lab) {
			l.b().instance("default").ISIS.Level1, l.b().instance("default").ISIS.Level2 = true, false
		}, "level-mismatch", []int{2}},
		{"not where the interface leaves the level out", func(l *lab) { on(l.b()).Level2 = false }, "level-mismatch", []int{2}},
		{"not where the interface is of the other level", func(l *lab) {
			both(l, func(i *ISIS) { i.Level1, i.Level2 = true, false })
			on(l.b()).Level1 = false
		}, "level-mismatch", []int{1}},
		{"not with another key", func(l *lab) { on(l.b()).Key = "secret" }, "bad-hello", []int{2}},
		{"not between a point-to-point and a broadcast circuit", func(l *lab) { on(l.b()).PointToPoint = false }, "bad-hello", []int{2}},
		{"not with one's own system id", func(l *lab) {
			l.b().instance("default").ISIS.NET = l.a().instance("default").ISIS.NET
		}, "bad-hello", []int{2}},
		{"not with another MTU", func(l *lab) { l.b().sub(sub1).IPMTU = 9000 }, "3-way-handshake-failed", []int{2}},
		{"not between different subnets", func(l *lab) {
			l.b().sub(sub1).Addresses[0].Prefix = netip.MustParsePrefix("10.0.9.2/24")
		}, "address-mismatch", []int{2}},
		{"without addresses on one side", func(l *lab) { l.b().sub(sub1).Addresses = nil }, "", []int{2}},
		{"with nobody who is passive", func(l *lab) { on(l.b()).Passive = true }, none, nil},
		{"with nobody who has no IS-IS there", func(l *lab) { on(l.b()).Enabled = false }, none, nil},
		{"with nobody whose IS-IS is disabled", func(l *lab) { l.b().instance("default").ISIS.Enabled = false }, none, nil},
		{"with nobody whose interface is in another instance", func(l *lab) {
			l.b().Instances = append(l.b().Instances, Instance{Name: "red", Kind: IPVRF, Enabled: true, Interfaces: []string{sub1}})
			l.b().instance("default").Interfaces = nil
		}, none, nil},
		{"with nobody whose NET is none", func(l *lab) { l.b().instance("default").ISIS.NET = "49.0001" }, none, nil},
		{"with nobody over a cut cable", func(l *lab) { l.cut(0) }, none, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := twoRouters()
			tt.change(l)
			var want []Adjacency
			for _, level := range tt.levels {
				_, system, _ := parseNET(l.b().instance("default").ISIS.NET)
				var addr netip.Addr
				if far := l.b().sub(sub1).Addresses; len(far) > 0 && tt.reason != "address-mismatch" {
					addr = far[0].Prefix.Addr()
				}
				want = append(want, Adjacency{Instance: "default", Subinterface: sub1, System: system, Addr: addr, Level: level, Up: tt.reason == "", Reason: tt.reason, Peer: "router b"})
			}
			equal(t, "adjacencies", l.survey().Links["a"].ISIS, want)
		})
	}
}

// square is a ring of four routers r1 to r4 with IS-IS and labels: r1 has two equal ways to r4. Links have the
// subnets 10.<low>.<high>.0/24.
func square() *lab {
	l := newLab(ringRouter("r1", 1), ringRouter("r2", 2), ringRouter("r3", 3), ringRouter("r4", 4))
	l.ringLink(1, 2).ringLink(1, 3).ringLink(2, 4).ringLink(3, 4)
	return l
}

func ringRouter(name string, n byte) *Router {
	r := linkRouter(name, n)
	r.Ports, r.Subinterfaces = nil, []Subinterface{loopback(n)}
	in := r.instance("default")
	in.Interfaces, in.ISIS.Interfaces = []string{"system0.0"}, in.ISIS.Interfaces[1:]
	return r
}

// ringLink joins two routers; ports are named after the far end.
func (l *lab) ringLink(x, y byte) *lab {
	for _, end := range [][2]byte{{x, y}, {y, x}} {
		r := l.routers["r"+string('0'+end[0])]
		port := "to-r" + string('0'+end[1])
		sub := routedSub(port, end[0])
		sub.Addresses[0].Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, x, y, end[0]}), 24)
		sub.LinkLocal = MAC{2, x, y, 0, 0, end[0]}.LinkLocal()
		r.Ports = append(r.Ports, Port{Name: port, Enabled: true})
		r.Subinterfaces = append(r.Subinterfaces, sub)
		in := r.instance("default")
		in.Interfaces = append(in.Interfaces, sub.Name)
		in.ISIS.Interfaces = append(in.ISIS.Interfaces, isisOn(sub.Name))
	}
	name := func(n byte) string { return "r" + string('0'+n) }
	return l.cable(name(x)+":to-"+name(y), name(y)+":to-"+name(x))
}

func viaR2() Hop {
	return Hop{Subinterface: "to-r2.0", Addr: netip.MustParseAddr("10.1.2.2"), Router: "r2"}
}
func viaR3() Hop {
	return Hop{Subinterface: "to-r3.0", Addr: netip.MustParseAddr("10.1.3.3"), Router: "r3"}
}

func (l *lab) metric(router, sub string) *uint32 {
	all := l.routers[router].instance("default").ISIS.Interfaces
	for i := range all {
		if all[i].Name == sub {
			return &all[i].Metric
		}
	}
	panic("no IS-IS on " + sub)
}

// anycast gives the loopbacks of routers 10.5.0.1 too.
func (l *lab) anycast(routers ...string) {
	for _, name := range routers {
		lo := l.routers[name].sub("system0.0")
		lo.Addresses = append(lo.Addresses, Address{Prefix: netip.MustParsePrefix("10.5.0.1/32")})
	}
}

func TestRoutesTakeTheShortestPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*lab)
		prefix string
		metric uint32
		hops   []Hop // none: no route
	}{
		{"to a neighbor", nothing, "10.1.0.2/32", 10, []Hop{viaR2()}},
		{"over all equal paths", nothing, "10.1.0.4/32", 20, []Hop{viaR2(), viaR3()}},
		{"over the cheaper one", func(l *lab) { *l.metric("r1", "to-r2.0") = 11 }, "10.1.0.4/32", 20, []Hop{viaR3()}},
		{"over the cheaper one, though the other is found first", func(l *lab) {
			*l.metric("r2", "to-r4.0"), *l.metric("r1", "to-r3.0") = 50, 11
		}, "10.1.0.4/32", 21, []Hop{viaR3()}},
		{"not where the interface of a prefix leaves the level out", func(l *lab) {
			l.routers["r4"].instance("default").ISIS.Interfaces[0].Level2 = false
		}, "10.1.0.4/32", 0, nil},
		{"the metric of the way back does not matter", func(l *lab) { *l.metric("r4", "to-r2.0") = 50 }, "10.1.0.4/32", 20, []Hop{viaR2(), viaR3()}},
		{"round a cut cable", func(l *lab) { l.cut(0) }, "10.1.0.2/32", 30, []Hop{viaR3()}},
		{"round an adjacency that does not come up", func(l *lab) { l.routers["r2"].sub("to-r1.0").IPMTU = 9000 }, "10.1.0.2/32", 30, []Hop{viaR3()}},
		{"to a subnet that two routers have", nothing, "10.2.4.0/24", 20, []Hop{viaR2()}},
		{"a passive loopback costs what it is given", func(l *lab) { *l.metric("r4", "system0.0") = 5 }, "10.1.0.4/32", 25, []Hop{viaR2(), viaR3()}},
		{"to all that have a prefix at the same distance", func(l *lab) { l.anycast("r2", "r3") }, "10.5.0.1/32", 10, []Hop{viaR2(), viaR3()}},
		{"to the nearest that has a prefix", func(l *lab) {
			l.anycast("r2", "r3")
			*l.metric("r1", "to-r2.0") = 11
		}, "10.5.0.1/32", 10, []Hop{viaR3()}},
		{"to nobody who is cut off", func(l *lab) { l.cut(2); l.cut(3) }, "10.1.0.4/32", 0, nil},
		{"round a router that is overloaded", func(l *lab) { l.routers["r2"].instance("default").ISIS.Overload = true }, "10.1.0.4/32", 20, []Hop{viaR3()}},
		{"to a router that is overloaded", func(l *lab) { l.routers["r2"].instance("default").ISIS.Overload = true }, "10.1.0.2/32", 10, []Hop{viaR2()}},
		{"round a router that is the last resort", func(l *lab) { l.routers["r2"].instance("default").ISIS.LastResort = true }, "10.1.0.4/32", 20, []Hop{viaR3()}},
		{"over the last resort where there is no other way", func(l *lab) { l.routers["r2"].instance("default").ISIS.LastResort = true; l.cut(1) }, "10.1.0.4/32", highestMetric + 10, []Hop{viaR2()}},
		{"to passive subnets alone where a router announces no others", func(l *lab) { l.routers["r4"].instance("default").ISIS.PassiveOnly = true }, "10.1.0.4/32", 20, []Hop{viaR2(), viaR3()}},
		{"not to a subnet that nobody announces", func(l *lab) {
			l.routers["r2"].instance("default").ISIS.PassiveOnly, l.routers["r4"].instance("default").ISIS.PassiveOnly = true, true
		}, "10.2.4.0/24", 0, nil},
		{"not to what is one's own", nothing, "10.1.2.0/24", 0, nil},
		{"not where IPv4 has no next hop", func(l *lab) {
			l.routers["r2"].sub("to-r1.0").Addresses, l.routers["r1"].sub("to-r2.0").Addresses = nil, nil
			l.cut(1)
		}, "10.1.0.2/32", 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := square()
			tt.change(l)
			var want []IGPRoute
			if tt.hops != nil {
				want = []IGPRoute{{Instance: "default", Prefix: netip.MustParsePrefix(tt.prefix), Level: 2, Metric: tt.metric, NextHops: tt.hops}}
			}
			equal(t, "routes", routesTo(l.survey().Links["r1"], tt.prefix), want)
		})
	}
}

func routesTo(links *Links, prefix string) []IGPRoute {
	var out []IGPRoute
	for _, r := range links.IGP {
		if r.Prefix.String() == prefix {
			out = append(out, r)
		}
	}
	return out
}

func TestIPv6RoutesGoToLinkLocalAddresses(t *testing.T) {
	t.Parallel()
	l := square()
	prefix := netip.MustParsePrefix("2001:db8::4/128")
	lo := l.routers["r4"].sub("system0.0")
	lo.Addresses = append(lo.Addresses, Address{Prefix: prefix})
	got := routesTo(l.survey().Links["r1"], prefix.String())
	want := []Hop{
		{Subinterface: "to-r2.0", Addr: MAC{2, 1, 2, 0, 0, 2}.LinkLocal(), Router: "r2"},
		{Subinterface: "to-r3.0", Addr: MAC{2, 1, 3, 0, 0, 3}.LinkLocal(), Router: "r3"},
	}
	equal(t, "next hops", got[0].NextHops, want)
}

func TestLevel1ComesBeforeLevel2(t *testing.T) {
	t.Parallel()
	l := square()
	for _, r := range l.routers {
		r.instance("default").ISIS.Level1 = true
	}
	l.routers["r3"].instance("default").ISIS.Level1 = false // the cheap way is of level 2
	*l.metric("r1", "to-r2.0") = 100
	got := routesTo(l.survey().Links["r1"], "10.1.0.4/32")
	equal(t, "routes", got, []IGPRoute{{Instance: "default", Prefix: netip.MustParsePrefix("10.1.0.4/32"), Level: 1, Metric: 110, NextHops: []Hop{viaR2()}}})
}

func TestNextHopsAreLimited(t *testing.T) {
	t.Parallel()
	l := wiredClos(maxHops+6, 2)
	for i, name := range l.survey().Names {
		runISIS(l.routers[name], i)
	}
	links := l.survey().Links["leaf0"]
	equal(t, "next hops to the other leaf", len(routesTo(links, "10.1.0.1/32")[0].NextHops), maxHops)
}
