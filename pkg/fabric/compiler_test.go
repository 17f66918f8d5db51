package fabric

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
)

// text is a design's canonical form for comparisons.
func text(t interface{ Fatal(...any) }, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestACompilerRedoesOnlyWhatAChangeTouches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(in *intent.Topology)
		want []string // devices decided anew
	}{
		{"nothing", func(*intent.Topology) {}, nil},
		{"another order of everything", func(in *intent.Topology) { shuffle(in, rand.New(rand.NewPCG(1, 2))) }, nil},
		{"a device's label", func(in *intent.Topology) { device(in, "dc-leaf3").Labels = []string{"gpu"} }, []string{"dc-leaf3"}},
		{"a device's management address", func(in *intent.Topology) { device(in, "dc-leaf3").Management = "192.0.2.1" }, []string{"dc-leaf3"}},
		{"a leaf's AS number", func(in *intent.Topology) { device(in, "dc-leaf3").Asn = 4200019999 }, []string{"dc-spine1", "dc-spine2", "dc-leaf3"}},
		{"a leaf's loopback", func(in *intent.Topology) { device(in, "dc-leaf3").Loopback = "10.1.40.3" }, []string{"dc-spine1", "dc-spine2", "dc-leaf3"}},
		{"a new leaf", func(in *intent.Topology) {
			in.Sites[0].Devices = append(in.Sites[0].Devices, newDevice(in.Sites[0], intent.Role_ROLE_LEAF, 9, "7220-IXR-D2L"))
		}, []string{"dc-spine1", "dc-spine2", "dc-leaf9"}},
		{"a listed cable", func(in *intent.Topology) {
			in.Cables = append(in.Cables, cableBetween("dc-leaf3:ethernet-1/55", "dc-spine2:ethernet-1/30"))
		}, []string{"dc-spine2", "dc-leaf3"}},
		{"a server's cable", func(in *intent.Topology) {
			in.Cables = append(in.Cables, cableBetween("server:web1:eth0", "dc-leaf1:ethernet-1/1"))
		}, []string{"dc-leaf1"}},
		{"a port", func(in *intent.Topology) {
			in.Attachments = append(in.Attachments, &intent.Attachment{Members: ends("dc-leaf4:ethernet-1/7"), Untagged: "red/db"})
		}, []string{"dc-leaf4"}},
		{"a segment's VNI", func(in *intent.Topology) { in.Tenants[0].Segments[1].Vni = 77 }, []string{"dc-leaf1", "dc-leaf2"}},
		{"a segment that no port has", func(in *intent.Topology) {
			in.Tenants[0].Segments = append(in.Tenants[0].Segments, &intent.Segment{Name: "gpu", Number: 5})
		}, nil},
		{"a raw leaf", func(in *intent.Topology) {
			in.Raw = append(in.Raw, &intent.Raw{Device: "dc-spine2", Path: "/a/b", Value: "1"})
		}, []string{"dc-spine2"}},
		{"unused ports of a device", func(in *intent.Topology) {
			device(in, "dc-leaf4").UnusedPorts = intent.UnusedPorts_UNUSED_PORTS_DISABLED
		}, []string{"dc-leaf4"}},
		{"a site's underlay", func(in *intent.Topology) { in.Sites[0].Underlay.MaxPaths = 8 },
			[]string{"dc-spine1", "dc-spine2", "dc-leaf1", "dc-leaf2", "dc-leaf3", "dc-leaf4"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := small()
			in.Sites = append(in.Sites, newSite("sh", 2, 2, 2))
			var c Compiler
			before, _ := c.Compile(topology.New(in))
			next := proto.Clone(in).(*intent.Topology)
			tt.edit(next)
			after, diags := c.Compile(topology.New(next))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			var got []string
			for _, d := range after.Devices {
				if before.Device(d.Name) != d {
					got = append(got, d.Name)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("decided anew (-want +got):\n%s", diff)
			}
			if after.Work.Devices != len(tt.want) || after.Work.Reused != len(after.Devices)-len(tt.want) {
				t.Errorf("work %+v, want %d devices", after.Work, len(tt.want))
			}
			if fresh := compile(t, next); text(t, fresh.Devices) != text(t, after.Devices) {
				t.Error("the design differs from one without memory")
			}
		})
	}
}

func TestAnIntentWithErrorsLeavesTheMemoryAlone(t *testing.T) {
	t.Parallel()
	var c Compiler
	first, _ := c.Compile(topology.New(small()))
	bad := small()
	bad.Sites[0].Pool = "x"
	if design, _ := c.Compile(topology.New(bad)); design != nil {
		t.Fatal("a design in spite of errors")
	}
	again, _ := c.Compile(topology.New(small()))
	if again.Work.Devices != 0 || again.Devices[0] != first.Devices[0] {
		t.Errorf("work %+v", again.Work)
	}
}

