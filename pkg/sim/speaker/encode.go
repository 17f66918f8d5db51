package speaker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	api "github.com/osrg/gobgp/v3/api"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// Types of path attributes: RFC 4271 §5, RFC 1997, RFC 4456, RFC 4760, RFC 4360, RFC 6514, RFC 8092.
const (
	attrOrigin         = 1
	attrASPath         = 2
	attrNextHop        = 3
	attrMED            = 4
	attrLocalPref      = 5
	attrCommunities    = 8
	attrClusterList    = 10
	attrMPReach        = 14
	attrExtCommunities = 16
	attrTunnel         = 22
	attrLarge          = 32
	attrDPath          = 36 // draft-ietf-bess-evpn-ipvpn-interworking §4
)

// Flags of path attributes (RFC 4271 §4.3).
const (
	optional   = 0x80
	transitive = 0x40
)

// Extended communities: type and subtype.
var (
	extTarget    = [2]byte{0x00, 0x02} // RFC 4360 §4; the type is of the administrator
	extEncap     = [2]byte{0x03, 0x0c} // RFC 9012 §4.1
	extGateway   = [2]byte{0x03, 0x0d} // RFC 7432 §7.8
	extMobility  = [2]byte{0x06, 0x00} // RFC 7432 §7.7
	extESILabel  = [2]byte{0x06, 0x01} // RFC 7432 §7.5
	extESImport  = [2]byte{0x06, 0x02} // RFC 7432 §7.6
	extRouterMAC = [2]byte{0x06, 0x03} // RFC 9135 §8.1
	// extDF stands for the DF election community, 0x0606 (RFC 8584 §2.2): GoBGP takes that for an error, and
	// withdraws the route. It passes on unknown types as they are.
	extDF = [2]byte{0x3e, 0x06}
)

// families are those of BGP, as the speakers name them.
var families = map[network.Family]*api.Family{
	network.IPv4:   {Afi: api.Family_AFI_IP, Safi: api.Family_SAFI_UNICAST},
	network.IPv6:   {Afi: api.Family_AFI_IP6, Safi: api.Family_SAFI_UNICAST},
	network.L2EVPN: {Afi: api.Family_AFI_L2VPN, Safi: api.Family_SAFI_EVPN},
}

// allFamilies in order.
var allFamilies = []network.Family{network.IPv4, network.IPv6, network.L2EVPN}

// encode writes a route as its originator announces it. mark is the large community that the route has in place of its
// targets until it is in the table, see ruleBook; "" where it has them itself.
func encode(r *network.Route, mark string) (*api.Path, error) {
	nlri, err := appendNLRI(nil, r)
	if err != nil {
		return nil, err
	}
	ext, err := extendedCommunities(r, mark == "")
	if err != nil {
		return nil, err
	}
	communities, large, err := splitCommunities(r.Communities)
	if err != nil {
		return nil, err
	}
	domains, err := dpath(r.Domains)
	if err != nil {
		return nil, err
	}
	if mark != "" {
		large = append(large, mark)
	}
	attributes := [][]byte{attr(transitive, attrOrigin, []byte{0})} // IGP
	if r.Family == network.IPv4 {
		attributes = append(attributes, attr(transitive, attrNextHop, nextHop(r).AsSlice()))
	} else {
		attributes = append(attributes, attr(optional, attrMPReach, reach(r, nlri)))
	}
	if len(r.ASPath) > 0 {
		attributes = append(attributes, attr(transitive, attrASPath, asSequence(r.ASPath)))
	}
	if r.LocalPref != nil {
		attributes = append(attributes, attr(transitive, attrLocalPref, binary.BigEndian.AppendUint32(nil, max(*r.LocalPref, lowest))))
	}
	if r.MED != 0 {
		attributes = append(attributes, attr(optional, attrMED, binary.BigEndian.AppendUint32(nil, r.MED)))
	}
	for _, a := range []struct {
		kind  byte
		value []byte
	}{{attrCommunities, communities}, {attrExtCommunities, ext}, {attrTunnel, tunnel(r)}, {attrLarge, largeCommunities(large)}, {attrDPath, domains}} {
		if len(a.value) > 0 {
			attributes = append(attributes, attr(optional|transitive, a.kind, a.value))
		}
	}
	return &api.Path{Family: families[r.Family], NlriBinary: nlri, PattrsBinary: attributes}, nil
}

// asSequence is the value of AS_PATH: one sequence of numbers of four octets (RFC 4271 §4.3, RFC 6793).
func asSequence(path []uint32) []byte {
	const sequence = 2
	b := []byte{sequence, byte(len(path))}
	for _, as := range path {
		b = binary.BigEndian.AppendUint32(b, as)
	}
	return b
}

