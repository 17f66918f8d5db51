package srlsim

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// bgpDocument has a default instance with BGP, an IP-VRF and a MAC-VRF with EVPN, and IS-IS with labels.
const bgpDocument = `{"interface":[{"name":"ethernet-1/1","subinterface":[{"index":0,"type":"bridged"}]},
		{"name":"system0","subinterface":[{"index":0,"ipv4":{"admin-state":"enable","address":[{"ip-prefix":"10.1.0.1/32"}]}}]}],
	"tunnel-interface":[{"name":"vxlan1","vxlan-interface":[{"index":10,"type":"bridged","ingress":{"vni":10010}}]}],
	"network-instance":[
		{"name":"default","interface":[{"name":"system0.0"}],"protocols":{"bgp":{"autonomous-system":65001,"router-id":"10.1.0.1","afi-safi":[{"afi-safi-name":"ipv4-unicast","admin-state":"enable"},{"afi-safi-name":"evpn","admin-state":"enable"}],
			"group":[{"group-name":"g"}],"neighbor":[{"peer-address":"10.0.0.2","peer-group":"g"}],
			"dynamic-neighbors":{"interface":[{"interface-name":"ethernet-1/1.0","peer-group":"g","allowed-peer-as":["65002"]}]}},
			"isis":{"instance":[{"name":"i","admin-state":"enable","net":["49.0001.0100.0000.0001.00"],"interface":[{"interface-name":"system0.0"}]}]}}},
		{"name":"blue","type":"mac-vrf","interface":[{"name":"ethernet-1/1.0"}],"vxlan-interface":[{"name":"vxlan1.10"}],"protocols":{
			"bgp-evpn":{"bgp-instance":[{"id":1,"evi":10,"vxlan-interface":"vxlan1.10"}]},"bgp-vpn":{"bgp-instance":[{"id":1,"route-target":{"import-rt":"target:65000:9"}}]}}},
		{"name":"red","type":"ip-vrf","admin-state":"disable"}],
	"system":{"network-instance":{"protocols":{"bgp-vpn":{"bgp-instance":[{"id":1}]},"evpn":{"ethernet-segments":{"bgp-instance":[{"id":1,"ethernet-segment":[
		{"name":"es1","admin-state":"enable","esi":"00:01:02:03:04:05:06:07:08:09"},{"name":"es2"}]}]}}}}}}`

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// session is one to 10.0.0.2, with something changed.
func session(change func(*network.Session)) network.Session {
	s := network.Session{Instance: "default", Neighbor: new(neighborOf(func(*network.Neighbor) {})), LocalAddress: addr("10.0.0.3"), State: network.Established, Path: true,
		PeerID: addr("10.1.0.2"), Exchanged: []network.Family{network.IPv4}, HoldTime: 9, KeepAlive: 3}
	change(&s)
	return s
}

func sessions(change func(*network.Session)) network.State {
	return network.State{Sessions: []network.Session{session(change)}, Counts: []map[network.Family]network.Counts{{network.IPv4: {Received: 5, Active: 4, Rejected: 1, Sent: 2}}}}
}

