package srlsim

import (
	"github.com/loomfabric/loom/models/hardware"
	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// What the models say of all platforms in must statements and descriptions (srl_nokia-interfaces.yang, /interface/mtu).
const (
	smallestFrame     = 1500 // the range begins at 1450, for other kinds of interfaces
	largestManagement = 9216 // of mgmt0
	smallestPacket    = 1280
)

// limits are the MTUs that a platform has: the ranges in the models are those of the largest one.
func limits(h network.Hardware, leaf config.Cursor) (r config.Range, ok bool) {
	box, known := hardware.Lookup(h.Platform)
	if !known {
		return r, false
	}
	switch leaf.ID() {
	case srl.InterfaceMtu:
		if leaf.Path()[0].Keys[0].Value == management {
			return config.Range{Min: smallestFrame, Max: largestManagement}, true
		}
		return config.Range{Min: smallestFrame, Max: int64(box.PortMTU)}, true
	case srl.InterfaceSubinterfaceL2Mtu:
		return config.Range{Min: smallestFrame, Max: int64(box.PortMTU)}, true
	case srl.InterfaceSubinterfaceIpMtu:
		return config.Range{Min: smallestPacket, Max: int64(box.IPMTU)}, true
	}
	return r, false
}
