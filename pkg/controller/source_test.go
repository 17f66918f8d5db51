package controller

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
)

// What is followed is a place to read files from: nothing that git would run, and no way out of it.
func TestASourceIsAPlaceToRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		source Source
		wrong  string // a part of what is said; empty: nothing is wrong
	}{
		{"https", Source{Name: "lab", Location: "https://git.example.net/net/lab.git", Revision: "main"}, ""},
		{"ssh", Source{Name: "lab", Location: "ssh://git@git.example.net:2222/net/lab.git", Revision: "main"}, ""},
		{"ssh in its short form", Source{Name: "lab", Location: "git@git.example.net:net/lab.git", Revision: "release/2026.1"}, ""},
		{"a repository of this host", Source{Name: "lab", Location: "/srv/git/lab.git", Revision: "v1.2", Path: "sites/bj"}, ""},
		{"a commit", Source{Name: "lab", Location: "file:///srv/git/lab.git", Revision: strings.Repeat("a1", 20)}, ""},
		{"a directory", Source{Name: "lab-2", Location: "/srv/topologies", Path: "demo.yaml", Policy: ApplyAuto, Allowed: []plan.Class{plan.Renumber}, MaxDevices: 3, Interval: time.Minute}, ""},
		{"a directory with a slash at its end", Source{Name: "lab", Location: "/srv/topologies/"}, ""},

		{"no name", Source{Location: "/srv"}, "name"},
		{"a name that leads elsewhere", Source{Name: "../lab", Location: "/srv"}, "name"},
		{"a name in capitals", Source{Name: "Lab", Location: "/srv"}, "name"},
		{"no location", Source{Name: "lab"}, "location: is missing"},
		{"a path from nowhere", Source{Name: "lab", Location: "topologies"}, "no absolute path"},
		{"a path that goes up", Source{Name: "lab", Location: "/srv/../etc"}, "location"},
		{"a repository without a revision", Source{Name: "lab", Location: "https://git.example.net/lab.git"}, "needs a revision"},
		{"an option", Source{Name: "lab", Location: "--upload-pack=touch /tmp/x", Revision: "main"}, "something that git would run"},
		{"a helper that runs commands", Source{Name: "lab", Location: "ext::sh -c touch% /tmp/x", Revision: "main"}, "something that git would run"},
		{"another helper", Source{Name: "lab", Location: "fd::17", Revision: "main"}, "something that git would run"},
		{"an option for ssh", Source{Name: "lab", Location: "ssh://-oProxyCommand=touch/x", Revision: "main"}, "location"},
		{"an option for ssh in its short form", Source{Name: "lab", Location: "-oProxyCommand=touch:x", Revision: "main"}, "location"},
		{"an option as user", Source{Name: "lab", Location: "-x@host:x", Revision: "main"}, "location"},
		{"whoever answers", Source{Name: "lab", Location: "http://git.example.net/lab.git", Revision: "main"}, "does not prove who answers"},
		{"whoever answers, in git's own protocol", Source{Name: "lab", Location: "git://git.example.net/lab.git", Revision: "main"}, "does not prove who answers"},
		{"a password", Source{Name: "lab", Location: "https://ada:hunter2@git.example.net/lab.git", Revision: "main"}, "credential helper"},
		{"a token as user", Source{Name: "lab", Location: "https://ghp_1234@git.example.net/lab.git", Revision: "main"}, "credential helper"},
		{"a line break", Source{Name: "lab", Location: "https://git.example.net/\nlab.git", Revision: "main"}, "control characters"},
		{"nothing that git knows", Source{Name: "lab", Location: "lab", Revision: "main"}, "neither a URL"},

		{"a revision that is an option", Source{Name: "lab", Location: "/srv", Revision: "--upload-pack=x"}, "revision"},
		{"a revision that forces", Source{Name: "lab", Location: "/srv", Revision: "+main"}, "revision"},
		{"a revision that says where to", Source{Name: "lab", Location: "/srv", Revision: "main:refs/heads/x"}, "revision"},
		{"a range", Source{Name: "lab", Location: "/srv", Revision: "a..b"}, "revision"},
		{"what a revision was", Source{Name: "lab", Location: "/srv", Revision: "main@{1}"}, "revision"},
		{"an ancestor", Source{Name: "lab", Location: "/srv", Revision: "main^"}, "revision"},
		{"all", Source{Name: "lab", Location: "/srv", Revision: "*"}, "revision"},

		{"files above", Source{Name: "lab", Location: "/srv", Path: "../etc"}, "path"},
		{"files elsewhere", Source{Name: "lab", Location: "/srv", Path: "/etc"}, "path"},
		{"files by a way around", Source{Name: "lab", Location: "/srv", Path: "a/../b"}, "path"},
		{"another policy", Source{Name: "lab", Location: "/srv", Policy: "always"}, "policy"},
		{"another risk", Source{Name: "lab", Location: "/srv", Allowed: []plan.Class{"rain"}}, "allowed_risks"},
		{"fewer than no devices", Source{Name: "lab", Location: "/srv", MaxDevices: -1}, "max_devices"},
		{"too often", Source{Name: "lab", Location: "/srv", Interval: time.Millisecond}, "interval"},
	} {
		err := c.source.Check()
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong) || !errors.Is(err, ErrInvalid)):
			t.Errorf("%s: %v, want %q", c.name, err, c.wrong)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: tells the password: %v", c.name, err)
		}
	}
}

