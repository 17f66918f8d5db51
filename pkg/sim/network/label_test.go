package network

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// TestLabelsComeFromBothEnds is about the labels of r1: its block starts at 1000, that of r2 at 2000, ...
func TestLabelsComeFromBothEnds(t *testing.T) {
	t.Parallel()
	sr := func(l *lab, router string) *ISIS { return l.routers[router].instance("default").ISIS }
	to := func(n, in, out uint32, via Hop) Label {
		return Label{Instance: "default", In: in, Out: out, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, 0, byte(n)}), 32), Via: via}
	}
	direct := []Label{to(2, 1002, implicitNull, viaR2()), to(3, 1003, implicitNull, viaR3())}
	for _, tt := range []struct {
		name   string
		change func(*lab)
		want   []Label
	}{
		{"a label of one's own block becomes one of the next hop's", nothing,
			append(direct[:2:2], to(4, 1004, 2004, viaR2()), to(4, 1004, 3004, viaR3()))},
		{"a next hop without labels gets none", func(l *lab) { sr(l, "r3").Size = 0 },
			[]Label{direct[0], to(4, 1004, 2004, viaR2())}},
		{"a next hop whose block is too small gets none", func(l *lab) { sr(l, "r3").Size = 4 },
			append(direct[:2:2], to(4, 1004, 2004, viaR2()))},
		{"an index beyond one's own block has no label", func(l *lab) { sr(l, "r1").Size = 4 }, direct},
		{"without a block there are none", func(l *lab) { sr(l, "r1").Size = 0 }, nil},
		{"of two nodes with one index the lower prefix has it", func(l *lab) { sr(l, "r4").Index = 2 }, direct},
		{"labels are sorted, whatever the order of prefixes", func(l *lab) { sr(l, "r2").Index = 9; sr(l, "r4").Size = 0 },
			[]Label{direct[1], to(2, 1009, implicitNull, viaR2())}},
		{"an index stands for the host address of a loopback", func(l *lab) {
			lo, port := l.routers["r4"].sub("system0.0"), l.routers["r4"].sub("to-r2.0")
			lo.Addresses = append([]Address{{Prefix: netip.MustParsePrefix("10.0.7.4/24")}}, lo.Addresses...)
			port.Addresses = append(port.Addresses, Address{Prefix: netip.MustParsePrefix("10.0.8.4/32")})
			slices.Reverse(sr(l, "r4").Interfaces)
		}, append(direct[:2:2], to(4, 1004, 2004, viaR2()), to(4, 1004, 3004, viaR3()))},
		{"a node that is cut off has none", func(l *lab) { l.cut(2); l.cut(3) }, direct},
		{"a node without a loopback has none", func(l *lab) { l.routers["r4"].sub("system0.0").Enabled = false }, direct},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := square()
			tt.change(l)
			equal(t, "labels", l.survey().Links["r1"].Labels, tt.want)
		})
	}
}

// A tunnel is there as long as all routers on the way know the label; a service over MPLS looks for it.
func TestTunnelsNeedLabelsOnTheWholeWay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*lab)
		want   []string
	}{
		{"to every node with a label", nothing, []string{"10.1.0.2/32 3", "10.1.0.3/32 2003", "10.1.0.4/32 2004"}},
		{"not beyond a router without a block", func(l *lab) { l.routers["r3"].instance("default").ISIS.Size = 0 }, []string{"10.1.0.2/32 3"}},
		{"not without a service that could use them", func(l *lab) { l.routers["r1"].Instances = l.routers["r1"].Instances[:1] }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(ringRouter("r1", 1), ringRouter("r2", 2), ringRouter("r3", 3), ringRouter("r4", 4)).
				ringLink(1, 2).ringLink(2, 3).ringLink(3, 4)
			l.routers["r1"].Instances = append(l.routers["r1"].Instances, Instance{Name: "red", Kind: IPVRF, Enabled: true, MPLS: &MPLS{Label: 100}})
			tt.change(l)
			var got []string
			for _, tunnel := range l.survey().Links["r1"].Tunnels {
				got = append(got, fmt.Sprint(tunnel.Prefix, " ", tunnel.Label))
			}
			equal(t, "tunnels", got, tt.want)
		})
	}
}
