package srlinux

import (
	"net/netip"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Names of the policies and prefix sets that Loom makes.
const (
	setLoopbacks  = "loom-loopbacks" // every loopback of the site
	setSelf       = "loom-self"      // the device's own loopback
	setAbroad     = "loom-abroad"    // every loopback of the sites that DCIs join this one with
	setPassage    = "loom-passage"   // the gateway's own loopback, and those of other sites
	policyImport  = "loom-underlay-import"
	policyExport  = "loom-underlay-export"
	policyInDCI   = "loom-dci-import"
	policyOutDCI  = "loom-dci-export"
	policyOverlay = "loom-overlay"
)

// policies let loopbacks through the underlay and nothing else. A leaf announces only its own, so
// that traffic between two spines never takes a leaf as a valley; a spine passes on all of them. A gateway is
// no valley either: its spines hear of itself and of other sites, and no site hears of itself from outside. To other sites it
// announces its own, and passes on those behind it.
func (r renderer) policies() {
	r.because(r.d.Underlay.Ref, "underlay policy")
	r.prefixSet(setLoopbacks, r.d.Underlay.Advertise)
	exported := setLoopbacks
	switch {
	case r.d.Role == fabric.Leaf:
		exported = setSelf
		r.prefixSet(setSelf, r.d.Loopbacks())
	case r.d.Role == fabric.Gateway:
		exported = setPassage
		r.prefixSet(setPassage, append(r.d.Loopbacks(), r.d.Underlay.Abroad...))
	}
	r.acceptOnly(policyImport, setLoopbacks)
	r.acceptOnly(policyExport, exported)
	if r.joinsSites() {
		r.because(r.d.Underlay.Ref, "underlay policy towards other sites")
		r.prefixSet(setAbroad, r.d.Underlay.Abroad)
		r.acceptOnly(policyInDCI, setAbroad)
		r.acceptOnly(policyOutDCI, setLoopbacks)
	}
	if !r.d.Overlay.IBGP && len(r.d.Overlay.Neighbors) > 0 {
		// Route targets decide what is imported; without a policy an eBGP session passes nothing (RFC 8212).
		r.because(r.d.Overlay.Ref, "overlay policy")
		r.In(srl.RoutingPolicyPolicy, policyOverlay, func() {
			r.Str(srl.RoutingPolicyPolicyDefaultActionPolicyResult, "accept")
		})
	}
}

// prefixSet matches the host routes inside the given blocks.
func (r renderer) prefixSet(name string, blocks []netip.Prefix) {
	r.In(srl.RoutingPolicyPrefixSet, name, func() {
		for _, b := range blocks {
			r.In2(srl.RoutingPolicyPrefixSetPrefix, b.String(), hostRoutes(b), bare)
		}
	})
}

// hostRoutes is the mask-length-range of host routes; a host's own block is "exact".
func hostRoutes(b netip.Prefix) string {
	if b.IsSingleIP() {
		return "exact"
	}
	bits := index(uint32(b.Addr().BitLen()))
	return bits + ".." + bits
}

// acceptOnly is a policy that accepts what a prefix set matches and rejects the rest.
func (r renderer) acceptOnly(name, set string) {
	r.In(srl.RoutingPolicyPolicy, name, func() {
		r.Str(srl.RoutingPolicyPolicyDefaultActionPolicyResult, "reject")
		r.In(srl.RoutingPolicyPolicyStatement, "10", func() {
			if r.Has(srl.RoutingPolicyPolicyStatementMatchPrefixPrefixSet) { // 25.3 on
				r.Str(srl.RoutingPolicyPolicyStatementMatchPrefixPrefixSet, set)
			} else {
				r.Str(srl.RoutingPolicyPolicyStatementMatchPrefixSet, set)
			}
			r.Str(srl.RoutingPolicyPolicyStatementActionPolicyResult, "accept")
		})
	})
}
