package network

import (
	"container/heap"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"slices"
)

// maxHops is the largest ECMP of IS-IS (/network-instance/protocols/isis/instance/max-ecmp-paths).
const maxHops = 64

// unreached is the distance of a node that no path leads to.
const unreached = math.MaxUint32

// route gives every node its routes and labels. Level 1 routes are preferred to level 2 ones (RFC 5302
// §3.2). Routes do not leak from one level into the other, and no default route leads to the nearest
// router of level 2.
func route(nodes []*isisNode) {
	if len(nodes) == 0 {
		return
	}
	sids := indices(nodes)
	one, two := newSPF(nodes, 1), newSPF(nodes, 2)
	for i, n := range nodes {
		routes := append(one.from(i), two.from(i)...)
		slices.SortStableFunc(routes, byPrefix)
		routes = slices.CompactFunc(routes, func(a, b reached) bool { return a.Prefix == b.Prefix })
		n.install(routes, sids)
	}
}

// reached is a route and the node that it leads to.
type reached struct {
	IGPRoute
	owner *isisNode
}

func byPrefix(a, b reached) int { return a.Prefix.Compare(b.Prefix) }

// install writes down the routes and labels of a node.
func (n *isisNode) install(routes []reached, sids map[*isisNode]netip.Prefix) {
	links := n.site.links
	links.IGP = slices.Grow(links.IGP, len(routes))
	taken := map[uint32]bool{}
	for i := range routes {
		links.IGP = append(links.IGP, routes[i].IGPRoute)
		links.Labels = append(links.Labels, n.labels(&routes[i], sids, taken)...)
	}
	slices.SortStableFunc(links.Labels, byIn)
}

// spf finds shortest paths in one level.
type spf struct {
	level    int
	nodes    []*isisNode
	edges    [][]edge // by node
	prefixes []reachable

	// Of the tree that is being made; kept to be used again.
	dist  []uint32
	first []uint64 // sets of first edges, words for each node
	words int
	queue frontier
}

// edge is an adjacency from one node to another.
type edge struct {
	to     int
	metric uint32
	via    *circuit
}

// reachable is a prefix and who has it.
type reachable struct {
	prefix netip.Prefix
	at     []point
}

type point struct {
	node   int
	metric uint32
}

// highestMetric is that of a link which paths lead over still: one more takes it out (RFC 5305 §3).
const highestMetric = 1<<24 - 2

func newSPF(nodes []*isisNode, level int) *spf {
	p := &spf{level: level, nodes: nodes, edges: make([][]edge, len(nodes)), dist: make([]uint32, len(nodes))}
	place := make(map[*isisNode]int, len(nodes))
	for i, n := range nodes {
		place[n] = i
	}
	has := map[netip.Prefix][]point{}
	for i, n := range nodes {
		for _, c := range n.circuits {
			if c.adjacent(level) {
				metric := c.Metric
				if n.LastResort {
					metric = highestMetric
				}
				p.edges[i] = append(p.edges[i], edge{place[c.far.node], metric, c})
			}
			if c.runs(level) {
				c.tell(has, i)
			}
		}
	}
	for prefix, at := range has {
		p.prefixes = append(p.prefixes, reachable{prefix, at})
	}
	slices.SortFunc(p.prefixes, func(a, b reachable) int { return a.prefix.Compare(b.prefix) })
	return p
}

// tell announces the subnets of a circuit.
func (c *circuit) tell(has map[netip.Prefix][]point, node int) {
	if c.node.PassiveOnly && !c.Passive {
		return
	}
	for _, a := range c.sub.Addresses {
		if a.Prefix.Addr().Is6() && c.node.NoIPv6 {
			continue
		}
		prefix := a.Prefix.Masked()
		has[prefix] = append(has[prefix], point{node, c.Metric})
	}
}

// from returns the routes of a node to all prefixes but its own, sorted.
func (p *spf) from(node int) []reached {
	if len(p.edges[node]) == 0 {
		return nil
	}
	p.tree(node)
	hops := p.hops(node)
	out := make([]reached, 0, len(p.prefixes))
	for i := range p.prefixes {
		r := &p.prefixes[i]
		if metric, nearest := p.nearest(r, node); nearest >= 0 {
			if next := hops.to(r.prefix, p.union(r, metric)); len(next) > 0 {
				route := IGPRoute{Instance: p.nodes[node].instance, Prefix: r.prefix, Level: p.level, Metric: metric, NextHops: next}
				out = append(out, reached{route, p.nodes[nearest]})
			}
		}
	}
	return out
}

