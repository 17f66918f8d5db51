package fabric

import (
	"fmt"
	"testing"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
)

// newSite returns a site with derived cabling, named devices and nothing explicit.
func newSite(name string, number uint32, spines, leaves int) *intent.Site {
	s := &intent.Site{
		Name: name, Number: number, Prefix: name + "-",
		Pool: fmt.Sprintf("10.%d.0.0/16", number), Management: fmt.Sprintf("172.20.%d.0/24", number),
		Asns:     4200000000 + 10000*number,
		Underlay: &intent.Underlay{Routing: intent.Routing_ROUTING_EBGP, Links: intent.Links_LINKS_NUMBERED, Mtu: 9214, MaxPaths: 64},
		Overlay:  &intent.Overlay{Routing: intent.Routing_ROUTING_IBGP},
		Cabling:  intent.Cabling_CABLING_DERIVED, LinksPerSpine: 1,
	}
	for n := 1; n <= spines; n++ {
		s.Devices = append(s.Devices, newDevice(s, intent.Role_ROLE_SPINE, n, "7220-IXR-D3L"))
	}
	for n := 1; n <= leaves; n++ {
		s.Devices = append(s.Devices, newDevice(s, intent.Role_ROLE_LEAF, n, "7220-IXR-D2L"))
	}
	return s
}

func newDevice(s *intent.Site, role intent.Role, number int, platform string) *intent.Device {
	name := "leaf"
	if role == intent.Role_ROLE_SPINE {
		name = "spine"
	}
	return &intent.Device{
		Name: fmt.Sprintf("%s%s%d", s.Prefix, name, number), Role: role, Number: uint32(number), Platform: platform, Release: "25.3",
		UnusedPorts: intent.UnusedPorts_UNUSED_PORTS_UNTOUCHED,
	}
}

// small is one site with two spines, four leaves of which 1+2 and 3+4 are pairs, a tenant with two segments,
// a port and an ethernet segment.
func small() *intent.Topology {
	s := newSite("dc", 1, 2, 4)
	for i, peer := range []string{"dc-leaf2", "dc-leaf1", "dc-leaf4", "dc-leaf3"} {
		s.Devices[2+i].Peer = peer
	}
	return &intent.Topology{
		Name: "demo", OverlayAs: 65000, Sites: []*intent.Site{s},
		Tenants: []*intent.Tenant{{Name: "red", Number: 1, Segments: []*intent.Segment{
			{Name: "web", Number: 10, Gateway: []string{"10.10.0.1/24"}},
			{Name: "db", Number: 20, Gateway: []string{"10.20.0.1/24"}},
		}}},
		Attachments: []*intent.Attachment{
			{Members: ends("dc-leaf1:ethernet-1/1"), Untagged: "red/web"},
			{Members: ends("dc-leaf1:ethernet-1/2", "dc-leaf2:ethernet-1/2"), Tagged: []string{"red/web", "red/db"}, Lag: true},
		},
	}
}

func ends(texts ...string) []*intent.End {
	var list []*intent.End
	for _, text := range texts {
		list = append(list, end(text))
	}
	return list
}

// end reads "leaf1:ethernet-1/1" and "server:web1:eth0".
func end(text string) *intent.End {
	for i := range text {
		if text[i] != ':' {
			continue
		}
		if text[:i] == "server" {
			server := end(text[i+1:])
			return &intent.End{Server: server.Device, Port: server.Port}
		}
		return &intent.End{Device: text[:i], Port: text[i+1:]}
	}
	panic(text)
}

func cableBetween(a, b string) *intent.Cable { return &intent.Cable{A: end(a), B: end(b)} }

func device(in *intent.Topology, name string) *intent.Device {
	for _, s := range in.Sites {
		for _, d := range s.Devices {
			if d.Name == name {
				return d
			}
		}
	}
	panic(name)
}

func compile(t testing.TB, in *intent.Topology) *Design {
	t.Helper()
	design, diags := Compile(topology.New(in))
	for _, diag := range diags {
		t.Errorf("%s", diag)
	}
	if design == nil {
		t.FailNow()
	}
	return design
}
