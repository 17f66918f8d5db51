package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// intLimits are the built-in ranges; uint64's maximum is Max64's business.
var intLimits = map[Base]Range{
	Int8: {math.MinInt8, math.MaxInt8}, Int16: {math.MinInt16, math.MaxInt16},
	Int32: {math.MinInt32, math.MaxInt32}, Int64: {math.MinInt64, math.MaxInt64},
	Uint8: {0, math.MaxUint8}, Uint16: {0, math.MaxUint16}, Uint32: {0, math.MaxUint32},
}

// canonical checks a text against a type and returns its canonical form (RFC 7950 §9).
func (x *index) canonical(typ uint16, release int, text string) (string, form, error) {
	t := &x.schema.Types[typ]
	switch t.Base {
	case Bool:
		if text != "true" && text != "false" {
			return "", 0, fmt.Errorf("%s is neither true nor false", quote(text))
		}
		return text, bare, nil
	case Int8, Int16, Int32, Uint8, Uint16, Uint32:
		c, err := canonicalInt(t, text)
		return c, bare, err
	case Int64:
		c, err := canonicalInt(t, text)
		return c, 0, err
	case Uint64:
		c, err := canonicalUint64(t, text)
		return c, 0, err
	case Decimal64:
		c, err := canonicalDecimal(t, text)
		return c, 0, err
	case Enumeration:
		c, err := canonicalEnum(t, release, text)
		return c, 0, err
	case Identityref:
		c, err := x.canonicalIdentity(t, release, text)
		return c, 0, err
	case Leafref:
		return x.canonical(t.Members[0], release, text)
	case Union:
		return x.canonicalUnion(t, release, text)
	case Empty:
		if text != "" {
			return "", 0, fmt.Errorf("%s is given to a leaf of type empty, which has no value", quote(text))
		}
		return "", isEmpty, nil
	case Binary:
		c, err := canonicalBinary(t, text)
		return c, 0, err
	default:
		return text, 0, x.checkString(typ, t, text)
	}
}

// canonicalInt reads decimal, octal and hexadecimal forms (RFC 7950 §9.2.1) and checks the range.
func canonicalInt(t *Type, text string) (string, error) {
	if !numeric(text) {
		return "", later(func() string { return quote(text) + " is not a whole number" })
	}
	v, err := strconv.ParseInt(text, intBase(text), 64)
	if errors.Is(err, strconv.ErrRange) {
		return "", fmt.Errorf("%s is out of range %s", text, rangeText(t))
	}
	if err != nil {
		return "", fmt.Errorf("%s is not a whole number", quote(text))
	}
	limits := intLimits[t.Base]
	if v < limits.Min || v > limits.Max || !within(t.Range, v) {
		return "", later(func() string { return fmt.Sprintf("%d is out of range %s", v, rangeText(t)) })
	}
	return strconv.FormatInt(v, 10), nil
}

func canonicalUint64(t *Type, text string) (string, error) {
	v, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), intBase(text), 64)
	if errors.Is(err, strconv.ErrRange) {
		return "", fmt.Errorf("%s is out of range %s", text, rangeText(t))
	}
	if err != nil {
		return "", fmt.Errorf("%s is not a whole number, 0 or more", quote(text))
	}
	if !withinUint(t, v) {
		return "", fmt.Errorf("%d is out of range %s", v, rangeText(t))
	}
	return strconv.FormatUint(v, 10), nil
}

// numeric tells whether a text may be a number: it begins like one.
func numeric(text string) bool {
	if text != "" && (text[0] == '+' || text[0] == '-') {
		text = text[1:]
	}
	return text != "" && digit(text[0])
}

// intBase is 0, which means by prefix, for the hexadecimal and octal forms that YANG has, and 10
// for everything else: Go would also take "0b1" and "0o7".
func intBase(text string) int {
	digits := strings.TrimLeft(text, "+-")
	if len(digits) > 1 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') && !strings.Contains(digits, "_") {
		return 0
	}
	if len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "01234567") == "" {
		return 8
	}
	return 10
}

func within(ranges []Range, v int64) bool {
	for _, r := range ranges {
		if r.Min <= v && v <= r.Max {
			return true
		}
	}
	return len(ranges) == 0
}

func withinUint(t *Type, v uint64) bool {
	for i, r := range t.Range {
		last := t.Max64 && i == len(t.Range)-1
		if v >= uint64(r.Min) && (last || v <= uint64(r.Max)) {
			return true
		}
	}
	return len(t.Range) == 0
}

// canonicalDecimal checks a decimal64 and drops the zeros that RFC 7950 §9.3.2 drops.
func canonicalDecimal(t *Type, text string) (string, error) {
	sign, digits := "", text
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		sign, digits = strings.TrimPrefix(digits[:1], "+"), digits[1:]
	}
	whole, frac, dot := strings.Cut(digits, ".")
	if whole == "" || dot && frac == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return "", fmt.Errorf("%s is not a decimal number", quote(text))
	}
	frac = strings.TrimRight(frac, "0")
	if len(frac) > int(t.Fraction) {
		return "", fmt.Errorf("%s has more than %d fraction digits", text, t.Fraction)
	}
	scaled, err := strconv.ParseInt(sign+whole+frac+strings.Repeat("0", int(t.Fraction)-len(frac)), 10, 64)
	if err != nil || !within(t.Range, scaled) {
		return "", fmt.Errorf("%s is out of range %s", text, rangeText(t))
	}
	if scaled == 0 {
		sign = ""
	}
	whole = strings.TrimLeft(whole, "0")
	return sign + orZero(whole) + "." + orZero(frac), nil
}

