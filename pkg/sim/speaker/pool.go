package speaker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	gobgp "github.com/osrg/gobgp/v3/pkg/server"
)

// Capacity is how many routers all networks of a process can have together. Speakers are started all at once, when
// the first network is, and never ended: starting one writes variables that all running ones read. It takes 50 ms. One
// that waits costs 46 KB and two goroutines, in server.(*BgpServer).Serve and server.newTCPListener.func2 of GoBGP.
const Capacity = 192

// speaker is a BGP speaker. Between networks it has no peers, no routes, and passes nothing.
type speaker struct {
	bgp     *gobgp.BgpServer
	address netip.AddrPort // where it listens
	id      netip.Addr     // the router id that it was started with, see identity
	log     logger
	touched atomic.Pointer[func()] // called after it has handled a message or a change of state
	deeds   atomic.Uint64          // how much it has done that may have changed its routes
	rules   *ruleBook              // that it has; nil: unknown. The directing goroutine's
}

// Observe is called by the speaker after each thing it has done.
func (s *speaker) Observe(op gobgp.FSMOperation, _, _ time.Duration) {
	if op != gobgp.FSMMessage {
		return
	}
	s.deeds.Add(1)
	if f := s.touched.Load(); f != nil {
		(*f)()
	}
}

var pool struct {
	mu      sync.Mutex
	started bool
	free    []*speaker
}

// take hires n speakers.
func take(n int) ([]*speaker, error) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if !pool.started {
		if err := startAll(); err != nil {
			return nil, err
		}
	}
	if n > len(pool.free) {
		return nil, fmt.Errorf("%d routers want to speak BGP, and %d of the process's %d speakers are free: simulate fewer, or without live speakers", n, len(pool.free), Capacity)
	}
	left := len(pool.free) - n
	taken := append([]*speaker(nil), pool.free[left:]...)
	pool.free = pool.free[:left]
	return taken, nil
}

// giveBack returns the speakers that are as they were.
func giveBack(speakers []*speaker) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	pool.free = append(pool.free, speakers...)
}

func startAll() error {
	pool.started = true
	for i := range Capacity {
		s, err := startSpeaker(i)
		if err != nil {
			return fmt.Errorf("BGP speaker %d: %w", i+1, err)
		}
		pool.free = append(pool.free, s)
	}
	return nil
}

// placeholderAS is what every speaker takes for its own AS: a number that no router can have (RFC 7300).
const placeholderAS = 4294967295

// startSpeaker starts the speaker of a number. It listens on 127.49.0.1 and up, on the first port that no other process
// has there.
func startSpeaker(i int) (*speaker, error) {
	addr := netip.AddrFrom4([4]byte{127, 49, byte(i / 250), byte(i%250 + 1)})
	s := &speaker{id: addr}
	s.bgp = gobgp.NewBgpServer(gobgp.LoggerOption(&s.log), gobgp.TimingHookOption(s))
	go s.bgp.Serve()
	var errs error
	for port := uint16(1790); port < 1890; port++ {
		s.address = netip.AddrPortFrom(addr, port)
		if err := portFree(s.address); err != nil {
			errs = err
			continue
		}
		if errs = s.start(); errs == nil {
			return s, s.silence()
		}
	}
	return nil, fmt.Errorf("it finds no port to listen on (live speakers need the loopback addresses that Linux has): %w", errs)
}

func portFree(a netip.AddrPort) error {
	l, err := net.Listen("tcp4", a.String())
	if err != nil {
		return err
	}
	return l.Close()
}

func (s *speaker) start() error {
	return s.bgp.StartBgp(context.Background(), &api.StartBgpRequest{Global: &api.Global{
		Asn:             placeholderAS,
		RouterId:        s.id.String(),
		ListenPort:      int32(s.address.Port()),
		ListenAddresses: []string{s.address.Addr().String()},
		Families:        []uint32{0, 1, 9}, // IPv4 unicast, IPv6 unicast, L2VPN EVPN
		// RFC 4271 §9.1.2.2 f decides by router id among eBGP paths too; the speaker's default is their age.
		RouteSelectionOptions: &api.RouteSelectionOptionsConfig{ExternalCompareRouterId: true},
	}})
}

// The two policies that every speaker has. Both hold the rules of all its neighbors.
const (
	importPolicy = "import"
	exportPolicy = "export"
)

// silence gives a new speaker its policies, and binds them for good.
func (s *speaker) silence() error {
	err := s.setPolicies(&ruleBook{})
	for name, direction := range map[string]api.PolicyDirection{
		importPolicy: api.PolicyDirection_IMPORT,
		exportPolicy: api.PolicyDirection_EXPORT,
	} {
		err = errors.Join(err, s.bgp.SetPolicyAssignment(context.Background(), &api.SetPolicyAssignmentRequest{
			Assignment: &api.PolicyAssignment{
				Name: "global", Direction: direction, DefaultAction: api.RouteAction_REJECT,
				Policies: []*api.Policy{{Name: name}},
			},
		}))
	}
	return err
}

// setPolicies replaces all rules at once, if they are others. Routes are judged by them when they come in or go out next.
func (s *speaker) setPolicies(b *ruleBook) error {
	if s.rules != nil && s.rules.same(b) {
		return nil
	}
	s.rules = nil
	if err := s.replacePolicies(b); err != nil {
		return err
	}
	s.rules = b
	return nil
}

func (s *speaker) replacePolicies(b *ruleBook) error {
	return s.bgp.SetPolicies(context.Background(), &api.SetPoliciesRequest{
		DefinedSets: b.sets(),
		Policies: []*api.Policy{
			{Name: importPolicy, Statements: b.statements(importPolicy)},
			{Name: exportPolicy, Statements: b.statements(exportPolicy)},
		},
	})
}
