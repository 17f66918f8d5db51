package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/loomfabric/loom/models/gen/profile"
	"github.com/loomfabric/loom/pkg/config"
)

// tables are what is written: a schema, and the Go names of its nodes and types.
type tables struct {
	config.Schema
	nodeNames []string // Go constant of each node; "config.Root" for the root
	typeNames []string // Go constant of each type
	paths     []string // "/interface[name]/mtu"
}

type builder struct {
	tables
	ids     map[*profile.Node]config.ID
	types   map[string]uint16 // by what the type says
	modules map[string]bool
	errs    []error
}

func build(root *profile.Node, system string, releases []string) (*tables, error) {
	b := &builder{ids: map[*profile.Node]config.ID{}, types: map[string]uint16{}, modules: map[string]bool{}}
	b.OS, b.Releases = system, releases
	nodes := root.All()
	if len(nodes) > 1<<16 {
		return nil, fmt.Errorf("%d nodes do not fit an ID", len(nodes))
	}
	b.collectModules(nodes)
	for i, n := range nodes {
		b.ids[n] = config.ID(i)
		b.nodeNames = append(b.nodeNames, constant(n))
		b.paths = append(b.paths, keyedPath(n))
	}
	for _, n := range nodes {
		b.Nodes = append(b.Nodes, b.node(n))
	}
	b.unique("constant", b.nodeNames)
	b.unique("type constant", b.typeNames)
	return &b.tables, errors.Join(b.errs...)
}

// models are the modules by the names that Capabilities gives them. Most call a model as its module; SR Linux puts the
// namespace before it.
func models(modules []profile.Module, names string) (out []config.Model, err error) {
	for _, m := range modules {
		name := m.Name
		switch names {
		case "namespace":
			name = m.Namespace + ":" + m.Name
		case "module":
		default:
			return nil, fmt.Errorf("-names %s: want namespace or module", names)
		}
		out = append(out, config.Model{Name: name, Organization: m.Organization, Versions: m.Versions})
	}
	return out, nil
}

func (b *builder) fail(n *profile.Node, format string, args ...any) {
	b.errs = append(b.errs, fmt.Errorf("%s: %s", n.Path(), fmt.Sprintf(format, args...)))
}

func (b *builder) unique(what string, names []string) {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			b.errs = append(b.errs, fmt.Errorf("%s %s is used twice", what, name))
		}
		seen[name] = true
	}
}

// collectModules lists the modules that own a node or an identity, by name.
func (b *builder) collectModules(nodes []*profile.Node) {
	var see func(t *profile.Type)
	see = func(t *profile.Type) {
		for _, e := range t.Enums {
			b.modules[e.Module] = e.Module != ""
		}
		for _, m := range t.Members {
			see(m)
		}
	}
	for _, n := range nodes[1:] {
		b.modules[n.Module] = true
		if n.Type != nil {
			see(n.Type)
		}
	}
	for m, used := range b.modules {
		if used {
			b.Modules = append(b.Modules, m)
		}
	}
	slices.Sort(b.Modules)
	if len(b.Modules) > 256 {
		b.errs = append(b.errs, fmt.Errorf("%d modules do not fit a byte", len(b.Modules)))
	}
}

func (b *builder) module(name string) uint8 {
	i, _ := slices.BinarySearch(b.Modules, name)
	return uint8(i)
}

func (b *builder) node(n *profile.Node) config.Node {
	out := config.Node{Name: n.Name, Kind: n.Kind, State: n.State, UserOrdered: n.UserOrdered,
		Mandatory: n.Mandatory, In: n.In, MaxElements: n.MaxElements}
	if n.Parent != nil {
		out.Parent, out.Module = b.ids[n.Parent], b.module(n.Module)
	}
	if len(n.Defaults) > 0 {
		out.HasDefault, out.Default = true, strings.Join(n.Defaults, " ")
	}
	for _, k := range n.Keys {
		key := n.Child(k)
		if key == nil {
			b.fail(n, "no key leaf %s", k)
			continue
		}
		out.Keys = append(out.Keys, b.ids[key])
	}
	seen := map[string]bool{}
	for _, c := range n.Children {
		if seen[c.Name] {
			b.fail(c, "two siblings have this name")
		}
		seen[c.Name] = true
		if c.In&^n.In != 0 || c.In == 0 {
			b.fail(c, "is in releases %b, its parent in %b", c.In, n.In)
		}
		out.Children = append(out.Children, b.ids[c])
	}
	if n.Type != nil {
		out.Type = b.typ(n, n.Type, "type"+constant(n))
	}
	return out
}

