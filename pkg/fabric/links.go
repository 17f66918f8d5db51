package fabric

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

// wire is one fabric link. Its low end hangs below its high end: a leaf or a gateway below a spine of its site, of a link that a channel of
// light carries the gateway of the site with the lower number, and of one between two gateways of a site that with the lower number.
type wire struct {
	low, high         *node
	lowPort, highPort portID
	lowAddr, highAddr uint32        // IPv4, the low end's the lower; 0 where unnumbered
	speed             string        // what it runs at
	cable             *intent.Cable // nil: derived
	channel           *channel      // nil: a cable
	joins             *dci          // of a cable that leads out of its site; nil of others
	trunk             *trunk        // of the WAN that it is or belongs to; nil: the underlay speaks BGP over it
	clashes           bool          // one of its ports has another user, which is reported
	lowVia, highVia   string        // clients of transponders that the ends are plugged into; "" where they are not
}

// String names the cable: "cable leaf3:ethernet-1/31 - spine2:ethernet-1/30".
func (w *wire) String() string {
	kind := "derived cable "
	switch {
	case w.channel != nil:
		kind = "channel " + w.channel.name + " "
	case w.cable != nil:
		kind = "cable "
	}
	return kind + w.low.name() + ":" + w.low.portName(w.lowPort) + " - " + w.high.name() + ":" + w.high.portName(w.highPort)
}

// ref returns the cause of a link: its cable or channel, or the device that it is derived for.
func (w *wire) ref() Ref {
	if w.channel != nil {
		return w.channel.ref
	}
	if w.cable == nil {
		return w.low.ref
	}
	return cableRef(w.cable)
}

func cableRef(c *intent.Cable) Ref { return Ref("cables/" + endText(c.GetA())) }

