package main

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	kinds "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
)

// litTopology has a dark fibre, an amplified line with a multiplexer, two lines with ROADMs that channels pass, and
// transponders.
var litTopology = filepath.Join("testdata", "lit.yaml")

// litFleet is a topology with light whose devices are configured.
func litFleet(t *testing.T, bgp string) *fleet {
	t.Helper()
	f := fleetOf(t, litTopology, bgp)
	f.configure(t)
	if err := f.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// shown is a number that a device shows.
func (f *fleet) shown(t *testing.T, device, path string) float64 {
	t.Helper()
	view, _ := f.sim.Device(device).View(false)
	leaf := view.Find(mustPath(path))
	v, err := strconv.ParseFloat(leaf.Value(), 64)
	if err != nil {
		t.Errorf("%s %s: %q is no number", device, path, leaf.Value())
	}
	return v
}

// receiverPaths are where the end of a channel shows its power and OSNR.
func receiverPaths(d *fabric.Device, port string) (power, osnr string) {
	if d.OS == "openconfig" {
		base := "/components/component[name=och-" + port + "]/optical-channel/state"
		return base + "/input-power/instant", base + "/osnr/instant"
	}
	base := "/interface[name=" + port + "]/transceiver/optical-channel[index=1]/statistics/received"
	return base + "/power/current", base + "/optical-signal-to-noise-ratio/current"
}

func TestALitTopologyComesUp(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpComputed)
	if err := f.until(t.Context(), time.Minute, f.incomplete); err != nil {
		t.Fatal(err)
	}
}

// What receivers show is what the plan of their line says they will.
func TestLightArrivesAsItIsPlanned(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpComputed)
	checked := 0
	check := func(a *optics.Arrival, site string) {
		t.Helper()
		c := f.design.Channels[channelIndex(f.design, a.Name)]
		end := c.A
		if end.Site != site {
			end = c.B
		}
		power, osnr := receiverPaths(f.design.Device(end.Device), end.Port)
		if got, want := f.shown(t, end.Device, power), float64(a.Light.Power); !near(got, want, 0.05) {
			t.Errorf("%s at %s: %.2f dBm, planned %.2f", a.Name, end.Device, got, want)
		}
		if got, want := f.shown(t, end.Device, osnr), float64(a.Verdict.OSNR); !near(got, want, 0.1) {
			t.Errorf("%s at %s: OSNR %.2f dB, planned %.2f", a.Name, end.Device, got, want)
		}
		checked++
	}
	for i := range f.design.Lines {
		l := &f.design.Lines[i]
		for _, way := range []struct {
			report *optics.Report
			at     string
		}{{l.There, l.B}, {l.Back, l.A}} {
			for _, a := range way.report.Today().Arrivals {
				c := f.design.Channels[channelIndex(f.design, a.Name)]
				if len(c.Lines) == 1 {
					check(&a, way.at)
				}
			}
		}
	}
	ab, bc := lineOf(f.design, "ab"), lineOf(f.design, "bc") // bc begins where the channel ends
	c := f.design.Channels[channelIndex(f.design, "bj-sz/1")]
	for site, path := range map[string][]*optics.Report{"sz": {ab.There, bc.Back}, "bj": {bc.There, ab.Back}} {
		express := []optics.DB{kinds.Known().ROADMs[0].Express}
		states, err := optics.Path{Reports: path, Express: express}.Through([]optics.Carried{{Name: c.Name, Slot: c.Slot, Mode: c.Mode, TxPower: c.Power}})
		if err != nil {
			t.Fatal(err)
		}
		check(&states[0].Arrivals[0], site)
	}
	if checked != 8 {
		t.Errorf("%d receivers looked at", checked)
	}
}

func near(a, b, by float64) bool { return a-b <= by && b-a <= by }

func lineOf(d *fabric.Design, name string) *fabric.Line {
	for i := range d.Lines {
		if d.Lines[i].Name == name {
			return &d.Lines[i]
		}
	}
	return nil
}

func channelIndex(d *fabric.Design, name string) int {
	for i := range d.Channels {
		if d.Channels[i].Name == name {
			return i
		}
	}
	return -1
}
