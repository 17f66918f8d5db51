package srlsim

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/sim/network"
)

func TestWhatLoomRendersMeansWhatTheGoldenFilesSay(t *testing.T) {
	t.Parallel()
	for _, release := range releases {
		design := demo(t, release)
		for i, name := range []string{"leaf1", "spine1"} {
			file := "demo." + name + "." + release + ".txt"
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				d := design.Device(name)
				r := read(chassis(t, name, d.Platform.Name, byte(i+1)), render(t, d))
				var out strings.Builder
				spell(&out, "", reflect.ValueOf(*r))
				golden(t, file, out.String())
			})
		}
	}
}

// Both releases say the same in their own words, so a router made of either is the same router. Only that 24.10 has one
// number of paths for eBGP and iBGP, where Loom gives 25.3 the one for eBGP.
func TestReleasesMeanTheSame(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, release := range releases {
		d := demo(t, release).Device("spine1")
		r := read(chassis(t, "spine1", d.Platform.Name, 1), render(t, d))
		r.Description = ""
		m := r.Instances[0].BGP.Multipath[network.IPv4]
		m.IBGP = 0
		r.Instances[0].BGP.Multipath[network.IPv4] = m
		var out strings.Builder
		spell(&out, "", reflect.ValueOf(*r))
		texts = append(texts, out.String())
	}
	if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
		t.Error(diff)
	}
}

// reading is a document, or a part of one, and what one expression over its router gives.
type reading struct {
	name     string
	document string
	get      func(*network.Router) any
	want     any
}

// readAll runs a table for both releases.
func readAll(t *testing.T, table []reading) {
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, release := range releases {
				got := c.get(read(small, parse(t, release, c.document)))
				if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
					t.Errorf("%s (-want +got):\n%s", release, diff)
				}
			}
		})
	}
}

func portNames(r *network.Router) any {
	var out []string
	for _, p := range r.Ports {
		out = append(out, p.Name)
	}
	return out
}

func port(n int) func(*network.Router) any { return func(r *network.Router) any { return r.Ports[n] } }

