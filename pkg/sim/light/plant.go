// Package light says what becomes of light between simulated devices: which lasers reach which receivers over which
// lines, with what power and how much noise, and which receivers understand what comes.
//
//	Plant, Devices, Damage --Shine--> State
//
// The rule that matters most: a line does with light what physics makes of what its devices are set to now, not what
// somebody has planned. Two ends that are tuned differently do not meet, an amplifier that nobody has switched on
// absorbs, and a channel that no media channel passes goes nowhere.
//
// Everything here is a function of values, without clocks and without randomness beyond a seed. Propagation is that of
// package optics. What it does not do: Raman amplification, amplifiers that hold their output power, transients, tilt,
// and the filters' edges: a channel passes a filter whole or not at all.
package light

import (
	"fmt"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// LinePort is the port of a line system where the fibres of its line are plugged in.
const LinePort = "line"

// Plant is what is built and plugged, whatever is configured. It is never changed once made.
type Plant struct {
	Lines     []Line     // sorted by name
	Terminals []Terminal // sorted by device and port; one for each port
}

// Line is a pair of fibres over ducts with what stands along it.
type Line struct {
	Name    string
	A, B    string    // the places that it joins
	There   Way       // from A to B
	Back    Way       // from B to A
	Express optics.DB // loss of the ROADM between a line and the next; of lines whose ends pass channels on
	Ageing  optics.Ageing
}

// Way is one direction of a line.
type Way struct {
	Built      *optics.Line
	Ducts      []string   // of each fibre of Built, in the order of the light
	Amplifiers []Unit     // of each amplifier of Built, likewise
	Level      optics.DBm // that a ROADM brings channels to behind what adds them; only of lines that level
	Add, Drop  string     // line systems at the beginning and the end; "": passive
}

// Unit is an amplifier of a line system.
type Unit struct{ Device, Name string }

// Terminal is a port with a coherent transceiver, and where it is plugged in.
type Terminal struct {
	At        network.End
	Line      string
	Place     string // an end of the line
	Port      string // of the line system there, "add-drop-3"; meaningless where that end is passive
	Low, High uint64 // MHz that the port of a passive multiplexer passes; 0 and 0: everything
}

// Line returns the line of a name; nil where there is none.
func (p *Plant) Line(name string) *Line {
	for i := range p.Lines {
		if p.Lines[i].Name == name {
			return &p.Lines[i]
		}
	}
	return nil
}

// Ducts are the names of all ducts, in the order in which lines name them.
func (p *Plant) Ducts() (out []string) {
	seen := map[string]bool{}
	for i := range p.Lines {
		for _, duct := range p.Lines[i].There.Ducts {
			if !seen[duct] {
				seen[duct] = true
				out = append(out, duct)
			}
		}
	}
	return out
}

// Terminal returns the terminal of a port, or of what a port is broken out into; nil where there is none.
func (p *Plant) Terminal(e network.End) *Terminal {
	if p == nil {
		return nil
	}
	for i := range p.Terminals {
		t := &p.Terminals[i]
		if t.At.Device == e.Device && (t.At.Port == e.Port || len(e.Port) > len(t.At.Port) && e.Port[:len(t.At.Port)+1] == t.At.Port+"/") {
			return t
		}
	}
	return nil
}

// Cord says how a terminal is plugged in: "bj-gateway1:ethernet-1/2 - long at bj, add-drop-13".
func (t *Terminal) Cord() string {
	out := t.At.String() + " - " + t.Line + " at " + t.Place
	switch {
	case t.Port != "":
		out += ", " + t.Port
	case t.Low != t.High:
		out += fmt.Sprintf(", %.5f..%.5f THz", float64(t.Low)/1e6, float64(t.High)/1e6)
	}
	return out
}

// way returns one direction of a line.
func (l *Line) way(back bool) *Way {
	if back {
		return &l.Back
	}
	return &l.There
}

// start and end are the places that one direction begins and ends at.
func (l *Line) start(back bool) string {
	if back {
		return l.B
	}
	return l.A
}

func (l *Line) end(back bool) string { return l.start(!back) }
