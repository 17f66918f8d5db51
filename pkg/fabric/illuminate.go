package fabric

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/intent"
	kinds "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/optics"
)

// misses are the modes that were the fastest by themselves, and missed their margin beside what else their lines carry: by the
// channels that look for one mode together.
type misses map[string][]string

// together names the channels that look for one mode together: those of a DCI that pass the same lines.
func (c *channel) together() string {
	return c.dci.in.GetName() + " " + strings.Join(c.in.GetLines(), " + ")
}

// illuminate decides slots, sets every line for its channels, holds their margins against what is asked, and tells devices. False: a mode
// that was chosen has missed its margin, and the next one is to be tried.
func (d *draft) illuminate() bool {
	d.settleSpectrum()
	for _, l := range d.lines {
		d.plan(l)
	}
	for _, x := range d.dcis {
		if !d.checkMargins(x) {
			return false
		}
	}
	if d.report.failed() {
		return true
	}
	d.lightUp()
	for _, l := range d.lines {
		d.setLine(l)
	}
	for _, n := range d.nodes {
		n.light.sort()
	}
	for _, s := range d.stations {
		s.light.sort()
	}
	return true
}

// planned is a line planned, with all that its plan follows from.
type planned struct {
	line     *optics.Line
	channels []optics.Carried
	age      optics.Ageing
	launch   *float64
	report   *optics.Report
	booster  optics.DBm   // what it gives today
	outputs  []optics.DBm // what the amplifiers of its sections give
}

// plan sets a line in both directions. A line without channels is left dark.
func (d *draft) plan(l *line) {
	carried := l.carried()
	if len(carried) == 0 {
		return
	}
	l.thereSet = d.planOne(l, l.there, carried, "there")
	l.backSet = d.planOne(l, l.back, carried, "back")
}

// carried are the channels of a line, by name.
func (l *line) carried() []optics.Carried {
	var out []optics.Carried
	for _, c := range l.channels {
		if c.settled {
			out = append(out, optics.Carried{Name: c.name, Slot: c.slot, Mode: c.mode, TxPower: c.power})
		}
	}
	slices.SortFunc(out, func(a, b optics.Carried) int { return cmp.Compare(a.Slot.Centre(), b.Slot.Centre()) })
	return out
}

// planOne plans one direction, or takes over the plan from before where nothing that it follows from has changed.
func (d *draft) planOne(l *line, way *optics.Line, carried []optics.Carried, name string) *optics.Report {
	next := &planned{line: way, channels: carried, age: l.age, launch: l.in.Launch}
	key := name + " " + l.name()
	if before := d.known[key]; before != nil {
		next.report, next.booster, next.outputs = before.report, before.booster, before.outputs
		if reflect.DeepEqual(before, next) {
			d.plans[key] = before
			return before.report
		}
	}
	report, err := way.Plan(carried, l.age, l.launch())
	if err != nil {
		d.report.fail(l.ref, err.Error(), "")
		return nil
	}
	next.report = report
	if next.booster, next.outputs, err = report.Today().Outputs(); err != nil {
		d.report.fail(l.ref, err.Error(), "")
		return nil
	}
	d.plans[key] = next
	return report
}

// arrival is a channel at its receiver in one state of its lines, in one direction.
type arrival struct {
	channel  *channel
	state    string
	from, to *site
	light    optics.Arrival
}

// misses is by how much a channel misses what is asked; a channel that is out of its mode's reach comes before all others.
func (a *arrival) misses() float64 {
	if a.light.OutOfReach() {
		return 1000 - float64(a.light.Margin)
	}
	return a.channel.in.GetMargin() - float64(a.light.Margin)
}

func (a *arrival) closes() bool { return a.misses() <= 1e-9 }

// checkMargins reports the channels of a DCI that do not close, the worst of those that one way and mode have in common. False: one
// of them can try a slower mode.
func (d *draft) checkMargins(x *dci) bool {
	type alike struct{ over, mode string }
	worst, count := map[alike]*arrival{}, map[alike]int{}
	var order []alike
	for _, c := range x.channels {
		a, err := d.worstArrival(c)
		if err != nil {
			d.report.failEach(c.ref, c.name, err.Error(), "")
			continue
		}
		if a == nil || a.closes() {
			continue
		}
		if c.in.GetMode() == "" {
			d.missed[c.together()] = append(d.missed[c.together()], c.mode.Name)
			return false
		}
		key := alike{strings.Join(c.in.GetLines(), " + "), c.mode.Name}
		if count[key]++; worst[key] == nil {
			worst[key], order = a, append(order, key)
		} else if a.misses() > worst[key].misses() {
			worst[key] = a
		}
	}
	for _, key := range order {
		d.reportMargin(worst[key], key.over, count[key])
	}
	return true
}

