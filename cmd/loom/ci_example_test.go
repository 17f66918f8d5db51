package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlanScript runs examples/ci/plan.sh as a CI job would: a repository with a base and a change,
// a loom binary, and nothing else.
func TestPlanScript(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "git", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	loom := filepath.Join(t.TempDir(), "loom")
	if out, err := exec.Command("go", "build", "-o", loom, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	tests := []struct {
		name     string
		old, new string // replaced in fabric/fabric.yaml by the change
		env      []string
		code     int
		stdout   string
		plan     []string // what plan.md says
	}{
		{
			name: "a change of a comment changes no device",
			old:  "loom: v1", new: "# reviewed\nloom: v1",
			stdout: "no changes\n", plan: []string{"### loom plan: ", "no changes"},
		},
		{
			name: "a new gateway address is shown on both leaves, with its line",
			old:  "10.10.0.1/24", new: "10.10.0.254/24",
			stdout: "changes: see plan.md\n",
			plan:   []string{"### loom plan: ", "<b>leaf1</b>", "<b>leaf2</b>", "10.10.0.254/24", "fabric/fabric.yaml:"},
		},
		{
			name: "a broken topology fails with file and line",
			old:  "segments: [web]", new: "segments: [wbe]",
			code: 1, plan: []string{"### loom plan: error", "    ", "fabric/fabric.yaml:", "wbe"},
		},
		{
			name: "a base that does not exist fails",
			old:  "loom: v1", new: "loom: v1",
			env:  []string{"BASE=nowhere"},
			code: 1, plan: []string{"### loom plan: error", "nowhere"},
		},
		{
			name: "no base fails",
			old:  "loom: v1", new: "loom: v1",
			env:  []string{"BASE="},
			code: 1, plan: []string{"### loom plan: error", "BASE is not set"},
		},
		{
			name: "a loom that is not there fails",
			old:  "loom: v1", new: "loom: v1",
			env:  []string{"LOOM=/nonexistent/loom"},
			code: 1, plan: []string{"### loom plan: error"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := changedRepository(t, tt.old, tt.new)
			env := append([]string{"BASE=HEAD^1", "TOPOLOGY=fabric", "LOOM=" + loom}, tt.env...)
			code, stdout := runPlanScript(t, dir, env)
			if code != tt.code || stdout != tt.stdout {
				t.Errorf("exit code %d, output %q; want %d, %q", code, stdout, tt.code, tt.stdout)
			}
			plan, err := os.ReadFile(filepath.Join(dir, "plan.md"))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.plan {
				if !strings.Contains(string(plan), want) {
					t.Errorf("plan.md: no %q in:\n%s", want, plan)
				}
			}
		})
	}
}

// changedRepository makes a repository with two commits: topologies/tiny.yaml, and the same with one
// text replaced.
func changedRepository(t *testing.T, old, changed string) string {
	t.Helper()
	base, err := os.ReadFile("../../topologies/tiny.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(base, []byte(old)) {
		t.Fatalf("tiny.yaml: no %q to replace", old)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "fabric", "fabric.yaml")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	gitIn(t, dir, "init", "--quiet")
	for _, data := range [][]byte{base, bytes.Replace(base, []byte(old), []byte(changed), 1)} {
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		gitIn(t, dir, "add", ".")
		gitIn(t, dir, "commit", "--quiet", "--allow-empty", "--message", "fabric")
	}
	return dir
}

func gitIn(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=ci", "-c", "user.email=ci@example.net", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir, cmd.Env = dir, plainGit()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
}

// plainGit is the environment without what would point git elsewhere.
func plainGit() []string {
	env := []string{"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GIT_") {
			env = append(env, v)
		}
	}
	return env
}

func runPlanScript(t *testing.T, dir string, env []string) (code int, stdout string) {
	t.Helper()
	script, err := filepath.Abs("../../examples/ci/plan.sh")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.Command("sh", script)
	cmd.Dir, cmd.Env = dir, append(plainGit(), env...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	t.Logf("plan.sh: %s%s", out.String(), errs.String())
	return cmd.ProcessState.ExitCode(), out.String()
}
