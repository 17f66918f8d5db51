package topology

import (
	"strconv"
	"strings"
)

// span is an inclusive range of numbers.
type span struct{ from, to uint32 }

// parseNumber reads decimal digits without sign or leading zero.
func parseNumber(s string, lo, hi uint64) (uint32, bool) {
	if s == "" || len(s) > 10 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return uint32(n), n >= lo && n <= hi
}

// parseSpan reads "3" or "1..4".
func parseSpan(s string, hi uint64) (span, bool) {
	a, b, both := strings.Cut(s, "..")
	from, ok := parseNumber(a, 1, hi)
	if !ok || !both {
		return span{from, from}, ok
	}
	to, ok := parseNumber(b, 1, hi)
	return span{from, to}, ok && from <= to
}

// parseNumbers reads "1..4,6": numbers that rise.
func parseNumbers(s string) (spans []span, cause, fix string) {
	for part := range strings.SplitSeq(s, ",") {
		r, ok := parseSpan(strings.TrimSpace(part), maxNumber)
		if !ok {
			return nil, "is not a set of numbers", "write numbers and ranges from 1 to " + strconv.Itoa(maxNumber) + ", as \"1..4,6\""
		}
		if len(spans) > 0 && r.from <= spans[len(spans)-1].to {
			return nil, "does not rise at " + strings.TrimSpace(part), "write each number once, smallest first"
		}
		spans = append(spans, r)
	}
	return spans, "", ""
}

// parseBFD reads "3x300ms" or "off".
func parseBFD(s string) (multiplier, interval uint32, cause, fix string) {
	if s == "off" {
		return 0, 0, "", ""
	}
	a, rest, ok := strings.Cut(s, "x")
	b, unit := strings.CutSuffix(rest, "ms")
	if !ok || !unit {
		return 0, 0, "is not a BFD timer", "write 3x300ms for three packets 300 ms apart, or off"
	}
	multiplier, ok = parseNumber(a, 3, 20)
	if !ok {
		return 0, 0, "misses " + a + " packets, which is not in 3..20", "write 3x" + b + "ms"
	}
	interval, ok = parseNumber(b, 10, 100000)
	if !ok {
		return 0, 0, "has an interval of " + b + " ms, which is not in 10..100000", "write " + a + "x300ms"
	}
	return multiplier, interval, "", ""
}

// portRange is one part of a range of ports: the last number of its name runs.
type portRange struct {
	stem string // "ethernet-1/"
	span
}

// maxRange bounds one range, so that a short text cannot become a million ports.
const maxRange = 1024

// parseRange reads "ethernet-1/1..40,ethernet-1/50/1..4".
func parseRange(s string) (parts []portRange, cause, fix string) {
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		first, last, ranged := strings.Cut(part, "..")
		slash := strings.LastIndexByte(first, '/')
		if !isPort(first) {
			return nil, hasPart(s, part) + "names no port", "write ethernet-1/1..40, or several with commas"
		}
		from, _ := parseNumber(first[slash+1:], 1, 999)
		to := from
		if ranged {
			var ok bool
			if to, ok = parseNumber(last, 1, 999); !ok || to < from {
				return nil, "ends at " + show(last) + ", which is not a port number after " + first, "write " + first + ".." + strconv.Itoa(int(from)+1)
			}
		}
		parts = append(parts, portRange{first[:slash+1], span{from, to}})
	}
	if countPorts(parts) > maxRange {
		return nil, "has more than " + strconv.Itoa(maxRange) + " ports", "write fewer"
	}
	return parts, "", ""
}

// hasPart begins the cause of what is wrong with a part of a list.
func hasPart(s, part string) string {
	if s == part {
		return ""
	}
	return "has " + show(part) + ", which "
}

func countPorts(parts []portRange) (n uint32) {
	for _, r := range parts {
		n += r.to - r.from + 1
	}
	return n
}

// isPort reports whether s looks like ethernet-SLOT/PORT or ethernet-SLOT/PORT/CHILD.
func isPort(s string) bool {
	rest, ok := strings.CutPrefix(s, "ethernet-")
	if !ok {
		return false
	}
	slot, rest, ok := strings.Cut(rest, "/")
	port, child, broken := strings.Cut(rest, "/")
	return ok && digits(slot, 2) && digits(port, 3) && (!broken || digits(child, 2))
}

