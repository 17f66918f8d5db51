package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// ParseOptions say how Parse reads a document.
type ParseOptions struct {
	At     Path // the document is the value at this path; empty: the root
	Strict bool // nodes and values that the release does not have are errors
	State  bool // keep state (config false) instead of dropping it
}

// Unknown is a part of a document that the schema or release does not have: a node without a name, or a
// value outside of its type. Somebody else put it there, or the device is newer than the schema.
type Unknown struct {
	Path Path   // of the node; of a value its leaf, its leaf-list, or the entry that it is a key of
	JSON []byte // as found; of a leaf-list all values, for one cannot be deleted alone
}

// Parse reads an RFC 7951 document. Names may be bare or qualified, identities too, numbers bare
// or quoted. Errors carry path and byte offset. Duplicate members, values and entries, missing
// keys, nesting deeper than 64 and invalid UTF-8 are errors; what the release does not have is
// returned, never lost. Types are checked; mandatory leaves and references are not, because a
// document may be a part. An array at a list's path is read as its entries. A device newer than the
// schema is still to be looked at: a value outside of its type is Unknown, and the tree is without
// it; names that a device gives its state (enumerations, identities) are kept as they are.
func Parse(s *Schema, release string, data []byte, o ParseOptions) (*Tree, []Unknown, error) {
	d, err := newDraft(s, release)
	if err != nil {
		return nil, nil, err
	}
	defer d.free()
	at, err := d.descend(o.At, 0)
	if err != nil {
		return nil, nil, err
	}
	p := parser{scanner: scanner{data: data}, d: d, at: at, doc: 1, strict: o.Strict, state: o.State}
	if err := p.document(at); err != nil {
		return nil, nil, err
	}
	return d.freeze(), p.unknown, nil
}

// parser reads a document into a draft.
type parser struct {
	scanner
	d        *draft
	at       int32  // the node being read, for messages
	doc      uint32 // number of this document: a node that has been seen in it is a duplicate
	strict   bool
	state    bool
	readonly bool // state is an error: a Set cannot write it
	unknown  []Unknown
	entries  map[string]bool // paths of entries that are unknown: finds duplicates
}

// document reads the whole document as the value of a node.
func (p *parser) document(i int32) error {
	var err error
	if p.drops(p.d.schema(i)) {
		_, err = p.skip()
	} else {
		err = p.value(i)
	}
	if c := p.peek(); err == nil && p.pos < len(p.data) {
		err = unexpected(c, "the end of the document")
	}
	if err == nil {
		return nil
	}
	var value *ValueError
	var path *PathError
	if !errors.As(err, &value) && !errors.As(err, &path) {
		err = &ValueError{Path: p.d.path(p.at), Err: err}
	}
	return fmt.Errorf("offset %d: %w", p.pos, err)
}

// drops tells whether a node is state that nobody wants.
func (p *parser) drops(n *Node) bool { return n.State && !p.state && !p.readonly }

// value reads the value of a node by its shape.
func (p *parser) value(i int32) error {
	p.at = i
	switch p.d.nodes[i].shape {
	case listShape:
		return p.list(i)
	case leafListShape:
		return p.leafList(i)
	case leafShape:
		return p.leaf(i)
	}
	return p.object(i)
}

// object reads the members of a container or entry.
func (p *parser) object(i int32) error {
	if err := p.enter('{'); err != nil {
		return err
	}
	var foreign map[string]bool
	for first := true; ; first = false {
		p.at = i
		more, err := p.more(first, '}')
		if !more {
			return err
		}
		start := p.pos
		name, err := p.name()
		if err != nil {
			return err
		}
		id, ok := p.resolve(i, name)
		switch {
		case ok:
			err = p.member(i, id, start)
		case foreign[string(name)]:
			p.pos = start
			err = duplicate(string(name))
		default:
			if foreign == nil {
				foreign = map[string]bool{}
			}
			foreign[string(name)] = true
			err = p.foreign(i, string(name))
		}
		if err != nil {
			return err
		}
	}
}

func duplicate(name string) error { return fmt.Errorf("%s is there twice", quote(name)) }

// resolve finds the schema node that a member's name means. A qualified name must have the
// module of the node: another module's node of the same name is not ours.
func (p *parser) resolve(i int32, name []byte) (ID, bool) {
	parent := p.d.nodes[i].id
	module, local, qualified := bytes.Cut(name, []byte(":"))
	if !qualified {
		local = name
	}
	x := p.d.x
	id, ok := x.byName[nameKey{parent, string(local)}]
	if !ok || !x.schema.Nodes[id].In.Has(p.d.release) {
		return 0, false
	}
	return id, !qualified || string(module) == x.schema.Modules[x.schema.Nodes[id].Module]
}

