package config

import (
	"bytes"
	"slices"
	"strings"
)

// Beside returns what a document says beside a tree, as a document of its own, where it says all that the tree
// says. Parse of the whole is then what the tree and Parse of the rest have together; they share containers, and no
// entry, leaf or presence container. It is for a document that is expected to be nearly the tree: much cheaper than to parse
// all of it.
//
// ok is false for a document that says something else, and for one that says the same in another way than AppendJSON:
// with entries or their keys in another order, with other spellings of values, or with other members of an entry or of a
// presence container. Parse tells which it is.
func Beside(t *Tree, doc []byte) (rest []byte, ok bool) {
	m := matcher{scanner: scanner{data: doc}, t: t, x: t.schema.index(), rest: []byte{'{'}}
	if m.enter('{') != nil || !m.object(0, 1, true) || m.peek() != 0 || m.pos < len(doc) {
		return nil, false
	}
	return append(m.rest, '}'), true
}

// matcher walks a document and a tree side by side.
type matcher struct {
	scanner
	t    *Tree
	x    *index
	rest []byte // a document that is open down to where the matcher is
	held int    // entries and presence containers around the matcher: they exist once, so the rest has nothing of them
	buf  []byte
}

// object reads the members of the container or entry i, whose bracket is open; next is the first node not met yet.
func (m *matcher) object(i, next uint32, first bool) bool {
	nodes, last := m.t.nodes, end(m.t.nodes, i)
	var early []uint32 // nodes that were met before their turn
	for ; ; first = false {
		more, err := m.more(first, '}')
		switch {
		case err != nil:
			return false
		case !more:
			return m.meaningless(next, last, early)
		}
		at := m.expected(next, last, early)
		switch {
		case at < last:
			next = end(nodes, at)
		default:
			if at = m.later(next, last, early); at < last {
				early = append(early, at)
			}
		}
		if at < last && !m.value(at) || at == last && !m.foreign(i) {
			return false
		}
	}
}

// later takes the name of a node behind the next one, as expected does of that.
func (m *matcher) later(next, last uint32, early []uint32) uint32 {
	for nodes := m.t.nodes; next < last; next = end(nodes, next) {
		if !slices.Contains(early, next) && m.named(nodes[next].id) {
			return next
		}
	}
	return last
}

// expected takes the name of a node from next on, and returns the node. Those in between may be missing if they mean nothing.
// It takes nothing, and returns last, where the member is none of them.
func (m *matcher) expected(next, last uint32, early []uint32) uint32 {
	m.peek()
	for nodes := m.t.nodes; next < last; next = end(nodes, next) {
		switch met := slices.Contains(early, next); {
		case !met && m.named(nodes[next].id):
			return next
		case !met && nodes[next].hash != 0:
			return last
		}
	}
	return last
}

// named takes the name of a schema node, bare or qualified, and its colon.
func (m *matcher) named(id ID) bool { return m.takes(m.x.local[id]) || m.takes(m.x.qualified[id]) }

// takes takes a text.
func (m *matcher) takes(text string) bool {
	if rest := m.data[m.pos:]; len(rest) < len(text) || string(rest[:len(text)]) != text {
		return false
	}
	m.pos += len(text)
	return true
}

// meaningless tells whether nodes from next on that were not met mean nothing, so that a document may leave them out.
func (m *matcher) meaningless(next, last uint32, early []uint32) bool {
	for ; next < last; next = end(m.t.nodes, next) {
		if m.t.nodes[next].hash != 0 && !slices.Contains(early, next) {
			return false
		}
	}
	return true
}

// value reads the value of a node.
func (m *matcher) value(i uint32) bool {
	m.peek()
	switch n := &m.t.nodes[i]; n.shape {
	case leafShape, valueShape:
		return m.scalar(n)
	case leafListShape:
		return m.leafList(i)
	case listShape:
		return m.list(i)
	}
	if m.enter('{') != nil {
		return false
	}
	if m.x.schema.Nodes[m.t.nodes[i].id].Kind == Presence {
		return m.hold(i, i+1, true)
	}
	shut := m.open(m.x.label[m.t.nodes[i].id], '{')
	ok := m.object(i, i+1, true)
	m.close(shut, '}')
	return ok
}

// hold reads an object that exists by itself.
func (m *matcher) hold(i, next uint32, first bool) bool {
	m.held++
	defer func() { m.held-- }()
	return m.object(i, next, first)
}

