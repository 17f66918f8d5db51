package light

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Light carries light over the lines of a plant. What has not changed since the last time is not carried again; apart
// from the time that it takes, nobody can tell. It is not safe for several goroutines.
type Light struct {
	plant *Plant
	lines map[string]int      // places in Plant.Lines
	ends  map[end][]*Terminal // what is plugged in where
	runs  map[string]*run     // the last ones, by route
	Runs  int                 // how often light was carried over a route since it was made
}

// New returns the light of a plant.
func New(p *Plant) *Light {
	l := &Light{plant: p, lines: map[string]int{}, ends: map[end][]*Terminal{}, runs: map[string]*run{}}
	for i := range p.Lines {
		l.lines[p.Lines[i].Name] = i
	}
	for i := range p.Terminals {
		t := &p.Terminals[i]
		l.ends[end{t.Line, t.Place}] = append(l.ends[end{t.Line, t.Place}], t)
	}
	return l
}

// end is one of the two of a line.
type end struct{ line, place string }

// moment is everything as it is now.
type moment struct {
	plant   *Plant
	devices map[string]*Device
	damage  *Damage
	light   *Light
	state   *State
	ways    [][2]built // by line and direction
}

// built is one direction of a line as it is built, set and broken.
type built struct {
	line    *optics.Line
	setting optics.Setting
	carried []*source // in the order of their frequencies
}

// Shine says what becomes of light, with what is configured on the devices that have power, by name.
func (l *Light) Shine(devices map[string]*Device, d *Damage) *State {
	m := &moment{plant: l.plant, devices: devices, damage: d, light: l, state: &State{
		Ports: map[network.End]*Port{}, Amplifiers: map[Unit]Amplified{}, Media: map[string]map[uint32]optics.DBm{},
	}}
	all := m.sources()
	m.ways = make([][2]built, len(m.plant.Lines))
	for i := range m.plant.Lines {
		for k, back := range []bool{false, true} {
			m.ways[i][k] = m.build(leg{i, back})
			m.ways[i][k].carried = m.collide(m.on(all, leg{i, back}))
		}
	}
	for i := range m.plant.Lines {
		m.measure(leg{i, false})
		m.measure(leg{i, true})
	}
	m.carry(all)
	m.receive(all)
	return m.state
}

// on are the sources that pass a line in one direction.
func (m *moment) on(all []*source, at leg) (out []*source) {
	for _, s := range all {
		if slices.Contains(s.legs, at) {
			out = append(out, s)
		}
	}
	return out
}

func (m *moment) at(l leg) *built {
	if l.back {
		return &m.ways[l.line][1]
	}
	return &m.ways[l.line][0]
}

// build sets a line as its amplifiers are set.
func (m *moment) build(at leg) built {
	l := &m.plant.Lines[at.line]
	way := l.way(at.back)
	b := built{line: m.damage.built(l, at.back)}
	b.setting = optics.Setting{Sections: make([]optics.Amplifier, len(b.line.Sections)), Added: way.Level}
	worse := l.Ageing.NoiseFigure * optics.DB(m.damage.aged())
	units := way.Amplifiers
	next := func(kind *optics.AmplifierKind) optics.Amplifier {
		u := units[0]
		units = units[1:]
		set := Amplifier{}
		if d := m.devices[u.Device]; d != nil {
			set = d.Amplifiers[u.Name]
		}
		return m.damage.amplifier(kind, u, set, worse)
	}
	if b.line.Booster != nil {
		b.setting.Booster = next(b.line.Booster)
	}
	for i, s := range b.line.Sections {
		if s.Amplifier != nil {
			b.setting.Sections[i] = next(s.Amplifier)
		}
	}
	return b
}

// run is light that was carried over a route.
type run struct {
	channels []optics.Channel
	elements []optics.Element
	carrier  *optics.Propagator // of these channels
	stages   []optics.Stage     // behind each element; their lights are those of the channels
	last     []optics.Light
}

// run carries channels over elements, or remembers what came of it. Nil: there is nothing to carry, or it cannot be.
func (l *Light) run(route string, channels []optics.Channel, elements []optics.Element) *run {
	if len(channels) == 0 {
		return nil
	}
	before := l.runs[route]
	same := before != nil && slices.Equal(before.channels, channels)
	if same && reflect.DeepEqual(before.elements, elements) {
		return before
	}
	r := &run{channels: channels, elements: elements}
	if same {
		r.carrier = before.carrier // it keeps what depends on the channels alone
	} else if p, err := optics.NewPropagator(channels); err == nil {
		r.carrier = p
	} else {
		return nil
	}
	l.Runs++
	if err := r.carrier.Run(elements, func(_ int, s optics.Stage) { r.stages = append(r.stages, s) }); err != nil {
		return nil
	}
	for i := range channels {
		r.last = append(r.last, r.carrier.At(i))
	}
	l.runs[route] = r
	return r
}

