package network

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"unique"
)

// mesh is all speakers of a plant with the sessions between them, and in the end what they have come to.
type mesh struct {
	*libraries
	speakers []speaker // in the order of Plant.Names
	index    map[string]int
	// holders are, for each group of a family, the speakers that have a best route of it, sorted.
	holders [L2EVPN + 1][][]holder
	leaned  bool // a next hop was looked up that is neither on a link nor a neighbor on one
}

// speaker is one router.
type speaker struct {
	*libraries
	name     string
	bgp      *BGP
	book     *book
	fib      *FIB // nil: none
	reached  *hopMemo
	sessions []Session
	links    []link // of the sessions
	profiles []int  // for each way in which routes are sent, a session that has it
	judges   [L2EVPN + 1]*judge
	keepsAll bool               // EVPN routes that no instance imports too
	sink     [L2EVPN + 1]bool   // what it receives it cannot pass on
	onwards  [L2EVPN + 1][]int  // sessions to speakers that are no sinks
	towards  map[int][]int      // sessions by far speaker
	ribs     [L2EVPN + 1][]held // sorted by group

	decide sync.Once
	wanted []uint64                   // a bit for each number of a want
	views  [L2EVPN + 1]recall[[]view] // by profile
	told   [L2EVPN + 1]sync.Once
	counts [L2EVPN + 1][]Counts // by session
}

// link is a session as routes see it.
type link struct {
	far, back int // speaker at the other end, and its session; far is -1 where nothing is carried
	profile   int
	sends     families
}

// held is the best route of a group.
type held struct {
	group int
	best
}

// holder says where a best route is held.
type holder struct{ speaker, position int }

// families is a set of families.
type families uint8

func (s families) has(f Family) bool { return s&(1<<f) != 0 }
func (s families) unicast() families { return s & (1<<IPv4 | 1<<IPv6) }

// newMesh links the speakers by the sessions that are established.
func newMesh(t *terrain, l *libraries, sessions map[string][]Session) *mesh {
	m := &mesh{libraries: l, index: make(map[string]int, len(l.plant.Names))}
	m.speakers = make([]speaker, len(l.plant.Names))
	for i, name := range l.plant.Names {
		m.index[name] = i
		m.introduce(&m.speakers[i], name, sessions[name], t.fib(name))
	}
	for i := range m.speakers {
		m.speakers[i].link(m)
	}
	for i := range m.speakers {
		m.speakers[i].findSinks(m)
	}
	for i := range m.speakers {
		m.speakers[i].findOnwards(m)
	}
	return m
}

// introduce fills in what does not depend on other speakers.
func (m *mesh) introduce(sp *speaker, name string, sessions []Session, fib *FIB) {
	sp.libraries, sp.name, sp.sessions, sp.fib, sp.book, sp.bgp = m.libraries, name, sessions, fib.over(sessions), m.books[name], &BGP{}
	if in := m.plant.defaultInstance(name); in != nil && in.BGP != nil {
		sp.bgp = in.BGP
	}
	sp.reached, sp.keepsAll = &hopMemo{}, sp.bgp.InterAS
	for i := range sessions {
		if sessions[i].Client && hasFamily(sessions[i].Families, L2EVPN) {
			sp.keepsAll = true // a reflector has no use of its own for what it reflects
		}
	}
	for f := IPv4; f <= L2EVPN; f++ {
		sp.judges[f] = newJudge(m.plant, name, sessions, f)
		sp.judges[f].metric = fib.metric
	}
}

func hasFamily(all []Family, f Family) bool { return slices.Contains(all, f) }

// profile is all that export looks at of a session.
type profile struct {
	peerType                                         PeerType
	client, nextHopSelf, prependGlobal, rejectExport bool
	localAS                                          uint32
	cluster                                          netip.Addr
	policies                                         string
}

func profileOf(s *Session) profile {
	p := profile{s.PeerType, s.Client, s.NextHopSelf, s.PrependGlobal, s.RejectExport, s.LocalAS, s.Cluster, ""}
	for _, name := range s.Export {
		p.policies += name + "\x00"
	}
	return p
}

// link finds where the sessions of a speaker lead.
func (sp *speaker) link(m *mesh) {
	known := map[profile]int{}
	sp.links = make([]link, len(sp.sessions))
	sp.towards = map[int][]int{}
	in := m.plant.defaultInstance(sp.name)
	for i := range sp.sessions {
		s := &sp.sessions[i]
		sp.links[i].far = -1
		if s.State != Established || s.Instance != in.Name {
			continue
		}
		far := m.index[s.Remote]
		if other := m.plant.defaultInstance(s.Remote); m.speakers[far].sessions[s.RemoteIndex].Instance != other.Name {
			continue
		}
		p, ok := known[profileOf(s)]
		if !ok {
			p = len(sp.profiles)
			known[profileOf(s)] = p
			sp.profiles = append(sp.profiles, i)
		}
		sp.links[i] = link{far: far, back: s.RemoteIndex, profile: p, sends: m.sends(s)}
		sp.towards[far] = append(sp.towards[far], i)
	}
}

