package srlsim

import (
	"net/netip"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
)

var up = network.Oper{Up: true}

// showing is a document, what the network comes to, and the leaves that follow.
type showing struct {
	name     string
	document string
	state    network.State
	want     map[string]string
}

// showAll runs a table for both releases.
func showAll(t *testing.T, table []showing) {
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, release := range releases {
				shows(t, watch(t, observation(parse(t, release, c.document), c.state)), c.want)
			}
		})
	}
}

func observation(running *config.Tree, state network.State) sim.Observation {
	return sim.Observation{
		Running: running, Hardware: small, Router: read(small, running), State: &state,
		Booted: booted, Changed: changed, Now: now, Large: true,
		Server: sim.ServerState{Clients: []sim.Client{{ID: 3, Host: "192.0.2.1", Port: 50000, UserAgent: "loom"}}},
	}
}

func TestInterfacesShowHowTheyAre(t *testing.T) {
	t.Parallel()
	const port = "/interface[name=ethernet-1/1]"
	configured := `{"interface":[{"name":"ethernet-1/1"},{"name":"ethernet-1/77"},{"name":"mgmt0","subinterface":[{"index":0}]},{"name":"system0"}]}`
	lit := network.State{Links: &network.Links{Ports: map[string]network.PortState{"ethernet-1/1": {
		Oper: up, Peer: network.End{Device: "spine1", Port: "ethernet-1/1"}, Transceiver: true, Light: true}}}}
	showAll(t, []showing{
		{"a port that is up", configured, lit, map[string]string{
			port + "/oper-state": "up", port + "/oper-down-reason": "", port + "/last-change": "2025-01-01T12:01:00.000Z", port + "/ifindex": "262144",
			port + "/ethernet/hw-mac-address":      "02:00:00:01:00:10",
			port + "/transceiver/oper-state":       "up",
			port + "/transceiver/form-factor":      "QSFP28",
			port + "/transceiver/ethernet-pmd":     "100GBASE-SR4",
			port + "/transceiver/channel[index=5]": "", port + "/transceiver/channel[index=4]/input-power/low-alarm-condition": "false",
		}},
		{"a port without a cable has nothing plugged in", configured, network.State{Links: &network.Links{Ports: map[string]network.PortState{"ethernet-1/1": {Oper: network.Oper{Reason: "transceiver-oper-down"}}}}},
			map[string]string{port + "/oper-state": "down", port + "/oper-down-reason": "transceiver-oper-down", port + "/transceiver/oper-state": "down",
				port + "/transceiver/oper-down-reason": "not-present", port + "/traffic-rate/in-bps": "0", port + "/statistics/in-octets": "0"}},
		{"a reason that the models have no word for is another one", configured, network.State{Links: &network.Links{Ports: map[string]network.PortState{"ethernet-1/1": {Oper: network.Oper{Reason: "moon in the wrong quarter"}}}}},
			map[string]string{port + "/oper-down-reason": "other"}},
		{"no light is an alarm", configured, network.State{Links: &network.Links{Ports: map[string]network.PortState{"ethernet-1/1": {Oper: network.Oper{Reason: "lower-layer-down"}, Transceiver: true}}}},
			map[string]string{port + "/oper-down-reason": "lower-layer-down", port + "/transceiver/channel[index=1]/input-power/latest-value": "-40.0",
				port + "/transceiver/channel[index=1]/input-power/low-alarm-condition": "true"}},
		{"ports that nobody has configured are there, and disabled", configured, lit, map[string]string{
			"/interface[name=ethernet-1/2]/admin-state": "disable", "/interface[name=ethernet-1/2]/oper-down-reason": "port-admin-disabled"}},
		{"a port that the chassis lacks is not present", configured, lit, map[string]string{
			"/interface[name=ethernet-1/77]/oper-state": "down", "/interface[name=ethernet-1/77]/oper-down-reason": "port-not-present"}},
		{"what is no port is up when it is enabled", configured, lit, map[string]string{
			"/interface[name=system0]/oper-state": "up", "/interface[name=mgmt0]/oper-state": "up",
			"/interface[name=mgmt0]/subinterface[index=0]/oper-state": "up", "/interface[name=mgmt0]/subinterface[index=0]/name": "mgmt0.0"}},
		{"LAG members with what LACP says", `{"interface":[{"name":"ethernet-1/1","ethernet":{"aggregate-id":"lag1"}},{"name":"lag1","lag":{"lag-type":"lacp"}}]}`,
			network.State{Links: &network.Links{LAGs: map[string]network.LAGState{"lag1": {Oper: network.Oper{Reason: "min-link-threshold"}, Members: []network.Member{
				{Port: "ethernet-1/1", Oper: network.Oper{Reason: "lacp-down"}, Partner: network.LACP{SystemID: network.MAC{2, 0, 0, 0, 0, 9}, Key: 7}, Collecting: true}}}}}},
			map[string]string{"/interface[name=lag1]/oper-down-reason": "min-link-threshold",
				"/interface[name=lag1]/lag/member[name=ethernet-1/1]/oper-state":           "down",
				"/interface[name=lag1]/lag/member[name=ethernet-1/1]/oper-down-reason":     "lacp-down",
				"/interface[name=lag1]/lag/member[name=ethernet-1/1]/lacp/partner-id":      "02:00:00:00:00:09",
				"/interface[name=lag1]/lag/member[name=ethernet-1/1]/lacp/collecting":      "true",
				"/interface[name=lag1]/lag/member[name=ethernet-1/1]/lacp/synchronization": "OUT_SYNC",
				"/interface[name=lag1]/lag/member[name=ethernet-1/1]/lacp/activity":        "ACTIVE",
				"/interface[name=lag1]/lag/member[name=ethernet-1/1]/lacp/timeout":         "LONG",
				"/interface[name=lag1]/lag/member[name=ethernet-1/1]/lacp/system-id":       "02:00:00:01:00:00",
				"/interface[name=lag1]/lag/member[name=ethernet-1/1]/lacp/oper-key":        "32769"}},
		{"subinterfaces with their addresses", `{"interface":[{"name":"ethernet-1/1","subinterface":[{"index":3,"ipv4":{"admin-state":"enable","address":[{"ip-prefix":"10.0.0.1/31"}]},"ipv6":{"admin-state":"enable"}}]}]}`,
			network.State{Links: &network.Links{Subs: map[string]network.SubState{"ethernet-1/1.3": {Self: up}}}, Neighbors: []network.L3Neighbor{
				{Subinterface: "ethernet-1/1.3", IP: netip.MustParseAddr("10.0.0.0"), MAC: network.MAC{2, 0, 0, 0, 0, 9}, Type: "dynamic"},
				{Subinterface: "ethernet-1/1.3", IP: netip.MustParseAddr("fe80::9"), MAC: network.MAC{2, 0, 0, 0, 0, 9}, Type: "evpn"}}},
			map[string]string{
				port + "/subinterface[index=3]/name": "ethernet-1/1.3", port + "/subinterface[index=3]/oper-state": "up", port + "/subinterface[index=3]/ifindex": "262148",
				port + "/subinterface[index=3]/ipv4/address[ip-prefix=10.0.0.1/31]/status":                                "preferred",
				port + "/subinterface[index=3]/ipv4/address[ip-prefix=10.0.0.1/31]/origin":                                "static",
				port + "/subinterface[index=3]/ipv6/address[ip-prefix=fe80::ff:fe01:10/64]/origin":                        "link-layer",
				port + "/subinterface[index=3]/ipv4/arp/neighbor[ipv4-address=10.0.0.0]/link-layer-address":               "02:00:00:00:00:09",
				port + "/subinterface[index=3]/ipv4/arp/neighbor[ipv4-address=10.0.0.0]/origin":                           "dynamic",
				port + "/subinterface[index=3]/ipv6/neighbor-discovery/neighbor[ipv6-address=fe80::9]/origin":             "evpn",
				port + "/subinterface[index=3]/ipv6/neighbor-discovery/neighbor[ipv6-address=fe80::9]/link-layer-address": "02:00:00:00:00:09",
			}},
		{"addresses of what is down cannot be used", `{"interface":[{"name":"ethernet-1/1","subinterface":[{"index":3,"ipv4":{"admin-state":"enable","address":[{"ip-prefix":"10.0.0.1/31"}]}}]}]}`,
			network.State{Links: &network.Links{Subs: map[string]network.SubState{"ethernet-1/1.3": {Self: network.Oper{Reason: "port-down"}}}}},
			map[string]string{port + "/subinterface[index=3]/oper-state": "down", port + "/subinterface[index=3]/oper-down-reason": "port-down",
				port + "/subinterface[index=3]/ipv4/address[ip-prefix=10.0.0.1/31]/status": "inaccessible"}},
	})
}

