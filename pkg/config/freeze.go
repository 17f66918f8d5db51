package config

import "slices"

// writer makes the nodes of a tree in document order, with their hashes.
type writer struct {
	x      *index
	nodes  []node
	leaves int
}

// open appends a node whose children follow.
func (w *writer) open(n node) uint32 {
	i := uint32(len(w.nodes))
	w.nodes = append(w.nodes, n)
	return i
}

// leaf appends a leaf or a leaf-list value. hash is that of its value.
func (w *writer) leaf(n node, hash uint64) {
	n.end = uint32(len(w.nodes)) + 1
	if n.shape == valueShape || n.value != w.x.defaults[n.id] {
		n.hash = notZero(mix(uint64(n.id)+1, hash))
	}
	w.leaves++
	w.nodes = append(w.nodes, n)
}

// close ends a node. A list, leaf-list or container without presence that holds nothing goes away.
func (w *writer) close(i uint32) {
	n := &w.nodes[i]
	n.end = uint32(len(w.nodes))
	stays := n.shape == entryShape || i == 0 || n.shape == containerShape && w.x.schema.Nodes[n.id].Kind == Presence
	if n.end == i+1 && !stays {
		w.nodes = w.nodes[:i]
		return
	}
	n.hash = w.hash(i)
}

// hash combines what the children contribute, in their order; 0 where nothing does and the node
// itself means nothing.
func (w *writer) hash(i uint32) uint64 {
	n := &w.nodes[i]
	h, any := uint64(n.id)+1, false
	for c := i + 1; c < n.end; c = w.nodes[c].end {
		if ch := w.nodes[c].hash; ch != 0 {
			h, any = mix(h, ch), true
		}
	}
	switch {
	case n.shape == leafListShape && w.isDefaultRow(i):
		return 0
	case any || n.shape == entryShape || n.shape == containerShape && w.x.schema.Nodes[n.id].Kind == Presence:
		return notZero(mix(h, uint64(n.shape)+7))
	}
	return 0
}

// isDefaultRow tells whether a leaf-list has exactly its default values.
func (w *writer) isDefaultRow(i uint32) bool {
	row := w.x.rows[w.nodes[i].id]
	values := w.nodes[i+1:]
	return len(row) > 0 && slices.EqualFunc(row, values, func(h handle, n node) bool { return h == n.value })
}

func notZero(h uint64) uint64 { return max(h, 1) }

// freeze makes the tree. The draft stays as it is and may go on changing.
func (d *draft) freeze() *Tree {
	w := &writer{x: d.x, nodes: make([]node, 0, len(d.nodes))}
	d.write(w, 0, 0)
	return &Tree{schema: d.x.schema, release: d.release, nodes: w.nodes, leaves: w.leaves, causes: slices.Clip(d.causes)}
}

// write appends node i of the draft and all below it in canonical order.
func (d *draft) write(w *writer, i int32, up uint32) {
	dn := &d.nodes[i]
	n := node{value: dn.value, up: up, cause: dn.cause, id: dn.id, shape: dn.shape, form: dn.form}
	if dn.shape == leafShape || dn.shape == valueShape {
		if dn.value != (handle{}) { // a mistaken path can leave a leaf without value behind
			w.leaf(n, dn.hash)
		}
		return
	}
	at := w.open(n)
	from := len(d.scratch)
	for _, c := range d.sorted(i) {
		d.write(w, int32(uint32(c)), at)
	}
	d.scratch = d.scratch[:from]
	w.close(at)
}

// sorted returns the children of a node in canonical order; the low half of each is its index. It
// lies on the scratch stack until the caller takes it off.
func (d *draft) sorted(i int32) []uint64 {
	n := &d.nodes[i]
	from, ordered := len(d.scratch), true
	items := n.shape == listShape || n.shape == leafListShape
	for c := n.first; c != 0; c = d.nodes[c].next {
		k := uint64(c)
		if !items {
			k |= uint64(d.x.pos[d.nodes[c].id]) << 32
			ordered = ordered && (len(d.scratch) == from || d.scratch[len(d.scratch)-1] < k)
		}
		d.scratch = append(d.scratch, k)
	}
	kids := d.scratch[from:]
	switch {
	case !items && !ordered:
		slices.Sort(kids)
	case items && !d.keepsOrder(i):
		d.sortItems(kids)
	}
	return kids
}

// keepsOrder tells whether the order of a list's entries or values is data. Lists without keys
// have nothing to be sorted by.
func (d *draft) keepsOrder(i int32) bool { return keepsOrder(d.schema(i)) }

func keepsOrder(n *Node) bool { return n.UserOrdered || n.Kind == List && len(n.Keys) == 0 }

func (d *draft) sortItems(kids []uint64) {
	compare := func(a, b uint64) int {
		return compareNatural(d.nodes[a].value.Value(), d.nodes[b].value.Value())
	}
	if !slices.IsSortedFunc(kids, compare) {
		slices.SortFunc(kids, compare)
	}
}
