package network

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	port1, port2 = "ethernet-1/1", "ethernet-1/2"
	sub1, sub2   = "ethernet-1/1.0", "ethernet-1/2.0"
)

// lab is a small network. Tests change one thing in it and look at what follows.
type lab struct {
	routers map[string]*Router
	wiring  Wiring
	outages Outages
}

func newLab(routers ...*Router) *lab {
	l := &lab{routers: map[string]*Router{}, outages: Outages{Cables: map[string]bool{}, Ports: map[End]bool{}, Devices: map[string]bool{}}}
	for _, r := range routers {
		l.routers[r.Name] = r
	}
	return l
}

func (l *lab) survey() *Plant { return Survey(l.routers, &l.wiring, l.outages) }

// cable plugs a cable in; ends are written as in a topology file.
func (l *lab) cable(a, b string) *lab {
	l.wiring.Cables = append(l.wiring.Cables, Cable{endAt(a), endAt(b)})
	return l
}

func (l *lab) cut(i int) { l.outages.Cables[l.wiring.Cables[i].String()] = true }

func endAt(s string) End {
	device, port, _ := strings.Cut(s, ":")
	return End{device, port}
}

func (r *Router) port(name string) *Port {
	for i := range r.Ports {
		if r.Ports[i].Name == name {
			return &r.Ports[i]
		}
	}
	panic("no port " + name)
}

func (r *Router) sub(name string) *Subinterface {
	for i := range r.Subinterfaces {
		if r.Subinterfaces[i].Name == name {
			return &r.Subinterfaces[i]
		}
	}
	panic("no subinterface " + name)
}

// twoRouters are a and b with two cables: one between routed subinterfaces with all that runs on a
// link, and one between ports without any.
func twoRouters() *lab {
	return newLab(linkRouter("a", 1), linkRouter("b", 2)).cable("a:"+port1, "b:"+port1).cable("a:"+port2, "b:"+port2)
}

// linkRouter is a router with the number n.
func linkRouter(name string, n byte) *Router {
	r := &Router{Name: name, System: "router " + name, Description: "text of " + name, Chassis: MAC{2, 0, 0, 0, n, 0}}
	for i, p := range []string{port1, port2} {
		r.Ports = append(r.Ports, Port{Name: p, Enabled: true, Speed: "100G", LLDP: true, Text: p + " of " + name, MAC: MAC{2, 0, 0, 0, n, byte(i)}})
	}
	r.Subinterfaces = []Subinterface{routedSub(port1, n), loopback(n)}
	r.Instances = []Instance{{
		Name: "default", Enabled: true, Interfaces: []string{sub1, "system0.0"},
		BGP: &BGP{Enabled: true, AS: uint32(n), Dynamic: []Dynamic{{sub1, Neighbor{Enabled: true, Group: "fabric", BFD: true}}}},
		ISIS: &ISIS{
			Enabled: true, Level2: true, NET: fmt.Sprintf("49.0001.0100.0000.%04d.00", n), Base: 1000 * uint32(n), Size: 100, Index: uint32(n),
			Interfaces: []ISISInterface{isisOn(sub1), {Name: "system0.0", Enabled: true, Passive: true, Level1: true, Level2: true}},
		},
	}}
	return r
}

// routedSub is subinterface 0 of a port or LAG, with the n-th address of a link.
func routedSub(parent string, n byte) Subinterface {
	mac := MAC{2, 0, 0, 0, n, 0x10}
	return Subinterface{
		Name: parent + ".0", Parent: parent, Enabled: true, MAC: mac, IPMTU: 1500, IPv4: true, IPv6: true, RA: true, LinkLocal: mac.LinkLocal(),
		Addresses: []Address{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 24)}},
		BFD:       &BFD{Transmit: 300 * time.Millisecond, Receive: 300 * time.Millisecond, Multiplier: 3},
	}
}

func loopback(n byte) Subinterface {
	return Subinterface{
		Name: "system0.0", Parent: "system0", Kind: Loopback, Enabled: true, IPv4: true,
		Addresses: []Address{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, 0, n}), 32)}},
	}
}

func isisOn(sub string) ISISInterface {
	return ISISInterface{Name: sub, Enabled: true, PointToPoint: true, Metric: 10, Level1: true, Level2: true}
}

func up() Oper                { return Oper{Up: true} }
func down(reason string) Oper { return Oper{Reason: reason} }
func nothing(*lab)            {}
func (l *lab) a() *Router     { return l.routers["a"] }
func (l *lab) b() *Router     { return l.routers["b"] }
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestRoutersThatAreOffAreNotInThePlant(t *testing.T) {
	t.Parallel()
	l := twoRouters()
	l.outages.Devices["b"] = true
	p := l.survey()
	equal(t, "names", p.Names, []string{"a"})
	if p.Routers["b"] != nil || p.Links["b"] != nil {
		t.Error("b is still there")
	}
	equal(t, "far port", p.Links["a"].Ports[port1].Oper, down("lower-layer-down"))
}

