package srossim

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/srlsim"
	"github.com/loomfabric/loom/pkg/srlinux"
	driving "github.com/loomfabric/loom/pkg/sros"
	"github.com/loomfabric/loom/pkg/topology"
)

// sites are two sites that gateways on SR OS join, as Loom designs and renders them, with a server in red/web at each.
type sites struct {
	design  *fabric.Design
	running map[string]*config.Tree
	boxes   map[string]network.Hardware
	wiring  network.Wiring
	plant   *network.Plant
	routing network.Routing
}

func stitched(t *testing.T, edits ...string) *sites {
	t.Helper()
	const file = "../../fabric/testdata/stitched.yaml"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := edited(t, string(data), "leaves: {count: 4", "leaves: {count: 2")
	for i := 0; i < len(edits); i += 2 {
		text = edited(t, text, edits[i], edits[i+1])
	}
	topo, diags := topology.Parse(topology.Source{Name: file, Data: []byte(text)})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	design, diags := fabric.Compile(topo)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s := &sites{design: design, running: map[string]*config.Tree{}, boxes: map[string]network.Hardware{}}
	for i, d := range design.Devices {
		if by := map[string]*driver.Driver{srlinux.OS: srlinux.Driver(), driving.OS: driving.Driver()}[d.OS]; by != nil {
			s.render(t, by, d, byte(i+1))
		}
	}
	for i, leaf := range []string{"bj-leaf1", "sh-leaf1"} {
		host := network.Host{Name: "web-" + leaf, NICs: []string{"eth0", "eth1"}, LACP: true, Addresses: []network.HostAddress{
			{VLAN: 10, MAC: serverMAC(i), IPs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 10, 0, byte(10 + i)}), 24)}},
		}}
		host.MAC = serverMAC(i)
		s.wiring.Hosts = append(s.wiring.Hosts, host)
		for n, on := range []string{leaf, strings.Replace(leaf, "leaf1", "leaf2", 1)} {
			s.wiring.Cables = append(s.wiring.Cables, network.Cable{A: network.End{Device: on, Port: "ethernet-1/1"}, B: network.End{Device: host.Name, Port: "eth" + strconv.Itoa(n)}})
		}
	}
	sortBy(s.wiring.Cables, network.Cable.String)
	s.survey(network.Outages{})
	return s
}

func serverMAC(i int) network.MAC { return network.MAC{2, 0, 9, 0, 0, byte(i + 1)} }

// render gives a router its configuration, and its links.
func (s *sites) render(t *testing.T, by *driver.Driver, d *fabric.Device, number byte) {
	t.Helper()
	tree, err := by.Render(d)
	if err != nil {
		t.Fatal(err)
	}
	h := network.Hardware{Name: d.Name, Platform: d.Platform.Name, Serial: "NS" + d.Name, MAC: network.MAC{2, 0, 0, number, 0, 0}}
	box, _ := hardware.Lookup(h.Platform)
	for _, p := range box.Ports {
		h.Ports = append(h.Ports, network.Jack{Name: p.Name, Speed: p.Speeds[0]})
	}
	s.running[d.Name], s.boxes[d.Name] = tree, h
	for _, l := range d.Links {
		if d.Name < l.PeerName {
			s.wiring.Cables = append(s.wiring.Cables, network.Cable{A: network.End{Device: d.Name, Port: l.Port}, B: network.End{Device: l.PeerName, Port: l.PeerPort}})
		}
	}
}

// survey finds out what all of it comes to.
func (s *sites) survey(out network.Outages) {
	routers := map[string]*network.Router{}
	for name, tree := range s.running {
		if tree.Schema() == sros.Schema {
			routers[name] = read(s.boxes[name], tree)
		} else {
			routers[name] = srlsim.Software().Read(s.boxes[name], tree)
		}
	}
	s.plant = network.Survey(routers, &s.wiring, out)
	s.routing = network.Compute(s.plant)
}

func (s *sites) state(device string) *network.State {
	return network.Observe(s.plant, s.routing, device)
}

// view is what a gateway shows.
func (s *sites) view(t *testing.T, gateway string) *config.Tree {
	return watch(t, sim.Observation{
		Running: s.running[gateway], Hardware: s.boxes[gateway], Router: s.plant.Routers[gateway], State: s.state(gateway), Booted: now, Changed: now, Now: now,
	})
}