// What one end sends is what the other receives, and counters never fall.
func TestTrafficIsTheSameAtBothEnds(t *testing.T) {
	t.Parallel()
	running := parse(t, "25.3", `{"interface":[{"name":"ethernet-1/1"}]}`)
	link := func(peer string) network.State {
		return network.State{Links: &network.Links{Ports: map[string]network.PortState{"ethernet-1/1": {Oper: up, Peer: network.End{Device: peer, Port: "ethernet-1/1"}}}}}
	}
	here := observation(running, link("spine1"))
	there := observation(running, link("leaf1"))
	h := small
	h.Name = "spine1"
	there.Router = read(h, running)
	a, b := watch(t, here), watch(t, there)
	if in, out := leafOf(t, a, "/interface[name=ethernet-1/1]/traffic-rate/in-bps"), leafOf(t, b, "/interface[name=ethernet-1/1]/traffic-rate/out-bps"); in != out || in == "0" {
		t.Errorf("received %s, sent %s", in, out)
	}
	const octets = "/interface[name=ethernet-1/1]/statistics/in-octets"
	first := parseNumber(leafOf(t, a, octets))
	here.Before, here.Now = a, here.Now.Add(time.Second)
	later := watch(t, here)
	if n := parseNumber(leafOf(t, later, octets)); n <= first {
		t.Errorf("%d octets, then %d", first, n)
	}
	down := observation(running, network.State{})
	down.Before = later
	view := watch(t, down)
	if got, want := leafOf(t, view, octets), leafOf(t, later, octets); got != want {
		t.Errorf("%s octets while the port is down, want %s", got, want)
	}
	if got := leafOf(t, view, "/interface[name=ethernet-1/1]/statistics/carrier-transitions"); got != "1" {
		t.Errorf("%s transitions", got)
	}
}

