package speaker

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	api "github.com/osrg/gobgp/v3/api"

	"github.com/loomfabric/loom/pkg/sim/network"
)

var (
	aOnLink = netip.MustParseAddr("10.1.0.0")
	bOnLink = netip.MustParseAddr("10.1.0.1")
)

func TestRoutersExchangeTheirLoopbacksOverEBGP(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.join("a", "b")
	l.until("both have the other's loopback", func(r network.Routing) bool {
		return has("b", "10.0.0.1/32")(r) && has("a", "10.0.0.2/32")(r)
	})
	r := l.network.Routing()
	p := path(r, "b", "10.0.0.1/32")
	if p.NextHop != aOnLink || !slices.Equal(p.ASPath, []uint32{65001}) || p.Origin != "a" {
		t.Errorf("a's loopback comes by %s and %v from %q, want %s and 65001 from a", p.NextHop, p.ASPath, p.Origin, aOnLink)
	}
	s := session(r, "b", aOnLink)
	if s.PeerID != netip.MustParseAddr("10.0.0.1") || s.HoldTime != 90 || s.KeepAlive != 30 || s.Cause != "" {
		t.Errorf("session %+v", s)
	}
	// a announces its loopback and its link; b sends the loopback, and a's not back.
	if got, want := r.Counts("b", 0, network.IPv4), (network.Counts{Received: 2, Active: 1, Sent: 2}); got != want {
		t.Errorf("b counts %+v, want %+v", got, want)
	}
}

func TestASessionTakesTheLowerHoldTime(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.join("a", "b", func(n *network.Neighbor) {
		if n.Peer == bOnLink {
			n.HoldTime, n.KeepAlive = 9*time.Second, 3*time.Second
		}
	})
	l.until("the session stands", established("a", "b"))
	for router, peer := range map[string]netip.Addr{"a": bOnLink, "b": aOnLink} {
		if s := session(l.network.Routing(), router, peer); s.HoldTime != 9 || s.KeepAlive != 3 {
			t.Errorf("%s: hold time %d s, keepalive %d s, want 9 and 3", router, s.HoldTime, s.KeepAlive)
		}
	}
}

// RFC 4271 §6.2, RFC 6286 §2.2: the speakers find out.
func TestAnOpenThatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change  func(*lab)
		subcode uint8
	}{
		"a wrong AS number": {func(l *lab) { bgpOf(l.routers["a"]).Neighbors[0].PeerAS = 65099 }, 2},
		"a dynamic neighbor with an AS number that is not allowed": {func(l *lab) {
			n := &bgpOf(l.routers["a"]).Neighbors[0]
			n.PeerAS, n.AllowedAS = 0, []network.ASRange{{Low: 65100, High: 65200}}
		}, 2},
		"a router id that both have": {func(l *lab) {
			for _, r := range l.routers {
				b := bgpOf(r)
				b.RouterID = netip.MustParseAddr("10.9.9.9")
				b.Neighbors[0].LocalAS, b.Neighbors[0].PeerAS = 65000, 65000
			}
		}, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "a", "b")
			l.join("a", "b")
			test.change(l)
			refused := func(router string, peer netip.Addr) func(network.Routing) bool {
				return func(r network.Routing) bool {
					s := session(r, router, peer)
					return s.Code == 2 && s.Subcode == test.subcode && s.State != network.Established
				}
			}
			l.not("the session stands", established("a"), refused("a", bOnLink))
			if test.subcode == 2 {
				l.until("b was told", refused("b", aOnLink))
				r := l.network.Routing()
				if !session(r, "a", bOnLink).Sent || session(r, "b", aOnLink).Sent {
					t.Error("it was a that refused")
				}
			}
		})
	}
}

