package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transaction"
)

// foreign is one change by somebody else: of a leaf, and to what.
type foreign struct{ device, path, value string }

// Somebody else changes leaves at random, while nothing happens and while a transaction changes the device: each change of a leaf is
// reported once, with its path and value, and every leaf that devices tell of is accounted for.
func TestForeignChangesAreEachReportedOnce(t *testing.T) {
	t.Parallel()
	changes := 1000
	if os.Getenv("LOOM_SOAK") != "" {
		changes = 10000
	}
	c := newCared(t, filepath.Join("testdata", "pair.yaml"))
	random := rand.New(rand.NewPCG(7, 7))
	var leaves []foreign // with what is intended
	for _, d := range c.n.design.Devices {
		for _, path := range sortedKeys(c.descriptions(d)) {
			leaves = append(leaves, foreign{d.Name, path, c.descriptions(d)[path]})
		}
	}
	has, made := map[foreign]string{}, map[string]int64{} // what leaves have that is not intended; changes of a device
	before := map[string]int64{}
	for name := range c.n.trees {
		before[name] = c.counts(name).reported
	}
	for done, turn := 0, 0; done < changes; turn++ {
		set := map[string]map[string]string{}
		for _, i := range random.Perm(len(leaves))[:len(leaves)*2/3] {
			l := leaves[i]
			value := fmt.Sprintf("by hand %d", done)
			if _, drifted := has[l]; drifted && random.IntN(3) == 0 {
				value = l.value
				delete(has, l)
			} else {
				has[l] = value
			}
			if set[l.device] == nil {
				set[l.device] = map[string]string{}
			}
			set[l.device][l.path] = value
			made[l.device]++
			done++
		}
		for name, some := range set {
			by := func() { c.apart(random, name, some) }
			if turn%2 == 1 {
				by = func() { c.during(name, func() { c.apart(random, name, some) }) }
			}
			by()
		}
		c.until(func() string { return c.astray(has, leaves) }, func() bool { return c.astray(has, leaves) == "" })
		c.heardAll() // a device need not tell of what it has written over before it came to tell of it
	}
	for name := range c.n.trees {
		if got := c.counts(name).reported - before[name]; got != made[name] {
			t.Errorf("%s: %d reports of %d changes", name, got, made[name])
		}
	}
}

// Many writes to one leaf come to the last value.
func TestOfManyWritesToALeafTheLastOneIsReported(t *testing.T) {
	t.Parallel()
	c := newCared(t, filepath.Join("testdata", "pair.yaml"))
	d := c.n.design.Devices[0]
	path := sortedKeys(c.descriptions(d))[0]
	for i := range 200 {
		c.box(d.Name, map[string]string{path: fmt.Sprintf("write %d", i)})
	}
	c.until(func() string { return fmt.Sprintf("%+v, %+v", c.standing(d.Name), c.counts(d.Name)) }, func() bool {
		s, n := c.standing(d.Name), c.counts(d.Name)
		return len(s.Drifts) == 1 && s.Drifts[0].Path == path && s.Drifts[0].Has == "write 199" && n.received == n.coalesced+n.reported
	})
}

// apart makes changes one by one or several at a time.
func (c *cared) apart(random *rand.Rand, name string, leaves map[string]string) {
	paths := sortedKeys(leaves)
	for len(paths) > 0 {
		n := min(len(paths), 1+random.IntN(4))
		some := map[string]string{}
		for _, p := range paths[:n] {
			some[p] = leaves[p]
		}
		c.box(name, some)
		paths = paths[n:]
	}
}

// during does something while a transaction changes a device: one that has it be as it was meant to be anyway.
func (c *cared) during(name string, do func()) {
	to := func(string) controller.Target { return c.applied(name) }
	_, err := c.f.during(c.Context(), "test", to, []string{name}, func() (transaction.Result, error) {
		do()
		return transaction.Result{Outcome: transaction.Done}, nil
	})
	c.check(err)
}

