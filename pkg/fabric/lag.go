package fabric

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

// access is one attachment: what hangs off a port, or off a port of each leaf of a pair.
type access struct {
	in      *intent.Attachment
	ref     Ref
	members []member // one, or two in the order of the leaves' numbers
	subs    []sub    // untagged first, then by VLAN id
	lag     uint32   // its number on every member; 0: none
}

// member is a port of an attachment.
type member struct {
	node *node
	port portID
}

// sub is a segment on an attachment.
type sub struct {
	segment *segment
	vlan    uint32 // 0: untagged
}

// attach resolves all attachments and claims their ports.
func (d *draft) attach() {
	byKey := make(map[string]*segment, len(d.segments))
	for _, s := range d.segments {
		byKey[s.key] = s
	}
	d.access = make([]access, 0, len(d.in.GetAttachments()))
	for _, in := range d.in.GetAttachments() {
		if a, ok := d.newAccess(in); ok {
			d.access = append(d.access, a)
		}
	}
	slices.SortStableFunc(d.access, func(a, b access) int {
		return cmp.Or(cmp.Compare(a.members[0].node.index, b.members[0].node.index), a.members[0].port.compare(b.members[0].port))
	})
	for i := range d.access {
		a := &d.access[i]
		d.attachSegments(a, byKey)
		for _, m := range a.members {
			m.node.claims = append(m.node.claims, claim{m.port, accessClaim, int32(i)})
		}
	}
}

func (d *draft) newAccess(in *intent.Attachment) (access, bool) {
	a := access{in: in}
	if len(in.GetMembers()) == 0 {
		d.report.fail("topology", "attachment without a port: name one or two members", "")
		return a, false
	}
	a.ref = Ref("attachments/" + endText(in.GetMembers()[0]))
	a.members = make([]member, 0, len(in.GetMembers()))
	for _, end := range in.GetMembers() {
		n := d.node(end.GetDevice(), a.ref)
		if n == nil {
			return a, false
		}
		port, ok := d.portOf(n, end.GetPort(), a.ref)
		if !ok {
			return a, false
		}
		a.members = append(a.members, member{n, port})
	}
	slices.SortStableFunc(a.members, func(a, b member) int { return cmp.Compare(a.node.index, b.node.index) })
	return a, d.checkMembers(&a)
}

// checkMembers reports members that cannot share an attachment, and decides the number of their LAG. It follows
// from the port of the lower leaf.
func (d *draft) checkMembers(a *access) bool {
	first := a.members[0]
	switch {
	case first.node.role != Leaf:
		d.report.failEach(a.ref, endText(a.in.GetMembers()[0]), "attachment on a "+string(first.node.role), "attach servers to leaves")
		return false
	case len(a.members) > 2:
		d.report.fail(a.ref, fmt.Sprintf("%s: attachment with %d members", endText(a.in.GetMembers()[0]), len(a.members)), "a LAG has one port, or one on each leaf of a pair")
		return false
	case len(a.members) == 2 && first.node.peer != a.members[1].node:
		d.report.failEach(a.ref, endText(a.in.GetMembers()[0]), "attachment on leaves that are not a pair: "+first.node.name()+" and "+a.members[1].node.name(), "pair the leaves")
		return false
	}
	if a.in.GetLag() || len(a.members) == 2 {
		a.lag = lagNumber(first.node.portName(first.port), first.port)
	}
	return true
}

// lagNumber returns the number of the LAG of a port: N for ethernet-1/N, N*10+M for its channel M.
func lagNumber(name string, port portID) uint32 {
	if port.channel == 0 {
		return ordinal(name)
	}
	parent, _, _ := splitChannel(name)
	return ordinal(parent)*10 + uint32(port.channel)
}

// attachSegments resolves the segments of an attachment.
func (d *draft) attachSegments(a *access, byKey map[string]*segment) {
	tagged := a.in.GetTagged()
	a.subs = make([]sub, 0, len(tagged)+1)
	if key := a.in.GetUntagged(); key != "" {
		if s := d.segment(a, key, byKey); s != nil {
			a.subs = append(a.subs, sub{s, 0})
		}
	}
	for _, key := range tagged {
		s := d.segment(a, key, byKey)
		if s == nil {
			continue
		}
		if s.vlan == 0 {
			d.report.failEach(s.ref+"#vlan", "segment "+s.key, fmt.Sprintf("no VLAN id follows from number %d, and it is tagged", s.in.GetNumber()),
				fmt.Sprintf("give it a vlan; numbers up to %d have one", lastVLAN), note{a.ref, "tagged here"})
			continue
		}
		a.subs = append(a.subs, sub{s, s.vlan})
	}
	slices.SortStableFunc(a.subs, func(a, b sub) int { return cmp.Compare(a.vlan, b.vlan) })
	for i := 1; i < len(a.subs); i++ {
		if one, two := a.subs[i-1], a.subs[i]; one.vlan == two.vlan {
			d.report.failEach(a.ref, endText(a.in.GetMembers()[0]), fmt.Sprintf("VLAN %d is that of %s and of %s", two.vlan, one.segment.key, two.segment.key), "give one of them another vlan",
				note{one.segment.ref + "#vlan", one.segment.key}, note{two.segment.ref + "#vlan", two.segment.key})
		}
	}
}

func (d *draft) segment(a *access, key string, byKey map[string]*segment) *segment {
	s := byKey[key]
	if s == nil {
		d.report.failEach(a.ref, endText(a.in.GetMembers()[0]), "no segment "+key, "")
	}
	return s
}

