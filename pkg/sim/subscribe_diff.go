package sim

import (
	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// leaves returns one update per leaf and leaf-list at and below the paths of some items.
func (sub *subscription) leaves(tree *config.Tree, items ...*item) []*gnmi.Update {
	var out []*gnmi.Update
	for _, it := range items {
		within(tree.Root(), it.path, func(c config.Cursor) {
			if sub.shows(it, c) {
				out = append(out, sub.leafUpdate(c, sub.list.GetEncoding()))
			}
		})
	}
	return out
}

// within calls f for each leaf and leaf-list below a node that a pattern, relative to it, covers.
func within(c config.Cursor, pattern config.Path, f func(config.Cursor)) {
	if kind := c.Node().Kind; kind == config.Leaf || kind == config.LeafList {
		if len(pattern) == 0 {
			f(c)
		}
		return
	}
	for child := range c.Children() {
		isList := child.Node().Kind == config.List && !child.IsEntry()
		switch {
		case len(pattern) == 0 || isList:
			within(child, pattern, f)
		case child.IsEntry() && matches(elemOf(child), pattern[0]), !child.IsEntry() && matches(config.Elem{Name: child.Node().Name}, pattern[0]):
			within(child, pattern[1:], f)
		}
	}
}

// changes returns what the subscriber has to be told when one tree follows another: of the items that
// are sent on change.
func (sub *subscription) changes(before, after *config.Tree) (updates []*gnmi.Update, deletes []*gnmi.Path) {
	told := map[string]bool{}
	tell := func(c config.Cursor) {
		path := c.Path()
		if key := path.String(); !told[key] && sub.wants(path, c) {
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
			} else if sub.wants(change.At, before.Find(change.At)) {
				deletes = append(deletes, change.At.GNMI())
			}
		case change.Op == config.Delete:
			deletes = append(deletes, sub.gone(change.From)...)
		case change.Op == config.Reorder && change.To.Node().Kind == config.List:
			// gNMI has no way to tell the order of a list's entries.
		default:
			within(change.To, nil, tell)
		}
	}
	return updates, deletes
}

// wants tells whether one of the items that are sent on change covers a leaf.
func (sub *subscription) wants(path config.Path, leaf config.Cursor) bool {
	for _, it := range sub.items {
		if it.change && below(path, it.path) && sub.shows(it, leaf) {
			return true
		}
	}
	return false
}

// gone returns what to tell about a deleted node: the node itself where the subscriber sees all of it, else
// the leaves below it that it sees.
func (sub *subscription) gone(c config.Cursor) []*gnmi.Path {
	path := c.Path()
	for _, it := range sub.items {
		if it.change && it.only == nil && sub.depth == 0 && sub.modules == nil && below(path, it.path) {
			return []*gnmi.Path{path.GNMI()}
		}
	}
	var out []*gnmi.Path
	within(c, nil, func(leaf config.Cursor) {
		if path := leaf.Path(); sub.wants(path, leaf) {
			out = append(out, path.GNMI())
		}
	})
	return out
}
