package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transaction"
)

// progress shows how a transaction goes: on a terminal one line that follows it, elsewhere a line
// per device once it is verified, and once all have taken a step together.
type progress struct {
	t      *terminal
	quiet  bool
	total  int // devices that change
	saves  int // devices that are saved: those, and the ones that only have to be
	states map[string]transaction.Status
}

func newProgress(t *terminal, p *plan.Plan, quiet bool) *progress {
	return &progress{t: t, quiet: quiet, total: len(p.Devices), saves: len(p.Devices) + len(p.Unsaved), states: map[string]transaction.Status{}}
}

func (p *progress) event(e transaction.Event) {
	if p.quiet {
		return
	}
	p.states[e.Device] = e.Status
	switch {
	case e.Err != nil:
		p.line("   %v\n", e.Err)
	case p.t.live:
		p.draw(e)
	default:
		p.log(e)
	}
}

// count is how many devices are in one of the given states.
func (p *progress) count(states ...transaction.Status) int {
	n := 0
	for _, s := range p.states {
		if slices.Contains(states, s) {
			n++
		}
	}
	return n
}

// draw rewrites the progress line in place, and leaves it when all is done.
func (p *progress) draw(e transaction.Event) {
	saved := p.count(transaction.Saved)
	confirmed := saved + p.count(transaction.Confirmed)
	verified := confirmed + p.count(transaction.Verified)
	left := ""
	if e.Left > 0 {
		left = fmt.Sprintf(", %s left to confirm", e.Left.Round(time.Second))
	}
	p.t.notef("\r\x1b[Kwave %d  %d/%d verified, %d confirmed, %d saved%s  %s %s", e.Wave, verified, p.total, confirmed, saved, left, e.Device, e.Status)
	if saved == p.saves {
		p.t.notef("\n")
	}
}

func (p *progress) log(e transaction.Event) {
	switch e.Status {
	case transaction.Drained:
		p.t.notef("   wave %d  %-12s is drained  %s\n", e.Wave, e.Device, e.Took.Round(time.Millisecond))
	case transaction.Verified:
		p.t.notef("   wave %d  %-12s has the change and was read back  %s\n", e.Wave, e.Device, e.Took.Round(time.Millisecond))
	case transaction.Restored:
		p.t.notef("   %-12s is as it was before  %s\n", e.Device, e.Took.Round(time.Millisecond))
	case transaction.Confirmed:
		p.together(e, p.total)
	case transaction.Saved:
		p.together(e, p.saves)
	}
}

// together says that all devices have taken a step.
func (p *progress) together(e transaction.Event, all int) {
	if p.count(e.Status) == all {
		p.t.notef("   all %s  %s\n", e.Status, e.Took.Round(time.Millisecond))
	}
}

// line writes a whole line, over what was drawn in place.
func (p *progress) line(format string, args ...any) {
	if p.t.live {
		p.t.notef("\r\x1b[K")
	}
	p.t.notef("%s", fmt.Sprintf(format, args...))
}
