package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// awaited are pages that are linked and not written yet.
var awaited = []string{}

func TestEveryPackageHasASentence(t *testing.T) {
	t.Parallel()
	sentences := map[string]string{}
	for _, f := range sourceFiles(t) {
		if f.test {
			continue
		}
		sentences[f.pkg] += f.ast.Doc.Text()
		want := "Package " + f.ast.Name.Name + " "
		if f.ast.Name.Name == "main" {
			want = "Command " + filepath.Base(f.pkg) + " "
		}
		if doc := f.ast.Doc.Text(); doc != "" && !strings.HasPrefix(doc, want) {
			t.Errorf("%s: begins with %.30q, want %q", f.name, doc, want)
		}
	}
	for pkg, sentence := range sentences {
		if sentence == "" {
			t.Errorf("%s: no file says what the package is", pkg)
		}
	}
}

func TestEveryExportedNameHasASentence(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		if f.test || f.ast.Name.Name == "main" || ast.IsGenerated(f.ast) {
			continue
		}
		for _, d := range f.ast.Decls {
			for _, id := range undocumented(d) {
				t.Errorf("%s: %s has no comment", f.tree.Position(id.Pos()), id.Name)
			}
		}
	}
}

// undocumented are the exported names that a declaration declares without a word.
func undocumented(d ast.Decl) []*ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return nil // a sentence for the group
		}
		var out []*ast.Ident
		for _, s := range d.Specs {
			out = append(out, undocumentedSpec(s)...)
		}
		return out
	}
	return nil
}

func undocumentedSpec(s ast.Spec) []*ast.Ident {
	var out []*ast.Ident
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Doc == nil && s.Comment == nil && s.Name.IsExported() {
			out = append(out, s.Name)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if s.Doc == nil && s.Comment == nil && name.IsExported() {
				out = append(out, name)
			}
		}
	}
	return out
}

// exportedReceiver tells whether a function is seen from outside: none of a type that is not.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	at := d.Recv.List[0].Type
	for {
		switch x := at.(type) {
		case *ast.StarExpr:
			at = x.X
		case *ast.IndexExpr:
			at = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

func TestFilesAreShortEnoughToRead(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		if lines := f.tree.File(f.ast.Pos()).LineCount(); lines > 700 && !ast.IsGenerated(f.ast) {
			t.Errorf("%s has %d lines; at most 700", f.name, lines)
		}
	}
}

func TestTestsDoNotSleep(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		if !f.test && !strings.HasSuffix(f.pkg, "test") {
			continue
		}
		for _, call := range f.uses("time", []string{"Sleep"}) {
			t.Errorf("%s: time.Sleep: wait for what is to happen, or use testing/synctest", f.tree.Position(call.Pos()))
		}
	}
}

// link is a Markdown link to a file: no scheme, no anchor of the same page.
var link = regexp.MustCompile(`\]\(([^)#: ]+)(#[^)]*)?\)`)

func TestEveryLinkLeadsToAFile(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(page.text, -1) {
			target := filepath.ToSlash(filepath.Join(filepath.Dir(page.name), m[1]))
			if _, err := os.Stat(filepath.Join(root, target)); err != nil && !slices.Contains(awaited, target) {
				t.Errorf("%s links to %s, which is not there", page.name, m[1])
			}
		}
	}
}

// notInAnchors is what headings have and their anchors lack.
var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// anchors are those of the headings of a page, as GitHub makes them.
func anchors(page string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(page) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' {
			heading = notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			out["#"+strings.ReplaceAll(heading, " ", "-")] = true
		}
	}
	return out
}

func TestEveryLinkLeadsToAHeading(t *testing.T) {
	t.Parallel()
	of := map[string]map[string]bool{}
	for _, page := range pages(t) {
		of[page.name] = anchors(page.text)
	}
	for _, page := range pages(t) {
		for _, m := range regexp.MustCompile(`\]\(([^)#: ]*)(#[^)]+)\)`).FindAllStringSubmatch(page.text, -1) {
			target := page.name
			if m[1] != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(page.name), m[1]))
			}
			if headings, ok := of[target]; ok && !headings[m[2]] {
				t.Errorf("%s links to %s of %s, which has no such heading", page.name, m[2], target)
			}
		}
	}
}

