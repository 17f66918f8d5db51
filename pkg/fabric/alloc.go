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
	leafASNs    = 100   // leaf n of a site has AS asns+100+n
	siteASNs    = 10000 // AS numbers that a site may use, from its first
	portsPerBox = 64    // /31 subnets that a leaf number reserves

	spineManagement = 10 // spine n is at management base + 10 + n
	leafManagement  = 64 // leaf n is at management base + 64 + n
	lastSpine       = 50 // highest spine number with a derived management address

	segmentVNIs = 10000 // segment n has VNI 10000+n and EVI n
	tenantVNIs  = 20000 // tenant n has VNI 20000+n
	tenantEVIs  = 10000 // and EVI 10000+n
	lastVLAN    = 4094
)

// hostBits returns h where the pool has 2^h addresses.
func hostBits(pool netip.Prefix) int { return 32 - pool.Bits() }

// derivedLoopback returns the loopback of a device. Roles own an eighth of the pool each: spines the first,
// leaves the second; the address is the block's base plus the device's number.
func derivedLoopback(pool netip.Prefix, role Role, number uint32) (netip.Addr, bool) {
	eighth := uint64(1) << hostBits(pool) / 8
	if uint64(number) >= eighth {
		return netip.Addr{}, false
	}
	block := uint32(0)
	if role == Leaf {
		block = uint32(eighth)
	}
	return ipv4(number4(pool.Addr()) + block + number), true
}

// derivedSubnet returns the lower address of a link's /31: links own the upper half of the pool, each leaf 64
// subnets in it, one per front-panel port. The leaf has the lower address.
func derivedSubnet(pool netip.Prefix, leaf, port uint32) (uint32, bool) {
	size := uint64(1) << hostBits(pool)
	index := (uint64(leaf)-1)*portsPerBox + uint64(port)
	if leaf == 0 || index >= size/4 {
		return 0, false
	}
	return number4(pool.Addr()) + uint32(size/2+2*index), true
}

// poolLength returns the longest prefix length of a pool that has room for everything derived from it;
// negative where IPv4 has none.
func (s *site) poolLength() int {
	highest, leaves := uint32(0), uint32(0)
	if len(s.spines) > 0 {
		highest = s.spines[len(s.spines)-1].number()
	}
	if len(s.leaves) > 0 {
		leaves = s.leaves[len(s.leaves)-1].number()
	}
	need := bits.Len32(max(highest, leaves)) + 3
	if !s.unnumbered && leaves > 0 {
		need = max(need, bits.Len64(uint64(leaves)*portsPerBox-1)+2)
	}
	return 32 - need
}

// derivedASN returns the AS number of a device. Spines of a site share one, so that a path through two
// spines of a site is a loop and is dropped (RFC 7938 §5.2.1).
func derivedASN(base uint32, role Role, number uint32) (uint32, bool) {
	offset := uint64(0)
	if role == Leaf {
		offset = leafASNs + uint64(number)
	}
	asn := uint64(base) + offset
	return uint32(asn), offset < siteASNs && asn <= math.MaxUint32
}

// derivedManagement returns the management address of a device.
func derivedManagement(prefix netip.Prefix, role Role, number uint32) (netip.Addr, bool) {
	offset := spineManagement + uint64(number)
	if role == Leaf {
		offset = leafManagement + uint64(number)
	} else if number > lastSpine {
		return netip.Addr{}, false
	}
	addr, ok := plus(prefix.Addr(), offset)
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
		d.numberAS(n)
		d.numberManagement(n)
	}
	d.checkASNs()
	d.checkManagement()
	for _, s := range d.sites {
		s.advertise = s.announced()
	}
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
			fmt.Sprintf("use leaf numbers up to %d and a lower block, or give asn", siteASNs-leafASNs-1))
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
	for _, list := range [][]*node{s.spines, s.leaves} {
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
		d.checkASN(n)
		other := owner[n.asn]
		if other == nil {
			owner[n.asn] = n
			continue
		}
		if n.role == Leaf || other.role == Leaf || n.site != other.site {
			d.report.fail(n.ref+"#asn", fmt.Sprintf("%s: AS %d is also that of %s", n.name(), n.asn, other.name()),
				"give one of them another asn", note{other.ref + "#asn", "the other one"})
		}
	}
}

func (d *draft) checkASN(n *node) {
	switch n.asn {
	case d.in.GetOverlayAs():
		d.report.failEach(n.ref+"#asn", n.name(), fmt.Sprintf("AS %d is the overlay's", n.asn),
			"give another asn, or another overlay-as", note{"topology#overlay-as", "the overlay's"})
	case 23456, 65535, math.MaxUint32: // AS_TRANS (RFC 6793) and the last of each size (RFC 7300)
		d.report.failEach(n.ref+"#asn", n.name(), fmt.Sprintf("AS %d is reserved", n.asn), "give another asn")
	}
}

func (d *draft) checkManagement() {
	owner := make(map[netip.Addr]*node, len(d.nodes))
	for _, n := range d.nodes {
		if !n.management.IsValid() {
			continue
		}
		if other := owner[n.management]; other != nil {
			d.report.fail(n.ref+"#management", fmt.Sprintf("%s: management address %s is also that of %s", n.name(), n.management, other.name()),
				"give one of them another", note{other.ref + "#management", "the other one"})
			continue
		}
		owner[n.management] = n
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
		if w := &d.wires[i]; w.leafAddr != 0 {
			claim(w.leafAddr, ^int32(i))
			claim(w.spineAddr, ^int32(i))
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
