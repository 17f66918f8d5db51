package network

// carrier is a kind of frame on a port or LAG: with one VLAN tag, or without any (0).
type carrier struct {
	parent string
	tag    uint16
}

// carry notes which frames a subinterface takes. An untagged port has one subinterface, which gets tagged
// frames too; a routed one can do nothing with them.
func (r *site) carry(sub *Subinterface) {
	switch {
	case sub.Kind != Routed && sub.Kind != Bridged:
		return
	case sub.VLAN.Low == sub.VLAN.High:
		r.carriers[carrier{sub.Parent, sub.VLAN.Low}] = sub
		if !sub.VLAN.Tagged && sub.Kind == Bridged {
			r.greedy[sub.Parent] = append(r.greedy[sub.Parent], sub)
		}
	default:
		r.greedy[sub.Parent] = append(r.greedy[sub.Parent], sub)
	}
}

// taker returns the subinterface that takes a frame with a tag, or nil; one for exactly this tag comes first.
func (r *site) taker(parent string, tag uint16) *Subinterface {
	if sub := r.carriers[carrier{parent, tag}]; sub != nil {
		return sub
	}
	for _, sub := range r.greedy[parent] {
		if v := sub.VLAN; !v.Tagged || v.Low <= tag && tag <= v.High {
			return sub
		}
	}
	return nil
}

// Far returns the routed subinterface at the other end of one: both are up, their ports or LAGs are
// cabled together, and they use the same VLAN.
func (p *Plant) Far(router, subinterface string) (farRouter, farSubinterface string, ok bool) {
	end, ok := p.far[End{router, subinterface}]
	return end.Device, end.Port, ok
}

// join finds the far ends of the subinterfaces of a router.
func (s *survey) join(r *site) {
	for i := range r.Subinterfaces {
		sub := &r.Subinterfaces[i]
		if sub.Kind != Routed || !r.links.Subs[sub.Name].Up {
			continue
		}
		if far, end := s.opposite(r, sub); far != nil {
			s.plant.far[End{r.Name, sub.Name}] = end
		}
	}
}

// opposite returns the subinterface at the other end of one, and its name.
func (s *survey) opposite(r *site, sub *Subinterface) (*Subinterface, End) {
	end := s.across(r, sub.Parent)
	t := s.sites[end.Device]
	if t == nil || s.across(t, end.Port) != (End{r.Name, sub.Parent}) {
		return nil, End{}
	}
	far := t.carriers[carrier{end.Port, sub.VLAN.Low}]
	if far == nil || far.Kind != Routed || !t.links.Subs[far.Name].Up {
		return nil, End{}
	}
	return far, End{t.Name, far.Name}
}

// across returns the port or LAG that frames from one come out at: for a LAG where its first working
// member leads. It is the zero End where the other end is no router.
func (s *survey) across(r *site, parent string) End {
	port := parent
	if b := r.lags[parent]; b != nil {
		port = b.working()
	}
	peer := r.links.Ports[port].Peer
	return s.entry(peer)
}

// working returns the first port that works; "" where none does.
func (b *bundle) working() string {
	for _, m := range b.members {
		if m.works() {
			return m.port
		}
	}
	return ""
}

// entry returns the port or LAG that frames enter a router by from a cable. A port that is down takes
// none, nor does a member that does not work.
func (s *survey) entry(e End) End {
	r, p := s.sites[e.Device], s.portAt(e)
	switch {
	case p == nil || !r.links.Ports[e.Port].Up:
		return End{}
	case r.lags[p.LAG] == nil:
		return e
	case !s.bonded[e].works():
		return End{}
	}
	return End{r.Name, p.LAG}
}
