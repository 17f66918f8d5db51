package network

import (
	"net/netip"
	"testing"
)

// trunk is two routers with two links in a LAG, on which IS-IS runs with BFD, and nothing else.
func trunk() *lab {
	l := twoRouters()
	for _, r := range l.routers {
		for i := range r.Ports {
			r.Ports[i].LAG = "lag1"
		}
		r.LAGs = []LAG{{Name: "lag1", Enabled: true, MinLinks: 1, LACP: &LACP{Active: true, Fast: true, SystemID: r.Chassis, Key: 1}}}
		in := r.instance("default")
		in.BGP = nil
		r.Subinterfaces[0].Name, r.Subinterfaces[0].Parent = "lag1.0", "lag1"
		in.Interfaces[0], in.ISIS.Interfaces[0].Name = "lag1.0", "lag1.0"
		in.ISIS.Interfaces[0].BFD = true
	}
	return l
}

func TestISISIsWatchedOverTrunks(t *testing.T) {
	t.Parallel()
	bfd := func(r *Router) *bool { return &r.instance("default").ISIS.Interfaces[0].BFD }
	for _, tt := range []struct {
		name   string
		change func(*lab)
		want   []bool // sessions of a: are they up?
		igp    bool   // a has a route to the loopback of b
	}{
		{"over a LAG", nothing, []bool{true}, true},
		{"as long as one of its links works", func(l *lab) { l.cut(0) }, []bool{true}, true},
		{"not over one without links, as there is no adjacency", func(l *lab) { l.cut(0); l.cut(1) }, nil, false},
		{"not unless IS-IS asks", func(l *lab) { *bfd(l.a()) = false }, nil, true},
		{"not unless the subinterface does BFD", func(l *lab) { l.a().sub("lag1.0").BFD = nil }, nil, true},
		{"in vain where the far end does not ask", func(l *lab) { *bfd(l.b()) = false }, []bool{false}, true},
		{"not where no adjacency comes up", func(l *lab) { l.b().instance("default").ISIS.Interfaces[0].Key = "other" }, nil, false},
		{"not between addresses that the link does not have", func(l *lab) { l.a().sub("lag1.0").Addresses = nil }, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := trunk()
			tt.change(l)
			links := l.survey().Links["a"]
			var got []bool
			for _, b := range links.BFD {
				got = append(got, b.Up)
			}
			equal(t, "sessions", got, tt.want)
			reached := false
			for _, r := range links.IGP {
				reached = reached || r.Prefix == netip.MustParsePrefix("10.1.0.2/32") && len(r.NextHops) > 0
			}
			equal(t, "a route to the other loopback", reached, tt.igp)
		})
	}
}

// BGP and IS-IS on one link share a session (RFC 5882 §2).
func TestBFDSessionsAreShared(t *testing.T) {
	t.Parallel()
	l := numbered()
	for _, r := range l.routers {
		r.instance("default").ISIS.Interfaces[0].BFD = true
	}
	if got := l.survey().Links["a"].BFD; len(got) != 1 || !got[0].Up {
		t.Errorf("sessions are %+v", got)
	}
}
