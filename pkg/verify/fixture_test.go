package verify_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/loomfabric/loom/pkg/verify"
)

// small is two spines and two pairs of leaves, numbered links with BFD, a listed server on leaf1 and a
// bonded one on leaf1 and leaf2; two more bonds have no listed cable.
const small = `
loom: v1
name: small
pool: 10.1.0.0/16
asns: 4200010000+
underlay: {links: numbered, bfd: 3x300ms}
spines: {count: 2, platform: 7220-IXR-D3L}
leaves: {count: 4, platform: 7220-IXR-D2L, pairs: true}
cables:
  - leaf1:ethernet-1/1 - server:web-1:eth0
  - leaf1:ethernet-1/2 - server:db-1:eth0
  - leaf2:ethernet-1/2 - server:db-1:eth1
tenants:
  red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}}}
ports:
  - {on: leaf1, range: ethernet-1/1, segments: [web]}
  - {on: leaves, range: ethernet-1/2, lag: pair, segments: [web]}
  - {on: leaf3, range: ethernet-1/5, segments: [web]}
`

func compile(t testing.TB, text string) *fabric.Design {
	t.Helper()
	topo, diags := topology.Parse(topology.Source{Name: "small.yaml", Data: []byte(text)})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	design, diags := fabric.Compile(topo)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return design
}

// noon is when everything was observed.
var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// healthy is what the devices of a design show when all is well. It follows the design device by device,
// not the contracts that are tested with it.
func healthy(design *fabric.Design) verify.Observed {
	o := verify.Observed{At: noon, Devices: map[string]verify.Device{}}
	for _, d := range design.Devices {
		o.Devices[d.Name] = healthyDevice(design, d)
	}
	return o
}

func healthyDevice(design *fabric.Design, d *fabric.Device) verify.Device {
	out := verify.Device{
		Seen: noon, Drift: &verify.Drift{}, LLDP: true,
		Interfaces: map[string]verify.Interface{}, LAGs: map[uint32]verify.LAG{},
		Tunnels: map[uint32]verify.Tunnel{}, Segments: map[string]verify.Segment{},
		Adjacencies: map[string]verify.Adjacency{}, Services: map[string]verify.Service{},
	}
	for _, l := range d.Links {
		out.Interfaces[l.Port] = verify.Interface{Enabled: true, Up: true, Far: []verify.Far{{System: l.PeerName, Port: l.PeerPort}}}
		if l.Trunk != "" {
			continue
		}
		peer := l.Peer
		if !peer.IsValid() {
			peer = netip.MustParseAddr("fe80::1%" + l.Port + ".0")
		}
		out.Sessions = append(out.Sessions, session(peer, l.PeerASN, "ipv4-unicast"))
		if d.Loopback6.IsValid() {
			out.Sessions[len(out.Sessions)-1].Families["ipv6-unicast"] = verify.Family{Negotiated: true, Received: 3, Active: 3}
		}
		if d.Underlay.BFD.Multiplier > 0 {
			out.BFD = append(out.BFD, verify.BFD{Instance: "default", Peer: peer.WithZone(""), Up: true})
		}
	}
	for _, n := range d.Overlay.Neighbors {
		as := n.ASN
		if d.Overlay.IBGP {
			as = d.Overlay.AS
		}
		out.Sessions = append(out.Sessions, session(n.Addr, as, "evpn"))
	}
	for _, n := range d.WAN.Neighbors {
		out.Sessions = append(out.Sessions, session(n.Addr, d.WAN.AS, "evpn"))
	}
	for _, x := range d.WAN.Trunks {
		out.Adjacencies[x.Name] = verify.Adjacency{Enabled: true, State: "up", Level2: true, Peer: x.Peer, System: loopbackOf(design, x.PeerName)}
		if x.BFD.Multiplier > 0 {
			out.BFD = append(out.BFD, verify.BFD{Instance: "default", Peer: x.Peer, Up: true})
		}
		lag := verify.LAG{Up: true, Members: map[string]verify.Member{}}
		for _, port := range x.Ports {
			lag.Members[port] = verify.Member{Up: true}
		}
		if x.LAG != 0 {
			out.LAGs[x.LAG] = lag
		}
	}
	for _, p := range d.Ports {
		out.Interfaces[p.Port] = verify.Interface{Enabled: true, Up: true}
	}
	floods := func(key string, vni uint32) {
		t := verify.Tunnel{Up: true}
		for _, far := range design.Devices {
			if far != d && reaches(design, d, far, key) {
				t.VTEPs = append(t.VTEPs, far.Loopback)
			}
		}
		slices.SortFunc(t.VTEPs, netip.Addr.Compare)
		out.Tunnels[vni] = t
	}
	for _, s := range d.Segments {
		floods(s.Key, s.VNI)
	}
	for _, b := range d.WAN.Bridges {
		floods(b.Key, b.Fabric.VNI)
		if b.WAN.VNI != 0 {
			t := verify.Tunnel{Up: true}
			for _, n := range d.WAN.Neighbors {
				t.VTEPs = append(t.VTEPs, n.Addr)
			}
			out.Tunnels[b.WAN.VNI] = t
		}
	}
	for _, l := range d.LAGs {
		lag := verify.LAG{Up: true, Members: map[string]verify.Member{}}
		for _, p := range d.Ports {
			if p.LAG == l.Number {
				lag.Members[p.Port] = verify.Member{Up: true}
			}
		}
		out.LAGs[l.Number] = lag
		if l.ESI == "" {
			continue
		}
		ends := []netip.Addr{d.Loopback, design.Device(l.Peer).Loopback}
		slices.SortFunc(ends, netip.Addr.Compare)
		s := verify.Segment{ESI: l.ESI, Up: true, Elections: map[string]verify.Election{}}
		for _, sub := range l.Subs {
			name := strings.ReplaceAll(sub.Segment, "/", "-")
			s.Elections[name] = verify.Election{Candidates: ends, Forwarders: ends[:1]}
		}
		out.Segments[l.ESName] = s
	}
	healthyServices(design, d, &out)
	healthyLight(design, d, &out)
	return out
}

