package sros

import (
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Names of what keeps the two sides of a gateway apart.
const (
	targetsWAN      = "loom-wan-targets"
	communityOrigin = "loom-site-origin"
	policyFabric    = "loom-fabric-export"
	policyHeard     = "loom-fabric-import"
	policyWAN       = "loom-wan-export"
)

// sides keep routes of the WAN from the fabric and those of the fabric from the WAN: each service announces both, and BGP would
// tell everybody all of it. They are told apart by the route targets of the WAN. Encapsulations do not tell them apart where
// there is VXLAN on both sides.
//
// What has no target of the WAN goes to the fabric: the routes of ethernet segments as well, by which the gateways of a pair find
// each other (RFC 7432 §7.4), as they do not on the WAN's side.
func (r renderer) sides() {
	if len(r.d.WAN.Neighbors) > 0 {
		r.because(r.d.WAN.Ref, "routes for the wan")
		r.In(sros.ConfigurePolicyOptionsPolicyStatement, policyWAN, func() {
			r.Str(sros.ConfigurePolicyOptionsPolicyStatementDefaultActionActionType, "reject")
			if r.stitches() {
				r.entry("10", "accept", r.ofWAN)
			}
		})
	}
	if !r.stitches() {
		return
	}
	r.because(r.d.WAN.Ref, "routes for the fabric")
	r.In(sros.ConfigurePolicyOptionsPolicyStatement, policyFabric, func() {
		r.Str(sros.ConfigurePolicyOptionsPolicyStatementDefaultActionActionType, "accept")
		r.Add(sros.ConfigurePolicyOptionsPolicyStatementDefaultActionCommunityAdd, communityOrigin)
		r.entry("10", "reject", r.ofWAN)
	})
	r.heard()
	r.In(sros.ConfigurePolicyOptionsExtendedCommunitySet, targetsWAN, func() {
		for _, target := range r.wanTargets() {
			r.because(target.ref, "routes for the wan")
			r.In(sros.ConfigurePolicyOptionsExtendedCommunitySetMember, target.value, bare)
		}
	})
}

// heard keeps a gateway from taking hosts of other sites from the fabric, where another gateway of its site, or one that comes to it,
// has brought them: it would tell the WAN of them as if they were here, and other sites take the announcement of the lowest
// address. The identifier of the site's segment says the same of a MAC address (RFC 9014 §4.6.1.3), but only while both gateways
// have the segment: the one that was alone so far has none until its own change. So the mark is there from the first gateway on.
// Prefixes have D-PATH for it; routes of segments and instances are what gateways find each other by.
//
// Towards the WAN nothing like it is needed: gateways of a site have no session there, and what one hears by iBGP it does
// not pass on.
func (r renderer) heard() {
	r.because(r.d.WAN.Ref, "what gateways of the site have brought")
	r.In(sros.ConfigurePolicyOptionsCommunity, communityOrigin, func() {
		r.In(sros.ConfigurePolicyOptionsCommunityMember, r.d.WAN.Origin, bare)
	})
	r.In(sros.ConfigurePolicyOptionsPolicyStatement, policyHeard, func() {
		r.Str(sros.ConfigurePolicyOptionsPolicyStatementDefaultActionActionType, "accept")
		r.entry("10", "reject", func() {
			r.Str(sros.ConfigurePolicyOptionsPolicyStatementEntryFromEvpnType, "mac-ip-advertisement")
			r.Str(sros.ConfigurePolicyOptionsPolicyStatementEntryFromCommunityName, communityOrigin)
		})
	})
}

// entry is one entry of a policy: what it decides, and about what.
func (r renderer) entry(id, action string, about func()) {
	r.In(sros.ConfigurePolicyOptionsPolicyStatementEntry, id, func() {
		about()
		r.Str(sros.ConfigurePolicyOptionsPolicyStatementEntryActionActionType, action)
	})
}

// target is a route target, and what has it.
type target struct {
	value string
	ref   fabric.Ref
}

// wanTargets are the route targets of all that the gateway stitches.
func (r renderer) wanTargets() (out []target) {
	for i := range r.d.WAN.Bridges {
		out = append(out, target{r.d.WAN.Bridges[i].WAN.RT, r.d.WAN.Bridges[i].Ref})
	}
	for i := range r.d.WAN.Routers {
		out = append(out, target{r.d.WAN.Routers[i].WAN.RT, r.d.WAN.Routers[i].Ref})
	}
	return out
}

// ofWAN is a route with any target of the WAN.
func (r renderer) ofWAN() {
	r.Str(sros.ConfigurePolicyOptionsPolicyStatementEntryFromExtendedCommunitySet, targetsWAN)
	r.Str(sros.ConfigurePolicyOptionsPolicyStatementEntryFromExtendedCommunitySetOptions, "any")
}
