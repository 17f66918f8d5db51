package network

// Observe returns all that one router shows. It is about the settled network: timers, such as that before
// a designated forwarder becomes active, are over; no MAC address has moved before, so that none has a
// sequence number and none is a duplicate. BGP to customers in an IP-VRF is not there.
func Observe(p *Plant, r Routing, router string) *State {
	s := peOf(p, router)
	if s == nil {
		return &State{Links: &Links{}}
	}
	o := &observer{pe: s, routing: r, state: &State{Links: s.links, Sessions: r.Sessions(router), Paths: map[Family][]Path{}, Instances: map[string]InstanceState{}}}
	o.observeRouting()
	s.importPaths(o.state.Sessions, o.state.Paths[L2EVPN])
	o.observeBridges()
	o.observeInstances()
	o.observeTunnels()
	o.observeSegments()
	o.observeNeighbors()
	return o.state
}

// observer works out what a router shows.
type observer struct {
	*pe
	routing Routing
	bridges map[*domain]*bridge
	state   *State
}

func (o *observer) observeRouting() {
	name := o.router.Name
	for _, f := range []Family{IPv4, IPv6, L2EVPN} {
		o.state.Paths[f] = o.routing.Paths(name, f)
	}
	for i := range o.state.Sessions {
		counts := map[Family]Counts{}
		for _, f := range o.state.Sessions[i].Families {
			counts[f] = o.routing.Counts(name, i, f)
		}
		o.state.Counts = append(o.state.Counts, counts)
	}
}

func (o *observer) observeBridges() {
	o.bridges = map[*domain]*bridge{}
	for _, d := range o.domains {
		if d.Kind == MACVRF && d.Enabled {
			o.bridges[d] = o.bridgeOf(d)
		}
	}
}

func (o *observer) observeInstances() {
	for _, d := range o.domains {
		st := InstanceState{Oper: Oper{Up: d.Enabled}, EVPN: d.near.oper, VXLAN: o.vxlanState(d, d.VXLAN), Interconnect: o.interconnect(d)}
		switch b := o.bridges[d]; {
		case !d.Enabled:
			st.Reason = "admin-down" // /network-instance/oper-down-reason
		case b != nil:
			st.MACs = b.macs
		default:
			st.Routes = o.routeTable(d)
		}
		o.state.Instances[d.Name] = st
	}
}
