package fabric

import (
	"net/netip"

	"github.com/loomfabric/loom/models/hardware"
)

// Design is a fabric in which everything is decided: every device, port, cable, address, AS
// number, VNI, route target and ethernet segment. It is a value: compiled from an intent, never
// changed afterwards. Devices that two designs share are the same pointer (see Compiler).
type Design struct {
	Name      string    // name of the topology
	OverlayAS uint32    // 0 < OverlayAS < 1<<16
	Devices   []*Device // sorted by site number, role (spine, leaf, gateway, transponder), number; then those of lines, by line, along it
	Cables    []Cable   // every cable, sorted by ends
	Login     Login     // references, never secrets
	Work      Work      // what compiling it cost
	Ducts     []Duct    // sorted by name
	Lines     []Line    // sorted by name
	Channels  []Channel // sorted by the number of their DCI, and their own
	DCIs      []DCI     // sorted by number
	Spans     []Span    // tenants by number, then segments by number

	byName map[string]*Device
}

// Device returns the device with the given full name, or nil.
func (d *Design) Device(name string) *Device { return d.byName[name] }

// Work counts what a compilation did, so that tests can hold its cost to the size of the change.
type Work struct {
	Devices int // devices decided anew
	Reused  int // devices taken over unchanged from the compilation before
}

// Login names where credentials are found: "env:NAME" or "file:PATH".
type Login struct{ Username, Password, CA string }

// Role is what a device does in the fabric.
type Role string

// The roles.
const (
	Spine Role = "spine"
	Leaf  Role = "leaf"
	// Gateway, Transponder and LineSystem stand in light.go.
)

// Ref names the object of the intent that caused something: "sites/bj/devices/leaf3",
// "cables/leaf3:ethernet-1/31", "tenants/red/segments/web", "attachments/leaf1:ethernet-1/1", or one
// field of such an object: "sites/bj/underlay#mtu". topology.Topology.At turns it into a position.
type Ref string

// Device is one router, transponder or line system, decided. What carries no packets has no AS number, no
// loopback, no underlay and no links. Equal inputs give equal devices, whatever else is in the fabric.
type Device struct {
	Name        string // full name, unique
	Topology    string // name of the topology it belongs to
	Site        string // "" for what stands in a hut
	Role        Role
	Number      uint32 // 0 < Number; unique in its site and role; on a line its place along it
	Platform    *hardware.Platform
	Release     string // "25.3"
	OS          string // "srlinux"; the driver that renders it
	Labels      []string
	ASN         uint32     // its own AS number
	Loopback    netip.Addr // IPv4; also its router id and VTEP address
	Loopback6   netip.Addr `json:",omitzero"` // IPv6, beside the IPv4 one; the zero Addr where the site has none, and then its underlay carries no IPv6
	Management  netip.Addr // where Loom reaches it; the zero Addr if the intent does not say
	Fingerprint string     // SHA-256 of its certificate in hex, or ""
	Group       string     // redundancy group: devices of one group never change together ("" for none)
	Ref         Ref        // its declaration

	Underlay  Underlay
	Overlay   Overlay
	Links     []Link          // fabric links, sorted by port (natural order)
	Breakouts []Breakout      // ports that are broken out, sorted by port
	Ports     []AccessPort    // access ports, LAG members included; sorted by port
	LAGs      []LAG           // sorted by number
	Segments  []MACVRF        // sorted by number
	VRFs      []IPVRF         // sorted by number
	Unused    []hardware.Port // ports to disable; empty where unused ports are left untouched
	Raw       []RawLeaf       // in the order of the intent
	Light     Light           // zero on what has no coherent optics
	WAN       WAN             // zero on what stitches nothing
}

// Underlay is what a device's default network instance does.
type Underlay struct {
	Unnumbered bool           // IPv6 link-local links with RFC 8950 next hops; otherwise IPv4 /31
	MTU        uint32         // IP MTU of fabric links in bytes
	MaxPaths   uint32         // equal-cost paths, at least 1
	BFD        BFD            // zero: off
	Advertise  []netip.Prefix // blocks of the loopbacks that it may know: of its own site and of those that DCIs join it with; sorted
	Abroad     []netip.Prefix `json:",omitempty"` // of a gateway: those of them that are of other sites; sorted
	Ref        Ref
}

// BFD timers of fabric links; the zero value is off.
type BFD struct {
	Multiplier uint32 // packets missed
	Interval   uint32 // microseconds, both directions
}

