//go:build crashpoints

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
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

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/transaction"
)

// TestKill kills the real program at every point that pkg/crash has a name for, and again while it recovers,
// and cuts the power. Whatever happens, every device ends at the target or every device at its base, with
// its startup configuration, or a named state lists each exception. docs/testing.md says more.
//
// A case that fails prints the command that repeats it alone.
func TestKill(t *testing.T) {
	k := newKills(t)
	t.Run("all", func(t *testing.T) {
		t.Run("serve", func(t *testing.T) {
			t.Parallel()
			k.controllerDies(t)
		})
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
	shelf   string // directory of what the scenes begin with
	states  map[state]*network

	mu     sync.Mutex // guards what follows
	begun  map[*scene]*beginning
	runs   int
	made   int            // cases
	scenes int            // that made them
	tried  map[string]int // cases that ran, by scene and way
	died   map[string]int // by point
	missed []string       // points that a case did not come to: it passed them less often than they were counted
	named  map[string]int // exceptions, with their state
	torn   int            // databases that lost their last pages
	cut    int            // logs that lost entries
	split  int            // logs that end within an entry
}

func newKills(t *testing.T) *kills {
	t.Helper()
	k := &kills{
		shelf: t.TempDir(), states: map[state]*network{}, begun: map[*scene]*beginning{},
		tried: map[string]int{}, died: map[string]int{}, named: map[string]int{},
	}
	k.program = filepath.Join(k.shelf, "loom")
	if out, err := exec.Command("go", "build", "-trimpath", "-tags", "crashpoints", "-o", k.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, s := range []state{plain, bfd, joined, wider, stretched, withdrawn} {
		k.states[s] = k.network(t, s)
	}
	k.states[drained] = k.network(t, plain)
	if err := k.states[drained].drainAll("leaf2"); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *kills) network(t *testing.T, s state) *network {
	t.Helper()
	srcs, err := sources([]string{k.file(t, s)})
	if err != nil {
		t.Fatal(err)
	}
	n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// file is the topology file of a state: one of testdata, or another one with a difference.
func (k *kills) file(t testing.TB, s state) string {
	t.Helper()
	e, edited := edits[s]
	if !edited {
		e.of = s
	}
	file, err := filepath.Abs(filepath.Join("testdata", string(e.of)))
	if err != nil {
		t.Fatal(err)
	}
	if !edited {
		return file
	}
	data, err := os.ReadFile(file)
	text := string(data)
	for pair := range slices.Chunk(e.texts, 2) {
		if err == nil && !strings.Contains(text, pair[0]) {
			err = fmt.Errorf("%s has no %q", file, pair[0])
		}
		text = strings.Replace(text, pair[0], pair[1], 1)
	}
	file = filepath.Join(k.shelf, string(s))
	if err == nil && !exists(file) {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func (k *kills) tally(d *death, e ended) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.runs++
	if e.killed && d != nil {
		k.died[d.point]++
	}
}

// beginning is what a scene begins with whose devices have something already.
type beginning struct {
	running map[string]*config.Tree
	data    string   // directory of the store
	id      string   // of the last transaction
	leave   []string // flags that approve the risks of the change
}

// begin makes the devices of a case, and what was there before.
func (k *kills) begin(t *testing.T, s *scene) *victim {
	t.Helper()
	p := &victim{kills: k, routers: newRouters(t, k.states[s.topology()], k.states[s.hardware()], s.commits), scene: s}
	p.from, p.to = map[string]*config.Tree{}, map[string]*config.Tree{}
	if n := k.states[s.from()]; n != nil {
		p.from = n.trees
	}
	if n := k.states[s.to]; n != nil {
		p.to = n.trees
	}
	if s.etcd {
		p.cluster = newEtcd(t)
	}
	k.mu.Lock()
	b := k.begun[s]
	k.mu.Unlock()
	if b != nil {
		p.id, p.leave = b.id, b.leave
		if err := copyData(p.path("data"), b.data); err != nil {
			t.Fatal(err)
		}
		for name, tree := range b.running {
			if err := p.sim.Device(name).RebootWith(sim.Boot{Source: sim.Given, Tree: tree}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.before != nil {
		s.before(p.routers)
	}
	return p
}

// lead brings the devices to where a scene begins.
func (k *kills) lead(t *testing.T, s *scene) {
	t.Helper()
	if len(s.prior) == 0 {
		return
	}
	p := k.begin(t, &scene{name: s.name, to: s.from(), plant: s.hardware(), commits: s.commits, limits: s.limits})
	for _, file := range s.prior {
		if e := p.loom(nil, "", slices.Concat([]string{"apply", k.file(t, file), "--yes"}, p.rims(), atRest)...); e.code != exitOK {
			t.Fatalf("%s: exit code %d:\n%s%s", file, e.code, e.out, e.err)
		}
	}
	b := &beginning{running: map[string]*config.Tree{}, data: filepath.Join(k.shelf, s.name)}
	for _, d := range p.sim.Devices() {
		b.running[d.Name()] = d.Running()
	}
	b.id = p.newest(p.loom(nil, "", slices.Concat([]string{"transactions", "list", "--format", "json"}, p.store())...))
	if err := copyData(b.data, p.path("data")); err != nil {
		t.Fatal(err)
	}
	p.scene, p.id = s, b.id
	if s.risky {
		e := p.change(nil, "")
		if b.leave = strings.Fields(leaveAsked.FindString(e.err)); len(b.leave) == 0 {
			t.Fatalf("%s: nobody has to approve it:\n%s%s", s.name, e.out, e.err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.begun[s] = b
}

// leaveAsked are the flags that a command asks for whose plan has risks.
var leaveAsked = regexp.MustCompile(`--plan [0-9a-f]+ --approve [a-z-]+`)

// cases finds out which points a scene passes, and how often, and makes cases of the first and the last pass of
// each: at the first no device has anything yet, or one has; at the last all others wait for the decision. Of those
// that are passed more often one in the middle takes one of the ways, in turn.
func (k *kills) cases(t *testing.T, s *scene) []killing {
	t.Helper()
	k.lead(t, s)
	var out []killing
	turn := 0
	e := k.begin(t, s).change(nil, "")
	for _, part := range s.only {
		if part != "write abort" && part != "write commit" && !slices.ContainsFunc(e.log, func(point string) bool { return strings.Contains(point, part) }) {
			t.Errorf("undisturbed, %s passes no %q, and ends with exit code %d:\n%s", s.name, part, e.code, e.err)
		}
	}
	for _, d := range deaths(e.log, s.only) {
		ways := slices.DeleteFunc(slices.Clone(s.ways), func(w way) bool { return !w.fits(d.point) })
		switch {
		case d.middle && s.ends:
			continue
		case d.middle && len(ways) > 0:
			turn++
			ways = ways[turn%len(ways):][:1]
		}
		for _, w := range ways {
			out = append(out, killing{[]death{d.death}, w})
		}
	}
	for _, c := range s.nested {
		p := k.begin(t, s)
		p.die(c)
		for _, d := range deaths(p.resume(nil).log, nil) {
			if d.pass == 1 {
				out = append(out, killing{[]death{c.deaths[0], d.death, d.death}, c.way})
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.made += len(out)
	k.scenes++
	return out
}

// pass is a death that is to be tried.
type pass struct {
	death
	middle bool // neither the first nor the last of its point
}

// seed chooses among the passes of a point. What it has chosen is in the names of the cases.
const seed = 11

// deaths are the first and the last pass, and one in the middle, of the points of a log, of all or of those that have
// one of the parts in their names.
func deaths(log, parts []string) []pass {
	random := rand.New(rand.NewPCG(seed, 0))
	passes := map[string]int{}
	for _, point := range log {
		if parts == nil || slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(point, part) }) {
			passes[point]++
		}
	}
	var out []pass
	for _, point := range slices.Sorted(maps.Keys(passes)) {
		n := passes[point]
		out = append(out, pass{death{point, 1}, false})
		if n > 2 {
			out = append(out, pass{death{point, 2 + random.IntN(n-2)}, true})
		}
		if n > 1 {
			out = append(out, pass{death{point, n}, false})
		}
	}
	return out
}

// die runs the program to its first death, and lets happen what happens then.
func (p *victim) die(c killing) ended {
	p.Helper()
	e := p.change(&c.deaths[0], c.way)
	if !e.killed && !c.way.lives() || c.way.lives() && !exists(p.path("here")) {
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
	p.survived(e, c.way)
	for _, d := range c.deaths[1:] {
		p.resume(&d)
	}
	last := p.successor
	if last == nil {
		e := p.resume(nil)
		last = &e
	}
	place, owed := p.judge(*last), p.owed(e, c.way)
	if owed != "" && place != "" && place != owed {
		t.Errorf("the devices are at %s, and the journal has them be at %s\n%s", place, owed, last.err)
	}
	if s.joins {
		p.reaches(place)
	}
	if s.mended != nil {
		s.mended(p.routers)
		p.converge()
		if s.joins {
			p.reaches(atTarget)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	what := s.name + ", " + string(c.way)
	if len(c.deaths) > 1 {
		what += ", recovery killed twice"
	}
	k.tried[what]++
}

// owed is where the devices have to be by what a process has passed; "" where that is open, as the last decision may
// be in the journal or not. Who goes on from the journal begins no new part, so all of them have to be decided.
func (p *victim) owed(e ended, w way) string {
	parts := cmp.Or(p.scene.parts, 1)
	switch {
	case e.passed("transaction write commit before") < parts:
		return atBase
	case e.passed("transaction write commit after") >= parts && w != torn:
		return atTarget
	}
	return ""
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
			if place == atBoth {
				continue
			}
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

// converge demands that the same command brings every device to the target when nothing is in its way any more.
func (p *victim) converge() {
	p.Helper()
	if e := p.change(nil, ""); e.code != exitOK {
		p.Errorf("the command ends with exit code %d when all is well again:\n%s%s", e.code, e.out, e.err)
	}
	for _, d := range p.sim.Devices() {
		if place := p.place(d.Name()); place != atTarget && place != atBoth {
			p.Errorf("%s is at %s when all is well again", d.Name(), place)
		}
	}
}

// report prints what was tried, and fails for a point at which nothing died. Where only some cases were leaveAsked
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
	t.Logf("%4d logs lost an entry that nobody had been told of, %d of them in its middle; %d databases lost their last pages", k.cut, k.split, k.torn)
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
