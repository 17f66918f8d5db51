package srlinux

import (
	"sync"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// ownership is what Loom owns on an SR Linux router. What no line names is never looked at:
// AAA, certificates, gRPC servers, logging, NTP and DNS stay with whoever set them.
var ownership = []struct {
	path string
	own  config.Ownership
	why  string
}{
	{"/interface[name=mgmt0]", config.Never, "the controller's own way to the device"},
	{"/interface[name=system0]", config.Whole, "loopback: router id and VTEP"},
	{"/interface[name=lag*]", config.Whole, "link aggregation groups"},
	{"/interface[name=ethernet-*]/ethernet/aggregate-id", config.Whole, "a LAG cannot go while a port refers to it"},
	{"/interface[name=irb*]", config.Whole, "anycast gateways"},
	{"/network-instance[name=mgmt]", config.Never, "the controller's own way to the device"},
	{"/network-instance", config.Whole, "underlay, overlay and tenants"},
	{"/tunnel-interface", config.Whole, "VXLAN interfaces"},
	{"/routing-policy/policy", config.Whole, "a foreign policy could change what is announced"},
	{"/routing-policy/prefix-set", config.Whole, "as policies"},
	{"/routing-policy/community-set[name=loom-*]", config.Whole, "what a drained router marks its routes with"},
	{"/bfd", config.Whole, "BFD on fabric links"},
	{"/system/name/host-name", config.Whole, "LLDP and telemetry name the device by it"},
	{"/system/lldp", config.Whole, "cabling is checked by LLDP"},
	{"/system/network-instance", config.Whole, "ethernet segments"},
}

// owned is the table as rules; reading it once is enough, for nobody changes a rule.
var owned = sync.OnceValue(func() config.Scope {
	var s config.Scope
	for _, o := range ownership {
		s = append(s, rule(o.path, o.own, o.why))
	}
	return s
})

// Scope is the part of a device's configuration that Loom owns. Ethernet ports are owned entry by
// entry, as far as the topology uses them, or all of them where it wants unused ports disabled.
func Scope(d *fabric.Device) config.Scope {
	ports := config.Entry
	if len(d.Unused) > 0 {
		ports = config.Whole
	}
	s := config.Scope{rule("/interface[name=ethernet-*]", ports, "fabric and access ports")}
	if ports == config.Entry {
		s = append(s, channels(d)...)
	}
	s = append(s, owned()...)
	for _, leaf := range d.Raw {
		if p, err := config.ParsePath(leaf.Path); err == nil {
			s = append(s, config.Rule{Path: p, Own: config.Whole, Why: "set by the topology"})
		}
	}
	return s
}

// channels are owned with the port that has them: a port that is no longer broken out must not keep
// ethernet-1/3/1 beside it.
func channels(d *fabric.Device) config.Scope {
	var s config.Scope
	add := func(port string) {
		if i := d.Platform.PortIndex(port); i >= 0 && len(d.Platform.Ports[i].Breakouts) > 0 {
			s = append(s, rule("/interface[name="+port+"/*]", config.Whole, "channels of a port that the topology uses"))
		}
	}
	for i := range d.Links {
		add(d.Links[i].Port)
	}
	for i := range d.Ports {
		add(d.Ports[i].Port)
	}
	for i := range d.Breakouts {
		add(d.Breakouts[i].Port)
	}
	return s
}

// rule panics on a path that does not parse: the table above is the programmer's.
func rule(path string, own config.Ownership, why string) config.Rule {
	p, err := config.ParsePath(path)
	if err != nil {
		panic(err)
	}
	return config.Rule{Path: p, Own: own, Why: why}
}
