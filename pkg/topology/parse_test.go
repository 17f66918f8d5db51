package topology

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/loomfabric/loom/models/intent"
)

// valid returns the files that must parse: those of this package, and the examples of the project.
func valid(t testing.TB) []Source {
	t.Helper()
	var list []Source
	for _, pattern := range []string{"testdata/valid/*", "../../topologies/*.yaml"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			list = append(list, readFile(t, name))
		}
	}
	if len(list) < 5 {
		t.Fatalf("%d files, want more", len(list))
	}
	return list
}

func readFile(t testing.TB, name string) Source {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return Source{name, data}
}

func mustParse(t testing.TB, sources ...Source) *Topology {
	t.Helper()
	top, ds := Parse(sources...)
	if len(ds) > 0 {
		t.Fatal(ds.Error())
	}
	return top
}

func TestValidFilesExpandToThemselves(t *testing.T) {
	t.Parallel()
	for _, src := range valid(t) {
		t.Run(filepath.Base(src.Name), func(t *testing.T) {
			t.Parallel()
			want := mustParse(t, src)
			expanded := Expand(want)
			got := mustParse(t, Source{"expanded.yaml", expanded})
			if diff := cmp.Diff(want.Intent, got.Intent, protocmp.Transform()); diff != "" {
				t.Errorf("the expanded file says something else (-want +got)\n%s\n%s", diff, expanded)
			}
			if again := Expand(got); !bytes.Equal(again, expanded) {
				t.Error("expanding twice changes the text")
			}
			formatted, ds := Format(Source{"expanded.yaml", expanded})
			if ds.HasErrors() || !bytes.Equal(formatted, expanded) {
				t.Errorf("the expanded text is not canonical (-want +got)\n%s%v", cmp.Diff(string(expanded), string(formatted)), ds)
			}
		})
	}
}

