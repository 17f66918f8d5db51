package network

import "net/netip"

// pe is one router with what it sees, indexed: what EVPN (RFC 7432, RFC 8365) is worked out from.
type pe struct {
	plant    *Plant
	router   *Router
	links    *Links
	subs     map[string]*Subinterface
	ends     map[netip.Addr]bool         // addresses of loopbacks that are up: where tunnels may end
	tunnels  map[netip.Addr]bool         // ends of segment-routing tunnels
	vtep     netip.Addr                  // where they do; invalid: nowhere
	segments map[string]*EthernetSegment // that are up, by port or LAG
	domains  []*domain                   // in the order of the instances
	members  map[ESI][]*Path             // type 4 routes of others
}

// domain is a network instance with what is attached to it.
type domain struct {
	*Instance
	near     *evi
	far      *evi                      // towards other domains; nil: none
	subs     []*Subinterface           // that are up, as the instance lists them
	irb      *Subinterface             // of a MAC-VRF: its gateway, up; nil
	routedBy *domain                   // of a MAC-VRF: the IP-VRF or default instance of that gateway; nil
	bridges  map[*Subinterface]*domain // of another instance: the MAC-VRF of each of its IRBs
	hosts    []*HostSeen
	segment  *EthernetSegment // of a MAC-VRF: the interconnect segment that it is on, up; nil
}

// peOf indexes a router; nil where it is not there.
func peOf(p *Plant, router string) *pe {
	r, links := p.Routers[router], p.Links[router]
	if r == nil || links == nil {
		return nil
	}
	s := &pe{plant: p, router: r, links: links, subs: make(map[string]*Subinterface, len(r.Subinterfaces)), ends: map[netip.Addr]bool{}, tunnels: map[netip.Addr]bool{}, members: map[ESI][]*Path{}}
	for i := range r.Subinterfaces {
		s.addSub(&r.Subinterfaces[i])
	}
	for i := range links.Tunnels {
		s.tunnels[links.Tunnels[i].Prefix.Addr()] = true
	}
	s.vtep = s.tunnelEnd()
	s.findSegments()
	for i := range r.Instances {
		s.domains = append(s.domains, s.domainOf(&r.Instances[i]))
	}
	s.placeHosts()
	s.joinGateways()
	s.joinSegments()
	return s
}

func (s *pe) addSub(sub *Subinterface) {
	s.subs[sub.Name] = sub
	if sub.Kind == Loopback && s.links.Subs[sub.Name].Up {
		for _, a := range sub.Addresses {
			s.ends[a.Prefix.Addr()] = true
		}
	}
}

// tunnelEnd is the router's end of all tunnels. SR Linux has only one:
// /tunnel-interface/vxlan-interface/egress/source-ip knows nothing but use-system-ipv4-address.
func (s *pe) tunnelEnd() netip.Addr {
	for i := range s.router.Instances {
		for _, side := range []*evi{s.nearOf(&s.router.Instances[i]), s.farOf(&s.router.Instances[i])} {
			if side != nil && s.ends[side.source()] {
				return side.source()
			}
		}
	}
	return netip.Addr{}
}

func (s *pe) domainOf(i *Instance) *domain {
	d := &domain{Instance: i, near: s.nearOf(i), far: s.farOf(i), bridges: map[*Subinterface]*domain{}}
	for _, name := range i.Interfaces {
		if sub := s.subs[name]; sub != nil && i.Enabled && s.links.Subs[name].Up {
			d.subs = append(d.subs, sub)
		}
	}
	d.near.oper = s.eviState(d, d.near)
	if d.far != nil {
		d.far.oper = s.eviState(d, d.far)
	}
	return d
}

func (s *pe) placeHosts() {
	byName := map[string]*domain{}
	for _, d := range s.domains {
		byName[d.Name] = d
	}
	for i := range s.links.Hosts {
		if d := byName[s.links.Hosts[i].Instance]; d != nil && d.Enabled {
			d.hosts = append(d.hosts, &s.links.Hosts[i])
		}
	}
}

