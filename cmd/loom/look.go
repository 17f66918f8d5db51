package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/loomfabric/loom/pkg/verify"
)

// look is how a transaction stands, with what its gate waits for.
type look struct {
	transaction.View
	Gate string `json:"gate,omitempty"`
}

// text says in one line what a gate waits for.
func (w gateWait) text() string {
	var parts []string
	if groups := verify.Groups(w.findings); len(groups) > 0 {
		parts = append(parts, andMore(groups[0].Message, len(groups)-1))
	}
	if len(w.silent) > 0 {
		parts = append(parts, andMore(w.silent[0], len(w.silent)-1)+" to be read")
	}
	switch {
	case w.check != "":
		return fmt.Sprintf("the check %q", w.check)
	case len(parts) == 0:
		return "the network to stay at rest"
	}
	return strings.Join(parts, "; ")
}

func andMore(first string, more int) string {
	if more == 0 {
		return first
	}
	return fmt.Sprintf("%s, and %d more", first, more)
}

// words for statuses, in the order in which they are shown.
var words = []struct {
	status transaction.Status
	word   string
}{
	{transaction.Saved, "saved"}, {transaction.Confirmed, "confirmed"}, {transaction.Restored, "as before"},
	{transaction.Verified, "read back"}, {transaction.Armed, "sent"}, {transaction.Set, "sent without a timer"}, {transaction.Drained, "drained"}, {transaction.Staged, "at a stage"},
	{transaction.Unsaved, "unsaved"}, {transaction.Foreign, "foreign"}, {transaction.Refused, "refusing"}, {transaction.Unreachable, "unreachable"},
	{transaction.Waiting, "waiting"},
}

// counts says how many devices are how: "10 read back, 2 sent, 4 waiting".
func counts(w transaction.WaveView) string {
	var parts []string
	for _, s := range words {
		if n := w.In[s.status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.word))
		}
	}
	return strings.Join(parts, ", ")
}

// goals are the statuses in which a device is through, as far as the phase goes.
func (l *look) goals() []transaction.Status {
	switch {
	case l.committed():
		return []transaction.Status{transaction.Saved}
	case l.turned():
		return []transaction.Status{transaction.Restored, transaction.Waiting}
	}
	return []transaction.Status{transaction.Verified, transaction.Confirmed, transaction.Saved}
}

// committed tells whether it is decided that the devices keep the change; turned, whether it is taken back.
func (l *look) committed() bool {
	return l.Phase == transaction.Rolling || l.Deciding && l.Why == "" || l.Phase == transaction.Over && l.Why == ""
}
func (l *look) turned() bool { return l.Why != "" }

func in(w transaction.WaveView, statuses ...transaction.Status) int {
	n := 0
	for _, s := range statuses {
		n += w.In[s]
	}
	return n
}

// sum is all waves in one, those that are only saved included.
func (l *look) sum() transaction.WaveView { return sumOf(append(slices.Clone(l.Waves), l.Saves)) }

func sumOf(waves []transaction.WaveView) transaction.WaveView {
	out := transaction.WaveView{In: map[transaction.Status]int{}}
	for _, w := range waves {
		out.Devices += w.Devices
		for s, n := range w.In {
			out.In[s] += n
		}
	}
	return out
}

// row is a line of the block: some waves, and how far they are.
type row struct {
	name string
	wave transaction.WaveView
}

// maxWaves is how many waves have a row of their own. With more, those before and behind the one that is worked on
// share a row.
const maxWaves = 8

func (l *look) rows() []row {
	var out []row
	some := func(from, to int) { // waves from..to, from 0
		switch {
		case from >= to:
		case to-from == 1:
			out = append(out, row{fmt.Sprintf("wave %d", from+1), l.Waves[from]})
		default:
			out = append(out, row{fmt.Sprintf("waves %d-%d", from+1, to), sumOf(l.Waves[from:to])})
		}
	}
	switch n := len(l.Waves); {
	case n <= maxWaves:
		for i := range n {
			some(i, i+1)
		}
	default:
		some(0, l.Wave-1)
		some(l.Wave-1, l.Wave)
		some(l.Wave, n)
	}
	if l.Saves.Devices > 0 {
		out = append(out, row{"to save", l.Saves})
	}
	return out
}

// block is what a terminal shows: a title, a row per wave, what is waited for, and the timers.
func (l *look) block(columns int) []string {
	lines := []string{fmt.Sprintf("  %-12s %8s  %s", l.title(), clock(l.At.Sub(l.Began)), l.ID)}
	goals := l.goals()
	for _, r := range l.rows() {
		done := in(r.wave, goals...)
		lines = append(lines, fmt.Sprintf("  %-12s %8s  %s  %s", r.name, fmt.Sprintf("%d/%d", done, r.wave.Devices), l.bar(r.wave, done), counts(r.wave)))
	}
	if s := l.waiting(); s != "" {
		lines = append(lines, "  waits for    "+s)
	}
	if s := l.timers(); s != "" {
		lines = append(lines, "  timers       "+s)
	}
	for i, s := range lines {
		lines[i] = clipped(s, columns-1)
	}
	return lines
}