// sends returns the families whose routes go out by a session.
func (m *mesh) sends(s *Session) families {
	var all families
	far := &m.speakers[m.index[s.Remote]].sessions[s.RemoteIndex]
	for _, f := range s.Exchanged {
		if s.sends(far, f) {
			all |= 1 << f
		}
	}
	return all
}

// findSinks finds the families in which a speaker cannot pass on anything that it receives: all its neighbors
// are internal and none a client, or all are in one other AS, which would find itself in the path.
func (sp *speaker) findSinks(m *mesh) {
	for f := IPv4; f <= L2EVPN; f++ {
		internal, external, clients := 0, map[uint32]bool{}, 0
		for i := range sp.links {
			l := &sp.links[i]
			if l.far < 0 || !l.sends.has(f) && !m.speakers[l.far].links[l.back].sends.has(f) {
				continue
			}
			if s := &sp.sessions[i]; s.PeerType == EBGP {
				external[m.asBehind(l)] = true
			} else if internal++; s.Client {
				clients++
			}
		}
		sp.sink[f] = clients == 0 && (len(external) == 0 || internal == 0 && len(external) == 1 && !sp.rewritesPaths())
	}
}

// findOnwards finds the sessions by which routes get further than to the neighbor.
func (sp *speaker) findOnwards(m *mesh) {
	for f := IPv4; f <= L2EVPN; f++ {
		for i := range sp.links {
			if l := &sp.links[i]; l.sends.has(f) && !m.speakers[l.far].sink[f] {
				sp.onwards[f] = append(sp.onwards[f], i)
			}
		}
	}
}

// rewritesPaths returns whether a policy of the router may take AS numbers out of paths.
func (sp *speaker) rewritesPaths() bool {
	for _, p := range sp.book.Policies.Policies {
		for _, s := range p.Statements {
			if s.Action.RemoveAS || s.Action.ReplaceAS != 0 {
				return true
			}
		}
		if p.Default.RemoveAS || p.Default.ReplaceAS != 0 {
			return true
		}
	}
	return false
}

// wants returns whether an instance or segment of the router imports the routes of a group.
func (sp *speaker) wants(g *group) bool { return sp.wantsNumber(g.want) }

func (sp *speaker) wantsNumber(want int) bool {
	sp.decide.Do(func() {
		imports, wants := Imports(sp.plant, sp.name), sp.byFam[L2EVPN].wants
		sp.wanted = make([]uint64, (len(wants)+63)/64)
		for n, example := range wants {
			if imports(example) {
				sp.wanted[n/64] |= 1 << (n % 64)
			}
		}
	})
	return sp.wanted[want/64]&(1<<(want%64)) != 0
}

// spread brings all groups of a family to where they get.
func (m *mesh) spread(f Family) {
	groups := m.byFam[f].groups
	m.holders[f] = make([][]holder, len(groups))
	for i, g := range groups {
		nodes := m.propagate(g)
		for _, at := range slices.Sorted(maps.Keys(nodes)) {
			if n := nodes[at]; n.has {
				sp := &m.speakers[at]
				m.holders[f][i] = append(m.holders[f][i], holder{at, len(sp.ribs[f])})
				sp.ribs[f] = append(sp.ribs[f], held{i, n.best})
			}
		}
	}
}

// route makes the speakers look up next hops in what has been found now.
func (m *mesh) route() {
	for i := range m.speakers {
		if sp := &m.speakers[i]; sp.fib != nil {
			sp.fib, sp.reached = sp.fib.with(m), &hopMemo{}
		}
	}
}

// valid returns whether a speaker gets to the next hop of a path. depth is how many next hops are being looked
// up already.
func (m *mesh) valid(sp *speaker, from int, attrs unique.Handle[attributes], depth int) bool {
	a := attrs.Value()
	switch {
	case sp.isNear(from, &a):
		return true
	case sp.fib == nil:
		return false
	}
	path := Path{From: from, NextHop: sp.nextHop(from, &a)}
	if depth > 0 || path.NextHop.IsLinkLocalUnicast() {
		return len(sp.fib.resolve(&path, depth)) > 0
	}
	return sp.reached.get(path.NextHop, func() bool { return len(sp.fib.resolve(&path, 0)) > 0 })
}

// isNear returns whether the next hop of a path is the neighbor at the other end of a link, or the path an own one.
func (sp *speaker) isNear(from int, a *attributes) bool {
	return from < 0 || !a.nextHop.IsValid() && sp.sessions[from].Direct
}

// hopMemo remembers which next hops a FIB leads to: many routes have the same one.
type hopMemo struct {
	mu    sync.Mutex
	known map[netip.Addr]bool
}

func (r *hopMemo) get(a netip.Addr, find func() bool) bool {
	r.mu.Lock()
	known, ok := r.known[a]
	r.mu.Unlock()
	if ok {
		return known
	}
	is := find()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[netip.Addr]bool{}
	}
	r.known[a] = is
	return is
}
