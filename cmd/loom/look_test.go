package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/loomfabric/loom/pkg/verify"
)

// of counts devices: of(4, transaction.Waiting, 2, transaction.Armed).
func of(pairs ...any) transaction.WaveView {
	w := transaction.WaveView{In: map[transaction.Status]int{}}
	for i := 0; i < len(pairs); i += 2 {
		w.Devices += pairs[i].(int)
		w.In[pairs[i+1].(transaction.Status)] = pairs[i].(int)
	}
	return w
}

var lookBegan = time.Date(2026, 11, 22, 21, 4, 12, 0, time.UTC)

func viewAt(after time.Duration, phase transaction.Phase, waves ...transaction.WaveView) transaction.View {
	return transaction.View{ID: "loom-20261122-210412.387-9f3c", Began: lookBegan, At: lookBegan.Add(after), Phase: phase, Waves: waves, Wave: 1, Part: 1, Parts: 1}
}

func TestWhatIsShownOfATransaction(t *testing.T) {
	t.Parallel()
	gate := gateWait{findings: []verify.Finding{
		{ID: "a", Message: "leaf17: BGP neighbor 10.0.0.1 (spine1) is idle, not established, since it was changed"}, {ID: "b", Message: "b"}}, silent: []string{"leaf3"}}
	changing := viewAt(42*time.Second, transaction.Forward, of(1, transaction.Verified), of(4, transaction.Waiting, 2, transaction.Armed, 10, transaction.Verified), of(3, transaction.Waiting))
	changing.Wave, changing.Waits = 2, transaction.ForDevices
	changing.Timers, changing.First, changing.FirstD = 13, changing.At.Add(252*time.Second), "leaf17"
	gated := changing
	gated.Waits = transaction.ForGate
	held := changing
	held.Waits, held.Until = transaction.ForWord, held.At.Add(90*time.Second)
	confirming := viewAt(time.Hour+2*time.Second, transaction.Rolling, of(1, transaction.Saved, 2, transaction.Confirmed, 5, transaction.Verified))
	confirming.Waits, confirming.Until, confirming.Saves = transaction.ForDevices, confirming.At.Add(6*time.Minute), of(2, transaction.Waiting)
	confirming.Timers, confirming.First, confirming.FirstD = 5, confirming.At.Add(-time.Second), "leaf9"
	undoing := viewAt(5*time.Second, transaction.Undoing, of(1, transaction.Restored, 1, transaction.Verified, 1, transaction.Unreachable), of(6, transaction.Waiting))
	undoing.Why, undoing.Waits, undoing.Until = "leaf3: refused", transaction.ForDevices, undoing.At.Add(time.Minute)
	for name, c := range map[string]struct {
		l    look
		line string
		want string
	}{
		"devices get their change": {look{View: changing},
			"  0:42  changing, wave 2 of 3: 10 read back, 2 sent, 4 waiting; 11 read back, 2 sent, 7 waiting in all; 13 armed, the first runs out in 4:12 (leaf17)", `
  changing         0:42  loom-20261122-210412.387-9f3c
  wave 1            1/1  ############  1 read back
  wave 2          10/16  #######++...  10 read back, 2 sent, 4 waiting
  wave 3            0/3  ............  3 waiting
  timers       13 armed, the first runs out in 4:12 (leaf17)
`},
		"the gate": {look{gated, gate.text()},
			"  0:42  changing, wave 2 of 3: 10 read back, 2 sent, 4 waiting; 11 read back, 2 sent, 7 waiting in all; waits for the gate: leaf17: BGP neighbor 10.0.0.1 (spine1) is idle, not established, since it was changed, and 1 more; leaf3 to be read; 13 armed, the first runs out in 4:12 (leaf17)", `
  changing         0:42  loom-20261122-210412.387-9f3c
  wave 1            1/1  ############  1 read back
  wave 2          10/16  #######++...  10 read back, 2 sent, 4 waiting
  wave 3            0/3  ............  3 waiting
  waits for    the gate: leaf17: BGP neighbor 10.0.0.1 (spine1) is idle, not e…
  timers       13 armed, the first runs out in 4:12 (leaf17)
`},
		"somebody's word": {look{View: held},
			"  0:42  changing, wave 2 of 3: 10 read back, 2 sent, 4 waiting; 11 read back, 2 sent, 7 waiting in all; waits for loom transactions confirm or cancel, 1:30 left; 13 armed, the first runs out in 4:12 (leaf17)", `
  changing         0:42  loom-20261122-210412.387-9f3c
  wave 1            1/1  ############  1 read back
  wave 2          10/16  #######++...  10 read back, 2 sent, 4 waiting
  wave 3            0/3  ............  3 waiting
  waits for    loom transactions confirm or cancel, 1:30 left
  timers       13 armed, the first runs out in 4:12 (leaf17)
`},
		"decided": {look{View: confirming},
			"1:00:02  confirming, 1 saved, 2 confirmed, 5 read back, 2 waiting; 5 armed, the first has run out (leaf9)", `
  confirming    1:00:02  loom-20261122-210412.387-9f3c
  wave 1            1/8  #+++++++++++  1 saved, 2 confirmed, 5 read back
  to save           0/2  ............  2 waiting
  waits for    the last routers, for 6:00 at most
  timers       5 armed, the first has run out (leaf9)
`},
		"taken back": {look{View: undoing},
			"  0:05  taking back, 1 as before, 1 read back, 1 unreachable, 6 waiting", `
  taking back      0:05  loom-20261122-210412.387-9f3c
  wave 1            1/3  ####++++++++  1 as before, 1 read back, 1 unreachable
  wave 2            6/6  ############  6 waiting
  waits for    the last routers, for 1:00 at most
`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.l.line(); got != c.line {
				t.Errorf("line\n%s\nwant\n%s", got, c.line)
			}
			if got := "\n" + strings.Join(c.l.block(80), "\n") + "\n"; got != c.want {
				t.Errorf("block%swant%s", got, c.want)
			}
		})
	}
}