func TestEveryPageIsListedInTheReadme(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	for _, page := range pages(t) {
		if filepath.Dir(page.name) == "docs" && !strings.Contains(readme, "("+page.name+")") {
			t.Errorf("README.md does not link to %s", page.name)
		}
	}
}

func TestEveryDecisionIsListed(t *testing.T) {
	t.Parallel()
	list := read(t, "docs/decisions/README.md")
	for _, page := range pages(t) {
		if name, ok := strings.CutPrefix(page.name, "docs/decisions/"); ok && name != "README.md" && !strings.Contains(list, "("+name+")") {
			t.Errorf("docs/decisions/README.md does not list %s", name)
		}
	}
}

func TestEveryTopologyIsExplained(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "topologies", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, []byte("# ")) {
			t.Errorf("%s: no comment says what it shows", file)
		}
	}
}

func TestNoPageNamesAPlaceOfThisMachine(t *testing.T) {
	t.Parallel()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages(t) {
		for _, place := range []string{home, checkout, os.TempDir()} {
			if strings.Contains(page.text, place+"/") {
				t.Errorf("%s names %s", page.name, place)
			}
		}
	}
}

// docs/commands.md is what `loom help` says; -update writes it.
func TestEveryCommandIsDocumented(t *testing.T) {
	t.Parallel()
	const page = "docs/commands.md"
	got := commandsPage(newRoot(&terminal{out: io.Discard, err: io.Discard}))
	if *update {
		if err := os.WriteFile(filepath.Join(root, page), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, page), got); diff != "" {
		t.Errorf("%s (-is +should be); go test ./cmd/loom -update writes it:\n%s", page, diff)
	}
}

func TestEveryCommandHelps(t *testing.T) {
	t.Parallel()
	for _, c := range commands(newRoot(&terminal{out: io.Discard, err: io.Discard})) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: %q: a short sentence without a full stop", c.CommandPath(), c.Short)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s says nothing", c.CommandPath(), f.Name)
			}
		})
	}
}

// commands are those that a person may call, without what every program of this kind has.
func commands(root *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, c := range root.Commands() {
		if c.Name() == "help" || c.Name() == "completion" || c.Hidden {
			continue
		}
		out = append(out, c)
		out = append(out, commands(c)...)
	}
	return out
}

// commandsPage is the help of every command as Markdown.
func commandsPage(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Commands\n\nWhat `loom help` says, made by `go test ./cmd/loom -update`. `loom completion` writes completions for shells.\n\n")
	b.WriteString("| command | |\n|---|---|\n")
	all := commands(root)
	for _, c := range all {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", c.CommandPath(), strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
	}
	for _, c := range all {
		fmt.Fprintf(&b, "\n## %s\n\n", c.CommandPath())
		fmt.Fprintf(&b, "```text\n%s%s\n%s", paragraph(c.Long), c.UseLine(), flagLines(c))
		if c.Example != "" {
			fmt.Fprintf(&b, "\n%s\n", c.Example)
		}
		b.WriteString("```\n")
	}
	return b.String()
}

func paragraph(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	return s + "\n\n"
}

func flagLines(c *cobra.Command) string {
	if !c.HasLocalFlags() {
		return ""
	}
	return "\n" + c.LocalFlags().FlagUsages()
}

// page is a Markdown file of the repository.
type page struct{ name, text string }

func pages(t *testing.T) []page {
	t.Helper()
	var out []page
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "examples/*/*.md", "topologies/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			name := strings.TrimPrefix(filepath.ToSlash(f), root+"/")
			out = append(out, page{name, read(t, name)})
		}
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
