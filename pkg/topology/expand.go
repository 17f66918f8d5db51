package topology

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

// Expand writes the expanded intent as a file of the same language: sites with all their settings, devices and
// access ports one by one. Parse reads it to the same intent.
func Expand(t *Topology) []byte {
	w := &expander{}
	in := t.Intent
	w.line(0, "loom: v1")
	w.line(0, "name: "+in.Name)
	w.line(0, fmt.Sprintf("overlay-as: %d", in.OverlayAs))
	if l := in.Login; l != nil {
		w.line(0, "login: "+flow(text("username", l.Username), text("password", l.Password), text("ca", l.Ca)))
	}
	w.head("sites", len(in.Sites))
	for _, s := range in.Sites {
		w.site(s)
	}
	w.head("cables", len(in.Cables))
	for _, c := range in.Cables {
		w.cable(c)
	}
	w.head("tenants", len(in.Tenants))
	for _, tn := range in.Tenants {
		w.tenant(tn)
	}
	w.head("attachments", len(in.Attachments))
	for _, a := range in.Attachments {
		w.attachment(a)
	}
	w.head("ducts", len(in.Ducts))
	for _, d := range in.Ducts {
		w.duct(d)
	}
	w.head("lines", len(in.Lines))
	for _, l := range in.Lines {
		w.opticalLine(l)
	}
	w.head("dci", len(in.Dcis))
	for _, d := range in.Dcis {
		w.dci(d)
	}
	w.head("raw", len(in.Raw))
	for _, r := range in.Raw {
		w.line(1, "- "+flow(text("on", r.Device), text("path", r.Path), "value: "+quote(r.Value)))
	}
	return []byte(w.String())
}

// expander writes lines with their indentation.
type expander struct{ strings.Builder }

func (w *expander) line(depth int, text string) {
	for range depth {
		w.WriteString("  ")
	}
	w.WriteString(text)
	w.WriteByte('\n')
}

// head begins a part of the file, if there is anything in it.
func (w *expander) head(key string, n int) {
	if n > 0 {
		w.line(0, "\n"+key+":")
	}
}

func (w *expander) site(s *intent.Site) {
	w.line(1, s.Name+":")
	w.line(2, fmt.Sprintf("number: %d", s.Number))
	w.line(2, "prefix: "+quote(s.Prefix))
	w.line(2, "pool: "+s.Pool)
	if s.Management != "" {
		w.line(2, "management: "+quote(s.Management))
	}
	w.line(2, fmt.Sprintf("asns: %d+", s.Asns))
	if s.Domain != "" {
		w.line(2, text("domain", s.Domain))
	}
	w.line(2, "underlay: "+underlayText(s.Underlay))
	w.line(2, "overlay: "+overlayText(s.Overlay))
	w.line(2, "cabling: "+cablingWord(s.Cabling))
	if s.Cabling != intent.Cabling_CABLING_EXPLICIT {
		w.line(2, fmt.Sprintf("links-per-spine: %d", max(s.LinksPerSpine, 1)))
	}
	if len(s.Devices) > 0 {
		w.line(2, "devices:")
	}
	for _, d := range s.Devices {
		w.line(3, "- "+deviceText(d))
	}
}

func underlayText(u *intent.Underlay) string {
	links, bfd := "unnumbered", "off"
	if u.GetLinks() == intent.Links_LINKS_NUMBERED {
		links = "numbered"
	}
	if b := u.GetBfd(); b != nil {
		bfd = fmt.Sprintf("%dx%dms", b.Multiplier, b.IntervalMs)
	}
	return flow("routing: ebgp", "links: "+links, "bfd: "+bfd, number("mtu", u.GetMtu()), number("max-paths", u.GetMaxPaths()), text("loopbacks6", u.GetLoopbacks6()))
}

func overlayText(o *intent.Overlay) string {
	if o.GetRouting() == intent.Routing_ROUTING_EBGP {
		return "{routing: ebgp}"
	}
	return flow("routing: ibgp", "reflectors: spines", text("cluster-id", o.GetClusterId()))
}

func cablingWord(c intent.Cabling) string {
	if c == intent.Cabling_CABLING_EXPLICIT {
		return "explicit"
	}
	return "derived"
}

func deviceText(d *intent.Device) string {
	unused := "untouched"
	if d.UnusedPorts == intent.UnusedPorts_UNUSED_PORTS_DISABLED {
		unused = "disabled"
	}
	return flow(text("name", d.Name), "role: "+roleWord(d.Role), number("number", d.Number), text("platform", d.Platform), text("release", d.Release),
		list("labels", d.Labels), "unused-ports: "+unused, number("asn", d.Asn), text("loopback", d.Loopback), text("loopback6", d.Loopback6),
		text("management", d.Management),
		text("fingerprint", d.Fingerprint), number("node-sid", d.NodeSid), text("peer", d.Peer))
}

