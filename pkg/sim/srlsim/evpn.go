package srlsim

import (
	"slices"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// vxlan is the tunnel interface of an instance; nil where the instance names none that there is.
func (r *reader) vxlan(ni config.Cursor) *network.VXLAN {
	for v := range entries(ni, srl.NetworkInstanceVxlanInterface) {
		tunnel, index := parent(key(v))
		t := at(at(r.root, srl.TunnelInterface).Entry(tunnel), srl.TunnelInterfaceVxlanInterface).Entry(index)
		if t.Valid() {
			return &network.VXLAN{Interface: key(v), VNI: uint32(number(t, srl.TunnelInterfaceVxlanInterfaceIngressVni)), Source: r.vtep}
		}
	}
	return nil
}

// evpn is the only EVPN instance that a network instance may have (max-elements 1); nil without one.
func (r *reader) evpn(ni config.Cursor) *network.EVPN {
	for e := range entries(ni, srl.NetworkInstanceProtocolsBgpEvpnBgpInstance) {
		vpn := at(ni, srl.NetworkInstanceProtocolsBgpVpnBgpInstance).Entry(key(e))
		evi := text(e, srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceEvi)
		return &network.EVPN{
			Enabled:         enabled(e, srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceAdminState),
			EVI:             uint32(parseNumber(evi)),
			ECMP:            max(1, int(number(e, srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceEcmp))),
			RD:              r.distinguisher(vpn, evi),
			Import:          r.imported(vpn, evi),
			Export:          r.exported(vpn, evi),
			MulticastRoutes: yes(e, srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceRoutesBridgeTableInclusiveMcastAdvertise),
			MACRoutes:       yes(e, srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceRoutesBridgeTableMacIpAdvertise),
			GatewayMAC:      yes(e, srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceRoutesRouteTableMacIpAdvertiseGatewayMac),
		}
	}
	return nil
}

// distinguisher is the configured RD, or one of the system's address and the EVI
// (route-distinguisher-origin auto-derived-from-evi; RFC 7432 §7.9).
func (r *reader) distinguisher(vpn config.Cursor, evi string) network.RD {
	if rd := text(vpn, srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteDistinguisherRd); rd != "" {
		return network.RD(rd)
	}
	if !r.vtep.IsValid() {
		return "" // oper-down-reason no-loopback-address-or-rd
	}
	return network.RD(r.vtep.String() + ":" + evi)
}

// imported are the route targets that are let in: what import policies match if there are any,
// otherwise the configured one, otherwise the derived one.
func (r *reader) imported(vpn config.Cursor, evi string) []network.RT {
	if names := texts(vpn, srl.NetworkInstanceProtocolsBgpVpnBgpInstanceImportPolicy); len(names) > 0 {
		return r.targets(names, func(s network.Statement) []string { return []string{s.Match.CommunitySet} })
	}
	return r.target(text(vpn, srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteTargetImportRt), evi)
}

// exported are the route targets of announced routes, likewise.
func (r *reader) exported(vpn config.Cursor, evi string) []network.RT {
	if names := texts(vpn, srl.NetworkInstanceProtocolsBgpVpnBgpInstanceExportPolicy); len(names) > 0 {
		return r.targets(names, func(s network.Statement) []string { return []string{s.Action.Add, s.Action.Replace} })
	}
	return r.target(text(vpn, srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteTargetExportRt), evi)
}

// target is a configured route target, or one of the AS and the EVI (auto-derived-from-evi; RFC 8365 §5.1.2.1).
func (r *reader) target(configured, evi string) []network.RT {
	if rt, ok := routeTarget(configured); ok {
		return []network.RT{rt}
	}
	if r.as == "" {
		return nil // oper-down-reason no-autonomous-system-or-rt
	}
	return []network.RT{network.RT(r.as + ":" + evi)}
}

// targets are the route targets in those community sets of accepting statements that sets names.
func (r *reader) targets(policies []string, sets func(network.Statement) []string) (out []network.RT) {
	for _, name := range policies {
		for _, s := range r.policies.Policies[name].Statements {
			if s.Action.Result != network.Accept {
				continue
			}
			for _, set := range sets(s) {
				for _, member := range r.policies.Communities[set].Members {
					if rt, ok := routeTarget(member); ok {
						out = append(out, rt)
					}
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func routeTarget(community string) (network.RT, bool) {
	rt, ok := strings.CutPrefix(community, "target:")
	return network.RT(rt), ok
}

// evpn writes the states of an EVPN instance and of what it needs, and what was derived.
func (w *writer) evpn(n *network.Instance, st network.InstanceState) {
	ni := at(w.running, srl.NetworkInstance).Entry(n.Name)
	for v := range entries(ni, srl.NetworkInstanceVxlanInterface) {
		w.In(srl.NetworkInstanceVxlanInterface, key(v), func() {
			w.Str(srl.NetworkInstanceVxlanInterfaceOperState, upDown(st.VXLAN.Up))
			w.because(srl.NetworkInstanceVxlanInterfaceOperDownReason, st.VXLAN)
		})
	}
	for e := range entries(ni, srl.NetworkInstanceProtocolsBgpEvpnBgpInstance) {
		w.In(srl.NetworkInstanceProtocolsBgpEvpnBgpInstance, key(e), func() {
			w.Str(srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceOperState, upDown(st.EVPN.Up))
			w.because(srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceOperDownReason, st.EVPN)
		})
	}
	if n.EVPN == nil {
		return
	}
	for v := range entries(ni, srl.NetworkInstanceProtocolsBgpVpnBgpInstance) {
		w.In(srl.NetworkInstanceProtocolsBgpVpnBgpInstance, key(v), func() { w.vpn(v, n.EVPN) })
	}
}

// vpn writes /network-instance/protocols/bgp-vpn/bgp-instance: RD and route targets as they are, and where they
// come from.
func (w *writer) vpn(c config.Cursor, e *network.EVPN) {
	origin := "manual"
	if !has(c, srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteDistinguisherRd) && e.RD != "" {
		origin = "auto-derived-from-evi"
		w.Str(srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteDistinguisherRd, string(e.RD))
	}
	w.Str(srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteDistinguisherRouteDistinguisherOrigin, origin)
	w.routeTarget(c, e.Import, targetIDs{
		srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteTargetImportRt, srl.NetworkInstanceProtocolsBgpVpnBgpInstanceImportPolicy,
		srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteTargetImportRouteTargetOrigin}, "from-import-policy")
	w.routeTarget(c, e.Export, targetIDs{
		srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteTargetExportRt, srl.NetworkInstanceProtocolsBgpVpnBgpInstanceExportPolicy,
		srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteTargetExportRouteTargetOrigin}, "from-export-policy")
	switch {
	case e.RD == "":
		w.Str(srl.NetworkInstanceProtocolsBgpVpnBgpInstanceOperDownReason, "no-loopback-address-or-rd")
	case len(e.Import) == 0 || len(e.Export) == 0:
		w.Str(srl.NetworkInstanceProtocolsBgpVpnBgpInstanceOperDownReason, "no-autonomous-system-or-rt")
	}
}

type targetIDs struct{ rt, policy, origin config.ID }

func (w *writer) routeTarget(c config.Cursor, targets []network.RT, id targetIDs, fromPolicy string) {
	switch {
	case has(c, id.policy):
		w.Str(id.origin, fromPolicy)
	case has(c, id.rt):
		w.Str(id.origin, "manual")
	case len(targets) > 0:
		w.Str(id.rt, "target:"+string(targets[0]))
		w.Str(id.origin, "auto-derived-from-evi")
	default:
		w.Str(id.origin, "none")
	}
}