func TestPorts(t *testing.T) {
	t.Parallel()
	readAll(t, []reading{
		{"a port that nobody has configured is disabled", `{}`, port(0),
			network.Port{Name: "ethernet-1/1", MAC: network.MAC{2, 0, 0, 1, 0, 16}, Speed: "100G", MTU: 9232}},
		{"a configured port is enabled unless it says otherwise", `{"interface":[{"name":"ethernet-1/1","description":"to spine1"}]}`, port(0),
			network.Port{Name: "ethernet-1/1", Enabled: true, MAC: network.MAC{2, 0, 0, 1, 0, 16}, Speed: "100G", MTU: 9232, Text: "to spine1"}},
		{"speed, MTU, address and LAG are read", `{"interface":[{"name":"ethernet-1/2","mtu":9000,
			"ethernet":{"port-speed":"40G","mac-address":"02:00:00:00:00:99","aggregate-id":"lag1"}},{"name":"lag1"}]}`, port(1),
			network.Port{Name: "ethernet-1/2", Enabled: true, MAC: network.MAC{2, 0, 0, 0, 0, 0x99}, Speed: "40G", MTU: 9000, LAG: "lag1"}},
		{"channels take the place of a port that is broken out", `{"interface":[{"name":"ethernet-1/1","breakout-mode":
			{"num-breakout-ports":"4","breakout-port-speed":"25G"}},{"name":"ethernet-1/1/2"}]}`, portNames,
			[]string{"ethernet-1/1/1", "ethernet-1/1/2", "ethernet-1/1/3", "ethernet-1/1/4", "ethernet-1/2"}},
		{"a channel has its own speed and address", `{"interface":[{"name":"ethernet-1/1","breakout-mode":
			{"num-breakout-ports":"4","breakout-port-speed":"25G"}},{"name":"ethernet-1/1/2"}]}`, port(1),
			network.Port{Name: "ethernet-1/1/2", Enabled: true, MAC: network.MAC{2, 0, 0, 1, 0, 18}, Speed: "25G", MTU: 9232}},
		{"a channel of a port that is not broken out is no port", `{"interface":[{"name":"ethernet-1/1/2"}]}`, portNames,
			[]string{"ethernet-1/1", "ethernet-1/2"}},
		{"a port that the chassis lacks is no port", `{"interface":[{"name":"ethernet-1/77"}]}`, portNames,
			[]string{"ethernet-1/1", "ethernet-1/2"}},
		{"LLDP needs its container", `{"interface":[{"name":"ethernet-1/1"}]}`,
			func(r *network.Router) any { return r.Ports[0].LLDP }, false},
		{"LLDP is on for every port", `{"system":{"lldp":{}}}`,
			func(r *network.Router) any { return r.Ports[0].LLDP }, true},
		{"LLDP can be switched off for all", `{"system":{"lldp":{"admin-state":"disable"}}}`,
			func(r *network.Router) any { return r.Ports[0].LLDP }, false},
		{"LLDP can be switched off for one port", `{"interface":[{"name":"ethernet-1/1"}],"system":{"lldp":{"interface":[{"name":"ethernet-1/1","admin-state":"disable"}]}}}`,
			func(r *network.Router) any { return []bool{r.Ports[0].LLDP, r.Ports[1].LLDP} }, []bool{false, true}},
		{"LLDP tells the addresses of the subinterfaces that it names", `{"system":{"lldp":{"management-address":[{"subinterface":"mgmt0.0"},{"subinterface":"lo0.0","type":["IPv6"]}]}},
			"interface":[{"name":"mgmt0","subinterface":[{"index":0,"ipv4":{"address":[{"ip-prefix":"192.0.2.7/24"}]}}]},
				{"name":"lo0","subinterface":[{"index":0,"ipv4":{"address":[{"ip-prefix":"10.0.0.7/32"}]},"ipv6":{"address":[{"ip-prefix":"2001:db8::7/128"}]}}]}]}`,
			func(r *network.Router) any { return r.Management }, []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}},
		{"the system is called what its host name says", `{"system":{"name":{"host-name":"edge7"}}}`,
			func(r *network.Router) any { return r.System }, "edge7"},
		{"without a host name the system is called what the device is", `{}`,
			func(r *network.Router) any { return r.System }, "leaf1"},
	})
}

func TestLAGs(t *testing.T) {
	t.Parallel()
	mac := network.MAC{2, 0, 0, 1, 0x50, 5}
	lag := func(r *network.Router) any { return r.LAGs[0] }
	readAll(t, []reading{
		{"a LAG is static unless it says otherwise", `{"interface":[{"name":"lag5","lag":{"lacp":{}}}]}`, lag,
			network.LAG{Name: "lag5", Enabled: true, MAC: mac, MTU: 9232, MinLinks: 1}},
		{"LACP has the system's address and a key of its own", `{"interface":[{"name":"lag5","lag":{"lag-type":"lacp"}}]}`, lag,
			network.LAG{Name: "lag5", Enabled: true, MAC: mac, MTU: 9232, MinLinks: 1, LACP: &network.LACP{Active: true, SystemID: small.MAC, SystemPriority: 32768, Key: 32773}}},
		{"LACP says what is configured", `{"interface":[{"name":"lag5","admin-state":"disable","mtu":9000,"lag":{"lag-type":"lacp","member-speed":"25G","min-links":2,
			"lacp":{"interval":"FAST","lacp-mode":"PASSIVE","admin-key":7,"system-id-mac":"02:00:00:00:00:01","system-priority":0}}}]}`, lag,
			network.LAG{Name: "lag5", MAC: mac, MTU: 9000, Speed: "25G", MinLinks: 2, LACP: &network.LACP{Fast: true, SystemID: network.MAC{2, 0, 0, 0, 0, 1}, Key: 7}}},
	})
}