// risky is a plan with devices and risks.
func risky(devices int, classes ...plan.Class) *plan.Plan {
	p := &plan.Plan{Devices: make([]plan.Device, devices)}
	for i := range p.Devices {
		p.Devices[i].Name = fmt.Sprintf("leaf%d", i+1)
	}
	for _, c := range classes {
		p.Risks = append(p.Risks, plan.Risk{Class: c, Device: "leaf1", Why: "why"})
	}
	return p
}

func TestWhatIsAppliedWithoutPeople(t *testing.T) {
	t.Parallel()
	cut := risky(1, plan.ManagementPath)
	cut.Risks[0].Refused = true
	taken := risky(2)
	taken.Devices[1].Foreign = make([]plan.Change, 1)
	auto := Source{Policy: ApplyAuto, Allowed: []plan.Class{plan.Renumber, plan.MatchAll}, MaxDevices: 3}
	for _, c := range []struct {
		name     string
		source   Source
		plan     *plan.Plan
		approved []string
		want     CommitState
		risks    []string
		says     string
	}{
		{"people apply", Source{}, risky(1), nil, CommitPlanned, nil, "people apply"},
		{"people apply, and know of risks", Source{Policy: ApplyManual, Allowed: []plan.Class{plan.Renumber}}, risky(1, plan.Renumber), nil, CommitPlanned, []string{"renumber"}, "people apply"},
		{"no risk", auto, risky(3), nil, CommitApplying, nil, ""},
		{"risks that are allowed", auto, risky(1, plan.Renumber, plan.MatchAll), nil, CommitApplying, nil, ""},
		{"a risk that is not", auto, risky(1, plan.Renumber, plan.Darkness), nil, CommitWaiting, []string{"dark"}, "not approved: dark"},
		{"a risk that was approved", auto, risky(1, plan.Renumber, plan.Darkness), []string{"dark"}, CommitApplying, nil, ""},
		{"too many devices", auto, risky(4), nil, CommitWaiting, []string{"many-devices"}, "4 devices change, and without approval of many-devices at most 3 do"},
		{"too many devices were approved", auto, risky(4), []string{"many-devices"}, CommitApplying, nil, ""},
		{"too many devices, whatever risks are allowed", Source{Policy: ApplyAuto, Allowed: []plan.Class{plan.ManyDevices}}, risky(DefaultChange+1, plan.ManyDevices), nil, CommitWaiting, []string{"many-devices"}, "at most 20"},
		{"too many devices and a risk", auto, risky(4, plan.Darkness), nil, CommitWaiting, []string{"dark", "many-devices"}, "dark; 4 devices"},
		{"a device of somebody else", auto, taken, nil, CommitWaiting, nil, "leaf2 holds what Loom has not put there"},
		{"what no approval makes right", auto, cut, []string{"management-path"}, CommitFailed, nil, "no approval changes that"},
	} {
		got := c.source.Judge(c.plan, c.approved)
		if got.State != c.want || !slices.Equal(got.Risks, c.risks) || !strings.Contains(got.Reason, c.says) {
			t.Errorf("%s: %+v, want %s, risks %v, %q", c.name, got, c.want, c.risks, c.says)
		}
	}
}

