package network

// lldp finds out whom the ports of a router see. LLDP runs below link aggregation, so that members see
// their neighbors too. A port without LLDP neither sends nor shows anything; hosts always send.
func (s *survey) lldp(r *site) {
	for i := range r.Ports {
		p := &r.Ports[i]
		if st := r.links.Ports[p.Name]; st.Up && p.LLDP {
			if n, ok := s.tells(st.Peer); ok {
				n.Port = p.Name
				r.links.LLDP = append(r.links.LLDP, n)
			}
		}
	}
}

// tells returns what an end of a cable says of itself.
func (s *survey) tells(e End) (LLDPNeighbor, bool) {
	if h := s.hosts[e.Device]; h != nil {
		return LLDPNeighbor{Chassis: h.MAC, System: h.Name, Description: "simulated host", PeerPort: e.Port}, true
	}
	p := s.portAt(e)
	if p == nil || !p.LLDP {
		return LLDPNeighbor{}, false
	}
	return s.sites[e.Device].Says(p), true
}

// Says returns what a router tells of itself in LLDP at one of its ports.
func (r *Router) Says(p *Port) LLDPNeighbor {
	n := LLDPNeighbor{Chassis: r.Chassis, System: r.System, Description: r.Description, PeerPort: p.ID, PeerText: p.Text, Management: r.Management}
	if p.ID == "" {
		n.PeerPort = p.Name
	}
	if p.Nameless {
		n.System = ""
	}
	return n
}