func TestASessionThatCannotBeStaysDown(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*lab)
		cause  string
	}{
		"different keys": {func(l *lab) { bgpOf(l.routers["a"]).Neighbors[0].Key = "secret" }, "authentication keys differ"},
		"both wait": {func(l *lab) {
			bgpOf(l.routers["a"]).Neighbors[0].Passive, bgpOf(l.routers["b"]).Neighbors[0].Passive = true, true
		}, "both ends wait to be connected to"},
		"not enabled":               {func(l *lab) { bgpOf(l.routers["a"]).Neighbors[0].Enabled = false }, "admin-disabled"},
		"the other end not enabled": {func(l *lab) { bgpOf(l.routers["b"]).Neighbors[0].Enabled = false }, "peer is admin-disabled"},
		"nobody at the other end":   {func(l *lab) { bgpOf(l.routers["b"]).Neighbors = nil }, "peer has no such neighbor"},
		"in another instance": {func(l *lab) {
			r := l.routers["a"]
			in := r.Instances[0]
			in.Name, in.Kind, in.Interfaces = "tenant", network.IPVRF, []string{"ethernet-1/1.0"}
			r.Instances[0].BGP, r.Instances[0].Interfaces = nil, []string{"system0.0"}
			r.Instances = append(r.Instances, in)
		}, "BGP in network instance tenant is not simulated by live speakers"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "a", "b", "c", "d")
			l.join("a", "b")
			l.join("c", "d")
			test.change(l)
			l.not("the session stands", established("a"), established("c", "d"))
			l.until("the cause", func(r network.Routing) bool { return session(r, "a", bOnLink).Cause == test.cause })
		})
	}
}

// RFC 8212, as SR Linux has it by default.
func TestARouteNeedsPoliciesToPassOverEBGP(t *testing.T) {
	t.Parallel()
	for _, missing := range []string{"none", "export", "import"} {
		t.Run(missing, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "a", "b")
			l.join("a", "b", func(n *network.Neighbor) {
				switch {
				case missing == "export" && n.Peer == bOnLink:
					n.Export = nil
				case missing == "import" && n.Peer == aOnLink:
					n.Import = nil
				}
			})
			there := has("b", "10.0.0.1/32")
			back := has("a", "10.0.0.2/32")
			if missing == "none" {
				l.until("a's route is at b", there)
				return
			}
			l.not("a's route is at b", there, back)
			if missing == "import" {
				l.until("b shows what it rejects", func(r network.Routing) bool { return r.Counts("b", 0, network.IPv4).Rejected == 2 })
			}
		})
	}
}

// RFC 8950 §4, RFC 2545 §3.
func TestUnnumberedLinksCarryIPv4WithIPv6NextHops(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.joinUnnumbered("a", "b")
	l.until("b has a's loopback", has("b", "10.0.0.1/32"))
	s := l.network.Routing().Sessions("b")[0]
	if p := path(l.network.Routing(), "b", "10.0.0.1/32"); p.NextHop != s.Peer || p.NextHop.Zone() != "ethernet-1/1.0" {
		t.Errorf("next hop %s, want the neighbor %s", p.NextHop, s.Peer)
	}
}

func TestIPv4RoutesDoNotGoOverIPv6WithoutLeave(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.joinUnnumbered("a", "b")
	bgpOf(l.routers["b"]).Neighbors[0].IPv6NextHops.Receive = false
	l.not("b has a's loopback", has("b", "10.0.0.1/32"), has("a", "10.0.0.2/32"))
}

func TestParallelSessionsAreSessionsOfTheirOwn(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.join("a", "b")
	l.join("a", "b")
	l.until("b has both ways", func(r network.Routing) bool { return len(viaOf(r, "b", "10.0.0.1/32")) == 2 })
	want := []string{"10.1.0.0", "10.2.0.0"}
	if got := viaOf(l.network.Routing(), "b", "10.0.0.1/32"); !cmp.Equal(got, want) {
		t.Errorf("next hops %v, want %v", got, want)
	}
	l.outages.Cables[l.cables[0].String()] = true
	l.until("one way is left", func(r network.Routing) bool { return cmp.Equal(viaOf(r, "b", "10.0.0.1/32"), want[1:]) })
}

// viaOf are the next hops of all paths to a prefix.
func viaOf(r network.Routing, router, prefix string) (hops []string) {
	for _, p := range r.Paths(router, network.IPv4) {
		if p.Prefix.String() == prefix && p.From >= 0 {
			hops = append(hops, p.NextHop.String())
		}
	}
	slices.Sort(hops)
	return hops
}

func TestACutLinkEndsItsSessionAtOnceAndComesBack(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.join("a", "b")
	l.until("b has a's loopback", has("b", "10.0.0.1/32"))
	cut := time.Now()
	l.outages.Cables[l.cables[0].String()] = true
	l.until("it is gone", func(r network.Routing) bool { return !has("b", "10.0.0.1/32")(r) && !established("a")(r) })
	if s := l.network.Routing().Sessions("a")[0]; s.Code != 0 {
		t.Errorf("NOTIFICATION %d/%d over a cut link", s.Code, s.Subcode)
	}
	l.outages.Cables = map[string]bool{}
	l.until("it is back", has("b", "10.0.0.1/32"))
	if d := time.Since(cut); d > 30*time.Second {
		t.Errorf("all of it took %s: the hold timer decided", d)
	}
}

