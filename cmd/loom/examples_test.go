package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The programs of examples/ that speak REST, one after the other: each puts what the one before did not, and brings it to simulated
// devices. The one in Go is run by the walk through the README.
func TestExamplesOfClients(t *testing.T) {
	t.Parallel()
	p, where := serveREST(t, "tiny.yaml")
	tiny := read(t, "topologies/tiny.yaml")
	for _, tt := range []struct {
		name, gateway string
		args          []string
		says          []string
	}{
		{"Python", "10.10.0.2/24", []string{"python3", example(t, "python/put.py"), "--yes"}, []string{"tiny: revision 1 by admin", "leaf1", "wave 1: ", ": done", "ended: done"}},
		{"curl", "10.10.0.3/24", []string{"sh", example(t, "curl/put.sh"), "https://" + where.REST, filepath.Dir(where.CA)}, []string{"tiny: revision 2", `"leaf1"`, `"done"`, `"intent"`}},
	} {
		file := filepath.Join(p.dir, "tiny.yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(tiny, "10.10.0.1/24", tt.gateway, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := p.example(t, append(tt.args, file)...)
		if err != nil {
			t.Errorf("%s: %v (the tests of the examples need curl and python3)\n%s", tt.name, err, out)
		}
		for _, want := range tt.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %q:\n%s", tt.name, want, out)
			}
		}
		if err := os.WriteFile(file, []byte(strings.Replace(tiny, "[web]", "[wbe]", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err = p.example(t, append(tt.args, file)...); err == nil || !strings.Contains(out, "tiny.yaml:") || !strings.Contains(out, "wbe") {
			t.Errorf("%s does not show a mistake with its place: %v\n%s", tt.name, err, out)
		}
	}
}

func example(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// example runs a program that finds the controller.
func (p *serveProcess) example(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "LOOM_CONTEXTS="+filepath.Join(p.dir, "contexts.json"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}
