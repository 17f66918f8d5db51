package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

// access is what rules say about one port. All ports that the same rules touched share it.
type access struct {
	rules  layers // the latest first
	place  *place
	out    *intent.Attachment // without members; made once
	bad    bool               // a mistake in it is reported
	pair   bool
	used   []*segment
	banned []*site            // reported as not allowed
	next   map[*block]*access // what the next rule makes of it
}

// wire is one access port of one leaf.
type wire struct {
	device *device
	port   string
	slot   [4]uint16 // the numbers of the port, to sort it
}

// attachment is one attachment before it is sorted.
type attachment struct {
	out   *intent.Attachment
	place *place
	key   wire // of its first member
}

// expandAttachments applies the rules, adds what is spelled out, and sorts both.
func (p *parser) expandAttachments() {
	taken := map[intentEnd]spot{}
	list := append(p.rules(taken), p.listedAttachments(taken)...)
	slices.SortStableFunc(list, func(a, b attachment) int {
		return cmp.Or(cmp.Compare(a.key.device.index, b.key.device.index), slices.Compare(a.key.slot[:], b.key.slot[:]))
	})
	for _, a := range list {
		p.out.Attachments = append(p.out.Attachments, a.out)
		p.places.attachments = append(p.places.attachments, a.place)
	}
}

// rules applies the rules in order and makes attachments of the ports that they touch.
func (p *parser) rules(taken map[intentEnd]spot) []attachment {
	ports := map[wire]*access{}
	var order []wire
	start := &access{}
	for _, e := range p.parts.ports {
		for _, n := range e.value.Content {
			b := new(block)
			if !p.read(b, portKeys, entry{source: e.source, value: n}, "ports") || !b.has("on") || !b.has("range") {
				continue
			}
			order = p.rule(b, ports, order, start)
			if p.touched > maxPorts {
				return nil
			}
		}
	}
	var list []attachment
	for _, w := range order {
		if a, ok := p.attach(w, ports, taken); ok {
			list = append(list, a)
		}
	}
	return list
}

// rule applies one rule.
func (p *parser) rule(b *block, ports map[wire]*access, order []wire, start *access) []wire {
	p.segmentsExist(b)
	parts, _, _ := parseRange(b.text("range"))
	wires := expandRange(parts)
	selected := p.selected("ports", b)
	if p.touched += len(selected) * len(wires); p.touched > maxPorts {
		p.fault(b.at, fmt.Sprintf("ports: more than %d access ports in all rules together", maxPorts), "select fewer")
		return order
	}
	for _, d := range selected {
		if d.out.Role != intent.Role_ROLE_LEAF {
			p.fault(b.get("on").at(), "ports: "+d.out.Name+" is a "+roleWord(d.out.Role)+"; access ports are on leaves", "select leaves")
			return order
		}
		for _, w := range wires {
			w.device = d
			before := ports[w]
			if before == nil {
				before = start
				order = append(order, w)
			}
			ports[w] = before.after(b)
		}
	}
	return order
}

// after returns what a rule makes of an access port.
func (a *access) after(b *block) *access {
	if a.next == nil {
		a.next = map[*block]*access{}
	}
	next := a.next[b]
	if next == nil {
		next = &access{rules: append(layers{b}, a.rules...), place: b.place(a.place)}
		a.next[b] = next
	}
	return next
}

func expandRange(parts []portRange) []wire {
	var list []wire
	for _, r := range parts {
		for n := r.from; n <= r.to; n++ {
			port := r.stem + strconv.Itoa(int(n))
			list = append(list, wire{port: port, slot: slotOf(port)})
		}
	}
	return list
}

// slotOf returns the numbers of a port, so that ports sort as people count.
func slotOf(port string) (slot [4]uint16) {
	i := 0
	for part := range strings.SplitSeq(strings.TrimPrefix(port, "ethernet-"), "/") {
		n, _ := parseNumber(strings.TrimPrefix(part, "c"), 0, 999)
		slot[i] = uint16(n)
		i++
	}
	return slot
}

