package verify

import (
	"cmp"
	"math"
	"slices"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
)

// What a stretch of a line may take beyond the plan. Repairs add some tenths of a dB each; a bend, a splice that has aged or dirt add
// decibels; and when there is nothing left of a fibre, all is gone.
const (
	lossOff = 2.0  // dB
	lossAll = 15.0 // dB
)

// wayKey is a line in one direction, by the name of its amplifiers there: "long-back".
type wayKey struct{ line, way string }

// lightPlan is what should be seen of light, as the lines are set today.
type lightPlan struct {
	channels map[string]*fabric.Channel
	expected map[string]fabric.Expected
	ducts    map[string]*fabric.Duct
	ways     []way
}

// way is one direction of a line.
type way struct {
	key      wayKey
	line     *fabric.Line
	from, to string   // sites
	ducts    []string // in the order of the light
	points   []point  // in the order of the light: transmitters, amplifiers, receivers
	levels   bool     // what adds channels brings them to one power
	begin    []*fabric.Channel
	end      []*fabric.Channel
	whole    bool // every channel begins where the line does

	filters bool               // what drops channels gives each receiver its own alone
	adds    map[string]float64 // dBm of each channel behind the first amplifier; none where the line begins without
	demux   float64            // dB between the monitor at its end and a receiver
}

// point is a place where the light of a line is measured, and what all channels together should have there.
type point struct {
	device  string // of an amplifier; "" for transmitters and receivers
	place   int    // how many ducts are behind it
	in, out float64
}

func planLight(design *fabric.Design) *lightPlan {
	p := &lightPlan{channels: map[string]*fabric.Channel{}, ducts: map[string]*fabric.Duct{}}
	for i := range design.Channels {
		p.channels[design.Channels[i].Name] = &design.Channels[i]
	}
	for i := range design.Ducts {
		p.ducts[design.Ducts[i].Name] = &design.Ducts[i]
	}
	var err error
	if p.expected, err = design.Expect(); err != nil {
		p.expected = nil // a design made by hand, without plans: nothing is held against them
	}
	for i := range design.Lines {
		l := &design.Lines[i]
		for _, back := range []bool{false, true} {
			if w, ok := planWay(design, l, back); ok {
				p.ways = append(p.ways, w)
			}
		}
	}
	return p
}

// planWay carries what is lit over a line as it is set today, and notes what is there at each amplifier.
func planWay(design *fabric.Design, l *fabric.Line, back bool) (way, bool) {
	w := way{key: wayKey{l.Name, l.Name + "-there"}, line: l, from: l.A, to: l.B, ducts: l.Ducts}
	r, devices := l.There, l.Devices
	if back {
		w.key.way, w.from, w.to = l.Name+"-back", l.B, l.A
		w.ducts, devices, r = slices.Clone(l.Ducts), slices.Clone(l.Devices), l.Back
		slices.Reverse(w.ducts)
		slices.Reverse(devices)
	}
	if r == nil {
		return w, false
	}
	s := r.Today()
	w.levels, w.whole, w.demux, w.adds = s.Line.Levels, true, float64(s.Line.Demux), map[string]float64{}
	w.filters = s.Line.Mux > 0 && s.Line.Grid.Width > 0 || slices.Contains(l.Devices, l.Name+"-"+w.to)
	comb := make([]optics.Channel, len(s.Lit))
	sent := math.Inf(-1)
	for i, c := range s.Lit {
		comb[i] = optics.Channel{Frequency: c.Slot.Frequency(), Baud: c.Mode.Baud, TxPower: c.TxPower}
		sent = together(sent, float64(c.TxPower))
		w.terminates(design, c.Name)
	}
	w.points = append(w.points, point{out: sent})
	run, err := optics.NewPropagator(comb)
	if err != nil {
		return w, false
	}
	elements := s.Line.Elements(s.Setting)
	err = run.Run(elements, func(i int, stage optics.Stage) {
		a, amplifies := elements[i].(optics.Amplifier)
		if n := len(w.points) - 1; amplifies && n < len(devices) {
			place := int(design.Device(devices[n]).Number) - 1
			if back {
				place = len(l.Ducts) - place
			}
			for c := range s.Lit {
				if n == 0 && devices[n] == l.Name+"-"+w.from {
					w.adds[s.Lit[c].Name] = float64(stage.Light[c].Power)
				}
			}
			w.points = append(w.points, point{device: devices[n], place: place, in: float64(stage.Input), out: float64(stage.Total) + float64(a.VOA)})
		}
	})
	w.points = append(w.points, point{place: len(l.Ducts)})
	return w, err == nil
}

