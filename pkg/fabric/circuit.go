package fabric

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
)

// External is a router between sites that Loom does not manage. It is in no design; trunks of gateways lead to it.
const External Role = "external"

// readJoins finds the sites of a DCI without channels, and the gateways that its cables lead to.
func (d *draft) readJoins(x *dci) {
	joins := x.in.GetJoins()
	if len(joins) == 0 {
		return
	}
	if len(joins) != 2 || joins[0] == joins[1] || len(x.in.GetChannels()) > 0 {
		d.report.fail(x.ref+"#joins", fmt.Sprintf("%s: joins %s", x.in.GetName(), strings.Join(joins, ", ")), "name two sites, and no channels")
		return
	}
	var ends []*site
	for _, s := range d.sites {
		if s.in.GetName() == joins[0] || s.in.GetName() == joins[1] {
			ends = append(ends, s)
		}
	}
	if len(ends) != 2 {
		d.report.fail(x.ref+"#joins", fmt.Sprintf("%s: joins %s: no such sites", x.in.GetName(), strings.Join(joins, ", ")), "name two sites")
		return
	}
	x.a, x.b = ends[0], ends[1]
	for _, c := range d.in.GetCables() {
		a, b := d.byName[c.GetA().GetDevice()], d.byName[c.GetB().GetDevice()]
		switch name := x.in.GetExternal(); {
		case name == "" && a != nil && b != nil && a.role == Gateway && b.role == Gateway && x.between(a.site, b.site):
			x.gateways = append(x.gateways, a, b)
		case name != "" && c.GetA().GetExternal() == name && b != nil && x.has(b.site):
			x.gateways = append(x.gateways, b)
		case name != "" && c.GetB().GetExternal() == name && a != nil && x.has(a.site):
			x.gateways = append(x.gateways, a)
		}
	}
	d.checkEnds(x)
}

// checkEnds reports sites that no cable of a DCI leads to, and platforms that are not known.
func (d *draft) checkEnds(x *dci) {
	found := map[*site]bool{}
	for _, n := range x.gateways {
		if found[n.site] = true; n.platform == nil {
			x.gateways = nil // reported with the device
			return
		}
	}
	for _, s := range []*site{x.a, x.b} {
		if found[s] {
			continue
		}
		cause, fix := "no cable joins gateways of "+x.a.in.GetName()+" and "+x.b.in.GetName(), "list one below cables, or name with over the router between them"
		if name := x.in.GetExternal(); name != "" {
			cause, fix = fmt.Sprintf("no cable leads from a gateway of %s to %s", s.in.GetName(), name), "list one below cables: DEVICE:PORT - external:"+name+":PORT"
		}
		d.report.fail(x.ref+"#joins", x.in.GetName()+": "+cause, fix)
		x.gateways = nil
		return
	}
}

func (x *dci) has(s *site) bool { return s == x.a || s == x.b }

func (x *dci) between(a, b *site) bool { return x.a == a && x.b == b || x.a == b && x.b == a }

// medium is what a DCI consists of.
func (x *dci) medium() string {
	if len(x.in.GetJoins()) > 0 {
		return "cables"
	}
	return "channels"
}

// checkJoins reports what cables that lead out of a site cannot be, and routers between sites that say too little of themselves.
func (d *draft) checkJoins(x *dci) {
	if len(x.gateways) == 0 {
		return
	}
	name, router := x.in.GetName(), x.in.GetExternal()
	if x.a.stitched() && x.in.GetBundle() == intent.Bundle_BUNDLE_LAG {
		d.report.fail(x.ref+"#bundle", name+": bundle lag: its cables are routed links", "take it out: routed links share the load as well")
	}
	switch as := x.in.GetExternalAsn(); {
	case router == "":
	case x.a.stitched() && as != 0:
		d.report.warn(x.ref+"#over-asn", fmt.Sprintf("%s: over-asn: without effect: with service %s %s speaks IS-IS with the gateways", name, x.a.wan.service, router), "take it out")
	case !x.a.stitched() && as == 0:
		d.report.fail(x.ref+"#over", fmt.Sprintf("%s: over %s: with service %s it speaks BGP with the gateways, and nothing says its AS number", name, router, x.a.wan.service), "add over-asn: 64999")
	case as != 0:
		d.checkRouterAS(x)
	}
}

// checkRouterAS reports an AS number that a router between sites cannot have: that of a device would make a loop of every path
// over it (RFC 4271 §9.1.2).
func (d *draft) checkRouterAS(x *dci) {
	as, mine := x.in.GetExternalAsn(), holder{x.in.GetName() + ": " + x.in.GetExternal(), x.ref}
	fix := "write the AS number that the router has"
	d.checkAS(mine, "over-asn", as)
	for _, n := range d.nodes {
		if n.asn == as {
			d.report.fail(x.ref+"#over-asn", fmt.Sprintf("%s: AS %d is also that of %s", mine.name, as, n.name()), fix, note{n.ref + "#asn", "the other one"})
		}
	}
	for _, other := range d.dcis {
		if other == x {
			return
		}
		if has := other.in.GetExternalAsn(); other.in.GetExternal() == x.in.GetExternal() && has != 0 && has != as {
			d.report.fail(x.ref+"#over-asn", fmt.Sprintf("%s: AS %d, and AS %d by %s", mine.name, as, has, other.in.GetName()), fix, note{other.ref + "#over-asn", "the other one"})
		}
	}
}

