package network

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhatOneAnnouncesArrivesByBGP goes from configuration to tables: links, sessions, routes, and what
// follows. Where BGP works, everybody has what everybody announces.
func TestWhatOneAnnouncesArrivesByBGP(t *testing.T) {
	t.Parallel()
	pod := newPod(4)
	best, hears := pod.flood(nil)
	p := pod.survey()
	r := Compute(p)
	for _, name := range p.Names {
		got, want := Observe(p, r, name), Observe(best, hears, name)
		for _, s := range got.Sessions {
			if s.State != Established {
				t.Errorf("%s: session to %s is %s: %s", name, s.Peer, s.State, s.Cause)
			}
		}
		for _, instance := range []string{"web", "db"} {
			if diff := cmp.Diff(macs(want, instance), macs(got, instance)); diff != "" {
				t.Errorf("%s: bridge table of %s (-want +got):\n%s", name, instance, diff)
			}
		}
		if diff := cmp.Diff(table(want, "red"), table(got, "red")); diff != "" {
			t.Errorf("%s: route table (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff([]any{want.Tunnels, want.VTEPs, want.Segments, want.Neighbors}, []any{got.Tunnels, got.VTEPs, got.Segments, got.Neighbors}, addresses, prefixes); diff != "" {
			t.Errorf("%s: tunnels, segments and neighbors (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheDefaultInstanceRoutesToAllTunnelEndpoints(t *testing.T) {
	t.Parallel()
	p := newPod(2).survey()
	want := []string{
		"10.0.0.1/32 host 0 system0.0",
		"10.0.0.2/32 bgp 170 ethernet-1/49.0",
		"10.0.234.96/32 bgp 170 ethernet-1/49.0",
		"10.1.1.0/31 local 0 ethernet-1/49.0",
		"10.1.1.0/32 host 0 ethernet-1/49.0",
		"10.1.2.0/31 bgp 170 ethernet-1/49.0",
	}
	if diff := cmp.Diff(want, table(Observe(p, Compute(p), "leaf1"), "default")); diff != "" {
		t.Error("route table (-want +got):\n", diff)
	}
}

// TestWhatBreaksAnOverlay bends one detail of a pod, after which leaf1 has no way to the others.
func TestWhatBreaksAnOverlay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		bend func(p *pod)
	}{
		{name: "a spine that keeps no routes of other AS", bend: func(p *pod) { podInstance(p.routers["spine1"], "default").BGP.InterAS = false }},
		{name: "a wrong AS", bend: func(p *pod) { podInstance(p.routers["leaf1"], "default").BGP.Neighbors[0].PeerAS = 64999 }},
		{name: "a cut cable", bend: func(p *pod) { p.outages.Cables["leaf1:ethernet-1/49 - spine1:ethernet-1/1"] = true }},
		{name: "a family that is missing", bend: func(p *pod) {
			podInstance(p.routers["leaf1"], "default").BGP.Neighbors[0].Families = []Family{IPv4}
		}},
		{name: "an underlay without routes to tunnel endpoints", bend: func(p *pod) {
			podInstance(p.routers["leaf1"], "default").BGP.Neighbors[0].Families = []Family{L2EVPN}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pod := newPod(4)
			tt.bend(pod)
			p := pod.survey()
			st := Observe(p, Compute(p), "leaf1")
			for _, line := range macs(st, "web") {
				if strings.Contains(line, " evpn") {
					t.Error("bridge table has", line)
				}
			}
			if len(st.VTEPs) > 0 || len(tunnelOf(st, "vxlan1.10010").Multicast) > 0 {
				t.Errorf("tunnels to %v, %v", st.VTEPs, tunnelOf(st, "vxlan1.10010").Multicast)
			}
			if got := elections(st); !slices.Contains(got, "web 10.0.0.1 [10.0.0.1] self true") {
				t.Errorf("a router that is alone forwards: %v", got)
			}
		})
	}
}

func TestCountsAreThoseOfEachFamilyOfASession(t *testing.T) {
	t.Parallel()
	p := newPod(2).survey()
	r := Compute(p)
	st := Observe(p, r, "spine1")
	if len(st.Sessions) != 2 || len(st.Counts) != 2 {
		t.Fatalf("%d sessions, %d counts", len(st.Sessions), len(st.Counts))
	}
	for i, counts := range st.Counts {
		if got := slices.Sorted(maps.Keys(counts)); !slices.Equal(got, []Family{IPv4, L2EVPN}) {
			t.Errorf("session %d counts families %v", i, got)
		}
		name := fmt.Sprintf("leaf%d", i+1)
		if got, want := counts[L2EVPN].Received, len(evpnRoutes(Originate(p, name))); got != want {
			t.Errorf("%d EVPN routes of %s, which announces %d", got, name, want)
		}
	}
}

// BenchmarkObserve is one leaf of a fabric of a thousand.
func BenchmarkObserve(b *testing.B) {
	p := newPod(1000).survey()
	r := Compute(p)
	r.Paths("leaf1", L2EVPN)
	for b.Loop() {
		Observe(p, r, "leaf1")
	}
}

func BenchmarkOriginate(b *testing.B) {
	p := newPod(2).survey()
	for b.Loop() {
		Originate(p, "leaf1")
	}
}
