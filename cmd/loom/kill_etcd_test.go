//go:build crashpoints

package main

import (
	"slices"
	"strings"
	"testing"
)

// newEtcd starts one.
func newEtcd(t testing.TB) *etcd {
	t.Helper()
	c := &etcd{TB: t, dir: t.TempDir(), endpoint: "http://127.0.0.1:0"}
	c.start()
	return c
}

// takeOver has a process stand still for longer than its lease lasts, and another one go on with what it was about. Then
// the first goes on as if nothing had been.
func (p *victim) takeOver(q *prey) {
	p.Helper()
	p.until("the process stands still with nothing on its way", func() bool {
		if p.sets() < p.sent(q) {
			return false
		}
		p.freeze(q.pid)
		if p.sets() == p.sent(q) {
			return true
		}
		p.thaw(q.pid)
		return false
	})
	q.passed = linesOf(q.log)
	e := p.resume(nil)
	p.successor, p.before = &e, p.witnessed()
	p.letGo(q)
}

// witnessed is all that devices and journal say has been done: how many Sets were answered, and where each device is.
func (p *victim) witnessed() witness {
	w := witness{sets: p.sets()}
	for _, d := range p.sim.Devices() {
		w.places = append(w.places, d.Name()+" "+p.place(d.Name()))
	}
	return w
}

type witness struct {
	sets   int
	places []string
}

// lose takes the cluster away while the process stands at its point, and brings it back: when the process waits for it,
// or when it has given up.
func (p *victim) lose(q *prey, point string, w way) {
	p.Helper()
	q.passed = linesOf(q.log)
	p.cluster.stop()
	p.letGo(q)
	if w == away {
		// Just before a write it does; elsewhere the next point tells, which others of its devices may pass first.
		writes := strings.HasPrefix(point, "transaction write ") && strings.HasSuffix(point, " before")
		p.until("the process needs the cluster", func() bool {
			return writes || q.ended() || len(linesOf(q.log)) > len(q.passed)
		})
		q.passed = nil
	} else {
		p.until("the process has given up", q.ended)
	}
	p.cluster.start()
}

// survived demands of a process that was not killed that it has done what it may, and says so.
func (p *victim) survived(e ended, w way) {
	p.Helper()
	switch {
	case !w.lives() || !exists(p.path("here")):
	case w == away:
		if e.code != exitOK {
			p.Errorf("the cluster was away for a moment, and the program ends with exit code %d:\n%s", e.code, e.err)
		}
	case w == noCluster:
		if e.code != exitMixed || !strings.Contains(e.err, "nothing more was done") || !strings.Contains(e.err, "the next loom apply goes on") && !strings.Contains(e.err, "as does the next loom apply") {
			p.Errorf("the cluster is gone, and the program ends with exit code %d:\n%s", e.code, e.err)
		}
	case w == paused:
		if now := p.witnessed(); now.sets != p.before.sets || !slices.Equal(now.places, p.before.places) {
			p.Errorf("a process that has lost its lock has changed devices: %v, then %v\n%s", p.before, now, e.err)
		}
		if e.code != exitMixed || !strings.Contains(e.err, "does not have the lock on the fabric any more") {
			p.Errorf("a process that has lost its lock ends with exit code %d:\n%s", e.code, e.err)
		}
		if more := p.resume(nil); strings.TrimSpace(more.out) != "{}" {
			p.Errorf("a process that has lost its lock has left something in the journal:\n%s%s", more.out, more.err)
		}
	}
}
