//go:build crashpoints

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/transaction"
	"google.golang.org/grpc/codes"
)

// TestKill kills the real program at every point that pkg/crash has a name for, and again while it recovers,
// and cuts the power. Whatever happens, every device ends at the target or every device at its base, with
// its startup configuration, or a named state lists each exception. docs/testing.md says more.
//
// A case that fails prints the command that repeats it alone.
func TestKill(t *testing.T) {
	k := newKills(t)
	t.Run("all", func(t *testing.T) {
		for _, scene := range scenes {
			t.Run(scene.name, func(t *testing.T) {
				t.Parallel()
				for _, c := range k.cases(t, scene) {
					t.Run(c.name(), func(t *testing.T) {
						t.Parallel()
						k.run(t, scene, c)
					})
				}
			})
		}
	})
	k.report(t)
}

// scene is a change and the situation in which the program dies in the middle of it.
type scene struct {
	name    string
	limits  string         // of the transaction, as $LOOM_LIMITS has them
	args    []string       // of loom apply, beside the usual ones
	before  func(*routers) // what is special about the devices
	between func(*routers) // what happens to them while nobody controls them
	mended  func(*routers) // what ends that; then loom apply brings every device to the target. nil: not tried
	lost    []string       // devices that may be exceptions, by name
	only    []string       // points that the scene is about, by a part of their name; nil: all that it passes
	ways    []way          // what is tried at each point
	nested  []killing      // after which the recovery is killed too, at every point that it passes, twice
}

// way is how the program dies at a point, and what follows.
type way string

const (
	atOnce     way = "at once"     // killed, and restarted at once
	timersOver way = "timers over" // killed, and restarted when the devices' confirm timers have run out
	answered   way = "answered"    // killed when the device has answered, and before anybody has seen it
	powerLoss  way = "power loss"  // what was not synced is lost too
)

const (
	patient   = `{"rollback": 60000000000, "settle": 500000000, "patience": 20000000000}`
	impatient = `{"rollback": 60000000000, "settle": 500000000, "patience": 2500000000}`
	hasty     = `{"rollback": 2000000000, "settle": 500000000, "patience": 20000000000}`
)

var scenes = []*scene{
	{
		name: "good", limits: patient, ways: []way{atOnce, timersOver, powerLoss, answered},
		nested: []killing{killed("transaction send after", 3, atOnce), killed("transaction confirm after", 1, timersOver)},
	},
	{
		// One router has no timers, one boots its old startup, one cannot be reached; it comes back later.
		name: "mixed", limits: impatient, ways: []way{atOnce}, lost: []string{"spine1"},
		before:  func(f *routers) { f.inject("extension-ignored", "leaf1") },
		between: func(f *routers) { f.sim.Device("leaf2").Reboot(); f.sim.Device("spine1").Stop() },
		mended:  func(f *routers) { f.sim.Device("spine1").Restart(); f.clock.leap(time.Hour) },
	},
	{
		// One router has no timers; it and another boot their old startup.
		name: "rebooted", limits: patient, ways: []way{atOnce},
		before:  func(f *routers) { f.inject("extension-ignored", "leaf1") },
		between: func(f *routers) { f.sim.Device("leaf1").Reboot(); f.sim.Device("leaf2").Reboot() },
		nested:  []killing{killed("transaction write commit after", 1, atOnce)},
	},
	{
		// The last router refuses, so that the others go back: one by its timer, one by the inverse.
		name: "refused", limits: patient, ways: []way{timersOver, powerLoss, answered},
		before: func(f *routers) {
			f.inject("extension-ignored", "leaf1")
			f.inject("refuse", "spine1", func(x *sim.Fault) { x.On, x.Code = sim.Commit, codes.InvalidArgument })
		},
		nested: []killing{killed("transaction write abort after", 1, atOnce)},
	},
	{
		// Between two waves so much time goes by that timers are started again.
		name: "slow", limits: hasty, args: []string{"--soak", "1100ms"}, ways: []way{atOnce, answered}, only: []string{"extend", "check"},
	},
}

// death is where the program dies: at a pass of a point.
type death struct {
	point string
	pass  int // from 1
}

func (d death) String() string { return fmt.Sprintf("%s#%d", d.point, d.pass) }

