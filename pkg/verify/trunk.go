package verify

import (
	"net/netip"
	"slices"

	"github.com/loomfabric/loom/pkg/fabric"
)

// Between gateways that stitch tenants no underlay session runs over a link, but IS-IS; sessions are between their loopbacks.

// adjacent: IS-IS has the far end of a trunk for its neighbor, in the backbone.
func (k *checker) adjacent(c *Contract, d *shown) {
	a := d.Adjacencies[c.Port]
	const verb = "has no IS-IS adjacency"
	switch {
	case !a.Enabled:
		k.draft(AdjacencyDown, Error, c, verb).absent(c.Device, "has not enabled it on %s", c.Port)
	case a.State == "":
		k.draft(AdjacencyDown, Error, c, verb).says(c.Device, "hears nobody on %s", c.Port)
	case a.State != up:
		k.draft(AdjacencyDown, Error, c, verb).says(c.Device, "says %s", a.State)
	case !a.Level2:
		k.draft(AdjacencyDown, Error, c, verb).says(c.Device, "has one that is not of level 2")
	case a.System.IsValid() && c.System.IsValid() && a.System != c.System:
		k.draft(AdjacencyDown, Error, c, verb).says(c.Device, "has one with %s", k.index.called(a.System))
	case a.Peer.IsValid() && c.Peer.IsValid() && a.Peer != c.Peer:
		k.draft(AdjacencyDown, Error, c, verb).says(c.Device, "has one with %s and not with %s", a.Peer, c.Peer)
	}
}

// called is the device with an address, or the address.
func (x *Index) called(addr netip.Addr) string {
	if name := x.owner(addr); name != "" {
		return name
	}
	return addr.String()
}

// belowAdjacency: the links of a trunk, where none is left, or how they are plugged in.
func (k *checker) belowAdjacency(c *Contract) []string {
	out := k.allBroken(c.Links)
	for _, object := range c.Links {
		out = append(out, id(CableWrong, object))
	}
	return out
}

// brokenWay is what broke of a way to a neighbor: IS-IS where it is a trunk, or else the link.
func (k *checker) brokenWay(d *fabric.Device, l *fabric.Link) []string {
	i := slices.IndexFunc(d.WAN.Trunks, func(t fabric.Trunk) bool { return l.Trunk != "" && t.Name == l.Trunk })
	if i >= 0 {
		if down := id(AdjacencyDown, k.index.trunkObject(d, &d.WAN.Trunks[i])); k.byID[down] != nil {
			return []string{down}
		}
		return k.allBroken(linksIn(d, &d.WAN.Trunks[i]))
	}
	return k.allBroken([]string{linkObject(d.Name, l)})
}

// trunkContracts are those of what joins gateways beside its ports: of a LAG that it has all members, and BFD.
func (x *Index) trunkContracts(d *fabric.Device, t *fabric.Trunk) []Contract {
	c := Contract{
		Device: d.Name, Object: x.trunkObject(d, t), Far: []string{t.PeerName}, Ref: t.Ref, Instance: defaultInstance, Peer: t.Peer,
		Trunk: true, Port: t.Name, Links: linksIn(d, t),
	}
	var out []Contract
	if t.LAG != 0 {
		bond := c
		bond.Asks, bond.Object, bond.Number, bond.Members, bond.Listed = Bundled, lagObject(d.Name, t.LAG), t.LAG, t.Ports, true
		out = append(out, bond)
	}
	c.Asks = Adjacent
	if far := x.design.Device(t.PeerName); far != nil {
		c.System = far.Loopback
	}
	out = append(out, c)
	if t.BFD.Multiplier != 0 {
		c.Asks = Watched
		out = append(out, c)
	}
	return out
}

// trunkObject names a trunk by its ends, the same from both: its link, or its two LAGs.
func (x *Index) trunkObject(d *fabric.Device, t *fabric.Trunk) string {
	if t.LAG != 0 {
		return pairObject(lagObject(d.Name, t.LAG), lagObject(t.PeerName, x.farLAG(d, t)))
	}
	for _, object := range linksIn(d, t) {
		return object
	}
	return pairObject(Far{d.Name, t.Name}.String(), t.PeerName)
}

// linksIn are the objects of the links that a trunk is made of.
func linksIn(d *fabric.Device, t *fabric.Trunk) (out []string) {
	for i := range d.Links {
		if l := &d.Links[i]; l.Trunk == t.Name {
			out = append(out, linkObject(d.Name, l))
		}
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
