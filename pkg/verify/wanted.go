package verify

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Wanting returns an index for a network in which some devices are wanted to be otherwise than designed, as while a
// change is taken back. asked is what the configurations that they are to have ask for, by name (driver.Asks).
//
// Devices that are not in it are left as they are: what they lack, no change will make.
//
// What the design has and they do not ask for is no contract of theirs. Links and sessions are judged all the same,
// because others rest upon them, and their findings are Withdrawn. What they ask for and the design does not have is
// a contract, too.
func (x *Index) Wanting(asked map[string]Device) *Index {
	out := *x
	out.asked, out.withdrawn, out.beyond, out.renewed = map[string]*shown{}, map[string]bool{}, map[string][]Contract{}, map[string]bool{}
	for name, d := range asked {
		if x.design.Device(name) != nil {
			out.asked[name] = newShown(&d)
		}
	}
	out.vteps, out.ends, out.shared = out.moved(x.vteps), out.moved(x.ends), out.moved(x.shared)
	for name, d := range out.asked {
		designed := x.designedContracts(name)
		for i := range designed {
			for _, kind := range designed[i].lacking(d) {
				out.withdrawn[id(kind, designed[i].Object)] = true
			}
		}
		out.beyond[name] = out.beside(name, d, designed)
	}
	for _, contracts := range out.beyond {
		for i := range contracts {
			out.renewed[contracts[i].Object] = true
			delete(out.withdrawn, id(SessionDown, contracts[i].Object))
			delete(out.withdrawn, id(SessionFamily, contracts[i].Object))
		}
	}
	return &out
}

// changes tells whether it is known of all of some devices what they are to have. It is, of a network as designed.
func (x *Index) changes(devices []string) bool {
	return len(x.asked) == 0 || !slices.ContainsFunc(devices, func(name string) bool { return x.asked[name] == nil })
}

// moved has the ends of tunnels where the wanted configurations put them.
func (x *Index) moved(ends map[string][]VTEP) map[string][]VTEP {
	out := make(map[string][]VTEP, len(ends))
	for key, list := range ends {
		list = slices.Clone(list)
		for i := range list {
			list[i].Addr = x.tunnelEnd(list[i].Device)
		}
		slices.SortFunc(list, func(a, b VTEP) int { return a.Addr.Compare(b.Addr) })
		out[key] = list
	}
	return out
}

// tunnelEnd is the address of a device's tunnels.
func (x *Index) tunnelEnd(device string) netip.Addr {
	if d := x.asked[device]; d != nil && d.VTEP.IsValid() {
		return d.VTEP
	}
	return x.design.Device(device).Loopback
}

// lacking are the kinds of findings of links and sessions that a device will show because nobody asks it for more.
func (c *Contract) lacking(d *shown) []Kind {
	switch c.Asks {
	case Up:
		if !d.Interfaces[c.Port].Enabled {
			return []Kind{InterfaceDown}
		}
	case Neighbor:
		if !d.Interfaces[c.Port].Enabled || !d.LLDP {
			return []Kind{CableWrong}
		}
	case Speaking:
		s := d.session(c)
		if s == nil {
			return []Kind{SessionDown, SessionFamily}
		}
		if slices.ContainsFunc(c.Families, func(family string) bool { _, asked := s.Families[family]; return !asked }) {
			return []Kind{SessionFamily}
		}
	case Lit:
		if !d.Interfaces[c.Port].Enabled {
			return []Kind{ChannelDown}
		}
	case Adjacent:
		if !d.Adjacencies[c.Port].Enabled {
			return []Kind{AdjacencyDown}
		}
	case Watched:
		if !slices.ContainsFunc(d.BFD, func(b BFD) bool { return b.Instance == c.Instance && b.Peer == c.Peer }) {
			return []Kind{BFDDown}
		}
	}
	return nil
}

// meet adds whom a device that is wanted otherwise has to do with: the other ends of what it is asked for beside
// the design, and, as those may not be known, all that are asked for such things.
func (x *Index) meet(device string, set map[string]bool) {
	if x.asked[device] == nil {
		return
	}
	for _, c := range x.beyond[device] {
		for _, far := range c.Far {
			set[far] = true
		}
	}
	for name, contracts := range x.beyond {
		if len(contracts) > 0 && name != device {
			set[name] = true
		}
	}
}

