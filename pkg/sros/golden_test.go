package sros

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestDocumentsAreThoseOfTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for kind, d := range kinds(t) {
		golden(t, kind+".json", document(t, render(t, d)))
	}
}

// Nokia's models judge every document: what is rendered, and what a drain makes of it.
func TestNokiasModelsAcceptEveryDocument(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("LOOM_CONFORMANCE")
	if folder == "" {
		t.Skip("LOOM_CONFORMANCE names no folder with sros.sh")
	}
	dir := t.TempDir()
	var files []string
	write := func(name string, doc []byte) {
		file := filepath.Join(dir, name+".json")
		if err := os.WriteFile(file, doc, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	for kind, d := range kinds(t) {
		tree := render(t, d)
		write(kind, document(t, tree))
		drained, err := Drain(tree, d)
		if err != nil {
			t.Fatal(err)
		}
		write(kind+"-drained", document(t, drained))
	}
	slices.Sort(files)
	if out, err := exec.Command(filepath.Join(folder, "sros.sh"), files...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
