package plan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// tree builds a small configuration; every leaf is caused by the port's own line.
func tree(t *testing.T, build func(b *config.Builder)) *config.Tree {
	t.Helper()
	b, err := config.NewBuilder(srl.Schema, "25.3")
	if err != nil {
		t.Fatal(err)
	}
	b.Cause("cables/leaf1:ethernet-1/1", "fabric link")
	build(b)
	out, err := b.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func port(b *config.Builder, name, description string, mtu uint64) {
	b.In(srl.Interface, name, func() {
		b.Str(srl.InterfaceDescription, description)
		b.Uint(srl.InterfaceMtu, mtu)
	})
}

func policy(b *config.Builder, statements ...string) {
	b.In(srl.RoutingPolicyPolicy, "loom", func() {
		for _, s := range statements {
			b.In(srl.RoutingPolicyPolicyStatement, s, func() {
				b.Str(srl.RoutingPolicyPolicyStatementActionPolicyResult, "accept")
			})
		}
	})
}

// scope owns ethernet ports entry by entry, and policies whole.
func scope(t *testing.T) config.Scope {
	t.Helper()
	rule := func(path string, own config.Ownership) config.Rule {
		p, err := config.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		return config.Rule{Path: p, Own: own}
	}
	return config.Scope{rule("/interface[name=ethernet-*]", config.Entry), rule("/routing-policy/policy", config.Whole)}
}

func input(t *testing.T, name, group string, running, intended *config.Tree) plan.Input {
	t.Helper()
	var groups []string
	if group != "" {
		groups = []string{group}
	}
	return plan.Input{
		Device: plan.Device{Name: name, Site: "s", Role: "leaf", OS: "srlinux", Platform: "7220-IXR-D2L", Release: "25.3", Groups: groups},
		Scope:  scope(t), Running: running, Intended: intended, Marked: true,
	}
}

func at(ref string) string {
	if ref == "" {
		return ""
	}
	return "fabric.yaml:7:3"
}

// example plans three devices: one new, one with every kind of change, one in sync.
func example(t *testing.T) *plan.Plan {
	t.Helper()
	empty := config.EmptyTree(srl.Schema, "25.3")
	want := tree(t, func(b *config.Builder) {
		port(b, "ethernet-1/1", "spine1 ethernet-1/1", 9228)
		policy(b, "10", "20")
	})
	was := tree(t, func(b *config.Builder) {
		port(b, "ethernet-1/1", "do not touch", 1500)
		port(b, "ethernet-1/7", "somebody else's", 1500)
		policy(b, "20", "10", "5")
	})
	leaf2 := input(t, "leaf2", "s/leaf1+leaf2", was, want)
	leaf2.Was = func(string) string { return "main:fabric.yaml:11:7" }
	p := plan.New("demo", "live", []plan.Input{
		input(t, "leaf1", "s/leaf1+leaf2", empty, want),
		leaf2,
		input(t, "leaf3", "", want, want),
	}, at)
	p.Cut(plan.WaveOptions{Soak: 30 * time.Second})
	p.Risks = plan.Risks(p, guards, plan.RiskOptions{})
	return p
}

func TestPlansAreWrittenAsTheGoldenFilesSay(t *testing.T) {
	forms := map[string]func(*plan.Plan, *bytes.Buffer) error{
		"plan.txt":       func(p *plan.Plan, b *bytes.Buffer) error { return p.Text(b, plan.Style{}) },
		"plan-color.txt": func(p *plan.Plan, b *bytes.Buffer) error { return p.Text(b, plan.Style{Color: true, Lines: 3}) },
		"plan.md":        func(p *plan.Plan, b *bytes.Buffer) error { return p.Markdown(b) },
		"plan.json":      func(p *plan.Plan, b *bytes.Buffer) error { return p.JSON(b) },
	}
	for name, write := range forms {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(example(t), &b); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}

// drained is a plan of two devices: one is drained for its change, and somebody has drained the other.
func drained(t *testing.T) *plan.Plan {
	t.Helper()
	p := example(t)
	p.Devices[1].Foreign = p.Devices[1].Changes[:1]
	p.Devices[1].Drain = &plan.Drain{Why: []plan.Interruption{
		{Path: "/interface[name=ethernet-1/1]/mtu", Change: "1500 → 9228", Why: "the port `starts` again"},
		{Path: "/interface[name=ethernet-1/7]", Why: "the port goes"}, {Path: "/a", Why: "x"}, {Path: "/b", Why: "y"}, {Path: "/c", Why: "z"},
	}}
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	p.Out = []plan.Out{
		{Device: "spine1", By: "ann@host", Since: noon, Until: noon.Add(2 * time.Hour), Why: "new <b>line card</b>"},
		{Device: "spine2", By: "bob@host", Since: noon, Until: noon, Over: true},
	}
	p.Forecast = []string{"spine1: 3 of 4 uplinks, 300 of 400 Gbit/s are left to each of leaf1, leaf2", "leaf2: 4 ethernet segments left to leaf1"}
	return p
}

// What people are told does not depend on the form: every note, reason, drain and forecast is in both.
func TestADrainedPlanSaysTheSameAsTextAndAsMarkdown(t *testing.T) {
	var text, comment bytes.Buffer
	if err := errors.Join(drained(t).Text(&text, plan.Style{}), drained(t).Markdown(&comment)); err != nil {
		t.Fatal(err)
	}
	golden(t, "drained.txt", text.Bytes())
	golden(t, "drained.md", comment.Bytes())
	for _, said := range []string{
		"first contact: 1 leaf already there would go or change", "drained for the change:", "1500 → 9228: the port `starts` again", "2 more",
		"spine1 is drained by ann@host since 2026-06-01 12:00:00, until 2026-06-01 14:00:00: new <b>line card</b>", "spine2 was drained by bob@host",
		"While they are drained", "spine1: 3 of 4 uplinks", "leaf2: 4 ethernet segments left to leaf1",
	} {
		if !strings.Contains(text.String(), said) || !strings.Contains(comment.String(), said) {
			t.Errorf("%q: in the text: %v, in the comment: %v", said, strings.Contains(text.String(), said), strings.Contains(comment.String(), said))
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", file, got)
	}
}

func TestTheHeadlineSaysWhyThereIsSomethingToDo(t *testing.T) {
	tests := []struct {
		name string
		plan plan.Plan
		want string
	}{
		{"nothing", plan.Plan{InSync: []string{"leaf1"}}, "no changes, 1 device in sync"},
		{"only removed devices", plan.Plan{InSync: []string{"leaf1"}, Removed: []string{"leaf2", "leaf3"}}, "2 devices removed, 1 in sync"},
		{"only unsaved devices", plan.Plan{InSync: []string{"leaf1"}, Unsaved: []string{"leaf1"}}, "1 device to save, 1 in sync"},
		{"changed and removed devices", plan.Plan{Devices: []plan.Device{{Name: "leaf1"}}, Removed: []string{"leaf2"}}, "1 device to change, 1 device removed, 0 in sync"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.plan.Topology, tt.plan.Against = "demo", "git:main"
			var b bytes.Buffer
			if err := tt.plan.Text(&b, plan.Style{}); err != nil {
				t.Fatal(err)
			}
			if got, _, _ := strings.Cut(b.String(), "\n"); got != "demo against git:main: "+tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestThePlanAfterAPlanIsEmpty(t *testing.T) {
	for _, d := range example(t).Devices {
		after, err := config.Apply(d.Before, d.Request)
		if err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		if !config.Equal(after, d.After) {
			t.Errorf("%s: the request does not lead to the target", d.Name)
		}
		back, err := config.Apply(after, d.Inverse)
		if err != nil {
			t.Fatalf("%s: undo: %v", d.Name, err)
		}
		if !config.Equal(back, d.Before) {
			t.Errorf("%s: the inverse does not lead back", d.Name)
		}
		again := plan.New("demo", "live", []plan.Input{input(t, d.Name, "", after, d.After)}, at)
		if !again.Empty() {
			t.Errorf("%s: second plan is not empty: %v", d.Name, again.Devices[0].Changes)
		}
	}
}

func TestAPortThatTheIntentDoesNotNameIsLeftAlone(t *testing.T) {
	for _, c := range example(t).Device("leaf2").Changes {
		if strings.Contains(c.Path, "ethernet-1/7") {
			t.Errorf("%s %s: outside of what is owned", c.Op, c.Path)
		}
	}
}

func TestForeignConfigurationIsWhatAFirstContactWouldTakeAway(t *testing.T) {
	empty := config.EmptyTree(srl.Schema, "25.3")
	want := tree(t, func(b *config.Builder) { port(b, "ethernet-1/1", "ours", 9000) })
	was := tree(t, func(b *config.Builder) { port(b, "ethernet-1/1", "theirs", 9000) })
	tests := []struct {
		name    string
		running *config.Tree
		marked  bool
		offline bool
		want    []string
	}{
		{"a new device has nothing foreign", empty, false, false, nil},
		{"a device without the mark keeps its description until told otherwise", was, false, false, []string{"/interface[name=ethernet-1/1]/description"}},
		{"on a marked device a difference is drift", was, true, false, nil},
		{"a rendered document belongs to nobody", was, false, true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(t, "leaf1", "", tt.running, want)
			in.Marked, in.Offline = tt.marked, tt.offline
			var got []string
			for _, c := range plan.New("demo", "live", []plan.Input{in}, at).Devices[0].Foreign {
				got = append(got, c.Path)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("foreign: got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNodesWithoutANameInTheProfileAreDriftWhereTheirParentIsOwned(t *testing.T) {
	both := tree(t, func(b *config.Builder) { port(b, "ethernet-1/1", "ours", 9000) })
	unknown := func(path string) config.Unknown {
		p, err := config.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		return config.Unknown{Path: p, JSON: []byte(`{"x":1}`)}
	}
	in := input(t, "leaf1", "", both, both)
	in.Unknown = []config.Unknown{unknown("/interface[name=ethernet-1/1]/qos"), unknown("/interface[name=mgmt0]/qos"), unknown("/acl")}
	p := plan.New("demo", "live", []plan.Input{in}, at)
	if p.Empty() {
		t.Fatal("plan is empty")
	}
	d := p.Devices[0]
	if len(d.Changes) != 1 || d.Changes[0].Op != plan.Delete || d.Changes[0].Path != "/interface[name=ethernet-1/1]/qos" {
		t.Errorf("changes: %+v", d.Changes)
	}
	if len(d.Request.Delete) != 1 || d.Size.Deletes != 1 {
		t.Errorf("request: %v", d.Request)
	}
	if len(d.Inverse.Update) != 1 || string(d.Inverse.Update[0].GetVal().GetJsonIetfVal()) != `{"x":1}` {
		t.Errorf("the way back does not restore it: %v", d.Inverse)
	}
}

func TestAValueThatTheReleaseDoesNotHaveGivesWayToTheIntendedOne(t *testing.T) {
	want := tree(t, func(b *config.Builder) { port(b, "ethernet-1/1", "ours", 9000) })
	has := `{"interface":[{"name":"ethernet-1/1","description":"ours","mtu":123456,"ethernet":{"reload-delay":-1}},{"name":"mgmt0","mtu":123456}]}`
	running, unknown, err := config.Parse(want.Schema(), want.Release(), []byte(has), config.ParseOptions{})
	if err != nil || len(unknown) != 3 {
		t.Fatalf("unknown: %v, %v", unknown, err)
	}
	in := input(t, "leaf1", "", running, want)
	in.Unknown = unknown
	d := plan.New("demo", "live", []plan.Input{in}, at).Devices[0]
	var got []string
	for _, c := range d.Changes {
		got = append(got, strings.TrimSpace(fmt.Sprint(c.Op, " ", c.Path, " ", c.Old, " ", c.New)))
	}
	if changes := []string{
		"create /interface[name=ethernet-1/1]/mtu  9000", "delete /interface[name=ethernet-1/1]/mtu 123456",
		"delete /interface[name=ethernet-1/1]/ethernet/reload-delay -1",
	}; !slices.Equal(got, changes) {
		t.Errorf("changes: got %q, want %q", got, changes)
	}
	after, err := config.Apply(running, d.Request)
	if err != nil || !config.Equal(in.Scope.Owned(after, want), want) {
		t.Errorf("the request leads to %s, %v", after.AppendJSON(nil, false), err)
	}
	if n := len(d.Inverse.Update); n != 2 {
		t.Errorf("the way back restores %d of 2: %v", n, d.Inverse)
	}
}

func TestAPlanIsAValueThatReadsBack(t *testing.T) {
	var b bytes.Buffer
	if err := example(t).JSON(&b); err != nil {
		t.Fatal(err)
	}
	var back plan.Plan
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := back.JSON(&again); err != nil {
		t.Fatal(err)
	}
	if b.String() != again.String() {
		t.Error("a plan that was saved and read prints differently")
	}
}

func TestMarkdownFitsIntoAComment(t *testing.T) {
	tests := []struct {
		name     string
		devices  int
		ports    int
		text     string
		removed  int
		leftOut  string
		complete bool
	}{
		{"two devices", 2, 20, "x", 0, "", true},
		{"many changes", 40, 58, strings.Repeat("x", 60), 0, " more; run loom plan for all of them", false},
		{"640 devices", 640, 58, "x", 0, " more devices; run loom plan for all of them", false},
		{"640 devices and thousands that are gone", 640, 3, "x", 5000, "and 4900 more", false},
		{"long values", 30, 3, strings.Repeat("ä", 3000), 0, "…", false},
		{"640 drains", 640, 3, "x", 640, " more", false},
		{"values of backticks and lines", 640, 58, strings.Repeat("`", 300) + "\n```\n</details>", 0, " more devices; run", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &plan.Plan{Topology: "demo", Against: "live"}
			for i := range tt.devices {
				d := plan.Device{Name: fmt.Sprintf("s20-leaf%d", i), Platform: "7220-IXR-D2L", Release: "25.3"}
				for k := range tt.ports {
					cause := plan.Cause{Ref: fmt.Sprintf("cables/%d", k), Rule: "fabric link", At: "fabric.yaml:7:3"}
					d.Changes = append(d.Changes, plan.Change{Op: plan.Modify, Path: fmt.Sprintf("/interface[name=ethernet-1/%d]/description", k), Old: tt.text, New: tt.text, Cause: cause})
				}
				p.Devices = append(p.Devices, d)
			}
			for i := range tt.removed {
				p.Removed = append(p.Removed, fmt.Sprintf("gone%d", i))
			}
			if tt.name == "640 drains" {
				for i := range p.Devices {
					p.Devices[i].Drain = &plan.Drain{Why: []plan.Interruption{{Path: "/" + strings.Repeat("x", 1000)}}}
					p.Out = append(p.Out, plan.Out{Device: p.Devices[i].Name, Why: strings.Repeat("`", 1000)})
					p.Forecast = append(p.Forecast, strings.Repeat("ä", 1000))
				}
			}
			var b bytes.Buffer
			if err := p.Markdown(&b); err != nil {
				t.Fatal(err)
			}
			if b.Len() > 60_000 {
				t.Errorf("%d bytes", b.Len())
			}
			if !tt.complete && b.Len() < 20_000 {
				t.Errorf("%d bytes only", b.Len())
			}
			if !strings.Contains(b.String(), tt.leftOut) || tt.complete && strings.Contains(b.String(), " more") {
				t.Error("what was left out is not said, or nothing was")
			}
			if !utf8.Valid(b.Bytes()) {
				t.Error("a character was cut")
			}
			fenced(t, b.String())
		})
	}
}

// fenced demands that every block of code ends where its device does, as a reader of Markdown sees it.
func fenced(t *testing.T, text string) {
	t.Helper()
	fence, begun, ended := "", 0, 0
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		ticks := len(l) - len(strings.TrimLeft(l, "`"))
		switch {
		case fence == "" && ticks >= 3:
			fence = l[:ticks]
		case fence == "" && strings.HasPrefix(l, "<details>"):
			begun++
		case fence == "" && l == "</details>":
			ended++
		case fence != "" && ticks >= len(fence) && ticks == len(l):
			fence = ""
		case fence != "" && strings.Contains(l, fence):
			t.Fatalf("a value ends the block: %.80s", l)
		}
	}
	if begun == 0 || begun != ended || fence != "" {
		t.Errorf("%d devices begun, %d ended, open fence %q", begun, ended, fence)
	}
}
