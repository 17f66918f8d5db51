package network

import (
	"bytes"
	"cmp"
	"slices"
)

// hear finds out which hosts routers hear: the frames of a host arrive on the subinterface that takes their
// VLAN, on every port that the host sends on. That both routers of an ethernet segment hear a bonded host
// is what its flows, spread over all links, come to (RFC 7432 §5).
func (s *survey) hear() {
	for i := range s.plant.Wiring.Hosts {
		h := &s.plant.Wiring.Hosts[i]
		heard := map[End]bool{}
		for _, nic := range s.sends(h) {
			if at := s.entry(s.cables[End{h.Name, nic}]); at != (End{}) && !heard[at] {
				heard[at] = true
				s.sites[at.Device].listen(h, at.Port)
			}
		}
	}
	s.each(func(r *site) { slices.SortStableFunc(r.links.Hosts, bySubAndMAC) })
}

func bySubAndMAC(a, b HostSeen) int {
	return cmp.Or(cmp.Compare(a.Subinterface, b.Subinterface), bytes.Compare(a.MAC[:], b.MAC[:]))
}

// sends returns the NICs that a host sends on: all that work in its bond, or else the first that has a
// link. A host with several NICs and no LACP keeps the others as a reserve.
func (s *survey) sends(h *Host) []string {
	var bonded, linked []string
	for _, nic := range h.NICs {
		if m := s.bonded[End{h.Name, nic}]; m != nil && m.works() {
			bonded = append(bonded, nic)
		}
		if s.linked(End{h.Name, nic}) {
			linked = append(linked, nic)
		}
	}
	if len(bonded) > 0 || len(linked) == 0 {
		return bonded
	}
	return linked[:1]
}

// listen notes the addresses of a host whose frames enter by a port or LAG.
func (r *site) listen(h *Host, parent string) {
	for _, a := range h.Addresses {
		sub := r.taker(parent, a.VLAN)
		if sub == nil || !r.links.Subs[sub.Name].Up {
			continue
		}
		seen := HostSeen{Subinterface: sub.Name, Instance: r.links.Subs[sub.Name].Instance, MAC: a.MAC, Host: h.Name}
		if sub.strips(a.VLAN) {
			seen.IPs = a.IPs
		}
		r.links.Hosts = append(r.links.Hosts, seen)
	}
}

// strips tells whether frames lose their tag, if any, when they enter: that of a range stays, and so does one on
// an untagged port (description of /interface/subinterface/vlan/encap/single-tagged-range).
func (s *Subinterface) strips(tag uint16) bool {
	return s.VLAN.Low == s.VLAN.High && s.VLAN.Low == tag
}
