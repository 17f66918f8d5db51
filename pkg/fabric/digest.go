package fabric

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"net/netip"
)

// digest identifies the inputs of a device within one Compiler. Two independent 64-bit hashes, so that two
// inputs that differ have the same digest once in 2^128.
type digest [2]uint64

// digester writes down what a device is decided from. Positions in files are no part of it: a device
// refers to its causes by name.
type digester struct {
	draft    *draft
	seeds    [2]maphash.Seed
	buf      []byte
	sites    map[*site]digest
	segments map[*segment]digest
	tenants  map[*tenant]digest
}

func newDigester(d *draft, seeds [2]maphash.Seed) *digester {
	g := &digester{
		draft: d, seeds: seeds, sites: make(map[*site]digest, len(d.sites)),
		segments: make(map[*segment]digest, len(d.segments)), tenants: make(map[*tenant]digest, len(d.tenants)),
	}
	for _, s := range d.sites {
		g.site(s)
		g.sites[s] = g.sum()
	}
	for _, t := range d.tenants {
		g.tenant(t)
		g.tenants[t] = g.sum()
	}
	for _, s := range d.segments {
		g.segment(s)
		g.segments[s] = g.sum()
	}
	return g
}

// sum returns the digest of what was written and starts afresh.
func (g *digester) sum() digest {
	sum := digest{maphash.Bytes(g.seeds[0], g.buf), maphash.Bytes(g.seeds[1], g.buf)}
	g.buf = g.buf[:0]
	return sum
}

// text writes strings, each with its length, so that two cannot run into one.
func (g *digester) text(list ...string) {
	for _, s := range list {
		g.buf = binary.AppendUvarint(g.buf, uint64(len(s)))
		g.buf = append(g.buf, s...)
	}
}

func (g *digester) numbers(list ...uint32) {
	for _, n := range list {
		g.buf = binary.AppendUvarint(g.buf, uint64(n))
	}
}

func (g *digester) addr(a netip.Addr) {
	b := a.As16()
	g.buf = append(g.buf, byte(a.BitLen()))
	g.buf = append(g.buf, b[:]...)
}

func (g *digester) prefixes(list []netip.Prefix) {
	g.numbers(uint32(len(list)))
	for _, p := range list {
		g.addr(p.Addr())
		g.numbers(uint32(p.Bits()))
	}
}

