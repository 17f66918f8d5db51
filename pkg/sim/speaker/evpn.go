package speaker

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// appendNLRI writes a route as it stands in an UPDATE: RFC 4271 §4.3 for prefixes, RFC 7432 §7 and RFC 9136 §3.1 for EVPN.
// The labels of EVPN routes are VNIs, 24 bits (RFC 8365 §5.1.3), or MPLS labels in the first 20 of them (RFC 7432 §7).
func appendNLRI(b []byte, r *network.Route) ([]byte, error) {
	if r.Family != network.L2EVPN {
		return appendPrefix(b, r.Prefix), nil
	}
	body, err := appendRD(nil, r.RD)
	if err != nil {
		return nil, err
	}
	switch r.Type {
	case network.EthernetAD:
		body = append(body, r.ESI[:]...)
		body = binary.BigEndian.AppendUint32(body, r.Tag)
		body = appendVNI(body, labelField(r, r.VNI))
	case network.MACIP:
		body = append(body, r.ESI2[:]...)
		body = binary.BigEndian.AppendUint32(body, r.Tag)
		body = append(body, 48)
		body = append(body, r.MAC[:]...)
		body = appendHost(body, r.Prefix)
		body = appendVNI(body, labelField(r, r.VNI))
		if r.VNI2 != 0 {
			body = appendVNI(body, labelField(r, r.VNI2))
		}
	case network.InclusiveMulticast:
		body = binary.BigEndian.AppendUint32(body, r.Tag)
		body = appendHost(body, r.Prefix)
	case network.EthernetSegmentRoute:
		body = append(body, r.ESI[:]...)
		body = appendHost(body, r.Prefix)
	case network.IPPrefix:
		body = append(body, r.ESI2[:]...)
		body = binary.BigEndian.AppendUint32(body, r.Tag)
		body = append(body, byte(r.Prefix.Bits()))
		body = append(body, r.Prefix.Addr().AsSlice()...)
		body = append(body, gateway(r).AsSlice()...)
		body = appendVNI(body, labelField(r, r.VNI))
	default:
		return nil, fmt.Errorf("EVPN route type %d is not one of 1 to 5", r.Type)
	}
	return append(append(b, r.Type, byte(len(body))), body...), nil
}

// gateway is what stands in a type 5 route that has none: zeroes.
func gateway(r *network.Route) netip.Addr {
	switch {
	case r.Gateway.IsValid():
		return r.Gateway
	case r.Prefix.Addr().Is4():
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func appendPrefix(b []byte, p netip.Prefix) []byte {
	return append(append(b, byte(p.Bits())), p.Addr().AsSlice()[:(p.Bits()+7)/8]...)
}

func appendHost(b []byte, p netip.Prefix) []byte {
	if !p.IsValid() {
		return append(b, 0)
	}
	return append(append(b, byte(p.Addr().BitLen())), p.Addr().AsSlice()...)
}

// labelField is a label as it stands in a route.
func labelField(r *network.Route, label uint32) uint32 {
	if r.Encap == network.OverMPLS {
		return label << 4
	}
	return label
}

// readLabels puts the labels of a route right, once its encapsulation is known.
func readLabels(r *network.Route) {
	if r.Encap == network.OverMPLS {
		r.VNI, r.VNI2 = r.VNI>>4, r.VNI2>>4
	}
}

func appendVNI(b []byte, vni uint32) []byte {
	return append(b, byte(vni>>16), byte(vni>>8), byte(vni))
}

// appendRD writes a route distinguisher, RFC 4364 §4.2: an IPv4 address or an AS number, and a number.
func appendRD(b []byte, rd network.RD) ([]byte, error) {
	kind, six, err := administrator(string(rd))
	if err != nil {
		return nil, fmt.Errorf("route distinguisher %q: %w", rd, err)
	}
	return append(append(b, 0, kind), six[:]...), nil
}

// administrator reads "10.0.0.1:5" or "65000:5" into six octets, and which of the types 0 to 2 they are of (RFC 4360 §3 has
// the same ones as RFC 4364).
func administrator(s string) (kind byte, six [6]byte, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return 0, six, fmt.Errorf("it is not two numbers with a colon between them")
	}
	if addr, e := netip.ParseAddr(s[:i]); e == nil && addr.Is4() {
		n, err := strconv.ParseUint(s[i+1:], 10, 16)
		a := addr.As4()
		copy(six[:], binary.BigEndian.AppendUint16(a[:], uint16(n)))
		return 1, six, err
	}
	as, err := strconv.ParseUint(s[:i], 10, 32)
	if err != nil {
		return 0, six, err
	}
	if as > 0xffff {
		n, err := strconv.ParseUint(s[i+1:], 10, 16)
		copy(six[:], binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(nil, uint32(as)), uint16(n)))
		return 2, six, err
	}
	n, err := strconv.ParseUint(s[i+1:], 10, 32)
	copy(six[:], binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, uint16(as)), uint32(n)))
	return 0, six, err
}

