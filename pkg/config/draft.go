package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// shape says what a node of a tree is; unlike Kind it tells a list from its entries.
type shape uint8

const (
	containerShape shape = iota // presence containers too
	listShape
	entryShape
	leafShape
	leafListShape
	valueShape
)

// shapeOf is the shape of a child of a container that has the kind.
func shapeOf(k Kind) shape {
	switch k {
	case List:
		return listShape
	case Leaf:
		return leafShape
	case LeafList:
		return leafListShape
	}
	return containerShape
}

// draft is a tree that still changes: an arena of nodes linked to their siblings in the order of
// their making, and a hash table that finds a child in constant time, entries of long lists too.
// Node 0 is the root. Indices into the arena stay valid.
type draft struct {
	x       *index
	release int
	nodes   []draftNode
	table   []int32 // open addressing; 0 is a free slot
	causes  []Cause // causes[0] is the zero Cause
	known   map[Cause]uint32
	recent  []recent // by schema node: the last value that was checked
	scratch []uint64
	values  []handle // while freezing: those of the tree
	texts   []uint32 // while freezing: open addressing of the tree's values, by index + 1
}

type draftNode struct {
	value  handle // of leaves and leaf-list values; of entries, the keys joined by NUL
	id     ID
	shape  shape
	form   form
	parent int32
	first  int32 // children; 0: none
	last   int32
	next   int32 // sibling
	cause  uint32
	seen   uint32 // the document that last named it: finds duplicates; gone: removed
}

const gone = ^uint32(0)

// recent remembers one check of a leaf. Neighbours mostly have the same mtu, type and admin-state.
type recent struct {
	in string
	scalar
}

// check checks the value of a leaf or leaf-list.
func (d *draft) check(id ID, text string) (scalar, error) {
	if d.recent == nil {
		d.recent = make([]recent, len(d.x.schema.Nodes))
	}
	r := &d.recent[id]
	if r.in == text && !r.text.none() {
		return r.scalar, nil
	}
	v, err := d.x.check(d.x.schema.Nodes[id].Type, d.release, text)
	if err == nil && v.text.Value() == text {
		*r = recent{v.text.Value(), v}
	}
	return v, err
}

// drafts keeps the memory of drafts that have been frozen for those to come.
var drafts = sync.Pool{New: func() any { return &draft{table: make([]int32, 4096), known: map[Cause]uint32{}} }}

// maxPooled is the number of nodes beyond which a draft's memory is given back: nobody should pay
// for the largest document there ever was.
const maxPooled = 1 << 16

// newDraft returns an empty draft of a release.
func newDraft(s *Schema, release string) (*draft, error) {
	r := s.Release(release)
	if r < 0 {
		return nil, fmt.Errorf("%s: release %s is not one of %v", s.OS, release, s.Releases)
	}
	d := drafts.Get().(*draft)
	if x := s.index(); d.x != x || d.release != r {
		d.x, d.release, d.recent = x, r, nil
	}
	d.nodes = append(d.nodes[:0], draftNode{})
	d.causes = append(d.causes[:0], Cause{})
	return d, nil
}

// free gives the draft's memory back. Interned values must not be kept alive by it.
func (d *draft) free() {
	if len(d.nodes) > maxPooled {
		return
	}
	clear(d.nodes)
	clear(d.table)
	clear(d.causes)
	clear(d.values)
	clear(d.known)
	drafts.Put(d)
}

func (d *draft) schema(i int32) *Node { return &d.x.schema.Nodes[d.nodes[i].id] }

// slotHash is where a node belongs in the table: by its parent, its schema node, and, among
// siblings of one schema node, its value.
func slotHash(parent int32, id ID, value uint64) uint64 {
	return mix(uint64(parent)<<16|uint64(id), value)
}

// find returns the child of a container or entry with a schema node, 0 if there is none.
func (d *draft) find(parent int32, id ID) int32 {
	mask := uint64(len(d.table) - 1)
	for h := slotHash(parent, id, 0); ; h++ {
		i := d.table[h&mask]
		if i == 0 {
			return 0
		}
		if n := &d.nodes[i]; n.parent == parent && n.id == id && n.seen != gone {
			return i
		}
	}
}

// item returns the entry of a list or the value of a leaf-list, 0 if there is none.
func (d *draft) item(list int32, value handle) int32 {
	mask := uint64(len(d.table) - 1)
	for h := slotHash(list, d.nodes[list].id, value.t.hash); ; h++ {
		i := d.table[h&mask]
		if i == 0 {
			return 0
		}
		if n := &d.nodes[i]; n.parent == list && n.value.is(value) && n.seen != gone {
			return i
		}
	}
}

// add appends a node to its parent's children.
func (d *draft) add(n draftNode) int32 {
	if 2*len(d.nodes) >= len(d.table) {
		d.grow()
	}
	i := int32(len(d.nodes))
	d.nodes = append(d.nodes, n)
	p := &d.nodes[n.parent]
	if p.first == 0 {
		p.first = i
	} else {
		d.nodes[p.last].next = i
	}
	p.last = i
	d.enter(i)
	return i
}

