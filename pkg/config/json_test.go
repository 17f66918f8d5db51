package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheIndentedFormHasTwoSpaces(t *testing.T) {
	t.Parallel()
	tree := parse(t, `{"system":{"name":"a","dns":{}},"routing":{"as-path":[2,1],"policy":[{"name":"p"},{"name":"o"}]}}`)
	want := `{
  "ex-base:system": {
    "name": "a",
    "ex-more:dns": {}
  },
  "ex-base:routing": {
    "policy": [
      {
        "name": "p"
      },
      {
        "name": "o"
      }
    ],
    "as-path": [
      2,
      1
    ]
  }
}`
	if diff := cmp.Diff(want, string(tree.AppendJSON(nil, true))); diff != "" {
		t.Error(diff)
	}
	if got := string(EmptyTree(model, newRelease).AppendJSON([]byte("x"), true)); got != "x{}" {
		t.Errorf("empty tree: got %s", got)
	}
}

func TestAValueAtACursorIsQualifiedAtItsTop(t *testing.T) {
	t.Parallel()
	tree := parse(t, `{"interface":[{"name":"lag1","vlan-tagging":true,"speed":"enable","group":["a"],"subinterface":[{"index":1,"type":"routed"}]}],"system":{"flag":[null]}}`)
	for p, want := range map[string]string{
		"/": `{"ex-base:system":{"flag":[null]},"ex-base:interface":[{"name":"lag1","speed":"enable","ex-more:vlan-tagging":true,"group":["a"],"subinterface":[{"index":1,"type":"ex-base:routed"}]}]}`,
		"/interface[name=lag1]/subinterface[index=1]": `{"ex-base:index":1,"ex-base:type":"ex-base:routed"}`,
		"/interface[name=lag1]/subinterface":          `[{"index":1,"type":"ex-base:routed"}]`,
		"/interface[name=lag1]/group":                 `["a"]`,
		"/interface[name=lag1]/speed":                 `"enable"`,
		"/system/flag":                                `[null]`,
		"/system":                                     `{"ex-base:flag":[null]}`,
	} {
		if got := string(tree.Find(path(t, p)).AppendJSON(nil)); got != want {
			t.Errorf("%s: got %s, want %s", p, got, want)
		}
	}
}

func TestParseAcceptsWhatDevicesSend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"bare and qualified names", `{"ex-base:system":{"ex-base:name":"a","dns":{"ex-more:domain":"d"}}}`, `{"ex-base:system":{"name":"a","ex-more:dns":{"domain":"d"}}}`},
		{"numbers in quotes and without", `{"system":{"mtu":"1500","big":-5,"huge":"10","ratio":1.50}}`, `{"ex-base:system":{"mtu":1500,"ratio":"1.5","big":"-5","huge":"10"}}`},
		{"keys at the end of an entry", `{"interface":[{"subinterface":[{"type":"routed","index":7}],"description":"d","name":"lag1"}]}`, `{"ex-base:interface":[{"name":"lag1","description":"d","subinterface":[{"index":7,"type":"ex-base:routed"}]}]}`},
		{"all escapes", `{"system":{"banner":"\"\\\/\n\r\t\u00e9\ud83d\ude00"}}`, "{\"ex-base:system\":{\"banner\":\"\\\"\\\\/\\n\\r\\té\U0001F600\"}}"},
		{"white space", " { \"system\" : { \"flag\" : [ null ] , \"name\":\t\"a\" }\r\n} ", `{"ex-base:system":{"name":"a","flag":[null]}}`},
		{"empty objects and arrays", `{"system":{},"interface":[],"routing":{"community":[]}}`, `{}`},
		{"state, which is dropped", `{"system":{"uptime":"99"},"interface":[{"name":"lag1","statistics":{"in":"1","event":[{"text":"x"}]}}]}`, `{"ex-base:interface":[{"name":"lag1"}]}`},
		{"quoted booleans", `{"interface":[{"name":"lag1","vlan-tagging":"true"}]}`, `{"ex-base:interface":[{"name":"lag1","ex-more:vlan-tagging":true}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, string(parse(t, c.in).AppendJSON(nil, false))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseKeepsStateWhereAsked(t *testing.T) {
	t.Parallel()
	doc := `{"ex-base:system":{"uptime":"99"},"ex-base:interface":[{"name":"lag1","statistics":{"in":"10","event":[{"text":"x"},{"text":"x"}]}}]}`
	tree, _, err := Parse(model, newRelease, []byte(doc), ParseOptions{State: true})
	if err != nil || string(tree.AppendJSON(nil, false)) != doc {
		t.Fatalf("got %s, %v", tree.AppendJSON(nil, false), err)
	}
	for c := range tree.All() {
		if c.IsEntry() && len(c.Node().Keys) == 0 && (len(c.Keys()) > 0 || c.Path().String() != "/interface[name=lag1]/statistics/event") {
			t.Errorf("entry without keys: %s", c.Path())
		}
	}
}

func TestStateMayHaveNamesThatTheSchemaHasNotHeardOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, state, want string }{
		{"an enumeration", `{"condition":"on \"fire\""}`, ""},
		{"an identity", `{"role":"vendor:relay"}`, ""},
		{"an identity of another release", `{"role":"mirror"}`, ""},
		{"one that is known is canonical", `{"role":"bridged"}`, `{"role":"ex-more:bridged"}`},
		{"a member of a union", `{"pace":"warp"}`, ""},
		{"values of a leaf-list", `{"alarm":["enable","smoke"]}`, ""},
		{"the key of a list", `{"flow":[{"type":"express","in":"10"}]}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc := `{"ex-base:interface":[{"name":"lag1","statistics":` + c.state + `}]}`
			tree, _, err := Parse(model, oldRelease, []byte(doc), ParseOptions{State: true})
			if err != nil {
				t.Fatal(err)
			}
			want := doc
			if c.want != "" {
				want = strings.Replace(doc, c.state, c.want, 1)
			}
			if got := string(tree.AppendJSON(nil, false)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			again, _, err := Parse(model, oldRelease, tree.AppendJSON(nil, false), ParseOptions{State: true})
			if err != nil || !Equal(tree, again) {
				t.Errorf("read again: %s, %v", again.AppendJSON(nil, false), err)
			}
			_, _, err = Parse(model, oldRelease, []byte(doc), ParseOptions{State: true, Strict: true})
			if strict := err != nil; strict != (c.want == "") {
				t.Errorf("strict: %v", err)
			}
		})
	}
}