// overloopbacks are a and b with a router in between, and a session between their loopbacks with a hold time of 3 s.
func overLoopbacks(t *testing.T) *lab {
	l := newLab(t, "a", "x", "b")
	l.join("a", "x")
	l.join("x", "b")
	l.overlay("a", "b", func(_, _ string, n *network.Neighbor) {
		n.LocalAS, n.PeerAS, n.HoldTime, n.KeepAlive = 65000, 65000, 3*time.Second, time.Second
	})
	l.bridge("b", "65000:10")
	l.until("the sessions stand", established("a", "b"))
	return l
}

// A better route may lead through the AS of a neighbor, who is then not told of it. What it was told before is withdrawn: left
// with it, the neighbor would send packets where they come back from.
func TestANeighborDoesNotKeepARouteWhosePathNowHasItsAS(t *testing.T) {
	t.Parallel()
	const target = "10.0.0.6/32"
	l := newLab(t, "one", "two", "middle", "long", "way", "target")
	bgpOf(l.routers["one"]).AS, bgpOf(l.routers["two"]).AS = 65000, 65000
	l.join("one", "middle")
	l.join("two", "middle")
	l.join("middle", "long")
	l.join("long", "way")
	l.join("way", "target")
	l.join("two", "target")
	short := l.cables[5].String()
	l.outages.Cables[short] = true
	l.until("one hears of the target by the long way", has("one", target))
	l.outages.Cables = map[string]bool{}
	l.until("the target is reached by two, in the AS of one, and one has nothing of it", func(r network.Routing) bool {
		p := path(r, "middle", target)
		return p != nil && len(p.ASPath) == 2 && path(r, "one", target) == nil
	})
	for i, s := range l.network.Routing().Sessions("middle") {
		if s.RemoteAS != s.PeerAS {
			t.Errorf("neighbor %d is shown in AS %d, and is in %d", i, s.RemoteAS, s.PeerAS)
		}
	}
}

func TestASessionOverSeveralHopsOutlivesAnOutageByTheHoldTime(t *testing.T) {
	t.Parallel()
	l := overLoopbacks(t)
	b := loopback(l.routers["b"])
	l.outages.Cables[l.cables[1].String()] = true
	l.until("the path is lost", func(r network.Routing) bool { return !session(r, "a", b).Path })
	if s := session(l.network.Routing(), "a", b); s.State != network.Established {
		t.Fatalf("the session is %s before the hold time is over", s.State)
	}
	l.until("the hold timer ends it", func(r network.Routing) bool {
		s := session(r, "a", b)
		return s.State != network.Established && s.Code == 4 && s.Sent
	})
	l.outages.Cables = map[string]bool{}
	l.until("it comes back", func(r network.Routing) bool { return session(r, "a", b).State == network.Established })
}

func TestASessionOverSeveralHopsSurvivesAShortOutage(t *testing.T) {
	t.Parallel()
	l := overLoopbacks(t)
	b := loopback(l.routers["b"])
	l.outages.Cables[l.cables[1].String()] = true
	l.until("the path is lost", func(r network.Routing) bool { return !session(r, "a", b).Path })
	l.outages.Cables = map[string]bool{}
	l.not("the session went down", func(r network.Routing) bool { return session(r, "a", b).State != network.Established },
		func(r network.Routing) bool { return session(r, "a", b).Path })
	l.announced["a"] = []network.Route{hostRoute(l.routers["a"], 1, "65000:10")}
	l.not("the session went down", func(r network.Routing) bool { return session(r, "a", b).State != network.Established },
		func(r network.Routing) bool { return len(evpnPaths(r, "b")) == 1 })
}

func TestARebootEndsAllSessionsOfARouter(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.join("a", "b")
	l.until("the session stands", established("a", "b"))
	starts := l.starts("a")
	l.change("a", func(r *network.Router) { r.Boots++ })
	l.update()
	select {
	case <-starts:
	case <-l.ctx.Done():
		t.Fatal("the session has not started anew")
	}
}

func TestARouterThatIsSwitchedOffIsGone(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.join("a", "b")
	l.until("b has a's loopback", has("b", "10.0.0.1/32"))
	l.outages.Devices["a"] = true
	l.until("it is gone", func(r network.Routing) bool { return !has("b", "10.0.0.1/32")(r) && len(r.Sessions("a")) == 0 })
	if s := l.network.Routing().Sessions("b")[0]; s.Code != 0 {
		t.Errorf("NOTIFICATION %d/%d from a router without power", s.Code, s.Subcode)
	}
	l.outages.Devices = map[string]bool{}
	l.until("it is back", has("b", "10.0.0.1/32"))
}