// wanted takes out of a contract what the wanted configurations do not ask for, and tells whether anything is left.
func (x *Index) wanted(c *Contract) bool {
	d := x.asked[c.Device]
	switch c.Asks {
	case Speaking: // with another address than designed, it is another contract for the same object
		return d == nil || !x.renewed[c.Object] || d.session(c) != nil
	case Watched:
		return !x.withdrawn[id(BFDDown, c.Object)]
	case Stretched:
		c.VTEPs = x.which(c.VTEPs, func(d *shown) bool { return d.stretches(c) })
		return d == nil || d.stretches(c)
	case Labelled:
		c.VTEPs = x.which(c.VTEPs, func(d *shown) bool { return d.Labels.Enabled })
		return d == nil || d.Labels.Enabled
	case Serving:
		return d == nil || d.serves(c.Service)
	case Routed:
		c.Far = slices.DeleteFunc(slices.Clone(c.Far), func(far string) bool {
			return !c.Inside && !x.has(far, func(d *shown) bool { return d.serves(c.Service) })
		})
		c.Subnets = slices.DeleteFunc(slices.Clone(c.Subnets), func(s Subnet) bool {
			return !x.has(s.Leaf, func(d *shown) bool { _, there := d.Tunnels[s.VNI]; return there })
		})
		return len(c.Far) > 0 && len(c.Subnets) > 0 && (d == nil || d.serves(c.Service))
	case Bundled:
		if d == nil {
			return true
		}
		lag, asked := d.LAGs[c.Number]
		c.Members = slices.DeleteFunc(slices.Clone(c.Members), func(port string) bool { _, in := lag.Members[port]; return !in })
		return asked
	case Joined:
		c.Ends = x.which(c.Ends, func(d *shown) bool { return d.joins(c.ESI) })
		if d != nil {
			c.Instances = slices.DeleteFunc(slices.Clone(c.Instances), func(name string) bool { return !d.elects(c.ESI, name) })
		}
		return d == nil || d.joins(c.ESI)
	case Lit, Amplified, Passed:
		return d == nil || c.retuned(d)
	}
	return true
}

// which are the ends that are to have something.
func (x *Index) which(ends []VTEP, asks func(*shown) bool) []VTEP {
	return slices.DeleteFunc(slices.Clone(ends), func(v VTEP) bool { return !x.has(v.Device, asks) })
}

// has tells whether a device is to have something; one that is wanted as designed has what the design says.
func (x *Index) has(device string, asks func(*shown) bool) bool {
	d := x.asked[device]
	return d == nil || asks(d)
}

// partakes tells whether an end of an ethernet segment is to be a candidate in a network instance.
func (x *Index) partakes(device, esi, instance string) bool {
	return x.has(device, func(d *shown) bool { return d.elects(esi, instance) })
}

func (s *shown) stretches(c *Contract) bool { _, there := s.tunnel(c); return there }

func (s *shown) serves(name string) bool { return s.Services[name].Enabled }

func (s *shown) joins(esi string) bool { _, there := s.segment(esi); return there }

func (s *shown) elects(esi, instance string) bool {
	segment, _ := s.segment(esi)
	_, there := segment.Elections[instance]
	return there
}

// segment finds an ethernet segment by its identifier: names are a device's own.
func (s *shown) segment(esi string) (Segment, bool) {
	for _, one := range s.Segments {
		if strings.EqualFold(one.ESI, esi) {
			return one, true
		}
	}
	return Segment{}, false
}

// beside are the contracts of a device for what it is asked for beside the design's. Ports are not among them: where
// something runs over one, that is.
func (x *Index) beside(name string, d *shown, designed []Contract) []Contract {
	sessions, vnis, lags, segments := map[*Session]bool{}, map[uint32]bool{}, map[uint32]bool{}, map[string]bool{}
	trunks, services := map[string]bool{}, map[string]bool{}
	for i := range designed {
		switch c := &designed[i]; c.Asks {
		case Speaking:
			sessions[d.session(c)] = true
		case Stretched:
			vnis[c.VNI] = true
		case Bundled:
			lags[c.Number] = true
		case Adjacent:
			trunks[c.Port] = true
		case Serving:
			services[c.Service] = true
		case Joined:
			segments[strings.ToLower(c.ESI)] = true
		}
	}
	own := Contract{Device: name, Ref: x.design.Device(name).Ref}
	var out []Contract
	for i := range d.Sessions {
		if s := &d.Sessions[i]; !sessions[s] {
			out = append(out, x.besideSession(own, s)...)
		}
	}
	for _, vni := range slices.Sorted(maps.Keys(d.Tunnels)) {
		if !vnis[vni] {
			out = append(out, x.besideTunnel(own, vni))
		}
	}
	for _, number := range slices.Sorted(maps.Keys(d.LAGs)) {
		if !lags[number] {
			out = append(out, besideLAG(own, number, d.LAGs[number]))
		}
	}
	for _, trunk := range slices.Sorted(maps.Keys(d.Adjacencies)) {
		if !trunks[trunk] && d.Adjacencies[trunk].Enabled {
			out = append(out, x.besideTrunk(own, trunk))
		}
	}
	for _, service := range slices.Sorted(maps.Keys(d.Services)) {
		if !services[service] && d.serves(service) {
			out = append(out, x.besideService(own, service, d.Services[service].MPLS)...)
		}
	}
	for _, label := range slices.Sorted(maps.Keys(d.Segments)) {
		if s := d.Segments[label]; !segments[strings.ToLower(s.ESI)] {
			out = append(out, x.besideSegment(own, label, s))
		}
	}
	return out
}

