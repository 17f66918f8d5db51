package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Bounds of a comment. Code hosts accept 65,536 characters; everything is counted, in bytes.
const (
	maxComment  = 60_000
	maxLine     = 400   // of one line of a diff; what is longer is cut
	maxNames    = 100   // of one list of devices
	maxWaves    = 20    // waves
	maxDrained  = 20    // devices that somebody has drained, and lines of the forecast, each
	maxRisk     = 200   // of one risk, in each of its two parts
	minDevice   = 4_000 // a device for which less is left is not begun; some change fits for sure
	moreDevices = 80    // room for saying how many are left out
)

// Markdown writes the plan as a comment for a pull request: a headline, the risks, a table of devices
// with their waves, and the changes of each folded away as a diff block. What does not fit into a comment is counted.
func (p *Plan) Markdown(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "### loom plan: %s\n", line(p.headline()))
	end := p.markdownEnd()
	for _, less := range p.Weaker {
		fmt.Fprintf(b, "\n**Weaker than all or nothing**: %s\n", line(less))
	}
	b.WriteString(p.markdownRisks())
	left := maxComment - b.Len() - len(end)
	table := p.markdownTable(left / 2)
	b.WriteString(table)
	p.markdownDevices(b, left-len(table))
	b.WriteString(end)
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownTable is the table of devices, as far as room goes.
func (p *Plan) markdownTable(room int) string {
	if len(p.Devices) == 0 {
		return ""
	}
	b := &strings.Builder{}
	b.WriteString("\n| device | platform | release | + | - | ~ | wave |\n|---|---|---|--:|--:|--:|--:|\n")
	for i := range p.Devices {
		d := &p.Devices[i]
		c, x, m := d.counts()
		row := fmt.Sprintf("| %s | %s | %s | %d | %d | %d | %d |\n", d.Name, d.Platform, d.Release, c, x, m, p.waveOf(d.Name))
		if b.Len()+len(row)+moreDevices > room {
			fmt.Fprintf(b, "\n%s; run loom plan for all of them\n", count(len(p.Devices)-i, "more device"))
			break
		}
		b.WriteString(row)
	}
	return b.String()
}

// markdownDevices writes the changes of each device. One that has many leaves the others their share.
func (p *Plan) markdownDevices(b *strings.Builder, room int) {
	room -= moreDevices
	for i := range p.Devices {
		if room < minDevice {
			fmt.Fprintf(b, "\nChanges of %s; run loom plan for all of them\n", count(len(p.Devices)-i, "more device"))
			return
		}
		block := p.Devices[i].markdown(max(room/(len(p.Devices)-i), minDevice))
		b.WriteString(block)
		room -= len(block)
	}
}

// markdownRisks is short whatever the plan: a few risks of each class, each in a line of bounded length.
func (p *Plan) markdownRisks() string {
	if len(p.Risks) == 0 {
		return ""
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "\n**Risks**: %s\n\n", line(p.leave()))
	for _, class := range p.RiskClasses() {
		fmt.Fprintf(b, "- **%s**: %s\n", class, class.means())
		p.eachRisk(class, func(text, why string) {
			fmt.Fprintf(b, "  - %s", code(text, maxRisk))
			if why != "" {
				fmt.Fprintf(b, " %s", short(why, maxRisk))
			}
			b.WriteString("\n")
		})
	}
	return b.String()
}

// code is text of bounded length as an inline code span that no backtick in it ends (CommonMark 6.1).
func code(text string, most int) string {
	text = short(text, most)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + " " + text + " " + fence
}

// markdownOut names the devices that somebody has drained, and says what is left.
func (p *Plan) markdownOut(b *strings.Builder) {
	some := func(heading string, lines []string) {
		for i, text := range lines {
			switch i {
			case 0:
				fmt.Fprintf(b, "\n%s:\n\n", heading)
			case maxDrained:
				fmt.Fprintf(b, "- %d more; run loom plan for all of them\n", len(lines)-i)
				return
			}
			fmt.Fprintf(b, "- %s\n", code(text, maxLine))
		}
	}
	var out []string
	for _, o := range p.Out {
		out = append(out, o.String())
	}
	some("Drained", out)
	some("While they are drained", p.Forecast)
}

