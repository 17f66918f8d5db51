package main

import (
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/sim"
)

// mistake is what somebody does wrong in a network that stands.
type mistake struct {
	device, path, json string    // set by hand; "": the path is deleted
	fault              sim.Fault // or what happens to the plant
}

func (m mistake) make(t *testing.T, f *fleet) {
	t.Helper()
	switch {
	case m.fault.Kind != "":
		if _, err := f.sim.Inject(m.fault); err != nil {
			t.Fatal(err)
		}
	case m.json == "":
		if err := f.sim.Device(m.device).Apply(&gnmi.SetRequest{Delete: []*gnmi.Path{mustPath(m.path).GNMI()}}); err != nil {
			t.Fatal(err)
		}
	default:
		f.hand(t, m.device, m.path, m.json)
	}
}

const bgpOfDefault = "/network-instance[name=default]/protocols/bgp"

// mistakes are those that both ways of running BGP have to see alike, by topology: one step after the other, and none is
// undone. A speaker rests for 5 s when its session has been ended by the other, so that those which do so are one step.
// Whoever loses its way between loopbacks waits for a hold timer, which is not computed: here nobody does.
var mistakes = map[string][]struct {
	name string
	made []mistake
}{
	"tiny.yaml": {
		{"a reflector without clients", []mistake{
			{device: "spine1", path: bgpOfDefault + "/group[group-name=overlay]/route-reflector/client", json: "false"},
		}},
	},
	"ebgp-overlay.yaml": {
		{"no import policy", []mistake{
			{device: "leaf2", path: bgpOfDefault + "/group[group-name=overlay]/import-policy"},
		}},
		{"another route target", []mistake{
			{device: "leaf4", path: "/network-instance[name=red-web]/protocols/bgp-vpn/bgp-instance[id=1]/route-target/import-rt", json: `"target:65000:999"`},
		}},
		{"swapped cables", []mistake{
			{fault: sim.Fault{Kind: "swap", Target: "leaf3:ethernet-1/49", With: "leaf4:ethernet-1/50"}},
		}},
		{"a loopback that is down", []mistake{
			{device: "leaf4", path: "/interface[name=system0]/subinterface[index=0]/admin-state", json: `"disable"`},
		}},
		{"an address family less, and wrong AS numbers on a link and between loopbacks", []mistake{
			{device: "leaf3", path: bgpOfDefault + "/group[group-name=overlay]/afi-safi[afi-safi-name=evpn]/admin-state", json: `"disable"`},
			{device: "spine1", path: bgpOfDefault + "/neighbor[peer-address=10.6.128.98]/peer-as", json: "64999"},
			{device: "spine2", path: bgpOfDefault + "/neighbor[peer-address=10.6.32.1]/peer-as", json: "64999"},
		}},
	},
}
