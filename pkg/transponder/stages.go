package transponder

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// gainStep is by how much more an amplifier may give at once, in hundredths of a dB: every channel of the line gets it,
// and disturbs the others by nonlinear effects.
const gainStep = 100

// Stages are dark, retune and ramp: light of channels that go or are tuned anew goes out first; everything changes that
// makes no more light; and then light comes in steps, of lasers and of amplifiers. Less light is always made at once, as
// is more by no more than a step.
func Stages(from, to *config.Tree, d *fabric.Device) ([]driver.Stage, error) {
	s := staging{d: d, last: from}
	var rises []rise
	var out []write
	name := "dim"
	for _, port := range linePorts(from, to) {
		was, is := laserOf(from, port), laserOf(to, port)
		stays := was.lit && is.lit && was.tuning == is.tuning
		if was.lit && !stays {
			out = append(out, laserWrite(port, false))
		}
		switch {
		case stays:
			rises = append(rises, louder{port, was.power, is.power})
		case is.lit:
			name = "retune"
			rises = append(rises, lighting{port, is.power, s.lowest(port, is)})
		}
	}
	for _, a := range amplifiersOf(from, to) {
		rises = append(rises, a)
	}
	s.add("dark", from, out)
	for step := before; ; step++ {
		var writes []write
		for _, r := range rises {
			writes = append(writes, r.at(step)...)
		}
		if len(writes) == 0 {
			return s.stages, s.err
		}
		s.add(name, to, writes)
		name = "ramp"
	}
}

// Dims tells whether a change makes less light, and no more anywhere.
func Dims(from, to *config.Tree) bool {
	less, more := false, false
	for _, port := range linePorts(from, to) {
		was, is := laserOf(from, port), laserOf(to, port)
		stays := was.lit && is.lit && was.tuning == is.tuning
		less = less || was.lit && !is.lit || stays && is.power < was.power
		more = more || is.lit && !stays || stays && is.power > was.power
	}
	for _, a := range amplifiersOf(from, to) {
		less = less || a.more() < 0
		more = more || a.more() > 0
	}
	return less && !more
}

// before is the step in which nothing has more light yet; from 0 on it comes.
const before = -1

// rise is light that becomes more.
type rise interface {
	at(step int) []write // what differs then from what it comes to; none when it has come
}

// write is a leaf with a value, as JSON.
type write struct {
	path  config.Path
	value string
}

// hundredths is a decimal as JSON has it (RFC 7951 §6.1).
func hundredths(n int) string {
	return strconv.Quote(strconv.FormatFloat(float64(n)/100, 'f', 2, 64))
}

// lighting is a laser that comes on.
type lighting struct {
	port          string
	power, lowest int
}

func (l lighting) at(step int) []write {
	now := l.lowest + max(step, 0)*driver.LaserStep
	switch {
	case step == before:
		return []write{laserWrite(l.port, false), powerWrite(l.port, l.lowest)}
	case now < l.power:
		return []write{powerWrite(l.port, now)}
	}
	return nil
}

// louder is a laser that gets more power; with less it has come at once.
type louder struct {
	port    string
	was, is int
}

func (l louder) at(step int) []write {
	if now := l.was + (step+1)*driver.LaserStep; l.is-l.was > driver.LaserStep && now < l.is {
		return []write{powerWrite(l.port, now)}
	}
	return nil
}

// amplified is an amplifier with the attenuator behind it: both go together, so that what passes them never jumps.
type amplified struct {
	name                string
	gain, toGain        int
	voa, toVOA          int
	attenuated, enabled bool
}

// more is by how much what passes becomes more.
func (a amplified) more() int {
	if !a.enabled {
		return 0
	}
	return (a.toGain - a.toVOA) - (a.gain - a.voa)
}

func (a amplified) at(step int) []write {
	more, done := a.more(), (step+1)*gainStep
	if more <= gainStep || done >= more {
		return nil
	}
	between := func(from, to int) int { return from + (to-from)*done/more }
	out := []write{{below(amplifierEntry(a.name), "config", "target-gain"), hundredths(between(a.gain, a.toGain))}}
	if a.attenuated {
		out = append(out, write{below(attenuatorEntry(attenuator(a.name)), "config", "attenuation"), hundredths(between(a.voa, a.toVOA))})
	}
	return out
}

// staging collects stages.
type staging struct {
	d      *fabric.Device
	last   *config.Tree
	stages []driver.Stage
	err    error
}

// add makes a stage of a configuration with some leaves otherwise; none where it would be the one before.
func (s *staging) add(name string, base *config.Tree, writes []write) {
	if s.err != nil || len(writes) == 0 {
		return
	}
	req := &gnmi.SetRequest{}
	for _, w := range writes {
		value := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(w.value)}}
		req.Update = append(req.Update, &gnmi.Update{Path: w.path.GNMI(), Val: value})
	}
	tree, err := config.ApplyFor(base, req, config.Cause{Ref: string(s.d.Ref), Rule: name})
	if err != nil {
		s.err = fmt.Errorf("%s: %s: %w", s.d.Name, name, err)
		return
	}
	if !config.Equal(tree, s.last) {
		s.stages, s.last = append(s.stages, driver.Stage{Name: name, Tree: tree}), tree
	}
}

