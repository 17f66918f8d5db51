package topology

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Form is how a text must look.
type Form struct {
	Name    string // "an IPv4 prefix"
	Pattern string // the same for editors, as a regular expression; looser than check where a pattern cannot say it
	Bare    bool   // a plain whole number is accepted as well
	Decimal bool   // a plain number is accepted as well

	// check returns what is wrong and how to mend it, or two empty strings.
	check func(s string) (cause, fix string)
}

const (
	maxNumber = 9999 // largest number of a device, a tenant, a segment
)

const (
	namePattern = `[a-z][a-z0-9-]{0,62}`
	portPattern = `ethernet-[1-9][0-9]?/[1-9][0-9]{0,2}(/[1-9][0-9]?)?`
	// connectorPattern is a port of SR OS: a connector, or a channel of one.
	connectorPattern = `[1-9][0-9]?/[1-9]/c[1-9][0-9]?(/[1-9][0-9]?)?`
	sitePattern      = `(` + namePattern + `/)?`
)

// The forms.
var (
	nameForm   = &Form{Name: "a name", Pattern: `^` + namePattern + `$`, check: checkName}
	prefixForm = &Form{Name: "a prefix of names", Pattern: `^([a-z][a-z0-9-]{0,39})?$`, check: func(s string) (string, string) {
		if s == "" || isName(s) && len(s) <= 40 {
			return "", ""
		}
		return "is not a prefix of names", "write lower-case letters, digits and hyphens, a letter first, at most 40"
	}}
	labelForm = &Form{Name: "a label", Pattern: `^[a-z0-9]([a-z0-9._-]{0,62})$`, check: func(s string) (string, string) {
		if isLabel(s) {
			return "", ""
		}
		return "is not a label", "write lower-case letters, digits, hyphens, dots and underscores, a letter or digit first, at most 63"
	}}
	platformForm = &Form{Name: "a platform", Pattern: `^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`, check: func(s string) (string, string) {
		if isLabel(strings.ToLower(s)) {
			return "", ""
		}
		return "is not a platform", "write it as Nokia does, with hyphens: 7220-IXR-D3L"
	}}
	secretForm = &Form{Name: "a reference to a secret", Pattern: `^(env:[A-Za-z_][A-Za-z0-9_]*|file:[^\s]+)$`, check: checkSecret}
	textForm   = &Form{Name: "a text", Pattern: `^.{1,255}$`, check: func(s string) (string, string) {
		if s == "" {
			return "is empty", "write a text or leave the key out"
		}
		if utf8.RuneCountInString(s) > 255 {
			return "is longer than 255 characters", "shorten it"
		}
		return "", ""
	}}
	bfdForm = &Form{Name: "BFD timers", Pattern: `^(off|([3-9]|1[0-9]|20)x[1-9][0-9]{1,5}ms)$`, check: func(s string) (string, string) {
		_, _, cause, fix := parseBFD(s)
		return cause, fix
	}}
	speedForm = &Form{Name: "a speed", Pattern: `^(1|2\.5|10|25|40|50|100|200|400|800)G$`, check: func(s string) (string, string) {
		for _, v := range speeds {
			if v == s {
				return "", ""
			}
		}
		return "is not a speed", "write " + words(speeds)
	}}
	fingerprintForm = &Form{Name: "a fingerprint", Pattern: `^[0-9a-f]{64}$`, check: func(s string) (string, string) {
		if len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" {
			return "", ""
		}
		return "is not a fingerprint", "write the SHA-256 of the certificate as 64 lower-case hex digits"
	}}
	addressForm = &Form{Name: "an IPv4 address", Pattern: `^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$`, check: func(s string) (string, string) {
		if a, err := netip.ParseAddr(s); err == nil && a.Is4() && unicast(a) {
			return "", ""
		}
		return "is not an IPv4 unicast address", "write four numbers from 0 to 255, as 10.1.0.13"
	}}
	hostForm = &Form{Name: "an IP address", Pattern: `^[0-9a-fA-F.:]+$`, check: func(s string) (string, string) {
		if a, err := netip.ParseAddr(s); err == nil && plainAddr(a) && unicast(a) {
			return "", ""
		}
		return "is not an IP unicast address", "write an IPv4 or IPv6 address without prefix length, as 172.20.1.13"
	}}
	poolForm = &Form{Name: "an IPv4 prefix", Pattern: `^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/([89]|1[0-9]|2[0-8])$`, check: func(s string) (string, string) {
		return checkNetwork(s, true, 8, 28)
	}}
	networkForm = &Form{Name: "an IP prefix", Pattern: `^[0-9a-fA-F.:]+/[0-9]{1,3}$`, check: func(s string) (string, string) {
		return checkNetwork(s, false, 8, 126)
	}}
	address6Form = &Form{Name: "an IPv6 address", Pattern: `^[0-9a-fA-F:.]+$`, check: func(s string) (string, string) {
		if a, err := netip.ParseAddr(s); err == nil && a.Is6() && plainAddr(a) && unicast(a) && !a.IsLinkLocalUnicast() {
			return "", ""
		}
		return "is not an IPv6 unicast address that is known beyond one link", "write one as 2001:db8::1:1:d"
	}}
	pool6Form = &Form{Name: "an IPv6 prefix", Pattern: `^[0-9a-fA-F:.]+/([89]|[1-7][0-9]|8[0-8])$`, check: checkPool6}
	linkForm  = &Form{Name: "an IPv4 /31", Pattern: `^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/31$`, check: func(s string) (string, string) {
		return checkNetwork(s, true, 31, 31)
	}}
	gatewayForm = &Form{Name: "an address with prefix length", Pattern: `^[0-9a-fA-F.:]+/[0-9]{1,3}$`, check: checkGateway}
	asnsForm    = &Form{Name: "the first AS number of a block", Pattern: `^[1-9][0-9]{0,9}\+?$`, Bare: true, check: func(s string) (string, string) {
		if _, ok := parseNumber(strings.TrimSuffix(s, "+"), 1, 4294967294); ok {
			return "", ""
		}
		return "is not the first AS number of a block", "write a number from 1 to 4294967294, as 4200010000+"
	}}
	numbersForm = &Form{Name: "a set of numbers", Pattern: `^[1-9][0-9]{0,3}(\.\.[1-9][0-9]{0,3})?(, ?[1-9][0-9]{0,3}(\.\.[1-9][0-9]{0,3})?)*$`, Bare: true,
		check: func(s string) (string, string) {
			_, cause, fix := parseNumbers(s)
			return cause, fix
		}}
	selectorForm = &Form{Name: "a selector", Pattern: `^[a-z0-9*?/.:_, -]+$`, check: func(s string) (string, string) {
		_, cause, fix := parseSelector(s)
		return cause, fix
	}}
	rangeForm = &Form{Name: "ports", Pattern: `^` + portPattern + `(\.\.[1-9][0-9]{0,2})?(, ?` + portPattern + `(\.\.[1-9][0-9]{0,2})?)*$`,
		check: func(s string) (string, string) {
			_, cause, fix := parseRange(s)
			return cause, fix
		}}
	segmentForm = &Form{Name: "a segment", Pattern: `^(` + namePattern + `/)?` + namePattern + `$`, check: func(s string) (string, string) {
		tenant, name, both := strings.Cut(s, "/")
		if isName(tenant) && (!both || isName(name)) {
			return "", ""
		}
		return "is not the name of a segment", "write web or red/web"
	}}
	endForm = &Form{Name: "a port of a device", Pattern: `^` + sitePattern + namePattern + `:(` + portPattern + `|` + connectorPattern + `)$`, check: func(s string) (string, string) {
		device, port, _ := strings.Cut(s, ":")
		if !isDevice(device) || !isPort(port) && !isConnector(port) {
			return "is not a port of a device", "write DEVICE:PORT, as leaf1:ethernet-1/1"
		}
		return "", ""
	}}
	cableForm = &Form{Name: "a cable", Pattern: `^\S+:\S+ - \S+:\S+$`, check: func(s string) (string, string) {
		_, _, cause, fix := parseCable(s)
		return cause, fix
	}}
	pathForm = &Form{Name: "a path", Pattern: `^(/[A-Za-z_][^/\[\]]*(\[[^\]]+\])*)+$`, check: checkPath}
)

