package fabric

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/pkg/optics"
)

// terminate decides the ports of a channel at one side. They follow from its number: of the gateways of a site each takes every so-manieth
// channel, on its coherent ports in order, or on those towards transponders; and so do transponders. A channel has as many ports towards a
// transponder as a line port of it has clients, of those that run at the clients' speed, whether its mode carries so many links or not: another mode moves no cable.
func (d *draft) terminate(c *channel, t *terminal, e side) bool {
	t.gateway, t.box = e.gateway, e.box
	links, _ := e.links(c.mode)
	rank := int(c.in.GetNumber()-1) / len(e.site.gateways)
	if e.box == nil {
		return d.coherentPort(c, t, e, rank)
	}
	if !d.clientPorts(c, t, e, links) {
		return false
	}
	name := e.given
	if name == "" {
		ports, each := greyPorts(e.gateway.platform, clientSpeed(e.platform)), clientsEach(e.box)
		if len(ports) == 0 && len(e.gateway.platform.Grey) > 0 {
			d.report.failLike("grey "+e.gateway.platform.Name, c.ref+"#transponders", fmt.Sprintf("%s: no port of %s towards transponders runs at %s (%s), as clients of %s do (%s)",
				c.name, e.gateway.name(), clientSpeed(e.platform), e.gateway.platform.Name, e.box.name, e.platform.Name), "use "+withClients(e.gateway.platform))
			return false
		}
		if rank*each+links > len(ports) {
			d.noPort(c, e.gateway.name(), e.gateway.platform.Name, len(ports), "ports of "+clientSpeed(e.platform)+" towards transponders")
			return false
		}
		name = ports[rank*each]
	}
	var ok bool
	t.port, ok = d.frontPort(e.gateway, name, c.ref+"#ports")
	if ok && int(t.port.index)+links > len(e.gateway.platform.Ports) {
		d.noPort(c, e.gateway.name(), e.gateway.platform.Name, len(e.gateway.platform.Ports), "ports")
		return false
	}
	return ok
}

// greyPorts are the ports of a platform towards transponders whose clients have a speed.
func greyPorts(p *hardware.Platform, speed string) []string {
	return slices.DeleteFunc(slices.Clone(p.Grey), func(name string) bool { return !slices.Contains(p.Ports[p.PortIndex(name)].Speeds, speed) })
}

// withClients names the transponders whose clients have a speed of a platform's ports towards them.
func withClients(gateway *hardware.Platform) string {
	fit := slices.DeleteFunc(platforms(hardware.Transponder), func(name string) bool {
		box, _ := hardware.Lookup(name)
		return len(greyPorts(gateway, clientSpeed(box))) == 0
	})
	return either(append(fit, "other gateways"))
}

func (d *draft) noPort(c *channel, device, platform string, has int, what string) {
	d.report.failLike("no port "+platform, c.ref, fmt.Sprintf("%s: no port left on %s: %s has %d %s, and ports follow from numbers", c.name, device, platform, has, what),
		"use a smaller number or more devices, or name ports")
}

// coherentPort takes the port of a gateway that makes the light itself.
func (d *draft) coherentPort(c *channel, t *terminal, e side, rank int) bool {
	ports := e.platform.Coherent.Ports
	name := e.gateway.connector(e.given)
	switch {
	case name == "" && rank >= len(ports):
		d.noPort(c, e.gateway.name(), e.platform.Name, len(ports), "coherent ports")
		return false
	case name == "":
		name = ports[rank]
	case !slices.Contains(ports, name):
		d.report.failEach(c.ref+"#ports", c.name, fmt.Sprintf("%s of %s takes no coherent optics", name, e.gateway.name()), "use one of "+ports[0]+" to "+ports[len(ports)-1])
		return false
	}
	var ok bool
	t.port, ok = d.frontPort(e.gateway, name, c.ref+"#ports")
	return ok
}

