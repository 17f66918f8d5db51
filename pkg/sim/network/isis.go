package network

import (
	"net/netip"
	"slices"
	"strings"
)

// isisNode is the IS-IS instance of a network instance of a router.
type isisNode struct {
	*ISIS
	site         *site
	instance     string
	system, area string
	circuits     []*circuit // sorted by subinterface
	byName       map[string]*circuit
}

// circuit is an interface that runs IS-IS and is up.
type circuit struct {
	*ISISInterface
	node *isisNode
	sub  *Subinterface
	far  *circuit // nil: no IS-IS router there
}

// isis finds the adjacencies of all routers, and from them routes and labels.
func (s *survey) isis() {
	nodes := s.isisNodes()
	s.facing(nodes)
	for _, n := range nodes {
		for _, c := range n.circuits {
			n.site.links.ISIS = append(n.site.links.ISIS, c.adjacencies()...)
		}
	}
	route(nodes)
}

// isisNodes returns the IS-IS instances of all routers, sorted by router and network instance.
func (s *survey) isisNodes() []*isisNode {
	var nodes []*isisNode
	s.each(func(r *site) {
		for i := range r.Instances {
			in := &r.Instances[i]
			if in.ISIS == nil || !in.ISIS.Enabled {
				continue
			}
			if area, system, ok := parseNET(in.ISIS.NET); ok {
				n := &isisNode{ISIS: in.ISIS, site: r, instance: in.Name, area: area, system: system, byName: map[string]*circuit{}}
				n.start()
				nodes = append(nodes, n)
			}
		}
	})
	return nodes
}

// parseNET splits "49.0001.0100.0000.0001.00" into area and system id; the last octet selects the router
// itself (ISO 10589 §7.1.1).
func parseNET(net string) (area, system string, ok bool) {
	f := strings.Split(net, ".")
	if len(f) < 5 {
		return "", "", false
	}
	id := len(f) - 4
	return strings.Join(f[:id], "."), strings.Join(f[id:id+3], "."), true
}

// start notes the circuits of a node.
func (n *isisNode) start() {
	for i := range n.Interfaces {
		c := &circuit{ISISInterface: &n.Interfaces[i], node: n}
		c.sub = n.site.subs[c.Name]
		if st := n.site.links.Subs[c.Name]; c.Enabled && c.sub != nil && st.Up && st.Instance == n.instance {
			n.circuits = append(n.circuits, c)
			n.byName[c.Name] = c
		}
	}
}

// facing notes which circuits see each other's hellos. A passive one sends none and listens to none.
func (s *survey) facing(nodes []*isisNode) {
	active := map[End]*circuit{}
	for _, n := range nodes {
		for _, c := range n.circuits {
			if !c.Passive {
				active[End{n.site.Name, c.Name}] = c
			}
		}
	}
	for e, c := range active {
		c.far = active[s.plant.far[e]]
	}
}

// adjacencies returns one adjacency for each level that comes up, or else one with the reason why none does.
func (c *circuit) adjacencies() []Adjacency {
	if c.far == nil {
		return nil
	}
	a := Adjacency{Instance: c.node.instance, Subinterface: c.Name, System: c.far.node.system, Addr: c.sub.sharing(c.far.sub), Peer: c.far.node.site.System}
	var out []Adjacency
	for level := 1; level <= 2; level++ {
		if c.adjacent(level) {
			a.Up, a.Level = true, level
			out = append(out, a)
		}
	}
	if out == nil {
		a.Reason, a.Level = c.refuses(), c.lowest()
		out = append(out, a)
	}
	return out
}

// adjacent tells whether two routers are neighbors at a level: at level 1 in one area only (ISO 10589 §8.2.4).
func (c *circuit) adjacent(level int) bool {
	return c.far != nil && c.runs(level) && c.far.runs(level) && c.agrees() == "" && (level == 2 || c.node.area == c.far.node.area)
}

// runs tells whether a circuit does a level; its instance has to do it too.
func (c *circuit) runs(level int) bool {
	if level == 1 {
		return c.Level1 && c.node.Level1
	}
	return c.Level2 && c.node.Level2
}

func (c *circuit) lowest() int {
	if c.runs(1) {
		return 1
	}
	return 2
}

// refuses words why no level comes up as isis-adjacency-down-reason of srl_nokia-isis-types.yang does.
func (c *circuit) refuses() string {
	reason := c.agrees()
	switch {
	case reason != "":
		return reason
	case c.runs(1) && c.far.runs(1):
		return "area-mismatch"
	}
	return "level-mismatch"
}

// agrees returns what stands against an adjacency at any level, "" where nothing does. Hellos that are padded
// to a larger MTU than the other end takes never arrive (ISO 10589 §8.2.3), so that the handshake does not end.
func (c *circuit) agrees() string {
	f := c.far
	switch {
	case c.Key != f.Key, c.PointToPoint != f.PointToPoint, c.node.system == f.node.system:
		return "bad-hello"
	case c.sub.IPMTU != f.sub.IPMTU:
		return "3-way-handshake-failed"
	case c.sub.apart(f.sub):
		return "address-mismatch"
	}
	return ""
}

// apart tells whether both ends of a link have IPv4 addresses, but none in one subnet.
func (s *Subinterface) apart(far *Subinterface) bool {
	return s.numbered() && far.numbered() && !s.sharing(far).IsValid()
}

func (s *Subinterface) numbered() bool {
	return slices.ContainsFunc(s.Addresses, func(a Address) bool { return a.Prefix.Addr().Is4() })
}

// sharing returns the IPv4 address of the far end that is in a subnet of this one; invalid where none is.
func (s *Subinterface) sharing(far *Subinterface) netip.Addr {
	for _, a := range s.Addresses {
		for _, b := range far.Addresses {
			if a.Prefix.Addr().Is4() && a.Prefix.Masked() == b.Prefix.Masked() {
				return b.Prefix.Addr()
			}
		}
	}
	return netip.Addr{}
}
