package sros

import (
	"iter"
	"math"
	"strconv"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
)

// pluggables are connectors. The admin-state of one is the switch of its laser.
var pluggables = driver.Pluggables{
	Lasers: lasers,
	Settings: []string{
		"admin-state",
		"connector/breakout",
		"transceiver/digital-coherent-optics",
		"dwdm/frequency",
		"dwdm/coherent/compatibility",
		"dwdm/coherent/rx-los-reaction",
		"dwdm/coherent/rx-los-thresh",
	},
	Power: "dwdm/coherent/target-power",
	Off:   func(driver.Laser) (leaf, value string) { return "admin-state", switchedOff },
}

func lasers(t *config.Tree) iter.Seq2[string, driver.Laser] {
	return func(yield func(string, driver.Laser) bool) {
		for name, p := range (observation{t.Root()}).entries(sros.ConfigurePort) {
			if !yield(name, driver.Laser{
				Port: p.Cursor, Lit: p.lit(), Frequency: p.text(frequency), Mode: p.text(mode),
				Power: p.power(), Parts: p.text(sros.ConfigurePortConnectorBreakout),
			}) {
				return
			}
		}
	}
}

// lit tells whether a connector sends coherent light.
func (o observation) lit() bool {
	return o.Valid() && o.text(isCoherent) == "true" && o.has(frequency) && o.text(sros.ConfigurePortAdminState) == "enable"
}

// power is that of the transmitter in hundredths of a dBm.
func (o observation) power() int {
	v, _ := strconv.ParseFloat(o.text(targetPower), 64) // the schema has checked it
	return int(math.Round(v * 100))
}
