package network

import (
	"bytes"
	"maps"
	"slices"
)

// bridge is a MAC-VRF with what others announce for it.
type bridge struct {
	*domain
	segments  map[ESI]*remoteSegment
	ways      map[ESI][]Destination // to segments that somebody has joined
	ports     map[ESI]string        // own subinterfaces on segments, where they forward
	elections map[*EthernetSegment]*SegmentInstance
	macs      []MACEntry
}

// bridgeOf works out a MAC-VRF: segments first, since a port that stands by learns nothing.
func (o *observer) bridgeOf(d *domain) *bridge {
	b := newBridge(d)
	o.electAll(b)
	b.macs = o.macTable(b)
	return b
}

func newBridge(d *domain) *bridge {
	b := &bridge{domain: d, ways: map[ESI][]Destination{}, ports: map[ESI]string{}, elections: map[*EthernetSegment]*SegmentInstance{}}
	b.segments = remoteSegments(d.paths())
	for _, side := range d.evis() {
		for e, rs := range remoteSegments(side.paths) {
			if to := rs.destinations(side.ECMP); len(to) > 0 {
				b.ways[e] = to
			}
		}
	}
	return b
}

func (o *observer) electAll(b *bridge) {
	for _, sub := range b.subs {
		es := o.pe.segments[sub.Parent]
		if es == nil || !b.near.oper.Up {
			continue
		}
		b.elections[es] = o.segmentInstance(es, b.domain, b.segments[es.ESI])
		if es.SingleActive && !b.elections[es].DF {
			o.standBy(b.domain, es)
		} else {
			b.ports[es.ESI] = sub.Name
		}
	}
	if es := b.segment; es != nil {
		b.elections[es] = o.segmentInstance(es, b.domain, b.segments[es.ESI])
	}
}

// standBy takes the hosts of a segment away from an instance: a single-active segment lets frames through
// at its designated forwarder only (RFC 7432 §14.1.1).
func (s *pe) standBy(d *domain, es *EthernetSegment) {
	d.hosts = slices.DeleteFunc(d.hosts, func(h *HostSeen) bool {
		return s.segments[s.subs[h.Subinterface].Parent] == es
	})
}

// macTable is the bridge table: the gateway's own addresses go before all, then the best of what is heard
// and what is announced.
func (o *observer) macTable(b *bridge) []MACEntry {
	remote, own := b.remoteMACs(), map[MAC]MACEntry{}
	for _, h := range b.hosts {
		if p := remote[h.MAC]; p == nil || !o.moved(h, p) {
			own[h.MAC] = MACEntry{MAC: h.MAC, Type: "learnt", Subinterface: h.Subinterface}
		}
	}
	for _, e := range gatewayMACs(b.irb) {
		own[e.MAC] = e
	}
	table := slices.Grow(slices.Collect(maps.Values(own)), len(remote))
	for mac, p := range remote {
		if _, ok := own[mac]; !ok {
			table = append(table, b.destination(p))
		}
	}
	slices.SortFunc(table, func(a, b MACEntry) int { return bytes.Compare(a.MAC[:], b.MAC[:]) })
	return table
}

func gatewayMACs(irb *Subinterface) []MACEntry {
	if irb == nil {
		return nil
	}
	own := []MACEntry{{MAC: irb.MAC, Type: "irb-interface", Subinterface: irb.Name}}
	if irb.Anycast != (MAC{}) {
		own = append(own, MACEntry{MAC: irb.Anycast, Type: "irb-interface-anycast", Subinterface: irb.Name})
	}
	return own
}

// remoteMACs are the best announcements of MAC addresses that lead somewhere.
func (b *bridge) remoteMACs() map[MAC]*Path {
	best := make(map[MAC]*Path, len(b.near.paths))
	for _, side := range b.evis() {
		for _, p := range side.paths {
			if p.Type == MACIP && b.leads(p) && (best[p.MAC] == nil || outranks(p, best[p.MAC])) {
				best[p.MAC] = p
			}
		}
	}
	return best
}

// leads says whether there is a way to an announced address: to a segment only while somebody has joined
// it. What others say of the own interconnect segment is what they have from the other side, as this router has.
func (b *bridge) leads(p *Path) bool {
	if b.segment != nil && p.ESI2 == b.segment.ESI {
		return false
	}
	return p.ESI2 == ESI{} || b.ports[p.ESI2] != "" || len(b.ways[p.ESI2]) > 0
}

// outranks orders two announcements of one MAC address: a static one cannot be moved, and of two with the
// same sequence number that of the lowest address holds (RFC 7432 §15.1, §15.2). No host here has moved before: their
// routers announce the sequence number 0.
func outranks(a, b *Path) bool {
	switch {
	case a.Static != b.Static:
		return a.Static
	case a.Sequence != b.Sequence:
		return a.Sequence > b.Sequence
	}
	return a.NextHop.Less(b.NextHop)
}

// moved says whether a host that is heard here is taken to be elsewhere. The members of a segment do not
// argue about its hosts.
func (o *observer) moved(h *HostSeen, p *Path) bool {
	if e := o.esi(h.Subinterface); e != (ESI{}) && e == p.ESI2 {
		return false
	}
	return p.Static || p.Sequence > 0 || p.NextHop.Less(o.vtep)
}

// destination is where frames to an announced address go: to the announcer, or to its segment (RFC 7432
// §8.4), by the own port where the router is on that segment too.
func (b *bridge) destination(p *Path) MACEntry {
	e := MACEntry{MAC: p.MAC, Type: "evpn"}
	if p.Static {
		e.Type = "evpn-static"
	}
	switch port := b.ports[p.ESI2]; {
	case p.ESI2 == ESI{}:
		to := destination(p)
		e.VTEP, e.VNI, e.Label = to.VTEP, to.VNI, to.Label
	case port != "":
		e.Subinterface = port
	default:
		e.ESI = p.ESI2
	}
	return e
}
