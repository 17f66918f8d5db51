package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/store"
)

// Words that nobody may be shown.
const (
	oldWord = "tr0ub4dor"
	newWord = "correct-horse-battery"
	byHand  = "staple-by-hand"
	strange = "known-to-no-profile"
)

const passwordPath = "/network-instance[name=default]/protocols/bgp/group[group-name=overlay]/authentication/password"

// guarded is the tiny fabric with a password on the sessions of its overlay.
func guarded(t *testing.T, file string, passwords ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "topologies", "tiny.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	raw := "raw:\n"
	for _, word := range passwords {
		for _, on := range []string{"leaf1..2", "spine1"} {
			raw += "  - {on: " + on + ", path: \"" + passwordPath + "\", value: \"" + word + "\"}\n"
		}
	}
	if err := os.WriteFile(file, append(text, raw...), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Whatever is done with a configuration that holds secrets, by a login that is one: nothing that is printed has them,
// and no file but those of configurations, which nobody else may read.
func TestSecretsAreNeitherPrintedNorKeptWhereOthersRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, then := guarded(t, filepath.Join(dir, "first.yaml"), oldWord), guarded(t, filepath.Join(dir, "then.yaml"), newWord)
	srcs, err := sources([]string{first})
	if err != nil {
		t.Fatal(err)
	}
	n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := simulation{bgp: bgpComputed}.start(t.Context(), n.design)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	login := s.Inventory().Password
	inventory := filepath.Join(t.TempDir(), "sim.json")
	if err := os.WriteFile(inventory, s.Inventory().JSON(), 0o600); err != nil {
		t.Fatal(err)
	}
	words := []string{oldWord, newWord, byHand, strange, login}
	loom := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		got := run(t.Context(), args, &terminal{in: strings.NewReader(""), out: &out, err: &out})
		if got != want {
			t.Fatalf("loom %v: exit code %d, want %d\n%s", args, got, want, out.String())
		}
		for _, word := range words {
			if strings.Contains(out.String(), word) {
				t.Errorf("loom %v shows %q:\n%s", args, word, out.String())
			}
		}
		return out.String()
	}
	on := func(args ...string) []string { return append(args, "--inventory", inventory) }
	push := func(args ...string) []string {
		return on(append(args, "--yes", "--rest", "0s", "--gate", "0", "--drain", "never", "--backup", filepath.Join(dir, ".loom", "backup"))...)
	}

	if shown := loom(exitChanges, on("plan", first, "--all", "--format", "json")...); !strings.Contains(shown, "(secret)") {
		t.Errorf("a plan that sets a password does not say so:\n%s", shown)
	}
	loom(0, push("apply", first)...)
	for _, format := range []string{"text", "json", "markdown"} {
		loom(exitChanges, on("plan", then, "--all", "--format", format)...)
	}
	if err := s.Device("leaf1").Hold(config.Unknown{Path: mustPath("/network-instance[name=default]/protocols/bgp/vault"), JSON: []byte(`{"shared-secret": "` + strange + `"}`)}); err != nil {
		t.Fatal(err)
	}
	loom(exitRolledBack, push("apply", then, "--all", "--check", "false")...)
	loom(0, push("apply", then, "--all", "--format", "json")...)
	list := loom(0, "transactions", "list", "--data", filepath.Join(dir, ".loom"), "--format", "json")
	var accounts []account
	if err := json.Unmarshal([]byte(list), &accounts); err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		loom(0, "transactions", "show", a.ID, "--data", filepath.Join(dir, ".loom"))
		loom(0, "transactions", "show", a.ID, "--data", filepath.Join(dir, ".loom"), "--format", "json")
	}

	// Somebody else writes there; then mistakes.
	b := &bench{sim: s}
	b.hand(t, "leaf1", passwordPath, `"`+byHand+`"`)
	loom(exitChanges, on("plan", then)...)
	loom(exitChanges, on("check", then)...)
	loom(exitError, push("rollback", accounts[0].ID, then)...)
	if _, err := s.Inject(sim.Fault{Kind: "refuse", Target: "leaf2"}); err != nil {
		t.Fatal(err)
	}
	loom(exitError, push("rollback", accounts[0].ID, then, "--overwrite")...)
	loom(exitError, "validate", guarded(t, filepath.Join(dir, "twice.yaml"), oldWord, newWord))
	loom(exitError, "plan", guarded(t, filepath.Join(dir, "long.yaml"), strings.Repeat(oldWord, 100)), "--against", dir)
	loom(0, "explain", "leaf1", passwordPath, then)
	loom(0, "query", passwordPath, then)

	data := filepath.Join(dir, ".loom")
	secretless(t, data, words)
	private(t, data, login)
}

// secretless reads all that a run has left in its store: nothing but configurations has secrets.
func secretless(t *testing.T, data string, words []string) {
	t.Helper()
	books, err := store.Open(t.Context(), store.Options{Dir: (&storeFlags{}).storeDir(data), Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer books.Close()
	all, _, err := books.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]int{}
	for _, r := range all {
		kind, _, _ := strings.Cut(r.Key, "/")
		kept[kind]++
		text := string(r.Value)
		if raw, err := decoder().DecodeAll(r.Value, nil); err == nil {
			text = string(raw)
		}
		for _, word := range words {
			if strings.Contains(text, word) && (kind != "configurations" || word == words[len(words)-1]) {
				t.Errorf("%s has %q: %s", r.Key, word, text)
			}
		}
	}
	for _, kind := range []string{"transactions", "participants", "configurations"} {
		if kept[kind] == 0 {
			t.Errorf("no %s are kept", kind)
		}
	}
}

// private looks at the files of a store: nobody else may read them, and none has the login.
func private(t *testing.T, data, login string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(data, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if open := info.Mode().Perm() & 0o077; open != 0 {
			t.Errorf("%s is %v: others may read it", name, info.Mode())
		}
		if !e.Type().IsRegular() {
			return nil
		}
		files++
		content, err := os.ReadFile(name)
		if bytes.Contains(content, []byte(login)) {
			t.Errorf("%s has the login", name)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files: %v", files, err)
	}
}
