package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// hardware returns the chassis of the device. The caller holds mu.
func (d *Device) hardware() network.Hardware { return d.body }

// Hardware returns the chassis of the device. Its slices are not to be changed.
func (d *Device) Hardware() network.Hardware {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.body
}

// assemble returns the chassis that a device has when the simulation starts. Serial number and address
// follow from its name, so that they are the same in every run, and are no other device's.
func (s *Sim) assemble(spec Spec) network.Hardware {
	h := network.Hardware{Name: spec.Name, Platform: spec.Platform, Ports: spec.Ports}
	for spare := 0; ; spare++ {
		h.Serial, h.MAC = labels(spec.Name, spare)
		taken := slices.ContainsFunc(s.devices, func(d *Device) bool { return d.body.MAC == h.MAC })
		if !taken {
			return h
		}
	}
}

// labels returns what is printed on a chassis: on the first one that a device ever had (0), or on
// another that was put in its place. The address is a locally administered one and leaves 12 bits for the
// ports, which count up from it.
func labels(name string, spare int) (serial string, base network.MAC) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", name, spare))
	n := binary.BigEndian.Uint32(sum[:]) >> 4 // 28 bits
	binary.BigEndian.PutUint32(base[1:], n<<4)
	base[0] = 2 // a group address has bit 0, a locally administered one bit 1 (IEEE 802 §8)
	return serialNumber(n), base
}

// serialNumber writes a number the way serial numbers look: a factory, year and week, and four digits
// or letters. Different numbers below 1<<28 give different ones.
func serialNumber(n uint32) string {
	week, year, unit := n%52+1, n/52%5+20, n/260
	return fmt.Sprintf("NS%02d%02d%04s", year, week, strings.ToUpper(strconv.FormatUint(uint64(unit), 36)))
}
