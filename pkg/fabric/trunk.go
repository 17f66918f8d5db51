package fabric

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

const (
	trunkGateways = 8    // of a site that LAGs can end on: what their numbers and subnets leave room for
	trunkMetric   = 4000 // of a trunk, divided by the Gb/s of one of its channels: 10 with 400
)

// trunk is one routed interface between gateways that stitch tenants: a link that a channel carries to another site, all those
// of a DCI between the same two as a LAG, or a cable between two gateways of a site.
type trunk struct {
	dci   *dci    // nil: a cable inside of a site
	wires []int32 // in the order of draft.wires; several with LAG
	low   *node
	high  *node
	lag   bool
}

// bundle makes trunks of the links that channels carry between gateways that stitch tenants.
func (d *draft) bundle() {
	type ends struct {
		dci       *dci
		low, high *node
	}
	lags := map[ends]*trunk{}
	for i := range d.wires {
		w := &d.wires[i]
		if !w.low.site.stitched() || w.high.role != Gateway && w.high.role != External {
			continue
		}
		t, lag, x := (*trunk)(nil), false, (*dci)(nil)
		if w.channel != nil {
			x = w.channel.dci
			lag = x.in.GetBundle() == intent.Bundle_BUNDLE_LAG
		} else if w.joins != nil {
			x = w.joins
		}
		if lag {
			t = lags[ends{x, w.low, w.high}]
		}
		if t == nil {
			t = &trunk{dci: x, low: w.low, high: w.high, lag: lag}
			w.low.trunks, w.high.trunks = append(w.low.trunks, t), append(w.high.trunks, t)
			lags[ends{x, t.low, t.high}] = t
		}
		t.wires, w.trunk = append(t.wires, int32(i)), t
	}
	for _, x := range d.dcis {
		if x.in.GetBundle() == intent.Bundle_BUNDLE_LAG && x.a != nil && x.a.wan != nil && !x.a.stitched() && routesOnly(x) == nil {
			d.report.fail(x.ref+"#bundle", fmt.Sprintf("%s: bundle lag: with service %s the underlay has a session over each of its %s, and no LAG", x.in.GetName(), x.a.wan.service, x.medium()),
				"take it out: routed links share the load as well")
		}
	}
}

// beside tells whether two devices are gateways of one site that stitches tenants: a cable between them is a trunk, over which one
// reaches other sites when its own channels are dark.
func (d *draft) beside(a, b *node) bool {
	return a.role == Gateway && b.role == Gateway && a != b && a.site == b.site && a.site.stitched()
}

// far is the other end of a trunk.
func (t *trunk) far(n *node) *node {
	if n == t.low {
		return t.high
	}
	return t.low
}

// number is that of its LAG at one end: it follows from the DCI and the far gateway, whatever channels there are.
func (t *trunk) number(n *node) uint32 {
	if !t.lag {
		return 0
	}
	return t.dci.in.GetNumber()*10 + t.far(n).number()
}

// name is that of the interface at one end. SR OS takes at most 32 characters (interface-name), so it does not name the far end.
func (t *trunk) name(n *node) string {
	if t.lag {
		return "wan-lag-" + decimal(t.number(n))
	}
	return "wan-" + n.portName(t.port(n))
}

// port is the first of its ports at one end.
func (t *trunk) port(n *node) portID { return t.ports(n)[0] }

func (t *trunk) ports(n *node) []portID {
	var out []portID
	for _, c := range n.claims {
		if c.kind.isWire() && slices.Contains(t.wires, c.what) {
			out = append(out, c.port)
		}
	}
	return out
}

