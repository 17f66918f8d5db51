package driver

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Pluggables say where the routers of an operating system keep what their ports do with coherent light: all that stages of it
// need to know. Leaves are paths below a port.
type Pluggables struct {
	Lasers   func(*config.Tree) iter.Seq2[string, Laser] // of all ports, by name
	Settings []string                                    // what light is made with, but for its power
	Power    string                                      // in dBm
	Off      func(Laser) (leaf, value string)            // what switches the light of a port off
}

// Laser is what a port does with coherent light.
type Laser struct {
	Port            config.Cursor // its entry; invalid where there is none
	Lit             bool
	Frequency, Mode string // what both ends of a channel have to have alike
	Power           int    // hundredths of a dBm
	Parts           string // what the port is broken out into
}

// stays tells whether a port that is lit goes on with the same channel.
func (l Laser) stays(is Laser) bool {
	return l.Lit && is.Lit && l.Frequency == is.Frequency && l.Mode == is.Mode
}

// Stages are dark, retune and ramp: a channel that is tuned anew goes out first, is tuned while it is dark, and light
// comes in steps. Only what ports do with light changes on the way; packets wait for the change itself, which a
// router takes back unless it is confirmed. Light that goes for good goes with the change, and a port whose
// breakout differs changes at once: what is on its parts differs too.
func (p *Pluggables) Stages(from, to *config.Tree, d *fabric.Device) ([]Stage, error) {
	s := lighting{Pluggables: p, from: from, last: from, d: d}
	lights := s.lights(to)
	steps := 0
	for _, l := range lights {
		steps = max(steps, len(l.powers))
	}
	s.add("dark", lights, s.dark)
	s.add("retune", lights, s.retune)
	for i := range steps {
		s.add("ramp", lights, func(l light) []setting { return s.ramp(l, i) })
	}
	return s.stages, s.err
}

// Dims tells whether a change makes less light, and no more anywhere.
func (p *Pluggables) Dims(from, to *config.Tree) bool {
	less, more := false, false
	before, after := lasers(p.Lasers(from)), lasers(p.Lasers(to))
	for name, was := range before {
		is := after[name]
		stays := was.stays(is)
		less = less || was.Lit && !is.Lit || stays && is.Power < was.Power
		more = more || stays && is.Power > was.Power
	}
	for name, is := range after {
		more = more || is.Lit && !before[name].stays(is)
	}
	return less && !more
}

func lasers(all iter.Seq2[string, Laser]) map[string]Laser {
	out := map[string]Laser{}
	for name, l := range all {
		out[name] = l
	}
	return out
}

// light is a port whose light changes and is there afterwards.
type light struct {
	is     Laser // in the end
	tuned  bool  // it was lit, with another frequency or mode
	lowest int   // hundredths of a dBm that it comes on with
	powers []int // on the way, the one that it comes on with among them
}

// setting is a leaf below a port with a value; "" for none.
type setting struct{ leaf, value string }

// lighting collects stages.
type lighting struct {
	*Pluggables
	from, last *config.Tree
	d          *fabric.Device
	stages     []Stage
	err        error
}

// lights are the ports whose light is tuned anew, comes, or gets stronger.
func (s *lighting) lights(to *config.Tree) (out []light) {
	before := lasers(s.Lasers(s.from))
	for name, is := range s.Lasers(to) {
		was := before[name]
		if !is.Lit || was.Port.Valid() && was.Parts != is.Parts {
			continue
		}
		l := light{is: is, tuned: was.Lit && !was.stays(is)}
		if was.stays(is) {
			l.powers = Ramp(was.Power, is.Power)
		} else if l.lowest = s.lowest(name, is); l.lowest < is.Power {
			l.powers = append([]int{l.lowest}, Ramp(l.lowest, is.Power)...)
		}
		if l.tuned || len(l.powers) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// lowest is the power that a laser comes on with. A mode that nobody here knows is lit as it is meant to be.
func (s *lighting) lowest(port string, is Laser) int {
	i := slices.IndexFunc(s.d.Light.Coherent, func(p fabric.CoherentPort) bool { return p.Port == port && p.Setting == is.Mode })
	if i < 0 {
		return is.Power
	}
	least := int(math.Ceil(float64(s.d.Light.Coherent[i].Mode.TxMin)*100 - 1e-6))
	return min(max(is.Power-LaserDepth, least), is.Power)
}

func (s *lighting) dark(l light) []setting {
	if !l.tuned {
		return nil
	}
	leaf, value := s.Off(l.is)
	return []setting{{leaf, value}}
}

func (s *lighting) retune(l light) []setting {
	if !l.tuned {
		return nil
	}
	return append(s.set(l, l.lowest), s.dark(l)...)
}

// ramp is step i of those of all ports; who has fewer waits with the power that it comes to.
func (s *lighting) ramp(l light, i int) []setting {
	if i < len(l.powers) {
		return s.set(l, l.powers[i])
	}
	return s.set(l, l.is.Power)
}

// set are all settings of a port in the end, with a power.
func (s *lighting) set(l light, power int) []setting {
	out := []setting{{s.Power, strconv.FormatFloat(float64(power)/100, 'f', 2, 64)}}
	for _, leaf := range s.Settings {
		out = append(out, setting{leaf, l.is.Port.Tree().Find(l.at(leaf)).Value()})
	}
	return out
}

// at is the path of a leaf below the port. Leaves are written down by drivers: one that is no path is a mistake there.
func (l light) at(leaf string) config.Path {
	path, err := config.ParsePath("/" + leaf)
	if err != nil {
		panic(err)
	}
	return append(l.is.Port.Path(), path...)
}

// add makes a stage of the configuration at first with other light; none where it would be the one before.
func (s *lighting) add(name string, lights []light, settings func(light) []setting) {
	req := &gnmi.SetRequest{}
	for _, l := range lights {
		for _, w := range settings(l) {
			at := l.at(w.leaf)
			if w.value != "" {
				value := &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: w.value}}
				req.Update = append(req.Update, &gnmi.Update{Path: at.GNMI(), Val: value})
			} else if s.from.Find(at).Valid() {
				req.Delete = append(req.Delete, at.GNMI())
			}
		}
	}
	if s.err != nil || len(req.Update)+len(req.Delete) == 0 {
		return
	}
	tree, err := config.ApplyFor(s.from, req, config.Cause{Ref: string(s.d.Ref), Rule: name})
	if err != nil {
		s.err = fmt.Errorf("%s: %s: %w", s.d.Name, name, err)
		return
	}
	if !config.Equal(tree, s.last) {
		s.stages, s.last = append(s.stages, Stage{Name: name, Tree: tree}), tree
	}
}
