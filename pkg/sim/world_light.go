package sim

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// optical is the part of the world that is light. Only the goroutine of the world has it.
type optical struct {
	plant     *light.Plant
	terminals map[network.End]bool
	light     *light.Light
	begun     time.Time
	settings  map[string]*light.Device // by device

	// The last round's.
	state   *light.State
	clients map[network.End]*ClientPort
}

// built returns the light of a plant: the one that there is, if it is of this plant; nil where there is none. What the
// devices are set to and the age of the lines stay when something is built or plugged in another way.
func (o *optical) built(p *light.Plant, now time.Time) *optical {
	switch {
	case p == nil:
		return nil
	case o == nil:
		o = &optical{begun: now, settings: map[string]*light.Device{}}
	case o.plant == p:
		return o
	}
	out := &optical{plant: p, terminals: map[network.End]bool{}, light: light.New(p), begun: o.begun, settings: o.settings}
	for _, t := range p.Terminals {
		out.terminals[t.At] = true
	}
	return out
}

// terminal is the coherent port that an end is, or is broken out of; false: it is none.
func (o *optical) terminal(e network.End) (network.End, bool) {
	if o.terminals[e] {
		return e, true
	}
	if cage := strings.LastIndexByte(e.Port, '/'); cage > 0 {
		e.Port = e.Port[:cage]
	}
	return e, o.terminals[e]
}

// channel are the terminals of a cable that stands for a channel of light; false: it is one that somebody plugs.
func (o *optical) channel(c network.Cable) (a, b network.End, ok bool) {
	a, isA := o.terminal(c.A)
	b, isB := o.terminal(c.B)
	return a, b, isA && isB
}

// isChannel tells whether a cable stands for a channel of light. The caller holds mu.
func (w *world) isChannel(c network.Cable) bool {
	return w.lines.Terminal(c.A) != nil && w.lines.Terminal(c.B) != nil
}

// plantOfLight returns the lines as they are built now; nil: there are none.
func (w *world) plantOfLight() *light.Plant {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lines
}

// round finds out what becomes of light, and returns what of the wiring follows from it for packets.
func (o *optical) round(routers map[string]*network.Router, w *network.Wiring, out network.Outages, d light.Damage, now time.Time) (*network.Wiring, network.Outages) {
	d.Dark, d.Unplugged = o.dark(w, out)
	d.Age = now.Sub(o.begun)
	on := maps.Clone(o.settings)
	maps.DeleteFunc(on, func(device string, _ *light.Device) bool { return out.Devices[device] })
	o.state = o.light.Shine(on, &d)
	return o.wiring(on, routers, w, out)
}

// dark are the terminals that outages of ports darken, and those whose cords outages of cables take out.
func (o *optical) dark(w *network.Wiring, out network.Outages) (dark, unplugged map[network.End]bool) {
	dark, unplugged = map[network.End]bool{}, map[network.End]bool{}
	for end := range out.Ports {
		if t, ok := o.terminal(end); ok {
			dark[t] = true
		}
	}
	if len(out.Cables) == 0 {
		return dark, unplugged
	}
	for _, c := range w.Cables {
		if a, b, ok := o.channel(c); ok && out.Cables[c.String()] {
			unplugged[a], unplugged[b] = true, true
		}
	}
	return dark, unplugged
}