// A value that its type refuses may be one of another release: it is told, and the tree is without it.
func TestParseReturnsValuesThatTheReleaseDoesNotHave(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		unknown  []string
		tree     string
	}{
		{"an enumeration", `{"admin-state":"on-fire","mtu":1500}`, []string{`/interface[name=lag1]/admin-state "on-fire"`}, `,"mtu":1500`},
		{"a member of a union", `{"speed" : "warp"}`, []string{`/interface[name=lag1]/speed "warp"`}, ``},
		{"a number beyond its range", `{"mtu":99}`, []string{`/interface[name=lag1]/mtu 99`}, ``},
		{"a key takes its entry along", `{"subinterface":[{"index":0,"acl":[{"name":"a", "type":"express"},{"name":"a","type":"enable"}]}]}`,
			[]string{`/interface[name=lag1]/subinterface[index=0]/acl[name=a][type=express] {"name":"a", "type":"express"}`},
			`,"subinterface":[{"index":0,"ex-more:acl":[{"name":"a","type":"enable"}]}]`},
		{"a counter that is none", `{"statistics":{"in":"many"}}`, []string{`/interface[name=lag1]/statistics/in "many"`}, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc := `{"interface":[{"name":"lag1",` + c.in[1:] + `]}`
			tree, unknown, err := Parse(model, newRelease, []byte(doc), ParseOptions{State: true})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, u := range unknown {
				got = append(got, u.Path.String()+" "+string(u.JSON))
			}
			if diff := cmp.Diff(c.unknown, got); diff != "" {
				t.Error(diff)
			}
			if got, want := string(tree.AppendJSON(nil, false)), `{"ex-base:interface":[{"name":"lag1"`+c.tree+`}]}`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			var value *ValueError
			if _, _, err = Parse(model, newRelease, []byte(doc), ParseOptions{State: true, Strict: true}); !errors.As(err, &value) {
				t.Errorf("strict: got %v, want an error about a value", err)
			}
		})
	}
}

