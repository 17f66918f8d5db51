package speaker

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// router is a router with its speaker. All but due and read is the directing goroutine's.
type router struct {
	name    string
	speaker *speaker
	network *network.Router // nil: it is switched off
	ends    map[string]*end
	order   []*end // of the sessions; nil: it does not run here
	placed  map[network.NLRI]network.Route
	spoken  [2]map[string]string // rules of the neighbors, by direction
	keep    []string
	picky   bool

	briefing atomic.Pointer[briefing] // for who reads it
	kept     *kept                    // the reading goroutine's
	dirty    chan<- struct{}
	log      *slog.Logger
	first    atomic.Int64 // when it was touched first since it was read, in Unix nanoseconds; 0: not
	last     atomic.Int64
}

func newRouter(name string, s *speaker, log *slog.Logger, dirty chan<- struct{}) *router {
	r := &router{name: name, speaker: s, ends: map[string]*end{}, placed: map[network.NLRI]network.Route{}, dirty: dirty}
	r.log = log.With("device", name)
	s.log.to.Store(r.log)
	touch := r.touch
	s.touched.Store(&touch)
	return r
}

// touch tells that there is something new to read.
func (r *router) touch() {
	now := time.Now().UnixNano()
	r.last.Store(now)
	r.first.CompareAndSwap(0, now)
	select {
	case r.dirty <- struct{}{}:
	default:
	}
}

// due tells whether to read it now, and else whether it will be due.
func (r *router) due(now time.Time) (due, later bool) {
	first := r.first.Load()
	if first == 0 {
		return false, false
	}
	if now.UnixNano()-r.last.Load() < int64(quiet) && now.UnixNano()-first < int64(enough) {
		return false, true
	}
	return r.first.CompareAndSwap(first, 0), false
}

// identity is how the speaker calls itself in a session.
func (e *end) identity() identity {
	r, outer := e.router, e.router.speaker.id
	if in := defaultInstance(r.network); in != nil && in.BGP != nil {
		outer = in.BGP.RouterID
	}
	return newIdentity(r.speaker.id, outer, e.session.LocalAS)
}

// seat makes the ends of a router's sessions. Those that are no longer there stay until unseat. One that there is no address
// for does not come up.
func (r *router) seat(s *scene) (err error) {
	r.network = s.plant.Routers[r.name]
	name := ""
	if in := defaultInstance(r.network); in != nil {
		name = in.Name
	}
	sessions := s.sessions[r.name]
	r.order = make([]*end, len(sessions))
	for i := range sessions {
		if sessions[i].Instance != name {
			continue
		}
		k := key(&sessions[i])
		e := r.ends[k]
		if e == nil {
			address, none := addresses.take()
			if none != nil {
				err = fmt.Errorf("%s: neighbor %s: %w", r.name, sessions[i].Peer, none)
				continue
			}
			e = &end{router: r, address: address}
			r.ends[k] = e
		}
		e.session = sessions[i]
		r.order[i] = e
	}
	return err
}

// unseat removes the ends that are no longer there.
func (r *router) unseat() (err error) {
	for k, e := range r.ends {
		if slices.Contains(r.order, e) {
			continue
		}
		if e.peer != nil {
			err = errors.Join(err, r.speaker.deletePeer(e.address))
		}
		addresses.giveBack(e.address)
		delete(r.ends, k)
	}
	return err
}

// speak brings the speaker to what the router is configured to do. Routes that are gone leave before the rules that
// let them out do, and new ones come after those that they need.
func (r *router) speak(s *scene, far func(*end) *end) error {
	announced := s.announced[r.name]
	if r.network == nil {
		announced = nil
	}
	err := r.withdraw(announced)
	book := &ruleBook{}
	if r.network != nil {
		book = r.write(s, announced, far)
	}
	err = errors.Join(err, r.setRules(book), r.place(announced))
	for _, e := range r.order {
		if e == nil {
			continue
		}
		f := far(e)
		err = errors.Join(err, e.configure(e.configuration(f, r.network.Boots+bootsOf(f))))
	}
	return err
}

func bootsOf(e *end) uint64 {
	if e == nil || e.router.network == nil {
		return 0
	}
	return e.router.network.Boots
}

// write writes the rules.
func (r *router) write(s *scene, announced []network.Route, far func(*end) *end) *ruleBook {
	b := &ruleBook{marks: marksFor(announced), picky: !r.keepsAll()}
	if b.picky {
		b.keep = useful(s, r.name)
	}
	c := &compiler{router: r.network, announced: announced, book: b, reflects: r.reflects() != nil}
	for _, e := range r.order {
		if e == nil {
			continue
		}
		var other *network.Session
		if f := far(e); f != nil {
			other = &f.session
		}
		c.neighbor(&e.session, other, e.address.String())
	}
	return b
}

