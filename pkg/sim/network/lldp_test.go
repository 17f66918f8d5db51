package network

import (
	"net/netip"
	"testing"
)

func TestPortsSeeTheirNeighbors(t *testing.T) {
	t.Parallel()
	managed := []netip.Addr{netip.MustParseAddr("192.0.2.7")}
	b := func(port string) LLDPNeighbor {
		return LLDPNeighbor{port, MAC{2, 0, 0, 0, 2}, "router b", "text of b", port, port + " of b", managed}
	}
	for _, tt := range []struct {
		name   string
		change func(*lab)
		want   []LLDPNeighbor
	}{
		{"on both cables", nothing, []LLDPNeighbor{b(port1), b(port2)}},
		{"not where the own port has no LLDP", func(l *lab) { l.a().port(port1).LLDP = false }, []LLDPNeighbor{b(port2)}},
		{"not where the far one sends none", func(l *lab) { l.b().port(port1).LLDP = false }, []LLDPNeighbor{b(port2)}},
		{"not where the link is down", func(l *lab) { l.cut(0) }, []LLDPNeighbor{b(port2)}},
		{"where two cables were swapped the ports tell", func(l *lab) {
			c := l.wiring.Cables
			c[0].B, c[1].B = c[1].B, c[0].B
		}, []LLDPNeighbor{
			{port1, MAC{2, 0, 0, 0, 2}, "router b", "text of b", port2, port2 + " of b", managed},
			{port2, MAC{2, 0, 0, 0, 2}, "router b", "text of b", port1, port1 + " of b", managed},
		}},
		{"on members of a LAG that is down", func(l *lab) {
			l.a().LAGs = []LAG{{Name: "lag1"}}
			l.a().port(port1).LAG = "lag1"
		}, []LLDPNeighbor{b(port1), b(port2)}},
		{"a host says its name", func(l *lab) {
			l.wiring.Cables = nil
			l.cable("a:"+port1, "h:eth0").wiring.Hosts = []Host{{Name: "h", MAC: MAC{10, 1}, NICs: []string{"eth0"}}}
		}, []LLDPNeighbor{{port1, MAC{10, 1}, "h", "simulated host", "eth0", "", nil}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := twoRouters()
			l.b().Management = managed
			tt.change(l)
			equal(t, "neighbors", l.survey().Links["a"].LLDP, tt.want)
		})
	}
}
