package topology

import (
	"fmt"
	"math/rand"
	"os"
	"regexp"
	"strings"
	"testing"
)

// A mutation spoils one line. It returns the line unchanged where it does not apply.
type mutation struct {
	name  string
	spoil func(r *rand.Rand, line string) string
}

var (
	keyWord    = regexp.MustCompile(`([a-z][a-z-]*):( |$)`)
	numberWord = regexp.MustCompile(`: [0-9]+([,}]|$)`)
	prefixWord = regexp.MustCompile(`[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/[0-9]+`)
	choiceWord = regexp.MustCompile(`: (ebgp|ibgp|numbered|unnumbered|derived|explicit|true|false|pair|none|disabled|untouched|spines)([,} ]|$)`)
	deviceWord = regexp.MustCompile(`(- |on: "?|/)(spine|leaf)`)
	portWord   = regexp.MustCompile(`ethernet-1/`)
	quotedWord = regexp.MustCompile(`"[^"]*"`)
	segment1   = regexp.MustCompile(`segments: \[[a-z/]+`)
	release1   = regexp.MustCompile(`"2[45]\.[0-9]+"`)
)

// replace1 replaces one match, chosen at random.
func replace1(re *regexp.Regexp, with func(r *rand.Rand, match string) string) func(*rand.Rand, string) string {
	return func(r *rand.Rand, line string) string {
		all := re.FindAllStringIndex(line, -1)
		if len(all) == 0 {
			return line
		}
		at := all[r.Intn(len(all))]
		return line[:at[0]] + with(r, line[at[0]:at[1]]) + line[at[1]:]
	}
}

func always(text string) func(*rand.Rand, string) string {
	return func(*rand.Rand, string) string { return text }
}

// within puts text at a random place after the indentation.
func within(text string) func(*rand.Rand, string) string {
	return func(r *rand.Rand, line string) string {
		lead := len(line) - len(strings.TrimLeft(line, " "))
		at := lead + r.Intn(len(line)-lead+1)
		return line[:at] + text + line[at:]
	}
}

