package srlinux

import (
	srl "github.com/loomfabric/loom/models/srlinux"
)

const afiIPv6 = "srl_nokia-common:ipv6-unicast"

// dual tells whether the underlay carries IPv6 beside IPv4: over the same sessions, which are between link-local addresses, so that its
// routes have next hops without more ado (RFC 2545 §2).
func (r renderer) dual() bool { return r.d.Loopback6.IsValid() }

// loopback6 is the IPv6 address of system0.
func (r renderer) loopback6() {
	if !r.dual() {
		return
	}
	r.because(r.d.Ref, "ipv6 loopback")
	r.enable(srl.InterfaceSubinterfaceIpv6AdminState)
	r.In(srl.InterfaceSubinterfaceIpv6Address, r.d.Loopback6.String()+"/128", bare)
}

// instance6 enables the family for all groups, as is done for IPv4.
func (r renderer) instance6() {
	if r.dual() {
		r.because(r.d.Underlay.Ref+"#loopbacks6", "ipv6 underlay")
		r.In(srl.NetworkInstanceProtocolsBgpAfiSafi, afiIPv6, r.multipath)
		r.because(r.d.Underlay.Ref, "underlay")
	}
}

// group6 enables or disables the family in a group.
func (r renderer) group6(state string) {
	if r.dual() {
		r.because(r.d.Underlay.Ref+"#loopbacks6", "ipv6 underlay")
		r.In(srl.NetworkInstanceProtocolsBgpGroupAfiSafi, afiIPv6, func() {
			r.Str(srl.NetworkInstanceProtocolsBgpGroupAfiSafiAdminState, state)
		})
	}
}
