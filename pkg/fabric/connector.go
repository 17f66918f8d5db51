package fabric

import (
	"fmt"
	"strings"
)

// On platforms with connectors a link never uses a port of the front panel itself: that is broken out, if only into one
// channel, and the link has the channel.

// whole is a port of the front panel as a link has it that needs all of it.
func (n *node) whole(index int) portID {
	if n.platform.Connectors {
		return portID{index: int16(index), channel: 1}
	}
	return portID{index: int16(index)}
}

// connector is the connector of a port that light goes through, which may be given by its channel.
func (n *node) connector(name string) string {
	if front, whole := strings.CutSuffix(name, "/1"); whole && n.platform.Connectors && n.platform.PortIndex(front) >= 0 {
		return front
	}
	return name
}

// frontPort reads the name of a port on the front panel.
func (d *draft) frontPort(n *node, name string, ref Ref) (portID, bool) {
	if i := n.platform.PortIndex(n.connector(name)); i >= 0 {
		return portID{index: int16(i)}, true
	}
	return d.portOf(n, name, ref)
}

// runs notes the speed that a link has chosen for a connector in one piece.
func (n *node) runs(id portID, speed string) {
	for i := range n.breakouts {
		if n.platform.Connectors && n.breakouts[i].index == id.index {
			n.breakouts[i].speeds = []string{speed}
		}
	}
}

// place is the number of a port among those of its device that have a subnet: N of ethernet-1/N, and the place of a connector
// among all; 0 for what has none.
func (n *node) place(id portID) uint32 {
	switch {
	case n.platform.Connectors && id.channel == 1:
		return uint32(id.index) + 1
	case id.channel != 0:
		return 0
	}
	return ordinal(n.portName(id))
}

// withSubnets tells how a link gets a subnet whose port has none.
func (n *node) withSubnets(w *wire) string {
	ports := fmt.Sprintf("ethernet-1/1..%d", portsPerBox-1)
	if all := n.platform.Ports; n.platform.Connectors {
		last := min(len(all), portsPerBox-1)
		ports = fmt.Sprintf("the first channels of the connectors %s..%s", all[0].Name, all[last-1].Name)
	}
	if w.channel != nil {
		return fmt.Sprintf("name another port; only %s of a device have one", ports)
	}
	return fmt.Sprintf("give the cable a subnet; only %s of a device have one", ports)
}