// Every mutation makes the file wrong wherever it applies, with rare exceptions that still say something valid.
var mutations = []mutation{
	{"a key is misspelt", replace1(keyWord, func(r *rand.Rand, m string) string {
		i := r.Intn(len(strings.TrimRight(m, ": ")))
		return m[:i] + "q" + m[i:]
	})},
	{"a key loses a letter", replace1(keyWord, func(r *rand.Rand, m string) string { return m[1:] })},
	{"a colon is gone", replace1(keyWord, func(r *rand.Rand, m string) string { return strings.Replace(m, ":", "", 1) })},
	{"a colon has no space", replace1(regexp.MustCompile(`: `), func(r *rand.Rand, m string) string { return ":" })},
	{"a number is out of range", replace1(numberWord, func(r *rand.Rand, m string) string { return strings.Replace(m, ": ", ": 99999999999", 1) })},
	{"a number is a word", replace1(numberWord, func(r *rand.Rand, m string) string { return ": many" + strings.Trim(m, ": 0123456789") })},
	{"a number is negative", replace1(numberWord, func(r *rand.Rand, m string) string { return ": -" + m[2:] })},
	{"a number is octal", replace1(numberWord, func(r *rand.Rand, m string) string { return ": 0" + m[2:] })},
	{"a number is zero", replace1(numberWord, func(r *rand.Rand, m string) string { return ": 0" + strings.Trim(m, ": 0123456789") })},
	{"a value is gone", replace1(numberWord, func(r *rand.Rand, m string) string { return ":" + strings.Trim(m, ": 0123456789") })},
	{"a prefix has host bits or none", replace1(prefixWord, func(r *rand.Rand, m string) string { return m[:strings.IndexByte(m, '/')] + "/33" })},
	{"a prefix has no length", replace1(prefixWord, func(r *rand.Rand, m string) string { return m[:strings.IndexByte(m, '/')] })},
	{"an address has a large part", replace1(prefixWord, func(r *rand.Rand, m string) string { return "300" + m[strings.IndexByte(m, '.'):] })},
	{"a choice is none", replace1(choiceWord, func(r *rand.Rand, m string) string {
		return ": ospf" + strings.TrimLeft(m[2:], "abcdefghijklmnopqrstuvwxyz")
	})},
	{"a device is dangling", replace1(deviceWord, func(r *rand.Rand, m string) string { return m + "z" })},
	{"a port is misspelt", replace1(portWord, func(r *rand.Rand, m string) string { return "etherne-1/" })},
	{"a port is letters", replace1(portWord, func(r *rand.Rand, m string) string { return "ethernet-1/x" })},
	{"a segment is dangling", replace1(segment1, func(r *rand.Rand, m string) string { return m + "zzz" })},
	{"a release has no quotes", replace1(release1, func(r *rand.Rand, m string) string { return strings.Trim(m, `"`) })},
	{"a release is not known", replace1(release1, func(r *rand.Rand, m string) string { return `"19.11"` })},
	{"a quote is gone", replace1(quotedWord, func(r *rand.Rand, m string) string { return m[:len(m)-1] })},
	{"a bracket is not closed", replace1(regexp.MustCompile(`[}\]]`), func(r *rand.Rand, m string) string { return "" })},
	{"a bracket is not opened", replace1(regexp.MustCompile(`[{\[]`), func(r *rand.Rand, m string) string { return "" })},
	{"a bracket too many", replace1(regexp.MustCompile(`[}\]]`), func(r *rand.Rand, m string) string { return m + m })},
	{"the other bracket", replace1(regexp.MustCompile(`[}\]]`), func(r *rand.Rand, m string) string { return map[string]string{"}": "]", "]": "}"}[m] })},
	{"a comma is gone", replace1(regexp.MustCompile(`, [a-z]`), func(r *rand.Rand, m string) string { return m[1:] })},
	{"a comma too many", replace1(regexp.MustCompile(`, `), func(r *rand.Rand, m string) string { return ",, " })},
	{"a letter looks like another", replace1(regexp.MustCompile(`[aeo]`), func(r *rand.Rand, m string) string { return map[string]string{"a": "а", "e": "е", "o": "о"}[m] })},
	{"a control character", within("\x07")},
	{"a broken rune", within("\xc3\x28")},
	{"a hidden character", within("\u200b")},
	{"a space that is none", within("\u00a0")},
	{"a tab in front", func(r *rand.Rand, line string) string { return "\t" + strings.TrimLeft(line, " ") }},
	{"an anchor", replace1(regexp.MustCompile(`: [a-z{\[]`), func(r *rand.Rand, m string) string { return ": &a " + m[2:] })},
	{"an alias", replace1(regexp.MustCompile(`: [a-z]`), func(r *rand.Rand, m string) string { return ": *" + m[2:] })},
	{"a tag", replace1(regexp.MustCompile(`: [a-z0-9{\[]`), func(r *rand.Rand, m string) string { return ": !!x " + m[2:] })},
	{"a merge key", replace1(keyWord, func(r *rand.Rand, m string) string { return "<<: " })},
	{"a second document", func(r *rand.Rand, line string) string { return line + "\n---" }},
	{"a line that is nothing", always("lorem ipsum")},
	{"a line of brackets", always("[[[[[[")},
	{"a key that is not built", func(r *rand.Rand, line string) string { return "require: [nothing]" }},
	{"a text over several lines", replace1(regexp.MustCompile(`: [a-z].*$`), func(r *rand.Rand, m string) string { return ": |" })},
	{"indented by one more", func(r *rand.Rand, line string) string { return " " + line }},
	{"indented by one less", func(r *rand.Rand, line string) string { return strings.TrimPrefix(line, " ") }},
	{"the line is there twice", func(r *rand.Rand, line string) string {
		if strings.HasSuffix(line, ":") {
			return line
		}
		return line + "\n" + line
	}},
	{"a unit is another", replace1(regexp.MustCompile(`[0-9] (km|dB|dBm|GHz|THz)\b`), func(r *rand.Rand, m string) string { return m[:1] + " mm" })},
	{"a line or duct is dangling", replace1(regexp.MustCompile(`(over|via): \[?[a-z]+`), func(r *rand.Rand, m string) string { return m + "zz" })},
	{"a path climbs", replace1(regexp.MustCompile(`file:`), func(r *rand.Rand, m string) string { return "file:../../" })},
	{"a secret stands in the file", replace1(regexp.MustCompile(`env:`), func(r *rand.Rand, m string) string { return "hunter" })},
}

