package srlinux

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestDocumentsAreThoseOfTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"unnumbered", "numbered", "odd", "dual"} {
		for _, release := range releases {
			for _, device := range []string{"leaf1", "spine1"} {
				file := name + "." + device + "." + release + ".json"
				t.Run(file, func(t *testing.T) {
					t.Parallel()
					golden(t, file, document(open(t, name, release).render(t, device)))
				})
			}
		}
	}
}

func TestRenderingTwiceGivesEqualBytes(t *testing.T) {
	t.Parallel()
	for _, topology := range topologies(t) {
		a, b := open(t, topology, ""), open(t, topology, "")
		for i, d := range a.routers() {
			if !bytes.Equal(document(render(t, d)), document(render(t, b.routers()[i]))) {
				t.Errorf("%s: %s differs from itself", topology, d.Name)
			}
		}
	}
}

// document is the tree as it is written to a file.
func document(tree *config.Tree) []byte { return append(tree.AppendJSON(nil, true), '\n') }

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