func TestANetworkWithoutAnythingIsSurveyed(t *testing.T) {
	t.Parallel()
	p := Survey(nil, &Wiring{}, Outages{})
	if len(p.Names) != 0 || len(p.Links) != 0 {
		t.Errorf("there is %v", p.Names)
	}
}

// wiredClos is a fabric of numbered routers: every leaf has a link to every spine, a host, and 60 ports or more.
func wiredClos(spines, leaves int) *lab {
	l, ports := newLab(), max(60, spines+1)
	for i := range spines {
		r := fabricRouter(fmt.Sprintf("spine%d", i), i, leaves)
		l.routers[r.Name] = r
	}
	for i := range leaves {
		r := fabricRouter(fmt.Sprintf("leaf%d", i), spines+i, ports)
		l.routers[r.Name] = r
		for j := range spines {
			spine := l.routers[fmt.Sprintf("spine%d", j)]
			l.cable(r.Name+":"+portName(j), spine.Name+":"+portName(i))
			spine.Subinterfaces[i].Addresses = linkAddress(j, i, 0)
			r.Subinterfaces[j].Addresses = linkAddress(j, i, 1)
		}
		host := Host{Name: "host" + r.Name, NICs: []string{"eth0"}, Addresses: []HostAddress{{MAC: MAC{10, byte(i >> 8), byte(i)}}}}
		l.wiring.Hosts = append(l.wiring.Hosts, host)
		l.cable(r.Name+":"+portName(ports-1), host.Name+":eth0")
	}
	return l
}

// linkAddress is the address of one end of the link between a spine and a leaf.
func linkAddress(spine, leaf, end int) []Address {
	n := (spine*1024+leaf)*2 + end
	return []Address{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(128 | n>>16), byte(n >> 8), byte(n)}), 31)}}
}

func portName(i int) string { return fmt.Sprintf("ethernet-1/%d", i+1) }

// fabricRouter has routed subinterfaces with dynamic BGP neighbors and BFD on all ports.
func fabricRouter(name string, n, ports int) *Router {
	r := &Router{Name: name, System: name, Chassis: MAC{2, 1, byte(n >> 8), byte(n)}}
	in := Instance{Name: "default", Enabled: true, BGP: &BGP{Enabled: true, AS: uint32(n + 1)}}
	for i := range ports {
		p := Port{Name: portName(i), Enabled: true, Speed: "100G", LLDP: true}
		sub := routedSub(p.Name, 1)
		sub.Addresses = nil
		sub.LinkLocal = MAC{2, byte(n >> 8), byte(n), 0, byte(i >> 8), byte(i)}.LinkLocal()
		r.Ports = append(r.Ports, p)
		r.Subinterfaces = append(r.Subinterfaces, sub)
		in.Interfaces = append(in.Interfaces, sub.Name)
		in.BGP.Dynamic = append(in.BGP.Dynamic, Dynamic{sub.Name, Neighbor{Enabled: true, BFD: true}})
	}
	r.Instances = []Instance{in}
	return r
}

// BenchmarkSurvey looks at 1,000 routers: 8 spines, and 992 leaves with 60 ports each.
func BenchmarkSurvey(b *testing.B) {
	l := wiredClos(8, 992)
	for b.Loop() {
		p := l.survey()
		if n := len(p.Links["spine0"].BFD); n != 992 {
			b.Fatalf("%d BFD sessions on a spine", n)
		}
	}
}

// BenchmarkSurveyWithISIS looks at 100 routers that run IS-IS with labels: each has a route to each prefix.
func BenchmarkSurveyWithISIS(b *testing.B) {
	l := wiredClos(4, 96)
	for i, name := range l.survey().Names {
		runISIS(l.routers[name], i)
	}
	for b.Loop() {
		p := l.survey()
		if n := len(p.Links["leaf0"].Labels); n != 4+95*4 {
			b.Fatalf("%d labels on a leaf", n)
		}
	}
}

// runISIS gives a router a loopback, and IS-IS with labels everywhere.
func runISIS(r *Router, i int) {
	lo := loopback(0)
	lo.Addresses[0].Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 32)
	r.Subinterfaces = append(r.Subinterfaces, lo)
	in := &r.Instances[0]
	in.Interfaces = append(in.Interfaces, lo.Name)
	in.ISIS = &ISIS{Enabled: true, Level2: true, NET: fmt.Sprintf("49.0001.0100.0000.%04d.00", i), Base: 16000, Size: 8000, Index: uint32(i)}
	for _, name := range in.Interfaces {
		on := isisOn(name)
		on.Passive = name == lo.Name
		in.ISIS.Interfaces = append(in.ISIS.Interfaces, on)
	}
}
