package topology

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Format lays a file out in the canonical way: keys in the order of the reference, two spaces for each level,
// one space after marks, at most one blank line in a row. Comments stay with what they stand at, and what is in
// brackets on one line stays so. A file in JSON stays JSON. Formatting twice changes nothing. Only the syntax
// must be right.
func Format(src Source) ([]byte, Diagnostics) {
	p := &parser{names: []string{src.Name}}
	s := &scanner{data: src.Data, report: p.reporter(0), fresh: true, keep: true}
	if !s.scan() {
		p.findings.Sort()
		return nil, p.findings
	}
	root := p.decode(0, src.Data)
	if root == nil || !p.plainTree(root) {
		p.findings.Sort()
		return nil, p.findings
	}
	f := &formatter{json: bytes.HasPrefix(bytes.TrimLeft(src.Data, "\ufeff \t\r\n"), []byte("{"))}
	f.blank = blankLines(src.Data)
	tree := f.entry(nil, root, nil, root.Column)
	f.kids(tree, fileKeys)
	f.attach(s.comments)
	f.root(tree)
	return []byte(f.out.String()), nil
}

// plainTree reports whether nothing in the tree stands for more than it shows.
func (p *parser) plainTree(n *yaml.Node) bool {
	if !p.bare(0, n) {
		return false
	}
	for _, c := range n.Content {
		if !p.plainTree(c) {
			return false
		}
	}
	return true
}

// blankLines returns, by line number, whether a line is empty.
func blankLines(data []byte) []bool {
	blank := []bool{false}
	for line := range bytes.Lines(data) {
		blank = append(blank, len(bytes.TrimSpace(line)) == 0)
	}
	return blank
}

// formatter holds the entries of a file in the order of the source, and what is written of them.
type formatter struct {
	json  bool
	blank []bool
	order []*formatted
	head  []comment // before the first entry: they stay at the top, whichever key comes first
	foot  []comment // after the last entry
	out   strings.Builder
	first bool // nothing was written yet in the block: no blank line before what comes
}

// formatted is one key with its value, or one item of a list, with its comments.
type formatted struct {
	key, value *yaml.Node
	line       int
	column     int
	parent     *formatted
	kids       []*formatted
	head, foot []comment // on lines of their own
	tail       string    // at the end of its line
}

func (f *formatter) entry(key, value *yaml.Node, parent *formatted, column int) *formatted {
	e := &formatted{key: key, value: value, line: value.Line, column: column, parent: parent}
	if key != nil {
		e.line, e.column = key.Line, key.Column
	}
	return e
}

// kids makes the entries below one, in the order of the source, and then sorts them by the table.
func (f *formatter) kids(e *formatted, keys *Keys) {
	n := e.value
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			f.kid(e, f.entry(n.Content[i], n.Content[i+1], e, 0), below(keys, n.Content[i].Value))
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			column := c.Column
			if n.Style&yaml.FlowStyle == 0 {
				column = n.Column
			}
			f.kid(e, f.entry(nil, c, e, column), keys)
		}
	}
	if keys != nil && !keys.free && n.Kind == yaml.MappingNode {
		slices.SortStableFunc(e.kids, func(a, b *formatted) int { return keys.rank(a.key.Value) - keys.rank(b.key.Value) })
	}
}

func (f *formatter) kid(e, kid *formatted, keys *Keys) {
	f.order = append(f.order, kid)
	e.kids = append(e.kids, kid)
	f.kids(kid, keys)
}

// below returns the keys that stand below a key, or nil. Below a key with free names come names.
func below(keys *Keys, name string) *Keys {
	if keys == nil {
		return nil
	}
	if keys.free {
		return keys.List[0].Of
	}
	i := keys.find(name)
	if i < 0 {
		return nil
	}
	switch k := &keys.List[i]; k.Kind {
	case Named, Numbered:
		return &Keys{free: true, List: []Key{{Of: k.Of}}}
	case Release:
		return releaseKeys
	default:
		return k.Of
	}
}

// rank is the place of a key in the order of the reference; unknown keys come last.
func (ks *Keys) rank(name string) int {
	if i := ks.find(name); i >= 0 {
		return i
	}
	return len(ks.List)
}

// attach gives each comment to an entry: at the end of a line to the last entry that begins there, on a line of
// its own to the entry below, or, where it is indented deeper than that, to the entry above.
func (f *formatter) attach(comments []comment) {
	next := 0
	for _, c := range comments {
		for next < len(f.order) && f.order[next].line <= c.line {
			next++
		}
		switch {
		case next == 0 && c.alone && len(f.order) > 0:
			f.head = append(f.head, c)
		case !c.alone && next > 0 && f.order[next-1].line == c.line && f.order[next-1].tail == "":
			f.order[next-1].tail = c.text
		case next < len(f.order) && (c.column <= f.order[next].column || next == 0):
			f.order[next].head = append(f.order[next].head, c)
		case next > 0 && f.order[next-1].around(c.column) != nil:
			e := f.order[next-1].around(c.column)
			e.foot = append(e.foot, c)
		case next < len(f.order):
			f.order[next].head = append(f.order[next].head, c)
		default:
			f.foot = append(f.foot, c)
		}
	}
}

// around returns the innermost entry around one that begins at a column or left of it, but not at the top.
func (e *formatted) around(column int) *formatted {
	for ; e != nil && e.parent != nil; e = e.parent {
		if e.column <= column && e.column > 1 {
			return e
		}
	}
	return nil
}

// oneLine reports whether a value is in brackets on one line, or can only be written so.
func (e *formatted) oneLine() bool {
	n := e.value
	return len(n.Content) == 0 || n.Style&yaml.FlowStyle != 0 && n.Line == lastLine(n) && !e.remarked()
}

func lastLine(n *yaml.Node) int {
	for len(n.Content) > 0 {
		n = n.Content[len(n.Content)-1]
	}
	return n.Line
}

// remarked reports whether a comment stands at an entry inside, other than at the end of the line.
func (e *formatted) remarked() bool {
	for _, k := range e.kids {
		if len(k.head) > 0 || len(k.foot) > 0 || k.remarked() {
			return true
		}
	}
	return false
}

// allTails returns the comments at the end of a line that an entry written on one line has inside.
func (e *formatted) allTails() string {
	tails := e.tail
	for _, k := range e.kids {
		if t := k.allTails(); t != "" && tails != "" {
			tails += " " + t
		} else {
			tails += t
		}
	}
	return tails
}
