package config

import "slices"

// Ownership is how much of what a rule's path matches belongs to Loom.
type Ownership byte

// The kinds of ownership. Never wins over the others.
const (
	Never Ownership = iota // excluded, and all below
	Entry                  // what matches, and all below, if the intended tree has it
	Whole                  // what matches, and all below
)

// Rule says who owns what a path matches. A list without keys, or with "*", means all its
// entries; a key value may be a glob such as "ethernet-*".
type Rule struct {
	Path Path
	Own  Ownership
	Why  string // for the person who asks
}

// Scope is the part of a device's configuration that Loom owns. What no rule names is not owned.
type Scope []Rule

// Owned returns t reduced to what Loom owns, given what it intends. Entries and presence containers
// that are not owned themselves stay where something below them does.
func (s Scope) Owned(t, intended *Tree) *Tree {
	r := reduction{scope: s, intended: intended, t: t}
	r.w = writer{x: t.schema.index(), values: t.values, nodes: make([]node, 0, len(t.nodes))}
	root := r.w.open(t.nodes[0])
	r.chain = append(r.chain, t.Root())
	r.rest(t.Root(), root)
	r.w.close(root)
	return &Tree{schema: t.schema, release: t.release, hash: r.w.nodes[0].hash, nodes: r.w.nodes, values: t.values, leaves: r.w.leaves, causes: t.causes}
}

// Covers tells whether everything at and below the cursor, whatever a device may hold there, is
// owned, so that it may be replaced or deleted as a whole.
func (s Scope) Covers(c Cursor, intended *Tree) bool {
	if !c.Valid() {
		return false
	}
	var buf [24]Cursor
	h := s.holding(c.chain(buf[:0]), intended)
	return h.owned && !h.split
}

// Owns is Covers for a path: of something that no tree has, because the schema or the release has it not.
func (s Scope) Owns(p Path, intended *Tree) bool {
	owned := false
	for i := range s {
		r := &s[i]
		n := min(len(r.Path), len(p))
		switch {
		case !slices.EqualFunc(r.Path[:n], p[:n], Elem.meets):
		case r.Own == Never:
			return false
		case n == len(r.Path):
			owned = owned || r.Own == Whole || intended.Find(p[:n]).Valid()
		}
	}
	return owned
}

// meets tells whether a rule's element matches one of a path.
func (e Elem) meets(o Elem) bool {
	return e.Name == o.Name && !slices.ContainsFunc(e.Keys, func(k KeyValue) bool {
		v, ok := o.Key(k.Name)
		return k.Value != "*" && !(ok && glob(k.Value, v))
	})
}

// Outside returns the leaves, leaf-lists and presence containers of the intended tree that the
// scope does not own: a driver's bug. Keys of an entry and presence containers count only where they
// hold nothing else; otherwise they are there for the sake of what they hold, which is judged itself.
func (s Scope) Outside(intended *Tree) []Path {
	var out []Path
	var buf [24]Cursor
	intended.Walk(func(c Cursor) bool {
		h := s.holding(c.chain(buf[:0]), intended)
		if h.owned && !h.split {
			return false
		}
		n := c.node()
		presence := n.shape == containerShape && c.Node().Kind == Presence && c.childless()
		if h.owned || c.IsKey() && !c.holdsOnlyKeys() {
			return true
		}
		if n.shape == leafShape || n.shape == leafListShape || presence {
			out = append(out, c.Path())
		}
		return n.shape != leafListShape
	})
	return out
}

// holdsOnlyKeys tells whether the entry of a key leaf has nothing but keys.
func (c Cursor) holdsOnlyKeys() bool {
	entry := c.Parent()
	count := 0
	for range entry.Children() {
		count++
	}
	return count == len(entry.Node().Keys)
}

// chain returns the nodes from the root to the cursor that a path has an element for, the root
// first: an entry stands for its list as well.
func (c Cursor) chain(buf []Cursor) []Cursor {
	for at := c; ; at = at.Parent() {
		if at.node().shape == valueShape {
			continue
		}
		buf = append(buf, at)
		if at.IsEntry() {
			at = at.Parent()
		}
		if at.i == 0 {
			slices.Reverse(buf)
			return buf
		}
	}
}

// holding is what a scope says about a node.
type holding struct {
	owned bool // the node and what is below belongs to Loom, with the exceptions below
	never bool // it is excluded
	split bool // below it ownership may change
}

// holding judges the last node of a chain.
func (s Scope) holding(chain []Cursor, intended *Tree) holding {
	var h, deeper holding
	for i := range s {
		r := &s[i]
		switch at := r.matches(chain); {
		case at == above && r.Own == Never:
			return holding{never: true}
		case at == above:
			h.owned = h.owned || r.Own == Whole || r.intends(chain, intended)
		case at == under && r.Own == Never:
			h.split, deeper.split = true, true
		case at == under:
			deeper.split = true
		}
	}
	if !h.owned {
		h.split = deeper.split
	}
	return h
}

// position is where a rule's path lies, seen from a node.
type position byte

const (
	beside position = iota // neither covers nor enters the node
	above                  // matches the node or one above it
	under                  // matches something that can be below the node
)

// matches compares a rule's path with a chain.
func (r *Rule) matches(chain []Cursor) position {
	n := min(len(r.Path), len(chain)-1)
	for i := range n {
		c := chain[i+1]
		if r.Path[i].Name != c.Node().Name {
			return beside
		}
		switch fits := r.Path[i].fits(c); {
		case !fits && c.IsEntry():
			return beside
		case !fits: // the list as a whole: the rule speaks of some of its entries
			return under
		}
	}
	if len(r.Path) > n {
		return under
	}
	return above
}

// fits tells whether an element's keys match an entry, or all entries of a list.
func (e Elem) fits(c Cursor) bool {
	for _, k := range e.Keys {
		if k.Value == "*" {
			continue
		}
		if !c.IsEntry() {
			return false
		}
		id, ok := c.t.schema.index().byName[nameKey{c.ID(), k.Name}]
		if !ok || !glob(k.Value, c.Child(id).Value()) {
			return false
		}
	}
	return true
}

// intends tells whether the intended tree has the node that an Entry rule matched: the last element
// of the rule's path, as the chain has it. A list as a whole is never intended as a whole.
func (r *Rule) intends(chain []Cursor, intended *Tree) bool {
	c := chain[len(r.Path)]
	return c.node().shape != listShape && intended.has(chain[:len(r.Path)+1])
}

// has tells whether a tree has the node that a chain ends at: one of its own, or one of another tree of
// the same schema.
func (t *Tree) has(chain []Cursor) bool {
	if chain[0].t == t {
		return true
	}
	at := t.Root()
	for _, c := range chain[1:] {
		if at = at.Child(c.ID()); !at.Valid() {
			return false
		}
		if c.IsEntry() {
			if at = at.item(c.itemKey()); !at.Valid() {
				return false
			}
		}
	}
	return true
}

// glob matches a text against a pattern in which * stands for any bytes.
func glob(pattern, s string) bool {
	star, retry := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0: // let the last star take one byte more
			retry++
			p, i = star+1, retry
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