func TestBGPShowsItsSessions(t *testing.T) {
	t.Parallel()
	const bgp = "/network-instance[name=default]/protocols/bgp"
	const neighbor = bgp + "/neighbor[peer-address=10.0.0.2]"
	const found = bgp + "/neighbor[peer-address=fe80::2%ethernet-1/1.0]"
	showAll(t, []showing{
		{"an established session", bgpDocument, sessions(func(*network.Session) {}), map[string]string{
			bgp + "/oper-state": "up", bgp + "/statistics/total-peers": "1", bgp + "/statistics/up-peers": "1", bgp + "/statistics/total-received-routes": "5",
			bgp + "/afi-safi[afi-safi-name=ipv4-unicast]/active-routes": "4",
			neighbor + "/session-state":                                 "established", neighbor + "/peer-type": "ebgp", neighbor + "/peer-router-id": "10.1.0.2", neighbor + "/dynamic-neighbor": "false",
			neighbor + "/timers/negotiated-hold-time": "9", neighbor + "/timers/negotiated-keepalive-interval": "3",
			neighbor + "/transport/local-address": "10.0.0.3", neighbor + "/transport/local-port": "179",
			neighbor + "/last-event": "recvKeepAlive", neighbor + "/received-end-of-rib": "srl_nokia-common:ipv4-unicast",
			neighbor + "/afi-safi[afi-safi-name=ipv4-unicast]/oper-state":      "up",
			neighbor + "/afi-safi[afi-safi-name=ipv4-unicast]/received-routes": "5",
			neighbor + "/afi-safi[afi-safi-name=ipv4-unicast]/rejected-routes": "1",
			neighbor + "/afi-safi[afi-safi-name=ipv4-unicast]/sent-routes":     "2",
			neighbor + "/afi-safi[afi-safi-name=evpn]/oper-state":              "",
		}},
		{"a session that the peer has refused", bgpDocument, sessions(func(s *network.Session) { s.State, s.Code, s.Subcode, s.PeerType = network.Active, 2, 2, network.IBGP }), map[string]string{
			neighbor + "/session-state": "active", neighbor + "/peer-type": "ibgp", neighbor + "/last-event": "recvNotify", neighbor + "/peer-router-id": "",
			neighbor + "/received-messages/last-notification-error-code":    "Open Message Error",
			neighbor + "/received-messages/last-notification-error-subcode": "Bad Peer As",
			neighbor + "/afi-safi[afi-safi-name=ipv4-unicast]/oper-state":   "down",
		}},
		{"a session that was refused here", bgpDocument, sessions(func(s *network.Session) { s.State, s.Code, s.Subcode, s.Sent = network.Idle, 6, 2, true }), map[string]string{
			neighbor + "/last-event": "error", neighbor + "/sent-messages/last-notification-error-code": "Cease",
			neighbor + "/sent-messages/last-notification-error-subcode": "Administrative Shutdown", neighbor + "/received-messages/last-notification-error-code": "",
		}},
		{"a peer that cannot be reached", bgpDocument, sessions(func(s *network.Session) { s.State, s.Path = network.Connect, false }), map[string]string{neighbor + "/last-event": "openFail"}},
		{"a session that is switched off", bgpDocument, sessions(func(s *network.Session) { s.State, s.Enabled = network.Idle, false }), map[string]string{
			neighbor + "/last-event": "stop", bgp + "/statistics/disabled-peers": "1"}},
		{"a neighbor that was found", bgpDocument, sessions(func(s *network.Session) {
			s.Peer, s.LocalAddress, s.Dynamic, s.PeerAS = addr("fe80::2%ethernet-1/1.0"), addr("fe80::9%ethernet-1/1.0"), true, 65002
			s.Interface = "ethernet-1/1.0"
		}), map[string]string{
			found + "/session-state": "established", found + "/dynamic-neighbor": "true", found + "/peer-group": "g", found + "/peer-as": "65002",
			found + "/transport/local-address": "fe80::9", found + "/transport/local-port": "179"}},
		{"a neighbor that was found shows the AS number that came, of several that may", bgpDocument, sessions(func(s *network.Session) {
			s.Peer, s.Dynamic, s.PeerAS, s.RemoteAS = addr("fe80::2%ethernet-1/1.0"), true, 0, 65007
			s.Interface = "ethernet-1/1.0"
			s.AllowedAS = []network.ASRange{{Low: 65001, High: 65009}}
		}), map[string]string{found + "/peer-as": "65007"}},
		{"before that it shows none", bgpDocument, sessions(func(s *network.Session) {
			s.Peer, s.Dynamic, s.PeerAS, s.State = addr("fe80::2%ethernet-1/1.0"), true, 0, network.Active
			s.Interface = "ethernet-1/1.0"
			s.AllowedAS = []network.ASRange{{Low: 65001, High: 65009}}
		}), map[string]string{found + "/peer-as": ""}},
		{"or the only one that may come", bgpDocument, sessions(func(s *network.Session) {
			s.Peer, s.Dynamic, s.PeerAS, s.State = addr("fe80::2%ethernet-1/1.0"), true, 0, network.Active
			s.Interface = "ethernet-1/1.0"
			s.AllowedAS = []network.ASRange{{Low: 65002, High: 65002}}
		}), map[string]string{found + "/peer-as": "65002"}},
		{"the instances", bgpDocument, network.State{Instances: map[string]network.InstanceState{
			"blue": {Oper: up, EVPN: network.Oper{Reason: "no-nexthop-address"}, VXLAN: network.Oper{Reason: "vxlan-tunnel-down"}}}, Links: &network.Links{Subs: map[string]network.SubState{"ethernet-1/1.0": {Oper: network.Oper{Reason: "evpn-mh-standby"}}}}},
			map[string]string{
				"/network-instance[name=default]/oper-state": "up", "/network-instance[name=red]/oper-state": "down", "/network-instance[name=red]/oper-down-reason": "admin-down",
				"/network-instance[name=blue]/interface[name=ethernet-1/1.0]/oper-down-reason":                                     "evpn-mh-standby",
				"/network-instance[name=default]/interface[name=system0.0]/oper-down-reason":                                       "subif-down",
				"/network-instance[name=blue]/vxlan-interface[name=vxlan1.10]/oper-down-reason":                                    "vxlan-tunnel-down",
				"/network-instance[name=blue]/protocols/bgp-evpn/bgp-instance[id=1]/oper-down-reason":                              "no-nexthop-address",
				"/network-instance[name=blue]/protocols/bgp-vpn/bgp-instance[id=1]/route-distinguisher/rd":                         "10.1.0.1:10",
				"/network-instance[name=blue]/protocols/bgp-vpn/bgp-instance[id=1]/route-distinguisher/route-distinguisher-origin": "auto-derived-from-evi",
				"/network-instance[name=blue]/protocols/bgp-vpn/bgp-instance[id=1]/route-target/import-route-target-origin":        "manual",
				"/network-instance[name=blue]/protocols/bgp-vpn/bgp-instance[id=1]/route-target/export-rt":                         "target:65001:10",
				"/network-instance[name=blue]/protocols/bgp-vpn/bgp-instance[id=1]/route-target/export-route-target-origin":        "auto-derived-from-evi",
			}},
		{"IS-IS neighbors", bgpDocument, network.State{Links: &network.Links{Subs: map[string]network.SubState{"system0.0": {Oper: up}}, ISIS: []network.Adjacency{
			{Instance: "default", Subinterface: "system0.0", System: "0100.0000.0002", Level: 2, Up: true, Peer: "spine1"}}}}, map[string]string{
			"/network-instance[name=default]/protocols/isis/instance[name=i]/oper-system-id":                                                                                                         "0100.0000.0001",
			"/network-instance[name=default]/protocols/isis/instance[name=i]/interface[interface-name=system0.0]/oper-state":                                                                         "up",
			"/network-instance[name=default]/protocols/isis/instance[name=i]/interface[interface-name=system0.0]/adjacency[neighbor-system-id=0100.0000.0002][adjacency-level=L2]/state":             "up",
			"/network-instance[name=default]/protocols/isis/instance[name=i]/interface[interface-name=system0.0]/adjacency[neighbor-system-id=0100.0000.0002][adjacency-level=L2]/neighbor-hostname": "spine1",
		}},
		{"ethernet segments", bgpDocument, network.State{Segments: []network.SegmentState{{Name: "es1", Oper: up, Algorithm: "preference", Preference: 7,
			Instances: []network.SegmentInstance{{Instance: "blue", DF: true, Forwarder: addr("10.1.0.1"), Candidates: []netip.Addr{addr("10.1.0.1"), addr("10.1.0.2")}}}}}}, map[string]string{
			esPath("es1") + "/oper-state": "up", esPath("es1") + "/df-election/algorithm/oper-type": "preference",
			esPath("es1") + "/df-election/algorithm/preference-alg/oper-preference-value": "7",
			esPath("es1") + "/association/network-instance[name=blue]/bgp-instance[instance=1]/computed-designated-forwarder-candidates/designated-forwarder-candidate[address=10.1.0.1]/designated-forwarder": "true",
			esPath("es1") + "/association/network-instance[name=blue]/bgp-instance[instance=1]/computed-designated-forwarder-candidates/designated-forwarder-candidate[address=10.1.0.2]/designated-forwarder": "false",
			esPath("es2") + "/oper-state": "down",
		}},
		{"tunnels", bgpDocument, network.State{VTEPs: []netip.Addr{addr("10.1.0.2")}, Tunnels: []network.TunnelState{{Interface: "vxlan1.10", Oper: up, SourceMAC: network.MAC{2, 0, 0, 0, 0, 9},
			Multicast: []network.Destination{{VTEP: addr("10.1.0.2"), VNI: 10010}}, Unicast: []network.Destination{{VTEP: addr("10.1.0.2"), VNI: 10010, MACs: 3}},
			Segments: []network.SegmentDestination{{ESI: network.ESI{9: 1}, VTEPs: []network.Destination{{VTEP: addr("10.1.0.3"), VNI: 10010}}, MACs: 2}}}}}, map[string]string{
			"/tunnel/vxlan-tunnel/vtep[address=10.1.0.2]/last-change":                                                                                                                            "2025-01-01T12:01:00.000Z",
			"/tunnel-interface[name=vxlan1]/vxlan-interface[index=10]/oper-state":                                                                                                                "up",
			"/tunnel-interface[name=vxlan1]/vxlan-interface[index=10]/egress/inner-ethernet-header/used-source-mac":                                                                              "02:00:00:00:00:09",
			"/tunnel-interface[name=vxlan1]/vxlan-interface[index=10]/bridge-table/multicast-destinations/destination[vtep=10.1.0.2][vni=10010]/vni":                                             "10010",
			"/tunnel-interface[name=vxlan1]/vxlan-interface[index=10]/bridge-table/unicast-destinations/destination[vtep=10.1.0.2][vni=10010]/statistics/active-entries":                         "3",
			"/tunnel-interface[name=vxlan1]/vxlan-interface[index=10]/bridge-table/unicast-destinations/es-destination[esi=00:00:00:00:00:00:00:00:00:01]/statistics/active-entries":             "2",
			"/tunnel-interface[name=vxlan1]/vxlan-interface[index=10]/bridge-table/unicast-destinations/es-destination[esi=00:00:00:00:00:00:00:00:00:01]/vtep[address=10.1.0.3][vni=10010]/vni": "10010",
		}},
		{"the bridge table", bgpDocument, network.State{Instances: map[string]network.InstanceState{"blue": {Oper: up, MACs: []network.MACEntry{
			{MAC: network.MAC{5: 1}, Type: "learnt", Subinterface: "ethernet-1/1.0"},
			{MAC: network.MAC{5: 2}, Type: "evpn", VTEP: addr("10.1.0.2"), VNI: 10010},
			{MAC: network.MAC{5: 3}, Type: "evpn", ESI: network.ESI{9: 1}},
			{MAC: network.MAC{5: 4}, Type: "irb-interface-anycast"}}}}}, map[string]string{
			macPath(1) + "/destination": "ethernet-1/1.0", macPath(1) + "/destination-type": "sub-interface", macPath(1) + "/type": "learnt", macPath(1) + "/last-update": "2025-01-01T12:01:00.000Z",
			macPath(2) + "/destination": "vxlan-interface:vxlan1.10 vtep:10.1.0.2 vni:10010", macPath(2) + "/destination-type": "vxlan",
			macPath(3) + "/destination": "vxlan-interface:vxlan1.10 esi:00:00:00:00:00:00:00:00:00:01",
			macPath(4) + "/destination": "irb-interface", macPath(4) + "/destination-type": "irb-interface",
			"/network-instance[name=blue]/bridge-table/statistics/active-entries": "4",
		}},
	})
}

