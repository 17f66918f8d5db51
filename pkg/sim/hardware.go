package sim

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// hardware returns the chassis of the device. The caller holds mu.
func (d *Device) hardware() network.Hardware {
	h := network.Hardware{Name: d.spec.Name, Platform: d.spec.Platform, Ports: d.spec.Ports}
	sum := sha256.Sum256([]byte(d.spec.Name))
	h.Serial = fmt.Sprintf("NS%X", sum[:5])
	copy(h.MAC[:], sum[:4])
	h.MAC[0] = h.MAC[0]&^3 | 2 // locally administered, not a group
	return h
}

// booted returns when the device booted last. The caller holds mu.
func (d *Device) booted() time.Time { return d.bootedAt }

// serverState returns what the gNMI server shows of itself. The caller holds mu.
func (d *Device) serverState() ServerState { return ServerState{} }
