package profile_test

import (
	"regexp"
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
}`

func load(t *testing.T, modules ...string) *profile.Node {
	t.Helper()
	texts := map[string]string{"marks.yang": marks}
	for _, m := range modules {
		texts[strings.Fields(m)[1]+".yang"] = m
	}
	root, err := profile.Load(profile.Source{Modules: texts, Releases: []string{"1", "2", "3"}})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func paths(root *profile.Node) (out []string) {
	for _, n := range root.All()[1:] {
		out = append(out, n.Path())
	}
	return out
}

func TestOrderIsThatOfTheTextWithKeysFirst(t *testing.T) {
	root := load(t, `module b {
  namespace "urn:b"; prefix b;
  grouping g { leaf z { type string; } leaf y { type string; } }
  list l {
    key "two one";
    leaf c { type string; }
    uses g;
    leaf a { type string; }
    choice which { case x { leaf x { type string; } } leaf w { type string; } }
    leaf one { type string; }
    leaf two { type string; }
  }
}`, `module a {
  namespace "urn:a"; prefix a;
  import b { prefix b; }
  augment "/b:l" { leaf late { type string; } }
}`)
	want := []string{"/l", "/l/two", "/l/one", "/l/c", "/l/z", "/l/y", "/l/a", "/l/x", "/l/w", "/l/late"}
	if d := cmp.Diff(want, paths(root)); d != "" {
		t.Error(d)
	}
	if late := root.Child("l").Child("late"); late.Module != "a" || late.Namespace != "urn:a" {
		t.Errorf("an augmenting node is in %s (%s), want its own module", late.Module, late.Namespace)
	}
}

func TestMarksOfNodesAndValues(t *testing.T) {
	root := load(t, `module m {
  namespace "urn:m"; prefix m;
  import marks { prefix loom; }
  identity base;
  identity both { base base; }
  identity late { base base; loom:since "3"; }
  container new {
    loom:since "2";
    leaf middle { loom:until "2"; type enumeration { enum a; enum b { loom:since "3"; } enum c { loom:until "1"; } } }
    leaf which { type identityref { base base; } default both; }
  }
}`)
	in := func(path ...string) config.Releases {
		n := root
		for _, p := range path {
			n = n.Child(p)
		}
		return n.In
	}
	if got := []config.Releases{in("new"), in("new", "middle"), in("new", "which")}; !cmp.Equal(got, []config.Releases{0b110, 0b010, 0b110}) {
		t.Errorf("releases %b, want those of the parent too", got)
	}
	enums := root.Child("new").Child("middle").Type.Enums
	if d := cmp.Diff([]profile.Enum{{Name: "a", In: 0b010}}, enums); d != "" {
		t.Errorf("values of a leaf must be in its releases: %s", d)
	}
	which := root.Child("new").Child("which")
	if d := cmp.Diff([]profile.Enum{{Name: "both", Module: "m", In: 0b110}, {Name: "late", Module: "m", In: 0b100}}, which.Type.Enums); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"m:both"}, which.Defaults); d != "" {
		t.Errorf("default of an identityref: %s", d)
	}
}

func TestLeafrefsPointAtTheirTarget(t *testing.T) {
	root := load(t, `module m {
  namespace "urn:m"; prefix m;
  list peer { key name; leaf name { type uint8; } leaf other { type leafref { path "../../m:peer[m:name=current()/../name]/m:name"; } } }
}`)
	other := root.Child("peer").Child("other").Type
	if other.Target != "/peer/name" || other.Members[0].Base != config.Uint8 {
		t.Errorf("got %q of %v", other.Target, other.Members)
	}
	_, err := profile.Load(profile.Source{Releases: []string{"1"}, Modules: map[string]string{
		"m.yang": `module m { namespace "urn:m"; prefix m; leaf a { type leafref { path "/m:b"; } } }`}})
	if err == nil || !strings.Contains(err.Error(), "/a: leafref /m:b points at nothing") {
		t.Errorf("got %v", err)
	}
}

func TestRestrictionsGatherAlongTypedefs(t *testing.T) {
	root := load(t, `module m {
  namespace "urn:m"; prefix m;
  import marks { prefix loom; }
  typedef word { type string { length "1..20" { loom:was "1..10"; } pattern '[a-z]+'; pattern 'x.*' { loom:since "2"; } } }
  leaf a { type word { pattern '.*y'; } }
  leaf b { type decimal64 { fraction-digits 2; range "-1.5..2"; } }
  leaf c { type uint64 { range "5..max"; } }
}`)
	a := root.Child("a").Type
	want := []profile.Pattern{{XSD: ".*y", In: 0b111}, {XSD: "[a-z]+", In: 0b111}, {XSD: "x.*", In: 0b110}}
	if d := cmp.Diff(want, a.Patterns); d != "" {
		t.Error(d)
	}
	if !cmp.Equal(a.Length, []config.Range{{Min: 1, Max: 20}}) || !cmp.Equal(a.Was, []config.Range{{Min: 1, Max: 10}}) {
		t.Errorf("length %v, was %v", a.Length, a.Was)
	}
	if b := root.Child("b").Type; b.Fraction != 2 || !cmp.Equal(b.Range, []config.Range{{Min: -150, Max: 200}}) {
		t.Errorf("decimal64 %v with %d digits", b.Range, b.Fraction)
	}
	if c := root.Child("c").Type; !c.Max64 || c.Range[0].Min != 5 {
		t.Errorf("uint64 %v, %v", c.Range, c.Max64)
	}
}

func TestGoPattern(t *testing.T) {
	for _, c := range []struct {
		name, xsd, matches, not string
	}{
		{"is anchored", "a|b", "a", "ab"},
		{"has no anchors of its own", "^a$", "^a$", "a"},
		{"keeps a negated class", "[^a]", "b", "a"},
		{"has a bracket in a class", `[\[a]+`, "[a", "b"},
		{"has digits", `\d{2}`, "12", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := profile.GoPattern(c.xsd)
			if err != nil {
				t.Fatal(err)
			}
			re := regexp.MustCompile(p)
			if !re.MatchString(c.matches) || re.MatchString(c.not) {
				t.Errorf("%s: matches %q %v, %q %v", p, c.matches, re.MatchString(c.matches), c.not, re.MatchString(c.not))
			}
		})
	}
	if p, err := profile.GoPattern(`\i\c*`); err == nil {
		t.Errorf("got %s for what Go cannot express", p)
	}
}

func TestModulesTellTheirRevisionInEachRelease(t *testing.T) {
	texts := map[string]string{
		"marks.yang": marks,
		"both.yang": `module both { namespace "urn:both"; prefix b; import marks { prefix loom; }
			organization "O";
			revision 2025-03-31 { loom:since "3"; }
			revision 2023-10-31;
			revision 2024-10-31 { loom:since "2"; } }`,
		"late.yang": `module late { namespace "urn:late"; prefix l; import marks { prefix loom; } revision 2025-03-31 { loom:since "3"; } }`,
	}
	got, err := profile.Modules(profile.Source{Modules: texts, Releases: []string{"1", "2", "3"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []profile.Module{
		{Name: "both", Namespace: "urn:both", Organization: "O", Versions: []string{"2023-10-31", "2024-10-31", "2025-03-31"}},
		{Name: "late", Namespace: "urn:late", Versions: []string{"", "", "2025-03-31"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWhatIsThereOnlyUnderAConditionIsNotMandatory(t *testing.T) {
	root := load(t, `module m { namespace "urn:m"; prefix m; leaf a { type string; mandatory true; }
		leaf b { when "../a = 'x'"; type string; mandatory true; } }`)
	if a, b := root.Child("a"), root.Child("b"); !a.Mandatory || b.Mandatory {
		t.Errorf("mandatory: a %v, b %v", a.Mandatory, b.Mandatory)
	}
}

func TestMarksOfAnAugmentHoldForAllThatItBrings(t *testing.T) {
	root := load(t, `module b { namespace "urn:b"; prefix b; container c { leaf own { type string; } } }`, `module a {
  namespace "urn:a"; prefix a;
  import b { prefix b; }
  import marks { prefix loom; }
  grouping g { container used { leaf inner { type string; } } }
  augment "/b:c" { loom:since "3"; uses g; leaf named { type string; } }
  augment "/b:c" { leaf ever { type string; } }
}`)
	c := root.Child("c")
	for name, want := range map[string]config.Releases{"own": 7, "ever": 7, "named": 4, "used": 4} {
		if got := c.Child(name).In; got != want {
			t.Errorf("%s is in releases %b, want %b", name, got, want)
		}
	}
	if got := c.Child("used").Child("inner").In; got != 4 {
		t.Errorf("what a grouping has inside is in releases %b, want 100", got)
	}
}
