//go:build !race

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
)

// at is how a source stands: its state, and a part of why.
func (c *sourced) at(name, state, why string) *controller.SourceView {
	c.Helper()
	v, err := c.s.Source(c.Context(), name)
	c.check(err)
	if is, reason, since := v.State(); is != state || !strings.Contains(reason, why) || since.IsZero() {
		c.Errorf("source %s is %s: %s (since %v); want %s: %s", name, is, reason, since, state, why)
	}
	return v
}

// transactions is how many there have been.
func (c *sourced) transactions() int {
	c.Helper()
	all, err := c.s.Transactions(c.Context(), "pair")
	c.check(err)
	return len(all)
}

// prefixSet is a set of prefixes, without which there is less to keep something out.
const prefixSet = `raw: [{on: leaf1, path: "/routing-policy/prefix-set[name=guests]/prefix[ip-prefix=10.9.0.0/16][mask-length-range=16..24]/mask-length-range", value: 16..24}]
`

// Where the policy says so a source applies what it finds, as far as risks and the number of devices are allowed. What goes beyond waits for
// somebody to approve it, and is applied then.
func TestASourceAppliesWithinWhatIsAllowed(t *testing.T) {
	t.Parallel()
	c, g := newSourced(t), newGitLab(t)
	g.commit(pairFile, pairWith(t, onPort("leaf1", "ethernet-1/9")), "a port of leaf1")
	auto := controller.Source{Name: "lab", Location: g.dir, Revision: "main", Path: pairFile, Policy: controller.ApplyAuto, MaxDevices: 1}
	c.follow(auto)
	done := c.becomes("lab", controller.CommitApplied)
	if done.Transaction == "" || done.Devices != 1 {
		t.Errorf("it was applied as %+v", done)
	}
	c.stand(controller.InSync, sortedKeys(c.n.trees)...)
	if x, err := c.s.Transaction(t.Context(), done.Transaction); err != nil || x.By != "source lab" || x.Revision != done.Revision {
		t.Errorf("its transaction is %+v, %v", x, err)
	}

	// More devices than may be changed unseen.
	g.commit(pairFile, pairWith(t, onPort("leaves", "ethernet-1/9..10")), "ports of both")
	many := c.sync("lab").Current
	c.at("lab", "waiting", "2 devices change, and without approval of many-devices at most 1 do")
	if strings.Join(many.Risks, " ") != "many-devices" {
		t.Errorf("risks that wait are %v", many.Risks)
	}
	p, err := c.s.Plan(t.Context(), many.Plan)
	c.check(err)
	_, err = c.s.Approve(t.Context(), p.ID, p.Hash, []string{"many-devices"}, "ada")
	c.check(err)
	c.becomes("lab", controller.CommitApplied)

	// A risk that nobody has allowed, and then somebody has.
	g.commit(pairFile, pairWith(t, onPort("leaves", "ethernet-1/9..10")+prefixSet), "a set")
	c.sync("lab")
	c.becomes("lab", controller.CommitApplied)
	g.commit(pairFile, pairWith(t, onPort("leaves", "ethernet-1/9..10")), "no set")
	risky := c.sync("lab").Current
	if risky.State != controller.CommitWaiting || strings.Join(risky.Risks, " ") != "guard-removed" {
		t.Fatalf("a plan with risks is %+v", risky)
	}
	before := c.transactions()
	c.sync("lab")
	if c.transactions() != before {
		t.Error("it was applied without approval")
	}
	auto.Allowed = []plan.Class{plan.GuardRemoved}
	c.follow(auto)
	if c.becomes("lab", controller.CommitApplied); c.transactions() != before+1 {
		t.Errorf("%d transactions, want one more than %d", c.transactions(), before)
	}
	c.stand(controller.InSync, sortedKeys(c.n.trees)...)
}