// macs are the addresses of servers that a leaf has from afar, with where they lead.
func (s *sites) macs(leaf, instance string) (out []string) {
	for _, m := range s.state(leaf).Instances[instance].MACs {
		if m.MAC == serverMAC(0) || m.MAC == serverMAC(1) {
			if m.Type == "evpn" || m.Type == "evpn-static" {
				out = append(out, m.MAC.String()+" "+esiText(m.ESI))
			}
		}
	}
	return out
}

// The whole way: what Loom renders, read by every device, worked out, and shown.
func TestGatewaysJoinSites(t *testing.T) {
	t.Parallel()
	for service, c := range map[string]struct{ far, sides config.ID }{
		"vxlan-mpls":  {sros.StateServiceVplsBgpEvpnMplsDestinationsNonEthernetSegmentDestination, sros.StateServiceVplsBgpEvpnMpls},
		"vxlan-vxlan": {sros.StateServiceVplsVxlanInstanceDestinationsNonEthernetSegmentDestination, sros.StateServiceVplsVxlanInstance},
	} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			joins(t, stitched(t, "service: vxlan-mpls", "service: "+service), c.sides, c.far)
		})
	}
}

// joins checks two sites whose gateways show whom they send to in a list of each side of a service.
func joins(t *testing.T, s *sites, sides, destinations config.ID) {
	for _, gateway := range []string{"bj-gateway1", "bj-gateway2", "sh-gateway1", "sh-gateway2"} {
		view := s.view(t, gateway)
		states := map[string]int{}
		for n := range entries(at(view.Root(), sros.StateRouter).Entry(base), sros.StateRouterBgpNeighbor) {
			states[text(n, sros.StateRouterBgpNeighborStatisticsSessionState)]++
		}
		if states["Established"] != 6 || len(states) != 1 {
			t.Errorf("%s: sessions %v", gateway, states)
		}
		for _, list := range []config.ID{sros.StateServiceVpls, sros.StateServiceVprn} {
			for c := range entries(view.Root(), list) {
				if oper, _ := sros.Schema.Child(list, "oper-state"); c.Child(oper).Value() != "up" {
					t.Errorf("%s: %s is down", gateway, key(c))
				}
			}
		}
		shows(t, view, map[string]string{
			"/state/service/system/bgp/evpn/ethernet-segment[ethernet-segment-name=interconnect]/oper-state":              "up",
			"/state/service/system/bgp/evpn/ethernet-segment[ethernet-segment-name=interconnect]/multi-homing-oper-state": "all-active",
		})
	}
	view := s.view(t, "bj-gateway1")
	const election = "/state/service/system/bgp/evpn/ethernet-segment[ethernet-segment-name=interconnect]/evi[id=10]"
	shows(t, view, map[string]string{ // RFC 7432 §8.5: 10 mod 2 is the first one
		election + "/df": "true", election + "/service-name": "red-web",
		election + "/df-candidates/ip-address[ip-address=10.1.64.1]/ip-address": "10.1.64.1",
		election + "/df-candidates/ip-address[ip-address=10.1.64.2]/ip-address": "10.1.64.2",
	})
	tells(t, s)
	var near []string
	for d := range entries(at(at(view.Root(), sros.StateServiceVpls).Entry("red-web"), sros.StateServiceVplsVxlanInstance).Entry("1"), sros.StateServiceVplsVxlanInstanceDestinationsNonEthernetSegmentDestination) {
		near = append(near, strings.Join(d.Keys(), " "))
	}
	far := 0
	for range entries(at(at(view.Root(), sros.StateServiceVpls).Entry("red-web"), sides).Entry("2"), destinations) {
		far++
	}
	if !slices.Contains(near, "10.1.32.1 10010") || far != 2 {
		t.Errorf("towards the fabric %v, to %d gateways of the other site", near, far)
	}
	for leaf, want := range map[string]string{"bj-leaf1": serverMAC(1).String(), "sh-leaf1": serverMAC(0).String()} {
		if got := s.macs(leaf, "red-web"); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s has %v", leaf, got)
		}
	}
	// red is routed at both sites: what has a subnet at one alone is reached from the other.
	if !slices.ContainsFunc(s.state("sh-leaf1").Instances["red"].Routes, func(r network.TableRoute) bool { return r.Prefix.String() == "10.11.0.0/24" }) {
		t.Errorf("sh-leaf1 does not route to red/app: %+v", s.state("sh-leaf1").Instances["red"].Routes)
	}
}

