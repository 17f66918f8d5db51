package network

import (
	"cmp"
	"net/netip"
	"slices"
)

// findSegments indexes the ethernet segments that are up by their port or LAG.
func (s *pe) findSegments() {
	s.segments = map[string]*EthernetSegment{}
	for i := range s.router.Segments {
		es := &s.router.Segments[i]
		if s.segmentState(es).Up {
			for _, port := range es.Interfaces {
				s.segments[port] = es
			}
		}
	}
}

// joinSegments notes which MAC-VRFs are on interconnect segments.
func (s *pe) joinSegments() {
	for i := range s.router.Segments {
		es := &s.router.Segments[i]
		if len(es.Instances) == 0 || !s.segmentState(es).Up {
			continue
		}
		for _, d := range s.domains {
			if d.Kind == MACVRF && len(d.evis()) == 2 && slices.Contains(es.Instances, d.Name) {
				d.segment = es
			}
		}
	}
}

// stitched says whether a network instance of a name has two EVPN instances that are up.
func (s *pe) stitched(name string) bool {
	return slices.ContainsFunc(s.domains, func(d *domain) bool { return d.Name == name && len(d.evis()) == 2 })
}

// shows says whether the interconnect segment is announced in one of the EVPN instances: it is what those of the
// Interconnect see of the domain behind it, and what hosts of the domain see of the others only if that is asked for.
func (d *domain) shows(e *evi) bool { return e == d.far || e.Discovery }

// interconnect is the identifier of the interconnect segment; zero: it is on none.
func (d *domain) interconnect() ESI {
	if d.segment == nil {
		return ESI{}
	}
	return d.segment.ESI
}

// segmentState words a reason as
// /system/network-instance/protocols/evpn/ethernet-segments/bgp-instance/ethernet-segment/oper-down-reason
// does. The segment follows its port: a segment whose LAG is down is withdrawn, so that all others forget
// the way.
func (s *pe) segmentState(es *EthernetSegment) Oper {
	switch {
	case !es.Enabled:
		return Oper{Reason: "admin-disabled"}
	case es.ESI == ESI{}:
		return Oper{Reason: "no-esi"}
	case len(es.Interfaces)+len(es.Instances) == 0:
		return Oper{Reason: "no-associated-interface"}
	case !slices.ContainsFunc(es.Interfaces, s.portUp) && !slices.ContainsFunc(es.Instances, s.stitched):
		return Oper{Reason: "associated-interface-oper-down"}
	case !s.vtep.IsValid():
		return Oper{Reason: "no-nexthop-address"}
	}
	return Oper{Up: true}
}

func (s *pe) portUp(name string) bool { return s.links.Ports[name].Up || s.links.LAGs[name].Up }

// twiceOnSegment: a MAC-VRF may have one subinterface on a segment, or its routes could not say which is
// meant.
func (s *pe) twiceOnSegment(d *domain) bool {
	seen := map[*EthernetSegment]bool{}
	for _, sub := range d.subs {
		if es := s.segments[sub.Parent]; es != nil && seen[es] {
			return true
		} else if es != nil {
			seen[es] = true
		}
	}
	return false
}

// esi is the segment that a subinterface is on; zero where it is single-homed.
func (s *pe) esi(subinterface string) ESI {
	if sub := s.subs[subinterface]; sub != nil && s.segments[sub.Parent] != nil {
		return s.segments[sub.Parent].ESI
	}
	return ESI{}
}

// esImport is the route target of a segment's own routes: bytes 1 to 6 of its identifier (RFC 7432 §7.6).
func esImport(e ESI) MAC { return MAC(e[1:7]) }

// remoteSegment is an ethernet segment as the others of one EVPN instance announce it.
type remoteSegment struct {
	perES        map[netip.Addr]bool
	perEVI       map[netip.Addr]Destination
	speakers     map[netip.Addr]bool // that announce MAC addresses of it
	singleActive bool
}

// remoteSegments reads the A-D routes of one instance.
func remoteSegments(paths []*Path) map[ESI]*remoteSegment {
	all := map[ESI]*remoteSegment{}
	at := func(e ESI) *remoteSegment {
		if all[e] == nil {
			all[e] = &remoteSegment{perES: map[netip.Addr]bool{}, perEVI: map[netip.Addr]Destination{}, speakers: map[netip.Addr]bool{}}
		}
		return all[e]
	}
	for _, p := range paths {
		switch {
		case p.Type == EthernetAD && p.Tag == MaxET:
			at(p.ESI).perES[p.NextHop] = true
			at(p.ESI).singleActive = at(p.ESI).singleActive || p.SingleActive
		case p.Type == EthernetAD:
			at(p.ESI).perEVI[p.NextHop] = destination(p)
		case p.Type == MACIP && p.ESI2 != ESI{}:
			at(p.ESI2).speakers[p.NextHop] = true
		}
	}
	return all
}

// joined says whether a router is on the segment with this instance: only with both kinds of A-D routes
// (RFC 7432 §8.4, §9.2.2).
func (rs *remoteSegment) joined(a netip.Addr) bool {
	if rs == nil {
		return false
	}
	_, ok := rs.perEVI[a]
	return ok && rs.perES[a]
}

// destinations are the tunnels to a segment, at most ecmp of them, lowest addresses first: to all that
// have joined it (aliasing, RFC 7432 §8.4), or on a single-active one to those that talk for it.
func (rs *remoteSegment) destinations(ecmp int) []Destination {
	var to []Destination
	for a, d := range rs.perEVI {
		if rs.joined(a) && (!rs.singleActive || rs.speakers[a]) {
			to = append(to, d)
		}
	}
	slices.SortFunc(to, byVTEP)
	return to[:min(len(to), max(ecmp, 1))]
}

