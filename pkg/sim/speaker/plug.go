package speaker

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// pair decides which wires there are, before the speakers are told anything: what has lost its path must not carry the
// farewells of speakers.
func (n *Network) pair() {
	n.loose = slices.DeleteFunc(n.loose, (*wire).gone)
	for _, name := range n.names {
		for _, e := range n.routers[name].ends {
			if e.wire != nil && n.parted(e) {
				n.detach(e)
			}
		}
	}
	for _, name := range n.names {
		for _, e := range n.routers[name].order {
			if e == nil {
				continue
			}
			if f := n.far(e); f != nil && e.wire == nil && f.wire == nil {
				attach(e, f)
			}
			if e.wire != nil && e.side == 0 {
				n.carry(e)
			}
		}
	}
}

// parted returns whether the two ends of a wire no longer belong together: one is gone, has another partner, or another
// router id. Ends that merely do not find each other at the moment do.
func (n *Network) parted(e *end) bool {
	f := e.partner
	if !e.seated() || !f.seated() || e.wire.ends[e.side].id != e.identity() || f.wire.ends[f.side].id != f.identity() {
		return true
	}
	a, b := n.far(e), n.far(f)
	return a != nil && a != f || b != nil && b != e
}

// seated returns whether an end is still there.
func (e *end) seated() bool { return slices.Contains(e.router.order, e) }

// detach takes a wire away from its ends. What a router says when a neighbor is removed still gets through; a router that
// is switched off says nothing.
func (n *Network) detach(e *end) {
	w, f := e.wire, e.partner
	switch {
	case e.seated() && f.seated():
		w.cut()
	case e.router.network != nil && f.router.network != nil:
	case severed(e, f):
		w.cut()
	default:
		w.stall()
	}
	w.retire()
	n.loose = append(n.loose, w)
	e.wire, e.partner, f.wire, f.partner = nil, nil, nil, nil
}

// attach joins two ends by a new wire.
func attach(e, f *end) {
	ends := [2]*end{e, f}
	var sockets [2]socket
	for i, x := range ends {
		sockets[i] = socket{x.router.speaker.address, x.address, x.identity()}
	}
	e.wire = newWire(sockets, func(i int, code, subcode uint8, got bool) {
		ends[i].heard(code, subcode, true)
		if got {
			ends[1-i].heard(code, subcode, false)
		}
	})
	f.wire, e.side, f.side, e.partner, f.partner = e.wire, 0, 1, f, e
	e.direct, f.direct, e.interrupted = e.session.Direct, false, false
	e.boots, f.boots = e.router.network.Boots, f.router.network.Boots
}

// carry sets what a wire does. That it connects waits for plug.
func (n *Network) carry(e *end) {
	f, w := e.partner, e.wire
	s, t := &e.session, &f.session
	path := s.Path && t.Path && n.far(e) == f && n.far(f) == e
	if path {
		e.direct = s.Direct
	}
	agreed := s.Key == t.Key && !(s.Passive && t.Passive)
	rebooted := e.boots != e.router.network.Boots || f.boots != f.router.network.Boots
	e.boots, f.boots = e.router.network.Boots, f.router.network.Boots
	e.connect = path && agreed && s.Enabled && t.Enabled
	e.parting = !path && (e.parting && w.connected() || e.altered(f) || f.altered(e))
	switch {
	case rebooted, path && !agreed, !path && severed(e, f):
		w.cut()
	case !path && !e.parting:
		w.stall()
	case !e.connect:
		w.pause()
	}
	if e.connect && e.interrupted && !w.connected() {
		e.starts++
		f.starts++
	}
	e.interrupted = !e.connect
}

// altered returns whether an end is about to be configured in another way, which ends its session. If that is also why there
// is no path any more, what its speaker says last still gets through.
func (e *end) altered(far *end) bool {
	return e.peer != nil && !proto.Equal(e.peer, e.configuration(far, e.router.network.Boots+bootsOf(far)))
}

// severed returns whether a session goes down with its path at once: an interface of its own is down, or BFD notices. A
// session that has lost its link is no longer known to be direct, so it is what it was while it had one.
func severed(e, f *end) bool {
	s, t := &e.session, &f.session
	return (e.direct || f.direct) && (s.FastFailover || t.FastFailover) || s.BFD && t.BFD || homeless(s) || homeless(t)
}

// homeless returns whether the address that an end is configured to speak from is down.
func homeless(s *network.Session) bool { return s.Local.IsValid() && !s.LocalAddress.IsValid() }

// plug lets the wires connect, now that the speakers are ready.
func (n *Network) plug() {
	for _, name := range n.names {
		for _, e := range n.routers[name].order {
			if e != nil && e.wire != nil && e.side == 0 && e.connect {
				e.wire.open()
			}
		}
	}
}

// gone returns whether a wire has ended.
func (w *wire) gone() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}
