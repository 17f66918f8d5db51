package fabric

import (
	"fmt"
	"slices"
)

// checkClients reports a link whose ports have no speed of the transponders' clients that they are plugged into.
func (d *draft) checkClients(w *wire, low, high []string) bool {
	if w.channel == nil || w.channel.a.box == nil {
		return true
	}
	for _, end := range []struct {
		node   *node
		port   portID
		speeds []string
		box    *station
	}{{w.low, w.lowPort, low, w.channel.a.box}, {w.high, w.highPort, high, w.channel.b.box}} {
		if want := clientSpeed(end.box.platform); !slices.Contains(end.speeds, want) {
			d.report.failEach(w.ref()+"#ports", w.channel.name, fmt.Sprintf("%s of %s runs at %s, and clients of %s at %s", end.node.portName(end.port), end.node.name(), either(end.speeds), end.box.name, want),
				"name a port that has the speed")
			return false
		}
	}
	return true
}