func TestExpansionIsGolden(t *testing.T) {
	t.Parallel()
	got := Expand(mustParse(t, readFile(t, "testdata/valid/everything.yaml")))
	if *update {
		if err := os.WriteFile("testdata/everything.expanded.yaml", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := readFile(t, "testdata/everything.expanded.yaml")
	if diff := cmp.Diff(string(want.Data), string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestIntentsOfTheAPIExpand(t *testing.T) {
	t.Parallel()
	in := proto.CloneOf(mustParse(t, readFile(t, "testdata/valid/everything.yaml")).Intent)
	got := mustParse(t, Source{"x.yaml", Expand(New(in))})
	if !proto.Equal(in, got.Intent) {
		t.Error(cmp.Diff(in, got.Intent, protocmp.Transform()))
	}
}

func TestSeveralFilesSayTheSameAsOne(t *testing.T) {
	t.Parallel()
	one := "loom: v1\nname: demo\nspines: {count: 1, platform: X}\nleaves: {count: 1, platform: X}\n" +
		"tenants:\n  red: {number: 1, segments: {web: {number: 10}}}\n  blue: {number: 2}\n" +
		"ports:\n  - {on: leaf1, range: ethernet-1/1, segments: [web]}\n  - {on: leaf1, range: ethernet-1/2}\n"
	split := []Source{
		{"c", []byte("loom: v1\ntenants:\n  blue: {number: 2}\nleaves: {count: 1, platform: X}\nports:\n  - {on: leaf1, range: ethernet-1/1, segments: [web]}\n")},
		{"a", []byte("loom: v1\nname: demo\nspines: {count: 1, platform: X}\n")},
		{"b", []byte("loom: v1\ntenants:\n  red: {number: 1, segments: {web: {number: 10}}}\nports:\n  - {on: leaf1, range: ethernet-1/2}\n")},
	}
	want, got := mustParse(t, Source{"one", []byte(one)}), mustParse(t, split...)
	if diff := cmp.Diff(want.Intent, got.Intent, protocmp.Transform()); diff != "" {
		t.Errorf("(-one +split)\n%s", diff)
	}
	if at := got.At("tenants/red").String(); at != "b:3:3" {
		t.Errorf("red is at %s", at)
	}
}

func TestOrderOfTheFileDoesNotMatter(t *testing.T) {
	t.Parallel()
	a := mustParse(t, Source{"a", []byte("loom: v1\nname: demo\ntenants:\n  red: {number: 1}\n  blue: {number: 2}\nsites:\n  x: {number: 2}\n  y: {number: 1}\n" +
		"defaults: {spines: {count: 1, platform: X}}\n")})
	b := mustParse(t, Source{"b", []byte("loom: v1\ndefaults: {spines: {count: 1, platform: X}}\nsites:\n  y: {number: 1}\n  x: {number: 2}\n" +
		"tenants:\n  blue: {number: 2}\n  red: {number: 1}\nname: demo\n")})
	if diff := cmp.Diff(a.Intent, b.Intent, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// The most specific place wins, field by field.
func TestInheritance(t *testing.T) {
	t.Parallel()
	const head = "loom: v1\nname: demo\n"
	for _, tt := range []struct{ name, file, want string }{
		{"an override beats its role", "spines: {count: 1, platform: X, override: {1: {platform: Y}}}", "Y"},
		{"the site's role beats the defaults'", "defaults: {spines: {count: 1, platform: X}}\nsites: {a: {spines: {platform: Y}}}", "Y"},
		{"an override in the defaults beats the site's role", "defaults: {spines: {count: 1, override: {1: {platform: Z}}}}\nsites: {a: {spines: {platform: Y}}}", "Z"},
		{"an override in the site beats one in the defaults", "defaults: {spines: {count: 1, override: {1: {platform: Z}}}}\nsites: {a: {spines: {override: {1: {platform: Q}}}}}", "Q"},
		{"numbers of a site replace the count of the defaults", "defaults: {spines: {count: 3, platform: X}}\nsites: {a: {spines: {numbers: 1}}}", "X"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := mustParse(t, Source{"f", []byte(head + tt.file)}).Intent
			if len(in.Sites[0].Devices) != 1 || in.Sites[0].Devices[0].Platform != tt.want {
				t.Errorf("got %s, want one spine with platform %s", prototext.Format(in.Sites[0]), tt.want)
			}
		})
	}
}

func TestLaterRulesWinFieldByFieldAndPortByPort(t *testing.T) {
	t.Parallel()
	in := mustParse(t, Source{"f", []byte(`loom: v1
name: demo
spines: {count: 1, platform: X}
leaves: {count: 2, platform: X, pairs: true}
tenants: {red: {number: 1, segments: {web: {number: 10}, db: {number: 11}}}}
ports:
  - {on: leaves, range: ethernet-1/1..2, segments: [web], mtu: 9000, lag: pair}
  - {on: leaves, range: ethernet-1/2, segments: [db, web], tagged: true}
  - {on: leaf2, range: ethernet-1/10, untagged: db}
`)}).Intent
	member := func(device, port string) *intent.End { return &intent.End{Device: device, Port: port} }
	want := []*intent.Attachment{
		{Members: []*intent.End{member("leaf1", "ethernet-1/1"), member("leaf2", "ethernet-1/1")}, Lag: true, Untagged: "red/web", Mtu: 9000},
		{Members: []*intent.End{member("leaf1", "ethernet-1/2"), member("leaf2", "ethernet-1/2")}, Lag: true, Tagged: []string{"red/db", "red/web"}, Mtu: 9000},
		{Members: []*intent.End{member("leaf2", "ethernet-1/10")}, Untagged: "red/db"},
	}
	if diff := cmp.Diff(want, in.Attachments, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReferencesHavePositions(t *testing.T) {
	t.Parallel()
	src := readFile(t, "testdata/valid/everything.yaml")
	top := mustParse(t, src)
	for ref, want := range map[string]string{
		"topology":                                  "loom: v1",
		"topology#overlay-as":                       "65010",
		"topology#nothing":                          "loom: v1",
		"sites/bj":                                  "bj:",
		"sites/bj#pool":                             "10.1.0.0/16",
		"sites/bj#unused-ports":                     "disabled",
		"sites/bj#cabling":                          "bj:",
		"sites/bj/underlay#mtu":                     "9100",
		"sites/sh/underlay#mtu":                     "9100",
		"sites/sh/underlay#links":                   "unnumbered",
		"sites/sh/overlay":                          "overlay:",
		"sites/sz/overlay":                          "overlay:",
		"sites/bj/devices/b-leaf1":                  "1: {asn",
		"sites/bj/devices/b-leaf1#asn":              "64701",
		"sites/bj/devices/b-leaf3":                  "3..4:",
		"sites/bj/devices/b-leaf9#fingerprint":      `"9f86`,
		"sites/bj/devices/b-leaf9#release":          `"25.3"`,
		"sites/bj/devices/b-leaf2":                  "leaves:",
		"sites/bj/devices/b-leaf2#platform":         "7220-IXR-D2L",
		"sites/bj/devices/b-leaf2#number":           `"1..4,9"`,
		"sites/bj/devices/b-leaf2#peer":             "[[1, 2]",
		"sites/bj/devices/b-spine1":                 "spines:",
		"sites/sz/devices/sz-leaf2":                 "{role: leaf, number: 2",
		"sites/sz/devices/sz-leaf9":                 "sz:",
		"cables/b-leaf3:ethernet-1/31":              "bj/leaf3:",
		"cables/b-spine1:ethernet-1/9":              "{cable: bj/spine1",
		"cables/b-leaf9:ethernet-1/49":              "{cable: bj/spine1",
		"cables/server:db-18:eth0":                  "server:db-18",
		"cables/sh-leaf2:ethernet-1/48":             "server:db-18",
		"tenants/blue":                              "blue:",
		"tenants/blue#vni":                          "60000",
		"tenants/blue/segments/voice":               "voice:",
		"tenants/blue/segments/voice#vlan":          "13",
		"tenants/blue/segments/gone":                "blue:",
		"attachments/b-leaf1:ethernet-1/3":          "{on: bj/leaf1..2",
		"attachments/b-leaf1:ethernet-1/3#lag":      "pair",
		"attachments/b-leaf2:ethernet-1/3#mtu":      "9100",
		"attachments/b-leaf1:ethernet-1/20/2#speed": "25G",
		"attachments/sz-leaf2:ethernet-1/1":         `{members: ["sz-leaf1:ethernet-1/1"`,
		"attachments/sz-leaf1:ethernet-1/2#speed":   "10G",
		"raw/0":                `{on: "b-leaf?"`,
		"no/such/thing#at-all": "loom: v1",
	} {
		at := top.At(ref)
		if at.File != src.Name {
			t.Errorf("%s is at %q", ref, at)
			continue
		}
		line := strings.Split(string(src.Data), "\n")[at.Line-1]
		if got := line[at.Column-1:]; !strings.HasPrefix(got, want) && !(ref == "topology" || strings.HasPrefix(line, want)) {
			t.Errorf("%s is at %s, which begins %.30q; want %q", ref, at, got, want)
		}
	}
}

func TestIntentsOfTheAPIHaveNoPositions(t *testing.T) {
	t.Parallel()
	if at := New(&intent.Topology{}).At("sites/bj#pool"); at != (Pos{}) {
		t.Errorf("got %v", at)
	}
}
