package sim

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// lightKinds are about lines and what is plugged into them. What is lost comes to clients by what devices measure.
var lightKinds = []*Kind{
	{Name: "fibre-cut", At: AtFibre, Help: "the fibres of a duct are cut, in both directions and of every line there; of a line, its own pair in its first duct; of LINE:DUCT, its own there", start: cutFibre},
	{
		Name: "fibre-loss", At: AtFibre, Help: "the fibres of a duct or a line lose more than they did, at once or in even steps until the delay is over",
		Needs: []string{"loss"}, Takes: []string{"delay"}, start: loseMore,
	},
	{Name: "amplifier-failure", At: AtAmplifier, Help: "an amplifier gets no pump light: it absorbs; of a device, all that it has", start: killAmplifier},
	{Name: "amplifier-noise", At: AtAmplifier, Help: "the noise figure of an amplifier gets worse by loss", Needs: []string{"loss"}, start: noisyAmplifier},
	{
		Name: "dirty-connector", At: AtPort, Help: "the connector of a coherent port loses light in both directions",
		Takes: []string{"loss"}, Default: Fault{Loss: 3}, judge: aCoherentPort, start: dirtyConnector,
	},
	{
		Name: "frequency-drift", At: AtPort, Help: "the laser of a coherent port leaves its frequency by shift, at once or in even steps until the delay is over",
		Needs: []string{"shift"}, Takes: []string{"delay"}, judge: aCoherentPort, start: driftAway,
	},
}

// What comes slowly comes in steps that a receiver can just tell from each other.
const (
	lossStep  = 0.05 // dB
	shiftStep = 50   // MHz
)

// cutFibre cuts at one place: nobody cuts a line in each of its ducts at once.
func cutFibre(f *injected) error {
	id := f.sim.fibre(f.Target)
	if id.Duct == "" {
		id.Duct = f.sim.world.plantOfLight().Line(id.Line).There.Ducts[0]
	}
	f.harm(func(d *light.Damage) { d.Cuts[id] = true })
	return nil
}

func loseMore(f *injected) error {
	id := f.sim.fibre(f.Target)
	f.slowly(int(math.Ceil(f.Loss/lossStep)), func(d *light.Damage, share float64) { d.Losses[id] += optics.DB(f.Loss * share) })
	return nil
}

func killAmplifier(f *injected) error {
	units := f.sim.amplifiers(f.Target)
	f.harm(func(d *light.Damage) {
		for _, u := range units {
			d.Dead[u] = true
		}
	})
	return nil
}

func noisyAmplifier(f *injected) error {
	units := f.sim.amplifiers(f.Target)
	f.harm(func(d *light.Damage) {
		for _, u := range units {
			d.Noise[u] += optics.DB(f.Loss)
		}
	})
	return nil
}

func dirtyConnector(f *injected) error {
	at := endOf(f.Target)
	f.harm(func(d *light.Damage) { d.Connectors[at] += optics.DB(f.Loss) })
	return nil
}

func driftAway(f *injected) error {
	at, far := endOf(f.Target), max(f.Shift, -f.Shift)
	f.slowly((far+shiftStep-1)/shiftStep, func(d *light.Damage, share float64) { d.Drifts[at] += int64(math.Round(float64(f.Shift) * share)) })
	return nil
}

// harm breaks something until the fault is cleared.
func (f *injected) harm(do func(*light.Damage)) {
	f.sim.world.harm(f.id, do)
	f.mend(func() { f.sim.world.harm(f.id, nil) })
}

// slowly breaks something by a share that rises in so many steps to 1, which it has when the delay of the fault is over;
// without a delay at once.
func (f *injected) slowly(steps int, do func(d *light.Damage, share float64)) {
	if f.Delay <= 0 {
		f.harm(func(d *light.Damage) { do(d, 1) })
		return
	}
	f.mend(func() { f.sim.world.harm(f.id, nil) })
	each := f.Delay / time.Duration(steps)
	var step func(k int)
	step = func(k int) {
		f.unlessOver(func() { f.sim.world.harm(f.id, func(d *light.Damage) { do(d, float64(k)/float64(steps)) }) })
		if k < steps {
			f.later(each, func() { step(k + 1) })
		}
	}
	f.later(each, func() { step(1) })
}

// unlessOver does something before the fault is cleared, or not at all.
func (f *injected) unlessOver(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over {
		do()
	}
}

