package fabric

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
	kinds "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/optics"
)

// dci joins two sites.
type dci struct {
	in       *intent.Dci
	ref      Ref
	a, b     *site      // a has the lower number; nil where nothing says
	channels []*channel // by number
	gateways []*node    // that its cables lead to, where it has those in place of channels
}

// leg is a line as a channel passes it.
type leg struct {
	line *line
	back bool // light from a goes from the side of the line to its beginning
}

// channel is one wavelength with what is decided about it.
type channel struct {
	in      *intent.Channel
	name    string // "bj-sh/3"
	dci     *dci
	ref     Ref
	legs    []leg // from a to b
	mode    *optics.Mode
	power   optics.DBm
	slot    optics.Slot
	a, b    terminal
	settled bool // it has a slot
}

// terminal is one side of a channel.
type terminal struct {
	gateway *node
	port    portID   // the first of the gateway's; the connector where it has those
	box     *station // transponder; nil: the gateway makes the light itself
	line    string   // its line port
	clients []string // its clients, one for each link
}

// readDCIs reads all DCIs: which lines their channels pass, where they end and how fast they are.
func (d *draft) readDCIs() {
	byName := map[string]*line{}
	for _, l := range d.lines {
		byName[l.name()] = l
	}
	names, numbers := map[string]*dci{}, map[uint32]*dci{}
	for _, in := range sorted(d.in.GetDcis(), func(x *intent.Dci) uint32 { return x.GetNumber() }) {
		x := &dci{in: in, ref: Ref("dci/" + in.GetName())}
		if other := names[in.GetName()]; other != nil {
			d.report.fail(x.ref, in.GetName()+": two DCIs have this name", "", note{other.ref, "the other one"})
			continue
		}
		if other := numbers[in.GetNumber()]; other != nil {
			d.report.fail(x.ref+"#number", fmt.Sprintf("%s: number %d is also that of %s", in.GetName(), in.GetNumber(), other.in.GetName()), "give each its own", note{other.ref + "#number", "the other one"})
		}
		names[in.GetName()], numbers[in.GetNumber()] = x, x
		d.dcis = append(d.dcis, x)
		for _, c := range sorted(in.GetChannels(), func(c *intent.Channel) uint32 { return c.GetNumber() }) {
			d.readChannel(x, c, byName)
		}
		d.readJoins(x)
	}
	for _, l := range d.lines {
		if one := l.channels; l.in.GetEnds() == intent.LineEnds_LINE_ENDS_BARE && len(one) > 1 {
			d.report.failLike("bare "+l.name(), one[1].ref+"#over", fmt.Sprintf("%s: over %s, which has nothing that joins channels, goes %s already", one[1].name, l.name(), one[0].name),
				"give the line a mux, or the channel another line", note{l.ref, "the line"})
		}
	}
}

func (d *draft) readChannel(x *dci, in *intent.Channel, byName map[string]*line) {
	c := &channel{in: in, dci: x, name: x.in.GetName() + "/" + decimal(in.GetNumber()), ref: x.ref + Ref("/channels/"+decimal(in.GetNumber()))}
	if n := len(x.channels); in.GetNumber() == 0 || n > 0 && x.channels[n-1].in.GetNumber() == in.GetNumber() {
		d.report.fail(c.ref, c.name+": numbers start at 1, and each is that of one channel", "")
		return
	}
	if !d.findLegs(c, byName) || !d.sameSites(c) {
		return
	}
	for _, l := range c.legs {
		if !l.line.built() {
			return // reported with the line
		}
	}
	a, b, ok := d.ends(c)
	if !ok || !d.findMode(c, a, b) {
		return
	}
	if !d.terminate(c, &c.a, a) || !d.terminate(c, &c.b, b) {
		return
	}
	x.channels, d.channels = append(x.channels, c), append(d.channels, c)
	for _, l := range c.legs {
		l.line.channels = append(l.line.channels, c)
	}
}

// findLegs finds the lines of a channel and the direction in which it passes them.
func (d *draft) findLegs(c *channel, byName map[string]*line) bool {
	for _, name := range c.in.GetLines() {
		l := byName[name]
		if l == nil {
			d.report.failEach(c.ref+"#over", c.name, "no line "+name, oneOf(name, mapKeys(byName)))
			return false
		}
		if l.a == nil || l.b == nil {
			return false // reported with the line
		}
		c.legs = append(c.legs, leg{line: l})
	}
	if len(c.legs) == 0 {
		d.report.failEach(c.ref+"#over", c.name, "over no line", "name one with over")
		return false
	}
	return d.follow(c)
}

