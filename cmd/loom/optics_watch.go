package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/loomfabric/loom/pkg/verify"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func opticsWatch(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "watch PATH...",
		Short: "Watch the light of a network",
		Long: `Reads gateways, transponders and line systems again and again, and says what changes: a finding once when it
comes and once when it is gone, with since when; and margins that fall, with when nothing is left of them.
What is found is what loom check finds: a cut duct is one finding, with all that it takes, and what is left of
each DCI. For a cut duct it proposes how what is lost can be led over other lines (see loom optics restore).
Nothing is changed on any device.

It reads all devices every --interval: what happens is said so much later at most, and the time that reading takes.
Margins are kept in the directory of --data, so that the next watch, or the next --once, goes on with their slopes.

On a terminal a table of all channels is drawn in place. With --format json every line of the output is a JSON
object; one a turn has the margins.

Exit code: 0 nothing is wrong at the end, 2 something is, 1 error. Without --for it watches until it is
interrupted; with --once it looks once, as a job of CI or cron does.`,
		Example: `  loom optics watch lit.yaml --inventory sim.json
  loom optics watch lit.yaml --inventory sim.json --for 1h --interval 30s --format json
  loom optics watch lit.yaml --inventory sim.json --once --format json`,
		Args:              namedFiles,
		ValidArgsFunction: yamlFiles,
	}
	a := accessFlags(c)
	span := c.Flags().Duration("for", 0, "how long to watch; 0: until it is interrupted")
	once := c.Flags().Bool("once", false, "look once")
	dir := c.Flags().String("data", "", "`DIR` for margins (default: $LOOM_DATA, or else .loom beside the topology)")
	interval := c.Flags().Duration("interval", 10*time.Second, "time between two looks")
	timeout := c.Flags().Duration("timeout", 10*time.Second, "how long one device may take before it counts as unreachable")
	releases := releaseFlag(c)
	format := formatFlag(c, "text", "json")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if *timeout <= 0 || *interval <= 0 || *span < 0 {
			return errors.New("--for, --interval and --timeout are times that pass; use 10s")
		}
		if *once && *span > 0 {
			return errors.New("--once looks once and --for again and again; use one of them")
		}
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		n, err := compileNetwork(t, srcs, *releases)
		if err != nil {
			return err
		}
		names := lightDevices(n.design)
		if len(names) == 0 {
			return fmt.Errorf("%s: no channels of light; add lines and a dci, or use loom check", n.design.Name)
		}
		r, err := a.resolve(n)
		if err != nil {
			return err
		}
		data := cmp.Or(*dir, dataDir(srcs))
		w := newLightWatch(n, proposalOf(cmd, args, data))
		kept := &keptMargins{name: filepath.Join(data, "margins-"+n.design.Name+".json")}
		if w.history, err = kept.read(n.design, time.Now()); err != nil {
			t.notef("%v\n", err)
		}
		s := &lightScreen{t: t, json: *format == "json", progress: &progress{t: t}}
		ctx := cmd.Context()
		if *span > 0 {
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, *span)
			defer stop()
		}
		tick := time.NewTicker(*interval)
		defer tick.Stop()
		o := newObserver(n, r, *timeout)
		for {
			seen := o.observe(ctx, names)
			if ctx.Err() == nil { // what an interrupt cut short says nothing
				s.show(w.next(seen), w, seen)
			}
			select {
			case <-ctx.Done(): // an interrupt ends a watch as well as its time
				*once = true
			default:
			}
			if err := kept.write(n.design, w.history, seen.At, *once); err != nil {
				kept.complain(t, err)
			}
			if *once {
				return w.verdict()
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}
	return c
}

// lightDevices are the devices that have to do with light, in the order of the design.
func lightDevices(d *fabric.Design) []string {
	var out []string
	for _, dev := range d.Devices {
		switch dev.Role {
		case fabric.Gateway, fabric.Transponder, fabric.LineSystem:
			out = append(out, dev.Name)
		}
	}
	if len(d.Channels) == 0 {
		return nil
	}
	return out
}

// lightWatch is what has been seen of the light of a network. It reads no clock and no device.
type lightWatch struct {
	n       *network
	repeat  proposal
	index   *verify.Index
	history verify.History
	looks   int                    // that were finished
	open    map[string]openFinding // by ID
	margins map[string]optics.DB   // at the last look
}

// openFinding is a root that has not gone.
type openFinding struct {
	verify.Group
	since time.Time
}

func newLightWatch(n *network, repeat proposal) *lightWatch {
	return &lightWatch{n: n, repeat: repeat, index: verify.NewIndex(n.design), open: map[string]openFinding{}}
}

