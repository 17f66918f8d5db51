package srlsim

import (
	"strconv"
	"testing"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// plug wires the fabric links of a design, and a server to two leaves.
func plug(design *fabric.Design) *network.Wiring {
	w := &network.Wiring{Hosts: []network.Host{{
		Name: "web-1", MAC: network.MAC{2, 0, 9, 0, 0, 1}, NICs: []string{"eth0", "eth1"}, LACP: true,
		Addresses: []network.HostAddress{{VLAN: 10, MAC: network.MAC{2, 0, 9, 0, 0, 1}, IPs: nil}},
	}}}
	for _, d := range design.Devices {
		for _, l := range d.Links {
			if d.Name < l.PeerName {
				w.Cables = append(w.Cables, network.Cable{A: network.End{Device: d.Name, Port: l.Port}, B: network.End{Device: l.PeerName, Port: l.PeerPort}})
			}
		}
	}
	for i, leaf := range []string{"leaf1", "leaf2"} {
		w.Cables = append(w.Cables, network.Cable{A: network.End{Device: leaf, Port: "ethernet-1/1"}, B: network.End{Device: "web-1", Port: "eth" + strconv.Itoa(i)}})
	}
	sortBy(w.Cables, network.Cable.String)
	return w
}

// The whole way: what Loom renders, read by every device, worked out, and shown.
func TestADemoFabricShowsItself(t *testing.T) {
	t.Parallel()
	for _, release := range releases {
		design := demo(t, release)
		routers, running, boxes := map[string]*network.Router{}, map[string]*config.Tree{}, map[string]network.Hardware{}
		for i, d := range design.Devices {
			running[d.Name], boxes[d.Name] = render(t, d), chassis(t, d.Name, d.Platform.Name, byte(i+1))
			routers[d.Name] = read(boxes[d.Name], running[d.Name])
		}
		plant := network.Survey(routers, plug(design), network.Outages{})
		routing := network.Compute(plant)
		views := map[string]*config.Tree{}
		for _, d := range design.Devices {
			views[d.Name] = watch(t, sim.Observation{
				Running: running[d.Name], Hardware: boxes[d.Name], Router: plant.Routers[d.Name], State: network.Observe(plant, routing, d.Name),
				Booted: booted, Changed: changed, Now: now, Large: true,
			})
		}
		for name, view := range views {
			states := map[string]int{}
			for n := range entries(at(view.Root(), srl.NetworkInstance).Entry("default"), srl.NetworkInstanceProtocolsBgpNeighbor) {
				states[text(n, srl.NetworkInstanceProtocolsBgpNeighborSessionState)]++
			}
			if states["established"] == 0 || len(states) != 1 {
				t.Errorf("%s %s: sessions %v", release, name, states)
			}
		}
		peer := design.Device("leaf1").Links[0]
		shows(t, views["leaf1"], map[string]string{
			"/system/lldp/interface[name=" + peer.Port + "]/neighbor[id=1]/system-name":                         peer.PeerName,
			"/system/lldp/interface[name=" + peer.Port + "]/neighbor[id=1]/port-id":                             peer.PeerPort,
			"/interface[name=lag1]/oper-state":                                                                  "up",
			esPath("es-lag1") + "/oper-state":                                                                   "up",
			"/network-instance[name=red-web]/protocols/bgp-evpn/bgp-instance[id=1]/oper-state":                  "up",
			"/network-instance[name=red-web]/bridge-table/mac-table/mac[address=02:00:09:00:00:01]/destination": "lag1.10",
		})
		if got := leafOf(t, views["leaf5"], "/network-instance[name=red-web]/bridge-table/mac-table/mac[address=02:00:09:00:00:01]/type"); got != "evpn" {
			t.Errorf("%s: leaf5 has the server as %q", release, got)
		}
	}
}
