package config

import (
	"hash/maphash"
	"math/bits"
	"strings"
	"unsafe"
)

// seed makes hashes differ between processes, so that nobody can prepare values that collide.
var seed = maphash.MakeSeed()

// handle is a value in canonical form. Because checks are remembered, most handles of equal texts
// point at one text, but only is tells for certain; == does not compile.
type handle struct {
	_ [0]func()
	t *text
}

type text struct {
	s    string
	hash uint64
}

func newText(s string) handle { return handle{t: &text{s, hashText(s)}} }

func (h handle) none() bool { return h.t == nil }

func (h handle) is(o handle) bool {
	return h.t == o.t || h.t != nil && o.t != nil && h.t.hash == o.t.hash && h.t.s == o.t.s
}

// Value returns the text, "" of the zero handle.
func (h handle) Value() string {
	if h.t == nil {
		return ""
	}
	return h.t.s
}

// form says how RFC 7951 writes a value.
type form uint8

const (
	bare    form = 1 << iota // without quotes: integers up to 32 bits and booleans
	isEmpty                  // [null]
	escape                   // has bytes that a JSON string must escape
)

// scalar is a value that has been checked against a type.
type scalar struct {
	text handle
	form form
}

// checked is one remembered check.
type checked struct {
	typ     uint16
	release uint8
	in      string
	scalar
}

const (
	memoSize   = 1 << 14 // slots of the memo: 128 KB, and what they point at
	memoLength = 256     // longer values are checked every time, so that the memo stays small
)

// Canonical checks a value against the type of a leaf or leaf-list in a release (an index into
// s.Releases) and returns its canonical lexical form (RFC 7950 §9): "9412", "true",
// "srl_nokia-common:evpn", "" for type empty. Identities are accepted with and without module name.
func (s *Schema) Canonical(id ID, release int, text string) (string, error) {
	v, err := s.index().check(s.Nodes[id].Type, release, text)
	if err != nil {
		return "", err
	}
	return v.text.Value(), nil
}

// check checks a value, or remembers that it has. The memo is a table with one entry a slot that
// newer entries overwrite: bounded, and free of locks.
func (x *index) check(typ uint16, release int, text string) (scalar, error) {
	if len(text) > memoLength {
		return x.checkAfresh(typ, release, strings.Clone(text))
	}
	h := mix(maphash.String(seed, text), uint64(typ)<<8|uint64(release))
	slot := &x.memo[h%memoSize]
	if c := slot.Load(); c != nil && c.typ == typ && int(c.release) == release && c.in == text {
		return c.scalar, nil
	}
	in := strings.Clone(text) // the caller's memory may be a whole document, or be reused
	v, err := x.checkAfresh(typ, release, in)
	if err != nil {
		return scalar{}, err
	}
	slot.Store(&checked{typ: typ, release: uint8(release), in: in, scalar: v})
	return v, nil
}

// checkBytes is check for bytes that the caller goes on using: nothing of them is kept.
func (d *draft) checkBytes(id ID, b []byte) (scalar, error) {
	return d.check(id, unsafe.String(unsafe.SliceData(b), len(b)))
}

// checkBytes is check for bytes that the caller goes on using: nothing of them is kept.
func (x *index) checkBytes(typ uint16, release int, b []byte) (scalar, error) {
	return x.check(typ, release, unsafe.String(unsafe.SliceData(b), len(b)))
}

func (x *index) checkAfresh(typ uint16, release int, text string) (scalar, error) {
	canon, f, err := x.canonical(typ, release, text)
	if err != nil {
		return scalar{}, err
	}
	return scalarOf(canon, f), nil
}

// scalarOf is a text as a value of a form; 0 is a JSON string.
func scalarOf(text string, f form) scalar {
	if f == 0 && needsEscape(text) {
		f = escape
	}
	return scalar{newText(text), f}
}

func hashText(s string) uint64 { return maphash.String(seed, s) }

// mix combines two hashes, not symmetrically, by a folded 128-bit product.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	return bits.RotateLeft64(a, 23) + (hi ^ lo)
}

// needsEscape tells whether a JSON string must escape something in s.
func needsEscape(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == '"' || s[i] == '\\' {
			return true
		}
	}
	return false
}
