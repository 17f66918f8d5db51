package plan

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
)

// swing is how much more or less than before and after a line may give its channels on the way, in dB: as much as drivers
// change at once.
const swing = 1.0

// balance is what the amplifiers of one direction of a line have changed so far, in dB.
type balance struct {
	sum, low, high float64
	path, device   string // where it was lowest or highest
}

// unbalanced: devices get other gains one after the other, and in between their line gives its channels more or less than
// either before or after.
func (s *search) unbalanced() []Risk {
	lines := map[string]*balance{}
	var order []string
	for i := range s.plan.Devices { // in the order in which they change
		j := s.judge(&s.plan.Devices[i])
		for _, g := range j.g.Gains {
			for _, c := range j.before(g.List) {
				name := c.Keys()[0]
				more, ok := j.more(c, g)
				if !ok || more == 0 {
					continue
				}
				if lines[name] == nil {
					lines[name], order = &balance{}, append(order, name)
				}
				lines[name].add(more, j.d.Name, c.Path().String())
			}
		}
	}
	slices.Sort(order)
	var out []Risk
	for _, name := range order {
		b := lines[name]
		if text := b.text(); text != "" {
			out = append(out, Risk{
				Device: b.device, Path: b.path, Change: fmt.Sprintf("%s gives its channels %s than before and after, on the way", name, text),
				Why: "receivers hear too little or too much until the last amplifier of the line has changed; in several smaller changes they do not",
			})
		}
	}
	return out
}

// more is by how much the gain of an amplifier grows, less what is attenuated behind it; false where it is not there before and after.
func (j *judge) more(c config.Cursor, g driver.Gain) (float64, bool) {
	behind := filled(j.path(g.Behind), c)
	of := func(t *config.Tree) (float64, bool) {
		gain, err := strconv.ParseFloat(deep(t.Find(c.Path()), g.Gain).Value(), 64)
		loss, none := strconv.ParseFloat(t.Find(behind).Value(), 64)
		if none != nil {
			loss = 0
		}
		return gain - loss, err == nil
	}
	was, before := of(j.d.Before)
	is, after := of(j.d.After)
	return math.Round((is-was)*100) / 100, before && after
}

func (b *balance) add(more float64, device, path string) {
	b.sum += more
	if b.sum < b.low || b.sum > b.high {
		b.device, b.path = device, path
	}
	b.low, b.high = min(b.low, b.sum), max(b.high, b.sum)
}

// text says how far it was out of what lies between before and after; "" where that is no more than a step.
func (b *balance) text() string {
	less, more := min(0, b.sum)-b.low, b.high-max(0, b.sum)
	switch {
	case less > swing+1e-6 && less >= more:
		return fmt.Sprintf("%.2f dB less", less)
	case more > swing+1e-6:
		return fmt.Sprintf("%.2f dB more", more)
	}
	return ""
}