// mutant is one spoilt file.
type mutant struct {
	name, before, after string
	src                 Source
	line                int
}

// mutate draws a mutant; comments and blank lines are not spoilt, for they say nothing.
func mutate(r *rand.Rand, files []Source) mutant {
	for {
		src := files[r.Intn(len(files))]
		lines := strings.Split(strings.TrimSuffix(string(src.Data), "\n"), "\n")
		i := r.Intn(len(lines))
		code, _, _ := strings.Cut(lines[i], "  #")
		if text := strings.TrimSpace(code); text == "" || text[0] == '#' {
			continue
		}
		m := mutations[r.Intn(len(mutations))]
		after := m.spoil(r, code)
		if after == code {
			continue
		}
		lines[i] = after
		return mutant{m.name, code, after, Source{src.Name, []byte(strings.Join(lines, "\n") + "\n")}, i + 1}
	}
}

// pointed reports whether a finding stands on the spoilt line, or notes it; a line there twice is two lines.
func (m mutant) pointed(ds Diagnostics) (stands, notes bool) {
	on := func(p Pos) bool { return p.Line >= m.line && p.Line <= m.line+strings.Count(m.after, "\n") }
	for _, d := range ds {
		stands = stands || on(d.Pos)
		for _, n := range d.Also {
			notes = notes || on(n.Pos)
		}
	}
	return stands, notes
}

// The normal run draws 300 mutants, a soak 10,000. A mutant that is still valid says something else that is
// right; those are counted apart and must be few.
func TestErrorsPointAtTheSpoiltLine(t *testing.T) {
	t.Parallel()
	n := 300
	if os.Getenv("LOOM_SOAK") == "1" {
		n = 10_000
	}
	const seed = 1
	r := rand.New(rand.NewSource(seed))
	files := valid(t)
	right, noted, astray, harmless := 0, 0, 0, 0
	for range n {
		m := mutate(r, files)
		top, ds := Parse(m.src)
		stands, notes := m.pointed(ds)
		switch {
		case top != nil && ds.HasErrors(), top == nil && !ds.HasErrors():
			t.Fatalf("%s: topology and findings do not agree\n%s", m.name, m.src.Data)
		case !ds.HasErrors():
			harmless++
			t.Logf("harmless: %s: %s:%d: %q -> %q", m.name, m.src.Name, m.line, m.before, m.after)
		case stands:
			right++
		case notes:
			noted++
		default:
			astray++
			t.Logf("astray: %s: %s:%d: %q -> %q\n%s", m.name, m.src.Name, m.line, m.before, m.after, ds.Error())
		}
		for _, d := range ds {
			if d.Fix == "" || d.Pos.Line == 0 {
				t.Errorf("no fix or no place: %s", d)
			}
		}
	}
	summary := fmt.Sprintf("%d mutants of %d files, seed %d: %d stand on the spoilt line, %d note it, %d point elsewhere, %d are valid",
		n, len(files), seed, right, noted, astray, harmless)
	fmt.Println(summary)
	if astray*100 > right+noted+astray || harmless*10 > n {
		t.Error(summary)
	}
}