// tells checks what gateways show of the way between sites, and of what they have learned: of red, bj has two subnets, and sh one of
// them; each has a server that the leaves tell of.
func tells(t *testing.T, s *sites) {
	t.Helper()
	const tunnel = "/state/router[router-name=Base]/tunnel-table/ipv4/tunnel[ipv4-prefix=10.2.64.1/32][list-index=1][nexthop-index=1]/protocol"
	const routes = "/state/service/vprn[service-name=red]/route-table/unicast/ipv4/statistics"
	protocol := ""
	if s.design.Device("bj-gateway1").WAN.Labels.Size != 0 {
		protocol = "isis"
	}
	shows(t, s.view(t, "bj-gateway1"), map[string]string{tunnel: protocol, routes + "/evpn-iff/active-routes": "3", routes + "/evpn-ifl/active-routes": "1"})
	shows(t, s.view(t, "sh-gateway1"), map[string]string{routes + "/evpn-iff/active-routes": "2", routes + "/evpn-ifl/active-routes": "2"})
}

// When a gateway loses its way to the other site, the other one of its site carries everything.
func TestOneGatewayIsEnough(t *testing.T) {
	t.Parallel()
	s := stitched(t)
	s.survey(network.Outages{Devices: map[string]bool{"bj-gateway1": true}})
	for leaf, want := range map[string]string{"bj-leaf1": serverMAC(1).String(), "sh-leaf1": serverMAC(0).String()} {
		if got := s.macs(leaf, "red-web"); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s has %v", leaf, got)
		}
	}
	s.survey(network.Outages{Devices: map[string]bool{"bj-gateway1": true, "bj-gateway2": true}})
	if got := s.macs("bj-leaf1", "red-web"); len(got) != 0 {
		t.Errorf("without gateways bj-leaf1 has %v", got)
	}
}

// Whatever of these a gateway does without, nothing crosses, on its site's side or the other's.
func TestWhatKeepsSitesApart(t *testing.T) {
	t.Parallel()
	const vpls = "/configure/service/vpls[service-name=red-web]"
	for name, c := range map[string]struct{ path, value string }{
		"the service is off":                 {vpls + "/admin-state", "disable"},
		"its side towards the WAN is off":    {vpls + "/bgp-evpn/mpls[bgp-instance=2]/admin-state", "disable"},
		"its side towards the fabric is off": {vpls + "/bgp-evpn/vxlan[bgp-instance=1]/admin-state", "disable"},
		"it may take no tunnel":              {vpls + "/bgp-evpn/mpls[bgp-instance=2]/auto-bind-tunnel/resolution", "none"},
		"it may take other tunnels":          {vpls + "/bgp-evpn/mpls[bgp-instance=2]/auto-bind-tunnel/resolution-filter/sr-isis", "false"},
		"it imports something else":          {vpls + "/bgp[bgp-instance=2]/route-target/import", "target:65000:1"},
		"it announces no MAC addresses":      {vpls + "/bgp-evpn/routes/mac-ip/advertise", "false"},
		"no labels for segment routing":      {"/configure/router[router-name=Base]/isis[isis-instance=0]/segment-routing/admin-state", "disable"},
		"no sessions between sites":          {"/configure/router[router-name=Base]/bgp/group[group-name=wan]/admin-state", "disable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stitched(t)
			for _, gateway := range []string{"bj-gateway1", "bj-gateway2"} {
				s.running[gateway] = with(t, s.running[gateway], c.path, c.value)
			}
			s.survey(network.Outages{})
			if got := append(s.macs("bj-leaf1", "red-web"), s.macs("sh-leaf1", "red-web")...); len(got) == 2 {
				t.Errorf("they have %v", got)
			}
		})
	}
}

