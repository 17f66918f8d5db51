package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/openconfig/gnmi/proto/gnmi"
)

// KeyValue is one key of a list entry in a path. Value "*" is a wildcard where a pattern is expected.
type KeyValue struct{ Name, Value string }

// Elem is one element of a path: a node name and, for a list entry, its keys.
type Elem struct {
	Name string
	Keys []KeyValue // in the order of the key statement where a tree made the path; by name where gNMI did
}

// Key returns the value of a key, and whether the element has it.
func (e Elem) Key(name string) (string, bool) {
	for _, k := range e.Keys {
		if k.Name == name {
			return k.Value, true
		}
	}
	return "", false
}

// equal compares elements; the order of keys does not matter.
func (e Elem) equal(o Elem) bool {
	if e.Name != o.Name || len(e.Keys) != len(o.Keys) {
		return false
	}
	for _, k := range e.Keys {
		if v, ok := o.Key(k.Name); !ok || v != k.Value {
			return false
		}
	}
	return true
}

// Path names a node from the root. The empty path is the root itself. Names carry no module prefix.
type Path []Elem

// String prints the path in the form that ParsePath reads: /interface[name=ethernet-1/1]/mtu.
func (p Path) String() string {
	if len(p) == 0 {
		return "/"
	}
	var b strings.Builder
	for _, e := range p {
		b.WriteByte('/')
		b.WriteString(e.Name)
		for _, k := range e.Keys {
			b.WriteByte('[')
			b.WriteString(k.Name)
			b.WriteByte('=')
			writeEscaped(&b, k.Value)
			b.WriteByte(']')
		}
	}
	return b.String()
}

