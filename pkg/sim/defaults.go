package sim

import (
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
)

// withDefaults returns a tree with the defaults that are in use (RFC 7950 §7.6.1): those of leaves that are absent
// from a node that is there. The schema knows neither when nor choice, so a container that is absent stays so: its
// defaults may belong to another kind of interface.
func withDefaults(t *config.Tree) *config.Tree {
	return rebuilt(t, func(b *config.Builder) {
		release := t.Schema().Release(t.Release())
		copyInto(b, t)
		for c := range t.All() {
			if !isLeaf(c) && !isList(c) {
				addDefaults(b, c, release)
			}
		}
	})
}

// withoutDefaults returns a tree without the leaves that are set to their defaults.
func withoutDefaults(t *config.Tree) *config.Tree {
	return rebuilt(t, func(b *config.Builder) {
		for c := range t.All() {
			switch {
			case c.IsValue(), c.IsDefault(): // values are set with their leaf-list
			case c.Node().Kind == config.LeafList:
				for v := range c.Children() {
					setIn(b, v)
				}
			default:
				setIn(b, c)
			}
		}
	})
}

// rebuilt returns what is made of a tree, the tree itself where that would not be valid.
func rebuilt(t *config.Tree, fill func(*config.Builder)) *config.Tree {
	b, err := config.NewBuilder(t.Schema(), t.Release())
	if err != nil {
		panic(err) // the tree has the release
	}
	fill(b)
	out, err := b.Tree()
	if err != nil {
		return t
	}
	return out
}

// leadToDefault tells whether one of some paths may name a leaf with a default, or have one below it.
func (d *Device) leadToDefault(paths []config.Path) bool {
	s := d.spec.Driver.Schema
	release := s.Release(d.spec.Release)
	return slices.ContainsFunc(paths, func(p config.Path) bool { return leadsToDefault(s, release, p) })
}

// leadsToDefault tells whether a node that a path may name, or one below it, is a leaf with a default.
func leadsToDefault(s *config.Schema, release int, p config.Path) bool {
	at := []config.ID{config.Root}
	for _, e := range p {
		at = step(s, release, at, e)
	}
	return slices.ContainsFunc(step(s, release, at, config.Elem{Name: anyLevels}), func(id config.ID) bool {
		return s.Nodes[id].HasDefault && !s.Nodes[id].State
	})
}

// addDefaults sets the leaves and leaf-lists of a container or entry that are absent and have a default
// which the release knows.
func addDefaults(b *config.Builder, c config.Cursor, release int) {
	s := c.Tree().Schema()
	for _, id := range s.Nodes[c.ID()].Children {
		n := s.Nodes[id]
		if !n.HasDefault || n.State || !n.In.Has(release) || c.Child(id).Valid() || s.Types[n.Type].Base == config.Leafref {
			continue
		}
		values := []string{n.Default}
		if n.Kind == config.LeafList {
			values = strings.Fields(n.Default)
		}
		for _, v := range values {
			if _, err := s.Canonical(id, release, v); err == nil {
				b.SetPath(c.Path().Child(n.Name), v)
			}
		}
	}
}