// with is a configuration with one leaf changed.
func with(t *testing.T, tree *config.Tree, path, value string) *config.Tree {
	t.Helper()
	p, err := config.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	if value != "false" {
		value = strconv.Quote(value)
	}
	out, err := config.Apply(tree, &gnmi.SetRequest{Update: []*gnmi.Update{{Path: p.GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(value)}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A gateway that is drained yields to its neighbor on the segment, and nothing is lost.
func TestADrainedGatewayYields(t *testing.T) {
	t.Parallel()
	s := stitched(t)
	drained, err := driving.Drain(s.running["bj-gateway1"], s.design.Device("bj-gateway1"))
	if err != nil {
		t.Fatal(err)
	}
	s.running["bj-gateway1"] = drained
	s.survey(network.Outages{})
	const election = "/state/service/system/bgp/evpn/ethernet-segment[ethernet-segment-name=interconnect]/evi[id=10]"
	shows(t, s.view(t, "bj-gateway1"), map[string]string{election + "/df": "false"})
	shows(t, s.view(t, "bj-gateway2"), map[string]string{election + "/df": "true"})
	for leaf, want := range map[string]string{"bj-leaf1": serverMAC(1).String(), "sh-leaf1": serverMAC(0).String()} {
		if got := s.macs(leaf, "red-web"); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s has %v", leaf, got)
		}
	}
}

// What BGP says of prefixes passes the R-VPLS of a tenant because that is asked for. Without it a prefix of bj is announced to the
// other sites by the gateways of sh, too: they take it from each other, in their own site.
func TestPrefixesComeBackIfWhatBGPSaysOfThemDoesNotPass(t *testing.T) {
	t.Parallel()
	for name, overlay := range overlays {
		for _, passes := range []string{"true", "false"} {
			t.Run(name+" "+passes, func(t *testing.T) {
				t.Parallel()
				s := stitched(t, overlay...)
				for _, gateway := range []string{"bj-gateway1", "bj-gateway2", "sh-gateway1", "sh-gateway2"} {
					s.running[gateway] = with(t, s.running[gateway], interfaceFul+"attribute-uniform-propagation", passes)
				}
				s.survey(network.Outages{})
				back := 0
				for _, gateway := range []string{"sh-gateway1", "sh-gateway2"} {
					for _, p := range s.routing.Paths(gateway, network.L2EVPN) {
						if p.From < 0 && p.Prefix.String() == onlyAtBJ && slices.Contains(p.Targets, "65000:120001") {
							back++
						}
					}
				}
				if back > 0 != (passes == "false") {
					t.Errorf("%s comes back by %d gateways", onlyAtBJ, back)
				}
				if hops := s.hops("sh-leaf1", onlyAtBJ); len(hops) == 0 || passes == "true" && len(hops) != 2 {
					t.Errorf("sh-leaf1 reaches %s by %v", onlyAtBJ, hops)
				}
			})
		}
	}
}

// A leaf that is drained gets nothing of what gateways route while another one has the prefix, because BGP is asked to decide there.
func TestADrainedLeafGetsNothingIfBGPDecides(t *testing.T) {
	t.Parallel()
	for name, overlay := range overlays {
		for decides, want := range map[string][]string{"true": {"bj-leaf2"}, "false": {"bj-leaf1", "bj-leaf2"}} {
			t.Run(name+" "+decides, func(t *testing.T) {
				t.Parallel()
				s := stitched(t, overlay...)
				drained, err := srlinux.Driver().Drain(s.running["bj-leaf1"], s.design.Device("bj-leaf1"))
				if err != nil {
					t.Fatal(err)
				}
				s.running["bj-leaf1"] = drained
				s.running["bj-gateway1"] = with(t, s.running["bj-gateway1"], interfaceFul+"bgp-path-selection", decides)
				s.survey(network.Outages{})
				if got := s.hops("bj-gateway1", onlyAtBJ); !slices.Equal(got, want) {
					t.Errorf("bj-gateway1 reaches %s by %v, not by %v", onlyAtBJ, got, want)
				}
			})
		}
	}
}

// The whole way between tenants takes what Loom has designed, and no more than the tightest service on it: what a service does not
// forward is lost, and no session notices.
func TestWhatServicesForwardBetweenSites(t *testing.T) {
	t.Parallel()
	const service = "/configure/service/vpls[service-name=%s]/service-mtu"
	routed := func(s *sites) network.Room {
		return network.RoomTo(s.plant, s.routing, "sh-leaf1", "red", netip.MustParseAddr("10.11.0.10"))
	}
	bridged := func(s *sites) network.Room {
		return network.RoomToMAC(s.plant, s.routing, "sh-leaf1", "red-web", serverMAC(0))
	}
	for _, tt := range []struct {
		name, vpls, mtu string
		of              func(*sites) network.Room
		want            network.Room
	}{
		{"routed, as designed", "", "", routed, network.Room{Bytes: 9000, Tightest: "bj-leaf1 irb1.11"}},
		{"routed, by the interface that yields to its bridge", "red.fabric", "1514", routed, network.Room{Bytes: 1500, Tightest: "bj-gateway2 red towards 10.1.32.1"}},
		{"bridged, as designed", "", "", bridged, network.Room{Bytes: 9148, Tightest: "sh-leaf1 ethernet-1/49.0"}},
		{"bridged, by the bridge", "red-web", "1514", bridged, network.Room{Bytes: 1500, Tightest: "bj-gateway2 red-web"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := stitched(t, "gateway: 10.11.0.1/24", "gateway: 10.11.0.1/24, mtu: 9000")
			if tt.vpls != "" {
				s.running["bj-gateway2"] = with(t, s.running["bj-gateway2"], fmt.Sprintf(service, tt.vpls), tt.mtu)
				s.survey(network.Outages{})
			}
			if got := tt.of(s); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
			if tt.vpls == "red.fabric" {
				shows(t, s.view(t, "bj-gateway2"), map[string]string{"/state/service/vprn[service-name=red]/interface[interface-name=fabric]/oper-ip-mtu": "1500"})
			}
		})
	}
}

const (
	interfaceFul = "/configure/service/system/bgp/evpn/ip-prefix-routes/interface-ful/"
	onlyAtBJ     = "10.11.0.0/24" // of red
)

// overlays are the ways in which EVPN routes go inside a site.
var overlays = map[string][]string{
	"with reflectors":            nil,
	"between autonomous systems": {"  underlay: {links", "  overlay: {routing: ebgp}\n  underlay: {links"},
}

// hops are the routers by which one reaches a prefix of red.
func (s *sites) hops(from, prefix string) (out []string) {
	for _, r := range s.state(from).Instances["red"].Routes {
		if r.Prefix.String() == prefix {
			for _, h := range r.NextHops {
				out = append(out, h.Router)
			}
		}
	}
	return out
}

// Between sites gateways speak for themselves: their own next hop, the WAN's route target and encapsulation, and of a prefix the
// domain that it comes from. The gateway of the other site says it to its fabric in the same way, with both domains.
func TestWhatGatewaysTellOfWhatTheyHear(t *testing.T) {
	t.Parallel()
	s := stitched(t)
	told := func(at, by string, kind uint8) (out []string) {
		from := s.design.Device(by).Loopback
		for _, p := range s.routing.Paths(at, network.L2EVPN) {
			if p.NextHop == from && p.Type == kind && !p.Rejected && p.Valid && (kind == network.IPPrefix || p.MAC == serverMAC(0)) {
				out = append(out, fmt.Sprintf("%v %v %v", p.Targets, p.Encap, p.Domains))
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	for _, c := range []struct {
		at, by string
		kind   uint8
		want   []string
	}{
		{"sh-gateway1", "bj-gateway1", network.MACIP, []string{"[65000:110010] encapsulation:mpls []"}},
		{"sh-gateway1", "bj-gateway1", network.IPPrefix, []string{"[65000:120001] encapsulation:mpls [65000:1]", "[65000:120002] encapsulation:mpls [65000:1]"}},
		{"sh-leaf1", "sh-gateway1", network.MACIP, []string{"[65000:10010] encapsulation:vxlan []"}},
		{"sh-leaf1", "sh-gateway1", network.IPPrefix, []string{"[65000:20001] encapsulation:vxlan [65000:65535 65000:1]"}}, // blue has no subnet that is at bj alone
		{"sh-leaf1", "bj-gateway1", network.MACIP, nil},
		{"sh-leaf1", "bj-gateway1", network.IPPrefix, nil},
	} {
		if got := told(c.at, c.by, c.kind); !slices.Equal(got, c.want) {
			t.Errorf("%s hears of %s, type %d: %q, not %q", c.at, c.by, c.kind, got, c.want)
		}
	}
}
