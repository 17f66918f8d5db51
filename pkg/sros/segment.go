package sros

import (
	"slices"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
)

const (
	interconnect = sros.ConfigureServiceSystemBgpEvpnEthernetSegment
	ranges       = sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlanVirtualRangesServiceId
)

// How the gateways of a site elect who forwards what is flooded: by preference (RFC 9785 §4.1). Taking turns by number would spread
// it over them, and leave a drained gateway its share.
const (
	byPreference = "manual"
	preferred    = "32767" // of all, so that the lowest address has it
	yielding     = "0"     // of one that is drained
)

// siteSegment makes the fabric of the site a segment that its gateways share (RFC 9014 §4.6.1.3): other sites reach it by any of
// them, and one of them takes what is flooded.
func (r renderer) siteSegment() {
	s := r.d.WAN.Segment
	if s == nil {
		return
	}
	r.because(s.Ref, "interconnect segment")
	r.In(interconnect, s.Name, func() {
		r.Str(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentType, "virtual")
		r.enable(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAdminState)
		r.Str(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentEsi, s.ESI)
		r.Str(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentMultiHomingMode, "all-active")
		// Gateways of a site stitch the same, so who is on the segment is on it for every service: auto-discovery routes need not
		// say so (RFC 8584 §4.1), and those of the WAN need not get to the fabric.
		r.Str(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAcDfCapability, "exclude")
		r.Str(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentDfElectionServiceCarvingMode, byPreference)
		r.Presence(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentDfElectionManualPreference)
		r.Str(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentDfElectionManualPreferenceValue, preferred)
		r.In(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlan, towardsFabric, func() {
			for _, x := range r.onSegment() {
				r.In(ranges, decimal(x.first), func() {
					r.Uint(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlanVirtualRangesServiceIdEnd, uint64(x.last))
				})
			}
		})
	})
}

// span is the services from one id to another.
type span struct{ first, last uint32 }

// mostRanges is how many ranges of services a segment may have (max-elements in the models).
const mostRanges = 8

// onSegment are the ranges that hold the bridges of the gateway. They hold nothing else as far as there may be so many ranges; if
// not, the narrowest gaps between them are taken in, but for those where another service of the gateway is.
func (r renderer) onSegment() []span {
	var ids, others []uint32
	for i := range r.d.WAN.Bridges {
		ids = append(ids, r.d.WAN.Bridges[i].ID)
	}
	for i := range r.d.WAN.Routers {
		others = append(others, r.d.WAN.Routers[i].Inner, r.d.WAN.Routers[i].ID)
	}
	slices.Sort(ids)
	var out []span
	for _, id := range ids {
		if n := len(out); n > 0 && out[n-1].last+1 == id {
			out[n-1].last = id
		} else {
			out = append(out, span{id, id})
		}
	}
	for len(out) > mostRanges {
		i := narrowest(out, others)
		if i < 0 {
			break
		}
		out = slices.Replace(out, i, i+2, span{out[i].first, out[i+1].last})
	}
	return out
}

// narrowest is the range with the narrowest gap behind it in which no other service is; -1: there is one in every gap.
func narrowest(all []span, others []uint32) int {
	best := -1
	for i := range len(all) - 1 {
		gap := span{all[i].last, all[i+1].first}
		inside := func(id uint32) bool { return gap.first < id && id < gap.last }
		if slices.ContainsFunc(others, inside) {
			continue
		}
		if best < 0 || gap.last-gap.first < all[best+1].first-all[best].last {
			best = i
		}
	}
	return best
}

// shares tells whether a gateway is one of several that stitch the same: it has an interconnect segment, in use.
func shares(t *config.Tree) bool {
	for _, s := range (observation{t.Root()}).entries(interconnect) {
		if s.on(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAdminState) && s.has(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlan) {
			return true
		}
	}
	return false
}

// preferences are those of the segments that elect by preference.
func preferences(t *config.Tree) (out []config.Cursor) {
	for _, s := range (observation{t.Root()}).entries(interconnect) {
		mode := s.text(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentDfElectionServiceCarvingMode)
		if mode == byPreference && s.has(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentDfElectionManualPreference) {
			out = append(out, s.at(sros.ConfigureServiceSystemBgpEvpnEthernetSegmentDfElectionManualPreference).Cursor)
		}
	}
	return out
}

// segments lets another gateway forward what is flooded.
func (e *drain) segments() {
	for _, p := range preferences(e.tree) {
		e.leaf(p.Path().Child("value"), yielding)
	}
}

// segments gives segments the preference that they are to have.
func (e *undrain) segments() {
	for _, p := range preferences(e.tree) {
		at := p.Path().Child("value")
		want := preferred
		if c := e.intended.Find(at); c.Valid() {
			want = c.Value()
		}
		if c := e.tree.Find(at); c.Valid() && c.Value() == yielding {
			e.leaf(at, want)
		}
	}
}
