package sros

import (
	"slices"

	"github.com/loomfabric/loom/pkg/driver"
)

// What starts again.
const (
	sessionsStart = "every BGP session starts again"
	groupStarts   = "the sessions of the group start again"
	sessionStarts = "the session starts again"
	linkStarts    = "the link goes down and comes up again"
	trunkStarts   = "the link to the other site forms again"
)

const (
	bgpPath   = basePath + "/bgp"
	groupPath = bgpPath + "/group"
	peerPath  = bgpPath + "/neighbor"
	linkPath  = basePath + "/interface"
	isisPath  = basePath + "/isis"
	portPath  = "/configure/port"
)

// disruptive is what interrupts traffic on SR OS: parameters of a BGP session that are agreed on when it opens (RFC 4271 §4.2) or that
// its transport has, and what a port trains with. A breakout, a card and an adapter cannot be changed: what is on them goes
// and is made anew (sros-ext:immutable in the models).
var disruptive = slices.Concat(disruptiveServices, []driver.Disruption{
	{Path: basePath + "/autonomous-system", Why: sessionsStart},
	{Path: basePath + "/router-id", Why: sessionsStart},
	{Path: bgpPath + "/admin-state", Idle: switchedOff, Why: sessionsStart},
	{Path: bgpPath + "/router-id", Why: sessionsStart},

	{Path: groupPath, Why: "the sessions of the group end"},
	{Path: groupPath + "/admin-state", Idle: switchedOff, Why: groupStarts},
	{Path: groupPath + "/family", Why: groupStarts}, // RFC 4760 §8: capabilities
	{Path: groupPath + "/peer-as", Why: groupStarts},
	{Path: groupPath + "/local-as", Why: groupStarts},
	{Path: groupPath + "/local-address", Why: groupStarts},
	{Path: groupPath + "/multihop", Why: groupStarts},
	{Path: groupPath + "/authentication-key", Why: groupStarts},
	{Path: groupPath + "/hold-time", Why: groupStarts},
	{Path: groupPath + "/extended-nh-encoding", Why: groupStarts},
	{Path: groupPath + "/dynamic-neighbor/interface", Why: "the session on the link ends"},
	{Path: groupPath + "/dynamic-neighbor/interface/allowed-peer-as", Why: sessionStarts},

	{Path: peerPath, Why: "the session ends"},
	{Path: peerPath + "/admin-state", Idle: switchedOff, Why: sessionStarts},
	{Path: peerPath + "/group", Why: sessionStarts},
	{Path: peerPath + "/peer-as", Why: sessionStarts},
	{Path: peerPath + "/local-as", Why: sessionStarts},
	{Path: peerPath + "/local-address", Why: sessionStarts},
	{Path: peerPath + "/family", Why: sessionStarts},
	{Path: peerPath + "/authentication-key", Why: sessionStarts},

	{Path: linkPath + "[interface-name=" + systemInterface + "]/ipv4/primary", Why: "the VTEP and the ends of the overlay's sessions move"},
	{Path: linkPath + "/admin-state", Idle: switchedOff, Why: linkStarts},
	{Path: linkPath + "/port", Why: linkStarts},
	{Path: linkPath + "/ipv4/primary", Why: linkStarts},

	{Path: isisPath, Why: "ways to other sites are lost"},
	{Path: isisPath + "/admin-state", Idle: switchedOff, Why: "ways to other sites are lost until its adjacencies have formed again"},
	{Path: isisPath + "/area-address", Why: "ways to other sites are lost until its adjacencies have formed again"},
	{Path: isisPath + "/level-capability", Why: "ways to other sites are lost until its adjacencies have formed again"},
	{Path: isisPath + "/interface", Why: "the way over the link ends"},
	{Path: isisPath + "/interface/interface-type", Why: "the adjacency on the link forms again"},
	{Path: isisPath + "/interface/ipv4-node-sid", Why: "tunnels to the gateway are made anew"},
	{Path: isisPath + "/segment-routing/prefix-sid-range", Why: "tunnels between gateways are made anew"},
	{Path: basePath + "/mpls-labels/sr-labels", Why: "tunnels between gateways are made anew"},

	{Path: portPath + "/admin-state", Idle: switchedOff, Why: linkStarts},
	{Path: portPath + "/connector/breakout", Why: "all channels of the connector go down"},
	{Path: portPath + "/ethernet/mode", Why: linkStarts},
	{Path: portPath + "/ethernet/encap-type", Why: linkStarts},
	{Path: portPath + "/ethernet/mtu", Why: linkStarts},
	{Path: portPath + "/dwdm/frequency", Why: retuned},
	{Path: portPath + "/dwdm/coherent/compatibility", Why: remade},
	{Path: portPath + "/transceiver/digital-coherent-optics", Why: remade},

	{Path: "/configure/card/card-type", Why: "all ports of the card go down"},
	{Path: "/configure/card/mda/mda-type", Why: "all ports of the adapter go down"},
	{Path: "/configure/sfm/sfm-type", Why: "cards speak to each other no more until it is back"},

	{Path: "/configure/lag/mode", Why: trunkStarts},
	{Path: "/configure/lag/encap-type", Why: trunkStarts},
	{Path: "/configure/lag/lacp", Why: trunkStarts},
})
