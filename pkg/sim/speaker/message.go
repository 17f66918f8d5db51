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

// identity is how a speaker calls itself: the router id and the AS number that it was started with, which cannot change,
// and what is configured for the session.
type identity struct {
	inner, outer [4]byte
	as           uint32 // for placeholderAS
}

// newIdentity returns the identity of a speaker in a session.
func newIdentity(inner, outer netip.Addr, as uint32) identity {
	if !outer.Is4() {
		outer = inner
	}
	return identity{inner.As4(), outer.As4(), as}
}

// translate puts what is configured where a speaker calls itself by its name, and the other way round where it is called by
// what is configured. So two routers with the same id find that out by themselves (RFC 6286 §2.2), as does one that its own
// routes come back to, from another AS (RFC 4271 §9.1.2) or by way of reflectors (RFC 4456 §8).
func (m message) translate(from, to identity) {
	switch {
	case m.kind() == openMessage && len(m) >= headerLength+10:
		m.translateOpen(from, to)
	case m.kind() == updateMessage:
		eachAttribute(m.attributes(), func(kind byte, value []byte) {
			switch {
			case kind == originatorID && len(value) == 4:
				translateID(value, from, to)
			case kind == attrASPath:
				if from.as != to.as {
					ownFirst(value)
				}
				eachAS(value, func(number []byte) { translateAS(number, from, to) })
			}
		})
	}
}

// translateOpen changes the BGP identifier and the AS number, which is there twice (RFC 6793 §4.1).
func (m message) translateOpen(from, to identity) {
	const fourOctetAS = 65
	body := m[headerLength:]
	translateID(body[5:9], from, to)
	eachCapability(body[10:], func(kind byte, value []byte) {
		if kind == fourOctetAS && len(value) == 4 {
			translateAS(value, from, to)
			binary.BigEndian.PutUint32(value, hidden(binary.BigEndian.Uint32(value)))
			binary.BigEndian.PutUint16(body[1:], twoOctets(binary.BigEndian.Uint32(value)))
		}
	})
}

func twoOctets(as uint32) uint16 {
	const asTrans = 23456
	if as > 0xffff {
		return asTrans
	}
	return uint16(as)
}

func translateID(id []byte, from, to identity) {
	if [4]byte(id) == from.inner {
		copy(id, from.outer[:])
	}
	if [4]byte(id) == to.outer {
		copy(id, to.inner[:])
	}
}

func translateAS(number []byte, from, to identity) {
	as := binary.BigEndian.Uint32(number)
	if as == placeholderAS {
		as = from.as
	}
	if as == to.as {
		as = placeholderAS
	}
	binary.BigEndian.PutUint32(number, as)
}

// hidden is the AS number by which a speaker knows a neighbor in another AS, and the other way round: the number with its first
// bit turned, which turns those that are given out or private into some that are neither. Paths have the numbers themselves, so
// the speaker finds no neighbor in them. Otherwise it would keep a route from a neighbor that is in its path, and not
// withdraw what it has sent of it before (filterpath of GoBGP 3.37); a rule can tell it to do both.
func hidden(as uint32) uint32 {
	if as == 0 || as == placeholderAS {
		return as
	}
	return as ^ 1<<31
}

// ownFirst puts the sender's own AS number first in a path that goes to another AS. A speaker does that before its export
// policies put others in front, routers do it last.
func ownFirst(segments []byte) {
	at := 0
	eachAS(segments, func(number []byte) {
		if at++; binary.BigEndian.Uint32(number) == placeholderAS {
			if path := segments[2:]; at > 1 && at <= int(segments[1]) {
				copy(path[4:4*at], path[:4*at-4])
				binary.BigEndian.PutUint32(path, placeholderAS)
			}
			at = len(segments) // the others are from further back
		}
	})
}

// eachCapability calls f with every capability in the optional parameters of an OPEN (RFC 5492 §4).
func eachCapability(parameters []byte, f func(kind byte, value []byte)) {
	const capabilities = 2
	eachTLV(parameters, func(kind byte, value []byte) {
		if kind == capabilities {
			eachTLV(value, f)
		}
	})
}

// eachTLV calls f with the type and the value of each element that has one octet for its type and one for its length.
func eachTLV(b []byte, f func(kind byte, value []byte)) {
	for len(b) >= 2 && len(b) >= 2+int(b[1]) {
		f(b[0], b[2:2+int(b[1])])
		b = b[2+int(b[1]):]
	}
}

// eachAS calls f with every number in an AS_PATH, each of four octets: all speakers have them (RFC 6793).
func eachAS(segments []byte, f func(number []byte)) {
	for len(segments) >= 2 {
		n := int(segments[1])
		segments = segments[2:]
		for ; n > 0 && len(segments) >= 4; n-- {
			f(segments[:4])
			segments = segments[4:]
		}
	}
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
