package config

// AppendJSON appends the canonical RFC 7951 document of the tree: a module name at each module
// boundary, members in tree order, all leaves that the tree holds. indent chooses two spaces and
// line breaks over the compact form.
func (t *Tree) AppendJSON(dst []byte, indent bool) []byte {
	p := printer{nodes: t.nodes, values: t.values, names: t.schema.index().label, depth: -1}
	if indent {
		p.depth = 0
	}
	return p.object(dst, 0, p.names)
}

// AppendMeaning appends what the tree means to a device: the same bytes for trees that are Equal, and for no others of a
// schema, in every process. It is the compact document without what means nothing, and every value as a string.
func (t *Tree) AppendMeaning(dst []byte) []byte {
	p := printer{nodes: t.nodes, values: t.values, names: t.schema.index().label}
	return append(p.meaning(append(dst, '{'), 0, p.names), '}')
}

// AppendJSON appends the value at the cursor, as a gNMI Update at c.Path() carries it: the object
// of a container or entry, the value of a leaf, the array of a list or leaf-list. Members at the
// top are qualified with their module's name. SR Linux ignores an array at a list's path.
func (c Cursor) AppendJSON(dst []byte) []byte {
	if c.t == nil {
		return dst
	}
	x := c.t.schema.index()
	p := printer{nodes: c.t.nodes, values: c.t.values, names: x.label, depth: -1}
	if s := c.node().shape; s == containerShape || s == entryShape {
		return p.object(dst, c.i, x.qualified)
	}
	return p.value(dst, c.i)
}

// printer writes nodes as JSON, without memory of its own.
type printer struct {
	nodes  []node
	values []handle
	names  []string // quoted member names with their colon, by ID
	depth  int      // of indentation; negative: compact
}

// value writes what follows a member's name.
func (p *printer) value(dst []byte, i uint32) []byte {
	switch n := &p.nodes[i]; n.shape {
	case leafShape, valueShape:
		return appendScalar(dst, p.values[n.link].Value(), n.form)
	case listShape, leafListShape:
		return p.array(dst, i)
	}
	return p.object(dst, i, p.names)
}

// compact writes the members of a container or entry, or the elements of a list or leaf-list where
// names is nil, without line breaks.
func (p *printer) compact(dst []byte, i uint32, names []string) []byte {
	last := p.nodes[i].link
	for c := i + 1; c < last; {
		if c != i+1 {
			dst = append(dst, ',')
		}
		n := &p.nodes[c]
		if names != nil {
			dst = append(dst, names[n.id]...)
		}
		switch n.shape {
		case leafShape, valueShape:
			dst = appendScalar(dst, p.values[n.link].t.s, n.form)
			c++
			continue
		case listShape, leafListShape:
			dst = append(p.compact(append(dst, '['), c, nil), ']')
		default:
			dst = append(p.compact(append(dst, '{'), c, p.names), '}')
		}
		c = n.link
	}
	return dst
}

// meaning is compact without nodes that a device would not miss.
func (p *printer) meaning(dst []byte, i uint32, names []string) []byte {
	begun := false
	for c, last := i+1, end(p.nodes, i); c < last; c = end(p.nodes, c) {
		n := &p.nodes[c]
		if n.hash == 0 {
			continue
		}
		if begun {
			dst = append(dst, ',')
		}
		begun = true
		if names != nil {
			dst = append(dst, names[n.id]...)
		}
		switch n.shape {
		case leafShape, valueShape:
			dst = appendEscaped(dst, p.values[n.link].Value())
		case listShape, leafListShape:
			dst = append(p.meaning(append(dst, '['), c, nil), ']')
		default:
			dst = append(p.meaning(append(dst, '{'), c, p.names), '}')
		}
	}
	return dst
}

// object writes a container or entry; its own members take their names from a table of their own,
// because the top of an update is always qualified.
func (p *printer) object(dst []byte, i uint32, names []string) []byte {
	if p.depth < 0 {
		return append(p.compact(append(dst, '{'), i, names), '}')
	}
	dst = p.down(append(dst, '{'))
	last := end(p.nodes, i)
	for c := i + 1; c < last; c = end(p.nodes, c) {
		if c != i+1 {
			dst = append(dst, ',')
		}
		dst = append(p.line(dst), names[p.nodes[c].id]...)
		dst = p.value(append(dst, ' '), c)
	}
	return append(p.up(dst, last > i+1), '}')
}

func (p *printer) array(dst []byte, i uint32) []byte {
	if p.depth < 0 {
		return append(p.compact(append(dst, '['), i, nil), ']')
	}
	dst = p.down(append(dst, '['))
	last := end(p.nodes, i)
	for c := i + 1; c < last; c = end(p.nodes, c) {
		if c != i+1 {
			dst = append(dst, ',')
		}
		dst = p.value(p.line(dst), c)
	}
	return append(p.up(dst, last > i+1), ']')
}

// down enters one level of indentation.
func (p *printer) down(dst []byte) []byte {
	p.depth++
	return dst
}

// up leaves a level; the bracket stands on its own line where something was in it.
func (p *printer) up(dst []byte, filled bool) []byte {
	p.depth--
	if filled {
		dst = p.line(dst)
	}
	return dst
}

// line starts a new line.
func (p *printer) line(dst []byte) []byte {
	dst = append(dst, '\n')
	for range p.depth {
		dst = append(dst, ' ', ' ')
	}
	return dst
}

// appendScalar writes one value by its form (RFC 7951 §6).
func appendScalar(dst []byte, text string, f form) []byte {
	if f == 0 {
		dst = append(append(dst, '"'), text...)
		return append(dst, '"')
	}
	switch {
	case f&bare != 0:
		return append(dst, text...)
	case f&isEmpty != 0:
		return append(dst, "[null]"...)
	}
	return appendEscaped(dst, text)
}

// appendEscaped writes a JSON string (RFC 8259 §7), with the short escapes where there are any.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
