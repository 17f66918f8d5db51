package fabric

import "net/netip"

// Service is how what tenants send gets from one site to another.
type Service string

// The services of a DCI.
const (
	LeafToLeaf Service = "vxlan"       // leaves send VXLAN to leaves of the other site; gateways route it
	VXLANVXLAN Service = "vxlan-vxlan" // gateways end the VXLAN of their site, and speak VXLAN among themselves (RFC 9014 §4.6)
	VXLANMPLS  Service = "vxlan-mpls"  // gateways end the VXLAN of their site, and speak MPLS among themselves (RFC 9014 §4.3)
)

// WAN is a gateway's part in what joins sites by stitched services. It is zero on every other device, and on gateways that
// only route.
type WAN struct {
	AS        uint32            // that gateways of all sites share: the overlay's
	Area      string            // IS-IS area: "49.0001"
	Labels    Labels            // for segment routing, the same on all gateways; zero without MPLS
	IPv6      bool              // IS-IS carries IPv6, too: a site of the WAN has IPv6 loopbacks
	Trunks    []Trunk           // towards gateways of other sites, and to others of its own, sorted by name
	Neighbors []OverlayNeighbor // EVPN sessions with all gateways of the other sites that it shares services with; sorted by address
	Segment   *SiteSegment      // ethernet segment that the gateways of its site share towards the WAN; nil: there is one gateway, or nothing is bridged
	Bridges   []Bridge          // stitched segments, sorted by number
	Routers   []Router          // stitched tenants, sorted by number
	Origin    string            // community of what gateways bring into their site (RFC 1997): "65000:60001", of site 1
	Ref       Ref               // of the first DCI that asks for it
}

// Labels are MPLS labels for segment routing (RFC 8402 §3.1).
type Labels struct {
	Start, Size uint32 // the global block
	Index       uint32 // of the gateway's own loopback in it, below Size; unique in the WAN
}

// Trunk is one routed interface towards another gateway: a link that a channel carries to another site, the links of a DCI between
// two gateways as a LAG, a cable between two gateways, or one to a router between sites that Loom does not manage. IS-IS and BFD run over it; what the underlay of a site announces does not pass it.
type Trunk struct {
	Name     string       // "wan-1/1/c1/1" or "wan-lag-12": unique on the device, at most 32 characters
	Ports    []string     // "1/1/c1/1"; several with LAG
	LAG      uint32       // number of its LAG with LACP; 0: none
	SpeedG   uint32       // of each port in Gb/s
	Addr     netip.Prefix // own address with /31
	Peer     netip.Addr
	PeerName string   // far gateway, or router that Loom does not manage
	MTU      uint32   // of IP, in bytes
	PortMTU  uint32   // bytes, ethernet header included
	Metric   uint32   // of IS-IS, wide
	BFD      BFD      // zero: off
	Channels []string // that carry it; none of a cable
	Ref      Ref
}

// SiteSegment is the interconnect ethernet segment of a site's gateways (RFC 9014 §4.6.1.3).
type SiteSegment struct {
	Name string
	ESI  string // "00:..." ten bytes, different from that of every LAG
	Ref  Ref
}

// Instance is one of the two EVPN instances of a stitched service.
type Instance struct {
	VNI    uint32 // 0 in MPLS
	EVI    uint32
	RT     string // "target:65000:10010"
	RD     string // "10.1.64.1:10"
	Domain string // D-PATH domain that its routes come from (draft-ietf-bess-evpn-ipvpn-interworking §4): "65000:1"
}

// Bridge is a segment, stitched: a VPLS with one EVPN instance towards the fabric and one towards the WAN.
type Bridge struct {
	Key    string // "red/web"
	Name   string // "red-web"
	Number uint32 // the segment's
	ID     uint32 // service id, unique on the device
	MTU    uint32 // service MTU in bytes, ethernet header and tags included; every hop has room for it
	MTURef Ref    // what decides it: the segment's own mtu, or that of the narrowest hop
	Fabric Instance
	WAN    Instance
	Ref    Ref
}

// Router is a tenant, stitched: a VPRN towards the WAN, which routes by way of an R-VPLS towards the fabric.
type Router struct {
	Key    string // "red"
	Name   string // "red"
	Number uint32 // the tenant's
	ID     uint32 // service id of the VPRN
	Inner  uint32 // service id of the R-VPLS
	ECMP   uint32
	MTU    uint32 // IP MTU in bytes; every hop has room for it
	MTURef Ref    // the narrowest hop's
	Fabric Instance
	WAN    Instance
	Ref    Ref
}
