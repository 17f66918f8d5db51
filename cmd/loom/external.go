package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/fabric"
	plant "github.com/loomfabric/loom/pkg/sim/network"
)

// externals are the routers between sites that Loom does not manage, as a simulation has them: they do what gateways expect of them.
// Over trunks that is IS-IS level 2, and segment routing with the gateways' labels; elsewhere BGP, in which they pass on all that they
// hear. They have no configuration and take no calls.
func externals(design *fabric.Design) []*plant.Router {
	var out []*plant.Router
	byName := map[string]*plant.Router{}
	speeds := map[plant.End]string{}
	for _, c := range design.Cables {
		speeds[plant.End{Device: c.A.Device, Port: c.A.Port}] = c.Speed
	}
	for _, d := range design.Devices {
		for i := range d.Links {
			l := &d.Links[i]
			if !l.External {
				continue
			}
			r := byName[l.PeerName]
			if r == nil {
				r = externalRouter(l.PeerName, len(byName))
				byName[r.Name] = r
				out = append(out, r)
			}
			plug(r, byte(len(byName)), d, l, speeds[plant.End{Device: d.Name, Port: l.Port}])
		}
	}
	return out
}

// externalRouter is one without links.
func externalRouter(name string, number int) *plant.Router {
	id := netip.AddrFrom4([4]byte{192, 0, 2, byte(number + 1)}) // of documentation: it announces nothing of its own (RFC 5737)
	return &plant.Router{
		Name: name, System: name, Chassis: plant.MAC{2, 0xee, 0, 0, byte(number + 1), 0xff},
		Instances: []plant.Instance{{Name: "default", Kind: plant.Default, Enabled: true, RouterID: id}},
	}
}

// plug gives a router the far end of a gateway's link, and what it speaks over it.
func plug(r *plant.Router, number byte, d *fabric.Device, l *fabric.Link, speed string) {
	mac := plant.MAC{2, 0xee, 0, 0, number, byte(len(r.Ports))}
	sub := plant.Subinterface{
		Name: l.PeerPort + ".0", Parent: l.PeerPort, Kind: plant.Routed, Enabled: true, IPMTU: d.Underlay.MTU, MAC: mac, IPv4: true,
		Addresses: []plant.Address{{Prefix: netip.PrefixFrom(l.Peer, l.Addr.Bits())}},
	}
	t := trunkOf(d, l.Trunk)
	if t != nil {
		sub.IPMTU, sub.Addresses[0].Prefix = t.MTU, netip.PrefixFrom(t.Peer, t.Addr.Bits())
	}
	r.Ports = append(r.Ports, plant.Port{Name: l.PeerPort, Enabled: true, MAC: mac, Speed: speed, MTU: l.PortMTU, LLDP: true})
	r.Subinterfaces = append(r.Subinterfaces, sub)
	i := &r.Instances[0]
	i.Interfaces = append(i.Interfaces, sub.Name)
	if t != nil {
		i.ISIS = cmp.Or(i.ISIS, level2(number, &d.WAN))
		i.ISIS.Interfaces = append(i.ISIS.Interfaces, plant.ISISInterface{Name: sub.Name, Enabled: true, PointToPoint: true, Metric: t.Metric, Level2: true})
		return
	}
	i.BGP = cmp.Or(i.BGP, &plant.BGP{
		Enabled: true, AS: l.PeerASN, RouterID: i.RouterID, Families: []plant.Family{plant.IPv4},
		Multipath: map[plant.Family]plant.Multipath{plant.IPv4: {EBGP: 64, IBGP: 1, MultipleAS: true}},
	})
	i.BGP.Neighbors = append(i.BGP.Neighbors, plant.Neighbor{
		Peer: l.Addr.Addr(), Enabled: true, Text: d.Name, PeerAS: d.ASN, LocalAS: l.PeerASN, Families: []plant.Family{plant.IPv4},
		HoldTime: 90 * time.Second, KeepAlive: 30 * time.Second,
	})
	slices.SortFunc(i.BGP.Neighbors, func(a, b plant.Neighbor) int { return a.Peer.Compare(b.Peer) })
}

// level2 is IS-IS without interfaces, in the area of a gateway.
func level2(number byte, w *fabric.WAN) *plant.ISIS {
	return &plant.ISIS{
		Enabled: true, NET: w.Area + ".1920.0000.20" + fmt.Sprintf("%02d", number) + ".00", Level2: true, PassiveOnly: true,
		Base: w.Labels.Start, Size: w.Labels.Size,
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
