// Package networktest makes networks of several sites for tests: each has a spine, leaves, and gateways that stitch a
// bridge and a tenant to those of the other sites.
//
// Site s has the spine "s1-spine", which reflects EVPN routes, leaves "s1-leaf1" ..., and gateways "s1-gw1" ... Everybody
// on a site speaks EBGP on links and IBGP of AS 65000 between loopbacks; gateways speak IS-IS and IBGP among themselves, and
// AS 65000 is theirs: to their sites they call themselves by one of their own.
// What a test wants otherwise it bends in the routers.
package networktest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// Numbers of the services.
const (
	AS        = 65000
	BridgeVNI = 10010
	TenantVNI = 20001
	wan       = 100000 // beyond the numbers of a site
	labels    = 16000  // where the label block of segment routing starts
)

// Plan says how large a network is.
type Plan struct {
	Gateways []int // of each site
	Leaves   int   // of each site
	VXLAN    bool  // between gateways too; otherwise MPLS
	Chain    bool  // only sites that follow each other are joined
	EBGP     bool  // EVPN routes of a site go over EBGP
}

// Network is a network and what is plugged in.
type Network struct {
	Plan
	Routers map[string]*network.Router
	Wiring  network.Wiring
	Outages network.Outages
	as      map[string]uint32 // of routers on their sites
}

// New makes a network.
func New(p Plan) *Network {
	n := &Network{Plan: p, Routers: map[string]*network.Router{}, as: map[string]uint32{}, Outages: network.Outages{
		Cables: map[string]bool{}, Ports: map[network.End]bool{}, Devices: map[string]bool{},
	}}
	for s := range p.Gateways {
		n.site(s + 1)
	}
	for s := range p.Gateways {
		for t := s + 1; t < len(p.Gateways); t++ {
			n.interconnect(s+1, t+1)
		}
	}
	for _, r := range n.Routers {
		slices.SortFunc(bgp(r).Neighbors, func(a, b network.Neighbor) int { return a.Peer.Compare(b.Peer) })
		slices.SortFunc(r.Subinterfaces, func(a, b network.Subinterface) int { return strings.Compare(a.Name, b.Name) })
		slices.Sort(r.Instances[0].Interfaces)
	}
	return n
}

// Names are those of all routers, sorted.
func (n *Network) Names() (names []string) {
	for name := range n.Routers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Survey plugs everything together.
func (n *Network) Survey() *network.Plant { return network.Survey(n.Routers, &n.Wiring, n.Outages) }

// Leaf names a leaf of a site; numbers start at 1, here and below.
func Leaf(site, i int) string { return fmt.Sprintf("s%d-leaf%d", site, i) }

// Gateway names a gateway of a site.
func Gateway(site, i int) string { return fmt.Sprintf("s%d-gw%d", site, i) }

// Spine names the spine of a site.
func Spine(site int) string { return fmt.Sprintf("s%d-spine", site) }

// Host names a host of a site, at the leaf of the same number.
func Host(site, i int) string { return fmt.Sprintf("s%d-host%d", site, i) }

// HostMAC is the address of the host at a leaf.
func HostMAC(site, i int) network.MAC { return network.MAC{2, 0xaa, 0, 0, byte(site), byte(i)} }

// Prefix is what a leaf announces of the tenant.
func Prefix(site, i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(10*site + i), 0}), 24)
}

// Domain is that of a site; 0 is what lies between them.
func Domain(site int) string { return fmt.Sprintf("%d:%d", AS, site) }

// Loopback is the address of a router: 10.<site>.0.1 is the spine, leaves start at 10.<site>.1.1, gateways at 10.<site>.2.1.
func Loopback(site, kind, i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(site), byte(kind), byte(i)})
}

