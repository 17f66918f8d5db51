package config

// kind of change that a delta stands for.
type fate byte

const (
	stays fate = iota // on both sides, and something in it changes
	goes              // only on the from side
	comes             // only on the to side, or a leaf or leaf-list with another value
	moves             // an entry of a user-ordered list that has to be taken out and added again
)

// delta is one node of the changed part of two trees, with the cheapest way to send it.
type delta struct {
	a, b   Cursor
	what   fate
	kids   []*delta
	closed int  // cost if no update around it carries its part
	open   int  // cost if an update around it is there anyway
	joins  bool // in the open case, some of it is in that update
	whole  bool // in the closed case: one delete, or one replace
	gather bool // in the closed case: one update here carries what joins
}

// planner chooses operations by dynamic programming over the changed part of two trees: for each
// node, the cheapest way with and without an update around it that it may join.
type planner struct {
	owned     func(Cursor) bool
	names     []string
	qualified []string
}

// pair plans one pair of children that differ.
func (p *planner) pair(a, b Cursor) *delta {
	switch {
	case !b.Valid():
		return p.gone(a)
	case !a.Valid():
		return p.fresh(b)
	case b.node().shape == leafShape:
		return p.leaf(a, b)
	case b.node().shape == leafListShape:
		cost := opCost + size(b, -1)
		return &delta{a: a, b: b, what: comes, closed: cost, open: cost, whole: true}
	}
	return p.changed(a, b)
}

// gone plans a deletion: at the topmost node that is owned, and below those that are not.
func (p *planner) gone(a Cursor) *delta {
	d := &delta{a: a, what: goes}
	if s := a.node().shape; s == leafShape || s == leafListShape || s != listShape && p.owned(a) {
		d.whole, d.closed, d.open = true, opCost, opCost
		return d
	}
	for c := range a.Children() {
		if c.Hash() != 0 && !c.IsKey() {
			d.add(p.gone(c))
		}
	}
	return d
}

// fresh plans what only the to side has. A list is its entries: gNMI can address those, and an array
// at a list's path is ignored by some devices.
func (p *planner) fresh(b Cursor) *delta {
	d := &delta{b: b, what: comes, joins: true}
	if b.node().shape == listShape {
		for c := range b.Children() {
			k := p.fresh(c)
			k.whole = k.whole && !keepsOrder(b.Node()) // as in userOrdered
			d.add(k)
		}
		d.open += p.nameSize(b)
		return d
	}
	n := size(b, -1)
	d.open, d.closed = n+p.nameSize(b), n+opCost
	switch b.node().shape {
	case leafListShape:
		d.whole = true
	case containerShape, entryShape:
		d.whole = !b.childless() && p.owned(b)
	}
	return d
}

func (p *planner) leaf(a, b Cursor) *delta {
	n := size(b, -1)
	return &delta{a: a, b: b, what: comes, joins: true, open: n + p.nameSize(b), closed: n + opCost}
}

// changed plans a container, entry or list that both sides have.
func (p *planner) changed(a, b Cursor) *delta {
	d := &delta{a: a, b: b}
	if b.node().shape == listShape && keepsOrder(b.Node()) {
		p.userOrdered(d)
	} else {
		pairs(a, b, func(x, y Cursor) { d.add(p.pair(x, y)) })
	}
	p.choose(d)
	return d
}

// userOrdered plans the entries of a user-ordered list. They come by updates, in their order:
// replaces are done before updates, and would jump the queue.
func (p *planner) userOrdered(d *delta) {
	wrong := misplaced(d.a, d.b)
	pairsByKey(d.a, d.b, wrong, func(x, y Cursor) {
		var k *delta
		if y.Valid() && wrong[y.itemKey()] {
			k = p.moved(x, y)
		} else {
			k = p.pair(x, y)
		}
		k.whole = k.whole && k.what != comes
		d.add(k)
	})
}

// moved plans an entry that is taken out and added again.
func (p *planner) moved(a, b Cursor) *delta {
	n := size(b, -1)
	return &delta{a: a, b: b, what: moves, joins: true, open: opCost + n, closed: 2*opCost + n}
}

// choose settles how a node that stays is sent, once its children's costs are summed up.
func (p *planner) choose(d *delta) {
	shape := d.b.node().shape
	if shape != listShape {
		if joined := opCost + d.open; d.joins && joined < d.closed {
			d.closed, d.gather = joined, true
		}
		p.replaceIfCheaper(d)
	}
	if own := p.nameSize(d.b); d.joins && d.open+own < d.closed {
		d.open += own
		return
	}
	d.open, d.joins = d.closed, false
}

// replaceIfCheaper replaces the node as a whole where that is allowed and costs less.
func (p *planner) replaceIfCheaper(d *delta) {
	budget := d.closed - opCost
	if d.b.i == 0 || budget <= 0 || d.b.childless() {
		return
	}
	if n := size(d.b, budget); n < budget && p.owned(d.b) {
		d.closed, d.whole, d.gather = n+opCost, true, false
	}
}

func (d *delta) add(k *delta) {
	d.kids = append(d.kids, k)
	d.closed += k.closed
	d.open += k.open
	d.joins = d.joins || k.joins
}

// nameSize is what a node needs in an update around it beside its value: its name, or its keys.
func (p *planner) nameSize(c Cursor) int {
	if !c.IsEntry() {
		return len(p.names[c.ID()]) + 3
	}
	n := 3
	for _, id := range c.Node().Keys {
		n += len(p.names[id]) + len(c.Child(id).Value()) + 3
	}
	return n
}

// size is the length of a subtree's JSON, nearly; it gives up beyond a limit that is not negative.
func size(c Cursor, limit int) int {
	nodes, names := c.t.nodes, c.t.schema.index().label
	n := 2
	for i, last := c.i, end(nodes, c.i); i < last; i++ {
		switch nd := &nodes[i]; nd.shape {
		case leafShape:
			n += len(names[nd.id]) + len(c.t.values[nd.link].Value()) + 3
		case valueShape:
			n += len(c.t.values[nd.link].Value()) + 3
		case entryShape:
			n += 3
		default:
			n += len(names[nd.id]) + 3
		}
		if limit >= 0 && n > limit {
			return n
		}
	}
	return n
}

// misplaced returns the entries of a user-ordered list that have to be taken out and added again,
// so that every other one is where the to side has it.
func misplaced(a, b Cursor) map[string]bool {
	wrong := map[string]bool{}
	left := common(a, b)
	i, inPlace := 0, true
	for c := range b.Children() {
		inPlace = inPlace && i < len(left) && left[i] == c.itemKey()
		if inPlace {
			i++
		}
	}
	for _, v := range left[i:] {
		wrong[v] = true
	}
	return wrong
}
