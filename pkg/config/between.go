package config

import "strings"

// Between tells whether a tree is on the way from one tree to another: whether every difference
// from a is one that leads to b, leaf by leaf. A device that took half of a request is such a tree,
// and one where somebody else wrote is not.
func Between(t, a, b *Tree) bool {
	way := map[string]bool{}
	for _, c := range Diff(a, b) {
		c.leaves(func(one string) { way[one] = true })
	}
	on := true
	for _, c := range Diff(a, t) {
		c.leaves(func(one string) { on = on && way[one] })
	}
	return on
}

// leaves names what a change does, leaf by leaf. Entries count as leaves, so that one that comes
// or goes with nothing in it is seen.
func (c Change) leaves(name func(string)) {
	switch c.Op {
	case Create:
		c.To.leaves(c.Op, name)
	case Delete:
		c.From.leaves(c.Op, name)
	default:
		name(string(c.Op) + c.At.String() + "=" + c.To.text())
	}
}

func (c Cursor) leaves(op Op, name func(string)) {
	if c.IsLeaf() || c.IsValue() || c.IsEntry() {
		name(string(op) + c.Path().String() + "=" + c.Value())
	}
	for child := range c.Children() {
		child.leaves(op, name)
	}
}

// text is the value of a leaf, or the values of a list of leaves in their order.
func (c Cursor) text() string {
	if c.IsLeaf() || c.IsValue() {
		return c.Value()
	}
	var all []string
	for child := range c.Children() {
		all = append(all, child.Value()+strings.Join(child.Keys(), ","))
	}
	return strings.Join(all, "\x00")
}