// What is no topology is told with its places, and never put.
func TestACommitThatIsNoTopology(t *testing.T) {
	t.Parallel()
	c, g := newSourced(t), newGitLab(t)
	g.commit("net/pair.yaml", pairWith(t, ""), "as it is")
	c.follow(controller.Source{Name: "lab", Location: g.dir, Revision: "main", Path: "net"})
	put := c.revisions()
	for _, x := range []struct{ name, text, why string }{
		{"a key that there is none of", pairWith(t, "colour: red\n"), `net/pair.yaml:5:1: `},
		{"a leaf that there is none of", pairWith(t, onPort("leaf9", "ethernet-1/9")), `net/pair.yaml:6:`},
		{"a port that there is none of", pairWith(t, onPort("leaf1", "ethernet-9/9")), `net/pair.yaml:6:`},
		{"another name", strings.Replace(pairWith(t, ""), "name: pair", "name: other", 1), "its topology is other, and that of the source pair"},
		{"no YAML", "{", "net/pair.yaml:1:"},
	} {
		id := g.commit("net/pair.yaml", x.text, x.name)
		v := c.sync("lab")
		c.at("lab", "invalid", x.why)
		if v.Current.ID != id || x.name != "another name" && len(v.Current.Mistakes) == 0 {
			t.Errorf("%s: %+v", x.name, v.Current)
		}
	}
	g.run("mv", "net/pair.yaml", "pair.yaml")
	g.run("commit", "--quiet", "--message", "elsewhere")
	c.sync("lab")
	c.at("lab", "invalid", "net: is not in the commit")
	if c.revisions() != put {
		t.Errorf("%d revisions, want %d: something invalid was put", c.revisions(), put)
	}
	g.commit("net/pair.yaml", pairWith(t, "# mended\n"), "mended")
	if v := c.sync("lab"); v.Current.State != controller.CommitApplied || c.revisions() != put+1 {
		t.Errorf("what was mended is %+v", v.Current)
	}
	events, _, err := c.s.Events(t.Context(), 0)
	c.check(err)
	told := 0
	for _, e := range events {
		if e.Kind == controller.SourceEvent && strings.Contains(e.Message, ": invalid: net/pair.yaml:5:1: ") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("that a commit is invalid was told %d times", told)
	}
}

// A source that cannot be read, or whose history was rewritten, changes nothing. What was planned before goes on.
func TestASourceInTrouble(t *testing.T) {
	t.Parallel()
	c, g := newSourced(t), newGitLab(t)
	first := g.commit(pairFile, pairWith(t, ""), "as it is")
	g.commit(pairFile, pairWith(t, onPort("leaf1", "ethernet-1/9")), "a port of leaf1")
	planned := c.follow(controller.Source{Name: "lab", Location: g.dir, Revision: "main", Path: pairFile}).Current

	away := g.dir + " is away"
	c.check(os.Rename(g.dir, away))
	c.sync("lab")
	since := c.at("lab", "unreachable", "does not appear to be a git repository").Following.Trouble.Since
	c.sync("lab")
	if again := c.at("lab", "unreachable", "git fetch: ").Following.Trouble.Since; !again.Equal(since) {
		t.Errorf("it is away since %v, and then since %v", since, again)
	}
	c.carryOut(planned.Plan)
	done := c.becomes("lab", controller.CommitApplied)
	if v := c.at("lab", "unreachable", ""); v.Current.Number != planned.Number || done.Revision != planned.Revision {
		t.Errorf("what was planned before is %+v", v.Current)
	}
	c.check(os.Rename(away, g.dir))
	c.sync("lab")
	c.at("lab", "applied", "")

	g.run("branch", "--move", "main", "other")
	c.sync("lab")
	c.at("lab", "unreachable", "couldn't find remote ref main")
	g.run("branch", "--move", "other", "main")
	c.sync("lab")
	c.at("lab", "applied", "")

	g.run("reset", "--quiet", "--hard", first)
	forced := g.commit(pairFile, pairWith(t, onPort("leaf2", "ethernet-1/9")), "by force")
	put := c.revisions()
	c.sync("lab")
	c.sync("lab")
	if c.at("lab", "rewritten", "does not follow from"); c.revisions() != put {
		t.Error("a history that was rewritten was put")
	}
	v, err := c.s.SyncSource(t.Context(), "lab", true, "ada")
	c.check(err)
	if v.Current.ID != forced || v.Current.State != controller.CommitPlanned || c.revisions() != put+1 {
		t.Errorf("as somebody has said it is meant so it is %+v", v.Current)
	}
	last := g.commit(pairFile, pairWith(t, onPort("leaf2", "ethernet-1/10")), "on top")
	if v = c.sync("lab"); v.Current.ID != last || v.Current.State != controller.CommitPlanned {
		t.Errorf("what follows then is %+v", v.Current)
	}

	// A clone that was lost is made anew, and nothing is taken for new or rewritten.
	c.check(os.RemoveAll(c.s.cloneOf("lab")))
	if v = c.sync("lab"); v.Following.Trouble != nil || v.Current.ID != last || v.Current.State != controller.CommitPlanned {
		t.Errorf("without its clone it is %+v, %+v", v.Following.Trouble, v.Current)
	}
}

