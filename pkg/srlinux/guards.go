package srlinux

import "github.com/loomfabric/loom/pkg/driver"

// Where most of a router's guards are.
const (
	anyBGP      = "/network-instance/protocols/bgp"
	defaultBGP  = "/network-instance[name=default]/protocols/bgp"
	statements  = "/routing-policy/policy/statement"
	switchedOff = "disable"
	opticalPath = "/interface/transceiver/optical-channel"
	ownSub      = "/interface[name={name}]/subinterface[index={index}]"
)

// guards are what SR Linux protects, carries and is known by: srl_nokia-routing-policy, -bgp, -interfaces,
// -grpc, -aaa. Nodes that the profile does not have are named too, for a router may hold them inside
// what Loom owns.
var guards = driver.Guards{
	Kept: []driver.Meaning{
		{Path: "/routing-policy/policy", Why: "what the policy kept out is let in, or what it let in is kept out"},
		{Path: statements, Why: "routes that the statement decided about go on to the next, or to the default action"},
		{Path: "/routing-policy/prefix-set", Why: "policies that ask for the set match nothing, or everything"},
		{Path: "/routing-policy/community-set", Why: "policies that ask for the set match nothing, or everything"},
		{Path: "/routing-policy/as-path-set", Why: "policies that ask for the set match nothing, or everything"},
		{Path: anyBGP + "/group/afi-safi/*/prefix-limit-received/max-received-routes", Why: "nothing bounds how many routes a neighbour may send; a leak fills the tables", With: anyBGP + "/group"},
		{Path: anyBGP + "/group/afi-safi/*/prefix-limit-accepted/max-received-routes", Why: "nothing bounds how many routes are accepted; a leak fills the tables", With: anyBGP + "/group"},
		{Path: anyBGP + "/neighbor/afi-safi/*/prefix-limit-received/max-received-routes", Why: "nothing bounds how many routes the neighbour may send; a leak fills the tables", With: anyBGP + "/neighbor"},
		{Path: anyBGP + "/neighbor/afi-safi/*/prefix-limit-accepted/max-received-routes", Why: "nothing bounds how many routes are accepted; a leak fills the tables", With: anyBGP + "/neighbor"},
		{Path: anyBGP + "/dynamic-neighbors/accept/max-sessions", Why: "nothing bounds how many sessions others may open"},
		{Path: "/interface/subinterface/acl", Why: "packets that the filter dropped are forwarded"},
		{Path: "/interface/ethernet/storm-control", Why: "nothing bounds broadcast, unknown unicast and multicast of the port"},
		{Path: "/acl", Why: "packets that the filter dropped are forwarded, or reach the router itself"},
	},
	Applied: []driver.Meaning{
		{Path: anyBGP + "/import-policy", Why: unfiltered},
		{Path: anyBGP + "/export-policy", Why: unfiltered},
		{Path: anyBGP + "/afi-safi/import-policy", Why: unfiltered},
		{Path: anyBGP + "/afi-safi/export-policy", Why: unfiltered},
		{Path: anyBGP + "/group/import-policy", Why: unfiltered},
		{Path: anyBGP + "/group/export-policy", Why: unfiltered},
		{Path: anyBGP + "/group/afi-safi/import-policy", Why: unfiltered, With: anyBGP + "/group"},
		{Path: anyBGP + "/group/afi-safi/export-policy", Why: unfiltered, With: anyBGP + "/group"},
		{Path: anyBGP + "/neighbor/import-policy", Why: unfiltered},
		{Path: anyBGP + "/neighbor/export-policy", Why: unfiltered},
		{Path: anyBGP + "/neighbor/afi-safi/import-policy", Why: unfiltered, With: anyBGP + "/neighbor"},
		{Path: anyBGP + "/neighbor/afi-safi/export-policy", Why: unfiltered, With: anyBGP + "/neighbor"},
		{Path: "/network-instance/protocols/bgp-vpn/bgp-instance/import-policy", Why: unfiltered},
		{Path: "/network-instance/protocols/bgp-vpn/bgp-instance/export-policy", Why: unfiltered},
	},
	Switches: []driver.Switch{
		{Path: "/routing-policy/policy/default-action/policy-result", Closed: "reject", Why: "routes that no statement matches are no longer rejected"},
		{Path: anyBGP + "/ebgp-default-policy/import-reject-all", Closed: "true", Absent: "true", Why: "sessions without a policy accept everything (RFC 8212)"},
		{Path: anyBGP + "/ebgp-default-policy/export-reject-all", Closed: "true", Absent: "true", Why: "sessions without a policy announce everything (RFC 8212)"},
	},
	Terms: []driver.Terms{{
		List: statements, Match: "match",
		Sets: []driver.Set{
			{Ref: "match/prefix-set", List: "/routing-policy/prefix-set", Members: []string{"prefix"}},
			{Ref: "match/prefix/prefix-set", List: "/routing-policy/prefix-set", Members: []string{"prefix"}},
			{Ref: "match/bgp/community-set", List: "/routing-policy/community-set", Members: []string{"member"}},
			{Ref: "match/bgp/as-path-set", List: "/routing-policy/as-path-set", Members: []string{"expression", "as-path-set-member"}},
			{Ref: "match/bgp/as-path/as-path-set", List: "/routing-policy/as-path-set", Members: []string{"expression", "as-path-set-member"}},
		},
	}},
	Uplinks: []driver.Object{{
		Name: "fabric link", Path: "/interface[name=ethernet-*]/subinterface",
		Needs: []driver.Need{
			{Path: ownSub + "/type", Is: routed},
			{Path: ownSub + "/admin-state", Not: switchedOff},
			{Path: "/interface[name={name}]/admin-state", Not: switchedOff},
			{Path: "/network-instance[name=default]/interface[name={name}.{index}]"},
			{Path: "/network-instance[name=default]/admin-state", Not: switchedOff},
		},
	}},
	Sessions: []driver.Object{
		{Name: "BGP session", Path: defaultBGP + "/neighbor", Each: "peer-group", Needs: append([]driver.Need{
			{Path: defaultBGP + "/neighbor[peer-address={peer-address}]/admin-state", Not: switchedOff},
		}, bgpRuns...)},
		{Name: "BGP session", Path: defaultBGP + "/dynamic-neighbors/interface", Each: "peer-group", Needs: bgpRuns},
	},
	Reflectors: []driver.Object{
		{Name: "route reflector", Path: defaultBGP + "/group", Needs: []driver.Need{ // RFC 4456
			{Path: defaultBGP + "/group[group-name={group-name}]/route-reflector/client", Is: "true"},
			{Path: defaultBGP + "/group[group-name={group-name}]/admin-state", Not: switchedOff},
			{Path: defaultBGP + "/admin-state", Not: switchedOff},
		}},
		{Name: "passing on of EVPN routes", Path: defaultBGP + "/afi-safi", Needs: []driver.Need{ // eBGP overlay
			{Path: defaultBGP + "/afi-safi[afi-safi-name={afi-safi-name}]/evpn/inter-as-vpn", Is: "true"},
			{Path: defaultBGP + "/admin-state", Not: switchedOff},
		}},
	},
	Reflecting: []driver.Meaning{
		{Path: defaultBGP + "/admin-state", Why: "its sessions start again"},
		{Path: defaultBGP + "/route-reflector", Why: "sessions of its clients start again"},
		{Path: defaultBGP + "/group/route-reflector", Why: "sessions of its clients start again"},
		{Path: defaultBGP + "/afi-safi/evpn/inter-as-vpn", Why: "EVPN routes of all leaves are withdrawn and learned again"},
	},
	Management: []driver.Meaning{
		{Path: "/interface[name=mgmt0]", Why: "the router's management interface changes"},
		{Path: "/network-instance[name=mgmt]", Why: "the network instance of the router's management interface changes"},
		{Path: "/system/grpc-server", Why: "the server that Loom speaks to changes; clients may be refused"},
		{Path: "/system/gnmi-server", Why: "the server that Loom speaks to changes; clients may be refused"},
		{Path: "/system/tls", Why: "what the router shows and asks of its clients changes; they may be refused"},
		{Path: "/system/aaa", Why: "who may log in changes; Loom and people may be refused"},
		{Path: "/system/ssh-server", Why: "how people reach the router changes"},
		{Path: "/system/json-rpc-server", Why: "how tools reach the router changes"},
		{Path: "/acl/cpm-filter", Why: "what may reach the router itself changes"},
	},
	Access: []driver.Object{
		{Name: "management interface", Path: "/interface[name=mgmt0]", Needs: []driver.Need{
			{Path: "/interface[name=mgmt0]/admin-state", Not: switchedOff},
			{Path: "/interface[name=mgmt0]/subinterface[index=0]/admin-state", Not: switchedOff},
		}},
		{Name: "management instance", Path: "/network-instance[name=mgmt]", Needs: []driver.Need{
			{Path: "/network-instance[name=mgmt]/admin-state", Not: switchedOff},
		}},
		{Name: "gRPC server", Path: "/system/grpc-server", Needs: []driver.Need{
			{Path: "/system/grpc-server[name={name}]/admin-state", Is: "enable"}, // its default is disable
		}},
		{Name: "gNMI service", Path: "/system/grpc-server", Needs: []driver.Need{
			{Path: "/system/grpc-server[name={name}]/services", Is: "srl_nokia-grpc:gnmi"}, // its default is none
		}},
		{Name: "server of native models", Path: "/system/grpc-server", Needs: []driver.Need{ // what Loom's paths mean
			{Path: "/system/grpc-server[name={name}]/yang-models", Not: "openconfig"},
		}},
		{Name: "gNMI server", Path: "/system/gnmi-server/network-instance", Needs: []driver.Need{ // before 24.3
			{Path: "/system/gnmi-server/network-instance[name={name}]/admin-state", Is: "enable"},
		}},
	},
	Addresses: []driver.Object{
		{Name: "address", Path: "/interface/subinterface/ipv4/address", Each: "ip-prefix", Needs: append([]driver.Need{
			{Path: ownSub + "/ipv4/admin-state", Is: "enable"}, // its default is disable
		}, interfaceRuns...)},
		{Name: "address", Path: "/interface/subinterface/ipv6/address", Each: "ip-prefix", Needs: append([]driver.Need{
			{Path: ownSub + "/ipv6/admin-state", Is: "enable"},
		}, interfaceRuns...)},
	},
	Identity: []driver.Meaning{
		{Path: "/network-instance/router-id", Why: "sessions of the network instance start again, and neighbours see another router"},
		{Path: anyBGP + "/router-id", Why: "every BGP session starts again, and neighbours see another router"},
		{Path: anyBGP + "/autonomous-system", Why: "every BGP session goes down until its other end expects the new number"},
		{Path: "/interface[name=system0]/subinterface/ipv4/address", Why: "the router's VTEP and the ends of its overlay sessions move; tunnels to the old address carry nothing"},
		{Path: anyBGP + "/group/local-as/as-number", Why: "every session of the group goes down until its other end expects the new number"},
	},
	Light: []driver.Object{{
		Name: "light of", Path: "/interface[name=ethernet-*]", Each: "name", Needs: []driver.Need{
			{Path: "/interface[name={name}]/transceiver/optical-channel[index=1]"},
			{Path: "/interface[name={name}]/transceiver/tx-laser", Not: "false"}, // without the leaf it is on
			{Path: "/interface[name={name}]/admin-state", Not: switchedOff},
		},
	}},
	Tuned: []driver.Meaning{
		{Path: opticalPath + "/frequency", Why: retuned},
		{Path: opticalPath + "/operational-mode", Why: remade},
		{Path: "/interface/transceiver/functional-type", Why: remade},
		{Path: "/interface[name=ethernet-*]/num-physical-channels", Why: remade},
	},
}

// What happens to a channel.
const (
	retuned = "the channel is dark until its laser is tuned and the far end has followed"
	remade  = "the channel is dark until both ends have the same mode"
)

const unfiltered = "what the policy decided about is decided by no policy: everything passes, or (RFC 8212) nothing"

// bgpRuns is what a session needs beside itself.
var bgpRuns = []driver.Need{
	{Path: defaultBGP + "/group[group-name={peer-group}]/admin-state", Not: switchedOff},
	{Path: defaultBGP + "/admin-state", Not: switchedOff},
	{Path: "/network-instance[name=default]/admin-state", Not: switchedOff},
}

// interfaceRuns is what an address needs beside itself.
var interfaceRuns = []driver.Need{
	{Path: ownSub + "/admin-state", Not: switchedOff},
	{Path: "/interface[name={name}]/admin-state", Not: switchedOff},
}
