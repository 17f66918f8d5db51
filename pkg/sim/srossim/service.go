package srossim

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Labels of services come from the dynamic range, above what segment routing may be given.
const firstServiceLabel, serviceLabels = 400000, 100000

// services are the VPLS and VPRN services. An R-VPLS that a VPRN routes by is part of that one.
func (r *reader) services() (out []network.Instance) {
	r.labels = r.serviceLabels()
	inner := map[string]bool{}
	for vprn := range entries(r.root, sros.ConfigureServiceVprn) {
		i, by := r.vprn(vprn)
		out = append(out, i)
		if by.Valid() {
			inner[key(by)] = true
		}
	}
	for vpls := range entries(r.root, sros.ConfigureServiceVpls) {
		if !inner[key(vpls)] {
			out = append(out, r.vpls(vpls))
		}
	}
	return out
}

// serviceLabels gives each service over MPLS a label that follows from its number, so that others keep theirs when one comes.
func (r *reader) serviceLabels() map[string]uint32 {
	type service struct {
		name string
		id   uint64
	}
	var all []service
	for s := range entries(r.root, sros.ConfigureServiceVpls) {
		all = append(all, service{key(s), number(s, sros.ConfigureServiceVplsServiceId)})
	}
	for s := range entries(r.root, sros.ConfigureServiceVprn) {
		all = append(all, service{key(s), number(s, sros.ConfigureServiceVprnServiceId)})
	}
	slices.SortFunc(all, func(a, b service) int { return strings.Compare(a.name, b.name) })
	slices.SortStableFunc(all, func(a, b service) int { return int(a.id) - int(b.id) })
	labels, taken := map[string]uint32{}, map[uint32]bool{}
	for _, s := range all {
		n := uint32(s.id % serviceLabels)
		for taken[n] {
			n = (n + 1) % serviceLabels
		}
		labels[s.name], taken[n] = firstServiceLabel+n, true
	}
	return labels
}

// side is one EVPN instance of a service, and what carries it.
type side struct {
	evpn    *network.EVPN
	vxlan   *network.VXLAN
	mpls    *network.MPLS
	network bool // what lies there is another domain than the service's own (mh-mode)
}

// put gives an instance its sides: the first one that is of the service's own domain, and another.
func put(i *network.Instance, sides []side) {
	slices.SortStableFunc(sides, func(a, b side) int { return order(a.network) - order(b.network) })
	if len(sides) > 0 {
		i.EVPN, i.VXLAN, i.MPLS = sides[0].evpn, sides[0].vxlan, sides[0].mpls
	}
	if len(sides) > 1 {
		i.Interconnect = &network.Interconnect{EVPN: sides[1].evpn, VXLAN: sides[1].vxlan, MPLS: sides[1].mpls}
	}
}

func order(later bool) int {
	if later {
		return 1
	}
	return 0
}

// vpls is a bridge.
func (r *reader) vpls(c config.Cursor) network.Instance {
	i := network.Instance{Name: key(c), Kind: network.MACVRF, Enabled: enabled(c, sros.ConfigureServiceVplsAdminState), MTU: serviceMTU(c)}
	for sap := range entries(c, sros.ConfigureServiceVplsSap) {
		i.Interfaces = append(i.Interfaces, key(sap))
	}
	slices.Sort(i.Interfaces)
	put(&i, r.vplsSides(c))
	return i
}

// serviceMTU is the largest frame that a VPLS forwards, in bytes with the ethernet header and without tags: 1514 where
// /configure/service/vpls/service-mtu does not say another.
func serviceMTU(vpls config.Cursor) uint32 {
	if n := number(vpls, sros.ConfigureServiceVplsServiceMtu); n != 0 {
		return uint32(n)
	}
	return 1514
}

// innerMTU is what an interface of a VPRN has room for: its ip-mtu, or less where the R-VPLS that it leads to does not forward as
// much. "oper-ip-mtu" shows it.
func innerMTU(iface, vpls config.Cursor) uint32 {
	most := serviceMTU(vpls) - min(14, serviceMTU(vpls))
	if n := uint32(number(iface, sros.ConfigureServiceVprnInterfaceIpMtu)); n != 0 {
		return min(n, most)
	}
	return most
}

