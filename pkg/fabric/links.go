package fabric

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

// wire is one fabric cable. It joins a leaf and a spine of one site.
type wire struct {
	leaf, spine         *node
	leafPort, spinePort portID
	leafAddr, spineAddr uint32        // IPv4; 0 where unnumbered
	speed               string        // what it runs at
	cable               *intent.Cable // nil: derived
}

// String names the cable: "cable leaf3:ethernet-1/31 - spine2:ethernet-1/30".
func (w *wire) String() string {
	kind := "cable "
	if w.cable == nil {
		kind = "derived cable "
	}
	return kind + w.leaf.name() + ":" + w.leaf.portName(w.leafPort) + " - " + w.spine.name() + ":" + w.spine.portName(w.spinePort)
}

// ref returns the cause of a cable: its line, or the leaf that it is derived for.
func (w *wire) ref() Ref {
	if w.cable == nil {
		return w.leaf.ref
	}
	return cableRef(w.cable)
}

func cableRef(c *intent.Cable) Ref { return Ref("cables/" + endText(c.GetA())) }

func endText(e *intent.End) string {
	if e.GetServer() != "" {
		return "server:" + e.GetServer() + ":" + e.GetPort()
	}
	return e.GetDevice() + ":" + e.GetPort()
}

// cable collects all cables: the listed ones first, then those that follow from counts.
func (d *draft) cable() {
	cables := slices.Clone(d.in.GetCables())
	slices.SortStableFunc(cables, func(a, b *intent.Cable) int { return strings.Compare(string(cableRef(a)), string(cableRef(b))) })
	for _, c := range cables {
		d.addCable(c)
	}
	d.deriveCables()
	for i := range d.wires {
		w := &d.wires[i]
		kind := cableClaim
		if w.cable == nil {
			kind = derivedClaim
		}
		w.leaf.claims = append(w.leaf.claims, claim{w.leafPort, kind, int32(i)})
		w.spine.claims = append(w.spine.claims, claim{w.spinePort, kind, int32(i)})
	}
	for i := range d.servers {
		s := &d.servers[i]
		s.node.claims = append(s.node.claims, claim{s.port, serverClaim, int32(i)})
	}
}

func (d *draft) addCable(c *intent.Cable) {
	switch a, b := c.GetA(), c.GetB(); {
	case a.GetServer() != "" && b.GetServer() != "":
		d.report.fail(cableRef(c), endText(a)+": cable between two servers", "name a port of a device at one end")
	case a.GetServer() != "":
		d.addServer(c, b, a)
	case b.GetServer() != "":
		d.addServer(c, a, b)
	default:
		d.addWire(c)
	}
}

func (d *draft) addServer(c *intent.Cable, end, server *intent.End) {
	ref := cableRef(c)
	if c.GetSubnet() != "" {
		d.report.fail(ref, endText(end)+": subnet on a cable to a server", "remove it; segments carry the addresses of servers")
	}
	n := d.node(end.GetDevice(), ref)
	if n == nil {
		return
	}
	if port, ok := d.portOf(n, end.GetPort(), ref); ok {
		d.servers = append(d.servers, serverCable{n, port, server.GetServer(), server.GetPort(), ref})
	}
}

func (d *draft) addWire(c *intent.Cable) {
	ref := cableRef(c)
	a, b := d.node(c.GetA().GetDevice(), ref), d.node(c.GetB().GetDevice(), ref)
	if a == nil || b == nil {
		return
	}
	if a.role == b.role {
		d.report.fail(ref, fmt.Sprintf("%s - %s: cable between two %s", endText(c.GetA()), endText(c.GetB()), plural(a.role)), "cables join a leaf and a spine")
		return
	}
	if a.site != b.site {
		d.report.fail(ref, fmt.Sprintf("%s - %s: cable between two sites: not built yet", endText(c.GetA()), endText(c.GetB())), "")
		return
	}
	aPort, aOK := d.portOf(a, c.GetA().GetPort(), ref)
	bPort, bOK := d.portOf(b, c.GetB().GetPort(), ref)
	if !aOK || !bOK {
		return
	}
	w := wire{leaf: a, leafPort: aPort, spine: b, spinePort: bPort, cable: c}
	if a.role == Spine {
		w.leaf, w.leafPort, w.spine, w.spinePort = b, bPort, a, aPort
	}
	d.wires = append(d.wires, w)
}

