package topology

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/loomfabric/loom/models/intent"
)

// resolve decides the fields of an access port from its rules, once for all ports that share them.
func (p *parser) resolve(a *access) {
	if a.out != nil || a.bad {
		return
	}
	rs := a.rules
	if slices.ContainsFunc(rs, func(b *block) bool { return b.broken }) {
		a.bad = true // what is left of the rule says nothing
		return
	}
	a.pair = rs.text("lag", "none") == "pair"
	a.out = &intent.Attachment{Speed: rs.text("speed", ""), Mtu: rs.number("mtu", 0), Description: rs.text("description", "")}
	if b := rs.first("labels"); b != nil {
		a.out.Labels = b.texts("labels")
	}
	var segments []*segment
	if b := rs.first("segments"); b != nil {
		segments = p.keys(b, "segments", a)
	}
	tagged := rs.text("tagged", "false") == "true"
	var untagged *segment
	if b := rs.first("untagged"); b != nil {
		if list := p.keys(b, "untagged", a); len(list) == 1 {
			untagged = list[0]
		}
	}
	if a.bad {
		return
	}
	p.tag(a, segments, tagged, untagged)
}

// keys finds the segments that a block names. Those that do not exist are reported already.
func (p *parser) keys(b *block, key string, a *access) []*segment {
	var list []*segment
	for _, text := range b.texts(key) {
		s := p.segment(text)
		if s == nil {
			a.bad = true
			return nil
		}
		list = append(list, s)
	}
	return list
}

// tag puts segments on a port, with tags or without.
func (p *parser) tag(a *access, segments []*segment, tagged bool, untagged *segment) {
	at := a.at("segments")
	a.bad = true
	switch {
	case tagged && len(segments) == 0:
		p.fault(a.at("tagged"), "ports: tagged: true, but no segments", "add segments: [web]")
	case !tagged && len(segments) > 1:
		p.fault(at, fmt.Sprintf("ports: %d segments on one port without tags", len(segments)), "add tagged: true, or keep one of them")
	case !tagged && len(segments) == 1 && untagged != nil:
		p.fault(a.at("untagged"), "ports: untagged: stands beside a segment without tags", "add tagged: true, or keep one of the two",
			Note{p.pos(at), "segments given here"})
	default:
		a.bad = false
	}
	if a.bad {
		return
	}
	if !tagged && len(segments) == 1 {
		segments, untagged = nil, segments[0]
	}
	a.bad = !p.put(a.out, segments, untagged, a.at("untagged"), at, "ports")
	a.used = append(segments, untagged)
	if untagged == nil {
		a.used = segments
	}
}

// put writes segments into an attachment and reports those that exclude one another.
func (p *parser) put(out *intent.Attachment, tagged []*segment, untagged *segment, untaggedAt, taggedAt spot, label string) bool {
	vlans := map[uint32]string{}
	for i, s := range tagged {
		if s == untagged {
			p.fault(untaggedAt, label+": "+s.key+" is tagged and untagged on one port", "keep one of the two")
			return false
		}
		if slices.Contains(tagged[:i], s) {
			p.fault(taggedAt, label+": "+s.key+" is given twice", "keep one of them")
			return false
		}
		if other, taken := vlans[s.out.Vlan]; taken && s.out.Vlan > 0 {
			p.fault(taggedAt, fmt.Sprintf("%s: vlan %d is that of %s and of %s on one port", label, s.out.Vlan, other, s.key),
				"give one of them another vlan, or another port", Note{p.pos(s.b.get("vlan").at()), "vlan of " + s.key})
			return false
		}
		vlans[s.out.Vlan] = s.key
		out.Tagged = append(out.Tagged, s.key)
	}
	if untagged != nil {
		out.Untagged = untagged.key
	}
	return true
}

// allowed reports segments that may not be used in the site of a port; once for a site.
func (p *parser) allowed(a *access, w wire) {
	for _, s := range a.used {
		if s.in(w.device.site.out.Name) || slices.Contains(a.banned, w.device.site) {
			continue
		}
		a.banned = append(a.banned, w.device.site)
		p.notIn("ports", w.device, s, a.at("segments"))
	}
}

func (p *parser) notIn(label string, d *device, s *segment, at spot) {
	b := s.b
	if !b.has("sites") {
		b = s.tenant.b
	}
	p.fault(at, fmt.Sprintf("%s: %s: segment %s is not for site %s", label, d.out.Name, s.key, d.site.out.Name),
		"add "+d.site.out.Name+" to its sites, or take the leaf out", Note{p.pos(b.get("sites").at()), "the sites of " + s.key})
}

