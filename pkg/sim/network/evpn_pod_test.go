package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A pod is a spine with some leaves: leaf n has the VTEP 10.0.0.n and AS 65000+n, a server of its own on
// ethernet-1/2, and with its neighbour a LAG to a bonded one. Two segments, web and db, are routed by the
// tenant red. A test bends one detail.
type pod struct {
	routers map[string]*Router
	wiring  Wiring
	outages Outages
	deaf    string // router whose LAG carries no frames from its server: they all take the other link
}

var bondESI = ESI{0, 1, 2, 3, 4, 5, 6, 0, 0, 1}

// newPod has n leaves; leaves 1 and 2, 3 and 4 ... share a bonded server.
func newPod(n int) *pod {
	p := &pod{routers: map[string]*Router{"spine1": podSpine(n)}, outages: Outages{Cables: map[string]bool{}}}
	for i := 1; i <= n; i++ {
		name := fmt.Sprintf("leaf%d", i)
		p.routers[name] = podLeaf(i)
		p.cable(End{name, "ethernet-1/49"}, End{"spine1", fmt.Sprintf("ethernet-1/%d", i)})
		p.single(i)
		if i%2 == 0 {
			p.bonded(i-1, i)
		}
	}
	return p
}

func (p *pod) cable(a, b End) { p.wiring.Cables = append(p.wiring.Cables, Cable{a, b}) }

// single plugs a server into a leaf: 10.10.0.100+n, and on.
func (p *pod) single(n int) {
	name, mac := fmt.Sprintf("server%d", n), MAC{2, 0, 0, 1, byte(n >> 8), byte(n)}
	p.wiring.Hosts = append(p.wiring.Hosts, Host{
		Name: name, MAC: mac, NICs: []string{"eth0"},
		Addresses: []HostAddress{{MAC: mac, IPs: []netip.Prefix{podServer(100 + n)}}},
	})
	p.cable(End{fmt.Sprintf("leaf%d", n), "ethernet-1/2"}, End{name, "eth0"})
}

// bonded plugs a server with LACP into two leaves: 10.10.0.200+n, n being the second leaf.
func (p *pod) bonded(m, n int) {
	name, mac := fmt.Sprintf("bonded%d", n), MAC{2, 0, 0, 2, byte(n >> 8), byte(n)}
	p.wiring.Hosts = append(p.wiring.Hosts, Host{
		Name: name, MAC: mac, NICs: []string{"eth0", "eth1"}, LACP: true,
		Addresses: []HostAddress{{MAC: mac, IPs: []netip.Prefix{podServer(200 + n)}}},
	})
	p.cable(End{fmt.Sprintf("leaf%d", m), "ethernet-1/1"}, End{name, "eth0"})
	p.cable(End{fmt.Sprintf("leaf%d", n), "ethernet-1/1"}, End{name, "eth1"})
}

func (p *pod) survey() *Plant {
	slices.SortFunc(p.wiring.Hosts, func(a, b Host) int { return strings.Compare(a.Name, b.Name) })
	plant := Survey(p.routers, &p.wiring, p.outages)
	if links := plant.Links[p.deaf]; links != nil {
		links.Hosts = slices.DeleteFunc(links.Hosts, func(h HostSeen) bool { return h.Subinterface == "lag1.0" })
	}
	return plant
}

// clone gives a server the MAC address of another one.
func (p *pod) clone(from, to string) {
	p.host(to).Addresses[0].MAC = p.host(from).Addresses[0].MAC
}

func (p *pod) host(name string) *Host {
	i := slices.IndexFunc(p.wiring.Hosts, func(h Host) bool { return h.Name == name })
	return &p.wiring.Hosts[i]
}

// singleActive makes the segment of leaves 1 and 2 one that a single router forwards for: leaf1 for EVI
// 10.
func (p *pod) singleActive() {
	p.routers["leaf1"].Segments[0].SingleActive, p.routers["leaf2"].Segments[0].SingleActive = true, true
}

func podServer(n int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 10, byte(n >> 8), byte(n)}), 24)
}

// podSpineNumber is the spine's where leaves have theirs.
const podSpineNumber = 60000

func podVTEP(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }

// podEnd is the address of the leaf's (0) or spine's (1) end of the link of leaf n.
func podEnd(n int, side byte) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 1 + byte(n>>8), byte(n), side})
}

func podMAC(n int, rest ...byte) MAC {
	m := MAC{2, byte(n >> 8), byte(n)}
	copy(m[3:], rest)
	return m
}

func podPort(n, router int, lag string) Port {
	return Port{Name: fmt.Sprintf("ethernet-1/%d", n), Enabled: true, MAC: podMAC(router, 0, 1, byte(n)), Speed: "100G", MTU: 9412, LAG: lag, LLDP: true}
}

