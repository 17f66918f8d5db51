package network

import "testing"

// twoLAGs are a and b with two cables, both in lag1 with LACP.
func twoLAGs() *lab {
	l := twoRouters()
	for _, r := range l.routers {
		r.LAGs = []LAG{{Name: "lag1", Enabled: true, MinLinks: 1, LACP: &LACP{Active: true, SystemID: r.Chassis, SystemPriority: 32768, Key: 1}}}
		r.port(port1).LAG, r.port(port2).LAG = "lag1", "lag1"
	}
	return l
}

func (r *Router) static() { r.LAGs[0].LACP = nil }

func TestLAGsComeUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		change  func(*lab)
		lag     string    // of a; reasons, "": up
		members [2]string // of a
		far     string    // lag1 of b
	}{
		{"with LACP on both sides all members work", nothing, "", [2]string{}, ""},
		{"static on both sides they work too", func(l *lab) { l.a().static(); l.b().static() }, "", [2]string{}, ""},
		{"one active side is enough", func(l *lab) { l.a().LAGs[0].LACP.Active = false }, "", [2]string{}, ""},
		{"two passive sides say nothing", func(l *lab) { l.a().LAGs[0].LACP.Active = false; l.b().LAGs[0].LACP.Active = false },
			"no-active-links", [2]string{"lacp-down", "lacp-down"}, "no-active-links"},
		{"LACP towards a static LAG gets no answer, and the static side does not notice", func(l *lab) { l.b().static() },
			"no-active-links", [2]string{"lacp-down", "lacp-down"}, ""},
		{"LACP towards a port that is no member gets no answer", func(l *lab) { l.b().port(port1).LAG = "" },
			"", [2]string{"lacp-down", ""}, ""},
		{"a disabled LAG has its far end down too", func(l *lab) { l.a().LAGs[0].Enabled = false },
			"port-admin-disabled", [2]string{"lag-admin-disabled", "lag-admin-disabled"}, "no-active-links"},
		{"one member less leaves the rest", func(l *lab) { l.cut(0) }, "", [2]string{"port-oper-disabled", ""}, ""},
		{"a disabled member is said to be", func(l *lab) { l.a().port(port2).Enabled = false }, "", [2]string{"", "port-disabled"}, ""},
		{"a member of another speed than the LAG wants stays out",
			func(l *lab) {
				l.a().LAGs[0].Speed, l.a().port(port2).Speed, l.b().port(port2).Speed = "100G", "25G", "25G"
			}, "", [2]string{"", "lag-speed-mismatch"}, ""},
		{"no link is no LAG", func(l *lab) { l.cut(0); l.cut(1) },
			"no-active-links", [2]string{"port-oper-disabled", "port-oper-disabled"}, "no-active-links"},
		{"fewer than min-links take the LAG down, and LACP tells the far end",
			func(l *lab) { l.cut(0); l.a().LAGs[0].MinLinks = 2 },
			"min-link-threshold", [2]string{"port-oper-disabled", "lag-min-link-threshold"}, "no-active-links"},
		{"a static far end is not told", func(l *lab) { l.cut(0); l.a().static(); l.b().static(); l.a().LAGs[0].MinLinks = 2 },
			"min-link-threshold", [2]string{"port-oper-disabled", "lag-min-link-threshold"}, ""},
		{"both ends that want more say the same", func(l *lab) { l.cut(0); l.a().LAGs[0].MinLinks = 2; l.b().LAGs[0].MinLinks = 2 },
			"min-link-threshold", [2]string{"port-oper-disabled", "lag-min-link-threshold"}, "min-link-threshold"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := twoLAGs()
			tt.change(l)
			p := l.survey()
			lag := p.Links["a"].LAGs["lag1"]
			equal(t, "lag1 of a", lag.Oper, Oper{tt.lag == "", tt.lag})
			for i, m := range lag.Members {
				equal(t, m.Port, m.Oper, Oper{tt.members[i] == "", tt.members[i]})
			}
			equal(t, "lag1 of b", p.Links["b"].LAGs["lag1"].Oper, Oper{tt.far == "", tt.far})
		})
	}
}

func TestALAGWithoutMembersIsDown(t *testing.T) {
	t.Parallel()
	l := twoRouters()
	l.a().LAGs = []LAG{{Name: "lag1", Enabled: true}}
	equal(t, "lag1", l.survey().Links["a"].LAGs["lag1"], LAGState{Oper: down("no-active-links")})
}

func TestMembersShowTheirPartner(t *testing.T) {
	t.Parallel()
	l := twoLAGs()
	want := Member{Port: port1, Oper: up(), Partner: *l.b().LAGs[0].LACP, Synchronized: true, Collecting: true, Distributing: true}
	equal(t, "member", l.survey().Links["a"].LAGs["lag1"].Members[0], want)
}

func TestADisabledLAGNeitherTalksNorListens(t *testing.T) {
	t.Parallel()
	l := twoLAGs()
	l.b().LAGs[0].Enabled = false
	p := l.survey()
	for name, links := range p.Links {
		m := links.LAGs["lag1"].Members[0]
		equal(t, name, []any{m.Partner, m.Synchronized}, []any{LACP{}, false})
	}
}