func (d *draft) enter(i int32) {
	n := &d.nodes[i]
	var value uint64
	if n.shape == entryShape || n.shape == valueShape {
		value = n.value.t.hash
	}
	mask := uint64(len(d.table) - 1)
	h := slotHash(n.parent, n.id, value)
	for d.table[h&mask] != 0 {
		h++
	}
	d.table[h&mask] = i
}

func (d *draft) grow() {
	d.table = make([]int32, 2*len(d.table))
	for i := 1; i < len(d.nodes); i++ {
		d.enter(int32(i))
	}
}

// causeIndex returns where a cause stands among those of the draft.
func (d *draft) causeIndex(c Cause) uint32 {
	i, ok := d.known[c]
	if !ok {
		i = uint32(len(d.causes))
		d.causes = append(d.causes, c)
		d.known[c] = i
	}
	return i
}

// child returns the child of a container or entry, made if it is new.
func (d *draft) child(parent int32, id ID, cause uint32) int32 {
	if i := d.find(parent, id); i != 0 {
		return i
	}
	return d.add(draftNode{id: id, shape: shapeOf(d.x.schema.Nodes[id].Kind), parent: parent, cause: cause})
}

// entry returns the entry of a list with checked keys, made with its key leaves if it is new.
func (d *draft) entry(list int32, keys []scalar, cause uint32) int32 {
	value := joinKeys(keys)
	if i := d.item(list, value); i != 0 {
		return i
	}
	id := d.nodes[list].id
	i := d.add(draftNode{value: value, id: id, shape: entryShape, parent: list, cause: cause})
	for n, leaf := range d.x.schema.Nodes[id].Keys {
		k := keys[n]
		d.add(draftNode{value: k.text, id: leaf, shape: leafShape, form: k.form, parent: i, cause: cause})
	}
	return i
}

// joinKeys makes one value of several. NUL cannot be part of a YANG string.
func joinKeys(keys []scalar) handle {
	if len(keys) == 1 {
		return keys[0].text
	}
	joined := ""
	for i, k := range keys {
		if i > 0 {
			joined += "\x00"
		}
		joined += k.text.Value()
	}
	return newText(joined)
}

// nextEntry makes an entry of a list without keys, which only state has: its number stands for it.
func (d *draft) nextEntry(list int32) int32 {
	n := 0
	if last := d.nodes[list].last; last != 0 {
		n, _ = strconv.Atoi(d.nodes[last].value.Value())
	}
	return d.add(draftNode{value: newText(strconv.Itoa(n + 1)), id: d.nodes[list].id, shape: entryShape, parent: list})
}

// addValue adds a value to a leaf-list, unless it is there already.
func (d *draft) addValue(list int32, v scalar, cause uint32) (i int32, fresh bool) {
	if i := d.item(list, v.text); i != 0 {
		return i, false
	}
	return d.add(draftNode{value: v.text, id: d.nodes[list].id, shape: valueShape, form: v.form, parent: list, cause: cause}), true
}

// setLeaf gives a leaf node a value.
func (d *draft) setLeaf(i int32, v scalar, cause uint32) {
	n := &d.nodes[i]
	n.value, n.form, n.cause = v.text, v.form, cause
}

// addDefault adds a leaf or leaf-list with its default, as far as the release takes that.
func (d *draft) addDefault(parent int32, id ID, cause uint32) {
	n := &d.x.schema.Nodes[id]
	if n.Kind == Leaf {
		if v, err := d.check(id, n.Default); err == nil {
			d.add(draftNode{value: v.text, form: v.form, id: id, shape: leafShape, parent: parent, cause: cause})
		}
		return
	}
	for _, text := range strings.Fields(n.Default) {
		if v, err := d.check(id, text); err == nil {
			d.addValue(d.child(parent, id, cause), v, cause)
		}
	}
}

// remove takes a node and all below it out of the draft.
func (d *draft) remove(i int32) {
	p := &d.nodes[d.nodes[i].parent]
	prev := int32(0)
	for c := p.first; c != i; c = d.nodes[c].next {
		prev = c
	}
	next := d.nodes[i].next
	if prev == 0 {
		p.first = next
	} else {
		d.nodes[prev].next = next
	}
	if p.last == i {
		p.last = prev
	}
	d.nodes[i].seen = gone
}

// clear removes all children of a node but the keys of an entry.
func (d *draft) clear(i int32) {
	p := &d.nodes[i]
	keep := int32(0)
	c := p.first
	for ; c != 0; c = d.nodes[c].next {
		if p.shape == entryShape && d.x.isKey[d.nodes[c].id] {
			keep = c
			continue
		}
		d.nodes[c].seen = gone
	}
	d.cut(i, keep)
}

