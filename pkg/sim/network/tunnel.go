package network

import (
	"bytes"
	"cmp"
	"maps"
	"net/netip"
	"slices"
)

// observeTunnels shows the VXLAN interfaces, and all tunnel endpoints that imported routes lead to.
func (o *observer) observeTunnels() {
	vteps := map[netip.Addr]bool{}
	for _, d := range o.domains {
		for _, p := range d.paths {
			vteps[p.NextHop] = true
		}
		if d.VXLAN != nil {
			o.state.Tunnels = append(o.state.Tunnels, o.tunnel(d))
		}
	}
	o.state.VTEPs = slices.SortedFunc(maps.Keys(vteps), netip.Addr.Compare)
	slices.SortFunc(o.state.Tunnels, func(a, b TunnelState) int { return cmp.Compare(a.Interface, b.Interface) })
}

func (o *observer) tunnel(d *domain) TunnelState {
	t := TunnelState{Interface: d.VXLAN.Interface, Oper: o.vxlanState(d)}
	if !t.Up {
		t.Reason = "other" // /tunnel-interface/vxlan-interface/oper-down-reason has no better word
	}
	if d.Kind != MACVRF {
		t.SourceMAC = o.router.Chassis
		return t
	}
	t.Multicast = floodList(d.paths)
	if b := o.bridges[d]; b != nil {
		t.Unicast, t.Segments = b.unicast()
	}
	return t
}

// floodList is who gets broadcast: all that announce the inclusive multicast route (RFC 7432 §11, RFC
// 8365 §5.1.3).
func floodList(paths []*Path) []Destination {
	var to []Destination
	for _, p := range paths {
		if p.Type == InclusiveMulticast {
			to = append(to, Destination{VTEP: p.NextHop, VNI: p.VNI})
		}
	}
	slices.SortFunc(to, byVTEP)
	return slices.Compact(to)
}

// unicast counts the MAC addresses behind each tunnel endpoint and each segment.
func (b *bridge) unicast() (to []Destination, segments []SegmentDestination) {
	tunnels, es := map[Destination]int{}, map[ESI]int{}
	for _, e := range b.macs {
		switch {
		case e.VTEP.IsValid():
			tunnels[Destination{VTEP: e.VTEP, VNI: e.VNI}]++
		case e.ESI != ESI{}:
			es[e.ESI]++
		}
	}
	for d, n := range tunnels {
		to = append(to, Destination{VTEP: d.VTEP, VNI: d.VNI, MACs: n})
	}
	for e, n := range es {
		segments = append(segments, SegmentDestination{ESI: e, VTEPs: b.ways[e], MACs: n})
	}
	slices.SortFunc(to, byVTEP)
	slices.SortFunc(segments, func(a, b SegmentDestination) int { return bytes.Compare(a.ESI[:], b.ESI[:]) })
	return to, segments
}
