package topology

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Limits of one file. They bound what a hostile file can cost: the YAML library needs about 400 bytes for
// every entry, whatever the entry says.
const (
	maxBytes   = 32 << 20
	maxDepth   = 64
	maxLines   = 300_000
	maxEntries = 150_000
	maxText    = 64 << 10 // one text, in bytes; the library is slow with long ones
	maxFaults  = 100      // a file with more is garbage; the rest of it is not looked at
)

// spot is a Pos in an eighth of the memory: sources are numbered.
type spot struct {
	source int32
	line   int32
	column int32
}

// scanner reads a file once, byte by byte, before the YAML library sees it. It refuses what is hostile or
// beyond the small part of YAML that the language uses, bounds depth and size, and finds broken structure
// where it begins; the library would report it where it noticed.
type scanner struct {
	data     []byte
	report   func(line, column int, message, fix string) *Diagnostic
	line     int     // from 1
	bol      int     // offset of the line's first byte
	eol      int     // offset of the line's end, before \r\n
	blocks   []level // open block collections, outermost first
	fresh    bool    // a deeper block may begin: nothing yet, or a key or dash without value
	begun    bool    // content was seen
	step     int     // columns from a block to the one in it
	stepLine int     // where it was learnt
	closed   []level // what the last line in place closed, innermost first
	placed   level   // the last line in place
	suspect  bracket // may be the one without an end
	flow     []bracket
	entries  int
	faults   int
	last     *Diagnostic // the last fault; valid until the next one

	keep     bool // comments are wanted
	comments []comment
}

// comment is one comment of a file.
type comment struct {
	line, column int
	text         string
	alone        bool // nothing else is on its line
}

// level is one open block collection.
type level struct {
	column int
	list   bool
	line   int // its first
}

// mark is a place in the data. Its column is counted when it is asked for: counting it for every bracket of a
// very long line would take the square of its length.
type mark struct{ line, bol, offset int }

func (s *scanner) mark(offset int) mark { return mark{s.line, s.bol, offset} }

func (s *scanner) pos(m mark) (line, column int) {
	return m.line, utf8.RuneCount(s.data[m.bol:m.offset]) + 1
}

// bracket is one open flow collection.
type bracket struct {
	mark
	kind   byte // '{' or '['
	indent int  // of its line
	full   bool // a value is complete: a comma or the closing bracket comes next
	colon  bool // the colon of the current entry was seen
	end    mark // just after the last value
}

// scan reports whether the data may be given to the YAML library.
func scan(data []byte, report func(line, column int, message, fix string) *Diagnostic) bool {
	return (&scanner{data: data, report: report, fresh: true}).scan()
}

func (s *scanner) scan() bool {
	data := s.data
	if !s.bytes() {
		return false
	}
	for next := 0; next < len(data) && s.faults < maxFaults; {
		next = s.startLine(next)
		s.scanLine()
		if s.entries > maxEntries || s.line > maxLines {
			s.fault(s.bol, fmt.Sprintf("topology: more than %d entries or %d lines in one file", maxEntries, maxLines), "split it, or use counts instead of lists")
			return false
		}
	}
	if !s.begun && s.faults == 0 {
		s.report(1, 1, "topology: the file is empty", "begin with loom: v1")
		return false
	}
	if len(s.flow) > 0 && s.faults < maxFaults {
		s.unclosed()
	}
	if s.faults >= maxFaults && s.last != nil {
		s.last.Also = append(s.last.Also, Note{Text: fmt.Sprintf("these are the first %d errors; the rest of the file was not read", maxFaults)})
	}
	return s.faults == 0
}

// startLine sets the bounds of the line at offset and returns the offset of the next.
func (s *scanner) startLine(offset int) int {
	s.line++
	s.bol = offset
	next := len(s.data)
	s.eol = next
	if n := bytes.IndexByte(s.data[offset:], '\n'); n >= 0 {
		s.eol = offset + n
		next = s.eol + 1
	}
	if s.eol > offset && s.data[s.eol-1] == '\r' {
		s.eol--
	}
	return next
}

// bytes checks everything that needs no structure.
func (s *scanner) bytes() bool {
	if len(s.data) > maxBytes {
		s.report(1, 1, fmt.Sprintf("topology: %d MB is too large", len(s.data)>>20), fmt.Sprintf("keep a file below %d MB", maxBytes>>20))
		return false
	}
	line, bol := 1, 0
	for i := 0; i < len(s.data); {
		c := s.data[i]
		if c >= ' ' && c < 0x7f || c == '\t' {
			i++
			continue
		}
		if c == '\n' {
			i++
			line, bol = line+1, i
			continue
		}
		if c == '\r' && i+1 < len(s.data) && s.data[i+1] == '\n' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(s.data[i:])
		if cause, fix := badRune(r, size); cause != "" && (r != '\ufeff' || i > 0) {
			s.report(line, utf8.RuneCount(s.data[bol:i])+1, "topology: "+cause, fix)
			return false
		}
		i += size
	}
	return true
}