// lightEvent is one thing that has changed, a line of the output.
type lightEvent struct {
	At       time.Time            `json:"at"`
	Event    string               `json:"event"` // "found", "changed", "cleared", "proposal", "margins"
	Finding  *verify.Group        `json:"finding,omitempty"`
	Since    *time.Time           `json:"since,omitempty"`
	Left     []string             `json:"left,omitempty"`    // of DCIs, and whose traffic that is
	Moves    []fabric.Move        `json:"moves,omitempty"`   // proposed
	Stays    []fabric.Stay        `json:"stays,omitempty"`   // what cannot be moved
	Command  string               `json:"command,omitempty"` // that applies the proposal
	Margins  map[string]optics.DB `json:"margins_db,omitempty"`
	sentence string
	lost     []string // by name, what the finding takes
}

// next takes what was seen and returns what has changed since the last time, what has gone first.
func (w *lightWatch) next(seen verify.Observed) []lightEvent {
	w.looks++
	w.margins = w.index.Margins(seen)
	w.history = w.history.Add(seen.At, w.margins)
	findings := append(w.index.Check(seen), w.index.Forecast(w.history)...)
	kinds, now := kindsOf(findings), map[string]bool{}
	var gone, out []lightEvent
	var cuts []string // that are open, whether found now or before: no way may lead over one of them
	fresh := false    // one of them is found now
	for _, g := range verify.Groups(findings) {
		if g.Severity == verify.Notice {
			continue
		}
		now[g.ID] = true
		old, known := w.open[g.ID]
		same := known && slices.Equal(old.Takes, g.Takes)
		if !known {
			old.since = seen.At
		}
		w.open[g.ID] = openFinding{g, old.since}
		if g.Kind == verify.FibreCut {
			cuts = append(cuts, g.Ducts...)
			fresh = fresh || !known
		}
		if same {
			continue
		}
		e := lightEvent{At: seen.At, Event: "found", Finding: &g, sentence: g.Severity.String() + ": " + g.Message + takes(g, kinds), lost: lost(findings, g.Takes)}
		if known {
			e.Event, e.Since = "changed", &old.since
		}
		for _, f := range findings {
			if f.Kind == verify.CapacityLost && slices.Contains(g.Takes, f.ID) {
				e.Left = append(e.Left, f.Message)
			}
		}
		out = append(out, e)
	}
	if fresh {
		out = append(out, w.propose(seen.At, cuts))
	}
	for id, f := range w.open {
		if !now[id] {
			delete(w.open, id)
			gone = append(gone, lightEvent{At: seen.At, Event: "cleared", Finding: &f.Group, Since: &f.since,
				sentence: fmt.Sprintf("%s (was so for %v)", f.Message, seen.At.Sub(f.since).Round(time.Second))})
		}
	}
	slices.SortFunc(gone, func(a, b lightEvent) int { return strings.Compare(a.Finding.ID, b.Finding.ID) })
	return append(append(gone, out...), lightEvent{At: seen.At, Event: "margins", Margins: w.margins})
}

// propose finds how what is lost with some ducts can be led over other lines.
func (w *lightWatch) propose(at time.Time, cuts []string) lightEvent {
	r, err := fabric.Restore(w.n.topo, cuts)
	if err != nil {
		return lightEvent{At: at, Event: "proposal", sentence: err.Error()}
	}
	e := lightEvent{At: at, Event: "proposal", Moves: r.Moves, Stays: r.Stays, sentence: strings.Join(restoration(r), "\n")}
	if len(r.Moves) > 0 {
		e.Command = w.repeat.command(cuts)
	}
	return e
}

// proposal is what a command that is proposed has of the one that proposes it: it runs in the same directory as it stands.
type proposal struct {
	paths []string // of the topology
	to    string   // file for the changed one: beside the first, so that its journal is the same
	flags string   // of loom apply, with a space before each
}

func proposalOf(cmd *cobra.Command, paths []string, data string) proposal {
	p := proposal{paths: paths, to: "restored.yaml"}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains([]string{"inventory", "cert", "key", "release"}, f.Name) {
			p.flags += fmt.Sprintf(" --%s %s", f.Name, quoted(strings.Trim(f.Value.String(), "[]")))
		}
	})
	if info, err := os.Stat(paths[0]); err == nil && !info.IsDir() { // what is put into a directory would be a part of it
		p.to = filepath.Join(filepath.Dir(paths[0]), p.to)
	}
	if filepath.Clean(data) != filepath.Clean(dataDir([]topology.Source{{Name: p.to}})) {
		p.flags += " --data " + quoted(data)
	}
	return p
}

