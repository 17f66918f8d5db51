package network

import (
	"net/netip"
	"testing"
)

func TestDynamicNeighborsAreFoundOnLinks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*lab)
		want   bool
	}{
		{"by the router advertisements of the far end", nothing, true},
		{"not when it sends none", func(l *lab) { l.b().sub(sub1).RA = false }, false},
		{"not when it has no link-local address", func(l *lab) { l.b().sub(sub1).LinkLocal = netip.Addr{} }, false},
		{"not without a link-local address of one's own", func(l *lab) { l.a().sub(sub1).LinkLocal = netip.Addr{} }, false},
		{"whether oneself advertises or not", func(l *lab) { l.a().sub(sub1).RA = false }, true},
		{"not when the link is down", func(l *lab) { l.cut(0) }, false},
		{"not when BGP is disabled", func(l *lab) { l.a().instance("default").BGP.Enabled = false }, false},
		{"not on a subinterface of another instance", func(l *lab) {
			l.a().Instances = append(l.a().Instances, Instance{Name: "red", Kind: IPVRF, Enabled: true, Interfaces: []string{sub1}})
			l.a().instance("default").Interfaces = nil
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := twoRouters()
			tt.change(l)
			var want []Neighbor
			if tt.want {
				peer := l.b().sub(sub1).LinkLocal.WithZone(sub1)
				want = []Neighbor{{Peer: peer, Interface: sub1, Dynamic: true, Enabled: true, Group: "fabric", BFD: true}}
			}
			equal(t, "neighbors", l.survey().Links["a"].Neighbors["default"], want)
		})
	}
}

func TestNeighborsAreSortedByAddress(t *testing.T) {
	t.Parallel()
	l := twoRouters()
	low, high := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fec0::1")
	l.a().instance("default").BGP.Neighbors = []Neighbor{{Peer: low}, {Peer: high}}
	got := l.survey().Links["a"].Neighbors["default"]
	found := l.b().sub(sub1).LinkLocal.WithZone(sub1)
	for i, want := range []netip.Addr{low, found, high} {
		if got[i].Peer != want {
			t.Errorf("neighbor %d is %s, want %s", i, got[i].Peer, want)
		}
	}
}

func TestAConfiguredNeighborComesBeforeOneThatIsFound(t *testing.T) {
	t.Parallel()
	l := twoRouters()
	configured := Neighbor{Peer: l.b().sub(sub1).LinkLocal.WithZone(sub1), Interface: sub1, PeerAS: 7}
	l.a().instance("default").BGP.Neighbors = []Neighbor{configured}
	equal(t, "neighbors", l.survey().Links["a"].Neighbors["default"], []Neighbor{configured})
}
