package srlinux

import (
	"iter"
	"math"
	"strconv"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
)

const channelPath = "transceiver/optical-channel[index=" + onlyChannel + "]/"

// pluggables are coherent transceivers of ports.
var pluggables = driver.Pluggables{
	Lasers: lasers,
	Settings: []string{
		"admin-state",
		"num-physical-channels",
		"ethernet/port-speed",
		"transceiver/functional-type",
		"transceiver/tx-laser",
		channelPath + "frequency",
		channelPath + "operational-mode",
		channelPath + "rx-los-reaction",
		channelPath + "rx-los-thresh",
	},
	Power: channelPath + "target-power",
	Off: func(l driver.Laser) (leaf, value string) {
		if l.Parts != "" { // a port that is broken out has no laser of its own to switch
			return "admin-state", switchedOff
		}
		return "transceiver/tx-laser", "false"
	},
}

func lasers(t *config.Tree) iter.Seq2[string, driver.Laser] {
	return func(yield func(string, driver.Laser) bool) {
		for name, p := range (observation{t.Root()}).entries(srl.Interface) {
			c := p.opticalChannel()
			if !yield(name, driver.Laser{
				Port: p.Cursor, Lit: p.lit(), Frequency: c.text(frequency), Mode: c.text(operationMode),
				Power: p.power(), Parts: p.parts(),
			}) {
				return
			}
		}
	}
}

// lit tells whether a port sends coherent light.
func (o observation) lit() bool {
	return o.Valid() && o.opticalChannel().Valid() && o.text(functionalType) == coherent &&
		o.text(laser) != "false" && o.text(srl.InterfaceAdminState) != switchedOff
}

// parts are what a port is broken out into; "" where it is whole.
func (o observation) parts() string {
	b := o.at(srl.InterfaceBreakoutMode)
	if !b.Valid() {
		return ""
	}
	return b.text(srl.InterfaceBreakoutModeNumBreakoutPorts) + "x" + b.text(srl.InterfaceBreakoutModeBreakoutPortSpeed)
}

// power is that of the transmitter in hundredths of a dBm.
func (o observation) power() int {
	v, _ := strconv.ParseFloat(o.opticalChannel().text(targetPower), 64) // the schema has checked it
	return int(math.Round(v * 100))
}

func (o observation) opticalChannel() observation {
	if list := o.at(optical); list.Valid() {
		return observation{list.Entry(onlyChannel)}
	}
	return observation{}
}