// tunnel is the P-multicast tunnel of a type 3 route, where its VNI is: ingress replication to the originator (RFC 7432
// §11.2, RFC 8365 §5.1.3).
func tunnel(r *network.Route) []byte {
	const ingressReplication = 6
	if r.Type != network.InclusiveMulticast {
		return nil
	}
	return append(appendVNI([]byte{0, ingressReplication}, labelField(r, r.VNI)), r.Prefix.Addr().AsSlice()...)
}

// isEVPN is the SAFI that routes came into a domain by, as D-PATH says it.
const isEVPN = 70

// dpath is the value of D-PATH: one segment, and in it six octets for each domain, AS number and number, and the SAFI
// (draft-ietf-bess-evpn-ipvpn-interworking §4). It is unknown to the speakers, which pass it on as it is.
func dpath(domains []string) ([]byte, error) {
	if len(domains) == 0 {
		return nil, nil
	}
	b := []byte{byte(len(domains))}
	for _, d := range domains {
		numbers, err := parts(d)
		if err != nil || len(numbers) != 2 || numbers[1] > 0xffff || len(domains) > 255 {
			return nil, fmt.Errorf("domain %q is not a number and one below 65536", d)
		}
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(b, numbers[0]), uint16(numbers[1]))
		b = append(b, isEVPN)
	}
	return b, nil
}

// nextHop is unspecified where the route takes the address of the session that it goes out on.
func nextHop(r *network.Route) netip.Addr {
	switch {
	case r.NextHop.IsValid():
		return r.NextHop
	case r.Family == network.IPv6:
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// reach is the value of MP_REACH_NLRI (RFC 4760 §3).
func reach(r *network.Route, nlri []byte) []byte {
	family, hop := families[r.Family], nextHop(r).AsSlice()
	b := binary.BigEndian.AppendUint16(nil, uint16(family.Afi))
	b = append(b, byte(family.Safi), byte(len(hop)))
	b = append(append(b, hop...), 0)
	return append(b, nlri...)
}

func attr(flags, kind byte, value []byte) []byte {
	if len(value) > 255 {
		return append(binary.BigEndian.AppendUint16([]byte{flags | 0x10, kind}, uint16(len(value))), value...)
	}
	return append([]byte{flags, kind, byte(len(value))}, value...)
}

// extendedCommunities are those that follow from what the route says (RFC 4360).
func extendedCommunities(r *network.Route, targets bool) ([]byte, error) {
	var b []byte
	add := func(kind [2]byte, value ...byte) {
		b = append(append(b, kind[:]...), value...)
	}
	if targets {
		for _, rt := range r.Targets {
			kind, six, err := administrator(string(rt))
			if err != nil {
				return nil, fmt.Errorf("route target %q: %w", rt, err)
			}
			add([2]byte{kind, extTarget[1]}, six[:]...)
		}
	}
	if r.Encap != network.Unsaid {
		add(extEncap, 0, 0, 0, 0, 0, byte(r.Encap))
	}
	if r.RouterMAC != (network.MAC{}) {
		add(extRouterMAC, r.RouterMAC[:]...)
	}
	if r.ESImport != (network.MAC{}) {
		add(extESImport, r.ESImport[:]...)
	}
	if r.ESILabel {
		add(extESILabel, bit(r.SingleActive), 0, 0, 0, 0, 0)
	}
	if r.DF != nil {
		const preference = 2  // RFC 9785 §3
		const circuits = 0x40 // AC-DF in the bitmap (RFC 8584 §2.2)
		value := binary.BigEndian.AppendUint32([]byte{bit(r.DF.Preference) * preference, bit(!r.DF.AnyCircuit) * circuits}, r.DF.Value)
		add(extDF, value...)
	}
	if r.Static || r.Sequence > 0 {
		add(extMobility, binary.BigEndian.AppendUint32([]byte{bit(r.Static), 0}, r.Sequence)...)
	}
	if r.Default {
		add(extGateway, 0, 0, 0, 0, 0, 0)
	}
	return b, nil
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// splitCommunities writes standard communities (RFC 1997), and returns the large ones.
func splitCommunities(all []string) (standard []byte, large []string, err error) {
	for _, c := range all {
		numbers, e := parts(c)
		switch {
		case e == nil && len(numbers) == 2 && numbers[0] <= 0xffff && numbers[1] <= 0xffff:
			standard = binary.BigEndian.AppendUint32(standard, numbers[0]<<16|numbers[1])
		case e == nil && len(numbers) == 3:
			large = append(large, c)
		default:
			err = errors.Join(err, fmt.Errorf("community %q is neither a:b nor a:b:c", c))
		}
	}
	return standard, large, err
}

// largeCommunities writes large communities (RFC 8092), which are known to be sound.
func largeCommunities(all []string) (b []byte) {
	for _, c := range all {
		numbers, _ := parts(c)
		for _, n := range numbers {
			b = binary.BigEndian.AppendUint32(b, n)
		}
	}
	return b
}

// parts returns the numbers between colons.
func parts(s string) (numbers []uint32, err error) {
	for p := range strings.SplitSeq(s, ":") {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, uint32(n))
	}
	return numbers, nil
}
