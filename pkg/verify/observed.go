package verify

import (
	"net/netip"
	"time"
)

// Observed is what was seen of some devices. Devices that are not in it are not judged; who wants to hear
// of a device that cannot be read puts it in with Device.Unreachable.
type Observed struct {
	At      time.Time // when the observation was complete
	Devices map[string]Device
	// Drained are the devices whose traffic somebody has moved away: their ends of ethernet segments are down on
	// purpose, and their neighbors do without.
	Drained map[string]bool
}

// Device is what was seen of one device, in the words of no operating system. The zero Device has nothing.
type Device struct {
	// Unreachable says why the device could not be read; "" if it was. Nothing else of it is believed then.
	Unreachable string
	// Seen is when the device was last read; the zero time if never as far as the observer knows.
	Seen time.Time
	// Drift is how its configuration differs from the intended one; nil if nobody has compared them.
	Drift *Drift

	LLDP       bool                 // whether it listens to its neighbors at all
	Interfaces map[string]Interface // ports, by name
	LAGs       map[uint32]LAG       // by number
	Sessions   []Session            // BGP; any order
	BFD        []BFD                // any order
	Tunnels    map[uint32]Tunnel    // VXLAN interfaces, by VNI
	Segments   map[string]Segment   // ethernet segments, by name

	Adjacencies map[string]Adjacency // IS-IS, by interface
	Labels      Labels
	Services    map[string]Service // what stitches tenants and segments, by name

	Optical    map[string]Optical      // coherent ports, by name
	Amplifiers map[string]Amplifier    // by name
	Media      map[uint32]MediaChannel // by index in the design, both directions as one

	VTEP netip.Addr // where tunnels begin and end; only of what is asked for (see Index.Wanting)
}

// Drift is how a running configuration differs from the intended one inside the scope that Loom owns.
type Drift struct {
	Changes int    // 0: in sync
	First   string // path of the first difference
	Foreign bool   // the device does not carry this topology's mark: Loom has not configured it yet
}

// Interface is one port.
type Interface struct {
	Enabled bool   // administratively
	Up      bool   // operationally
	Reason  string // why it is down, in the device's words
	Far     []Far  // whom it hears by LLDP
}

// Far is the far end of a cable as LLDP tells it (IEEE 802.1AB §8.5): system name and port id.
type Far struct{ System, Port string }

// String returns "spine1:ethernet-1/1".
func (f Far) String() string { return f.System + ":" + f.Port }

// LAG is one link aggregation group.
type LAG struct {
	Up      bool
	Reason  string
	Members map[string]Member // by port
}

// Member is one port of a LAG.
type Member struct {
	Up     bool
	Reason string
}

// Session is one BGP session.
type Session struct {
	Instance string     // network instance: "default"
	Peer     netip.Addr // its zone is the subinterface where the address is link-local
	PeerAS   uint32     // expected of the peer; 0 where nobody says
	State    string     // RFC 4271 §8.2.2, lower case: "established"
	Last     string     // the last NOTIFICATION, who sent it and what it said; "" if there was none
	Families map[string]Family
}

// Family is an address family that the device has enabled on a session ("ipv4-unicast", "evpn").
type Family struct {
	Negotiated       bool
	Received, Active uint64 // routes
}

// BFD is one BFD session (RFC 5880).
type BFD struct {
	Instance string
	Peer     netip.Addr // without zone
	Up       bool
}

// Tunnel is one VXLAN interface.
type Tunnel struct {
	Up     bool
	Reason string
	VTEPs  []netip.Addr // where broadcast goes, one for each far VTEP with the segment (RFC 8365 §5.1); sorted
}

// Segment is one ethernet segment (RFC 7432 §5) on one device.
type Segment struct {
	ESI       string
	Off       bool // disabled
	Up        bool
	Reason    string
	Elections map[string]Election // by network instance
}

// Election is how a device sees the election of the designated forwarder (RFC 8584 §2).
type Election struct {
	Candidates []netip.Addr
	Forwarders []netip.Addr // those that it takes for elected; one, if all is well
}

// Adjacency is IS-IS on one interface between two routers (ISO 10589 §8.2), with the neighbor that is up if there is one.
type Adjacency struct {
	Enabled bool
	State   string     // "up", "initializing"; "" where nobody is heard
	Level2  bool       // of the backbone
	Peer    netip.Addr // address of the neighbor on the link; invalid where the device does not tell
	System  netip.Addr // router id that its system id is made of; invalid where it is not
}

// up is the only state of an adjacency that carries routes.
const up = "up"

// Labels are what a device has of segment routing (RFC 8402).
type Labels struct {
	Enabled bool
	Ends    []netip.Addr // of its tunnels; sorted
}

// Service is what stitches a tenant or a segment: a bridge or a router with one side towards the fabric and one towards other sites.
type Service struct {
	Enabled bool
	Up      bool
	Reason  string       // why it is down: the part of it that is
	MPLS    bool         // it is a bridge, over MPLS towards other sites
	Floods  []netip.Addr // a bridge over MPLS: where broadcast goes; sorted
	Inside  uint64       // a router: IPv4 routes that it uses of the fabric
	Outside uint64       // and of other sites
}

// established is the only state of a session that carries routes.
const established = "established"
