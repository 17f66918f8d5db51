package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	modes "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Two lines between the devices: "dark" in the duct river, nothing on it, and "long" in river and hill, with an amplifier at
// either end.
const darkPort, longPort = "l1", "l2"

var lightFaults = map[string]func(*stage){
	"fibre-cut": func(s *stage) {
		lit := newLitStage(s.T)
		lit.breaks("fibre-cut", "river", darkPort)
		lit.breaks("fibre-cut", "hill", longPort)
		id := lit.inject("fibre-cut", "dark")
		lit.port(darkPort, "down")
		lit.port(longPort, "up") // is in the same duct, and has fibres of its own
		lit.clear(id)
		lit.port(darkPort, "up")
		lit.breaks("fibre-cut", "long:hill", longPort)
	},
	"fibre-loss": func(s *stage) {
		lit := newLitStage(s.T)
		lit.receives(darkPort, "-14.1 dBm")
		id := lit.inject("fibre-loss", "river", "loss=2", "delay=1h")
		for range 20 { // half of the steps of 0.05 dB
			lit.armed(90 * time.Second)
			lit.clock.Advance(90 * time.Second)
		}
		lit.receives(darkPort, "-15.1 dBm")
		for range 19 {
			lit.armed(90 * time.Second)
			lit.clock.Advance(90 * time.Second)
		}
		lit.armed(90 * time.Second)
		lit.clock.Advance(90 * time.Second)
		lit.receives(darkPort, "-16.1 dBm")
		lit.clear(id)
		lit.receives(darkPort, "-14.1 dBm")
		lit.breaks("fibre-loss", "dark", darkPort, "loss=8")
	},
	"amplifier-failure": func(s *stage) {
		lit := newLitStage(s.T)
		lit.breaks("amplifier-failure", "leaf2:long-back", longPort)
		lit.breaks("amplifier-failure", "leaf1", longPort)
	},
	"amplifier-noise": func(s *stage) {
		lit := newLitStage(s.T)
		lit.breaks("amplifier-noise", "leaf1:long-back", longPort, "loss=20 dB")
	},
	"dirty-connector": func(s *stage) {
		lit := newLitStage(s.T)
		id := lit.inject("dirty-connector", "leaf2:"+darkPort)
		lit.receives(darkPort, "-17.1 dBm")
		lit.port(darkPort, "up")
		lit.clear(id)
		lit.breaks("dirty-connector", "leaf1:"+darkPort, darkPort, "loss=10")
	},
	"frequency-drift": func(s *stage) {
		lit := newLitStage(s.T)
		id := lit.inject("frequency-drift", "leaf2:"+darkPort, "shift=-3000")
		lit.shows("/interface[name="+darkPort+"]/description", "-14.1 dBm, -3000 MHz")
		lit.port(darkPort, "up")
		lit.clear(id)
		lit.breaks("frequency-drift", "leaf2:"+darkPort, darkPort, "shift=4000")
	},
}

// breaks fails unless a fault takes a port down, and its end brings it up again.
func (s *stage) breaks(kind, target, port string, parameters ...string) {
	s.Helper()
	id := s.inject(kind, target, parameters...)
	s.port(port, "down")
	s.clear(id)
	s.port(port, "up")
}

func (s *stage) port(name, state string) {
	s.Helper()
	s.shows("/interface[name="+name+"]/oper-state", state)
}

func (s *stage) receives(port, power string) {
	s.Helper()
	s.shows("/interface[name="+port+"]/description", power+", 0 MHz")
}

// newLitStage is a stage whose devices are joined by light as well.
func newLitStage(t *testing.T) *stage {
	t.Helper()
	s := stageOf(t, func(c *sim.Config) {
		c.Light = twoLines(t)
		for _, port := range []string{darkPort, longPort} {
			c.Wiring.Cables = append(c.Wiring.Cables, network.Cable{A: network.End{Device: "leaf1", Port: port}, B: network.End{Device: "leaf2", Port: port}})
		}
		for i := range c.Devices {
			c.Devices[i].Ports = append(c.Devices[i].Ports, network.Jack{Name: darkPort}, network.Jack{Name: longPort})
			c.Devices[i].Software = &sim.Software{Read: allPorts, Light: allLight(t), Observe: showLight}
		}
	})
	s.port(darkPort, "up")
	s.port(longPort, "up")
	return s
}

func modeNamed(t *testing.T, name string) *optics.Mode {
	t.Helper()
	m, ok := modes.Mode(name)
	if !ok {
		t.Fatalf("no mode %s", name)
	}
	return m
}

// allLight reads every configuration as one with all lasers and amplifiers on.
func allLight(t *testing.T) func(network.Hardware, *config.Tree) *light.Device {
	on := light.Laser{On: true, Shines: true, Frequency: 193_100_000, Power: -6}
	dark, long := on, on
	dark.Port, dark.Mode = darkPort, modeNamed(t, "400ZR unamplified")
	long.Port, long.Mode = longPort, modeNamed(t, "OpenZR+ 400G")
	amplifier := light.Amplifier{On: true, Gain: 17}
	d := &light.Device{Lasers: []light.Laser{dark, long}, Amplifiers: map[string]light.Amplifier{"long-there": amplifier, "long-back": amplifier}}
	return func(network.Hardware, *config.Tree) *light.Device { return d }
}