// healthyServices is what a gateway shows of what it stitches.
func healthyServices(design *fabric.Design, d *fabric.Device, out *verify.Device) {
	var far []netip.Addr
	for _, n := range d.WAN.Neighbors {
		far = append(far, n.Addr)
	}
	slices.SortFunc(far, netip.Addr.Compare)
	mpls := d.WAN.Labels.Size != 0
	if mpls {
		out.Labels = verify.Labels{Enabled: true, Ends: far}
	}
	elections := map[string]verify.Election{}
	for _, b := range d.WAN.Bridges {
		s := verify.Service{Enabled: true, Up: true, MPLS: mpls}
		if mpls {
			s.Floods = far
		}
		out.Services[b.Name] = s
		elections[b.Name] = verify.Election{Candidates: pairOf(design, d), Forwarders: pairOf(design, d)[:1]}
	}
	for _, r := range d.WAN.Routers {
		out.Services[r.Name] = verify.Service{Enabled: true, Up: true, Inside: 3, Outside: 2}
	}
	if s := d.WAN.Segment; s != nil {
		out.Segments[s.Name] = verify.Segment{ESI: s.ESI, Up: true, Elections: elections}
	}
}

// pairOf are the addresses of the gateways of a device's site.
func pairOf(design *fabric.Design, d *fabric.Device) (out []netip.Addr) {
	for _, other := range design.Devices {
		if other.Site == d.Site && other.Role == fabric.Gateway {
			out = append(out, other.Loopback)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

// reaches tells whether a leaf sends broadcast of a segment to a device by itself: to leaves that have it, and where gateways
// stitch it, to those of its own site alone, and to its gateways.
func reaches(design *fabric.Design, d, far *fabric.Device, key string) bool {
	bridged := slices.ContainsFunc(far.WAN.Bridges, func(b fabric.Bridge) bool { return b.Key == key })
	stitched := slices.ContainsFunc(design.Spans, func(s fabric.Span) bool { return s.Key == key && s.Service != fabric.LeafToLeaf })
	return (bridged || slices.ContainsFunc(far.Segments, func(o fabric.MACVRF) bool { return o.Key == key })) && (far.Site == d.Site || !stitched)
}

func session(peer netip.Addr, as uint32, family string) verify.Session {
	return verify.Session{
		Instance: "default", Peer: peer, PeerAS: as, State: "established",
		Families: map[string]verify.Family{family: {Negotiated: true, Received: 3, Active: 3}},
	}
}

// world is an observation that faults are done to, as the devices would show them.
type world struct {
	design *fabric.Design
	verify.Observed
}

func newWorld(t testing.TB, text string) *world {
	design := compile(t, text)
	return &world{design, healthy(design)}
}

// change changes what one device shows.
func (w *world) change(name string, how func(*verify.Device)) {
	d := w.Devices[name]
	how(&d)
	w.Devices[name] = d
}

// link finds a device's n-th link, from 0.
func (w *world) link(name string, n int) *fabric.Link { return &w.design.Device(name).Links[n] }

// port changes what a device shows of a port.
func (w *world) port(name, port string, how func(*verify.Interface)) {
	w.change(name, func(d *verify.Device) {
		if i, ok := d.Interfaces[port]; ok {
			how(&i)
			d.Interfaces[port] = i
		}
	})
}

// hang puts the session of a device with a peer into a state; a device that an earlier fault has silenced has none.
func (w *world) hang(name string, peer netip.Addr, how func(*verify.Session)) {
	w.change(name, func(d *verify.Device) {
		d.Sessions = slices.Clone(d.Sessions)
		for i := range d.Sessions {
			if d.Sessions[i].Peer == peer {
				how(&d.Sessions[i])
				return
			}
		}
	})
}

func idle(s *verify.Session) { s.State = "active" }

// cut cuts a device's n-th link: ports, sessions and what the underlay carried over it alone.
func (w *world) cut(name string, n int) {
	l := w.link(name, n)
	dark := func(i *verify.Interface) { i.Up, i.Reason, i.Far = false, "no-signal", nil }
	w.port(name, l.Port, dark)
	w.port(l.PeerName, l.PeerPort, dark)
	w.silence(name, n)
}

// silence ends what runs over a device's n-th link: the session of the underlay, its BFD, and the overlay's.
func (w *world) silence(name string, n int) {
	l := w.link(name, n)
	w.hang(name, l.Peer, idle)
	w.hang(l.PeerName, l.Addr.Addr(), idle)
	w.hang(name, w.design.Device(l.PeerName).Loopback, idle)
	w.hang(l.PeerName, w.design.Device(name).Loopback, idle)
}

// kill switches a device off.
func (w *world) kill(name string) {
	for n := range w.design.Device(name).Links {
		w.cut(name, n)
	}
	w.forget(name)
	w.Devices[name] = verify.Device{Unreachable: "connection refused", Seen: noon.Add(-90 * time.Second)}
}

// forget makes the others forget a device's tunnels, and elect forwarders without it.
func (w *world) forget(name string) {
	gone := w.design.Device(name).Loopback
	for other, d := range w.Devices {
		for vni, t := range d.Tunnels {
			t.VTEPs = without(t.VTEPs, gone)
			w.Devices[other].Tunnels[vni] = t
		}
		for name, s := range d.Services {
			s.Floods = without(s.Floods, gone)
			w.Devices[other].Services[name] = s
		}
		d.Labels.Ends = without(d.Labels.Ends, gone)
		w.Devices[other] = d
		for segment, s := range d.Segments {
			for instance, e := range s.Elections {
				if other == name {
					continue
				}
				e.Candidates = without(e.Candidates, gone)
				e.Forwarders = e.Candidates[:min(1, len(e.Candidates))]
				w.Devices[other].Segments[segment].Elections[instance] = e
			}
		}
	}
}

// text is what was found: roots, and below each what it takes with it.
func text(findings []verify.Finding) string {
	var b strings.Builder
	for _, g := range verify.Groups(findings) {
		fmt.Fprintf(&b, "%s %s: %s\n", g.Severity, g.Kind, g.Message)
		for _, id := range g.Takes {
			fmt.Fprintf(&b, "  %s\n", id)
		}
	}
	return b.String()
}

func without(list []netip.Addr, gone netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(list), func(a netip.Addr) bool { return a == gone })
}

// loopbackOf is a device's loopback; invalid of a router that the design has not.
func loopbackOf(design *fabric.Design, name string) netip.Addr {
	if d := design.Device(name); d != nil {
		return d.Loopback
	}
	return netip.Addr{}
}