// administrated writes six octets of a type as they are configured.
func administrated(kind byte, six []byte) string {
	switch kind {
	case 1:
		return fmt.Sprintf("%s:%d", netip.AddrFrom4([4]byte(six)), binary.BigEndian.Uint16(six[4:]))
	case 2:
		return fmt.Sprintf("%d:%d", binary.BigEndian.Uint32(six), binary.BigEndian.Uint16(six[4:]))
	}
	return fmt.Sprintf("%d:%d", binary.BigEndian.Uint16(six), binary.BigEndian.Uint32(six[2:]))
}

// reader takes a message apart; after an error it gives zeroes.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

func (r *reader) vni() uint32 {
	b := r.take(3)
	return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
}

func (r *reader) rd() network.RD {
	b := r.take(8)
	return network.RD(administrated(b[1], b[2:]))
}

// host reads an address with its length in bits; none has length 0.
func (r *reader) host() netip.Prefix {
	addr, ok := netip.AddrFromSlice(r.take(int(r.take(1)[0]) / 8))
	if !ok {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(addr, addr.BitLen())
}

// prefix reads as many octets as the prefix needs.
func (r *reader) prefix(size int) netip.Prefix {
	bits := int(r.take(1)[0])
	full := make([]byte, size)
	if bits > 8*size {
		r.bad = true
		return netip.Prefix{}
	}
	copy(full, r.take((bits+7)/8))
	addr, _ := netip.AddrFromSlice(full)
	return netip.PrefixFrom(addr, bits)
}

// readNLRI reads what appendNLRI writes.
func readNLRI(f network.Family, b []byte) (network.Route, error) {
	r := reader{b: b}
	route := network.Route{NLRI: network.NLRI{Family: f}}
	switch f {
	case network.IPv4:
		route.Prefix = r.prefix(4)
	case network.IPv6:
		route.Prefix = r.prefix(16)
	default:
		route.Type = r.take(1)[0]
		r.take(1)
		route.RD = r.rd()
		r.evpn(&route)
	}
	if r.bad {
		return route, fmt.Errorf("route %x is cut short", b)
	}
	return route, nil
}

func (r *reader) evpn(route *network.Route) {
	switch route.Type {
	case network.EthernetAD:
		route.ESI = network.ESI(r.take(10))
		route.Tag = r.uint32()
		route.VNI = r.vni()
	case network.MACIP:
		route.ESI2 = network.ESI(r.take(10))
		route.Tag = r.uint32()
		r.take(1)
		route.MAC = network.MAC(r.take(6))
		route.Prefix = r.host()
		route.VNI = r.vni()
		if len(r.b) > 0 {
			route.VNI2 = r.vni()
		}
	case network.InclusiveMulticast:
		route.Tag = r.uint32()
		route.Prefix = r.host()
	case network.EthernetSegmentRoute:
		route.ESI = network.ESI(r.take(10))
		route.Prefix = r.host()
	case network.IPPrefix:
		r.ipPrefix(route)
	}
}

// ipPrefix reads a type 5 route: its length tells of which version of IP it is (RFC 9136 §3.1).
func (r *reader) ipPrefix(route *network.Route) {
	route.ESI2 = network.ESI(r.take(10))
	route.Tag = r.uint32()
	bits := int(r.take(1)[0])
	size := (len(r.b) - 3) / 2
	addr, _ := netip.AddrFromSlice(r.take(size))
	route.Prefix = netip.PrefixFrom(addr, bits)
	if gw, _ := netip.AddrFromSlice(r.take(size)); gw.IsValid() && !gw.IsUnspecified() {
		route.Gateway = gw
	}
	route.VNI = r.vni()
}
