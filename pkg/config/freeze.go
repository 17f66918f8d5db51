package config

import "slices"

// writer makes the nodes of a tree in document order, with their hashes.
type writer struct {
	x      *index
	nodes  []node
	values []handle
	leaves int
}

// open appends a node whose children follow.
func (w *writer) open(n node) uint32 {
	i := uint32(len(w.nodes))
	w.nodes = append(w.nodes, n)
	return i
}

// leaf appends a leaf or a leaf-list value.
func (w *writer) leaf(n node, value handle, at uint32) {
	n.link = at
	if n.shape == valueShape || !value.is(w.x.defaults[n.id]) {
		n.hash = notZero(mix(uint64(n.id)+1, value.t.hash))
	}
	w.leaves++
	w.nodes = append(w.nodes, n)
}

// close ends a node. A list, leaf-list or container without presence that holds nothing goes away.
func (w *writer) close(i uint32) {
	n := &w.nodes[i]
	n.link = uint32(len(w.nodes))
	stays := n.shape == entryShape || i == 0 || n.shape == containerShape && w.x.schema.Nodes[n.id].Kind == Presence
	if n.link == i+1 && !stays {
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
	for c := i + 1; c < n.link; c = end(w.nodes, c) {
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
	return len(row) > 0 && slices.EqualFunc(row, values, func(h handle, n node) bool { return h.is(w.values[n.link]) })
}

func notZero(h uint64) uint64 { return max(h, 1) }

// freeze makes the tree. The draft stays as it is and may go on changing.
func (d *draft) freeze() *Tree {
	w := &writer{x: d.x, nodes: make([]node, 0, len(d.nodes)), values: d.values[:0]}
	clear(d.texts)
	d.write(w, 0, 0)
	d.values = w.values
	return &Tree{schema: d.x.schema, release: d.release, hash: w.nodes[0].hash, nodes: w.nodes, values: slices.Clone(w.values), leaves: w.leaves, causes: slices.Clone(d.causes)}
}

// valueIndex returns the index of a value among those of the tree, where each has one place.
func (d *draft) valueIndex(w *writer, v handle) uint32 {
	if 2*len(w.values) >= len(d.texts) {
		d.growTexts(w.values)
	}
	mask := uint64(len(d.texts) - 1)
	h := v.t.hash
	for ; d.texts[h&mask] != 0; h++ {
		if i := d.texts[h&mask] - 1; w.values[i].is(v) {
			return i
		}
	}
	w.values = append(w.values, v)
	d.texts[h&mask] = uint32(len(w.values))
	return uint32(len(w.values)) - 1
}

func (d *draft) growTexts(values []handle) {
	d.texts = make([]uint32, max(1024, 2*len(d.texts)))
	mask := uint64(len(d.texts) - 1)
	for i, v := range values {
		h := v.t.hash
		for d.texts[h&mask] != 0 {
			h++
		}
		d.texts[h&mask] = uint32(i) + 1
	}
}

// write appends node i of the draft and all below it in canonical order.
func (d *draft) write(w *writer, i int32, up uint32) {
	dn := &d.nodes[i]
	n := node{up: up, cause: dn.cause, id: dn.id, shape: dn.shape, form: dn.form}
	if n.single() {
		if !dn.value.none() { // a mistaken path can leave a leaf without value behind
			w.leaf(n, dn.value, d.valueIndex(w, dn.value))
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
