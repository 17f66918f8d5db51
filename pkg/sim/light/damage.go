package light

import (
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Damage is what is broken, whatever is configured. The zero value is none.
type Damage struct {
	Cuts       map[Fibre]bool
	Losses     map[Fibre]optics.DB       // more than the fibre has, behind it in both directions
	Dead       map[Unit]bool             // amplifiers without pumps
	Noise      map[Unit]optics.DB        // more than their noise figure
	Connectors map[network.End]optics.DB // loss of terminals, in both directions
	Drifts     map[network.End]int64     // MHz, of lasers that leave their ports
	Dark       map[network.End]bool      // terminals that neither send nor hear
	Unplugged  map[network.End]bool      // terminals that send into nothing, and hear nothing
	Age        time.Duration             // since the lines were built
}

// Fibre is the fibres of a line in a duct: of every line there where Line is "", in every duct of it where Duct is "".
type Fibre struct{ Duct, Line string }

// What things that are broken do to light.
const (
	cutLoss    optics.DB = 90 // light that still gets through a cut is less than any noise
	absorption optics.DB = 30 // of the doped fibre of an amplifier without pumps
	lifetime             = 15 * 365 * 24 * time.Hour
	ageStep              = 24 * time.Hour // a line is no older than yesterday's
)

// aged is the share of its ageing that a line has behind it. It goes on after its life.
func (d *Damage) aged() float64 { return float64(d.Age.Truncate(ageStep)) / float64(lifetime) }

// lost is what a fibre loses more than it did when it was new. Where along it makes no difference: what comes out is the
// same, and nobody here measures from one end.
func (d *Damage) lost(line, duct string) (out optics.DB) {
	for _, f := range []Fibre{{duct, ""}, {"", line}, {duct, line}} {
		if out += d.Losses[f]; d.Cuts[f] {
			out += cutLoss
		}
	}
	return out
}

// built is one direction of a line as it is now.
func (d *Damage) built(l *Line, back bool) *optics.Line {
	way, old := l.way(back), optics.DB(d.aged())
	out := *way.Built
	out.Sections = slices.Clone(out.Sections)
	k := 0
	for i := range out.Sections {
		passive := slices.Clone(out.Sections[i].Passive)
		for j, e := range passive {
			if f, ok := e.(optics.Fiber); ok {
				f.ConnectorOut += l.Ageing.PerSpan*old + d.lost(l.Name, way.Ducts[k])
				passive[j] = f
				k++
			}
		}
		out.Sections[i].Passive = passive
	}
	return &out
}

// amplifier is one as it is set and as it is now.
func (d *Damage) amplifier(kind *optics.AmplifierKind, u Unit, set Amplifier, worse optics.DB) optics.Amplifier {
	if !set.On || d.Dead[u] {
		return optics.Amplifier{Gain: -absorption, MaxOutput: kind.MaxOutput, VOA: set.VOA}
	}
	gain := min(max(set.Gain, kind.MinGain), kind.MaxGain)
	return optics.Amplifier{Gain: gain, NoiseFigure: kind.NoiseFigure + d.Noise[u] + worse, MaxOutput: kind.MaxOutput, VOA: set.VOA}
}
