package network

import (
	"fmt"
	"net/netip"
	"time"
)

// MAC is an ethernet address.
type MAC [6]byte

// String writes an address as SR Linux and RFC 7042 do, but in capitals: "02:00:AB:00:00:01".
func (m MAC) String() string {
	return fmt.Sprintf("%02X:%02X:%02X:%02X:%02X:%02X", m[0], m[1], m[2], m[3], m[4], m[5])
}

// LinkLocal returns the IPv6 link-local address that a MAC address gives (RFC 4291 appendix A).
func (m MAC) LinkLocal() netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3], 14: m[4], 15: m[5]})
}

// Hardware is a chassis: what a device is, whatever is configured on it.
type Hardware struct {
	Name     string // of the device in the simulation
	Platform string // "7220-IXR-D3L"
	Serial   string
	MAC      MAC    // base address; ports count up from it
	Ports    []Jack // in the platform's order
}

// Jack is a physical port of a chassis.
type Jack struct {
	Name  string // "ethernet-1/1"
	Speed string // its own speed, "100G"
}

// Router is what the running configuration of one device says, in terms that are nobody's in
// particular. Slices are sorted by name or address unless said otherwise. A Router is never changed once made.
type Router struct {
	Name        string       // of the device, as the wiring has it
	System      string       // what it calls itself: LLDP system name
	Description string       // LLDP system description
	Chassis     MAC          // LLDP chassis id
	Management  []netip.Addr // LLDP management addresses, sorted
	Boots       uint64       // how often it has booted; a new number ends all its sessions

	Ports         []Port
	LAGs          []LAG
	Subinterfaces []Subinterface
	Instances     []Instance
	Segments      []EthernetSegment
	Policies      Policies
}

// Port is a physical port, or a channel of one that is broken out. Only ports that the chassis has.
type Port struct {
	Name    string
	Enabled bool
	MAC     MAC
	Speed   string // configured, or its own: "100G"
	MTU     uint32 // bytes, ethernet header included
	LAG     string // that it is a member of; ""
	LLDP    bool   // sends LLDP and shows neighbours
	Text    string // description, told in LLDP

	ID       string // port id in LLDP; "": its name
	Nameless bool   // LLDP frames from it do not tell what the system is called
}

// LAG is a link aggregation group.
type LAG struct {
	Name     string
	Enabled  bool
	MAC      MAC
	MTU      uint32 // bytes, ethernet header included; 0: not known
	MinLinks int    // at least 1
	Speed    string // that members must have: "100G"; "": any
	LACP     *LACP  // nil: static
}

// LACP is what a LAG says in its LACP frames (IEEE 802.1AX).
type LACP struct {
	Active         bool
	Fast           bool
	SystemID       MAC
	SystemPriority uint16
	Key            uint16
}

// Kind is what a subinterface does.
type Kind uint8

// The kinds.
const (
	Routed   Kind = iota // has addresses, on a port or a LAG
	Bridged              // takes part in a MAC-VRF
	IRB                  // routes for the MAC-VRF that it is attached to
	Loopback             // system0, lo0: up when enabled
)

// Subinterface is a logical interface.
type Subinterface struct {
	Name    string // "ethernet-1/49.0"
	Parent  string // the port, LAG, or "irb1", "system0", "lo0"
	Index   uint32
	Kind    Kind
	Enabled bool // it and its parent
	VLAN    VLAN
	IPMTU   uint32 // bytes; 0: none
	L2MTU   uint32 // bytes, ethernet header and tags included, of a bridged one; 0: not known
	MAC     MAC

	IPv4, IPv6  bool       // families that are enabled
	Addresses   []Address  // of enabled families
	Anycast     MAC        // anycast gateway's address; zero: none
	RA          bool       // sends router advertisements, so that its link-local address is learned
	BFD         *BFD       // nil: none
	Learn       bool       // learns ARP and ND entries from what hosts say unasked
	HostRoutes  bool       // puts learned ARP and ND entries into the route table
	AdvertiseL3 bool       // announces learned ARP and ND entries in EVPN MAC/IP routes
	Symmetric   bool       // with the VNI and targets of its IP-VRF in them (RFC 9135; SR Linux: evpn/advertise/interface-less-routing)
	LinkLocal   netip.Addr // IPv6 link-local address; invalid without IPv6
}