// A fabric of a thousand routers in a hundred waves is shown in as many lines as a small one, none of them too long.
func TestTheBlockOfManyWavesStaysSmall(t *testing.T) {
	t.Parallel()
	var waves []transaction.WaveView
	for i := range 100 {
		switch {
		case i < 40:
			waves = append(waves, of(10, transaction.Verified))
		case i == 40:
			waves = append(waves, of(3, transaction.Verified, 7, transaction.Armed))
		default:
			waves = append(waves, of(10, transaction.Waiting))
		}
	}
	v := viewAt(time.Minute, transaction.Forward, waves...)
	v.Wave, v.Waits, v.Timers, v.First, v.FirstD = 41, transaction.ForGate, 410, v.At.Add(time.Minute), strings.Repeat("long", 20)
	l := look{v, strings.Repeat("words ", 40)}
	got := "\n" + strings.Join(l.block(80), "\n") + "\n"
	const want = `
  changing         1:00  loom-20261122-210412.387-9f3c
  waves 1-40    400/400  ############  400 read back
  wave 41          3/10  ###+++++++++  3 read back, 7 sent
  waves 42-100    0/590  ............  590 waiting
  waits for    the gate: words words words words words words words words words…
  timers       410 armed, the first runs out in 1:00 (longlonglonglonglonglong…
`
	if got != want {
		t.Errorf("block%swant%s", got, want)
	}
	for _, s := range l.block(40) {
		if n := utf8.RuneCountInString(s); n > 39 {
			t.Errorf("%d columns of 40: %q", n, s)
		}
	}
}