// cut ends the children of a node after one of them. Key leaves are always the first children.
func (d *draft) cut(i, last int32) {
	d.nodes[i].last = last
	if last == 0 {
		d.nodes[i].first = 0
		return
	}
	d.nodes[last].next = 0
}

// path is the path of a draft's node, for messages.
func (d *draft) path(i int32) Path {
	if i == 0 {
		return nil
	}
	n := &d.nodes[i]
	switch n.shape {
	case valueShape:
		return d.path(n.parent)
	case entryShape:
		e := Elem{Name: d.schema(i).Name}
		for _, id := range d.schema(i).Keys {
			e.Keys = append(e.Keys, KeyValue{d.x.schema.Nodes[id].Name, d.nodes[d.find(i, id)].value.Value()})
		}
		return d.path(d.nodes[n.parent].parent).Append(e)
	}
	return d.path(n.parent).Child(d.schema(i).Name)
}

// load fills an empty draft with a tree. The nodes keep their indices.
func (d *draft) load(t *Tree) {
	d.causes = append(d.causes[:0], t.causes...)
	for i := 1; i < len(t.nodes); i++ {
		n := &t.nodes[i]
		dn := draftNode{id: n.id, shape: n.shape, form: n.form, parent: int32(n.up), cause: n.cause}
		switch c := (Cursor{t, uint32(i)}); {
		case n.single():
			dn.value = t.values[n.link]
		case n.shape == entryShape && len(c.Node().Keys) == 1:
			dn.value = t.values[c.Child(c.Node().Keys[0]).node().link]
		case n.shape == entryShape:
			dn.value = newText(c.itemKey())
		}
		d.add(dn)
	}
}

// descend walks down a path and makes what is missing. A list without keys at the end is the list.
func (d *draft) descend(p Path, cause uint32) (int32, error) {
	at := int32(0)
	for n, e := range p {
		id, err := d.named(at, e.Name)
		if err != nil {
			return 0, err
		}
		i := d.child(at, id, cause)
		last := n == len(p)-1
		switch kind := d.x.schema.Nodes[id].Kind; {
		case kind == List && (!last || len(e.Keys) > 0):
			if i, err = d.entryAt(i, e, cause); err != nil {
				return 0, err
			}
		case len(e.Keys) > 0:
			return 0, &PathError{Path: d.path(i), Element: e.Keys[0].Name, Why: "no list, so it has no key"}
		}
		at = i
	}
	return at, nil
}

// named finds a child's schema node by name, in the draft's release.
func (d *draft) named(at int32, name string) (ID, error) {
	n := &d.nodes[at]
	if keys := d.schema(at).Keys; n.shape == listShape && len(keys) > 0 {
		return 0, &PathError{Path: d.path(at), Element: d.x.schema.Nodes[keys[0]].Name, Why: "missing key"}
	}
	if n.shape != containerShape && n.shape != entryShape {
		return 0, &PathError{Path: d.path(at), Element: name}
	}
	id, ok := d.x.child(n.id, name, d.release)
	if !ok {
		return 0, &PathError{Path: d.path(at), Element: name, Options: d.x.options(n.id, d.release)}
	}
	return id, nil
}

// entryAt returns the entry of a list that a path element names, made if it is new.
func (d *draft) entryAt(list int32, e Elem, cause uint32) (int32, error) {
	keys, err := d.x.elemKeys(d.nodes[list].id, d.release, e, func() Path { return d.path(list) })
	if err != nil {
		return 0, err
	}
	return d.entry(list, keys, cause), nil
}

var errNoKeys = errors.New("a list without keys has no entries that a path could name")

// elemKeys checks the keys of a path element against a list: all of them, no others.
func (x *index) elemKeys(list ID, release int, e Elem, at func() Path) ([]scalar, error) {
	s := x.schema
	n := &s.Nodes[list]
	if len(n.Keys) == 0 {
		return nil, &ValueError{Path: at(), Err: errNoKeys}
	}
	keys := make([]scalar, len(n.Keys))
	for i, id := range n.Keys {
		v, ok := e.Key(s.Nodes[id].Name)
		if !ok {
			return nil, &PathError{Path: at(), Element: s.Nodes[id].Name, Why: "missing key"}
		}
		k, err := x.check(s.Nodes[id].Type, release, v)
		if err != nil {
			return nil, &ValueError{Path: at().Child(s.Nodes[id].Name), Value: v, Err: err}
		}
		keys[i] = k
	}
	return keys, x.onlyKeys(n, e, at)
}

// onlyKeys tells that a path element has a key that the list does not have.
func (x *index) onlyKeys(n *Node, e Elem, at func() Path) error {
	names := make([]string, len(n.Keys))
	for i, id := range n.Keys {
		names[i] = x.schema.Nodes[id].Name
	}
	for _, k := range e.Keys {
		found := false
		for _, name := range names {
			found = found || name == k.Name
		}
		if !found {
			return &PathError{Path: at(), Element: k.Name, Options: names, Why: "unknown key"}
		}
	}
	return nil
}
