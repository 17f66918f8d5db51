package network

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// A cut cable brings nothing up. That is so where all members of a LAG lead to one neighbor, as here: one
// that was plugged into two may take up the second when the first is gone.
func TestCuttingACableBringsNothingUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := drawLab(t)
		before := l.survey()
		l.cut(rapid.IntRange(0, len(l.wiring.Cables)-1).Draw(t, "cut"))
		had := standing(before)
		for what := range standing(l.survey()) {
			if !had[what] {
				t.Errorf("%s came up", what)
			}
		}
	})
}

func TestSurveysDoNotDependOnTheOrderOfMaps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := drawLab(t)
		if !reflect.DeepEqual(l.survey(), l.survey()) {
			t.Error("two surveys differ")
		}
	})
}

// standing names all that is up.
func standing(p *Plant) map[string]bool {
	up := map[string]bool{}
	note := func(ok bool, format string, args ...any) {
		if ok {
			up[fmt.Sprintf(format, args...)] = true
		}
	}
	for router, links := range p.Links {
		for name, st := range links.Ports {
			note(st.Up, "%s port %s", router, name)
			note(st.Light, "%s light at %s", router, name)
		}
		for name, st := range links.LAGs {
			note(st.Up, "%s lag %s", router, name)
			for _, m := range st.Members {
				note(m.Up, "%s member %s", router, m.Port)
				note(m.Distributing, "%s member %s distributing", router, m.Port)
			}
		}
		for name, st := range links.Subs {
			note(st.Up, "%s subinterface %s", router, name)
			_, _, ok := p.Far(router, name)
			note(ok, "%s far end of %s", router, name)
		}
		for _, n := range links.LLDP {
			note(true, "%s lldp %s", router, n.Port)
		}
		for _, n := range links.Neighbors["default"] {
			note(true, "%s neighbor %s", router, n.Peer)
		}
		for _, b := range links.BFD {
			note(b.Up, "%s bfd %s %s", router, b.Subinterface, b.Remote)
		}
		for _, a := range links.ISIS {
			note(a.Up, "%s isis %s level %d", router, a.Subinterface, a.Level)
		}
		for _, h := range links.Hosts {
			note(true, "%s host %s on %s", router, h.MAC, h.Subinterface)
		}
	}
	return up
}

// drawLab makes some routers, with one to three cables between any two of them, which may be a LAG, and hosts.
func drawLab(t *rapid.T) *lab {
	l := newLab()
	n := rapid.IntRange(2, 4).Draw(t, "routers")
	for i := range n {
		r := linkRouter(fmt.Sprintf("r%d", i), byte(i+1))
		r.Ports, r.Subinterfaces = nil, r.Subinterfaces[1:]
		in := r.instance("default")
		in.Interfaces, in.ISIS.Interfaces, in.BGP.Dynamic = []string{"system0.0"}, in.ISIS.Interfaces[1:], nil
		l.routers[r.Name] = r
	}
	for i := range n {
		for j := range i {
			l.drawLinks(t, l.routers[fmt.Sprintf("r%d", i)], l.routers[fmt.Sprintf("r%d", j)])
		}
	}
	l.drawHost(t, l.routers["r0"], l.routers["r1"])
	return l
}

// drawLinks puts cables between two routers.
func (l *lab) drawLinks(t *rapid.T, x, y *Router) {
	cables := rapid.IntRange(1, 3).Draw(t, "cables")
	bundled := rapid.Bool().Draw(t, "LAG")
	for i := range cables {
		l.drawPort(t, x, fmt.Sprintf("to-%s-%d", y.Name, i), bundled, "lag-"+y.Name)
		l.drawPort(t, y, fmt.Sprintf("to-%s-%d", x.Name, i), bundled, "lag-"+x.Name)
		l.cable(fmt.Sprintf("%s:to-%s-%d", x.Name, y.Name, i), fmt.Sprintf("%s:to-%s-%d", y.Name, x.Name, i))
	}
	if bundled {
		drawLAG(t, x, "lag-"+y.Name)
		drawLAG(t, y, "lag-"+x.Name)
	}
}

func (l *lab) drawPort(t *rapid.T, r *Router, name string, bundled bool, lag string) {
	p := Port{Name: name, LLDP: true, Enabled: !rarely(t, "shut "+name), Speed: "100G"}
	if bundled {
		p.LAG = lag
	} else {
		drawSub(t, r, name)
	}
	r.Ports = append(r.Ports, p)
}

func drawLAG(t *rapid.T, r *Router, name string) {
	lag := LAG{Name: name, Enabled: !rarely(t, "shut "+name), MinLinks: rapid.IntRange(1, 2).Draw(t, "min-links")}
	if !rarely(t, "static") {
		lag.LACP = &LACP{Active: rapid.Bool().Draw(t, "active"), SystemID: r.Chassis, Key: uint16(len(r.LAGs) + 1)}
	}
	r.LAGs = append(r.LAGs, lag)
	drawSub(t, r, name)
}

// drawSub gives a port or LAG a routed subinterface with all that runs on links.
func drawSub(t *rapid.T, r *Router, parent string) {
	sub := routedSub(parent, byte(r.Instances[0].BGP.AS))
	sub.Enabled, sub.RA = !rarely(t, "shut "+sub.Name), !rarely(t, "no RA")
	r.Subinterfaces = append(r.Subinterfaces, sub)
	in := r.instance("default")
	in.Interfaces = append(in.Interfaces, sub.Name)
	in.ISIS.Interfaces = append(in.ISIS.Interfaces, isisOn(sub.Name))
	in.BGP.Dynamic = append(in.BGP.Dynamic, Dynamic{sub.Name, Neighbor{Enabled: true, BFD: true}})
}

// drawHost bonds a host to two routers.
func (l *lab) drawHost(t *rapid.T, routers ...*Router) {
	host := Host{Name: "host", MAC: MAC{10}, LACP: true, Addresses: []HostAddress{{MAC: MAC{10}}}}
	for i, r := range routers {
		nic := fmt.Sprintf("eth%d", i)
		host.NICs = append(host.NICs, nic)
		r.Ports = append(r.Ports, Port{Name: "to-host", Enabled: !rarely(t, "shut to-host"), LAG: "lag-host"})
		r.LAGs = append(r.LAGs, LAG{Name: "lag-host", Enabled: true, MinLinks: 1, LACP: &LACP{SystemID: MAC{2, 9}}})
		r.Subinterfaces = append(r.Subinterfaces, Subinterface{Name: "lag-host.0", Parent: "lag-host", Kind: Bridged, Enabled: true})
		r.Instances = append(r.Instances, Instance{Name: "red", Kind: MACVRF, Enabled: true, Interfaces: []string{"lag-host.0"}})
		l.cable(r.Name+":to-host", "host:"+nic)
	}
	l.wiring.Hosts = append(l.wiring.Hosts, host)
}

func rarely(t *rapid.T, what string) bool { return rapid.IntRange(0, 9).Draw(t, what) == 9 }