func endText(e *intent.End) string {
	if e.GetServer() != "" {
		return "server:" + e.GetServer() + ":" + e.GetPort()
	}
	if e.GetExternal() != "" {
		return "external:" + e.GetExternal() + ":" + e.GetPort()
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
	d.wireChannels()
	for i := range d.wires {
		w := &d.wires[i]
		kind := cableClaim
		switch {
		case w.channel != nil:
			kind = channelClaim
		case w.cable == nil:
			kind = derivedClaim
		}
		w.low.claims = append(w.low.claims, claim{w.lowPort, kind, int32(i)})
		w.high.claims = append(w.high.claims, claim{w.highPort, kind, int32(i)})
	}
	for i := range d.servers {
		s := &d.servers[i]
		s.node.claims = append(s.node.claims, claim{s.port, serverClaim, int32(i)})
	}
}

func (d *draft) addCable(c *intent.Cable) {
	switch a, b := c.GetA(), c.GetB(); {
	case a.GetDevice() == "" && b.GetDevice() == "":
		d.report.fail(cableRef(c), endText(a)+": cable between two things that Loom does not manage", "name a port of a device at one end")
	case a.GetServer() != "":
		d.addServer(c, b, a)
	case b.GetServer() != "":
		d.addServer(c, a, b)
	case a.GetExternal() != "":
		d.addExternal(c, b, a)
	case b.GetExternal() != "":
		d.addExternal(c, a, b)
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
	if a.role == Gateway && b.role == Gateway && a.site != b.site {
		d.addCircuit(c, a, b)
		return
	}
	beside := d.beside(a, b)
	if a.role == b.role && !beside {
		fix := "cables join a leaf and a spine"
		if a.role == Gateway && a.site == b.site {
			if d.unjoined {
				return
			}
			fix = "gateways of a site are joined where they stitch tenants, and here they only route" + a.site.routes()
		}
		d.report.fail(ref, fmt.Sprintf("%s - %s: cable between two %s", endText(c.GetA()), endText(c.GetB()), plural(a.role)), fix)
		return
	}
	if a.role != Spine && b.role != Spine && !beside {
		d.report.fail(ref, fmt.Sprintf("%s - %s: cable between a %s and a %s", endText(c.GetA()), endText(c.GetB()), a.role, b.role), "cables join a spine and a leaf or a gateway")
		return
	}
	if a.site != b.site {
		d.report.fail(ref, fmt.Sprintf("%s - %s: cable between two sites", endText(c.GetA()), endText(c.GetB())), "join them by a line and a dci")
		return
	}
	aPort, aOK := d.portOf(a, c.GetA().GetPort(), ref)
	bPort, bOK := d.portOf(b, c.GetB().GetPort(), ref)
	if !aOK || !bOK {
		return
	}
	w := wire{low: a, lowPort: aPort, high: b, highPort: bPort, cable: c}
	if a.role == Spine || beside && b.number() < a.number() {
		w.low, w.lowPort, w.high, w.highPort = b, bPort, a, aPort
	}
	d.wires = append(d.wires, w)
}

func plural(role Role) string {
	if role == Leaf {
		return "leaves"
	}
	return string(role) + "s"
}

// pairOf identifies the ends of a cable.
type pairOf struct{ low, high int32 }

// deriveCables joins every leaf and every gateway to every spine of its site, except where a cable between the two is listed.
func (d *draft) deriveCables() {
	listed := make(map[pairOf]bool, len(d.wires))
	for i := range d.wires {
		listed[pairOf{d.wires[i].low.index, d.wires[i].high.index}] = true
	}
	for _, s := range d.sites {
		if s.in.GetCabling() == intent.Cabling_CABLING_EXPLICIT {
			continue
		}
		for _, low := range slices.Concat(s.leaves, s.gateways) {
			for _, spine := range s.spines {
				if !listed[pairOf{low.index, spine.index}] {
					d.deriveLinks(low, spine)
				}
			}
		}
	}
}

// deriveLinks joins one leaf or gateway to one spine. Ports follow from the two numbers: leaf n takes a spine's ports
// (n-1)*links+1 and on, gateway n as many from their end, spine s the uplinks (s-1)*links+1 and on of both.
func (d *draft) deriveLinks(low, spine *node) {
	if low.platform == nil || spine.platform == nil || low.number() == 0 || spine.number() == 0 {
		return // reported with the device
	}
	parallel := max(1, uint64(low.site.in.GetLinksPerSpine()))
	uplinks, downlinks := low.platform.Uplinks, spine.platform.Downlinks
	if uint64(spine.number())*parallel > uint64(len(uplinks)) {
		d.noRoom(low, spine, "uplinks", len(uplinks), parallel)
		return
	}
	if uint64(low.number())*parallel > uint64(len(downlinks)) {
		d.noRoom(spine, low, "ports towards leaves", len(downlinks), parallel)
		return
	}
	for k := range parallel {
		up := uplinks[(uint64(spine.number())-1)*parallel+k]
		down := (uint64(low.number())-1)*parallel + k
		if low.role == Gateway {
			down = uint64(len(downlinks)) - 1 - down
		}
		d.wires = append(d.wires, wire{
			low: low, lowPort: low.whole(low.platform.PortIndex(up)),
			high: spine, highPort: spine.whole(spine.platform.PortIndex(downlinks[down])),
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
		case w.clashes: // its subnet may follow from the port that is not its own
		case w.trunk != nil:
			d.numberTrunk(w.trunk, w)
		case w.cable.GetSubnet() != "":
			d.readSubnet(w)
		case w.numbered():
			d.deriveSubnet(w)
		}
	}
	d.checkAddresses()
	d.checkFamilies()
}

// numbered tells whether a link has addresses: where one of its ends does, and what Loom does not manage always does.
func (w *wire) numbered() bool { return !w.low.site.unnumbered || !w.high.site.unnumbered }

// dci is what a link is part of; nil inside a site.
func (w *wire) dci() *dci {
	if w.channel != nil {
		return w.channel.dci
	}
	return w.joins
}

// settleSpeed takes the fastest speed that both ports have, or that of the transponders' clients.
func (d *draft) settleSpeed(w *wire) {
	near, far := w.low.speedsOf(w.lowPort), w.high.speedsOf(w.highPort)
	if w.high.role == External {
		far = near
	}
	if asked := w.cable.GetSpeed(); asked != "" {
		far = slices.DeleteFunc(slices.Clone(far), func(s string) bool { return s != asked })
		if len(far) == 0 {
			d.report.fail(w.ref(), fmt.Sprintf("%s: no speed %s at %s", w, asked, w.high.name()), "leave it out, or use another port")
			return
		}
	}
	if len(near) == 0 || len(far) == 0 {
		return // a breakout that could not be decided, reported there
	}
	if !d.checkClients(w, near, far) {
		return
	}
	if w.channel != nil && w.channel.a.box != nil {
		near = []string{clientSpeed(w.channel.a.box.platform)}
	}
	for _, speed := range near { // fastest first
		if slices.Contains(far, speed) {
			w.speed = speed
			w.low.runs(w.lowPort, speed)
			w.high.runs(w.highPort, speed)
			return
		}
	}
	d.report.failLike("speed "+w.low.platform.Name+w.high.platform.Name, w.ref(),
		fmt.Sprintf("%s: speed mismatch: %s runs at %s, %s at %s", w, w.low.name(), either(near), w.high.name(), either(far)),
		"join ports that have a speed in common")
}

// readSubnet takes the explicit /31, the lower address at end a.
func (d *draft) readSubnet(w *wire) {
	text := w.cable.GetSubnet()
	subnet, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !subnet.Addr().Is4() || subnet.Bits() != 31 || subnet.Masked() != subnet:
		d.report.fail(w.ref(), fmt.Sprintf("%s: subnet %s: not an IPv4 /31", w, text), "write it like 192.168.11.0/31")
	case w.low.site.unnumbered && w.joins == nil && w.trunk == nil:
		d.report.fail(w.ref(), fmt.Sprintf("%s: subnet %s: links of site %s are unnumbered", w, text, w.low.site.in.GetName()), "remove it, or set links: numbered",
			note{w.low.site.ref + "/underlay#links", "unnumbered"})
	case w.cable.GetA().GetDevice() == w.low.name():
		w.lowAddr = number4(subnet.Addr())
		w.highAddr = w.lowAddr + 1
	default:
		w.highAddr = number4(subnet.Addr())
		w.lowAddr = w.highAddr + 1
	}
}

func (d *draft) deriveSubnet(w *wire) {
	s := w.low.site
	port := w.low.place(w.lowPort)
	if port == 0 || port >= portsPerBox {
		d.report.fail(w.ref(), fmt.Sprintf("%s: no subnet follows from port %s", w, w.low.portName(w.lowPort)), w.low.withSubnets(w))
		return
	}
	if !s.pool.IsValid() {
		return // reported with the pool
	}
	low, ok := derivedSubnet(s.pool, w.low.role, w.low.number(), port)
	if !ok {
		d.poolExhausted(w.low, w.ref(), "no subnet for "+w.low.portName(w.lowPort))
		return
	}
	w.lowAddr, w.highAddr = low, low+1
}

// links returns the fabric links of a device, sorted by port.
func (d *draft) links(n *node) []Link {
	list := make([]Link, 0, n.count(derivedClaim, cableClaim, channelClaim))
	for _, c := range n.claims {
		if c.kind.isWire() {
			list = append(list, n.link(&d.wires[c.what]))
		}
	}
	return list
}

// link is a cable seen from one of its ends.
func (n *node) link(w *wire) Link {
	port, far, farPort, addr, peer, via := w.lowPort, w.high, w.highPort, w.lowAddr, w.highAddr, w.lowVia
	if n == w.high {
		port, far, farPort, addr, peer, via = w.highPort, w.low, w.lowPort, w.highAddr, w.lowAddr, w.highVia
	}
	l := Link{
		Via: via, Port: n.portName(port), PortMTU: portMTU(n.site.in.GetUnderlay().GetMtu()),
		PeerName: far.name(), PeerPort: far.portName(farPort), PeerASN: far.asn, Ref: w.ref(),
	}
	if w.channel != nil {
		l.Channel = w.channel.name
	}
	if x := w.dci(); x != nil {
		l.DCI = x.in.GetName()
	}
	l.External = far.role == External
	if w.speed != n.speedsOf(port)[0] {
		l.Speed = w.speed
	}
	if w.trunk != nil {
		l.Trunk, l.PeerASN = w.trunk.name(n), 0
		return l
	}
	l.BFD = n.watches(far)
	if addr != 0 {
		l.Addr, l.Peer = netip.PrefixFrom(ipv4(addr), 31), ipv4(peer)
	}
	return l
}

// portMTU returns the port MTU that an IP MTU needs: the ethernet header comes on top.
func portMTU(ip uint32) uint32 { return ip + 14 }

// cables returns every cable, sorted by its first end: spines before leaves before servers; then those of channels.
func (d *draft) cables() []Cable {
	list := make([]Cable, 0, len(d.wires)+len(d.servers))
	for _, n := range d.nodes {
		for i, c := range n.claims {
			switch {
			case c.kind == serverClaim:
				list = append(list, d.serverCable(n, i))
			case c.kind <= cableClaim && (n == d.wires[c.what].high || d.wires[c.what].high.role == External):
				list = append(list, d.wires[c.what].design())
			}
		}
	}
	return d.channelCables(list)
}

func (w *wire) design() Cable {
	high, low := CableEnd{Device: w.high.name(), Port: w.high.portName(w.highPort)}, CableEnd{Device: w.low.name(), Port: w.low.portName(w.lowPort)}
	if w.high.role == External {
		high.External = true
		high, low = low, high
	}
	return Cable{A: high, B: low, Speed: w.speed, Derived: w.cable == nil, Ref: w.ref()}
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
