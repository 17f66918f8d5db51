package fabric

import (
	"errors"
	"fmt"
	"strings"

	"github.com/loomfabric/loom/pkg/optics"
)

// settleSpectrum decides the slot of every channel: its own where it is pinned, and otherwise the one whose place among the slots of its
// width it has, so that a channel more retunes none.
func (d *draft) settleSpectrum() {
	if !d.sharesApart() {
		return
	}
	grids := make(map[string]optics.Grid, len(d.lines))
	for _, l := range d.lines {
		if l.built() {
			grids[l.name()] = l.there.Grid
		}
	}
	byName := map[string]*channel{}
	var wanted []optics.Wanted
	for _, c := range d.channels {
		at, ok := d.centre(c)
		if !ok {
			continue
		}
		byName[c.name] = c
		wanted = append(wanted, optics.Wanted{Name: c.name, Lines: c.in.GetLines(), Mode: c.mode, At: at})
	}
	slots, errs := optics.Assign(grids, wanted, nil)
	for _, err := range errs {
		var full *optics.NoRoom
		if !errors.As(err, &full) {
			continue
		}
		c := byName[full.Channel]
		d.report.failLike("slot "+c.dci.in.GetName()+strings.Join(c.in.GetLines(), "+"), c.ref+"#frequency", fmt.Sprintf("%s: %v", c.name, full.Cause), "give it another frequency, or slot")
	}
	for name, slot := range slots {
		byName[name].slot, byName[name].settled = slot, true
	}
}

// centre is the frequency of a channel in MHz.
func (d *draft) centre(c *channel) (uint64, bool) {
	var width optics.GHz
	for _, l := range c.legs {
		w, err := l.line.there.Grid.SlotWidth(c.mode)
		if err != nil {
			d.report.failEach(c.ref+"#mode", c.dci.in.GetName(), fmt.Sprintf("line %s: %v", l.line.name(), err), "use another mode, or a wider grid", note{l.line.ref + "#grid", "the grid"})
			return 0, false
		}
		width = max(width, w)
	}
	if c.in.GetFrequency() != 0 {
		return uint64(c.in.GetFrequency()), true
	}
	slots := c.room(width)
	if n := int(c.in.GetSlot()); n < 1 || n > len(slots) {
		d.report.failLike("share "+c.dci.in.GetName()+strings.Join(c.in.GetLines(), "+"), c.ref+"#spectrum",
			fmt.Sprintf("%s: slot %d of %v over %s: there are %d", c.name, n, width, strings.Join(c.in.GetLines(), " + "), len(slots)),
			"give it a smaller slot, a frequency or a wider spectrum")
		return 0, false
	}
	return slots[c.in.GetSlot()-1].Centre(), true
}

// room are the slots of a width that all lines of a channel have in its share of the spectrum.
func (c *channel) room(width optics.GHz) []optics.Slot {
	low, high := c.share()
	grid := c.legs[0].line.there.Grid
	grid.Low, grid.High, grid.Guard = low, high, 0
	slots, err := grid.Room(width)
	if err != nil || low >= high {
		return nil
	}
	var out []optics.Slot
	for _, s := range slots {
		free := true
		for _, l := range c.legs {
			free = free && l.line.there.Grid.Has(s)
		}
		if free {
			out = append(out, s)
		}
	}
	return out
}

// share is where the slot of a channel may lie: in its share of the spectrum, and in what all its lines carry.
func (c *channel) share() (low, high uint64) {
	low, high = uint64(c.in.GetLow()), uint64(c.in.GetHigh())
	for i, l := range c.legs {
		g := l.line.there.Grid
		guard := uint64(float64(g.Guard) * 1e3)
		low = max(low, g.Low+guard)
		if high == 0 && i == 0 || high > g.High-guard {
			high = g.High - guard
		}
	}
	return low, high
}

// sharesApart reports DCIs that look for frequencies in the same spectrum of one line: they would meet there sooner or later.
func (d *draft) sharesApart() bool {
	apart := true
	for _, l := range d.lines {
		for i, c := range l.channels {
			for _, other := range l.channels[:i] {
				low, high := c.share()
				otherLow, otherHigh := other.share()
				if c.dci == other.dci || c.in.GetFrequency() != 0 || other.in.GetFrequency() != 0 || low >= otherHigh || otherLow >= high {
					continue
				}
				apart = false
				d.report.failLike("shares "+l.name()+other.dci.in.GetName(), c.ref+"#spectrum",
					fmt.Sprintf("%s: looks for frequencies on line %s where %s does, too", c.dci.in.GetName(), l.name(), other.dci.in.GetName()),
					"give each a spectrum of its own, as 191.3..193.1 THz, or frequencies", note{other.ref + "#spectrum", other.dci.in.GetName()})
				break
			}
		}
	}
	return apart
}
