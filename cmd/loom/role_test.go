package main

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/auth"
)

// TestPeopleAreLetInByCommand is the first day of somebody: a certificate, a role, a call, and the end of it.
func TestPeopleAreLetInByCommand(t *testing.T) {
	t.Setenv("LOOM_CONTEXTS", filepath.Join(t.TempDir(), "contexts.json"))
	e := newEntrance(t, nil)
	dir := t.TempDir()
	admin, err := e.authority().Client("root", []string{auth.Admin}, time.Now(), rand.Reader)
	e.check(err)
	for name, data := range map[string][]byte{"ca.pem": e.authority().Pair().Certificate, "root.pem": admin.Certificate, "root.key": admin.Key} {
		e.check(os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	in := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	loom := func(args ...string) (string, error) {
		t.Helper()
		var out bytes.Buffer
		root := newRoot(&terminal{out: &out, err: &out})
		root.SetArgs(args)
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	says := func(want string, args ...string) string {
		t.Helper()
		out, err := loom(args...)
		if err != nil || !regexp.MustCompile(want).MatchString(out) {
			t.Fatalf("loom %s: %v: %s; want %s", strings.Join(args, " "), err, out, want)
		}
		return out
	}
	fails := func(want string, args ...string) {
		t.Helper()
		if out, err := loom(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("loom %s: %v: %s; want an error with %s", strings.Join(args, " "), err, out, want)
		}
	}
	says("", "context", "add", "root", "--address", e.at, "--ca", in("ca.pem"), "--cert", in("root.pem"), "--key", in("root.key"))
	says(`root, by a certificate .*\n  admin of everything: read, intent.write,`, "role", "whoami")
	says(`certificate [0-9a-f]+ of ann, good until`, "certificate", "issue", "ann", "-o", in("ann"), "--renewable")
	says("", "context", "add", "ann", "--address", e.at, "--ca", in("ann", "ca.pem"), "--cert", in("ann", "ann.pem"), "--key", in("ann", "ann.key"))
	says(`no role, and so nothing is allowed; .*loom role bind certificate:ann ROLE`, "role", "whoami", "--context", "ann")
	fails("ann may not read", "events", "--context", "ann")
	fails("there is no role", "role", "bind", "ann", "king")
	bound := says(`: certificate:ann is operator of topology demo, site bj until `, "role", "bind", "ann", "operator", "--topology", "demo", "--site", "bj", "--for", "1h", "--why", "on call")
	says(`operator of topology demo, site bj until .*: read, plan, apply, maintain`, "role", "whoami", "--context", "ann")
	says(`certificate:ann +operator +topology demo, site bj .* root +on call`, "role", "list")
	fails("ann may not access.read", "role", "list", "--context", "ann")
	id, _, _ := strings.Cut(bound, ":")
	says("", "role", "unbind", id)
	fails("there is no such thing", "role", "unbind", id)
	was, err := os.ReadFile(in("ann", "ann.pem"))
	e.check(err)
	says(`of ann, good until`, "certificate", "renew", "--context", "ann")
	is, err := os.ReadFile(in("ann", "ann.pem"))
	e.check(err)
	if bytes.Equal(was, is) {
		t.Error("the certificate is the one from before")
	}
	says(`(?s)ann +[0-9a-f]+ .*good\nann +[0-9a-f]+ .*good`, "certificate", "list")
	fails("what you show was not issued to be renewed", "certificate", "renew")
	says(`revoked: all certificates of ann that were issued so far`, "certificate", "revoke", "ann", "--why", "laptop lost")
	if out, err := loom("role", "whoami", "--context", "ann"); err == nil {
		t.Errorf("who was kept out is in: %s", out)
	}
	says(`revoked .* by root: laptop lost`, "certificate", "list")
	says(`(?s)BEGIN CERTIFICATE.*BEGIN CERTIFICATE`, "certificate", "authority", "prepare")
	fails("switch first", "certificate", "authority", "finish")

	says("", "certificate", "issue", "eve", "--role", "break-glass", "-o", in("eve"))
	says("", "context", "add", "eve", "--address", e.at, "--ca", in("eve", "ca.pem"), "--cert", in("eve", "eve.pem"), "--key", in("eve", "eve.key"))
	fails(`required flag(s) "why" not set`, "break-glass", "--context", "eve")
	fails("use 1s to 4h", "break-glass", "--context", "eve", "--why", "fire", "--for", "5h")
	says(`certificate:eve is admin of everything until`, "break-glass", "--context", "eve", "--why", "bj is dark")
	says(`certificate:eve +admin .*bj is dark`, "break-glass", "list")
	says(`eve has broken the glass and is admin`, "findings")
	says(`over: certificate:eve is admin`, "break-glass", "end", "--context", "eve")
	says(`nothing is wrong`, "findings")
	fails("no such plan", "plans", "show", "plan-1")
}
