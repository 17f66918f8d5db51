package network

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhoForwardsForASegment(t *testing.T) {
	t.Parallel()
	by := func(n int, df DFElection) candidate { return candidate{addr: podVTEP(n), df: df} }
	prefer := func(v uint32) DFElection { return DFElection{Preference: true, Value: v} }
	for _, tt := range []struct {
		name string
		evi  uint32
		all  []candidate
		want netip.Addr
	}{
		{name: "one router alone does", evi: 7, all: []candidate{by(3, DFElection{})}, want: podVTEP(3)},
		{name: "an even EVI has the first of two", evi: 10, all: []candidate{by(1, DFElection{}), by(2, DFElection{})}, want: podVTEP(1)},
		{name: "an odd EVI has the second of two", evi: 11, all: []candidate{by(1, DFElection{}), by(2, DFElection{})}, want: podVTEP(2)},
		{name: "of three the EVI modulo three counts", evi: 11, all: []candidate{by(1, DFElection{}), by(2, DFElection{}), by(3, DFElection{})}, want: podVTEP(3)},
		{name: "the highest preference wins", evi: 10, all: []candidate{by(1, prefer(1)), by(2, prefer(3)), by(3, prefer(2))}, want: podVTEP(2)},
		{name: "of equal preferences the lowest address wins", evi: 11, all: []candidate{by(1, prefer(5)), by(2, prefer(5))}, want: podVTEP(1)},
		{name: "one that does not prefer makes all go by number", evi: 10, all: []candidate{by(1, DFElection{}), by(2, prefer(9))}, want: podVTEP(1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := elect(tt.all, tt.evi); got != tt.want {
				t.Errorf("%s forwards, want %s", got, tt.want)
			}
		})
	}
}

// elections writes the segments of a router, one election a line.
func elections(st *State) []string {
	var all []string
	for _, es := range st.Segments {
		all = append(all, fmt.Sprintf("%s %v%s %s %d", es.Name, es.Up, es.Reason, es.Algorithm, es.Preference))
		for _, in := range es.Instances {
			all = append(all, fmt.Sprintf("%s %s %v self %v", in.Instance, in.Forwarder, in.Candidates, in.DF))
		}
	}
	return all
}

