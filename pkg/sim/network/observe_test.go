package network

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestImportsAreWhatAnInstanceOrASegmentIsFor(t *testing.T) {
	t.Parallel()
	pod := newPod(4)
	podInstance(pod.routers["leaf1"], "db").EVPN.Enabled = false
	imports := Imports(pod.survey(), "leaf1")
	for _, tt := range []struct {
		name  string
		route Route
		want  bool
	}{
		{name: "the target of an instance", route: Route{NLRI: NLRI{Type: MACIP}, Targets: []RT{"1:1", "65000:10010"}}, want: true},
		{name: "a foreign target", route: Route{NLRI: NLRI{Type: MACIP}, Targets: []RT{"1:1"}}},
		{name: "the target of an instance without EVPN", route: Route{NLRI: NLRI{Type: MACIP}, Targets: []RT{"65000:10011"}}},
		{name: "no target", route: Route{NLRI: NLRI{Type: IPPrefix}}},
		{name: "the own segment", route: Route{NLRI: NLRI{Type: EthernetSegmentRoute}, ESImport: esImport(bondESI)}, want: true},
		{name: "another segment", route: Route{NLRI: NLRI{Type: EthernetSegmentRoute}, ESImport: MAC{9}}},
		{name: "a segment's route does not go by targets", route: Route{NLRI: NLRI{Type: EthernetSegmentRoute}, Targets: []RT{"65000:10010"}}},
	} {
		if got := imports(&tt.route); got != tt.want {
			t.Errorf("%s: imported %v, want %v", tt.name, got, tt.want)
		}
	}
	if Imports(pod.survey(), "spine1")(&Route{NLRI: NLRI{Type: MACIP}, Targets: []RT{"65000:10010"}}) {
		t.Error("a spine has no use for a route of its own")
	}
}

func TestAnInstanceThatIsDisabledShowsNothing(t *testing.T) {
	t.Parallel()
	pod := newPod(2)
	podInstance(pod.routers["leaf1"], "web").Enabled = false
	podInstance(pod.routers["leaf1"], "red").Enabled = false
	p, r := pod.flood(nil)
	st := Observe(p, r, "leaf1")
	for _, name := range []string{"web", "red"} {
		in := st.Instances[name]
		if in.Up || in.Reason != "admin-down" || len(in.MACs)+len(in.Routes) > 0 {
			t.Errorf("%s: %+v", name, in)
		}
	}
	if !st.Instances["db"].Up {
		t.Error("db is down too")
	}
}

// randomPod is a pod with faults.
func randomPod(t *rapid.T) *pod {
	p := newPod(2 * rapid.IntRange(1, 3).Draw(t, "pairs"))
	for _, c := range p.wiring.Cables {
		if rapid.IntRange(0, 5).Draw(t, "cut") == 0 {
			p.outages.Cables[c.String()] = true
		}
	}
	if twin := rapid.SampledFrom([]string{"server1", "server2", "bonded2"}).Draw(t, "twin"); twin != "server1" {
		p.clone("server1", twin)
	}
	for n := 1; n < len(p.routers); n++ {
		bend(t, p.routers[fmt.Sprintf("leaf%d", n)])
	}
	return p
}

func bend(t *rapid.T, leaf *Router) {
	off := func(what string) bool { return rapid.IntRange(0, 7).Draw(t, what) == 0 }
	leaf.Segments[0].Enabled = !off("segment")
	leaf.Segments[0].SingleActive = off("single-active")
	podInstance(leaf, "web").EVPN.Enabled = !off("evpn")
	podInstance(leaf, "web").Enabled = !off("instance")
	podSub(leaf, "irb1.10").Enabled = !off("gateway")
	podSub(leaf, "system0.0").Enabled = !off("loopback")
}

func TestEveryRemoteMACAddressIsLocalWhereItLeads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, r := randomPod(t).flood(nil)
		seen := map[string]map[MAC]MACEntry{}
		for _, name := range p.Names {
			seen[name] = map[MAC]MACEntry{}
			for _, e := range Observe(p, r, name).Instances["web"].MACs {
				seen[name][e.MAC] = e
			}
		}
		for name, table := range seen {
			for mac, e := range table {
				if !e.VTEP.IsValid() {
					continue
				}
				far := fmt.Sprintf("leaf%d", e.VTEP.As4()[3])
				if local, ok := seen[far][mac]; !ok || local.Subinterface == "" {
					t.Errorf("%s has %s at %s, which has %+v", name, mac, far, local)
				}
			}
		}
	})
}

func TestTheMembersOfASegmentAgreeOnWhoForwards(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, r := randomPod(t).flood(nil)
		forwarders := map[string]SegmentInstance{}
		for _, name := range p.Names {
			for i, es := range Observe(p, r, name).Segments {
				for _, in := range es.Instances {
					key := fmt.Sprint(p.Routers[name].Segments[i].ESI, in.Instance)
					if old, ok := forwarders[key]; ok && old.Forwarder != in.Forwarder {
						t.Errorf("%s: %s and %s both forward", key, old.Forwarder, in.Forwarder)
					}
					forwarders[key] = in
				}
			}
		}
	})
}

func TestNoRouteIsAnnouncedTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := randomPod(t).survey()
		for _, name := range p.Names {
			seen := map[NLRI]bool{}
			for _, r := range Originate(p, name) {
				if seen[r.NLRI] {
					t.Errorf("%s: %s twice", name, r.summary())
				}
				seen[r.NLRI] = true
			}
		}
	})
}

func TestObserveAndOriginateDependOnNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pod := randomPod(t)
		p, r := pod.flood(nil)
		q, s := pod.flood(nil)
		for _, name := range p.Names {
			if a, b := Originate(p, name), Originate(q, name); !reflect.DeepEqual(a, b) {
				t.Error("routes differ:\n", cmp.Diff(evpnRoutes(a), evpnRoutes(b)))
			}
			if a, b := Observe(p, r, name), Observe(q, s, name); !reflect.DeepEqual(a, b) {
				t.Error("states differ:\n", cmp.Diff(a, b, addresses, prefixes))
			}
		}
	})
}