func (c *cared) applied(name string) controller.Target {
	a := c.agent(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.Applied()
}

// toldOf counts what a device has told.
type toldOf struct{ received, coalesced, reported, unheard int64 }

func (c *cared) counts(name string) toldOf {
	a := c.agent(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	return toldOf{a.state.Received, a.state.Coalesced, a.state.Reported, a.state.Unheard}
}

// heardAll waits until every device has told of all that readings have found.
func (c *cared) heardAll() {
	for name := range c.n.trees {
		c.until(func() string { return fmt.Sprintf("%s: %+v", name, c.counts(name)) }, func() bool {
			n := c.counts(name)
			return n.unheard == 0 && n.received == n.coalesced+n.reported
		})
	}
}

// astray complains where what is told of devices is not what they have.
func (c *cared) astray(has map[foreign]string, leaves []foreign) string {
	told := map[string]map[string]string{}
	n := 0
	for name := range c.n.trees {
		told[name] = map[string]string{}
		for _, d := range c.standing(name).Drifts {
			told[name][d.Path] = d.Has
			n++
		}
	}
	for _, l := range leaves {
		if got := told[l.device][l.path]; got != has[l] {
			return fmt.Sprintf("%s: %s: told %q, and it has %q", l.device, l.path, got, has[l])
		}
	}
	if n != len(has) {
		return fmt.Sprintf("%d drifts are told, and there are %d", n, len(has))
	}
	return ""
}

// A device that comes back with what it had long ago is told of, and one that is another box is refused: nothing is sent to it.
func TestADeviceThatReturnsAsAnotherIsRefused(t *testing.T) {
	t.Parallel()
	for _, back := range []struct {
		name, kind string
		parameters map[string]string
		want       controller.Status
		reason     string
	}{
		{"with the configuration of the factory", "reboot", map[string]string{"boot": "factory"}, controller.Drifted, "that nobody intended"},
		{"as another chassis", "other-chassis", map[string]string{"boot": "running"}, controller.Refused, "certificate"},
		{"with a certificate of somebody else", "certificate", map[string]string{"form": "stranger"}, controller.Refused, "certificate"},
	} {
		t.Run(back.name, func(t *testing.T) {
			t.Parallel()
			c := newCared(t, filepath.Join("testdata", "pair.yaml"))
			c.sim.Record(nil, 1<<20)
			c.inject(back.kind, "leaf1", back.parameters)
			c.stand(back.want, "leaf1")
			if s := c.standing("leaf1"); !strings.Contains(s.Reason, back.reason) {
				t.Errorf("%s: %q; want %q in it", s.Status, s.Reason, back.reason)
			}
			if back.want == controller.Refused {
				if _, err := c.s.Revert(t.Context(), controller.RevertRequest{Topology: c.f.name, Limit: "leaf1", By: "test"}); err == nil {
					t.Error("a transaction changes it all the same")
				}
			}
			if n := c.setsOf("leaf1"); n > 0 {
				t.Errorf("it got %d Sets", n)
			}
			c.stand(controller.InSync, "leaf2")
			if !config.Equal(c.owned("leaf2"), c.n.trees["leaf2"]) {
				t.Error("another device has changed")
			}
		})
	}
}

// Where the policy is to enforce, drift goes by a transaction that nobody asked for: not of a device that people work on, and not of one
// that has another policy.
func TestDriftIsTakenBackWhereThePolicySaysSo(t *testing.T) {
	t.Parallel()
	c := newCared(t, filepath.Join("testdata", "pair.yaml"))
	const enforced, worked, reported = "leaf1", "leaf2", "spine1"
	_, err := c.s.SetMaintenance(t.Context(), c.f.name, worked, &controller.Maintenance{By: "test", Why: "somebody is at it"}, "test")
	c.check(err)
	for device, p := range map[string]controller.Policy{"": controller.Enforce, reported: controller.Report} {
		got, err := c.s.SetPolicy(t.Context(), c.f.name, device, p, "test")
		if err != nil || got != p {
			t.Fatalf("%q: %s, %v", device, got, err)
		}
	}
	for _, name := range []string{worked, reported, enforced} {
		path := sortedKeys(c.descriptions(c.n.design.Device(name)))[0]
		c.box(name, map[string]string{path: "by hand"})
	}
	c.stand(controller.Drifted, worked, reported)
	c.sim.Record(nil, 1<<20)
	c.until(func() string { return fmt.Sprintf("%+v", c.standing(enforced)) }, func() bool {
		return c.standing(enforced).Status == controller.InSync && config.Equal(c.owned(enforced), c.n.trees[enforced])
	})
	if c.setsOf(enforced) == 0 {
		t.Error("nobody has sent it anything")
	}
	c.inject("reboot", enforced, map[string]string{"boot": "factory"}) // it comes back with nothing
	c.stand(controller.Drifted, enforced)
	c.stand(controller.InSync, enforced)
	if !config.Equal(c.owned(enforced), c.n.trees[enforced]) {
		t.Error("it came back and has not what is intended")
	}
	for _, name := range []string{worked, reported} {
		if n := c.setsOf(name); n > 0 {
			t.Errorf("%s got %d Sets", name, n)
		}
		c.stand(controller.Drifted, name)
	}
	views, err := c.s.Devices(t.Context(), c.f.name, "")
	c.check(err)
	for _, v := range views {
		if want := map[string]controller.Policy{reported: controller.Report, enforced: controller.Enforce, worked: controller.Enforce}[v.Name]; v.Policy != want {
			t.Errorf("%s: policy %s, want %s", v.Name, v.Policy, want)
		}
	}
}

func TestConfigurationsAreThoseThatAreIntendedAndRun(t *testing.T) {
	t.Parallel()
	c := newCared(t, filepath.Join("testdata", "pair.yaml"))
	path := sortedKeys(c.descriptions(c.n.design.Device("leaf1")))[0]
	c.box("leaf1", map[string]string{path: "by hand"})
	c.stand(controller.Drifted, "leaf1")
	for _, q := range []struct {
		what    string
		running bool
		want    *config.Tree
	}{{"intended", false, c.n.trees["leaf1"]}, {"running", true, c.owned("leaf1")}} {
		got, hash, err := c.s.Configuration(t.Context(), c.f.name, "leaf1", 0, q.running)
		if err != nil || hash != plan.Hash(q.want) || strings.Contains(string(got), "by hand") != q.running {
			t.Errorf("%s: %v: %s with the hash %s", q.what, err, got, hash)
		}
	}
	if _, _, err := c.s.Configuration(t.Context(), c.f.name, "leaf9", 0, true); !errors.Is(err, controller.ErrNoDevice) {
		t.Errorf("a device that is none: %v", err)
	}
	if _, _, err := c.s.Configuration(t.Context(), c.f.name, "leaf1", 9, false); !errors.Is(err, controller.ErrNoRevision) {
		t.Errorf("a revision that is none: %v", err)
	}
}

// What is accepted is said by a patch of the files; once they say it the device is in sync, and nothing was sent to it.
func TestDriftIsAcceptedByAPatchOfTheFiles(t *testing.T) {
	t.Parallel()
	const kept, added, gone = "/interface[name=ethernet-1/49]/subinterface[index=0]/description", "/network-instance[name=default]/description",
		"/interface[name=system0]/description"
	text := read(t, "cmd/loom/testdata/pair.yaml") + "raw:\n  - {on: leaf1, path: \"" + kept + "\", value: before}\n"
	file := filepath.Join(t.TempDir(), "pair.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCared(t, file)
	c.sim.Record(nil, 1<<20)
	c.box("leaf1", map[string]string{kept: "after", added: "rack 4, panel 2"})
	c.box("leaf2", map[string]string{gone: ""})
	c.stand(controller.Drifted, "leaf1", "leaf2")
	var ids []string
	for _, name := range []string{"leaf1", "leaf2"} {
		for _, d := range c.standing(name).Drifts {
			ids = append(ids, d.ID)
		}
	}
	found, patch, err := c.s.Accept(t.Context(), c.f.name, ids)
	c.check(err)
	for _, want := range []string{
		"--- a/pair.yaml\n+++ b/pair.yaml\n", "-  - {on: leaf1, path: \"" + kept + "\", value: before}\n", "+  - {on: leaf1, path: \"" + kept + "\", value: after}\n",
		"+  - {on: leaf1, path: \"" + added + "\", value: \"rack 4, panel 2\"}\n",
	} {
		if !strings.Contains(patch, want) {
			t.Errorf("the patch has no %q:\n%s", want, patch)
		}
	}
	if why := found.Impossible[c.standing("leaf2").Drifts[0].ID]; len(found.Impossible) != 1 || !strings.Contains(why, "it is gone from the device") {
		t.Errorf("impossible: %v", found.Impossible)
	}
	_, err = c.s.intents.Put(t.Context(), found.Files, controller.Write{By: "test"})
	c.check(err)
	head, err := c.s.intents.Head(t.Context(), c.f.name)
	c.check(err)
	c.check(c.f.follow(t.Context(), head))
	c.stand(controller.InSync, "leaf1")
	if s := c.standing("leaf1"); s.Applied != 2 || c.setsOf("leaf1") > 0 {
		t.Errorf("%+v, after %d Sets; want revision 2 after none", s, c.setsOf("leaf1"))
	}
	if _, _, err := c.s.Accept(t.Context(), c.f.name, []string{"none"}); !errors.Is(err, controller.ErrInvalid) {
		t.Errorf("a drift that is none: %v", err)
	}
}
