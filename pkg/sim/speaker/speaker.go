// Package speaker runs BGP among simulated routers for real: a GoBGP speaker each, sessions over TCP on
// loopback addresses, routes in BGP messages. What comes up, which routes there are and which are best is for the speakers
// to find out; the rule that matters most: what one router has configured, only its own speaker is told.
//
// It differs from routers, and from network.Compute, in this:
//   - TCP connections come from in between: a wire calls both speakers, so who is passive shows only where both
//     are. Keys are compared by the wire. How far a neighbor may be is for network.Meet to say.
//   - After a session has failed a speaker waits for 5 s. One whose path comes back is started anew at once.
//   - A speaker chooses its best path without asking whether its next hop can be reached; where paths of one router are equal
//     it decides by internal addresses. What Routing shows as best and used is by network.Select.
//   - A reflector looks at cluster lists when it sends.
//   - BGP in other network instances than the default one does not run.
//   - Policies that a speaker cannot be told do something else here, see Unsayable.
//   - When an export policy changes, all routes of the router are withdrawn and announced again: a speaker does not
//     withdraw what a new policy rejects.
//   - The hold time 0, which turns the timers off, is 65535 s.
package speaker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// Network is a set of routers that speak BGP. Its methods may be called from any goroutine.
type Network struct {
	log     *slog.Logger
	routers map[string]*router
	names   []string

	// The directing goroutine's.
	loose     []*wire                    // that end by themselves
	announced map[string][]network.Route // by the scene before
	carried   []carried

	latest  atomic.Pointer[scene] // what to bring the speakers to
	known   atomic.Pointer[map[string][]network.Route]
	kick    chan struct{} // latest is another
	dirty   chan struct{} // a router has something new to say
	changed chan struct{}
	shown   atomic.Pointer[routing]
	stop    context.CancelFunc
	ended   sync.WaitGroup
	closing sync.Once
}

// scene is what Update is told.
type scene struct {
	plant     *network.Plant
	sessions  map[string][]network.Session
	announced map[string][]network.Route
	carried   []carried // by the announced routes
}

// Start hires a speaker for every router. It fails where the process has too few left, see Capacity. The speakers are
// silent until Update.
func Start(names []string, log *slog.Logger) (*Network, error) {
	speakers, err := take(len(names))
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	n := &Network{
		log: log, names: names, routers: map[string]*router{}, stop: stop,
		kick: make(chan struct{}, 1), dirty: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	for i, name := range names {
		n.routers[name] = newRouter(name, speakers[i], log, n.dirty)
	}
	n.shown.Store(&routing{views: map[string]*view{}})
	n.ended.Add(2)
	go n.direct(ctx)
	go n.listen(ctx)
	return n, nil
}

// Update tells what is there now: the routers and what came up between them, the sessions that both ends could have, in
// the order of network.Meet, and what each router announces by itself. It returns at once. Only what differs from
// before touches a session. What it is given must not change any more.
func (n *Network) Update(p *network.Plant, sessions map[string][]network.Session, announced map[string][]network.Route) {
	n.latest.Store(&scene{plant: p, sessions: sessions, announced: announced})
	wake(n.kick)
}

// Routing returns what the speakers have come to.
func (n *Network) Routing() network.Routing { return n.shown.Load() }

// Changed returns a channel that gets a value after Routing has changed. Changes that follow each other closely are one.
func (n *Network) Changed() <-chan struct{} { return n.changed }

// Close ends all sessions and gives the speakers back. Routing stays what it was.
func (n *Network) Close() {
	n.closing.Do(func() {
		n.stop()
		n.ended.Wait()
		for _, w := range n.loose {
			w.close()
		}
		speakers := make([]*speaker, 0, len(n.routers))
		for _, name := range n.names {
			r := n.routers[name]
			if err := r.clear(); err != nil {
				n.log.Warn("a BGP speaker cannot be used again", "device", name, "error", err)
				continue
			}
			speakers = append(speakers, r.speaker)
		}
		giveBack(speakers)
	})
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake
	}
}

// direct brings the speakers to the latest scene, over and over.
func (n *Network) direct(ctx context.Context) {
	defer n.ended.Done()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.kick:
		}
		if err := n.stage(n.latest.Load()); err != nil {
			n.log.Warn("BGP speakers are not all as they should be", "error", err)
		}
	}
}

// stage brings all speakers to a scene: first the ends of sessions and their wires, then what the routers say.
func (n *Network) stage(s *scene) error {
	var errs []error
	n.remember(s)
	for _, name := range n.names {
		errs = append(errs, n.routers[name].seat(s))
	}
	n.pair()
	for _, name := range n.names {
		errs = append(errs, n.routers[name].unseat())
	}
	for _, name := range n.names {
		if err := n.routers[name].speak(s, n.far); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	n.plug()
	for _, name := range n.names {
		n.routers[name].brief(s, n.far)
	}
	return errors.Join(errs...)
}

// remember puts what has not changed in the place of what is equal to it, so that who compares is done soon.
func (n *Network) remember(s *scene) {
	announced, same := make(map[string][]network.Route, len(s.announced)), len(s.announced) == len(n.announced)
	for name, routes := range s.announced {
		before, known := n.announced[name]
		if known && reflect.DeepEqual(before, routes) {
			routes = before
		} else {
			same = false
		}
		announced[name] = routes
	}
	if !same {
		n.announced, n.carried = announced, carriedBy(announced)
		n.known.Store(&announced)
	}
	s.announced, s.carried = n.announced, n.carried
}

// far returns the other end of a session, nil where it is not configured.
func (n *Network) far(e *end) *end {
	other := n.routers[e.session.Remote]
	if other == nil || e.session.RemoteIndex < 0 || e.session.RemoteIndex >= len(other.order) {
		return nil
	}
	return other.order[e.session.RemoteIndex]
}

// Times of reading the speakers: when one has been quiet for a while, or has talked for long.
const (
	quiet  = 50 * time.Millisecond
	enough = 2 * time.Second
)

// listen reads what the speakers have come to, whenever they have something new to say.
func (n *Network) listen(ctx context.Context) {
	defer n.ended.Done()
	d := newDecoder()
	var known *map[string][]network.Route
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.dirty:
		case <-timer.C:
		}
		if k := n.known.Load(); k != known {
			known = k
			d.know(k)
		}
		next, waiting := n.read(d)
		if next != nil {
			n.shown.Store(next)
			wake(n.changed)
		}
		if waiting {
			timer.Reset(quiet / 2)
		}
	}
}

// read reads the routers that are due. It returns nil where nothing has changed, and whether others will be due.
func (n *Network) read(d *decoder) (next *routing, waiting bool) {
	shown := n.shown.Load()
	now := time.Now()
	for _, name := range n.names {
		r := n.routers[name]
		if due, later := r.due(now); !due {
			waiting = waiting || later
			continue
		}
		v, err := r.read(d)
		if err != nil {
			n.log.Warn("BGP speaker does not say what it has", "device", name, "error", err)
			continue
		}
		if before := shown.views[name]; before == nil || !before.same(v) {
			next = next.with(shown, name, v)
		}
	}
	return next, waiting
}