// An adjacency counts how often it was lost.
func TestAdjacenciesCountTheirLosses(t *testing.T) {
	t.Parallel()
	const adjacency = "/network-instance[name=default]/protocols/isis/instance[name=i]/interface[interface-name=system0.0]/adjacency[neighbor-system-id=0100.0000.0002][adjacency-level=L2]"
	running := parse(t, "25.3", bgpDocument)
	var before *config.Tree
	for i, step := range []struct {
		up   bool
		want string
	}{{true, "0"}, {false, "1"}, {false, "1"}, {true, "1"}, {false, "2"}} {
		o := observation(running, network.State{Links: &network.Links{ISIS: []network.Adjacency{
			{Instance: "default", Subinterface: "system0.0", System: "0100.0000.0002", Level: 2, Up: step.up, Reason: "bad-hello", Peer: "spine1"}}}})
		o.Before = before
		before = watch(t, o)
		if got := leafOf(t, before, adjacency+"/up-down-transitions"); got != step.want {
			t.Errorf("step %d: %s transitions, want %s", i, got, step.want)
		}
	}
}

func esPath(name string) string {
	return "/system/network-instance/protocols/evpn/ethernet-segments/bgp-instance[id=1]/ethernet-segment[name=" + name + "]"
}

func macPath(last int) string {
	return "/network-instance[name=blue]/bridge-table/mac-table/mac[address=00:00:00:00:00:0" + strconv.Itoa(last) + "]"
}

