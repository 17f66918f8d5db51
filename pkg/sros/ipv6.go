package sros

import (
	"github.com/loomfabric/loom/models/sros"
)

// loopback6 is the IPv6 address of the interface "system".
func (r renderer) loopback6() {
	if !r.d.Loopback6.IsValid() {
		return
	}
	r.because(r.d.Ref, "ipv6 loopback")
	r.In(sros.ConfigureRouterInterfaceIpv6Address, r.d.Loopback6.String(), func() {
		r.Uint(sros.ConfigureRouterInterfaceIpv6AddressPrefixLength, 128)
	})
}

// group6 lets the sessions of the underlay carry IPv6 beside IPv4: they are between link-local addresses, so that its routes have next
// hops without more ado (RFC 2545 §2).
func (r renderer) group6() {
	if r.d.Loopback6.IsValid() {
		r.because(r.d.Underlay.Ref+"#loopbacks6", "ipv6 underlay")
		r.Bool(sros.ConfigureRouterBgpGroupFamilyIpv6, true)
		r.because(r.d.Underlay.Ref, "underlay")
	}
}

// isis6 lets IS-IS carry IPv6 in the topology of IPv4 (RFC 5308): every trunk has both, so that a second one (RFC 5120) would be the same.
func (r renderer) isis6() {
	if r.d.WAN.IPv6 {
		r.Str(sros.ConfigureRouterIsisIpv6Routing, "native")
	}
}

// trunk6 gives a trunk its link-local address, which is the next hop of what IS-IS finds (RFC 5308 §3).
func (r renderer) trunk6() {
	if r.d.WAN.IPv6 {
		r.Presence(sros.ConfigureRouterInterfaceIpv6)
	}
}
