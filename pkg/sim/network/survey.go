package network

import (
	"maps"
	"slices"
	"strings"
)

// Survey finds out what comes up when these routers are plugged together like that. It costs time in
// proportion to ports, subinterfaces and neighbors; only IS-IS costs more, as each router has a route to
// each prefix.
//
// Routers that are switched off are not in the plant, and their far ends see no light. So it is with a
// cable that ends at a device or port which is not there.
//
// Everything comes up at once: there are no hold timers and no handshakes in between. Links join two
// routers, or a router and a host; what would pass through the bridge of a third router is not followed.
// BFD over several hops is not simulated, nor are routes of IS-IS from one level in the other.
func Survey(routers map[string]*Router, w *Wiring, o Outages) *Plant {
	s := newSurvey(routers, w, o)
	s.each(s.ports)
	s.bundles()
	s.each(s.subinterfaces)
	s.each(s.join)
	s.each(s.lldp)
	s.each(s.neighbors)
	s.isis()
	s.each(s.tunnels)
	s.each(s.bfd)
	s.each(s.bfdUp)
	s.hear()
	return s.plant
}

// survey is a Plant in the making.
type survey struct {
	plant  *Plant
	sites  map[string]*site // routers that are on
	hosts  map[string]*Host // that are on
	cables map[End]End      // the other end of a cable, both ways
	dark   map[End]bool     // ends that get no light, whatever the far end does
	bonded map[End]*member  // members of bundles
}

// site is one router with what it has by name.
type site struct {
	*Router
	links     *Links
	ports     map[string]*Port
	subs      map[string]*Subinterface
	lags      map[string]*bundle
	carriers  map[carrier]*Subinterface  // that take the frames with one tag, or without
	greedy    map[string][]*Subinterface // that take several tags, by parent
	instances map[string]*Instance       // of a subinterface; for an IRB the one that routes
	bridges   map[string]*Instance       // MAC-VRF of an IRB
}

func newSurvey(routers map[string]*Router, w *Wiring, o Outages) *survey {
	s := &survey{
		plant: &Plant{Routers: map[string]*Router{}, Wiring: w, Links: map[string]*Links{}, far: map[End]End{}},
		sites: map[string]*site{}, hosts: map[string]*Host{},
		cables: make(map[End]End, 2*len(w.Cables)), dark: map[End]bool{}, bonded: map[End]*member{},
	}
	for _, name := range slices.Sorted(maps.Keys(routers)) {
		if !o.Devices[name] {
			s.enter(name, routers[name])
		}
	}
	for i := range w.Hosts {
		if h := &w.Hosts[i]; !o.Devices[h.Name] {
			s.hosts[h.Name] = h
		}
	}
	for _, c := range w.Cables {
		s.plug(c, o)
	}
	return s
}

// each does the same for all routers, in the order of their names.
func (s *survey) each(do func(*site)) {
	for _, name := range s.plant.Names {
		do(s.sites[name])
	}
}

// enter takes up a router that is on.
func (s *survey) enter(name string, r *Router) {
	t := &site{
		Router: r, links: &Links{Neighbors: map[string][]Neighbor{}},
		ports: make(map[string]*Port, len(r.Ports)), subs: make(map[string]*Subinterface, len(r.Subinterfaces)),
		lags: map[string]*bundle{}, carriers: make(map[carrier]*Subinterface, len(r.Subinterfaces)),
		greedy: map[string][]*Subinterface{}, instances: map[string]*Instance{}, bridges: map[string]*Instance{},
	}
	for i := range r.Ports {
		t.ports[r.Ports[i].Name] = &r.Ports[i]
	}
	for i := range r.Subinterfaces {
		sub := &r.Subinterfaces[i]
		t.subs[sub.Name] = sub
		t.carry(sub)
	}
	for i := range r.Instances {
		t.attach(&r.Instances[i])
	}
	s.sites[name] = t
	s.plant.Routers[name], s.plant.Links[name] = r, t.links
	s.plant.Names = append(s.plant.Names, name)
}

// plug takes up a cable.
func (s *survey) plug(c Cable, o Outages) {
	s.cables[c.A], s.cables[c.B] = c.B, c.A
	if o.dead(c.A) || o.dead(c.B) || len(o.Cables) > 0 && o.Cables[c.String()] {
		s.dark[c.A], s.dark[c.B] = true, true
	}
}

// dead tells whether a port has no laser that works: that of a channel such as ethernet-1/3/1 is in ethernet-1/3.
func (o *Outages) dead(e End) bool {
	if len(o.Ports) == 0 || o.Ports[e] {
		return o.Ports[e]
	}
	cage := strings.LastIndexByte(e.Port, '/')
	return cage > 0 && o.Ports[End{e.Device, e.Port[:cage]}]
}