// numberTrunk gives a trunk its subnet, where the wire is its first: a routed link that of its port, a LAG one of its own.
func (d *draft) numberTrunk(t *trunk, w *wire) {
	switch {
	case w.cable.GetSubnet() != "":
		d.readSubnet(w)
		return
	case !t.lag:
		d.deriveSubnet(w)
		return
	}
	first := &d.wires[t.wires[0]]
	if w != first {
		if w.speed != first.speed {
			d.report.fail(w.ref(), fmt.Sprintf("%s: runs at %s, and %s of the same LAG at %s", w.channel.name, w.speed, first.channel.name, first.speed),
				"give both one mode, or the DCI bundle: routed", note{first.ref(), "the other one"})
		}
		return
	}
	d.checkLAG(t)
	if pool := t.low.site.pool; pool.IsValid() {
		low, ok := bundleSubnet(pool, t.dci.in.GetNumber(), t.low.number(), t.high.number())
		if !ok {
			d.report.fail(t.dci.ref+"#bundle", fmt.Sprintf("%s: no subnet for its LAG between %s and %s: DCIs up to number %d and gateways up to %d have one in pool %s",
				t.dci.in.GetName(), t.low.name(), t.high.name(), bundleSubnets(pool)/(trunkGateways*trunkGateways), trunkGateways, pool),
				"use smaller numbers, a larger pool or bundle: routed", note{t.low.site.ref + "#pool", "the pool"})
			return
		}
		w.lowAddr, w.highAddr = low, low+1
	}
}

// checkLAG holds the numbers of a LAG against what its platforms have.
func (d *draft) checkLAG(t *trunk) {
	for _, n := range []*node{t.low, t.high} {
		if number := t.number(n); number > n.platform.LAGs {
			d.report.failLike("lag "+n.platform.Name, t.dci.ref+"#bundle", fmt.Sprintf("%s: bundle lag: %s would have lag %d towards %s, and LAGs of %s end at %d",
				t.dci.in.GetName(), n.name(), number, t.far(n).name(), n.platform.Name, n.platform.LAGs), "give the DCI a smaller number, or bundle: routed", note{n.ref, "the gateway"})
		}
	}
}

// bundleSubnets is how many subnets a pool has for LAGs between gateways: those of its fourth eighth, which holds no loopbacks.
func bundleSubnets(pool netip.Prefix) uint32 { return uint32(uint64(1) << hostBits(pool) / 16) }

// bundleSubnet returns the lower address of the /31 of a LAG between two gateways.
func bundleSubnet(pool netip.Prefix, dci, low, high uint32) (uint32, bool) {
	index := (uint64(dci)-1)*trunkGateways*trunkGateways + (uint64(low)-1)*trunkGateways + uint64(high) - 1
	if dci == 0 || low < 1 || high < 1 || low > trunkGateways || high > trunkGateways || index >= uint64(bundleSubnets(pool)) {
		return 0, false
	}
	return number4(pool.Addr()) + uint32(uint64(1)<<hostBits(pool)/8*3) + 2*uint32(index), true
}

// designTrunks are the trunks of a gateway.
func (d *draft) designTrunks(n *node) []Trunk {
	var out []Trunk
	for _, t := range n.trunks {
		first := &d.wires[t.wires[0]]
		speed, _ := strconv.ParseUint(strings.TrimSuffix(first.speed, "G"), 10, 32)
		own := Trunk{
			Name: t.name(n), LAG: t.number(n), SpeedG: uint32(speed), PeerName: t.far(n).name(), MTU: mtu(n.site), PortMTU: portMTU(mtu(n.site)),
			Metric: uint32(max(1, trunkMetric/max(1, speed))), BFD: n.watches(t.far(n)), Ref: first.ref(),
		}
		for _, p := range t.ports(n) {
			own.Ports = append(own.Ports, n.portName(p))
		}
		for _, i := range t.wires {
			if c := d.wires[i].channel; c != nil && !slices.Contains(own.Channels, c.name) {
				own.Channels = append(own.Channels, c.name)
			}
		}
		if t.lag {
			own.Ref = t.dci.ref
		}
		low, high := ipv4(first.lowAddr), ipv4(first.highAddr)
		if n == t.high {
			low, high = high, low
		}
		own.Addr, own.Peer = netip.PrefixFrom(low, 31), high
		out = append(out, own)
	}
	slices.SortFunc(out, func(a, b Trunk) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