func plural(role Role) string {
	if role == Leaf {
		return "leaves"
	}
	return "spines"
}

// pairOf identifies a leaf and a spine.
type pairOf struct{ leaf, spine int32 }

// deriveCables joins every leaf to every spine of its site, except where a cable between the two is listed.
func (d *draft) deriveCables() {
	listed := make(map[pairOf]bool, len(d.wires))
	for i := range d.wires {
		listed[pairOf{d.wires[i].leaf.index, d.wires[i].spine.index}] = true
	}
	for _, s := range d.sites {
		if s.in.GetCabling() == intent.Cabling_CABLING_EXPLICIT {
			continue
		}
		for _, leaf := range s.leaves {
			for _, spine := range s.spines {
				if !listed[pairOf{leaf.index, spine.index}] {
					d.deriveLinks(leaf, spine)
				}
			}
		}
	}
}

// deriveLinks joins one leaf to one spine. Ports follow from the two numbers: leaf n takes a spine's ports
// (n-1)*links+1 and on, spine s a leaf's uplinks (s-1)*links+1 and on.
func (d *draft) deriveLinks(leaf, spine *node) {
	if leaf.platform == nil || spine.platform == nil || leaf.number() == 0 || spine.number() == 0 {
		return // reported with the device
	}
	parallel := max(1, uint64(leaf.site.in.GetLinksPerSpine()))
	uplinks, downlinks := leaf.platform.Uplinks, spine.platform.Downlinks
	if uint64(spine.number())*parallel > uint64(len(uplinks)) {
		d.noRoom(leaf, spine, "uplinks", len(uplinks), parallel)
		return
	}
	if uint64(leaf.number())*parallel > uint64(len(downlinks)) {
		d.noRoom(spine, leaf, "ports towards leaves", len(downlinks), parallel)
		return
	}
	for k := range parallel {
		up := uplinks[(uint64(spine.number())-1)*parallel+k]
		down := downlinks[(uint64(leaf.number())-1)*parallel+k]
		d.wires = append(d.wires, wire{
			leaf: leaf, leafPort: portID{index: int16(leaf.platform.PortIndex(up))},
			spine: spine, spinePort: portID{index: int16(spine.platform.PortIndex(down))},
		})
	}
}

// noRoom reports that a device has no port left for the far end's number.
func (d *draft) noRoom(n, far *node, what string, has int, parallel uint64) {
	d.report.failLike(what+n.platform.Name, far.ref, fmt.Sprintf("%s: no port left on %s: %s has %d %s, %d per %s, and ports follow from numbers",
		far.name(), n.name(), n.platform.Name, has, what, parallel, far.role),
		"use a larger platform, fewer links-per-spine, a smaller number, or list the cables", note{n.ref, n.name()})
}

// settleWires decides speed and addresses of every cable.
func (d *draft) settleWires() {
	for i := range d.wires {
		w := &d.wires[i]
		d.settleSpeed(w)
		switch {
		case w.cable.GetSubnet() != "":
			d.readSubnet(w)
		case !w.leaf.site.unnumbered:
			d.deriveSubnet(w)
		}
	}
	d.checkAddresses()
}

// settleSpeed takes the fastest speed that both ports have.
func (d *draft) settleSpeed(w *wire) {
	near, far := w.leaf.speedsOf(w.leafPort), w.spine.speedsOf(w.spinePort)
	if len(near) == 0 || len(far) == 0 {
		return // a breakout that could not be decided, reported there
	}
	for _, speed := range near { // fastest first
		if slices.Contains(far, speed) {
			w.speed = speed
			return
		}
	}
	d.report.failLike("speed "+w.leaf.platform.Name+w.spine.platform.Name, w.ref(),
		fmt.Sprintf("%s: speed mismatch: %s runs at %s, %s at %s", w, w.leaf.name(), either(near), w.spine.name(), either(far)),
		"join ports that have a speed in common")
}

