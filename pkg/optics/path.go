package optics

import "slices"

// Path is lines that channels pass one after the other, through ROADMs. Each is planned, for all the channels that it carries; so what
// amplifies is set as the report of its line says.
type Path struct {
	Reports []*Report // in the direction of the light
	Express []DB      // loss of the ROADM between two of them
}

// Through carries channels along the path, beside all that its lines are lit with, and judges them where they leave the last one. The states are
// those of the lines.
func (p Path) Through(channels []Carried) ([]State, error) {
	first := p.Reports[0]
	out := make([]State, len(first.States))
	for i := range out {
		s := State{Name: first.States[i].Name, Lit: p.lit(i, channels)}
		end := p.end(i)
		run, err := NewPropagator(comb(s.Lit))
		if err != nil {
			return nil, err
		}
		if err := run.Run(p.elements(i), nil); err != nil {
			return nil, err
		}
		for k, c := range channels {
			s.Arrivals = append(s.Arrivals, end.arrival(c, run.At(k)))
		}
		s.Worst, s.Margin = worst(s.Arrivals)
		out[i] = s
	}
	return out, nil
}

// end is the last line, where channels are judged, with the largest reserve of all.
func (p Path) end(state int) *Line {
	out := *p.Reports[len(p.Reports)-1].States[state].Line
	for _, r := range p.Reports {
		out.Reserve = max(out.Reserve, r.States[state].Line.Reserve)
	}
	return &out
}

// lit are the channels and beside them those of all lines, wherever they do not overlap: each line sees at least what it carries.
func (p Path) lit(state int, channels []Carried) []Carried {
	out := slices.Clone(channels)
	for _, r := range p.Reports {
		for _, c := range r.States[state].Lit {
			if !slices.ContainsFunc(out, func(o Carried) bool { return o.Slot.Overlaps(c.Slot) }) {
				out = append(out, c)
			}
		}
	}
	return out
}

// elements are the lines one behind the other. A ROADM between two brings what passes to the power of what it adds.
func (p Path) elements(state int) []Element {
	var out []Element
	for i, r := range p.Reports {
		s := &r.States[state]
		loss := s.Line.Mux
		if i > 0 {
			loss = p.Express[i-1]
		}
		out = append(out, Equalizer{Target: s.Setting.Added, Loss: loss})
		out = append(out, s.Line.between(s.Setting)...)
		if i == len(p.Reports)-1 {
			out = append(out, Loss{s.Line.Demux})
		}
	}
	return out
}

// Join is lines one behind the other as one line: what to choose a mode by, before any of them is planned.
func Join(lines []*Line, express []DB) *Line {
	out := *lines[0]
	out.Sections = slices.Clone(out.Sections)
	for i, l := range lines[1:] {
		out.Name += " + " + l.Name
		out.Grid.Low, out.Grid.High = max(out.Grid.Low, l.Grid.Low), min(out.Grid.High, l.Grid.High)
		pass := Section{Name: "ROADM", Passive: []Element{Equalizer{Target: l.Level, Loss: express[i]}}, Amplifier: l.Booster}
		out.Sections = append(append(out.Sections, pass), l.Sections...)
		out.Demux = l.Demux
	}
	return &out
}

// Outputs is the power of all channels that each amplifier of the line gives, before what attenuates it: the booster, and then by section. It means
// nothing where there is none.
func (s *State) Outputs() (booster DBm, sections []DBm, err error) {
	run, err := NewPropagator(comb(s.Lit))
	if err != nil {
		return 0, nil, err
	}
	var after []DBm
	elements := s.Line.Elements(s.Setting)
	if err := run.Run(elements, func(i int, stage Stage) {
		if a, ok := elements[i].(Amplifier); ok {
			after = append(after, stage.Total+DBm(a.VOA))
		}
	}); err != nil {
		return 0, nil, err
	}
	if s.Line.Booster != nil {
		booster, after = after[0], after[1:]
	}
	sections = make([]DBm, len(s.Line.Sections))
	for i := range sections {
		if s.Line.Sections[i].Amplifier != nil {
			sections[i], after = after[0], after[1:]
		}
	}
	return booster, sections, nil
}