func twoLines(t *testing.T) *light.Plant {
	t.Helper()
	fibre := optics.Fiber{Length: 38, Loss: []optics.LossAt{{PerKm: 0.2}}, ConnectorIn: 0.25, ConnectorOut: 0.25, Dispersion: 16.7, Area: 80, PMD: 0.04}
	edfa := &optics.AmplifierKind{Name: "EDFA", MinGain: 5, MaxGain: 27, NoiseFigure: 5.5, MaxOutput: 23}
	dark := optics.Line{Name: "dark", Sections: []optics.Section{{Passive: []optics.Element{fibre}}}}
	long := optics.Line{Name: "long", Mux: 6, Demux: 6, Booster: edfa, Sections: []optics.Section{{Passive: []optics.Element{fibre, fibre}, Amplifier: edfa}}}
	there, back := []light.Unit{{Device: "leaf1", Name: "long-there"}, {Device: "leaf2", Name: "long-there"}}, []light.Unit{{Device: "leaf2", Name: "long-back"}, {Device: "leaf1", Name: "long-back"}}
	p := &light.Plant{Lines: []light.Line{
		{
			Name: "dark", A: "leaf1", B: "leaf2", There: light.Way{Built: &dark, Ducts: []string{"river"}}, Back: light.Way{Built: &dark, Ducts: []string{"river"}},
		},
		{
			Name: "long", A: "leaf1", B: "leaf2", There: light.Way{Built: &long, Ducts: []string{"river", "hill"}, Amplifiers: there},
			Back: light.Way{Built: &long, Ducts: []string{"hill", "river"}, Amplifiers: back},
		},
	}}
	for _, device := range []string{"leaf1", "leaf2"} {
		p.Terminals = append(p.Terminals, light.Terminal{At: network.End{Device: device, Port: darkPort}, Line: "dark", Place: device},
			light.Terminal{At: network.End{Device: device, Port: longPort}, Line: "long", Place: device})
	}
	return p
}

// showLight shows whether ports are up, and in the descriptions of coherent ones what they hear.
func showLight(b *config.Builder, o sim.Observation) {
	if o.State == nil || o.Light == nil {
		return
	}
	for name, p := range o.State.Ports {
		at := config.Path{{Name: "interface", Keys: []config.KeyValue{{Name: "name", Value: name}}}}
		b.SetPath(at.Child("oper-state"), map[bool]string{true: "up", false: "down"}[p.Up])
		if l, coherent := o.Light.Ports[name]; coherent {
			b.SetPath(at.Child("description"), fmt.Sprintf("%.1f dBm, %.0f MHz", float64(l.Input), l.Offset))
		}
	}
}

func TestFaultsOfLightSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newLitStage(t)
	for _, c := range []struct {
		kind, target string
		parameters   []string
		want         string
	}{
		{"fibre-cut", "rivers", nil, `fibre-cut: "rivers": no duct or line has this name; there is river, hill, dark, long`},
		{"fibre-cut", "dark:hill", nil, `fibre-cut: "dark:hill": dark does not pass hill; it passes river`},
		{"fibre-cut", "light:hill", nil, `fibre-cut: "light:hill": no duct or line has this name`},
		{"fibre-loss", "river", nil, "fibre-loss needs loss"},
		{"fibre-loss", "river", []string{"loss=-1"}, `loss "-1": want a loss in dB above 0, up to 100`},
		{"amplifier-failure", "leaf1:long", nil, `amplifier-failure: "leaf1:long": no amplifier has this name; there is leaf1:long-there, leaf1:long-back`},
		{"amplifier-failure", "leaf3", nil, `amplifier-failure: device "leaf3": there is none of this name; there is leaf1, leaf2`},
		{"dirty-connector", "leaf1:e1", nil, "dirty-connector leaf1:e1: no channel of light ends at leaf1:e1"},
		{"frequency-drift", "leaf1:l1", []string{"shift=far"}, `shift "far": want a shift in MHz, from -10000000 to 10000000`},
		{"swap", "leaf1:e1", []string{"with=leaf1:l1"}, "swap leaf1:e1: leaf1:l1 - leaf2:l1: is a channel of light, which nobody plugs; swap cables"},
	} {
		_, err := s.tryInject(c.kind, c.target, c.parameters...)
		if err == nil || err.Error() != c.want && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s %v: %v, want %s", c.kind, c.target, c.parameters, err, c.want)
		}
	}
}

// A channel is a cable to those who cut it: what is cut then are the cords at its ends.
func TestAChannelIsCutAsACable(t *testing.T) {
	t.Parallel()
	s := newLitStage(t)
	s.breaks("cut", "leaf1:"+darkPort, darkPort)
	s.breaks("port-down", "leaf2:"+longPort, longPort)
}