// clientPorts takes the line port of a transponder, and the clients that belong to it.
func (d *draft) clientPorts(c *channel, t *terminal, e side, links int) bool {
	lines, clients := e.platform.Coherent.Ports, e.platform.Clients
	rank, each := int(c.in.GetNumber()-1)/len(e.site.boxes), clientsEach(e.box)
	if rank >= len(lines) || links > each {
		d.noPort(c, e.box.name, e.platform.Name, len(lines), fmt.Sprintf("line ports with %d clients each", each))
		return false
	}
	t.line, t.clients = lines[rank], clients[rank*each:rank*each+links]
	for _, other := range d.channels {
		for _, o := range []*terminal{&other.a, &other.b} {
			if o.box == t.box && o.line == t.line {
				d.report.failLike("two users of a line port", c.ref, fmt.Sprintf("%s:%s: two users: channel %s and channel %s", t.box.name, t.line, other.name, c.name),
					"use another number for one of them", note{other.ref, "the other use"})
				return false
			}
		}
	}
	return true
}

// clientsEach is how many clients belong to each line port of a transponder.
func clientsEach(box *station) int {
	return len(box.platform.Clients) / len(box.platform.Coherent.Ports)
}

// links are the ports of the gateway for each link that the channel carries.
func (c *channel) links(t *terminal) []portID {
	if t.box != nil {
		out := make([]portID, len(t.clients))
		for i := range out {
			out[i] = t.gateway.whole(int(t.port.index) + i)
		}
		return out
	}
	breakout := c.breakout(t.gateway)
	if breakout == "" {
		return []portID{t.gateway.whole(int(t.port.index))}
	}
	n, _ := splitMode(breakout)
	out := make([]portID, n)
	for i := range out {
		out[i] = portID{index: t.port.index, channel: int16(i + 1)}
	}
	return out
}

// breakout is how a gateway's port is broken out for the channel; "" where it is not.
func (c *channel) breakout(n *node) string {
	if c.in.GetTransponders() {
		return ""
	}
	m, _ := n.platform.Coherent.Mode(c.mode.Name)
	return m.Breakout
}

// wireChannels makes links of what channels carry.
func (d *draft) wireChannels() {
	for _, c := range d.channels {
		low, high := c.links(&c.a), c.links(&c.b)
		if len(low) != len(high) {
			d.report.failEach(c.ref+"#mode", c.name, fmt.Sprintf("%d links at %s and %d at %s", len(low), c.a.gateway.name(), len(high), c.b.gateway.name()), "use platforms that carry the mode alike")
			continue
		}
		for i := range low {
			w := wire{low: c.a.gateway, lowPort: low[i], high: c.b.gateway, highPort: high[i], channel: c}
			w.lowVia, w.highVia = c.a.via(i), c.b.via(i)
			d.wires = append(d.wires, w)
		}
	}
}

// via is the client of a transponder that link i is plugged into; "" where the gateway makes the light itself.
func (t *terminal) via(i int) string {
	if t.box == nil {
		return ""
	}
	return t.box.name + ":" + t.clients[i]
}

// channelCables adds the cables of channels: between gateways that make the light themselves; or from gateways to transponders, and between those.
func (d *draft) channelCables(list []Cable) []Cable {
	for i := range d.wires {
		w := &d.wires[i]
		if w.channel == nil {
			continue
		}
		low := CableEnd{Device: w.low.name(), Port: w.low.portName(w.lowPort)}
		high := CableEnd{Device: w.high.name(), Port: w.high.portName(w.highPort)}
		if w.channel.a.box == nil {
			list = append(list, Cable{A: low, B: high, Speed: w.speed, Channel: w.channel.name, Ref: w.ref()})
			continue
		}
		list = append(list, Cable{A: low, B: clientEnd(w.lowVia), Speed: w.speed, Derived: true, Ref: w.ref()},
			Cable{A: high, B: clientEnd(w.highVia), Speed: w.speed, Derived: true, Ref: w.ref()})
	}
	for _, c := range d.channels {
		if c.a.box != nil {
			list = append(list, Cable{
				A: CableEnd{Device: c.a.box.name, Port: c.a.line}, B: CableEnd{Device: c.b.box.name, Port: c.b.line},
				Speed: strconv.Itoa(c.mode.Rate) + "G", Channel: c.name, Ref: c.ref,
			})
		}
	}
	return list
}

func clientEnd(via string) CableEnd {
	device, port, _ := strings.Cut(via, ":")
	return CableEnd{Device: device, Port: port}
}