// badRune says why a character must not stand in a file: it breaks lines where no one sees it, hides, or
// turns text round (Unicode TR 36, "Trojan Source").
func badRune(r rune, size int) (cause, fix string) {
	code := fmt.Sprintf("U+%04X", r)
	switch {
	case r == utf8.RuneError && size == 1:
		return "not UTF-8", "save the file as UTF-8"
	case r == '\r':
		return "a carriage return without a line feed", "end lines with a line feed"
	case r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0xfff9 && r <= 0xfffb || r == 0xfffe || r == 0xffff:
		return "control character " + code, "take it out"
	case r == 0x2028 || r == 0x2029:
		return "line separator " + code, "end lines with a line feed"
	case r == 0xa0 || r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000:
		return "space " + code + ", which is not the plain one", "write a plain space"
	case r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x2069 || r == 0xfeff || r == 0xad:
		return "invisible character " + code, "take it out"
	}
	return "", ""
}

// fault reports something wrong at an offset of the current line and gives up the line.
func (s *scanner) fault(offset int, message, fix string) *Diagnostic {
	s.faults++
	d := s.report(s.line, s.column(offset), message, fix)
	s.last = d
	if n := len(s.flow); d != nil && n > 0 && s.flow[n-1].line != s.line {
		d.Also = append(d.Also, s.opened(d, s.flow[n-1]))
	}
	s.flow = s.flow[:0]
	s.fresh = true // whatever the line was meant to be, a deeper one may follow
	return d
}

func (s *scanner) opened(d *Diagnostic, b bracket) Note {
	line, column := s.pos(b.mark)
	return Note{Pos{d.Pos.File, line, column}, fmt.Sprintf("%c opened here", b.kind)}
}

func (s *scanner) column(offset int) int { return utf8.RuneCount(s.data[s.bol:offset]) + 1 }

// unclosed reports the bracket that has no end: where a closing bracket stood below another line than the one it
// closed, the bracket in between, otherwise the innermost.
func (s *scanner) unclosed() {
	open := s.flow[len(s.flow)-1]
	if s.suspect.line > 0 {
		open = s.suspect
	}
	s.faults++
	line, column := s.pos(open.mark)
	s.report(line, column, fmt.Sprintf("syntax: %c is never closed", open.kind), fmt.Sprintf("close it with %c", closing(open.kind)))
}

func closing(kind byte) byte {
	if kind == '{' {
		return '}'
	}
	return ']'
}

func (s *scanner) scanLine() {
	i := s.skip(s.bol)
	if i == 0 && bytes.HasPrefix(s.data, []byte("\ufeff")) {
		i = s.skip(3)
	}
	switch {
	case s.ends(i):
	case len(s.flow) > 0 && !s.marker(i):
		s.flowLine(i)
	case bytes.IndexByte(s.data[s.bol:i], '\t') >= 0:
		s.fault(s.bol+bytes.IndexByte(s.data[s.bol:i], '\t'), "syntax: a tab in the indentation", "indent with spaces")
	case s.data[i] == '%' && i == s.bol:
		s.fault(i, "syntax: a YAML directive", "take it out; topology files have none")
	case s.marker(i):
		if s.begun || len(s.flow) > 0 || s.data[i] == '.' || !s.ends(s.skip(i+3)) {
			s.fault(i, "syntax: a second document", "put one topology in a file; several files are merged")
		}
	default:
		s.blockLine(i)
		s.begun = true
	}
}

// marker reports whether the line at i is a document marker.
func (s *scanner) marker(i int) bool {
	text := s.data[i:s.eol]
	return i == s.bol && (bytes.HasPrefix(text, []byte("---")) || bytes.HasPrefix(text, []byte("..."))) && s.blank(i+3)
}

// skip returns the offset of the first byte at or after i that is no white space.
func (s *scanner) skip(i int) int {
	for i < s.eol && (s.data[i] == ' ' || s.data[i] == '\t') {
		i++
	}
	return i
}

// ends reports whether nothing but a comment is left of the line at i, where i follows white space.
func (s *scanner) ends(i int) bool {
	if i < s.eol && s.data[i] == '#' {
		s.note(i)
		return true
	}
	return i >= s.eol
}

// note keeps the comment at i, once, for those who want comments.
func (s *scanner) note(i int) {
	if s.keep && (len(s.comments) == 0 || s.comments[len(s.comments)-1].line != s.line) {
		text := string(bytes.TrimRight(s.data[i:s.eol], " \t"))
		s.comments = append(s.comments, comment{s.line, s.column(i), text, s.skip(s.bol) == i})
	}
}

// blank reports whether white space or the line's end is at i.
func (s *scanner) blank(i int) bool { return i >= s.eol || s.data[i] == ' ' || s.data[i] == '\t' }
