package config

import (
	"errors"
	"fmt"
	"strconv"
)

// Builder makes a tree leaf by leaf. It collects mistakes instead of returning them: every call is
// safe, and Tree reports all of them at once. A Builder is for one goroutine.
type Builder struct {
	d      *draft
	at     int32 // the current position: the root or an entry
	atID   ID    // its schema node
	cause  uint32
	errs   []error
	digits [20]byte
	one    [2]scalar
	beside map[ID][]string // see Beside
}

// NewBuilder returns a builder of a tree of a release ("24.10") of a schema.
func NewBuilder(s *Schema, release string) (*Builder, error) {
	d, err := newDraft(s, release)
	if err != nil {
		return nil, err
	}
	return &Builder{d: d}, nil
}

// Cause makes everything that follows carry this cause, until the next call: ref names the object of
// the intent ("tenants/red/segments/web#mtu"), rule what was derived from it.
func (b *Builder) Cause(ref, rule string) {
	c := Cause{ref, rule}
	if b.d.causes[b.cause] == c {
		return
	}
	b.cause = b.d.causeIndex(c)
}

// Beside says that the device has entries that are not in the tree, so that references to them are
// no mistakes: values of a leaf that references point at, or, called once without values, any value.
func (b *Builder) Beside(id ID, values ...string) {
	if b.beside == nil {
		b.beside = map[ID][]string{}
	}
	b.beside[id] = append(b.beside[id], values...)
}

// Has tells whether the release has a node, so that a renderer can choose its dialect.
func (b *Builder) Has(id ID) bool { return b.d.x.schema.Nodes[id].In.Has(b.d.release) }

// In enters an entry of a list with one key, runs body, and leaves it again. The entry is created
// if it is new, as are containers on the way; the same entry may be entered many times. The list
// must lie below the current position with no other list in between. body does not run where the
// entry is a mistake.
func (b *Builder) In(id ID, key string, body func()) {
	if v, ok := b.key(id, 0, 1, key); ok {
		b.one[0] = v
		b.enter(id, b.one[:1], body)
	}
}

// In2 is In for a list with two keys, in the order of its key statement.
func (b *Builder) In2(id ID, key1, key2 string, body func()) {
	v1, ok1 := b.key(id, 0, 2, key1)
	v2, ok2 := b.key(id, 1, 2, key2)
	if ok1 && ok2 {
		b.one = [2]scalar{v1, v2}
		b.enter(id, b.one[:2], body)
	}
}

// key checks one key of a list that is thought to have a number of keys.
func (b *Builder) key(id ID, n, of int, value string) (scalar, bool) {
	node := &b.d.x.schema.Nodes[id]
	if node.Kind != List || len(node.Keys) != of {
		b.fail(id, fmt.Errorf("is no list with %d key(s)", of))
		return scalar{}, false
	}
	leaf := node.Keys[n]
	v, err := b.d.check(leaf, value)
	if err != nil {
		b.fail(leaf, err)
	}
	return v, err == nil
}

func (b *Builder) enter(id ID, keys []scalar, body func()) {
	list, ok := b.node(id)
	if !ok {
		return
	}
	at, atID := b.at, b.atID
	b.at, b.atID = b.d.entry(list, keys, b.cause), id
	body()
	b.at, b.atID = at, atID
}

// Str sets a leaf below the current position, with no list in between. Setting a leaf twice to
// the same value is fine; to different values is a mistake that Tree reports.
func (b *Builder) Str(id ID, v string) {
	if b.is(id, Leaf) {
		c, err := b.d.check(id, v)
		b.set(id, c, err)
	}
}

// Uint sets an integer leaf.
func (b *Builder) Uint(id ID, v uint64) {
	if b.is(id, Leaf) {
		text := strconv.AppendUint(b.digits[:0], v, 10)
		c, err := b.d.checkBytes(id, text)
		b.set(id, c, err)
	}
}

// Bool sets a boolean leaf.
func (b *Builder) Bool(id ID, v bool) {
	if v {
		b.Str(id, "true")
	} else {
		b.Str(id, "false")
	}
}