// segmentsExist reports segments of a block that there are not.
func (p *parser) segmentsExist(b *block) {
	for _, key := range []string{"segments", "tagged", "untagged"} {
		if i := b.keys.find(key); i < 0 || b.keys.List[i].Form != segmentForm {
			continue
		}
		for _, n := range b.items(key) {
			if p.segment(n.Value) == nil && (len(p.segments) > 0 || !p.unsound) {
				p.noSegment(b.name(key), n.Value, spotOf(b.get(key).source, n))
			}
		}
	}
}

// attach makes the attachment of a port; the second member of a pair makes none.
func (p *parser) attach(w wire, ports map[wire]*access, taken map[intentEnd]spot) (attachment, bool) {
	a := ports[w]
	p.resolve(a)
	if a.bad {
		return attachment{}, false
	}
	p.allowed(a, w)
	out := &intent.Attachment{
		Tagged: a.out.Tagged, Untagged: a.out.Untagged, Speed: a.out.Speed, Mtu: a.out.Mtu, Labels: a.out.Labels, Description: a.out.Description,
		Members: []*intent.End{{Device: w.device.out.Name, Port: w.port}},
	}
	p.cabled(w.device, w.port, a.place.at)
	taken[intentEnd{device: w.device.out.Name, port: w.port}] = a.place.at
	if !a.pair {
		return attachment{out, a.place, w}, true
	}
	other, ok := p.partner(a, w, ports)
	if !ok || w.device.out.Number > other.device.out.Number {
		return attachment{}, false
	}
	out.Lag = true
	out.Members = append(out.Members, &intent.End{Device: other.device.out.Name, Port: w.port})
	return attachment{out, a.place, w}, true
}

// partner finds the same port on the other leaf of a pair.
func (p *parser) partner(a *access, w wire, ports map[wire]*access) (wire, bool) {
	at := a.at("lag")
	if w.device.out.Peer == "" {
		p.fault(at, fmt.Sprintf("ports: %s: lag: pair, but the leaf has no pair", w.device.out.Name), "add pairs to its leaves, or take the leaf out of the rule")
		a.bad = true
		return w, false
	}
	other := w
	other.device = p.devices.spelling[w.device.out.Peer]
	twin := ports[other]
	thing := fmt.Sprintf("ports: %s:%s", w.device.out.Name, w.port)
	switch {
	case other.device == nil:
		return w, false
	case twin == nil:
		p.fault(at, thing+": lag: pair, but no rule is for this port of "+other.device.out.Name, "select both leaves of the pair")
		a.bad = true
		return w, false
	case twin == a:
		return other, true
	}
	p.resolve(twin)
	if !twin.bad && !(twin.pair && alike(a.out, twin.out)) {
		p.fault(at, thing+": lag: pair, but "+other.device.out.Name+" has other settings on this port", "make the rules the same for both leaves",
			Note{p.pos(twin.place.at), "last rule for " + other.device.out.Name})
		a.bad, twin.bad = true, true
		return w, false
	}
	return other, !twin.bad
}

// alike reports whether both ends of a pair are set alike.
func alike(a, b *intent.Attachment) bool {
	return slices.Equal(a.Tagged, b.Tagged) && a.Untagged == b.Untagged && a.Speed == b.Speed && a.Mtu == b.Mtu &&
		slices.Equal(a.Labels, b.Labels) && a.Description == b.Description
}

// at returns where a field of the access port was given.
func (a *access) at(key string) spot {
	if s, ok := a.place.find(key); ok {
		return s
	}
	return a.place.at
}

// cabled reports an access port that a listed cable between routers uses.
func (p *parser) cabled(d *device, port string, at spot) {
	i := p.cables.of(d, port)
	if i < 0 {
		return
	}
	if c := p.out.Cables[i]; c.A.Server == "" && c.B.Server == "" {
		p.fault(at, fmt.Sprintf("ports: %s:%s is a fabric port", d.out.Name, port), "take the port out of the rule",
			Note{p.pos(p.places.cables[i]), "its cable"})
	}
}
