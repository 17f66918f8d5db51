package topology

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

func (f *formatter) root(tree *formatted) {
	f.first = true
	f.comments(f.head, 0)
	if n := len(f.head); n > 0 && f.blank[f.order[0].line-1] {
		f.out.WriteByte('\n')
	}
	f.first = true
	switch {
	case tree.oneLine():
		f.out.WriteString(f.inline(tree))
		f.end(tree.allTails())
	case f.json:
		f.jsonValue(tree, 0)
		f.out.WriteByte('\n')
	default:
		f.block(tree, 0)
	}
	f.comments(f.foot, 0)
}

// block writes the entries of a mapping or a list, one below the other.
func (f *formatter) block(e *formatted, depth int) {
	for _, k := range e.kids {
		f.lead(k, depth)
		f.indent(depth)
		f.one(k, depth)
		f.comments(k.foot, depth)
	}
}

// lead writes what comes before an entry: comments, and a blank line where there was one.
func (f *formatter) lead(k *formatted, depth int) {
	f.comments(k.head, depth)
	f.gap(k.line)
}

func (f *formatter) comments(list []comment, depth int) {
	for _, c := range list {
		f.gap(c.line)
		f.indent(depth)
		f.out.WriteString(c.text + "\n")
	}
}

// gap writes a blank line if there was one above the line, except at the beginning of a block.
func (f *formatter) gap(line int) {
	if !f.first && f.blank[line-1] {
		f.out.WriteByte('\n')
	}
	f.first = false
}

func (f *formatter) indent(depth int) { f.out.WriteString(strings.Repeat("  ", depth)) }

// one writes an entry whose indentation is written.
func (f *formatter) one(k *formatted, depth int) {
	if k.key == nil {
		f.item(k, depth)
		return
	}
	f.out.WriteString(scalarText(k.key) + ":")
	if k.oneLine() {
		if v := f.inline(k); v != "" {
			f.out.WriteString(" " + v)
		}
		f.end(k.allTails())
		return
	}
	f.end(k.tail)
	f.first = true
	f.block(k, depth+1)
}

// item writes an item of a list; the first key of a mapping stands on the line of the dash.
func (f *formatter) item(k *formatted, depth int) {
	f.out.WriteString("-")
	switch {
	case k.oneLine():
		if v := f.inline(k); v != "" {
			f.out.WriteString(" " + v)
		}
		f.end(k.allTails())
	case k.value.Kind == yaml.MappingNode && len(k.kids[0].head) == 0 && k.tail == "":
		f.out.WriteString(" ")
		f.one(k.kids[0], depth+1)
		f.comments(k.kids[0].foot, depth+1)
		rest := *k
		rest.kids = k.kids[1:]
		f.block(&rest, depth+1)
	default:
		f.end(k.tail)
		f.first = true
		f.block(k, depth+1)
	}
}

func (f *formatter) end(tail string) {
	if tail != "" {
		f.out.WriteString("  " + tail)
	}
	f.out.WriteByte('\n')
}

// inline writes a value on one line.
func (f *formatter) inline(e *formatted) string {
	if e.value.Kind == yaml.ScalarNode {
		return f.scalar(e.value)
	}
	parts := make([]string, len(e.kids))
	for i, k := range e.kids {
		if parts[i] = f.inline(k); parts[i] == "" {
			parts[i] = "null" // a colon needs something after it
		}
		if k.key == nil {
			continue
		}
		name := f.scalar(k.key)
		if f.json {
			name = jsonKey(k.key)
		}
		parts[i] = name + ": " + parts[i]
	}
	text := strings.Join(parts, ", ")
	if e.value.Kind == yaml.MappingNode {
		return "{" + text + "}"
	}
	return "[" + text + "]"
}

func (f *formatter) scalar(n *yaml.Node) string {
	if f.json && n.Tag == textTag {
		return jsonKey(n)
	}
	return scalarText(n)
}

// scalarText writes a text as it was: plain, or in double quotes.
func scalarText(n *yaml.Node) string {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 {
		return n.Value
	}
	return doubleQuoted(n.Value)
}

func jsonKey(n *yaml.Node) string { return doubleQuoted(n.Value) }

// jsonValue writes a value in brackets over several lines, as JSON does.
func (f *formatter) jsonValue(e *formatted, depth int) {
	if e.oneLine() {
		f.out.WriteString(f.inline(e))
		return
	}
	opening, closing := "{", "}"
	if e.value.Kind == yaml.SequenceNode {
		opening, closing = "[", "]"
	}
	f.out.WriteString(opening)
	f.end(e.tail)
	f.first = true
	for i, k := range e.kids {
		f.lead(k, depth+1)
		f.indent(depth + 1)
		if k.key != nil {
			f.out.WriteString(jsonKey(k.key) + ": ")
		}
		f.jsonValue(k, depth+1)
		if i+1 < len(e.kids) {
			f.out.WriteByte(',')
		}
		if k.oneLine() {
			f.end(k.allTails())
		} else {
			f.out.WriteByte('\n')
		}
		f.comments(k.foot, depth+1)
	}
	f.indent(depth)
	f.out.WriteString(closing)
}