// member reads one known member; start is where its name stands.
func (p *parser) member(parent int32, id ID, start int) error {
	n := &p.d.x.schema.Nodes[id]
	if n.State && p.readonly {
		p.pos = start
		return &PathError{Path: p.d.path(parent), Element: n.Name, Why: "state cannot be written:"}
	}
	if p.drops(n) {
		_, err := p.skip()
		return err
	}
	i := p.d.child(parent, id, 0)
	if p.d.nodes[i].seen == p.doc {
		p.pos = start
		return duplicate(n.Name)
	}
	p.d.nodes[i].seen = p.doc
	return p.value(i)
}

// foreign keeps a member that the release does not have.
func (p *parser) foreign(i int32, name string) error {
	local := name
	if n := bytes.IndexByte([]byte(name), ':'); n >= 0 {
		local = name[n+1:]
	}
	if p.strict {
		id := p.d.nodes[i].id
		return &PathError{Path: p.d.path(i), Element: local, Options: p.d.x.options(id, p.d.release)}
	}
	raw, err := p.skip()
	if err != nil {
		return err
	}
	p.keep(p.d.path(i).Child(local), raw)
	return nil
}

// keep notes a part that is unknown.
func (p *parser) keep(at Path, raw []byte) {
	p.unknown = append(p.unknown, Unknown{at, bytes.Clone(raw)})
}

// list reads the entries of a list.
func (p *parser) list(i int32) error {
	if err := p.enter('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		p.at = i
		more, err := p.more(first, ']')
		if !more {
			return err
		}
		if err := p.entry(i); err != nil {
			return err
		}
	}
}

// entry reads one entry. Its keys may stand anywhere in the object, so they are looked for first.
func (p *parser) entry(list int32) error {
	if len(p.d.schema(list).Keys) == 0 {
		return p.object(p.d.nextEntry(list))
	}
	p.peek()
	start, depth := p.pos, p.depth
	keys, foreign, err := p.keys(list)
	if err != nil {
		return err
	}
	p.pos, p.depth = start, depth
	if foreign {
		return p.foreignEntry(list, keys)
	}
	i := p.d.entry(list, keys, 0)
	if p.d.nodes[i].seen == p.doc {
		return fmt.Errorf("entry %s is there twice", p.d.path(i))
	}
	p.d.nodes[i].seen = p.doc
	return p.object(i)
}

// foreignEntry keeps an entry with a key that the release has no value for.
func (p *parser) foreignEntry(list int32, keys []scalar) error {
	n := p.d.schema(list)
	at := p.d.path(list)
	e := &at[len(at)-1]
	for k, id := range n.Keys {
		e.Keys = append(e.Keys, KeyValue{p.d.x.schema.Nodes[id].Name, keys[k].text.Value()})
	}
	if text := at.String(); p.entries[text] {
		return fmt.Errorf("entry %s is there twice", text)
	} else if p.entries == nil {
		p.entries = map[string]bool{text: true}
	} else {
		p.entries[text] = true
	}
	raw, err := p.skip()
	if err != nil {
		return err
	}
	p.keep(at, raw)
	return nil
}

// keys reads an entry as far as its keys go: in canonical documents, its first members. foreign tells
// that the release has no value for one of them.
func (p *parser) keys(list int32) (keys []scalar, foreign bool, err error) {
	n := p.d.schema(list)
	missing := len(n.Keys)
	keys = make([]scalar, missing)
	start := p.pos
	if err := p.enter('{'); err != nil {
		return nil, false, err
	}
	for first := true; missing > 0; first = false {
		more, err := p.more(first, '}')
		if err != nil {
			return nil, false, err
		}
		if !more {
			p.pos = start
			return nil, false, p.keyMissing(n, keys)
		}
		found, err := p.key(list, keys)
		if err != nil && err != errForeign {
			return nil, false, err
		}
		foreign = foreign || err == errForeign
		if found {
			missing--
		}
	}
	return keys, foreign, nil
}

// key reads one member and tells whether it was a key that had been missing. Of a key that the release
// has no value for, the error is errForeign and the text is kept.
func (p *parser) key(list int32, keys []scalar) (bool, error) {
	name, err := p.name()
	if err != nil {
		return false, err
	}
	id, ok := p.resolve(list, name)
	k := -1
	if ok {
		k = p.d.x.key(p.d.nodes[list].id, id)
	}
	if k < 0 || !keys[k].text.none() {
		_, err := p.skip()
		return false, err
	}
	start := p.pos
	lit, err := p.literal()
	if err != nil {
		return false, err
	}
	keys[k], err = p.check(id, lit)
	if err == errForeign {
		keys[k] = scalarOf(string(lit.text), 0)
		return true, err
	}
	if err != nil {
		p.pos = start
		return false, &ValueError{Path: p.d.path(list).Child(p.d.x.schema.Nodes[id].Name), Value: string(lit.text), Err: err}
	}
	return true, nil
}

