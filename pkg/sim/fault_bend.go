package sim

import (
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// bender makes another configuration of the one that a Set asks for. What it returns with an error runs too.
type bender func(before, after configuration) (configuration, error)

// benders returns what the active faults make of a Set, the first injected first: each sees what the one before
// has left.
func (b *book) benders(d *Device, req *gnmi.SetRequest) []bender {
	var out []bender
	for _, f := range b.of(d, func(k *Kind) bool { return k.bend != nil }) {
		if f.concerns(req) {
			out = append(out, func(before, after configuration) (configuration, error) { return f.kind.bend(f, req, before, after) })
		}
	}
	return out
}

// bent returns what faults make of a configuration. A fault that answers an error leaves its mark: it runs what it
// has made, beside any commit and without saving. The caller holds mu.
func (d *Device) bent(after configuration, bends []bender) (configuration, error) {
	for _, bend := range bends {
		var err error
		if after, err = bend(d.running, after); err != nil {
			if after.tree() != d.running.tree() {
				d.run(after)
			}
			return configuration{}, err
		}
	}
	return after, nil
}

// halve breaks what gNMI promises first: that a Set is one transaction (§3.4.3).
func halve(f *injected, req *gnmi.SetRequest, before, after configuration) (configuration, error) {
	if !f.strike() {
		return after, nil
	}
	defer f.release()
	return f.part(req, before, after), f.refusal()
}

// part returns how far a device comes that gives up: the first Count operations in their order (§3.4.2), or half of them.
// Of a single operation, and of a union_replace, which is one, it is that many of the leaves that change. Where those
// alone make no valid configuration it comes less far.
func (f *injected) part(req *gnmi.SetRequest, before, after configuration) configuration {
	byLeaf := operations(req) == 1 || len(req.GetUnionReplace()) > 0
	if byLeaf {
		req = leafwise(before.tree(), after.tree())
	}
	n := (operations(req) + 1) / 2
	if f.Count > 0 {
		n = min(f.Count, operations(req))
	}
	for ; n > 0; n-- {
		if c, err := before.apply(first(req, n)); err == nil {
			return c
		}
	}
	return before
}

// first returns a request with the first operations of another, in the order in which they are done (§3.4.2),
// and without extensions: whoever needs those has read them.
func first(req *gnmi.SetRequest, n int) *gnmi.SetRequest {
	out := &gnmi.SetRequest{Prefix: req.GetPrefix()}
	out.Delete, n = upTo(req.GetDelete(), n)
	out.Replace, n = upTo(req.GetReplace(), n)
	out.Update, _ = upTo(req.GetUpdate(), n)
	return out
}

// leafwise returns a request that makes one tree of another with one operation for each leaf.
func leafwise(before, after *config.Tree) *gnmi.SetRequest {
	out := &gnmi.SetRequest{}
	for _, leaf := range changing(before, after) {
		one := restore(leaf, after)
		if len(one.GetUpdate()) == 0 {
			out.Delete = append(out.Delete, one.GetDelete()...)
		}
		out.Replace = append(out.Replace, one.GetUpdate()...)
	}
	return out
}

// upTo returns at most n of a list, and how many of the n are left.
func upTo[T any](list []T, n int) ([]T, int) {
	k := min(len(list), n)
	return list[:k], n - k
}

// ignoreLeaf lets one leaf, or leaf-list, stay as it was. A Set that changes none that could is not struck.
func ignoreLeaf(f *injected, _ *gnmi.SetRequest, before, after configuration) (configuration, error) {
	all := changing(before.tree(), after.tree())
	if f.Path != "" {
		all = slices.DeleteFunc(all, func(leaf config.Path) bool { return !leaf.Equal(pathOf(f.Path)) })
	}
	for len(all) > 0 {
		i := f.pick(len(all))
		tree, err := config.Apply(after.tree(), restore(all[i], before.tree()))
		if err != nil { // the configuration cannot be with this leaf as it was
			all = slices.Delete(all, i, i+1)
			continue
		}
		if !f.strike() {
			return after, nil
		}
		f.release()
		return configured(tree, after.unknown), nil
	}
	return after, nil
}

// changing returns the leaves and leaf-lists that differ between two trees.
func changing(before, after *config.Tree) []config.Path {
	var all []config.Path
	seen := map[string]bool{}
	for _, c := range config.Diff(before, after) {
		for _, leaf := range append(leavesBelow(c.From), leavesBelow(c.To)...) {
			if name := leaf.String(); !seen[name] {
				seen[name], all = true, append(all, leaf)
			}
		}
	}
	return all
}

// leavesBelow returns the leaves and leaf-lists at and below a node, but for keys.
func leavesBelow(c config.Cursor) []config.Path {
	switch {
	case !c.Valid() || c.IsKey():
		return nil
	case c.IsValue():
		return []config.Path{c.Parent().Path()}
	case c.IsLeaf() || c.Node().Kind == config.LeafList:
		return []config.Path{c.Path()}
	}
	var out []config.Path
	for child := range c.Children() {
		out = append(out, leavesBelow(child)...)
	}
	return out
}

// restore returns a request that makes a leaf or leaf-list what it is in a tree, or deletes it where it is not there.
func restore(leaf config.Path, from *config.Tree) *gnmi.SetRequest {
	req := &gnmi.SetRequest{Delete: []*gnmi.Path{leaf.GNMI()}}
	if c := from.Find(leaf); c.Valid() {
		req.Update = []*gnmi.Update{update(leaf, c.AppendJSON(nil))}
	}
	return req
}

// normalise makes a value what the device would rather have. A Set that does not speak of the leaf is not struck.
func normalise(f *injected, req *gnmi.SetRequest, _, after configuration) (configuration, error) {
	leaf := pathOf(f.Path)
	if !after.tree().Find(leaf).Valid() || !writes(after.tree(), req, leaf) || !f.strike() {
		return after, nil
	}
	defer f.release()
	tree, err := config.Apply(after.tree(), assign(leaf, f.Value))
	if err != nil { // nothing else of the configuration lets it be so
		f.complain(err)
		return after, nil
	}
	return configured(tree, after.unknown), nil
}

// writes tells whether a Set gives a leaf a value, be it the one that it has.
func writes(t *config.Tree, req *gnmi.SetRequest, leaf config.Path) bool {
	a := acceptor{t, req.GetPrefix()}
	for _, list := range [][]*gnmi.Update{req.GetReplace(), req.GetUpdate(), req.GetUnionReplace()} {
		for _, u := range list {
			at, err := a.path(u.GetPath())
			if err != nil || !leaf.HasPrefix(at) {
				continue
			}
			json := u.GetVal().GetJsonIetfVal()
			said, _, err := config.Parse(t.Schema(), t.Release(), json, config.ParseOptions{At: at})
			if json == nil && leaf.Equal(at) || err == nil && said.Find(leaf).Valid() {
				return true
			}
		}
	}
	return false
}
