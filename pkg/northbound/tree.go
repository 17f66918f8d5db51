package northbound

import (
	"maps"
	"slices"
	"strings"

	"github.com/openconfig/gnmi/proto/gnmi"
)

// node is one step of the paths at which a feed has values. A value may have others below it: an empty JSON object, and what is
// put into it later.
type node struct {
	elem     *gnmi.PathElem
	up       *node
	children map[string]*node // by step
	leaf     *leaf            // nil: no value here
}

// leaf is one value of a feed.
type leaf struct {
	feed   *Feed
	node   *node // nil: nothing will come here again
	origin string
	path   *gnmi.Path // whole, without origin

	at      int64              // time of the device, ns since 1970
	update  *gnmi.Update       // nil with all
	all     *gnmi.Notification // what is below the path, as it was told at once (gNMI specification §2.1.1); nil: a value by itself
	gone    bool
	heard   int   // by which subscription to the device
	waiting int   // queues that it is in
	size    int64 // bytes, about
}

// step writes an element of a path, its keys in order.
func step(e *gnmi.PathElem) string {
	switch len(e.GetKey()) {
	case 0:
		return e.GetName()
	case 1:
		for k, v := range e.GetKey() {
			return e.GetName() + "[" + k + "=" + escaped(v) + "]"
		}
	}
	var b strings.Builder
	b.WriteString(e.GetName())
	for _, k := range slices.Sorted(maps.Keys(e.GetKey())) {
		b.WriteString("[" + k + "=" + escaped(e.GetKey()[k]) + "]")
	}
	return b.String()
}

func escaped(value string) string {
	if !strings.ContainsAny(value, `]\`) {
		return value
	}
	return strings.NewReplacer(`\`, `\\`, `]`, `\]`).Replace(value)
}

// child is the node one step below, which is made where there is none.
func (n *node) child(e *gnmi.PathElem) *node {
	key := step(e)
	c := n.children[key]
	if c == nil {
		if n.children == nil {
			n.children = map[string]*node{}
		}
		c = &node{elem: e, up: n}
		n.children[key] = c
	}
	return c
}

// path is the way to a node. Its elements are shared.
func (n *node) path() *gnmi.Path {
	out := &gnmi.Path{}
	for ; n.up != nil; n = n.up {
		out.Elem = append(out.Elem, n.elem)
	}
	slices.Reverse(out.Elem)
	return out
}

// each calls do with all leaves at and below a node, those above first, in the order of their paths.
func (n *node) each(do func(*leaf)) {
	if n.leaf != nil {
		do(n.leaf)
	}
	for _, key := range slices.Sorted(maps.Keys(n.children)) {
		n.children[key].each(do)
	}
}

// find calls do with the nodes that a path of a device means, wildcards and keys that are left out included.
func (n *node) find(path []*gnmi.PathElem, do func(*node)) {
	if len(path) == 0 {
		do(n)
		return
	}
	if c := n.children[step(path[0])]; c != nil {
		c.find(path[1:], do)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(n.children)) {
		if c := n.children[key]; covers(path[0], c.elem) {
			c.find(path[1:], do)
		}
	}
}

// covers tells whether an element of a path means another one.
func covers(wanted, e *gnmi.PathElem) bool {
	if wanted.GetName() != "*" && wanted.GetName() != e.GetName() {
		return false
	}
	for k, v := range wanted.GetKey() {
		if v != "*" && v != e.GetKey()[k] {
			return false
		}
	}
	return true
}

// Covers tells whether something at a path is at or below what a subscription asks for (gNMI specification §2.4.2).
func Covers(wanted, path *gnmi.Path) bool {
	if wanted.GetOrigin() != path.GetOrigin() || len(wanted.GetElem()) > len(path.GetElem()) {
		return false
	}
	for i, e := range wanted.GetElem() {
		if !covers(e, path.GetElem()[i]) {
			return false
		}
	}
	return true
}

// prune forgets a node that has nothing, and those above that then have nothing.
func (n *node) prune() {
	for n.up != nil && n.leaf == nil && len(n.children) == 0 {
		delete(n.up.children, step(n.elem))
		n = n.up
	}
}