// follow goes along the lines from one side to the other, and turns the channel so that it begins at the site with the lower number.
func (d *draft) follow(c *channel) bool {
	at := c.legs[0].line.a
	if len(c.legs) > 1 && (c.legs[1].line.a == at || c.legs[1].line.b == at) {
		at = c.legs[0].line.b
	}
	first := at
	for i := range c.legs {
		l := c.legs[i].line
		c.legs[i].back = at == l.b
		switch at {
		case l.a:
			at = l.b
		case l.b:
			at = l.a
		default:
			d.report.failEach(c.ref+"#over", c.name, fmt.Sprintf("line %s joins %s and %s, and the channel is at %s there", l.name(), l.in.GetFrom(), l.in.GetTo(), at.in.GetName()),
				"name lines in order, each from where the one before ends")
			return false
		}
		if len(c.legs) > 1 && l.in.GetEnds() != intent.LineEnds_LINE_ENDS_ROADM {
			d.report.failEach(c.ref+"#over", c.name, fmt.Sprintf("line %s has no ROADM at its ends, which passes channels on", l.name()), "give it ends: roadm", note{l.ref, "the line"})
			return false
		}
	}
	if at == first {
		d.report.failEach(c.ref+"#over", c.name, "comes back to where it begins", "name lines that lead to another site")
		return false
	}
	if at.in.GetNumber() < first.in.GetNumber() {
		slices.Reverse(c.legs)
		for i := range c.legs {
			c.legs[i].back = !c.legs[i].back
		}
	}
	return true
}

// start and end are the sites that a leg joins, in the direction of the channel.
func (l leg) start() *site {
	if l.back {
		return l.line.b
	}
	return l.line.a
}

func (l leg) end() *site { return leg{l.line, !l.back}.start() }

// sameSites reports a channel that does not join what the others of its DCI do.
func (d *draft) sameSites(c *channel) bool {
	x, a, b := c.dci, c.legs[0].start(), c.legs[len(c.legs)-1].end()
	if x.a == nil {
		x.a, x.b = a, b
		return d.checkSites(x)
	}
	if x.a == a && x.b == b {
		return x.a.unnumbered == x.b.unnumbered && mtu(x.a) == mtu(x.b) // reported once
	}
	d.report.failEach(c.ref+"#over", c.name, fmt.Sprintf("joins %s and %s, and other channels of %s join %s and %s", a.in.GetName(), b.in.GetName(), x.in.GetName(), x.a.in.GetName(), x.b.in.GetName()),
		"make it a DCI of its own")
	return false
}

func mtu(s *site) uint32 { return s.in.GetUnderlay().GetMtu() }

// checkSites reports sites whose links are too different for a link between them.
func (d *draft) checkSites(x *dci) bool {
	a, b := x.a, x.b
	name := fmt.Sprintf("%s: sites %s and %s", x.in.GetName(), a.in.GetName(), b.in.GetName())
	if a.unnumbered != b.unnumbered {
		d.report.fail(x.ref, name+": the links of one are numbered, those of the other are not, and a channel has an end at each", "give both the same links",
			note{a.ref + "/underlay#links", a.in.GetName()}, note{b.ref + "/underlay#links", b.in.GetName()})
		return false
	}
	if mtu(a) != mtu(b) {
		d.report.fail(x.ref, fmt.Sprintf("%s: mtu %d and %d: a channel has an end at each", name, mtu(a), mtu(b)), "give both the same mtu",
			note{a.ref + "/underlay#mtu", a.in.GetName()}, note{b.ref + "/underlay#mtu", b.in.GetName()})
		return false
	}
	return true
}

// side is what stands at one side of a channel: the gateway that it is for, and what makes its light.
type side struct {
	site     *site
	gateway  *node
	box      *station // transponder; nil: the gateway itself
	given    string   // port in the intent
	platform *hardware.Platform
}

// ends finds the devices of a channel: gateway and transponder number n of a site have the channels n, n plus their count, and so on.
func (d *draft) ends(c *channel) (a, b side, ok bool) {
	a, b = side{site: c.dci.a}, side{site: c.dci.b}
	for _, e := range []*side{&a, &b} {
		s, turn := e.site, c.in.GetNumber()-1
		if len(s.gateways) == 0 {
			d.report.failEach(c.ref, c.dci.in.GetName(), "site "+s.in.GetName()+" has no gateways", "add gateways: {count: 2, platform: 7250-IXR-X3b} to it", note{s.ref, "the site"})
			return a, b, false
		}
		e.gateway = s.gateways[turn%uint32(len(s.gateways))]
		if e.gateway, e.given, ok = d.givenPort(c, s, e.gateway); !ok {
			return a, b, false
		}
		e.platform = e.gateway.platform
		if c.in.GetTransponders() {
			if len(s.boxes) == 0 {
				d.report.failEach(c.ref+"#transponders", c.dci.in.GetName(), "site "+s.in.GetName()+" has no transponders", "add transponders: {count: 1, platform: openconfig-transponder} to it, or take transponders: true out",
					note{s.ref, "the site"})
				return a, b, false
			}
			e.box = s.boxes[turn%uint32(len(s.boxes))]
			e.platform = e.box.platform
		}
		if e.platform == nil || e.gateway.platform == nil {
			return a, b, false // reported with the device
		}
	}
	return a, b, true
}

