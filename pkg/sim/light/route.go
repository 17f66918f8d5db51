package light

import (
	"cmp"
	"slices"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// leg is a line as light passes it.
type leg struct {
	line int // in Plant.Lines
	back bool
}

// source is a laser whose light has entered a line.
type source struct {
	terminal *Terminal
	laser    *Laser
	centre   uint64     // MHz, where its light is
	power    optics.DBm // behind its connector
	legs     []leg
	drops    []network.End // terminals that it comes to
	collided bool          // with another one, on any line
	light    *optics.Light // where it leaves its last line; nil: nothing is left
	ends     optics.AddDrop
}

func (s *source) width() uint64 { return uint64(float64(s.laser.Mode.Baud) * 1e3) }

func (s *source) channel() optics.Channel {
	return optics.Channel{Frequency: optics.THz(float64(s.centre) / 1e6), Baud: s.laser.Mode.Baud, TxPower: s.power}
}

// overlaps tells whether two channels are in each other's way.
func (s *source) overlaps(o *source) bool {
	low, high := min(s.centre, o.centre), max(s.centre, o.centre)
	return high-low < (s.width()+o.width())/2
}

// sources are the lasers that shine into a line, in the order of their terminals, with the way that their light takes.
func (m *moment) sources() (out []*source) {
	for i := range m.plant.Terminals {
		t := &m.plant.Terminals[i]
		laser := m.devices[t.At.Device].laser(t.At.Port)
		k, built := m.light.lines[t.Line]
		if laser == nil || !laser.On || !laser.Shines || laser.Mode == nil || laser.Frequency == 0 || m.damage.Dark[t.At] || m.damage.Unplugged[t.At] || !built {
			continue
		}
		s := &source{terminal: t, laser: laser, centre: uint64(int64(laser.Frequency) + m.damage.Drifts[t.At])}
		s.power = laser.output() - optics.DBm(m.damage.Connectors[t.At])
		if m.enters(&m.plant.Lines[k], t, s) {
			m.follow(s, leg{k, t.Place != m.plant.Lines[k].A})
			out = append(out, s)
		}
	}
	return out
}

// output is the power that a laser gives: what it is set to, as far as it goes.
func (l *Laser) output() optics.DBm { return min(max(l.Power, l.Mode.TxMin), l.Mode.TxMax) }

// enters tells whether light that leaves a terminal gets into its line.
func (m *moment) enters(l *Line, t *Terminal, s *source) bool {
	if add := l.way(t.Place != l.A).Add; add != "" {
		return m.passes(add, s, func(c *Media) bool { return c.From == t.Port && c.To == LinePort }) != nil
	}
	return t.filters(s)
}

// filters tells whether the port of a passive multiplexer passes light.
func (t *Terminal) filters(s *source) bool {
	passband := Media{Low: t.Low, High: t.High}
	return t.Low == t.High || passband.covers(s.centre, s.width())
}

// passes is the first media channel of a line system that passes light and is as wanted; nil: none is.
func (m *moment) passes(device string, s *source, wanted func(*Media) bool) *Media {
	if d := m.devices[device]; d != nil {
		for i := range d.Media {
			if c := &d.Media[i]; c.On && wanted(c) && c.covers(s.centre, s.width()) {
				return c
			}
		}
	}
	return nil
}

// follow goes with light along a line, and on to the next where the end of one passes it on, to where it is dropped.
func (m *moment) follow(s *source, at leg) {
	for !slices.Contains(s.legs, at) {
		s.legs = append(s.legs, at)
		l := &m.plant.Lines[at.line]
		drop, place := l.way(at.back).Drop, l.end(at.back)
		port := ""
		if drop != "" {
			c := m.passes(drop, s, func(c *Media) bool { return c.From == LinePort })
			if c == nil {
				return
			}
			port = c.To
		}
		if next, ok := m.express(place, port, l.Name, s); ok {
			at = next
			continue
		}
		for _, t := range m.light.ends[end{l.Name, place}] {
			if drop == "" && t.filters(s) || drop != "" && t.Port == port {
				s.drops = append(s.drops, t.At)
			}
		}
		return
	}
}

// express is the line that a port of a ROADM leads on to, which has to take the light as well.
func (m *moment) express(place, port, from string, s *source) (leg, bool) {
	const prefix = "express-"
	if len(port) <= len(prefix) || port[:len(prefix)] != prefix {
		return leg{}, false
	}
	k, built := m.light.lines[port[len(prefix):]]
	if !built {
		return leg{}, false
	}
	l := &m.plant.Lines[k]
	at := leg{k, l.A != place}
	if l.start(at.back) != place {
		return leg{}, false
	}
	c := m.passes(l.way(at.back).Add, s, func(c *Media) bool { return c.From == prefix+from && c.To == LinePort })
	return at, c != nil
}

// collide marks the sources of each line that are in each other's way. Of two the stronger is carried.
func (m *moment) collide(on []*source) (carried []*source) {
	on = slices.Clone(on)
	slices.SortStableFunc(on, func(a, b *source) int { return cmp.Compare(a.centre, b.centre) })
	for _, s := range on {
		n := len(carried)
		if n == 0 || !carried[n-1].overlaps(s) {
			carried = append(carried, s)
			continue
		}
		s.collided, carried[n-1].collided = true, true
		if s.power > carried[n-1].power {
			carried[n-1] = s
		}
	}
	return carried
}