func channelsOf(sources []*source) []optics.Channel {
	out := make([]optics.Channel, len(sources))
	for i, s := range sources {
		out[i] = s.channel()
	}
	return out
}

// name is a leg as a key.
func (m *moment) name(at leg) string {
	return fmt.Sprintf("%s %t ", m.plant.Lines[at.line].Name, at.back)
}

// alone carries all that a line has over it.
func (m *moment) alone(at leg) (*run, []optics.Element) {
	b := m.at(at)
	elements := b.line.Elements(b.setting)
	return m.light.run(m.name(at), channelsOf(b.carried), elements), elements
}

// carry finds out in which state light leaves its last line. Where it passes several, it does so beside all that they
// carry.
func (m *moment) carry(all []*source) {
	groups := map[string][]*source{}
	var order []string
	for _, s := range all {
		if len(s.drops) == 0 {
			continue
		}
		route := ""
		for _, at := range s.legs {
			route += m.name(at)
		}
		if groups[route] == nil {
			order = append(order, route)
		}
		groups[route] = append(groups[route], s)
	}
	for _, route := range order {
		m.carryOver(route, groups[route])
	}
}

func (m *moment) carryOver(route string, sources []*source) {
	legs := sources[0].legs
	var carried []*source
	var r *run
	if len(legs) == 1 {
		carried = m.at(legs[0]).carried
		r, _ = m.alone(legs[0])
	} else {
		carried = m.beside(sources)
		r = m.light.run(route, channelsOf(carried), m.path(legs))
	}
	if r == nil {
		return
	}
	for _, s := range sources {
		s.ends = m.at(legs[0]).line.Ends
		if i := slices.IndexFunc(carried, func(o *source) bool { return o.overlaps(s) }); i >= 0 {
			s.light = &r.last[i]
		}
	}
}

// beside are sources that take one way, and the others on its lines that are in nobody's way.
func (m *moment) beside(sources []*source) []*source {
	out := m.collide(sources)
	for _, at := range sources[0].legs {
		for _, o := range m.at(at).carried {
			if !slices.ContainsFunc(out, o.overlaps) {
				out = append(out, o)
			}
		}
	}
	return out
}

// path are the elements of lines one behind the other. A ROADM between two brings what passes to the power of what it
// adds.
func (m *moment) path(legs []leg) (out []optics.Element) {
	for i, at := range legs {
		l, b := &m.plant.Lines[at.line], m.at(at)
		loss := b.line.Mux
		if i > 0 {
			loss = l.Express
		}
		inner := *b.line
		inner.Mux, inner.Levels, inner.Demux = 0, false, 0
		out = append(append(out, optics.Equalizer{Target: b.setting.Added, Loss: loss}), inner.Elements(b.setting)...)
	}
	return append(out, optics.Loss{Loss: m.at(legs[len(legs)-1]).line.Demux})
}

// measure is what the devices of a line measure in one direction.
func (m *moment) measure(at leg) {
	l := &m.plant.Lines[at.line]
	way, b := l.way(at.back), m.at(at)
	r, elements := m.alone(at)
	first, last := 0, len(elements)-1
	if b.line.Booster != nil { // the first element of all where nothing but a transceiver stands before it
		first = slices.IndexFunc(elements, amplifies)
	}
	units := way.Amplifiers
	for i, e := range elements {
		a, ok := e.(optics.Amplifier)
		if !ok {
			continue
		}
		out := Amplified{Input: Dark, Output: Dark}
		if a.Gain > 0 {
			out.Gain = a.Gain
		}
		if r != nil {
			s := r.stages[i]
			out = Amplified{Input: max(s.Input, Dark), Output: max(s.Total+optics.DBm(a.VOA), Dark), Gain: s.Gain}
		}
		m.state.Amplifiers[units[0]] = out
		units = units[1:]
	}
	if b.line.Demux > 0 {
		last--
	}
	m.monitor(way.Add, b.carried, r, first, func(c *Media) bool { return c.To == LinePort })
	m.monitor(way.Drop, b.carried, r, last, func(c *Media) bool { return c.From == LinePort })
}

func amplifies(e optics.Element) bool {
	_, ok := e.(optics.Amplifier)
	return ok
}

// monitor measures the media channels of a line system behind an element of its line.
func (m *moment) monitor(device string, carried []*source, r *run, behind int, which func(*Media) bool) {
	d := m.devices[device]
	if d == nil {
		return
	}
	if m.state.Media[device] == nil {
		m.state.Media[device] = map[uint32]optics.DBm{}
	}
	for i := range d.Media {
		c := &d.Media[i]
		if !which(c) {
			continue
		}
		power := Dark
		for k, s := range carried {
			if r != nil && c.On && c.Low <= s.centre && s.centre <= c.High {
				power = max(power, r.stages[behind].Light[k].Power)
			}
		}
		m.state.Media[device][c.Index] = power
	}
}
