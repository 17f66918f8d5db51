//go:build crashpoints

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// victim is the program, as one case runs it.
type victim struct {
	*kills
	*routers
	scene     *scene
	cluster   *etcd  // nil: the store is a directory
	id        string // of the last transaction before
	leave     []string
	count     int    // processes so far
	successor *ended // who took over from one that stood still
	before    witness
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

// change runs the command of the scene, to its death where there is one.
func (p *victim) change(d *death, w way) ended {
	args := []string{cmp.Or(p.scene.command, "apply")}
	switch args[0] {
	case "drain":
		args = append(args, "leaf2")
	case "rollback":
		args = append(args, p.id)
	}
	return p.loom(d, w, slices.Concat(args, []string{p.file(p, p.scene.topology()), "--yes"}, p.rims(), p.scene.args, p.leave)...)
}

// resume runs loom transactions resume.
func (p *victim) resume(d *death) ended {
	return p.loom(d, atOnce, slices.Concat([]string{"transactions", "resume", p.file(p, p.scene.topology()), "--format", "json"}, p.rims())...)
}

// rims are the flags that say where devices and store are.
func (p *victim) rims() []string { return append(p.store(), "--inventory", p.path("sim.json")) }

// store are the flags that say where the store is.
func (p *victim) store() []string {
	if p.cluster != nil {
		return []string{"--etcd", p.cluster.endpoint, "--wait", "20s"} // the lock of who was killed is free when its lease has ended
	}
	return []string{"--data", p.path("data")}
}

func (p *victim) loom(d *death, w way, args ...string) ended {
	p.Helper()
	p.count++
	log := p.path(fmt.Sprintf("log%d", p.count))
	cmd := exec.Command(p.program, args...)
	cmd.Dir = p.dir
	cmd.Env = slices.Concat(os.Environ(), []string{"HOME=" + p.dir, "TMPDIR=" + p.dir, "LOOM_CRASH_LOG=" + log, "LOOM_LIMITS=" + p.scene.limits}, p.scene.env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // with the hook, if it has one
	if d != nil {
		cmd.Env = append(cmd.Env, "LOOM_CRASH="+d.String())
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	hooked := d != nil && w.hooked()
	if hooked {
		cmd.Env = append(cmd.Env, "LOOM_CRASH_HOOK="+p.hook(w))
	}
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	q := &prey{pid: cmd.Process.Pid, log: log, over: over}
	if p.scene.word != "" && args[0] == "apply" && (d == nil || d.point != "transaction hold" || d.pass > 1) {
		p.say(q, d)
	}
	if hooked {
		p.atHook(q, d.point, w)
	}
	select {
	case <-over:
	case <-time.After(2 * time.Minute):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		p.Fatalf("loom %s takes more than two minutes:\n%s%s", args[0], &out, &errs)
	}
	e := ended{code: cmd.ProcessState.ExitCode(), out: out.String(), err: errs.String(), log: q.passed}
	if q.passed == nil {
		e.log = linesOf(log)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	e.killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	p.tally(d, e)
	return e
}

// prey is a process of the program.
type prey struct {
	pid    int
	log    string     // file of the points that it passes
	over   chan error // has something when it has ended
	passed []string   // the points until it was stopped; nil where it was not
}

// ended tells whether it has ended.
func (q *prey) ended() bool {
	select {
	case err := <-q.over:
		q.over <- err
		return true
	default:
		return false
	}
}

// hook is the command that holds a process at its point until it is let go, or killed with it.
func (p *victim) hook(w way) string {
	p.Helper()
	text := "#!/bin/sh\n"
	if w == torn {
		text += "kill -STOP $PPID\n" // before it has done anything else
	}
	p.write("hook", text+": > "+p.path("here")+"\nread go < "+p.path("go")+"\n")
	if err := syscall.Mkfifo(p.path("go"), 0o600); err != nil {
		p.Fatal(err)
	}
	return p.path("hook")
}

// letGo lets a process go on from its point.
func (p *victim) letGo(q *prey) {
	p.Helper()
	p.thaw(q.pid) // before the pipe is opened, which waits for who reads it
	f, err := os.OpenFile(p.path("go"), os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("go\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		p.Fatal(err)
	}
}

// atHook waits until the process stands at its point, does there what the way asks for, and kills it unless it lives. A
// process that never gets there ends by itself.
func (p *victim) atHook(q *prey, point string, w way) {
	p.Helper()
	p.until("the program is at its point", func() bool { return q.ended() || exists(p.path("here")) })
	if q.ended() {
		return
	}
	switch w {
	case answered:
		p.until("the devices have answered", func() bool { return p.sets() >= p.sent(q) })
	case powerLoss, torn:
		p.cutPower(q, w)
	case confirmed:
		p.heard(p.tell("confirm"))
	case cancelled:
		p.heard(p.tell("cancel"))
	case paused:
		p.takeOver(q)
	case away, noCluster:
		p.lose(q, point, w)
	}
	if !w.lives() {
		_ = syscall.Kill(-q.pid, syscall.SIGKILL)
	}
}

// sent counts the requests that a process has sent to devices.
func (p *victim) sent(q *prey) int {
	n := 0
	for _, line := range linesOf(q.log) {
		if strings.HasPrefix(line, "device ") {
			n++
		}
	}
	return n
}

// say says the word of the scene each time that the program waits for it.
func (p *victim) say(q *prey, d *death) {
	p.Helper()
	for n := 1; n <= cmp.Or(p.scene.parts, 1); n++ {
		waits := func() bool { return ended{log: linesOf(q.log)}.passed("transaction hold") >= n }
		p.until("the program waits for a word", func() bool { return q.ended() || exists(p.path("here")) || waits() })
		if !waits() || d != nil && *d == (death{"transaction hold", n}) {
			return
		}
		if e := p.tell(p.scene.word); d == nil { // else it may have died in the meantime
			p.heard(e)
		}
	}
}

// tell says a word about the transaction that is under way.
func (p *victim) tell(word string) ended {
	p.Helper()
	list := p.loom(nil, "", slices.Concat([]string{"transactions", "list", "--format", "json"}, p.store())...)
	return p.loom(nil, "", slices.Concat([]string{"transactions", word, p.newest(list)}, p.store())...)
}

// heard demands that somebody who said a word was told that it is heard.
func (p *victim) heard(e ended) {
	p.Helper()
	if e.code != exitOK {
		p.Errorf("a word about the transaction ends with exit code %d:\n%s", e.code, e.err)
	}
}

// newest is the id of the last transaction of a list.
func (p *victim) newest(e ended) string {
	p.Helper()
	var all []struct{ ID string }
	if err := json.Unmarshal([]byte(e.out), &all); err != nil || len(all) == 0 {
		p.Fatalf("loom transactions list: %v, exit code %d:\n%s%s", err, e.code, e.out, e.err)
	}
	return all[0].ID
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func linesOf(file string) []string {
	data, _ := os.ReadFile(file) // a process that passes no point writes none
	return slices.Collect(strings.FieldsFuncSeq(string(data), func(r rune) bool { return r == '\n' }))
}
