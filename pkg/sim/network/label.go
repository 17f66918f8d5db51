package network

import (
	"cmp"
	"net/netip"
	"slices"
)

// implicitNull asks for the label to be taken off by the last router but one (RFC 3032 §2.1).
const implicitNull = 3

// indices returns the prefix that the index of each node stands for: the first IPv4 address of a loopback.
func indices(nodes []*isisNode) map[*isisNode]netip.Prefix {
	out := map[*isisNode]netip.Prefix{}
	for _, n := range nodes {
		if prefix := n.loopback(); n.Size > 0 && prefix.IsValid() {
			out[n] = prefix
		}
	}
	return out
}

func (n *isisNode) loopback() netip.Prefix {
	for _, c := range n.circuits {
		for _, a := range c.sub.Addresses {
			if c.sub.Kind == Loopback && a.Prefix.Addr().Is4() && a.Prefix.IsSingleIP() {
				return a.Prefix
			}
		}
	}
	return netip.Prefix{}
}

// labels returns what a router does with packets for a route that come with a label: one entry for each
// next hop that understands labels. A label is the start of a router's block and the index of the node that
// the route leads to (RFC 8660 §2.4); of two nodes with one index the lower prefix has it (§2.5).
func (n *isisNode) labels(r *reached, sids map[*isisNode]netip.Prefix, taken map[uint32]bool) []Label {
	in, ok := n.label(r.owner.Index)
	if sids[r.owner] != r.Prefix || !ok || taken[in] {
		return nil
	}
	taken[in] = true
	var out []Label
	for _, hop := range r.NextHops {
		if label, ok := n.byName[hop.Subinterface].far.node.out(r.owner); ok {
			out = append(out, Label{Instance: n.instance, In: in, Out: label, Prefix: r.Prefix, Via: hop})
		}
	}
	return out
}

// label returns the label of a node's own block for an index.
func (n *isisNode) label(index uint32) (uint32, bool) { return n.Base + index, index < n.Size }

// out returns the label that a next hop wants to see on packets for a node: none where it is that node.
func (n *isisNode) out(owner *isisNode) (uint32, bool) {
	if n == owner {
		return implicitNull, true
	}
	return n.label(owner.Index)
}

// tunnels finds those of a router that has a service over MPLS.
func (s *survey) tunnels(r *site) {
	if !slices.ContainsFunc(r.Instances, overMPLS) {
		return
	}
	for _, route := range r.links.IGP {
		i := slices.IndexFunc(r.links.Labels, func(l Label) bool { return l.Instance == route.Instance && l.Prefix == route.Prefix })
		if i >= 0 && s.switched(r.links.Labels[i]) {
			l := &r.links.Labels[i]
			r.links.Tunnels = append(r.links.Tunnels, Tunnel{Instance: l.Instance, Prefix: l.Prefix, Metric: route.Metric, Label: l.Out, Via: l.Via})
		}
	}
	slices.SortStableFunc(r.links.Tunnels, func(a, b Tunnel) int { return a.Prefix.Compare(b.Prefix) })
}

func overMPLS(in Instance) bool {
	return in.MPLS != nil || in.Interconnect != nil && in.Interconnect.MPLS != nil
}

// switched returns whether a packet with a label comes to the node that it is for: every router on the way has an entry for
// what the one before it puts on (RFC 8660 §2.7).
func (s *survey) switched(l Label) bool {
	for range farthest {
		if l.Out == implicitNull {
			return true
		}
		there := s.sites[l.Via.Router].links.Labels
		i := slices.IndexFunc(there, func(next Label) bool { return next.In == l.Out })
		if i < 0 {
			return false
		}
		l = there[i]
	}
	return false
}

func byIn(a, b Label) int { return cmp.Compare(a.In, b.In) }
