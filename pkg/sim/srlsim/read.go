package srlsim

import (
	"fmt"
	"net/netip"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// reader reads one configuration.
type reader struct {
	root    config.Cursor
	h       network.Hardware
	release string

	subs     map[string]*network.Subinterface // by name
	vtep     netip.Addr                       // IPv4 address of system0.0
	as       string                           // of the default instance
	policies network.Policies
}

// read says what a running configuration means.
func read(h network.Hardware, running *config.Tree) *network.Router {
	r := &reader{root: running.Root(), h: h, release: running.Release()}
	ports, lags := r.ports(), r.lags()
	subs := r.subinterfaces(ports, lags)
	r.index(subs)
	r.policies = r.routingPolicies()
	return &network.Router{
		Name:          h.Name,
		System:        r.systemName(),
		Description:   description(h, r.release),
		Chassis:       h.MAC,
		Management:    r.management(),
		Ports:         ports,
		LAGs:          lags,
		Subinterfaces: subs,
		Instances:     r.instances(),
		Segments:      r.segments(),
		Policies:      r.policies, // after the instances, which may narrow some
	}
}

// index keeps what features want of each other.
func (r *reader) index(subs []network.Subinterface) {
	r.subs = make(map[string]*network.Subinterface, len(subs))
	for i := range subs {
		r.subs[subs[i].Name] = &subs[i]
	}
	for ni := range entries(r.root, srl.NetworkInstance) {
		if local(text(ni, srl.NetworkInstanceType)) == "default" {
			r.as = text(ni, srl.NetworkInstanceProtocolsBgpAutonomousSystem)
			if has(ni, srl.NetworkInstanceInterface) && at(ni, srl.NetworkInstanceInterface).Entry("system0.0").Valid() {
				r.vtep = addressOf(r.subs["system0.0"], netip.Addr.Is4)
			}
		}
	}
}

// addressOf returns the first address of a subinterface that is of a family, whether it is up or not.
func addressOf(s *network.Subinterface, family func(netip.Addr) bool) netip.Addr {
	if s == nil {
		return netip.Addr{}
	}
	for _, a := range s.Addresses {
		if family(a.Prefix.Addr()) {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// systemName is the host name, or the name that the device was started with.
func (r *reader) systemName() string {
	if name := text(r.root, srl.SystemNameHostName); name != "" {
		return name
	}
	return r.h.Name
}

// description is how the router introduces itself (/system/information/description).
func description(h network.Hardware, release string) string {
	return fmt.Sprintf("Nokia SR Linux %s, %s, simulated", release, h.Platform)
}