func (w *expander) cable(c *intent.Cable) {
	ends := endText(c.A) + " - " + endText(c.B)
	if c.Subnet == "" && c.Speed == "" {
		w.line(1, "- "+ends)
		return
	}
	w.line(1, "- "+flow(text("cable", ends), text("subnet", c.Subnet), text("speed", c.Speed)))
}

func endText(e *intent.End) string {
	return end{e.GetDevice(), e.GetPort(), e.GetServer(), e.GetExternal()}.String()
}

func (w *expander) tenant(t *intent.Tenant) {
	w.line(1, t.Name+":")
	w.line(2, fmt.Sprintf("number: %d", t.Number))
	for _, entry := range []string{list("sites", t.Sites), number("vni", t.Vni), number("evi", t.Evi), text("wan-target", t.WanTarget), number("wan-vni", t.WanVni)} {
		if entry != "" {
			w.line(2, entry)
		}
	}
	if len(t.Segments) > 0 {
		w.line(2, "segments:")
	}
	for _, s := range t.Segments {
		w.line(3, s.Name+": "+flow(number("number", s.Number), list("gateway", s.Gateway), number("vlan", s.Vlan),
			number("vni", s.Vni), number("evi", s.Evi), number("mtu", s.Mtu), list("sites", s.Sites),
			text("wan-target", s.WanTarget), number("wan-vni", s.WanVni)))
	}
}

func (w *expander) attachment(a *intent.Attachment) {
	members := make([]string, len(a.Members))
	for i, e := range a.Members {
		members[i] = endText(e)
	}
	lag := ""
	if a.Lag {
		lag = "lag: true"
	}
	w.line(1, "- "+flow(list("members", members), list("tagged", a.Tagged), text("untagged", a.Untagged), lag, text("speed", a.Speed),
		number("mtu", a.Mtu), list("labels", a.Labels), text("description", a.Description)))
}

// flow writes entries in braces, leaving out the empty ones.
func flow(entries ...string) string {
	var b strings.Builder
	for _, e := range entries {
		if e == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(e)
	}
	return "{" + b.String() + "}"
}

// text writes a key with a text, or nothing for an empty text.
func text(key, value string) string {
	if value == "" {
		return ""
	}
	return key + ": " + quote(value)
}

// number writes a key with a number, or nothing for 0.
func number(key string, n uint32) string {
	if n == 0 {
		return ""
	}
	return key + ": " + strconv.FormatUint(uint64(n), 10)
}

// list writes a key with a list of texts, or nothing for none.
func list(key string, values []string) string {
	if len(values) == 0 {
		return ""
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return key + ": [" + strings.Join(quoted, ", ") + "]"
}

// quote writes a text so that YAML reads it as the same text, with quotes where they are needed.
func quote(s string) string {
	if plainText(s) {
		return s
	}
	return doubleQuoted(s)
}

// doubleQuoted writes a text in quotes, for YAML and JSON alike.
func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case hidden(r) || r == '\n' || r == '\t':
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hidden(r rune) bool {
	cause, _ := badRune(r, 0)
	return cause != ""
}

// plainText reports whether a text needs no quotes, wherever it stands: it begins with a letter, is not a word
// that YAML has a meaning for, and holds no mark that YAML could take for its own. Addresses and prefixes of
// IPv4 pass as well, for they have too many dots to be numbers, and so do platforms and speeds, which have capital
// letters that no number has.
func plainText(s string) bool {
	if s == "" || len(s) > 120 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		letter := c >= 'a' && c <= 'z'
		switch {
		case letter || s[i] >= '0' && s[i] <= '9' || s[i] == '.':
		case i > 0 && (s[i] == '-' || s[i] == '_' || s[i] == '/'):
		case i > 0 && s[i] == ':' && i+1 < len(s) && s[i+1] != ' ' && c != ' ':
		default:
			return false
		}
	}
	if first := s[0] | 0x20; first >= 'a' && first <= 'z' {
		return !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s))
	}
	dotted := strings.Count(s, ".") == 3 && strings.Trim(s, "0123456789./") == "" && s[0] != '.'
	model := s[0] >= '0' && s[0] <= '9' && strings.ContainsAny(s, "GIJKLMR") && !strings.Contains(s, ":")
	return dotted || model
}