func (n *Network) site(s int) {
	spine := n.add(Spine(s), uint32(65100+s), Loopback(s, 0, 1))
	for i := 1; i <= n.Leaves; i++ {
		leaf := n.add(Leaf(s, i), uint32(65200+10*s+i), Loopback(s, 1, i))
		n.access(s, i)
		n.link(spine, leaf)
		n.reflect(spine, leaf)
	}
	for i := 1; i <= n.Gateways[s-1]; i++ {
		gw := n.add(Gateway(s, i), uint32(65300+10*s+i), Loopback(s, 2, i))
		n.stitch(gw, s, i)
		n.link(spine, gw)
		bgp(gw).AS = AS
		n.reflect(spine, gw)
	}
}

func (n *Network) add(name string, as uint32, loopback netip.Addr) *network.Router {
	a := loopback.As4()
	multipath := network.Multipath{EBGP: 8, IBGP: 8, MultipleAS: true}
	r := &network.Router{
		Name: name, System: name, Chassis: network.MAC{2, 0xc0, a[1], a[2], a[3], 0},
		Subinterfaces: []network.Subinterface{{
			Name: "system0.0", Parent: "system0", Kind: network.Loopback, Enabled: true, IPv4: true,
			Addresses: []network.Address{{Prefix: netip.PrefixFrom(loopback, 32)}},
		}},
		Instances: []network.Instance{{
			Name: "default", Enabled: true, RouterID: loopback, Interfaces: []string{"system0.0"},
			BGP: &network.BGP{
				Enabled: true, AS: as, RouterID: loopback, Families: []network.Family{network.IPv4, network.L2EVPN},
				Multipath: map[network.Family]network.Multipath{network.IPv4: multipath},
			},
		}},
		Policies: network.Policies{
			Policies: map[string]network.Policy{
				"all":       {Default: network.Action{Result: network.Accept}},
				"loopbacks": only(network.Match{PrefixSet: "loopbacks"}, network.Accept, network.Reject),
				"own":       only(network.Match{PrefixSet: "loopbacks", Protocol: "local"}, network.Accept, network.Reject),
				"site":      only(network.Match{CommunitySet: "wan"}, network.Reject, network.Accept),
				"wan":       only(network.Match{CommunitySet: "wan"}, network.Accept, network.Reject),
			},
			Prefixes:    map[string][]network.PrefixRange{"loopbacks": {{Prefix: netip.PrefixFrom(Loopback(int(a[1]), 0, 0), 16), Low: 32, High: 32}}},
			Communities: map[string]network.CommunitySet{"wan": {All: true, Members: []string{n.betweenSites()}}},
		},
	}
	n.Routers[name], n.as[name] = r, as
	return r
}

// betweenSites is the community that tells routes between sites from those inside.
func (n *Network) betweenSites() string {
	if n.VXLAN {
		return fmt.Sprintf("target:%d:1[0-9]{5}", AS)
	}
	return network.OverMPLS.String()
}

// only is a policy about some routes, and the others.
func only(m network.Match, those, others network.Result) network.Policy {
	return network.Policy{
		Statements: []network.Statement{{Match: m, Action: network.Action{Result: those}}},
		Default:    network.Action{Result: others},
	}
}

// link joins a spine and another router of its site by EBGP on a link. Only spines pass on what others announce: a gateway
// knows the other one by IS-IS too, and would draw what is for it into a way by another site.
func (n *Network) link(spine, other *network.Router) {
	subs := n.cable(spine, other)
	for i, r := range []*network.Router{spine, other} {
		far := []*network.Router{other, spine}[i]
		nb := session(subs[1-i].Addresses[0].Prefix.Addr(), n.as[r.Name], n.as[far.Name], network.IPv4)
		nb.Import, nb.Export = []string{"loopbacks"}, []string{"own"}
		if r == spine {
			nb.Export = nb.Import
		}
		bgp(r).Neighbors = append(bgp(r).Neighbors, nb)
	}
}

func session(peer netip.Addr, local, remote uint32, f network.Family) network.Neighbor {
	return network.Neighbor{
		Peer: peer, Enabled: true, LocalAS: local, PeerAS: remote, Families: []network.Family{f},
		RejectImport: true, RejectExport: true, HoldTime: 90 * time.Second, KeepAlive: 30 * time.Second,
	}
}

