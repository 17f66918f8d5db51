package fabric

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/loomfabric/loom/models/intent"
)

// The allocation, published in docs/numbering.md. Changing a number here renumbers networks that are
// in service.
const (
	leafASNs    = 100   // leaf n of a site has AS asns+100+n, gateway n below 100 asns+n
	siteASNs    = 10000 // AS numbers that a site may use, from its first
	portsPerBox = 64    // /31 subnets that the number of a leaf or a gateway reserves

	segmentVNIs = 10000 // segment n has VNI 10000+n and EVI n
	tenantVNIs  = 20000 // tenant n has VNI 20000+n
	tenantEVIs  = 10000 // and EVI 10000+n
	lastVLAN    = 4094
)

// hostBits returns h where the pool has 2^h addresses.
func hostBits(pool netip.Prefix) int { return 32 - pool.Bits() }

// addressing is where the addresses of a role's devices lie.
type addressing struct {
	eighth     uint32 // of the pool, with its loopbacks
	management uint64 // number n is at management base + this + n
	last       uint32 // highest number with a derived management address; 0: as many as fit
}

var addressings = map[Role]addressing{
	Spine:       {eighth: 0, management: 10, last: 50},
	Leaf:        {eighth: 1, management: 64},
	Gateway:     {eighth: 2, management: 60, last: 4},
	Transponder: {management: 1, last: 9},
	LineSystem:  {management: 10}, // 11 and 12 at the ends, from 21 on at huts
}

// derivedLoopback returns the loopback of a device. Roles own an eighth of the pool each: spines the first,
// leaves the second, gateways the third; the address is the block's base plus the device's number.
func derivedLoopback(pool netip.Prefix, role Role, number uint32) (netip.Addr, bool) {
	eighth := uint64(1) << hostBits(pool) / 8
	if uint64(number) >= eighth {
		return netip.Addr{}, false
	}
	return ipv4(number4(pool.Addr()) + addressings[role].eighth*uint32(eighth) + number), true
}

// derivedSubnet returns the lower address of a link's /31: links own the upper half of the pool, each leaf 64
// subnets in it, one per front-panel port, and each gateway as many from its end. The leaf or gateway has the lower address.
func derivedSubnet(pool netip.Prefix, role Role, number, port uint32) (uint32, bool) {
	size := uint64(1) << hostBits(pool)
	block := (uint64(number) - 1) * portsPerBox
	if role == Gateway {
		block = size/4 - uint64(number)*portsPerBox
	}
	index := block + uint64(port)
	if number == 0 || uint64(number)*portsPerBox > size/4+portsPerBox-1 || index >= size/4 {
		return 0, false
	}
	return number4(pool.Addr()) + uint32(size/2+2*index), true
}

// poolLength returns the longest prefix length of a pool that has room for everything derived from it;
// negative where IPv4 has none.
func (s *site) poolLength() int {
	leaves, gateways := last(s.leaves), last(s.gateways)
	need := bits.Len32(max(last(s.spines), leaves, gateways)) + 3
	if low := uint64(leaves) + uint64(gateways); !s.unnumbered && low > 0 {
		need = max(need, bits.Len64(low*portsPerBox-1)+2)
	}
	return 32 - need
}

// last is the highest number of devices in their order; 0 without any.
func last(nodes []*node) uint32 {
	if len(nodes) == 0 {
		return 0
	}
	return nodes[len(nodes)-1].number()
}

// derivedASN returns the AS number of a device. Spines of a site share one, so that a path through two
// spines of a site is a loop and is dropped (RFC 7938 §5.2.1).
func derivedASN(base uint32, role Role, number uint32) (uint32, bool) {
	offset, end := uint64(0), uint64(siteASNs)
	switch role {
	case Leaf:
		offset = leafASNs + uint64(number)
	case Gateway:
		offset, end = uint64(number), leafASNs
	}
	asn := uint64(base) + offset
	return uint32(asn), offset < end && asn <= math.MaxUint32
}

// derivedManagement returns the management address of a device.
func derivedManagement(prefix netip.Prefix, role Role, number uint32) (netip.Addr, bool) {
	a := addressings[role]
	if a.last > 0 && number > a.last {
		return netip.Addr{}, false
	}
	addr, ok := plus(prefix.Addr(), a.management+uint64(number))
	return addr, ok && prefix.Contains(addr) && !isBroadcast(prefix, addr)
}