// title is what is being done.
func (l *look) title() string {
	switch {
	case l.Phase == transaction.Over && l.turned():
		return "taken back"
	case l.Phase == transaction.Over:
		return "done"
	case l.Phase == transaction.Suspended:
		return "suspended"
	case l.turned():
		return "taking back"
	case l.committed():
		return "confirming"
	}
	return "changing"
}

const barWidth = 12

// bar is how far a wave is: # through, + under way, . not touched.
func (l *look) bar(w transaction.WaveView, done int) string {
	if w.Devices == 0 {
		return strings.Repeat(" ", barWidth)
	}
	moved := w.Devices - w.In[transaction.Waiting]
	full, part := done*barWidth/w.Devices, max(moved, done)*barWidth/w.Devices
	return strings.Repeat("#", full) + strings.Repeat("+", part-full) + strings.Repeat(".", barWidth-part)
}

// waiting is what is waited for.
func (l *look) waiting() string {
	left := clock(l.Until.Sub(l.At))
	switch l.Waits {
	case transaction.ForGate, transaction.ForReturn:
		if l.Gate == "" {
			return "the gate"
		}
		return "the gate: " + l.Gate
	case transaction.ForSoak:
		return "the soak, " + left + " left"
	case transaction.ForWord:
		return "loom transactions confirm or cancel, " + left + " left"
	case transaction.ForDevices:
		if l.Phase != transaction.Forward {
			return "the last routers, for " + left + " at most"
		}
	}
	return ""
}

// timers is how many routers take the change back by themselves, and when the first does.
func (l *look) timers() string {
	if l.Timers == 0 {
		return ""
	}
	if left := l.First.Sub(l.At); left > 0 {
		return fmt.Sprintf("%d armed, the first runs out in %s (%s)", l.Timers, clock(left), l.FirstD)
	}
	return fmt.Sprintf("%d armed, the first has run out (%s)", l.Timers, l.FirstD)
}

// line is the same in one line, for a log.
func (l *look) line() string {
	parts := []string{counts(l.sum())}
	if l.title() == "changing" {
		parts = []string{fmt.Sprintf("wave %d of %d: %s", l.Wave, len(l.Waves), counts(l.Waves[max(l.Wave-1, 0)])), counts(l.sum()) + " in all"}
		if len(l.Waves) == 1 {
			parts = parts[:1]
		}
	}
	if s := l.waiting(); s != "" && l.Phase == transaction.Forward {
		parts = append(parts, "waits for "+s)
	}
	if s := l.timers(); s != "" {
		parts = append(parts, s)
	}
	return fmt.Sprintf("%6s  %s, %s", clock(l.At.Sub(l.Began)), l.title(), strings.Join(parts, "; "))
}

// interrupted says what came of an interrupt, or of a word to cancel, and what another interrupt would do.
func (l *look) interrupted() string {
	all := l.sum()
	touched := all.Devices - all.In[transaction.Waiting]
	does := fmt.Sprintf("taking back what was done (%d of %s touched)", touched, sizes(all.Devices, "router"))
	then := "nothing is lost by it: the next loom apply, or loom transactions resume, goes on from the journal"
	switch {
	case l.committed():
		does = fmt.Sprintf("it is decided, so this goes on to the end (%d of %d confirmed)", in(all, transaction.Confirmed, transaction.Saved), all.Devices)
	case l.Timers > 0:
		then = fmt.Sprintf("then %s the change back, the first in %s, and the next loom apply, or loom transactions resume, does the rest",
			takeBack(l.Timers), clock(l.First.Sub(l.At)))
	}
	if l.Interrupted == errCancelled.Error() {
		return errCancelled.Error() + ": " + does
	}
	return fmt.Sprintf("interrupted: %s.\nInterrupt once more to end this program at once; %s.", does, then)
}

// takeBack is "the armed router takes", "3 armed routers take".
func takeBack(n int) string {
	if n == 1 {
		return "the armed router takes"
	}
	return fmt.Sprintf("%d armed routers take", n)
}

// clock is a time as clocks show it: 0:07, 4:12, 1:02:03.
func clock(d time.Duration) string {
	s := int(max(d, 0).Round(time.Second) / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// clipped is a text without line breaks, in at most some columns.
func clipped(s string, columns int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	if n := utf8.RuneCountInString(s); n <= columns {
		return s
	}
	r := []rune(s)
	return string(r[:max(columns-1, 0)]) + "…"
}