// joinGateways ties each MAC-VRF to the instance that its IRB subinterface routes in.
func (s *pe) joinGateways() {
	bridging := map[*Subinterface]*domain{}
	for _, d := range s.domains {
		for _, sub := range d.subs {
			if d.Kind == MACVRF && sub.Kind == IRB {
				d.irb, bridging[sub] = sub, d
			}
		}
	}
	for _, d := range s.domains {
		for _, sub := range d.subs {
			if b := bridging[sub]; b != nil && d.Kind != MACVRF {
				b.routedBy, d.bridges[sub] = d, b
			}
		}
	}
}

// vxlanState words a reason as /network-instance/vxlan-interface/oper-down-reason does.
func (s *pe) vxlanState(d *domain, v *VXLAN) Oper {
	switch {
	case v == nil:
		return Oper{}
	case !d.Enabled:
		return Oper{Reason: "net-inst-down"}
	case !v.Source.IsValid():
		return Oper{Reason: "vxlan-if-default-net-inst-source-address-missing"}
	case !s.ends[v.Source]:
		return Oper{Reason: "vxlan-if-default-net-inst-source-if-down"}
	}
	return Oper{Up: true}
}

// onSubnet says whether an address is a neighbor's on one of the subnets of a subinterface.
func onSubnet(sub *Subinterface, a netip.Addr) bool {
	for _, own := range sub.Addresses {
		if own.Prefix.Contains(a) && own.Prefix.Addr() != a {
			return true
		}
	}
	return false
}

// Imports returns whether a router has a use of its own for an EVPN route: an instance that imports one
// of its route targets, or the ethernet segment that it is about.
func Imports(p *Plant, router string) func(*Route) bool {
	targets, segments := map[RT]bool{}, map[MAC]bool{}
	if s := peOf(p, router); s != nil {
		for _, d := range s.domains {
			for _, side := range d.evis() {
				for _, rt := range side.Import {
					targets[rt] = true
				}
			}
			if d.segment != nil {
				segments[esImport(d.segment.ESI)] = true
			}
		}
		for _, es := range s.segments {
			segments[esImport(es.ESI)] = true
		}
	}
	return func(r *Route) bool {
		if r.Type == EthernetSegmentRoute {
			return segments[r.ESImport]
		}
		for _, rt := range r.Targets {
			if targets[rt] {
				return true
			}
		}
		return false
	}
}

// importPaths gives what BGP has to who uses it, in one pass: domains, and by segment the routes of its
// members. A path that leads to the router itself, such as all of its own, is of no use, and one whose
// next hop cannot be reached neither.
func (s *pe) importPaths(sessions []Session, paths []Path) {
	users := s.importers()
	for i := range paths {
		p := &paths[i]
		if p.Rejected || !p.Valid || !(p.Best || p.Used) || p.NextHop == s.vtep {
			continue
		}
		if p.Type == EthernetSegmentRoute {
			s.members[p.ESI] = append(s.members[p.ESI], p)
			continue
		}
		p = encapsulated(p, sessions)
		for _, rt := range p.Targets {
			for _, u := range users[rt] {
				if u.takes(u.side, p) && s.reaches(u.side, p.NextHop) {
					u.side.paths = append(u.side.paths, p)
				}
			}
		}
	}
}

// reaches returns whether there is a tunnel to where a path leads. VXLAN needs no more than a route, which valid paths have.
func (s *pe) reaches(e *evi, a netip.Addr) bool {
	return e.vxlan != nil || e.mpls.SegmentRouting && s.tunnels[a]
}

// importer is a side with its network instance.
type importer struct {
	*domain
	side *evi
}

func (s *pe) importers() map[RT][]importer {
	users := map[RT][]importer{}
	for _, d := range s.domains {
		for _, side := range d.evis() {
			for _, rt := range side.Import {
				users[rt] = append(users[rt], importer{d, side})
			}
		}
	}
	return users
}
