package main

import (
	"cmp"
	"slices"

	kinds "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/light"
	plant "github.com/loomfabric/loom/pkg/sim/network"
)

// lightPlant is what has to be built for the light of a design: its lines, and the ports of its channels, plugged in
// where the design says. It is nil where there is no light.
func lightPlant(design *fabric.Design) *light.Plant {
	p := &light.Plant{}
	lines := map[string]*fabric.Line{}
	for i := range design.Lines {
		l := &design.Lines[i]
		if l.There == nil || l.Back == nil {
			continue // nothing is lit on it
		}
		lines[l.Name] = l
		back := slices.Clone(l.Ducts)
		slices.Reverse(back)
		p.Lines = append(p.Lines, light.Line{
			Name: l.Name, A: l.A, B: l.B, Express: kinds.Known().ROADMs[0].Express, Ageing: ageing(l.There),
			There: lightWay(l, l.There, l.Ducts, l.Devices, "there", l.A, l.B),
			Back:  lightWay(l, l.Back, back, reversedNames(l.Devices), "back", l.B, l.A),
		})
	}
	for i := range design.Channels {
		c := &design.Channels[i]
		first, last := lines[c.Lines[0]], lines[c.Lines[len(c.Lines)-1]]
		if first != nil && last != nil {
			p.Terminals = append(p.Terminals, terminalAt(design, c, &c.A, first), terminalAt(design, c, &c.B, last))
		}
	}
	slices.SortFunc(p.Terminals, func(a, b light.Terminal) int {
		return cmp.Or(cmp.Compare(a.At.Device, b.At.Device), cmp.Compare(a.At.Port, b.At.Port))
	})
	if len(p.Lines) == 0 {
		return nil
	}
	return p
}

// lightWay is one direction of a line. It has an amplifier at each of its devices, in the order of the light.
func lightWay(l *fabric.Line, r *optics.Report, ducts, devices []string, name, from, to string) light.Way {
	out := light.Way{Built: r.Line, Ducts: ducts, Level: r.Today().Setting.Added}
	for _, d := range devices {
		out.Amplifiers = append(out.Amplifiers, light.Unit{Device: d, Name: l.Name + "-" + name})
	}
	for end, device := range map[*string]string{&out.Add: l.Name + "-" + from, &out.Drop: l.Name + "-" + to} {
		if slices.Contains(devices, device) {
			*end = device
		}
	}
	return out
}

// ageing is what a line loses until the end of its life: the difference between the states that it was planned for.
func ageing(r *optics.Report) optics.Ageing {
	new, old := r.Line, r.Last().Line
	out := optics.Ageing{System: old.Reserve - new.Reserve}
	for i, s := range new.Sections {
		for j, e := range s.Passive {
			a, fiber := e.(optics.Fiber)
			b, _ := old.Sections[i].Passive[j].(optics.Fiber)
			if fiber {
				out.PerSpan = max(out.PerSpan, b.ConnectorOut-a.ConnectorOut)
			}
		}
		if s.Amplifier != nil {
			out.NoiseFigure = old.Sections[i].Amplifier.NoiseFigure - s.Amplifier.NoiseFigure
		}
	}
	return out
}

// terminalAt is one end of a channel, plugged into the port that its line system has for it, or else into a multiplexer's port
// for its slot.
func terminalAt(design *fabric.Design, c *fabric.Channel, t *fabric.Terminal, l *fabric.Line) light.Terminal {
	out := light.Terminal{At: plant.End{Device: t.Device, Port: t.Port}, Line: l.Name, Place: t.Site}
	if d := design.Device(l.Name + "-" + t.Site); d != nil && slices.Contains(l.Devices, d.Name) {
		for _, m := range d.Light.Media {
			if m.Channel == c.Name {
				out.Port = m.Port
			}
		}
		return out
	}
	if grid := l.There.Line.Grid; l.There.Line.Mux > 0 && grid.Width > 0 {
		out.Low, out.High = c.Slot.Low(), c.Slot.High()
	}
	return out
}

func reversedNames(names []string) []string {
	out := slices.Clone(names)
	slices.Reverse(out)
	return out
}
