package topology

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite golden files")

// Each file of testdata/diagnostics holds cases: a sentence, the source (several begin with "++ NAME"), and
// after "=>" all that is printed. The texts are the product: read the diff before committing it.
func TestDiagnosticsPrint(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/diagnostics/*.txt")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	for _, name := range files {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range ar.Files {
			t.Run(f.Name, func(t *testing.T) {
				source, want, _ := bytes.Cut(f.Data, []byte("=>\n"))
				got := textOf(sourcesOf(string(source))...)
				if *update {
					ar.Files[i].Data = append(append(bytes.Clone(source), "=>\n"...), got...)
					return
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
		if *update {
			if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// textOf is what a person reads after Parse.
func textOf(sources ...Source) string {
	top, ds := Parse(sources...)
	if (top == nil) != ds.HasErrors() {
		return fmt.Sprintf("topology %v, and these findings:\n%s\n", top, ds.Error())
	}
	if len(ds) == 0 {
		return "fine\n"
	}
	return ds.Error() + "\n"
}

// sourcesOf splits a case into its files.
func sourcesOf(text string) []Source {
	if !strings.HasPrefix(text, "++ ") {
		return []Source{{"f.yaml", []byte(text)}}
	}
	var list []Source
	for _, part := range strings.Split(text, "++ ")[1:] {
		name, data, _ := strings.Cut(part, "\n")
		list = append(list, Source{name, []byte(data)})
	}
	return list
}

func TestDiagnosticsAreShortened(t *testing.T) {
	t.Parallel()
	text := "loom: v1\nname: demo\n" + strings.Repeat("x: 1\n", 50)
	_, ds := Parse(Source{"f.yaml", []byte(text)})
	lines := strings.Split(ds.Error(), "\n")
	got := lines[len(lines)-1]
	if want := fmt.Sprintf("and %d more", len(ds)-20); got != want || len(lines) != 21 {
		t.Errorf("%d lines, the last %q; want 21, the last %q", len(lines), got, want)
	}
}

func TestDiagnosticsSortByPlace(t *testing.T) {
	t.Parallel()
	ds := Diagnostics{{Pos: Pos{"b", 1, 1}}, {Pos: Pos{"a", 2, 1}}, {Pos: Pos{"a", 1, 9}}, {Pos: Pos{"a", 1, 2}}}
	ds.Sort()
	var got []string
	for _, d := range ds {
		got = append(got, d.Pos.String())
	}
	if want := []string{"a:1:2", "a:1:9", "a:2:1", "b:1:1"}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWarningsAreNotErrors(t *testing.T) {
	t.Parallel()
	ds := Diagnostics{{Severity: Warning, Message: "leaf1: alone"}}
	if ds.HasErrors() {
		t.Error("a warning is an error")
	}
	if got, want := ds.Error(), "warning: leaf1: alone"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestACappedFileSaysSo(t *testing.T) {
	t.Parallel()
	_, ds := Parse(Source{"f.yaml", []byte(strings.Repeat("a b\n", 300))})
	if len(ds) != maxFaults || !strings.Contains(ds[len(ds)-1].String(), "these are the first 100 errors") {
		t.Errorf("%d findings, the last %q", len(ds), ds[len(ds)-1])
	}
}
