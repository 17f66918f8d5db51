package config

import "iter"

// Cause says why a leaf has its value.
type Cause struct {
	Ref  string // the object of the intent: "tenants/red/segments/web#mtu"; who has the file knows its line
	Rule string // what was derived from it: "fabric mtu"
}

// Tree is an immutable configuration of one release of one schema. Trees share texts of values
// and may be read from any number of goroutines.
type Tree struct {
	schema  *Schema
	release int
	hash    uint64   // of the root, where thousands of trees are compared without touching their nodes
	nodes   []node   // document order; nodes[0] is the root
	values  []handle // all different; shared by trees that were made of this one
	causes  []Cause  // causes[0] is the zero Cause
	leaves  int
}

// node is one node of a tree, in 24 bytes without pointers, which the garbage collector passes over.
type node struct {
	hash  uint64 // of the subtree, modulo defaults; 0 if it means nothing
	link  uint32 // of leaves and leaf-list values, index of the value; of others, index after the subtree
	up    uint32 // index of the parent
	cause uint32 // index into causes
	id    ID
	shape shape
	form  form
}

// single tells whether the node is a leaf or a leaf-list value, which is a subtree of one node.
func (n *node) single() bool { return n.shape == leafShape || n.shape == valueShape }

// end returns the index after the subtree of node i.
func end(nodes []node, i uint32) uint32 {
	if n := &nodes[i]; !n.single() {
		return n.link
	}
	return i + 1
}

// EmptyTree returns a tree with nothing in it. It panics where the schema does not know the release.
func EmptyTree(s *Schema, release string) *Tree {
	d, err := newDraft(s, release)
	if err != nil {
		panic(err)
	}
	defer d.free()
	return d.freeze()
}

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
// or a list (without keys). It returns the zero Cursor where the tree has no such node. Key values
// need not be canonical.
func (t *Tree) Find(p Path) Cursor {
	x, c := t.schema.index(), t.Root()
	for _, e := range p {
		id, ok := x.byName[nameKey{c.ID(), e.Name}]
		if c = c.Child(id); !ok || !c.Valid() {
			return Cursor{}
		}
		if len(e.Keys) == 0 {
			continue
		}
		keys, err := x.elemKeys(id, t.release, e, func() Path { return nil })
		if err != nil || c.node().shape != listShape {
			return Cursor{}
		}
		if c = c.item(joinKeys(keys).Value()); !c.Valid() {
			return Cursor{}
		}
	}
	return c
}

// All yields every node in document order, the root first.
func (t *Tree) All() iter.Seq[Cursor] {
	return func(yield func(Cursor) bool) {
		for i := range t.nodes {
			if !yield(Cursor{t, uint32(i)}) {
				return
			}
		}
	}
}

// Walk calls f for every node in document order, the root first; where f returns false, what is
// below that node is left out.
func (t *Tree) Walk(f func(Cursor) bool) {
	for i := uint32(0); i < uint32(len(t.nodes)); {
		if f(Cursor{t, i}) {
			i++
			continue
		}
		i = end(t.nodes, i)
	}
}

// Equal tells whether a device could not tell the two trees apart: they have the same nodes,
// except for leaves with their default value and empty containers. AppendMeaning gives their bytes.
func Equal(a, b *Tree) bool {
	if a.schema != b.schema || a.hash != b.hash {
		return false
	}
	if a == b {
		return true
	}
	i, j := a.meaning(0), b.meaning(0)
	for i < len(a.nodes) && j < len(b.nodes) {
		x, y := &a.nodes[i], &b.nodes[j]
		if x.id != y.id || x.shape != y.shape || x.hash != y.hash || x.single() && !a.values[x.link].is(b.values[y.link]) {
			return false
		}
		i, j = a.meaning(i+1), b.meaning(j+1)
	}
	return i >= len(a.nodes) && j >= len(b.nodes)
}

// meaning returns the first node from i on that a device would miss: one that contributes to a hash.
func (t *Tree) meaning(i int) int {
	for i < len(t.nodes) && t.nodes[i].hash == 0 {
		i = int(end(t.nodes, uint32(i)))
	}
	return i
}