// vplsSides are the EVPN instances of a VPLS, in the order of their numbers.
func (r *reader) vplsSides(c config.Cursor) (out []side) {
	numbered := map[string]side{}
	for e := range entries(c, sros.ConfigureServiceVplsBgpEvpnVxlan) {
		s := side{evpn: r.vplsEVPN(c, key(e)), network: text(e, sros.ConfigureServiceVplsBgpEvpnVxlanMhMode) == "network"}
		s.evpn.Enabled = enabled(e, sros.ConfigureServiceVplsBgpEvpnVxlanAdminState)
		s.evpn.ECMP = max(1, int(number(e, sros.ConfigureServiceVplsBgpEvpnVxlanEcmp)))
		s.evpn.Discovery = yes(e, sros.ConfigureServiceVplsBgpEvpnVxlanRoutesAutoDiscAdvertise)
		s.vxlan = r.vxlan(c, key(c), text(e, sros.ConfigureServiceVplsBgpEvpnVxlanVxlanInstance), sros.ConfigureServiceVplsVxlanInstance, sros.ConfigureServiceVplsVxlanInstanceVni)
		numbered[key(e)] = s
	}
	for e := range entries(c, sros.ConfigureServiceVplsBgpEvpnMpls) {
		s := side{evpn: r.vplsEVPN(c, key(e)), network: text(e, sros.ConfigureServiceVplsBgpEvpnMplsMhMode) == "network"}
		s.evpn.Enabled = enabled(e, sros.ConfigureServiceVplsBgpEvpnMplsAdminState)
		s.evpn.ECMP = max(1, int(number(e, sros.ConfigureServiceVplsBgpEvpnMplsEcmp)))
		s.mpls = &network.MPLS{Label: r.labels[key(c)], Source: r.vtep, SegmentRouting: segmentRouted(e,
			sros.ConfigureServiceVplsBgpEvpnMplsAutoBindTunnelResolution, sros.ConfigureServiceVplsBgpEvpnMplsAutoBindTunnelResolutionFilterSrIsis)}
		numbered[key(e)] = s
	}
	for _, n := range []string{"1", "2"} {
		if s, ok := numbered[n]; ok {
			out = append(out, s)
		}
	}
	return out
}

// segmentRouted tells whether a service may take the tunnels of IS-IS segment routing: any that there are, or these by name.
func segmentRouted(c config.Cursor, resolution, filter config.ID) bool {
	switch text(c, resolution) {
	case "any":
		return true
	case "filter":
		return yes(c, filter)
	}
	return false
}

// vxlan is a VXLAN instance of a service; nil where there is none of the number.
func (r *reader) vxlan(c config.Cursor, service, instance string, list, vni config.ID) *network.VXLAN {
	entry := at(c, list).Entry(instance)
	if !entry.Valid() {
		return nil
	}
	v := &network.VXLAN{Interface: tunnel(service, instance), VNI: uint32(number(entry, vni)), Source: r.vtep}
	if a := parseAddr(text(c, sros.ConfigureServiceVplsVxlanSourceVtep)); list == sros.ConfigureServiceVplsVxlanInstance && a.IsValid() {
		v.Source = a
	}
	return v
}

// tunnel names a VXLAN instance of a service.
func tunnel(service, instance string) string { return service + "/" + instance }

// vplsEVPN is what a VPLS says of one of its EVPN instances.
func (r *reader) vplsEVPN(c config.Cursor, instance string) *network.EVPN {
	bgp := at(c, sros.ConfigureServiceVplsBgp).Entry(instance)
	evi := text(c, sros.ConfigureServiceVplsBgpEvpnEvi)
	return &network.EVPN{
		EVI:             uint32(parseNumber(evi)),
		RD:              r.distinguisher(text(bgp, sros.ConfigureServiceVplsBgpRouteDistinguisher), evi, instance == "1"),
		Import:          r.targets(texts(bgp, sros.ConfigureServiceVplsBgpVsiImport), imported, evi, text(bgp, sros.ConfigureServiceVplsBgpRouteTargetImport)),
		Export:          r.targets(texts(bgp, sros.ConfigureServiceVplsBgpVsiExport), exported, evi, text(bgp, sros.ConfigureServiceVplsBgpRouteTargetExport)),
		MulticastRoutes: yes(c, sros.ConfigureServiceVplsBgpEvpnRoutesInclMcastAdvertiseIngressReplication),
		MACRoutes:       yes(c, sros.ConfigureServiceVplsBgpEvpnRoutesMacIpAdvertise),
		Domain:          text(c, sros.ConfigureServiceVplsBgpEvpnRoutesIpPrefixDomainId),
	}
}

// distinguisher is the configured RD, or in the first instance one of the system address and the EVI (RFC 7432 §7.9). One that the
// router is to choose from a range ("auto-rd") is not simulated.
func (r *reader) distinguisher(configured, evi string, first bool) network.RD {
	switch {
	case configured != "" && configured != "auto-rd":
		return network.RD(configured)
	case configured == "" && first && evi != "" && r.vtep.IsValid():
		return network.RD(r.vtep.String() + ":" + evi)
	}
	return ""
}

