package network

// bundle is one end of a link aggregation: a LAG of a router, or the NICs of a host with LACP.
type bundle struct {
	lacp     *LACP // nil: static
	enabled  bool
	mtu      uint32
	speed    string // of members; "": any
	minLinks int
	members  []*member
	short    bool // some of its members could work, but fewer than it wants: so none does
}

// member is one port of a bundle.
type member struct {
	port     string
	enabled  bool
	up       bool // its link
	misfit   bool // has another speed than the bundle wants
	bundle   *bundle
	far      *member // where its link leads; nil: not to a bundle, or down
	partner  *LACP   // that it hears; nil: none
	selected bool    // has the partner that the bundle has chosen
	held     bool    // worked until the bundle was short
}

// hostPriority is the LACP system priority and hostKey the key of simulated hosts: what bonding in
// Linux sends unless told otherwise, and one for all speeds.
const hostPriority, hostKey = 65535, 1

// bundles finds out which LAGs come up, and which of their members work.
func (s *survey) bundles() {
	var all []*bundle
	s.each(func(r *site) { all = append(all, s.lagsOf(r)...) })
	for _, h := range s.hosts {
		if h.LACP {
			all = append(all, s.bond(h))
		}
	}
	s.meet()
	for _, b := range all {
		b.choose()
	}
	settle(all)
	s.each(func(r *site) { r.showLAGs() })
}

// lagsOf returns the LAGs of a router with their members in the order of its ports.
func (s *survey) lagsOf(r *site) []*bundle {
	var all []*bundle
	for i := range r.LAGs {
		l := &r.LAGs[i]
		b := &bundle{lacp: l.LACP, enabled: l.Enabled, mtu: l.MTU, speed: l.Speed, minLinks: l.MinLinks}
		r.lags[l.Name] = b
		all = append(all, b)
	}
	for i := range r.Ports {
		p := &r.Ports[i]
		if b := r.lags[p.LAG]; b != nil {
			m := s.enlist(b, End{r.Name, p.Name}, p.Enabled, r.links.Ports[p.Name].Up)
			m.misfit = b.speed != "" && p.Speed != "" && b.speed != p.Speed
		}
	}
	return all
}

// bond returns the NICs of a host as a bundle.
func (s *survey) bond(h *Host) *bundle {
	b := &bundle{enabled: true, lacp: &LACP{Active: true, SystemID: h.MAC, SystemPriority: hostPriority, Key: hostKey}}
	for _, nic := range h.NICs {
		s.enlist(b, End{h.Name, nic}, true, s.linked(End{h.Name, nic}))
	}
	return b
}

// linked tells whether the NIC of a host has a link: the port of the router that it is plugged into is up.
func (s *survey) linked(nic End) bool {
	peer := s.cables[nic]
	r := s.sites[peer.Device]
	return r != nil && r.links.Ports[peer.Port].Up
}

func (s *survey) enlist(b *bundle, e End, enabled, up bool) *member {
	m := &member{port: e.Port, enabled: enabled, up: up, bundle: b}
	b.members = append(b.members, m)
	s.bonded[e] = m
	return m
}

// meet tells members who is at the other end of their links.
func (s *survey) meet() {
	for e, m := range s.bonded {
		if m.up && !m.misfit {
			m.far = s.bonded[s.cables[e]]
		}
		m.partner = m.hears()
	}
}

// hears returns what the far end says in LACP. Two passive ends say nothing (IEEE 802.1AX §6.4.1).
func (m *member) hears() *LACP {
	if m.far == nil || !m.bundle.enabled || !m.far.bundle.enabled {
		return nil
	}
	own, far := m.bundle.lacp, m.far.bundle.lacp
	if own == nil || far == nil || !own.Active && !far.Active {
		return nil
	}
	return far
}

// choose selects the members that can be one link: with LACP those that have the same system and key
// at their far ends as the first one that hears any (IEEE 802.1AX §6.3.6).
func (b *bundle) choose() {
	var first *LACP
	for _, m := range b.members {
		if first == nil {
			first = m.partner
		}
		m.selected = b.enabled && m.up && !m.misfit && (b.lacp == nil || m.partner != nil && m.partner.sameSystem(first))
	}
}

func (l *LACP) sameSystem(o *LACP) bool {
	return l.SystemID == o.SystemID && l.SystemPriority == o.SystemPriority && l.Key == o.Key
}

// synchronized is what a member tells its partner.
func (m *member) synchronized() bool { return m.selected && !m.bundle.short }

// works tells whether frames pass: with LACP once both ends agree that they should.
func (m *member) works() bool {
	return m.synchronized() && (m.bundle.lacp == nil || m.far.synchronized())
}

// settle takes bundles down that have too few links. As they tell so in LACP, their far ends may be next.
func settle(bundles []*bundle) {
	for len(bundles) > 0 {
		var falling, next []*bundle
		for _, b := range bundles {
			if n := b.count(); n > 0 && n < b.minLinks {
				falling = append(falling, b)
			}
		}
		for _, b := range falling {
			next = append(next, b.fall()...)
		}
		bundles = next
	}
}

// count returns how many members work, and remembers which; none does once a bundle is short.
func (b *bundle) count() int {
	if b.short {
		return 0
	}
	n := 0
	for _, m := range b.members {
		if m.held = m.works(); m.held {
			n++
		}
	}
	return n
}

// fall takes a bundle down and returns those at its far ends.
func (b *bundle) fall() []*bundle {
	b.short = true
	var far []*bundle
	for _, m := range b.members {
		if m.far != nil {
			far = append(far, m.far.bundle)
		}
	}
	return far
}

// showLAGs writes down what became of the LAGs of a router.
func (r *site) showLAGs() {
	r.links.LAGs = make(map[string]LAGState, len(r.lags))
	for name, b := range r.lags {
		st := LAGState{Oper: b.state()}
		for _, m := range b.members {
			st.Members = append(st.Members, m.state())
		}
		r.links.LAGs[name] = st
	}
}

// state words why a LAG is down as port-oper-down-reason of srl_nokia-interfaces.yang does.
func (b *bundle) state() Oper {
	switch {
	case !b.enabled:
		return Oper{Reason: "port-admin-disabled"}
	case b.short:
		return Oper{Reason: "min-link-threshold"}
	case b.working() == "":
		return Oper{Reason: "no-active-links"}
	}
	return Oper{Up: true}
}

func (m *member) state() Member {
	up := m.works()
	st := Member{Port: m.port, Oper: Oper{Up: up, Reason: m.reason()}, Collecting: up, Distributing: up}
	if m.partner != nil {
		st.Partner = *m.partner
		st.Synchronized = m.synchronized()
	}
	return st
}

// reason is worded as member-link-oper-down-reason of srl_nokia-interfaces-lag.yang.
func (m *member) reason() string {
	switch {
	case m.works():
		return ""
	case !m.enabled:
		return "port-disabled"
	case !m.up:
		return "port-oper-disabled"
	case !m.bundle.enabled:
		return "lag-admin-disabled"
	case m.misfit:
		return "lag-speed-mismatch"
	case m.held:
		return "lag-min-link-threshold"
	}
	return "lacp-down"
}
