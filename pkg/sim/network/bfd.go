package network

import (
	"cmp"
	"hash/fnv"
	"net/netip"
	"slices"
	"time"
)

// slowest is the least interval at which BFD sends before a session is up (RFC 5880 §6.8.3).
const slowest = time.Second

// bfd lists the BFD sessions of a router: one for each BGP neighbor on a link that asks for it, and each IS-IS adjacency,
// where the subinterface does BFD. Sessions over several hops (RFC 5883) are not simulated.
func (s *survey) bfd(r *site) {
	for i := range r.Instances {
		in := &r.Instances[i]
		if in.ISIS != nil {
			s.watchAdjacencies(r, in)
		}
		neighbors := r.links.Neighbors[in.Name]
		if !slices.ContainsFunc(neighbors, wantsBFD) {
			continue
		}
		nets := r.subnets(in)
		for j := range neighbors {
			if b, ok := r.session(nets, &neighbors[j]); ok {
				b.Instance = in.Name
				r.links.BFD = append(r.links.BFD, b)
			}
		}
	}
	slices.SortStableFunc(r.links.BFD, bySubAndRemote)
	r.links.BFD = slices.CompactFunc(r.links.BFD, func(a, b BFDSession) bool { return bySubAndRemote(a, b) == 0 })
	number(r.links.BFD)
}

// watchAdjacencies adds a session between the IPv4 addresses of each link where an adjacency is up and IS-IS asks for one
// (RFC 5882 §4.3).
func (s *survey) watchAdjacencies(r *site, in *Instance) {
	for i := range in.ISIS.Interfaces {
		name := in.ISIS.Interfaces[i].Name
		own, far := r.subs[name], s.farSub(r, name)
		if !in.ISIS.Interfaces[i].BFD || own == nil || own.BFD == nil || far == nil || !r.adjacentOn(in.Name, name) {
			continue
		}
		if local, remote := far.sharing(own), own.sharing(far); remote.IsValid() {
			b := own.watch(local, remote)
			b.Instance = in.Name
			r.links.BFD = append(r.links.BFD, b)
		}
	}
}

func (r *site) adjacentOn(instance, sub string) bool {
	return slices.ContainsFunc(r.links.ISIS, func(a Adjacency) bool { return a.Up && a.Instance == instance && a.Subinterface == sub })
}

// watch returns a session on a subinterface as it is while nothing is heard.
func (s *Subinterface) watch(local, remote netip.Addr) BFDSession {
	return BFDSession{
		Subinterface: s.Name, Local: local, Remote: remote,
		Transmit: max(slowest, s.BFD.Transmit), Receive: s.BFD.Receive, Multiplier: s.BFD.Multiplier,
	}
}

func bySubAndRemote(a, b BFDSession) int {
	return cmp.Or(cmp.Compare(a.Subinterface, b.Subinterface), a.Remote.Compare(b.Remote), a.Local.Compare(b.Local))
}

func wantsBFD(n Neighbor) bool { return n.BFD && n.Enabled }

// session returns the session for a neighbor as it is while nothing is heard.
func (r *site) session(nets subnets, n *Neighbor) (BFDSession, bool) {
	if !wantsBFD(*n) {
		return BFDSession{}, false
	}
	sub, local := r.subs[n.Interface], n.Local
	if sub != nil {
		local = sub.LinkLocal.WithZone(sub.Name)
	} else if home, ok := nets.find(n.Peer); ok {
		sub = home.sub
		if !local.IsValid() {
			local = home.addr
		}
	}
	if sub == nil || sub.BFD == nil {
		return BFDSession{}, false
	}
	return sub.watch(local, n.Peer), true
}

// number gives each session a discriminator that it keeps while others come and go.
func number(sessions []BFDSession) {
	taken := map[uint32]bool{0: true} // RFC 5880 §6.8.1: nonzero
	for i := range sessions {
		b := &sessions[i]
		h := fnv.New32a()
		h.Write([]byte(b.Subinterface + " " + b.Remote.String()))
		for b.Discriminator = h.Sum32(); taken[b.Discriminator]; {
			b.Discriminator++
		}
		taken[b.Discriminator] = true
	}
}

// bfdUp brings up the sessions of a router whose far ends have one that looks back.
func (s *survey) bfdUp(r *site) {
	for i := range r.links.BFD {
		b := &r.links.BFD[i]
		router, sub, ok := s.plant.Far(r.Name, b.Subinterface)
		if !ok {
			continue
		}
		t := s.sites[router]
		if far := t.lookingBack(sub, b); far != nil {
			b.up(r.subs[b.Subinterface].BFD, t.subs[sub].BFD, far)
		}
	}
}

// lookingBack returns the session on a subinterface that is the other end of one.
func (r *site) lookingBack(sub string, b *BFDSession) *BFDSession {
	all := r.links.BFD
	i, _ := slices.BinarySearchFunc(all, sub, func(c BFDSession, sub string) int { return cmp.Compare(c.Subinterface, sub) })
	for ; i < len(all) && all[i].Subinterface == sub; i++ {
		if all[i].Local.WithZone("") == b.Remote.WithZone("") && all[i].Remote.WithZone("") == b.Local.WithZone("") {
			return &all[i]
		}
	}
	return nil
}

// up negotiates the times of a session: each end sends as slowly as the other wants it (RFC 5880 §6.8.2),
// and misses as many packets as the other says (§6.8.4).
func (b *BFDSession) up(own, far *BFD, peer *BFDSession) {
	b.Up, b.RemoteDiscriminator, b.Multiplier = true, peer.Discriminator, far.Multiplier
	b.Transmit = max(own.Transmit, far.Receive)
	b.Receive = max(own.Receive, far.Transmit)
}

// subnets finds the subinterface whose subnet an address is in.
type subnets struct {
	homes map[netip.Prefix]home
	bits  []int // lengths of the prefixes, longest first
}

// home is an address of a subinterface.
type home struct {
	sub  *Subinterface
	addr netip.Addr
}

// subnets returns those of an instance, whether their subinterfaces are up or not.
func (r *site) subnets(in *Instance) subnets {
	n := subnets{homes: map[netip.Prefix]home{}}
	for _, name := range in.Interfaces {
		sub := r.subs[name]
		if sub == nil || sub.Kind != Routed {
			continue
		}
		for _, a := range sub.Addresses {
			net := a.Prefix.Masked()
			if n.homes[net].sub == nil {
				n.homes[net] = home{sub, a.Prefix.Addr()}
			}
			if !slices.Contains(n.bits, net.Bits()) {
				n.bits = append(n.bits, net.Bits())
			}
		}
	}
	slices.SortFunc(n.bits, func(a, b int) int { return cmp.Compare(b, a) })
	return n
}

func (n subnets) find(a netip.Addr) (home, bool) {
	for _, bits := range n.bits {
		p, err := a.Prefix(bits)
		if err != nil {
			continue // the length is one of IPv6
		}
		if h, ok := n.homes[p]; ok {
			return h, true
		}
	}
	return home{}, false
}
