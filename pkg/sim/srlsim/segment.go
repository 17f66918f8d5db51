package srlsim

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// The long names of what an ethernet segment has.
const (
	es          = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegment
	esAdmin     = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAdminState
	esESI       = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentEsi
	esMode      = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentMultiHomingMode
	esInterface = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentInterface
	dfType      = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentDfElectionAlgorithmType
	dfValue     = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentDfElectionAlgorithmPreferenceAlgPreferenceValue
	dfCircuits  = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentDfElectionAlgorithmPreferenceAlgCapabilitiesAcDf
	dfTimer     = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentDfElectionTimersActivationTimer
)

// ethernetSegments yields the instance and the entry of each configured ethernet segment.
func ethernetSegments(root config.Cursor) func(yield func(instance, segment config.Cursor) bool) {
	return func(yield func(_, _ config.Cursor) bool) {
		for instance := range entries(root, srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstance) {
			for segment := range entries(instance, es) {
				if !yield(instance, segment) {
					return
				}
			}
		}
	}
}

func (r *reader) segments() (out []network.EthernetSegment) {
	for _, s := range ethernetSegments(r.root) {
		out = append(out, r.segment(s))
	}
	return sortBy(out, func(s network.EthernetSegment) string { return s.Name })
}

func (r *reader) segment(c config.Cursor) network.EthernetSegment {
	s := network.EthernetSegment{
		Name:         key(c),
		Enabled:      enabled(c, esAdmin),
		ESI:          parseESI(text(c, esESI)),
		SingleActive: text(c, esMode) == "single-active",
		Activation:   time.Duration(number(r.root, srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsTimersActivationTimer)) * time.Second,
	}
	for i := range entries(c, esInterface) {
		s.Interfaces = append(s.Interfaces, key(i))
	}
	slices.Sort(s.Interfaces)
	if text(c, dfType) == "preference" {
		s.DF = network.DFElection{Preference: true, Value: uint32(number(c, dfValue)), AnyCircuit: text(c, dfCircuits) == "exclude"}
	}
	if has(c, dfTimer) {
		s.Activation = time.Duration(number(c, dfTimer)) * time.Second
	}
	return s
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

// The long names of what an ethernet segment shows.
const (
	esOper        = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentOperState
	esReason      = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentOperDownReason
	dfOperType    = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentDfElectionAlgorithmOperType
	dfOperValue   = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentDfElectionAlgorithmPreferenceAlgOperPreferenceValue
	esInstance    = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAssociationNetworkInstance
	esBGPInstance = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAssociationNetworkInstanceBgpInstance
	dfCandidate   = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAssociationNetworkInstanceBgpInstanceComputedDesignatedForwarderCandidatesDesignatedForwarderCandidate
	dfIs          = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAssociationNetworkInstanceBgpInstanceComputedDesignatedForwarderCandidatesDesignatedForwarderCandidateDesignatedForwarder
	dfAdded       = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAssociationNetworkInstanceBgpInstanceComputedDesignatedForwarderCandidatesDesignatedForwarderCandidateAddTime
)

// segments writes the ethernet segments.
func (w *writer) segments() {
	before := at(w.before, srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstance)
	for instance, s := range ethernetSegments(w.running) {
		i := slices.IndexFunc(w.state.Segments, func(st network.SegmentState) bool { return st.Name == key(s) })
		st := network.SegmentState{Oper: network.Oper{Reason: "associated-interface-oper-down"}}
		if i >= 0 {
			st = w.state.Segments[i]
		}
		was := at(before.Entry(key(instance)), es).Entry(key(s))
		w.In(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstance, key(instance), func() {
			w.In(es, key(s), func() { w.segment(st, was) })
		})
	}
}

func (w *writer) segment(st network.SegmentState, before config.Cursor) {
	w.Str(esOper, upDown(st.Up))
	w.because(esReason, st.Oper)
	if st.Algorithm != "" {
		w.Str(dfOperType, st.Algorithm)
	}
	if st.Algorithm == "preference" {
		w.Uint(dfOperValue, uint64(st.Preference))
	}
	for _, i := range st.Instances {
		was := at(at(before, esInstance).Entry(i.Instance), esBGPInstance).Entry("1")
		w.In(esInstance, i.Instance, func() {
			w.In(esBGPInstance, "1", func() {
				for _, c := range i.Candidates {
					w.In(dfCandidate, c.String(), func() {
						w.Bool(dfIs, c == i.Forwarder)
						w.Str(dfAdded, w.kept(at(was, dfCandidate).Entry(c.String()), dfAdded))
					})
				}
			})
		})
	}
}
