package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/loomfabric/loom/models/intent"
)

// names finds devices by what files call them.
type names struct {
	all      []*device
	spelling map[string]*device   // full names, "bj/leaf3", "bj/bj-leaf3"
	short    map[string][]*device // "leaf3", in the order of the sites
}

func (p *parser) indexDevices() {
	ds := &p.devices
	ds.spelling, ds.short = map[string]*device{}, map[string][]*device{}
	for _, s := range p.sites {
		for _, d := range s.devices {
			short := d.out.Name[len(s.out.Prefix):]
			d.index = int32(len(ds.all))
			ds.all = append(ds.all, d)
			ds.short[short] = append(ds.short[short], d)
			ds.spelling[s.out.Name+"/"+short] = d
			ds.spelling[s.out.Name+"/"+d.out.Name] = d
		}
	}
	for _, d := range ds.all {
		ds.spelling[d.out.Name] = d
	}
}

// device finds the one device that is meant; otherwise it says why there is none.
func (p *parser) device(text string) (d *device, cause, fix string) {
	if d = p.devices.spelling[text]; d != nil {
		return d, "", ""
	}
	switch short := p.devices.short[text]; len(short) {
	case 0:
		return nil, "no device " + show(text), p.nearDevice(text)
	case 1:
		return short[0], "", ""
	default:
		return nil, fmt.Sprintf("%s is in %d sites", show(text), len(short)), "write " + short[0].site.out.Name + "/" + text + " or " + short[1].site.out.Name + "/" + text
	}
}

const maxSuggestions = 10

func (p *parser) nearDevice(text string) string {
	if p.near++; p.near > maxSuggestions {
		return "write the name of a device"
	}
	if word := strings.TrimRight(text, "0123456789"); word != text && (word == "leaf" || word == "spine") {
		return p.counted(word)
	}
	if near := nearestOf(text, p.devices.spelling); near != "" {
		return "write " + near
	}
	if near := nearestOf(text, p.devices.short); near != "" {
		return "write " + near
	}
	return "write the name of a device, as leaf3 or bj/leaf3"
}

// cables is the reading of all lists of cables. There are many, so they live in a few large pieces of memory.
type cables struct {
	p     *parser
	ports map[string]int32 // numbers of port names: few different ones
	names []string         // port names by number
	used  map[jack]int32   // cables by the ports of devices that they use
	outs  []intent.Cable
	ends  []intent.End
	nets  map[netip.Prefix]spot
}

// jack is a port of a device, both by number.
type jack struct{ device, port int32 }

func (p *parser) expandCables() {
	total := 0
	for _, e := range p.parts.cables {
		total += len(e.value.Content)
	}
	if total == 0 {
		return
	}
	c := &cables{
		p: p, ports: map[string]int32{}, nets: map[netip.Prefix]spot{}, used: make(map[jack]int32, 2*total),
		outs: make([]intent.Cable, 0, total), ends: make([]intent.End, 0, 2*total),
	}
	p.cables = c
	p.out.Cables = make([]*intent.Cable, 0, total)
	p.places.cables = make([]spot, 0, total)
	for _, e := range p.parts.cables {
		for _, n := range e.value.Content {
			c.read(e.source, n)
		}
	}
}

// read reads one cable: a text, or keys.
func (c *cables) read(source int32, n *yaml.Node) {
	p := c.p
	text, subnet, speed := n, (*yaml.Node)(nil), ""
	switch {
	case !p.bare(source, n):
		return
	case n.Kind == yaml.MappingNode && likelyEnds(n):
		p.fault(spotOf(source, n), "cables: an end with a colon and a space", "write DEVICE:PORT without a space")
		return
	case n.Kind == yaml.MappingNode:
		var b block
		if !p.read(&b, cableKeys, entry{source: source, value: n}, "cables") || !b.has("cable") || b.given("subnet") && !b.has("subnet") || b.given("speed") && !b.has("speed") {
			return
		}
		text, subnet, speed = b.get("cable").value, b.get("subnet").value, b.text("speed")
	case n.Kind != yaml.ScalarNode:
		p.fault(spotOf(source, n), "cables: a list where a cable is wanted", "write DEVICE:PORT - DEVICE:PORT")
		return
	}
	c.add(source, n, text, subnet, speed)
}

