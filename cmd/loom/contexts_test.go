//go:build !race

package main

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/auth"
)

// What goes wrong on somebody's first day with a controller is told with the thing, the cause and what to do.
func TestMistakesOfTheFirstDayAreTold(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	if out, err := p.loom(t, "", "context", "wait"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var all contexts
	data, err := os.ReadFile(filepath.Join(p.dir, "contexts.json"))
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil || len(all.List) != 1 {
		t.Fatalf("%v: %s", err, data)
	}
	right := all.List[0]
	with := func(change func(*callContext)) string {
		c := right
		change(&c)
		return writeContexts(t, contexts{Current: c.Name, List: []callContext{c}})
	}
	other := strangerKeys(t)
	if err := os.WriteFile(filepath.Join(p.dir, "typo.yaml"), []byte(strings.Replace(read(t, "topologies/tiny.yaml"), "[web]", "[wbe]", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name             string
		contexts         string // file; empty: that of the controller
		command          string
		thing, cause, do string
	}{
		{"no controller was ever started here", filepath.Join(t.TempDir(), "none.json"), "devices", "none.json: ", "no controller is known here", "loom serve makes one, or use loom context add"},
		{"a context that is none", "", "devices --context prod", "prod: ", "no such context", "use one of state, or make it with loom context add"},
		{"no context is chosen", writeContexts(t, contexts{List: all.List}), "devices", "", "no current context", "loom context use: state"},
		{"contexts that are no JSON", fileWith(t, "contexts.json", "{"), "devices", "contexts.json: ", "unexpected end", "mend it, or take it away"},
		{"the controller does not run", with(func(c *callContext) { c.Server = "127.0.0.1:1" }), "devices",
			"context state: the controller at 127.0.0.1:1 ", "connection refused", "start it with loom serve, or choose another with loom context use"},
		{"another controller is at the address", with(func(c *callContext) { c.CA = other.CA }), "devices",
			"context state: the controller at " + right.Server, "is not the one that " + other.CA + " vouches for", "choose the right context with loom context use"},
		{"a certificate of another controller", with(func(c *callContext) { c.Cert, c.Key = other.Cert, other.Key }), "devices",
			"does not take the certificate " + other.Cert, "signed by unknown authority", "name one that its authority has signed with loom context add"},
		{"certificates that are gone", with(func(c *callContext) { c.CA = "gone.pem" }), "devices", "context state: ", "gone.pem: no such file", "loom context add"},
		{"waiting for what does not come", with(func(c *callContext) { c.Server = "127.0.0.1:1" }), "context wait --for 10ms", "127.0.0.1:1", "not within 10ms", "start it with loom serve"},
		{"waiting for a simulation that was not started", "", "sim wait --inventory nosim.json --for 10ms", "nosim.json", "no such file", "loom sim -o writes"},
		{"waiting for devices where there are none", "", "devices --wait 1s", "the controller has no device", "not within 1s", "loom intent put"},
		{"an inventory that is not there", "", "serve --data other --listen 127.0.0.1:0 --inventory nosim.json", "--inventory nosim.json: ", "no such file", "loom sim -o writes"},
		{"a port that somebody has", "", "serve --data other --listen " + right.Server, "--listen", "address already in use", "use another port, or end what has this one"},
		{"a topology that is none", "", "devices dmeo", "dmeo: ", "no such topology", "loom intent list shows all"},
		{"a file that is not there", "", "intent put gone.yaml", "gone.yaml: ", "no such file", "name a topology file"},
		{"a file with a mistake", "", "intent put typo.yaml", "typo.yaml:", "no segment wbe", "write web"},
	} {
		out, err := p.loom(t, tt.contexts, strings.Fields(tt.command)...)
		if exited, ok := exitStatus(err); !ok || exited != exitError {
			t.Errorf("%s: loom %s ends with %v, want exit code %d", tt.name, tt.command, err, exitError)
		}
		for _, want := range []string{tt.thing, tt.cause, tt.do} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: loom %s does not say %q:\n%s", tt.name, tt.command, want, out)
			}
		}
	}
}

// loom runs a command in the directory of the controller, with the contexts of a file, or those that it has written.
func (p *serveProcess) loom(t *testing.T, contexts string, args ...string) (string, error) {
	t.Helper()
	if contexts == "" {
		contexts = filepath.Join(p.dir, "contexts.json")
	}
	cmd := exec.CommandContext(t.Context(), "loom", args...)
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), "LOOM_CONTEXTS="+contexts)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func fileWith(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func writeContexts(t *testing.T, all contexts) string {
	t.Helper()
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return fileWith(t, "contexts.json", string(data))
}

// strangerKeys are certificates of another authority.
func strangerKeys(t *testing.T) callContext {
	t.Helper()
	authority, err := auth.NewAuthority("other", time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Client("admin", []string{auth.Admin}, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return callContext{
		CA: fileWith(t, "ca.pem", string(authority.Pair().Certificate)), Cert: fileWith(t, "admin.pem", string(pair.Certificate)), Key: fileWith(t, "admin.key", string(pair.Key)),
	}
}