// wiring is what is plugged in as packets see it: a channel is a cable that is cut while its ends do not understand each
// other, and from router to router transponders are nothing but cable.
func (o *optical) wiring(on map[string]*light.Device, routers map[string]*network.Router, w *network.Wiring, out network.Outages) (*network.Wiring, network.Outages) {
	x := &crossing{optical: o, devices: on, plugged: map[network.End]network.End{}, outages: out}
	seen, cut := &network.Wiring{Hosts: w.Hosts}, maps.Clone(out.Cables)
	var grey []network.Cable
	for _, c := range w.Cables {
		a, b, channel := o.channel(c)
		switch {
		case channel && routers[a.Device] != nil:
			if !o.state.Up(a, b) {
				cut[c.String()] = true
			}
			seen.Cables = append(seen.Cables, c)
		case channel: // between transponders
		case routers[c.A.Device] == nil && o.settings[c.A.Device] != nil, routers[c.B.Device] == nil && o.settings[c.B.Device] != nil:
			if routers[c.A.Device] == nil {
				c.A, c.B = c.B, c.A
			}
			grey = append(grey, c) // from a router to a client
			if !out.Cables[c.String()] && !out.Cables[network.Cable{A: c.B, B: c.A}.String()] && !out.Ports[c.A] && !out.Ports[c.B] {
				x.plugged[c.B] = c.A
			}
		default:
			seen.Cables = append(seen.Cables, c)
		}
	}
	o.clients = map[network.End]*ClientPort{}
	for _, c := range grey {
		far, up := x.across(c.B)
		_, works := x.plugged[c.B]
		switch {
		case !up || !works:
			seen.Cables = append(seen.Cables, c) // it leads to nobody who answers
		case c.A.String() < far.String():
			seen.Cables = append(seen.Cables, network.Cable{A: c.A, B: far})
		}
		o.clients[c.B] = clientOf(routers[c.A.Device], c.A.Port, works, up)
	}
	slices.SortFunc(seen.Cables, func(a, b network.Cable) int { return strings.Compare(a.String(), b.String()) })
	return seen, network.Outages{Cables: cut, Ports: out.Ports, Devices: out.Devices}
}

// clientOf is what a transponder sees of a router that is plugged into a client.
func clientOf(r *network.Router, port string, works, up bool) *ClientPort {
	c := &ClientPort{}
	i := -1
	if r != nil && works {
		i = slices.IndexFunc(r.Ports, func(p network.Port) bool { return p.Name == port })
	}
	if i < 0 || !r.Ports[i].Enabled {
		return c
	}
	p := &r.Ports[i]
	c.Light, c.Up = true, up
	if p.LLDP {
		said := r.Says(p)
		c.Router = &said
	}
	return c
}

// crossing follows clients across lines.
type crossing struct {
	*optical
	devices map[string]*light.Device
	plugged map[network.End]network.End // router at a client, where the cable works
	outages network.Outages
}

// across is the router's port that the client at the other side of a line is plugged into: of the clients of the far line
// port the one that comes in the same place as this one does among those of its own.
func (x *crossing) across(client network.End) (far network.End, ok bool) {
	line, rank := x.place(client)
	peer := x.state.Peer(network.End{Device: client.Device, Port: line})
	if line == "" || peer == (network.End{}) {
		return far, false
	}
	clients := x.clientsOf(peer)
	if rank >= len(clients) {
		return far, false
	}
	far, ok = x.plugged[network.End{Device: peer.Device, Port: clients[rank]}]
	return far, ok
}

// place is the line port of a client, and how many clients of it come before. The line is "" where none carries it.
func (x *crossing) place(client network.End) (line string, rank int) {
	if d := x.devices[client.Device]; d != nil {
		for _, c := range d.Clients {
			if c.Port == client.Port && c.On {
				line = c.Line
			}
		}
	}
	return line, slices.Index(x.clientsOf(network.End{Device: client.Device, Port: line}), client.Port)
}

// clientsOf are the clients that a line port carries.
func (x *crossing) clientsOf(line network.End) (out []string) {
	if d := x.devices[line.Device]; d != nil {
		for _, c := range d.Clients {
			if c.On && c.Line == line.Port {
				out = append(out, c.Port)
			}
		}
	}
	return out
}

// seenBy is what a device sees of light; nil where it has nothing to do with it.
func (o *optical) seenBy(device string) *Light {
	if o == nil || o.settings[device] == nil || o.state == nil {
		return nil
	}
	out := &Light{Ports: map[string]light.Port{}, Amplifiers: map[string]light.Amplified{}, Media: map[uint32]optics.DBm{}, Clients: map[string]ClientPort{}}
	for _, l := range o.settings[device].Lasers {
		if p := o.state.Ports[network.End{Device: device, Port: l.Port}]; p != nil {
			out.Ports[l.Port] = *p
		}
	}
	for name := range o.settings[device].Amplifiers {
		if a, ok := o.state.Amplifiers[light.Unit{Device: device, Name: name}]; ok {
			out.Amplifiers[name] = a
		}
	}
	maps.Copy(out.Media, o.state.Media[device])
	for _, c := range o.settings[device].Clients {
		if seen := o.clients[network.End{Device: device, Port: c.Port}]; seen != nil {
			out.Clients[c.Port] = *seen
		}
	}
	return out
}
