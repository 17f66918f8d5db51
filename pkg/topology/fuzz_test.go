package topology

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// Whatever the bytes: no panic, errors with a place, and what parses survives expanding and formatting.
func FuzzTopology(f *testing.F) {
	for _, src := range valid(f) {
		f.Add(src.Data)
	}
	for _, text := range []string{
		"", "{}", "[]", "loom: v1", "\ufeffloom: v1\r\nname: x\r\n", "{\"loom\":\"v1\",\"name\":\"x\",\"devices\":[{\"role\":\"leaf\",\"number\":1,\"platform\":\"X\"}]}",
		"loom: v1\nname: a\nspines: {count: 1, platform: X}\n# end", "a: {b: [c, {d: e}], f: }\n", "- - - a\n", "a:\n- b\n- c: d\n  e: f\n", "? a\n", "a: 'it''s'\n", "a: \"\\u263a\\\"\"\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		src := Source{"f", data}
		top, ds := Parse(src)
		if (top == nil) != ds.HasErrors() {
			t.Fatalf("topology %v, findings %v", top, ds)
		}
		lines := strings.Count(string(data), "\n") + 1
		for _, d := range ds {
			if d.Pos.File != "f" || d.Pos.Line < 1 || d.Pos.Line > lines || d.Pos.Column < 1 || d.Message == "" {
				t.Fatalf("no place: %#v", d)
			}
		}
		checkFormat(t, src)
		if _, ds := Parse(src, Source{"g", []byte("a b")}); !ds.HasErrors() || top != nil && len(ds) != 1 {
			t.Fatalf("beside a file that cannot be read: %v", ds)
		}
		if top == nil {
			return
		}
		again, ds := Parse(Source{"expanded", Expand(top)})
		if again == nil || !proto.Equal(top.Intent, again.Intent) {
			t.Fatalf("expanded it says something else: %v\n%s", ds, Expand(top))
		}
		formatted, _ := Format(src)
		if again, ds = Parse(Source{"formatted", formatted}); again == nil || !proto.Equal(top.Intent, again.Intent) {
			t.Fatalf("formatted it says something else: %v\n%s", ds, formatted)
		}
	})
}
