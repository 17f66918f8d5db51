package sim

import (
	"iter"
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// leaves returns one update per leaf and leaf-list at and below the paths of some items.
func (sub *subscription) leaves(tree *config.Tree, items ...*item) []*gnmi.Update {
	var out []*gnmi.Update
	for _, it := range items {
		selected(it.path, sub.depth).leaves(tree.Root(), func(c config.Cursor) {
			if sub.shows(it, c) {
				out = append(out, sub.leafUpdate(c, sub.list.GetEncoding()))
			}
		})
	}
	return out
}

// changes returns what the subscriber has to be told when one tree follows another: of the items that
// are sent on change.
func (sub *subscription) changes(before, after *config.Tree) (updates []*gnmi.Update, deletes []*gnmi.Path) {
	told, dropped := map[string]bool{}, []config.Path(nil)
	tell := func(c config.Cursor) {
		path := c.Path()
		if key := path.String(); !told[key] && sub.wants(c) {
			told[key] = true
			updates = append(updates, sub.leafUpdate(c, sub.list.GetEncoding()))
		}
	}
	for _, change := range config.Diff(before, after) {
		switch {
		case change.From.Valid() && change.From.IsValue() || change.To.Valid() && change.To.IsValue():
			// A leaf-list is told as a whole.
			if c := after.Find(change.At); c.Valid() {
				tell(c)
			} else if sub.wants(before.Find(change.At)) {
				deletes = append(deletes, change.At.GNMI())
			}
		case change.Op == config.Delete:
			dropped = append(dropped, change.At)
			deletes = append(deletes, sub.gone(change.From)...)
		case change.Op == config.Reorder && change.To.Node().Kind == config.List:
			// gNMI has no way to tell the order of a list's entries.
		default:
			selected(nil, 0).leaves(change.To, tell)
		}
	}
	if !sub.defaults {
		return updates, deletes
	}
	for c := range onlyDefaults(after, before) {
		tell(c)
	}
	for c := range onlyDefaults(before, after) {
		path := c.Path()
		if sub.wants(c) && !slices.ContainsFunc(dropped, func(d config.Path) bool { return below(path, d) }) {
			deletes = append(deletes, path.GNMI())
		}
	}
	return updates, deletes
}

// onlyDefaults yields the leaves of a tree that have their defaults and are not in another one. To config.Diff, which
// compares what trees mean, they make no difference.
func onlyDefaults(t, other *config.Tree) iter.Seq[config.Cursor] {
	return func(yield func(config.Cursor) bool) {
		for c := range t.All() {
			if isLeaf(c) && !c.IsValue() && c.IsDefault() && !other.Find(c.Path()).Valid() && !yield(c) {
				return
			}
		}
	}
}

// wants tells whether one of the items that are sent on change covers a leaf.
func (sub *subscription) wants(leaf config.Cursor) bool {
	for _, it := range sub.items {
		if it.change && selected(it.path, sub.depth).holds(leaf.Path()) && sub.shows(it, leaf) {
			return true
		}
	}
	return false
}

// holds tells whether the leaf at a path is selected.
func (s selection) holds(path config.Path) bool {
	for i, e := range path {
		switch {
		case !s.rest.all():
			s.rest = s.rest.after(e)
		case s.levels > 0 && i < len(path)-1:
			if s.levels--; s.levels == 0 {
				return false
			}
		}
	}
	return s.rest.all()
}

// gone returns what to tell about a deleted node: the node itself where the subscriber sees all of it, else
// the leaves below it that it sees.
func (sub *subscription) gone(c config.Cursor) []*gnmi.Path {
	path := c.Path()
	for _, it := range sub.items {
		if it.change && it.only == nil && !sub.partial && below(path, it.path) {
			return []*gnmi.Path{path.GNMI()}
		}
	}
	var out []*gnmi.Path
	selected(nil, 0).leaves(c, func(leaf config.Cursor) {
		if sub.wants(leaf) {
			out = append(out, leaf.Path().GNMI())
		}
	})
	return out
}