// c has two links to a and one to b, which look like one system. When one of those to a is cut, a wants
// two and takes the other down; then c has too few, and takes down the one to b.
func TestALAGThatFallsMayTakeOthersAlong(t *testing.T) {
	t.Parallel()
	l := newLab(linkRouter("a", 1), linkRouter("b", 2), linkRouter("c", 3)).
		cable("a:"+port1, "c:"+port1).cable("a:"+port2, "c:"+port2).cable("b:"+port1, "c:"+"ethernet-1/3")
	c := l.routers["c"]
	c.Ports = append(c.Ports, Port{Name: "ethernet-1/3", Enabled: true})
	for name, r := range l.routers {
		system := MAC{2, 9}
		if name == "c" {
			system = c.Chassis
		}
		r.LAGs = []LAG{{Name: "lag1", Enabled: true, MinLinks: 2, LACP: &LACP{Active: true, SystemID: system}}}
		for i := range r.Ports {
			r.Ports[i].LAG = "lag1"
		}
	}
	l.b().LAGs[0].MinLinks = 1
	equal(t, "before", l.survey().Links["b"].LAGs["lag1"].Oper, up())
	l.cut(0)
	p := l.survey()
	equal(t, "c", p.Links["c"].LAGs["lag1"].Oper, down("min-link-threshold"))
	equal(t, "b", p.Links["b"].LAGs["lag1"].Oper, down("no-active-links"))
}

// A LAG whose cables lead to two systems bundles those to the first one only.
func TestALAGToTwoSystemsBundlesOne(t *testing.T) {
	t.Parallel()
	l := twoLAGs()
	l.b().LAGs = append(l.b().LAGs, LAG{Name: "lag2", Enabled: true, LACP: &LACP{Active: true, SystemID: l.b().Chassis, SystemPriority: 32768, Key: 2}})
	l.b().port(port2).LAG = "lag2"
	p := l.survey()
	members := p.Links["a"].LAGs["lag1"].Members
	equal(t, "first", members[0].Oper, up())
	equal(t, "second", members[1].Oper, down("lacp-down"))
	if members[1].Synchronized || members[1].Partner.Key != 2 {
		t.Errorf("the second member shows %+v", members[1])
	}
	far := p.Links["b"].LAGs["lag2"]
	equal(t, "lag2 of b", far.Oper, down("no-active-links"))
	if m := far.Members[0]; !m.Synchronized || m.Collecting {
		t.Errorf("the member of lag2 is ready but cannot work; it shows %+v", m)
	}
}

// bondedHost is a host with a NIC at a and one at b, which show it the same LACP system unless changed.
func bondedHost() *lab {
	l := newLab(linkRouter("a", 1), linkRouter("b", 2)).cable("a:"+port1, "h:eth0").cable("b:"+port1, "h:eth1")
	for _, r := range l.routers {
		r.LAGs = []LAG{{Name: "lag1", Enabled: true, MinLinks: 1, LACP: &LACP{Active: true, SystemID: MAC{2, 9}, Key: 7}}}
		r.port(port1).LAG = "lag1"
		sub := Subinterface{Name: "lag1.0", Parent: "lag1", Kind: Bridged, Enabled: true}
		r.Subinterfaces = append(r.Subinterfaces, sub)
		r.Instances = append(r.Instances, Instance{Name: "red", Kind: MACVRF, Enabled: true, Interfaces: []string{sub.Name}})
	}
	l.wiring.Hosts = []Host{{
		Name: "h", MAC: MAC{10, 1}, NICs: []string{"eth0", "eth1"}, LACP: true, Addresses: []HostAddress{{MAC: MAC{10, 1}}},
	}}
	return l
}

func TestAHostBundlesWhatLooksLikeOneSystem(t *testing.T) {
	t.Parallel()
	const bad = "no-active-links"
	for _, tt := range []struct {
		name   string
		change func(*lab)
		a, b   string // reasons; "": up
	}{
		{"one system id and key: both links", nothing, "", ""},
		{"another key: the link to the first only", func(l *lab) { l.b().LAGs[0].LACP.Key = 8 }, "", bad},
		{"another system priority: the same", func(l *lab) { l.b().LAGs[0].LACP.SystemPriority = 8 }, "", bad},
		{"another system id: the same", func(l *lab) { l.b().LAGs[0].LACP.SystemID = MAC{3} }, "", bad},
		{"when the first is gone the second is chosen", func(l *lab) { l.b().LAGs[0].LACP.Key = 8; l.cut(0) }, bad, ""},
		{"a host answers a passive router", func(l *lab) { l.a().LAGs[0].LACP.Active = false }, "", ""},
		{"a host without LACP does not answer", func(l *lab) { l.wiring.Hosts[0].LACP = false }, bad, bad},
		{"a static LAG takes a host without LACP", func(l *lab) { l.wiring.Hosts[0].LACP = false; l.a().static() }, "", bad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := bondedHost()
			tt.change(l)
			p := l.survey()
			equal(t, "lag1 of a", p.Links["a"].LAGs["lag1"].Oper, Oper{tt.a == "", tt.a})
			equal(t, "lag1 of b", p.Links["b"].LAGs["lag1"].Oper, Oper{tt.b == "", tt.b})
		})
	}
}
