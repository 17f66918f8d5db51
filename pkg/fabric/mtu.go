package fabric

import (
	"fmt"
	"slices"
)

const (
	vxlanOverhead = 50   // outer IPv4, UDP and VXLAN headers and the inner ethernet header (RFC 7348 §5)
	gatewayMTU    = 1500 // IP MTU of a gateway that the intent leaves to the device, and of servers on a segment without one
)

// hop is a part of the way that a tenant's packets take, where all links have one MTU.
type hop struct {
	name string // "at site bj"
	mtu  uint32 // of IP, in bytes
	most uint32 // that its routers do
	ref  Ref    // where the MTU is given
}

// checkSegmentMTU reports segments whose packets would not fit through some hop with what they are wrapped into there: a VTEP
// does not fragment. Routed ones get wherever their tenant is.
func (d *draft) checkSegmentMTU(s *segment) {
	if len(s.sites) == 0 || len(s.sites) == 1 && len(s.gateway) == 0 && s.in.GetMtu() == 0 {
		return
	}
	mtu := explicit(s.in.GetMtu(), gatewayMTU)
	for _, h := range d.hops(s) {
		if mtu+vxlanOverhead > h.mtu && h.mtu >= leastMTU {
			fix := fmt.Sprintf("use at most %d", h.mtu-vxlanOverhead)
			if mtu+vxlanOverhead <= h.most {
				fix += fmt.Sprintf(", or an underlay mtu of %d", mtu+vxlanOverhead)
			}
			d.report.fail(s.ref+"#mtu", fmt.Sprintf("segment %s: mtu %d and %d of VXLAN do not fit the underlay's %d %s", s.key, mtu, vxlanOverhead, h.mtu, h.name),
				fix, note{h.ref, "the underlay's"})
			return
		}
	}
}

// hops are where the packets of a segment get as VXLAN: the links of all sites that it reaches, and where leaves send to leaves
// of other sites, the links of gateways between them and of the sites on the way.
func (d *draft) hops(s *segment) []hop {
	reached := slices.Clone(s.sites)
	if len(s.gateway) > 0 {
		reached = union(reached, s.tenant.sites)
	}
	var out []hop
	for _, at := range reached {
		out = append(out, at.hop("at site "+at.in.GetName()))
	}
	if w := reached[0].wan; len(reached) > 1 && w != nil && w.service == LeafToLeaf {
		for _, x := range w.dcis {
			out = append(out, x.a.hop("on the channels of "+x.in.GetName()), x.b.hop("on the channels of "+x.in.GetName()))
		}
	}
	return out
}

// hop is the links of a site, those of its gateways to other sites among them.
func (s *site) hop(name string) hop {
	out := hop{name: name, mtu: mtu(s), ref: s.ref + "/underlay#mtu"}
	if tight := s.tightest(); tight != nil {
		out.most = mostMTU(tight.platform)
	}
	return out
}

// union adds what is missing.
func union(a, b []*site) []*site {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
