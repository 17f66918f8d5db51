package srossim

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Short forms of long names.
const (
	es         = sros.ConfigureServiceSystemBgpEvpnEthernetSegment
	esVXLAN    = sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlan
	esServices = sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlanVirtualRangesServiceId
	esEnd      = sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAssociationNetworkInterconnectVxlanVirtualRangesServiceIdEnd
	dfMode     = sros.ConfigureServiceSystemBgpEvpnEthernetSegmentDfElectionServiceCarvingMode
	dfValue    = sros.ConfigureServiceSystemBgpEvpnEthernetSegmentDfElectionManualPreferenceValue
	dfTimer    = sros.ConfigureServiceSystemBgpEvpnEthernetSegmentDfElectionEsActivationTimer
)

// segments are the ethernet segments of the router: the profile has virtual ones that stand for a VXLAN network.
func (r *reader) segments() (out []network.EthernetSegment) {
	for c := range entries(r.root, es) {
		out = append(out, r.segment(c))
	}
	return sortBy(out, func(s network.EthernetSegment) string { return s.Name })
}

func (r *reader) segment(c config.Cursor) network.EthernetSegment {
	mode := text(c, sros.ConfigureServiceSystemBgpEvpnEthernetSegmentMultiHomingMode)
	s := network.EthernetSegment{
		Name:         key(c),
		Enabled:      enabled(c, sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAdminState) && mode != "none",
		ESI:          parseESI(text(c, sros.ConfigureServiceSystemBgpEvpnEthernetSegmentEsi)),
		SingleActive: strings.HasPrefix(mode, "single-active"),
		Activation:   time.Duration(number(c, dfTimer)) * time.Second,
	}
	anyCircuit := text(c, sros.ConfigureServiceSystemBgpEvpnEthernetSegmentAcDfCapability) == "exclude"
	s.DF = network.DFElection{AnyCircuit: anyCircuit}
	if text(c, dfMode) == "manual" {
		s.DF.Preference, s.DF.Value = true, uint32(number(c, dfValue))
	}
	for vpls := range entries(r.root, sros.ConfigureServiceVpls) {
		if r.stands(c, vpls) {
			s.Instances = append(s.Instances, key(vpls))
		}
	}
	slices.Sort(s.Instances)
	return s
}

// stands tells whether a segment stands for the VXLAN network of a VPLS: its number is in a range.
func (r *reader) stands(segment, vpls config.Cursor) bool {
	id := number(vpls, sros.ConfigureServiceVplsServiceId)
	for v := range entries(segment, esVXLAN) {
		if !at(vpls, sros.ConfigureServiceVplsVxlanInstance).Entry(key(v)).Valid() {
			continue
		}
		for within := range entries(v, esServices) {
			if id >= parseNumber(key(within)) && id <= number(within, esEnd) {
				return true
			}
		}
	}
	return false
}

// parseESI returns an ESI in colon notation, the zero ESI for anything else.
func parseESI(s string) (e network.ESI) {
	if b, err := hex.DecodeString(strings.ReplaceAll(s, ":", "")); err == nil && len(b) == len(e) {
		copy(e[:], b)
	}
	return e
}

// esiText writes an ESI in colon notation.
func esiText(e network.ESI) string {
	digits := hex.EncodeToString(e[:])
	parts := make([]string, len(e))
	for i := range e {
		parts[i] = digits[2*i : 2*i+2]
	}
	return strings.Join(parts, ":")
}

// segments writes /state/service/system/bgp/evpn/ethernet-segment.
func (w *writer) segments() {
	for i := range w.router.Segments {
		s := &w.router.Segments[i]
		st := network.SegmentState{}
		if at := slices.IndexFunc(w.state.Segments, func(st network.SegmentState) bool { return st.Name == s.Name }); at >= 0 {
			st = w.state.Segments[at]
		}
		w.In(sros.StateServiceSystemBgpEvpnEthernetSegment, s.Name, func() { w.segment(s, st) })
	}
}

func (w *writer) segment(s *network.EthernetSegment, st network.SegmentState) {
	up := st.Up && s.Enabled
	mode := "none"
	switch {
	case up && s.SingleActive:
		mode = "single-active"
	case up:
		mode = "all-active"
	}
	w.Str(sros.StateServiceSystemBgpEvpnEthernetSegmentOperState, upDown(up))
	w.Str(sros.StateServiceSystemBgpEvpnEthernetSegmentMultiHomingOperState, mode)
	if s.ESI != (network.ESI{}) {
		w.Str(sros.StateServiceSystemBgpEvpnEthernetSegmentOperEsi, esiText(s.ESI))
	}
	for _, in := range st.Instances {
		at := slices.IndexFunc(w.router.Instances, func(i network.Instance) bool { return i.Name == in.Instance })
		if at < 0 || w.router.Instances[at].EVPN == nil || w.router.Instances[at].EVPN.EVI == 0 {
			continue
		}
		w.In(sros.StateServiceSystemBgpEvpnEthernetSegmentEvi, decimal(w.router.Instances[at].EVPN.EVI), func() {
			w.Bool(sros.StateServiceSystemBgpEvpnEthernetSegmentEviDf, in.DF)
			w.Str(sros.StateServiceSystemBgpEvpnEthernetSegmentEviServiceName, in.Instance)
			for _, c := range in.Candidates {
				w.In(sros.StateServiceSystemBgpEvpnEthernetSegmentEviDfCandidatesIpAddress, c.String(), func() {})
			}
		})
	}
}