// reportMargin says what is wrong with the worst of several channels, and what could be done.
func (d *draft) reportMargin(a *arrival, over string, count int) {
	c := a.channel
	what := "wavelength " + decimal(c.in.GetNumber())
	if count > 1 {
		what = fmt.Sprintf("%d wavelengths, the worst of them %d,", count, c.in.GetNumber())
	}
	verb := "does"
	if count > 1 {
		verb = "do"
	}
	has := "margin " + a.light.Keeps()
	if math.IsInf(float64(a.light.Margin), 0) {
		has = "no margin"
	}
	message := fmt.Sprintf("%s: %s %s not close over %s in %s: %s, and %.2f dB are asked; %s, from %s to %s at %.5f THz (%s)", c.dci.in.GetName(), what, verb, over,
		c.mode.Name, has, c.in.GetMargin(), a.state, a.from.in.GetName(), a.to.in.GetName(), float64(c.slot.Frequency()), a.light.Why())
	fix := ""
	if low, high := c.neighbours(); high-low > unlevel {
		fix = fmt.Sprintf("its line carries transmitters of %v up to %v, and the strong ones take the power of the weak: give them one power, or the line ends: roadm", low, high)
	} else if one, other, ok := d.ends(c); ok {
		fix = d.advice(c, one, other, a.from != c.dci.a, &a.light)
	}
	also := []note{}
	for _, l := range c.legs {
		also = append(also, note{l.line.ref, "line " + l.line.name()})
	}
	d.report.fail(c.ref, message, fix, also...)
}

// unlevel is how far apart transmitters may be on a line that does not level them before that is worth a word.
const unlevel = 2.0

// neighbours are the weakest and the strongest transmitter on a line of the channel that does not level what it adds.
func (c *channel) neighbours() (low, high optics.DBm) {
	for _, leg := range c.legs {
		for i, o := range leg.line.channels {
			switch {
			case leg.line.there.Levels:
			case i == 0:
				low, high = o.power, o.power
			default:
				low, high = min(low, o.power), max(high, o.power)
			}
		}
	}
	return low, high
}

// worstArrival is the channel in the state and the direction in which it has least to spare; nil where it could not be planned.
func (d *draft) worstArrival(c *channel) (*arrival, error) {
	var out *arrival
	for _, back := range []bool{false, true} {
		states, err := c.states(back)
		if err != nil || states == nil {
			return nil, err
		}
		from, to := c.dci.a, c.dci.b
		if back {
			from, to = to, from
		}
		for i := range states {
			s := &states[i]
			k := slices.IndexFunc(s.Arrivals, func(a optics.Arrival) bool { return a.Name == c.name })
			if k < 0 {
				continue
			}
			a := &arrival{channel: c, state: s.Name, from: from, to: to, light: s.Arrivals[k]}
			if out == nil || a.misses() > out.misses() {
				out = a
			}
		}
	}
	return out, nil
}

// states are those of the line of a channel in one direction, or of its lines one after the other.
func (c *channel) states(back bool) ([]optics.State, error) {
	path := optics.Path{}
	for _, l := range c.direction(back) {
		r := l.line.thereSet
		if l.back {
			r = l.line.backSet
		}
		if r == nil || !c.settled {
			return nil, nil
		}
		path.Reports = append(path.Reports, r)
	}
	if len(path.Reports) == 1 {
		return path.Reports[0].States, nil
	}
	path.Express = express(len(path.Reports))
	return path.Through([]optics.Carried{{Name: c.name, Slot: c.slot, Mode: c.mode, TxPower: c.power}})
}

// express is what the ROADMs between so many lines take.
func express(lines int) []optics.DB { return slices.Repeat([]optics.DB{roadm().Express}, lines-1) }

// direction are the legs of a channel from a to b, or back.
func (c *channel) direction(back bool) []leg {
	legs := slices.Clone(c.legs)
	if back {
		slices.Reverse(legs)
		for i := range legs {
			legs[i].back = !legs[i].back
		}
	}
	return legs
}

// advice is what the lines of a channel could do in one direction: in the modes that both its ends can do, and with other transceivers. The mode of
// what was found, if any, has the margin that was found.
func (d *draft) advice(c *channel, a, b side, back bool, found *optics.Arrival) string {
	own, margin := optics.Found(d.tried(c, modesOf(a, b), back), found), optics.DB(c.in.GetMargin())
	text := optics.Advice(makers(a, b), own, margin)
	if more := optics.Upgrade(own, optics.Found(d.tried(c, everyMode(), back), found), margin); more != "" {
		text += "; with other transceivers " + more
	}
	return text
}

// makers are the platforms that make the light of a channel.
func makers(a, b side) string {
	if a.platform.Name == b.platform.Name {
		return a.platform.Name
	}
	return a.platform.Name + " and " + b.platform.Name
}