// writeEscaped puts a backslash before the two bytes that would end a key value early.
func writeEscaped(b *strings.Builder, v string) {
	if !strings.ContainsAny(v, `]\`) {
		b.WriteString(v)
		return
	}
	for i := range len(v) {
		if v[i] == ']' || v[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(v[i])
	}
}

// Equal tells whether two paths name the same node; the order of keys does not matter.
func (p Path) Equal(q Path) bool {
	return len(p) == len(q) && p.HasPrefix(q)
}

// HasPrefix tells whether p lies at or below q.
func (p Path) HasPrefix(q Path) bool {
	if len(p) < len(q) {
		return false
	}
	for i := range q {
		if !p[i].equal(q[i]) {
			return false
		}
	}
	return true
}

// Append returns p with more elements after it; p itself and its memory stay as they are.
func (p Path) Append(more ...Elem) Path {
	return append(slices.Clip(p), more...)
}

// Child returns the path of a child that is no list entry.
func (p Path) Child(name string) Path { return p.Append(Elem{Name: name}) }

// GNMI returns the path in gNMI's form, without origin or target.
func (p Path) GNMI() *gnmi.Path {
	elems := make([]*gnmi.PathElem, len(p))
	for i, e := range p {
		elems[i] = &gnmi.PathElem{Name: e.Name}
		if len(e.Keys) == 0 {
			continue
		}
		elems[i].Key = make(map[string]string, len(e.Keys))
		for _, k := range e.Keys {
			elems[i].Key[k.Name] = k.Value
		}
	}
	return &gnmi.Path{Elem: elems}
}

// FromGNMI joins a prefix and a path, either of which may be nil. Origin and target are the
// caller's business. Keys come sorted by name, because gNMI has no order for them.
func FromGNMI(prefix, p *gnmi.Path) (Path, error) {
	if err := errors.Join(Structured(prefix), Structured(p)); err != nil {
		return nil, err
	}
	out := make(Path, 0, len(prefix.GetElem())+len(p.GetElem()))
	for _, list := range [][]*gnmi.PathElem{prefix.GetElem(), p.GetElem()} {
		for _, e := range list {
			elem, err := fromElem(e)
			if err != nil {
				return nil, fmt.Errorf("gnmi path: element %d: %w", len(out)+1, err)
			}
			out = append(out, elem)
		}
	}
	return out, nil
}

// Structured refuses a path in the form that gNMI had before 0.4.0. Read without it, such a path is the root: a delete would
// take everything.
func Structured(p *gnmi.Path) error {
	//lint:ignore SA1019 it is looked at only to refuse it
	if old := p.GetElement(); len(old) > 0 {
		return fmt.Errorf("gnmi path: %q is in the field element, which gNMI 0.4.0 has replaced; use elem", strings.Join(old, "/"))
	}
	return nil
}

func fromElem(e *gnmi.PathElem) (Elem, error) {
	name, err := localName(e.GetName())
	if err != nil {
		return Elem{}, err
	}
	elem := Elem{Name: name}
	for k, v := range e.GetKey() {
		kn, err := localName(k)
		if err != nil {
			return Elem{}, fmt.Errorf("key of %s: %w", name, err)
		}
		elem.Keys = append(elem.Keys, KeyValue{kn, v})
	}
	slices.SortFunc(elem.Keys, func(a, b KeyValue) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(elem.Keys); i++ {
		if elem.Keys[i].Name == elem.Keys[i-1].Name {
			return Elem{}, fmt.Errorf("key %s of %s is given twice", elem.Keys[i].Name, name)
		}
	}
	return elem, nil
}

// localName drops a module prefix and checks that what is left is a YANG identifier or "*".
func localName(s string) (string, error) {
	if i := strings.IndexByte(s, ':'); i >= 0 {
		if !identifier(s[:i]) {
			return "", fmt.Errorf("%q is no module name", s[:i])
		}
		s = s[i+1:]
	}
	if s != "*" && !identifier(s) {
		return "", fmt.Errorf("%q is no node name", s)
	}
	return s, nil
}

// identifier tells whether s is a YANG identifier (RFC 7950 §6.2).
func identifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '-' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// ParsePath reads the form that engineers and gNMI tools write: /interface[name=ethernet-1/1]/mtu.
// Inside a key value a backslash takes the next byte literally, so that ] and \ can be part of it.
// Module prefixes are accepted and dropped. Errors tell the byte offset.
func ParsePath(s string) (Path, error) {
	r := pathReader{s: s}
	p, err := r.path()
	if err != nil {
		return nil, fmt.Errorf("path %q: offset %d: %w", s, r.i, err)
	}
	return p, nil
}

type pathReader struct {
	s string
	i int
}

func (r *pathReader) path() (Path, error) {
	var p Path
	if !strings.HasPrefix(r.s, "/") {
		return nil, fmt.Errorf("a path starts with /")
	}
	if r.s == "/" {
		return p, nil
	}
	for r.i < len(r.s) {
		if r.s[r.i] != '/' {
			return nil, fmt.Errorf("want / or [, have %q", r.s[r.i])
		}
		r.i++
		e, err := r.elem()
		if err != nil {
			return nil, err
		}
		p = append(p, e)
	}
	return p, nil
}

func (r *pathReader) elem() (Elem, error) {
	name, err := r.name("/[")
	if err != nil {
		return Elem{}, err
	}
	e := Elem{Name: name}
	for r.i < len(r.s) && r.s[r.i] == '[' {
		r.i++
		k, err := r.name("=")
		if err != nil {
			return Elem{}, err
		}
		if _, twice := e.Key(k); twice {
			return Elem{}, fmt.Errorf("key %s is given twice", k)
		}
		if r.i == len(r.s) {
			return Elem{}, fmt.Errorf("key %s has no value", k)
		}
		r.i++
		v, err := r.value()
		if err != nil {
			return Elem{}, err
		}
		e.Keys = append(e.Keys, KeyValue{k, v})
	}
	return e, nil
}

// name reads up to one of the stop bytes or the end.
func (r *pathReader) name(stops string) (string, error) {
	n := strings.IndexAny(r.s[r.i:], stops)
	if n < 0 {
		n = len(r.s) - r.i
	}
	name, err := localName(r.s[r.i : r.i+n])
	if err != nil {
		return "", err
	}
	r.i += n
	return name, nil
}

// value reads a key value and the bracket that ends it.
func (r *pathReader) value() (string, error) {
	var b strings.Builder
	for i := r.i; i < len(r.s); i++ {
		switch c := r.s[i]; {
		case c == ']':
			r.i = i + 1
			return b.String(), nil
		case c == '\\' && i+1 < len(r.s):
			i++
			b.WriteByte(r.s[i])
		case c == '\\':
			return "", fmt.Errorf("nothing follows the backslash")
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("] is missing")
}
