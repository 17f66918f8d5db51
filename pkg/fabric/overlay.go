package fabric

import (
	"net/netip"
	"slices"

	"github.com/loomfabric/loom/models/intent"
)

// meet decides who has EVPN sessions with whom: in each site every leaf, and every gateway that stitches tenants, with every spine,
// and where leaves of two sites send to each other, every spine of one with every spine of the other. All leaves of a site share
// one list, all spines another.
func (d *draft) meet() {
	for _, s := range d.sites {
		s.leafSessions = s.sessions(s.spines)
		s.spineSessions = s.sessions(slices.Concat(s.leaves, s.stitchers()))
		for _, m := range s.mesh {
			for _, far := range s.sessions(m.site.spines) {
				far.Site, far.Ref = m.site.in.GetName(), m.ref
				s.spineSessions = append(s.spineSessions, far)
			}
		}
		slices.SortStableFunc(s.spineSessions, func(a, b OverlayNeighbor) int { return a.Addr.Compare(b.Addr) })
		if text := s.in.GetOverlay().GetClusterId(); text != "" {
			if id, err := netip.ParseAddr(text); err != nil || !id.Is4() {
				d.report.fail(s.ref+"/overlay#cluster-id", "cluster-id "+text+": not a dotted quad", "write it like 10.10.10.10")
			}
		}
	}
}

// sessions returns the sessions with the given devices, sorted by address.
func (s *site) sessions(with []*node) []OverlayNeighbor {
	list := make([]OverlayNeighbor, 0, len(with))
	for _, n := range with {
		far := OverlayNeighbor{Name: n.name(), Addr: n.loopback}
		if !s.ibgp() {
			far.ASN = n.asn
		}
		list = append(list, far)
	}
	slices.SortStableFunc(list, func(a, b OverlayNeighbor) int { return a.Addr.Compare(b.Addr) })
	return list
}

func (s *site) ibgp() bool { return s.in.GetOverlay().GetRouting() != intent.Routing_ROUTING_EBGP }

// sessions returns the sessions of a device.
func (n *node) sessions() []OverlayNeighbor {
	switch n.role {
	case Spine:
		return n.site.spineSessions
	case Leaf:
		return n.site.leafSessions
	}
	if n.stitches() {
		return n.site.leafSessions
	}
	return nil
}

// overlay returns a device's part of the overlay.
func (d *draft) overlay(n *node) Overlay {
	if n.role == Gateway && !n.stitches() {
		return Overlay{} // routes between sites, and no services
	}
	o := Overlay{IBGP: n.site.ibgp(), AS: d.in.GetOverlayAs(), Neighbors: n.sessions(), Ref: n.site.ref + "/overlay"}
	if n.role == Spine {
		o.Reflector, o.ClusterID = true, n.clusterID()
	}
	return o
}

// clusterID returns the cluster id of a reflector. Without one of its own choosing each reflector is a
// cluster by itself, so that a leaf that lost one session still hears every route from the others
// (RFC 4456 §7).
func (n *node) clusterID() netip.Addr {
	if !n.site.ibgp() {
		return netip.Addr{}
	}
	if id, err := netip.ParseAddr(n.site.in.GetOverlay().GetClusterId()); err == nil {
		return id
	}
	return n.loopback
}

// underlay returns a device's part of the underlay.
func (n *node) underlay() Underlay {
	in := n.site.in.GetUnderlay()
	u := Underlay{
		Unnumbered: n.site.unnumbered, MTU: in.GetMtu(), MaxPaths: n.site.maxPaths(),
		BFD:       n.bfd(),
		Advertise: n.site.advertise, Ref: n.site.ref + "/underlay",
	}
	if n.role == Gateway {
		u.Abroad = n.site.abroad
	}
	return u
}

// watches are the timers of a link: those of the own site, where the far end has BFD on as well.
func (n *node) watches(far *node) BFD {
	if far.bfd() == (BFD{}) {
		return BFD{}
	}
	return n.bfd()
}

// bfd are the timers of the links of its site.
func (n *node) bfd() BFD {
	in := n.site.in.GetUnderlay().GetBfd()
	return BFD{Multiplier: in.GetMultiplier(), Interval: in.GetIntervalMs() * 1000}
}

func (s *site) maxPaths() uint32 { return max(1, s.in.GetUnderlay().GetMaxPaths()) }