// likelyEnds recognises "- leaf3: ethernet-1/1 - spine1: ethernet-1/1", which YAML reads as keys.
func likelyEnds(n *yaml.Node) bool {
	return len(n.Content) == 2 && isDevice(n.Content[0].Value) && cableKeys.find(n.Content[0].Value) < 0 && isPort(firstWord(n.Content[1].Value))
}

func firstWord(s string) string {
	for i := range len(s) {
		if s[i] == ' ' {
			return s[:i]
		}
	}
	return s
}

func (c *cables) add(source int32, n, text, subnet *yaml.Node, speed string) {
	p, at := c.p, spotOf(source, text)
	if text.Tag != textTag {
		p.checkText(cableForm, "cables", source, text)
		return
	}
	a, b, cause, fix := parseCable(text.Value)
	if cause != "" {
		p.fault(at, "cables: "+show(text.Value)+" "+cause, fix)
		return
	}
	da, ok := c.resolve(&a, text.Value, at)
	db, ok2 := c.resolve(&b, text.Value, at)
	if !ok || !ok2 || !c.legal(a, b, da, db, at) || !c.once(a, b, da, db, at) {
		return
	}
	c.outs = append(c.outs, intent.Cable{})
	out := &c.outs[len(c.outs)-1]
	out.A, out.B = c.end(a), c.end(b)
	if out.Speed = speed; speed != "" && (a.server != "" || b.server != "") {
		p.fault(at, "cables: "+a.String()+" - "+b.String()+": speed of a cable to a server", "give it to the port, below ports")
	}
	if subnet != nil {
		out.Subnet = subnet.Value
		c.subnet(spotOf(source, subnet), a, b, subnet.Value, da, db)
	}
	p.out.Cables = append(p.out.Cables, out)
	p.places.cables = append(p.places.cables, spotOf(source, n))
}

func (c *cables) end(e end) *intent.End {
	c.ends = append(c.ends, intent.End{})
	out := &c.ends[len(c.ends)-1]
	out.Device, out.Port, out.Server, out.External = e.device, e.port, e.server, e.external
	return out
}

// resolve gives an end its full name and shares the text of its port.
func (c *cables) resolve(e *end, text string, at spot) (*device, bool) {
	e.port = c.names[c.number(e.port)]
	if e.device == "" {
		return nil, true
	}
	d, cause, fix := c.p.device(e.device)
	if d == nil {
		if !c.p.excused(e.device) {
			c.p.fault(at, "cables: "+show(text)+": "+cause, fix)
		}
		return nil, false
	}
	e.device = d.out.Name
	return d, true
}

// number returns the number of a port name.
func (c *cables) number(port string) int32 {
	n, ok := c.ports[port]
	if !ok {
		port = strings.Clone(port) // the name alone, not the line it was cut from
		n = int32(len(c.names))
		c.names, c.ports[port] = append(c.names, port), n
	}
	return n
}

// of returns the cable at a port, or -1.
func (c *cables) of(d *device, port string) int32 {
	if c == nil {
		return -1
	}
	if n, ok := c.ports[port]; ok {
		if i, ok := c.used[jack{d.index, n}]; ok {
			return i
		}
	}
	return -1
}

// lost reports whether there are no devices at all, for then every name would be reported.
func (p *parser) lost() bool { return p.unsound && len(p.devices.all) == 0 }