func TestTheCostOfAChangeDoesNotGrowWithTheFabric(t *testing.T) {
	t.Parallel()
	for _, sites := range []int{1, 60} {
		in := manySites(sites, 2, 8)
		var c Compiler
		if _, diags := c.Compile(topology.New(in)); diags != nil {
			t.Fatal(diags)
		}
		in.Cables = append(in.Cables, cableBetween("s1-leaf3:ethernet-1/55", "s1-spine2:ethernet-1/30"))
		design, _ := c.Compile(topology.New(in))
		if design.Work.Devices != 2 {
			t.Errorf("%d devices: work %+v, want 2", len(design.Devices), design.Work)
		}
	}
}

// manySites returns sites from counts, each leaf with a port.
func manySites(sites, spines, leaves int) *intent.Topology {
	in := &intent.Topology{Name: "many", OverlayAs: 65000}
	for n := 1; n <= sites; n++ {
		s := newSite(fmt.Sprintf("s%d", n), uint32(n), spines, leaves)
		in.Sites = append(in.Sites, s)
		in.Tenants = append(in.Tenants, &intent.Tenant{Name: s.Name, Number: uint32(n), Segments: []*intent.Segment{
			{Name: "web", Number: uint32(n), Gateway: []string{"10.10.0.1/24"}},
		}})
		for leaf := 1; leaf <= leaves; leaf++ {
			in.Attachments = append(in.Attachments, &intent.Attachment{Members: ends(fmt.Sprintf("%sleaf%d:ethernet-1/1", s.Prefix, leaf)), Untagged: s.Name + "/web"})
		}
	}
	return in
}

// shuffle puts everything whose order has no meaning into another.
func shuffle(in *intent.Topology, r *rand.Rand) {
	mix(in.Sites, r)
	for _, s := range in.Sites {
		mix(s.Devices, r)
	}
	mix(in.Cables, r)
	mix(in.Tenants, r)
	for _, t := range in.Tenants {
		mix(t.Segments, r)
	}
	mix(in.Attachments, r)
	for _, a := range in.Attachments {
		mix(a.Tagged, r)
	}
}

func mix[T any](list []T, r *rand.Rand) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// randomFabric draws a valid intent: sites with devices of stable numbers, a tenant each, ports.
func randomFabric(t *rapid.T) *intent.Topology {
	in := &intent.Topology{Name: "any", OverlayAs: 65000}
	sites := rapid.IntRange(1, 3).Draw(t, "sites")
	for n := 1; n <= sites; n++ {
		s := newSite(fmt.Sprintf("s%d", n), uint32(n), 0, 0)
		if rapid.Bool().Draw(t, "unnumbered") {
			s.Underlay.Links = intent.Links_LINKS_UNNUMBERED
		}
		if rapid.Bool().Draw(t, "ebgp") {
			s.Overlay.Routing = intent.Routing_ROUTING_EBGP
		}
		addDevices(t, s, intent.Role_ROLE_SPINE, 4)
		addDevices(t, s, intent.Role_ROLE_LEAF, 12)
		in.Sites = append(in.Sites, s)
		tenant := &intent.Tenant{Name: s.Name, Number: uint32(n)}
		for k := range rapid.IntRange(1, 3).Draw(t, "segments") {
			segment := &intent.Segment{Name: fmt.Sprintf("net%d", k), Number: uint32(10*n + k)}
			if rapid.Bool().Draw(t, "routed") {
				segment.Gateway = []string{fmt.Sprintf("10.%d.%d.1/24", n, k)}
			}
			tenant.Segments = append(tenant.Segments, segment)
		}
		in.Tenants = append(in.Tenants, tenant)
		for _, d := range s.Devices {
			if d.Role == intent.Role_ROLE_LEAF && rapid.Bool().Draw(t, "attached") {
				in.Attachments = append(in.Attachments, randomPort(t, tenant, d.Name, "ethernet-1/1"))
			}
		}
	}
	return in
}

func addDevices(t *rapid.T, s *intent.Site, role intent.Role, most int) {
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, most), 1, most/2, rapid.ID).Draw(t, "numbers") {
		platform := "7220-IXR-D3L"
		if role == intent.Role_ROLE_LEAF {
			platform = rapid.SampledFrom([]string{"7220-IXR-D2", "7220-IXR-D2L", "7220-IXR-D3", "7220-IXR-D5"}).Draw(t, "platform")
		}
		s.Devices = append(s.Devices, newDevice(s, role, n, platform))
	}
}

func randomPort(t *rapid.T, tenant *intent.Tenant, leaf, port string) *intent.Attachment {
	a := &intent.Attachment{Members: ends(leaf + ":" + port), Lag: rapid.Bool().Draw(t, "lag")}
	for _, s := range tenant.Segments {
		if len(a.Tagged) == 0 || rapid.Bool().Draw(t, "tagged") {
			a.Tagged = append(a.Tagged, tenant.Name+"/"+s.Name)
		}
	}
	return a
}