// markdownWaves lists the waves in short; the devices of each are in the table.
func (p *Plan) markdownWaves(b *strings.Builder) {
	if len(p.Waves) < 2 {
		return
	}
	fmt.Fprintf(b, "\nWaves%s:\n\n", p.Rollout.limits())
	for i, wave := range p.Waves {
		if i == maxWaves {
			fmt.Fprintf(b, "\n%s; run loom plan for all of them\n", count(len(p.Waves)-i, "more wave"))
			return
		}
		what, apart := p.wave(i)
		fmt.Fprintf(b, "%d. %s, %s", i+1, what, count(len(wave), "device"))
		if apart != "" {
			fmt.Fprintf(b, "; apart: %s", line(apart))
		}
		b.WriteString("\n")
	}
}

func (p *Plan) markdownEnd() string {
	b := &strings.Builder{}
	p.markdownOut(b)
	p.markdownWaves(b)
	if len(p.Unsaved) > 0 {
		fmt.Fprintf(b, "\nTo be saved, their startup configuration does not follow: %s\n", someNames(p.Unsaved))
	}
	if len(p.Removed) > 0 {
		fmt.Fprintf(b, "\nNo longer in the topology, left as they are: %s\n", someNames(p.Removed))
	}
	if len(p.Skipped) > 0 {
		fmt.Fprintf(b, "\nOutside the limit, not looked at: %s\n", count(len(p.Skipped), "device"))
	}
	for _, o := range p.LeftOut {
		fmt.Fprintf(b, "\nLeft out, not looked at: %s is %s\n", line(o.Device), line(o.Why))
	}
	if later := p.later(); later != "" {
		fmt.Fprintf(b, "\n%s\n", later)
	}
	switch {
	case p.Unfinished != nil:
		fmt.Fprintf(b, "\n%s\n", p.Unfinished)
	case !p.Empty():
		fmt.Fprintf(b, "\nPlan `%s`\n", p.Hash())
	}
	return b.String()
}

func someNames(names []string) string {
	if len(names) <= maxNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
}

func (p *Plan) waveOf(name string) int {
	for i, wave := range p.Waves {
		for _, n := range wave {
			if n == name {
				return i + 1
			}
		}
	}
	return 0
}

// markdown is one device in at most room bytes.
func (d *Device) markdown(room int) string {
	fence := d.fence()
	b := &strings.Builder{}
	fmt.Fprintf(b, "\n<details><summary><b>%s</b>: %s</summary>\n\n%s%sdiff\n", d.Name, count(len(d.Changes), "change"), d.markdownNotes(), fence)
	end := fence + "\n</details>\n"
	room -= len(end) + len(d.moreChanges(0))
	shown := 0
	for _, g := range group(d.Changes) {
		text := fmt.Sprintf("@@ %s @@\n", line(g.title()))
		for _, c := range g.changes {
			text += c.diffLine()
			if b.Len()+len(text) > room {
				return b.String() + d.moreChanges(shown) + end
			}
			b.WriteString(text)
			text = ""
			shown++
		}
	}
	return b.String() + end
}

// markdownNotes says what else there is about a device, in a few lines of bounded length.
func (d *Device) markdownNotes() string {
	b := &strings.Builder{}
	for _, note := range d.notes() {
		fmt.Fprintf(b, "- %s\n", note.text)
		for _, reason := range note.reasons {
			fmt.Fprintf(b, "  - %s\n", code(reason, maxLine))
		}
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func (d *Device) moreChanges(shown int) string {
	return fmt.Sprintf("# %d more; run loom plan for all of them\n", len(d.Changes)-shown)
}

// fence is longer than every run of backticks in what it encloses, so that no value ends the block.
func (d *Device) fence() string {
	fence := "```"
	for _, c := range d.Changes {
		for _, text := range []string{c.Cause.Ref, c.Cause.At, c.diffLine()} {
			for strings.Contains(text, fence) {
				fence += "`"
			}
		}
	}
	return fence
}

// diffLine writes a change so that diff highlighting colours it: a modification as both lines.
func (c Change) diffLine() string {
	before, after := "- "+line(c.Path+" "+c.Old)+"\n", "+ "+line(c.Path+" "+c.New)+"\n"
	switch c.Op {
	case Create:
		return after
	case Delete:
		return before
	default:
		return before + after
	}
}

var lineBreaks = strings.NewReplacer("\n", `\n`, "\r", `\r`)

// line is text as one line of bounded length: a value may hold anything, line breaks included.
func line(text string) string { return short(text, maxLine) }

func short(text string, most int) string {
	text = lineBreaks.Replace(text)
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// JSON writes the plan as indented JSON; docs/plan.md documents it, and members are only ever added.
func (p *Plan) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(p)
}
