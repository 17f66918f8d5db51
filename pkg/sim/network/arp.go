package network

import (
	"cmp"
	"net/netip"
	"slices"
)

// learned is an ARP or ND entry for a host on one of the router's own ports.
type learned struct {
	L3Neighbor
	host *HostSeen
}

// learn returns the entries that a subinterface has for hosts it hears. A simulated host says who it is
// without being asked, and nothing else: only a subinterface that learns from such
// (arp/learn-unsolicited, neighbor-discovery/learn-unsolicited) has an entry.
func learn(sub *Subinterface, hosts []*HostSeen) []learned {
	if !sub.Learn {
		return nil
	}
	var all []learned
	known := map[netip.Addr]bool{}
	for _, h := range hosts {
		for _, ip := range h.IPs {
			a := ip.Addr()
			if onSubnet(sub, a) && !known[a] {
				known[a] = true
				all = append(all, learned{L3Neighbor{Subinterface: sub.Name, IP: a, MAC: h.MAC, Type: "dynamic"}, h})
			}
		}
	}
	return all
}

// heard returns the entries of one subinterface of a routing instance: an IRB hears the hosts of its
// MAC-VRF.
func (d *domain) heard(sub *Subinterface) []learned {
	if sub.Kind == IRB {
		if b := d.bridges[sub]; b != nil {
			return learn(sub, b.hosts)
		}
		return nil
	}
	var hosts []*HostSeen
	for _, h := range d.hosts {
		if h.Subinterface == sub.Name {
			hosts = append(hosts, h)
		}
	}
	return learn(sub, hosts)
}

// observeNeighbors shows hosts by what they have said and by what other routers announce, and the routers
// that BGP talks to.
func (o *observer) observeNeighbors() {
	for _, d := range o.domains {
		if d.Kind == MACVRF {
			continue
		}
		peers := peersOf(o.links.Neighbors[d.Name])
		for _, sub := range d.subs {
			o.state.Neighbors = slices.Concat(o.state.Neighbors, o.hostsOn(d, sub), o.routersOn(sub, peers))
		}
	}
	slices.SortFunc(o.state.Neighbors, func(a, b L3Neighbor) int {
		return cmp.Or(cmp.Compare(a.Subinterface, b.Subinterface), a.IP.Compare(b.IP))
	})
}

func (o *observer) hostsOn(d *domain, sub *Subinterface) []L3Neighbor {
	var all []L3Neighbor
	own := d.heard(sub)
	for _, l := range own {
		all = append(all, l.L3Neighbor)
	}
	if b := d.bridges[sub]; b != nil {
		all = append(all, announced(sub, b.paths(), own)...)
	}
	return all
}

func peersOf(neighbors []Neighbor) map[netip.Addr]bool {
	peers := map[netip.Addr]bool{}
	for i := range neighbors {
		if neighbors[i].Enabled {
			peers[neighbors[i].Peer] = true
		}
	}
	return peers
}

// routersOn is the router at the other end of a link, by the addresses that the own BGP calls it by:
// nothing else makes one router ask for another.
func (o *observer) routersOn(sub *Subinterface, peers map[netip.Addr]bool) []L3Neighbor {
	router, name, ok := o.plant.Far(o.router.Name, sub.Name)
	if !ok {
		return nil
	}
	var all []L3Neighbor
	for _, far := range o.plant.Routers[router].Subinterfaces {
		if far.Name != name {
			continue
		}
		entry := L3Neighbor{Subinterface: sub.Name, MAC: far.MAC, Type: "dynamic"}
		for _, a := range far.Addresses {
			if entry.IP = a.Prefix.Addr(); peers[entry.IP] && onSubnet(sub, entry.IP) {
				all = append(all, entry)
			}
		}
		if entry.IP = far.LinkLocal; entry.IP.IsValid() && sub.LinkLocal.IsValid() && peers[entry.IP.WithZone(sub.Name)] {
			all = append(all, entry)
		}
	}
	return all
}

// announced returns the entries that MAC/IP routes of others give to an IRB (RFC 7432 §10). What the
// router has heard itself is left out.
func announced(irb *Subinterface, paths []*Path, own []learned) []L3Neighbor {
	best := map[netip.Addr]*Path{}
	for _, p := range paths {
		if a := p.Prefix.Addr(); p.Type == MACIP && onSubnet(irb, a) && (best[a] == nil || outranks(p, best[a])) {
			best[a] = p
		}
	}
	for _, l := range own {
		delete(best, l.IP)
	}
	var all []L3Neighbor
	for a, p := range best {
		all = append(all, L3Neighbor{Subinterface: irb.Name, IP: a, MAC: p.MAC, Type: "evpn"})
	}
	return all
}
