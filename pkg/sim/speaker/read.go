package speaker

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"

	api "github.com/osrg/gobgp/v3/api"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// briefing is what the reading goroutine has to know of a router. It is never changed once made.
type briefing struct {
	plant    *network.Plant
	sessions []network.Session
	ends     []*end         // of the sessions; nil: it does not run here
	index    map[string]int // of the sessions, by the addresses that the speaker knows
	picky    bool
	keep     []string // with picky: what the EVPN routes carry that it has a use for, see useful
	instance *network.Instance
	exchange [][]network.Family // that both ends of each session speak
}

// brief tells the reading goroutine what is new.
func (r *router) brief(s *scene, far func(*end) *end) {
	b := &briefing{plant: s.plant, sessions: s.sessions[r.name], ends: r.order, index: map[string]int{}}
	if r.network == nil {
		b.sessions, b.ends = nil, nil
	} else {
		b.picky, b.keep, b.instance = r.picky, r.keep, defaultInstance(r.network)
	}
	b.exchange = make([][]network.Family, len(b.ends))
	for i, e := range b.ends {
		if e != nil {
			b.index[e.address.String()] = i
			b.exchange[i] = exchanged(e, far(e))
		}
	}
	if before := r.briefing.Load(); before == nil || !before.same(b) {
		r.briefing.Store(b)
		r.touch()
	}
}

func (b *briefing) same(c *briefing) bool {
	return b.plant == c.plant && b.picky == c.picky && slices.Equal(b.keep, c.keep) &&
		slices.Equal(b.ends, c.ends) &&
		reflect.DeepEqual(b.sessions, c.sessions) && reflect.DeepEqual(b.exchange, c.exchange)
}

// exchanged are the families of which routes go at least one way between two ends.
func exchanged(e, far *end) (fs []network.Family) {
	if far == nil {
		return nil
	}
	for _, f := range e.session.Families {
		if slices.Contains(far.session.Families, f) && (sends(&e.session, &far.session, f) || sends(&far.session, &e.session, f)) {
			fs = append(fs, f)
		}
	}
	return fs
}

// sends returns whether one end sends routes of a family to the other: IPv4 routes over IPv6 if it is willing to, and the
// other takes them (RFC 8950 §4).
func sends(s, far *network.Session, f network.Family) bool {
	return f != network.IPv4 || !s.Peer.Is6() || s.IPv6NextHops.Send && far != nil && far.IPv6NextHops.Receive
}

// reading is a view while the speaker is read.
type reading struct {
	*view
	*briefing
	*decoder
	router  *router
	peers   []*api.Peer
	imports func(*network.Route) bool
}

// read reads all that a speaker has come to.
func (r *router) read(d *decoder) (*view, error) {
	b := r.briefing.Load()
	if b == nil {
		b = &briefing{}
	}
	v := &view{sessions: slices.Clone(b.sessions), paths: map[network.Family][]network.Path{}}
	v.counts, v.sent = make([]map[network.Family]network.Counts, len(v.sessions)), make([]map[network.Family]int, len(v.sessions))
	x := &reading{view: v, briefing: b, decoder: d, router: r, peers: make([]*api.Peer, len(v.sessions))}
	if b.instance == nil {
		return v, nil
	}
	x.imports = network.Imports(b.plant, r.name)
	deeds := r.speaker.deeds.Load() // before the speaker is asked: what it does in the meantime is read again
	err := r.speaker.peers(func(p *api.Peer) {
		if i, ok := b.index[p.Conf.NeighborAddress]; ok {
			x.peers[i] = p
		}
	})
	for i := range v.sessions {
		x.session(i)
	}
	tables, e := x.tables(deeds)
	err = errors.Join(err, e)
	x.choose(tables)
	x.count()
	return v, err
}

// states are those of a session, as the speaker numbers them.
var states = map[api.PeerState_SessionState]network.SessionState{
	api.PeerState_IDLE:        network.Idle,
	api.PeerState_CONNECT:     network.Connect,
	api.PeerState_ACTIVE:      network.Active,
	api.PeerState_OPENSENT:    network.OpenSent,
	api.PeerState_OPENCONFIRM: network.OpenConfirm,
	api.PeerState_ESTABLISHED: network.Established,
}

