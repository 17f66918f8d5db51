package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/models/gen/profile"
	"github.com/loomfabric/loom/pkg/config"
)

const marks = `module marks {
  namespace "urn:marks"; prefix loom;
  extension since { argument release; }
  extension until { argument release; }
  extension was { argument length; }
  extension says-not { argument pattern; }
}`

func tiny(t *testing.T, body string) (*tables, error) {
	t.Helper()
	root, err := profile.Load(profile.Source{Releases: []string{"1.9", "2.0"}, Modules: map[string]string{
		"marks.yang": marks,
		"os_m.yang":  `module os_m { namespace "urn:m"; prefix m; import marks { prefix loom; } ` + body + `}`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return build(root, "os", []string{"1.9", "2.0"})
}

func must(t *testing.T, body string) *tables {
	t.Helper()
	tables, err := tiny(t, body)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// typeAt returns the type of a top-level leaf.
func (t *tables) typeAt(name string) config.Type {
	id, _ := t.Child(config.Root, name)
	return t.Types[t.Nodes[id].Type]
}

func TestConstantsAreThePathInCamelCase(t *testing.T) {
	tables := must(t, `list network-instance { key name; leaf name { type string; } container ipv4 { leaf l2_mtu.x { type empty; } } }`)
	want := []string{"", "NetworkInstance", "NetworkInstanceName", "NetworkInstanceIpv4", "NetworkInstanceIpv4L2MtuX"}
	if d := cmp.Diff(want, tables.nodeNames); d != "" {
		t.Error(d)
	}
	if got := tables.paths[4]; got != "/network-instance[name]/ipv4/l2_mtu.x" {
		t.Error(got)
	}
}

func TestNodesCarryWhatTheModelSays(t *testing.T) {
	tables := must(t, `list l { key "b a"; ordered-by user; max-elements 3; loom:since "2.0";
		leaf a { type uint8; } leaf b { type uint8; }
		leaf c { type boolean; default "true"; } leaf d { type uint8 { range "1..4"; } mandatory true; }
		leaf-list e { config false; type string; } container f { presence "x"; } }`)
	got := tables.Nodes[1]
	want := config.Node{Name: "l", Kind: config.List, UserOrdered: true, In: 2, MaxElements: 3,
		Keys: []config.ID{2, 3}, Children: []config.ID{2, 3, 4, 5, 6, 7}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if c := tables.Nodes[4]; !c.HasDefault || c.Default != "true" || c.Parent != 1 {
		t.Errorf("leaf with a default: %+v", c)
	}
	if d := tables.Nodes[5]; !d.Mandatory || tables.Types[d.Type].Range[0] != (config.Range{Min: 1, Max: 4}) {
		t.Errorf("mandatory leaf: %+v", d)
	}
	if e := tables.Nodes[6]; e.Kind != config.LeafList || !e.State {
		t.Errorf("state leaf-list: %+v", e)
	}
	if f := tables.Nodes[7]; f.Kind != config.Presence {
		t.Errorf("presence container: %+v", f)
	}
}

func TestEqualTypesAreOne(t *testing.T) {
	tables := must(t, `typedef n { type uint8 { range "1..2"; } } leaf a { type n; } leaf b { type n; } leaf c { type uint8; }`)
	if got := tables.typeNames; !cmp.Equal(got, []string{"typeN", "typeUint8"}) {
		t.Errorf("types %v", got)
	}
}

func TestWhatReleasesDifferInIsMerged(t *testing.T) {
	tables := must(t, `
	  leaf either { type string { length "1..9" { loom:was "2..20"; } pattern 'a' { loom:until "1.9"; } pattern 'b' { loom:since "2.0"; } pattern '.*'; } }
	  leaf any { type string { pattern 'b' { loom:since "2.0"; } } }
	  leaf old { loom:until "1.9"; type string { length "1..9" { loom:was "2..20"; } pattern 'a' { loom:until "1.9"; } pattern 'b' { loom:since "2.0"; } } }
	  leaf inverted { type string { pattern '.*[1-9].*' { loom:says-not '0+'; } } }`)
	for _, c := range []struct {
		leaf     string
		patterns []string
		length   []config.Range
	}{
		{"either", []string{"^(?:.*)$", "^(?:(?:a)|(?:b))$"}, []config.Range{{Min: 1, Max: 20}}},
		{"any", nil, nil},
		{"old", []string{"^(?:a)$"}, []config.Range{{Min: 2, Max: 20}}},
		{"inverted", []string{"^(?:.*[1-9].*)$"}, nil},
	} {
		got := tables.typeAt(c.leaf)
		if d := cmp.Diff(c.patterns, got.Patterns); d != "" {
			t.Errorf("%s: patterns %s", c.leaf, d)
		}
		if d := cmp.Diff(c.length, got.Length); d != "" {
			t.Errorf("%s: length %s", c.leaf, d)
		}
	}
}

func TestWhatTablesCannotHoldIsAnError(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"an inverted pattern", `leaf a { type string { pattern 'x' { modifier invert-match; } } }`, "/a: pattern \"x\" is inverted"},
		{"two paths with one name", `container a-b { leaf c { type empty; } } container a { leaf b-c { type empty; } }`, "constant ABC is used twice"},
		{"a node in no release", `leaf a { loom:since "2.0"; loom:until "1.9"; type empty; }`, "/a: is in releases 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := tiny(t, c.body); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestOutputIsTheSameEveryTime(t *testing.T) {
	body := `identity i; identity k { base i; } leaf b { type identityref { base i; } } leaf a { type enumeration { enum z; enum y { loom:since "2.0"; } } }`
	first := must(t, body).emit("p").String()
	for range 5 {
		if again := must(t, body).emit("p").String(); again != first {
			t.Fatal(cmp.Diff(first, again))
		}
	}
	for _, want := range []string{"Code generated by models/gen", "B // /b\nA // /a", `{Name: "y", In: r2_0}`, "Module: modOsM, In: every"} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
}

func TestModulesAreNamedAsTheRouterNamesThem(t *testing.T) {
	tables := must(t, `leaf a { type string; }`)
	published := []profile.Module{{Name: "os_m", Namespace: "urn:m", Organization: "O", Versions: []string{"", "2025-03-31"}}}
	for names, want := range map[string]string{
		"namespace": `{Name: "urn:m:os_m", Organization: "O", Versions: []string{"", "2025-03-31"}},`,
		"module":    `{Name: "os_m", Organization: "O", Versions: []string{"", "2025-03-31"}},`,
	} {
		var err error
		if tables.Models, err = models(published, names); err != nil {
			t.Fatal(err)
		}
		if got := tables.emit("p").String(); !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if _, err := models(published, "title"); err == nil {
		t.Error("names of models that nobody gives are taken")
	}
}

func TestStructsAcceptWhatAnyReleaseAccepts(t *testing.T) {
	got, err := merge(`module m { prefix m; typedef t { type string { length "1..9" { loom:was "2..20"; }
		pattern 'a' { loom:until "1"; } pattern 'b' { loom:since "2"; } pattern 'c'; } } }`, "m.yang")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"1..20"`, `"(a)|(b)"`, `"c"`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}
