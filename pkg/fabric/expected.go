package fabric

import (
	"fmt"
	"slices"

	"github.com/loomfabric/loom/pkg/optics"
)

// Expected is what should arrive of each of some channels as their lines are set today, at the receivers at side B, and at side A.
type Expected struct{ There, Back optics.Arrival }

// Expect carries the channels of a design over their lines as these are planned for today.
func (d *Design) Expect() (map[string]Expected, error) {
	lines := make(map[string]*Line, len(d.Lines))
	for i := range d.Lines {
		lines[d.Lines[i].Name] = &d.Lines[i]
	}
	out := make(map[string]Expected, len(d.Channels))
	for i := range d.Channels {
		c := &d.Channels[i]
		var e Expected
		var err error
		if e.There, err = d.arrival(c, lines, c.A.Site, c.Lines); err == nil {
			back := slices.Clone(c.Lines)
			slices.Reverse(back)
			e.Back, err = d.arrival(c, lines, c.B.Site, back)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		out[c.Name] = e
	}
	return out, nil
}

// arrival is a channel that goes over lines, from a site on.
func (d *Design) arrival(c *Channel, lines map[string]*Line, from string, over []string) (optics.Arrival, error) {
	states, err := d.statesOf(c, lines, from, over)
	if err != nil {
		return optics.Arrival{}, err
	}
	at := slices.IndexFunc(states[0].Arrivals, func(a optics.Arrival) bool { return a.Name == c.Name })
	if at < 0 {
		return optics.Arrival{}, fmt.Errorf("line %s is planned without it", over[0])
	}
	return states[0].Arrivals[at], nil
}

// statesOf are the states of the lines that a channel goes over, from a site on: today's first.
func (d *Design) statesOf(c *Channel, lines map[string]*Line, from string, over []string) ([]optics.State, error) {
	var path optics.Path
	for _, name := range over {
		l := lines[name]
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