func orZero(digits string) string {
	if digits == "" {
		return "0"
	}
	return digits
}

func canonicalEnum(t *Type, release int, text string) (string, error) {
	for _, e := range t.Enums {
		if e.Name == text && e.In.Has(release) {
			return e.Name, nil
		}
	}
	return "", later(func() string { return notOneOf(t, release, text) })
}

// canonicalIdentity accepts "evpn" and "module:evpn" and returns the latter.
func (x *index) canonicalIdentity(t *Type, release int, text string) (string, error) {
	module, name, prefixed := strings.Cut(text, ":")
	if !prefixed {
		name = text
	}
	for _, e := range t.Enums {
		m := x.schema.Modules[e.Module]
		if e.Name == name && e.In.Has(release) && (!prefixed || module == m) {
			if prefixed {
				return text, nil
			}
			return m + ":" + name, nil
		}
	}
	return "", later(func() string { return notOneOf(t, release, text) })
}

func notOneOf(t *Type, release int, text string) string {
	var names []string
	for _, e := range t.Enums {
		if e.In.Has(release) {
			names = append(names, e.Name)
		}
	}
	if len(names) == 0 {
		return fmt.Sprintf("%s is not possible: this release has no value for it", quote(text))
	}
	const most = 16
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return fmt.Sprintf("%s is not one of %s", quote(text), strings.Join(names, ", "))
}

// canonicalUnion takes the first member type that accepts the text (RFC 7950 §9.12).
func (x *index) canonicalUnion(t *Type, release int, text string) (string, form, error) {
	for _, m := range t.Members {
		if c, f, err := x.canonical(m, release, text); err == nil {
			return c, f, nil
		}
	}
	return "", 0, later(func() string {
		var causes []string
		for _, m := range t.Members {
			_, _, err := x.canonical(m, release, text)
			causes = append(causes, err.Error())
		}
		return strings.Join(causes, ", and ")
	})
}

// later is an error whose text is made when somebody reads it: most members of a union refuse a value
// that a later one takes.
type later func() string

// Error makes the text.
func (f later) Error() string { return f() }

func canonicalBinary(t *Type, text string) (string, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("%s is not base64", quote(text))
	}
	if !within(t.Length, int64(len(b))) {
		return "", fmt.Errorf("%d bytes is not a length in %s", len(b), rangesText(t.Length))
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

func (x *index) checkString(typ uint16, t *Type, text string) error {
	if !yangText(text) {
		return fmt.Errorf("%s has characters that YANG does not allow in a string", quote(text))
	}
	if len(t.Length) > 0 && !within(t.Length, int64(utf8.RuneCountInString(text))) {
		return fmt.Errorf("%s has %d characters, not %s", quote(text), utf8.RuneCountInString(text), rangesText(t.Length))
	}
	if len(t.Patterns) == 0 {
		return nil
	}
	res, err := x.compiled(typ)
	if err != nil {
		return err
	}
	for i, re := range res {
		if !re.MatchString(text) {
			return later(func() string {
				return fmt.Sprintf("%s is not a valid %s: want %s", quote(text), t.Name, t.Patterns[i])
			})
		}
	}
	return nil
}

// compiled returns the patterns of a type, compiled at first use.
func (x *index) compiled(typ uint16) ([]*regexp.Regexp, error) {
	slot := &x.patterns[typ].res
	if p := slot.Load(); p != nil {
		return *p, nil
	}
	t := &x.schema.Types[typ]
	res := make([]*regexp.Regexp, len(t.Patterns))
	for i, p := range t.Patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("schema: type %s: %w", t.Name, err)
		}
		res[i] = re
	}
	slot.Store(&res)
	return res, nil
}

// yangText tells whether s is valid UTF-8 of characters that RFC 7950 §9.4 lets a string have.
func yangText(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			return false
		}
		i += n
	}
	return true
}

// rangeText prints what a numeric type allows: "1450..9412", "0 | 100..86400000".
func rangeText(t *Type) string {
	if len(t.Range) == 0 {
		switch t.Base {
		case Uint64:
			return fmt.Sprintf("0..%d", uint64(math.MaxUint64))
		case Decimal64:
			return fmt.Sprintf("of a decimal64 with %d fraction digits", t.Fraction)
		}
		l := intLimits[t.Base]
		return fmt.Sprintf("%d..%d", l.Min, l.Max)
	}
	if t.Base == Decimal64 {
		return decimalRanges(t)
	}
	s := rangesText(t.Range)
	if t.Max64 {
		s = s[:strings.LastIndexAny(s, ".|")+1] + strconv.FormatUint(math.MaxUint64, 10)
	}
	return s
}

func rangesText(ranges []Range) string {
	parts := make([]string, len(ranges))
	for i, r := range ranges {
		parts[i] = strconv.FormatInt(r.Min, 10)
		if r.Max != r.Min {
			parts[i] += ".." + strconv.FormatInt(r.Max, 10)
		}
	}
	return strings.Join(parts, " | ")
}

func decimalRanges(t *Type) string {
	scale := math.Pow10(int(t.Fraction))
	parts := make([]string, len(t.Range))
	for i, r := range t.Range {
		parts[i] = fmt.Sprintf("%g..%g", float64(r.Min)/scale, float64(r.Max)/scale)
	}
	return strings.Join(parts, " | ")
}

// quote shows a value in a message, cut where it is long.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strconv.Quote(s)
}
