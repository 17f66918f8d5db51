package main

import (
	"fmt"
	"net/netip"

	"github.com/loomfabric/loom/pkg/fabric"
	plant "github.com/loomfabric/loom/pkg/sim/network"
)

// externals are the routers between sites that Loom does not manage, as a simulation has them: they do what gateways expect of them,
// IS-IS level 2 on every link, and segment routing with the gateways' labels. They have no configuration and take no calls.
func externals(design *fabric.Design) []*plant.Router {
	var out []*plant.Router
	byName := map[string]*plant.Router{}
	for _, d := range design.Devices {
		for _, l := range d.Links {
			t := trunkOf(d, l.Trunk)
			if !l.External || t == nil {
				continue
			}
			r := byName[l.PeerName]
			if r == nil {
				r = externalRouter(l.PeerName, len(byName), &d.WAN)
				byName[r.Name] = r
				out = append(out, r)
			}
			mac := plant.MAC{2, 0xee, 0, 0, byte(len(byName)), byte(len(r.Ports))}
			r.Ports = append(r.Ports, plant.Port{Name: l.PeerPort, Enabled: true, MAC: mac, Speed: fmt.Sprintf("%dG", t.SpeedG), MTU: t.PortMTU, LLDP: true})
			sub := l.PeerPort + ".0"
			r.Subinterfaces = append(r.Subinterfaces, plant.Subinterface{
				Name: sub, Parent: l.PeerPort, Kind: plant.Routed, Enabled: true, IPMTU: t.MTU, MAC: mac, IPv4: true,
				Addresses: []plant.Address{{Prefix: netip.PrefixFrom(t.Peer, t.Addr.Bits())}},
			})
			i := &r.Instances[0]
			i.Interfaces = append(i.Interfaces, sub)
			i.ISIS.Interfaces = append(i.ISIS.Interfaces, plant.ISISInterface{Name: sub, Enabled: true, PointToPoint: true, Metric: t.Metric, Level2: true})
		}
	}
	return out
}

// externalRouter is one without links, in the area of a gateway.
func externalRouter(name string, number int, w *fabric.WAN) *plant.Router {
	id := netip.AddrFrom4([4]byte{192, 0, 2, byte(number + 1)}) // of documentation: it announces nothing of its own (RFC 5737)
	return &plant.Router{
		Name: name, System: name, Chassis: plant.MAC{2, 0xee, 0, 0, byte(number + 1), 0xff},
		Instances: []plant.Instance{{
			Name: "default", Kind: plant.Default, Enabled: true, RouterID: id,
			ISIS: &plant.ISIS{
				Enabled: true, NET: w.Area + ".1920.0000.20" + fmt.Sprintf("%02d", number+1) + ".00", Level2: true, PassiveOnly: true,
				Base: w.Labels.Start, Size: w.Labels.Size,
			},
		}},
	}
}

func trunkOf(d *fabric.Device, name string) *fabric.Trunk {
	for i := range d.WAN.Trunks {
		if t := &d.WAN.Trunks[i]; t.Name == name {
			return t
		}
	}
	return nil
}
