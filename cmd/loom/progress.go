package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/transaction"
)

// progress shows how a transaction goes: on a terminal a block that is drawn in place, elsewhere a line now and then,
// and one with each decision. Errors of devices are told as they come.
type progress struct {
	t       *terminal
	quiet   bool // nothing but what an interrupt does
	tick    <-chan time.Time
	publish func(look) // to others who want to see; may be nil
	hear    func(transaction.Event)

	mu     sync.Mutex // guards what follows: a gate tells from another goroutine
	gate   *gateWait  // nil: not known
	waited string     // the same as text; "" where it has to be found out

	block  []string // on the screen
	phase  string   // last title
	lined  time.Time
	warned bool // of what an interrupt does
	errors int
}

// How often a block is drawn, and how often a log gets a line at most while no decision is made.
const (
	drawEvery = 200 * time.Millisecond
	lineEvery = 10 * time.Second
)

// newProgress shows transactions until it is stopped.
func newProgress(t *terminal, quiet bool) (p *progress, stop func()) {
	tick := time.NewTicker(drawEvery)
	return &progress{t: t, quiet: quiet, tick: tick.C}, tick.Stop
}

// onto has a runner show what it does.
func (p *progress) onto(r *transaction.Runner) { r.Progress, r.Show, r.Tick = p.event, p.show, p.tick }

// waits takes what the gate waits for.
func (p *progress) waits(w gateWait) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gate, p.waited = &w, ""
}

// maxErrors is how many errors of devices are shown while they come. All of them are in the journal and in the result.
const maxErrors = 10

// event tells why a device is not as it should be.
func (p *progress) event(e transaction.Event) {
	if p.hear != nil {
		p.hear(e)
	}
	if p.quiet || e.Err == nil {
		return
	}
	switch p.errors++; {
	case p.errors <= maxErrors:
		p.above("   %v\n", e.Err)
	case p.errors == maxErrors+1:
		p.above("   more errors are in the journal; loom transactions show has them\n")
	}
}

// show takes where the transaction stands now.
func (p *progress) show(v transaction.View) {
	l := look{v, p.gateText(v.Waits)}
	if p.publish != nil {
		p.publish(l)
	}
	p.follow(l)
}

// follow shows how a transaction stands, of this process or of another.
func (p *progress) follow(l look) {
	if l.Interrupted != "" && !p.warned && l.Phase != transaction.Over {
		p.warned = true
		echoed := "" // ^C is on the screen
		if p.t.live {
			echoed = "\n"
		}
		p.above("%s%s\n", echoed, l.interrupted())
	}
	switch {
	case p.quiet:
	case p.t.live:
		p.draw(l.block(p.t.columns()))
		if l.Phase == transaction.Over || l.Phase == transaction.Suspended {
			p.block = nil // it stays, and what comes is below
		}
	default:
		p.log(&l)
	}
}

// gateText is what the gate waits for, if it does; what an earlier one waited for is of no interest.
func (p *progress) gateText(w transaction.Wait) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w != transaction.ForGate && w != transaction.ForReturn {
		p.gate = nil
	}
	switch {
	case p.gate == nil:
		p.waited = ""
	case p.waited == "":
		p.waited = p.gate.text()
	}
	return p.waited
}

// draw puts a block in the place of the one before, if it is another.
func (p *progress) draw(block []string) {
	text := strings.Join(block, "\n") + "\n"
	if text == strings.Join(p.block, "\n")+"\n" {
		return
	}
	p.t.notef("%s%s", p.up(), text)
	p.block = block
}

// up goes to the beginning of the block that is on the screen, and wipes it.
func (p *progress) up() string {
	if len(p.block) == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", len(p.block))
}

// above writes lines where the block was; the block is drawn again below with the next tick.
func (p *progress) above(format string, args ...any) {
	p.wipe()
	p.t.notef(format, args...)
}

// wipe takes the block away from the screen.
func (p *progress) wipe() {
	if len(p.block) > 0 {
		p.t.notef("%s", p.up())
		p.block = nil
	}
}

// log writes a line: with each decision, and while there is none now and then.
func (p *progress) log(l *look) {
	if p.lined.IsZero() {
		p.lined, p.phase = l.At, l.title()
	}
	decided := l.title() != p.phase && l.Phase != transaction.Over
	if !decided && l.At.Sub(p.lined) < lineEvery {
		return
	}
	p.lined, p.phase = l.At, l.title()
	p.t.notef("%s\n", l.line())
}
