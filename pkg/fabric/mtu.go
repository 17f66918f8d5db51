package fabric

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	vxlanOverhead = 50   // outer IPv4, UDP and VXLAN headers and the inner ethernet header (RFC 7348 §5)
	mplsOverhead  = 22   // the inner ethernet header, a label for the way (RFC 8402) and one for the service (RFC 7432)
	tagLength     = 4    // IEEE 802.1Q
	gatewayMTU    = 1500 // IP MTU of a gateway that the intent leaves to the device, and of servers on a segment without one
)

// hop is a part of the way that a tenant's packets take, where all links have one MTU.
type hop struct {
	name string // "at site bj"
	adds uint32 // bytes of what the packets are wrapped into
	into string // "VXLAN"
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
	for _, h := range s.hops() {
		if mtu+h.adds > h.mtu && h.mtu >= leastMTU {
			fix := fmt.Sprintf("use at most %d", h.mtu-h.adds)
			if mtu+h.adds <= h.most {
				fix += fmt.Sprintf(", or an underlay mtu of %d", mtu+h.adds)
			}
			d.report.fail(s.ref+"#mtu", fmt.Sprintf("segment %s: mtu %d and %d of %s do not fit the underlay's %d %s", s.key, mtu, h.adds, h.into, h.mtu, h.name),
				fix, note{h.ref, "the underlay's"})
			return
		}
	}
}

// hops are where the packets of a segment get: as VXLAN the links of all sites that it reaches; and the links of gateways to other
// sites, with what the service wraps them into there.
func (s *segment) hops() []hop {
	reached := slices.Clone(s.sites)
	if len(s.gateway) > 0 {
		reached = union(reached, s.tenant.sites)
	}
	return way(reached)
}

// way is the hops between sites that are reached.
func way(reached []*site) []hop {
	var out []hop
	for _, at := range reached {
		out = append(out, at.hop("at site "+at.in.GetName()))
	}
	if w := reached[0].wan; len(reached) > 1 && w != nil {
		for _, x := range w.dcis {
			for _, at := range []*site{x.a, x.b} {
				h := at.hop("on the " + x.medium() + " of " + x.in.GetName())
				if w.service == VXLANMPLS {
					h.adds, h.into = mplsOverhead, "MPLS"
				}
				out = append(out, h)
			}
		}
	}
	return out
}

// narrowest is the hop that has room for the smallest packets of tenants.
func narrowest(way []hop) hop {
	return slices.MinFunc(way, func(a, b hop) int { return cmp.Compare(a.room(), b.room()) })
}

// room is how large packets of tenants may be, in bytes of IP. A label more, by which traffic gets around a cut, has room as
// well wherever there is VXLAN on the way: that adds more than all labels.
func (h *hop) room() uint32 { return h.mtu - min(h.mtu, h.adds) }

// frames is how large a stretched segment's frames may be in bytes, ethernet header and tags included, and what decides it. A
// segment with an mtu has it for packets in frames with one tag: leaves take theirs off, and customers may have one of their own.
// One without has all that the narrowest hop has room for, and cuts nobody off who has found out what passes.
func (s *segment) frames() (uint32, Ref) {
	tight := narrowest(s.hops())
	most := portMTU(tight.room())
	if m := s.in.GetMtu(); m != 0 && portMTU(m)+tagLength < most {
		return portMTU(m) + tagLength, s.ref + "#mtu"
	}
	return most, tight.ref
}

// hop is the links of a site, those of its gateways to other sites among them, with VXLAN on them.
func (s *site) hop(name string) hop {
	out := hop{name: name, adds: vxlanOverhead, into: "VXLAN", mtu: mtu(s), ref: s.ref + "/underlay#mtu"}
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
