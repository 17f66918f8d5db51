package network

// ports finds out which ports of a router come up.
func (s *survey) ports(r *site) {
	r.links.Ports = make(map[string]PortState, len(r.Ports))
	for i := range r.Ports {
		p := &r.Ports[i]
		r.links.Ports[p.Name] = s.port(End{r.Name, p.Name}, p)
	}
}

// port words why a port is down as the enumeration port-oper-down-reason of srl_nokia-interfaces.yang
// does. A cage without a cable has no transceiver either, which is one that is not up; a far end that is
// silent, or sends at another speed, shows as lower-layer-down.
func (s *survey) port(own End, p *Port) PortState {
	peer, cabled := s.cables[own]
	st := PortState{Peer: peer, Transceiver: cabled, Light: cabled && !s.dark[own] && s.shines(peer)}
	switch {
	case !p.Enabled:
		st.Reason = "port-admin-disabled"
	case !cabled:
		st.Reason = "transceiver-oper-down"
	case !st.Light || !s.fits(p, peer):
		st.Reason = "lower-layer-down"
	default:
		st.Up = true
	}
	return st
}

// shines tells whether something at an end has its laser on.
func (s *survey) shines(e End) bool {
	p := s.portAt(e)
	return s.hosts[e.Device] != nil || p != nil && p.Enabled
}

// fits tells whether a port and what it is plugged into have one speed. Hosts follow the router.
func (s *survey) fits(p *Port, peer End) bool {
	far := s.portAt(peer)
	return far == nil || far.Speed == p.Speed || far.Speed == "" || p.Speed == ""
}

// portAt returns the port of a router that is on, or nil.
func (s *survey) portAt(e End) *Port {
	if r := s.sites[e.Device]; r != nil {
		return r.ports[e.Port]
	}
	return nil
}
