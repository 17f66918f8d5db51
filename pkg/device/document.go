package device

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// maxDepth is how deep a path in an answer may go: the depth that config.Parse accepts.
const maxDepth = 64

// document joins the updates of an answer into one RFC 7951 document at the root. A device may
// split an answer over notifications at will, and answer with a value at any depth: SR Linux answers a
// wildcard with JSON at the last element before it. Values that nothing overlaps are copied as they
// are; the others are taken apart, one level at a time, as far as they overlap.
type document struct {
	schema *config.Schema
	root   part
}

// part is a node of the document: what was said about it, and its children.
type part struct {
	elem  config.Elem
	label string            // member name, with its module if anybody gave it
	raws  []json.RawMessage // values given for exactly this node, in order of arrival
	kids  []*part
	index map[string]*part // kids by elem
}

func newDocument(s *config.Schema) *document { return &document{schema: s} }

// add takes one update.
func (doc *document) add(prefix *gnmi.Path, u *gnmi.Update) error {
	path, err := config.FromGNMI(prefix, u.GetPath())
	if err != nil {
		return err
	}
	if len(path) > maxDepth {
		return fmt.Errorf("a path of %d elements", len(path))
	}
	raw, err := rawValue(u.GetVal())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	at := &doc.root
	for _, e := range path {
		at = at.kid(e, e.Name)
	}
	at.raws = append(at.raws, raw)
	return nil
}

// kid returns the child for an element and makes it if it is new.
func (p *part) kid(e config.Elem, label string) *part {
	key := config.Path{e}.String()
	if k := p.index[key]; k != nil {
		if !strings.Contains(k.label, ":") {
			k.label = label
		}
		return k
	}
	k := &part{elem: e, label: label}
	if p.index == nil {
		p.index = map[string]*part{}
	}
	p.index[key] = k
	p.kids = append(p.kids, k)
	return k
}

// rawValue returns a value as JSON text.
func rawValue(v *gnmi.TypedValue) (json.RawMessage, error) {
	switch v := v.GetValue().(type) {
	case *gnmi.TypedValue_JsonIetfVal:
		return oneValue(v.JsonIetfVal)
	case *gnmi.TypedValue_JsonVal:
		return oneValue(v.JsonVal)
	case *gnmi.TypedValue_LeaflistVal:
		return rawList(v.LeaflistVal.GetElement())
	case *gnmi.TypedValue_StringVal:
		return json.Marshal(v.StringVal)
	case *gnmi.TypedValue_AsciiVal:
		return json.Marshal(v.AsciiVal)
	case *gnmi.TypedValue_BoolVal:
		return json.Marshal(v.BoolVal)
	case *gnmi.TypedValue_IntVal:
		return json.Marshal(v.IntVal)
	case *gnmi.TypedValue_UintVal:
		return json.Marshal(v.UintVal)
	case nil:
		return nil, errors.New("no value")
	default:
		return nil, fmt.Errorf("%T, not JSON_IETF as asked", v)
	}
}

// rawList returns scalars as a JSON array.
func rawList(values []*gnmi.TypedValue) (json.RawMessage, error) {
	raws := make([]json.RawMessage, 0, len(values))
	for _, v := range values {
		if v.GetLeaflistVal() != nil {
			return nil, errors.New("a list of values within a list of values")
		}
		raw, err := rawValue(v)
		if err != nil {
			return nil, err
		}
		raws = append(raws, raw)
	}
	return json.Marshal(raws)
}

