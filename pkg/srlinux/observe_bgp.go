package srlinux

import (
	"net/netip"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
)

// sessions are the BGP neighbors of all network instances, found ones too.
func (o observation) sessions() (out []verify.Session) {
	for instance, ni := range o.entries(srl.NetworkInstance) {
		groups := map[string]observation{}
		for name, g := range ni.entries(srl.NetworkInstanceProtocolsBgpGroup) {
			groups[name] = g
		}
		for peer, n := range ni.entries(srl.NetworkInstanceProtocolsBgpNeighbor) {
			addr, err := netip.ParseAddr(peer)
			if err != nil {
				continue
			}
			out = append(out, verify.Session{
				Instance: instance,
				Peer:     addr,
				PeerAS:   n.peerAS(groups[n.text(srl.NetworkInstanceProtocolsBgpNeighborPeerGroup)]),
				State:    n.text(srl.NetworkInstanceProtocolsBgpNeighborSessionState),
				Last:     n.notification(),
				Families: n.families(),
			})
		}
	}
	return out
}

// peerAS is what the neighbor says, or else its group.
func (o observation) peerAS(group observation) uint32 {
	if as := o.number(srl.NetworkInstanceProtocolsBgpNeighborPeerAs); as != 0 {
		return uint32(as)
	}
	if !group.Valid() {
		return 0
	}
	return uint32(group.number(srl.NetworkInstanceProtocolsBgpGroupPeerAs))
}

// notification is why a session ended, in the words of RFC 4271 §4.5.
func (o observation) notification() string {
	if s := o.errorText(srl.NetworkInstanceProtocolsBgpNeighborSentMessagesLastNotificationErrorCode, srl.NetworkInstanceProtocolsBgpNeighborSentMessagesLastNotificationErrorSubcode); s != "" {
		return "sent " + s
	}
	if s := o.errorText(srl.NetworkInstanceProtocolsBgpNeighborReceivedMessagesLastNotificationErrorCode, srl.NetworkInstanceProtocolsBgpNeighborReceivedMessagesLastNotificationErrorSubcode); s != "" {
		return "received " + s
	}
	return ""
}

func (o observation) errorText(code, subcode config.ID) string {
	if s := o.text(subcode); s != "" {
		return o.text(code) + ": " + s
	}
	return o.text(code)
}

// families are those that are enabled: a router lists others too, without oper-state.
func (o observation) families() map[string]verify.Family {
	out := map[string]verify.Family{}
	for name, f := range o.entries(srl.NetworkInstanceProtocolsBgpNeighborAfiSafi) {
		if !f.has(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiOperState) {
			continue
		}
		out[name[strings.IndexByte(name, ':')+1:]] = verify.Family{
			Negotiated: f.text(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiOperState) == "up",
			Received:   f.number(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiReceivedRoutes),
			Active:     f.number(srl.NetworkInstanceProtocolsBgpNeighborAfiSafiActiveRoutes),
		}
	}
	return out
}

// bfd are the sessions of BFD.
func (o observation) bfd() (out []verify.BFD) {
	for instance, ni := range o.entries(srl.BfdNetworkInstance) {
		for _, p := range ni.entries(srl.BfdNetworkInstancePeer) {
			addr, err := netip.ParseAddr(p.text(srl.BfdNetworkInstancePeerRemoteAddress))
			if err != nil {
				continue
			}
			up := p.text(srl.BfdNetworkInstancePeerSessionState) == "UP"
			out = append(out, verify.BFD{Instance: instance, Peer: addr.WithZone(""), Up: up})
		}
	}
	return out
}
