package srlinux

import (
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// system names the device and lets it tell its neighbours.
func (r renderer) system() {
	r.because(r.d.Ref, "host name")
	r.Str(srl.SystemNameHostName, r.d.Name)
	r.because(r.d.Ref, "lldp")
	r.enable(srl.SystemLldpAdminState)
}

// loopback is system0: router id, VTEP and the source of overlay sessions. Its description is the
// mark by which Loom knows a device that it has configured before.
func (r renderer) loopback() {
	r.In(srl.Interface, "system0", func() {
		r.because(r.d.Ref, "mark")
		r.Str(srl.InterfaceDescription, mark(r.d))
		r.because(r.d.Ref, "loopback")
		r.enable(srl.InterfaceAdminState)
		r.In(srl.InterfaceSubinterface, "0", func() {
			r.enable(srl.InterfaceSubinterfaceAdminState)
			r.enable(srl.InterfaceSubinterfaceIpv4AdminState)
			r.In(srl.InterfaceSubinterfaceIpv4Address, r.d.Loopback.String()+"/32", bare)
			r.loopback6()
		})
	})
}

// markPrefix begins the description that says whose a device is.
const markPrefix = "loom: "

// mark is the text that says whose the device is.
func mark(d *fabric.Device) string { return markPrefix + owner(d) }

func owner(d *fabric.Device) string { return d.Topology + "/" + d.Name }

// Mark tells whether a running configuration says that it came from Loom, for this very device of
// this very topology. A device without it is met for the first time.
func Mark(running *config.Tree, d *fabric.Device) bool { return Owner(running) == owner(d) }

// Owner is the topology and the device that a running configuration says it came from, with a
// slash between; "" where it does not say that Loom made it.
func Owner(running *config.Tree) string {
	at := running.Find(config.Path{
		{Name: "interface", Keys: []config.KeyValue{{Name: "name", Value: "system0"}}},
		{Name: "description"},
	})
	if !at.Valid() {
		return ""
	}
	text, ok := strings.CutPrefix(at.Value(), markPrefix)
	if !ok {
		return ""
	}
	return text
}
