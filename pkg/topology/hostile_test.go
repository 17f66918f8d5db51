//go:build !race

package topology

import (
	"bytes"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/loomfabric/loom/models/intent"
)

// hostile are files that are made to hurt.
func hostile() []Source {
	r := rand.New(rand.NewSource(1))
	random, printable := make([]byte, 10<<20), make([]byte, 10<<20)
	for i := range random {
		random[i] = byte(r.Intn(256))
		printable[i] = byte(' ' + r.Intn(95))
		if i%80 == 79 {
			printable[i] = '\n'
		}
	}
	const head = "loom: v1\nname: demo\n"
	var bomb strings.Builder
	bomb.WriteString(head + "a: &a [x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c < 'k'; c++ {
		fmt.Fprintf(&bomb, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	var stairs strings.Builder
	for i := range 2000 {
		stairs.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	wide := strings.Repeat("a: {b: [c, d, e]}, ", 400_000)
	return []Source{
		{"alias bomb", []byte(bomb.String())},
		{"200 kB of [", bytes.Repeat([]byte("["), 200_000)},
		{"200 kB of {", bytes.Repeat([]byte("{"), 200_000)},
		{"200 kB of [ on lines", bytes.Repeat([]byte("[\n"), 100_000)},
		{"200 kB of dashes", bytes.Repeat([]byte("- "), 100_000)},
		{"stairs", []byte(stairs.String())},
		{"random bytes", random},
		{"random letters", printable},
		{"zeros", make([]byte, 10<<20)},
		{"spaces", bytes.Repeat([]byte(" "), 10<<20)},
		{"newlines", bytes.Repeat([]byte("\n"), 10<<20)},
		{"comments", bytes.Repeat([]byte("# \n"), 3<<20)},
		{"one long name", append([]byte(head+"x: "), bytes.Repeat([]byte("a"), 10<<20)...)},
		{"one long quote", append([]byte(head+"x: \""), bytes.Repeat([]byte("a"), 10<<20)...)},
		{"a million unknown keys", []byte(head + strings.Repeat("x: 1\n", 1_000_000))},
		{"a million cables", []byte(head + "cables:\n" + strings.Repeat("  - a:b - c:d\n", 1_000_000))},
		{"a million entries in one line", []byte(head + "x: {" + wide + "}\n")},
		{"too large", make([]byte, maxBytes+1)},
		{"10,000 devices too many", []byte(head + "spines: {count: 9999, platform: X}\nleaves: {count: 9999, platform: X}\n")},
		{"a count beyond all numbers", []byte(head + "spines: {count: 99999999999999999999, platform: X}\n")},
		{"ports beyond all numbers", []byte(head + "spines: {count: 1, platform: X}\nleaves: {count: 9000, platform: X}\n" +
			"ports:\n" + strings.Repeat("  - {on: leaves, range: ethernet-1/1..999}\n", 100))},
		{"raw entries beyond all numbers", []byte(head + "spines: {count: 1, platform: X}\nleaves: {count: 9000, platform: X}\n" +
			"raw:\n" + rawLines(1000))},
		{"ten thousand dangling cables", []byte(head + "spines: {count: 1, platform: X}\nleaves: {count: 2000, platform: X}\ncables:\n" +
			strings.Repeat("  - laef1:ethernet-1/1 - spine7:ethernet-1/1\n", 10_000))},
	}
}

func rawLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  - {on: leaves, path: /system/a%d, value: 1}\n", i)
	}
	return b.String()
}

// What is refused costs at most 64 MB in all, garbage collected or not, beyond the file itself. Time is not
// tested, but see the benchmark.
func TestHostileFilesAreRefusedCheaply(t *testing.T) {
	for _, src := range hostile() {
		t.Run(src.Name, func(t *testing.T) {
			var top *Topology
			var ds Diagnostics
			cost := allocated(func() { top, ds = Parse(src) })
			if top != nil || !ds.HasErrors() {
				t.Fatal("accepted")
			}
			if cost > 64<<20 {
				t.Errorf("cost %d MB", cost>>20)
			}
			if n := strings.Count(ds.Error(), "\n"); n > 3*printed {
				t.Errorf("prints %d lines", n)
			}
			if _, ds := Format(src); src.Data[0] == '[' && !ds.HasErrors() {
				t.Error("formatted")
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for _, src := range hostile() {
		b.Run(src.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Parse(src)
			}
		})
	}
}

// Anchors and tags that got past the scan would still be refused: the tree is checked, too.
func TestTreesWithAnchorsAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"loom: v1\nname: &a demo\n", "loom: v1\nname: !!str demo\n", "loom: v1\nname: |\n  demo\n", "loom: v1\nname: demo\nspines: &x {count: 1}\n",
		"loom: v1\nname: demo\nsites: {a: &b {number: 1}}\n", "loom: &v v1\nname: *v\n", "loom: v1\nname: demo\ncables: [&a x]\n",
	} {
		p := &parser{names: []string{"f"}, out: &intent.Topology{}, places: &places{objects: map[string]*place{}}}
		tree := p.decode(0, []byte(text))
		p.merge([]*yaml.Node{tree})
		if !p.findings.HasErrors() {
			p.expand()
		}
		if !strings.Contains(p.findings.Error(), "anchor, alias, tag") {
			t.Errorf("%q: %v", text, p.findings)
		}
	}
}
