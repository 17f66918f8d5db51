package verify

import (
	"net/netip"
	"strings"
)

// shown is a device with its sessions in reach.
type shown struct {
	*Device
	sessions map[sessionKey]*Session
}

// sessionKey is how a contract finds its session: by the peer's address, or by the port where the peer is found.
type sessionKey struct {
	instance string
	peer     netip.Addr
	port     string
}

func newShown(d *Device) *shown {
	s := &shown{d, make(map[sessionKey]*Session, len(d.Sessions))}
	for i := range d.Sessions {
		one := &d.Sessions[i]
		key := sessionKey{instance: one.Instance, peer: one.Peer.WithZone("")}
		if port, _, found := cutLast(one.Peer.Zone(), "."); found {
			key.peer, key.port = netip.Addr{}, port
		}
		s.sessions[key] = one
	}
	return s
}

// cutLast splits a subinterface into its port and its index.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// session finds the session of a contract; nil where there is none.
func (s *shown) session(c *Contract) *Session {
	key := sessionKey{instance: c.Instance, peer: c.Peer}
	if !c.Peer.IsValid() {
		key.port = c.Port
	}
	return s.sessions[key]
}

// speaking: a session is established, and its families negotiated.
func (k *checker) speaking(c *Contract, d *shown) {
	s := d.session(c)
	if s == nil || s.State != established {
		k.down(c, s)
		return
	}
	for _, family := range c.Families {
		if s.Families[family].Negotiated {
			continue
		}
		f := k.draft(SessionFamily, Error, c, "does not carry "+family)
		if _, enabled := s.Families[family]; enabled {
			f.says(c.Device, "has not agreed on %s with its peer", family)
		} else {
			f.absent(c.Device, "has not enabled %s", family)
		}
	}
}

// down: a session is not established.
func (k *checker) down(c *Contract, s *Session) {
	verb := "has no underlay session"
	if c.Overlay {
		verb = "has no overlay session"
	}
	f := k.draft(SessionDown, Error, c, verb)
	if s == nil && c.Peer.IsValid() {
		f.absent(c.Device, "has no neighbor %s", c.Peer)
		return
	}
	if s == nil { // it would be found by router advertisements, as soon as there are any
		f.says(c.Device, "has found no neighbor at %s", c.Port)
		f.lacks(c.Device)
		return
	}
	text := "says " + s.State
	if s.Last != "" {
		text += " (" + s.Last + ")"
	}
	f.says(c.Device, "%s", text)
	if s.PeerAS != 0 && c.PeerAS != 0 && s.PeerAS != c.PeerAS {
		f.says(c.Device, "expects AS %d and not %d", s.PeerAS, c.PeerAS)
		f.suspects = append(f.suspects, c.Device)
	}
}

// watched: beside a session or an adjacency that stands there is BFD. Without it nobody asks for BFD.
func (k *checker) watched(c *Contract, d *shown) {
	if s := d.session(c); !c.Trunk && (s == nil || s.State != established) {
		return
	}
	if a := d.Adjacencies[c.Port]; c.Trunk && a.State != up {
		return
	}
	found := false
	for _, b := range d.BFD {
		if b.Instance == c.Instance && b.Peer == c.Peer {
			if b.Up {
				return
			}
			found = true
		}
	}
	f := k.draft(BFDDown, Warning, c, "is not watched by BFD")
	if found {
		f.says(c.Device, "says down")
	} else {
		f.absent(c.Device, "has no BFD session with %s", c.Peer)
	}
}