var speeds = []string{"1G", "2.5G", "10G", "25G", "40G", "50G", "100G", "200G", "400G", "800G"}

func checkName(s string) (string, string) {
	if isName(s) {
		return "", ""
	}
	return "is not a name", "write lower-case letters, digits and hyphens, a letter first, at most 63"
}

// isName reports whether s matches [a-z][a-z0-9-]{0,62}.
func isName(s string) bool {
	if s == "" || len(s) > 63 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; !lowerOrDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

func isLabel(s string) bool {
	if s == "" || len(s) > 63 || !lowerOrDigit(s[0]) {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

func lowerOrDigit(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// isDevice reports whether s can name a device: a name, or a site and a name.
func isDevice(s string) bool {
	site, name, both := strings.Cut(s, "/")
	return isName(site) && (!both || isName(name))
}

func checkSecret(s string) (string, string) {
	const fix = "write env:NAME or file:PATH; secrets never stand in the file"
	kind, where, _ := strings.Cut(s, ":")
	switch {
	case kind == "env" && isVariable(where):
		return "", ""
	case kind == "file" && where != "" && !strings.ContainsFunc(where, unicode.IsSpace):
		for part := range strings.SplitSeq(where, "/") {
			if part == ".." {
				return "climbs out of its directory with ..", "write a path without .."
			}
		}
		return "", ""
	}
	// The text may be the secret itself, so it is not repeated.
	return secretCause, fix
}

// secretCause stands for the whole message: the value is never printed.
const secretCause = "this is not a reference to a secret"

func isVariable(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if s[i] != '_' && (c < 'a' || c > 'z') && (i == 0 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}

// unicast reports whether a host can have the address.
func unicast(a netip.Addr) bool {
	if a.Is4() {
		b := a.As4()
		return b[0] != 0 && b[0] != 127 && b[0] < 224
	}
	return !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast()
}

// plainAddr refuses what only looks like an address of its family.
func plainAddr(a netip.Addr) bool { return a.Zone() == "" && !a.Is4In6() }

func checkNetwork(s string, v4 bool, from, to int) (string, string) {
	thing, example := "an IP prefix", "172.20.1.0/24"
	if v4 {
		thing, example = "an IPv4 prefix", "10.1.0.0/16"
	}
	if from == 31 {
		thing, example = "an IPv4 /31", "192.168.11.0/31"
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil || !plainAddr(p.Addr()) || v4 && !p.Addr().Is4() || from == 31 && p.Bits() != 31:
		return "is not " + thing, "write an address and a length, as " + example
	case p.Bits() < from || p.Bits() > min(to, p.Addr().BitLen()-1):
		return "is not of a useful size", "write a length from /" + strconv.Itoa(from) + " to /" + strconv.Itoa(min(to, p.Addr().BitLen()-1))
	case p != p.Masked():
		return "has bits set beyond /" + strconv.Itoa(p.Bits()), "write " + p.Masked().String()
	case !unicast(p.Addr()):
		return "holds no unicast addresses", "write a prefix such as " + example
	}
	return "", ""
}

// checkPool6 accepts a prefix with room for the number of a site, a role and the number of a device: 40 bits.
func checkPool6(s string) (string, string) {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil || !p.Addr().Is6() || !plainAddr(p.Addr()):
		return "is not an IPv6 prefix", "write an address and a length, as 2001:db8::/48"
	case p.Bits() < 8 || p.Bits() > 88:
		return "is not of a useful size", "write a length from /8 to /88: 40 bits are for the numbers of sites and devices"
	case p != p.Masked():
		return "has bits set beyond /" + strconv.Itoa(p.Bits()), "write " + p.Masked().String()
	case !unicast(p.Addr()) || p.Addr().IsLinkLocalUnicast():
		return "holds no unicast addresses that are known beyond one link", "write a prefix such as 2001:db8::/48"
	}
	return "", ""
}

// checkGateway accepts an address that a host in its prefix can have.
func checkGateway(s string) (string, string) {
	p, err := netip.ParsePrefix(s)
	if err != nil || !plainAddr(p.Addr()) || !unicast(p.Addr()) {
		return "is not a gateway address with prefix length", "write 10.10.0.1/24 or 2001:db8:10::1/64"
	}
	longest := p.Addr().BitLen() - 1
	switch {
	case p.Bits() < 8 || p.Bits() > longest:
		return "is not of a useful size", "write a length from /8 to /" + strconv.Itoa(longest)
	case p.Bits() == longest:
		return "", "" // RFC 3021, RFC 6164: both addresses are hosts
	case p == p.Masked():
		return "is the prefix itself, not an address in it", "write " + netip.PrefixFrom(p.Addr().Next(), p.Bits()).String()
	case p.Addr().Is4() && !p.Contains(p.Addr().Next()):
		return "is the broadcast address", "write " + netip.PrefixFrom(p.Masked().Addr().Next(), p.Bits()).String()
	}
	return "", ""
}

// checkPath accepts an absolute gNMI path whose keys are closed; names are checked against the schema later.
func checkPath(s string) (string, string) {
	const fix = "write it from the root, as /interface[name=ethernet-1/1]/mtu"
	if len(s) < 2 || s[0] != '/' {
		return "is not an absolute path", fix
	}
	open, last := false, byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '[' && open, c == ']' && !open:
			return "has a bracket out of place", fix
		case c == '[':
			open = true
		case c == ']':
			open = false
		case c == '/' && last == '/' && !open:
			return "has an empty element", fix
		}
		last = s[i]
	}
	if open || last == '/' {
		return "ends too early", fix
	}
	return "", ""
}
