package main

import (
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
)

// Between a Set and the moment at which the network has looked at it a device shows what is left of its state. What
// was taken away has none, and does not take the rest along: who the device is can always be read.
func TestADeviceShowsItselfWhileItsConfigurationGoes(t *testing.T) {
	t.Parallel()
	for file, devices := range map[string][]string{"tiny.yaml": {"spine1"}, "irregular.yaml": {"leaf1"}} {
		f := newFleet(t, file, bgpComputed)
		f.configure(t)
		for _, device := range devices {
			for _, path := range []string{
				"/", "/network-instance[name=default]", "/network-instance[name=default]/protocols/bgp", "/network-instance[name=default]/protocols/bgp/neighbor",
				"/network-instance[name=default]/protocols/bgp/dynamic-neighbors", "/tunnel-interface", "/interface", "/interface[name=ethernet-1/1]", "/system/lldp", "/bfd",
			} {
				f.configureSome(t, device)
				if err := f.sim.Settle(t.Context()); err != nil {
					t.Fatal(err)
				}
				d := f.sim.Device(device)
				d.View(true)
				if err := d.Apply(&gnmi.SetRequest{Delete: []*gnmi.Path{mustPath(path).GNMI()}}); err != nil {
					continue // something refers to it
				}
				view, _ := d.View(true)
				if !view.Find(mustPath("/system/information/version")).Valid() {
					t.Errorf("%s without %s shows no version", device, path)
				}
			}
		}
	}
}
