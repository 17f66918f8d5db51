package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/loomfabric/loom/pkg/topology"
)

// docs/topology.schema.json is what `loom schema` prints, for editors that fetch it; -update writes it.
func TestThePublishedSchemaIsTheOneThatIsPrinted(t *testing.T) {
	t.Parallel()
	file := filepath.Join(root, "docs", "topology.schema.json")
	got := topology.JSONSchema()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not current; run make golden", file)
	}
}
