package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/transaction"
)

// gitLab is a Git repository with a topology in it.
type gitLab struct {
	t   testing.TB
	dir string
}

func newGitLab(t testing.TB) *gitLab {
	t.Helper()
	g := &gitLab{t, filepath.Join(t.TempDir(), "repository")}
	g.run("init", "--quiet", "--initial-branch=main", g.dir)
	return g
}

// run is a git command of whoever keeps the repository.
func (g *gitLab) run(args ...string) string {
	g.t.Helper()
	at := []string{"-c", "user.name=Ada", "-c", "user.email=ada@example.net"}
	if args[0] != "init" {
		at = append(at, "-C", g.dir)
	}
	cmd := exec.Command("git", append(at, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits a file with a text in it, and tells which commit that is.
func (g *gitLab) commit(file, text, message string) string {
	g.t.Helper()
	name := filepath.Join(g.dir, file)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
		g.t.Fatal(err)
	}
	g.run("add", "--all")
	g.run("commit", "--quiet", "--message", message)
	return g.run("rev-parse", "HEAD")
}

// sourced is a controller that follows sources, over a simulated fabric.
type sourced struct {
	*cared
	stop func()
}

const pairFile = "testdata/pair.yaml"

// pairWith is the topology of the fabric with something more.
func pairWith(t testing.TB, more string) string {
	t.Helper()
	data, err := os.ReadFile(pairFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + more
}

// onPort is a segment on a port of some leaves.
func onPort(leaves, port string) string {
	return fmt.Sprintf("tenants: {red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}}}}\nports: [{on: %s, range: %s, segments: [web]}]\n", leaves, port)
}

func newSourced(t testing.TB) *sourced {
	c := &sourced{cared: newCared(t, filepath.FromSlash(pairFile))}
	c.s.minded = map[string]chan struct{}{}
	c.start()
	t.Cleanup(func() { c.stop() })
	return c
}

// start has the controller follow what is intended, and sources.
func (c *sourced) start() {
	ctx, cancel := context.WithCancel(c.s.ctx)
	c.s.followers.began, c.s.followers.all = time.Now(), nil
	var all sync.WaitGroup
	all.Go(func() { c.s.care(ctx) })
	all.Go(func() { c.s.followSources(ctx) })
	c.stop = sync.OnceFunc(func() {
		cancel()
		all.Wait()
	})
}

// follow follows a repository, seldom enough that only what is asked for is looked at.
func (c *sourced) follow(src controller.Source) *controller.SourceView {
	c.Helper()
	src.Interval = time.Hour
	_, err := c.s.PutSource(c.Context(), src, "ada")
	c.check(err)
	return c.sync(src.Name)
}

func (c *sourced) sync(name string) *controller.SourceView {
	c.Helper()
	v, err := c.s.SyncSource(c.Context(), name, false, "ada")
	c.check(err)
	return v
}

// becomes waits until the commit of a source is in a state.
func (c *sourced) becomes(name string, want controller.CommitState) *controller.Commit {
	c.Helper()
	var v *controller.SourceView
	c.until(func() string {
		return fmt.Sprintf("commit %+v, trouble %+v; want %s", v.Current, v.Following.Trouble, want)
	}, func() bool {
		var err error
		v, err = c.s.Source(c.Context(), name)
		c.check(err)
		return v.Current != nil && v.Current.State == want
	})
	return v.Current
}

// revision is the newest one.
func (c *sourced) revision() *controller.Intent {
	c.Helper()
	in, err := c.s.intents.Head(c.Context(), "pair")
	c.check(err)
	return in
}

// revisions is how many there are.
func (c *sourced) revisions() int {
	c.Helper()
	all, err := c.s.intents.Ledger.History(c.Context(), "pair")
	c.check(err)
	return len(all)
}

// states are what has become of the commits of a source, the newest first.
func (c *sourced) states(name string) string {
	c.Helper()
	all, err := c.s.Commits(c.Context(), name)
	c.check(err)
	var out []string
	for _, x := range all {
		out = append(out, string(x.State))
	}
	return strings.Join(out, " ")
}

// carryOut is what people do with a plan.
func (c *sourced) carryOut(id string) transaction.Result {
	c.Helper()
	p, err := c.s.Plan(c.Context(), id)
	c.check(err)
	var classes []string
	for _, x := range p.Plan.RiskClasses() {
		classes = append(classes, string(x))
	}
	_, err = c.s.Approve(c.Context(), id, p.Hash, classes, "ada")
	c.check(err)
	res, err := c.s.Apply(c.Context(), controller.ApplyRequest{Plan: id, Hash: p.Hash, By: "ada"}, func(controller.Step) {})
	c.check(err)
	if res.Outcome != transaction.Done {
		c.Fatalf("%s: %+v", id, res)
	}
	return res
}

// What a source with the manual policy finds is put and planned, and people apply it. What does not concern the topology leaves the plan
// as it is; what is newer takes its place.
func TestASourceIsPutAndPlanned(t *testing.T) {
	t.Parallel()
	c, g := newSourced(t), newGitLab(t)
	first := g.commit(pairFile, pairWith(t, ""), "as it is")
	v := c.follow(controller.Source{Name: "lab", Location: g.dir, Revision: "main", Path: "testdata"})
	if v.Current == nil || v.Current.ID != first || v.Current.State != controller.CommitUnchanged || c.revisions() != 1 {
		t.Fatalf("what is intended already is %+v", v.Current)
	}
	second := g.commit(pairFile, pairWith(t, onPort("leaf1", "ethernet-1/9")), "a port of leaf1")
	planned := c.sync("lab").Current
	if planned.ID != second || planned.State != controller.CommitPlanned || planned.Devices != 1 || planned.Revision != 2 || planned.Before != 1 {
		t.Fatalf("a change is %+v", planned)
	}
	if in := c.revision(); in.By != "source lab" || in.Commit != second || in.Message != second[:10]+" a port of leaf1" {
		t.Errorf("its revision is %+v", in.Revision)
	}
	g.commit("README.md", "how to", "words")
	if v = c.sync("lab"); v.Current.Number != planned.Number || v.Current.Plan != planned.Plan || c.revisions() != 2 {
		t.Errorf("words beside the topology came to %+v", v.Current)
	}
	g.commit(pairFile, pairWith(t, onPort("leaf2", "ethernet-1/9")), "or of leaf2")
	fourth := g.commit(pairFile, pairWith(t, onPort("leaf2", "ethernet-1/10")), "another")
	v = c.sync("lab")
	if want := "planned superseded unchanged superseded unchanged"; v.Current.ID != fourth || c.states("lab") != want {
		t.Errorf("what became of commits is %s, want %s", c.states("lab"), want)
	}
	res := c.carryOut(v.Current.Plan)
	if done := c.becomes("lab", controller.CommitApplied); done.Transaction != res.ID {
		t.Errorf("it was applied by %s, want %s", done.Transaction, res.ID)
	}
	c.stand(controller.InSync, sortedKeys(c.n.trees)...)
	if err := c.s.DeleteSource(t.Context(), "lab", "ada"); err != nil {
		t.Fatal(err)
	}
	if in := c.revision(); in.Number != 3 {
		t.Errorf("without its source the topology has revision %d", in.Number)
	}
	c.until(func() string { return "its clone is there" }, func() bool {
		_, err := os.Stat(c.s.cloneOf("lab"))
		return errors.Is(err, os.ErrNotExist) && c.s.followers.of("lab") == nil
	})
	if _, err := c.s.Source(t.Context(), "lab"); !errors.Is(err, controller.ErrNoSource) {
		t.Errorf("it is there: %v", err)
	}
}
