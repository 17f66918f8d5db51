package srlinux

import "github.com/loomfabric/loom/pkg/driver"

// What starts again.
const (
	sessionsStart = "every BGP session starts again"
	groupStarts   = "the sessions of the group start again"
	sessionStarts = "the session starts again"
	linkStarts    = "the fabric link goes down and comes up again"
	bundleStarts  = "servers on the ethernet segment lose this leg, and their bundle forms again"
)

// disruptive is what interrupts traffic on SR Linux: parameters of a BGP session that are agreed on when it
// opens (RFC 4271 §4.2) or that its transport has, and what a port trains with.
var disruptive = []driver.Disruption{
	{Path: "/network-instance/router-id", Why: sessionsStart},
	{Path: anyBGP + "/autonomous-system", Why: sessionsStart},
	{Path: anyBGP + "/router-id", Why: sessionsStart},
	{Path: anyBGP + "/admin-state", Idle: switchedOff, Why: sessionsStart},
	{Path: anyBGP + "/afi-safi/admin-state", Idle: switchedOff, Why: sessionsStart}, // RFC 4760 §8: capabilities
	{Path: anyBGP + "/route-reflector", Why: sessionsStart},

	{Path: anyBGP + "/group", Why: "the sessions of the group end"},
	{Path: anyBGP + "/group/admin-state", Idle: switchedOff, Why: groupStarts},
	{Path: anyBGP + "/group/peer-as", Why: groupStarts},
	{Path: anyBGP + "/group/local-as", Why: groupStarts},
	{Path: anyBGP + "/group/afi-safi/admin-state", Idle: switchedOff, Why: groupStarts},
	{Path: anyBGP + "/group/authentication", Why: groupStarts},
	{Path: anyBGP + "/group/multihop", Why: groupStarts},
	{Path: anyBGP + "/group/route-reflector", Why: groupStarts},
	{Path: anyBGP + "/group/transport/local-address", Why: groupStarts},
	{Path: anyBGP + "/group/timers/hold-time", Why: groupStarts},

	{Path: anyBGP + "/neighbor", Why: "the session ends"},
	{Path: anyBGP + "/neighbor/admin-state", Idle: switchedOff, Why: sessionStarts},
	{Path: anyBGP + "/neighbor/peer-as", Why: sessionStarts},
	{Path: anyBGP + "/neighbor/peer-group", Why: sessionStarts},
	{Path: anyBGP + "/neighbor/local-as", Why: sessionStarts},
	{Path: anyBGP + "/neighbor/authentication", Why: sessionStarts},
	{Path: anyBGP + "/neighbor/transport/local-address", Why: sessionStarts},
	{Path: anyBGP + "/dynamic-neighbors/interface", Why: "the session on the link ends"},
	{Path: anyBGP + "/dynamic-neighbors/interface/peer-group", Why: sessionStarts},
	{Path: anyBGP + "/dynamic-neighbors/interface/allowed-peer-as", Why: sessionStarts},

	{Path: "/interface[name=system0]/subinterface/ipv4/address", Why: "the VTEP and the ends of the overlay's sessions move"},
	{Path: "/interface[name=ethernet-*]/admin-state", Idle: switchedOff, Why: linkStarts, Needs: fabricLink},
	{Path: "/interface[name=ethernet-*]/breakout-mode", Why: "all channels of the port go down"},
	{Path: "/interface[name=ethernet-*]/ethernet/port-speed", Why: linkStarts, Needs: fabricLink},
	{Path: "/interface[name=ethernet-*]/ethernet/forward-error-correction", Why: linkStarts, Needs: fabricLink},
	{Path: "/interface[name=ethernet-*]/transceiver/forward-error-correction", Why: linkStarts, Needs: fabricLink},
	{Path: opticalPath, Why: "the channel goes dark"},
	{Path: opticalPath + "/frequency", Why: retuned},
	{Path: opticalPath + "/operational-mode", Why: remade},
	{Path: "/interface/transceiver/functional-type", Why: remade},
	{Path: "/interface/transceiver/tx-laser", Idle: "false", Why: "the channel goes dark"},
	{Path: "/interface[name=ethernet-*]/num-physical-channels", Why: remade},
	{Path: "/interface[name=ethernet-*]/subinterface/admin-state", Idle: switchedOff, Why: linkStarts, Needs: fabricLink},
	{Path: "/interface[name=ethernet-*]/subinterface/ipv4/address", Why: "the session on the link ends", Needs: fabricLink},

	{Path: "/interface[name=ethernet-*]/ethernet/aggregate-id", Why: bundleStarts, Needs: []string{
		segmentPort + "[ethernet-interface={.}]"}},
	{Path: "/interface[name=lag*]/lag/lacp", Why: bundleStarts, Needs: inSegment},
	{Path: "/interface[name=lag*]/lag/lag-type", Why: bundleStarts, Needs: inSegment},
}

const segmentPort = "/system/network-instance/protocols/evpn/ethernet-segments/bgp-instance/ethernet-segment/interface"

// fabricLink is true of a port whose first subinterface is in the default instance.
var fabricLink = []string{"/network-instance[name=default]/interface[name={name}.0]"}

// inSegment is true of a LAG that is one end of an ethernet segment.
var inSegment = []string{segmentPort + "[ethernet-interface={name}]"}