// session puts what the speaker says of a session in the place of what network.Meet expects. Why it is not established
// Meet knows best: the speaker only knows what it was told.
func (x *reading) session(i int) {
	s, e, p := &x.view.sessions[i], x.ends[i], x.peers[i]
	expected := s.State
	s.State, s.PeerID, s.RemoteAS, s.Exchanged, s.HoldTime, s.KeepAlive = network.Idle, netip.Addr{}, 0, nil, 0, 0
	s.Code, s.Subcode, s.Sent = 0, 0, false
	if e == nil {
		s.Cause = fmt.Sprintf("BGP in network instance %s is not simulated by live speakers", s.Instance)
		return
	}
	s.Code, s.Subcode, s.Sent = e.lastHeard()
	if p == nil {
		return
	}
	s.State = states[p.State.SessionState]
	switch {
	case s.State == network.Established:
		s.Cause = ""
		s.PeerID, _ = netip.ParseAddr(p.State.RouterId)
		s.RemoteAS = outside([]uint32{hidden(p.State.PeerAsn)}, s.LocalAS)[0]
		s.HoldTime, s.KeepAlive = int(p.Timers.State.NegotiatedHoldTime), int(p.Timers.State.KeepaliveInterval)
		s.Exchanged = x.exchange[i]
	case expected != network.Established: // between two attempts it rests where network.Meet says, not where it happens to be
		s.State = expected
	case s.Code != 0:
		s.Cause = fmt.Sprintf("NOTIFICATION %d/%d", s.Code, s.Subcode)
	}
}

// kept is what was read of a speaker's tables. They are as they were as long as the speaker has done nothing and what
// they are read by is the same.
type kept struct {
	by     *briefing
	known  *map[string][]network.Route
	deeds  uint64 // of the speaker, before it was read
	tables map[network.Family][][]network.Path
}

// holds returns whether what was read is what would be read now.
func (k *kept) holds(x *reading, deeds uint64) bool {
	return k != nil && k.deeds == deeds && k.known == x.known && k.by.readsLike(x.briefing)
}

// readsLike returns whether two briefings lead to the same paths: they come by the same sessions, and the same ones of
// those that were rejected are shown.
func (b *briefing) readsLike(c *briefing) bool {
	return b == c || b.picky == c.picky && b.keepsAll() == c.keepsAll() && slices.Equal(b.keep, c.keep) &&
		slices.Equal(b.ends, c.ends) && slices.EqualFunc(b.sessions, c.sessions, func(s, t network.Session) bool {
		return key(&s) == key(&t) && s.LocalAS == t.LocalAS
	})
}

// keepsAll returns whether rejected EVPN routes are shown that nobody here has a use for
// (/network-instance/protocols/bgp/afi-safi/evpn/keep-all-routes).
func (b *briefing) keepsAll() bool {
	return !b.picky || b.instance.BGP != nil && b.instance.BGP.KeepAll
}

// tables returns the routes of all families. A speaker that has done nothing since it was read is not asked again: most
// readings are for what has changed in the network around it.
func (x *reading) tables(deeds uint64) (map[network.Family][][]network.Path, error) {
	if !x.router.kept.holds(x, deeds) {
		k := &kept{by: x.briefing, known: x.known, deeds: deeds, tables: map[network.Family][][]network.Path{}}
		x.router.kept = nil
		for _, f := range allFamilies {
			table, err := x.table(f)
			if err != nil {
				return nil, err
			}
			k.tables[f] = table
		}
		x.router.kept = k
	}
	tables := make(map[network.Family][][]network.Path, len(allFamilies))
	for f, table := range x.router.kept.tables {
		tables[f] = cloned(table)
	}
	return tables, nil
}

// cloned returns a table whose paths can be ordered and judged without changing those of the other one.
func cloned(table [][]network.Path) [][]network.Path {
	clone := make([][]network.Path, len(table))
	for i, paths := range table {
		clone[i] = slices.Clone(paths)
	}
	return clone
}

// table reads the routes of one family with all paths that lead to each, sorted. Those that a policy has rejected are among
// them.
func (x *reading) table(f network.Family) (table [][]network.Path, err error) {
	accepted := make([]int, len(x.ends)) // by session
	err = x.router.speaker.table(f, func(d *api.Destination) {
		paths := make([]network.Path, 0, len(d.Paths))
		for _, p := range d.Paths {
			from := x.from(p)
			path, e := x.path(from, p, f)
			if e != nil {
				err = errors.Join(err, e)
				continue
			}
			if from >= 0 {
				accepted[from]++
			}
			paths = append(paths, path)
		}
		if len(paths) > 0 {
			table = append(table, paths)
		}
	})
	for i := range x.ends {
		if x.offered(i, f) > accepted[i] {
			rejected, e := x.rejected(i, f, table)
			table, err = append(table, rejected...), errors.Join(err, e)
		}
	}
	return merge(table), err
}

// from returns the session that a path came by; -1: none, it is the router's own.
func (x *reading) from(p *api.Path) int {
	if i, ok := x.index[p.NeighborIp]; ok {
		return i
	}
	return -1
}