// What others put meanwhile is not written over unasked; what comes before a commit is applied takes its place.
func TestASourceBesidePeople(t *testing.T) {
	t.Parallel()
	c, g := newSourced(t), newGitLab(t)
	g.commit(pairFile, pairWith(t, onPort("leaf1", "ethernet-1/9")), "a port of leaf1")
	c.follow(controller.Source{Name: "lab", Location: g.dir, Revision: "main", Path: pairFile})
	byHand, err := sources([]string{pairFile})
	c.check(err)
	put, err := c.s.intents.Put(t.Context(), byHand, controller.Write{By: "ada", Message: "by hand"})
	c.check(err)
	c.s.followers.stir()
	c.becomes("lab", controller.CommitSuperseded)
	c.at("lab", "superseded", fmt.Sprintf("revision %d, which ada has put, came before", put.Revision.Number))

	g.commit(pairFile, pairWith(t, onPort("leaf2", "ethernet-1/9")), "a port of leaf2")
	c.sync("lab")
	if c.at("lab", "waiting", fmt.Sprintf("revision %d, which ada has put, came behind %d", put.Revision.Number, put.Revision.Number-1)); c.revision().Number != put.Revision.Number {
		t.Error("what somebody else has put was written over")
	}
	c.sync("lab")
	c.at("lab", "waiting", "--overwrite")
	v, err := c.s.SyncSource(t.Context(), "lab", true, "ada")
	c.check(err)
	if v.Current.State != controller.CommitPlanned || c.revision().Number != put.Revision.Number+1 {
		t.Errorf("as somebody has said it is meant so it is %+v", v.Current)
	}

	// People apply by plans of their own, too.
	p, err := c.s.CreatePlan(t.Context(), controller.PlanRequest{Topology: "pair", By: "ada"})
	c.check(err)
	res := c.carryOut(p.ID)
	if done := c.becomes("lab", controller.CommitApplied); done.Transaction != res.ID {
		t.Errorf("it was applied by %s, want %s", done.Transaction, res.ID)
	}

	// A topology has one source.
	c.follow(controller.Source{Name: "twin", Location: g.dir, Revision: "main", Path: pairFile})
	c.at("twin", "invalid", "topology pair is put by source lab")
}

// A source never changes devices beside somebody else's transaction, and none that people work on.
func TestASourceWaitsForDevices(t *testing.T) {
	t.Parallel()
	c, g := newSourced(t), newGitLab(t)
	c.carryOutAll() // so that devices would boot with what they have
	g.commit(pairFile, pairWith(t, ""), "as it is")
	c.follow(controller.Source{Name: "lab", Location: g.dir, Revision: "main", Path: pairFile, Policy: controller.ApplyAuto})
	c.at("lab", "unchanged", "devices have it")
	before := c.transactions()

	c.f.changing.Lock()
	g.commit(pairFile, pairWith(t, onPort("leaf1", "ethernet-1/9")), "a port of leaf1")
	c.sync("lab")
	c.at("lab", "put", "another transaction changes devices of pair; it is planned behind that")
	c.f.changing.Unlock()
	if c.becomes("lab", controller.CommitApplied); c.transactions() != before+1 {
		t.Errorf("%d transactions, want one more than %d", c.transactions(), before)
	}

	_, err := c.s.SetMaintenance(t.Context(), "pair", "leaf1", &controller.Maintenance{By: "ada"}, "ada")
	c.check(err)
	g.commit(pairFile, pairWith(t, onPort("leaves", "ethernet-1/10")), "ports of both")
	c.sync("lab")
	waiting := c.becomes("lab", controller.CommitWaiting)
	if !strings.Contains(waiting.Reason, "leaf1 is in maintenance by ada") || waiting.Transaction == "" {
		t.Errorf("with a device that people work on it is %+v", waiting)
	}
	c.stand(controller.InSync, "leaf2")
	c.stand(controller.Pending, "leaf1")
	_, err = c.s.SetMaintenance(t.Context(), "pair", "leaf1", nil, "ada")
	c.check(err)
	c.s.followers.stir()
	c.becomes("lab", controller.CommitApplied)
	c.stand(controller.InSync, "leaf1")

	// A device that does not take the change has all of it taken back, and nothing is tried again unasked.
	id := c.inject("refuse", "leaf2", map[string]string{"on": "change", "code": "INVALID_ARGUMENT"})
	g.commit(pairFile, pairWith(t, onPort("leaves", "ethernet-1/11")), "ports that are refused")
	c.sync("lab")
	c.becomes("lab", controller.CommitFailed)
	c.at("lab", "failed", "ended: rolled back: ")
	before = c.transactions()
	c.check(c.sim.Clear(id))
	c.s.followers.stir()
	c.sync("lab")
	if c.becomes("lab", controller.CommitApplied); c.transactions() != before+1 {
		t.Errorf("%d transactions, want one more than %d", c.transactions(), before)
	}
}