func byVTEP(a, b Destination) int {
	return cmp.Or(a.VTEP.Compare(b.VTEP), cmp.Compare(a.VNI, b.VNI), cmp.Compare(a.Label, b.Label))
}

// candidate is a router that may forward for a segment.
type candidate struct {
	addr netip.Addr // originating router's address
	df   DFElection
}

// elect returns who forwards broadcast to a segment in an instance. By default candidate number EVI
// modulo N, in the order of their addresses (RFC 7432 §8.5); by the highest preference, then the lowest
// address, only if all of them want it so (RFC 8584 §2.2, RFC 9785 §4.1). all is sorted by address and
// not empty.
func elect(all []candidate, evi uint32) netip.Addr {
	if !byPreference(all) {
		return all[evi%uint32(len(all))].addr
	}
	best := all[0]
	for _, c := range all[1:] {
		if c.df.Value > best.df.Value {
			best = c
		}
	}
	return best.addr
}

func byPreference(all []candidate) bool {
	return !slices.ContainsFunc(all, func(c candidate) bool { return !c.df.Preference })
}

// candidates are the routers that announce a segment, the own one included. Those that have no A-D routes
// for the instance are left out, unless one router does without: SR Linux lets attachment circuits influence the
// election by default (RFC 8584 §4.1, ethernet-segment/df-election/algorithm/preference-alg/capabilities/ac-df).
func (s *pe) candidates(es *EthernetSegment, remote *remoteSegment) []candidate {
	all := []candidate{{addr: s.vtep, df: es.DF}}
	any := es.DF.AnyCircuit || slices.ContainsFunc(s.members[es.ESI], func(p *Path) bool { return p.DF != nil && p.DF.AnyCircuit })
	for _, p := range s.members[es.ESI] {
		if any || remote.joined(p.NextHop) {
			c := candidate{addr: p.Prefix.Addr()}
			if p.DF != nil {
				c.df = *p.DF
			}
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b candidate) int { return a.addr.Compare(b.addr) })
	return slices.CompactFunc(all, func(a, b candidate) bool { return a.addr == b.addr })
}

// segmentInstance is the election of a segment in one MAC-VRF.
func (s *pe) segmentInstance(es *EthernetSegment, d *domain, remote *remoteSegment) *SegmentInstance {
	all := s.candidates(es, remote)
	si := &SegmentInstance{Instance: d.Name, Forwarder: elect(all, d.EVPN.EVI)}
	si.DF = si.Forwarder == s.vtep
	for _, c := range all {
		si.Candidates = append(si.Candidates, c.addr)
	}
	return si
}

// observeSegments shows all segments of the router, those that are down too.
func (o *observer) observeSegments() {
	for i := range o.router.Segments {
		es := &o.router.Segments[i]
		st := SegmentState{Name: es.Name, Oper: o.segmentState(es), Algorithm: algorithm(es.DF), Preference: es.DF.Value}
		for _, d := range o.domains {
			if b := o.bridges[d]; b != nil && b.elections[es] != nil {
				st.Instances = append(st.Instances, *b.elections[es])
			}
		}
		o.state.Segments = append(o.state.Segments, st)
	}
}

func algorithm(df DFElection) string {
	if df.Preference {
		return "preference"
	}
	return "default"
}

// yield stands by for the single-active segments that another router forwards for. What is announced may
// depend on no route, so that the election is held here among the routers that are there and have the
// segment up, whether or not they hear each other.
func (s *pe) yield() {
	for _, d := range s.domains {
		for _, sub := range d.subs {
			if es := s.segments[sub.Parent]; es != nil && es.SingleActive && d.Kind == MACVRF && d.near.oper.Up && s.present(es, d) != s.vtep {
				s.standBy(d, es)
			}
		}
	}
}

// present elects among the routers that are there.
func (s *pe) present(es *EthernetSegment, d *domain) netip.Addr {
	var all []candidate
	any := s.plant.anyCircuit(es.ESI)
	for _, name := range s.plant.Names {
		if c, ok := s.plant.candidate(name, es.ESI, d.EVPN.Import, any); ok {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b candidate) int { return a.addr.Compare(b.addr) })
	return elect(all, d.EVPN.EVI)
}

// anyCircuit tells whether a router on a segment does without AC-DF.
func (p *Plant) anyCircuit(e ESI) bool {
	for _, name := range p.Names {
		if p.hasSegment(name, e) {
			for _, es := range peOf(p, name).segments {
				if es.ESI == e && es.DF.AnyCircuit {
					return true
				}
			}
		}
	}
	return false
}

func (p *Plant) hasSegment(router string, e ESI) bool {
	return slices.ContainsFunc(p.Routers[router].Segments, func(es EthernetSegment) bool { return es.ESI == e })
}

// candidate returns what a router stands for in the election of a segment, if it does: in an instance
// that exports what the asking one imports, or, where circuits do not count, whatever it has.
func (p *Plant) candidate(router string, e ESI, imports []RT, any bool) (candidate, bool) {
	if !p.hasSegment(router, e) {
		return candidate{}, false
	}
	s := peOf(p, router)
	for _, es := range s.segments {
		if any && es.ESI == e {
			return candidate{addr: s.vtep, df: es.DF}, true
		}
	}
	for _, d := range s.domains {
		for _, sub := range d.subs {
			if es := s.segments[sub.Parent]; es != nil && es.ESI == e && d.near.oper.Up && exports(d, imports) {
				return candidate{addr: s.vtep, df: es.DF}, true
			}
		}
	}
	return candidate{}, false
}

func exports(d *domain, targets []RT) bool {
	return slices.ContainsFunc(d.EVPN.Export, func(rt RT) bool { return slices.Contains(targets, rt) })
}
