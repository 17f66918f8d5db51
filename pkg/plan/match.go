package plan

import (
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
)

// nodes are those of a tree that a pattern of driver.Guards matches, in the tree's order.
func nodes(t *config.Tree, pattern config.Path) []config.Cursor {
	at := []config.Cursor{t.Root()}
	for _, e := range pattern {
		var next []config.Cursor
		for _, c := range at {
			next = appendFitting(next, c, e)
		}
		at = next
	}
	return at
}

// appendFitting adds the children of c that one element of a pattern matches; of a list, its entries.
func appendFitting(out []config.Cursor, c config.Cursor, e config.Elem) []config.Cursor {
	add := func(child config.Cursor) {
		if child.Node().Kind != config.List {
			out = append(out, child)
			return
		}
		for entry := range child.Children() {
			if fits(e, keysOf(entry)) {
				out = append(out, entry)
			}
		}
	}
	if e.Name != "*" {
		if child := below(c, e.Name); child.Valid() {
			add(child)
		}
		return out
	}
	for child := range c.Children() {
		add(child)
	}
	return out
}

// below is the child with a name; the list, for a list.
func below(c config.Cursor, name string) config.Cursor {
	if !c.Valid() {
		return c
	}
	id, ok := c.Tree().Schema().Child(c.ID(), name)
	if !ok {
		return config.Cursor{}
	}
	return c.Child(id)
}

// deep is the node at "match/prefix-set" below c.
func deep(c config.Cursor, path string) config.Cursor {
	for name := range strings.SplitSeq(path, "/") {
		c = below(c, name)
	}
	return c
}

// keysOf are the keys of an entry, by name.
func keysOf(entry config.Cursor) []config.KeyValue {
	var out []config.KeyValue
	for i, id := range entry.Node().Keys {
		out = append(out, config.KeyValue{Name: entry.Tree().Schema().Nodes[id].Name, Value: entry.Keys()[i]})
	}
	return out
}

// fits tells whether keys are as an element of a pattern wants them. A value may end in *.
func fits(e config.Elem, keys []config.KeyValue) bool {
	for _, want := range e.Keys {
		for _, k := range keys {
			if k.Name != want.Name {
				continue
			}
			if start, open := strings.CutSuffix(want.Value, "*"); k.Value != want.Value && (!open || !strings.HasPrefix(k.Value, start)) {
				return false
			}
		}
	}
	return true
}

// covers tells whether a pattern matches a path or something above it.
func covers(pattern, path config.Path) bool {
	if len(pattern) > len(path) {
		return false
	}
	for i, e := range pattern {
		if e.Name != "*" && e.Name != path[i].Name || !fits(e, path[i].Keys) {
			return false
		}
	}
	return true
}

// holder is the entry that a node lies in; the zero Cursor where it lies in none.
func holder(c config.Cursor) config.Cursor {
	for c = c.Parent(); c.Valid(); c = c.Parent() {
		if c.IsEntry() {
			return c
		}
	}
	return config.Cursor{}
}

// twin is the same node in another tree.
func twin(c config.Cursor, t *config.Tree) config.Cursor { return t.Find(c.Path()) }

// held tells whether what a node lies in is in another tree too.
func held(c config.Cursor, t *config.Tree) bool {
	h := holder(c)
	return !h.Valid() || twin(h, t).Valid()
}

// stays tells whether what a guard may go with is in another tree too.
func (s *search) stays(m driver.Meaning, c config.Cursor, t *config.Tree) bool {
	if m.With == "" {
		return held(c, t)
	}
	return t.Find(c.Path()[:len(s.path(m.With))]).Valid()
}

// values are those of a leaf or leaf-list, in its own order.
func values(c config.Cursor) []string {
	if !c.Valid() {
		return nil
	}
	if c.Node().Kind == config.Leaf {
		return []string{c.Value()}
	}
	var out []string
	for v := range c.Children() {
		out = append(out, v.Value())
	}
	return out
}