func leafOf(t *testing.T, view *config.Tree, path string) string {
	t.Helper()
	p, err := config.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	return view.Find(p).Value()
}

// A time of change stays until there is a change.
func TestTimesStayWhileNothingChanges(t *testing.T) {
	t.Parallel()
	running := parse(t, "25.3", `{"interface":[{"name":"ethernet-1/1"}],"network-instance":[{"name":"default","protocols":{"bgp":{"autonomous-system":65001,"router-id":"10.1.0.1","group":[{"group-name":"g"}],
		"neighbor":[{"peer-address":"10.0.0.2","peer-group":"g"}]}}}]}`)
	session := func(state network.SessionState) network.State {
		return network.State{
			Links:    &network.Links{Ports: map[string]network.PortState{"ethernet-1/1": {Oper: network.Oper{Up: state == network.Established}}}},
			Sessions: []network.Session{{Instance: "default", Neighbor: new(neighborOf(func(*network.Neighbor) {})), State: state, PeerID: netip.MustParseAddr("10.1.0.2"), Exchanged: []network.Family{network.IPv4}}},
		}
	}
	const neighbor = "/network-instance[name=default]/protocols/bgp/neighbor[peer-address=10.0.0.2]"
	var before *config.Tree
	for i, step := range []struct {
		state network.SessionState
		want  map[string]string
	}{
		{network.Active, map[string]string{"/interface[name=ethernet-1/1]/last-change": "2025-01-01T12:01:00.000Z",
			neighbor + "/last-established": "", neighbor + "/established-transitions": "0", neighbor + "/last-state": "idle"}},
		{network.Established, map[string]string{"/interface[name=ethernet-1/1]/last-change": "2025-01-01T12:02:00.000Z",
			neighbor + "/last-established": "2025-01-01T12:02:00.000Z", neighbor + "/established-transitions": "1", neighbor + "/last-state": "active"}},
		{network.Established, map[string]string{"/interface[name=ethernet-1/1]/last-change": "2025-01-01T12:02:00.000Z",
			neighbor + "/last-established": "2025-01-01T12:02:00.000Z", neighbor + "/established-transitions": "1", neighbor + "/last-state": "active"}},
		{network.Idle, map[string]string{"/interface[name=ethernet-1/1]/last-change": "2025-01-01T12:04:00.000Z",
			neighbor + "/last-established": "2025-01-01T12:02:00.000Z", neighbor + "/established-transitions": "1", neighbor + "/last-state": "established"}},
		{network.Established, map[string]string{"/interface[name=ethernet-1/1]/last-change": "2025-01-01T12:05:00.000Z",
			neighbor + "/last-established": "2025-01-01T12:05:00.000Z", neighbor + "/established-transitions": "2", neighbor + "/last-state": "idle"}},
	} {
		o := observation(running, session(step.state))
		o.Before, o.Changed = before, changed.Add(time.Duration(i)*time.Minute)
		before = watch(t, o)
		shows(t, before, step.want)
	}
}

