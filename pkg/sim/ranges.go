package sim

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
)

// bounded are the ranges of the integer types where the schema restricts them no further (RFC 7950 §9.2).
var bounded = map[config.Base]config.Range{
	config.Int8: {Min: math.MinInt8, Max: math.MaxInt8}, config.Int16: {Min: math.MinInt16, Max: math.MaxInt16},
	config.Int32: {Min: math.MinInt32, Max: math.MaxInt32}, config.Int64: {Min: math.MinInt64, Max: math.MaxInt64},
	config.Uint8: {Max: math.MaxUint8}, config.Uint16: {Max: math.MaxUint16}, config.Uint32: {Max: math.MaxUint32},
}

// vet refuses what is new in a configuration and beyond what the platform can do, though the schema allows it. The
// caller holds mu.
func (d *Device) vet(before, after *config.Tree) error {
	sw := d.spec.Software
	if sw == nil {
		return nil
	}
	var errs []error
	if sw.Refuses != nil {
		if err := sw.Refuses(d.hardware(), after); err != nil && sw.Refuses(d.hardware(), before) == nil {
			errs = append(errs, err)
		}
	}
	if sw.Limits == nil {
		return errors.Join(errs...)
	}
	for _, change := range config.Diff(before, after) {
		if change.Op == config.Delete || !change.To.Valid() {
			continue
		}
		selected(nil, 0).leaves(change.To, func(c config.Cursor) {
			if err := d.beyond(c); err != nil {
				errs = append(errs, err)
			}
		})
	}
	return errors.Join(errs...)
}

// beyond tells whether a leaf has a value that the platform does not.
func (d *Device) beyond(c config.Cursor) error {
	s := c.Tree().Schema()
	if c.Node().Kind != config.Leaf || !isNumber(s.Types[c.Node().Type], c.Value()) {
		return nil
	}
	r, narrower := d.spec.Software.Limits(d.hardware(), c)
	v, err := strconv.ParseInt(c.Value(), 10, 64)
	if !narrower || err != nil || r.Min <= v && v <= r.Max {
		return nil
	}
	return &config.ValueError{Path: c.Path(), Value: c.Value(), Err: errors.New(outOfRange(c.Node().Name, c.Value(), span(r)))}
}

// isNumber tells whether a text is a number of a numeric type, in its range or not.
func isNumber(t config.Type, text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	switch _, integer := bounded[t.Base]; {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return false
	case integer, t.Base == config.Uint64:
		return strings.Trim(text, "+-0123456789") == ""
	}
	return t.Base == config.Decimal64
}

// outOfRange words that a number is too small or too large: mtu 9500 out of range [1500-9412].
func outOfRange(leaf, value, ranges string) string {
	return fmt.Sprintf("%s %s out of range [%s]", leaf, clipped(value), ranges)
}

// rangeOf prints the range of a numeric type: "1450-9500", "0, 100-86400000".
func rangeOf(t config.Type) string {
	var parts []string
	for _, r := range t.Range {
		part := span(r)
		if t.Base == config.Decimal64 {
			scale := math.Pow10(int(t.Fraction))
			part = fmt.Sprintf("%g-%g", float64(r.Min)/scale, float64(r.Max)/scale)
		}
		parts = append(parts, part)
	}
	switch {
	case t.Max64 && len(parts) > 0:
		last := t.Range[len(t.Range)-1]
		parts[len(parts)-1] = fmt.Sprintf("%d-%d", last.Min, uint64(math.MaxUint64))
	case len(parts) > 0:
	case t.Base == config.Uint64:
		parts = []string{fmt.Sprintf("0-%d", uint64(math.MaxUint64))}
	case t.Base == config.Decimal64:
		scale := math.Pow10(int(t.Fraction))
		parts = []string{fmt.Sprintf("%g-%g", math.MinInt64/scale, math.MaxInt64/scale)}
	default:
		parts = []string{span(bounded[t.Base])}
	}
	return strings.Join(parts, ", ")
}

func span(r config.Range) string {
	if r.Min == r.Max {
		return strconv.FormatInt(r.Min, 10)
	}
	return fmt.Sprintf("%d-%d", r.Min, r.Max)
}
