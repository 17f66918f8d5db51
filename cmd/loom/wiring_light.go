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

// lightPlant is what has to be built for the light of a design: all its lines, lit or not, and the ports of its channels,
// plugged in where the design says. It is nil where there are no lines.
func lightPlant(design *fabric.Design) *light.Plant {
	p := &light.Plant{}
	lines := map[string]*fabric.Line{}
	for i := range design.Lines {
		l := &design.Lines[i]
		lines[l.Name] = l
		back := slices.Clone(l.Ducts)
		slices.Reverse(back)
		p.Lines = append(p.Lines, light.Line{
			Name: l.Name, A: l.A, B: l.B, Express: kinds.Known().ROADMs[0].Express, Ageing: l.Age,
			There: lightWay(l, l.Ahead, l.There, l.Ducts, l.Devices, "there", l.A, l.B),
			Back:  lightWay(l, l.Astern, l.Back, back, reversedNames(l.Devices), "back", l.B, l.A),
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

// lightWay is one direction of a line. It has an amplifier at each of its devices, in the order of the light. Its ROADMs
// level as it was planned; where nothing is planned, as they come.
func lightWay(l *fabric.Line, built *optics.Line, plan *optics.Report, ducts, devices []string, name, from, to string) light.Way {
	out := light.Way{Built: built, Ducts: ducts, Level: built.Level}
	if plan != nil {
		out.Level = plan.Today().Setting.Added
	}
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
	if l.Ahead.Mux > 0 && l.Ahead.Grid.Width > 0 {
		out.Low, out.High = c.Slot.Low(), c.Slot.High()
	}
	return out
}

func reversedNames(names []string) []string {
	out := slices.Clone(names)
	slices.Reverse(out)
	return out
}
