package plan

import (
	"fmt"
	"io"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
)

// Style says how a plan is written for people.
type Style struct {
	Color bool // ANSI colours; the caller decides by looking at the terminal
	Lines int  // most change lines per device, and of a new device none but sums; 0: all
}

// ANSI sequences of the three colours that a plan uses.
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	bold   = "\x1b[1m"
	plain  = "\x1b[0m"
)

// sign and colour of each operation, as diff tools have them.
var signs = map[Op]struct{ sign, color string }{
	Create: {"+", green}, Delete: {"-", red}, Modify: {"~", yellow}, Reorder: {"%", yellow},
}

func (s Style) paint(color, text string) string {
	if !s.Color {
		return text
	}
	return color + text + plain
}

// Text writes the plan for a terminal: a headline, then each device with its changes grouped by cause.
func (p *Plan) Text(w io.Writer, s Style) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s\n", s.paint(bold, p.headline()))
	for i := range p.Devices {
		b.WriteString("\n")
		p.Devices[i].text(b, s)
	}
	p.footer(b, s)
	_, err := io.WriteString(w, b.String())
	return err
}

// later names what the plan leaves to another one; "" where that is nothing.
func (p *Plan) later() string {
	var parts []string
	for _, x := range p.Later {
		parts = append(parts, fmt.Sprintf("%s (%s)", x.Device, count(x.Changes, "change")))
	}
	if len(parts) == 0 {
		return ""
	}
	return "The topology asks for more, which waits for loom apply: " + strings.Join(parts, ", ")
}

func (p *Plan) headline() string {
	limit := ""
	if p.Limit != "" {
		limit = fmt.Sprintf(" (partial: only %s)", p.Limit)
	}
	return fmt.Sprintf("%s against %s%s: %s", p.Topology, p.Against, limit, p.outcome())
}

// outcome says in one line why the exit code is what it is.
func (p *Plan) outcome() string {
	var parts []string
	if len(p.Devices) > 0 {
		parts = append(parts, count(len(p.Devices), "device")+" to change")
	}
	if len(p.Unsaved) > 0 {
		parts = append(parts, count(len(p.Unsaved), "device")+" to save")
	}
	if len(p.Removed) > 0 {
		parts = append(parts, count(len(p.Removed), "device")+" removed")
	}
	if len(parts) == 0 {
		return fmt.Sprintf("no changes, %s in sync", count(len(p.InSync), "device"))
	}
	return fmt.Sprintf("%s, %d in sync", strings.Join(parts, ", "), len(p.InSync))
}

func (p *Plan) footer(b *strings.Builder, s Style) {
	for _, less := range p.Weaker {
		fmt.Fprintf(b, "\nWeaker than all or nothing: %s\n", less)
	}
	if len(p.Unsaved) > 0 {
		fmt.Fprintf(b, "\nTo be saved, their startup configuration does not follow: %s\n", strings.Join(p.Unsaved, ", "))
	}
	if len(p.Removed) > 0 {
		fmt.Fprintf(b, "\nNo longer in the topology, left as they are: %s\n", strings.Join(p.Removed, ", "))
	}
	if len(p.Skipped) > 0 {
		fmt.Fprintf(b, "\nOutside the limit, not looked at: %s\n", count(len(p.Skipped), "device"))
	}
	for _, o := range p.LeftOut {
		fmt.Fprintf(b, "\nLeft out, not looked at: %s is %s\n", o.Device, o.Why)
	}
	if later := p.later(); later != "" {
		fmt.Fprintf(b, "\n%s\n", later)
	}
	p.out(b)
	p.rollout(b)
	p.risks(b, s)
	switch {
	case p.Unfinished != nil:
		fmt.Fprintf(b, "\n%s\n", p.Unfinished)
	case !p.Empty():
		fmt.Fprintf(b, "\nPlan %s\n", p.Hash()[:ShortHash])
	}
}

