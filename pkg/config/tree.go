package config

import "iter"

// Cause says why a leaf has its value.
type Cause struct {
	Ref  string // the place in the topology: "topologies/dc1.yaml:12:3"
	Rule string // what was derived from it: "fabric mtu"
}

// Tree is an immutable configuration of one release of one schema. Trees share interned values
// and may be read from any number of goroutines.
type Tree struct {
	schema  *Schema
	release int
	nodes   []node
	causes  []Cause
	leaves  int
}

type node struct{}

// EmptyTree returns a tree with nothing in it. It panics where the schema does not know the release.
func EmptyTree(s *Schema, release string) *Tree { panic("todo") }

// Schema returns the schema that the tree's IDs belong to.
func (t *Tree) Schema() *Schema { return t.schema }

// Release returns the name of the release that the tree was checked against.
func (t *Tree) Release() string { return t.schema.Releases[t.release] }

// Root returns the cursor at the unnamed root container, which every tree has.
func (t *Tree) Root() Cursor { return Cursor{t, 0} }

// Len returns the number of nodes, the root included.
func (t *Tree) Len() int { return len(t.nodes) }

// Leaves returns the number of leaves and leaf-list values, keys included.
func (t *Tree) Leaves() int { return t.leaves }

// Find returns the node at a path: a container, a leaf, a leaf-list, an entry (with all its keys)
// or a list (without keys). It returns the zero Cursor where the tree has no such node.
func (t *Tree) Find(p Path) Cursor { panic("todo") }

// All yields every node in document order, the root first.
func (t *Tree) All() iter.Seq[Cursor] { panic("todo") }

// Walk calls f for every node in document order, the root first; where f returns false, what is
// below that node is left out.
func (t *Tree) Walk(f func(Cursor) bool) { panic("todo") }

// Equal tells whether a device could not tell the two trees apart: they have the same nodes,
// except for leaves with their default value and empty containers.
func Equal(a, b *Tree) bool { panic("todo") }

// Cursor points at a node of a tree. The zero Cursor points at nothing. A list is one node whose
// children are its entries, which have the list's ID; likewise a leaf-list and its values.
type Cursor struct {
	t *Tree
	i uint32
}

// Valid tells whether the cursor points at a node.
func (c Cursor) Valid() bool { return c.t != nil }

// Tree returns the tree that the cursor points into.
func (c Cursor) Tree() *Tree { return c.t }

// ID returns the schema node of the cursor's node.
func (c Cursor) ID() ID { panic("todo") }

// Node returns the schema node of the cursor's node.
func (c Cursor) Node() *Node { return &c.t.schema.Nodes[c.ID()] }

// IsEntry tells whether the node is one entry of a list, rather than the list.
func (c Cursor) IsEntry() bool { panic("todo") }

// IsValue tells whether the node is one value of a leaf-list, rather than the leaf-list.
func (c Cursor) IsValue() bool { panic("todo") }

// IsDefault tells whether the node means the same as no node: a leaf with its default value, or a
// container without presence that holds nothing else.
func (c Cursor) IsDefault() bool { panic("todo") }

// Value returns the canonical text of a leaf or of one leaf-list value, "" of anything else.
func (c Cursor) Value() string { panic("todo") }

// Keys returns the key values of an entry, in the order of the key statement.
func (c Cursor) Keys() []string { panic("todo") }

// Children yields the children: in schema order; entries and values of system-ordered lists in
// natural order ("ethernet-1/2" before "ethernet-1/10"), of user-ordered lists in their own.
func (c Cursor) Children() iter.Seq[Cursor] { panic("todo") }

// Child returns the child with the given schema node: the list, for a list. It returns the zero
// Cursor where there is none.
func (c Cursor) Child(id ID) Cursor { panic("todo") }

// Entry returns the entry of a list with the given canonical key values.
func (c Cursor) Entry(keys ...string) Cursor { panic("todo") }

// Parent returns the node above; the list, for an entry. The root has none.
func (c Cursor) Parent() Cursor { panic("todo") }

// Path returns the path from the root. A list and its leaf-list counterpart have paths without
// keys; a leaf-list value has the path of its leaf-list, as in gNMI.
func (c Cursor) Path() Path { panic("todo") }

// Hash returns a hash of the subtree, modulo defaults. It is seeded per process: it may be kept in
// memory and compared, not stored. 0 is the hash of what means nothing (IsDefault).
func (c Cursor) Hash() uint64 { panic("todo") }

// Cause returns why the node is there; the zero Cause where nobody said.
func (c Cursor) Cause() Cause { panic("todo") }
