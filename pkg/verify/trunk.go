package verify

import (
	"slices"

	"github.com/loomfabric/loom/pkg/fabric"
)

// Between gateways that stitch tenants no underlay session runs over a link, but IS-IS; sessions are between their loopbacks.

// trunkContracts are those of what joins gateways beside its ports: of a LAG that it has all members, and BFD.
func (x *Index) trunkContracts(d *fabric.Device, t *fabric.Trunk) []Contract {
	c := Contract{Device: d.Name, Far: []string{t.PeerName}, Ref: t.Ref, Instance: defaultInstance, Peer: t.Peer, Trunk: true}
	for i := range d.Links {
		if l := &d.Links[i]; l.Trunk == t.Name {
			c.Object, c.Links = linkObject(d.Name, l), append(c.Links, linkObject(d.Name, l))
		}
	}
	var out []Contract
	if t.LAG != 0 {
		bond := c
		bond.Asks, bond.Object, bond.Number, bond.Members, bond.Listed = Bundled, lagObject(d.Name, t.LAG), t.LAG, t.Ports, true
		out = append(out, bond)
		c.Object = pairObject(lagObject(d.Name, t.LAG), lagObject(t.PeerName, x.farLAG(d, t)))
	}
	if t.BFD.Multiplier != 0 {
		c.Asks = Watched
		out = append(out, c)
	}
	return out
}

// farLAG is the number that a LAG has at its other end.
func (x *Index) farLAG(d *fabric.Device, t *fabric.Trunk) uint32 {
	far := x.design.Device(t.PeerName).WAN.Trunks
	if i := slices.IndexFunc(far, func(o fabric.Trunk) bool { return o.PeerName == d.Name && o.Addr.Addr() == t.Peer }); i >= 0 {
		return far[i].LAG
	}
	return 0
}

// wanContract asks for a session with a gateway of another site.
func wanContract(d *fabric.Device, n *fabric.OverlayNeighbor) Contract {
	return Contract{
		Asks: Speaking, Device: d.Name, Object: pairObject(d.Name, n.Name), Far: []string{n.Name}, Ref: n.Ref,
		Instance: defaultInstance, Peer: n.Addr, PeerAS: d.WAN.AS, Families: []string{familyEVPN}, Overlay: true,
	}
}

// overTrunks tells whether two devices reach each other over trunks alone: a gateway hears nothing of another site from its spines.
func overTrunks(a, b *fabric.Device) bool { return len(a.WAN.Trunks) > 0 && len(b.WAN.Trunks) > 0 }

// broken returns the findings of those links that have one.
func (k *checker) broken(links []string) []string {
	var out []string
	for _, object := range links {
		out = append(out, k.allBroken([]string{object})...)
	}
	return out
}
