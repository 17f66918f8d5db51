package fabric

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// An IPv6 loopback is the pool with the number of the site, the role and the number of the device in its last three groups of 16 bits:
// 2001:db8::1:1:3 is leaf 3 of site 1. So sites may share a pool, and the block of each is a /96. Published in docs/numbering.md.
const (
	pool6Length = 88 // the longest: site numbers have 8 bits, and 32 are below them
	site6Length = 96
	last6       = 1<<16 - 1 // highest number of a device with a derived address
)

// block6 is where a site's IPv6 loopbacks lie in a pool.
func block6(pool netip.Prefix, site uint32) netip.Prefix {
	b := pool.Addr().As16()
	binary.BigEndian.PutUint32(b[8:], binary.BigEndian.Uint32(b[8:])|site)
	return netip.PrefixFrom(netip.AddrFrom16(b), site6Length)
}

// derivedLoopback6 returns the IPv6 loopback of a device in the block of its site. Roles are in the order that they have in the IPv4 pool.
func derivedLoopback6(block netip.Prefix, role Role, number uint32) (netip.Addr, bool) {
	b := block.Addr().As16()
	binary.BigEndian.PutUint32(b[12:], addressings[role].eighth<<16|number)
	return netip.AddrFrom16(b), number <= last6
}

// readPool6 reads the pool of IPv6 loopbacks, where a site has one.
func (d *draft) readPool6(s *site) {
	text, ref := s.in.GetUnderlay().GetLoopbacks6(), s.ref+"/underlay#loopbacks6"
	if text == "" {
		return
	}
	pool := d.prefix(ref, text)
	switch {
	case !pool.IsValid():
		return
	case !pool.Addr().Is6() || pool.Addr().Is4In6() || pool.Bits() > pool6Length:
		d.report.fail(ref, fmt.Sprintf("loopbacks6 %s: not an IPv6 prefix of at most %d bits", text, pool6Length), "")
		return
	case !s.unnumbered:
		// An IPv6 route needs an IPv6 next hop (RFC 2545 §3), and the sessions of numbered links are between IPv4 addresses.
		d.report.fail(ref, fmt.Sprintf("underlay of site %s: loopbacks6 with numbered links: these have IPv4 addresses alone, and IPv6 routes need a next hop of IPv6", s.in.GetName()),
			"use links: unnumbered, or take loopbacks6 out", note{s.ref + "/underlay#links", "numbered"})
	}
	s.block6 = block6(pool, s.in.GetNumber())
}

// numberLoopback6 gives a device its IPv6 loopback where its site has them: the explicit one, otherwise the derived one.
func (d *draft) numberLoopback6(n *node) {
	text := n.in.GetLoopback6()
	if !n.site.block6.IsValid() {
		if text != "" && n.site.in.GetUnderlay().GetLoopbacks6() == "" {
			d.report.fail(n.ref+"#loopback6", fmt.Sprintf("%s: loopback6 %s: the underlay of site %s carries no IPv6", n.name(), text, n.site.in.GetName()),
				"give the underlay loopbacks6, or take it out")
		}
		return
	}
	if text == "" {
		addr, ok := derivedLoopback6(n.site.block6, n.role, n.number())
		if !ok {
			d.report.fail(n.ref, fmt.Sprintf("%s: no IPv6 loopback: %d is the highest number with a derived one", n.name(), last6), "give loopback6")
		}
		n.loopback6 = addr
		return
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is6() || addr.Is4In6() || addr.Zone() != "" {
		d.report.fail(n.ref+"#loopback6", n.name()+": loopback6 "+text+": not an IPv6 address", "")
		return
	}
	n.loopback6 = addr
}

// announced6 returns the prefixes that hold every IPv6 loopback of a site: its block, and what lies outside of it.
func (s *site) announced6() []netip.Prefix {
	if !s.block6.IsValid() {
		return nil
	}
	all := []netip.Prefix{s.block6}
	for _, n := range slices.Concat(s.spines, s.leaves, s.gateways) {
		if n.loopback6.IsValid() && !s.block6.Contains(n.loopback6) {
			all = append(all, netip.PrefixFrom(n.loopback6, n.loopback6.BitLen()))
		}
	}
	return all
}

// checkLoopbacks6 reports IPv6 loopbacks that two devices have.
func (d *draft) checkLoopbacks6() {
	owners := make(map[netip.Addr]holder, len(d.nodes))
	for _, n := range d.nodes {
		if n.loopback6.IsValid() {
			own(d, owners, n.loopback6, holder{n.name(), n.ref}, "loopback6", "IPv6 loopback", "give one of them another loopback6")
		}
	}
}

// sameFamilies reports sites of which one has IPv6 loopbacks and the other has not, where the underlay goes on from one to the other:
// what one does not carry ends there, for sites behind it, too.
func (d *draft) sameFamilies(x *dci) {
	with, without := x.a, x.b
	if x.a.stitched() || with.block6.IsValid() == without.block6.IsValid() {
		return
	}
	if without.block6.IsValid() {
		with, without = without, with
	}
	d.report.fail(x.ref, fmt.Sprintf("%s: sites %s and %s: %s has IPv6 loopbacks and %s has none, and the underlay passes from one to the other", x.in.GetName(),
		x.a.in.GetName(), x.b.in.GetName(), with.in.GetName(), without.in.GetName()), "give both loopbacks6, or say it once in defaults",
		note{with.ref + "/underlay#loopbacks6", with.in.GetName()}, note{without.ref + "/underlay", without.in.GetName()})
}

// checkFamilies reports links between sites that have addresses, which are of IPv4, where the underlay carries IPv6 over them, too.
func (d *draft) checkFamilies() {
	for i := range d.wires {
		if w := &d.wires[i]; w.joins != nil && w.trunk == nil && w.lowAddr != 0 && w.low.site.block6.IsValid() && w.low.site.unnumbered {
			d.report.failLike("families "+w.joins.in.GetName(), w.ref(), fmt.Sprintf("%s: has IPv4 addresses alone, and site %s has IPv6 loopbacks, whose routes need a next hop of IPv6", w, w.low.site.in.GetName()),
				"take loopbacks6 out, or use a cable between gateways without a subnet", note{w.low.site.ref + "/underlay#loopbacks6", w.low.site.in.GetName()})
		}
	}
}

// carries6 tells whether gateways carry IPv6 among themselves: those of every site, that none is in the way.
func (w *wan) carries6() bool {
	return slices.ContainsFunc(w.sites, func(s *site) bool { return s.block6.IsValid() })
}

// Loopbacks are the addresses of the device's loopback as prefixes: IPv4, and IPv6 where it has one; none of what carries no packets.
func (d *Device) Loopbacks() []netip.Prefix {
	var list []netip.Prefix
	for _, addr := range []netip.Addr{d.Loopback, d.Loopback6} {
		if addr.IsValid() {
			list = append(list, netip.PrefixFrom(addr, addr.BitLen()))
		}
	}
	return list
}