// path reads a path. A link-local next hop is on the link of the session (RFC 2545 §3).
func (x *reading) path(from int, p *api.Path, f network.Family) (network.Path, error) {
	path, err := x.decoder.path(x.router.name, p, f)
	path.From = from
	switch {
	case from >= 0:
		s := &x.view.sessions[from]
		if path.NextHop == s.Peer.WithZone("") {
			path.NextHop = s.Peer
		}
		path.ASPath = outside(path.ASPath, s.LocalAS)
	case path.NextHop.IsUnspecified():
		path.NextHop = netip.Addr{}
	}
	return path, err
}

// outside returns an AS path as it is on the wire: with the router's own AS number where the speaker has it.
func outside(path []uint32, as uint32) []uint32 {
	if !slices.Contains(path, placeholderAS) {
		return path
	}
	path = slices.Clone(path)
	for i := range path {
		if path[i] == placeholderAS {
			path[i] = as
		}
	}
	return path
}

// offered is how many routes a neighbor has sent.
func (x *reading) offered(session int, f network.Family) int {
	if p := x.peers[session]; p != nil {
		for _, a := range p.AfiSafis {
			if s := a.State; s != nil && s.Family != nil && s.Family.Afi == families[f].Afi && s.Family.Safi == families[f].Safi {
				return int(s.Received)
			}
		}
	}
	return 0
}

// rejected returns the routes that a neighbor has sent and that are not in the table.
func (x *reading) rejected(session int, f network.Family, table [][]network.Path) (rejected [][]network.Path, err error) {
	accepted := map[network.NLRI]bool{}
	for _, paths := range table {
		if slices.ContainsFunc(paths, func(p network.Path) bool { return p.From == session }) {
			accepted[paths[0].NLRI] = true
		}
	}
	e := x.router.speaker.received(x.ends[session].address, f, func(d *api.Destination) {
		for _, p := range d.Paths {
			path, e := x.path(session, p, f)
			if e != nil {
				err = errors.Join(err, e)
				continue
			}
			if path.Rejected = true; !accepted[path.NLRI] && x.keeps(&path) {
				rejected = append(rejected, []network.Path{path})
			}
		}
	})
	return rejected, errors.Join(err, e)
}

// keeps returns whether a rejected path is kept to be shown. An EVPN route that nobody here has a use for is not, unless the
// router is told to.
func (x *reading) keeps(p *network.Path) bool {
	return p.Family != network.L2EVPN || x.keepsAll() || x.imports(p.Route)
}

// choose says which paths can be used, which are best, and which are used. Unicast routes come first, since they lead to
// the next hops of the others.
func (x *reading) choose(tables map[network.Family][][]network.Path) {
	for range 2 {
		fib := network.Table(x.plant, partial{x.view}, x.router.name, x.instance.Name)
		x.sort(fib, tables, network.IPv4, network.IPv6)
	}
	fib := network.Table(x.plant, partial{x.view}, x.router.name, x.instance.Name)
	x.sort(fib, tables, network.L2EVPN)
}

// sort orders the paths of some families.
func (x *reading) sort(fib *network.FIB, tables map[network.Family][][]network.Path, fs ...network.Family) {
	for _, f := range fs {
		n := 0
		for _, paths := range tables[f] {
			n += len(paths)
		}
		all := make([]network.Path, 0, n)
		for _, paths := range tables[f] {
			for i := range paths {
				p := &paths[i]
				p.Valid = p.From < 0 || len(fib.Resolve(p)) > 0
			}
			network.Select(x.plant, x.router.name, x.view.sessions, paths)
			all = append(all, paths...)
		}
		x.paths[f] = all
	}
}

// merge sorts routes, and puts the paths of equal ones together.
func merge(table [][]network.Path) (merged [][]network.Path) {
	slices.SortFunc(table, func(a, b []network.Path) int {
		return cmp.Or(compareNLRI(&a[0].NLRI, &b[0].NLRI), cmp.Compare(a[0].From, b[0].From))
	})
	for _, paths := range table {
		if n := len(merged); n > 0 && merged[n-1][0].NLRI == paths[0].NLRI {
			merged[n-1] = append(merged[n-1], paths...)
			continue
		}
		merged = append(merged, paths)
	}
	return merged
}

// count counts the routes of every session. Received are those that are kept: who drops a route does not notice when it
// is withdrawn.
func (x *reading) count() {
	for i := range x.counts {
		x.counts[i], x.sent[i] = map[network.Family]network.Counts{}, map[network.Family]int{}
		for _, f := range allFamilies {
			x.sent[i][f] = x.offered(i, f)
		}
	}
	for f, paths := range x.paths {
		for i := range paths {
			p := &paths[i]
			if p.From < 0 {
				continue
			}
			c := x.counts[p.From][f]
			c.Received++
			if p.Used {
				c.Active++
			}
			if p.Rejected {
				c.Rejected++
			}
			x.counts[p.From][f] = c
		}
	}
}