// Empty sets a leaf of type empty.
func (b *Builder) Empty(id ID) { b.Str(id, "") }

// Add appends a value to a leaf-list. A value that is there already stays where it is.
func (b *Builder) Add(id ID, v string) {
	if !b.is(id, LeafList) {
		return
	}
	c, err := b.d.x.check(b.d.x.schema.Nodes[id].Type, b.d.release, v)
	if err != nil {
		b.fail(id, err)
		return
	}
	if list, ok := b.node(id); ok {
		b.d.addValue(list, c, b.cause)
	}
}

// Presence creates a presence container.
func (b *Builder) Presence(id ID) {
	if b.is(id, Presence) {
		b.node(id)
	}
}

// SetPath sets a leaf, adds to a leaf-list, or creates a presence container or entry (value "")
// by its absolute path, wherever the current position is, and creates entries on the way.
func (b *Builder) SetPath(p Path, value string) {
	if err := b.setPath(p, value); err != nil {
		b.mistake(err)
	}
}

func (b *Builder) setPath(p Path, value string) error {
	if len(p) == 0 {
		return &ValueError{Value: value, Err: errors.New("the root has no value")}
	}
	last := p[len(p)-1]
	at, err := b.d.descend(p[:len(p)-1], b.cause)
	if err != nil {
		return err
	}
	id, err := b.d.named(at, last.Name)
	if err != nil {
		return err
	}
	n := &b.d.x.schema.Nodes[id]
	if n.Kind != Leaf && n.Kind != LeafList {
		if value != "" {
			return &ValueError{Path: p, Value: value, Err: fmt.Errorf("is no leaf, so it cannot be %s", quote(value))}
		}
		_, err := b.d.descend(p, b.cause)
		return err
	}
	if len(last.Keys) > 0 {
		return &PathError{Path: p, Element: last.Keys[0].Name, Why: "no list, so it has no key"}
	}
	v, err := b.d.x.check(n.Type, b.d.release, value)
	if err != nil {
		return valueError(n, p, value, err)
	}
	if n.Kind == LeafList {
		b.d.addValue(b.d.child(at, id, b.cause), v, b.cause)
		return nil
	}
	return b.setAt(at, id, v)
}

// Load puts everything that a tree of the builder's schema and release has into the empty builder: what SetPath would
// do node by node, without looking up a path. Causes come along.
func (b *Builder) Load(t *Tree) {
	if t.schema != b.d.x.schema || t.release != b.d.release || len(b.d.nodes) > 1 {
		panic("config: a tree is loaded into a builder of another release, or one that is not empty")
	}
	b.d.load(t)
	for i, c := range b.d.causes {
		b.d.known[c] = uint32(i)
	}
}

// Defaults sets the defaults that are in use (RFC 7950 §7.6.1) of configuration: those of leaves and leaf-lists that are
// absent from a node that is there. What the release does not take is left out, and so are leafrefs, which may point at
// nothing. The schema knows neither when nor choice, so a container that is absent stays so: its defaults may belong to
// another kind of interface.
func (b *Builder) Defaults() {
	d := b.d
	for i, n := int32(0), int32(len(d.nodes)); i < n; i++ {
		if shape := d.nodes[i].shape; shape != containerShape && shape != entryShape || d.nodes[i].seen == gone {
			continue
		}
		for _, id := range d.x.defaulted[d.nodes[i].id] {
			if d.x.schema.Nodes[id].In.Has(d.release) && d.find(i, id) == 0 {
				d.addDefault(i, id, b.cause)
			}
		}
	}
}

