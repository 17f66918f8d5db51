package srossim

import (
	"fmt"
	"slices"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// words are the states of the BGP state machine as the router writes them.
var words = map[network.SessionState]string{
	network.Idle: "Idle", network.Connect: "Connect", network.Active: "Active", network.OpenSent: "OpenSent",
	network.OpenConfirm: "OpenConfirm", network.Established: "Established",
}

// negotiated are the names of families in /state/router/bgp/neighbor/statistics/negotiated-family.
var negotiated = map[network.Family]string{network.IPv4: "IPv4", network.IPv6: "IPv6", network.L2EVPN: "EVPN"}

// prefixIDs are the counters of a family.
type prefixIDs struct{ received, active, rejected, sent config.ID }

var prefixes = map[network.Family]prefixIDs{
	network.IPv4: {sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv4Received, sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv4Active,
		sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv4Rejected, sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv4Sent},
	network.IPv6: {sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv6Received, sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv6Active,
		sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv6Rejected, sros.StateRouterBgpNeighborStatisticsFamilyPrefixIpv6Sent},
	network.L2EVPN: {sros.StateRouterBgpNeighborStatisticsFamilyPrefixEvpnReceived, sros.StateRouterBgpNeighborStatisticsFamilyPrefixEvpnActive,
		sros.StateRouterBgpNeighborStatisticsFamilyPrefixEvpnRejected, sros.StateRouterBgpNeighborStatisticsFamilyPrefixEvpnSent},
}

// bgp writes /state/router/bgp: a neighbor for each session, found ones too.
func (w *writer) bgp() {
	b := w.base().BGP
	if b == nil {
		return
	}
	before := at(at(w.before, sros.StateRouter).Entry(base), sros.StateRouterBgpNeighbor)
	w.inBase(func() {
		w.Str(sros.StateRouterBgpStatisticsOperationalState, upDown(b.Enabled))
		for i := range w.state.Sessions {
			s := &w.state.Sessions[i]
			if s.Instance != base || !configures(b, s.Neighbor) {
				continue
			}
			var counts map[network.Family]network.Counts
			if i < len(w.state.Counts) {
				counts = w.state.Counts[i]
			}
			peer := s.Peer.String()
			w.In(sros.StateRouterBgpNeighbor, peer, func() { w.session(s, counts, before.Entry(peer)) })
		}
	})
}

// configures tells whether a configuration still has a neighbor that the network knows: what was taken away since has no session.
func configures(b *network.BGP, known *network.Neighbor) bool {
	if known.Dynamic {
		return slices.ContainsFunc(b.Dynamic, func(d network.Dynamic) bool { return d.Interface == known.Interface && d.Template.Group == known.Group })
	}
	return slices.ContainsFunc(b.Neighbors, func(o network.Neighbor) bool { return o.Peer == known.Peer })
}

// session writes one neighbor.
func (w *writer) session(s *network.Session, counts map[network.Family]network.Counts, before config.Cursor) {
	word := words[s.State]
	if !s.Enabled {
		word = "Disabled"
	}
	w.Str(sros.StateRouterBgpNeighborStatisticsSessionState, word)
	w.Str(sros.StateRouterBgpNeighborStatisticsLastState, lastState(word, before))
	w.Str(sros.StateRouterBgpNeighborStatisticsLastEvent, lastEvent(s))
	w.Bool(sros.StateRouterBgpNeighborStatisticsDynamicallyConfigured, s.Dynamic)
	if as := peerOf(s); as != 0 {
		w.Uint(sros.StateRouterBgpNeighborStatisticsPeerAs, uint64(as))
	}
	if e := lastError(s); e != "" {
		w.Str(sros.StateRouterBgpNeighborStatisticsLastError, e)
	}
	if s.LocalAddress.IsValid() {
		w.Str(sros.StateRouterBgpNeighborStatisticsOperationalLocalAddress, s.LocalAddress.String())
		w.Str(sros.StateRouterBgpNeighborStatisticsOperationalRemoteAddress, s.Peer.String())
	}
	w.established(s, before)
	for _, f := range families {
		if !slices.Contains(s.Families, f.family) {
			continue
		}
		if s.State == network.Established && slices.Contains(s.Exchanged, f.family) {
			w.Add(sros.StateRouterBgpNeighborStatisticsNegotiatedFamily, negotiated[f.family])
		}
		c, id := counts[f.family], prefixes[f.family]
		w.Uint(id.received, uint64(c.Received))
		w.Uint(id.active, uint64(c.Active))
		w.Uint(id.rejected, uint64(c.Rejected))
		w.Uint(id.sent, uint64(c.Sent))
	}
}

// peerOf is the AS number of the peer: the one that a session has, or the only one that it can have; 0: not known.
func peerOf(s *network.Session) uint32 {
	switch {
	case s.RemoteAS != 0:
		return s.RemoteAS
	case s.PeerAS == 0 && len(s.AllowedAS) == 1 && s.AllowedAS[0].Low == s.AllowedAS[0].High:
		return s.AllowedAS[0].Low
	}
	return s.PeerAS
}

// lastState is the state before this one.
func lastState(now string, before config.Cursor) string {
	switch was := text(before, sros.StateRouterBgpNeighborStatisticsSessionState); was {
	case "":
		return words[network.Idle]
	case now:
		return text(before, sros.StateRouterBgpNeighborStatisticsLastState)
	default:
		return was
	}
}

func lastEvent(s *network.Session) string {
	switch {
	case !s.Enabled:
		return "stop"
	case s.State == network.Established:
		return "recvKeepAlive"
	case s.Code != 0 && s.Sent:
		return "error"
	case s.Code != 0:
		return "recvNotify"
	case !s.Path:
		return "openFail"
	}
	return "connRetry"
}

// established writes since when, how often, and with whom.
func (w *writer) established(s *network.Session, before config.Cursor) {
	up := s.State == network.Established
	was := text(before, sros.StateRouterBgpNeighborStatisticsSessionState) == words[network.Established]
	w.Uint(sros.StateRouterBgpNeighborStatisticsEstablishedTransitions,
		w.counted(before, sros.StateRouterBgpNeighborStatisticsEstablishedTransitions, up && !was))
	switch last := at(before, sros.StateRouterBgpNeighborStatisticsLastEstablishedTime); {
	case up && !was:
		w.Str(sros.StateRouterBgpNeighborStatisticsLastEstablishedTime, w.changed())
	case last.Valid():
		w.Str(sros.StateRouterBgpNeighborStatisticsLastEstablishedTime, last.Value())
	}
	if !up {
		return
	}
	w.Str(sros.StateRouterBgpNeighborStatisticsPeerIdentifier, s.PeerID.String())
	w.Uint(sros.StateRouterBgpNeighborStatisticsHoldTimeInterval, uint64(s.HoldTime))
	w.Uint(sros.StateRouterBgpNeighborStatisticsKeepAliveInterval, uint64(s.KeepAlive))
}

// lastError writes the last NOTIFICATION (RFC 4271 §4.5); "" of none.
func lastError(s *network.Session) string {
	code, known := notificationCodes[s.Code]
	if !known {
		return ""
	}
	if sub := code.subcodes[s.Subcode]; sub != "" {
		return fmt.Sprintf("%s (%s)", code.name, sub)
	}
	return code.name
}

// notificationCode is an error code with its subcodes.
type notificationCode struct {
	name     string
	subcodes map[uint8]string
}

// notificationCodes are those of RFC 4271 §4.5 and RFC 4486.
var notificationCodes = map[uint8]notificationCode{
	1: {"Message Header Error", map[uint8]string{1: "Connection Not Synchronized", 2: "Bad Message Length", 3: "Bad Message Type"}},
	2: {"Open Message Error", map[uint8]string{1: "Unsupported Version Number", 2: "Bad Peer AS", 3: "Bad BGP Identifier",
		4: "Unsupported Optional Parameter", 6: "Unacceptable Hold Time", 7: "Unsupported Capability"}},
	3: {"Update Message Error", nil},
	4: {"Hold Timer Expired", nil},
	5: {"Finite State Machine Error", nil},
	6: {"Cease", map[uint8]string{1: "Maximum Number of Prefixes Reached", 2: "Administrative Shutdown", 3: "Peer De-configured",
		4: "Administrative Reset", 5: "Connection Rejected", 6: "Other Configuration Change", 7: "Connection Collision Resolution", 8: "Out of Resources"}},
}
