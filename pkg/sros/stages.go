package sros

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Stages are dark, retune and ramp: a channel that is tuned anew goes out first, is tuned while it is dark, and light comes in steps.
// Only what connectors do with light changes on the way; packets wait for the change itself. Light that goes for good goes with
// the change, and a connector whose breakout differs changes at once: what is on its channels differs too.
func Stages(from, to *config.Tree, d *fabric.Device) ([]driver.Stage, error) {
	s := staging{from: from, last: from, d: d}
	lights := s.lights(to)
	steps := 0
	for _, l := range lights {
		steps = max(steps, len(l.powers))
	}
	s.add("dark", lights, light.dark)
	s.add("retune", lights, light.retune)
	for i := range steps {
		s.add("ramp", lights, func(l light) []write { return l.ramp(i) })
	}
	return s.stages, s.err
}

// Dims tells whether a change makes less light, and no more anywhere.
func Dims(from, to *config.Tree) bool {
	less, more := false, false
	before, after := observation{from.Root()}, observation{to.Root()}
	for name, was := range before.entries(sros.ConfigurePort) {
		is := after.entry(sros.ConfigurePort, name)
		stays := was.stays(is)
		less = less || was.lit() && !is.lit() || stays && is.power() < was.power()
		more = more || stays && is.power() > was.power()
	}
	for name, is := range after.entries(sros.ConfigurePort) {
		more = more || is.lit() && !before.entry(sros.ConfigurePort, name).stays(is)
	}
	return less && !more
}

// light is a connector whose light changes and is there afterwards.
type light struct {
	is     observation // the connector in the end
	tuned  bool        // it was lit, with another frequency or mode
	lowest int         // hundredths of a dBm that it comes on with
	powers []int       // on the way, the one that it comes on with among them
}

// write is a leaf below a port with a value; "" for none.
type write struct {
	leaf  string
	value string
}

// settings are the leaves of a connector that its light is made with, but for its power. Its admin-state is the switch of its laser.
var settings = []string{
	"admin-state",
	"connector/breakout",
	"transceiver/digital-coherent-optics",
	"dwdm/frequency",
	"dwdm/coherent/compatibility",
	"dwdm/coherent/rx-los-reaction",
	"dwdm/coherent/rx-los-thresh",
}

// set are all settings of the connector in the end, with a power.
func (l light) set(power int) []write {
	out := []write{{"dwdm/coherent/target-power", decibels(power)}}
	for _, leaf := range settings {
		out = append(out, write{leaf, l.is.Tree().Find(l.at(leaf)).Value()})
	}
	return out
}

// at is the path of a leaf below the connector.
func (l light) at(leaf string) config.Path { return append(l.is.Path(), pathOf("/"+leaf)...) }

var off = write{"admin-state", switchedOff}

func (l light) dark() []write {
	if !l.tuned {
		return nil
	}
	return []write{off}
}

func (l light) retune() []write {
	if !l.tuned {
		return nil
	}
	return append(l.set(l.lowest), off)
}

// ramp is step i of those of all connectors; who has fewer waits with the power that it comes to.
func (l light) ramp(i int) []write {
	if i < len(l.powers) {
		return l.set(l.powers[i])
	}
	return l.set(l.is.power())
}

// staging collects stages.
type staging struct {
	from, last *config.Tree
	d          *fabric.Device
	stages     []driver.Stage
	err        error
}

// lights are the connectors whose light is tuned anew, comes, or gets stronger.
func (s *staging) lights(to *config.Tree) (out []light) {
	before := observation{s.from.Root()}
	for name, is := range (observation{to.Root()}).entries(sros.ConfigurePort) {
		was := before.entry(sros.ConfigurePort, name)
		if !is.lit() || was.Valid() && was.text(sros.ConfigurePortConnectorBreakout) != is.text(sros.ConfigurePortConnectorBreakout) {
			continue
		}
		l := light{is: is, tuned: was.lit() && !was.stays(is)}
		if was.stays(is) {
			l.powers = driver.Ramp(was.power(), is.power())
		} else if l.lowest = s.lowest(name, is); l.lowest < is.power() {
			l.powers = append([]int{l.lowest}, driver.Ramp(l.lowest, is.power())...)
		}
		if l.tuned || len(l.powers) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// lowest is the power that a laser comes on with. A mode that nobody here knows is lit as it is meant to be.
func (s *staging) lowest(port string, is observation) int {
	i := slices.IndexFunc(s.d.Light.Coherent, func(p fabric.CoherentPort) bool {
		return p.Port == port && p.Setting == is.tuning().mode
	})
	if i < 0 {
		return is.power()
	}
	least := int(math.Ceil(float64(s.d.Light.Coherent[i].Mode.TxMin)*100 - 1e-6))
	return min(max(is.power()-driver.LaserDepth, least), is.power())
}

// add makes a stage of the configuration at first with other light; none where it would be the one before.
func (s *staging) add(name string, lights []light, writes func(light) []write) {
	req := &gnmi.SetRequest{}
	for _, l := range lights {
		for _, w := range writes(l) {
			at := l.at(w.leaf)
			if w.value != "" {
				req.Update = append(req.Update, &gnmi.Update{Path: at.GNMI(), Val: word(w.value)})
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
		s.stages, s.last = append(s.stages, driver.Stage{Name: name, Tree: tree}), tree
	}
}

// tuning is what both ends of a channel have to have alike.
type tuning struct{ frequency, mode string }

func (o observation) tuning() tuning { return tuning{o.text(frequency), o.text(mode)} }

// stays tells whether a connector that is lit goes on with the same channel.
func (o observation) stays(is observation) bool {
	return o.lit() && is.lit() && o.tuning() == is.tuning()
}

// lit tells whether a connector sends coherent light.
func (o observation) lit() bool {
	return o.Valid() && o.text(isCoherent) == "true" && o.has(frequency) && o.text(sros.ConfigurePortAdminState) == "enable"
}

// power is that of the transmitter in hundredths of a dBm.
func (o observation) power() int {
	v, _ := strconv.ParseFloat(o.text(targetPower), 64) // the schema has checked it
	return int(math.Round(v * 100))
}

// decibels writes hundredths.
func decibels(n int) string { return strconv.FormatFloat(float64(n)/100, 'f', 2, 64) }
