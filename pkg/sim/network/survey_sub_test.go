package network

import (
	"net/netip"
	"testing"
)

// bridgeRouter is a with an IRB in a MAC-VRF, which has a bridged subinterface, and in an IP-VRF.
func bridgeRouter() *lab {
	l := twoRouters()
	a := l.a()
	a.Subinterfaces = append(a.Subinterfaces,
		Subinterface{Name: sub2, Parent: port2, Kind: Bridged, Enabled: true},
		Subinterface{Name: "irb1.1", Parent: "irb1", Kind: IRB, Enabled: true, IPv4: true})
	a.Instances = append(a.Instances,
		Instance{Name: "blue", Kind: MACVRF, Enabled: true, Interfaces: []string{sub2, "irb1.1"}},
		Instance{Name: "red", Kind: IPVRF, Enabled: true, Interfaces: []string{"irb1.1"}})
	return l
}

func (r *Router) instance(name string) *Instance {
	for i := range r.Instances {
		if r.Instances[i].Name == name {
			return &r.Instances[i]
		}
	}
	panic("no instance " + name)
}

func TestSubinterfacesComeUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*Router)
		sub    string
		self   string // reason; "": up
		inside string // reason in the instance
	}{
		{"on a port that is up", func(*Router) {}, sub1, "", ""},
		{"a disabled one is down", func(r *Router) { r.sub(sub1).Enabled = false }, sub1, "admin-disabled", "subif-down"},
		{"on a port that is down", func(r *Router) { r.port(port1).Speed = "10G" }, sub1, "port-down", "subif-down"},
		{"on a disabled port", func(r *Router) { r.port(port1).Enabled = false; r.sub(sub1).Enabled = false }, sub1, "port-down", "subif-down"},
		{"on a port that the chassis has not", func(r *Router) { r.sub(sub1).Parent = "ethernet-9/9" }, sub1, "port-down", "subif-down"},
		{"without an address family", func(r *Router) { r.sub(sub1).IPv4, r.sub(sub1).IPv6 = false, false }, sub1, "no-ip-config", "subif-down"},
		{"without an address family on a port that is down", func(r *Router) {
			r.sub(sub1).IPv4, r.sub(sub1).IPv6, r.port(port1).Speed = false, false, "10G"
		}, sub1, "no-ip-config", "subif-down"},
		{"with IPv6 only, whose link-local address needs no configuration", func(r *Router) { r.sub(sub1).IPv4 = false }, sub1, "", ""},
		{"in a disabled instance it is up by itself", func(r *Router) { r.instance("default").Enabled = false }, sub1, "", "net-inst-down"},
		{"with IP packets that do not fit the port", func(r *Router) { r.sub(sub1).IPMTU, r.port(port1).MTU = 1500, 1513 }, sub1, "ip-mtu-too-large", "subif-down"},
		{"with IP packets that just fit the port", func(r *Router) { r.sub(sub1).IPMTU, r.port(port1).MTU = 1500, 1514 }, sub1, "", ""},
		{"with IP packets that do not fit the port with a tag", func(r *Router) {
			r.sub(sub1).IPMTU, r.port(port1).MTU, r.sub(sub1).VLAN = 1500, 1514, VLAN{Tagged: true, Low: 7, High: 7}
		}, sub1, "ip-mtu-too-large", "subif-down"},
		{"with IP packets that do not fit the LAG", func(r *Router) { inLAG(r, 1513) }, sub1, "ip-mtu-too-large", "subif-down"},
		{"with IP packets that just fit the LAG", func(r *Router) { inLAG(r, 1514) }, sub1, "", ""},
		{"a bridged one with frames that do not fit the port", func(r *Router) { r.sub(sub2).L2MTU, r.port(port2).MTU = 9232, 9100 }, sub2, "l2-mtu-too-large", "subif-down"},
		{"an IRB with IP packets that do not fit the smallest member of its bridge", func(r *Router) {
			r.sub(sub2).L2MTU, r.sub(sub2).VLAN, r.sub("irb1.1").IPMTU = 1518, VLAN{Tagged: true, Low: 7, High: 7}, 1501
		}, "irb1.1", "ip-mtu-larger-than-oper-mac-vrf-mtu", "subif-down"},
		{"an IRB with IP packets that just fit its bridge", func(r *Router) {
			r.sub(sub2).L2MTU, r.sub(sub2).VLAN, r.sub("irb1.1").IPMTU = 1518, VLAN{Tagged: true, Low: 7, High: 7}, 1500
		}, "irb1.1", "", ""},
		{"a bridged one in an instance that routes", func(r *Router) { r.sub(sub1).Kind = Bridged }, sub1, "", "vrf-type-mismatch"},
		{"a loopback needs nothing", func(*Router) {}, "system0.0", "", ""},
		{"a loopback that is disabled", func(r *Router) { r.sub("system0.0").Enabled = false }, "system0.0", "admin-disabled", "subif-down"},
		{"an IRB whose bridge has a subinterface that is up", func(*Router) {}, "irb1.1", "", ""},
		{"an IRB whose bridge has none", func(r *Router) { r.sub(sub2).Enabled = false }, "irb1.1", "", "associated-mac-vrf-down"},
		{"an IRB whose bridge has a tunnel instead", func(r *Router) {
			r.sub(sub2).Enabled = false
			r.instance("blue").VXLAN = &VXLAN{Source: netip.MustParseAddr("10.1.0.1")}
		}, "irb1.1", "", ""},
		{"an IRB whose bridge has a tunnel without a source", func(r *Router) {
			r.sub(sub2).Enabled = false
			r.instance("blue").VXLAN = &VXLAN{}
		}, "irb1.1", "", "associated-mac-vrf-down"},
		{"an IRB whose bridge is disabled, though it has a tunnel", func(r *Router) {
			r.instance("blue").Enabled = false
			r.instance("blue").VXLAN = &VXLAN{Source: netip.MustParseAddr("10.1.0.1")}
		}, "irb1.1", "", "associated-mac-vrf-down"},
		{"an IRB whose routing instance is disabled", func(r *Router) { r.instance("red").Enabled = false }, "irb1.1", "", "net-inst-down"},
		{"an IRB without a bridge", func(r *Router) { r.instance("blue").Interfaces = nil }, "irb1.1", "", "mac-vrf-association-missing"},
		{"an IRB that routes nowhere", func(r *Router) { r.instance("red").Interfaces = nil }, "irb1.1", "", "ip-vrf-association-missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := bridgeRouter()
			tt.change(l.a())
			got := l.survey().Links["a"].Subs[tt.sub]
			equal(t, "by itself", got.Self, Oper{tt.self == "", tt.self})
			equal(t, "in its instance", got.Oper, Oper{tt.inside == "", tt.inside})
		})
	}
}

// inLAG moves the first subinterface to a LAG of the first port, which takes frames up to a size.
func inLAG(r *Router, mtu uint32) {
	r.LAGs = []LAG{{Name: "lag1", Enabled: true, MinLinks: 1, MTU: mtu}}
	r.port(port1).LAG = "lag1"
	r.sub(sub1).Parent, r.sub(sub1).IPMTU = "lag1", 1500
}

func TestASubinterfaceOfNoInstanceIsUpButPassesNothing(t *testing.T) {
	t.Parallel()
	l := twoRouters()
	l.a().instance("default").Interfaces = nil
	p := l.survey()
	equal(t, sub1, p.Links["a"].Subs[sub1], SubState{Self: up()})
	if _, _, ok := p.Far("b", sub1); ok {
		t.Error("b sees it")
	}
}

func TestSubinterfacesKnowTheirInstance(t *testing.T) {
	t.Parallel()
	l := bridgeRouter()
	subs := l.survey().Links["a"].Subs
	equal(t, "routed", subs[sub1].Instance, "default")
	equal(t, "bridged", subs[sub2].Instance, "blue")
	equal(t, "IRB", subs["irb1.1"].Instance, "red")
}
