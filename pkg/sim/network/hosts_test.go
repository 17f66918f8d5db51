package network

import (
	"net/netip"
	"testing"
)

// TestHostsAreHeard is about what leaves a and b hear of a host that is bonded to both.
func TestHostsAreHeard(t *testing.T) {
	t.Parallel()
	tagged := func(r *Router, low, high uint16) { r.sub("lag1.0").VLAN = VLAN{Tagged: true, Low: low, High: high} }
	vlan := func(l *lab, tag uint16) { l.wiring.Hosts[0].Addresses[0].VLAN = tag }
	for _, tt := range []struct {
		name   string
		change func(*lab)
		a, b   bool
	}{
		{"by both routers of a segment", nothing, true, true},
		{"by the one whose cable is left", func(l *lab) { l.cut(0) }, false, true},
		{"by the one that is in the bundle", func(l *lab) { l.b().LAGs[0].LACP.Key = 9 }, true, false},
		{"with the tag of the subinterface", func(l *lab) { vlan(l, 5); tagged(l.a(), 5, 5); tagged(l.b(), 6, 6) }, true, false},
		{"with a tag in its range", func(l *lab) { vlan(l, 5); tagged(l.a(), 4, 6); tagged(l.b(), 3, 4) }, true, false},
		{"untagged on a tagged port that takes such frames", func(l *lab) { tagged(l.a(), 0, 0); tagged(l.b(), 1, 1) }, true, false},
		{"with any tag on an untagged bridged port", func(l *lab) { vlan(l, 5) }, true, true},
		{"with no tag on a routed port without", func(l *lab) {
			vlan(l, 5)
			l.a().sub("lag1.0").Kind, l.a().sub("lag1.0").IPv4, l.a().instance("red").Kind = Routed, true, IPVRF
		}, false, true},
		{"not on a subinterface that is down", func(l *lab) { l.a().sub("lag1.0").Enabled = false }, false, true},
		{"not in a disabled instance", func(l *lab) { l.a().instance("red").Enabled = false }, false, true},
		{"not when it is off", func(l *lab) { l.outages.Devices["h"] = true }, false, false},
		{"on its first NIC that has a link, without LACP", func(l *lab) {
			l.wiring.Hosts[0].LACP = false
			l.a().static()
			l.b().static()
		}, true, false},
		{"on the next one when that is gone", func(l *lab) {
			l.wiring.Hosts[0].LACP = false
			l.a().static()
			l.b().static()
			l.cut(0)
		}, false, true},
		{"with LACP by a router that has none, while no other answers", func(l *lab) { l.a().static(); l.b().static() }, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := bondedHost()
			tt.change(l)
			p := l.survey()
			equal(t, "a hears it", len(p.Links["a"].Hosts) == 1, tt.a)
			if p.Links["b"] != nil {
				equal(t, "b hears it", len(p.Links["b"].Hosts) == 1, tt.b)
			}
		})
	}
}

func TestAHostWithATagOnAnUntaggedPortHasNoAddresses(t *testing.T) {
	t.Parallel()
	l := bondedHost()
	l.wiring.Hosts[0].Addresses[0] = HostAddress{VLAN: 5, MAC: MAC{10, 1}, IPs: []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24")}}
	equal(t, "hosts", l.survey().Links["a"].Hosts, []HostSeen{{Subinterface: "lag1.0", Instance: "red", MAC: MAC{10, 1}, Host: "h"}})
}

func TestAHostOnAMemberThatDoesNotWorkIsNotHeard(t *testing.T) {
	t.Parallel()
	l := bondedHost()
	l.a().port(port2).LAG = "lag1"
	l.cable("a:"+port2, "plain:eth0").wiring.Hosts = append(l.wiring.Hosts, Host{
		Name: "plain", NICs: []string{"eth0"}, Addresses: []HostAddress{{MAC: MAC{10, 2}}},
	})
	got := l.survey().Links["a"].Hosts
	if len(got) != 1 || got[0].Host != "h" {
		t.Errorf("a hears %+v", got)
	}
}

func TestAHostIsHeardOnceOnALAG(t *testing.T) {
	t.Parallel()
	l := bondedHost()
	l.a().port(port2).LAG = "lag1"
	l.cable("a:"+port2, "h:eth2").wiring.Hosts[0].NICs = []string{"eth0", "eth1", "eth2"}
	equal(t, "hosts", l.survey().Links["a"].Hosts, []HostSeen{{Subinterface: "lag1.0", Instance: "red", MAC: MAC{10, 1}, Host: "h"}})
}

func TestHostsAreHeardInEachOfTheirVLANs(t *testing.T) {
	t.Parallel()
	l := bondedHost()
	a := l.a()
	ip := []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24")}
	a.sub("lag1.0").VLAN = VLAN{Tagged: true, Low: 100, High: 200}
	a.Subinterfaces = append(a.Subinterfaces, Subinterface{
		Name: "lag1.5", Parent: "lag1", Kind: Bridged, Enabled: true, VLAN: VLAN{Tagged: true, Low: 150, High: 150},
	})
	a.instance("red").Interfaces = []string{"lag1.0", "lag1.5"}
	l.wiring.Hosts[0].Addresses = []HostAddress{
		{VLAN: 150, MAC: MAC{10, 2}, IPs: ip}, {VLAN: 100, MAC: MAC{10, 1}, IPs: ip}, {VLAN: 3, MAC: MAC{10, 3}},
	}
	equal(t, "hosts", l.survey().Links["a"].Hosts, []HostSeen{
		{Subinterface: "lag1.0", Instance: "red", MAC: MAC{10, 1}, Host: "h"}, // its tag stays: no addresses
		{Subinterface: "lag1.5", Instance: "red", MAC: MAC{10, 2}, IPs: ip, Host: "h"},
	})
}
