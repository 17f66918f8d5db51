package sros

import (
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// system names the device and lets it tell its neighbours.
func (r renderer) system() {
	r.because(r.d.Ref, "host name")
	r.Str(sros.ConfigureSystemName, r.d.Name)
	r.because(r.d.Ref, "lldp")
	r.enable(sros.ConfigureSystemLldpAdminState)
}

// systemInterface is the interface "system": router id, VTEP and the source of overlay sessions. Tunnels end at its address without
// further ado; at another they would need a forwarding path extension (/configure/fwd-path-ext). Its description is the mark by
// which Loom knows a device that it has configured before.
func (r renderer) systemInterface() {
	r.In(sros.ConfigureRouterInterface, systemInterface, func() {
		r.because(r.d.Ref, "mark")
		r.Str(sros.ConfigureRouterInterfaceDescription, mark(r.d))
		r.because(r.d.Ref, "loopback")
		r.enable(sros.ConfigureRouterInterfaceAdminState)
		r.Str(sros.ConfigureRouterInterfaceIpv4PrimaryAddress, r.d.Loopback.String())
		r.Uint(sros.ConfigureRouterInterfaceIpv4PrimaryPrefixLength, 32)
		r.loopback6()
	})
}

const systemInterface = "system"

// markPrefix begins the description that says whose a device is.
const markPrefix = "loom: "

// mark is the text that says whose the device is.
func mark(d *fabric.Device) string { return markPrefix + owner(d) }

func owner(d *fabric.Device) string { return d.Topology + "/" + d.Name }

// Mark tells whether a running configuration says that it came from Loom, for this very device of this very topology. A device
// without it is met for the first time.
func Mark(running *config.Tree, d *fabric.Device) bool { return Owner(running) == owner(d) }

// Owner is the topology and the device that a running configuration says it came from, with a slash between; "" where it does
// not say that Loom made it.
func Owner(running *config.Tree) string {
	at := running.Find(pathOf(basePath + "/interface[interface-name=" + systemInterface + "]/description"))
	if !at.Valid() {
		return ""
	}
	text, ok := strings.CutPrefix(at.Value(), markPrefix)
	if !ok {
		return ""
	}
	return text
}
