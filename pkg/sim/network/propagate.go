package network

import (
	"net/netip"
	"slices"
	"unique"
)

// mostTurns is how often a router may change its mind about one route. Policies can be such that BGP never
// comes to an end (RFC 4264); the router is then left with what it had last.
const mostTurns = 100

// wave is one group of routes while it spreads.
type wave struct {
	*mesh
	group *group
	nodes map[int]*node // speakers that the routes have come to
	queue []int
}

// node is what one speaker has of the group.
type node struct {
	in     []best // usable ones by session, own first; sorted by from
	best   best
	has    bool
	queued bool
	turns  int
}

// propagate spreads a group from its origins, until nobody has anything new to tell. It does not go to where nothing
// goes on from: what these have follows from what their neighbors have.
func (m *mesh) propagate(g *group) map[int]*node {
	w := &wave{mesh: m, group: g, nodes: map[int]*node{}}
	for i, o := range g.origins {
		w.put(o.speaker, best{from: -1, origin: i, attrs: unique.Make(initial(g.sample(i)))})
	}
	for len(w.queue) > 0 {
		at := w.queue[0]
		w.queue = w.queue[1:]
		w.nodes[at].queued = false
		w.turn(at)
	}
	return w.nodes
}

// node returns that of a speaker.
func (w *wave) node(at int) *node {
	n := w.nodes[at]
	if n == nil {
		n = &node{}
		w.nodes[at] = n
	}
	return n
}

// put gives a speaker a path, instead of the one that it had from the same session.
func (w *wave) put(at int, b best) {
	n := w.node(at)
	i, found := slices.BinarySearchFunc(n.in, b.from, byFrom)
	switch {
	case found && n.in[i] == b:
		return
	case found:
		n.in[i] = b
	default:
		n.in = slices.Insert(n.in, i, b)
	}
	w.enqueue(at, n)
}

// drop takes from a speaker the path of a session.
func (w *wave) drop(at, from int) {
	n := w.nodes[at]
	if n == nil {
		return
	}
	if i, found := slices.BinarySearchFunc(n.in, from, byFrom); found {
		n.in = slices.Delete(n.in, i, i+1)
		w.enqueue(at, n)
	}
}

func byFrom(b best, from int) int { return b.from - from }

func (w *wave) enqueue(at int, n *node) {
	if !n.queued {
		n.queued = true
		w.queue = append(w.queue, at)
	}
}

// turn lets a speaker decide, and tell its neighbors if it has changed its mind.
func (w *wave) turn(at int) {
	n, sp := w.nodes[at], &w.speakers[at]
	chosen, has := sp.choose(w.group, n.in)
	if has == n.has && chosen == n.best || n.turns == mostTurns {
		return
	}
	n.best, n.has = chosen, has
	n.turns++
	listeners := w.listeners(sp)
	told := make([]unique.Handle[attributes], len(sp.profiles))
	for _, i := range listeners {
		if p := sp.links[i].profile; has && told[p] == none {
			told[p] = sp.export(&sp.sessions[i], w.group, chosen)
		}
	}
	for _, i := range listeners {
		w.tell(sp, i, told[sp.links[i].profile], n)
	}
}

// listeners are the sessions to those to whom the group matters: they may pass it on, or announce it themselves.
func (w *wave) listeners(sp *speaker) []int {
	all := sp.onwards[w.group.family]
	for _, o := range w.group.origins {
		for _, i := range sp.towards[o.speaker] {
			if sp.links[i].sends.has(w.group.family) && w.speakers[o.speaker].sink[w.group.family] {
				all = append(slices.Clip(all), i)
			}
		}
	}
	return all
}

// tell brings one neighbor up to date.
func (w *wave) tell(sp *speaker, link int, attrs unique.Handle[attributes], n *node) {
	l := &sp.links[link]
	if attrs != none && !w.withheld(sp, link, n.best) {
		far := &w.speakers[l.far]
		got, verdict := far.accept(l.back, w.group, n.best.origin, attrs)
		if a := got.Value(); !far.isNear(l.back, &a) {
			w.leaned = true
		}
		if verdict == accepted && w.valid(far, l.back, got, 0) {
			w.put(l.far, best{from: l.back, origin: n.best.origin, attrs: got})
			return
		}
	}
	w.drop(l.far, l.back)
}

// choose returns the best of some usable paths.
func (sp *speaker) choose(g *group, in []best) (best, bool) {
	switch len(in) {
	case 0:
		return best{}, false
	case 1:
		return in[0], true
	}
	judge := sp.judges[g.family]
	ranks := make([]rank, len(in))
	for i, b := range in {
		ranks[i] = sp.rank(judge, b, true)
		ranks[i].index = i
	}
	judge.decide(ranks)
	return in[ranks[0].index], true
}

// rank is what the decision process compares of a path.
func (sp *speaker) rank(j *judge, b best, usable bool) rank {
	a := b.attrs.Value()
	r := rank{usable: usable, localPref: a.localPref, length: a.asPath.len(), med: a.med, cluster: a.cluster.len(), id: a.originator}
	if r.length > 0 {
		r.neighborAS = a.asPath.at(0)
	}
	j.from(&r, b.from, sp.nextHop(b.from, &a))
	return r
}

// nextHop is that of a path: the neighbor's own address, where none is given.
func (sp *speaker) nextHop(from int, a *attributes) netip.Addr {
	if !a.nextHop.IsValid() && from >= 0 {
		return sp.sessions[from].Peer
	}
	return a.nextHop
}
