package srlinux

import (
	"errors"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// lags are link aggregation groups with LACP. Both leaves of an ethernet segment show the server
// one LACP system (IEEE 802.1AX §6.3.2), so that it bundles links to two boxes.
func (r renderer) lags() {
	for i := range r.d.LAGs {
		l := &r.d.LAGs[i]
		r.because(l.Ref, "lag")
		r.In(srl.Interface, lagName(l.Number), func() {
			r.Str(srl.InterfaceDescription, l.Description)
			r.enable(srl.InterfaceAdminState)
			r.portMTU(l.MTU)
			r.Str(srl.InterfaceLagLagType, "lacp")
			r.Uint(srl.InterfaceLagMinLinks, 1)
			r.Str(srl.InterfaceLagLacpInterval, "SLOW")
			r.Str(srl.InterfaceLagLacpLacpMode, "ACTIVE")
			r.Uint(srl.InterfaceLagLacpAdminKey, uint64(l.AdminKey))
			r.Str(srl.InterfaceLagLacpSystemIdMac, l.SystemMAC)
			r.bridgedSubs(l.Tagged, l.MTU, l.Subs)
		})
	}
}

func lagName(n uint32) string { return "lag" + index(n) }

// checkLAGs: the models allow lag1 to lag1000 on every platform. Numbers follow from ports, so a
// channel such as ethernet-1/7/1 (lag71) may be too high.
func checkLAGs(t *config.Tree, d *fabric.Device) error {
	var errs []error
	for i := range d.LAGs {
		if n := d.LAGs[i].Number; n > d.Platform.LAGs {
			errs = append(errs, mistake(t.Root().Child(srl.Interface).Entry(lagName(n)), "a %s has lag1 to lag%d; use another port for the LAG", d.Platform.Name, d.Platform.LAGs))
		}
	}
	return errors.Join(errs...)
}