func TestSubinterfaces(t *testing.T) {
	t.Parallel()
	sub := func(r *network.Router) any { return r.Subinterfaces[0] }
	vlan := func(r *network.Router) any { return r.Subinterfaces[0].VLAN }
	on := func(kind, rest string) string {
		return `{"interface":[{"name":"ethernet-1/1","vlan-tagging":true,"subinterface":[{"index":7,"type":"` + kind + `"` + rest + `}]}]}`
	}
	mac := network.MAC{2, 0, 0, 1, 0, 16}
	readAll(t, []reading{
		{"an address without an enabled family is none", on("routed", `,"ipv4":{"address":[{"ip-prefix":"10.0.0.1/31"}]}`), sub,
			network.Subinterface{Name: "ethernet-1/1.7", Parent: "ethernet-1/1", Index: 7, Enabled: true, VLAN: network.VLAN{Tagged: true}, IPMTU: 1500, MAC: mac}},
		{"a disabled port disables its subinterfaces", `{"interface":[{"name":"ethernet-1/1","admin-state":"disable","subinterface":[{"index":0}]}]}`, sub,
			network.Subinterface{Name: "ethernet-1/1.0", Parent: "ethernet-1/1", IPMTU: 1500, MAC: mac}},
		{"IPv6 makes a link-local address of the port's", on("routed", `,"ip-mtu":9000,"ipv6":{"admin-state":"enable","router-advertisement":{"router-role":{"admin-state":"enable"}}}`), sub,
			network.Subinterface{Name: "ethernet-1/1.7", Parent: "ethernet-1/1", Index: 7, Enabled: true, VLAN: network.VLAN{Tagged: true}, IPMTU: 9000, MAC: mac,
				IPv6: true, RA: true, LinkLocal: netip.MustParseAddr("fe80::ff:fe01:10")}},
		{"a configured link-local address takes its place", on("routed", `,"ipv6":{"admin-state":"enable","address":[{"ip-prefix":"fe80::7/64","type":"link-local-unicast"}]}`),
			func(r *network.Router) any { return r.Subinterfaces[0].LinkLocal }, netip.MustParseAddr("fe80::7")},
		{"a bridged subinterface has no addresses", on("bridged", `,"vlan":{"encap":{"single-tagged":{"vlan-id":10}}}`), sub,
			network.Subinterface{Name: "ethernet-1/1.7", Parent: "ethernet-1/1", Index: 7, Enabled: true, Kind: network.Bridged, VLAN: network.VLAN{Tagged: true, Low: 10, High: 10}, L2MTU: 9232, MAC: mac}},
		{"a bridged subinterface says how large its frames may be", on("bridged", `,"l2-mtu":1600`), func(r *network.Router) any { return r.Subinterfaces[0].L2MTU }, uint32(1600)},
		{"untagged frames of a tagged port", on("bridged", `,"vlan":{"encap":{"untagged":{}}}`), vlan, network.VLAN{Tagged: true}},
		{"a range of tags", on("bridged", `,"vlan":{"encap":{"single-tagged-range":{"low-vlan-id":[{"range-low-vlan-id":5,"high-vlan-id":9}]}}}`), vlan, network.VLAN{Tagged: true, Low: 5, High: 9}},
		{"any tag", on("bridged", `,"vlan":{"encap":{"single-tagged":{"vlan-id":"optional"}}}`), vlan, network.VLAN{Tagged: true, Low: 1, High: 4094}},
		{"a port without tagging has frames without tags", `{"interface":[{"name":"ethernet-1/1","subinterface":[{"index":0,"vlan":{"encap":{"single-tagged":{"vlan-id":5}}}}]}]}`, vlan, network.VLAN{}},
		{"a gateway is the same on every leaf", `{"interface":[{"name":"irb1","subinterface":[{"index":10,"anycast-gw":{},
			"ipv4":{"admin-state":"enable","address":[{"ip-prefix":"10.10.0.1/24","anycast-gw":true}],
				"arp":{"learn-unsolicited":true,"host-route":{"populate":[{"route-type":"dynamic"}]},"evpn":{"advertise":[{"route-type":"dynamic"}]}}}}]}]}`, sub,
			network.Subinterface{Name: "irb1.10", Parent: "irb1", Index: 10, Kind: network.IRB, Enabled: true, IPMTU: 1500, MAC: network.MAC{2, 0, 0, 1, 0x40, 1},
				IPv4: true, Addresses: []network.Address{{Prefix: netip.MustParsePrefix("10.10.0.1/24"), Anycast: true}},
				Anycast: network.MAC{0, 0, 0x5e, 0, 1, 1}, Learn: true, HostRoutes: true, AdvertiseL3: true}},
		{"neighbor discovery counts like ARP", `{"interface":[{"name":"irb1","subinterface":[{"index":10,"anycast-gw":{"anycast-gw-mac":"00:00:5E:00:01:09"},
			"ipv6":{"admin-state":"enable","neighbor-discovery":{"learn-unsolicited":"global","host-route":{"populate":[{"route-type":"dynamic"}]},"evpn":{"advertise":[{"route-type":"dynamic"}]}}}}]}]}`,
			func(r *network.Router) any {
				s := r.Subinterfaces[0]
				return []any{s.Learn, s.HostRoutes, s.AdvertiseL3, s.Anycast}
			}, []any{true, true, true, network.MAC{0, 0, 0x5e, 0, 1, 9}}},
		{"BFD is off until it is enabled", `{"interface":[{"name":"lo0","subinterface":[{"index":0}]}],"bfd":{"subinterface":[{"id":"lo0.0"}]}}`,
			func(r *network.Router) any { return r.Subinterfaces[0].BFD == nil }, true},
		{"BFD counts in microseconds", `{"interface":[{"name":"lo0","subinterface":[{"index":0}]}],
			"bfd":{"subinterface":[{"id":"lo0.0","admin-state":"enable","desired-minimum-transmit-interval":300000}]}}`,
			func(r *network.Router) any { return *r.Subinterfaces[0].BFD }, network.BFD{Transmit: 300 * time.Millisecond, Receive: time.Second, Multiplier: 3}},
		{"the management port is reached by other ways", `{"interface":[{"name":"mgmt0","subinterface":[{"index":0}]}]}`,
			func(r *network.Router) any { return len(r.Subinterfaces) }, 0},
	})
}