// scalar reads exactly the value of a leaf, or one of a leaf-list, as AppendJSON writes it.
func (m *matcher) scalar(n *node) bool {
	m.buf = appendScalar(m.buf[:0], m.t.values[n.link].Value(), n.form)
	data := m.data[m.pos:]
	if !bytes.HasPrefix(data, m.buf) || n.form&bare != 0 && len(data) > len(m.buf) && wordByte(data[len(m.buf)]) {
		return false
	}
	m.pos += len(m.buf)
	return true
}

// leafList reads all values of a leaf-list, and no other.
func (m *matcher) leafList(i uint32) bool {
	if m.enter('[') != nil {
		return false
	}
	last := end(m.t.nodes, i)
	for next := i + 1; ; next++ {
		switch more, err := m.more(next == i+1, ']'); {
		case err != nil:
			return false
		case !more:
			return next == last
		case next == last || !m.value(next):
			return false
		}
	}
}

// list reads the entries of a list. Others may stand between them, unless their order is data.
func (m *matcher) list(i uint32) bool {
	n := &m.x.schema.Nodes[m.t.nodes[i].id]
	if len(n.Keys) == 0 || m.enter('[') != nil {
		return false
	}
	shut := m.open(m.x.label[m.t.nodes[i].id], '[')
	next, last := i+1, end(m.t.nodes, i)
	for first := true; ; first = false {
		switch more, err := m.more(first, ']'); {
		case err != nil:
			return false
		case !more:
			m.close(shut, ']')
			return next == last
		}
		switch inside, met := m.entry(next, last); {
		case met && !m.hold(next, inside, false):
			return false
		case met:
			next = end(m.t.nodes, next)
		case n.UserOrdered || !m.foreignEntry(i):
			return false
		}
	}
}

// entry takes the keys of an entry, where it is the one that comes next; inside is the first node behind them.
func (m *matcher) entry(next, last uint32) (inside uint32, met bool) {
	if next == last || m.peek() != '{' {
		return 0, false
	}
	start, depth := m.pos, m.depth
	if m.enter('{') != nil {
		return 0, false
	}
	inside = next + 1
	for i := range m.x.schema.Nodes[m.t.nodes[next].id].Keys {
		if more, err := m.more(i == 0, '}'); err != nil || !more || m.expected(inside, inside+1, nil) != inside || !m.value(inside) {
			m.pos, m.depth = start, depth
			return 0, false
		}
		inside++
	}
	return inside, true
}

// foreign keeps a member that the container i of the tree does not have.
func (m *matcher) foreign(i uint32) bool {
	start := m.pos
	name, err := m.name()
	if err != nil || m.held > 0 {
		return false
	}
	local := name[bytes.IndexByte(name, ':')+1:]
	id, ok := m.x.byName[nameKey{m.t.nodes[i].id, string(local)}]
	if ok && (Cursor{m.t, i}).Child(id).Valid() {
		return false // twice
	}
	return m.keep(start)
}

// keep takes a value and adds it to the rest, with what stands before it from start on.
func (m *matcher) keep(start int) bool {
	if _, err := m.skip(); err != nil {
		return false
	}
	m.comma()
	m.rest = append(m.rest, m.data[start:m.pos]...)
	return true
}

// foreignEntry keeps an entry that the list i of the tree does not have. Its keys come first.
func (m *matcher) foreignEntry(i uint32) bool {
	m.peek()
	start, depth := m.pos, m.depth
	if m.held > 0 || m.enter('{') != nil {
		return false
	}
	var keys []string
	for k, id := range m.x.schema.Nodes[m.t.nodes[i].id].Keys {
		more, err := m.more(k == 0, '}')
		if m.peek(); err != nil || !more || !m.named(id) {
			return false
		}
		lit, err := m.literal()
		if err != nil {
			return false
		}
		keys = append(keys, string(lit.text))
	}
	if (Cursor{m.t, i}).item(strings.Join(keys, "\x00")).Valid() {
		return false // twice, in another order, or with another spelling of its keys
	}
	m.pos, m.depth = start, depth
	return m.keep(start)
}

// open opens a container or list in the rest; what it returns closes it again.
func (m *matcher) open(label string, bracket byte) (shut [2]int) {
	shut[0] = len(m.rest)
	m.comma()
	m.rest = append(append(m.rest, label...), bracket)
	shut[1] = len(m.rest)
	return shut
}

// close closes what was opened, or takes it away where nothing is in it.
func (m *matcher) close(shut [2]int, bracket byte) {
	if len(m.rest) == shut[1] {
		m.rest = m.rest[:shut[0]]
		return
	}
	m.rest = append(m.rest, bracket)
}

// comma separates what follows from what stands before it.
func (m *matcher) comma() {
	if c := m.rest[len(m.rest)-1]; c != '{' && c != '[' {
		m.rest = append(m.rest, ',')
	}
}
