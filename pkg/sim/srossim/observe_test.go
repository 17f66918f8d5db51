package srossim

import (
	"slices"
	"testing"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// pair are two gateways that are joined by a channel, surveyed.
func pair(t *testing.T) (running map[string]*config.Tree, boxes map[string]network.Hardware, plant *network.Plant) {
	document := `"system": {"name": "NAME"},` + baseWith(sessions) + policies
	other := document
	for _, e := range [][2]string{{"10.1.64.1", "10.2.64.1"}, {"10.1.64.1", "10.2.64.1"}, {"10.1.64.1", "10.2.64.1"}, {"10.255.0.0", "10.255.0.1"}, {`"ip-address": "10.2.64.1"`, `"ip-address": "10.1.64.1"`}, {`"101"`, `"201"`}} {
		other = edited(t, other, e[0], e[1])
	}
	running, boxes = map[string]*config.Tree{}, map[string]network.Hardware{}
	routers := map[string]*network.Router{}
	for name, d := range map[string]string{"gw1": document, "gw2": other} {
		h := chassis(t)
		h.Name, h.MAC[3] = name, name[2]
		running[name], boxes[name] = parse(t, edited(t, d, "NAME", name)), h
		routers[name] = read(h, running[name])
	}
	wiring := &network.Wiring{Cables: []network.Cable{{A: network.End{Device: "gw1", Port: "1/1/c1/1"}, B: network.End{Device: "gw2", Port: "1/1/c1/1"}}}}
	return running, boxes, network.Survey(routers, wiring, network.Outages{})
}

func TestTwoGatewaysShowEachOther(t *testing.T) {
	t.Parallel()
	running, boxes, plant := pair(t)
	routing := network.Compute(plant)
	view := watch(t, sim.Observation{
		Running: running["gw1"], Hardware: boxes["gw1"], Router: plant.Routers["gw1"], State: network.Observe(plant, routing, "gw1"), Booted: now, Changed: now, Now: now,
	})
	const neighbor = "/state/router[router-name=Base]/bgp/neighbor[ip-address=10.2.64.1]/statistics"
	const heard = "/state/port[port-id=1/1/c1/1]/ethernet/lldp/dest-mac[mac-type=nearest-bridge]/remote-system[remote-time-mark=0][remote-index=1]"
	const adjacency = "/state/router[router-name=Base]/isis[isis-instance=0]/interface[interface-name=to-sh]/adjacency[adjacency-index=1]"
	shows(t, view, map[string]string{
		"/state/port[port-id=1/1/c1]/oper-state":                                      "up",
		"/state/port[port-id=1/1/c1/1]/oper-state":                                    "up",
		"/state/port[port-id=1/1/c1/1]/ethernet/oper-speed":                           "400000",
		"/state/port[port-id=1/1/c2/1]/oper-state":                                    "down",
		"/state/port[port-id=1/1/c2/1]/port-state":                                    "link-down",
		"/state/port[port-id=1/1/c3]/port-state":                                      "none",
		heard + "/system-name":                                                        "gw2",
		heard + "/remote-port-id":                                                     "1/1/c1/1",
		neighbor + "/session-state":                                                   "Established",
		neighbor + "/negotiated-family":                                               "",
		neighbor + "/peer-identifier":                                                 "10.2.64.1",
		neighbor + "/peer-as":                                                         "65000",
		adjacency + "/oper-state":                                                     "up",
		adjacency + "/level":                                                          "level2",
		adjacency + "/neighbor/system-id":                                             "0100.0206.4001",
		adjacency + "/neighbor/ipv4":                                                  "10.255.0.1",
		"/state/card[slot-number=1]/mda[mda-slot=1]/equipped-type":                    "s36-400gb-qsfpdd",
		"/state/router[router-name=Base]/interface[interface-name=to-sh]/oper-state":  "up",
		"/state/router[router-name=Base]/interface[interface-name=fabric]/oper-state": "lower-layer-down",
		"/state/bfd/pt-to-pt-session[router-instance=Base][interface-name=to-sh][address=10.255.0.0][remote-address=10.255.0.1]/state/session-state": "up",
	})
	var agreed []string
	for v := range at(at(view.Root(), sros.StateRouter).Entry(base), sros.StateRouterBgpNeighbor).Entry("10.2.64.1").Child(sros.StateRouterBgpNeighborStatistics).Child(sros.StateRouterBgpNeighborStatisticsNegotiatedFamily).Children() {
		agreed = append(agreed, v.Value())
	}
	if !slices.Equal(agreed, []string{"EVPN"}) {
		t.Errorf("families %v", agreed)
	}
}

// The loopbacks are all that IS-IS tells of.
func TestISISTellsOfPassiveInterfacesOnly(t *testing.T) {
	t.Parallel()
	_, _, plant := pair(t)
	var got []string
	for _, r := range plant.Links["gw1"].IGP {
		got = append(got, r.Prefix.String())
	}
	if !slices.Equal(got, []string{"10.2.64.1/32"}) {
		t.Errorf("got %v", got)
	}
}

func TestLightIsShownInHundredths(t *testing.T) {
	t.Parallel()
	running := parse(t, baseWith(""))
	d := shining(chassis(t), running)
	if len(d.Lasers) != 1 || d.Lasers[0].Port != "1/1/c1" || !d.Lasers[0].Shines || d.Lasers[0].Power != -10 || d.Lasers[0].Frequency != 193700000 || d.Lasers[0].Mode == nil {
		t.Fatalf("%+v", d.Lasers)
	}
	const at = "/state/port[port-id=1/1/c1]/dwdm/"
	locked := light.Port{Laser: d.Lasers[0], Output: -10, Sends: true, Input: -9.456, Total: -9.4, Hears: network.End{Device: "x"}, Locked: true, OSNR: 27.13, ESNR: 20, BER: 1.25e-3, Q: 9.5, CD: 1234.5, Margin: 3.5}
	noisy := locked
	noisy.OSNR, noisy.Locked = -3, false
	for name, c := range map[string]struct {
		light *sim.Light
		want  map[string]string
	}{
		"before anything was looked at": {nil, map[string]string{at + "oper-frequency": "193700000", at + "coherent/module-state": "ready", at + "coherent/statistics/received/optical-signal-to-noise-ratio/current": ""}},
		"a lock": {&sim.Light{Ports: map[string]light.Port{"1/1/c1": locked}}, map[string]string{
			at + "coherent/statistics/received/optical-signal-to-noise-ratio/current": "2713",
			at + "coherent/statistics/received/power/current":                         "-946",
			at + "coherent/statistics/transmitted/power/average":                      "-1000",
			at + "coherent/statistics/received/bit-error-rate/current":                "0.00125",
			at + "coherent/statistics/received/quality/current":                       "950",
			at + "coherent/rx-quality-margin":                                         "350",
		}},
		"less signal than noise": {&sim.Light{Ports: map[string]light.Port{"1/1/c1": noisy}}, map[string]string{at + "coherent/statistics/received/optical-signal-to-noise-ratio/current": "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shows(t, watch(t, sim.Observation{Running: running, Hardware: chassis(t), Light: c.light, Booted: now, Now: now}), c.want)
		})
	}
	if d := shining(chassis(t), parse(t, edited(t, baseWith(""), `"1/1/c1", "admin-state": "enable"`, `"1/1/c1", "admin-state": "disable"`))); d.Lasers[0].Shines {
		t.Error("a connector that is off shines")
	}
}