// carryOutAll is what people do with all that is intended.
func (c *sourced) carryOutAll() {
	c.Helper()
	p, err := c.s.CreatePlan(c.Context(), controller.PlanRequest{Topology: "pair", By: "ada"})
	c.check(err)
	if p.Hash != "" {
		c.carryOut(p.ID)
	}
}

// A controller that dies goes on where it was, and does nothing twice.
func TestASourceIsTakenUp(t *testing.T) {
	t.Parallel()
	c, g := newSourced(t), newGitLab(t)
	c.carryOutAll()
	g.commit(pairFile, pairWith(t, ""), "as it is")
	src := controller.Source{Name: "lab", Location: g.dir, Revision: "main", Path: pairFile}
	c.follow(src)
	next := func(port string, to controller.CommitState) *controller.Commit {
		t.Helper()
		g.commit(pairFile, pairWith(t, onPort("leaf1", port)), "port "+port)
		c.sync("lab")
		return c.becomes("lab", to)
	}
	// dies has the controller die with a commit as it was kept then, and start again.
	dies := func(commit *controller.Commit, revision int64, meanwhile func()) {
		t.Helper()
		c.stop()
		_, at := c.kept("lab")
		at.Revision = revision
		c.keep("lab", at, commit)
		if meanwhile != nil {
			meanwhile()
		}
		c.start()
		c.sync("lab")
	}

	planned := next("ethernet-1/1", controller.CommitPlanned)
	put, transactions := c.revisions(), c.transactions()
	for _, x := range []struct {
		name string
		was  func(c *controller.Commit)
	}{
		{"before anything was kept of what is put", func(c *controller.Commit) {
			*c = *c.Become(controller.CommitSeen, "", c.Seen)
			c.Plan = ""
			c.Revision = 0
		}},
		{"before it was kept that it was put, with what was about to be", func(c *controller.Commit) { c.State, c.Plan, c.Revision = controller.CommitSeen, "", 0 }},
		{"before it was planned", func(c *controller.Commit) { c.State, c.Plan = controller.CommitPut, "" }},
		{"behind all", func(*controller.Commit) {}},
	} {
		was := *planned
		x.was(&was)
		dies(&was, was.Revision, nil)
		again := c.becomes("lab", controller.CommitPlanned)
		if c.revisions() != put || c.transactions() != transactions || again.Revision != planned.Revision {
			t.Errorf("%s: %d revisions and %d transactions, want %d and %d: %+v", x.name, c.revisions(), c.transactions(), put, transactions, again)
		}
	}

	// It was about to be applied, and was not; or it was, and that was not kept.
	src.Policy = controller.ApplyAuto
	c.follow(src)
	applied := c.becomes("lab", controller.CommitApplied)
	transactions = c.transactions()
	was := *applied
	was.State, was.Transaction = controller.CommitApplying, ""
	dies(&was, was.Revision, nil)
	if again := c.becomes("lab", controller.CommitApplied); c.transactions() != transactions || again.Transaction != applied.Transaction {
		t.Errorf("what was applied is applied again: %+v", again)
	}
	dies(&was, was.Revision, func() { // and not even the plan says so
		p, err := c.s.Plan(t.Context(), was.Plan)
		c.check(err)
		p.Transaction = ""
		c.check(c.s.putPlan(t.Context(), store.Tx{}, p, "is as before"))
	})
	if again := c.becomes("lab", controller.CommitApplied); c.transactions() != transactions || again.Transaction != applied.Transaction {
		t.Errorf("what was applied is applied again: %+v", again)
	}

	_, err := c.s.PutSource(t.Context(), controller.Source{Name: "lab", Location: g.dir, Revision: "main", Path: pairFile, Interval: time.Hour}, "ada")
	c.check(err)
	waiting := next("ethernet-1/2", controller.CommitPlanned)
	src.Interval = time.Hour
	c.stop()
	_, err = c.s.PutSource(t.Context(), src, "ada")
	c.check(err)
	was = *waiting
	was.State = controller.CommitApplying
	_, at := c.kept("lab")
	c.keep("lab", at, &was)
	c.start()
	if again := c.becomes("lab", controller.CommitApplied); c.transactions() != transactions+1 || again.Transaction == "" {
		t.Errorf("what was not applied is %+v, with %d transactions, want %d", again, c.transactions(), transactions+1)
	}
	c.stand(controller.InSync, sortedKeys(c.n.trees)...)

	// It was put, and that was not kept, and then somebody else has put something.
	_, err = c.s.PutSource(t.Context(), controller.Source{Name: "lab", Location: g.dir, Revision: "main", Path: pairFile, Interval: time.Hour}, "ada")
	c.check(err)
	planned = next("ethernet-1/3", controller.CommitPlanned)
	was = *planned
	was.State, was.Plan, was.Revision = controller.CommitSeen, "", 0
	dies(&was, was.Before, func() {
		byHand, err := sources([]string{pairFile})
		c.check(err)
		_, err = c.s.intents.Put(t.Context(), byHand, controller.Write{By: "ada"})
		c.check(err)
	})
	if again := c.becomes("lab", controller.CommitSuperseded); again.Revision != planned.Revision || c.revision().By != "ada" {
		t.Errorf("what was put before somebody else did is %+v", again)
	}
}