func (d *Device) text(b *strings.Builder, s Style) {
	created, deleted, modified := d.counts()
	what := fmt.Sprintf("+%d -%d ~%d", created, deleted, modified)
	if d.New {
		what = fmt.Sprintf("new: %s", count(created, "leaf"))
		if s.Lines > 0 {
			what += ", --all shows them"
		}
	}
	fmt.Fprintf(b, "%s  %s %s  %s  in %s\n", s.paint(bold, d.Name), d.Platform, d.Release, what, count(d.Size.Operations(), "operation"))
	for _, note := range d.notes() {
		fmt.Fprintf(b, "  %s\n", s.paint(yellow, note.text))
		for _, reason := range note.reasons {
			fmt.Fprintf(b, "    %s\n", reason)
		}
	}
	if d.New && s.Lines > 0 {
		d.sums(b, s)
		return
	}
	lines := 0
	for _, g := range group(d.Changes) {
		fmt.Fprintf(b, "  %s\n", g.title())
		width := g.width()
		for _, c := range g.changes {
			if s.Lines > 0 && lines == s.Lines {
				fmt.Fprintf(b, "    … %d more (--all shows them)\n", len(d.Changes)-lines)
				return
			}
			k := signs[c.Op]
			fmt.Fprintf(b, "    %s %-*s  %s\n", s.paint(k.color, k.sign), width, c.Path, s.paint(k.color, c.values()))
			lines++
		}
	}
}

// sums is a new device in short: how much each cause asks for.
func (d *Device) sums(b *strings.Builder, s Style) {
	for _, g := range group(d.Changes) {
		fmt.Fprintf(b, "    %s %-10s %s\n", s.paint(green, "+"), count(len(g.changes), "leaf"), g.title())
	}
}

func (d *Device) counts() (created, deleted, modified int) {
	for _, c := range d.Changes {
		switch c.Op {
		case Create:
			created++
		case Delete:
			deleted++
		default:
			modified++
		}
	}
	return created, deleted, modified
}

// values shows before and after.
func (c Change) values() string {
	switch c.Op {
	case Create:
		return c.New
	case Delete:
		return c.Old
	default:
		return c.Old + " → " + c.New
	}
}

// causeGroup is the changes of one device that one thing in the intent asks for, or asked for.
type causeGroup struct {
	origin
	changes []Change
}

// origin keeps what a cause takes away apart from what it asks for.
type origin struct {
	cause   Cause
	removed bool
}

// group collects changes by cause, in the order in which the causes first appear.
func group(changes []Change) []causeGroup {
	var out []causeGroup
	index := map[origin]int{}
	for _, c := range changes {
		o := origin{c.Cause, c.Op == Delete && c.Cause != Cause{}}
		i, ok := index[o]
		if !ok {
			i = len(out)
			index[o] = i
			out = append(out, causeGroup{origin: o})
		}
		out[i].changes = append(out[i].changes, c)
	}
	return out
}

func (g causeGroup) title() string {
	if g.cause.Ref == "" {
		return "not in the topology"
	}
	title := fmt.Sprintf("%s, for %s", g.cause.Rule, g.cause.Ref)
	if g.removed {
		title = "removed: " + title
	}
	if g.cause.At != "" {
		title += " at " + g.cause.At
	}
	return title
}

// width aligns the values of a group, unless a path is very long.
func (g causeGroup) width() int {
	w := 0
	for _, c := range g.changes {
		w = max(w, len(c.Path))
	}
	return min(w, 72)
}

// text is the value at a cursor as people read it: a leaf bare, a leaf-list in brackets, and
// nothing for entries and containers, whose existence is the value.
func text(c config.Cursor) string {
	if !c.Valid() {
		return ""
	}
	switch c.Node().Kind {
	case config.Leaf:
		return c.Shown()
	case config.LeafList:
		var items []string
		for item := range c.Children() {
			items = append(items, item.Shown())
		}
		if len(items) == 0 { // the cursor is one value of the list
			return c.Shown()
		}
		return "[" + strings.Join(items, " ") + "]"
	case config.List:
		var keys []string
		for entry := range c.Children() {
			keys = append(keys, strings.Join(entry.Keys(), ","))
		}
		return strings.Join(keys, " ")
	}
	return ""
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "f"); ok {
		return fmt.Sprintf("%d %sves", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
