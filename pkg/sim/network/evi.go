package network

import (
	"net/netip"
	"slices"
)

// evi is one EVPN instance of a network instance, and what carries it. A network instance has one towards its own domain,
// and may have another one towards the others (Interconnect).
type evi struct {
	*EVPN          // nil: none
	vxlan   *VXLAN // nil: none
	mpls    *MPLS  // nil: none; matters where there is no VXLAN
	of      *Instance
	chassis MAC
	oper    Oper
	paths   []*Path // of others, that it imports
}

func (s *pe) nearOf(i *Instance) *evi {
	return &evi{EVPN: i.EVPN, vxlan: i.VXLAN, mpls: i.MPLS, of: i, chassis: s.router.Chassis}
}

// farOf is nil where there is no second instance.
func (s *pe) farOf(i *Instance) *evi {
	if x := i.Interconnect; x != nil && x.EVPN != nil {
		return &evi{EVPN: x.EVPN, vxlan: x.VXLAN, mpls: x.MPLS, of: i, chassis: s.router.Chassis}
	}
	return nil
}

// evis are all EVPN instances of a network instance that are up.
func (d *domain) evis() []*evi {
	var up []*evi
	for _, side := range []*evi{d.near, d.far} {
		if side != nil && side.oper.Up {
			up = append(up, side)
		}
	}
	return up
}

// paths are what all sides import.
func (d *domain) paths() []*Path {
	if d.far == nil {
		return d.near.paths
	}
	return slices.Concat(d.near.paths, d.far.paths)
}

// source is where tunnels of others end; invalid: nowhere.
func (e *evi) source() netip.Addr {
	switch {
	case e.vxlan != nil:
		return e.vxlan.Source
	case e.mpls != nil:
		return e.mpls.Source
	}
	return netip.Addr{}
}

func (e *evi) encap() Encapsulation {
	if e.vxlan != nil {
		return OverVXLAN
	}
	return OverMPLS
}

// label is what others put on packets for the instance.
func (e *evi) label() uint32 {
	if e.vxlan != nil {
		return e.vxlan.VNI
	}
	return e.mpls.Label
}

// route starts a route of an EVPN instance.
func (e *evi) route(n NLRI) Route {
	n.Family, n.RD = L2EVPN, e.RD
	return Route{NLRI: n, Instance: e.of.Name, Protocol: "bgp-evpn", NextHop: e.source(), VNI: e.label(), Targets: e.Export, Encap: e.encap()}
}

// prefix starts a type 5 route without a gateway address: interface-less (RFC 9136 §4.4.1). Packets that come over VXLAN
// have an ethernet header inside, for the router's MAC address.
func (e *evi) prefix(p netip.Prefix) Route {
	r := e.route(NLRI{Type: IPPrefix, Prefix: p})
	if e.vxlan != nil {
		r.RouterMAC = e.chassis
	}
	return r
}

// eviState words a reason as /network-instance/protocols/bgp-evpn/bgp-instance/oper-down-reason does.
func (s *pe) eviState(d *domain, e *evi) Oper {
	switch {
	case e.EVPN == nil:
		return Oper{}
	case !e.Enabled:
		return Oper{Reason: "admin-disabled"}
	case !d.Enabled:
		return Oper{Reason: "network-instance-oper-down"}
	case e.EVI == 0:
		return Oper{Reason: "no-evi"}
	case e.vxlan == nil && e.mpls == nil:
		return Oper{Reason: "no-vxlan-interface"}
	case e.vxlan != nil && !e.vxlan.Source.IsValid():
		return Oper{Reason: "vxlan_interface_no_source_ip_address"}
	case !s.ends[e.source()]:
		return Oper{Reason: "no-nexthop-address"}
	case e.RD == "" || len(e.Import) == 0 || len(e.Export) == 0:
		return Oper{Reason: "bgp-vpn-instance-oper-down"}
	case s.twiceOnSegment(d):
		return Oper{Reason: "ethernet-segment-multiple-subinterfaces"}
	}
	return Oper{Up: true}
}

// destination is the tunnel that a path leads into.
func destination(p *Path) Destination {
	if p.Encap == OverMPLS {
		return Destination{VTEP: p.NextHop, Label: p.VNI}
	}
	return Destination{VTEP: p.NextHop, VNI: p.VNI}
}

// ends are where the paths of an EVPN instance lead.
func (e *evi) ends() map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	for _, p := range e.paths {
		all[p.NextHop] = true
	}
	return all
}

// takes returns whether a path is of use to a side: it is sent to as the side sends, and has not come through one of the
// domains of the instance before (draft-ietf-bess-evpn-ipvpn-interworking §4.2).
func (d *domain) takes(e *evi, p *Path) bool {
	return p.Encap == e.encap() && !slices.ContainsFunc(d.evis(), func(own *evi) bool {
		return own.Domain != "" && slices.Contains(p.Domains, own.Domain)
	})
}

// encapsulated returns a path with the encapsulation that packets are sent in: without a community, what the session stands
// for, and that is MPLS unless it says otherwise (RFC 8365 §5.1.3).
func encapsulated(p *Path, sessions []Session) *Path {
	if p.Encap != Unsaid {
		return p
	}
	r, q := *p.Route, *p
	r.Encap = OverMPLS
	if p.From >= 0 && p.From < len(sessions) && sessions[p.From].Assumes != Unsaid {
		r.Encap = sessions[p.From].Assumes
	}
	q.Route = &r
	return &q
}
