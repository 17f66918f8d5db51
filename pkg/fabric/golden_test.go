package fabric

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/topology"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestDesignsAreThoseOfTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"numbered", "irregular", "sites"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			design := compileFile(t, name+".yaml", read(t, name+".yaml"))
			golden(t, name+".golden.json", canonical(t, design))
		})
	}
}

func TestMistakesAreShownWhereTheyWereMade(t *testing.T) {
	t.Parallel()
	in, diags := topology.Parse(topology.Source{Name: "mistakes.yaml", Data: read(t, "mistakes.yaml")})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	_, diags = Compile(in)
	golden(t, "mistakes.golden.txt", []byte(diags.Error()+"\n"))
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, name)), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// canonical writes a design as JSON without what is empty, platforms by their names.
func canonical(t *testing.T, design *Design) []byte {
	t.Helper()
	data, err := json.Marshal(design)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	data, err = json.MarshalIndent(lean(tree), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

func lean(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = lean(v[i])
		}
	case map[string]any:
		if platform, ok := v["Platform"].(map[string]any); ok {
			v["Platform"] = platform["Name"]
		}
		for key, child := range v {
			if child = lean(child); empty(child) {
				delete(v, key)
			} else {
				v[key] = child
			}
		}
	}
	return v
}

func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case json.Number:
		return v == "0"
	}
	return v == nil || v == "" || v == false
}
