package network

import (
	"net/netip"
	"time"
)

// Plant is a network before any routing protocol: routers, what is plugged in, and what came up.
// It is never changed once made.
type Plant struct {
	Routers map[string]*Router
	Names   []string // of the routers, sorted
	Wiring  *Wiring
	Links   map[string]*Links // by router

	far map[End]End // router and subinterface at the other end of a link, by router and subinterface
}

// Links is what one router sees of its ports.
type Links struct {
	Ports map[string]PortState
	LAGs  map[string]LAGState
	Subs  map[string]SubState
	LLDP  []LLDPNeighbor // sorted by port
	BFD   []BFDSession   // sorted by subinterface and remote address
	ISIS  []Adjacency    // sorted by instance and subinterface
	// Neighbors are the BGP neighbors of each instance, configured and found, sorted by address.
	Neighbors map[string][]Neighbor
	Hosts     []HostSeen // sorted by subinterface and MAC address
	IGP       []IGPRoute // that IS-IS gives, sorted by instance and prefix
	Labels    []Label    // sorted by label
	Tunnels   []Tunnel   // that services over MPLS may use, sorted by prefix; only where there are such
}

// Oper is an operational state with its reason.
type Oper struct {
	Up     bool
	Reason string // why it is down, as the operating system words it: "port-admin-disabled", "lower-layer-down"
}

// PortState is what a port shows.
type PortState struct {
	Oper
	Peer        End  // the other end of the cable; zero without one
	Transceiver bool // one is plugged in: there is a cable
	Light       bool // receives light
}

// LAGState is what a LAG shows.
type LAGState struct {
	Oper
	Members []Member // sorted by port
}

// Member is a port of a LAG.
type Member struct {
	Port string
	Oper
	Partner                                LACP // zero: none heard
	Synchronized, Collecting, Distributing bool
}

// SubState is what a subinterface shows. It has two states, as on the device: Oper is the one in its
// network instance (network-instance/interface/oper-state), so that only what is up passes packets;
// Self is that of the subinterface alone (interface/subinterface/oper-state), which does not care whether
// it is attached to anything.
type SubState struct {
	Oper
	Self     Oper
	Instance string // that it is attached to, for an IRB the one that routes; ""
}

// LLDPNeighbor is who a port sees (IEEE 802.1AB).
type LLDPNeighbor struct {
	Port        string // own
	Chassis     MAC
	System      string
	Description string
	PeerPort    string
	PeerText    string       // port description
	Management  []netip.Addr // sorted
}

// BFDSession is a BFD session of one router. Addresses have a zone where they are link-local, as in Neighbor.
type BFDSession struct {
	Instance, Subinterface string
	Local, Remote          netip.Addr
	Discriminator          uint32 // local; unique on the router and stable while the session is configured
	Up                     bool
	RemoteDiscriminator    uint32        // 0: nothing heard
	Transmit, Receive      time.Duration // negotiated
	Multiplier             int           // packets that may be missed: the far end's while up, else its own
}

// Adjacency is an IS-IS adjacency.
type Adjacency struct {
	Instance, Subinterface string
	System                 string     // system id of the neighbor
	Addr                   netip.Addr // IPv4 address of the neighbor in a subnet of the interface; invalid: it has none
	Level                  int
	Up                     bool
	Reason                 string
	Peer                   string // name that the neighbor calls itself by (RFC 5301)
}

// IGPRoute is a route that IS-IS gives.
type IGPRoute struct {
	Instance string
	Prefix   netip.Prefix
	Level    int // that it was learned at, 1 or 2
	Metric   uint32
	NextHops []Hop // sorted by subinterface; shared between routes
}

// Hop is where a route leads next.
type Hop struct {
	Subinterface string
	Addr         netip.Addr // invalid: directly connected
	Router       string     // the far router; "" where it is not one
	VTEP         netip.Addr // tunnel endpoint; invalid: not tunnelled
	VNI          uint32
	Label        uint32 // MPLS label of the service, instead of VNI
}

// Label is an MPLS label that a router swaps or pops for a node's prefix (SR-MPLS, RFC 8660).
type Label struct {
	Instance string
	In       uint32
	Out      uint32 // 3: implicit null
	Prefix   netip.Prefix
	Via      Hop
}

// Tunnel is a segment-routing tunnel to a node: every router on the way has a label for it.
type Tunnel struct {
	Instance string
	Prefix   netip.Prefix // of the node's loopback
	Metric   uint32       // of IS-IS
	Label    uint32       // that packets get; 3: none is needed
	Via      Hop          // the first of several
}

// HostSeen is a host that a router hears on one of its subinterfaces.
type HostSeen struct {
	Subinterface, Instance string
	MAC                    MAC
	IPs                    []netip.Prefix // none where its frames keep their tag, so that no IRB understands them
	Host                   string
}
