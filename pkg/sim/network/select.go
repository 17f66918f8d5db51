package network

import (
	"cmp"
	"net/netip"
	"slices"
)

// Select orders the paths of one NLRI, best first, and marks which are best and used: the best one, and
// those that are equal to it as far as the multipath of the router's default instance allows. It reads
// Valid and Rejected, which say whether a path takes part at all; the others come last. The order is that of RFC 4271
// §9.1.2 with RFC 4456 §9, and total: it depends on nothing but the paths.
//
//	a usable path; the highest local preference; an own path; the shortest AS path; the lowest MED
//	among those of one neighboring AS; EBGP before IBGP; the nearest next hop by IS-IS; the lowest
//	originator or router id; the shortest cluster list; the lowest address of the neighbor.
func Select(p *Plant, router string, sessions []Session, paths []Path) {
	if len(paths) == 0 {
		return
	}
	judge := newJudge(p, router, sessions, paths[0].Family)
	ranks := make([]rank, len(paths))
	for i := range paths {
		ranks[i] = judge.rank(&paths[i])
		ranks[i].index = i
	}
	judge.decide(ranks)
	before := slices.Clone(paths)
	for i, r := range ranks {
		paths[i] = before[r.index]
		paths[i].Best, paths[i].Used = i == 0 && r.used, r.used
	}
}

// judge compares the paths of one router and family.
type judge struct {
	sessions  []Session
	metric    func(nextHop netip.Addr) uint32 // of IS-IS; 0 where a next hop is connected or not known to it
	multipath Multipath
}

func newJudge(p *Plant, router string, sessions []Session, f Family) *judge {
	j := &judge{sessions: sessions, metric: func(a netip.Addr) uint32 { return igpMetric(p.Links[router], a) }}
	if in := p.defaultInstance(router); in != nil && in.BGP != nil {
		j.multipath = in.BGP.Multipath[f]
	}
	return j
}

// rank is what is compared of a path.
type rank struct {
	index      int // of the path
	usable     bool
	own        bool
	outdone    bool // by one from the same neighboring AS with a lower MED
	internal   bool
	used       bool
	localPref  uint32
	neighborAS uint32
	med        uint32
	metric     uint32
	length     int
	cluster    int
	id, peer   netip.Addr
}

func (j *judge) rank(path *Path) rank {
	r := rank{
		usable: path.Valid && !path.Rejected, localPref: path.LocalPref, length: len(path.ASPath),
		med: path.MED, cluster: len(path.Cluster), id: path.Originator,
	}
	if len(path.ASPath) > 0 {
		r.neighborAS = path.ASPath[0]
	}
	j.from(&r, path.From, path.NextHop)
	return r
}

// from adds what follows from the session that a path came by.
func (j *judge) from(r *rank, session int, nextHop netip.Addr) {
	if session < 0 {
		r.own = true
		return
	}
	s := &j.sessions[session]
	r.internal, r.peer, r.metric = s.PeerType == IBGP, s.Peer, j.metric(nextHop)
	if !r.id.IsValid() {
		r.id = s.PeerID
	}
}

// igpMetric is that of the longest prefix.
func igpMetric(links *Links, nextHop netip.Addr) uint32 {
	var longest IGPRoute
	if links != nil {
		for _, r := range links.IGP {
			if r.Prefix.Contains(nextHop) && (!longest.Prefix.IsValid() || r.Prefix.Bits() > longest.Prefix.Bits()) {
				longest = r
			}
		}
	}
	return longest.Metric
}

// decide sorts the ranks of one NLRI, best first, and marks the used ones.
func (j *judge) decide(ranks []rank) {
	if len(ranks) > 1 {
		outdo(ranks)
		slices.SortFunc(ranks, func(a, b rank) int { return cmp.Or(a.compare(&b), a.breakTie(&b)) })
	}
	used := 0
	for i := range ranks {
		if ranks[i].usable && (i == 0 || used < j.limit(&ranks[0]) && j.together(&ranks[0], &ranks[i])) {
			ranks[i].used = true
			used++
		}
	}
}

// compare is the order down to the nearest next hop: those that are equal may be used together.
func (r *rank) compare(b *rank) int {
	return cmp.Or(r.early(b), first(!r.outdone, !b.outdone), first(!r.internal, !b.internal), cmp.Compare(r.metric, b.metric))
}

// early is what comes before the MED.
func (r *rank) early(b *rank) int {
	return cmp.Or(first(r.usable, b.usable), cmp.Compare(b.localPref, r.localPref), first(r.own, b.own), cmp.Compare(r.length, b.length))
}

// breakTie orders equal paths.
func (r *rank) breakTie(b *rank) int {
	return cmp.Or(r.id.Compare(b.id), cmp.Compare(r.cluster, b.cluster), r.peer.Compare(b.peer), cmp.Compare(r.index, b.index))
}

// outdo marks the paths that lose by their MED. MEDs of different neighbors have nothing to do with each
// other (RFC 4271 §9.1.2.2 c), so an order by pairs would not be one.
func outdo(ranks []rank) {
	for i := range ranks {
		a := &ranks[i]
		a.outdone = a.med > 0 && slices.ContainsFunc(ranks, func(b rank) bool {
			return b.med < a.med && b.neighborAS == a.neighborAS && a.early(&b) == 0
		})
	}
}

// first orders what is true before what is not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// limit is how many paths are used at most. What the best one is decides
// (/network-instance/protocols/bgp/afi-safi/multipath).
func (j *judge) limit(best *rank) int {
	if best.internal {
		return j.multipath.IBGP
	}
	return j.multipath.EBGP
}

// together returns whether a path may be used beside the best one.
func (j *judge) together(best, r *rank) bool {
	return best.usable && !best.own && best.compare(r) == 0 && (j.multipath.MultipleAS || best.neighborAS == r.neighborAS)
}
