package sros

import (
	"sync"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

const basePath = "/configure/router[router-name=" + base + "]"

// ownership is what Loom owns on an SR OS router. What no line names is never looked at: users, certificates, gRPC, logging, time and
// filters stay with whoever set them, and so do routers other than the base router.
var ownership = []struct {
	path string
	own  config.Ownership
	why  string
}{
	{"/configure/card", config.Entry, "ports are on cards"},
	{"/configure/sfm", config.Entry, "cards speak to each other over them"},
	{"/configure/port[port-id=A/*]", config.Never, "the controller's own way to the device"},
	{"/configure/port[port-id=B/*]", config.Never, "the controller's own way to the device"},
	{"/configure/lag", config.Entry, "channels between two gateways as one link"},
	{"/configure/policy-options/policy-statement", config.Whole, "a foreign policy could change what is announced"},
	{"/configure/policy-options/prefix-list", config.Whole, "as policies"},
	{"/configure/policy-options/community", config.Whole, "as policies"},
	{"/configure/policy-options/extended-community-set", config.Whole, "as policies"},
	{basePath + "/autonomous-system", config.Whole, "the AS that gateways share"},
	{basePath + "/router-id", config.Whole, "others know the router by it"},
	{basePath + "/ecmp", config.Whole, "paths of the underlay"},
	{basePath + "/interface", config.Whole, "loopback, fabric links and trunks"},
	{basePath + "/ipv6/router-advertisement/interface", config.Whole, "neighbors on unnumbered links"},
	{basePath + "/mpls-labels/sr-labels", config.Whole, "labels of gateways"},
	{basePath + "/bgp", config.Whole, "underlay and overlay"},
	{basePath + "/isis[isis-instance=" + wanInstance + "]", config.Whole, "reachability between gateways"},
	{"/configure/service/customer[customer-name=" + customer + "]", config.Whole, "whom stitched services are for"},
	{"/configure/service/vpls", config.Whole, "segments between the fabric and other sites, and tenants towards the fabric"},
	{"/configure/service/vprn", config.Whole, "tenants between the fabric and other sites"},
	{"/configure/service/system/bgp/evpn/ethernet-segment", config.Whole, "the segment that the gateways of a site share"},
	{"/configure/service/system/bgp/evpn/ip-prefix-routes/interface-ful", config.Whole, "what prefixes keep on the way through a tenant"},
	{"/configure/system/name", config.Whole, "LLDP and telemetry name the device by it"},
	{"/configure/system/lldp", config.Whole, "cabling is checked by LLDP"},
	{"/configure/system/grpc", config.Never, "the controller's own way to the device"},
	{"/configure/system/security", config.Never, "who may log in"},
	{"/configure/system/management-interface", config.Never, "the controller's own way to the device"},
}

// owned is the table as rules; reading it once is enough, for nobody changes a rule.
var owned = sync.OnceValue(func() config.Scope {
	var s config.Scope
	for _, o := range ownership {
		s = append(s, rule(o.path, o.own, o.why))
	}
	return s
})

// Scope is the part of a device's configuration that Loom owns. Ports are owned entry by entry, as far as the topology uses them, or
// all of them where it wants unused ports disabled; the channels of a connector go with it.
func Scope(d *fabric.Device) config.Scope {
	ports := config.Entry
	if len(d.Unused) > 0 {
		ports = config.Whole
	}
	s := config.Scope{rule("/configure/port", ports, "fabric ports")}
	if ports == config.Entry {
		for i := range d.Breakouts {
			s = append(s, rule("/configure/port[port-id="+d.Breakouts[i].Port+"/*]", config.Whole, "channels of a connector that the topology uses"))
		}
	}
	s = append(s, owned()...)
	for _, leaf := range d.Raw {
		if p, err := config.ParsePath(leaf.Path); err == nil {
			s = append(s, config.Rule{Path: p, Own: config.Whole, Why: "set by the topology"})
		}
	}
	return s
}

func rule(path string, own config.Ownership, why string) config.Rule {
	return config.Rule{Path: pathOf(path), Own: own, Why: why}
}

// pathOf panics on a path that does not parse: those that it is given are the programmer's.
func pathOf(text string) config.Path {
	p, err := config.ParsePath(text)
	if err != nil {
		panic(err)
	}
	return p
}
