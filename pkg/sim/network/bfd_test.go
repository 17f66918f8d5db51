package network

import (
	"net/netip"
	"testing"
	"time"
)

func TestBFDSessionsNeedBothEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*lab)
		want   []bool // sessions of a: are they up?
	}{
		{"up when both ends want it", nothing, []bool{true}},
		{"none without BFD on the neighbor", func(l *lab) { l.a().instance("default").BGP.Dynamic[0].Template.BFD = false }, nil},
		{"none without BFD on the subinterface", func(l *lab) { l.a().sub(sub1).BFD = nil }, nil},
		{"none for a disabled neighbor", func(l *lab) { l.a().instance("default").BGP.Dynamic[0].Template.Enabled = false }, nil},
		{"down when the far neighbor has none", func(l *lab) { l.b().instance("default").BGP.Dynamic[0].Template.BFD = false }, []bool{false}},
		{"down when the far subinterface has none", func(l *lab) { l.b().sub(sub1).BFD = nil }, []bool{false}},
		{"gone with the link, as the neighbor is", func(l *lab) { l.cut(0) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := twoRouters()
			tt.change(l)
			var got []bool
			for _, b := range l.survey().Links["a"].BFD {
				got = append(got, b.Up)
			}
			equal(t, "sessions", got, tt.want)
		})
	}
}

// numbered has configured neighbors with addresses of the link.
func numbered() *lab {
	l := twoRouters()
	for name, peer := range map[string]string{"a": "10.0.0.2", "b": "10.0.0.1"} {
		bgp := l.routers[name].instance("default").BGP
		bgp.Dynamic, bgp.Neighbors = nil, []Neighbor{{Peer: netip.MustParseAddr(peer), Enabled: true, BFD: true}}
	}
	return l
}

func TestBFDFollowsConfiguredNeighbors(t *testing.T) {
	t.Parallel()
	one, two := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	for _, tt := range []struct {
		name   string
		change func(*lab)
		up     bool
	}{
		{"up between the addresses of a link", nothing, true},
		{"in the smallest subnet that has the address", func(l *lab) {
			wide := routedSub(port2, 9)
			wide.BFD, wide.Addresses[0].Prefix = nil, netip.MustParsePrefix("10.0.0.9/16")
			l.a().Subinterfaces = append(l.a().Subinterfaces, wide)
			l.a().instance("default").Interfaces = append(l.a().instance("default").Interfaces, wide.Name)
		}, true},
		{"down when the link is", func(l *lab) { l.cut(0) }, false},
		{"down when the far end looks elsewhere", func(l *lab) {
			l.b().instance("default").BGP.Neighbors[0].Peer = netip.MustParseAddr("10.0.0.9")
		}, false},
		{"down when the far end has another address", func(l *lab) {
			l.b().sub(sub1).Addresses[0].Prefix = netip.MustParsePrefix("10.0.0.3/24")
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := numbered()
			tt.change(l)
			got := l.survey().Links["a"].BFD
			if len(got) != 1 || got[0].Up != tt.up || got[0].Local != one || got[0].Remote != two || got[0].Subinterface != sub1 {
				t.Errorf("sessions are %+v", got)
			}
		})
	}
}

func TestBFDTalksFromTheFirstAddressUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	l := numbered()
	sub := l.a().sub(sub1)
	sub.Addresses = append(sub.Addresses, Address{Prefix: netip.MustParsePrefix("10.0.0.7/24")})
	equal(t, "by itself", l.survey().Links["a"].BFD[0].Local.String(), "10.0.0.1")
	l.a().instance("default").BGP.Neighbors[0].Local = netip.MustParseAddr("10.0.0.7")
	equal(t, "told to", l.survey().Links["a"].BFD[0].Local.String(), "10.0.0.7")
}

func TestBFDOverSeveralHopsIsNotThere(t *testing.T) {
	t.Parallel()
	l := numbered()
	l.a().instance("default").BGP.Neighbors[0].Peer = netip.MustParseAddr("10.1.0.2")
	equal(t, "sessions", len(l.survey().Links["a"].BFD), 0)
}

func TestBFDNegotiatesTimes(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	l := numbered()
	l.a().sub(sub1).BFD = &BFD{Transmit: 100 * ms, Receive: 400 * ms, Multiplier: 3}
	l.b().sub(sub1).BFD = &BFD{Transmit: 500 * ms, Receive: 200 * ms, Multiplier: 5}
	p := l.survey()
	a, b := p.Links["a"].BFD[0], p.Links["b"].BFD[0]
	equal(t, "a sends as b can receive", a.Transmit, 200*ms)
	equal(t, "a receives as b sends", a.Receive, 500*ms)
	equal(t, "a may miss as many as b says", a.Multiplier, 5)
	equal(t, "b sends as it wants", b.Transmit, 500*ms)
	equal(t, "b receives as it wants", b.Receive, 200*ms)
	equal(t, "each knows the other's discriminator", [2]uint32{a.RemoteDiscriminator, b.RemoteDiscriminator}, [2]uint32{b.Discriminator, a.Discriminator})

	l.cut(0)
	a = l.survey().Links["a"].BFD[0]
	equal(t, "a session that is down sends once a second", a.Transmit, time.Second)
	equal(t, "it counts as it wants itself", a.Multiplier, 3)
	equal(t, "it knows no discriminator", a.RemoteDiscriminator, uint32(0))
}

func TestDiscriminatorsStayWhileOthersComeAndGo(t *testing.T) {
	t.Parallel()
	l := wiredClos(4, 4)
	seen := map[uint32]bool{}
	before := map[string]uint32{}
	for _, b := range l.survey().Links["leaf0"].BFD {
		if seen[b.Discriminator] || b.Discriminator == 0 {
			t.Errorf("discriminator %d is not unique", b.Discriminator)
		}
		seen[b.Discriminator] = true
		before[b.Subinterface] = b.Discriminator
	}
	l.cut(0)
	after := l.survey().Links["leaf0"].BFD
	equal(t, "sessions left", len(after), len(before)-1)
	for _, b := range after {
		equal(t, b.Subinterface, b.Discriminator, before[b.Subinterface])
	}
}

func TestDiscriminatorsThatCollideAreToldApart(t *testing.T) {
	t.Parallel()
	same := BFDSession{Subinterface: sub1, Remote: netip.MustParseAddr("10.0.0.1")}
	sessions := []BFDSession{same, same}
	number(sessions)
	if sessions[0].Discriminator == sessions[1].Discriminator {
		t.Errorf("both have %d", sessions[0].Discriminator)
	}
}
