package speaker

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// end is one router's end of a session: a peer of its speaker.
type end struct {
	router  *router
	session network.Session
	address netip.Addr // by which the speaker knows the other router
	peer    *api.Peer  // as configured in the speaker; nil: not
	starts  int        // how often it was started anew

	wire        *wire  // nil: nobody to talk to
	partner     *end   // at the other end of the wire
	side        int    // which end of the wire this is; what follows is that of the end on side 0
	boots       uint64 // of the router, when last looked at
	direct      bool   // the session is over one link, or was while it had a path
	connect     bool   // the wire may connect
	interrupted bool   // it could not
	parting     bool   // the session has lost its path because an end was configured in another way

	mu            sync.Mutex
	code, subcode uint8 // of the last NOTIFICATION
	sent          bool
}

// addresses are those by which speakers know each other: 127.48.0.1 and up, each of one end of one session. Nobody
// listens there, so that processes may have the same ones.
var addresses addressBlock

// addressBlock is the addresses of 127.48.0.0/16 but the first.
type addressBlock struct {
	mu   sync.Mutex
	used uint16 // that have ever been taken
	free []netip.Addr
}

// take returns an address that nobody has. It fails where all 65,535 are taken.
func (b *addressBlock) take() (netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.free); n > 0 {
		a := b.free[n-1]
		b.free = b.free[:n-1]
		return a, nil
	}
	if b.used == math.MaxUint16 {
		return netip.Addr{}, fmt.Errorf("all %d loopback addresses for ends of sessions are taken: simulate fewer BGP neighbors, or without live speakers", b.used)
	}
	b.used++
	return netip.AddrFrom4([4]byte{127, 48, byte(b.used >> 8), byte(b.used)}), nil
}

// giveBack lets another end have an address.
func (b *addressBlock) giveBack(a netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, a)
}

// key tells the sessions of a router apart.
func key(s *network.Session) string { return s.Instance + " " + s.Peer.String() }

// Timers of a speaker that are not configured, in seconds. It waits for calls only, so they are never far off.
const retry = 1

// configuration is the peer as its own router has it configured. What the other end has is for the speakers to find out,
// except which AS numbers a dynamic neighbor may have: a speaker takes one or any.
func (e *end) configuration(far *end, reboots uint64) *api.Peer {
	s := &e.session
	hold, keep := seconds(s.Neighbor.HoldTime), seconds(s.Neighbor.KeepAlive)
	p := &api.Peer{
		Conf: &api.PeerConf{
			NeighborAddress: e.address.String(),
			PeerAsn:         e.inside(e.peerAS(far)),
			AllowOwnAsn:     uint32(s.OwnAS),
			AdminDown:       !s.Enabled,
		},
		Transport:    &api.Transport{PassiveMode: true, LocalAddress: e.router.speaker.id.String()},
		EbgpMultihop: &api.EbgpMultihop{Enabled: true, MultihopTtl: 255}, // how far it is, Meet has found out
		Timers: &api.Timers{Config: &api.TimersConfig{
			HoldTime: hold, KeepaliveInterval: keep, ConnectRetry: retry, IdleHoldTimeAfterReset: retry,
		}},
		RouteReflector: &api.RouteReflector{RouteReflectorClient: e.reflected(), RouteReflectorClusterId: e.cluster()},
	}
	for _, f := range s.Families {
		p.AfiSafis = append(p.AfiSafis, &api.AfiSafi{Config: &api.AfiSafiConfig{Family: families[f], Enabled: true}})
	}
	// A speaker starts a session anew when the description changes, but not for these.
	p.Conf.Description = fmt.Sprint(e.reflected(), e.cluster(), hold, keep, reboots, e.starts)
	return p
}

// longest is the longest hold time there is: the speaker takes none at all for its default.
const longest = 65535

func seconds(d time.Duration) uint64 {
	if d <= 0 {
		return longest
	}
	return uint64(d / time.Second)
}

func (e *end) peerAS(far *end) uint32 {
	s := &e.session
	if s.PeerAS != 0 || len(s.AllowedAS) == 0 {
		return s.PeerAS
	}
	if far != nil && slices.ContainsFunc(s.AllowedAS, func(r network.ASRange) bool {
		return r.Low <= far.session.LocalAS && far.session.LocalAS <= r.High
	}) {
		return far.session.LocalAS
	}
	return s.AllowedAS[0].Low
}

// inside returns the AS number of a neighbor as the speaker knows it.
func (e *end) inside(as uint32) uint32 {
	if as == e.session.LocalAS {
		return placeholderAS
	}
	return hidden(as)
}

// reflected tells whether the speaker is told that the neighbor is a client. A reflector tells all internal neighbors where a
// client's route comes from and by way of which clusters (RFC 4456 §8), a speaker its clients only; so all of them are,
// and rules keep from one that is none what others have sent that are none (see nonclient).
func (e *end) reflected() bool {
	return e.session.PeerType == network.IBGP && e.router.reflects() != nil
}

// cluster is the cluster id that routes to the neighbor get. What goes from a client to one that is none gets that of the client.
func (e *end) cluster() string {
	if !e.reflected() {
		return ""
	}
	s := &e.session
	if !s.Client {
		s = e.router.reflects()
	}
	if s.Cluster.Is4() {
		return s.Cluster.String()
	}
	return netip.AddrFrom4(e.identity().outer).String()
}

// configure brings the peer of the speaker to what it should be.
func (e *end) configure(want *api.Peer) (err error) {
	switch {
	case proto.Equal(e.peer, want):
		return nil
	case e.peer == nil:
		err = e.router.speaker.addPeer(want)
	default:
		err = e.router.speaker.updatePeer(want)
	}
	if err != nil {
		return fmt.Errorf("neighbor %s: %w", e.session.Peer, err)
	}
	e.peer = want
	return nil
}

// heard remembers a NOTIFICATION.
func (e *end) heard(code, subcode uint8, sent bool) {
	e.mu.Lock()
	e.code, e.subcode, e.sent = code, subcode, sent
	e.mu.Unlock()
	e.router.touch()
}

// lastHeard returns the last NOTIFICATION.
func (e *end) lastHeard() (code, subcode uint8, sent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.code, e.subcode, e.sent
}