// follow reads a route, and where it leads.
func follow(t *testing.T, view *config.Tree, prefix, kind, owner string) (hops []string) {
	t.Helper()
	family, leaf := "ipv4-unicast", "ipv4-prefix"
	if !netip.MustParsePrefix(prefix).Addr().Is4() {
		family, leaf = "ipv6-unicast", "ipv6-prefix"
	}
	const table = "/network-instance[name=default]/route-table"
	group := leafOf(t, view, table+"/"+family+"/route["+leaf+"="+prefix+"][route-type=srl_nokia-common:"+kind+"][route-owner="+owner+"][id=0][origin-network-instance=default]/next-hop-group")
	for i := 0; ; i++ {
		hop := leafOf(t, view, table+"/next-hop-group[index="+group+"]/next-hop[id="+strconv.Itoa(i)+"]/next-hop")
		if hop == "" {
			return hops
		}
		at := table + "/next-hop[index=" + hop + "]/"
		words := ""
		for _, leaf := range []string{"type", "ip-address", "subinterface", "vxlan/vni", "vxlan-encapsulation/vni"} {
			if v := leafOf(t, view, at+leaf); v != "" {
				words += " " + strings.TrimPrefix(v, "srl_nokia-ip-route-tables:")
			}
		}
		hops = append(hops, words[1:])
	}
}