// command leads what some ducts have taken over other lines.
func (p *proposal) command(cuts []string) string {
	words := []string{"loom optics restore"}
	for _, path := range p.paths {
		words = append(words, quoted(path))
	}
	return fmt.Sprintf("%s --cut %s --to %s && loom apply %[3]s%s", strings.Join(words, " "), quoted(strings.Join(cuts, ",")), quoted(p.to), p.flags)
}

// lost are the names of what some findings are about, a line for each kind of thing that carries traffic.
func lost(findings []verify.Finding, ids []string) []string {
	var out []string
	within := cords(findings)
	for _, noun := range []struct {
		kind verify.Kind
		many string
	}{{verify.ChannelDown, "channels"}, {verify.InterfaceDown, "links"}, {verify.LAGDegraded, "LAGs"}, {verify.SessionDown, "sessions"}} {
		var names []string
		for i := range findings {
			if findings[i].Kind == noun.kind && slices.Contains(ids, findings[i].ID) && !within[findings[i].ID] {
				names = append(names, findings[i].Object)
			}
		}
		if more := len(names) - namesShown; more > 0 {
			names = append(names[:namesShown], fmt.Sprintf("and %d more", more))
		}
		if len(names) > 0 {
			out = append(out, noun.many+": "+strings.Join(names, ", "))
		}
	}
	return out
}

// namesShown is how many of a kind are named; with --format json all are.
const namesShown = 8

// verdict is the exit code. Who has seen nothing does not say that all is well.
func (w *lightWatch) verdict() error {
	if w.looks == 0 {
		return errors.New("it ended before all devices were read; give it more time with --for")
	}
	if len(w.open) > 0 {
		return exit{code: exitChanges}
	}
	return nil
}

// lightScreen shows what a watch sees.
type lightScreen struct {
	t        *terminal
	json     bool
	progress *progress
}

func (s *lightScreen) show(events []lightEvent, w *lightWatch, seen verify.Observed) {
	s.progress.wipe()
	for i := range events {
		e := &events[i]
		switch {
		case s.json:
			line, err := json.Marshal(e)
			if err == nil {
				s.t.printf("%s\n", line)
			}
		case e.Event != "margins":
			s.text(e)
		}
	}
	if s.t.live {
		lines := w.table(seen)
		for i := range lines {
			lines[i] = clipped(lines[i], s.t.columns())
		}
		s.progress.draw(lines)
	}
}

// text prints an event, and below it what belongs to it.
func (s *lightScreen) text(e *lightEvent) {
	first, rest, _ := strings.Cut(e.sentence, "\n")
	s.t.printf("%s  %-8s  %s\n", e.At.Format("15:04:05"), e.Event, first)
	lines := append(slices.Clone(e.lost), e.Left...)
	if rest != "" {
		lines = append(strings.Split(rest, "\n"), lines...)
	}
	if e.Command != "" {
		lines = append(lines, e.Command)
	}
	for _, line := range lines {
		s.t.printf("%20s%s\n", "", line)
	}
}

// table is all channels as they were seen last.
func (w *lightWatch) table(seen verify.Observed) []string {
	var b bytes.Buffer
	tab := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tab, "channel\tTHz\tstate\treceived dBm\tOSNR dB\tmargin dB\tasked\ta day\n")
	for i := range w.n.design.Channels {
		c := &w.n.design.Channels[i]
		state, margin, trend := "up", "-", "-"
		for _, end := range []fabric.Terminal{c.A, c.B} {
			if !seen.Devices[end.Device].Interfaces[end.Port].Up {
				state = "down"
			}
		}
		if m, known := w.margins[c.Name]; known {
			margin = fmt.Sprintf("%.2f", float64(m))
		}
		if t := w.history.Trend(c.Name); t.Clear {
			trend = fmt.Sprintf("%+.2f", t.PerDay)
		}
		a, z := seen.Devices[c.A.Device].Optical[c.A.Port], seen.Devices[c.B.Device].Optical[c.B.Port]
		fmt.Fprintf(tab, "%s\t%.5f\t%s\t%s / %s\t%s / %s\t%s\t%.2f\t%s\n", c.Name, float64(c.Slot.Frequency()), state,
			shownNumber(a.Received), shownNumber(z.Received), shownNumber(a.OSNR), shownNumber(z.OSNR), margin, float64(c.Asked), trend)
	}
	_ = tab.Flush() // into memory
	return strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
}

func shownNumber(x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", *x)
}
