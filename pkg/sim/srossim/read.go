package srossim

import (
	"fmt"
	"net/netip"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// base is the router that every box has, and the only one that is simulated beside services.
const base = "Base"

// reader reads one configuration.
type reader struct {
	root    config.Cursor
	router  config.Cursor // Base
	h       network.Hardware
	release string

	vtep     netip.Addr // IPv4 address of the interface "system"
	policies network.Policies
	labels   map[string]uint32 // of services
}

// read says what a running configuration means.
func read(h network.Hardware, running *config.Tree) *network.Router {
	r := &reader{root: running.Root(), h: h, release: running.Release()}
	r.router = at(r.root, sros.ConfigureRouter).Entry(base)
	r.policies = r.routingPolicies()
	ports, lags := r.ports(), r.lags()
	subs := r.interfaces(ports, lags)
	r.vtep = systemAddress(subs)
	return &network.Router{
		Name:          h.Name,
		System:        r.systemName(),
		Description:   description(h, r.release),
		Chassis:       h.MAC,
		Ports:         ports,
		LAGs:          lags,
		Subinterfaces: subs,
		Instances:     r.instances(subs),
		Segments:      r.segments(),
		Policies:      r.policies, // after the instances, which narrow some
	}
}

// systemAddress is the address that services use.
func systemAddress(subs []network.Subinterface) netip.Addr {
	for _, s := range subs {
		if s.Name == systemInterface && s.Enabled {
			for _, a := range s.Addresses {
				if a.Prefix.Addr().Is4() {
					return a.Prefix.Addr()
				}
			}
		}
	}
	return netip.Addr{}
}

// systemName is the configured name, or the one that the device was started with.
func (r *reader) systemName() string {
	if name := text(r.root, sros.ConfigureSystemName); name != "" {
		return name
	}
	return r.h.Name
}

// version is a release as the box writes it: "C-26.3.R1".
func version(release string) string { return "C-" + release + ".R1" }

// description is how the router introduces itself in LLDP.
func description(h network.Hardware, release string) string {
	return fmt.Sprintf("TiMOS-%s %s, simulated", version(release), h.Platform)
}
