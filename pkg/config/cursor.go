package config

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Cursor points at a node of a tree. The zero Cursor points at nothing: it is not Valid, has no
// value, keys or children, and its Child and Parent are zero as well. A list is one node whose
// children are its entries, which have the list's ID; likewise a leaf-list and its values.
type Cursor struct {
	t *Tree
	i uint32
}

// Valid tells whether the cursor points at a node.
func (c Cursor) Valid() bool { return c.t != nil }

// Tree returns the tree that the cursor points into.
func (c Cursor) Tree() *Tree { return c.t }

func (c Cursor) node() *node { return &c.t.nodes[c.i] }

// ID returns the schema node of the cursor's node, Root for the zero Cursor.
func (c Cursor) ID() ID {
	if c.t == nil {
		return Root
	}
	return c.node().id
}

// Node returns the schema node of the cursor's node. The cursor must be valid.
func (c Cursor) Node() *Node { return &c.t.schema.Nodes[c.node().id] }

// IsEntry tells whether the node is one entry of a list, rather than the list.
func (c Cursor) IsEntry() bool { return c.t != nil && c.node().shape == entryShape }

// IsValue tells whether the node is one value of a leaf-list, rather than the leaf-list.
func (c Cursor) IsValue() bool { return c.t != nil && c.node().shape == valueShape }

// IsLeaf tells whether the node is a leaf.
func (c Cursor) IsLeaf() bool { return c.t != nil && c.node().shape == leafShape }

// IsKey tells whether the node is a key leaf of an entry.
func (c Cursor) IsKey() bool { return c.IsLeaf() && c.t.schema.index().isKey[c.node().id] }

// IsDefault tells whether the node means the same as no node: a leaf with its default value, or a
// container without presence that holds nothing else.
func (c Cursor) IsDefault() bool { return c.t != nil && c.node().hash == 0 }

// Value returns the canonical text of a leaf or of one leaf-list value, "" of anything else.
func (c Cursor) Value() string {
	if c.t == nil {
		return ""
	}
	if n := c.node(); n.single() {
		return c.t.values[n.link].Value()
	}
	return ""
}

// hidden stands for the value of a secret.
const hidden = "(secret)"

// Shown is Value as people may see it: that of a secret is "(secret)".
func (c Cursor) Shown() string {
	if v := c.Value(); v == "" || !c.Node().Secret {
		return v
	}
	return hidden
}

// Keys returns the key values of an entry, in the order of the key statement.
func (c Cursor) Keys() []string {
	if !c.IsEntry() {
		return nil
	}
	ids := c.Node().Keys
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = c.Child(id).Value()
	}
	return keys
}

// Children yields the children: in schema order; entries and values of system-ordered lists in
// natural order ("ethernet-1/2" before "ethernet-1/10"), of user-ordered lists in their own.
func (c Cursor) Children() iter.Seq[Cursor] {
	return func(yield func(Cursor) bool) {
		if c.t == nil {
			return
		}
		nodes := c.t.nodes
		for i, last := c.i+1, end(nodes, c.i); i < last; i = end(nodes, i) {
			if !yield(Cursor{c.t, i}) {
				return
			}
		}
	}
}

// Child returns the child with the given schema node: the list, for a list. It returns the zero
// Cursor where there is none.
func (c Cursor) Child(id ID) Cursor {
	if c.t == nil {
		return Cursor{}
	}
	nodes := c.t.nodes
	for i, last := c.i+1, end(nodes, c.i); i < last; i = end(nodes, i) {
		if nodes[i].id == id && nodes[c.i].id != id {
			return Cursor{c.t, i}
		}
	}
	return Cursor{}
}

// Entry returns the entry of a list that has the given canonical key values.
func (c Cursor) Entry(keys ...string) Cursor {
	if c.t == nil || c.node().shape != listShape {
		return Cursor{}
	}
	return c.item(strings.Join(keys, "\x00"))
}

// item returns the entry or leaf-list value below the cursor that has the key (see itemKey).
func (c Cursor) item(key string) Cursor {
	nodes := c.t.nodes
	one := len(c.Node().Keys) == 1 // the first child of such an entry is the key
	for i, last := c.i+1, end(nodes, c.i); i < last; i = end(nodes, i) {
		switch n := &nodes[i]; {
		case n.shape == entryShape && one:
			if c.t.values[nodes[i+1].link].Value() == key {
				return Cursor{c.t, i}
			}
		case Cursor{c.t, i}.itemKey() == key:
			return Cursor{c.t, i}
		}
	}
	return Cursor{}
}

// itemKey tells an entry or a leaf-list value from its siblings: the value, the keys joined by
// NUL, or, in a list without keys, the number of the entry.
func (c Cursor) itemKey() string {
	if c.node().single() {
		return c.Value()
	}
	switch ids := c.Node().Keys; len(ids) {
	case 0:
		return strconv.Itoa(c.place())
	case 1:
		return c.Child(ids[0]).Value()
	default:
		return strings.Join(c.Keys(), "\x00")
	}
}

// place returns the number of a node among its siblings, from 1.
func (c Cursor) place() int {
	n := 1
	for i := c.node().up + 1; i < c.i; i = end(c.t.nodes, i) {
		n++
	}
	return n
}

// childless tells whether the node has no children.
func (c Cursor) childless() bool { return end(c.t.nodes, c.i) == c.i+1 }

// Parent returns the node above; the list, for an entry. The root has none.
func (c Cursor) Parent() Cursor {
	if c.t == nil || c.i == 0 {
		return Cursor{}
	}
	return Cursor{c.t, c.node().up}
}

// Path returns the path from the root. A list has a path without keys; a leaf-list value has the
// path of its leaf-list, as in gNMI.
func (c Cursor) Path() Path {
	var p Path
	for ; c.t != nil && c.i != 0; c = c.Parent() {
		switch n := c.node(); n.shape {
		case valueShape:
			continue
		case entryShape:
			p = append(p, Elem{c.Node().Name, c.keyValues()})
			c = c.Parent()
		default:
			p = append(p, Elem{Name: c.Node().Name})
		}
	}
	slices.Reverse(p)
	return p
}

func (c Cursor) keyValues() []KeyValue {
	ids := c.Node().Keys
	if len(ids) == 0 {
		return nil
	}
	kvs := make([]KeyValue, len(ids))
	for i, id := range ids {
		kvs[i] = KeyValue{c.t.schema.Nodes[id].Name, c.Child(id).Value()}
	}
	return kvs
}

// Hash returns a hash of the subtree, modulo defaults. It is seeded per process: it may be kept in
// memory and compared, not stored. 0 is the hash of what means nothing (IsDefault).
func (c Cursor) Hash() uint64 {
	if c.t == nil {
		return 0
	}
	return c.node().hash
}

// Cause returns why the node is there; the zero Cause where nobody said.
func (c Cursor) Cause() Cause {
	if c.t == nil {
		return Cause{}
	}
	return c.t.causes[c.node().cause]
}