// givenPort returns the gateway and the port that the intent names at a site, or else the derived gateway and "".
func (d *draft) givenPort(c *channel, s *site, derived *node) (*node, string, bool) {
	if len(c.in.GetPorts()) == 0 {
		return derived, "", true
	}
	for _, p := range c.in.GetPorts() {
		n := d.node(p.GetDevice(), c.ref+"#ports")
		if n == nil {
			return nil, "", false
		}
		if n.site == s && n.role == Gateway {
			return n, p.GetPort(), true
		}
	}
	d.report.failEach(c.ref+"#ports", c.name, "no port at site "+s.in.GetName(), "name a port of a gateway at "+c.dci.a.in.GetName()+" and one at "+c.dci.b.in.GetName())
	return nil, "", false
}

// maker is who makes the light.
func (e *side) maker() string {
	if e.box != nil {
		return e.box.name
	}
	return e.gateway.name()
}

// findMode finds the mode that the intent names, or the fastest that keeps the margin.
func (d *draft) findMode(c *channel, a, b side) bool {
	if c.in.GetMode() == "" {
		c.mode = d.fastest(c, a, b)
	} else if m, ok := kinds.Mode(c.in.GetMode()); ok {
		c.mode = m
	} else {
		var names []string
		for _, m := range kinds.Modes() {
			names = append(names, m.Name)
		}
		d.report.failEach(c.ref+"#mode", c.dci.in.GetName(), "no mode "+c.in.GetMode(), oneOf(c.in.GetMode(), names))
	}
	if c.mode == nil {
		return false
	}
	for _, e := range []side{a, b} {
		if _, ok := e.platform.Coherent.Mode(c.mode.Name); !ok {
			fix := "it takes no coherent optics"
			if names := coherentModes(e.platform); len(names) > 0 {
				fix = "it has " + strings.Join(names, ", ")
			}
			d.report.failLike("mode "+c.mode.Name+e.platform.Name, c.ref+"#mode", fmt.Sprintf("%s: %s: %s of %s has no mode %s", c.dci.in.GetName(), c.name, e.platform.Name, e.maker(), c.mode.Name), fix)
			return false
		}
		if _, ok := e.links(c.mode); !ok {
			d.report.failEach(c.ref+"#mode", c.dci.in.GetName(), fmt.Sprintf("%s carries %d Gb/s, and clients of %s run at %s", c.mode.Name, c.mode.Rate, e.platform.Name, clientSpeed(e.platform)),
				"use a mode whose rate is a multiple of it")
			return false
		}
	}
	c.power = c.mode.TxDefault
	if c.in.Power != nil {
		c.power = optics.DBm(c.in.GetPower())
	}
	if c.power < c.mode.TxMin || c.power > c.mode.TxMax {
		d.report.failEach(c.ref+"#power", c.dci.in.GetName(), fmt.Sprintf("power %v: %s can be set to %v up to %v", c.power, c.mode.Name, c.mode.TxMin, c.mode.TxMax), "leave it out, or write one in between")
		return false
	}
	return true
}

// modesOf are the modes that both ends can do, whose rate their links can fill.
func modesOf(a, b side) []*optics.Mode {
	var out []*optics.Mode
	all := kinds.Modes()
	for i := range all {
		m := &all[i]
		_, ok1 := a.platform.Coherent.Mode(m.Name)
		_, ok2 := b.platform.Coherent.Mode(m.Name)
		_, full1 := a.links(m)
		_, full2 := b.links(m)
		if ok1 && ok2 && full1 && full2 {
			out = append(out, m)
		}
	}
	return out
}

func coherentModes(p *hardware.Platform) []string {
	var out []string
	if p.Coherent != nil {
		for _, m := range p.Coherent.Modes {
			out = append(out, m.Name)
		}
	}
	return out
}

// clientSpeed is what the clients of a transponder run at.
func clientSpeed(p *hardware.Platform) string { return p.Ports[p.PortIndex(p.Clients[0])].Speeds[0] }

// links is how many links a channel in this mode carries; false where its rate is no multiple of a client's.
func (e *side) links(m *optics.Mode) (int, bool) {
	if e.box == nil {
		mode, _ := e.platform.Coherent.Mode(m.Name)
		if mode.Breakout == "" {
			return 1, true
		}
		n, _ := splitMode(mode.Breakout)
		return n, true
	}
	rate, _ := strconv.Atoi(strings.TrimSuffix(clientSpeed(e.platform), "G"))
	return m.Rate / rate, m.Rate%rate == 0
}

// announce decides which loopbacks the devices of a site know: their own, and those of all sites that DCIs join it with, directly or
// by way of others, where its leaves send to theirs.
func (d *draft) announce() {
	for _, s := range d.sites {
		if s.wan != nil && !s.stitched() {
			for _, far := range s.wan.sites {
				if far != s {
					s.abroad = append(s.abroad, slices.Concat(far.announced(), far.announced6())...)
				}
			}
		}
		s.advertise = slices.Concat(s.announced(), s.announced6(), s.abroad)
		slices.SortFunc(s.abroad, netip.Prefix.Compare)
		slices.SortFunc(s.advertise, netip.Prefix.Compare)
	}
}

func mapKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}