// RFC 4486: who changes the configuration of a session says so.
func TestANeighborThatIsDisabledSaysGoodbye(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.join("a", "b")
	l.until("the session stands", established("a", "b"))
	l.change("a", func(r *network.Router) { bgpOf(r).Neighbors[0].Enabled = false })
	l.until("b was told", func(r network.Routing) bool {
		s := session(r, "b", aOnLink)
		return s.Code == 6 && s.Subcode == 2 && !s.Sent && s.State != network.Established
	})
}

// An eBGP session without multihop has no path between loopbacks. That this is so because a was configured in another way
// must not keep a's farewell from b.
func TestANeighborThatGetsAnotherASSaysGoodbye(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "x", "b")
	l.join("a", "x")
	l.join("x", "b")
	l.overlay("a", "b", func(_, _ string, n *network.Neighbor) { n.LocalAS, n.PeerAS, n.HoldTime = 65000, 65000, time.Hour })
	l.bridge("b", "65000:10")
	l.until("the sessions stand", established("a", "b"))
	peer := loopback(l.routers["b"])
	l.change("a", func(r *network.Router) {
		for i := range bgpOf(r).Neighbors {
			if n := &bgpOf(r).Neighbors[i]; n.Peer == peer {
				n.PeerAS = 64999
			}
		}
	})
	l.until("b was told", func(r network.Routing) bool {
		s := session(r, "b", loopback(l.routers["a"]))
		return s.Code == 6 && !s.Sent && s.State != network.Established
	})
}

func TestAnUpdateThatChangesNothingChangesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.join("a", "b")
	l.until("b has a's loopback", has("b", "10.0.0.1/32"))
	l.change("b", func(r *network.Router) { bgpOf(r).Neighbors[0].Text = "another description" })
	version := l.network.Routing().Version("a")
	l.until("b's description is shown", func(r network.Routing) bool { return session(r, "b", aOnLink).Text != "" })
	if now := l.network.Routing().Version("a"); now != version {
		t.Errorf("a has version %d after %d, and nothing of it has changed", now, version)
	}
	if s := session(l.network.Routing(), "b", aOnLink); s.Code != 0 || s.State != network.Established {
		t.Errorf("the session was touched: %+v", s)
	}
}

func TestOnlyConfiguredAddressesAreShown(t *testing.T) {
	t.Parallel()
	l := overLoopbacks(t)
	l.until("b has a's loopback", has("b", "10.0.0.1/32"))
	internal := netip.MustParsePrefix("127.0.0.0/8")
	check := func(what string, a netip.Addr) {
		if internal.Contains(a) {
			t.Errorf("%s: %s", what, a)
		}
	}
	r := l.network.Routing()
	for name := range l.routers {
		for _, s := range r.Sessions(name) {
			check("peer", s.Peer)
			check("local address", s.LocalAddress)
			check("peer id", s.PeerID)
		}
		for _, f := range allFamilies {
			for _, p := range r.Paths(name, f) {
				check("next hop of "+fmt.Sprint(p.Prefix), p.NextHop)
				check("originator", p.Originator)
			}
		}
	}
}

func TestThereIsAnEndToTheSpeakers(t *testing.T) {
	t.Parallel()
	n, err := Start(make([]string, Capacity+1), nil)
	if err == nil {
		n.Close()
		t.Fatal("more routers than speakers")
	}
}

func TestCloseLeavesSpeakersAsTheyWere(t *testing.T) { // not in parallel: nobody else may hire them
	l := newLab(t, "a", "b")
	l.join("a", "b")
	l.until("b has a's loopback", has("b", "10.0.0.1/32"))
	var speakers []*speaker
	for _, r := range l.network.routers {
		speakers = append(speakers, r.speaker)
	}
	l.network.Close()
	if has("b", "10.0.0.1/32")(l.network.Routing()) == false {
		t.Error("what was last seen is gone")
	}
	for _, s := range speakers {
		if err := s.peers(func(p *api.Peer) { t.Errorf("speaker %s still has neighbor %s", s.id, p.Conf.NeighborAddress) }); err != nil {
			t.Error(err)
		}
		for _, f := range allFamilies {
			if err := s.table(f, func(d *api.Destination) { t.Errorf("speaker %s still has route %s", s.id, d.Prefix) }); err != nil {
				t.Error(err)
			}
		}
	}
}
