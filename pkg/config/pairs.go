package config

// pairs walks the children of two nodes of the same schema node side by side, in canonical order,
// and yields those that differ; where a child is missing on one side, its cursor is zero. Subtrees
// with equal hashes are passed over, and so is what means nothing on a side where the other has
// nothing. It returns how many pairs it looked at.
func pairs(a, b Cursor, yield func(a, b Cursor)) int {
	if a.node().shape == listShape || a.node().shape == leafListShape {
		if keepsOrder(a.Node()) {
			return pairsByKey(a, b, nil, yield)
		}
		return merge(a, b, compareItems, yield)
	}
	return merge(a, b, comparePlaces, yield)
}

// comparePlaces orders the children of a container by the schema.
func comparePlaces(a, b Cursor) int {
	pos := a.t.schema.index().pos
	return int(pos[a.node().id]) - int(pos[b.node().id])
}

// compareItems orders entries and values as canonical order does.
func compareItems(a, b Cursor) int {
	if a.node().single() {
		return compareTexts(a.Value(), b.Value())
	}
	for _, id := range a.Node().Keys {
		if order := compareTexts(a.Child(id).Value(), b.Child(id).Value()); order != 0 {
			return order
		}
	}
	return 0
}

func compareTexts(a, b string) int {
	if a == b {
		return 0
	}
	return compareNatural(a, b)
}

// merge pairs two sorted rows of children.
func merge(a, b Cursor, compare func(a, b Cursor) int, yield func(a, b Cursor)) int {
	an, bn := a.t.nodes, b.t.nodes
	i, j, endA, endB := a.i+1, b.i+1, end(an, a.i), end(bn, b.i)
	visited := 0
	for i < endA || j < endB {
		visited++
		order := 0
		switch {
		case i >= endA:
			order = 1
		case j >= endB:
			order = -1
		case an[i].hash == bn[j].hash && an[i].hash != 0: // the key, too, is part of the hash
		default:
			order = compare(Cursor{a.t, i}, Cursor{b.t, j})
		}
		switch {
		case order < 0:
			one(Cursor{a.t, i}, Cursor{}, yield)
		case order > 0:
			one(Cursor{}, Cursor{b.t, j}, yield)
		case an[i].hash != bn[j].hash:
			yield(Cursor{a.t, i}, Cursor{b.t, j})
		}
		if order <= 0 {
			i = end(an, i)
		}
		if order >= 0 {
			j = end(bn, j)
		}
	}
	return visited
}

// one yields what only one side has, if it means something.
func one(a, b Cursor, yield func(a, b Cursor)) {
	if a.Hash() != 0 || b.Hash() != 0 {
		yield(a, b)
	}
}

// pairsByKey pairs the entries of user-ordered lists: first those that only a has, in its order,
// then those of b, in its order; those that moved, even if they are equal.
func pairsByKey(a, b Cursor, moved map[string]bool, yield func(a, b Cursor)) int {
	inA, inB := a.items(), b.items()
	for c := range a.Children() {
		if _, ok := inB[c.itemKey()]; !ok {
			yield(c, Cursor{})
		}
	}
	for c := range b.Children() {
		v := c.itemKey()
		if other := inA[v]; other.Hash() != c.Hash() || moved[v] {
			yield(other, c)
		}
	}
	return len(inA) + len(inB)
}

// items finds the entries or values below a node by their key.
func (c Cursor) items() map[string]Cursor {
	m := map[string]Cursor{}
	for item := range c.Children() {
		m[item.itemKey()] = item
	}
	return m
}

// common returns the values of the items of a that b has too, in the order of a.
func common(a, b Cursor) []string {
	inB := b.items()
	var out []string
	for c := range a.Children() {
		if v := c.itemKey(); inB[v].Valid() {
			out = append(out, v)
		}
	}
	return out
}