// VLAN is which frames of its parent a subinterface takes.
type VLAN struct {
	Tagged    bool
	Low, High uint16 // equal for a single tag; 0, 0 with Tagged: the untagged frames of a tagged port
}

// Address is an address of a subinterface.
type Address struct {
	Prefix  netip.Prefix // "10.0.0.1/24": address and length, not masked
	Anycast bool
}

// BFD is how a subinterface does BFD (RFC 5880). Times are per packet.
type BFD struct {
	Transmit, Receive time.Duration
	Multiplier        int
}

// InstanceKind is what a network instance is.
type InstanceKind uint8

// The kinds of network instances.
const (
	Default InstanceKind = iota
	IPVRF
	MACVRF
)

// Instance is a network instance.
type Instance struct {
	Name          string
	Kind          InstanceKind
	Enabled       bool
	RouterID      netip.Addr
	Interfaces    []string // names of its subinterfaces
	MTU           uint32   // bytes that a MAC-VRF forwards of a frame, ethernet header included, tags not; 0: as many as its subinterfaces
	UncheckedIPv4 bool     // forwards IPv4 on subinterfaces without an IPv4 address (receive-ipv4-check false)
	Static        []StaticRoute

	VXLAN *VXLAN // nil: none
	MPLS  *MPLS  // nil: none; carries the EVPN instance where there is no VXLAN
	EVPN  *EVPN  // nil: none
	BGP   *BGP   // nil: none
	ISIS  *ISIS  // nil: none

	Interconnect *Interconnect // nil: none
}

// Interconnect is the second EVPN instance of a network instance, towards other domains: what one of the two imports the
// other announces as its own (RFC 9014 §4, draft-ietf-bess-evpn-ipvpn-interworking §8). VXLAN or MPLS carries it.
type Interconnect struct {
	EVPN  *EVPN
	VXLAN *VXLAN // nil: none
	MPLS  *MPLS  // nil: none

	// Uniform lets what BGP says of an IP prefix pass: D-PATH, AS path, local preference, MED and communities
	// (draft-ietf-bess-evpn-ipvpn-interworking §5.2). Otherwise prefixes are announced anew like the router's own, with none of
	// that (§5.1): nobody can tell then that a route has been where it comes to.
	Uniform bool
}

// StaticRoute is a configured route.
type StaticRoute struct {
	Prefix   netip.Prefix
	NextHops []netip.Addr // empty: blackhole
}

// VXLAN is the tunnel interface of an instance.
type VXLAN struct {
	Interface string // "vxlan1.10"
	VNI       uint32
	Source    netip.Addr // VTEP address; invalid where system0 has none
}

// MPLS is how packets for an EVPN instance come over MPLS.
type MPLS struct {
	Label          uint32     // of the service, from the router's own range; unique on the router
	Source         netip.Addr // next hop of its routes; invalid where the router has none
	SegmentRouting bool       // it may use the tunnels of IS-IS segment routing; there are no others
}

// EVPN is an EVPN instance of a network instance (RFC 7432, RFC 9136).
type EVPN struct {
	Enabled         bool
	EVI             uint32
	ECMP            int // paths towards other VTEPs, at least 1
	RD              RD
	Import          []RT
	Export          []RT
	MulticastRoutes bool // announces the inclusive multicast route
	MACRoutes       bool // announces MAC/IP routes
	GatewayMAC      bool // announces the MAC address of the gateway (IP-VRF)

	// MTU is how many bytes of an IP packet the instance sends, and takes from others; 0: as many as tunnels carry.
	MTU uint32
	// Preference is that of its IP prefixes in the route table, the lowest wins: 0: 170, as BGP has it.
	Preference int
	// Choice is how the router takes one of several routes to an IP prefix.
	Choice Choice

	// Domain is where its IP prefixes come from, for D-PATH: "65000:1"; "": it has none.
	Domain string
	// Discovery announces the interconnect segment here too: A-D routes, and its identifier on MAC/IP routes that come from
	// the Interconnect, which itself always does. Without it the members of the segment take each other's for those of hosts.
	Discovery bool
}