// everyMode is whatever a transceiver can be set to, whoever has it.
func everyMode() []*optics.Mode {
	all := kinds.Modes()
	out := make([]*optics.Mode, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}

// tried are modes tried on the lines of a channel, in one direction. What was tried once is not tried again.
func (d *draft) tried(c *channel, modes []*optics.Mode, back bool) []optics.Choice {
	var lines []*optics.Line
	key := ""
	for _, l := range c.direction(back) {
		way := l.line.there
		if l.back {
			way = l.line.back
		}
		lines, key = append(lines, way), key+fmt.Sprintf("%s %t ", l.line.name(), l.back)
	}
	for _, m := range modes {
		key += m.Name + ","
	}
	if found, ok := d.trials[key]; ok {
		return found
	}
	choices, err := optics.Join(lines, express(len(lines))).Choose(modes, c.legs[0].line.age)
	if err != nil {
		return nil
	}
	d.trials[key] = choices
	return choices
}

// fastest is the fastest mode that keeps the margin in both directions; nil where none does, which is reported.
func (d *draft) fastest(c *channel, a, b side) *optics.Mode {
	modes := modesOf(a, b)
	there, back := d.tried(c, modes, false), d.tried(c, modes, true)
	for i := range there {
		k := slices.IndexFunc(back, func(o optics.Choice) bool { return o.Mode == there[i].Mode })
		if slices.Contains(d.missed[c.together()], there[i].Mode.Name) {
			continue
		}
		if margin := optics.DB(c.in.GetMargin()); there[i].Closes(margin) && k >= 0 && back[k].Closes(margin) {
			return there[i].Mode
		}
	}
	what := "no mode that both ends can do closes over " + strings.Join(c.in.GetLines(), " + ")
	if len(modes) == 0 {
		what = "both ends have no mode in common"
	}
	d.report.failEach(c.ref+"#mode", c.dci.in.GetName(), what, d.advice(c, a, b, false, &optics.Arrival{}))
	return nil
}

// setLine gives the devices of a line what they are set to: amplifiers in both directions, and at the ends the spectrum that they add and drop.
func (d *draft) setLine(l *line) {
	if l.thereSet == nil || !slices.ContainsFunc(l.stations, func(s *station) bool { return s != nil }) {
		return
	}
	l.setAmplifiers(d.plans["there "+l.name()], l.stations, "there")
	l.setAmplifiers(d.plans["back "+l.name()], reversed(l.stations), "back")
	for _, c := range l.channels {
		for _, end := range []struct {
			box  *station
			site *site
		}{{l.stations[0], l.a}, {l.stations[len(l.stations)-1], l.b}} {
			if end.box != nil {
				end.box.light.Media = append(end.box.light.Media, l.media(c, end.site))
			}
		}
	}
}

// setAmplifiers takes settings from a plan, whose sections end where there are amplifiers.
func (l *line) setAmplifiers(p *planned, stations []*station, way string) {
	today := p.report.Today()
	set := func(s *station, a optics.Amplifier, output optics.DBm) {
		s.light.Amplifiers = append(s.light.Amplifiers, Amplifier{
			Name: l.name() + "-" + way, Line: l.name(), Kind: l.amplifier, Gain: a.Gain, VOA: a.VOA, Output: hundredths(output), Ref: l.ref + "#amplifiers",
		})
	}
	if stations[0] != nil {
		set(stations[0], today.Setting.Booster, p.booster)
	}
	behind := slices.DeleteFunc(slices.Clone(stations[1:]), func(s *station) bool { return s == nil })
	for i, s := range p.report.Line.Sections {
		if s.Amplifier != nil {
			set(behind[0], today.Setting.Sections[i], p.outputs[i])
			behind = behind[1:]
		}
	}
}

// media is the spectrum of a channel at one end of a line. Where it goes on over another line, it is plugged into that.
func (l *line) media(c *channel, at *site) MediaChannel {
	index := uint32((c.slot.Low()-l.there.Grid.Low)/6250) + 1
	out := MediaChannel{Index: index, Low: c.slot.Low(), High: c.slot.High(), Channel: c.name, Port: l.addDrop(c), Ref: c.ref}
	for i, own := range c.legs {
		switch {
		case own.line != l:
		case own.end() == at && i+1 < len(c.legs):
			out.Port = "express-" + c.legs[i+1].line.name()
		case own.start() == at && i > 0:
			out.Port = "express-" + c.legs[i-1].line.name()
		}
	}
	return out
}

// addDrop is the port of a line's end that a channel is plugged into. A port of a multiplexer with a fixed grid passes one slot
// (it is coloured), so the slot tells the port, and a channel that is tuned anew has to be plugged anew. A port of a ROADM, or of what
// joins channels without a grid, passes whatever it is set to (colourless): there the numbers of the DCI and of the channel in it
// tell the port, so that neither another frequency nor what other channels do moves a cord.
func (l *line) addDrop(c *channel) string {
	grid := l.there.Grid
	if l.in.GetEnds() == intent.LineEnds_LINE_ENDS_MUX && grid.Width > 0 {
		if room, err := grid.Room(c.slot.Width()); err == nil {
			return "add-drop-" + decimal(uint32(slices.Index(room, c.slot))+1)
		}
	}
	return "add-drop-" + decimal(c.dci.in.GetNumber()) + "-" + decimal(c.in.GetNumber())
}

func roundTo(x, step float64) float64 { return math.Round(x/step) * step }