// lightUp gives the devices at both ends of every channel what they do with light.
func (d *draft) lightUp() {
	for _, c := range d.channels {
		c.lightUp(&c.a, &c.b)
		c.lightUp(&c.b, &c.a)
	}
}

func (l *Light) sort() {
	slices.SortFunc(l.Coherent, func(a, b CoherentPort) int {
		return naturally(a.Port, b.Port)
	})
	slices.SortFunc(l.Clients, func(a, b ClientPort) int { return naturally(a.Port, b.Port) })
	slices.SortFunc(l.Amplifiers, func(a, b Amplifier) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(l.Media, func(a, b MediaChannel) int { return cmp.Compare(a.Low, b.Low) })
}

// naturally compares names of ports as people count.
func naturally(a, b string) int {
	const digits = "0123456789"
	return cmp.Or(cmp.Compare(strings.TrimRight(a, digits), strings.TrimRight(b, digits)), cmp.Compare(trailing(a), trailing(b)))
}

// trailing is N of client-N.
func trailing(port string) int {
	n, _ := strconv.Atoi(port[len(strings.TrimRight(port, "0123456789")):])
	return n
}

func (c *channel) lightUp(own, far *terminal) {
	p := CoherentPort{
		Port: own.lightPort(), Channel: c.name, Frequency: c.slot.Centre(), Power: hundredths(c.power), Mode: c.mode,
		PeerName: far.lightDevice(), PeerPort: far.lightPort(), Ref: c.ref,
	}
	platform, light := own.gateway.platform, &own.gateway.light
	if own.box != nil {
		platform, light, p.Clients = own.box.platform, &own.box.light, own.clients
	}
	m, _ := platform.Coherent.Mode(c.mode.Name)
	p.Setting, p.Lanes = m.Setting, m.Lanes
	light.Coherent = append(light.Coherent, p)
	for i, client := range own.clients {
		light.Clients = append(light.Clients, ClientPort{
			Port: client, Rate: c.mode.Rate / len(own.clients), Line: own.line, PeerName: own.gateway.name(), PeerPort: own.gateway.portName(c.links(own)[i]), Ref: c.ref,
		})
	}
}

// lightDevice and lightPort are where the light is made.
func (t *terminal) lightDevice() string {
	if t.box != nil {
		return t.box.name
	}
	return t.gateway.name()
}

func (t *terminal) lightPort() string {
	if t.box != nil {
		return t.line
	}
	return t.gateway.portName(t.port)
}

// hundredths is the nearest power that a device can be set to.
func hundredths(p optics.DBm) optics.DBm {
	return optics.DBm(roundTo(float64(p), 0.01))
}

func (d *draft) designChannels() []Channel {
	var list []Channel
	for _, c := range d.channels {
		out := Channel{
			Name: c.name, DCI: c.dci.in.GetName(), Number: c.in.GetNumber(), Slot: c.slot, Mode: c.mode, Power: hundredths(c.power), Asked: optics.DB(c.in.GetMargin()),
			A: c.terminal(&c.a), B: c.terminal(&c.b), Ref: c.ref,
		}
		for _, l := range c.legs {
			out.Lines = append(out.Lines, l.line.name())
		}
		list = append(list, out)
	}
	return list
}

func (c *channel) terminal(t *terminal) Terminal {
	out := Terminal{Site: t.gateway.site.in.GetName(), Device: t.lightDevice(), Port: t.lightPort(), Router: t.gateway.name()}
	for _, p := range c.links(t) {
		out.Ports = append(out.Ports, t.gateway.portName(p))
	}
	return out
}

func (d *draft) designDCIs() []DCI {
	var list []DCI
	for _, x := range d.dcis {
		out := DCI{Name: x.in.GetName(), Ref: x.ref}
		if x.a != nil {
			out.A, out.B = x.a.in.GetName(), x.b.in.GetName()
		}
		if x.a != nil && x.a.wan != nil {
			out.Service, out.Why = x.a.wan.service, x.reason()
		}
		for _, c := range x.channels {
			out.Channels = append(out.Channels, c.name)
		}
		out.Circuits = d.circuits(x)
		out.Cables = out.Carried(func(*Circuit) bool { return false })
		list = append(list, out)
	}
	return list
}