func TestTheSystemShowsItself(t *testing.T) {
	t.Parallel()
	showAll(t, []showing{
		{"chassis and parts", `{}`, network.State{}, map[string]string{
			"/platform/chassis/serial-number": "NS1", "/platform/chassis/hw-mac-address": "02:00:00:01:00:00",
			"/platform/control[slot=A]/oper-state": "up", "/platform/linecard[slot=1]/oper-state": "up",
			"/platform/fan-tray[id=3]/oper-state": "up", "/platform/power-supply[id=2]/oper-state": "up",
			"/system/information/last-booted": "2025-01-01T12:00:00.000Z", "/system/information/current-datetime": "2025-01-01T13:00:00.000Z",
			"/system/app-management/application[name=bgp_mgr]/state": "running",
		}},
		{"the gRPC server and its clients", managedBy(serving("mgmt", ``) + `,` + serving("other", `,"services":[]`)), network.State{}, map[string]string{
			"/system/grpc-server[name=mgmt]/oper-state": "up", "/system/grpc-server[name=other]/oper-state": "down",
			"/system/grpc-server[name=mgmt]/client[id=3]/remote-host": "192.0.2.1", "/system/grpc-server[name=mgmt]/client[id=3]/remote-port": "50000",
			"/system/grpc-server[name=mgmt]/client[id=3]/user-agent": "loom", "/system/grpc-server[name=other]/client[id=3]/remote-host": "",
		}},
		{"the other servers", `{"network-instance":[{"name":"mgmt","type":"ip-vrf"}],"system":{"ssh-server":[{"name":"mgmt","admin-state":"enable"}],
			"json-rpc-server":{"admin-state":"enable","network-instance":[{"name":"mgmt","http":{"admin-state":"enable"}}]},
			"ntp":{"admin-state":"enable","network-instance":"mgmt","server":[{"address":"192.0.2.5"}]}}}`, network.State{}, map[string]string{
			"/system/ssh-server[name=mgmt]/oper-state": "up", "/system/json-rpc-server/network-instance[name=mgmt]/http/oper-state": "up",
			"/system/ntp/oper-state": "up", "/system/ntp/synchronized": "192.0.2.5", "/system/ntp/server[address=192.0.2.5]/stratum": "2",
		}},
		{"LLDP neighbors", `{"interface":[{"name":"ethernet-1/1"}],"system":{"lldp":{}}}`,
			network.State{Links: &network.Links{Ports: map[string]network.PortState{"ethernet-1/1": {Oper: up}},
				LLDP: []network.LLDPNeighbor{{Port: "ethernet-1/1", Chassis: network.MAC{2, 0, 0, 2}, System: "spine1", Description: "d", PeerPort: "ethernet-1/9", PeerText: "to leaf1"}}}},
			map[string]string{
				"/system/lldp/chassis-id": "02:00:00:01:00:00", "/system/lldp/system-name": "leaf1",
				"/system/lldp/interface[name=ethernet-1/1]/oper-state": "up", "/system/lldp/interface[name=ethernet-1/2]/oper-state": "down",
				"/system/lldp/interface[name=ethernet-1/1]/neighbor[id=1]/system-name":      "spine1",
				"/system/lldp/interface[name=ethernet-1/1]/neighbor[id=1]/chassis-id":       "02:00:00:02:00:00",
				"/system/lldp/interface[name=ethernet-1/1]/neighbor[id=1]/port-id":          "ethernet-1/9",
				"/system/lldp/interface[name=ethernet-1/1]/neighbor[id=1]/port-description": "to leaf1",
			}},
		{"BFD sessions", `{"interface":[{"name":"ethernet-1/1"}],"bfd":{}}`,
			network.State{Links: &network.Links{BFD: []network.BFDSession{{Instance: "default", Local: netip.MustParseAddr("fe80::1"), Remote: netip.MustParseAddr("fe80::2%ethernet-1/1.0"), Discriminator: 16385, Up: true}}}},
			map[string]string{"/bfd/network-instance[name=default]/peer[local-discriminator=16385]/session-state": "UP",
				"/bfd/network-instance[name=default]/peer[local-discriminator=16385]/remote-address":      "fe80::2",
				"/bfd/network-instance[name=default]/peer[local-discriminator=16385]/failure-transitions": "0"}},
	})
}