// Tree returns the tree, or every mistake found, each a *CausedError that prints "/path: cause". The
// builder is empty again afterwards, but for Beside.
func (b *Builder) Tree() (*Tree, error) {
	t := b.d.freeze()
	b.restart()
	errs := b.errs
	b.errs = nil
	for _, err := range t.invalid(b.beside) {
		errs = append(errs, &CausedError{Cause: t.causeNear(err.Path), Err: err})
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, nil
}

// restart empties the builder. Most builders are not used again, so it takes little memory.
func (b *Builder) restart() {
	d := &draft{x: b.d.x, release: b.d.release, nodes: make([]draftNode, 1), table: make([]int32, 64), causes: []Cause{{}}, known: map[Cause]uint32{}}
	b.d.free()
	b.d, b.at, b.atID, b.cause = d, 0, Root, 0
}

// is checks that the release has a node and that it is of the kind that the call is for.
func (b *Builder) is(id ID, k Kind) bool {
	if b.d.x.schema.Nodes[id].Kind != k {
		b.fail(id, fmt.Errorf("is no %s", kindText(k)))
		return false
	}
	return b.has(id)
}

func kindText(k Kind) string {
	return [...]string{"container", "presence container", "list", "leaf", "leaf-list"}[k]
}

func (b *Builder) has(id ID) bool {
	if b.Has(id) {
		return true
	}
	b.fail(id, fmt.Errorf("%s %s does not have it", b.d.x.schema.OS, b.d.x.schema.Releases[b.d.release]))
	return false
}

// node returns the draft's node for a schema node below the current position, made if it is new.
func (b *Builder) node(id ID) (int32, bool) {
	if !b.has(id) {
		return 0, false
	}
	parent, ok := b.reach(b.d.x.schema.Nodes[id].Parent)
	if !ok {
		b.outside(id)
		return 0, false
	}
	return b.d.child(parent, id, b.cause), true
}

// reach returns the draft's node of a container that lies between the current position and what
// is to be set, made if it is new. It climbs to the position first and makes nothing in vain.
func (b *Builder) reach(id ID) (int32, bool) {
	if id == b.atID {
		return b.at, true
	}
	n := &b.d.x.schema.Nodes[id]
	if id == Root || n.Kind == List {
		return 0, false
	}
	parent, ok := b.reach(n.Parent)
	if !ok {
		return 0, false
	}
	return b.d.child(parent, id, b.cause), true
}

func (b *Builder) outside(id ID) {
	b.mistake(fmt.Errorf("%s: does not lie directly below %s", b.d.x.schema.Path(id), b.d.path(b.at)))
}

// set stores a checked value of a leaf below the current position.
func (b *Builder) set(id ID, v scalar, err error) {
	if err != nil {
		b.fail(id, err)
		return
	}
	at, ok := b.reach(b.d.x.schema.Nodes[id].Parent)
	if !ok {
		b.outside(id)
		return
	}
	if err := b.setAt(at, id, v); err != nil {
		b.mistake(err)
	}
}

// setAt stores a value unless the leaf has another one already.
func (b *Builder) setAt(at int32, id ID, v scalar) error {
	d := b.d
	i := d.find(at, id)
	if i == 0 {
		d.add(draftNode{value: v.text, form: v.form, id: id, shape: leafShape, parent: at, cause: b.cause})
		return nil
	}
	old := &d.nodes[i]
	if old.value.is(v.text) {
		return nil
	}
	return valueError(&d.x.schema.Nodes[id], d.path(i), v.text.Value(), fmt.Errorf("is set to %s%s and to %s%s",
		quote(old.value.Value()), because(d.causes[old.cause]), quote(v.text.Value()), because(d.causes[b.cause])))
}

func because(c Cause) string {
	if c == (Cause{}) {
		return ""
	}
	return " (" + c.Ref + ", " + c.Rule + ")"
}

// fail notes a mistake about a node, with its path as far as the current position tells it.
func (b *Builder) fail(id ID, err error) {
	s := b.d.x.schema
	p := b.d.path(b.at)
	var below Path
	for n := id; n != b.atID && n != Root; n = s.Nodes[n].Parent {
		below = append(Path{{Name: s.Nodes[n].Name}}, below...)
	}
	if !s.below(id, b.atID) {
		p = nil
	}
	b.mistake(&ValueError{Path: p.Append(below...), Err: err})
}

// mistake keeps an error with the cause of what was being built.
func (b *Builder) mistake(err error) {
	b.errs = append(b.errs, &CausedError{Cause: b.d.causes[b.cause], Err: err})
}

// below tells whether a schema node lies at or below another.
func (s *Schema) below(id, top ID) bool {
	for id != top && id != Root {
		id = s.Nodes[id].Parent
	}
	return id == top
}
