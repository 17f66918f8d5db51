package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
)

func TestParsePathReadsWhatEngineersWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		want     Path
		printed  string
	}{
		{"the root", "/", nil, "/"},
		{"keys with slashes", "/interface[name=ethernet-1/1]/mtu",
			Path{{"interface", []KeyValue{{"name", "ethernet-1/1"}}}, {"mtu", nil}}, ""},
		{"two keys", "/acl[name=a][type=ipv4]", Path{{"acl", []KeyValue{{"name", "a"}, {"type", "ipv4"}}}}, ""},
		{"prefixes are dropped", "/srl_nokia-if:interface[srl_nokia-if:name=a:b]",
			Path{{"interface", []KeyValue{{"name", "a:b"}}}}, "/interface[name=a:b]"},
		{"escaped brackets and backslashes", `/policy[name=a\]b\\c[d=e]`,
			Path{{"policy", []KeyValue{{"name", `a]b\c[d=e`}}}}, ""},
		{"needless escapes", `/policy[name=\a]`, Path{{"policy", []KeyValue{{"name", "a"}}}}, "/policy[name=a]"},
		{"an empty key value", "/policy[name=]", Path{{"policy", []KeyValue{{"name", ""}}}}, ""},
		{"wildcards", "/*/subinterface[index=*]", Path{{"*", nil}, {"subinterface", []KeyValue{{"index", "*"}}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParsePath(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if c.printed == "" {
				c.printed = c.in
			}
			if got.String() != c.printed {
				t.Errorf("got %s, want %s", got, c.printed)
			}
			if back, err := FromGNMI(nil, got.GNMI()); err != nil || !back.Equal(got) {
				t.Errorf("through gNMI: %s, %v", back, err)
			}
		})
	}
}

func TestParsePathTellsWhereTheMistakeIs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":             "offset 0: a path starts with /",
		"interface":    "offset 0: a path starts with /",
		"/a//b":        "offset 3: \"\" is no node name",
		"/a/":          "offset 3: \"\" is no node name",
		"/a[b=c":       "offset 5: ] is missing",
		"/a[b=c\\":     "offset 5: nothing follows the backslash",
		"/a[b]":        "offset 3: \"b]\" is no node name",
		"/a[b":         "offset 4: key b has no value",
		"/a[b=1][b=2]": "offset 9: key b is given twice",
		"/a[b=1]c":     "offset 7: want / or [, have 'c'",
		"/1a":          "offset 1: \"1a\" is no node name",
		"/:a":          "offset 1: \"\" is no module name",
	} {
		if _, err := ParsePath(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

func TestFromGNMIJoinsThePrefixAndRefusesNonsense(t *testing.T) {
	t.Parallel()
	prefix := mustPath("/interface[name=lag1]").GNMI()
	got, err := FromGNMI(prefix, mustPath("/subinterface[index=0]").GNMI())
	if err != nil || got.String() != "/interface[name=lag1]/subinterface[index=0]" {
		t.Errorf("got %s, %v", got, err)
	}
	if p, err := FromGNMI(nil, nil); err != nil || len(p) != 0 {
		t.Errorf("nothing is the root: got %s, %v", p, err)
	}
	for _, bad := range []*gnmi.PathElem{{Name: ""}, {Name: "a b"}, {Name: "a", Key: map[string]string{"": "x"}},
		{Name: "a", Key: map[string]string{"m:k": "x", "k": "y"}}} {
		if _, err := FromGNMI(nil, &gnmi.Path{Elem: []*gnmi.PathElem{bad}}); err == nil {
			t.Errorf("%v is no path element", bad)
		}
	}
}

func TestPathsCompareWithoutRegardToTheOrderOfKeys(t *testing.T) {
	t.Parallel()
	a, b := mustPath("/acl[name=a][type=t]/entry"), mustPath("/acl[type=t][name=a]/entry")
	if !a.Equal(b) || !a.HasPrefix(b[:1]) || b[:1].HasPrefix(a) || a.Equal(mustPath("/acl[name=a]/entry")) {
		t.Error("comparison of paths")
	}
	p := mustPath("/a/b")
	if q, r := p[:1].Child("x"), p[:1].Child("y"); q.String() != "/a/x" || r.String() != "/a/y" || p.String() != "/a/b" {
		t.Errorf("appending changed another path: %s %s %s", p, q, r)
	}
}

func TestNaturalOrderCountsInNumbers(t *testing.T) {
	t.Parallel()
	sorted := []string{"", "0", "00", "1", "1a", "01", "2", "10", "10.0.0.1/31", "10.0.0.9/31", "10.0.0.10/31",
		"a", "a0", "a1", "a1b", "a01", "a2", "a10", "ab", "ethernet-1/2", "ethernet-1/10", "ethernet-10/1", "x\x001", "x1\x00"}
	for i, a := range sorted {
		for j, b := range sorted {
			got := compareNatural(a, b)
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%q, %q: got %d", a, b, got)
			}
		}
	}
}
