package sros

import (
	"net/netip"
	"slices"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Names of the policies and prefix lists that Loom makes.
const (
	listLoopbacks = "loom-loopbacks" // every loopback of the site, and of those that DCIs join it with
	listAbroad    = "loom-abroad"    // of the latter
	listPassage   = "loom-passage"   // the gateway's own loopback, and those of other sites
	policyImport  = "loom-underlay-import"
	policyExport  = "loom-underlay-export"
	policyInDCI   = "loom-dci-import"
	policyOutDCI  = "loom-dci-export"
	policyOverlay = "loom-overlay"
)

// policies let loopbacks through the underlay and nothing else. Spines hear from a gateway of itself, and of the sites that it
// routes to; no site hears of itself from outside. What IS-IS brings is for the gateway itself, and goes into no BGP.
func (r renderer) policies() {
	r.because(r.d.Underlay.Ref, "underlay policy")
	own := []string{"direct", "bgp"}
	r.prefixes(listLoopbacks, r.d.Underlay.Advertise)
	r.prefixes(listPassage, append(r.d.Loopbacks(), r.d.Underlay.Abroad...))
	r.acceptOnly(policyImport, listLoopbacks, nil)
	r.acceptOnly(policyExport, listPassage, own)
	if r.routesSites() {
		r.because(r.d.Underlay.Ref, "underlay policy towards other sites")
		r.prefixes(listAbroad, r.d.Underlay.Abroad)
		r.acceptOnly(policyInDCI, listAbroad, nil)
		r.acceptOnly(policyOutDCI, listLoopbacks, own)
	}
	if !r.d.Overlay.IBGP && len(r.d.Overlay.Neighbors) > 0 && !r.stitches() {
		// Route targets decide what is imported; without a policy an eBGP session passes nothing (RFC 8212).
		r.because(r.d.Overlay.Ref, "overlay policy")
		r.In(sros.ConfigurePolicyOptionsPolicyStatement, policyOverlay, func() {
			r.Str(sros.ConfigurePolicyOptionsPolicyStatementDefaultActionActionType, "accept")
		})
	}
}

// routesSites tells whether the underlay goes on to other sites.
func (r renderer) routesSites() bool {
	return slices.ContainsFunc(r.d.Links, func(l fabric.Link) bool { return underlay(&l) && groupOf(&l) == groupDCI })
}

// prefixes match the host routes inside the given blocks.
func (r renderer) prefixes(name string, blocks []netip.Prefix) {
	r.In(sros.ConfigurePolicyOptionsPrefixList, name, func() {
		for _, b := range blocks {
			if b.IsSingleIP() {
				r.In2(sros.ConfigurePolicyOptionsPrefixListPrefix, b.String(), "exact", bare)
				continue
			}
			r.In2(sros.ConfigurePolicyOptionsPrefixListPrefix, b.String(), "range", func() {
				r.Uint(sros.ConfigurePolicyOptionsPrefixListPrefixStartLength, uint64(b.Addr().BitLen()))
				r.Uint(sros.ConfigurePolicyOptionsPrefixListPrefixEndLength, uint64(b.Addr().BitLen()))
			})
		}
	})
}

// acceptOnly is a policy that accepts what a prefix list matches, of some protocols if it says so, and rejects the rest.
func (r renderer) acceptOnly(name, list string, protocols []string) {
	r.In(sros.ConfigurePolicyOptionsPolicyStatement, name, func() {
		r.Str(sros.ConfigurePolicyOptionsPolicyStatementDefaultActionActionType, "reject")
		r.In(sros.ConfigurePolicyOptionsPolicyStatementEntry, "10", func() {
			r.Add(sros.ConfigurePolicyOptionsPolicyStatementEntryFromPrefixList, list)
			for _, p := range protocols {
				r.Add(sros.ConfigurePolicyOptionsPolicyStatementEntryFromProtocolName, p)
			}
			r.Str(sros.ConfigurePolicyOptionsPolicyStatementEntryActionActionType, "accept")
		})
	})
}
