package config

import (
	"slices"
	"strings"
	"sync/atomic"
)

// ID names one schema node of one Schema: an index into Schema.Nodes. Generated constants under
// models/ carry these numbers, so that a path in a renderer is checked by the compiler. 0 is the root.
type ID uint16

// Root is the ID of the unnamed root container of every schema.
const Root ID = 0

// Kind is what a schema node is (RFC 7950 §7.5 to §7.8).
type Kind uint8

// The kinds of schema nodes.
const (
	Container Kind = iota // a container that means nothing by itself
	Presence              // a container whose existence is data (RFC 7950 §7.5.1)
	List                  // a keyed list
	Leaf                  // one value
	LeafList              // a list of values
)

// Releases is a set of releases of one schema: bit i stands for Schema.Releases[i].
type Releases uint8

// Has tells whether release number r is in the set.
func (s Releases) Has(r int) bool { return s&(1<<r) != 0 }

// Node is one schema node.
type Node struct {
	Name        string   // local name, without prefix
	Parent      ID       // 0 for top-level nodes
	Module      uint8    // index into Schema.Modules: the module whose namespace the node has
	Kind        Kind     //
	State       bool     // config false
	UserOrdered bool     // ordered-by user: the order of entries is data
	Mandatory   bool     //
	HasDefault  bool     //
	Default     string   // canonical text, where HasDefault; of a leaf-list, its values with spaces between them
	In          Releases // releases that have the node
	Type        uint16   // index into Schema.Types, of leaves and leaf-lists
	Keys        []ID     // key leaves of a list, in the order of its key statement
	Children    []ID     // in schema order, keys first
	MaxElements uint32   // of lists and leaf-lists; 0: unbounded
	Secret      bool     // nobody is shown the value (see Cursor.Shown); errors do not name it
}

// Base is a YANG built-in type (RFC 7950 §4.2.4).
type Base uint8

// The built-in types that the schema tables use.
const (
	String Base = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Decimal64
	Enumeration
	Identityref
	Leafref // Members[0] is the type of the target
	Union   // Members in the order of the union
	Empty
	Binary
)

// Range is an inclusive interval of a numeric value or of a length. Decimal64 values are scaled by 10^FractionDigits.
type Range struct{ Min, Max int64 }

// Enum is one value of an enumeration, or one identity of an identityref.
type Enum struct {
	Name   string   // local name
	Module uint8    // of identities: index into Schema.Modules
	In     Releases // releases that have it
}

// Type is a resolved type: typedefs are flattened, leafrefs point at their target's type.
type Type struct {
	Name     string   // the typedef or built-in name, for messages
	Base     Base     //
	Fraction uint8    // fraction digits of a decimal64
	Max64    bool     // the last range's upper bound is the maximum of uint64, which Range cannot hold
	Range    []Range  // of the value; empty: the built-in's own
	Length   []Range  // of a string or binary; empty: any
	Patterns []string // XSD patterns (RFC 7950 §9.4.5), each already translated to an anchored Go regexp
	Enums    []Enum   // of enumerations and identityrefs
	Members  []uint16 // of unions and leafrefs: indices into Schema.Types
	Target   string   // of leafrefs: the absolute schema path it points at ("/interface/name"), "" if it is unknown or need not be there
}

// Model is a module as the operating system publishes it; name, organization and version identify one (gNMI
// specification 2.6.1).
type Model struct {
	Name         string   // as Capabilities tells it: "urn:nokia.com:srlinux:bgp:bgp:srl_nokia-bgp"
	Organization string   // "Nokia"
	Versions     []string // "2025-03-31": its revision in each of Schema.Releases; "" in a release that lacks it
}

// ModuleOf returns the module that a model is, by the name of the model and without what operating systems put before it.
func ModuleOf(model string) string { return model[strings.LastIndexAny(model, ":/")+1:] }

// Schema is the set of nodes that one operating system's profile knows, over all its releases.
// It is generated from YANG under models/ and never changes at run time.
type Schema struct {
	OS       string   // "srlinux"
	Releases []string // "24.10", "25.3": oldest first; at most 8
	Modules  []string // module names
	Models   []Model  // what Capabilities lists, by module
	Nodes    []Node   // Nodes[0] is the root
	Types    []Type   //

	derived atomic.Pointer[index] // what lookups need, made at first use
}

// Release returns the index of a release in s.Releases, or -1 where the schema does not know it.
func (s *Schema) Release(name string) int { return slices.Index(s.Releases, name) }

// Child returns the child of parent with the given local name, in any module; ok is false where there is none.
// Sibling nodes of a profile never share a local name.
func (s *Schema) Child(parent ID, name string) (id ID, ok bool) {
	for _, c := range s.Nodes[parent].Children {
		if s.Nodes[c].Name == name {
			return c, true
		}
	}
	return 0, false
}

// Path returns the schema path of a node without keys: "/interface/subinterface/index".
func (s *Schema) Path(id ID) string {
	if id == Root {
		return "/"
	}
	p := ""
	for ; id != Root; id = s.Nodes[id].Parent {
		p = "/" + s.Nodes[id].Name + p
	}
	return p
}
