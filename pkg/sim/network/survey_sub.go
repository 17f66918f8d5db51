package network

// attach notes which subinterfaces belong to an instance. Only an IRB may belong to two: it routes in
// one and is a member of the bridge of the other.
func (r *site) attach(in *Instance) {
	for _, name := range in.Interfaces {
		to := r.instances
		if sub := r.subs[name]; sub != nil && sub.Kind == IRB && in.Kind == MACVRF {
			to = r.bridges
		}
		if to[name] == nil {
			to[name] = in
		}
	}
}

// subinterfaces finds out which subinterfaces come up. IRBs are last: they follow the others of their bridge.
func (s *survey) subinterfaces(r *site) {
	r.links.Subs = make(map[string]SubState, len(r.Subinterfaces))
	for _, irb := range []bool{false, true} {
		for i := range r.Subinterfaces {
			if sub := &r.Subinterfaces[i]; (sub.Kind == IRB) == irb {
				r.links.Subs[sub.Name] = r.subinterface(sub)
			}
		}
	}
}

func (r *site) subinterface(sub *Subinterface) SubState {
	st := SubState{Self: r.alone(sub)}
	st.Oper = r.attached(sub, st.Self)
	if in := r.instances[sub.Name]; in != nil {
		st.Instance = in.Name
	} else if in := r.bridges[sub.Name]; in != nil {
		st.Instance = in.Name
	}
	return st
}

// alone is the state of a subinterface by itself, worded as subif-oper-down-reason of
// srl_nokia-interfaces.yang. Where several reasons hold, the lack of an address family is shown before
// a port that is down. One that belongs to no instance is up: devices show it so.
func (r *site) alone(sub *Subinterface) Oper {
	ported := sub.Kind == Routed || sub.Kind == Bridged
	parent := r.parent(sub.Parent)
	switch {
	case ported && parent.Reason == "port-admin-disabled": // shuts the subinterface too, which is not to blame
		return Oper{Reason: "port-down"}
	case !sub.Enabled:
		return Oper{Reason: "admin-disabled"}
	case sub.Kind != Bridged && !sub.IPv4 && !sub.IPv6:
		return Oper{Reason: "no-ip-config"}
	case ported && !parent.Up:
		return Oper{Reason: "port-down"}
	case sub.Kind == Routed && exceeds(sub.IPMTU+ethernetHeader+sub.VLAN.size(), r.mtu(sub.Parent)):
		return Oper{Reason: "ip-mtu-too-large"}
	case sub.Kind == Bridged && exceeds(sub.L2MTU, r.mtu(sub.Parent)):
		return Oper{Reason: "l2-mtu-too-large"}
	case sub.Kind == IRB && exceeds(sub.IPMTU+ethernetHeader, r.bridgeMTU(r.bridges[sub.Name])):
		return Oper{Reason: "ip-mtu-larger-than-oper-mac-vrf-mtu"}
	}
	return Oper{Up: true}
}

// What stands before an IP packet, in bytes (IEEE 802.3, IEEE 802.1Q).
const ethernetHeader, vlanTag = 14, 4

func (v VLAN) size() uint32 {
	if v.Tagged && v.High > 0 {
		return vlanTag
	}
	return 0
}

// exceeds tells whether frames are larger than what there is room for; 0: nobody knows.
func exceeds(frame, room uint32) bool { return room > 0 && frame > room }

// mtu is that of a port or a LAG: what its subinterfaces have to fit in.
func (r *site) mtu(parent string) uint32 {
	if p := r.ports[parent]; p != nil {
		return p.MTU
	}
	if b := r.lags[parent]; b != nil {
		return b.mtu
	}
	return 0
}

// bridgeMTU is the largest frame without tags that a MAC-VRF and all its members take
// (/network-instance/oper-mac-vrf-mtu); 0: not known.
func (r *site) bridgeMTU(in *Instance) uint32 {
	if in == nil {
		return 0
	}
	most := r.membersMTU(in)
	if in.MTU != 0 && (most == 0 || in.MTU < most) {
		return in.MTU
	}
	return most
}

func (r *site) membersMTU(in *Instance) uint32 {
	var lowest *Subinterface
	for _, name := range in.Interfaces {
		if sub := r.subs[name]; sub != nil && sub.Kind == Bridged && sub.L2MTU > 0 && (lowest == nil || sub.L2MTU < lowest.L2MTU) {
			lowest = sub
		}
	}
	if lowest == nil {
		return 0
	}
	return lowest.L2MTU - lowest.VLAN.size()
}

// parent returns the state of a port or a LAG.
func (r *site) parent(name string) Oper {
	if p, ok := r.links.Ports[name]; ok {
		return p.Oper
	}
	return r.links.LAGs[name].Oper
}

// attached is the state of a subinterface in its instance, worded as oper-down-reason of
// /network-instance/interface. Where there is none, there is no reason to show either.
func (r *site) attached(sub *Subinterface, self Oper) Oper {
	in, bridge := r.instances[sub.Name], r.bridges[sub.Name]
	switch {
	case in == nil && bridge == nil:
		return Oper{}
	case !self.Up:
		return Oper{Reason: "subif-down"}
	case in == nil:
		return Oper{Reason: "ip-vrf-association-missing"}
	case !in.Enabled:
		return Oper{Reason: "net-inst-down"}
	case sub.Kind == IRB && bridge == nil:
		return Oper{Reason: "mac-vrf-association-missing"}
	case sub.Kind == IRB && !r.bridging(bridge):
		return Oper{Reason: "associated-mac-vrf-down"}
	case (sub.Kind == Bridged) != (in.Kind == MACVRF):
		return Oper{Reason: "vrf-type-mismatch"}
	}
	return Oper{Up: true}
}

// bridging tells whether a MAC-VRF has somewhere to send frames: a bridged subinterface that is up or a
// VXLAN tunnel.
func (r *site) bridging(in *Instance) bool {
	if !in.Enabled {
		return false
	}
	if in.VXLAN != nil && in.VXLAN.Source.IsValid() {
		return true
	}
	for _, name := range in.Interfaces {
		if r.links.Subs[name].Up { // an IRB of this bridge is so only if another member is
			return true
		}
	}
	return false
}
