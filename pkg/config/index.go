package config

import (
	"math/bits"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// index is what is derived from a schema at first use, so that no lookup walks its tables.
type index struct {
	schema    *Schema
	byName    map[nameKey]ID
	pos       []uint16   // place among the siblings, by ID
	local     []string   // `"name":`
	qualified []string   // `"module:name":`
	label     []string   // the form that RFC 7951 §4 wants below the parent
	isKey     []bool     //
	refers    []ID       // the leaf that a leafref points at; 0: none, or not in this profile
	referred  []bool     // some leafref points at it
	mandatory [][]ID     // mandatory children
	defaulted [][]ID     // children that Builder.Defaults may set, by ID of the parent
	defaults  []handle   // the default of leaves that have one, else the zero handle
	rows      [][]handle // the default values of leaf-lists that have them, in canonical order
	patterns  []compiled // by type
	memo      [memoSize]atomic.Pointer[checked]
}

type nameKey struct {
	parent ID
	name   string
}

type compiled struct {
	res atomic.Pointer[[]*regexp.Regexp]
}

// index returns the derived tables. Two goroutines may both make them; one copy wins.
func (s *Schema) index() *index {
	if x := s.derived.Load(); x != nil {
		return x
	}
	s.derived.CompareAndSwap(nil, newIndex(s))
	return s.derived.Load()
}

func newIndex(s *Schema) *index {
	n := len(s.Nodes)
	x := &index{
		schema: s, byName: make(map[nameKey]ID, n), pos: make([]uint16, n), local: make([]string, n),
		qualified: make([]string, n), label: make([]string, n), isKey: make([]bool, n), refers: make([]ID, n),
		referred: make([]bool, n), mandatory: make([][]ID, n), defaulted: make([][]ID, n), defaults: make([]handle, n), rows: make([][]handle, n),
		patterns: make([]compiled, len(s.Types)),
	}
	for i := range s.Nodes {
		x.addChildren(ID(i))
	}
	for i := range s.Nodes {
		x.addLeaf(ID(i))
	}
	return x
}

// addChildren derives what depends on a node's place below its parent.
func (x *index) addChildren(parent ID) {
	s := x.schema
	p := &s.Nodes[parent]
	for i, id := range p.Children {
		c := &s.Nodes[id]
		x.byName[nameKey{parent, c.Name}] = id
		x.pos[id] = uint16(i)
		x.local[id] = `"` + c.Name + `":`
		x.qualified[id] = `"` + s.Modules[c.Module] + `:` + c.Name + `":`
		x.label[id] = x.local[id]
		if parent == Root || c.Module != p.Module {
			x.label[id] = x.qualified[id]
		}
		if c.Mandatory && !c.State {
			x.mandatory[parent] = append(x.mandatory[parent], id)
		}
		if c.HasDefault && !c.State && s.Types[c.Type].Base != Leafref {
			x.defaulted[parent] = append(x.defaulted[parent], id)
		}
	}
	for _, k := range p.Keys {
		x.isKey[k] = true
	}
}

// addLeaf derives defaults and references, once all names are known.
func (x *index) addLeaf(id ID) {
	n := &x.schema.Nodes[id]
	if n.Kind != Leaf && n.Kind != LeafList {
		return
	}
	switch {
	case !n.HasDefault || x.isKey[id]: // a key's default is ignored: RFC 7950 §7.8.2
	case n.Kind == LeafList:
		x.rows[id] = x.defaultRow(id)
	default:
		x.defaults[id] = x.defaultValue(id, n.Default)
	}
	if t := &x.schema.Types[n.Type]; t.Base == Leafref && t.Target != "" {
		if target, ok := x.schemaPath(t.Target); ok {
			x.refers[id], x.referred[target] = target, true
		}
	}
}

// defaultValue is a default in canonical form, even if the table has it in another.
func (x *index) defaultValue(id ID, text string) handle {
	if v, err := x.check(x.schema.Nodes[id].Type, x.newest(id), text); err == nil {
		return v.text
	}
	return newText(text)
}

// defaultRow are the default values of a leaf-list, in canonical order.
func (x *index) defaultRow(id ID) []handle {
	n := &x.schema.Nodes[id]
	var row []handle
	for _, text := range strings.Fields(n.Default) {
		row = append(row, x.defaultValue(id, text))
	}
	if !n.UserOrdered {
		slices.SortFunc(row, func(a, b handle) int { return compareNatural(a.Value(), b.Value()) })
	}
	return row
}

// newest returns the newest release that has the node.
func (x *index) newest(id ID) int {
	return max(0, bits.Len8(uint8(x.schema.Nodes[id].In))-1)
}

// schemaPath finds a node by its path without keys.
func (x *index) schemaPath(p string) (ID, bool) {
	path, err := ParsePath(p)
	id := Root
	for _, e := range path {
		next, ok := x.byName[nameKey{id, e.Name}]
		if !ok {
			return 0, false
		}
		id = next
	}
	return id, err == nil && id != Root
}

// child finds a child by name where the release has it.
func (x *index) child(parent ID, name string, release int) (ID, bool) {
	id, ok := x.byName[nameKey{parent, name}]
	return id, ok && x.schema.Nodes[id].In.Has(release)
}

// options lists what a node can hold in a release, in schema order.
func (x *index) options(parent ID, release int) []string {
	var names []string
	for _, id := range x.schema.Nodes[parent].Children {
		if n := &x.schema.Nodes[id]; n.In.Has(release) {
			names = append(names, n.Name)
		}
	}
	return names
}

// key returns which key of the list a leaf is.
func (x *index) key(list, leaf ID) int { return slices.Index(x.schema.Nodes[list].Keys, leaf) }
