package srlsim

import (
	"net/netip"
	"slices"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

func (r *reader) instances() (out []network.Instance) {
	for ni := range entries(r.root, srl.NetworkInstance) {
		out = append(out, r.instance(ni))
	}
	return sortBy(out, func(i network.Instance) string { return i.Name })
}

func (r *reader) instance(ni config.Cursor) network.Instance {
	i := network.Instance{
		Name:          key(ni),
		Kind:          instanceKind(ni),
		Enabled:       enabled(ni, srl.NetworkInstanceAdminState),
		RouterID:      parseAddr(text(ni, srl.NetworkInstanceRouterId)),
		Interfaces:    interfacesOf(ni),
		UncheckedIPv4: text(ni, srl.NetworkInstanceIpForwardingReceiveIpv4Check) == "false",
		Static:        staticRoutes(ni),
		VXLAN:         r.vxlan(ni),
		EVPN:          r.evpn(ni),
		ISIS:          r.isis(ni),
	}
	if has(ni, srl.NetworkInstanceProtocolsBgp) {
		i.BGP = r.bgp(at(ni, srl.NetworkInstanceProtocolsBgp))
	}
	return i
}

func instanceKind(ni config.Cursor) network.InstanceKind {
	switch local(text(ni, srl.NetworkInstanceType)) {
	case "mac-vrf":
		return network.MACVRF
	case "ip-vrf":
		return network.IPVRF
	}
	return network.Default
}

// interfacesOf are the subinterfaces of an instance. An entry may have a name of its own and say in
// interface-ref which subinterface it means.
func interfacesOf(ni config.Cursor) (names []string) {
	for i := range entries(ni, srl.NetworkInstanceInterface) {
		if name := subinterfaceOf(i); !strings.HasPrefix(name, management+".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func subinterfaceOf(i config.Cursor) string {
	if port := text(i, srl.NetworkInstanceInterfaceInterfaceRefInterface); port != "" {
		return port + "." + text(i, srl.NetworkInstanceInterfaceInterfaceRefSubinterface)
	}
	return key(i)
}

// staticRoutes are those that lead somewhere: a route of a group without an enabled next hop is none.
func staticRoutes(ni config.Cursor) (out []network.StaticRoute) {
	groups := at(ni, srl.NetworkInstanceNextHopGroupsGroup)
	for route := range entries(ni, srl.NetworkInstanceStaticRoutesRoute) {
		hops := nextHops(groups.Entry(text(route, srl.NetworkInstanceStaticRoutesRouteNextHopGroup)))
		prefix, err := netip.ParsePrefix(key(route))
		if err == nil && len(hops) > 0 && enabled(route, srl.NetworkInstanceStaticRoutesRouteAdminState) {
			out = append(out, network.StaticRoute{Prefix: prefix.Masked(), NextHops: hops})
		}
	}
	return sortBy(out, func(s network.StaticRoute) string { return s.Prefix.String() })
}

func nextHops(group config.Cursor) (out []netip.Addr) {
	if !group.Valid() || !enabled(group, srl.NetworkInstanceNextHopGroupsGroupAdminState) {
		return nil
	}
	for hop := range entries(group, srl.NetworkInstanceNextHopGroupsGroupNexthop) {
		a := parseAddr(text(hop, srl.NetworkInstanceNextHopGroupsGroupNexthopIpAddress))
		if a.IsValid() && enabled(hop, srl.NetworkInstanceNextHopGroupsGroupNexthopAdminState) {
			out = append(out, a)
		}
	}
	return out
}

// instances writes /network-instance.
func (w *writer) instances() {
	before := at(w.before, srl.NetworkInstance)
	for i := range w.router.Instances {
		n := &w.router.Instances[i]
		st := w.state.Instances[n.Name]
		st.Oper = w.instanceOper(n)
		w.In(srl.NetworkInstance, n.Name, func() {
			w.Str(srl.NetworkInstanceOperState, upDown(st.Up))
			w.because(srl.NetworkInstanceOperDownReason, st.Oper)
			w.attached(n)
			w.evpn(n, st)
			w.bgp(n, before.Entry(n.Name))
		})
		w.isis(n, before.Entry(n.Name))
		w.routes(n, st, before.Entry(n.Name))
		w.macs(n, st, before.Entry(n.Name))
	}
	if w.o.Large {
		w.rib()
	}
}

// instanceOper follows from the configuration alone until the network has been looked at, and always for the
// management instance.
func (w *writer) instanceOper(n *network.Instance) network.Oper {
	if st, ok := w.state.Instances[n.Name]; ok {
		return st.Oper
	}
	return network.Oper{Up: n.Enabled, Reason: "admin-down"}
}

// attached writes /network-instance/interface.
func (w *writer) attached(n *network.Instance) {
	for i := range entries(at(w.running, srl.NetworkInstance).Entry(n.Name), srl.NetworkInstanceInterface) {
		name := subinterfaceOf(i)
		o := w.state.Subs[name].Oper
		if strings.HasPrefix(name, management+".") {
			o.Up = n.Enabled
		}
		if !o.Up && o.Reason == "" {
			o.Reason = "subif-down"
		}
		w.In(srl.NetworkInstanceInterface, key(i), func() {
			w.Str(srl.NetworkInstanceInterfaceOperState, upDown(o.Up))
			w.because(srl.NetworkInstanceInterfaceOperDownReason, o)
		})
	}
}