// legal reports a cable that a leaf-spine fabric cannot have.
func (c *cables) legal(a, b end, da, db *device, at spot) bool {
	spine, gateway := intent.Role_ROLE_SPINE, intent.Role_ROLE_GATEWAY
	if e, n := outside(a, b, da, db); e.external != "" && n.out.Role != gateway {
		c.p.fault(at, fmt.Sprintf("cables: %s - %s: joins a %s and a router outside of loom", a, b, roleWord(n.out.Role)), "join a gateway and it")
		return false
	}
	if da == nil || db == nil || da.site == db.site && (da.out.Role == spine) != (db.out.Role == spine) &&
		da.out.Role != intent.Role_ROLE_TRANSPONDER && db.out.Role != intent.Role_ROLE_TRANSPONDER {
		return true
	}
	if da != db && da.out.Role == gateway && db.out.Role == gateway {
		return true // where they stitch tenants, which is known only with their platforms, and of two sites where a DCI says so
	}
	thing := "cables: " + a.String() + " - " + b.String()
	switch {
	case da == db:
		c.p.fault(at, thing+": joins "+da.out.Name+" to itself", "name two devices")
	case da.out.Role == db.out.Role:
		c.p.fault(at, fmt.Sprintf("%s: joins two %s", thing, plural(da.out.Role)), "join a leaf and a spine")
	case da.site == db.site:
		c.p.fault(at, fmt.Sprintf("%s: joins a %s and a %s", thing, roleWord(da.out.Role), roleWord(db.out.Role)), "join a spine and a leaf or a gateway")
	default:
		c.p.fault(at, thing+": joins the sites "+da.site.out.Name+" and "+db.site.out.Name, "join a leaf and a spine of one site")
	}
	return false
}

// outside is the end of a cable that is no device of Loom's, and the device at the other one; zero where both are.
func outside(a, b end, da, db *device) (end, *device) {
	switch {
	case da == nil:
		return a, db
	case db == nil:
		return b, da
	}
	return end{}, nil
}

func plural(kind intent.Role) string {
	for _, r := range roleNames {
		if r.kind == kind {
			return r.key
		}
	}
	return ""
}

// String returns the end as it is written in a cable.
func (e end) String() string {
	if e.server != "" {
		return "server:" + e.server + ":" + e.port
	}
	if e.external != "" {
		return "external:" + e.external + ":" + e.port
	}
	return e.device + ":" + e.port
}

// once reports a cable that is listed twice, or a port with two cables; otherwise the cable takes its ports.
func (c *cables) once(a, b end, da, db *device, at spot) bool {
	next := int32(len(c.outs))
	for _, x := range [2]struct {
		d        *device
		own, far end
	}{{da, a, b}, {db, b, a}} {
		if x.d == nil {
			continue
		}
		if i := c.of(x.d, x.own.port); i >= 0 && i < next {
			c.again(i, x.own, x.far, at)
			return false
		}
		c.used[jack{x.d.index, c.ports[x.own.port]}] = next
	}
	return true
}

// again reports a cable at a port that has one.
func (c *cables) again(i int32, own, far end, at spot) {
	before := c.p.places.cables[i]
	for _, e := range []*intent.End{c.outs[i].A, c.outs[i].B} {
		if e.Device == far.device && e.Port == far.port && e.Server == far.server && e.External == far.external {
			c.p.twice("cables: "+own.String()+" - "+far.String(), before, at)
			return
		}
	}
	c.p.fault(at, "cables: "+own.String()+" has two cables", "give each cable a port of its own", Note{c.p.pos(before), "first cable here"})
}

// subnet reports a /31 that the cable cannot have.
func (c *cables) subnet(at spot, a, b end, text string, da, db *device) {
	net, _ := netip.ParsePrefix(text)
	thing := "cables: " + cmp.Or(a.device, a.server, a.external) + ": subnet " + text
	trunk := a.external != "" || b.external != "" || da != nil && db != nil && da.site != db.site
	switch before, taken := c.nets[net]; {
	case a.server != "" || b.server != "":
		c.p.fault(at, thing+": a cable to a server has none", "take it out")
	case !trunk && da.site.out.Underlay.Links != intent.Links_LINKS_NUMBERED:
		c.p.fault(at, thing+": the links of "+da.site.name()+" are unnumbered", "take it out, or write underlay: {links: numbered}")
	case taken:
		c.p.twice(thing, before, at)
	default:
		c.nets[net] = at
	}
}
