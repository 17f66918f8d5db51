package srossim

import (
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// services writes /state/service: the VPLS, R-VPLS and VPRN services that are configured.
func (w *writer) services() {
	for c := range entries(w.running, sros.ConfigureServiceVprn) {
		w.In(sros.StateServiceVprn, key(c), func() { w.vprn(c) })
	}
	outer := w.outer()
	for c := range entries(w.running, sros.ConfigureServiceVpls) {
		name := key(c)
		if router, ok := outer[name]; ok {
			name = router // what an R-VPLS sends to is its VPRN's
		}
		w.In(sros.StateServiceVpls, key(c), func() { w.vpls(c, name) })
	}
}

// outer are the VPRNs that route by R-VPLSs, by the names of these.
func (w *writer) outer() map[string]string {
	out, r := map[string]string{}, &reader{root: w.running, h: w.o.Hardware}
	for c := range entries(w.running, sros.ConfigureServiceVprn) {
		if _, by, _ := r.innerOf(c); by.Valid() {
			out[key(by)] = key(c)
		}
	}
	return out
}

// instance is a service as the network has it, and its state.
func (w *writer) instance(name string) (*network.Instance, network.InstanceState) {
	for i := range w.router.Instances {
		if n := &w.router.Instances[i]; n.Name == name {
			return n, w.state.Instances[name]
		}
	}
	return nil, network.InstanceState{}
}

func (w *writer) vprn(c config.Cursor) {
	n, st := w.instance(key(c))
	if n == nil {
		return
	}
	w.Uint(sros.StateServiceVprnOperServiceId, number(c, sros.ConfigureServiceVprnServiceId))
	w.Str(sros.StateServiceVprnOperState, upDown(st.Up && n.Enabled))
	if n.RouterID.IsValid() {
		w.Str(sros.StateServiceVprnOperRouterId, n.RouterID.String())
	}
	for i := range entries(c, sros.ConfigureServiceVprnInterface) {
		w.In(sros.StateServiceVprnInterface, key(i), func() {
			w.Str(sros.StateServiceVprnInterfaceOperState, upDown(st.Up && enabled(i, sros.ConfigureServiceVprnInterfaceAdminState)))
			for v := range entries(i, sros.ConfigureServiceVprnInterfaceVpls) {
				if inner := at(w.running, sros.ConfigureServiceVpls).Entry(key(v)); inner.Valid() {
					w.Uint(sros.StateServiceVprnInterfaceOperIpMtu, uint64(innerMTU(i, inner)))
				}
			}
		})
	}
	w.routeCounts(c, st.Routes)
	for e := range entries(c, sros.ConfigureServiceVprnBgpEvpnMpls) {
		w.In(sros.StateServiceVprnBgpEvpnMpls, key(e), func() {
			word := "disabled"
			if w.own(n, st).Up {
				word = "enabled"
			}
			w.Str(sros.StateServiceVprnBgpEvpnMplsOperState, word)
			if rd := text(e, sros.ConfigureServiceVprnBgpEvpnMplsRouteDistinguisher); rd != "" {
				w.Str(sros.StateServiceVprnBgpEvpnMplsOperRouteDistinguisher, rd)
			}
		})
	}
	for e := range entries(c, sros.ConfigureServiceVprnBgpEvpnVxlan) {
		w.In(sros.StateServiceVprnBgpEvpnVxlan, key(e), func() {
			if rd := text(e, sros.ConfigureServiceVprnBgpEvpnVxlanRouteDistinguisher); rd != "" {
				w.Str(sros.StateServiceVprnBgpEvpnVxlanOperRouteDistinguisher, rd)
			}
		})
	}
}

// own is the state of the EVPN instance of a VPRN itself: the other one is its R-VPLS's.
func (w *writer) own(n *network.Instance, st network.InstanceState) network.Oper {
	if n.Interconnect != nil {
		return st.Interconnect.Oper
	}
	return st.EVPN
}

// vpls writes a bridge, or an R-VPLS, whose destinations are those of an instance of the network.
func (w *writer) vpls(c config.Cursor, instance string) {
	n, st := w.instance(instance)
	if n == nil {
		return
	}
	w.Uint(sros.StateServiceVplsOperServiceId, number(c, sros.ConfigureServiceVplsServiceId))
	w.Str(sros.StateServiceVplsOperState, upDown(st.Up && enabled(c, sros.ConfigureServiceVplsAdminState)))
	for e := range entries(c, sros.ConfigureServiceVplsBgpEvpnVxlan) {
		number := text(e, sros.ConfigureServiceVplsBgpEvpnVxlanVxlanInstance)
		name := tunnel(key(c), number)
		if d, ok := w.destinations(n, st, func(v *network.VXLAN, _ *network.MPLS) bool { return v != nil && v.Interface == name }); ok && number != "" {
			w.In(sros.StateServiceVplsVxlanInstance, number, func() { w.vxlanDestinations(d) })
			w.In(sros.StateServiceVplsBgpEvpnVxlan, key(e), func() {
				for _, m := range append(d.multicast, d.unicast...) {
					w.In(sros.StateServiceVplsBgpEvpnVxlanTep, m.VTEP.String(), func() { w.Str(sros.StateServiceVplsBgpEvpnVxlanTepOperState, "up") })
				}
			})
		}
	}
	for e := range entries(c, sros.ConfigureServiceVplsBgpEvpnMpls) {
		if d, ok := w.destinations(n, st, func(_ *network.VXLAN, m *network.MPLS) bool { return m != nil }); ok {
			w.In(sros.StateServiceVplsBgpEvpnMpls, key(e), func() { w.mplsDestinations(d) })
		}
	}
}

// destinations are whom one EVPN instance sends to.
type destinations struct {
	multicast, unicast []network.Destination
	segments           []network.SegmentDestination
}

// destinations are those of the EVPN instance that is carried as asked for. The network has those of the first one by its tunnel.
func (w *writer) destinations(n *network.Instance, st network.InstanceState, carried func(*network.VXLAN, *network.MPLS) bool) (destinations, bool) {
	if far := n.Interconnect; far != nil && carried(far.VXLAN, far.MPLS) {
		return destinations{st.Interconnect.Multicast, st.Interconnect.Unicast, st.Interconnect.Segments}, true
	}
	if n.VXLAN != nil && carried(n.VXLAN, n.MPLS) {
		for _, t := range w.state.Tunnels {
			if t.Interface == n.VXLAN.Interface {
				return destinations{t.Multicast, t.Unicast, t.Segments}, true
			}
		}
	}
	return destinations{}, false
}

// all are the destinations without segments, each once, and the kinds of traffic that it gets.
func (d destinations) each(yield func(network.Destination, string)) {
	type end struct {
		vtep string
		tag  uint32
	}
	multicast := map[end]bool{}
	for _, m := range d.multicast {
		multicast[end{m.VTEP.String(), m.VNI + m.Label}] = true
	}
	unicast := map[end]bool{}
	for _, u := range d.unicast {
		e := end{u.VTEP.String(), u.VNI + u.Label}
		unicast[e] = true
		kind := "unicast"
		if multicast[e] {
			kind = "broadcast-unicast-multicast"
		}
		yield(u, kind)
	}
	for _, m := range d.multicast {
		if !unicast[end{m.VTEP.String(), m.VNI + m.Label}] {
			yield(m, "broadcast-multicast")
		}
	}
}

func (w *writer) vxlanDestinations(d destinations) {
	d.each(func(to network.Destination, kind string) {
		w.In2(sros.StateServiceVplsVxlanInstanceDestinationsNonEthernetSegmentDestination, to.VTEP.String(), decimal(to.VNI), func() {
			w.Uint(sros.StateServiceVplsVxlanInstanceDestinationsNonEthernetSegmentDestinationMacCount, uint64(to.MACs))
			w.Str(sros.StateServiceVplsVxlanInstanceDestinationsNonEthernetSegmentDestinationOperState, "up")
			w.Str(sros.StateServiceVplsVxlanInstanceDestinationsNonEthernetSegmentDestinationMulticastForwardingType, kind)
		})
	})
	for _, s := range d.segments {
		w.In(sros.StateServiceVplsVxlanInstanceDestinationsEthernetSegmentDestination, esiText(s.ESI), func() {
			w.Uint(sros.StateServiceVplsVxlanInstanceDestinationsEthernetSegmentDestinationMacCount, uint64(s.MACs))
			for _, to := range s.VTEPs {
				w.In2(sros.StateServiceVplsVxlanInstanceDestinationsEthernetSegmentDestinationTep, to.VTEP.String(), decimal(to.VNI), func() {})
			}
		})
	}
}

func (w *writer) mplsDestinations(d destinations) {
	d.each(func(to network.Destination, _ string) {
		w.In2(sros.StateServiceVplsBgpEvpnMplsDestinationsNonEthernetSegmentDestination, to.VTEP.String(), decimal(to.Label), func() {
			w.In(sros.StateServiceVplsBgpEvpnMplsDestinationsNonEthernetSegmentDestinationTunnelId, "1", func() {
				w.Uint(sros.StateServiceVplsBgpEvpnMplsDestinationsNonEthernetSegmentDestinationTunnelIdMacCount, uint64(to.MACs))
				w.Str(sros.StateServiceVplsBgpEvpnMplsDestinationsNonEthernetSegmentDestinationTunnelIdOperState, "up")
			})
		})
	})
	for _, s := range d.segments {
		w.In(sros.StateServiceVplsBgpEvpnMplsDestinationsEthernetSegmentDestination, esiText(s.ESI), func() {
			w.Uint(sros.StateServiceVplsBgpEvpnMplsDestinationsEthernetSegmentDestinationMacCount, uint64(s.MACs))
			for _, to := range s.VTEPs {
				w.In2(sros.StateServiceVplsBgpEvpnMplsDestinationsEthernetSegmentDestinationTep, to.VTEP.String(), decimal(to.Label), func() {
					w.Str(sros.StateServiceVplsBgpEvpnMplsDestinationsEthernetSegmentDestinationTepOperState, "up")
				})
			}
		})
	}
}