// killing is one case.
type killing struct {
	deaths []death // of the first process, the second one, and so on; the next one lives
	way    way     // of the first
}

func killed(point string, pass int, w way) killing { return killing{[]death{{point, pass}}, w} }

func (c killing) name() string {
	var all []string
	for _, d := range c.deaths {
		all = append(all, d.String())
	}
	return strings.Join(all, ", then ") + ", " + string(c.way)
}

// kills is what the cases share, and what they came to.
type kills struct {
	program string
	n       *network

	mu     sync.Mutex // guards what follows
	runs   int
	made   int            // cases
	scenes int            // that made them
	tried  map[string]int // cases that ran, by scene and way
	died   map[string]int // by point
	missed []string       // points that a case did not come to: it passed them less often than they were counted
	named  map[string]int // exceptions, with their state
	torn   int            // databases that lost their last pages
	cut    int            // logs that lost entries
}

func newKills(t *testing.T) *kills {
	t.Helper()
	k := &kills{program: filepath.Join(t.TempDir(), "loom"), tried: map[string]int{}, died: map[string]int{}, named: map[string]int{}}
	if out, err := exec.Command("go", "build", "-trimpath", "-tags", "crashpoints", "-o", k.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	srcs, err := sources([]string{pairFile(t)})
	if err != nil {
		t.Fatal(err)
	}
	if k.n, err = compileNetwork(&terminal{out: &bytes.Buffer{}, err: &bytes.Buffer{}}, srcs, nil); err != nil {
		t.Fatal(err)
	}
	return k
}

func pairFile(t testing.TB) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("testdata", "pair.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// victim is the program, as one case runs it.
type victim struct {
	*kills
	*routers
	scene *scene
	count int // processes so far
}

// ended is how a process ended.
type ended struct {
	killed   bool
	code     int
	out, err string
	log      []string // the points that it passed
}

func (e ended) passed(point string) int {
	n := 0
	for _, p := range e.log {
		if p == point {
			n++
		}
	}
	return n
}

// apply runs loom apply, to its death where there is one.
func (p *victim) apply(d *death, w way) ended {
	args := append([]string{"apply", pairFile(p), "--yes", "--inventory", p.path("sim.json"), "--data", p.path("data")}, p.scene.args...)
	return p.loom(d, w, args...)
}

// resume runs loom transactions resume.
func (p *victim) resume(d *death) ended {
	return p.loom(d, atOnce, "transactions", "resume", pairFile(p), "--format", "json", "--inventory", p.path("sim.json"), "--data", p.path("data"))
}

func (p *victim) loom(d *death, w way, args ...string) ended {
	p.Helper()
	p.count++
	log := p.path(fmt.Sprintf("log%d", p.count))
	cmd := exec.Command(p.program, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "HOME="+p.dir, "TMPDIR="+p.dir, "LOOM_CRASH_LOG="+log, "LOOM_LIMITS="+p.scene.limits)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // with the hook, if it has one
	if d != nil {
		cmd.Env = append(cmd.Env, "LOOM_CRASH="+d.String())
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	hooked := d != nil && (w == powerLoss || w == answered)
	if hooked {
		p.write("hook", "#!/bin/sh\n: > "+p.path("here")+"\nexec sleep 600\n")
		cmd.Env = append(cmd.Env, "LOOM_CRASH_HOOK="+p.path("hook"))
	}
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	if hooked {
		p.atHook(cmd.Process.Pid, w, log, over)
	}
	select {
	case <-over:
	case <-time.After(2 * time.Minute):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		p.Fatalf("loom %s takes more than two minutes:\n%s%s", args[0], &out, &errs)
	}
	e := ended{code: cmd.ProcessState.ExitCode(), out: out.String(), err: errs.String(), log: linesOf(log)}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	e.killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	p.tally(d, e)
	return e
}

// atHook waits until the process stands at its point, does there what the way asks for, and kills it. A process
// that never gets there ends by itself.
func (p *victim) atHook(pid int, w way, log string, over chan error) {
	p.Helper()
	gone := false
	p.until("the program is at its point", func() bool {
		select {
		case err := <-over:
			over <- err
			gone = true
		default:
		}
		return gone || exists(p.path("here"))
	})
	if gone {
		return
	}
	switch w {
	case answered:
		left := 0
		for _, line := range linesOf(log) {
			if strings.HasPrefix(line, "device ") {
				left++
			}
		}
		p.until("the devices have answered", func() bool { return p.sets() >= left })
	case powerLoss:
		p.cutPower(pid, log)
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func linesOf(file string) []string {
	data, _ := os.ReadFile(file) // a process that passes no point writes none
	return slices.Collect(strings.FieldsFuncSeq(string(data), func(r rune) bool { return r == '\n' }))
}

func (k *kills) tally(d *death, e ended) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.runs++
	if e.killed && d != nil {
		k.died[d.point]++
	}
}

func (k *kills) begin(t *testing.T, s *scene) *victim {
	t.Helper()
	p := &victim{kills: k, routers: newRouters(t, k.n), scene: s}
	if s.before != nil {
		s.before(p.routers)
	}
	return p
}

// cases finds out which points a scene passes, and how often, and makes cases of the first and the last pass of
// each: at the first no device has anything yet, or one has; at the last all others wait for the decision.
func (k *kills) cases(t *testing.T, s *scene) []killing {
	t.Helper()
	var out []killing
	for _, d := range deaths(k.begin(t, s).apply(nil, "").log, s.only) {
		for _, w := range s.ways {
			if w != answered || strings.HasPrefix(d.point, "device ") {
				out = append(out, killing{[]death{d}, w})
			}
		}
	}
	for _, c := range s.nested {
		p := k.begin(t, s)
		p.die(c)
		for _, d := range deaths(p.resume(nil).log, nil) {
			if d.pass == 1 {
				out = append(out, killing{[]death{c.deaths[0], d, d}, c.way})
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.made += len(out)
	k.scenes++
	return out
}

// deaths are the first and the last pass of the points of a log, of all or of those that have one of the
// parts in their names.
func deaths(log, parts []string) []death {
	passes := map[string]int{}
	for _, point := range log {
		if parts == nil || slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(point, part) }) {
			passes[point]++
		}
	}
	var out []death
	for _, point := range slices.Sorted(maps.Keys(passes)) {
		out = append(out, death{point, 1})
		if n := passes[point]; n > 1 {
			out = append(out, death{point, n})
		}
	}
	return out
}

// die runs loom apply to its first death, and lets happen what happens then.
func (p *victim) die(c killing) ended {
	p.Helper()
	e := p.apply(&c.deaths[0], c.way)
	if !e.killed {
		p.miss(c)
	}
	if p.scene.between != nil {
		p.scene.between(p.routers)
	}
	if c.way == timersOver {
		p.clock.leap(time.Hour)
	}
	return e
}

func (k *kills) miss(c killing) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.missed = append(k.missed, c.name())
}

// repeat prints how to repeat a case that has failed.
func repeat(t *testing.T) {
	if !t.Failed() {
		return
	}
	parts := strings.Split(t.Name(), "/")
	for i := range parts {
		parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
	}
	t.Logf("again: go test -count=1 -tags crashpoints ./cmd/loom -v -run '%s'", strings.Join(parts, "/"))
}

// run is one case.
func (k *kills) run(t *testing.T, s *scene, c killing) {
	defer repeat(t)
	p := k.begin(t, s)
	e := p.die(c)
	decided := e.passed("transaction write commit after") > 0
	undecided := e.passed("transaction write commit before") == 0
	for _, d := range c.deaths[1:] {
		p.resume(&d)
	}
	last := p.resume(nil)
	place := p.judge(last)
	switch {
	case decided && place != atTarget && place != "":
		t.Errorf("the journal says commit, and the devices are at %s\n%s", place, last.err)
	case undecided && place != atBase && place != "":
		t.Errorf("nothing was decided, and the devices are at %s\n%s", place, last.err)
	}
	if s.mended != nil {
		s.mended(p.routers)
		p.converge()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	what := s.name + ", " + string(c.way)
	if len(c.deaths) > 1 {
		what += ", recovery killed twice"
	}
	k.tried[what]++
}

// judge demands that all devices are at the same place but for exceptions that are named, and that the
// program says so. It returns the place, "" where all are exceptions.
func (p *victim) judge(e ended) string {
	p.Helper()
	var res transaction.Result
	if err := json.Unmarshal([]byte(e.out), &res); err != nil {
		p.Fatalf("%v in what loom transactions resume printed, with exit code %d:\n%s%s", err, e.code, e.out, e.err)
	}
	places := map[string][]string{}
	for _, d := range p.sim.Devices() {
		status := res.Devices[d.Name()]
		if slices.Contains([]transaction.Status{transaction.Saved, transaction.Restored, transaction.Waiting, ""}, status) {
			place := p.place(d.Name())
			if want, known := map[transaction.Status]string{transaction.Saved: atTarget, transaction.Restored: atBase, transaction.Waiting: atBase}[status]; known && place != want {
				p.Errorf("%s is called %s, and is at %s", d.Name(), status, place)
			}
			places[place] = append(places[place], d.Name())
			continue
		}
		p.except(d.Name(), status)
		if !strings.Contains(e.err, d.Name()) {
			p.Errorf("%s is %s, and nobody is told:\n%s", d.Name(), status, e.err)
		}
		if e.code != exitMixed {
			p.Errorf("%s is %s, and the exit code is %d", d.Name(), status, e.code)
		}
	}
	if want, known := map[transaction.Outcome]int{transaction.Done: exitOK, transaction.Unchanged: exitOK, "": exitOK, transaction.RolledBack: exitRolledBack, transaction.Mixed: exitMixed}[res.Outcome]; !known || e.code != want {
		p.Errorf("%q with exit code %d", res.Outcome, e.code)
	}
	all := slices.Sorted(maps.Keys(places))
	if len(all) > 1 || len(all) == 1 && all[0] != atBase && all[0] != atTarget {
		p.Errorf("devices are not where all should be: %v\n%s", places, e.err)
	}
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// except notes an exception, of a device that may be one.
func (p *victim) except(name string, status transaction.Status) {
	p.Helper()
	if !slices.Contains(p.scene.lost, name) {
		p.Errorf("%s is an exception for no reason: %s", name, status)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.named[p.scene.name+": "+name+" "+string(status)]++
}

// converge demands that loom apply brings every device to the target when nothing is in its way any more.
func (p *victim) converge() {
	p.Helper()
	if e := p.apply(nil, ""); e.code != exitOK {
		p.Errorf("loom apply ends with exit code %d when all is well again:\n%s%s", e.code, e.out, e.err)
	}
	for _, d := range p.sim.Devices() {
		if place := p.place(d.Name()); place != atTarget {
			p.Errorf("%s is at %s when all is well again", d.Name(), place)
		}
	}
}

// report prints what was tried, and fails for a point at which nothing died. Where only some cases were asked
// for it says nothing about points.
func (k *kills) report(t *testing.T) {
	t.Helper()
	ran := 0
	for _, what := range slices.Sorted(maps.Keys(k.tried)) {
		t.Logf("%4d cases: %s", k.tried[what], what)
		ran += k.tried[what]
	}
	t.Logf("%4d cases in all, %d processes, %d of them killed", ran, k.runs, total(k.died))
	t.Logf("%4d cases came to their point less often than when it was counted: %s", len(k.missed), strings.Join(k.missed, "; "))
	t.Logf("%4d logs lost an entry that nobody had been told of; %d databases lost their last pages", k.cut, k.torn)
	for _, what := range slices.Sorted(maps.Keys(k.named)) {
		t.Logf("%4d exceptions: %s", k.named[what], what)
	}
	out, err := exec.Command(k.program, "crash-points").Output()
	if err != nil {
		t.Fatal(err)
	}
	var points []string
	if err := json.Unmarshal(out, &points); err != nil {
		t.Fatal(err)
	}
	t.Logf("%4.0f s of CPU for the programs, %.0f s for the routers", secondsOf(syscall.RUSAGE_CHILDREN), secondsOf(syscall.RUSAGE_SELF))
	never := slices.DeleteFunc(slices.Clone(points), func(p string) bool { return k.died[p] > 0 })
	t.Logf("%4d points, of which the program died at %d (%d %%)", len(points), len(points)-len(never), 100*(len(points)-len(never))/len(points))
	if len(never) > 0 && ran == k.made && k.scenes == len(scenes) {
		t.Errorf("nothing died at %s; add a case, or remove the point", strings.Join(never, ", "))
	}
}

// secondsOf is the time of processors that somebody has taken, in seconds.
func secondsOf(who int) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func total(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}
