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
		for _, p := range d.paths() {
			if p.Encap == OverVXLAN {
				vteps[p.NextHop] = true
			}
		}
		if d.VXLAN != nil {
			o.state.Tunnels = append(o.state.Tunnels, o.tunnel(d, d.near))
		}
		if d.far != nil && d.far.vxlan != nil {
			o.state.Tunnels = append(o.state.Tunnels, o.tunnel(d, d.far))
		}
	}
	o.state.VTEPs = slices.SortedFunc(maps.Keys(vteps), netip.Addr.Compare)
	slices.SortFunc(o.state.Tunnels, func(a, b TunnelState) int { return cmp.Compare(a.Interface, b.Interface) })
}

func (o *observer) tunnel(d *domain, e *evi) TunnelState {
	t := TunnelState{Interface: e.vxlan.Interface, Oper: o.vxlanState(d, e.vxlan)}
	if !t.Up {
		t.Reason = "other" // /tunnel-interface/vxlan-interface/oper-down-reason has no better word
	}
	if d.Kind != MACVRF {
		t.SourceMAC = o.router.Chassis
		return t
	}
	t.Multicast = floodList(e.paths)
	if b := o.bridges[d]; b != nil {
		t.Unicast, t.Segments = b.unicast(e)
	}
	return t
}

// interconnect shows the second EVPN instance of a network instance.
func (o *observer) interconnect(d *domain) InterconnectState {
	if d.far == nil {
		return InterconnectState{}
	}
	st := InterconnectState{Oper: d.far.oper, Multicast: floodList(d.far.paths)}
	if b := o.bridges[d]; b != nil {
		st.Unicast, st.Segments = b.unicast(d.far)
	}
	return st
}

// floodList is who gets broadcast: all that announce the inclusive multicast route (RFC 7432 §11, RFC
// 8365 §5.1.3).
func floodList(paths []*Path) []Destination {
	var to []Destination
	for _, p := range paths {
		if p.Type == InclusiveMulticast {
			to = append(to, destination(p))
		}
	}
	slices.SortFunc(to, byVTEP)
	return slices.Compact(to)
}

// unicast counts the MAC addresses behind each tunnel endpoint and each segment that a side sends to.
func (b *bridge) unicast(side *evi) (to []Destination, segments []SegmentDestination) {
	tunnels, es, ends := map[Destination]int{}, map[ESI]int{}, side.ends()
	sendsTo := func(d Destination) bool { return ends[d.VTEP] && (d.Label != 0) == (side.encap() == OverMPLS) }
	for _, e := range b.macs {
		switch to := (Destination{VTEP: e.VTEP, VNI: e.VNI, Label: e.Label}); {
		case e.VTEP.IsValid() && sendsTo(to):
			tunnels[to]++
		case e.ESI != ESI{} && slices.ContainsFunc(b.ways[e.ESI], sendsTo):
			es[e.ESI]++
		}
	}
	for d, n := range tunnels {
		d.MACs = n
		to = append(to, d)
	}
	for e, n := range es {
		segments = append(segments, SegmentDestination{ESI: e, VTEPs: b.ways[e], MACs: n})
	}
	slices.SortFunc(to, byVTEP)
	slices.SortFunc(segments, func(a, b SegmentDestination) int { return bytes.Compare(a.ESI[:], b.ESI[:]) })
	return to, segments
}
