package main

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The job of every router in srl-labs/srl-telemetry-lab, as its own configuration does it, whatever
// either configuration calls the parts. docs/telemetry-lab.md tells the story and lists the differences.
var telemetryLab = map[string]labRouter{
	"leaf1": {
		Platform: "7220-IXR-D2L", AS: 101, RouterID: "10.0.1.1", Loopback: "10.0.1.1/32", MaxPaths: 64,
		Links: []labLink{
			{Port: "ethernet-1/49", Address: "192.168.11.0/31", MTU: 9000},
			{Port: "ethernet-1/50", Address: "192.168.12.0/31", MTU: 9000},
		},
		Sessions: []labSession{
			{Peer: "10.0.2.1", PeerAS: 100, LocalAS: 100, Source: "10.0.1.1", Families: "evpn"},
			{Peer: "10.0.2.2", PeerAS: 100, LocalAS: 100, Source: "10.0.1.1", Families: "evpn"},
			{Peer: "192.168.11.1", PeerAS: 201, LocalAS: 101, Families: "ipv4-unicast"},
			{Peer: "192.168.12.1", PeerAS: 202, LocalAS: 101, Families: "ipv4-unicast"},
		},
		Announces: []string{"10.0.1.1/32"},
		Accepts:   labLoopbacks,
		Services:  []labService{labBridge},
	},
	"leaf2": {
		Platform: "7220-IXR-D2L", AS: 102, RouterID: "10.0.1.2", Loopback: "10.0.1.2/32", MaxPaths: 64,
		Links: []labLink{
			{Port: "ethernet-1/49", Address: "192.168.21.0/31", MTU: 9000},
			{Port: "ethernet-1/50", Address: "192.168.22.0/31", MTU: 9000},
		},
		Sessions: []labSession{
			{Peer: "10.0.2.1", PeerAS: 100, LocalAS: 100, Source: "10.0.1.2", Families: "evpn"},
			{Peer: "10.0.2.2", PeerAS: 100, LocalAS: 100, Source: "10.0.1.2", Families: "evpn"},
			{Peer: "192.168.21.1", PeerAS: 201, LocalAS: 102, Families: "ipv4-unicast"},
			{Peer: "192.168.22.1", PeerAS: 202, LocalAS: 102, Families: "ipv4-unicast"},
		},
		Announces: []string{"10.0.1.2/32"},
		Accepts:   labLoopbacks,
		Services:  []labService{labBridge},
	},
	"leaf3": {
		Platform: "7220-IXR-D2L", AS: 103, RouterID: "10.0.1.3", Loopback: "10.0.1.3/32", MaxPaths: 64,
		Links: []labLink{
			{Port: "ethernet-1/49", Address: "192.168.31.0/31", MTU: 9000},
			{Port: "ethernet-1/50", Address: "192.168.32.0/31", MTU: 9000},
		},
		Sessions: []labSession{
			{Peer: "10.0.2.1", PeerAS: 100, LocalAS: 100, Source: "10.0.1.3", Families: "evpn"},
			{Peer: "10.0.2.2", PeerAS: 100, LocalAS: 100, Source: "10.0.1.3", Families: "evpn"},
			{Peer: "192.168.31.1", PeerAS: 201, LocalAS: 103, Families: "ipv4-unicast"},
			{Peer: "192.168.32.1", PeerAS: 202, LocalAS: 103, Families: "ipv4-unicast"},
		},
		Announces: []string{"10.0.1.3/32"},
		Accepts:   labLoopbacks,
		Services:  []labService{labBridge},
	},
	"spine1": {
		Platform: "7220-IXR-D3L", AS: 201, RouterID: "10.0.2.1", Loopback: "10.0.2.1/32", MaxPaths: 64,
		Links: []labLink{
			{Port: "ethernet-1/1", Address: "192.168.11.1/31", MTU: 9000},
			{Port: "ethernet-1/2", Address: "192.168.21.1/31", MTU: 9000},
			{Port: "ethernet-1/3", Address: "192.168.31.1/31", MTU: 9000},
		},
		Sessions: []labSession{
			{Peer: "10.0.1.1", PeerAS: 100, LocalAS: 100, Source: "10.0.2.1", Families: "evpn", ClientOf: "10.10.10.10"},
			{Peer: "10.0.1.2", PeerAS: 100, LocalAS: 100, Source: "10.0.2.1", Families: "evpn", ClientOf: "10.10.10.10"},
			{Peer: "10.0.1.3", PeerAS: 100, LocalAS: 100, Source: "10.0.2.1", Families: "evpn", ClientOf: "10.10.10.10"},
			{Peer: "192.168.11.0", PeerAS: 101, LocalAS: 201, Families: "ipv4-unicast"},
			{Peer: "192.168.21.0", PeerAS: 102, LocalAS: 201, Families: "ipv4-unicast"},
			{Peer: "192.168.31.0", PeerAS: 103, LocalAS: 201, Families: "ipv4-unicast"},
		},
		Announces: labLoopbacks,
		Accepts:   labLoopbacks,
	},
	"spine2": {
		Platform: "7220-IXR-D3L", AS: 202, RouterID: "10.0.2.2", Loopback: "10.0.2.2/32", MaxPaths: 64,
		Links: []labLink{
			{Port: "ethernet-1/1", Address: "192.168.12.1/31", MTU: 9000},
			{Port: "ethernet-1/2", Address: "192.168.22.1/31", MTU: 9000},
			{Port: "ethernet-1/3", Address: "192.168.32.1/31", MTU: 9000},
		},
		Sessions: []labSession{
			{Peer: "10.0.1.1", PeerAS: 100, LocalAS: 100, Source: "10.0.2.2", Families: "evpn", ClientOf: "10.10.10.10"},
			{Peer: "10.0.1.2", PeerAS: 100, LocalAS: 100, Source: "10.0.2.2", Families: "evpn", ClientOf: "10.10.10.10"},
			{Peer: "10.0.1.3", PeerAS: 100, LocalAS: 100, Source: "10.0.2.2", Families: "evpn", ClientOf: "10.10.10.10"},
			{Peer: "192.168.12.0", PeerAS: 101, LocalAS: 202, Families: "ipv4-unicast"},
			{Peer: "192.168.22.0", PeerAS: 102, LocalAS: 202, Families: "ipv4-unicast"},
			{Peer: "192.168.32.0", PeerAS: 103, LocalAS: 202, Families: "ipv4-unicast"},
		},
		Announces: labLoopbacks,
		Accepts:   labLoopbacks,
	},
}

