package topology

import (
	"net/netip"
	"strconv"
)

// once finds values that may be used once.
type once struct {
	p     *parser
	what  string
	first map[string]owner
}

type owner struct {
	thing string
	at    spot
}

func (p *parser) once(what string) *once { return &once{p, what, map[string]owner{}} }

// take takes the value of a key for a thing, if the key is given.
func (o *once) take(thing string, b *block, key string) {
	if b.has(key) {
		o.claim(thing, b.text(key), b.get(key).at())
	}
}

// claim takes a value for a thing. The one that is written later is reported.
func (o *once) claim(thing, value string, at spot) {
	mine := owner{thing, at}
	other, taken := o.first[value]
	if !taken {
		o.first[value] = mine
		return
	}
	if o.p.pos(at).before(o.p.pos(other.at)) < 0 {
		mine, other = other, mine
		o.first[value] = other
	}
	o.p.fault(mine.at, mine.thing+": "+o.what+" "+value+" is that of "+other.thing, "give each its own", Note{o.p.pos(other.at), "first used here"})
}

// explicit are the values of devices that may be given and must then differ.
var explicit = []string{"asn", "loopback", "loopback6", "management", "fingerprint"}

// checkSites holds sites and devices against one another.
func (p *parser) checkSites() {
	numbers, asns := p.once("number"), p.once("asns")
	values := map[string]*once{}
	for _, key := range explicit {
		values[key] = p.once(key)
	}
	for _, s := range p.sites {
		numbers.take(s.out.Name, s.own, "number")
		if s.own.has("asns") {
			asns.claim(s.out.Name, strconv.FormatUint(uint64(s.out.Asns), 10), s.own.get("asns").at())
		}
		for _, d := range s.devices {
			p.checkDevice(d, values)
		}
	}
	p.fullNames()
	p.pools()
}

func (p *parser) checkDevice(d *device, values map[string]*once) {
	for _, v := range []struct{ key, value string }{
		{"loopback", d.out.Loopback}, {"loopback6", d.out.Loopback6}, {"management", d.out.Management}, {"fingerprint", d.out.Fingerprint},
	} {
		if v.value != "" {
			values[v.key].claim(d.out.Name, v.value, d.at(v.key))
		}
	}
	if d.out.Asn != 0 {
		values["asn"].claim(d.out.Name, strconv.FormatUint(uint64(d.out.Asn), 10), d.at("asn"))
	}
	p.managed(d)
}

// fullNames reports the first device of a site whose name is taken in another, and names that are too long.
func (p *parser) fullNames() {
	first := map[string]*site{}
	for _, s := range p.sites {
		at := s.at
		if s.own.has("prefix") {
			at = s.own.get("prefix").at()
		}
		for _, d := range s.out.Devices {
			other, taken := first[d.Name]
			if taken && other != s {
				p.fault(at, s.out.Name+": prefix: "+d.Name+" is then the name of a device of "+other.out.Name+" too", "give each site its own prefix",
					Note{p.pos(other.at), other.out.Name + " is declared here"})
				break
			}
			if !isName(d.Name) {
				p.fault(at, s.out.Name+": prefix: "+d.Name+" is longer than 63 characters", "shorten the prefix")
				break
			}
			first[d.Name] = s
		}
	}
}

// network is a pool or a management network of a site.
type network struct {
	prefix netip.Prefix
	thing  string
	at     spot
}

// pools reports pools and management networks that overlap: one address would then be two things.
func (p *parser) pools() {
	var list []network
	for _, s := range p.sites {
		list = append(list, s.network("pool", s.out.Pool))
		if s.out.Management != "" {
			list = append(list, s.network("management", s.out.Management))
		}
	}
	for j, b := range list {
		for _, a := range list[:j] {
			if !a.prefix.Overlaps(b.prefix) {
				continue
			}
			if p.pos(b.at).before(p.pos(a.at)) < 0 {
				a, b = b, a
			}
			p.fault(b.at, b.thing+" overlaps "+a.thing, "give each site networks of its own", Note{p.pos(a.at), "the other network"})
			break
		}
	}
}

func (s *site) network(key, text string) network {
	prefix, _ := netip.ParsePrefix(text)
	n := network{prefix, join(s.label, key) + " " + text, s.at}
	if s.own.has(key) {
		n.at = s.own.get(key).at()
	}
	return n
}