// isConnector reports whether s looks like a port of SR OS: CARD/MDA/cCONNECTOR or CARD/MDA/cCONNECTOR/CHANNEL.
func isConnector(s string) bool {
	parts := strings.Split(s, "/")
	if len(parts) < 3 || len(parts) > 4 {
		return false
	}
	connector, ok := strings.CutPrefix(parts[2], "c")
	return ok && digits(parts[0], 2) && digits(parts[1], 1) && digits(connector, 2) && (len(parts) == 3 || digits(parts[3], 2))
}

// digits reports whether s is a number from 1 with at most n digits.
func digits(s string, n int) bool {
	_, ok := parseNumber(s, 1, 999)
	return ok && len(s) <= n
}

// end is one end of a cable as it is written.
type end struct{ device, port, server, external string }

// parseCable reads "A:PORT - B:PORT".
func parseCable(s string) (a, b end, cause, fix string) {
	left, right, ok := strings.Cut(s, " - ")
	if !ok {
		return a, b, "is not a cable", "write DEVICE:PORT - DEVICE:PORT, with a hyphen between spaces"
	}
	if a, cause, fix = parseEnd(strings.TrimSpace(left)); cause != "" {
		return a, b, cause, fix
	}
	if b, cause, fix = parseEnd(strings.TrimSpace(right)); cause != "" {
		return a, b, cause, fix
	}
	if a.device == "" && b.device == "" {
		if a.server != "" && b.server != "" {
			return a, b, "joins two servers", "name a device of loom at one end"
		}
		return a, b, "joins nothing that loom manages", "name a device of loom at one end"
	}
	return a, b, "", ""
}

func parseEnd(s string) (e end, cause, fix string) {
	device, port, ok := strings.Cut(s, ":")
	if !ok {
		return e, "has an end without a port: " + show(s), "write DEVICE:PORT, as leaf3:ethernet-1/31"
	}
	if device == "server" {
		return parseServer(s, port)
	}
	if device == "external" {
		return parseExternal(s, port)
	}
	if !isDevice(device) {
		return e, "has an end at " + show(device) + ", which is not the name of a device", "write leaf3, bj/leaf3 or bj-leaf3"
	}
	if !isPort(port) && !isConnector(port) {
		return e, "has an end at " + show(port) + ", which names no port", "write a port as ethernet-1/31"
	}
	return end{device: device, port: port}, "", ""
}

func parseServer(s, rest string) (e end, cause, fix string) {
	name, nic, ok := strings.Cut(rest, ":")
	if !ok || !isHost(name) || !isHost(nic) {
		return e, "has an end at " + show(s) + ", which is not a server", "write server:NAME:INTERFACE, as server:db-17:eth0"
	}
	return end{server: name, port: nic}, "", ""
}

func parseExternal(s, rest string) (e end, cause, fix string) {
	name, port, ok := strings.Cut(rest, ":")
	if !ok || !isName(name) || !isHost(port) {
		return e, "has an end at " + show(s) + ", which is no router outside of loom", "write external:NAME:PORT, as external:p1:1/1/c5/1"
	}
	return end{external: name, port: port}, "", ""
}

// isHost accepts what servers and their interfaces are called: letters, digits and a few marks.
func isHost(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && !strings.ContainsRune("._-/@", rune(s[i])) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// show prints a value of the file in a message: as it is where it is plain, otherwise quoted, with everything
// beyond ASCII escaped, so that a letter that only looks like another is seen; never more than 60 bytes of it.
func show(s string) string {
	short, tail := s, ""
	if len(s) > 60 {
		short, tail = s[:60], "..."
	}
	for i := range len(short) {
		if short[i] <= ' ' || short[i] > '~' || short[i] == '"' {
			return strconv.QuoteToASCII(short) + tail
		}
	}
	if short == "" {
		return `""`
	}
	return short + tail
}

// words joins choices: "a", "a or b", "a, b or c".
func words(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

func quotedWords(list []string) string {
	quoted := make([]string, len(list))
	for i, w := range list {
		quoted[i] = strconv.Quote(w)
	}
	return words(quoted)
}
