package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/store"
)

// A plan asks nobody for confirm timers. It says what apply has heard, as long as the router has the same software.
func TestAPlanKnowsWhatApplyHasHeardOfConfirmTimers(t *testing.T) {
	t.Parallel()
	const without, unasked = "bj-gateway2 without confirm timers", "bj-gateway2 not asked for confirm timers yet"
	for commits, want := range map[string]string{"honoured": "", "ignored": without} {
		t.Run(commits, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text, err := os.ReadFile("testdata/joined.yaml")
			if err != nil {
				t.Fatal(err)
			}
			file, other := filepath.Join(dir, "joined.yaml"), filepath.Join(dir, "other.yaml")
			inventory := filepath.Join(dir, "sim.json")
			f := fleetWith(t, "testdata/joined.yaml", simulation{bgp: bgpComputed, commits: commits})
			f.configureSome(t, "bj-gateway2")
			f.sim.Record(nil, 1000)
			for name, data := range map[string][]byte{
				file: text, other: []byte(strings.NewReplacer("10.10.0.1/24}", "10.10.0.1/24}, app: {number: 11}", "[web]", "[web, app]").Replace(string(text))), inventory: f.sim.Inventory().JSON(),
			} {
				if err := os.WriteFile(name, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			loom := func(code int, args ...string) string {
				t.Helper()
				var out bytes.Buffer
				args = append(args, "--inventory", inventory, "--data", dir, "--limit", "bj-gateway2")
				if got := run(t.Context(), args, &terminal{in: strings.NewReader(""), out: &out, err: &out}); got != code {
					t.Fatalf("loom %v: exit code %d, want %d\n%s", args, got, code, out.String())
				}
				return out.String()
			}
			says := func(said, want string) {
				t.Helper()
				if !strings.Contains(said, want) || want == "" && strings.Contains(said, "confirm timers") {
					t.Errorf("want %q:\n%s", want, said)
				}
			}
			says(loom(exitChanges, "plan", other), unasked)
			if heard, err := f.sim.Journal(); err != nil || len(heard) > 0 {
				t.Errorf("a plan has sent something: %v, %v", heard, err)
			}
			says(loom(exitOK, "apply", other, "--yes", "--rest", "0s"), want)
			says(loom(exitChanges, "plan", file), want)
			books, err := (&storeFlags{dir: dir}).open(t.Context(), &terminal{err: io.Discard}, dir)
			if err == nil {
				_, err = books.Commit(t.Context(), store.Tx{Put: map[string][]byte{timersKey("joined", "bj-gateway2"): []byte(`{"version": "C-26.3.R0", "timed": true}`)}})
				err = errors.Join(err, books.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
			says(loom(exitChanges, "plan", file), unasked)
		})
	}
}