// lowest is the power that a laser comes on with. A mode that nobody here knows is lit as it is meant to be.
func (s *staging) lowest(port string, l laserState) int {
	i := slices.IndexFunc(s.d.Light.Coherent, func(p fabric.CoherentPort) bool { return p.Port == port && p.Setting == l.mode })
	if i < 0 {
		return l.power
	}
	least := int(math.Ceil(float64(s.d.Light.Coherent[i].Mode.TxMin)*100 - 1e-6))
	return min(max(l.power-driver.LaserDepth, least), l.power)
}

// laserState is what a line port does with its laser.
type laserState struct {
	lit bool
	tuning
	power int
}

type tuning struct{ frequency, mode, linePort string }

func laserOf(t *config.Tree, port string) laserState {
	plugged := t.Find(componentEntry(transceiver(port)))
	channel := t.Find(componentEntry(opticalChannel(port)))
	on := at(plugged, laser).Entry("0")
	return laserState{
		lit: at(on, laserOn).Value() == "true" && at(plugged, oc.ComponentsComponentTransceiverConfigEnabled).Value() != "false" && at(channel, oc.ComponentsComponentOpticalChannelConfigFrequency).Valid(),
		tuning: tuning{
			frequency: at(channel, oc.ComponentsComponentOpticalChannelConfigFrequency).Value(),
			mode:      at(channel, oc.ComponentsComponentOpticalChannelConfigOperationalMode).Value(),
			linePort:  at(channel, oc.ComponentsComponentOpticalChannelConfigLinePort).Value(),
		},
		power: scaled(at(channel, oc.ComponentsComponentOpticalChannelConfigTargetOutputPower)),
	}
}

// linePorts are those that have an optical channel in either tree, in the order of the trees.
func linePorts(trees ...*config.Tree) (out []string) {
	for _, t := range trees {
		for c := range at(t.Root(), oc.ComponentsComponent).Children() {
			name := c.Keys()[0]
			if port, is := strings.CutPrefix(name, opticalPrefix); is && !slices.Contains(out, port) {
				out = append(out, port)
			}
		}
	}
	return out
}

// amplifiersOf are those that both trees have switched on. One that comes on has nothing to disturb.
func amplifiersOf(from, to *config.Tree) (out []amplified) {
	for was := range at(from.Root(), amplifier).Children() {
		name := was.Keys()[0]
		is := to.Find(amplifierEntry(name))
		on := func(c config.Cursor) bool {
			return at(c, oc.OpticalAmplifierAmplifiersAmplifierConfigEnabled).Value() == "true"
		}
		wasVOA := at(from.Find(attenuatorEntry(attenuator(name))), attenuation)
		isVOA := at(to.Find(attenuatorEntry(attenuator(name))), attenuation)
		out = append(out, amplified{
			name: name, enabled: on(was) && on(is), attenuated: wasVOA.Valid() && isVOA.Valid(),
			gain: scaled(at(was, targetGain)), toGain: scaled(at(is, targetGain)), voa: scaled(wasVOA), toVOA: scaled(isVOA),
		})
	}
	return out
}

// scaled is a decimal in hundredths; 0 of none.
func scaled(c config.Cursor) int {
	v, _ := strconv.ParseFloat(c.Value(), 64) // the schema has checked it
	return int(math.Round(v * 100))
}

func laserWrite(port string, on bool) write {
	first := config.Elem{Name: "channel", Keys: []config.KeyValue{{Name: "index", Value: "0"}}}
	return write{below(below(componentEntry(transceiver(port)), "transceiver", "physical-channels").Append(first), "config", "tx-laser"), strconv.FormatBool(on)}
}

func powerWrite(port string, power int) write {
	return write{below(componentEntry(opticalChannel(port)), "optical-channel", "config", "target-output-power"), hundredths(power)}
}

func componentEntry(name string) config.Path { return entry("components", "component", name) }

func amplifierEntry(name string) config.Path {
	return append(config.Path{{Name: "optical-amplifier"}}, entry("amplifiers", "amplifier", name)...)
}

func attenuatorEntry(name string) config.Path {
	return append(config.Path{{Name: "optical-attenuator"}}, entry("attenuators", "attenuator", name)...)
}

// entry is that of a list with names, in its container.
func entry(container, list, name string) config.Path {
	return config.Path{{Name: container}, {Name: list, Keys: []config.KeyValue{{Name: "name", Value: name}}}}
}

// below is a path below another, of containers and a leaf.
func below(p config.Path, names ...string) config.Path {
	for _, name := range names {
		p = p.Child(name)
	}
	return p
}
