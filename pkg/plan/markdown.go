package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// maxMarkdownLines keeps a comment below the 65,536 characters that code hosts accept.
const maxMarkdownLines = 300

// Markdown writes the plan as a comment for a pull request: a headline, a table of devices, and
// the changes of each folded away as a diff block.
func (p *Plan) Markdown(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "### loom plan: %s\n", p.headline())
	if len(p.Devices) > 0 {
		b.WriteString("\n| device | platform | release | + | - | ~ | wave |\n|---|---|---|--:|--:|--:|--:|\n")
		for i := range p.Devices {
			d := &p.Devices[i]
			c, x, m := d.counts()
			fmt.Fprintf(b, "| %s | %s | %s | %d | %d | %d | %d |\n", d.Name, d.Platform, d.Release, c, x, m, p.waveOf(d.Name))
		}
	}
	budget := maxMarkdownLines
	for i := range p.Devices {
		budget = p.Devices[i].markdown(b, budget)
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
	_, err := io.WriteString(w, b.String())
	return err
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

// markdown writes one device and returns how many lines are left for the others.
func (d *Device) markdown(b *strings.Builder, budget int) int {
	fmt.Fprintf(b, "\n<details><summary><b>%s</b>: %s</summary>\n\n```diff\n", d.Name, count(len(d.Changes), "change"))
	left := budget
	for _, g := range group(d.Changes) {
		if left <= 0 {
			break
		}
		fmt.Fprintf(b, "@@ %s @@\n", g.title())
		for _, c := range g.changes {
			if left--; left < 0 {
				break
			}
			b.WriteString(c.diffLine())
		}
	}
	if shown := budget - max(left, 0); shown < len(d.Changes) {
		fmt.Fprintf(b, "# %d more; run loom plan for all of them\n", len(d.Changes)-shown)
	}
	b.WriteString("```\n</details>\n")
	return max(left, 0)
}

// diffLine writes a change so that diff highlighting colours it: a modification as both lines.
func (c Change) diffLine() string {
	switch c.Op {
	case Create:
		return fmt.Sprintf("+ %s %s\n", c.Path, c.New)
	case Delete:
		return fmt.Sprintf("- %s %s\n", c.Path, c.Old)
	default:
		return fmt.Sprintf("- %s %s\n+ %s %s\n", c.Path, c.Old, c.Path, c.New)
	}
}

// JSON writes the plan as indented JSON; docs/plan.md documents it, and members are only ever added.
func (p *Plan) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(p)
}
