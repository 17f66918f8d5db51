package fabric

import (
	"hash/maphash"

	"github.com/loomfabric/loom/pkg/topology"
)

// Compile decides everything that the intent leaves open. It is pure: the same intent gives the same design,
// in whatever order it lists things. The design is nil if there is an error among the diagnostics.
func Compile(t *topology.Topology) (*Design, topology.Diagnostics) {
	return new(Compiler).Compile(t)
}

// Compiler compiles one intent after another and takes over devices whose inputs did not change: they are the
// same pointers in both designs, so whatever follows from a device need not be done again. It changes no
// result. The zero Compiler is ready; it is not safe for concurrent use.
type Compiler struct {
	last    map[string]decided
	planned map[string]*planned // lines
	seeds   [2]maphash.Seed
}

// decided is a device of the last design with the digest of what it was decided from.
type decided struct {
	device *Device
	inputs digest
}

// Compile is like the function Compile. An intent with errors leaves the last good design in memory.
func (c *Compiler) Compile(t *topology.Topology) (*Design, topology.Diagnostics) {
	d := newDraft(t)
	for missed := (misses{}); ; d = newDraft(t) {
		d.known, d.missed = c.planned, missed
		d.number()
		d.readDCIs()
		d.joinSites()
		d.announce()
		if d.illuminate() {
			break
		}
	}
	d.tenantsAndSegments()
	d.cable()
	d.bundle()
	d.attach()
	d.settlePorts()
	d.settleWires()
	d.place()
	d.meet()
	d.stitch()
	d.check()
	diags := d.report.diagnostics()
	if diags.HasErrors() {
		return nil, diags
	}
	return c.design(d), diags
}

// design turns a draft without errors into a design.
func (c *Compiler) design(d *draft) *Design {
	login := d.in.GetLogin()
	design := &Design{
		Name: d.in.GetName(), OverlayAS: d.in.GetOverlayAs(), Devices: make([]*Device, 0, len(d.nodes)+len(d.stations)), Cables: d.cables(),
		Ducts: d.designDucts(), Lines: d.designLines(), Channels: d.designChannels(), DCIs: d.designDCIs(), Spans: d.designSpans(),
		Login:  Login{Username: login.GetUsername(), Password: login.GetPassword(), CA: login.GetCa()},
		byName: make(map[string]*Device, len(d.nodes)),
	}
	if c.last == nil {
		c.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	}
	next := make(map[string]decided, len(d.nodes)+len(d.stations))
	digester := newDigester(d, c.seeds)
	take := func(name string, inputs digest, decide func() *Device) {
		now := decided{inputs: inputs}
		if last, ok := c.last[name]; ok && last.inputs == now.inputs {
			now.device = last.device
			design.Work.Reused++
		} else {
			now.device = decide()
			design.Work.Devices++
		}
		next[name] = now
		design.Devices = append(design.Devices, now.device)
		design.byName[name] = now.device
	}
	stations := d.stations
	for i, n := range d.nodes {
		take(n.name(), digester.node(n), func() *Device { return d.decide(n) })
		if i+1 < len(d.nodes) && d.nodes[i+1].site == n.site {
			continue
		}
		for ; len(stations) > 0 && stations[0].site == n.site; stations = stations[1:] {
			take(stations[0].name, digester.station(stations[0]), stations[0].decide(d))
		}
	}
	for _, s := range stations {
		take(s.name, digester.station(s), s.decide(d))
	}
	c.last, c.planned = next, d.plans
	return design
}

// decide makes the device of a node. Whatever it reads is part of the node's digest.
func (d *draft) decide(n *node) *Device {
	device := &Device{
		Name: n.name(), Topology: d.in.GetName(), Site: n.site.in.GetName(), Role: n.role, Number: n.number(),
		Platform: n.platform, Release: n.in.GetRelease(), OS: n.platform.OS, Labels: n.in.GetLabels(),
		ASN: n.asn, Loopback: n.loopback, Loopback6: n.loopback6, Management: n.management, Fingerprint: n.in.GetFingerprint(),
		Group: n.group(), Ref: n.ref,
		Underlay: n.underlay(), Overlay: d.overlay(n), Links: d.links(n),
		Breakouts: d.breakouts(n), Ports: d.accessPorts(n), LAGs: d.lags(n),
		Segments: n.macVRFs(), VRFs: n.ipVRFs(), Raw: d.rawLeaves(n.raw), Light: n.light, WAN: n.wan,
	}
	if n.disablesUnused() {
		device.Unused = n.unused()
	}
	return device
}

func (d *draft) rawLeaves(indexes []int32) []RawLeaf {
	var list []RawLeaf
	for _, i := range indexes {
		raw := d.in.GetRaw()[i]
		list = append(list, RawLeaf{Path: raw.GetPath(), Value: raw.GetValue(), Ref: rawRef(int(i))})
	}
	return list
}

func rawRef(i int) Ref { return Ref("raw/" + decimal(uint32(i))) }
