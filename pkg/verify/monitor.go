package verify

import (
	"math"
	"slices"

	"github.com/loomfabric/loom/pkg/fabric"
)

// A monitor at the end of a line measures each channel by itself: where it goes into the line, behind the first amplifier, and where it comes
// from it, behind the last one (openconfig-channel-monitor, /channel-monitors/channel-monitor/channels/channel/state/power). That tells what is
// plugged in at one end from what is plugged in at the other, and both from the line between them.

// monitored is what the end of a line at a site measures of a channel; nil where nothing does.
func (k *checker) monitored(w *way, site, channel string) *MediaChannel {
	name := w.line.Name + "-" + site
	d, read := k.observed.Devices[name]
	if design := k.index.design.Device(name); read && d.Unreachable == "" && design != nil {
		for i := range design.Light.Media {
			if m, there := d.Media[design.Light.Media[i].Index]; there && design.Light.Media[i].Channel == channel {
				return &m
			}
		}
	}
	return nil
}

// added is how much weaker than planned a channel goes into a line, in dB; false where nobody measures it.
func (k *checker) added(w *way, channel string) (float64, bool) {
	planned, enters := w.adds[channel]
	m := k.monitored(w, w.from, channel)
	if m == nil || m.Added == nil || !enters {
		return 0, false
	}
	return planned - *m.Added, true
}

// missing is what channels lack where they enter a line, in dB, beyond what all lack there: that is the first amplifier's, and judged as such.
func (k *checker) missing(w *way, lit map[*fabric.Channel]float64) map[*fabric.Channel]float64 {
	common := 0.0
	if len(w.adds) > 1 {
		common = math.Inf(1)
		for name := range w.adds {
			if less, known := k.added(w, name); known {
				common = min(common, less)
			}
		}
	} else if len(k.dark[w.key])+len(k.dim[w.key]) > 0 {
		return nil
	}
	out := map[*fabric.Channel]float64{}
	for c, more := range lit {
		if less, known := k.added(w, c.Name); known && less+more-common >= lossOff {
			out[c] = less + more - common
		}
	}
	return out
}

// weak are the cords by which channels enter a line weaker than they are sent.
func (in *incoming) weak(w *way) []stretch {
	var bad []stretch
	for _, c := range w.begin {
		if less, lacks := in.missing[c]; lacks {
			s := stretch{way: w, from: w.from, to: w.line.Name + "-" + w.from, channel: c, at: terminalAt(c, w.from), excess: less}
			bad = judged(bad, s, nil)
		}
	}
	return bad
}

// enters is how much stronger than planned all light is that enters a line at its first amplifier, in dB; false where that is not at its beginning.
func (k *checker) enters(w *way) (float64, bool) {
	if len(w.points) == 2 || w.points[1].place > 0 {
		return 0, false
	}
	a, shown := k.observed.Devices[w.points[1].device].Amplifiers[w.key.way]
	if !shown || a.Input == nil {
		return 0, false
	}
	return *a.Input - w.points[1].in, true
}

// gone tells whether a channel does not come out where it ends, while others that enter the line with it do: it may not be in the line at all.
func (k *checker) gone(w *way, c *fabric.Channel) bool {
	comes := func(o *fabric.Channel) bool {
		p, known := k.optical(otherEnd(o, w.from))
		got := k.entering(o, otherEnd(o, w.from), &p)
		return known && p.lasing() && (got == nil || *got > noLight)
	}
	return !comes(c) && slices.ContainsFunc(w.begin, comes)
}

// dropped judges the cords between the end of a line and its receivers, where that end is monitored.
func (k *checker) dropped(w *way) []stretch {
	var bad []stretch
	for _, c := range w.end {
		at := terminalAt(c, w.to)
		m := k.monitored(w, w.to, c.Name)
		p, known := k.optical(at)
		got := k.entering(c, at, &p)
		if m == nil || m.Dropped == nil || *m.Dropped < noLight || !known || got == nil || !p.lasing() {
			continue
		}
		s := stretch{way: w, from: w.line.Name + "-" + w.to, to: w.to, channel: c, at: at, excess: *m.Dropped - w.demux - *got}
		if bad = judged(bad, s, nil); s.excess >= lossOff && *got < noLight {
			bad[len(bad)-1].lost = true
		}
	}
	return bad
}

// entering is the power in dBm that comes to a receiver: of its channel, and where it hears none, of whatever there is as long as that is no other
// channel's. Light of a laser that has left its frequency arrives, and nothing on the way has taken it.
func (k *checker) entering(c *fabric.Channel, at *fabric.Terminal, p *Optical) *float64 {
	if p.Received != nil && *p.Received < noLight && p.Total != nil && k.index.alone(c, at) {
		return p.Total
	}
	return p.Received
}

// alone tells whether nothing but its channel comes to a receiver: what is between it and the line takes the rest away.
func (x *Index) alone(c *fabric.Channel, at *fabric.Terminal) bool {
	for i := range x.light().ways {
		if w := &x.light().ways[i]; w.to == at.Site && slices.Contains(w.end, c) {
			return w.filters || len(w.end) == 1
		}
	}
	return false
}

// stray tells whether light comes to an end of a channel, about as much as planned, in which its receiver does not hear the channel: a laser has
// left its frequency. The noise of amplifiers alone is much less.
func (k *checker) stray(c *fabric.Channel, at *fabric.Terminal) bool {
	p, known := k.optical(at)
	want, planned := k.index.receives(c, at)
	if !known || !planned || !p.lasing() || p.Received == nil || *p.Received > noLight || k.missetAt(c) {
		return false
	}
	got := k.entering(c, at, &p)
	return got != nil && *got > max(noLight, want-lossAll)
}

// missetAt tells whether an end of a channel is set to another frequency or mode than the design has.
func (k *checker) missetAt(c *fabric.Channel) bool {
	for _, end := range []*fabric.Terminal{&c.A, &c.B} {
		p, known := k.optical(end)
		for _, want := range k.index.design.Device(end.Device).Light.Coherent {
			if known && want.Port == end.Port && (p.Frequency != 0 && p.Frequency != want.Frequency || p.Mode != "" && p.Mode != want.Setting) {
				return true
			}
		}
	}
	return false
}

// strayed drafts the finding of a laser that has left its frequency. Where one end hears the other and is not heard, it is the laser of that end;
// where none hears the other, as with a laser that sends and receives, it is either.
func (k *checker) strayed(c *Contract, receiver *fabric.Terminal, ch *fabric.Channel, got float64) {
	own, far := *c, otherEnd(ch, receiver.Site)
	if !k.stray(ch, far) {
		own.Object, own.Device, own.Far = terminalObject(far, ch), far.Device, []string{receiver.Device}
	}
	f := k.draft(Mistuned, Error, &own, "has a laser that has left its frequency")
	f.says(c.Device, "hears no channel at %s in the %.1f dBm that come in", c.Port, got)
}

// otherEnd is the end of a channel that is not at a site.
func otherEnd(c *fabric.Channel, site string) *fabric.Terminal {
	if c.A.Site == site {
		return &c.B
	}
	return &c.A
}

// terminalObject is an end of a channel as the object of a finding.
func terminalObject(at *fabric.Terminal, c *fabric.Channel) string {
	return Far{at.Device, at.Port}.String() + " (" + c.Name + ")"
}

// lasing tells whether a coherent port has its laser: without, it sends nothing, and hears nothing either, as it receives by the same.
func (p *Optical) lasing() bool { return p.Laser && (p.Transmitted == nil || *p.Transmitted > noLight) }