// tale follows a source step by step.
type tale struct {
	Following
	source  Source
	commits map[int64]*Commit
	now     time.Time
}

func newTale() *tale {
	s := Source{Name: "lab", Location: "/srv/lab.git", Revision: "main"}
	return &tale{Following: Following{}.Of(&s), source: s, commits: map[int64]*Commit{}, now: noon}
}

func (x *tale) find(tip Tip, overwrite bool) {
	x.now = x.now.Add(time.Minute)
	for _, c := range x.Find(&x.source, tip, x.commits[x.Current], overwrite, x.now) {
		x.commits[c.Number] = c
	}
}

func (x *tale) become(state CommitState) {
	x.commits[x.Current] = x.commits[x.Current].Become(state, "", x.now)
}

// states are all commits in order, the one that is followed in brackets, and what trouble there is.
func (x *tale) states() string {
	var out []string
	for n := int64(1); n <= x.Last; n++ {
		text := x.commits[n].ID + " " + string(x.commits[n].State)
		if n == x.Current {
			text = "[" + text + "]"
		}
		out = append(out, text)
	}
	if x.Trouble != nil {
		out = append(out, string(x.Trouble.Kind))
	}
	return strings.Join(out, ", ")
}

func TestWhatBecomesOfCommits(t *testing.T) {
	t.Parallel()
	next := func(id, files string) Tip { return Tip{ID: id, Files: files, Descends: true} }
	for _, c := range []struct {
		name string
		do   func(x *tale)
		want string
	}{
		{"the first is followed, wherever it comes from", func(x *tale) { x.find(Tip{ID: "a", Files: "1"}, false) }, "[a seen]"},
		{"the same is nothing new", func(x *tale) { x.find(next("a", "1"), false); x.find(Tip{ID: "a"}, false) }, "[a seen]"},
		{"a newer one takes the place of what waits", func(x *tale) { x.find(next("a", "1"), false); x.become(CommitWaiting); x.find(next("b", "2"), false) }, "a superseded, [b seen]"},
		{"what is over stays", func(x *tale) { x.find(next("a", "1"), false); x.become(CommitApplied); x.find(next("b", "2"), false) }, "a applied, [b seen]"},
		{"what has failed stays", func(x *tale) { x.find(next("a", "1"), false); x.become(CommitFailed); x.find(next("b", "2"), false) }, "a failed, [b seen]"},
		{"other files beside those that are followed take no place", func(x *tale) { x.find(next("a", "1"), false); x.become(CommitPlanned); x.find(next("b", "1"), false) }, "[a planned], b unchanged"},
		{"the same files as what was superseded are followed", func(x *tale) {
			x.find(next("a", "1"), false)
			x.become(CommitSuperseded)
			x.find(next("b", "1"), false)
		}, "a superseded, [b seen]"},
		{"what came together is told of", func(x *tale) {
			x.find(next("a", "1"), false)
			x.become(CommitApplied)
			x.find(Tip{ID: "d", Files: "4", Descends: true, Between: []Tip{{ID: "b"}, {ID: "c"}}}, false)
		}, "a applied, b superseded, c superseded, [d seen]"},
		{"a history that was rewritten is not followed", func(x *tale) {
			x.find(next("a", "1"), false)
			x.become(CommitPlanned)
			x.find(Tip{ID: "x", Files: "9"}, false)
		}, "[a planned], rewritten"},
		{"unless somebody says so", func(x *tale) {
			x.find(next("a", "1"), false)
			x.find(Tip{ID: "x", Files: "9"}, false)
			x.find(Tip{ID: "x", Files: "9"}, true)
		}, "a superseded, [x seen]"},
		{"or it is as it was again", func(x *tale) {
			x.find(next("a", "1"), false)
			x.find(Tip{ID: "x", Files: "9"}, false)
			x.find(Tip{ID: "a"}, false)
		}, "[a seen]"},
		{"another place begins anew", func(x *tale) {
			x.find(next("a", "1"), false)
			x.source.Revision = "release"
			x.Following = x.Of(&x.source)
			x.find(Tip{ID: "x", Files: "9"}, false)
		}, "a superseded, [x seen]"},
		{"a source that is away changes nothing", func(x *tale) {
			x.find(next("a", "1"), false)
			x.become(CommitPlanned)
			x.Fail(Away, "no route to host", x.now)
		}, "[a planned], unreachable"},
		{"and is followed when it is back", func(x *tale) {
			x.find(next("a", "1"), false)
			x.Fail(Away, "no route to host", x.now)
			x.find(next("b", "2"), false)
		}, "a superseded, [b seen]"},
	} {
		x := newTale()
		c.do(x)
		if got := x.states(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Whoever looks at a source that is away sees since when, whatever is said about it, and it is asked ever more seldom.
func TestASourceThatIsAwayIsAskedEverMoreSeldom(t *testing.T) {
	t.Parallel()
	x := newTale()
	var pauses []string
	for i := range 7 {
		if fresh := x.Fail(Away, fmt.Sprint("reason ", i/2), noon.Add(time.Duration(i)*time.Minute)); fresh != (i%2 == 0) {
			t.Errorf("the %d. time it is said again: %v", i+1, fresh)
		}
		pauses = append(pauses, x.Pause(&x.source).String())
	}
	if got, want := strings.Join(pauses, " "), "30s 1m0s 2m0s 4m0s 5m0s 5m0s 5m0s"; got != want {
		t.Errorf("it is asked after %s, want %s", got, want)
	}
	if !x.Trouble.Since.Equal(noon) || x.Trouble.Reason != "reason 3" {
		t.Errorf("it is away since %v: %s", x.Trouble.Since, x.Trouble.Reason)
	}
	x.find(Tip{ID: "a"}, false)
	if got := x.Pause(&x.source); got != DefaultInterval {
		t.Errorf("it is back, and asked after %v", got)
	}
	x.source.Interval = time.Hour
	for range 3 {
		x.Fail(Away, "", noon)
	}
	if got := x.Pause(&x.source); got != time.Hour {
		t.Errorf("it is asked once an hour, and after %v while it is away", got)
	}
}

// What somebody has tried again goes through the same steps; what is over, or under way, does not.
func TestWhatIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		commit    Commit
		overwrite bool
		want      CommitState
	}{
		{Commit{State: CommitSeen, Topology: "lab", Before: 3}, false, CommitSeen},
		{Commit{State: CommitInvalid}, false, CommitSeen},
		{Commit{State: CommitWaiting}, true, CommitSeen},
		{Commit{State: CommitWaiting, Revision: 4}, false, CommitPut},
		{Commit{State: CommitPlanned, Revision: 4}, false, CommitPut},
		{Commit{State: CommitFailed, Revision: 4, Tries: 2}, false, CommitPut},
		{Commit{State: CommitSuperseded, Revision: 4}, false, CommitSuperseded},
		{Commit{State: CommitSuperseded, Revision: 4}, true, CommitSeen},
		{Commit{State: CommitApplied, Revision: 4}, true, CommitApplied},
		{Commit{State: CommitUnchanged, Revision: 4}, true, CommitUnchanged},
		{Commit{State: CommitApplying, Revision: 4}, true, CommitApplying},
	} {
		got := c.commit.Again(c.overwrite, noon)
		if got.State != c.want || got.Tries != 0 || got.State == CommitSeen && (got.Revision != 0 || got.Before != c.commit.Before) {
			t.Errorf("%s (overwrite %v) is %+v, want %s", c.commit.State, c.overwrite, got, c.want)
		}
	}
}
