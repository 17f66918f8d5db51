package fabric

import (
	"fmt"
	"slices"
	"strings"
)

// checkGroups reports ports that share a clock and are asked to run at speeds that exclude each
// other: in such a group all run at the ports' own speed, or none does.
func (d *draft) checkGroups(n *node) {
	if n.platform == nil || len(n.platform.SpeedGroups) == 0 || !slices.ContainsFunc(n.claims, func(c claim) bool { return d.isSlowed(n, c) }) {
		return
	}
	for _, group := range n.platform.SpeedGroups {
		var own, slower *claim
		for i := range n.claims {
			c := &n.claims[i]
			if c.kind == serverClaim || !slices.Contains(group, n.platform.Ports[c.port.index].Name) {
				continue
			}
			if d.isSlowed(n, *c) {
				slower = c
			} else {
				own = c
			}
		}
		if own != nil && slower != nil {
			d.reportGroup(n, group, *own, *slower)
		}
	}
}

func (d *draft) reportGroup(n *node, group []string, own, slower claim) {
	d.report.fail(d.claimRef(slower), fmt.Sprintf("%s:%s: speed %s, but %s, which shares its clock, runs at %s",
		n.name(), n.portName(slower.port), d.claimSpeed(n, slower), n.portName(own.port), d.claimSpeed(n, own)),
		fmt.Sprintf("run all of %s at %s, or none of them", strings.Join(group, ", "), n.speedsOf(own.port)[0]),
		note{d.claimRef(own), "the other port"})
}

// isSlowed tells whether a port is asked to run at another speed than its own.
func (d *draft) isSlowed(n *node, c claim) bool {
	own := n.speedsOf(c.port)
	return c.kind != serverClaim && len(own) > 0 && d.claimSpeed(n, c) != own[0]
}

// claimSpeed is what a port is asked to run at.
func (d *draft) claimSpeed(n *node, c claim) string {
	speed := ""
	if c.kind == accessClaim {
		speed = d.access[c.what].in.GetSpeed()
	} else {
		speed = d.wires[c.what].speed
	}
	if own := n.speedsOf(c.port); speed == "" && len(own) > 0 {
		return own[0]
	}
	return speed
}
