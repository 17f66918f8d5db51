package topology

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// blockLine reads one line outside of brackets: dashes, then a key with or without a value, or a value.
func (s *scanner) blockLine(i int) {
	dashes := 0
	for s.data[i] == '-' && s.blank(i+1) {
		if !s.place(i, true) {
			return
		}
		s.fresh = true
		dashes++
		if i = s.skip(i + 1); s.ends(i) {
			return
		}
	}
	if s.data[i] == '{' || s.data[i] == '[' {
		s.blockValue(i, dashes)
		return
	}
	end, ok := s.scalar(i, false)
	if !ok {
		return
	}
	if end >= s.eol || s.data[end] != ':' || !s.blank(end+1) {
		s.blockValue(i, dashes)
		return
	}
	if !s.key(i, end) || !s.place(i, false) {
		return
	}
	if i = s.skip(end + 1); s.ends(i) {
		s.fresh = true
		return
	}
	s.value(i)
}

// key refuses merge keys, which would pull in other parts of the file unseen.
func (s *scanner) key(i, end int) bool {
	if string(bytes.TrimSpace(s.data[i:end])) == "<<" {
		s.fault(i, "syntax: a merge key", "write the keys out; what sites share goes under defaults")
		return false
	}
	return true
}

// blockValue reads a line that holds no key: an item of a list, or a bracket below its key.
func (s *scanner) blockValue(i, dashes int) {
	column, bracket := i-s.bol, s.data[i] == '{' || s.data[i] == '['
	below := len(s.blocks) == 0 && !s.begun || len(s.blocks) > 0 && column > s.blocks[len(s.blocks)-1].column
	switch {
	case dashes > 0 || bracket && s.fresh && below:
		s.value(i)
	case bracket:
		s.fault(i, fmt.Sprintf("syntax: %c stands where a key is wanted", s.data[i]), "write key: value")
	default:
		s.fault(i, "syntax: the line is neither a key with a value nor an item of a list", "write key: value or - item")
	}
}

// value reads a value that ends on this line, or opens a bracket.
func (s *scanner) value(i int) {
	s.fresh = false
	if c := s.data[i]; c == '{' || c == '[' {
		s.flowLine(i)
		return
	}
	end, ok := s.scalar(i, false)
	if !ok {
		return
	}
	if end < s.eol && s.data[end] == ':' {
		s.fault(end, "syntax: a second colon on one line", "put the text in quotes, or the key on a line of its own")
		return
	}
	s.rest(end)
}

// rest checks that only a comment follows a value.
func (s *scanner) rest(end int) {
	i := s.skip(end)
	if i >= s.eol || s.blank(i-1) && s.ends(i) {
		return
	}
	s.fault(i, "syntax: text after the end of a value", "take it out, or quote the whole value")
}

// place fits a line into the open blocks by its column. Levels that the line leaves are closed.
func (s *scanner) place(i int, list bool) bool {
	s.entries++
	column := i - s.bol
	left := s.leave(column, list)
	n := len(s.blocks)
	same := n > 0 && s.blocks[n-1].column == column
	switch {
	case same && s.blocks[n-1].list == list:
	case s.fresh && (n == 0 || column > s.blocks[n-1].column || same && list && !s.blocks[n-1].list):
		if n+len(s.flow) >= maxDepth {
			s.fault(i, fmt.Sprintf("syntax: nested deeper than %d levels", maxDepth), "no topology needs that")
			return false
		}
		s.indented(column)
		s.blocks = append(s.blocks, level{column, list, s.line})
	default:
		return s.misplaced(i, same, list, left)
	}
	s.fresh = false
	s.placed = level{column, list, s.line}
	if len(left) > 0 {
		s.closed = left
	} else if !s.inLine(i) {
		s.closed = nil
	}
	return true
}

// inLine reports whether a dash stands before i on its line.
func (s *scanner) inLine(i int) bool { return s.skip(s.bol) < i }

// leave closes the levels right of a column, and a list at the column of a key.
func (s *scanner) leave(column int, list bool) (left []level) {
	n := len(s.blocks)
	for n > 0 && s.blocks[n-1].column > column {
		n--
	}
	if n > 1 && !list && s.blocks[n-1].list && s.blocks[n-1].column == column && s.blocks[n-2] == (level{column, false, s.blocks[n-2].line}) {
		n--
	}
	if n == len(s.blocks) {
		return nil
	}
	left = slices.Clone(s.blocks[n:])
	s.blocks, s.fresh = s.blocks[:n], false
	return left
}

// indented learns the step of the file's indentation from the first block that is indented.
func (s *scanner) indented(column int) {
	if s.step == 0 && len(s.blocks) > 0 {
		s.step, s.stepLine = column-s.blocks[len(s.blocks)-1].column, s.line
	}
}

// usual reports whether blocks are indented by n columns in this file: by what its first block says, or by two
// where it is that block's first line which is in doubt.
func (s *scanner) usual(n int, doubtful level) bool {
	return n == s.step && doubtful.line != s.stepLine || n == 2 && (s.step == 0 || doubtful.line == s.stepLine)
}

// misplaced reports a line that fits no open block. An earlier line is blamed where that explains this one: the
// first line of a block with an odd indentation, or a line that closed the block that goes on here. Then the
// line is in place after all.
func (s *scanner) misplaced(i int, same, list bool, left []level) bool {
	column, parent, n := i-s.bol, -1, len(s.blocks)
	if n > 0 {
		parent = s.blocks[n-1].column
	}
	if same {
		s.amongOthers(i, list)
		return false
	}
	if len(left) > 0 && (n == 0 && column == 0 || n > 0 && s.usual(column-parent, left[0])) {
		return s.blame(left[0], level{column, list, s.line})
	}
	if n > 1 && s.usual(column-s.blocks[n-2].column, s.blocks[n-1]) && s.blocks[n-1].list == list {
		odd := s.blocks[n-1]
		s.blocks = s.blocks[:n-1]
		return s.blame(odd, level{column, list, s.line})
	}
	for _, l := range s.closed {
		if l.column == column && l.list == list {
			return s.blame(s.placed, level{column, list, s.line})
		}
	}
	d := s.fault(i, "syntax: indented by "+strconv.Itoa(column)+", which fits no line above", "line it up with the lines it belongs to")
	if d != nil && s.placed.line > 0 && s.placed.column < column {
		d.Also = []Note{{Pos{d.Pos.File, s.placed.line, s.placed.column + 1}, "only a key without a value may have lines below it"}}
	}
	return false
}

// blame reports an earlier line for its indentation and opens the block that this line goes on with.
func (s *scanner) blame(odd, here level) bool {
	s.faults++
	s.report(odd.line, odd.column+1, fmt.Sprintf("syntax: indented by %d, but the lines below go on at %d", odd.column, here.column),
		"indent it by "+strconv.Itoa(here.column)+", or move it")
	s.blocks = append(s.blocks, here)
	s.fresh = false
	return true
}

func (s *scanner) amongOthers(i int, list bool) {
	if list {
		s.fault(i, "syntax: an item of a list stands among keys", "write key: value, or indent the item below its key")
		return
	}
	s.fault(i, "syntax: a key stands among the items of a list", "begin the line with - or indent it below an item")
}