// tree finds the distance of all nodes from one, and by which first edges they are reached (Dijkstra; ISO
// 10589 annex C.2).
func (p *spf) tree(root int) {
	p.reset(root)
	for len(p.queue) > 0 {
		at := heap.Pop(&p.queue).(visit)
		if at.dist > p.dist[at.node] {
			continue // a shorter way was found since
		}
		if at.node != root && p.nodes[at.node].Overload {
			continue // its own prefixes are reached, and nothing behind it
		}
		for i, e := range p.edges[at.node] {
			p.relax(root, at.node, i, e)
		}
	}
}

func (p *spf) reset(root int) {
	p.words = (len(p.edges[root]) + 63) / 64
	p.first = slices.Grow(p.first[:0], p.words*len(p.nodes))[:p.words*len(p.nodes)] // cleared when reached
	for i := range p.dist {
		p.dist[i] = unreached
	}
	p.dist[root] = 0
	p.queue = append(p.queue[:0], visit{0, root})
}

// relax looks at the i-th edge of a node: it may be a shorter way to where it leads, or one as short.
func (p *spf) relax(root, node, i int, e edge) {
	dist := p.dist[node] + e.metric
	if dist > p.dist[e.to] {
		return
	}
	set := p.set(e.to)
	if dist < p.dist[e.to] {
		p.dist[e.to] = dist
		clear(set)
		heap.Push(&p.queue, visit{dist, e.to})
	}
	if node == root {
		set[i/64] |= 1 << (i % 64)
		return
	}
	for w, word := range p.set(node) {
		set[w] |= word
	}
}

// set returns the first edges towards a node.
func (p *spf) set(node int) []uint64 { return p.first[node*p.words : (node+1)*p.words] }

// nearest returns the least metric of a prefix and the first node that has it at that; -1 where it is the
// node's own or out of reach.
func (p *spf) nearest(r *reachable, own int) (uint32, int) {
	metric, nearest := uint32(unreached), -1
	for _, at := range r.at {
		if at.node == own {
			return 0, -1
		}
		if d := p.dist[at.node]; d != unreached && d+at.metric < metric {
			metric, nearest = d+at.metric, at.node
		}
	}
	return metric, nearest
}

// union returns the first edges towards all nodes that have a prefix at this metric.
func (p *spf) union(r *reachable, metric uint32) []uint64 {
	if len(r.at) == 1 {
		return p.set(r.at[0].node)
	}
	all := make([]uint64, p.words)
	for _, at := range r.at {
		if d := p.dist[at.node]; d != unreached && d+at.metric == metric {
			for w, word := range p.set(at.node) {
				all[w] |= word
			}
		}
	}
	return all
}

// nextHops turns sets of edges into next hops; equal sets become one slice.
type nextHops struct {
	v4, v6 []Hop // by edge; without an address where the family does not pass
	known  map[string][]Hop
	key    []byte
}

func (p *spf) hops(node int) *nextHops {
	h := &nextHops{known: map[string][]Hop{}}
	for _, e := range p.edges[node] {
		own, far := e.via, e.via.far
		hop := Hop{Subinterface: own.Name, Router: far.node.site.Name}
		hop.Addr = own.sub.sharing(far.sub)
		h.v4 = append(h.v4, hop)
		if hop.Addr = far.sub.LinkLocal; own.node.NoIPv6 || far.node.NoIPv6 {
			hop.Addr = netip.Addr{}
		}
		h.v6 = append(h.v6, hop)
	}
	return h
}

// to returns the next hops of a prefix by a set of edges, at most maxHops.
func (h *nextHops) to(prefix netip.Prefix, edges []uint64) []Hop {
	from := h.v6
	h.key = append(h.key[:0], 6)
	if prefix.Addr().Is4() {
		from, h.key[0] = h.v4, 4
	}
	for _, w := range edges {
		h.key = binary.LittleEndian.AppendUint64(h.key, w)
	}
	if out, ok := h.known[string(h.key)]; ok {
		return out
	}
	var out []Hop
	for i, w := range edges {
		for ; w != 0 && len(out) < maxHops; w &= w - 1 {
			if hop := from[i*64+bits.TrailingZeros64(w)]; hop.Addr.IsValid() {
				out = append(out, hop)
			}
		}
	}
	h.known[string(h.key)] = out
	return out
}

// visit is a node that waits for its turn, and frontier all of them, nearest first.
type visit struct {
	dist uint32
	node int
}

type frontier []visit

func (f frontier) Len() int           { return len(f) }
func (f frontier) Less(i, j int) bool { return f[i].dist < f[j].dist }
func (f frontier) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *frontier) Push(x any)        { *f = append(*f, x.(visit)) }
func (f *frontier) Pop() any {
	last := len(*f) - 1
	v := (*f)[last]
	*f = (*f)[:last]
	return v
}
