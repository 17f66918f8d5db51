package topology

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// quantity is a number with a unit. Without one, it is in that unit.
type quantity struct {
	what     string // "a length"
	unit     string // "km"
	low      float64
	high     float64
	example  string
	decimals int // that may be given
}

var decimalNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?$`)

// parse reads "80 km" and "80".
func (q *quantity) parse(s string) (float64, bool) {
	s = strings.TrimSuffix(s, " "+q.unit)
	if _, after, _ := strings.Cut(s, "."); !decimalNumber.MatchString(s) || len(after) > q.decimals {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil
}

func (q *quantity) check(s string) (cause, fix string) {
	x, ok := q.parse(s)
	switch {
	case !ok:
		return "is not " + q.what, "write it as " + q.example
	case !(x >= q.low && x <= q.high):
		return "is not in " + plainNumber(q.low) + ".." + plainNumber(q.high) + " " + q.unit, "write it as " + q.example
	}
	return "", ""
}

func (q *quantity) form() *Form {
	return &Form{Name: q.what + " in " + q.unit, Pattern: `^-?[0-9]+(\.[0-9]+)?( ` + regexp.QuoteMeta(q.unit) + `)?$`, Decimal: true, check: q.check}
}

// plainNumber writes a number without exponent, as short as it can be.
func plainNumber(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// The quantities. Their bounds keep what cannot be from the mathematics.
var (
	lengthIn     = &quantity{"a length", "km", 0.001, 10000, "80 km", 3}
	lossPerKmIn  = &quantity{"an attenuation", "dB/km", 0.01, 10, "0.19 dB/km", 6}
	dispersionIn = &quantity{"a dispersion", "ps/nm/km", -100, 100, "16.7 ps/nm/km", 6}
	slopeIn      = &quantity{"a dispersion slope", "ps/nm2/km", -1, 1, "0.06 ps/nm2/km", 6}
	areaIn       = &quantity{"an effective area", "um2", 10, 300, "83 um2", 6}
	pmdIn        = &quantity{"a polarization mode dispersion", "ps/sqrt(km)", 0, 10, "0.04 ps/sqrt(km)", 6}
	decibelIn    = &quantity{"a ratio", "dB", 0, 60, "2 dB", 6}
	powerIn      = &quantity{"a power", "dBm", -40, 40, "-10 dBm", 2}
	widthIn      = &quantity{"a width", "GHz", 12.5, 4800, "75 GHz", 2}
	guardIn      = &quantity{"a width", "GHz", 0, 1000, "25 GHz", 2}
	frequencyIn  = &quantity{"a frequency", "THz", 180, 200, "193.1 THz", 6}

	lengthForm, lossPerKmForm, dispersionForm, slopeForm = lengthIn.form(), lossPerKmIn.form(), dispersionIn.form(), slopeIn.form()
	areaForm, pmdForm, decibelForm, powerForm            = areaIn.form(), pmdIn.form(), decibelIn.form(), powerIn.form()
	widthForm, guardForm, frequencyForm                  = widthIn.form(), guardIn.form(), frequencyIn.form()
)

// span reads "5..27 dB": two quantities of one unit, the first the lesser.
func (q *quantity) span(s string) (low, high float64, cause, fix string) {
	from, to, ok := strings.Cut(strings.TrimSuffix(s, " "+q.unit), "..")
	low, ok1 := q.parse(from)
	high, ok2 := q.parse(to)
	switch {
	case !ok || !ok1 || !ok2:
		return 0, 0, "is not a range in " + q.unit, "write it as " + q.example
	case !(low < high) || low < q.low || high > q.high:
		return 0, 0, "is not a range within " + plainNumber(q.low) + ".." + plainNumber(q.high) + " " + q.unit, "write the lesser first, as " + q.example
	}
	return low, high, "", ""
}

func (q *quantity) spanForm(name string) *Form {
	return &Form{Name: name, Pattern: `^[0-9]+(\.[0-9]+)?\.\.[0-9]+(\.[0-9]+)?( ` + q.unit + `)?$`, check: func(s string) (string, string) {
		_, _, cause, fix := q.span(s)
		return cause, fix
	}}
}

var (
	bandIn = &quantity{"a band", "THz", 180, 200, defaultBand, 6}
	gainIn = &quantity{"a gain", "dB", 0, 60, "5..27 dB", 2}

	bandForm, gainForm = bandIn.spanForm("edges of a band in THz"), gainIn.spanForm("least and largest gain in dB")

	kindForm = &Form{Name: "a kind", Pattern: `^[A-Za-z0-9][A-Za-z0-9 .+/_-]{0,62}$`, check: func(s string) (string, string) {
		if kindName.MatchString(s) {
			return "", ""
		}
		return "is not the name of a kind", "write letters, digits, spaces and .+/_-, a letter or digit first, at most 63"
	}}
	noneForm = &Form{Name: "`none`", Pattern: `^none$`, check: func(s string) (string, string) {
		if s == "none" {
			return "", ""
		}
		return "is not none", "write none, or {span: 1 dB, nf: 0.5 dB, system: 0.5 dB}"
	}}
	lumpForm = &Form{Name: "a loss at a distance", Pattern: `^[0-9]+(\.[0-9]+)?( km)?: [0-9]+(\.[0-9]+)?( dB)?$`, check: func(s string) (string, string) {
		if _, _, ok := parseLump(s); ok {
			return "", ""
		}
		return "is not a loss at a distance", "write it as \"12 km: 0.8 dB\""
	}}
	overForm = &Form{Name: "a line, or lines with a plus between them", Pattern: `^` + namePattern + `( \+ ` + namePattern + `)*$`, check: func(s string) (string, string) {
		for name := range strings.SplitSeq(s, " + ") {
			if !isName(name) {
				return "is not the name of a line", "write long, or ab + bc for lines that are passed one after the other"
			}
		}
		return "", ""
	}}
)

var kindName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 .+/_-]{0,62}$`)

// parseLump reads "12 km: 0.8 dB".
func parseLump(s string) (km, loss float64, ok bool) {
	at, text, both := strings.Cut(s, ": ")
	km, ok1 := lengthIn.parse(at)
	loss, ok2 := decibelIn.parse(text)
	return km, loss, both && ok1 && ok2 && km >= 0 && km <= lengthIn.high && loss >= 0 && loss <= decibelIn.high
}

// quantity returns what a key says, or otherwise.
func (b *block) quantity(key string, q *quantity, otherwise float64) float64 {
	if !b.has(key) {
		return otherwise
	}
	x, _ := q.parse(b.text(key))
	return x
}

// given returns what a key says, or nil.
func (b *block) optional(key string, q *quantity) *float64 {
	if !b.has(key) {
		return nil
	}
	x := b.quantity(key, q, 0)
	return &x
}

// megahertz is a frequency in THz as the models of devices count it.
func megahertz(thz float64) uint32 { return uint32(math.Round(thz * 1e6)) }

func terahertz(mhz uint32) float64 { return float64(mhz) / 1e6 }