// cable joins two routers by a link with a subnet of its own.
func (n *Network) cable(a, b *network.Router) (subs [2]*network.Subinterface) {
	link := len(n.Wiring.Cables) + 1
	port := fmt.Sprintf("port%03d", link)
	for i, r := range []*network.Router{a, b} {
		mac := network.MAC{2, 0xee, byte(link >> 8), byte(link), 0, byte(i)}
		r.Ports = append(r.Ports, network.Port{Name: port, Enabled: true, MAC: mac, Speed: "100G"})
		subs[i] = &network.Subinterface{
			Name: port + ".0", Parent: port, Enabled: true, MAC: mac, IPv4: true,
			Addresses: []network.Address{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 100 + byte(link>>8), byte(link), byte(i)}), 31)}},
		}
		r.Instances[0].Interfaces = append(r.Instances[0].Interfaces, port+".0")
	}
	n.Wiring.Cables = append(n.Wiring.Cables, network.Cable{A: network.End{Device: a.Name, Port: port}, B: network.End{Device: b.Name, Port: port}})
	a.Subinterfaces, b.Subinterfaces = append(a.Subinterfaces, *subs[0]), append(b.Subinterfaces, *subs[1])
	return subs
}

// reflect joins a spine and a client of it, or one that it passes routes on to from other autonomous systems.
func (n *Network) reflect(spine, client *network.Router) {
	for i, r := range []*network.Router{spine, client} {
		nb := overlay(r, []*network.Router{client, spine}[i])
		nb.Client, nb.Export = r == spine && !n.EBGP, []string{"site"}
		if n.EBGP {
			nb.LocalAS, nb.PeerAS, nb.Multihop = n.as[r.Name], n.as[[]string{client.Name, spine.Name}[i]], 2
			bgp(r).InterAS = r == spine
		}
		nb.Assumes = network.OverVXLAN
		bgp(r).Neighbors = append(bgp(r).Neighbors, nb)
	}
}

func overlay(r, far *network.Router) network.Neighbor {
	nb := session(far.Instances[0].RouterID, AS, AS, network.L2EVPN)
	nb.Local, nb.Import = r.Instances[0].RouterID, []string{"all"}
	return nb
}

// access gives a leaf its end of the bridge and the tenant, and a host.
func (n *Network) access(s, i int) {
	r, loopback := n.Routers[Leaf(s, i)], Loopback(s, 1, i)
	r.Ports = append(r.Ports, network.Port{Name: "access", Enabled: true, MAC: network.MAC{2, 0xaf, 0, 0, byte(s), byte(i)}, Speed: "100G"})
	r.Subinterfaces = append(r.Subinterfaces, network.Subinterface{Name: "access.0", Parent: "access", Kind: network.Bridged, Enabled: true})
	bridge, tenant := bridge(loopback), tenant(loopback)
	bridge.Interfaces = []string{"access.0"}
	tenant.Static = []network.StaticRoute{{Prefix: Prefix(s, i)}}
	r.Instances = append(r.Instances, tenant, bridge)
	host := network.Host{Name: Host(s, i), MAC: HostMAC(s, i), NICs: []string{"eth0"}, Addresses: []network.HostAddress{{MAC: HostMAC(s, i)}}}
	n.Wiring.Hosts = append(n.Wiring.Hosts, host)
	n.Wiring.Cables = append(n.Wiring.Cables, network.Cable{A: network.End{Device: r.Name, Port: "access"}, B: network.End{Device: host.Name, Port: "eth0"}})
}

func bridge(loopback netip.Addr) network.Instance {
	return service("web", network.MACVRF, loopback, 10, BridgeVNI)
}

func tenant(loopback netip.Addr) network.Instance {
	return service("red", network.IPVRF, loopback, 1001, TenantVNI)
}

func service(name string, kind network.InstanceKind, loopback netip.Addr, evi, vni uint32) network.Instance {
	return network.Instance{
		Name: name, Kind: kind, Enabled: true, EVPN: evpn(loopback, evi, vni),
		VXLAN: &network.VXLAN{Interface: fmt.Sprintf("vxlan1.%d", vni), VNI: vni, Source: loopback},
	}
}

