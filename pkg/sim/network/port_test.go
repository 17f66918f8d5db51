package network

import "testing"

func TestPortsComeUp(t *testing.T) {
	t.Parallel()
	const off, dark, empty = "port-admin-disabled", "lower-layer-down", "transceiver-oper-down"
	for _, tt := range []struct {
		name   string
		change func(*lab)
		a, b   string // reasons; "": up
	}{
		{"cabled to an enabled port: both are up", nothing, "", ""},
		{"a disabled port is down, and its far end sees no light", func(l *lab) { l.a().port(port1).Enabled = false }, off, dark},
		{"without a cable there is no transceiver", func(l *lab) { l.wiring.Cables = nil }, empty, empty},
		{"a cut cable is dark on both sides", func(l *lab) { l.cut(0) }, dark, dark},
		{"a dead laser is dark on both sides", func(l *lab) { l.outages.Ports[End{"b", port1}] = true }, dark, dark},
		{"a dead laser of a cage is one of its channels", func(l *lab) {
			l.b().port(port1).Name = port1 + "/1"
			l.wiring.Cables[0].B.Port = port1 + "/1"
			l.outages.Ports[End{"b", port1}] = true
		}, dark, "none"},
		{"a dead laser elsewhere does not matter", func(l *lab) { l.outages.Ports[End{"b", port2}] = true }, "", ""},
		{"speeds that differ give no link", func(l *lab) { l.b().port(port1).Speed = "25G" }, dark, dark},
		{"a speed that is not known fits any", func(l *lab) { l.b().port(port1).Speed = "" }, "", ""},
		{"a far end that is no port is dark", func(l *lab) { l.b().port(port1).Name = "ethernet-1/1/1" }, dark, "none"},
		{"another cable that is cut does not matter", func(l *lab) { l.cut(1) }, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := twoRouters()
			tt.change(l)
			p := l.survey()
			equal(t, "a", p.Links["a"].Ports[port1].Oper, Oper{tt.a == "", tt.a})
			if tt.b != "none" {
				equal(t, "b", p.Links["b"].Ports[port1].Oper, Oper{tt.b == "", tt.b})
			}
		})
	}
}

func TestAPortShowsWhatIsPluggedIn(t *testing.T) {
	t.Parallel()
	far := End{"b", port1}
	for _, tt := range []struct {
		name   string
		change func(*lab)
		want   PortState
	}{
		{"light comes in", nothing, PortState{up(), far, true, true}},
		{"a disabled port gets light from a far end that is not", func(l *lab) { l.a().port(port1).Enabled = false },
			PortState{down("port-admin-disabled"), far, true, true}},
		{"light of another speed is light", func(l *lab) { l.b().port(port1).Speed = "25G" }, PortState{down("lower-layer-down"), far, true, true}},
		{"a cut cable keeps its transceiver", func(l *lab) { l.cut(0) }, PortState{down("lower-layer-down"), far, true, false}},
		{"without a cable there is nothing", func(l *lab) { l.wiring.Cables = nil }, PortState{Oper: down("transceiver-oper-down")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := twoRouters()
			tt.change(l)
			equal(t, "port", l.survey().Links["a"].Ports[port1], tt.want)
		})
	}
}

func TestHostsTakeAnySpeedAndAreOn(t *testing.T) {
	t.Parallel()
	l := newLab(linkRouter("a", 1)).cable("h:eth0", "a:"+port1)
	l.wiring.Hosts = []Host{{Name: "h", NICs: []string{"eth0"}}}
	l.outages.Ports[End{"a", port2}] = true // of no concern here
	equal(t, "port to a host", l.survey().Links["a"].Ports[port1].Oper, up())
	l.outages.Devices["h"] = true
	equal(t, "port to a host that is off", l.survey().Links["a"].Ports[port1].Oper, down("lower-layer-down"))
}
