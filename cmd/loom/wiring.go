package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
	plant "github.com/loomfabric/loom/pkg/sim/network"
)

// wiring is what has to be plugged into the simulated devices of a design: its cables, and a server at
// the access ports, which talks in every segment that the port is for. Ports of one ethernet segment have
// one server, bonded. perLeaf is how many servers are made up at most for one leaf; those that the
// topology names by a cable come in any case.
func wiring(design *fabric.Design, perLeaf int) *plant.Wiring {
	w := &wirer{design: design, servers: map[string]*server{}, segments: map[string]*segment{}, attached: map[string]bool{}}
	for _, c := range design.Cables {
		w.cable(c)
	}
	for _, d := range design.Devices {
		for i := range d.Segments {
			w.segment(&d.Segments[i])
		}
	}
	for _, d := range design.Devices {
		w.attach(d, perLeaf)
	}
	return w.wiring()
}

// server is one that is being put together.
type server struct {
	name string
	nics []plant.End // far ends of its cables, by NIC
	host plant.Host
	subs []fabric.SubPort
}

// segment counts the servers of a segment.
type segment struct {
	gateways []netip.Prefix
	hosts    uint32
}

type wirer struct {
	design   *fabric.Design
	cables   []plant.Cable
	servers  map[string]*server // by name
	at       map[plant.End]*server
	segments map[string]*segment
	attached map[string]bool // leaves whose servers are made up already
}

// cable takes over a cable of the design.
func (w *wirer) cable(c fabric.Cable) {
	a, b := plant.End{Device: c.A.Device, Port: c.A.Port}, plant.End{Device: c.B.Device, Port: c.B.Port}
	w.cables = append(w.cables, plant.Cable{A: a, B: b})
	if c.A.Server {
		w.plug(a.Device, a.Port, b)
	}
	if c.B.Server {
		w.plug(b.Device, b.Port, a)
	}
}

// plug notes that a NIC of a server is at a port of a router.
func (w *wirer) plug(name, nic string, port plant.End) *server {
	s := w.servers[name]
	if s == nil {
		s = &server{name: name}
		w.servers[name] = s
	}
	s.host.NICs = append(s.host.NICs, nic)
	s.nics = append(s.nics, port)
	if w.at == nil {
		w.at = map[plant.End]*server{}
	}
	w.at[port] = s
	return s
}

func (w *wirer) segment(s *fabric.MACVRF) {
	if w.segments[s.Key] == nil {
		w.segments[s.Key] = &segment{gateways: s.Gateway}
	}
}

// attach finds the server of each access port of a leaf, and makes up those that nobody named.
func (w *wirer) attach(d *fabric.Device, perLeaf int) {
	defer func() { w.attached[d.Name] = true }()
	made := 0
	for _, p := range d.Ports {
		lag := lagOf(d, p.LAG)
		subs := p.Subs
		if lag != nil {
			subs = lag.Subs
		}
		at := plant.End{Device: d.Name, Port: p.Port}
		s := w.at[at]
		if s == nil {
			name := serverName(d, p, lag)
			if w.servers[name] == nil {
				if made == perLeaf || lag != nil && w.attached[lag.Peer] {
					continue // a server is on both leaves or on none
				}
				made++
			}
			nic := "eth0"
			if old := w.servers[name]; old != nil {
				nic = fmt.Sprintf("eth%d", len(old.nics))
			}
			s = w.plug(name, nic, at)
			w.cables = append(w.cables, plant.Cable{A: at, B: plant.End{Device: name, Port: nic}})
		}
		s.host.LACP = s.host.LACP || lag != nil
		if len(s.subs) == 0 {
			s.subs = subs
		}
	}
}

func lagOf(d *fabric.Device, number uint32) *fabric.LAG {
	i := slices.IndexFunc(d.LAGs, func(l fabric.LAG) bool { return number != 0 && l.Number == number })
	if i < 0 {
		return nil
	}
	return &d.LAGs[i]
}

// serverName is the name of a made up server. The ports of one ethernet segment give one name.
func serverName(d *fabric.Device, p fabric.AccessPort, lag *fabric.LAG) string {
	switch {
	case lag == nil:
		return "host-" + d.Name + "-" + strings.NewReplacer("ethernet-", "", "/", "-").Replace(p.Port)
	case lag.ESI == "":
		return fmt.Sprintf("host-%s-lag%d", d.Name, lag.Number)
	}
	return fmt.Sprintf("host-%s-lag%d", min(d.Name, lag.Peer), lag.Number)
}

// wiring gives the servers their addresses, in the order of their names, and sorts everything.
func (w *wirer) wiring() *plant.Wiring {
	out := &plant.Wiring{Cables: w.cables}
	for i, name := range slices.Sorted(maps.Keys(w.servers)) {
		s := w.servers[name]
		s.host.Name, s.host.MAC = name, hostMAC(i, 0)
		for j, sub := range s.subs {
			s.host.Addresses = append(s.host.Addresses, plant.HostAddress{
				VLAN: uint16(sub.VLAN), MAC: hostMAC(i, j), IPs: w.segments[sub.Segment].next(),
			})
		}
		out.Hosts = append(out.Hosts, s.host)
	}
	slices.SortFunc(out.Cables, func(a, b plant.Cable) int { return cmp.Compare(a.String(), b.String()) })
	return out
}

// hostMAC is a locally administered address for the n-th interface of the i-th server.
func hostMAC(i, n int) plant.MAC {
	m := plant.MAC{0: 0x0a, 5: byte(n)}
	binary.BigEndian.PutUint32(m[1:5], uint32(i+1))
	return m
}

// firstHost is the number of a segment's first server in its subnet: those below are left to gateways.
const firstHost = 11

// next returns the addresses of the next server of a segment: none where the subnet is full.
func (s *segment) next() []netip.Prefix {
	n := firstHost + s.hosts
	s.hosts++
	var out []netip.Prefix
	for _, g := range s.gateways {
		a := g.Masked().Addr().AsSlice()
		low := a[len(a)-4:]
		binary.BigEndian.PutUint32(low, binary.BigEndian.Uint32(low)+n)
		addr, _ := netip.AddrFromSlice(a)
		if g.Contains(addr) && addr != g.Addr() && (addr.Is6() || g.Contains(addr.Next())) {
			out = append(out, netip.PrefixFrom(addr, g.Bits()))
		}
	}
	return out
}