func TestInstances(t *testing.T) {
	t.Parallel()
	instance := func(r *network.Router) any { return r.Instances[0] }
	const system = `"interface":[{"name":"system0","subinterface":[{"index":0,"ipv4":{"admin-state":"enable","address":[{"ip-prefix":"10.1.0.1/32"}]}}]}],
		"tunnel-interface":[{"name":"vxlan1","vxlan-interface":[{"index":10,"type":"bridged","ingress":{"vni":10010}}]}],`
	const base = `{"name":"default","interface":[{"name":"system0.0"}],"protocols":{"bgp":{"autonomous-system":65001,"router-id":"10.1.0.1"}}}`
	vrf := func(rest string) string {
		return `{` + system + `"network-instance":[` + base + `,{"name":"blue","type":"mac-vrf","vxlan-interface":[{"name":"vxlan1.10"}],"protocols":{` + rest + `}}]}`
	}
	evpn := func(r *network.Router) any { return *r.Instances[0].EVPN }
	readAll(t, []reading{
		{"an instance is what its type says", `{"network-instance":[{"name":"red","type":"ip-vrf","admin-state":"disable","router-id":"10.0.0.9",
			"ip-forwarding":{"receive-ipv4-check":false},"interface":[{"name":"irb1.2"},{"name":"irb1.1"}]}]}`, instance,
			network.Instance{Name: "red", Kind: network.IPVRF, RouterID: netip.MustParseAddr("10.0.0.9"), Interfaces: []string{"irb1.1", "irb1.2"}, UncheckedIPv4: true}},
		{"an interface by reference", `{"network-instance":[{"name":"red","interface":[{"name":"uplink","interface-ref":{"interface":"ethernet-1/1","subinterface":3}}]}]}`,
			func(r *network.Router) any { return r.Instances[0].Interfaces }, []string{"ethernet-1/1.3"}},
		{"static routes lead by groups of next hops", `{"network-instance":[{"name":"red",
			"next-hop-groups":{"group":[{"name":"g","nexthop":[{"index":1,"ip-address":"10.0.0.1"},{"index":2,"admin-state":"disable","ip-address":"10.0.0.2"}]},{"name":"none"}]},
			"static-routes":{"route":[{"prefix":"0.0.0.0/0","next-hop-group":"g"},{"prefix":"10.9.0.0/16","next-hop-group":"none"},
				{"prefix":"10.8.0.0/16","next-hop-group":"g","admin-state":"disable"}]}}]}`,
			func(r *network.Router) any { return r.Instances[0].Static },
			[]network.StaticRoute{{Prefix: netip.MustParsePrefix("0.0.0.0/0"), NextHops: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}}},
		{"a tunnel starts at system0", vrf(``), func(r *network.Router) any { return *r.Instances[0].VXLAN },
			network.VXLAN{Interface: "vxlan1.10", VNI: 10010, Source: netip.MustParseAddr("10.1.0.1")}},
		{"a tunnel that is not there is none", `{"network-instance":[{"name":"blue","type":"mac-vrf","vxlan-interface":[{"name":"vxlan1.10"}]}]}`,
			func(r *network.Router) any { return r.Instances[0].VXLAN == nil }, true},
		{"RD and route target are derived from the EVI", vrf(`"bgp-evpn":{"bgp-instance":[{"id":1,"evi":10,"vxlan-interface":"vxlan1.10"}]},"bgp-vpn":{"bgp-instance":[{"id":1}]}`), evpn,
			network.EVPN{Enabled: true, EVI: 10, ECMP: 1, RD: "10.1.0.1:10", Import: []network.RT{"65001:10"}, Export: []network.RT{"65001:10"}, MulticastRoutes: true, MACRoutes: true}},
		{"configured RD and route targets stay", vrf(`"bgp-evpn":{"bgp-instance":[{"id":1,"evi":10,"admin-state":"disable","ecmp":4,"routes":{"bridge-table":{"mac-ip":{"advertise":false},"inclusive-mcast":{"advertise":false}},
			"route-table":{"mac-ip":{"advertise-gateway-mac":true}}}}]},
			"bgp-vpn":{"bgp-instance":[{"id":1,"route-distinguisher":{"rd":"10.1.0.1:99"},"route-target":{"import-rt":"target:65000:1","export-rt":"target:65000:2"}}]}`), evpn,
			network.EVPN{EVI: 10, ECMP: 4, RD: "10.1.0.1:99", Import: []network.RT{"65000:1"}, Export: []network.RT{"65000:2"}, GatewayMAC: true}},
		{"policies decide on route targets", strings.Replace(vrf(`"bgp-evpn":{"bgp-instance":[{"id":1,"evi":10}]},
			"bgp-vpn":{"bgp-instance":[{"id":1,"import-policy":["in"],"export-policy":["out"]}]}`), `{"interface"`, `{"routing-policy":{
			"community-set":[{"name":"a","member":["target:65000:1","target:65000:2"]},{"name":"b","member":["target:65000:3","65000:9"]}],
			"policy":[{"name":"in","statement":[{"name":"1","match":{"bgp":{"community-set":"a"}},"action":{"policy-result":"accept"}},
					{"name":"2","match":{"bgp":{"community-set":"b"}},"action":{"policy-result":"reject"}}]},
				{"name":"out","statement":[{"name":"1","action":{"policy-result":"accept","bgp":{"communities":{"add":"b"}}}}]}]},"interface"`, 1),
			func(r *network.Router) any {
				return [][]network.RT{r.Instances[0].EVPN.Import, r.Instances[0].EVPN.Export}
			},
			[][]network.RT{{"65000:1", "65000:2"}, {"65000:3"}}},
		{"without an address of the system there is no RD", strings.Replace(vrf(`"bgp-evpn":{"bgp-instance":[{"id":1,"evi":10}]}`), `"name":"system0.0"`, `"name":"lo0.0"`, 1),
			func(r *network.Router) any { return r.Instances[0].EVPN.RD }, network.RD("")},
	})
}