// targets are route targets: those of policies if there are any, otherwise the first that is configured, otherwise the one that follows
// from the EVI.
func (r *reader) targets(policies []string, of func(network.Statement) []string, evi string, configured ...string) []network.RT {
	if len(policies) > 0 {
		return r.policyTargets(policies, of)
	}
	for _, c := range configured {
		if rt, ok := routeTarget(c); ok {
			return []network.RT{rt}
		}
	}
	if r.as() == 0 || evi == "" {
		return nil
	}
	return []network.RT{network.RT(strconv.FormatUint(uint64(r.as()), 10) + ":" + evi)}
}

func routeTarget(community string) (network.RT, bool) {
	rt, ok := strings.CutPrefix(community, "target:")
	return network.RT(rt), ok
}

// policyTargets are the route targets of accepting entries.
func (r *reader) policyTargets(policies []string, of func(network.Statement) []string) (out []network.RT) {
	for _, name := range policies {
		p := r.policies.Policies[name]
		for _, s := range append(slices.Clone(p.Statements), network.Statement{Action: p.Default}) {
			if s.Action.Result != network.Accept {
				continue
			}
			for _, set := range of(s) {
				for _, m := range r.policies.Communities[set].Members {
					if rt, ok := routeTarget(m); ok {
						out = append(out, rt)
					}
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func imported(s network.Statement) []string { return []string{s.Match.CommunitySet} }

func exported(s network.Statement) []string { return []string{s.Action.Add, s.Action.Replace} }

// vprn is a router of a tenant. Its EVPN instances are the one of its own, and that of the R-VPLS which an interface with evpn-tunnel
// leads to (RFC 9136 §4.4.3); by is that one, the zero Cursor where there is none.
func (r *reader) vprn(c config.Cursor) (i network.Instance, by config.Cursor) {
	i = network.Instance{Name: key(c), Kind: network.IPVRF, Enabled: enabled(c, sros.ConfigureServiceVprnAdminState), RouterID: r.routerID()}
	if id := parseAddr(text(c, sros.ConfigureServiceVprnRouterId)); id.IsValid() {
		i.RouterID = id
	}
	var sides []side
	iface, by, on := r.innerOf(c)
	if by.Valid() {
		for _, s := range r.vplsSides(by) {
			s.evpn.Enabled = s.evpn.Enabled && on
			s.evpn.Preference, s.evpn.Choice, s.evpn.MTU = preferInner, r.innerChoice(), innerMTU(iface, by)
			s.network = false
			sides = append(sides, s)
		}
	}
	put(&i, append(sides, r.vprnSides(c)...))
	if i.Interconnect != nil {
		i.Interconnect.Uniform = yes(r.root, interfaceFulUniform)
	}
	return i, by
}

// preferInner is the preference of routes that come by an R-VPLS (EVPN-IFF) in the route table of a VPRN; those of its own EVPN
// (EVPN-IFL) have 170.
const preferInner = 169

// What passes an R-VPLS, and what decides there: for all services of the router alike. Both are off unless they are asked for.
const (
	interfaceFulUniform = sros.ConfigureServiceSystemBgpEvpnIpPrefixRoutesInterfaceFulAttributeUniformPropagation
	interfaceFulChoice  = sros.ConfigureServiceSystemBgpEvpnIpPrefixRoutesInterfaceFulBgpPathSelection
	interfaceFulLength  = sros.ConfigureServiceSystemBgpEvpnIpPrefixRoutesInterfaceFulDPathLengthIgnore
)

// innerChoice is how one of several routes is taken that have come by an R-VPLS.
func (r *reader) innerChoice() network.Choice {
	switch {
	case !yes(r.root, interfaceFulChoice):
		return network.ByDistinguisher
	case yes(r.root, interfaceFulLength):
		return network.ButDomains
	}
	return network.ByAttributes
}

// innerOf is the R-VPLS that a VPRN routes by, the interface that leads to it, and whether prefixes pass there.
func (r *reader) innerOf(vprn config.Cursor) (iface, by config.Cursor, on bool) {
	for i := range entries(vprn, sros.ConfigureServiceVprnInterface) {
		for v := range entries(i, sros.ConfigureServiceVprnInterfaceVpls) {
			inner := at(r.root, sros.ConfigureServiceVpls).Entry(key(v))
			if inner.Valid() && has(inner, sros.ConfigureServiceVplsRoutedVpls) && has(v, sros.ConfigureServiceVprnInterfaceVplsEvpnTunnel) {
				return i, inner, enabled(i, sros.ConfigureServiceVprnInterfaceAdminState) && enabled(inner, sros.ConfigureServiceVplsAdminState) &&
					yes(inner, sros.ConfigureServiceVplsBgpEvpnRoutesIpPrefixAdvertise)
			}
		}
	}
	return iface, by, false
}

// vprnSides is the EVPN instance of a VPRN itself, over MPLS or VXLAN.
func (r *reader) vprnSides(c config.Cursor) (out []side) {
	ecmp := max(1, int(number(c, sros.ConfigureServiceVprnEcmp)))
	for e := range entries(c, sros.ConfigureServiceVprnBgpEvpnMpls) {
		evi := text(e, sros.ConfigureServiceVprnBgpEvpnMplsEvi)
		both := text(e, sros.ConfigureServiceVprnBgpEvpnMplsVrfTargetCommunity)
		out = append(out, side{network: true, evpn: &network.EVPN{
			Enabled: enabled(e, sros.ConfigureServiceVprnBgpEvpnMplsAdminState), EVI: evpnNumber(c, evi), ECMP: ecmp,
			RD:     r.distinguisher(text(e, sros.ConfigureServiceVprnBgpEvpnMplsRouteDistinguisher), evi, true),
			Import: r.targets(texts(e, sros.ConfigureServiceVprnBgpEvpnMplsVrfImportPolicy), imported, evi, text(e, sros.ConfigureServiceVprnBgpEvpnMplsVrfTargetImportCommunity), both),
			Export: r.targets(texts(e, sros.ConfigureServiceVprnBgpEvpnMplsVrfExportPolicy), exported, evi, text(e, sros.ConfigureServiceVprnBgpEvpnMplsVrfTargetExportCommunity), both),
			Domain: text(e, sros.ConfigureServiceVprnBgpEvpnMplsDomainId),
		}, mpls: &network.MPLS{Label: r.labels[key(c)], Source: r.vtep, SegmentRouting: segmentRouted(e,
			sros.ConfigureServiceVprnBgpEvpnMplsAutoBindTunnelResolution, sros.ConfigureServiceVprnBgpEvpnMplsAutoBindTunnelResolutionFilterSrIsis)}})
	}
	for e := range entries(c, sros.ConfigureServiceVprnBgpEvpnVxlan) {
		evi := text(e, sros.ConfigureServiceVprnBgpEvpnVxlanEvi)
		both := text(e, sros.ConfigureServiceVprnBgpEvpnVxlanVrfTargetCommunity)
		out = append(out, side{network: true, evpn: &network.EVPN{
			Enabled: enabled(e, sros.ConfigureServiceVprnBgpEvpnVxlanAdminState), EVI: evpnNumber(c, evi), ECMP: ecmp,
			RD:     r.distinguisher(text(e, sros.ConfigureServiceVprnBgpEvpnVxlanRouteDistinguisher), evi, true),
			Import: r.targets(texts(e, sros.ConfigureServiceVprnBgpEvpnVxlanVrfImportPolicy), imported, evi, text(e, sros.ConfigureServiceVprnBgpEvpnVxlanVrfTargetImportCommunity), both),
			Export: r.targets(texts(e, sros.ConfigureServiceVprnBgpEvpnVxlanVrfExportPolicy), exported, evi, text(e, sros.ConfigureServiceVprnBgpEvpnVxlanVrfTargetExportCommunity), both),
			Domain: text(e, sros.ConfigureServiceVprnBgpEvpnVxlanDomainId),
		}, vxlan: r.vxlan(c, key(c), text(e, sros.ConfigureServiceVprnBgpEvpnVxlanVxlanInstance), sros.ConfigureServiceVprnVxlanInstance, sros.ConfigureServiceVprnVxlanInstanceVni)})
	}
	return out
}

// evpnNumber is the EVI of a VPRN. It needs none, where its RD and its targets do not follow from it: then its own number stands for it.
func evpnNumber(c config.Cursor, evi string) uint32 {
	if n := uint32(parseNumber(evi)); n != 0 {
		return n
	}
	return uint32(number(c, sros.ConfigureServiceVprnServiceId))
}

// saps are the subinterfaces of bridges: a port, or a tag of one.
func (r *reader) saps(parents map[string]parent) (out []network.Subinterface) {
	for vpls := range entries(r.root, sros.ConfigureServiceVpls) {
		for sap := range entries(vpls, sros.ConfigureServiceVplsSap) {
			name, tag, _ := strings.Cut(key(sap), ":")
			s := network.Subinterface{
				Name: key(sap), Parent: name, Kind: network.Bridged, MAC: parents[name].mac,
				Enabled: enabled(sap, sros.ConfigureServiceVplsSapAdminState),
				L2MTU:   serviceMTU(vpls), // on a port that takes less it stays down
			}
			if parents[name].tagged {
				vlan := uint16(parseNumber(tag))
				s.VLAN = network.VLAN{Tagged: true, Low: vlan, High: vlan}
				s.L2MTU += 4
			}
			out = append(out, s)
		}
	}
	return out
}
