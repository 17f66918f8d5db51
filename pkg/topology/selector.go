package topology

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// term is one part of a selector.
type term struct {
	text    string // as written
	site    string // "" for all; may be a pattern
	kind    termKind
	word    string // name, pattern, role or label; the stem of a range
	numbers span
}

type termKind uint8

const (
	byName termKind = iota
	byPattern
	byRange
	byRole
	byLabel
)

// parseSelector reads "bj/leaf17..18, spines, label:gpu".
func parseSelector(s string) (terms []term, cause, fix string) {
	for part := range strings.SplitSeq(s, ",") {
		t, ok := parseTerm(strings.TrimSpace(part))
		if !ok {
			return nil, "is not a selector", "write names (leaf3), patterns (\"bj/leaf*\"), ranges (leaf1..4), roles (leaves, spines, gateways, transponders) or label:NAME, with commas between"
		}
		terms = append(terms, t)
	}
	return terms, "", ""
}

func parseTerm(s string) (term, bool) {
	t := term{text: s, word: s}
	if label, ok := strings.CutPrefix(s, "label:"); ok {
		t.kind, t.word = byLabel, label
		return t, isLabel(label)
	}
	if site, rest, ok := strings.Cut(s, "/"); ok {
		if !isName(strings.NewReplacer("*", "a", "?", "a").Replace(site)) {
			return t, false
		}
		t.site, t.word = site, rest
	}
	stem, _, ranged := strings.Cut(t.word, "..")
	switch {
	case isRole(t.word):
		t.kind = byRole
	case ranged:
		t.kind = byRange
		digits := len(strings.TrimRight(stem, "0123456789"))
		var ok bool
		t.numbers, ok = parseSpan(t.word[digits:], maxNumber)
		t.word = stem[:digits]
		return t, ok && isName(t.word)
	case strings.ContainsAny(t.word, "*?"):
		t.kind = byPattern
		return t, isName("a" + strings.NewReplacer("*", "a", "?", "a").Replace(t.word))
	default:
		return t, isName(t.word)
	}
	return t, true
}

// isRole reports whether a word means all devices of a role.
func isRole(word string) bool {
	_, many := roleWords()
	return slices.Contains(many, word)
}

// selected returns the devices that a selector means, each once, in the order of the intent.
func (p *parser) selected(label string, b *block) []*device {
	e := b.get("on")
	terms, _, _ := parseSelector(b.text("on"))
	hit := make([]bool, len(p.devices.all))
	for _, t := range terms {
		if t.kind == byName && !strings.ContainsAny(t.site, "*?") {
			p.hitName(label, t, e.at(), hit)
			continue
		}
		any := false
		for i, d := range p.devices.all {
			if t.matches(d) {
				hit[i], any = true, true
			}
		}
		if !any && !p.excused(t.text) && !(len(p.partial) > 0 && (t.kind == byLabel || t.kind == byPattern)) {
			p.fault(e.at(), join(label, show(t.text))+" matches no device", p.nearTerm(t))
		}
	}
	var list []*device
	for i, d := range p.devices.all {
		if hit[i] {
			list = append(list, d)
		}
	}
	return list
}

// hitName marks the one device that a plain name means.
func (p *parser) hitName(label string, t term, at spot, hit []bool) {
	d, cause, fix := p.device(t.text)
	if d == nil {
		if word := nearRole(t.word); word != "" && p.devices.short[t.word] == nil {
			fix = "write " + siteSlash(t) + word
		}
		if !p.excused(t.text) {
			p.fault(at, join(label, cause), fix)
		}
		return
	}
	hit[d.index] = true
}

func (t term) matches(d *device) bool {
	if t.site != "" && !globbed(t.site, d.site.out.Name) {
		return false
	}
	short := d.out.Name[len(d.site.out.Prefix):]
	switch t.kind {
	case byLabel:
		return slices.Contains(d.out.Labels, t.word)
	case byRole:
		return t.word == plural(d.out.Role)
	case byRange:
		return holds([]span{t.numbers}, d.out.Number) && (t.word == roleWord(d.out.Role) || t.word == d.site.out.Prefix+roleWord(d.out.Role))
	case byPattern:
		return globbed(t.word, short) || globbed(t.word, d.out.Name)
	}
	return t.word == short || t.word == d.out.Name
}

// globbed matches * and ?; names hold nothing that path.Match takes otherwise.
func globbed(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// nearTerm suggests what a part of a selector may have meant.
func (p *parser) nearTerm(t term) string {
	const fix = "write the names of devices, leaves, spines or label:NAME"
	switch t.kind {
	case byLabel:
		labels := map[string]bool{}
		for _, d := range p.devices.all {
			for _, l := range d.out.Labels {
				labels[l] = true
			}
		}
		if near := nearestOf(t.word, labels); near != "" {
			return "write label:" + near
		}
		return "give a device the label, or take it out"
	case byRange:
		one, _ := roleWords()
		switch word := nearest(t.word, one); word {
		case "":
		case t.word:
			return p.counted(word)
		default:
			return "write " + siteSlash(t) + word + spanTail(t.numbers)
		}
	}
	if t.site != "" && !strings.ContainsAny(t.site, "*?") && p.site(t.site) == nil {
		if near := nearest(t.site, p.siteNames()); near != "" {
			return "write " + near + "/" + t.text[len(t.site)+1:]
		}
		return "there is no site " + t.site
	}
	stem := strings.TrimRight(t.word, "*?0123456789")
	one, many := roleWords()
	if word := nearest(stem, slices.Concat(one, many)); word != "" && word != stem {
		return "write " + siteSlash(t) + word + t.word[len(stem):]
	}
	return fix
}

// nearRole returns leaves or spines where a word without a number was likely meant to be it.
func nearRole(word string) string {
	for _, r := range roleNames {
		for _, known := range []string{r.key, r.word} {
			if distance(word, known, 3) < 3 && strings.Trim(word[len(word)-1:], "0123456789") != "" {
				return r.key
			}
		}
	}
	return ""
}

func siteSlash(t term) string {
	if t.site == "" {
		return ""
	}
	return t.site + "/"
}

func spanTail(r span) string { return fmt.Sprintf("%d..%d", r.from, r.to) }

// counted says which devices of a role there are.
func (p *parser) counted(word string) string {
	n, last, many := 0, "", ""
	for _, r := range roleNames {
		if r.word == word {
			many = r.key
		}
	}
	for _, d := range p.devices.all {
		if roleWord(d.out.Role) == word {
			n, last = n+1, d.out.Name
		}
	}
	if n == 0 {
		return "there are no " + many
	}
	if n == 1 {
		return "there is one " + word + ", " + last
	}
	return fmt.Sprintf("there are %d %s, the last %s", n, many, last)
}