func TestWhatAnInterruptDoesIsSaidOnce(t *testing.T) {
	t.Parallel()
	armed := viewAt(0, transaction.Forward, of(2, transaction.Verified, 1, transaction.Waiting))
	armed.Timers, armed.First, armed.Why, armed.Deciding, armed.Interrupted = 2, armed.At.Add(time.Minute), "interrupt", true, "interrupt"
	decided := viewAt(0, transaction.Rolling, of(1, transaction.Saved, 2, transaction.Verified))
	decided.Interrupted = "interrupt"
	word := armed
	word.Interrupted = errCancelled.Error()
	for name, c := range map[string]struct {
		v    transaction.View
		want string
	}{
		"before the decision": {armed, "interrupted: taking back what was done (2 of 3 routers touched).\nInterrupt once more to end this program at once; " +
			"then 2 armed routers take the change back, the first in 1:00, and the next loom apply, or loom transactions resume, does the rest.\n"},
		"after the decision": {decided, "interrupted: it is decided, so this goes on to the end (1 of 3 confirmed).\nInterrupt once more to end this program at once; " +
			"nothing is lost by it: the next loom apply, or loom transactions resume, goes on from the journal.\n"},
		"by a word": {word, "cancelled by loom transactions cancel: taking back what was done (2 of 3 routers touched)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said bytes.Buffer
			p := &progress{t: &terminal{err: &said}, quiet: true}
			p.show(c.v)
			p.show(c.v)
			if got := said.String(); got != c.want {
				t.Errorf("said\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Into a file go lines without control codes: one with each decision, else one in ten seconds.
func TestALogGetsALineNowAndThen(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	p := &progress{t: &terminal{err: &said}}
	for i := range 125 {
		v := viewAt(time.Duration(i)*200*time.Millisecond, transaction.Forward, of(i, transaction.Verified, 200-i, transaction.Waiting))
		p.show(v)
	}
	p.show(viewAt(25*time.Second, transaction.Rolling, of(200, transaction.Verified)))
	p.show(viewAt(26*time.Second, transaction.Over, of(200, transaction.Saved)))
	const want = `  0:10  changing, wave 1 of 1: 50 read back, 150 waiting
  0:20  changing, wave 1 of 1: 100 read back, 100 waiting
  0:25  confirming, 200 read back
`
	if got := said.String(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

// On a terminal what was drawn is drawn over; what is told meanwhile stays above it, and the last block stays too.
func TestABlockIsDrawnInPlace(t *testing.T) {
	t.Parallel()
	var s screen
	p := &progress{t: &terminal{err: &s, live: true}}
	p.show(viewAt(0, transaction.Forward, of(2, transaction.Waiting)))
	p.show(viewAt(time.Second, transaction.Forward, of(1, transaction.Armed, 1, transaction.Waiting), of(1, transaction.Waiting)))
	for i := range maxErrors + 5 {
		p.event(transaction.Event{Err: fmt.Errorf("leaf%d: refused", i)})
	}
	p.show(viewAt(2*time.Second, transaction.Rolling, of(2, transaction.Verified)))
	p.show(viewAt(3*time.Second, transaction.Over, of(2, transaction.Saved)))
	p.above("after it\n")
	want := ""
	for i := range maxErrors {
		want += fmt.Sprintf("   leaf%d: refused\n", i)
	}
	want += `   more errors are in the journal; loom transactions show has them
  done             0:03  loom-20261122-210412.387-9f3c
  wave 1            2/2  ############  2 saved
after it
`
	if got := s.String(); got != want {
		t.Errorf("the screen shows\n%s\nwant\n%s", got, want)
	}
}

// screen is a terminal that knows what progress uses: going up some lines, and wiping what is below.
type screen struct{ lines []string }

func (s *screen) Write(b []byte) (int, error) {
	text := string(b)
	for text != "" {
		if rest, ok := strings.CutPrefix(text, "\x1b["); ok {
			var up int
			if _, err := fmt.Sscanf(rest, "%dA", &up); err != nil {
				return 0, fmt.Errorf("a terminal does not know %q", text)
			}
			s.lines = s.lines[:len(s.lines)-up]
			_, text, _ = strings.Cut(rest, "\r\x1b[J")
			continue
		}
		line, rest, whole := strings.Cut(text, "\n")
		if !whole || strings.ContainsAny(line, "\x1b\r") {
			return 0, fmt.Errorf("not a whole line: %q", text)
		}
		s.lines, text = append(s.lines, line), rest
	}
	return len(b), nil
}

func (s *screen) String() string { return strings.Join(s.lines, "\n") + "\n" }

// A run is shown in each phase, and with each tick.
func TestARunIsShownAsItGoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c, err := newChange(b.plan, b.devices, "test", transaction.Limits{Rollback: time.Minute, Patience: time.Second, Settle: 100 * time.Millisecond, Retries: 2})
	if err != nil {
		t.Fatal(err)
	}
	run := newRunner(&b.records, unfenced(b.devices), c.work)
	tick := make(chan time.Time, 1)
	tick <- lookBegan
	var seen []transaction.View
	run.Parallel, run.Tick, run.Show = 4, tick, func(v transaction.View) { seen = append(seen, v) }
	if res := run.Run(t.Context(), transaction.New(c.spec, time.Now())); res.Err != nil {
		t.Fatal(res.Err)
	}
	phases := map[transaction.Phase]transaction.View{}
	for _, v := range seen {
		phases[v.Phase] = v
	}
	if len(seen) != 4 || len(tick) > 0 {
		t.Errorf("shown %d times, want once in each of three phases and once with the tick", len(seen))
	}
	rolling := look{View: phases[transaction.Rolling]}
	if got, left := counts(rolling.sum()), rolling.First.Sub(rolling.At); got != "3 read back" || rolling.Timers != 3 || left <= 0 || left > time.Minute {
		t.Errorf("once it is decided: %s, %d timers, the first runs out in %s", got, rolling.Timers, left)
	}
	over := look{View: phases[transaction.Over]}
	if got := counts(over.sum()); got != "3 saved" || over.Timers != 0 {
		t.Errorf("at the end: %s, %d timers", got, over.Timers)
	}
}