// typ returns the index of a type. name is for a type that has no name of its own.
func (b *builder) typ(n *profile.Node, t *profile.Type, name string) uint16 {
	out := config.Type{Name: t.Name, Base: t.Base, Fraction: t.Fraction, Max64: t.Max64, Range: t.Range,
		Length: length(t, n.In, len(b.Releases)), Target: t.Target}
	var err error
	if out.Patterns, err = patterns(t, n.In); err != nil {
		b.fail(n, "%v", err)
	}
	for _, e := range t.Enums {
		out.Enums = append(out.Enums, config.Enum{Name: e.Name, Module: b.moduleOf(e), In: e.In})
	}
	for i, m := range t.Members {
		out.Members = append(out.Members, b.typ(n, m, fmt.Sprintf("%sMember%d", name, i+1)))
	}
	say := fmt.Sprintf("%+v", out)
	if i, ok := b.types[say]; ok {
		return i
	}
	i := uint16(len(b.Types))
	b.types[say] = i
	b.Types = append(b.Types, out)
	b.typeNames = append(b.typeNames, b.typeName(out, name))
	return i
}

func (b *builder) moduleOf(e profile.Enum) uint8 {
	if e.Module == "" {
		return 0
	}
	return b.module(e.Module)
}

// typeName prefers the typedef's name, so that a reader recognises it; a second type of that name gets the node's.
func (b *builder) typeName(t config.Type, fallback string) string {
	if name := "type" + camel(t.Name); !slices.Contains(b.typeNames, name) && t.Enums == nil && t.Members == nil && plain(t) {
		return name
	}
	if name := "type" + camel(t.Name); !builtin(t.Name) && !slices.Contains(b.typeNames, name) {
		return name
	}
	return fallback
}

// plain tells whether a type is its typedef or built-in without further restriction, as far as the name shows.
func plain(t config.Type) bool {
	return !builtin(t.Name) || t.Range == nil && t.Length == nil && t.Patterns == nil && t.Fraction == 0 && t.Target == ""
}

func builtin(name string) bool {
	return slices.Contains(strings.Fields("string boolean int8 int16 int32 int64 uint8 uint16 uint32 uint64 decimal64"+
		" enumeration identityref leafref union empty binary"), name)
}

// length is what any of the releases in accepts. loom:was speaks of the releases before the last.
func length(t *profile.Type, in config.Releases, releases int) []config.Range {
	last := in.Has(releases - 1)
	switch older := in&^(1<<(releases-1)) != 0; {
	case !t.HasWas || !older:
		return t.Length
	case !last:
		return t.Was
	}
	if t.Was == nil || t.Length == nil {
		return nil
	}
	return []config.Range{{Min: min(t.Was[0].Min, t.Length[0].Min),
		Max: max(t.Was[len(t.Was)-1].Max, t.Length[len(t.Length)-1].Max)}}
}

// patterns are what any of the releases in accepts: a pattern of some releases only is one of several alternatives,
// and no pattern at all where another release has none.
func patterns(t *profile.Type, in config.Releases) ([]string, error) {
	var out, some []string
	var covered config.Releases
	for _, p := range t.Patterns {
		here := p.In & in
		if here == 0 {
			continue
		}
		if p.Invert {
			return nil, fmt.Errorf("pattern %q is inverted, which Go cannot express: say what it allows, with loom:says-not", p.XSD)
		}
		g, err := profile.GoPattern(p.XSD)
		switch {
		case err != nil:
			return nil, err
		case here == in:
			out = append(out, g)
		case covered&here != 0:
			return nil, fmt.Errorf("pattern %q: a release has two patterns that others lack", p.XSD)
		default:
			covered |= here
			some = append(some, strings.TrimSuffix(strings.TrimPrefix(g, "^"), "$"))
		}
	}
	if covered == in && len(some) > 0 {
		out = append(out, "^(?:"+strings.Join(some, "|")+")$")
	}
	return out, nil
}

// constant is the Go name of a node: every name of its path in camel case, without list keys.
func constant(n *profile.Node) string {
	if n.Parent == nil {
		return ""
	}
	return constant(n.Parent) + camel(n.Name)
}

func camel(name string) string {
	var b strings.Builder
	up := true
	for _, r := range name {
		switch {
		case r == '-' || r == '_' || r == '.':
			up = true
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func keyedPath(n *profile.Node) string {
	if n.Parent == nil {
		return ""
	}
	path := keyedPath(n.Parent) + "/" + n.Name
	for _, k := range n.Keys {
		path += "[" + k + "]"
	}
	return path
}
