package sros

import (
	"errors"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// lags are the channels between two gateways as one link, with LACP that notices when a channel ends elsewhere (IEEE 802.1AX).
// Its ports are as a network port without tags has to be.
func (r renderer) lags() {
	for i := range r.d.WAN.Trunks {
		t := &r.d.WAN.Trunks[i]
		if t.LAG == 0 {
			continue
		}
		r.because(t.Ref, "lag")
		r.In(sros.ConfigureLag, lagName(t.LAG), func() {
			r.Str(sros.ConfigureLagDescription, t.PeerName)
			r.enable(sros.ConfigureLagAdminState)
			r.Str(sros.ConfigureLagMode, "network")
			r.Str(sros.ConfigureLagEncapType, "null")
			r.Str(sros.ConfigureLagLacpMode, "active")
			r.Uint(sros.ConfigureLagLacpAdministrativeKey, uint64(t.LAG))
			for _, port := range t.Ports {
				r.In(sros.ConfigureLagPort, port, bare)
			}
		})
	}
}

const lagPrefix = "lag-"

func lagName(n uint32) string { return lagPrefix + decimal(n) }

// checkLAGs: the models have names of LAGs as text.
func checkLAGs(t *config.Tree, d *fabric.Device) error {
	var errs []error
	for i := range d.WAN.Trunks {
		if n := d.WAN.Trunks[i].LAG; n > d.Platform.LAGs {
			at := t.Root().Child(sros.Configure).Child(sros.ConfigureLag).Entry(lagName(n))
			errs = append(errs, mistake(at, "a %s has lag-1 to lag-%d", d.Platform.Name, d.Platform.LAGs))
		}
	}
	return errors.Join(errs...)
}