// checkLAGs reports two LAGs of a device with one number: a channel's may meet a port's.
func (d *draft) checkLAGs(n *node) {
	type numbered struct {
		lag  uint32
		what int32
	}
	var all []numbered
	for _, c := range n.claims {
		if c.kind == accessClaim && d.access[c.what].lag != 0 {
			all = append(all, numbered{d.access[c.what].lag, c.what})
		}
	}
	slices.SortStableFunc(all, func(a, b numbered) int { return cmp.Compare(a.lag, b.lag) })
	for i := 1; i < len(all); i++ {
		if a, b := all[i-1], all[i]; a.lag == b.lag && a.what != b.what {
			one, two := &d.access[a.what], &d.access[b.what]
			d.report.fail(two.ref, fmt.Sprintf("%s: lag%d is also that of %s", endText(two.in.GetMembers()[0]), b.lag, endText(one.in.GetMembers()[0])),
				"use another port for one of them", note{one.ref, "the other one"})
		}
	}
}

// lags returns the LAGs of a device, sorted by number.
func (d *draft) lags(n *node) []LAG {
	var list []LAG
	for i, c := range n.claims {
		if c.kind == accessClaim && d.access[c.what].lag != 0 {
			list = append(list, d.newLAG(n, &d.access[c.what], d.farEnd(n, i)))
		}
	}
	slices.SortFunc(list, func(a, b LAG) int { return cmp.Compare(a.Number, b.Number) })
	return list
}

func (d *draft) newLAG(n *node, a *access, far string) LAG {
	low := a.members[0].node
	lag := LAG{
		Number: a.lag, MTU: a.in.GetMtu(), Description: a.description(far), Tagged: len(a.in.GetTagged()) > 0,
		Subs: a.subPorts(), SystemMAC: systemMAC(low, a.lag), AdminKey: a.lag, Ref: a.ref,
	}
	if len(a.members) == 2 {
		lag.ESI, lag.ESName, lag.Peer = esi(low, a.lag), "es-lag"+decimal(a.lag), n.peer.name()
	}
	return lag
}

// systemMAC returns the LACP system id of a LAG: a locally administered address that both ends of an ethernet
// segment derive alike, and no other segment does.
func systemMAC(low *node, lag uint32) string {
	leaf := low.number()
	return octets(2, byte(low.site.in.GetNumber()), byte(leaf>>8), byte(leaf), byte(lag>>8), byte(lag))
}

// esi returns a type 0 ethernet segment identifier. Its octets 1 to 6 differ between segments, since the
// route target that imports them is made of those (RFC 7432 §7.6).
func esi(low *node, lag uint32) string {
	site, leaf := low.site.in.GetNumber(), low.number()
	return octets(0, byte(site>>8), byte(site), byte(leaf>>8), byte(leaf), byte(lag>>8), byte(lag), 0, 0, 0)
}

// octets writes bytes in hexadecimal with colons between them.
func octets(list ...byte) string {
	const hex = "0123456789abcdef"
	var buf [32]byte
	text := buf[:0]
	for i, b := range list {
		if i > 0 {
			text = append(text, ':')
		}
		text = append(text, hex[b>>4], hex[b&15])
	}
	return string(text)
}

// accessPorts returns the access ports of a device, sorted by port.
func (d *draft) accessPorts(n *node) []AccessPort {
	list := make([]AccessPort, 0, n.count(accessClaim))
	for i, c := range n.claims {
		if c.kind != accessClaim {
			continue
		}
		a := &d.access[c.what]
		port := AccessPort{Port: n.portName(c.port), MTU: a.in.GetMtu(), Description: a.description(d.farEnd(n, i)), LAG: a.lag, Ref: a.ref}
		if a.in.GetSpeed() != n.speedsOf(c.port)[0] {
			port.Speed = a.in.GetSpeed()
		}
		if a.lag == 0 {
			port.Subs, port.Tagged = a.subPorts(), len(a.in.GetTagged()) > 0
		}
		list = append(list, port)
	}
	return list
}

// farEnd returns what a cable says is at the other end of the port of a claim; "" without one. The claim
// of a server follows that of the port's attachment.
func (d *draft) farEnd(n *node, i int) string {
	if i+1 == len(n.claims) || n.claims[i+1].kind != serverClaim || n.claims[i+1].port != n.claims[i].port {
		return ""
	}
	return d.servers[n.claims[i+1].what].String()
}

func (a *access) subPorts() []SubPort {
	list := make([]SubPort, len(a.subs))
	for i, s := range a.subs {
		list[i] = SubPort{Index: s.vlan, VLAN: s.vlan, Segment: s.segment.key, Ref: a.ref}
	}
	return list
}

// longDescription is where a list of segments gets too long to read; SR Linux takes 255 characters.
const longDescription = 100

// description returns the operator's text, or what the port is for.
func (a *access) description(far string) string {
	switch {
	case a.in.GetDescription() != "":
		return a.in.GetDescription()
	case far != "":
		return far
	}
	if len(a.subs) == 1 {
		return "access " + a.subs[0].segment.key
	}
	var b strings.Builder
	b.WriteString("access")
	for i, s := range a.subs {
		if b.Len() > longDescription {
			return fmt.Sprintf("access %d segments", len(a.subs))
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(" " + s.segment.key)
	}
	return b.String()
}
