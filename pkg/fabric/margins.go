package fabric

import (
	"fmt"
	"slices"

	"github.com/loomfabric/loom/pkg/optics"
)

// Margin is what a channel keeps in one state of its lines, in one direction.
type Margin struct {
	State   string // "today", "full", "end of life", "full at end of life"
	From    string // site that the light comes from
	Margin  optics.DB
	Arrival optics.Arrival
}

// Margins are what a channel of the design keeps today, and later, each in the direction in which it keeps less.
func (d *Design) Margins(c *Channel) ([]Margin, error) {
	out, back, err := d.arrivals(c)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if back[i].Margin < out[i].Margin {
			out[i] = back[i]
		}
	}
	return out, nil
}

// arrivals are a channel at side B and at side A, in each state of its lines.
func (d *Design) arrivals(c *Channel) (there, back []Margin, err error) {
	over := slices.Clone(c.Lines)
	if there, err = d.arriving(c, c.A.Site, over); err != nil {
		return nil, nil, err
	}
	slices.Reverse(over)
	back, err = d.arriving(c, c.B.Site, over)
	return there, back, err
}

// arriving are a channel's arrivals over lines, from a site on.
func (d *Design) arriving(c *Channel, from string, over []string) ([]Margin, error) {
	states, err := d.states(c, from, over)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	out := make([]Margin, len(states))
	for i := range states {
		s := &states[i]
		k := slices.IndexFunc(s.Arrivals, func(a optics.Arrival) bool { return a.Name == c.Name })
		if k < 0 {
			return nil, fmt.Errorf("%s: line %s is planned without it", c.Name, over[0])
		}
		out[i] = Margin{s.Name, from, s.Arrivals[k].Margin, s.Arrivals[k]}
	}
	return out, nil
}

// states are those of lines, one after the other, from a site on.
func (d *Design) states(c *Channel, from string, over []string) ([]optics.State, error) {
	var path optics.Path
	for _, name := range over {
		l := d.Line(name)
		if l == nil {
			return nil, fmt.Errorf("no line %s", name)
		}
		r, to := l.There, l.B
		if l.A != from {
			r, to = l.Back, l.A
		}
		if r == nil {
			return nil, fmt.Errorf("line %s is not planned", name)
		}
		path.Reports, from = append(path.Reports, r), to
	}
	if len(over) == 1 {
		return path.Reports[0].States, nil
	}
	path.Express = express(len(over))
	return path.Through([]optics.Carried{{Name: c.Name, Slot: c.Slot, Mode: c.Mode, TxPower: c.Power}})
}

// Modes are those that both ends of a channel can be set to, and whose rate their links fill.
func (d *Design) Modes(c *Channel) []*optics.Mode { return modesOf(d.side(&c.A), d.side(&c.B)) }

// Makers are the platforms that make the light of a channel: "7250-IXR-X3b".
func (d *Design) Makers(c *Channel) string { return makers(d.side(&c.A), d.side(&c.B)) }

// side is what stands at one end of a channel of the design.
func (d *Design) side(t *Terminal) side {
	s := side{platform: d.Device(t.Device).Platform}
	if t.Device != t.Router {
		s.box = &station{name: t.Device}
	}
	return s
}

// Line returns the line with the given name, or nil.
func (d *Design) Line(name string) *Line {
	for i := range d.Lines {
		if d.Lines[i].Name == name {
			return &d.Lines[i]
		}
	}
	return nil
}

// Lit are the channels that pass a line, by frequency.
func (d *Design) Lit(line string) []*Channel {
	var out []*Channel
	for i := range d.Channels {
		if slices.Contains(d.Channels[i].Lines, line) {
			out = append(out, &d.Channels[i])
		}
	}
	slices.SortStableFunc(out, func(a, b *Channel) int { return a.Slot.N - b.Slot.N })
	return out
}