// addExternal makes the wire of a cable to a router that Loom does not manage.
func (d *draft) addExternal(c *intent.Cable, end, far *intent.End) {
	ref := cableRef(c)
	n := d.node(end.GetDevice(), ref)
	if n == nil {
		return
	}
	name := endText(end) + " - " + endText(far)
	if n.role != Gateway {
		d.report.fail(ref, fmt.Sprintf("%s: cable between a %s and a router that Loom does not manage", name, n.role), "cables lead there from gateways")
		return
	}
	x := d.over(far.GetExternal(), n.site)
	if x == nil {
		d.report.fail(ref, fmt.Sprintf("%s: no DCI of site %s goes over %s", name, n.site.in.GetName(), far.GetExternal()),
			"add dci: {core: {number: 1, joins: ["+n.site.in.GetName()+", SITE], over: "+far.GetExternal()+"}}")
		return
	}
	port, ok := d.portOf(n, end.GetPort(), ref)
	if !ok {
		return
	}
	router := d.externalRouter(x)
	d.wires = append(d.wires, wire{low: n, lowPort: port, high: router, highPort: router.plug(far.GetPort()), cable: c, joins: x})
}

// over is the first DCI of a site that goes over a router.
func (d *draft) over(router string, s *site) *dci {
	for _, x := range d.dcis {
		if x.in.GetExternal() == router && x.has(s) {
			return x
		}
	}
	return nil
}

// externalRouter is a router that Loom does not manage, as far as cables know it. It speaks no BFD, for nobody says that it does.
func (d *draft) externalRouter(x *dci) *node {
	name := x.in.GetExternal()
	if d.external == nil {
		d.external = map[string]*node{}
	}
	n := d.external[name]
	if n == nil {
		n = &node{
			in: &intent.Device{Name: name}, site: &site{in: &intent.Site{}}, index: -1, role: External, ref: x.ref, asn: x.in.GetExternalAsn(),
			platform: &hardware.Platform{Name: "router that Loom does not manage"},
		}
		d.external[name] = n
	}
	return n
}

// plug adds a port to what is known of a router that Loom does not manage.
func (n *node) plug(port string) portID {
	n.platform.Ports = append(n.platform.Ports, hardware.Port{Name: port})
	return portID{index: int16(len(n.platform.Ports) - 1)}
}

// addCircuit makes the wire of a cable between gateways of two sites, which a provider may carry.
func (d *draft) addCircuit(c *intent.Cable, a, b *node) {
	ref := cableRef(c)
	var x *dci
	for _, one := range d.dcis {
		if x == nil && len(one.in.GetJoins()) > 0 && one.in.GetExternal() == "" && one.between(a.site, b.site) {
			x = one
		}
	}
	if x == nil {
		d.report.fail(ref, fmt.Sprintf("%s - %s: cable between two sites", endText(c.GetA()), endText(c.GetB())),
			fmt.Sprintf("join them by a line and a dci, or by cables alone: dci: {leased: {number: 1, joins: [%s, %s]}}", a.site.in.GetName(), b.site.in.GetName()))
		return
	}
	aPort, aOK := d.portOf(a, c.GetA().GetPort(), ref)
	bPort, bOK := d.portOf(b, c.GetB().GetPort(), ref)
	if !aOK || !bOK {
		return
	}
	w := wire{low: a, lowPort: aPort, high: b, highPort: bPort, cable: c, joins: x}
	if b.site.in.GetNumber() < a.site.in.GetNumber() {
		w.low, w.lowPort, w.high, w.highPort = b, bPort, a, aPort
	}
	if mtu(a.site) != mtu(b.site) {
		d.report.failLike("mtu "+x.in.GetName(), ref, fmt.Sprintf("%s: mtu %d and %d: the cable has an end at each", &w, mtu(a.site), mtu(b.site)), "give both the same mtu",
			note{a.site.ref + "/underlay#mtu", a.site.in.GetName()}, note{b.site.ref + "/underlay#mtu", b.site.in.GetName()})
	}
	d.wires = append(d.wires, w)
}

// circuits are the cables of a DCI. Cables to a router that Loom does not manage are of all DCIs that go over it.
func (d *draft) circuits(x *dci) []Circuit {
	var out []Circuit
	for i := range d.wires {
		w := &d.wires[i]
		if w.joins == nil || w.joins != x && w.high.role != External || w.high.role == External && (x.in.GetExternal() != w.high.name() || !x.has(w.low.site)) {
			continue
		}
		c := Circuit{Device: w.low.name(), Port: w.low.portName(w.lowPort), Far: w.high.name(), FarPort: w.high.portName(w.highPort)}
		speed, _ := strconv.Atoi(strings.TrimSuffix(w.speed, "G"))
		if w.high.role != External || w.low.site == x.a {
			c.A = speed
		}
		if w.high.role != External || w.low.site == x.b {
			c.B = speed
		}
		out = append(out, c)
	}
	return out
}