// plus returns the address n further on; false where the low bits overflow.
func plus(addr netip.Addr, n uint64) (netip.Addr, bool) {
	if addr.Is4() {
		sum := uint64(number4(addr)) + n
		return ipv4(uint32(sum)), sum <= math.MaxUint32
	}
	b := addr.As16()
	low := binary.BigEndian.Uint64(b[8:])
	binary.BigEndian.PutUint64(b[8:], low+n)
	return netip.AddrFrom16(b), low+n >= low
}

func isBroadcast(prefix netip.Prefix, addr netip.Addr) bool {
	if !addr.Is4() || prefix.Bits() > 30 {
		return false
	}
	last := uint32(1)<<hostBits(prefix) - 1
	return number4(addr)&last == last
}

func ipv4(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func number4(addr netip.Addr) uint32 {
	b := addr.As4()
	return binary.BigEndian.Uint32(b[:])
}

// number gives every device its addresses and AS number: the explicit ones, otherwise the derived ones.
func (d *draft) number() {
	for _, n := range d.nodes {
		if n.number() == 0 {
			d.report.fail(n.ref, n.name()+": number 0: numbers start at 1", "")
			continue
		}
		d.numberLoopback(n)
		d.numberLoopback6(n)
		d.numberAS(n)
		d.numberManagement(n)
	}
	for _, s := range d.stations {
		d.numberStation(s)
	}
	d.checkASNs()
	d.checkManagement()
	d.checkLoopbacks6()
}

func (d *draft) numberLoopback(n *node) {
	if text := n.in.GetLoopback(); text != "" {
		addr, err := netip.ParseAddr(text)
		if err != nil || !addr.Is4() {
			d.report.fail(n.ref+"#loopback", n.name()+": loopback "+text+": not an IPv4 address", "")
			return
		}
		n.loopback = addr
		return
	}
	if !n.site.pool.IsValid() {
		return // reported with the pool
	}
	addr, ok := derivedLoopback(n.site.pool, n.role, n.number())
	if !ok {
		d.poolExhausted(n, n.ref, "no loopback")
		return
	}
	n.loopback = addr
}

// poolExhausted reports that a pool has no room for what a device needs, and which pool would have.
func (d *draft) poolExhausted(n *node, ref Ref, what string) {
	s, fix := n.site, "give it explicitly"
	if length := s.poolLength(); length >= 0 {
		fix = fmt.Sprintf("use a pool of /%d, or give it explicitly", length)
	}
	d.report.failEach(ref, n.name()+": "+what, fmt.Sprintf("pool %s of site %s is exhausted", s.pool, s.in.GetName()), fix, note{s.ref + "#pool", "the pool"})
}

func (d *draft) numberAS(n *node) {
	if n.asn = n.in.GetAsn(); n.asn != 0 {
		return
	}
	base := n.site.in.GetAsns()
	asn, ok := derivedASN(base, n.role, n.number())
	if !ok {
		d.report.failEach(n.ref+"#asn", n.name(), fmt.Sprintf("no AS number: the block of site %s, %d+, has %d numbers and 4294967295 is the last", n.site.in.GetName(), base, siteASNs),
			fmt.Sprintf("use leaf numbers up to %d, gateway numbers up to %d and a lower block, or give asn", siteASNs-leafASNs-1, leafASNs-1))
		return
	}
	n.asn = asn
}

func (d *draft) numberManagement(n *node) {
	if text := n.in.GetManagement(); text != "" {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			d.report.fail(n.ref+"#management", n.name()+": management "+text+": not an address", "")
		}
		n.management = addr
		return
	}
	if !n.site.management.IsValid() {
		return
	}
	addr, ok := derivedManagement(n.site.management, n.role, n.number())
	if !ok {
		d.report.failEach(n.ref+"#management", n.name(), fmt.Sprintf("no management address: %s of site %s is exhausted", n.site.management, n.site.in.GetName()),
			"use a shorter prefix or give management", note{n.site.ref + "#management", "the prefix"})
		return
	}
	n.management = addr
}

