package speaker

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	"go.uber.org/goleak"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// What the pool has taken to start, and the memory that it has since, in MB.
var (
	poolStart  time.Duration
	poolMemory float64
)

// TestMain starts the pool first: its speakers stay.
func TestMain(m *testing.M) {
	before, start := rss(), time.Now()
	n, err := Start(nil, nil)
	poolStart, poolMemory = time.Since(start), rss()-before
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	n.Close()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

// lab is routers that are cabled, and their speakers.
type lab struct {
	testing.TB
	ctx       context.Context
	routers   map[string]*network.Router
	cables    []network.Cable
	hosts     []network.Host
	outages   network.Outages
	announced map[string][]network.Route // beside what network.Announce finds
	multicast bool                       // bridges announce a type 3 route
	network   *Network
	plant     *network.Plant // of the last update
}

// newLab starts speakers for some routers. Their numbers are their places: router ids 10.0.0.1 and up.
func newLab(t testing.TB, names ...string) *lab {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	l := &lab{TB: t, ctx: ctx, routers: map[string]*network.Router{}, announced: map[string][]network.Route{},
		outages: network.Outages{Cables: map[string]bool{}, Ports: map[network.End]bool{}, Devices: map[string]bool{}}}
	for i, name := range names {
		l.routers[name] = newTestRouter(name, i+1)
	}
	var err error
	var log *slog.Logger
	if os.Getenv("SPEAKER_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if l.network, err = Start(names, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.network.Close)
	return l
}

// newTestRouter is a router with a loopback, and BGP without neighbors. Its AS is 65000 and its number.
func newTestRouter(name string, number int) *network.Router {
	loopback := netip.AddrFrom4([4]byte{10, 0, 0, byte(number)})
	as := uint32(65000 + number)
	return &network.Router{
		Name: name,
		Subinterfaces: []network.Subinterface{{
			Name: "system0.0", Parent: "system0", Kind: network.Loopback, Enabled: true, IPv4: true,
			Addresses: []network.Address{{Prefix: netip.PrefixFrom(loopback, 32)}},
		}},
		Instances: []network.Instance{{
			Name: "default", Kind: network.Default, Enabled: true, RouterID: loopback, Interfaces: []string{"system0.0"},
			BGP: &network.BGP{Enabled: true, AS: as, RouterID: loopback, Families: allFamilies, Multipath: map[network.Family]network.Multipath{}},
		}},
		Policies: network.Policies{Policies: map[string]network.Policy{
			"all": {Default: network.Action{Result: network.Accept}},
		}},
	}
}

func bgpOf(r *network.Router) *network.BGP { return r.Instances[0].BGP }

func loopback(r *network.Router) netip.Addr { return r.Subinterfaces[0].Addresses[0].Prefix.Addr() }

// cable joins two routers by a link of its own: 10.<link>.0.0/31, or without IPv4 addresses.
func (l *lab) cable(a, b string, numbered bool) (subA, subB string) {
	n := len(l.cables) + 1
	ends := [2]string{}
	for i, name := range []string{a, b} {
		r := l.routers[name]
		port := fmt.Sprintf("ethernet-1/%d", n)
		mac := network.MAC{2, 0, byte(n), 0, byte(n >> 8), byte(i + 1)}
		r.Ports = append(r.Ports, network.Port{Name: port, Enabled: true, MAC: mac, Speed: "100G"})
		sub := network.Subinterface{Name: port + ".0", Parent: port, Kind: network.Routed, Enabled: true, IPv4: true, IPv6: true, MAC: mac, LinkLocal: mac.LinkLocal(), RA: true}
		if numbered {
			sub.Addresses = []network.Address{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n), 0, byte(i)}), 31)}}
		}
		r.Subinterfaces = append(r.Subinterfaces, sub)
		slices.SortFunc(r.Subinterfaces, func(x, y network.Subinterface) int { return compare(x.Name, y.Name) })
		slices.SortFunc(r.Subinterfaces, func(x, y network.Subinterface) int {
			return compareBool(y.Kind == network.Loopback, x.Kind == network.Loopback)
		})
		in := &r.Instances[0]
		in.Interfaces = append(in.Interfaces, sub.Name)
		in.UncheckedIPv4 = true
		slices.Sort(in.Interfaces)
		ends[i] = sub.Name
	}
	l.cables = append(l.cables, network.Cable{A: network.End{Device: a, Port: fmt.Sprintf("ethernet-1/%d", n)}, B: network.End{Device: b, Port: fmt.Sprintf("ethernet-1/%d", n)}})
	return ends[0], ends[1]
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	return compareBool(a > b, false)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// neighbor is what a router has configured for another, to be changed.
func neighbor(own, far *network.Router, peer netip.Addr) network.Neighbor {
	return network.Neighbor{
		Peer: peer, Enabled: true, LocalAS: bgpOf(own).AS, PeerAS: bgpOf(far).AS, Families: []network.Family{network.IPv4},
		Import: []string{"all"}, Export: []string{"all"}, RejectImport: true, RejectExport: true, FastFailover: true,
		HoldTime: 90 * time.Second, KeepAlive: 30 * time.Second,
	}
}

