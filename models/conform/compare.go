package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/gen/profile"
	"github.com/loomfabric/loom/pkg/config"
)

// A report is what one comparison found.
type report struct {
	nodes       int
	differences []string
	leftOut     int // enum values and identities that the vendor has and the profile does not
	gated       int // what the profile says is absent and the vendor's model has behind a feature
}

func (r *report) add(o report) {
	r.nodes += o.nodes
	r.differences = append(r.differences, o.differences...)
	r.leftOut += o.leftOut
	r.gated += o.gated
}

// comparison is of one release.
type comparison struct {
	report
	release int  // index among the profile's releases
	last    bool // no later release
	known   bool // the vendor's tree was read with the features of platforms
	path    string
}

// compare checks every node of ours against the vendor's tree of one release.
func compare(ours, theirs *profile.Node, release int, last, known bool) report {
	c := &comparison{release: release, last: last, known: known}
	c.children(ours, theirs)
	return c.report
}

// compareModules checks what our modules say of themselves against the vendor's of one release.
func compareModules(ours, theirs []profile.Module, release int) []string {
	c := &comparison{}
	for _, m := range ours {
		c.path = m.Name
		i := slices.IndexFunc(theirs, func(t profile.Module) bool { return t.Name == m.Name })
		switch here := m.Versions[release] != ""; {
		case i < 0 && here:
			c.say("the module is here, not there")
		case i >= 0 && !here:
			c.say("the module is not here, but there")
		case i >= 0:
			c.differ("namespace", m.Namespace, theirs[i].Namespace)
			c.differ("organization", m.Organization, theirs[i].Organization)
			c.differ("version", m.Versions[release], theirs[i].Versions[0]) // the vendor's source is one release
		}
	}
	return c.differences
}

func (c *comparison) say(format string, args ...any) {
	c.differences = append(c.differences, c.path+": "+fmt.Sprintf(format, args...))
}

// differ reports two values that should be the same.
func (c *comparison) differ(what string, here, there any) {
	if h, t := fmt.Sprint(here), fmt.Sprint(there); h != t {
		c.say("%s %s here, %s there", what, orNone(h), orNone(t))
	}
}

func orNone(s string) string {
	if s == "" || s == "[]" || s == "0" {
		return "none"
	}
	return s
}

func (c *comparison) children(ours, theirs *profile.Node) {
	for _, n := range ours.Children {
		c.path = n.Path()
		t := theirs.Child(n.Name)
		if !n.In.Has(c.release) {
			c.absent(t)
			continue
		}
		c.nodes++
		switch {
		case t == nil:
			c.say("the node is here, not there")
		case t.In == 0:
			c.say("the node is here, but no platform has it")
		default:
			c.node(n, t)
			c.children(n, t)
		}
	}
}

// absent checks that the vendor lacks what the profile says a release lacks. That a feature guards it is enough
// where it is not known which platforms have the feature.
func (c *comparison) absent(t *profile.Node) {
	switch {
	case t == nil:
	case c.exists(t.In):
		c.say("the node is not here, but there")
	default:
		c.gated++
	}
}

// exists tells whether a platform is known to have a thing. Without lists of features that is only so where no feature
// guards it.
func (c *comparison) exists(in config.Releases) bool {
	return in&certain != 0 || c.known && in != 0
}

func (c *comparison) node(n, t *profile.Node) {
	c.differ("kind", kinds[n.Kind], kinds[t.Kind])
	c.differ("module", n.Module, t.Module)
	c.differ("namespace", n.Namespace, t.Namespace)
	c.differ("state", n.State, t.State)
	c.differ("mandatory", n.Mandatory, t.Mandatory)
	c.differ("default", strings.Join(n.Defaults, " "), strings.Join(t.Defaults, " "))
	c.differ("key", strings.Join(n.Keys, " "), strings.Join(t.Keys, " "))
	c.differ("user order", n.UserOrdered, t.UserOrdered)
	c.differ("max-elements", n.MaxElements, t.MaxElements)
	if n.Type != nil && t.Type != nil {
		c.types(n.Type, t.Type)
	}
}

func (c *comparison) types(n, t *profile.Type) {
	if n.Base != t.Base {
		c.differ("type", bases[n.Base], bases[t.Base])
		return
	}
	c.differ("fraction digits", n.Fraction, t.Fraction)
	c.differ("range", intervals(n.Range, n.Max64), intervals(t.Range, t.Max64))
	c.differ("length", intervals(c.length(n), false), intervals(t.Length, false))
	c.differ("patterns", c.patterns(n, func(in config.Releases) bool { return in.Has(c.release) }),
		c.patterns(t, func(in config.Releases) bool { return in != 0 }))
	c.enums(n, t)
	if n.Base == config.Leafref {
		c.differ("leafref", n.Target, t.Target)
		return
	}
	if len(n.Members) != len(t.Members) {
		c.differ("union members", len(n.Members), len(t.Members))
		return
	}
	for i := range n.Members {
		c.types(n.Members[i], t.Members[i])
	}
}

func (c *comparison) length(n *profile.Type) []config.Range {
	if n.HasWas && !c.last {
		return n.Was
	}
	return n.Length
}

// patterns lists the patterns of a type in this release, sorted; order does not matter (RFC 7950 §9.4.5).
func (c *comparison) patterns(t *profile.Type, in func(config.Releases) bool) string {
	var out []string
	for _, p := range t.Patterns {
		switch {
		case !in(p.In):
		case p.Not != "":
			out = append(out, "not "+p.Not)
		case p.Invert:
			out = append(out, "not "+p.XSD)
		default:
			out = append(out, p.XSD)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " and ")
}

func (c *comparison) enums(n, t *profile.Type) {
	theirs := map[string]config.Releases{}
	for _, e := range t.Enums {
		theirs[e.Module+":"+e.Name] = e.In
	}
	ours := 0
	for _, e := range n.Enums {
		in, exists := theirs[e.Module+":"+e.Name]
		switch here := e.In.Has(c.release); {
		case here && !exists:
			c.say("value %s is here, not there", e.Name)
		case here:
			ours++
		case exists && c.exists(in):
			c.say("value %s is not here, but there", e.Name)
		case exists:
			c.gated++
		}
	}
	c.leftOut += max(0, len(t.Enums)-ours)
}

func intervals(rs []config.Range, max64 bool) string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = fmt.Sprintf("%d..%d", r.Min, r.Max)
	}
	if max64 {
		out[len(out)-1] = strings.Replace(out[len(out)-1], fmt.Sprint(rs[len(rs)-1].Max), "max", 1)
	}
	return strings.Join(out, "|")
}

var kinds = map[config.Kind]string{config.Container: "container", config.Presence: "presence container",
	config.List: "list", config.Leaf: "leaf", config.LeafList: "leaf-list"}

var bases = map[config.Base]string{config.String: "string", config.Bool: "boolean", config.Int8: "int8", config.Int16: "int16",
	config.Int32: "int32", config.Int64: "int64", config.Uint8: "uint8", config.Uint16: "uint16", config.Uint32: "uint32",
	config.Uint64: "uint64", config.Decimal64: "decimal64", config.Enumeration: "enumeration", config.Identityref: "identityref",
	config.Leafref: "leafref", config.Union: "union", config.Empty: "empty", config.Binary: "binary"}