// readSubnet takes the explicit /31, the lower address at end a.
func (d *draft) readSubnet(w *wire) {
	text := w.cable.GetSubnet()
	subnet, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !subnet.Addr().Is4() || subnet.Bits() != 31 || subnet.Masked() != subnet:
		d.report.fail(w.ref(), fmt.Sprintf("%s: subnet %s: not an IPv4 /31", w, text), "write it like 192.168.11.0/31")
	case w.leaf.site.unnumbered:
		d.report.fail(w.ref(), fmt.Sprintf("%s: subnet %s: links of site %s are unnumbered", w, text, w.leaf.site.in.GetName()), "remove it, or set links: numbered",
			note{w.leaf.site.ref + "/underlay#links", "unnumbered"})
	case w.cable.GetA().GetDevice() == w.leaf.name():
		w.leafAddr = number4(subnet.Addr())
		w.spineAddr = w.leafAddr + 1
	default:
		w.spineAddr = number4(subnet.Addr())
		w.leafAddr = w.spineAddr + 1
	}
}

func (d *draft) deriveSubnet(w *wire) {
	s := w.leaf.site
	port := ordinal(w.leaf.portName(w.leafPort))
	if w.leafPort.channel != 0 || port >= portsPerBox {
		d.report.fail(w.ref(), fmt.Sprintf("%s: no subnet follows from port %s", w, w.leaf.portName(w.leafPort)),
			fmt.Sprintf("give the cable a subnet; only ethernet-1/1..%d of a leaf have one", portsPerBox-1))
		return
	}
	if !s.pool.IsValid() {
		return // reported with the pool
	}
	low, ok := derivedSubnet(s.pool, w.leaf.number(), port)
	if !ok {
		d.poolExhausted(w.leaf, w.ref(), "no subnet for "+w.leaf.portName(w.leafPort))
		return
	}
	w.leafAddr, w.spineAddr = low, low+1
}

// links returns the fabric links of a device, sorted by port.
func (d *draft) links(n *node) []Link {
	list := make([]Link, 0, n.count(derivedClaim, cableClaim))
	for _, c := range n.claims {
		if c.kind <= cableClaim {
			list = append(list, n.link(&d.wires[c.what]))
		}
	}
	return list
}

// link is a cable seen from one of its ends.
func (n *node) link(w *wire) Link {
	port, far, farPort, addr, peer := w.leafPort, w.spine, w.spinePort, w.leafAddr, w.spineAddr
	if n.role == Spine {
		port, far, farPort, addr, peer = w.spinePort, w.leaf, w.leafPort, w.spineAddr, w.leafAddr
	}
	l := Link{
		Port: n.portName(port), PortMTU: portMTU(n.site.in.GetUnderlay().GetMtu()),
		PeerName: far.name(), PeerPort: far.portName(farPort), PeerASN: far.asn, Ref: w.ref(),
	}
	if w.speed != n.speedsOf(port)[0] {
		l.Speed = w.speed
	}
	if addr != 0 {
		l.Addr, l.Peer = netip.PrefixFrom(ipv4(addr), 31), ipv4(peer)
	}
	return l
}

// portMTU returns the port MTU that an IP MTU needs: the ethernet header comes on top.
func portMTU(ip uint32) uint32 { return ip + 14 }

// cables returns every cable, sorted by its first end: spines before leaves before servers.
func (d *draft) cables() []Cable {
	list := make([]Cable, 0, len(d.wires)+len(d.servers))
	for _, n := range d.nodes {
		for i, c := range n.claims {
			switch {
			case c.kind == serverClaim:
				list = append(list, d.serverCable(n, i))
			case c.kind <= cableClaim && n.role == Spine:
				list = append(list, d.wires[c.what].design())
			}
		}
	}
	return list
}

func (w *wire) design() Cable {
	return Cable{
		A:     CableEnd{Device: w.spine.name(), Port: w.spine.portName(w.spinePort)},
		B:     CableEnd{Device: w.leaf.name(), Port: w.leaf.portName(w.leafPort)},
		Speed: w.speed, Derived: w.cable == nil, Ref: w.ref(),
	}
}

// serverCable returns the cable of a claim. It runs at the speed of the attachment on its port, whose claim
// comes before.
func (d *draft) serverCable(n *node, i int) Cable {
	s := &d.servers[n.claims[i].what]
	c := Cable{
		A: CableEnd{Device: n.name(), Port: n.portName(s.port)},
		B: CableEnd{Device: s.name, Port: s.nic, Server: true}, Ref: s.ref,
	}
	if i > 0 && n.claims[i-1].port == s.port {
		c.Speed = d.wantedSpeed(n.claims[i-1])
	}
	if speeds := n.speedsOf(s.port); c.Speed == "" && len(speeds) > 0 {
		c.Speed = speeds[0]
	}
	return c
}

// either lists alternatives as people write them: "25G, 10G or 1G".
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