// join configures eBGP over a numbered link.
func (l *lab) join(a, b string, change ...func(*network.Neighbor)) {
	l.cable(a, b, true)
	link := byte(len(l.cables))
	for i, pair := range [][2]string{{a, b}, {b, a}} {
		own, far := l.routers[pair[0]], l.routers[pair[1]]
		n := neighbor(own, far, netip.AddrFrom4([4]byte{10, link, 0, byte(1 - i)}))
		for _, f := range change {
			f(&n)
		}
		l.addNeighbor(pair[0], n)
	}
}

func (l *lab) addNeighbor(router string, n network.Neighbor) {
	b := bgpOf(l.routers[router])
	b.Neighbors = append(b.Neighbors, n)
	slices.SortFunc(b.Neighbors, func(x, y network.Neighbor) int { return x.Peer.Compare(y.Peer) })
}

// change replaces a router by a copy that is different.
func (l *lab) change(name string, f func(*network.Router)) {
	r := *l.routers[name]
	r.Instances = slices.Clone(r.Instances)
	b := *r.Instances[0].BGP
	b.Neighbors = slices.Clone(b.Neighbors)
	r.Instances[0].BGP = &b
	f(&r)
	l.routers[name] = &r
}

// update tells the speakers what there is now.
func (l *lab) update() {
	routers := map[string]*network.Router{}
	for name, r := range l.routers {
		routers[name] = r
	}
	p := network.Survey(routers, &network.Wiring{Cables: l.cables, Hosts: l.hosts}, l.outages)
	l.plant = p
	announced := map[string][]network.Route{}
	for _, name := range p.Names {
		announced[name] = append(network.Announce(p, l.network.Routing(), name), l.announced[name]...)
	}
	l.network.Update(p, network.Meet(p, l.network.Routing()), announced)
}

// until updates, as the simulation does whenever something has changed, until something holds.
func (l *lab) until(what string, holds func(network.Routing) bool) {
	l.Helper()
	for {
		l.update()
		if holds(l.network.Routing()) {
			return
		}
		select {
		case <-l.network.Changed():
		case <-l.ctx.Done():
			l.dump()
			l.Fatalf("it never came to this: %s", what)
		}
	}
}

// dump logs what does not stand, and how many paths there are.
func (l *lab) dump() {
	r := l.network.Routing()
	for _, name := range l.network.names {
		for _, s := range r.Sessions(name) {
			if s.State != network.Established {
				l.Logf("%s: neighbor %s: %s %q, path %v, far end %s %d, NOTIFICATION %d/%d sent %v", name, s.Peer, s.State, s.Cause, s.Path, s.Remote, s.RemoteIndex, s.Code, s.Subcode, s.Sent)
			}
		}
		l.Logf("%s: %d IPv4, %d EVPN paths", name, len(r.Paths(name, network.IPv4)), len(r.Paths(name, network.L2EVPN)))
	}
}

// established returns whether all sessions of some routers are.
func established(names ...string) func(network.Routing) bool {
	return func(r network.Routing) bool {
		for _, name := range names {
			sessions := r.Sessions(name)
			if len(sessions) == 0 || slices.ContainsFunc(sessions, func(s network.Session) bool { return s.State != network.Established }) {
				return false
			}
		}
		return true
	}
}

// path returns the best path of a router to a prefix, nil if it has none.
func path(r network.Routing, router, prefix string) *network.Path {
	p := netip.MustParsePrefix(prefix)
	f := network.IPv4
	if p.Addr().Is6() {
		f = network.IPv6
	}
	for _, x := range r.Paths(router, f) {
		if x.Prefix == p && x.Best {
			return &x
		}
	}
	return nil
}

