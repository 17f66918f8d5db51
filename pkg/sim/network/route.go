package network

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// Family is an address family of BGP.
type Family uint8

// The families.
const (
	IPv4 Family = iota + 1
	IPv6
	L2EVPN
)

// EVPN route types (RFC 7432 §7, RFC 9136).
const (
	EthernetAD           uint8 = 1
	MACIP                uint8 = 2
	InclusiveMulticast   uint8 = 3
	EthernetSegmentRoute uint8 = 4
	IPPrefix             uint8 = 5
)

// Encapsulation is how packets are sent to who announces an EVPN route, by its number as a tunnel type (RFC 9012 §4.1).
type Encapsulation uint8

// The encapsulations.
const (
	Unsaid    Encapsulation = 0 // no community says it
	OverVXLAN Encapsulation = 8
	OverMPLS  Encapsulation = 10
)

// String writes an encapsulation as policies have it: "encapsulation:vxlan".
func (e Encapsulation) String() string {
	switch e {
	case OverVXLAN:
		return "encapsulation:vxlan"
	case OverMPLS:
		return "encapsulation:mpls"
	}
	return ""
}

// NLRI names a route; equal routes are equal values.
type NLRI struct {
	Family Family
	Type   uint8 // of an EVPN route
	RD     RD
	ESI    ESI    // types 1 and 4
	Tag    uint32 // ethernet tag; MaxET (0xffffffff) for the per-segment type 1
	MAC    MAC    // type 2
	// Prefix is the prefix (unicast, type 5), the host address with full length (type 2; invalid: MAC
	// only) or the originator's address with full length (types 3 and 4).
	Prefix netip.Prefix
}

// compare orders distinguishers as their octets do: by the address or AS number, then by the number that it gives.
func (d RD) compare(e RD) int {
	by, n := d.parts()
	other, m := e.parts()
	return cmp.Or(by.Compare(other), cmp.Compare(n, m), cmp.Compare(d, e))
}

// parts are the administrator, an AS number as the address of the same octets, and its number.
func (d RD) parts() (by netip.Addr, number uint64) {
	administrator, assigned, _ := strings.Cut(string(d), ":")
	number, _ = strconv.ParseUint(assigned, 10, 32)
	if by, err := netip.ParseAddr(administrator); err == nil {
		return by, number
	}
	as, _ := strconv.ParseUint(administrator, 10, 32)
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(as)))), number
}

// MaxET is the ethernet tag of a per-segment ethernet A-D route (RFC 7432 §8.2.1).
const MaxET = 0xffffffff

// Route is a route as its originator announces it. It is never changed once made.
type Route struct {
	NLRI
	Origin       string     // router that announces it; not on the wire
	Instance     string     // network instance there; not on the wire
	Protocol     string     // where it comes from, for policies: "local", "static", "isis", "arp-nd", "bgp-evpn"
	NextHop      netip.Addr // invalid: the session's own address
	VNI          uint32     // EVPN label, of MPLS if that is the encapsulation; the layer 2 one of a MAC/IP route
	VNI2         uint32     // layer 3 VNI of a MAC/IP route; 0: none
	ESI2         ESI        // segment of a MAC/IP route (RFC 7432 §7.2); zero: single-homed
	Gateway      netip.Addr // gateway address of a type 5 route; invalid: none
	Targets      []RT
	Encap        Encapsulation // encapsulation community (RFC 9012 §4.1)
	RouterMAC    MAC           // router's MAC community (RFC 9135); zero: none
	ESImport     MAC           // ES-import community (RFC 7432 §7.6); zero: none
	ESILabel     bool          // ESI label community present (type 1 per segment)
	SingleActive bool          // its flag
	DF           *DFElection   // DF election community (RFC 8584); nil: none
	Static       bool          // MAC mobility community with the sticky bit
	Sequence     uint32        // of the MAC mobility community (RFC 7432 §7.7)
	Default      bool          // default gateway community (RFC 7432 §10.1)
	Domains      []string      // D-PATH, nearest first: "65000:1" (draft-ietf-bess-evpn-ipvpn-interworking §4); nil: none
	LocalPref    *uint32       // nil: what a router gives its own
	ASPath       []uint32      // that it has come by, announced anew; nil: its own
	MED          uint32
	Communities  []string // "65000:1"
	Tags         []uint32 // internal, never on the wire
}

// Path is a route as one router has it from one of its neighbors, or by itself.
type Path struct {
	*Route
	From        int // index into the router's Sessions; -1: its own
	NextHop     netip.Addr
	ASPath      []uint32
	LocalPref   uint32
	MED         uint32
	Originator  netip.Addr // route reflection (RFC 4456); invalid: none
	Cluster     []netip.Addr
	Communities []string
	Valid       bool // its next hop can be reached
	Rejected    bool // by a policy, or kept though no instance imports it
	Best        bool // the one that is passed on
	Used        bool // best, or equal to it within multipath
}

// Session is one neighbor of a router and how it fares.
type Session struct {
	Router, Instance string
	*Neighbor                   // of the plant's links; not to be changed
	LocalAddress     netip.Addr // in use; with a zone where it is link-local
	Remote           string     // far router; "" where no router has the address
	RemoteIndex      int        // index of the far end in its router's sessions; -1: the far end is not configured
	PeerType         PeerType
	Direct           bool // over one link
	Path             bool // packets get through, both ways
	State            SessionState
	// Cause says why it is not established: "peer unreachable", "peer has no such neighbor", "bad peer AS", ...
	Cause               string
	Code, Subcode       uint8 // of the last NOTIFICATION that it sent (Sent) or got; 0: none
	Sent                bool
	PeerID              netip.Addr // router id of the peer, once established
	RemoteAS            uint32     // AS number of the peer, once established
	Exchanged           []Family   // that both ends speak, once established
	HoldTime, KeepAlive int        // negotiated, seconds
}

// PeerType is what kind of session it is.
type PeerType uint8

// The types of peers.
const (
	EBGP PeerType = iota
	IBGP
)

// SessionState is a state of the BGP state machine (RFC 4271 §8.2.2), by its name in lower case.
type SessionState string

// The states.
const (
	Idle        SessionState = "idle"
	Connect     SessionState = "connect"
	Active      SessionState = "active"
	OpenSent    SessionState = "opensent"
	OpenConfirm SessionState = "openconfirm"
	Established SessionState = "established"
)

// Counts is how many routes of one family a session carries.
type Counts struct{ Received, Active, Rejected, Sent int }

// Routing is what BGP has come to in a network. It is never changed once made; methods may be called
// from any goroutine.
type Routing interface {
	// Sessions are those of one router, sorted by instance and address.
	Sessions(router string) []Session
	// Paths are all that a router has of one family in its default instance, its own included, sorted by NLRI and
	// then best first. Rejected ones are included.
	Paths(router string, f Family) []Path
	// Counts are those of one session, by the index into Sessions.
	Counts(router string, session int, f Family) Counts
	// Version changes when anything does that one of the methods says of a router.
	Version(router string) uint64
}
