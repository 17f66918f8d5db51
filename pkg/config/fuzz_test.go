package config

import "testing"

func FuzzPath(f *testing.F) {
	for _, s := range []string{"/", "/interface[name=ethernet-1/1]/mtu", `/a[b=c\]d][e=\\]/m:f`, "/a[b=*]", "/a[", "/a//"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			return
		}
		q, err := ParsePath(p.String())
		if err != nil || !p.Equal(q) || q.String() != p.String() {
			t.Errorf("%q: %s became %s, %v", s, p, q, err)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{}`, foreignDoc, applyBase, `{"x":[1,2,{"y":"\u00e9"}],"system":{"flag":[null],"ratio":"1.50"}}`,
		`{"interface":[{"mtu":1500,"name":"lag1"}]}`, `{"interface":[{"name":"lag1","statistics":{"condition":"new","alarm":["x"]}}]}`, `{"a":`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, o := range []ParseOptions{{}, {State: true}, {Strict: true}} {
			tree, _, err := Parse(model, newRelease, doc, o)
			if err != nil {
				continue
			}
			printed := tree.AppendJSON(nil, false)
			again, unknown, err := Parse(model, newRelease, printed, ParseOptions{Strict: !o.State, State: true})
			if err != nil || len(unknown) > 0 || !Equal(tree, again) || string(again.AppendJSON(nil, false)) != string(printed) {
				t.Fatalf("%s\nprints as %s: %v", doc, printed, err)
			}
		}
	})
}

func FuzzDiffApply(f *testing.F) {
	f.Add([]byte(`{}`), []byte(applyBase))
	f.Add([]byte(foreignDoc), []byte(`{"routing":{"policy":[{"name":"p2"},{"name":"p1"}],"community":["a"]}}`))
	f.Add([]byte(`{"routing":{"policy":[{"name":"p1"},{"name":"p2"}],"as-path":[1,2]}}`), []byte(`{"routing":{"policy":[{"name":"p2"},{"name":"p3"},{"name":"p1"}],"as-path":[2]}}`))
	f.Fuzz(func(t *testing.T, from, to []byte) {
		a, _, err := Parse(model, newRelease, from, ParseOptions{})
		b, _, err2 := Parse(model, newRelease, to, ParseOptions{})
		if err != nil || err2 != nil || len(b.invalid(nil)) > 0 {
			return
		}
		turns(t, a, b, SetRequest(a, b, nil))
		turns(t, a, b, SetRequest(a, b, func(c Cursor) bool { return c.Tree() == a }))
		if (len(Diff(a, b)) == 0) != Equal(a, b) {
			t.Fatalf("diff %v, equal %v", lines(Diff(a, b)), Equal(a, b))
		}
	})
}