func podLoopback(a netip.Addr) Subinterface {
	return Subinterface{Name: "system0.0", Parent: "system0", Kind: Loopback, Enabled: true, IPv4: true, Addresses: []Address{{Prefix: host(a)}}}
}

func podLink(port, router int, a netip.Addr) Subinterface {
	return Subinterface{
		Name: fmt.Sprintf("ethernet-1/%d.0", port), Parent: fmt.Sprintf("ethernet-1/%d", port), Kind: Routed, Enabled: true,
		MAC: podMAC(router, 0, 1, byte(port)), IPv4: true, Addresses: []Address{{Prefix: netip.PrefixFrom(a, 31)}},
	}
}

func podSpine(n int) *Router {
	r := &Router{Name: "spine1", System: "spine1", Chassis: podMAC(podSpineNumber), Policies: everything()}
	def := Instance{Name: "default", Enabled: true, RouterID: podVTEP(podSpineNumber), Interfaces: []string{"system0.0"}}
	def.BGP = podBGP(65000, podVTEP(podSpineNumber))
	def.BGP.InterAS = true
	r.Subinterfaces = []Subinterface{podLoopback(podVTEP(podSpineNumber))}
	for i := 1; i <= n; i++ {
		r.Ports = append(r.Ports, podPort(i, podSpineNumber, ""))
		r.Subinterfaces = append(r.Subinterfaces, podLink(i, podSpineNumber, podEnd(i, 1)))
		def.Interfaces = append(def.Interfaces, fmt.Sprintf("ethernet-1/%d.0", i))
		def.BGP.Neighbors = append(def.BGP.Neighbors, podNeighbor(podEnd(i, 0), 65000, 65000+uint32(i)))
	}
	r.Instances = []Instance{def}
	return r
}

func everything() Policies {
	return Policies{Policies: map[string]Policy{"all": {Default: Action{Result: Accept}}}}
}

func podBGP(as uint32, id netip.Addr) *BGP {
	multipath := Multipath{EBGP: 8, IBGP: 8, MultipleAS: true}
	return &BGP{
		Enabled: true, AS: as, RouterID: id, Families: []Family{IPv4, L2EVPN},
		Multipath: map[Family]Multipath{IPv4: multipath, L2EVPN: multipath},
	}
}

func podNeighbor(peer netip.Addr, local, remote uint32) Neighbor {
	return Neighbor{
		Peer: peer, Enabled: true, Group: "fabric", LocalAS: local, PeerAS: remote,
		Families: []Family{IPv4, L2EVPN}, Import: []string{"all"}, Export: []string{"all"},
	}
}

func podLeaf(n int) *Router {
	name, pair := fmt.Sprintf("leaf%d", n), (n+1)/2
	return &Router{
		Name: name, System: name, Chassis: podMAC(n), Policies: everything(),
		Ports: []Port{podPort(1, n, "lag1"), podPort(2, n, ""), podPort(49, n, "")},
		LAGs: []LAG{{
			Name: "lag1", Enabled: true, MAC: podMAC(n, 0, 2), MinLinks: 1,
			LACP: &LACP{Active: true, SystemID: podMAC(pair, 9, 9, 9), Key: uint16(pair)},
		}},
		Subinterfaces: []Subinterface{
			podAccess("ethernet-1/2", 0, VLAN{}),
			podLink(49, n, podEnd(n, 0)),
			podIRB(n, 10, "10.10.0.1/24"), podIRB(n, 11, "10.11.0.1/24"),
			podAccess("lag1", 0, VLAN{}),
			podLoopback(podVTEP(n)),
		},
		Segments:  []EthernetSegment{{Name: "es1", Enabled: true, ESI: podESI(pair), Interfaces: []string{"lag1"}}},
		Instances: podInstances(n),
	}
}

func podESI(pair int) ESI { e := bondESI; e[8], e[9] = byte(pair>>8), byte(pair); return e }

func podAccess(parent string, index uint32, v VLAN) Subinterface {
	return Subinterface{Name: fmt.Sprintf("%s.%d", parent, index), Parent: parent, Index: index, Kind: Bridged, Enabled: true, VLAN: v}
}

var anycastMAC = MAC{0, 0, 0x5e, 0, 1, 1}

func podIRB(n int, index uint32, gateway string) Subinterface {
	return Subinterface{
		Name: fmt.Sprintf("irb1.%d", index), Parent: "irb1", Index: index, Kind: IRB, Enabled: true, MAC: podMAC(n, 0xff, 0, 0x41),
		IPv4: true, Addresses: []Address{{Prefix: netip.MustParsePrefix(gateway), Anycast: true}}, Anycast: anycastMAC,
		Learn: true, HostRoutes: true, AdvertiseL3: true,
	}
}