// Choice is how one of several routes to an IP prefix is taken, if their distinguishers differ: otherwise BGP has chosen.
type Choice uint8

// The choices.
const (
	ByAttributes    Choice = iota // as BGP does, the length of D-PATH next to the local preference (draft-ietf-bess-evpn-ipvpn-interworking §6)
	ButDomains                    // the same, whatever the length of D-PATH
	ByDistinguisher               // whatever BGP says: in the order of their distinguishers, as many as ECMP allows
)

// RD is a route distinguisher as configured: "10.1.0.1:10".
type RD string

// RT is a route target as configured, without its origin: "65000:10010".
type RT string

// EthernetSegment is one end of a multihomed LAG or port.
type EthernetSegment struct {
	Name         string
	Enabled      bool
	ESI          ESI
	Interfaces   []string // ports or LAGs
	Instances    []string // an interconnect segment: MAC-VRFs whose EVPN is what others see on it (RFC 9014 §3.4)
	SingleActive bool
	DF           DFElection
	Activation   time.Duration // time before a DF candidate becomes active
}

// ESI is an ethernet segment identifier.
type ESI [10]byte

// String writes an ESI as "00:11:...".
func (e ESI) String() string { return fmt.Sprintf("% X", e[:]) }

// DFElection is how the designated forwarder is chosen (RFC 7432 §8.5, RFC 9785).
type DFElection struct {
	Preference bool   // by Value; otherwise the default: modulo
	Value      uint32 // preference
	AnyCircuit bool   // counts routers without the instance's subinterface on the segment too: no AC-DF (RFC 8584 §4)
}

// ISIS is the IS-IS instance of a network instance.
type ISIS struct {
	Enabled        bool
	NET            string // "49.0001.0100.0000.0001.00"
	Level1, Level2 bool
	Overload       bool // no path leads through the router (ISO 10589 §7.2.8.1)
	LastResort     bool // its links are announced at the highest metric there is (RFC 5305 §3): paths lead through it where there are no others
	PassiveOnly    bool // subnets of links between routers are not announced
	NoIPv6         bool // IPv6 is neither announced nor routed (RFC 5308)
	Interfaces     []ISISInterface
	// SegmentRouting: the label block [Base, Base+Size) and the index of the node's own prefix; Size 0: none.
	Base, Size, Index uint32
}

// ISISInterface is a subinterface that runs IS-IS.
type ISISInterface struct {
	Name           string
	Enabled        bool
	Passive        bool
	PointToPoint   bool
	Metric         uint32
	Level1, Level2 bool
	Key            string // authentication; both ends must have the same
	BFD            bool   // watches the neighbor, where the subinterface does BFD
}

// BGP is the BGP process of a network instance, inheritance resolved: a Neighbor says all that holds for it.
type BGP struct {
	Enabled   bool
	AS        uint32
	RouterID  netip.Addr
	Families  []Family // enabled at the top
	Multipath map[Family]Multipath
	InterAS   bool       // EVPN inter-as-vpn: routes that no instance imports are kept and passed on
	KeepAll   bool       // EVPN keep-all-routes: they are kept, as rejected, and not passed on
	Neighbors []Neighbor // sorted by address
	Dynamic   []Dynamic  // sorted by interface
}

// Multipath is how many equal paths a family installs.
type Multipath struct {
	EBGP, IBGP int // at least 1
	MultipleAS bool
}

