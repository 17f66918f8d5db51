package network

import "net/netip"

// State is all that one router shows. Slices are sorted by their keys.
type State struct {
	*Links
	Sessions  []Session
	Counts    []map[Family]Counts // by session
	Paths     map[Family][]Path
	Instances map[string]InstanceState
	VTEPs     []netip.Addr   // tunnel endpoints that routes lead to
	Tunnels   []TunnelState  // sorted by interface
	Segments  []SegmentState // sorted by name
	Neighbors []L3Neighbor   // ARP and ND entries, sorted by subinterface and address
}

// InstanceState is what a network instance shows.
type InstanceState struct {
	Oper
	EVPN         Oper
	VXLAN        Oper // of its VXLAN interface
	Interconnect InterconnectState
	Routes       []TableRoute // route table, sorted by prefix; not for MAC-VRFs
	MACs         []MACEntry   // bridge table, sorted by address; MAC-VRFs only
}

// InterconnectState is what the second EVPN instance of a network instance shows, and whom it sends to.
type InterconnectState struct {
	Oper
	Multicast []Destination
	Unicast   []Destination
	Segments  []SegmentDestination // sorted by ESI
}

// TableRoute is an active route.
type TableRoute struct {
	Prefix     netip.Prefix
	Protocol   string // "local", "host", "static", "isis", "bgp", "bgp-evpn", "bgp-evpn-ifl-host", "arp-nd"
	Preference int
	Metric     uint32
	NextHops   []Hop
}

// MACEntry is a line of a bridge table.
type MACEntry struct {
	MAC  MAC
	Type string // "learnt", "evpn", "evpn-static", "irb-interface", "irb-interface-anycast"
	// Destination is a subinterface, or the tunnel to VTEP and VNI, or the segment ESI.
	Subinterface string
	VTEP         netip.Addr
	VNI          uint32
	Label        uint32 // MPLS, instead of VNI; VTEP is the end of the tunnel
	ESI          ESI
}

// TunnelState is a VXLAN interface.
type TunnelState struct {
	Interface string // "vxlan1.10"
	Oper
	Multicast []Destination
	Unicast   []Destination
	Segments  []SegmentDestination // sorted by ESI
	SourceMAC MAC                  // of inner frames of a routed one
}

// Destination is the end of a tunnel that an EVPN instance sends to.
type Destination struct {
	VTEP  netip.Addr
	VNI   uint32
	Label uint32 // MPLS, instead of VNI
	MACs  int
}

// SegmentDestination is an ethernet segment that a VXLAN interface sends to.
type SegmentDestination struct {
	ESI   ESI
	VTEPs []Destination // sorted; without counts
	MACs  int
}

// SegmentState is an ethernet segment.
type SegmentState struct {
	Name string
	Oper
	Algorithm  string // "default", "preference"
	Preference uint32
	Instances  []SegmentInstance // sorted by name
}

// SegmentInstance is an ethernet segment in one MAC-VRF.
type SegmentInstance struct {
	Instance   string
	DF         bool         // this router forwards
	Forwarder  netip.Addr   // who does
	Candidates []netip.Addr // sorted
}

// L3Neighbor is an ARP or ND entry.
type L3Neighbor struct {
	Subinterface string
	IP           netip.Addr
	MAC          MAC
	Type         string // "dynamic", "evpn"
}
