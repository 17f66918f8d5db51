package transponder

import (
	"strings"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// markPrefix begins the text that says whose a device is.
const markPrefix = "loom: "

// names tells the device's neighbors what it is called and whose it is. The text of LLDP's system description is the
// mark by which Loom knows a device that it has configured before: the one leaf of free text that every kind of
// device has and that changes nothing. Components have no description that can be set, amplifiers have none at all,
// and a banner is a matter of openconfig-system, which line systems often lack.
func (r renderer) names() {
	r.because(r.d.Ref, "host name")
	r.Str(oc.LldpConfigSystemName, r.d.Name)
	r.because(r.d.Ref, "mark")
	r.Str(oc.LldpConfigSystemDescription, markPrefix+owner(r.d))
}

func owner(d *fabric.Device) string { return d.Topology + "/" + d.Name }

// Mark tells whether a running configuration says that it came from Loom, for this very device of this very topology.
// A device without it is met for the first time.
func Mark(running *config.Tree, d *fabric.Device) bool { return Owner(running) == owner(d) }

// Owner is the topology and the device that a running configuration says it came from, with a slash between; "" where
// it does not say that Loom made it.
func Owner(running *config.Tree) string {
	text, ok := strings.CutPrefix(at(running.Root(), oc.LldpConfigSystemDescription).Value(), markPrefix)
	if !ok {
		return ""
	}
	return text
}