// What no release writes is a mistake, of state too.
func TestValuesHaveTheFormOfTheirType(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{"name":"lag1","statistics":{"condition":7}}`, `{"name":"lag1","statistics":{"condition":[null]}}`,
		`{"name":"lag1","statistics":{"condition":"a\u0001"}}`, `{"name":"lag1","admin-state":5}`, `{"name":"lag1","mtu":[null]}`,
	} {
		var value *ValueError
		if _, _, err := Parse(model, oldRelease, []byte(`{"interface":[`+in+`]}`), ParseOptions{State: true}); !errors.As(err, &value) {
			t.Errorf("%s: got %v, want an error about a value", in, err)
		}
	}
}

func TestParseAtAPathReadsTheValueOfThatNode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ at, in, want string }{
		{"/interface[name=lag1]", `{"ex-base:description":"d"}`, `{"ex-base:interface":[{"name":"lag1","description":"d"}]}`},
		{"/interface", `[{"name":"lag2"},{"name":"lag1"}]`, `{"ex-base:interface":[{"name":"lag1"},{"name":"lag2"}]}`},
		{"/interface[name=lag1]/group", `["b","a"]`, `{"ex-base:interface":[{"name":"lag1","group":["a","b"]}]}`},
		{"/interface[name=lag1]/mtu", `1500`, `{"ex-base:interface":[{"name":"lag1","mtu":1500}]}`},
		{"/system/uptime", `"nonsense"`, `{}`},
	} {
		tree, _, err := Parse(model, newRelease, []byte(c.in), ParseOptions{At: path(t, c.at)})
		if err != nil || string(tree.AppendJSON(nil, false)) != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.at, tree.AppendJSON(nil, false), err, c.want)
		}
	}
	var pe *PathError
	if _, _, err := Parse(model, newRelease, []byte("1"), ParseOptions{At: path(t, "/system/mut")}); !errors.As(err, &pe) || pe.Element != "mut" {
		t.Errorf("got %v", err)
	}
}

func TestParseReturnsForeignConfiguration(t *testing.T) {
	t.Parallel()
	doc := `{"system":{"vendor:clock":{"x":[1,{"y":null}]},"new-thing":"x","other:name":"n"},"interface":[{"name":"lag1","qos": 5}]}`
	tree, unknown, err := Parse(model, oldRelease, []byte(doc), ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range unknown {
		got = append(got, u.Path.String()+" "+string(u.JSON))
	}
	want := []string{`/system/clock {"x":[1,{"y":null}]}`, `/system/new-thing "x"`, `/system/name "n"`, `/interface[name=lag1]/qos 5`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if tree.Find(path(t, "/system/name")).Valid() {
		t.Error("another module's name is not ours")
	}
	var pe *PathError
	_, _, err = Parse(model, oldRelease, []byte(doc), ParseOptions{Strict: true})
	if !errors.As(err, &pe) || pe.Element != "clock" || pe.Path.String() != "/system" {
		t.Errorf("strict: got %v", err)
	}
}

func TestParseTellsPathAndOffsetOfAMistake(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, maxDepth+1)
	for _, c := range []struct{ name, in, want string }{
		{"nothing", ``, "offset 0: /: the document ends too early"},
		{"no object", `[]`, "offset 0: /: want '{', have '['"},
		{"cut short", `{"system":{"name":"a"`, "offset 21: /system: the document ends too early"},
		{"cut in a string", `{"system":{"name":"a`, "offset 20: /system/name: the document ends too early"},
		{"cut in an escape", `{"system":{"name":"a\`, "/system/name: the document ends too early"},
		{"something after", `{} x`, "offset 3: /: want the end of the document, have 'x'"},
		{"zero bytes after", "{}\x00", "offset 2: /: want the end of the document"},
		{"no comma", `{"system":{"name":"a" "mtu":1500}}`, "offset 22: /system: want ',' or '}', have '\"'"},
		{"a comma too many", `{"system":{"name":"a",}}`, "want another element after ',', have '}'"},
		{"a name without quotes", `{system:{}}`, "offset 1: /: want a member's name, have 's'"},
		{"no colon", `{"system" {}}`, "offset 10: /: want ':', have '{'"},
		{"a bad number", `{"system":{"mtu":01500}}`, `/system/mtu: "01500" is no JSON value`},
		{"a bad word", `{"system":{"mtu":nil}}`, `/system/mtu: "nil" is no JSON value`},
		{"null", `{"system":{"mtu":null}}`, `/system/mtu: null is no value`},
		{"an object for a leaf", `{"system":{"mtu":{}}}`, `/system/mtu: want a value, have an object`},
		{"an array for a leaf", `{"system":{"mtu":[1500]}}`, `/system/mtu: want a value, have an array`},
		{"null for a leaf", `{"system":{"name":[null]}}`, `/system/name: [null] is given, but the type is not empty`},
		{"a string for empty", `{"system":{"flag":""}}`, `/system/flag: the value of type empty is written [null]`},
		{"a number for a string", `{"system":{"name":5}}`, `/system/name: want a string in quotes, have 5`},
		{"a number for a reference", `{"routing":{"uplink":5}}`, `/routing/uplink: "5" is not a valid port`},
		{"a leaf for a list", `{"interface":"x"}`, `/interface: want '[', have '"'`},
		{"a value for an entry", `{"interface":["x"]}`, `/interface: want '{', have '"'`},
		{"a container twice", `{"system":{},"ex-base:system":{}}`, `offset 13: /: "system" is there twice`},
		{"a leaf twice", `{"system":{"name":"a","name":"a"}}`, `offset 22: /system: "name" is there twice`},
		{"an unknown member twice", `{"x":1,"x":2}`, `offset 7: /: "x" is there twice`},
		{"a member of an unknown one twice", `{"x":{"y":1,"y":1}}`, `"y" is there twice`},
		{"an entry twice", `{"interface":[{"name":"lag1"},{"name":"lag1"}]}`, `entry /interface[name=lag1] is there twice`},
		{"a value twice", `{"routing":{"as-path":[1,1]}}`, `offset 25: /routing/as-path: "1" is there twice`},
		{"a key missing", `{"interface":[{"mtu":1500}]}`, `offset 14: /interface: an entry has no key name`},
		{"a second key missing", `{"interface":[{"name":"lag1","subinterface":[{"index":1,"acl":[{"name":"a"}]}]}]}`, `/interface[name=lag1]/subinterface[index=1]/acl: an entry has no key type`},
		{"an entry twice whose key is unknown", `{"interface":[{"name":"eth0"},{"name":"eth0"}]}`, `entry /interface[name=eth0] is there twice`},
		{"a key twice", `{"interface":[{"name":"lag1","name":"lag2"}]}`, `"name" is there twice`},
		{"too deep", `{"x":` + deep, "nesting is deeper than 64"},
		{"invalid UTF-8", "{\"system\":{\"banner\":\"\xff\"}}", "a string is not valid UTF-8"},
		{"invalid UTF-8 after an escape", "{\"system\":{\"banner\":\"\\n\xff\"}}", "a string is not valid UTF-8"},
		{"a raw line break", "{\"system\":{\"banner\":\"a\nb\"}}", "control character 0x0a in a string"},
		{"a raw line break after an escape", "{\"system\":{\"banner\":\"\\ta\nb\"}}", "control character 0x0a in a string"},
		{"a bad escape", `{"system":{"banner":"\x"}}`, `"\\x" is no escape`},
		{"a bad unicode escape", `{"system":{"banner":"\u12g4"}}`, `\u wants four hexadecimal digits`},
		{"half a surrogate pair", `{"system":{"banner":"\ud83d"}}`, `half of a surrogate pair`},
		{"NUL", `{"system":{"banner":"\u0000"}}`, `characters that YANG does not allow`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := Parse(model, newRelease, []byte(c.in), ParseOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "offset ") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestOneUnknownValueOfALeafListTakesAllAlong(t *testing.T) {
	t.Parallel()
	doc := `{"routing":{"as-path": [1, 4294967296,2],"community":["a"]}}`
	tree, unknown, err := Parse(model, newRelease, []byte(doc), ParseOptions{})
	if err != nil || len(unknown) != 1 || unknown[0].Path.String() != "/routing/as-path" || string(unknown[0].JSON) != "[1, 4294967296,2]" {
		t.Fatalf("got %v, %v", unknown, err)
	}
	if got, want := string(tree.AppendJSON(nil, false)), `{"ex-base:routing":{"community":["a"]}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStrictParseTellsPathAndOffsetOfABadValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`{"system":{"mtu": 99}}`, "offset 18: /system/mtu: 99 is out of range 1450..9412"},
		{`{"system":{"mtu":1500.0}}`, `offset 17: /system/mtu: "1500.0" is not a whole number`},
		{`{"interface":[{"name":"eth0"}]}`, `offset 22: /interface/name: "eth0" is not a valid port`},
	} {
		if _, _, err := Parse(model, newRelease, []byte(c.in), ParseOptions{Strict: true}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestPrintingNeedsNoMemory(t *testing.T) {
	tree := build(t, func(b *Builder) { leafSwitch(b, 9000) })
	dst := tree.AppendJSON(nil, true)
	if n := testing.AllocsPerRun(10, func() { dst = tree.AppendJSON(dst[:0], true) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
