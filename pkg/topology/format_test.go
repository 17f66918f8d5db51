package topology

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

// testdata/format/X.in becomes X.out.
func TestFormatIsGolden(t *testing.T) {
	t.Parallel()
	names, _ := filepath.Glob("testdata/format/*.in")
	if len(names) == 0 {
		t.Fatal("no cases")
	}
	for _, name := range names {
		src := readFile(t, name)
		got, ds := Format(src)
		if len(ds) > 0 {
			t.Fatal(ds)
		}
		golden := strings.TrimSuffix(name, ".in") + ".out"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(string(readFile(t, golden).Data), string(got)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		checkFormat(t, src)
	}
}

func TestFormattingKeepsTheIntent(t *testing.T) {
	t.Parallel()
	for _, src := range valid(t) {
		checkFormat(t, src)
		formatted, _ := Format(src)
		want, got := mustParse(t, src), mustParse(t, Source{src.Name, formatted})
		if !proto.Equal(want.Intent, got.Intent) {
			t.Errorf("%s says something else when formatted\n%s", src.Name, formatted)
		}
	}
}

// checkFormat holds Format to what is true for every file: twice is once, and no comment is lost.
func checkFormat(t *testing.T, src Source) {
	t.Helper()
	once, ds := Format(src)
	if ds.HasErrors() {
		return
	}
	twice, ds := Format(Source{src.Name, once})
	if ds.HasErrors() {
		t.Fatalf("what was formatted is refused: %v\n%s\n=>\n%s", ds, src.Data, once)
	}
	if !bytes.Equal(once, twice) {
		t.Fatalf("formatting twice differs\n%s\nfrom\n%s", cmp.Diff(string(once), string(twice)), src.Data)
	}
	if before, after := commentsOf(src.Data), commentsOf(once); !cmp.Equal(before, after) {
		t.Fatalf("comments are lost: %v, now %v\n%s\n=>\n%s", before, after, src.Data, once)
	}
}

// commentsOf counts the words of the comments of a file; formatting may put two comments on one line.
func commentsOf(data []byte) map[string]int {
	s := &scanner{data: data, report: func(int, int, string, string) *Diagnostic { return nil }, fresh: true, keep: true}
	s.scan()
	words := map[string]int{}
	for _, c := range s.comments {
		for w := range strings.FieldsSeq(c.text) {
			words[w]++
		}
	}
	return words
}

func TestFormatRefusesBrokenSyntax(t *testing.T) {
	t.Parallel()
	got, ds := Format(Source{"f.yaml", []byte("loom: v1\nname: &a demo\n")})
	if got != nil || !ds.HasErrors() {
		t.Errorf("got %q, %v", got, ds)
	}
}