// announced returns the prefixes that hold every loopback of a site: the lower half of the pool, and what
// lies outside of it.
func (s *site) announced() []netip.Prefix {
	if !s.pool.IsValid() {
		return nil
	}
	lower := netip.PrefixFrom(s.pool.Addr(), min(s.pool.Bits()+1, 32))
	all := []netip.Prefix{lower}
	for _, list := range [][]*node{s.spines, s.leaves, s.gateways} {
		for _, n := range list {
			if n.loopback.IsValid() && !lower.Contains(n.loopback) {
				all = append(all, netip.PrefixFrom(n.loopback, 32))
			}
		}
	}
	slices.SortFunc(all, netip.Prefix.Compare)
	return all
}

// checkASNs reports devices that share an AS number and must not: only the spines of one site may
// (RFC 7938 §5.2.1), and the overlay has its own.
func (d *draft) checkASNs() {
	owner := make(map[uint32]*node, len(d.nodes))
	for _, n := range d.nodes {
		if n.asn == 0 {
			continue
		}
		d.checkAS(holder{n.name(), n.ref}, "asn", n.asn)
		other := owner[n.asn]
		if other == nil {
			owner[n.asn] = n
			continue
		}
		if n.role != Spine || other.role != Spine || n.site != other.site {
			d.report.fail(n.ref+"#asn", fmt.Sprintf("%s: AS %d is also that of %s", n.name(), n.asn, other.name()),
				"give one of them another asn", note{other.ref + "#asn", "the other one"})
		}
	}
}

// checkAS reports an AS number that no router can have, where it is given.
func (d *draft) checkAS(mine holder, key string, asn uint32) {
	switch asn {
	case d.in.GetOverlayAs():
		d.report.failEach(mine.ref+Ref("#"+key), mine.name, fmt.Sprintf("AS %d is the overlay's", asn),
			"give another "+key+", or another overlay-as", note{"topology#overlay-as", "the overlay's"})
	case 23456, 65535, math.MaxUint32: // AS_TRANS (RFC 6793) and the last of each size (RFC 7300)
		d.report.failEach(mine.ref+Ref("#"+key), mine.name, fmt.Sprintf("AS %d is reserved", asn), "give another "+key)
	}
}

// holder is who has something that only one may have.
type holder struct {
	name string
	ref  Ref
}

func (d *draft) checkManagement() {
	owner := make(map[netip.Addr]holder, len(d.nodes)+len(d.stations))
	claim := func(addr netip.Addr, mine holder) {
		other, taken := owner[addr]
		switch {
		case !addr.IsValid():
		case taken:
			d.report.fail(mine.ref+"#management", fmt.Sprintf("%s: management address %s is also that of %s", mine.name, addr, other.name),
				"give one of them another", note{other.ref + "#management", "the other one"})
		default:
			owner[addr] = mine
		}
	}
	for _, n := range d.nodes {
		claim(n.management, holder{n.name(), n.ref})
	}
	for _, s := range d.stations {
		claim(s.management, holder{s.name, s.ref})
	}
}

// checkAddresses reports addresses of loopbacks and links that are used twice.
func (d *draft) checkAddresses() {
	owner := make(map[uint32]int32, len(d.nodes)) // a device, or ^ a wire
	claim := func(addr uint32, who int32) {
		other, taken := owner[addr]
		if !taken {
			owner[addr] = who
			return
		}
		thing, ref := d.addressee(who)
		otherThing, otherRef := d.addressee(other)
		d.report.fail(ref, fmt.Sprintf("%s: address %s is also that of %s", thing, ipv4(addr), otherThing), "give one of them another", note{otherRef, "the other one"})
	}
	for _, n := range d.nodes {
		if n.loopback.IsValid() {
			claim(number4(n.loopback), n.index)
		}
	}
	for i := range d.wires {
		if w := &d.wires[i]; w.lowAddr != 0 {
			claim(w.lowAddr, ^int32(i))
			claim(w.highAddr, ^int32(i))
		}
	}
}

func (d *draft) addressee(who int32) (string, Ref) {
	if who >= 0 {
		return d.nodes[who].name(), d.nodes[who].ref + "#loopback"
	}
	return d.wires[^who].String(), d.wires[^who].ref()
}

// derivedVLAN returns the VLAN id of a segment on tagged ports; 0 where it has none.
func derivedVLAN(in *intent.Segment) uint32 {
	switch {
	case in.GetVlan() != 0:
		return in.GetVlan()
	case in.GetNumber() <= lastVLAN:
		return in.GetNumber()
	}
	return 0
}

// explicit returns the number given, or the derived one.
func explicit(given, derived uint32) uint32 {
	if given != 0 {
		return given
	}
	return derived
}
