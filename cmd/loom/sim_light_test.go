package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	kinds "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim"
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

// BGP, of real speakers, goes with the light: a gateway has a session over each channel, as long as its line carries it.
func TestSessionsGoWithTheLight(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpLive)
	f.sessionsAt(t, "bj-gateway1", 5) // to the spine, and over four channels, one of them by transponders
	f.sessionsAt(t, "sz-gateway1", 2)
	fault, err := sim.ParseFault("fibre-cut", "north1", nil) // two channels in long, one in ab
	if err != nil {
		t.Fatal(err)
	}
	id, err := f.sim.Inject(fault)
	if err != nil {
		t.Fatal(err)
	}
	f.sessionsAt(t, "bj-gateway1", 2)
	f.sessionsAt(t, "sz-gateway1", 1)
	if err := f.sim.Clear(id); err != nil {
		t.Fatal(err)
	}
	f.sessionsAt(t, "bj-gateway1", 5)
	f.sessionsAt(t, "sz-gateway1", 2)
}

// sessionsAt waits until a gateway has so many sessions.
func (f *fleet) sessionsAt(t *testing.T, gateway string, want int) {
	t.Helper()
	neighbors := mustPath("/network-instance[name=default]/protocols/bgp/neighbor")
	if err := f.until(t.Context(), liveTime, func() string {
		got := 0
		view, _ := f.sim.Device(gateway).View(false)
		for n := range view.Find(neighbors).Children() {
			if view.Find(n.Path().Child("session-state")).Value() == "established" {
				got++
			}
		}
		if got == want {
			return ""
		}
		return fmt.Sprintf("%s has %d sessions, not %d", gateway, got, want)
	}); err != nil {
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

// What faults come to, as a client sees it over gNMI: on a router, a transponder and a line system.
func TestWhatFaultsOfLightComeTo(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpComputed)
	const (
		gateway  = "/interface[name=ethernet-1/2]/oper-state"                                                             // bj-sh/2, over long
		received = "/interface[name=ethernet-1/2]/transceiver/optical-channel[index=1]/statistics/received/power/current" // of it
		grey     = "/interface[name=ethernet-1/17]/oper-state"                                                            // a router's port towards a transponder
		client   = "/terminal-device/logical-channels/channel[index=10001]/state/link-state"
		gain     = "/optical-amplifier/amplifiers/amplifier[name=long-there]/state/input-power-total/instant"
		line     = "/components/component[name=och-line-1]/optical-channel/state/pre-fec-ber/instant"
		offset   = "/components/component[name=och-line-1]/optical-channel/state/carrier-frequency-offset/instant"
	)
	for _, d := range f.sim.Devices() {
		if err := d.Save(); err != nil { // what has lost its power boots what was saved
			t.Fatal(err)
		}
	}
	power := f.shown(t, "bj-gateway1", received)
	errors := f.shown(t, "sz-transponder1", line)
	for _, c := range []struct {
		name, kind, target string
		parameters         map[string]string
		device, path       string
		good               func(value string) bool
	}{
		{"a cut takes the port of a router", "fibre-cut", "north1", nil, "bj-gateway1", gateway, is("down")},
		{"and, on another line in the duct, the clients of transponders", "fibre-cut", "north1", nil, "bj-transponder1", client, is("DOWN")},
		{"and the port of the router behind them", "fibre-cut", "north1", nil, "sz-gateway1", grey, is("down")},
		{"a line that is not in the duct stays", "fibre-cut", "river", nil, "bj-gateway1", gateway, is("up")},
		{"loss comes to the receiver, for gains are held", "fibre-loss", "long", map[string]string{"loss": "1"}, "bj-gateway1", received, about(power - 2)},
		{"loss is seen where the next amplifier is", "fibre-loss", "north1", map[string]string{"loss": "3"}, "long-bj", gain, about(f.shown(t, "long-bj", gain) - 3)},
		{"a dead amplifier leaves nothing", "amplifier-failure", "long-hut1:long-there", nil, "bj-gateway1", gateway, is("down")},
		{"noise makes errors that can still be corrected", "amplifier-noise", "ab-hut1:ab-there", map[string]string{"loss": "1"}, "sz-transponder1", line, above(errors * 1.01)},
		{"dirt makes a receiver hear less", "dirty-connector", "sh-gateway1:ethernet-1/2", map[string]string{"loss": "2"}, "bj-gateway1", received, about(power - 2)},
		{"a laser that drifts is seen at the far end", "frequency-drift", "bj-transponder1:line-1", map[string]string{"shift": "1500"}, "sz-transponder1", offset, is("1500.0")},
		{"a transponder without power takes the routers' ports", "device-down", "sz-transponder1", nil, "bj-gateway1", grey, is("down")},
		{"a line system without power takes its line", "device-down", "long-hut1", nil, "bj-gateway1", gateway, is("down")},
	} {
		fault, err := sim.ParseFault(c.kind, c.target, c.parameters)
		if err != nil {
			t.Fatal(err)
		}
		view, _ := f.sim.Device(c.device).View(false)
		before := view.Find(mustPath(c.path)).Value()
		id, err := f.sim.Inject(fault)
		if err != nil {
			t.Fatal(err)
		}
		f.comesTo(t, c.name, c.device, c.path, c.good)
		if err := f.sim.Clear(id); err != nil {
			t.Fatal(err)
		}
		f.comesTo(t, c.name+"; cleared", c.device, c.path, is(before))
	}
}

// comesTo fails unless a client that subscribes to a path soon gets a value.
func (f *fleet) comesTo(t *testing.T, name, at, path string, good func(string) bool) {
	t.Helper()
	if err := f.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	tree, err := f.client(t, at).Observe(t.Context(), []config.Path{mustPath(path)})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if got := tree.Find(mustPath(path)).Value(); !good(got) {
		t.Errorf("%s: %s %s is %q", name, at, path, got)
	}
}

// client is a connection to a device, as anybody makes it who has the inventory.
func (f *fleet) client(t *testing.T, name string) *device.Device {
	t.Helper()
	inventory := f.sim.Inventory()
	pool, err := inventory.Pool()
	if err != nil {
		t.Fatal(err)
	}
	entry, _ := inventory.Find(name)
	d, err := device.Dial(t.Context(), device.Target{
		Name: name, Address: entry.Address, CA: pool, Username: inventory.Username, Password: inventory.Password, Driver: drivers[entry.OS], Release: entry.Release,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func is(want string) func(string) bool { return func(got string) bool { return got == want } }

func about(want float64) func(string) bool {
	return func(s string) bool { got, err := strconv.ParseFloat(s, 64); return err == nil && near(got, want, 0.1) }
}

func above(least float64) func(string) bool {
	return func(s string) bool { got, err := strconv.ParseFloat(s, 64); return err == nil && got > least }
}
