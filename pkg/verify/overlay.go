package verify

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// stretched: broadcast of a segment goes to every other VTEP that has it. Both lists are sorted, so that a
// segment costs its VTEPs.
func (k *checker) stretched(c *Contract, d *shown) {
	tunnel, there := d.tunnel(c)
	have := tunnel.VTEPs
	for _, far := range c.VTEPs {
		for len(have) > 0 && have[0].Less(far.Addr) {
			have = have[1:]
		}
		reached := len(have) > 0 && have[0] == far.Addr
		if far.Device == c.Device || reached && tunnel.Up {
			continue
		}
		pair := *c
		pair.Object, pair.Far = pairObject(c.Device, far.Device), []string{far.Device}
		f := k.draft(TunnelMissing, Error, &pair, "has no tunnel")
		switch {
		case !there:
			f.lacks(c.Device)
			f.suspects = append(f.suspects, c.Device)
			f.misses(c, "has no "+c.carrier())
		case !tunnel.Up:
			f.farther = append(f.farther, c.service(c.Device))
			f.misses(c, "says down"+because(tunnel.Reason))
		default:
			f.misses(c, "does not reach "+far.Addr.String())
		}
	}
}

// miss is what one end of a tunnel lacks: the first segment, and how many.
type miss struct {
	device, text, segment string
	segments              int
}

// misses notes that a segment lacks a tunnel. Two leaves have one finding, however many segments they share.
func (f *draft) misses(c *Contract, text string) {
	if n := len(f.missed); n > 0 && f.missed[n-1].device == c.Device {
		f.missed[n-1].segments++
		return
	}
	f.missed = append(f.missed, miss{c.Device, text, c.Segment, 1})
}

// String is what one end shows.
func (m miss) String() string {
	text := m.device + " " + m.text + " in " + m.segment
	if m.segments > 1 {
		text += fmt.Sprintf(" and %d more", m.segments-1)
	}
	return text
}

// because is a reason in brackets, if there is one.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// bundled: a LAG has all its members. What is plugged into none of its ports may not be there yet.
func (k *checker) bundled(c *Contract, d *shown) {
	lag, there := d.LAGs[c.Number]
	var down []string
	for _, port := range c.Members {
		if m := lag.Members[port]; !m.Up {
			down = append(down, port+because(m.Reason))
		}
	}
	if len(down) < len(c.Members) {
		k.alive[c.Object] = true
	}
	if there && len(down) == 0 {
		return
	}
	f := k.draft(LAGDegraded, Notice, c, "lacks members")
	if c.Listed {
		f.Severity = Warning
	}
	if !there {
		f.absent(c.Device, "has no lag%d", c.Number)
	} else {
		f.says(c.Device, "lacks %s", strings.Join(down, " and "))
	}
}

// joined: an ethernet segment is up, and all its leaves take part in the election of the designated forwarder.
func (k *checker) joined(c *Contract, d *shown) {
	s, there := d.Segments[c.Segment]
	const verb = "is no whole ethernet segment"
	switch {
	case !there:
		k.draft(SegmentBroken, Error, c, verb).absent(c.Device, "does not have it")
		return
	case !strings.EqualFold(s.ESI, c.ESI):
		f := k.draft(SegmentBroken, Error, c, verb)
		f.says(c.Device, "has it with ESI %s and not %s", s.ESI, c.ESI)
		f.suspects = append(f.suspects, c.Device)
		return
	case s.Off:
		k.draft(SegmentBroken, Warning, c, verb).absent(c.Device, "has disabled it")
		return
	case !s.Up:
		k.draft(SegmentBroken, Warning, c, verb).says(c.Device, "says down%s", because(s.Reason))
		return
	}
	for _, instance := range c.Instances {
		wrong := k.election(c, instance, s.Elections[instance])
		if wrong == "" {
			continue
		}
		f := k.draft(SegmentBroken, Error, c, verb)
		f.says(c.Device, "%s", wrong)
		f.alone = f.alone || orphaned(c, s.Elections[instance])
		for _, end := range append(c.Ends, VTEP{Device: c.Device}) {
			f.farther = append(f.farther, id(ServiceDown, Far{end.Device, instance}.String()))
		}
	}
}

// orphaned tells whether nobody forwards what is flooded though the device itself could: that the other ends are gone is no reason.
func orphaned(c *Contract, e Election) bool {
	self := slices.IndexFunc(c.Ends, func(end VTEP) bool { return end.Device == c.Device })
	return self >= 0 && slices.Contains(e.Candidates, c.Ends[self].Addr) &&
		!slices.ContainsFunc(e.Forwarders, func(a netip.Addr) bool { return slices.Contains(e.Candidates, a) })
}

// election says what is wrong with an election as one device sees it; "" if nothing is. What the device takes
// for elected is kept, to be compared with what the other ends do.
func (k *checker) election(c *Contract, instance string, e Election) string {
	for _, end := range c.Ends {
		if !slices.Contains(e.Candidates, end.Addr) && k.index.partakes(end.Device, c.ESI, instance) {
			if orphaned(c, e) {
				return fmt.Sprintf("does not count %s in %s and forwards nothing itself", end.Device, instance)
			}
			return fmt.Sprintf("does not count %s in %s", end.Device, instance)
		}
	}
	if len(e.Forwarders) != 1 {
		return fmt.Sprintf("sees %d designated forwarders in %s", len(e.Forwarders), instance)
	}
	key := electionKey{c.ESI, instance}
	if other, judged := k.elected[key]; judged && other.addr != e.Forwarders[0] {
		return fmt.Sprintf("takes %s for the designated forwarder in %s, %s takes %s", k.name(c, e.Forwarders[0]), instance, other.by, k.name(c, other.addr))
	}
	k.elected[key] = vote{c.Device, e.Forwarders[0]}
	return ""
}

// name is the leaf of an ethernet segment that has an address.
func (k *checker) name(c *Contract, addr netip.Addr) string {
	for _, end := range c.Ends {
		if end.Addr == addr {
			return end.Device
		}
	}
	return addr.String()
}

// electionKey is one election, of an ethernet segment in a network instance.
type electionKey struct{ esi, instance string }

// vote is whom a device takes for elected.
type vote struct {
	by   string
	addr netip.Addr
}

// weigh finishes LAGs when all ends were seen: where some member is up, the server is there, and what is down
// is missing.
func (k *checker) weigh() {
	for _, f := range k.drafts {
		if f.Kind == LAGDegraded && k.alive[f.Object] {
			f.Severity = max(f.Severity, Warning)
		}
	}
}