func evpn(loopback netip.Addr, evi, vni uint32) *network.EVPN {
	rt := []network.RT{network.RT(fmt.Sprintf("%d:%d", AS, vni))}
	return &network.EVPN{
		Enabled: true, EVI: evi, ECMP: 8, RD: network.RD(fmt.Sprintf("%s:%d", loopback, evi)), Import: rt, Export: rt,
		MulticastRoutes: true, MACRoutes: true,
	}
}

// stitch makes a router a gateway.
func (n *Network) stitch(r *network.Router, s, i int) {
	loopback := Loopback(s, 2, i)
	for at, in := range []network.Instance{tenant(loopback), bridge(loopback)} {
		vni, label := in.VXLAN.VNI+wan, uint32(500000+at)
		far := evpn(loopback, in.EVPN.EVI+30000, vni)
		in.EVPN.Discovery = in.Kind == network.MACVRF
		in.EVPN.Domain, far.Domain = Domain(s), Domain(0)
		in.Interconnect = &network.Interconnect{EVPN: far, Uniform: true}
		if in.Kind == network.IPVRF {
			in.EVPN.Preference = 169 // what comes from the site wins, as in routers that reach it by a bridge
		}
		if n.VXLAN {
			in.Interconnect.VXLAN = &network.VXLAN{Interface: fmt.Sprintf("vxlan2.%d", vni), VNI: vni, Source: loopback}
		} else {
			in.Interconnect.MPLS = &network.MPLS{Label: label, Source: loopback, SegmentRouting: true}
		}
		r.Instances = append(r.Instances, in)
	}
	if n.Gateways[s-1] > 1 {
		r.Segments = []network.EthernetSegment{{Name: "interconnect", Enabled: true, ESI: Segment(s), Instances: []string{"web"}}}
	}
	r.Instances[0].ISIS = &network.ISIS{
		Enabled: true, NET: fmt.Sprintf("49.0001.0100.%04d.%04d.00", s, i), Level2: true, Base: labels, Size: 1000, Index: uint32(100*s + i),
		Interfaces: []network.ISISInterface{{Name: "system0.0", Enabled: true, Passive: true, Level2: true}},
	}
}

// Segment is the interconnect segment of a site.
func Segment(site int) network.ESI { return network.ESI{0, 0, byte(site), 0, 0, 0, 1} }

// interconnect joins the gateways of two sites.
func (n *Network) interconnect(s, t int) {
	for i := 1; i <= n.Gateways[s-1]; i++ {
		for j := 1; j <= n.Gateways[t-1]; j++ {
			a, b := n.Routers[Gateway(s, i)], n.Routers[Gateway(t, j)]
			if !n.Chain || t == s+1 {
				n.trunk(a, b)
			}
			for k, r := range []*network.Router{a, b} {
				nb := overlay(r, []*network.Router{b, a}[k])
				nb.Export = []string{"wan"}
				bgp(r).Neighbors = append(bgp(r).Neighbors, nb)
			}
		}
	}
}

// trunk is a link on which IS-IS runs.
func (n *Network) trunk(a, b *network.Router) {
	subs := n.cable(a, b)
	for i, r := range []*network.Router{a, b} {
		is := r.Instances[0].ISIS
		is.Interfaces = append(is.Interfaces, network.ISISInterface{
			Name: subs[i].Name, Enabled: true, PointToPoint: true, Level2: true, Metric: 10,
		})
	}
}

func bgp(r *network.Router) *network.BGP { return r.Instances[0].BGP }

// Isolate cuts all links of a gateway to those of other sites.
func (n *Network) Isolate(site, i int) {
	name := Gateway(site, i)
	for _, c := range n.Wiring.Cables {
		if (c.A.Device == name || c.B.Device == name) && strings.Contains(c.A.Device, "-gw") && strings.Contains(c.B.Device, "-gw") {
			n.Outages.Cables[c.String()] = true
		}
	}
}