func TestRoutesLeadToNextHops(t *testing.T) {
	t.Parallel()
	routes := []network.TableRoute{
		{Prefix: prefix("10.0.0.0/31"), Protocol: "local", NextHops: []network.Hop{{Subinterface: "ethernet-1/1.0"}}},
		{Prefix: prefix("10.1.0.1/32"), Protocol: "host", NextHops: []network.Hop{{}}},
		{Prefix: prefix("10.7.0.255/32"), Protocol: "host"},
		{Prefix: prefix("10.1.0.2/32"), Protocol: "bgp", Preference: 170, NextHops: []network.Hop{{Subinterface: "ethernet-1/1.0", Addr: addr("fe80::2%ethernet-1/1.0")}, {Subinterface: "ethernet-1/2.0", Addr: addr("10.0.0.2")}}},
		{Prefix: prefix("2001:db8::/64"), Protocol: "bgp-evpn", NextHops: []network.Hop{{VTEP: addr("10.1.0.2"), VNI: 20001}}},
		{Prefix: prefix("10.9.0.1/32"), Protocol: "bgp-evpn-ifl-host", NextHops: []network.Hop{{VTEP: addr("10.1.0.2"), VNI: 20001}}},
	}
	state := network.State{Instances: map[string]network.InstanceState{"default": {Oper: up, Routes: routes}},
		Links: &network.Links{Labels: []network.Label{{Instance: "default", In: 16002, Out: 3, Prefix: prefix("10.1.0.2/32"), Via: network.Hop{Subinterface: "ethernet-1/1.0"}}}}}
	for _, release := range releases {
		view := watch(t, observation(parse(t, release, bgpDocument), state))
		finer := map[string]string{"24.10": "bgp-evpn", "25.3": "bgp-evpn-ifl-host"}[release] // 24.10 has no word of its own
		for _, c := range []struct {
			prefix, kind, owner string
			want                []string
		}{
			{"10.0.0.0/31", "local", "net_inst_mgr", []string{"direct ethernet-1/1.0"}},
			{"10.1.0.1/32", "host", "net_inst_mgr", []string{"extract"}},
			{"10.7.0.255/32", "host", "net_inst_mgr", []string{"broadcast"}},
			{"10.1.0.2/32", "bgp", "bgp_mgr", []string{"indirect fe80::2 ethernet-1/1.0", "indirect 10.0.0.2 ethernet-1/2.0"}},
			{"2001:db8::/64", "bgp-evpn", "bgp_evpn_mgr", []string{"tunnel 10.1.0.2 20001"}},
			{"10.9.0.1/32", finer, "bgp_evpn_mgr", []string{"tunnel 10.1.0.2 20001"}},
		} {
			got := follow(t, view, c.prefix, c.kind, c.owner)
			if len(got) != len(c.want) {
				t.Fatalf("%s %s: %q, want %q", release, c.prefix, got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("%s %s: %q, want %q", release, c.prefix, got, c.want)
				}
			}
		}
		shows(t, view, map[string]string{
			"/network-instance[name=default]/route-table/ipv4-unicast/statistics/active-routes":           "5",
			"/network-instance[name=default]/route-table/ipv4-unicast/statistics/active-routes-with-ecmp": "1",
			"/network-instance[name=default]/route-table/ipv6-unicast/statistics/total-routes":            "1",
			"/network-instance[name=default]/route-table/mpls/label-entry[label-value=16002]/operation":   "swap",
			"/network-instance[name=default]/route-table/mpls/label-entry[label-value=16002]/entry-type":  "srl_nokia-common:sr-mpls",
		})
	}
}

