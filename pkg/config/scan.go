package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep a document may nest. No YANG model comes near it; attacks do.
const maxDepth = 64

// scanner reads JSON (RFC 8259) from memory. It keeps nothing: what it returns points into the
// document, or into its buffer until the next string with escapes.
type scanner struct {
	data  []byte
	pos   int
	depth int
	buf   []byte
}

// literal is one JSON value that is no object and no array of more than [null].
type literal struct {
	text   []byte
	quoted bool // a JSON string
	empty  bool // [null]
}

var (
	errEnd   = errors.New("the document ends too early")
	errDepth = fmt.Errorf("nesting is deeper than %d", maxDepth)
	errUTF8  = errors.New("a string is not valid UTF-8")
)

func unexpected(c byte, want string) error {
	return fmt.Errorf("want %s, have %q", want, c)
}

// peek returns the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// expect takes one byte.
func (s *scanner) expect(c byte) error {
	have := s.peek()
	if s.pos >= len(s.data) {
		return errEnd
	}
	if have != c {
		return unexpected(have, fmt.Sprintf("%q", c))
	}
	s.pos++
	return nil
}

// enter takes an opening bracket.
func (s *scanner) enter(c byte) error {
	if s.depth++; s.depth > maxDepth {
		return errDepth
	}
	return s.expect(c)
}

// more tells whether another member or element follows; it takes the comma, or the closing
// bracket and one level.
func (s *scanner) more(first bool, closing byte) (bool, error) {
	c := s.peek()
	switch {
	case s.pos >= len(s.data):
		return false, errEnd
	case c == closing:
		s.pos++
		s.depth--
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, unexpected(c, fmt.Sprintf("',' or %q", closing))
	}
	s.pos++
	if c := s.peek(); c == closing {
		return false, unexpected(c, "another element after ','")
	}
	return true, nil
}

// name takes a member's name and the colon.
func (s *scanner) name() ([]byte, error) {
	if c := s.peek(); c != '"' && s.pos < len(s.data) {
		return nil, unexpected(c, "a member's name")
	}
	name, err := s.string()
	if err != nil {
		return nil, err
	}
	return name, s.expect(':')
}

// string takes a string and returns its text, which is valid UTF-8.
func (s *scanner) string() ([]byte, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	start, ascii := s.pos, true
	for i := start; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return checkUTF8(s.data[start:i], ascii)
		case c == '\\':
			return s.escaped(start, i)
		case c < 0x20:
			s.pos = i
			return nil, fmt.Errorf("control character %#02x in a string", c)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	s.pos = len(s.data)
	return nil, errEnd
}

func checkUTF8(b []byte, ascii bool) ([]byte, error) {
	if !ascii && !utf8.Valid(b) {
		return nil, errUTF8
	}
	return b, nil
}

// escaped takes the rest of a string from its first escape on.
func (s *scanner) escaped(start, i int) ([]byte, error) {
	s.buf = append(s.buf[:0], s.data[start:i]...)
	for s.pos = i; s.pos < len(s.data); {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return checkUTF8(s.buf, false)
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		case c < 0x20:
			return nil, fmt.Errorf("control character %#02x in a string", c)
		default:
			s.buf = append(s.buf, c)
			s.pos++
		}
	}
	return nil, errEnd
}

// escape takes one escape sequence.
func (s *scanner) escape() error {
	if s.pos+1 >= len(s.data) {
		return errEnd
	}
	c := s.data[s.pos+1]
	if c == 'u' {
		return s.unicode()
	}
	const names, bytes = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	i := strings.IndexByte(names, c)
	if i < 0 {
		return fmt.Errorf("%q is no escape", s.data[s.pos:s.pos+2])
	}
	s.buf = append(s.buf, bytes[i])
	s.pos += 2
	return nil
}

// unicode takes \uXXXX, or two of them that make one character (RFC 8259 §7).
func (s *scanner) unicode() error {
	r, ok := s.hex4(s.pos)
	if !ok {
		return errors.New("\\u wants four hexadecimal digits")
	}
	s.pos += 6
	if utf16.IsSurrogate(r) {
		low, _ := s.hex4(s.pos)
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return errors.New("half of a surrogate pair")
		}
		s.pos += 6
	}
	s.buf = utf8.AppendRune(s.buf, r)
	return nil
}

func (s *scanner) hex4(at int) (rune, bool) {
	if at+6 > len(s.data) || s.data[at] != '\\' || s.data[at+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s.data[at+2 : at+6] {
		switch {
		case digit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// literal takes a string, a number, true, false or [null].
func (s *scanner) literal() (literal, error) {
	switch c := s.peek(); {
	case s.pos >= len(s.data):
		return literal{}, errEnd
	case c == '"':
		text, err := s.string()
		return literal{text: text, quoted: true}, err
	case c == '[':
		return s.emptyValue()
	case c == '{':
		return literal{}, errors.New("want a value, have an object")
	}
	text, err := s.word()
	if err == nil && string(text) == "null" {
		err = errors.New("null is no value: type empty is [null], and what is absent is left out")
	}
	return literal{text: text}, err
}

// emptyValue takes [null], the value of type empty (RFC 7951 §6.9).
func (s *scanner) emptyValue() (literal, error) {
	s.pos++
	s.peek()
	if text, err := s.word(); err != nil || string(text) != "null" {
		return literal{}, errors.New("want a value, have an array")
	}
	return literal{empty: true}, s.expect(']')
}

// word takes a number, true, false or null.
func (s *scanner) word() ([]byte, error) {
	start := s.pos
	for s.pos < len(s.data) && wordByte(s.data[s.pos]) {
		s.pos++
	}
	text := s.data[start:s.pos]
	switch string(text) {
	case "true", "false", "null":
		return text, nil
	}
	if !number(text) {
		at := s.data[start:min(len(s.data), max(s.pos, start+1))]
		s.pos = start
		return nil, fmt.Errorf("%s is no JSON value", quote(string(at)))
	}
	return text, nil
}

func wordByte(c byte) bool {
	return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '-' || c == '+' || c == '.'
}

// number tells whether b is a JSON number: RFC 8259 §6.
func number(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	whole := digits(b)
	if whole == 0 || whole > 1 && b[0] == '0' {
		return false
	}
	b = b[whole:]
	if len(b) > 0 && b[0] == '.' {
		n := digits(b[1:])
		if n == 0 {
			return false
		}
		b = b[1+n:]
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		n := digits(b)
		return n > 0 && n == len(b)
	}
	return len(b) == 0
}

func digits(b []byte) int {
	n := 0
	for n < len(b) && digit(b[n]) {
		n++
	}
	return n
}

// skip takes any value, checks that it is sound, and returns it as found.
func (s *scanner) skip() ([]byte, error) {
	c := s.peek()
	start := s.pos
	var err error
	switch {
	case s.pos >= len(s.data):
		err = errEnd
	case c == '{':
		err = s.skipObject()
	case c == '[':
		err = s.skipArray()
	case c == '"':
		_, err = s.string()
	default:
		_, err = s.word()
	}
	return s.data[start:s.pos], err
}

func (s *scanner) skipObject() error {
	if err := s.enter('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for first := true; ; first = false {
		more, err := s.more(first, '}')
		if !more {
			return err
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		if seen[string(name)] {
			return fmt.Errorf("member %s is there twice", quote(string(name)))
		}
		seen[string(name)] = true
		if _, err := s.skip(); err != nil {
			return err
		}
	}
}

func (s *scanner) skipArray() error {
	if err := s.enter('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.more(first, ']')
		if !more {
			return err
		}
		if _, err := s.skip(); err != nil {
			return err
		}
	}
}
