package fabric

import "github.com/loomfabric/loom/pkg/optics"

// Expected is what should arrive of each of some channels as their lines are set today, at the receivers at side B, and at side A.
type Expected struct{ There, Back optics.Arrival }

// Expect carries the channels of a design over their lines as these are planned for today.
func (d *Design) Expect() (map[string]Expected, error) {
	out := make(map[string]Expected, len(d.Channels))
	for i := range d.Channels {
		c := &d.Channels[i]
		there, back, err := d.arrivals(c)
		if err != nil {
			return nil, err
		}
		out[c.Name] = Expected{there[0].Arrival, back[0].Arrival}
	}
	return out, nil
}
