package srlsim

import (
	"slices"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// bgp writes /network-instance/protocols/bgp: the instance, and a neighbor for each session, found ones too.
func (w *writer) bgp(n *network.Instance, before config.Cursor) {
	if n.BGP == nil {
		return
	}
	sum, byFamily := totals{}, map[network.Family]network.Counts{}
	was := at(before, srl.NetworkInstanceProtocolsBgpNeighbor)
	for i := range w.state.Sessions {
		s := &w.state.Sessions[i]
		if s.Instance != n.Name || !configures(n.BGP, s.Neighbor) {
			continue
		}
		var counts map[network.Family]network.Counts
		if i < len(w.state.Counts) {
			counts = w.state.Counts[i]
		}
		sum.add(s)
		for f, c := range counts {
			byFamily[f] = network.Counts{Received: byFamily[f].Received + c.Received, Active: byFamily[f].Active + c.Active}
		}
		peer := s.Peer.String()
		w.In(srl.NetworkInstanceProtocolsBgpNeighbor, peer, func() { w.session(s, counts, was.Entry(peer)) })
	}
	w.Str(srl.NetworkInstanceProtocolsBgpOperState, upDown(n.BGP.Enabled && w.instanceOper(n).Up))
	w.bgpTotals(n.BGP, sum, byFamily)
}

// configures tells whether a configuration still has a neighbor that the network knows: what was taken away since has no
// session.
func configures(b *network.BGP, known *network.Neighbor) bool {
	if known.Dynamic {
		return slices.ContainsFunc(b.Dynamic, func(d network.Dynamic) bool { return d.Interface == known.Interface && d.Template.Group == known.Group })
	}
	return slices.ContainsFunc(b.Neighbors, func(o network.Neighbor) bool { return o.Peer == known.Peer })
}

// totals counts sessions.
type totals struct{ all, up, disabled int }

func (t *totals) add(s *network.Session) {
	t.all++
	if s.State == network.Established {
		t.up++
	}
	if !s.Enabled {
		t.disabled++
	}
}

func (w *writer) bgpTotals(b *network.BGP, sum totals, byFamily map[network.Family]network.Counts) {
	var received, active int
	for _, name := range familyNames {
		c := byFamily[families[name]]
		received, active = received+c.Received, active+c.Active
		for _, f := range b.Families {
			if f == families[name] {
				w.In(srl.NetworkInstanceProtocolsBgpAfiSafi, "srl_nokia-common:"+name, func() {
					w.Uint(srl.NetworkInstanceProtocolsBgpAfiSafiReceivedRoutes, uint64(c.Received))
					w.Uint(srl.NetworkInstanceProtocolsBgpAfiSafiActiveRoutes, uint64(c.Active))
				})
			}
		}
	}
	w.Uint(srl.NetworkInstanceProtocolsBgpStatisticsTotalPeers, uint64(sum.all))
	w.Uint(srl.NetworkInstanceProtocolsBgpStatisticsUpPeers, uint64(sum.up))
	w.Uint(srl.NetworkInstanceProtocolsBgpStatisticsDisabledPeers, uint64(sum.disabled))
	w.Uint(srl.NetworkInstanceProtocolsBgpStatisticsTotalReceivedRoutes, uint64(received))
	w.Uint(srl.NetworkInstanceProtocolsBgpStatisticsTotalActiveRoutes, uint64(active))
	w.Uint(srl.NetworkInstanceProtocolsBgpStatisticsTotalPrefixes, uint64(active))
}

// session writes one neighbor.
func (w *writer) session(s *network.Session, counts map[network.Family]network.Counts, before config.Cursor) {
	kind := "ebgp"
	if s.PeerType == network.IBGP {
		kind = "ibgp"
	}
	w.Str(srl.NetworkInstanceProtocolsBgpNeighborSessionState, string(s.State))
	w.Str(srl.NetworkInstanceProtocolsBgpNeighborLastState, lastState(s, before))
	w.Str(srl.NetworkInstanceProtocolsBgpNeighborLastEvent, lastEvent(s))
	w.Str(srl.NetworkInstanceProtocolsBgpNeighborPeerType, kind)
	w.Bool(srl.NetworkInstanceProtocolsBgpNeighborDynamicNeighbor, s.Dynamic)
	w.Bool(srl.NetworkInstanceProtocolsBgpNeighborUnderMaintenance, false)
	if s.Dynamic { // nobody has configured it, so the router says what it is
		w.Str(srl.NetworkInstanceProtocolsBgpNeighborPeerGroup, s.Group)
		if as := peerOf(s); as != 0 {
			w.Uint(srl.NetworkInstanceProtocolsBgpNeighborPeerAs, uint64(as))
		}
	}
	w.established(s, before)
	w.transport(s)
	w.notification(s)
	for _, name := range familyNames {
		w.sessionFamily(s, name, counts[families[name]])
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
func lastState(s *network.Session, before config.Cursor) string {
	was := text(before, srl.NetworkInstanceProtocolsBgpNeighborSessionState)
	switch {
	case was == "":
		return string(network.Idle)
	case was == string(s.State):
		return text(before, srl.NetworkInstanceProtocolsBgpNeighborLastState)
	}
	return was
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
	return "connectRetry"
}

// established writes since when, how often, and with whom.
func (w *writer) established(s *network.Session, before config.Cursor) {
	const up = string(network.Established)
	now := s.State == network.Established
	was := text(before, srl.NetworkInstanceProtocolsBgpNeighborSessionState) == up
	w.Uint(srl.NetworkInstanceProtocolsBgpNeighborEstablishedTransitions,
		w.counted(before, srl.NetworkInstanceProtocolsBgpNeighborEstablishedTransitions, now && !was))
	switch last := at(before, srl.NetworkInstanceProtocolsBgpNeighborLastEstablished); {
	case now && !was:
		w.Str(srl.NetworkInstanceProtocolsBgpNeighborLastEstablished, w.changed())
	case last.Valid():
		w.Str(srl.NetworkInstanceProtocolsBgpNeighborLastEstablished, last.Value())
	}
	if !now {
		return
	}
	w.Str(srl.NetworkInstanceProtocolsBgpNeighborPeerRouterId, s.PeerID.String())
	w.Uint(srl.NetworkInstanceProtocolsBgpNeighborTimersNegotiatedHoldTime, uint64(s.HoldTime))
	w.Uint(srl.NetworkInstanceProtocolsBgpNeighborTimersNegotiatedKeepaliveInterval, uint64(s.KeepAlive))
}

// The port of BGP, and the first of those that connections are made from (RFC 4271 §3, RFC 6335 §6).
const (
	bgpPort        = 179
	firstEphemeral = 49152
)

// transport writes addresses and ports. The end with the lower address has made the connection.
func (w *writer) transport(s *network.Session) {
	if s.LocalAddress.IsValid() { // also where a group has configured it
		w.Str(srl.NetworkInstanceProtocolsBgpNeighborTransportLocalAddress, s.LocalAddress.WithZone("").String())
	}
	if s.State != network.Established {
		return
	}
	low, high := s.LocalAddress.WithZone(""), s.Peer.WithZone("")
	own, far := srl.NetworkInstanceProtocolsBgpNeighborTransportLocalPort, srl.NetworkInstanceProtocolsBgpNeighborTransportRemotePort
	if high.Less(low) {
		low, high, own, far = high, low, far, own
	}
	w.Uint(own, firstEphemeral+uint64(pick(low.String()+high.String())%(1<<16-firstEphemeral)))
	w.Uint(far, bgpPort)
}

// notification writes why a session ended.
func (w *writer) notification(s *network.Session) {
	code, known := notificationCodes[s.Code]
	if !known {
		return
	}
	codeID, subcodeID := srl.NetworkInstanceProtocolsBgpNeighborReceivedMessagesLastNotificationErrorCode, srl.NetworkInstanceProtocolsBgpNeighborReceivedMessagesLastNotificationErrorSubcode
	if s.Sent {
		codeID, subcodeID = srl.NetworkInstanceProtocolsBgpNeighborSentMessagesLastNotificationErrorCode, srl.NetworkInstanceProtocolsBgpNeighborSentMessagesLastNotificationErrorSubcode
	}
	w.Str(codeID, code.name)
	if sub := code.subcodes[s.Subcode]; sub != "" {
		w.Str(subcodeID, sub)
	}
}

// notificationCode is an error code with its subcodes, as the router writes them.
type notificationCode struct {
	name     string
	subcodes map[uint8]string
}

// notificationCodes are those of RFC 4271 §4.5 and RFC 4486.
var notificationCodes = map[uint8]notificationCode{
	1: {"Message Header Error", map[uint8]string{1: "Connection Not Synchronized", 2: "Bad Message Length", 3: "Bad Message Type"}},
	2: {"Open Message Error", map[uint8]string{1: "Unsupported Version Number", 2: "Bad Peer As", 3: "Bad BGP Identifier",
		4: "Unsupported Optional Parameter", 6: "Unacceptable Hold Time", 7: "Unsupported Capability"}},
	3: {"Update Message Error", map[uint8]string{1: "Malformed Attribute List", 2: "Unrecognized Well-known Attribute",
		3: "Missing Well-known Attribute", 4: "Attribute Flags Error", 5: "Attribute Length Error", 6: "Invalid ORIGIN Attribute",
		8: "Invalid NEXT_HOP Attribute", 9: "Optional Attribute Error", 10: "Invalid Network Field", 11: "Malformed AS_PATH"}},
	4: {"Hold Timer Error", nil},
	5: {"Finite State Machine Error", nil},
	6: {"Cease", map[uint8]string{1: "Maximum Number of Prefixes Reached", 2: "Administrative Shutdown", 3: "Peer De-configured",
		4: "Administrative Reset", 5: "Connection Rejected", 6: "Other Configuration Change", 7: "Connection Collision Resolution", 8: "Out of Resources"}},
}

// sessionFamily writes one family that the neighbor has enabled.
func (w *writer) sessionFamily(s *network.Session, name string, c network.Counts) {
	family := families[name]
	if !slices.Contains(s.Families, family) {
		return
	}
	identity := "srl_nokia-common:" + name
	exchanged := s.State == network.Established && slices.Contains(s.Exchanged, family)
	if exchanged {
		w.Add(srl.NetworkInstanceProtocolsBgpNeighborReceivedEndOfRib, identity)
	}
	w.In(srl.NetworkInstanceProtocolsBgpNeighborAfiSafi, identity, func() {
		w.Str(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiOperState, upDown(exchanged))
		w.Uint(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiReceivedRoutes, uint64(c.Received))
		w.Uint(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiActiveRoutes, uint64(c.Active))
		w.Uint(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiRejectedRoutes, uint64(c.Rejected))
		w.Uint(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiSentRoutes, uint64(c.Sent))
	})
}