// terminates notes whether a channel that the line carries begins or ends with it.
func (w *way) terminates(design *fabric.Design, name string) {
	at := slices.IndexFunc(design.Channels, func(c fabric.Channel) bool { return c.Name == name })
	if at < 0 {
		return
	}
	c := &design.Channels[at]
	if w.from == c.A.Site || w.from == c.B.Site {
		w.begin = append(w.begin, c)
	} else {
		w.whole = false
	}
	if w.to == c.A.Site || w.to == c.B.Site {
		w.end = append(w.end, c)
	}
}

// together is the sum of two powers in dBm.
func together(a, b float64) float64 {
	return 10 * math.Log10(math.Pow(10, a/10)+math.Pow(10, b/10))
}

// terminalAt is the end of a channel at a site.
func terminalAt(c *fabric.Channel, site string) *fabric.Terminal {
	if c.A.Site == site {
		return &c.A
	}
	return &c.B
}

// optical is what a coherent port shows; false where the device was not read.
func (k *checker) optical(at *fabric.Terminal) (Optical, bool) {
	d, read := k.observed.Devices[at.Device]
	p, there := d.Optical[at.Port]
	return p, read && d.Unreachable == "" && there
}

// stretch is a part of a line between two places where its light was measured, and what it takes beyond the plan.
type stretch struct {
	way      *way
	from, to string   // where it was measured
	ducts    []string // none: what is plugged together at one place
	devices  []string
	excess   float64          // dB
	lost     bool             // all of it
	alone    *fabric.Channel  // the only one by which it was measured; nil: there are others
	channel  *fabric.Channel  // the only one that it concerns; nil: all
	at       *fabric.Terminal // the end of that channel where its light is lost; nil: nobody knows
}

// light looks along each line for where its light is lost, and then at what DCIs still carry.
func (k *checker) light() {
	if len(k.index.design.Lines) > 0 && !k.index.relit() {
		var bad []stretch
		passes := map[string][]string{} // duct: lines of which light comes through as planned
		for i := range k.index.light().ways {
			bad = append(bad, k.walk(&k.index.light().ways[i], passes)...)
		}
		k.locate(bad, passes)
		k.noise()
	}
	k.capacities()
}

// walk goes along a line with the light, and returns the stretches that take more of it than planned. Behind one that takes all of it
// there is only the noise of amplifiers.
func (k *checker) walk(w *way, passes map[string][]string) []stretch {
	var bad []stretch
	in := k.senders(w)
	bad = append(bad, in.weak(w)...)
	bad = append(bad, k.dropped(w)...)
	up := sender{point: w.points[0], power: in.share + w.points[0].out, known: in.all, name: w.from}
	for _, p := range w.points[1 : len(w.points)-1] {
		a, shown := k.observed.Devices[p.device].Amplifiers[w.key.way]
		if !shown || a.Input == nil {
			continue
		}
		if up.known && up.power > noLight {
			s := stretch{way: w, from: up.name, to: p.device, ducts: w.ducts[up.place:p.place], devices: append(up.devices(w), p.device)}
			s.excess = (up.power - *a.Input) - (up.out - p.in)
			if bad = judged(bad, s, passes); s.excess >= lossAll {
				return bad
			}
		}
		up = sender{point: p, known: a.Output != nil, name: p.device}
		if up.known {
			up.power = *a.Output
		}
	}
	if direct := up.device == ""; direct || in.all && up.known && up.power > noLight && len(k.dark[w.key]) == 0 {
		bad = append(bad, k.receivers(w, up, in, bad, passes)...)
	}
	return bad
}

// sender is where light was last measured.
type sender struct {
	point
	name  string
	power float64
	known bool
}

// devices are those that measured it.
func (s *sender) devices(w *way) []string {
	if s.device != "" {
		return []string{s.device}
	}
	return portsAt(w.begin, w.from)
}