// json returns the document.
func (doc *document) json() ([]byte, error) {
	var b bytes.Buffer
	if err := doc.write(&b, &doc.root, config.Root, true); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// write prints a container, an entry, or whatever a single value says. known tells whether the
// schema has the node, as id.
func (doc *document) write(b *bytes.Buffer, p *part, id config.ID, known bool) error {
	if len(p.kids) == 0 && len(p.elem.Keys) == 0 {
		if len(p.raws) == 1 {
			b.Write(p.raws[0])
			return nil
		}
		if last, ok := p.scalar(known); ok {
			b.Write(last)
			return nil
		}
	}
	if err := p.explode(); err != nil {
		return fmt.Errorf("%s: %w", p.elem.Name, err)
	}
	p.spellKeys()
	return doc.writeMembers(b, p, id, known)
}

// scalar returns the last of several values where it is no object: the later one wins. Of what the
// schema does not know an array may as well be a list in pieces, so there nothing is dropped.
func (p *part) scalar(known bool) (json.RawMessage, bool) {
	if len(p.raws) == 0 {
		return nil, false
	}
	last := p.raws[len(p.raws)-1]
	if entries, ok := p.arrays(); ok && !known {
		all, _ := json.Marshal(entries) // each is valid JSON: cannot fail
		return all, true
	}
	return last, !startsWith(last, '{')
}

// arrays returns the elements of all values, if all are arrays.
func (p *part) arrays() (all []json.RawMessage, ok bool) {
	for _, raw := range p.raws {
		if eachElement(raw, func(element json.RawMessage) { all = append(all, element) }) != nil {
			return nil, false
		}
	}
	return all, len(p.raws) > 0
}

// explode turns the values of an object into its children.
func (p *part) explode() error {
	for _, raw := range p.raws {
		members, err := splitObject(raw)
		if err != nil {
			return err
		}
		for _, m := range members {
			k := p.kid(config.Elem{Name: localName(m.name)}, m.name)
			k.raws = append(k.raws, m.value)
		}
	}
	p.raws = nil
	return nil
}

// spellKeys gives an entry the members for its keys, where its value has not named them.
func (p *part) spellKeys() {
	for _, kv := range p.elem.Keys {
		k := p.kid(config.Elem{Name: kv.Name}, kv.Name)
		if len(k.raws) == 0 {
			text, _ := json.Marshal(kv.Value) // a string: cannot fail
			k.raws = append(k.raws, text)
		}
	}
}

// writeMembers prints the children as an object. Entries of one list become one array.
func (doc *document) writeMembers(b *bytes.Buffer, p *part, id config.ID, known bool) error {
	b.WriteByte('{')
	done := map[string]bool{}
	for _, k := range p.kids {
		name := k.elem.Name
		if done[name] {
			continue
		}
		if len(done) > 0 {
			b.WriteByte(',')
		}
		done[name] = true
		label, _ := json.Marshal(k.label)
		b.Write(label)
		b.WriteByte(':')
		kid, ok := config.ID(0), false
		if known {
			kid, ok = doc.schema.Child(id, name)
		}
		if err := doc.writeMember(b, p, k, kid, ok); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	b.WriteByte('}')
	return nil
}

// writeMember prints the value of one member name, of which first is the first part.
func (doc *document) writeMember(b *bytes.Buffer, p, first *part, id config.ID, known bool) error {
	if known && doc.schema.Nodes[id].Kind != config.List || !known && !p.hasEntries(first.elem.Name) {
		return doc.write(b, first, id, known)
	}
	if len(first.raws) == 1 && len(first.elem.Keys) == 0 && !p.hasEntries(first.elem.Name) {
		b.Write(first.raws[0])
		return nil
	}
	asTheyAre, err := doc.splitLists(p, first.elem.Name, id, known)
	if err != nil {
		return err
	}
	return doc.writeEntries(b, p, first.elem.Name, id, known, asTheyAre)
}

// hasEntries tells whether a child with the name is an entry of a list.
func (p *part) hasEntries(name string) bool {
	for _, k := range p.kids {
		if k.elem.Name == name && len(k.elem.Keys) > 0 {
			return true
		}
	}
	return false
}

// splitLists turns the arrays given for a whole list into entries. Of a list that the schema does
// not have the keys are unknown: its elements are returned as they are.
func (doc *document) splitLists(p *part, name string, id config.ID, known bool) ([]json.RawMessage, error) {
	whole := p.index[config.Path{{Name: name}}.String()]
	if whole == nil || len(whole.raws) == 0 {
		return nil, nil
	}
	entries, ok := whole.arrays()
	if !ok {
		return nil, errors.New("value of a list is no array")
	}
	if !known {
		return entries, nil
	}
	whole.raws = nil
	for _, entry := range entries {
		elem, err := doc.elemOf(name, id, entry)
		if err != nil {
			return nil, err
		}
		k := p.kid(elem, whole.label)
		k.raws = append(k.raws, entry)
	}
	return nil, nil
}

// elemOf returns the path element of an entry of a list.
func (doc *document) elemOf(name string, id config.ID, entry json.RawMessage) (config.Elem, error) {
	members, err := splitObject(entry)
	if err != nil {
		return config.Elem{}, err
	}
	elem := config.Elem{Name: name}
	for _, key := range doc.schema.Nodes[id].Keys {
		kn := doc.schema.Nodes[key].Name
		value, ok := find(members, kn)
		if !ok {
			return config.Elem{}, fmt.Errorf("an entry without key %s", kn)
		}
		elem.Keys = append(elem.Keys, config.KeyValue{Name: kn, Value: text(value)})
	}
	return elem, nil
}

// writeEntries prints all entries of a list, after those that are printed as they are.
func (doc *document) writeEntries(b *bytes.Buffer, p *part, name string, id config.ID, known bool, asTheyAre []json.RawMessage) error {
	b.WriteByte('[')
	b.Write(bytes.Join(rawBytes(asTheyAre), []byte{','}))
	n := len(asTheyAre)
	for _, k := range p.kids {
		if k.elem.Name != name || len(k.elem.Keys) == 0 {
			continue
		}
		if n++; n > 1 {
			b.WriteByte(',')
		}
		if err := doc.write(b, k, id, known); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

// rawBytes is a change of type only.
func rawBytes(raws []json.RawMessage) [][]byte {
	out := make([][]byte, len(raws))
	for i, r := range raws {
		out[i] = r
	}
	return out
}

// member is a name and a value of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// splitObject returns the members of an object in their order. A name given twice is an error.
func splitObject(raw json.RawMessage) ([]member, error) {
	if !startsWith(raw, '{') {
		return nil, errors.New("value is no object")
	}
	var members []member
	seen := map[string]bool{}
	err := eachMember(raw, func(name string, value json.RawMessage) error {
		if seen[localName(name)] {
			return fmt.Errorf("member %q is given twice", name)
		}
		seen[localName(name)] = true
		members = append(members, member{name, value})
		return nil
	})
	return members, err
}

// find returns the value of a member by its local name.
func find(members []member, name string) (json.RawMessage, bool) {
	for _, m := range members {
		if localName(m.name) == name {
			return m.value, true
		}
	}
	return nil, false
}

// localName drops the module of a member name.
func localName(s string) string {
	if i := strings.IndexByte(s, ':'); i >= 0 {
		return s[i+1:]
	}
	return s
}

// text returns a scalar as the text that a path would carry for it.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(bytes.TrimSpace(raw))
}

// startsWith tells whether a JSON value begins with a byte.
func startsWith(raw json.RawMessage, c byte) bool {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	return len(raw) > 0 && raw[0] == c
}