// kept is what the store has of a source.
func (c *sourced) kept(name string) (*controller.SourceView, controller.Following) {
	c.Helper()
	v, err := c.s.Source(c.Context(), name)
	c.check(err)
	return v, v.Following
}

// keep has the store have something of a source.
func (c *sourced) keep(name string, at controller.Following, commit *controller.Commit) {
	c.Helper()
	tx := store.Tx{Put: map[string][]byte{}}
	for key, v := range map[string]any{followingKey(name): at, commitKey(name, commit.Number): commit} {
		data, err := pack(v)
		c.check(err)
		tx.Put[key] = data
	}
	_, err := c.s.store.Commit(c.Context(), tx)
	c.check(err)
}

// A directory is followed as a repository is; what it holds names what was found.
func TestADirectoryIsFollowed(t *testing.T) {
	t.Parallel()
	c := newSourced(t)
	dir := t.TempDir()
	write := func(text string) {
		c.check(os.WriteFile(filepath.Join(dir, "pair.yaml"), []byte(text), 0o600))
	}
	write(pairWith(t, onPort("leaf1", "ethernet-1/9")))
	first := c.follow(controller.Source{Name: "dir", Location: dir}).Current
	if first.State != controller.CommitPlanned || len(first.ID) != 64 || c.revision().Commit != first.ID {
		t.Errorf("what a directory has is %+v", first)
	}
	write(pairWith(t, "colour: red\n"))
	c.sync("dir")
	c.at("dir", "invalid", "pair.yaml:5:1: ")
	c.check(os.Rename(dir, dir+"-away"))
	c.sync("dir")
	c.at("dir", "unreachable", "no such file or directory")
	c.check(os.Rename(dir+"-away", dir))
	write(pairWith(t, onPort("leaf1", "ethernet-1/9")))
	again := c.sync("dir").Current
	if again.State != controller.CommitPlanned || again.ID != first.ID || again.Number == first.Number {
		t.Errorf("what was there before is %+v", again)
	}
	// Whoever looks at it does so unasked, too.
	_, err := c.s.PutSource(t.Context(), controller.Source{Name: "dir", Location: dir, Interval: time.Second}, "ada")
	c.check(err)
	write(pairWith(t, onPort("leaf1", "ethernet-1/10")))
	c.until(func() string { return "nobody looks" }, func() bool {
		v, err := c.s.Source(t.Context(), "dir")
		c.check(err)
		return v.Current.ID != first.ID && v.Current.State == controller.CommitPlanned
	})
	if _, err := c.s.PutSource(t.Context(), controller.Source{Name: "dir", Location: "../" + dir}, "ada"); !errors.Is(err, controller.ErrInvalid) {
		t.Errorf("a directory from nowhere: %v", err)
	}
	if _, err := c.s.SyncSource(t.Context(), "none", false, "ada"); !errors.Is(err, controller.ErrNoSource) {
		t.Errorf("a source that is not there: %v", err)
	}
	if got := config.Equal(c.owned("leaf1"), c.n.trees["leaf1"]); !got {
		t.Error("a device was changed")
	}
}
