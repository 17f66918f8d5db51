package main

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// turns are what random hands set on the devices of litTopology, with the values that they choose from: on transponders,
// line systems and routers.
var turns = []struct {
	device, path string
	values       []string
}{
	{"bj-transponder1", "/components/component[name=transceiver-line-1]/transceiver/physical-channels/channel[index=0]/config/tx-laser", []string{"true", "false"}},
	{"sz-transponder1", "/components/component[name=och-line-1]/optical-channel/config/target-output-power", []string{`"-2.00"`, `"0.00"`}},
	{"sz-transponder1", "/terminal-device/logical-channels/channel[index=10001]/config/admin-state", []string{`"ENABLED"`, `"DISABLED"`}},
	{"ab-hut1", "/optical-amplifier/amplifiers/amplifier[name=ab-there]/config/enabled", []string{"true", "false"}},
	{"long-hut1", "/optical-amplifier/amplifiers/amplifier[name=long-back]/config/target-gain", []string{`"14.00"`, `"16.00"`}},
	{"bj-gateway1", "/interface[name=ethernet-1/2]/admin-state", []string{`"enable"`, `"disable"`}},
	{"sh-gateway1", "/interface[name=ethernet-1/2]/transceiver/tx-laser", []string{"true", "false"}},
	{"bj-gateway1", "/interface[name=ethernet-1/17]/admin-state", []string{`"enable"`, `"disable"`}},
}

// Whatever was set in which order, side by side, devices show what a plant shows that was built with the same
// configurations: nothing that was before is left, and nothing is missing that came last.
func TestLightKeepsUpWithEverySet(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpComputed)
	for seed := range uint64(3) {
		var hands sync.WaitGroup
		for hand := range uint64(3) {
			hands.Go(func() {
				r := rand.New(rand.NewPCG(seed, hand))
				for range 12 {
					turn := turns[r.IntN(len(turns))]
					val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(turn.values[r.IntN(len(turn.values))])}}
					if err := f.sim.Device(turn.device).Apply(&gnmi.SetRequest{Replace: []*gnmi.Update{{Path: mustPath(turn.path).GNMI(), Val: val}}}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		hands.Wait()
		if err := f.sim.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		anew := fleetOf(t, litTopology, bgpComputed)
		for _, d := range f.sim.Devices() {
			val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: d.Running().AppendJSON(nil, false)}}
			if err := anew.sim.Device(d.Name()).Apply(&gnmi.SetRequest{Update: []*gnmi.Update{{Path: &gnmi.Path{}, Val: val}}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := anew.sim.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, d := range f.design.Devices {
			observe := drivers[d.OS].Observe
			got, _ := f.sim.Device(d.Name).View(false)
			want, _ := anew.sim.Device(d.Name).View(false)
			if diff := cmp.Diff(observe(want, d), observe(got, d), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("seed %d: %s (-built anew, +after all Sets):\n%s", seed, d.Name, diff)
			}
		}
	}
}