func has(router, prefix string) func(network.Routing) bool {
	return func(r network.Routing) bool { return path(r, router, prefix) != nil }
}

// joinUnnumbered configures eBGP over a link without IPv4 addresses: IPv4 routes with IPv6 next hops.
func (l *lab) joinUnnumbered(a, b string) {
	subA, subB := l.cable(a, b, false)
	link := byte(len(l.cables))
	for i, pair := range [][3]string{{a, b, subA}, {b, a, subB}} {
		mac := network.MAC{2, 0, link, 0, byte(len(l.cables) >> 8), byte(2 - i)}
		n := neighbor(l.routers[pair[0]], l.routers[pair[1]], mac.LinkLocal().WithZone(pair[2]))
		n.Interface = pair[2]
		n.IPv6NextHops.Send, n.IPv6NextHops.Receive = true, true
		l.addNeighbor(pair[0], n)
	}
}

// overlay configures a session between loopbacks, of EVPN.
func (l *lab) overlay(a, b string, change func(own, far string, n *network.Neighbor)) {
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		own, far := l.routers[pair[0]], l.routers[pair[1]]
		n := neighbor(own, far, loopback(far))
		n.Local, n.Families, n.Multihop, n.FastFailover = loopback(own), []network.Family{network.L2EVPN}, 4, false
		change(pair[0], pair[1], &n)
		l.addNeighbor(pair[0], n)
	}
}

// reflect makes a router the reflector of another one, in AS 65000.
func (l *lab) reflect(reflector, client string) {
	l.overlay(reflector, client, func(own, _ string, n *network.Neighbor) {
		n.LocalAS, n.PeerAS, n.Import, n.Export = 65000, 65000, nil, nil
		n.Client = own == reflector
	})
}

// bridge gives a router a MAC-VRF with EVPN, which imports a target.
func (l *lab) bridge(router string, rt network.RT) {
	r := l.routers[router]
	vtep := loopback(r)
	r.Instances = append(r.Instances, network.Instance{
		Name: "bridge", Kind: network.MACVRF, Enabled: true,
		VXLAN: &network.VXLAN{Interface: "vxlan1.10", VNI: 10, Source: vtep},
		EVPN:  &network.EVPN{Enabled: true, EVI: 10, ECMP: 1, RD: network.RD(vtep.String() + ":10"), Import: []network.RT{rt}, Export: []network.RT{rt}, MulticastRoutes: l.multicast},
	})
	slices.SortFunc(r.Instances, func(x, y network.Instance) int {
		return compareBool(y.Kind == network.Default, x.Kind == network.Default)
	})
}

// session returns a router's session with a neighbor.
func session(r network.Routing, router string, peer netip.Addr) network.Session {
	for _, s := range r.Sessions(router) {
		if s.Peer == peer {
			return s
		}
	}
	return network.Session{Neighbor: &network.Neighbor{}}
}

// not fails if something holds before another thing does.
func (l *lab) not(what string, never, until func(network.Routing) bool) {
	l.Helper()
	l.until("the end of waiting", func(r network.Routing) bool {
		if never(r) {
			l.dump()
			l.Fatal(what)
		}
		return until(r)
	})
}

// evpnPaths returns the paths of a router that lead to others' EVPN routes.
func evpnPaths(r network.Routing, router string) (paths []network.Path) {
	for _, p := range r.Paths(router, network.L2EVPN) {
		if p.From >= 0 {
			paths = append(paths, p)
		}
	}
	return paths
}

// starts returns a channel that gets a value for every session of a speaker that comes up from now on.
func (l *lab) starts(router string) <-chan struct{} {
	ctx, cancel := context.WithCancel(l.ctx)
	l.Cleanup(cancel)
	up := make(chan struct{}, 64)
	err := l.network.routers[router].speaker.bgp.WatchEvent(ctx, &api.WatchEventRequest{Peer: &api.WatchEventRequest_Peer{}}, func(r *api.WatchEventResponse) {
		if p := r.GetPeer(); p.GetType() == api.WatchEventResponse_PeerEvent_STATE && p.Peer.State.SessionState == api.PeerState_ESTABLISHED {
			up <- struct{}{}
		}
	})
	if err != nil {
		l.Fatal(err)
	}
	return up
}