// harm makes what is broken, by the fault that breaks it; nil mends it.
func (w *world) harm(fault string, do func(*light.Damage)) {
	w.mu.Lock()
	if do == nil {
		delete(w.harms, fault)
	} else {
		w.harms[fault] = do
	}
	// Rounds read it without the lock, so it is another one each time.
	d := light.Damage{
		Cuts: map[light.Fibre]bool{}, Losses: map[light.Fibre]optics.DB{}, Dead: map[light.Unit]bool{}, Noise: map[light.Unit]optics.DB{},
		Connectors: map[network.End]optics.DB{}, Drifts: map[network.End]int64{},
	}
	for _, id := range slices.Sorted(maps.Keys(w.harms)) {
		w.harms[id](&d)
	}
	w.damage, w.altered = d, true
	w.mu.Unlock()
	w.wake()
}

func endOf(target string) network.End {
	device, port, _ := strings.Cut(target, ":")
	return network.End{Device: device, Port: port}
}

// fibre is what a target means: the fibres in a duct, those of a line in all its ducts, or those of a line in one, "long:north2".
func (s *Sim) fibre(target string) light.Fibre {
	line, duct, both := strings.Cut(target, ":")
	switch {
	case both:
		return light.Fibre{Duct: duct, Line: line}
	case slices.Contains(s.world.plantOfLight().Ducts(), target):
		return light.Fibre{Duct: target}
	}
	return light.Fibre{Line: target}
}

// hasFibre refuses what is neither a duct nor a line, nor a line in a duct.
func (s *Sim) hasFibre(target string) error {
	lines := s.world.plantOfLight()
	if lines == nil {
		return errors.New("the topology has no lines")
	}
	line, duct, both := strings.Cut(target, ":")
	l := lines.Line(line)
	switch {
	case both && l != nil && !slices.Contains(l.There.Ducts, duct):
		return fmt.Errorf("%q: %s does not pass %s; it passes %s", target, line, duct, strings.Join(l.There.Ducts, ", "))
	case l != nil, !both && slices.Contains(lines.Ducts(), target):
		return nil
	}
	names := lines.Ducts()
	for i := range lines.Lines {
		names = append(names, lines.Lines[i].Name)
	}
	return fmt.Errorf("%q: no duct or line has this name; there is %s", target, strings.Join(names, ", "))
}

// amplifiers are those that a target means: one, "long-hut1:long-there", or all of a device.
func (s *Sim) amplifiers(target string) (out []light.Unit) {
	lines := s.world.plantOfLight()
	if lines == nil {
		return nil
	}
	device, name, one := strings.Cut(target, ":")
	for i := range lines.Lines {
		l := &lines.Lines[i]
		for _, u := range slices.Concat(l.There.Amplifiers, l.Back.Amplifiers) {
			if u.Device == device && (!one || u.Name == name) {
				out = append(out, u)
			}
		}
	}
	return out
}

// hasAmplifier refuses what is no amplifier.
func (s *Sim) hasAmplifier(target string) error {
	if len(s.amplifiers(target)) > 0 {
		return nil
	}
	device, _, _ := strings.Cut(target, ":")
	var names []string
	for _, u := range s.amplifiers(device) {
		names = append(names, u.Device+":"+u.Name)
	}
	switch {
	case len(names) > 0:
		return fmt.Errorf("%q: no amplifier has this name; there is %s", target, strings.Join(names, ", "))
	case s.byName[device] == nil:
		return s.missing(device)
	}
	return fmt.Errorf("%s has no amplifiers; they are on the devices of lines", device)
}

// aCoherentPort refuses a port that no channel of light is plugged into.
func aCoherentPort(s *Sim, f *Fault) error {
	if err := aPort(s, f); err != nil {
		return err
	}
	if t := s.world.plantOfLight().Terminal(endOf(f.Target)); t == nil || t.At != endOf(f.Target) {
		return fmt.Errorf("no channel of light ends at %s", f.Target)
	}
	return nil
}

func readLoss(f *Fault, s string) (err error) {
	f.Loss, err = strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(s, "dB")), 64)
	if err != nil || !(f.Loss > 0) || f.Loss > mostLoss {
		return fmt.Errorf("want a loss in dB above 0, up to %d", mostLoss)
	}
	return nil
}

// mostLoss is more than any receiver sees through.
const mostLoss = 100

func readShift(f *Fault, s string) (err error) {
	f.Shift, err = strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(s, "MHz")))
	if err != nil || f.Shift < -mostShift || f.Shift > mostShift {
		return fmt.Errorf("want a shift in MHz, from -%d to %d", mostShift, mostShift)
	}
	return nil
}

// mostShift takes light from one end of any band to the other.
const mostShift = 10_000_000
