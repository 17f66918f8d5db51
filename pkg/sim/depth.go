package sim

import (
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// extended tells whether the release has the gNMI extensions commit confirmed, depth and configuration
// subscription, which came together (srl_nokia-features.yang, gnmi-extensions). A release that does not
// have them sees unknown fields, and ignores them.
func (d *Device) extended() bool {
	confirm := d.spec.Driver.Manners.Confirm
	return confirm != nil && confirm(d.release())
}

// depthOf returns how many levels of what a Get or Subscribe asks for it wants to see; 0 means all (gNMI
// depth extension 0.1.0, §3.1).
func (d *Device) depthOf(extensions []*gnmi_ext.Extension) int {
	if !d.extended() {
		return 0
	}
	for _, e := range extensions {
		if depth := e.GetDepth(); depth != nil {
			return int(depth.GetLevel())
		}
	}
	return 0
}

// refuseDepth refuses the depth extension where it has no meaning: in Capabilities and Set (§3.3).
func (d *Device) refuseDepth(extensions []*gnmi_ext.Extension) error {
	for _, e := range extensions {
		if e.GetDepth() != nil && d.extended() {
			return status.Error(codes.InvalidArgument, "the depth extension is for Get and Subscribe")
		}
	}
	return nil
}

// selection is what a request selects at and below a node.
type selection struct {
	rest   pattern // still to be matched
	levels int     // how many levels below what is matched; 0: all
}

// selected returns what a path selects below the root.
func selected(path config.Path, levels int) selection { return selection{patternOf(path), levels} }

// into returns what is selected at and below a child of the node; ok is false where nothing is. The
// children of a list's parent are its entries. Leaves and leaf-lists belong to the level of the node that
// has them (depth extension §3.2).
func (s selection) into(child config.Cursor) (sub selection, ok bool) {
	switch {
	case !s.rest.all():
		s.rest = s.rest.after(elemOf(child))
		return s, len(s.rest) > 0
	case s.levels == 0 || isLeaf(child):
		return s, true
	}
	s.levels--
	return s, s.levels > 0
}

// leaves calls f for each leaf and leaf-list that is selected at and below a node, in document order.
func (s selection) leaves(c config.Cursor, f func(config.Cursor)) {
	if isLeaf(c) {
		if s.rest.all() {
			f(c)
		}
		return
	}
	for child := range c.Children() {
		if isList(child) {
			s.leaves(child, f) // the list itself is no level
		} else if sub, ok := s.into(child); ok {
			sub.leaves(child, f)
		}
	}
}

// isLeaf tells whether a node is a leaf or a leaf-list.
func isLeaf(c config.Cursor) bool {
	return c.Node().Kind == config.Leaf || c.Node().Kind == config.LeafList
}

// isList tells whether a node is a list, rather than one of its entries.
func isList(c config.Cursor) bool { return c.Node().Kind == config.List && !c.IsEntry() }

// elemOf returns the path element of a node.
func elemOf(c config.Cursor) config.Elem {
	s, n := c.Tree().Schema(), c.Node()
	e := config.Elem{Name: n.Name}
	for i, v := range c.Keys() {
		e.Keys = append(e.Keys, config.KeyValue{Name: s.Nodes[n.Keys[i]].Name, Value: v})
	}
	return e
}
