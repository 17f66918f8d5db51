package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/models/gen/profile"
)

const marks = `module marks {
  namespace "urn:marks"; prefix loom;
  extension since { argument release; }
  extension until { argument release; }
  extension was { argument length; }
  extension says-not { argument pattern; }
}`

// against compares two versions of a module in release 2 of 2.
func against(t *testing.T, here, there string, platforms ...featureSet) report {
	t.Helper()
	module := func(body string) string {
		return `module m { namespace "urn:m"; prefix m; import marks { prefix loom; } feature f; feature g; ` + body + `}`
	}
	modules := func(body string) map[string]string {
		return map[string]string{"marks.yang": marks, "m.yang": module(body)}
	}
	ours, err := profile.Load(profile.Source{Modules: modules(here), Releases: []string{"1", "2"}})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := profile.Load(vendorSource(modules(there), nil, platforms))
	if err != nil {
		t.Fatal(err)
	}
	return compare(ours, theirs, 1, true, platforms != nil)
}

func has(names ...string) featureSet {
	return func(name string) bool { return slices.Contains(names, name) }
}

func TestEveryKindOfDifferenceIsReported(t *testing.T) {
	for _, c := range []struct{ name, here, there, want string }{
		{"a missing node", `leaf a { type empty; }`, ``, "/a: the node is here, not there"},
		{"the kind", `container a { }`, `container a { presence "x"; }`, "/a: kind container here, presence container there"},
		{"a default", `leaf a { type uint8; default "1"; }`, `leaf a { type uint8; default "2"; }`, "/a: default 1 here, 2 there"},
		{"a missing default", `leaf a { type uint8; }`, `typedef t { type uint8; default 2; } leaf a { type t; }`, "/a: default none here, 2 there"},
		{"a range", `leaf a { type uint16 { range "1..9500"; } }`, `leaf a { type uint16 { range "1..4|9"; } }`, "/a: range 1..9500 here, 1..4|9..9 there"},
		{"a length", `leaf a { type string { length "1..3"; } }`, `leaf a { type string; }`, "/a: length 1..3 here, none there"},
		{"a pattern", `leaf a { type string { pattern 'x'; pattern 'y'; } }`, `leaf a { type string { pattern 'y'; } }`, "/a: patterns x and y here, y there"},
		{"an inverted pattern", `leaf a { type string { pattern 'x'; } }`, `leaf a { type string { pattern 'x' { modifier invert-match; } } }`, "/a: patterns x here, not x there"},
		{"the type", `leaf a { type uint8; }`, `leaf a { type string; }`, "/a: type uint8 here, string there"},
		{"fraction digits", `leaf a { type decimal64 { fraction-digits 2; } }`, `leaf a { type decimal64 { fraction-digits 3; } }`, "/a: fraction digits 2 here, 3 there"},
		{"an enum value", `leaf a { type enumeration { enum x; enum y; } }`, `leaf a { type enumeration { enum x; } }`, "/a: value y is here, not there"},
		{"an identity", `identity b; identity x { base b; } leaf a { type identityref { base b; } }`, `identity b; leaf a { type identityref { base b; } }`, "/a: value x is here, not there"},
		{"a leafref", `leaf b { type string; } leaf c { type string; } leaf a { type leafref { path "/m:b"; } }`, `leaf b { type string; } leaf c { type string; } leaf a { type leafref { path "../c"; } }`, "/a: leafref /b here, /c there"},
		{"a union", `leaf a { type union { type uint8; type string; } }`, `leaf a { type union { type uint8; type string; type empty; } }`, "/a: union members 2 here, 3 there"},
		{"a member of a union", `leaf a { type union { type uint8; type string; } }`, `leaf a { type union { type uint16; type string; } }`, "/a: type uint8 here, uint16 there"},
		{"the key", `list a { key "b c"; leaf b { type empty; } leaf c { type empty; } }`, `list a { key "c b"; leaf b { type empty; } leaf c { type empty; } }`, "/a: key b c here, c b there"},
		{"the order", `leaf-list a { type string; }`, `leaf-list a { type string; ordered-by user; }`, "/a: user order false here, true there"},
		{"max-elements", `leaf-list a { type string; }`, `leaf-list a { type string; max-elements 4; }`, "/a: max-elements none here, 4 there"},
		{"mandatory", `leaf a { type string; }`, `leaf a { type string; mandatory true; }`, "/a: mandatory false here, true there"},
		{"state", `leaf a { type string; }`, `leaf a { config false; type string; }`, "/a: state false here, true there"},
		{"a node that is there after all", `leaf a { loom:until "1"; type string; }`, `leaf a { type string; }`, "/a: the node is not here, but there"},
		{"a value that is there after all", `leaf a { type enumeration { enum x; enum y { loom:until "1"; } } }`, `leaf a { type enumeration { enum x; enum y; } }`, "/a: value y is not here, but there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff([]string{c.want}, against(t, c.here, c.there).differences); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatIsTheSameIsNoDifference(t *testing.T) {
	for _, c := range []struct{ name, here, there string }{
		{"typedefs and groupings", `leaf a { type uint8 { range "1..4"; } }`, `grouping g { leaf a { type t; } } typedef t { type uint8 { range "1..4"; } } uses g;`},
		{"choices", `leaf a { type empty; }`, `choice x { case y { leaf a { type empty; } } }`},
		{"what the profile leaves out", `leaf a { type enumeration { enum x; } }`, `leaf b { type empty; } leaf a { type enumeration { enum x; enum y; } }`},
		{"the order of patterns", `leaf a { type string { pattern 'x'; pattern 'y'; } }`, `leaf a { type string { pattern 'y'; pattern 'x'; } }`},
		{"what is only for another release", `leaf a { type string { length "1..2" { loom:was "1..9"; } pattern 'x' { loom:until "1"; } } }`, `leaf a { type string { length "1..2"; } }`},
		{"a pattern that stands for an inverted one", `leaf a { type string { pattern 'y' { loom:says-not 'x'; } } }`, `leaf a { type string { pattern 'x' { modifier invert-match; } } }`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := against(t, c.here, c.there); len(got.differences) > 0 || got.nodes != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestFeaturesDecideWhatIsThere(t *testing.T) {
	guarded := `leaf a { if-feature "f and (not g)"; type empty; }`
	absent := `leaf a { loom:until "1"; type empty; }`
	for _, c := range []struct {
		name, here string
		platforms  []featureSet
		want       string
	}{
		{"unknown features: present is fine", `leaf a { type empty; }`, nil, ""},
		{"unknown features: absent is fine", absent, nil, ""},
		{"a platform has it: present is fine", `leaf a { type empty; }`, []featureSet{has("g"), has("f")}, ""},
		{"a platform has it: absent is wrong", absent, []featureSet{has("f"), has("g")}, "/a: the node is not here, but there"},
		{"no platform has it: present is wrong", `leaf a { type empty; }`, []featureSet{has("f", "g"), has()}, "/a: the node is here, but no platform has it"},
		{"no platform has it: absent is fine", absent, []featureSet{has("f", "g"), has()}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := against(t, c.here, guarded, c.platforms...)
			if s := strings.Join(got.differences, "; "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

func TestModelsThatAreMissingAreNamed(t *testing.T) {
	_, err := run(options{os: "srlinux", yang: t.TempDir() + "/none"}, nil)
	if err == nil || !strings.Contains(err.Error(), "github.com/nokia/srlinux-yang-models") {
		t.Errorf("got %v, want where to get them", err)
	}
}

func TestModulesAreComparedToo(t *testing.T) {
	ours := []profile.Module{
		{Name: "same", Namespace: "urn:s", Organization: "O", Versions: []string{"1", "2"}},
		{Name: "old", Namespace: "urn:o", Organization: "O", Versions: []string{"1", "1"}},
		{Name: "other", Namespace: "urn:x", Organization: "P", Versions: []string{"2", "2"}},
		{Name: "gone", Versions: []string{"1", "1"}},
		{Name: "late", Versions: []string{"1", ""}},
		{Name: "neither", Versions: []string{"1", ""}},
	}
	theirs := []profile.Module{
		{Name: "same", Namespace: "urn:s", Organization: "O", Versions: []string{"2"}},
		{Name: "old", Namespace: "urn:o", Organization: "O", Versions: []string{"2"}},
		{Name: "other", Namespace: "urn:y", Organization: "O", Versions: []string{"2"}},
		{Name: "late", Versions: []string{"2"}},
		{Name: "more", Versions: []string{"2"}},
	}
	want := []string{
		"old: version 1 here, 2 there", "other: namespace urn:x here, urn:y there", "other: organization P here, O there",
		"gone: the module is here, not there", "late: the module is not here, but there",
	}
	if d := cmp.Diff(want, compareModules(ours, theirs, 1)); d != "" {
		t.Error(d)
	}
}

func TestFilesThatAreComparedWith(t *testing.T) {
	for _, c := range []struct {
		modules, file string
		want          bool
	}{
		{"srl_nokia*,!*-tools-*", "srl_nokia/models/srl_nokia-bgp.yang", true},
		{"srl_nokia*,!*-tools-*", "srl_nokia/models/srl_nokia-tools-bgp.yang", false},
		{"srl_nokia*,!*-tools-*", "ietf/ietf-inet-types.yang", false},
		{"openconfig-*", "openconfig-platform.yang", true},
		{"openconfig-*", "iana-if-type.yang", false},
	} {
		if got := (options{modules: c.modules}).compared(c.file); got != c.want {
			t.Errorf("%s of %s: got %v, want %v", c.file, c.modules, got, c.want)
		}
	}
}

func TestModelsWithoutReleasesLieInOneDirectory(t *testing.T) {
	dir := t.TempDir()
	o := options{os: "openconfig", yang: dir}
	if got, want := o.published("2026"), filepath.Join(dir, "openconfig"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	own := filepath.Join(dir, "openconfig-2026")
	if err := os.Mkdir(own, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := o.published("2026"); got != own {
		t.Errorf("got %s, want %s", got, own)
	}
}
