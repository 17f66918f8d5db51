package profile

import (
	"slices"
	"sort"
	"strings"

	"github.com/openconfig/goyang/pkg/yang"

	"github.com/loomfabric/loom/pkg/config"
)

// A Type is a resolved type, with typedefs flattened but everything that a release may lack still marked.
type Type struct {
	Name     string // typedef or built-in name
	Base     config.Base
	Fraction uint8
	Max64    bool // see config.Type
	Range    []config.Range
	Length   []config.Range
	Was      []config.Range // length in releases before the last, where loom:was says so
	HasWas   bool
	Patterns []Pattern
	Enums    []Enum // of enumerations in the order of the text, identities by module and name
	Members  []*Type
	Target   string // of leafrefs; "" where what it points at need not be there (RFC 7950 §9.9.3)
	path     string // of leafrefs, as written
	optional bool   // of leafrefs
}

// A Pattern is one XSD regular expression that a string must match.
type Pattern struct {
	XSD    string
	Invert bool   // the string must not match (RFC 7950 §9.4.6.2)
	Not    string // loom:says-not: the inverted pattern that this one stands for, because RE2 cannot invert
	In     config.Releases
}

// An Enum is a value of an enumeration or an identity.
type Enum struct {
	Name   string
	Module string // of identities
	In     config.Releases
}

var bases = map[yang.TypeKind]config.Base{
	yang.Ystring: config.String, yang.Ybool: config.Bool, yang.Yint8: config.Int8, yang.Yint16: config.Int16,
	yang.Yint32: config.Int32, yang.Yint64: config.Int64, yang.Yuint8: config.Uint8, yang.Yuint16: config.Uint16,
	yang.Yuint32: config.Uint32, yang.Yuint64: config.Uint64, yang.Ydecimal64: config.Decimal64,
	yang.Yenum: config.Enumeration, yang.Yidentityref: config.Identityref, yang.Yleafref: config.Leafref,
	yang.Yunion: config.Union, yang.Yempty: config.Empty, yang.Ybinary: config.Binary,
}

func (l *loader) typeOf(ast *yang.Type, in config.Releases) *Type {
	y := ast.YangType
	t := &Type{Name: y.Name, Base: bases[y.Kind], Fraction: uint8(y.FractionDigits)}
	if !l.builtinRange(y) {
		t.Range, t.Max64 = ranges(y.Range)
	}
	t.Length, _ = ranges(y.Length)
	chain := chainOf(ast)
	for _, step := range chain {
		l.restrict(t, step, in)
	}
	switch t.Base {
	case config.Enumeration:
		t.Enums = l.enums(chain, in)
	case config.Identityref:
		t.Enums = l.identities(y.IdentityBase, in)
	case config.Leafref:
		t.path, t.optional = y.Path, y.OptionalInstance
	case config.Union:
		for _, m := range unionOf(chain).Type {
			t.Members = append(t.Members, l.typeOf(m, in))
		}
	}
	return t
}

// chainOf lists the type statements from the leaf's own to the built-in type.
func chainOf(ast *yang.Type) []*yang.Type {
	var chain []*yang.Type
	for ast != nil && !slices.Contains(chain, ast) {
		chain = append(chain, ast)
		if ast.YangType == nil {
			break
		}
		ast = ast.YangType.Base
	}
	return chain
}

func unionOf(chain []*yang.Type) *yang.Type {
	for _, step := range chain {
		if len(step.Type) > 0 {
			return step
		}
	}
	return chain[0]
}

// restrict adds the patterns of one step of a typedef chain, and what its length was.
func (l *loader) restrict(t *Type, step *yang.Type, in config.Releases) {
	for _, p := range step.Pattern {
		pattern := Pattern{XSD: p.Name, In: l.Availability(p, in), Not: extension(p, "says-not")}
		pattern.Invert = p.Modifier != nil && p.Modifier.Name == "invert-match"
		if !slices.Contains(t.Patterns, pattern) {
			t.Patterns = append(t.Patterns, pattern)
		}
	}
	if step.Length == nil || t.HasWas {
		return
	}
	if was := extension(step.Length, "was"); was != "" {
		t.HasWas = true
		if r, err := yang.ParseRangesInt(was); err == nil {
			t.Was, _ = ranges(r)
		}
	}
}

// extension returns the argument of one of our extensions on a statement.
func extension(n yang.Node, word string) string {
	for _, e := range n.Exts() {
		if strings.HasSuffix(e.Keyword, ":"+word) {
			return e.Argument
		}
	}
	return ""
}

func (l *loader) enums(chain []*yang.Type, in config.Releases) []Enum {
	for _, step := range chain {
		if len(step.Enum) == 0 {
			continue
		}
		var out []Enum
		for _, e := range step.Enum {
			if here := l.Availability(e, in); here != 0 {
				out = append(out, Enum{Name: e.Name, In: here})
			}
		}
		return out
	}
	return nil
}

func (l *loader) identities(base *yang.Identity, in config.Releases) []Enum {
	var out []Enum
	for _, v := range base.Values {
		if here := l.Availability(v, in); here != 0 {
			out = append(out, Enum{Name: v.Name, Module: yang.RootNode(v).Name, In: here})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Module+":"+out[i].Name < out[j].Module+":"+out[j].Name
	})
	return slices.Compact(out)
}

func (l *loader) builtinRange(y *yang.YangType) bool {
	if y.Kind == yang.Ydecimal64 {
		return len(y.Range) == 1 && y.Range[0].Min.Value == 1<<63
	}
	b := yang.BaseTypedefs[y.Kind.String()]
	return b == nil || b.YangType == nil || y.Range.Equal(b.YangType.Range)
}

// ranges converts goyang's numbers; decimal64 is scaled by its fraction digits already.
func ranges(in yang.YangRange) (out []config.Range, max64 bool) {
	for _, r := range in {
		max64 = r.Max.Value > 1<<63-1 && !r.Max.Negative
		out = append(out, config.Range{Min: number(r.Min), Max: number(r.Max)})
	}
	return out, max64
}

func number(n yang.Number) int64 {
	v := int64(min(n.Value, 1<<63-1))
	if n.Negative {
		return -v
	}
	return v
}
