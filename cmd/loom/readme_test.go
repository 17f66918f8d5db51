//go:build !race

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// walkStep is a line of a walk through the README, and what is to come of it.
type walkStep struct {
	line string   // how it begins
	says []string // patterns of what it prints
}

// The walk through the README is run as it stands there: line by line in one shell, in a directory of its own, with a free port. A line
// ends with 0 unless its comment says another exit code.
func TestTheReadmesWalkThroughTheController(t *testing.T) {
	t.Parallel()
	steps := []walkStep{
		{"mkdir -p", nil},
		{"cd ", nil},
		{"loom init lab.yaml", []string{"lab.yaml: written"}},
		{"loom sim lab.yaml", nil},
		{"loom sim wait", []string{"sim.json: 4 devices simulated"}},
		{"loom serve", nil},
		{"loom context wait", []string{"context state: the controller at 127.0.0.1:[0-9]+ answers"}},
		{"put --yes lab.yaml", []string{"lab: revision 1 by admin", "4 devices to change", "wave 1: leaf1: verified", "loom-.*: done", "ended: done"}},
		{"loom devices lab", inSyncWith(1)},
		{"loom sim fault add foreign-change leaf1", []string{"f1"}},
		{"loom drift list lab", []string{`(?m)^\w+ +leaf1 +/system/name/host-name +leaf1 +by-hand `}},
		{"loom drift revert lab", []string{"(?m)^loom-.*: done$"}},
		{"sed s/", nil},
		{"loom apply next.yaml --server", []string{"2 devices to change, 2 in sync", `\+ .*10\.64\.3\.1/24`, "loom-.*: done in "}},
		{"loom intent restore lab", []string{"lab: revision 3 .*1 resource", "2 devices to change: leaf1, leaf2"}},
		{"loom intent apply lab", []string{`- .*10\.64\.3\.1/24`, `\+ .*10\.64\.2\.1/24`, "loom-.*: done in "}},
		{"loom devices lab --wait", inSyncWith(3)},
		{"sed 's/", nil},
		{"put typo.yaml", []string{`typo.yaml:14:\d+: .*no segment nte2; write net2`}},
		{"loom devices --context prod", []string{"prod: no such context; use one of state, or make it with loom context add"}},
		{"kill %2", nil},
		{"loom devices lab", []string{"context state: the controller at .* does not answer: connection refused; start it with loom serve"}},
		{"kill %1", nil},
		{"cd - ", nil},
	}
	lines := blockOf(t, "README.md", "## The controller")
	if len(lines) != len(steps) {
		t.Fatalf("the walk has %d lines, and %d are expected here:\n%s", len(lines), len(steps), strings.Join(lines, "\n"))
	}
	lab := filepath.Join(t.TempDir(), "lab")
	for i, took := range shell(t, lines, "LAB="+lab, "LOOM_SERVE_LISTEN=127.0.0.1:0") {
		if !strings.HasPrefix(lines[i], steps[i].line) {
			t.Errorf("line %d is %q, and %q is expected here", i+1, lines[i], steps[i].line)
		}
		if want := exitCodeOf(lines[i]); took.code != want {
			t.Errorf("%s\nends with %d, want %d:\n%s", lines[i], took.code, want, took.out)
		}
		for _, says := range steps[i].says {
			if !regexp.MustCompile(says).MatchString(took.out) {
				t.Errorf("%s\ndoes not say %s:\n%s", lines[i], says, took.out)
			}
		}
	}
	if _, err := os.Stat(lab); err == nil {
		t.Errorf("%s is left", lab)
	}
}

func inSyncWith(revision int) []string {
	var out []string
	for _, name := range []string{"leaf1", "leaf2", "spine1", "spine2"} {
		out = append(out, `lab +`+name+` +in sync +`+strconv.Itoa(revision)+`\s`)
	}
	return out
}

// blockOf is the first block of code of a page behind a heading, line by line.
func blockOf(t *testing.T, name, heading string) []string {
	t.Helper()
	_, section, ok := strings.Cut(read(t, name), "\n"+heading+"\n")
	_, block, begins := strings.Cut(section, "\n```\n")
	block, _, ends := strings.Cut(block, "\n```\n")
	if !ok || !begins || !ends {
		t.Fatalf("%s: no block of code behind %s", name, heading)
	}
	return strings.Split(block, "\n")
}

// exitCodeOf is what the comment of a line says of it.
func exitCodeOf(line string) int {
	code := "0"
	if m := regexp.MustCompile(`# exit code (\d+)`).FindStringSubmatch(line); m != nil {
		code = m[1]
	}
	n, _ := strconv.Atoi(code)
	return n
}

// printed is what a line has printed, and how it ended.
type printed struct {
	out  string
	code int
}

// shell runs lines in one shell at the root of the repository.
func shell(t *testing.T, lines []string, env ...string) []printed {
	t.Helper()
	const mark = "\x02" // begins what a line prints, and ends it together with its exit code
	var script strings.Builder
	for _, line := range lines {
		script.WriteString("printf '" + mark + "'\n" + line + "\nprintf '" + mark + "%d\\n' $?\n")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script.String())
	cmd.Dir, cmd.Env, cmd.WaitDelay = root, append(os.Environ(), env...), 10*time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) } // with all that it has begun
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) })            // what a walk that goes wrong leaves behind
	all, err := cmd.CombinedOutput()
	parts := strings.Split(string(all), mark)
	if err != nil || len(parts) != 2*len(lines)+1 {
		t.Fatalf("the shell ended with %v, after %d of %d lines:\n%s", err, len(parts)/2, len(lines), all)
	}
	out := make([]printed, len(lines))
	for i := range lines {
		code, _, _ := strings.Cut(parts[2*i+2], "\n")
		n, err := strconv.Atoi(code)
		if err != nil {
			t.Fatalf("%s: exit code %q", lines[i], code)
		}
		out[i] = printed{parts[2*i+1], n}
	}
	return out
}
