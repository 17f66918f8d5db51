package verify

import "slices"

// causes returns the IDs of the findings that explain one, the nearest ones: what they follow from is said
// with them. They are of kinds that come before it, so that nothing explains itself.
func (k *checker) causes(f *draft) []string {
	var out []string
	add := func(id string) {
		if k.byID[id] != nil && id != f.ID && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, name := range f.suspects {
		add(id(Drifted, name))
	}
	if f.alone {
		return out
	}
	for _, cause := range f.farther {
		add(cause)
	}
	if f.Kind != DeviceUnreachable && f.Kind != Drifted && f.Kind != LAGDegraded {
		for _, name := range append([]string{f.contract.Device}, f.contract.Far...) {
			add(id(DeviceUnreachable, name))
		}
	}
	for _, cause := range k.below(f) {
		add(cause)
	}
	slices.Sort(out)
	return out
}

// id is the ID of a finding.
func id(kind Kind, object string) string { return string(kind) + "/" + object }

// below returns the IDs of what a finding's object rests upon, where that is what broke.
func (k *checker) below(f *draft) []string {
	c := f.contract
	switch {
	case isLight(f.Kind):
		return k.belowLight(f)
	case f.Kind == InterfaceDown && c.Via != "":
		return []string{id(InterfaceDown, c.Via), id(InterfaceDown, c.FarVia), id(ChannelDown, c.Channel)}
	case f.Kind == InterfaceDown && c.Channel != "":
		return []string{id(ChannelDown, c.Channel)}
	case f.Kind == SessionDown && c.Overlay:
		return k.severed(c.Device, c.Far[0])
	case f.Kind == AdjacencyDown:
		return k.belowAdjacency(c)
	case c.Trunk && f.Kind == BFDDown:
		return k.allBroken(c.Links)
	case c.Trunk && f.Kind == LAGDegraded:
		return k.broken(c.Links)
	case f.Kind == SessionDown || f.Kind == BFDDown:
		return []string{id(InterfaceDown, c.Object), id(CableWrong, c.Object)}
	case f.Kind == TunnelMissing:
		return k.unheard(c.Device, c.Far[0])
	case f.Kind == RoutesMissing:
		return k.untold(c)
	case f.Kind == SegmentBroken:
		out := []string{id(LAGDegraded, c.Object)}
		for _, end := range c.Ends {
			if end.Device != c.Device {
				out = append(out, k.unheard(c.Device, end.Device)...)
			}
		}
		return out
	}
	return nil
}

// severed returns what cut two devices off from each other: their links, where none of them is left, or else
// all links of one of them; between sites, and between gateways that stitch, all ways.
func (k *checker) severed(a, b string) []string {
	if overTrunks(k.index.design.Device(a), k.index.design.Device(b)) {
		return k.parted(a, b)
	}
	if direct := k.index.linksOf(a, b); len(direct) > 0 {
		return k.allBroken(direct)
	}
	if x := k.index.design; x.Device(a).Site != x.Device(b).Site {
		return k.parted(a, b)
	}
	return append(k.allBroken(k.index.linksAt(a)), k.allBroken(k.index.linksAt(b))...)
}

// allBroken returns the findings of links if each has one.
func (k *checker) allBroken(links []string) []string {
	var out []string
	for _, object := range links {
		broken := ""
		for _, kind := range []Kind{SessionDown, InterfaceDown} {
			if broken == "" && k.byID[id(kind, object)] != nil {
				broken = id(kind, object)
			}
		}
		if broken == "" {
			return nil
		}
		out = append(out, broken)
	}
	return out
}

// unheard returns why two devices do not hear each other's EVPN routes: sessions that are down, where every way
// over a device that both speak to has one. Between sites these are ways over reflectors of both. Where there is none by the
// design, any of their own. Gateways of different sites speak for themselves.
func (k *checker) unheard(a, b string) []string {
	if k.index.between(a, b) {
		if down := k.downSessions(pairObject(a, b)); len(down) > 0 {
			return down
		}
		return k.parted(a, b) // labels take the same ways
	}
	var out []string
	shared := false
	for _, n := range k.index.neighborsOf(a) {
		if !k.index.speaks[b][n] {
			continue
		}
		shared = true
		down := k.downSessions(pairObject(a, n), pairObject(b, n))
		if len(down) == 0 {
			return nil
		}
		out = append(out, down...)
	}
	if shared {
		return out
	}
	if down, designed := k.afar(a, b); designed {
		return down
	}
	for _, end := range []string{a, b} {
		for _, n := range k.index.neighborsOf(end) {
			out = append(out, k.downSessions(pairObject(end, n))...)
		}
	}
	return out
}

// downSessions returns those of some overlay sessions that are down, or do not carry EVPN.
func (k *checker) downSessions(objects ...string) []string {
	var out []string
	for _, object := range objects {
		for _, kind := range []Kind{SessionDown, SessionFamily} {
			if k.byID[id(kind, object)] != nil {
				out = append(out, id(kind, object))
			}
		}
	}
	return out
}

// linksAt returns the objects of all links of a device.
func (x *Index) linksAt(device string) []string {
	d := x.design.Device(device)
	out := make([]string, len(d.Links))
	for i := range d.Links {
		out[i] = linkObject(device, &d.Links[i])
	}
	return out
}

// neighborsOf returns with whom a device has overlay sessions, in the order of the design.
func (x *Index) neighborsOf(device string) []string {
	d := x.design.Device(device)
	out := make([]string, 0, len(d.Overlay.Neighbors))
	for i := range d.Overlay.Neighbors {
		out = append(out, d.Overlay.Neighbors[i].Name)
	}
	return out
}
