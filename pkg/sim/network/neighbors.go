package network

import "slices"

// neighbors puts the BGP neighbors of each instance together: those that are configured, and those that
// are found on a link because they send router advertisements.
func (s *survey) neighbors(r *site) {
	for i := range r.Instances {
		in := &r.Instances[i]
		if in.BGP != nil {
			r.links.Neighbors[in.Name] = s.neighborsOf(r, in)
		}
	}
}

func (s *survey) neighborsOf(r *site, in *Instance) []Neighbor {
	all := slices.Clone(in.BGP.Neighbors)
	for i := range in.BGP.Dynamic {
		n, ok := s.found(r, in, &in.BGP.Dynamic[i])
		if _, configured := slices.BinarySearchFunc(in.BGP.Neighbors, n, byPeer); ok && !configured {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, byPeer)
	return all
}

// found returns the neighbor that a subinterface gives, if one is there: the link-local address that
// router advertisements come from (RFC 4861 §4.2). It needs one of its own to talk from.
func (s *survey) found(r *site, in *Instance, d *Dynamic) (Neighbor, bool) {
	own := r.subs[d.Interface]
	if own == nil || !in.BGP.Enabled || !own.LinkLocal.IsValid() || r.links.Subs[own.Name].Instance != in.Name {
		return Neighbor{}, false
	}
	far := s.farSub(r, own.Name)
	if far == nil || !far.RA || !far.LinkLocal.IsValid() {
		return Neighbor{}, false
	}
	n := d.Template
	n.Peer, n.Interface, n.Dynamic = far.LinkLocal.WithZone(own.Name), own.Name, true
	return n, true
}

// farSub returns the subinterface at the other end of one, or nil.
func (s *survey) farSub(r *site, name string) *Subinterface {
	router, sub, ok := s.plant.Far(r.Name, name)
	if !ok {
		return nil
	}
	return s.sites[router].subs[sub]
}

func byPeer(a, b Neighbor) int { return a.Peer.Compare(b.Peer) }
