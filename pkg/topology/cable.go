package topology

import (
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

const maxSuggestions = 30

func (p *parser) nearDevice(text string) string {
	if word := strings.TrimRight(text, "0123456789"); word != text && (word == "leaf" || word == "spine") {
		return p.counted(word)
	}
	if p.near++; p.near <= maxSuggestions {
		if near := nearestOf(text, p.devices.spelling); near != "" {
			return "write " + near
		}
		if near := nearestOf(text, p.devices.short); near != "" {
			return "write " + near
		}
	}
	return "write the name of a device, as leaf3 or bj/leaf3"
}

// cables is the reading of all lists of cables.
type cables struct {
	p      *parser
	pairs  map[endPair]int32 // cables by their ends, the lower device first
	intern map[string]string // port names: few different ones
	outs   []intent.Cable
	ends   []intent.End
	nets   map[netip.Prefix]spot
}

type endPair struct{ a, b end }

func (p *parser) expandCables() {
	total := 0
	for _, e := range p.parts.cables {
		total += len(e.value.Content)
	}
	if total == 0 {
		return
	}
	c := &cables{
		p: p, intern: map[string]string{}, nets: map[netip.Prefix]spot{}, pairs: make(map[endPair]int32, total),
		outs: make([]intent.Cable, 0, total), ends: make([]intent.End, 0, 2*total),
	}
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
	text, subnet := n, (*yaml.Node)(nil)
	switch {
	case !p.bare(source, n):
		return
	case n.Kind == yaml.MappingNode && likelyEnds(n):
		p.fault(spotOf(source, n), "cables: an end with a colon and a space", "write DEVICE:PORT without a space")
		return
	case n.Kind == yaml.MappingNode:
		var b block
		if !p.read(&b, cableKeys, entry{source: source, value: n}, "cables") || !b.has("cable") || b.given("subnet") && !b.has("subnet") {
			return
		}
		text, subnet = b.get("cable").value, b.get("subnet").value
	case n.Kind != yaml.ScalarNode:
		p.fault(spotOf(source, n), "cables: a list where a cable is wanted", "write DEVICE:PORT - DEVICE:PORT")
		return
	}
	c.add(source, n, text, subnet)
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

func (c *cables) add(source int32, n, text, subnet *yaml.Node) {
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
	if subnet != nil {
		out.Subnet = subnet.Value
		c.subnet(spotOf(source, subnet), a.device, subnet.Value, da, db)
	}
	p.out.Cables = append(p.out.Cables, out)
	p.places.cables = append(p.places.cables, spotOf(source, n))
}

func (c *cables) end(e end) *intent.End {
	c.ends = append(c.ends, intent.End{})
	out := &c.ends[len(c.ends)-1]
	out.Device, out.Port, out.Server = e.device, e.port, e.server
	return out
}

// resolve gives an end its full name and shares the text of its port.
func (c *cables) resolve(e *end, text string, at spot) (*device, bool) {
	port, ok := c.intern[e.port]
	if !ok {
		port = e.port
		c.intern[port] = port
	}
	e.port = port
	if e.server != "" {
		return nil, true
	}
	d, cause, fix := c.p.device(e.device)
	if d == nil {
		if !c.p.lost() {
			c.p.fault(at, "cables: "+show(text)+": "+cause, fix)
		}
		return nil, false
	}
	e.device = d.out.Name
	return d, true
}

// lost reports whether there are no devices at all, for then every name would be reported.
func (p *parser) lost() bool { return p.unsound && len(p.devices.all) == 0 }

// legal reports a cable that a leaf-spine fabric cannot have.
func (c *cables) legal(a, b end, da, db *device, at spot) bool {
	thing := "cables: " + a.String() + " - " + b.String()
	switch {
	case da == nil || db == nil:
		return true
	case da == db:
		c.p.fault(at, thing+": joins "+da.out.Name+" to itself", "name two devices")
	case da.out.Role == db.out.Role:
		c.p.fault(at, fmt.Sprintf("%s: joins two %s", thing, plural(da.out.Role)), "join a leaf and a spine")
	case da.site != db.site:
		c.p.fault(at, thing+": joins the sites "+da.site.out.Name+" and "+db.site.out.Name, "join a leaf and a spine of one site")
	default:
		return true
	}
	return false
}

func plural(kind intent.Role) string {
	if kind == intent.Role_ROLE_SPINE {
		return "spines"
	}
	return "leaves"
}

// String returns the end as it is written in a cable.
func (e end) String() string {
	if e.server != "" {
		return "server:" + e.server + ":" + e.port
	}
	return e.device + ":" + e.port
}

// once reports a cable that is listed twice, or a port with two cables.
func (c *cables) once(a, b end, da, db *device, at spot) bool {
	pair := endPair{a, b}
	if da == nil || db != nil && b.device < a.device {
		pair = endPair{b, a}
	}
	if i, ok := c.pairs[pair]; ok {
		c.p.twice("cables: "+a.String()+" - "+b.String(), c.p.places.cables[i], at)
		return false
	}
	if !c.free(da, a, at) || !c.free(db, b, at) {
		return false
	}
	c.pairs[pair] = int32(len(c.p.places.cables))
	return true
}

// free takes a port for a cable.
func (c *cables) free(d *device, e end, at spot) bool {
	if d == nil {
		return true
	}
	if before, ok := d.ports[e.port]; ok {
		c.p.fault(at, "cables: "+e.String()+" has two cables", "give each cable a port of its own", Note{c.p.pos(before), "first cable here"})
		return false
	}
	if d.ports == nil {
		d.ports = make(map[string]spot)
	}
	d.ports[e.port] = at
	return true
}

// subnet reports a /31 that the cable cannot have.
func (c *cables) subnet(at spot, device, text string, da, db *device) {
	net, _ := netip.ParsePrefix(text)
	thing := "cables: " + device + ": subnet " + text
	switch before, taken := c.nets[net]; {
	case da == nil || db == nil:
		c.p.fault(at, thing+": a cable to a server has none", "take it out")
	case da.site.out.Underlay.Links != intent.Links_LINKS_NUMBERED:
		c.p.fault(at, thing+": the links of "+da.site.name()+" are unnumbered", "take it out, or write underlay: {links: numbered}")
	case taken:
		c.p.twice(thing, before, at)
	default:
		c.nets[net] = at
	}
}