// labLoopbacks are all that the underlay has to carry.
var labLoopbacks = []string{"10.0.1.1/32", "10.0.1.2/32", "10.0.1.3/32", "10.0.2.1/32", "10.0.2.2/32"}

// labBridge is the one service of the lab, the same on every leaf. The lab's name for it is vrf-1.
var labBridge = labService{
	Name: "lab-vrf-1", Type: "mac-vrf", EVI: 1, VNI: 1, Kind: "bridged", Import: "target:100:1", Export: "target:100:1",
	Ports: []labPort{{Name: "ethernet-1/1.0", Type: "bridged"}},
}

// labRouter is what one router does.
type labRouter struct {
	Platform           string
	AS                 uint32
	RouterID, Loopback string
	MaxPaths           int // equal-cost eBGP paths, through any neighbours
	Links              []labLink
	Sessions           []labSession
	Announces          []string // of all loopbacks and links, what its underlay sessions let out
	Accepts            []string // and in
	Services           []labService
}

// labLink is a routed fabric port.
type labLink struct {
	Port, Address string
	MTU           uint32 // IP
}

// labSession is a BGP session with what it inherits.
type labSession struct {
	Peer            string
	PeerAS, LocalAS uint32
	Source          string // "" is the address of the link
	Families        string // enabled ones
	ClientOf        string // cluster in which the peer is a reflection client; "" where it is none
}

// labService is a network instance with EVPN.
type labService struct {
	Name, Type     string
	EVI, VNI       uint32
	Kind           string // of its VXLAN interface
	Import, Export string
	Ports          []labPort
}

// labPort is an access subinterface; VLAN tags are off.
type labPort struct{ Name, Type string }