func TestEthernetSegments(t *testing.T) {
	t.Parallel()
	segments := func(rest string) string {
		return `{"system":{"network-instance":{"protocols":{"evpn":{"ethernet-segments":{"bgp-instance":[{"id":1,"ethernet-segment":[{"name":"es1"` + rest + `}]}]}}}}}}`
	}
	segment := func(r *network.Router) any { return r.Segments[0] }
	readAll(t, []reading{
		{"a segment is off until it is enabled", segments(``), segment, network.EthernetSegment{Name: "es1", Activation: 3 * time.Second}},
		{"a segment says all of itself", segments(`,"admin-state":"enable","esi":"00:01:02:03:04:05:06:07:08:09","multi-homing-mode":"single-active",
			"interface":[{"ethernet-interface":"lag2"},{"ethernet-interface":"lag1"}],
			"df-election":{"timers":{"activation-timer":0},"algorithm":{"type":"preference","preference-alg":{}}}`), segment,
			network.EthernetSegment{Name: "es1", Enabled: true, ESI: network.ESI{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, Interfaces: []string{"lag1", "lag2"},
				SingleActive: true, DF: network.DFElection{Preference: true, Value: 32767}}},
		{"an election that does not look at subinterfaces", segments(`,"df-election":{"algorithm":{"type":"preference","preference-alg":{"preference-value":7,"capabilities":{"ac-df":"exclude"}}}}`),
			func(r *network.Router) any { return r.Segments[0].DF }, network.DFElection{Preference: true, Value: 7, AnyCircuit: true}},
	})
}

func TestISIS(t *testing.T) {
	t.Parallel()
	readAll(t, []reading{
		{"a process with a label block", `{"system":{"mpls":{"label-ranges":{"static":[{"name":"srgb","start-label":16000,"end-label":16999}]}}},
			"network-instance":[{"name":"default","segment-routing":{"mpls":{"global-block":{"label-range":"srgb"},
				"local-prefix-sid":[{"prefix-sid-index":1,"interface":"system0.0","ipv4-label-index":7}]}},
			"protocols":{"isis":{"instance":[{"name":"i","admin-state":"enable","net":["49.0001.0100.0000.0001.00"],"level-capability":"L1L2",
				"authentication":{"key":{"crypto-algorithm":"cleartext","auth-password":"k"}},"segment-routing":{"mpls":{}},
				"interface":[{"interface-name":"system0.0","passive":true},{"interface-name":"ethernet-1/1.0","circuit-type":"point-to-point",
					"level":[{"level-number":1,"disable":true},{"level-number":2,"metric":50}]}]}]}}}]}`,
			func(r *network.Router) any { return *r.Instances[0].ISIS },
			network.ISIS{Enabled: true, NET: "49.0001.0100.0000.0001.00", Level1: true, Level2: true, Base: 16000, Size: 1000, Index: 7, Interfaces: []network.ISISInterface{
				{Name: "ethernet-1/1.0", Enabled: true, PointToPoint: true, Metric: 50, Level2: true, Key: "k"},
				{Name: "system0.0", Enabled: true, Passive: true, Metric: 10, Level1: true, Level2: true, Key: "k"}}}},
		{"a process is off until it is enabled", `{"network-instance":[{"name":"default","protocols":{"isis":{"instance":[{"name":"i"}]}}}]}`,
			func(r *network.Router) any { return *r.Instances[0].ISIS }, network.ISIS{Level2: true}},
	})
}
