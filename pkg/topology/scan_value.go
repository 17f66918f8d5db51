package topology

import (
	"bytes"
	"fmt"
)

// scalar returns the offset after the plain or quoted text at i. A quoted text ends on its line.
func (s *scanner) scalar(i int, flow bool) (int, bool) {
	end, ok := s.unbounded(i, flow)
	if ok && end-i > maxText {
		s.fault(i, fmt.Sprintf("syntax: a text of more than %d kB", maxText>>10), "shorten it")
		return i, false
	}
	return end, ok
}

func (s *scanner) unbounded(i int, flow bool) (int, bool) {
	switch c := s.data[i]; c {
	case '"', '\'':
		return s.quoted(i, c)
	case '&', '*':
		s.fault(i, "syntax: an anchor or alias", "write the value out; a text that begins with "+string(c)+" needs quotes")
		return i, false
	case '!':
		s.fault(i, "syntax: a YAML tag", "take it out; a text that begins with ! needs quotes")
		return i, false
	case '|', '>':
		s.fault(i, "syntax: a text over several lines", "write it on one line, in quotes")
		return i, false
	case '@', '`', '%':
		s.fault(i, "syntax: a value that begins with "+string(c), "put it in quotes")
		return i, false
	case '}', ']', ',':
		s.fault(i, fmt.Sprintf("syntax: %c without anything before it", c), "take it out, or add what is missing")
		return i, false
	case ':':
		s.fault(i, "syntax: a colon without a key before it", "write key: value")
		return i, false
	case '?', '-':
		if s.blank(i + 1) {
			s.fault(i, fmt.Sprintf("syntax: a lone %c", c), "write key: value or - item")
			return i, false
		}
	}
	return s.plain(i, flow)
}

func (s *scanner) quoted(i int, quote byte) (int, bool) {
	for j := i + 1; j < s.eol; j++ {
		switch {
		case s.data[j] == '\\' && quote == '"':
			j++
		case s.data[j] != quote:
		case quote == '\'' && j+1 < s.eol && s.data[j+1] == '\'':
			j++
		default:
			return j + 1, true
		}
	}
	s.fault(i, fmt.Sprintf("syntax: the quote %c is not closed on its line", quote), fmt.Sprintf("close it with %c", quote))
	return i, false
}

// plain returns the offset after an unquoted text: at a colon that ends a key, a comment, a bracket or comma
// inside brackets, or the end of the line. White space at its end belongs to it.
func (s *scanner) plain(i int, flow bool) (int, bool) {
	for ; i < s.eol; i++ {
		switch s.data[i] {
		case ':':
			if s.blank(i + 1) {
				return i, true
			}
			if flow && flowMark(s.data[i+1]) {
				s.fault(i, "syntax: a colon without a space after it", "write a space and a value after the colon, or put the text in quotes")
				return i, false
			}
		case '#':
			if s.data[i-1] == ' ' || s.data[i-1] == '\t' {
				return i, true
			}
		case ',', '[', ']', '{', '}':
			if flow {
				return i, true
			}
		case '?':
			if flow {
				s.fault(i, "syntax: a question mark in brackets", "put the text in quotes")
				return i, false
			}
		}
	}
	return i, true
}

func flowMark(c byte) bool { return bytes.IndexByte([]byte(",[]{}"), c) >= 0 }

// flowLine reads the rest of a line inside of brackets, beginning at i; the brackets may stay open.
func (s *scanner) flowLine(i int) {
	for !s.ends(i) {
		next, ok := s.flowToken(i)
		if !ok {
			return
		}
		if len(s.flow) == 0 {
			s.afterFlow(next)
			return
		}
		i = s.skip(next)
		if i == next && i < s.eol && s.data[i] == '#' {
			s.fault(i, "syntax: a comment without a space before it", "write a space before #")
			return
		}
	}
}

// afterFlow reads what follows the last closing bracket.
func (s *scanner) afterFlow(i int) {
	if i < s.eol && s.data[i] == ':' {
		s.fault(i, "syntax: a colon after a closing bracket", "a key is a single word")
		return
	}
	s.rest(i)
}

func (s *scanner) flowToken(i int) (int, bool) {
	switch c := s.data[i]; c {
	case '{', '[':
		return s.open(i, c)
	case '}', ']':
		return s.close(i, c)
	case ',':
		return s.comma(i)
	case ':':
		return s.colon(i)
	}
	return s.flowScalar(i)
}