func podInstances(n int) []Instance {
	id := podVTEP(n)
	def := Instance{Name: "default", Enabled: true, RouterID: id, Interfaces: []string{"ethernet-1/49.0", "system0.0"}, BGP: podBGP(65000+uint32(n), id)}
	def.BGP.Neighbors = []Neighbor{podNeighbor(podEnd(n, 1), 65000+uint32(n), 65000)}
	return []Instance{
		podEVPN(Instance{Name: "db", Kind: MACVRF, Interfaces: []string{"irb1.11"}}, id, 11, 10011),
		def,
		podEVPN(Instance{Name: "red", Kind: IPVRF, Interfaces: []string{"irb1.10", "irb1.11"}}, id, 1001, 20001),
		podEVPN(Instance{Name: "web", Kind: MACVRF, Interfaces: []string{"ethernet-1/2.0", "irb1.10", "lag1.0"}}, id, 10, 10010),
	}
}

func podEVPN(in Instance, vtep netip.Addr, evi, vni uint32) Instance {
	rt := []RT{RT(fmt.Sprintf("65000:%d", vni))}
	in.Enabled = true
	in.VXLAN = &VXLAN{Interface: fmt.Sprintf("vxlan1.%d", vni), VNI: vni, Source: vtep}
	in.EVPN = &EVPN{
		Enabled: true, EVI: evi, ECMP: 4, RD: RD(fmt.Sprintf("%s:%d", vtep, evi)), Import: rt, Export: rt,
		MulticastRoutes: true, MACRoutes: true,
	}
	return in
}

// podSub and podInstance are for bending a leaf.
func podSub(r *Router, name string) *Subinterface {
	i := slices.IndexFunc(r.Subinterfaces, func(s Subinterface) bool { return s.Name == name })
	return &r.Subinterfaces[i]
}

func podInstance(r *Router, name string) *Instance {
	i := slices.IndexFunc(r.Instances, func(in Instance) bool { return in.Name == name })
	return &r.Instances[i]
}

// flood is a routing where everybody hears everybody else, and uses what it imports: BGP at its best.
type flood struct {
	plant  *Plant
	routes map[string][]Route
	// edit bends the path of a route at a router; nil: they are as announced.
	edit func(router string, p *Path)
}

func (p *pod) flood(edit func(string, *Path)) (*Plant, Routing) {
	f := &flood{plant: p.survey(), routes: map[string][]Route{}, edit: edit}
	for _, name := range f.plant.Names {
		f.routes[name] = Originate(f.plant, name)
	}
	return f.plant, f
}

func (f *flood) Sessions(string) []Session         { return nil }
func (f *flood) Counts(string, int, Family) Counts { return Counts{} }
func (f *flood) Version(string) uint64             { return 0 }

func (f *flood) Paths(router string, family Family) []Path {
	var all []Path
	imports := Imports(f.plant, router)
	for _, name := range f.plant.Names {
		for i := range f.routes[name] {
			r := &f.routes[name][i]
			if r.Family != family || family != L2EVPN || name != router && !imports(r) {
				continue
			}
			path := Path{Route: r, NextHop: r.NextHop, Valid: true, Best: true, Used: true}
			if name == router {
				path.From = -1
			}
			if f.edit != nil {
				f.edit(router, &path)
			}
			all = append(all, path)
		}
	}
	return all
}

// summary writes a route in one line, for tables.
func (r *Route) summary() string {
	s := fmt.Sprintf("%d %s", r.Type, r.RD)
	for _, part := range []struct {
		is   bool
		text string
	}{
		{r.ESI != ESI{}, " " + r.ESI.String()},
		{r.Tag != 0, fmt.Sprintf(" tag %d", r.Tag)},
		{r.MAC != MAC{}, " " + r.MAC.String()},
		{r.Prefix.IsValid(), " " + r.Prefix.String()},
		{r.VNI != 0, fmt.Sprintf(" vni %d", r.VNI)},
		{r.VNI2 != 0, fmt.Sprintf("+%d", r.VNI2)},
		{r.ESI2 != ESI{}, " on " + r.ESI2.String()},
		{len(r.Targets) > 0, fmt.Sprintf(" %v", r.Targets)},
		{r.Static, " static"},
		{r.RouterMAC != MAC{}, " mac-nh " + r.RouterMAC.String()},
		{r.ESILabel, " esi-label"},
		{r.SingleActive, " single-active"},
		{r.ESImport != MAC{}, " import " + r.ESImport.String()},
		{r.DF != nil && r.DF.Preference, " preference"},
	} {
		if part.is {
			s += part.text
		}
	}
	return s
}

func evpnRoutes(routes []Route) []string {
	var all []string
	for i := range routes {
		if routes[i].Family == L2EVPN {
			all = append(all, routes[i].summary())
		}
	}
	slices.Sort(all)
	return all
}