func portsAt(channels []*fabric.Channel, site string) []string {
	var out []string
	for _, c := range channels {
		if name := terminalAt(c, site).Device; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// judged appends a stretch that takes too much; of any other its ducts are known to pass light.
func judged(bad []stretch, s stretch, passes map[string][]string) []stretch {
	if s.lost = s.excess >= lossAll; s.excess >= lossOff {
		bad = append(bad, s)
	}
	if !s.lost {
		for _, duct := range s.ducts {
			passes[duct] = append(passes[duct], s.way.line.Name)
		}
	}
	return bad
}

// incoming is what is sent into a line.
type incoming struct {
	lit     map[*fabric.Channel]float64 // channels that are sent, each with how much stronger it is than planned in dB
	missing map[*fabric.Channel]float64 // what channels have lost of that where they enter
	share   float64                     // how much stronger than planned those are together that enter
	all     bool                        // whether that is known of all that the line carries
}

// senders looks at what is sent into a line.
func (k *checker) senders(w *way) incoming {
	lit, all := map[*fabric.Channel]float64{}, w.whole && len(w.begin) > 0
	planned, sent := math.Inf(-1), math.Inf(-1)
	for _, c := range w.begin {
		planned = together(planned, float64(c.Power))
		p, known := k.optical(terminalAt(c, w.from))
		if all = all && known; !known || !p.lasing() {
			continue
		}
		if p.Transmitted != nil && !w.levels {
			lit[c] = *p.Transmitted - float64(c.Power)
		} else {
			lit[c] = 0
		}
	}
	missing, gone := k.missing(w, lit), math.Inf(-1)
	for _, c := range w.begin {
		if more, lit := lit[c]; lit && missing[c] < lossAll {
			sent = together(sent, float64(c.Power)+more-missing[c])
			if !k.gone(w, c) {
				gone = together(gone, float64(c.Power)+more-missing[c])
			}
		}
	}
	if enters, known := k.enters(w); known && math.Abs(gone-planned-enters) < math.Abs(sent-planned-enters) {
		sent = gone
	}
	return incoming{lit, missing, sent - planned, all}
}

// receivers judges the last stretch of a line, channel by channel. What all lack, the stretch has taken; what one lacks, its connectors.
// A channel that comes from another line may have lost its light there, and is not judged.
func (k *checker) receivers(w *way, up sender, in incoming, known []stretch, passes map[string][]string) []stretch {
	type received struct {
		channel *fabric.Channel
		excess  float64
	}
	var list []received
	for _, c := range w.end {
		at := terminalAt(c, w.to)
		more, sent := in.lit[c]
		p, read := k.optical(at)
		want, planned := k.index.receives(c, at)
		got := k.entering(c, at, &p)
		found := slices.ContainsFunc(known, func(s stretch) bool { return s.channel == c })
		if !sent || !read || !planned || got == nil || !p.lasing() || found {
			continue
		}
		if want += more; up.device != "" {
			want += up.power - up.out - in.share
		}
		list = append(list, received{c, want - *got})
	}
	if len(list) == 0 {
		return nil
	}
	common := slices.MinFunc(list, func(a, b received) int { return cmp.Compare(a.excess, b.excess) }).excess
	s := stretch{way: w, from: up.name, to: w.to, ducts: w.ducts[up.place:], devices: append(up.devices(w), portsAt(w.end, w.to)...), excess: common}
	if len(list) == 1 {
		s.alone = list[0].channel
	}
	bad := judged(nil, s, passes)
	if len(s.ducts) == 0 || len(bad) == 0 {
		bad, common = nil, 0
	}
	for _, r := range list {
		if one := s; r.excess-common >= lossOff {
			one.excess, one.channel, one.ducts, one.alone = r.excess-common, r.channel, nil, nil
			if m := k.monitored(w, w.to, r.channel.Name); m != nil && m.Dropped != nil { // behind it all is well
				one.at = terminalAt(r.channel, w.from)
			}
			one.lost = one.excess >= lossAll
			bad = append(bad, one)
		}
	}
	return bad
}

// receives is the power in dBm that a channel should have at one of its ends.
func (x *Index) receives(c *fabric.Channel, at *fabric.Terminal) (float64, bool) {
	e, planned := x.light().expected[c.Name]
	if at == &c.A {
		return float64(e.Back.Light.Power), planned
	}
	return float64(e.There.Light.Power), planned
}
