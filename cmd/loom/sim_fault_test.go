package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
	"github.com/spf13/cobra"
)

// faultLab is a simulation of one device, and the command line beside it.
type faultLab struct {
	*testing.T
	sim       *sim.Sim
	inventory string
}

func newFaultLab(t *testing.T) *faultLab {
	t.Helper()
	s, err := sim.Start(t.Context(), sim.Config{
		Username: "admin", Password: "secret",
		Devices: []sim.Spec{{Name: "leaf1", Platform: simtest.Platform, Driver: simtest.Driver()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.ServeControl(); err != nil {
		t.Fatal(err)
	}
	l := &faultLab{t, s, filepath.Join(t.TempDir(), "sim.json")}
	l.write(l.inventory, string(s.Inventory().JSON()))
	return l
}

func (l *faultLab) write(file, text string) {
	l.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		l.Fatal(err)
	}
}

// run runs `loom sim fault ARGS --inventory ...`, and returns what it prints and how it ends.
func (l *faultLab) run(args ...string) (string, error) { return l.runAs(simFaultCommand, args...) }

// runAs runs a command of a simulation.
func (l *faultLab) runAs(command func(*terminal) *cobra.Command, args ...string) (string, error) {
	var out bytes.Buffer
	c := command(&terminal{out: &out, err: &out})
	c.SilenceErrors, c.SilenceUsage = true, true
	if args[0] != "kinds" {
		args = append(args, "--inventory", l.inventory)
	}
	c.SetArgs(args)
	c.SetOut(&out)
	err := c.ExecuteContext(context.Background())
	return out.String(), err
}

// prints fails unless a command succeeds and prints all of some texts.
func (l *faultLab) prints(command string, want ...string) {
	l.Helper()
	got, err := l.run(strings.Fields(command)...)
	if err != nil {
		l.Fatalf("%s: %v", command, err)
	}
	for _, w := range want {
		if !strings.Contains(got, w) {
			l.Errorf("%s: got %q, want %q", command, got, w)
		}
	}
}

func TestFaultsAreAddedListedAndCleared(t *testing.T) {
	t.Parallel()
	l := newFaultLab(t)
	l.prints("add refuse leaf1 --code FAILED_PRECONDITION --times 3", "f1\n")
	l.prints("add stall leaf1", "f2\n")
	l.prints("add refuse leaf1 --code aborted", "f3\n")
	l.prints("list", "f1", "refuse leaf1 --on=any --form=plain --code=FAILED_PRECONDITION --times=3", "f2", "stall leaf1")
	l.prints("list --format json", `"struck": "0"`)
	l.prints("clear f1", "1 fault cleared")
	l.prints("clear f3", "1 fault cleared")
	l.prints("clear all", "1 fault cleared")
	l.prints("add stall leaf1", "f4\n")
	l.prints("clear --all", "1 fault cleared")
	if active := l.sim.Faults(); len(active) != 0 {
		t.Errorf("active: %v", active)
	}
}

func TestAScenarioIsRun(t *testing.T) {
	t.Parallel()
	l := newFaultLab(t)
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	l.write(file, "steps: [{inject: stall leaf1, as: s}, {clear: s, note: over}]")
	l.prints("run "+file, "0s  inject stall leaf1\n", "  over\n", "  clear s\n")
}

func TestFaultCommandsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	l := newFaultLab(t)
	file := filepath.Join(t.TempDir(), "bad.yaml")
	l.write(file, "steps: [{inject: stal leaf1}]")
	for command, want := range map[string]string{
		"add stall":                "add needs a kind and a target",
		"add stall leaf9":          `stall: device "leaf9": there is none of this name`,
		"add stall leaf1 --path x": "stall takes no path",
		"clear":                    "clear needs ids of faults",
		"clear f1 --all":           "clear needs ids of faults",
		"clear all f1":             `fault "all" is not active`,
		"add normalise leaf1 --path /interface[name=e1]/mtuu": `normalise leaf1: path /interface[name=e1]/mtuu: release 25.3: /interface[name=e1]: unknown element "mtuu": options are [name, description, `,
		"clear f9":         `fault "f9" is not active`,
		"run " + file:      `bad.yaml:1:18: fault "stal": no such kind`,
		"run nowhere.yaml": "nowhere.yaml: no such file",
		"kinds nothing":    "nothing: no such kind",
	} {
		if _, err := l.run(strings.Fields(command)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", command, err, want)
		}
	}
	l.inventory = ""
	if _, err := l.run("list"); err == nil || !strings.Contains(err.Error(), "name its inventory") {
		t.Errorf("got %v", err)
	}
	l.inventory = filepath.Join(t.TempDir(), "real.json")
	l.write(l.inventory, `{"devices":[]}`)
	if _, err := l.run("list"); err == nil || !strings.Contains(err.Error(), "real.json: inventory: says of no simulation") {
		t.Errorf("got %v", err)
	}
}

func TestADeviceIsSavedAndItsCommitAccepted(t *testing.T) {
	t.Parallel()
	l := newFaultLab(t)
	if _, err := l.runAs(simAcceptCommand, "leaf1"); err == nil || err.Error() != "leaf1: no commit is waiting for its confirmation" {
		t.Errorf("got %v", err)
	}
	l.prints("add foreign-commit leaf1 --path /interface[name=e1]/mtu --value 1500", "f1\n")
	if _, err := l.runAs(simSaveCommand, "leaf1"); err == nil || !strings.Contains(err.Error(), "decide it before saving") {
		t.Errorf("got %v", err)
	}
	if got, err := l.runAs(simAcceptCommand, "leaf1"); err != nil || got != "leaf1: commit foreign-f1 accepted\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := l.runAs(simSaveCommand, "leaf1"); err != nil || got != "leaf1 saved\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if !strings.Contains(string(l.sim.Device("leaf1").Startup().AppendJSON(nil, false)), `"mtu":1500`) {
		t.Error("it is not saved")
	}
	for _, command := range []func(*terminal) *cobra.Command{simSaveCommand, simAcceptCommand} {
		if _, err := l.runAs(command, "leaf9"); err == nil || !strings.Contains(err.Error(), `device "leaf9": there is none of this name; there is leaf1`) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAKindSaysAllAboutItself(t *testing.T) {
	t.Parallel()
	l := newFaultLab(t)
	l.prints("kinds", "cut", "cable", "a cable is cut")
	l.prints("kinds sync", "--form missing", "it never comes", "--times")
	l.prints("kinds slow-set", "it is needed", "which Sets: any, change, commit, confirm, cancel; any unless given")
	l.prints("kinds refuse", "ABORTED unless given", "plain unless given")
}

func TestTheJournalIsWritten(t *testing.T) {
	t.Parallel()
	l := newFaultLab(t)
	file := filepath.Join(t.TempDir(), "journal")
	end, err := keepJournal(&terminal{}, l.sim, file)
	if err != nil {
		t.Fatal(err)
	}
	l.prints("add stall leaf1", "f1")
	end()
	if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), `"event":"inject","device":"leaf1","fault":"f1 stall leaf1"`) {
		t.Errorf("%s, %v", data, err)
	}
}

// docs/faults.md has a section for every kind, as the table says; -update writes them.
func TestEveryFaultIsDocumented(t *testing.T) {
	t.Parallel()
	const page, mark = "docs/faults.md", "<!-- what follows is made by `go test ./cmd/loom -update` -->\n"
	head, _, found := strings.Cut(read(t, page), mark)
	if !found {
		t.Fatalf("%s: no line %s", page, mark)
	}
	got := head + mark + kindsPage()
	if *update {
		if err := os.WriteFile(filepath.Join(root, page), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, page) != got {
		t.Errorf("%s: is not what the table of kinds says; go test ./cmd/loom -update writes it", page)
	}
}

// kindsPage is the table of kinds as Markdown.
func kindsPage() string {
	var b strings.Builder
	b.WriteString("\n## What stands for what\n\nWhat a controller has to survive, and the kinds of faults to try it with.\n\n| id | what goes wrong | kinds |\n|---|---|---|\n")
	for _, r := range sim.Risks() {
		var with []string
		for _, kind := range r.Kinds {
			with = append(with, fmt.Sprintf("[`%s`](#%s)", kind, kind))
		}
		switch {
		case r.Elsewhere != "" && len(with) > 0:
			with = append(with, "beside devices: "+r.Elsewhere)
		case r.Elsewhere != "":
			with = append(with, "no device's: "+r.Elsewhere)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.ID, r.What, strings.Join(with, ", "))
	}
	b.WriteString("\n## Kinds\n\n| kind | target | what happens |\n|---|---|---|\n")
	for _, k := range sim.Kinds() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", k.Name, k.Name, k.At, k.Help)
	}
	for _, k := range sim.Kinds() {
		fmt.Fprintf(&b, "\n### %s\n\n", k.Name)
		for _, row := range kindTable(k).rows[1:] {
			fmt.Fprintf(&b, "- `%s`: %s\n", row[0], row[1])
		}
	}
	return b.String()
}
