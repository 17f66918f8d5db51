package profile

import (
	"fmt"
	"regexp"
	"strings"
)

// GoPattern translates an XSD regular expression (RFC 7950 §9.4.5), which always matches the whole string and
// knows no anchors, to an anchored Go one. It returns an error where Go cannot express it.
func GoPattern(xsd string) (string, error) {
	var b strings.Builder
	class := 0 // depth of bracket expressions: 0 outside, 1 inside
	for i := 0; i < len(xsd); i++ {
		c := xsd[i]
		switch {
		case c == '\\' && i+1 < len(xsd):
			if strings.IndexByte("iIcC", xsd[i+1]) >= 0 {
				return "", fmt.Errorf("pattern %q: \\%c has no counterpart", xsd, xsd[i+1])
			}
			b.WriteString(xsd[i : i+2])
			i++
		case class == 0 && (c == '^' || c == '$'): // ordinary characters in XSD
			b.WriteString(`\` + string(c))
		case class == 1 && c == '[':
			b.WriteString(`\[`)
		default:
			class = depth(class, c)
			b.WriteByte(c)
		}
	}
	p := "^(?:" + b.String() + ")$"
	if _, err := regexp.Compile(p); err != nil {
		return "", fmt.Errorf("pattern %q: %w", xsd, err)
	}
	return p, nil
}

func depth(class int, c byte) int {
	switch c {
	case '[':
		return 1
	case ']':
		return 0
	}
	return class
}