func TestTheOrderOfAnIntentHasNoMeaning(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := randomFabric(t)
		want, diags := Compile(topology.New(in))
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		shuffle(in, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		got, _ := Compile(topology.New(in))
		if diff := cmp.Diff(text(t, want), text(t, got)); diff != "" {
			t.Fatalf("another order, another design:\n%s", diff)
		}
	})
}

func TestAddingOrRemovingMovesNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := randomFabric(t)
		site := rapid.SampledFrom(in.Sites).Draw(t, "site")
		i := slices.Index(in.Sites, site)
		next := proto.Clone(in).(*intent.Topology)
		changed := rapid.SampledFrom([]func(*rapid.T, *intent.Topology, int) string{addLeaf, addSpine, addSegment, addPort, removeDevice}).Draw(t, "change")(t, next, i)
		var c Compiler
		before, _ := c.Compile(topology.New(in))
		after, diags := c.Compile(topology.New(next))
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		fresh, _ := Compile(topology.New(next))
		if text(t, fresh.Devices) != text(t, after.Devices) {
			t.Fatal("the design differs from one without memory")
		}
		for _, d := range after.Devices {
			if old := before.Device(d.Name); old != nil && d.Name != changed {
				sameButFor(t, old, d, changed)
			}
		}
	})
}

// sameButFor holds that a device is what it was, except for its links and sessions with the changed one.
func sameButFor(t *rapid.T, before, after *Device, changed string) {
	if before == after {
		return
	}
	strip := func(d *Device) Device {
		out := *d
		out.Links = slices.DeleteFunc(append([]Link{}, d.Links...), func(l Link) bool { return l.PeerName == changed })
		out.Overlay.Neighbors = slices.DeleteFunc(append([]OverlayNeighbor{}, d.Overlay.Neighbors...), func(n OverlayNeighbor) bool { return n.Name == changed })
		return out
	}
	if diff := cmp.Diff(text(t, strip(before)), text(t, strip(after))); diff != "" {
		t.Fatalf("%s moved when %q changed:\n%s", before.Name, changed, diff)
	}
}

func addLeaf(t *rapid.T, in *intent.Topology, i int) string {
	d := newDevice(in.Sites[i], intent.Role_ROLE_LEAF, rapid.IntRange(13, 32).Draw(t, "leaf"), "7220-IXR-D2L")
	in.Sites[i].Devices = append(in.Sites[i].Devices, d)
	return d.Name
}

func addSpine(t *rapid.T, in *intent.Topology, i int) string {
	d := newDevice(in.Sites[i], intent.Role_ROLE_SPINE, rapid.IntRange(5, 8).Draw(t, "spine"), "7220-IXR-D5")
	in.Sites[i].Devices = append(in.Sites[i].Devices, d)
	return d.Name
}

func addSegment(_ *rapid.T, in *intent.Topology, i int) string {
	in.Tenants[i].Segments = append(in.Tenants[i].Segments, &intent.Segment{Name: "new", Number: 999})
	in.Tenants = append(in.Tenants, &intent.Tenant{Name: "new", Number: 99})
	return ""
}

func addPort(t *rapid.T, in *intent.Topology, i int) string {
	devices := in.Sites[i].Devices
	leaf := devices[slices.IndexFunc(devices, func(d *intent.Device) bool { return d.Role == intent.Role_ROLE_LEAF })]
	in.Attachments = append(in.Attachments, randomPort(t, in.Tenants[i], leaf.Name, "ethernet-1/2"))
	return leaf.Name
}

func removeDevice(t *rapid.T, in *intent.Topology, i int) string {
	devices := in.Sites[i].Devices
	gone := rapid.IntRange(0, len(devices)-1).Draw(t, "gone")
	name := devices[gone].Name
	in.Sites[i].Devices = slices.Delete(devices, gone, gone+1)
	in.Attachments = slices.DeleteFunc(in.Attachments, func(a *intent.Attachment) bool { return a.Members[0].Device == name })
	return name
}

func BenchmarkCompile1000(b *testing.B) {
	in := manySites(100, 2, 8)
	for _, s := range in.Sites {
		for _, d := range s.Devices {
			if d.Role != intent.Role_ROLE_LEAF {
				continue
			}
			for port := 2; port <= 40; port++ {
				in.Attachments = append(in.Attachments, &intent.Attachment{Members: ends(fmt.Sprintf("%s:ethernet-1/%d", d.Name, port)), Tagged: []string{s.Name + "/web"}})
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		Compile(topology.New(in))
	}
}

func BenchmarkCompile1000FromCounts(b *testing.B) {
	in := topology.New(manySites(100, 2, 8))
	b.ReportAllocs()
	for b.Loop() {
		Compile(in)
	}
}

func BenchmarkRecompile1000(b *testing.B) {
	in := topology.New(manySites(100, 2, 8))
	var c Compiler
	c.Compile(in)
	b.ReportAllocs()
	for b.Loop() {
		c.Compile(in)
	}
}
