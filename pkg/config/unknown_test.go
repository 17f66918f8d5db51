package config

import (
	"strings"
	"testing"
)

func TestUnknownPartsDifferByWhatTheySay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, a, b, want string }{
		{"the same", `{"x":1}`, `{ "x" : 1 }`, ""},
		{"another order of members", `{"x":{"a":1,"b":2}}`, `{"x":{"b":2,"a":1}}`, ""},
		{"another order of elements", `{"x":[1,{"a":1},"c"]}`, `{"x":["c",1,{"a":1}]}`, ""},
		{"modules of names", `{"v:x":{"v:a":1}}`, `{"x":{"a":1}}`, ""},
		{"another value", `{"x":1}`, `{"x":2}`, "/x"},
		{"a text is no number", `{"x":1}`, `{"x":"1"}`, "/x"},
		{"one element more", `{"x":[1]}`, `{"x":[1,1]}`, "/x"},
		{"only there", `{"x":1}`, `{"y":1}`, "/x /y"},
		{"a value that the release does not have", `{"system":{"mtu":1}}`, `{"system":{"mtu":1500}}`, "/system/mtu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var docs [2][]Unknown
			for i, doc := range []string{c.a, c.b} {
				var err error
				if _, docs[i], err = Parse(model, newRelease, []byte(doc), ParseOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Join(DiffUnknown(docs[0], docs[1]), " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
