package config

// reduction copies the owned part of a tree.
type reduction struct {
	scope    Scope
	intended *Tree
	t        *Tree
	w        writer
	chain    []Cursor
}

// list copies the owned entries of a list.
func (r *reduction) list(list Cursor, up uint32) {
	n := *list.node()
	n.up = up
	at := r.w.open(n)
	for entry := range list.Children() {
		r.node(entry, at)
	}
	r.w.close(at)
}

// node copies a node if it is owned, or if something below it is.
func (r *reduction) node(c Cursor, up uint32) {
	r.chain = append(r.chain, c)
	defer func() { r.chain = r.chain[:len(r.chain)-1] }()
	h := r.scope.holding(r.chain, r.intended)
	switch {
	case h.owned && !h.split:
		r.whole(c, up)
	case h.owned || h.split:
		r.part(c, up, h)
	}
}

// whole copies a subtree as it is.
func (r *reduction) whole(c Cursor, up uint32) {
	last := end(r.t.nodes, c.i)
	shift := uint32(len(r.w.nodes)) - c.i
	for i := c.i; i < last; i++ {
		n := r.t.nodes[i]
		n.up += shift
		if n.single() {
			r.w.leaves++
		} else {
			n.link += shift
		}
		r.w.nodes = append(r.w.nodes, n)
	}
	r.w.nodes[c.i+shift].up = up
}

// part copies a node of which only a part is owned. Keys come along with their entry; where nothing
// else that means something does, and the node is not owned itself, it is left out again.
func (r *reduction) part(c Cursor, up uint32, h holding) {
	n := *c.node()
	n.up = up
	at, leaves := r.w.open(n), r.w.leaves
	if n.shape == entryShape {
		r.keys(c, at)
	}
	rest := uint32(len(r.w.nodes))
	r.rest(c, at)
	if r.w.meaningless(rest) && !(h.owned && r.intended.has(r.chain)) {
		r.w.nodes, r.w.leaves = r.w.nodes[:at], leaves
		return
	}
	r.w.close(at)
}

// meaningless tells whether the nodes from i to the end are the same to a device as no nodes.
func (w *writer) meaningless(i uint32) bool {
	for ; i < uint32(len(w.nodes)); i = end(w.nodes, i) {
		if w.nodes[i].hash != 0 {
			return false
		}
	}
	return true
}

// keys copies the key leaves of an entry.
func (r *reduction) keys(c Cursor, up uint32) {
	for child := range c.Children() {
		if child.IsKey() {
			r.whole(child, up)
		}
	}
}

// rest copies the owned children of a node that are no keys.
func (r *reduction) rest(c Cursor, up uint32) {
	for child := range c.Children() {
		switch {
		case child.IsKey():
		case child.node().shape == listShape:
			r.list(child, up)
		default:
			r.node(child, up)
		}
	}
}
