package sim

import (
	"slices"

	"github.com/loomfabric/loom/pkg/config"
)

// withDefaults returns a tree with the defaults that are in use, see config.Builder.
func withDefaults(t *config.Tree) *config.Tree {
	return rebuilt(t, func(b *config.Builder) {
		b.Load(t)
		b.Defaults()
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