// reflects returns the first session with a client of a route reflector; nil where the router is none.
func (r *router) reflects() *network.Session {
	for _, e := range r.order {
		if e != nil && e.session.Client && e.session.PeerType == network.IBGP {
			return &e.session
		}
	}
	return nil
}

// keepsAll returns whether a router passes EVPN routes on that it has no use for itself: it reflects them, or is between
// autonomous systems (/network-instance/protocols/bgp/afi-safi/evpn/inter-as-vpn).
func (r *router) keepsAll() bool {
	in := defaultInstance(r.network)
	if in == nil || in.BGP == nil {
		return false
	}
	return in.BGP.InterAS || slices.ContainsFunc(r.order, func(e *end) bool {
		return e != nil && e.session.Client && slices.Contains(e.session.Families, network.L2EVPN)
	})
}

// useful returns what EVPN routes carry that a router has a use for: of all that anybody's do, the targets that it imports
// and the segments that it is on.
func useful(s *scene, router string) (texts []string) {
	imports := network.Imports(s.plant, router)
	for i := range s.carried {
		if c := &s.carried[i]; imports(&c.route) {
			texts = append(texts, c.text)
		}
	}
	return texts
}

// carried is something that an EVPN route can be imported for: a route that has it alone, and an expression for it.
type carried struct {
	text  string
	route network.Route
}

// carriedBy returns everything that routes can be imported for, sorted.
func carriedBy(announced map[string][]network.Route) []carried {
	targets, segments := map[network.RT]bool{}, map[network.MAC]bool{}
	for _, routes := range announced {
		for i := range routes {
			for _, t := range routes[i].Targets {
				targets[t] = true
			}
			if r := &routes[i]; r.Type == network.EthernetSegmentRoute {
				segments[r.ESImport] = true
			}
		}
	}
	var all []carried
	for t := range targets {
		n := network.NLRI{Family: network.L2EVPN, Type: network.InclusiveMulticast}
		all = append(all, carried{targetText(t), network.Route{NLRI: n, Targets: []network.RT{t}}})
	}
	for m := range segments {
		n := network.NLRI{Family: network.L2EVPN, Type: network.EthernetSegmentRoute}
		all = append(all, carried{segmentText(m), network.Route{NLRI: n, ESImport: m}})
	}
	slices.SortFunc(all, func(a, b carried) int { return strings.Compare(a.text, b.text) })
	return all
}

// setRules gives the speaker its rules, if they are others than before, and judges the routes by them.
func (r *router) setRules(b *ruleBook) error {
	in, out := b.keys(inward), b.keys(outward)
	rejudge := !slices.Equal(r.keep, b.keep) || r.picky != b.picky || differ(r.spoken[inward], in)
	resend := differ(r.spoken[outward], out)
	var err error
	if resend {
		err = r.fallSilent()
	}
	err = errors.Join(err, r.speaker.setPolicies(b))
	r.spoken, r.keep, r.picky = [2]map[string]string{in, out}, b.keep, b.picky
	if resend || rejudge {
		err = errors.Join(err, r.speaker.softReset())
	}
	return err
}

// differ returns whether somebody who was there before has other rules now.
func differ(before, now map[string]string) bool {
	for address, rules := range before {
		if other, still := now[address]; still && other != rules {
			return true
		}
	}
	return false
}

// fallSilent withdraws all routes from all neighbors. A speaker withdraws what goes, not what a policy no longer lets
// out.
func (r *router) fallSilent() error {
	err := r.withdraw(nil)
	return errors.Join(err, r.speaker.setPolicies(&ruleBook{}), r.speaker.softReset())
}

// withdraw deletes the local routes that are no longer announced, or that are others now.
func (r *router) withdraw(announced []network.Route) (err error) {
	now := make(map[network.NLRI]*network.Route, len(announced))
	for i := range announced {
		now[announced[i].NLRI] = &announced[i]
	}
	for nlri, before := range r.placed {
		if still := now[nlri]; still != nil && reflect.DeepEqual(before, *still) {
			continue
		}
		err = errors.Join(err, r.speaker.deletePath(&before))
		delete(r.placed, nlri)
	}
	return err
}

// place adds the local routes that are announced.
func (r *router) place(announced []network.Route) (err error) {
	for _, route := range announced {
		if _, there := r.placed[route.NLRI]; there {
			continue
		}
		if e := r.speaker.addPath(&route); e != nil {
			err = errors.Join(err, fmt.Errorf("route %+v: %w", route.NLRI, e))
			continue
		}
		r.placed[route.NLRI] = route
	}
	return err
}

// clear leaves the speaker as it was hired.
func (r *router) clear() error {
	r.speaker.touched.Store(nil)
	for _, e := range r.ends {
		if e.wire != nil {
			e.wire.close()
		}
	}
	r.order = nil
	err := errors.Join(r.unseat(), r.withdraw(nil), r.speaker.setPolicies(&ruleBook{}))
	r.speaker.log.to.Store(nil)
	return err
}
