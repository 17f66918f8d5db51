package optics

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Ageing is how much worse a line gets until it is replaced.
type Ageing struct {
	PerSpan     DB // loss of each fibre: repairs and connectors
	NoiseFigure DB // of each amplifier
	System      DB // taken from every margin of noise: ripple, filters, polarization
}

// UsualAgeing is what planners assume where nobody measured: some repairs of 0.1 to 0.2 dB for each span, and half a dB each for
// amplifiers, and for ripple and filters.
func UsualAgeing() Ageing { return Ageing{PerSpan: 1, NoiseFigure: 0.5, System: 0.5} }

// Aged is the line at the end of its life.
func (l *Line) Aged(a Ageing) *Line {
	out := *l
	out.Reserve += a.System
	out.Booster = l.Booster.aged(a)
	out.Sections = make([]Section, len(l.Sections))
	for i, s := range l.Sections {
		s.Amplifier = s.Amplifier.aged(a)
		s.Passive = slices.Clone(s.Passive)
		for k, e := range s.Passive {
			if f, ok := e.(Fiber); ok {
				f.ConnectorOut += a.PerSpan
				s.Passive[k] = f
			}
		}
		out.Sections[i] = s
	}
	return &out
}

func (k *AmplifierKind) aged(a Ageing) *AmplifierKind {
	if k == nil {
		return nil
	}
	out := *k
	out.NoiseFigure += a.NoiseFigure
	return &out
}

// Filled are the channels, and beside them others of the mode that needs the least room, wherever the grid has some left: the
// line as it is when it is sold out.
func (l *Line) Filled(channels []Carried) ([]Carried, error) {
	filler := channels[0]
	for _, c := range channels[1:] {
		if c.Mode.Spacing < filler.Mode.Spacing {
			filler = c
		}
	}
	m, err := l.Grid.slotWidth(filler.Mode)
	if err != nil {
		return nil, err
	}
	taken := NewSpectrum(l.Grid)
	for _, c := range channels {
		taken.Take(c.Slot)
	}
	out := slices.Clone(channels)
	for n := l.Grid.firstN(); n <= l.Grid.lastN(); n++ {
		s := Slot{n, m}
		if l.Grid.Has(s) && taken.Free(s) {
			taken.Take(s)
			out = append(out, Carried{Name: "(free)", Slot: s, Mode: filler.Mode, TxPower: filler.TxPower})
		}
	}
	return out, nil
}

// State is a line in one of its conditions.
type State struct {
	Name     string // "today", "full", "end of life", "full at end of life"
	Line     *Line  // as it is then
	Setting  Setting
	Lit      []Carried // those that fill it behind those that are lit
	Arrivals []Arrival // of the channels that are lit, without those that fill
	Margin   DB        // the least of theirs
	Worst    Arrival
}

// Closes tells whether every channel arrives with the margin.
func (s *State) Closes(margin DB) bool {
	for _, a := range s.Arrivals {
		if a.Verdict.Fails&outOfReach != 0 {
			return false
		}
	}
	return s.Margin >= margin
}

// Report is a line planned: how it is set today, and with what margin its channels arrive now and later.
type Report struct {
	Line   *Line
	Age    Ageing // that the end of its life is planned with
	Launch DBm
	States []State // today, full, at the end of life, both
}

// Today is the line with what is lit now.
func (r *Report) Today() *State { return &r.States[0] }

// Last is the line full at the end of its life: what decides.
func (r *Report) Last() *State { return &r.States[len(r.States)-1] }

// Worst is the state in which the channels have least to spare: the last, unless the light is nearly too strong while fibres are new.
func (r *Report) Worst() *State {
	w := r.Last()
	for i := range r.States {
		if r.States[i].Worst.rank() < w.Worst.rank() {
			w = &r.States[i]
		}
	}
	return w
}

// Plan sets a line for its channels. The launch power is the best for the line when it is full (see Filled), so that lighting
// a channel of a width that it carries asks for no other power of those that are lit. launch is a power that somebody has chosen; NaN: the best.
func (l *Line) Plan(channels []Carried, age Ageing, launch DBm) (*Report, error) {
	if err := l.Check(); err != nil {
		return nil, fmt.Errorf("line %s: %w", l.Name, err)
	}
	if len(channels) == 0 {
		return nil, fmt.Errorf("line %s: no channel to plan for", l.Name)
	}
	full, err := l.Filled(channels)
	if err != nil {
		return nil, fmt.Errorf("line %s: %w", l.Name, err)
	}
	if !l.Amplified() {
		full = channels // nothing on the line knows how many there are
	}
	if math.IsNaN(float64(launch)) {
		if launch, err = l.BestLaunch(full, len(full)); err != nil {
			return nil, fmt.Errorf("line %s: %w", l.Name, err)
		}
	}
	r, old := &Report{Line: l, Age: age, Launch: launch}, l.Aged(age)
	for _, c := range []struct {
		name string
		line *Line
		lit  []Carried
	}{{"today", l, channels}, {"full", l, full}, {"end of life", old, channels}, {"full at end of life", old, full}} {
		s := State{Name: c.name, Line: c.line, Lit: c.lit, Setting: c.line.Set(launch, c.lit, len(full))}
		all, err := c.line.Arrivals(s.Setting, c.lit)
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", l.Name, err)
		}
		s.Arrivals = all[:len(channels)]
		s.Worst, s.Margin = worst(s.Arrivals)
		r.States = append(r.States, s)
	}
	return r, nil
}

// Room is how many channels of a mode a line has room for, and why not more.
type Room struct {
	Spectrum int // by the grid
	Power    int // by what the weakest amplifier gives
	Margin   int // by the margin that is asked for at the end of life; 0: not even one
}

// Channels is how many fit.
func (r Room) Channels() int { return min(r.Spectrum, r.Power, r.Margin) }

// Room counts the channels of a mode that fit on an empty line, with a margin.
func (l *Line) Room(m *Mode, tx DBm, age Ageing, launch DBm, margin DB) (Room, error) {
	width, err := l.Grid.slotWidth(m)
	if err != nil {
		return Room{}, err
	}
	slots, err := l.Grid.Room(GHz(float64(width) * 12.5))
	if err != nil || len(slots) == 0 {
		return Room{}, err
	}
	comb := make([]Carried, len(slots))
	for i, s := range slots {
		comb[i] = Carried{Slot: s, Mode: m, TxPower: tx}
	}
	r := Room{Spectrum: len(slots), Power: len(slots)}
	kinds := []*AmplifierKind{l.Booster}
	for _, s := range l.Sections[:max(len(l.Sections)-1, 0)] {
		kinds = append(kinds, s.Amplifier)
	}
	for _, k := range kinds {
		if k != nil {
			r.Power = min(r.Power, int(fromDB(float64(k.MaxOutput-launch))))
		}
	}
	ages := []*Line{l.Aged(age), l} // new, light can be too strong
	var failed error
	r.Margin = sort.Search(len(comb), func(n int) bool {
		lit := comb[:n+1]
		return slices.ContainsFunc(ages, func(l *Line) bool {
			arrivals, err := l.Arrivals(l.Set(launch, lit, len(lit)), lit)
			if err != nil {
				failed = err
				return true
			}
			s := State{Arrivals: arrivals}
			_, s.Margin = worst(arrivals)
			return !s.Closes(margin)
		})
	})
	return r, failed
}