func (s *scanner) open(i int, kind byte) (int, bool) {
	if len(s.flow)+len(s.blocks) >= maxDepth {
		s.fault(i, fmt.Sprintf("syntax: nested deeper than %d levels", maxDepth), "no topology needs that")
		return i, false
	}
	if !s.room(i) {
		return i, false
	}
	if n := len(s.flow); n > 0 && s.flow[n-1].kind == '{' && !s.flow[n-1].colon {
		s.fault(i, fmt.Sprintf("syntax: %c stands where a key is wanted", kind), "write key: value")
		return i, false
	}
	s.entries++
	s.flow = append(s.flow, bracket{kind: kind, mark: s.mark(i), indent: s.skip(s.bol) - s.bol})
	return i + 1, true
}

func (s *scanner) close(i int, c byte) (int, bool) {
	top := s.flow[len(s.flow)-1]
	if c != closing(top.kind) {
		d := s.fault(i, fmt.Sprintf("syntax: %c closes nothing; %c is open", c, top.kind), fmt.Sprintf("write %c", closing(top.kind)))
		if d != nil && d.Also == nil {
			d.Also = []Note{s.opened(d, top)}
		}
		return i, false
	}
	s.suspicious(i, top)
	s.flow = s.flow[:len(s.flow)-1]
	s.complete(i + 1)
	return i + 1, true
}

// suspicious notes the bracket being closed if the closing one, first on its line, lines up with another.
func (s *scanner) suspicious(i int, top bracket) {
	indent := i - s.bol
	if s.suspect.line > 0 || s.skip(s.bol) != i || top.indent == indent {
		return
	}
	for _, b := range s.flow {
		if b.indent == indent && b.kind == top.kind {
			s.suspect = top
		}
	}
}

// complete notes that a value ended before offset i.
func (s *scanner) complete(i int) {
	if len(s.flow) > 0 {
		top := &s.flow[len(s.flow)-1]
		top.full = true
		top.end = s.mark(i)
	}
}

// room reports whether another value may begin at i; otherwise a comma is missing, or a bracket above was
// never closed. The place is after the last value, for there the missing character belongs.
func (s *scanner) room(i int) bool {
	if len(s.flow) == 0 || !s.flow[len(s.flow)-1].full {
		return true
	}
	top := s.flow[len(s.flow)-1]
	s.faults++
	s.flow, s.fresh = s.flow[:0], true
	line, column := s.pos(top.end)
	d := s.report(line, column,
		fmt.Sprintf("syntax: neither a comma nor %c follows a value", closing(top.kind)), fmt.Sprintf("write a comma or %c", closing(top.kind)))
	if d != nil {
		d.Also = []Note{s.opened(d, top)}
		if top.end.line != s.line {
			d.Also = append(d.Also, Note{Pos{d.Pos.File, s.line, s.column(i)}, "the next value begins here"})
		}
	}
	return false
}

func (s *scanner) comma(i int) (int, bool) {
	top := &s.flow[len(s.flow)-1]
	if s.entries > maxEntries {
		return i, false // the rest of the line may be long
	}
	if !top.full && !top.colon {
		s.fault(i, "syntax: a comma without a value before it", "take it out")
		return i, false
	}
	s.entries++
	top.full, top.colon = false, false
	return i + 1, true
}

func (s *scanner) colon(i int) (int, bool) {
	top := &s.flow[len(s.flow)-1]
	switch {
	case top.kind == '[':
		s.fault(i, "syntax: a key in a list", "put { } round the key and its value")
	case top.colon:
		s.fault(i, "syntax: a second colon in one entry", "write a comma between entries, or put the text in quotes")
	case !top.full:
		s.fault(i, "syntax: a colon without a key before it", "write key: value")
	default:
		top.full, top.colon = false, true
		return i + 1, true
	}
	return i, false
}

func (s *scanner) flowScalar(i int) (int, bool) {
	if !s.room(i) {
		return i, false
	}
	end, ok := s.scalar(i, true)
	if !ok {
		return i, false
	}
	if end < s.eol && s.data[end] == ':' && !s.key(i, end) {
		return i, false
	}
	last := end
	for last > i && s.data[last-1] == ' ' {
		last--
	}
	s.complete(last)
	return end, true
}