// Link is one fabric link, seen from one device: a cable inside a site, or what a channel or a cable carries to another.
type Link struct {
	Port     string       // own port: "ethernet-1/49"
	Speed    string       // "100G"; "" where it is the port's own
	PortMTU  uint32       // bytes, ethernet header included
	Addr     netip.Prefix // own address with /31; zero where unnumbered: a link between sites can be numbered where those of the site are not
	Peer     netip.Addr   // the other end's address; zero where unnumbered
	PeerName string       // far device
	PeerPort string       // far port
	PeerASN  uint32
	BFD      BFD    `json:",omitzero"`  // where both ends have it on; zero: off
	DCI      string `json:",omitempty"` // that it is part of, "bj-sh"; "" inside a site
	Channel  string // that carries it, "bj-sh/3"; "" for a cable
	External bool   // the far end is a router that Loom does not manage
	Trunk    string // of the WAN that it is or belongs to; "" where the underlay speaks BGP over it
	Via      string // "bj-transponder1:client-2" where the port is plugged into that; "" where it is plugged into the far end, or sends coherent light itself
	Ref      Ref    // the cable, the device that it is derived for, or the channel
}

// Overlay is how a device exchanges EVPN routes.
type Overlay struct {
	IBGP      bool   // inside AS OverlayAS; otherwise eBGP between the devices' own AS numbers
	AS        uint32 // the overlay AS
	Reflector bool   // reflects (iBGP) or passes on (eBGP) EVPN routes without a service of its own
	ClusterID netip.Addr
	Neighbors []OverlayNeighbor // sorted by address
	Ref       Ref
}

// OverlayNeighbor is one EVPN session, between loopbacks.
type OverlayNeighbor struct {
	Name string // far device
	Addr netip.Addr
	ASN  uint32 // the far device's own AS; eBGP only
	Site string // of the far device where that is another: both are reflectors then, or both gateways, and neither the other's client
	Ref  Ref    // of the first tenant or segment that both sites have; "" inside a site
}

// Breakout is a port that is split into channels: "ethernet-1/3" into ethernet-1/3/1 and on. The speed is
// the channels' own, so neither a Link nor an AccessPort on a channel names it.
type Breakout struct {
	Port     string
	Channels uint32 // 1 to 8
	Speed    string // of each channel: "25G"
	Ref      Ref
}

// AccessPort is one port towards servers.
type AccessPort struct {
	Port        string
	Speed       string    // "" where it is the port's own
	MTU         uint32    // bytes; 0: the device's default
	Description string    // names the far end
	LAG         uint32    // number of its LAG; 0: none
	Subs        []SubPort // empty where the port is a LAG member; sorted by Index
	Tagged      bool      // VLAN tags are used on the port
	Ref         Ref
}

// SubPort is one segment on one access port or LAG.
type SubPort struct {
	Index   uint32 // subinterface index: the VLAN id, or 0 where untagged
	VLAN    uint32 // 0: untagged
	Segment string // key of the MACVRF
	Ref     Ref
}

// LAG is one link aggregation group with LACP. With an ESI it is one end of an ethernet segment.
type LAG struct {
	Number      uint32 // lag<Number>
	MTU         uint32 // bytes; 0: the device's default
	Description string
	Tagged      bool
	Subs        []SubPort
	SystemMAC   string // LACP system id, the same on both ends of an ethernet segment
	AdminKey    uint32 // 0 < AdminKey < 1<<16
	ESI         string // "00:..." ten bytes; "" where single-homed
	ESName      string // name of the ethernet segment
	Peer        string // the other leaf of the segment
	Ref         Ref
}

// MACVRF is one segment on one device.
type MACVRF struct {
	Key     string         // "red/web"
	Name    string         // network instance: "red-web"
	Number  uint32         // segment number; also the index of its IRB subinterface
	VNI     uint32         // 0 < VNI < 1<<24; unique in the topology
	EVI     uint32         // 0 < EVI < 1<<16; unique on the device
	RT      string         // "target:65000:10010"
	RD      string         // "10.0.0.1:10"
	Gateway []netip.Prefix // anycast gateway addresses; empty: not routed
	MTU     uint32         // IP MTU of the gateway; 0: the device's default
	VRF     string         // key of the IPVRF; "" where not routed
	Ref     Ref
}

// IPVRF is one tenant's routing domain on one device.
type IPVRF struct {
	Key    string // "red"
	Name   string // network instance
	Number uint32
	VNI    uint32
	EVI    uint32
	RT     string
	RD     string
	ECMP   uint32 // paths towards other VTEPs
	Ref    Ref
}

// RawLeaf is a leaf that the operator set by path.
type RawLeaf struct {
	Path, Value string
	Ref         Ref
}

// Cable is one cable, both ends decided; A sorts before B.
type Cable struct {
	A, B    CableEnd
	Speed   string
	Derived bool   // from counts, not listed
	Channel string // of light between its ends, "bj-sh/3"; "" for a cable that somebody plugs
	Ref     Ref
}

// CableEnd is one end of a cable. Server and External are set for equipment that Loom does not manage.
type CableEnd struct {
	Device, Port string
	Server       bool
	External     bool // a router between sites
}