func (g *digester) digest(d digest) {
	g.buf = binary.LittleEndian.AppendUint64(g.buf, d[0])
	g.buf = binary.LittleEndian.AppendUint64(g.buf, d[1])
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// site writes the settings of a site; who meets whom is written with each device.
func (g *digester) site(s *site) {
	under, over := s.in.GetUnderlay(), s.in.GetOverlay()
	g.text(g.draft.in.GetName(), s.in.GetName(), over.GetClusterId())
	g.numbers(g.draft.in.GetOverlayAs(), s.in.GetNumber(), bit(s.unnumbered), bit(s.ibgp()))
	g.numbers(under.GetMtu(), under.GetMaxPaths(), under.GetBfd().GetMultiplier(), under.GetBfd().GetIntervalMs())
	g.prefixes(s.advertise)
	g.prefixes(s.abroad)
}

func (g *digester) tenant(t *tenant) {
	g.text(t.in.GetName())
	g.numbers(t.in.GetNumber(), t.vni, t.evi)
}

func (g *digester) segment(s *segment) {
	g.text(s.key)
	g.numbers(s.in.GetNumber(), s.vni, s.evi, s.vlan, s.in.GetMtu())
	g.prefixes(s.gateway)
}

// node returns the digest of everything that a device is decided from.
func (g *digester) node(n *node) digest {
	in := n.in
	g.text(n.name(), string(n.role), in.GetPlatform(), in.GetRelease(), in.GetFingerprint(), n.group())
	g.numbers(n.number(), n.asn, bit(n.disablesUnused()), uint32(len(in.GetLabels())))
	g.text(in.GetLabels()...)
	g.addr(n.loopback)
	g.addr(n.loopback6)
	g.addr(n.management)
	g.digest(g.sites[n.site])
	g.sessions(n)
	for _, c := range n.claims {
		g.numbers(uint32(c.port.index), uint32(c.port.channel), uint32(c.kind))
		g.claim(n, c)
	}
	g.light(&n.light)
	g.wan(&n.wan)
	g.raw(n.raw)
	for _, s := range n.segments {
		g.digest(g.segments[s])
	}
	for _, t := range n.vrfs {
		g.digest(g.tenants[t])
	}
	return g.sum()
}

// station returns the digest of everything that a station is decided from.
func (g *digester) station(s *station) digest {
	g.text(g.draft.in.GetName(), s.name, s.siteName, string(s.role), s.platform.Name, s.release, s.fingerprint, s.group(), string(s.ref))
	g.numbers(s.number, bit(s.unused), uint32(len(s.labels)))
	g.text(s.labels...)
	g.addr(s.management)
	g.light(&s.light)
	g.raw(s.raw)
	return g.sum()
}

// light writes what a device does with light.
func (g *digester) light(l *Light) {
	g.numbers(uint32(len(l.Coherent)), uint32(len(l.Clients)), uint32(len(l.Amplifiers)), uint32(len(l.Media)))
	for _, c := range l.Coherent {
		g.text(c.Port, c.Channel, c.Mode.Name, c.Setting, c.PeerName, c.PeerPort, string(c.Ref))
		g.numbers(uint32(c.Frequency), uint32(c.Lanes), uint32(len(c.Clients)))
		g.text(c.Clients...)
		g.floats(float64(c.Power))
	}
	for _, c := range l.Clients {
		g.text(c.Port, c.Line, c.PeerName, c.PeerPort, string(c.Ref))
		g.numbers(uint32(c.Rate))
	}
	for _, a := range l.Amplifiers {
		g.text(a.Name, a.Line, a.Kind.Name, string(a.Ref))
		g.floats(float64(a.Gain), float64(a.VOA), float64(a.Output), float64(a.Kind.MinGain), float64(a.Kind.MaxGain), float64(a.Kind.NoiseFigure), float64(a.Kind.MaxOutput))
	}
	for _, m := range l.Media {
		g.text(m.Channel, m.Port, string(m.Ref))
		g.numbers(m.Index, uint32(m.Low), uint32(m.High))
	}
}

// wan writes all that a gateway stitches: what few devices have need not be written field by field.
func (g *digester) wan(w *WAN) {
	all := *w
	all.Segment = nil
	g.text(fmt.Sprintf("%+v", all))
	if w.Segment != nil {
		g.text(fmt.Sprintf("%+v", *w.Segment))
	}
}

func (g *digester) floats(list ...float64) {
	for _, x := range list {
		g.buf = binary.LittleEndian.AppendUint64(g.buf, math.Float64bits(x))
	}
}

// raw writes leaves that the operator set by path.
func (g *digester) raw(indexes []int32) {
	g.numbers(uint32(len(indexes)))
	for _, i := range indexes {
		raw := g.draft.in.GetRaw()[i]
		g.numbers(uint32(i))
		g.text(raw.GetPath(), raw.GetValue())
	}
}

// sessions writes the overlay neighbours of a device.
func (g *digester) sessions(n *node) {
	list := n.sessions()
	g.numbers(uint32(len(list)))
	for _, far := range list {
		g.text(far.Name, far.Site, string(far.Ref))
		g.addr(far.Addr)
		g.numbers(far.ASN)
	}
}

func (g *digester) claim(n *node, c claim) {
	switch c.kind {
	case accessClaim:
		g.access(n, &g.draft.access[c.what])
	case serverClaim:
		s := &g.draft.servers[c.what]
		g.text(s.name, s.nic)
	default:
		g.wire(n, &g.draft.wires[c.what])
	}
}

// wire writes a cable as one of its ends sees it.
func (g *digester) wire(n *node, w *wire) {
	far, port := w.high, w.highPort
	if n == w.high {
		far, port = w.low, w.lowPort
	}
	g.text(far.name(), far.platform.Ports[port.index].Name, w.speed, string(w.ref()), w.lowVia, w.highVia)
	if w.trunk != nil {
		g.text(w.trunk.name(n))
	}
	if w.channel != nil {
		g.text(w.channel.name, w.channel.breakout(n))
	}
	if x := w.dci(); x != nil {
		g.text(x.in.GetName())
	}
	g.numbers(uint32(port.channel), far.asn, w.lowAddr, w.highAddr, n.watches(far).Multiplier)
}

// access writes an attachment; the other member matters too, for it names the far leaf of the segment.
func (g *digester) access(n *node, a *access) {
	in := a.in
	g.text(string(a.ref), in.GetSpeed(), in.GetDescription())
	g.numbers(in.GetMtu(), a.lag, uint32(len(a.members)), uint32(len(a.subs)), uint32(len(in.GetTagged())), a.members[0].node.number())
	if n.peer != nil {
		g.text(n.peer.name())
	}
	for _, s := range a.subs {
		g.digest(g.segments[s.segment])
		g.numbers(s.vlan)
	}
}