func TestTelemetryLabIsDoneTheSameJob(t *testing.T) {
	t.Parallel()
	var notes strings.Builder
	srcs, err := sources([]string{"../../topologies/srl-telemetry-lab.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	n, err := compileNetwork(&terminal{out: &notes, err: &notes}, srcs, nil)
	if err != nil {
		t.Fatal(err)
	}
	if notes.Len() > 0 {
		t.Errorf("warnings: %s", notes.String())
	}
	got := map[string]labRouter{}
	for name, tree := range n.trees {
		r := parseLab(t, tree.AppendJSON(nil, true)).router(t)
		r.Platform = n.design.Device(name).Platform.Name
		got[name] = r
	}
	if diff := cmp.Diff(telemetryLab, got); diff != "" {
		t.Errorf("job of the lab's routers (-lab +loom):\n%s", diff)
	}
}

// labDocument is what the test reads of a rendered document; names have lost their modules.
type labDocument struct {
	Interface []struct {
		Name         string
		AdminState   string `json:"admin-state"`
		VLANTagging  bool   `json:"vlan-tagging"`
		Subinterface []struct {
			Index      int
			Type       string
			AdminState string `json:"admin-state"`
			IPMTU      uint32 `json:"ip-mtu"`
			IPv4       struct {
				AdminState string `json:"admin-state"`
				Address    []struct {
					Prefix string `json:"ip-prefix"`
				}
			}
		}
	}
	NetworkInstance []labInstance `json:"network-instance"`
	TunnelInterface []struct {
		Name  string
		VXLAN []struct {
			Index   int
			Type    string
			Ingress struct{ VNI uint32 }
		} `json:"vxlan-interface"`
	} `json:"tunnel-interface"`
	RoutingPolicy struct {
		PrefixSet []struct {
			Name   string
			Prefix []struct {
				Prefix string `json:"ip-prefix"`
				Range  string `json:"mask-length-range"`
			}
		} `json:"prefix-set"`
		Policy []struct {
			Name      string
			Default   labAction `json:"default-action"`
			Statement []struct {
				Match struct {
					Prefix struct {
						PrefixSet string `json:"prefix-set"`
					}
				}
				Action labAction
			}
		}
	} `json:"routing-policy"`
}

type labAction struct {
	Result string `json:"policy-result"`
}

type labInstance struct {
	Name, Type string
	AdminState string `json:"admin-state"`
	Interface  []struct{ Name string }
	VXLAN      []struct{ Name string } `json:"vxlan-interface"`
	Protocols  struct {
		BGP  labBGP
		EVPN struct {
			Instance []struct {
				AdminState string `json:"admin-state"`
				EVI        uint32
				VXLAN      string `json:"vxlan-interface"`
			} `json:"bgp-instance"`
		} `json:"bgp-evpn"`
		VPN struct {
			Instance []struct {
				Target struct {
					Import string `json:"import-rt"`
					Export string `json:"export-rt"`
				} `json:"route-target"`
			} `json:"bgp-instance"`
		} `json:"bgp-vpn"`
	}
}

type labBGP struct {
	AdminState string      `json:"admin-state"`
	AS         uint32      `json:"autonomous-system"`
	RouterID   string      `json:"router-id"`
	Families   []labFamily `json:"afi-safi"`
	Group      []labGroup
	Neighbor   []struct {
		Peer       string      `json:"peer-address"`
		AdminState string      `json:"admin-state"`
		PeerAS     uint32      `json:"peer-as"`
		Group      string      `json:"peer-group"`
		Families   []labFamily `json:"afi-safi"`
	}
	Dynamic any `json:"dynamic-neighbors"`
}

type labFamily struct {
	Name       string `json:"afi-safi-name"`
	AdminState string `json:"admin-state"`
	Multipath  struct {
		AllowMultipleAS *bool `json:"allow-multiple-as"`
		EBGP            struct {
			Paths int `json:"maximum-paths"`
		}
	}
}

type labGroup struct {
	Name     string      `json:"group-name"`
	PeerAS   uint32      `json:"peer-as"`
	Import   []string    `json:"import-policy"`
	Export   []string    `json:"export-policy"`
	Families []labFamily `json:"afi-safi"`
	LocalAS  struct {
		Number uint32 `json:"as-number"`
	} `json:"local-as"`
	Reflector struct {
		Client  bool
		Cluster string `json:"cluster-id"`
	} `json:"route-reflector"`
	Transport struct {
		Local string `json:"local-address"`
	}
}

// parseLab reads a document without its module names.
func parseLab(t *testing.T, doc []byte) *labDocument {
	t.Helper()
	var tree any
	if err := json.Unmarshal(doc, &tree); err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(withoutModules(tree))
	if err != nil {
		t.Fatal(err)
	}
	var d labDocument
	if err := json.Unmarshal(plain, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// withoutModules takes the module off member names and identities (RFC 7951 §4, §6.8).
func withoutModules(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[withoutModule(name)] = withoutModules(value)
		}
		return out
	case []any:
		for i := range v {
			v[i] = withoutModules(v[i])
		}
	case string:
		return withoutModule(v)
	}
	return v
}

func withoutModule(s string) string {
	if strings.HasPrefix(s, "srl_nokia-") {
		_, s, _ = strings.Cut(s, ":")
	}
	return s
}

// router works out what the document does.
func (d *labDocument) router(t *testing.T) labRouter {
	t.Helper()
	i := slices.IndexFunc(d.NetworkInstance, func(ni labInstance) bool { return ni.Name == "default" })
	if i < 0 {
		t.Fatal("no default network instance")
	}
	def := &d.NetworkInstance[i]
	bgp := &def.Protocols.BGP
	r := labRouter{AS: bgp.AS, RouterID: bgp.RouterID}
	for _, f := range bgp.Families {
		if f.Name == "ipv4-unicast" && (f.Multipath.AllowMultipleAS == nil || *f.Multipath.AllowMultipleAS) {
			r.MaxPaths = f.Multipath.EBGP.Paths
		}
	}
	for _, member := range def.Interface {
		port, address, mtu := d.routed(t, member.Name)
		if port == "system0" {
			r.Loopback = address
			continue
		}
		r.Links = append(r.Links, labLink{port, address, mtu})
	}
	r.Sessions = bgp.sessions(t)
	r.Announces, r.Accepts = d.passed(t, bgp)
	r.Services = d.services(t)
	return r
}

// routed returns the address of a subinterface that is up.
func (d *labDocument) routed(t *testing.T, name string) (port, address string, mtu uint32) {
	t.Helper()
	for _, i := range d.Interface {
		for _, s := range i.Subinterface {
			if i.Name+"."+strconv.Itoa(s.Index) != name {
				continue
			}
			if i.AdminState != "enable" || s.AdminState != "enable" || s.IPv4.AdminState != "enable" || len(s.IPv4.Address) != 1 {
				t.Fatalf("%s: not up, or not one address", name)
			}
			return i.Name, s.IPv4.Address[0].Prefix, s.IPMTU
		}
	}
	t.Fatalf("%s: no such subinterface", name)
	return "", "", 0
}

// sessions returns all sessions, sorted by peer, with what they inherit from group and instance.
func (b *labBGP) sessions(t *testing.T) []labSession {
	t.Helper()
	if b.AdminState != "enable" || b.Dynamic != nil {
		t.Fatal("bgp: not up, or it has neighbours that are not written down")
	}
	var list []labSession
	for _, n := range b.Neighbor {
		i := slices.IndexFunc(b.Group, func(g labGroup) bool { return g.Name == n.Group })
		if n.AdminState != "enable" || i < 0 {
			t.Fatalf("neighbor %s: not up, or in no group", n.Peer)
		}
		g := &b.Group[i]
		s := labSession{Peer: n.Peer, PeerAS: n.PeerAS, LocalAS: b.AS, Source: g.Transport.Local}
		if s.PeerAS == 0 {
			s.PeerAS = g.PeerAS
		}
		if g.LocalAS.Number != 0 {
			s.LocalAS = g.LocalAS.Number
		}
		if g.Reflector.Client {
			s.ClientOf = g.Reflector.Cluster
		}
		s.Families = enabledFamilies(b.Families, g.Families, n.Families)
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b labSession) int { return strings.Compare(a.Peer, b.Peer) })
	return list
}

// enabledFamilies lets each level override the one before.
func enabledFamilies(levels ...[]labFamily) string {
	state := map[string]bool{}
	for _, level := range levels {
		for _, f := range level {
			if f.AdminState != "" {
				state[f.Name] = f.AdminState == "enable"
			}
		}
	}
	var names []string
	for name, on := range state {
		if on {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// passed returns what the underlay's policies let out and in, of all addresses that the lab has.
func (d *labDocument) passed(t *testing.T, b *labBGP) (out, in []string) {
	t.Helper()
	candidates := slices.Clone(labLoopbacks)
	for _, r := range telemetryLab {
		for _, l := range r.Links {
			candidates = append(candidates, netip.MustParsePrefix(l.Address).Masked().String())
		}
	}
	for _, g := range b.Group {
		if enabledFamilies(b.Families, g.Families) != "ipv4-unicast" {
			continue
		}
		for _, c := range candidates {
			if d.accepts(t, g.Export, c) {
				out = append(out, c)
			}
			if d.accepts(t, g.Import, c) {
				in = append(in, c)
			}
		}
	}
	return out, in
}

// accepts runs a prefix through policies of statements that match prefix sets.
func (d *labDocument) accepts(t *testing.T, policies []string, prefix string) bool {
	t.Helper()
	if len(policies) != 1 {
		t.Fatalf("policies %q: want exactly one", policies)
	}
	for _, p := range d.RoutingPolicy.Policy {
		if p.Name != policies[0] {
			continue
		}
		for _, s := range p.Statement {
			if d.matches(t, s.Match.Prefix.PrefixSet, netip.MustParsePrefix(prefix)) {
				return s.Action.Result == "accept"
			}
		}
		return p.Default.Result == "accept"
	}
	t.Fatalf("no policy %s", policies[0])
	return false
}

func (d *labDocument) matches(t *testing.T, set string, prefix netip.Prefix) bool {
	t.Helper()
	for _, s := range d.RoutingPolicy.PrefixSet {
		if s.Name != set {
			continue
		}
		return slices.ContainsFunc(s.Prefix, func(p struct {
			Prefix string `json:"ip-prefix"`
			Range  string `json:"mask-length-range"`
		}) bool {
			block := netip.MustParsePrefix(p.Prefix)
			low, high := block.Bits(), block.Bits()
			if from, to, ok := strings.Cut(p.Range, ".."); ok {
				low, _ = strconv.Atoi(from)
				high, _ = strconv.Atoi(to)
			}
			return block.Contains(prefix.Addr()) && prefix.Bits() >= low && prefix.Bits() <= high
		})
	}
	t.Fatalf("no prefix set %s", set)
	return false
}

// services returns every network instance but the default one.
func (d *labDocument) services(t *testing.T) []labService {
	t.Helper()
	var list []labService
	for _, ni := range d.NetworkInstance {
		if ni.Name == "default" {
			continue
		}
		evpn, vpn := ni.Protocols.EVPN.Instance, ni.Protocols.VPN.Instance
		if ni.AdminState != "enable" || len(evpn) != 1 || len(vpn) != 1 || len(ni.VXLAN) != 1 || evpn[0].AdminState != "enable" || evpn[0].VXLAN != ni.VXLAN[0].Name {
			t.Fatalf("%s: not an EVPN service that is up", ni.Name)
		}
		s := labService{Name: ni.Name, Type: ni.Type, EVI: evpn[0].EVI, Import: vpn[0].Target.Import, Export: vpn[0].Target.Export}
		for _, tunnel := range d.TunnelInterface {
			for _, v := range tunnel.VXLAN {
				if tunnel.Name+"."+strconv.Itoa(v.Index) == ni.VXLAN[0].Name {
					s.VNI, s.Kind = v.Ingress.VNI, v.Type
				}
			}
		}
		for _, member := range ni.Interface {
			s.Ports = append(s.Ports, d.accessPort(t, member.Name))
		}
		list = append(list, s)
	}
	return list
}

// accessPort returns a subinterface that is up and takes packets without VLAN tags.
func (d *labDocument) accessPort(t *testing.T, name string) labPort {
	t.Helper()
	for _, i := range d.Interface {
		for _, s := range i.Subinterface {
			if i.Name+"."+strconv.Itoa(s.Index) != name {
				continue
			}
			if i.AdminState != "enable" || s.AdminState != "enable" || i.VLANTagging {
				t.Fatalf("%s: not up, or tagged", name)
			}
			return labPort{name, s.Type}
		}
	}
	t.Fatalf("%s: no such subinterface", name)
	return labPort{}
}
