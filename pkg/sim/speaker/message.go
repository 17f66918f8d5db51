package speaker

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
)

// Types of BGP messages (RFC 4271 §4.1) and of the path attribute that a wire looks at (RFC 4456 §8).
const (
	openMessage         = 1
	updateMessage       = 2
	notificationMessage = 3

	originatorID = 9
)

const (
	headerLength = 19
	maxMessage   = 4096 // RFC 4271 §4.1: the speakers do not negotiate longer ones
)

// message is one BGP message with its header.
type message []byte

// readMessage reads one message into buf, which holds maxMessage octets; the message is good until the next.
func readMessage(r io.Reader, buf []byte) (message, error) {
	if _, err := io.ReadFull(r, buf[:headerLength]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(buf[16:]))
	if n < headerLength || n > len(buf) {
		return nil, fmt.Errorf("BGP message of %d octets: it has to be %d to %d", n, headerLength, len(buf))
	}
	_, err := io.ReadFull(r, buf[headerLength:n])
	return buf[:n], err
}

func (m message) kind() byte { return m[18] }

// notification returns the error code and subcode of a NOTIFICATION (RFC 4271 §4.5).
func (m message) notification() (code, subcode uint8, ok bool) {
	if m.kind() != notificationMessage || len(m) < headerLength+2 {
		return 0, 0, false
	}
	return m[headerLength], m[headerLength+1], true
}

// identity is a speaker's router id: the one it was started with, which cannot change, and the configured one.
type identity struct{ inner, outer [4]byte }

// routerID returns the identity of a speaker whose router is configured with the given id.
func routerID(inner, outer netip.Addr) identity {
	if !outer.Is4() {
		outer = inner
	}
	return identity{inner.As4(), outer.As4()}
}

// translate puts configured router ids where a speaker says its own, and the other way round where it is told its
// own. So two routers with the same id find that out by themselves (RFC 6286 §2.2), as does one whose own routes
// come back to it by way of reflectors (RFC 4456 §8).
func (m message) translate(from, to identity) {
	id := m.identifier()
	if id == nil {
		return
	}
	if [4]byte(id) == from.inner {
		copy(id, from.outer[:])
	}
	if [4]byte(id) == to.outer {
		copy(id, to.inner[:])
	}
}

// identifier returns where a message has a router id: the BGP identifier of an OPEN, the ORIGINATOR_ID of an UPDATE; nil
// where it has none.
func (m message) identifier() []byte {
	switch {
	case m.kind() == openMessage && len(m) >= headerLength+10:
		return m[headerLength+5 : headerLength+9]
	case m.kind() == updateMessage:
		return attribute(m.attributes(), originatorID, 4)
	}
	return nil
}

// attributes returns the path attributes of an UPDATE (RFC 4271 §4.3), nil where their lengths are wrong.
func (m message) attributes() []byte {
	body := m[headerLength:]
	if len(body) < 2 {
		return nil
	}
	withdrawn := 2 + int(binary.BigEndian.Uint16(body))
	if len(body) < withdrawn+2 {
		return nil
	}
	body = body[withdrawn:]
	n := 2 + int(binary.BigEndian.Uint16(body))
	if len(body) < n {
		return nil
	}
	return body[2:n]
}

// attribute returns the value of one path attribute of a known length, nil where there is none.
func attribute(attributes []byte, kind byte, length int) (found []byte) {
	eachAttribute(attributes, func(k byte, value []byte) {
		if k == kind && len(value) == length {
			found = value
		}
	})
	return found
}

// eachAttribute calls f with each path attribute's type and value, until one is cut short.
func eachAttribute(attributes []byte, f func(kind byte, value []byte)) {
	const extendedLength = 0x10
	for len(attributes) >= 3 {
		flags, kind := attributes[0], attributes[1]
		n, start := int(attributes[2]), 3
		if flags&extendedLength != 0 {
			if len(attributes) < 4 {
				return
			}
			n, start = int(binary.BigEndian.Uint16(attributes[2:])), 4
		}
		if len(attributes) < start+n {
			return
		}
		f(kind, attributes[start:start+n])
		attributes = attributes[start+n:]
	}
}