func TestTheBGPRIBHasWhatNeighborsHaveSent(t *testing.T) {
	t.Parallel()
	route := func(family network.Family, kind uint8, change func(*network.Route)) network.Path {
		r := network.Route{NLRI: network.NLRI{Family: family, Type: kind, RD: "10.1.0.2:10"}, VNI: 10010, Targets: []network.RT{"65000:10"}, Encap: network.OverVXLAN}
		change(&r)
		return network.Path{Route: &r, NextHop: addr("10.1.0.2"), ASPath: []uint32{65002, 65003, 65003}, LocalPref: 100, Valid: true, Best: true, Used: true}
	}
	host := route(network.L2EVPN, network.MACIP, func(r *network.Route) {
		r.MAC, r.Prefix, r.VNI2 = network.MAC{5: 1}, prefix("10.10.0.5/32"), 20001
	})
	rejected := route(network.L2EVPN, network.InclusiveMulticast, func(r *network.Route) { r.Prefix = prefix("10.1.0.2/32") })
	rejected.Rejected, rejected.Best, rejected.Used = true, false, false
	lost := route(network.L2EVPN, network.IPPrefix, func(r *network.Route) { r.Prefix = prefix("10.20.0.0/24") })
	lost.Valid = false
	own := route(network.L2EVPN, network.InclusiveMulticast, func(r *network.Route) { r.Prefix, r.RD = prefix("10.1.0.1/32"), "10.1.0.1:10" })
	own.From = -1
	ad := route(network.L2EVPN, network.EthernetAD, func(r *network.Route) { r.ESI, r.Tag, r.ESILabel = network.ESI{9: 1}, network.MaxET, true })
	es := route(network.L2EVPN, network.EthernetSegmentRoute, func(r *network.Route) { r.ESI, r.Prefix = network.ESI{9: 1}, prefix("10.1.0.2/32") })
	unicast := route(network.IPv4, 0, func(r *network.Route) {
		r.Prefix, r.RD, r.Targets, r.Encap = prefix("10.1.0.2/32"), "", nil, network.Unsaid
	})
	state := sessions(func(s *network.Session) { s.PeerAS = 65002 })
	state.Paths = map[network.Family][]network.Path{network.IPv4: {unicast}, network.L2EVPN: {host, rejected, lost, own, ad, es}}

	const rib = "/network-instance[name=default]/bgp-rib/afi-safi[afi-safi-name=evpn]/evpn/rib-in-out/rib-in-post/"
	const from = "[neighbor=10.0.0.2][path-id=0]"
	hostPath := rib + "mac-ip-route[route-distinguisher=10.1.0.2:10][mac-length=48][mac-address=00:00:00:00:00:01][ip-address=10.10.0.5][ethernet-tag-id=0]" + from
	imet := rib + "imet-route[route-distinguisher=10.1.0.2:10][originating-router=10.1.0.2][ethernet-tag-id=0]" + from
	subnet := rib + "ip-prefix-route[route-distinguisher=10.1.0.2:10][ethernet-tag-id=0][ip-prefix-length=24][ip-prefix=10.20.0.0/24]" + from
	for _, release := range releases {
		view := watch(t, observation(parse(t, release, bgpDocument), state))
		shows(t, view, map[string]string{
			hostPath + "/used-route": "true", hostPath + "/valid-route": "true", hostPath + "/label1/value": "10010", hostPath + "/label2/value": "20001", hostPath + "/neighbor-as": "65002",
			imet + "/valid-route": "false", imet + "/invalid-reason/rejected-route": "true",
			subnet + "/valid-route": "false", subnet + "/invalid-reason/next-hop-unresolved": "true", subnet + "/gateway-ip": "0.0.0.0",
			rib + "imet-route[route-distinguisher=10.1.0.1:10][originating-router=10.1.0.1][ethernet-tag-id=0]" + from + "/used-route":                                          "",
			rib + "ethernet-ad-route[route-distinguisher=10.1.0.2:10][esi=00:00:00:00:00:00:00:00:00:01][ethernet-tag-id=4294967295]" + from + "/best-route":                    "true",
			rib + "ethernet-segment-route[route-distinguisher=10.1.0.2:10][esi=00:00:00:00:00:00:00:00:00:01][originating-router=10.1.0.2]" + from + "/best-route":              "true",
			"/network-instance[name=default]/bgp-rib/afi-safi[afi-safi-name=ipv4-unicast]/ipv4-unicast/rib-in-out/rib-in-post/route[prefix=10.1.0.2/32]" + from + "/used-route": "true",
		})
		set := "/network-instance[name=default]/bgp-rib/attr-sets/attr-set[index=" + leafOf(t, view, hostPath+"/attr-id") + "]"
		shows(t, view, map[string]string{
			set + "/next-hop": "10.1.0.2", set + "/local-pref": "100", set + "/communities/ext-community": "target:65000:10 bgp-tunnel-encap:VXLAN",
			set + "/as-path/segment[as-path-index=0]/member": "65002 65003", set + "/as-path/segment[as-path-index=1]/member": "65003",
		})
	}
}