func TestASegmentFollowsItsPortAndItsPeers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		router string
		bend   func(p *pod)
		edit   func(router string, p *Path)
		want   []string
	}{
		{
			name: "both members are candidates", router: "leaf2",
			want: []string{"es1 true default 0", "web 10.0.0.1 [10.0.0.1 10.0.0.2] self false"},
		},
		{
			name: "the one with the lower address forwards for an even EVI", router: "leaf1",
			want: []string{"es1 true default 0", "web 10.0.0.1 [10.0.0.1 10.0.0.2] self true"},
		},
		{
			name: "each MAC-VRF has an election of its own", router: "leaf1",
			bend: func(p *pod) {
				for _, name := range []string{"leaf1", "leaf2"} {
					r := p.routers[name]
					r.Subinterfaces = append(r.Subinterfaces, podAccess("lag1", 7, VLAN{Tagged: true, Low: 7, High: 7}))
					podInstance(r, "db").Interfaces = append(podInstance(r, "db").Interfaces, "lag1.7")
				}
			},
			want: []string{"es1 true default 0", "db 10.0.0.2 [10.0.0.1 10.0.0.2] self false", "web 10.0.0.1 [10.0.0.1 10.0.0.2] self true"},
		},
		{
			name: "a segment whose LAG is down holds no election", router: "leaf1",
			bend: func(p *pod) { p.outages.Cables["leaf1:ethernet-1/1 - bonded2:eth0"] = true },
			want: []string{"es1 falseassociated-interface-oper-down default 0"},
		},
		{
			name: "the other member is left alone", router: "leaf2",
			bend: func(p *pod) { p.outages.Cables["leaf1:ethernet-1/1 - bonded2:eth0"] = true },
			want: []string{"es1 true default 0", "web 10.0.0.2 [10.0.0.2] self true"},
		},
		{
			name: "a segment that is disabled says so", router: "leaf1",
			bend: func(p *pod) { p.routers["leaf1"].Segments[0].Enabled = false },
			want: []string{"es1 falseadmin-disabled default 0"},
		},
		{
			name: "a segment without an identifier says so", router: "leaf1",
			bend: func(p *pod) { p.routers["leaf1"].Segments[0].ESI = ESI{} },
			want: []string{"es1 falseno-esi default 0"},
		},
		{
			name: "a segment without a port says so", router: "leaf1",
			bend: func(p *pod) { p.routers["leaf1"].Segments[0].Interfaces = nil },
			want: []string{"es1 falseno-associated-interface default 0"},
		},
		{
			name: "a segment without a tunnel endpoint says so", router: "leaf1",
			bend: func(p *pod) { podSub(p.routers["leaf1"], "system0.0").Enabled = false },
			want: []string{"es1 falseno-nexthop-address default 0"},
		},
		{
			name: "a member that is not in the MAC-VRF is no candidate for it", router: "leaf2",
			bend: func(p *pod) {
				podInstance(p.routers["leaf1"], "web").Interfaces = []string{"ethernet-1/2.0", "irb1.10"}
			},
			want: []string{"es1 true default 0", "web 10.0.0.2 [10.0.0.2] self true"},
		},
		{
			name: "it is one where a member counts all that have the segment, whatever is on it", router: "leaf2",
			bend: func(p *pod) {
				podInstance(p.routers["leaf1"], "web").Interfaces = []string{"ethernet-1/2.0", "irb1.10"}
				p.routers["leaf1"].Segments[0].DF = DFElection{Preference: true, Value: 200}
				p.routers["leaf2"].Segments[0].DF = DFElection{Preference: true, Value: 100, AnyCircuit: true}
			},
			want: []string{"es1 true preference 100", "web 10.0.0.1 [10.0.0.1 10.0.0.2] self false"},
		},
		{
			name: "and where the other member does", router: "leaf2",
			bend: func(p *pod) {
				podInstance(p.routers["leaf1"], "web").Interfaces = []string{"ethernet-1/2.0", "irb1.10"}
				p.routers["leaf1"].Segments[0].DF = DFElection{Preference: true, Value: 200, AnyCircuit: true}
				p.routers["leaf2"].Segments[0].DF = DFElection{Preference: true, Value: 100}
			},
			want: []string{"es1 true preference 100", "web 10.0.0.1 [10.0.0.1 10.0.0.2] self false"},
		},
		{
			name: "members that do not hear each other both forward", router: "leaf2",
			edit: func(_ string, p *Path) { p.Valid = p.Type != EthernetSegmentRoute },
			want: []string{"es1 true default 0", "web 10.0.0.2 [10.0.0.2] self true"},
		},
		{
			name: "different identifiers make different segments", router: "leaf2",
			bend: func(p *pod) { p.routers["leaf1"].Segments[0].ESI[9] = 77 },
			want: []string{"es1 true default 0", "web 10.0.0.2 [10.0.0.2] self true"},
		},
		{
			name: "the preferred member forwards", router: "leaf1",
			bend: func(p *pod) {
				p.routers["leaf1"].Segments[0].DF = DFElection{Preference: true, Value: 100}
				p.routers["leaf2"].Segments[0].DF = DFElection{Preference: true, Value: 200}
			},
			want: []string{"es1 true preference 100", "web 10.0.0.2 [10.0.0.1 10.0.0.2] self false"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pod := newPod(2)
			if tt.bend != nil {
				tt.bend(pod)
			}
			p, r := pod.flood(tt.edit)
			if diff := cmp.Diff(tt.want, elections(Observe(p, r, tt.router))); diff != "" {
				t.Error("segments (-want +got):\n", diff)
			}
		})
	}
}

func TestASegmentIsReachedThroughThoseThatJoinedIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		bend func(p *pod)
		edit func(router string, p *Path)
		want []netip.Addr
	}{
		{name: "through both, even if one alone announces the host", bend: func(p *pod) { p.deaf = "leaf1" }, want: []netip.Addr{podVTEP(1), podVTEP(2)}},
		{name: "through as many as the instance uses", bend: func(p *pod) { podInstance(p.routers["leaf3"], "web").EVPN.ECMP = 1 }, want: []netip.Addr{podVTEP(1)}},
		{
			name: "not through one that has withdrawn its A-D route per segment",
			edit: func(_ string, p *Path) { p.Valid = p.Tag != MaxET || p.Origin != "leaf1" },
			want: []netip.Addr{podVTEP(2)},
		},
		{
			name: "not through one that has withdrawn its A-D route per EVI",
			edit: func(_ string, p *Path) { p.Valid = p.Type != EthernetAD || p.Tag == MaxET || p.Origin != "leaf2" },
			want: []netip.Addr{podVTEP(1)},
		},
		{name: "through the forwarder alone, if it is single-active", bend: (*pod).singleActive, want: []netip.Addr{podVTEP(1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pod := newPod(4)
			if tt.bend != nil {
				tt.bend(pod)
			}
			p, r := pod.flood(tt.edit)
			got := tunnelOf(Observe(p, r, "leaf3"), "vxlan1.10010").Segments
			var want []Destination
			for _, a := range tt.want {
				want = append(want, Destination{VTEP: a, VNI: 10010})
			}
			if diff := cmp.Diff([]SegmentDestination{{ESI: bondESI, VTEPs: want, MACs: 1}}, got, addresses); diff != "" {
				t.Error("segments (-want +got):\n", diff)
			}
		})
	}
}

// addresses and prefixes are compared by ==.
var addresses = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

var prefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func tunnelOf(st *State, name string) TunnelState {
	i := slices.IndexFunc(st.Tunnels, func(t TunnelState) bool { return t.Interface == name })
	return st.Tunnels[i]
}