func (p *parser) keyMissing(n *Node, keys []scalar) error {
	for i, id := range n.Keys {
		if keys[i].text.none() {
			return fmt.Errorf("an entry has no key %s", p.d.x.schema.Nodes[id].Name)
		}
	}
	return nil
}

// leaf reads the value of a leaf.
func (p *parser) leaf(i int32) error {
	p.peek()
	start := p.pos
	lit, err := p.literal()
	if err != nil {
		return err
	}
	n := &p.d.nodes[i]
	v, err := p.check(n.id, lit)
	if err == errForeign && !p.d.x.isKey[n.id] {
		p.keep(p.d.path(i), p.data[start:p.pos])
		return nil // a leaf without a value is no part of the tree
	}
	if err == nil && p.d.x.isKey[n.id] && !n.value.is(v.text) {
		err = fmt.Errorf("key is %s in one place and %s in another", quote(n.value.Value()), quote(v.text.Value()))
	}
	if err != nil {
		p.pos = start
		return valueError(&p.d.x.schema.Nodes[n.id], p.d.path(i), string(lit.text), err)
	}
	if !n.value.is(v.text) {
		p.d.setLeaf(i, v, 0)
	}
	return nil
}

// leafList reads values and adds them to those that are there.
func (p *parser) leafList(i int32) error {
	p.peek()
	all, foreign := p.pos, false
	if err := p.enter('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := p.more(first, ']')
		if !more {
			if foreign && err == nil {
				p.d.clear(i)
				p.keep(p.d.path(i), p.data[all:p.pos])
			}
			return err
		}
		start := p.pos
		lit, err := p.literal()
		if err != nil {
			return err
		}
		switch err := p.addValue(i, lit); {
		case err == errForeign:
			foreign = true
		case err != nil:
			p.pos = start
			return &ValueError{Path: p.d.path(i), Value: string(lit.text), Err: err}
		}
	}
}

// addValue adds one value. Values of configuration are unique (RFC 7950 §7.7); state may repeat
// itself, which a tree does not keep.
func (p *parser) addValue(list int32, lit literal) error {
	v, err := p.check(p.d.nodes[list].id, lit)
	if err != nil {
		return err
	}
	i, _ := p.d.addValue(list, v, 0)
	if p.d.nodes[i].seen == p.doc && !p.d.schema(list).State {
		return duplicate(v.text.Value())
	}
	p.d.nodes[i].seen = p.doc
	return nil
}

// errForeign says that a value is sound, but outside of its type: another release may have it.
var errForeign = errors.New("the release has no such value")

// check checks a literal against the type of a leaf and against the form that RFC 7951 §6 gives
// the type; numbers may be quoted or not.
func (p *parser) check(id ID, lit literal) (scalar, error) {
	x := p.d.x
	typ := x.schema.Nodes[id].Type
	v, err := x.checkBytes(typ, p.d.release, lit.text)
	if err != nil && p.mayBeNew(id, lit) {
		return scalarOf(string(lit.text), 0), nil
	}
	switch {
	case lit.empty && (err != nil || v.form&isEmpty == 0):
		return scalar{}, errors.New("[null] is given, but the type is not empty")
	case err != nil && p.foreignTo(typ, lit):
		return scalar{}, errForeign
	case err != nil:
		return scalar{}, err
	case !lit.empty && v.form&isEmpty != 0:
		return scalar{}, errors.New("the value of type empty is written [null]")
	case !lit.empty && !lit.quoted && x.wantsQuotes(typ):
		return scalar{}, fmt.Errorf("want a string in quotes, have %s", lit.text)
	}
	return v, nil
}

// mayBeNew tells whether a value that its type refuses may be the name of something that the schema has not heard of.
func (p *parser) mayBeNew(id ID, lit literal) bool {
	n := &p.d.x.schema.Nodes[id]
	return n.State && p.state && !p.strict && lit.quoted && len(lit.text) > 0 && yangText(string(lit.text)) && p.d.x.names(n.Type)
}

// foreignTo tells whether a value that its type refuses may be one of another release: it is a text, and
// written as values of the type are.
func (p *parser) foreignTo(typ uint16, lit literal) bool {
	return !p.strict && (lit.quoted || !p.d.x.wantsQuotes(typ)) && yangText(string(lit.text))
}

// names tells whether values of a type are, or may be, names that later releases add to.
func (x *index) names(typ uint16) bool {
	switch t := &x.schema.Types[typ]; t.Base {
	case Enumeration, Identityref:
		return true
	case Leafref, Union:
		return slices.ContainsFunc(t.Members, x.names)
	}
	return false
}

// wantsQuotes tells whether values of a type are always JSON strings and never look like numbers.
func (x *index) wantsQuotes(typ uint16) bool {
	switch t := &x.schema.Types[typ]; t.Base {
	case String, Enumeration, Identityref, Binary:
		return true
	case Leafref:
		return x.wantsQuotes(t.Members[0])
	}
	return false
}
