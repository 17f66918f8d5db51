//go:build !race

package main

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
)

// clone is a repository as a source follows it.
func (g *gitLab) clone(revision, path string) *repository {
	s := &controller.Source{Name: "lab", Location: g.dir, Revision: revision, Path: path}
	return &repository{source: s, dir: filepath.Join(g.t.TempDir(), "sources", "lab"), most: mostRepository}
}

// found is what is found at a place, with its files as "name: text".
func found(t testing.TB, at place, last string) (controller.Tip, string, error) {
	t.Helper()
	tip, err := at.find(t.Context(), last)
	if err != nil {
		return tip, "", err
	}
	srcs, err := at.files(t.Context(), tip.ID)
	return tip, textOf(srcs), err
}

func textOf(srcs []topology.Source) string {
	var out []string
	for _, s := range srcs {
		out = append(out, s.Name+": "+string(s.Data))
	}
	return strings.Join(out, "; ")
}

// What is followed of a repository is read out of the commit: a branch, a tag or a commit, files by their path.
func TestARepositoryIsReadByRevisionAndPath(t *testing.T) {
	t.Parallel()
	g := newGitLab(t)
	first := g.commit("net/a.yaml", "one", "first\n\nmore")
	g.run("tag", "--annotate", "--message", "v1", "v1")
	g.run("branch", "old")
	second := g.commit("net/b.yaml", "two", "second")
	g.commit("net/b.yaml.orig", "no", "not followed")
	g.commit("net/.c.yaml", "no", "not followed either")
	head := g.commit("net/below/d.yaml", "no", "below\tit")
	for _, c := range []struct {
		name, revision, path string
		id, files            string
		wrong                string
	}{
		{"a directory", "main", "net", head, "net/a.yaml: one; net/b.yaml: two", ""},
		{"a file", "main", "net/b.yaml", head, "net/b.yaml: two", ""},
		{"a tag", "v1", "net", first, "net/a.yaml: one", ""},
		{"a branch by its whole name", "refs/heads/old", "net", first, "net/a.yaml: one", ""},
		{"a commit that no branch ends with", second, "net", second, "net/a.yaml: one; net/b.yaml: two", ""},
		{"a path that is not there", "main", "nets", head, "", "nets: is not in the commit"},
		{"a directory without topologies", "main", "", head, "", "has no *.yaml files"},
		{"a branch that is not there", "gone", "net", "", "", "couldn't find remote ref gone"},
		{"a commit that is not there", strings.Repeat("ab", 20), "net", "", "", "git fetch: "},
	} {
		tip, files, err := found(t, g.clone(c.revision, c.path), "")
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || errors.Is(err, controller.ErrInvalid) != (c.id != "") {
				t.Errorf("%s: %v, want %q", c.name, err, c.wrong)
			}
			continue
		}
		if err != nil || tip.ID != c.id || files != c.files {
			t.Errorf("%s: %s with %s, %v; want %s with %s", c.name, tip.ID, files, err, c.id, c.files)
		}
	}
	tip, _, err := found(t, g.clone("main", "net"), "")
	if err != nil || tip.Subject != "below it" || tip.Author != "Ada" || tip.Written.IsZero() || tip.Descends || len(tip.Between) > 0 {
		t.Errorf("the first look has found %+v, %v", tip, err)
	}
	at := g.clone("main", "net")
	if _, _, err := found(t, at, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(at.dir, "objects", "pack", "tmp_pack_x"), []byte("left by a fetch that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	tip, _, err = found(t, at, first)
	if err != nil || !tip.Descends || len(tip.Between) != 3 || tip.Between[0].ID != second || tip.Between[0].Subject != "second" {
		t.Errorf("behind the first commit is %+v, %v", tip, err)
	}
	g.run("reset", "--quiet", "--hard", first)
	g.commit("net/a.yaml", "other", "another way")
	if tip, _, err = found(t, at, head); err != nil || tip.Descends {
		t.Errorf("a history that was rewritten is %+v, %v", tip, err)
	}
	other := g.clone("main", "net") // whoever has lost the clone does not know the old one any more
	if tip, _, err = found(t, other, head); err != nil || tip.Descends {
		t.Errorf("a history that was rewritten is %+v, %v", tip, err)
	}
}

// Nothing that a repository has in it is run, and no link of it is followed.
func TestARepositoryRunsNothing(t *testing.T) {
	t.Parallel()
	g := newGitLab(t)
	proof := filepath.Join(t.TempDir(), "ran")
	g.commit("net/a.yaml", "one", "first")
	for _, hook := range []string{"post-checkout", "post-merge", "reference-transaction", "post-update", "pre-auto-gc"} {
		script := "#!/bin/sh\ntouch " + proof + "\n"
		if err := os.WriteFile(filepath.Join(g.dir, ".git", "hooks", hook), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := g.clone("main", "net")
	if _, _, err := found(t, at, ""); err != nil {
		t.Fatal(err)
	}
	hooks := filepath.Join(at.dir, "hooks") // even if somebody puts one into the clone
	if err := errors.Join(os.MkdirAll(hooks, 0o700), os.WriteFile(filepath.Join(hooks, "reference-transaction"), []byte("#!/bin/sh\ntouch "+proof+"\n"), 0o700)); err != nil {
		t.Fatal(err)
	}
	g.commit(".gitattributes", "*.yaml filter=run diff=run\n", "a filter")
	g.run("config", "filter.run.smudge", "touch "+proof)
	g.commit(".gitmodules", "[submodule \"x\"]\n\tpath = net/sub.yaml\n\turl = ext::sh -c touch% "+proof+"\n", "a submodule")
	if _, files, err := found(t, at, ""); err != nil || files != "net/a.yaml: one" {
		t.Errorf("read %s, %v", files, err)
	}
	if _, err := os.Stat(proof); !errors.Is(err, os.ErrNotExist) {
		t.Error("something of the repository was run")
	}
	for _, c := range []struct{ name, wrong string }{
		{"a link", "net/passwd.yaml: is a link"},
		{"a submodule", "net/sub.yaml: is a submodule"},
	} {
		if c.name == "a link" {
			if err := os.Symlink("/etc/passwd", filepath.Join(g.dir, "net", "passwd.yaml")); err != nil {
				t.Fatal(err)
			}
			g.run("add", "--all")
		} else {
			g.run("rm", "--quiet", "net/passwd.yaml")
			g.run("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("ab", 20)+",net/sub.yaml")
		}
		g.run("commit", "--quiet", "--message", c.name)
		if _, _, err := found(t, at, ""); !errors.Is(err, controller.ErrInvalid) || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v, want %q", c.name, err, c.wrong)
		}
	}
	// A link on the way is no directory.
	if err := os.Symlink("/etc", filepath.Join(g.dir, "etc")); err != nil {
		t.Fatal(err)
	}
	g.run("add", "--all", "etc")
	g.run("commit", "--quiet", "--message", "etc")
	if _, _, err := found(t, g.clone("main", "etc/passwd"), ""); !errors.Is(err, controller.ErrInvalid) {
		t.Errorf("a file behind a link: %v", err)
	}
	// git is asked to run a helper by nobody, should one pass for a location.
	bad := g.clone("main", "")
	bad.source.Location = "ext::sh -c touch% " + proof
	if _, _, err := found(t, bad, ""); err == nil || !strings.Contains(err.Error(), "transport 'ext' not allowed") {
		t.Errorf("a helper: %v", err)
	}
	if _, err := os.Stat(proof); !errors.Is(err, os.ErrNotExist) {
		t.Error("something was run")
	}
}

// What is read has bounds, and who goes beyond them is told.
func TestARepositoryHasBounds(t *testing.T) {
	t.Parallel()
	g := newGitLab(t)
	noise := make([]byte, 1<<20)
	state := uint32(1)
	for i := range noise { // that is not compressed
		state = state*1664525 + 1013904223
		noise[i] = byte(state >> 24)
	}
	g.commit("noise", string(noise), "a megabyte")
	at := g.clone("main", "")
	at.most = 1 << 19
	if _, err := at.find(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "git fetch: 1 MiB and more; at most 0 are kept") {
		t.Errorf("a repository that is too large: %v", err)
	}
	if rest, _ := filepath.Glob(filepath.Join(at.dir, "objects", "pack", "tmp_*")); len(rest) > 0 {
		t.Errorf("it has left %v", rest)
	}
	for _, c := range []struct {
		files int
		bytes int64
		fits  bool
	}{{1000, 32 << 20, true}, {1001, 1, false}, {1, 32<<20 + 1, false}} {
		if err := checkSizes(c.files, c.bytes); (err == nil) != c.fits || err != nil && !errors.Is(err, controller.ErrInvalid) {
			t.Errorf("%d files with %d bytes: %v", c.files, c.bytes, err)
		}
	}
	out := &bounded{most: 5}
	for _, p := range []string{"abc", "defg", "h"} {
		if n, err := out.Write([]byte(p)); n != len(p) || err != nil {
			t.Errorf("%q: %d, %v", p, n, err)
		}
	}
	if out.kept.String() != "abcde" || !out.more {
		t.Errorf("kept %q, more %v", out.kept.String(), out.more)
	}
}

// Whoever is not let in hears so in git's own words, and nobody is asked for a password.
func TestARepositoryThatDoesNotLetIn(t *testing.T) { // not parallel: the environment is that of the process
	asked := make(chan string, 10)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "no", http.StatusUnauthorized)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	t.Setenv("GIT_DIR", "/nowhere") // whoever starts the controller within another repository means that no more
	at := newGitLabAt(t, server.URL+"/lab.git")
	if _, err := at.find(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server that does not prove who it is: %v", err)
	}
	t.Setenv("GIT_SSL_CAINFO", ca)
	began := time.Now()
	if _, err := at.find(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "terminal prompts disabled") {
		t.Errorf("a server that asks for a password: %v", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	if path := <-asked; path != "/lab.git/info/refs" {
		t.Errorf("asked for %s", path)
	}
	secret := filepath.Join(t.TempDir(), "askpass")
	if err := os.WriteFile(secret, []byte("#!/bin/sh\necho hunter2\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_ASKPASS", secret)
	if _, err := at.find(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "Authentication failed") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a server that refuses a password: %v", err)
	}
}

func newGitLabAt(t testing.TB, location string) *repository {
	return &repository{source: &controller.Source{Name: "lab", Location: location, Revision: "main"}, dir: filepath.Join(t.TempDir(), "lab"), most: mostRepository}
}

// A directory is followed by what is in its files; links lead nowhere else, and pipes are not waited for.
func TestADirectoryIsReadByItsFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	look := func(path string) (controller.Tip, string, error) {
		t.Helper()
		return found(t, &folder{source: &controller.Source{Name: "lab", Location: dir, Path: path}, settle: func(context.Context) {}}, "")
	}
	write("net/a.yaml", "one")
	write("net/.b.yaml", "no")
	write("net/c.yml", "no")
	first, files, err := look("net")
	if err != nil || files != "net/a.yaml: one" || !first.Descends || len(first.ID) != 64 {
		t.Errorf("%+v with %s, %v", first, files, err)
	}
	write("net/a.yaml", "two")
	second, _, err := look("net")
	if err != nil || second.ID == first.ID {
		t.Errorf("a change is %+v, %v", second, err)
	}
	if _, err := (&folder{source: &controller.Source{Location: dir, Path: "net"}}).files(t.Context(), first.ID); err == nil || errors.Is(err, controller.ErrInvalid) {
		t.Errorf("files of before are there: %v", err)
	}
	write("net/a.yaml", "one")
	if again, _, err := look("net/a.yaml"); err != nil || again.ID != first.ID {
		t.Errorf("what it was is %+v, %v", again, err)
	}
	if err := os.Symlink("a.yaml", filepath.Join(dir, "net", "inside.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, files, err := look("net"); err != nil || files != "net/a.yaml: one; net/inside.yaml: one" {
		t.Errorf("a link within the directory: %s, %v", files, err)
	}
	for _, c := range []struct {
		name, path string
		make       func(name string) error
		wrong      string
	}{
		{"a link that leaves the directory", "out", func(name string) error { return os.Symlink("/etc/passwd", name) }, "escapes"},
		{"a link that goes up", "up", func(name string) error { return os.Symlink("../../../etc/passwd", name) }, "escapes"},
		{"a pipe", "pipe", func(name string) error { return exec.Command("mkfifo", name).Run() }, "is no file"},
		{"a directory of that name", "only", func(name string) error { return os.Mkdir(name, 0o700) }, "has no *.yaml files"},
		{"nothing", "none", func(string) error { return nil }, "none: is not there"},
	} {
		if c.path != "none" {
			if err := errors.Join(os.Mkdir(filepath.Join(dir, c.path), 0o700), c.make(filepath.Join(dir, c.path, "x.yaml"))); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := look(c.path); !errors.Is(err, controller.ErrInvalid) || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v, want %q", c.name, err, c.wrong)
		}
	}
	if _, err := (&folder{source: &controller.Source{Location: filepath.Join(dir, "gone")}}).find(t.Context(), ""); !errors.Is(err, os.ErrNotExist) || errors.Is(err, controller.ErrInvalid) {
		t.Errorf("a directory that is gone: %v", err)
	}
}

// What is being written is not taken: only what has stood still for a while.
func TestADirectoryIsReadWhenItStandsStill(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "a.yaml")
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("")
	looks := 0
	settle := func(context.Context) {
		if looks++; looks < 4 {
			write(strings.Repeat("x", looks))
		}
	}
	_, files, err := found(t, &folder{source: &controller.Source{Location: filepath.Dir(name)}, settle: settle}, "")
	if err != nil || files != "a.yaml: xxx" || looks != 4 {
		t.Errorf("after %d looks %q, %v", looks, files, err)
	}
}
