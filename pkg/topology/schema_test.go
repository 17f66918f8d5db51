package topology

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("topology.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("topology.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// plainValue gives the value that a schema sees: keys are texts even where YAML takes them for numbers.
func plainValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plainValue(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plainValue(c))
		}
		return list
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return n.Value
	}
	return v
}

func fileValue(t *testing.T, data []byte) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	return plainValue(doc.Content[0])
}

func TestSchemaAcceptsWhatParses(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	for _, src := range valid(t) {
		if err := schema.Validate(fileValue(t, src.Data)); err != nil {
			t.Errorf("%s: %v", src.Name, err)
		}
		expanded := Expand(mustParse(t, src))
		if err := schema.Validate(fileValue(t, expanded)); err != nil {
			t.Errorf("%s, expanded: %v", src.Name, err)
		}
	}
}

func TestSchemaRefusesWhatTheTableRefuses(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	for _, tt := range []struct{ name, file string }{
		{"an unknown key", "loom: v1\nname: demo\ncolour: red\n"},
		{"an unknown key inside", "loom: v1\nname: demo\nunderlay: {colour: red}\n"},
		{"a key that is not built", "loom: v1\nname: demo\nroadms: {count: 2}\n"},
		{"a number out of range", "loom: v1\nname: demo\nunderlay: {mtu: 1}\n"},
		{"a bad name", "loom: v1\nname: Demo\n"},
		{"a number as a text", "loom: v1\nname: demo\nrelease: 25.3\n"},
		{"no version", "name: demo\n"},
		{"a wrong choice", "loom: v1\nname: demo\noverlay: {routing: ospf}\n"},
		{"a missing key", "loom: v1\nname: demo\nports: [{on: leaf1}]\n"},
		{"a secret", "loom: v1\nname: demo\nlogin: {password: hunter2}\n"},
	} {
		if schema.Validate(fileValue(t, []byte(tt.file))) == nil {
			t.Errorf("%s passes the schema", tt.name)
		}
		if _, ds := Parse(Source{"f", []byte(tt.file)}); !ds.HasErrors() {
			t.Errorf("%s parses", tt.name)
		}
	}
}

// Each example of the table is a value that its key takes.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	for _, keys := range allKeys {
		seen := map[string]bool{}
		if len(keys.List) > maxKeys {
			t.Errorf("%s has more than %d keys", keys.Name, maxKeys)
		}
		for i := range keys.List {
			k := &keys.List[i]
			if k.Doc == "" || seen[k.Name] || (k.Example == "") != k.Unbuilt {
				t.Errorf("%s: %s is given twice, or has no description or example", keys.Name, k.Name)
			}
			seen[k.Name] = true
			if k.Unbuilt {
				continue
			}
			p := &parser{names: []string{"f"}}
			tree := p.decode(0, []byte(k.Name+": "+k.Example+"\n"))
			if tree == nil || !p.check(k, "", entry{0, tree.Content[0], tree.Content[1]}) {
				t.Errorf("%s: %s: %v", keys.Name, k.Name, p.findings)
			}
		}
	}
}

func TestReferenceIsUpToDate(t *testing.T) {
	t.Parallel()
	const page = "../../docs/topology.md"
	got := Reference()
	if *update {
		if err := os.WriteFile(page, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, page).Data), string(got)); diff != "" {
		t.Errorf("run go test ./pkg/topology -update (-want +got)\n%s", diff)
	}
	for _, line := range strings.Split(string(got), "\n") {
		if strings.HasPrefix(line, "| `") && strings.Count(line, " | ") != 3 {
			t.Errorf("broken row: %s", line)
		}
	}
}