// besideSession: one contract for each family. Who the other end is follows from the address of its loopback;
// an address of a link that the design does not have may be anybody's.
func (x *Index) besideSession(c Contract, s *Session) []Contract {
	c.Asks, c.Instance, c.Peer, c.PeerAS = Speaking, s.Instance, s.Peer, s.PeerAS
	far := s.Peer.String()
	if port, _, found := cutLast(s.Peer.Zone(), "."); found {
		c.Peer, c.Port, far = netip.Addr{}, port, port
	}
	c.Object = pairObject(c.Device, far)
	if device := x.owner(s.Peer); device != "" {
		c.Object, c.Far, c.Overlay = pairObject(c.Device, device), []string{device}, true
	} else {
		c.Perhaps = slices.DeleteFunc(slices.Sorted(maps.Keys(x.asked)), func(name string) bool { return name == c.Device })
	}
	var out []Contract
	for _, family := range slices.Sorted(maps.Keys(s.Families)) {
		c.Families = []string{family}
		out = append(out, c)
	}
	return out
}

func (x *Index) besideTunnel(c Contract, vni uint32) Contract {
	c.Asks, c.VNI, c.Object = Stretched, vni, fmt.Sprintf("VNI %d", vni)
	c.Segment, c.VTEPs = c.Object, x.those(func(d *shown) bool { return d.stretches(&c) })
	return c
}

// besideTrunk: who the neighbor is follows from no address, so it may be anybody.
func (x *Index) besideTrunk(c Contract, trunk string) Contract {
	c.Asks, c.Port, c.Object, c.Trunk = Adjacent, trunk, Far{c.Device, trunk}.String(), true
	c.Perhaps = slices.DeleteFunc(slices.Sorted(maps.Keys(x.asked)), func(name string) bool { return name == c.Device })
	return c
}

// besideService: that it is up, and where it is bridged over MPLS, that it reaches the others.
func (x *Index) besideService(c Contract, name string, mpls bool) []Contract {
	c.Asks, c.Service, c.Object = Serving, name, Far{c.Device, name}.String()
	if !mpls {
		return []Contract{c}
	}
	far := c
	far.Asks, far.Object, far.Segment = Stretched, name+" between sites", name
	far.VTEPs = x.those(func(d *shown) bool { return d.stretches(&far) })
	return []Contract{c, far}
}

func besideLAG(c Contract, number uint32, lag LAG) Contract {
	c.Asks, c.Number, c.Members = Bundled, number, slices.Sorted(maps.Keys(lag.Members))
	c.Object = lagObject(c.Device, number)
	return c
}

func (x *Index) besideSegment(c Contract, label string, s Segment) Contract {
	c.Asks, c.Segment, c.ESI, c.Object = Joined, label, s.ESI, "ethernet segment "+s.ESI
	c.Ends, c.Instances = x.those(func(d *shown) bool { return d.joins(s.ESI) }), slices.Sorted(maps.Keys(s.Elections))
	for _, end := range c.Ends {
		if end.Device != c.Device {
			c.Far = append(c.Far, end.Device)
		}
	}
	return c
}

// those are the devices that are asked for something, sorted by address.
func (x *Index) those(asks func(*shown) bool) []VTEP {
	var out []VTEP
	for name, d := range x.asked {
		if asks(d) {
			out = append(out, VTEP{name, x.tunnelEnd(name)})
		}
	}
	slices.SortFunc(out, func(a, b VTEP) int { return a.Addr.Compare(b.Addr) })
	return out
}

// owner is the device whose loopback or tunnels have an address, "" if none has.
func (x *Index) owner(addr netip.Addr) string {
	for _, d := range x.design.Devices {
		if x.tunnelEnd(d.Name) == addr {
			return d.Name
		}
	}
	return ""
}
