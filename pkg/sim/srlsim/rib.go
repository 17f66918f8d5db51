package srlsim

import (
	"fmt"
	"slices"
	"strconv"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// rib writes /network-instance/bgp-rib of the default instance: what neighbors have sent, as import policies
// have left it, with the attributes in sets that routes share.
func (w *writer) rib() {
	i := slices.IndexFunc(w.router.Instances, func(n network.Instance) bool { return n.Kind == network.Default && n.BGP != nil })
	if i < 0 {
		return
	}
	r := ribWriter{writer: w, name: w.router.Instances[i].Name, sets: map[uint64]bool{}}
	for _, name := range familyNames {
		for j := range w.state.Paths[families[name]] {
			p := &w.state.Paths[families[name]][j]
			if p.From >= 0 && p.From < len(w.state.Sessions) {
				r.path(name, p)
			}
		}
	}
}

type ribWriter struct {
	*writer
	name string
	sets map[uint64]bool // written
}

// path writes one path.
func (r *ribWriter) path(family string, p *network.Path) {
	list, keys := ribList(p)
	if list == config.Root {
		return
	}
	session := &r.state.Sessions[p.From]
	keys = append(keys, session.Peer.String(), "0")
	base := item(item(nil, srl.NetworkInstance, r.name).Child("bgp-rib"), srl.NetworkInstanceBgpRibAfiSafi, "srl_nokia-common:"+family)
	entry := item(below(base, srl.NetworkInstanceBgpRibAfiSafi, srl.Schema.Nodes[list].Parent), list, keys...)
	set := func(name, value string) { r.SetPath(entry.Child(name), value) }
	set("attr-id", strconv.FormatUint(r.attributes(p), 10))
	set("used-route", strconv.FormatBool(p.Used))
	set("valid-route", strconv.FormatBool(p.Valid && !p.Rejected))
	set("best-route", strconv.FormatBool(p.Best))
	if as := peerOf(session); as != 0 {
		set("neighbor-as", decimal(as))
	}
	switch {
	case p.Rejected:
		r.SetPath(entry.Child("invalid-reason").Child("rejected-route"), "true")
	case !p.Valid:
		r.SetPath(entry.Child("invalid-reason").Child("next-hop-unresolved"), "true")
	}
	r.labels(entry, p)
}

// ribList returns the list that a path belongs to, with its keys but for neighbor and path id; Root where it
// belongs to none.
func ribList(p *network.Path) (config.ID, []string) {
	rd, tag, esi := string(p.RD), decimal(p.Tag), esiText(p.ESI)
	if p.Family == network.L2EVPN && rd == "" {
		return config.Root, nil
	}
	switch {
	case p.Family == network.IPv4:
		return srl.NetworkInstanceBgpRibAfiSafiIpv4UnicastRibInOutRibInPostRoute, []string{p.Prefix.String()}
	case p.Family == network.IPv6:
		return srl.NetworkInstanceBgpRibAfiSafiIpv6UnicastRibInOutRibInPostRoute, []string{p.Prefix.String()}
	case p.Type == network.EthernetAD:
		return srl.NetworkInstanceBgpRibAfiSafiEvpnRibInOutRibInPostEthernetAdRoute, []string{rd, esi, tag}
	case p.Type == network.MACIP:
		ip := "0.0.0.0"
		if p.Prefix.IsValid() {
			ip = p.Prefix.Addr().String()
		}
		return srl.NetworkInstanceBgpRibAfiSafiEvpnRibInOutRibInPostMacIpRoute, []string{rd, "48", p.MAC.String(), ip, tag}
	case p.Type == network.InclusiveMulticast:
		return srl.NetworkInstanceBgpRibAfiSafiEvpnRibInOutRibInPostImetRoute, []string{rd, p.Prefix.Addr().String(), tag}
	case p.Type == network.EthernetSegmentRoute:
		return srl.NetworkInstanceBgpRibAfiSafiEvpnRibInOutRibInPostEthernetSegmentRoute, []string{rd, esi, p.Prefix.Addr().String()}
	case p.Type == network.IPPrefix:
		return srl.NetworkInstanceBgpRibAfiSafiEvpnRibInOutRibInPostIpPrefixRoute, []string{rd, tag, strconv.Itoa(p.Prefix.Bits()), p.Prefix.String()}
	}
	return config.Root, nil
}

// labels writes the VNIs of an EVPN route, and what else stands beside its key.
func (r *ribWriter) labels(entry config.Path, p *network.Path) {
	label := func(name string, vni uint32) {
		r.SetPath(entry.Child(name).Child("value"), decimal(vni))
		r.SetPath(entry.Child(name).Child("value-type"), "vni")
	}
	if p.Family != network.L2EVPN {
		return
	}
	switch p.Type {
	case network.EthernetAD:
		label("label", p.VNI)
	case network.MACIP:
		r.SetPath(entry.Child("esi"), esiText(p.ESI2))
		label("label1", p.VNI)
		if p.VNI2 != 0 {
			label("label2", p.VNI2)
		}
	case network.IPPrefix:
		gateway := "0.0.0.0"
		if p.Gateway.IsValid() {
			gateway = p.Gateway.String()
		}
		r.SetPath(entry.Child("gateway-ip"), gateway)
		label("label", p.VNI)
	}
}

// attributes returns the number of a set of attributes, and writes the set if it is new.
func (r *ribWriter) attributes(p *network.Path) uint64 {
	ext := extended(p)
	id := numberOf(p.NextHop, p.ASPath, p.LocalPref, p.MED, p.Originator, p.Cluster, p.Communities, ext)
	if r.sets[id] {
		return id
	}
	r.sets[id] = true
	r.In(srl.NetworkInstance, r.name, func() {
		r.In(srl.NetworkInstanceBgpRibAttrSetsAttrSet, strconv.FormatUint(id, 10), func() {
			r.asPath(p.ASPath)
			r.Str(srl.NetworkInstanceBgpRibAttrSetsAttrSetOrigin, "igp")
			if p.NextHop.IsValid() {
				r.Str(srl.NetworkInstanceBgpRibAttrSetsAttrSetNextHop, p.NextHop.String())
			}
			r.Uint(srl.NetworkInstanceBgpRibAttrSetsAttrSetMed, uint64(p.MED))
			r.Uint(srl.NetworkInstanceBgpRibAttrSetsAttrSetLocalPref, uint64(p.LocalPref))
			if p.Originator.IsValid() {
				r.Str(srl.NetworkInstanceBgpRibAttrSetsAttrSetOriginatorId, p.Originator.String())
			}
			for _, c := range p.Cluster {
				r.Add(srl.NetworkInstanceBgpRibAttrSetsAttrSetClusterList, c.String())
			}
			for _, c := range p.Communities {
				r.Add(srl.NetworkInstanceBgpRibAttrSetsAttrSetCommunitiesCommunity, c)
			}
			for _, c := range ext {
				r.Add(srl.NetworkInstanceBgpRibAttrSetsAttrSetCommunitiesExtCommunity, c)
			}
		})
	})
	return id
}

// asPath writes an AS path. A leaf-list of a tree has no value twice, so an AS that occurs again begins
// another segment, which means the same (RFC 4271 §4.3).
func (r *ribWriter) asPath(path []uint32) {
	for index := 0; len(path) > 0; index++ {
		n := 1
		for n < len(path) && !slices.Contains(path[:n], path[n]) {
			n++
		}
		r.In(srl.NetworkInstanceBgpRibAttrSetsAttrSetAsPathSegment, strconv.Itoa(index), func() {
			r.Str(srl.NetworkInstanceBgpRibAttrSetsAttrSetAsPathSegmentType, "as-sequence")
			for _, as := range path[:n] {
				r.Add(srl.NetworkInstanceBgpRibAttrSetsAttrSetAsPathSegmentMember, decimal(as))
			}
		})
		path = path[n:]
	}
}

// extended are the extended communities of a path, as the router words them.
func extended(p *network.Path) (out []string) {
	for _, rt := range p.Targets {
		out = append(out, "target:"+string(rt))
	}
	switch p.Encap {
	case network.OverVXLAN:
		out = append(out, "bgp-tunnel-encap:VXLAN")
	case network.OverMPLS:
		out = append(out, "bgp-tunnel-encap:MPLS")
	}
	if p.RouterMAC != (network.MAC{}) {
		out = append(out, "mac-nh:"+p.RouterMAC.String())
	}
	if p.ESImport != (network.MAC{}) {
		out = append(out, "es-import:"+p.ESImport.String())
	}
	if p.ESILabel {
		mode := "All-Active"
		if p.SingleActive {
			mode = "Single-Active"
		}
		out = append(out, "esi-label:0/"+mode)
	}
	if p.DF != nil {
		out = append(out, fmt.Sprintf("df-election:preference %t/%d", p.DF.Preference, p.DF.Value))
	}
	if p.Static {
		out = append(out, "mac-mobility:Seq:0/Static")
	}
	if p.Default {
		out = append(out, "default-gateway")
	}
	return out
}