// listedAttachments reads the access ports that are spelled out.
func (p *parser) listedAttachments(taken map[intentEnd]spot) []attachment {
	var list []attachment
	for _, e := range p.parts.attachments {
		for _, n := range e.value.Content {
			var b block
			if !p.read(&b, attachmentKeys, entry{source: e.source, value: n}, "attachments") || !b.has("members") {
				continue
			}
			if a, ok := p.listedAttachment(&b, e.source, taken); ok {
				list = append(list, a)
			}
		}
	}
	return list
}

func (p *parser) listedAttachment(b *block, source int32, taken map[intentEnd]spot) (attachment, bool) {
	p.segmentsExist(b)
	wires, ok := p.members(b, source, taken)
	if !ok {
		return attachment{}, false
	}
	a := &access{}
	tagged, untagged := p.keys(b, "tagged", a), p.keys(b, "untagged", a)
	if a.bad {
		return attachment{}, false
	}
	out := &intent.Attachment{Speed: b.text("speed"), Mtu: b.number("mtu"), Labels: b.texts("labels"), Description: b.text("description")}
	out.Lag = len(wires) == 2 || b.text("lag") == "true"
	for _, w := range wires {
		out.Members = append(out.Members, &intent.End{Device: w.device.out.Name, Port: w.port})
	}
	if len(wires) == 2 && b.text("lag") == "false" {
		p.fault(b.get("lag").at(), "attachments: lag: false, but two members", "take it out; two members always form a lag")
		return attachment{}, false
	}
	var last *segment
	if len(untagged) == 1 {
		last = untagged[0]
	}
	if !p.put(out, tagged, last, b.get("untagged").atOr(b.at), b.get("tagged").atOr(b.at), "attachments") {
		return attachment{}, false
	}
	for _, s := range append(tagged, untagged...) {
		if d := wires[0].device; !s.in(d.site.out.Name) {
			p.notIn("attachments", d, s, b.at)
		}
	}
	return attachment{out, b.place(nil), wires[0]}, true
}

// atOr is at for a key that may not be there.
func (e entry) atOr(otherwise spot) spot {
	if e.key == nil {
		return otherwise
	}
	return e.at()
}

// members finds the ports of an attachment that is spelled out, the lower leaf first.
func (p *parser) members(b *block, source int32, taken map[intentEnd]spot) ([]wire, bool) {
	var wires []wire
	for _, n := range b.items("members") {
		w, ok := p.member(n, spotOf(source, n), taken)
		if !ok {
			return nil, false
		}
		wires = append(wires, w)
	}
	at := b.get("members").at()
	switch {
	case len(wires) == 0 || len(wires) > 2:
		p.fault(at, fmt.Sprintf("attachments: %d members", len(wires)), "name one port, or one on each leaf of a pair")
		return nil, false
	case len(wires) == 1:
		return wires, true
	}
	x, y := wires[0].device, wires[1].device
	if x.out.Peer != y.out.Name {
		p.fault(at, "attachments: "+x.out.Name+" and "+y.out.Name+" are not a pair", "name both leaves of one pair, or add pairs to their leaves")
		return nil, false
	}
	if x.out.Number > y.out.Number {
		wires[0], wires[1] = wires[1], wires[0]
	}
	return wires, true
}

func (p *parser) member(n *yaml.Node, at spot, taken map[intentEnd]spot) (w wire, ok bool) {
	e, _, _ := parseEnd(n.Value)
	d, cause, fix := p.device(e.device)
	switch {
	case d == nil && p.excused(e.device):
		return w, false
	case d == nil:
		p.fault(at, "attachments: "+show(n.Value)+": "+cause, fix)
		return w, false
	case d.out.Role != intent.Role_ROLE_LEAF:
		p.fault(at, "attachments: "+d.out.Name+" is a "+roleWord(d.out.Role)+"; access ports are on leaves", "name a leaf")
		return w, false
	}
	key := intentEnd{device: d.out.Name, port: e.port}
	if before, used := taken[key]; used {
		p.fault(at, "attachments: "+d.out.Name+":"+e.port+" is attached already", "keep one of the two", Note{p.pos(before), "first attached here"})
		return w, false
	}
	taken[key] = at
	p.cabled(d, e.port, at)
	return wire{d, e.port, slotOf(e.port)}, true
}