// Neighbor is one BGP neighbor, or what a Dynamic one will be.
type Neighbor struct {
	Peer                       netip.Addr // with a zone ("ethernet-1/49.0") where it is link-local
	Interface                  string     // subinterface of a link-local peer; ""
	Dynamic                    bool       // not configured by itself but by its interface
	Enabled                    bool       // it, its group and BGP
	Group, Text                string
	PeerAS                     uint32    // 0: any of AllowedAS
	AllowedAS                  []ASRange // of a dynamic neighbor
	LocalAS                    uint32
	PrependGlobal              bool                         // the global AS stands in the path too where LocalAS differs from it
	Local                      netip.Addr                   // configured local address; invalid: that of the outgoing subinterface
	Families                   []Family                     // enabled
	Assumes                    Encapsulation                // of EVPN routes that come without one; Unsaid: MPLS
	IPv6NextHops               struct{ Send, Receive bool } // for IPv4 routes (RFC 8950)
	Import, Export             []string                     // names of policies, in order
	RejectImport, RejectExport bool                         // an eBGP session without a policy passes nothing (RFC 8212)
	Client                     bool                         // route reflector client
	Cluster                    netip.Addr
	NextHopSelf                bool
	OwnAS                      int  // how often its own AS may occur in a received path
	Passive                    bool // waits for the peer to connect
	Multihop                   int  // TTL for eBGP beyond one hop; 0: one hop
	BFD, FastFailover          bool
	HoldTime, KeepAlive        time.Duration
	Key                        string // TCP authentication; both ends must have the same
}

// ASRange is a range of AS numbers, ends included.
type ASRange struct{ Low, High uint32 }

// Dynamic accepts neighbors that are found on a subinterface by their router advertisements.
type Dynamic struct {
	Interface string
	Template  Neighbor // Peer and Interface are not set
}

// Policies are the routing policies of a router, by name.
type Policies struct {
	Policies    map[string]Policy
	Prefixes    map[string][]PrefixRange
	Communities map[string]CommunitySet
	ASPaths     map[string][]string // regular expressions over the path written as "65001 65002"
	Tags        map[string][]uint32
}

// PrefixRange matches prefixes inside Prefix whose length is Low to High.
type PrefixRange struct {
	Prefix    netip.Prefix
	Low, High int
}

// CommunitySet is a set of communities: "65000:1", "target:65000:1", or regular expressions.
type CommunitySet struct {
	All     bool     // all members have to match; otherwise any
	Members []string // beside communities, "target:65000:1" and "encapsulation:vxlan" or "encapsulation:mpls"
}

// Policy is a routing policy.
type Policy struct {
	Statements []Statement // in order
	Default    Action
}

// Statement is one step of a policy.
type Statement struct {
	Name   string
	Match  Match
	Action Action
}

// Match is what a statement asks; zero fields ask nothing.
type Match struct {
	PrefixSet    string
	InvertPrefix bool
	Protocol     string // "bgp", "bgp-evpn", "local", "static", "isis", "arp-nd", "host", "aggregate"
	Families     []Family
	CommunitySet string
	ASPathSet    string
	ASPathLength func(n int) bool // nil: any
	RouteType    uint8            // EVPN; 0: any
	TagSets      []string
	Policy       string // that has to accept the route
}

// Result is where an action leads.
type Result uint8

// The results. An Unset one in a statement goes on to the next.
const (
	Unset Result = iota
	Accept
	Reject
	NextStatement
	NextPolicy
)

// Action is what a statement does.
type Action struct {
	Result               Result
	LocalPref            *uint32
	MED                  func(old uint32) uint32 // nil: as it is
	NextHop              netip.Addr              // "self" is the unspecified address; invalid: as it is
	Add, Remove, Replace string                  // names of community sets
	Prepend              ASPrepend
	RemoveAS             bool
	ReplaceAS            uint32 // 0: not
	SetTags              []string
}

// ASPrepend puts an AS in front of the path.
type ASPrepend struct {
	AS    uint32
	Count int
}
